//! What all copies of an item are worth in each currency, and how that has moved.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "item_values")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub item_id: Uuid,
    pub user_id: Uuid,
    pub usd_value: i64,
    pub usd_change_24h: i64,
    pub usd_base_24h: i64,
    pub usd_change_7d: i64,
    pub usd_base_7d: i64,
    pub usd_estimated: bool,
    pub eur_value: i64,
    pub eur_change_24h: i64,
    pub eur_base_24h: i64,
    pub eur_change_7d: i64,
    pub eur_base_7d: i64,
    pub eur_estimated: bool,
    pub tix_value: i64,
    pub tix_change_24h: i64,
    pub tix_base_24h: i64,
    pub tix_change_7d: i64,
    pub tix_base_7d: i64,
    pub tix_estimated: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
