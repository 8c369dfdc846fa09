//! Sessions: a sign-in on one device, prolonged by refresh tokens of which each works once.
//!
//! The tokens of a session are a chain, each derived from the one before. A token that was used gives the same successor
//! again for some seconds, for a client that lost the answer. Later, or once the successor was used, two hold what one was
//! given: the session ends (RFC 9700, section 4.14.2).

use chrono::{DateTime, TimeDelta, Utc};
use entity::{refresh_token, session, user};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::chain::{Worth, worth};
use super::{OpaqueToken, TokenKind};
use crate::db::{Connection, Sql, transaction};
use crate::error::{Code, Refusal, Result};
use crate::outside::Outside;

/// Sessions that a user has at once at most; the one that was used longest ago ends for a new one.
pub const MOST_SESSIONS: u64 = 100;

/// How long things of a session last.
#[derive(Debug, Clone, Copy)]
pub struct SessionTerms {
    /// Without use.
    pub lifetime: TimeDelta,
    /// A used token's, in which it gives the same successor again.
    pub grace: TimeDelta,
}

/// What is known of where somebody signs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    pub user_agent: Option<String>,
    pub ip_address: Option<String>,
    /// Whether the refresh token goes into a cookie.
    pub in_cookie: bool,
}

/// A new session.
#[derive(Debug)]
pub struct Opened {
    pub session: session::Model,
    pub refresh_token: OpaqueToken,
    /// The sessions that ended for it.
    pub ended: Vec<Uuid>,
}

/// # Errors
/// The database's.
pub async fn open_session(
    connection: &impl ConnectionTrait,
    user: Uuid,
    device: Device,
    terms: &SessionTerms,
    outside: &Outside,
) -> Result<Opened> {
    let now = outside.now();
    let session = session::Model {
        id: outside.uuid(),
        user_id: user,
        created_at: now,
        last_used_at: now,
        expires_at: now + terms.lifetime,
        ended_at: None,
        in_cookie: device.in_cookie,
        user_agent: device.user_agent,
        ip_address: device.ip_address,
    };
    session::Entity::insert(session::ActiveModel::from(session.clone()))
        .exec_without_returning(connection)
        .await?;
    let refresh_token = OpaqueToken::new(TokenKind::Refresh, outside);
    keep_token(connection, &refresh_token, session.id).await?;
    let surplus: Vec<Uuid> = live(user, now)
        .select_only()
        .column(session::Column::Id)
        .order_by_desc(session::Column::LastUsedAt)
        .offset(MOST_SESSIONS)
        .limit(MOST_SESSIONS)
        .into_tuple()
        .all(connection)
        .await?;
    if !surplus.is_empty() {
        ending(now).filter(session::Column::Id.is_in(surplus.clone())).exec(connection).await?;
    }
    Ok(Opened { session, refresh_token, ended: surplus })
}

async fn keep_token(connection: &impl ConnectionTrait, token: &OpaqueToken, session: Uuid) -> Result<()> {
    let row = refresh_token::ActiveModel {
        hash: Set(token.digest()),
        session_id: Set(session),
        used_at: Set(None),
    };
    refresh_token::Entity::insert(row)
        .on_conflict(OnConflict::column(refresh_token::Column::Hash).do_nothing().to_owned())
        .exec_without_returning(connection)
        .await?;
    Ok(())
}

/// What comes of a refresh token. None of these is undone.
#[derive(Debug)]
pub enum Refreshed {
    Renewed {
        user: Box<user::Model>,
        session: session::Model,
        successor: OpaqueToken,
        /// When the token was used for the first time: what is made of it is the same at each try.
        at: DateTime<Utc>,
    },
    /// The token was used twice: its session is to be ended.
    Reused {
        user: Uuid,
        session: Uuid,
    },
    Refused(Refusal),
}

/// Of the keys the first derives successors; one that was derived by any of them is found again, so that the secret can be
/// changed without a break.
///
/// # Errors
/// The database's.
pub async fn refresh_session(
    connection: &Connection,
    token: &OpaqueToken,
    keys: &[[u8; 32]],
    terms: &SessionTerms,
    now: DateTime<Utc>,
) -> Result<Refreshed> {
    Ok(transaction!(connection, |transaction| { refresh(transaction, token, keys, terms, now).await }))
}

