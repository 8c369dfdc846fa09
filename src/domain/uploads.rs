//! Files that users have sent: what is known of them. Their content is in the store of files, under their id.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use entity::job;
use entity::upload::{Entity, Model};
use sea_orm::{ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel};
use uuid::Uuid;

use crate::db::{Exists, Sql};
use crate::domain::collection::REPORTS;
use crate::error::{Code, Refusal, Result};

/// How long a file is kept.
const KEPT: TimeDelta = TimeDelta::days(7);
/// How long a file that was deleted is known at least: who asks for it once more is told that it is done.
const KNOWN: TimeDelta = TimeDelta::days(1);
/// Files of which the rows are changed, or deleted, in one statement.
const ROWS: u64 = 500;

/// The folder of the store in which uploads are.
pub const FOLDER: &str = "uploads";

/// The name of a file's content in the store.
pub fn stored_name(id: Uuid) -> String {
    format!("{FOLDER}/{id}")
}

/// Begins to take a file of the user's in: those of one user come one after the other, so that the same file twice at once is one
/// job. The lock is one that nothing else takes, for an import of theirs may be at its end; on SQLite the transaction itself is
/// alone.
///
/// # Errors
/// ERR-2003 where the account is gone; the database's.
pub async fn begin_upload(transaction: &impl ConnectionTrait, user: Uuid) -> Result<()> {
    let mut sql = Sql::new(transaction);
    if sql.is_postgres() {
        sql.push("select pg_advisory_xact_lock(hashtextextended(").bind(format!("imports of {user}"));
        sql.push(", 0))").run(transaction).await?;
    }
    let mut sql = Sql::new(transaction);
    sql.push("select 1 as n from users where id = ").bind(user);
    if sql.one::<Exists>(transaction).await?.is_none() {
        return Err(Refusal::new(Code::TokenRevoked, "This account is gone.").into());
    }
    Ok(())
}

/// The user's jobs under way that are about a file with this content, the oldest first, 50 at most. One that is being stopped is
/// none of them: what it was to do will not be done.
///
/// # Errors
/// The database's.
pub async fn jobs_of_content(
    transaction: &impl ConnectionTrait,
    user: Uuid,
    sha256: &[u8],
) -> Result<Vec<job::Model>> {
    let mut sql = Sql::new(transaction);
    sql.push("select j.* from jobs j join uploads u on u.id = j.upload_id where j.user_id = ").bind(user);
    sql.push(" and j.status in (0, 1) and not j.cancelled and u.sha256 = ").bind(sha256.to_vec());
    sql.push(" order by j.created_at limit 50");
    Ok(sql.all(transaction).await?)
}

/// # Errors
/// The database's.
pub async fn create_upload(transaction: &impl ConnectionTrait, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model()).exec_without_returning(transaction).await?;
    Ok(())
}

/// Of these files those that are the user's.
///
/// # Errors
/// The database's.
pub async fn load_uploads(connection: &impl ConnectionTrait, user: Uuid, ids: &[Uuid]) -> Result<Vec<Model>> {
    let mut sql = Sql::by_keys(connection);
    sql.push("select * from uploads where user_id = ").bind(user).push(" and id").any_of_uuids(ids);
    Ok(sql.all(connection).await?)
}

/// Marks a file as deleted, and deletes the lines that were kept of it. A job that still needs it is to be stopped first.
///
/// # Errors
/// ERR-3001 where the user has no such file; ERR-3004 where a job still reads it.
pub async fn delete_upload(
    transaction: &impl ConnectionTrait,
    user: Uuid,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    #[derive(FromQueryResult)]
    struct Used {
        used: i64,
    }
    if load_uploads(transaction, user, &[id]).await?.is_empty() {
        return Err(Refusal::new(Code::NotFound, "You have no such file.").at("id").into());
    }
    let mut sql = Sql::new(transaction);
    sql.push("select count(*) as used from jobs where status in (0, 1) and upload_id = ").bind(id);
    if sql.one::<Used>(transaction).await?.is_some_and(|row| row.used > 0) {
        let message = "A job still reads this file: cancel the job first.";
        return Err(Refusal::new(Code::Conflict, message).at("id").into());
    }
    let mut sql = Sql::new(transaction);
    sql.push("update uploads set deleted_at = coalesce(deleted_at, ")
        .bind(now)
        .push(") where id = ")
        .bind(id);
    sql.run(transaction).await?;
    for table in REPORTS {
        let mut sql = Sql::new(transaction);
        sql.push(&format!("delete from {table} where job_id in (select id from jobs where upload_id = "));
        sql.bind(id).push(")").run(transaction).await?;
    }
    Ok(())
}

/// Marks the files that are too old, and that no job reads, as deleted, 500 at most, and answers which.
///
/// # Errors
/// The database's.
pub async fn expire_uploads(connection: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<Uuid>> {
    #[derive(FromQueryResult)]
    struct Gone {
        id: Uuid,
    }
    let mut sql = Sql::new(connection);
    sql.push("update uploads set deleted_at = ").bind(now);
    sql.push(" where id in (select u.id from uploads u where u.deleted_at is null and u.uploaded_at < ")
        .bind(now - KEPT);
    sql.push(" and not exists (select 1 from jobs j where j.upload_id = u.id and j.status in (0, 1))");
    sql.push(&format!(" limit {ROWS}) returning id"));
    Ok(sql.all::<Gone>(connection).await?.into_iter().map(|row| row.id).collect())
}

/// Deletes what is known of files that were deleted and that no job is about any more, 500 in a statement, and says how many.
///
/// # Errors
/// The database's.
pub async fn forget_uploads(connection: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let mut sql = Sql::new(connection);
    sql.push("delete from uploads where id in (select u.id from uploads u where u.deleted_at < ")
        .bind(now - KNOWN);
    sql.push(&format!(" and not exists (select 1 from jobs j where j.upload_id = u.id) limit {ROWS})"));
    Ok(sql.run_in_batches(connection, ROWS).await?)
}

/// Of these names of the store those that no file has, or only one that was deleted. All are asked for at once: a few hundred.
///
/// # Errors
/// The database's.
pub async fn strays(connection: &impl ConnectionTrait, names: &[String]) -> Result<Vec<String>> {
    #[derive(FromQueryResult)]
    struct Known {
        id: Uuid,
    }
    let ids: Vec<Uuid> = names.iter().filter_map(|name| name.parse().ok()).collect();
    let known: HashSet<String> = if ids.is_empty() {
        HashSet::new()
    } else {
        let mut sql = Sql::by_keys(connection);
        sql.push("select id from uploads where deleted_at is null and id").any_of_uuids(&ids);
        // As texts, for an id that is written another way names no file of ours.
        sql.all::<Known>(connection).await?.into_iter().map(|row| row.id.to_string()).collect()
    };
    Ok(names.iter().filter(|name| !known.contains(*name)).cloned().collect())
}
