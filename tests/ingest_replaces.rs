//! Real data takes the place of a generated market: nothing of it stays, and somebody is told.

use tempfile::TempDir;

use crate::cli::{run, text};
use crate::harness::{
    Content, Printing, Store, TestDatabase, TestFile, all_prices, all_printings, runtime, scryfall_cards,
};
use crate::ingest_kills::{assert_alike, finish, over};

const REMOVED: &str = "The generated market that was there has been removed.";
const SMALL: [&str; 9] =
    ["generate", "--cards", "5", "--sets", "1", "--days", "2", "--last-day", "2026-06-30"];

fn nothing_stays(store: Store) {
    let printings: Vec<Printing> = (0..40)
        .map(|number| Printing {
            number: 100 + number,
            name: if number % 2 == 0 { "Forest" } else { "Island" },
            set: "lea",
            collector_number: "1",
            rarity: "common",
        })
        .collect();
    let points: &[(&str, f64)] = &[("2026-06-20", 1.25), ("2026-06-21", 1.5)];
    let series: Vec<_> =
        printings.iter().map(|printing| (printing, "cardkingdom", "retail", "normal", points)).collect();
    let catalogue = TestFile::json(&all_printings(&printings, |_, _| {}));
    let prices = TestFile::json(&all_prices(&series));
    let (catalogue, prices) = (catalogue.path().display().to_string(), prices.path().display().to_string());
    let (catalogue, prices) = (["ingest", "mtgjson", &catalogue], ["ingest", "prices", &prices]);
    let generate = ["generate", "--cards", "60", "--sets", "3", "--days", "5", "--last-day", "2026-06-30"];

    let runtime = runtime();
    let folder = TempDir::new().expect("a folder");
    let new = || runtime.block_on(TestDatabase::new(store, Content::Tables));
    let (database, clean) = (new(), new());
    finish(over(&database, &folder, &generate));
    for (database, says_so) in [(&database, true), (&clean, false)] {
        let done = over(database, &folder, &catalogue).output().expect("a process");
        let told = text(&done.stderr);
        assert_eq!(done.status.code(), Some(0), "{told}");
        assert_eq!(told.matches(REMOVED).count(), usize::from(says_so), "{told}");
        finish(over(database, &folder, &prices));
    }
    runtime.block_on(async {
        let (databases, others) = (database.bulk().await, clean.bulk().await);
        assert_alike(&databases, &others).await;
        databases.close().await;
        others.close().await;
        database.remove().await;
        clean.remove().await;
    });
}

mod a_store_is_as_if_no_generated_market_had_been_there {
    use crate::harness::Store;

    #[test]
    fn on_postgres() {
        super::nothing_stays(Store::Postgres);
    }

    #[test]
    fn on_sqlite() {
        super::nothing_stays(Store::Sqlite);
    }
}

#[test]
fn an_ingest_that_fails_after_it_removed_a_generated_market_says_so() {
    let forest =
        Printing { number: 100, name: "Forest", set: "lea", collector_number: "1", rarity: "common" };
    let island = Printing { number: 101, name: "Island", ..forest };
    let whole = scryfall_cards(&[forest, island], |_, _| {}).to_string();
    // What came before the cut is written.
    let cut = TestFile::new(&whole.as_bytes()[..whole.len() - 300]);
    let path = cut.path().display().to_string();
    for (json, sentence) in [(false, REMOVED), (true, r#"{"event":"removedGenerated"}"#)] {
        let folder = TempDir::new().expect("a folder");
        assert_eq!(run(&folder, &SMALL).status.code(), Some(0));
        let arguments = ["ingest", "scryfall", &path, "--json"];
        let failed = run(&folder, &arguments[..if json { 4 } else { 3 }]);
        let told = text(&failed.stderr);
        assert!(
            failed.status.code() == Some(1) && told.contains("damaged") && told.contains(sentence),
            "{told}"
        );
        let refused = run(&folder, &SMALL);
        assert!(text(&refused.stderr).contains("real data"), "{}", text(&refused.stderr));
    }
}

#[test]
fn prices_before_their_catalogue_leave_the_market_and_say_what_to_load() {
    let folder = TempDir::new().expect("a folder");
    assert_eq!(run(&folder, &SMALL).status.code(), Some(0));
    let forest =
        Printing { number: 100, name: "Forest", set: "lea", collector_number: "1", rarity: "common" };
    let file =
        TestFile::json(&all_prices(&[(&forest, "cardkingdom", "retail", "normal", &[("2026-06-20", 1.25)])]));
    let done = run(&folder, &["ingest", "prices", &file.path().display().to_string()]);
    let (result, told) = (text(&done.stdout), text(&done.stderr));
    assert_eq!((done.status.code(), told.contains(REMOVED)), (Some(0), false), "{told}");
    assert!(
        result.ends_with("0 rows written, 1 of printings that are not known: load AllPrintings first.\n"),
        "{result}"
    );
    // Over real data it would be refused.
    assert_eq!(run(&folder, &SMALL).status.code(), Some(0));
}

#[test]
fn an_ingest_that_removes_nothing_says_nothing_of_a_generated_market() {
    let folder = TempDir::new().expect("a folder");
    assert_eq!(run(&folder, &SMALL).status.code(), Some(0));
    let file = TestFile::new(b"<html>");
    let failed = run(&folder, &["ingest", "scryfall", &file.path().display().to_string()]);
    assert_eq!((failed.status.code(), text(&failed.stderr).contains(REMOVED)), (Some(1), false));
}
