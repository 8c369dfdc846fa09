//! Lists of what somebody holds: filtered, in every order, by page.

use entity::enums::{Condition, Currency, Finish};
use sea_orm::{ActiveEnum, ConnectionTrait};
use uuid::Uuid;

use super::item::{COLUMNS, ItemRow};
use crate::db::{Count, Direction, Keyset, Listed, Segment, SortColumn, Sql, fetch_page};
use crate::domain::catalogue::Search;
use crate::error::Result;
use crate::pagination::{Key, KeyValue, ListId, Page, Slice};

/// Conditions on items; those that are absent let all pass.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InventoryFilter {
    /// Items of cards that this finds, extras among them; what it says of order and of `unique:` does not count.
    pub search: Option<Search>,
    /// Items with any of these.
    pub tags: Option<Vec<String>>,
    /// Lower case.
    pub set_codes: Option<Vec<String>>,
    pub conditions: Option<Vec<Condition>>,
    pub finishes: Option<Vec<Finish>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InventorySortField {
    CreatedAt,
    Name,
    Value,
    Quantity,
}

/// The order of a list of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InventoryOrder {
    pub field: InventorySortField,
    pub direction: Direction,
    /// For the order by value.
    pub currency: Currency,
}

/// A list of somebody's items.
#[derive(Debug, Clone, PartialEq)]
pub struct InventoryList {
    pub user: Uuid,
    pub filter: InventoryFilter,
    pub order: InventoryOrder,
}

impl InventoryList {
    /// The list that a cursor belongs to.
    pub fn id(&self) -> ListId {
        ListId::new("inventory", self)
    }

    /// The sort key of a row of this list.
    pub fn key(&self, row: &ItemRow) -> Key {
        let first = match self.order.field {
            InventorySortField::CreatedAt => KeyValue::Time(row.item.created_at),
            InventorySortField::Name => KeyValue::Text(row.item.name_key.clone()),
            InventorySortField::Value => row.sort_value.map_or(KeyValue::Null, KeyValue::Int),
            InventorySortField::Quantity => KeyValue::Int(row.item.quantity.into()),
        };
        vec![first, KeyValue::Uuid(row.item.id)]
    }

    /// What the list is sorted by, in the order by value.
    fn value(&self) -> &'static str {
        match self.order.currency {
            Currency::Usd => "v.usd_value",
            Currency::Eur => "v.eur_value",
            Currency::Tix => "v.tix_value",
        }
    }

    fn keyset(&self) -> Keyset {
        let id = SortColumn::new("i.id", "id");
        let columns = match self.order.field {
            InventorySortField::CreatedAt => vec![SortColumn::new("i.created_at", "created_at"), id],
            InventorySortField::Name => vec![SortColumn::new("i.name_key", "name_key"), id],
            // The id in the value's own row, so that its index gives the order.
            InventorySortField::Value => {
                vec![SortColumn::new(self.value(), "sort_value"), SortColumn::new("v.item_id", "id")]
            }
            InventorySortField::Quantity => vec![SortColumn::new("i.quantity", "quantity"), id],
        };
        Keyset { columns, nullable: false, direction: self.order.direction }
    }

    fn push_conditions(&self, sql: &mut Sql) {
        let InventoryFilter { search, tags, set_codes, conditions, finishes } = &self.filter;
        if search.is_some() || set_codes.is_some() {
            sql.push(" and i.card_id in (select c.id from cards c where true");
            if let Some(codes) = set_codes {
                sql.push(" and c.set_code").any_of_texts(codes);
            }
            if let Some(search) = search {
                sql.push(" and ");
                search.push(sql);
            }
            sql.push(")");
        }
        if let Some(tags) = tags {
            sql.either(
                " and exists (select 1 from jsonb_array_elements_text(i.tags) t (tag) where t.tag",
                " and exists (select 1 from json_each(i.tags) t where t.value",
            );
            sql.any_of_texts(tags).push(")");
        }
        if let Some(conditions) = conditions {
            let numbers: Vec<i16> = conditions.iter().map(ActiveEnum::to_value).collect();
            sql.push(" and i.condition").any_of_numbers(&numbers);
        }
        if let Some(finishes) = finishes {
            let numbers: Vec<i16> = finishes.iter().map(ActiveEnum::to_value).collect();
            sql.push(" and i.finish").any_of_numbers(&numbers);
        }
    }
}

impl Listed for InventoryList {
    fn columns(&self, _: Segment) -> String {
        let by_value = self.order.field == InventorySortField::Value;
        let value = if by_value { self.value() } else { "cast(null as bigint)" };
        format!("{COLUMNS}, {value} as sort_value")
    }

    fn source(&self, sql: &mut Sql, _: Segment) {
        if self.order.field == InventorySortField::Value {
            sql.push("from item_values v join inventory_items i on i.id = v.item_id where v.user_id = ");
            sql.bind(self.user);
        } else {
            sql.push("from inventory_items i where i.user_id = ").bind(self.user);
        }
        self.push_conditions(sql);
    }
}

/// A page of a list.
///
/// # Errors
/// The database's.
pub async fn list_inventory(
    connection: &impl ConnectionTrait,
    list: &InventoryList,
    page: &Page,
) -> Result<Slice<ItemRow>> {
    fetch_page(connection, list, &list.keyset(), page, |row| list.key(row)).await
}

/// How many items the whole list has.
///
/// # Errors
/// The database's.
pub async fn count_inventory(connection: &impl ConnectionTrait, list: &InventoryList) -> Result<i64> {
    let mut sql = Sql::new(connection);
    sql.push("select count(*) as n from inventory_items i where i.user_id = ").bind(list.user);
    list.push_conditions(&mut sql);
    Ok(sql.one::<Count>(connection).await?.map_or(0, |count| count.n))
}

/// Of these items those that are the user's.
///
/// # Errors
/// The database's.
pub async fn load_items(connection: &impl ConnectionTrait, user: Uuid, ids: &[Uuid]) -> Result<Vec<ItemRow>> {
    let mut sql = Sql::by_keys(connection);
    sql.push("select ").push(COLUMNS).push(", cast(null as bigint) as sort_value from inventory_items i");
    sql.push(" where i.user_id = ").bind(user).push(" and i.id").any_of_uuids(ids);
    Ok(sql.all(connection).await?)
}
