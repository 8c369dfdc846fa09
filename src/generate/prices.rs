//! Marketplaces, and what they ask and pay.
//!
//! A card has one course of prices, which the marketplaces follow, each with a spread and noise of its own.
//! The course is `level · e^(anchor + walk + spike)`, in hundredths of a dollar. All three begin at 0 and
//! change daily:
//!
//! ```text
//! walk'   = (1 − κ) · walk + trend + σ · ε     κ = 0.01, ε a normal variate
//! spike'  = δ · spike + jump / 2               δ = 0.9, a half-life of 6.6 days
//! anchor' = anchor + jump / 2 − drop           drop: of the reprint released that day
//! ```
//!
//! The walk is an Ornstein–Uhlenbeck process in steps of a day: a geometric random walk that is drawn back.
//! What keeps long courses within bounds is that it strays by no more than about σ / √(2κ), seven times a
//! day's volatility, and a trend carries it no further than trend / κ.

use entity::enums::{Condition, Currency, Finish, PriceKind, Rarity};
use rand::{Rng, RngExt};

use super::cards::Printing;
use super::{GeneratedMarket, Stream};
use crate::domain::market::record::{MarketplaceRecord, PricePoint};

/// From so many days on there are foil and buylist prices.
const DAYS_FOR_FOIL_AND_BUYLIST: usize = 30;
/// The level that about half the cards are above, in hundredths of a dollar.
const MEDIAN_LEVEL: f64 = 31.0;

/// One series of a card's prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedSeries {
    /// The place in [`GeneratedMarket::marketplaces`].
    pub marketplace: usize,
    pub kind: PriceKind,
    pub finish: Finish,
    pub condition: Condition,
    /// In order of time.
    pub points: Vec<PricePoint>,
}

struct Marketplace {
    slug: &'static str,
    name: &'static str,
    currency: Currency,
    /// Its minor units to a hundredth of a dollar: the rate of its currency and how dear it is.
    rate: f64,
    /// Whether it gives the low, mid, high and market price too.
    quotes: bool,
}

const MARKETPLACES: [Marketplace; 5] = [
    Marketplace {
        slug: "harbor-games",
        name: "Harbor Games",
        currency: Currency::Usd,
        rate: 1.0,
        quotes: true,
    },
    Marketplace {
        slug: "thistle-and-quill",
        name: "Thistle & Quill",
        currency: Currency::Usd,
        rate: 1.06,
        quotes: false,
    },
    Marketplace {
        slug: "lantern-cards",
        name: "Lantern Cards",
        currency: Currency::Eur,
        rate: 0.88,
        quotes: true,
    },
    Marketplace {
        slug: "gatehouse-singles",
        name: "Gatehouse Singles",
        currency: Currency::Usd,
        rate: 0.95,
        quotes: false,
    },
    Marketplace {
        slug: "driftglass-exchange",
        name: "Driftglass Exchange",
        currency: Currency::Tix,
        rate: 0.6,
        quotes: false,
    },
];

/// The first of the five; at least one.
pub(super) fn marketplaces(count: u8) -> Vec<MarketplaceRecord> {
    let record = |marketplace: &Marketplace| MarketplaceRecord {
        slug: marketplace.slug.to_owned(),
        name: marketplace.name.to_owned(),
        currency: marketplace.currency,
        url: None,
    };
    first_marketplaces(count).iter().map(record).collect()
}

fn first_marketplaces(count: u8) -> &'static [Marketplace] {
    &MARKETPLACES[..usize::from(count).clamp(1, MARKETPLACES.len())]
}

impl GeneratedMarket {
    /// All series of the card of an index below the plan's number of cards.
    pub fn series(&self, index: u32) -> Vec<GeneratedSeries> {
        let printing = self.printing(index);
        let mut rng = self.rng(Stream::Course(index));
        let level = level(&printing, &mut self.rng(Stream::Demand(printing.piece)), &mut rng);
        let course = course(level, self.midnights.len(), &self.drop_days(&printing), &mut rng);
        let near_mint = |place: u8, kind, finish, points| GeneratedSeries {
            marketplace: place.into(),
            kind,
            finish,
            condition: Condition::NearMint,
            points,
        };

        let finish = printing.finishes.first();
        let mut all = Vec::with_capacity(MARKETPLACES.len() + 2);
        for (place, marketplace) in (0..).zip(first_marketplaces(self.plan.marketplaces)) {
            let points = self.asked(&course, marketplace, &mut self.rng(Stream::Retail(index, place)));
            all.push(near_mint(place, PriceKind::Retail, finish, points));
        }
        if self.midnights.len() < DAYS_FOR_FOIL_AND_BUYLIST {
            return all;
        }

        let mut rng = self.rng(Stream::Foil(index));
        if finish == Finish::Nonfoil && printing.has_foil() && rng.random_bool(0.3) {
            let multiple = rng.random_range(1.3..4.0);
            let foil: Vec<_> = course.iter().map(|price| price * multiple).collect();
            let points = self.asked(&foil, &MARKETPLACES[0], &mut rng);
            all.push(near_mint(0, PriceKind::Retail, Finish::Foil, points));
        }
        if level >= MEDIAN_LEVEL {
            let share = self.rng(Stream::Buylist(index)).random_range(0.45..0.65);
            let points = weekly(&all[0].points)
                .map(|retail| PricePoint::flat(retail.observed_at, minor_units(retail.price as f64 * share)))
                .collect();
            all.push(near_mint(0, PriceKind::Buylist, finish, points));
        }
        all
    }

