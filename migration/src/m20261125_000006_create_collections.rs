//! What users hold and want, what that is worth, and what there is to tell of prices.

use sea_orm_migration::prelude::*;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, COLLECTIONS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &["drop index cards_by_parts"]).await?;
        let tables = [
            "announcements",
            "portfolio_days",
            "want_list_items",
            "removed_inventory_items",
            "holding_values",
            "inventory_items",
        ];
        for table in tables {
            run(manager, &[&format!("drop table {table}")]).await?;
        }
        Ok(())
    }
}

const COLLECTIONS: &[&str] = &[
    // `name_key` is the card's, kept here so that an index has the order by name.
    "create table inventory_items (
        id {uuid} not null primary key,
        user_id {uuid} not null references users (id) on delete cascade,
        card_id integer not null references cards (id),
        finish {small} not null,
        condition {small} not null,
        language {key} not null,
        quantity integer not null check (quantity between 1 and 100000),
        price_amount {big} check (price_amount between 0 and 999999999),
        price_currency {small},
        acquired_on {date},
        notes text,
        tags {json} not null,
        name_key {key} not null,
        created_at {time} not null,
        updated_at {time} not null,
        check ((price_amount is null) = (price_currency is null)),
        unique (user_id, card_id, finish, condition, language)
    ) {table}",
    "create index inventory_items_by_age on inventory_items (user_id, created_at, id)",
    "create index inventory_items_by_name on inventory_items (user_id, name_key, id)",
    "create index inventory_items_by_quantity on inventory_items (user_id, quantity, id)",
    "create index inventory_items_of_card on inventory_items (card_id)",
    // What all copies of an item are worth in each currency, and how that has moved: docs/adr/0015-values-of-holdings.md.
    "create table holding_values (
        item_id {uuid} not null references inventory_items (id) on delete cascade,
        currency {small} not null,
        user_id {uuid} not null,
        estimated {bool} not null,
        value {big} not null,
        change_24h {big} not null,
        base_24h {big} not null,
        change_7d {big} not null,
        base_7d {big} not null,
        primary key (item_id, currency)
    ) {clustered}",
    "create index holding_values_by_value on holding_values (user_id, currency, value, item_id)",
    "create table removed_inventory_items (
        id {uuid} not null primary key,
        user_id {uuid} not null references users (id) on delete cascade,
        card_id integer not null references cards (id),
        finish {small} not null,
        condition {small} not null,
        language {key} not null,
        quantity integer not null,
        price_amount {big},
        price_currency {small},
        acquired_on {date},
        notes text,
        tags {json} not null,
        name_key {key} not null,
        created_at {time} not null,
        updated_at {time} not null,
        removed_at {time} not null
    ) {table}",
    "create index removed_inventory_items_by_age on removed_inventory_items (removed_at)",
    "create index removed_inventory_items_of_user on removed_inventory_items (user_id)",
    // No finish: the first that the card has.
    "create table want_list_items (
        id {uuid} not null primary key,
        user_id {uuid} not null references users (id) on delete cascade,
        card_id integer not null references cards (id),
        finish {small},
        quantity integer not null check (quantity between 1 and 100000),
        priority {small} not null,
        target_amount {big} check (target_amount between 0 and 999999999),
        target_currency {small},
        notes text,
        name_key {key} not null,
        below_target {bool} not null,
        hit_at {time},
        created_at {time} not null,
        updated_at {time} not null,
        check ((target_amount is null) = (target_currency is null))
    ) {table}",
    "create unique index want_list_items_once on want_list_items (user_id, card_id, coalesce(finish, -1))",
    "create index want_list_items_by_priority on want_list_items (user_id, priority, created_at, id)",
    "create index want_list_items_by_age on want_list_items (user_id, created_at, id)",
    "create index want_list_items_by_name on want_list_items (user_id, name_key, id)",
    "create index want_list_items_of_card on want_list_items (card_id)",
    // What a portfolio is divided by, without the cards' long rows.
    "create index cards_by_parts on cards (id, set_code, rarity, colors)",
    // What somebody's holdings were worth at the end of each day that the store had prices of.
    "create table portfolio_days (
        user_id {uuid} not null references users (id) on delete cascade,
        currency {small} not null,
        day {date} not null,
        value {big} not null,
        primary key (user_id, currency, day)
    ) {clustered}",
    "create index portfolio_days_by_day on portfolio_days (day)",
    // What an ingest has to tell: docs/adr/0016-announcements.md.
    "create table announcements (
        id {once_id},
        cards {json} not null,
        hits {json} not null
    ) {table}",
];
