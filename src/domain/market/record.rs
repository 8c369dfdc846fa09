//! Marketplaces and prices as a source of data describes them, before they have a row.

use chrono::{DateTime, Utc};
use entity::enums::{Condition, Currency, Finish, PriceKind};

/// Somewhere cards are sold, as a source describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketplaceRecord {
    /// Lower case letters, digits and hyphens: `cardkingdom`.
    pub slug: String,
    pub name: String,
    pub currency: Currency,
    pub url: Option<String>,
}

/// What one marketplace asks or pays for one card: one series, with its points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceSeries {
    pub card_id: i32,
    pub marketplace_id: i16,
    pub kind: PriceKind,
    pub finish: Finish,
    pub condition: Condition,
    pub language: String,
    /// In any order; of two at one moment the later in the list stands.
    pub points: Vec<PricePoint>,
}

/// A moment's price, in whole minor units of the marketplace's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PricePoint {
    pub observed_at: DateTime<Utc>,
    pub price: i64,
    pub low: Option<i64>,
    pub mid: Option<i64>,
    pub high: Option<i64>,
    pub market: Option<i64>,
}

impl PricePoint {
    /// A point of a source that knows one figure only.
    pub fn flat(observed_at: DateTime<Utc>, price: i64) -> Self {
        Self { observed_at, price, low: None, mid: None, high: None, market: None }
    }
}
