//! What a card's faces are, said so that a search can compare it.

use super::attributes::SAID_MANA;
use super::mana::ManaCost;
use super::marks::face_marks;
pub use super::marks::printing_marks;
use super::names::text_key;
use super::record::{CardRecord, Face};
use super::rules_text::{produced, tidy, with_own_name, without_reminders};

/// A number without an end, as one that can be compared.
const ENDLESS: f64 = 1e9;

/// What one face of a card is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FaceFacts {
    /// The folded type line: `legendary creature - elf druid`.
    pub types: String,
    /// The folded rules text without reminders; empty where there is none.
    pub rules: String,
    /// The same with reminders, where it has any.
    pub rules_full: Option<String>,
    /// `rules` with `~` wherever the card speaks of itself, where it does.
    pub rules_self: Option<String>,
    /// None where there is no cost, which is not a cost of nothing.
    pub mana: Option<ManaCost>,
    pub power: Option<Stat>,
    pub toughness: Option<Stat>,
    pub loyalty: Option<Stat>,
    /// The mana that it can add: the colours as in `Colors`, then a bit for colourless, then [`SAID_MANA`].
    pub produces: i16,
    /// What it is called in a search, each mark between spaces: ` is:bear kw:flying `.
    pub marks: String,
}

impl FaceFacts {
    /// The rules text with reminders.
    pub(super) fn full_text(&self) -> &str {
        self.rules_full.as_deref().unwrap_or(&self.rules)
    }
}

/// A power, toughness or loyalty: its number, and what it has besides.
#[derive(Debug, Clone, PartialEq)]
pub struct Stat {
    pub number: f64,
    /// `+*` of `1+*` and of `*`, `-*` of `7-*`, `*2` of a star that is squared; the whole folded text of anything else.
    pub star: Option<String>,
}

impl Stat {
    /// Reads what a card prints and what a search compares it with. None for a blank text.
    pub fn parse(text: &str) -> Option<Self> {
        let text: String = text.split_whitespace().collect();
        if text.is_empty() {
            return None;
        }
        if let Some(number) = read_number(&text) {
            return Some(Self { number, star: None });
        }
        let (number, star) = match read_star(&text) {
            Some((number, star)) => (number, star.to_owned()),
            None => (0.0, text_key(&text)),
        };
        Some(Self { number, star: Some(star) })
    }
}

fn read_number(text: &str) -> Option<f64> {
    let unsigned = text.trim_start_matches(['+', '-', '−']);
    let sign = &text[..text.len() - unsigned.len()];
    let number = match unsigned.strip_suffix('½') {
        Some("") => 0.5,
        Some(whole) => read_digits(whole)? + 0.5,
        None if unsigned == "∞" => ENDLESS,
        None => read_digits(unsigned)?,
    };
    match sign {
        "" | "+" => Some(number),
        // Not a zero below zero.
        "-" | "−" => Some(0.0 - number),
        _ => None,
    }
}

/// A number of digits and one point at most. Numbers are read in more forms than cards have: `1e5`, `inf`.
fn read_digits(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = is_plain.then(|| text.parse().ok()).flatten()?;
    Some(number.min(ENDLESS))
}

fn read_star(text: &str) -> Option<(f64, &'static str)> {
    let plus = |number: f64| (number, "+*");
    let (before, after) = text.split_once('*')?;
    match (before, after) {
        ("", "") => Some(plus(0.0)),
        ("", "²" | "2" | "^2" | "^²") => Some((0.0, "*2")),
        ("", added) if added.starts_with(['+', '-', '−']) => read_number(added).map(plus),
        (_, "") => match before.strip_suffix('+') {
            Some("") => Some(plus(0.0)),
            Some(number) => read_number(number).map(plus),
            None => match before.strip_suffix(['-', '−'])? {
                "" => Some((0.0, "-*")),
                number => Some((read_number(number)?, "-*")),
            },
        },
        _ => None,
    }
}

