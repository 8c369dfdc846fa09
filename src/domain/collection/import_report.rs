//! What became of the lines of a file: the rejected ones as a list, all of them as a file.

use std::collections::HashMap;

use entity::enums::RowOutcome;
use sea_orm::{ActiveEnum, ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use crate::db::{
    Bulk, Cell, Column, Direction, Keyset, Listed, Merge, Segment, SortColumn, Sql, Target, fetch_page,
};
use crate::domain::csv;
use crate::error::{Code, Result};
use crate::pagination::{Key, KeyValue, ListId, Page, Slice};

/// Lines of a page of the file.
const LINES: u32 = 1_000;

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

const ROWS: Target = Target {
    table: "import_rows",
    columns: &[
        Column { name: "job_id", merge: Merge::Key },
        Column { name: "line", merge: Merge::Key },
        Column { name: "outcome", merge: Merge::Replace },
        Column { name: "code", merge: Merge::Replace },
        Column { name: "message", merge: Merge::Replace },
        Column { name: "cells", merge: Merge::Replace },
    ],
    only_if: None,
};

/// Writes what became of lines. A second attempt writes the same rows.
///
/// # Errors
/// The database's.
pub async fn write_report(bulk: &Bulk, job: Uuid, rows: &[ReportRow]) -> Result<()> {
    let optional = |text: Option<&str>| text.map_or(Cell::Null, |text| Cell::Text(text.to_owned().into()));
    let cells: Vec<Vec<Cell<'_>>> = rows
        .iter()
        .map(|row| {
            // The stores keep no NUL, which is no text either.
            let kept: Vec<String> = row.cells.iter().map(|cell| cell.replace('\0', "\u{fffd}")).collect();
            vec![
                Cell::Uuid(job),
                Cell::Int(row.line),
                Cell::Int(row.outcome.to_value().into()),
                optional(row.code.map(Code::number)),
                optional(row.message.as_deref().map(|text| text.replace('\0', "\u{fffd}")).as_deref()),
                Cell::Json(serde_json::Value::from(kept).to_string()),
            ]
        })
        .collect();
    bulk.merge(&ROWS, &cells).await?;
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
        sql.push("from import_rows r where r.code is not null and r.job_id = ").bind(self.job);
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
    sql.push("row_number() over (partition by r.job_id order by r.line) as place from import_rows r");
    sql.push(" where r.code is not null and r.job_id").any_of_uuids(jobs);
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
    sql.push("select job_id, count(*) as n from import_rows where code is not null and job_id")
        .any_of_uuids(jobs);
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

/// The next lines of a report, and the line after which it goes on; nothing where it ends. Of an import that was not completed
/// nothing is held, whatever had become of its lines until then.
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
    struct Row {
        line: i64,
        outcome: i16,
        code: Option<String>,
        message: Option<String>,
        cells: serde_json::Value,
    }
    let mut sql = Sql::new(connection);
    sql.push("select line, outcome, code, message, cells from import_rows where job_id = ").bind(job);
    sql.push(" and line > ").bind(after).push(&format!(" order by line limit {LINES}"));
    let rows = sql.all::<Row>(connection).await?;
    let next = if rows.len() == LINES as usize { rows.last().map(|row| row.line) } else { None };
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| serde_json::from_value(row.cells.clone()).unwrap_or_default()).collect();
    let written = rows.iter().zip(&cells).map(|(row, cells)| {
        let mut theirs = cells.iter().map(|cell| csv::Cell::Text(cell));
        let mut written: Vec<csv::Cell<'_>> = theirs.by_ref().take(columns).collect();
        written.resize(columns, csv::Cell::Text(""));
        written.push(csv::Cell::Plain(row.line.to_string()));
        written.push(csv::Cell::Plain(outcome(row.outcome, is_completed).to_owned()));
        written.push(csv::Cell::Plain(row.code.clone().unwrap_or_default()));
        written.push(csv::Cell::Text(row.message.as_deref().unwrap_or_default()));
        // What has no heading, so that nothing stands under a wrong one.
        written.extend(theirs);
        written
    });
    Ok((csv::lines(written)?, next))
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
