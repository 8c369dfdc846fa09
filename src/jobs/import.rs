//! An import: a file's rows as items. It is read and resolved some rows at a time; what is held changes in one transaction at
//! the end, which also ends the job. So an attempt can be killed at any moment, and the next one begins anew.

use std::collections::HashSet;

use entity::enums::{JobStatus, RowOutcome};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{Attempt, Jobs, Stopped};
use crate::db::{Bulk, Trouble};
use crate::domain::catalogue::{Resolved, Resolver};
use crate::domain::collection::{
    Brought, Gathered, ImportMode, ItemRow, Likeness, ReportRow, Taken, apply_import, held_likenesses,
    undo_import, write_report,
};
use crate::domain::import::{Column, ImportRow, Plan, Platform, Section};
use crate::domain::jobs::{finish_job, load_jobs, replace_result};
use crate::domain::uploads::stored_name;
use crate::error::{Code, Error, Failure, Refusal};
use crate::tabular::{self, TabularError};

/// Rows that are resolved at once.
const ROWS: usize = 1_000;
/// Batches that wait to be resolved at most.
const AHEAD: usize = 2;
/// Tries of the transaction at the end, where another's gets in its way.
const TRIES: u32 = 5;

/// What an import was asked for with, as its job keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportPayload {
    pub platform: String,
    pub mode: ImportMode,
    pub dry_run: bool,
    /// The file's headings.
    pub header: Vec<String>,
    pub columns: Vec<PlannedColumn>,
}

/// How a column was understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedColumn {
    pub column: String,
    pub field: Option<String>,
    pub confidence: f64,
}

impl ImportPayload {
    pub fn new(plan: &Plan, header: Vec<String>, mode: ImportMode, dry_run: bool) -> Self {
        let column = |column: &Column| PlannedColumn {
            column: column.column.clone(),
            field: column.field.map(|field| field.name().to_owned()),
            confidence: column.confidence,
        };
        Self {
            platform: plan.platform.name().to_owned(),
            mode,
            dry_run,
            header,
            columns: plan.columns.iter().map(column).collect(),
        }
    }

    /// # Errors
    /// For what is no import's.
    pub fn of(job: &entity::job::Model) -> Result<Self, Error> {
        serde_json::from_value(job.payload.clone())
            .map_err(|error| Error::internal(format!("a job's payload is no import's: {error}")))
    }
}

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
    pub fn of(job: &entity::job::Model) -> Self {
        job.result.clone().and_then(|result| serde_json::from_value(result).ok()).unwrap_or_default()
    }
}

/// A row as the file has it, and what was read of it.
struct Read {
    line: u64,
    cells: Vec<String>,
    /// What the line holds: mostly one item, none, or one a finish.
    rows: Result<Vec<ImportRow>, (Code, String)>,
}

pub(super) async fn run(attempt: &mut Attempt<'_>) -> Result<(), Stopped> {
    let job = &attempt.claim.job;
    let payload = ImportPayload::of(job)?;
    let (Some(user), Some(upload)) = (job.user_id, job.upload_id) else {
        return Err(Error::internal("an import without a user or a file").into());
    };
    let file = attempt.jobs.storage.fetch(&stored_name(upload)).await?;
    let file = file.ok_or_else(|| Error::internal("an import's file is not there"))?;
    let platform = Platform::of_name(&payload.platform);
    let (sender, mut batches) = mpsc::channel::<Vec<Read>>(AHEAD);
    let reader = tokio::task::spawn_blocking(move || {
        let outcome = read(file.path(), platform, &sender);
        drop(file);
        outcome
    });
    let connection = attempt.jobs.bulk.write();
    let mut resolver = Resolver::load(connection).await?;
    let mut import = Import {
        job: job.id,
        user,
        mode: payload.mode,
        gathered: Gathered::default(),
        held: HashSet::new(),
        result: ImportResult::default(),
    };
    let mut processed = 0;
    attempt.at(0).await?;
    while let Some(batch) = batches.recv().await {
        processed += batch.len() as u64;
        import.take(attempt, &mut resolver, batch).await?;
        attempt.at(processed).await?;
    }
    let read = reader.await.map_err(|_| Error::internal("the reader of a file panicked"))?;
    read.map_err(Error::from)?;
    import.finish(attempt, processed, payload.dry_run).await
}

