//! A synthetic card market of any size, for demonstrations and measurements. Nothing in it is real.
//!
//! The same plan gives the same market on every machine and in whatever order it is asked for: each set, card
//! and series draws from a ChaCha8 stream of its own, and no figure rests on a mathematical function of the
//! platform, whose last bit differs from one to the next. A card is computed from its index, so a market is
//! streamed; what [`GeneratedMarket`] holds are the sets and the reprints of the days asked for.
//!
//! A *piece* is what the game's rules call a card, and has an oracle id; a card here is one of its printings.
//!
//! | What                  | Figures |
//! |-----------------------|---------|
//! | Sets                  | newest 3 weeks old, first up to 30 years, in between more of late; 0.6 to 1.4 times the mean number of cards; expansion 72 %, commander 16 %, core 12 % |
//! | Reprints              | 35 % of the printings at first, more the more cards there are: 2,000 cards are some 1,300 pieces, 100,000 some 23,000 |
//! | Kinds                 | creature 47 %, legendary creature 4.5 %, instant 11 %, sorcery 11 %, artifact 8.5 %, enchantment 8.5 %, land 5 %, two-faced 2 %, token 1.5 %, planeswalker 1 % |
//! | Rarity                | common 45 %, uncommon 32 %, rare 18 %, mythic 5 %; tokens are common, planeswalkers mythic |
//! | Finishes              | nonfoil and foil 80 %, nonfoil 12 %, foil 5 %, all three 2 %, etched 1 % |
//! | Marks                 | promo 3 %, digital 2 %, a letter after the collector number 1.5 %; of the pieces, banned 0.4 % |
//! | Median price          | in dollars, when new: common 0.12, uncommon 0.25, rare 1.20, mythic 6.00; 3 % more a year of age |
//! | Chase cards           | 2 % of the rares and mythics, at 8 times the price |
//! | Daily change          | standard deviation 0.8 to 2.5 %; every fourth card has a trend of up to 0.6 % |
//! | Jumps                 | one in 400 card-days, up or down 15 to 60 %; half of it passes, with a half-life of 6.6 days |
//! | Reprint in the window | earlier printings lose 20 to 50 % on its day of release |
//! | Marketplaces          | 1 to 5: USD, USD, EUR, USD, TIX; the first and the third give low, mid, high and market prices |
//! | Retail                | near mint in the card's first finish: every card, marketplace and day |
//! | Foil                  | from 30 days on: first marketplace, 30 % of the cards with both finishes, 1.3 to 4 times the price |
//! | Buylist               | from 30 days on: first marketplace, once a week, the dearer half, 45 to 65 % of retail |
//! | Users                 | where asked for: up to 40 items of 1 to 4 copies, near mint 70 %, 60 % with the price paid; up to 5 wants, 70 % with a target |

mod cards;
mod names;
mod pieces;
mod prices;
mod texts;
mod users;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc, Weekday};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::domain::catalogue::record::{CardRecord, SetRecord};
use crate::domain::market::record::MarketplaceRecord;
use names::Named;
pub use prices::GeneratedSeries;

/// How large a market is to be, and which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketPlan {
    /// 1 to 466,560; a figure outside counts as the nearest within.
    pub sets: u32,
    /// Names are unique up to 1,500,000.
    pub cards: u32,
    /// How many days of prices there are, one point a day.
    pub days: u32,
    /// 1 to 5; a figure outside counts as the nearest within.
    pub marketplaces: u8,
    /// Chooses among the markets of this size.
    pub seed: u64,
    /// The day of the last prices; sets are released before it.
    pub last_day: NaiveDate,
}

/// The market of a plan.
#[derive(Debug, Clone)]
pub struct GeneratedMarket {
    plan: MarketPlan,
    /// Scatters the names.
    salt: u64,
    /// Oldest first; at least one.
    sets: Vec<GeneratedSet>,
    /// When the prices are observed, in order.
    midnights: Vec<DateTime<Utc>>,
    /// Those within the days of the prices, by piece.
    reprints: Vec<Reprint>,
}

