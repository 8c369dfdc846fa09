//! What searches compare: the faces of game pieces, and folded texts and marks of printings. Ingest fills it: a catalogue
//! that was there before is found by name only until it is ingested again.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{run, run_on};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, TABLES).await?;
        run_on(manager, DbBackend::Postgres, POSTGRES_TEXT_SEARCH).await?;
        run_on(manager, DbBackend::Sqlite, SQLITE_TEXT_SEARCH).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_on(manager, DbBackend::Sqlite, &["drop table piece_faces_search"]).await?;
        run(
            manager,
            &[
                "drop table piece_faces",
                "alter table card_names drop column printings",
                "alter table cards drop column artist_key",
                "alter table cards drop column flavor_key",
                "alter table cards drop column marks",
                "alter table card_sets drop column name_key",
                "alter table card_sets drop column block_key",
            ],
        )
        .await
    }
}

const TABLES: &[&str] = &[
    "alter table card_sets add column name_key {key} not null default ''",
    "alter table card_sets add column block_key {key}",
    "alter table cards add column artist_key {key}",
    "alter table cards add column flavor_key {key}",
    "alter table cards add column marks {key} not null default ' '",
    // How many printings the card has, extras aside: ingest counts them when it ends.
    "alter table card_names add column printings integer not null default 0",
    "create table piece_faces (
        id {id},
        piece_id {uuid} not null,
        face {small} not null,
        types {key} not null,
        rules {key} not null,
        rules_full {key},
        rules_self {key},
        mana {key},
        generic_mana integer,
        pips {key} not null,
        mana_value {float} not null,
        power {float},
        power_star {key},
        toughness {float},
        toughness_star {key},
        loyalty {float},
        loyalty_star {key},
        produces {small} not null,
        marks {key} not null,
        unique (piece_id, face)
    ) {table}",
];

const POSTGRES_TEXT_SEARCH: &[&str] = &[
    "create index piece_faces_types_trigrams on piece_faces using gin (types gin_trgm_ops)",
    "create index piece_faces_rules_trigrams on piece_faces using gin (rules gin_trgm_ops)",
];

/// A trigram index over types and rules, kept in step by triggers, so that no writer can forget it.
const SQLITE_TEXT_SEARCH: &[&str] = &[
    "create virtual table piece_faces_search using fts5 (types, rules, content='piece_faces', content_rowid='id', tokenize='trigram')",
    "create trigger piece_faces_search_insert after insert on piece_faces begin
        insert into piece_faces_search (rowid, types, rules) values (new.id, new.types, new.rules);
    end",
    "create trigger piece_faces_search_delete after delete on piece_faces begin
        insert into piece_faces_search (piece_faces_search, rowid, types, rules)
        values ('delete', old.id, old.types, old.rules);
    end",
    "create trigger piece_faces_search_update after update of types, rules on piece_faces begin
        insert into piece_faces_search (piece_faces_search, rowid, types, rules)
        values ('delete', old.id, old.types, old.rules);
        insert into piece_faces_search (rowid, types, rules) values (new.id, new.types, new.rules);
    end",
];
