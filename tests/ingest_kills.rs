//! An ingest that is killed and run again leaves what one that was not killed leaves, on either store.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use dualcaster::db::{Count, Databases, Sql};
use sea_orm::{ConnectionTrait, FromQueryResult};
use tempfile::TempDir;

use crate::cli::{command, text};
use crate::harness::{Content, Printing, Store, TestDatabase, TestFile, all_prices, all_printings, runtime};

/// How long anything may take that waits for nothing.
const PATIENCE: Duration = Duration::from_secs(60);

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

/// The command over a database.
pub fn over(database: &TestDatabase, folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = command(folder);
    command.env("DATABASE_URL", &database.url).args(arguments);
    command
}

/// Kills a command as soon as it has told of its progress so often, and asserts that it was not over by then.
fn kill_after(mut command: Command, lines: usize) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a process");
    let said = BufReader::new(child.stderr.take().expect("its words"));
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let progress = said.lines().map_while(Result::ok).filter(|line| line.contains("\"progress\""));
        // Nobody listens any more where it took too long.
        let _ = tell.send(progress.take(lines).count());
    });
    let told = told.recv_timeout(PATIENCE);
    child.kill().expect("killed");
    let status = child.wait().expect("an end");
    assert_eq!((told, status.code()), (Ok(lines), None), "it was over before it was killed");
}

pub fn finish(mut command: Command) {
    let done = command.output().expect("a process");
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
}

async fn number(databases: &Databases, sql: &str) -> i64 {
    let mut statement = Sql::new(databases.write());
    statement.push(sql);
    statement.one::<Count>(databases.write()).await.expect(sql).expect("a row").n
}

/// Where an ingest does not get past, whatever time it is given: before something happens to such rows of a table.
async fn hold(databases: &Databases, event: &str, table: &str, such: &str) {
    let sql = if Sql::new(databases.write()).is_postgres() {
        format!(
            "create function held() returns trigger language plpgsql as
                 $$ begin perform pg_sleep(3600); return coalesce(new, old); end $$;
             create trigger held before {event} on {table} for each row when ({such}) execute function held()"
        )
    } else {
        // No sleep there: rows are counted that are too many to be counted in a day.
        format!(
            "create trigger held before {event} on {table} when {such} begin
                 select count(*) from cards a, cards b, cards c, cards d, cards e; end"
        )
    };
    databases.write().execute_unprepared(&sql).await.expect("a trigger");
}

async fn release(databases: &Databases, table: &str) {
    let sql = if Sql::new(databases.write()).is_postgres() {
        format!("drop trigger held on {table}; drop function held()")
    } else {
        "drop trigger held".to_owned()
    };
    databases.write().execute_unprepared(&sql).await.expect("no trigger");
}

/// Waits until Postgres has done with what the killed one had asked for. What is held sleeps, and would not notice.
async fn until_gone(databases: &Databases) {
    if !Sql::new(databases.write()).is_postgres() {
        return;
    }
    let others = "select count(*) as n, count(case when wait_event = 'PgSleep' then pg_terminate_backend(pid) end) as ended
         from pg_stat_activity where datname = current_database() and application_name = 'dualcaster'
           and state <> 'idle' and pid <> pg_backend_pid()";
    let waiting = async {
        while number(databases, others).await > 0 {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "what was killed goes on");
}

/// Every row of every table, as text. On Postgres without the numbers of rows, of which a transaction that is undone uses
/// some up: a row is told by what it belongs to.
async fn contents(databases: &Databases) -> Vec<Vec<String>> {
    #[derive(FromQueryResult)]
    struct Line {
        line: String,
    }
    let mut contents = Vec::new();
    for table in TABLES {
        let mut sql = Sql::new(databases.write());
        if sql.is_postgres() {
            sql.push(
                "select ((r.told - '{id,card_id,marketplace_id}'::text[]) || jsonb_build_object(
                     'card', (select c.scryfall_id from cards c where c.id = (r.told ->> 'card_id')::int),
                     'marketplace', (select m.slug from marketplaces m where m.id = (r.told ->> 'marketplace_id')::int)
                 ))::text as line from (select to_jsonb(t) as told from ",
            );
            sql.push(table).push(" t offset 0) r order by 1");
        } else {
            sql.push(
                "select group_concat('quote(' || name || ')', ' || '','' || ') as line from pragma_table_info('",
            );
            sql.push(table).push("')");
            let columns = sql.one::<Line>(databases.write()).await.expect("columns").expect("a row").line;
            sql = Sql::new(databases.write());
            sql.push("select ").push(&columns).push(" as line from ").push(table).push(" order by 1");
        }
        let rows = sql.all::<Line>(databases.write()).await.expect(table);
        contents.push(rows.into_iter().map(|row| row.line).collect());
    }
    contents
}

