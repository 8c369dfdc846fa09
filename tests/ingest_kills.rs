//! What an ingest leaves is the same whether it was killed and run again, or took the place of a generated market.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use dualcaster::db::{Databases, Purpose, Sql};
use sea_orm::FromQueryResult;
use tempfile::TempDir;

use crate::cli::{command, run, text};
use crate::harness::{Printing, TestFile, all_prices, all_printings, runtime, scryfall_cards, settings_for};

/// What an ingest fills.
const TABLES: [&str; 12] = [
    "card_sets",
    "cards",
    "card_names",
    "piece_faces",
    "card_external_ids",
    "marketplaces",
    "price_snapshots",
    "latest_prices",
    "card_prices",
    "price_days",
    "stale_cards",
    "store_state",
];

/// Kills a command as soon as it has told of its progress so often; answers whether it was not over by then.
fn kill_after(folder: &TempDir, arguments: &[&str], lines: usize) -> bool {
    let mut child = command(folder)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    let said = BufReader::new(child.stderr.take().expect("its words"));
    let progress =
        said.lines().map(|line| line.expect("a line")).filter(|line| line.contains("\"progress\""));
    let told = progress.take(lines).count();
    child.kill().expect("killed");
    let status = child.wait().expect("an end");
    told == lines && status.code().is_none()
}

fn finish(folder: &TempDir, arguments: &[&str]) {
    let done = run(folder, arguments);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
}

/// Every row of every table, as text.
async fn contents(folder: &TempDir) -> Vec<Vec<String>> {
    #[derive(FromQueryResult)]
    struct Line {
        line: String,
    }
    let file = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "db"))
        .expect("the embedded database");
    let settings = settings_for(&format!("sqlite://{}", file.display()), folder.path()).database;
    let databases = Databases::connect(&settings, Purpose::Bulk).await.expect("the database");
    let mut contents = Vec::new();
    for table in TABLES {
        let mut sql = Sql::new(databases.write());
        sql.push(
            "select group_concat('quote(' || name || ')', ' || '','' || ') as line from pragma_table_info('",
        );
        sql.push(table).push("')");
        let columns = sql.one::<Line>(databases.write()).await.expect("columns").expect("a row").line;
        let mut sql = Sql::new(databases.write());
        sql.push("select ").push(&columns).push(" as line from ").push(table).push(" order by 1");
        let rows = sql.all::<Line>(databases.write()).await.expect(table);
        contents.push(rows.into_iter().map(|row| row.line).collect());
    }
    databases.close().await;
    contents
}

/// Fails at the first table in which two stores differ.
fn assert_alike(one: &TempDir, other: &TempDir) {
    let (one, other) = runtime().block_on(async { (contents(one).await, contents(other).await) });
    for ((table, one), other) in TABLES.iter().zip(one).zip(other) {
        let differs = one.iter().zip(&other).find(|(one, other)| one != other);
        assert!(
            one.len() == other.len() && differs.is_none(),
            "{table}: {} rows, {} rows, {differs:?}",
            one.len(),
            other.len()
        );
    }
}

#[test]
fn an_ingest_that_is_killed_at_any_moment_is_completed_by_the_next() {
    // More than two batches of each.
    let printings: Vec<Printing> = (0..2_600)
        .map(|number| Printing {
            number: 100 + number,
            name: if number % 2 == 0 { "Forest" } else { "Island" },
            set: if number % 3 == 0 { "lea" } else { "m11" },
            collector_number: "1",
            rarity: "common",
        })
        .collect();
    let days: Vec<String> = (20..30).map(|day| format!("2026-06-{day}")).collect();
    let points: Vec<(&str, f64)> = days.iter().map(|day| (day.as_str(), 1.25)).collect();
    let series: Vec<_> = printings
        .iter()
        .map(|printing| (printing, "cardkingdom", "retail", "normal", points.as_slice()))
        .collect();
    let catalogue = TestFile::json(&all_printings(&printings, |_, _| {}));
    let prices = TestFile::json(&all_prices(&series));
    let (catalogue, prices) = (catalogue.path().display().to_string(), prices.path().display().to_string());
    let catalogue = ["ingest", "mtgjson", "--json", &catalogue];
    let prices = ["ingest", "prices", "--json", &prices];

    let folder = TempDir::new().expect("a folder");
    let mut killed = 0;
    // After the first batch, and when all is written and nothing derived.
    for lines in [1, 3] {
        killed += usize::from(kill_after(&folder, &catalogue, lines));
    }
    finish(&folder, &catalogue);
    // The same, and while prices are derived.
    for lines in [1, 3, 4] {
        killed += usize::from(kill_after(&folder, &prices, lines));
    }
    finish(&folder, &prices);
    assert!(killed > 0, "each was over before it was killed");

    let clean = TempDir::new().expect("a folder");
    finish(&clean, &catalogue);
    finish(&clean, &prices);
    assert_alike(&folder, &clean);
}

const REMOVED: &str = "The generated market that was there has been removed.";

#[test]
fn real_data_in_place_of_a_generated_market_is_as_in_a_store_that_was_empty() {
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

    let folder = TempDir::new().expect("a folder");
    finish(&folder, &generate);
    let done = run(&folder, &catalogue);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert_eq!(text(&done.stderr).matches(REMOVED).count(), 1, "{}", text(&done.stderr));
    finish(&folder, &prices);

    let clean = TempDir::new().expect("a folder");
    let done = run(&clean, &catalogue);
    assert_eq!((done.status.code(), text(&done.stderr).contains(REMOVED)), (Some(0), false));
    finish(&clean, &prices);
    assert_alike(&folder, &clean);
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
    let generate = ["generate", "--cards", "5", "--sets", "1", "--days", "2", "--last-day", "2026-06-30"];
    for (json, sentence) in [(false, REMOVED), (true, r#"{"event":"removedGenerated"}"#)] {
        let folder = TempDir::new().expect("a folder");
        finish(&folder, &generate);
        let arguments = ["ingest", "scryfall", &path, "--json"];
        let failed = run(&folder, &arguments[..if json { 4 } else { 3 }]);
        let told = text(&failed.stderr);
        assert!(
            failed.status.code() == Some(1) && told.contains("damaged") && told.contains(sentence),
            "{told}"
        );
        let refused = run(&folder, &generate);
        assert!(text(&refused.stderr).contains("real data"), "{}", text(&refused.stderr));
    }
}

#[test]
fn an_ingest_that_removes_nothing_says_nothing_of_a_generated_market() {
    let folder = TempDir::new().expect("a folder");
    finish(&folder, &["generate", "--cards", "5", "--sets", "1", "--days", "2", "--last-day", "2026-06-30"]);
    let file = TestFile::new(b"<html>");
    let failed = run(&folder, &["ingest", "scryfall", &file.path().display().to_string()]);
    assert_eq!((failed.status.code(), text(&failed.stderr).contains(REMOVED)), (Some(1), false));
}
