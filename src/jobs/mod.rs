//! Work in the background: what takes it in, and what does it. The table of jobs is the truth (`domain::jobs`); this has what
//! lives as long as the process. See docs/adr/0017-jobs.md.

mod import;
mod maintenance;
mod schedule;
mod upload;
mod worker;

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

pub use import::{ImportPayload, ImportResult, PlannedColumn};
pub use schedule::Queued;
pub use upload::NewImport;

use crate::config::JobSettings;
use crate::db::Databases;
use crate::domain::jobs::QueueLimits;
use crate::error::Result;
use crate::gates::Gates;
use crate::outside::Outside;
use crate::storage::Storage;
use schedule::Schedule;

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
    schedules: Vec<Schedule>,
    /// One for each worker: what may end the process takes them all.
    places: Semaphore,
    /// The largest file that is taken, in bytes.
    max_upload_bytes: u64,
    /// Rung when a job is queued here.
    bell: watch::Sender<()>,
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

impl Jobs {
    pub fn new(parts: Parts) -> Self {
        let Parts { databases, bulk, storage, gates, outside, settings, max_upload_bytes } = parts;
        let (bell, schedules) = (watch::Sender::new(()), Schedule::all(&settings));
        let places = Semaphore::new(settings.workers);
        Self {
            inner: Arc::new(Inner {
                databases,
                bulk,
                storage,
                gates,
                outside,
                settings,
                schedules,
                places,
                max_upload_bytes,
                bell,
            }),
        }
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

    /// Takes away what is too old, at once; says how many rows and files went.
    ///
    /// # Errors
    /// The first that something met.
    pub async fn forget(&self) -> Result<u64> {
        self.inner.forget().await
    }
}
