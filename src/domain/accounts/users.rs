//! The accounts themselves.

use chrono::{DateTime, Utc};
use entity::api_token;
use entity::enums::Role;
use entity::user::{ActiveModel, Column, Entity, Model};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, SqlErr};
use uuid::Uuid;

use super::{Email, is_session_open};
use crate::db::{Exists, Sql};
use crate::error::{Code, Refusal, Result};

/// Characters of a name at most.
const NAME_CHARS: usize = 50;

/// An account to be.
#[derive(Debug)]
pub struct NewUser {
    pub id: Uuid,
    pub email: Email,
    /// Whether the address is known to be theirs.
    pub email_verified: bool,
    pub display_name: String,
    pub role: Role,
    pub password_hash: String,
    pub created_at: DateTime<Utc>,
}

/// A name as it is kept: no spaces around it, no control characters.
///
/// # Errors
/// ERR-3002, with its place.
pub fn display_name(text: &str) -> Result<String, Refusal> {
    let name = text.trim();
    let fits = (1..=NAME_CHARS).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits {
        return Ok(name.to_owned());
    }
    let message = format!("A name has 1 to {NAME_CHARS} characters, and no line breaks.");
    Err(Refusal::invalid_value(message).at("displayName"))
}

/// # Errors
/// ERR-2007 where the address has an account; the database's.
pub async fn create_user(connection: &impl ConnectionTrait, new: NewUser) -> Result<Model> {
    let user = Model {
        id: new.id,
        email: new.email.text,
        email_key: new.email.key,
        email_verified: new.email_verified,
        display_name: new.display_name,
        role: new.role,
        password_hash: new.password_hash,
        epoch: 0,
        discord_id: None,
        created_at: new.created_at,
    };
    let made = Entity::insert(ActiveModel::from(user.clone()))
        .on_conflict(OnConflict::column(Column::EmailKey).do_nothing().to_owned())
        .exec_without_returning(connection)
        .await?;
    if made == 0 { Err(email_unavailable().into()) } else { Ok(user) }
}

fn email_unavailable() -> Refusal {
    Refusal::new(Code::EmailUnavailable, "This address can't be registered.").at("email")
}

/// # Errors
/// The database's.
pub async fn find_user_by_email(connection: &impl ConnectionTrait, key: &str) -> Result<Option<Model>> {
    Ok(Entity::find().filter(Column::EmailKey.eq(key)).one(connection).await?)
}

/// # Errors
/// The database's.
pub async fn find_user(connection: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).one(connection).await?)
}

/// Of these users those that `viewer` may see: themselves, or all where `sees_all`.
///
/// # Errors
/// The database's.
pub async fn load_users(
    connection: &impl ConnectionTrait,
    ids: &[Uuid],
    viewer: Uuid,
    sees_all: bool,
) -> Result<Vec<Model>> {
    let mut sql = Sql::by_keys(connection);
    sql.push("select * from users where id").any_of_uuids(ids);
    if !sees_all {
        sql.push(" and id = ").bind(viewer);
    }
    Ok(sql.all(connection).await?)
}

/// # Errors
/// The database's.
pub async fn set_password_hash(connection: &impl ConnectionTrait, user: Uuid, hash: String) -> Result<()> {
    let update = Entity::update_many().col_expr(Column::PasswordHash, Expr::value(hash));
    update.filter(Column::Id.eq(user)).exec(connection).await?;
    Ok(())
}

/// Sets a user's password hash, or the same again, as long as the one that was compared, and the epoch, are still the
/// user's: what was looked at before a hash was computed may have changed meanwhile. Answers whether they are. Until the
/// transaction ends nobody else changes either.
///
/// # Errors
/// The database's.
pub async fn confirm_password_hash(
    connection: &impl ConnectionTrait,
    seen: &Model,
    hash: Option<String>,
) -> Result<bool> {
    let update = Entity::update_many()
        .col_expr(Column::PasswordHash, Expr::value(hash.unwrap_or_else(|| seen.password_hash.clone())))
        .filter(Column::Id.eq(seen.id))
        .filter(Column::PasswordHash.eq(&seen.password_hash))
        .filter(Column::Epoch.eq(seen.epoch));
    Ok(update.exec(connection).await?.rows_affected > 0)
}

/// What speaks for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    Session(Uuid),
    ApiToken(Uuid),
}

/// Locks the account's row until the transaction ends, and confirms that what speaks for its user still does: a new password
/// may have ended it since it was looked at. What the transaction makes after this, a new password takes away or comes before.
///
/// # Errors
/// ERR-2003 where it has ended; the database's.
pub async fn confirm_speaker(
    connection: &impl ConnectionTrait,
    user: Uuid,
    speaker: Speaker,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut sql = Sql::new(connection);
    sql.push("select 1 as n from users where id = ").bind(user).either(" for no key update", "");
    let is_there = sql.one::<Exists>(connection).await?.is_some();
    let speaks = is_there
        && match speaker {
            Speaker::Session(session) => is_session_open(connection, user, session, now).await?,
            Speaker::ApiToken(token) => api_token::Entity::find_by_id(token).one(connection).await?.is_some(),
        };
    if speaks {
        Ok(())
    } else {
        Err(Refusal::new(Code::TokenRevoked, "This session has ended. Sign in again.").into())
    }
}

/// # Errors
/// The database's.
pub async fn set_display_name(connection: &impl ConnectionTrait, user: Uuid, name: String) -> Result<()> {
    let update = Entity::update_many().col_expr(Column::DisplayName, Expr::value(name));
    update.filter(Column::Id.eq(user)).exec(connection).await?;
    Ok(())
}

/// Makes this the user's address, which they have shown to be theirs.
///
/// # Errors
/// ERR-2007 where it is another's by now; the database's.
pub async fn set_verified_email(connection: &impl ConnectionTrait, user: Uuid, email: &Email) -> Result<()> {
    let taken = Entity::find()
        .filter(Column::EmailKey.eq(&email.key))
        .filter(Column::Id.ne(user))
        .one(connection)
        .await?;
    if taken.is_some() {
        return Err(email_unavailable().into());
    }
    let update = Entity::update_many()
        .col_expr(Column::Email, Expr::value(&email.text))
        .col_expr(Column::EmailKey, Expr::value(&email.key))
        .col_expr(Column::EmailVerified, Expr::value(true))
        .filter(Column::Id.eq(user));
    match update.exec(connection).await {
        Ok(_) => Ok(()),
        // Somebody took it between the two statements.
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            Err(email_unavailable().into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Deletes the account with all that belongs to it, which the tables' own rules do.
///
/// # Errors
/// The database's.
pub async fn delete_user(connection: &impl ConnectionTrait, user: Uuid) -> Result<bool> {
    Ok(Entity::delete_by_id(user).exec(connection).await?.rows_affected > 0)
}
