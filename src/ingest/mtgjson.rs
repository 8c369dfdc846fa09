//! MTGJSON's `AllPrintings`, version 5: an object of sets by code, each with its cards and tokens. The format
//! is described at <https://mtgjson.com/data-models/set/> and
//! <https://mtgjson.com/data-models/card/card-set/>.
//!
//! It has an entry for every side of a card; those of one Scryfall id are joined here, and its words become
//! Scryfall's.

mod card;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::Read;
use std::mem;

use chrono::NaiveDate;
use uuid::Uuid;

use self::card::{Entry, Printing, join};
use super::scryfall::vocabulary::{UNKNOWN_KIND, check_set, check_set_code, parse_card, set_icon_url};
use super::source::{
    BadRecord, CatalogueItem, Handler, Place, Plan, Shape, Sink, SourceError, obey, parse, walk,
};
use crate::domain::catalogue::record::SetRecord;

/// Reads an `AllPrintings` file. A set's tokens come as a set of their own where they have a code of their
/// own.
///
/// A set's name and date stand behind its cards, and the sides of a card anywhere among them, so the cards of
/// one set are held until it ends: some 1,700 of them in the largest, which is under 10 MB.
///
/// # Errors
/// Entries of a wrong shape are rejected while the rest goes on; see [`SourceError`] for what ends the
/// reading.
pub fn read(input: impl Read, sink: &mut impl Sink<CatalogueItem>) -> Result<(), SourceError> {
    walk(
        input,
        &mut Sets { sink, codes: HashSet::new(), set: Set::default(), recognized: false, met_data: false },
    )
}

struct Sets<'s, S> {
    sink: &'s mut S,
    /// The codes of the sets that were handed on.
    codes: HashSet<String>,
    set: Set,
    /// Whether a set has shown that this is a file of sets.
    recognized: bool,
    met_data: bool,
}

/// A set, as far as it has been read.
#[derive(Default)]
struct Set {
    head: Head,
    printings: Vec<Printing>,
    /// Where the printings are, by Scryfall id.
    by_id: HashMap<Uuid, usize>,
    /// Whether the list at hand is that of the tokens.
    in_tokens: bool,
    /// Whether it has anything that a set has.
    recognized: bool,
}

#[derive(Default)]
struct Head {
    code: Option<String>,
    name: Option<String>,
    kind: Option<String>,
    released_on: Option<NaiveDate>,
    block: Option<String>,
    parent_code: Option<String>,
    keyrune_code: Option<String>,
    digital: bool,
}

