//! Ingests beside other writers: nobody waits long for them, and what two of them brought at once comes together.

use std::time::Duration;

use dualcaster::db::{Bulk, Count, Sql};
use dualcaster::domain::market::DERIVING;
use dualcaster::ingest::{Format, IngestError};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::harness::{
    Content, Printing, Store, TestApp, TestFile, all_prices, all_printings, on_both_stores, run,
    scryfall_cards,
};

const BOLT: Printing =
    Printing { number: 1, name: "Lightning Bolt", set: "lea", collector_number: "161", rarity: "common" };
const LOTUS: Printing =
    Printing { number: 2, name: "Black Lotus", set: "lea", collector_number: "232", rarity: "rare" };
const POINTS: &[(&str, f64)] = &[("2026-06-01", 1.0)];
/// How long anything may take that waits for nothing.
const PATIENCE: Duration = Duration::from_secs(60);

fn prices() -> Value {
    all_prices(&[(&LOTUS, "cardkingdom", "retail", "normal", &[("2026-06-01", 9.00)])])
}

/// A record's printing, as the extension of the format names it.
fn name(prices: &mut Value, printing: &Printing) {
    let record = &mut prices["data"][printing.mtgjson_id().to_string()];
    record["name"] = json!(printing.name);
    record["setCode"] = json!(printing.set.to_uppercase());
    record["number"] = json!(printing.collector_number);
}

/// Of the locks of this database: on the server's connections, for an ingest may have all others.
async fn locks(app: &TestApp, such: &str) -> i64 {
    let connection = app.app.databases().write();
    let mut sql = Sql::new(connection);
    sql.push("select count(*) as n from pg_locks where ").push(such);
    sql.push(" and database = (select oid from pg_database where datname = current_database())");
    sql.one::<Count>(connection).await.expect("locks").expect("a row").n
}

