//! Limits by cost. Each caller has a bucket of points that refills with time; what he asks for is taken out of it, or
//! refused while the bucket has too little. Servers share the buckets in Redis, by one script and its clock; a server
//! on its own keeps them in memory.
//!
//! Nothing is rounded: a bucket is the whole number of units that are missing from it, and a unit is what one point a
//! minute refills in a microsecond.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::ConnectionManager;
use redis::{RedisError, Script};

/// Units in a point.
const POINT: u64 = 60_000_000;

/// How long one waits for more than a bucket holds.
const FOREVER: u64 = u64::MAX;

/// Callers kept in memory. When there are more, the bucket that would be full again soonest is taken for full.
const MOST_CALLERS: usize = 100_000;

/// Full buckets dropped at most in one call, so that no call pays for all who came before.
const SWEEP: usize = 16;

/// How much a caller may ask for: at once, and in the long run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    capacity: u32,
    per_minute: u32,
}

/// Points that are wanted from one bucket.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// Whose bucket; what of it a caller chose himself is best hashed, since Redis keeps it as it is.
    pub key: &'a str,
    pub points: u32,
    pub limit: Limit,
}

/// How a bucket stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// Which of the charges it is about, counted from 0.
    pub charge: usize,
    pub capacity: u32,
    /// Whole points left.
    pub available: u32,
    /// How long until it is full again.
    pub full_in: Duration,
}

/// What became of a request for points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// All were taken. Of several buckets, this is the one with the fewest points left.
    Granted(Level),
    /// Nothing was taken. Of several buckets, this is the one to wait for longest; there is no `retry_after` when it
    /// never holds that much.
    Refused { retry_after: Option<Duration>, level: Level },
}

impl Limit {
    /// The most a bucket can hold, so that Redis' script counts exactly.
    pub const MOST_POINTS: u32 = 75_000_000;

    /// A bucket that refills by so many points a minute, but at least one; [`Limit::MOST_POINTS`] is its most.
    pub const fn per_minute(capacity: u32, points: u32) -> Self {
        let capacity = if capacity < Self::MOST_POINTS { capacity } else { Self::MOST_POINTS };
        Self { capacity, per_minute: if points > 0 { points } else { 1 } }
    }

    /// The same, by so many points a second.
    pub const fn per_second(capacity: u32, points: u32) -> Self {
        Self::per_minute(capacity, points.saturating_mul(60))
    }

    /// The points of a full bucket.
    pub const fn capacity(self) -> u32 {
        self.capacity
    }

    /// What it refills by, in whole points.
    pub const fn points_per_second(self) -> u32 {
        self.per_minute / 60
    }

    /// The units still missing from a bucket after so many microseconds. The script does the same.
    pub fn refill(self, missing: u64, elapsed: u64) -> u64 {
        missing.min(self.units()).saturating_sub(elapsed.saturating_mul(self.per_minute.into()))
    }

    fn units(self) -> u64 {
        u64::from(self.capacity) * POINT
    }

    /// The microseconds in which so many units refill.
    fn time(self, units: u64) -> u64 {
        units.div_ceil(self.per_minute.into())
    }

    /// The microseconds until so many units can be taken.
    fn wait(self, missing: u64, wanted: u64) -> u64 {
        if wanted > self.units() {
            return FOREVER;
        }
        self.time((missing + wanted).saturating_sub(self.units()))
    }

    fn level(self, charge: usize, missing: u64) -> Level {
        let available = self.units().saturating_sub(missing) / POINT;
        Level {
            charge,
            capacity: self.capacity,
            available: u32::try_from(available).unwrap_or(self.capacity),
            full_in: Duration::from_micros(self.time(missing)),
        }
    }
}

/// The buckets of all callers. Cheap to clone.
#[derive(Clone)]
pub struct Buckets(Store);

#[derive(Clone)]
enum Store {
    Memory { started: Instant, memory: Arc<Mutex<Memory>> },
    Redis { connection: ConnectionManager, prefix: Arc<str>, script: Arc<Script> },
}

impl Buckets {
    /// Keeps the buckets in this process.
    pub fn in_process() -> Self {
        Self(Store::Memory {
            started: Instant::now(),
            memory: Arc::new(Mutex::new(Memory::new(MOST_CALLERS))),
        })
    }

    /// Keeps the buckets in Redis 6.2 or newer, under keys that begin so.
    pub fn in_redis(connection: ConnectionManager, prefix: &str) -> Self {
        let script = Arc::new(Script::new(include_str!("bucket.lua")));
        Self(Store::Redis { connection, prefix: prefix.into(), script })
    }

    /// Takes the points, or nothing.
    ///
    /// # Errors
    /// When Redis does not answer. It may have taken the points all the same.
    pub async fn take(&self, key: &str, points: u32, limit: Limit) -> Result<Taken, RedisError> {
        self.take_all(&[Charge { key, points, limit }]).await
    }

