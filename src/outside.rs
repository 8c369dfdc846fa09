//! Time and chance, which come from outside: everything that needs them is handed this.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rand::Rng;
use uuid::Uuid;

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

/// Where a part of the server gets the time and its random bytes from.
#[derive(Clone)]
pub struct Outside {
    now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    fill: Arc<Fill>,
}

impl Outside {
    /// The system's clock, and its cryptographic randomness.
    pub fn system() -> Self {
        Self { now: Arc::new(crate::app::now), fill: Arc::new(|bytes| rand::rng().fill_bytes(bytes)) }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(self, now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), ..self }
    }

    /// The time now, to the microsecond: as much as the stores keep.
    pub fn now(&self) -> DateTime<Utc> {
        let now = (self.now)();
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.fill)(&mut bytes);
        bytes
    }

    /// One that is random but for its beginning, which is the time: rows that are written one after the other are neighbours in
    /// an index.
    pub fn uuid_in_order(&self) -> Uuid {
        let millis = u64::try_from(self.now().timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }

    /// A random one.
    pub fn uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }
}
