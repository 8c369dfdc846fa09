//! Everything with a lifetime, built once: databases, Redis, the schema, the clock.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use migration::MigratorTrait;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tokio::sync::watch;

use crate::config::{Mode, Settings};
use crate::db::{Databases, Purpose};
use crate::domain::operations::{list_operations, operations_version};
use crate::engine::Engine;
use crate::error::Refusal;
use crate::gates::Gates;
use crate::graphql::{LISTS_TAKEN, schema};
use crate::identity::{
    AccessKeys, Hasher, Identity, MailError, Mailer, NoKey, Parts, Revocations, derived_keys,
};
use crate::jobs::{Jobs, Parts as JobParts};
use crate::links::Links;
use crate::live::{Bell, Live};
use crate::outside::Outside;
use crate::pagination::CursorSecret;
use crate::principal::{Identify, Principal};
use crate::seal::Sealer;
use crate::secret;
use crate::shared_queries::RedisQueries;
use crate::storage::Storage;
use crate::telemetry::MetricsHandle;

/// What every handler shares.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    databases: Databases,
    redis: Option<Redis>,
    engine: Engine,
    identify: Box<dyn Identify>,
    /// Absent where callers are known by something else.
    identity: Option<Identity>,
    gates: Gates,
    live: Live,
    links: Links,
    /// Absent where there is another schema than the product's.
    jobs: Option<Jobs>,
    sealer: Sealer,
    outside: Outside,
    metrics: MetricsHandle,
    draining: watch::Sender<bool>,
}