async fn refresh(
    connection: &impl ConnectionTrait,
    token: &OpaqueToken,
    keys: &[[u8; 32]],
    terms: &SessionTerms,
    now: DateTime<Utc>,
) -> Result<Refreshed> {
    // One of many that come at once is the first, whatever server it comes to.
    let used = refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::UsedAt, Expr::value(now))
        .filter(refresh_token::Column::Hash.eq(token.digest()))
        .filter(refresh_token::Column::UsedAt.is_null())
        .exec(connection)
        .await?;
    let is_first = used.rows_affected == 1;
    let Some(row) = refresh_token::Entity::find_by_id(token.digest()).one(connection).await? else {
        return Ok(Refreshed::Refused(ended_refusal()));
    };
    let found = session::Entity::find_by_id(row.session_id).one(connection).await?;
    let Some(mut session) = found.filter(|session| session.ended_at.is_none()) else {
        return Ok(Refreshed::Refused(ended_refusal()));
    };
    if session.expires_at <= now {
        let message = "This session has expired. Sign in again.";
        return Ok(Refreshed::Refused(Refusal::new(Code::TokenExpired, message).at("refreshToken")));
    }
    if is_first {
        session.last_used_at = now;
        session.expires_at = now + terms.lifetime;
    }
    // From here on nobody ends the session before this is done, and who has ended it already is seen: the user's epoch is
    // read afterwards, so that no token of a later epoch is made for a session that ended with the earlier one.
    let lasts = session::Entity::update_many()
        .col_expr(session::Column::LastUsedAt, Expr::value(session.last_used_at))
        .col_expr(session::Column::ExpiresAt, Expr::value(session.expires_at))
        .filter(session::Column::Id.eq(session.id))
        .filter(session::Column::EndedAt.is_null())
        .exec(connection)
        .await?;
    let user = user::Entity::find_by_id(session.user_id).one(connection).await?;
    let (Some(user), 1) = (user, lasts.rows_affected) else {
        return Ok(Refreshed::Refused(ended_refusal()));
    };
    let at = if is_first { now } else { row.used_at.unwrap_or(now) };
    let mut successors: Vec<_> = keys.iter().map(|key| token.successor(key)).collect();
    let new = if is_first {
        successors.truncate(1);
        for successor in &successors {
            keep_token(connection, successor, session.id).await?;
        }
        successors.pop()
    } else {
        let unused = refresh_token::Entity::find()
            .filter(refresh_token::Column::Hash.is_in(successors.iter().map(OpaqueToken::digest)))
            .filter(refresh_token::Column::UsedAt.is_null())
            .one(connection)
            .await?;
        unused.and_then(|row| successors.into_iter().find(|successor| successor.digest() == row.hash))
    };
    match (worth((!is_first).then(|| now - at), new.is_some(), terms.grace), new) {
        (Worth::First | Worth::Again, Some(successor)) => {
            Ok(Refreshed::Renewed { user: Box::new(user), session, successor, at })
        }
        (Worth::Reused, _) | (_, None) => Ok(Refreshed::Reused { user: user.id, session: session.id }),
    }
}

fn ended_refusal() -> Refusal {
    Refusal::new(Code::TokenRevoked, "This session has ended. Sign in again.").at("refreshToken")
}

fn live(user: Uuid, now: DateTime<Utc>) -> sea_orm::Select<session::Entity> {
    session::Entity::find()
        .filter(session::Column::UserId.eq(user))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now))
}

fn ending(now: DateTime<Utc>) -> sea_orm::UpdateMany<session::Entity> {
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(now))
        .filter(session::Column::EndedAt.is_null())
}

