//! Redis, asked with patience: it has a moment to answer, and is left alone for another after it has failed, so that not every
//! request waits for it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use redis::RedisError;

/// How long Redis has to answer.
const ANSWERED_WITHIN: Duration = Duration::from_millis(250);
/// How long Redis is left alone after it failed, in milliseconds.
const PAUSE: i64 = 1_000;

/// Whether Redis is asked just now.
pub struct Patience {
    began: Instant,
    /// Milliseconds since `began` until which it is left alone.
    away_until: AtomicI64,
    /// What is done without it, for the log.
    instead: &'static str,
}

impl Patience {
    pub fn new(instead: &'static str) -> Self {
        Self { began: Instant::now(), away_until: AtomicI64::new(0), instead }
    }

    /// The answer; nothing, where Redis is away.
    pub async fn ask<T>(&self, asking: impl Future<Output = Result<T, RedisError>>) -> Option<T> {
        let now = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        if self.away_until.load(Ordering::Relaxed) > now {
            return None;
        }
        match tokio::time::timeout(ANSWERED_WITHIN, asking).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(_)) | Err(_) => {
                tracing::warn!(instead = self.instead, "Redis is away");
                self.away_until.store(now + PAUSE, Ordering::Relaxed);
                None
            }
        }
    }
}