/// One face as it is printed.
struct Printed<'c> {
    name: &'c str,
    types: &'c str,
    text: Option<&'c str>,
    mana_cost: Option<&'c str>,
    power: Option<&'c str>,
    toughness: Option<&'c str>,
    loyalty: Option<&'c str>,
}

impl<'c> From<&'c CardRecord> for Printed<'c> {
    fn from(card: &'c CardRecord) -> Self {
        Self {
            name: &card.name,
            types: &card.type_line,
            text: card.oracle_text.as_deref(),
            mana_cost: card.mana_cost.as_deref(),
            power: card.power.as_deref(),
            toughness: card.toughness.as_deref(),
            loyalty: card.loyalty.as_deref(),
        }
    }
}

impl<'c> From<&'c Face> for Printed<'c> {
    fn from(face: &'c Face) -> Self {
        Self {
            name: &face.name,
            types: &face.type_line,
            text: face.oracle_text.as_deref(),
            mana_cost: face.mana_cost.as_deref(),
            power: face.power.as_deref(),
            toughness: face.toughness.as_deref(),
            loyalty: face.loyalty.as_deref(),
        }
    }
}

/// What each face of a card is; of a card without faces, what it is itself.
pub fn face_facts(card: &CardRecord) -> Vec<FaceFacts> {
    if card.faces.is_empty() {
        return vec![facts(card, 0, &card.into())];
    }
    card.faces.iter().enumerate().map(|(index, face)| facts(card, index, &face.into())).collect()
}

fn facts(card: &CardRecord, index: usize, printed: &Printed) -> FaceFacts {
    let types = text_key(printed.types);
    let full = printed.text.map(|text| tidy(&text_key(text))).unwrap_or_default();
    // The source's own word is about the whole card.
    let said = card.print.produced.filter(|_| index == 0);
    let produces = said.map_or_else(|| produced(&full, &types), |bits| bits | SAID_MANA);
    let (rules, rules_full) = match without_reminders(&full) {
        rules if rules == full => (full, None),
        rules => (rules, Some(full)),
    };
    let mut facts = FaceFacts {
        rules_self: with_own_name(&rules, &text_key(printed.name)),
        mana: printed.mana_cost.filter(|cost| !cost.trim().is_empty()).map(ManaCost::of_card),
        power: printed.power.and_then(Stat::parse),
        toughness: printed.toughness.and_then(Stat::parse),
        loyalty: printed.loyalty.and_then(Stat::parse),
        types,
        rules,
        rules_full,
        produces,
        marks: String::new(),
    };
    facts.marks = face_marks(card, index, &facts);
    facts
}

#[cfg(test)]
pub(super) mod testing {
    use super::super::record::CardRecord;

