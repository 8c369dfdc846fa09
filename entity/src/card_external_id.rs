//! An id by which somebody else knows a card. Several may name one card, and one may name several.

use sea_orm::entity::prelude::*;

use crate::enums::Provider;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "card_external_ids")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: Provider,
    #[sea_orm(primary_key, auto_increment = false)]
    pub external_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub card_id: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::card::Entity", from = "Column::CardId", to = "super::card::Column::Id")]
    Card,
}

impl ActiveModelBehavior for ActiveModel {}
