//! Who a caller is, and how they come to be that: passwords, tokens, sessions, and what takes them back.
//!
//! The domain's `accounts` knows the tables; this has what lives as long as the process and stands between them and a
//! caller: keys, the hasher, the notes of what was taken back, mail. Every command is one transaction of the domain's;
//! what other servers must hear of it, they hear once it is committed.

mod access_token;
mod account;
mod hasher;
mod mail;
mod revocations;
mod revoked;
mod sign_in;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{enums, session, user};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::Semaphore;
use uuid::Uuid;

pub use access_token::{AccessKeys, Bearer, Claims, NoKey, make_key};
pub use account::ProfileChange;
pub use hasher::{Hasher, Verdict};
pub use mail::{Letter, MailError, Mailer};
pub use revocations::{Doubt, Revocations};
pub use revoked::{Revoked, Standing, Subject};
pub use sign_in::Credentials;

use crate::config::AccountSettings;
use crate::db::Connection;
use crate::domain::accounts::{
    OpaqueToken, SessionTerms, TokenKind, find_user, is_api_token_active, is_client_active,
    is_use_noteworthy, note_api_token_use, note_client_use, use_api_token, use_client_token,
};
use crate::error::{Code, Refusal, Result};
use crate::gates::Gates;
use crate::outside::Outside;
use crate::principal::{Caller, Credential, Identify, Principal, Role, UserCaller};

/// Accounts, as the server offers them.
#[derive(Clone)]
pub struct Identity {
    inner: Arc<Inner>,
}

struct Inner {
    /// The primary: nothing about accounts is asked of a replica.
    connection: Connection,
    keys: AccessKeys,
    hasher: Hasher,
    revocations: Revocations,
    gates: Gates,
    mailer: Mailer,
    terms: SessionTerms,
    /// What successors of refresh tokens are derived with: see [`refresh_session`](crate::domain::accounts::refresh_session).
    refresh_keys: Vec<[u8; 32]>,
    outside: Outside,
    /// Whose turn it is to note a token's use.
    noting: Arc<Semaphore>,
    /// Whether explanations are for everyone, as in development.
    sees_all: bool,
    /// Whether the schema is.
    shows_schema: bool,
}

/// What an identity is built of.
pub struct Parts {
    pub connection: Connection,
    pub keys: AccessKeys,
    pub hasher: Hasher,
    pub revocations: Revocations,
    pub gates: Gates,
    pub mailer: Mailer,
    /// What successors of refresh tokens are derived with: new ones with the first.
    pub refresh_keys: Vec<[u8; 32]>,
    pub outside: Outside,
    pub sees_all: bool,
    pub shows_schema: bool,
}

/// A pair of tokens, and what they are for.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub user: user::Model,
    pub session: session::Model,
    pub access_token: String,
    pub access_expires_at: DateTime<Utc>,
    pub refresh_token: String,
}

impl Identity {
    pub fn new(parts: Parts, settings: &AccountSettings) -> Self {
        let span = |duration| TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        Self {
            inner: Arc::new(Inner {
                refresh_keys: parts.refresh_keys,
                connection: parts.connection,
                keys: parts.keys,
                hasher: parts.hasher,
                revocations: parts.revocations,
                gates: parts.gates,
                mailer: parts.mailer,
                terms: SessionTerms {
                    lifetime: span(settings.session_lifetime),
                    grace: span(settings.refresh_grace),
                },
                outside: parts.outside,
                noting: Arc::new(Semaphore::new(1)),
                sees_all: parts.sees_all,
                shows_schema: parts.shows_schema,
            }),
        }
    }

    pub fn connection(&self) -> &Connection {
        &self.inner.connection
    }

    pub fn outside(&self) -> &Outside {
        &self.inner.outside
    }

    pub fn hasher(&self) -> &Hasher {
        &self.inner.hasher
    }

    pub fn revocations(&self) -> &Revocations {
        &self.inner.revocations
    }

