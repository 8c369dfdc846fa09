//! Faults of the store, and what callers see of them.

use std::time::{Duration, Instant};

use dualcaster::config::DatabaseSettings;
use dualcaster::db::{Bulk, Connection, Count, Databases, Purpose, Sql, Trouble};
use dualcaster::error::{Code, Error};
use dualcaster::transaction;
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;

use crate::harness::{Content, Store, TestApp, TestDatabase, on_both_stores, runtime};
use crate::security::{mutate, sign_up};

/// What SQLite never comes to the end of.
pub const ENDLESS: &str =
    "select max(i) from (with recursive n (i) as (select 1 union all select i + 1 from n) select i from n)";

/// How long anything may take that waits for nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes in a transaction.
async fn write(connection: &Connection) -> dualcaster::error::Result<u64> {
    let written = transaction!(connection, |transaction| {
        Ok(transaction.execute_unprepared("update store_state set demo = false").await?.rows_affected())
    });
    Ok(written)
}

#[test]
fn connections_that_the_server_ended_are_replaced_and_nobody_notices() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Postgres, Content::Market).await;
        let app = TestApp::start(&database).await;
        let query = "{ cards(first: 3) { nodes { name set { code } } } }";
        let ask = async || join_all((0..6).map(|_| app.data(query, json!(null)))).await;
        let before = ask().await;
        assert!(app.app.databases().write().pool_size().0 > 1, "several connections");
        let ended = app.number("select count(pg_terminate_backend(pid)) as n from pg_stat_activity where datname = current_database() and application_name = 'dualcaster' and pid <> pg_backend_pid()").await;
        assert!(ended > 1, "{ended} connections ended");
        assert_eq!(ask().await, before);
        app.stop().await;
        database.remove().await;
    });
}

#[test]
fn transactions_that_meet_dead_connections_begin_on_others() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Postgres, Content::Market).await;
        let app = TestApp::start(&database).await;
        let connection = app.app.databases().write();
        // Several are open, and idle again.
        let begun = join_all((0..6).map(|_| connection.begin())).await;
        assert!(begun.iter().all(Result::is_ok));
        drop(begun);
        while connection.pool_size().1 < 6 {
            tokio::task::yield_now().await;
        }
        let ended = app.number("select count(pg_terminate_backend(pid)) as n from pg_stat_activity where datname = current_database() and application_name = 'dualcaster' and pid <> pg_backend_pid()").await;
        assert!(ended >= 6, "{ended} connections ended");
        for written in join_all((0..6).map(|_| write(connection))).await {
            assert_eq!(written.map_err(|error| error.log_text()), Ok(1));
        }
        app.stop().await;
        database.remove().await;
    });
}

#[test]
fn what_only_reads_is_asked_again_where_its_connection_is_lost() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Postgres, Content::Market).await;
        let (proxy, url) = database.behind_proxy().await;
        let mut settings = database.settings();
        settings.database.url = url;
        let app = TestApp::start_with(&database, settings).await;
        for query in [
            "{ cards(first: 3) { nodes { name } } }",
            "{ cards(search: \"e\", first: 3) { nodes { name } } }",
            "{ cards(first: 3, sort: {field: PRICE}) { nodes { name } } }",
            "{ cards(first: 3, sort: {field: RELEASED_ON}) { nodes { name } } }",
            "{ cardSets(first: 3) { nodes { code } } }",
        ] {
            let before = app.data(query, json!(null)).await;
            proxy.cut_off().await;
            proxy.heal();
            let sent = app.statements();
            assert_eq!(app.data(query, json!(null)).await, before, "{query}");
            assert_eq!(app.statements() - sent, 2, "{query}: the one that was lost, and another");
        }
        app.stop().await;
        database.remove().await;
    });
}

async fn number(connection: &Connection, sql: &str) -> i64 {
    let mut statement = Sql::new(connection);
    statement.push(sql);
    statement.one::<Count>(connection).await.expect(sql).expect("a row").n
}

