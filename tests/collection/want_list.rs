//! Wants: what is on the list once, in which order, and whether its price is at the target.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{
    ADD_WANT, BOLT, FOREST, LOTUS, NOTHING, REMOVE_WANTS, SHOCK, UPDATE_WANT, VIAL, WANT_LIST_PAGE, ask,
    document, has_too_long_a_list, ids, list, load, moment, new_prices, nobodys, node, payload, problem,
    problems, text,
};
use crate::harness::{Answered, Printing, TestApp, draws, on_both_stores};
use crate::security::{Person, sign_up};

/// All that a want has of its own.
const WANT: &str = "id quantity priority finish targetPrice { amount currency } belowTarget hitAt notes createdAt updatedAt \
     card { name }";

async fn want(app: &TestApp, person: &Person, input: Value) -> Answered {
    let query = format!(
        "mutation($input: AddWantListItemInput!) {{ addWantListItem(input: $input) {{
             item {{ {WANT} }} userErrors {{ errorCode path }} }} }}"
    );
    ask(app, person, &query, json!({"input": input})).await
}

/// The want that was added.
async fn wanted(app: &TestApp, person: &Person, input: Value) -> Value {
    want(app, person, input).await.field()["item"].clone()
}

async fn change(app: &TestApp, person: &Person, input: Value) -> Answered {
    let query = format!(
        "mutation($input: UpdateWantListItemInput!) {{ updateWantListItem(input: $input) {{
             item {{ {WANT} }} userErrors {{ errorCode path }} }} }}"
    );
    ask(app, person, &query, json!({"input": input})).await
}

async fn take_off(app: &TestApp, person: &Person, ids: &[Value]) -> Answered {
    let query = "mutation($ids: [ID!]!) { removeWantListItems(input: {ids: $ids}) { removedIds userErrors { errorCode path } } }";
    ask(app, person, query, json!({"ids": ids})).await
}

