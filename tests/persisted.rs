//! Automatic persisted queries that servers keep for each other, in a real Redis.

use std::time::Instant;

use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Content, Proxy, Store, TestApp, TestDatabase, runtime};

/// What servers keep in Redis.
struct Kept {
    connection: MultiplexedConnection,
    prefix: String,
}

impl Kept {
    async fn beside(database: &TestDatabase) -> Self {
        let (url, prefix) = database.redis.clone().expect("a Redis");
        let client = redis::Client::open(url).expect("an address");
        let connection = client.get_multiplexed_async_connection().await.expect("the Redis of the tests");
        Self { connection, prefix: format!("{prefix}persisted:") }
    }

    fn key(&self, query: &str) -> String {
        format!("{}{}", self.prefix, sha256(query))
    }

    /// The key of the order of use.
    fn order(&self) -> String {
        format!("{}order", self.prefix)
    }

    async fn ask<T: redis::FromRedisValue>(&self, command: &str, key: &str, more: &[&str]) -> T {
        let mut asking = redis::cmd(command);
        asking.arg(key);
        for argument in more {
            asking.arg(*argument);
        }
        asking.query_async(&mut self.connection.clone()).await.expect("an answer")
    }
}

/// Runs a test against two servers over one Redis.
fn with_two(test: impl AsyncFn(&TestApp, &TestApp, &Kept)) {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Tables).await.with_redis();
        let here = TestApp::start(&database).await;
        let there = TestApp::start(&database).await;
        let kept = Kept::beside(&database).await;
        test(&here, &there, &kept).await;
        here.stop().await;
        there.stop().await;
        database.remove().await;
    });
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What asks for a query by its hash alone.
fn by_hash(query: &str) -> Value {
    json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(query)}}})
}

async fn post(app: &TestApp, body: &Value) -> Value {
    let answer = app.client.post(format!("{}/graphql", app.base)).json(body).send().await;
    answer.expect("an answer").json().await.expect("JSON")
}

/// Asks for a query by its hash alone, by GET.
async fn get(app: &TestApp, query: &str) -> Value {
    let extensions = by_hash(query)["extensions"].to_string();
    let parameters =
        form_urlencoded::Serializer::new(String::new()).append_pair("extensions", &extensions).finish();
    let answer = app.client.get(format!("{}/graphql?{parameters}", app.base)).send().await;
    answer.expect("an answer").json().await.expect("JSON")
}

/// Sends a query with its hash.
async fn register(app: &TestApp, query: &str) -> Value {
    let mut body = by_hash(query);
    body["query"] = json!(query);
    post(app, &body).await
}

fn code(answer: &Value) -> Option<&str> {
    answer["errors"][0]["extensions"]["errorCode"].as_str()
}

fn is_unknown(answer: &Value) -> bool {
    code(answer) == Some("ERR-4004") && answer["errors"][0]["message"] == "PersistedQueryNotFound"
}

#[test]
fn what_one_server_was_told_another_answers_by_its_hash() {
    const WEEK: i64 = 7 * 24 * 60 * 60 * 1_000;
    with_two(async |here, there, kept| {
        let (posted, got) = ("{ a: __typename }", "{ b: __typename }");
        for query in [posted, got] {
            assert!(is_unknown(&post(there, &by_hash(query)).await));
            assert_eq!(register(here, query).await.get("errors"), None);
        }
        // Whose time is nearly over.
        kept.ask::<()>("PEXPIRE", &kept.key(posted), &["1000000"]).await;
        assert_eq!(post(there, &by_hash(posted)).await["data"], json!({"a": "Query"}));
        assert_eq!(get(there, got).await["data"], json!({"b": "Query"}));
        for query in [posted, got] {
            let left: i64 = kept.ask("PTTL", &kept.key(query), &[]).await;
            assert!((WEEK - 600_000..=WEEK).contains(&left), "{left} ms");
            // From now on it is known there, whatever becomes of Redis.
            kept.ask::<()>("DEL", &kept.key(query), &[]).await;
            assert_eq!(get(there, query).await.get("errors"), None);
        }
    });
}

#[test]
fn without_redis_each_server_knows_its_own() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Tables).await;
        let here = TestApp::start(&database).await;
        let there = TestApp::start(&database).await;
        let query = "{ a: __typename }";
        assert_eq!(register(&here, query).await.get("errors"), None);
        assert_eq!(get(&here, query).await["data"], json!({"a": "Query"}));
        assert!(is_unknown(&get(&there, query).await));
        here.stop().await;
        there.stop().await;
        database.remove().await;
    });
}

