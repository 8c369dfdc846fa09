//! The routes, and what surrounds every one of them.

mod charts;
mod files;
mod graphiql;
mod graphql;
mod headers;
mod health;
mod observe;
mod serve;
mod visit;

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

pub use serve::{Listeners, serve};

use crate::app::App;
use crate::error::Refusal;

/// The header that carries a request's id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What `/graphql` has, beyond a request's time, to say in GraphQL's own form that the time is over.
const GRACE: Duration = Duration::from_secs(1);

/// The routes for everyone; `/metrics` too where it has no address of its own.
pub fn router(app: &App) -> Router {
    let settings = &app.settings().server;
    let mut plain = Router::new()
        .route("/schema.graphql", get(graphql::schema_text))
        .merge(graphiql::routes())
        .merge(files::routes())
        .merge(charts::routes())
        .merge(health::routes());
    if app.is_development() {
        plain = plain.route("/", get(async || Redirect::temporary("/graphiql")));
    }
    if settings.admin_listen.is_none() {
        plain = plain.merge(metrics_routes());
    }
    // `/graphql` has deadlines of its own: an upload's is longer.
    let deadline = settings.request_timeout + GRACE;
    let plain = plain.route_layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, deadline));
    let layers = ServiceBuilder::new()
        .layer(axum::middleware::from_fn(observe::observe))
        .layer(headers::cross_origin(&settings.cors_origins))
        .layer(axum::middleware::from_fn_with_state(app.clone(), headers::secure))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(panicked));
    plain.merge(graphql::routes(app)).fallback(async || nothing_here()).layer(layers).with_state(app.clone())
}

/// The answer where there is nothing, or nothing for this caller.
fn nothing_here() -> Response {
    (StatusCode::NOT_FOUND, "There is nothing here. The API is at /graphql.\n").into_response()
}

/// The routes of the admin address.
pub fn admin_router(app: &App) -> Router {
    metrics_routes().merge(health::routes()).with_state(app.clone())
}

fn metrics_routes() -> Router<App> {
    Router::new()
        .route("/metrics", get(async |axum::extract::State(app): axum::extract::State<App>| app.metrics()))
}

/// A failure on a route that is not GraphQL, as JSON.
pub fn plain_refusal(status: StatusCode, refusal: &Refusal) -> Response {
    let mut body = serde_json::json!({
        "code": refusal.code.category(),
        "errorCode": refusal.code.number(),
        "message": refusal.message,
    });
    if let Some(id) = observe::current_id() {
        body["requestId"] = id.into();
    }
    if let Some(seconds) = refusal.retry_after {
        body["retryAfter"] = seconds.into();
    }
    let mut response = (status, axum::Json(body)).into_response();
    if let Some(seconds) = refusal.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    note_panic(&*panic);
    plain_refusal(StatusCode::INTERNAL_SERVER_ERROR, &crate::error::internal_refusal())
}

/// Counts a panic that was caught, and logs it.
fn note_panic(panic: &(dyn Any + Send)) {
    metrics::counter!("dualcaster_panics_total").increment(1);
    let what = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = what, "a request panicked");
}
