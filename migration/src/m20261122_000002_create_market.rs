//! Marketplaces, price snapshots, and what is derived of them: latest prices, prices of a card, daily prices.
//!
//! Amounts are whole minor units (cents): see docs/adr/0003-money.md. The snapshot's key is the subject of
//! docs/adr/0004-price-snapshot-key.md.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{run, run_on};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, MARKETPLACES).await?;
        run_on(manager, DbBackend::Postgres, POSTGRES_SNAPSHOTS).await?;
        run_on(manager, DbBackend::Sqlite, SQLITE_SNAPSHOTS).await?;
        run(manager, DERIVED).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(
            manager,
            &[
                "drop table stale_cards",
                "drop table price_days",
                "drop table card_prices",
                "drop table latest_prices",
                "drop table price_snapshots",
                "drop table marketplaces",
            ],
        )
        .await
    }
}

const MARKETPLACES: &[&str] = &["create table marketplaces (
    id {small_id},
    uuid {uuid} not null unique,
    slug {key} not null unique,
    name text not null,
    currency {small} not null,
    url text,
    enabled {bool} not null default true,
    priced_cards integer not null default 0,
    updated_at {time}
) {table}"];

const POSTGRES_SNAPSHOTS: &[&str] = &[
    // Eight-byte columns last: the key's small ones pack without padding. No foreign keys here: a check a row would
    // cost more than the row, and the writer has just resolved both ids in the same transaction.
    "create table price_snapshots (
        card_id integer not null,
        marketplace_id smallint not null,
        kind smallint not null,
        finish smallint not null,
        condition smallint not null,
        language text collate \"C\" not null,
        observed_at timestamptz not null,
        price bigint not null check (price >= 0),
        low bigint,
        mid bigint,
        high bigint,
        market bigint,
        primary key (card_id, marketplace_id, kind, finish, condition, language, observed_at)
    ) partition by range (observed_at)",
    // Catches what has no month of its own yet; ingest makes the months (price_snapshots_yYYYYmMM) as they come.
    "create table price_snapshots_default partition of price_snapshots default",
];

const SQLITE_SNAPSHOTS: &[&str] = &["create table price_snapshots (
    card_id integer not null,
    marketplace_id integer not null,
    kind integer not null,
    finish integer not null,
    condition integer not null,
    language text not null,
    observed_at text not null,
    price integer not null check (price >= 0),
    low integer,
    mid integer,
    high integer,
    market integer,
    primary key (card_id, marketplace_id, kind, finish, condition, language, observed_at)
) strict, without rowid"];

const DERIVED: &[&str] = &[
    // The newest snapshot of each series, with the prices a day, a week and a month before the store's newest.
    "create table latest_prices (
        card_id integer not null,
        marketplace_id {small} not null,
        kind {small} not null,
        finish {small} not null,
        condition {small} not null,
        language {key} not null,
        observed_at {time} not null,
        price {big} not null,
        low {big},
        mid {big},
        high {big},
        market {big},
        base_24h {big},
        base_7d {big},
        base_30d {big},
        primary key (card_id, marketplace_id, kind, finish, condition, language)
    ) {clustered}",
    // The answer of Card.price over all marketplaces of a currency.
    "create table card_prices (
        card_id integer not null,
        currency {small} not null,
        finish {small} not null,
        condition {small} not null,
        ranked {bool} not null,
        stale {bool} not null,
        observed_at {time} not null,
        price {big} not null,
        low {big} not null,
        high {big} not null,
        market {big} not null,
        buylist {big},
        change_24h {big} not null,
        base_24h {big},
        change_7d {big} not null,
        base_7d {big},
        change_30d {big} not null,
        base_30d {big},
        primary key (card_id, currency, finish, condition)
    ) {clustered}",
    // The sort by price and the filter on it: the one price of a card that lists show.
    "create index card_prices_by_price on card_prices (currency, price, card_id) where ranked",
    // A price a day, over all marketplaces of a currency, near mint, in the card's own language.
    "create table price_days (
        card_id integer not null,
        currency {small} not null,
        kind {small} not null,
        finish {small} not null,
        day {date} not null,
        price {big} not null,
        low {big} not null,
        high {big} not null,
        primary key (card_id, currency, kind, finish, day)
    ) {clustered}",
    // Cards whose derived prices are behind their snapshots, and since when.
    "create table stale_cards (
        card_id integer not null primary key,
        since {time} not null
    ) {clustered}",
];
