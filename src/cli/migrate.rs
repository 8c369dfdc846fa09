//! `dualcaster migrate`: the database's schema, forwards and backwards.

use clap::Subcommand;
use migration::{Migrator, MigratorTrait};

use super::{Failure, Outcome, print};
use crate::config::Settings;
use crate::db::{Databases, Purpose, Trouble, address_of};

#[derive(Debug, Subcommand)]
pub enum Direction {
    /// Apply every migration that is not yet.
    Up,
    /// Take back the last migrations, and the data that they hold.
    Down {
        /// How many.
        #[arg(default_value_t = 1)]
        count: u32,
    },
    /// List the migrations and which are applied.
    Status,
}

pub async fn migrate(settings: &Settings, direction: Direction) -> Outcome {
    let databases = connect(settings).await?;
    let pool = databases.write().pool();
    let failed = |error: sea_orm::DbErr| Failure::new(format!("the migration failed: {error}"));
    match direction {
        Direction::Up => Migrator::up(pool, None).await.map_err(failed)?,
        Direction::Down { count } => Migrator::down(pool, Some(count)).await.map_err(failed)?,
        Direction::Status => {
            let pending = Migrator::get_pending_migrations(pool).await.map_err(failed)?;
            let is_pending = |name: &str| pending.iter().any(|migration| migration.name() == name);
            let lines: String = Migrator::migrations()
                .iter()
                .map(|migration| {
                    let state = if is_pending(migration.name()) { "pending" } else { "applied" };
                    format!("{state}  {}\n", migration.name())
                })
                .collect();
            print(&lines)?;
        }
    }
    databases.close().await;
    Ok(())
}

/// Connects for work that may take long.
pub async fn connect(settings: &Settings) -> Result<Databases, Failure> {
    if settings.database.embedded {
        std::fs::create_dir_all(&settings.data_dir).map_err(|error| {
            Failure::new(format!("the data folder can't be made: {error}"))
                .hint("Set DUALCASTER_DATA_DIR to a folder that can.")
        })?;
    }
    Databases::connect(&settings.database, Purpose::Bulk).await.map_err(|error| {
        let why = match (Trouble::of(&error), address_of(&settings.database.url)) {
            // The pool says no more than that it has waited.
            (Trouble::Away, Some(address)) => format!("the database at {address} did not answer"),
            _ => format!("the database can't be reached: {error}"),
        };
        Failure::new(why).hint("Check DATABASE_URL, and that the database runs.")
    })
}

/// Connects, and migrates where the store is the embedded one; another's schema is the operator's to change.
pub async fn connect_migrated(settings: &Settings) -> Result<Databases, Failure> {
    let databases = connect(settings).await?;
    let pool = databases.write().pool();
    let failed =
        |error: sea_orm::DbErr| Failure::new(format!("the database's schema can't be read: {error}"));
    if settings.database.embedded {
        Migrator::up(pool, None).await.map_err(failed)?;
    } else if !Migrator::get_pending_migrations(pool).await.map_err(failed)?.is_empty() {
        return Err(Failure::new("the database's schema is not up to date")
            .hint("Run `dualcaster migrate up` first."));
    }
    Ok(databases)
}