#[derive(Debug, Clone)]
struct GeneratedSet {
    record: SetRecord,
    /// Before the last day of the plan.
    age_days: u32,
    /// The index of its first card.
    first_card: u32,
}

/// A later printing of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Reprint {
    piece: u32,
    age_days: u32,
}

/// What draws from a stream of random numbers of its own.
#[derive(Debug, Clone, Copy)]
enum Stream {
    Sets,
    /// Which piece a card prints.
    Origin(u32),
    Piece(u32),
    Printing(u32),
    /// How dear a piece is.
    Demand(u32),
    /// The course of a card's price.
    Course(u32),
    /// What a marketplace asks for a card.
    Retail(u32, u8),
    Foil(u32),
    Buylist(u32),
    /// Who somebody is, and what they hold and want.
    User(u32),
}

impl Stream {
    /// Different for every stream.
    fn number(self) -> u64 {
        let (purpose, card): (u8, u32) = match self {
            Self::Sets => (0, 0),
            Self::Origin(card) => (1, card),
            Self::Piece(card) => (2, card),
            Self::Printing(card) => (3, card),
            Self::Demand(card) => (4, card),
            Self::Course(card) => (5, card),
            Self::Foil(card) => (6, card),
            Self::Buylist(card) => (7, card),
            Self::Retail(card, marketplace) => (8 + marketplace, card),
            Self::User(user) => (16, user),
        };
        u64::from(purpose) << 32 | u64::from(card)
    }
}

impl GeneratedMarket {
    /// Lays out the sets; nothing of a card is computed but which pieces the newest sets reprint.
    pub fn new(plan: MarketPlan) -> Self {
        let mut rng = stream(plan.seed, Stream::Sets);
        let salt = rng.next_u64();
        let midnights = (0..plan.days)
            .rev()
            .map(|age| days_before(plan.last_day, age).and_time(NaiveTime::MIN).and_utc())
            .collect();
        let sets = generate_sets(&plan, salt, &mut rng);
        let mut market = Self { plan, salt, sets, midnights, reprints: Vec::new() };
        market.reprints = market.reprints_in_window();
        market
    }

    pub fn card_count(&self) -> u64 {
        self.plan.cards.into()
    }

    pub fn sets(&self) -> impl Iterator<Item = SetRecord> + '_ {
        self.sets.iter().map(|set| set.record.clone())
    }

    /// As many as planned, grouped by set, in the order of [`Self::sets`].
    pub fn cards(&self) -> impl Iterator<Item = CardRecord> + '_ {
        (0..self.plan.cards).map(|index| self.card(index))
    }

    /// The marketplaces that [`GeneratedSeries::marketplace`] counts.
    pub fn marketplaces(&self) -> Vec<MarketplaceRecord> {
        prices::marketplaces(self.plan.marketplaces)
    }

    fn rng(&self, of: Stream) -> ChaCha8Rng {
        stream(self.plan.seed, of)
    }

    fn set_of(&self, card: u32) -> &GeneratedSet {
        // The first set begins at card 0, so at least one begins at or before any card.
        &self.sets[self.sets.partition_point(|set| set.first_card <= card) - 1]
    }

    /// The index of the first card that prints the same piece.
    ///
    /// A printing is of a new piece with the chance 0.65 / (1 + index / 20,000), else of the piece of any
    /// card of the earlier sets: a piece is reprinted the more often the more often it was (Yule's process),
    /// as in the real game.
    fn piece_of(&self, mut card: u32) -> u32 {
        loop {
            let mut rng = self.rng(Stream::Origin(card));
            let earlier = self.set_of(card).first_card;
            if earlier == 0 || rng.random::<f64>() < 0.65 / (1.0 + f64::from(card) / 20_000.0) {
                return card;
            }
            card = rng.random_range(0..earlier);
        }
    }

    fn reprints_in_window(&self) -> Vec<Reprint> {
        let recent = self.sets.partition_point(|set| set.age_days >= self.plan.days);
        let first_card = self.sets.get(recent).map_or(self.plan.cards, |set| set.first_card);
        let mut reprints: Vec<_> = (first_card..self.plan.cards)
            .map(|card| (card, self.piece_of(card)))
            .filter(|(card, piece)| piece != card)
            .map(|(card, piece)| Reprint { piece, age_days: self.set_of(card).age_days })
            .collect();
        reprints.sort_unstable();
        reprints.dedup();
        reprints
    }
}

