//! `dualcaster serve`: the server, from an empty folder to the first answer.

use std::time::Duration;

use chrono::TimeDelta;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::migrate::connect_migrated;
use super::output::say;
use super::progress::{Course, Shown};
use super::{Failure, Outcome};
use crate::app::{App, now};
use crate::config::Settings;
use crate::domain::market::derive_prices;
use crate::domain::store::load_contents;
use crate::generate::{GeneratedMarket, MarketPlan};
use crate::http::{Listeners, serve as serve_http};
use crate::ingest::ingest_generated;
use crate::outside::Outside;
use crate::telemetry::install_metrics;

/// The demo market: what an empty embedded database gets.
const DEMO_SETS: u32 = 20;
const DEMO_CARDS: u32 = 2_000;
const DEMO_DAYS: u32 = 90;
const DEMO_MARKETPLACES: u8 = 3;

/// The time that jobs under way have to be handed back; after it their leases run out.
const HAND_BACK: Duration = Duration::from_secs(5);

/// Files that the server has open beside its connections: databases, listeners, uploads on their way.
const OTHER_FILES: u64 = 256;

/// Takes as many open files as the system gives. Each connection is one: with too few, newcomers would wait for as long as
/// others stay, where the limit of connections tells them to come back.
fn raise_file_limit(connections: usize) {
    let wanted = connections as u64 + OTHER_FILES;
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(given) if given < wanted => {
            tracing::warn!(
                given,
                wanted,
                "the system gives fewer open files than connections may need: raise `ulimit -n`"
            );
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files can't be read"),
    }
}

pub async fn serve(settings: Settings) -> Outcome {
    raise_file_limit(settings.socket.connections);
    let metrics = install_metrics().map_err(Failure::new)?;
    let bulk = connect_migrated(&settings).await?;
    let store_failed =
        |error: crate::error::Error| Failure::new(format!("the store can't be read: {}", error.log_text()));
    let mut contents = load_contents(bulk.write()).await.map_err(store_failed)?;
    // A first start that was killed leaves a demo market without prices of today: it is made again.
    let unfinished = contents.demo && contents.newest_at.is_none();
    if (contents.cards == 0 || unfinished) && settings.database.embedded && settings.market.demo {
        say(if unfinished {
            "The demo data is not whole: making it anew."
        } else {
            "The store is empty: making demo data."
        });
        let progress = Shown::new("demo data", Course::Market, false);
        let market = GeneratedMarket::new(MarketPlan {
            sets: DEMO_SETS,
            cards: DEMO_CARDS,
            days: DEMO_DAYS,
            marketplaces: DEMO_MARKETPLACES,
            seed: 1,
            last_day: (now() - TimeDelta::days(1)).date_naive(),
        });
        let outcome = ingest_generated(bulk.write(), market, &progress).await;
        progress.finish();
        outcome.map_err(|error| Failure::new(format!("the demo data could not be made: {error}")))?;
        contents = load_contents(bulk.write()).await.map_err(store_failed)?;
    }
    if settings.database.embedded {
        // What an ingest that was killed left undone; nothing where none was.
        derive_prices(bulk.write(), |_, _| {}).await.map_err(store_failed)?;
    }
    bulk.close().await;

    let app = App::build(settings, Outside::system(), metrics).await.map_err(|error| {
        Failure::new(error.to_string()).hint("`dualcaster config` shows the settings that are in force.")
    })?;
    let listeners = Listeners::bind(&app)
        .await
        .map_err(|error| Failure::new(error.to_string()).hint("Set DUALCASTER_LISTEN to another address."))?;
    let address = listeners.address().map_err(|error| Failure::new(error.to_string()))?;
    let base = if app.settings().server.listen.port() == 0 {
        format!("http://{address}")
    } else {
        app.settings().server.public_url.clone()
    };
    // Who reads that it is ready may end it.
    let told_to_stop = stop_signal();
    if app.is_development() {
        say(&format!("Dualcaster {} is ready: {} cards.", env!("CARGO_PKG_VERSION"), contents.cards));
        if contents.demo {
            say("The cards are demo data. The real ones: dualcaster ingest mtgjson AllPrintings.json.gz,");
            say("then dualcaster ingest prices AllPrices.json.gz (both from mtgjson.com).");
        }
        say(&format!("GraphiQL: {base}/graphiql"));
    } else {
        tracing::info!(%address, cards = contents.cards, "ready");
    }
    let kept = app.clone();
    let kept = tokio::spawn(async move { kept.keep().await });
    let working = app.clone();
    let mut working = tokio::spawn(async move { working.keep_working().await });
    serve_http(app.clone(), listeners, told_to_stop).await;
    kept.abort();
    // What is under way is handed back, so that another server takes it up at once.
    if tokio::time::timeout(HAND_BACK, &mut working).await.is_err() {
        working.abort();
    }
    // A statement that still runs is not waited for: what it does is undone.
    if tokio::time::timeout(HAND_BACK, app.close()).await.is_err() {
        tracing::warn!("a statement did not end in time and is dropped");
    }
    Ok(())
}

/// Listens from now on, and ends when the process is told to. What it can't listen to does not end it: a kill does.
#[cfg(unix)]
fn stop_signal() -> impl Future<Output = ()> {
    let [mut terminated, mut interrupted] =
        [SignalKind::terminate(), SignalKind::interrupt()].map(|kind| signal(kind).ok());
    async move {
        tokio::select! {
            () = told(terminated.as_mut()) => {}
            () = told(interrupted.as_mut()) => {}
        }
    }
}

#[cfg(unix)]
async fn told(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
