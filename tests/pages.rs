//! Lists by keyset: every row once, from either end, in every order, and no cursor that is not ours.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_graphql::async_trait;
use dualcaster::db::{Connection, Direction};
use dualcaster::domain::catalogue::{
    CardColumns, CardFilter, CardList, CardOrder, CardSortField, Unique, list_cards,
};
use dualcaster::pagination::{End, Page};
use entity::enums::Currency;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, SqlxSqliteConnector, Statement};
use serde_json::{Value, json};
use sqlx::sqlite::SqlitePoolOptions;

use crate::harness::{Store, TestApp, on_both_stores};

const FIELDS: [&str; 7] =
    ["NAME", "PRICE", "RELEASED_ON", "SET_CODE", "COLLECTOR_NUMBER", "RARITY", "MANA_VALUE"];
const PAGE: &str = "query($sort: CardSort, $first: Int, $after: String, $last: Int, $before: String) {
    cards(search: \"include:extras\", unique: PRINTINGS, sort: $sort, first: $first, after: $after, last: $last, before: $before) {
        totalCount edges { cursor node { scryfallId } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

fn ids(page: &Value) -> Vec<String> {
    let edges = page["edges"].as_array().expect("edges");
    edges.iter().map(|edge| edge["node"]["scryfallId"].as_str().expect("an id").to_owned()).collect()
}

/// The whole list, by pages of 13 from one end.
async fn walk(app: &TestApp, sort: &Value, from_start: bool) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let variables = if from_start {
            json!({"sort": sort, "first": 13, "after": cursor})
        } else {
            json!({"sort": sort, "last": 13, "before": cursor})
        };
        let page = app.data(PAGE, variables).await["cards"].take();
        let (more, behind) =
            if from_start { ("hasNextPage", "hasPreviousPage") } else { ("hasPreviousPage", "hasNextPage") };
        assert_eq!(page["pageInfo"][behind], json!(!all.is_empty()), "{sort} after {} rows", all.len());
        let rows = ids(&page);
        if from_start {
            all.extend(rows);
        } else {
            all.splice(0..0, rows);
        }
        assert!(all.len() <= 150, "{sort}: more rows than there are");
        if page["pageInfo"][more] == json!(false) {
            assert_eq!(page["totalCount"], json!(all.len()), "{sort}: a page that ends is the end");
            return all;
        }
        cursor = page["pageInfo"][if from_start { "endCursor" } else { "startCursor" }].clone();
    }
}

/// All printings by price.
fn by_price() -> CardList {
    CardList {
        search: None,
        extras: true,
        filter: CardFilter::default(),
        unique: Unique::Printings,
        order: CardOrder {
            field: CardSortField::Price,
            direction: Direction::Ascending,
            currency: Currency::Usd,
        },
    }
}

/// A connection to Postgres that tells how lists are found instead of what is in them.
struct Explained<'c>(&'c Connection, Mutex<String>);

#[async_trait::async_trait]
impl ConnectionTrait for Explained<'_> {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.0.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.0.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.0.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, mut statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        statement.sql.insert_str(0, "explain (analyze, costs off, timing off) ");
        for row in self.0.query_all_raw(statement).await? {
            let line: String = row.try_get_by_index(0)?;
            self.1.lock().expect("not poisoned").push_str(&(line + "\n"));
        }
        Ok(Vec::new())
    }
}

/// Says of a page on Postgres what of its plan was executed.
async fn plan(app: &TestApp, page: &Page) -> String {
    let explained = Explained(app.bulk.write(), Mutex::default());
    list_cards(&explained, &by_price(), page, CardColumns::Row).await.expect("a plan");
    explained.1.into_inner().expect("not poisoned")
}

/// How many turns the loops of pages take on SQLite.
async fn turns(app: &TestApp, pages: &[Page]) -> Vec<usize> {
    let counted = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&counted);
    let url = &app.app.settings().database.url;
    let pool = SqlitePoolOptions::new().max_connections(1).connect(url).await.expect("connected");
    pool.acquire()
        .await
        .expect("a connection")
        .lock_handle()
        .await
        .expect("its handle")
        .set_progress_handler(1, move || {
            count.fetch_add(1, Ordering::Relaxed);
            true
        });
    let database = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
    let mut turns = Vec::new();
    for page in pages {
        let before = counted.load(Ordering::Relaxed);
        let slice = list_cards(&database, &by_price(), page, CardColumns::Row).await.expect("a page");
        assert_eq!(slice.rows.len(), page.size);
        turns.push(counted.load(Ordering::Relaxed) - before);
    }
    database.close().await.expect("closed");
    turns
}

