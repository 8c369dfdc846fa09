//! An import: a file's rows as items. It is read and resolved some rows at a time; what is held changes in one transaction at
//! the end, which also ends the job. So an attempt can be killed at any moment, and the next one begins anew.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use entity::enums::{Condition, JobStatus, RowOutcome};
use entity::job::Model;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::worker::{Attempt, Stopped};
use super::{Inner, Jobs};
use crate::db::{Connection, transaction};
use crate::domain::catalogue::{Resolved, Resolver};
use crate::domain::collection::{
    Copies, Gathered, HeldCopies, ImportMode, ItemRow, Likeness, ReportRow, Taken, apply_import,
    check_import, clear_report, held_copies, undo_import, write_report,
};
use crate::domain::import::ImportRow;
use crate::domain::jobs::{finish_job, load_jobs, replace_result};
use crate::domain::uploads::stored_name;
use crate::error::{Code, Error, Refusal};
use crate::tabular::Content;

mod payload;
mod read;

pub use payload::{ImportPayload, PlannedColumn};
use read::{Read, read};

/// Batches that wait to be resolved at most.
const AHEAD: usize = 1;

/// What an import came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportResult {
    pub imported: u64,
    pub rejected: u64,
    /// Whether it was taken back.
    #[serde(default)]
    pub undone: bool,
}

impl ImportResult {
    /// Nothing yet, where the job has not ended.
    pub fn of(job: &Model) -> Self {
        job.result.clone().and_then(|result| serde_json::from_value(result).ok()).unwrap_or_default()
    }
}

pub(super) async fn run(attempt: &mut Attempt<'_>) -> Result<(), Stopped> {
    let job = &attempt.claim.job;
    let payload = ImportPayload::of(job)?;
    let (Some(user), Some(upload)) = (job.user_id, job.upload_id) else {
        return Err(Error::internal("an import without a user or a file").into());
    };
    let file = attempt.jobs.storage.fetch(&stored_name(upload)).await?;
    let file = file.ok_or_else(|| Error::internal("an import's file is not there"))?;
    let plan = payload.plan()?.on(attempt.jobs.outside.now().date_naive());
    let (sender, mut batches) = mpsc::channel::<Vec<Read>>(AHEAD);
    let reader = tokio::task::spawn_blocking(move || {
        let content = Content::open(file.path())?;
        let outcome = read(&content, &plan, &sender);
        drop(file);
        outcome
    });
    let connection = attempt.jobs.bulk.write();
    clear_report(connection, job.id).await?;
    let mut resolver = Resolver::load(connection).await?;
    let mut import = Import {
        job: job.id,
        user,
        mode: payload.mode,
        gathered: Gathered::default(),
        new: 0,
        result: ImportResult::default(),
    };
    let (mut processed, mut report) = (0, Vec::new());
    attempt.at(0).await?;
    while let Some(batch) = batches.recv().await {
        processed += batch.len() as u64;
        // What became of the lines before is written while these are looked up.
        let (resolved, written) = futures_util::join!(
            import.resolve(connection, &mut resolver, &batch),
            write_lines(connection, job.id, std::mem::take(&mut report)),
        );
        written?;
        report = import.take(batch, resolved?)?;
        attempt.at(processed).await?;
    }
    write_lines(connection, job.id, report).await?;
    let read = reader.await.map_err(|_| Error::internal("the reader of a file panicked"))?;
    read.map_err(Error::from)?;
    import.finish(attempt, processed, payload.dry_run).await
}

async fn write_lines(connection: &Connection, job: Uuid, rows: Vec<ReportRow>) -> Result<(), Error> {
    if !rows.is_empty() {
        transaction!(bulk connection, |bulk| { write_report(bulk, job, &rows).await });
    }
    Ok(())
}

struct Import {
    job: Uuid,
    user: Uuid,
    mode: ImportMode,
    gathered: Gathered,
    /// Items that are not held yet.
    new: i64,
    result: ImportResult,
}

