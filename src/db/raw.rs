//! SeaORM's statements on one of sqlx's connections, for what holds a connection itself: leases and bulk work.

use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::sqlite::SqliteConnection;
use sea_orm::sqlx::{self, AssertSqlSafe, query_with};
use sea_orm::{DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Values};
use sea_query_sqlx::SqlxValues;

/// A connection of either store.
pub(super) enum Raw<'a> {
    Postgres(&'a mut PgConnection),
    Sqlite(&'a mut SqliteConnection),
}

/// Does the same with the connection of whichever store it is.
macro_rules! with {
    ($raw:expr, $connection:ident => $body:expr) => {
        match $raw {
            Raw::Postgres($connection) => $body,
            Raw::Sqlite($connection) => $body,
        }
    };
}

impl Raw<'_> {
    pub async fn execute(self, statement: &Statement) -> Result<ExecResult, DbErr> {
        let (sql, values) = parts(statement);
        with!(self, connection => {
            query_with(sql, values).execute(connection).await.map(Into::into).map_err(query_error)
        })
    }

    pub async fn execute_unprepared(self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        with!(self, connection => sql.execute(connection).await.map(Into::into).map_err(query_error))
    }

    pub async fn query_one(self, statement: &Statement) -> Result<Option<QueryResult>, DbErr> {
        let (sql, values) = parts(statement);
        with!(self, connection => {
            let row = query_with(sql, values).fetch_optional(connection).await.map_err(query_error)?;
            Ok(row.map(Into::into))
        })
    }

    pub async fn query_all(self, statement: &Statement) -> Result<Vec<QueryResult>, DbErr> {
        let (sql, values) = parts(statement);
        with!(self, connection => {
            let rows = query_with(sql, values).fetch_all(connection).await.map_err(query_error)?;
            Ok(rows.into_iter().map(Into::into).collect())
        })
    }
}

fn parts(statement: &Statement) -> (AssertSqlSafe<&str>, SqlxValues) {
    let values = statement.values.clone().unwrap_or_else(|| Values(Vec::new()));
    (AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}

pub(super) fn query_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
