//! One card object of Scryfall, and the record that it becomes.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::enums::Provider;
use serde::Deserialize;
use uuid::Uuid;

use super::vocabulary::{
    self, UNKNOWN_KIND, check_card, check_set, colors, distinct, filled, finishes, legalities, parse_card,
    rarity, set_icon_url, web_url,
};
use crate::domain::catalogue::attributes::COLORLESS_MANA;
use crate::domain::catalogue::record::{CardRecord, Face, InSet, Print, SetRecord};

/// Where Scryfall's link to a shop names the marketplace as the product does.
const MARKETPLACES: [&str; 3] = ["tcgplayer", "cardmarket", "cardhoarder"];

/// What a card object says, of its set too.
pub(super) fn read_card(record: &str) -> Result<(SetRecord, CardRecord), String> {
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
            in_set: Some(InSet { booster: self.booster, variation: self.variation }),
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
