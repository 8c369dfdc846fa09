//! The schema's enums, each beside the one that the domain knows.

use async_graphql::Enum;
use entity::enums;

use crate::db::Direction;
use crate::domain::catalogue::attributes;
use crate::domain::catalogue::record::Legality;
use crate::domain::catalogue::{self};
use crate::domain::collection;
use crate::graphql::json::Json;
use crate::graphql::planned::{At, Write, enum_name};

/// How rare a printing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "enums::Rarity")]
pub enum Rarity {
    /// Printed most often.
    Common,
    /// Between common and rare.
    Uncommon,
    /// One in most packs.
    Rare,
    /// Rarer than rare.
    Mythic,
    /// Outside the usual rarities, as time-shifted cards.
    Special,
    /// Of a bonus sheet, as the Power Nine of Vintage Masters.
    Bonus,
}

/// One of the game's five colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "attributes::Color")]
pub enum Color {
    /// W
    White,
    /// U
    Blue,
    /// B
    Black,
    /// R
    Red,
    /// G
    Green,
}

/// The surface of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "enums::Finish")]
pub enum Finish {
    /// The ordinary one.
    Nonfoil,
    /// Shiny.
    Foil,
    /// Foil with an etched texture.
    Etched,
}

/// The state of a copy, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "enums::Condition")]
pub enum Condition {
    /// As from the pack.
    NearMint,
    /// Minor wear.
    LightlyPlayed,
    /// Clear wear.
    ModeratelyPlayed,
    /// Heavy wear.
    HeavilyPlayed,
    /// Torn, bent, written on.
    Damaged,
}

/// What amounts are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "enums::Currency")]
pub enum Currency {
    /// United States dollars.
    Usd,
    /// Euros.
    Eur,
    /// Event tickets of Magic Online.
    Tix,
}

/// Whose price it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "enums::PriceKind")]
pub enum PriceKind {
    /// What a buyer pays.
    Retail,
    /// What the marketplace pays.
    Buylist,
}

/// What a list of cards has one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "catalogue::Unique")]
pub enum CardUnique {
    /// Each game piece, by the printing that stands for it.
    Cards,
    /// Each artwork of each game piece.
    Art,
    /// Each printing.
    Printings,
}

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
pub enum SortDirection {
    /// Smallest first; unknown values last.
    Asc,
    /// Greatest first; unknown values last.
    Desc,
}

impl From<SortDirection> for Direction {
    fn from(direction: SortDirection) -> Self {
        match direction {
            SortDirection::Asc => Self::Ascending,
            SortDirection::Desc => Self::Descending,
        }
    }
}

/// What a list of cards is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "catalogue::CardSortField")]
pub enum CardSortField {
    /// Its name, without regard to case and accents.
    Name,
    /// Its price now, in the sort's currency.
    Price,
    /// When it was released.
    ReleasedOn,
    /// Its set's code, then its number.
    SetCode,
    /// Its number within the set, as people count.
    CollectorNumber,
    /// From common to bonus.
    Rarity,
    /// Its mana value.
    ManaValue,
}

/// What a format's rules say of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "Legality")]
pub enum LegalityStatus {
    /// It may be played.
    Legal,
    /// It is not part of the format.
    NotLegal,
    /// One copy may be played.
    Restricted,
    /// It may not be played.
    Banned,
}

/// How far back a history goes, from the newest price that the store has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(rename_items = "SCREAMING_SNAKE_CASE")]
pub enum HistoryWindow {
    /// A week.
    #[graphql(name = "DAYS_7")]
    Days7,
    /// Thirty days.
    #[graphql(name = "DAYS_30")]
    Days30,
    /// Ninety days.
    #[graphql(name = "DAYS_90")]
    Days90,
    /// 365 days.
    #[graphql(name = "YEAR_1")]
    Year1,
    /// All there is.
    All,
}

/// What a point of a history stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
pub enum HistoryInterval {
    /// One observation in one marketplace.
    Raw,
    /// A day: the last price, the lowest and the highest.
    Day,
    /// A week from Monday: the price of its last day, the lowest and the highest.
    Week,
}

/// What a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
pub enum ChartFormat {
    /// For messages and old programs.
    Png,
    /// For pages: sharp at any size.
    Svg,
}

impl ChartFormat {
    /// What the name of such a file ends with.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Png => ".png",
            Self::Svg => ".svg",
        }
    }
}

/// How much somebody wants a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "enums::WantPriority")]
pub enum WantPriority {
    /// Some day.
    Low,
    /// In between.
    Medium,
    /// Soon.
    High,
}

/// What an inventory is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "collection::InventorySortField")]
pub enum InventorySortField {
    /// When the item was added.
    CreatedAt,
    /// The card's name, without regard to case and accents.
    Name,
    /// What all copies are worth now, in the sort's currency.
    Value,
    /// How many copies there are.
    Quantity,
}

/// What a want list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "collection::WantSortField")]
pub enum WantListSortField {
    /// From LOW to HIGH, and of the same priority by age.
    Priority,
    /// When the item was added.
    CreatedAt,
    /// The card's name, without regard to case and accents.
    Name,
}

/// What a portfolio is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "collection::AllocationKey")]
pub enum AllocationKey {
    /// The cards' sets, by code.
    Set,
    /// The cards' rarities.
    Rarity,
    /// The cards' colours: each alone, MULTICOLOR, COLORLESS.
    Color,
    /// The copies' finishes.
    Finish,
    /// The copies' conditions.
    Condition,
}

macro_rules! written_by_name {
    ($($type:ty),*) => {
        $(impl Write for $type {
            fn write(&self, _: &At<'_>, json: &mut Json) {
                json.raw(b"\"").raw(enum_name(self).as_bytes()).raw(b"\"");
            }
        })*
    };
}

written_by_name!(Rarity, Color, Finish, Condition, Currency, PriceKind, WantPriority);
