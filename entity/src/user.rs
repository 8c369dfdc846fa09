//! Who has an account.

use sea_orm::entity::prelude::*;

use crate::enums::Role;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// As its owner writes it.
    pub email: String,
    /// As addresses are compared.
    #[sea_orm(unique)]
    pub email_key: String,
    pub email_verified: bool,
    pub display_name: String,
    pub role: Role,
    /// In the PHC string format.
    pub password_hash: String,
    /// Access tokens of an earlier epoch do not hold.
    pub epoch: i64,
    #[sea_orm(unique)]
    pub discord_id: Option<String>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
