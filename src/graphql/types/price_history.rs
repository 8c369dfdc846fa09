//! What a card cost before.

use std::collections::HashMap;

use async_graphql::{ComplexObject, Context, SimpleObject};

use super::enums::{HistoryInterval, HistoryWindow};
use super::marketplace::Marketplace;
use crate::db::Connection;
use crate::domain::market::{
    self, HistoryKey, HistoryPoint, HistoryQuery, count_price_history, load_price_history,
};
use crate::error::Result;
use crate::graphql::Loaders;
use crate::graphql::batch::{Load, promised};
use crate::graphql::connection::connection;
use crate::graphql::nullable::nullable;
use crate::graphql::planned::{Planned, plan};
use crate::graphql::scalars::{DateTime, Decimal};
use crate::pagination::{Page, Slice};

impl From<HistoryWindow> for market::HistoryWindow {
    fn from(window: HistoryWindow) -> Self {
        match window {
            HistoryWindow::Days7 => Self::Days(7),
            HistoryWindow::Days30 => Self::Days(30),
            HistoryWindow::Days90 => Self::Days(90),
            HistoryWindow::Year1 => Self::Days(365),
            HistoryWindow::All => Self::All,
        }
    }
}

impl From<HistoryInterval> for market::HistoryInterval {
    fn from(interval: HistoryInterval) -> Self {
        match interval {
            HistoryInterval::Raw => Self::Raw,
            HistoryInterval::Day => Self::Day,
            HistoryInterval::Week => Self::Week,
        }
    }
}

/// A price in the past.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct PricePoint {
    #[graphql(skip)]
    marketplace_id: Option<i16>,
    /// The moment, or the beginning of the day or week.
    time: DateTime,
    /// The price.
    price: Decimal,
    /// The lowest, where it is known.
    low: Option<Decimal>,
    /// The highest, where it is known.
    high: Option<Decimal>,
}

#[ComplexObject]
impl PricePoint {
    /// Whose price it was; null where it is over several.
    async fn marketplace(
        &self,
        context: &Context<'_>,
    ) -> Option<async_graphql::Result<Planned<Marketplace>>> {
        nullable(async {
            let Some(id) = self.marketplace_id else {
                return Ok(None);
            };
            let row = context.data::<Loaders>()?.marketplaces.load(id).await?;
            Ok(Some(Planned(promised(row, "a price's marketplace is not there")?.into())))
        })
        .await
    }
}

plan!(PricePoint: fields {
    "time" => time,
    "price" => price,
    "low" => low,
    "high" => high,
});

impl From<HistoryPoint> for PricePoint {
    fn from(point: HistoryPoint) -> Self {
        Self {
            marketplace_id: point.marketplace_id,
            time: DateTime(point.time),
            price: Decimal(point.price),
            low: point.low.map(Decimal),
            high: point.high.map(Decimal),
        }
    }
}

/// What counts a whole history.
pub struct HistoryTotal {
    pub key: HistoryKey,
    pub query: HistoryQuery,
}

impl HistoryTotal {
    pub async fn count(&self, loaders: &Loaders) -> Result<i64> {
        let total = loaders.history_totals.load((self.key.clone(), self.query.clone())).await?;
        Ok(total.unwrap_or(0))
    }
}

connection! {
    /// A page of past prices, newest first.
    PricePointConnection, PricePointEdge, HistoryPoint => PricePoint, total: HistoryTotal
}

/// Pages of histories; all keys with the same arguments are one statement.
pub struct HistoryByCard;

impl Load for HistoryByCard {
    type Key = (HistoryKey, HistoryQuery, Page);
    type Value = Slice<HistoryPoint>;
    const NAME: &'static str = "price_history";

    async fn load(connection: &Connection, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, Self::Value>> {
        let mut by_arguments: HashMap<(HistoryQuery, Page), Vec<HistoryKey>> = HashMap::new();
        for (key, query, page) in keys {
            by_arguments.entry((query, page)).or_default().push(key);
        }
        let mut loaded = HashMap::new();
        for ((query, page), keys) in by_arguments {
            let mut slices = load_price_history(connection, &keys, &query, &page).await?;
            for key in keys {
                if let Some(slice) = slices.remove(&(key.card_id, key.finish)) {
                    loaded.insert((key, query.clone(), page.clone()), slice);
                }
            }
        }
        Ok(loaded)
    }
}

/// How many points histories have.
pub struct HistoryTotalByCard;

impl Load for HistoryTotalByCard {
    type Key = (HistoryKey, HistoryQuery);
    type Value = i64;
    const NAME: &'static str = "price_history_totals";

    async fn load(connection: &Connection, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, i64>> {
        let mut by_query: HashMap<HistoryQuery, Vec<HistoryKey>> = HashMap::new();
        for (key, query) in keys {
            by_query.entry(query).or_default().push(key);
        }
        let mut loaded = HashMap::new();
        for (query, keys) in by_query {
            let totals = count_price_history(connection, &keys, &query).await?;
            for key in keys {
                if let Some(total) = totals.get(&(key.card_id, key.finish)) {
                    loaded.insert((key, query.clone()), *total);
                }
            }
        }
        Ok(loaded)
    }
}
