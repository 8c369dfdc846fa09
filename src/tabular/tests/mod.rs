//! The module as the upload uses it, with files that the tests write; `real` reads exports where they are at hand.

mod hostile;
mod real;
mod rows;
mod taken;

use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use super::*;

fn file(content: impl AsRef<[u8]>) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(content.as_ref()).expect("written");
    file
}

fn of(path: &Path) -> Content {
    Content::open(path).expect("a file")
}

fn inspected(content: impl AsRef<[u8]>, expect_table: bool) -> Result<Inspected, Refusal> {
    match inspect(&of(file(content).path()), expect_table) {
        Ok(inspected) => Ok(inspected),
        Err(TabularError::Refused(refusal)) => Err(refusal),
        Err(TabularError::Io(error)) => panic!("{error}"),
    }
}

/// What is refused, of a table and of lines alike.
fn refused(content: impl AsRef<[u8]>) -> Code {
    let code = inspected(&content, true).expect_err("refused as a table").code;
    assert_eq!(inspected(&content, false).expect_err("refused as lines").code, code);
    code
}

fn refused_as_table(content: impl AsRef<[u8]>) -> Refusal {
    inspected(content, true).expect_err("refused")
}

/// A table's header and rows, whose number must be what was promised.
fn table(content: impl AsRef<[u8]>) -> (Vec<String>, Vec<TableRow>) {
    let file = file(content);
    let inspected = inspect(&of(file.path()), true).expect("inspected");
    let table = Table::open(&of(file.path()), &inspected).expect("opened");
    let header = table.header().to_vec();
    let rows: Vec<_> = table.map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len() as u64, inspected.rows);
    (header, rows)
}

/// Rows as line, cells and what is wrong.
fn rows(content: impl AsRef<[u8]>) -> Vec<(u64, Vec<String>, Option<Malformed>)> {
    table(content).1.into_iter().map(|row| (row.line, row.cells, row.malformed)).collect()
}

fn row(line: u64, cells: &[&str]) -> (u64, Vec<String>, Option<Malformed>) {
    (line, cells.iter().map(|cell| (*cell).to_owned()).collect(), None)
}

fn malformed(line: u64, cells: &[&str], what: Malformed) -> (u64, Vec<String>, Option<Malformed>) {
    (line, row(line, cells).1, Some(what))
}

fn utf_16(text: &str, is_little: bool) -> Vec<u8> {
    let bytes = |unit: u16| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() };
    format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
}

fn same_as_the_crate(content: &[u8], inspected: &Inspected, read: &[TableRow]) {
    let begins_at = content
        .iter()
        .position(|byte| *byte == b'\n')
        .filter(|_| content.starts_with(b"\"sep"))
        .map_or(0, |at| at + 1);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(inspected.separator.expect("a table"))
        .flexible(true)
        .from_reader(&content[begins_at..]);
    let is_blank = |cells: &csv::StringRecord| cells.len() == 1 && cells[0].trim_ascii().is_empty();
    let expected: Vec<_> =
        reader.records().map(|record| record.expect("a record")).filter(|cells| !is_blank(cells)).collect();
    let read = read.iter().filter(|row| row.cells.len() != 1 || !row.cells[0].trim_ascii().is_empty());
    assert!(
        read.map(|row| row.cells.as_slice())
            .eq(expected.iter().map(|cells| cells.iter().map(str::to_owned).collect::<Vec<_>>())),
        "{:?}",
        String::from_utf8_lossy(content)
    );
}
