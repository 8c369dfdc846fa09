//! What lists of cards take: filter and order.

use async_graphql::InputObject;
use entity::enums as stored;

use super::enums::{CardSortField, Color, Currency, Finish, Rarity, SortDirection};
use crate::domain::catalogue::search::format_named;
use crate::domain::catalogue::{self, CardOrder};
use crate::error::Refusal;
use crate::graphql::scalars::Decimal;

/// Conditions on cards; those left out let all pass.
#[derive(Debug, Clone, InputObject)]
pub struct CardFilter {
    /// Cards of any of these sets, 100 at most.
    #[graphql(tag = "most=100")]
    set_codes: Option<Vec<String>>,
    /// Cards of any of these rarities, 20 at most.
    #[graphql(tag = "most=20")]
    rarities: Option<Vec<Rarity>>,
    /// Cards of at least these colours, 20 at most.
    #[graphql(tag = "most=20")]
    colors: Option<Vec<Color>>,
    /// Cards that come in any of these finishes, 20 at most.
    #[graphql(tag = "most=20")]
    finishes: Option<Vec<Finish>>,
    /// Cards that may be played in this format: `modern`, `commander`, …
    legal_in: Option<String>,
    /// Cards whose price now is within these bounds.
    price: Option<PriceRange>,
}

/// Bounds of a price, both included.
#[derive(Debug, Clone, InputObject)]
pub struct PriceRange {
    /// At least this.
    minimum: Option<Decimal>,
    /// At most this.
    maximum: Option<Decimal>,
    /// The currency of both.
    #[graphql(default_with = "Some(Currency::Usd)")]
    currency: Option<Currency>,
}

/// The order of a list of cards.
#[derive(Debug, Clone, InputObject)]
pub struct CardSort {
    /// What it is sorted by.
    field: CardSortField,
    /// Which way it runs.
    #[graphql(default_with = "Some(SortDirection::Asc)")]
    direction: Option<SortDirection>,
    /// For PRICE.
    #[graphql(default_with = "Some(Currency::Usd)")]
    currency: Option<Currency>,
}

impl Default for CardSort {
    fn default() -> Self {
        Self {
            field: CardSortField::Name,
            direction: Some(SortDirection::Asc),
            currency: Some(Currency::Usd),
        }
    }
}

impl From<CardSort> for CardOrder {
    fn from(sort: CardSort) -> Self {
        Self {
            field: sort.field.into(),
            direction: sort.direction.unwrap_or(SortDirection::Asc).into(),
            currency: sort.currency.map_or(stored::Currency::Usd, Into::into),
        }
    }
}

impl TryFrom<CardFilter> for catalogue::CardFilter {
    type Error = Refusal;

    fn try_from(filter: CardFilter) -> Result<Self, Refusal> {
        let legal_in = filter.legal_in.as_deref().map(format_named).transpose();
        let legal_in = legal_in.map_err(|wrong| Refusal::invalid_value(format!("legalIn: {wrong}")))?;
        Ok(Self {
            set_codes: filter
                .set_codes
                .map(|codes| codes.into_iter().map(|code| code.to_lowercase()).collect()),
            rarities: filter.rarities.map(|rarities| rarities.into_iter().map(Into::into).collect()),
            colors: filter.colors.into_iter().flatten().map(Into::into).collect(),
            finishes: filter.finishes.map(|finishes| finishes.into_iter().map(Into::into).collect()),
            legal_in,
            price: filter.price.map(TryInto::try_into).transpose()?,
        })
    }
}

impl TryFrom<PriceRange> for catalogue::PriceRange {
    type Error = Refusal;

    fn try_from(range: PriceRange) -> Result<Self, Refusal> {
        let (minimum, maximum) = (range.minimum.map(|amount| amount.0), range.maximum.map(|amount| amount.0));
        if minimum.into_iter().chain(maximum).any(|amount| amount < 0) {
            return Err(Refusal::invalid_value("price: no price is below 0."));
        }
        if let (Some(minimum), Some(maximum)) = (minimum, maximum)
            && minimum > maximum
        {
            return Err(Refusal::invalid_value("price: minimum must not be above maximum."));
        }
        Ok(Self { minimum, maximum, currency: range.currency.map_or(stored::Currency::Usd, Into::into) })
    }
}
