//! What collections do when prices or names change: called by the ingest, in its transactions.

use chrono::{DateTime, NaiveDate, Utc};
use entity::enums::Currency;
use sea_orm::{ActiveEnum, ConnectionTrait, FromQueryResult, Iterable};
use uuid::Uuid;

use super::portfolio::sum;
use super::values::{Of, prefix, refresh_values};
use super::want::MET;
use crate::db::Sql;
use crate::domain::announcements::announce;
use crate::error::Result;

/// After the prices of these cards were derived: brings what holdings are worth in step, finds the wants whose price has
/// fallen to its target, and announces both. `now` is the newest price of the store.
///
/// # Errors
/// The database's.
pub async fn follow_prices(
    transaction: &impl ConnectionTrait,
    cards: &[i32],
    now: DateTime<Utc>,
) -> Result<()> {
    refresh_values(transaction, Of::Cards(cards)).await?;
    let hits = find_hits(transaction, cards, now).await?;
    announce(transaction, cards, &hits).await
}

/// The wants of these cards whose price has fallen to its target since it was last looked at, by user and item.
async fn find_hits(
    transaction: &impl ConnectionTrait,
    cards: &[i32],
    now: DateTime<Utc>,
) -> Result<Vec<(Uuid, Uuid)>> {
    #[derive(FromQueryResult)]
    struct Hit {
        user_id: Uuid,
        id: Uuid,
    }
    let mut sql = Sql::by_keys(transaction);
    sql.push("update want_list_items as w set below_target = false where w.below_target and w.card_id");
    sql.any_of_numbers(cards).push(&format!(" and not {MET}"));
    sql.run(transaction).await?;
    let mut sql = Sql::by_keys(transaction);
    sql.push("update want_list_items as w set below_target = true, hit_at = ").bind(now);
    sql.push(" where not w.below_target and w.card_id").any_of_numbers(cards);
    sql.push(&format!(" and {MET} returning user_id, id"));
    let hits = sql.all::<Hit>(transaction).await?;
    Ok(hits.into_iter().map(|hit| (hit.user_id, hit.id)).collect())
}

/// Before the store's now moves on from a day: keeps what everybody's holdings were worth at its end. Who has sold all
/// that was held the day before is at nothing, once.
///
/// # Errors
/// The database's.
pub async fn close_day(transaction: &impl ConnectionTrait, day: NaiveDate) -> Result<()> {
    let mut sql = Sql::new(transaction);
    sql.push("insert into portfolio_days (user_id, currency, day, value)");
    for currency in Currency::iter() {
        let value = sum(&sql, &format!("v.{}_value", prefix(currency)));
        sql.push(&format!(" select v.user_id, {}, ", currency.to_value()));
        sql.either("cast(", "").bind(day).either(" as date)", "");
        sql.push(&format!(", {value} from item_values v group by v.user_id union all"));
    }
    sql.push(" select p.user_id, p.currency, ");
    sql.either("cast(", "").bind(day).either(" as date)", "");
    sql.push(
        ", 0 from portfolio_days p
         where p.value > 0 and not exists (select 1 from item_values v where v.user_id = p.user_id)
           and p.day = (select max(q.day) from portfolio_days q where q.day < ",
    );
    sql.bind(day).push(
        ")
         on conflict (user_id, currency, day) do update set value = excluded.value",
    );
    sql.run(transaction).await?;
    Ok(())
}

/// After the catalogue has changed: brings the names that lists are sorted by in step.
///
/// # Errors
/// The database's.
pub async fn follow_names(transaction: &impl ConnectionTrait) -> Result<()> {
    for table in ["inventory_items", "removed_inventory_items", "want_list_items"] {
        let mut sql = Sql::new(transaction);
        sql.push(&format!(
            "update {table} set name_key = c.name_key from cards c
             where c.id = {table}.card_id and c.name_key <> {table}.name_key"
        ));
        sql.run(transaction).await?;
    }
    Ok(())
}