impl<S: Sink<CatalogueItem>> Handler for Sets<'_, S> {
    const FORMAT: &'static str = "an MTGJSON AllPrintings file";

    fn plan(&self, at: &Place) -> Plan {
        match (at.depth(), at.key()) {
            (0 | 2, _) | (1, "data") | (3, "cards" | "tokens") => Plan::Enter,
            (
                3,
                "code" | "name" | "type" | "releaseDate" | "block" | "parentCode" | "keyruneCode"
                | "isOnlineOnly",
            )
            | (4, _) => Plan::Take,
            _ => Plan::Skip,
        }
    }

    fn enter(&mut self, at: &Place, shape: Shape) -> Result<bool, SourceError> {
        match (at.depth(), shape) {
            (0, Shape::Object) => {}
            (0, _) => return Err(Self::not_this_format(shape.to_string())),
            (1, Shape::Object) => self.met_data = true,
            (2, Shape::Object) => self.set = Set::default(),
            (3, Shape::List) => {
                self.set.recognized = true;
                self.set.in_tokens = at.key() == "tokens";
            }
            (1 | 2, _) if !self.recognized => {
                return Err(Self::not_this_format(format!("an object whose {at} is {shape}")));
            }
            _ => {
                self.reject(at, format!("it is {shape}"))?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn take(&mut self, at: &Place, value: &str) -> Result<(), SourceError> {
        let read = if at.index().is_some() {
            parse_card(value).and_then(|entry| self.set.add(entry, at))
        } else {
            self.set.recognized |= at.key() == "code";
            self.set.head.read(at.key(), value)
        };
        read.or_else(|reason| self.reject(at, reason))
    }

    fn leave(&mut self, at: &Place) -> Result<(), SourceError> {
        match at.depth() {
            0 if !self.met_data => Err(Self::not_this_format("an object without data")),
            2 => self.finish_set(at),
            _ => Ok(()),
        }
    }
}

impl<S: Sink<CatalogueItem>> Sets<'_, S> {
    fn reject(&mut self, position: impl fmt::Display, reason: impl fmt::Display) -> Result<(), SourceError> {
        obey(self.sink.reject(BadRecord::new(position, reason)))
    }

    /// Hands on a set and its cards, now that all of it is known.
    fn finish_set(&mut self, at: &Place) -> Result<(), SourceError> {
        let Set { head, printings, recognized, .. } = mem::take(&mut self.set);
        if !recognized && !self.recognized {
            return Err(Self::not_this_format(format!("an object whose {at} holds no cards")));
        }
        self.recognized = true;
        let set = head.into_record(at.key());
        if let Err(reason) = check_set(&set) {
            let reason = format!("{reason}; its {} printings are left out", printings.len());
            return self.reject(at, reason);
        }
        self.codes.insert(set.code.clone());
        obey(self.sink.accept(CatalogueItem::Set(set.clone())))?;
        for printing in printings {
            let code = printing.set_code(&set);
            if !self.codes.contains(&code) {
                let tokens = token_set(&set, &code);
                if let Err(reason) = check_set(&tokens) {
                    self.reject(printing.position, reason)?;
                    continue;
                }
                self.codes.insert(code.clone());
                obey(self.sink.accept(CatalogueItem::Set(tokens)))?;
            }
            match join(&printing, code, &set) {
                Ok(card) => obey(self.sink.accept(CatalogueItem::Card(Box::new(card))))?,
                Err(reason) => self.reject(printing.position, reason)?,
            }
        }
        Ok(())
    }
}

impl Set {
    /// Puts an entry with the other sides of its card.
    fn add(&mut self, entry: Entry, at: &Place) -> Result<(), String> {
        let id = entry.identifiers.scryfall_id;
        let known = self.by_id.get(&id).and_then(|index| self.printings.get_mut(*index));
        match known {
            Some(known) if known.sides.iter().any(|side| side.uuid == entry.uuid) => {
                return Err(format!("the entry {} is there twice", entry.uuid));
            }
            Some(known) => known.sides.push(entry),
            None => {
                self.by_id.insert(id, self.printings.len());
                let position = at.to_string();
                self.printings.push(Printing { token: self.in_tokens, position, sides: vec![entry] });
            }
        }
        Ok(())
    }
}

impl Head {
    fn read(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "code" => self.code = parse(value)?,
            "name" => self.name = parse(value)?,
            "type" => self.kind = parse(value)?,
            "releaseDate" => self.released_on = parse(value)?,
            "block" => self.block = parse(value)?,
            "parentCode" => self.parent_code = parse(value)?,
            "keyruneCode" => self.keyrune_code = parse(value)?,
            "isOnlineOnly" => self.digital = parse::<Option<bool>>(value)?.unwrap_or_default(),
            _ => {}
        }
        Ok(())
    }

    /// The set, which stands under `key`.
    fn into_record(self, key: &str) -> SetRecord {
        let code = self.code.as_deref().unwrap_or(key).to_lowercase();
        let keyrune = self.keyrune_code.map(|keyrune| keyrune.to_lowercase());
        let icon = keyrune.filter(|keyrune| check_set_code(keyrune).is_ok());
        SetRecord {
            name: self.name.unwrap_or_else(|| code.to_uppercase()),
            kind: self.kind.unwrap_or_else(|| UNKNOWN_KIND.to_owned()),
            block: self.block,
            parent_code: self.parent_code.map(|parent| parent.to_lowercase()),
            released_on: self.released_on,
            icon_url: Some(set_icon_url(icon.as_deref().unwrap_or(&code))),
            digital: self.digital,
            code,
        }
    }
}

