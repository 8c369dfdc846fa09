//! A document's tokens, without parsing it. How many there are and how deep their brackets nest: the parser is not shown what
//! is too long, and its recursion has a bound. And where its descriptions are, which the parser does not know.
//!
//! A string must end here where it ends for the parser, or brackets would be counted that are none, and others not. The parser
//! takes a block string that does not end for an empty string and more; so a text in which a string does not end is none for it.

use std::borrow::Cow;
use std::ops::Range;

use async_graphql::Pos;

/// Brackets of all kinds in one another: more than any selection and value within the other limits needs.
pub(super) const MOST_NESTING: usize = 100;

/// The tokens of a text, each by its place.
pub struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where a string begins that does not end; it is the last token.
    unended: Option<usize>,
}

impl<'a> Tokens<'a> {
    pub fn of(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), at: 0, unended: None }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        while let Some(first) = self.bytes.get(self.at) {
            let rest = &self.bytes[self.at..];
            let until = |ends: fn(u8) -> bool| rest.iter().position(|byte| ends(*byte)).unwrap_or(rest.len());
            let length = match *first {
                // Nothing that counts: white space, commas, the mark at the beginning of a file, comments.
                b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                    self.at += 1;
                    continue;
                }
                0xef if rest.starts_with(b"\xef\xbb\xbf") => {
                    self.at += 3;
                    continue;
                }
                b'#' => {
                    self.at += until(|byte| matches!(byte, b'\n' | b'\r'));
                    continue;
                }
                b'"' => {
                    let whole = if rest.starts_with(b"\"\"\"") { block_string(rest) } else { string(rest) };
                    if whole.is_none() {
                        self.unended = Some(self.at);
                    }
                    whole.unwrap_or(rest.len())
                }
                b'.' if rest.starts_with(b"...") => 3,
                b'-' => 1 + rest[1..].iter().position(|byte| !is_number(*byte)).unwrap_or(rest.len() - 1),
                b'0'..=b'9' => until(|byte| !is_number(byte)),
                byte if is_name(byte) => until(|byte| !is_name(byte)),
                _ => 1,
            };
            let start = self.at;
            self.at += length;
            return Some(start..self.at);
        }
        None
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// What may follow a number's first character.
fn is_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')
}

/// The length of a string that ends, and in its line.
fn string(rest: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match rest.get(at)? {
            b'"' => return Some(at + 1),
            b'\n' | b'\r' => return None,
            b'\\' if !matches!(rest.get(at + 1)?, b'\n' | b'\r') => at += 2,
            _ => at += 1,
        }
    }
}

/// The length of a block string that ends.
fn block_string(rest: &[u8]) -> Option<usize> {
    let mut at = 3;
    while at < rest.len() {
        if rest[at..].starts_with(b"\\\"\"\"") {
            at += 4;
        } else if rest[at..].starts_with(b"\"\"\"") {
            return Some(at + 3);
        } else {
            at += 1;
        }
    }
    None
}

/// What there is to know of a text before it is parsed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Scanned {
    pub tokens: usize,
    pub nesting: usize,
    /// Where a string begins that does not end.
    pub unended: Option<usize>,
    /// Those of operations, fragments and variables.
    pub descriptions: Vec<Range<usize>>,
}

/// Counts, and stops counting once there are more tokens than `most`.
pub(super) fn scan(text: &str, most: usize) -> Scanned {
    let bytes = text.as_bytes();
    let mut tokens = Tokens::of(text);
    let mut scanned = Scanned::default();
    let mut open = 0_usize;
    // The bracket around all others, and the two tokens before.
    let (mut outer, mut before, mut last) = (0..0, 0..0, 0..0);
    while scanned.tokens <= most
        && let Some(place) = tokens.next()
    {
        scanned.tokens += 1;
        let token = &bytes[place.clone()];
        let before_last = &bytes[before];
        if bytes[last.clone()].starts_with(b"\"")
            && match open {
                0 => {
                    matches!(before_last, b"" | b"}")
                        && matches!(token, b"query" | b"mutation" | b"subscription" | b"fragment")
                }
                // Not the default of the variable before.
                1 => bytes[outer.clone()] == *b"(" && before_last != b"=" && token == b"$",
                _ => false,
            }
        {
            scanned.descriptions.push(last.clone());
        }
        match token {
            b"{" | b"[" | b"(" => {
                if open == 0 {
                    outer = place.clone();
                }
                open += 1;
                scanned.nesting = scanned.nesting.max(open);
            }
            b"}" | b"]" | b")" => open = open.saturating_sub(1),
            _ => {}
        }
        (before, last) = (last, place);
    }
    scanned.unended = tokens.unended;
    scanned
}