    /// A card of one face.
    pub fn card(name: &str, type_line: &str, oracle_text: &str) -> CardRecord {
        CardRecord {
            type_line: type_line.to_owned(),
            oracle_text: Some(oracle_text.to_owned()),
            ..CardRecord::bare(uuid::Uuid::nil(), name, "lmp", "7")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::card;
    use super::*;

    #[test]
    fn a_stat_is_a_number_and_what_it_has_besides() {
        for (text, number, star) in [
            ("3", 3.0, None),
            ("-1", -1.0, None),
            ("−1", -1.0, None),
            ("+2", 2.0, None),
            ("2.5", 2.5, None),
            (".5", 0.5, None),
            ("3½", 3.5, None),
            ("½", 0.5, None),
            ("∞", 1e9, None),
            ("*", 0.0, Some("+*")),
            ("1+*", 1.0, Some("+*")),
            (" *+1 ", 1.0, Some("+*")),
            ("*-1", -1.0, Some("+*")),
            ("7-*", 7.0, Some("-*")),
            ("-*", 0.0, Some("-*")),
            ("*²", 0.0, Some("*2")),
            ("*2", 0.0, Some("*2")),
            ("*^2", 0.0, Some("*2")),
            ("?", 0.0, Some("?")),
            ("X", 0.0, Some("x")),
            ("1d4+1", 0.0, Some("1d4+1")),
            ("1e5", 0.0, Some("1e5")),
            ("inf", 0.0, Some("inf")),
            ("--1", 0.0, Some("--1")),
            ("1*", 0.0, Some("1*")),
            (".", 0.0, Some(".")),
        ] {
            let expected = Stat { number, star: star.map(str::to_owned) };
            assert_eq!(Stat::parse(text), Some(expected), "{text}");
        }
        assert_eq!(Stat::parse(" "), None);
    }

    #[test]
    fn a_stat_has_one_zero_and_an_end() {
        assert!(Stat::parse("-0").unwrap().number.is_sign_positive());
        assert_eq!(Stat::parse(&"9".repeat(400)).unwrap().number, 1e9);
    }

    #[test]
    fn a_card_without_faces_is_one() {
        let card = CardRecord {
            mana_cost: Some("{0}".to_owned()),
            power: Some("2".to_owned()),
            toughness: Some("*".to_owned()),
            ..card("Ælla, Wick", "Legendary Creature — Moth", "Flying (It has  wings.)\nÆlla can’t hum.")
        };
        let [facts] = face_facts(&card).try_into().unwrap();
        assert_eq!(facts.types, "legendary creature - moth");
        assert_eq!(facts.rules, "flying\naella can't hum.");
        assert_eq!(facts.rules_full.as_deref(), Some("flying (it has wings.)\naella can't hum."));
        assert_eq!(facts.rules_self.as_deref(), Some("flying\n~ can't hum."));
        assert_eq!(facts.mana, Some(ManaCost::default()));
        assert_eq!((facts.power, facts.toughness, facts.loyalty), (Stat::parse("2"), Stat::parse("*"), None));
    }

    #[test]
    fn what_would_only_be_said_again_is_left_out() {
        let [facts] = face_facts(&card("Wick", "Instant", "Hum.")).try_into().unwrap();
        assert_eq!((facts.rules.as_str(), facts.rules_full, facts.rules_self), ("hum.", None, None));
        let nameless =
            CardRecord { oracle_text: None, mana_cost: Some(" ".to_owned()), ..card("Wick", "Land", "") };
        let [facts] = face_facts(&nameless).try_into().unwrap();
        assert_eq!((facts.rules.as_str(), facts.rules_full, facts.mana), ("", None, None));
        let [facts] = face_facts(&card("Wick", "Land", "(It hums.)")).try_into().unwrap();
        assert_eq!((facts.rules.as_str(), facts.rules_full.as_deref()), ("", Some("(it hums.)")));
    }

    #[test]
    fn each_face_has_its_own_texts() {
        let face = |name: &str, cost: Option<&str>, text: &str| Face {
            name: name.to_owned(),
            mana_cost: cost.map(str::to_owned),
            type_line: "Artifact".to_owned(),
            oracle_text: Some(text.to_owned()),
            loyalty: Some("X".to_owned()),
            ..Face::default()
        };
        let faces =
            vec![face("Dusk", Some("{1}{Pawn}"), "Dusk adds {W}."), face("Dawn", None, "Add {U}. Dusk.")];
        let mut card = CardRecord { faces, ..card("Dusk // Dawn", "Artifact // Artifact", "") };
        let [dusk, dawn] = face_facts(&card).try_into().unwrap();
        assert_eq!((dusk.rules_self.as_deref(), dawn.rules_self), (Some("~ adds {w}."), None));
        assert_eq!(dusk.mana.map(|mana| mana.canonical()).as_deref(), Some("{pawn}"));
        assert_eq!((dusk.produces, dawn.produces, dawn.mana), (1, 2, None));
        assert_eq!(dawn.loyalty, Stat::parse("x"));
        card.print.produced = Some(32);
        let [dusk, dawn] = face_facts(&card).try_into().unwrap();
        assert_eq!((dusk.produces, dawn.produces), (32 | SAID_MANA, 2));
    }
}
