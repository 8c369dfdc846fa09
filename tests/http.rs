//! What surrounds every answer: health, ids, metrics, pages for people, and an orderly end.

use std::time::Duration;

use migration::MigratorTrait;
use serde_json::{Value, json};

use crate::harness::{Content, Proxy, Store, TestApp, TestDatabase, on_both_stores, runtime};

async fn get(app: &TestApp, path: &str) -> reqwest::Response {
    app.client.get(format!("{}{path}", app.base)).send().await.expect("an answer")
}

on_both_stores! { Tables:
    async fn liveness_asks_nothing_and_readiness_asks_the_store(app: TestApp) {
        assert_eq!(get(&app, "/live").await.status(), 200);
        assert_eq!(get(&app, "/ready").await.status(), 200);
        migration::Migrator::down(app.bulk.write().pool(), Some(1)).await.expect("taken back");
        let before = app.statements();
        assert_eq!(get(&app, "/live").await.status(), 200);
        assert_eq!(app.statements(), before);
        let ready = get(&app, "/ready").await;
        assert_eq!(ready.status(), 503);
        assert_eq!(ready.json::<Value>().await.expect("JSON"), json!({"status": "not ready", "waitingFor": ["migrations"]}));
    }

    async fn a_draining_server_is_alive_but_not_ready(app: TestApp) {
        app.app.drain();
        assert_eq!(get(&app, "/live").await.status(), 200);
        let ready = get(&app, "/ready").await;
        assert_eq!((ready.status().as_u16(), ready.json::<Value>().await.expect("JSON")["waitingFor"].clone()), (503, json!(["draining"])));
    }

    async fn every_answer_has_a_request_id_and_errors_repeat_it(app: TestApp) {
        let ask = async |id: Option<&str>| {
            let mut request = app.client.post(format!("{}/graphql", app.base)).json(&json!({"query": "{ cards(first: -1) { totalCount } }"}));
            if let Some(id) = id {
                request = request.header("x-request-id", id);
            }
            let answer = request.send().await.expect("an answer");
            let header = answer.headers()["x-request-id"].to_str().expect("text").to_owned();
            let body: Value = answer.json().await.expect("JSON");
            assert_eq!(body["errors"][0]["extensions"]["requestId"], json!(header));
            header
        };
        assert_eq!(ask(Some("mine-1")).await, "mine-1");
        assert_ne!(ask(None).await, ask(None).await);
        let long = "x".repeat(65);
        for bad in ["with space", "<script>", long.as_str()] {
            assert_eq!(ask(Some(bad)).await.len(), 36, "a new one for {bad}");
        }
    }

    async fn metrics_tell_of_requests_operations_statements_batches_and_pools(app: TestApp) {
        app.data("{ cards { nodes { set { code } } } cardSet(code: \"x\") { code } }", json!(null)).await;
        let metrics = get(&app, "/metrics").await.text().await.expect("text");
        for name in ["dualcaster_http_request_duration_seconds", "dualcaster_operation_duration_seconds", "dualcaster_statement_duration_seconds", "dualcaster_batch_keys", "dualcaster_pool_connections"] {
            assert!(metrics.contains(name), "{name} is missing");
        }
    }

    async fn pages_for_people_are_there(app: TestApp) {
        let graphiql = get(&app, "/graphiql").await;
        assert_eq!(graphiql.status(), 200);
        // Without Node.js there is no page, but a sentence that says so.
        assert!(graphiql.text().await.expect("text").to_lowercase().contains("graphiql"));
        // GET / leads there.
        assert!(get(&app, "/").await.url().path().ends_with("/graphiql"));
        let sdl = get(&app, "/schema.graphql").await.text().await.expect("text");
        assert_eq!(sdl, dualcaster::graphql::sdl());
        assert_eq!(get(&app, "/nowhere").await.status(), 404);
    }

    async fn plain_routes_say_when_to_come_back_and_what_the_log_calls_it(app: TestApp) {
        let mut limited = None;
        for _ in 0..500 {
            let answer = get(&app, &format!("/charts/cards/{}.png", crate::collection::nobodys("Card"))).await;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let body: Value = answer.json().await.expect("JSON");
            assert_eq!(body["requestId"], json!(headers["x-request-id"].to_str().expect("text")));
            if status == 429 {
                limited = Some((headers, body));
                break;
            }
        }
        let (headers, body) = limited.expect("a limit");
        assert_eq!(headers["retry-after"].to_str().expect("text"), body["retryAfter"].to_string());
        assert_eq!(body["errorCode"], json!("ERR-4001"));
    }

    async fn values_that_look_like_attacks_are_values(app: TestApp) {
        for nasty in ["' or 1=1 --", "\\", "%", "_", "\u{0}", "../../etc/passwd", "%2e%2e%2f", "<script>", "💥", "$1", "?", "}{", &"a".repeat(10_000)] {
            let answer = app.answer(
                "query($s: String!) { a: card(by: {name: $s}) { name } b: card(by: {fuzzyName: $s}) { name } c: card(by: {printing: {setCode: $s, collectorNumber: $s, language: $s}}) { name }
                  d: cardSet(code: $s) { name } e: cardSets(kinds: [$s]) { totalCount } f: cards(filter: {setCodes: [$s]}) { totalCount } }",
                json!({"s": nasty})).await;
            assert_eq!(answer["errors"], Value::Null, "{nasty:?}: {answer}");
            let answer = app.answer("query($s: String!, $i: ID!) { g: cards(search: $s) { totalCount } h: node(id: $i) { id } i: cards(after: $s) { totalCount } }", json!({"s": nasty, "i": nasty})).await;
            let text = answer.to_string().to_lowercase();
            assert!(!text.contains("err-5") && !text.contains("select ") && !text.contains("sqlx"), "{nasty:?}: {text}");
        }
    }
}

