//! What one document may ask for.

use serde_json::{Value, json};

use super::{passes, refused};
use crate::harness::{
    Content, Store, TestApp, TestDatabase, on_both_stores, post, query, refusal, runtime, send,
};
use crate::jobs::administrator;

/// A query of a card, so many levels deep, of which the last is a leaf.
fn nested(levels: usize) -> Value {
    // card, then a set and its cards' connection and nodes over and over again.
    const STEPS: [&str; 3] = ["set", "cards(first: 0)", "nodes"];
    let mut text = "{ card(by: {name: \"x\"}) ".to_owned();
    for level in 0..levels - 2 {
        text.push_str(&format!("{{ {} ", STEPS[level % 3]));
    }
    text.push_str("{ __typename ");
    text.push_str(&"}".repeat(levels));
    query(&text)
}

/// `__typename` as often as said, each time under another alias.
fn aliases(count: usize) -> String {
    (0..count).map(|index| format!("a{index}: __typename ")).collect()
}

/// `__typename` as often as said, below the root.
fn fields(count: usize) -> Value {
    query(&format!("{{ cards {{ {}}} }}", "__typename ".repeat(count)))
}

/// What was written for each number below `count`.
fn each(count: usize, write: impl Fn(usize) -> String) -> String {
    (0..count).map(write).collect()
}

/// Fragments that spread the next one twice, so many, of which the last spreads one more.
fn doubling(levels: usize) -> String {
    each(levels, |level| format!(" fragment F{level} on Query {{ ...F{0} ...F{0} }}", level + 1))
}

/// Documents that are small, or seem so, and would keep or end a server that parsed, checked or answered them; each with the
/// code that it is refused by.
fn bombs() -> Vec<(&'static str, String, &'static str)> {
    let wide = format!(
        "{{ cards {{ {} }} }} fragment A on CardConnection {{ nodes {{ {} }} }} fragment B on Card {{ {} }}",
        "...A ".repeat(200),
        "...B ".repeat(200),
        "id name ".repeat(250)
    );
    let brackets =
        format!("{{ cards(first: {}1{}) {{ totalCount }} }}", "[".repeat(2_000), "]".repeat(2_000));
    let chain = each(150, |level| format!(" fragment C{level} on Query {{ ... {{ ...C{} }} }}", level + 1));
    let deep = "{a:".repeat(21_000);
    vec![
        (
            "leaves",
            format!("{{ ...F0 }} {} fragment F30 on Query {{ __typename }}", doubling(30)),
            "ERR-4003",
        ),
        ("no leaves", format!("{{ ...F0 }} {}", doubling(30)), "ERR-4003"),
        ("nothing spreads it", format!("{{ __typename }} {}", doubling(30)), "ERR-4003"),
        ("wide", wide, "ERR-4003"),
        ("brackets", brackets, "ERR-4003"),
        (
            "brackets after many tokens",
            format!("{{ {} {}", "x ".repeat(5_001), "{x".repeat(20_000)),
            "ERR-4003",
        ),
        ("levels", format!("{{ ...C0 }} {chain}"), "ERR-4003"),
        ("aliases", format!("{{ {} }}", aliases(40_000)), "ERR-4003"),
        ("fields", format!("{{ {} }}", "x ".repeat(20_000)), "ERR-4003"),
        ("operations", each(2_000, |number| format!("query A{number} {{ ...F }} ")), "ERR-4003"),
        (
            "fragments",
            format!("{{ x }} {}", each(1_500, |number| format!("fragment F{number} on Q {{ x }} "))),
            "ERR-4003",
        ),
        // A parser that takes a string which does not end for two that do is deep in brackets.
        ("a block string", format!("{{a(b:[\"\"\"\"{deep}"), "ERR-3002"),
        ("a string", format!("{{a(b:[\"\n{deep}"), "ERR-3002"),
        // What checks a default in a list looks for the type of its items.
        (
            "a list of nothing",
            "query($v: [Nothing!] = [1]) { cards(first: $v) { totalCount } }".to_owned(),
            "ERR-3002",
        ),
        (
            "itself",
            "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".to_owned(),
            "ERR-3002",
        ),
    ]
}

