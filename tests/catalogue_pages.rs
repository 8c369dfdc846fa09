//! The lists of sets, of a set's cards and of a card's printings: every row once and in one order from either end, with
//! rows among them that have no date or no price.

use std::collections::{BTreeMap, HashSet};

use dualcaster::ingest::Format;
use serde_json::{Value, json};

use crate::harness::{Printing, TestApp, TestFile, on_both_stores, scryfall_cards};

const PAGE: &str = "fragment Page on CardConnection {
    totalCount nodes { scryfallId releasedOn price { hasPriceData } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }";
const SETS: &str = "query($kinds: [String!], $first: Int, $after: String, $last: Int, $before: String) {
    cardSets(kinds: $kinds, first: $first, after: $after, last: $last, before: $before) {
        totalCount nodes { code kind releasedOn }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
const OF_SET: &str =
    "query($code: String!, $sort: CardSort, $first: Int, $after: String, $last: Int, $before: String) {
    cardSet(code: $code) { cards(sort: $sort, first: $first, after: $after, last: $last, before: $before) { ...Page } } }";
const OF_SETS: &str = "query($sort: CardSort, $first: Int, $last: Int) {
    cardSets(first: 10) { nodes { code cards(sort: $sort, first: $first, last: $last) { ...Page } } } }";
const OF_CARD: &str = "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
    card(by: {id: $id}) { printings(first: $first, after: $after, last: $last, before: $before) { ...Page } } }";
const OF_CARDS: &str = "query($ids: [ID!]!, $first: Int, $last: Int) {
    nodes(ids: $ids) { ... on Card { printings(first: $first, last: $last) { ...Page } } } }";

fn nodes(page: &Value) -> &[Value] {
    page["nodes"].as_array().expect("nodes")
}

/// All of a list that is no longer than a page may be.
async fn whole(ask: &impl AsyncFn(Value) -> Value) -> Vec<Value> {
    let page = ask(json!({"first": 100})).await;
    let all = nodes(&page).to_vec();
    assert_eq!(page["totalCount"], json!(all.len()));
    assert_eq!(page["pageInfo"]["hasNextPage"], json!(false));
    let distinct: HashSet<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(distinct.len(), all.len(), "a row comes twice");
    all
}

/// Asserts that pages of so many, from either end, are the whole list in its order, each row once, and that each says
/// what lies on either side of it: the empty one after the last too.
async fn check(whole: &[Value], size: usize, ask: &impl AsyncFn(Value) -> Value) {
    for from_start in [true, false] {
        let (count, cursor, edge) =
            if from_start { ("first", "after", "endCursor") } else { ("last", "before", "startCursor") };
        let (ahead, behind) =
            if from_start { ("hasNextPage", "hasPreviousPage") } else { ("hasPreviousPage", "hasNextPage") };
        let (mut seen, mut at) = (0, Value::Null);
        loop {
            let place = format!("{count}: {size} after {seen} rows");
            let page = ask(json!({count: size, cursor: at})).await;
            let through = whole.len().min(seen + size);
            let expected = if from_start {
                &whole[seen..through]
            } else {
                &whole[whole.len() - through..whole.len() - seen]
            };
            assert_eq!(nodes(&page), expected, "{place}");
            assert_eq!(page["totalCount"], json!(whole.len()), "{place}");
            let info = &page["pageInfo"];
            assert_eq!(info[behind], json!(seen > 0), "{behind}, {place}");
            assert_eq!(info[ahead], json!(through < whole.len()), "{ahead}, {place}");
            if through == seen {
                break;
            }
            at = info[edge].clone();
            seen = through;
        }
    }
}

fn has_cursor(arguments: &Value) -> bool {
    arguments["after"].is_string() || arguments["before"].is_string()
}

/// Newest first, those without a date last.
fn is_by_date(rows: &[Value]) -> bool {
    rows.is_sorted_by(|one, next| one["releasedOn"].as_str() >= next["releasedOn"].as_str())
}

fn undated(rows: &[Value]) -> usize {
    rows.iter().filter(|row| row["releasedOn"].is_null()).count()
}

