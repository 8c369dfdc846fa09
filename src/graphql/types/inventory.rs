//! What a user holds.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object};
use uuid::Uuid;

use super::card::Card;
use super::enums::{Condition, Currency, Finish, InventorySortField, SortDirection};
use super::money::Money;
use super::price::PriceChange;
use super::user::{Asker, by_asker};
use crate::db::Connection;
use crate::domain::catalogue::Search;
use crate::domain::collection::{
    self, HoldingValue, InventoryList, InventoryOrder, ItemRow, count_inventory, list_inventory, load_items,
    load_values,
};
use crate::domain::market;
use crate::error::{Refusal, Result};
use crate::graphql::Loaders;
use crate::graphql::batch::{Load, promised};
use crate::graphql::connection::{Edges, connection};
use crate::graphql::global_id::GlobalId;
use crate::graphql::lookahead::card_columns;
use crate::graphql::planned::{Planned, plan};
use crate::graphql::scalars::{Date, DateTime, Decimal};
use crate::pagination::{CursorSecret, ListId, Page, Slice};

/// Conditions on items; those left out let all pass.
#[derive(Debug, Clone, InputObject)]
pub struct InventoryFilter {
    /// Items of cards that this finds, in Scryfall's syntax: `t:goblin c:r`. Tokens and other extras are among them; what
    /// it says of order and of `unique:` does not count.
    search: Option<String>,
    /// Items with any of these tags, 100 at most.
    #[graphql(tag = "most=100")]
    tags: Option<Vec<String>>,
    /// Items of cards of any of these sets, 100 at most.
    #[graphql(tag = "most=100")]
    set_codes: Option<Vec<String>>,
    /// Items in any of these conditions, 100 at most.
    #[graphql(tag = "most=100")]
    conditions: Option<Vec<Condition>>,
    /// Items in any of these finishes, 100 at most.
    #[graphql(tag = "most=100")]
    finishes: Option<Vec<Finish>>,
}

impl TryFrom<InventoryFilter> for collection::InventoryFilter {
    type Error = Refusal;

    fn try_from(filter: InventoryFilter) -> std::result::Result<Self, Refusal> {
        let InventoryFilter { search, tags, set_codes, conditions, finishes } = filter;
        Ok(Self {
            search: search.as_deref().map(Search::parse).transpose()?,
            tags,
            set_codes: set_codes.map(|codes| codes.into_iter().map(|code| code.to_lowercase()).collect()),
            conditions: conditions.map(|conditions| conditions.into_iter().map(Into::into).collect()),
            finishes: finishes.map(|finishes| finishes.into_iter().map(Into::into).collect()),
        })
    }
}

/// The order of a list of items.
#[derive(Debug, Clone, InputObject)]
pub struct InventorySort {
    /// What it is sorted by.
    field: InventorySortField,
    /// Which way it runs.
    #[graphql(default_with = "Some(SortDirection::Asc)")]
    direction: Option<SortDirection>,
    /// For VALUE.
    #[graphql(default_with = "Some(Currency::Usd)")]
    currency: Option<Currency>,
}

impl Default for InventorySort {
    fn default() -> Self {
        Self {
            field: InventorySortField::CreatedAt,
            direction: Some(SortDirection::Desc),
            currency: Some(Currency::Usd),
        }
    }
}

impl From<InventorySort> for InventoryOrder {
    fn from(sort: InventorySort) -> Self {
        Self {
            field: sort.field.into(),
            direction: sort.direction.unwrap_or(SortDirection::Asc).into(),
            currency: sort.currency.unwrap_or(Currency::Usd).into(),
        }
    }
}

/// Copies of a printing that somebody holds, alike in finish, condition and language.
#[derive(Clone)]
pub struct InventoryItem(Arc<ItemRow>);

impl From<Arc<ItemRow>> for InventoryItem {
    fn from(row: Arc<ItemRow>) -> Self {
        Self(row)
    }
}

impl From<ItemRow> for InventoryItem {
    fn from(row: ItemRow) -> Self {
        Self(Arc::new(row))
    }
}

