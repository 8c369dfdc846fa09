//! A collection as a whole: what it is worth, what it cost, how that moved, and of what it consists. Sums are the
//! database's, in one statement each.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use entity::enums::{Condition, Currency, Finish, Rarity};
use sea_orm::{ActiveEnum, ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use super::values::prefix;
use crate::db::Sql;
use crate::domain::catalogue::attributes::{Color, Colors};
use crate::domain::market::{HistoryWindow, PriceChange};
use crate::error::Result;

/// What somebody holds, in sums. Amounts are in minor units of one currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdings {
    pub items: i64,
    /// Of all items.
    pub copies: i64,
    /// Printings.
    pub cards: i64,
    pub value: i64,
    /// Of the items whose price paid is known in the currency.
    pub cost: i64,
    /// Items whose price is not.
    pub without_cost: i64,
    pub gain: PriceChange,
    pub change_24h: PriceChange,
    pub change_7d: PriceChange,
}

#[derive(Debug, FromQueryResult)]
struct Sums {
    items: i64,
    copies: i64,
    cards: i64,
    value: i64,
    cost: i64,
    costed: i64,
    without_cost: i64,
    change_24h: i64,
    base_24h: i64,
    change_7d: i64,
    base_7d: i64,
}

/// A sum of amounts that stays within bounds: what all copies of all items cost can be more than 64 bits hold.
pub(super) fn sum(sql: &Sql, amount: &str) -> String {
    if sql.is_postgres() {
        format!("cast(least(coalesce(sum({amount}), 0), 9000000000000000000) as bigint)")
    } else {
        // Exact to 2^53, and never an error, as `sum` is beyond 2^63.
        format!("cast(min(total({amount}), 9000000000000000000) as integer)")
    }
}

/// ` from … where …`: somebody's items with their values. The user is named of the items alone: a planner that
/// does not know yet how many somebody has just added would else join all of the user's values to each of the user's items.
fn push_holdings(sql: &mut Sql, user: Uuid, join: &str) {
    sql.push(" from inventory_items i join item_values v on v.item_id = i.id").push(join);
    sql.push(" where i.user_id = ").bind(user);
}

/// What somebody holds. One statement.
///
/// # Errors
/// The database's.
pub async fn load_holdings(
    connection: &impl ConnectionTrait,
    user: Uuid,
    currency: Currency,
) -> Result<Holdings> {
    let mut sql = Sql::new(connection);
    let number = currency.to_value();
    let of = |column: &str| format!("v.{}_{column}", prefix(currency));
    let costed = |amount: &str| format!("case when i.price_currency = {number} then {amount} else 0 end");
    let sums = [
        ("copies", "i.quantity".to_owned()),
        ("value", of("value")),
        ("cost", costed("i.quantity * i.price_amount")),
        ("costed", costed(&of("value"))),
        ("without_cost", format!("case when i.price_currency = {number} then 0 else 1 end")),
        ("change_24h", of("change_24h")),
        ("base_24h", of("base_24h")),
        ("change_7d", of("change_7d")),
        ("base_7d", of("base_7d")),
    ];
    sql.push("select count(*) as items, count(distinct i.card_id) as cards");
    for (name, amount) in sums {
        let amount = sum(&sql, &amount);
        sql.push(&format!(", {amount} as {name}"));
    }
    push_holdings(&mut sql, user, "");
    let Some(sums) = sql.one::<Sums>(connection).await? else {
        return Ok(Holdings::default());
    };
    let change = |amount, base| PriceChange { amount, base: Some(base) };
    Ok(Holdings {
        items: sums.items,
        copies: sums.copies,
        cards: sums.cards,
        value: sums.value,
        cost: sums.cost,
        without_cost: sums.without_cost,
        gain: change(sums.costed - sums.cost, sums.cost),
        change_24h: change(sums.change_24h, sums.base_24h),
        change_7d: change(sums.change_7d, sums.base_7d),
    })
}

/// What holdings are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AllocationKey {
    Set,
    Rarity,
    Color,
    Finish,
    Condition,
}

/// A part of somebody's holdings. The parts of one division have all items, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// A set's code, or the name of what its items have in common: `RARE`, `WHITE`, `MULTICOLOR`, `COLORLESS`, `FOIL`.
    pub key: String,
    pub items: i64,
    pub value: i64,
}

