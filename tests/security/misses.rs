//! Enumeration by many requests at once, and by way of several servers.
//!
//! A miss is counted before it is answered, and a block is looked at before anything is executed. So who has `n` requests
//! under way at a time has at most `n - 1` more of them answered when the tenth miss is counted: 9 + n in all. Nothing
//! bounds `n` itself but connections and the budget, of which each request takes a point at least.

use dualcaster::domain::accounts::create_client;
use dualcaster::outside::Outside;
use entity::enums::Role;
use futures_util::future::join_all;
use serde_json::json;

use super::{Person, on_each_database, sign_up};
use crate::collection::nobodys;
use crate::harness::{Content, TestApp, everywhere};

/// Asks for what is nobody's, and says whether that was looked for: who is left out is told so.
async fn misses(app: &TestApp, person: &Person) -> bool {
    let query = "query($id: ID!) { node(id: $id) { id } }";
    let answer = app.ask_as(Some(&person.access), query, json!({"id": nobodys("InventoryItem")})).await;
    match answer.code() {
        None => {
            assert_eq!(answer.body["data"], json!({"node": null}));
            true
        }
        code => {
            assert_eq!((answer.status, code), (429, Some("ERR-4002")));
            false
        }
    }
}

everywhere! { Tables:
    async fn of_many_at_once_no_more_miss_than_were_under_way_at_the_tenth(app: TestApp) {
        const AT_ONCE: usize = 8;
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let until_left_out = async || {
            let mut missed = 0_usize;
            while misses(&app, &ada).await {
                missed += 1;
                assert!(missed < 100, "nobody counts");
            }
            missed
        };
        let missed: usize = join_all((0..AT_ONCE).map(|_| until_left_out())).await.into_iter().sum();
        assert!((10..=9 + AT_ONCE).contains(&missed), "{missed} have missed");
        assert!(!misses(&app, &ada).await, "the block stays");
        assert!(misses(&app, &bob).await, "and is nobody else's");
    }
}

everywhere! { Tables:
    async fn a_bots_misses_are_of_whom_it_asks_for_whatever_names_them(app: TestApp) {
        let client = create_client(app.bulk.write(), "bot", Role::Bot, None, &Outside::system()).await;
        let token = client.expect("a client").1.text();
        let ask = async |discord: &str| {
            let query = format!("query($id: ID!) {{ node(id: $id) {{ id }} userByDiscordId(discordId: \"{discord}\") {{ id }} }}");
            app.ask_as(Some(&token), &query, json!({"id": nobodys("InventoryItem")})).await
        };
        for _ in 0..10 {
            assert_eq!(ask("1").await.code(), None);
        }
        let left_out = ask("1").await;
        assert_eq!((left_out.status, left_out.code()), (429, Some("ERR-4002")));
        assert!(left_out.body.get("data").is_none(), "nothing is told");
        assert_eq!(ask("2").await.code(), None);
    }
}

#[test]
fn servers_that_share_redis_count_misses_together_and_others_do_not() {
    on_each_database(Content::Tables, async |database| {
        let (here, there) = (TestApp::start(database).await, TestApp::start(database).await);
        let ada = sign_up(&here, "ada@example.com").await;
        let mut missed = 0;
        for app in [&here, &there].into_iter().cycle().take(30) {
            missed += usize::from(misses(app, &ada).await);
        }
        assert_eq!(missed, if database.redis.is_some() { 10 } else { 20 }, "{:?}", database.store);
        here.stop().await;
        there.stop().await;
    });
}