/// A page of somebody's wants: `sort`, `first`, `after`, `last`, `before`.
async fn page(app: &TestApp, person: &Person, arguments: Value) -> Value {
    let query = format!(
        "query($sort: WantListSort, $first: Int, $after: String, $last: Int, $before: String) {{
             viewer {{ wantList(sort: $sort, first: $first, after: $after, last: $last, before: $before) {{
                 totalCount nodes {{ {WANT} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }}"
    );
    ask(app, person, &query, arguments).await.field()["wantList"].clone()
}

/// Somebody's wants in the order in which they were added.
async fn wants(app: &TestApp, person: &Person) -> Vec<Value> {
    list(&page(app, person, json!({"sort": {"field": "CREATED_AT"}, "first": 100})).await["nodes"])
}

/// What is said of a want's price: whether it is at the target, and since when.
async fn hit(app: &TestApp, person: &Person) -> (Value, Value) {
    let want = wants(app, person).await.remove(0);
    (want["belowTarget"].clone(), want["hitAt"].clone())
}

fn dollars(amount: &str) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

fn euros(amount: &str) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

on_both_stores! { Tables:
    async fn the_contracts_operations_are_answered(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let run = async |operation: &str, variables: Value| {
            ask(&app, &ada, &document(operation), variables).await.field().clone()
        };
        let input = json!({"cardId": BOLT.id(), "targetPrice": {"amount": "11"}, "quantity": 4});
        let made = run(ADD_WANT, json!({"input": input})).await["item"].clone();
        let card = json!({"id": BOLT.id(), "name": "Lightning Bolt"});
        assert_eq!(made, json!({"id": made["id"], "priority": "MEDIUM", "card": card}));
        let mut shown = run(WANT_LIST_PAGE, json!({})).await["wantList"].clone();
        assert_eq!((&shown["totalCount"], &shown["pageInfo"]["hasNextPage"]), (&json!(1), &json!(false)));
        let market = shown["nodes"][0]["card"]["marketPrices"].take();
        assert_eq!(market[0], json!({"marketplace": {"slug": "cardkingdom"}, "price": "10.10"}));
        assert_eq!(shown["nodes"], json!([{
            "id": made["id"], "quantity": 4, "priority": "MEDIUM", "belowTarget": true, "finish": null,
            "targetPrice": {"amount": "11.00", "currency": "USD"},
            "card": {"id": BOLT.id(), "name": "Lightning Bolt", "set": {"code": "lea"}, "marketPrices": null,
                     "price": {"hasPriceData": true, "price": "10.10"}},
        }]));
        let changed = run(UPDATE_WANT, json!({"input": {"id": made["id"], "priority": "HIGH", "quantity": 2}})).await;
        assert_eq!(changed["item"], json!({"id": made["id"], "priority": "HIGH", "quantity": 2}));
        let again = ask(&app, &ada, &document(ADD_WANT), json!({"input": input})).await;
        assert_eq!(problems(&again)[0]["code"], json!("CONFLICT"));
        let removed = run(REMOVE_WANTS, json!({"ids": [made["id"]]})).await;
        assert_eq!(removed, json!({"removedIds": [made["id"]], "userErrors": []}));
        let empty = run(WANT_LIST_PAGE, json!({"first": 100})).await;
        assert_eq!((&empty["wantList"]["totalCount"], &empty["wantList"]["nodes"]), (&json!(0), &json!([])));
    }

    async fn a_want_is_as_it_was_given_and_only_the_fields_given_change(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let plain = wanted(&app, &ada, json!({"cardId": SHOCK.id()})).await;
        let shown = json!({
            "id": plain["id"], "quantity": 1, "priority": "MEDIUM", "finish": null, "targetPrice": null, "belowTarget": false,
            "hitAt": null, "notes": null, "createdAt": plain["createdAt"], "updatedAt": plain["createdAt"], "card": {"name": "Shock"},
        });
        assert_eq!(plain, shown);
        let mut item = wanted(&app, &ada, json!({"cardId": BOLT.id(), "quantity": 3, "priority": "LOW", "finish": "FOIL",
            "targetPrice": {"amount": "5.00"}, "notes": "for the cube"})).await;
        assert_eq!((&item["finish"], &item["targetPrice"], &item["notes"]), (&json!("FOIL"), &dollars("5.00"), &json!("for the cube")));
        for (field, given) in [
            ("quantity", json!(100_000)),
            ("priority", json!("HIGH")),
            ("finish", json!("NONFOIL")),
            ("targetPrice", euros("0.50")),
            ("notes", json!("else")),
            // Null empties what may be empty.
            ("finish", json!(null)),
            ("targetPrice", json!(null)),
            ("notes", json!(null)),
        ] {
            let changed = change(&app, &ada, json!({"id": item["id"], field: given})).await.field()["item"].clone();
            assert!(moment(&changed["updatedAt"]) > moment(&item["updatedAt"]), "{field}");
            item[field] = given;
            item["updatedAt"] = changed["updatedAt"].clone();
            assert_eq!(changed, item, "{field}");
        }
        assert_eq!(wants(&app, &ada).await, [plain, item]);
    }

    async fn what_is_wrong_is_named_and_nothing_happens(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let there = wanted(&app, &ada, json!({"cardId": BOLT.id(), "notes": "mine"})).await;
        for (field, value, place) in [
            ("quantity", json!(0), "quantity"),
            ("quantity", json!(100_001), "quantity"),
            ("targetPrice", json!({"amount": "-0.01"}), "targetPrice.amount"),
            ("targetPrice", json!({"amount": "10000000"}), "targetPrice.amount"),
            ("notes", json!("x".repeat(2_001)), "notes"),
        ] {
            let path: Vec<&str> = place.split('.').collect();
            let expected = json!({"item": null, "userErrors": [problem("ERR-3002", &path)]});
            let added = want(&app, &ada, json!({"cardId": SHOCK.id(), field: value})).await;
            assert_eq!(payload(&added), &expected, "{field} {value}");
            let changed = change(&app, &ada, json!({"id": there["id"], "priority": "HIGH", field: value})).await;
            assert_eq!(payload(&changed), &expected, "{field} {value}");
        }
        for field in ["quantity", "priority"] {
            let emptied = change(&app, &ada, json!({"id": there["id"], "notes": "others", field: null})).await;
            assert_eq!(problems(&emptied), &json!([problem("ERR-3002", &[field])]));
        }
        for card in [NOTHING.id(), ada.id.clone(), "nonsense".to_owned()] {
            let unknown = want(&app, &ada, json!({"cardId": card})).await;
            assert_eq!(problems(&unknown), &json!([problem("ERR-3001", &["cardId"])]), "{card}");
        }
        let several = want(&app, &ada, json!({"cardId": SHOCK.id(), "quantity": 0, "targetPrice": {"amount": "-1"}})).await;
        let expected = [problem("ERR-3002", &["quantity"]), problem("ERR-3002", &["targetPrice", "amount"])];
        assert_eq!(problems(&several), &json!(expected));
        assert_eq!(wants(&app, &ada).await, [there]);
    }

    async fn a_card_is_on_the_list_once_in_each_finish(app: TestApp) {
        load(&app).await;
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let of = |finish: Value| json!({"cardId": BOLT.id(), "finish": finish});
        for person in [&ada, &bob] {
            for finish in [json!(null), json!("FOIL"), json!("NONFOIL")] {
                wanted(&app, person, of(finish.clone())).await;
                let again = want(&app, person, of(finish.clone())).await;
                assert_eq!((again.code(), &payload(&again)["item"]), (Some("ERR-3004"), &json!(null)), "{finish}");
            }
            wanted(&app, person, json!({"cardId": LOTUS.id()})).await;
        }
        assert_eq!(app.rows("want_list_items").await, 8);
        let before = wants(&app, &ada).await;
        for finish in [json!(null), json!("NONFOIL")] {
            let to_equal = change(&app, &ada, json!({"id": before[1]["id"], "finish": finish, "quantity": 9})).await;
            assert_eq!(to_equal.code(), Some("ERR-3004"), "{finish}");
        }
        assert_eq!(wants(&app, &ada).await, before);
        let other = change(&app, &ada, json!({"id": before[1]["id"], "finish": "ETCHED"})).await;
        assert_eq!(other.field()["item"]["finish"], json!("ETCHED"));
        wanted(&app, &ada, of(json!("FOIL"))).await;
    }

    async fn of_twenty_equal_ones_at_once_one_is_added(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        for round in 0..draws(4) {
            let finish = if round % 2 == 0 { json!(null) } else { json!("FOIL") };
            let adds = (0..20).map(|_| want(&app, &ada, json!({"cardId": BOLT.id(), "finish": finish})));
            let answers = join_all(adds).await;
            let (added, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.code().is_none());
            assert_eq!(added.len(), 1, "round {round}");
            assert!(refused.iter().all(|answer| answer.code() == Some("ERR-3004")), "round {round}: {refused:?}");
            let there = ids(&wants(&app, &ada).await);
            assert_eq!(take_off(&app, &ada, &there).await.field()["removedIds"], json!([added[0].field()["item"]["id"]]));
        }
    }

    async fn a_change_on_what_was_changed_meanwhile_is_a_conflict(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let item = wanted(&app, &ada, json!({"cardId": BOLT.id()})).await;
        let expecting = |expected: &Value| json!({"id": item["id"], "expectedUpdatedAt": expected, "quantity": 2});
        let changed = change(&app, &ada, expecting(&item["updatedAt"])).await.field()["item"].clone();
        let late = change(&app, &ada, expecting(&item["updatedAt"])).await;
        assert_eq!(problems(&late), &json!([problem("ERR-3004", &["expectedUpdatedAt"])]));
        assert_eq!(wants(&app, &ada).await, std::slice::from_ref(&changed));
        let answers = join_all((0..20).map(|_| change(&app, &ada, expecting(&changed["updatedAt"])))).await;
        let won = answers.iter().filter(|answer| answer.code().is_none()).count();
        let lost = answers.iter().filter(|answer| answer.code() == Some("ERR-3004")).count();
        assert_eq!((won, lost), (1, 19));
    }

    async fn the_most_wanted_come_first_and_of_those_the_newest(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let mut all = Vec::new();
        for (card, priority) in [(VIAL, "MEDIUM"), (BOLT, "HIGH"), (SHOCK, "LOW"), (LOTUS, "HIGH"), (FOREST, "MEDIUM")] {
            all.push(wanted(&app, &ada, json!({"cardId": card.id(), "priority": priority})).await);
        }
        let bob = sign_up(&app, "bob@example.com").await;
        wanted(&app, &bob, json!({"cardId": BOLT.id()})).await;
        let names = |nodes: &[Value]| nodes.iter().map(|want| text(&want["card"]["name"]).to_owned()).collect::<Vec<_>>();
        let by_priority = ["Shock", "Æther Vial", "Forest", "Lightning Bolt", "Black Lotus"];
        let by_age = ["Æther Vial", "Lightning Bolt", "Shock", "Black Lotus", "Forest"];
        let by_name = ["Æther Vial", "Black Lotus", "Forest", "Lightning Bolt", "Shock"];
        for (field, ascending) in [("PRIORITY", by_priority), ("CREATED_AT", by_age), ("NAME", by_name)] {
            for direction in ["ASC", "DESC"] {
                let mut expected = ascending.map(str::to_owned).to_vec();
                if direction == "DESC" {
                    expected.reverse();
                }
                let sort = json!({"field": field, "direction": direction});
                // By pages of two, from either end.
                let (mut forwards, mut backwards) = (Vec::new(), Vec::new());
                let (mut after, mut before) = (json!(null), json!(null));
                for left in [3, 1, 0] {
                    let next = page(&app, &ada, json!({"sort": sort, "first": 2, "after": after})).await;
                    let flags = [next["pageInfo"]["hasNextPage"] == json!(true), next["pageInfo"]["hasPreviousPage"] == json!(true)];
                    assert_eq!((flags, &next["totalCount"]), ([left > 0, !forwards.is_empty()], &json!(5)), "{sort}");
                    forwards.extend(names(&list(&next["nodes"])));
                    after = next["pageInfo"]["endCursor"].clone();
                    let previous = page(&app, &ada, json!({"sort": sort, "last": 2, "before": before})).await;
                    let flags = [previous["pageInfo"]["hasPreviousPage"] == json!(true), previous["pageInfo"]["hasNextPage"] == json!(true)];
                    assert_eq!(flags, [left > 0, !backwards.is_empty()], "{sort}");
                    backwards.splice(0..0, names(&list(&previous["nodes"])));
                    before = previous["pageInfo"]["startCursor"].clone();
                }
                assert_eq!(forwards, expected, "{sort}");
                assert_eq!(backwards, expected, "{sort}");
            }
        }
        let usual = names(&list(&page(&app, &ada, json!({})).await["nodes"]));
        assert_eq!(usual, ["Black Lotus", "Lightning Bolt", "Forest", "Æther Vial", "Shock"]);
        let ascending = names(&list(&page(&app, &ada, json!({"sort": {"field": "NAME"}})).await["nodes"]));
        assert_eq!(ascending, by_name, "a sort runs up, unless asked otherwise");
        let cursor = page(&app, &ada, json!({"first": 2})).await["pageInfo"]["endCursor"].clone();
        let query = "query($after: String) { viewer { wantList(sort: {field: NAME}, after: $after) { totalCount } } }";
        assert_eq!(ask(&app, &ada, query, json!({"after": cursor})).await.code(), Some("ERR-3003"));
        let query = "query($after: String) { viewer { wantList(after: $after) { totalCount } } }";
        assert_eq!(ask(&app, &bob, query, json!({"after": cursor})).await.code(), Some("ERR-3003"));
    }

    async fn a_price_at_the_target_or_below_is_seen_at_once(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let table: [(Printing, Value, Value, bool); 16] = [
            (BOLT, json!(null), dollars("10.10"), true),
            (BOLT, json!(null), dollars("10.09"), false),
            (BOLT, json!(null), dollars("5000.00"), true),
            (BOLT, json!("NONFOIL"), dollars("10.10"), true),
            (BOLT, json!("NONFOIL"), dollars("10.09"), false),
            (BOLT, json!("FOIL"), dollars("20.00"), true),
            (BOLT, json!("FOIL"), dollars("19.99"), false),
            (BOLT, json!(null), euros("9.07"), true),
            (BOLT, json!(null), euros("9.06"), false),
            // Where no price is known, it is at no target.
            (BOLT, json!("FOIL"), euros("5000.00"), false),
            (BOLT, json!("ETCHED"), dollars("5000.00"), false),
            (LOTUS, json!("FOIL"), dollars("5000.00"), false),
            (SHOCK, json!(null), dollars("5000.00"), false),
            (SHOCK, json!(null), euros("0.25"), true),
            (FOREST, json!(null), dollars("5000.00"), false),
            (BOLT, json!(null), json!(null), false),
        ];
        for (card, finish, target, below) in table {
            let input = json!({"cardId": card.id(), "finish": finish, "targetPrice": target});
            let item = wanted(&app, &ada, input).await;
            // That the target is above the price is no fall of the price.
            assert_eq!((&item["belowTarget"], &item["hitAt"]), (&json!(below), &json!(null)), "{} {finish} {target}", card.name);
            assert_eq!(wants(&app, &ada).await, std::slice::from_ref(&item));
            take_off(&app, &ada, std::slice::from_ref(&item["id"])).await.field();
        }
    }

    async fn a_changed_target_is_looked_at_and_a_cleared_one_is_not_met(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let id = wanted(&app, &ada, json!({"cardId": BOLT.id(), "targetPrice": {"amount": "11.00"}})).await["id"].clone();
        assert_eq!(hit(&app, &ada).await.0, json!(true));
        for (field, value, below) in [
            ("targetPrice", dollars("10.00"), false),
            ("targetPrice", dollars("19.00"), true),
            ("finish", json!("FOIL"), false),
            ("targetPrice", dollars("20.00"), true),
            ("notes", json!("as it was"), true),
            ("targetPrice", euros("20.00"), false),
            ("finish", json!(null), true),
            ("targetPrice", json!(null), false),
            ("targetPrice", dollars("10.10"), true),
        ] {
            let changed = change(&app, &ada, json!({"id": id, field: value})).await;
            assert_eq!(changed.field()["item"]["belowTarget"], json!(below), "{field} {value}");
            assert_eq!(hit(&app, &ada).await, (json!(below), json!(null)), "{field} {value}");
        }
    }

    async fn the_price_falls_to_the_target_and_rises_again(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let made = wanted(&app, &ada, json!({"cardId": BOLT.id(), "targetPrice": {"amount": "9.00"}})).await;
        assert_eq!(hit(&app, &ada).await, (json!(false), json!(null)));
        let bob = sign_up(&app, "bob@example.com").await;
        wanted(&app, &bob, json!({"cardId": BOLT.id(), "targetPrice": {"amount": "8.50", "currency": "EUR"}})).await;
        for (day, price, below, since) in [
            ("2026-07-01", 9.01, false, None),
            ("2026-07-02", 9.00, true, Some("2026-07-02T00:00:00Z")),
            ("2026-07-03", 8.00, true, Some("2026-07-02T00:00:00Z")),
            ("2026-07-04", 9.50, false, Some("2026-07-02T00:00:00Z")),
            ("2026-07-05", 8.99, true, Some("2026-07-05T00:00:00Z")),
        ] {
            new_prices(&app, day, &[(&BOLT, "cardkingdom", price)]).await;
            assert_eq!(hit(&app, &ada).await, (json!(below), json!(since)), "{day}");
            assert_eq!(hit(&app, &bob).await, (json!(false), json!(null)), "{day}: a price in another currency");
        }
        assert_eq!(wants(&app, &ada).await[0]["updatedAt"], made["updatedAt"], "the user has changed nothing");
        new_prices(&app, "2026-07-06", &[(&BOLT, "cardmarket", 8.00)]).await;
        assert_eq!(hit(&app, &bob).await, (json!(true), json!("2026-07-06T00:00:00Z")));
        // A week without a price later it is known to be at the target no more.
        new_prices(&app, "2026-07-14", &[(&VIAL, "cardkingdom", 1.00)]).await;
        assert_eq!(hit(&app, &ada).await, (json!(false), json!("2026-07-05T00:00:00Z")));
        assert_eq!(hit(&app, &bob).await, (json!(false), json!("2026-07-06T00:00:00Z")));
    }

    async fn what_is_anothers_is_as_if_it_were_not_there(app: TestApp) {
        load(&app).await;
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let item = wanted(&app, &ada, json!({"cardId": BOLT.id()})).await;
        let (id, nobodys) = (&item["id"], json!(nobodys("WantListItem")));
        // Six requests of Bob's that miss: ten would shut him out.
        for own in [id, &nobodys] {
            let changed = change(&app, &bob, json!({"id": own, "quantity": 9})).await;
            assert_eq!(payload(&changed), &json!({"item": null, "userErrors": [problem("ERR-3001", &["id"])]}));
            let removed = take_off(&app, &bob, std::slice::from_ref(own)).await;
            assert_eq!(payload(&removed), &json!({"removedIds": [], "userErrors": [problem("ERR-3001", &["ids", "0"])]}));
            assert_eq!(node(&app, &bob, own).await, json!(null));
        }
        assert_eq!(node(&app, &ada, id).await, json!({"id": id}));
        assert_eq!((wants(&app, &ada).await, wants(&app, &bob).await), (vec![item.clone()], Vec::new()));
    }

    async fn all_are_taken_off_or_none(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let mut all = Vec::new();
        for card in [BOLT, SHOCK, VIAL] {
            all.push(wanted(&app, &ada, json!({"cardId": card.id()})).await);
        }
        let made = ids(&all);
        let with_nobodys = [made[0].clone(), json!(nobodys("WantListItem"))];
        let answer = take_off(&app, &ada, &with_nobodys).await;
        assert_eq!(problems(&answer), &json!([problem("ERR-3001", &["ids", "1"])]));
        let many = vec![made[0].clone(); 1_001];
        assert_eq!(problems(&take_off(&app, &ada, &[]).await), &json!([problem("ERR-3002", &["ids"])]));
        has_too_long_a_list(&take_off(&app, &ada, &many).await);
        assert_eq!(wants(&app, &ada).await, all);
        let twice = [made[2].clone(), made[0].clone(), made[2].clone()];
        assert_eq!(take_off(&app, &ada, &twice).await.field()["removedIds"], json!(twice[..2]));
        assert_eq!(wants(&app, &ada).await, all[1..2]);
        wanted(&app, &ada, json!({"cardId": BOLT.id()})).await;
    }
}
