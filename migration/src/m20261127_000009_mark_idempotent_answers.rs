//! Requests that have changed something, told from those that were only claimed.

use sea_orm_migration::prelude::*;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Set in the transaction of what the request changes.
        run(manager, &["alter table idempotent_answers add column effective {bool}"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &["alter table idempotent_answers drop column effective"]).await
    }
}
