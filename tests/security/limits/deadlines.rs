//! How long a request has, and a statement. The figures are what holds where nothing is set; they are tried at a fraction.

use std::time::Duration;

use dualcaster::config::{DatabaseSettings, Environment, Settings};
use dualcaster::db::{Databases, Purpose, Sql, Trouble};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::harness::{Content, Store, TestApp, TestDatabase, post, query, refusal, runtime};

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
fn statement_deadline_5_s_for_requests() {
    assert_eq!(usual().database.statement_timeout, Duration::from_secs(5));
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Postgres, Content::Tables).await;
        let mut settings = database.settings().database;
        settings.statement_timeout = Duration::from_millis(200);
        let databases = Databases::connect(&settings, Purpose::Requests).await.expect("connected");
        let error = databases.write().execute_unprepared("select pg_sleep(30)").await.expect_err("ended");
        assert_eq!(Trouble::of(&error), Trouble::Deadline);
        let refusal = dualcaster::error::Error::from(error).refusal();
        assert_eq!(refusal.code, dualcaster::error::Code::Timeout);
        databases.close().await;
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
