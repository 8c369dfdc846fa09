//! What became of the lines of a file: the rejected ones as a list, all of them as a file.

use std::borrow::Cow;
use std::collections::HashMap;

use entity::enums::RowOutcome;
use sea_orm::{ActiveEnum, ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use crate::db::{
    Bulk, Cell, Column, Direction, Keyset, Listed, Merge, Segment, SortColumn, Sql, Target, fetch_page,
};
use crate::domain::csv;
use crate::error::{Code, Error, Result};
use crate::pagination::{Key, KeyValue, ListId, Page, Slice};

/// The tables of what became of lines: all of them in blocks, and the rejected ones once more, each by itself.
pub const REPORTS: [&str; 2] = ["import_lines", "rejected_rows"];

/// A line of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportRow {
    pub line: i64,
    pub outcome: RowOutcome,
    pub code: Option<Code>,
    pub message: Option<String>,
    /// As they came.
    pub cells: Vec<String>,
}

const LINES: Target = Target {
    table: "import_lines",
    columns: &[
        Column { name: "job_id", merge: Merge::Key },
        Column { name: "first_line", merge: Merge::Key },
        Column { name: "lines", merge: Merge::Replace },
    ],
    only_if: None,
};

const REJECTED: Target = Target {
    table: "rejected_rows",
    columns: &[
        Column { name: "job_id", merge: Merge::Key },
        Column { name: "line", merge: Merge::Key },
        Column { name: "code", merge: Merge::Replace },
        Column { name: "message", merge: Merge::Replace },
        Column { name: "cells", merge: Merge::Replace },
    ],
    only_if: None,
};

/// A line within a block.
type Kept<'a> = (i64, i16, Option<Cow<'a, str>>, Option<Cow<'a, str>>, Vec<Cow<'a, str>>);

// The stores keep no NUL, which is no text either.
fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

fn kept(row: &ReportRow) -> Kept<'_> {
    let code = row.code.map(|code| code.number().into());
    let cells = row.cells.iter().map(|cell| storable(cell)).collect();
    (row.line, row.outcome.to_value(), code, row.message.as_deref().map(storable), cells)
}

/// Forgets what an attempt before this one has written, whose blocks may have been others.
///
/// # Errors
/// The database's.
pub async fn clear_report(connection: &impl ConnectionTrait, job: Uuid) -> Result<()> {
    for table in REPORTS {
        let mut sql = Sql::new(connection);
        sql.push(&format!("delete from {table} where job_id = ")).bind(job).run(connection).await?;
    }
    Ok(())
}

/// Writes what became of lines that follow each other: a block.
///
/// # Errors
/// The database's.
pub async fn write_report(bulk: &Bulk, job: Uuid, rows: &[ReportRow]) -> Result<()> {
    let Some(first) = rows.first() else { return Ok(()) };
    let json = |error| Error::internal(format!("a report is no JSON: {error}"));
    let lines = serde_json::to_string(&rows.iter().map(kept).collect::<Vec<_>>()).map_err(json)?;
    let block = vec![Cell::Uuid(job), Cell::Int(first.line), Cell::Text(lines.into())];
    bulk.merge(&LINES, &[block]).await?;
    let mut rejected: Vec<Vec<Cell<'_>>> = Vec::new();
    for row in rows {
        if let (line, _, Some(code), message, cells) = kept(row) {
            let cells = serde_json::to_string(&cells).map_err(json)?;
            let message = message.map_or(Cell::Null, Cell::Text);
            rejected.push(vec![
                Cell::Uuid(job),
                Cell::Int(line),
                Cell::Text(code),
                message,
                Cell::Json(cells),
            ]);
        }
    }
    bulk.merge(&REJECTED, &rejected).await?;
    Ok(())
}

/// A rejected line.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub struct RejectedLine {
    pub line: i64,
    pub code: String,
    pub message: Option<String>,
    /// A list of texts.
    pub cells: serde_json::Value,
}

/// The rejected lines of an import, in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RejectedList {
    pub job: Uuid,
}

impl RejectedList {
    /// The list that a cursor belongs to.
    pub fn id(&self) -> ListId {
        ListId::new("rejected", self)
    }

    /// The sort key of a row of this list.
    pub fn key(row: &RejectedLine) -> Key {
        vec![KeyValue::Int(row.line)]
    }
}

impl Listed for RejectedList {
    fn columns(&self, _: Segment) -> String {
        "r.line, r.code, r.message, r.cells".to_owned()
    }

    fn source(&self, sql: &mut Sql, _: Segment) {
        sql.push("from rejected_rows r where r.job_id = ").bind(self.job);
    }
}

/// A page of the list.
///
/// # Errors
/// The database's.
pub async fn list_rejected(
    connection: &impl ConnectionTrait,
    list: &RejectedList,
    page: &Page,
) -> Result<Slice<RejectedLine>> {
    let columns = vec![SortColumn::new("r.line", "line")];
    let keyset = Keyset { columns, nullable: false, direction: Direction::Ascending };
    fetch_page(connection, list, &keyset, page, RejectedList::key).await
}