/// Somebody's holdings, divided; the most valuable part first. One statement.
///
/// # Errors
/// The database's.
pub async fn load_allocation(
    connection: &impl ConnectionTrait,
    user: Uuid,
    currency: Currency,
    by: AllocationKey,
) -> Result<Vec<Slice>> {
    #[derive(FromQueryResult)]
    struct Part {
        key: String,
        items: i64,
        value: i64,
    }
    let (column, of_card) = match by {
        AllocationKey::Set => ("c.set_code", true),
        AllocationKey::Rarity => ("c.rarity", true),
        AllocationKey::Color => ("c.colors", true),
        AllocationKey::Finish => ("i.finish", false),
        AllocationKey::Condition => ("i.condition", false),
    };
    let mut sql = Sql::new(connection);
    let value = sum(&sql, &format!("v.{}_value", prefix(currency)));
    sql.push(&format!("select cast({column} as text) as key, count(*) as items, {value} as value"));
    push_holdings(&mut sql, user, if of_card { " join cards c on c.id = i.card_id" } else { "" });
    sql.push(&format!(" group by {column}"));
    let mut parts: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for part in sql.all::<Part>(connection).await? {
        let (items, value) = parts.entry(name_of(by, part.key)).or_default();
        *items += part.items;
        *value = value.saturating_add(part.value);
    }
    let mut slices: Vec<Slice> =
        parts.into_iter().map(|(key, (items, value))| Slice { key, items, value }).collect();
    slices.sort_by(|a, b| b.value.cmp(&a.value).then_with(|| a.key.cmp(&b.key)));
    Ok(slices)
}

/// What a part is called, by the value that its items have in the table.
fn name_of(by: AllocationKey, stored: String) -> String {
    let number = stored.parse::<i16>();
    let name = match (by, number) {
        (AllocationKey::Rarity, Ok(number)) => {
            Rarity::try_from_value(&number).ok().map(|rarity| match rarity {
                Rarity::Common => "COMMON",
                Rarity::Uncommon => "UNCOMMON",
                Rarity::Rare => "RARE",
                Rarity::Mythic => "MYTHIC",
                Rarity::Special => "SPECIAL",
                Rarity::Bonus => "BONUS",
            })
        }
        (AllocationKey::Finish, Ok(number)) => {
            Finish::try_from_value(&number).ok().map(|finish| match finish {
                Finish::Nonfoil => "NONFOIL",
                Finish::Foil => "FOIL",
                Finish::Etched => "ETCHED",
            })
        }
        (AllocationKey::Condition, Ok(number)) => {
            Condition::try_from_value(&number).ok().map(|condition| match condition {
                Condition::NearMint => "NEAR_MINT",
                Condition::LightlyPlayed => "LIGHTLY_PLAYED",
                Condition::ModeratelyPlayed => "MODERATELY_PLAYED",
                Condition::HeavilyPlayed => "HEAVILY_PLAYED",
                Condition::Damaged => "DAMAGED",
            })
        }
        (AllocationKey::Color, Ok(bits)) => {
            let colors: Vec<Color> = Colors::from_bits(bits).iter().collect();
            Some(match colors.as_slice() {
                [] => "COLORLESS",
                [Color::White] => "WHITE",
                [Color::Blue] => "BLUE",
                [Color::Black] => "BLACK",
                [Color::Red] => "RED",
                [Color::Green] => "GREEN",
                _ => "MULTICOLOR",
            })
        }
        _ => None,
    };
    name.map_or(stored, str::to_owned)
}

/// What holdings were worth at a day's end, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValuePoint {
    pub time: DateTime<Utc>,
    pub value: i64,
}

/// Points of a history at most.
const MOST_POINTS: usize = 400;

/// What somebody's holdings were worth, oldest first: at the end of each day that the store had prices of, and now. One
/// statement beside that for the value now.
///
/// # Errors
/// The database's.
pub async fn load_value_history(
    connection: &impl ConnectionTrait,
    user: Uuid,
    currency: Currency,
    window: HistoryWindow,
    now: DateTime<Utc>,
) -> Result<Vec<ValuePoint>> {
    #[derive(FromQueryResult)]
    struct Day {
        day: NaiveDate,
        value: i64,
    }
    let today = now.date_naive();
    let mut sql = Sql::new(connection);
    sql.push("select day, value from portfolio_days where user_id = ").bind(user);
    sql.push(" and currency = ").bind(currency.to_value()).push(" and day < ").bind(today);
    if let HistoryWindow::Days(days) = window {
        sql.push(" and day >= ").bind(today - TimeDelta::days(days.into()));
    }
    sql.push(" order by day");
    let days = sql.all::<Day>(connection).await?;
    // Of a long history every so many days, counted from the end.
    let step = days.len().div_ceil(MOST_POINTS - 1).max(1);
    let first = days.len() % step;
    let at = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
    let kept = days.iter().skip(first).step_by(step);
    Ok(kept.map(|day| ValuePoint { time: at(day.day), value: day.value }).collect())
}
