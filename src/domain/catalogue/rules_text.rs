//! Rules texts as they are searched, and the mana that they speak of. All of it reads folded text.

use std::borrow::Cow;

use super::attributes::COLORLESS_MANA;
use super::mana::symbol_colors;

const FIVE_COLORS: i16 = 0b1_1111;

/// How a text speaks of mana whose colour is chosen.
const CHOSEN_COLORS: [&str; 10] = [
    "any color",
    "any one color",
    "combination of colors",
    "any of ",
    "chosen color",
    "color last chosen",
    "color of your choice",
    "different colors",
    "that color",
    "those colors",
];

/// What a card calls itself after `this`.
const SELF: [&str; 22] = [
    "creature",
    "spell",
    "land",
    "artifact",
    "enchantment",
    "permanent",
    "card",
    "aura",
    "equipment",
    "vehicle",
    "saga",
    "token",
    "planeswalker",
    "battle",
    "siege",
    "class",
    "case",
    "room",
    "fortification",
    "contraption",
    "attraction",
    "spacecraft",
];

/// The text with its lines trimmed, its spaces single and no line blank.
pub(super) fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    for line in text.lines() {
        let mut separator = if tidy.is_empty() { "" } else { "\n" };
        for word in line.split_whitespace() {
            tidy.push_str(separator);
            tidy.push_str(word);
            separator = " ";
        }
    }
    tidy
}

/// A tidy text without what stands in parentheses, and without the lines that have nothing else. A parenthesis that
/// its line does not close stays.
pub(super) fn without_reminders(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        let start = kept.len();
        let separator = if start == 0 { "" } else { "\n" };
        kept.push_str(separator);
        let written = kept.len();
        push_without_parentheses(&mut kept, line);
        if kept.len() == written {
            kept.truncate(start);
        }
    }
    kept
}

fn push_without_parentheses(kept: &mut String, line: &str) {
    let start = kept.len();
    let mut rest = line;
    while let Some((from, to)) = parentheses(rest) {
        kept.push_str(&rest[..from]);
        kept.truncate(kept.trim_end_matches(' ').len());
        rest = &rest[to..];
        if kept.len() == start {
            rest = rest.trim_start();
        }
    }
    kept.push_str(rest);
}

