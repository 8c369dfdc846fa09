//! Scryfall's bulk file of cards (`default_cards`): a list of card objects, one a printing. The format is
//! described at <https://scryfall.com/docs/api/cards>.

mod download;
pub(super) mod vocabulary;

use std::collections::{BTreeMap, HashSet};
use std::io::Read;

use chrono::NaiveDate;
use entity::enums::Provider;
use serde::Deserialize;
use uuid::Uuid;

pub(super) use self::download::open_newest;
use self::vocabulary::{
    UNKNOWN_KIND, check_card, check_set, colors, distinct, filled, finishes, legalities, parse_card, rarity,
    set_icon_url, web_url,
};
use super::source::{
    BadRecord, CatalogueItem, Handler, Place, Plan, Shape, Sink, SourceError, clip, obey, walk,
};
use crate::domain::catalogue::attributes::COLORLESS_MANA;
use crate::domain::catalogue::record::{CardRecord, Face, Print, SetRecord};

/// Where Scryfall's link to a shop names the marketplace as the product does.
const MARKETPLACES: [&str; 3] = ["tcgplayer", "cardmarket", "cardhoarder"];

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

fn read_card(record: &str) -> Result<(SetRecord, CardRecord), String> {
    let card: Card = parse_card(record)?;
    let set = card.set_record();
    check_set(&set)?;
    let card = card.into_record()?;
    check_card(&card)?;
    Ok((set, card))
}

/// A card object, as far as it is used. What Scryfall calls nullable is optional here.
#[derive(Deserialize)]
#[serde(expecting = "a card object")]
struct Card {
    id: Uuid,
    oracle_id: Option<Uuid>,
    illustration_id: Option<Uuid>,
    set: String,
    set_name: Option<String>,
    set_type: Option<String>,
    collector_number: String,
    lang: String,
    name: String,
    layout: String,
    rarity: String,
    type_line: Option<String>,
    mana_cost: Option<String>,
    cmc: Option<f64>,
    colors: Option<Vec<String>>,
    color_identity: Option<Vec<String>>,
    finishes: Option<Vec<String>>,
    #[serde(default)]
    foil: bool,
    #[serde(default)]
    nonfoil: bool,
    released_at: Option<NaiveDate>,
    #[serde(default)]
    promo: bool,
    #[serde(default)]
    digital: bool,
    #[serde(default)]
    reserved: bool,
    artist: Option<String>,
    power: Option<String>,
    toughness: Option<String>,
    loyalty: Option<String>,
    oracle_text: Option<String>,
    flavor_text: Option<String>,
    image_uris: Option<Images>,
    scryfall_uri: Option<String>,
    keywords: Option<Vec<String>>,
    card_faces: Option<Vec<CardFace>>,
    legalities: Option<BTreeMap<String, String>>,
    purchase_uris: Option<BTreeMap<String, Option<String>>>,
    tcgplayer_id: Option<u64>,
    tcgplayer_etched_id: Option<u64>,
    cardmarket_id: Option<u64>,
    mtgo_id: Option<u64>,
    mtgo_foil_id: Option<u64>,
    arena_id: Option<u64>,
    multiverse_ids: Option<Vec<u64>>,
    frame: Option<String>,
    frame_effects: Option<Vec<String>>,
    border_color: Option<String>,
    watermark: Option<String>,
    games: Option<Vec<String>>,
    promo_types: Option<Vec<String>>,
    security_stamp: Option<String>,
    produced_mana: Option<Vec<String>>,
    #[serde(default)]
    full_art: bool,
    #[serde(default)]
    textless: bool,
    #[serde(default)]
    oversized: bool,
    #[serde(default)]
    reprint: bool,
    #[serde(default)]
    story_spotlight: bool,
    #[serde(default)]
    booster: bool,
    #[serde(default)]
    variation: bool,
}

#[derive(Deserialize)]
struct CardFace {
    oracle_id: Option<Uuid>,
    illustration_id: Option<Uuid>,
    name: String,
    type_line: Option<String>,
    cmc: Option<f64>,
    colors: Option<Vec<String>>,
    mana_cost: Option<String>,
    oracle_text: Option<String>,
    flavor_text: Option<String>,
    power: Option<String>,
    toughness: Option<String>,
    loyalty: Option<String>,
    artist: Option<String>,
    watermark: Option<String>,
    image_uris: Option<Images>,
}

#[derive(Deserialize)]
struct Images {
    normal: Option<String>,
}

impl Card {
    fn set_record(&self) -> SetRecord {
        let code = self.set.to_lowercase();
        SetRecord {
            name: self.set_name.clone().unwrap_or_else(|| self.set.to_uppercase()),
            kind: self.set_type.clone().unwrap_or_else(|| UNKNOWN_KIND.to_owned()),
            block: None,
            parent_code: None,
            released_on: self.released_at,
            icon_url: Some(set_icon_url(&code)),
            digital: self.digital,
            code,
        }
    }

