//! Jobs that the clock queues: one for each moment of a schedule, over all servers.

use chrono::{DateTime, Utc};
use entity::enums::JobStatus;
use entity::job::{Column, Entity, Model};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveEnum, ConnectionTrait, EntityTrait, IntoActiveModel};

use super::queue::NewJob;
use crate::db::{Connection, Exists, Sql, transaction};
use crate::error::Result;

/// What became of a moment of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    Queued,
    /// The run before it had not ended. This is kept as a job that was cancelled, and says so.
    Skipped,
    /// It was queued already, by this server or by another.
    Known,
}

/// Queues the run of a schedule for one of its moments, unless that has one.
///
/// # Errors
/// The database's.
pub async fn queue_run(
    connection: &Connection,
    schedule: &str,
    moment: DateTime<Utc>,
    new: &NewJob,
    now: DateTime<Utc>,
) -> Result<Run> {
    Ok(transaction!(connection, |transaction| {
        let is_under_way = is_under_way(transaction, schedule).await?;
        let waiting = new.clone().waiting(now);
        let row = Model { schedule: Some(schedule.to_owned()), scheduled_for: Some(moment), ..waiting };
        let row = if is_under_way { skipped(row, now) } else { row };
        let of_moment = OnConflict::columns([Column::Schedule, Column::ScheduledFor])
            .target_and_where(Expr::cust("schedule is not null"))
            .do_nothing()
            .to_owned();
        let inserted = Entity::insert(row.into_active_model())
            .on_conflict(of_moment)
            .exec_without_returning(transaction)
            .await?;
        Ok(match (inserted, is_under_way) {
            (0, _) => Run::Known,
            (_, true) => Run::Skipped,
            (_, false) => Run::Queued,
        })
    }))
}

async fn is_under_way(transaction: &impl ConnectionTrait, schedule: &str) -> Result<bool> {
    let mut sql = Sql::new(transaction);
    sql.push("select 1 as n from jobs where schedule = ").bind(schedule);
    sql.push(&format!(
        " and status in ({}, {}) limit 1",
        JobStatus::Queued.to_value(),
        JobStatus::Running.to_value()
    ));
    Ok(sql.one::<Exists>(transaction).await?.is_some())
}

fn skipped(row: Model, now: DateTime<Utc>) -> Model {
    Model {
        status: JobStatus::Cancelled,
        cancelled: true,
        error: Some("It was skipped: the run before it had not ended.".to_owned()),
        finished_at: Some(now),
        ..row
    }
}
