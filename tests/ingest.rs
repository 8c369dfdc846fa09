//! Files in: once or twice, whole or damaged, alone or in a race.

use chrono::TimeDelta;
use dualcaster::domain::store::load_newest;
use dualcaster::ingest::{Format, IngestError, SourceError, ingest_file, ingest_users, open_file};
use serde_json::{Value, json};

use crate::harness::{
    Printing, Series, Store, TestApp, TestFile, Unwatched, all_prices, all_printings, market, on_both_stores,
    scryfall_cards,
};

const BOLT: Printing =
    Printing { number: 1, name: "Lightning Bolt", set: "lea", collector_number: "161", rarity: "common" };
const LOTUS: Printing =
    Printing { number: 2, name: "Black Lotus", set: "lea", collector_number: "232", rarity: "rare" };
const TABLES: [&str; 8] = [
    "card_sets",
    "cards",
    "card_names",
    "card_external_ids",
    "marketplaces",
    "price_snapshots",
    "latest_prices",
    "price_days",
];

fn prices() -> Value {
    all_prices(&[
        (&BOLT, "cardkingdom", "retail", "normal", &[("2026-05-31", 1.10), ("2026-06-01", 1.20)]),
        (&LOTUS, "cardkingdom", "retail", "foil", &[("2026-06-01", 99_999.99)]),
    ])
}

async fn counts(app: &TestApp) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in TABLES {
        counts.push(app.rows(table).await);
    }
    counts
}

/// What is kept of a printing that the formats do not both know, and the mana that its card makes.
#[derive(Debug, PartialEq, sea_orm::FromQueryResult)]
struct Kept {
    marks: String,
    purchase_urls: Value,
    produces: i16,
}

async fn kept(app: &TestApp, printing: &Printing) -> Kept {
    let mut sql = dualcaster::db::Sql::new(app.bulk.write());
    sql.push("select c.marks, c.purchase_urls, f.produces from cards c join piece_faces f on f.piece_id = c.piece_id where c.scryfall_id = ");
    sql.bind(printing.scryfall_id());
    sql.one(app.bulk.write()).await.expect("a statement").expect("a printing")
}

/// A printing as a format says it: both know a link to TCGplayer, and the same of the print.
fn said_by(format: Format, printing: Printing) -> TestFile {
    if format == Format::MtgjsonPrintings {
        return TestFile::json(&all_printings(&[printing], |_, entry| {
            entry["purchaseUrls"] = json!({"cardKingdom": "https://example.com/kingdom", "tcgplayer": "https://example.com/mtgjson"});
        }));
    }
    TestFile::json(&scryfall_cards(&[printing], |_, card| {
        card["purchase_uris"] = json!({"cardhoarder": "https://example.com/hoarder", "tcgplayer": "https://example.com/scryfall"});
        card["frame"] = json!("2015");
        card["border_color"] = json!("black");
        card["games"] = json!(["paper"]);
        card["booster"] = json!(true);
        card["variation"] = json!(true);
        card["produced_mana"] = json!(["G"]);
    }))
}

/// Forty printings.
fn many() -> Vec<Printing> {
    (0..40)
        .map(|number| Printing {
            number: 100 + number,
            name: "Forest",
            set: "m11",
            collector_number: "1",
            rarity: "common",
        })
        .collect()
}

