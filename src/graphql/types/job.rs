//! Work in the background, as those see it who queued it.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Interface, Object, SimpleObject};
use entity::{enums as stored, job, upload};
use uuid::Uuid;

use super::collection_import::CollectionImport;
use super::user::{Asker, by_asker};
use super::user_error::UserError;
use crate::db::Connection;
use crate::domain::jobs::{JobList, count_jobs, list_jobs, load_jobs};
use crate::domain::uploads::load_uploads;
use crate::error::{Code, Refusal, Result};
use crate::graphql::Loaders;
use crate::graphql::batch::Load;
use crate::graphql::connection::{Edges, PageInfo, int};
use crate::graphql::global_id::GlobalId;
use crate::graphql::lists::Listed;
use crate::graphql::scalars::DateTime;
use crate::pagination::{CursorSecret, ListId, Page, Slice};

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "stored::JobKind")]
pub enum JobKind {
    /// It reads a file of a collection into an inventory.
    CollectionImport,
    /// It scores a list of customers. None is queued by this version.
    ChurnPrediction,
    /// It brings the catalogue up to date. None is queued by this version.
    CatalogueRefresh,
    /// It brings prices up to date. None is queued by this version.
    PriceRefresh,
    /// It computes what is told of the market. None is queued by this version.
    Analytics,
    /// It brings tournaments up to date. None is queued by this version.
    TournamentRefresh,
    /// It takes away what is too old to be of use. The server queues it by the clock.
    Maintenance,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "stored::JobStatus")]
pub enum JobStatus {
    /// It waits.
    Queued,
    /// It is being done.
    Running,
    /// It is done.
    Completed,
    /// It could not be done.
    Failed,
    /// It was stopped by who queued it.
    Cancelled,
}

/// How much of a job is done.
#[derive(Debug, Clone, SimpleObject)]
pub struct JobProgress {
    /// Rows, or whatever the job counts, that are done.
    processed: i32,
    /// How many there are; null where that is not known.
    total: Option<i32>,
    /// From 0 to 100; null where the total is not known.
    percent: Option<f64>,
}

impl JobProgress {
    pub fn of(job: &job::Model) -> Self {
        let done = |total: i64| {
            #[expect(clippy::cast_precision_loss, reason = "a percentage is no count")]
            let percent = job.processed as f64 * 100.0 / total as f64;
            percent.min(100.0)
        };
        Self {
            processed: int(job.processed),
            total: job.total.map(int),
            percent: job.total.filter(|total| *total > 0).map(done),
        }
    }
}

/// Why a job failed, where it did.
pub fn error_of(job: &job::Model) -> Option<UserError> {
    let number = job.error_code.as_deref()?;
    let code = Code::ALL.iter().find(|code| code.number() == number).copied().unwrap_or(Code::Internal);
    Some(UserError::new(Refusal::new(code, job.error.clone().unwrap_or_default())))
}

/// Work done in the background, with its progress.
#[expect(clippy::duplicated_attributes, reason = "two fields may be of one type")]
#[derive(Interface)]
#[graphql(
    field(
        name = "id",
        ty = "ID",
        desc = "Globally unique and opaque; give it to `node`, `cancelJob` or `jobProgress`."
    ),
    field(name = "kind", ty = "JobKind", desc = "What it does."),
    field(name = "status", ty = "JobStatus", desc = "How far it is."),
    field(name = "progress", ty = "JobProgress", desc = "How much of it is done."),
    field(name = "error", ty = "Option<UserError>", desc = "Why it failed, for people."),
    field(name = "created_at", ty = "DateTime", desc = "When it was queued."),
    field(name = "updated_at", ty = "DateTime", desc = "When it last went on."),
    field(name = "started_at", ty = "Option<DateTime>", desc = "When it was begun for the first time."),
    field(name = "finished_at", ty = "Option<DateTime>", desc = "When it ended.")
)]
pub enum Job {
    CollectionImport(CollectionImport),
}

impl From<Arc<job::Model>> for Job {
    fn from(row: Arc<job::Model>) -> Self {
        // The one kind that this version queues.
        Self::CollectionImport(row.into())
    }
}

/// A page of jobs.
pub struct JobConnection {
    edges: Edges<Arc<job::Model>>,
    list: JobList,
}

impl JobConnection {
    /// A page of somebody's jobs.
    pub async fn load(
        context: &Context<'_>,
        list: JobList,
        page: impl FnOnce(&ListId, &CursorSecret) -> std::result::Result<Page, Refusal>,
    ) -> async_graphql::Result<Self> {
        let secret = context.data::<CursorSecret>()?;
        let page = page(&list.id(), secret)?;
        let slice = context.data::<Loaders>()?.jobs.load((list, page)).await?.unwrap_or_else(Slice::empty);
        let edges = Edges::new(slice, secret, list.id(), |row: &Arc<job::Model>| JobList::key(row));
        Ok(Self { edges, list })
    }
}

