//! `dualcaster ingest` and `dualcaster generate`.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::migrate::connect_migrated;
use super::output::say;
use super::progress::{Course, Shown};
use super::{Failure, Outcome, print};
use crate::config::{Mode, Settings};
use crate::domain::collection::invented_address;
use crate::generate::{GeneratedMarket, MarketPlan};
use crate::identity::Hasher;
use crate::ingest::{
    Format, IngestError, Progress, Report, SourceError, Stage, ingest_file, ingest_generated,
    ingest_newest_scryfall, ingest_users, open_file,
};
use crate::live::Bell;
use crate::outside::Outside;

/// What invented users sign in with, but for production; the help says it, too.
const PASSWORD: &str = "forty shelves of painted cardboard";

#[derive(Debug, Subcommand)]
pub enum Source {
    /// Cards: Scryfall's bulk file `default_cards`, .json or .json.gz; without a file, the newest from the service. The prices
    /// in it are passed over: `prices` brings them.
    Scryfall { file: Option<PathBuf> },
    /// Cards: MTGJSON's AllPrintings, .json or .json.gz.
    Mtgjson { file: PathBuf },
    /// Prices: MTGJSON's AllPrices, .json or .json.gz, after its AllPrintings.
    Prices { file: PathBuf },
}

#[derive(Debug, Args)]
pub struct Generate {
    /// How many sets.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=466_560))]
    sets: u32,
    /// How many cards.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_500_000))]
    cards: u32,
    /// How many days of prices, one a day.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
    /// How many marketplaces.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=5))]
    marketplaces: u8,
    /// How many users, who hold cards and want some; they go with the market. They sign in as collector-1@example.com,
    /// collector-2@example.com and so on, with the password "forty shelves of painted cardboard", or in production with
    /// one that is made and told.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=100_000))]
    users: u32,
    /// Another seed makes another market.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The last day of prices; by default yesterday.
    #[arg(long, value_name = "YYYY-MM-DD")]
    last_day: Option<NaiveDate>,
    /// Tell progress and outcome as JSON, an object a line.
    #[arg(long)]
    json: bool,
}

pub async fn ingest(settings: &Settings, source: Source, json: bool) -> Outcome {
    let (format, file) = match source {
        Source::Scryfall { file } => (Format::Scryfall, file),
        Source::Mtgjson { file } => (Format::MtgjsonPrintings, Some(file)),
        Source::Prices { file } => (Format::MtgjsonPrices, Some(file)),
    };
    // Before the store is touched: who has mistyped a name has changed nothing.
    let opened = file.as_deref().map(open_file).transpose().map_err(|error| failure(&error.into()))?;
    let databases = connect_migrated(settings).await?;
    let progress = Shown::new("ingest", Course::File, json);
    let ringer = Ringer::new(settings)?;
    let heard = Ringing { shown: &progress, ringer: &ringer };
    let outcome = match opened {
        Some(source) => ingest_file(databases.write(), format, source, crate::app::now(), &heard).await,
        None => ingest_newest_scryfall(databases.write(), &settings.market.scryfall_url, &heard).await,
    };
    ringer.finish().await;
    progress.finish();
    databases.close().await;
    tell(outcome, &progress, json)
}

/// Rings for servers whenever there is something new to tell, beside the ingest that goes on.
struct Ringer {
    asked: watch::Sender<u64>,
    ringing: JoinHandle<()>,
}

impl Ringer {
    fn new(settings: &Settings) -> Result<Self, Failure> {
        let bell = Bell::at(settings.redis_url.as_deref(), &settings.redis_prefix)
            .map_err(|error| Failure::new(format!("Redis can't be reached: {error}")))?;
        let (asked, mut asks) = watch::channel(0);
        let ringing = tokio::spawn(async move {
            while asks.changed().await.is_ok() {
                bell.ring().await;
            }
        });
        Ok(Self { asked, ringing })
    }

    /// Rings for the last time where something was not rung for yet.
    async fn finish(self) {
        drop(self.asked);
        let _ = self.ringing.await;
    }
}

/// Progress that is shown, and rung for.
struct Ringing<'a> {
    shown: &'a Shown,
    ringer: &'a Ringer,
}

impl Progress for Ringing<'_> {
    fn at(&self, stage: Stage, done: u64, total: Option<u64>) {
        self.shown.at(stage, done, total);
        // Prices are announced as they are derived.
        if stage == Stage::Deriving && done > 0 {
            self.ringer.asked.send_modify(|asked| *asked += 1);
        }
    }

    fn removed_generated(&self) {
        self.shown.removed_generated();
    }
}

