//! The schema forwards and backwards, on both stores.

use migration::{Migrator, MigratorTrait};
use sea_orm::DbBackend;

use crate::harness::on_both_stores;

on_both_stores! { Tables:
    async fn every_migration_can_be_taken_back_and_applied_again(app: TestApp) {
        let pool = app.bulk.write().pool();
        let tables = match pool.get_database_backend() {
            DbBackend::Postgres => "select count(*) as n from information_schema.tables where table_schema = 'public'",
            _ => "select count(*) as n from sqlite_master where type = 'table' and name not like 'sqlite_%'",
        };
        let applied = app.number(tables).await;
        assert!(applied > 10, "{applied} tables");
        for left in (0..Migrator::migrations().len()).rev() {
            Migrator::down(pool, Some(1)).await.expect("taken back");
            let pending = Migrator::get_pending_migrations(pool).await.expect("a list");
            assert_eq!(pending.len(), Migrator::migrations().len() - left);
        }
        assert_eq!(app.number(tables).await, 1, "only the list of migrations is left");
        Migrator::up(pool, None).await.expect("applied");
        assert_eq!(app.number(tables).await, applied);
    }
}
