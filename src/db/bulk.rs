//! Writing many rows in one transaction: COPY into a staging table and one merge on Postgres (one insert where
//! they are not so many), inserts of many rows on SQLite. What is already there and equal is not written again.
//!
//! A [`Bulk`] is also a connection, so that the same transaction runs ordinary statements.

use std::borrow::Cow;
use std::fmt::Write as _;

use async_graphql::async_trait;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use sea_orm::sqlx::{self, AssertSqlSafe, Postgres, Sqlite, Transaction};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use uuid::Uuid;

use super::transaction::Begun;
use super::{Connection, SQLITE_CACHE_OF_JOBS};
use crate::error::Result;

/// A value of a row that is written in bulk.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    Null,
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(Cow<'a, str>),
    /// JSON, as its text.
    Json(String),
    Uuid(Uuid),
    Date(NaiveDate),
    Time(DateTime<Utc>),
}

/// What a row that is already there takes over from the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// Part of the key.
    Key,
    /// The new value.
    Replace,
    /// The new value, unless it is null: this source may not know what another did.
    ReplaceIfKnown,
    /// The new value, only where there was none.
    Fill,
    /// Nothing: what was there first stays.
    Keep,
    /// The members of both, which are objects in JSON; of those that both have, the new.
    Members,
    /// What this says of the row that is already there (`t`) and the new one (`excluded`).
    As(&'static str),
}

/// A column that is written in bulk.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    pub merge: Merge,
}

/// A table that is written in bulk, with its columns in the order of the cells.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub table: &'static str,
    pub columns: &'static [Column],
    /// A last condition on the row that is already there (`t`) and the new one (`excluded`).
    pub only_if: Option<&'static str>,
}

impl Target {
    fn names(&self, merge: impl Fn(Merge) -> bool) -> String {
        let names: Vec<_> =
            self.columns.iter().filter(|column| merge(column.merge)).map(|column| column.name).collect();
        names.join(", ")
    }

    /// ` on conflict …`, which leaves a row alone that would not change.
    fn on_conflict(&self, store: DbBackend) -> String {
        let mut sql = format!(" on conflict ({}) do ", self.names(|merge| merge == Merge::Key));
        let mut set = Vec::new();
        let mut differs = Vec::new();
        for Column { name, merge } in self.columns {
            let new = match merge {
                Merge::Key | Merge::Keep => continue,
                Merge::Replace => format!("excluded.{name}"),
                Merge::ReplaceIfKnown => format!("coalesce(excluded.{name}, t.{name})"),
                Merge::Fill => format!("coalesce(t.{name}, excluded.{name})"),
                Merge::Members if store == DbBackend::Postgres => format!("(t.{name} || excluded.{name})"),
                Merge::Members => format!("json_patch(t.{name}, excluded.{name})"),
                Merge::As(new) => (*new).to_owned(),
            };
            differs.push(format!("t.{name} is distinct from {new}"));
            set.push(format!("{name} = {new}"));
        }
        if set.is_empty() {
            sql.push_str("nothing");
        } else {
            let _ = write!(sql, "update set {} where ({})", set.join(", "), differs.join(" or "));
            if let Some(condition) = self.only_if {
                let _ = write!(sql, " and ({condition})");
            }
        }
        sql
    }
}

/// One transaction that writes in bulk.
pub struct Bulk(super::Transaction);

/// The most rows that Postgres gets in one statement instead of a COPY. A COPY ends with a short packet that waits for
/// the acknowledgement of the one before it, some 40 ms, and needs a staging table; the rest of it is faster.
const FEW_ROWS: usize = 5_000;

/// Bytes of a COPY that are sent at once.
const COPY_BYTES: usize = 1 << 16;

/// Has Postgres keep plans until the transaction ends, or is told otherwise.
const KEEP_PLANS: &str = "set local plan_cache_mode = auto";

/// Parameters of one insert on SQLite; its own limit is 32,766.
const SQLITE_PARAMETERS: usize = 8_000;

impl Bulk {
    /// # Errors
    /// When no connection is to be had.
    pub async fn begin(connection: &Connection) -> Result<Self> {
        Ok(Self(connection.begin().await?))
    }

    /// # Errors
    /// The database's; nothing was written then.
    pub async fn commit(self) -> Result<()> {
        self.0.commit().await
    }

