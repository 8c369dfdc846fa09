//! Jobs that failed for good.

use std::sync::Arc;

use async_graphql::{ID, Json, Object};
use entity::dead_letter::Model;

use super::job::JobKind;
use crate::domain::jobs::{DeadLetterList, count_dead_letters};
use crate::error::Result;
use crate::graphql::Loaders;
use crate::graphql::connection::connection;
use crate::graphql::global_id::GlobalId;
use crate::graphql::planned::plan;
use crate::graphql::scalars::DateTime;

/// A job that failed for good.
#[derive(Clone)]
pub struct DeadLetter(Arc<Model>);

impl From<Arc<Model>> for DeadLetter {
    fn from(row: Arc<Model>) -> Self {
        Self(row)
    }
}

/// A job that failed for good.
#[Object]
impl DeadLetter {
    /// Globally unique and opaque; give it to `node`, `retryDeadLetters` or `discardDeadLetters`.
    pub async fn id(&self) -> ID {
        GlobalId::DeadLetter(self.0.id).encode()
    }

    /// The job's `id`; `node` answers jobs to those who queued them.
    async fn job_id(&self) -> ID {
        match self.0.kind {
            entity::enums::JobKind::CollectionImport => GlobalId::CollectionImport(self.0.job_id).encode(),
            // The server's own is no object of the schema.
            _ => self.0.job_id.into(),
        }
    }

    /// What the job was to do.
    async fn kind(&self) -> JobKind {
        self.0.kind.into()
    }

    /// What it was asked for with: no content of a file is in it.
    async fn payload(&self) -> Json<serde_json::Value> {
        Json(self.0.payload.clone())
    }

    /// What went wrong, for administrators.
    async fn error(&self) -> &str {
        &self.0.error
    }

    /// Its number in the error catalogue.
    async fn error_code(&self) -> &str {
        &self.0.error_code
    }

    /// How often it was tried.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// The trace of the request that queued it, where there is one.
    async fn trace_id(&self) -> Option<&str> {
        self.0.trace_id.as_deref()
    }

    /// When it failed for good.
    async fn failed_at(&self) -> DateTime {
        DateTime(self.0.failed_at)
    }
}

plan!(DeadLetter: methods {
    "id" => id,
    "attempts" => attempts,
    "failedAt" => failed_at,
});

/// What counts dead letters.
pub struct DeadLetterTotal(pub DeadLetterList);

impl DeadLetterTotal {
    pub async fn count(&self, loaders: &Loaders) -> Result<i64> {
        count_dead_letters(&loaders.personal, &self.0).await
    }
}

connection! {
    /// A page of dead letters.
    DeadLetterConnection, DeadLetterEdge, Arc<Model> => DeadLetter, total: DeadLetterTotal
}
