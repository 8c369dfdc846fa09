//! Items that are changed, removed and put back, and by whom.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    ADD_INVENTORY_ITEMS, BOLT, INVENTORY_PAGE, LOTUS, REMOVE_INVENTORY_ITEMS, SHOCK, UPDATE_INVENTORY_ITEM,
    VIAL, added, ask, document, held, ids, list, load, moment, new_prices, nobodys, node, payload, problem,
    problems, remove, restore, text, update,
};
use crate::harness::{draws, on_both_stores};
use crate::security::{PASSWORD, mutate, sign_in, sign_up};

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
        assert_eq!(held(&app, &ada).await, std::slice::from_ref(&changed));
        assert_eq!(change(&changed["updatedAt"], 3).await.field()["item"]["quantity"], json!(3));
        assert_eq!(change(&json!(null), 4).await.field()["item"]["quantity"], json!(4), "who expects nothing");
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
        assert_eq!((app.rows("removed_inventory_items").await, app.rows("item_values").await), (2, 1));
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
        assert_eq!((app.rows("removed_inventory_items").await, app.rows("item_values").await), (0, 3));
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
            ("item_values", 1),
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
}
