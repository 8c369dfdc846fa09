//! A collection as a whole.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use entity::enums as stored;
use uuid::Uuid;

use super::enums::{AllocationKey, ChartFormat, Currency, HistoryWindow};
use super::inventory::{InventoryItem, KeyedList};
use super::money::Money;
use super::price::PriceChange;
use crate::db::{Connection, Direction};
use crate::domain::collection::{
    self, Holdings, InventoryFilter, InventoryList, InventoryOrder, InventorySortField, load_allocation,
    load_holdings, load_value_history,
};
use crate::domain::market;
use crate::domain::store::load_newest;
use crate::error::{Refusal, Result};
use crate::graphql::Loaders;
use crate::graphql::batch::{Load, promised};
use crate::graphql::connection::int;
use crate::graphql::nullable::nullable;
use crate::graphql::planned::{Items, Planned, plan};
use crate::graphql::scalars::{DateTime, Decimal, Url};
use crate::links::{Link, Links};
use crate::pagination::{MAX_PAGE_SIZE, Page};

/// What somebody holds, as a whole and in one currency.
pub struct Portfolio {
    user: Uuid,
    currency: stored::Currency,
    holdings: Arc<Holdings>,
}

impl Portfolio {
    /// # Errors
    /// The database's.
    pub async fn load(loaders: &Loaders, user: Uuid, currency: Currency) -> Result<Self> {
        let currency = currency.into();
        let holdings = loaders.holdings.load((user, currency)).await?;
        Ok(Self { user, currency, holdings: promised(holdings, "holdings are always answered")? })
    }

    fn money(&self, amount: i64) -> Planned<Money> {
        Planned(market::Money { amount, currency: self.currency }.into())
    }
}

/// What a user holds, as a whole and in one currency: of that currency's own prices, none is converted.
#[Object]
impl Portfolio {
    /// How many items there are.
    async fn item_count(&self) -> i32 {
        int(self.holdings.items)
    }

    /// How many copies the items have together.
    async fn copy_count(&self) -> i32 {
        int(self.holdings.copies)
    }

    /// How many different printings are held.
    async fn distinct_cards(&self) -> i32 {
        int(self.holdings.cards)
    }

    /// What all items are worth now.
    async fn value(&self) -> Planned<Money> {
        self.money(self.holdings.value)
    }

    /// Over the items whose price paid is known in this currency; the others are counted in itemsWithoutCost and are in
    /// neither cost nor gain.
    async fn cost(&self) -> Planned<Money> {
        self.money(self.holdings.cost)
    }

    /// Items whose price paid is not known in this currency.
    async fn items_without_cost(&self) -> i32 {
        int(self.holdings.without_cost)
    }

    /// How much more the items whose price paid is known are worth than they cost.
    async fn gain(&self) -> Planned<PriceChange> {
        Planned(self.holdings.gain.into())
    }

    /// How far the prices of what is held now have moved in 24 hours. Items without a price then are left out.
    #[graphql(name = "change24h")]
    async fn change_24h(&self) -> Planned<PriceChange> {
        Planned(self.holdings.change_24h.into())
    }

    /// The same in 7 days.
    #[graphql(name = "change7d")]
    async fn change_7d(&self) -> Planned<PriceChange> {
        Planned(self.holdings.change_7d.into())
    }

