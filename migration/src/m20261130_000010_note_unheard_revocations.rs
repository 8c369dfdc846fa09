//! What servers could not tell each other by Redis.

use sea_orm_migration::prelude::*;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A row for each revocation of which the other servers have not heard, until when it concerns anybody.
        let table = "create table unheard_revocations (
            id {uuid} not null primary key,
            doubted_until {time} not null
        ) {table}";
        run(manager, &[table]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &["drop table unheard_revocations"]).await
    }
}