/// A user's sessions that go on, the newest first.
///
/// # Errors
/// The database's.
pub async fn list_sessions(
    connection: &impl ConnectionTrait,
    user: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<session::Model>> {
    Ok(live(user, now)
        .order_by_desc(session::Column::CreatedAt)
        .order_by_asc(session::Column::Id)
        .limit(MOST_SESSIONS)
        .all(connection)
        .await?)
}

/// Of these sessions those that are the user's and have not been ended.
///
/// # Errors
/// The database's.
pub async fn load_sessions(
    connection: &impl ConnectionTrait,
    user: Uuid,
    ids: &[Uuid],
) -> Result<Vec<session::Model>> {
    let mut sql = Sql::by_keys(connection);
    sql.push("select * from sessions where ended_at is null and user_id = ").bind(user);
    sql.push(" and id").any_of_uuids(ids);
    Ok(sql.all(connection).await?)
}

/// One of a user's sessions that goes on.
///
/// # Errors
/// The database's.
async fn find_session(
    connection: &impl ConnectionTrait,
    user: Uuid,
    session: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<session::Model>> {
    Ok(live(user, now).filter(session::Column::Id.eq(session)).one(connection).await?)
}

/// Ends one of a user's sessions, and answers whether there was one to end.
///
/// # Errors
/// The database's.
pub async fn end_session(
    connection: &impl ConnectionTrait,
    user: Uuid,
    session: Uuid,
    now: DateTime<Utc>,
) -> Result<bool> {
    let ended = ending(now)
        .filter(session::Column::UserId.eq(user))
        .filter(session::Column::Id.eq(session))
        .filter(session::Column::ExpiresAt.gt(now))
        .exec(connection)
        .await?;
    Ok(ended.rows_affected > 0)
}

/// What ending all sessions of a user has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedAll {
    pub count: u64,
    /// Access tokens of an earlier epoch hold no more, but for those of the session that was kept.
    pub epoch: i64,
}

/// Ends all of a user's sessions, or all but one, and forgets where they were: nobody is an owner for having been signed in
/// there any more.
///
/// # Errors
/// ERR-2003 where the account or the session that is to be kept is gone; the database's.
pub async fn end_sessions(
    connection: &impl ConnectionTrait,
    user: Uuid,
    keep: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<EndedAll> {
    #[derive(FromQueryResult)]
    struct Epoch {
        epoch: i64,
    }
    let mut sql = Sql::new(connection);
    sql.push("update users set epoch = epoch + 1 where id = ").bind(user).push(" returning epoch");
    let gone = || Refusal::new(Code::TokenRevoked, "This session has ended. Sign in again.");
    let epoch = sql.one::<Epoch>(connection).await?.ok_or_else(gone)?.epoch;
    // Who waited for another's reset must not keep what that has ended.
    if let Some(kept) = keep
        && find_session(connection, user, kept, now).await?.is_none()
    {
        return Err(gone().into());
    }
    let mut ended =
        ending(now).filter(session::Column::UserId.eq(user)).filter(session::Column::ExpiresAt.gt(now));
    let mut forgotten = session::Entity::update_many()
        .col_expr(session::Column::IpAddress, Expr::value(None::<String>))
        .filter(session::Column::UserId.eq(user))
        .filter(session::Column::IpAddress.is_not_null());
    if let Some(kept) = keep {
        ended = ended.filter(session::Column::Id.ne(kept));
        forgotten = forgotten.filter(session::Column::Id.ne(kept));
    }
    forgotten.exec(connection).await?;
    Ok(EndedAll { count: ended.exec(connection).await?.rows_affected, epoch })
}

/// Whether a session goes on: what an access token stands on.
///
/// # Errors
/// The database's.
pub async fn is_session_open(
    connection: &impl ConnectionTrait,
    user: Uuid,
    session: Uuid,
    now: DateTime<Utc>,
) -> Result<bool> {
    Ok(find_session(connection, user, session, now).await?.is_some())
}

/// Where a user has signed in from lately: an owner whom others' wrong guesses must not keep out comes from there.
///
/// # Errors
/// The database's.
pub async fn known_addresses(connection: &impl ConnectionTrait, user: Uuid) -> Result<Vec<String>> {
    let addresses = session::Entity::find()
        .filter(session::Column::UserId.eq(user))
        .filter(session::Column::IpAddress.is_not_null())
        .select_only()
        .column(session::Column::IpAddress)
        .order_by_desc(session::Column::CreatedAt)
        .limit(MOST_SESSIONS)
        .into_tuple::<String>()
        .all(connection)
        .await?;
    Ok(addresses)
}
