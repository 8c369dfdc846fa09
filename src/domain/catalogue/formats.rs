//! The formats that a card may be played in, as bits: an index holds them, and no list reads a card's row for them.

use super::record::{Legalities, Legality};

/// In the order of their bits in `cards.legal`, `cards.restricted` and `cards.banned`: a new one comes at the end.
const FORMATS: [&str; 25] = [
    "standard",
    "future",
    "historic",
    "timeless",
    "gladiator",
    "pioneer",
    "explorer",
    "modern",
    "legacy",
    "pauper",
    "vintage",
    "penny",
    "commander",
    "oathbreaker",
    "standardbrawl",
    "brawl",
    "alchemy",
    "paupercommander",
    "duel",
    "oldschool",
    "premodern",
    "predh",
    "competitivebrawl",
    "tlr",
    "frontier",
];

/// The bit of a format; none of one that came after this table.
pub(super) fn format_bit(format: &str) -> Option<i64> {
    let place = FORMATS.iter().position(|known| *known == format)?;
    Some(1 << place)
}

/// The formats in which a card has this status.
pub(super) fn format_bits(legalities: &Legalities, status: Legality) -> i64 {
    let formats = legalities.iter().filter(|(_, there)| **there == status);
    formats.filter_map(|(format, _)| format_bit(format)).fold(0, |bits, bit| bits | bit)
}

#[cfg(test)]
mod tests {
    use super::super::search::vocabulary;
    use super::*;

    #[test]
    fn every_format_that_a_search_knows_has_a_bit_of_its_own() {
        let mut bits = 0;
        for format in FORMATS {
            let bit = format_bit(format).expect(format);
            assert_eq!(bits & bit, 0, "{format}");
            bits |= bit;
        }
        for (alias, format) in vocabulary::FORMATS {
            assert!(format_bit(format).is_some(), "{alias}");
        }
    }

    #[test]
    fn a_status_has_the_bits_of_its_formats() {
        let legalities = Legalities::from([
            ("standard".to_owned(), Legality::Legal),
            ("historic".to_owned(), Legality::Legal),
            ("future".to_owned(), Legality::Banned),
            ("not yet known".to_owned(), Legality::Legal),
        ]);
        assert_eq!(format_bits(&legalities, Legality::Legal), 0b101);
        assert_eq!(format_bits(&legalities, Legality::Banned), 0b10);
        assert_eq!(format_bits(&legalities, Legality::Restricted), 0);
    }
}
