//! Faults of the store, and what callers see of them.

use dualcaster::transaction;
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::harness::{Content, Store, TestApp, TestDatabase, on_both_stores, runtime};

#[test]
fn connections_that_the_server_ended_are_replaced_and_nobody_notices() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Postgres, Content::Market).await;
        let app = TestApp::start(&database).await;
        let query = "{ cards(first: 3) { nodes { name set { code } } } }";
        let ask = async || futures_util::future::join_all((0..6).map(|_| app.data(query, json!(null)))).await;
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
fn postgres_is_told_who_we_are_and_what_we_bear() {
    runtime().block_on(async {
        #[derive(sea_orm::FromQueryResult)]
        struct Setting { name: String, jit: String, deadline: String }
        let database = TestDatabase::new(Store::Postgres, Content::Tables).await;
        let app = TestApp::start(&database).await;
        let mut sql = dualcaster::db::Sql::new(app.app.databases().write());
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
