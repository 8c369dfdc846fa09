//! Liveness, which asks nothing of others, and readiness, which does.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::app::App;

pub fn routes() -> Router<App> {
    Router::new().route("/live", get(live)).route("/ready", get(ready))
}

async fn live() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

async fn ready(State(app): State<App>) -> (StatusCode, Json<Value>) {
    let obstacles = app.obstacles().await;
    if obstacles.is_empty() {
        (StatusCode::OK, Json(json!({"status": "ready"})))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "not ready", "waitingFor": obstacles})))
    }
}
