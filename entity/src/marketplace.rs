//! Somewhere cards are sold, in one currency.

use sea_orm::entity::prelude::*;

use crate::enums::Currency;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "marketplaces")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i16,
    /// Derived from the slug, so that it is the same on every store.
    #[sea_orm(unique)]
    pub uuid: Uuid,
    #[sea_orm(unique)]
    pub slug: String,
    pub name: String,
    pub currency: Currency,
    pub url: Option<String>,
    pub enabled: bool,
    /// Printings with a price, kept by ingest.
    pub priced_cards: i32,
    pub updated_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
