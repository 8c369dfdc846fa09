//! A pool that counts, times, bounds and retries the statements sent through it.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_graphql::async_trait;
use futures_util::future::join_all;
use rand::RngExt;
use sea_orm::sqlx::Connection as _;
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};
use tracing::Instrument;

use super::lease::{Leases, Waiting};
use super::raw::{Raw, query_error};
use super::trouble::late;
use super::{Transaction, Trouble};
use crate::explain::note_statement;

/// Tries of one statement or transaction, the first included.
pub(super) const TRIES: u32 = 3;
/// The wait before the second try; it doubles, and each is drawn from half of it to all of it.
const BACKOFF: Duration = Duration::from_millis(20);
/// How long a connection has to say that it lives.
const PING: Duration = Duration::from_secs(1);

/// How many statements were sent, for the tests that hold each query to its number.
#[derive(Debug, Default)]
pub struct Statements(AtomicU64);

impl Statements {
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A database by its pool. Cheap to clone.
#[derive(Clone)]
pub struct Connection {
    pool: DatabaseConnection,
    leases: Leases,
    name: &'static str,
    deadline: Option<Duration>,
    statements: Arc<Statements>,
    durations: metrics::Histogram,
}

impl Connection {
    pub(super) fn new(
        pool: DatabaseConnection,
        in_hand: u32,
        name: &'static str,
        deadline: Option<Duration>,
        statements: Arc<Statements>,
    ) -> Self {
        let leases = Leases::new(&pool, in_hand);
        let durations = metrics::histogram!("dualcaster_statement_duration_seconds", "database" => name);
        Self { pool, leases, name, deadline, statements, durations }
    }

    /// `primary` or `replica` of requests; `jobs` or `bulk`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The pool itself, for what goes below statements: COPY, migrations, gauges.
    pub fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    pub(super) fn about_to_wait(&self) -> Waiting<'_> {
        self.leases.about_to_wait()
    }

    pub fn statements(&self) -> &Statements {
        &self.statements
    }

    /// Connections open, and of these idle.
    pub fn pool_size(&self) -> (u32, usize) {
        self.leases.size()
    }

    /// Waits for what runs and closes every connection.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn close(&self) -> Result<(), DbErr> {
        let (closed, ()) = futures_util::join!(self.pool.clone().close(), async { self.leases.give_back() });
        closed
    }

    /// Begins a transaction: see [`transaction!`](crate::db::transaction).
    ///
    /// # Errors
    /// When no connection is to be had.
    pub async fn begin(&self) -> crate::error::Result<Transaction> {
        Ok(Transaction::begin(self).await?)
    }

    async fn run<T: Rows>(
        &self,
        statement: Statement,
        answers_rows: bool,
        send: impl AsyncFn(Raw<'_>, Arc<Statement>) -> Result<T, DbErr>,
    ) -> Result<T, DbErr> {
        let statement = Arc::new(statement);
        let mut tried = 1;
        loop {
            let outcome = {
                // Each stays where it is: a future that is handed on is copied, and kept twice. What came too late lets go of
                // its connection here, before the wait for the next try.
                let sent = pin!(self.send(&statement, &send));
                let sent = pin!(self.bounded(sent));
                self.noted(&statement.sql, sent).await
            };
            match outcome {
                Ok(value) => return Ok(value),
                Err(error) => {
                    let is_harmless = answers_rows && only_reads(&statement.sql);
                    self.may_try_again(error, tried, is_harmless).await?;
                }
            }
            tried += 1;
        }
    }

    /// Counts and times what sends one statement, and notes what became of it.
    pub(super) async fn noted<T: Rows, E>(
        &self,
        sql: &str,
        sent: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let span = tracing::debug_span!(
            "statement",
            otel.kind = "client",
            db.system.name =
                if self.get_database_backend() == DbBackend::Postgres { "postgresql" } else { "sqlite" },
            db.query.text = sql,
        );
        let started = Instant::now();
        self.statements.0.fetch_add(1, Ordering::Relaxed);
        let outcome = sent.instrument(span).await;
        let took = started.elapsed();
        self.durations.record(took);
        note_statement(sql, outcome.as_ref().ok().map(Rows::rows), took);
        if outcome.is_err() {
            metrics::counter!("dualcaster_statement_errors_total", "database" => self.name).increment(1);
        }
        outcome
    }

    /// Waits for the time of the next try. `is_harmless`: what was sent may run twice.
    ///
    /// # Errors
    /// The one at hand, where there is to be no other try.
    pub(super) async fn may_try_again(
        &self,
        error: DbErr,
        tried: u32,
        is_harmless: bool,
    ) -> Result<(), DbErr> {
        let trouble = Trouble::of(&error);
        if matches!(trouble, Trouble::Lost | Trouble::Busy) {
            self.discard_dead_connections().await;
        }
        // SQLite has waited for its lock as long as anybody does.
        let has_waited = trouble == Trouble::Conflict && self.get_database_backend() == DbBackend::Sqlite;
        if tried == TRIES || has_waited || !trouble.may_retry(is_harmless) {
            return Err(error);
        }
        tracing::warn!(%error, tried, "a statement failed and is tried again");
        back_off(tried).await;
        Ok(())
    }

    async fn send<T>(
        &self,
        statement: &Arc<Statement>,
        send: &impl AsyncFn(Raw<'_>, Arc<Statement>) -> Result<T, DbErr>,
    ) -> Result<T, DbErr> {
        let mut lease = self.leases.take().await?;
        let armed = lease.arm(self.deadline);
        let sent = send(lease.raw(), Arc::clone(statement)).await;
        if let Some(armed) = armed {
            armed.ended();
        }
        if sent.is_ok() {
            lease.keep();
        }
        sent
    }

    /// The store's own deadline fires first, and this one where it has stopped answering, or waits for a lock.
    pub(super) async fn bounded<T, E: From<DbErr>>(
        &self,
        sent: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let Some(deadline) = self.deadline else {
            return sent.await;
        };
        tokio::time::timeout(deadline + deadline / 10, sent).await.unwrap_or_else(|_| {
            if self.get_database_backend() == DbBackend::Postgres {
                return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout).into());
            }
            Err(query_error(late()).into())
        })
    }

    /// One dead connection is seldom alone: after a restart of the database all idle ones are. Each is asked once, so
    /// that the next try does not meet another of them.
    async fn discard_dead_connections(&self) {
        self.leases.give_back();
        if self.get_database_backend() != DbBackend::Postgres {
            return;
        }
        let pool = self.pool.get_postgres_connection_pool();
        let idle = (0..pool.num_idle()).map_while(|_| pool.try_acquire());
        let asked = idle.map(|mut connection| async move {
            if !matches!(tokio::time::timeout(PING, connection.ping()).await, Ok(Ok(()))) {
                // Closing tells the server good-bye, which it can't hear.
                drop(connection.detach());
            }
        });
        join_all(asked).await;
    }
}

