//! The real catalogue and prices, where they are: `DUALCASTER_TEST_DATA`, by default `../shared/data`.

use std::path::PathBuf;

use dualcaster::ingest::{Format, Report, ingest_file};
use serde_json::json;

use crate::harness::{Content, Store, TestApp, Unwatched, on_both_stores, run};
use crate::search_cases::{self, Found};

/// A file of the real data, or a word that the test did not run.
fn real(name: &str) -> Option<PathBuf> {
    let folder = std::env::var("DUALCASTER_TEST_DATA").map_or_else(
        |_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data")),
        PathBuf::from,
    );
    let file = folder.join(name);
    if file.is_file() {
        Some(file)
    } else {
        eprintln!("did not run: {name} is not there");
        None
    }
}

async fn load(app: &TestApp, format: Format, name: &str) -> Option<Report> {
    Some(ingest_file(app.bulk.write(), format, &real(name)?, &Unwatched).await.expect("ingested"))
}

/// Loads the whole catalogue and its prices, and answers what searches find: nothing where the data is not there.
async fn load_and_ask(app: &TestApp) -> Option<Vec<(String, Found)>> {
    let catalogue = load(app, Format::MtgjsonPrintings, "catalogue/AllPrintings.json.gz").await?;
    // 51,074 printings, and 1,279 entries of tokens, of which 28 are the other side of one.
    assert_eq!((catalogue.records, catalogue.bad), (51_074 + 1_251, 0));
    let prices = load(app, Format::MtgjsonPrices, "prices/AllPrices.json.gz")
        .await
        .expect("prices beside the catalogue");
    assert_eq!((prices.points, prices.written, prices.unmatched, prices.bad), (152_378, 152_378, 0, 0));
    let again = load(app, Format::MtgjsonPrices, "prices/AllPrices.json.gz").await.expect("prices");
    assert_eq!(again.written, 0);

    let data = app.data("{
        typo: card(by: {fuzzyName: \"lihgtning bolt\"}) { name }
        face: card(by: {name: \"lord of lineage\"}) { name faces { name } images { small } }
        lotus: cards(search: \"black lotus\", unique: PRINTINGS, sort: {field: PRICE, direction: DESC}) { totalCount nodes { set { code } price { price observedAt } } }
        marketplaces { slug pricedCards }
    }", json!(null)).await;
    assert_eq!(data["typo"]["name"], json!("Lightning Bolt"));
    assert_eq!(data["face"]["faces"], json!([{"name": "Bloodline Keeper"}, {"name": "Lord of Lineage"}]));
    assert_eq!(data["marketplaces"][0]["slug"], json!("cardkingdom"));
    // The dearest of them in the last column of the file.
    assert_eq!(data["lotus"]["nodes"][0]["price"]["observedAt"], json!("2026-08-08T00:00:00Z"));

    let found = match real("search/cases.json") {
        Some(cases) => search_cases::check(app, &cases).await,
        None => Vec::new(),
    };
    search_cases::check_nicknames(app).await;

    // Both printings formats over each other.
    let before = app.rows("cards").await;
    let scryfall =
        load(app, Format::Scryfall, "catalogue/scryfall-default-cards-mid.json").await.expect("a set");
    assert_eq!((scryfall.records, scryfall.bad), (399, 0));
    assert_eq!(app.rows("cards").await, before + 399, "a set that is newer than the catalogue");
    Some(found)
}

#[test]
fn the_whole_catalogue_and_its_prices_load_and_answer_alike_on_both_stores() {
    let [postgres, sqlite] = [Store::Postgres, Store::Sqlite].map(|store| {
        let (tell, told) = std::sync::mpsc::channel();
        run(store, Content::Tables, |app| async move {
            tell.send(load_and_ask(&app).await).expect("is heard");
        });
        told.recv().expect("an answer").unwrap_or_default()
    });
    for (one, other) in postgres.iter().zip(&sqlite) {
        assert_eq!(one, other);
    }
    assert_eq!(postgres.len(), sqlite.len());
}

on_both_stores! { Tables:
    async fn every_layout_loads(app: TestApp) {
        let Some(report) = load(&app, Format::Scryfall, "catalogue/scryfall-layouts.json").await else { return };
        assert_eq!((report.records, report.bad), (103, 0));
        assert_eq!(app.number("select count(distinct layout) as n from cards").await, 13);
        let data = app.data("{ cards(search: \"include:extras\", first: 100) { nodes { name layout oracleId faces { name } typeLine images { small } colors } } }", json!(null)).await;
        for node in data["cards"]["nodes"].as_array().expect("nodes") {
            let faced = ["split", "flip", "transform", "modal_dfc", "reversible_card", "double_faced_token", "art_series"];
            if faced.contains(&node["layout"].as_str().expect("a layout")) {
                assert!(node["faces"].as_array().expect("faces").len() > 1, "{node}");
            }
            assert!(node["images"]["small"].is_string(), "{node}");
        }
    }
}
