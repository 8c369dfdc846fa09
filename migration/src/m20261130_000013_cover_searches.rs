//! An index that has what most searches ask of a printing: a search that many match need not read their rows.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{run, run_on};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// By piece, and in it by place: the first that matches is the one to list.
const POSTGRES: &str = "create index cards_for_search on cards (piece_id, place, id) include (extra, language, set_code, \
     collector_key, rarity, mana_value, colors, color_identity, finishes, released_on, promo, digital, reserved, layout, \
     marks, name_key)";
const SQLITE: &str = "create index cards_for_search on cards (piece_id, place, extra, language, set_code, collector_key, \
     rarity, mana_value, colors, color_identity, finishes, released_on, promo, digital, reserved, layout, marks, name_key)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_on(manager, DbBackend::Postgres, &[POSTGRES]).await?;
        run_on(manager, DbBackend::Sqlite, &[SQLITE]).await?;
        // The new one begins with the same column.
        run(manager, &["drop index cards_by_piece"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &["create index cards_by_piece on cards (piece_id)", "drop index cards_for_search"])
            .await
    }
}