/// The items of some lines, in their order, what each comes to, and what is held of them already.
struct Found {
    rows: Vec<(ImportRow, Resolved)>,
    held: HashMap<Likeness, HeldCopies>,
}

impl Import {
    async fn resolve(
        &self,
        connection: &Connection,
        resolver: &mut Resolver,
        batch: &[Read],
    ) -> Result<Found, Error> {
        let rows: Vec<ImportRow> =
            batch.iter().flat_map(|read| read.rows.iter().flatten().cloned()).collect();
        let resolved = resolver.resolve(connection, &rows).await?;
        let held = match self.mode {
            ImportMode::Merge => {
                let card = |resolved: &Resolved| match resolved {
                    Resolved::Card(card, _) => Some(card.id),
                    Resolved::Rejected(..) => None,
                };
                let cards: BTreeSet<i32> = resolved.iter().filter_map(card).collect();
                let conditions: BTreeSet<Condition> = rows.iter().map(|row| row.condition).collect();
                held_copies(connection, self.user, &Vec::from_iter(cards), &Vec::from_iter(conditions))
                    .await?
            }
            ImportMode::Replace => HashMap::new(),
        };
        Ok(Found { rows: rows.into_iter().zip(resolved).collect(), held })
    }

    /// Gathers what the lines bring, and says what became of each.
    fn take(&mut self, batch: Vec<Read>, found: Found) -> Result<Vec<ReportRow>, Error> {
        let Found { rows, held } = found;
        let mut resolved = rows.into_iter();
        let mut report = Vec::with_capacity(batch.len());
        for read in batch {
            let mut became = (RowOutcome::Skipped, None, read.skipped.map(str::to_owned));
            match read.rows {
                Err((code, message)) => became = (RowOutcome::Rejected, Some(code), Some(message)),
                Ok(rows) => {
                    for (row, resolved) in resolved.by_ref().take(rows.len()) {
                        let one = match resolved {
                            Resolved::Card(card, note) => self.gather(row, *card, note, &held)?,
                            Resolved::Rejected(code, message) => {
                                (RowOutcome::Rejected, Some(code), Some(message))
                            }
                        };
                        // Of several of one line, what went wrong is told.
                        if became.0 != RowOutcome::Rejected {
                            became = one;
                        }
                    }
                }
            }
            let (outcome, code, message) = became;
            match outcome {
                RowOutcome::Imported | RowOutcome::Merged => self.result.imported += 1,
                RowOutcome::Rejected => self.result.rejected += 1,
                RowOutcome::Skipped => {}
            }
            let line = i64::try_from(read.line).unwrap_or(i64::MAX);
            report.push(ReportRow { line, outcome, code, message, cells: read.cells });
        }
        Ok(report)
    }

    fn gather(
        &mut self,
        row: ImportRow,
        card: crate::domain::catalogue::FoundCard,
        note: Option<String>,
        held: &HashMap<Likeness, HeldCopies>,
    ) -> Result<(RowOutcome, Option<Code>, Option<String>), Error> {
        let note = told(note, row.left_out.as_deref());
        let finish = card.finish(row.finish);
        let like = (card.id, finish, row.condition, row.language.unwrap_or(card.language));
        let held = held.get(&like);
        let there = held.map_or(0, |held| held.quantity);
        let said_of_held = held.and_then(|held| held.say(self.gathered.tags(&like), row.price, &row.tags));
        let copies = Copies {
            name_key: card.name_key.into(),
            quantity: row.quantity,
            price: row.price,
            acquired_on: row.acquired_on,
            tags: row.tags,
        };
        Ok(match self.gathered.take(like, copies, row.notes.as_deref(), there)? {
            Taken::New if there > 0 => (RowOutcome::Merged, None, told(note, said_of_held)),
            Taken::New => {
                self.new += 1;
                (RowOutcome::Imported, None, note)
            }
            Taken::Joined(said) => (RowOutcome::Merged, None, told(note, said.or(said_of_held))),
            Taken::TooMany => {
                let message =
                    "With those before and those held, these would be over 100,000 copies.".to_owned();
                (RowOutcome::Rejected, Some(Code::RowInvalidValue), Some(message))
            }
        })
    }

