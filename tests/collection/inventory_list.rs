//! Items found and listed in every order, and worth what the prices say.

use std::cmp::Ordering;

use dualcaster::domain::catalogue::name_key;
use serde_json::{Value, json};

use super::{
    BOLT, FOREST, LOTUS, SHOCK, VIAL, added, ask, cents, list, listed, load, moment, new_prices, number,
    text, uuid_of,
};
use crate::harness::{TestApp, on_both_stores};
use crate::security::{Person, sign_up};

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

on_both_stores! { Tables:
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