on_both_stores! { Market:
    async fn where_the_page_is_full_of_prices_nobody_looks_for_cards_without(app: TestApp) {
        app.execute("delete from cards where id not in (select card_id from card_prices where ranked and currency = 0)").await;
        assert!(app.rows("cards").await > 100, "cards with a price");
        let first = Page::first(1);
        let last = Page { end: End::Finish, ..first.clone() };
        match app.store {
            Store::Postgres => {
                let first = plan(&app, &first).await;
                assert!(first.contains("(never executed)"), "{first}");
                // From this end they come first, and all cards must be looked at.
                let last = plan(&app, &last).await;
                assert!(!last.contains("(never executed)"), "{last}");
            }
            Store::Sqlite => {
                let turns = turns(&app, &[first, last]).await;
                assert!(turns[0] + 100 < turns[1], "the first page, and the last, which looks at every card: {turns:?}");
            }
        }
    }

    async fn every_order_has_every_row_once_from_either_end(app: TestApp) {
        // So that there are rows without a price and without a date.
        for sql in [
            "delete from card_prices where card_id in (select id from cards where id % 3 = 0)",
            "update cards set released_on = null where id % 7 = 0",
        ] {
            app.execute(sql).await;
        }
        for field in FIELDS {
            for direction in ["ASC", "DESC"] {
                let sort = json!({"field": field, "direction": direction});
                let forwards = walk(&app, &sort, true).await;
                let backwards = walk(&app, &sort, false).await;
                assert_eq!(forwards, backwards, "{sort}");
                let distinct: std::collections::HashSet<_> = forwards.iter().collect();
                assert_eq!(distinct.len(), 150, "{sort}");
            }
        }
    }

    async fn unknown_values_come_last_in_both_directions(app: TestApp) {
        let sql = "delete from card_prices where card_id in (select id from cards where id % 3 = 0)";
        app.execute(sql).await;
        for (direction, ascending) in [("ASC", true), ("DESC", false)] {
            let query = "query($sort: CardSort, $after: String) { cards(sort: $sort, first: 100, after: $after) { nodes { price { hasPriceData price } } pageInfo { endCursor } } }";
            let sort = json!({"field": "PRICE", "direction": direction});
            let first = app.data(query, json!({"sort": sort})).await;
            let second = app.data(query, json!({"sort": sort, "after": first["cards"]["pageInfo"]["endCursor"]})).await;
            let nodes: Vec<Value> = [first, second].iter().flat_map(|page| page["cards"]["nodes"].as_array().expect("nodes").clone()).collect();
            let known: Vec<bool> = nodes.iter().map(|node| node["price"]["hasPriceData"] == json!(true)).collect();
            assert!(known.is_sorted_by(|a, b| a >= b) && known.contains(&false), "{direction}: known prices first");
            let prices: Vec<f64> = nodes.iter().filter(|node| node["price"]["hasPriceData"] == json!(true))
                .map(|node| node["price"]["price"].as_str().expect("a price").parse().expect("a number")).collect();
            assert!(prices.is_sorted_by(|a, b| if ascending { a <= b } else { a >= b }), "{direction}: {prices:?}");
        }
    }

    async fn a_row_that_goes_leaves_the_pages_around_it_whole(app: TestApp) {
        let first = app.data(PAGE, json!({"first": 10})).await;
        let cursor = first["cards"]["pageInfo"]["endCursor"].clone();
        let gone = ids(&first["cards"]).pop().expect("a row");
        let next = ids(&app.data(PAGE, json!({"first": 5, "after": cursor})).await["cards"]);
        let hex = gone.replace('-', "");
        let which = match app.store {
            Store::Postgres => format!("'{gone}'"),
            Store::Sqlite => format!("x'{hex}'"),
        };
        let sql = format!("delete from cards where scryfall_id = {which}");
        app.execute(&sql).await;
        let page = app.data(PAGE, json!({"first": 5, "after": cursor})).await["cards"].take();
        assert_eq!(ids(&page), next);
        assert_eq!(page["pageInfo"]["hasPreviousPage"], json!(true));
    }

    async fn cursors_of_other_lists_and_forged_ones_are_refused(app: TestApp) {
        let page = app.data(PAGE, json!({"first": 1})).await;
        let cursor = page["cards"]["pageInfo"]["endCursor"].as_str().expect("a cursor").to_owned();
        let other = json!({"sort": {"field": "RARITY"}, "after": cursor});
        assert_eq!(app.error(PAGE, other).await, "ERR-3003");
        assert_eq!(app.error("query($c: String) { cards(after: $c) { totalCount } }", json!({"c": cursor})).await, "ERR-3003");
        assert_eq!(app.error("query($c: String) { cardSets(after: $c) { totalCount } }", json!({"c": cursor})).await, "ERR-3003");
        for forged in ["", "abc", "AQ", "' or 1=1 --", "💥"] {
            assert_eq!(app.error(PAGE, json!({"after": forged})).await, "ERR-3003", "{forged}");
        }
    }

    async fn sizes_out_of_range_are_refused(app: TestApp) {
        for (first, last) in [(json!(101), json!(null)), (json!(-1), json!(null)), (json!(null), json!(101)), (json!(1), json!(1))] {
            assert_eq!(app.error(PAGE, json!({"first": first, "last": last})).await, "ERR-3002");
        }
        let page = app.data(PAGE, json!({"first": 0})).await;
        assert_eq!(page["cards"]["edges"], json!([]));
        assert_eq!(page["cards"]["pageInfo"]["hasNextPage"], json!(true));
        assert_eq!(app.data(PAGE, json!({})).await["cards"]["edges"].as_array().map(Vec::len), Some(20));
    }

    async fn histories_page_both_ways(app: TestApp) {
        let query = "query($id: ID!, $after: String, $before: String, $first: Int, $last: Int, $interval: HistoryInterval, $market: String) { card(by: {id: $id}) {
            priceHistory(window: ALL, interval: $interval, marketplace: $market, first: $first, after: $after, last: $last, before: $before) {
                totalCount nodes { time price } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";
        let cards = app.data("{ cards(first: 1) { nodes { id } } }", json!(null)).await;
        let id = cards["cards"]["nodes"][0]["id"].clone();
        for (interval, market) in [("DAY", None), ("DAY", Some("harbor-games")), ("RAW", None), ("RAW", Some("harbor-games")), ("WEEK", None), ("WEEK", Some("harbor-games"))] {
            let ask = async |mut variables: Value| {
                variables["id"] = id.clone();
                variables["interval"] = json!(interval);
                variables["market"] = json!(market);
                app.data(query, variables).await["card"]["priceHistory"].take()
            };
            let whole = ask(json!({"first": 100})).await;
            let all = whole["nodes"].as_array().expect("nodes").clone();
            assert_eq!(whole["totalCount"], json!(all.len()), "{interval} {market:?}");
            assert!(all.len() > 5 && all.is_sorted_by(|a, b| a["time"].as_str() >= b["time"].as_str()), "newest first");
            let first = ask(json!({"first": 2})).await;
            let second = ask(json!({"first": 2, "after": first["pageInfo"]["endCursor"]})).await;
            assert_eq!(second["nodes"].as_array().expect("nodes")[..], all[2..4], "{interval} {market:?}");
            assert_eq!(second["pageInfo"]["hasPreviousPage"], json!(true));
            let back = ask(json!({"last": 2, "before": second["pageInfo"]["startCursor"]})).await;
            assert_eq!(back["nodes"], first["nodes"], "{interval} {market:?}");
            let last = ask(json!({"last": 3})).await;
            assert_eq!(last["nodes"].as_array().expect("nodes")[..], all[all.len() - 3..], "{interval} {market:?}");
            assert_eq!(last["pageInfo"]["hasNextPage"], json!(false));
        }
    }

    async fn a_page_after_the_oldest_day_says_what_lies_before_it_when_that_day_is_gone(app: TestApp) {
        let query = "query($after: String, $first: Int, $last: Int) { cards(first: 1) { nodes {
            priceHistory(window: ALL, first: $first, after: $after, last: $last) {
                nodes { time } pageInfo { hasNextPage hasPreviousPage endCursor } } } } }";
        let ask = async |variables: Value| app.data(query, variables).await["cards"]["nodes"][0]["priceHistory"].take();
        let oldest = ask(json!({"last": 1})).await["pageInfo"]["endCursor"].take();
        assert!(oldest.is_string(), "{oldest}");
        app.execute("delete from price_days where (card_id, currency, kind, finish, day) in
            (select card_id, currency, kind, finish, min(day) from price_days group by card_id, currency, kind, finish)").await;
        let page = ask(json!({"first": 2, "after": oldest})).await;
        assert_eq!(page["nodes"], json!([]));
        assert_eq!(page["pageInfo"], json!({"hasNextPage": false, "hasPreviousPage": true, "endCursor": null}));
    }
}