    /// Readies the transaction for very many rows. Postgres looks up each reference of each of them by a plan, and is let keep
    /// that: to make it anew takes longer than to look. SQLite may hold more pages.
    ///
    /// # Errors
    /// The database's.
    pub async fn expect_many(&self) -> Result<()> {
        self.execute_unprepared(match self.get_database_backend() {
            DbBackend::Postgres => KEEP_PLANS,
            _ => "pragma cache_size = -16000",
        })
        .await?;
        Ok(())
    }

    /// After [`Bulk::expect_many`], as the last of the transaction: what SQLite holds is given back with it.
    ///
    /// # Errors
    /// The database's.
    pub async fn had_many(&self) -> Result<()> {
        if self.get_database_backend() == DbBackend::Sqlite {
            self.execute_unprepared(&format!("pragma cache_size = {SQLITE_CACHE_OF_JOBS}")).await?;
        }
        Ok(())
    }

    /// Writes the rows and answers how many were new or changed. No two of them may have the same key.
    ///
    /// # Errors
    /// The database's.
    pub async fn merge(&self, target: &Target, rows: &[Vec<Cell<'_>>]) -> Result<u64> {
        if rows.is_empty() {
            return Ok(0);
        }
        let merged = async {
            let (mut begun, armed) = self.0.lock().await;
            let written = match &mut *begun {
                Begun::Postgres(transaction) => merge_postgres(transaction, target, rows).await,
                Begun::Sqlite(transaction, _) => merge_sqlite(transaction, target, rows).await,
            };
            if let Some(armed) = armed {
                armed.ended();
            }
            written
        };
        self.0.noted(&format!("insert into {} …", target.table), merged).await
    }

    /// Writes rows that are known to be new, as they come: many fit in one call without being held in memory. Answers how many
    /// they were.
    ///
    /// # Errors
    /// The database's; one of these is that a row is there already.
    pub async fn insert<'c>(
        &self,
        target: &Target,
        rows: impl Iterator<Item = Vec<Cell<'c>>> + Send,
    ) -> Result<u64> {
        let inserted = async {
            let (mut begun, armed) = self.0.lock().await;
            let written = match &mut *begun {
                Begun::Postgres(transaction) => {
                    let into = format!("{} ({})", target.table, target.names(|_| true));
                    copy_rows(transaction, &into, false, rows).await
                }
                Begun::Sqlite(transaction, _) => insert_all_sqlite(transaction, target, rows).await,
            };
            if let Some(armed) = armed {
                armed.ended();
            }
            written
        };
        self.0.noted(&format!("insert into {} …", target.table), inserted).await
    }
}

impl From<Bulk> for super::Transaction {
    fn from(bulk: Bulk) -> Self {
        bulk.0
    }
}

async fn merge_postgres(
    transaction: &mut Transaction<'static, Postgres>,
    target: &Target,
    rows: &[Vec<Cell<'_>>],
) -> Result<u64> {
    if rows.len() <= FEW_ROWS {
        return insert_postgres(transaction, target, rows).await;
    }
    let Target { table, .. } = target;
    let columns = target.names(|_| true);
    // Made once a connection, emptied by each commit.
    let stage = format!(
        "create temp table if not exists stage_{table} on commit delete rows as
         select {columns}, 0::bigint as position from {table} with no data"
    );
    sqlx::query(AssertSqlSafe(stage)).execute(&mut **transaction).await?;
    copy_rows(transaction, &format!("stage_{table} ({columns}, position)"), true, rows.iter()).await?;
    // In the order of the source, so that both stores number the rows alike.
    let merge = format!(
        "insert into {table} as t ({columns}) select {columns} from stage_{table} order by position{}",
        target.on_conflict(DbBackend::Postgres)
    );
    // Each reference of a new row is looked up by a plan, which is kept for the rows after it.
    let former: String =
        sqlx::query_scalar("select current_setting('plan_cache_mode')").fetch_one(&mut **transaction).await?;
    sqlx::raw_sql(KEEP_PLANS).execute(&mut **transaction).await?;
    let written = sqlx::query(AssertSqlSafe(merge)).execute(&mut **transaction).await?.rows_affected();
    sqlx::query("select set_config('plan_cache_mode', $1, true)")
        .bind(former)
        .execute(&mut **transaction)
        .await?;
    // A commit empties it for good; a truncate here would make a new file each time.
    let empty = format!("delete from stage_{table}");
    sqlx::query(AssertSqlSafe(empty)).execute(&mut **transaction).await?;
    Ok(written)
}

/// Rows into a table, named with its columns; where they are numbered, each with its place at the end.
async fn copy_rows<'c, R: AsRef<[Cell<'c>]> + Send>(
    transaction: &mut Transaction<'static, Postgres>,
    into: &str,
    numbered: bool,
    rows: impl Iterator<Item = R> + Send,
) -> Result<u64> {
    let mut copy = transaction.copy_in_raw(&format!("copy {into} from stdin")).await?;
    let mut text = String::with_capacity(COPY_BYTES + 1024);
    for (place, row) in rows.enumerate() {
        for (position, cell) in row.as_ref().iter().enumerate() {
            if position > 0 {
                text.push('\t');
            }
            write_copy(&mut text, cell);
        }
        if numbered {
            let _ = write!(text, "\t{place}");
        }
        text.push('\n');
        if text.len() > COPY_BYTES {
            copy.send(text.as_bytes()).await?;
            text.clear();
        }
    }
    copy.send(text.as_bytes()).await?;
    Ok(copy.finish().await?)
}