/// Reads the file into batches; ends early where nobody takes them.
fn read(
    path: &std::path::Path,
    platform: Option<Platform>,
    sender: &mpsc::Sender<Vec<Read>>,
) -> Result<(), TabularError> {
    let mut batch = Vec::with_capacity(ROWS);
    let push = |read: Read, batch: &mut Vec<Read>| {
        batch.push(read);
        batch.len() < ROWS || sender.blocking_send(std::mem::take(batch)).is_ok()
    };
    if platform == Some(Platform::Decklist) {
        let inspected = tabular::inspect(path, false)?;
        let plan = Plan::decklist();
        let mut section = Section::default();
        for line in tabular::lines(path, &inspected)? {
            let (line, text) = line?;
            if text.trim().is_empty() {
                continue;
            }
            let row = plan.read_line(&mut section, line, &text);
            let rows =
                row.map(|row| row.into_iter().collect()).map_err(|problem| (problem.code, problem.message));
            if !push(Read { line, cells: vec![text], rows }, &mut batch) {
                return Ok(());
            }
        }
    } else {
        let inspected = tabular::inspect(path, true)?;
        let mut table = tabular::Table::open(path, &inspected)?;
        let header = table.header().to_vec();
        let mut first = Vec::new();
        for row in table.by_ref().take(50) {
            first.push(row?);
        }
        let sample: Vec<Vec<String>> = first.iter().map(|row| row.cells.clone()).collect();
        let plan = Plan::detect(&header, &sample, platform).map_err(TabularError::Refused)?;
        for row in first.into_iter().map(Ok).chain(table) {
            let row = row?;
            // TopDecked leaves the cells at the end of a line out.
            let is_short = row.malformed == Some(tabular::Malformed::FewerCells);
            let read = match row.malformed {
                Some(malformed) if !(is_short && plan.platform == Platform::Topdecked) => {
                    Err((Code::RowMalformed, malformed.message().to_owned()))
                }
                _ => plan.read(row.line, &row.cells).map_err(|problem| (problem.code, problem.message)),
            };
            if !push(Read { line: row.line, cells: row.cells, rows: read }, &mut batch) {
                return Ok(());
            }
        }
    }
    if !batch.is_empty() {
        // Where nobody takes it, the attempt has ended.
        let _ = sender.blocking_send(batch);
    }
    Ok(())
}

struct Import {
    job: Uuid,
    user: Uuid,
    mode: ImportMode,
    gathered: Gathered,
    /// What is held already, of the cards that came so far.
    held: HashSet<Likeness>,
    result: ImportResult,
}