pub async fn generate(settings: &Settings, arguments: Generate) -> Outcome {
    let databases = connect_migrated(settings).await?;
    let yesterday = (crate::app::now() - chrono::TimeDelta::days(1)).date_naive();
    let market = GeneratedMarket::new(MarketPlan {
        sets: arguments.sets,
        cards: arguments.cards,
        days: arguments.days,
        marketplaces: arguments.marketplaces,
        seed: arguments.seed,
        last_day: arguments.last_day.unwrap_or(yesterday),
    });
    let course = if arguments.users > 0 { Course::MarketAndUsers } else { Course::Market };
    let progress = Shown::new("generate", course, arguments.json);
    let password = password(settings.mode);
    let outcome = async {
        let report = ingest_generated(databases.write(), market.clone(), &progress).await?;
        if arguments.users == 0 {
            return Ok::<_, IngestError>(report);
        }
        // One for all: a hash takes as long as writing hundreds of users.
        let hasher = Hasher::new(1, Outside::system())?;
        let hash = hasher.hash(password.clone(), |_| Ok(())).await?;
        let users = ingest_users(databases.write(), market, arguments.users, &hash, &progress).await?;
        Ok(Report { users: users.users, written: report.written + users.written, ..report })
    }
    .await;
    progress.finish();
    databases.close().await;
    let made_users = outcome.as_ref().is_ok_and(|report| report.users > 0);
    tell(outcome, &progress, arguments.json)?;
    if made_users {
        let (first, last) = (invented_address(1), invented_address(arguments.users));
        say(&format!("The users sign in as {first} to {last} with the password: {password}"));
    }
    Ok(())
}

/// What invented users sign in with. What everybody can read is no password of a server that others reach.
fn password(mode: Mode) -> String {
    match mode {
        Mode::Development => PASSWORD.to_owned(),
        Mode::Production => Outside::system().uuid().simple().to_string(),
    }
}

fn failure(error: &IngestError) -> Failure {
    let hint = match error {
        IngestError::Source(SourceError::Upstream(_)) => {
            "Try again later, or give the command a file that you have fetched yourself."
        }
        IngestError::Source(SourceError::Unopened { .. }) => {
            "Check that it is there, and that it may be read by whoever runs the command."
        }
        IngestError::Source(SourceError::Io(_)) | IngestError::Store(_) => {
            "What was written stays; run the command again to go on."
        }
        IngestError::Source(_) => {
            "Check that it is the right file for this command: `dualcaster ingest --help`."
        }
        IngestError::TooManyBad(_) => "Most likely the format has changed, or the file is another one.",
        IngestError::HoldsRealData => "Use another data folder: DUALCASTER_DATA_DIR.",
    };
    Failure::new(error.to_string()).hint(hint)
}

fn tell(outcome: Result<Report, IngestError>, progress: &Shown, json: bool) -> Outcome {
    let report = outcome.map_err(|error| failure(&error))?;
    let seconds = progress.elapsed().as_secs_f64();
    if json {
        let bad: Vec<_> = report
            .bad_records
            .iter()
            .map(|bad| serde_json::json!({"position": bad.position, "reason": bad.reason}))
            .collect();
        let line = serde_json::json!({
            "event": "done", "records": report.records, "points": report.points, "written": report.written,
            "unmatched": report.unmatched, "made": report.made, "users": report.users, "bad": report.bad, "badRecords": bad,
            "removedGenerated": report.removed_generated, "seconds": seconds,
        });
        return print(&format!("{line}\n"));
    }
    for bad in &report.bad_records {
        say(&format!("left out {}: {}", bad.position, bad.reason));
    }
    let mut text = format!("{} records", report.records);
    if report.points > 0 {
        text.push_str(&format!(" with {} prices", report.points));
    }
    text.push_str(&format!(" read in {seconds:.1} s: {} rows written", report.written));
    let unmatched = if report.unmatched == report.records {
        "of printings that are not known: load AllPrintings first"
    } else {
        "of printings that are not known"
    };
    for (count, what) in [
        (report.unmatched, unmatched),
        (report.made, "cards made from prices"),
        (report.users, "users made"),
        (report.bad, "left out as unreadable"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    print(&format!("{text}.\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_can_read_is_no_password_in_production() {
        assert_eq!(password(Mode::Development), PASSWORD);
        let made = password(Mode::Production);
        assert!(made.len() == 32 && made != password(Mode::Production));
    }
}