on_both_stores! { Market:
    async fn lists_travel_packed(app: TestApp) {
        let asked = json!({"query": "{ cards(first: 100) { nodes { name typeLine rarity collectorNumber set { code name } } } }"});
        let sent = async |packing: &str| {
            let request = app.client.post(format!("{}/graphql", app.base)).header("accept-encoding", packing).json(&asked);
            let answer = request.send().await.expect("an answer");
            let packed = answer.headers().get("content-encoding").map(|packing| packing.to_str().expect("text").to_owned());
            (packed, answer.bytes().await.expect("bytes").len())
        };
        let (packed, plain) = sent("identity").await;
        assert!(packed.is_none() && plain > 5_000, "{plain}");
        for packing in ["gzip", "br"] {
            let (packed, length) = sent(packing).await;
            assert_eq!(packed.as_deref(), Some(packing));
            assert!(length * 10 <= plain * 4, "at least 60 % off: {length} of {plain} by {packing}");
        }
    }
}

#[test]
fn a_server_that_stops_lets_requests_finish() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Market).await;
        let app = TestApp::start(&database).await;
        let slow = app.clone();
        let query = "{ cards(first: 100, sort: {field: PRICE}) { nodes { name price { price } priceHistory(first: 50) { nodes { price } } printings { nodes { name } } } } }";
        let request = tokio::spawn(async move { slow.data(query, json!(null)).await });
        // Until the request is under way.
        while app.statements() == 0 {
            tokio::task::yield_now().await;
        }
        app.stop().await;
        let data = request.await.expect("an answer");
        assert_eq!(data["cards"]["nodes"].as_array().map(Vec::len), Some(100));
        assert!(app.client.get(format!("{}/live", app.base)).timeout(Duration::from_secs(2)).send().await.is_err(), "nobody listens");
        database.remove().await;
    });
}

#[test]
fn metrics_have_an_address_of_their_own_where_one_is_set() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Tables).await;
        let mut settings = database.settings();
        settings.server.admin_listen = Some("127.0.0.1:0".parse().expect("an address"));
        let app = TestApp::start_with(&database, settings).await;
        assert_eq!(get(&app, "/metrics").await.status(), 404);
        app.stop().await;
        database.remove().await;
    });
}

/// Waits until a server is ready.
async fn until_ready(app: &TestApp) {
    let waiting = async {
        while get(app, "/ready").await.status() != 200 {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), waiting).await.is_ok(), "it is never ready");
}

#[test]
fn readiness_waits_for_what_is_away_and_liveness_does_not() {
    for store in [Store::Postgres, Store::Sqlite] {
        runtime().block_on(async {
            let database = TestDatabase::new(store, Content::Tables).await.with_redis();
            let mut settings = database.settings();
            let (redis, _) = database.redis.as_ref().expect("a Redis");
            let redis =
                Proxy::to(redis.trim_start_matches("redis://").trim_end_matches('/').to_owned()).await;
            settings.redis_url = Some(format!("redis://{}", redis.address));
            let mut proxies = vec![("redis", redis)];
            if store == Store::Postgres {
                let (proxy, url) = database.behind_proxy().await;
                settings.database.url = url;
                proxies.push(("database", proxy));
            }
            let app = TestApp::start_with(&database, settings).await;
            assert_eq!(get(&app, "/ready").await.status(), 200);
            for (word, proxy) in &proxies {
                proxy.cut();
                let ready = get(&app, "/ready").await;
                assert_eq!(ready.status(), 503, "without {word}");
                assert_eq!(ready.json::<Value>().await.expect("JSON")["waitingFor"], json!([word]));
                assert_eq!(get(&app, "/live").await.status(), 200, "without {word}");
                proxy.heal();
                until_ready(&app).await;
            }
            app.stop().await;
            database.remove().await;
        });
    }
}
