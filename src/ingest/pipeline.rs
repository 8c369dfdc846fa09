//! From a reader's records to a writer's batches, with backpressure, a tally and a limit on what may be bad.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;

use super::source::{BadRecord, Sink, SourceError};
use crate::error::Error;

/// Batches that wait for the writer at most.
const BATCHES_AHEAD: usize = 1;
/// Bad records that a report lists; the others are counted.
const BAD_LISTED: usize = 20;
/// A share of one bad record in this many is the most that is borne.
const BAD_ONE_IN: u64 = 20;
/// Records before which the share says nothing yet.
const BAD_AFTER: u64 = 200;

/// What an ingest is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading and writing; the figures are bytes of the file, or records where there is no file.
    Reading,
    /// Bringing derived rows in step; the figures are cards.
    Deriving,
    /// Making users with what they hold; the figures are users.
    Users,
}

/// Hears how far an ingest has come.
pub trait Progress: Sync {
    fn at(&self, stage: Stage, done: u64, total: Option<u64>);

    /// A generated market that was there is gone, whatever becomes of the rest.
    fn removed_generated(&self) {}
}

/// What an ingest did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Records read: cards, or cards with prices.
    pub records: u64,
    /// Price points read.
    pub points: u64,
    /// Rows that were new or changed.
    pub written: u64,
    /// Records of prices whose printing is not known.
    pub unmatched: u64,
    /// Cards that price records made.
    pub made: u64,
    /// Users that were invented.
    pub users: u64,
    pub bad: u64,
    /// The first of the bad ones.
    pub bad_records: Vec<BadRecord>,
    /// A generated market was there and was removed first.
    pub removed_generated: bool,
}

impl Report {
    /// Adds what was done for one batch; records, and how many of them were bad, are counted by the reader.
    fn add(&mut self, batch: &Self) {
        self.points += batch.points;
        self.written += batch.written;
        self.unmatched += batch.unmatched;
        self.made += batch.made;
        self.removed_generated |= batch.removed_generated;
    }
}

/// Why an ingest stopped.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("{0}")]
    Source(#[from] SourceError),
    #[error("{} of {} records can't be read, which is over 5 %: stopped.{}", .0.bad, .0.bad + .0.records, first_bad(.0))]
    TooManyBad(Box<Report>),
    #[error(
        "the store holds real data: a generated market only goes into an empty store, or in place of another"
    )]
    HoldsRealData,
    #[error("the store failed: {}", .0.log_text())]
    Store(Error),
}

fn first_bad(report: &Report) -> String {
    report
        .bad_records
        .first()
        .map_or_else(String::new, |bad| format!(" The first is {}: {}", bad.position, bad.reason))
}

impl From<Error> for IngestError {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// Collects records into batches for the writer.
struct Batches<T> {
    batch: Vec<T>,
    weight: usize,
    limit: usize,
    weigh: fn(&T) -> usize,
    sender: mpsc::Sender<Vec<T>>,
    tally: Tally,
}

/// What the reader counted, or the writer.
#[derive(Debug, Default)]
struct Tally {
    records: u64,
    bad: u64,
    bad_records: Vec<BadRecord>,
}

impl Tally {
    fn reject(&mut self, bad: BadRecord) {
        self.bad += 1;
        if self.bad_records.len() < BAD_LISTED {
            self.bad_records.push(bad);
        }
    }

    fn is_too_bad(&self) -> bool {
        self.bad * BAD_ONE_IN > self.records + self.bad
    }

    /// The same before the end.
    fn is_hopeless(&self) -> bool {
        self.records + self.bad >= BAD_AFTER && self.is_too_bad()
    }
}

impl<T> Batches<T> {
    fn flush(&mut self) -> ControlFlow<()> {
        self.weight = 0;
        match self.sender.blocking_send(std::mem::take(&mut self.batch)) {
            Ok(()) => ControlFlow::Continue(()),
            // The writer has failed and says why itself.
            Err(_) => ControlFlow::Break(()),
        }
    }
}

impl<T> Sink<T> for Batches<T> {
    fn accept(&mut self, item: T) -> ControlFlow<()> {
        let weight = (self.weigh)(&item);
        self.tally.records += u64::from(weight > 0);
        self.weight += weight;
        self.batch.push(item);
        if self.weight >= self.limit { self.flush() } else { ControlFlow::Continue(()) }
    }

