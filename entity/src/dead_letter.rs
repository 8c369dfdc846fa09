//! A job that failed for good.

use sea_orm::entity::prelude::*;

use crate::enums::JobKind;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dead_letters")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub job_id: Uuid,
    pub kind: JobKind,
    pub payload: Json,
    pub error_code: String,
    pub error: String,
    pub attempts: i32,
    pub trace_id: Option<String>,
    pub failed_at: DateTimeUtc,
    pub retried_at: Option<DateTimeUtc>,
    pub discarded_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
