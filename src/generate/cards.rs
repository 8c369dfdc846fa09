//! Printings of game pieces, as the cards of a catalogue.

use entity::enums::{Finish, Rarity};
use rand::{Rng, RngExt};
use uuid::{Uuid, uuid};

use super::names::{self, pick};
use super::pieces::{Kind, Piece, draw_kind, draw_rarity};
use super::texts::FLAVOR_TEXTS;
use super::{GeneratedMarket, Stream};
use crate::domain::catalogue::attributes::Finishes;
use crate::domain::catalogue::record::{CardRecord, Face, InSet, Legalities, Legality, Print, PurchaseUrls};

/// The namespace (RFC 9562, version 5) of the ids of generated cards.
const NAMESPACE: Uuid = uuid!("6d1f4c8e-52a7-4b0e-9c35-d0a17e6b2f94");

/// What a printing's price needs to know of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printing {
    /// The index of the piece's first printing.
    pub piece: u32,
    /// Before the last day of the plan.
    pub age_days: u32,
    pub rarity: Rarity,
    pub finishes: Finishes,
}

impl Printing {
    pub(super) fn has_foil(&self) -> bool {
        self.finishes.iter().any(|finish| finish == Finish::Foil)
    }
}

impl GeneratedMarket {
    /// The card of an index below the plan's number of cards.
    pub fn card(&self, index: u32) -> CardRecord {
        let mut rng = self.rng(Stream::Printing(index));
        let printing = self.draw_printing(index, &mut rng);
        let piece = self.piece(printing.piece);
        let set = self.set_of(index);
        let letter = if rng.random_bool(0.015) { "a" } else { "" };
        let legalities = legalities(&piece, &printing);
        let print = Print {
            frame: Some(if printing.age_days < 2_000 { "2015" } else { "2003" }.to_owned()),
            border: Some("black".to_owned()),
            games: vec!["paper".to_owned()],
            reprint: printing.piece != index,
            in_set: Some(InSet::default()),
            ..Print::default()
        };

        let mut record = CardRecord {
            scryfall_id: self.id("printing", index),
            oracle_id: Some(self.id("piece", printing.piece)),
            illustration_id: None,
            set_code: set.record.code.clone(),
            collector_number: format!("{}{letter}", index - set.first_card + 1),
            language: "en".to_owned(),
            name: joined(&piece.faces, |face| &face.name),
            layout: piece.kind.layout().to_owned(),
            rarity: printing.rarity,
            type_line: joined(&piece.faces, |face| &face.type_line),
            mana_cost: None,
            mana_value: piece.mana_value.into(),
            colors: piece.colors,
            color_identity: piece.color_identity,
            finishes: printing.finishes,
            released_on: set.record.released_on,
            promo: rng.random_bool(0.03),
            digital: rng.random_bool(0.02),
            reserved: false,
            artist: Some(names::artist(&mut rng)),
            power: None,
            toughness: None,
            loyalty: None,
            image_url: None,
            scryfall_url: None,
            oracle_text: None,
            flavor_text: rng.random_bool(0.5).then(|| pick(&FLAVOR_TEXTS, &mut rng).to_owned()),
            keywords: piece.keywords,
            faces: Vec::new(),
            legalities,
            purchase_urls: PurchaseUrls::new(),
            external_ids: Vec::new(),
            print,
        };
        match <[Face; 1]>::try_from(piece.faces) {
            Ok([face]) => {
                record.mana_cost = face.mana_cost;
                record.oracle_text = face.oracle_text;
                record.power = face.power;
                record.toughness = face.toughness;
                record.loyalty = face.loyalty;
            }
            Err(mut faces) => {
                for (face, flavor_text) in faces.iter_mut().zip([record.flavor_text.take(), None]) {
                    face.artist.clone_from(&record.artist);
                    face.flavor_text = flavor_text;
                }
                record.faces = faces;
            }
        }
        record
    }

    pub(super) fn printing(&self, index: u32) -> Printing {
        self.draw_printing(index, &mut self.rng(Stream::Printing(index)))
    }

    fn draw_printing(&self, index: u32, rng: &mut impl Rng) -> Printing {
        let piece = self.piece_of(index);
        let (kind, first_rarity) = draw_kind(&mut self.rng(Stream::Piece(piece)));
        let rarity =
            if piece != index && rng.random_bool(0.25) { draw_rarity(kind, rng) } else { first_rarity };
        let finishes: &[_] = match rng.random_range(0..100) {
            0..80 => &[Finish::Nonfoil, Finish::Foil],
            80..92 => &[Finish::Nonfoil],
            92..97 => &[Finish::Foil],
            97..99 => &[Finish::Nonfoil, Finish::Foil, Finish::Etched],
            _ => &[Finish::Etched],
        };
        let finishes = finishes.iter().copied().collect();
        Printing { piece, age_days: self.set_of(index).age_days, rarity, finishes }
    }

