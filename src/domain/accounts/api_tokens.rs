//! Tokens that users make for their scripts.

use chrono::{DateTime, Utc};
use entity::api_token::{ActiveModel, Column, Entity, Model};
use entity::user;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{OpaqueToken, TokenKind};
use crate::db::Sql;
use crate::error::{Code, Error, Refusal, Result};
use crate::outside::Outside;

/// Tokens that a user has at most.
pub const MOST_API_TOKENS: u64 = 50;
/// Characters of a token's name at most.
const NAME_CHARS: usize = 100;

/// A token to be.
#[derive(Debug)]
pub struct NewApiToken {
    pub name: String,
    pub read_only: bool,
    pub expires_at: Option<DateTime<Utc>>,
}

/// To be called with the account's row locked: see [`confirm_speaker`](super::confirm_speaker).
///
/// # Errors
/// ERR-3002 for a name or an end that can't be; ERR-3004 where the user has too many; the database's.
pub async fn create_api_token(
    connection: &impl ConnectionTrait,
    user: Uuid,
    new: NewApiToken,
    outside: &Outside,
) -> Result<(Model, OpaqueToken)> {
    let now = outside.now();
    let name = new.name.trim().to_owned();
    let fits = (1..=NAME_CHARS).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    crate::error::none_of([
        (!fits)
            .then(|| Refusal::invalid_value(format!("A name has 1 to {NAME_CHARS} characters.")).at("name")),
        new.expires_at
            .is_some_and(|end| end <= now)
            .then(|| Refusal::invalid_value("This moment has passed.").at("expiresAt")),
    ])?;
    if Entity::find().filter(Column::UserId.eq(user)).count(connection).await? >= MOST_API_TOKENS {
        let message = format!("You have {MOST_API_TOKENS} tokens, which is the most: revoke one first.");
        return Err(Refusal::new(Code::Conflict, message).into());
    }
    let token = OpaqueToken::new(TokenKind::Personal, outside);
    let row = Model {
        id: outside.uuid(),
        user_id: user,
        hash: token.digest(),
        name,
        read_only: new.read_only,
        created_at: now,
        last_used_at: None,
        expires_at: new.expires_at,
    };
    Entity::insert(ActiveModel::from(row.clone())).exec_without_returning(connection).await?;
    Ok((row, token))
}

/// A user's tokens, the newest first.
///
/// # Errors
/// The database's.
pub async fn list_api_tokens(connection: &impl ConnectionTrait, user: Uuid) -> Result<Vec<Model>> {
    Ok(Entity::find()
        .filter(Column::UserId.eq(user))
        .order_by_desc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .limit(MOST_API_TOKENS)
        .all(connection)
        .await?)
}

/// Of these tokens those that are the user's.
///
/// # Errors
/// The database's.
pub async fn load_api_tokens(
    connection: &impl ConnectionTrait,
    user: Uuid,
    ids: &[Uuid],
) -> Result<Vec<Model>> {
    let mut sql = Sql::by_keys(connection);
    sql.push("select * from api_tokens where user_id = ").bind(user).push(" and id").any_of_uuids(ids);
    Ok(sql.all(connection).await?)
}

/// Whether a user's token still holds.
///
/// # Errors
/// The database's.
pub async fn is_api_token_active(
    connection: &impl ConnectionTrait,
    user: Uuid,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool> {
    let found = load_api_tokens(connection, user, &[id]).await?.pop();
    Ok(found.is_some_and(|row| row.expires_at.is_none_or(|end| end > now)))
}

/// # Errors
/// ERR-3001 where the user has no such token; the database's.
pub async fn revoke_api_token(connection: &impl ConnectionTrait, user: Uuid, id: Uuid) -> Result<()> {
    let gone = Entity::delete_many()
        .filter(Column::Id.eq(id))
        .filter(Column::UserId.eq(user))
        .exec(connection)
        .await?;
    if gone.rows_affected == 0 {
        return Err(Error::Refused(Refusal::new(Code::NotFound, "You have no such token.").at("id")));
    }
    Ok(())
}

/// Ends all of a user's tokens.
///
/// # Errors
/// The database's.
pub async fn revoke_api_tokens(connection: &impl ConnectionTrait, user: Uuid) -> Result<()> {
    Entity::delete_many().filter(Column::UserId.eq(user)).exec(connection).await?;
    Ok(())
}

/// How far apart two notes of a token's last use are at least.
const NOTED_EVERY: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

/// The token's row and its user, where it still holds.
///
/// # Errors
/// ERR-2002 where its time is over, ERR-2003 where there is none; the database's.
pub async fn use_api_token(
    connection: &impl ConnectionTrait,
    token: &OpaqueToken,
    now: DateTime<Utc>,
) -> Result<(Model, user::Model)> {
    let refused = || Refusal::new(Code::TokenRevoked, "This token does not hold.");
    let found = Entity::find().filter(Column::Hash.eq(token.digest())).one(connection).await?;
    let row = found.ok_or_else(refused)?;
    let user = user::Entity::find_by_id(row.user_id).one(connection).await?.ok_or_else(refused)?;
    if row.expires_at.is_some_and(|end| end <= now) {
        return Err(Refusal::new(Code::TokenExpired, "This token has expired.").into());
    }
    Ok((row, user))
}

/// Whether a use of a token is to be noted, by when the last one was.
pub fn is_use_noteworthy(last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    last.is_none_or(|last| now - last >= NOTED_EVERY)
}

/// # Errors
/// The database's.
pub async fn note_api_token_use(
    connection: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    let noted = Entity::update_many().col_expr(Column::LastUsedAt, Expr::value(now));
    noted.filter(Column::Id.eq(id)).exec(connection).await?;
    Ok(())
}
