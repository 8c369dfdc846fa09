//! What a user uploads as a table: checked, and read as a stream.
//!
//! First the name ([`check_name`]), then what the content begins as, its encoding, and whether it is a table at all
//! ([`inspect`]); what fails first is told. Then [`Table`] gives its rows, or [`lines`] those of a decklist. Whatever the file holds,
//! memory is bounded by one row of the widest that is taken, and time by the file's length.
//!
//! Rows are split as the `csv` crate splits them, and a test holds the two side by side. The crate itself isn't asked
//! because it has no limit on a cell, counts no lines that end by a carriage return alone, and takes broken quoting in
//! silence: a quote that never closes would be one cell with the rest of the file in it.

mod content;
mod magic;
mod records;
mod separator;
mod source;
#[cfg(test)]
mod tests;

use crate::error::{Code, Refusal};

pub use content::Content;

use records::Parser;
use source::Source;

/// The widest table that is taken.
pub const COLUMNS_MOST: usize = 100;
/// The longest cell, and the longest line of a decklist, in bytes of UTF-8.
pub const CELL_BYTES_MOST: usize = 64 * 1024;

/// What is told to everyone who sends something else.
const WANTED: &str = "Please upload a CSV file.";

/// Why a file was not read, or not to its end.
#[derive(Debug)]
pub enum TabularError {
    /// The uploader's to put right.
    Refused(Refusal),
    /// The disk's.
    Io(std::io::Error),
}

impl From<Refusal> for TabularError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<std::io::Error> for TabularError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

fn no_table() -> Refusal {
    Refusal::new(Code::FileNotCsv, WANTED)
}

fn empty() -> Refusal {
    Refusal::new(Code::FileEmpty, "The file is empty: it needs a header and at least one row.")
}

/// Whether a file may be taken by its name alone.
///
/// # Errors
/// ERR-1001 unless it ends with .csv, .tsv or .txt, in whatever case. Of a path only the last part counts, of several
/// extensions the last.
pub fn check_name(filename: &str) -> Result<(), Refusal> {
    let base = filename.rsplit(['/', '\\']).next().unwrap_or_default();
    let extension = base.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_taken = ["csv", "tsv", "txt"].iter().any(|taken| extension.eq_ignore_ascii_case(taken));
    if is_taken && !filename.chars().any(char::is_control) { Ok(()) } else { Err(no_table()) }
}

/// How the file's bytes are text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// With or without a byte order mark.
    Utf8,
    /// By its byte order mark, as is [`Self::Utf16Be`].
    Utf16Le,
    Utf16Be,
    /// What is none of the others and could be this.
    Windows1252,
}

impl Encoding {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1252 => "Windows-1252",
        }
    }
}

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    pub encoding: Encoding,
    /// `None` where it is no table, but lines only: a decklist.
    pub separator: Option<u8>,
    /// Rows without the header, or lines. Blank ones are none, malformed ones are.
    pub rows: u64,
}

/// Reads the whole file and tells what it is: once for its encoding, once more for its rows.
///
/// # Errors
/// The first of: ERR-1005 for what begins as a program, an archive, a picture, a PDF, a page or a script; ERR-1004 for
/// bytes that are no text; ERR-1001 for text with NUL characters, with a broken header, or, where `expect_table`, with
/// nothing that separates columns; ERR-1003 without header or rows; ERR-1006 for too many columns or too long a cell.
pub fn inspect(content: &Content, expect_table: bool) -> Result<Inspected, TabularError> {
    magic::check(content)?;
    let encoding = source::find_encoding(content)?;
    let mut source = Source::open(content, encoding)?;
    let (head, is_whole) = source.head()?;
    if head.trim_ascii().is_empty() {
        return Err(empty().into());
    }
    let separator = separator::find(head, is_whole, expect_table);
    drop(source);

    let mut inspected = Inspected { encoding, separator, rows: 0 };
    if separator.is_some() {
        let mut table = Table::open(content, &inspected)?;
        while table.advance()? {
            inspected.rows += 1;
        }
    } else if expect_table {
        return Err(no_table().into());
    } else {
        for line in lines(content, &inspected)? {
            line?;
            inspected.rows += 1;
        }
    }
    if inspected.rows == 0 { Err(empty().into()) } else { Ok(inspected) }
}

/// What is wrong with a row: ERR-1104.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    FewerCells,
    /// And not only empty ones, which spreadsheets like to append.
    MoreCells,
    /// A quote that never closes, or text behind one that did.
    BrokenQuoting,
}

