//! Searches with the results that another engine expects of the real catalogue, where it is. What differs does so for a
//! reason, which stands here with the numbers of the cases in the file.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::TestApp;

/// Cases that are not ours to pass, and why.
const DIFFERENT: &[(&str, &[usize])] = &[
    ("a half or a side is a card of its own there", &[0, 1, 35, 77, 78, 157, 158, 203, 226, 230]),
    (
        "a bare word is looked for in types, rules, flavour texts and names of sets there, or by its stem",
        &[
            3, 4, 5, 6, 11, 12, 48, 57, 75, 82, 85, 86, 90, 91, 93, 94, 96, 100, 149, 150, 162, 165, 166,
            167, 168, 195, 206, 295,
        ],
    ),
    ("letters stand for any colour in a cost there", &[69, 70, 71, 72, 73, 74]),
    ("half a mana is half of a mana there", &[308, 309]),
    ("sets have a second code there", &[47, 50, 51, 55, 56]),
    ("planes are no extras there", &[161, 163, 164, 251, 252]),
    ("a colon is an equals sign for costs there", &[241, 244]),
    ("colours may be mixed with c and m there", &[26, 112]),
    ("a basic land is not common there", &[133]),
    ("a word of a flavour text is a whole one there", &[124]),
    ("reminder text counts as rules there", &[176, 249]),
    ("promos are not of the block there", &[239]),
    ("a pattern may be told to regard case there", &[180]),
    ("the catalogue does not know the format", &[38, 40, 53, 296]),
    ("the catalogue has no such rarity, kind of set or face", &[23, 175, 263]),
    ("the catalogue says otherwise of a conspiracy", &[238]),
];

#[derive(Deserialize)]
struct Case {
    sets: Vec<String>,
    kind: String,
    query: String,
    #[serde(default)]
    other: String,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    count: i64,
}

/// Asserts that each case passes, but for those that differ, which do.
pub async fn check(app: &TestApp, file: &Path) {
    let text = std::fs::read_to_string(file).expect("the cases");
    let cases: Vec<Case> = serde_json::from_str(&text).expect("cases");
    let mut failed = BTreeSet::new();
    for (number, case) in cases.iter().enumerate() {
        if !passes(app, case).await.unwrap_or(false) {
            failed.insert(number);
        }
    }
    let different: BTreeSet<usize> =
        DIFFERENT.iter().flat_map(|(_, numbers)| numbers.iter().copied()).collect();
    assert_eq!(failed, different, "of {} cases", cases.len());
}

async fn ask(
    app: &TestApp,
    search: &str,
    sets: &[String],
    unique: &str,
    after: Option<&str>,
) -> Option<Value> {
    let query = "query($search: String, $filter: CardFilter, $unique: CardUnique, $after: String) {
        cards(search: $search, filter: $filter, unique: $unique, first: 100, after: $after) {
            totalCount pageInfo { hasNextPage endCursor } nodes { name faces { name } } } }";
    let filter = if sets.is_empty() { Value::Null } else { json!({"setCodes": sets}) };
    let variables = json!({"search": search, "filter": filter, "unique": unique, "after": after});
    let answer = app.answer(query, variables).await;
    answer.get("errors").is_none().then(|| answer["data"]["cards"].clone())
}

async fn count(app: &TestApp, search: &str, sets: &[String], unique: &str) -> Option<i64> {
    ask(app, search, sets, unique, None).await?["totalCount"].as_i64()
}

/// The names of each card that is found: its own and those of its faces.
async fn names(app: &TestApp, search: &str, sets: &[String]) -> Option<Vec<BTreeSet<String>>> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = ask(app, search, sets, "CARDS", after.as_deref()).await?;
        let name = |object: &Value| object["name"].as_str().unwrap_or_default().to_lowercase();
        found.extend(page["nodes"].as_array()?.iter().map(|node| {
            let faces = node["faces"].as_array().map(Vec::as_slice).unwrap_or_default();
            faces.iter().chain([node]).map(name).collect::<BTreeSet<_>>()
        }));
        if page["pageInfo"]["hasNextPage"] != json!(true) {
            return Some(found);
        }
        after = page["pageInfo"]["endCursor"].as_str().map(str::to_owned);
    }
}

async fn passes(app: &TestApp, case: &Case) -> Option<bool> {
    let Case { sets, query, other, .. } = case;
    let expected: BTreeSet<String> = case.names.iter().map(|name| name.to_lowercase()).collect();
    Some(match case.kind.as_str() {
        "equal" | "differ" => {
            let one = count(app, query, sets, "CARDS").await?;
            let two = count(app, other, sets, "CARDS").await?;
            let both = count(app, &format!("({query}) ({other})"), sets, "CARDS").await?;
            let equal = one == two && two == both;
            if case.kind == "equal" { equal && one > 0 } else { !equal && one + two > 0 }
        }
        "count_cards" => count(app, query, sets, "CARDS").await? == case.count,
        "count_printings" => count(app, query, sets, "PRINTINGS").await? == case.count,
        kind => {
            let found = names(app, query, sets).await?;
            let all: BTreeSet<&String> = found.iter().flatten().collect();
            let has_all = expected.iter().all(|name| all.contains(name));
            !found.is_empty()
                && match kind {
                    "include" => has_all,
                    "exclude" => !expected.iter().any(|name| all.contains(name)),
                    // Each that is found is one of them, by its own name or a face's.
                    _ => has_all && found.iter().all(|names| !names.is_disjoint(&expected)),
                }
        }
    })
}
