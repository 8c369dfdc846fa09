//! Locks that everybody meets: waited for a moment at a time, for whoever comes meanwhile waits behind.

use std::time::Duration;

use sea_orm::ConnectionTrait;

use crate::db::{Bulk, Connection, Sql, Trouble};
use crate::error::Result;

/// How long a lock is waited for at a time, as Postgres reads it. Nobody waits behind it for longer.
const WAIT: &str = "100ms";
/// The pause until it is tried again, in which those who have it and those who waited go on.
const PAUSE: Duration = Duration::from_millis(400);

/// Begins a transaction that has the lock which `statement` takes on Postgres, however long others keep it. On SQLite a
/// transaction that writes is alone.
pub(super) async fn begin_locked(connection: &Connection, statement: &str) -> Result<Bulk> {
    loop {
        let bulk = Bulk::begin(connection).await?;
        if !Sql::new(&bulk).is_postgres() {
            return Ok(bulk);
        }
        let bounded =
            format!("set local lock_timeout = '{WAIT}'; {statement}; set local lock_timeout to default");
        match bulk.execute_unprepared(&bounded).await {
            Ok(_) => return Ok(bulk),
            Err(error) if Trouble::of(&error) == Trouble::Conflict => {}
            Err(error) => return Err(error.into()),
        }
        drop(bulk);
        tokio::time::sleep(PAUSE).await;
    }
}
