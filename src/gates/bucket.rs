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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: [Limit; 4] = [
        Limit::per_second(25, 100),
        Limit::per_second(25, 7),
        Limit::per_minute(10, 10),
        Limit::per_minute(1000, 777),
    ];

    fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    fn charge(key: &str, points: u32, limit: Limit) -> Charge<'_> {
        Charge { key, points, limit }
    }

    fn take(memory: &mut Memory, key: &str, points: u32, limit: Limit, now: u64) -> Taken {
        memory.take_all(&[charge(key, points, limit)], micros(now))
    }

    fn available(taken: Taken) -> u32 {
        match taken {
            Taken::Granted(level) | Taken::Refused { level, .. } => level.available,
        }
    }

    fn is_granted(taken: Taken) -> bool {
        matches!(taken, Taken::Granted(_))
    }

    /// One that comes to one of three servers, whose clock was read a little before its turn came.
    #[derive(Clone, Debug)]
    struct Arrival {
        server: usize,
        caller: usize,
        after: u64,
        late: u64,
        points: u32,
        unspent: u32,
    }

    fn arrival() -> impl Strategy<Value = Arrival> {
        (0..3_usize, 0..4_usize, 0..20_000_u64, 0..3_000_u64, 0..=30_u32, 0..=60_u32).prop_map(
            |(server, caller, after, late, points, unspent)| Arrival {
                server,
                caller,
                after,
                late,
                points,
                unspent: unspent.saturating_sub(30).min(points),
            },
        )
    }

    /// What a caller may have by the rule itself, counted in another way than by what is missing.
    struct Rule {
        left: i128,
        at: i128,
        /// Granted and not given back, less what refilled since the start; the lowest it was.
        surplus: i128,
        lowest: i128,
    }

    impl Rule {
        fn new(limit: Limit) -> Self {
            Self { left: i128::from(limit.units()), at: 0, surplus: 0, lowest: 0 }
        }

        fn advance(&mut self, limit: Limit, now: u64) {
            let refilled = (i128::from(now) - self.at) * i128::from(limit.per_minute);
            self.at = now.into();
            self.left = (self.left + refilled).min(limit.units().into());
            self.surplus -= refilled;
            self.lowest = self.lowest.min(self.surplus);
        }

        fn add(&mut self, limit: Limit, points: i128) {
            self.left = (self.left - points * i128::from(POINT)).min(limit.units().into());
            self.surplus += points * i128::from(POINT);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 2000, ..ProptestConfig::default() })]

        #[test]
        fn no_window_grants_more_than_the_limit(
            arrivals in prop::collection::vec(arrival(), 10_000),
        ) {
            let buckets = Buckets::in_process();
            let servers = [buckets.clone(), buckets.clone(), buckets];
            let callers = ["a", "b", "c", "d"];
            let mut rules = LIMITS.map(Rule::new);
            let (mut now, mut latest, mut granted) = (0, 0, 0);
            for Arrival { server, caller, after, late, points, unspent } in arrivals {
                let Store::Memory { memory, .. } = &servers[server].0 else { unreachable!() };
                let mut memory = memory.lock().expect("no one panicked");
                let (limit, key, rule) = (LIMITS[caller], callers[caller], &mut rules[caller]);
                now += after;
                let clock = now.saturating_sub(late);
                latest = clock.max(latest);
                rule.advance(limit, latest);
                let taken = take(&mut memory, key, points, limit, clock);
                prop_assert_eq!(is_granted(taken), rule.left >= i128::from(points) * i128::from(POINT));
                if is_granted(taken) {
                    granted += 1;
                    rule.add(limit, points.into());
                    // From any moment before to this one: capacity + refill × elapsed.
                    prop_assert!(rule.surplus - rule.lowest <= i128::from(limit.units()));
                    prop_assert_eq!(i128::from(available(taken)), rule.left / i128::from(POINT));
                    memory.give_back(charge(key, unspent, limit), micros(clock));
                    rule.add(limit, -i128::from(unspent));
                    rule.lowest = rule.lowest.min(rule.surplus);
                }
            }
            prop_assert!(granted > 1000, "{granted} granted");
        }
    }

    fn limit() -> impl Strategy<Value = Limit> {
        let points = || prop_oneof![1..100_u32, 1..=u32::MAX];
        (points(), points()).prop_map(|(capacity, points)| Limit::per_minute(capacity, points))
    }

    proptest! {
        #[test]
        fn refilling_in_steps_is_refilling_at_once(
            limit in limit(), share in 0.0..1.0_f64, first in 0..10_000_000_u64, second in 0..10_000_000_u64,
        ) {
            let missing = (limit.units() as f64 * share) as u64;
            let steps = limit.refill(limit.refill(missing, first), second);
            prop_assert_eq!(steps, limit.refill(missing, first + second));
            prop_assert_eq!(limit.refill(missing, limit.time(missing)), 0);
            prop_assert!(missing == 0 || limit.refill(missing, limit.time(missing) - 1) > 0);
        }

        #[test]
        fn retry_after_is_the_first_moment_it_is_granted(
            limit in limit(), first in 0.0..=1.0_f64, second in 0.0..=1.0_f64, start in 0..1_000_000_u64,
        ) {
            let part = |share: f64| ((f64::from(limit.capacity) * share) as u32).max(1);
            let mut memory = Memory::new(10);
            prop_assert!(is_granted(take(&mut memory, "a", part(first), limit, start)));
            let now = start + 5;
            match take(&mut memory, "a", part(second), limit, now) {
                Taken::Granted(_) => {
                    prop_assert!(part(first) as u64 * POINT + part(second) as u64 * POINT
                        <= limit.units() + 5 * u64::from(limit.per_minute));
                }
                Taken::Refused { retry_after, .. } => {
                    let wait = u64::try_from(retry_after.expect("it fits").as_micros()).expect("short");
                    let before = take(&mut memory, "a", part(second), limit, now + wait - 1);
                    prop_assert!(!is_granted(before));
                    prop_assert!(is_granted(take(&mut memory, "a", part(second), limit, now + wait)));
                }
            }
        }
    }

    #[test]
    fn what_is_given_back_is_there_to_the_point() {
        let limit = Limit::per_second(100, 10);
        let mut memory = Memory::new(10);
        assert_eq!(available(take(&mut memory, "a", 30, limit, 0)), 70);
        memory.give_back(charge("a", 12, limit), micros(0));
        assert_eq!(available(take(&mut memory, "a", 0, limit, 0)), 82);
        // 50 ms are half a point, which is kept.
        memory.give_back(charge("a", 3, limit), micros(50_000));
        let Taken::Granted(level) = take(&mut memory, "a", 0, limit, 50_000) else { unreachable!() };
        assert_eq!((level.available, level.full_in), (85, Duration::from_millis(1450)));
        memory.give_back(charge("a", 1000, limit), micros(50_000));
        memory.give_back(charge("a", u32::MAX, limit), micros(50_000));
        assert_eq!(available(take(&mut memory, "a", 0, limit, 50_000)), 100);
        assert!(memory.buckets.is_empty() && memory.full.is_empty());
        assert!(is_granted(take(&mut memory, "a", 100, limit, 50_000)));
        assert!(!is_granted(take(&mut memory, "a", 1, limit, 50_000)));
    }

    #[test]
    fn all_or_none() {
        let (address, account, both) =
            (Limit::per_minute(20, 20), Limit::per_minute(5, 5), Limit::per_minute(3, 1));
        let charges = [
            charge("address", 1, address),
            charge("account", 1, account),
            charge("address account", 1, both),
        ];
        let mut memory = Memory::new(10);
        for left in [2, 1, 0] {
            let Taken::Granted(level) = memory.take_all(&charges, micros(0)) else { unreachable!() };
            assert_eq!((level.charge, level.available), (2, left));
        }
        let refused = memory.take_all(&charges, micros(0));
        let Taken::Refused { retry_after, level } = refused else { unreachable!() };
        assert_eq!((retry_after, level.charge), (Some(Duration::from_secs(60)), 2));
        assert_eq!(available(take(&mut memory, "address", 0, address, 0)), 17);
        assert_eq!(available(take(&mut memory, "account", 0, account, 0)), 2);
        // The longest wait, wherever it stands.
        assert!(is_granted(take(&mut memory, "account", 2, account, 0)));
        assert_eq!(memory.take_all(&charges, micros(0)), refused);
        let turned = [charges[2], charges[1], charges[0]];
        let Taken::Refused { retry_after, level } = memory.take_all(&turned, micros(0)) else {
            unreachable!()
        };
        assert_eq!((retry_after, level.charge), (Some(Duration::from_secs(60)), 0));
    }

    #[test]
    fn a_bucket_named_twice_pays_twice() {
        let limit = Limit::per_minute(10, 10);
        let mut memory = Memory::new(10);
        let twice = |points| [charge("a", 3, limit), charge("a", points, limit)];
        assert_eq!(available(memory.take_all(&twice(4), micros(0))), 3);
        let Taken::Refused { retry_after, .. } = memory.take_all(&twice(4), micros(0)) else {
            unreachable!()
        };
        assert_eq!(retry_after, Some(Duration::from_secs(24)));
        let Taken::Refused { retry_after, .. } = memory.take_all(&twice(8), micros(0)) else {
            unreachable!()
        };
        assert_eq!(retry_after, None);
    }

    #[test]
    fn more_than_a_bucket_holds_is_never_granted() {
        let limit = Limit::per_second(10, 1000);
        let mut memory = Memory::new(10);
        let refused = take(&mut memory, "a", 11, limit, 0);
        assert!(matches!(refused, Taken::Refused { retry_after: None, level: Level { available: 10, .. } }));
        assert!(is_granted(take(&mut memory, "a", 10, limit, 0)));
        let most = Limit::per_second(u32::MAX, u32::MAX);
        assert!(is_granted(take(&mut memory, "b", Limit::MOST_POINTS, most, 0)));
        let greedy = [charge("b", u32::MAX, most); 100];
        let Taken::Refused { retry_after: None, .. } = memory.take_all(&greedy, micros(u64::MAX)) else {
            panic!("granted");
        };
        assert_eq!(memory.take_all(&[], micros(0)), Taken::Granted(Level::default()));
        // What Lua's numbers hold: a bucket's worth missing, and another one wanted.
        assert!(u64::from(Limit::MOST_POINTS) * POINT * 2 <= 1 << 53);
    }

    #[test]
    fn the_callers_in_memory_are_bounded() {
        let limit = Limit::per_minute(1000, 60);
        let mut memory = Memory::new(100);
        // The first are deep in debt: those who come after and owe little don't push them out.
        for caller in 0..50 {
            assert!(is_granted(take(&mut memory, &format!("old {caller}"), 1000, limit, 0)));
        }
        for caller in 0..10_000_u64 {
            assert!(is_granted(take(&mut memory, &format!("new {caller}"), 1, limit, caller)));
            assert!(memory.buckets.len() <= 100);
            assert_eq!(memory.buckets.len(), memory.full.len());
        }
        assert_eq!(memory.buckets.len(), 100);
        assert!(!is_granted(take(&mut memory, "old 0", 1, limit, 10_000)));
        // A second refills a point; the last one had it taken at 9,999.
        for _ in 0..4 {
            take(&mut memory, "old 0", 1000, limit, 1_010_000);
        }
        assert_eq!(memory.buckets.len(), 50);
    }

    #[test]
    fn a_hundred_thousand_callers_are_the_most() {
        let Buckets(Store::Memory { memory, .. }) = Buckets::in_process() else { unreachable!() };
        let mut memory = memory.lock().expect("no one panicked");
        for caller in 0..120_000 {
            take(&mut memory, &caller.to_string(), 1, Limit::per_minute(1, 1), 0);
        }
        assert_eq!((memory.buckets.len(), memory.full.len()), (100_000, 100_000));
    }
}
