//! How much of a set somebody has.

use std::collections::HashMap;

use entity::enums::Currency;
use sea_orm::{ActiveEnum, ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use crate::db::Sql;
use crate::error::Result;

/// How much of a set somebody has, in printings; what the others cost is in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SetCompletion {
    pub owned: i64,
    pub total: i64,
    pub missing_value: i64,
}

/// The same of several sets, in US dollars. One statement.
///
/// # Errors
/// The database's.
pub async fn load_completions(
    connection: &impl ConnectionTrait,
    user: Uuid,
    set_codes: &[String],
) -> Result<HashMap<String, SetCompletion>> {
    #[derive(FromQueryResult)]
    struct Row {
        set_code: String,
        owned: i64,
        total: i64,
        missing_value: i64,
    }
    let mut sql = Sql::new(connection);
    sql.push(
        "select c.set_code, count(h.card_id) as owned, count(*) as total,
                cast(coalesce(sum(case when h.card_id is null then p.price end), 0) as bigint) as missing_value
         from cards c
         left join (select distinct i.card_id from inventory_items i where i.user_id = ",
    );
    sql.bind(user);
    sql.push(
        ") h on h.card_id = c.id left join card_prices p on p.card_id = c.id and p.ranked and p.currency = ",
    );
    sql.bind(Currency::Usd.to_value()).push(" where c.set_code").any_of_texts(set_codes);
    sql.push(" group by c.set_code");
    let rows = sql.all::<Row>(connection).await?;
    let completion = |row: Row| {
        let Row { set_code, owned, total, missing_value } = row;
        (set_code, SetCompletion { owned, total, missing_value })
    };
    Ok(rows.into_iter().map(completion).collect())
}
