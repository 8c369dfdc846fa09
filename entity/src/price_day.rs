//! A card's price on one day, over all marketplaces of a currency.

use sea_orm::entity::prelude::*;

use crate::enums::{Currency, Finish, PriceKind};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "price_days")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub card_id: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub currency: Currency,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: PriceKind,
    #[sea_orm(primary_key, auto_increment = false)]
    pub finish: Finish,
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: Date,
    /// The median over the marketplaces, each with its last snapshot of the day.
    pub price: i64,
    pub low: i64,
    pub high: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