    fn into_record(self) -> Result<CardRecord, String> {
        let rarity = rarity(&self.rarity)?;
        let external_ids = self.external_ids();
        let print = self.print();
        let faces = self.card_faces.unwrap_or_default();
        let first = faces.first();
        let colors = match &self.colors {
            Some(letters) => colors(letters),
            None => colors(faces.iter().filter_map(|face| face.colors.as_ref()).flatten()),
        };
        Ok(CardRecord {
            scryfall_id: self.id,
            oracle_id: self.oracle_id.or_else(|| shared_oracle_id(&faces)),
            illustration_id: self.illustration_id.or_else(|| first?.illustration_id),
            set_code: self.set.to_lowercase(),
            collector_number: self.collector_number,
            language: self.lang,
            name: self.name,
            layout: self.layout,
            rarity,
            type_line: self.type_line.or_else(|| first?.type_line.clone()).unwrap_or_default(),
            mana_cost: filled(self.mana_cost),
            mana_value: self.cmc.or_else(|| first?.cmc).unwrap_or_default(),
            colors,
            color_identity: vocabulary::colors(self.color_identity.iter().flatten()),
            finishes: finishes(self.finishes.iter().flatten(), self.nonfoil, self.foil),
            released_on: self.released_at,
            promo: self.promo,
            digital: self.digital,
            reserved: self.reserved,
            artist: filled(self.artist),
            power: filled(self.power),
            toughness: filled(self.toughness),
            loyalty: filled(self.loyalty),
            image_url: normal_image(self.image_uris.as_ref())
                .or_else(|| normal_image(first?.image_uris.as_ref())),
            scryfall_url: self.scryfall_uri.as_deref().and_then(|url| web_url(without_query(url))),
            oracle_text: filled(self.oracle_text),
            flavor_text: filled(self.flavor_text),
            keywords: self.keywords.unwrap_or_default(),
            legalities: legalities(self.legalities.unwrap_or_default()),
            purchase_urls: self
                .purchase_uris
                .unwrap_or_default()
                .into_iter()
                .filter(|(marketplace, _)| MARKETPLACES.contains(&marketplace.as_str()))
                .filter_map(|(marketplace, url)| Some((marketplace, web_url(&url?)?)))
                .collect(),
            external_ids,
            print,
            faces: if faces.len() > 1 {
                faces.into_iter().map(CardFace::into_face).collect()
            } else {
                Vec::new()
            },
        })
    }

    fn print(&self) -> Print {
        let of_a_face = || self.card_faces.iter().flatten().find_map(|face| face.watermark.clone());
        Print {
            frame: filled(self.frame.clone()),
            frame_effects: self.frame_effects.clone().unwrap_or_default(),
            border: filled(self.border_color.clone()),
            watermark: filled(self.watermark.clone().or_else(of_a_face)),
            games: self.games.clone().unwrap_or_default(),
            promo_types: self.promo_types.clone().unwrap_or_default(),
            security_stamp: filled(self.security_stamp.clone()),
            full_art: self.full_art,
            textless: self.textless,
            oversized: self.oversized,
            reprint: self.reprint,
            spotlight: self.story_spotlight,
            booster: self.booster,
            variation: self.variation,
            produced: self.produced_mana.as_deref().map(produced_bits),
        }
    }

    fn external_ids(&self) -> Vec<(Provider, String)> {
        let single = [
            (Provider::Tcgplayer, self.tcgplayer_id),
            (Provider::TcgplayerEtched, self.tcgplayer_etched_id),
            (Provider::Cardmarket, self.cardmarket_id),
            (Provider::Mtgo, self.mtgo_id),
            (Provider::MtgoFoil, self.mtgo_foil_id),
            (Provider::Arena, self.arena_id),
        ];
        let multiverse = self.multiverse_ids.iter().flatten().map(|id| (Provider::Multiverse, Some(*id)));
        let ids = single.into_iter().chain(multiverse);
        distinct(ids.filter_map(|(provider, id)| Some((provider, id?.to_string()))))
    }
}

impl CardFace {
    fn into_face(self) -> Face {
        Face {
            image_url: normal_image(self.image_uris.as_ref()),
            name: self.name,
            mana_cost: filled(self.mana_cost),
            type_line: self.type_line.unwrap_or_default(),
            oracle_text: filled(self.oracle_text),
            flavor_text: filled(self.flavor_text),
            power: filled(self.power),
            toughness: filled(self.toughness),
            loyalty: filled(self.loyalty),
            artist: filled(self.artist),
        }
    }
}

/// The colours' bits, then one for colourless.
fn produced_bits(letters: &[String]) -> i16 {
    let colorless = letters.iter().any(|letter| letter == "C");
    colors(letters).bits() | if colorless { COLORLESS_MANA } else { 0 }
}

/// A reversible card has its oracle id on both faces, where it is the same.
fn shared_oracle_id(faces: &[CardFace]) -> Option<Uuid> {
    let id = faces.first()?.oracle_id;
    faces.iter().all(|face| face.oracle_id == id).then_some(id)?
}

fn normal_image(images: Option<&Images>) -> Option<String> {
    web_url(images?.normal.as_deref()?)
}

/// Scryfall adds who asked for a link to it.
fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(address, _)| address)
}

#[cfg(test)]
mod tests {
    use entity::enums::Finish;
    use serde_json::{Value, json};

    use super::super::source::testing::Kept;
    use super::*;
    use crate::domain::catalogue::attributes::Color;
    use crate::domain::catalogue::record::Legality;

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
