//! A file comes in: it is checked, kept, and a job for it queued, all before anybody is told that it was taken.

use std::fs::File;
use std::io::Read;
use std::time::Duration;

use entity::enums::JobKind;
use entity::{job, upload};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Jobs;
use super::import::ImportPayload;
use crate::db::transaction;
use crate::domain::collection::ImportMode;
use crate::domain::import::{Plan, Platform, SAMPLE_CHARS};
use crate::domain::jobs::{NewJob, QUICK, queue_job};
use crate::domain::uploads::{begin_upload, create_upload, delete_upload, jobs_of_content, stored_name};
use crate::error::{Code, Error, Refusal, Result};
use crate::gates::Window;
use crate::tabular::{self, Content, TabularError};

/// Files that one user may send.
const UPLOADS: Window = Window { most: 10, within: Duration::from_secs(60) };
/// Rows that show what the columns of a file are.
const SAMPLE: usize = 50;
/// Rows up to which an import goes before others, and from which it comes after them.
const SMALL: u64 = 1_000;
const LARGE: u64 = 50_000;

/// An import to be.
#[derive(Debug)]
pub struct NewImport {
    /// What is shown of its name.
    pub filename: String,
    /// The name as it came, by which it is taken or not.
    pub sent_as: String,
    pub size_bytes: u64,
    pub content: File,
    pub platform: Option<Platform>,
    pub mode: ImportMode,
    pub dry_run: bool,
    /// The request that it came with.
    pub request_id: Option<String>,
}

impl From<TabularError> for Error {
    fn from(error: TabularError) -> Self {
        match error {
            TabularError::Refused(refusal) => Self::Refused(refusal),
            TabularError::Io(error) => Self::internal(format!("a file could not be read: {error}")),
        }
    }
}

/// What a look at a file showed.
struct Looked {
    rows: u64,
    encoding: &'static str,
    plan: Plan,
    header: Vec<String>,
}

/// Reads a file through, several times: not for an async thread.
fn look(content: &Content, platform: Option<Platform>) -> Result<Looked, TabularError> {
    let as_list = platform == Some(Platform::Decklist);
    let mut inspected = tabular::inspect(content, false)?;
    let encoding = inspected.encoding.name();
    let mut first = Vec::new();
    for line in tabular::lines(content, &inspected)?.take(SAMPLE) {
        match line {
            Ok((_, text)) => first.push(text),
            // A row of a table may be longer than a line of a list.
            Err(TabularError::Refused(_)) if !as_list && inspected.separator.is_some() => {
                first.clear();
                break;
            }
            Err(error) => return Err(error),
        }
    }
    if as_list || (platform.is_none() && Plan::looks_like_decklist(&first)) {
        // Beside the report's own columns, of which one is the line's number.
        let header = vec!["Entry".to_owned()];
        return Ok(Looked { rows: inspected.rows, encoding, plan: Plan::decklist(), header });
    }
    if inspected.separator.is_none() {
        inspected = tabular::inspect(content, true)?;
    }
    let mut table = tabular::Table::open(content, &inspected)?;
    let header = table.header().to_vec();
    let mut sample = Vec::new();
    for row in table.by_ref().take(SAMPLE) {
        // Of all cells together there may be a hundred times more.
        let start = |cell: &String| cell.chars().take(SAMPLE_CHARS).collect::<String>();
        sample.push(row?.cells.iter().map(start).collect());
    }
    let plan = Plan::detect(&header, &sample, platform).map_err(TabularError::Refused)?;
    Ok(Looked { rows: inspected.rows, encoding, plan, header })
}

fn digest(content: &Content) -> std::io::Result<Vec<u8>> {
    let mut reader = content.reader();
    let (mut digest, mut piece) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match reader.read(&mut piece)? {
            0 => return Ok(digest.finalize().to_vec()),
            read => digest.update(&piece[..read]),
        }
    }
}

impl Jobs {
    /// Counts an upload among those that its user may send: at the door, before its files are taken, and again once the
    /// first is given back by [`Jobs::uncount_upload`].
    ///
    /// # Errors
    /// ERR-4005 for too many in too short a time.
    pub async fn count_upload(&self, user: Uuid) -> Result<(), Refusal> {
        let key = format!("uploads:{user}");
        let entered = self.inner.gates.enter(&key, UPLOADS, self.inner.outside.now()).await;
        entered.map_err(|limited| {
            let message = "You have sent 10 files within a minute. Please wait a moment.";
            let refusal = Refusal::new(Code::TooManyUploads, message);
            Refusal { retry_after: limited.retry_after, ..refusal }
        })
    }

