//! Work in the background, and the files that it is about.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use chrono::DateTime;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use super::Environment;
use crate::storage::Storage;

#[derive(Clone)]
pub struct JobSettings {
    /// Under way at a time on this server.
    pub workers: usize,
    pub of_user: i64,
    pub of_kind: i64,
    /// The time that one attempt has, of kinds that have no less of their own.
    pub longest: Duration,
    pub storage_url: String,
    /// The `AWS_…` variables: some of them are secret.
    pub storage_options: Vec<(String, String)>,
    /// When what is too old is taken away.
    pub maintenance: CronPattern,
}

impl std::fmt::Debug for JobSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("JobSettings").field("workers", &self.workers).finish_non_exhaustive()
    }
}

/// Moments by the five fields of cron: minute, hour, day, month, day of the week.
#[derive(Debug, Clone)]
pub struct CronPattern(pub Cron);

impl FromStr for CronPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|_| "must be the five fields of cron, as in 17 * * * *")?;
        // The thirtieth of February.
        match cron.find_next_occurrence(&DateTime::UNIX_EPOCH, false) {
            Ok(_) => Ok(Self(cron)),
            Err(_) => Err("must be moments that come".to_owned()),
        }
    }
}

impl JobSettings {
    pub(super) fn read(environment: &mut Environment, data_dir: &Path) -> Self {
        let workers = environment.get(
            "DUALCASTER_JOB_WORKERS",
            "3",
            "Jobs under way at a time on this server, of several one always small; 0: it does none, and others do. Each takes up to two database connections of its own.",
        );
        let of_user = environment.get(
            "DUALCASTER_JOBS_OF_USER",
            "5",
            "Jobs of one user that may wait or be under way at a time.",
        );
        let of_kind = environment.get(
            "DUALCASTER_JOBS_OF_KIND",
            "100",
            "Jobs of one kind that may wait or be under way at a time.",
        );
        let longest: u64 = environment.get(
            "DUALCASTER_JOB_LONGEST_MINUTES",
            "60",
            "The most time that one attempt of a job has, in minutes.",
        );
        let maintenance = environment.get(
            "DUALCASTER_MAINTENANCE_SCHEDULE",
            "17 * * * *",
            "When what is too old is taken away: the five fields of cron, in UTC. One server does it.",
        );
        let storage_url: Option<String> = environment.optional(
            "STORAGE_URL",
            "`file:` in the data folder",
            "Where uploads are kept: `file:PATH`, or `s3://BUCKET/PREFIX` with the usual `AWS_…` variables. Several servers need a place that all of them reach. Give a bucket a rule that ends unfinished uploads: what a server was about to send when it was killed stays there.",
        );
        let storage_url = storage_url.unwrap_or_else(|| format!("file:{}", data_dir.join("files").display()));
        environment.comes_to("STORAGE_URL", &storage_url);
        let storage_options = environment.of_others("AWS_");
        if let Err(wrong) = Storage::check(&storage_url, &storage_options) {
            environment.mistake(format!("STORAGE_URL: {wrong}"));
        }
        Self {
            workers,
            of_user,
            of_kind,
            longest: Duration::from_secs(longest.saturating_mul(60)),
            maintenance,
            storage_url,
            storage_options,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_the_store_of_files_is_shown_nowhere() {
        let variables =
            [("AWS_SECRET_ACCESS_KEY", "hunter2"), ("AWS_REGION", ""), ("STORAGE_URL", "s3://shelf/files")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut environment = Environment::new(variables);
        let settings = JobSettings::read(&mut environment, Path::new("."));
        assert_eq!(settings.storage_options, [("AWS_SECRET_ACCESS_KEY".to_owned(), "hunter2".to_owned())]);
        let shown = format!("{settings:?} {:?}", environment.settings());
        assert!(shown.contains("s3://shelf/files") && !shown.contains("hunter2"), "{shown}");
    }
}
