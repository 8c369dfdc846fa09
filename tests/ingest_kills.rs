//! An ingest that is killed and run again leaves what one that was not killed leaves.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use dualcaster::db::{Databases, Purpose, Sql};
use sea_orm::FromQueryResult;
use tempfile::TempDir;

use crate::cli::{command, run, text};
use crate::harness::{Printing, TestFile, all_prices, all_printings, runtime, settings_for};

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
    let (one, other) = runtime().block_on(async { (contents(&folder).await, contents(&clean).await) });
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
