//! What a user does with the account itself.

use chrono::TimeDelta;
use entity::enums::TokenPurpose;
use entity::{api_token, user};
use uuid::Uuid;

use super::sign_in::VERIFY_LIFETIME;
use super::{Identity, Revoked, Subject, counted};
use crate::db::transaction;
use crate::domain::accounts::{
    Email, NewApiToken, OpaqueToken, PasswordCheck, Speaker, check_password, confirm_password_hash,
    confirm_speaker, create_api_token, create_link_code, delete_user, display_name, end_sessions, find_user,
    find_user_by_email, forget_one_time, issue_one_time, link_discord, look_at_one_time, normalized,
    revoke_api_token, revoke_api_tokens, set_display_name, set_password_hash, set_verified_email,
    take_one_time, unlink_discord,
};
use crate::domain::idempotency::forget_requests_of;
use crate::error::{Code, Error, Refusal, Result, none_of};
use crate::gates::{Charge, Limit};
use crate::principal::{Credential, UserCaller, key_of_user};

/// How long a link for a new password holds.
const RESET_LIFETIME: TimeDelta = TimeDelta::hours(1);
/// Mails to one address, and requests for them from one.
pub(super) const MAILS: Limit = Limit::per_minute(3, 1);
const MAILS_ASKED: Limit = Limit::per_minute(10, 5);
/// Tries at links that came by mail, from one address.
const LINKS: Limit = Limit::per_minute(20, 10);
/// Tries at a code that links a Discord account.
const CODES: Limit = Limit::per_minute(10, 5);

/// What changes of a profile; what is absent stays.
#[derive(Default)]
pub struct ProfileChange {
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub current_password: Option<String>,
}

fn changed_meanwhile() -> Refusal {
    Refusal::new(Code::Conflict, "The account has changed meanwhile. Look at it and try again.")
}

impl Identity {
    /// Sets a new password, ends every other session and answers how many.
    ///
    /// # Errors
    /// ERR-2004 where the old one is wrong, ERR-2006 where the new one is weak; ERR-4001; the database's.
    pub async fn change_password(
        &self,
        user: Uuid,
        session: Uuid,
        current: String,
        new: String,
    ) -> Result<(user::Model, u64)> {
        let inner = &*self.inner;
        let account = self.account(user).await?;
        self.confirm(&account, current, "currentPassword").await?;
        let hash = self.hash_new(&account, new).await?;
        let now = inner.outside.now();
        let doubt = self.doubt(Subject::User(user)).await?;
        let ended = transaction!(inner.connection, |transaction| {
            if !confirm_password_hash(transaction, &account, Some(hash.clone())).await? {
                return Err(changed_meanwhile().into());
            }
            // Whoever knew the old password may have asked for any of them.
            forget_one_time(transaction, user, None).await?;
            end_sessions(transaction, user, Some(session), now).await
        });
        self.note(Revoked::User { id: user, epoch: ended.epoch, kept: Some(session) }, Some(doubt)).await;
        Ok((account, ended.count))
    }

    async fn hash_new(&self, account: &user::Model, password: String) -> Result<String> {
        let known = [account.email.clone(), account.display_name.clone()];
        let check = move |password: &str| {
            let known = known.each_ref().map(String::as_str);
            check_password(&PasswordCheck { password, known: &known, field: "newPassword" })
        };
        self.inner.hasher.hash(password, check).await
    }

    /// Sends a link for a new password, if somebody has this address. It answers before it looks, so that nobody learns
    /// whether somebody has.
    ///
    /// # Errors
    /// ERR-4001.
    pub async fn request_password_reset(&self, email: &str, address: &str) -> Result<()> {
        let key = normalized(email);
        let keys = [counted(&key, "mail"), format!("mails:{address}")];
        let charges = [
            Charge { key: &keys[0], points: 1, limit: MAILS },
            Charge { key: &keys[1], points: 1, limit: MAILS_ASKED },
        ];
        self.inner.gates.pass(&charges).await?;
        let identity = self.clone();
        tokio::spawn(async move {
            if let Err(error) = identity.send_reset(&key).await {
                tracing::error!(error = error.log_text(), "a link for a new password could not be made");
            }
        });
        Ok(())
    }

