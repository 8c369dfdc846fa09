//! Reading a file into batches, each bounded by its rows and by its bytes.

use tokio::sync::mpsc;

use crate::domain::csv::bare;
use crate::domain::import::{ImportRow, Line, Plan, Platform, RowProblem, Section};
use crate::error::Code;
use crate::tabular::{self, Content, Malformed, TabularError};

/// Rows of a batch at most.
const ROWS: usize = 1_000;
/// Bytes of cells of a batch at most; a row that is more by itself is a batch of its own.
const BYTES: usize = 1 << 20;

/// A row as the file has it, and what was read of it.
pub(super) struct Read {
    pub line: u64,
    pub cells: Vec<String>,
    /// What the line holds: mostly one item, none, or one a finish.
    pub rows: Result<Vec<ImportRow>, (Code, String)>,
    /// Why it holds none.
    pub skipped: Option<&'static str>,
}

impl Read {
    fn new(line: u64, cells: Vec<String>, read: Result<Line, RowProblem>) -> Self {
        let (rows, skipped) = match read {
            Ok(Line::Copies(rows)) => (Ok(rows), None),
            Ok(Line::Nothing(why)) => (Ok(Vec::new()), Some(why)),
            Err(RowProblem { code, message }) => (Err((code, message)), None),
        };
        Self { line, cells, rows, skipped }
    }

    fn bytes(&self) -> usize {
        self.cells.iter().map(|cell| cell.len() + size_of::<String>()).sum()
    }
}

/// What is gathered until it is sent.
struct Batches<'a> {
    sender: &'a mpsc::Sender<Vec<Read>>,
    batch: Vec<Read>,
    bytes: usize,
}

impl Batches<'_> {
    /// Whether anybody still takes them.
    fn push(&mut self, read: Read) -> bool {
        let bytes = read.bytes();
        if !self.batch.is_empty() && self.bytes + bytes > BYTES && !self.send() {
            return false;
        }
        self.bytes += bytes;
        self.batch.push(read);
        (self.batch.len() < ROWS && self.bytes < BYTES) || self.send()
    }

    fn send(&mut self) -> bool {
        self.bytes = 0;
        self.batch.is_empty() || self.sender.blocking_send(std::mem::take(&mut self.batch)).is_ok()
    }
}

/// The cells of a row, without the marks that keep a spreadsheet from running them: so an inventory that was exported comes back as
/// it was, and a report, which sets its own marks, does not have them twice.
fn meant(cells: Vec<String>) -> Vec<String> {
    if cells.iter().any(|cell| cell.contains('\'')) {
        cells.iter().map(|cell| bare(cell).into_owned()).collect()
    } else {
        cells
    }
}

