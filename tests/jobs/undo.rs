//! Imports that are taken back: what they made goes, the rest is as it was, and what was done by hand since stays.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::imports::{MOXFIELD, moxfield, moxfields, pairs, printings, table, told, value};
use super::{imported, load, looked_at, queued, shocks, stored, undo, until};
use crate::collection::{
    BOLT, CONDITIONS, FOREST, LOTUS, SHOCK, VIAL, added, amount, held, ids, list, nobodys, number, problem,
    problems, remove, text, update,
};
use crate::harness::{TestApp, on_both_stores};
use crate::security::{sign_in, sign_up};

const OTHER_CURRENCY: &str =
    "Its price is in another currency than that of the copies there, and was left out.";
const TOO_MANY_TAGS: &str = "Some of its tags were left out: an item has at most 20.";

/// How much is noted for taking imports back.
async fn noted(app: &TestApp) -> i64 {
    app.rows("import_changes").await + app.rows("import_made").await
}

/// The names of items, sorted.
fn names(items: &[Value]) -> Vec<&str> {
    let mut names: Vec<&str> = items.iter().map(|item| text(&item["card"]["name"])).collect();
    names.sort_unstable();
    names
}

on_both_stores! { Tables:
    async fn taking_back_a_merge_leaves_all_as_it_was(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        added(&app, &ada, json!([
            {"cardId": BOLT.id(), "quantity": 3, "acquiredPrice": {"amount": "1.00"}, "acquiredOn": "2020-02-03", "notes": "the first", "tags": ["red"]},
            {"cardId": LOTUS.id(), "finish": "FOIL", "condition": "DAMAGED", "language": "ja"},
            {"cardId": VIAL.id()},
        ])).await;
        let (before, worth) = (held(&app, &ada).await, value(&app, &ada).await);
        app.work();
        let file = table(MOXFIELD, &[
            "1,1,Lightning Bolt,lea,NM,English,,box,2025-10-09 19:20:29.120000,161,False,False,5.00",
            &moxfield(2, "Shock", "m11", "156"),
            &moxfield(1, "Æther Vial", "dst", "91"),
        ]);
        let job = imported(&app, &ada, &file, json!({})).await;
        let between = held(&app, &ada).await;
        assert_eq!(between.len(), 4);
        let answer = undo(&app, &ada, &job["id"]).await;
        let undone = json!({"collectionImport": {"id": job["id"], "status": "COMPLETED", "undone": true}, "keptItems": [], "userErrors": []});
        assert_eq!(answer.field(), &undone);
        let after = held(&app, &ada).await;
        assert_eq!(after, before);
        // Who has what was imported before their eyes is told that it is not so any more.
        assert_ne!(after[0]["updatedAt"], between[0]["updatedAt"]);
        assert_eq!((value(&app, &ada).await, noted(&app).await), (worth, 0));
        // What came of it is still told.
        let after = looked_at(&app, &ada, &job["id"]).await;
        assert_eq!((&after["undone"], &after["rowsImported"]), (&json!(true), &json!(3)));
    }

    async fn taking_back_a_replacement_leaves_all_as_it_was(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let there = added(&app, &ada, json!([
            {"cardId": BOLT.id(), "quantity": 3, "acquiredPrice": {"amount": "1.00", "currency": "EUR"}, "notes": "the first\n\"second\"", "tags": ["red", "a, b"]},
            {"cardId": LOTUS.id(), "finish": "FOIL", "condition": "DAMAGED", "language": "ja", "acquiredOn": "2020-02-03"},
            {"cardId": LOTUS.id(), "quantity": 100_000, "acquiredPrice": {"amount": "9999999.99"}},
            {"cardId": VIAL.id(), "acquiredPrice": {"amount": "0.00"}, "tags": ["x"]},
        ])).await;
        // One that was changed after it was made.
        update(&app, &ada, json!({"id": there[1]["id"], "notes": "changed"})).await.field();
        let (before, worth) = (held(&app, &ada).await, value(&app, &ada).await);
        assert_ne!(before[1]["createdAt"], before[1]["updatedAt"]);
        app.work();
        let file = moxfields(&[(7, "Lightning Bolt", "lea", "161"), (2, "Shock", "m11", "156")]);
        let job = imported(&app, &ada, &file, json!({"mode": "REPLACE"})).await;
        assert_eq!(printings(&app, &ada).await, ["7 Lightning Bolt (lea 161)", "2 Shock (m11 156)"]);
        let answer = undo(&app, &ada, &job["id"]).await;
        assert_eq!(answer.field()["keptItems"], json!([]));
        // To the moment of the last change: nobody has seen these items otherwise.
        assert_eq!((held(&app, &ada).await, value(&app, &ada).await), (before, worth));
    }

    async fn what_was_changed_by_hand_since_stays_and_is_told(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let there = added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 3}, {"cardId": LOTUS.id()}, {"cardId": VIAL.id(), "quantity": 2}])).await;
        app.work();
        let file = moxfields(&[
            (1, "Lightning Bolt", "lea", "161"), (1, "Black Lotus", "lea", "232"), (1, "Æther Vial", "dst", "91"),
            (4, "Shock", "m11", "156"), (2, "Forest", "m11", "246"),
        ]);
        let job = imported(&app, &ada, &file, json!({})).await;
        let now = held(&app, &ada).await;
        update(&app, &ada, json!({"id": there[0]["id"], "quantity": 10})).await.field();
        update(&app, &ada, json!({"id": now[3]["id"], "notes": "mine"})).await.field();
        remove(&app, &ada, &ids(&there[1..2])).await.field();
        let answer = undo(&app, &ada, &job["id"]).await;
        let kept = list(&answer.field()["keptItems"]);
        assert_eq!(names(&kept), ["Lightning Bolt", "Shock"]);
        assert!(kept.iter().any(|item| item["id"] == there[0]["id"] && item["quantity"] == json!(10)), "{kept:#?}");
        assert_eq!(printings(&app, &ada).await, ["10 Lightning Bolt (lea 161)", "2 Æther Vial (dst 91)", "4 Shock (m11 156)"]);
    }

    async fn what_was_changed_by_hand_since_a_replacement_stays_in_the_place_of_the_old(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let there = added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 3}, {"cardId": LOTUS.id()}])).await;
        app.work();
        let file = moxfields(&[(1, "Lightning Bolt", "lea", "161"), (2, "Shock", "m11", "156")]);
        let job = imported(&app, &ada, &file, json!({"mode": "REPLACE"})).await;
        let bolt = held(&app, &ada).await[0]["id"].clone();
        update(&app, &ada, json!({"id": bolt, "quantity": 7})).await.field();
        let answer = undo(&app, &ada, &job["id"]).await;
        let kept = list(&answer.field()["keptItems"]);
        assert_eq!((kept.len(), &kept[0]["id"], &kept[0]["quantity"]), (1, &bolt, &json!(7)));
        assert_eq!(printings(&app, &ada).await, ["1 Black Lotus (lea 232)", "7 Lightning Bolt (lea 161)"]);
        assert_eq!(held(&app, &ada).await[0]["id"], there[1]["id"]);
    }

    async fn an_import_is_taken_back_once_by_its_owner_within_a_day(app: TestApp) {
        load(&app).await;
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let conflict = json!([problem("ERR-3004", &["id"])]);
        let unknown = json!([problem("ERR-3001", &["id"])]);
        let first = queued(&app, &ada, &moxfields(&[(1, "Black Lotus", "lea", "232")]), json!({})).await;
        let id = first["id"].clone();
        assert_eq!(problems(&undo(&app, &ada, &id).await), &conflict, "it has not ended");
        app.work();
        until("the first import's end", async || stored(&app, &id).await.finished_at.is_some()).await;
        let second = imported(&app, &ada, &shocks(2), json!({})).await;
        for (person, id) in [(&bob, &id), (&ada, &first["file"]["id"]), (&ada, &json!(nobodys("CollectionImport")))] {
            assert_eq!(problems(&undo(&app, person, id).await), &unknown, "{id}");
        }
        app.clock.advance(TimeDelta::minutes(24 * 60 - 1));
        let ada = sign_in(&app, &ada.email).await;
        assert_eq!(undo(&app, &ada, &second["id"]).await.field()["collectionImport"]["undone"], json!(true));
        assert_eq!(problems(&undo(&app, &ada, &second["id"]).await), &conflict, "once");
        app.clock.advance(TimeDelta::minutes(2));
        assert_eq!(problems(&undo(&app, &ada, &id).await), &conflict, "too late");
        assert_eq!(printings(&app, &ada).await, ["1 Black Lotus (lea 232)"]);
    }

    async fn what_was_added_by_hand_since_a_replacement_stays_and_all_else_comes_back(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        added(&app, &ada, json!([
            {"cardId": BOLT.id(), "quantity": 3, "notes": "old"},
            {"cardId": LOTUS.id(), "quantity": 2},
            {"cardId": VIAL.id(), "condition": "DAMAGED", "notes": "old"},
        ])).await;
        let before = held(&app, &ada).await;
        app.work();
        let job = imported(&app, &ada, &moxfields(&[(4, "Shock", "m11", "156")]), json!({"mode": "REPLACE"})).await;
        // The first is like one that was there, the second almost, the third like none.
        let by_hand = added(&app, &ada, json!([
            {"cardId": BOLT.id(), "quantity": 9, "notes": "mine", "tags": ["new"]},
            {"cardId": VIAL.id(), "quantity": 5},
            {"cardId": FOREST.id()},
        ])).await;
        let answer = undo(&app, &ada, &job["id"]).await;
        let kept = list(&answer.field()["keptItems"]);
        assert_eq!(ids(&kept), ids(&by_hand[..1]), "{kept:#?}");
        assert_eq!(kept[0]["quantity"], json!(9));
        assert_eq!(held(&app, &ada).await, [&before[1..], &by_hand[..]].concat());
        assert_eq!(noted(&app).await, 0);
    }

    async fn imports_are_taken_back_one_after_the_other(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 3}])).await;
        let before = held(&app, &ada).await;
        app.work();
        let mut jobs = Vec::new();
        for _ in 0..3 {
            let file = moxfields(&[(1, "Lightning Bolt", "lea", "161"), (2, "Forest", "m11", "246")]);
            jobs.push(imported(&app, &ada, &file, json!({})).await);
        }
        assert_eq!(held(&app, &ada).await[0]["quantity"], json!(6));
        for job in jobs.iter().rev() {
            assert_eq!(undo(&app, &ada, &job["id"]).await.field()["keptItems"], json!([]));
        }
        assert_eq!(held(&app, &ada).await, before);
    }

    async fn a_merge_of_many_items_is_taken_back_to_the_last_of_them_and_once(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let cards = [(BOLT, "Lightning Bolt"), (LOTUS, "Black Lotus"), (SHOCK, "Shock"), (VIAL, "Æther Vial")];
        let (conditions, finishes) = (["NM", "LP", "MP", "HP", "DMG"], [("NONFOIL", "normal"), ("FOIL", "foil")]);
        let (mut items, mut rows) = (Vec::new(), Vec::new());
        for n in 0..40_usize {
            let ((card, name), (finish, word)) = (cards[n % 4], finishes[n / 20]);
            let condition = n / 4 % 5;
            let mut item = json!({"cardId": card.id(), "quantity": 1 + n % 7, "condition": CONDITIONS[condition], "finish": finish});
            if n % 3 > 0 {
                let cents = 101 + 37 * i64::try_from(n).expect("a few");
                item["acquiredPrice"] = json!({"amount": amount(cents)});
            }
            if n % 2 > 0 {
                (item["notes"], item["tags"], item["acquiredOn"]) = (json!(format!("no. {n}")), json!([format!("t{n}"), "box"]), json!("2020-02-03"));
            }
            items.push(item);
            let price = if n % 4 == 0 { "" } else { "0.37" };
            rows.push(format!("{},{name},{},{},{},{word},{price},\"box,more {n}\"", 1 + n % 3, card.set, card.collector_number, conditions[condition]));
        }
        added(&app, &ada, Value::Array(items)).await;
        let (before, worth) = (held(&app, &ada).await, value(&app, &ada).await);
        assert_eq!(before.len(), 40);
        app.work();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let file = table("Quantity,Name,Set Code,Collector Number,Condition,Finish,Purchase Price,Tags", &rows);
        let job = imported(&app, &ada, &file, json!({})).await;
        assert_eq!(told(&app, &job).await, pairs(&[("merged", ""); 40]));
        let merged = held(&app, &ada).await;
        assert_eq!(ids(&merged), ids(&before));
        for (n, (now, then)) in merged.iter().zip(&before).enumerate() {
            let more = 1 + i64::try_from(n % 3).expect("a few");
            assert_eq!(number(&now["quantity"]), number(&then["quantity"]) + more, "{n}");
            assert!(list(&now["tags"]).contains(&json!(format!("more {n}"))), "{now:#}");
        }
        let answer = undo(&app, &ada, &job["id"]).await;
        assert_eq!((&answer.field()["keptItems"], noted(&app).await), (&json!([]), 0));
        let after = held(&app, &ada).await;
        assert_eq!(after, before);
        assert_eq!(value(&app, &ada).await, worth);
        assert_eq!(problems(&undo(&app, &ada, &job["id"]).await), &json!([problem("ERR-3004", &["id"])]), "once");
        assert_eq!(held(&app, &ada).await, after);
    }

    async fn what_can_t_be_read_any_more_is_not_taken_back_by_halves(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 3}, {"cardId": LOTUS.id()}])).await;
        app.work();
        for mode in ["MERGE", "REPLACE"] {
            let file = moxfields(&[(1, "Lightning Bolt", "lea", "161"), (2, "Forest", "m11", "246")]);
            let job = imported(&app, &ada, &file, json!({"mode": mode})).await;
            app.execute("update import_changes set before = '{\"x\":1}'").await;
            let (items, changes) = (held(&app, &ada).await, noted(&app).await);
            let answer = undo(&app, &ada, &job["id"]).await;
            assert_eq!(answer.code(), Some("ERR-5000"), "{mode}: {:#}", answer.body);
            assert_eq!((held(&app, &ada).await, noted(&app).await), (items, changes), "{mode}");
            assert_eq!(looked_at(&app, &ada, &job["id"]).await["undone"], json!(false), "{mode}");
        }
    }

    async fn a_price_in_another_currency_than_that_of_the_copies_there_is_told_and_left_out(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        added(&app, &ada, json!([{"cardId": BOLT.id(), "acquiredPrice": {"amount": "1.00", "currency": "EUR"}}, {"cardId": LOTUS.id()}])).await;
        app.work();
        let file = table("Quantity,Name,Set Code,Collector Number,Purchase Price", &[
            "1,Lightning Bolt,lea,161,$5.00",
            "1,Lightning Bolt,lea,161,",
            "1,Black Lotus,lea,232,$9.00",
            "2,Shock,m11,156,€0.30",
            "1,Shock,m11,156,$0.60",
            "3,Shock,m11,156,€0.60",
        ]);
        let shock = [("imported", ""), ("merged", OTHER_CURRENCY), ("merged", "")];
        let added_to = [[("merged", OTHER_CURRENCY), ("merged", ""), ("merged", "")], shock].concat();
        let instead = [[("imported", ""), ("merged", ""), ("imported", "")], shock].concat();
        // What a dry run tells is what is done then.
        for (arguments, expected) in [
            (json!({"mode": "REPLACE", "dryRun": true}), &instead),
            (json!({"mode": "MERGE", "dryRun": true}), &added_to),
            (json!({"mode": "MERGE"}), &added_to),
        ] {
            let job = imported(&app, &ada, &file, arguments.clone()).await;
            assert_eq!(told(&app, &job).await, pairs(expected), "{arguments}");
        }
        let items = held(&app, &ada).await;
        let paid: Vec<_> = items.iter().map(|item| json!([item["quantity"], item["acquiredPrice"]["amount"], item["acquiredPrice"]["currency"]])).collect();
        // The shock in dollars counts as those in euros that were there before it.
        assert_eq!(paid, [json!([3, "1.00", "EUR"]), json!([2, "9.00", "USD"]), json!([6, "0.45", "EUR"])]);
    }

    async fn an_item_has_twenty_tags_however_many_lines_bring_them(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        let tags: Vec<String> = (1..=24).map(|n| format!("t{n}")).collect();
        let row = |tags: &[String]| format!("1,0,Shock,m11,NM,English,,\"{}\",2025-10-09 19:20:29.120000,156,False,False,", tags.join(","));
        let rows = [row(&tags[..12]), row(&tags[12..]), row(&tags[..2]), row(&tags[21..22])];
        let file = table(MOXFIELD, &rows.iter().map(String::as_str).collect::<Vec<_>>());
        let job = imported(&app, &ada, &file, json!({})).await;
        let expected = [("imported", ""), ("merged", TOO_MANY_TAGS), ("merged", ""), ("merged", TOO_MANY_TAGS)];
        assert_eq!(told(&app, &job).await, pairs(&expected));
        let items = held(&app, &ada).await;
        assert_eq!((items.len(), &items[0]["quantity"], &items[0]["tags"]), (1, &json!(4), &json!(tags[..20])));
    }
}