/// Where the first parentheses that close are.
fn parentheses(line: &str) -> Option<(usize, usize)> {
    let start = line.find('(')?;
    let mut depth = 0_usize;
    for (at, byte) in line.bytes().enumerate().skip(start) {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => return Some((start, at + 1)),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The rules with `~` wherever the card of this name speaks of itself: by its name, by what stands before the comma
/// of it, and as `this creature` and the like. None where it does not.
pub(super) fn with_own_name(rules: &str, name: &str) -> Option<String> {
    let mut text = Cow::Borrowed(rules);
    // Longest first, so that no part of the whole name stays behind.
    for own in own_names(name) {
        if let Some(replaced) = replace_words(&text, own) {
            text = Cow::Owned(replaced);
        }
    }
    if let Some(replaced) = replace_this(&text) {
        text = Cow::Owned(replaced);
    }
    match text {
        Cow::Owned(text) => Some(text),
        Cow::Borrowed(_) => None,
    }
}

/// A rebalanced card is called `A-Name`, and calls itself `Name`.
fn own_names(name: &str) -> impl Iterator<Item = &str> {
    let plain = name.strip_prefix("a-");
    let short = plain.unwrap_or(name).split_once(", ").map(|(short, _)| short);
    [Some(name), plain, short].into_iter().flatten().filter(|name| !name.is_empty())
}

fn replace_words(text: &str, word: &str) -> Option<String> {
    let found = text.match_indices(word).map(|(at, _)| (at, at + word.len()));
    replace(text, found.filter(|(from, to)| is_boundary(text, *from) && is_boundary(text, *to)))
}

fn replace_this(text: &str) -> Option<String> {
    let found = text.match_indices("this ").filter(|(at, _)| is_boundary(text, *at));
    let found = found.filter_map(|(at, this)| {
        let from = at + this.len();
        let word = &text[from..];
        let length = word.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(word.len());
        SELF.contains(&&word[..length]).then_some((at, from + length))
    });
    replace(text, found)
}

/// The text with `~` in these places; None where there are none.
fn replace(text: &str, places: impl Iterator<Item = (usize, usize)>) -> Option<String> {
    let mut replaced = String::new();
    let mut copied = 0;
    for (from, to) in places {
        replaced.push_str(&text[copied..from]);
        replaced.push('~');
        copied = to;
    }
    (copied > 0).then(|| replaced + &text[copied..])
}

/// Whether no word goes on across this place.
fn is_boundary(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at(at);
    let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    !(is_word(before.chars().next_back()) && is_word(after.chars().next()))
}

/// The mana that a face can add, a bit a kind: the five colours as in `Colors`, then colourless. By its text with
/// reminders, and by the basic land types that it has.
pub(super) fn produced(text: &str, types: &str) -> i16 {
    let added = text.match_indices("add").map(|(at, _)| added_mana(text, at));
    added.fold(land_mana(types), |bits, more| bits | more)
}

/// The mana of the sentence that goes on with `add` here.
fn added_mana(text: &str, at: usize) -> i16 {
    let (before, sentence) = text.split_at(at);
    let is_verb = sentence.starts_with("add ") || sentence.starts_with("adds ");
    if !is_verb || before.ends_with(char::is_alphanumeric) {
        return 0;
    }
    let sentence = sentence.split(['.', '\n']).next().unwrap_or_default();
    let symbols = sentence.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    symbols.fold(words_mana(sentence), |bits, (symbol, _)| bits | symbol_mana(symbol))
}

fn words_mana(sentence: &str) -> i16 {
    if !sentence.contains("mana") {
        0
    } else if sentence.contains("any type") {
        FIVE_COLORS | COLORLESS_MANA
    } else if sentence.contains("color") && CHOSEN_COLORS.iter().any(|words| sentence.contains(words)) {
        FIVE_COLORS
    } else {
        0
    }
}

fn symbol_mana(symbol: &str) -> i16 {
    let colorless = if symbol.split('/').any(|half| half == "c") { COLORLESS_MANA } else { 0 };
    symbol_colors(symbol).bits() | colorless
}

fn land_mana(types: &str) -> i16 {
    if !types.split(' ').any(|word| word == "land") {
        return 0;
    }
    let land = |word| match word {
        "plains" => "w",
        "island" => "u",
        "swamp" => "b",
        "mountain" => "r",
        "forest" => "g",
        _ => "",
    };
    types.split(' ').fold(0, |bits, word| bits | symbol_colors(land(word)).bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tidy_text_has_single_spaces_and_no_blank_line() {
        assert_eq!(tidy("  hum  twice \n\n \nglow\n"), "hum twice\nglow");
        assert_eq!(tidy(" \n "), "");
    }

    #[test]
    fn reminders_go_with_the_space_before_them() {
        for (text, rules) in [
            ("flying (it has wings.)\nhum.", "flying\nhum."),
            ("(it hums.)\nglow.\n(it is (really) a lamp.)", "glow."),
            ("hum (low), glow (bright) (warm).", "hum, glow."),
            ("(low) hum", "hum"),
            ("(it hums.)", ""),
            ("sad :( lamp\nglad :) lamp", "sad :( lamp\nglad :) lamp"),
            ("hum (low\nand high) glow", "hum (low\nand high) glow"),
            ("glow", "glow"),
        ] {
            assert_eq!(without_reminders(text), rules, "{text}");
        }
    }

    #[test]
    fn a_card_that_speaks_of_itself_is_a_tilde() {
        for (rules, name, own) in [
            (
                "when wick tender dies, exile wick tender's lamp.",
                "wick tender",
                "when ~ dies, exile ~'s lamp.",
            ),
            ("mara, of lamps hums. then mara glows.", "mara, of lamps", "~ hums. then ~ glows."),
            ("wick hums.", "a-wick", "~ hums."),
            ("when this creature enters, tap this land.", "wick", "when ~ enters, tap ~."),
            ("as wick-lit ends", "wick", "as ~-lit ends"),
            ("\"hum!\" and \"hum!\"", "\"hum!\"", "~ and ~"),
        ] {
            assert_eq!(with_own_name(rules, name).as_deref(), Some(own), "{rules}");
        }
        for (rules, name) in [
            ("wicker and bewick", "wick"),
            ("this creatures and this lamp", "wick"),
            ("marathon", "mara, of lamps"),
            ("athis creature", "wick"),
            ("hum.", ""),
            ("", "wick"),
        ] {
            assert_eq!(with_own_name(rules, name), None, "{rules}");
        }
    }

    #[test]
    fn mana_is_what_a_sentence_adds() {
        for (text, bits) in [
            ("{t}: add {g}.", 0b01_0000),
            ("{r}, {t}: add {w} or {u}. spend it on {b}.", 0b00_0011),
            ("({t}: add {r/g} or {c}.)", 0b11_1000),
            ("its controller adds an additional {b}{b}.\n{r}: hum.", 0b00_0100),
            ("add {b}\n{r}: hum.", 0b00_0100),
            ("add one mana of any color.", 0b01_1111),
            ("add two mana in any combination of colors.", 0b01_1111),
            ("add one mana of any type that a lamp could produce.", 0b11_1111),
            ("choose a color. add one mana of the chosen color.", 0b01_1111),
            ("add one mana of any of the exiled card's colors.", 0b01_1111),
            ("add two mana in any combination of {b} and {r}.", 0b00_1100),
            ("in addition, add a lamp of any color to it. {u}", 0),
            ("badd {g}. padd {g}. adder {g}", 0),
            ("{g}: hum.", 0),
        ] {
            assert_eq!(produced(text, "artifact"), bits, "{text}");
        }
    }

    #[test]
    fn a_basic_land_type_is_mana_on_a_land_alone() {
        assert_eq!(produced("", "basic snow land - forest"), 0b01_0000);
        assert_eq!(produced("{t}: add {c}.", "land - plains swamp"), 0b10_0101);
        assert_eq!(produced("", "plane - forest island mountain"), 0);
    }
}