/// Waits until a number is this one.
async fn until_number(connection: &Connection, sql: &str, wanted: i64) {
    let waiting = async {
        while number(connection, sql).await != wanted {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited in vain for {wanted} by {sql}");
}

#[test]
fn a_write_whose_connection_is_lost_is_not_sent_twice() {
    runtime().block_on(async {
        let waiting = "select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        let others = "select count(*) as n from pg_stat_activity where datname = current_database()
            and application_name = 'dualcaster' and state <> 'idle' and pid <> pg_backend_pid()";
        let written = "select cast(max(priced_cards) as bigint) as n from marketplaces";
        let database = TestDatabase::new(Store::Postgres, Content::Market).await;
        let outside = database.bulk().await;
        let (proxy, url) = database.behind_proxy().await;
        let settings = DatabaseSettings { url, ..database.settings().database };
        let databases = Databases::connect(&settings, Purpose::Requests).await.expect("connected");
        let connection = databases.write();
        for write in [
            "update marketplaces set priced_cards = priced_cards + 1 returning id",
            "with counted as (update marketplaces set priced_cards = priced_cards + 1 returning id) select id from counted",
        ] {
            let before = number(outside.write(), written).await;
            let lock = outside.write().begin().await.expect("a transaction");
            lock.execute_unprepared("lock table marketplaces in share mode").await.expect("a lock");
            let sent = connection.statements().count();
            let cut = async {
                until_number(outside.write(), waiting, 1).await;
                proxy.cut_off().await;
                proxy.heal();
            };
            let statement = Statement::from_string(DbBackend::Postgres, write);
            let (outcome, ()) = futures_util::join!(connection.query_all_raw(statement), cut);
            assert_eq!(outcome.map(|rows| rows.len()).map_err(|error| Trouble::of(&error)), Err(Trouble::Lost), "{write}");
            assert_eq!(connection.statements().count() - sent, 1, "{write}");
            lock.rollback().await.expect("let go");
            // What was sent may have been done all the same.
            until_number(outside.write(), others, 0).await;
            assert!(number(outside.write(), written).await - before <= 1, "{write}");
        }
        databases.close().await;
        outside.close().await;
        database.remove().await;
    });
}

#[test]
fn what_fails_each_time_is_tried_three_times() {
    runtime().block_on(async {
        use std::sync::atomic::{AtomicU32, Ordering};
        let database = TestDatabase::new(Store::Postgres, Content::Tables).await;
        let databases = database.bulk().await;
        let connection = databases.write();
        let raise =
            |code: &str| format!("do $$ begin raise exception 'again' using errcode = '{code}'; end $$");
        for (code, trouble, times) in [
            ("40001", Trouble::Conflict, 3),
            ("40P01", Trouble::Conflict, 3),
            ("57P03", Trouble::Busy, 3),
            ("57014", Trouble::Deadline, 1),
            ("22012", Trouble::Other, 1),
        ] {
            let before = connection.statements().count();
            let error = connection.execute_unprepared(&raise(code)).await.expect_err("it is raised");
            assert_eq!(
                (Trouble::of(&error), connection.statements().count() - before),
                (trouble, times),
                "{code}"
            );
        }
        for (code, trouble, times) in [("40P01", Trouble::Conflict, 3), ("57P03", Trouble::Busy, 1)] {
            let (raise, tried) = (raise(code), AtomicU32::new(0));
            let write = async {
                let written = transaction!(connection, |transaction| {
                    tried.fetch_add(1, Ordering::Relaxed);
                    Ok(transaction.execute_unprepared(&raise).await?.rows_affected())
                });
                dualcaster::error::Result::<_>::Ok(written)
            };
            let outcome = write.await.map_err(|error| error.trouble());
            assert_eq!((outcome, tried.load(Ordering::Relaxed)), (Err(Some(trouble)), times), "{code}");
        }
        databases.close().await;
        database.remove().await;
    });
}

/// That SQLite waits so long once it is told to is its own affair.
#[test]
fn sqlites_one_lock_is_waited_for_as_long_as_there_is_time() {
    runtime().block_on(async {
        #[derive(sea_orm::FromQueryResult)]
        struct Wait {
            timeout: i64,
        }
        let database = TestDatabase::new(Store::Sqlite, Content::Tables).await;
        for (purpose, statement, seconds) in [
            (Purpose::Requests, 60, 5),
            (Purpose::Requests, 2, 2),
            (Purpose::Jobs(1), 2, 60),
            (Purpose::Bulk, 2, 300),
        ] {
            let settings = DatabaseSettings {
                statement_timeout: Duration::from_secs(statement),
                ..database.settings().database
            };
            let databases = Databases::connect(&settings, purpose).await.expect("connected");
            let mut sql = Sql::new(databases.write());
            sql.push("pragma busy_timeout");
            let wait = sql.one::<Wait>(databases.write()).await.expect("an answer").expect("a row");
            assert_eq!(wait.timeout, seconds * 1_000, "{purpose:?}");
            databases.close().await;
        }
        database.remove().await;
    });
}

#[test]
fn sqlites_one_lock_is_waited_for_once() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Market).await;
        let outside = database.bulk().await;
        let settings = database.settings().database;
        let databases = Databases::connect(&settings, Purpose::Requests).await.expect("connected");
        let connection = databases.write();
        let lock = outside.write().begin().await.expect("a transaction");
        let statement = connection.execute_unprepared("update store_state set demo = false");
        let (statement, transaction) = futures_util::join!(statement, write(connection));
        let statement = statement.map(|written| written.rows_affected());
        assert_eq!(statement.map_err(|error| Trouble::of(&error)), Err(Trouble::Conflict));
        assert_eq!(connection.statements().count(), 1, "nobody begins to wait anew");
        let refusal = transaction.expect_err("it could not begin").refusal();
        assert_eq!((refusal.code, refusal.retry_after), (Code::Overloaded, Some(1)));
        lock.rollback().await.expect("let go");
        assert_eq!(write(connection).await.expect("written"), 1);
        databases.close().await;
        outside.close().await;
        database.remove().await;
    });
}

