//! Buckets in a real Redis. Each test has keys of its own and deletes them.

use std::time::{Duration, Instant};

use dualcaster::gates::{Buckets, Charge, Level, Limit, Taken};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use redis::aio::ConnectionManager;

const POINT: u64 = 60_000_000;

/// A corner of Redis for one test.
struct Corner {
    connection: ConnectionManager,
    prefix: String,
}

impl Corner {
    async fn new() -> Self {
        Self { connection: connect().await, prefix: format!("test:{:016x}:", rand::random::<u64>()) }
    }

    fn buckets(&self) -> Buckets {
        Buckets::in_redis(self.connection.clone(), &self.prefix)
    }

    /// Buckets of another server, with a connection of its own.
    async fn other_server(&self) -> Buckets {
        Buckets::in_redis(connect().await, &self.prefix)
    }

    async fn ask<T: redis::FromRedisValue>(&self, command: &str, key: &str) -> T {
        let mut command = redis::cmd(command);
        command.arg(format!("{}{key}", self.prefix));
        command.query_async(&mut self.connection.clone()).await.expect("an answer")
    }

    /// The units missing from a bucket, and since when.
    async fn state(&self, key: &str) -> Option<(u64, u64)> {
        let state: Option<String> = self.ask("GET", key).await;
        state.map(|state| {
            let (missing, at) = state.split_once(' ').expect("two numbers");
            (missing.parse().expect("a number"), at.parse().expect("a number"))
        })
    }

    async fn set(&self, key: &str, missing: u64, at: u64) {
        let mut command = redis::cmd("SET");
        command.arg(format!("{}{key}", self.prefix)).arg(format!("{missing} {at}")).arg("EX").arg(60);
        command.exec_async(&mut self.connection.clone()).await.expect("set");
    }

    async fn now(&self) -> u64 {
        time(&self.connection).await
    }

    async fn clear(self) {
        let mut connection = self.connection.clone();
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{}*", self.prefix)).arg("COUNT").arg(1000);
            let (next, keys): (u64, Vec<String>) = scan.query_async(&mut connection).await.expect("keys");
            for key in keys {
                redis::cmd("DEL").arg(key).exec_async(&mut connection).await.expect("deleted");
            }
            cursor = next;
            if cursor == 0 {
                return;
            }
        }
    }
}

async fn connect() -> ConnectionManager {
    let url =
        std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL is not set: run the tests by tests/run.sh");
    let client = redis::Client::open(url).expect("an address");
    client.get_connection_manager().await.expect("a connection")
}

/// The microsecond of Redis' clock.
async fn time(connection: &ConnectionManager) -> u64 {
    let time: (u64, u64) = redis::cmd("TIME").query_async(&mut connection.clone()).await.expect("the time");
    time.0 * 1_000_000 + time.1
}

fn is_granted(taken: &Taken) -> bool {
    matches!(taken, Taken::Granted(_))
}

fn level(taken: &Taken) -> Level {
    match taken {
        Taken::Granted(level) | Taken::Refused { level, .. } => *level,
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).expect("short")
}

/// Where the model reads the time.
#[derive(Clone)]
enum Clock {
    Redis(ConnectionManager),
    Here(Instant),
}

impl Clock {
    async fn now(&self) -> u64 {
        match self {
            Self::Redis(connection) => time(connection).await,
            Self::Here(start) => micros(start.elapsed()),
        }
    }
}

/// Points taken, or given back if below zero, at some time from `after` to `before`.
struct Event {
    caller: usize,
    points: i64,
    after: u64,
    before: u64,
}

const CALLERS: [&str; 3] = ["a", "b", "c"];

/// The arrivals at one server.
async fn arrivals(buckets: Buckets, clock: Clock, limit: Limit, count: usize, seed: u64) -> Vec<Event> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut events = Vec::new();
    for _ in 0..count {
        if random.random_bool(0.01) {
            tokio::time::sleep(Duration::from_millis(random.random_range(0..10))).await;
        }
        let (caller, points) = (random.random_range(0..3), random.random_range(1..=20));
        let after = clock.now().await;
        let taken = buckets.take(CALLERS[caller], points, limit).await.expect("an answer");
        let before = clock.now().await;
        if !is_granted(&taken) {
            continue;
        }
        events.push(Event { caller, points: points.into(), after, before });
        if random.random_bool(0.5) {
            let unspent = random.random_range(0..=points);
            buckets.give_back(CALLERS[caller], unspent, limit).await.expect("an answer");
            events.push(Event {
                caller,
                points: -i64::from(unspent),
                after: before,
                before: clock.now().await,
            });
        }
    }
    events
}

