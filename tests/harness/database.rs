//! Databases that are copies of a template: migrated once, filled once.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::NaiveDate;
use dualcaster::config::{DatabaseSettings, Environment, Settings};
use dualcaster::db::{Databases, Purpose};
use dualcaster::generate::{GeneratedMarket, MarketPlan};
use dualcaster::ingest::ingest_generated;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Database};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::{Proxy, Unwatched};

/// Which store a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Store {
    Postgres,
    Sqlite,
}

/// What is in a test's database from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// Tables without rows.
    Tables,
    /// A generated market of 150 cards, 40 days and 3 marketplaces, up to 2026-06-30.
    Market,
}

/// A database of one test.
pub struct TestDatabase {
    pub url: String,
    pub store: Store,
    /// What its server keeps for itself; on SQLite the database too.
    folder: TempDir,
    /// Where its servers' keys are, and what they begin with.
    pub redis: Option<(String, String)>,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The server's database that others are made from; `tests/run.sh` names it.
fn postgres_url() -> String {
    std::env::var("TEST_DATABASE_URL").expect("TEST_DATABASE_URL is not set: run the tests by tests/run.sh")
}

fn postgres_url_of(database: &str) -> String {
    let url = postgres_url();
    let (server, _) = url.rsplit_once('/').expect("TEST_DATABASE_URL names a database");
    format!("{server}/{database}")
}

async fn on_postgres_server(sql: &str) {
    let server = Database::connect(postgres_url()).await.expect("the Postgres of the tests");
    server.execute_unprepared(sql).await.expect(sql);
    server.close().await.expect("closed");
}

/// Settings with a database, as the environment would give them.
fn settings_for(url: &str, folder: &std::path::Path) -> Settings {
    let variables = [
        ("DATABASE_URL", url.to_owned()),
        ("DUALCASTER_DATA_DIR", folder.display().to_string()),
        ("DUALCASTER_SECRET", "the secret of the tests is long enough".to_owned()),
        ("DUALCASTER_LISTEN", "127.0.0.1:0".to_owned()),
        ("DUALCASTER_POOL_KEEP", "0".to_owned()),
        ("DUALCASTER_POOL_MAX", "8".to_owned()),
        ("DUALCASTER_CONNECT_TIMEOUT_SECONDS", "60".to_owned()),
        ("DUALCASTER_ACQUIRE_TIMEOUT_SECONDS", "60".to_owned()),
        ("DUALCASTER_STATEMENT_TIMEOUT_SECONDS", "60".to_owned()),
        ("DUALCASTER_REQUEST_TIMEOUT_SECONDS", "120".to_owned()),
        // All tests ask from one address.
        ("DUALCASTER_BUDGET_ANONYMOUS", "1000000/1000000".to_owned()),
    ];
    let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value));
    Settings::read(&mut Environment::new(variables)).expect("settings")
}

fn bulk_settings(url: &str) -> DatabaseSettings {
    settings_for(url, std::path::Path::new(".")).database
}

