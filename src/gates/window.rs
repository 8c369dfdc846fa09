//! So many within any span of time, however they are spread over it: what a bucket, which refills while it is emptied, does
//! not hold.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::RedisError;
use redis::aio::ConnectionManager;
use uuid::Uuid;

/// Callers that are counted in this process at most.
const MOST_CALLERS: usize = 100_000;

/// How many there may be within how long.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub most: usize,
    pub within: Duration,
}

/// The windows of all callers.
#[derive(Clone)]
pub(super) struct Windows(Store);

#[derive(Clone)]
enum Store {
    InProcess(Arc<Mutex<HashMap<String, Taken>>>),
    Redis { connection: ConnectionManager, prefix: String },
}

/// Milliseconds of the moments at which places were taken.
#[derive(Default)]
struct Taken(VecDeque<i64>);

impl Window {
    fn milliseconds(&self) -> i64 {
        i64::try_from(self.within.as_millis()).unwrap_or(i64::MAX)
    }
}

impl Taken {
    /// Takes a place, or answers how long until one is free.
    fn take(&mut self, window: Window, now: i64) -> Option<Duration> {
        let within = window.milliseconds();
        while self.0.front().is_some_and(|first| now - first >= within) {
            self.0.pop_front();
        }
        if self.0.len() < window.most {
            self.0.push_back(now);
            return None;
        }
        let left = self.0.front().map_or(within, |first| first + within - now);
        Some(Duration::from_millis(u64::try_from(left).unwrap_or(1)))
    }
}

impl Windows {
    pub fn in_process() -> Self {
        Self(Store::InProcess(Arc::default()))
    }

    /// In Redis, under keys that begin so.
    pub fn in_redis(connection: ConnectionManager, prefix: &str) -> Self {
        Self(Store::Redis { connection, prefix: prefix.to_owned() })
    }

    /// Takes a place, or answers how long until one is free.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn take(
        &self,
        who: &str,
        window: Window,
        now: DateTime<Utc>,
    ) -> Result<Option<Duration>, RedisError> {
        let now = now.timestamp_millis();
        match &self.0 {
            Store::InProcess(callers) => {
                let Ok(mut callers) = callers.lock() else { return Ok(None) };
                if callers.len() >= MOST_CALLERS && !callers.contains_key(who) {
                    let within = window.milliseconds();
                    callers.retain(|_, taken| taken.0.back().is_some_and(|last| now - last < within));
                    // Still as many: some one of them is forgotten, so that nobody goes uncounted.
                    if callers.len() >= MOST_CALLERS
                        && let Some(other) = callers.keys().next().cloned()
                    {
                        callers.remove(&other);
                    }
                }
                Ok(callers.entry(who.to_owned()).or_default().take(window, now))
            }
            Store::Redis { connection, prefix } => {
                let left: u64 = redis::cmd("EVAL")
                    .arg(include_str!("window.lua"))
                    .arg(1)
                    .arg(format!("{prefix}{who}"))
                    .arg(now)
                    .arg(window.milliseconds())
                    .arg(window.most)
                    .arg(Uuid::new_v4().to_string())
                    .query_async(&mut connection.clone())
                    .await?;
                Ok((left > 0).then(|| Duration::from_millis(left)))
            }
        }
    }

    /// Gives up the place that was taken last.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn leave(&self, who: &str) -> Result<(), RedisError> {
        match &self.0 {
            Store::InProcess(callers) => {
                let Ok(mut callers) = callers.lock() else { return Ok(()) };
                if let Some(taken) = callers.get_mut(who) {
                    taken.0.pop_back();
                }
                Ok(())
            }
            Store::Redis { connection, prefix } => {
                let mut last = redis::cmd("ZPOPMAX");
                last.arg(format!("{prefix}{who}")).query_async(&mut connection.clone()).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_a_window_after_it_was_taken() {
        let window = Window { most: 2, within: Duration::from_millis(60) };
        let mut taken = Taken::default();
        assert_eq!([taken.take(window, 0), taken.take(window, 10)], [None, None]);
        assert_eq!(taken.take(window, 59), Some(Duration::from_millis(1)));
        assert_eq!(taken.take(window, 60), None, "what was refused takes no place");
        assert_eq!(taken.take(window, 60), Some(Duration::from_millis(10)));
    }
}