    /// Gives back what was counted at the door: who takes the upload in counts it.
    pub async fn uncount_upload(&self, user: Uuid) {
        self.inner.gates.leave(&format!("uploads:{user}")).await;
    }

    /// Takes a file in for import, and queues the job. The same file of the same user, sent again while it is under way, is the
    /// same job.
    ///
    /// # Errors
    /// ERR-4005 for too many files in too short a time; what is wrong with the file, each with its code; ERR-4001 and
    /// ERR-5003 where too much waits already.
    pub async fn import(&self, user: Uuid, new: NewImport) -> Result<job::Model> {
        let outside = &self.inner.outside;
        self.count_upload(user).await?;
        let most = self.inner.max_upload_bytes;
        if new.size_bytes > most {
            let message = format!("File too large. Maximum {}MB.", most / 1_048_576);
            return Err(Refusal::new(Code::FileTooLarge, message).at("file").into());
        }
        tabular::check_name(&new.sent_as).map_err(|refusal| refusal.at("file"))?;
        let content = Content::new(new.content.try_clone().map_err(TabularError::Io)?);
        let platform = new.platform;
        let looked = tokio::task::spawn_blocking(move || {
            let looked = look(&content, platform)?;
            Ok((looked, digest(&content)?))
        });
        let looked =
            looked.await.map_err(|_| Error::internal("the thread that looked at a file panicked"))?;
        let (looked, sha256) = looked.map_err(|error| match error {
            TabularError::Refused(refusal) if refusal.path.is_empty() => Error::Refused(refusal.at("file")),
            error => error.into(),
        })?;
        let id = outside.uuid();
        let name = stored_name(id);
        self.inner.storage.put(&name, &new.content).await?;
        let queued = self.queue(user, id, new, looked, sha256).await;
        // Where the database failed, the job may be there all the same: then the sweep decides.
        let is_kept = match &queued {
            Ok(job) => job.upload_id == Some(id),
            Err(Error::Failed(_)) => true,
            Err(_) => false,
        };
        if !is_kept && let Err(error) = self.inner.storage.delete(&name).await {
            // It is swept later.
            tracing::warn!(error = error.log_text(), "a file that was not taken stays for a while");
        }
        let job = queued?;
        self.inner.bell.send_replace(());
        Ok(job)
    }

    /// Queues the import of a file that is kept already.
    async fn queue(
        &self,
        user: Uuid,
        id: Uuid,
        new: NewImport,
        Looked { rows, encoding, plan, header }: Looked,
        sha256: Vec<u8>,
    ) -> Result<job::Model> {
        let NewImport { filename, size_bytes, mode, dry_run, request_id, .. } = new;
        let payload = ImportPayload::new(&plan, header, mode, dry_run);
        let payload = serde_json::to_value(payload)
            .map_err(|error| Error::internal(format!("a job's payload is no JSON: {error}")))?;
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let now = self.inner.outside.now();
        let row = upload::Model {
            id,
            user_id: user,
            filename,
            size_bytes: i64::try_from(size_bytes).unwrap_or(i64::MAX),
            row_count: rows,
            encoding: encoding.to_owned(),
            sha256,
            uploaded_at: now,
            deleted_at: None,
        };
        let priority = match rows.unsigned_abs() {
            ..=SMALL => QUICK,
            rows => QUICK + 1 + i16::from(rows >= LARGE),
        };
        let job = NewJob {
            id: self.inner.outside.uuid(),
            kind: JobKind::CollectionImport,
            user: Some(user),
            upload: Some(id),
            priority,
            payload,
            total: Some(rows),
            trace_id: request_id,
        };
        let limits = self.limits();
        Ok(transaction!(self.inner.databases.write(), |transaction| {
            begin_upload(transaction, user).await?;
            let under_way = jobs_of_content(transaction, user, &row.sha256).await?;
            if let Some(same) = under_way.into_iter().find(|there| there.payload == job.payload) {
                return Ok(same);
            }
            create_upload(transaction, row.clone()).await?;
            queue_job(transaction, job.clone(), limits, now).await
        }))
    }

    /// Deletes a file that the user has sent, and the lines that were kept of it.
    ///
    /// # Errors
    /// ERR-3001 where the user has no such file, ERR-3004 where a job still reads it.
    pub async fn delete_upload(&self, user: Uuid, id: Uuid) -> Result<()> {
        let now = self.inner.outside.now();
        transaction!(self.inner.databases.write(), |transaction| {
            delete_upload(transaction, user, id, now).await
        });
        self.inner.storage.delete(&stored_name(id)).await
    }
}
