//! One request to `/graphql` at a time, for tests of what surrounds an operation.

use reqwest::header::ACCEPT;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use super::TestApp;

/// The form of answers whose status says what became of them.
pub const RESPONSE: &str = "application/graphql-response+json";

pub fn post(app: &TestApp) -> RequestBuilder {
    app.client.post(format!("{}/graphql", app.base)).header(ACCEPT, RESPONSE)
}

pub async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

/// The status and the first error's code of an answer that has no data.
pub async fn refusal(request: RequestBuilder) -> (u16, String) {
    let answer = send(request).await;
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("text");
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"));
    assert!(body.get("data").is_none(), "{body}");
    let error = &body["errors"][0];
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    assert!(
        error["extensions"]["requestId"].is_string() && error["extensions"]["code"].is_string(),
        "{body}"
    );
    (status, error["extensions"]["errorCode"].as_str().expect("a code").to_owned())
}

/// A part of a form: its name, its file name if it has one, and its content.
pub type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

/// A request with a form of several parts.
pub fn form(request: RequestBuilder, parts: &[Part<'_>]) -> RequestBuilder {
    let mut body = Vec::new();
    for (name, filename, content) in parts {
        let filename = filename.map(|filename| format!("; filename=\"{filename}\"")).unwrap_or_default();
        let head = format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"{filename}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    request
        .header("content-type", "multipart/form-data; boundary=edge")
        .header("graphql-require-preflight", "1")
        .body(body)
}

/// What is sent to ask this.
pub fn query(text: &str) -> Value {
    json!({"query": text})
}
