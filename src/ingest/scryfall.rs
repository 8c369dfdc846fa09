//! Scryfall's bulk file of cards (`default_cards`): a list of card objects, one a printing. The format is
//! described at <https://scryfall.com/docs/api/cards>.

mod card;
mod download;
pub(super) mod vocabulary;

use std::collections::HashSet;
use std::io::Read;

use serde::Deserialize;

use self::card::read_card;
pub(super) use self::download::open_newest;
use super::source::{
    BadRecord, CatalogueItem, Handler, Place, Plan, Shape, Sink, SourceError, clip, obey, walk,
};

/// Reads a bulk file, or one page of a list as Scryfall's API answers it (`{"object":"list","data":[…]}`).
/// Each set comes once, before its first card, with that card's date: cards do not tell the set's own.
///
/// # Errors
/// Cards of a wrong shape are rejected while the rest goes on; see [`SourceError`] for what ends the reading.
pub fn read(input: impl Read, sink: &mut impl Sink<CatalogueItem>) -> Result<(), SourceError> {
    walk(input, &mut Cards { sink, sets: HashSet::new(), listed: false, recognized: false })
}

struct Cards<'s, S> {
    sink: &'s mut S,
    /// The codes of the sets that were handed on.
    sets: HashSet<String>,
    /// Whether there was a list.
    listed: bool,
    /// Whether the list has shown that it is one of cards.
    recognized: bool,
}

impl<S: Sink<CatalogueItem>> Handler for Cards<'_, S> {
    const FORMAT: &'static str = "a Scryfall file of cards";

    fn plan(&self, at: &Place) -> Plan {
        match (at.depth(), at.key()) {
            (0, _) | (1, "data") => Plan::Enter,
            (1, "object") => Plan::Take,
            _ if at.index().is_some() => Plan::Take,
            _ => Plan::Skip,
        }
    }

    fn enter(&mut self, at: &Place, shape: Shape) -> Result<bool, SourceError> {
        match (at.depth(), shape) {
            (_, Shape::List) => self.listed = true,
            (0, Shape::Object) => {}
            (0, _) => return Err(Self::not_this_format(shape.to_string())),
            _ => return Err(Self::not_this_format(format!("an object whose data is {shape}"))),
        }
        Ok(true)
    }

    fn take(&mut self, at: &Place, value: &str) -> Result<(), SourceError> {
        let Some(index) = at.index() else {
            return match value {
                r#""list""# => Ok(()),
                other => Err(Self::not_this_format(format!("an object of the kind {}", clip(other, 40)))),
            };
        };
        if !self.recognized && !is_card(value) {
            return Err(Self::not_this_format("a list of something other than cards"));
        }
        self.recognized = true;
        match read_card(value) {
            Ok((set, card)) => {
                if self.sets.insert(set.code.clone()) {
                    obey(self.sink.accept(CatalogueItem::Set(set)))?;
                }
                obey(self.sink.accept(CatalogueItem::Card(Box::new(card))))
            }
            Err(reason) => {
                let position = format!("card {}, byte {}", index + 1, at.byte());
                obey(self.sink.reject(BadRecord::new(position, reason)))
            }
        }
    }

    fn leave(&mut self, at: &Place) -> Result<(), SourceError> {
        if at.depth() == 0 && !self.listed {
            return Err(Self::not_this_format("an object without data"));
        }
        Ok(())
    }
}

