//! Sends the server and the yardstick the same load in turn, and prints how they compare.
//!
//! In turn and not one after the other: what a machine gives drifts within minutes by more than what is measured, and
//! both sides of one round see the same drift.

use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use loadtests::arguments::{Arguments, Query, Question};
use loadtests::client::{PATIENCE, Target};
use loadtests::database::local_database;
use loadtests::difference::first_difference;
use loadtests::{Result, in_words};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Questions of each query that are answered alike before anything is measured.
const CHECKED: usize = 20;
/// The wait after a connection broke, so that a server that has gone is not asked a million times.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest run whose end the access tokens of those who ask Q2 see: they hold for ten minutes.
const TOKENS_LAST: u64 = 9 * 60;

/// The ratio of the server to the yardstick, on the same questions in one run.
#[derive(Debug, Parser)]
struct Options {
    /// The server, on this machine.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
    /// The yardstick, on this machine.
    #[arg(long, default_value = "http://127.0.0.1:8081")]
    yardstick: String,
    /// The database of both, from which the arguments are taken.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// Kept connections, each with one request under way.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    connections: u16,
    /// The length of one measurement.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Measurements of each side.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Only q2 writes: it needs users with inventories in the database, and sessions.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "q1,q3,q4")]
    query: Vec<Query>,
    /// One JSON object a query.
    #[arg(long)]
    json: bool,
}

impl Options {
    /// The round that warms up, in seconds.
    fn warm_up(&self) -> u64 {
        self.seconds.min(1)
    }

    /// What all measurements take, in seconds.
    fn duration(&self) -> u64 {
        let measurements = 2 * self.query.len() as u64;
        measurements * (self.warm_up() + u64::from(self.rounds) * self.seconds)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(errors) => fail(&format!("{errors} requests were not answered as they should be")),
        Err(error) => fail(&in_words(&error)),
    }
}

fn fail(message: &str) -> ExitCode {
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "error: {message}");
    ExitCode::FAILURE
}

/// Both sides of one query.
struct Contest {
    query: Query,
    questions: Arc<[Question]>,
    server: Outcome,
    yardstick: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Server,
    Yardstick,
}

/// Returns the number of requests that went wrong.
async fn run(options: Options) -> Result<u64> {
    let server = Target::parse(&options.server, "/graphql")?;
    let yardstick = Target::parse(&options.yardstick, "")?;
    if options.query.contains(&Query::Q2) && options.duration() > TOKENS_LAST {
        let seconds = options.duration();
        return Err(format!(
            "q2's access tokens hold for ten minutes, and this run takes {seconds} s: measure fewer queries, or fewer rounds"
        )
        .into());
    }
    let database = local_database(&options.database_url)?;
    let arguments = Arguments::take(&database, &options.query, &server).await?;
    let mut contests = Vec::new();
    for query in &options.query {
        let questions: Arc<[Question]> = arguments.questions(*query, &server, &yardstick).into();
        check(*query, &questions, &server, &yardstick).await?;
        let (server, yardstick) = (Outcome::default(), Outcome::default());
        contests.push(Contest { query: *query, questions, server, yardstick });
    }
    let (warm_up, full) = (Duration::from_secs(options.warm_up()), Duration::from_secs(options.seconds));
    // Round 0 is short and thrown away: it fills caches and lets Postgres settle for its plans.
    for round in 0..=options.rounds {
        let length = if round == 0 { warm_up } else { full };
        for contest in &mut contests {
            // Who goes first changes from round to round: the second finds the caches as the first left them.
            let order = [Side::Server, Side::Yardstick];
            for side in if round % 2 == 0 { order } else { [order[1], order[0]] } {
                let (target, outcome) = match side {
                    Side::Server => (&server, &mut contest.server),
                    Side::Yardstick => (&yardstick, &mut contest.yardstick),
                };
                let tally = measure(target, side, &contest.questions, options.connections, length).await?;
                // A request that fails is one too many, in whichever round.
                outcome.errors += tally.errors;
                if round > 0 {
                    outcome.add(tally.micros, length);
                }
            }
        }
    }
    let mut out = std::io::stdout().lock();
    for contest in &mut contests {
        let report = if options.json { contest.as_json() } else { contest.as_text() };
        writeln!(out, "{report}")?;
    }
    Ok(contests.iter().map(|contest| contest.server.errors + contest.yardstick.errors).sum())
}

/// Both sides answer the first questions alike, or it is no contest.
async fn check(query: Query, questions: &[Question], server: &Target, yardstick: &Target) -> Result<()> {
    let (mut to_server, mut to_yardstick) = (server.connect().await?, yardstick.connect().await?);
    for question in questions.iter().take(CHECKED) {
        let about = |what: &str| format!("{}: {what} (asked for {})", query.name(), question.argument);
        let both = async {
            Result::Ok((
                to_server.exchange(&question.to_server).await?,
                to_yardstick.exchange(&question.to_yardstick).await?,
            ))
        };
        let (left, right) = timeout(PATIENCE, both)
            .await
            .map_err(|_| about("no answer in time"))?
            .map_err(|error| about(&in_words(&error)))?;
        for (side, answer) in [("the server", &left), ("the yardstick", &right)] {
            if !answer.is_good() {
                let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(500)]);
                return Err(about(&format!("{side} answers {} with {body}", answer.status)).into());
            }
        }
        let difference = first_difference(left.body, right.body).map_err(|error| about(&in_words(&error)))?;
        if let Some(difference) = difference {
            return Err(about(&difference).into());
        }
    }
    Ok(())
}

