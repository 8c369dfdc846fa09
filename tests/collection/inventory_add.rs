//! Items that are added: equal ones add up, all or none, within the limits, however many at once.

use std::collections::HashSet;

use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    BOLT, CONDITIONS, FINISHES, FOREST, LOTUS, NOTHING, SHOCK, VIAL, add, added, has_too_long_a_list, held,
    ids, list, load, moment, number, payload, problem, problems, remove, restore,
};
use crate::harness::{Store, draws, on_both_stores};
use crate::security::sign_up;

/// Twenty items, of which no two are equal.
fn twenty() -> Value {
    let item = |number: usize| {
        json!({"cardId": BOLT.id(), "condition": CONDITIONS[number % 5], "finish": FINISHES[number / 5 % 3],
               "language": if number < 15 { "en" } else { "ja" }, "quantity": number + 1})
    };
    Value::from_iter((0..20).map(item))
}

on_both_stores! { Tables:
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
            assert_eq!((app.rows("inventory_items").await, app.rows("item_values").await), (0, 0), "{field} {value}");
        }
        let mut items = twenty();
        items[17]["tags"] = Value::from_iter((0..21).map(|tag| tag.to_string()));
        has_too_long_a_list(&add(&app, &ada, items).await);
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
        assert_eq!(problems(&add(&app, &ada, json!([])).await), &json!([problem("ERR-3002", &["items"])]));
        has_too_long_a_list(&add(&app, &ada, json!(items[..501])).await);
        assert_eq!(app.rows("inventory_items").await, 0);
        let made = ids(&added(&app, &ada, json!(items[..500])).await);
        assert_eq!((made.len(), app.rows("inventory_items").await), (500, 500));
        assert_eq!(app.rows("item_values").await, 500);
        let too_many: Vec<Value> = made.iter().cycle().take(1_001).cloned().collect();
        let none = json!([problem("ERR-3002", &["ids"])]);
        assert_eq!(problems(&remove(&app, &ada, &[]).await), &none);
        assert_eq!(problems(&restore(&app, &ada, &[]).await), &none);
        has_too_long_a_list(&remove(&app, &ada, &too_many).await);
        has_too_long_a_list(&restore(&app, &ada, &too_many).await);
        assert_eq!(remove(&app, &ada, &made).await.field()["removedIds"], json!(made));
        assert_eq!((app.rows("inventory_items").await, app.rows("item_values").await), (0, 0));
        assert_eq!(ids(&list(&restore(&app, &ada, &made).await.field()["items"])), made);
        assert_eq!((app.rows("inventory_items").await, app.rows("item_values").await), (500, 500));
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
            assert_eq!(app.number("select cast(sum(usd_value) as bigint) as n from item_values").await, 1_275 * 1_010, "round {round}");
            remove(&app, &ada, &ids(&now)).await.field();
        }
    }
}