/// The first rejected lines of several imports, in one statement.
///
/// # Errors
/// The database's.
pub async fn load_rejected_by_job(
    connection: &impl ConnectionTrait,
    jobs: &[Uuid],
    size: usize,
) -> Result<HashMap<Uuid, Slice<RejectedLine>>> {
    #[derive(FromQueryResult)]
    struct Row {
        job_id: Uuid,
        line: i64,
        code: String,
        message: Option<String>,
        cells: serde_json::Value,
    }
    let mut sql = Sql::by_keys(connection);
    sql.push("select job_id, line, code, message, cells from (select r.job_id, r.line, r.code, r.message, r.cells, ");
    sql.push("row_number() over (partition by r.job_id order by r.line) as place from rejected_rows r");
    sql.push(" where r.job_id").any_of_uuids(jobs);
    sql.push(&format!(") ranked where place <= {} order by job_id, line", size + 1));
    let mut slices: HashMap<Uuid, Slice<RejectedLine>> = HashMap::new();
    for Row { job_id, line, code, message, cells } in sql.all::<Row>(connection).await? {
        let slice = slices.entry(job_id).or_insert_with(Slice::empty);
        if slice.rows.len() == size {
            slice.has_next = true;
        } else {
            slice.rows.push(RejectedLine { line, code, message, cells });
        }
    }
    Ok(slices)
}

/// How many lines each import has rejected.
///
/// # Errors
/// The database's.
pub async fn count_rejected_by_job(
    connection: &impl ConnectionTrait,
    jobs: &[Uuid],
) -> Result<HashMap<Uuid, i64>> {
    #[derive(FromQueryResult)]
    struct Counted {
        job_id: Uuid,
        n: i64,
    }
    let mut sql = Sql::by_keys(connection);
    sql.push("select job_id, count(*) as n from rejected_rows where job_id").any_of_uuids(jobs);
    sql.push(" group by job_id");
    Ok(sql.all::<Counted>(connection).await?.into_iter().map(|row| (row.job_id, row.n)).collect())
}

/// The first line of a report: the file's own headings, and ours after them.
///
/// # Errors
/// None that is expected.
pub fn report_header(columns: &[String]) -> Result<Vec<u8>> {
    let ours = ["Line", "Outcome", "Code", "Message"];
    csv::lines([columns.iter().map(String::as_str).chain(ours).map(csv::Cell::Text).collect()])
}

/// The next lines of a report, and what to go on after; nothing where it has ended. Its first are asked for after 0. Of an import
/// that was not completed nothing is held, whatever had become of its lines until then.
///
/// # Errors
/// The database's.
pub async fn report_page(
    connection: &impl ConnectionTrait,
    job: Uuid,
    is_completed: bool,
    columns: usize,
    after: i64,
) -> Result<(Vec<u8>, Option<i64>)> {
    #[derive(FromQueryResult)]
    struct Block {
        first_line: i64,
        lines: String,
    }
    let mut sql = Sql::new(connection);
    sql.push("select first_line, lines from import_lines where job_id = ").bind(job);
    sql.push(" and first_line > ").bind(after).push(" order by first_line limit 1");
    let Some(block) = sql.one::<Block>(connection).await? else { return Ok((Vec::new(), None)) };
    let rows: Vec<Kept<'_>> = serde_json::from_str(&block.lines)
        .map_err(|error| Error::internal(format!("a report can't be read: {error}")))?;
    let written = rows.iter().map(|(line, became, code, message, cells)| {
        let mut theirs = cells.iter().map(|cell| csv::Cell::Text(cell));
        let mut written: Vec<csv::Cell<'_>> = theirs.by_ref().take(columns).collect();
        written.resize(columns, csv::Cell::Text(""));
        written.push(csv::Cell::Plain(line.to_string()));
        written.push(csv::Cell::Plain(outcome(*became, is_completed).to_owned()));
        written.push(csv::Cell::Plain(code.clone().unwrap_or_default().into_owned()));
        written.push(csv::Cell::Text(message.as_deref().unwrap_or_default()));
        // What has no heading, so that nothing stands under a wrong one.
        written.extend(theirs);
        written
    });
    Ok((csv::lines(written)?, Some(block.first_line)))
}

fn outcome(number: i16, is_completed: bool) -> &'static str {
    match RowOutcome::try_from_value(&number) {
        Ok(RowOutcome::Imported | RowOutcome::Merged) if !is_completed => "not imported",
        Ok(RowOutcome::Imported) => "imported",
        Ok(RowOutcome::Merged) => "merged",
        Ok(RowOutcome::Skipped) => "skipped",
        Ok(RowOutcome::Rejected) | Err(_) => "rejected",
    }
}
