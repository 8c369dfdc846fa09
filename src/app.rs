//! Everything with a lifetime, built once: databases, Redis, the schema, the clock.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use migration::MigratorTrait;
use tokio::sync::watch;

use crate::config::{Mode, Settings};
use crate::db::{Databases, Purpose};
use crate::domain::operations::{list_operations, operations_version};
use crate::engine::Engine;
use crate::error::Refusal;
use crate::graphql::schema;
use crate::pagination::CursorSecret;
use crate::principal::{Identify, Nobody, Principal};
use crate::secret;
use crate::telemetry::MetricsHandle;

/// What every handler shares.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    databases: Databases,
    redis: Option<redis::aio::ConnectionManager>,
    engine: Engine,
    identify: Box<dyn Identify>,
    metrics: MetricsHandle,
    draining: watch::Sender<bool>,
}

/// Why the server could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("the database can't be reached: {0}")]
    Database(#[from] sea_orm::DbErr),
    #[error("Redis can't be reached: {0}")]
    Redis(#[from] redis::RedisError),
    #[error("the data folder can't be used: {0}")]
    DataFolder(#[from] std::io::Error),
}

/// How often the server looks whether trusted documents have changed.
const OPERATIONS_EVERY: Duration = Duration::from_secs(5);

/// Tells one state of the trusted documents from the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationsVersion((i64, i64));

/// The time a readiness check has for each thing it asks.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

impl App {
    /// Connects to all that the settings name. Migrates nothing.
    ///
    /// # Errors
    /// When something that the settings name is not there.
    pub async fn build(settings: Settings, metrics: MetricsHandle) -> Result<Self, BuildError> {
        let secrets = if settings.server.secrets.is_empty() {
            vec![secret::load_or_make(&settings.data_dir)?]
        } else {
            settings.server.secrets.clone()
        };
        let cursors = CursorSecret::new(&secrets);
        let engine = Engine::new(|| schema(cursors.clone()), &settings.guard);
        let identify = Nobody { sees_all: settings.mode == Mode::Development };
        Self::build_around(engine, identify, settings, metrics).await
    }

    /// The same around any schema, for callers that something else knows.
    ///
    /// # Errors
    /// When something that the settings name is not there.
    pub async fn build_around(
        engine: Engine,
        identify: impl Identify,
        settings: Settings,
        metrics: MetricsHandle,
    ) -> Result<Self, BuildError> {
        if settings.database.embedded {
            std::fs::create_dir_all(&settings.data_dir)?;
        }
        let databases = Databases::connect(&settings.database, Purpose::Requests).await?;
        let redis = match &settings.redis_url {
            Some(url) => Some(redis::Client::open(url.as_str())?.get_connection_manager().await?),
            None => None,
        };
        let draining = watch::Sender::new(false);
        Ok(Self {
            inner: Arc::new(Inner {
                settings,
                databases,
                redis,
                engine,
                identify: Box::new(identify),
                metrics,
                draining,
            }),
        })
    }

    /// Reads the trusted documents again where they have changed since `known`, and answers what to know the next time.
    ///
    /// # Errors
    /// The database's; the documents then stay as they are.
    pub async fn load_operations(
        &self,
        known: Option<OperationsVersion>,
    ) -> crate::error::Result<OperationsVersion> {
        let connection = self.databases().read();
        let version = OperationsVersion(operations_version(connection).await?);
        if known.as_ref() != Some(&version) {
            let rows = list_operations(connection).await?;
            self.engine().trust(rows.into_iter().map(|row| (row.document_id, row.document)));
        }
        Ok(version)
    }

    /// Keeps the trusted documents in step with the database, for as long as the server runs.
    pub async fn keep_operations(&self) {
        let mut known = None;
        loop {
            match self.load_operations(known.take()).await {
                Ok(version) => known = Some(version),
                Err(error) => tracing::warn!(error = error.log_text(), "the trusted documents can't be read"),
            }
            tokio::time::sleep(OPERATIONS_EVERY).await;
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub fn is_development(&self) -> bool {
        self.inner.settings.mode == Mode::Development
    }

    pub fn databases(&self) -> &Databases {
        &self.inner.databases
    }

    pub fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// Who a caller is, by what they say of themselves.
    ///
    /// # Errors
    /// When what they say does not hold.
    pub async fn identify(&self, authorization: Option<&str>) -> Result<Principal, Refusal> {
        self.inner.identify.identify(authorization).await
    }

    pub fn metrics(&self) -> String {
        self.inner.metrics.render(&self.inner.databases)
    }

    /// From now on the server is not ready, so that nobody sends it new work.
    pub fn drain(&self) {
        self.inner.draining.send_replace(true);
    }

    /// Waits until the server drains: what has no end of its own ends then.
    pub async fn draining(&self) {
        // The sender lives as long as this does.
        let _ = self.inner.draining.subscribe().wait_for(|draining| *draining).await;
    }

    /// What keeps the server from being ready, in a word each; nothing when it is.
    pub async fn obstacles(&self) -> Vec<&'static str> {
        let mut obstacles = Vec::new();
        if *self.inner.draining.borrow() {
            obstacles.push("draining");
        }
        let database = async {
            let pool = self.inner.databases.write().pool();
            match tokio::time::timeout(CHECK_TIMEOUT, migration::Migrator::get_pending_migrations(pool)).await
            {
                Ok(Ok(pending)) if pending.is_empty() => None,
                Ok(Ok(_)) => Some("migrations"),
                Ok(Err(_)) | Err(_) => Some("database"),
            }
        };
        let redis = async {
            let mut redis = self.inner.redis.clone()?;
            let ping = redis::cmd("PING");
            let ping = tokio::time::timeout(CHECK_TIMEOUT, ping.query_async::<String>(&mut redis));
            (!matches!(ping.await, Ok(Ok(_)))).then_some("redis")
        };
        let (database, redis) = futures_util::join!(database, redis);
        obstacles.extend(database);
        obstacles.extend(redis);
        obstacles
    }

    /// Closes what is open.
    pub async fn close(&self) {
        self.inner.databases.close().await;
    }
}

/// The time now. The one place that reads the system's clock; everything else is handed a moment.
#[expect(clippy::disallowed_methods, reason = "this is where time comes in")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
