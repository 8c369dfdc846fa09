//! Trusted documents: operations that were registered before they are asked for by id.

use sea_orm_migration::prelude::*;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, OPERATIONS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &["drop table trusted_operations"]).await
    }
}

const OPERATIONS: &[&str] = &["create table trusted_operations (
    id {once_id},
    client {key} not null,
    version {key} not null,
    document_id {key} not null,
    name text,
    document text not null,
    unique (document_id, client, version)
) {table}"];
