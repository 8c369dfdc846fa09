//! What stands along the two axes: round amounts, and dates at the beginning of an hour, a day, a month or a year.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};

const MOST_STEPS: i128 = 5;
const LEAST_STEPS: i128 = 3;

/// The axis of the amounts, in hundredths. Wider numbers than those of the points, for the steps above the highest.
pub(super) struct Amounts {
    bottom: i128,
    top: i128,
    step: i128,
}

impl Amounts {
    /// From three to five steps, each of one, two or five times a power of ten, that cover all from low to high.
    pub(super) fn covering(low: i64, high: i64) -> Self {
        let (low, high) = (i128::from(low.max(0)), i128::from(high.max(0)));
        // A tenth of the amount at least, so that a change of a cent does not look like a fall.
        let widened = ((high / 10).max(10) - (high - low)).max(0) / 2;
        let (low, high) = ((low - widened).max(0), high + widened);
        let mut power = 1;
        loop {
            for step in [power, 2 * power, 5 * power] {
                let (first, last) = (low / step, (high + step - 1) / step);
                if last - first <= MOST_STEPS {
                    let last = last.max(first + LEAST_STEPS);
                    return Self { bottom: first * step, top: last * step, step };
                }
            }
            power *= 10;
        }
    }

    /// Where the amount is, from 0 at the bottom to 1 at the top.
    pub(super) fn share(&self, amount: i128) -> f64 {
        (amount - self.bottom) as f64 / (self.top - self.bottom) as f64
    }

    /// The amount of each tick and its label.
    pub(super) fn ticks(&self) -> Vec<(i128, String)> {
        let (one, suffix) = magnitude(self.top);
        let is_whole = |places: &usize| self.step * 10_i128.pow(*places as u32) % one == 0;
        let places =
            if suffix.is_empty() { [0, 2].into_iter().find(is_whole) } else { (0..4).find(is_whole) };
        let label = |amount| format!("{}{suffix}", decimal(amount, one, places.unwrap_or(2)));
        let amounts = std::iter::successors(Some(self.bottom), |amount| Some(amount + self.step));
        amounts.take_while(|amount| *amount <= self.top).map(|amount| (amount, label(amount))).collect()
    }
}

/// The amount in full: `1,234.56`.
pub(super) fn full(amount: i64) -> String {
    decimal(i128::from(amount.max(0)), 100, 2)
}

/// The amount in ten characters at most: from a million on rounded, `1.23M`.
pub(super) fn short(amount: i64) -> String {
    let amount = i128::from(amount.max(0));
    let (one, suffix) = magnitude(amount);
    format!("{}{suffix}", decimal((amount * 100 + one / 2) / one, 100, 2))
}

/// How many hundredths are one of what the amount is counted in, and what that is called.
fn magnitude(amount: i128) -> (i128, &'static str) {
    match amount {
        ..=99_999_999 => (100, ""),
        100_000_000..=99_999_999_999 => (100_000_000, "M"),
        100_000_000_000..=99_999_999_999_999 => (100_000_000_000, "B"),
        _ => (100_000_000_000_000, "T"),
    }
}

fn decimal(amount: i128, one: i128, places: usize) -> String {
    let digits = (amount / one).to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if places > 0 {
        let fraction = amount % one * 10_i128.pow(places as u32) / one;
        text.push_str(&format!(".{fraction:0places$}"));
    }
    text
}

const HOUR_MS: i64 = 60 * 60 * 1_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The axis of the times, in milliseconds of Unix time.
pub(super) struct Times {
    start: i64,
    end: i64,
}

impl Times {
    /// From first to last, and more where that is too little for ticks: a single point is in the middle of days.
    pub(super) fn covering(first: DateTime<Utc>, last: DateTime<Utc>) -> Self {
        let (start, end) = (first.timestamp_millis(), last.timestamp_millis());
        let least = if start == end { 4 * DAY_MS } else { 6 * HOUR_MS };
        let widened = (least - (end - start)).max(0) / 2;
        Self { start: start - widened, end: end + widened }
    }

