//! The newest snapshot of a series, with the prices that its changes compare with.

use sea_orm::entity::prelude::*;

use crate::enums::{Condition, Finish, PriceKind};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "latest_prices")]
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
    pub observed_at: DateTimeUtc,
    pub price: i64,
    pub low: Option<i64>,
    pub mid: Option<i64>,
    pub high: Option<i64>,
    pub market: Option<i64>,
    /// The last price at or before 24 hours before the store's newest snapshot; so on for 7 and 30 days.
    pub base_24h: Option<i64>,
    pub base_7d: Option<i64>,
    pub base_30d: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
