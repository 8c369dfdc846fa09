//! Text from outside, made harmless: names of cards and of people can hold anything.

/// What is left of a text when all that cannot be seen is taken out: characters that XML refuses, and those that
/// would turn the direction of the text around them. Each run of white space becomes one space.
pub(super) fn clean(text: &str) -> String {
    let words = text.split_whitespace().map(|word| word.chars().filter(|c| is_seen(*c)).collect::<String>());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn is_seen(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_empty = matches!(c, '\u{200b}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    !(c.is_control() || turns || is_empty)
}

/// The text, or as many of its characters as fit with an ellipsis. The room is in tenths of the size of the font.
///
/// The widths are guesses on the safe side, as an SVG is shown in a font that is not known here.
pub(super) fn cut(text: &str, room: u32) -> String {
    let mut used = 0;
    let mut end = None;
    for (at, c) in text.char_indices() {
        // Where the ellipsis, which is a wide one, would still fit.
        if used + WIDE <= room {
            end = Some(at);
        }
        used += width(c);
        if used > room {
            let kept = text.get(..end.unwrap_or(0)).unwrap_or_default();
            // A joiner at the end has nothing more to join.
            return format!("{}…", kept.trim_end_matches([' ', '\u{200d}']));
        }
    }
    text.to_owned()
}

const WIDE: u32 = 10;
const NARROW: u32 = 6;

fn width(c: char) -> u32 {
    // From the Korean letters on, most scripts are as wide as they are high.
    if matches!(c, 'M' | 'W' | 'm' | 'w' | '@' | '%' | '…') || c >= '\u{1100}' { WIDE } else { NARROW }
}

/// The text as it may stand in an element or in an attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_out_what_cannot_be_seen() {
        assert_eq!(clean(" Black\0\u{7} \n\t Lotus\u{85}"), "Black Lotus");
        assert_eq!(clean("a\u{202e}b\u{2067}c\u{feff}\u{ffff}"), "abc");
        assert_eq!(clean("\u{202e} \u{1}"), "");
        assert_eq!(clean("Æther Vial, שלום 👩\u{200d}🔬"), "Æther Vial, שלום 👩\u{200d}🔬");
    }

    #[test]
    fn cuts_by_characters_only_what_does_not_fit() {
        assert_eq!(cut("", 30), "");
        assert_eq!(cut("abcde", 30), "abcde");
        assert_eq!(cut("abcdef", 30), "abc…");
        assert_eq!(cut("ab cdef", 30), "ab…");
        assert_eq!(cut("黒蓮花", 30), "黒蓮花");
        assert_eq!(cut("黒蓮花園", 30), "黒蓮…");
        assert_eq!(cut("👩\u{200d}🔬👩", 30), "👩…");
        assert_eq!(cut("abc", 10), "…");
    }

    #[test]
    fn escapes_what_xml_reads() {
        assert_eq!(escape(r#"<a b="c">&'é"#), "&lt;a b=&quot;c&quot;&gt;&amp;&#39;é");
    }
}
