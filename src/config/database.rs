//! Where the store is, and how many connections to it are kept.

use std::path::Path;
use std::time::Duration;

use super::Environment;
use crate::db::backend_of;

#[derive(Clone)]
pub struct DatabaseSettings {
    pub url: String,
    /// The store is the one in the data folder, which the server migrates and fills by itself.
    pub embedded: bool,
    pub replica_url: Option<String>,
    pub pool_keep: u32,
    pub pool_max: u32,
    pub connection_lifetime: Duration,
    pub connect_timeout: Duration,
    pub acquire_timeout: Duration,
    pub statement_timeout: Duration,
}

impl std::fmt::Debug for DatabaseSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DatabaseSettings").field("embedded", &self.embedded).finish_non_exhaustive()
    }
}

impl DatabaseSettings {
    pub(super) fn read(environment: &mut Environment, data_dir: &Path) -> Self {
        let url = environment.optional_secret(
            "DATABASE_URL",
            "SQLite in the data folder",
            "`postgres://…` or `sqlite://…`.",
        );
        let replica_url = environment.optional_secret(
            "DATABASE_REPLICA_URL",
            "none",
            "A read replica of the database, for reads that may be a moment behind.",
        );
        let pool_keep =
            environment.get("DUALCASTER_POOL_KEEP", "10", "Connections to Postgres that are kept open.");
        let pool_max = environment.positive(
            "DUALCASTER_POOL_MAX",
            "30",
            "Connections at most. To SQLite there are at most 8.",
        );
        let lifetime = environment.get(
            "DUALCASTER_CONNECTION_LIFETIME_SECONDS",
            "3600",
            "The age at which a connection is replaced.",
        );
        let connect = environment.positive(
            "DUALCASTER_CONNECT_TIMEOUT_SECONDS",
            "10",
            "The time that connecting may take.",
        );
        let acquire = environment.positive(
            "DUALCASTER_ACQUIRE_TIMEOUT_SECONDS",
            "5",
            "The time that a statement waits for a free connection. Must be below the request's.",
        );
        let statement = environment.positive(
            "DUALCASTER_STATEMENT_TIMEOUT_SECONDS",
            "5",
            "The time that a request's statement has.",
        );

        for (name, value) in [("DATABASE_URL", &url), ("DATABASE_REPLICA_URL", &replica_url)] {
            if value.as_ref().is_some_and(|url| backend_of(url).is_none()) {
                environment.mistake(format!("{name}: must begin with postgres:// or sqlite://"));
            }
        }
        Self {
            embedded: url.is_none(),
            url: url.unwrap_or_else(|| format!("sqlite://{}", data_dir.join("dualcaster.db").display())),
            replica_url,
            pool_keep,
            pool_max,
            connection_lifetime: Duration::from_secs(lifetime),
            connect_timeout: Duration::from_secs(connect),
            acquire_timeout: Duration::from_secs(acquire),
            statement_timeout: Duration::from_secs(statement),
        }
    }

    /// Who waits for a connection is to learn that there is none before their request is late.
    pub(super) fn fits_into(&self, request: Duration, environment: &mut Environment) {
        if self.acquire_timeout >= request {
            environment.mistake(
                "DUALCASTER_ACQUIRE_TIMEOUT_SECONDS: must be below DUALCASTER_REQUEST_TIMEOUT_SECONDS"
                    .to_owned(),
            );
        }
    }
}
