//! CSV as it leaves: so that a spreadsheet shows every cell and runs none.

use std::borrow::Cow;

use crate::error::{Error, Result};

/// Signs that make a spreadsheet take a cell for a formula, and their full-width forms.
const SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// Of these a cell may not even begin with one.
const BLANKS: [char; 3] = ['\t', '\r', '\n'];
/// What begins another cell where a file is read with another separator than ours: then the quotes around this one are none.
const BREAKS: [char; 4] = [';', '\t', '\r', '\n'];

/// What some skip before a formula: spaces of every kind, quotes, and what nobody sees.
fn is_skipped(c: char) -> bool {
    let is_unseen =
        matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    c.is_whitespace() || c.is_control() || c == '"' || is_unseen
}

/// Whether a cell is a number and nothing else, with its sign: a spreadsheet has nothing to run in it.
fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
}

/// The places in a cell, in bytes, at which some would begin to run it: its start, and behind what begins another. Whether a `'`
/// stands there already makes no difference.
fn places(cell: &str) -> impl Iterator<Item = usize> {
    let mark = |c: char| c == '\'';
    let runs_whole = cell.trim_start_matches(mark).starts_with(BLANKS)
        || cell.trim_start_matches(|c: char| mark(c) || is_skipped(c)).starts_with(SIGNS);
    let is_blank = move |c: char| mark(c) || (is_skipped(c) && !BREAKS.contains(&c));
    let runs = move |at: &usize| {
        let rest = cell.get(*at..).unwrap_or_default();
        rest.trim_start_matches(is_blank).starts_with(SIGNS)
    };
    let behind = cell.match_indices(BREAKS).map(|(at, sign)| at + sign.len());
    runs_whole.then_some(0).into_iter().chain(behind.filter(runs))
}

/// A cell's text, with a `'` before what would be run: also behind what some skip, and behind what separates cells for others.
pub fn neutral(cell: &str) -> Cow<'_, str> {
    let mut places = places(cell).peekable();
    if places.peek().is_none() || is_number(cell) {
        return cell.into();
    }
    let mut text = String::with_capacity(cell.len() + 8);
    for (at, letter) in cell.char_indices() {
        if places.next_if_eq(&at).is_some() {
            text.push('\'');
        }
        text.push(letter);
    }
    text.into()
}

/// A cell's text as it was before [`neutral`]. Others neutralise alike, and a cell that was never neutralised hardly has a `'`
/// in such a place.
pub fn bare(cell: &str) -> Cow<'_, str> {
    let mut places = places(cell).peekable();
    if !cell.contains('\'') || places.peek().is_none() {
        return cell.into();
    }
    let mut text = String::with_capacity(cell.len());
    for (at, letter) in cell.char_indices() {
        let is_mark = places.next_if_eq(&at).is_some() && letter == '\'';
        if !is_mark {
            text.push(letter);
        }
    }
    text.into()
}

/// A cell of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Neutralised.
    Text(&'a str),
    /// A number, a date or nothing: ours, and left as it is.
    Plain(String),
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

/// Lines as bytes.
///
/// # Errors
/// None that a vector could cause.
pub fn lines<'a>(rows: impl IntoIterator<Item = Vec<Cell<'a>>>) -> Result<Vec<u8>> {
    let failed = |error: csv::Error| Error::internal(format!("a line of CSV: {error}"));
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).flexible(true).from_writer(Vec::new());
    for row in rows {
        for cell in row {
            let field = match &cell {
                Cell::Text(text) => neutral(text),
                Cell::Plain(text) => text.as_str().into(),
            };
            writer.write_field(field.as_bytes()).map_err(failed)?;
        }
        writer.write_record(None::<&[u8]>).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| Error::internal(format!("a line of CSV: {}", error.error())))
}

/// An amount of hundredths: `12.50`.
pub fn amount(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let hundredths = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for formula in [
            "=1+1",
            "-1+cmd|' /C calc'!A0",
            "@SUM(1)",
            " =1",
            "\u{feff}=1",
            "＝1",
            "＋1",
            "－1",
            "＠1",
            "\u{a0}@x",
            "=HYPERLINK(\"http://x\";\"y\")",
            "\nx",
            "\u{2003}=1",
            "\u{200b}=1",
            "\x0b=1",
            "\u{1f}=1",
            "\u{2060}\u{feff}@x",
            "\"=1",
            " \" =1",
            "+1+1",
            "--1",
            "-",
            "+",
            "-1e5",
            "-.5",
            "-1.",
            "－1.50",
            "+49 123",
            "-2+3",
            "=DDE(\"cmd\";\"/C calc\";\"!A0\")",
            "@SUM(1+9)*cmd|' /C calc'!A0",
        ] {
            assert_eq!(neutral(formula), format!("'{formula}"));
            assert_eq!(bare(&neutral(formula)), formula);
        }
        let numbers = ["-1.50", "+1", "-1,234.50", "12", "-0"];
        let texts = [
            "",
            "Lightning Bolt",
            "1-2",
            "a=b",
            "Jötun Grunt",
            "\"Ach! Hans, Run!\"",
            "Urza's Saga",
            "'tis",
            "red; 2-drop",
            "two\nlines",
            "a, =b",
            "ends;",
        ];
        for text in texts.into_iter().chain(numbers) {
            assert_eq!(neutral(text), text);
            assert_eq!(bare(text), text);
        }
    }

    #[test]
    fn what_another_separator_would_make_a_cell_of_is_text() {
        for (text, safe) in [
            ("x;=HYPERLINK(\"http://e\")", "x;'=HYPERLINK(\"http://e\")"),
            ("a\n=1+1", "a\n'=1+1"),
            ("a\r\n=1+1", "a\r\n'=1+1"),
            ("a\r=1+1", "a\r'=1+1"),
            ("a\t=1", "a\t'=1"),
            ("a\t\t@x", "a\t\t'@x"),
            ("a; \u{200b}+1", "a;' \u{200b}+1"),
            ("a;\"=1", "a;'\"=1"),
            ("a;－1;b;＠x", "a;'－1;b;'＠x"),
            ("1;-2", "1;'-2"),
            ("- one\n- two", "'- one\n'- two"),
            ("\t=1", "'\t'=1"),
            ("\r=1", "'\r'=1"),
            ("\n=1", "'\n'=1"),
            (" \n=1", "' \n'=1"),
            // As OWASP has them.
            ("=1+2\";=1+2", "'=1+2\";'=1+2"),
            ("=1+2'\" ;,=1+2", "'=1+2'\" ;,=1+2"),
            // What looks as if it had been here before.
            ("'=1", "''=1"),
            ("a;'=1", "a;''=1"),
            ("''-1", "'''-1"),
        ] {
            assert_eq!(neutral(text), safe);
            assert_eq!(bare(safe), text);
        }
        // As others have it.
        assert_eq!(bare("'-1.50"), "-1.50");
    }

    #[test]
    fn cells_are_quoted_where_they_must_be_and_numbers_stay_numbers() {
        let rows = [vec![Cell::Text("a,\"b\""), Cell::Plain("-1.50".to_owned()), Cell::Text("=x")]];
        assert_eq!(lines(rows).expect("a line"), b"\"a,\"\"b\"\"\",-1.50,'=x\r\n");
        assert_eq!([amount(5), amount(-1_250)], ["0.05", "-12.50"]);
    }
}
