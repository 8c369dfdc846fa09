//! How long what is known of jobs is kept.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

use crate::db::Sql;
use crate::error::Result;

/// How long dead letters are kept.
const KEPT: TimeDelta = TimeDelta::days(90);
/// How long jobs are kept that have ended, with what came of them.
const RESULTS_KEPT: TimeDelta = TimeDelta::days(30);
/// Rows of a job's that are deleted in one statement.
const ROWS: u64 = 5_000;
/// Letters, or jobs, that are deleted in one statement: with each goes what other tables still have of it.
const JOBS: u64 = 500;

/// Deletes what was kept line by line, and item by item, of jobs that ended too long ago, a few thousand rows in a statement, and
/// says how many went. A job that is dead stays longer than its rows do.
///
/// # Errors
/// The database's.
pub async fn forget_job_rows(connection: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let mut gone = 0;
    const TABLES: [(&str, &str); 4] = [
        ("import_lines", "first_line"),
        ("rejected_rows", "line"),
        ("import_changes", "item_id"),
        ("import_made", "part"),
    ];
    for (table, key) in TABLES {
        let mut sql = Sql::new(connection);
        sql.push(&format!(
            "delete from {table} where (job_id, {key}) in (select r.job_id, r.{key} from jobs j "
        ));
        sql.push(&format!("join {table} r on r.job_id = j.id where j.finished_at < "));
        sql.bind(now - RESULTS_KEPT).push(&format!(" limit {ROWS})"));
        gone += sql.run_in_batches(connection, ROWS).await?;
    }
    Ok(gone)
}

/// Deletes letters and jobs that are too old to be of use, a few hundred in a statement, and says how many rows went; what is
/// theirs in other tables goes before ([`forget_job_rows`]), for all of it in one statement would take too long.
///
/// # Errors
/// The database's.
pub async fn forget_jobs(connection: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let mut sql = Sql::new(connection);
    sql.push("delete from dead_letters where id in (select id from dead_letters where failed_at < ");
    sql.bind(now - KEPT).push(&format!(" limit {JOBS})"));
    let letters = sql.run_in_batches(connection, JOBS).await?;
    let mut sql = Sql::new(connection);
    // One that is dead stays as long as its letter does, and of a schedule the last run, so that it is not queued anew.
    sql.push("delete from jobs where id in (select id from jobs j where j.finished_at < ")
        .bind(now - RESULTS_KEPT);
    sql.push(" and not exists (select 1 from dead_letters d where d.job_id = j.id)");
    sql.push(" and (j.schedule is null or j.scheduled_for < (select max(l.scheduled_for) from jobs l ");
    sql.push(&format!("where l.schedule = j.schedule)) limit {JOBS})"));
    Ok(letters + sql.run_in_batches(connection, JOBS).await?)
}