    /// Where the time is, from 0 at the start to 1 at the end.
    pub(super) fn share(&self, time: DateTime<Utc>) -> f64 {
        (time.timestamp_millis() - self.start) as f64 / (self.end - self.start) as f64
    }

    /// The time of each tick and its label: four to six, in the largest unit that begins as often.
    pub(super) fn ticks(&self) -> Vec<(DateTime<Utc>, String)> {
        let units = [Unit::Years, Unit::Months, Unit::Hours(24), Unit::Hours(6), Unit::Hours(1)];
        units.into_iter().find_map(|unit| self.ticks_in(unit)).unwrap_or_default()
    }

    /// None where the unit begins less than four times.
    fn ticks_in(&self, unit: Unit) -> Option<Vec<(DateTime<Utc>, String)>> {
        let first = unit.number(DateTime::from_timestamp_millis(self.start)?);
        let first = if unit.beginning(first)?.timestamp_millis() < self.start { first + 1 } else { first };
        let last = unit.number(DateTime::from_timestamp_millis(self.end)?);
        if last - first < 3 {
            return None;
        }
        let step = (last - first + 4) / 5;
        // Every third month is rather January, April and so on, where that leaves enough of them.
        let round = first + (step - first.rem_euclid(step)) % step;
        let first = if last - round >= 3 * step { round } else { first };
        let numbers = std::iter::successors(Some(first), |number| Some(number + step));
        let times = numbers.take_while(|number| *number <= last).filter_map(|number| unit.beginning(number));
        Some(times.map(|time| (time, time.format(unit.format()).to_string())).collect())
    }
}

/// What the ticks of an axis of times count, each of them numbered.
#[derive(Clone, Copy)]
enum Unit {
    Years,
    Months,
    Hours(i64),
}

impl Unit {
    fn number(self, time: DateTime<Utc>) -> i64 {
        match self {
            Self::Years => time.year().into(),
            Self::Months => i64::from(time.year()) * 12 + i64::from(time.month0()),
            Self::Hours(hours) => time.timestamp_millis().div_euclid(hours * HOUR_MS),
        }
    }

    fn beginning(self, number: i64) -> Option<DateTime<Utc>> {
        let month = |year: i64, month0: i64| {
            let day = NaiveDate::from_ymd_opt(year.try_into().ok()?, u32::try_from(month0).ok()? + 1, 1)?;
            Some(day.and_time(NaiveTime::MIN).and_utc())
        };
        match self {
            Self::Years => month(number, 0),
            Self::Months => month(number.div_euclid(12), number.rem_euclid(12)),
            Self::Hours(hours) => DateTime::from_timestamp_millis(number.checked_mul(hours * HOUR_MS)?),
        }
    }