/// All rows as one parameter, which the database takes apart by the table's own types: one text for any number.
async fn insert_postgres(
    transaction: &mut Transaction<'static, Postgres>,
    target: &Target,
    rows: &[Vec<Cell<'_>>],
) -> Result<u64> {
    let Target { table, columns: described, .. } = target;
    let columns = target.names(|_| true);
    let mut json = String::with_capacity(rows.len() * 256);
    for row in rows {
        json.push(if json.is_empty() { '[' } else { ',' });
        for (position, (column, cell)) in described.iter().zip(row).enumerate() {
            let _ = write!(json, "{}\"{}\":", if position == 0 { '{' } else { ',' }, column.name);
            write_json(&mut json, cell);
        }
        json.push('}');
    }
    json.push(']');
    let merge = format!(
        "insert into {table} as t ({columns}) select {columns} from json_populate_recordset(null::{table}, $1::json){}",
        target.on_conflict(DbBackend::Postgres)
    );
    Ok(sqlx::query(AssertSqlSafe(merge)).bind(json).execute(&mut **transaction).await?.rows_affected())
}

fn write_json(json: &mut String, cell: &Cell<'_>) {
    let _ = match cell {
        Cell::Null => write!(json, "null"),
        Cell::Int(value) => write!(json, "{value}"),
        Cell::Float(value) => write!(json, "{value}"),
        Cell::Bool(value) => write!(json, "{value}"),
        Cell::Uuid(value) => write!(json, "\"{value}\""),
        Cell::Date(value) => write!(json, "\"{value}\""),
        Cell::Time(value) => write!(json, "\"{}\"", value.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        Cell::Text(value) => write!(json, "{}", serde_json::Value::from(value.as_ref())),
        Cell::Json(value) => write!(json, "{value}"),
    };
}

/// Postgres' text format of COPY: tabs between, `\N` for null, backslashes before what would end a value.
fn write_copy(text: &mut String, cell: &Cell<'_>) {
    // Writing to a String can't fail.
    let _ = match cell {
        Cell::Null => write!(text, "\\N"),
        Cell::Int(value) => write!(text, "{value}"),
        Cell::Float(value) => write!(text, "{value}"),
        Cell::Bool(value) => write!(text, "{}", if *value { 't' } else { 'f' }),
        Cell::Uuid(value) => write!(text, "{value}"),
        Cell::Date(value) => write!(text, "{value}"),
        Cell::Time(value) => write!(text, "{}", value.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        Cell::Text(value) => {
            escape_copy(text, value);
            Ok(())
        }
        Cell::Json(value) => {
            escape_copy(text, value);
            Ok(())
        }
    };
}

fn escape_copy(text: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            other => text.push(other),
        }
    }
}

async fn merge_sqlite(
    transaction: &mut Transaction<'static, Sqlite>,
    target: &Target,
    rows: &[Vec<Cell<'_>>],
) -> Result<u64> {
    let mut written = 0;
    let on_conflict = target.on_conflict(DbBackend::Sqlite);
    let mut texts = Statements::new(target, &on_conflict);
    for chunk in rows.chunks(SQLITE_PARAMETERS / target.columns.len()) {
        written += insert_sqlite(transaction, texts.of(chunk.len()), chunk).await?;
    }
    Ok(written)
}

async fn insert_all_sqlite<'c>(
    transaction: &mut Transaction<'static, Sqlite>,
    target: &Target,
    mut rows: impl Iterator<Item = Vec<Cell<'c>>> + Send,
) -> Result<u64> {
    let mut written = 0;
    let mut texts = Statements::new(target, "");
    loop {
        let chunk: Vec<_> = rows.by_ref().take(SQLITE_PARAMETERS / target.columns.len()).collect();
        if chunk.is_empty() {
            return Ok(written);
        }
        written += insert_sqlite(transaction, texts.of(chunk.len()), &chunk).await?;
    }
}

/// Inserts of several rows, whose text is made anew only where there are more or fewer of them than the last time.
struct Statements<'t> {
    target: &'t Target,
    on_conflict: &'t str,
    text: String,
    lines: usize,
}

