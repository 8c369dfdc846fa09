//! Names and numbers folded for comparison, alike on every store.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::error::{Code, Refusal};

/// Words of a search at most.
const MAX_WORDS: usize = 20;
/// Characters of a search at most.
const MAX_SEARCH: usize = 500;

/// A name without regard to case, accents, ligatures and apostrophes, with single spaces: `Æther Vial` and
/// `aether vial` are the same, `Urza's Tower` is `urzas tower`. Compared and sorted byte by byte.
pub fn name_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for character in name.nfkd().filter(|character| !is_combining_mark(*character)) {
        match character {
            'æ' | 'Æ' => key.push_str("ae"),
            'œ' | 'Œ' => key.push_str("oe"),
            'ß' | 'ẞ' => key.push_str("ss"),
            'ø' | 'Ø' => key.push('o'),
            'đ' | 'Đ' => key.push('d'),
            'ł' | 'Ł' => key.push('l'),
            '\'' | '’' | '‘' | 'ʼ' | '`' | '´' | '"' | '“' | '”' => {}
            '‐' | '‑' | '–' | '—' => key.push('-'),
            space if space.is_whitespace() => {
                if !key.is_empty() && !key.ends_with(' ') {
                    key.push(' ');
                }
            }
            other => key.extend(other.to_lowercase()),
        }
    }
    if key.ends_with(' ') {
        key.pop();
    }
    key
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

/// A search as its words, folded, and whether extras are in it.
///
/// # Errors
/// ERR-3006 for a blank search, one that is too long, and one in a syntax that plain words do not have.
pub fn search_words(search: &str) -> Result<(Vec<String>, bool), Refusal> {
    let invalid = |message: String| Refusal::new(Code::InvalidSearch, message);
    if search.chars().count() > MAX_SEARCH {
        return Err(invalid(format!("A search has at most {MAX_SEARCH} characters.")));
    }
    let mut words = Vec::new();
    let mut extras = false;
    let mut place = 0;
    for part in search.split(' ') {
        let at = place + 1;
        place += part.chars().count() + 1;
        if part.eq_ignore_ascii_case("include:extras") {
            extras = true;
            continue;
        }
        let operator = part.find([':', '=', '<', '>', '(', ')', '!']).is_some()
            || (part.len() > 1 && part.starts_with('-'));
        if operator {
            return Err(invalid(format!(
                "At character {at}: expected a word of a card's name, or include:extras."
            )));
        }
        words.extend(name_key(part).split(' ').filter(|word| !word.is_empty()).map(str::to_owned));
    }
    if words.is_empty() && !extras {
        return Err(invalid(
            "At character 1: expected a word of a card's name. Leave the search out to list all.".to_owned(),
        ));
    }
    if words.len() > MAX_WORDS {
        return Err(invalid(format!("A search has at most {MAX_WORDS} words.")));
    }
    Ok((words, extras))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_regard_to_case_accents_ligatures_and_apostrophes() {
        for (name, key) in [
            ("Æther Vial", "aether vial"),
            ("Lim-Dûl's Vault", "lim-duls vault"),
            ("Urza’s  Tower ", "urzas tower"),
            ("Fire // Ice", "fire // ice"),
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

    #[test]
    fn a_search_is_words_and_says_where_it_is_more() {
        assert_eq!(search_words("Lightning  BÓLT"), Ok((vec!["lightning".into(), "bolt".into()], false)));
        assert_eq!(search_words("angel include:extras"), Ok((vec!["angel".into()], true)));
        for (search, place) in [
            ("", "character 1:"),
            ("   ", "character 1:"),
            ("bolt t:instant", "character 6:"),
            ("-bolt", "character 1:"),
        ] {
            let refusal = search_words(search).expect_err("a refusal");
            assert_eq!(refusal.code, Code::InvalidSearch);
            assert!(refusal.message.contains(place), "{search:?}: {}", refusal.message);
        }
        assert!(search_words(&"a ".repeat(21)).is_err() && search_words(&"a".repeat(501)).is_err());
    }
}
