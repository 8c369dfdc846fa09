//! Operations over WebSocket and as server-sent events, on a schema of the tests' own: what the product streams has
//! tests of its own.

use std::sync::atomic::Ordering;
use std::time::Duration;

use dualcaster::engine::Engine;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::harness::{Content, Store, TestApp, TestDatabase, runtime};
use crate::stage::{CHANGED, FLOOD_ENDED, Named, TORRENT_ENDED, schema};

/// Runs a test against a server with this schema; `change` changes its settings.
pub(crate) fn with_server(
    change: impl FnOnce(&mut dualcaster::config::Settings),
    test: impl AsyncFnOnce(&TestApp),
) {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Tables).await;
        let mut settings = database.settings();
        change(&mut settings);
        let engine = Engine::new(schema, &settings.guard);
        let app = TestApp::start_around(&database, settings, engine, Named).await;
        test(&app).await;
        app.stop().await;
        database.remove().await;
    });
}

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn open(app: &TestApp) -> Self {
        Self::open_from(app, None).await.expect("a socket")
    }

    async fn open_from(app: &TestApp, origin: Option<&str>) -> tokio_tungstenite::tungstenite::Result<Self> {
        let mut request = format!("{}/graphql", app.base.replace("http", "ws")).into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", "graphql-transport-ws".parse().expect("a header"));
        if let Some(origin) = origin {
            headers.insert("origin", origin.parse().expect("a header"));
        }
        let (socket, answer) = connect_async(request).await?;
        assert_eq!(answer.headers()["sec-websocket-protocol"], "graphql-transport-ws");
        Ok(Self(socket))
    }

    pub(crate) async fn greeted(app: &TestApp) -> Self {
        let mut socket = Self::open(app).await;
        socket.say(json!({"type": "connection_init"})).await;
        assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
        socket
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.expect("sent");
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({"type": "subscribe", "id": id, "payload": {"query": query}})).await;
    }

    /// The next message, without what it says of the cost; or the number with which the server ended the connection.
    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            let message =
                tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.expect("in time");
            match message {
                Some(Ok(Message::Text(text))) => {
                    let mut message: Value = serde_json::from_str(&text).expect("JSON");
                    if let Some(payload) = message.get_mut("payload").and_then(Value::as_object_mut) {
                        payload.remove("extensions");
                    }
                    return message;
                }
                Some(Ok(Message::Close(frame))) => return json!(frame.map(|frame| u16::from(frame.code))),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Value::Null,
            }
        }
    }
}

#[test]
fn a_socket_answers_queries_and_subscriptions() {
    with_server(
        |_| {},
        async |app| {
            let mut socket = Socket::greeted(app).await;
            socket.say(json!({"type": "ping"})).await;
            assert_eq!(socket.hear().await, json!({"type": "pong"}));
            socket.subscribe("1", "{ hello }").await;
            assert_eq!(
                socket.hear().await,
                json!({"type": "next", "id": "1", "payload": {"data": {"hello": "world"}}})
            );
            assert_eq!(socket.hear().await, json!({"type": "complete", "id": "1"}));
            // An id is free again when its operation has ended.
            socket.subscribe("1", "subscription { count(to: 2) }").await;
            for number in 1..=2 {
                assert_eq!(
                    socket.hear().await,
                    json!({"type": "next", "id": "1", "payload": {"data": {"count": number}}})
                );
            }
            assert_eq!(socket.hear().await, json!({"type": "complete", "id": "1"}));
            // One that is ended by its client says no more.
            socket.subscribe("2", "subscription { forever }").await;
            assert_eq!(socket.hear().await["payload"]["data"], json!({"forever": 0}));
            socket.say(json!({"type": "complete", "id": "2"})).await;
            socket.subscribe("3", "subscription { fails }").await;
            let failed = socket.hear().await;
            assert_eq!(
                (&failed["id"], &failed["payload"]["errors"][0]["message"]),
                (&json!("3"), &json!("not today"))
            );
            assert_eq!(socket.hear().await, json!({"type": "complete", "id": "3"}));
            socket.subscribe("4", "{ nothing }").await;
            let refused = socket.hear().await;
            assert_eq!(
                (&refused["type"], &refused["payload"][0]["extensions"]["errorCode"]),
                (&json!("error"), &json!("ERR-3002"))
            );
        },
    );
}

