//! Items: added up, changed, removed and put back, found and listed in every order, worth what the prices say.

use std::cmp::Ordering;
use std::collections::HashSet;

use chrono::TimeDelta;
use dualcaster::domain::catalogue::name_key;
use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    ADD_INVENTORY_ITEMS, BOLT, CONDITIONS, FINISHES, FOREST, INVENTORY_PAGE, LOTUS, NOTHING,
    REMOVE_INVENTORY_ITEMS, SHOCK, UPDATE_INVENTORY_ITEM, VIAL, add, added, ask, cents, document, held, ids,
    list, listed, load, moment, new_prices, nobodys, node, number, payload, problem, problems, remove,
    restore, text, update, uuid_of,
};
use crate::harness::{Store, TestApp, draws, on_both_stores};
use crate::security::{PASSWORD, Person, mutate, sign_in, sign_up};

/// Twenty items, of which no two are equal.
fn twenty() -> Value {
    let item = |number: usize| {
        json!({"cardId": BOLT.id(), "condition": CONDITIONS[number % 5], "finish": FINISHES[number / 5 % 3],
               "language": if number < 15 { "en" } else { "ja" }, "quantity": number + 1})
    };
    Value::from_iter((0..20).map(item))
}

/// A few items of which a filter finds some: their notes are their names.
fn labelled() -> Value {
    json!([
        {"notes": "a", "cardId": BOLT.id(), "tags": ["binder", "red"]},
        {"notes": "b", "cardId": BOLT.id(), "condition": "LIGHTLY_PLAYED", "finish": "FOIL", "tags": ["box"]},
        {"notes": "c", "cardId": LOTUS.id(), "tags": ["binder"]},
        {"notes": "d", "cardId": SHOCK.id(), "condition": "MODERATELY_PLAYED"},
        {"notes": "e", "cardId": VIAL.id(), "finish": "FOIL", "tags": ["box", "to trade"]},
    ])
}

/// Items of which many are alike in what a list is sorted by, and some have no price.
fn alike() -> [Value; 11] {
    [
        json!({"cardId": BOLT.id(), "quantity": 4}),
        json!({"cardId": BOLT.id(), "quantity": 2, "condition": "LIGHTLY_PLAYED"}),
        json!({"cardId": BOLT.id(), "quantity": 1, "finish": "FOIL"}),
        json!({"cardId": LOTUS.id(), "quantity": 1}),
        json!({"cardId": LOTUS.id(), "quantity": 7, "finish": "FOIL"}),
        json!({"cardId": SHOCK.id(), "quantity": 100}),
        json!({"cardId": SHOCK.id(), "quantity": 2, "condition": "LIGHTLY_PLAYED"}),
        json!({"cardId": VIAL.id(), "quantity": 5}),
        json!({"cardId": FOREST.id(), "quantity": 1}),
        json!({"cardId": FOREST.id(), "quantity": 4, "finish": "FOIL"}),
        // Worth what the first is.
        json!({"cardId": BOLT.id(), "quantity": 4, "language": "ja"}),
    ]
}

