//! The store: where it is, how it is reached, and what its failures mean.
//!
//! Code asks for a database by intent, [`Databases::read`] or [`Databases::write`], and gets a [`Connection`] that
//! counts, times, bounds and retries every statement. Postgres and SQLite differ in [`sql`] and nowhere above it.

mod alarm;
mod bulk;
mod connection;
mod keyset;
mod lease;
mod raw;
mod sql;
mod transaction;
mod trouble;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbBackend, DbErr};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

pub use bulk::{Bulk, Cell, Column, Merge, Target};
pub use connection::{Connection, Statements};
pub use keyset::{Direction, Keyset, Listed, Segment, SortColumn, fetch_page};
pub use sql::{Columns, Count, Exists, Sql};
pub use transaction::{Transaction, end_transaction, transaction, with_each_transaction};
pub use trouble::Trouble;

use crate::config::DatabaseSettings;

/// The deadline of a job's statement.
const JOB_STATEMENT: Duration = Duration::from_secs(60);

/// What a pool is for: requests are bounded, bulk work is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Requests,
    /// Ingest and migrations: no deadline on statements, and two connections suffice.
    Bulk,
    /// As many jobs at a time, whose statements have a minute. Each reads while it writes, and renews its claim besides.
    Jobs(u32),
}

impl Purpose {
    /// What a statement has.
    fn deadline(self, settings: &DatabaseSettings) -> Option<Duration> {
        match self {
            Self::Requests => Some(settings.statement_timeout),
            Self::Jobs(_) => Some(JOB_STATEMENT),
            Self::Bulk => None,
        }
    }

    /// How long SQLite's one lock for writers is waited for. Nobody is told when it is free: who waits looks some ten times a
    /// second, and may miss the moments between the transactions of an ingest many times over. A request is told that the store
    /// is busy while there is time for it, and a job's statement waits as long as it has. Bulk work, which on Postgres waits for
    /// any lock, goes on looking, until it must be that a writer hangs.
    fn lock_wait(self, settings: &DatabaseSettings) -> Duration {
        match self {
            Self::Requests => settings.statement_timeout.min(Duration::from_secs(5)),
            Self::Jobs(_) => JOB_STATEMENT,
            Self::Bulk => Duration::from_secs(300),
        }
    }

    /// What its pool of the primary is called.
    fn name(self) -> &'static str {
        match self {
            Self::Requests => "primary",
            Self::Bulk => "bulk",
            Self::Jobs(_) => "jobs",
        }
    }
}

/// The primary database, and a replica where there is one.
#[derive(Clone)]
pub struct Databases {
    primary: Connection,
    replica: Option<Connection>,
}

impl Databases {
    /// Connects to all that the settings name and the purpose needs.
    ///
    /// # Errors
    /// When the primary or the replica does not answer within `connect_timeout`.
    pub async fn connect(settings: &DatabaseSettings, purpose: Purpose) -> Result<Self, DbErr> {
        let statements = Arc::new(Statements::default());
        let deadline = purpose.deadline(settings);
        let open = async |url: &str, name| {
            let pool = open(settings, url, purpose).await?;
            // The other half stays with the pool, for those who ask it for a transaction.
            let in_hand = pool_bounds(settings, url, purpose).1 / 2;
            Ok::<_, DbErr>(Connection::new(pool, in_hand, name, deadline, Arc::clone(&statements)))
        };
        Ok(Self {
            primary: open(&settings.url, purpose.name()).await?,
            replica: match &settings.replica_url {
                // Other work reads what it has just written.
                Some(url) if purpose == Purpose::Requests => Some(open(url, "replica").await?),
                _ => None,
            },
        })
    }

    /// For reads that may be a moment behind.
    pub fn read(&self) -> &Connection {
        self.replica.as_ref().unwrap_or(&self.primary)
    }

    /// For writes, and for reads that must see them.
    pub fn write(&self) -> &Connection {
        &self.primary
    }

    /// Each database with its name.
    pub fn all(&self) -> impl Iterator<Item = &Connection> {
        std::iter::once(&self.primary).chain(&self.replica)
    }

    /// Waits for what runs and closes every connection.
    pub async fn close(&self) {
        for connection in self.all() {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "a database pool did not close cleanly");
            }
        }
    }
}

/// SQLite readers beyond this many only wait for each other; each costs a thread and a cache.
const SQLITE_CONNECTIONS: u32 = 8;

/// What a connection of a job may hold of its pages, in KiB as SQLite has it: each job has several.
const SQLITE_CACHE_OF_JOBS: &str = "-2000";

