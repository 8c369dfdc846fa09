//! Users that come with a generated market.

use dualcaster::identity::Hasher;
use dualcaster::ingest::{Format, ingest_users};
use dualcaster::outside::Outside;
use serde_json::json;

use crate::harness::{Printing, TestFile, Unwatched, all_printings, market, on_both_stores};
use crate::security::{login, sign_up};

const BOLT: Printing =
    Printing { number: 1, name: "Lightning Bolt", set: "lea", collector_number: "161", rarity: "common" };
const PASSWORD: &str = "forty shelves of painted cardboard";

on_both_stores! { Market:
    async fn users_hold_cards_that_are_worth_what_their_prices_say(app: TestApp) {
        let hasher = Hasher::new(1, Outside::system()).expect("a hasher");
        let hash = hasher.hash(PASSWORD.to_owned(), |_| Ok(())).await.expect("a hash");
        let make = async |users| ingest_users(app.bulk.write(), market(), users, &hash, &Unwatched).await.expect("users");
        let report = make(30).await;
        assert_eq!((report.users, app.rows("users").await), (30, 30));
        let (items, wants) = (app.rows("inventory_items").await, app.rows("want_list_items").await);
        assert!(items > 300 && wants > 30, "{items} items, {wants} wants");
        assert_eq!(report.written, u64::try_from(30 + items + wants).expect("a count"));
        assert_eq!(app.rows("item_values").await, items);
        let of_price = "from inventory_items i join item_values v on v.item_id = i.id
            join card_prices p on p.card_id = i.card_id and p.currency = 0 and p.finish = i.finish and p.condition = i.condition";
        assert!(app.number(&format!("select count(*) as n {of_price} where v.usd_value = i.quantity * p.price")).await > 50);
        assert_eq!(app.number(&format!("select count(*) as n {of_price} where v.usd_value <> i.quantity * p.price")).await, 0);
        let reached = "select count(*) as n from want_list_items w where w.below_target and w.hit_at is null";
        assert!((1..wants).contains(&app.number(reached).await), "some targets are above the price");

        let answer = login(&app, "collector-1@example.com", PASSWORD).await;
        let token = answer.field()["accessToken"].as_str().expect("a token").to_owned();
        let held = app.ask_as(Some(&token), "{ viewer { email inventory { totalCount } } }", json!(null)).await;
        let first = market().user(0).items.len();
        assert_eq!(held.field(), &json!({"email": "collector-1@example.com", "inventory": {"totalCount": first}}));

        // Whoever has registered the next address keeps it, and gets nothing.
        let person = sign_up(&app, "collector-31@example.com").await;
        assert_eq!(make(31).await.written, 0);
        let held = app.ask_as(Some(&person.access), "{ viewer { inventory { totalCount } } }", json!(null)).await;
        assert_eq!(held.field()["inventory"]["totalCount"], 0);

        let catalogue = TestFile::json(&all_printings(&[BOLT], |_, _| {}));
        app.ingest(Format::MtgjsonPrintings, &catalogue).await.expect("a catalogue");
        assert_eq!((app.rows("users").await, app.rows("inventory_items").await), (1, 0), "they went with the market");
    }
}