impl TestDatabase {
    pub async fn new(store: Store, content: Content) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        match store {
            Store::Postgres => {
                let template = postgres_template(content).await;
                let name = format!("dualcaster_test_{}_{number}", std::process::id());
                on_postgres_server(&format!("create database {name} template {template}")).await;
                Self {
                    url: postgres_url_of(&name),
                    store,
                    folder: TempDir::new().expect("a folder"),
                    redis: None,
                }
            }
            Store::Sqlite => {
                let template = sqlite_template(content).await;
                let folder = TempDir::new().expect("a folder");
                let file = folder.path().join("test.db");
                std::fs::copy(template, &file).expect("a copy");
                Self { url: format!("sqlite://{}", file.display()), store, folder, redis: None }
            }
        }
    }

    /// The same beside a part of Redis of its own.
    pub fn with_redis(mut self) -> Self {
        let url = std::env::var("TEST_REDIS_URL")
            .expect("TEST_REDIS_URL is not set: run the tests by tests/run.sh");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        self.redis = Some((url, format!("dualcaster-test-{}-{number}:", std::process::id())));
        self
    }

    /// The settings of a server over it.
    pub fn settings(&self) -> Settings {
        let mut settings = settings_for(&self.url, &self.data_dir());
        if let Some((url, prefix)) = &self.redis {
            settings.redis_url = Some(url.clone());
            settings.redis_prefix.clone_from(prefix);
        }
        settings
    }

    /// Takes away what servers have in Redis, as a flush does.
    pub async fn flush_redis(&self) {
        let Some((url, prefix)) = &self.redis else { return };
        let client = redis::Client::open(url.as_str()).expect("a client");
        let mut connection = client.get_multiplexed_async_connection().await.expect("the Redis of the tests");
        let keys: Vec<String> =
            redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut connection).await.expect("keys");
        for key in keys {
            redis::cmd("DEL").arg(key).query_async::<()>(&mut connection).await.expect("gone");
        }
    }

    /// A proxy to the server that has it, and its URL by way of that. On Postgres.
    pub async fn behind_proxy(&self) -> (Proxy, String) {
        let (server, name) = self.url.rsplit_once('/').expect("a database");
        let (user, address) = server.rsplit_once('@').expect("a user");
        let proxy = Proxy::to(address.to_owned()).await;
        let url = format!("{user}@{}/{name}", proxy.address);
        (proxy, url)
    }

    /// The data folder of its server.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// A connection for work outside the server.
    pub async fn bulk(&self) -> Databases {
        Databases::connect(&bulk_settings(&self.url), Purpose::Bulk).await.expect("the test's database")
    }

    pub async fn remove(self) {
        self.flush_redis().await;
        if self.store == Store::Postgres {
            let name = self.url.rsplit('/').next().unwrap_or_default();
            on_postgres_server(&format!("drop database {name} with (force)")).await;
        }
    }
}

/// Migrates an empty database and fills it.
async fn prepare(url: &str, content: Content) {
    let databases = Databases::connect(&bulk_settings(url), Purpose::Bulk).await.expect("the template");
    Migrator::up(databases.write().pool(), None).await.expect("migrated");
    if content == Content::Market {
        ingest_generated(databases.write(), market(), &Unwatched).await.expect("a market");
    }
    databases.close().await;
}

/// The market of [`Content::Market`].
pub fn market() -> GeneratedMarket {
    GeneratedMarket::new(MarketPlan {
        sets: 6,
        cards: 150,
        days: 40,
        marketplaces: 3,
        seed: 7,
        last_day: NaiveDate::from_ymd_opt(2026, 6, 30).expect("a date"),
    })
}

async fn postgres_template(content: Content) -> String {
    static TABLES: OnceCell<String> = OnceCell::const_new();
    static MARKET: OnceCell<String> = OnceCell::const_new();
    let (cell, word) = match content {
        Content::Tables => (&TABLES, "tables"),
        Content::Market => (&MARKET, "market"),
    };
    let make = async || {
        let name = format!("dualcaster_template_{word}");
        // What an earlier run was killed over.
        on_postgres_server(&format!("drop database if exists {name} with (force)")).await;
        on_postgres_server(&format!("create database {name} template template0 encoding 'UTF8'")).await;
        prepare(&postgres_url_of(&name), content).await;
        name
    };
    cell.get_or_init(make).await.clone()
}

async fn sqlite_template(content: Content) -> PathBuf {
    static TABLES: OnceCell<TempDir> = OnceCell::const_new();
    static MARKET: OnceCell<TempDir> = OnceCell::const_new();
    let cell = match content {
        Content::Tables => &TABLES,
        Content::Market => &MARKET,
    };
    let make = async || {
        let folder = TempDir::new().expect("a folder");
        prepare(&format!("sqlite://{}", folder.path().join("template.db").display()), content).await;
        folder
    };
    cell.get_or_init(make).await.path().join("template.db")
}