fn stream(seed: u64, of: Stream) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(of.number());
    rng
}

fn days_before(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_sub_days(Days::new(days.into())).unwrap_or(NaiveDate::MIN)
}

/// Oldest first. The n-th newest of N sets is 21 + span · (n / (N − 1))^1.5 days old, so that sets come
/// faster of late; it is released on the Friday before that.
fn generate_sets(plan: &MarketPlan, salt: u64, rng: &mut impl Rng) -> Vec<GeneratedSet> {
    const NEWEST_DAYS: u32 = 21;
    const FIRST_DAYS: u32 = 30 * 365;
    const MOST_DAYS_BETWEEN: u32 = 550;

    let count = plan.sets.clamp(1, MAX_SETS);
    let span_days = (MOST_DAYS_BETWEEN * (count - 1)).min(FIRST_DAYS - NEWEST_DAYS);
    let weights: Vec<u64> = (0..count).map(|_| rng.random_range(60..=140)).collect();
    let total_weight: u64 = weights.iter().sum();

    let mut weight_before = 0;
    let mut sets = Vec::with_capacity(weights.len());
    for (number, weight) in (0..count).zip(weights) {
        let back = f64::from(count - 1 - number) / f64::from((count - 1).max(1));
        let age_days = NEWEST_DAYS + (f64::from(span_days) * back * back.sqrt()) as u32;
        let weekday = days_before(plan.last_day, age_days).weekday();
        let age_days = age_days + weekday.days_since(Weekday::Fri);
        let kind = match rng.random_range(0..100) {
            0..72 => "expansion",
            72..88 => "commander",
            _ => "core",
        };
        let record = SetRecord {
            code: set_code(number, count, salt),
            name: names::name(Named::Set, number, salt, rng).text,
            kind: kind.to_owned(),
            block: None,
            parent_code: None,
            released_on: Some(days_before(plan.last_day, age_days)),
            icon_url: None,
            digital: false,
        };
        let first_card = (u64::from(plan.cards) * weight_before / total_weight) as u32;
        sets.push(GeneratedSet { record, age_days, first_card });
        weight_before += weight;
    }
    sets
}

/// As many as there are codes of five characters.
const MAX_SETS: u32 = 10 * 36 * 36 * 36;

/// An `x`, a digit, then one to three letters or digits, as few as do for `count` sets: unlike any real code.
fn set_code(number: u32, count: u32, salt: u64) -> String {
    let codes = [360, 12_960].into_iter().find(|codes| count <= *codes).unwrap_or(MAX_SETS);
    let mut rest = scatter(number, salt, codes.into()) as u32;
    let mut place = codes / 10;
    let mut code = String::from("x");
    while place > 0 {
        code.extend(char::from_digit(rest / place, 36));
        (rest, place) = (rest % place, place / 36);
    }
    code
}

