//! What a worker does with a job: claim it, say that it is still at it, end it.

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::JobStatus;
use entity::job::Model;
use sea_orm::{ActiveEnum, ConnectionTrait, FromQueryResult, SqlErr};
use uuid::Uuid;

use super::dead::bury;
use super::kind;
use crate::db::{Connection, Exists, Sql, transaction};
use crate::error::{Code, Error, Result};
use crate::outside::Outside;

/// How long a claim holds without being renewed: a job whose worker has died is taken up by another after that.
pub const LEASE: TimeDelta = TimeDelta::seconds(30);
/// Attempts of a job at most.
pub const MOST_ATTEMPTS: i32 = 5;
/// The wait before the second attempt; it doubles, and each is drawn from half of it to all of it.
const BACKOFF: TimeDelta = TimeDelta::seconds(2);
/// The longest wait.
const LONGEST: TimeDelta = TimeDelta::minutes(10);
/// The longest wait while something is away.
const LONGEST_IN_OUTAGE: TimeDelta = TimeDelta::minutes(1);
/// How long a job is tried without counting while something that it needs is away.
const OUTAGE: TimeDelta = TimeDelta::days(1);

/// The priority of jobs that are done in a moment; larger numbers come later.
pub const QUICK: i16 = 0;

/// Attempts from which on an orphan is suspected to end its worker. What is beside it goes with it each time, and waits for a lease
/// to run out; one that was twice there by chance is done alone once.
const SUSPECT: i32 = 2;

/// What a worker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Only what is done in a moment, and no suspect.
    Quick,
    /// All but suspects.
    Any,
    /// Only a job that was under way several times when its worker ended: to be done with nothing beside it, so that it takes
    /// no other job with it, and so that one that was only beside it is done.
    Suspect,
}

/// A job that this worker holds.
#[derive(Debug, Clone)]
pub struct Claim {
    pub job: Model,
    pub worker: Uuid,
}

/// Takes the job that is to be done next: one whose worker has not been heard of, or one that waits. The attempt counts from
/// now, so that a job that ends its worker each time is dead after so many.
///
/// # Errors
/// The database's.
pub async fn claim_job(
    connection: &Connection,
    worker: Uuid,
    which: Which,
    outside: &Outside,
) -> Result<Option<Claim>> {
    let now = outside.now();
    let (known, alone) = (kind::known(), kind::alone());
    // An orphan has waited already, and would wait for ever behind a queue that never empties.
    let innocent = format!("w.status = 1 and w.attempts < {SUSPECT} and w.lease_until < ");
    let suspect = format!("w.status = 1 and w.attempts >= {SUSPECT} and w.lease_until < ");
    let waiting = "w.status = 0 and w.run_at <= ";
    let (orphaned, waiting) = match which {
        Which::Suspect => (suspect, None),
        Which::Quick | Which::Any => (innocent, Some((waiting, "w.priority, w.run_at, w.id"))),
    };
    for (state, order) in std::iter::once((orphaned.as_str(), "w.lease_until")).chain(waiting) {
        let mut sql = Sql::new(connection);
        sql.push("update jobs set status = 1, attempts = attempts + 1, lease_until = ").bind(now + LEASE);
        sql.push(", lease_by = ").bind(worker).push(", updated_at = ").bind(now);
        sql.push(", started_at = coalesce(started_at, ").bind(now);
        sql.push(&format!("), alone = kind in ({alone}) where id = (select w.id from jobs w where "));
        sql.push(state).bind(now).push(&format!(" and w.kind in ({known})"));
        if which == Which::Quick {
            sql.push(&format!(" and w.priority <= {QUICK}"));
        }
        sql.push(&format!(" and (w.status = 1 or w.kind not in ({alone}) or not exists "));
        sql.push("(select 1 from jobs r where r.status = 1 and r.kind = w.kind))");
        sql.push(&format!(" order by {order} limit 1")).either(" for update of w skip locked", "");
        sql.push(") returning *");
        let job = match sql.one::<Model>(connection).await {
            // Another worker was faster with one of a kind that runs alone.
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => None,
            claimed => claimed?,
        };
        let Some(job) = job else { continue };
        let claim = Claim { job, worker };
        if claim.job.cancelled {
            // Its worker ended before it looked, and nobody wants the job any more.
            give_back(connection, &claim, now).await?;
            continue;
        }
        if claim.job.attempts > MOST_ATTEMPTS {
            // The last one was only to see that there will be no more.
            let error = Error::internal("its worker ended each time that it was begun");
            fail_job(connection, &claim, &error, false, outside).await?;
            continue;
        }
        return Ok(Some(claim));
    }
    Ok(None)
}