/// The set of its own that a set's tokens are in.
fn token_set(set: &SetRecord, code: &str) -> SetRecord {
    SetRecord {
        code: code.to_owned(),
        name: format!("{} Tokens", set.name),
        kind: "token".to_owned(),
        parent_code: Some(set.code.clone()),
        ..set.clone()
    }
}

#[cfg(test)]
mod tests {
    use entity::enums::Provider;
    use serde_json::{Value, json};

    use super::super::source::testing::Kept;
    use super::*;
    use crate::domain::catalogue::attributes::Color;
    use crate::domain::catalogue::record::CardRecord;

    /// An id of which only the last digits matter.
    fn id(number: u32) -> String {
        format!("1a2b3c4d-0000-4000-8000-{number:012}")
    }

    fn changed(mut record: Value, changes: Value) -> Value {
        for (key, value) in changes.as_object().unwrap() {
            record[key] = value.clone();
        }
        record
    }

    fn entry(number: u32, changes: Value) -> Value {
        let entry = json!({
            "uuid": id(number), "identifiers": {"scryfallId": id(number + 100)}, "name": "Wick Tender",
            "number": "7★", "setCode": "LMP", "layout": "normal", "rarity": "uncommon", "type": "Creature",
            "colors": ["W"], "colorIdentity": ["W"], "convertedManaCost": 2.0,
            "hasFoil": true, "hasNonFoil": true,
        });
        changed(entry, changes)
    }

    /// One side of the printing 900.
    fn side(side: &str, number: u32, changes: Value) -> Value {
        let shared = json!({
            "identifiers": {"scryfallId": id(900), "mcmId": "5", "multiverseId": number.to_string()},
            "side": side, "faceName": format!("Side {side}"), "name": "Side a // Side b",
            "keywords": ["Glow", side], "text": format!("Text {side}"),
            "colors": [if side == "a" { "B" } else { "G" }],
            "colorIdentity": ["B", "G"],
        });
        entry(number, changed(shared, changes))
    }

    fn file(cards: &[Value], tokens: &[Value]) -> Value {
        // `cards` comes first, as in the real file.
        let set = json!({
            "baseSetSize": 1, "booster": {"default": {}}, "cards": cards, "code": "LMP",
            "isOnlineOnly": false, "keyruneCode": "LAMP", "name": "Lamplight", "parentCode": "LIT",
            "releaseDate": "2031-04-05", "tokens": tokens, "type": "expansion",
        });
        json!({"meta": {"version": "5"}, "data": {"LMP": set}})
    }

    fn read_value(file: &Value) -> Kept<CatalogueItem> {
        let mut kept = Kept::new();
        read(file.to_string().as_bytes(), &mut kept).unwrap();
        kept
    }

    fn cards(kept: Kept<CatalogueItem>) -> Vec<CardRecord> {
        assert_eq!(kept.bad, []);
        let card = |item| match item {
            CatalogueItem::Card(card) => Some(*card),
            CatalogueItem::Set(_) => None,
        };
        kept.items.into_iter().filter_map(card).collect()
    }

    fn read_cards(entries: &[Value]) -> Vec<CardRecord> {
        cards(read_value(&file(entries, &[])))
    }

    fn refusal(text: &str) -> String {
        let mut kept = Kept::new();
        let error = read(text.as_bytes(), &mut kept).unwrap_err();
        assert_eq!(kept.items, []);
        error.to_string()
    }

    #[test]
    fn a_set_comes_before_its_cards_though_its_name_stands_behind_them() {
        let kept = read_value(&file(&[entry(1, json!({}))], &[]));
        let CatalogueItem::Set(set) = &kept.items[0] else { panic!("{:?}", kept.items) };
        assert_eq!(
            (set.code.as_str(), set.name.as_str(), set.kind.as_str()),
            ("lmp", "Lamplight", "expansion")
        );
        assert_eq!(set.parent_code.as_deref(), Some("lit"));
        assert_eq!(set.icon_url.as_deref(), Some("https://svgs.scryfall.io/sets/lamp.svg"));
        assert_eq!(cards(kept)[0].released_on, NaiveDate::from_ymd_opt(2031, 4, 5));
    }

