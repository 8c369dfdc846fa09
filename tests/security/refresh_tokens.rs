//! Refresh tokens: each works once, for ten seconds gives the same answer again, and ends its session if it comes twice.
//! What becomes of them in a long and random life is in `sessions.rs`.

use std::collections::HashSet;

use chrono::TimeDelta;
use serde_json::json;

use super::{refresh, sign_in, sign_up, whoami};
use crate::harness::{Content, Store, TestApp, TestDatabase, draws, everywhere, runtime};

everywhere! { Tables:
    async fn a_token_works_once_and_gives_the_identical_pair_for_ten_seconds(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let first = refresh(&app, &ada.refresh).await.field().clone();
        assert_ne!(first["refreshToken"], ada.refresh);
        app.clock.advance(TimeDelta::seconds(9));
        let again = refresh(&app, &ada.refresh).await.field().clone();
        assert_eq!(again, first, "the lost answer, to the letter");
        app.clock.advance(TimeDelta::seconds(2));
        assert_eq!(refresh(&app, &ada.refresh).await.code(), Some("ERR-2003"), "too late: it is somebody else's");
        let child = first["refreshToken"].as_str().expect("a token");
        assert_eq!(refresh(&app, child).await.code(), Some("ERR-2003"), "the whole session has ended");
        let access = first["accessToken"].as_str().expect("a token");
        assert_eq!(whoami(&app, access).await, Err("ERR-2003".to_owned()));
    }

    async fn a_parent_whose_child_was_used_ends_the_session_at_once(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let other = sign_in(&app, "ada@example.com").await;
        let child = refresh(&app, &ada.refresh).await.field()["refreshToken"].as_str().expect("a token").to_owned();
        let grandchild = refresh(&app, &child).await.field()["refreshToken"].as_str().expect("a token").to_owned();
        assert_eq!(refresh(&app, &ada.refresh).await.code(), Some("ERR-2003"));
        assert_eq!(refresh(&app, &grandchild).await.code(), Some("ERR-2003"));
        assert_eq!(whoami(&app, &ada.access).await, Err("ERR-2003".to_owned()));
        assert_eq!(whoami(&app, &other.access).await, Ok(Some("ada@example.com".to_owned())), "another session");
    }

    async fn of_fifty_that_come_at_once_all_get_one_child(app: TestApp) {
        let mut ada = sign_up(&app, "ada@example.com").await;
        for family in 1..=draws(2) {
            let at_once = (0..50).map(|_| refresh(&app, &ada.refresh));
            let answers = futures_util::future::join_all(at_once).await;
            let pairs: HashSet<String> = answers.iter().map(|answer| answer.field().to_string()).collect();
            assert_eq!(pairs.len(), 1, "{pairs:?}");
            let tokens = i64::try_from(family).expect("a number") * 2;
            assert_eq!(app.rows("refresh_tokens").await, tokens, "each family has one child");
            if family < draws(2) {
                ada = sign_in(&app, "ada@example.com").await;
            }
        }
        app.clock.advance(TimeDelta::seconds(11));
        let at_once = (0..10).map(|_| refresh(&app, &ada.refresh));
        for answer in futures_util::future::join_all(at_once).await {
            assert_eq!(answer.code(), Some("ERR-2003"));
        }
    }

    async fn a_session_ends_after_thirty_days_without_use(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        app.clock.advance(TimeDelta::days(29));
        let token = refresh(&app, &ada.refresh).await.field()["refreshToken"].as_str().expect("a token").to_owned();
        app.clock.advance(TimeDelta::days(29));
        let token = refresh(&app, &token).await.field()["refreshToken"].as_str().expect("a token").to_owned();
        app.clock.advance(TimeDelta::days(30));
        assert_eq!(refresh(&app, &token).await.code(), Some("ERR-2002"));
    }

    async fn the_store_knows_a_token_by_its_digest_only(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        assert!(ada.refresh.starts_with("dcr_") && ada.refresh.len() == 4 + 43, "256 bits in base64");
        let bytes = |row: &str| format!("select count(*) as n from refresh_tokens where length(hash) = {row}");
        assert_eq!(app.number(&bytes("32")).await, 1);
        for nonsense in ["", "dcr_", "dcr_AAAA", &ada.access, &format!("{}x", ada.refresh)] {
            assert_eq!(refresh(&app, nonsense).await.code(), Some("ERR-2003"), "{nonsense:?}");
        }
        assert_eq!(whoami(&app, &ada.access).await, Ok(Some(ada.email)), "nonsense ends nobody's session");
    }
}

#[test]
fn a_secret_that_changes_ends_no_session_and_loses_no_answer() {
    const OLD: &str = "an old secret that is long enough for it";
    const NEW: &str = "a new secret that is long enough as well";
    for store in [Store::Postgres, Store::Sqlite] {
        runtime().block_on(async {
            let database = TestDatabase::new(store, Content::Tables).await;
            let with = async |secrets: &[&str]| {
                let mut settings = database.settings();
                settings.server.secrets = secrets.iter().map(|&secret| secret.to_owned()).collect();
                TestApp::start_with(&database, settings).await
            };
            let (before, during, late) =
                (with(&[OLD]).await, with(&[NEW, OLD]).await, with(&[OLD, NEW]).await);
            let ada = sign_up(&before, "ada@example.com").await;
            let first = refresh(&before, &ada.refresh).await.field().clone();
            assert_eq!(refresh(&during, &ada.refresh).await.field(), &first, "the lost answer");
            let child = first["refreshToken"].as_str().expect("a token");
            let second = refresh(&during, child).await.field().clone();
            assert_eq!(refresh(&late, child).await.field(), &second, "of the new secret too");
            let access = second["accessToken"].as_str().expect("a token");
            let create = async |app: &TestApp| {
                let query =
                    "mutation { createApiToken(input: {name: \"x\"}) { token userErrors { errorCode } } }";
                app.ask_with(Some(access), &[("idempotency-key", "k-1")], query, json!(null)).await
            };
            let made = create(&before).await;
            assert!(made.field()["token"].is_string());
            assert_eq!(create(&during).await.body, made.body);
            for app in [before, during, late] {
                app.stop().await;
            }
            database.remove().await;
        });
    }
}
