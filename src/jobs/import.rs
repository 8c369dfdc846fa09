//! An import: a file's rows as items. It is read and resolved some rows at a time; what is held changes in one transaction at
//! the end, which also ends the job. So an attempt can be killed at any moment, and the next one begins anew.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use entity::enums::{JobStatus, RowOutcome};
use entity::job::Model;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::upload::SAMPLE;
use super::worker::{Attempt, Stopped};
use super::{Inner, Jobs};
use crate::db::{Bulk, Connection, transaction};
use crate::domain::catalogue::{Resolved, Resolver};
use crate::domain::collection::{
    Copies, Gathered, HeldCopies, ImportMode, ItemRow, Likeness, ReportRow, Taken, apply_import,
    check_import, clear_report, held_copies, undo_import, write_report,
};
use crate::domain::import::{Column, ImportRow, Plan, Platform, Section};
use crate::domain::jobs::{finish_job, load_jobs, replace_result};
use crate::domain::uploads::stored_name;
use crate::error::{Code, Error, Refusal};
use crate::tabular::{self, Content, TabularError};

/// Rows that are resolved at once.
const ROWS: usize = 1_000;
/// Batches that wait to be resolved at most.
const AHEAD: usize = 2;

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
    pub fn of(job: &Model) -> Result<Self, Error> {
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
    pub fn of(job: &Model) -> Self {
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
        let content = Content::open(file.path())?;
        let outcome = read(&content, platform, &sender);
        drop(file);
        outcome
    });
    let connection = attempt.jobs.bulk.write();
    if job.attempts > 1 {
        clear_report(connection, job.id).await?;
    }
    let mut resolver = Resolver::load(connection).await?;
    let mut import = Import {
        job: job.id,
        user,
        mode: payload.mode,
        gathered: Gathered::default(),
        new: 0,
        held: match payload.mode {
            ImportMode::Merge => held_copies(connection, user).await?,
            ImportMode::Replace => HashMap::new(),
        },
        result: ImportResult::default(),
    };
    let (mut processed, mut report) = (0, Vec::new());
    attempt.at(0).await?;
    while let Some(batch) = batches.recv().await {
        processed += batch.len() as u64;
        // What became of the lines before is written while these are looked up.
        let (resolved, written) = futures_util::join!(
            Import::resolve(connection, &mut resolver, &batch),
            write_lines(connection, job.id, std::mem::take(&mut report)),
        );
        written?;
        report = import.take(batch, resolved?);
        attempt.at(processed).await?;
    }
    write_lines(connection, job.id, report).await?;
    let read = reader.await.map_err(|_| Error::internal("the reader of a file panicked"))?;
    read.map_err(Error::from)?;
    import.finish(attempt, processed, payload.dry_run).await
}

/// Reads the file into batches; ends early where nobody takes them.
fn read(
    content: &Content,
    platform: Option<Platform>,
    sender: &mpsc::Sender<Vec<Read>>,
) -> Result<(), TabularError> {
    let mut batch = Vec::with_capacity(ROWS);
    let push = |read: Read, batch: &mut Vec<Read>| {
        batch.push(read);
        batch.len() < ROWS || sender.blocking_send(std::mem::take(batch)).is_ok()
    };
    if platform == Some(Platform::Decklist) {
        let inspected = tabular::inspect(content, false)?;
        let plan = Plan::decklist();
        let mut section = Section::default();
        for line in tabular::lines(content, &inspected)? {
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
        let inspected = tabular::inspect(content, true)?;
        let mut table = tabular::Table::open(content, &inspected)?;
        let header = table.header().to_vec();
        let mut first = Vec::new();
        for row in table.by_ref().take(SAMPLE) {
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

async fn write_lines(connection: &Connection, job: Uuid, rows: Vec<ReportRow>) -> Result<(), Error> {
    if !rows.is_empty() {
        let bulk = Bulk::begin(connection).await?;
        write_report(&bulk, job, &rows).await?;
        bulk.commit().await?;
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
    /// What is held already.
    held: HashMap<Likeness, HeldCopies>,
    result: ImportResult,
}

impl Import {
    /// The items of these lines, in their order, and what each comes to.
    async fn resolve(
        connection: &Connection,
        resolver: &mut Resolver,
        batch: &[Read],
    ) -> Result<Vec<(ImportRow, Resolved)>, Error> {
        let rows: Vec<ImportRow> =
            batch.iter().flat_map(|read| read.rows.iter().flatten().cloned()).collect();
        let resolved = resolver.resolve(connection, &rows).await?;
        Ok(rows.into_iter().zip(resolved).collect())
    }

    /// Gathers what the lines bring, and says what became of each.
    fn take(&mut self, batch: Vec<Read>, resolved: Vec<(ImportRow, Resolved)>) -> Vec<ReportRow> {
        let mut resolved = resolved.into_iter();
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
        report
    }

    fn gather(
        &mut self,
        row: ImportRow,
        card: crate::domain::catalogue::FoundCard,
        note: Option<String>,
    ) -> (RowOutcome, Option<Code>, Option<String>) {
        let finish = card.finish(row.finish);
        let like = (card.id, finish, row.condition, row.language.unwrap_or(card.language));
        let there = self.held.get(&like).map_or(0, |held| held.quantity);
        let said_of_held = self.held.get_mut(&like).and_then(|held| held.join(row.price, &row.tags));
        let copies = Copies {
            name_key: card.name_key.into(),
            quantity: row.quantity,
            price: row.price,
            acquired_on: row.acquired_on,
            notes: row.notes,
            tags: row.tags,
        };
        match self.gathered.take(like, copies, there) {
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
        }
    }

    async fn finish(self, attempt: &Attempt<'_>, processed: u64, dry_run: bool) -> Result<(), Stopped> {
        let Self { job, user, mode, gathered, new, result, .. } = self;
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