    /// Takes from all these buckets, or nothing from any.
    ///
    /// # Errors
    /// When Redis does not answer. It may have taken the points all the same.
    pub async fn take_all(&self, charges: &[Charge<'_>]) -> Result<Taken, RedisError> {
        match &self.0 {
            Store::Memory { started, memory } => {
                // The clock is read under the lock: times come in order.
                let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(memory.take_all(charges, started.elapsed()))
            }
            Store::Redis { connection, prefix, script } => {
                Ok(judge(charges, &run(connection, prefix, script, charges, 1).await?))
            }
        }
    }

    /// Gives back what was taken and not spent. A bucket never gets more than full by it.
    ///
    /// # Errors
    /// When Redis does not answer. It may have the points all the same.
    pub async fn give_back(&self, key: &str, points: u32, limit: Limit) -> Result<(), RedisError> {
        let charge = Charge { key, points, limit };
        match &self.0 {
            Store::Memory { started, memory } => {
                let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                memory.give_back(charge, started.elapsed());
            }
            Store::Redis { connection, prefix, script } => {
                run(connection, prefix, script, &[charge], -1).await?;
            }
        }
        Ok(())
    }
}

/// What was missing from the buckets before the script took from them, or gave back with a sign of -1.
async fn run(
    connection: &ConnectionManager,
    prefix: &str,
    script: &Script,
    charges: &[Charge<'_>],
    sign: i64,
) -> Result<Vec<u64>, RedisError> {
    let mut call = script.prepare_invoke();
    for Charge { key, points, limit } in charges {
        call.key(format!("{prefix}{key}"));
        call.arg(sign * i64::from(*points) * POINT.cast_signed()).arg(limit.units()).arg(limit.per_minute);
    }
    call.invoke_async(&mut connection.clone()).await
}

/// The units wanted from a bucket by all charges on it.
fn wanted(charges: &[Charge<'_>], key: &str) -> u64 {
    let points: u64 =
        charges.iter().filter(|charge| charge.key == key).map(|charge| u64::from(charge.points)).sum();
    points.saturating_mul(POINT)
}

/// What becomes of the charges when so much is missing from their buckets.
fn judge(charges: &[Charge<'_>], missing: &[u64]) -> Taken {
    let mut lowest: Option<Level> = None;
    let mut longest: Option<(u64, Level)> = None;
    for (index, (charge, &missing)) in charges.iter().zip(missing).enumerate() {
        let wanted = wanted(charges, charge.key);
        let wait = charge.limit.wait(missing, wanted);
        if wait > longest.map_or(0, |(longest, _)| longest) {
            longest = Some((wait, charge.limit.level(index, missing)));
        }
        let after = charge.limit.level(index, missing.saturating_add(wanted));
        if lowest.is_none_or(|lowest| after.available < lowest.available) {
            lowest = Some(after);
        }
    }
    match longest {
        None => Taken::Granted(lowest.unwrap_or_default()),
        Some((FOREVER, level)) => Taken::Refused { retry_after: None, level },
        Some((wait, level)) => Taken::Refused { retry_after: Some(Duration::from_micros(wait)), level },
    }
}

/// The buckets of one process that are not full, by a hash of their keys: what callers choose takes no more room for
/// being long.
struct Memory {
    buckets: HashMap<u64, Bucket>,
    /// When each is full again, the soonest first.
    full: BTreeSet<(u64, u64)>,
    hasher: RandomState,
    most: usize,
    /// The latest time that was handed in.
    now: u64,
}

/// What was missing from a bucket at a time, and when it is full again.
struct Bucket {
    missing: u64,
    at: u64,
    full: u64,
}

impl Memory {
    fn new(most: usize) -> Self {
        Self { buckets: HashMap::new(), full: BTreeSet::new(), hasher: RandomState::new(), most, now: 0 }
    }

    fn take_all(&mut self, charges: &[Charge<'_>], now: Duration) -> Taken {
        self.advance(now);
        let missing: Vec<u64> = charges.iter().map(|charge| self.missing(charge)).collect();
        let taken = judge(charges, &missing);
        if let Taken::Granted(_) = taken {
            for (charge, missing) in charges.iter().zip(missing) {
                self.put(charge, missing + wanted(charges, charge.key));
            }
        }
        taken
    }

    fn give_back(&mut self, charge: Charge<'_>, now: Duration) {
        self.advance(now);
        let points = u64::from(charge.points) * POINT;
        self.put(&charge, self.missing(&charge).saturating_sub(points));
    }

    /// Goes on to this time, unless it is past it, and drops what is full by then.
    fn advance(&mut self, now: Duration) {
        self.now = self.now.max(u64::try_from(now.as_micros()).unwrap_or(u64::MAX));
        for _ in 0..SWEEP {
            let Some(&(full, id)) = self.full.first() else { break };
            if full > self.now {
                break;
            }
            self.full.pop_first();
            self.buckets.remove(&id);
        }
    }

    fn missing(&self, charge: &Charge<'_>) -> u64 {
        let bucket = self.buckets.get(&self.hasher.hash_one(charge.key));
        bucket.map_or(0, |bucket| charge.limit.refill(bucket.missing, self.now - bucket.at))
    }

    fn put(&mut self, charge: &Charge<'_>, missing: u64) {
        let id = self.hasher.hash_one(charge.key);
        if let Some(old) = self.buckets.remove(&id) {
            self.full.remove(&(old.full, id));
        }
        if missing == 0 {
            return;
        }
        if self.buckets.len() >= self.most
            && let Some((_, soonest)) = self.full.pop_first()
        {
            self.buckets.remove(&soonest);
        }
        let full = self.now.saturating_add(charge.limit.time(missing));
        self.buckets.insert(id, Bucket { missing, at: self.now, full });
        self.full.insert((full, id));
    }
}

#[cfg(test)]
mod tests;