const SORTED: &str = "query($sort: InventorySort, $currency: Currency, $first: Int, $after: String, $last: Int, $before: String) {
    viewer { inventory(sort: $sort, first: $first, after: $after, last: $last, before: $before) {
        totalCount
        edges { cursor node { id quantity createdAt card { name } value(currency: $currency) { amount } } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";

async fn sorted(app: &TestApp, person: &Person, variables: Value) -> Value {
    ask(app, person, SORTED, variables).await.field()["inventory"].clone()
}

fn nodes(page: &Value) -> Vec<Value> {
    list(&page["edges"]).iter().map(|edge| edge["node"].clone()).collect()
}

/// The whole list, by pages of three from one end.
async fn walk(app: &TestApp, person: &Person, sort: &Value, currency: &str, from_start: bool) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page = if from_start {
            json!({"sort": sort, "currency": currency, "first": 3, "after": cursor})
        } else {
            json!({"sort": sort, "currency": currency, "last": 3, "before": cursor})
        };
        let page = sorted(app, person, page).await;
        let (more, behind) =
            if from_start { ("hasNextPage", "hasPreviousPage") } else { ("hasPreviousPage", "hasNextPage") };
        assert_eq!(page["pageInfo"][behind], json!(!all.is_empty()), "{sort} after {} items", all.len());
        assert_eq!(page["totalCount"], json!(11), "{sort}");
        let edges = list(&page["edges"]);
        let ends = [edges.first(), edges.last()].map(|edge| edge.map(|edge| edge["cursor"].clone()));
        let told = ["startCursor", "endCursor"].map(|end| Some(page["pageInfo"][end].clone()));
        assert_eq!(ends, told, "{sort}");
        if from_start {
            all.extend(nodes(&page));
        } else {
            all.splice(0..0, nodes(&page));
        }
        assert!(all.len() <= 11, "{sort}: more items than there are");
        if page["pageInfo"][more] == json!(false) {
            return all;
        }
        cursor = page["pageInfo"][if from_start { "endCursor" } else { "startCursor" }].clone();
    }
}

/// How a list by this field has two items.
fn order(field: &str, a: &Value, b: &Value) -> Ordering {
    let by_field = match field {
        "CREATED_AT" => moment(&a["createdAt"]).cmp(&moment(&b["createdAt"])),
        "NAME" => {
            let key = |item: &Value| name_key(text(&item["card"]["name"]));
            key(a).cmp(&key(b))
        }
        "QUANTITY" => number(&a["quantity"]).cmp(&number(&b["quantity"])),
        "VALUE" => cents(&a["value"]["amount"]).cmp(&cents(&b["value"]["amount"])),
        other => panic!("no order: {other}"),
    };
    by_field.then_with(|| uuid_of(&a["id"]).cmp(&uuid_of(&b["id"])))
}

/// What nobody may who does not write: each mutation of a collection.
fn mutations(item: &Value) -> [String; 7] {
    let (card, want) = (BOLT.id(), nobodys("WantListItem"));
    let errors = "{ userErrors { errorCode } }";
    [
        format!("addInventoryItems(input: {{items: [{{cardId: \"{card}\"}}]}}) {errors}"),
        format!("updateInventoryItem(input: {{id: {item}, quantity: 9}}) {errors}"),
        format!("removeInventoryItems(input: {{ids: [{item}]}}) {errors}"),
        format!("restoreInventoryItems(input: {{ids: [{item}]}}) {errors}"),
        format!("addWantListItem(input: {{cardId: \"{card}\"}}) {errors}"),
        format!("updateWantListItem(input: {{id: \"{want}\", quantity: 9}}) {errors}"),
        format!("removeWantListItems(input: {{ids: [\"{want}\"]}}) {errors}"),
    ]
}

on_both_stores! { Tables:
    async fn the_contracts_operations_are_answered(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let run = async |operation: &str, variables: Value| {
            ask(&app, &ada, &document(operation), variables).await.field().clone()
        };
        let items = json!([{"cardId": BOLT.id(), "quantity": 2, "acquiredPrice": {"amount": "8.00"}}]);
        let made = run(ADD_INVENTORY_ITEMS, json!({"items": items})).await;
        assert_eq!((&made["userErrors"], list(&made["items"]).len()), (&json!([]), 1));
        let item = made["items"][0].clone();
        let mut shown = item.clone();
        let market = list(&shown["card"]["marketPrices"].take());
        assert_eq!(market.len(), 3, "{market:?}");
        assert_eq!(market[0], json!({"marketplace": {"slug": "cardkingdom", "name": "Card Kingdom"}, "price": "10.10"}));
        assert_eq!(shown, json!({
            "id": item["id"], "quantity": 2, "condition": "NEAR_MINT", "finish": "NONFOIL", "language": "en",
            "acquiredPrice": {"amount": "8.00", "currency": "USD"}, "value": {"amount": "20.20", "currency": "USD"},
            "gain": {"amount": "4.20", "percent": 26.25}, "createdAt": item["createdAt"],
            "card": {"id": BOLT.id(), "name": "Lightning Bolt", "collectorNumber": "161", "rarity": "COMMON",
                     "set": {"code": "lea", "name": "Set LEA"}, "marketPrices": null,
                     "price": {"hasPriceData": true, "price": "10.10", "change24h": {"percent": 1.0}}},
        }));
        let page = run(INVENTORY_PAGE, json!({})).await["inventory"].clone();
        assert_eq!((&page["totalCount"], &page["edges"][0]["node"]), (&json!(1), &item));
        assert_eq!(page["pageInfo"], json!({"hasNextPage": false, "endCursor": page["edges"][0]["cursor"]}));
        let changed = run(UPDATE_INVENTORY_ITEM, json!({"input": {"id": item["id"], "quantity": 3}})).await;
        assert_eq!((&changed["item"]["quantity"], &changed["item"]["value"]["amount"]), (&json!(3), &json!("30.30")));
        let wrong = ask(&app, &ada, &document(UPDATE_INVENTORY_ITEM), json!({"input": {"id": item["id"], "quantity": 0}})).await;
        let told = &problems(&wrong)[0];
        assert_eq!((&told["code"], &told["path"]), (&json!("INVALID_VALUE"), &json!(["quantity"])));
        assert!(told["message"].is_string() && payload(&wrong)["item"].is_null(), "{:#}", wrong.body);
        let removed = run(REMOVE_INVENTORY_ITEMS, json!({"ids": [item["id"]]})).await;
        assert_eq!(removed, json!({"removedIds": [item["id"]], "userErrors": []}));
        let empty = run(INVENTORY_PAGE, json!({"filter": {}, "sort": {"field": "VALUE"}, "first": 100})).await;
        assert_eq!(empty["inventory"], json!({"totalCount": 0, "edges": [], "pageInfo": {"hasNextPage": false, "endCursor": null}}));
    }

    async fn an_equal_item_adds_to_the_one_that_is_held(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let first = added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 3, "acquiredPrice": {"amount": "1.00"},
            "acquiredOn": "2020-02-03", "notes": "the first", "tags": ["red", "binder"]}])).await.remove(0);
        let both = added(&app, &ada, json!([{"cardId": BOLT.id(), "acquiredPrice": {"amount": "2.00", "currency": "USD"},
            "acquiredOn": "2021-02-03", "notes": "the second", "tags": ["binder", " box "]}])).await.remove(0);
        let mut expected = first.clone();
        expected["quantity"] = json!(4);
        expected["acquiredPrice"]["amount"] = json!("1.25");
        expected["tags"] = json!(["red", "binder", "box"]);
        expected["updatedAt"] = both["updatedAt"].clone();
        assert_eq!(both, expected, "notes and date stay, and so does the id");
        assert!(moment(&both["updatedAt"]) > moment(&first["updatedAt"]));
        assert_eq!(held(&app, &ada).await, [both]);
    }

    async fn what_differs_in_anything_is_an_item_of_its_own(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let items = json!([
            {"cardId": BOLT.id()},
            {"cardId": LOTUS.id()},
            {"cardId": BOLT.id(), "condition": "LIGHTLY_PLAYED"},
            {"cardId": BOLT.id(), "finish": "FOIL"},
            {"cardId": BOLT.id(), "language": "ja"},
        ]);
        let made = added(&app, &ada, items.clone()).await;
        let bob = sign_up(&app, "bob@example.com").await;
        assert_eq!(added(&app, &bob, items.clone()).await.len(), 5, "and so is another's");
        assert_eq!(held(&app, &ada).await, made);
        let quantities = |items: &[Value]| items.iter().map(|item| number(&item["quantity"])).collect::<Vec<_>>();
        assert_eq!(quantities(&made), [1; 5]);
        assert_eq!(quantities(&added(&app, &ada, items).await), [2; 5]);
        assert_eq!((quantities(&held(&app, &bob).await), app.rows("inventory_items").await), (vec![1; 5], 10));
    }

    async fn the_price_paid_becomes_the_mean_by_quantity_half_a_cent_up(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let paid = |amount: Option<&str>| amount.map(|amount| json!({"amount": amount}));
        for (number, (one, of_one, other, of_other, mean)) in [
            (Some("0.01"), 1, Some("0.02"), 1, Some("0.02")),
            (Some("0.01"), 2, Some("0.02"), 1, Some("0.01")),
            (Some("0.00"), 1, Some("0.01"), 1, Some("0.01")),
            (Some("10.00"), 1, Some("20.00"), 3, Some("17.50")),
            (Some("9999999.99"), 50_000, Some("9999999.99"), 50_000, Some("9999999.99")),
            (Some("1.00"), 99_999, Some("2.00"), 1, Some("1.00")),
            // What is not known leaves the other.
            (None, 5, Some("3.00"), 1, Some("3.00")),
            (Some("3.00"), 1, None, 5, Some("3.00")),
            (None, 1, None, 1, None),
        ].into_iter().enumerate() {
            let item = |price: Option<&str>, quantity: i64| {
                json!([{"cardId": LOTUS.id(), "condition": CONDITIONS[number % 5], "finish": FINISHES[number / 5],
                        "quantity": quantity, "acquiredPrice": paid(price)}])
            };
            assert_eq!(added(&app, &ada, item(one, of_one)).await[0]["quantity"], json!(of_one));
            let both = added(&app, &ada, item(other, of_other)).await.remove(0);
            let expected = mean.map(|mean| json!({"amount": mean, "currency": "USD"}));
            assert_eq!((&both["quantity"], &both["acquiredPrice"]), (&json!(of_one + of_other), &json!(expected)), "{one:?} {other:?}");
        }
    }

    async fn equal_items_of_one_input_add_up_too(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let made = added(&app, &ada, json!([
            {"cardId": BOLT.id(), "acquiredPrice": {"amount": "1.00"}, "notes": "the first", "tags": ["a"]},
            {"cardId": SHOCK.id(), "quantity": 4},
            {"cardId": BOLT.id(), "quantity": 2, "acquiredPrice": {"amount": "4.00"}, "notes": "the second", "tags": ["b"]},
            {"cardId": BOLT.id(), "language": "EN", "tags": ["a"]},
        ])).await;
        assert_eq!(made.len(), 2, "each once, in the order of the input");
        assert_eq!((&made[0]["card"]["name"], &made[1]["card"]["name"]), (&json!("Lightning Bolt"), &json!("Shock")));
        assert_eq!((&made[0]["quantity"], &made[0]["acquiredPrice"]["amount"]), (&json!(4), &json!("3.00")));
        assert_eq!((&made[0]["notes"], &made[0]["tags"]), (&json!("the first"), &json!(["a", "b"])));
        assert_eq!(held(&app, &ada).await, made);
    }

    async fn a_price_in_another_currency_than_the_equal_items_is_a_conflict(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let there = added(&app, &ada, json!([{"cardId": BOLT.id(), "acquiredPrice": {"amount": "1.00"}}])).await;
        let euro = json!({"amount": "1.00", "currency": "EUR"});
        let conflict = json!([problem("ERR-3004", &["items", "1", "acquiredPrice", "currency"])]);
        let held_already = add(&app, &ada, json!([{"cardId": SHOCK.id()}, {"cardId": BOLT.id(), "acquiredPrice": euro}])).await;
        assert_eq!((problems(&held_already), &payload(&held_already)["items"]), (&conflict, &json!([])));
        let of_one_input = add(&app, &ada, json!([
            {"cardId": LOTUS.id(), "acquiredPrice": {"amount": "1.00", "currency": "TIX"}},
            {"cardId": LOTUS.id(), "acquiredPrice": euro},
        ])).await;
        assert_eq!(problems(&of_one_input), &conflict);
        assert_eq!(held(&app, &ada).await, there, "nothing is added");
        // In its own currency, and without a price, it goes on.
        added(&app, &ada, json!([{"cardId": BOLT.id(), "acquiredPrice": {"amount": "1.00"}}, {"cardId": BOLT.id()}])).await;
        assert_eq!(held(&app, &ada).await[0]["quantity"], json!(3));
    }

    async fn all_are_added_or_none_and_the_wrong_one_is_named(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        for (field, value, code, place) in [
            ("quantity", json!(0), "ERR-3002", "quantity"),
            ("quantity", json!(-1), "ERR-3002", "quantity"),
            ("quantity", json!(100_001), "ERR-3002", "quantity"),
            ("language", json!("jp"), "ERR-3002", "language"),
            ("language", json!(""), "ERR-3002", "language"),
            ("tags", json!(["fine", " "]), "ERR-3002", "tags.1"),
            ("tags", json!(["x".repeat(51)]), "ERR-3002", "tags.0"),
            ("tags", Value::from_iter((0..21).map(|tag| tag.to_string())), "ERR-3002", "tags"),
            ("notes", json!("x".repeat(2_001)), "ERR-3002", "notes"),
            ("notes", json!("a\u{0}b"), "ERR-3002", "notes"),
            ("acquiredPrice", json!({"amount": "-0.01"}), "ERR-3002", "acquiredPrice.amount"),
            ("acquiredPrice", json!({"amount": "10000000.00"}), "ERR-3002", "acquiredPrice.amount"),
            ("acquiredOn", json!("1992-12-31"), "ERR-3002", "acquiredOn"),
            ("acquiredOn", json!("2999-01-01"), "ERR-3002", "acquiredOn"),
            ("cardId", json!(NOTHING.id()), "ERR-3001", "cardId"),
            ("cardId", json!(ada.id), "ERR-3001", "cardId"),
            ("cardId", json!("nonsense"), "ERR-3001", "cardId"),
        ] {
            let mut items = twenty();
            items[17][field] = value.clone();
            let answer = add(&app, &ada, items).await;
            let path: Vec<&str> = ["items", "17"].into_iter().chain(place.split('.')).collect();
            assert_eq!(problems(&answer), &json!([problem(code, &path)]), "{field} {value}");
            assert_eq!(payload(&answer)["items"], json!([]), "{field} {value}");
            assert_eq!((app.rows("inventory_items").await, app.rows("holding_values").await), (0, 0), "{field} {value}");
        }
        let mut items = twenty();
        items[2]["quantity"] = json!(0);
        items[2]["language"] = json!("xx");
        items[5]["tags"] = json!([""]);
        items[19]["acquiredPrice"] = json!({"amount": "-1"});
        assert_eq!(problems(&add(&app, &ada, items).await), &json!([
            problem("ERR-3002", &["items", "2", "quantity"]),
            problem("ERR-3002", &["items", "2", "language"]),
            problem("ERR-3002", &["items", "5", "tags", "0"]),
            problem("ERR-3002", &["items", "19", "acquiredPrice", "amount"]),
        ]));
        let mut items = twenty();
        items[3]["cardId"] = json!(NOTHING.id());
        items[9]["cardId"] = json!(NOTHING.id());
        assert_eq!(problems(&add(&app, &ada, items).await), &json!([
            problem("ERR-3001", &["items", "3", "cardId"]),
            problem("ERR-3001", &["items", "9", "cardId"]),
        ]));
        // Both kinds at once, wherever they are.
        let mut items = twenty();
        items[1]["cardId"] = json!(NOTHING.id());
        items[4]["cardId"] = json!("nonsense");
        items[4]["quantity"] = json!(0);
        let answer = add(&app, &ada, items).await;
        let mut told: Vec<String> = list(problems(&answer)).iter().map(Value::to_string).collect();
        let mut expected = [
            problem("ERR-3001", &["items", "1", "cardId"]),
            problem("ERR-3001", &["items", "4", "cardId"]),
            problem("ERR-3002", &["items", "4", "quantity"]),
        ].map(|problem| problem.to_string());
        told.sort();
        expected.sort();
        assert_eq!(told, expected);
        assert_eq!(app.rows("inventory_items").await, 0);
        assert_eq!(added(&app, &ada, twenty()).await.len(), 20, "as they are, they can be added");
    }

    async fn what_has_no_room_in_the_equal_item_is_not_added(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let tags = |from: usize, to: usize| Value::from_iter((from..to).map(|tag| tag.to_string()));
        let there = added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 60_000, "tags": tags(0, 20)}])).await;
        let answer = add(&app, &ada, json!([{"cardId": SHOCK.id()}, {"cardId": BOLT.id(), "quantity": 40_001}])).await;
        assert_eq!(problems(&answer), &json!([problem("ERR-3002", &["items", "1", "quantity"])]));
        let answer = add(&app, &ada, json!([{"cardId": SHOCK.id()}, {"cardId": BOLT.id(), "tags": ["one more"]}])).await;
        assert_eq!(problems(&answer), &json!([problem("ERR-3002", &["items", "1", "tags"])]));
        assert_eq!(held(&app, &ada).await, there);
        let full = added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 40_000, "tags": tags(5, 10)}])).await;
        assert_eq!((&full[0]["quantity"], &full[0]["tags"]), (&json!(100_000), &tags(0, 20)));
    }

    async fn the_limits_themselves_are_within(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let tags = Value::from_iter((0..20).map(|tag| format!("{tag:ä>50}")));
        let made = added(&app, &ada, json!([
            {"cardId": BOLT.id(), "quantity": 1, "acquiredPrice": {"amount": "0.00"}, "acquiredOn": "1993-01-01"},
            {"cardId": LOTUS.id(), "quantity": 100_000, "acquiredPrice": {"amount": "9999999.99", "currency": "TIX"},
             "notes": "ä".repeat(2_000), "tags": tags},
        ])).await;
        assert_eq!((&made[0]["quantity"], &made[0]["acquiredPrice"]["amount"]), (&json!(1), &json!("0.00")));
        assert_eq!(made[0]["acquiredOn"], json!("1993-01-01"));
        assert_eq!((&made[1]["quantity"], &made[1]["tags"]), (&json!(100_000), &tags));
        assert_eq!(made[1]["acquiredPrice"], json!({"amount": "9999999.99", "currency": "TIX"}));
        assert_eq!(held(&app, &ada).await, made);
    }

    async fn five_hundred_at_once_and_no_more(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let mut items = Vec::new();
        for card in [BOLT, LOTUS, SHOCK, VIAL, FOREST] {
            for language in ["en", "es", "fr", "de", "it", "pt", "ja", "ko", "ru", "zhs", "zht"] {
                for number in 0..15 {
                    items.push(json!({"cardId": card.id(), "language": language, "condition": CONDITIONS[number % 5],
                                      "finish": FINISHES[number / 5]}));
                }
            }
        }
        for count in [0, 501] {
            let answer = add(&app, &ada, json!(items[..count])).await;
            assert_eq!(problems(&answer), &json!([problem("ERR-3002", &["items"])]), "{count}");
        }
        assert_eq!(app.rows("inventory_items").await, 0);
        let made = ids(&added(&app, &ada, json!(items[..500])).await);
        assert_eq!((made.len(), app.rows("inventory_items").await), (500, 500));
        assert_eq!(app.rows("holding_values").await, 1_500, "in each of three currencies");
        let too_many: Vec<Value> = made.iter().chain(&made[..1]).cloned().collect();
        for wrong in [Vec::new(), too_many] {
            let refused = json!([problem("ERR-3002", &["ids"])]);
            assert_eq!(problems(&remove(&app, &ada, &wrong).await), &refused);
            assert_eq!(problems(&restore(&app, &ada, &wrong).await), &refused);
        }
        assert_eq!(remove(&app, &ada, &made).await.field()["removedIds"], json!(made));
        assert_eq!((app.rows("inventory_items").await, app.rows("holding_values").await), (0, 0));
        assert_eq!(ids(&list(&restore(&app, &ada, &made).await.field()["items"])), made);
        assert_eq!((app.rows("inventory_items").await, app.rows("holding_values").await), (500, 1_500));
    }

    async fn the_database_itself_takes_nothing_that_can_t_be(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        added(&app, &ada, json!([{"cardId": BOLT.id()}])).await;
        let (no_amount, no_currency) = ("cast(null as bigint)", "cast(null as smallint)");
        for (quantity, amount, currency, fits) in [
            (0, "100", "0", false),
            (-1, "100", "0", false),
            (100_001, "100", "0", false),
            (1, "-1", "0", false),
            (1, "1000000000", "0", false),
            (1, no_amount, "0", false),
            (1, "100", no_currency, false),
            (1, "100", "0", true),
            // Equal to the one just made.
            (1, "100", "0", false),
        ] {
            let id = match app.store {
                Store::Postgres => format!("cast('{}' as uuid)", Uuid::new_v4()),
                Store::Sqlite => format!("x'{}'", Uuid::new_v4().simple()),
            };
            let sql = format!(
                "insert into inventory_items (id, user_id, card_id, finish, condition, language, quantity, price_amount,
                     price_currency, acquired_on, notes, tags, name_key, created_at, updated_at)
                 select {id}, user_id, card_id, 2, condition, language, {quantity}, {amount}, {currency}, acquired_on, notes,
                     tags, name_key, created_at, updated_at from inventory_items where finish = 0"
            );
            let outcome = app.bulk.write().execute_unprepared(&sql).await;
            assert_eq!(outcome.is_ok(), fits, "{quantity}, {amount}, {currency}: {outcome:?}");
        }
        assert_eq!(app.rows("inventory_items").await, 2);
    }

    async fn only_the_fields_given_change(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let mut item = added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 3, "acquiredPrice": {"amount": "1.50"},
            "acquiredOn": "2020-02-03", "notes": "mine", "tags": ["a", "b"]}])).await.remove(0);
        for (field, given, shown) in [
            ("quantity", json!(5), json!(5)),
            ("condition", json!("DAMAGED"), json!("DAMAGED")),
            ("finish", json!("FOIL"), json!("FOIL")),
            ("language", json!(" JA "), json!("ja")),
            ("acquiredPrice", json!({"amount": "2", "currency": "EUR"}), json!({"amount": "2.00", "currency": "EUR"})),
            ("acquiredOn", json!("2021-03-04"), json!("2021-03-04")),
            ("notes", json!("two\nlines"), json!("two\nlines")),
            ("tags", json!(["c", "c", " d "]), json!(["c", "d"])),
            // Null empties what may be empty.
            ("acquiredPrice", json!(null), json!(null)),
            ("acquiredOn", json!(null), json!(null)),
            ("notes", json!(null), json!(null)),
            ("tags", json!(null), json!([])),
            ("tags", json!([]), json!([])),
        ] {
            let answer = update(&app, &ada, json!({"id": item["id"], field: given})).await;
            let changed = answer.field()["item"].clone();
            assert!(moment(&changed["updatedAt"]) > moment(&item["updatedAt"]), "{field}");
            item[field] = shown;
            item["updatedAt"] = changed["updatedAt"].clone();
            assert_eq!(changed, item, "{field}: {given}");
        }
        let several = json!({"id": item["id"], "quantity": 7, "notes": "again", "condition": "NEAR_MINT"});
        let changed = update(&app, &ada, several).await.field()["item"].clone();
        for (field, value) in [("quantity", json!(7)), ("notes", json!("again")), ("condition", json!("NEAR_MINT"))] {
            item[field] = value;
        }
        item["updatedAt"] = changed["updatedAt"].clone();
        assert_eq!((&changed, &held(&app, &ada).await), (&item, &vec![item.clone()]));
    }

    async fn a_wrong_change_changes_nothing(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let before = added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 3, "notes": "mine"}])).await;
        for (field, value, place) in [
            ("quantity", json!(null), "quantity"),
            ("condition", json!(null), "condition"),
            ("finish", json!(null), "finish"),
            ("language", json!(null), "language"),
            ("quantity", json!(0), "quantity"),
            ("quantity", json!(100_001), "quantity"),
            ("language", json!("jp"), "language"),
            ("acquiredPrice", json!({"amount": "10000000"}), "acquiredPrice.amount"),
            ("acquiredPrice", json!({"amount": "-0.01"}), "acquiredPrice.amount"),
            ("acquiredOn", json!("1992-12-31"), "acquiredOn"),
            ("notes", json!("x".repeat(2_001)), "notes"),
            ("tags", json!(["fine", ""]), "tags.1"),
        ] {
            // What is right beside it does not happen either.
            let mut input = json!({"id": before[0]["id"], "notes": "others"});
            input[field] = value.clone();
            let answer = update(&app, &ada, input).await;
            let path: Vec<&str> = place.split('.').collect();
            assert_eq!(problems(&answer), &json!([problem("ERR-3002", &path)]), "{field} {value}");
            assert!(payload(&answer)["item"].is_null(), "{field} {value}");
        }
        let several = update(&app, &ada, json!({"id": before[0]["id"], "quantity": null, "language": "xx"})).await;
        let expected = [problem("ERR-3002", &["quantity"]), problem("ERR-3002", &["language"])];
        assert_eq!(problems(&several), &json!(expected));
        assert_eq!(held(&app, &ada).await, before);
    }

    async fn a_change_that_makes_two_items_equal_is_a_conflict(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let before = added(&app, &ada, json!([
            {"cardId": BOLT.id()},
            {"cardId": BOLT.id(), "condition": "LIGHTLY_PLAYED"},
            {"cardId": BOLT.id(), "finish": "FOIL"},
            {"cardId": BOLT.id(), "language": "ja"},
            {"cardId": LOTUS.id(), "condition": "DAMAGED"},
        ])).await;
        for (item, field, value) in [(1, "condition", "NEAR_MINT"), (2, "finish", "NONFOIL"), (3, "language", "en")] {
            let answer = update(&app, &ada, json!({"id": before[item]["id"], field: value, "quantity": 9})).await;
            assert_eq!(answer.code(), Some("ERR-3004"), "{field}");
            assert!(payload(&answer)["item"].is_null(), "{field}");
        }
        assert_eq!(held(&app, &ada).await, before);
        // What it is already, and what another card's item is, it may be.
        for condition in ["LIGHTLY_PLAYED", "DAMAGED"] {
            let answer = update(&app, &ada, json!({"id": before[1]["id"], "condition": condition})).await;
            assert_eq!(answer.field()["item"]["condition"], json!(condition));
        }
    }

    async fn a_change_on_what_was_changed_meanwhile_is_a_conflict(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let item = added(&app, &ada, json!([{"cardId": BOLT.id()}])).await.remove(0);
        let change = async |expected: &Value, quantity: i64| {
            update(&app, &ada, json!({"id": item["id"], "expectedUpdatedAt": expected, "quantity": quantity})).await
        };
        let changed = change(&item["updatedAt"], 2).await.field()["item"].clone();
        let conflict = json!([problem("ERR-3004", &["expectedUpdatedAt"])]);
        for wrong in [&item["updatedAt"], &json!("2020-01-01T00:00:00Z")] {
            assert_eq!(problems(&change(wrong, 3).await), &conflict, "{wrong}");
        }
        assert_eq!(held(&app, &ada).await, [changed.clone()]);
        assert_eq!(change(&changed["updatedAt"], 3).await.field()["item"]["quantity"], json!(3));
        assert_eq!(change(&json!(null), 4).await.field()["item"]["quantity"], json!(4), "who expects nothing");
    }

    async fn what_is_anothers_is_as_if_it_were_not_there(app: TestApp) {
        load(&app).await;
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let made = added(&app, &ada, json!([{"cardId": BOLT.id()}, {"cardId": SHOCK.id()}])).await;
        let (kept, gone) = (&made[0]["id"], &made[1]["id"]);
        remove(&app, &ada, std::slice::from_ref(gone)).await.field();
        let nobodys = json!(nobodys("InventoryItem"));
        // Eight requests of Bob's that miss: ten would shut him out.
        for own in [kept, &nobodys] {
            let answer = update(&app, &bob, json!({"id": own, "quantity": 9})).await;
            assert_eq!(payload(&answer), &json!({"item": null, "userErrors": [problem("ERR-3001", &["id"])]}));
        }
        let missing = [problem("ERR-3001", &["ids", "0"])];
        for own in [kept, &nobodys] {
            let answer = remove(&app, &bob, std::slice::from_ref(own)).await;
            assert_eq!(payload(&answer), &json!({"removedIds": [], "userErrors": missing}));
        }
        for own in [gone, &nobodys] {
            let answer = restore(&app, &bob, std::slice::from_ref(own)).await;
            assert_eq!(payload(&answer), &json!({"items": [], "userErrors": missing}));
        }
        for own in [kept, &nobodys] {
            assert_eq!(node(&app, &bob, own).await, json!(null));
        }
        assert_eq!(node(&app, &ada, kept).await, json!({"id": kept}));
        assert_eq!(held(&app, &bob).await, Vec::<Value>::new());
        assert_eq!(held(&app, &ada).await, made[..1]);
        assert_eq!(list(&restore(&app, &ada, std::slice::from_ref(gone)).await.field()["items"])[0]["id"], *gone);
    }

    async fn nobody_and_who_only_reads_change_nothing(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let before = added(&app, &ada, json!([{"cardId": BOLT.id()}])).await;
        let token = async |read_only: bool| {
            let make = format!("createApiToken(input: {{name: \"x\", readOnly: {read_only}}}) {{ token }}");
            text(&mutate(&app, &ada, &make).await.field()["token"]).to_owned()
        };
        let reads = token(true).await;
        for mutation in mutations(&before[0]["id"]) {
            let mutation = format!("mutation {{ {mutation} }}");
            let by_reader = app.ask_as(Some(&reads), &mutation, json!(null)).await;
            assert_eq!((by_reader.code(), payload(&by_reader)), (Some("ERR-2005"), &json!(null)), "{mutation}");
            let by_nobody = app.ask_as(None, &mutation, json!(null)).await;
            assert_eq!((by_nobody.code(), payload(&by_nobody)), (Some("ERR-2001"), &json!(null)), "{mutation}");
        }
        assert_eq!((held(&app, &ada).await, app.rows("want_list_items").await), (before, 0));
        let query = "{ viewer { inventory { totalCount } wantList { totalCount } portfolio { itemCount } } }";
        let read = app.ask_as(Some(&reads), query, json!(null)).await;
        assert_eq!(read.field(), &json!({"inventory": {"totalCount": 1}, "wantList": {"totalCount": 0}, "portfolio": {"itemCount": 1}}));
        assert_eq!(app.data(query, json!(null)).await, json!({"viewer": null}));
        let writes = token(false).await;
        let adding = format!("mutation {{ {} }}", mutations(&json!(""))[0]);
        assert_eq!(app.ask_as(Some(&writes), &adding, json!(null)).await.code(), None);
        assert_eq!(held(&app, &ada).await[0]["quantity"], json!(2));
    }

    async fn what_was_removed_can_be_put_back_as_it_was(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let before = added(&app, &ada, json!([
            {"cardId": BOLT.id(), "quantity": 3, "acquiredPrice": {"amount": "1.50", "currency": "EUR"},
             "acquiredOn": "2020-02-03", "notes": "mine", "tags": ["a", "b"]},
            {"cardId": SHOCK.id(), "finish": "FOIL", "condition": "DAMAGED", "language": "ja"},
            {"cardId": VIAL.id()},
        ])).await;
        let all = ids(&before);
        let with_nobodys = [all[0].clone(), json!(nobodys("InventoryItem")), all[1].clone(), json!("nonsense")];
        assert_eq!(problems(&remove(&app, &ada, &with_nobodys).await), &json!([
            problem("ERR-3001", &["ids", "1"]),
            problem("ERR-3001", &["ids", "3"]),
        ]));
        assert_eq!(held(&app, &ada).await, before, "all or none");
        let twice = [all[1].clone(), all[0].clone(), all[1].clone()];
        assert_eq!(remove(&app, &ada, &twice).await.field()["removedIds"], json!(twice[..2]));
        assert_eq!(held(&app, &ada).await, before[2..]);
        assert_eq!(node(&app, &ada, &all[0]).await, json!(null));
        assert_eq!((app.rows("removed_inventory_items").await, app.rows("holding_values").await), (2, 3));
        let once_more = remove(&app, &ada, &all[..1]).await;
        assert_eq!(problems(&once_more), &json!([problem("ERR-3001", &["ids", "0"])]), "it is gone");
        let with_held = restore(&app, &ada, &all).await;
        assert_eq!(problems(&with_held), &json!([problem("ERR-3001", &["ids", "2"])]), "it was not removed");
        assert_eq!(held(&app, &ada).await, before[2..], "all or none");
        let back = list(&restore(&app, &ada, &twice).await.field()["items"]);
        assert_eq!(ids(&back), twice[..2]);
        let mut expected = before.clone();
        for (item, back) in [(1, &back[0]), (0, &back[1])] {
            assert!(moment(&back["updatedAt"]) > moment(&before[item]["updatedAt"]));
            expected[item]["updatedAt"] = back["updatedAt"].clone();
        }
        assert_eq!(held(&app, &ada).await, expected, "with all that they had");
        assert_eq!((app.rows("removed_inventory_items").await, app.rows("holding_values").await), (0, 9));
        let again = restore(&app, &ada, &all[..1]).await;
        assert_eq!(problems(&again), &json!([problem("ERR-3001", &["ids", "0"])]), "once");
    }

    async fn what_was_removed_a_day_ago_is_gone(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let made = ids(&added(&app, &ada, json!([{"cardId": BOLT.id()}])).await);
        remove(&app, &ada, &made).await.field();
        app.clock.advance(TimeDelta::hours(24) - TimeDelta::minutes(1));
        // The access token has expired meanwhile.
        let ada = sign_in(&app, "ada@example.com").await;
        assert_eq!(ids(&list(&restore(&app, &ada, &made).await.field()["items"])), made);
        remove(&app, &ada, &made).await.field();
        app.clock.advance(TimeDelta::hours(24) + TimeDelta::minutes(1));
        let ada = sign_in(&app, "ada@example.com").await;
        let answer = restore(&app, &ada, &made).await;
        assert_eq!(problems(&answer), &json!([problem("ERR-3001", &["ids", "0"])]));
        assert_eq!(app.rows("inventory_items").await, 0);
    }

    async fn what_was_removed_stays_so_where_an_equal_one_has_come(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let made = ids(&added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 5}, {"cardId": SHOCK.id()}])).await);
        remove(&app, &ada, &made).await.field();
        let new = added(&app, &ada, json!([{"cardId": BOLT.id()}])).await;
        assert_ne!(new[0]["id"], made[0]);
        let answer = restore(&app, &ada, &made).await;
        assert_eq!(problems(&answer), &json!([problem("ERR-3004", &["ids", "0"])]));
        let turned = [made[1].clone(), made[0].clone()];
        assert_eq!(problems(&restore(&app, &ada, &turned).await), &json!([problem("ERR-3004", &["ids", "1"])]));
        assert_eq!(held(&app, &ada).await, new, "all or none");
        // Two that are equal to one another, removed one after the other, can't both come back.
        remove(&app, &ada, &ids(&new)).await.field();
        let equal = [made[0].clone(), new[0]["id"].clone()];
        assert_eq!(problems(&restore(&app, &ada, &equal).await), &json!([problem("ERR-3004", &["ids", "1"])]));
        assert_eq!(ids(&list(&restore(&app, &ada, &made).await.field()["items"])), made);
    }

    async fn fifty_at_once_add_up_and_none_is_lost(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        for round in 0..draws(4) {
            let adds = (1..=50_i64).map(|quantity| {
                let tag = (quantity % 10).to_string();
                add(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": quantity, "acquiredPrice": {"amount": "2.00"}, "tags": [tag]}]))
            });
            let answers = join_all(adds).await;
            let items: Vec<&Value> = answers.iter().map(|answer| &answer.field()["items"][0]).collect();
            let distinct = |field: &str| items.iter().map(|item| item[field].to_string()).collect::<HashSet<_>>().len();
            assert_eq!(distinct("id"), 1, "round {round}");
            assert_eq!((distinct("updatedAt"), distinct("quantity")), (50, 50), "round {round}: one after the other");
            let now = held(&app, &ada).await;
            assert_eq!((now.len(), app.rows("inventory_items").await), (1, 1), "round {round}");
            assert_eq!((&now[0]["quantity"], &now[0]["acquiredPrice"]["amount"]), (&json!(1_275), &json!("2.00")), "round {round}");
            assert_eq!(list(&now[0]["tags"]).len(), 10, "round {round}");
            assert_eq!(app.number("select cast(sum(value) as bigint) as n from holding_values where currency = 0").await, 1_275 * 1_010, "round {round}");
            remove(&app, &ada, &ids(&now)).await.field();
        }
    }

    async fn of_twenty_changes_on_one_state_one_wins(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        for round in 0..draws(4) {
            let item = added(&app, &ada, json!([{"cardId": BOLT.id()}])).await.remove(0);
            let changes = (1..=20).map(|number| {
                let input = json!({"id": item["id"], "expectedUpdatedAt": item["updatedAt"], "quantity": 100 + number});
                update(&app, &ada, input)
            });
            let answers = join_all(changes).await;
            let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.code().is_none());
            assert_eq!((won.len(), lost.len()), (1, 19), "round {round}");
            for answer in lost {
                assert_eq!(problems(answer), &json!([problem("ERR-3004", &["expectedUpdatedAt"])]), "round {round}");
            }
            assert_eq!(held(&app, &ada).await, [won[0].field()["item"].clone()], "round {round}");
            remove(&app, &ada, std::slice::from_ref(&item["id"])).await.field();
        }
    }

    async fn filters_find_what_they_say(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        added(&app, &ada, labelled()).await;
        let bob = sign_up(&app, "bob@example.com").await;
        added(&app, &bob, labelled()).await;
        let many: Vec<String> = (0..100).map(|tag| tag.to_string()).chain(["red".to_owned()]).collect();
        for (filter, expected) in [
            (json!(null), "abcde"),
            (json!({}), "abcde"),
            (json!({"search": "bolt"}), "ab"),
            (json!({"search": "t:artifact"}), "ce"),
            (json!({"search": "aether or shock"}), "de"),
            (json!({"search": "bolt order:usd unique:art"}), "ab"),
            (json!({"search": "no such card"}), ""),
            (json!({"tags": ["binder"]}), "ac"),
            (json!({"tags": ["red", "to trade"]}), "ae"),
            (json!({"tags": ["trade"]}), ""),
            (json!({"tags": many[1..]}), "a"),
            (json!({"setCodes": ["LEA"]}), "abc"),
            (json!({"setCodes": ["m11", "DsT", "zzz"]}), "de"),
            (json!({"conditions": ["NEAR_MINT"]}), "ace"),
            (json!({"conditions": ["LIGHTLY_PLAYED", "MODERATELY_PLAYED"]}), "bd"),
            (json!({"finishes": ["FOIL"]}), "be"),
            (json!({"finishes": ["NONFOIL", "ETCHED"]}), "acd"),
            (json!({"search": "bolt", "finishes": ["FOIL"]}), "b"),
            (json!({"setCodes": ["lea"], "tags": ["binder"], "conditions": ["NEAR_MINT"], "finishes": ["NONFOIL"]}), "ac"),
            (json!({"setCodes": ["lea"], "search": "t:artifact", "tags": ["binder", "box"]}), "c"),
            (json!({"setCodes": ["m11"], "finishes": ["FOIL"]}), ""),
        ] {
            let arguments = json!({"filter": filter, "sort": {"field": "CREATED_AT"}});
            let answer = listed(&app, &ada, arguments).await;
            let found = &answer.field()["inventory"];
            let notes: String = list(&found["nodes"]).iter().map(|item| text(&item["notes"]).to_owned()).collect();
            assert_eq!((notes.as_str(), &found["totalCount"]), (expected, &json!(expected.len())), "{filter}");
            // Another order, with a source of its own.
            let by_value = json!({"filter": filter, "sort": {"field": "VALUE", "direction": "DESC"}});
            let answer = listed(&app, &ada, by_value).await;
            let mut notes: Vec<String> = list(&answer.field()["inventory"]["nodes"]).iter().map(|item| text(&item["notes"]).to_owned()).collect();
            notes.sort();
            assert_eq!(notes.concat(), expected, "{filter} by value");
        }
        for blank in ["", "   "] {
            let answer = listed(&app, &ada, json!({"filter": {"search": blank}})).await;
            assert_eq!((answer.code(), &answer.body["data"]["viewer"]["inventory"]), (Some("ERR-3006"), &json!(null)), "{blank:?}");
        }
        let answer = listed(&app, &ada, json!({"filter": {"tags": many}})).await;
        assert_eq!(answer.code(), Some("ERR-3002"), "a hundred and one");
    }

    async fn every_order_has_every_item_once_from_either_end(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let items = alike();
        added(&app, &ada, json!(items[..6])).await;
        added(&app, &ada, json!(items[6..])).await;
        let bob = sign_up(&app, "bob@example.com").await;
        added(&app, &bob, json!(items)).await;
        for (field, currency) in [("CREATED_AT", "USD"), ("NAME", "USD"), ("QUANTITY", "EUR"), ("VALUE", "USD"), ("VALUE", "EUR"), ("VALUE", "TIX")] {
            for direction in ["ASC", "DESC"] {
                let sort = json!({"field": field, "direction": direction, "currency": currency});
                let mut expected = nodes(&sorted(&app, &ada, json!({"currency": currency, "first": 100})).await);
                assert_eq!(expected.len(), 11);
                expected.sort_by(|a, b| order(field, a, b));
                if direction == "DESC" {
                    expected.reverse();
                }
                for from_start in [true, false] {
                    let walked = walk(&app, &ada, &sort, currency, from_start).await;
                    assert_eq!(walked, expected, "{sort} {from_start}");
                }
                if field == "VALUE" {
                    let without = expected.iter().filter(|item| item["value"]["amount"] == json!("0.00")).count();
                    // Of the dollars: a foil, two of a card in euros, two of a card without a price.
                    assert_eq!(without, match currency { "USD" => 5, "EUR" => 6, _ => 11 }, "{currency}");
                }
            }
        }
        let usual = nodes(&sorted(&app, &ada, json!({"currency": "USD", "first": 100})).await);
        let newest_first = json!({"field": "CREATED_AT", "direction": "DESC"});
        assert_eq!(usual, walk(&app, &ada, &newest_first, "USD", true).await, "the newest first, unless asked otherwise");
        let ascending = walk(&app, &ada, &json!({"field": "QUANTITY"}), "USD", true).await;
        assert!(ascending.is_sorted_by_key(|item| number(&item["quantity"])), "a sort runs up, unless asked otherwise");
    }

    async fn a_cursor_belongs_to_its_list(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let bob = sign_up(&app, "bob@example.com").await;
        added(&app, &ada, labelled()).await;
        added(&app, &bob, labelled()).await;
        let sort = json!({"field": "VALUE", "direction": "ASC", "currency": "USD"});
        let first = listed(&app, &ada, json!({"sort": sort, "first": 2})).await;
        let cursor = &first.field()["inventory"]["pageInfo"]["endCursor"];
        for (arguments, what) in [
            (json!({"field": "NAME", "direction": "ASC", "currency": "USD"}), "another field"),
            (json!({"field": "VALUE", "direction": "DESC", "currency": "USD"}), "another direction"),
            (json!({"field": "VALUE", "direction": "ASC", "currency": "EUR"}), "another currency"),
            (json!(null), "the usual order"),
        ] {
            for place in ["after", "before"] {
                let answer = listed(&app, &ada, json!({"sort": arguments, place: cursor})).await;
                assert_eq!((answer.code(), &answer.body["data"]["viewer"]["inventory"]), (Some("ERR-3003"), &json!(null)), "{what}");
            }
        }
        let filtered = listed(&app, &ada, json!({"sort": sort, "filter": {"finishes": ["FOIL"]}, "after": cursor})).await;
        assert_eq!(filtered.code(), Some("ERR-3003"));
        assert_eq!(listed(&app, &bob, json!({"sort": sort, "after": cursor})).await.code(), Some("ERR-3003"), "another's");
        assert_eq!(listed(&app, &ada, json!({"sort": sort, "after": "nonsense"})).await.code(), Some("ERR-3003"));
        let rest = listed(&app, &ada, json!({"sort": sort, "after": cursor})).await;
        assert_eq!(list(&rest.field()["inventory"]["nodes"]).len(), 3);
        for wrong in [json!({"first": 1, "last": 1}), json!({"first": 101}), json!({"last": -1})] {
            assert_eq!(listed(&app, &ada, wrong.clone()).await.code(), Some("ERR-3002"), "{wrong}");
        }
    }

    async fn an_account_takes_its_collection_with_it(app: TestApp) {
        load(&app).await;
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        for person in [&ada, &bob] {
            let made = added(&app, person, json!([{"cardId": BOLT.id()}, {"cardId": SHOCK.id()}])).await;
            remove(&app, person, &ids(&made[1..])).await.field();
            let want = format!("addWantListItem(input: {{cardId: \"{}\"}}) {{ userErrors {{ errorCode }} }}", LOTUS.id());
            mutate(&app, person, &want).await.field();
        }
        new_prices(&app, "2026-07-01", &[(&BOLT, "cardkingdom", 11.00)]).await;
        let each = [
            ("inventory_items", 1),
            ("holding_values", 3),
            ("removed_inventory_items", 1),
            ("want_list_items", 1),
            ("portfolio_days", 3),
        ];
        for (table, rows) in each {
            assert_eq!(app.rows(table).await, 2 * rows, "{table}");
        }
        let delete = format!("deleteAccount(input: {{password: \"{PASSWORD}\"}}) {{ deletedId userErrors {{ errorCode }} }}");
        assert_eq!(mutate(&app, &ada, &delete).await.field()["deletedId"], json!(ada.id));
        for (table, rows) in each {
            assert_eq!(app.rows(table).await, rows, "{table}: Bob's alone");
        }
        assert_eq!(held(&app, &bob).await.len(), 1);
    }

    async fn an_item_is_worth_its_finish_and_condition_to_the_cent(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        // Card, condition, finish, language, quantity; the value in dollars, whether estimated; the same in euros.
        let table = [
            (BOLT, "NEAR_MINT", "NONFOIL", "en", 3, "30.30", false, "27.21", false),
            // 8.585 and 7.7095 each: half a cent up, a copy at a time.
            (BOLT, "LIGHTLY_PLAYED", "NONFOIL", "en", 3, "25.77", true, "23.13", true),
            (BOLT, "MODERATELY_PLAYED", "NONFOIL", "en", 1, "7.07", true, "6.35", true),
            (BOLT, "HEAVILY_PLAYED", "NONFOIL", "en", 1, "5.05", true, "4.54", true),
            (BOLT, "DAMAGED", "NONFOIL", "en", 1, "3.54", true, "3.17", true),
            (BOLT, "NEAR_MINT", "FOIL", "en", 2, "40.00", false, "0.00", false),
            (BOLT, "LIGHTLY_PLAYED", "FOIL", "en", 1, "17.00", true, "0.00", false),
            (BOLT, "NEAR_MINT", "ETCHED", "en", 1, "0.00", false, "0.00", false),
            // There is no price but the printing's.
            (BOLT, "NEAR_MINT", "NONFOIL", "ja", 1, "10.10", true, "9.07", true),
            (BOLT, "DAMAGED", "NONFOIL", "ja", 2, "7.08", true, "6.34", true),
            (LOTUS, "NEAR_MINT", "NONFOIL", "en", 1, "100.00", false, "0.00", false),
            // A foil is never valued as a nonfoil.
            (LOTUS, "NEAR_MINT", "FOIL", "en", 4, "0.00", false, "0.00", false),
            (LOTUS, "DAMAGED", "FOIL", "ja", 4, "0.00", false, "0.00", false),
            (SHOCK, "NEAR_MINT", "NONFOIL", "en", 1, "0.00", false, "0.25", false),
            (FOREST, "NEAR_MINT", "NONFOIL", "en", 1, "0.00", false, "0.00", false),
        ];
        let items = table.iter().map(|(card, condition, finish, language, quantity, ..)| {
            json!({"cardId": card.id(), "condition": condition, "finish": finish, "language": language, "quantity": quantity})
        });
        let made = added(&app, &ada, Value::from_iter(items)).await;
        assert_eq!(made.len(), table.len());
        let query = "{ viewer { inventory(first: 100, sort: {field: CREATED_AT}) { nodes {
            id value { amount currency } estimated
            euros: value(currency: EUR) { amount currency } inEuros: estimated(currency: EUR)
            tix: value(currency: TIX) { amount currency } inTix: estimated(currency: TIX) } } } }";
        let answer = ask(&app, &ada, query, json!(null)).await;
        for ((item, row), made) in list(&answer.field()["inventory"]["nodes"]).iter().zip(&table).zip(&made) {
            let (card, condition, finish, language, _, dollars, estimated, euros, in_euros) = row;
            assert_eq!(item, &json!({
                "id": made["id"],
                "value": {"amount": dollars, "currency": "USD"}, "estimated": estimated,
                "euros": {"amount": euros, "currency": "EUR"}, "inEuros": in_euros,
                "tix": {"amount": "0.00", "currency": "TIX"}, "inTix": false,
            }), "{} {condition} {finish} {language}", card.name);
        }
        // The value goes with the item, and with the prices.
        let worth = "mutation($input: UpdateInventoryItemInput!) { updateInventoryItem(input: $input) { item { value { amount } estimated } userErrors { errorCode } } }";
        let change = json!({"input": {"id": made[0]["id"], "finish": "FOIL", "condition": "DAMAGED", "quantity": 10}});
        assert_eq!(ask(&app, &ada, worth, change).await.field()["item"], json!({"value": {"amount": "70.00"}, "estimated": true}));
        new_prices(&app, "2026-07-01", &[(&LOTUS, "cardkingdom", 111.11), (&LOTUS, "cardmarket", 99.99)]).await;
        let answer = ask(&app, &ada, query, json!(null)).await;
        let lotus = &answer.field()["inventory"]["nodes"][10];
        assert_eq!((&lotus["value"]["amount"], &lotus["euros"]["amount"]), (&json!("111.11"), &json!("99.99")));
    }

    async fn a_marketplaces_own_price_of_a_condition_goes_before_an_estimate(app: TestApp) {
        load(&app).await;
        // No format that is ingested has one.
        app.execute(
            "insert into card_prices (card_id, currency, finish, condition, ranked, stale, observed_at, price, low, high, market,
                 change_24h, base_24h, change_7d, change_30d)
             select card_id, currency, finish, 1, false, stale, observed_at, 777, 777, 777, 777, 7, 770, 0, 0
             from card_prices where condition = 0 and finish = 0 and currency = 0 and price = 1010"
        ).await;
        let ada = sign_up(&app, "ada@example.com").await;
        added(&app, &ada, json!([{"cardId": BOLT.id(), "condition": "LIGHTLY_PLAYED", "quantity": 2}])).await;
        let query = "{ viewer { inventory { nodes { value { amount } estimated } } portfolio { change24h { amount percent } change7d { amount percent } } } }";
        let answer = ask(&app, &ada, query, json!(null)).await;
        assert_eq!(answer.field()["inventory"]["nodes"], json!([{"value": {"amount": "15.54"}, "estimated": false}]));
        let portfolio = &answer.field()["portfolio"];
        assert_eq!(portfolio["change24h"]["amount"], json!("0.14"));
        assert_eq!(portfolio["change7d"], json!({"amount": "0.00", "percent": null}), "it had no price then");
    }

    async fn a_gain_is_known_where_the_price_paid_is(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let none = json!(null);
        let gain = |amount: &str, percent: Option<f64>| json!({"amount": amount, "percent": percent});
        let table = [
            (json!({"cardId": BOLT.id(), "quantity": 3, "acquiredPrice": {"amount": "8.00"}}), gain("6.30", Some(26.25)), none.clone()),
            (json!({"cardId": BOLT.id(), "condition": "DAMAGED", "acquiredPrice": {"amount": "8.00", "currency": "EUR"}}), none.clone(), gain("-4.83", Some(-60.375))),
            (json!({"cardId": BOLT.id(), "finish": "FOIL"}), none.clone(), none.clone()),
            // For nothing: more than any percentage.
            (json!({"cardId": LOTUS.id(), "acquiredPrice": {"amount": "0.00"}}), gain("100.00", None), none.clone()),
            (json!({"cardId": LOTUS.id(), "finish": "FOIL", "quantity": 2, "acquiredPrice": {"amount": "1.00"}}), gain("-2.00", Some(-100.0)), none.clone()),
            (json!({"cardId": SHOCK.id(), "acquiredPrice": {"amount": "0.20", "currency": "EUR"}}), none.clone(), gain("0.05", Some(25.0))),
            (json!({"cardId": SHOCK.id(), "finish": "FOIL", "acquiredPrice": {"amount": "0.20", "currency": "TIX"}}), none.clone(), none),
        ];
        let items = Value::from_iter(table.iter().map(|(item, ..)| item.clone()));
        assert_eq!(added(&app, &ada, items).await.len(), table.len());
        let query = "{ viewer { inventory(sort: {field: CREATED_AT}) { nodes { gain { amount percent } euros: gain(currency: EUR) { amount percent } } } } }";
        let answer = ask(&app, &ada, query, json!(null)).await;
        for (shown, (item, dollars, euros)) in list(&answer.field()["inventory"]["nodes"]).iter().zip(&table) {
            assert_eq!(shown, &json!({"gain": dollars, "euros": euros}), "{item}");
        }
    }
}
