//! Transactions: begun on a connection that lives, counted and bounded as other statements are, and run again where the
//! database undid them for another's sake.

use std::pin::pin;
use std::sync::Arc;

use async_graphql::async_trait;
use sea_orm::sqlx::{self, Postgres, Sqlite};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use tokio::sync::{Mutex, MutexGuard};

use super::alarm::{Alarm, Armed};
use super::connection::{Rows, TRIES, back_off};
use super::lease::acquire_error;
use super::raw::{Raw, query_error};
use super::{Connection, Trouble};
use crate::error::Result;

/// A transaction. Dropped, it is undone.
pub struct Transaction {
    begun: Mutex<Begun>,
    connection: Connection,
}

/// The transaction of whichever store it is.
pub(super) enum Begun {
    Postgres(sqlx::Transaction<'static, Postgres>),
    Sqlite(sqlx::Transaction<'static, Sqlite>, Alarm),
}

impl Begun {
    async fn begin(connection: &Connection) -> Result<Self, DbErr> {
        let _waiting = connection.about_to_wait();
        if connection.get_database_backend() == DbBackend::Postgres {
            let pool = connection.pool().get_postgres_connection_pool();
            return Ok(Self::Postgres(pool.begin().await.map_err(acquire_error)?));
        }
        // The write lock first: a transaction that reads before it writes can't have it any more where another has written
        // meanwhile.
        let pool = connection.pool().get_sqlite_connection_pool();
        let mut begun = pool.begin_with("begin immediate").await.map_err(acquire_error)?;
        let alarm = Alarm::on(&mut begun).await.map_err(acquire_error)?;
        Ok(Self::Sqlite(begun, alarm))
    }

    fn raw(&mut self) -> Raw<'_> {
        match self {
            Self::Postgres(begun) => Raw::Postgres(begun),
            Self::Sqlite(begun, _) => Raw::Sqlite(begun),
        }
    }

    fn arm(&self, connection: &Connection) -> Option<Armed> {
        match self {
            Self::Postgres(_) => None,
            Self::Sqlite(_, alarm) => Some(alarm.set(connection.deadline())),
        }
    }

    async fn commit(self) -> Result<(), DbErr> {
        match self {
            Self::Postgres(begun) => begun.commit().await,
            Self::Sqlite(begun, _) => begun.commit().await,
        }
        .map_err(query_error)
    }

    async fn rollback(self) -> Result<(), DbErr> {
        match self {
            Self::Postgres(begun) => begun.rollback().await,
            Self::Sqlite(begun, _) => begun.rollback().await,
        }
        .map_err(query_error)
    }
}

impl Transaction {
    /// Where the connection turns out to be dead, on another: nothing has happened yet.
    pub(super) async fn begin(connection: &Connection) -> Result<Self, DbErr> {
        let mut tried = 1;
        loop {
            let begun = {
                let begun = pin!(Begun::begin(connection));
                connection.bounded(begun).await
            };
            match begun {
                Ok(begun) => return Ok(Self { begun: Mutex::new(begun), connection: connection.clone() }),
                Err(error) => connection.may_try_again(error, tried, true).await?,
            }
            tried += 1;
        }
    }

    /// # Errors
    /// The database's.
    pub async fn commit(self) -> Result<()> {
        let Self { begun, connection } = self;
        Ok(connection.bounded(begun.into_inner().commit()).await?)
    }

    /// # Errors
    /// The database's; it is undone all the same.
    pub async fn rollback(self) -> Result<()> {
        let Self { begun, connection } = self;
        Ok(connection.bounded(begun.into_inner().rollback()).await?)
    }

    async fn run<T: Rows>(
        &self,
        statement: Statement,
        send: impl AsyncFn(Raw<'_>, Arc<Statement>) -> Result<T, DbErr>,
    ) -> Result<T, DbErr> {
        let statement = Arc::new(statement);
        let sent = async {
            let mut begun = self.begun.lock().await;
            let armed = begun.arm(&self.connection);
            let sent = send(begun.raw(), Arc::clone(&statement)).await;
            if let Some(armed) = armed {
                armed.ended();
            }
            sent
        };
        self.noted(&statement.sql, pin!(sent)).await
    }

    /// For what goes below statements.
    pub(super) async fn lock(&self) -> (MutexGuard<'_, Begun>, Option<Armed>) {
        let begun = self.begun.lock().await;
        let armed = begun.arm(&self.connection);
        (begun, armed)
    }

    /// Counts, times and bounds what goes below statements.
    pub(super) async fn noted<T: Rows, E: From<DbErr>>(
        &self,
        sql: &str,
        sent: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let sent = pin!(sent);
        let sent = pin!(self.connection.bounded(sent));
        self.connection.noted(sql, sent).await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.run(statement, async |raw, statement| raw.execute(&statement).await).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let statement = Statement::from_string(self.get_database_backend(), sql);
        self.run(statement, async |raw, statement| raw.execute_unprepared(&statement.sql).await).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.run(statement, async |raw, statement| raw.query_one(&statement).await).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.run(statement, async |raw, statement| raw.query_all(&statement).await).await
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

async fn commit(transaction: Transaction) -> Result<()> {
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
    transaction: impl Into<Transaction>,
    outcome: Result<T>,
    tried: u32,
) -> Result<Option<T>> {
    let transaction = transaction.into();
    let outcome = match outcome {
        Ok(value) => commit(transaction).await.map(|()| value),
        Err(error) => {
            // Who answers nothing is not waited for once more: the connection goes, and the transaction with it.
            if error.trouble() != Some(Trouble::Away) {
                // The command's error is the one to report; a rollback that fails has no connection to undo on.
                let _ = transaction.rollback().await;
            }
            Err(error)
        }
    };
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if tried < TRIES && error.trouble() == Some(Trouble::Conflict) => {
            back_off(tried).await;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Runs a command in one transaction, again from the start where the database undid it for another's sake: commits where
/// the command answers `Ok`, else undoes all that it did. To be used in what answers [`crate::error::Result`].
///
/// With `bulk` before the connection, the transaction is a [`Bulk`](super::Bulk); with `by`, instead of the connection comes
/// what begins the transaction each time.
///
/// A macro and no function: what is handed a closure that borrows can't be awaited across threads.
#[macro_export]
macro_rules! transaction {
    (bulk $connection:expr, |$transaction:ident| $command:block) => {
        $crate::db::transaction!(@ $crate::db::Bulk::begin($connection), |$transaction| $command)
    };
    (by $begin:expr, |$transaction:ident| $command:block) => {
        $crate::db::transaction!(@ $begin, |$transaction| $command)
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
