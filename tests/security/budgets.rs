//! Budgets by cost: charged for what a query may cost, given back what it did not.

use dualcaster::config::Settings;
use serde_json::{Value, json};

use super::{everywhere_with, on_each_database, sign_up};
use crate::harness::{Content, TestApp};

/// Runs a test against servers whose callers have little: 300 points at once, one more a second.
fn with_little(test: impl AsyncFn(&TestApp)) {
    let little = |settings: &mut Settings| {
        settings.budget.anonymous = "300/1".parse().expect("a budget");
        settings.budget.user = settings.budget.anonymous;
    };
    everywhere_with(Content::Market, little, test);
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("no number in {value}"))
}

#[test]
fn an_answer_tells_what_it_cost_and_what_is_left() {
    with_little(async |app| {
        let query = "{ cards(first: 100, search: \"no such card\") { nodes { id } } }";
        let answer = app.ask_as(None, query, json!(null)).await;
        let cost = &answer.body["extensions"]["cost"];
        assert_eq!(number(&cost["requested"]), 101, "{cost}");
        assert_eq!((number(&cost["actual"]), number(&cost["refill"])), (1, 1));
        assert_eq!(number(&cost["available"]), 299);
        let answer = app.ask_as(None, "{ cards(first: 50) { nodes { id } } }", json!(null)).await;
        let cost = &answer.body["extensions"]["cost"];
        assert_eq!((number(&cost["requested"]), number(&cost["actual"])), (51, 51));
        assert!((248..=250).contains(&number(&cost["available"])), "{cost}");
    });
}

#[test]
fn who_has_used_up_a_budget_is_told_when_to_come_back() {
    with_little(async |app| {
        let ada = sign_up(app, "ada@example.com").await;
        let query = "{ cards(first: 90) { nodes { id } } }";
        for _ in 0..3 {
            assert_eq!(app.ask_as(None, query, json!(null)).await.code(), None);
        }
        let before = app.statements();
        let refused = app.ask_as(None, query, json!(null)).await;
        assert_eq!((refused.status, refused.code()), (429, Some("ERR-4001")));
        let seconds: u64 = refused.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((50..=92).contains(&seconds), "{seconds}");
        assert_eq!(app.statements(), before, "nothing is executed");
        assert_eq!(
            app.ask_as(Some(&ada.access), query, json!(null)).await.code(),
            None,
            "nobody else's is touched"
        );
        assert_eq!(app.ask_as(None, "{ __typename }", json!(null)).await.code(), None, "what it still has");
    });
}

/// As many bytes as are read for 59 points, and what is read for one more.
fn long(document: &str) -> String {
    format!("{document} #{}", "x".repeat(59 << 10))
}

#[test]
fn who_sends_what_is_refused_again_and_again_is_told_when_to_come_back() {
    with_little(async |app| {
        let ada = sign_up(app, "ada@example.com").await;
        let nonsense = long("{ nothing }");
        for _ in 0..5 {
            assert_eq!(app.ask_as(None, &nonsense, json!(null)).await.code(), Some("ERR-3002"));
        }
        let refused = app.ask_as(None, &nonsense, json!(null)).await;
        assert_eq!((refused.status, refused.code()), (429, Some("ERR-4001")));
        let seconds: u64 = refused.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((1..=60).contains(&seconds), "{seconds}");
        let told = app.ask_as(Some(&ada.access), &nonsense, json!(null)).await;
        assert_eq!(told.code(), Some("ERR-3002"), "nobody else waits");
    });
}

/// Sends documents that differ and are all valid and refused, and then one that would be answered.
async fn send_refused(app: &TestApp, token: &str, document: &str, code: &str) {
    for number in 0..5 {
        let document = long(&document.replace("ALIAS", &format!("a{number}")));
        let answer = app.ask_as(Some(token), &document, json!(null)).await;
        assert_eq!(answer.code(), Some(code));
    }
    let answer = app.ask_as(Some(token), &long("{ __typename }"), json!(null)).await;
    assert_eq!((answer.status, answer.code()), (429, Some("ERR-4001")), "{document}");
}

#[test]
fn what_is_valid_and_refused_has_been_read_all_the_same() {
    with_little(async |app| {
        let ada = sign_up(app, "ada@example.com").await;
        let bob = sign_up(app, "bob@example.com").await;
        send_refused(app, "not a token", "{ ALIAS: __typename }", "ERR-2001").await;
        for _ in 0..3 {
            let query = "{ cards(first: 90) { nodes { id } } }";
            assert_eq!(app.ask_as(Some(&ada.access), query, json!(null)).await.code(), None);
        }
        send_refused(app, &ada.access, "{ ALIAS: cards(first: 90) { nodes { id } } }", "ERR-4001").await;
        let subscription = "subscription { ALIAS: wantListHits { id } }";
        send_refused(app, &bob.access, subscription, "ERR-3002").await;
    });
}

#[test]
fn who_makes_some_mistakes_goes_on() {
    with_little(async |app| {
        for _ in 0..50 {
            assert_eq!(app.ask_as(None, "{ nothing }", json!(null)).await.code(), Some("ERR-3002"));
        }
        for _ in 0..10 {
            let answer = app.ask_as(None, &long("{ __typename }"), json!(null)).await;
            assert_eq!(answer.code(), None, "what is executed is charged for no letters");
        }
        let cost = app.ask_as(None, "{ __typename }", json!(null)).await.body["extensions"]["cost"].take();
        assert!(number(&cost["available"]) >= 289, "mistakes take nothing from the budget: {cost}");
    });
}

#[test]
fn two_servers_share_a_budget_where_they_share_redis() {
    on_each_database(Content::Market, async |database| {
        let mut settings = database.settings();
        settings.budget.anonymous = "300/1".parse().expect("a budget");
        let here = TestApp::start_with(database, settings.clone()).await;
        let there = TestApp::start_with(database, settings).await;
        let mut granted = 0;
        for app in [&here, &there, &here, &there, &here, &there, &here, &there] {
            let answer = app.ask_as(None, "{ cards(first: 99) { nodes { id } } }", json!(null)).await;
            granted += u32::from(answer.code().is_none());
        }
        assert_eq!(granted, if database.redis.is_some() { 3 } else { 6 }, "{:?}", database.store);
        here.stop().await;
        there.stop().await;
    });
}
