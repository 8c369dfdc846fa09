//! How often somebody may do something: budgets by cost, throttles of what can be guessed at, windows of what costs much, and
//! a block for who looks for what is not theirs.
//!
//! All servers count together in Redis. While it is away each counts for itself: a limit that is looser for a while is
//! better than none, and than no answers.

mod bucket;
mod misses;
mod window;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::aio::ConnectionManager;

pub use bucket::{Buckets, Charge, Level, Limit, Taken};
pub use misses::{BLOCKED_FOR, MISSES, Misses, WITHIN};
pub use window::Window;
use window::Windows;

use crate::error::{Code, Refusal};
use crate::patience::Patience;

/// The counters of this server, and those that all servers share.
#[derive(Clone)]
pub struct Gates {
    inner: Arc<Inner>,
}

struct Counters {
    buckets: Buckets,
    misses: Misses,
    windows: Windows,
}

struct Inner {
    own: Counters,
    shared: Option<Shared>,
}

struct Shared {
    counters: Counters,
    patience: Patience,
}

impl Gates {
    /// `redis` comes with what every key there begins with.
    pub fn new(redis: Option<(ConnectionManager, &str)>) -> Self {
        let shared = redis.map(|(connection, prefix)| Shared {
            counters: Counters {
                buckets: Buckets::in_redis(connection.clone(), &format!("{prefix}bucket:")),
                misses: Misses::in_redis(connection.clone(), &format!("{prefix}misses:")),
                windows: Windows::in_redis(connection, &format!("{prefix}window:")),
            },
            patience: Patience::new("this server counts for itself"),
        });
        let own = Counters {
            buckets: Buckets::in_process(),
            misses: Misses::in_process(),
            windows: Windows::in_process(),
        };
        Self { inner: Arc::new(Inner { own, shared }) }
    }

    /// Takes points from several buckets, or from none.
    pub async fn take(&self, charges: &[Charge<'_>]) -> Taken {
        let shared = self.shared(async |counters| counters.buckets.take_all(charges).await).await;
        match shared {
            Some(taken) => taken,
            None => {
                self.inner.own.buckets.take_all(charges).await.unwrap_or(Taken::Granted(Level::default()))
            }
        }
    }

    /// The same, for what is refused as a whole.
    ///
    /// # Errors
    /// ERR-4001, with when to come back.
    pub async fn pass(&self, charges: &[Charge<'_>]) -> Result<(), Refusal> {
        match self.take(charges).await {
            Taken::Granted(_) => Ok(()),
            Taken::Refused { retry_after, .. } => Err(rate_limited(retry_after)),
        }
    }

    /// The same of this server alone, whatever others count: for what costs it and none of them.
    ///
    /// # Errors
    /// ERR-4001, with when to come back.
    pub async fn pass_here(&self, Charge { key, points, limit }: Charge<'_>) -> Result<(), Refusal> {
        match self.inner.own.buckets.take(key, points, limit).await {
            Ok(Taken::Refused { retry_after, .. }) => Err(rate_limited(retry_after)),
            // In the process nothing fails.
            Ok(Taken::Granted(_)) | Err(_) => Ok(()),
        }
    }

    pub async fn give_back_here(&self, Charge { key, points, limit }: Charge<'_>) {
        let _ = self.inner.own.buckets.give_back(key, points, limit).await;
    }

    pub async fn give_back(&self, key: &str, points: u32, limit: Limit) {
        if points == 0 {
            return;
        }
        if self.shared(async |counters| counters.buckets.give_back(key, points, limit).await).await.is_none()
        {
            let _ = self.inner.own.buckets.give_back(key, points, limit).await;
        }
    }

    /// Takes a place in a window.
    ///
    /// # Errors
    /// ERR-4001 where all are taken, with when to come back.
    pub async fn enter(&self, key: &str, window: Window, now: DateTime<Utc>) -> Result<(), Refusal> {
        let shared = self.shared(async |counters| counters.windows.take(key, window, now).await).await;
        let left = match shared {
            Some(left) => left,
            None => self.inner.own.windows.take(key, window, now).await.ok().flatten(),
        };
        left.map_or(Ok(()), |left| Err(rate_limited(Some(left))))
    }

    /// Gives up the place in a window that was taken last.
    pub async fn leave(&self, key: &str) {
        if self.shared(async |counters| counters.windows.leave(key).await).await.is_none() {
            let _ = self.inner.own.windows.leave(key).await;
        }
    }

    /// Counts one request that asked for what is not there or not its caller's.
    pub async fn miss(&self, who: &str) {
        if self.shared(async |counters| counters.misses.count(who).await).await.is_none() {
            let _ = self.inner.own.misses.count(who).await;
        }
    }

    /// # Errors
    /// ERR-4002 for who has missed too often lately.
    pub async fn check_block(&self, who: &str) -> Result<(), Refusal> {
        let shared = self.shared(async |counters| counters.misses.blocked_for(who).await).await;
        let left = match shared {
            Some(left) => left,
            None => self.inner.own.misses.blocked_for(who).await.ok().flatten(),
        };
        match left {
            None => Ok(()),
            Some(left) => Err(Refusal {
                retry_after: Some(whole_seconds(left)),
                ..Refusal::new(
                    Code::EnumerationBlocked,
                    "You have asked for too many things that are not there. Please come back later.",
                )
            }),
        }
    }

    /// What the shared counters answer; nothing, where there are none or they are away.
    async fn shared<T>(&self, ask: impl AsyncFnOnce(&Counters) -> Result<T, redis::RedisError>) -> Option<T> {
        let Shared { counters, patience } = self.inner.shared.as_ref()?;
        patience.ask(ask(counters)).await
    }
}

/// ERR-4001.
pub fn rate_limited(retry_after: Option<Duration>) -> Refusal {
    Refusal {
        retry_after: retry_after.map(whole_seconds),
        ..Refusal::new(Code::RateLimited, "You are asking too much at once. Please wait a moment.")
    }
}

/// Rounded up, so that who waits so long has waited enough.
fn whole_seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
}
