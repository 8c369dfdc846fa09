//! Redis is away: reads go on, guessing stays slow, and nothing that was taken back comes back.

use sea_orm::ConnectionTrait;
use serde_json::json;

use super::hang_ups::until;
use super::shut_out::{sent, waiting};
use super::{come_of_age, login, mutate, refresh, sign_in, sign_up, whoami};
use crate::harness::{Content, Proxy, Store, TestApp, TestDatabase, runtime};

/// Runs a test against two servers that share a database and a Redis behind a proxy.
fn behind_a_cable(test: impl AsyncFn(&TestApp, &TestApp, &Proxy)) {
    for store in [Store::Postgres, Store::Sqlite] {
        runtime().block_on(async {
            let mut database = TestDatabase::new(store, Content::Tables).await.with_redis();
            let (url, prefix) = database.redis.clone().expect("a Redis");
            let target = url.trim_start_matches("redis://").trim_end_matches('/').to_owned();
            let proxy = Proxy::to(target).await;
            database.redis = Some((format!("redis://{}", proxy.address), prefix.clone()));
            let here = TestApp::start(&database).await;
            let there = TestApp::start(&database).await;
            come_of_age(&[&here, &there]).await;
            test(&here, &there, &proxy).await;
            here.stop().await;
            there.stop().await;
            database.redis = Some((url, prefix));
            database.remove().await;
        });
    }
}