impl Malformed {
    /// For people.
    pub fn message(self) -> &'static str {
        match self {
            Self::FewerCells => "This row has fewer cells than the header.",
            Self::MoreCells => "This row has more cells than the header.",
            Self::BrokenQuoting => {
                "The quotes in this row are broken: one does not close, or closes within a cell."
            }
        }
    }
}

/// A row as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRow {
    /// The line of the file where it begins. The first is 1, and holds the header or `sep=`.
    pub line: u64,
    pub cells: Vec<String>,
    /// The cells are given nevertheless: some exports leave off what is empty at the end.
    pub malformed: Option<Malformed>,
}

/// A table's rows, one after the other. After an error there are no more.
pub struct Table {
    source: Source,
    parser: Parser,
    header: Vec<String>,
    has_ended: bool,
}

impl Table {
    /// Reads up to the header.
    ///
    /// # Errors
    /// ERR-1001 where there is no table or its header is broken, ERR-1003 where there is no header, ERR-1006 where it
    /// is too wide.
    pub fn open(content: &Content, inspected: &Inspected) -> Result<Self, TabularError> {
        let separator = inspected.separator.ok_or_else(no_table)?;
        let mut source = Source::open(content, inspected.encoding)?;
        let mut parser = Parser::new(separator, COLUMNS_MOST, CELL_BYTES_MOST);
        let (head, _) = source.head()?;
        let announced = separator::announced(head);
        let behind = announced.as_ref().map_or(0, |announced| announced.bytes);
        let titles = separator::titles(head.get(behind..).unwrap_or_default(), separator);
        if let Some(announced) = announced {
            source.skip(announced.bytes);
            parser.skip_line();
        }
        let mut table = Self { source, parser, header: Vec::new(), has_ended: false };
        for _ in 0..titles {
            table.advance()?;
        }
        if !table.advance()? {
            return Err(empty().into());
        }
        let header = table.parser.record();
        if header.is_broken {
            let line = header.line;
            return Err(Refusal::new(
                Code::FileNotCsv,
                format!("{WANTED} The quotes of the header, line {line}, are broken."),
            )
            .into());
        }
        if header.cells().all(|cell| cell.trim_ascii().is_empty()) {
            return Err(empty().into());
        }
        table.header = header.texts();
        Ok(table)
    }

    /// The names of the columns, as they came.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// To the next row that is not blank. It is then the parser's.
    fn advance(&mut self) -> Result<bool, TabularError> {
        while self.parser.advance(&mut self.source)? {
            if !self.parser.record().is_blank() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn row(&self) -> TableRow {
        let record = self.parser.record();
        let cells = record.texts();
        let malformed = if record.is_broken {
            Some(Malformed::BrokenQuoting)
        } else if cells.len() < self.header.len() {
            Some(Malformed::FewerCells)
        } else if cells.iter().skip(self.header.len()).any(|cell| !cell.trim().is_empty()) {
            Some(Malformed::MoreCells)
        } else {
            None
        };
        TableRow { line: record.line, cells, malformed }
    }
}

impl Iterator for Table {
    type Item = Result<TableRow, TabularError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let next = self.advance();
        self.has_ended = !matches!(next, Ok(true));
        match next {
            Ok(true) => Some(Ok(self.row())),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// A text's lines that are not blank, with their numbers from 1. After an error there are no more.
pub struct Lines {
    source: Source,
    line: u64,
    has_ended: bool,
}

/// The lines of a decklist.
///
/// # Errors
/// Those of opening the file; ERR-1006 comes from the iterator, at a line over [`CELL_BYTES_MOST`].
pub fn lines(content: &Content, inspected: &Inspected) -> Result<Lines, TabularError> {
    Ok(Lines { source: Source::open(content, inspected.encoding)?, line: 0, has_ended: false })
}

impl Lines {
    fn advance(&mut self) -> Result<Option<(u64, String)>, TabularError> {
        loop {
            let Some(text) = self.source.line(CELL_BYTES_MOST, self.line + 1)? else { return Ok(None) };
            self.line += 1;
            if !text.trim().is_empty() {
                return Ok(Some((self.line, text)));
            }
        }
    }
}

impl Iterator for Lines {
    type Item = Result<(u64, String), TabularError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let next = self.advance().transpose();
        self.has_ended = !matches!(next, Some(Ok(_)));
        next
    }
}