#[test]
fn the_protocol_is_kept_to() {
    with_server(
        |_| {},
        async |app| {
            for (greet, message, code) in [
                (false, json!({"type": "subscribe", "id": "1", "payload": {"query": "{ hello }"}}), 4401),
                (true, json!({"type": "connection_init"}), 4429),
                (true, json!({"type": "dance"}), 4400),
                (true, json!({"type": "subscribe", "payload": {"query": "{ hello }"}}), 4400),
                (true, json!({"type": "subscribe", "id": "1", "payload": {"query": 7}}), 4400),
                (true, json!([]), 4400),
            ] {
                let mut socket = if greet { Socket::greeted(app).await } else { Socket::open(app).await };
                socket.say(message.clone()).await;
                assert_eq!(socket.hear().await, json!(code), "{message}");
            }
            let mut socket = Socket::greeted(app).await;
            socket.subscribe("1", "subscription { forever }").await;
            assert_eq!(socket.hear().await["payload"]["data"], json!({"forever": 0}));
            socket.subscribe("1", "subscription { forever }").await;
            assert_eq!(socket.hear().await, json!(4409));
            let mut socket = Socket::greeted(app).await;
            socket.0.send(Message::binary(vec![1])).await.expect("sent");
            assert_eq!(socket.hear().await, json!(4400));
            let mut socket = Socket::greeted(app).await;
            // The server may end the connection before all of it is sent.
            let _ = socket.0.send(Message::text("x".repeat(2_000_000))).await;
            assert_eq!(socket.hear().await, Value::Null);
            assert!(Socket::open_from(app, Some("https://elsewhere.example")).await.is_err());
            assert!(Socket::open_from(app, Some(&app.base)).await.is_ok());
        },
    );
}

#[test]
fn who_does_not_read_is_let_go() {
    with_server(
        |settings| settings.socket.read_timeout = Duration::from_millis(50),
        async |app| {
            let mut socket = Socket::greeted(app).await;
            socket.subscribe("1", "subscription { flood }").await;
            // Nobody reads.
            tokio::time::timeout(Duration::from_secs(20), FLOOD_ENDED.notified())
                .await
                .expect("it is let go");
        },
    );
}

/// What a server says to a connection that sends this and no more, until it ends the connection.
async fn until_closed(app: &TestApp, sent: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut connection =
        TcpStream::connect(app.base.trim_start_matches("http://")).await.expect("a connection");
    // It may be closed before all of it is sent.
    let _ = connection.write_all(sent.as_bytes()).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), connection.read_to_end(&mut answer)).await;
    // A reset is an end too.
    let _ = read.expect("it is closed");
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn half_a_request_does_not_stay() {
    let change = |settings: &mut dualcaster::config::Settings| {
        settings.socket.header_timeout = Duration::from_millis(100);
        settings.server.request_timeout = Duration::from_millis(100);
    };
    with_server(change, async |app| {
        assert_eq!(until_closed(app, "").await, "");
        let headers = until_closed(app, "POST /graphql HTTP/1.1\r\nhost: x\r\nx-").await;
        assert!(headers.is_empty() || headers.starts_with("HTTP/1.1 408"), "{headers}");
        let body = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
        let answer = until_closed(app, body).await;
        assert!(
            answer.contains("ERR-5002")
                && answer.contains("\"errors\":[")
                && answer.contains("\"requestId\""),
            "{answer}"
        );
    });
}

