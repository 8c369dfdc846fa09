//! Tokens for scripts: read only or whole, shown once, ended at once; and those of clients.

use chrono::{SecondsFormat, TimeDelta};
use serde_json::json;

use sea_orm::ConnectionTrait;

use super::hang_ups::until;
use super::{bot, mutate, on_each_database, sign_up, whoami};
use crate::harness::{Content, TestApp, everywhere};

const CREATE: &str = "mutation($input: CreateApiTokenInput!) { createApiToken(input: $input) \
     { apiToken { id name readOnly createdAt lastUsedAt expiresAt } token userErrors { errorCode path } } }";

everywhere! { Tables:
    async fn a_token_acts_for_its_user_and_one_that_reads_changes_nothing(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let make = async |read_only: bool| {
            let input = json!({"name": " nightly ", "readOnly": read_only});
            let made = app.ask_as(Some(&ada.access), CREATE, json!({"input": input})).await.field().clone();
            assert_eq!(made["apiToken"]["name"], "nightly");
            (made["token"].as_str().expect("a token").to_owned(), made["apiToken"]["id"].as_str().expect("an id").to_owned())
        };
        let (reads, _) = make(true).await;
        let (writes, id) = make(false).await;
        for token in [&reads, &writes] {
            assert!(token.starts_with("dcp_"));
            assert_eq!(whoami(&app, token).await, Ok(Some("ada@example.com".to_owned())));
        }
        let revoke = format!("mutation {{ revokeApiToken(input: {{id: \"{id}\"}}) {{ revokedId userErrors {{ errorCode }} }} }}");
        assert_eq!(app.ask_as(Some(&reads), &revoke, json!(null)).await.code(), Some("ERR-2005"));
        // What concerns the account itself needs a session.
        for mutation in [
            "logout { success }",
            "revokeAllSessions(input: {}) { revokedCount }",
            "deleteAccount(input: {password: \"x\"}) { deletedId }",
            "updateProfile(input: {displayName: \"x\"}) { user { id } }",
            "createApiToken(input: {name: \"x\"}) { token }",
            "changePassword(input: {currentPassword: \"x\", newPassword: \"y\"}) { revokedCount }",
        ] {
            let answer = app.ask_as(Some(&writes), &format!("mutation {{ {mutation} }}"), json!(null)).await;
            assert_eq!(answer.code(), Some("ERR-2005"), "{mutation}");
        }
        assert_eq!(app.ask_as(Some(&writes), &revoke, json!(null)).await.field()["revokedId"], json!(id));
        assert_eq!(whoami(&app, &writes).await, Err("ERR-2003".to_owned()), "at once");
        assert_eq!(whoami(&app, &reads).await, Ok(Some("ada@example.com".to_owned())));
        until("its use is noted", async || {
            assert!(whoami(&app, &reads).await.is_ok());
            let used = app.ask_as(Some(&ada.access), "{ viewer { apiTokens { name lastUsedAt } } }", json!(null)).await;
            used.field()["apiTokens"][0]["lastUsedAt"].is_string()
        })
        .await;
    }

    async fn a_token_ends_when_it_says_and_can_t_end_before_it_begins(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let at = |hours| (app.clock.now() + TimeDelta::hours(hours)).to_rfc3339_opts(SecondsFormat::Secs, true);
        let make = async |end: String| {
            let input = json!({"name": "x", "expiresAt": end});
            app.ask_as(Some(&ada.access), CREATE, json!({"input": input})).await
        };
        let past = make(at(-1)).await;
        let problem = &past.body["data"]["createApiToken"]["userErrors"][0];
        assert_eq!(problem, &json!({"errorCode": "ERR-3002", "path": ["expiresAt"]}));
        let token = make(at(1)).await.field()["token"].as_str().expect("a token").to_owned();
        assert!(whoami(&app, &token).await.is_ok());
        app.clock.advance(TimeDelta::hours(2));
        assert_eq!(whoami(&app, &token).await, Err("ERR-2002".to_owned()));
    }

    async fn names_are_checked_and_there_are_fifty_at_most(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        for name in ["", "   ", &"x".repeat(101), "a\u{0}b", "a\nb"] {
            let answer = app.ask_as(Some(&ada.access), CREATE, json!({"input": {"name": name}})).await;
            assert_eq!(answer.code(), Some("ERR-3002"), "{name:?}");
        }
        for number in 0..50 {
            mutate(&app, &ada, &format!("createApiToken(input: {{name: \"{number}\"}}) {{ token }}")).await.field();
        }
        assert_eq!(mutate(&app, &ada, "createApiToken(input: {name: \"x\"}) { token userErrors { errorCode } }").await.code(), Some("ERR-3004"));
        assert_eq!(app.rows("api_tokens").await, 50);
    }

    async fn a_clients_token_is_no_users_and_ends_for_good(app: TestApp) {
        use dualcaster::domain::accounts::{create_client, list_clients, revoke_client};
        use dualcaster::outside::Outside;
        use entity::enums::Role;
        let connection = app.bulk.write();
        let outside = Outside::system();
        let (_, token) = create_client(connection, "bot", Role::Bot, Some(100), &outside).await.expect("a client");
        let again = create_client(connection, "bot", Role::Bot, None, &outside).await.expect_err("taken");
        assert_eq!(again.refusal().code.number(), "ERR-3004");
        assert_eq!(whoami(&app, &token.text()).await, Ok(None));
        let logout = app.ask_as(Some(&token.text()), "mutation { logout { success } }", json!(null)).await;
        assert_eq!(logout.code(), Some("ERR-2005"));
        until("its use is noted", async || {
            assert_eq!(whoami(&app, &token.text()).await, Ok(None));
            let listed = list_clients(connection).await.expect("clients");
            listed[0].last_used_at.is_some() && listed[0].revoked_at.is_none()
        })
        .await;
        assert!(revoke_client(connection, "bot", outside.now()).await.expect("revoked"));
        assert!(!revoke_client(connection, "bot", outside.now()).await.expect("once"));
        assert_eq!(whoami(&app, &token.text()).await, Err("ERR-2003".to_owned()));
    }

    async fn who_reads_by_a_token_waits_for_nobody_who_writes(app: TestApp) {
        use dualcaster::domain::accounts::create_client;
        use dualcaster::outside::Outside;
        use entity::enums::Role;
        let ada = sign_up(&app, "ada@example.com").await;
        let made = mutate(&app, &ada, "createApiToken(input: {name: \"x\", readOnly: true}) { token }").await;
        let made = made.field()["token"].as_str().expect("a token").to_owned();
        let client = create_client(app.bulk.write(), "bot", Role::Bot, None, &Outside::system()).await;
        let tokens = [made, client.expect("a client").1.text()];
        let held = app.bulk.write().begin().await.expect("a transaction");
        for statement in ["update api_tokens set name = name", "update clients set name = name"] {
            held.execute_unprepared(statement).await.expect(statement);
        }
        for token in &tokens {
            let read = tokio::time::timeout(std::time::Duration::from_secs(20), whoami(&app, token));
            assert!(read.await.expect("it does not wait").is_ok());
        }
        held.rollback().await.expect("released");
        until("both uses are noted", async || {
            for token in &tokens {
                assert!(whoami(&app, token).await.is_ok());
            }
            let noted = |table: &str| format!("select count(*) as n from {table} where last_used_at is not null");
            app.number(&noted("api_tokens")).await + app.number(&noted("clients")).await == 2
        })
        .await;
    }

    async fn a_wrong_token_is_not_to_be_tried_without_end(app: TestApp) {
        for _ in 0..300 {
            assert_eq!(whoami(&app, "dcp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").await, Err("ERR-2003".to_owned()));
        }
        let answer = app.ask_as(Some("dcp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "{ viewer { id } }", json!(null)).await;
        assert!(matches!(answer.status, 401 | 429), "the bucket refills while it is emptied");
        let mut refused = 0;
        for _ in 0..30 {
            let answer = app.ask_as(Some("dcp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "{ viewer { id } }", json!(null)).await;
            refused += u32::from(answer.status == 429 && answer.headers.contains_key("retry-after"));
        }
        assert!(refused > 0, "none was refused");
    }
}

#[test]
fn what_one_server_takes_back_the_other_refuses() {
    use dualcaster::domain::accounts::revoke_client;
    on_each_database(Content::Tables, async |database| {
        let (here, there) = (TestApp::start(database).await, TestApp::start(database).await);
        let ada = sign_up(&here, "ada@example.com").await;
        let made =
            mutate(&here, &ada, "createApiToken(input: {name: \"x\"}) { token apiToken { id } }").await;
        let script = made.field()["token"].as_str().expect("a token").to_owned();
        let tokens = [script, bot(&here).await];
        for token in &tokens {
            assert!(whoami(&there, token).await.is_ok());
        }
        let revoke =
            format!("revokeApiToken(input: {{id: {}}}) {{ revokedId }}", made.field()["apiToken"]["id"]);
        mutate(&here, &ada, &revoke).await.field();
        assert!(revoke_client(here.bulk.write(), "bot", here.clock.now()).await.expect("revoked"));
        for app in [&there, &here] {
            for token in &tokens {
                assert_eq!(whoami(app, token).await, Err("ERR-2003".to_owned()), "{:?}", database.store);
            }
        }
        here.stop().await;
        there.stop().await;
    });
}
