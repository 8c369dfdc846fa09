//! A set and a printing as a source of data describes them, before they have a row.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::enums::{Provider, Rarity};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::attributes::{Colors, Finishes};

/// A set as a source describes it. The code is lower case.
#[derive(Debug, Clone, PartialEq)]
pub struct SetRecord {
    pub code: String,
    pub name: String,
    /// Scryfall's set type: `expansion`, `core`, `token`, …
    pub kind: String,
    pub block: Option<String>,
    pub parent_code: Option<String>,
    pub released_on: Option<NaiveDate>,
    pub icon_url: Option<String>,
    pub digital: bool,
}

/// One printing as a source describes it. Texts of a card with several faces stand on the faces.
#[derive(Debug, Clone, PartialEq)]
pub struct CardRecord {
    pub scryfall_id: Uuid,
    pub oracle_id: Option<Uuid>,
    pub illustration_id: Option<Uuid>,
    /// Lower case.
    pub set_code: String,
    pub collector_number: String,
    /// Scryfall's code: `en`, `ja`, `zhs`, …
    pub language: String,
    pub name: String,
    pub layout: String,
    pub rarity: Rarity,
    pub type_line: String,
    pub mana_cost: Option<String>,
    pub mana_value: f64,
    pub colors: Colors,
    pub color_identity: Colors,
    pub finishes: Finishes,
    pub released_on: Option<NaiveDate>,
    pub promo: bool,
    pub digital: bool,
    pub reserved: bool,
    pub artist: Option<String>,
    pub power: Option<String>,
    pub toughness: Option<String>,
    pub loyalty: Option<String>,
    /// The picture of normal size.
    pub image_url: Option<String>,
    pub scryfall_url: Option<String>,
    pub oracle_text: Option<String>,
    pub flavor_text: Option<String>,
    pub keywords: Vec<String>,
    /// Two or more, or none.
    pub faces: Vec<Face>,
    pub legalities: Legalities,
    pub purchase_urls: PurchaseUrls,
    pub external_ids: Vec<(Provider, String)>,
    pub print: Print,
}

impl CardRecord {
    /// An English printing of which no more is known than what it is called.
    pub fn bare(scryfall_id: Uuid, name: &str, set_code: &str, collector_number: &str) -> Self {
        Self {
            scryfall_id,
            oracle_id: None,
            illustration_id: None,
            set_code: set_code.to_owned(),
            collector_number: collector_number.to_owned(),
            language: "en".to_owned(),
            name: name.to_owned(),
            layout: "normal".to_owned(),
            rarity: Rarity::Common,
            type_line: String::new(),
            mana_cost: None,
            mana_value: 0.0,
            colors: Colors::default(),
            color_identity: Colors::default(),
            finishes: Finishes::default(),
            released_on: None,
            promo: false,
            digital: false,
            reserved: false,
            artist: None,
            power: None,
            toughness: None,
            loyalty: None,
            image_url: None,
            scryfall_url: None,
            oracle_text: None,
            flavor_text: None,
            keywords: Vec::new(),
            faces: Vec::new(),
            legalities: BTreeMap::new(),
            purchase_urls: BTreeMap::new(),
            external_ids: Vec::new(),
            print: Print::default(),
        }
    }
}

/// How a printing looks and where it is to be had, in Scryfall's words.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Print {
    /// `1993`, `1997`, `2003`, `2015`, `future`.
    pub frame: Option<String>,
    /// `legendary`, `showcase`, …
    pub frame_effects: Vec<String>,
    /// `black`, `white`, `borderless`, …
    pub border: Option<String>,
    pub watermark: Option<String>,
    /// `paper`, `mtgo`, `arena`.
    pub games: Vec<String>,
    /// `buyabox`, `prerelease`, …
    pub promo_types: Vec<String>,
    pub security_stamp: Option<String>,
    pub full_art: bool,
    pub textless: bool,
    pub oversized: bool,
    pub reprint: bool,
    pub spotlight: bool,
    /// None where the source does not know.
    pub in_set: Option<InSet>,
    /// The mana that the card can make, as bits, where the source says it.
    pub produced: Option<i16>,
}

/// What a printing is among those of its set.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct InSet {
    /// Found in boosters.
    pub booster: bool,
    /// Another version of a card in the same set.
    pub variation: bool,
}

/// By format, as Scryfall names it: `modern`, `commander`, …
pub type Legalities = BTreeMap<String, Legality>;

/// By the slug of the marketplace.
pub type PurchaseUrls = BTreeMap<String, String>;

/// Whether a format's rules let a card be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Legality {
    Legal,
    NotLegal,
    Restricted,
    Banned,
}

/// One side or half of a card, as it is stored in `cards.faces`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Face {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mana_cost: Option<String>,
    pub type_line: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oracle_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flavor_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toughness: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loyalty: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artist: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
}
