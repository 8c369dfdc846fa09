//! The end of SQLite's statements. SQLite knows no deadline, and what nobody waits for any more it would run to its end, on
//! the connection's own thread: so this thread looks at the clock while it works.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sea_orm::sqlx::sqlite::SqliteConnection;
use sea_orm::sqlx::{Connection as _, Error};

/// Steps of SQLite's machine between two looks at the clock: some microseconds.
const STEPS: i32 = 1_000;

const NEVER: u64 = u64::MAX;
const AT_ONCE: u64 = 0;

/// When what runs on one connection has to end.
#[derive(Debug, Clone)]
pub(super) struct Alarm(Arc<Clock>);

#[derive(Debug)]
struct Clock {
    start: Instant,
    /// Milliseconds from the start.
    ends: AtomicU64,
}

/// A statement under way. Dropped before it has ended, it is stopped.
#[derive(Debug)]
pub(super) struct Armed {
    alarm: Alarm,
    then: u64,
}

impl Alarm {
    /// Puts one on a connection.
    ///
    /// # Errors
    /// When the connection's thread is gone.
    pub async fn on(connection: &mut SqliteConnection) -> Result<Self, Error> {
        let alarm = Self(Arc::new(Clock { start: Instant::now(), ends: AtomicU64::new(NEVER) }));
        let heard = alarm.clone();
        connection.lock_handle().await?.set_progress_handler(STEPS, move || !heard.rings());
        Ok(alarm)
    }

    /// What goes back to the pool has none: others use it, who set none. Answers whether the connection can be used again:
    /// a write that is stopped takes its transaction with it, which sqlx goes on counting.
    ///
    /// # Errors
    /// When the connection's thread is gone.
    pub async fn off(connection: &mut SqliteConnection) -> Result<bool, Error> {
        // Only when all that was sent before has ended: a rollback, too.
        connection.lock_handle().await?.remove_progress_handler();
        Ok(!connection.is_in_transaction())
    }

    /// For the statement that is sent next.
    pub fn set(&self, deadline: Option<Duration>) -> Armed {
        let ends =
            deadline.and_then(|deadline| u64::try_from((self.0.start.elapsed() + deadline).as_millis()).ok());
        self.0.ends.store(ends.unwrap_or(NEVER), Ordering::Relaxed);
        Armed { alarm: self.clone(), then: AT_ONCE }
    }

    fn rings(&self) -> bool {
        self.0.start.elapsed().as_millis() >= u128::from(self.0.ends.load(Ordering::Relaxed))
    }
}

impl Armed {
    /// The statement has ended.
    pub fn ended(mut self) {
        self.then = NEVER;
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        self.alarm.0.ends.store(self.then, Ordering::Relaxed);
    }
}