    /// The days, counted from the first, on which later printings of the piece are released.
    fn drop_days(&self, printing: &Printing) -> Vec<usize> {
        let first = self.reprints.partition_point(|reprint| reprint.piece < printing.piece);
        self.reprints[first..]
            .iter()
            .take_while(|reprint| reprint.piece == printing.piece)
            .filter(|reprint| reprint.age_days < printing.age_days)
            .map(|reprint| self.midnights.len() - 1 - reprint.age_days as usize)
            .collect()
    }

    /// What a marketplace asks for a card of this course: off by a spread that stays, and noise that passes.
    fn asked(&self, course: &[f64], marketplace: &Marketplace, rng: &mut impl Rng) -> Vec<PricePoint> {
        let rate = marketplace.rate * (1.0 + 0.06 * normal(rng));
        let quotes = marketplace.quotes.then(|| Quotes::draw(rng));
        let mut noise = 0.0;
        let point = |(midnight, price): (&_, _)| {
            noise = 0.9 * noise + 0.015 * normal(rng);
            let price = price * rate * (1.0 + noise);
            let flat = PricePoint::flat(*midnight, minor_units(price));
            quotes.as_ref().map_or(flat, |quotes| quotes.around(price, flat))
        };
        self.midnights.iter().zip(course).map(point).collect()
    }
}

/// The last point and those whole weeks before it.
fn weekly(points: &[PricePoint]) -> impl Iterator<Item = &PricePoint> {
    points.iter().skip((points.len() + 6) % 7).step_by(7)
}

/// What else a marketplace says of a price, as multiples of it.
struct Quotes {
    low: f64,
    mid: f64,
    high: f64,
    market: f64,
}

impl Quotes {
    fn draw(rng: &mut impl Rng) -> Self {
        Self {
            low: rng.random_range(0.75..0.95),
            mid: rng.random_range(1.02..1.12),
            high: rng.random_range(1.3..2.4),
            market: rng.random_range(0.96..1.04),
        }
    }

    fn around(&self, price: f64, point: PricePoint) -> PricePoint {
        let quote = |multiple| Some(minor_units(price * multiple));
        PricePoint {
            low: quote(self.low),
            mid: quote(self.mid),
            high: quote(self.high),
            market: quote(self.market),
            ..point
        }
    }
}

/// Log-normal by rarity, more for old cards and for those much sought after; in hundredths of a dollar. Of
/// the variance, 64 % is the piece's, the rest the printing's own.
fn level(printing: &Printing, piece_rng: &mut impl Rng, printing_rng: &mut impl Rng) -> f64 {
    let (median, deviation, chase) = match printing.rarity {
        Rarity::Common => (12.0, 0.65, 1.0),
        Rarity::Uncommon => (25.0, 0.7, 1.0),
        Rarity::Rare => (120.0, 0.95, 8.0),
        Rarity::Mythic | Rarity::Special | Rarity::Bonus => (600.0, 0.95, 8.0),
    };
    let years = f64::from(printing.age_days) / 365.0;
    let demand = 0.8 * normal(piece_rng) + 0.6 * normal(printing_rng);
    let level = median * exp(deviation * demand + 0.03 * years);
    if piece_rng.random_bool(0.02) { level * chase } else { level }
}