    async fn send_reset(&self, key: &str) -> Result<()> {
        let inner = &*self.inner;
        let Some(user) = find_user_by_email(&inner.connection, key).await? else {
            return Ok(());
        };
        let until = inner.outside.now() + RESET_LIFETIME;
        let token = transaction!(inner.connection, |transaction| {
            issue_one_time(transaction, user.id, TokenPurpose::ResetPassword, None, until, &inner.outside)
                .await
        });
        self.send_later(user.email, TokenPurpose::ResetPassword, &token);
        Ok(())
    }

    /// Sets a new password by a link, and ends every session and every token for scripts.
    ///
    /// # Errors
    /// ERR-3002 for a link that does not hold, ERR-2006 for a weak password, after which the link still holds; the
    /// database's.
    pub async fn reset_password(&self, token: &str, new: String, address: &str) -> Result<user::Model> {
        let inner = &*self.inner;
        self.pass_link(address).await?;
        let now = inner.outside.now();
        // No password is hashed for who has no link; the link is taken once the password is known to do.
        let user = look_at_one_time(&inner.connection, token, TokenPurpose::ResetPassword, now).await?;
        let hash = self.hash_new(&self.account(user).await?, new).await?;
        let doubt = self.doubt(Subject::User(user)).await?;
        let (account, epoch) = transaction!(inner.connection, |transaction| {
            let taken = take_one_time(transaction, token, TokenPurpose::ResetPassword, now).await?;
            set_password_hash(transaction, taken.user_id, hash.clone()).await?;
            // What somebody else may have made while they had the account goes with its sessions.
            forget_one_time(transaction, taken.user_id, None).await?;
            revoke_api_tokens(transaction, taken.user_id).await?;
            let ended = end_sessions(transaction, taken.user_id, None, now).await?;
            Ok((find_user(transaction, taken.user_id).await?, ended.epoch))
        });
        let account = account.ok_or_else(|| Error::internal("a link without its account"))?;
        self.note(Revoked::User { id: account.id, epoch, kept: None }, Some(doubt)).await;
        Ok(account)
    }

    /// Counts a try at a link that came by mail.
    async fn pass_link(&self, address: &str) -> Result<(), Refusal> {
        let key = format!("link:{address}");
        self.inner.gates.pass(&[Charge { key: &key, points: 1, limit: LINKS }]).await
    }

    /// # Errors
    /// ERR-3002 for a link that does not hold, ERR-2007 where the address is another's by now; ERR-4001; the database's.
    pub async fn verify_email(&self, token: &str, address: &str) -> Result<user::Model> {
        let inner = &*self.inner;
        self.pass_link(address).await?;
        let now = inner.outside.now();
        let account = transaction!(inner.connection, |transaction| {
            let taken = take_one_time(transaction, token, TokenPurpose::VerifyEmail, now).await?;
            let email = Email::parse(taken.email.as_deref().unwrap_or_default())?;
            set_verified_email(transaction, taken.user_id, &email).await?;
            // A link for a new password went to the address before.
            forget_one_time(transaction, taken.user_id, Some(TokenPurpose::ResetPassword)).await?;
            find_user(transaction, taken.user_id).await
        });
        account.ok_or_else(|| Error::internal("a link without its account"))
    }

