//! The arithmetic of buckets, with the clock handed in.

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
    let charges =
        [charge("address", 1, address), charge("account", 1, account), charge("address account", 1, both)];
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
    let Taken::Refused { retry_after, level } = memory.take_all(&turned, micros(0)) else { unreachable!() };
    assert_eq!((retry_after, level.charge), (Some(Duration::from_secs(60)), 0));
}

#[test]
fn a_bucket_named_twice_pays_twice() {
    let limit = Limit::per_minute(10, 10);
    let mut memory = Memory::new(10);
    let twice = |points| [charge("a", 3, limit), charge("a", points, limit)];
    assert_eq!(available(memory.take_all(&twice(4), micros(0))), 3);
    let Taken::Refused { retry_after, .. } = memory.take_all(&twice(4), micros(0)) else { unreachable!() };
    assert_eq!(retry_after, Some(Duration::from_secs(24)));
    let Taken::Refused { retry_after, .. } = memory.take_all(&twice(8), micros(0)) else { unreachable!() };
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