    async fn finish(self, attempt: &Attempt<'_>, processed: u64, dry_run: bool) -> Result<(), Stopped> {
        let Self { job, user, mode, mut gathered, new, result } = self;
        gathered.flush()?;
        let told = serde_json::to_value(result)
            .map_err(|error| Error::internal(format!("a result is no JSON: {error}")))?;
        let processed = i64::try_from(processed).unwrap_or(i64::MAX);
        let outside = &attempt.jobs.outside;
        if dry_run {
            check_import(attempt.jobs.bulk.write(), user, new, mode).await?;
        }
        let mut is_held = true;
        let applied = async {
            transaction!(bulk attempt.jobs.bulk.write(), |bulk| {
                // A file of which nothing is known takes nobody's place.
                if !dry_run && result.imported > 0 {
                    apply_import(bulk, user, job, &gathered, mode, outside).await?;
                }
                is_held = finish_job(bulk, attempt.claim, processed, &told, outside.now()).await?;
                // Cancelled meanwhile, or another's: nothing of it may stay.
                if is_held { Ok(()) } else { Err(Error::internal("a claim does not hold any more")) }
            });
            Ok::<_, Error>(())
        };
        match applied.await {
            Err(_) if !is_held => Err(attempt.why_not_held().await),
            applied => Ok(applied?),
        }
    }
}

/// All that is to be said of a line.
fn told(note: Option<String>, more: Option<&str>) -> Option<String> {
    match (note, more) {
        (Some(note), Some(more)) => Some(format!("{note} {more}")),
        (note, more) => note.or_else(|| more.map(str::to_owned)),
    }
}

/// How long a caller waits for an import to be taken back.
const WAITED: Duration = Duration::from_secs(8);

impl Jobs {
    /// Takes an import back, and answers it with the items that were changed by hand since, which stay.
    ///
    /// # Errors
    /// ERR-3001 where the user has no such import; ERR-3004 for one that has not completed, was a dry run, was taken back
    /// already, or ended over 24 hours ago; ERR-5002 where it takes longer than anybody waits: it goes on.
    pub async fn undo_import(&self, user: Uuid, id: Uuid) -> Result<(Model, Vec<ItemRow>), Error> {
        let inner = Arc::clone(&self.inner);
        let undoing = tokio::spawn(async move { inner.undo_import(user, id).await });
        match tokio::time::timeout(WAITED, undoing).await {
            Ok(undone) => undone.map_err(|_| Error::internal("taking an import back panicked"))?,
            Err(_) => {
                let message = "This is large and takes longer, but goes on: ask for the import's `undone`.";
                Err(Refusal::new(Code::Timeout, message).into())
            }
        }
    }
}

impl Inner {
    async fn undo_import(&self, user: Uuid, id: Uuid) -> Result<(Model, Vec<ItemRow>), Error> {
        let now = self.outside.now();
        Ok(transaction!(bulk self.bulk.write(), |bulk| {
            let found = load_jobs(bulk, user, &[id]).await?.pop();
            let job = found.ok_or_else(|| Refusal::new(Code::NotFound, "You have no such import.").at("id"))?;
            let (payload, result) = (ImportPayload::of(&job)?, ImportResult::of(&job));
            if job.status != JobStatus::Completed || payload.dry_run || result.undone {
                let message = "There is nothing of this import to take back.";
                return Err(Refusal::new(Code::Conflict, message).at("id").into());
            }
            let kept = undo_import(bulk, user, id, job.finished_at, now).await?;
            let result = serde_json::to_value(ImportResult { undone: true, ..result })
                .map_err(|error| Error::internal(format!("a result is no JSON: {error}")))?;
            if !replace_result(bulk, &job, &result, now).await? {
                let message = "This import was taken back just now.";
                return Err(Refusal::new(Code::Conflict, message).at("id").into());
            }
            Ok((Model { result: Some(result), updated_at: now, ..job }, kept))
        }))
    }
}