    #[test]
    fn reads_the_words_of_older_and_newer_files() {
        let newer = json!({
            "manaValue": 0.5, "finishes": ["etched"], "language": "Chinese Simplified",
            "originalReleaseDate": "2032-01-02",
            "legalities": {"vintage": "Restricted"}, "isReserved": true,
            "purchaseUrls": {"cardKingdom": "https://shop.example/1", "cardKingdomFoil": "https://x.example"},
            "identifiers": {"scryfallId": id(8), "cardKingdomEtchedId": "31",
                            "tcgplayerEtchedProductId": "32"},
        });
        let cards = read_cards(&[entry(1, json!({"layout": "aftermath"})), entry(2, newer)]);
        let [older, newer] = cards.as_slice() else { panic!("{cards:?}") };
        assert_eq!((older.mana_value, older.language.as_str(), older.layout.as_str()), (2.0, "en", "split"));
        assert_eq!(older.finishes.bits(), 0b011);
        assert_eq!(
            older.image_url.as_deref(),
            Some("https://cards.scryfall.io/normal/front/1/a/1a2b3c4d-0000-4000-8000-000000000101.jpg")
        );
        assert_eq!(older.scryfall_url.as_deref(), Some("https://scryfall.com/card/lmp/7%E2%98%85"));
        assert_eq!((newer.mana_value, newer.language.as_str(), newer.reserved), (0.5, "zhs", true));
        assert_eq!(newer.finishes.bits(), 0b100);
        assert_eq!(newer.released_on, NaiveDate::from_ymd_opt(2032, 1, 2));
        assert_eq!(
            newer.purchase_urls,
            [("cardkingdom".to_owned(), "https://shop.example/1".to_owned())].into()
        );
        let ids = [
            (Provider::Mtgjson, id(2)),
            (Provider::TcgplayerEtched, "32".into()),
            (Provider::CardKingdomEtched, "31".into()),
        ];
        assert_eq!(newer.external_ids, ids);
    }

    #[test]
    fn joins_the_sides_of_a_printing_in_their_order() {
        let sides =
            [side("b", 2, json!({"layout": "transform"})), side("a", 1, json!({"layout": "transform"}))];
        let cards = read_cards(&[sides[0].clone(), entry(3, json!({})), sides[1].clone()]);
        assert_eq!(cards.len(), 2);
        let card = &cards[0];
        assert_eq!(
            (card.name.as_str(), card.type_line.as_str()),
            ("Side a // Side b", "Creature // Creature")
        );
        assert_eq!(card.oracle_text, None);
        assert_eq!(card.colors.iter().collect::<Vec<_>>(), [Color::Black]);
        assert_eq!(card.keywords, ["Glow", "a", "b"]);
        let faces: Vec<_> =
            card.faces.iter().map(|face| (face.name.as_str(), face.oracle_text.as_deref())).collect();
        assert_eq!(faces, [("Side a", Some("Text a")), ("Side b", Some("Text b"))]);
        let back = card.faces[1].image_url.as_deref();
        assert_eq!(
            back,
            Some("https://cards.scryfall.io/normal/back/1/a/1a2b3c4d-0000-4000-8000-000000000900.jpg")
        );
        let ids = [
            (Provider::Mtgjson, id(1)),
            (Provider::Cardmarket, "5".to_owned()),
            (Provider::Multiverse, "1".to_owned()),
            (Provider::Mtgjson, id(2)),
            (Provider::Multiverse, "2".to_owned()),
        ];
        assert_eq!(card.external_ids, ids);
    }

