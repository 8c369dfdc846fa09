//! A command happens whole or not at all: a write that fails in the middle of it leaves nothing of it behind.

use dualcaster::domain::accounts::create_client;
use dualcaster::outside::Outside;
use entity::enums::Role;
use serde_json::json;

use super::leaks::dump;
use super::{PASSWORD, sign_up, token_mailed_to};
use crate::harness::{Store, TestApp, everywhere};

/// Makes every change of this kind to a table fail, or lets it again.
async fn forbid(app: &TestApp, table: &str, change: &str) {
    match app.store {
        Store::Postgres => {
            app.execute(
                "create or replace function forbidden() returns trigger language plpgsql as
                 $$ begin raise exception 'not today'; end $$",
            )
            .await;
            app.execute(&format!(
                "create trigger forbidden after {change} on {table} for each row execute function forbidden()"
            ))
            .await;
        }
        Store::Sqlite => {
            app.execute(&format!(
                "create trigger forbidden after {change} on {table} begin select raise(abort, 'not today'); end"
            ))
            .await;
        }
    }
}

async fn allow(app: &TestApp, table: &str) {
    match app.store {
        Store::Postgres => app.execute(&format!("drop trigger forbidden on {table}")).await,
        Store::Sqlite => app.execute("drop trigger forbidden").await,
    }
}

everywhere! { Tables:
    async fn what_fails_in_the_middle_leaves_nothing_behind(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let bot = create_client(app.bulk.write(), "bot", Role::Bot, None, &Outside::system()).await.expect("a client").1.text();
        let code = app.ask_as(Some(&bot), "mutation { createDiscordLinkCode(input: {discordId: \"7\"}) { code } }", json!(null)).await;
        let code = code.field()["code"].as_str().expect("a code").to_owned();
        let verify = token_mailed_to(&app, "ada@example.com", "verify-email").await;
        app.ask_as(None, "mutation { requestPasswordReset(input: {email: \"ada@example.com\"}) { success } }", json!(null)).await;
        let reset = token_mailed_to(&app, "ada@example.com", "reset-password").await;
        let new = "eleven owls debate philosophy";
        let commands = [
            (None, format!("register(input: {{email: \"bob@example.com\", password: \"{PASSWORD}\", displayName: \"Bob\"}})"),
                &[("sessions", "insert"), ("refresh_tokens", "insert"), ("one_time_tokens", "insert")][..]),
            (None, format!("login(input: {{email: \"ada@example.com\", password: \"{PASSWORD}\"}})"),
                &[("sessions", "insert"), ("refresh_tokens", "insert")]),
            (None, format!("refreshSession(input: {{refreshToken: \"{}\"}})", ada.refresh),
                &[("refresh_tokens", "update"), ("refresh_tokens", "insert"), ("sessions", "update")]),
            (Some(&ada.access), format!("changePassword(input: {{currentPassword: \"{PASSWORD}\", newPassword: \"{new}\"}})"),
                &[("users", "update"), ("one_time_tokens", "delete")]),
            (None, format!("resetPassword(input: {{token: \"{reset}\", newPassword: \"{new}\"}})"),
                &[("one_time_tokens", "delete"), ("users", "update"), ("sessions", "update")]),
            (None, format!("verifyEmail(input: {{token: \"{verify}\"}})"), &[("one_time_tokens", "delete"), ("users", "update")]),
            (Some(&ada.access), format!("updateProfile(input: {{displayName: \"X\", email: \"new@example.com\", currentPassword: \"{PASSWORD}\"}})"),
                &[("users", "update"), ("one_time_tokens", "insert")]),
            (Some(&bot), "createDiscordLinkCode(input: {discordId: \"7\"})".to_owned(),
                &[("discord_link_codes", "delete"), ("discord_link_codes", "insert")]),
            (Some(&ada.access), format!("linkDiscordAccount(input: {{code: \"{code}\"}})"),
                &[("discord_link_codes", "delete"), ("users", "update")]),
            (Some(&ada.access), "createApiToken(input: {name: \"x\"})".to_owned(), &[("api_tokens", "insert")]),
            (Some(&ada.access), "revokeAllSessions(input: {})".to_owned(), &[("users", "update"), ("sessions", "update")]),
            (Some(&ada.access), "logout".to_owned(), &[("sessions", "update")]),
            (Some(&ada.access), format!("deleteAccount(input: {{password: \"{PASSWORD}\"}})"),
                &[("refresh_tokens", "delete"), ("sessions", "delete"), ("users", "delete")]),
        ];
        for (token, command, writes) in &commands {
            for (table, change) in *writes {
                let before = dump(&app).await;
                forbid(&app, table, change).await;
                let query = format!("mutation {{ {command} {{ userErrors {{ errorCode }} }} }}");
                let answer = app.ask_as(token.map(String::as_str), &query, json!(null)).await;
                allow(&app, table).await;
                assert_eq!(answer.code(), Some("ERR-5000"), "{command} without {change} on {table}: {}", answer.body);
                assert!(dump(&app).await == before, "{command} without {change} on {table} left something behind");
            }
        }
        // And nobody was signed out by what did not happen.
        let viewer = app.ask_as(Some(&ada.access), "{ viewer { email } }", json!(null)).await;
        assert_eq!(viewer.field()["email"], "ada@example.com");
    }
}
