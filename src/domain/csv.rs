//! CSV as it leaves: so that a spreadsheet shows every cell and runs none.

use crate::error::{Error, Result};

/// Signs that make a spreadsheet take a cell for a formula, and their full-width forms; tab and carriage return begin a
/// cell of their own in some.
const STARTS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// A cell's text, with a `'` before what would be run: also behind spaces, quotes and byte order marks, which some skip.
pub fn neutral(cell: &str) -> std::borrow::Cow<'_, str> {
    let is_skipped = |c: char| c == ' ' || c == '\u{a0}' || c == '\u{feff}' || c == '\n' || c == '\u{3000}';
    let runs = cell.starts_with(STARTS) || cell.trim_start_matches(is_skipped).starts_with(STARTS);
    if runs { format!("'{cell}").into() } else { cell.into() }
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
            "+1",
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
        ] {
            assert_eq!(neutral(formula), format!("'{formula}"));
        }
        for text in ["", "Lightning Bolt", "1-2", "a=b", "'=1", "Jötun Grunt", "\"Ach! Hans, Run!\""] {
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