#[test]
fn while_redis_is_away_the_database_says_what_holds() {
    for frozen in [false, true] {
        behind_a_cable(async |here, there, proxy| {
            let (gone, stays) =
                (sign_up(here, "ada@example.com").await, sign_in(here, "ada@example.com").await);
            let before = there.statements();
            assert!(whoami(there, &gone.access).await.is_ok());
            assert_eq!(
                there.statements() - before,
                1,
                "the viewer alone: Redis says that the session goes on"
            );
            if frozen {
                proxy.hold()
            } else {
                proxy.cut()
            }
            mutate(here, &gone, "logout { success }").await.field();
            for app in [here, there] {
                let started = std::time::Instant::now();
                assert_eq!(whoami(app, &gone.access).await, Err("ERR-2003".to_owned()), "at once");
                let changed =
                    mutate(app, &gone, "updateProfile(input: {displayName: \"Eve\"}) { user { id } }").await;
                assert_eq!((changed.status, changed.code()), (401, Some("ERR-2003")), "nor by a mutation");
                assert_eq!(
                    mutate(app, &stays, "updateProfile(input: {displayName: \"Ada\"}) { user { id } }")
                        .await
                        .code(),
                    None
                );
                for _ in 0..20 {
                    assert!(whoami(app, &stays.access).await.is_ok());
                }
                let took = started.elapsed();
                assert!(took.as_secs() < 5, "it does not wait for Redis each time: {took:?}");
            }
            proxy.heal();
            // Whenever Redis is believed again, what was taken back meanwhile stays so.
            for _ in 0..60 {
                for app in [here, there] {
                    assert_eq!(whoami(app, &gone.access).await, Err("ERR-2003".to_owned()), "and afterwards");
                    assert!(whoami(app, &stays.access).await.is_ok());
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            assert_eq!(refresh(there, &gone.refresh).await.code(), Some("ERR-2003"));
        });
    }
}

#[test]
fn guessing_stays_slow_while_redis_is_away() {
    behind_a_cable(async |here, _, proxy| {
        sign_up(here, "ada@example.com").await;
        proxy.cut();
        for _ in 0..5 {
            assert_eq!(login(here, "ada@example.com", "wrong").await.code(), Some("ERR-2004"));
        }
        assert_eq!(login(here, "ada@example.com", "wrong").await.code(), Some("ERR-4001"));
        let answer = here.ask_as(None, "{ __typename }", json!(null)).await;
        assert_eq!(answer.code(), None, "who only reads goes on");
    });
}

#[test]
fn however_many_ask_at_once_redis_is_connected_to_once_and_let_go_at_the_end() {
    runtime().block_on(async {
        let mut database = TestDatabase::new(Store::Sqlite, Content::Tables).await.with_redis();
        let (url, prefix) = database.redis.clone().expect("a Redis");
        let proxy = Proxy::to(url.trim_start_matches("redis://").trim_end_matches('/').to_owned()).await;
        database.redis = Some((format!("redis://{}", proxy.address), prefix.clone()));
        let app = TestApp::start(&database).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let all_ask = async || {
            let at_once = (0..10).map(|_| whoami(&app, &ada.access));
            for answer in futures_util::future::join_all(at_once).await {
                assert!(answer.is_ok());
            }
        };
        all_ask().await;
        // One for all that asks, one that hears what was taken back, one that hears the bell.
        while proxy.made() < 3 {
            tokio::task::yield_now().await;
        }
        all_ask().await;
        assert_eq!(proxy.made(), 3);
        proxy.cut();
        all_ask().await;
        while proxy.open() > 0 {
            tokio::task::yield_now().await;
        }
        let before = proxy.made();
        proxy.heal();
        while proxy.open() < 3 {
            all_ask().await;
        }
        assert!(proxy.made() - before <= 4, "{} connections for twenty that asked", proxy.made() - before);
        app.stop().await;
        drop(app);
        let started = std::time::Instant::now();
        while proxy.open() > 0 {
            assert!(started.elapsed().as_secs() < 10, "{} connections are left open", proxy.open());
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        database.redis = Some((url, prefix));
        database.remove().await;
    });
}

/// Runs a test against a server that hears Redis through a proxy, and another that hears it always.
fn one_behind_a_cable(stores: &[Store], test: impl AsyncFn(&TestApp, &TestApp, &Proxy)) {
    for store in stores {
        runtime().block_on(async {
            let mut database = TestDatabase::new(*store, Content::Tables).await.with_redis();
            let (url, prefix) = database.redis.clone().expect("a Redis");
            let there = TestApp::start(&database).await;
            let proxy = Proxy::to(url.trim_start_matches("redis://").trim_end_matches('/').to_owned()).await;
            database.redis = Some((format!("redis://{}", proxy.address), prefix.clone()));
            let here = TestApp::start(&database).await;
            come_of_age(&[&here, &there]).await;
            test(&here, &there, &proxy).await;
            here.stop().await;
            there.stop().await;
            database.redis = Some((url, prefix));
            database.remove().await;
        });
    }
}

/// As a server that is killed between the commit and its note does. On Postgres, where it can be held in between.
#[test]
fn what_is_taken_back_and_never_told_holds_nowhere() {
    one_behind_a_cable(&[Store::Postgres], async |here, there, proxy| {
        let ada = sign_up(here, "ada@example.com").await;
        assert!(whoami(there, &ada.access).await.is_ok());
        let held = here.bulk.write().begin().await.expect("a transaction");
        held.execute_unprepared("select 1 from sessions for update").await.expect("a lock");
        let ending = sent(here, &ada, "logout { success }");
        until("it is about to end", async || waiting(here).await == 1).await;
        assert!(whoami(there, &ada.access).await.is_ok(), "in doubt, the database says so");
        proxy.cut();
        held.rollback().await.expect("released");
        ending.await.expect("an answer").field();
        assert_eq!(whoami(there, &ada.access).await, Err("ERR-2003".to_owned()));
    });
}

#[test]
fn what_one_server_can_t_tell_in_redis_the_others_learn_from_the_database() {
    one_behind_a_cable(&[Store::Postgres, Store::Sqlite], async |here, there, proxy| {
        let (gone, stays) = (sign_up(here, "ada@example.com").await, sign_in(here, "ada@example.com").await);
        assert!(whoami(there, &gone.access).await.is_ok());
        proxy.cut();
        mutate(here, &gone, "logout { success }").await.field();
        let identity = there.app.identity().expect("accounts");
        let look =
            async || identity.revocations().look_for_unheard(identity.connection()).await.expect("a look");
        look().await;
        assert_eq!(whoami(there, &gone.access).await, Err("ERR-2003".to_owned()));
        assert!(whoami(there, &stays.access).await.is_ok());
        proxy.heal();
        until("Redis knows", async || here.rows("unheard_revocations").await == 0).await;
        look().await;
        assert_eq!(whoami(there, &gone.access).await, Err("ERR-2003".to_owned()));
        assert!(whoami(there, &stays.access).await.is_ok());
    });
}