on_both_stores! { Tables:
    async fn a_second_run_writes_no_row(app: TestApp) {
        let catalogue = TestFile::json(&all_printings(&[BOLT, LOTUS], |_, _| {}));
        let prices = TestFile::json(&prices());
        let first = app.ingest(Format::MtgjsonPrintings, &catalogue).await.expect("a catalogue");
        // A set; two cards; a face and a name of each; for each card an id of MTGJSON's and one of TCGplayer's.
        assert_eq!((first.records, first.written, first.bad), (2, 11, 0));
        let first = app.ingest(Format::MtgjsonPrices, &prices).await.expect("prices");
        assert_eq!((first.records, first.points, first.written, first.unmatched), (2, 3, 3, 0));
        let before = counts(&app).await;
        assert_eq!(app.ingest(Format::MtgjsonPrintings, &catalogue).await.expect("again").written, 0);
        assert_eq!(app.ingest(Format::MtgjsonPrices, &prices).await.expect("again").written, 0);
        assert_eq!(counts(&app).await, before);
    }

    async fn a_changed_price_is_written_over_the_old_one(app: TestApp) {
        app.ingest(Format::MtgjsonPrintings, &TestFile::json(&all_printings(&[BOLT, LOTUS], |_, _| {}))).await.expect("a catalogue");
        app.ingest(Format::MtgjsonPrices, &TestFile::json(&prices())).await.expect("prices");
        let corrected = all_prices(&[(&BOLT, "cardkingdom", "retail", "normal", &[("2026-06-01", 1.25)])]);
        let report = app.ingest(Format::MtgjsonPrices, &TestFile::json(&corrected)).await.expect("prices");
        assert_eq!(report.written, 1);
        assert_eq!(app.number("select price as n from price_days where day = '2026-06-01' order by price limit 1").await, 125);
        assert_eq!(app.number("select cast(max(price) as bigint) as n from card_prices where finish = 0").await, 125);
    }

    async fn packed_and_plain_files_are_the_same(app: TestApp) {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(all_printings(&[BOLT], |_, _| {}).to_string().as_bytes()).expect("packed");
        let packed = TestFile::new(&packed.finish().expect("packed"));
        assert_eq!(app.ingest(Format::MtgjsonPrintings, &packed).await.expect("a catalogue").records, 1);
    }

    async fn both_formats_meet_by_scryfall_id(app: TestApp) {
        let mtgjson = TestFile::json(&all_printings(&[BOLT, LOTUS], |_, _| {}));
        let scryfall = TestFile::json(&scryfall_cards(&[BOLT, LOTUS], |_, card| card["arena_id"] = json!(77)));
        app.ingest(Format::MtgjsonPrintings, &mtgjson).await.expect("a catalogue");
        app.ingest(Format::Scryfall, &scryfall).await.expect("a catalogue");
        assert_eq!((app.rows("cards").await, app.rows("card_sets").await), (2, 1));
        // What one knows, the other does not take away: the ids of both, and the picture.
        assert_eq!(app.number("select count(*) as n from card_external_ids where card_id = 1").await, 3);
        app.ingest(Format::MtgjsonPrintings, &mtgjson).await.expect("a catalogue");
        assert_eq!((app.rows("cards").await, app.rows("card_external_ids").await), (2, 6));
    }

    async fn what_one_format_knows_of_a_printing_the_other_does_not_take_away(app: TestApp) {
        let (mtgjson, scryfall) = (Format::MtgjsonPrintings, Format::Scryfall);
        for (printing, formats, link) in [
            (BOLT, [mtgjson, scryfall], "https://example.com/scryfall"),
            (LOTUS, [scryfall, mtgjson], "https://example.com/mtgjson"),
        ] {
            for format in formats {
                let file = said_by(format, printing);
                app.ingest(format, &file).await.expect("a catalogue");
                assert_eq!(app.ingest(format, &file).await.expect("again").written, 0, "{format:?} after {formats:?}");
            }
            let links = json!({"cardkingdom": "https://example.com/kingdom", "cardhoarder": "https://example.com/hoarder", "tcgplayer": link});
            let marks = " is:booster is:variation border:black frame:2015 game:paper ".to_owned();
            // Green, and that it was said; the text says nothing of mana.
            assert_eq!(kept(&app, &printing).await, Kept { marks, purchase_urls: links, produces: 0b101_0000 });
        }
        let forest = Printing { number: 3, name: "Forest", collector_number: "294", ..BOLT };
        app.ingest(mtgjson, &said_by(mtgjson, forest)).await.expect("a catalogue");
        let unknown = kept(&app, &forest).await;
        assert_eq!((unknown.marks.as_str(), unknown.produces), (" ? border:black frame:2015 game:paper ", 0));
        let found = app.data(
            r#"{ booster: cards(search: "is:booster") { totalCount } variation: cards(search: "is:variation") { totalCount }
                 green: cards(search: "produces=g") { totalCount } one: cards(search: "produces=1") { totalCount }
                 some: cards(search: "produces<=wubrg produces>=g") { totalCount } }"#,
            json!(null),
        ).await;
        for (search, number) in [("booster", 2), ("variation", 2), ("green", 2), ("one", 2), ("some", 2)] {
            assert_eq!(found[search]["totalCount"], number, "{search}: {found}");
        }
        // Who knows may change its mind.
        let otherwise = scryfall_cards(&[LOTUS], |_, card| card["produced_mana"] = json!(["U"]));
        app.ingest(scryfall, &TestFile::json(&otherwise)).await.expect("a catalogue");
        let changed = kept(&app, &LOTUS).await;
        assert_eq!((changed.marks.as_str(), changed.produces), (" ", 0b100_0010));
        assert_eq!(changed.purchase_urls["cardhoarder"], "https://example.com/hoarder");
    }

    async fn a_bad_record_is_reported_and_the_rest_goes_on(app: TestApp) {
        let mut cards = scryfall_cards(&many(), |_, _| {});
        cards[7]["rarity"] = json!("legendary");
        let report = app.ingest(Format::Scryfall, &TestFile::json(&cards)).await.expect("a catalogue");
        assert_eq!((report.records, report.bad, report.bad_records.len()), (39, 1, 1));
        assert!(report.bad_records[0].position.contains('8') && report.bad_records[0].reason.contains("legendary"), "{:?}", report.bad_records);
        assert_eq!(app.rows("cards").await, 39);
    }

    async fn over_five_percent_bad_stops_and_says_so(app: TestApp) {
        let mut cards = scryfall_cards(&many(), |_, _| {});
        for number in [3, 5, 7] {
            cards[number]["id"] = json!("none");
        }
        let error = app.ingest(Format::Scryfall, &TestFile::json(&cards)).await.expect_err("too many");
        assert!(matches!(&error, IngestError::TooManyBad(report) if report.bad == 3), "{error}");
        assert!(error.to_string().contains("3 of 40"), "{error}");
    }

    async fn a_file_of_another_format_writes_nothing(app: TestApp) {
        let mtgjson = all_printings(&[BOLT], |_, _| {}).to_string();
        let prices = prices().to_string();
        let scryfall = scryfall_cards(&[BOLT], |_, _| {}).to_string();
        for (format, content) in [
            (Format::Scryfall, mtgjson.as_str()),
            (Format::Scryfall, "<html><body>Not found</body></html>"),
            (Format::Scryfall, r#"{"object":"error","code":"not_found","status":404}"#),
            (Format::MtgjsonPrintings, prices.as_str()),
            (Format::MtgjsonPrintings, scryfall.as_str()),
            (Format::MtgjsonPrintings, ""),
            (Format::MtgjsonPrices, mtgjson.as_str()),
            (Format::MtgjsonPrices, "name,quantity\nBolt,4\n"),
            // Nothing is in them.
            (Format::Scryfall, "[]"),
            (Format::MtgjsonPrintings, "[]"),
            (Format::MtgjsonPrintings, r#"{"meta": {}, "data": {}}"#),
            (Format::MtgjsonPrices, r#"{"data": {}}"#),
        ] {
            let error = app.ingest(format, &TestFile::new(content.as_bytes())).await.expect_err("a refusal");
            assert!(matches!(error, IngestError::Source(_)), "{format:?}: {error}");
            assert_eq!(counts(&app).await, [0; 8], "{format:?}: {error}");
        }
        let nowhere = open_file(std::path::Path::new("/no/such/file")).err().expect("an error");
        assert!(matches!(nowhere, SourceError::Unopened { .. }), "{nowhere}");
        assert!(nowhere.to_string().starts_with("/no/such/file can't be opened: "), "{nowhere}");
    }

    async fn a_file_cut_short_keeps_what_came_before_and_can_be_run_again(app: TestApp) {
        let whole = scryfall_cards(&many(), |_, _| {}).to_string();
        let cut = TestFile::new(&whole.as_bytes()[..whole.len() - 300]);
        let error = app.ingest(Format::Scryfall, &cut).await.expect_err("damaged");
        assert!(error.to_string().contains("damaged"), "{error}");
        let report = app.ingest(Format::Scryfall, &TestFile::new(whole.as_bytes())).await.expect("a catalogue");
        assert_eq!((report.records, app.rows("cards").await), (40, 40));
    }

    async fn prices_of_unknown_printings_are_counted(app: TestApp) {
        app.ingest(Format::MtgjsonPrintings, &TestFile::json(&all_printings(&[BOLT], |_, _| {}))).await.expect("a catalogue");
        let report = app.ingest(Format::MtgjsonPrices, &TestFile::json(&prices())).await.expect("prices");
        assert_eq!((report.records, report.unmatched, report.written, report.made), (2, 1, 2, 0));
    }

    async fn a_record_with_a_day_to_come_is_left_out_and_now_stays_in_the_present(app: TestApp) {
        let printings = many();
        app.ingest(Format::MtgjsonPrintings, &TestFile::json(&all_printings(&printings, |_, _| {}))).await.expect("a catalogue");
        let day = |ahead| (app.clock.now() + TimeDelta::days(ahead)).date_naive().to_string();
        // Midnight may pass meanwhile.
        let (tomorrow, later) = (day(1), day(3));
        let past = [("2026-06-01", 1.0)];
        let taken = [("2026-06-01", 1.0), (tomorrow.as_str(), 1.0)];
        let refused = [("2026-06-01", 1.0), (later.as_str(), 1.0)];
        let points = |number: u128| -> &[(&str, f64)] {
            match number {
                100 => &taken,
                101 => &refused,
                _ => &past,
            }
        };
        let series: Vec<Series<'_>> =
            printings.iter().map(|printing| (printing, "cardkingdom", "retail", "normal", points(printing.number))).collect();
        let report = app.ingest(Format::MtgjsonPrices, &TestFile::json(&all_prices(&series))).await.expect("prices");
        assert_eq!((report.records, report.written, report.bad), (39, 40, 1));
        let bad = &report.bad_records[0];
        assert_eq!(bad.position, format!("data.{}", printings[1].mtgjson_id()));
        assert!(bad.reason.contains(&later) && bad.reason.contains("still to come"), "{}", bad.reason);
        let newest = load_newest(app.bulk.write()).await.expect("a store").expect("a price");
        assert_eq!(newest.date_naive().to_string(), tomorrow);
    }

    async fn a_price_with_name_set_and_number_makes_its_card_which_the_catalogue_takes_over(app: TestApp) {
        let mut prices = prices();
        let record = &mut prices["data"][LOTUS.mtgjson_id().to_string()];
        record["name"] = json!("Black Lotus");
        record["setCode"] = json!("LEA");
        record["number"] = json!("232");
        let file = TestFile::json(&prices);
        let report = app.ingest(Format::MtgjsonPrices, &file).await.expect("prices");
        assert_eq!((report.made, report.unmatched), (1, 1));
        assert_eq!(app.ingest(Format::MtgjsonPrices, &file).await.expect("again").made, 0);
        let query = "{ card(by: {name: \"black lotus\"}) { id name rarity set { code } price(finish: FOIL) { price } } }";
        let made = app.data(query, json!(null)).await;
        assert_eq!((&made["card"]["name"], &made["card"]["price"]["price"]), (&json!("Black Lotus"), &json!("99999.99")));
        app.ingest(Format::MtgjsonPrintings, &TestFile::json(&all_printings(&[LOTUS], |_, _| {}))).await.expect("a catalogue");
        assert_eq!(app.rows("cards").await, 1);
        let known = app.data(query, json!(null)).await;
        assert_eq!((&known["card"]["id"], &known["card"]["rarity"]), (&json!(LOTUS.id()), &json!("RARE")));
        assert_eq!(known["card"]["price"], made["card"]["price"], "with its prices");
    }

    async fn two_ingests_that_race_make_one_card(app: TestApp) {
        let mut prices = prices();
        for printing in [&BOLT, &LOTUS] {
            let record = &mut prices["data"][printing.mtgjson_id().to_string()];
            record["name"] = json!(printing.name);
            record["setCode"] = json!(printing.set);
            record["number"] = json!(printing.collector_number);
        }
        let file = TestFile::json(&prices);
        let (one, other) = futures_util::join!(app.ingest(Format::MtgjsonPrices, &file), app.ingest(Format::MtgjsonPrices, &file));
        let (one, other) = (one.expect("prices"), other.expect("prices"));
        assert_eq!(one.written + other.written, 3);
        assert_eq!((app.rows("cards").await, app.rows("price_snapshots").await, app.rows("card_external_ids").await), (2, 3, 2));
    }

    async fn an_ingest_that_is_dropped_half_way_is_completed_by_the_next(app: TestApp) {
        let catalogue = TestFile::json(&all_printings(&[BOLT, LOTUS], |_, _| {}));
        app.ingest(Format::MtgjsonPrintings, &catalogue).await.expect("a catalogue");
        let file = TestFile::json(&prices());
        // The snapshots are written, what is derived of them is not: where a kill would leave it.
        struct Killer(tokio::sync::Notify);
        impl dualcaster::ingest::Progress for Killer {
            fn at(&self, stage: dualcaster::ingest::Stage, _: u64, _: Option<u64>) {
                if stage == dualcaster::ingest::Stage::Deriving {
                    self.0.notify_one();
                }
            }
        }
        let killer = Killer(tokio::sync::Notify::new());
        let source = open_file(file.path()).expect("opened");
        tokio::select! {
            biased;
            () = killer.0.notified() => {}
            outcome = ingest_file(app.bulk.write(), Format::MtgjsonPrices, source, app.clock.now(), &killer) => { outcome.expect("prices"); }
        }
        let report = app.ingest(Format::MtgjsonPrices, &file).await.expect("prices");
        assert_eq!(report.written, 0);
        assert_eq!((app.rows("stale_cards").await, app.rows("card_prices").await, app.rows("price_days").await), (0, 2, 3));
    }
}

on_both_stores! { Market:
    async fn real_data_takes_the_place_of_a_generated_market(app: TestApp) {
        assert_eq!(app.rows("cards").await, 150);
        let report = app.ingest(Format::MtgjsonPrintings, &TestFile::json(&all_printings(&[BOLT], |_, _| {}))).await.expect("a catalogue");
        assert!(report.removed_generated);
        assert_eq!((app.rows("cards").await, app.rows("price_snapshots").await, app.rows("marketplaces").await), (1, 0, 0));
        assert_eq!((app.rows("piece_faces").await, app.rows("card_names").await), (1, 1));
        let again = app.ingest(Format::MtgjsonPrintings, &TestFile::json(&all_printings(&[BOLT], |_, _| {}))).await.expect("again");
        assert!(!again.removed_generated);
    }

    async fn a_file_that_is_refused_leaves_the_generated_market(app: TestApp) {
        app.ingest(Format::Scryfall, &TestFile::new(b"<html>")).await.expect_err("a refusal");
        assert_eq!(app.rows("cards").await, 150);
    }

    async fn prices_of_which_nothing_is_known_leave_the_generated_market_and_what_users_hold_of_it(app: TestApp) {
        ingest_users(app.bulk.write(), market(), 2, "no hash", &Unwatched).await.expect("users");
        let held = async || (counts(&app).await, app.rows("inventory_items").await, app.rows("users").await);
        let before = held().await;
        assert!(before.1 > 0);
        let report = app.ingest(Format::MtgjsonPrices, &TestFile::json(&prices())).await.expect("prices");
        assert_eq!((report.records, report.points, report.unmatched, report.written), (2, 3, 2, 0));
        assert_eq!((report.removed_generated, held().await), (false, before.clone()));

        let whole = prices().to_string();
        let cut = TestFile::new(&whole.as_bytes()[..whole.len() - 20]);
        app.ingest(Format::MtgjsonPrices, &cut).await.expect_err("damaged");
        assert_eq!(held().await, before);

        // One that names its printing would make a card.
        let mut named = prices();
        let record = &mut named["data"][LOTUS.mtgjson_id().to_string()];
        record["name"] = json!("Black Lotus");
        record["setCode"] = json!("LEA");
        record["number"] = json!("232");
        let named = TestFile::json(&named);
        let (refuse, allow) = match app.store {
            Store::Postgres => (
                "alter table card_sets add constraint no_lea check (code <> 'lea')",
                "alter table card_sets drop constraint no_lea",
            ),
            Store::Sqlite => (
                "create trigger no_lea before insert on card_sets when new.code = 'lea' begin select raise(abort, 'no'); end",
                "drop trigger no_lea",
            ),
        };
        app.execute(refuse).await;
        let error = app.ingest(Format::MtgjsonPrices, &named).await.expect_err("none can be made");
        assert!(matches!(&error, IngestError::TooManyBad(report) if report.bad == 1), "{error}");
        assert_eq!(held().await, before);
        app.execute(allow).await;
        let report = app.ingest(Format::MtgjsonPrices, &named).await.expect("prices");
        assert_eq!((report.removed_generated, report.made, report.unmatched), (true, 1, 1));
        assert_eq!((app.rows("cards").await, app.rows("inventory_items").await, app.rows("users").await), (1, 0, 0));
    }

    async fn marketplaces_learn_how_many_cards_they_price(app: TestApp) {
        let disagreeing = "select count(*) as n from marketplaces m where m.priced_cards <> (select count(distinct l.card_id) from latest_prices l where l.marketplace_id = m.id)
            or m.updated_at is distinct from (select max(l.observed_at) from latest_prices l where l.marketplace_id = m.id)";
        assert_eq!((app.rows("marketplaces").await, app.number(disagreeing).await), (3, 0));
        // One that prices less than the others.
        app.execute("delete from latest_prices where marketplace_id = (select min(id) from marketplaces) and card_id > 100").await;
        assert_eq!(app.number(disagreeing).await, 1);
        dualcaster::domain::market::derive_prices(app.bulk.write(), |_, _| {}).await.expect("derived");
        assert_eq!(app.number(disagreeing).await, 0);
        let fewest = app.number("select cast(min(priced_cards) as bigint) as n from marketplaces").await;
        assert!((1..150).contains(&fewest), "{fewest}");
    }

    async fn a_generated_market_never_goes_over_real_data(app: TestApp) {
        app.ingest(Format::MtgjsonPrintings, &TestFile::json(&all_printings(&[BOLT], |_, _| {}))).await.expect("a catalogue");
        let error = dualcaster::ingest::ingest_generated(app.bulk.write(), market(), &Unwatched).await.expect_err("a refusal");
        assert!(matches!(error, IngestError::HoldsRealData));
    }

    async fn derived_prices_agree_with_the_snapshots(app: TestApp) {
        // Each day's price, over again from the snapshots, in the plainest words there are.
        #[derive(sea_orm::FromQueryResult)]
        struct Snapshot { card_id: i32, currency: i16, price: i64, low: Option<i64>, high: Option<i64> }
        let mut sql = dualcaster::db::Sql::new(app.bulk.write());
        sql.push("select s.card_id, m.currency, s.price, s.low, s.high from price_snapshots s join marketplaces m on m.id = s.marketplace_id
            join cards c on c.id = s.card_id
            where s.kind = 0 and s.condition = 0 and c.finishes & (1 << s.finish) = (case when c.finishes & 1 <> 0 then 1 when c.finishes & 2 <> 0 then 2 else 4 end)
            and s.observed_at = (select newest_at from store_state)");
        let mut now: std::collections::BTreeMap<(i32, i16), Vec<Snapshot>> = std::collections::BTreeMap::new();
        for row in sql.all::<Snapshot>(app.bulk.write()).await.expect("snapshots") {
            now.entry((row.card_id, row.currency)).or_default().push(row);
        }
        assert_eq!(now.len(), 300, "two currencies a card");
        for ((card, currency), mut rows) in now {
            rows.sort_by_key(|row| row.price);
            let middle = |index: usize| rows[index].price;
            let count = rows.len();
            let median = if count % 2 == 1 { middle(count / 2) } else { (middle(count / 2 - 1) + middle(count / 2) + 1) / 2 };
            let low = rows.iter().map(|row| row.low.unwrap_or(row.price)).min().expect("a row");
            let high = rows.iter().map(|row| row.high.unwrap_or(row.price)).max().expect("a row");
            let stored = app.number(&format!("select price * 1000000 + low * 1000 + high as n from card_prices where ranked and card_id = {card} and currency = {currency}")).await;
            assert_eq!(stored, median * 1_000_000 + low * 1_000 + high, "card {card} in {currency}");
        }
    }
}
