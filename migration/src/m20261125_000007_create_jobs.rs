//! Work that is done in the background, the files that it is about, and what came of it.

use sea_orm_migration::prelude::*;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, JOBS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["import_changes", "import_rows", "dead_letters", "jobs", "uploads"] {
            run(manager, &[&format!("drop table {table}")]).await?;
        }
        Ok(())
    }
}

const JOBS: &[&str] = &[
    "create table uploads (
        id {uuid} not null primary key,
        user_id {uuid} not null references users (id) on delete cascade,
        filename text not null,
        size_bytes {big} not null,
        row_count {big} not null,
        encoding {key} not null,
        sha256 {bytes} not null,
        uploaded_at {time} not null,
        deleted_at {time}
    ) {table}",
    "create index uploads_of_user on uploads (user_id)",
    "create index uploads_by_age on uploads (uploaded_at) where deleted_at is null",
    // `run_at` is when a job that waits may begin; `lease_until` when one that runs is taken for an orphan.
    "create table jobs (
        id {uuid} not null primary key,
        kind {small} not null,
        user_id {uuid} references users (id) on delete cascade,
        upload_id {uuid} references uploads (id),
        status {small} not null,
        priority {small} not null,
        payload {json} not null,
        result {json},
        processed {big} not null,
        total {big},
        error_code {key},
        error text,
        attempts integer not null,
        run_at {time} not null,
        lease_until {time},
        lease_by {uuid},
        cancelled {bool} not null,
        trace_id {key},
        created_at {time} not null,
        updated_at {time} not null,
        started_at {time},
        finished_at {time}
    ) {table}",
    "create index jobs_waiting on jobs (priority, run_at, id) where status = 0",
    "create index jobs_running on jobs (lease_until) where status = 1",
    "create index jobs_of_user on jobs (user_id, created_at, id)",
    "create index jobs_by_end on jobs (finished_at) where finished_at is not null",
    "create index jobs_of_upload on jobs (upload_id)",
    "create table dead_letters (
        id {uuid} not null primary key,
        job_id {uuid} not null references jobs (id) on delete cascade,
        kind {small} not null,
        payload {json} not null,
        error_code {key} not null,
        error text not null,
        attempts integer not null,
        trace_id {key},
        failed_at {time} not null,
        retried_at {time},
        discarded_at {time}
    ) {table}",
    "create index dead_letters_by_age on dead_letters (failed_at, id)",
    "create index dead_letters_of_job on dead_letters (job_id)",
    // What became of each line of a file: `code` is a rejected one's.
    "create table import_rows (
        job_id {uuid} not null references jobs (id) on delete cascade,
        line {big} not null,
        outcome {small} not null,
        code {key},
        message text,
        cells {json} not null,
        primary key (job_id, line)
    ) {clustered}",
    "create index import_rows_rejected on import_rows (job_id, line) where code is not null",
    // What an import changed, so that it can be taken back: the item as it was, or nothing where there was none, and the
    // moment that it had afterwards.
    "create table import_changes (
        job_id {uuid} not null references jobs (id) on delete cascade,
        item_id {uuid} not null,
        before {json},
        after_at {time},
        primary key (job_id, item_id)
    ) {clustered}",
];
