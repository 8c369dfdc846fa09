//! Work in the background: what takes it in, and what does it. The table of jobs is the truth (`domain::jobs`); this has what
//! lives as long as the process. See docs/adr/0017-jobs.md.

mod import;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use entity::enums::JobKind;
use futures_util::future::join_all;
use tokio::sync::{Notify, watch};

pub use import::{ImportPayload, ImportResult, PlannedColumn};
pub use upload::NewImport;

use crate::config::JobSettings;
use crate::db::Databases;
use crate::domain::jobs::{
    Claim, QueueLimits, Standing, claim_job, fail_job, forget_jobs, give_back, note_progress, stand,
};
use crate::domain::uploads::{FOLDER, expire_uploads, stored_name, strays};
use crate::error::{Error, Result};
use crate::gates::Gates;
use crate::outside::Outside;
use crate::storage::Storage;

/// How soon a job is found that nobody rang for: one of another server, or one whose time to try again has come.
const LOOKED_EVERY: Duration = Duration::from_millis(500);
/// How often a worker says that it is still at it, and looks whether it may go on.
const STOOD_EVERY: Duration = Duration::from_secs(1);
/// How far apart two notes of progress are at least.
const NOTED_EVERY: Duration = Duration::from_millis(250);
/// How old a file must be that no upload has, to be one that was left behind.
const LEFT_BEHIND: chrono::TimeDelta = chrono::TimeDelta::hours(1);

/// The jobs of this server.
#[derive(Clone)]
pub struct Jobs {
    inner: Arc<Inner>,
}

struct Inner {
    databases: Databases,
    /// For what jobs do, which has no deadline of a request.
    bulk: Databases,
    storage: Storage,
    gates: Gates,
    outside: Outside,
    settings: JobSettings,
    /// The largest file that is taken, in bytes.
    max_upload_bytes: u64,
    queued: Notify,
}

/// What a server's jobs are built of.
pub struct Parts {
    pub databases: Databases,
    pub bulk: Databases,
    pub storage: Storage,
    pub gates: Gates,
    pub outside: Outside,
    pub settings: JobSettings,
    pub max_upload_bytes: u64,
}

/// Why an attempt did not end with the job's end.
#[derive(Debug)]
enum Stopped {
    /// Its owner does not want it any more.
    Cancelled,
    /// It is another worker's by now.
    Lost,
    /// The server stops.
    Draining,
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// An attempt under way: what it may still do, and who watches.
struct Attempt<'a> {
    jobs: &'a Inner,
    claim: &'a Claim,
    draining: watch::Receiver<bool>,
    stood: tokio::time::Instant,
    noted: tokio::time::Instant,
}

impl Attempt<'_> {
    /// Says how far the attempt is, and whether it may go on. To be called often.
    async fn at(&mut self, processed: u64) -> Result<(), Stopped> {
        if *self.draining.borrow() {
            return Err(Stopped::Draining);
        }
        let connection = self.jobs.bulk.write();
        let now = tokio::time::Instant::now();
        if now - self.noted >= NOTED_EVERY {
            self.noted = now;
            let processed = i64::try_from(processed).unwrap_or(i64::MAX);
            note_progress(connection, self.claim, processed, self.jobs.outside.now()).await?;
        }
        if now - self.stood >= STOOD_EVERY {
            self.stood = now;
            match stand(connection, self.claim, self.jobs.outside.now()).await? {
                Standing::Held => {}
                Standing::Cancelled => return Err(Stopped::Cancelled),
                Standing::Lost => return Err(Stopped::Lost),
            }
        }
        Ok(())
    }
}

impl Jobs {
    pub fn new(parts: Parts) -> Self {
        let Parts { databases, bulk, storage, gates, outside, settings, max_upload_bytes } = parts;
        let queued = Notify::new();
        let inner = Inner { databases, bulk, storage, gates, outside, settings, max_upload_bytes, queued };
        Self { inner: Arc::new(inner) }
    }

    pub fn databases(&self) -> &Databases {
        &self.inner.databases
    }

    pub fn bulk(&self) -> &Databases {
        &self.inner.bulk
    }

