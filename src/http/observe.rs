//! A span, a figure and an id for every request.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::{REQUEST_ID, plain_refusal};
use crate::error::timeout_refusal;

/// Ids of callers longer than this are replaced.
const MAX_ID: usize = 64;

/// A request's id: the caller's own where it is a plain word, else a new UUID.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

impl RequestId {
    fn of(request: &Request) -> Self {
        let is_plain = |id: &&str| {
            (1..=MAX_ID).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(is_plain);
        Self(given.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned))
    }
}

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request that is being answered; nothing outside of one.
pub fn current_id() -> Option<String> {
    CURRENT.try_with(String::clone).ok()
}

/// Runs the rest of the request within its span.
pub async fn observe(mut request: Request, next: Next) -> Response {
    let id = RequestId::of(&request);
    request.extensions_mut().insert(id.clone());
    // Whoever reads the header further in finds the id that is in force.
    let header = HeaderValue::from_str(&id.0);
    if let Ok(header) = &header {
        request.headers_mut().insert(REQUEST_ID, header.clone());
    }
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!(
        "request",
        otel.kind = "server",
        http.request.method = %request.method(),
        http.route = route,
        request_id = id.0,
    );
    let current = id.0;
    let answered = async {
        let started = Instant::now();
        let mut response = next.run(request).await;
        // The layer of time says nothing: what has a body says so in its own form.
        let is_silent = !response.headers().contains_key(CONTENT_TYPE);
        if is_silent && response.status() == StatusCode::GATEWAY_TIMEOUT {
            response = plain_refusal(StatusCode::GATEWAY_TIMEOUT, &timeout_refusal());
        }
        if let Ok(header) = header {
            response.headers_mut().insert(REQUEST_ID, header);
        }
        let status = response.status().as_u16();
        let elapsed = started.elapsed();
        metrics::histogram!("dualcaster_http_request_duration_seconds", "route" => route, "status" => status.to_string())
            .record(elapsed);
        tracing::debug!(status, elapsed_ms = elapsed.as_secs_f64() * 1_000.0, "answered");
        response
    };
    CURRENT.scope(current, answered.instrument(span)).await
}
