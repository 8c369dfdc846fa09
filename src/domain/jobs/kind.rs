//! What holds for all jobs of a kind.

use std::time::Duration;

use entity::enums::JobKind;
use sea_orm::{ActiveEnum, Iterable};

/// What this version does for jobs. A kind is claimed where it has one of these, and the worker has a way for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    CollectionImport,
    Maintenance,
}

/// What is to be known of a kind of job, here and nowhere else.
struct Kind {
    /// What is done for it; where it is nothing, it is left to servers that know it.
    work: Option<Work>,
    /// Whether one of it runs at a time, over all servers.
    is_alone: bool,
    /// The longest run of one attempt, where that is shorter than of other kinds.
    longest: Option<Duration>,
}

fn kind(kind: JobKind) -> Kind {
    let unknown = Kind { work: None, is_alone: false, longest: None };
    match kind {
        JobKind::CollectionImport => Kind { work: Some(Work::CollectionImport), ..unknown },
        JobKind::Maintenance => Kind { work: Some(Work::Maintenance), is_alone: true, ..unknown },
        JobKind::Analytics => Kind { is_alone: true, longest: Some(Duration::from_secs(30 * 60)), ..unknown },
        JobKind::ChurnPrediction
        | JobKind::CatalogueRefresh
        | JobKind::PriceRefresh
        | JobKind::TournamentRefresh => unknown,
    }
}

/// What is to be done for a job.
pub fn work_of(of: JobKind) -> Option<Work> {
    kind(of).work
}

/// How long an attempt at a job may take, where those of other kinds may take so long.
pub fn longest_run(of: JobKind, others: Duration) -> Duration {
    kind(of).longest.map_or(others, |longest| longest.min(others))
}

/// The kinds that this version does, as SQL lists them.
pub(super) fn known() -> String {
    numbers(|kind| kind.work.is_some())
}

/// The kinds of which one runs at a time, as SQL lists them.
pub(super) fn alone() -> String {
    numbers(|kind| kind.is_alone)
}

fn numbers(is_meant: impl Fn(&Kind) -> bool) -> String {
    let meant = JobKind::iter().filter(|of| is_meant(&kind(*of)));
    meant.map(|of| of.to_value().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_longest_run_and_none_has_longer_than_is_set() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        for kind in JobKind::iter() {
            let usual = if kind == JobKind::Analytics { 30 } else { 60 };
            assert_eq!(longest_run(kind, minutes(60)), minutes(usual), "{kind:?}");
            let long = if kind == JobKind::Analytics { 30 } else { 120 };
            assert_eq!(longest_run(kind, minutes(120)), minutes(long), "{kind:?}");
            assert_eq!(longest_run(kind, minutes(20)), minutes(20), "{kind:?}");
        }
    }

    #[test]
    fn what_sql_is_told_of_kinds() {
        assert_eq!((known().as_str(), alone().as_str()), ("0, 6", "4, 6"));
    }
}
