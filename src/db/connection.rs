//! A pool that counts, times, bounds and retries the statements sent through it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_graphql::async_trait;
use rand::RngExt;
use sea_orm::sqlx::Connection as _;
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use tracing::Instrument;

use super::Trouble;
use super::lease::{Leases, Waiting};
use super::raw::Raw;
use crate::explain::note_statement;

/// Tries of one statement, the first included.
const TRIES: u32 = 3;
/// The wait before the second try; it doubles, and each is drawn from half of it to all of it.
const BACKOFF: Duration = Duration::from_millis(20);

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

    /// `primary` or `replica`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The pool itself, for what goes below statements: COPY, migrations, gauges.
    pub fn pool(&self) -> &DatabaseConnection {
        &self.pool
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
    pub async fn begin(&self) -> crate::error::Result<DatabaseTransaction> {
        let _waiting = self.about_to_wait();
        // SQLite's write lock first: a transaction that reads before it writes can't have it any more where another has
        // written meanwhile.
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.pool.begin_with_options(options).await?)
    }

    async fn run<T: Rows>(
        &self,
        statement: Statement,
        only_reads: bool,
        send: impl AsyncFn(Raw<'_>, Arc<Statement>) -> Result<T, DbErr>,
    ) -> Result<T, DbErr> {
        let statement = Arc::new(statement);
        let span = tracing::debug_span!(
            "statement",
            otel.kind = "client",
            db.system.name =
                if self.get_database_backend() == DbBackend::Postgres { "postgresql" } else { "sqlite" },
            db.query.text = statement.sql.as_str(),
        );
        async {
            let mut tried = 1;
            loop {
                let started = Instant::now();
                self.statements.0.fetch_add(1, Ordering::Relaxed);
                let outcome = self.bounded(self.send(&statement, &send)).await;
                let took = started.elapsed();
                self.durations.record(took);
                note_statement(&statement.sql, outcome.as_ref().ok().map(Rows::rows), took);
                let error = match outcome {
                    Ok(value) => return Ok(value),
                    Err(error) => error,
                };
                let trouble = Trouble::of(&error);
                metrics::counter!("dualcaster_statement_errors_total", "database" => self.name).increment(1);
                if tried == TRIES || !trouble.may_retry(only_reads) {
                    return Err(error);
                }
                tracing::warn!(%error, tried, "a statement failed and is tried again");
                if trouble != Trouble::Conflict {
                    self.discard_dead_connections().await;
                }
                back_off(tried).await;
                tried += 1;
            }
        }
        .instrument(span)
        .await
    }

    async fn send<T>(
        &self,
        statement: &Arc<Statement>,
        send: &impl AsyncFn(Raw<'_>, Arc<Statement>) -> Result<T, DbErr>,
    ) -> Result<T, DbErr> {
        let mut lease = self.leases.take().await?;
        let sent = send(lease.raw(), Arc::clone(statement)).await;
        if sent.is_ok() {
            lease.keep();
        }
        sent
    }

    /// On Postgres the database's own deadline fires first, and this one where it has stopped answering. SQLite has none of its
    /// own.
    async fn bounded<T>(&self, sent: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        let Some(deadline) = self.deadline else {
            return sent.await;
        };
        let is_postgres = self.get_database_backend() == DbBackend::Postgres;
        let grace = if is_postgres { deadline / 10 } else { Duration::ZERO };
        tokio::time::timeout(deadline + grace, sent).await.unwrap_or_else(|_| {
            if is_postgres {
                return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout));
            }
            let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
            Err(DbErr::Query(RuntimeErr::SqlxError(Arc::new(late.into()))))
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
        for _ in 0..pool.num_idle() {
            let Some(mut connection) = pool.try_acquire() else {
                return;
            };
            if connection.ping().await.is_err() {
                // Closing tells the server good-bye, which it can't hear.
                drop(connection.detach());
            }
        }
    }
}

/// What each transaction of a task does besides.
type Besides = Arc<dyn Fn(DbBackend) -> Statement + Send + Sync>;

tokio::task_local! {
    static BESIDES: Besides;
}

/// Runs something, each of whose transactions also runs this statement before it commits.
pub async fn with_each_transaction<T>(
    statement: impl Fn(DbBackend) -> Statement + Send + Sync + 'static,
    work: impl Future<Output = T>,
) -> T {
    BESIDES.scope(Arc::new(statement), work).await
}

/// A transaction that can be ended either way.
pub trait Undone: ConnectionTrait {
    fn commit(self) -> impl Future<Output = crate::error::Result<()>> + Send;
    fn rollback(self) -> impl Future<Output = crate::error::Result<()>> + Send;
}

impl Undone for DatabaseTransaction {
    async fn commit(self) -> crate::error::Result<()> {
        Ok(Self::commit(self).await?)
    }

    async fn rollback(self) -> crate::error::Result<()> {
        Ok(Self::rollback(self).await?)
    }
}

async fn commit(transaction: impl Undone) -> crate::error::Result<()> {
    if let Ok(besides) = BESIDES.try_with(Arc::clone) {
        transaction.execute_raw(besides(transaction.get_database_backend())).await?;
    }
    transaction.commit().await
}

/// Ends a transaction by what came of its command. Nothing is answered where the database undid it for another's sake,
/// and it is worth another try.
///
/// # Errors
/// The command's own, or the database's.
pub async fn end_transaction<T>(
    transaction: impl Undone,
    outcome: crate::error::Result<T>,
    tried: u32,
) -> crate::error::Result<Option<T>> {
    let outcome = match outcome {
        Ok(value) => commit(transaction).await.map(|()| value),
        Err(error) => {
            // The command's error is the one to report; a rollback that fails has no connection to undo on.
            let _ = transaction.rollback().await;
            Err(error)
        }
    };
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(crate::error::Error::Failed(crate::error::Failure::Database(error)))
            if tried < TRIES && Trouble::of(&error) == Trouble::Conflict =>
        {
            back_off(tried).await;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Runs a command in one transaction, again from the start where the database undid it for another's sake: commits where
/// the command answers `Ok`, else undoes all that it did. To be used in what answers [`crate::error::Result`].
///
/// With `bulk` before the connection, the transaction is a [`Bulk`](super::Bulk).
///
/// A macro and no function: what is handed a closure that borrows can't be awaited across threads.
#[macro_export]
macro_rules! transaction {
    (bulk $connection:expr, |$transaction:ident| $command:block) => {
        $crate::db::transaction!(@ $crate::db::Bulk::begin($connection), |$transaction| $command)
    };
    ($connection:expr, |$transaction:ident| $command:block) => {
        $crate::db::transaction!(@ $connection.begin(), |$transaction| $command)
    };
    (@ $begin:expr, |$transaction:ident| $command:block) => {{
        let mut tried = 1;
        loop {
            let begun = $begin.await?;
            let outcome: $crate::error::Result<_> = {
                let $transaction = &begun;
                async { $command }.await
            };
            if let Some(value) = $crate::db::end_transaction(begun, outcome, tried).await? {
                break value;
            }
            tried += 1;
        }
    }};
}

pub use transaction;

/// What a statement returns, as a number of rows.
trait Rows {
    fn rows(&self) -> u64;
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

async fn back_off(tried: u32) {
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
        let only_reads = only_reads(&statement);
        self.run(statement, only_reads, async |raw, statement| raw.query_one(&statement).await).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let only_reads = only_reads(&statement);
        self.run(statement, only_reads, async |raw, statement| raw.query_all(&statement).await).await
    }
}

/// `insert … returning` comes through the query methods too.
fn only_reads(statement: &Statement) -> bool {
    let text = statement.sql.trim_start().as_bytes();
    text.len() >= 6 && text[..6].eq_ignore_ascii_case(b"select")
}
