//! The retail price of a card over all marketplaces of a currency, ready to be answered.

use sea_orm::entity::prelude::*;

use crate::enums::{Condition, Currency, Finish};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "card_prices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub card_id: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub currency: Currency,
    #[sea_orm(primary_key, auto_increment = false)]
    pub finish: Finish,
    #[sea_orm(primary_key, auto_increment = false)]
    pub condition: Condition,
    /// The price that lists sort by: near mint, in the first finish that the card has.
    pub ranked: bool,
    /// Over a day older than the store's newest snapshot.
    pub stale: bool,
    pub observed_at: DateTimeUtc,
    /// The median over the marketplaces.
    pub price: i64,
    pub low: i64,
    pub high: i64,
    /// The mean over the marketplaces.
    pub market: i64,
    pub buylist: Option<i64>,
    /// The change of the median over the marketplaces that have a price at both ends; 0 where none has.
    pub change_24h: i64,
    pub base_24h: Option<i64>,
    pub change_7d: i64,
    pub base_7d: Option<i64>,
    pub change_30d: i64,
    pub base_30d: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::card::Entity", from = "Column::CardId", to = "super::card::Column::Id")]
    Card,
}

impl Related<super::card::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Card.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
