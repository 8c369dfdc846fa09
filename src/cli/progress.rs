//! How far long work has come: a bar on a terminal, a line now and then elsewhere, JSON where it was asked for.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use super::output::say;
use crate::ingest::{Progress, Stage};

/// The bar's length.
const LENGTH: u64 = 1_000;
/// The wait between two lines where there is no terminal.
const BETWEEN: Duration = Duration::from_secs(5);

/// What a command does from its beginning to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// Ingests a file.
    File,
    /// Makes a market.
    Market,
    /// Makes a market and users.
    MarketAndUsers,
}

impl Course {
    /// Where on the bar a stage begins and where it ends: deriving prices takes about a fifth of an ingest.
    fn span(self, stage: Stage) -> (u64, u64) {
        let (read, derived) = if self == Self::MarketAndUsers { (600, 800) } else { (800, LENGTH) };
        match stage {
            Stage::Reading => (0, read),
            Stage::Deriving => (read, derived),
            Stage::Users => (derived, LENGTH),
        }
    }

    /// What a stage counts.
    fn unit(self, stage: Stage) -> &'static str {
        match stage {
            Stage::Reading if self == Self::File => "bytes",
            Stage::Reading | Stage::Deriving => "cards",
            Stage::Users => "users",
        }
    }
}

/// One progress for the whole of a command.
pub struct Shown {
    course: Course,
    bar: Option<ProgressBar>,
    json: bool,
    started: Instant,
    state: Mutex<State>,
}

struct State {
    stage: Stage,
    /// When the stage began, and when the last line was told, since the start.
    since: Duration,
    told: Option<Duration>,
}

impl Shown {
    pub fn new(what: &str, course: Course, json: bool) -> Self {
        let bar = (!json && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(LENGTH);
            if let Ok(style) =
                ProgressStyle::with_template("{prefix} {wide_bar} {percent} %  {msg}  {eta} left")
            {
                bar.set_style(style);
            }
            bar.set_prefix(what.to_owned());
            bar
        });
        let state = State { stage: Stage::Reading, since: Duration::ZERO, told: None };
        Self { course, bar, json, started: Instant::now(), state: Mutex::new(state) }
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// How long the stage has taken, and whether it is time for the next line.
    fn step(&self, stage: Stage, elapsed: Duration) -> (Duration, bool) {
        let Ok(mut state) = self.state.lock() else {
            return (Duration::ZERO, false);
        };
        if state.stage != stage {
            (state.stage, state.since) = (stage, elapsed);
        }
        let is_due = state.told.is_none_or(|told| elapsed.saturating_sub(told) >= BETWEEN);
        if is_due {
            state.told = Some(elapsed);
        }
        (elapsed.saturating_sub(state.since), is_due)
    }
}

/// How far it has come, and how fast.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Figures {
    /// On the bar.
    position: u64,
    /// What is counted, a second, of this stage.
    rate: Option<f64>,
    /// Seconds, of all stages.
    left: Option<f64>,
}

impl Figures {
    fn new(
        (from, to): (u64, u64),
        (done, total): (u64, Option<u64>),
        in_stage: Duration,
        elapsed: Duration,
    ) -> Self {
        let share = total.filter(|total| *total > 0).map_or(0, |total| done.min(total) * (to - from) / total);
        let position = from + share;
        let seconds = in_stage.as_secs_f64();
        Self {
            position,
            rate: (done > 0 && seconds > 0.0).then(|| done as f64 / seconds),
            left: (position > 0)
                .then(|| elapsed.as_secs_f64() * (LENGTH - position) as f64 / position as f64),
        }
    }
}

impl Progress for Shown {
    fn at(&self, stage: Stage, done: u64, total: Option<u64>) {
        let elapsed = self.elapsed();
        let (in_stage, is_due) = self.step(stage, elapsed);
        let figures = Figures::new(self.course.span(stage), (done, total), in_stage, elapsed);
        let unit = self.course.unit(stage);
        let word = match stage {
            Stage::Reading => "reading",
            Stage::Deriving => "deriving",
            Stage::Users => "users",
        };
        if self.json {
            // Each step: who reads JSON picks for itself.
            let line = serde_json::json!({
                "event": "progress", "stage": word, "done": done, "total": total, "unit": unit,
                "rate": figures.rate, "seconds": elapsed.as_secs_f64(), "secondsLeft": figures.left,
            });
            say(&line.to_string());
            return;
        }
        let rate = match figures.rate {
            None => String::new(),
            Some(rate) if unit == "bytes" => format!(", {}/s", HumanBytes(rate as u64)),
            Some(rate) => format!(", {rate:.0} {unit}/s"),
        };
        if let Some(bar) = &self.bar {
            bar.set_position(figures.position);
            bar.set_message(format!("{word}{rate}"));
        } else if is_due {
            let share = total.map_or_else(String::new, |total| format!(": {} %", done * 100 / total.max(1)));
            let left = figures.left.map_or_else(String::new, |left| format!(", {left:.0} s left"));
            say(&format!("{word}{share} after {:.0} s{rate}{left}", elapsed.as_secs_f64()));
        }
    }

    /// At once, and not with the outcome: an ingest that fails later has removed it all the same.
    fn removed_generated(&self) {
        if self.json {
            say(&serde_json::json!({"event": "removedGenerated"}).to_string());
            return;
        }
        let tell = || say("The generated market that was there has been removed.");
        match &self.bar {
            Some(bar) => bar.suspend(tell),
            None => tell(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_its_part_of_one_bar_a_rate_and_the_time_left_of_all() {
        let seconds = Duration::from_secs;
        let course = Course::File;
        let figures = |stage, done, in_stage, elapsed| {
            Figures::new(course.span(stage), (done, Some(1_000)), seconds(in_stage), seconds(elapsed))
        };
        let expected = |position, rate, left| Figures { position, rate, left };
        assert_eq!(figures(Stage::Reading, 0, 0, 0), expected(0, None, None));
        assert_eq!(figures(Stage::Reading, 500, 10, 10), expected(400, Some(50.0), Some(15.0)));
        assert_eq!(figures(Stage::Deriving, 0, 0, 40), expected(800, None, Some(10.0)));
        assert_eq!(figures(Stage::Deriving, 500, 5, 45), expected(900, Some(100.0), Some(5.0)));
        assert_eq!(figures(Stage::Deriving, 2_000, 10, 50), expected(LENGTH, Some(200.0), Some(0.0)));
        let unknown = Figures::new(course.span(Stage::Deriving), (7, None), seconds(1), seconds(8));
        assert_eq!(unknown, expected(800, Some(7.0), Some(2.0)));
    }

    #[test]
    fn stages_follow_one_another_to_the_end_of_the_bar() {
        for course in [Course::File, Course::Market, Course::MarketAndUsers] {
            let spans = [Stage::Reading, Stage::Deriving, Stage::Users].map(|stage| course.span(stage));
            assert_eq!((spans[0].0, spans[2].1), (0, LENGTH));
            assert!(spans.windows(2).all(|pair| pair[0].1 == pair[1].0), "{spans:?}");
        }
    }
}