/// What one connection, or one measurement, saw.
#[derive(Debug, Default)]
struct Tally {
    micros: Vec<u32>,
    errors: u64,
}

/// A load of so many connections on one side, for so long.
async fn measure(
    target: &Target,
    side: Side,
    questions: &Arc<[Question]>,
    connections: u16,
    length: Duration,
) -> Result<Tally> {
    let end = Instant::now() + length;
    let mut tasks = JoinSet::new();
    for connection in 0..usize::from(connections) {
        // Each begins elsewhere, so that no two ask the same at the same time.
        let first = connection * questions.len() / usize::from(connections);
        let (target, questions) = (target.clone(), Arc::clone(questions));
        tasks.spawn(async move {
            let mut tally = Tally::default();
            // One timer a measurement and not one a request: what is late here is stuck.
            if timeout(length + PATIENCE, load(&target, side, &questions, first, end, &mut tally))
                .await
                .is_err()
            {
                tally.errors += 1;
            }
            tally
        });
    }
    let mut sum = Tally::default();
    while let Some(tally) = tasks.join_next().await {
        let tally = tally?;
        sum.micros.extend(tally.micros);
        sum.errors += tally.errors;
    }
    Ok(sum)
}

async fn load(
    target: &Target,
    side: Side,
    questions: &[Question],
    first: usize,
    end: Instant,
    tally: &mut Tally,
) {
    let mut questions = questions.iter().cycle().skip(first);
    while Instant::now() < end {
        let Ok(mut connection) = target.connect().await else {
            tally.errors += 1;
            sleep(PAUSE).await;
            continue;
        };
        for question in questions.by_ref() {
            let start = Instant::now();
            if start >= end {
                return;
            }
            let request = if side == Side::Server { &question.to_server } else { &question.to_yardstick };
            match connection.exchange(request).await.map(|answer| answer.is_good()) {
                // What ends too late is waited for, so that the other side has the machine to itself, but not counted.
                Ok(true) if Instant::now() > end => return,
                Ok(true) => tally.micros.push(u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX)),
                Ok(false) => tally.errors += 1,
                Err(_) => {
                    tally.errors += 1;
                    sleep(PAUSE).await;
                    break;
                }
            }
        }
    }
}

/// One side's rounds.
#[derive(Debug, Default)]
struct Outcome {
    /// Requests a second, round by round.
    rates: Vec<f64>,
    micros: Vec<u32>,
    errors: u64,
}

impl Outcome {
    fn add(&mut self, micros: Vec<u32>, length: Duration) {
        self.rates.push(micros.len() as f64 / length.as_secs_f64());
        self.micros.extend(micros);
    }

    fn best(&self) -> f64 {
        self.rates.iter().copied().fold(0.0, f64::max)
    }

    /// The latency in milliseconds that so many of a hundred answers do not exceed.
    fn percentile(&mut self, percent: usize) -> f64 {
        if self.micros.is_empty() {
            return 0.0;
        }
        let place = (self.micros.len() * percent / 100).min(self.micros.len() - 1);
        f64::from(*self.micros.select_nth_unstable(place).1) / 1000.0
    }

    fn as_json(&mut self) -> serde_json::Value {
        json!({
            "medianPerSecond": median(&self.rates), "bestPerSecond": self.best(), "perSecond": self.rates,
            "p50Ms": self.percentile(50), "p99Ms": self.percentile(99), "errors": self.errors,
        })
    }

    fn as_text(&mut self) -> String {
        let (median, best) = (median(&self.rates), self.best());
        let (p50, p99) = (self.percentile(50), self.percentile(99));
        format!(
            "{median:8.0}/s median {best:8.0}/s best  p50 {p50:7.2} ms  p99 {p99:7.2} ms  {} errors",
            self.errors
        )
    }
}

impl Contest {
    /// The server's rate in parts of the yardstick's, round by round.
    fn ratios(&self) -> Vec<f64> {
        let rounds = self.server.rates.iter().zip(&self.yardstick.rates);
        rounds.map(|(server, yardstick)| if *yardstick > 0.0 { server / yardstick } else { 0.0 }).collect()
    }

    fn as_json(&mut self) -> String {
        let ratios = self.ratios();
        json!({
            "query": self.query.name(), "ratio": median(&ratios), "ratios": ratios,
            "server": self.server.as_json(), "yardstick": self.yardstick.as_json(),
        })
        .to_string()
    }

    fn as_text(&mut self) -> String {
        let ratios = self.ratios();
        let mut text = format!("{}  ratio {:.2}  (rounds:", self.query.name(), median(&ratios));
        for ratio in &ratios {
            // Writing to a text does not fail.
            let _ = write!(text, " {ratio:.2}");
        }
        let (server, yardstick) = (self.server.as_text(), self.yardstick.as_text());
        format!("{text})\n    server    {server}\n    yardstick {yardstick}")
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    match (sorted.get(sorted.len().saturating_sub(1) / 2), sorted.get(sorted.len() / 2)) {
        (Some(lower), Some(upper)) => (lower + upper) / 2.0,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(&[]).abs() < f64::EPSILON);
    }

    #[test]
    fn a_percentile_is_one_of_the_latencies() {
        let mut outcome =
            Outcome { micros: (1..=100).rev().map(|n| n * 1000).collect(), ..Outcome::default() };
        assert!((outcome.percentile(50) - 51.0).abs() < f64::EPSILON);
        assert!((outcome.percentile(99) - 100.0).abs() < f64::EPSILON);
    }
}
