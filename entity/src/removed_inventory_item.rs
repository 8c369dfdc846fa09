//! An item that was removed, kept for a day so that it can be put back.

use sea_orm::entity::prelude::*;

use crate::enums::{Condition, Currency, Finish};
use crate::inventory_item::Tags;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "removed_inventory_items")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub card_id: i32,
    pub finish: Finish,
    pub condition: Condition,
    pub language: String,
    pub quantity: i32,
    pub price_amount: Option<i64>,
    pub price_currency: Option<Currency>,
    pub acquired_on: Option<Date>,
    pub notes: Option<String>,
    pub tags: Tags,
    pub name_key: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub removed_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
