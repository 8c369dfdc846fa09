//! Several operations in one request: few or none, and each of them as if it had come alone.

use std::time::Duration;

use dualcaster::config::Settings;
use reqwest::header::ACCEPT;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::collection::nobodys;
use crate::harness::{
    Answered, Content, RESPONSE, Store, TestApp, TestDatabase, on_both_stores, post, query, refusal, runtime,
    send,
};
use crate::security::{PASSWORD, sign_up};

/// Runs a test against a server that takes batches; `change` changes its other settings.
fn with_batches(
    (store, content): (Store, Content),
    change: impl FnOnce(&mut Settings),
    test: impl AsyncFnOnce(&TestApp),
) {
    runtime().block_on(async {
        let database = TestDatabase::new(store, content).await;
        let mut settings = database.settings();
        settings.guard.batch = 10;
        change(&mut settings);
        let app = TestApp::start_with(&database, settings).await;
        test(&app).await;
        app.stop().await;
        database.remove().await;
    });
}

const EMPTY: (Store, Content) = (Store::Sqlite, Content::Tables);

/// The answers to a batch, in the order in which they came, each with the headers of them all.
async fn answers(app: &TestApp, token: Option<&str>, key: Option<&str>, batch: &[Value]) -> Vec<Answered> {
    let mut request = post(app).json(batch);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let answer = send(request).await;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.expect("text");
    assert_eq!(status, 200, "{text}");
    let bodies: Vec<Value> = serde_json::from_str(&text).expect("a list");
    bodies.into_iter().map(|body| Answered { status, headers: headers.clone(), body }).collect()
}

/// Whether they are said to have been given before.
fn are_replayed(answers: &[Answered]) -> bool {
    answers[0].headers.get("idempotency-replayed").is_some_and(|told| told == "true")
}

/// The code of each.
fn codes(answers: &[Answered]) -> Vec<Option<&str>> {
    answers.iter().map(Answered::code).collect()
}

/// An operation that costs a statement, as often as said.
fn asking(count: usize) -> Vec<Value> {
    vec![query("{ marketplaces { slug } }"); count]
}

fn login(password: &str) -> Value {
    let input = json!({"email": "ada@example.com", "password": password});
    let query =
        "mutation($input: LoginInput!) { login(input: $input) { user { email } userErrors { errorCode } } }";
    json!({"query": query, "variables": {"input": input}})
}

on_both_stores! { Tables:
    async fn no_batch_is_taken_where_nothing_is_set(app: TestApp) {
        let before = app.statements();
        for count in [1, 2, 11] {
            assert_eq!(refusal(post(&app).json(&asking(count))).await, (413, "ERR-4006".to_owned()), "{count}");
        }
        assert_eq!(app.statements(), before, "nothing is executed");
    }
}

#[test]
fn operations_10_in_a_batch_pass_and_11_are_refused() {
    with_batches(
        EMPTY,
        |_| {},
        async |app| {
            let batch: Vec<_> =
                (0..10).map(|number| query(&format!("{{ a{number}: __typename }}"))).collect();
            for (number, answer) in answers(app, None, None, &batch).await.iter().enumerate() {
                let name = format!("a{number}");
                assert_eq!(answer.body["data"], json!({name: "Query"}), "in their order");
                assert_eq!(answer.body["extensions"]["cost"]["requested"], json!(1));
            }
            let before = app.statements();
            assert_eq!(refusal(post(app).json(&asking(11))).await, (413, "ERR-4006".to_owned()));
            // One that is no operation takes the others with it.
            let malformed = [query("{ marketplaces { slug } }"), json!(7)];
            for batch in [&[][..], &malformed[..]] {
                assert_eq!(refusal(post(app).json(batch)).await, (400, "ERR-3002".to_owned()));
            }
            assert_eq!(app.statements(), before, "nothing is executed");
            // One that is not valid does not.
            let some = [query("{ __typename }"), query("{ nothing }"), query("{ marketplaces { slug } }")];
            let some = answers(app, None, None, &some).await;
            assert_eq!(codes(&some), [None, Some("ERR-3002"), None]);
            assert_eq!(some[1].body.get("data"), None);
        },
    );
}

#[test]
fn a_batch_comes_by_post_and_is_answered_once() {
    with_batches(
        EMPTY,
        |_| {},
        async |app| {
            let input = json!({"email": "ada@example.com", "password": PASSWORD, "displayName": "Ada"});
            let text = "mutation($input: RegisterInput!) { register(input: $input) { user { id } } }";
            let batch = json!([{"query": text, "variables": {"input": input}}]);
            let written = form_urlencoded::Serializer::new(String::new())
                .append_pair("query", &batch.to_string())
                .finish();
            for parameters in ["", written.as_str()] {
                let by_get = app.client.get(format!("{}/graphql?{parameters}", app.base)).json(&batch);
                assert_eq!(refusal(by_get.header(ACCEPT, RESPONSE)).await.0, 400);
            }
            let as_events =
                app.client.post(format!("{}/graphql", app.base)).header(ACCEPT, "text/event-stream");
            assert_eq!(refusal(as_events.json(&batch)).await, (413, "ERR-4006".to_owned()));
            assert_eq!(app.rows("users").await, 0, "nothing is executed");
            let made = answers(app, None, None, &[batch[0].clone()]).await;
            assert_eq!((made.len(), made[0].code(), app.rows("users").await), (1, None, 1));
        },
    );
}

