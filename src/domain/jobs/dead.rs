//! Jobs that failed for good: kept, so that somebody can look at them and try again.

use chrono::{DateTime, TimeDelta, Utc};
use entity::dead_letter::{Entity, Model};
use entity::enums::JobKind;
use entity::job;
use sea_orm::{ActiveEnum, ConnectionTrait, EntityTrait, IntoActiveModel};
use uuid::Uuid;

use crate::db::{
    Connection, Count, Direction, Keyset, Listed, Segment, SortColumn, Sql, fetch_page, transaction,
};
use crate::error::{Code, Refusal, Result, none_of};
use crate::pagination::{Key, KeyValue, ListId, Page, Slice};

/// How long dead letters are kept.
const KEPT: TimeDelta = TimeDelta::days(90);
/// How long jobs are kept that have ended, with what came of them.
const RESULTS_KEPT: TimeDelta = TimeDelta::days(30);
/// Characters of an error that are kept.
const ERROR_CHARS: usize = 1_000;

/// Keeps a job that failed for good, in the transaction that ends it.
pub(super) async fn bury(
    transaction: &impl ConnectionTrait,
    job: &job::Model,
    code: Code,
    error: &str,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    let letter = Model {
        id,
        job_id: job.id,
        kind: job.kind,
        payload: job.payload.clone(),
        error_code: code.number().to_owned(),
        error: error.chars().take(ERROR_CHARS).collect(),
        attempts: job.attempts,
        trace_id: job.trace_id.clone(),
        failed_at: now,
        retried_at: None,
        discarded_at: None,
    };
    metrics::counter!("dualcaster_dead_jobs_total").increment(1);
    Entity::insert(letter.into_active_model()).exec_without_returning(transaction).await?;
    Ok(())
}

/// Dead letters that nobody has acted on, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeadLetterList {
    pub kind: Option<JobKind>,
}

impl DeadLetterList {
    /// The list that a cursor belongs to.
    pub fn id(&self) -> ListId {
        ListId::new("dead letters", self)
    }

    /// The sort key of a row of this list.
    pub fn key(row: &Model) -> Key {
        vec![KeyValue::Time(row.failed_at), KeyValue::Uuid(row.id)]
    }

    fn push_conditions(&self, sql: &mut Sql) {
        sql.push("from dead_letters d where d.retried_at is null and d.discarded_at is null");
        if let Some(kind) = self.kind {
            sql.push(" and d.kind = ").bind(kind.to_value());
        }
    }
}

impl Listed for DeadLetterList {
    fn columns(&self, _: Segment) -> String {
        "d.*".to_owned()
    }

    fn source(&self, sql: &mut Sql, _: Segment) {
        self.push_conditions(sql);
    }
}

/// A page of the list.
///
/// # Errors
/// The database's.
pub async fn list_dead_letters(
    connection: &impl ConnectionTrait,
    list: &DeadLetterList,
    page: &Page,
) -> Result<Slice<Model>> {
    let keyset = Keyset {
        columns: vec![SortColumn::new("d.failed_at", "failed_at"), SortColumn::new("d.id", "id")],
        nullable: false,
        direction: Direction::Descending,
    };
    fetch_page(connection, list, &keyset, page, DeadLetterList::key).await
}

/// How many the whole list has.
///
/// # Errors
/// The database's.
pub async fn count_dead_letters(connection: &impl ConnectionTrait, list: &DeadLetterList) -> Result<i64> {
    let mut sql = Sql::new(connection);
    sql.push("select count(*) as n ");
    list.push_conditions(&mut sql);
    Ok(sql.one::<Count>(connection).await?.map_or(0, |count| count.n))
}

/// # Errors
/// The database's.
pub async fn load_dead_letters(connection: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Model>> {
    let mut sql = Sql::by_keys(connection);
    sql.push("select * from dead_letters where id").any_of_uuids(ids);
    Ok(sql.all(connection).await?)
}

/// Queues the jobs of these letters again, all or none. A letter that was retried already, or discarded, stays as it is: asking
/// twice does it once.
///
/// # Errors
/// ERR-3001 for each that is not there.
pub async fn retry_dead_letters(
    connection: &Connection,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    Ok(transaction!(connection, |transaction| {
        let letters = look_up(transaction, ids).await?;
        let open =
            letters.iter().filter(|letter| letter.retried_at.is_none() && letter.discarded_at.is_none());
        for letter in open {
            let mut sql = Sql::new(transaction);
            sql.push("update dead_letters set retried_at = ")
                .bind(now)
                .push(" where retried_at is null and id = ");
            sql.bind(letter.id);
            sql.run(transaction).await?;
            let mut sql = Sql::new(transaction);
            sql.push("update jobs set status = 0, attempts = 0, error = null, error_code = null, finished_at = null, ");
            sql.push("cancelled = false, run_at = ").bind(now).push(", updated_at = ").bind(now);
            sql.push(" where status = 3 and id = ").bind(letter.job_id);
            sql.run(transaction).await?;
        }
        Ok(letters.iter().map(|letter| letter.id).collect())
    }))
}

/// Puts letters away, all or none: nothing is done about them. That they were is kept with them.
///
/// # Errors
/// ERR-3001 for each that is not there.
pub async fn discard_dead_letters(
    connection: &Connection,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    Ok(transaction!(connection, |transaction| {
        let letters = look_up(transaction, ids).await?;
        let mut sql = Sql::by_keys(transaction);
        sql.push("update dead_letters set discarded_at = ").bind(now);
        sql.push(" where discarded_at is null and id").any_of_uuids(ids);
        sql.run(transaction).await?;
        Ok(letters.iter().map(|letter| letter.id).collect())
    }))
}

async fn look_up(transaction: &impl ConnectionTrait, ids: &[Uuid]) -> Result<Vec<Model>> {
    let letters = load_dead_letters(transaction, ids).await?;
    none_of(ids.iter().enumerate().map(|(position, id)| {
        let there = letters.iter().any(|letter| letter.id == *id);
        let refusal = || Refusal::new(Code::NotFound, "There is no such dead letter.");
        (!there).then(|| refusal().at(&position.to_string()).within(&["ids"]))
    }))?;
    Ok(letters)
}

/// Deletes letters and jobs that are too old to be of use, and says how many rows went.
///
/// # Errors
/// The database's.
pub async fn forget_jobs(connection: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let mut sql = Sql::new(connection);
    sql.push("delete from dead_letters where failed_at < ").bind(now - KEPT);
    let letters = sql.run(connection).await?.rows_affected();
    let mut sql = Sql::new(connection);
    // One that is dead stays as long as its letter does.
    sql.push("delete from jobs where id in (select id from jobs j where j.finished_at < ")
        .bind(now - RESULTS_KEPT);
    sql.push(" and not exists (select 1 from dead_letters d where d.job_id = j.id) limit 500)");
    Ok(letters + sql.run(connection).await?.rows_affected())
}