/// Reads the file by its plan into batches; ends early where nobody takes them.
///
/// # Errors
/// The disk's, and what is wrong with the file.
pub(super) fn read(
    content: &Content,
    plan: &Plan,
    sender: &mpsc::Sender<Vec<Read>>,
) -> Result<(), TabularError> {
    let mut batches = Batches { sender, batch: Vec::new(), bytes: 0 };
    if plan.platform == Platform::Decklist {
        let inspected = tabular::inspect(content, false)?;
        let mut section = Section::default();
        for line in tabular::lines(content, &inspected)? {
            let (line, text) = line?;
            let read = plan.read_line(&mut section, line, &text);
            if !batches.push(Read::new(line, vec![text], read)) {
                return Ok(());
            }
        }
    } else {
        let inspected = tabular::inspect(content, true)?;
        for row in tabular::Table::open(content, &inspected)? {
            let row = row?;
            let malformed = |malformed: Malformed| RowProblem {
                code: Code::RowMalformed,
                message: malformed.message().to_owned(),
            };
            let cells = meant(row.cells);
            let read = match row.malformed {
                None => plan.read(row.line, &cells),
                // What is left out at its end may be nothing that is read.
                Some(short @ Malformed::FewerCells) => {
                    plan.read(row.line, &cells).map_err(|problem| match problem.code {
                        Code::RowMalformed => malformed(short),
                        _ => problem,
                    })
                }
                Some(other) => Err(malformed(other)),
            };
            if !batches.push(Read::new(row.line, cells, read)) {
                return Ok(());
            }
        }
    }
    // Where nobody takes it, the attempt has ended.
    batches.send();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::domain::csv::neutral;

    /// The batches of such a file.
    fn read_all(text: &str) -> Vec<Vec<Read>> {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        let content = Content::new(file);
        let inspected = tabular::inspect(&content, true).expect("a table");
        let table = tabular::Table::open(&content, &inspected).expect("a table");
        let plan = Plan::detect(table.header(), &[], None).expect("a plan");
        let (sender, mut receiver) = mpsc::channel(10_000);
        read(&content, &plan, &sender).expect("read");
        drop(sender);
        let mut batches = Vec::new();
        while let Some(batch) = receiver.blocking_recv() {
            batches.push(batch);
        }
        batches
    }

    /// Of each batch of such a file: how many rows, and how many bytes.
    fn batches(text: &str) -> Vec<(usize, usize)> {
        let size = |batch: &Vec<Read>| (batch.len(), batch.iter().map(Read::bytes).sum::<usize>());
        read_all(text).iter().map(size).collect()
    }

    #[test]
    fn cells_of_a_report_that_comes_back_have_their_marks_once() {
        let rows = [
            "2,Shock,m11,'=1+1",
            "0,Shock,m11,'@x",
            "1,'=Shock,m11,a;'=1,x",
            "'=2,Shock",
            "1,Urza's,m11,'tis",
        ];
        let batches = read_all(&format!("Quantity,Name,Set Code,Notes\n{}\n", rows.join("\n")));
        let read: Vec<&Read> = batches.iter().flatten().collect();
        let cells: Vec<_> = read.iter().map(|read| read.cells.join(",")).collect();
        let bare =
            ["2,Shock,m11,=1+1", "0,Shock,m11,@x", "1,=Shock,m11,a;=1,x", "=2,Shock", "1,Urza's,m11,'tis"];
        assert_eq!(cells, bare);
        let taken: Vec<_> = read.iter().map(|read| read.rows.is_ok()).collect();
        assert_eq!(taken, [true, false, false, false, true]);
        for (read, row) in read.iter().zip(rows) {
            let reported: Vec<_> = read.cells.iter().map(|cell| neutral(cell)).collect();
            assert_eq!(reported.join(","), row, "as it came");
        }
    }

    #[test]
    fn a_batch_is_bounded_by_its_bytes_as_by_its_rows() {
        let header = "Quantity,Name,Set Code,Notes\n";
        let small = batches(&format!("{header}{}", "1,Shock,m11,\n".repeat(2_500)));
        assert_eq!(small.iter().map(|(rows, _)| *rows).collect::<Vec<_>>(), [1_000, 1_000, 500]);
        let row = format!("1,Shock,m11,{}\n", "x".repeat(60_000));
        let large = batches(&format!("{header}{}", row.repeat(100)));
        assert_eq!(large.iter().map(|(rows, _)| rows).sum::<usize>(), 100);
        assert!(large.len() >= 6 && large.iter().all(|(_, bytes)| *bytes <= BYTES), "{large:?}");
        // A row of over a megabyte is alone.
        let header = format!("Quantity,Name,Set Code{}\n", ",x".repeat(40));
        let row = format!("1,Shock,m11{}\n", format!(",{}", "x".repeat(60_000)).repeat(40));
        let wide = batches(&format!("{header}1,Shock,m11{}\n{}", ",".repeat(40), row.repeat(3)));
        assert_eq!(wide.iter().map(|(rows, _)| *rows).collect::<Vec<_>>(), [1, 1, 1, 1]);
    }

    #[test]
    fn who_takes_no_more_ends_the_reading() {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(format!("Quantity,Name\n{}", "1,Shock\n".repeat(5_000)).as_bytes()).expect("written");
        let plan = Plan::detect(&["Quantity".to_owned(), "Name".to_owned()], &[], None).expect("a plan");
        let (sender, receiver) = mpsc::channel(1);
        drop(receiver);
        read(&Content::new(file), &plan, &sender).expect("ended");
    }
}
