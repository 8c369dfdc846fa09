//! CSV as it leaves: so that a spreadsheet shows every cell and runs none.

use crate::error::{Error, Result};

/// Signs that make a spreadsheet take a cell for a formula, and their full-width forms; tab and the ends of lines begin a cell of
/// their own in some.
const STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

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

/// A cell's text, with a `'` before what would be run: also behind what some skip.
pub fn neutral(cell: &str) -> std::borrow::Cow<'_, str> {
    let runs = cell.starts_with(STARTS) || cell.trim_start_matches(is_skipped).starts_with(STARTS);
    if runs && !is_number(cell) { format!("'{cell}").into() } else { cell.into() }
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
            "\t=1",
            "\r=1",
            " =1",
            "\u{feff}=1",
            "＝1",
            "＋1",
            "－1",
            "＠1",
            "\u{a0}@x",
            "=HYPERLINK(\"http://x\";\"y\")",
            "\n=1",
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
        }
        let numbers = ["-1.50", "+1", "-1,234.50", "12", "-0"];
        let texts = ["", "Lightning Bolt", "1-2", "a=b", "'=1", "Jötun Grunt", "\"Ach! Hans, Run!\""];
        for text in texts.into_iter().chain(numbers) {
            assert_eq!(neutral(text), text);
        }
    }

    #[test]
    fn cells_are_quoted_where_they_must_be_and_numbers_stay_numbers() {
        let rows = [vec![Cell::Text("a,\"b\""), Cell::Plain("-1.50".to_owned()), Cell::Text("=x")]];
        assert_eq!(lines(rows).expect("a line"), b"\"a,\"\"b\"\"\",-1.50,'=x\r\n");
        assert_eq!([amount(5), amount(-1_250)], ["0.05", "-12.50"]);
    }
}
