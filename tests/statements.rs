//! A query costs a fixed number of statements, whatever its fan-out and however many requests run beside it; and its
//! keys come in the order in which they were asked for.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::on_both_stores;

/// A card with its set and its latest price in each marketplace.
const POINT: &str = "query($id: ID!) { card(by: {id: $id}) { id name collectorNumber rarity typeLine
    set { code name releasedOn }
    marketPrices { marketplace { slug name } finish condition price low high market observedAt } } }";
/// Cards by a word of their names, with set and latest prices.
const SEARCH: &str =
    "query($search: String!) { cards(search: $search, first: 20) { nodes { id name collectorNumber
    rarity set { code name } marketPrices { marketplace { slug name } finish price observedAt } } } }";
/// The last snapshots of twenty cards in one marketplace.
const HISTORY: &str = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Card { name
    priceHistory(interval: RAW, window: ALL, marketplace: \"harbor-games\", first: 10) { nodes { time price } } } } }";

async fn ids(app: &crate::harness::TestApp, count: usize) -> Vec<Value> {
    let data = app.data("query($n: Int) { cards(first: $n) { nodes { id } } }", json!({"n": count})).await;
    let nodes = data["cards"]["nodes"].as_array().expect("nodes");
    nodes.iter().map(|node| node["id"].clone()).collect()
}

/// Asserts that `requests` at once cost `each` statements apiece.
async fn costs(app: &crate::harness::TestApp, each: u64, query: &str, variables: &[Value]) {
    for requests in [1_usize, 16] {
        let before = app.statements();
        let answers = join_all(
            (0..requests).map(|number| app.data(query, variables[number % variables.len()].clone())),
        )
        .await;
        assert_eq!(answers.len(), requests);
        assert_eq!(app.statements() - before, each * requests as u64, "{requests} at once: {query}");
    }
}

on_both_stores! { Market:
    async fn a_card_with_set_and_prices_costs_four(app: TestApp) {
        let variables: Vec<_> = ids(&app, 20).await.into_iter().map(|id| json!({"id": id})).collect();
        costs(&app, 4, POINT, &variables).await;
    }

    async fn a_search_with_sets_and_prices_costs_four(app: TestApp) {
        costs(&app, 4, SEARCH, &[json!({"search": "e"}), json!({"search": "a"})]).await;
        let data = app.data(SEARCH, json!({"search": "e"})).await;
        assert_eq!(data["cards"]["nodes"].as_array().map(Vec::len), Some(20), "a page that is full");
    }

    async fn histories_of_twenty_cards_cost_two(app: TestApp) {
        let ids = ids(&app, 20).await;
        costs(&app, 2, HISTORY, &[json!({"ids": ids})]).await;
        let data = app.data(HISTORY, json!({"ids": ids})).await;
        for node in data["nodes"].as_array().expect("nodes") {
            assert_eq!(node["priceHistory"]["nodes"].as_array().map(Vec::len), Some(10), "{node}");
        }
    }

    async fn long_texts_are_read_with_the_row_that_wants_them(app: TestApp) {
        let query = "query($n: Int) { cards(first: $n) { nodes { name oracleText legalities { format status } keywords } } }";
        for n in [1, 50] {
            costs(&app, 1, query, &[json!({"n": n})]).await;
        }
    }

    async fn a_page_a_parent_is_one_statement(app: TestApp) {
        let query = "query($n: Int) { cards(first: $n) { totalCount nodes {
            printings(first: 2) { totalCount nodes { set { code } } }
            day: priceHistory(first: 3) { totalCount nodes { time } }
            price { price } dear: price(currency: EUR) { price } one: price(marketplace: \"harbor-games\") { price } } } }";
        // Cards and their count; printings and theirs; their sets; histories and their count; prices over all and in one.
        for n in [1, 60] {
            costs(&app, 9, query, &[json!({"n": n})]).await;
        }
        let sets = "query($n: Int) { cardSets(first: $n) { nodes { code cards(first: 2, sort: {field: PRICE, direction: DESC}) { totalCount nodes { name } } } } }";
        for n in [2, 6] {
            costs(&app, 3, sets, &[json!({"n": n})]).await;
        }
    }

    async fn keys_come_in_the_order_of_the_selection(app: TestApp) {
        let ids = ids(&app, 8).await;
        let query = "query($id: ID!) { card(by: {id: $id}) { price { price } name set { name code } marketPrices { price } rarity id } }";
        let order = ["\"price\":{", "\"name\"", "\"set\":{\"name\"", "\"code\"", "\"marketPrices\"", "\"rarity\"", "\"id\""];
        let texts = join_all(ids.iter().cycle().take(32).map(|id| app.text(query, json!({"id": id})))).await;
        for text in texts {
            let places: Vec<_> = order.iter().map(|key| text.find(key)).collect();
            assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} in {text}");
        }
    }
}