/// Fails at the first table in which two stores differ.
pub async fn assert_alike(one: &Databases, other: &Databases) {
    let (one, other) = (contents(one).await, contents(other).await);
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

/// Two batches of cards, and two of their prices.
fn files() -> (TestFile, TestFile) {
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
    (TestFile::json(&all_printings(&printings, |_, _| {})), TestFile::json(&all_prices(&series)))
}

fn completed_by_the_next(store: Store) {
    let (catalogue, prices) = files();
    let (catalogue, prices) = (catalogue.path().display().to_string(), prices.path().display().to_string());
    let catalogue = ["ingest", "mtgjson", "--json", &catalogue];
    let prices = ["ingest", "prices", "--json", &prices];

    let runtime = runtime();
    let folder = TempDir::new().expect("a folder");
    let database = runtime.block_on(TestDatabase::new(store, Content::Tables));
    let databases = runtime.block_on(database.bulk());
    runtime.block_on(hold(&databases, "update of card_count", "card_sets", "new.card_count > 0"));
    // After the first batch, and when all is written and what is told of whole sets is not.
    for lines in [1, 3] {
        kill_after(over(&database, &folder, &catalogue), lines);
        runtime.block_on(until_gone(&databases));
    }
    runtime.block_on(release(&databases, "card_sets"));
    finish(over(&database, &folder, &catalogue));

    // The same.
    runtime.block_on(hold(&databases, "delete", "stale_cards", "old.card_id > 0"));
    for lines in [1, 3] {
        kill_after(over(&database, &folder, &prices), lines);
        runtime.block_on(until_gone(&databases));
    }
    runtime.block_on(release(&databases, "stale_cards"));
    // While prices are derived: a card of the second transaction.
    let sql = "select cast(id as bigint) as n from cards order by id limit 1 offset 600";
    let card = runtime.block_on(number(&databases, sql));
    runtime.block_on(hold(&databases, "delete", "stale_cards", &format!("old.card_id = {card}")));
    kill_after(over(&database, &folder, &prices), 4);
    runtime.block_on(until_gone(&databases));
    runtime.block_on(release(&databases, "stale_cards"));
    let behind = runtime.block_on(number(&databases, "select count(*) as n from stale_cards"));
    assert_eq!(behind, 2_100, "five hundred are done");
    finish(over(&database, &folder, &prices));

    let clean = runtime.block_on(TestDatabase::new(store, Content::Tables));
    finish(over(&clean, &folder, &catalogue));
    finish(over(&clean, &folder, &prices));
    runtime.block_on(async {
        let others = clean.bulk().await;
        assert_alike(&databases, &others).await;
        for table in TABLES.into_iter().filter(|table| *table != "stale_cards") {
            let rows = number(&databases, &format!("select count(*) as n from {table}")).await;
            assert!(rows > 0, "{table} is empty");
        }
        databases.close().await;
        others.close().await;
        database.remove().await;
        clean.remove().await;
    });
}

mod an_ingest_that_is_killed_at_any_moment_is_completed_by_the_next {
    use crate::harness::Store;

    #[test]
    fn on_postgres() {
        super::completed_by_the_next(Store::Postgres);
    }

    #[test]
    fn on_sqlite() {
        super::completed_by_the_next(Store::Sqlite);
    }
}
