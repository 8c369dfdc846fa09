//! Sets, printings, their names and the ids that others know them by.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{run, run_on};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_on(manager, DbBackend::Postgres, &["create extension if not exists pg_trgm"]).await?;
        run(manager, TABLES).await?;
        run_on(manager, DbBackend::Postgres, POSTGRES_NAME_SEARCH).await?;
        run_on(manager, DbBackend::Sqlite, SQLITE_NAME_SEARCH).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The extension stays: it may have been there before, and others may use it.
        run_on(manager, DbBackend::Sqlite, &["drop table card_names_search"]).await?;
        run(
            manager,
            &[
                "drop table card_names",
                "drop table card_external_ids",
                "drop table cards",
                "drop table card_sets",
                "drop table store_state",
            ],
        )
        .await
    }
}

const TABLES: &[&str] = &[
    // One row, about the store as a whole.
    "create table store_state (
        id {small} primary key check (id = 1),
        demo {bool} not null,
        newest_at {time}
    ) {table}",
    "insert into store_state (id, demo) values (1, false)",
    "create table card_sets (
        id {id},
        uuid {uuid} not null unique,
        code {key} not null unique,
        name text not null,
        kind {key} not null,
        block text,
        parent_code {key},
        released_on {date},
        icon_url text,
        digital {bool} not null,
        card_count integer not null default 0
    ) {table}",
    "create index card_sets_by_release on card_sets (released_on, id)",
    "create table cards (
        id {id},
        scryfall_id {uuid} not null unique,
        oracle_id {uuid},
        piece_id {uuid} not null,
        illustration_id {uuid},
        set_code {key} not null references card_sets (code) on update cascade,
        collector_number {key} not null,
        collector_key {key} not null,
        language {key} not null,
        name text not null,
        name_key {key} not null,
        layout {key} not null,
        rarity {small} not null,
        type_line text not null,
        mana_cost text,
        mana_value {float} not null,
        colors {small} not null,
        color_identity {small} not null,
        finishes {small} not null,
        released_on {date},
        promo {bool} not null,
        digital {bool} not null,
        reserved {bool} not null,
        extra {bool} not null default false,
        provisional {bool} not null,
        preferred {bool} not null default false,
        artist text,
        power text,
        toughness text,
        loyalty text,
        image_url text,
        scryfall_url text,
        oracle_text text,
        flavor_text text,
        keywords {json} not null,
        faces {json} not null,
        legalities {json} not null,
        purchase_urls {json} not null
    ) {table}",
    "create index cards_by_piece on cards (piece_id)",
    "create index cards_by_printing on cards (set_code, collector_number, language)",
    "create index cards_provisional on cards (set_code, collector_number) where provisional",
    // One index a sort of `cards`; each ends in the id, which breaks ties.
    "create index cards_by_name on cards (name_key, id)",
    "create index cards_by_release on cards (released_on, name_key, id)",
    "create index cards_by_set on cards (set_code, collector_key, id)",
    "create index cards_by_number on cards (collector_key, id)",
    "create index cards_by_rarity on cards (rarity, name_key, id)",
    "create index cards_by_mana_value on cards (mana_value, name_key, id)",
    // What a search walks: one printing of each game piece.
    "create index cards_preferred_by_name on cards (name_key, id) where preferred",
    "create table card_external_ids (
        provider {small} not null,
        external_id {key} not null,
        card_id integer not null references cards (id),
        primary key (provider, external_id, card_id)
    ) {clustered}",
    // The names that a game piece answers to: its own and those of its faces.
    "create table card_names (
        id {id},
        name_key {key} not null,
        piece_id {uuid} not null,
        name text not null,
        unique (name_key, piece_id)
    ) {table}",
];

const POSTGRES_NAME_SEARCH: &[&str] = &[
    "create index cards_name_trigrams on cards using gin (name_key gin_trgm_ops)",
    "create index cards_preferred_name_trigrams on cards using gin (name_key gin_trgm_ops) where preferred and not extra",
    "create index card_names_trigrams on card_names using gin (name_key gin_trgm_ops)",
];

/// A trigram index over `card_names`, kept in step by triggers, so that no writer can forget it.
const SQLITE_NAME_SEARCH: &[&str] = &[
    "create virtual table card_names_search using fts5 (name_key, content='card_names', content_rowid='id', tokenize='trigram')",
    "create trigger card_names_search_insert after insert on card_names begin
        insert into card_names_search (rowid, name_key) values (new.id, new.name_key);
    end",
    "create trigger card_names_search_delete after delete on card_names begin
        insert into card_names_search (card_names_search, rowid, name_key) values ('delete', old.id, old.name_key);
    end",
    "create trigger card_names_search_update after update of name_key on card_names begin
        insert into card_names_search (card_names_search, rowid, name_key) values ('delete', old.id, old.name_key);
        insert into card_names_search (rowid, name_key) values (new.id, new.name_key);
    end",
];
