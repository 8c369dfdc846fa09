//! What somebody holds and wants, and what that comes to: to the cent, in every order, and however many ask at once.

mod files;
mod inventory_add;
mod inventory_change;
mod inventory_list;
mod live;
mod portfolio;
mod statements;
mod want_list;

use std::panic::AssertUnwindSafe;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use dualcaster::ingest::Format;
use futures_util::FutureExt;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Answered, Content, Printing, Store, TestApp, TestDatabase, TestFile, all_prices, all_printings, runtime,
};
use crate::security::{Person, mutate};

/// Priced in dollars and euros, and as a foil in dollars.
pub const BOLT: Printing =
    Printing { number: 1, name: "Lightning Bolt", set: "lea", collector_number: "161", rarity: "common" };
/// Priced in dollars; its foil has no price.
pub const LOTUS: Printing =
    Printing { number: 2, name: "Black Lotus", set: "lea", collector_number: "232", rarity: "rare" };
/// Priced in euros alone.
pub const SHOCK: Printing =
    Printing { number: 3, name: "Shock", set: "m11", collector_number: "156", rarity: "common" };
/// Priced in dollars, and cheaper than two days ago.
pub const VIAL: Printing =
    Printing { number: 4, name: "Æther Vial", set: "dst", collector_number: "91", rarity: "uncommon" };
/// Without a price.
pub const FOREST: Printing =
    Printing { number: 5, name: "Forest", set: "m11", collector_number: "246", rarity: "common" };
/// In no catalogue.
pub const NOTHING: Printing =
    Printing { number: 6, name: "Nothing", set: "lea", collector_number: "1", rarity: "common" };

pub const CONDITIONS: [&str; 5] =
    ["NEAR_MINT", "LIGHTLY_PLAYED", "MODERATELY_PLAYED", "HEAVILY_PLAYED", "DAMAGED"];
pub const FINISHES: [&str; 3] = ["NONFOIL", "FOIL", "ETCHED"];

/// A small catalogue, and its prices up to 2026-06-30.
pub async fn load(app: &TestApp) {
    let catalogue =
        all_printings(&[BOLT, LOTUS, SHOCK, VIAL, FOREST], |printing, entry| match printing.number {
            2 | 4 => {
                entry["type"] = json!("Artifact");
                entry["types"] = json!(["Artifact"]);
                entry["colors"] = json!([]);
            }
            3 => entry["colors"] = json!(["U"]),
            5 => entry["colors"] = json!(["G", "W"]),
            _ => {}
        });
    app.ingest(Format::MtgjsonPrintings, &TestFile::json(&catalogue)).await.expect("a catalogue");
    let prices = all_prices(&[
        (
            &BOLT,
            "cardkingdom",
            "retail",
            "normal",
            &[("2026-06-22", 8.00), ("2026-06-29", 10.00), ("2026-06-30", 10.10)],
        ),
        (&BOLT, "cardkingdom", "retail", "foil", &[("2026-06-30", 20.00)]),
        (&BOLT, "cardmarket", "retail", "normal", &[("2026-06-29", 9.00), ("2026-06-30", 9.07)]),
        (&LOTUS, "cardkingdom", "retail", "normal", &[("2026-06-30", 100.00)]),
        (&SHOCK, "cardmarket", "retail", "normal", &[("2026-06-30", 0.25)]),
        (&VIAL, "cardkingdom", "retail", "normal", &[("2026-06-28", 5.00), ("2026-06-30", 4.00)]),
    ]);
    app.ingest(Format::MtgjsonPrices, &TestFile::json(&prices)).await.expect("prices");
}

/// Ingests nonfoil prices of one more day, each of a marketplace.
pub async fn new_prices(app: &TestApp, day: &str, prices: &[(&Printing, &str, f64)]) {
    let points: Vec<[(&str, f64); 1]> = prices.iter().map(|(_, _, price)| [(day, *price)]).collect();
    let series: Vec<_> = prices
        .iter()
        .zip(&points)
        .map(|((printing, marketplace, _), points)| {
            (*printing, *marketplace, "retail", "normal", points.as_slice())
        })
        .collect();
    let file = TestFile::json(&all_prices(&series));
    app.ingest(Format::MtgjsonPrices, &file).await.expect("prices");
}

