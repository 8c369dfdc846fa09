//! How long a request has, and a statement. The figures are what holds where nothing is set; they are tried at a fraction.

use std::time::Duration;

use dualcaster::config::{DatabaseSettings, Environment, Settings};
use dualcaster::db::{Databases, Purpose, Sql, Trouble};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement};

use crate::harness::{Content, Store, TestApp, TestDatabase, post, query, refusal, runtime};
use crate::resilience::ENDLESS;
use crate::security::hang_ups::until;
use crate::security::{PASSWORD, everywhere_with};

/// The settings where nothing is set.
fn usual() -> Settings {
    Settings::read(&mut Environment::new([])).expect("settings")
}

#[test]
fn request_deadline_10_s() {
    assert_eq!(usual().server.request_timeout, Duration::from_secs(10));
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Postgres, Content::Tables).await;
        let mut settings = database.settings();
        settings.server.request_timeout = Duration::from_millis(300);
        let app = TestApp::start_with(&database, settings).await;
        let holding = app.bulk.write().begin().await.expect("a transaction");
        holding.execute_unprepared("lock table marketplaces in access exclusive mode").await.expect("locked");
        let late = refusal(post(&app).json(&query("{ marketplaces { slug } }"))).await;
        assert_eq!(late, (504, "ERR-5002".to_owned()));
        holding.rollback().await.expect("let go");
        app.stop().await;
        database.remove().await;
    });
}

#[test]
fn a_mutation_that_is_late_is_refused_and_done_all_the_same() {
    let little = |settings: &mut Settings| settings.server.request_timeout = Duration::from_millis(300);
    everywhere_with(Content::Tables, little, async |app| {
        // On SQLite that alone keeps others from writing.
        let holding = app.bulk.write().begin().await.expect("a transaction");
        if app.store == Store::Postgres {
            holding.execute_unprepared("lock table users in access exclusive mode").await.expect("locked");
        }
        let input = format!("email: \"ada@example.com\", password: \"{PASSWORD}\", displayName: \"Ada\"");
        let register =
            format!("mutation {{ register(input: {{{input}}}) {{ userErrors {{ errorCode }} }} }}");
        let late = refusal(post(app).json(&query(&register))).await;
        assert_eq!(late, (504, "ERR-5002".to_owned()), "{:?}", app.store);
        holding.rollback().await.expect("let go");
        until("it is done", async || app.rows("sessions").await == 1).await;
    });
}

#[test]
fn statement_deadline_5_s_for_requests() {
    assert_eq!(usual().database.statement_timeout, Duration::from_secs(5));
    for (store, endless) in [(Store::Postgres, "select pg_sleep(30)"), (Store::Sqlite, ENDLESS)] {
        runtime().block_on(async {
            let database = TestDatabase::new(store, Content::Tables).await;
            let mut settings = database.settings().database;
            settings.statement_timeout = Duration::from_millis(200);
            let databases = Databases::connect(&settings, Purpose::Requests).await.expect("connected");
            let connection = databases.write();
            let endless = Statement::from_string(connection.get_database_backend(), endless);
            let error = connection.query_one_raw(endless).await.expect_err("ended");
            assert_eq!(Trouble::of(&error), Trouble::Deadline, "{store:?}");
            let refusal = dualcaster::error::Error::from(error).refusal();
            assert_eq!(refusal.code, dualcaster::error::Code::Timeout, "{store:?}");
            databases.close().await;
            database.remove().await;
        });
    }
}

#[test]
fn on_sqlite_too_what_requests_have_is_not_the_end_of_jobs_and_bulk_work() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Tables).await;
        let mut settings = database.settings().database;
        settings.statement_timeout = Duration::from_millis(50);
        for purpose in [Purpose::Jobs(1), Purpose::Bulk] {
            let databases = Databases::connect(&settings, purpose).await.expect("connected");
            let connection = databases.write();
            let endless = Statement::from_string(connection.get_database_backend(), ENDLESS);
            let sent = tokio::time::timeout(Duration::from_millis(500), connection.query_one_raw(endless));
            assert!(sent.await.is_err(), "{purpose:?}: it goes on");
            databases.close().await;
        }
        database.remove().await;
    });
}

#[test]
fn statement_deadline_60_s_for_jobs_and_none_for_bulk_work() {
    runtime().block_on(async {
        #[derive(FromQueryResult)]
        struct Setting {
            deadline: String,
        }
        let database = TestDatabase::new(Store::Postgres, Content::Tables).await;
        let settings = DatabaseSettings {
            statement_timeout: usual().database.statement_timeout,
            ..database.settings().database
        };
        // Migrations and ingests, with their COPY, are bulk work; no job writes so many rows at once that it copies them.
        for (purpose, deadline) in
            [(Purpose::Requests, "5s"), (Purpose::Jobs(1), "1min"), (Purpose::Bulk, "0")]
        {
            let databases = Databases::connect(&settings, purpose).await.expect("connected");
            let mut sql = Sql::new(databases.write());
            sql.push("select current_setting('statement_timeout') as deadline");
            let setting = sql.one::<Setting>(databases.write()).await.expect("an answer").expect("a row");
            assert_eq!(setting.deadline, deadline, "{purpose:?}");
            databases.close().await;
        }
        database.remove().await;
    });
}
