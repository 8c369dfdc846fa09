//! What a row of another app's file comes to, by what was found for it: where two things that it says mean two cards, it is
//! rejected with both named; where something is not sure, that is said.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::names::name_key;
use super::resolve::{FoundCard, NamedSet, Resolved, pick, plain_number};
use crate::domain::import::ImportRow;
use crate::error::Code;

/// A row, with what is known of what it names.
pub(super) struct Asked<'a> {
    pub row: &'a ImportRow,
    pub set: NamedSet,
    pub pieces: Option<&'a BTreeSet<Uuid>>,
}

impl Asked<'_> {
    /// The printings of the card that the row names, those first that have just this name.
    pub fn named<'c>(&self, printings: &'c HashMap<Uuid, Vec<FoundCard>>) -> Vec<&'c FoundCard> {
        let pieces = self.pieces.into_iter().flatten();
        let mut named: Vec<&FoundCard> = pieces.filter_map(|piece| printings.get(piece)).flatten().collect();
        let key = self.row.name.as_deref().map(name_key).unwrap_or_default();
        named.sort_by_key(|card| card.name_key != key);
        named
    }

    /// The printing that stands for it.
    pub fn newest<'c>(&self, named: &[&'c FoundCard]) -> Option<&'c FoundCard> {
        let first = named.iter().copied().find(|card| card.place == 1);
        first.or_else(|| pick(named.iter().copied(), self.row))
    }

    pub fn decide(
        &self,
        by_id: Option<FoundCard>,
        by_number: Option<&FoundCard>,
        printings: &HashMap<Uuid, Vec<FoundCard>>,
    ) -> Resolved {
        let is_named = |card: &FoundCard| self.pieces.is_none_or(|pieces| pieces.contains(&card.piece_id));
        if let Some(card) = by_id {
            return if is_named(&card) {
                self.by_id(card, by_number)
            } else {
                self.contradiction("id means", &card)
            };
        }
        if let Some(card) = by_number {
            if !is_named(card) {
                return self.contradiction("set and number mean", card);
            }
            let note = self.unknown_name("set and number", card);
            return Resolved::Card(Box::new(card.clone()), note);
        }
        if self.pieces.is_none() {
            let message = match self.row.name.as_deref() {
                Some(name) => format!("There is no card “{name}”."),
                None => "The row names no card that is known.".to_owned(),
            };
            return Resolved::Rejected(Code::RowCardNotFound, message);
        }
        let named = self.named(printings);
        if let NamedSet::Known(set) = &self.set {
            let in_set: Vec<&FoundCard> =
                named.iter().copied().filter(|card| card.set_code == *set).collect();
            if let Some(card) = pick(in_set.iter().copied(), self.row) {
                let others = in_set.iter().filter(|other| other.language == card.language).count();
                return Resolved::Card(Box::new(card.clone()), self.not_by_number(set, card, others));
            }
        }
        if let NamedSet::Unknown(name) = &self.set {
            return Resolved::Rejected(Code::RowCardNotFound, format!("There is no set “{name}”."));
        }
        match self.newest(&named) {
            Some(card) => {
                let why = match &self.set {
                    NamedSet::Known(set) => format!("There is no such card in {}: i", set.to_uppercase()),
                    _ => "I".to_owned(),
                };
                let note = format!("{why}mported as its newest printing, {}.", card.told());
                Resolved::Card(Box::new(card.clone()), Some(note))
            }
            None => {
                Resolved::Rejected(Code::RowCardNotFound, "There is no printing of this card.".to_owned())
            }
        }
    }

    /// A card that an id means, and the name does not gainsay.
    fn by_id(&self, card: FoundCard, by_number: Option<&FoundCard>) -> Resolved {
        let other = by_number.filter(|other| !other.is_at(&card.set_code, &card.collector_number));
        let note = match other {
            Some(other) if other.piece_id != card.piece_id => {
                let message =
                    format!("The id means {}, the set and number mean {}.", card.told(), other.told());
                return Resolved::Rejected(Code::RowCardAmbiguous, message);
            }
            Some(other) => {
                let [other, card] = [other.told(), card.told()];
                Some(format!("The set and number mean {other}: imported by its id as {card}."))
            }
            None => self.unknown_name("id", &card),
        };
        Resolved::Card(Box::new(card), note)
    }

    /// What is to be said of a card that was found by its set and name.
    fn not_by_number(&self, set: &str, card: &FoundCard, others: usize) -> Option<String> {
        let set = set.to_uppercase();
        let why = match (plain_number(self.row), others > 1) {
            (Some(number), false) => format!("There is no number {number} in {set}"),
            (Some(number), true) => {
                format!("There is no number {number} in {set}, and {others} printings there have this name")
            }
            (None, true) => format!("{others} printings in this set have this name"),
            (None, false) => return None,
        };
        Some(format!("{why}: imported as {}.", card.told()))
    }

    /// What is to be said where the name is not known, but something else is.
    fn unknown_name(&self, by: &str, card: &FoundCard) -> Option<String> {
        let name = self.row.name.as_deref().filter(|_| self.pieces.is_none())?;
        Some(format!("There is no card “{name}”: imported by its {by} as {}.", card.told()))
    }

    fn contradiction(&self, what_means: &str, card: &FoundCard) -> Resolved {
        let name = self.row.name.as_deref().unwrap_or_default();
        let message = format!("The {what_means} {}, the name says “{name}”.", card.told());
        Resolved::Rejected(Code::RowCardAmbiguous, message)
    }
}
