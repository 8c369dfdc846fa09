//! Work that is done in the background.

use sea_orm::entity::prelude::*;

use crate::enums::{JobKind, JobStatus};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: JobKind,
    pub user_id: Option<Uuid>,
    pub upload_id: Option<Uuid>,
    pub status: JobStatus,
    pub priority: i16,
    pub payload: Json,
    pub result: Option<Json>,
    pub processed: i64,
    pub total: Option<i64>,
    pub error_code: Option<String>,
    pub error: Option<String>,
    pub attempts: i32,
    pub run_at: DateTimeUtc,
    pub lease_until: Option<DateTimeUtc>,
    pub lease_by: Option<Uuid>,
    pub cancelled: bool,
    pub trace_id: Option<String>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
    pub schedule: Option<String>,
    pub scheduled_for: Option<DateTimeUtc>,
    pub alone: Option<bool>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
