//! A span, a figure and an id for every request.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::request_id::{MakeRequestId, RequestId};
use tracing::Instrument;

use super::{plain_refusal, timeout_refusal};

/// Request ids: a caller's own where it is a plain word, else a new UUID.
#[derive(Debug, Clone, Copy)]
pub struct RequestIds;

impl MakeRequestId for RequestIds {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        let id = uuid::Uuid::new_v4().to_string();
        HeaderValue::from_str(&id).ok().map(RequestId::new)
    }
}

/// Ids of callers longer than this are replaced.
const MAX_ID: usize = 64;

/// Runs the rest of the request within its span.
pub async fn observe(mut request: Request, next: Next) -> Response {
    let is_plain = |id: &HeaderValue| {
        let bytes = id.as_bytes();
        (1..=MAX_ID).contains(&bytes.len())
            && bytes
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
    };
    let given = request
        .extensions()
        .get::<RequestId>()
        .map(RequestId::header_value);
    if !given.is_some_and(is_plain)
        && let Some(id) = RequestIds.make_request_id(&request)
    {
        request
            .headers_mut()
            .insert(super::REQUEST_ID, id.header_value().clone());
        request.extensions_mut().insert(id);
    }
    let id = request
        .extensions()
        .get::<RequestId>()
        .and_then(|id| id.header_value().to_str().ok())
        .unwrap_or_default();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!(
        "request",
        otel.kind = "server",
        http.request.method = %request.method(),
        http.route = route,
        request_id = id,
    );
    async {
        let started = Instant::now();
        let mut response = next.run(request).await;
        if response.status() == StatusCode::GATEWAY_TIMEOUT {
            response = plain_refusal(StatusCode::GATEWAY_TIMEOUT, &timeout_refusal());
        }
        let status = response.status().as_u16();
        let elapsed = started.elapsed();
        metrics::histogram!("dualcaster_http_request_duration_seconds", "route" => route, "status" => status.to_string())
            .record(elapsed);
        tracing::debug!(status, elapsed_ms = elapsed.as_secs_f64() * 1_000.0, "answered");
        response
    }
    .instrument(span)
    .await
}