/// How many connections are kept open, and how many there are at most.
fn pool_bounds(settings: &DatabaseSettings, url: &str, purpose: Purpose) -> (u32, u32) {
    match (purpose, url.starts_with("sqlite:")) {
        (Purpose::Requests, false) => (settings.pool_keep, settings.pool_max),
        (Purpose::Requests, true) => (1, settings.pool_max.min(SQLITE_CONNECTIONS)),
        (Purpose::Bulk, _) => (0, 2),
        (Purpose::Jobs(workers), _) => (0, 2 * workers + 1),
    }
}

async fn open(settings: &DatabaseSettings, url: &str, purpose: Purpose) -> Result<DatabaseConnection, DbErr> {
    let sqlite = url.starts_with("sqlite:");
    let (keep, most) = pool_bounds(settings, url, purpose);
    let mut options = ConnectOptions::new(url);
    options
        .min_connections(keep.min(most))
        .max_connections(most)
        .max_lifetime(settings.connection_lifetime)
        .connect_timeout(settings.connect_timeout)
        .acquire_timeout(settings.acquire_timeout)
        // A ping before each use would cost every request a round trip; a dead connection is found out by its use
        // and replaced: see `Connection`.
        .test_before_acquire(false)
        .sqlx_logging(false);
    if sqlite {
        // Pages that are mapped count as memory, and a bulk write touches them all.
        let mapped = if purpose == Purpose::Requests { "268435456" } else { "0" };
        let cache = if let Purpose::Jobs(_) = purpose { SQLITE_CACHE_OF_JOBS } else { "-8000" };
        // What a statement over very many rows puts aside, to take itself back by, is as large as all that it changes.
        let aside = if purpose == Purpose::Requests { "memory" } else { "file" };
        let lock_wait = purpose.lock_wait(settings);
        options.map_sqlx_sqlite_opts(move |options| {
            options
                .create_if_missing(true)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal)
                .busy_timeout(lock_wait)
                .pragma("temp_store", aside)
                .pragma("cache_size", cache)
                .pragma("mmap_size", mapped)
                .with_regexp()
        });
        options.map_sqlx_sqlite_pool_opts(|pool| {
            pool.after_release(|connection, _| Box::pin(alarm::Alarm::off(connection)))
        });
    } else {
        let timeout = purpose.deadline(settings).unwrap_or_default().as_millis().to_string();
        // Prices are derived by sorting some ten thousand rows at a time, which are not to go by way of the disk.
        // What fills tables must not go on by the plan for an empty one.
        let (work_mem, plans) = match purpose {
            Purpose::Requests => ("4MB", "auto"),
            Purpose::Bulk | Purpose::Jobs(_) => ("64MB", "force_custom_plan"),
        };
        options.map_sqlx_postgres_opts(move |options| {
            options.application_name("dualcaster").options([
                ("jit", "off"),
                ("plan_cache_mode", plans),
                // Not that a staging table is there already.
                ("client_min_messages", "warning"),
                ("statement_timeout", timeout.as_str()),
                ("work_mem", work_mem),
            ])
        });
    }
    let connected = tokio::time::timeout(settings.connect_timeout, Database::connect(options));
    connected
        .await
        .unwrap_or_else(|_| Err(DbErr::Conn(sea_orm::RuntimeErr::Internal("no answer in time".into()))))
}

/// Which store a URL names, if it is one that we know.
pub fn backend_of(url: &str) -> Option<DbBackend> {
    match url.split_once(':')?.0 {
        "postgres" | "postgresql" => Some(DbBackend::Postgres),
        "sqlite" => sqlx::sqlite::SqliteConnectOptions::from_str(url).is_ok().then_some(DbBackend::Sqlite),
        _ => None,
    }
}

/// Where a database listens, as `host:port`, without what opens it; nothing for a file.
pub fn address_of(url: &str) -> Option<String> {
    if backend_of(url) != Some(DbBackend::Postgres) {
        return None;
    }
    let options = PgConnectOptions::from_str(url).ok()?;
    Some(match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Settings};

    #[test]
    fn an_address_is_told_without_what_opens_it() {
        let address = |url| address_of(url).unwrap_or_default();
        assert_eq!(
            address("postgres://ada:hunter2@db.example:5433/cards?sslmode=disable"),
            "db.example:5433"
        );
        assert_eq!(address("postgresql://127.0.0.1:6000/cards"), "127.0.0.1:6000");
        assert_eq!(address("sqlite://cards.db"), "");
    }

    #[test]
    fn only_bulk_work_is_waited_for_without_end() {
        let settings = Settings::read(&mut Environment::new([])).expect("settings").database;
        let seconds = |purpose: Purpose| purpose.deadline(&settings).map(|deadline| deadline.as_secs());
        assert_eq!(
            [Purpose::Requests, Purpose::Jobs(3), Purpose::Bulk].map(seconds),
            [Some(5), Some(60), None]
        );
    }
}
