//! Counts a document's tokens and how deep its brackets nest, without parsing it: the parser is not shown what is too
//! long, and its recursion has a bound.

/// Brackets of all kinds in one another: more than any selection and value within the other limits needs.
pub(super) const MOST_NESTING: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Scanned {
    pub tokens: usize,
    pub nesting: usize,
}

/// Counts, and stops counting once there are more tokens than `most`.
pub(super) fn scan(text: &str, most: usize) -> Scanned {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut open = 0_usize;
    let mut scanned = Scanned::default();
    while at < bytes.len() && scanned.tokens <= most {
        let rest = &bytes[at..];
        let length = match rest[0] {
            // Nothing that counts: white space, commas, the mark at the beginning of a file, comments.
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                at += 1;
                continue;
            }
            0xef if rest.starts_with(b"\xef\xbb\xbf") => {
                at += 3;
                continue;
            }
            b'#' => {
                at += rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
                continue;
            }
            b'"' if rest.starts_with(b"\"\"\"") => block_string(rest),
            b'"' => string(rest),
            b'.' if rest.starts_with(b"...") => 3,
            b'-' | b'0'..=b'9' => {
                1 + rest[1..].iter().position(|byte| !is_number(*byte)).unwrap_or(rest.len() - 1)
            }
            byte if is_name(byte) => rest.iter().position(|byte| !is_name(*byte)).unwrap_or(rest.len()),
            bracket @ (b'{' | b'[' | b'(' | b'}' | b']' | b')') => {
                if matches!(bracket, b'{' | b'[' | b'(') {
                    open += 1;
                    scanned.nesting = scanned.nesting.max(open);
                } else {
                    open = open.saturating_sub(1);
                }
                1
            }
            _ => 1,
        };
        scanned.tokens += 1;
        at += length;
    }
    scanned
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// What may follow a number's first character.
fn is_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' | b'\n' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn block_string(rest: &[u8]) -> usize {
    let mut at = 3;
    while at < rest.len() {
        if rest[at..].starts_with(b"\\\"\"\"") {
            at += 4;
        } else if rest[at..].starts_with(b"\"\"\"") {
            return at + 3;
        } else {
            at += 1;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_counted_as_the_specification_has_them() {
        for (text, tokens, nesting) in [
            ("", 0, 0),
            ("\u{feff} , # {{{ no token\n", 0, 0),
            ("{ a }", 3, 1),
            ("query Q($a: [Int!] = [1, -2]) { b(c: \"x } \\\" {\") @d ...E }", 28, 2),
            ("{ a(b: -1.5e-3) }", 8, 2),
            ("{ a(b: \"\"\"two \\\"\"\" \" words\"\"\") }", 8, 2),
            ("\"never ends", 1, 0),
            ("}}}{", 4, 1),
            ("{ é }", 4, 1),
        ] {
            assert_eq!(scan(text, 1_000), Scanned { tokens, nesting }, "{text}");
        }
    }

    #[test]
    fn counting_ends_soon_after_the_limit() {
        assert_eq!(scan(&"a ".repeat(1_000_000), 10).tokens, 11);
    }
}
