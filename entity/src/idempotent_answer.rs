//! The answer to a mutation that its caller may send again.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotent_answers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub caller: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub idempotency_key: String,
    /// A digest of the whole request.
    pub request: Vec<u8>,
    pub started_at: DateTimeUtc,
    /// Sealed; none while the request is under way.
    pub answer: Option<Vec<u8>>,
    /// Whether it has changed something.
    pub effective: Option<bool>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
