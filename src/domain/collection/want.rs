//! Lists of what somebody looks for.

use entity::want_list_item::Model;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::db::{Count, Direction, Keyset, Listed, Segment, SortColumn, Sql, fetch_page};
use crate::error::Result;
use crate::pagination::{Key, KeyValue, ListId, Page, Slice};

/// Whether the price of a `want_list_items` under the alias `w` is at its target or below: the near-mint price over all
/// marketplaces of the target's currency, of the finish that is wanted or else of the first that the card has.
pub(super) const MET: &str = "exists (select 1 from card_prices p \
     where p.card_id = w.card_id and p.currency = w.target_currency and p.condition = 0 and p.price <= w.target_amount \
       and case when w.finish is null then p.ranked else p.finish = w.finish end)";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WantSortField {
    /// Of the same priority by age.
    Priority,
    CreatedAt,
    Name,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WantListOrder {
    pub field: WantSortField,
    pub direction: Direction,
}

/// A list of somebody's wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WantList {
    pub user: Uuid,
    pub order: WantListOrder,
}

impl WantList {
    /// The list that a cursor belongs to.
    pub fn id(&self) -> ListId {
        ListId::new("wants", self)
    }

    /// The sort key of a row of this list.
    pub fn key(&self, row: &Model) -> Key {
        use sea_orm::ActiveEnum;
        let id = KeyValue::Uuid(row.id);
        let created = KeyValue::Time(row.created_at);
        match self.order.field {
            WantSortField::Priority => vec![KeyValue::Int(row.priority.to_value().into()), created, id],
            WantSortField::CreatedAt => vec![created, id],
            WantSortField::Name => vec![KeyValue::Text(row.name_key.clone()), id],
        }
    }

    fn keyset(&self) -> Keyset {
        let id = SortColumn::new("w.id", "id");
        let created = SortColumn::new("w.created_at", "created_at");
        let columns = match self.order.field {
            WantSortField::Priority => vec![SortColumn::new("w.priority", "priority"), created, id],
            WantSortField::CreatedAt => vec![created, id],
            WantSortField::Name => vec![SortColumn::new("w.name_key", "name_key"), id],
        };
        Keyset { columns, nullable: false, direction: self.order.direction }
    }
}

impl Listed for WantList {
    fn columns(&self, _: Segment) -> String {
        "w.*".to_owned()
    }

    fn source(&self, sql: &mut Sql, _: Segment) {
        sql.push("from want_list_items w where w.user_id = ").bind(self.user);
    }
}

/// A page of a list.
///
/// # Errors
/// The database's.
pub async fn list_wants(
    connection: &impl ConnectionTrait,
    list: &WantList,
    page: &Page,
) -> Result<Slice<Model>> {
    fetch_page(connection, list, &list.keyset(), page, |row| list.key(row)).await
}

/// How many wants somebody has.
///
/// # Errors
/// The database's.
pub async fn count_wants(connection: &impl ConnectionTrait, user: Uuid) -> Result<i64> {
    let mut sql = Sql::new(connection);
    sql.push("select count(*) as n from want_list_items where user_id = ").bind(user);
    Ok(sql.one::<Count>(connection).await?.map_or(0, |count| count.n))
}

/// Of these wants those that are the user's.
///
/// # Errors
/// The database's.
pub async fn load_wants(connection: &impl ConnectionTrait, user: Uuid, ids: &[Uuid]) -> Result<Vec<Model>> {
    let mut sql = Sql::by_keys(connection);
    sql.push("select * from want_list_items where user_id = ").bind(user).push(" and id").any_of_uuids(ids);
    Ok(sql.all(connection).await?)
}
