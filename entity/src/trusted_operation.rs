//! A document that was registered before it is asked for by its id.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trusted_operations")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    /// Whose it is: `discord-bot`.
    pub client: String,
    /// The client's version that asks it.
    pub version: String,
    /// As the manifest has it.
    pub document_id: String,
    pub name: Option<String>,
    pub document: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