#[test]
fn while_redis_is_away_each_server_knows_its_own() {
    for frozen in [false, true] {
        runtime().block_on(async {
            let mut database = TestDatabase::new(Store::Sqlite, Content::Tables).await.with_redis();
            let (url, prefix) = database.redis.clone().expect("a Redis");
            let proxy = Proxy::to(url.trim_start_matches("redis://").trim_end_matches('/').to_owned()).await;
            database.redis = Some((format!("redis://{}", proxy.address), prefix.clone()));
            let here = TestApp::start(&database).await;
            let there = TestApp::start(&database).await;
            if frozen {
                proxy.hold()
            } else {
                proxy.cut()
            }
            let query = "{ a: __typename }";
            let started = Instant::now();
            for _ in 0..40 {
                assert_eq!(register(&here, query).await.get("errors"), None);
                assert_eq!(post(&here, &by_hash(query)).await["data"], json!({"a": "Query"}));
                assert!(is_unknown(&get(&there, query).await));
            }
            let took = started.elapsed();
            assert!(took.as_secs() < 10, "it does not wait for Redis each time: {took:?}");
            proxy.heal();
            let started = Instant::now();
            while is_unknown(&get(&there, query).await) {
                assert!(started.elapsed().as_secs() < 20, "Redis is not asked again");
                assert_eq!(register(&here, query).await.get("errors"), None);
            }
            assert_eq!(get(&there, query).await["data"], json!({"a": "Query"}));
            here.stop().await;
            there.stop().await;
            database.redis = Some((url, prefix));
            database.remove().await;
        });
    }
}

#[test]
fn what_is_forged_in_redis_is_not_executed() {
    with_two(async |here, there, kept| {
        let query = "{ a: __typename }";
        for forged in ["{ b: __typename }", "", "{ a: __typename } "] {
            kept.ask::<()>("SET", &kept.key(query), &[forged]).await;
            assert!(is_unknown(&post(there, &by_hash(query)).await), "{forged:?}");
            assert!(is_unknown(&get(there, query).await), "{forged:?}");
        }
        // The true one takes its place.
        assert_eq!(register(here, query).await.get("errors"), None);
        assert_eq!(get(there, query).await["data"], json!({"a": "Query"}));
        // What has its hash is held to the limits and checked all the same.
        let wide: String = (0..31).map(|index| format!("a{index}: __typename ")).collect();
        for (query, refused) in
            [(format!("{{ {wide} }}"), "ERR-4003"), ("{ nothing }".to_owned(), "ERR-3002")]
        {
            kept.ask::<()>("SET", &kept.key(&query), &[&query]).await;
            for _ in 0..2 {
                let answer = get(there, &query).await;
                assert_eq!((code(&answer), answer.get("data")), (Some(refused), None), "{answer}");
            }
        }
        let listed = "{ c: __typename }";
        kept.ask::<()>("LPUSH", &kept.key(listed), &[listed]).await;
        assert!(is_unknown(&get(there, listed).await));
    });
}

#[test]
fn only_what_is_valid_and_let_in_is_shared() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Market).await.with_redis();
        let mut settings = database.settings();
        settings.budget.anonymous = "300/1".parse().expect("a budget");
        let app = TestApp::start_with(&database, settings).await;
        let kept = Kept::beside(&database).await;
        let is_kept = async |query: &str| kept.ask::<bool>("EXISTS", &kept.key(query), &[]).await;
        let (wrong, dear, cheap) =
            ("{ nothing }", "{ cards(first: 90) { nodes { id } } }", "{ a: __typename }");
        assert_eq!(code(&register(&app, wrong).await), Some("ERR-3002"));
        for _ in 0..3 {
            assert_eq!(code(&post(&app, &json!({"query": dear})).await), None);
        }
        assert_eq!(code(&register(&app, dear).await), Some("ERR-4001"));
        assert_eq!(code(&register(&app, cheap).await), None);
        assert_eq!((is_kept(wrong).await, is_kept(dear).await, is_kept(cheap).await), (false, false, true));
        app.stop().await;
        database.remove().await;
    });
}

#[test]
fn a_thousand_are_shared_those_that_were_used_last() {
    with_two(async |here, there, kept| {
        let (oldest, newest) = ("{ a: __typename }", "{ b: __typename }");
        let is_kept = async |query: &str| kept.ask::<bool>("EXISTS", &kept.key(query), &[]).await;
        assert_eq!(code(&register(here, oldest).await), None);
        kept.ask::<()>("ZADD", &kept.order(), &["XX", "1", &kept.key(oldest)]).await;
        let others: Vec<String> = (0..999).map(|number| format!("{}{number}", kept.prefix)).collect();
        let used: Vec<&str> = others.iter().flat_map(|other| ["2", other.as_str()]).collect();
        kept.ask::<()>("ZADD", &kept.order(), &used).await;
        assert!(is_kept(oldest).await);
        assert_eq!(code(&register(here, newest).await), None);
        assert_eq!((is_kept(oldest).await, is_kept(newest).await), (false, true));
        assert_eq!(kept.ask::<i64>("ZCARD", &kept.order(), &[]).await, 1_000);
        // To be looked for is a use.
        kept.ask::<()>("ZADD", &kept.order(), &["XX", "1", &kept.key(newest)]).await;
        assert_eq!(code(&get(there, newest).await), None);
        assert_eq!(code(&register(here, "{ c: __typename }").await), None);
        assert!(is_kept(newest).await);
    });
}
