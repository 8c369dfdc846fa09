//! What a page of a collection costs in statements: the same however much is held, and however many ask at once.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    INVENTORY_PAGE, PORTFOLIO_PAGE, WANT_LIST_PAGE, added, all_cards, ask, document, list,
    on_both_stores_freely, text, two_of_each, want_two_of_each,
};
use crate::harness::TestApp;
use crate::security::{Person, come_of_age, sign_up};

/// Asserts that `requests` at once cost `each` statements apiece.
async fn costs(app: &TestApp, person: &Person, each: u64, query: &str, variables: &Value) {
    for requests in [1_usize, 16] {
        let before = app.statements();
        let answers = join_all((0..requests).map(|_| ask(app, person, query, variables.clone()))).await;
        let statements = app.statements() - before;
        for answer in &answers {
            assert!(answer.field().is_object(), "{:#}", answer.body);
        }
        assert_eq!(statements, each * requests as u64, "{requests} at once: {query} {variables}");
    }
}

/// Somebody who is looked up nowhere when they show their token.
async fn known(app: &TestApp) -> Person {
    come_of_age(&[app]).await;
    sign_up(app, "ada@example.com").await
}

/// A page by its operation's first field, of whoever asks.
async fn viewed(app: &TestApp, person: &Person, query: &str, variables: Value) -> Value {
    ask(app, person, query, variables).await.field().clone()
}

on_both_stores_freely! { Market:
    async fn a_page_of_the_inventory_costs_nine(app: TestApp) {
        let cards = all_cards(&app).await;
        let ada = known(&app).await;
        let query = document(INVENTORY_PAGE);
        // The user; the page and the count; the items' cards and values; the cards' sets, prices and latest prices; the
        // marketplaces of those.
        let each = 9;
        let by_value = json!({"sort": {"field": "VALUE", "direction": "DESC"}});
        let filtered = json!({"filter": {"search": "include:extras mv>=0", "finishes": ["NONFOIL"]}, "sort": {"field": "NAME"}});
        let mut held = 0;
        for part in [&cards[..5], &cards[5..]] {
            held += added(&app, &ada, two_of_each(part)).await.len();
            for variables in [&json!({}), &by_value, &filtered, &json!({"first": 10})] {
                costs(&app, &ada, each, &query, variables).await;
            }
            let page = viewed(&app, &ada, &query, json!({})).await["inventory"].clone();
            assert_eq!((&page["totalCount"], list(&page["edges"]).len()), (&json!(held), held.min(50)));
        }
        assert_eq!(held, 300);
        let mut variables = by_value.clone();
        for _ in 0..2 {
            let page = viewed(&app, &ada, &query, variables.clone()).await["inventory"].clone();
            variables["after"] = page["pageInfo"]["endCursor"].clone();
            costs(&app, &ada, each, &query, &variables).await;
        }
    }

    async fn a_page_of_the_want_list_costs_eight(app: TestApp) {
        let cards = all_cards(&app).await;
        let ada = known(&app).await;
        let query = document(WANT_LIST_PAGE);
        let mut wanted = 0;
        for part in [&cards[..5], &cards[5..]] {
            want_two_of_each(&app, &ada, part).await;
            wanted += 2 * part.len();
            // The user; the page and the count; the wants' cards; their sets, prices and latest prices; the marketplaces.
            for variables in [json!({}), json!({"first": 10})] {
                costs(&app, &ada, 8, &query, &variables).await;
            }
            let page = viewed(&app, &ada, &query, json!({})).await["wantList"].clone();
            assert_eq!((&page["totalCount"], list(&page["nodes"]).len()), (&json!(wanted), wanted.min(50)));
            let after = json!({"after": viewed(&app, &ada, &query, json!({"first": 5})).await["wantList"]["pageInfo"]["endCursor"]});
            costs(&app, &ada, 8, &query, &after).await;
        }
        assert_eq!(wanted, 300);
    }

    async fn a_portfolio_costs_thirteen(app: TestApp) {
        let cards = all_cards(&app).await;
        let ada = known(&app).await;
        let query = document(PORTFOLIO_PAGE);
        let mut held = 0;
        for part in [&cards[..5], &cards[5..]] {
            held += added(&app, &ada, two_of_each(part)).await.len();
            // The user; the sums; the store's newest day and the days before; two divisions; the top items, their values and
            // cards; the cards' sets, prices and latest prices; the marketplaces.
            costs(&app, &ada, 13, &query, &json!({})).await;
            let portfolio = viewed(&app, &ada, &query, json!({})).await["portfolio"].clone();
            assert_eq!((&portfolio["itemCount"], list(&portfolio["topHoldings"]).len()), (&json!(held), 5));
        }
        assert_eq!(held, 300);
    }

    async fn how_complete_sets_are_costs_one_more(app: TestApp) {
        let cards = all_cards(&app).await;
        let ada = known(&app).await;
        let query = "query($n: Int) { cardSets(first: $n) { nodes { code completion { owned total missingValue { amount currency } } } } }";
        for part in [&cards[..5], &cards[5..]] {
            added(&app, &ada, two_of_each(part)).await;
            for n in [1, 6] {
                costs(&app, &ada, 2, query, &json!({"n": n})).await;
            }
        }
        let sets = list(&viewed(&app, &ada, query, json!({"n": 6})).await["nodes"]);
        assert_eq!(sets.len(), 6);
        for set in &sets {
            assert_eq!(set["completion"]["owned"], set["completion"]["total"], "{}", text(&set["code"]));
        }
        // Nobody owns nothing, and that is known.
        let before = app.statements();
        app.data(query, json!({"n": 6})).await;
        assert_eq!(app.statements() - before, 1);
    }

    async fn items_by_their_ids_cost_three(app: TestApp) {
        let cards = all_cards(&app).await;
        let ada = known(&app).await;
        let made = added(&app, &ada, two_of_each(&cards[..25])).await;
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on InventoryItem { quantity value { amount } card { name } } } }";
        for count in [1, 50] {
            let ids: Vec<&Value> = made[..count].iter().map(|item| &item["id"]).collect();
            let before = app.statements();
            let answer = ask(&app, &ada, query, json!({"ids": ids})).await;
            // The items, their values, their cards.
            assert_eq!(app.statements() - before, 3, "{count}");
            assert_eq!(list(answer.field()).len(), count);
            assert!(answer.field()[0]["card"]["name"].is_string());
        }
    }
}
