//! Headers that every answer has: what browsers may do with it, and whose pages may ask.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::REQUEST_ID;
use crate::app::App;

/// How long a browser need not ask again.
const PREFLIGHT_KEPT: Duration = Duration::from_secs(60 * 60);

/// Lets pages of these origins ask, with cookies; those of others see no answer.
pub fn cross_origin(origins: &[String]) -> CorsLayer {
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    let named = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::ACCEPT,
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            REQUEST_ID,
            named("idempotency-key"),
            named("graphql-require-preflight"),
            named("apollo-require-preflight"),
            named("x-requested-with"),
            named("x-dualcaster-explain"),
        ])
        .expose_headers([REQUEST_ID, header::RETRY_AFTER, named("idempotency-replayed")])
        .max_age(PREFLIGHT_KEPT)
}

/// Puts in what nothing has said otherwise.
pub async fn secure(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let over_tls = app.settings().server.public_url.starts_with("https://");
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if over_tls {
        let value = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(value);
    }
    response
}