#[test]
fn a_database_that_is_silent_is_not_waited_for() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Postgres, Content::Market).await;
        let (proxy, url) = database.behind_proxy().await;
        let settings = DatabaseSettings {
            url,
            statement_timeout: Duration::from_secs(2),
            ..database.settings().database
        };
        let databases = Databases::connect(&settings, Purpose::Requests).await.expect("connected");
        let connection = databases.write();
        assert!(write(connection).await.is_ok());
        let begun = connection.begin().await.expect("a transaction");
        proxy.hold();
        let started = Instant::now();
        // As its command would be, and then the end of it, which does not wait for a rollback.
        let outcome = begun.execute_unprepared("update store_state set demo = true").await;
        let ended = dualcaster::db::end_transaction(begun, outcome.map_err(Error::from), 1).await;
        assert_eq!(ended.map(|_| ()).map_err(|error| error.refusal().code), Err(Code::Overloaded));
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
        let refused = write(connection).await.map_err(|error| error.refusal().code);
        assert_eq!(refused, Err(Code::Overloaded));
        assert!(started.elapsed() < Duration::from_secs(8), "asked once: {:?}", started.elapsed());
        proxy.heal();
        databases.close().await;
        database.remove().await;
    });
}

#[test]
fn what_sqlite_runs_ends_with_its_deadline_and_with_who_waits_for_it() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Market).await;
        let settings = DatabaseSettings {
            statement_timeout: Duration::from_secs(1),
            acquire_timeout: Duration::from_secs(10),
            pool_max: 1,
            ..database.settings().database
        };
        let endless = || Statement::from_string(DbBackend::Sqlite, ENDLESS);
        let requests = Databases::connect(&settings, Purpose::Requests).await.expect("connected");
        let connection = requests.write();
        let late = connection.query_one_raw(endless()).await.expect_err("stopped");
        assert_eq!(Trouble::of(&late), Trouble::Deadline);
        assert_eq!(Error::from(late).refusal().code, Code::Timeout);
        assert_eq!(write(connection).await.expect("the connection is free"), 1);
        // A write that is stopped takes its transaction with it.
        let begun = connection.begin().await.expect("a transaction");
        let late = format!("update store_state set demo = ({ENDLESS}) > 0");
        let late = begun.execute_unprepared(&late).await.expect_err("stopped");
        assert_eq!(Trouble::of(&late), Trouble::Deadline);
        drop(begun);
        assert_eq!(write(connection).await.expect("the connection is sound"), 1);
        requests.close().await;

        // Without a deadline, on two connections: what nobody waits for is stopped.
        let bulk = Databases::connect(&settings, Purpose::Bulk).await.expect("connected");
        for _ in 0..3 {
            let sent = bulk.write().query_one_raw(endless());
            assert!(tokio::time::timeout(Duration::from_millis(100), sent).await.is_err(), "it is endless");
        }
        assert_eq!(write(bulk.write()).await.expect("a connection is free"), 1);
        bulk.close().await;
        database.remove().await;
    });
}

