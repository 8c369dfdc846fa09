//! One card of MTGJSON: an entry for each side, joined, in Scryfall's words.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::enums::{Provider, Rarity};
use serde::Deserialize;
use uuid::Uuid;

use crate::domain::catalogue::record::{CardRecord, Face, Print, PurchaseUrls, SetRecord};
use crate::ingest::scryfall::vocabulary::{
    check_card, colors, distinct, filled, finishes, legalities, rarity, web_url,
};

/// Layouts with a picture on each of two sides.
const TWO_SIDED: [&str; 6] =
    ["transform", "modal_dfc", "meld", "double_faced_token", "reversible_card", "art_series"];

/// What MTGJSON and the product call a marketplace that it links to.
const MARKETPLACES: [(&str, &str); 3] =
    [("cardKingdom", "cardkingdom"), ("tcgplayer", "tcgplayer"), ("cardmarket", "cardmarket")];

const LANGUAGES: [(&str, &str); 18] = [
    ("English", "en"),
    ("Spanish", "es"),
    ("French", "fr"),
    ("German", "de"),
    ("Italian", "it"),
    ("Portuguese (Brazil)", "pt"),
    ("Japanese", "ja"),
    ("Korean", "ko"),
    ("Russian", "ru"),
    ("Chinese Simplified", "zhs"),
    ("Chinese Traditional", "zht"),
    ("Hebrew", "he"),
    ("Latin", "la"),
    ("Ancient Greek", "grc"),
    ("Arabic", "ar"),
    ("Sanskrit", "sa"),
    ("Phyrexian", "ph"),
    ("Quenya", "qya"),
];

/// The sides of one printing; at least one.
pub(super) struct Printing {
    pub(super) token: bool,
    pub(super) position: String,
    pub(super) sides: Vec<Entry>,
}

impl Printing {
    /// The set that it is in: the one around it, unless it is a token that names another.
    pub(super) fn set_code(&self, set: &SetRecord) -> String {
        let named = self.sides.iter().find_map(|side| side.set_code.as_ref()).filter(|_| self.token);
        named.map_or_else(|| set.code.clone(), |code| code.to_lowercase())
    }
}

