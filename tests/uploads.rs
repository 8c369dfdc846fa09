//! Files that come with an operation, on the stage's schema: what the product does with its own has tests of its own.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Part, TestApp};
use crate::sockets::with_server;
use crate::stage::RECEIVED;

/// Held by those whose files the stage counts: it counts in one place for all.
static COUNTED: std::sync::Mutex<()> = std::sync::Mutex::new(());

const ONE: &str = "mutation ($file: Upload!) { upload(file: $file) { filename sizeBytes sha256 } }";

fn form(app: &TestApp, parts: &[Part<'_>]) -> RequestBuilder {
    crate::harness::form(app.client.post(format!("{}/graphql", app.base)), parts)
}

/// The answer's status and body.
async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer =
        request.header("accept", "application/graphql-response+json").send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

fn operation(query: &str, variables: &Value) -> Vec<u8> {
    json!({"query": query, "variables": variables}).to_string().into_bytes()
}

#[test]
fn files_arrive_whole_and_nothing_else_is_taken_for_one() {
    let _counting = COUNTED.lock();
    let before = RECEIVED.load(Ordering::Relaxed);
    with_server(
        |settings| settings.server.max_upload_bytes = 100_000,
        async |app| {
            let content: Vec<u8> = (0..100_000_u32).map(|n| (n * 7 % 251) as u8).collect();
            let one = operation(ONE, &json!({"file": null}));
            let good: [Part<'_>; 3] = [
                ("operations", None, &one),
                ("map", None, br#"{"0": ["variables.file"]}"#),
                ("0", Some("..\\x/cards.csv"), &content),
            ];
            let (status, body) = answer(form(app, &good)).await;
            let sha256: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
            let expected = json!({"filename": "cards.csv", "sizeBytes": 100_000, "sha256": sha256});
            assert_eq!((status, &body["data"]["upload"]), (200, &expected), "{body}");

            let several = operation(
                "mutation ($files: [Upload!]!) { uploadAll(files: $files) { filename } }",
                &json!({"files": [null, null, null]}),
            );
            let map =
                br#"{"a": ["variables.files.2"], "b": ["variables.files.0"], "c": ["variables.files.1"]}"#;
            let parts: [Part<'_>; 5] = [
                ("operations", None, &several),
                ("map", None, map),
                ("a", Some("third"), b"3"),
                ("b", Some("first"), b""),
                ("c", Some("second"), b"2"),
            ];
            let (_, body) = answer(form(app, &parts)).await;
            assert_eq!(
                body["data"]["uploadAll"],
                json!([{"filename": "first"}, {"filename": "second"}, {"filename": "third"}]),
                "{body}"
            );

            // What only looks like a file is refused, and reaches no resolver.
            for file in [json!(null), json!("#__graphql_file__:0"), json!([0]), json!(0), json!({"0": 0})] {
                let (status, body) = answer(
                    app.client
                        .post(format!("{}/graphql", app.base))
                        .json(&json!({"query": ONE, "variables": {"file": file}})),
                )
                .await;
                assert!(status == 400 && body.get("data").is_none(), "{file}: {body}");
            }
            let literal = json!({"query": "mutation { upload(file: \"#__graphql_file__:0\") { filename } }"});
            let (status, body) =
                answer(app.client.post(format!("{}/graphql", app.base)).json(&literal)).await;
            assert!(status == 400 && body.get("data").is_none(), "{body}");

            // Each of these differs from what is good in one place.
            let file = ("0", Some("a.csv"), b"x".as_slice());
            let in_a_name = operation(
                "mutation ($file: String!) { upload(file: $file) { filename } }",
                &json!({"file": null}),
            );
            let there = operation(ONE, &json!({"file": "text"}));
            let long = vec![b'x'; 100_001];
            let long_map = format!("{{\"0\": [\"variables.file{}\"]}}", " ".repeat(1_100));
            let four: Vec<Part<'_>> = vec![good[0], ("map", None, br#"{"0": ["variables.file"], "1": ["variables.b"], "2": ["variables.c"], "3": ["variables.d"]}"#), file];
            let refused: Vec<(&str, Vec<Part<'_>>, u16, &str)> = vec![
                ("no operations", vec![good[1], file], 400, "ERR-3002"),
                ("no map", vec![good[0], file], 400, "ERR-3002"),
                ("the map first", vec![good[1], good[0], file], 400, "ERR-3002"),
                ("a part that is missing", vec![good[0], good[1]], 400, "ERR-3002"),
                (
                    "a part that is not in the map",
                    vec![good[0], good[1], file, ("1", Some("b"), b"")],
                    400,
                    "ERR-3002",
                ),
                ("a part twice", vec![good[0], good[1], file, file], 400, "ERR-3002"),
                ("four files", four, 400, "ERR-3002"),
                (
                    "two paths",
                    vec![good[0], ("map", None, br#"{"0": ["variables.file", "variables.file"]}"#), file],
                    400,
                    "ERR-3002",
                ),
                (
                    "no variable",
                    vec![good[0], ("map", None, br#"{"0": ["variables.other"]}"#), file],
                    400,
                    "ERR-3002",
                ),
                ("no path", vec![good[0], ("map", None, br#"{"0": ["query"]}"#), file], 400, "ERR-3002"),
                ("what is there already", vec![("operations", None, &there), good[1], file], 400, "ERR-3002"),
                (
                    "a variable of another type",
                    vec![("operations", None, &in_a_name), good[1], file],
                    400,
                    "ERR-3002",
                ),
                ("a batch", vec![("operations", None, b"[]"), good[1], file], 400, "ERR-3002"),
                ("no JSON", vec![("operations", None, b"{"), good[1], file], 400, "ERR-3002"),
                ("a map of no JSON", vec![good[0], ("map", None, b"{"), file], 400, "ERR-3002"),
                (
                    "a map that is too long",
                    vec![good[0], ("map", None, long_map.as_bytes()), file],
                    400,
                    "ERR-3002",
                ),
                (
                    "a file that is too long",
                    vec![good[0], good[1], ("0", Some("a.csv"), &long)],
                    413,
                    "ERR-1002",
                ),
            ];
            for (what, parts, status, code) in refused {
                let (answered, body) = answer(form(app, &parts)).await;
                let told = &body["errors"][0]["extensions"]["errorCode"];
                assert_eq!(
                    (answered, told.as_str(), body.get("data")),
                    (status, Some(code), None),
                    "{what}: {body}"
                );
            }
            let simple = form(app, &good).header("graphql-require-preflight", "").build().expect("a request");
            let mut simple = simple;
            simple.headers_mut().remove("graphql-require-preflight");
            let answered = app.client.execute(simple).await.expect("an answer");
            assert_eq!(answered.status(), 400, "without a preflight");
            let many: Vec<Part<'_>> = [good[0], good[1]]
                .into_iter()
                .chain((0..50_000).map(|_| ("x", None, b"1".as_slice())))
                .collect();
            assert_eq!(answer(form(app, &many)).await.0, 400);
            assert_eq!(
                RECEIVED.load(Ordering::Relaxed) - before,
                4,
                "of what was refused, nothing was executed"
            );
        },
    );
}

/// A form with one file, of which the first part comes with this before it and with these headers.
fn one_file(preamble: &str, header: &str) -> Vec<u8> {
    let one = String::from_utf8(operation(ONE, &json!({"file": null}))).expect("text");
    let part = |name: &str, content: &str| {
        format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n{header}\r\n{content}\r\n")
    };
    let map = r#"{"0": ["variables.file"]}"#;
    [preamble, &part("operations", &one), &part("map", map), &part("0", "x"), "--edge--\r\n"]
        .concat()
        .into_bytes()
}

fn sent(app: &TestApp, body: impl Into<reqwest::Body>) -> RequestBuilder {
    let request = app.client.post(format!("{}/graphql", app.base)).body(body);
    request
        .header("content-type", "multipart/form-data; boundary=edge")
        .header("graphql-require-preflight", "1")
}

#[test]
fn a_part_begins_where_one_should_or_not_at_all() {
    let _counting = COUNTED.lock();
    with_server(
        |_| {},
        async |app| {
            let long = |bytes: usize| "x".repeat(bytes);
            for (what, body, status) in [
                ("a short preamble", one_file(&format!("{}\r\n", long(1_000)), ""), 200),
                ("short headers", one_file("", &format!("x-long: {}\r\n", long(1_000))), 200),
                ("a long preamble", one_file(&format!("{}\r\n", long(1_000_000)), ""), 400),
                ("long headers", one_file("", &format!("x-long: {}\r\n", long(1_000_000))), 400),
            ] {
                let (answered, body) = answer(sent(app, body)).await;
                assert_eq!((answered, body["data"].is_object()), (status, status == 200), "{what}: {body}");
            }
        },
    );
}

#[test]
fn a_file_may_take_longer_than_a_request_but_not_for_ever() {
    let _counting = COUNTED.lock();
    let change = |settings: &mut dualcaster::config::Settings| {
        assert_eq!(settings.server.upload_bytes_per_second, 64 << 10);
        settings.server.request_timeout = Duration::from_secs(1);
        settings.server.upload_bytes_per_second = 10_000;
    };
    with_server(change, async |app| {
        // As a slow line has it: a piece, and a while nothing.
        let slowly = |piece: usize, pieces: usize| {
            let form = one_file("", "");
            let file = form.len() - "x\r\n--edge--\r\n".len();
            let (head, end) = (form[..file].to_vec(), form[file..].to_vec());
            let middle = (0..pieces).map(move |_| vec![b'x'; piece]);
            let all = std::iter::once(head).chain(middle).chain(std::iter::once(end));
            reqwest::Body::wrap_stream(futures_util::stream::unfold(all, |mut left| async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                left.next().map(|piece| (Ok::<_, std::io::Error>(piece), left))
            }))
        };
        let asked = std::time::Instant::now();
        let (status, body) = answer(sent(app, slowly(10_000, 25))).await;
        assert_eq!((status, &body["data"]["upload"]["sizeBytes"]), (200, &json!(250_001)), "{body}");
        assert!(asked.elapsed() > Duration::from_secs(2), "longer than the deadline and its grace");
        let (status, body) = answer(sent(app, slowly(10, 200))).await;
        let code = &body["errors"][0]["extensions"]["errorCode"];
        assert_eq!((status, code), (504, &json!("ERR-5002")), "{body}");
    });
}