/// The same page of each set's cards, by the set's code.
async fn of_sets(app: &TestApp, arguments: Value) -> BTreeMap<String, Value> {
    let data = app.data(&format!("{OF_SETS} {PAGE}"), arguments).await;
    let of_set = |set: &Value| (set["code"].as_str().expect("a code").to_owned(), set["cards"].clone());
    nodes(&data["cardSets"]).iter().map(of_set).collect()
}

/// A page of a card's printings.
async fn of_card(app: &TestApp, card: &Printing, mut arguments: Value) -> Value {
    arguments["id"] = json!(card.id());
    app.data(&format!("{OF_CARD} {PAGE}"), arguments).await["card"]["printings"].take()
}

/// Loads seven printings each of two cards, of which some share a date and some have none. Answers one of each.
async fn load_printings(app: &TestApp) -> [Printing; 2] {
    let of_both = |(set, number): (&'static str, u128)| {
        let opt = Printing { number, name: "Opt", set, collector_number: "1", rarity: "common" };
        [opt, Printing { number: number + 100, name: "Shock", collector_number: "2", ..opt }]
    };
    let printings: Vec<Printing> =
        ["aaa", "bbb", "ccc", "ddd", "eee", "fff", "ggg"].into_iter().zip(1..).flat_map(of_both).collect();
    let cards = scryfall_cards(&printings, |printing, card| {
        card["released_at"] = match printing.number % 3 {
            0 => Value::Null,
            1 => json!("2011-09-30"),
            _ => json!("2015-07-17"),
        };
    });
    app.ingest(Format::Scryfall, &TestFile::json(&cards)).await.expect("a catalogue");
    [printings[0], printings[1]]
}

on_both_stores! { Market:
    async fn sets_page_both_ways(app: TestApp) {
        for sql in [
            "update card_sets set released_on = null where code in (select code from card_sets order by code limit 3)",
            "update card_sets set released_on = '2020-01-03' where code in (select code from card_sets order by code desc limit 2)",
        ] {
            app.execute(sql).await;
        }
        let ask = async |arguments: Value| app.data(SETS, arguments).await["cardSets"].take();
        let all = whole(&ask).await;
        assert_eq!((all.len(), undated(&all)), (6, 3));
        assert!(is_by_date(&all), "{all:?}");
        for size in [1, 2, 4, 6] {
            check(&all, size, &ask).await;
        }
        let kind = all[0]["kind"].clone();
        let of_kind: Vec<Value> = all.iter().filter(|set| set["kind"] == kind).cloned().collect();
        let ask = async |mut arguments: Value| {
            arguments["kinds"] = json!([kind]);
            app.data(SETS, arguments).await["cardSets"].take()
        };
        check(&of_kind, 2, &ask).await;
    }

    async fn pages_go_on_where_the_first_ones_of_many_sets_end(app: TestApp) {
        // Of one set no card has a price or a date.
        for sql in [
            "delete from card_prices where card_id in
                (select id from cards where id % 3 = 0 or set_code = (select min(code) from card_sets))",
            "update cards set released_on = null where id % 7 = 0 or set_code = (select min(code) from card_sets)",
        ] {
            app.execute(sql).await;
        }
        let query = format!("{OF_SET} {PAGE}");
        for (field, size) in [
            ("PRICE", 3), ("RELEASED_ON", 3), ("NAME", 10), ("SET_CODE", 10), ("COLLECTOR_NUMBER", 10), ("RARITY", 10), ("MANA_VALUE", 10),
        ] {
            let is_known = |card: &Value| match field {
                "PRICE" => card["price"]["hasPriceData"] == json!(true),
                "RELEASED_ON" => !card["releasedOn"].is_null(),
                _ => true,
            };
            for direction in ["ASC", "DESC"] {
                let sort = json!({"field": field, "direction": direction});
                let starts = of_sets(&app, json!({"sort": sort, "first": size})).await;
                let ends = of_sets(&app, json!({"sort": sort, "last": size})).await;
                let (mut cards, mut unknown) = (0, 0);
                for (code, start) in &starts {
                    let alone = async |mut arguments: Value| {
                        arguments["code"] = json!(code);
                        arguments["sort"] = sort.clone();
                        app.data(&query, arguments).await["cardSet"]["cards"].take()
                    };
                    let all = whole(&alone).await;
                    assert!(all.is_sorted_by_key(|card| !is_known(card)), "{sort}: what is unknown comes last");
                    cards += all.len();
                    unknown += all.iter().filter(|card| !is_known(card)).count();
                    assert_eq!(&alone(json!({"first": size})).await, start, "{sort} {code}");
                    assert_eq!(alone(json!({"last": size})).await, ends[code], "{sort} {code}");
                    let among_many = async |arguments: Value| {
                        if has_cursor(&arguments) {
                            alone(arguments).await
                        } else if arguments["first"].is_null() {
                            ends[code].clone()
                        } else {
                            start.clone()
                        }
                    };
                    check(&all, size, &among_many).await;
                }
                assert_eq!(cards, 150, "{sort}");
                assert_eq!(unknown > 20, matches!(field, "PRICE" | "RELEASED_ON"), "{sort}: {unknown}");
            }
        }
    }
}