/// The most by which any window's grants exceed what refilled in it, in units. What was granted inside the window for
/// certain counts, less all that may have been given back inside of it.
fn worst_window(events: &[&Event], per_minute: u64) -> i64 {
    // A window begins just before an event's `after` and ends just past an event's `before`. At one moment, the windows
    // that begin there come first.
    let mut moments: Vec<(u64, bool, i64)> = Vec::new();
    for event in events {
        moments.push((event.after, false, event.points));
        moments.push((event.before, true, event.points));
    }
    moments.sort_by_key(|&(at, ends, _)| (at, ends));
    let start = moments.first().map_or(0, |moment| moment.0);
    // Counted when they end: grants, for windows that end; give-backs, for windows that begin; and the other way round.
    let (mut granted_ended, mut granted_begun, mut given_ended, mut given_begun) = (0, 0, 0, 0);
    let (mut lowest, mut worst) = (i64::MAX, i64::MIN);
    let unit = i64::try_from(POINT).expect("small");
    for (at, ends, points) in moments {
        let refilled = i64::try_from((at - start) * per_minute).expect("small");
        if ends {
            if points > 0 {
                granted_ended += points
            } else {
                given_ended -= points
            }
            worst = worst.max((granted_ended - given_begun) * unit - refilled - lowest);
        } else {
            lowest = lowest.min((granted_begun - given_ended) * unit - refilled);
            if points > 0 { granted_begun += points } else { given_begun -= points }
        }
    }
    worst
}