impl<'t> Statements<'t> {
    fn new(target: &'t Target, on_conflict: &'t str) -> Self {
        Self { target, on_conflict, text: String::new(), lines: 0 }
    }

    fn of(&mut self, lines: usize) -> &str {
        if lines != self.lines {
            let Target { table, columns, .. } = self.target;
            let names = self.target.names(|_| true);
            let line = format!("({})", vec!["?"; columns.len()].join(", "));
            let values = vec![line; lines].join(", ");
            self.lines = lines;
            // What fails is not taken back by itself, for which SQLite would keep all pages that a statement changes: the
            // whole transaction is.
            self.text =
                format!("insert or fail into {table} as t ({names}) values {values}{}", self.on_conflict);
        }
        &self.text
    }
}

async fn insert_sqlite(
    transaction: &mut Transaction<'static, Sqlite>,
    text: &str,
    rows: &[Vec<Cell<'_>>],
) -> Result<u64> {
    let mut query = sqlx::query::<Sqlite>(AssertSqlSafe(text.to_owned()));
    for cell in rows.iter().flatten() {
        query = match cell {
            Cell::Null => query.bind(None::<i64>),
            Cell::Int(value) => query.bind(*value),
            Cell::Float(value) => query.bind(*value),
            Cell::Bool(value) => query.bind(*value),
            Cell::Text(value) => query.bind(value.clone().into_owned()),
            Cell::Json(value) => query.bind(value.clone()),
            Cell::Uuid(value) => query.bind(*value),
            Cell::Date(value) => query.bind(*value),
            Cell::Time(value) => query.bind(*value),
        };
    }
    Ok(query.execute(&mut **transaction).await?.rows_affected())
}

#[async_trait::async_trait]
impl ConnectionTrait for Bulk {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.0.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.0.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.0.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.0.query_all_raw(statement).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_text_survives_the_characters_that_end_a_value() {
        let mut text = String::new();
        write_copy(&mut text, &Cell::Text("a\tb\\c\nd\re".into()));
        assert_eq!(text, "a\\tb\\\\c\\nd\\re");
    }

    #[test]
    fn a_merge_touches_only_rows_that_differ() {
        const TARGET: Target = Target {
            table: "things",
            columns: &[
                Column { name: "id", merge: Merge::Key },
                Column { name: "a", merge: Merge::Replace },
                Column { name: "b", merge: Merge::ReplaceIfKnown },
                Column { name: "c", merge: Merge::Keep },
            ],
            only_if: Some("excluded.at >= t.at"),
        };
        assert_eq!(
            TARGET.on_conflict(DbBackend::Postgres),
            " on conflict (id) do update set a = excluded.a, b = coalesce(excluded.b, t.b) \
             where (t.a is distinct from excluded.a or t.b is distinct from coalesce(excluded.b, t.b)) \
             and (excluded.at >= t.at)"
        );
        assert_eq!(TARGET.on_conflict(DbBackend::Sqlite), TARGET.on_conflict(DbBackend::Postgres));
    }

    #[test]
    fn what_is_made_of_both_rows_is_said_in_the_words_of_the_store() {
        const TARGET: Target = Target {
            table: "things",
            columns: &[
                Column { name: "id", merge: Merge::Key },
                Column { name: "links", merge: Merge::Members },
                Column { name: "count", merge: Merge::As("t.count + excluded.count") },
            ],
            only_if: None,
        };
        for (store, links) in [
            (DbBackend::Postgres, "(t.links || excluded.links)"),
            (DbBackend::Sqlite, "json_patch(t.links, excluded.links)"),
        ] {
            assert_eq!(
                TARGET.on_conflict(store),
                format!(
                    " on conflict (id) do update set links = {links}, count = t.count + excluded.count \
                     where (t.links is distinct from {links} or t.count is distinct from t.count + excluded.count)"
                )
            );
        }
    }
}
