//! What a card is made of: faces, legalities, pictures, links.

use async_graphql::SimpleObject;

use super::enums::LegalityStatus;
use super::marketplace::Marketplace;
use crate::domain::catalogue::record::Face;
use crate::graphql::planned::plan;
use crate::graphql::scalars::Url;

/// One side or half of a card.
#[derive(Debug, Clone, SimpleObject)]
pub struct CardFace {
    /// Its own name.
    name: String,
    /// Its mana cost, in braces: `{2}{G}`.
    mana_cost: Option<String>,
    /// Its type line.
    type_line: String,
    /// Its rules text.
    oracle_text: Option<String>,
    /// Its flavour text.
    flavor_text: Option<String>,
    /// Its power, which may be `*`.
    power: Option<String>,
    /// Its toughness, which may be `*`.
    toughness: Option<String>,
    /// Its loyalty.
    loyalty: Option<String>,
    /// Who painted it.
    artist: Option<String>,
    /// Its own pictures, where it has some.
    images: Option<CardImages>,
}

impl From<Face> for CardFace {
    fn from(face: Face) -> Self {
        Self {
            name: face.name,
            mana_cost: face.mana_cost,
            type_line: face.type_line,
            oracle_text: face.oracle_text,
            flavor_text: face.flavor_text,
            power: face.power,
            toughness: face.toughness,
            loyalty: face.loyalty,
            artist: face.artist,
            images: face.image_url.as_deref().map(CardImages::of_normal),
        }
    }
}

/// Where to buy a card.
#[derive(Clone, SimpleObject)]
pub struct PurchaseLink {
    /// Who sells it.
    pub marketplace: Marketplace,
    /// The card's page there.
    pub url: Url,
}

/// Whether a card may be played in a format.
#[derive(Debug, Clone, SimpleObject)]
pub struct Legality {
    /// The format: `modern`, `commander`, …
    pub format: String,
    /// What its rules say.
    pub status: LegalityStatus,
}

/// Pictures of a card, or of a face.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub struct CardImages {
    /// 146 × 204 pixels.
    small: Option<Url>,
    /// 488 × 680 pixels.
    normal: Option<Url>,
    /// 672 × 936 pixels.
    large: Option<Url>,
    /// The artwork alone.
    art_crop: Option<Url>,
}

plan!(CardImages: fields {
    "small" => small,
    "normal" => normal,
    "large" => large,
    "artCrop" => art_crop,
});

impl CardImages {
    /// All sizes by the address of one: Scryfall's differ in one segment of the path. What has no such segment, as
    /// the picture that stands in for a missing one, is the same in every size.
    pub fn of_normal(url: &str) -> Self {
        let sized = |segment: &str| Some(Url(url.replacen("/normal/", &format!("/{segment}/"), 1)));
        Self {
            small: sized("small"),
            normal: sized("normal"),
            large: sized("large"),
            art_crop: sized("art_crop"),
        }
    }
}