    pub fn outside(&self) -> &Outside {
        &self.inner.outside
    }

    fn limits(&self) -> QueueLimits {
        let JobSettings { of_user, of_kind, .. } = self.inner.settings;
        QueueLimits { of_user, of_kind }
    }

    /// Works until `draining` says that the server stops; what is under way then is handed back.
    pub async fn work(&self, draining: watch::Receiver<bool>) {
        join_all((0..self.inner.settings.workers).map(|_| self.work_alone(draining.clone()))).await;
    }

    async fn work_alone(&self, mut draining: watch::Receiver<bool>) {
        let worker = self.inner.outside.uuid();
        while !*draining.borrow() {
            match claim_job(self.inner.bulk.write(), worker, &self.inner.outside).await {
                Ok(Some(claim)) => {
                    // Another worker may find the next.
                    self.inner.queued.notify_one();
                    self.attempt(&claim, draining.clone()).await;
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(error = error.log_text(), "no job can be claimed"),
            }
            tokio::select! {
                () = self.inner.queued.notified() => {}
                () = tokio::time::sleep(LOOKED_EVERY) => {}
                _ = draining.changed() => {}
            }
        }
    }

    async fn attempt(&self, claim: &Claim, draining: watch::Receiver<bool>) {
        let Inner { bulk, outside, settings, .. } = &*self.inner;
        let job = &claim.job;
        tracing::info!(job = %job.id, kind = ?job.kind, attempt = job.attempts, "a job begins");
        let now = tokio::time::Instant::now();
        let started = std::time::Instant::now();
        let mut attempt = Attempt {
            jobs: &self.inner,
            claim,
            draining,
            stood: now,
            // The first note comes at once: whoever watches sees that it has begun.
            noted: now.checked_sub(NOTED_EVERY).unwrap_or(now),
        };
        let running = async {
            match job.kind {
                JobKind::CollectionImport => import::run(&mut attempt).await,
                // A newer server's: its own workers know it, and this one has taken it by mistake.
                _ => Err(Stopped::Draining),
            }
        };
        let outcome = tokio::time::timeout(settings.longest, running).await;
        let outcome =
            outcome.unwrap_or_else(|_| Err(Stopped::Failed(crate::error::timeout_refusal().into())));
        let connection = bulk.write();
        let word = match &outcome {
            Ok(()) => "completed",
            Err(Stopped::Cancelled) => "cancelled",
            Err(Stopped::Lost) => "lost",
            Err(Stopped::Draining) => "handed back",
            Err(Stopped::Failed(_)) => "failed",
        };
        metrics::histogram!("dualcaster_job_duration_seconds", "outcome" => word).record(started.elapsed());
        tracing::info!(job = %job.id, outcome = word, "a job's attempt has ended");
        let settled = match outcome {
            Ok(()) | Err(Stopped::Lost) => Ok(()),
            Err(Stopped::Cancelled | Stopped::Draining) => give_back(connection, claim, outside.now()).await,
            Err(Stopped::Failed(error)) => {
                tracing::warn!(job = %job.id, error = error.log_text(), "a job's attempt failed");
                let may_retry = matches!(error, Error::Failed(_)) || error.refusal().retry_after.is_some();
                fail_job(connection, claim, &error, may_retry, outside).await
            }
        };
        if let Err(error) = settled {
            // Its lease runs out, and it is claimed again.
            tracing::error!(job = %job.id, error = error.log_text(), "a job's end could not be written");
        }
    }

    /// Takes away what is too old: results, letters, files, and files that were left behind.
    ///
    /// # Errors
    /// The first that something met.
    pub async fn tidy(&self) -> Result<()> {
        let Inner { databases, storage, outside, .. } = &*self.inner;
        let now = outside.now();
        for id in expire_uploads(databases.write(), now).await? {
            storage.delete(&stored_name(id)).await?;
        }
        let old = storage.older_than(FOLDER, now - LEFT_BEHIND).await?;
        for name in strays(databases.write(), &old).await? {
            storage.delete(&format!("{FOLDER}/{name}")).await?;
        }
        forget_jobs(databases.write(), now).await?;
        Ok(())
    }
}
