//! What the engine costs: CPU time for each operation, by the executor alone and by the engine around it, and for each
//! refusal of a bomb. In one thread, on a store of its own, which goes with it.
//!
//!     cargo run --release --example guard_cost
//!     cargo run --release --example guard_cost 20000

#![expect(clippy::print_stdout, reason = "it prints what it has measured")]

use std::error::Error;
use std::time::Instant;

use async_graphql::{Data, Name, Request, Value, Variables};
use chrono::NaiveDate;
use dualcaster::config::{Environment, Settings};
use dualcaster::db::{Connection, Databases, Purpose};
use dualcaster::engine::{Call, Engine};
use dualcaster::generate::{GeneratedMarket, MarketPlan};
use dualcaster::graphql::{Misses, provide, schema};
use dualcaster::ingest::{Progress, Stage, ingest_generated};
use dualcaster::pagination::CursorSecret;
use dualcaster::principal::Principal;
use migration::{Migrator, MigratorTrait};

type Outcome = Result<(), Box<dyn Error>>;

const NOTHING: &str = "{__typename}";
/// The load tests' `q1`, by an id that the generator tells.
const CARD: &str = "query($id: UUID!) { card(by: {scryfallId: $id}) { id name collectorNumber rarity typeLine \
    set { code name releasedOn } \
    marketPrices { marketplace { slug name } finish condition price low high market observedAt } } }";
const PLAN: MarketPlan = MarketPlan {
    sets: 20,
    cards: 500,
    days: 10,
    marketplaces: 3,
    seed: 1,
    last_day: match NaiveDate::from_ymd_opt(2026, 6, 30) {
        Some(day) => day,
        None => NaiveDate::MIN,
    },
};

struct Unwatched;

impl Progress for Unwatched {
    fn at(&self, _: Stage, _: u64, _: Option<u64>) {}
}

/// Microseconds of CPU that all threads have had so far, SQLite's among them. Linux tells; elsewhere it is nothing.
fn cpu() -> Option<f64> {
    let mut total = 0.0;
    for thread in std::fs::read_dir("/proc/self/task").ok()? {
        let told = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        total += told.split(' ').next()?.parse::<f64>().ok()?;
    }
    Some(total / 1_000.0)
}

/// Prints what one of many costs in the mean, after a tenth as many that are not counted. Each has another number.
async fn measure(name: &str, rounds: u32, one: impl AsyncFn(u32) -> Outcome) -> Outcome {
    let unmeasured = rounds / 10;
    for round in 0..unmeasured {
        one(round).await?;
    }
    let (before, started) = (cpu(), Instant::now());
    for round in unmeasured..unmeasured + rounds {
        one(round).await?;
    }
    let each = |microseconds: f64| microseconds / f64::from(rounds);
    let passed = each(started.elapsed().as_secs_f64() * 1e6);
    match before.zip(cpu()) {
        Some((before, after)) => {
            println!("{name:<44}{:>10.1} µs of CPU{passed:>10.1} µs", each(after - before));
        }
        None => println!("{name:<44}         ? µs of CPU{passed:>10.1} µs"),
    }
    Ok(())
}

/// What resolvers find.
fn fill(data: &mut Data, connection: &Connection) {
    provide(data, connection.clone(), connection, connection, false);
    data.insert(Principal::default());
    data.insert(Misses::default());
}

fn call(query: &str, variables: &Variables) -> Call {
    Call { query: Some(query.to_owned()), variables: variables.clone(), ..Call::default() }
}

/// Fragments that spread the next one twice, in 800 bytes.
fn bomb() -> String {
    let mut text = "{...F0}".to_owned();
    for level in 0.. {
        let next = format!("fragment F{level} on Query{{...F{0} ...F{0}}}", level + 1);
        if text.len() + next.len() > 800 {
            break;
        }
        text.push_str(&next);
    }
    text
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let rounds: u32 = match std::env::args().nth(1) {
        Some(rounds) => rounds.parse()?,
        None => 5_000,
    };
    let folder = tempfile::tempdir()?;
    let data_dir = ("DUALCASTER_DATA_DIR".to_owned(), folder.path().display().to_string());
    let settings = Settings::read(&mut Environment::new([data_dir]))?;
    let bulk = Databases::connect(&settings.database, Purpose::Bulk).await?;
    Migrator::up(bulk.write().pool(), None).await?;
    let market = GeneratedMarket::new(PLAN);
    let card = market.cards().next().ok_or("no card")?.scryfall_id;
    ingest_generated(bulk.write(), market, &Unwatched).await.map_err(|error| error.to_string())?;
    bulk.close().await;

    let databases = Databases::connect(&settings.database, Purpose::Requests).await?;
    let connection = databases.read();
    let build = || schema(CursorSecret::new(["no cursor leaves this process"]));
    let (stock, engine) = (build().finish(), Engine::new(build, &settings.guard));
    let mut by_id = Variables::default();
    by_id.insert(Name::new("id"), Value::from(card.to_string()));
    for (name, query, variables) in [(NOTHING, NOTHING, Variables::default()), ("q1", CARD, by_id)] {
        measure(&format!("{name}: the executor alone"), rounds, async |_| {
            let mut request = Request::new(query).variables(variables.clone());
            fill(&mut request.data, connection);
            sound(&stock.execute(request).await)
        })
        .await?;
        let by_engine = async |text: &str| {
            let prepared =
                engine.prepare(call(text, &variables)).await.map_err(|refused| format!("{refused:?}"))?;
            sound(&engine.execute(prepared, |data| fill(data, connection)).await)
        };
        measure(&format!("{name}: the engine, a known text"), rounds, async |_| by_engine(query).await)
            .await?;
        measure(&format!("{name}: the engine, a new text"), rounds, async |round| {
            by_engine(&format!("{query}#{round}")).await
        })
        .await?;
        measure(&format!("{name}: to make a known text ready"), rounds, async |_| {
            engine.prepare(call(query, &variables)).await.map_err(|refused| format!("{refused:?}"))?;
            Ok(())
        })
        .await?;
    }
    let bomb = bomb();
    measure(&format!("to refuse a bomb of {} bytes", bomb.len()), rounds, async |_| {
        match engine.prepare(call(&bomb, &Variables::default())).await {
            Ok(_) => Err("the bomb was let pass".into()),
            Err(_) => Ok(()),
        }
    })
    .await?;
    databases.close().await;
    Ok(())
}

fn sound(answer: &async_graphql::Response) -> Outcome {
    match answer.errors.first() {
        Some(error) => Err(error.message.clone().into()),
        None => Ok(()),
    }
}
