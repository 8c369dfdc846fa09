//! Less to write for an imported item: what it is worth in one row, and what a file said and brought in blocks.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::dialect::{run, run_on};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// On SQLite too: another connection of the pool may not have heard yet that an index is gone whose name is taken again.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_on(manager, DbBackend::Sqlite, SQLITE_ITEMS).await?;
        run(manager, TABLES).await?;
        let columns = CURRENCIES.map(|(_, number)| {
            let of = |column| format!(", coalesce(max(case when currency = {number} then {column} end), 0)");
            let estimated =
                format!(", max(case when currency = {number} and estimated then 1 else 0 end) = 1");
            COLUMNS.map(of).concat() + &estimated
        });
        let values = format!(
            "insert into item_values select item_id, user_id{} from holding_values group by item_id, user_id",
            columns.concat()
        );
        run(manager, &[&values, "drop table holding_values"]).await?;
        run_on(manager, DbBackend::Sqlite, &["drop table former_items"]).await?;
        run(
            manager,
            &["insert into rejected_rows select job_id, line, code, message, cells from import_rows where code is not null"],
        )
        .await?;
        run_on(manager, DbBackend::Postgres, POSTGRES_UP).await?;
        run_on(manager, DbBackend::Sqlite, SQLITE_UP).await?;
        run(manager, &["drop table import_rows", "delete from import_changes where before is null"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, FORMER).await?;
        for (name, number) in CURRENCIES {
            let columns = COLUMNS.map(|column| format!(", {name}_{column}")).concat();
            let values = format!(
                "insert into holding_values (item_id, currency, user_id, value, change_24h, base_24h, change_7d, base_7d, \
                 estimated) select item_id, {number}, user_id{columns}, {name}_estimated from item_values"
            );
            run(manager, &[&values]).await?;
        }
        run_on(manager, DbBackend::Postgres, POSTGRES_DOWN).await?;
        run_on(manager, DbBackend::Sqlite, SQLITE_DOWN).await?;
        let tables = ["item_values", "import_lines", "rejected_rows", "import_made"];
        for table in tables {
            run(manager, &[&format!("drop table {table}")]).await?;
        }
        Ok(())
    }
}

/// The currencies by the names of their columns, and their numbers.
const CURRENCIES: [(&str, i16); 3] = [("usd", 0), ("eur", 1), ("tix", 2)];
const COLUMNS: [&str; 5] = ["value", "change_24h", "base_24h", "change_7d", "base_7d"];

/// The items once more, for the sake of their references.
const SQLITE_ITEMS: &[&str] = &[
    "alter table inventory_items rename to former_items",
    "drop index inventory_items_by_age",
    "drop index inventory_items_by_name",
    "drop index inventory_items_by_quantity",
    "drop index inventory_items_of_card",
    "create table inventory_items (
        id {uuid} not null primary key,
        user_id {uuid} not null references users (id) on delete cascade {at_the_end},
        card_id integer not null references cards (id) {at_the_end},
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
    "insert into inventory_items select * from former_items",
    "create index inventory_items_by_age on inventory_items (user_id, created_at, id)",
    "create index inventory_items_by_name on inventory_items (user_id, name_key, id)",
    "create index inventory_items_by_quantity on inventory_items (user_id, quantity, id)",
    "create index inventory_items_of_card on inventory_items (card_id)",
];

const TABLES: &[&str] = &[
    // What all copies of an item are worth in each currency, and how that has moved: docs/adr/0015-values-of-holdings.md.
    "create table item_values (
        item_id {uuid} not null primary key references inventory_items (id) on delete cascade {at_the_end},
        user_id {uuid} not null,
        usd_value {big} not null,
        usd_change_24h {big} not null,
        usd_base_24h {big} not null,
        usd_change_7d {big} not null,
        usd_base_7d {big} not null,
        usd_estimated {bool} not null,
        eur_value {big} not null,
        eur_change_24h {big} not null,
        eur_base_24h {big} not null,
        eur_change_7d {big} not null,
        eur_base_7d {big} not null,
        eur_estimated {bool} not null,
        tix_value {big} not null,
        tix_change_24h {big} not null,
        tix_base_24h {big} not null,
        tix_change_7d {big} not null,
        tix_base_7d {big} not null,
        tix_estimated {bool} not null
    ) {clustered}",
    "create index item_values_by_usd on item_values (user_id, usd_value, item_id)",
    "create index item_values_by_eur on item_values (user_id, eur_value, item_id)",
    "create index item_values_by_tix on item_values (user_id, tix_value, item_id)",
    // What became of the lines of a file, some hundreds a row: a list of [line, outcome, code, message, cells].
    "create table import_lines (
        job_id {uuid} not null references jobs (id) on delete cascade,
        first_line {big} not null,
        lines text not null,
        primary key (job_id, first_line)
    ) {clustered}",
    // The rejected ones once more, for lists.
    "create table rejected_rows (
        job_id {uuid} not null references jobs (id) on delete cascade,
        line {big} not null,
        code {key} not null,
        message text,
        cells {json} not null,
        primary key (job_id, line)
    ) {clustered}",
    // The items that an import made, some thousands a row: a list of their ids.
    "create table import_made (
        job_id {uuid} not null references jobs (id) on delete cascade,
        part integer not null,
        items {json} not null,
        primary key (job_id, part)
    ) {clustered}",
];

const POSTGRES_UP: &[&str] = &[
    "insert into import_lines
     select job_id, min(line), json_agg(json_build_array(line, outcome, code, message, cells) order by line)::text
     from import_rows group by job_id, line / 1000",
    "insert into import_made
     select job_id, 0, jsonb_agg(replace(item_id::text, '-', '')) from import_changes where before is null group by job_id",
];

const SQLITE_UP: &[&str] = &[
    "insert into import_lines
     select job_id, min(line), json_group_array(json_array(line, outcome, code, message, json(cells)))
     from (select * from import_rows order by job_id, line) group by job_id, line / 1000",
    "insert into import_made
     select job_id, 0, json_group_array(lower(hex(item_id))) from import_changes where before is null group by job_id",
];

const FORMER: &[&str] = &[
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
    "create table import_rows (
        job_id {uuid} not null references jobs (id) on delete cascade,
        line {big} not null,
        outcome {small} not null,
        code {key},
        message text,
        cells {json} not null,
        primary key (job_id, line)
    ) {clustered}",
    "create index import_rows_rejected on import_rows (job_id, line) where code is not null",
];

const POSTGRES_DOWN: &[&str] = &[
    "insert into import_rows
     select l.job_id, (e ->> 0)::bigint, (e ->> 1)::smallint, e ->> 2, e ->> 3, e -> 4
     from import_lines l, jsonb_array_elements(l.lines::jsonb) e",
    "insert into import_changes
     select m.job_id, i.id, null, i.created_at
     from import_made m, jsonb_array_elements_text(m.items) e join inventory_items i on i.id = e::uuid",
];

const SQLITE_DOWN: &[&str] = &[
    "insert into import_rows
     select l.job_id, e.value ->> 0, e.value ->> 1, e.value ->> 2, e.value ->> 3, e.value -> 4
     from import_lines l, json_each(l.lines) e",
    "insert into import_changes
     select m.job_id, i.id, null, i.created_at
     from import_made m, json_each(m.items) e join inventory_items i on i.id = unhex(e.value)",
];