/// The ids of all cards of the generated market.
pub async fn all_cards(app: &TestApp) -> Vec<String> {
    let query = "query($after: String) { cards(search: \"include:extras\", unique: PRINTINGS, first: 100, after: $after) {
        nodes { id } pageInfo { hasNextPage endCursor } } }";
    let (mut ids, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = app.data(query, json!({"after": after})).await["cards"].take();
        ids.extend(list(&page["nodes"]).iter().map(|card| text(&card["id"]).to_owned()));
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            return ids;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

// ---- reading answers ---------------------------------------------------------------------------------------------

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value:#}"))
}

pub fn list(value: &Value) -> Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("no list: {value:#}")).clone()
}

pub fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("no number: {value:#}"))
}

/// An amount, in hundredths.
pub fn cents(amount: &Value) -> i64 {
    let (_, decimals) = text(amount).split_once('.').unwrap_or_else(|| panic!("no decimals: {amount}"));
    assert_eq!(decimals.len(), 2, "{amount}");
    text(amount).replace('.', "").parse().unwrap_or_else(|_| panic!("no amount: {amount}"))
}

/// Hundredths, as an answer has them.
pub fn amount(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let (whole, rest) = (cents.abs() / 100, cents.abs() % 100);
    format!("{sign}{whole}.{rest:02}")
}

pub fn moment(value: &Value) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text(value)).expect("a moment").to_utc()
}

/// What a global id names.
pub fn uuid_of(id: &Value) -> Uuid {
    let bytes = URL_SAFE_NO_PAD.decode(text(id)).expect("base64");
    let named = String::from_utf8(bytes).expect("text");
    let (_, uuid) = named.split_once(':').expect("a type and an id");
    uuid.parse().expect("an id")
}

/// An id that nobody has.
pub fn nobodys(kind: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{kind}:{}", Uuid::new_v4()))
}

/// The first root field's value, whatever its user errors say.
pub fn payload(answer: &Answered) -> &Value {
    let data = answer.body["data"].as_object().unwrap_or_else(|| panic!("no data in {:#}", answer.body));
    data.values().next().expect("a field")
}

/// The user errors of the first root field.
pub fn problems(answer: &Answered) -> &Value {
    &payload(answer)["userErrors"]
}

pub fn problem(code: &str, path: &[&str]) -> Value {
    json!({"errorCode": code, "path": path})
}

/// Asserts that nothing of it was executed, because a list of its input is too long.
pub fn has_too_long_a_list(answer: &Answered) {
    assert_eq!(answer.body["errors"][0]["extensions"]["errorCode"], json!("ERR-3002"), "{:#}", answer.body);
    assert!(answer.body.get("data").is_none(), "{:#}", answer.body);
}

pub async fn ask(app: &TestApp, person: &Person, query: &str, variables: Value) -> Answered {
    app.ask_as(Some(&person.access), query, variables).await
}

/// An object of somebody's by its id.
pub async fn node(app: &TestApp, person: &Person, id: &Value) -> Value {
    let answer = ask(app, person, "query($id: ID!) { node(id: $id) { id } }", json!({"id": id})).await;
    assert_eq!(answer.code(), None, "{:#}", answer.body);
    answer.body["data"]["node"].clone()
}

// ---- the contract's operations -----------------------------------------------------------------------------------

const HOLDING: &str = "fragment Holding on InventoryItem {
  id
  quantity
  condition
  finish
  language
  acquiredPrice { amount currency }
  value { amount currency }
  gain { amount percent }
  createdAt
  card { id name collectorNumber rarity set { code name } price { hasPriceData price change24h { percent } } marketPrices { marketplace { slug name } price } }
}";
const PROBLEM: &str = "fragment CollectionProblem on UserError { code message path }";