impl Import {
    async fn take(
        &mut self,
        attempt: &Attempt<'_>,
        resolver: &mut Resolver,
        batch: Vec<Read>,
    ) -> Result<(), Stopped> {
        let connection = attempt.jobs.bulk.write();
        let rows: Vec<ImportRow> =
            batch.iter().flat_map(|read| read.rows.iter().flatten().cloned()).collect();
        let resolved = resolver.resolve(connection, &rows).await?;
        if self.mode == ImportMode::Merge {
            let cards: Vec<i32> = resolved
                .iter()
                .filter_map(|resolved| match resolved {
                    Resolved::Card(card, _) => Some(card.id),
                    Resolved::Rejected(..) => None,
                })
                .collect();
            self.held.extend(held_likenesses(connection, self.user, &cards).await?);
        }
        let mut resolved = rows.into_iter().zip(resolved);
        let mut report = Vec::with_capacity(batch.len());
        for read in batch {
            let mut became = (RowOutcome::Skipped, None, None);
            match read.rows {
                Err((code, message)) => became = (RowOutcome::Rejected, Some(code), Some(message)),
                Ok(rows) => {
                    for (row, resolved) in resolved.by_ref().take(rows.len()) {
                        let one = match resolved {
                            Resolved::Card(card, note) => self.gather(row, *card, note),
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
        let bulk = Bulk::begin(connection).await?;
        write_report(&bulk, self.job, &report).await?;
        bulk.commit().await?;
        Ok(())
    }

    fn gather(
        &mut self,
        row: ImportRow,
        card: crate::domain::catalogue::FoundCard,
        note: Option<String>,
    ) -> (RowOutcome, Option<Code>, Option<String>) {
        let brought = Brought {
            card_id: card.id,
            finish: row.finish.unwrap_or_else(|| card.finishes().first()),
            condition: row.condition,
            language: row.language.unwrap_or(card.language),
            name_key: card.name_key,
            quantity: row.quantity,
            price: row.price,
            acquired_on: row.acquired_on,
            notes: row.notes,
            tags: row.tags,
        };
        let is_held = self.held.contains(&(
            brought.card_id,
            brought.finish,
            brought.condition,
            brought.language.clone(),
        ));
        match self.gathered.take(brought) {
            Taken::New if is_held => (RowOutcome::Merged, None, note),
            Taken::New => (RowOutcome::Imported, None, note),
            Taken::Joined(said) => {
                let said = said.map(str::to_owned);
                (RowOutcome::Merged, None, note.or(said))
            }
            Taken::TooMany => {
                let message = "With the lines before, these would be over 100,000 copies.".to_owned();
                (RowOutcome::Rejected, Some(Code::RowInvalidValue), Some(message))
            }
        }
    }

    async fn finish(self, attempt: &mut Attempt<'_>, processed: u64, dry_run: bool) -> Result<(), Stopped> {
        let Self { job, user, mode, gathered, result, .. } = self;
        let told = serde_json::to_value(result)
            .map_err(|error| Error::internal(format!("a result is no JSON: {error}")))?;
        let processed = i64::try_from(processed).unwrap_or(i64::MAX);
        let outside = &attempt.jobs.outside;
        let mut tried = 1;
        loop {
            let applied = async {
                let bulk = Bulk::begin(attempt.jobs.bulk.write()).await?;
                // A file of which nothing is known takes nobody's place.
                if !dry_run && result.imported > 0 {
                    apply_import(&bulk, user, job, &gathered, mode, outside).await?;
                }
                if !finish_job(&bulk, attempt.claim, processed, &told, outside.now()).await? {
                    return Ok(false);
                }
                bulk.commit().await?;
                Ok::<_, Error>(true)
            };
            match applied.await {
                Ok(true) => return Ok(()),
                // Cancelled meanwhile, or another's: nothing of it was committed. Which, the next look says.
                Ok(false) => {
                    attempt.stood = attempt.stood.checked_sub(super::STOOD_EVERY).unwrap_or(attempt.stood);
                    attempt.at(0).await?;
                    return Err(Stopped::Lost);
                }
                Err(Error::Failed(Failure::Database(error)))
                    if tried < TRIES && Trouble::of(&error) == Trouble::Conflict =>
                {
                    tried += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Jobs {
    /// Takes an import back, and answers it with the items that were changed by hand since, which stay.
    ///
    /// # Errors
    /// ERR-3001 where the user has no such import; ERR-3004 for one that has not completed, was a dry run, was taken back
    /// already, or ended over 24 hours ago.
    pub async fn undo_import(
        &self,
        user: Uuid,
        id: Uuid,
    ) -> crate::error::Result<(entity::job::Model, Vec<ItemRow>)> {
        let now = self.inner.outside.now();
        let bulk = Bulk::begin(self.inner.bulk.write()).await?;
        let found = load_jobs(&bulk, user, &[id]).await?.pop();
        let job = found.ok_or_else(|| Refusal::new(Code::NotFound, "You have no such import.").at("id"))?;
        let (payload, result) = (ImportPayload::of(&job)?, ImportResult::of(&job));
        if job.status != JobStatus::Completed || payload.dry_run || result.undone {
            let message = "There is nothing of this import to take back.";
            return Err(Refusal::new(Code::Conflict, message).at("id").into());
        }
        let kept = undo_import(&bulk, user, id, job.finished_at, now).await?;
        let result = serde_json::to_value(ImportResult { undone: true, ..result })
            .map_err(|error| Error::internal(format!("a result is no JSON: {error}")))?;
        if !replace_result(&bulk, &job, &result, now).await? {
            let message = "This import was taken back just now.";
            return Err(Refusal::new(Code::Conflict, message).at("id").into());
        }
        bulk.commit().await?;
        Ok((entity::job::Model { result: Some(result), updated_at: now, ..job }, kept))
    }
}
