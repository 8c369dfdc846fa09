//! Enumeration by many requests at once, by way of several servers, and over some time.
//!
//! A miss is counted before it is answered, and a block is looked at before anything is executed. So who has `n` requests
//! under way at a time has at most `n - 1` more of them answered when the tenth miss is counted: 9 + n in all. Nothing
//! bounds `n` itself but connections and the budget, of which each request takes a point at least.

use dualcaster::domain::accounts::create_client;
use dualcaster::gates::MISSES;
use dualcaster::outside::Outside;
use entity::enums::Role;
use futures_util::future::join_all;
use serde_json::json;

use super::{Person, mutate, on_each_database, sign_in, sign_up};
use crate::collection::nobodys;
use crate::harness::{Content, Store, TestApp, TestDatabase, everywhere, runtime};
use crate::sockets::Socket;

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

everywhere! { Tables:
    async fn misses_of_a_user_add_up_whatever_speaks_for_them(app: TestApp) {
        let (one, two) = (sign_up(&app, "ada@example.com").await, sign_in(&app, "ada@example.com").await);
        let made = mutate(&app, &one, "createApiToken(input: {name: \"x\", readOnly: true}) { token }").await;
        let token = made.field()["token"].as_str().expect("a token").to_owned();
        let script = Person { access: token, ..one.clone() };
        for number in 0..MISSES {
            assert!(misses(&app, [&one, &two, &script][number % 3]).await, "{number}");
        }
        for speaker in [&one, &two, &script] {
            assert!(!misses(&app, speaker).await);
        }
    }

    async fn what_is_asked_over_a_socket_counts_as_well(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let mut socket = Socket::open(&app).await;
        let payload = json!({"authorization": format!("Bearer {}", ada.access)});
        socket.say(json!({"type": "connection_init", "payload": payload})).await;
        assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
        for number in 0..MISSES {
            let id = number.to_string();
            socket.subscribe(&id, &format!("{{ node(id: \"{}\") {{ id }} }}", nobodys("Session"))).await;
            assert_eq!(socket.hear().await, json!({"type": "next", "id": id, "payload": {"data": {"node": null}}}));
            assert_eq!(socket.hear().await, json!({"type": "complete", "id": id}));
        }
        socket.subscribe("more", "{ viewer { id } }").await;
        let told = socket.hear().await;
        assert_eq!((&told["type"], &told["payload"][0]["extensions"]["errorCode"]), (&json!("error"), &json!("ERR-4002")));
        assert!(!misses(&app, &ada).await, "nor in another way");
    }
}

/// So many seconds, of which nobody waits for one: what is noted in Redis is so much older, and what ends by itself there
/// ends so much sooner.
async fn pass(database: &TestDatabase, seconds: i64) {
    let (url, prefix) = database.redis.as_ref().expect("a Redis");
    let client = redis::Client::open(url.as_str()).expect("a client");
    let mut connection = client.get_multiplexed_async_connection().await.expect("the Redis of the tests");
    let milliseconds = seconds * 1_000;
    let mut noted = redis::cmd("KEYS");
    noted.arg(format!("{prefix}misses:*"));
    let noted: Vec<String> = noted.query_async(&mut connection).await.expect("keys");
    assert!(!noted.is_empty(), "misses are noted in Redis");
    for key in noted {
        let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut connection).await.expect("a type");
        if kind == "zset" {
            let mut moments = redis::cmd("ZRANGE");
            moments.arg(&key).arg(0).arg(-1);
            let moments: Vec<String> = moments.query_async(&mut connection).await.expect("moments");
            for moment in moments {
                let mut older = redis::cmd("ZINCRBY");
                older.arg(&key).arg(-milliseconds).arg(moment);
                older.query_async::<f64>(&mut connection).await.expect("older");
            }
        }
        let left: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut connection).await.expect("a time");
        assert_ne!(left, -1, "{key} ends by itself");
        let mut sooner = redis::cmd("PEXPIRE");
        // One that is over by then is gone at once.
        sooner.arg(&key).arg(left - milliseconds);
        sooner.query_async::<i64>(&mut connection).await.expect("sooner");
    }
}

/// In the process it is the same by the clock's own arithmetic: src/gates/misses.rs.
#[test]
fn in_redis_misses_count_for_a_minute_and_a_block_lasts_for_five() {
    for store in [Store::Postgres, Store::Sqlite] {
        runtime().block_on(async {
            let database = TestDatabase::new(store, Content::Tables).await.with_redis();
            let app = TestApp::start(&database).await;
            let ada = sign_up(&app, "ada@example.com").await;
            let miss = async |times: usize| {
                for number in 0..times {
                    assert!(misses(&app, &ada).await, "{store:?}: left out after {number} of {times}");
                }
            };
            miss(5).await;
            pass(&database, 40).await;
            miss(4).await;
            pass(&database, 21).await;
            // With these there are fourteen, of which nine are not over a minute old.
            miss(5).await;
            pass(&database, 20).await;
            // The tenth within a minute.
            miss(1).await;
            assert!(!misses(&app, &ada).await, "{store:?}: the tenth is the last");
            pass(&database, 290).await;
            let blocked = app.ask_as(Some(&ada.access), "{ viewer { id } }", json!(null)).await;
            assert_eq!((blocked.status, blocked.code()), (429, Some("ERR-4002")), "{store:?}");
            let seconds: u64 =
                blocked.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
            assert!((1..=10).contains(&seconds), "{store:?}: {seconds}");
            pass(&database, 10).await;
            // And it counts from the beginning.
            miss(9).await;
            app.stop().await;
            database.remove().await;
        });
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