/// Waits until so many wait for a lock.
async fn until_waiting(app: &TestApp, wanted: i64) {
    let connection = app.app.databases().write();
    let mut sql = Sql::new(connection);
    sql.push("select count(*) as n from pg_stat_activity");
    sql.push(" where datname = current_database() and wait_event_type = 'Lock'");
    let waiting = async {
        while sql.one::<Count>(connection).await.expect("a look").expect("a row").n != wanted {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "{wanted} do not come to wait");
}

async fn until_locks(app: &TestApp, such: &str) {
    let waiting = async {
        while locks(app, such).await == 0 {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited in vain for {such}");
}

#[test]
fn a_batch_that_brings_a_month_locks_nobody_out() {
    run(Store::Postgres, Content::Tables, |app: TestApp| async move {
        let catalogue = TestFile::json(&all_printings(&[LOTUS], |_, _| {}));
        app.ingest(Format::MtgjsonPrintings, &catalogue).await.expect("a catalogue");
        let file = TestFile::json(&prices());
        let other = Bulk::begin(app.app.databases().write()).await.expect("a transaction");
        // Where the batch comes to wait, its snapshots written.
        other.execute_unprepared("lock table latest_prices in share mode").await.expect("a lock");
        let look = async {
            until_locks(&app, "not granted and relation = 'latest_prices'::regclass").await;
            let exclusive =
                "granted and mode = 'AccessExclusiveLock' and relation = 'price_snapshots'::regclass";
            assert_eq!(locks(&app, exclusive).await, 0);
            other.commit().await.expect("an end");
        };
        let (report, ()) = futures_util::join!(app.ingest(Format::MtgjsonPrices, &file), look);
        assert_eq!(report.expect("prices").written, 1);
        assert_eq!(app.rows("price_snapshots_y2026m06").await, 1);
    });
}

#[test]
fn who_changes_items_does_not_wait_behind_an_ingest_that_waits_for_an_import() {
    run(Store::Postgres, Content::Tables, |app: TestApp| async move {
        let catalogue = TestFile::json(&all_printings(&[LOTUS], |_, _| {}));
        app.ingest(Format::MtgjsonPrintings, &catalogue).await.expect("a catalogue");
        let file = TestFile::json(&prices());
        let share = format!("select pg_advisory_xact_lock_shared({DERIVING})");
        let import = Bulk::begin(app.app.databases().write()).await.expect("a transaction");
        import.execute_unprepared(&share).await.expect("a share");
        let look = async {
            until_locks(&app, "not granted and locktype = 'advisory' and mode = 'ExclusiveLock'").await;
            let change = Bulk::begin(app.app.databases().write()).await.expect("a transaction");
            let shared = tokio::time::timeout(PATIENCE, change.execute_unprepared(&share)).await;
            shared.expect("it waits for nobody").expect("a share");
            change.commit().await.expect("an end");
            assert_eq!(app.rows("card_prices").await, 0, "the import still has its share");
            import.commit().await.expect("an end");
        };
        let (report, ()) = futures_util::join!(app.ingest(Format::MtgjsonPrices, &file), look);
        assert_eq!(report.expect("prices").written, 1);
        assert_eq!(app.rows("card_prices").await, 1);
    });
}

/// Each makes a card, waits for us, and then wants the one that the other has made: Postgres ends one of the two.
#[test]
fn two_that_make_the_same_cards_in_opposite_orders_both_end_well() {
    run(Store::Postgres, Content::Tables, |app: TestApp| async move {
        let card = |number: u128, name: &'static str, set: &'static str| Printing {
            number,
            name,
            set,
            collector_number: "7",
            rarity: "common",
        };
        let of = |printings: &[Printing], marketplace: &str| {
            let series: Vec<_> = printings
                .iter()
                .map(|printing| (printing, marketplace, "retail", "normal", POINTS))
                .collect();
            let mut prices = all_prices(&series);
            for printing in printings {
                name(&mut prices, printing);
            }
            TestFile::json(&prices)
        };
        let bolt_first =
            [card(1, "Lightning Bolt", "lea"), card(2, "Forest", "held"), card(3, "Black Lotus", "leb")];
        let lotus_first =
            [card(11, "Black Lotus", "leb"), card(12, "Island", "kept"), card(13, "Lightning Bolt", "lea")];
        // Of another marketplace each, so that they meet in the cards alone.
        let (bolt_first, lotus_first) = (of(&bolt_first, "cardkingdom"), of(&lotus_first, "tcgplayer"));
        let third = app.app.databases().write().begin().await.expect("a transaction");
        let sets = "insert into card_sets (code, uuid, name, name_key, kind, digital)
             select code, gen_random_uuid(), code, code, 'expansion', false from (values ('held'), ('kept')) made (code)";
        third.execute_unprepared(sets).await.expect("two sets");
        let look = async {
            until_waiting(&app, 2).await;
            third.rollback().await.expect("let go");
        };
        let (one, other, ()) = futures_util::join!(
            app.ingest(Format::MtgjsonPrices, &bolt_first),
            app.ingest(Format::MtgjsonPrices, &lotus_first),
            look
        );
        let (one, other) = (one.expect("prices"), other.expect("prices"));
        assert_eq!((one.made, one.bad, other.made, other.bad), (3, 0, 3, 0), "{one:?} {other:?}");
        assert_eq!(app.rows("cards").await, 4, "those of both once");
        assert_eq!((app.rows("card_external_ids").await, app.rows("latest_prices").await), (6, 6));
    });
}

const HOLDINGS: &str =
    "{ viewer { inventory { nodes { quantity card { id } } } wantList { nodes { card { id } } } } }";

on_both_stores! { Tables:
    async fn a_card_that_prices_made_goes_up_in_the_one_that_a_catalogue_has(app: TestApp) {
        // Elsewhere in the set, so that the prices do not find it, as when it is not committed yet.
        let elsewhere = |_: &Printing, card: &mut Value| card["collector_number"] = json!("999");
        app.ingest(Format::Scryfall, &TestFile::json(&scryfall_cards(&[LOTUS], elsewhere))).await.expect("a catalogue");
        let mut named = prices();
        name(&mut named, &LOTUS);
        let named = TestFile::json(&named);
        assert_eq!(app.ingest(Format::MtgjsonPrices, &named).await.expect("prices").made, 1);
        assert_eq!(app.rows("cards").await, 2);

        let made = app.data("{ cards(first: 5) { nodes { id hasPrice: price { hasPriceData } } } }", json!(null)).await;
        let made = made["cards"]["nodes"].as_array().expect("cards").iter().find(|card| card["id"] != json!(LOTUS.id()));
        let made = made.expect("the made one")["id"].clone();
        let person = crate::security::sign_up(&app, "holder@example.com").await;
        let token = person.access.as_str();
        for card in [&made, &json!(LOTUS.id())] {
            let items = json!({"input": {"items": [{"cardId": card, "quantity": 2, "condition": "NEAR_MINT", "finish": "NONFOIL"}]}});
            app.ask_as(Some(token), "mutation($input: AddInventoryItemsInput!) { addInventoryItems(input: $input) { userErrors { errorCode } } }", items).await.field();
        }
        let want = json!({"input": {"cardId": made, "quantity": 1}});
        app.ask_as(Some(token), "mutation($input: AddWantListItemInput!) { addWantListItem(input: $input) { userErrors { errorCode } } }", want).await.field();

        app.ingest(Format::MtgjsonPrintings, &TestFile::json(&all_printings(&[LOTUS], |_, _| {}))).await.expect("a catalogue");
        assert_eq!((app.rows("cards").await, app.rows("price_snapshots").await, app.rows("latest_prices").await), (1, 1, 1));
        assert_eq!(app.number("select count(*) as n from card_external_ids where provider = 0").await, 1);
        let card = app.data("query($id: ID!) { card(by: {id: $id}) { price { price } } }", json!({"id": LOTUS.id()})).await;
        assert_eq!(card["card"]["price"]["price"], "9.00");
        let held = app.ask_as(Some(token), HOLDINGS, json!(null)).await;
        let held = held.field();
        assert_eq!(held["inventory"]["nodes"], json!([{"quantity": 4, "card": {"id": LOTUS.id()}}]));
        assert_eq!(held["wantList"]["nodes"], json!([{"card": {"id": LOTUS.id()}}]));
        assert_eq!(app.number("select cast(sum(usd_value) as bigint) as n from item_values").await, 3_600);
        let again = app.ingest(Format::MtgjsonPrices, &named).await.expect("again");
        assert_eq!((again.made, again.written), (0, 0));
    }

    async fn an_id_that_moves_to_another_printing_is_the_old_ones_no_more(app: TestApp) {
        app.ingest(Format::MtgjsonPrintings, &TestFile::json(&all_printings(&[BOLT, LOTUS], |_, _| {}))).await.expect("a catalogue");
        let exchanged = all_printings(&[BOLT, LOTUS], |printing, entry| {
            let other = if printing.number == 1 { &LOTUS } else { &BOLT };
            entry["uuid"] = json!(other.mtgjson_id());
        });
        let exchanged = TestFile::json(&exchanged);
        app.ingest(Format::MtgjsonPrintings, &exchanged).await.expect("a catalogue");
        assert_eq!(app.number("select count(*) as n from card_external_ids where provider = 0").await, 2);
        assert_eq!(app.ingest(Format::MtgjsonPrintings, &exchanged).await.expect("again").written, 0);
        app.ingest(Format::MtgjsonPrices, &TestFile::json(&prices())).await.expect("prices");
        let query = "query($id: ID!) { card(by: {id: $id}) { price { hasPriceData } } }";
        for (printing, has_price) in [(BOLT, true), (LOTUS, false)] {
            let card = app.data(query, json!({"id": printing.id()})).await;
            assert_eq!(card["card"]["price"]["hasPriceData"], has_price, "{}", printing.name);
        }
    }

    async fn cards_that_cannot_be_made_count_as_bad_records(app: TestApp) {
        // The set's own id is taken by another: no card of it can be made.
        let mut named = prices();
        name(&mut named, &LOTUS);
        app.ingest(Format::MtgjsonPrices, &TestFile::json(&named)).await.expect("prices");
        app.execute("update card_sets set code = 'gone'").await;
        let file = |unmakeable: u128| {
            let printings: Vec<Printing> = (0..40)
                .map(|number| Printing {
                    number: 100 * unmakeable + number,
                    name: "Forest",
                    set: if number < unmakeable { "lea" } else { "m11" },
                    collector_number: "7",
                    rarity: "common",
                })
                .collect();
            let series: Vec<_> = printings
                .iter()
                .map(|printing| (printing, "cardkingdom", "retail", "normal", POINTS))
                .collect();
            let mut prices = all_prices(&series);
            printings.iter().for_each(|printing| name(&mut prices, printing));
            TestFile::json(&prices)
        };
        let report = app.ingest(Format::MtgjsonPrices, &file(1)).await.expect("prices");
        assert_eq!((report.records, report.bad, report.bad_records.len()), (39, 1, 1));
        let error = app.ingest(Format::MtgjsonPrices, &file(30)).await.expect_err("too many");
        assert!(
            matches!(&error, IngestError::TooManyBad(report) if (report.bad, report.bad_records.len()) == (30, 20)),
            "{error}"
        );
    }

    async fn two_layouts_of_one_card_a_batch_apart_are_written_once(app: TestApp) {
        // As many as a batch has between the two.
        let between = |number: u128| Printing { number: 1_000 + number, name: "Forest", set: "m11", collector_number: "1", rarity: "common" };
        let printings: Vec<Printing> = std::iter::once(LOTUS).chain((0..2_500).map(between)).chain([BOLT]).collect();
        let cards = scryfall_cards(&printings, |printing, card| {
            if printing.number > 2 {
                return;
            }
            card["name"] = json!("Cube");
            card["oracle_id"] = json!(BOLT.scryfall_id());
            if printing.number == 1 {
                let mut face = card.clone();
                face["object"] = json!("card_face");
                card["layout"] = json!("reversible_card");
                card["name"] = json!("Cube // Cube");
                for shared in ["oracle_id", "cmc", "type_line", "mana_cost", "oracle_text"] {
                    card.as_object_mut().expect("a card").remove(shared);
                }
                card["card_faces"] = json!([face, face]);
            }
        });
        let file = TestFile::json(&cards);
        let first = app.ingest(Format::Scryfall, &file).await.expect("a catalogue");
        assert_eq!((first.records, first.bad), (2_502, 0));
        assert_eq!(app.number("select count(distinct piece_id) as n from cards").await, 2);
        assert_eq!(app.ingest(Format::Scryfall, &file).await.expect("again").written, 0);
    }
}