    /// Changes a profile. A new address counts once its owner has followed the link that is sent there.
    ///
    /// # Errors
    /// ERR-3002 for what can't be, ERR-2004 where the password is absent or wrong and the address changes; the database's.
    pub async fn update_profile(&self, user: Uuid, change: ProfileChange) -> Result<user::Model> {
        let inner = &*self.inner;
        let account = self.account(user).await?;
        let name = change.display_name.as_deref().map(display_name).transpose();
        let email = change.email.as_deref().map(Email::parse).transpose();
        none_of([name.as_ref().err().cloned(), email.as_ref().err().cloned()])?;
        let (name, email) = (name.ok().flatten(), email.ok().flatten());
        let email = email.filter(|email| email.text != account.email || !account.email_verified);
        if email.is_some() {
            let password = change.current_password.ok_or_else(|| {
                let message = "A new address needs the password.";
                Refusal::new(Code::InvalidCredentials, message).at("currentPassword")
            })?;
            self.confirm(&account, password, "currentPassword").await?;
        }
        if let Some(email) = &email {
            // Mail that somebody else did not ask for.
            let keys = [counted(&email.key, "mail"), format!("mails:{user}")];
            let charge = |key| Charge { key, points: 1, limit: MAILS };
            inner.gates.pass(&[charge(&keys[0]), charge(&keys[1])]).await?;
        }
        let until = inner.outside.now() + VERIFY_LIFETIME;
        let token = transaction!(inner.connection, |transaction| {
            if email.is_some() && !confirm_password_hash(transaction, &account, None).await? {
                return Err(changed_meanwhile().into());
            }
            if let Some(name) = &name {
                set_display_name(transaction, user, name.clone()).await?;
            }
            match &email {
                Some(email) => {
                    let (purpose, to) = (TokenPurpose::VerifyEmail, Some(email.text.clone()));
                    issue_one_time(transaction, user, purpose, to, until, &inner.outside).await.map(Some)
                }
                None => Ok(None),
            }
        });
        if let (Some(token), Some(email)) = (token, email) {
            if email.key != account.email_key {
                self.send_warning_later(account.email.clone());
            }
            self.send_later(email.text, TokenPurpose::VerifyEmail, &token);
        }
        self.account(user).await
    }

    /// # Errors
    /// ERR-2004 where the password is wrong; the database's.
    pub async fn delete_account(&self, user: Uuid, password: String) -> Result<()> {
        let account = self.account(user).await?;
        self.confirm(&account, password, "password").await?;
        let doubt = self.doubt(Subject::User(user)).await?;
        transaction!(self.inner.connection, |transaction| {
            if !confirm_password_hash(transaction, &account, None).await? {
                return Err(changed_meanwhile().into());
            }
            forget_requests_of(transaction, &key_of_user(user)).await?;
            delete_user(transaction, user).await
        });
        self.note(Revoked::User { id: user, epoch: i64::MAX, kept: None }, Some(doubt)).await;
        Ok(())
    }

    /// # Errors
    /// ERR-2003 where the session has ended; see [`create_api_token`].
    pub async fn create_api_token(
        &self,
        user: Uuid,
        session: Uuid,
        new: NewApiToken,
    ) -> Result<(api_token::Model, OpaqueToken)> {
        let inner = &*self.inner;
        let NewApiToken { name, read_only, expires_at } = new;
        Ok(transaction!(inner.connection, |transaction| {
            confirm_speaker(transaction, user, Speaker::Session(session), inner.outside.now()).await?;
            let new = NewApiToken { name: name.clone(), read_only, expires_at };
            create_api_token(transaction, user, new, &inner.outside).await
        }))
    }

    /// # Errors
    /// ERR-3001 where the user has no such token; the database's.
    pub async fn revoke_api_token(&self, user: Uuid, id: Uuid) -> Result<()> {
        revoke_api_token(&self.inner.connection, user, id).await
    }

    /// # Errors
    /// See [`create_link_code`].
    pub async fn create_link_code(
        &self,
        discord_id: &str,
    ) -> Result<(String, chrono::DateTime<chrono::Utc>)> {
        let inner = &*self.inner;
        Ok(transaction!(inner.connection, |transaction| {
            create_link_code(transaction, discord_id, &inner.outside).await
        }))
    }

    /// # Errors
    /// ERR-2003 where what speaks for the user has ended; ERR-2008 for a code that does not hold; ERR-4001; the database's.
    pub async fn link_discord(&self, caller: &UserCaller, code: &str) -> Result<user::Model> {
        let inner = &*self.inner;
        let user = caller.id;
        let speaker = match caller.by {
            Credential::Session { id, .. } => Speaker::Session(id),
            Credential::ApiToken { id, .. } => Speaker::ApiToken(id),
        };
        inner.gates.pass(&[Charge { key: &format!("link:{user}"), points: 1, limit: CODES }]).await?;
        let now = inner.outside.now();
        transaction!(inner.connection, |transaction| {
            confirm_speaker(transaction, user, speaker, now).await?;
            link_discord(transaction, user, code, now).await
        });
        self.account(user).await
    }

    /// # Errors
    /// The database's.
    pub async fn unlink_discord(&self, user: Uuid) -> Result<user::Model> {
        unlink_discord(&self.inner.connection, user).await?;
        self.account(user).await
    }
}