    #[test]
    fn the_halves_of_a_split_card_share_a_picture_and_their_colours() {
        let halves = ["a", "b"].map(|half| side(half, u32::from(half == "b"), json!({"layout": "split"})));
        let card = read_cards(&halves).remove(0);
        assert_eq!(card.colors.iter().collect::<Vec<_>>(), [Color::Black, Color::Green]);
        assert!(card.faces.iter().all(|face| face.image_url.is_none()));
    }

    #[test]
    fn a_part_of_a_meld_pair_has_its_own_name() {
        let card = read_cards(&[side("a", 1, json!({"layout": "meld"}))]).remove(0);
        assert_eq!((card.name.as_str(), card.oracle_text.as_deref()), ("Side a", Some("Text a")));
        assert_eq!(card.faces, []);
    }

    #[test]
    fn tokens_have_a_set_of_their_own_where_they_name_one() {
        let token = |number, code| entry(number, json!({"setCode": code, "layout": "token", "rarity": null}));
        let kept = read_value(&file(&[], &[token(1, "TLMP"), token(2, "LMP"), token(3, "TLMP")]));
        let codes = kept.items.iter().map(|item| match item {
            CatalogueItem::Set(set) => format!("set {} in {:?}", set.code, set.parent_code.as_deref()),
            CatalogueItem::Card(card) => format!("{:?} of {}", card.rarity, card.set_code),
        });
        assert_eq!(
            codes.collect::<Vec<_>>(),
            [
                r#"set lmp in Some("lit")"#,
                r#"set tlmp in Some("lmp")"#,
                "Common of tlmp",
                "Common of lmp",
                "Common of tlmp",
            ]
        );
    }

    #[test]
    fn a_bad_entry_is_left_out_and_the_rest_goes_on() {
        let bad = [
            json!(7),
            entry(1, json!({"identifiers": {}})),
            entry(2, json!({"rarity": null})),
            entry(3, json!({"language": "Dwarvish"})),
            entry(4, json!({})),
        ];
        let mut file = file(&[&[entry(4, json!({}))], &bad[..]].concat(), &[]);
        file["data"]["LMP"]["releaseDate"] = json!("soon");
        file["data"]["NIX"] = json!(0);
        file["data"]["N/X"] = json!({"cards": [entry(5, json!({}))], "code": "N/X"});
        let kept = read_value(&file);
        assert_eq!(kept.items.len(), 2);
        let mut bad: Vec<_> =
            kept.bad.iter().map(|bad| format!("{}: {}", bad.position, bad.reason)).collect();
        bad.sort();
        assert_eq!(
            bad,
            [
                "data.LMP.cards[1]: invalid type: integer `7`, expected a card object",
                "data.LMP.cards[2]: missing field `scryfallId`",
                "data.LMP.cards[3]: missing field `rarity`",
                "data.LMP.cards[4]: the language \"Dwarvish\" is not known",
                "data.LMP.cards[5]: the entry 1a2b3c4d-0000-4000-8000-000000000004 is there twice",
                "data.LMP.releaseDate: input contains invalid characters",
                "data.N/X: the set's code is not of letters and digits; its 1 printings are left out",
                "data.NIX: it is a plain value",
            ]
        );
    }

    #[test]
    fn refuses_other_formats_before_anything_is_accepted() {
        let not = |found: &str| format!("this is not an MTGJSON AllPrintings file, but {found}");
        let prices = format!(r#"{{"data": {{"{}": {{"paper": {{}}}}}}}}"#, id(1));
        assert_eq!(refusal(&prices), not(&format!("an object whose data.{} holds no cards", id(1))));
        assert_eq!(
            refusal(r#"{"data": {"Wick Tender": []}}"#),
            not("an object whose data.Wick Tender is a list")
        );
        assert_eq!(refusal(r#"{"object": "list", "data": []}"#), not("an object whose data is a list"));
        assert_eq!(refusal(r#"{"object": "error"}"#), not("an object without data"));
        assert_eq!(refusal("[1, 2]"), not("a list"));
    }
}
