//! What items may be: the limits, and how they are told.

use std::fmt::Display;

use chrono::{Datelike, NaiveDate};
use entity::enums::Currency;

use crate::domain::catalogue::LANGUAGES;
use crate::domain::market::Money;
use crate::error::Refusal;

/// Items that one command takes at most. What the schema says of its lists is compared with these by a test.
pub const MOST_AT_ONCE: usize = 500;
/// Ids that one command takes at most.
pub const MOST_IDS: usize = 1_000;
/// Items that an inventory has at most.
pub const MOST_ITEMS: i64 = 250_000;
/// Items that a want list has at most.
pub const MOST_WANTS: i64 = 10_000;

/// Copies of an item at most.
const MOST_COPIES: i32 = 100_000;
/// Hundredths that a price is at most.
const MOST_PAID: i64 = 999_999_999;
/// Characters of notes at most.
const NOTES_CHARS: usize = 2_000;
/// Tags of an item at most.
pub const MOST_TAGS: usize = 20;
/// Characters of a tag at most.
const TAG_CHARS: usize = 50;
/// The year of the first printing.
const FIRST_YEAR: i32 = 1993;

/// What becomes of a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays.
    #[default]
    Keep,
    /// It is emptied.
    Clear,
    To(T),
}

impl<T> Change<T> {
    /// The value of a field that may be empty.
    pub(super) fn apply_to(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::To(value) => *field = Some(value),
        }
    }

    /// The value of a field that may not be; that it was not to be emptied was seen to.
    pub(super) fn set(self, field: &mut T) {
        if let Self::To(value) = self {
            *field = value;
        }
    }

    /// What is wrong with it where it must have a value.
    pub(super) fn never_empty(&self, name: &str) -> Option<Refusal> {
        matches!(self, Self::Clear)
            .then(|| Refusal::invalid_value("This can't be emptied: leave it out to keep it.").at(name))
    }

    pub(super) fn value(&self) -> Option<&T> {
        match self {
            Self::To(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

/// An amount as two columns have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub amount: Option<i64>,
    pub currency: Option<Currency>,
}

impl From<Option<Money>> for Held {
    fn from(money: Option<Money>) -> Self {
        Self { amount: money.map(|money| money.amount), currency: money.map(|money| money.currency) }
    }
}

impl Held {
    pub fn money(self) -> Option<Money> {
        Some(Money { amount: self.amount?, currency: self.currency? })
    }
}

pub(super) fn quantity(quantity: i32) -> Option<Refusal> {
    (!(1..=MOST_COPIES).contains(&quantity)).then(|| {
        Refusal::invalid_value(format!("A quantity is from 1 to {}.", thousands(MOST_COPIES))).at("quantity")
    })
}

/// `name` is the field that holds the price.
pub(super) fn price(price: Money, name: &str) -> Option<Refusal> {
    (!(0..=MOST_PAID).contains(&price.amount))
        .then(|| Refusal::invalid_value("A price is from 0.00 to 9,999,999.99.").at("amount").within(&[name]))
}

pub(super) fn language(code: &str) -> Option<Refusal> {
    let known = LANGUAGES.iter().any(|(_, known)| *known == code);
    (!known).then(|| {
        let message = "This is no language that cards are printed in: write en, ja, zhs, as Scryfall does.";
        Refusal::invalid_value(message).at("language")
    })
}

/// `today` is the day after which nothing was acquired yet; clocks of others may be a day ahead.
pub(super) fn acquired_on(day: NaiveDate, today: NaiveDate) -> Option<Refusal> {
    let fits = day.year() >= FIRST_YEAR && today.succ_opt().is_none_or(|tomorrow| day <= tomorrow);
    (!fits).then(|| Refusal::invalid_value(format!("A day from {FIRST_YEAR} to today.")).at("acquiredOn"))
}

pub(super) fn notes(notes: &str) -> Option<Refusal> {
    let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    let fits = notes.chars().count() <= NOTES_CHARS && notes.chars().all(is_text);
    (!fits).then(|| {
        let message = format!("Notes have at most {} characters.", thousands(NOTES_CHARS));
        Refusal::invalid_value(message).at("notes")
    })
}

/// Tags as they are kept: without spaces around them, each once.
///
/// # Errors
/// ERR-3002, with its place.
pub(super) fn tags(tags: Vec<String>) -> Result<Vec<String>, Refusal> {
    let mut kept: Vec<String> = Vec::new();
    for (position, tag) in tags.into_iter().enumerate() {
        let tag = tag.trim();
        let fits = (1..=TAG_CHARS).contains(&tag.chars().count()) && !tag.chars().any(char::is_control);
        if !fits {
            let message = format!("A tag has 1 to {TAG_CHARS} characters.");
            return Err(Refusal::invalid_value(message).at(&position.to_string()).within(&["tags"]));
        }
        if !kept.iter().any(|there| there == tag) {
            kept.push(tag.to_owned());
        }
    }
    match too_many_tags(kept.len()) {
        Some(refusal) => Err(refusal),
        None => Ok(kept),
    }
}

pub(super) fn too_many_tags(count: usize) -> Option<Refusal> {
    (count > MOST_TAGS)
        .then(|| Refusal::invalid_value(format!("An item has at most {MOST_TAGS} tags.")).at("tags"))
}

/// ERR-3002 for a list that is empty or too long.
pub(super) fn at_once(count: usize, name: &str) -> Option<Refusal> {
    (!(1..=MOST_AT_ONCE).contains(&count))
        .then(|| Refusal::invalid_value(format!("From 1 to {MOST_AT_ONCE} at once.")).at(name))
}

/// The same for a list of ids.
pub fn ids_at_once(count: usize) -> Option<Refusal> {
    (!(1..=MOST_IDS).contains(&count))
        .then(|| Refusal::invalid_value(format!("From 1 to {} at once.", thousands(MOST_IDS))).at("ids"))
}

/// `250,000`
pub(super) fn thousands(number: impl Display) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_where_they_are_said_to_be() {
        for (count, fits) in [(0, false), (1, true), (100_000, true), (100_001, false), (-1, false)] {
            assert_eq!(quantity(count).is_none(), fits, "{count}");
        }
        for (amount, fits) in [(-1, false), (0, true), (999_999_999, true), (1_000_000_000, false)] {
            assert_eq!(price(Money { amount, currency: Currency::Usd }, "x").is_none(), fits, "{amount}");
        }
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        for (acquired, fits) in [
            ("1992-12-31", false),
            ("1993-01-01", true),
            ("2026-11-25", true),
            ("2026-11-26", true),
            ("2026-11-27", false),
        ] {
            assert_eq!(acquired_on(day(acquired), day("2026-11-25")).is_none(), fits, "{acquired}");
        }
        assert!(language("ja").is_none() && language("jp").is_some() && language("").is_some());
        assert!(notes(&"ä".repeat(2_000)).is_none() && notes(&"ä".repeat(2_001)).is_some());
        assert!(notes("two\nlines").is_none() && notes("a\0b").is_some());
        // Longer lists are refused before they come here, but by what the schema says.
        for (count, fits) in [(0, false), (1, true), (MOST_AT_ONCE, true), (MOST_AT_ONCE + 1, false)] {
            assert_eq!(at_once(count, "items").is_none(), fits, "{count}");
        }
        for (count, fits) in [(0, false), (1, true), (MOST_IDS, true), (MOST_IDS + 1, false)] {
            assert_eq!(ids_at_once(count).is_none(), fits, "{count}");
        }
    }

    #[test]
    fn tags_are_trimmed_and_each_is_there_once() {
        let given = |tags_given: &[&str]| tags(tags_given.iter().map(|tag| (*tag).to_owned()).collect());
        assert_eq!(given(&[" a ", "b", "a"]).expect("tags"), ["a", "b"]);
        let refused = given(&["a", " "]).expect_err("blank");
        assert_eq!(refused.path, ["tags", "1"]);
        let many: Vec<String> = (0..=MOST_TAGS).map(|number| number.to_string()).collect();
        assert!(tags(many[..MOST_TAGS].to_vec()).is_ok() && tags(many).is_err());
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([1, 999, 1_000, 250_000].map(thousands), ["1", "999", "1,000", "250,000"]);
    }
}
