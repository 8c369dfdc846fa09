//! How much one request may bring.

use reqwest::Body;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::{passes, refused};
use crate::harness::{on_both_stores, post, query, refusal, send};
use crate::jobs::upload;
use crate::security::sign_up;

const MIB: usize = 1 << 20;

/// So many bytes of JSON: at its end there may be as much space as one likes.
fn body(bytes: usize) -> String {
    let asked = query("{ marketplaces { slug } }").to_string();
    let space = " ".repeat(bytes - asked.len());
    asked + &space
}

/// The same, which does not say beforehand how long it is.
fn streamed(bytes: usize) -> Body {
    let pieces: Vec<_> =
        body(bytes).into_bytes().chunks(9_999).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    Body::wrap_stream(futures_util::stream::iter(pieces))
}

/// Lists in one another, so many.
fn lists(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

/// Objects in one another, so many.
fn objects(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!({"x": inner}))
}

on_both_stores! { Tables:
    async fn json_body_of_1_mib_passes_and_a_byte_more_is_refused(app: TestApp) {
        let ask = |body: Body| post(&app).header(CONTENT_TYPE, "application/json").body(body);
        for passing in [Body::from(body(MIB)), streamed(MIB)] {
            assert_eq!(send(ask(passing)).await.status(), 200);
        }
        let before = app.statements();
        for long in [Body::from(body(MIB + 1)), streamed(MIB + 1)] {
            assert_eq!(refusal(ask(long)).await, (413, "ERR-4006".to_owned()));
        }
        assert_eq!(app.statements(), before, "nothing is executed");
    }

    async fn variables_depth_32_passes_and_33_is_refused(app: TestApp) {
        // What is not declared is left out, but looked at all the same.
        let of = |value: Value| json!({"query": "{ marketplaces { slug } }", "variables": {"x": value}});
        for passing in [lists(32), objects(32)] {
            passes(&app, &of(passing)).await;
        }
        for deep in [lists(33), objects(33)] {
            refused(&app, &of(deep), "ERR-3002").await;
        }
    }

    async fn upload_of_50_mib_passes_and_a_byte_more_is_refused(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let mut content = vec![b'x'; 50 * MIB];
        // Names are looked at after sizes: what is refused for its name has passed.
        let answer = upload(&app, &ada, "cards.exe", &content, json!({})).await;
        assert_eq!((answer.status, answer.code()), (200, Some("ERR-1001")), "{:#}", answer.body);
        content.push(b'x');
        let answer = upload(&app, &ada, "cards.exe", &content, json!({})).await;
        let told = (answer.status, answer.code(), answer.body.get("data"));
        assert_eq!(told, (413, Some("ERR-1002"), None), "{:#}", answer.body);
    }
}
