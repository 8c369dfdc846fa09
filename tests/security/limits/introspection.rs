//! What a stranger learns of the schema in production.

use dualcaster::config::{Introspection, Mode, Settings};
use serde_json::{Value, json};

use crate::harness::{Content, TestApp, post, query, refusal, send};
use crate::jobs::administrator;
use crate::security::{bot, everywhere_with, sign_up};

fn in_production(test: impl AsyncFn(&TestApp)) {
    with_settings(|settings| settings.mode = Mode::Production, test);
}

fn with_settings(change: impl Fn(&mut Settings), test: impl AsyncFn(&TestApp)) {
    everywhere_with(Content::Tables, change, test);
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
        for (token, status) in [(None, 404), (Some(&ada.access), 404), (Some(&root.access), 200)] {
            assert_eq!(schema_text(app, token.map(String::as_str)).await, status, "{token:?}");
        }
    });
}

/// The status of the schema as text.
async fn schema_text(app: &TestApp, token: Option<&str>) -> u16 {
    let request = app.client.get(format!("{}/schema.graphql", app.base));
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let answer = send(request).await;
    let status = answer.status().as_u16();
    assert_eq!(answer.text().await.expect("text") == dualcaster::graphql::sdl(), status == 200);
    status
}

#[test]
fn introspection_is_for_whom_the_setting_says() {
    let asked = query("{ __schema { queryType { name } } }");
    for mode in [Mode::Development, Mode::Production] {
        let change = |introspection| {
            move |settings: &mut Settings| {
                (settings.mode, settings.server.introspection) = (mode, Some(introspection));
            }
        };
        with_settings(change(Introspection::Everyone), async |app| {
            let told = send(post(app).header("x-dualcaster-explain", "1").json(&asked)).await;
            let told: Value = told.json().await.expect("JSON");
            assert_eq!(told["data"]["__schema"]["queryType"]["name"], json!("Query"), "{mode:?}: {told}");
            let explains = told["extensions"].get("explain").is_some();
            assert_eq!(explains, mode == Mode::Development, "what an answer took is another matter");
            assert_eq!(schema_text(app, None).await, 200);
        });
        with_settings(change(Introspection::Administrators), async |app| {
            let root = administrator(app).await;
            assert_eq!(refusal(post(app).json(&asked)).await, (400, "ERR-2005".to_owned()), "{mode:?}");
            assert_eq!(send(post(app).bearer_auth(&root.access).json(&asked)).await.status(), 200);
            let told = (schema_text(app, None).await, schema_text(app, Some(&root.access)).await);
            assert_eq!(told, (404, 200), "{mode:?}");
        });
    }
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
