//! Jobs that run by the clock, and kinds of which one runs at a time.

use sea_orm_migration::prelude::*;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, DOWN).await
    }
}

const UP: &[&str] = &[
    // `scheduled_for` is the moment of the schedule that a run is for, however late it begins.
    "alter table jobs add column schedule {key}",
    "alter table jobs add column scheduled_for {time}",
    // Each moment has one run, whichever server queues it and whatever its clock did before.
    "create unique index jobs_scheduled on jobs (schedule, scheduled_for) where schedule is not null",
    // Set while it is claimed, where its kind may run once at a time.
    "alter table jobs add column alone {bool}",
    "create unique index jobs_alone on jobs (kind) where status = 1 and alone",
    "create index uploads_deleted on uploads (deleted_at) where deleted_at is not null",
];

const DOWN: &[&str] = &[
    "drop index uploads_deleted",
    "drop index jobs_alone",
    "drop index jobs_scheduled",
    "alter table jobs drop column alone",
    "alter table jobs drop column scheduled_for",
    "alter table jobs drop column schedule",
];
