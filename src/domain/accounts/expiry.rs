//! What is too old to be of use goes.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{discord_link_code, idempotent_answer, one_time_token, session};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::domain::idempotency;
use crate::error::Result;

/// How long a session that ended or expired is kept, so that its tokens are told from ones that never were.
const KEPT: TimeDelta = TimeDelta::days(7);

/// Deletes old sessions with their tokens, codes that hold no more and answers that nobody asks for again; says how many
/// rows of these tables went.
///
/// # Errors
/// The database's; what is deleted by then stays so.
pub async fn forget_expired(connection: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let sessions = session::Entity::delete_many().filter(session::Column::ExpiresAt.lt(now - KEPT));
    let mails = one_time_token::Entity::delete_many().filter(one_time_token::Column::ExpiresAt.lt(now));
    let codes = discord_link_code::Entity::delete_many().filter(discord_link_code::Column::ExpiresAt.lt(now));
    let answers = idempotent_answer::Entity::delete_many()
        .filter(idempotent_answer::Column::StartedAt.lt(now - idempotency::KEPT));
    Ok(sessions.exec(connection).await?.rows_affected
        + mails.exec(connection).await?.rows_affected
        + codes.exec(connection).await?.rows_affected
        + answers.exec(connection).await?.rows_affected)
}
