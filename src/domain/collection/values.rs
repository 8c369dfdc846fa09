//! What items are worth: a row an item and currency, kept by whoever changes an item or a price, so that a list can be
//! sorted by it and a portfolio is a sum. See docs/adr/0015-values-of-holdings.md.

use std::collections::{BTreeSet, HashMap};

use entity::enums::Currency;
use entity::holding_value;
use sea_orm::{ActiveEnum, ConnectionTrait};
use uuid::Uuid;

use crate::db::Sql;
use crate::domain::market::CONDITION_PER_MILLE;
use crate::error::Result;

pub use entity::holding_value::Model as HoldingValue;

/// Whose values are brought in step.
pub(super) enum Of<'a> {
    Items(&'a [Uuid]),
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
    // Amounts and bases are never negative, so that both stores round them alike.
    let scaled = |amount: &str| format!("(({amount}) * {} + 500) / 1000", per_mille());
    let price = format!("coalesce(e.price, {})", scaled("n.price"));
    let base = |window: &str| {
        let near_mint = scaled(&format!("n.base_{window}"));
        format!("case when e.card_id is not null then e.base_{window} else {near_mint} end")
    };
    let change = |window: &str| {
        let then = scaled(&format!("n.base_{window}"));
        let now = scaled(&format!("n.base_{window} + n.change_{window}"));
        format!(
            "case when e.card_id is null then {now} - {then} when e.base_{window} is null then 0 \
             else e.change_{window} end"
        )
    };
    let mut sql = Sql::new(connection);
    sql.push(&format!(
        "insert into holding_values as h
             (item_id, currency, user_id, estimated, value, change_24h, base_24h, change_7d, base_7d)
         select i.id, k.currency, i.user_id,
                coalesce(e.card_id, n.card_id) is not null and (e.card_id is null or i.language <> c.language),
                coalesce(i.quantity * ({price}), 0),
                coalesce(i.quantity * ({}), 0), coalesce(i.quantity * ({}), 0),
                coalesce(i.quantity * ({}), 0), coalesce(i.quantity * ({}), 0)
         from inventory_items i
         join cards c on c.id = i.card_id
         cross join (select cast(0 as smallint) as currency union all select 1 union all select 2) k
         left join card_prices e on e.card_id = i.card_id and e.currency = k.currency and e.finish = i.finish
              and e.condition = i.condition
         left join card_prices n on n.card_id = i.card_id and n.currency = k.currency and n.finish = i.finish
              and n.condition = 0
         where ",
        change("24h"),
        base("24h"),
        change("7d"),
        base("7d"),
    ));
    match of {
        Of::Items(ids) => sql.push("i.id").any_of_uuids(ids),
        Of::Cards(cards) => sql.push("i.card_id").any_of_numbers(cards),
    };
    sql.push(
        " on conflict (item_id, currency) do update set estimated = excluded.estimated, value = excluded.value,
             change_24h = excluded.change_24h, base_24h = excluded.base_24h,
             change_7d = excluded.change_7d, base_7d = excluded.base_7d
         where (h.estimated, h.value, h.change_24h, h.base_24h, h.change_7d, h.base_7d)
            <> (excluded.estimated, excluded.value, excluded.change_24h, excluded.base_24h, excluded.change_7d,
                excluded.base_7d)",
    );
    sql.run(connection).await?;
    Ok(())
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
    let currencies: BTreeSet<i16> = keys.iter().map(|(_, currency)| currency.to_value()).collect();
    let mut sql = Sql::by_keys(connection);
    sql.push("select * from holding_values where item_id").any_of_uuids(&Vec::from_iter(items));
    sql.push(" and currency").any_of_numbers(&Vec::from_iter(currencies));
    let rows = sql.all::<holding_value::Model>(connection).await?;
    Ok(rows.into_iter().map(|row| ((row.item_id, row.currency), row)).collect())
}