/// Permutes the numbers below a size, so that neighbours come to look nothing like each other.
///
/// Multiplying by an odd number and folding the high half onto the low each permute the numbers of so many
/// bits; a number that comes to lie outside the size is sent on until it is within (cycle walking, Black and
/// Rogaway 2002).
fn scatter(number: u32, salt: u64, size: u64) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15; // 2^64 divided by the golden ratio
    let bits = size.ilog2() + 1;
    let mask = (1 << bits) - 1;
    let mut scattered = u64::from(number) % size;
    loop {
        scattered ^= salt & mask;
        for _ in 0..3 {
            scattered = scattered.wrapping_mul(ODD) & mask;
            scattered ^= scattered >> bits.div_ceil(2);
        }
        if scattered < size {
            return scattered;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use uuid::Uuid;

    use super::*;

    pub(super) fn plan(sets: u32, cards: u32) -> MarketPlan {
        let last_day = NaiveDate::from_ymd_opt(2025, 6, 30).unwrap();
        MarketPlan { sets, cards, days: 90, marketplaces: 3, seed: 1, last_day }
    }

    pub(super) fn market(sets: u32, cards: u32) -> GeneratedMarket {
        GeneratedMarket::new(plan(sets, cards))
    }

    /// Of all that a market holds, in the words of its `Debug` output.
    fn digest(market: &GeneratedMarket) -> String {
        let sets: Vec<_> = market.sets().collect();
        let cards: Vec<_> = market.cards().collect();
        let series: Vec<_> = (0..market.plan.cards).map(|card| market.series(card)).collect();
        let all = format!("{sets:?}{:?}{cards:?}{series:?}", market.marketplaces());
        Uuid::new_v5(&Uuid::nil(), all.as_bytes()).to_string()
    }

    #[test]
    fn the_same_plan_gives_the_same_market_on_every_machine() {
        assert_eq!(digest(&market(10, 300)), "55e3e3c9-d768-555e-b4b2-b1bbbe11dbd6");
    }

    #[test]
    fn another_seed_gives_another_market() {
        let one = market(10, 300);
        let other = GeneratedMarket::new(MarketPlan { seed: 2, ..one.plan });
        let shared = |one: HashSet<String>, other: HashSet<String>| one.intersection(&other).count();
        let names = |market: &GeneratedMarket| market.cards().map(|card| card.name).collect();
        let ids =
            |market: &GeneratedMarket| market.cards().map(|card| card.scryfall_id.to_string()).collect();
        assert!(shared(names(&one), names(&other)) < 3);
        assert_eq!(shared(ids(&one), ids(&other)), 0);
        assert_ne!(one.series(0), other.series(0));
    }

    #[test]
    fn sets_have_codes_of_their_own_and_come_in_order() {
        for count in [1, 20, 400, 13_000] {
            let sets: Vec<_> = market(count, 1_000).sets().collect();
            assert_eq!(sets.len(), count as usize);
            assert_eq!(sets.iter().map(|set| &set.code).collect::<HashSet<_>>().len(), sets.len());
            assert_eq!(sets.iter().map(|set| &set.name).collect::<HashSet<_>>().len(), sets.len());
            assert!(sets.iter().all(|set| (3..=5).contains(&set.code.len()) && set.code.starts_with('x')));
            assert!(sets.is_sorted_by_key(|set| set.released_on));
        }
    }

    #[test]
    fn the_newest_set_is_weeks_old_and_the_first_thirty_years() {
        let market = market(100, 1_000);
        let ages: Vec<_> = market.sets.iter().map(|set| set.age_days).collect();
        assert!((21..28).contains(&ages[99]));
        assert!((30 * 365..30 * 365 + 7).contains(&ages[0]));
    }

    #[test]
    fn cards_are_grouped_by_set_and_every_set_has_some() {
        let market = market(40, 4_000);
        let mut codes: Vec<_> = market.cards().map(|card| card.set_code).collect();
        codes.dedup();
        assert_eq!(codes, market.sets().map(|set| set.code).collect::<Vec<_>>());
    }

    #[test]
    fn the_more_cards_the_more_of_them_are_reprints() {
        let pieces = |cards| {
            let market = market(100, cards);
            (0..cards).filter(|card| market.piece_of(*card) == *card).count()
        };
        assert!((1_200..1_350).contains(&pieces(2_000)));
        assert!((8_500..9_500).contains(&pieces(20_000)));
    }

    #[test]
    fn a_plan_out_of_bounds_gives_the_nearest_market() {
        let plan = MarketPlan { days: 0, marketplaces: 9, ..plan(0, 10) };
        let market = GeneratedMarket::new(plan);
        assert_eq!((market.sets().count(), market.marketplaces().len()), (1, 5));
        assert_eq!(market.cards().count(), 10);
        assert!(market.series(9).iter().all(|one| one.points.is_empty()));
    }

    #[test]
    fn scattered_numbers_are_all_different() {
        for (size, salt) in [(1, 5), (360, u64::MAX), (12_960, 7), (16_384, 0)] {
            let scattered: HashSet<_> = (0..size as u32).map(|number| scatter(number, salt, size)).collect();
            assert_eq!(scattered.len() as u64, size);
            assert!(scattered.iter().all(|number| *number < size));
        }
    }
}