/// Whether the first record of a list shows that it is a list of cards, be it a broken one.
fn is_card(record: &str) -> bool {
    #[derive(Deserialize)]
    struct Kind {
        object: Option<String>,
        collector_number: Option<String>,
    }
    let is_card = |kind: Kind| kind.object.map_or(kind.collector_number.is_some(), |object| object == "card");
    serde_json::from_str(record).is_ok_and(is_card)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use entity::enums::{Finish, Provider};
    use serde_json::{Value, json};

    use super::super::source::testing::Kept;
    use super::*;
    use crate::domain::catalogue::attributes::Color;
    use crate::domain::catalogue::record::{CardRecord, Legality};

    const ID: &str = "0a0b0c0d-0000-4000-8000-000000000001";
    const OTHER_ID: &str = "0a0b0c0d-0000-4000-8000-000000000002";

    fn card(changes: Value) -> Value {
        let mut card = json!({
            "object": "card", "id": ID, "oracle_id": OTHER_ID, "set": "lmp", "set_name": "Lamplight",
            "set_type": "expansion", "collector_number": "7a", "lang": "en", "name": "Wick Tender",
            "layout": "normal", "rarity": "uncommon", "type_line": "Creature", "mana_cost": "{1}{W}",
            "cmc": 2.0, "colors": ["W"], "color_identity": ["W", "R"], "finishes": ["nonfoil", "glossy"],
            "released_at": "2031-04-05",
        });
        for (key, value) in changes.as_object().unwrap() {
            card[key] = value.clone();
        }
        card
    }

    fn face(name: &str, changes: Value) -> Value {
        let mut face = json!({"object": "card_face", "name": name, "type_line": "Artifact", "mana_cost": ""});
        for (key, value) in changes.as_object().unwrap() {
            face[key] = value.clone();
        }
        face
    }

    fn read_text(text: &str) -> (Result<(), SourceError>, Kept<CatalogueItem>) {
        let mut kept = Kept::new();
        (read(text.as_bytes(), &mut kept), kept)
    }

    fn read_one(changes: Value) -> CardRecord {
        let (end, mut kept) = read_text(&json!([card(changes)]).to_string());
        end.unwrap();
        assert_eq!(kept.bad, []);
        match kept.items.pop() {
            Some(CatalogueItem::Card(card)) => *card,
            other => panic!("{other:?}"),
        }
    }

    fn refusal(text: &str) -> String {
        let (end, kept) = read_text(text);
        assert_eq!(kept.items, []);
        end.unwrap_err().to_string()
    }

    #[test]
    fn a_set_comes_once_before_its_first_card() {
        let text =
            json!([card(json!({})), card(json!({"id": OTHER_ID, "released_at": "2032-01-01"}))]).to_string();
        let (end, kept) = read_text(&text);
        end.unwrap();
        let CatalogueItem::Set(set) = &kept.items[0] else { panic!("{:?}", kept.items) };
        assert_eq!(
            (set.code.as_str(), set.name.as_str(), set.kind.as_str()),
            ("lmp", "Lamplight", "expansion")
        );
        assert_eq!(set.released_on, NaiveDate::from_ymd_opt(2031, 4, 5));
        assert_eq!(set.icon_url.as_deref(), Some("https://svgs.scryfall.io/sets/lmp.svg"));
        assert!(matches!(kept.items[1..], [CatalogueItem::Card(_), CatalogueItem::Card(_)]));
    }

    #[test]
    fn reads_a_page_of_a_list_like_the_bulk_file() {
        let page = json!({"object": "list", "has_more": false, "data": [card(json!({}))]});
        let (end, kept) = read_text(&page.to_string());
        end.unwrap();
        assert_eq!(kept.items.len(), 2);
    }

    #[test]
    fn keeps_what_a_plain_card_has() {
        let card = read_one(json!({
            "oracle_text": "", "scryfall_uri": "https://scryfall.com/card/lmp/7a/wick-tender?utm_source=api",
            "image_uris": {"small": "https://pic.example/s.jpg", "normal": "https://pic.example/n.jpg"},
            "legalities": {"modern": "not_legal", "vintage": "restricted", "dream": "asleep"},
            "purchase_uris": {
                "tcgplayer": "https://shop.example/1", "cardmarket": "javascript:buy()",
                "fair": "https://f.example",
            },
            "tcgplayer_id": 11, "mtgo_id": 12, "multiverse_ids": [13, 14, 13],
        }));
        assert_eq!(card.oracle_text, None);
        assert_eq!(card.mana_cost.as_deref(), Some("{1}{W}"));
        assert_eq!(card.colors.iter().collect::<Vec<_>>(), [Color::White]);
        assert_eq!(card.color_identity.iter().collect::<Vec<_>>(), [Color::White, Color::Red]);
        assert_eq!(card.finishes.iter().collect::<Vec<_>>(), [Finish::Nonfoil]);
        assert_eq!(card.scryfall_url.as_deref(), Some("https://scryfall.com/card/lmp/7a/wick-tender"));
        assert_eq!(card.image_url.as_deref(), Some("https://pic.example/n.jpg"));
        let legalities = [("modern", Legality::NotLegal), ("vintage", Legality::Restricted)];
        assert_eq!(card.legalities, legalities.map(|(format, status)| (format.to_owned(), status)).into());
        assert_eq!(
            card.purchase_urls,
            [("tcgplayer".to_owned(), "https://shop.example/1".to_owned())].into()
        );
        let ids = [
            (Provider::Tcgplayer, "11"),
            (Provider::Mtgo, "12"),
            (Provider::Multiverse, "13"),
            (Provider::Multiverse, "14"),
        ];
        assert_eq!(card.external_ids, ids.map(|(provider, id)| (provider, id.to_owned())));
    }

    #[test]
    fn falls_back_on_the_older_flags_of_finishes() {
        let card = read_one(json!({"finishes": null, "foil": true}));
        assert_eq!(card.finishes.iter().collect::<Vec<_>>(), [Finish::Foil]);
    }

    #[test]
    fn a_card_of_two_sides_has_its_texts_and_pictures_on_the_faces() {
        let picture = |side: &str| json!({"normal": format!("https://pic.example/{side}.jpg")});
        let card = read_one(json!({
            "layout": "transform", "name": "Dusk // Dawn", "mana_cost": null, "colors": null,
            "card_faces": [
                face("Dusk", json!({"colors": ["B"], "mana_cost": "{B}", "image_uris": picture("front")})),
                face("Dawn", json!({"colors": ["W"], "image_uris": picture("back")})),
            ],
        }));
        assert_eq!(card.colors.iter().collect::<Vec<_>>(), [Color::White, Color::Black]);
        assert_eq!((&card.mana_cost, &card.oracle_text), (&None, &None));
        assert_eq!(card.image_url.as_deref(), Some("https://pic.example/front.jpg"));
        assert_eq!(card.faces.len(), 2);
        assert_eq!(card.faces[0].mana_cost.as_deref(), Some("{B}"));
        assert_eq!((card.faces[1].name.as_str(), &card.faces[1].mana_cost), ("Dawn", &None));
        assert_eq!(card.faces[1].image_url.as_deref(), Some("https://pic.example/back.jpg"));
    }

    #[test]
    fn a_reversible_card_takes_from_its_faces_what_it_lacks() {
        let side = || face("Cube", json!({"oracle_id": ID, "cmc": 3.0, "type_line": "Artifact"}));
        let lacking = |faces: [Value; 2]| {
            read_one(json!({
                "layout": "reversible_card", "oracle_id": null, "cmc": null, "type_line": null,
                "card_faces": faces,
            }))
        };
        let card = lacking([side(), side()]);
        assert_eq!(card.oracle_id.map(|id| id.to_string()).as_deref(), Some(ID));
        assert_eq!((card.mana_value, card.type_line.as_str()), (3.0, "Artifact"));
        assert_eq!(lacking([side(), face("Ball", json!({"oracle_id": OTHER_ID}))]).oracle_id, None);
    }

    #[test]
    fn a_bad_card_is_left_out_by_name_and_the_rest_goes_on() {
        let mut nameless = card(json!({}));
        nameless.as_object_mut().unwrap().remove("name");
        let bad = [
            (json!("card"), "invalid type: string \"card\", expected a card object"),
            (nameless, "missing field `name`"),
            (card(json!({"rarity": "fabled"})), "the rarity \"fabled\" is not known"),
            (card(json!({"name": ""})), "the name is empty"),
            (card(json!({"name": "n".repeat(501)})), "the name is longer than 500 characters"),
            (card(json!({"artist": "a\0b"})), "a text holds a NUL character, which no database stores"),
            (card(json!({"set": "../x"})), "the set's code is not of letters and digits"),
        ];
        let first = std::iter::once(card(json!({})));
        let records =
            first.chain(bad.iter().map(|(record, _)| record.clone())).chain([card(json!({"set": "two"}))]);
        let (end, kept) = read_text(&Value::from_iter(records).to_string());
        end.unwrap();
        assert_eq!(kept.items.len(), 4);
        let reasons: Vec<_> = kept.bad.iter().map(|bad| bad.reason.as_str()).collect();
        assert_eq!(reasons, bad.map(|(_, reason)| reason));
        let byte = card(json!({})).to_string().len() + 2;
        assert_eq!(kept.bad[0].position, format!("card 2, byte {byte}"));
    }

    #[test]
    fn refuses_other_formats_before_anything_is_accepted() {
        let not = |found: &str| format!("this is not a Scryfall file of cards, but {found}");
        assert_eq!(refusal(r#"{"object": "error", "status": 404}"#), not(r#"an object of the kind "error""#));
        assert_eq!(refusal(r#"{"meta": {}, "data": {"LMP": {}}}"#), not("an object whose data is an object"));
        assert_eq!(refusal("[1, 2]"), not("a list of something other than cards"));
        assert_eq!(refusal(r#"[{"object": "set"}]"#), not("a list of something other than cards"));
        assert_eq!(refusal("{}"), not("an object without data"));
        assert_eq!(refusal("7"), not("a plain value"));
    }

    #[test]
    fn a_file_that_is_cut_short_keeps_what_came_before() {
        let whole = json!([card(json!({})), card(json!({}))]).to_string();
        let (end, kept) = read_text(&whole[..whole.len() - 20]);
        assert!(matches!(end, Err(SourceError::Malformed { .. })), "{end:?}");
        assert_eq!(kept.items.len(), 2);
    }

    #[test]
    fn stops_where_the_sink_says_so() {
        let mut kept = Kept { stop_after: 2, ..Kept::new() };
        let end = read(json!([card(json!({})), card(json!({}))]).to_string().as_bytes(), &mut kept);
        assert!(matches!(end, Err(SourceError::Stopped)), "{end:?}");
        assert_eq!(kept.items.len(), 2);
    }
}
