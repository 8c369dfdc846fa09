//! Equal items, and how copies of them add up.

use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::{Condition, Finish};
use entity::inventory_item::Model;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::check::{MOST_ITEMS, thousands};
use super::item::{COLUMNS, ItemRow};
use crate::db::{Count, Sql};
use crate::domain::market::Money;
use crate::error::{Code, Refusal, Result};

/// Said of copies whose price can't be joined with that of the copies there.
pub(super) const OTHER_CURRENCY: &str =
    "Its price is in another currency than that of the copies there, and was left out.";

/// What makes two items equal.
pub type Likeness = (i32, Finish, Condition, String);

pub(super) fn likeness(item: &Model) -> Likeness {
    (item.card_id, item.finish, item.condition, item.language.clone())
}

/// Of these cards all items that the user has.
pub(super) async fn load_items_of_cards(
    transaction: &impl ConnectionTrait,
    user: Uuid,
    cards: &[i32],
) -> Result<Vec<ItemRow>> {
    let mut sql = Sql::by_keys(transaction);
    sql.push("select ").push(COLUMNS).push(", cast(null as bigint) as sort_value");
    sql.push(" from inventory_items i where i.user_id = ").bind(user);
    sql.push(" and i.card_id").any_of_numbers(cards);
    Ok(sql.all(transaction).await?)
}

/// Refuses what would make an inventory too large; to be asked in the transaction that adds the items.
pub(super) async fn check_room(transaction: &impl ConnectionTrait, user: Uuid, added: i64) -> Result<()> {
    let mut sql = Sql::new(transaction);
    sql.push("select count(*) as n from inventory_items where user_id = ").bind(user);
    let there = sql.one::<Count>(transaction).await?.map_or(0, |count| count.n);
    check_total(there.saturating_add(added))
}

/// Refuses so many items.
pub(super) fn check_total(total: i64) -> Result<()> {
    if total > MOST_ITEMS {
        let [most, total] = [MOST_ITEMS, total].map(thousands);
        let message = format!("An inventory has at most {most} items, and this would make {total}.");
        return Err(Refusal::new(Code::Conflict, message).into());
    }
    Ok(())
}

/// The tags of both, each once.
pub(super) fn join_tags(there: &[String], more: &[String]) -> Vec<String> {
    let mut tags = there.to_vec();
    for tag in more {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    tags
}

/// What copies cost that come together, and what is to be said of it: the mean by quantity; where one of the two is not known
/// the other stands, and so does the first where they are in two currencies.
pub(super) fn join_prices(
    there: (Option<Money>, i32),
    more: (Option<Money>, i32),
) -> (Option<Money>, Option<&'static str>) {
    match (there.0, more.0) {
        (Some(paid), Some(new)) if paid.currency != new.currency => (Some(paid), Some(OTHER_CURRENCY)),
        (Some(paid), Some(new)) => {
            (Some(Money { amount: mean((paid.amount, there.1), (new.amount, more.1)), ..new }), None)
        }
        (paid, new) => (paid.or(new), None),
    }
}

/// The mean of two prices, each of so many copies; half a unit up.
fn mean(a: (i64, i32), b: (i64, i32)) -> i64 {
    let copies = i64::from(a.1) + i64::from(b.1);
    (a.0 * i64::from(a.1) + b.0 * i64::from(b.1) + copies / 2) / copies
}

/// Now, or the least moment after what was there: two changes never have the same.
pub(super) fn later_than(before: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    now.max(before + TimeDelta::microseconds(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_by_quantity_and_rounds_half_up() {
        assert_eq!(mean((100, 1), (200, 1)), 150);
        assert_eq!(mean((100, 3), (200, 1)), 125);
        assert_eq!(mean((1, 1), (2, 1)), 2, "1.5");
        assert_eq!(mean((999_999_999, 50_000), (999_999_999, 50_000)), 999_999_999);
    }
}
