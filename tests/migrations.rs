//! The schema forwards and backwards, on both stores.

use dualcaster::ingest::Format;
use migration::{Migrator, MigratorTrait};
use sea_orm::DbBackend;
use serde_json::json;

use crate::harness::{Printing, TestFile, on_both_stores, scryfall_cards};
use crate::search::names;

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

    async fn a_catalogue_that_is_there_is_listed_and_found_as_before(app: TestApp) {
        let printings = [
            Printing { number: 1, name: "Spark", set: "tst", collector_number: "1", rarity: "common" },
            Printing { number: 2, name: "Glow", set: "tst", collector_number: "2", rarity: "common" },
        ];
        let cards = scryfall_cards(&printings, |printing, card| {
            card["legalities"] = match printing.number {
                1 => json!({"standard": "legal", "frontier": "banned", "modern": "not_legal"}),
                _ => json!({"standard": "banned", "vintage": "restricted", "frontier": "legal"}),
            };
            card["artist"] = json!(if printing.number == 1 { "Zoë Péra" } else { "Ida Moth" });
            card["flavor_text"] = json!("It hums.");
        });
        app.ingest(Format::Scryfall, &TestFile::json(&cards)).await.expect("a catalogue");
        let searches = [
            ("f:standard", vec!["Spark"]),
            ("banned:standard", vec!["Glow"]),
            ("f:vintage", vec!["Glow"]),
            ("legal:vintage", vec![]),
            ("restricted:*", vec!["Glow"]),
            ("f:frontier", vec!["Glow"]),
            ("banned:frontier", vec!["Spark"]),
            ("f:modern", vec![]),
            ("a:zoe", vec!["Spark"]),
            ("ft:hums -a:moth", vec!["Spark"]),
        ];
        let pool = app.bulk.write().pool();
        for round in 0..2 {
            for (search, found) in &searches {
                assert_eq!(names(&app, search).await, *found, "{search}, {round}");
            }
            if round == 0 {
                let steps = Migrator::migrations().iter().filter(|step| step.name() >= FROM).count();
                let steps = u32::try_from(steps).expect("a number");
                Migrator::down(pool, Some(steps)).await.expect("taken back");
                Migrator::up(pool, None).await.expect("applied");
            }
        }
    }
}

/// The first of the migrations that fill what they add from a catalogue that is there.
const FROM: &str = "m20261130_000012";