/// Whether there is a job for [`Which::Suspect`].
///
/// # Errors
/// The database's.
pub async fn has_suspect(connection: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<bool> {
    let mut sql = Sql::new(connection);
    sql.push(&format!("select 1 as n from jobs where status = 1 and attempts >= {SUSPECT}"));
    sql.push(&format!(" and kind in ({}) and lease_until < ", kind::known())).bind(now).push(" limit 1");
    Ok(sql.one::<Exists>(connection).await?.is_some())
}

/// ` where` the job is still this claim's: it has not ended, and nobody has claimed it since.
fn push_held(sql: &mut Sql, Claim { job, worker }: &Claim) {
    sql.push(" where id = ").bind(job.id).push(" and status = 1 and lease_by = ").bind(*worker);
    sql.push(" and attempts = ").bind(job.attempts);
}

/// Whether a worker may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Held,
    /// Its owner does not want it any more.
    Cancelled,
    /// Another worker has it, or it is gone.
    Lost,
}

/// Renews the lease, and answers whether the worker may go on.
///
/// # Errors
/// The database's.
pub async fn stand(connection: &impl ConnectionTrait, claim: &Claim, now: DateTime<Utc>) -> Result<Standing> {
    #[derive(FromQueryResult)]
    struct Row {
        cancelled: bool,
    }
    let mut sql = Sql::new(connection);
    sql.push("update jobs set lease_until = ").bind(now + LEASE);
    push_held(&mut sql, claim);
    sql.push(" returning cancelled");
    Ok(match sql.one::<Row>(connection).await? {
        None => Standing::Lost,
        Some(Row { cancelled: true }) => Standing::Cancelled,
        Some(_) => Standing::Held,
    })
}

/// How far a job is, for those who watch.
///
/// # Errors
/// The database's.
pub async fn note_progress(
    connection: &impl ConnectionTrait,
    claim: &Claim,
    processed: i64,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut sql = Sql::new(connection);
    sql.push("update jobs set processed = ").bind(processed).push(", updated_at = ").bind(now);
    push_held(&mut sql, claim);
    sql.run(connection).await?;
    Ok(())
}

/// Ends a job in the transaction of what it did, and answers whether it was still this worker's: where it was not, nothing
/// of it may be committed.
///
/// # Errors
/// The database's.
pub async fn finish_job(
    transaction: &impl ConnectionTrait,
    claim: &Claim,
    processed: i64,
    result: &serde_json::Value,
    now: DateTime<Utc>,
) -> Result<bool> {
    let mut sql = Sql::new(transaction);
    sql.push("update jobs set status = ").bind(JobStatus::Completed.to_value());
    sql.push(", result = ").bind(result.clone()).push(", processed = ").bind(processed);
    sql.push(", lease_until = null, lease_by = null, updated_at = ")
        .bind(now)
        .push(", finished_at = ")
        .bind(now);
    push_held(&mut sql, claim);
    sql.push(" and not cancelled");
    Ok(sql.run(transaction).await?.rows_affected() == 1)
}

/// Changes what came of a job that has ended, and answers whether it was still what it was.
///
/// # Errors
/// The database's.
pub async fn replace_result(
    transaction: &impl ConnectionTrait,
    job: &Model,
    result: &serde_json::Value,
    now: DateTime<Utc>,
) -> Result<bool> {
    let mut sql = Sql::new(transaction);
    sql.push("update jobs set result = ").bind(result.clone()).push(", updated_at = ").bind(now);
    sql.push(" where id = ").bind(job.id).push(" and updated_at = ").bind(job.updated_at);
    Ok(sql.run(transaction).await?.rows_affected() == 1)
}

/// `status` and `finished_at` of a job that goes back to those that wait; one that was cancelled meanwhile ends.
fn push_waits_again(sql: &mut Sql, now: DateTime<Utc>) {
    sql.push("status = case when cancelled then 4 else 0 end, finished_at = case when cancelled then ");
    sql.either("cast(", "").bind(now).either(" as timestamptz)", "").push(" end");
    sql.push(", lease_until = null, lease_by = null, updated_at = ").bind(now);
}

/// Gives a job back, as if it had not been claimed: the server stops. One that was cancelled ends.
///
/// # Errors
/// The database's.
pub async fn give_back(connection: &impl ConnectionTrait, claim: &Claim, now: DateTime<Utc>) -> Result<()> {
    let mut sql = Sql::new(connection);
    sql.push("update jobs set attempts = attempts - 1, ");
    push_waits_again(&mut sql, now);
    push_held(&mut sql, claim);
    sql.run(connection).await?;
    Ok(())
}

