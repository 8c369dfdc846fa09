//! The real catalogue and prices, where they are: `DUALCASTER_TEST_DATA`, by default `../shared/data`.

mod one_list;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use dualcaster::ingest::{Format, Report, ingest_file, open_file};
use serde_json::{Value, json};

use crate::collection::number;
use crate::harness::{Content, Store, TestApp, Unwatched, on_both_stores, run};
use crate::jobs::{looked_at, report, stored, upload};
use crate::search_cases::{self, Found};
use crate::security::{Person, sign_up};

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
    let source = open_file(&real(name)?).expect("opened");
    Some(ingest_file(app.bulk.write(), format, source, app.clock.now(), &Unwatched).await.expect("ingested"))
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

/// What one store comes to: what its searches find, and what becomes of the exports. They are imported here too, as the catalogue
/// takes long to load.
type Whole = (Vec<(String, Found)>, Vec<(&'static str, Figures)>);

async fn whole(app: &TestApp) -> Option<Whole> {
    let found = load_and_ask(app).await?;
    let mut taken = Vec::new();
    if real("collections/moxfield.csv").is_some() {
        app.work();
        taken = exports(app).await;
        assert_eq!(one_list::check(app).await, 22, "the lines whose printings are not newer");
    }
    Some((found, taken))
}

#[test]
fn the_whole_catalogue_and_its_prices_load_answer_and_take_exports_alike_on_both_stores() {
    let [postgres, sqlite] = [Store::Postgres, Store::Sqlite].map(|store| {
        let (tell, told) = std::sync::mpsc::channel();
        run(store, Content::Tables, |app| async move {
            tell.send(whole(&app).await).expect("is heard");
        });
        told.recv().expect("an answer").unwrap_or_default()
    });
    for (one, other) in postgres.0.iter().zip(&sqlite.0) {
        assert_eq!(one, other);
    }
    assert_eq!(postgres.0.len(), sqlite.0.len());
    assert_eq!(postgres.1, sqlite.1);
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

/// Exports, the rows that they have, how many of these name a printing of the two catalogues, by an id, by set and number or by set
/// and name, how many more only the name of a card, as the data's README counts them, and how many are left, which can only be
/// rejected.
const EXPORTS: [(&str, usize, usize, usize, usize); 18] = [
    ("archidekt", 43, 32, 5, 6),
    ("deckbox", 41, 30, 5, 6),
    ("deckstats", 15, 10, 1, 4),
    ("delverlens", 15, 5, 3, 7),
    ("dragonshield", 2_453, 990, 315, 1_148),
    ("echomtg_basic", 8, 6, 2, 0),
    ("manabox", 253, 170, 26, 57),
    ("moxfield", 12_784, 5_625, 2_141, 5_018),
    ("mtggoldfish", 535, 526, 5, 4),
    ("tcgplayer", 1_010, 77, 74, 859),
    ("tcgplayer_app", 3, 3, 0, 0),
    ("topdecked", 3_169, 1_081, 765, 1_323),
    ("cardkingdom", 29, 0, 26, 3),
    ("cardmarket", 40, 25, 0, 15),
    ("echomtg_planeswalkers_scryfall", 195, 193, 2, 0),
    ("echomtg_quotes", 2, 0, 1, 1),
    ("mtgo", 7, 0, 7, 0),
    ("tcgplayer_app_no_names", 3, 3, 0, 0),
];

/// What became of an export's rows, by its report.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    /// Imported as the printing that they name; of one whose number and name mean two, both are named, and it is rejected.
    exact: usize,
    /// Imported as the newest printing of their card, or rejected for a set that is not known.
    by_name: usize,
    /// Rejected, as they mean no card that is known.
    unknown: usize,
    /// Rejected for what they say of it, or for how they are written.
    unread: usize,
    /// Rejected for whatever reason.
    rejected: usize,
}

impl Figures {
    fn of(report: &[Vec<String>]) -> Self {
        let at = report[0].len() - 3;
        let mut figures = Self::default();
        for row in &report[1..] {
            let (outcome, code, message) = (row[at].as_str(), row[at + 1].as_str(), &row[at + 2]);
            let place = match (outcome, code) {
                ("imported" | "merged", "") if message.contains("newest printing") => &mut figures.by_name,
                ("imported" | "merged", "") | ("rejected", "ERR-1102") => &mut figures.exact,
                ("rejected", "ERR-1101") if message.starts_with("There is no set") => &mut figures.by_name,
                ("rejected", "ERR-1101") => &mut figures.unknown,
                ("rejected", "ERR-1103" | "ERR-1104") => &mut figures.unread,
                _ => panic!("neither imported nor rejected: {row:?}"),
            };
            *place += 1;
            figures.rejected += usize::from(outcome == "rejected");
        }
        figures
    }
}

/// Files that one user sends within a minute.
const OF_USER: usize = 9;
/// How long the largest of them may take, in a build that is not made for speed.
const PATIENCE: Duration = Duration::from_secs(300);

/// The import of one of the files, in the place of what its user holds, once it is completed.
async fn imported(app: &TestApp, person: &Person, name: &str) -> Option<Value> {
    let content = std::fs::read(real(&format!("collections/{name}.csv"))?).expect("a file");
    let answer = upload(app, person, &format!("{name}.csv"), &content, json!({"mode": "REPLACE"})).await;
    let id = answer.field()["collectionImport"]["id"].clone();
    let started = Instant::now();
    while stored(app, &id).await.finished_at.is_none() {
        assert!(started.elapsed() < PATIENCE, "{name} takes too long");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let job = looked_at(app, person, &id).await;
    assert_eq!(job["status"], json!("COMPLETED"), "{name}: {job:#}");
    Some(job)
}

async fn exports(app: &TestApp) -> Vec<(&'static str, Figures)> {
    let mut came = Vec::new();
    for (part, files) in EXPORTS.chunks(OF_USER).enumerate() {
        let person = sign_up(app, &format!("exports-{part}@example.com")).await;
        for (name, rows, exact, by_name, left) in files {
            let job = imported(app, &person, name).await.expect("a file");
            let figures = Figures::of(&report(app, &job).await);
            let told = format!("{name}: {figures:?}");
            let Figures { exact: found, by_name: named, unknown, unread, rejected } = figures;
            assert_eq!(exact + by_name + left, *rows, "{name}");
            assert_eq!(found + named + unknown + unread, *rows, "{told}");
            let counted = |field: &Value| usize::try_from(number(field)).expect("a count");
            assert_eq!(counted(&job["rowsImported"]), rows - rejected, "{told}");
            assert_eq!(counted(&job["rowsRejected"]), rejected, "{told}");
            assert_eq!(counted(&job["rejectedRows"]["totalCount"]), rejected, "{told}");
            assert!(found >= *exact, "{told}");
            // One that is found exactly where only its name was expected is no loss.
            assert!(found + named + unread >= exact + by_name && unread * 20 <= *rows, "{told}");
            // Nor is a few more: names may be read more kindly. But what is not in the catalogue must not be taken for what is.
            assert!(unknown + unread + 5 >= left - left / 20, "{told}");
            came.push((*name, figures));
        }
    }
    came
}