/// One connection for all that asks, and the client that makes more.
struct Redis {
    client: redis::Client,
    connection: ConnectionManager,
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
    #[error("DUALCASTER_JWT_KEY {0}")]
    Key(#[from] NoKey),
    #[error("mail can't be sent: {0}")]
    Mail(#[from] MailError),
    #[error("{0}")]
    Other(String),
}

/// How long Redis has to take a connection, and to answer, before it counts as away.
const REDIS_CONNECT: Duration = Duration::from_secs(2);
const REDIS_ANSWER: Duration = Duration::from_millis(500);

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
    pub async fn build(
        settings: Settings,
        outside: Outside,
        metrics: MetricsHandle,
    ) -> Result<Self, BuildError> {
        let ground = Ground::lay(settings, outside, metrics).await?;
        let cursors = CursorSecret::new(&ground.secrets);
        let engine = Engine::new(|| schema(cursors.clone()), &ground.settings.guard).bounding(LISTS_TAKEN);
        let identity = ground.identity()?;
        let jobs = ground.jobs().await?;
        Ok(ground.build(engine, Box::new(identity.clone()), Some(identity), Some(jobs)))
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
        let ground = Ground::lay(settings, Outside::system(), metrics).await?;
        Ok(ground.build(engine, Box::new(identify), None, None))
    }

    /// Reads the trusted documents again where they have changed since `known`, and answers what to know the next time.
    ///
    /// # Errors
    /// The database's; the documents then stay as they are.
    pub async fn load_operations(
        &self,
        known: Option<OperationsVersion>,
    ) -> crate::error::Result<OperationsVersion> {
        // What was taken back must not be trusted again by a replica that is behind.
        let connection = self.databases().write();
        let version = OperationsVersion(operations_version(connection).await?);
        if known.as_ref() != Some(&version) {
            let rows = list_operations(connection).await?;
            self.engine().trust(rows.into_iter().map(|row| (row.document_id, row.document)));
        }
        Ok(version)
    }

    /// Does what has to be done now and then, for as long as the server runs.
    pub async fn keep(&self) {
        let unheard = async {
            if let Some(identity) = &self.inner.identity {
                identity.revocations().keep_looking(identity.connection()).await;
            }
        };
        futures_util::join!(self.keep_operations(), self.keep_hearing(), self.keep_schedules(), unheard);
    }

    /// Hears what other servers take back and what there is to tell, for as long as the server runs. Asks nothing of the
    /// database while nobody listens.
    pub async fn keep_hearing(&self) {
        let revocations = async {
            if let (Some(redis), Some(identity)) = (&self.inner.redis, &self.inner.identity) {
                identity.revocations().listen(&redis.client).await;
            }
        };
        futures_util::join!(revocations, self.inner.live.keep());
    }

    /// Does the jobs that wait, for as long as the server runs; what is under way when it drains is handed back.
    pub async fn keep_working(&self) {
        if let Some(jobs) = &self.inner.jobs {
            jobs.work(self.inner.draining.subscribe()).await;
        }
    }

    /// Queues the jobs that come by the clock.
    async fn keep_schedules(&self) {
        if let Some(jobs) = &self.inner.jobs {
            jobs.keep_schedules().await;
        }
    }

    /// Keeps the trusted documents in step with the database, for as long as the server runs.
    async fn keep_operations(&self) {
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

    /// Ends when what a caller showed is taken back.
    pub async fn taken_back(&self, principal: &Principal) {
        self.inner.identify.taken_back(principal).await;
    }

    pub fn identity(&self) -> Option<&Identity> {
        self.inner.identity.as_ref()
    }

    pub fn gates(&self) -> &Gates {
        &self.inner.gates
    }

    pub fn jobs(&self) -> Option<&Jobs> {
        self.inner.jobs.as_ref()
    }

    pub fn links(&self) -> &Links {
        &self.inner.links
    }

    pub fn live(&self) -> &Live {
        &self.inner.live
    }

    pub fn sealer(&self) -> &Sealer {
        &self.inner.sealer
    }

    pub fn outside(&self) -> &Outside {
        &self.inner.outside
    }

    pub fn metrics(&self) -> String {
        let jobs = self.inner.jobs.iter().flat_map(|jobs| jobs.bulk().all());
        self.inner.metrics.render(self.inner.databases.all().chain(jobs))
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
            let mut redis = self.inner.redis.as_ref()?.connection.clone();
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
        if let Some(jobs) = &self.inner.jobs {
            jobs.bulk().close().await;
        }
        self.inner.databases.close().await;
    }
}

/// What stands before the parts that differ.
struct Ground {
    settings: Settings,
    /// The first signs, each verifies. Never empty.
    secrets: Vec<String>,
    databases: Databases,
    redis: Option<Redis>,
    gates: Gates,
    sealer: Sealer,
    outside: Outside,
    metrics: MetricsHandle,
}

impl Ground {
    async fn lay(settings: Settings, outside: Outside, metrics: MetricsHandle) -> Result<Self, BuildError> {
        if settings.database.embedded {
            std::fs::create_dir_all(&settings.data_dir)?;
        }
        let databases = Databases::connect(&settings.database, Purpose::Requests).await?;
        let redis = match &settings.redis_url {
            Some(url) => {
                let client = redis::Client::open(url.as_str())?;
                let patient = ConnectionManagerConfig::new()
                    .set_connection_timeout(Some(REDIS_CONNECT))
                    .set_response_timeout(Some(REDIS_ANSWER));
                let connection = client.get_connection_manager_with_config(patient).await?;
                Some(Redis { client, connection })
            }
            None => None,
        };
        let prefix = settings.redis_prefix.as_str();
        let gates = Gates::new(redis.as_ref().map(|redis| (redis.connection.clone(), prefix)));
        let secrets = if settings.server.secrets.is_empty() {
            vec![secret::load_or_make_secret(&settings.data_dir, &outside)?]
        } else {
            settings.server.secrets.clone()
        };
        let sealer = Sealer::new(derived_keys(&secrets, "idempotent answers"), outside.clone());
        Ok(Self { settings, secrets, databases, redis, gates, sealer, outside, metrics })
    }

    fn identity(&self) -> Result<Identity, BuildError> {
        let accounts = &self.settings.accounts;
        let pem = match &accounts.jwt_keys {
            Some(pem) => pem.clone(),
            None => secret::load_or_make_key(&self.settings.data_dir)?,
        };
        let lifetime = TimeDelta::from_std(accounts.access_lifetime).unwrap_or(TimeDelta::MAX);
        let prefix = self.settings.redis_prefix.as_str();
        let redis = self.redis.as_ref().map(|redis| (redis.connection.clone(), prefix));
        let server = &self.settings.server;
        let mailer = Mailer::new(
            accounts.smtp_url.as_deref(),
            &accounts.mail_from,
            &server.web_url,
            &self.settings.data_dir,
        )?;
        let parts = Parts {
            connection: self.databases.write().clone(),
            keys: AccessKeys::read(&pem, lifetime)?,
            hasher: Hasher::new(accounts.hashes_waiting, self.outside.clone())
                .map_err(|error| BuildError::Other(error.log_text()))?,
            revocations: Revocations::new(redis, lifetime, self.outside.clone()),
            gates: self.gates.clone(),
            mailer,
            refresh_keys: derived_keys(&self.secrets, "refresh tokens"),
            outside: self.outside.clone(),
            sees_all: self.settings.mode == Mode::Development,
            shows_schema: self.settings.shows_schema(),
        };
        Ok(Identity::new(parts, accounts))
    }

    async fn jobs(&self) -> Result<Jobs, BuildError> {
        let settings = &self.settings;
        let storage = Storage::open(&settings.jobs.storage_url, &settings.jobs.storage_options)
            .map_err(|error| BuildError::Other(format!("STORAGE_URL: {error}")))?;
        let workers = u32::try_from(settings.jobs.workers).unwrap_or(u32::MAX).clamp(1, 1_000);
        Ok(Jobs::new(JobParts {
            databases: self.databases.clone(),
            bulk: Databases::connect(&settings.database, Purpose::Jobs(workers)).await?,
            storage,
            gates: self.gates.clone(),
            outside: self.outside.clone(),
            settings: settings.jobs.clone(),
            max_upload_bytes: settings.server.max_upload_bytes,
        }))
    }

    fn build(
        self,
        engine: Engine,
        identify: Box<dyn Identify>,
        identity: Option<Identity>,
        jobs: Option<Jobs>,
    ) -> App {
        let Self { settings, secrets, databases, redis, gates, sealer, outside, metrics } = self;
        let sealer_of_links = Sealer::new(derived_keys(&secrets, "links"), outside.clone());
        let links = Links::new(sealer_of_links, &settings.server.public_url, outside.clone());
        let draining = watch::Sender::new(false);
        let bell =
            Bell::new(redis.as_ref().map(|redis| (redis.client.clone(), settings.redis_prefix.as_str())));
        let live = Live::new(databases.write().clone(), bell);
        let engine = match &redis {
            Some(redis) => {
                engine.sharing(RedisQueries::new(redis.connection.clone(), &settings.redis_prefix))
            }
            None => engine,
        };
        App {
            inner: Arc::new(Inner {
                settings,
                databases,
                redis,
                engine,
                identify,
                identity,
                gates,
                live,
                links,
                jobs,
                sealer,
                outside,
                metrics,
                draining,
            }),
        }
    }
}

/// The time now. The one place that reads the system's clock; everything else is handed a moment.
#[expect(clippy::disallowed_methods, reason = "this is where time comes in")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