/// A page of jobs, the newest first.
#[Object]
impl JobConnection {
    /// The page, each node with its cursor.
    async fn edges(&self) -> Listed<JobEdge> {
        let edge =
            |row: &Arc<job::Model>| JobEdge { cursor: self.edges.cursor(row), node: Arc::clone(row).into() };
        Listed(self.edges.rows().iter().map(edge).collect())
    }

    /// The page, without cursors.
    async fn nodes(&self) -> Listed<Job> {
        Listed(self.edges.rows().iter().cloned().map(Job::from).collect())
    }

    /// Where this page stands in the list.
    async fn page_info(&self) -> PageInfo {
        self.edges.page_info()
    }

    /// How many there are in the whole list. Counted only when asked for.
    async fn total_count(&self, context: &Context<'_>) -> async_graphql::Result<i32> {
        Ok(int(context.data::<Loaders>()?.job_totals.load(self.list).await?.unwrap_or(0)))
    }
}

/// A job of a page, with its cursor.
#[derive(SimpleObject)]
pub struct JobEdge {
    /// Its place in the list: give it as `after` or `before`.
    cursor: String,
    /// What stands there.
    node: Job,
}

/// Pages of jobs. Each is a list of its own; a document names few.
pub struct JobPages;

impl Load for JobPages {
    type Key = (JobList, Page);
    type Value = Slice<Arc<job::Model>>;
    const NAME: &'static str = "jobs";

    async fn load(connection: &Connection, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, Self::Value>> {
        let mut loaded = HashMap::new();
        for (list, page) in keys {
            let slice = list_jobs(connection, &list, &page).await?.map(Arc::new);
            loaded.insert((list, page), slice);
        }
        Ok(loaded)
    }
}

/// How many jobs lists have.
pub struct JobTotals;

impl Load for JobTotals {
    type Key = JobList;
    type Value = i64;
    const NAME: &'static str = "job_totals";

    async fn load(connection: &Connection, keys: Vec<JobList>) -> Result<HashMap<JobList, i64>> {
        let mut loaded = HashMap::new();
        for list in keys {
            loaded.insert(list, count_jobs(connection, &list).await?);
        }
        Ok(loaded)
    }
}

/// Jobs by id, of who asks.
pub struct JobsByAsker;

impl Load for JobsByAsker {
    type Key = (Asker, Uuid);
    type Value = Arc<job::Model>;
    const NAME: &'static str = "jobs_by_id";

    async fn load(connection: &Connection, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, Self::Value>> {
        let Some((asker, ids)) = by_asker(&keys) else { return Ok(HashMap::new()) };
        let rows = load_jobs(connection, asker.user, &ids).await?;
        Ok(rows.into_iter().map(|row| ((asker, row.id), Arc::new(row))).collect())
    }
}

/// A file as it was uploaded. Its content is deleted after 7 days, or by its owner.
#[derive(Clone)]
pub struct UploadedFile(Arc<upload::Model>);

impl From<Arc<upload::Model>> for UploadedFile {
    fn from(row: Arc<upload::Model>) -> Self {
        Self(row)
    }
}

/// A file as it was uploaded. Its content is deleted after 7 days, or by its owner.
#[Object]
impl UploadedFile {
    /// Globally unique and opaque; give it to `node`, or to `deleteUpload`.
    pub async fn id(&self) -> ID {
        GlobalId::UploadedFile(self.0.id).encode()
    }

    /// What its sender calls it.
    async fn filename(&self) -> &str {
        &self.0.filename
    }

    /// Its size.
    async fn size_bytes(&self) -> i32 {
        int(self.0.size_bytes)
    }

    /// How many rows it has, without its headings.
    async fn row_count(&self) -> Option<i32> {
        Some(int(self.0.row_count))
    }

    /// How its letters are written: `UTF-8`, `UTF-16LE`, `windows-1252`.
    async fn encoding(&self) -> Option<&str> {
        Some(&self.0.encoding)
    }

    /// When it came.
    async fn uploaded_at(&self) -> DateTime {
        DateTime(self.0.uploaded_at)
    }

    /// Whether its content is gone.
    async fn deleted(&self) -> bool {
        self.0.deleted_at.is_some()
    }
}

/// Files by id, of who asks.
pub struct UploadsByAsker;

impl Load for UploadsByAsker {
    type Key = (Asker, Uuid);
    type Value = Arc<upload::Model>;
    const NAME: &'static str = "uploads";

    async fn load(connection: &Connection, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, Self::Value>> {
        let Some((asker, ids)) = by_asker(&keys) else { return Ok(HashMap::new()) };
        let rows = load_uploads(connection, asker.user, &ids).await?;
        Ok(rows.into_iter().map(|row| ((asker, row.id), Arc::new(row))).collect())
    }
}
