//! What a stranger learns of the schema in production.

use serde_json::{Value, json};

use crate::harness::{Content, Store, TestApp, TestDatabase, post, query, refusal, runtime, send};
use crate::jobs::administrator;
use crate::security::{bot, sign_up};

fn in_production(test: impl AsyncFnOnce(&TestApp)) {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Tables).await;
        let mut settings = database.settings();
        settings.mode = dualcaster::config::Mode::Production;
        let app = TestApp::start_with(&database, settings).await;
        test(&app).await;
        app.stop().await;
        database.remove().await;
    });
}

#[test]
fn introspection_in_production_is_for_administrators_only() {
    in_production(async |app| {
        let (ada, root) = (sign_up(app, "ada@example.com").await, administrator(app).await);
        let bot = bot(app).await;
        for text in [
            "{ __schema { types { name } } }",
            "{ ...A } fragment A on Query { x: __type(name: \"Card\") { name } }",
        ] {
            for token in [None, Some(ada.access.as_str()), Some(bot.as_str())] {
                let mut request = post(app).json(&query(text));
                if let Some(token) = token {
                    request = request.bearer_auth(token);
                }
                assert_eq!(refusal(request).await, (400, "ERR-2005".to_owned()), "{text}");
            }
            let told = app.ask_as(Some(&root.access), text, json!(null)).await;
            assert!(told.field().is_object(), "{:#}", told.body);
        }
    });
}

#[test]
fn no_hint_says_what_was_meant() {
    in_production(async |app| {
        for (text, meant) in [
            ("{ carts { totalCount } }", "cards"),
            ("{ cards { totalCuont } }", "totalCount"),
            ("{ cards(frist: 1) { totalCount } }", "first"),
            ("{ cards(sort: {field: PRISE}) { totalCount } }", "PRICE"),
            ("{ card(by: {fuzzyNmae: \"x\"}) { id } }", "fuzzyName"),
            ("{ node(id: \"x\") { ... on Crad { id } } }", "Card"),
            ("{ __typename @inclde(if: true) }", "include"),
            ("{ marketplaces @include(if: true, iff: true) { slug } }", "\"if\""),
        ] {
            let body: Value = send(post(app).json(&query(text))).await.json().await.expect("JSON");
            assert!(body.get("data").is_none(), "{body}");
            for error in body["errors"].as_array().expect("errors") {
                let message = error["message"].as_str().expect("a message");
                let is_told = message.to_lowercase().contains("did you mean") || message.contains(meant);
                assert!(!is_told, "{text}: {message}");
            }
        }
    });
}
