//! A statement in the making, for the store that is connected: the few places where the two differ are methods here.
//!
//! SeaORM writes the statements that name one table; those on the hot paths and those it has no words for are put
//! together with this. Values are always bound, and a list is one parameter, so that a statement has one text however
//! many keys it asks for and the database prepares it once.

use sea_orm::sea_query::ArrayType;
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, FromQueryResult, QueryResult, Statement, TryGetable, Value,
};
use uuid::Uuid;

/// A statement's text with its values.
#[derive(Debug, Clone)]
pub struct Sql {
    backend: DbBackend,
    text: String,
    values: Vec<Value>,
    keyed: bool,
}

impl Sql {
    pub fn new(connection: &impl ConnectionTrait) -> Self {
        Self::on(connection.get_database_backend())
    }

    pub fn on(backend: DbBackend) -> Self {
        Self { backend, text: String::with_capacity(512), values: Vec::new(), keyed: false }
    }

    /// A statement whose lists are keys, of which each finds its rows by an index, be they one or a hundred.
    ///
    /// Postgres plans a prepared statement anew each time where it thinks that a plan for the values at hand is better
    /// than one for any. For a list of keys it always thinks so, since it takes any list for one of ten, and to plan
    /// costs more than to look the keys up. A list that it can't look into is planned once.
    pub fn by_keys(connection: &impl ConnectionTrait) -> Self {
        Self { keyed: true, ..Self::new(connection) }
    }

    /// ` = any(…)` of a list, on Postgres.
    fn any(&mut self, of: &str, kind: ArrayType, list: Vec<Value>) -> &mut Self {
        let list = Value::Array(kind, Some(Box::new(list)));
        if self.keyed {
            self.push(" = any((select ").bind(list).push(")::").push(of).push("[])")
        } else {
            self.push(" = any(").bind(list).push(")")
        }
    }

    pub fn is_postgres(&self) -> bool {
        self.backend == DbBackend::Postgres
    }

    /// Text of ours, never a caller's.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// One of two texts, by store.
    pub fn either(&mut self, postgres: &str, sqlite: &str) -> &mut Self {
        let text = if self.is_postgres() { postgres } else { sqlite };
        self.push(text)
    }

