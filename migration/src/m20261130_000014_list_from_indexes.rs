//! What lists and searches ask of a card without its row: what it may be played in as bits, whose picture and which words it
//! has by runs of three letters, and of each piece the one printing that stands for it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{run, run_on};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// On SQLite too: it takes long enough to be killed on its way, and another connection of the pool may not have heard yet that
    /// an index is gone whose name is taken again.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_on(manager, DbBackend::Postgres, &["drop index cards_preferred_name_trigrams"]).await?;
        run(manager, UP).await?;
        run(manager, &[&fill()]).await?;
        run_on(manager, DbBackend::Postgres, POSTGRES_UP).await?;
        run_on(manager, DbBackend::Sqlite, SQLITE_UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_on(
            manager,
            DbBackend::Postgres,
            &[
                "drop index cards_artist_trigrams",
                "drop index cards_flavor_trigrams",
                "drop index cards_listed_trigrams",
            ],
        )
        .await?;
        run_on(
            manager,
            DbBackend::Sqlite,
            &[
                "drop trigger cards_texts_search_insert",
                "drop trigger cards_texts_search_delete",
                "drop trigger cards_texts_search_update",
                "drop table cards_texts_search",
            ],
        )
        .await?;
        run(manager, DOWN).await?;
        run_on(manager, DbBackend::Postgres, POSTGRES_DOWN).await?;
        run_on(manager, DbBackend::Sqlite, SQLITE_DOWN).await
    }
}

const UP: &[&str] = &[
    // The place says it: it is the first.
    "drop index cards_preferred_by_name",
    "alter table cards drop column preferred",
    "drop index cards_for_search",
    // A bit a format.
    "alter table cards add column legal {big} not null default 0",
    "alter table cards add column restricted {big} not null default 0",
    "alter table cards add column banned {big} not null default 0",
];

/// The formats in the order of their bits.
const FORMATS: [&str; 25] = [
    "standard",
    "future",
    "historic",
    "timeless",
    "gladiator",
    "pioneer",
    "explorer",
    "modern",
    "legacy",
    "pauper",
    "vintage",
    "penny",
    "commander",
    "oathbreaker",
    "standardbrawl",
    "brawl",
    "alchemy",
    "paupercommander",
    "duel",
    "oldschool",
    "premodern",
    "predh",
    "competitivebrawl",
    "tlr",
    "frontier",
];

/// The bits of a catalogue that is there already.
fn fill() -> String {
    let bits = |status: &str| {
        let bit = |(bit, format): (usize, &&str)| {
            let bit = 1_u64 << bit;
            format!("case when legalities ->> '{format}' = '{status}' then {bit} else 0 end")
        };
        FORMATS.iter().enumerate().map(bit).collect::<Vec<_>>().join(" + ")
    };
    let [legal, restricted, banned] = ["legal", "restricted", "banned"].map(bits);
    format!("update cards set legal = {legal}, restricted = {restricted}, banned = {banned}")
}

const POSTGRES_UP: &[&str] = &[
    "create index cards_listed on cards (name_key, id) include (piece_id, set_code, collector_key, rarity, mana_value, \
     colors, color_identity, released_on, reserved, legal, restricted, banned) where place = 1 and not extra",
    "create index cards_listed_trigrams on cards using gin (name_key gin_trgm_ops) where place = 1 and not extra",
    "create index cards_for_search on cards (piece_id, place, id) include (extra, language, set_code, collector_key, \
     rarity, mana_value, colors, color_identity, finishes, released_on, promo, digital, reserved, layout, marks, \
     name_key, legal, restricted, banned, illustration_id, scryfall_id)",
    "create index cards_artist_trigrams on cards using gin (artist_key gin_trgm_ops)",
    "create index cards_flavor_trigrams on cards using gin (flavor_key gin_trgm_ops)",
];

/// The texts have an index that triggers keep in step, so that no writer can forget it.
const SQLITE_UP: &[&str] = &[
    "create index cards_listed on cards (name_key, id, piece_id, set_code, collector_key, rarity, mana_value, colors, \
     color_identity, released_on, reserved, legal, restricted, banned) where place = 1 and not extra",
    "create index cards_for_search on cards (piece_id, place, extra, language, set_code, collector_key, rarity, \
     mana_value, colors, color_identity, finishes, released_on, promo, digital, reserved, layout, marks, name_key, \
     legal, restricted, banned, illustration_id, scryfall_id)",
    "create virtual table cards_texts_search using fts5 (artist_key, flavor_key, content='cards', content_rowid='id', tokenize='trigram')",
    "insert into cards_texts_search (cards_texts_search) values ('rebuild')",
    "create trigger cards_texts_search_insert after insert on cards begin
        insert into cards_texts_search (rowid, artist_key, flavor_key) values (new.id, new.artist_key, new.flavor_key);
    end",
    "create trigger cards_texts_search_delete after delete on cards begin
        insert into cards_texts_search (cards_texts_search, rowid, artist_key, flavor_key)
        values ('delete', old.id, old.artist_key, old.flavor_key);
    end",
    "create trigger cards_texts_search_update after update of artist_key, flavor_key on cards begin
        insert into cards_texts_search (cards_texts_search, rowid, artist_key, flavor_key)
        values ('delete', old.id, old.artist_key, old.flavor_key);
        insert into cards_texts_search (rowid, artist_key, flavor_key) values (new.id, new.artist_key, new.flavor_key);
    end",
];

const DOWN: &[&str] = &[
    "drop index cards_listed",
    "drop index cards_for_search",
    "alter table cards drop column legal",
    "alter table cards drop column restricted",
    "alter table cards drop column banned",
    "alter table cards add column preferred {bool} not null default false",
    "update cards set preferred = true where place = 1",
    "create index cards_preferred_by_name on cards (name_key, id) where preferred",
];

const POSTGRES_DOWN: &[&str] = &[
    "create index cards_preferred_name_trigrams on cards using gin (name_key gin_trgm_ops) where preferred and not extra",
    "create index cards_for_search on cards (piece_id, place, id) include (extra, language, set_code, collector_key, \
     rarity, mana_value, colors, color_identity, finishes, released_on, promo, digital, reserved, layout, marks, name_key)",
];

const SQLITE_DOWN: &[&str] = &[
    "create index cards_for_search on cards (piece_id, place, extra, language, set_code, collector_key, rarity, \
     mana_value, colors, color_identity, finishes, released_on, promo, digital, reserved, layout, marks, name_key)",
];