/// The course of a card's price, a day each, as the head of this module describes it.
fn course(level: f64, days: usize, drop_days: &[usize], rng: &mut impl Rng) -> Vec<f64> {
    const PULL: f64 = 0.01;
    const SPIKE_LEFT: f64 = 0.9;

    let volatility = rng.random_range(0.008..0.025);
    let trend = if rng.random_bool(0.25) { rng.random_range(-0.006..0.006) } else { 0.0 };
    let (mut anchor, mut walk, mut spike) = (0.0, 0.0, 0.0);
    let step = |day| {
        walk += trend + volatility * normal(rng) - PULL * walk;
        spike *= SPIKE_LEFT;
        if rng.random_ratio(1, 400) {
            let half = jump(rng) / 2.0;
            anchor += half;
            spike += half;
        }
        if drop_days.contains(&day) {
            // The logarithms of 1 / 0.8 and 1 / 0.5.
            anchor -= rng.random_range(0.223..0.693);
        }
        level * exp(anchor + walk + spike)
    };
    (0..days).map(step).collect()
}

/// The logarithm of a jump of 15 to 60 %. More go up than down, so that the mean of the logarithms is 0.
fn jump(rng: &mut impl Rng) -> f64 {
    if rng.random_bool(0.64) { rng.random_range(0.140..0.470) } else { -rng.random_range(0.163..0.916) }
}

/// At least 0.01 and at most 9,999,999.99.
fn minor_units(amount: f64) -> i64 {
    (amount.round() as i64).clamp(1, 999_999_999)
}

/// Nearly a standard normal variate: the sum of four uniform ones (Irwin and Hall's distribution), which are
/// the quarters of one draw. Its tails end at ±3.46; those of the prices are the jumps.
fn normal(rng: &mut impl Rng) -> f64 {
    const SQRT_3: f64 = 1.732_050_807_568_877_2;
    let bits = rng.next_u64();
    let sum: u64 = (0..4).map(|quarter| bits >> (16 * quarter) & 0xffff).sum();
    // Each is uniform on 0..=65,535: of mean 32,767.5, and their sum of variance 65,536² / 3.
    (sum as f64 - 131_070.0) / 65_536.0 * SQRT_3
}

