//! What items are worth: a row an item, kept by whoever changes an item or a price, so that a list can be sorted by it and a
//! portfolio is a sum. See docs/adr/0015-values-of-holdings.md.

use std::collections::{BTreeSet, HashMap};

use entity::enums::Currency;
use sea_orm::{ActiveEnum, ConnectionTrait, FromQueryResult, Iterable};
use uuid::Uuid;

use crate::db::Sql;
use crate::domain::market::CONDITION_PER_MILLE;
use crate::error::Result;

/// What all copies of an item are worth in a currency, and how that has moved, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct HoldingValue {
    pub item_id: Uuid,
    pub currency: Currency,
    pub estimated: bool,
    pub value: i64,
    pub change_24h: i64,
    pub base_24h: i64,
    pub change_7d: i64,
    pub base_7d: i64,
}

/// The columns of each currency, after its own name.
const COLUMNS: [&str; 6] = ["value", "change_24h", "base_24h", "change_7d", "base_7d", "estimated"];

/// What a currency's columns of `item_values` begin with.
pub(super) fn prefix(currency: Currency) -> &'static str {
    match currency {
        Currency::Usd => "usd",
        Currency::Eur => "eur",
        Currency::Tix => "tix",
    }
}

/// Whose values are brought in step.
pub(super) enum Of<'a> {
    Items(&'a [Uuid]),
    /// Items that this transaction has made: they have none yet.
    New(&'a [Uuid]),
    /// All that hold one of these.
    Cards(&'a [i32]),
}

/// Computes what items are worth anew. Prices must not change meanwhile: see [`super::begin`].
///
/// A copy is worth the near-mint price times what its condition is worth, where no marketplace has a price for that
/// condition. A finish without a price is worth nothing: it is never taken for another. A copy in another language than
/// the printing's is worth what the printing is, for that is the only price there is.
///
/// # Errors
/// The database's.
pub(super) async fn refresh_values(connection: &impl ConnectionTrait, of: Of<'_>) -> Result<()> {
    let all: Vec<String> = Currency::iter()
        .flat_map(|currency| COLUMNS.map(|column| format!("{}_{column}", prefix(currency))))
        .collect();
    let mut sql = Sql::new(connection);
    sql.either("insert", "insert or fail");
    sql.push(" into item_values as v (item_id, user_id, ").push(&all.join(", "));
    sql.push(") select i.id, i.user_id");
    for currency in Currency::iter() {
        sql.push(&columns_of(currency));
    }
    sql.push(" from inventory_items i join cards c on c.id = i.card_id");
    for currency in Currency::iter() {
        // The price of the item's own condition (`e`), and that of near-mint copies (`n`). Each is looked up by its key: what
        // was just written has no figures yet, and a planner without them reads all prices six times.
        for (alias, condition) in [("e", "i.condition"), ("n", "0")] {
            let (name, number) = (format!("{alias}_{}", prefix(currency)), currency.to_value());
            let is_it = format!(
                "p.card_id = i.card_id and p.currency = {number} and p.finish = i.finish and p.condition = {condition}"
            );
            sql.either(
                &format!(
                    " left join lateral (select * from card_prices p where {is_it} offset 0) {name} on true"
                ),
                &format!(" left join card_prices {name} on {}", is_it.replace("p.", &format!("{name}."))),
            );
        }
    }
    let is_new = matches!(of, Of::New(_));
    match of {
        Of::Items(ids) | Of::New(ids) => sql.push(" where i.id").any_of_uuids(ids),
        Of::Cards(cards) => sql.push(" where i.card_id").any_of_numbers(cards),
    };
    if !is_new {
        let list =
            |of: &str| all.iter().map(|column| format!("{of}.{column}")).collect::<Vec<_>>().join(", ");
        let set: Vec<String> = all.iter().map(|column| format!("{column} = excluded.{column}")).collect();
        sql.push(" on conflict (item_id) do update set ").push(&set.join(", "));
        sql.push(&format!(" where ({}) <> ({})", list("v"), list("excluded")));
    }
    sql.run(connection).await?;
    Ok(())
}

/// The columns of a currency, each after a comma, in the order of [`COLUMNS`].
fn columns_of(currency: Currency) -> String {
    let (e, n) = (format!("e_{}", prefix(currency)), format!("n_{}", prefix(currency)));
    // Amounts and bases are never negative, so that both stores round them alike.
    let scaled = |amount: &str| format!("(({amount}) * {} + 500) / 1000", per_mille());
    let worth = |amount: &str| format!(", coalesce(i.quantity * ({amount}), 0)");
    let mut columns = worth(&format!("coalesce({e}.price, {})", scaled(&format!("{n}.price"))));
    for window in ["24h", "7d"] {
        let then = scaled(&format!("{n}.base_{window}"));
        let now = scaled(&format!("{n}.base_{window} + {n}.change_{window}"));
        columns += &worth(&format!(
            "case when {e}.card_id is null then {now} - {then} when {e}.base_{window} is null then 0 \
             else {e}.change_{window} end"
        ));
        columns +=
            &worth(&format!("case when {e}.card_id is not null then {e}.base_{window} else {then} end"));
    }
    columns
        + &format!(
            ", coalesce({e}.card_id, {n}.card_id) is not null and ({e}.card_id is null or i.language <> c.language)"
        )
}

/// What a copy in an item's condition is worth, in thousandths of a near-mint one.
fn per_mille() -> String {
    let cases: String = CONDITION_PER_MILLE
        .iter()
        .map(|(condition, figure)| format!(" when {} then {figure}", condition.to_value()))
        .collect();
    format!("(case i.condition{cases} else 1000 end)")
}

/// What these items are worth.
///
/// # Errors
/// The database's.
pub async fn load_values(
    connection: &impl ConnectionTrait,
    keys: &[(Uuid, Currency)],
) -> Result<HashMap<(Uuid, Currency), HoldingValue>> {
    let items: BTreeSet<Uuid> = keys.iter().map(|(item, _)| *item).collect();
    let items = Vec::from_iter(items);
    let currencies: BTreeSet<Currency> = keys.iter().map(|(_, currency)| *currency).collect();
    let mut sql = Sql::by_keys(connection);
    for (position, currency) in currencies.into_iter().enumerate() {
        sql.push(if position == 0 { "" } else { " union all " });
        sql.push(&format!("select item_id, cast({} as smallint) as currency", currency.to_value()));
        for column in COLUMNS {
            sql.push(&format!(", {}_{column} as {column}", prefix(currency)));
        }
        sql.push(" from item_values where item_id").any_of_uuids(&items);
    }
    let rows = sql.all::<HoldingValue>(connection).await?;
    Ok(rows.into_iter().map(|row| ((row.item_id, row.currency), row)).collect())
}
