//! Signing up, signing in, staying signed in, signing out.

use entity::{enums, user};
use uuid::Uuid;

use super::account::MAILS;
use super::{Identity, Inner, Letter, Revoked, SignedIn, Subject, counted};
use crate::db::transaction;
use crate::domain::accounts::{
    Device, Email, MOST_PASSWORD_CHARS, NewUser, OpaqueToken, PasswordCheck, Refreshed, TokenKind,
    check_password, confirm_password_hash, create_user, display_name, end_session, end_sessions,
    find_user_by_email, issue_one_time, known_addresses, normalized, open_session, refresh_session,
};
use crate::error::{Code, Refusal, Result, none_of};
use crate::gates::{Charge, Limit};
use crate::principal::network_of;

/// How long a link that verifies an address holds.
pub(super) const VERIFY_LIFETIME: chrono::TimeDelta = chrono::TimeDelta::days(2);

/// Tries to sign in or up from one address, all accounts together.
const BY_ADDRESS: Limit = Limit::per_minute(30, 10);
/// Tries at one account, from all addresses together.
const BY_ACCOUNT: Limit = Limit::per_minute(20, 2);
/// Tries at one account from one address.
const BY_BOTH: Limit = Limit::per_minute(5, 2);
/// New accounts from one address, and tries to make one of one mail address.
const REGISTERED: Limit = Limit::per_minute(10, 2);

/// What somebody signs in with.
pub struct Credentials {
    pub email: String,
    pub password: String,
}

impl Identity {
    /// Makes an account and signs it in.
    ///
    /// # Errors
    /// ERR-3002, ERR-2006 and ERR-2007 for what can't be, each with its place; ERR-4001; the database's.
    pub async fn register(&self, credentials: Credentials, name: &str, device: Device) -> Result<SignedIn> {
        let inner = &*self.inner;
        let network = network_of(device.ip_address.as_deref().unwrap_or_default());
        let Credentials { email, password } = credentials;
        let keys = [format!("register:{network}"), counted(&normalized(&email), "register")];
        let charges = keys.each_ref().map(|key| Charge { key, points: 1, limit: REGISTERED });
        inner.gates.pass(&charges).await?;
        let (email, name) = (Email::parse(&email), display_name(name));
        let known =
            [email.as_ref().map_or("", |email| &email.text).to_owned(), name.clone().unwrap_or_default()];
        let hashed = inner.hasher.hash(password, move |password| {
            let known = known.each_ref().map(String::as_str);
            check_password(&PasswordCheck { password, known: &known, field: "password" })
        });
        let (email, name, hash) = match (email, name, hashed.await) {
            (Ok(email), Ok(name), Ok(hash)) => (email, name, hash),
            (_, _, Err(error @ crate::error::Error::Failed(_))) => return Err(error),
            (email, name, hash) => {
                let weak = hash.err().map(|error| error.refusal());
                none_of([email.err(), weak, name.err()])?;
                return Err(Refusal::invalid_value("This can't be registered.").into());
            }
        };
        let id = inner.outside.uuid();
        let now = inner.outside.now();
        let (user, opened, token) = transaction!(inner.connection, |transaction| {
            let new = NewUser {
                id,
                email: email.clone(),
                email_verified: false,
                display_name: name.clone(),
                role: enums::Role::User,
                password_hash: hash.clone(),
                created_at: now,
            };
            let user = create_user(transaction, new).await?;
            let opened = open_session(transaction, id, device.clone(), &inner.terms, &inner.outside).await?;
            let (purpose, to) = (enums::TokenPurpose::VerifyEmail, Some(email.text.clone()));
            let until = now + VERIFY_LIFETIME;
            let token = issue_one_time(transaction, id, purpose, to, until, &inner.outside).await?;
            Ok((user, opened, token))
        });
        // Who makes an account, deletes it and makes it again sends no more mail than others do.
        let key = counted(&email.key, "mail");
        if inner.gates.pass(&[Charge { key: &key, points: 1, limit: MAILS }]).await.is_ok() {
            self.send_later(user.email.clone(), enums::TokenPurpose::VerifyEmail, &token);
        }
        let at = opened.session.created_at;
        self.pair(user, opened.session, &opened.refresh_token, at)
    }

    /// # Errors
    /// ERR-2004 alike for an unknown address and a wrong password, at the same cost; ERR-4001; the database's.
    pub async fn login(&self, credentials: Credentials, device: Device) -> Result<SignedIn> {
        let inner = &*self.inner;
        let Credentials { email, password } = credentials;
        let key = normalized(&email);
        let network = network_of(device.ip_address.as_deref().unwrap_or_default());
        let account = counted(&key, "login");
        let keys = [format!("login:{network}"), format!("{account}:{network}"), account];
        let charge = |place: usize, limit| Charge { key: &keys[place], points: 1, limit };
        inner.gates.pass(&[charge(0, BY_ADDRESS), charge(1, BY_BOTH)]).await?;
        let found = find_user_by_email(&inner.connection, &key).await?;
        // Others' wrong guesses from elsewhere don't keep an owner out who comes from where they came from before.
        let owner = found.as_ref().map_or_else(Uuid::nil, |user| user.id);
        let known = known_addresses(&inner.connection, owner).await?;
        let is_owners = known.iter().any(|known| network_of(known) == network);
        if !is_owners {
            inner.gates.pass(&[charge(2, BY_ACCOUNT)]).await?;
        }
        let refused = || {
            let message = "The address or the password is wrong.";
            Refusal::new(Code::InvalidCredentials, message)
        };
        if password.chars().count() > MOST_PASSWORD_CHARS {
            return Err(refused().into());
        }
        let hash = found.as_ref().map(|user| user.password_hash.as_str());
        let verdict = inner.hasher.verify(password, hash).await?;
        let user = found.filter(|_| verdict.matches).ok_or_else(refused)?;
        let opened = transaction!(inner.connection, |transaction| {
            if !confirm_password_hash(transaction, &user, verdict.renewed.clone()).await? {
                return Err(refused().into());
            }
            open_session(transaction, user.id, device.clone(), &inner.terms, &inner.outside).await
        });
        for id in &opened.ended {
            self.note(Revoked::Session { id: *id }, None).await;
        }
        // Only what fails counts.
        for (key, limit) in
            keys.iter().zip([BY_ADDRESS, BY_BOTH, BY_ACCOUNT]).take(if is_owners { 2 } else { 3 })
        {
            inner.gates.give_back(key, 1, limit).await;
        }
        let at = opened.session.created_at;
        self.pair(user, opened.session, &opened.refresh_token, at)
    }

