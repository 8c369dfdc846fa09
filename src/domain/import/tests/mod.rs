//! The module as the import uses it. The rows are written for these tests; `real` reads exports where they are at hand.

mod columns;
mod generic;
mod lists;
mod platforms;
mod real;
mod words;

use super::{Field, ImportRow, Line, Plan, Platform, RowProblem};
use crate::error::Refusal;

/// The cells of a line that has no quotes.
fn cells(line: &str) -> Vec<String> {
    line.split(',').map(str::to_owned).collect()
}

fn detect(header: &str, rows: &[&str]) -> Result<Plan, Refusal> {
    Plan::detect(&cells(header), &rows.iter().map(|row| cells(row)).collect::<Vec<_>>(), None)
}

/// The one entry of a file's only row.
fn read_one(header: &str, row: &str) -> (Plan, ImportRow) {
    let plan = detect(header, &[row]).unwrap();
    let mut rows = copies(plan.read(2, &cells(row)).unwrap());
    assert_eq!(rows.len(), 1, "{rows:?}");
    (plan, rows.remove(0))
}

/// What a line holds, which may be nothing.
fn copies(line: Line) -> Vec<ImportRow> {
    match line {
        Line::Copies(rows) => rows,
        Line::Nothing(_) => Vec::new(),
    }
}

fn problem(header: &str, row: &str) -> RowProblem {
    detect(header, &[row]).unwrap().read(2, &cells(row)).unwrap_err()
}

fn field_of(plan: &Plan, header: &str) -> Option<Field> {
    plan.columns.iter().find(|column| column.column == header).and_then(|column| column.field)
}

#[test]
fn names_of_platforms_lead_back() {
    for platform in Platform::ALL {
        assert_eq!(Platform::of_name(platform.name()), Some(*platform));
    }
    assert_eq!((Platform::ALL.len(), Platform::of_name("dragon_shield")), (23, None));
}