#[test]
fn each_operation_is_charged_to_the_budget() {
    let little = |settings: &mut Settings| settings.budget.anonymous = "300/1".parse().expect("a budget");
    with_batches((Store::Sqlite, Content::Market), little, async |app| {
        let batch = vec![query("{ cards(first: 90) { nodes { id } } }"); 4];
        let told = answers(app, None, None, &batch).await;
        assert_eq!(codes(&told), [None, None, None, Some("ERR-4001")]);
        assert_eq!(told[3].body.get("data"), None);
        assert_eq!(refusal(post(app).json(&batch[0])).await, (429, "ERR-4001".to_owned()));
    });
}

#[test]
fn each_operation_that_misses_is_a_miss() {
    with_batches(
        EMPTY,
        |_| {},
        async |app| {
            let ada = sign_up(app, "ada@example.com").await;
            let of = |id: &str| json!({"query": "query($id: ID!) { node(id: $id) { id } }", "variables": {"id": id}});
            let misses: Vec<_> = (0..9).map(|_| of(&nobodys("Session"))).collect();
            let token = Some(ada.access.as_str());
            assert_eq!(codes(&answers(app, token, None, &misses).await), [None; 9]);
            let batch = [of(&ada.id), of(&nobodys("Session")), of(&ada.id)];
            let told = answers(app, token, None, &batch).await;
            assert_eq!(told[0].field()["id"], json!(ada.id));
            assert_eq!(codes(&told[1..]), [None, Some("ERR-4002")]);
        },
    );
}

#[test]
fn each_guess_at_a_password_is_one() {
    with_batches(
        EMPTY,
        |_| {},
        async |app| {
            sign_up(app, "ada@example.com").await;
            let guesses = [vec![login("wrong"); 5], vec![login(PASSWORD); 2]].concat();
            let told = answers(app, None, None, &guesses).await;
            let (wrong, refused) = (Some("ERR-2004"), Some("ERR-4001"));
            assert_eq!(codes(&told), [wrong, wrong, wrong, wrong, wrong, refused, refused]);
        },
    );
}

#[test]
fn what_was_answered_is_told_whatever_becomes_of_the_rest() {
    with_batches(
        EMPTY,
        |_| {},
        async |app| {
            let ada = sign_up(app, "ada@example.com").await;
            let create = |name: &str| {
                let query = "mutation($name: String!) { createApiToken(input: {name: $name}) { token } }";
                json!({"query": query, "variables": {"name": name}})
            };
            let (token, key) = (Some(ada.access.as_str()), Some("k-1"));
            let first = answers(app, token, key, &[create("one"), create("two")]).await;
            assert_eq!(codes(&first), [None, None]);
            let again = answers(app, token, key, &[create("one"), create("two")]).await;
            for (again, first) in again.iter().zip(&first) {
                assert_eq!(again.body, first.body);
            }
            // Under the key the second was another.
            let mixed = answers(app, token, key, &[create("one"), create("three")]).await;
            assert_eq!(mixed[0].body, first[0].body);
            assert_eq!(codes(&mixed), [None, Some("ERR-3004")]);
            assert_eq!(app.rows("api_tokens").await, 2);
            // The header is of them all.
            let beside = answers(app, token, key, &[create("one"), query("{ viewer { id } }")]).await;
            assert_eq!((&beside[0].body, codes(&beside)), (&first[0].body, vec![None, None]));
            let told = [&first, &again, &mixed, &beside].map(|answers| are_replayed(answers));
            assert_eq!(told, [false, true, false, false]);
            // With a token that does not hold one may sign in, and do nothing else.
            let viewer = query("{ viewer { id } }");
            let told = answers(app, Some("wrong"), None, &[login(PASSWORD), viewer.clone()]).await;
            assert_eq!(told[0].field()["user"]["email"], json!("ada@example.com"));
            assert_eq!(codes(&told), [None, Some("ERR-2001")]);
            let before = app.rows("sessions").await;
            let refused = refusal(post(app).bearer_auth("wrong").json(&[viewer, login(PASSWORD)])).await;
            assert_eq!((refused, app.rows("sessions").await), ((401, "ERR-2001".to_owned()), before));
        },
    );
}

#[test]
fn what_comes_after_the_deadline_is_late_and_what_came_before_is_not() {
    let brief = |settings: &mut Settings| settings.server.request_timeout = Duration::from_millis(300);
    with_batches((Store::Postgres, Content::Tables), brief, async |app| {
        let holding = app.bulk.write().begin().await.expect("a transaction");
        holding.execute_unprepared("lock table marketplaces in access exclusive mode").await.expect("locked");
        let batch = [query("{ __typename }"), query("{ marketplaces { slug } }"), query("{ __typename }")];
        let told = answers(app, None, None, &batch).await;
        assert_eq!(codes(&told), [None, Some("ERR-5002"), Some("ERR-5002")]);
        assert_eq!(told[0].field(), &json!("Query"));
        holding.rollback().await.expect("let go");
    });
}
