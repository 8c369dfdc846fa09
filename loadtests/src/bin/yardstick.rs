//! Serves the hand-written answers: `/q1?id=`, `/q2?user=`, `/q3?term=` and `/q4?ids=,&marketplace=`.
//!
//! It takes whoever asks at their word: `/q2` answers for the user that it is told, without a token.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt;
use axum::{Router, serve};
use clap::Parser;
use loadtests::database::{local_addresses, local_database};
use loadtests::queries::Yardstick;
use loadtests::{Result, in_words};
use serde::Deserialize;
use tokio::net::TcpListener;
use uuid::Uuid;

/// The server's allocator, so that the comparison is about the rest.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The answers to four queries, as fast as one can write them by hand.
#[derive(Debug, Parser)]
struct Options {
    /// A Postgres database on this machine, with the server's tables.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// An address of this machine.
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// Connections to the database.
    #[arg(long, default_value_t = 16)]
    pool: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(std::io::stderr(), "error: {}", in_words(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<()> {
    local_addresses(options.listen, &options.listen.to_string())?;
    let yardstick = Yardstick::new(local_database(&options.database_url)?, options.pool)?;
    let routes = Router::new()
        .route("/q1", get(point))
        .route("/q2", get(inventory))
        .route("/q3", get(search))
        .route("/q4", get(history))
        .with_state(yardstick);
    let listener = TcpListener::bind(options.listen).await?;
    writeln!(std::io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    let listener = listener.tap_io(|stream| {
        // Without it an answer may wait for an acknowledgement; on a socket that is closed already it is no matter.
        let _ = stream.set_nodelay(true);
    });
    serve(listener, routes).await?;
    Ok(())
}

#[derive(Debug, Deserialize)]
struct Point {
    id: Uuid,
}

#[derive(Debug, Deserialize)]
struct Inventory {
    user: Uuid,
}

#[derive(Debug, Deserialize)]
struct Search {
    term: String,
}

#[derive(Debug, Deserialize)]
struct History {
    /// UUIDs with commas between them.
    ids: String,
    marketplace: String,
}

async fn point(State(yardstick): State<Yardstick>, Query(point): Query<Point>) -> Response {
    answer(yardstick.point(point.id).await)
}

async fn inventory(State(yardstick): State<Yardstick>, Query(inventory): Query<Inventory>) -> Response {
    answer(yardstick.inventory(inventory.user).await)
}

async fn search(State(yardstick): State<Yardstick>, Query(search): Query<Search>) -> Response {
    answer(yardstick.search(&search.term).await)
}

async fn history(State(yardstick): State<Yardstick>, Query(history): Query<History>) -> Response {
    let ids: std::result::Result<Vec<Uuid>, _> = history.ids.split(',').map(Uuid::parse_str).collect();
    match ids {
        Ok(ids) => answer(yardstick.history(&ids, &history.marketplace).await),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

fn answer(json: Result<Vec<u8>>) -> Response {
    match json {
        Ok(json) => ([(CONTENT_TYPE, "application/json")], json).into_response(),
        // It listens on this machine only: its user is its operator, and may read why.
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, in_words(&error)).into_response(),
    }
}
