//! What all copies of an item are worth in a currency, and how that has moved.

use sea_orm::entity::prelude::*;

use crate::enums::Currency;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "holding_values")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub item_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub currency: Currency,
    pub user_id: Uuid,
    pub estimated: bool,
    pub value: i64,
    pub change_24h: i64,
    pub base_24h: i64,
    pub change_7d: i64,
    pub base_7d: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
