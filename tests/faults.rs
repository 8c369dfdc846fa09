//! What nobody foresaw, and what can't be known just now, on the stage's schema: whatever a request came by, it is told.

use std::time::Duration;

use serde_json::json;

use crate::harness::{RESPONSE, post, refusal};
use crate::sockets::{Socket, with_server};

#[test]
fn a_panic_is_told_however_it_was_asked_for() {
    with_server(
        |_| {},
        async |app| {
            for query in ["{ panics }", "mutation { panics }"] {
                let asked = post(app).json(&json!({"query": query}));
                assert_eq!(refusal(asked).await, (500, "ERR-5000".to_owned()), "{query}");
            }
            let by_get = app.client.get(format!("{}/graphql?query=%7Bpanics%7D", app.base));
            assert_eq!(refusal(by_get).await, (500, "ERR-5000".to_owned()));
            for (query, first) in [
                ("{ panics }", None),
                ("mutation { panics }", None),
                ("subscription { panics }", Some(json!({"panics": false}))),
            ] {
                let events = app
                    .client
                    .post(format!("{}/graphql", app.base))
                    .header("accept", "text/event-stream")
                    .json(&json!({"query": query}));
                let events = events.send().await.expect("an answer").text().await.expect("all of it");
                assert!(
                    events.contains("ERR-5000") && events.contains("event: complete"),
                    "{query}: {events}"
                );
                assert_eq!(
                    events.matches("event: next").count(),
                    1 + usize::from(first.is_some()),
                    "{events}"
                );

                let mut socket = Socket::greeted(app).await;
                socket.subscribe("1", query).await;
                if let Some(first) = first {
                    assert_eq!(socket.hear().await["payload"]["data"], first);
                }
                let told = socket.hear().await;
                let code = &told["payload"]["errors"][0]["extensions"]["errorCode"];
                assert_eq!((&told["type"], code), (&json!("next"), &json!("ERR-5000")), "{query}: {told}");
                assert_eq!(socket.hear().await, json!({"type": "complete", "id": "1"}), "{query}");
                socket.subscribe("1", "{ hello }").await;
                assert_eq!(socket.hear().await["payload"]["data"], json!({"hello": "world"}), "{query}");
            }
            let metrics = app.client.get(format!("{}/metrics", app.base)).send().await.expect("an answer");
            assert!(
                metrics.text().await.expect("text").contains("dualcaster_panics_total "),
                "it is counted"
            );
        },
    );
}

#[test]
fn a_socket_whose_caller_can_t_be_known_just_now_may_come_back() {
    with_server(
        |_| {},
        async |app| {
            let greeted_as = async |token: &str| {
                let mut socket = Socket::open(app).await;
                let payload = json!({"authorization": format!("Bearer {token}")});
                socket.say(json!({"type": "connection_init", "payload": payload})).await;
                socket.hear().await
            };
            assert_eq!(greeted_as("away").await, json!(1013));
            assert_eq!(greeted_as("wrong").await, json!(4401));
            // What does not hold counts together, whatever it came by.
            for _ in 0..298 {
                let asked = post(app).bearer_auth("wrong").json(&json!({"query": "{ hello }"}));
                assert_eq!(refusal(asked).await.0, 401);
            }
            let limited = async {
                while greeted_as("wrong").await != json!(1013) {
                    let asked = post(app).bearer_auth("wrong").json(&json!({"query": "{ hello }"}));
                    asked.send().await.expect("an answer");
                }
            };
            tokio::time::timeout(Duration::from_secs(60), limited).await.expect("an end");
            assert_eq!(greeted_as("somebody").await, json!({"type": "connection_ack"}));
        },
    );
}

#[test]
fn to_know_who_asks_takes_no_longer_than_the_request_may() {
    with_server(
        |settings| settings.server.request_timeout = Duration::from_millis(100),
        async |app| {
            let by_get =
                app.client.get(format!("{}/graphql?query=%7Bhello%7D", app.base)).header("accept", RESPONSE);
            for asked in [by_get, post(app).json(&json!({"query": "{ hello }"}))] {
                assert_eq!(refusal(asked.bearer_auth("stuck")).await, (504, "ERR-5002".to_owned()));
            }
        },
    );
}
