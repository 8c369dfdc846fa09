//! From a reader's records to a writer's batches, with backpressure, a tally and a limit on what may be bad.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::source::{BadRecord, Sink, SourceError};
use crate::db::Trouble;
use crate::error::{Error, Failure};

/// Batches that wait for the writer at most.
const BATCHES_AHEAD: usize = 2;
/// Bad records that a report lists; the others are counted.
const BAD_LISTED: usize = 20;
/// A share of one bad record in this many is the most that is borne.
const BAD_ONE_IN: u64 = 20;
/// Records before which the share says nothing yet.
const BAD_AFTER: u64 = 200;
/// Tries of a batch that another writer's transaction got in the way of.
const TRIES: u32 = 5;

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

/// Reads on a thread of its own and writes batch by batch. What `write` answers are records that it could not write,
/// which count as those that can't be read.
pub(super) async fn run<T: Send + 'static>(
    reading: Reading<T>,
    progress: &impl Progress,
    mut write: impl AsyncFnMut(&[T]) -> Result<Vec<BadRecord>, Error>,
) -> Result<Report, IngestError> {
    let Reading { read, weigh, limit, stage, position, end } = reading;
    let (sender, mut receiver) = mpsc::channel(BATCHES_AHEAD);
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
    while let Some(batch) = receiver.recv().await {
        match write_patiently(&batch, &mut write).await {
            Ok(bad) => {
                let records = batch.iter().filter(|record| weigh(record) > 0).count();
                written.records += records.saturating_sub(bad.len()) as u64;
                bad.into_iter().for_each(|bad| written.reject(bad));
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
    // A reader that waits for room in the channel is let go.
    drop(receiver);
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
    let report = Report {
        records: tally.records,
        bad: tally.bad,
        bad_records: tally.bad_records,
        ..Report::default()
    };
    if too_bad {
        return Err(IngestError::TooManyBad(Box::new(report)));
    }
    outcome?;
    Ok(report)
}

/// Another ingest at the same time may deadlock with this one: the database undoes one of the two, which tries again.
async fn write_patiently<T>(
    batch: &[T],
    write: &mut impl AsyncFnMut(&[T]) -> Result<Vec<BadRecord>, Error>,
) -> Result<Vec<BadRecord>, Error> {
    let mut tried = 1;
    loop {
        match write(batch).await {
            Err(Error::Failed(Failure::Database(error)))
                if tried < TRIES && Trouble::of(&error) == Trouble::Conflict =>
            {
                tracing::info!(tried, "a batch met another writer and is tried again");
                tried += 1;
            }
            outcome => return outcome,
        }
    }
}
