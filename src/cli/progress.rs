//! How far long work has come: a bar on a terminal, a line now and then elsewhere, JSON where it was asked for.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::say;
use crate::ingest::{Progress, Stage};

/// The bar's length, and how much of it reading is: deriving prices takes about a fifth of the whole.
const LENGTH: u64 = 1_000;
const READING: u64 = 800;
/// The wait between two lines where there is no terminal.
const BETWEEN: Duration = Duration::from_secs(5);

/// One progress for the whole of a command.
pub struct Shown {
    bar: Option<ProgressBar>,
    json: bool,
    last: Mutex<Option<Instant>>,
    started: Instant,
}

impl Shown {
    pub fn new(what: &str, json: bool) -> Self {
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
        Self { bar, json, last: Mutex::new(None), started: Instant::now() }
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whether it is time for the next line.
    fn is_due(&self) -> bool {
        let Ok(mut last) = self.last.lock() else {
            return false;
        };
        let elapsed = self.elapsed();
        let due = last.is_none_or(|at| at.elapsed() >= BETWEEN);
        if due {
            *last = Some(self.started + elapsed);
        }
        due
    }
}

impl Progress for Shown {
    fn at(&self, stage: Stage, done: u64, total: Option<u64>) {
        let share = total.filter(|total| *total > 0).map(|total| done.min(total) * READING / total);
        let message = match stage {
            Stage::Reading => "reading and writing".to_owned(),
            Stage::Deriving => format!("deriving prices: {done} cards"),
        };
        if let Some(bar) = &self.bar {
            bar.set_position(match stage {
                Stage::Reading => share.unwrap_or(0),
                Stage::Deriving => READING,
            });
            bar.set_message(message);
        } else if self.is_due() {
            let seconds = self.elapsed().as_secs_f64();
            let stage = if stage == Stage::Reading { "reading" } else { "deriving" };
            if self.json {
                let line = serde_json::json!({"event": "progress", "stage": stage, "done": done, "total": total, "seconds": seconds});
                say(&line.to_string());
            } else if let Some(total) = total {
                say(&format!("{stage}: {} % after {seconds:.0} s", done * 100 / total.max(1)));
            } else {
                say(&format!("{stage}: {done} after {seconds:.0} s"));
            }
        }
    }
}