pub const INVENTORY_PAGE: &str =
    "query InventoryPage($filter: InventoryFilter, $sort: InventorySort, $first: Int = 50, $after: String) {
  viewer {
    inventory(filter: $filter, sort: $sort, first: $first, after: $after) {
      totalCount
      edges { cursor node { ...Holding } }
      pageInfo { hasNextPage endCursor }
    }
  }
}";
pub const WANT_LIST_PAGE: &str = "query WantListPage($first: Int = 50, $after: String) {
  viewer {
    wantList(first: $first, after: $after) {
      totalCount
      nodes {
        id
        quantity
        priority
        belowTarget
        finish
        targetPrice { amount currency }
        card { id name set { code } price { hasPriceData price } marketPrices { marketplace { slug } price } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}";
/// Without the chart, which is a picture.
pub const PORTFOLIO_PAGE: &str = "query PortfolioPage {
  viewer {
    portfolio {
      itemCount
      distinctCards
      value { amount currency }
      cost { amount }
      gain { amount percent }
      change24h { amount percent }
      change7d { amount percent }
      valueHistory(window: DAYS_90) { time value }
      bySet: allocation(by: SET) { key itemCount value share }
      byRarity: allocation(by: RARITY) { key itemCount value share }
      topHoldings(first: 5) { ...Holding }
    }
  }
}";
pub const ADD_INVENTORY_ITEMS: &str = "mutation AddInventoryItems($items: [InventoryItemInput!]!) {
  addInventoryItems(input: {items: $items}) { items { ...Holding } userErrors { ...CollectionProblem } }
}";
pub const UPDATE_INVENTORY_ITEM: &str = "mutation UpdateInventoryItem($input: UpdateInventoryItemInput!) {
  updateInventoryItem(input: $input) { item { ...Holding } userErrors { ...CollectionProblem } }
}";
pub const REMOVE_INVENTORY_ITEMS: &str = "mutation RemoveInventoryItems($ids: [ID!]!) {
  removeInventoryItems(input: {ids: $ids}) { removedIds userErrors { ...CollectionProblem } }
}";
pub const ADD_WANT: &str = "mutation AddWant($input: AddWantListItemInput!) {
  addWantListItem(input: $input) { item { id priority card { id name } } userErrors { ...CollectionProblem } }
}";
pub const UPDATE_WANT: &str = "mutation UpdateWant($input: UpdateWantListItemInput!) {
  updateWantListItem(input: $input) { item { id priority quantity } userErrors { ...CollectionProblem } }
}";
pub const REMOVE_WANTS: &str = "mutation RemoveWants($ids: [ID!]!) {
  removeWantListItems(input: {ids: $ids}) { removedIds userErrors { ...CollectionProblem } }
}";

/// An operation with the fragments that it spreads.
pub fn document(operation: &str) -> String {
    let mut document = operation.to_owned();
    for (spread, fragment) in [("...Holding", HOLDING), ("...CollectionProblem", PROBLEM)] {
        if operation.contains(spread) {
            document.push('\n');
            document.push_str(fragment);
        }
    }
    document
}

// ---- the inventory -----------------------------------------------------------------------------------------------

/// All that an item has of its own.
pub const ITEM: &str = "id quantity condition finish language acquiredPrice { amount currency } acquiredOn notes tags \
     createdAt updatedAt card { name }";

pub async fn add(app: &TestApp, person: &Person, items: Value) -> Answered {
    let query = format!(
        "mutation($items: [InventoryItemInput!]!) {{ addInventoryItems(input: {{items: $items}}) {{
             items {{ {ITEM} }} userErrors {{ errorCode path }} }} }}"
    );
    ask(app, person, &query, json!({"items": items})).await
}

/// The items that were added to.
pub async fn added(app: &TestApp, person: &Person, items: Value) -> Vec<Value> {
    list(&add(app, person, items).await.field()["items"])
}

pub async fn update(app: &TestApp, person: &Person, input: Value) -> Answered {
    let query = format!(
        "mutation($input: UpdateInventoryItemInput!) {{ updateInventoryItem(input: $input) {{
             item {{ {ITEM} }} userErrors {{ errorCode path }} }} }}"
    );
    ask(app, person, &query, json!({"input": input})).await
}

pub async fn remove(app: &TestApp, person: &Person, ids: &[Value]) -> Answered {
    let query = "mutation($ids: [ID!]!) { removeInventoryItems(input: {ids: $ids}) { removedIds userErrors { errorCode path } } }";
    ask(app, person, query, json!({"ids": ids})).await
}

