//! What is too old to be of use goes.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

use crate::db::Sql;
use crate::domain::collection::put_back_since;
use crate::domain::idempotency;
use crate::error::Result;

/// How long a session that has expired is kept, so that its tokens are told from ones that never were.
const KEPT: TimeDelta = TimeDelta::days(7);
/// Rows that go in one statement: what waits for it, waits shortly.
const ROWS: u64 = 500;

/// Deletes expired sessions with their tokens, codes that hold no more, doubts that are over and answers that nobody asks for again; says how many
/// rows of these tables went. What can't be deleted keeps nothing else from it.
///
/// # Errors
/// The first of the database's.
pub async fn forget_expired(connection: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let mut gone = 0;
    let mut failed = None;
    for (table, key, moment, before) in [
        ("sessions", "id", "expires_at", now - KEPT),
        ("one_time_tokens", "hash", "expires_at", now),
        ("unheard_revocations", "id", "doubted_until", now),
        ("discord_link_codes", "hash", "expires_at", now),
        ("idempotent_answers", "(caller, idempotency_key)", "started_at", now - idempotency::KEPT),
        ("removed_inventory_items", "id", "removed_at", put_back_since(now)),
    ] {
        match forget(connection, table, key, moment, before).await {
            Ok(rows) => gone += rows,
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(gone), Err)
}

async fn forget(
    connection: &impl ConnectionTrait,
    table: &str,
    key: &str,
    moment: &str,
    before: DateTime<Utc>,
) -> Result<u64> {
    let mut sql = Sql::new(connection);
    let columns = key.trim_matches(['(', ')']);
    sql.push(&format!("delete from {table} where {key} in (select {columns} from {table} where {moment} < "));
    sql.bind(before).push(&format!(" limit {ROWS})"));
    Ok(sql.run_in_batches(connection, ROWS).await?)
}