    fn id(&self, what: &str, index: u32) -> Uuid {
        Uuid::new_v5(&NAMESPACE, format!("{what} {index} of {}", self.plan.seed).as_bytes())
    }
}

fn joined(faces: &[Face], text: impl Fn(&Face) -> &str) -> String {
    faces.iter().map(text).collect::<Vec<_>>().join(" // ")
}

/// By the age of the printing's set; a banned piece is only restricted in vintage. A token is played in no
/// format.
fn legalities(piece: &Piece, printing: &Printing) -> Legalities {
    const YEAR_DAYS: u32 = 365;
    const FORMATS: [(&str, u32, Legality); 7] = [
        ("standard", 3 * YEAR_DAYS, Legality::Banned),
        ("pioneer", 12 * YEAR_DAYS, Legality::Banned),
        ("modern", 21 * YEAR_DAYS, Legality::Banned),
        ("legacy", u32::MAX, Legality::Banned),
        ("vintage", u32::MAX, Legality::Restricted),
        ("commander", u32::MAX, Legality::Banned),
        ("pauper", u32::MAX, Legality::Banned),
    ];
    if piece.kind == Kind::Token {
        return Legalities::new();
    }
    let legality = |(format, oldest_days, when_banned): (&str, u32, Legality)| {
        let left_out =
            printing.age_days > oldest_days || format == "pauper" && printing.rarity != Rarity::Common;
        let legality = match (left_out, piece.banned) {
            (true, _) => Legality::NotLegal,
            (false, true) => when_banned,
            (false, false) => Legality::Legal,
        };
        (format.to_owned(), legality)
    };
    FORMATS.into_iter().map(legality).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap, HashSet};
    use std::sync::LazyLock;

    use super::*;
    use crate::generate::pieces::symbols;
    use crate::generate::tests::market;

    /// The share of the cards for which something holds.
    fn share(cards: &[CardRecord], holds: impl Fn(&CardRecord) -> bool) -> f64 {
        cards.iter().filter(|card| holds(card)).count() as f64 / cards.len() as f64
    }

    static SAMPLE: LazyLock<Vec<CardRecord>> = LazyLock::new(|| market(80, 8_000).cards().collect());

    #[test]
    fn a_card_is_the_same_alone_and_in_the_row() {
        let market = market(20, 500);
        let cards: Vec<_> = market.cards().collect();
        assert_eq!(cards.len(), 500);
        for index in [499, 0, 250, 17] {
            assert_eq!(market.card(index), cards[index as usize]);
        }
    }

    #[test]
    fn printings_are_unique_and_a_name_is_of_one_piece() {
        let cards = &*SAMPLE;
        let unique = |keys: HashSet<_>| keys.len() == cards.len();
        assert!(unique(cards.iter().map(|card| card.scryfall_id.to_string()).collect()));
        assert!(unique(
            cards.iter().map(|card| format!("{} {}", card.set_code, card.collector_number)).collect()
        ));

        let mut piece_by_name = HashMap::new();
        let mut name_by_piece = HashMap::new();
        for card in cards {
            assert_eq!(*piece_by_name.entry(&card.name).or_insert(card.oracle_id), card.oracle_id);
            assert_eq!(*name_by_piece.entry(card.oracle_id).or_insert(&card.name), &card.name);
        }
        assert!((0.45..0.60).contains(&(name_by_piece.len() as f64 / cards.len() as f64)));
    }

    #[test]
    fn a_reprint_differs_only_where_a_printing_may() {
        let mut first_by_piece: HashMap<_, CardRecord> = HashMap::new();
        for card in market(40, 1_000).cards() {
            let first = first_by_piece.entry(card.oracle_id).or_insert_with(|| card.clone());
            let texts =
                |card: &CardRecord| (card.name.clone(), card.type_line.clone(), card.oracle_text.clone());
            assert_eq!(texts(&card), texts(first));
            assert_eq!((card.colors, card.color_identity), (first.colors, first.color_identity));
            assert_eq!((&card.mana_cost, card.mana_value), (&first.mana_cost, first.mana_value));
            assert!(card.released_on >= first.released_on);
        }
    }

    #[test]
    fn the_mana_value_and_the_colors_are_those_of_the_cost() {
        for card in SAMPLE.iter() {
            let front = card.faces.first().map_or(&card.mana_cost, |face| &face.mana_cost);
            let Some(cost) = front else {
                assert!(card.type_line == "Land" || card.layout == "token", "{card:?}");
                assert_eq!(card.mana_value, 0.0);
                continue;
            };
            let value: f64 = cost
                .split(['{', '}'])
                .filter(|symbol| !symbol.is_empty() && *symbol != "X")
                .map(|symbol| symbol.parse().unwrap_or(1.0))
                .sum();
            assert_eq!(card.mana_value, value, "{cost}");
            assert_eq!(card.colors, symbols(cost).collect(), "{cost}");
        }
    }

    #[test]
    fn the_identity_holds_the_colors_and_every_symbol() {
        for card in SAMPLE.iter() {
            let faces = card.faces.iter().filter_map(|face| face.oracle_text.as_ref());
            let written = card.oracle_text.iter().chain(faces).flat_map(|text| symbols(text));
            assert_eq!(card.color_identity, card.colors.iter().chain(written).collect(), "{card:?}");
        }
    }

    #[test]
    fn rules_texts_have_no_gap_left() {
        for card in SAMPLE.iter() {
            let faces = card.faces.iter().filter_map(|face| face.oracle_text.as_ref());
            assert!(card.oracle_text.iter().chain(faces).all(|text| !text.contains(['#', '@'])), "{card:?}");
        }
    }

    #[test]
    fn layouts_have_the_parts_that_belong_to_them() {
        for card in SAMPLE.iter() {
            match card.layout.as_str() {
                "transform" => {
                    assert_eq!(card.name, format!("{} // {}", card.faces[0].name, card.faces[1].name));
                    assert!(card.faces.iter().all(|face| face.power.is_some() && face.artist.is_some()));
                    assert!(card.oracle_text.is_none() && card.flavor_text.is_none() && card.power.is_none());
                }
                "token" => {
                    assert!(card.type_line.starts_with("Token Creature — "), "{}", card.type_line);
                    assert!(card.legalities.is_empty());
                }
                _ => {
                    assert!(card.faces.is_empty());
                    assert_eq!(card.power.is_some(), card.type_line.contains("Creature"));
                    assert_eq!(card.loyalty.is_some(), card.type_line.contains("Planeswalker"));
                    assert_eq!(card.legalities.len(), 7);
                }
            }
        }
    }

    #[test]
    fn the_shares_are_those_of_the_table() {
        let cards = &*SAMPLE;
        let about = |wanted: f64, holds: &dyn Fn(&CardRecord) -> bool| {
            let share = share(cards, holds);
            assert!((share - wanted).abs() < 0.005 + wanted * 0.1, "{share} is not about {wanted}");
        };
        about(0.45, &|card| card.rarity == Rarity::Common);
        about(0.32, &|card| card.rarity == Rarity::Uncommon);
        about(0.18, &|card| card.rarity == Rarity::Rare);
        about(0.05, &|card| card.rarity == Rarity::Mythic);
        about(0.80, &|card| card.finishes == Finishes::from_iter([Finish::Nonfoil, Finish::Foil]));
        about(0.03, &|card| card.finishes.iter().any(|finish| finish == Finish::Etched));
        about(0.02, &|card| card.layout == "transform");
        about(0.015, &|card| card.layout == "token");
        about(0.03, &|card| card.promo);
        about(0.02, &|card| card.digital);
        about(0.05, &|card| card.type_line == "Land");
        assert!(share(cards, |card| !card.name.is_ascii()) > 0.05);
        assert!(share(cards, |card| card.name.contains('Æ')) > 0.01);
        assert!(share(cards, |card| card.name.contains('\'')) > 0.1);
    }

    #[test]
    fn formats_leave_out_what_is_too_old_or_too_rare() {
        let mut legal: BTreeMap<String, u32> = BTreeMap::new();
        for card in SAMPLE.iter() {
            for (format, legality) in &card.legalities {
                *legal.entry(format.clone()).or_default() += u32::from(*legality == Legality::Legal);
                if format == "pauper" && card.rarity != Rarity::Common {
                    assert_eq!(*legality, Legality::NotLegal);
                }
            }
        }
        assert!(legal["standard"] > 0);
        assert!(legal["standard"] < legal["pioneer"] && legal["pioneer"] < legal["modern"]);
        assert!(legal["modern"] < legal["legacy"] && legal["pauper"] < legal["legacy"]);
    }
}