/// An entry of `cards` or `tokens`, as far as it is used: a card, or one side of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a card object")]
pub(super) struct Entry {
    pub(super) uuid: Uuid,
    pub(super) identifiers: Identifiers,
    name: String,
    face_name: Option<String>,
    /// `a`, `b`, …
    side: Option<String>,
    number: String,
    set_code: Option<String>,
    layout: String,
    rarity: Option<String>,
    language: Option<String>,
    #[serde(default)]
    r#type: String,
    text: Option<String>,
    flavor_text: Option<String>,
    mana_cost: Option<String>,
    /// Of the whole card. Its older name is the next.
    mana_value: Option<f64>,
    converted_mana_cost: Option<f64>,
    power: Option<String>,
    toughness: Option<String>,
    loyalty: Option<String>,
    artist: Option<String>,
    #[serde(default)]
    colors: Vec<String>,
    #[serde(default)]
    color_identity: Vec<String>,
    #[serde(default)]
    keywords: Vec<String>,
    /// In newer files; the older flags are the next two.
    #[serde(default)]
    finishes: Vec<String>,
    #[serde(default)]
    has_non_foil: bool,
    #[serde(default)]
    has_foil: bool,
    #[serde(default)]
    is_promo: bool,
    #[serde(default)]
    is_online_only: bool,
    #[serde(default)]
    is_reserved: bool,
    original_release_date: Option<String>,
    frame_version: Option<String>,
    #[serde(default)]
    frame_effects: Vec<String>,
    border_color: Option<String>,
    watermark: Option<String>,
    #[serde(default)]
    availability: Vec<String>,
    #[serde(default)]
    promo_types: Vec<String>,
    security_stamp: Option<String>,
    #[serde(default)]
    is_full_art: bool,
    #[serde(default)]
    is_textless: bool,
    #[serde(default)]
    is_oversized: bool,
    #[serde(default)]
    is_reprint: bool,
    #[serde(default)]
    is_story_spotlight: bool,
    #[serde(default)]
    legalities: BTreeMap<String, String>,
    #[serde(default)]
    purchase_urls: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identifiers {
    pub(super) scryfall_id: Uuid,
    scryfall_oracle_id: Option<Uuid>,
    scryfall_illustration_id: Option<Uuid>,
    tcgplayer_product_id: Option<String>,
    tcgplayer_etched_product_id: Option<String>,
    mcm_id: Option<String>,
    card_kingdom_id: Option<String>,
    card_kingdom_foil_id: Option<String>,
    card_kingdom_etched_id: Option<String>,
    mtgo_id: Option<String>,
    mtgo_foil_id: Option<String>,
    mtg_arena_id: Option<String>,
    multiverse_id: Option<String>,
}

/// One card of the sides that a printing has.
pub(super) fn join(printing: &Printing, set_code: String, set: &SetRecord) -> Result<CardRecord, String> {
    let mut sides: Vec<&Entry> = printing.sides.iter().collect();
    sides.sort_by_key(|entry| entry.side.as_deref());
    let first = *sides.first().ok_or("it has no side")?;
    let id = first.identifiers.scryfall_id;
    let layout = if first.layout == "aftermath" { "split" } else { &first.layout };
    let faces = if sides.len() > 1 { faces(&sides, layout) } else { Vec::new() };
    // Texts of a card with faces stand on the faces.
    let own = |text: &Option<String>| filled(text.clone()).filter(|_| faces.is_empty());
    let card = CardRecord {
        scryfall_id: id,
        oracle_id: first.identifiers.scryfall_oracle_id,
        illustration_id: first.identifiers.scryfall_illustration_id,
        scryfall_url: Some(page_url(&set_code, &first.number)),
        set_code,
        collector_number: first.number.clone(),
        language: language(first.language.as_deref())?,
        name: name(first, faces.is_empty()),
        layout: layout.to_owned(),
        rarity: match &first.rarity {
            Some(name) => rarity(name)?,
            None if printing.token => Rarity::Common,
            None => return Err("missing field `rarity`".to_owned()),
        },
        type_line: sides.iter().map(|side| side.r#type.as_str()).collect::<Vec<_>>().join(" // "),
        mana_cost: own(&first.mana_cost),
        mana_value: first.mana_value.or(first.converted_mana_cost).unwrap_or_default(),
        // The halves of a split card are one card at once; of other cards, the first side is what it is.
        colors: match layout {
            "split" => colors(sides.iter().flat_map(|side| &side.colors)),
            _ => colors(&first.colors),
        },
        color_identity: colors(sides.iter().flat_map(|side| &side.color_identity)),
        finishes: finishes(&first.finishes, first.has_non_foil, first.has_foil),
        released_on: original_date(first).or(set.released_on),
        promo: sides.iter().any(|side| side.is_promo),
        digital: set.digital || first.is_online_only,
        reserved: sides.iter().any(|side| side.is_reserved),
        artist: filled(Some(distinct(sides.iter().filter_map(|side| side.artist.as_deref())).join(" & "))),
        power: own(&first.power),
        toughness: own(&first.toughness),
        loyalty: own(&first.loyalty),
        image_url: Some(image_url(id, "front")),
        oracle_text: own(&first.text),
        flavor_text: own(&first.flavor_text),
        keywords: distinct(sides.iter().flat_map(|side| side.keywords.iter().cloned())),
        legalities: legalities(first.legalities.clone()),
        purchase_urls: purchase_urls(&sides),
        external_ids: external_ids(&sides),
        print: print(&sides, first),
        faces,
    };
    check_card(&card)?;
    Ok(card)
}

/// How it looks, which the sides mostly share.
fn print(sides: &[&Entry], first: &Entry) -> Print {
    let any = |flag: fn(&Entry) -> bool| sides.iter().any(|side| flag(side));
    Print {
        frame: filled(first.frame_version.clone()),
        frame_effects: distinct(sides.iter().flat_map(|side| side.frame_effects.iter().cloned())),
        border: filled(first.border_color.clone()),
        watermark: filled(sides.iter().find_map(|side| side.watermark.clone())),
        games: first.availability.clone(),
        promo_types: first.promo_types.clone(),
        security_stamp: filled(first.security_stamp.clone()),
        full_art: any(|side| side.is_full_art),
        textless: any(|side| side.is_textless),
        oversized: any(|side| side.is_oversized),
        reprint: any(|side| side.is_reprint),
        spotlight: any(|side| side.is_story_spotlight),
        // MTGJSON says neither of a card.
        in_set: None,
        produced: None,
    }
}

fn faces(sides: &[&Entry], layout: &str) -> Vec<Face> {
    let sided = TWO_SIDED.contains(&layout);
    let picture = |index: usize, id| image_url(id, if index == 0 { "front" } else { "back" });
    let face = |(index, side): (usize, &&Entry)| Face {
        name: side.face_name.as_ref().unwrap_or(&side.name).clone(),
        mana_cost: filled(side.mana_cost.clone()),
        type_line: side.r#type.clone(),
        oracle_text: filled(side.text.clone()),
        flavor_text: filled(side.flavor_text.clone()),
        power: filled(side.power.clone()),
        toughness: filled(side.toughness.clone()),
        loyalty: filled(side.loyalty.clone()),
        artist: filled(side.artist.clone()),
        image_url: sided.then(|| picture(index, side.identifiers.scryfall_id)),
    };
    sides.iter().enumerate().map(face).collect()
}

/// MTGJSON names a part of a meld pair after the card that the pair becomes, too; that card is a printing of
/// its own.
fn name(entry: &Entry, alone: bool) -> String {
    let own = entry.face_name.as_ref().filter(|_| alone && entry.layout == "meld");
    own.unwrap_or(&entry.name).clone()
}

fn language(name: Option<&str>) -> Result<String, String> {
    let name = name.unwrap_or("English");
    let known = LANGUAGES.iter().find(|(theirs, _)| *theirs == name);
    known.map(|(_, code)| (*code).to_owned()).ok_or_else(|| format!("the language {name:?} is not known"))
}

/// Of a card that came out later than its set. A date that is not whole, as there are some, says no more than
/// the set's.
fn original_date(entry: &Entry) -> Option<NaiveDate> {
    entry.original_release_date.as_ref()?.parse().ok()
}

/// The picture of normal size of one side, `front` or `back`, where Scryfall keeps it.
fn image_url(id: Uuid, side: &str) -> String {
    let id = id.to_string();
    format!("https://cards.scryfall.io/normal/{side}/{}/{}/{id}.jpg", &id[..1], &id[1..2])
}

/// The card's page at Scryfall. Some numbers have a star or a dagger in them.
fn page_url(set_code: &str, number: &str) -> String {
    let mut url = format!("https://scryfall.com/card/{set_code}/");
    for byte in number.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(byte.into()),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

fn purchase_urls(sides: &[&Entry]) -> PurchaseUrls {
    let url = |(theirs, ours): (&str, &str)| {
        let url = sides.iter().find_map(|side| web_url(side.purchase_urls.get(theirs)?))?;
        Some((ours.to_owned(), url))
    };
    MARKETPLACES.into_iter().filter_map(url).collect()
}

/// Every side has an MTGJSON id of its own, and often a Multiverse id; the rest they share.
fn external_ids(sides: &[&Entry]) -> Vec<(Provider, String)> {
    let ids = sides.iter().flat_map(|side| {
        let ids = &side.identifiers;
        let named = [
            (Provider::Tcgplayer, &ids.tcgplayer_product_id),
            (Provider::TcgplayerEtched, &ids.tcgplayer_etched_product_id),
            (Provider::Cardmarket, &ids.mcm_id),
            (Provider::CardKingdom, &ids.card_kingdom_id),
            (Provider::CardKingdomFoil, &ids.card_kingdom_foil_id),
            (Provider::CardKingdomEtched, &ids.card_kingdom_etched_id),
            (Provider::Mtgo, &ids.mtgo_id),
            (Provider::MtgoFoil, &ids.mtgo_foil_id),
            (Provider::Arena, &ids.mtg_arena_id),
            (Provider::Multiverse, &ids.multiverse_id),
        ];
        let named = named.into_iter().filter_map(|(provider, id)| Some((provider, filled(id.clone())?)));
        [(Provider::Mtgjson, side.uuid.to_string())].into_iter().chain(named)
    });
    distinct(ids)
}
