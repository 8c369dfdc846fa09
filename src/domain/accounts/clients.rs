//! Programs with a token of their own, which are no user's: the Discord bot.

use chrono::{DateTime, Utc};
use entity::client::{ActiveModel, Column, Entity, Model};
use entity::enums::Role;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use uuid::Uuid;

use super::{OpaqueToken, TokenKind};
use crate::error::{Code, Refusal, Result};
use crate::outside::Outside;

/// Characters of a client's name at most.
const NAME_CHARS: usize = 100;

/// Makes a client and its token, which nobody can be shown again.
///
/// # Errors
/// ERR-3002 for a name that can't be, ERR-3004 for one that is taken; the database's.
pub async fn create_client(
    connection: &impl ConnectionTrait,
    name: &str,
    role: Role,
    points_per_second: Option<u32>,
    outside: &Outside,
) -> Result<(Model, OpaqueToken)> {
    let name = name.trim();
    if !(1..=NAME_CHARS).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(Refusal::invalid_value(format!("A name has 1 to {NAME_CHARS} characters.")).into());
    }
    let token = OpaqueToken::new(TokenKind::Client, outside);
    let row = Model {
        id: outside.uuid(),
        name: name.to_owned(),
        role,
        hash: token.digest(),
        points_per_second: points_per_second.map(Into::into),
        created_at: outside.now(),
        last_used_at: None,
        revoked_at: None,
    };
    let made = Entity::insert(ActiveModel::from(row.clone()))
        .on_conflict(OnConflict::column(Column::Name).do_nothing().to_owned())
        .exec_without_returning(connection)
        .await?;
    if made == 0 {
        return Err(Refusal::new(Code::Conflict, format!("There is a client {name} already.")).into());
    }
    Ok((row, token))
}

/// Whether a client's token still holds.
///
/// # Errors
/// The database's.
pub async fn is_client_active(connection: &impl ConnectionTrait, id: Uuid) -> Result<bool> {
    let found = Entity::find_by_id(id).filter(Column::RevokedAt.is_null()).one(connection).await?;
    Ok(found.is_some())
}

/// All clients, the revoked ones too, by name.
///
/// # Errors
/// The database's.
pub async fn list_clients(connection: &impl ConnectionTrait) -> Result<Vec<Model>> {
    Ok(Entity::find().order_by_asc(Column::Name).all(connection).await?)
}

/// Ends a client's token for good, and answers whether there was one to end.
///
/// # Errors
/// The database's.
pub async fn revoke_client(
    connection: &impl ConnectionTrait,
    name: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let revoked = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(Column::Name.eq(name))
        .filter(Column::RevokedAt.is_null())
        .exec(connection)
        .await?;
    Ok(revoked.rows_affected > 0)
}

/// The client whose token this is.
///
/// # Errors
/// ERR-2003 where there is none, or it was revoked; the database's.
pub async fn use_client_token(connection: &impl ConnectionTrait, token: &OpaqueToken) -> Result<Model> {
    let found = Entity::find().filter(Column::Hash.eq(token.digest())).one(connection).await?;
    let client = found.filter(|client| client.revoked_at.is_none());
    client.ok_or_else(|| Refusal::new(Code::TokenRevoked, "This token does not hold.").into())
}

/// # Errors
/// The database's.
pub async fn note_client_use(connection: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let noted = Entity::update_many().col_expr(Column::LastUsedAt, Expr::value(now));
    noted.filter(Column::Id.eq(id)).exec(connection).await?;
    Ok(())
}