    /// What was held on each day, worth what was known of prices when that day ended, oldest first, and what is held now.
    /// A day ends when prices of a later one come: a day whose own prices come with those, or after them, has no point. It
    /// begins when the first item was added; a long one is thinned out to 400 points.
    #[graphql(tag = "most=400")]
    async fn value_history(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How far back, from the newest price of the store.",
            default_with = "Some(HistoryWindow::Days30)"
        )]
        window: Option<HistoryWindow>,
    ) -> async_graphql::Result<Items<ValuePoint>> {
        let window = window.unwrap_or(HistoryWindow::Days30).into();
        let key = (self.user, self.currency, window);
        let history = context.data::<Loaders>()?.value_histories.load(key).await?;
        let Some(ValueHistory { now: Some(now), days }) = history.as_deref() else {
            return Ok(Items(Vec::new()));
        };
        if days.is_empty() && self.holdings.items == 0 {
            return Ok(Items(Vec::new()));
        }
        let today = now.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
        let last = collection::ValuePoint { time: today, value: self.holdings.value };
        let point = |point: &collection::ValuePoint| ValuePoint {
            time: DateTime(point.time),
            value: Decimal(point.value),
        };
        Ok(days.iter().chain([&last]).map(point).collect())
    }

    /// The holdings, divided; the most valuable part first. Every item is in one part: the parts' values add up to
    /// `value`. Cards of several colours are MULTICOLOR, those of none COLORLESS.
    #[graphql(tag = "most=1000")]
    async fn allocation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "By what.")] by: AllocationKey,
    ) -> async_graphql::Result<Items<AllocationSlice>> {
        let key = (self.user, self.currency, by.into());
        let slices = context.data::<Loaders>()?.allocations.load(key).await?.unwrap_or_default();
        let total = slices.iter().fold(0_i64, |total, slice| total.saturating_add(slice.value));
        #[expect(clippy::cast_precision_loss, reason = "a share is no amount")]
        let share = |value: i64| if total == 0 { 0.0 } else { value as f64 / total as f64 };
        let slice = |slice: &collection::AllocationSlice| AllocationSlice {
            key: slice.key.clone(),
            item_count: int(slice.items),
            value: Decimal(slice.value),
            share: share(slice.value),
        };
        Ok(slices.iter().map(slice).collect())
    }

    /// A picture of the value's history, at a URL that whoever has it may fetch for a day.
    async fn chart(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How far back, from the newest price of the store.",
            default_with = "Some(HistoryWindow::Days30)"
        )]
        window: Option<HistoryWindow>,
        #[graphql(desc = "What the picture is.", default_with = "Some(ChartFormat::Png)")] format: Option<
            ChartFormat,
        >,
    ) -> Option<async_graphql::Result<Url>> {
        nullable(async {
            let days = match window.unwrap_or(HistoryWindow::Days30).into() {
                market::HistoryWindow::Days(days) => Some(days),
                market::HistoryWindow::All => None,
            };
            let link = Link::Portfolio { user: self.user, currency: self.currency as i16, days };
            let suffix = format.unwrap_or(ChartFormat::Png).suffix();
            Ok(context.data::<Links>()?.url(link, suffix).map(Url))
        })
        .await
    }

    /// The items that are worth most.
    #[graphql(tag = "most=first")]
    async fn top_holdings(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "So many, 100 at most.", default_with = "Some(5)")] first: Option<i32>,
    ) -> async_graphql::Result<Items<InventoryItem>> {
        let size = match first.map_or(Ok(5), usize::try_from) {
            Ok(size) if size <= MAX_PAGE_SIZE => size,
            _ => {
                return Err(
                    Refusal::invalid_value(format!("first must be from 0 to {MAX_PAGE_SIZE}.")).into()
                );
            }
        };
        let order = InventoryOrder {
            field: InventorySortField::Value,
            direction: Direction::Descending,
            currency: self.currency,
        };
        let list = InventoryList { user: self.user, filter: InventoryFilter::default(), order };
        let key = (KeyedList::new(list), Page::first(size));
        let slice = context.data::<Loaders>()?.inventories.load(key).await?;
        Ok(slice.into_iter().flat_map(|slice| slice.rows).collect())
    }
}

/// What holdings were worth at a time.
#[derive(Debug, Clone, SimpleObject)]
pub struct ValuePoint {
    /// The day, at its beginning in UTC.
    time: DateTime,
    /// What they were worth at its end, in the portfolio's currency.
    value: Decimal,
}

plan!(ValuePoint: fields {
    "time" => time,
    "value" => value,
});

/// A part of a portfolio.
#[derive(Debug, Clone, SimpleObject)]
pub struct AllocationSlice {
    /// A set's code, or what its items have in common: `RARE`, `WHITE`, `FOIL`, `NEAR_MINT`.
    key: String,
    /// How many items it has.
    item_count: i32,
    /// What they are worth, in the portfolio's currency.
    value: Decimal,
    /// Of the portfolio's value, from 0 to 1; 0 where that is worth nothing.
    share: f64,
}

plan!(AllocationSlice: fields {
    "key" => key,
    "itemCount" => item_count,
    "value" => value,
    "share" => share,
});

/// What users hold, in sums.
pub struct HoldingsByUser;

impl Load for HoldingsByUser {
    type Key = (Uuid, stored::Currency);
    type Value = Arc<Holdings>;
    const NAME: &'static str = "holdings";

    async fn load(connection: &Connection, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, Self::Value>> {
        let mut loaded = HashMap::new();
        for (user, currency) in keys {
            let holdings = load_holdings(connection, user, currency).await?;
            loaded.insert((user, currency), Arc::new(holdings));
        }
        Ok(loaded)
    }
}

/// What users hold, divided.
pub struct AllocationsByUser;

impl Load for AllocationsByUser {
    type Key = (Uuid, stored::Currency, collection::AllocationKey);
    type Value = Arc<Vec<collection::AllocationSlice>>;
    const NAME: &'static str = "allocations";

    async fn load(connection: &Connection, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, Self::Value>> {
        let mut loaded = HashMap::new();
        for (user, currency, by) in keys {
            let slices = load_allocation(connection, user, currency, by).await?;
            loaded.insert((user, currency, by), Arc::new(slices));
        }
        Ok(loaded)
    }
}

/// What holdings were worth before, up to the day of the store's newest price.
pub struct ValueHistory {
    now: Option<chrono::DateTime<chrono::Utc>>,
    days: Vec<collection::ValuePoint>,
}

/// What users' holdings were worth before.
pub struct ValueHistories;

impl Load for ValueHistories {
    type Key = (Uuid, stored::Currency, market::HistoryWindow);
    type Value = Arc<ValueHistory>;
    const NAME: &'static str = "value_histories";

    async fn load(connection: &Connection, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, Self::Value>> {
        let now = load_newest(connection).await?;
        let mut loaded = HashMap::new();
        for (user, currency, window) in keys {
            let days = match now {
                Some(now) => load_value_history(connection, user, currency, window, now).await?,
                None => Vec::new(),
            };
            loaded.insert((user, currency, window), Arc::new(ValueHistory { now, days }));
        }
        Ok(loaded)
    }
}