impl InventoryItem {
    /// What all copies are worth; nothing is there where the item has gone since.
    async fn worth(
        &self,
        context: &Context<'_>,
        currency: entity::enums::Currency,
    ) -> Result<Option<HoldingValue>> {
        let loaders = context.data_opt::<Loaders>();
        match loaders {
            Some(loaders) => loaders.item_values.load((self.0.item.id, currency)).await,
            None => Ok(None),
        }
    }
}

/// Copies of a printing that a user holds, alike in finish, condition and language.
#[Object]
impl InventoryItem {
    /// Globally unique and opaque; give it to `node`, or to what changes the item.
    pub async fn id(&self) -> ID {
        GlobalId::InventoryItem(self.0.item.id).encode()
    }

    /// What is held.
    async fn card(&self, context: &Context<'_>) -> async_graphql::Result<Planned<Card>> {
        let key = (self.0.item.card_id, card_columns(context));
        let card = context.data::<Loaders>()?.cards_by_id.load(key).await?;
        Ok(Planned(promised(card, "an item's card is not there")?.into()))
    }

    /// How many copies.
    async fn quantity(&self) -> i32 {
        self.0.item.quantity
    }

    /// The state they are in.
    async fn condition(&self) -> Condition {
        self.0.item.condition.into()
    }

    /// Their surface.
    async fn finish(&self) -> Finish {
        self.0.item.finish.into()
    }

    /// Their language, as Scryfall writes it: `en`, `ja`.
    async fn language(&self) -> &str {
        &self.0.item.language
    }

    /// What one copy cost.
    async fn acquired_price(&self) -> Option<Planned<Money>> {
        let item = &self.0.item;
        let held = collection::Held { amount: item.price_amount, currency: item.price_currency };
        held.money().map(|money| Planned(money.into()))
    }

    /// When they were acquired.
    async fn acquired_on(&self) -> Option<Date> {
        self.0.item.acquired_on.map(Date)
    }

    /// The user's notes.
    async fn notes(&self) -> Option<&str> {
        self.0.item.notes.as_deref()
    }

    /// Binders, boxes, labels; imports bring theirs.
    async fn tags(&self) -> &[String] {
        &self.0.item.tags.0
    }

    /// What all copies are worth now; 0.00 where no price is known. Played copies are worth a share of the near-mint price
    /// where no marketplace says: see `estimated`. A foil is never valued as a nonfoil.
    async fn value(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "What it is counted in: of this currency's own prices, none is converted.",
            default_with = "Some(Currency::Usd)"
        )]
        currency: Option<Currency>,
    ) -> async_graphql::Result<Planned<Money>> {
        let currency = currency.unwrap_or(Currency::Usd);
        let worth = self.worth(context, currency.into()).await?;
        Ok(Planned(Money { amount: Decimal(worth.map_or(0, |worth| worth.value)), currency }))
    }

    /// Whether the value is derived from the price of another condition, by the table at `CardPrice.estimated`, or of
    /// another language.
    async fn estimated(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Of the value in this currency.", default_with = "Some(Currency::Usd)")]
        currency: Option<Currency>,
    ) -> async_graphql::Result<bool> {
        let worth = self.worth(context, currency.unwrap_or(Currency::Usd).into()).await?;
        Ok(worth.is_some_and(|worth| worth.estimated))
    }

    /// How much more all copies are worth than they cost. Null where the price paid is not known in this currency.
    async fn gain(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is counted in.", default_with = "Some(Currency::Usd)")] currency: Option<
            Currency,
        >,
    ) -> Option<async_graphql::Result<Planned<PriceChange>>> {
        crate::graphql::nullable::nullable(async {
            let currency: entity::enums::Currency = currency.unwrap_or(Currency::Usd).into();
            let item = &self.0.item;
            let (Some(paid), true) = (item.price_amount, item.price_currency == Some(currency)) else {
                return Ok(None);
            };
            let cost = paid * i64::from(item.quantity);
            let value = self.worth(context, currency).await?.map_or(0, |worth| worth.value);
            let gain = market::PriceChange { amount: value - cost, base: Some(cost) };
            Ok(Some(Planned(gain.into())))
        })
        .await
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.item.created_at)
    }

    /// When it was last changed: give it as `expectedUpdatedAt`, so that nobody else's change is lost.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.item.updated_at)
    }
}