/// e^x to twelve digits for |x| below 700.
///
/// The platforms' own exponentials differ in the last bit, this one nowhere: it is x = k · ln 2 + r, then 2^k
/// times the series of e^r, of additions and multiplications only.
fn exp(x: f64) -> f64 {
    let power = (x * std::f64::consts::LOG2_E).round();
    let rest = x - power * std::f64::consts::LN_2;
    // Σ rⁿ / n! by Horner's rule; |r| is at most ln 2 / 2, so the terms left out are below 10⁻¹⁴.
    let series = (1..=11).rev().fold(1.0, |sum, n| 1.0 + rest / f64::from(n) * sum);
    series * f64::from_bits(((power as i64 + 1_023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::generate::MarketPlan;
    use crate::generate::tests::{market, plan};

    #[test]
    fn a_short_market_has_a_point_for_each_card_marketplace_and_day() {
        for marketplaces in 1..=5 {
            let market = GeneratedMarket::new(MarketPlan { days: 6, marketplaces, ..plan(10, 200) });
            let points: usize =
                (0..200).flat_map(|card| market.series(card)).map(|one| one.points.len()).sum();
            assert_eq!(points, 200 * usize::from(marketplaces) * 6);
        }
    }

    #[test]
    fn a_longer_market_has_foils_and_buylists_too() {
        let market = market(20, 1_000);
        let (mut foils, mut may_be_foil, mut buylists) = (0, 0, 0);
        for card in 0..1_000 {
            let series = market.series(card);
            let finishes = market.card(card).finishes;
            let (retail, more) = series.split_at(3);
            for (place, one) in retail.iter().enumerate() {
                assert_eq!(
                    (one.marketplace, one.kind, one.finish),
                    (place, PriceKind::Retail, finishes.first())
                );
                assert_eq!((one.condition, one.points.len()), (Condition::NearMint, 90));
            }
            may_be_foil += u32::from(finishes.first() == Finish::Nonfoil && market.printing(card).has_foil());
            for one in more {
                assert_eq!(one.marketplace, 0);
                match one.kind {
                    PriceKind::Retail => {
                        foils += u32::from(one.finish == Finish::Foil && one.points.len() == 90)
                    }
                    PriceKind::Buylist => buylists += u32::from(one.points.len() == 13),
                }
            }
        }
        assert!((0.25..0.35).contains(&(f64::from(foils) / f64::from(may_be_foil))));
        assert!((420..580).contains(&buylists), "{buylists}");
    }

    #[test]
    fn points_are_a_day_apart_and_end_on_the_last_day() {
        let market = market(5, 50);
        for one in (0..50).flat_map(|card| market.series(card)) {
            let last = one.points.last().map(|point| point.observed_at.naive_utc());
            assert_eq!(last, plan(5, 50).last_day.and_hms_opt(0, 0, 0));
            let step = TimeDelta::days(if one.kind == PriceKind::Buylist { 7 } else { 1 });
            assert!(one.points.windows(2).all(|pair| pair[1].observed_at - pair[0].observed_at == step));
        }
    }

    #[test]
    fn prices_stay_within_their_bounds_for_ten_years() {
        let market = GeneratedMarket::new(MarketPlan { days: 3_650, ..plan(10, 40) });
        for point in (0..40).flat_map(|card| market.series(card)).flat_map(|one| one.points) {
            let in_order = [point.low, Some(point.price), point.mid, point.high];
            let in_order: Vec<_> = in_order.into_iter().flatten().collect();
            assert!(in_order.is_sorted() && (in_order.len() == 4 || in_order.len() == 1), "{point:?}");
            assert_eq!(point.market.is_some(), point.low.is_some());
            assert!((1..100_000_000).contains(&point.price), "{point:?}");
        }
    }

    #[test]
    fn the_buylist_is_a_share_of_retail() {
        let market = market(5, 300);
        for series in (0..300).map(|card| market.series(card)) {
            let Some(buylist) = series.iter().find(|one| one.kind == PriceKind::Buylist) else {
                continue;
            };
            for (bought, sold) in buylist.points.iter().zip(weekly(&series[0].points)) {
                assert_eq!(bought.observed_at, sold.observed_at);
                let share = bought.price as f64 / sold.price as f64;
                assert!((0.40..0.70).contains(&share), "{share}");
            }
        }
    }

    #[test]
    fn the_median_price_rises_with_rarity() {
        let market = GeneratedMarket::new(MarketPlan { days: 1, ..plan(100, 3_000) });
        let median = |rarity| {
            let mut prices: Vec<_> = (0..3_000)
                .filter(|card| market.printing(*card).rarity == rarity)
                .map(|card| market.series(card)[0].points[0].price)
                .collect();
            prices.sort_unstable();
            prices[prices.len() / 2]
        };
        assert!((10..25).contains(&median(Rarity::Common)));
        assert!((25..50).contains(&median(Rarity::Uncommon)));
        assert!((120..250).contains(&median(Rarity::Rare)));
        assert!((600..1_300).contains(&median(Rarity::Mythic)));
    }

    #[test]
    fn marketplaces_follow_the_same_course() {
        let market = market(5, 500);
        for series in (0..500).map(|card| market.series(card)) {
            let dollars: Vec<f64> = series[..3]
                .iter()
                .zip(&MARKETPLACES)
                .map(|(one, marketplace)| one.points[89].price as f64 / marketplace.rate)
                .collect();
            if dollars[0] >= 100.0 {
                assert!(
                    dollars.iter().all(|price| (0.5..2.0).contains(&(price / dollars[0]))),
                    "{dollars:?}"
                );
            }
        }
    }

    #[test]
    fn another_marketplace_changes_nothing_for_the_others() {
        let few = GeneratedMarket::new(MarketPlan { days: 6, marketplaces: 2, ..plan(5, 50) });
        let more = GeneratedMarket::new(MarketPlan { days: 6, marketplaces: 5, ..plan(5, 50) });
        for card in 0..50 {
            assert_eq!(few.series(card)[..], more.series(card)[..2]);
        }
    }

    #[test]
    fn a_reprint_halves_the_price_at_worst_and_costs_a_fifth_at_least() {
        for seed in 0..100 {
            let course =
                |drop_days: &[usize]| course(1_000.0, 10, drop_days, &mut ChaCha8Rng::seed_from_u64(seed));
            let (usual, dropped) = (course(&[]), course(&[9]));
            assert_eq!(usual[..9], dropped[..9]);
            assert!((0.499..0.801).contains(&(dropped[9] / usual[9])));
        }
    }

    #[test]
    fn only_earlier_printings_drop_on_the_day_of_a_reprint() {
        let market = market(60, 3_000);
        let mut dropping = 0;
        for card in 0..3_000 {
            let printing = market.printing(card);
            let days = market.drop_days(&printing);
            assert!(days.iter().all(|day| 89 - (*day as u32) < printing.age_days));
            dropping += usize::from(!days.is_empty());
        }
        assert!(dropping > 20, "{dropping}");
    }

    #[test]
    fn the_exponential_is_that_of_the_platform_to_twelve_digits() {
        for hundredths in -2_000..2_000 {
            let x = f64::from(hundredths) / 100.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn the_normal_variate_has_mean_0_and_variance_1() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let sample: Vec<f64> = (0..20_000).map(|_| normal(&mut rng)).collect();
        let mean = sample.iter().sum::<f64>() / 20_000.0;
        let variance = sample.iter().map(|value| value * value).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    }
}
