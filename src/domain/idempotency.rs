//! Answers to mutations that their callers may send again: each is executed once and answered alike each time.

use chrono::{DateTime, TimeDelta, Utc};
use entity::idempotent_answer::{ActiveModel, Column, Entity, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryTrait};

use crate::db::with_each_transaction;
use crate::error::Result;

/// How long an answer is given again.
pub const KEPT: TimeDelta = TimeDelta::hours(24);
/// How long a request without an answer is taken to be under way: longer than any lasts.
const UNDER_WAY: TimeDelta = TimeDelta::minutes(2);

/// Whose request it is, and which.
#[derive(Debug, Clone)]
pub struct RequestKey {
    /// Who asks, as limits count them.
    pub caller: String,
    /// The key that they gave it.
    pub key: String,
    /// A digest of all that they ask.
    pub request: Vec<u8>,
}

/// What is known of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it is the caller's to execute, and then to be finished or released.
    New,
    /// It was executed, with this answer.
    Answered(Vec<u8>),
    /// It is being executed.
    UnderWay,
    /// It was executed, wholly or in part, and its server ended before the answer was kept.
    AnswerLost,
    /// The key is another request's.
    Other,
}

/// Looks a request up and claims it where it is new.
///
/// # Errors
/// The database's.
pub async fn claim_request(
    connection: &impl ConnectionTrait,
    key: &RequestKey,
    now: DateTime<Utc>,
) -> Result<Known> {
    let row = ActiveModel {
        caller: Set(key.caller.clone()),
        idempotency_key: Set(key.key.clone()),
        request: Set(key.request.clone()),
        started_at: Set(now),
        answer: Set(None),
        effective: Set(None),
    };
    let made = Entity::insert(row)
        .on_conflict(OnConflict::columns([Column::Caller, Column::IdempotencyKey]).do_nothing().to_owned())
        .exec_without_returning(connection)
        .await?;
    if made > 0 {
        return Ok(Known::New);
    }
    let found = Entity::find_by_id((key.caller.clone(), key.key.clone())).one(connection).await?;
    Ok(match found {
        // Released since.
        None => Known::UnderWay,
        Some(row) if is_over(&row, now) => {
            // Of two that come to take it over, the first does.
            let taken = Entity::update_many()
                .col_expr(Column::StartedAt, Expr::value(now))
                .col_expr(Column::Request, Expr::value(key.request.clone()))
                .col_expr(Column::Answer, Expr::value(None::<Vec<u8>>))
                .col_expr(Column::Effective, Expr::value(None::<bool>))
                .filter(of_key(key))
                .filter(Column::StartedAt.eq(row.started_at))
                .exec(connection)
                .await?;
            if taken.rows_affected > 0 { Known::New } else { Known::UnderWay }
        }
        Some(row) if row.request != key.request => Known::Other,
        Some(Model { answer: Some(answer), .. }) => Known::Answered(answer),
        Some(row) if now - row.started_at >= UNDER_WAY => Known::AnswerLost,
        Some(_) => Known::UnderWay,
    })
}

/// Whether the key is free again: it is too old, or its request was never executed.
fn is_over(row: &Model, now: DateTime<Utc>) -> bool {
    let age = now - row.started_at;
    let has_come_to_something = row.answer.is_some() || row.effective == Some(true);
    age >= KEPT || (!has_come_to_something && age >= UNDER_WAY)
}

fn of_key(key: &RequestKey) -> SimpleExpr {
    Column::Caller.eq(&key.caller).and(Column::IdempotencyKey.eq(&key.key))
}

/// The claim itself, as long as no other request has taken the key over.
fn this(key: &RequestKey) -> SimpleExpr {
    of_key(key).and(Column::Request.eq(key.request.clone()))
}

/// Executes a claimed request so that each of its transactions also says that it has changed something: a server that ends
/// between a commit and the keeping of the answer leaves a claim that is not executed again.
pub async fn noted<T>(key: &RequestKey, execution: impl Future<Output = T>) -> T {
    let note = Entity::update_many().col_expr(Column::Effective, Expr::value(Some(true))).filter(this(key));
    with_each_transaction(move |backend| note.clone().build(backend), execution).await
}

/// Keeps the answer to a claimed request.
///
/// # Errors
/// The database's.
pub async fn finish_request(
    connection: &impl ConnectionTrait,
    key: &RequestKey,
    answer: Vec<u8>,
) -> Result<()> {
    let kept = Entity::update_many().col_expr(Column::Answer, Expr::value(Some(answer)));
    kept.filter(this(key)).exec(connection).await?;
    Ok(())
}

/// Lets a claimed request go, which changed nothing: it may be sent again. One that did change something stays.
///
/// # Errors
/// The database's.
pub async fn release_request(connection: &impl ConnectionTrait, key: &RequestKey) -> Result<()> {
    let free = Column::Answer.is_null().and(Column::Effective.is_null());
    Entity::delete_many().filter(this(key)).filter(free).exec(connection).await?;
    Ok(())
}

/// Forgets all requests of a caller, who is gone.
///
/// # Errors
/// The database's.
pub async fn forget_requests_of(connection: &impl ConnectionTrait, caller: &str) -> Result<()> {
    Entity::delete_many().filter(Column::Caller.eq(caller)).exec(connection).await?;
    Ok(())
}

/// Lets a claimed request go whatever it changed: doing it again does no harm.
///
/// # Errors
/// The database's.
pub async fn forget_request(connection: &impl ConnectionTrait, key: &RequestKey) -> Result<()> {
    Entity::delete_many().filter(this(key)).exec(connection).await?;
    Ok(())
}