/// What a statement returns, as a number of rows.
pub(super) trait Rows {
    fn rows(&self) -> u64;
}

impl Rows for u64 {
    fn rows(&self) -> u64 {
        *self
    }
}

impl Rows for ExecResult {
    fn rows(&self) -> u64 {
        self.rows_affected()
    }
}

impl Rows for Option<QueryResult> {
    fn rows(&self) -> u64 {
        u64::from(self.is_some())
    }
}

impl Rows for Vec<QueryResult> {
    fn rows(&self) -> u64 {
        self.len() as u64
    }
}

pub(super) async fn back_off(tried: u32) {
    let most = BACKOFF * 2_u32.pow(tried - 1);
    let wait = rand::rng().random_range(most / 2..=most);
    tokio::time::sleep(wait).await;
}

#[async_trait::async_trait]
impl ConnectionTrait for Connection {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.run(statement, false, async |raw, statement| raw.execute(&statement).await).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let statement = Statement::from_string(self.get_database_backend(), sql);
        self.run(statement, false, async |raw, statement| raw.execute_unprepared(&statement.sql).await).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.run(statement, true, async |raw, statement| raw.query_one(&statement).await).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.run(statement, true, async |raw, statement| raw.query_all(&statement).await).await
    }
}

/// Whether a statement that answers rows writes nothing. `insert … returning` answers some too, and what begins with `with` may
/// write in any of its parts: there, no word may stand without which nothing is written. One that stands there for something
/// else costs no more than the other try.
fn only_reads(sql: &str) -> bool {
    let is_one_of = |word: &str, such: &[&str]| such.iter().any(|one| word.eq_ignore_ascii_case(one));
    let mut words =
        sql.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_').filter(|word| !word.is_empty());
    match words.next() {
        Some(first) if is_one_of(first, &["select"]) => true,
        Some(first) if is_one_of(first, &["with"]) => {
            !words.any(|word| is_one_of(word, &["into", "update", "delete"]))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_writes_in_any_of_its_parts_does_not_only_read() {
        for reads in [
            "select 1",
            "\n  SELECT name FROM cards",
            "with matched as materialized (select c.id from cards c) select * from matched",
            "With recursive n (i) as (select 1) select replace(updated_at, 'a', 'b') from n",
        ] {
            assert!(only_reads(reads), "{reads}");
        }
        for writes in [
            "",
            "insert into tags (name) values ('select') returning id",
            "update cards set place = 1 returning id",
            "with gone as (delete from cards returning id) select id from gone",
            "with made as (\nINSERT\nINTO tags (name) values ('a') returning id) select id from made",
            "with n as (select 1 as i) update cards set place = n.i from n returning cards.id",
            "with n as (select 1 as i) replace into tags (id) select i from n returning id",
            "with n as (select 1 as i) merge into tags using n on i = id when matched then do nothing",
            "selection",
            "without",
        ] {
            assert!(!only_reads(writes), "{writes}");
        }
    }
}
