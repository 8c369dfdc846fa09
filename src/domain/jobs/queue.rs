//! What is queued, whose it is, and how it is stopped.

use chrono::{DateTime, Utc};
use entity::enums::{JobKind, JobStatus};
use entity::job::{Entity, Model};
use sea_orm::{ActiveEnum, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel};
use uuid::Uuid;

use crate::db::{Count, Direction, Keyset, Listed, Segment, SortColumn, Sql, fetch_page};
use crate::error::{Code, Refusal, Result};
use crate::pagination::{Key, KeyValue, ListId, Page, Slice};

/// How much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Jobs of one user that have not ended, at most.
    pub of_user: i64,
    /// Jobs of one kind that have not ended, at most.
    pub of_kind: i64,
}

/// A job to be.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub id: Uuid,
    pub kind: JobKind,
    pub user: Option<Uuid>,
    pub upload: Option<Uuid>,
    /// The lower comes first.
    pub priority: i16,
    pub payload: serde_json::Value,
    pub total: Option<i64>,
    pub trace_id: Option<String>,
}

impl NewJob {
    /// As it waits to be claimed.
    pub(super) fn waiting(self, now: DateTime<Utc>) -> Model {
        Model {
            id: self.id,
            kind: self.kind,
            user_id: self.user,
            upload_id: self.upload,
            status: JobStatus::Queued,
            priority: self.priority,
            payload: self.payload,
            result: None,
            processed: 0,
            total: self.total,
            error_code: None,
            error: None,
            attempts: 0,
            run_at: now,
            lease_until: None,
            lease_by: None,
            cancelled: false,
            trace_id: self.trace_id,
            created_at: now,
            updated_at: now,
            started_at: None,
            finished_at: None,
            schedule: None,
            scheduled_for: None,
            alone: None,
        }
    }
}

/// Queues a job, in the transaction of what it is about.
///
/// # Errors
/// ERR-4001 where the user has too many under way, ERR-5003 where there are too many of the kind.
pub async fn queue_job(
    transaction: &impl ConnectionTrait,
    new: NewJob,
    limits: QueueLimits,
    now: DateTime<Utc>,
) -> Result<Model> {
    #[derive(FromQueryResult)]
    struct Depth {
        of_user: i64,
        of_kind: i64,
    }
    let mut sql = Sql::new(transaction);
    sql.push("select (select count(*) from jobs where user_id = ").bind(new.user.unwrap_or_default());
    // Each state by itself: only then has it an index.
    sql.push(" and status in (0, 1)) as of_user, (select count(*) from jobs where status = 0 and kind = ");
    sql.bind(new.kind.to_value()).push(") + (select count(*) from jobs where status = 1 and kind = ");
    sql.bind(new.kind.to_value()).push(") as of_kind");
    let depth = sql.one::<Depth>(transaction).await?.unwrap_or(Depth { of_user: 0, of_kind: 0 });
    let retry_after = Some(10);
    if new.user.is_some() && depth.of_user >= limits.of_user {
        let message = format!("You have {} jobs under way: wait until one has ended.", depth.of_user);
        return Err(Refusal { retry_after, ..Refusal::new(Code::RateLimited, message) }.into());
    }
    if depth.of_kind >= limits.of_kind {
        let message = "Too much is waiting just now. Please try again in a moment.";
        return Err(Refusal { retry_after, ..Refusal::new(Code::Overloaded, message) }.into());
    }
    let row = new.waiting(now);
    Entity::insert(row.clone().into_active_model()).exec_without_returning(transaction).await?;
    Ok(row)
}

/// Stops a job of the user's: at once where it waits, else as soon as its worker looks.
///
/// # Errors
/// ERR-3001 where the user has no such job, ERR-3005 where it has ended.
pub async fn cancel_job(
    connection: &impl ConnectionTrait,
    user: Uuid,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Model> {
    let mut sql = Sql::new(connection);
    sql.push("update jobs set cancelled = true, updated_at = ").bind(now);
    sql.push(", finished_at = case when status = 0 then ");
    sql.either("cast(", "").bind(now).either(" as timestamptz)", "");
    sql.push(" else finished_at end, status = case when status = 0 then 4 else status end where id = ")
        .bind(id);
    sql.push(" and user_id = ").bind(user).push(" and status in (0, 1) returning *");
    if let Some(row) = sql.one::<Model>(connection).await? {
        return Ok(row);
    }
    let refusal = match load_jobs(connection, user, &[id]).await?.pop() {
        Some(_) => Refusal::new(Code::JobNotCancellable, "This job has ended.").at("id"),
        None => Refusal::new(Code::NotFound, "You have no such job.").at("id"),
    };
    Err(refusal.into())
}

/// A list of somebody's jobs, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct JobList {
    pub user: Uuid,
    pub kind: Option<JobKind>,
    pub status: Option<JobStatus>,
}

impl JobList {
    /// The list that a cursor belongs to.
    pub fn id(&self) -> ListId {
        ListId::new("jobs", self)
    }

    /// The sort key of a row of this list.
    pub fn key(row: &Model) -> Key {
        vec![KeyValue::Time(row.created_at), KeyValue::Uuid(row.id)]
    }

    fn push_conditions(&self, sql: &mut Sql) {
        sql.push("from jobs j where j.user_id = ").bind(self.user);
        if let Some(kind) = self.kind {
            sql.push(" and j.kind = ").bind(kind.to_value());
        }
        if let Some(status) = self.status {
            sql.push(" and j.status = ").bind(status.to_value());
        }
    }
}

impl Listed for JobList {
    fn columns(&self, _: Segment) -> String {
        "j.*".to_owned()
    }

    fn source(&self, sql: &mut Sql, _: Segment) {
        self.push_conditions(sql);
    }
}

/// A page of a list.
///
/// # Errors
/// The database's.
pub async fn list_jobs(
    connection: &impl ConnectionTrait,
    list: &JobList,
    page: &Page,
) -> Result<Slice<Model>> {
    let keyset = Keyset {
        columns: vec![SortColumn::new("j.created_at", "created_at"), SortColumn::new("j.id", "id")],
        nullable: false,
        direction: Direction::Descending,
    };
    fetch_page(connection, list, &keyset, page, JobList::key).await
}

/// How many jobs the whole list has.
///
/// # Errors
/// The database's.
pub async fn count_jobs(connection: &impl ConnectionTrait, list: &JobList) -> Result<i64> {
    let mut sql = Sql::new(connection);
    sql.push("select count(*) as n ");
    list.push_conditions(&mut sql);
    Ok(sql.one::<Count>(connection).await?.map_or(0, |count| count.n))
}

/// Of these jobs those that are the user's.
///
/// # Errors
/// The database's.
pub async fn load_jobs(connection: &impl ConnectionTrait, user: Uuid, ids: &[Uuid]) -> Result<Vec<Model>> {
    let mut sql = Sql::by_keys(connection);
    sql.push("select * from jobs where user_id = ").bind(user).push(" and id").any_of_uuids(ids);
    Ok(sql.all(connection).await?)
}