async fn bombs_do_no_harm(app: &TestApp) {
    for (name, text, code) in bombs() {
        assert_eq!(refusal(post(app).json(&query(&text))).await, (400, code.to_owned()), "{name}");
    }
}

/// How many aliases too many were let pass, by all servers of this process.
async fn let_pass(app: &TestApp) -> u64 {
    let answer = app.client.get(format!("{}/metrics", app.base)).send().await.expect("an answer");
    let metrics = answer.text().await.expect("text");
    let is_it = |line: &&str| {
        line.starts_with("dualcaster_guard_refusals_total{")
            && line.contains("limit=\"aliases\"")
            && line.contains("enforced=\"false\"")
    };
    let line = metrics.lines().find(is_it);
    line.and_then(|line| line.rsplit_once(' ')).map_or(0, |(_, value)| value.parse().expect("a count"))
}

on_both_stores! { Tables:
    async fn depth_15_passes_and_16_is_refused(app: TestApp) {
        passes(&app, &nested(15)).await;
        refused(&app, &nested(16), "ERR-4003").await;
    }

    async fn cost_10_000_passes_and_10_001_is_refused(app: TestApp) {
        // A connection, and 99 cards in it, each with a set, the set's connection and 98 cards in that.
        let cards = "cards(first: 99) { nodes { set { cards(first: 98) { nodes { id } } } } }";
        let answer = passes(&app, &query(&format!("{{ {cards} }}"))).await;
        assert_eq!(answer["extensions"]["cost"]["requested"], json!(10_000));
        // A root field costs one at least.
        refused(&app, &query(&format!("{{ {cards} __typename }}")), "ERR-4003").await;
    }

    async fn the_cost_is_told(app: TestApp) {
        let cost = async |text: &str, variables: Value| {
            let body: Value = send(post(&app).json(&json!({"query": text, "variables": variables}))).await.json().await.expect("JSON");
            body["extensions"]["cost"]["requested"].as_u64().unwrap_or_else(|| panic!("no cost in {body}"))
        };
        // The connection, its page's nodes and the page's information.
        assert_eq!(cost("{ cards(first: 7) { nodes { id } pageInfo { endCursor } } }", json!(null)).await, 1 + 7 + 1);
        assert_eq!(cost("{ cards { nodes { id } edges { node { id } } } }", json!(null)).await, 1 + 20 + 40);
        assert_eq!(cost("query($n: Int) { cards(last: $n) { nodes { id } } }", json!({"n": 5})).await, 1 + 5);
        assert_eq!(cost("query($i: [ID!]!) { nodes(ids: $i) { id } }", json!({"i": ["a", "b"]})).await, 2);
        assert_eq!(cost("{ __typename }", json!(null)).await, 1);
        // What is written again under another name is as long again.
        assert_eq!(cost("{ cards(first: 7) { nodes { id a: id b: oracleText c: __typename __typename } } }", json!(null)).await, 1 + 7 * (1 + 3));
        assert_eq!(cost("{ ...A ...A } fragment A on Query { cards(first: 3) { nodes { id } } }", json!(null)).await, 2 * (1 + 3));
    }

    async fn aliases_30_pass_and_31_are_refused(app: TestApp) {
        let of = |count: usize| query(&format!("{{ cards {{ {} }} }}", aliases(count)));
        passes(&app, &of(30)).await;
        refused(&app, &of(31), "ERR-4003").await;
    }

    async fn root_fields_20_pass_and_21_are_refused(app: TestApp) {
        let of = |count: usize| query(&format!("{{ {} }}", aliases(count)));
        passes(&app, &of(20)).await;
        refused(&app, &of(21), "ERR-4003").await;
    }

    async fn tokens_5_000_pass_and_5_001_are_refused(app: TestApp) {
        // The others are `{ cards { } }`.
        passes(&app, &fields(5_000 - 5)).await;
        refused(&app, &fields(5_001 - 5), "ERR-4003").await;
    }

    async fn bytes_65_536_of_a_document_pass_and_one_more_is_refused(app: TestApp) {
        let of = |bytes: usize| query(&format!("{{ __typename }}#{}", "x".repeat(bytes - 15)));
        passes(&app, &of(65_536)).await;
        refused(&app, &of(65_537), "ERR-4003").await;
    }

    async fn directives_10_on_a_field_pass_and_11_are_refused(app: TestApp) {
        let of = |count: usize| query(&format!("{{ __typename {} }}", "@include(if: true) ".repeat(count)));
        // The schema has no ten that stand on one field, and none may stand there twice: these pass the limit alone.
        refused(&app, &of(10), "ERR-3002").await;
        refused(&app, &of(11), "ERR-4003").await;
    }

    async fn page_size_100_passes_and_101_is_refused(app: TestApp) {
        let of = |size: i32| [
            json!({"query": format!("{{ marketplaces {{ slug }} cards(first: {size}) {{ totalCount }} }}")}),
            json!({"query": "query($n: Int) { marketplaces { slug } cards(last: $n) { totalCount } }", "variables": {"n": size}}),
            json!({"query": "query($n: Int) { marketplaces { slug } ...F } fragment F on Query { cards { nodes { printings(first: $n) { totalCount } } } }", "variables": {"n": size}}),
        ];
        for asked in of(100) {
            passes(&app, &asked).await;
        }
        for asked in of(101).iter().chain(&of(-1)) {
            refused(&app, asked, "ERR-3002").await;
        }
    }

    async fn the_limit_that_is_told_is_the_one_that_holds(app: TestApp) {
        let root = administrator(&app).await;
        for (token, text, limit) in [
            (None, "{ __typename }", 10_000),
            (None, "mutation { __typename }", 50_000),
            (Some(root.access.as_str()), "{ __typename }", 100_000),
        ] {
            let answer = app.ask_as(token, text, json!(null)).await;
            assert_eq!(answer.body["extensions"]["cost"]["limit"], json!(limit), "{text}: {:#}", answer.body);
        }
    }

    async fn operations_50_pass_and_51_are_refused(app: TestApp) {
        let of = |count: usize| {
            let text = each(count, |number| format!("query A{number} {{ __typename }} "));
            json!({"query": text, "operationName": "A1"})
        };
        passes(&app, &of(50)).await;
        refused(&app, &of(51), "ERR-4003").await;
    }

    async fn fragments_200_pass_and_201_are_refused(app: TestApp) {
        let of = |count: usize| {
            let spreads = each(count, |number| format!("...F{number} "));
            let fragments = each(count, |number| format!("fragment F{number} on CardConnection {{ __typename }} "));
            query(&format!("{{ cards {{ {spreads} }} }} {fragments}"))
        };
        passes(&app, &of(200)).await;
        refused(&app, &of(201), "ERR-4003").await;
    }

    async fn variables_100_pass_and_101_are_refused(app: TestApp) {
        let of = |count: usize| {
            let declared = each(count, |number| format!("$v{number}: Boolean = true "));
            let used = each(count, |number| format!("__typename @include(if: $v{number}) "));
            query(&format!("query({declared}) {{ cards {{ {used} }} }}"))
        };
        passes(&app, &of(100)).await;
        refused(&app, &of(101), "ERR-4003").await;
    }

    async fn fragments_and_variables_that_nothing_uses_are_refused(app: TestApp) {
        for text in ["{ __typename } fragment A on Query { __typename }", "query($a: Int) { __typename }"] {
            refused(&app, &query(text), "ERR-3002").await;
        }
    }

    async fn bombs_are_refused(app: TestApp) {
        bombs_do_no_harm(&app).await;
    }
}

#[test]
fn a_limit_that_is_not_enforced_only_counts_but_where_it_could_end_the_server() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Tables).await;
        let mut settings = database.settings();
        settings.guard.enforced = false;
        let app = TestApp::start_with(&database, settings).await;
        let before = let_pass(&app).await;
        passes(&app, &query(&format!("{{ {} }}", aliases(31)))).await;
        assert_eq!(let_pass(&app).await, before + 1);
        bombs_do_no_harm(&app).await;
        app.stop().await;
        database.remove().await;
    });
}