    /// Exchanges a refresh token for a new pair: see [`Refreshed`].
    ///
    /// # Errors
    /// ERR-2002 and ERR-2003; the database's.
    pub async fn refresh(&self, token: &str) -> Result<SignedIn> {
        let inner = &*self.inner;
        let ended =
            || Refusal::new(Code::TokenRevoked, "This session has ended. Sign in again.").at("refreshToken");
        let token = OpaqueToken::parse(TokenKind::Refresh, token.trim()).ok_or_else(ended)?;
        let now = inner.outside.now();
        match refresh_session(&inner.connection, &token, &inner.refresh_keys, &inner.terms, now).await? {
            Refreshed::Renewed { user, session, successor, at } => self.pair(*user, session, &successor, at),
            Refreshed::Refused(refusal) => Err(refusal.into()),
            Refreshed::Reused { user, session } => {
                tracing::warn!(%user, %session, "a refresh token was used twice: its session has ended");
                metrics::counter!("dualcaster_refresh_reuse_total").increment(1);
                // Whoever comes first ends it.
                self.try_end_session(user, session).await?;
                Err(ended().into())
            }
        }
    }

    /// Ends one of a user's sessions.
    ///
    /// # Errors
    /// ERR-3001 where the user has no such session that goes on; the database's.
    pub async fn end_session(&self, user: Uuid, session: Uuid) -> Result<()> {
        if self.try_end_session(user, session).await? {
            return Ok(());
        }
        Err(Refusal::new(Code::NotFound, "You have no such session.").at("sessionId").into())
    }

    async fn try_end_session(&self, user: Uuid, session: Uuid) -> Result<bool> {
        let Inner { connection, revocations, outside, .. } = &*self.inner;
        let doubt = self.doubt(Subject::Session(session)).await?;
        let has_ended = end_session(connection, user, session, outside.now()).await?;
        if has_ended {
            self.note(Revoked::Session { id: session }, Some(doubt)).await;
        } else {
            revocations.settle(connection, doubt).await;
        }
        Ok(has_ended)
    }

    /// Ends all of a user's sessions, or all but one, and answers how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_sessions(&self, user: Uuid, keep: Option<Uuid>) -> Result<u64> {
        let inner = &*self.inner;
        let now = inner.outside.now();
        let doubt = self.doubt(Subject::User(user)).await?;
        let ended = transaction!(inner.connection, |transaction| {
            end_sessions(transaction, user, keep, now).await
        });
        self.note(Revoked::User { id: user, epoch: ended.epoch, kept: keep }, Some(doubt)).await;
        Ok(ended.count)
    }

    /// Sends a one-time token by mail, in its own time: nobody waits for a mail server, and the answer takes as long for
    /// an address that nobody has.
    pub(super) fn send_later(&self, to: String, purpose: enums::TokenPurpose, token: &OpaqueToken) {
        let (identity, token) = (self.clone(), token.text());
        tokio::spawn(async move {
            let letter = match purpose {
                enums::TokenPurpose::VerifyEmail => Letter::VerifyEmail { token: &token },
                enums::TokenPurpose::ResetPassword => Letter::ResetPassword { token: &token },
            };
            identity.inner.mailer.send(&to, letter).await;
        });
    }

    /// Tells the owner of an address that another is to take its place.
    pub(super) fn send_warning_later(&self, to: String) {
        let identity = self.clone();
        tokio::spawn(async move { identity.inner.mailer.send(&to, Letter::AddressChanges).await });
    }

    /// The password of a user who is signed in, asked for once more.
    pub(super) async fn confirm(&self, user: &user::Model, password: String, field: &str) -> Result<()> {
        let wrong = || Refusal::new(Code::InvalidCredentials, "The password is wrong.").at(field);
        self.inner
            .gates
            .pass(&[Charge { key: &format!("confirm:{}", user.id), points: 1, limit: BY_BOTH }])
            .await?;
        if password.chars().count() > MOST_PASSWORD_CHARS {
            return Err(wrong().into());
        }
        let verdict = self.inner.hasher.verify(password, Some(&user.password_hash)).await?;
        if !verdict.matches {
            return Err(wrong().into());
        }
        self.inner.gates.give_back(&format!("confirm:{}", user.id), 1, BY_BOTH).await;
        Ok(())
    }
}