    /// A value, as a parameter.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(match value.into() {
            Value::String(Some(text)) => Value::String(Some(storable(text))),
            value => value,
        });
        if self.is_postgres() {
            self.text.push_str(&format!("${}", self.values.len()));
        } else {
            self.text.push('?');
        }
        self
    }

    /// ` = any(…)`: the column before it is one of the numbers.
    pub fn any_of_numbers<N: Copy + Into<i64>>(&mut self, numbers: &[N]) -> &mut Self {
        let numbers = numbers.iter().map(|number| (*number).into());
        if self.is_postgres() {
            let list = numbers.map(|number: i64| Value::BigInt(Some(number))).collect();
            self.any("bigint", ArrayType::BigInt, list)
        } else {
            let list = serde_json::Value::from_iter(numbers).to_string();
            self.push(" in (select value from json_each(").bind(list).push("))")
        }
    }

    /// The texts as rows, with the one column `value`: for the list of what is selected from.
    pub fn texts(&mut self, texts: &[String]) -> &mut Self {
        let list = serde_json::Value::from_iter(texts.iter().cloned().map(storable)).to_string();
        self.either("jsonb_array_elements_text(", "json_each(").bind(list).either("::jsonb)", ")")
    }

    /// ` = any(…)`: the column before it is one of the texts.
    pub fn any_of_texts(&mut self, texts: &[String]) -> &mut Self {
        if self.is_postgres() {
            let list = texts.iter().map(|text| Value::from(storable(text.clone()))).collect();
            self.any("text", ArrayType::String, list)
        } else {
            let list = serde_json::Value::from(texts).to_string();
            self.push(" in (select value from json_each(").bind(list).push("))")
        }
    }

    /// ` = any(…)`: the column before it is one of the UUIDs.
    pub fn any_of_uuids(&mut self, uuids: &[Uuid]) -> &mut Self {
        if self.is_postgres() {
            let list = uuids.iter().map(|uuid| Value::from(*uuid)).collect();
            self.any("uuid", ArrayType::Uuid, list)
        } else {
            let list =
                serde_json::Value::from_iter(uuids.iter().map(|uuid| uuid.simple().to_string())).to_string();
            self.push(" in (select unhex(value) from json_each(").bind(list).push("))")
        }
    }

    /// The day of a moment, in UTC.
    pub fn day_of(&mut self, column: &str) -> &mut Self {
        let text = if self.is_postgres() {
            format!("({column} at time zone 'UTC')::date")
        } else {
            // RFC 3339 in UTC begins with the day.
            format!("substr({column}, 1, 10)")
        };
        self.push(&text)
    }

    /// The Monday of the week that a day is in.
    pub fn week_of(&mut self, day: &str) -> &mut Self {
        let text = if self.is_postgres() {
            format!("date_trunc('week', {day})::date")
        } else {
            format!("date({day}, '-6 days', 'weekday 1')")
        };
        self.push(&text)
    }

    /// Whether a text column holds a text anywhere, byte by byte.
    pub fn contains(&mut self, column: &str, text: &str) -> &mut Self {
        if self.is_postgres() {
            // `like`, so that the trigram index serves.
            let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            self.push(column).push(" like ").bind(format!("%{escaped}%"))
        } else {
            self.push("instr(").push(column).push(", ").bind(text).push(") > 0")
        }
    }

    /// The same of a column that has an index of three-letter runs, in a table under an alias with a numeric `id`. On
    /// SQLite the index is an FTS5 table of its own, which knows no shorter texts.
    pub fn contains_indexed(&mut self, alias: &str, column: &str, index: &str, text: &str) -> &mut Self {
        if self.is_postgres() || text.chars().count() < 3 {
            return self.contains(&format!("{alias}.{column}"), text);
        }
        self.push(&format!("{alias}.id in (select s.rowid from {index} s where s.{column} match "));
        self.bind(fts_phrase(text)).push(")")
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    fn statement(&self) -> Statement {
        Statement::from_sql_and_values(self.backend, &self.text, self.values.clone())
    }

    /// # Errors
    /// The database's.
    pub async fn all<R: FromQueryResult>(&self, connection: &impl ConnectionTrait) -> Result<Vec<R>, DbErr> {
        let rows = connection.query_all_raw(self.statement()).await?;
        rows.iter().map(|row| R::from_query_result(row, "")).collect()
    }

    /// # Errors
    /// The database's.
    pub async fn one<R: FromQueryResult>(
        &self,
        connection: &impl ConnectionTrait,
    ) -> Result<Option<R>, DbErr> {
        let row = connection.query_one_raw(self.statement()).await?;
        row.as_ref().map(|row| R::from_query_result(row, "")).transpose()
    }

    /// # Errors
    /// The database's.
    pub async fn run(&self, connection: &impl ConnectionTrait) -> Result<ExecResult, DbErr> {
        connection.execute_raw(self.statement()).await
    }

    /// Runs a statement that changes `most` rows at once again and again, until it finds fewer, and answers how many it changed
    /// in all. Each run is a statement of its own, with a deadline of its own.
    ///
    /// # Errors
    /// The database's.
    pub async fn run_in_batches(&self, connection: &impl ConnectionTrait, most: u64) -> Result<u64, DbErr> {
        let mut changed = 0;
        loop {
            let rows = self.run(connection).await?.rows_affected();
            changed += rows;
            if rows < most {
                return Ok(changed);
            }
        }
    }
}

/// A text as FTS5 looks for it whole, whatever signs are in it.
fn fts_phrase(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Postgres refuses NUL in text, and so does ingest: what holds one equals nothing in the store, and neither does this.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// The columns of a row in the order in which the statement names them, for rows that are read by the thousand: to find
/// a column by its name costs more than to read it.
pub struct Columns<'r> {
    row: &'r QueryResult,
    next: usize,
}

impl<'r> Columns<'r> {
    pub fn of(row: &'r QueryResult) -> Self {
        Self { row, next: 0 }
    }

    /// The next column's value.
    ///
    /// # Errors
    /// When it is of another type, or there is none.
    pub fn take<T: TryGetable>(&mut self) -> Result<T, DbErr> {
        let value = self.row.try_get_by_index(self.next)?;
        self.next += 1;
        Ok(value)
    }
}

/// One number, under the name `n`.
#[derive(Debug, FromQueryResult)]
pub struct Count {
    pub n: i64,
}

/// A row, whatever is in it.
#[derive(Debug)]
pub struct Exists;

impl FromQueryResult for Exists {
    fn from_query_result(_: &QueryResult, _: &str) -> Result<Self, DbErr> {
        Ok(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_text_is_bound_and_its_wildcards_are_not_wild() {
        let mut sql = Sql::on(DbBackend::Postgres);
        sql.contains("name_key", "50%_off");
        assert_eq!(sql.text(), "name_key like $1");
        assert_eq!(sql.values, [Value::from("%50\\%\\_off%")]);
    }
}
