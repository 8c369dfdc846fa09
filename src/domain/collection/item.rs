//! An item of an inventory as it is answered.

use entity::inventory_item::Model;
use sea_orm::{DbErr, FromQueryResult, QueryResult};

use crate::db::Columns;

/// The select list, for `inventory_items` under the alias `i`, in the order in which [`ItemRow`] reads it. What follows is
/// the value that the list is sorted by, if it is.
pub(super) const COLUMNS: &str = "i.id, i.user_id, i.card_id, i.finish, i.condition, i.language, i.quantity, \
     i.price_amount, i.price_currency, i.acquired_on, i.notes, i.tags, i.name_key, i.created_at, i.updated_at";

/// An item, and what a list is sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRow {
    pub item: Model,
    /// In minor units, where the list is sorted by value.
    pub sort_value: Option<i64>,
}

impl From<Model> for ItemRow {
    fn from(item: Model) -> Self {
        Self { item, sort_value: None }
    }
}

impl FromQueryResult for ItemRow {
    fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, DbErr> {
        let mut columns = Columns::of(row);
        Ok(Self {
            item: Model {
                id: columns.take()?,
                user_id: columns.take()?,
                card_id: columns.take()?,
                finish: columns.take()?,
                condition: columns.take()?,
                language: columns.take()?,
                quantity: columns.take()?,
                price_amount: columns.take()?,
                price_currency: columns.take()?,
                acquired_on: columns.take()?,
                notes: columns.take()?,
                tags: columns.take()?,
                name_key: columns.take()?,
                created_at: columns.take()?,
                updated_at: columns.take()?,
            },
            sort_value: columns.take()?,
        })
    }
}