    /// Says that something may be taken back: before the transaction that does it.
    async fn doubt(&self, subject: Subject) -> Result<Doubt> {
        self.inner.revocations.doubt(&self.inner.connection, subject).await
    }

    /// Tells what was taken back.
    async fn note(&self, revoked: Revoked, doubt: Option<Doubt>) {
        self.inner.revocations.note(&self.inner.connection, revoked, doubt).await;
    }

    /// Makes the pair of a session. Of the same refresh token and moment it is the same pair.
    fn pair(
        &self,
        user: user::Model,
        session: session::Model,
        refresh: &OpaqueToken,
        at: DateTime<Utc>,
    ) -> Result<SignedIn> {
        let digest = refresh.digest();
        let token = digest.first_chunk::<16>().copied().unwrap_or_default();
        let bearer = Bearer {
            user: user.id,
            session: session.id,
            role: role(user.role),
            epoch: user.epoch,
            token: uuid::Builder::from_random_bytes(token).into_uuid(),
        };
        let (access_token, access_expires_at) = self.inner.keys.sign(&bearer, at)?;
        Ok(SignedIn { user, session, access_token, access_expires_at, refresh_token: refresh.text() })
    }

    async fn identify_bearer(&self, authorization: &str) -> Result<Principal> {
        let Inner { connection, outside, .. } = &*self.inner;
        let wrong =
            || Refusal::new(Code::Unauthenticated, "Send the header Authorization: Bearer and a token.");
        let (scheme, token) = authorization.trim().split_once(' ').ok_or_else(wrong)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(wrong().into());
        }
        let token = token.trim();
        let now = outside.now();
        if let Some(token) = OpaqueToken::parse(TokenKind::Client, token) {
            let client = use_client_token(connection, &token).await?;
            if is_use_noteworthy(client.last_used_at, now) {
                self.note_use(
                    move |connection| async move { note_client_use(&connection, client.id, now).await },
                );
            }
            let caller = Caller::Client {
                id: client.id,
                role: role(client.role),
                points_per_second: client.points_per_second.and_then(|points| points.try_into().ok()),
            };
            return Ok(self.principal(caller, None));
        }
        if let Some(token) = OpaqueToken::parse(TokenKind::Personal, token) {
            let (row, user) = use_api_token(connection, &token, now).await?;
            if is_use_noteworthy(row.last_used_at, now) {
                self.note_use(
                    move |connection| async move { note_api_token_use(&connection, row.id, now).await },
                );
            }
            let by = Credential::ApiToken { id: row.id, read_only: row.read_only };
            let caller = Caller::User(UserCaller { id: user.id, role: role(user.role), by });
            return Ok(self.principal(caller, row.expires_at));
        }
        let claims = self.inner.keys.verify(token, now)?;
        let standing = Standing {
            user: claims.sub,
            session: claims.sid,
            epoch: claims.epoch,
            issued_at: claims.issued_at(),
        };
        if !self.inner.revocations.holds(connection, &standing).await? {
            return Err(Refusal::new(Code::TokenRevoked, "This session has ended. Sign in again.").into());
        }
        let by = Credential::Session { id: claims.sid, epoch: claims.epoch, issued_at: claims.issued_at() };
        let caller = Caller::User(UserCaller { id: claims.sub, role: claims.role, by });
        Ok(self.principal(caller, Some(claims.expires_at())))
    }

    /// Notes a token's use in its own time: who only reads does not wait for others who write. While one note waits the others
    /// are left out; a later use makes up for them.
    fn note_use<F: Future<Output = Result<()>> + Send + 'static>(
        &self,
        note: impl FnOnce(Connection) -> F + Send + 'static,
    ) {
        let Ok(turn) = Arc::clone(&self.inner.noting).try_acquire_owned() else { return };
        let connection = self.inner.connection.clone();
        tokio::spawn(async move {
            if let Err(error) = note(connection).await {
                tracing::warn!(error = error.log_text(), "when a token was used last could not be noted");
            }
            drop(turn);
        });
    }

    fn principal(&self, caller: Caller, until: Option<DateTime<Utc>>) -> Principal {
        let principal = Principal { caller, ..Principal::default() };
        let is_admin = principal.is_admin();
        let (may_introspect, may_explain) =
            (self.inner.shows_schema || is_admin, self.inner.sees_all || is_admin);
        let lasts = until.map(|until| (until - self.inner.outside.now()).to_std().unwrap_or_default());
        Principal { may_introspect, may_explain, lasts, ..principal }
    }

    /// The account of a caller; its deletion may be younger than its token.
    async fn account(&self, user: Uuid) -> Result<user::Model> {
        let found = find_user(&self.inner.connection, user).await?;
        found.ok_or_else(|| Refusal::new(Code::TokenRevoked, "This account is gone.").into())
    }
}

