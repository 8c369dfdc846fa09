//! Names and numbers folded for comparison, alike on every store.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A name without regard to case, accents, ligatures and punctuation, with single spaces: `Æther Vial` and
/// `aether vial` are the same, `Urza's Tower` is `urzas tower`, `Fire // Ice` is `fire ice`. Compared and sorted byte by
/// byte. A name of nothing else keeps its signs.
pub fn name_key(name: &str) -> String {
    let folded = text_key(name);
    let mut key = String::with_capacity(folded.len());
    for character in folded.chars() {
        match character {
            letter if letter.is_alphanumeric() => key.push(letter),
            '&' | '/' => push_space(&mut key),
            space if space.is_whitespace() => push_space(&mut key),
            _ => {}
        }
    }
    if key.ends_with(' ') {
        key.pop();
    }
    if key.is_empty() { folded.trim().to_owned() } else { key }
}

fn push_space(key: &mut String) {
    if !key.is_empty() && !key.ends_with(' ') {
        key.push(' ');
    }
}

/// A text in lower case, without accents, its quotes and dashes straight, its ligatures and fractions in parts: as
/// rules, flavour texts and artists are searched.
pub fn text_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            key.push(character.to_ascii_lowercase());
        } else {
            fold_character(&mut key, character);
        }
    }
    key
}

/// Appends what `text_key` makes of a character. Of an accent of its own nothing is left.
pub fn fold_character(onto: &mut String, character: char) {
    let straight = match character {
        '‘' | '’' | '‛' | 'ʼ' | '´' => '\'',
        '“' | '”' | '„' | '‟' => '"',
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => '-',
        other => other,
    };
    for part in std::iter::once(straight).nfkd().filter(|part| !is_combining_mark(*part)) {
        match part {
            'æ' | 'Æ' => onto.push_str("ae"),
            'œ' | 'Œ' => onto.push_str("oe"),
            'ß' | 'ẞ' => onto.push_str("ss"),
            'ø' | 'Ø' => onto.push('o'),
            'đ' | 'Đ' => onto.push('d'),
            'ł' | 'Ł' => onto.push('l'),
            other => onto.extend(other.to_lowercase()),
        }
    }
}

/// A collector number that sorts as people count: runs of digits padded to eight, so that `9` is before `10` and
/// `10a` after it.
pub fn collector_key(number: &str) -> String {
    let mut key = String::with_capacity(number.len() + 8);
    let mut digits = String::new();
    let flush = |digits: &mut String, key: &mut String| {
        if !digits.is_empty() {
            key.push_str(&"0".repeat(8_usize.saturating_sub(digits.len())));
            key.push_str(digits);
            digits.clear();
        }
    };
    for character in number.chars() {
        if character.is_ascii_digit() {
            digits.push(character);
        } else {
            flush(&mut digits, &mut key);
            key.extend(character.to_lowercase());
        }
    }
    flush(&mut digits, &mut key);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_regard_to_case_accents_ligatures_and_apostrophes() {
        for (name, key) in [
            ("Æther Vial", "aether vial"),
            ("Lim-Dûl's Vault", "limduls vault"),
            ("Urza’s  Tower ", "urzas tower"),
            ("Fire // Ice", "fire ice"),
            ("R&D, Inc.", "r d inc"),
            ("_____", "_____"),
            ("Jötun Grunt", "jotun grunt"),
            ("\u{212b}ngström", "angstrom"),
        ] {
            assert_eq!(name_key(name), key);
        }
    }

    #[test]
    fn collector_numbers_sort_as_people_count() {
        let mut numbers = ["10", "9", "10a", "★12", "A-2", "100", "10b", "2"];
        numbers.sort_by_key(|number| collector_key(number));
        assert_eq!(numbers, ["2", "9", "10", "10a", "10b", "100", "A-2", "★12"]);
    }
}