    fn reject(&mut self, bad: BadRecord) -> ControlFlow<()> {
        self.tally.reject(bad);
        if self.tally.is_hopeless() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Reads a source to its end into a sink.
type Read<T> = dyn FnOnce(&mut dyn Sink<T>) -> Result<(), SourceError> + Send;

/// A reader, and how its records are put into batches.
pub(super) struct Reading<T> {
    pub read: Box<Read<T>>,
    /// What a record adds to a batch; 0 for what is no record of its own.
    pub weigh: fn(&T) -> usize,
    /// The weight at which a batch is written.
    pub limit: usize,
    pub stage: Stage,
    /// How far the reader is, and where it ends.
    pub position: Arc<AtomicU64>,
    pub end: u64,
}

impl<T, S: Sink<T> + ?Sized> Sink<T> for &mut S {
    fn accept(&mut self, item: T) -> ControlFlow<()> {
        (**self).accept(item)
    }

    fn reject(&mut self, bad: BadRecord) -> ControlFlow<()> {
        (**self).reject(bad)
    }
}

/// Reads on a thread of its own and writes batch by batch, so many of them at a time, begun in their order. What `write` answers
/// is what was done for its batch; its bad records are those that it could not write, which count as those that can't be read.
pub(super) async fn run<T: Send + 'static>(
    reading: Reading<T>,
    at_a_time: usize,
    progress: &impl Progress,
    write: impl AsyncFn(&[T]) -> Result<Report, Error>,
) -> Result<Report, IngestError> {
    let Reading { read, weigh, limit, stage, position, end } = reading;
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
    let reader = tokio::task::spawn_blocking(move || {
        let mut batches =
            Batches { batch: Vec::new(), weight: 0, limit, weigh, sender, tally: Tally::default() };
        let mut outcome = read(&mut batches);
        if !batches.batch.is_empty()
            && !matches!(outcome, Err(SourceError::NotThisFormat { .. }))
            && batches.flush().is_break()
        {
            outcome = outcome.and(Err(SourceError::Stopped));
        }
        (outcome, batches.tally)
    });
    let mut failure = None;
    let mut written = Tally::default();
    let mut report = Report::default();
    {
        let batches = stream::unfold(receiver, async |mut receiver: mpsc::Receiver<Vec<T>>| {
            Some((receiver.recv().await?, receiver))
        });
        let write = &write;
        let outcomes = batches
            .map(|batch| async move {
                let records = batch.iter().filter(|record| weigh(record) > 0).count();
                (records, write(&batch).await)
            })
            .buffered(at_a_time);
        let mut outcomes = std::pin::pin!(outcomes);
        while let Some((records, outcome)) = outcomes.next().await {
            match outcome {
                Ok(batch) => {
                    report.add(&batch);
                    written.records += records.saturating_sub(batch.bad_records.len()) as u64;
                    batch.bad_records.into_iter().for_each(|bad| written.reject(bad));
                }
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
            progress.at(stage, position.load(Ordering::Relaxed), Some(end));
            if written.is_hopeless() {
                break;
            }
        }
        // Here the channel ends, and a reader that waits for room in it is let go.
    }
    let (outcome, mut tally) =
        reader.await.map_err(|_| IngestError::Store(Error::internal("the reader of the file panicked")))?;
    if let Some(error) = failure {
        return Err(error.into());
    }
    tally.records = tally.records.saturating_sub(written.bad);
    tally.bad += written.bad;
    tally.bad_records.append(&mut written.bad_records);
    tally.bad_records.truncate(BAD_LISTED);
    let too_bad = tally.is_too_bad() || written.is_hopeless();
    let report = Report { records: tally.records, bad: tally.bad, bad_records: tally.bad_records, ..report };
    if too_bad {
        return Err(IngestError::TooManyBad(Box::new(report)));
    }
    outcome?;
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::super::source::obey;
    use super::*;

    /// More than anybody would read who is to stop.
    const ENDLESS: u32 = 100_000;

    struct Unwatched;

    impl Progress for Unwatched {
        fn at(&self, _: Stage, _: u64, _: Option<u64>) {}
    }

    fn reading(
        read: impl FnOnce(&mut dyn Sink<u32>) -> Result<(), SourceError> + Send + 'static,
    ) -> Reading<u32> {
        Reading {
            read: Box::new(read),
            weigh: |_| 1,
            limit: 100,
            stage: Stage::Reading,
            position: Arc::default(),
            end: 0,
        }
    }

    fn bad() -> BadRecord {
        BadRecord::new("somewhere", "it is bad")
    }

    fn stopped(outcome: Result<Report, IngestError>) -> Report {
        match outcome {
            Err(IngestError::TooManyBad(report)) => *report,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_reader_that_finds_nothing_but_bad_records_is_stopped() {
        let endless = reading(|sink| (0..ENDLESS).try_for_each(|_| obey(sink.reject(bad()))));
        let report = stopped(run(endless, 1, &Unwatched, async |_: &[u32]| Ok(Report::default())).await);
        assert_eq!((report.records, report.bad), (0, BAD_AFTER));
        assert_eq!(report.bad_records.len(), BAD_LISTED);
    }

    #[tokio::test]
    async fn one_bad_record_in_twenty_is_borne_and_one_more_is_not() {
        for (bad_ones, borne) in [(20, true), (21, false)] {
            // The bad ones first: until there are enough records, they say nothing yet.
            let records = reading(move |sink| {
                (0..bad_ones).try_for_each(|_| obey(sink.reject(bad())))?;
                (bad_ones..400).try_for_each(|record| obey(sink.accept(record)))
            });
            let outcome = run(records, 1, &Unwatched, async |_: &[u32]| Ok(Report::default())).await;
            let report = if borne { outcome.expect("borne") } else { stopped(outcome) };
            assert_eq!((report.records, report.bad), (u64::from(400 - bad_ones), u64::from(bad_ones)));
        }
    }

    #[tokio::test]
    async fn a_writer_of_whose_records_too_many_are_bad_stops_the_reader() {
        let endless = reading(|sink| (0..ENDLESS).try_for_each(|record| obey(sink.accept(record))));
        let batches = AtomicU64::new(0);
        let write = async |records: &[u32]| {
            batches.fetch_add(1, Ordering::Relaxed);
            let bad_records = records.iter().filter(|record| **record % 10 == 0).map(|_| bad()).collect();
            Ok::<_, Error>(Report { written: 90, bad_records, ..Report::default() })
        };
        let report = stopped(run(endless, 1, &Unwatched, write).await);
        // Of the first batch alone nothing can be said.
        assert_eq!((batches.load(Ordering::Relaxed), report.written, report.bad), (2, 180, 20));
        // The two, one that waits, one that comes after it.
        assert!(report.records + report.bad <= 400, "{} were read", report.records + report.bad);
    }
}
