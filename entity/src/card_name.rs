//! A name that a game piece answers to: its own, or that of one of its faces.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "card_names")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub name_key: String,
    pub piece_id: Uuid,
    pub name: String,
    /// How many printings the piece has, extras aside. Set when an ingest ends.
    pub printings: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