pub async fn restore(app: &TestApp, person: &Person, ids: &[Value]) -> Answered {
    let query = format!(
        "mutation($ids: [ID!]!) {{ restoreInventoryItems(input: {{ids: $ids}}) {{
             items {{ {ITEM} }} userErrors {{ errorCode path }} }} }}"
    );
    ask(app, person, &query, json!({"ids": ids})).await
}

/// A list of somebody's items: `filter`, `sort`, `first`, `after`, `last`, `before`.
pub async fn listed(app: &TestApp, person: &Person, arguments: Value) -> Answered {
    let query = format!(
        "query($filter: InventoryFilter, $sort: InventorySort, $first: Int, $after: String, $last: Int, $before: String) {{
             viewer {{ inventory(filter: $filter, sort: $sort, first: $first, after: $after, last: $last, before: $before) {{
                 totalCount nodes {{ {ITEM} }} pageInfo {{ startCursor endCursor }} }} }} }}"
    );
    ask(app, person, &query, arguments).await
}

/// Somebody's items in the order in which they were added, a hundred at most.
pub async fn held(app: &TestApp, person: &Person) -> Vec<Value> {
    let answer = listed(app, person, json!({"sort": {"field": "CREATED_AT"}, "first": 100})).await;
    list(&answer.field()["inventory"]["nodes"])
}

/// Items of these cards, two of each.
pub fn two_of_each(cards: &[String]) -> Value {
    let of = |card: &String| {
        [
            json!({"cardId": card, "quantity": 2, "acquiredPrice": {"amount": "1.00"}}),
            json!({"cardId": card, "condition": "LIGHTLY_PLAYED"}),
        ]
    };
    Value::from_iter(cards.iter().flat_map(of))
}

/// Wants of these cards, two of each, twenty a request.
pub async fn want_two_of_each(app: &TestApp, person: &Person, cards: &[String]) {
    for cards in cards.chunks(10) {
        let mut mutations = String::new();
        for (number, card) in cards.iter().enumerate() {
            for (finish, target) in [("NONFOIL", "0.50"), ("FOIL", "5.00")] {
                let input = format!(
                    "{{cardId: \"{card}\", finish: {finish}, targetPrice: {{amount: \"{target}\"}}}}"
                );
                mutations.push_str(&format!(
                    "w{number}{finish}: addWantListItem(input: {input}) {{ userErrors {{ errorCode }} }}\n"
                ));
            }
        }
        mutate(app, person, &mutations).await.field();
    }
}

/// The ids of items or wants.
pub fn ids(items: &[Value]) -> Vec<Value> {
    items.iter().map(|item| item["id"].clone()).collect()
}

// ---- more at once than anybody may -------------------------------------------------------------------------------

/// Runs a test's body as [`crate::harness::run`] does, on a server whose users' budgets have no end.
pub fn run_freely<F: Future<Output = ()>>(store: Store, content: Content, body: impl FnOnce(TestApp) -> F) {
    runtime().block_on(async {
        let database = TestDatabase::new(store, content).await;
        let mut settings = database.settings();
        settings.budget.user = "1000000/1000000".parse().expect("a budget");
        let app = TestApp::start_with(&database, settings).await;
        let outcome = AssertUnwindSafe(body(app.clone())).catch_unwind().await;
        app.stop().await;
        database.remove().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Makes one test a store of each function, as `on_both_stores!` does, for who asks more at once than a user may.
macro_rules! on_both_stores_freely {
    ($content:ident: $(async fn $name:ident($app:ident: TestApp) $body:block)*) => {
        $(
            async fn $name($app: $crate::harness::TestApp) $body

            mod $name {
                use $crate::harness::{Content, Store};

                #[test]
                fn on_postgres() {
                    $crate::collection::run_freely(Store::Postgres, Content::$content, super::$name);
                }

                #[test]
                fn on_sqlite() {
                    $crate::collection::run_freely(Store::Sqlite, Content::$content, super::$name);
                }
            }
        )*
    };
}

pub(crate) use on_both_stores_freely;
