//! Who asks for what is not there, or not theirs, again and again, is looking for what is.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redis::aio::ConnectionManager;
use redis::{AsyncCommands, RedisError};
use uuid::Uuid;

/// So many requests that miss
pub const MISSES: usize = 10;
/// within so long
pub const WITHIN: Duration = Duration::from_secs(60);
/// are a reason to be left out for so long.
pub const BLOCKED_FOR: Duration = Duration::from_secs(300);

/// Callers that are counted in this process at most.
const MOST_CALLERS: usize = 100_000;

/// The misses of all callers.
#[derive(Clone)]
pub struct Misses(Store);

#[derive(Clone)]
enum Store {
    InProcess(Arc<Mutex<HashMap<String, Noted>>>),
    Redis { connection: ConnectionManager, prefix: String },
}

#[derive(Default)]
struct Noted {
    missed: VecDeque<Instant>,
    blocked_until: Option<Instant>,
}

impl Noted {
    fn is_over(&self, now: Instant) -> bool {
        self.blocked_until.is_none_or(|until| until <= now)
            && self.missed.back().is_none_or(|last| now.duration_since(*last) >= WITHIN)
    }

    fn count(&mut self, now: Instant) {
        while self.missed.front().is_some_and(|first| now.duration_since(*first) >= WITHIN) {
            self.missed.pop_front();
        }
        self.missed.push_back(now);
        if self.missed.len() >= MISSES {
            self.missed.clear();
            self.blocked_until = Some(now + BLOCKED_FOR);
        }
    }

    fn blocked_for(&self, now: Instant) -> Option<Duration> {
        self.blocked_until.map(|until| until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }
}

impl Misses {
    pub fn in_process() -> Self {
        Self(Store::InProcess(Arc::default()))
    }

    /// In Redis, under keys that begin so.
    pub fn in_redis(connection: ConnectionManager, prefix: &str) -> Self {
        Self(Store::Redis { connection, prefix: prefix.to_owned() })
    }

    /// # Errors
    /// When Redis does not answer.
    pub async fn count(&self, who: &str) -> Result<(), RedisError> {
        match &self.0 {
            Store::InProcess(noted) => {
                let now = Instant::now();
                let Ok(mut noted) = noted.lock() else { return Ok(()) };
                if noted.len() >= MOST_CALLERS {
                    noted.retain(|_, noted| !noted.is_over(now));
                }
                // Still as many: some one of them is forgotten, so that nobody goes uncounted.
                if noted.len() >= MOST_CALLERS
                    && !noted.contains_key(who)
                    && let Some(other) = noted.keys().next().cloned()
                {
                    noted.remove(&other);
                }
                noted.entry(who.to_owned()).or_default().count(now);
                Ok(())
            }
            Store::Redis { connection, prefix } => {
                redis::cmd("EVAL")
                    .arg(include_str!("misses.lua"))
                    .arg(2)
                    .arg(format!("{prefix}{{{who}}}"))
                    .arg(format!("{prefix}{{{who}}}:blocked"))
                    .arg(WITHIN.as_millis() as u64)
                    .arg(MISSES)
                    .arg(BLOCKED_FOR.as_millis() as u64)
                    .arg(Uuid::new_v4().to_string())
                    .query_async::<()>(&mut connection.clone())
                    .await
            }
        }
    }

    /// How much longer somebody is left out.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn blocked_for(&self, who: &str) -> Result<Option<Duration>, RedisError> {
        match &self.0 {
            Store::InProcess(noted) => {
                let now = Instant::now();
                Ok(noted.lock().ok().and_then(|noted| noted.get(who)?.blocked_for(now)))
            }
            Store::Redis { connection, prefix } => {
                let left: i64 = connection.clone().pttl(format!("{prefix}{{{who}}}:blocked")).await?;
                Ok(u64::try_from(left).ok().filter(|left| *left > 0).map(Duration::from_millis))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_misses_in_a_minute_block_for_five() {
        let (start, mut noted) = (Instant::now(), Noted::default());
        for second in 0..9 {
            noted.count(start + Duration::from_secs(second));
        }
        assert_eq!(noted.blocked_for(start + Duration::from_secs(9)), None);
        noted.count(start + Duration::from_secs(9));
        assert_eq!(noted.blocked_for(start + Duration::from_secs(10)), Some(Duration::from_secs(299)));
        assert_eq!(noted.blocked_for(start + Duration::from_secs(309)), None);
    }

    #[test]
    fn misses_that_are_a_minute_apart_don_t_count_together() {
        let (start, mut noted) = (Instant::now(), Noted::default());
        for miss in 0..100 {
            noted.count(start + Duration::from_secs(7) * miss);
            assert_eq!(noted.blocked_for(start + Duration::from_secs(7) * miss), None, "{miss}");
        }
        assert!(!noted.is_over(start + Duration::from_secs(700)));
        assert!(noted.is_over(start + Duration::from_secs(760)));
    }
}