#[test]
fn postgres_is_told_who_we_are_and_what_we_bear() {
    runtime().block_on(async {
        #[derive(sea_orm::FromQueryResult)]
        struct Setting { name: String, jit: String, deadline: String }
        let database = TestDatabase::new(Store::Postgres, Content::Tables).await;
        let app = TestApp::start(&database).await;
        let mut sql = Sql::new(app.app.databases().write());
        sql.push("select current_setting('application_name') as name, current_setting('jit') as jit, current_setting('statement_timeout') as deadline");
        let setting = sql.one::<Setting>(app.app.databases().write()).await.expect("settings").expect("a row");
        assert_eq!((setting.name.as_str(), setting.jit.as_str(), setting.deadline.as_str()), ("dualcaster", "off", "1min"));
        app.stop().await;
        database.remove().await;
    });
}

#[test]
fn a_transaction_that_met_another_is_run_again() {
    runtime().block_on(async {
        use std::sync::atomic::{AtomicU32, Ordering};
        let database = TestDatabase::new(Store::Postgres, Content::Market).await;
        let app = TestApp::start(&database).await;
        let tried = AtomicU32::new(0);
        let write = async {
            let value = transaction!(app.bulk.write(), |transaction| {
                if tried.fetch_add(1, Ordering::Relaxed) == 0 {
                    // What Postgres says to the loser of a race.
                    transaction
                        .execute_unprepared(
                            "do $$ begin raise exception 'lost' using errcode = '40001'; end $$",
                        )
                        .await?;
                }
                transaction.execute_unprepared("update store_state set demo = false").await?;
                Ok(7)
            });
            dualcaster::error::Result::<_>::Ok(value)
        };
        let value = write.await.expect("in the end");
        assert_eq!((value, tried.load(Ordering::Relaxed)), (7, 2));
        assert_eq!(app.number("select count(*) as n from store_state where demo").await, 0);
        app.stop().await;
        database.remove().await;
    });
}

on_both_stores! { Market:
    async fn what_runs_in_a_transaction_is_counted_and_timed(app: TestApp) {
        let before = app.statements();
        assert_eq!(write(app.app.databases().write()).await.expect("written"), 1);
        assert_eq!(app.statements() - before, 1);
        let count = || app.bulk.write().statements().count();
        let before = count();
        let bulk = Bulk::begin(app.bulk.write()).await.expect("a transaction");
        bulk.execute_unprepared("update store_state set demo = false").await.expect("written");
        bulk.commit().await.expect("committed");
        assert_eq!(count() - before, 1);
        let metrics = app.app.metrics();
        for told in [
            "dualcaster_pool_connections{database=\"primary\"}",
            "dualcaster_pool_connections{database=\"jobs\"}",
            "dualcaster_statement_duration_seconds_count{database=\"bulk\"}",
        ] {
            assert!(metrics.contains(told), "{told} is missing");
        }
    }

    async fn who_changes_something_while_the_store_is_busy_is_told_when_to_come_back(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let create = "createApiToken(input: {name: \"x\"}) { token userErrors { errorCode } }";
        // SQLite's one lock for all that writes; or what Postgres says to the loser of a race, each time.
        let lock = match app.store {
            Store::Sqlite => Some(app.bulk.write().begin().await.expect("a transaction")),
            Store::Postgres => {
                app.execute(
                    "create function lost() returns trigger language plpgsql as
                     $$ begin raise exception 'lost' using errcode = '40001'; end $$",
                )
                .await;
                app.execute("create trigger lost before insert on api_tokens for each row execute function lost()").await;
                None
            }
        };
        let refused = mutate(&app, &ada, create).await;
        assert_eq!((refused.status, refused.code()), (503, Some("ERR-5003")), "{:#}", refused.body);
        assert_eq!(refused.headers["retry-after"], "1");
        assert_eq!(app.rows("api_tokens").await, 0);
        match lock {
            Some(lock) => lock.rollback().await.expect("let go"),
            None => app.execute("drop trigger lost on api_tokens").await,
        }
        assert!(mutate(&app, &ada, create).await.field()["token"].is_string());
    }

    async fn a_failure_inside_tells_the_caller_nothing_of_it(app: TestApp) {
        app.bulk.write().execute_unprepared("alter table cards rename to elsewhere").await.expect("renamed");
        let answer = app.answer("{ cards { totalCount } }", json!(null)).await;
        assert_eq!(answer["data"], json!({"cards": null}));
        assert_eq!(answer["errors"][0]["message"], json!("Something went wrong on our side."));
        assert_eq!(answer["errors"][0]["extensions"]["errorCode"], json!("ERR-5000"));
        let text = answer.to_string();
        assert!(!text.contains("elsewhere") && !text.contains("relation") && !text.contains("no such table"), "{text}");
    }
}