/// Ends an attempt that failed: the job waits for the next one, or is dead, where it has had its attempts or `may_retry` says
/// that another would come to the same. Where something that it needs was away or busy (ERR-5003), the attempt does not count: an
/// outage is nothing that the job did. That is so for a day from its first attempt.
///
/// # Errors
/// The database's.
pub async fn fail_job(
    connection: &Connection,
    claim: &Claim,
    error: &Error,
    may_retry: bool,
    outside: &Outside,
) -> Result<()> {
    #[derive(FromQueryResult)]
    struct Ended {
        cancelled: bool,
    }
    let now = outside.now();
    let job = &claim.job;
    let refusal = error.refusal();
    let tried_for = now - job.started_at.unwrap_or(now);
    let was_away = refusal.code == Code::Overloaded && tried_for < OUTAGE;
    if may_retry && (was_away || job.attempts < MOST_ATTEMPTS) {
        let wait =
            if was_away { wait_in_outage(tried_for, outside) } else { wait_after(job.attempts, outside) };
        let mut sql = Sql::new(connection);
        sql.push("update jobs set run_at = ").bind(now + wait).push(", ");
        sql.push(if was_away { "attempts = attempts - 1, " } else { "" });
        push_waits_again(&mut sql, now);
        push_held(&mut sql, claim);
        sql.run(connection).await?;
        return Ok(());
    }
    let code = refusal.code;
    let is_dead = transaction!(connection, |transaction| {
        let mut sql = Sql::new(transaction);
        // One that was cancelled meanwhile is what its owner wanted it to be.
        let unless_cancelled = "case when cancelled then null else ";
        sql.push("update jobs set status = case when cancelled then 4 else 3 end, lease_until = null, lease_by = null");
        sql.push(", error_code = ").push(unless_cancelled).bind(code.number()).push(" end");
        sql.push(", error = ").push(unless_cancelled).bind(refusal.message.to_string()).push(" end");
        sql.push(", updated_at = ").bind(now).push(", finished_at = ").bind(now);
        sql.push(", attempts = ").bind(job.attempts.min(MOST_ATTEMPTS));
        push_held(&mut sql, claim);
        sql.push(" returning cancelled");
        let ended = sql.one::<Ended>(transaction).await?.is_some_and(|row| !row.cancelled);
        if ended {
            bury(transaction, job, code, &error.log_text(), outside.uuid(), now).await?;
        }
        Ok(ended)
    });
    if is_dead {
        metrics::counter!("dualcaster_dead_jobs_total").increment(1);
    }
    Ok(())
}

/// How long a job waits after so many attempts.
fn wait_after(attempts: i32, outside: &Outside) -> TimeDelta {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(10);
    drawn((BACKOFF * 2_i32.pow(doublings)).min(LONGEST), outside)
}

/// How long a job waits that something was away for, after so long a time: about as long again, up to a minute.
fn wait_in_outage(tried_for: TimeDelta, outside: &Outside) -> TimeDelta {
    drawn(tried_for.clamp(BACKOFF, LONGEST_IN_OUTAGE), outside)
}

/// Half of a time to all of it.
fn drawn(most: TimeDelta, outside: &Outside) -> TimeDelta {
    let most = most.num_milliseconds();
    let drawn = i64::from(u16::from_be_bytes(outside.bytes()));
    TimeDelta::milliseconds(most / 2 + most / 2 * drawn / i64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_an_outage_the_waits_grow_with_it_up_to_a_minute() {
        let outside = Outside::system();
        for (seconds, most) in [(-5, 2_000), (0, 2_000), (7, 7_000), (60, 60_000), (80_000, 60_000)] {
            let wait = wait_in_outage(TimeDelta::seconds(seconds), &outside).num_milliseconds();
            assert!((most / 2..=most).contains(&wait), "{wait} after {seconds} s");
        }
    }

    #[test]
    fn waits_double_up_to_a_bound_and_are_never_shorter_than_half() {
        let outside = Outside::system();
        for (attempts, most) in [(1, 2_000), (2, 4_000), (3, 8_000), (4, 16_000), (20, 600_000)] {
            for _ in 0..50 {
                let wait = wait_after(attempts, &outside).num_milliseconds();
                assert!((most / 2..=most).contains(&wait), "{wait} after {attempts}");
            }
        }
    }
}