/// The role of a row, as callers have it.
pub fn role(role: enums::Role) -> Role {
    match role {
        enums::Role::User => Role::User,
        enums::Role::Admin => Role::Admin,
        enums::Role::Bot => Role::Bot,
    }
}

/// A key of its own for each purpose, of each secret.
pub fn derived_keys(secrets: &[String], purpose: &str) -> Vec<[u8; 32]> {
    secrets.iter().map(|secret| derived_key(secret, purpose)).collect()
}

fn derived_key(secret: &str, purpose: &str) -> [u8; 32] {
    match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        Ok(mut mac) => {
            mac.update(purpose.as_bytes());
            mac.finalize().into_bytes().into()
        }
        // A key of any length is taken.
        Err(_) => [0; 32],
    }
}

/// What an address is counted by in a gate: the address itself is nowhere but in its account.
fn counted(address: &str, purpose: &str) -> String {
    let digest = derived_key(address, purpose);
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{purpose}:{hex}")
}

impl Identify for Identity {
    fn identify<'a>(&'a self, authorization: Option<&'a str>) -> BoxFuture<'a, Result<Principal, Refusal>> {
        async move {
            match authorization {
                None => Ok(self.principal(Caller::Nobody, None)),
                Some(authorization) => self.identify_bearer(authorization).await.map_err(|error| {
                    if let crate::error::Error::Failed(failure) = &error {
                        tracing::error!(error = failure.log_text(), "a caller could not be identified");
                    }
                    error.refusal()
                }),
            }
        }
        .boxed()
    }

    fn taken_back<'a>(&'a self, principal: &'a Principal) -> BoxFuture<'a, ()> {
        let Inner { connection, revocations, outside, .. } = &*self.inner;
        match &principal.caller {
            Caller::Nobody => std::future::pending().boxed(),
            Caller::User(UserCaller {
                id,
                by: Credential::Session { id: session, epoch, issued_at },
                ..
            }) => {
                let standing =
                    Standing { user: *id, session: *session, epoch: *epoch, issued_at: *issued_at };
                async move { revocations.taken_back(connection, &standing).await }.boxed()
            }
            Caller::User(UserCaller { id: user, by: Credential::ApiToken { id, .. }, .. }) => {
                let (user, id) = (*user, *id);
                // Its own end too, by the clock: what counts the time that is left may stand still with the machine.
                until_gone(move || async move {
                    matches!(is_api_token_active(connection, user, id, outside.now()).await, Ok(false))
                })
                .boxed()
            }
            Caller::Client { id, .. } => {
                let id = *id;
                until_gone(move || async move { matches!(is_client_active(connection, id).await, Ok(false)) })
                    .boxed()
            }
        }
    }
}

/// How often it is looked whether a token that nobody tells about still holds: what stays open ends within five seconds, the
/// look itself among them.
pub const TOKENS_LOOKED_AT_EVERY: Duration = Duration::from_secs(4);

async fn until_gone<F: Future<Output = bool>>(is_gone: impl Fn() -> F) {
    while !is_gone().await {
        tokio::time::sleep(TOKENS_LOOKED_AT_EVERY).await;
    }
}