    fn format(self) -> &'static str {
        match self {
            Self::Years => "%Y",
            Self::Months => "%b %Y",
            Self::Hours(24) => "%-d %b %Y",
            Self::Hours(_) => "%-d %b %H:%M",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels<T>(ticks: Vec<(T, String)>) -> Vec<String> {
        ticks.into_iter().map(|(_, label)| label).collect()
    }

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).expect("a time").to_utc()
    }

    #[test]
    fn ticks_of_amounts_are_round_and_cover() {
        let edges =
            [0, 1, 2, 3, 7, 10, 99, 100, 520, 999, 1_000, 1_449, 1_999, 12_345, 987_654_321, i64::MAX - 1];
        let pairs =
            edges.iter().flat_map(|low| edges.iter().chain([&i64::MAX]).map(move |high| (*low, *high)));
        let dense = (0..60).flat_map(|low| (low..200).map(move |high| (low, high)));
        for (low, high) in pairs.chain(dense).filter(|(low, high)| low <= high) {
            let axis = Amounts::covering(low, high);
            let ticks = axis.ticks();
            assert!((4..=6).contains(&ticks.len()), "{low} to {high}: {ticks:?}");
            assert!(axis.bottom >= 0 && axis.bottom <= i128::from(low) && axis.top >= i128::from(high));
            assert_eq!(ticks.last().map(|(amount, _)| *amount), Some(axis.top));
            let step = axis.step.to_string();
            assert!(["1", "2", "5"].contains(&step.trim_end_matches('0')), "{step}");
            assert!(ticks.iter().all(|(amount, _)| amount % axis.step == 0));
            let mut distinct = labels(ticks);
            distinct.dedup();
            assert_eq!(distinct.len(), axis.ticks().len(), "{low} to {high}: {distinct:?}");
            assert!(
                (0.0..=1.0).contains(&axis.share(low.into()))
                    && (0.0..=1.0).contains(&axis.share(high.into()))
            );
        }
    }

    #[test]
    fn amounts_are_labelled_as_short_as_they_may_be() {
        assert_eq!(
            labels(Amounts::covering(0, 50).ticks()),
            ["0.00", "0.10", "0.20", "0.30", "0.40", "0.50"]
        );
        assert_eq!(labels(Amounts::covering(9_900, 20_100).ticks()), ["50", "100", "150", "200", "250"]);
        assert_eq!(
            labels(Amounts::covering(120_000_000, 220_000_000).ticks()),
            ["1.2M", "1.4M", "1.6M", "1.8M", "2.0M", "2.2M"]
        );
        assert_eq!(full(123_456_789), "1,234,567.89");
        assert_eq!(full(5), "0.05");
        assert_eq!(short(99_999_999), "999,999.99");
        assert_eq!(short(123_456_789), "1.23M");
        assert_eq!(short(i64::MAX), "92,233.72T");
        assert_eq!(short(-1), "0.00");
    }

    #[test]
    fn ticks_of_times_are_four_to_six_within() {
        let first = at("2025-12-29T17:31:07Z");
        for minutes in (0..40_000).chain((40_000..30_000_000).step_by(9_973)) {
            let last = first + chrono::Duration::minutes(minutes);
            let axis = Times::covering(first, last);
            let ticks = axis.ticks();
            assert!((4..=6).contains(&ticks.len()), "{minutes}: {:?}", labels(ticks));
            assert!(ticks.iter().all(|(time, _)| (0.0..=1.0).contains(&axis.share(*time))), "{minutes}");
            assert!((0.0..=1.0).contains(&axis.share(first)) && (0.0..=1.0).contains(&axis.share(last)));
        }
    }

    #[test]
    fn times_are_labelled_by_what_they_begin() {
        let ticks = |first, last| labels(Times::covering(at(first), at(last)).ticks());
        assert_eq!(
            ticks("2026-03-01T00:00:00Z", "2026-03-04T00:00:00Z"),
            ["1 Mar 2026", "2 Mar 2026", "3 Mar 2026", "4 Mar 2026"]
        );
        assert_eq!(
            ticks("2025-02-03T00:00:00Z", "2026-02-02T00:00:00Z"),
            ["Apr 2025", "Jul 2025", "Oct 2025", "Jan 2026"]
        );
        assert_eq!(
            ticks("2021-05-01T00:00:00Z", "2026-02-02T00:00:00Z"),
            ["2022", "2023", "2024", "2025", "2026"]
        );
        assert_eq!(
            ticks("2026-03-01T05:00:00Z", "2026-03-02T01:00:00Z"),
            ["1 Mar 06:00", "1 Mar 12:00", "1 Mar 18:00", "2 Mar 00:00"]
        );
    }

    #[test]
    fn the_ends_of_time_are_no_reason_to_fail() {
        let axis = Times::covering(DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
        assert!(axis.ticks().len() <= 6);
        assert!(Times::covering(DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MAX_UTC).ticks().is_empty());
    }
}
