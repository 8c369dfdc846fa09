//! The place of each printing among those of its game piece, by which the one to list is chosen.

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
        run(manager, &["alter table cards drop column place"]).await
    }
}

const UP: &[&str] = &[
    "alter table cards add column place integer not null default 1",
    // As an ingest does when it ends: a catalogue that is there already lists the same printings as before.
    "update cards set place = w.place
     from (select c.id, row_number() over (partition by c.piece_id order by c.extra,
               case when c.language = 'en' then 0 else 1 end, c.digital, c.promo,
               coalesce(c.released_on, '0001-01-01') desc, c.set_code, c.collector_key, c.id) as place
           from cards c) w
     where w.id = cards.id and cards.place <> w.place",
];
