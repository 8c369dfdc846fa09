//! Bytes of UTF-8 into rows of cells, bounded whatever they are.

use crate::error::{Code, Refusal};

use super::TabularError;
use super::source::Feed;

/// What is kept of a row that goes over several lines, to read it again should its quoting turn out broken.
const TAPE_BYTES_MOST: usize = 256 * 1024;
/// What is read again of a file altogether: else a file of nothing but broken quotes takes the square of its length.
const AGAIN_BYTES_MOST: usize = 8 * 1024 * 1024;

fn too_wide(line: u64, columns_most: usize) -> Refusal {
    Refusal::new(
        Code::FileTooWide,
        format!("The row that begins in line {line} has over {columns_most} columns."),
    )
}

fn too_long(line: u64) -> Refusal {
    let message =
        format!("A cell that begins in line {line} is over 64 KiB. Perhaps a quote is not closed there.");
    Refusal::new(Code::FileTooWide, message)
}

/// A row, its cells one behind the other.
#[derive(Default)]
pub(super) struct Record {
    /// Where it begins; the first line is 1.
    pub(super) line: u64,
    pub(super) is_broken: bool,
    has_quotes: bool,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Record {
    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        self.ends.iter().scan(0, |start, &end| {
            let cell = self.text.get(*start..end);
            *start = end;
            cell
        })
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.cells().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A line of spaces.
    pub(super) fn is_blank(&self) -> bool {
        self.len() <= 1 && !self.has_quotes && self.text.trim_ascii().is_empty()
    }

    fn clear(&mut self) {
        self.is_broken = false;
        self.has_quotes = false;
        self.text.clear();
        self.ends.clear();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    RowStart,
    CellStart,
    Plain,
    Quoted,
    /// Behind a quote within a quoted cell: its end, or the first of two that stand for one.
    Quote,
    /// Spaces behind a quoted cell, which are harmless.
    QuoteAndSpaces,
}

/// Where the first line of a row ended within quotes.
struct Mark {
    at: usize,
    text: usize,
    ends: usize,
    line: u64,
    is_after_return: bool,
}

pub(super) struct Parser {
    separator: u8,
    columns_most: usize,
    cell_bytes_most: usize,
    record: Record,
    state: State,
    /// The line of the byte that is next.
    line: u64,
    cell_line: u64,
    cell_start: usize,
    is_after_return: bool,
    mark: Option<Mark>,
    may_mark: bool,
    /// What came behind the mark, and what of it is read again.
    tape: Vec<u8>,
    tape_at: usize,
    again: usize,
}

impl Parser {
    pub(super) fn new(separator: u8, columns_most: usize, cell_bytes_most: usize) -> Self {
        Self {
            separator,
            columns_most,
            cell_bytes_most,
            record: Record::default(),
            state: State::RowStart,
            line: 1,
            cell_line: 1,
            cell_start: 0,
            is_after_return: false,
            mark: None,
            may_mark: true,
            tape: Vec::new(),
            tape_at: 0,
            again: 0,
        }
    }

    /// A line was taken that this never saw.
    pub(super) fn skip_line(&mut self) {
        self.line += 1;
    }

    /// The row that [`Self::advance`] found.
    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    /// To the next row; empty lines are none.
    pub(super) fn advance(&mut self, feed: &mut impl Feed) -> Result<bool, TabularError> {
        self.record.clear();
        self.cell_start = 0;
        self.mark = None;
        self.may_mark = true;
        self.state = State::RowStart;
        loop {
            let Some(byte) = self.next_byte(feed)? else {
                match self.state {
                    State::RowStart => return Ok(false),
                    State::Quoted => {
                        self.record.is_broken = true;
                        if !self.rewind() {
                            self.end_cell()?;
                        }
                    }
                    _ => self.end_cell()?,
                }
                return Ok(true);
            };
            let line = self.line;
            let is_line_end = matches!(byte, b'\n' | b'\r');
            let is_second_half = byte == b'\n' && self.is_after_return;
            self.is_after_return = byte == b'\r';
            if is_line_end && !is_second_half {
                self.line += 1;
            }
            if self.state == State::RowStart {
                if is_line_end {
                    continue;
                }
                self.record.line = line;
                self.cell_line = line;
                self.state = State::CellStart;
            }
            match self.state {
                State::CellStart if byte == b'"' => {
                    self.record.has_quotes = true;
                    self.state = State::Quoted;
                }
                State::Quoted if byte == b'"' => self.state = State::Quote,
                State::Quoted if is_line_end && self.record.is_broken => {
                    // One broken quote is enough to end the row with the line: the next may be whole.
                    self.end_cell()?;
                    return Ok(true);
                }
                State::Quoted => {
                    if is_line_end && self.may_mark {
                        self.set_mark();
                    }
                    self.push(byte)?;
                }
                State::Quote if byte == b'"' => {
                    self.push(byte)?;
                    self.state = State::Quoted;
                }
                _ if byte == self.separator => {
                    self.end_cell()?;
                    self.cell_line = line;
                    self.state = State::CellStart;
                }
                _ if is_line_end => {
                    self.end_cell()?;
                    return Ok(true);
                }
                State::Quote | State::QuoteAndSpaces if byte == b' ' => {
                    self.push(byte)?;
                    self.state = State::QuoteAndSpaces;
                }
                State::Quote | State::QuoteAndSpaces => {
                    self.record.is_broken = true;
                    if self.rewind() {
                        return Ok(true);
                    }
                    self.push(byte)?;
                    self.state = State::Plain;
                }
                State::CellStart | State::Plain | State::RowStart => {
                    self.push(byte)?;
                    self.state = State::Plain;
                }
            }
        }
    }

    fn push(&mut self, byte: u8) -> Result<(), Refusal> {
        self.record.text.push(byte);
        if self.record.text.len() - self.cell_start > self.cell_bytes_most {
            return Err(too_long(self.cell_line));
        }
        Ok(())
    }

    fn end_cell(&mut self) -> Result<(), Refusal> {
        self.cell_start = self.record.text.len();
        self.record.ends.push(self.cell_start);
        if self.record.len() > self.columns_most {
            return Err(too_wide(self.record.line, self.columns_most));
        }
        Ok(())
    }

    fn next_byte(&mut self, feed: &mut impl Feed) -> Result<Option<u8>, TabularError> {
        if let Some(&byte) = self.tape.get(self.tape_at) {
            self.tape_at += 1;
            return Ok(Some(byte));
        }
        if self.mark.is_some() && self.tape.len() >= TAPE_BYTES_MOST {
            self.mark = None;
        }
        if self.mark.is_none() {
            self.tape.clear();
            self.tape_at = 0;
        }
        let Some(&byte) = feed.chunk()?.first() else { return Ok(None) };
        feed.take(1);
        if self.mark.is_some() {
            self.tape.push(byte);
            self.tape_at = self.tape.len();
        }
        Ok(Some(byte))
    }

    fn set_mark(&mut self) {
        if self.tape_at >= self.tape.len() {
            self.tape.clear();
            self.tape_at = 0;
        }
        self.may_mark = false;
        self.mark = Some(Mark {
            at: self.tape_at,
            text: self.record.text.len(),
            ends: self.record.len(),
            line: self.line,
            is_after_return: self.is_after_return,
        });
    }

    /// Ends a broken row with its first line, and goes back there: what follows may be rows of their own.
    fn rewind(&mut self) -> bool {
        let Some(mark) = self.mark.take() else { return false };
        let again = self.tape.len().saturating_sub(mark.at);
        if self.again + again > AGAIN_BYTES_MOST {
            return false;
        }
        self.again += again;
        self.tape_at = mark.at;
        self.line = mark.line;
        self.is_after_return = mark.is_after_return;
        self.record.text.truncate(mark.text);
        self.record.ends.truncate(mark.ends);
        self.record.ends.push(mark.text);
        true
    }
}
