//! A printing that a user looks for.

use sea_orm::entity::prelude::*;

use crate::enums::{Currency, Finish, WantPriority};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "want_list_items")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub card_id: i32,
    pub finish: Option<Finish>,
    pub quantity: i32,
    pub priority: WantPriority,
    pub target_amount: Option<i64>,
    pub target_currency: Option<Currency>,
    pub notes: Option<String>,
    pub name_key: String,
    pub below_target: bool,
    pub hit_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
