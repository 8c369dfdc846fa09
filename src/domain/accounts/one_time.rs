//! Tokens that are sent by mail: each works once, for a time, and a new one takes the place of the old.

use chrono::{DateTime, Utc};
use entity::enums::TokenPurpose;
use entity::one_time_token::{ActiveModel, Column, Entity, Model};
use sea_orm::{ActiveEnum, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{OpaqueToken, TokenKind};
use crate::db::Sql;
use crate::error::{Code, Refusal, Result};
use crate::outside::Outside;

/// Makes a token for a user. Of those that verify an address only the newest holds; one for a new password does not take the
/// place of another, or anyone could make an owner's link useless by asking for one more.
///
/// # Errors
/// The database's.
pub async fn issue_one_time(
    connection: &impl ConnectionTrait,
    user: Uuid,
    purpose: TokenPurpose,
    email: Option<String>,
    expires_at: DateTime<Utc>,
    outside: &Outside,
) -> Result<OpaqueToken> {
    if purpose == TokenPurpose::VerifyEmail {
        forget_one_time(connection, user, Some(purpose)).await?;
    }
    let token = OpaqueToken::new(TokenKind::OneTime, outside);
    let row = Model { hash: token.digest(), user_id: user, purpose, email, expires_at };
    Entity::insert(ActiveModel::from(row)).exec_without_returning(connection).await?;
    Ok(token)
}

/// Takes a token, so that nobody can take it again.
///
/// # Errors
/// ERR-3002 for one that is unknown, was taken or is too old; the database's.
pub async fn take_one_time(
    connection: &impl ConnectionTrait,
    token: &str,
    purpose: TokenPurpose,
    now: DateTime<Utc>,
) -> Result<Model> {
    let token = OpaqueToken::parse(TokenKind::OneTime, token.trim()).ok_or_else(refused)?;
    // One statement finds it and takes it: of two that come at once, one finds it gone.
    let mut sql = Sql::new(connection);
    sql.push("delete from one_time_tokens where hash = ").bind(token.digest()).push(" and purpose = ");
    sql.bind(purpose.to_value()).push(" returning hash, user_id, purpose, email, expires_at");
    let row = sql.one::<Model>(connection).await?.ok_or_else(refused)?;
    if row.expires_at <= now {
        return Err(refused().into());
    }
    Ok(row)
}

/// Whose token this is, where it could be taken; it is not taken.
///
/// # Errors
/// ERR-3002 for one that could not; the database's.
pub async fn look_at_one_time(
    connection: &impl ConnectionTrait,
    token: &str,
    purpose: TokenPurpose,
    now: DateTime<Utc>,
) -> Result<Uuid> {
    let token = OpaqueToken::parse(TokenKind::OneTime, token.trim()).ok_or_else(refused)?;
    let row = Entity::find_by_id(token.digest()).one(connection).await?.ok_or_else(refused)?;
    if row.purpose != purpose || row.expires_at <= now {
        return Err(refused().into());
    }
    Ok(row.user_id)
}

fn refused() -> Refusal {
    Refusal::new(Code::InvalidValue, "This link is not valid any more. Ask for a new one.").at("token")
}

/// Makes a user's tokens useless: those of a purpose, or all.
///
/// # Errors
/// The database's.
pub async fn forget_one_time(
    connection: &impl ConnectionTrait,
    user: Uuid,
    purpose: Option<TokenPurpose>,
) -> Result<()> {
    let mut forgotten = Entity::delete_many().filter(Column::UserId.eq(user));
    if let Some(purpose) = purpose {
        forgotten = forgotten.filter(Column::Purpose.eq(purpose));
    }
    forgotten.exec(connection).await?;
    Ok(())
}