#[test]
fn a_socket_ends_with_its_callers_token() {
    with_server(
        |_| {},
        async |app| {
            let greeted_as = async |payload: Value| {
                let mut socket = Socket::open(app).await;
                socket.say(json!({"type": "connection_init", "payload": payload})).await;
                let answer = socket.hear().await;
                (socket, answer)
            };
            let (_, answer) = greeted_as(json!({"authorization": "Bearer wrong"})).await;
            assert_eq!(answer, json!(4401));
            let (mut socket, answer) = greeted_as(json!({"Authorization": "Bearer somebody"})).await;
            assert_eq!(answer, json!({"type": "connection_ack"}));
            socket.subscribe("1", "{ whoAmI }").await;
            assert_eq!(socket.hear().await["payload"]["data"], json!({"whoAmI": "somebody"}));
            let (mut socket, _) = greeted_as(json!({"authorization": "Bearer brief"})).await;
            socket.subscribe("1", "subscription { forever }").await;
            assert_eq!(socket.hear().await["payload"]["data"], json!({"forever": 0}));
            assert_eq!(socket.hear().await, json!(4401));

            let ask = |token: &str| {
                let request = app
                    .client
                    .post(format!("{}/graphql", app.base))
                    .header("authorization", format!("Bearer {token}"));
                request.json(&json!({"query": "{ whoAmI }"})).send()
            };
            let wrong = ask("wrong").await.expect("an answer");
            assert_eq!(
                (wrong.status().as_u16(), &wrong.headers()["www-authenticate"]),
                (401, &"Bearer".parse().expect("a header"))
            );
            let body: Value = wrong.json().await.expect("JSON");
            assert_eq!(
                (body["errors"][0]["extensions"]["errorCode"].as_str(), body.get("data")),
                (Some("ERR-2003"), None)
            );
            let right: Value = ask("somebody").await.expect("an answer").json().await.expect("JSON");
            assert_eq!(right["data"], json!({"whoAmI": "somebody"}));
        },
    );
}

#[test]
fn a_reader_that_takes_nothing_does_not_stay() {
    use tokio::io::AsyncWriteExt;
    with_server(
        |settings| settings.socket.read_timeout = Duration::from_millis(50),
        async |app| {
            let address = app.base.trim_start_matches("http://");
            let mut connection = TcpStream::connect(address).await.expect("a connection");
            let ask = "GET /graphql?query=subscription%7Btorrent%7D HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n";
            connection.write_all(ask.as_bytes()).await.expect("sent");
            tokio::time::timeout(Duration::from_secs(20), TORRENT_ENDED.notified())
                .await
                .expect("it is let go");
            drop(connection);
        },
    );
}

#[test]
fn connections_over_the_limit_are_told_to_come_back() {
    with_server(
        |settings| settings.socket.connections = 1,
        async |app| {
            let first = Socket::greeted(app).await;
            let told = until_closed(app, "GET /live HTTP/1.1\r\nhost: x\r\n\r\n").await;
            let (head, body) = told.split_once("\r\n\r\n").expect("a head and a body");
            assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("retry-after: 1\r\n"), "{head}");
            assert!(head.contains("connection: close"), "{head}");
            assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{told}");
            let body: Value = serde_json::from_str(body).expect("JSON");
            assert_eq!(body["errors"][0]["extensions"]["errorCode"], json!("ERR-5003"));
            drop(first);
            let served = async {
                loop {
                    let answer =
                        app.client.get(format!("{}/metrics", app.base)).send().await.expect("an answer");
                    if answer.status() == 200 {
                        break answer.text().await.expect("text");
                    }
                    tokio::task::yield_now().await;
                }
            };
            let metrics =
                tokio::time::timeout(Duration::from_secs(20), served).await.expect("a place is free again");
            assert!(metrics.contains("dualcaster_connections_refused_total "), "it is counted");
        },
    );
}

#[test]
fn headers_have_an_end() {
    with_server(
        |_| {},
        async |app| {
            let asked = |bytes: usize| {
                let long = "x".repeat(bytes);
                format!("GET /live HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-long: {long}\r\n\r\n")
            };
            let short = until_closed(app, &asked(50_000)).await;
            assert!(short.starts_with("HTTP/1.1 200 "), "{short}");
            let long = until_closed(app, &asked(200_000)).await;
            assert!(long.is_empty() || long.starts_with("HTTP/1.1 431 "), "{long}");
        },
    );
}

