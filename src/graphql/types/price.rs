//! What a card costs now.

use std::collections::HashMap;

use async_graphql::{ComplexObject, Context, SimpleObject};

use super::enums::{Condition, Currency, Finish, PriceKind};
use super::marketplace::Marketplace;
use crate::db::Connection;
use crate::domain::market::{
    self, CardPriceKey, LatestPriceRow, MarketPriceKey, Price, load_card_prices, load_latest_prices_by_card,
};
use crate::error::Result;
use crate::graphql::Loaders;
use crate::graphql::batch::{Load, promised};
use crate::graphql::planned::{Planned, plan};
use crate::graphql::scalars::{DateTime, Decimal};

/// A card's retail price now, of one marketplace or over all of a currency. Where no price is known, `hasPriceData` is
/// false and every amount is 0.00.
#[derive(Debug, Clone, SimpleObject)]
pub struct CardPrice {
    /// Whether any price is known.
    has_price_data: bool,
    /// The newest observation is over a day older than the store's newest.
    stale: bool,
    /// Derived from another condition: lightly played 85 %, moderately 70 %, heavily 50 %, damaged 35 % of near mint.
    estimated: bool,
    /// What the amounts are in.
    currency: Currency,
    /// The median over the marketplaces.
    price: Decimal,
    /// The best that a marketplace pays.
    buylist: Option<Decimal>,
    /// The lowest that is asked anywhere.
    low: Decimal,
    /// The same as `price`.
    mid: Decimal,
    /// The highest that is asked anywhere.
    high: Decimal,
    /// The mean over the marketplaces.
    market: Decimal,
    /// Against the last price of 24 hours before the store's newest.
    #[graphql(name = "change24h")]
    change_24h: Planned<PriceChange>,
    /// Against the last price of 7 days before the store's newest.
    #[graphql(name = "change7d")]
    change_7d: Planned<PriceChange>,
    /// Against the last price of 30 days before the store's newest.
    #[graphql(name = "change30d")]
    change_30d: Planned<PriceChange>,
    /// When the newest of the prices was observed.
    observed_at: Option<DateTime>,
}

impl From<Price> for CardPrice {
    fn from(price: Price) -> Self {
        Self {
            has_price_data: price.known,
            stale: price.stale,
            estimated: price.estimated,
            currency: price.currency.into(),
            price: Decimal(price.price),
            buylist: price.buylist.map(Decimal),
            low: Decimal(price.low),
            mid: Decimal(price.price),
            high: Decimal(price.high),
            market: Decimal(price.market),
            change_24h: Planned(price.change_24h.into()),
            change_7d: Planned(price.change_7d.into()),
            change_30d: Planned(price.change_30d.into()),
            observed_at: price.observed_at.map(DateTime),
        }
    }
}

plan!(CardPrice: fields {
    "price" => price,
    "currency" => currency,
    "hasPriceData" => has_price_data,
    "stale" => stale,
    "estimated" => estimated,
    "buylist" => buylist,
    "low" => low,
    "mid" => mid,
    "high" => high,
    "market" => market,
    "change24h" => change_24h,
    "change7d" => change_7d,
    "change30d" => change_30d,
    "observedAt" => observed_at,
});

/// How far a price has moved.
#[derive(Debug, Clone, SimpleObject)]
pub struct PriceChange {
    /// In the price's currency; 0.00 where there is nothing to compare with.
    amount: Decimal,
    /// Of the price before; null where that is unknown or 0.
    percent: Option<f64>,
}

impl From<market::PriceChange> for PriceChange {
    fn from(change: market::PriceChange) -> Self {
        Self { amount: Decimal(change.amount), percent: change.percent() }
    }
}

plan!(PriceChange: fields {
    "amount" => amount,
    "percent" => percent,
});

/// The latest price of a card in one marketplace.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct MarketPrice {
    #[graphql(skip)]
    marketplace_id: i16,
    /// What a buyer pays, or what the marketplace pays.
    kind: PriceKind,
    /// What the amounts are in.
    currency: Currency,
    /// The finish it is for.
    finish: Finish,
    /// The condition it is for.
    condition: Condition,
    /// Derived from the near-mint price, where the marketplace has none for the condition.
    estimated: bool,
    /// The price.
    price: Decimal,
    /// The lowest asked, where the marketplace says.
    low: Option<Decimal>,
    /// The middle of what is asked, where the marketplace says.
    mid: Option<Decimal>,
    /// The highest asked, where the marketplace says.
    high: Option<Decimal>,
    /// What was paid lately, where the marketplace says.
    market: Option<Decimal>,
    /// When it was observed.
    observed_at: DateTime,
}

#[ComplexObject]
impl MarketPrice {
    /// Whose price it is.
    async fn marketplace(&self, context: &Context<'_>) -> async_graphql::Result<Planned<Marketplace>> {
        let row = context.data::<Loaders>()?.marketplaces.load(self.marketplace_id).await?;
        Ok(Planned(promised(row, "a price's marketplace is not there")?.into()))
    }
}

plan!(MarketPrice: fields {
    "price" => price,
    "finish" => finish,
    "condition" => condition,
    "observedAt" => observed_at,
    "low" => low,
    "high" => high,
    "market" => market,
    "mid" => mid,
    "kind" => kind,
    "currency" => currency,
    "estimated" => estimated,
} warmed {
    "marketplace" => Marketplace, marketplaces, |price| price.marketplace_id
});

impl From<LatestPriceRow> for MarketPrice {
    fn from(row: LatestPriceRow) -> Self {
        Self {
            marketplace_id: row.marketplace_id,
            kind: row.kind.into(),
            currency: row.currency.into(),
            finish: row.finish.into(),
            condition: row.condition.into(),
            estimated: row.estimated,
            price: Decimal(row.price),
            low: row.low.map(Decimal),
            mid: row.mid.map(Decimal),
            high: row.high.map(Decimal),
            market: row.market.map(Decimal),
            observed_at: DateTime(row.observed_at),
        }
    }
}

/// Prices of cards, each by what is asked of it.
pub struct CardPriceByKey;

impl Load for CardPriceByKey {
    type Key = CardPriceKey;
    type Value = Price;
    const NAME: &'static str = "card_prices";

    async fn load(connection: &Connection, keys: Vec<CardPriceKey>) -> Result<HashMap<CardPriceKey, Price>> {
        load_card_prices(connection, &keys).await
    }
}

/// Latest prices of cards in each marketplace.
pub struct LatestPricesByCard;

impl Load for LatestPricesByCard {
    type Key = MarketPriceKey;
    type Value = Vec<LatestPriceRow>;
    const NAME: &'static str = "latest_prices";

    async fn load(
        connection: &Connection,
        keys: Vec<MarketPriceKey>,
    ) -> Result<HashMap<MarketPriceKey, Vec<LatestPriceRow>>> {
        load_latest_prices_by_card(connection, &keys).await
    }
}
