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

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, StatusCode};
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
    let mut routes = Router::new()
        .merge(graphql::routes())
        .merge(graphiql::routes())
        .merge(files::routes())
        .merge(charts::routes())
        .merge(health::routes());
    if app.is_development() {
        routes = routes
            .route("/", get(async || Redirect::temporary("/graphiql")))
            .route("/schema.graphql", get(async || crate::graphql::sdl()));
    }
    if settings.admin_listen.is_none() {
        routes = routes.merge(metrics_routes());
    }
    let layers = ServiceBuilder::new()
        .layer(axum::middleware::from_fn(observe::observe))
        .layer(headers::cross_origin(&settings.cors_origins))
        .layer(axum::middleware::from_fn_with_state(app.clone(), headers::secure))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, settings.request_timeout + GRACE));
    routes
        .fallback(async || (StatusCode::NOT_FOUND, "There is nothing here. The API is at /graphql.\n"))
        .layer(layers)
        .with_state(app.clone())
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
    let body = serde_json::json!({
        "code": refusal.code.category(),
        "errorCode": refusal.code.number(),
        "message": refusal.message,
    });
    (status, axum::Json(body)).into_response()
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    metrics::counter!("dualcaster_panics_total").increment(1);
    let what = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(panic = what, "a request panicked");
    plain_refusal(StatusCode::INTERNAL_SERVER_ERROR, &crate::error::internal_refusal())
}
