//! A set of cards, as it was released.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "card_sets")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    /// Derived from the code, so that it is the same on every store.
    #[sea_orm(unique)]
    pub uuid: Uuid,
    /// Lower case: `isd`.
    #[sea_orm(unique)]
    pub code: String,
    pub name: String,
    /// The name folded for comparison, and the block's.
    pub name_key: String,
    pub block_key: Option<String>,
    /// Scryfall's set type: `expansion`, `core`, `token`, …
    pub kind: String,
    pub block: Option<String>,
    pub parent_code: Option<String>,
    pub released_on: Option<Date>,
    pub icon_url: Option<String>,
    pub digital: bool,
    /// Printings in the store, kept by ingest.
    pub card_count: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(has_many = "super::card::Entity")]
    Cards,
}

impl Related<super::card::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Cards.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
