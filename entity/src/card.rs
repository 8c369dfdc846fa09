//! One printing of a card: one set, one number, one language. Tokens and other extras too.

use sea_orm::entity::prelude::*;

use crate::enums::Rarity;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cards")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sea_orm(unique)]
    pub scryfall_id: Uuid,
    pub oracle_id: Option<Uuid>,
    /// What the printings of one game piece share: the oracle id, or the Scryfall id where there is none.
    pub piece_id: Uuid,
    pub illustration_id: Option<Uuid>,
    pub set_code: String,
    pub collector_number: String,
    /// The collector number with its digits padded, so that it sorts as people count.
    pub collector_key: String,
    pub language: String,
    pub name: String,
    /// The name folded for comparison: see `domain::catalogue::name_key`.
    pub name_key: String,
    pub layout: String,
    pub rarity: Rarity,
    pub type_line: String,
    pub mana_cost: Option<String>,
    pub mana_value: f64,
    /// A bit a colour, in the order white, blue, black, red, green.
    pub colors: i16,
    pub color_identity: i16,
    /// A bit a finish: `1 << Finish`.
    pub finishes: i16,
    pub released_on: Option<Date>,
    pub promo: bool,
    pub digital: bool,
    pub reserved: bool,
    /// A token, emblem, art card or the like: found by a search only with `include:extras`. An ingest that ends puts it right.
    pub extra: bool,
    /// Made from a price record; the first catalogue that has the printing takes it over.
    pub provisional: bool,
    /// Its place among the printings of its game piece, from 1: the first stands for it in lists. A new one comes after the others until the ingest ends.
    pub place: i32,
    pub artist: Option<String>,
    /// Folded, as searches compare it; so is `flavor_key`.
    pub artist_key: Option<String>,
    pub power: Option<String>,
    pub toughness: Option<String>,
    pub loyalty: Option<String>,
    /// The picture of normal size; the others' addresses are derived from it.
    pub image_url: Option<String>,
    pub scryfall_url: Option<String>,
    pub oracle_text: Option<String>,
    pub flavor_text: Option<String>,
    pub flavor_key: Option<String>,
    /// What a search may ask of the printing, each mark between spaces: ` border:black frame:2015 game:paper `. It begins with
    /// ` ? ` where nobody has said whether it is found in boosters, or a variation.
    pub marks: String,
    pub keywords: Json,
    pub faces: Json,
    pub legalities: Json,
    /// The formats in which it is legal, a bit each: see `domain::catalogue::formats`.
    pub legal: i64,
    pub restricted: i64,
    pub banned: i64,
    pub purchase_urls: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::card_set::Entity",
        from = "Column::SetCode",
        to = "super::card_set::Column::Code"
    )]
    Set,
    #[sea_orm(has_many = "super::card_price::Entity")]
    Prices,
}

impl Related<super::card_set::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Set.def()
    }
}

impl Related<super::card_price::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Prices.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