plan!(InventoryItem: methods {
    "id" => id,
    "quantity" => quantity,
    "condition" => condition,
    "finish" => finish,
    "language" => language,
    "acquiredPrice" => acquired_price,
    "acquiredOn" => acquired_on,
    "notes" => notes,
    "createdAt" => created_at,
    "updatedAt" => updated_at,
} warmed {
    "card" => Card, cards_by_id, |item| (item.0.item.card_id, crate::domain::catalogue::CardColumns::Row)
});

/// A list of items as a key: equal where the lists are.
#[derive(Debug, Clone)]
pub struct KeyedList {
    id: ListId,
    list: Arc<InventoryList>,
}

impl KeyedList {
    pub fn new(list: InventoryList) -> Self {
        Self { id: list.id(), list: Arc::new(list) }
    }

    /// A page of it.
    pub async fn page(
        self,
        context: &Context<'_>,
        page: impl FnOnce(&ListId, &CursorSecret) -> std::result::Result<Page, Refusal>,
    ) -> async_graphql::Result<InventoryItemConnection> {
        let secret = context.data::<CursorSecret>()?;
        let page = page(&self.id, secret)?;
        let loaders = context.data::<Loaders>()?;
        let slice = loaders.inventories.load((self.clone(), page)).await?.unwrap_or_else(Slice::empty);
        let keys = Arc::clone(&self.list);
        let edges = Edges::new(slice, secret, self.id.clone(), move |row: &Arc<ItemRow>| keys.key(row));
        Ok(InventoryItemConnection::new(edges, InventoryTotal(self)))
    }
}

impl PartialEq for KeyedList {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for KeyedList {}

impl std::hash::Hash for KeyedList {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// What counts a whole list of items.
pub struct InventoryTotal(KeyedList);

impl InventoryTotal {
    pub async fn count(&self, loaders: &Loaders) -> Result<i64> {
        Ok(loaders.inventory_totals.load(self.0.clone()).await?.unwrap_or(0))
    }
}

connection! {
    /// A page of items.
    InventoryItemConnection, InventoryItemEdge, Arc<ItemRow> => InventoryItem, total: InventoryTotal
}

/// Pages of inventories. Each is a list of its own; a document names few.
pub struct InventoryPages;

impl Load for InventoryPages {
    type Key = (KeyedList, Page);
    type Value = Slice<Arc<ItemRow>>;
    const NAME: &'static str = "inventories";

    async fn load(connection: &Connection, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, Self::Value>> {
        let mut loaded = HashMap::new();
        for (list, page) in keys {
            let slice = list_inventory(connection, &list.list, &page).await?.map(Arc::new);
            loaded.insert((list, page), slice);
        }
        Ok(loaded)
    }
}

/// How many items lists have.
pub struct InventoryTotals;

impl Load for InventoryTotals {
    type Key = KeyedList;
    type Value = i64;
    const NAME: &'static str = "inventory_totals";

    async fn load(connection: &Connection, keys: Vec<KeyedList>) -> Result<HashMap<KeyedList, i64>> {
        let mut loaded = HashMap::new();
        for list in keys {
            let count = count_inventory(connection, &list.list).await?;
            loaded.insert(list, count);
        }
        Ok(loaded)
    }
}

/// What items are worth, by item and currency.
pub struct ItemValues;

impl Load for ItemValues {
    type Key = (Uuid, entity::enums::Currency);
    type Value = HoldingValue;
    const NAME: &'static str = "item_values";

    async fn load(connection: &Connection, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, HoldingValue>> {
        load_values(connection, &keys).await
    }
}

/// Items by id, of who asks.
pub struct ItemsByAsker;

impl Load for ItemsByAsker {
    type Key = (Asker, Uuid);
    type Value = InventoryItem;
    const NAME: &'static str = "items";

    async fn load(
        connection: &Connection,
        keys: Vec<Self::Key>,
    ) -> Result<HashMap<Self::Key, InventoryItem>> {
        let Some((asker, ids)) = by_asker(&keys) else { return Ok(HashMap::new()) };
        let rows = load_items(connection, asker.user, &ids).await?;
        Ok(rows.into_iter().map(|row| ((asker, row.item.id), row.into())).collect())
    }
}