/// The text with its descriptions blank. What is left keeps its line and column.
pub(super) fn without_descriptions<'a>(text: &'a str, descriptions: &[Range<usize>]) -> Cow<'a, str> {
    if descriptions.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut blank = String::with_capacity(text.len());
    let mut at = 0;
    for place in descriptions {
        blank.push_str(&text[at..place.start]);
        let kept = |character| if matches!(character, '\n' | '\r') { character } else { ' ' };
        blank.extend(text[place.clone()].chars().map(kept));
        at = place.end;
    }
    blank.push_str(&text[at..]);
    Cow::Owned(blank)
}

/// A text as the parser can read it; nothing where a string does not end.
pub fn parsable(text: &str) -> Option<Cow<'_, str>> {
    let scanned = scan(text, usize::MAX);
    scanned.unended.is_none().then(|| without_descriptions(text, &scanned.descriptions))
}

/// Where in its text a byte is, as the parser counts.
pub(super) fn position(text: &str, at: usize) -> Pos {
    let before = &text[..at];
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let in_line = before.rsplit(['\n', '\r']).next().unwrap_or_default();
    Pos { line, column: in_line.chars().count() + 1 }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn tokens_are_counted_as_the_specification_has_them() {
        for (text, tokens, nesting) in [
            ("", 0, 0),
            ("\u{feff} , # {{{ no token\n", 0, 0),
            ("# a \" and \"\"\" in a comment\r{ a }", 3, 1),
            ("{ a }", 3, 1),
            ("query Q($a: [Int!] = [1, -2]) { b(c: \"x } \\\" {\") @d ...E }", 28, 2),
            ("{ a(b: -1.5e-3) }", 8, 2),
            ("{ a(b: \"\"\"two \\\"\"\" \" words\"\"\") }", 8, 2),
            ("{ a(b: [\"\"\"\"\"\" \"\" \"\\\\\" \"\\u007b\" \"# {\"]) }", 14, 3),
            ("\u{feff}{ a(b: \"\u{feff}{\") }", 8, 2),
            ("}}}{", 4, 1),
            ("{ é }", 4, 1),
        ] {
            assert_eq!(scan(text, 1_000), Scanned { tokens, nesting, ..Scanned::default() }, "{text}");
        }
    }

    #[test]
    fn a_string_that_does_not_end_is_told() {
        let deep = "{a:".repeat(21_000);
        for (text, at) in [
            ("\"never ends".to_owned(), 0),
            ("{ a(b: \"x\n\") }".to_owned(), 7),
            ("{ a(b: \"x\r\") }".to_owned(), 7),
            ("{ a(b: \"x\\\n\") }".to_owned(), 7),
            ("{ a(b: \"x\\".to_owned(), 7),
            ("{ a(b: \"\"\"x\"\"".to_owned(), 7),
            ("{ a(b: \"\"\"x\\\"\"\"".to_owned(), 7),
            // The parser would take this for two strings, and then for objects in one another.
            (format!("{{a(b:[\"\"\"\"{deep}"), 6),
            (format!("{{a(b:[\"\"\"\"\"\"\"\"\"{deep}"), 12),
        ] {
            assert_eq!(scan(&text, 1_000).unended, Some(at), "{}", &text[..text.len().min(40)]);
            assert_eq!(parsable(&text), None);
        }
        assert_eq!(position("{ é\r\n  \"x", 8), Pos { line: 2, column: 3 });
    }

    #[test]
    fn counting_ends_soon_after_the_limit() {
        assert_eq!(scan(&"a ".repeat(1_000_000), 10).tokens, 11);
    }

    #[test]
    fn descriptions_become_blank_and_nothing_else_does() {
        for (text, blank) in [
            ("\"Ä {\" query A { a }", "      query A { a }"),
            (
                "\"\"\"\n{ two\n\"\"\"\nquery A { a } \"x\" fragment F on Q { a }",
                "   \n     \n   \nquery A { a }     fragment F on Q { a }",
            ),
            (
                "query A(\"x\" $a: Int = 1, \"\"\"y\"\"\" $b: Int) { a }",
                "query A(    $a: Int = 1,         $b: Int) { a }",
            ),
        ] {
            assert_eq!(parsable(text).as_deref(), Some(blank), "{text}");
            assert!(parse_query(text).is_err() && parse_query(blank).is_ok(), "{text}");
        }
        for kept in [
            // A default, an argument, and what is no description by the specification.
            "query A($a: String = \"x\" $b: Int) { a }",
            "query A($a: [String] = [\"x\"] $b: Int) { a(b: \"x\") }",
            "{ a(b: \"x\" c: $d) }",
            "\"x\" { a }",
            "\"x\" \"y\" query A { a }",
            "query \"x\" query A { a }",
            "query A($a: Int \"x\") { a }",
            "query A { a } \"x\"",
        ] {
            assert_eq!(parsable(kept).as_deref(), Some(kept));
        }
    }
}
