//! The database schema, step by step. Each migration runs forwards and backwards, on Postgres and SQLite alike.
//!
//! This crate knows nothing of the server: it can be run by an operator's own tools, and a change of the domain's
//! types never changes what an old migration does.

mod dialect;
mod m20261122_000001_create_catalogue;
mod m20261122_000002_create_market;
mod m20261122_000003_create_operations;
mod m20261125_000004_create_search;
mod m20261125_000005_create_accounts;
mod m20261125_000006_create_collections;
mod m20261125_000007_create_jobs;
mod m20261127_000008_schedule_jobs;
mod m20261127_000009_mark_idempotent_answers;
mod m20261130_000010_note_unheard_revocations;
mod m20261130_000011_lighten_imports;
mod m20261130_000012_place_printings;
mod m20261130_000013_cover_searches;
mod m20261130_000014_list_from_indexes;

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::{MigrationTrait, async_trait};

/// Every migration, oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_create_catalogue::Migration),
            Box::new(m20261122_000002_create_market::Migration),
            Box::new(m20261122_000003_create_operations::Migration),
            Box::new(m20261125_000004_create_search::Migration),
            Box::new(m20261125_000005_create_accounts::Migration),
            Box::new(m20261125_000006_create_collections::Migration),
            Box::new(m20261125_000007_create_jobs::Migration),
            Box::new(m20261127_000008_schedule_jobs::Migration),
            Box::new(m20261127_000009_mark_idempotent_answers::Migration),
            Box::new(m20261130_000010_note_unheard_revocations::Migration),
            Box::new(m20261130_000011_lighten_imports::Migration),
            Box::new(m20261130_000012_place_printings::Migration),
            Box::new(m20261130_000013_cover_searches::Migration),
            Box::new(m20261130_000014_list_from_indexes::Migration),
        ]
    }
}
