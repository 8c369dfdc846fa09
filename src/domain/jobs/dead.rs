//! Jobs that failed for good: kept, so that somebody can look at them and try again.

use chrono::{DateTime, Utc};
use entity::dead_letter::{Entity, Model};
use entity::enums::JobKind;
use entity::job;
use sea_orm::{ActiveEnum, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel};
use uuid::Uuid;

use super::run::MOST_ATTEMPTS;
use crate::db::{
    Connection, Count, Direction, Keyset, Listed, Segment, SortColumn, Sql, fetch_page, transaction,
};
use crate::domain::collection::ids_at_once;
use crate::error::{Code, Refusal, Result, none_of};
use crate::pagination::{Key, KeyValue, ListId, Page, Slice};

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
        payload: without_cells(job.payload.clone()),
        error_code: code.number().to_owned(),
        error: error.chars().take(ERROR_CHARS).collect(),
        // One more only showed that there would be no more.
        attempts: job.attempts.min(MOST_ATTEMPTS),
        trace_id: job.trace_id.clone(),
        failed_at: now,
        retried_at: None,
        discarded_at: None,
    };
    Entity::insert(letter.into_active_model()).exec_without_returning(transaction).await?;
    Ok(())
}

/// A payload without what is a user's: a file without headings has cells in their place.
fn without_cells(mut payload: serde_json::Value) -> serde_json::Value {
    if let Some(fields) = payload.as_object_mut() {
        fields.remove("header");
        let columns = fields.get_mut("columns").and_then(serde_json::Value::as_array_mut);
        for column in columns.into_iter().flatten().filter_map(serde_json::Value::as_object_mut) {
            column.remove("column");
        }
    }
    payload
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

/// Queues the jobs of these letters again, all or none, and answers which letters were retried, now or before: asking twice does
/// it once. One that was discarded stays so, and is not among them.
///
/// # Errors
/// ERR-3001 for each that is not there, ERR-3004 for each whose file is gone by now; ERR-3002 for too many at once.
pub async fn retry_dead_letters(
    connection: &Connection,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    #[derive(FromQueryResult)]
    struct Reopened {
        job_id: Uuid,
    }
    none_of([ids_at_once(ids.len())])?;
    Ok(transaction!(connection, |transaction| {
        let letters = look_up(transaction, ids).await?;
        let lost = without_file(transaction, &letters).await?;
        refuse(ids, |id| {
            let is_lost = letters.iter().any(|letter| letter.id == id && lost.contains(&letter.job_id));
            is_lost.then(|| Refusal::new(Code::Conflict, "Its file is gone: nothing can be tried again."))
        })?;
        let mut sql = Sql::by_keys(transaction);
        sql.push("update dead_letters set retried_at = ").bind(now);
        sql.push(" where retried_at is null and discarded_at is null and id").any_of_uuids(ids);
        sql.push(" returning job_id");
        let reopened = sql.all::<Reopened>(transaction).await?;
        let jobs: Vec<Uuid> = reopened.into_iter().map(|row| row.job_id).collect();
        let mut sql = Sql::by_keys(transaction);
        sql.push(
            "update jobs set status = 0, attempts = 0, processed = 0, error = null, error_code = null, ",
        );
        sql.push("started_at = null, finished_at = null, cancelled = false, run_at = ").bind(now);
        sql.push(", updated_at = ").bind(now).push(" where status = 3 and id").any_of_uuids(&jobs);
        sql.run(transaction).await?;
        // As they are by now: another may have acted on one since it was looked up.
        let letters = load_dead_letters(transaction, ids).await?;
        Ok(letters.iter().filter(|letter| letter.retried_at.is_some()).map(|letter| letter.id).collect())
    }))
}

/// Of the jobs of these letters, that nobody has acted on, those that are about a file that is gone.
async fn without_file(transaction: &impl ConnectionTrait, letters: &[Model]) -> Result<Vec<Uuid>> {
    #[derive(FromQueryResult)]
    struct Lost {
        id: Uuid,
    }
    let open = letters.iter().filter(|letter| letter.retried_at.is_none() && letter.discarded_at.is_none());
    let jobs: Vec<Uuid> = open.map(|letter| letter.job_id).collect();
    let mut sql = Sql::by_keys(transaction);
    sql.push("select j.id from jobs j join uploads u on u.id = j.upload_id where u.deleted_at is not null");
    sql.push(" and j.id").any_of_uuids(&jobs);
    Ok(sql.all::<Lost>(transaction).await?.into_iter().map(|row| row.id).collect())
}

/// Puts letters away, all or none: nothing is done about them. That they were is kept with them.
///
/// # Errors
/// ERR-3001 for each that is not there; ERR-3002 for too many at once.
pub async fn discard_dead_letters(
    connection: &Connection,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    none_of([ids_at_once(ids.len())])?;
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
    refuse(ids, |id| {
        let is_there = letters.iter().any(|letter| letter.id == id);
        (!is_there).then(|| Refusal::new(Code::NotFound, "There is no such dead letter."))
    })?;
    Ok(letters)
}

/// What is wrong with some of these ids, each at its place.
fn refuse(ids: &[Uuid], wrong: impl Fn(Uuid) -> Option<Refusal>) -> Result<()> {
    none_of(
        ids.iter().enumerate().map(|(position, id)| {
            wrong(*id).map(|refusal| refusal.at(&position.to_string()).within(&["ids"]))
        }),
    )
}
