//! Accounts: how long what signs somebody in holds, and what signs it.

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;

use super::{Environment, Mode};
use crate::identity::{AccessKeys, Mailer};

/// Settings of accounts.
#[derive(Clone)]
pub struct AccountSettings {
    /// The Ed25519 keys in PEM, one after the other: the first signs, each verifies. `None`: made and kept in the data
    /// folder.
    pub jwt_keys: Option<String>,
    pub access_lifetime: Duration,
    pub session_lifetime: Duration,
    pub refresh_grace: Duration,
    /// Where mail goes; `None`: into the data folder.
    pub smtp_url: Option<String>,
    /// Who mail is from.
    pub mail_from: String,
    /// Hashes that wait for their turn at most.
    pub hashes_waiting: usize,
}

impl std::fmt::Debug for AccountSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("AccountSettings")
            .field("access_lifetime", &self.access_lifetime)
            .finish_non_exhaustive()
    }
}

/// The longest that an access token may hold: nothing but its end takes back what it says.
const LONGEST_ACCESS: u64 = 600;

impl AccountSettings {
    pub(super) fn read(environment: &mut Environment, mode: Mode) -> Self {
        let key = environment.optional_secret(
            "DUALCASTER_JWT_KEY",
            "made and kept in the data folder",
            "The Ed25519 private key that signs access tokens, as PEM, or `file:` and its path; two keys one after the other while it is changed, the new one first. Required in production.",
        );
        let jwt_keys = key.and_then(|key| match key.strip_prefix("file:") {
            Some(path) => std::fs::read_to_string(PathBuf::from(path))
                .map_err(|error| {
                    environment.mistake(format!("DUALCASTER_JWT_KEY: the file can't be read: {error}"))
                })
                .ok(),
            // A variable of one line has its line breaks written out.
            None => Some(key.replace("\\n", "\n")),
        });
        // What is wrong with it is told without any of it.
        if let Some(Err(wrong)) = jwt_keys.as_deref().map(|pem| AccessKeys::read(pem, TimeDelta::zero())) {
            environment.mistake(format!("DUALCASTER_JWT_KEY: {wrong}"));
        }
        let access: u64 = environment.positive(
            "DUALCASTER_ACCESS_TOKEN_SECONDS",
            "600",
            "How long an access token holds, 600 at most.",
        );
        if access > LONGEST_ACCESS {
            environment.mistake(format!("DUALCASTER_ACCESS_TOKEN_SECONDS: must be {LONGEST_ACCESS} at most"));
        }
        let days: u64 =
            environment.positive("DUALCASTER_SESSION_DAYS", "30", "How long a session lasts without use.");
        let grace: u64 = environment.get(
            "DUALCASTER_REFRESH_GRACE_SECONDS",
            "10",
            "How long a used refresh token gives the same answer again, for clients that lost it.",
        );
        let smtp_url = environment.optional_secret(
            "DUALCASTER_SMTP_URL",
            "none: mails are written to the data folder",
            "`smtps://user:password@host`: where mail goes. Required in production.",
        );
        if smtp_url.as_deref().is_some_and(|url| !Mailer::knows_server(url)) {
            // Its password stands in it.
            environment.mistake(
                "DUALCASTER_SMTP_URL: must be like smtps://user:password@host, or smtp://".to_owned(),
            );
        }
        let mail_from: String = environment.get(
            "DUALCASTER_MAIL_FROM",
            "Dualcaster <no-reply@dualcaster.invalid>",
            "The sender of mail.",
        );
        if !Mailer::knows_sender(&mail_from) {
            environment.mistake(format!(
                "DUALCASTER_MAIL_FROM: {mail_from:?} must be like Cards <no-reply@cards.example>"
            ));
        }
        let settings = Self {
            jwt_keys,
            access_lifetime: Duration::from_secs(access),
            session_lifetime: Duration::from_secs(days.saturating_mul(24 * 60 * 60)),
            refresh_grace: Duration::from_secs(grace),
            smtp_url,
            mail_from,
            hashes_waiting: environment.get(
                "DUALCASTER_PASSWORD_QUEUE",
                "32",
                "Password hashes that wait for a core at most; who comes beyond that is told to come back.",
            ),
        };
        if mode == Mode::Production {
            for (name, is_set) in [
                ("DUALCASTER_JWT_KEY", settings.jwt_keys.is_some()),
                ("DUALCASTER_SMTP_URL", settings.smtp_url.is_some()),
            ] {
                if !is_set {
                    environment.mistake(format!("{name}: must be set in production"));
                }
            }
        }
        settings
    }
}