on_both_stores! { Tables:
    async fn printings_page_both_ways(app: TestApp) {
        let both = load_printings(&app).await;
        let ids = both.map(|card| card.id());
        let query = format!("{OF_CARDS} {PAGE}");
        for (index, card) in both.iter().enumerate() {
            let alone = async |arguments: Value| of_card(&app, card, arguments).await;
            let all = whole(&alone).await;
            assert_eq!((all.len(), undated(&all)), (7, 2));
            assert!(is_by_date(&all), "{all:?}");
            // The first page of both cards is one statement.
            let among_many = async |mut arguments: Value| {
                if has_cursor(&arguments) {
                    return alone(arguments).await;
                }
                arguments["ids"] = json!(ids);
                app.data(&query, arguments).await["nodes"][index]["printings"].take()
            };
            for size in [1, 2, 3, 7] {
                check(&all, size, &alone).await;
                check(&all, size, &among_many).await;
            }
        }
    }

    async fn a_card_that_has_changed_its_set_is_a_place_in_both(app: TestApp) {
        load_printings(&app).await;
        let query = format!("{OF_SET} {PAGE}");
        let of_set = async |code: &str, first: usize| {
            let arguments = json!({"code": code, "sort": {"field": "COLLECTOR_NUMBER"}, "first": first});
            app.data(&query, arguments).await["cardSet"]["cards"].take()
        };
        let before = of_set("aaa", 1).await;
        app.execute("update cards set set_code = 'bbb' where set_code = 'aaa' and collector_number = '1'").await;
        let all = of_set("bbb", 10).await;
        let moved = |card: &Value| card["scryfallId"] == before["nodes"][0]["scryfallId"];
        let at = nodes(&all).iter().position(moved).expect("it is there now");
        let here = of_set("bbb", at + 1).await["pageInfo"]["endCursor"].take();
        let both = "query($there: String, $here: String) {
            there: cardSet(code: \"aaa\") { cards(sort: {field: COLLECTOR_NUMBER}, first: 10, after: $there) { ...Page } }
            here: cardSet(code: \"bbb\") { cards(sort: {field: COLLECTOR_NUMBER}, first: 10, after: $here) { ...Page } } }";
        let cursors = json!({"there": before["pageInfo"]["endCursor"], "here": here});
        let pages = app.data(&format!("{both} {PAGE}"), cursors).await;
        assert_eq!((nodes(&all).len(), nodes(&pages["there"]["cards"]).len()), (3, 1));
        assert_eq!(nodes(&pages["here"]["cards"]), &nodes(&all)[at + 1..]);
        assert_eq!(pages["here"]["cards"]["pageInfo"]["hasPreviousPage"], json!(true));
    }

    async fn a_page_after_a_printing_that_has_moved_says_what_lies_before_it(app: TestApp) {
        let [card, _] = load_printings(&app).await;
        let last = of_card(&app, &card, json!({"last": 1})).await["pageInfo"]["endCursor"].take();
        assert!(last.is_string(), "{last}");
        app.execute("update cards set released_on = '2026-01-01' where released_on is null").await;
        let page = of_card(&app, &card, json!({"first": 2, "after": last})).await;
        assert_eq!(page["nodes"], json!([]));
        assert_eq!(page["pageInfo"], json!({"hasNextPage": false, "hasPreviousPage": true, "startCursor": null, "endCursor": null}));
    }
}
