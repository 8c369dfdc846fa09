//! What a marketplace asked, or paid, for a card at one moment. The one model of prices: all others derive from it.

use sea_orm::entity::prelude::*;

use crate::enums::{Condition, Finish, PriceKind};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "price_snapshots")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub card_id: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub marketplace_id: i16,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: PriceKind,
    #[sea_orm(primary_key, auto_increment = false)]
    pub finish: Finish,
    #[sea_orm(primary_key, auto_increment = false)]
    pub condition: Condition,
    #[sea_orm(primary_key, auto_increment = false)]
    pub language: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub observed_at: DateTimeUtc,
    /// Amounts are whole minor units of the marketplace's currency.
    pub price: i64,
    pub low: Option<i64>,
    pub mid: Option<i64>,
    pub high: Option<i64>,
    pub market: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
