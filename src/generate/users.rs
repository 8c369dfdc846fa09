//! Users, with what they hold and want of the market's cards.

use std::collections::HashSet;

use chrono::NaiveTime;
use entity::enums::{Condition, Currency, Finish, WantPriority};
use rand::{Rng, RngExt};

use super::names::{self, Named};
use super::{GeneratedMarket, Stream, days_before};
use crate::domain::catalogue::record::CardRecord;
use crate::domain::collection::{InventedItem, InventedUser, InventedWant};
use crate::domain::market::Money;

impl GeneratedMarket {
    /// The user of an index. Where there are fewer cards than somebody would hold, they hold fewer.
    pub fn user(&self, index: u32) -> InventedUser {
        let mut rng = self.rng(Stream::User(index));
        let name = names::name(Named::Legend, index, self.salt, &mut rng).text;
        let joined_on = days_before(self.plan.last_day, rng.random_range(30..1_000));
        let (held, wanted) = (rng.random_range(0..=40), rng.random_range(0..=5));
        let mut drawn = HashSet::new();
        let cards = self.draw(held, &mut drawn, &mut rng);
        let items = cards.into_iter().map(|card| {
            let finishes: Vec<Finish> = card.finishes.iter().collect();
            let condition = match rng.random_range(0..100) {
                0..70 => Condition::NearMint,
                70..85 => Condition::LightlyPlayed,
                85..93 => Condition::ModeratelyPlayed,
                93..98 => Condition::HeavilyPlayed,
                _ => Condition::Damaged,
            };
            InventedItem {
                card: card.scryfall_id,
                finish: finishes
                    .get(rng.random_range(0..finishes.len().max(1)))
                    .copied()
                    .unwrap_or(Finish::Nonfoil),
                condition,
                language: card.language,
                quantity: rng.random_range(1..=4),
                price: rng.random_bool(0.6).then(|| dollars(rng.random_range(5..=3_000))),
                acquired_on: days_before(self.plan.last_day, rng.random_range(0..700)),
            }
        });
        let items: Vec<InventedItem> = items.collect();
        let cards = self.draw(wanted, &mut drawn, &mut rng);
        let wants = cards.into_iter().map(|card| InventedWant {
            card: card.scryfall_id,
            quantity: rng.random_range(1..=4),
            priority: match rng.random_range(0..3) {
                0 => WantPriority::Low,
                1 => WantPriority::Medium,
                _ => WantPriority::High,
            },
            target: rng.random_bool(0.7).then(|| dollars(rng.random_range(5..=3_000))),
        });
        let wants: Vec<InventedWant> = wants.collect();
        InventedUser {
            number: index + 1,
            name,
            joined_at: joined_on.and_time(NaiveTime::MIN).and_utc(),
            items,
            wants,
        }
    }

    /// So many cards, fewer where one is drawn again.
    fn draw(&self, count: u32, drawn: &mut HashSet<u32>, rng: &mut impl Rng) -> Vec<CardRecord> {
        if self.plan.cards == 0 {
            return Vec::new();
        }
        let indices: Vec<u32> = (0..count).map(|_| rng.random_range(0..self.plan.cards)).collect();
        indices.into_iter().filter(|card| drawn.insert(*card)).map(|card| self.card(card)).collect()
    }
}

fn dollars(amount: i64) -> Money {
    Money { amount, currency: Currency::Usd }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{market, plan};
    use super::super::{GeneratedMarket, MarketPlan};
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_users_and_another_gives_others() {
        let (one, same) = (market(3, 60), market(3, 60));
        let other = GeneratedMarket::new(MarketPlan { seed: 2, ..plan(3, 60) });
        let users = |market: &GeneratedMarket| (0..20).map(|index| market.user(index)).collect::<Vec<_>>();
        assert_eq!(users(&one), users(&same));
        assert_ne!(users(&one), users(&other));
        let names: HashSet<_> = users(&one).into_iter().map(|user| user.name).collect();
        assert_eq!(names.len(), 20);
    }

    #[test]
    fn users_hold_and_want_what_the_market_has_each_card_once() {
        let market = market(3, 60);
        let ids: HashSet<_> = market.cards().map(|card| card.scryfall_id).collect();
        let users: Vec<_> = (0..50).map(|index| market.user(index)).collect();
        assert!(users.iter().map(|user| user.items.len()).sum::<usize>() > 500);
        assert!(users.iter().any(|user| !user.wants.is_empty()));
        for user in users {
            let drawn: Vec<_> = user
                .items
                .iter()
                .map(|item| item.card)
                .chain(user.wants.iter().map(|want| want.card))
                .collect();
            assert!(drawn.iter().all(|card| ids.contains(card)));
            assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), drawn.len());
            assert!((1..=50).contains(&user.name.chars().count()), "{}", user.name);
        }
        assert!(super::super::tests::market(1, 0).user(0).items.is_empty(), "no card, no items");
    }
}
