//! What stands between a table's cells, found by looking.

use super::records::Parser;

const CANDIDATES: [u8; 3] = [b',', b';', b'\t'];
const ROWS_LOOKED_AT: usize = 50;
/// Rows that may stand above the headings.
const TITLES_MOST: usize = 5;
/// Headings that there must be for what stands above them to be a title.
const HEADINGS_LEAST: usize = 3;

/// A first line that names the separator, as spreadsheets write and read it.
pub(super) struct Announced {
    pub(super) separator: u8,
    /// The line's length, its end included.
    pub(super) bytes: usize,
}

/// `sep=;`, also in quotes, and with the empty cells that a spreadsheet puts behind it.
pub(super) fn announced(head: &[u8]) -> Option<Announced> {
    let end = head.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(head.len());
    let (line, rest) = head.split_at_checked(end)?;
    let unquoted = line.strip_prefix(b"\"");
    let (name, value) = unquoted.unwrap_or(line).split_at_checked(4)?;
    let (&separator, behind) = value.split_first()?;
    let behind = if unquoted.is_some() { behind.strip_prefix(b"\"")? } else { behind };
    let is_one = name.eq_ignore_ascii_case(b"sep=")
        && (CANDIDATES.contains(&separator) || separator == b'|')
        && behind.iter().all(|byte| *byte == separator || *byte == b' ');
    let line_end = match rest {
        [b'\r', b'\n', ..] => 2,
        [_, ..] => 1,
        [] => 0,
    };
    is_one.then_some(Announced { separator, bytes: end + line_end })
}

/// The separator that splits the header and the rows most evenly. `None` where it looks like lines of text.
pub(super) fn find(head: &[u8], is_whole: bool, expect_table: bool) -> Option<u8> {
    if let Some(announced) = announced(head) {
        return Some(announced.separator);
    }
    if !expect_table && begins_as_decklist(head) {
        return None;
    }
    // Of two that are equal the first.
    let found = CANDIDATES.iter().rev().filter_map(|&separator| {
        let split = Split::by(head, is_whole, separator);
        let is_table = split.header >= 2 && (expect_table || split.is_mostly_table());
        is_table.then(|| (split.score(), separator))
    });
    found.max_by_key(|(score, _)| *score).map(|(_, separator)| separator)
}

/// How many rows stand above the headings: a title, alone in its row, as spreadsheets write the name of a table.
pub(super) fn titles(head: &[u8], separator: u8) -> usize {
    let mut parser = Parser::new(separator, usize::MAX, usize::MAX);
    let mut feed = head;
    let mut above = 0;
    while above <= TITLES_MOST && matches!(parser.advance(&mut feed), Ok(true)) {
        let record = parser.record();
        if record.is_blank() {
            continue;
        }
        let mut filled = record.cells().filter(|cell| !cell.trim_ascii().is_empty());
        let (first, others) = (filled.next(), filled.count());
        // Text with another separator in it may be headings that another reading splits.
        let could_split =
            |cell: &[u8]| cell.iter().any(|byte| *byte == separator || CANDIDATES.contains(byte));
        match first {
            _ if record.is_broken => return 0,
            Some(_) if others + 1 >= HEADINGS_LEAST => return above,
            Some(cell) if others == 0 && !could_split(cell) => above += 1,
            // A row without a word under a title; headings without one are none.
            None if above > 0 => above += 1,
            _ => return 0,
        }
    }
    0
}

/// `4 Lightning Bolt`: a card's name may have commas, a header does not begin so.
fn begins_as_decklist(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    let digits = head.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let behind = match head.get(digits..).unwrap_or_default() {
        [b'x' | b'X', rest @ ..] => rest,
        rest => rest,
    };
    digits > 0 && matches!(behind, [b' ', next, ..] if next.is_ascii_alphabetic() || !next.is_ascii())
}

/// How many cells a separator makes.
struct Split {
    header: usize,
    rows: Vec<usize>,
}

impl Split {
    fn by(head: &[u8], is_whole: bool, separator: u8) -> Self {
        // The head is short already: a table that is too wide is to be known as one, and refused for that.
        let mut parser = Parser::new(separator, usize::MAX, usize::MAX);
        let mut feed = head;
        let mut counts = Vec::new();
        // Memory as a source never fails.
        while counts.len() <= ROWS_LOOKED_AT && matches!(parser.advance(&mut feed), Ok(true)) {
            if !parser.record().is_blank() {
                counts.push(parser.record().len());
            }
        }
        if !is_whole && feed.is_empty() && counts.len() > 1 {
            // Cut off in its middle.
            counts.pop();
        }
        let mut counts = counts.into_iter().skip(titles(head, separator));
        Self { header: counts.next().unwrap_or_default(), rows: counts.collect() }
    }

    fn is_mostly_table(&self) -> bool {
        let split = self.rows.iter().filter(|cells| **cells >= 2).count();
        2 * split >= self.rows.len()
    }

    /// Rows that are alike, rows like the header, columns: more is better, in this order. All of one text have nearly
    /// as many rows, so these are counted in thousandths of them.
    fn score(&self) -> (usize, usize, usize) {
        let thousandths = |count: usize| 1000 * count / self.rows.len().max(1);
        let like = |cells: usize| self.rows.iter().filter(|other| **other == cells).count();
        let alike = self.rows.iter().filter(|cells| **cells >= 2).map(|cells| like(*cells)).max();
        (thousandths(alike.unwrap_or_default()), thousandths(like(self.header)), self.header)
    }
}