#[test]
fn who_answers_pings_stays_and_who_does_not_is_let_go() {
    let change = |settings: &mut dualcaster::config::Settings| {
        assert_eq!(settings.socket.ping_every, Duration::from_secs(20));
        // Nobody waits that long for a test.
        settings.socket.ping_every = Duration::from_millis(500);
    };
    with_server(change, async |app| {
        let answers = async {
            let mut socket = Socket::greeted(app).await;
            let mut pings = 0;
            while pings < 3 {
                let message = tokio::time::timeout(Duration::from_secs(20), socket.0.next()).await;
                match message.expect("in time") {
                    // To read on is to answer it.
                    Some(Ok(Message::Ping(_))) => pings += 1,
                    other => panic!("{other:?}"),
                }
            }
            socket.subscribe("1", "{ hello }").await;
            assert_eq!(socket.hear().await["payload"]["data"], json!({"hello": "world"}));
        };
        let silent = async {
            let upgrade = "GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                           sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                           sec-websocket-protocol: graphql-transport-ws\r\n\r\n";
            let told = until_closed(app, upgrade).await;
            // 4408, whose second byte is an 8, and why: not that there was no greeting, which has more time.
            assert!(told.starts_with("HTTP/1.1 101 "), "{told}");
            assert!(told.ends_with("8The answers are not read fast enough"), "{told}");
        };
        tokio::join!(answers, silent);
    });
}

#[test]
fn a_stopping_server_says_good_bye() {
    with_server(
        |_| {},
        async |app| {
            let mut socket = Socket::greeted(app).await;
            app.app.drain();
            assert_eq!(socket.hear().await, json!(1001));
        },
    );
}

#[test]
fn answers_come_as_events_where_these_are_asked_for() {
    with_server(
        |_| {},
        async |app| {
            let events = async |query: &str| {
                let request =
                    app.client.post(format!("{}/graphql", app.base)).header("accept", "text/event-stream");
                let answer = request.json(&json!({"query": query})).send().await.expect("an answer");
                assert_eq!(
                    (answer.status().as_u16(), answer.headers()["content-type"].to_str().expect("text")),
                    (200, "text/event-stream")
                );
                let text = answer.text().await.expect("text");
                text.split("\n\n")
                    .filter(|event| !event.is_empty())
                    .map(|event| {
                        let (name, data) = event.split_once('\n').unwrap_or((event, "data:"));
                        let mut data: Value =
                            serde_json::from_str(data.trim_start_matches("data:").trim()).unwrap_or_default();
                        if let Some(data) = data.as_object_mut() {
                            data.remove("extensions");
                        }
                        (name.trim_start_matches("event:").trim().to_owned(), data)
                    })
                    .collect::<Vec<_>>()
            };
            let next = |data: Value| ("next".to_owned(), json!({"data": data}));
            let complete = || ("complete".to_owned(), Value::Null);
            assert_eq!(events("{ hello }").await, [next(json!({"hello": "world"})), complete()]);
            assert_eq!(
                events("subscription { count(to: 2) }").await,
                [next(json!({"count": 1})), next(json!({"count": 2})), complete()]
            );
            let refused = events("{ nothing }").await;
            assert_eq!(refused[0].1["errors"][0]["extensions"]["errorCode"], json!("ERR-3002"));
            // By GET too.
            let by_get = app
                .client
                .get(format!("{}/graphql?query=%7Bhello%7D", app.base))
                .header("accept", "text/event-stream");
            assert!(
                by_get
                    .send()
                    .await
                    .expect("an answer")
                    .text()
                    .await
                    .expect("text")
                    .contains("event: complete")
            );
            // No mutation by GET, in whatever form it is answered.
            let mutation = app
                .client
                .get(format!("{}/graphql?query=mutation%7Bchange%7D", app.base))
                .header("accept", "text/event-stream");
            let answer = mutation.send().await.expect("an answer").text().await.expect("text");
            assert!(
                answer.contains("no mutation is executed") && !CHANGED.load(Ordering::Relaxed),
                "{answer}"
            );
            assert_eq!(events("mutation { change }").await, [next(json!({"change": true})), complete()]);
            assert!(CHANGED.load(Ordering::Relaxed));
            // Where several answers do not fit, a subscription is refused in words.
            let plain = app.answer("subscription { forever }", json!(null)).await;
            assert_eq!(plain["errors"][0]["extensions"]["errorCode"], json!("ERR-3002"));
            // A stream without an end ends with the server.
            let request =
                app.client.post(format!("{}/graphql", app.base)).header("accept", "text/event-stream");
            let answer =
                request.json(&json!({"query": "subscription { forever }"})).send().await.expect("an answer");
            app.app.drain();
            assert!(answer.text().await.expect("text").contains("forever"));
        },
    );
}