/// 10,000 arrivals over three servers, which ask for much more than refills.
async fn model(servers: [(Buckets, Clock); 3], per_second: u32) {
    let limit = Limit::per_second(100, per_second);
    let seed = rand::random::<u64>();
    let mut tasks = Vec::new();
    for (server, (buckets, clock)) in (0..).zip(servers) {
        tasks.push(tokio::spawn(arrivals(buckets, clock, limit, 3334, seed.wrapping_add(server))));
    }
    let mut events = Vec::new();
    for task in tasks {
        events.extend(task.await.expect("arrivals"));
    }
    for (caller, key) in CALLERS.iter().enumerate() {
        let events: Vec<&Event> = events.iter().filter(|event| event.caller == caller).collect();
        let worst = worst_window(&events, u64::from(per_second) * 60);
        let capacity = i64::try_from(100 * POINT).expect("small");
        let points: i64 = events.iter().map(|event| event.points).sum();
        eprintln!("{key}: {points} points granted; worst window {worst} of {capacity} units");
        assert!(worst <= capacity, "{key}: {worst} units over the refill, seed {seed}");
        assert!(points > 100, "{key}: {points} points granted, seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn three_servers_on_one_redis_never_grant_more_than_the_limit() {
    let corner = Corner::new().await;
    let server = async || (corner.other_server().await, Clock::Redis(connect().await));
    model([server().await, server().await, server().await], 200).await;
    corner.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn three_handles_in_one_process_never_grant_more_than_the_limit() {
    let server = (Buckets::in_process(), Clock::Here(Instant::now()));
    model([server.clone(), server.clone(), server], 2000).await;
}

/// Each call is worked out again from what Redis held before and after it.
#[tokio::test]
async fn the_script_counts_as_the_process_does() {
    let corner = Corner::new().await;
    let buckets = corner.buckets();
    let seed = rand::random::<u64>();
    let mut random = StdRng::seed_from_u64(seed);
    let (mut granted, mut refused, mut given) = (0, 0, 0);
    for round in 0..1000 {
        let capacity = [10, 1000, Limit::MOST_POINTS][random.random_range(0..3)];
        let per_minute = [1, 7, 600, 1_000_003, u32::MAX][random.random_range(0..5)];
        let limit = Limit::per_minute(capacity, per_minute);
        let units = u64::from(capacity) * POINT;
        let written = corner.now().await;
        let at = written - random.random_range(0..1_000_000_u64) * random.random_range(0..100);
        corner.set("a", random.random_range(0..=units + POINT), at).await;
        let start = corner.state("a").await.expect("a state");
        let points = random.random_range(1..=capacity);
        let gives = random.random_bool(0.3);
        let earliest = corner.now().await;
        let taken = if gives {
            buckets.give_back("a", points, limit).await.expect("an answer");
            None
        } else {
            Some(buckets.take("a", points, limit).await.expect("an answer"))
        };
        let latest = corner.now().await;
        let end = corner.state("a").await;
        let wanted = u64::from(points) * POINT;
        let missing = |now: u64| limit.refill(start.0, now - start.1);
        let told =
            format!("round {round} of {seed}: {limit:?}, {start:?} to {end:?}, {points} points: {taken:?}");
        match taken {
            None => {
                given += 1;
                match end {
                    Some(end) => assert_eq!(end.0, missing(end.1) - wanted, "{told}"),
                    None => assert!(missing(latest) <= wanted, "{told}"),
                }
            }
            Some(Taken::Granted(level)) => {
                granted += 1;
                let full_in = micros(level.full_in);
                let Some(end) = end else {
                    assert!(earliest + full_in < corner.now().await, "{told}");
                    continue;
                };
                assert!((earliest..=latest).contains(&end.1), "{told}");
                assert_eq!(end.0, missing(end.1) + wanted, "{told}");
                assert!(end.0 <= units, "{told}");
                assert_eq!(u64::from(level.available), (units - end.0) / POINT, "{told}");
                assert_eq!(full_in, end.0.div_ceil(per_minute.into()), "{told}");
                let expires: i64 = corner.ask("PEXPIRETIME", "a").await;
                let full = (end.1 + full_in).div_ceil(1000);
                // -2: it has expired meanwhile.
                let gone = expires == -2 && corner.now().await / 1000 > full;
                assert!(gone || u64::try_from(expires) == Ok(full), "{told}, expires {expires}");
            }
            Some(Taken::Refused { retry_after, .. }) => {
                refused += 1;
                assert_eq!(end, Some(start), "{told}");
                let wait = micros(retry_after.expect("it fits"));
                let at = |now| (missing(now) + wanted).saturating_sub(units).div_ceil(per_minute.into());
                assert!((at(latest)..=at(earliest)).contains(&wait), "{told}");
            }
        }
    }
    assert!(granted > 100 && refused > 100 && given > 100, "{granted}, {refused}, {given}");
    corner.clear().await;
}

#[tokio::test]
async fn what_is_given_back_is_there_to_the_point() {
    let corner = Corner::new().await;
    let buckets = corner.buckets();
    // Slow enough that nothing refills meanwhile but a fraction of a point.
    let limit = Limit::per_minute(100, 1);
    let left = async |points| level(&buckets.take("a", points, limit).await.expect("an answer")).available;
    let give_back = async |points| buckets.give_back("a", points, limit).await.expect("an answer");
    assert_eq!(left(30).await, 70);
    give_back(12).await;
    assert_eq!(left(0).await, 82);
    give_back(17).await;
    assert_eq!(left(0).await, 99);
    give_back(u32::MAX).await;
    assert_eq!(left(0).await, 100);
    give_back(1).await;
    let exists: bool = corner.ask("EXISTS", "a").await;
    assert!(!exists, "a full bucket takes no room");
    assert_eq!(left(100).await, 0);
    assert!(!is_granted(&buckets.take("a", 1, limit).await.expect("an answer")));
    corner.clear().await;
}

#[tokio::test]
async fn all_or_none() {
    let corner = Corner::new().await;
    let buckets = corner.buckets();
    let charge = |key, capacity, points| Charge { key, points, limit: Limit::per_minute(capacity, 1) };
    let charges = [charge("address", 20, 1), charge("account", 2, 1), charge("both", 3, 2)];
    let taken = buckets.take_all(&charges).await.expect("an answer");
    let Taken::Granted(Level { charge: 1 | 2, available: 1, .. }) = taken else { panic!("{taken:?}") };
    let before = [corner.state("address").await, corner.state("account").await, corner.state("both").await];
    let taken = buckets.take_all(&charges).await.expect("an answer");
    let Taken::Refused { retry_after: Some(wait), level } = taken else { panic!("{taken:?}") };
    assert_eq!((level.charge, level.available), (2, 1));
    assert!(wait <= Duration::from_secs(60) && wait > Duration::from_secs(55), "{wait:?}");
    let after = [corner.state("address").await, corner.state("account").await, corner.state("both").await];
    assert_eq!(after, before);
    // Named twice, it pays twice.
    let twice = [charge("twice", 10, 3), charge("twice", 10, 4)];
    assert_eq!(level_of(&buckets, &twice).await.available, 3);
    assert_eq!(level_of(&buckets, &twice[..1]).await.available, 0);
    let never = [charge("address", 20, 1), charge("never", 2, 3)];
    for (index, charges) in [(1, never), (0, [never[1], never[0]])] {
        let taken = buckets.take_all(&charges).await.expect("an answer");
        let Taken::Refused { retry_after: None, level } = taken else { panic!("{taken:?}") };
        assert_eq!((level.charge, level.available), (index, 2));
        assert_eq!(corner.state("address").await, before[0]);
    }
    assert_eq!(buckets.take_all(&[]).await.expect("an answer"), Taken::Granted(Level::default()));
    corner.clear().await;
}

async fn level_of(buckets: &Buckets, charges: &[Charge<'_>]) -> Level {
    level(&buckets.take_all(charges).await.expect("an answer"))
}

#[tokio::test]
async fn keys_expire_when_the_bucket_is_full_again() {
    let corner = Corner::new().await;
    let buckets = corner.buckets();
    // A point refills in 100 ms. The bounds leave a busy machine three seconds.
    let limit = Limit::per_second(1000, 10);
    let take = async |points| is_granted(&buckets.take("a", points, limit).await.expect("an answer"));
    let left = async || corner.ask::<i64>("PTTL", "a").await;
    assert!(take(500).await);
    assert!((47_000..=50_001).contains(&left().await), "{} ms", left().await);
    assert!(take(500).await);
    assert!((97_000..=100_001).contains(&left().await), "{} ms", left().await);
    buckets.give_back("a", 700, limit).await.expect("an answer");
    assert!((27_000..=30_001).contains(&left().await), "{} ms", left().await);
    // Refused, nothing changes; a key that stayed for good would say -1.
    assert!(!take(1000).await);
    assert!((27_000..=30_001).contains(&left().await), "{} ms", left().await);
    buckets.give_back("a", 295, limit).await.expect("an answer");
    let last = left().await;
    assert!(last <= 501, "{last} ms");
    tokio::time::sleep(Duration::from_millis(502)).await;
    assert!(!corner.ask::<bool>("EXISTS", "a").await);
    assert!(take(1000).await);
    corner.clear().await;
}

#[tokio::test]
async fn retry_after_is_true_of_redis_too() {
    let corner = Corner::new().await;
    let buckets = corner.buckets();
    let limit = Limit::per_second(10, 2);
    assert!(is_granted(&buckets.take("a", 10, limit).await.expect("an answer")));
    let taken = buckets.take("a", 6, limit).await.expect("an answer");
    let Taken::Refused { retry_after: Some(wait), .. } = taken else { panic!("{taken:?}") };
    assert!(wait <= Duration::from_secs(3) && wait > Duration::from_secs(1), "{wait:?}");
    tokio::time::sleep(wait / 3).await;
    assert!(!is_granted(&buckets.take("a", 6, limit).await.expect("an answer")));
    tokio::time::sleep(wait * 2 / 3).await;
    assert!(is_granted(&buckets.take("a", 6, limit).await.expect("an answer")));
    corner.clear().await;
}

#[tokio::test]
async fn a_clock_that_was_set_back_stops_no_one_for_long() {
    let corner = Corner::new().await;
    let buckets = corner.buckets();
    let limit = Limit::per_second(10, 100);
    corner.set("a", 10 * POINT, corner.now().await + 3_600_000_000).await;
    let taken = buckets.take("a", 5, limit).await.expect("an answer");
    assert!(
        matches!(taken, Taken::Refused { retry_after: Some(wait), .. } if wait == Duration::from_millis(50))
    );
    let left: i64 = corner.ask("PTTL", "a").await;
    assert!(left > 0, "it still expires");
    tokio::time::sleep(Duration::from_millis(51)).await;
    assert!(is_granted(&buckets.take("a", 5, limit).await.expect("an answer")));
    corner.clear().await;
}
