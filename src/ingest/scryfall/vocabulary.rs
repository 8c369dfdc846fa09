//! The product's words for what a catalogue says, which are Scryfall's, and the limits that every source's
//! sets and cards are held to. Other sources translate into them.

use std::collections::BTreeMap;

use entity::enums::{Finish, Rarity};
use serde::Deserialize;

use crate::domain::catalogue::attributes::{Color, Colors, Finishes};
use crate::domain::catalogue::record::{CardRecord, Legalities, Legality, SetRecord};
use crate::ingest::source::parse;

/// The most that a card's JSON may take; real ones take under a tenth of it.
const CARD_BYTES: usize = 1024 * 1024;
/// A name is a key of indexes, and an entry of one holds 2,700 bytes.
pub(in crate::ingest) const NAME_CHARS: usize = 500;
pub(in crate::ingest) const CODE_CHARS: usize = 64;

/// The kind of a set whose source does not tell it.
pub(in crate::ingest) const UNKNOWN_KIND: &str = "unknown";

/// The address of a set's symbol.
pub(in crate::ingest) fn set_icon_url(code: &str) -> String {
    format!("https://svgs.scryfall.io/sets/{code}.svg")
}

pub(in crate::ingest) fn rarity(name: &str) -> Result<Rarity, String> {
    Ok(match name {
        "common" => Rarity::Common,
        "uncommon" => Rarity::Uncommon,
        "rare" => Rarity::Rare,
        "mythic" => Rarity::Mythic,
        "special" => Rarity::Special,
        "bonus" => Rarity::Bonus,
        _ => return Err(format!("the rarity {name:?} is not known")),
    })
}

/// The colours of mana letters; others, such as a token's `C`, name none.
pub(in crate::ingest) fn colors<'a>(letters: impl IntoIterator<Item = &'a String>) -> Colors {
    letters.into_iter().filter_map(|letter| Color::from_letter(letter)).collect()
}

/// The finishes by name, or where a source names none, by the older pair of flags. A finish that the product
/// does not know, such as `glossy`, is left out.
pub(in crate::ingest) fn finishes<'a>(
    names: impl IntoIterator<Item = &'a String>,
    nonfoil: bool,
    foil: bool,
) -> Finishes {
    let named = names.into_iter().filter_map(|name| match name.as_str() {
        "nonfoil" => Some(Finish::Nonfoil),
        "foil" => Some(Finish::Foil),
        "etched" => Some(Finish::Etched),
        _ => None,
    });
    let named: Finishes = named.collect();
    if named != Finishes::default() {
        return named;
    }
    let flagged = [(nonfoil, Finish::Nonfoil), (foil, Finish::Foil)];
    flagged.into_iter().filter_map(|(is_so, finish)| is_so.then_some(finish)).collect()
}

/// By format; a status that the product does not know is left out.
pub(in crate::ingest) fn legalities(by_format: BTreeMap<String, String>) -> Legalities {
    let known = by_format.into_iter().filter_map(|(format, status)| {
        let legality = match status.to_ascii_lowercase().as_str() {
            "legal" => Legality::Legal,
            "not_legal" => Legality::NotLegal,
            "restricted" => Legality::Restricted,
            "banned" => Legality::Banned,
            _ => return None,
        };
        Some((format, legality))
    });
    known.collect()
}

/// An address that may be shown as a link: of the web, and nothing that only looks like it.
pub(in crate::ingest) fn web_url(url: &str) -> Option<String> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let is_clean = !url.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    (is_web && is_clean).then(|| url.to_owned())
}

/// Sources leave a text empty where they mean that there is none.
pub(in crate::ingest) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Each item once, where it comes first.
pub(in crate::ingest) fn distinct<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for item in items {
        if !distinct.contains(&item) {
            distinct.push(item);
        }
    }
    distinct
}

/// Parses a card, or one side of one.
pub(in crate::ingest) fn parse_card<'de, T: Deserialize<'de>>(record: &'de str) -> Result<T, String> {
    if record.len() > CARD_BYTES {
        return Err(format!("the record takes more than {CARD_BYTES} bytes"));
    }
    parse(record)
}

/// Says what is wrong with a set that must not be stored.
pub(in crate::ingest) fn check_set(set: &SetRecord) -> Result<(), String> {
    check_set_code(&set.code)?;
    check_length("the set's name", &set.name, NAME_CHARS)
}

pub(in crate::ingest) fn check_set_code(code: &str) -> Result<(), String> {
    // It becomes a part of addresses.
    let is_fit = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if !code.chars().all(is_fit) {
        return Err("the set's code is not of letters and digits".to_owned());
    }
    check_length("the set's code", code, CODE_CHARS)
}

/// Says what is wrong with a card that must not be stored.
pub(in crate::ingest) fn check_card(card: &CardRecord) -> Result<(), String> {
    check_length("the name", &card.name, NAME_CHARS)?;
    check_length("the collector number", &card.collector_number, CODE_CHARS)?;
    check_length("the language", &card.language, CODE_CHARS)?;
    check_length("the layout", &card.layout, CODE_CHARS)?;
    card.external_ids.iter().try_for_each(|(_, id)| check_length("an outside id", id, CODE_CHARS))
}

/// A text by which things are found is there, and not too long.
pub(in crate::ingest) fn check_length(what: &str, text: &str, most: usize) -> Result<(), String> {
    match text.chars().count() {
        0 => Err(format!("{what} is empty")),
        count if count > most => Err(format!("{what} is longer than {most} characters")),
        _ => Ok(()),
    }
}
