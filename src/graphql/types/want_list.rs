//! What a user looks for.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object};
use entity::want_list_item::Model;
use uuid::Uuid;

use super::card::Card;
use super::enums::{Finish, SortDirection, WantListSortField, WantPriority};
use super::money::Money;
use super::user::{Asker, by_asker};
use crate::db::Connection;
use crate::domain::collection::{Held, WantList, WantListOrder, count_wants, list_wants, load_wants};
use crate::error::{Refusal, Result};
use crate::graphql::Loaders;
use crate::graphql::batch::{Load, promised};
use crate::graphql::connection::{Edges, connection};
use crate::graphql::global_id::GlobalId;
use crate::graphql::lookahead::card_columns;
use crate::graphql::planned::{Planned, plan};
use crate::graphql::scalars::DateTime;
use crate::pagination::{CursorSecret, ListId, Page, Slice};

/// The order of a want list.
#[derive(Debug, Clone, InputObject)]
pub struct WantListSort {
    /// What it is sorted by.
    field: WantListSortField,
    /// Which way it runs.
    #[graphql(default_with = "Some(SortDirection::Asc)")]
    direction: Option<SortDirection>,
}

impl Default for WantListSort {
    fn default() -> Self {
        Self { field: WantListSortField::Priority, direction: Some(SortDirection::Desc) }
    }
}

impl From<WantListSort> for WantListOrder {
    fn from(sort: WantListSort) -> Self {
        Self { field: sort.field.into(), direction: sort.direction.unwrap_or(SortDirection::Asc).into() }
    }
}

/// A printing that somebody looks for.
#[derive(Clone)]
pub struct WantListItem(Arc<Model>);

impl From<Arc<Model>> for WantListItem {
    fn from(row: Arc<Model>) -> Self {
        Self(row)
    }
}

impl From<Model> for WantListItem {
    fn from(row: Model) -> Self {
        Self(Arc::new(row))
    }
}

/// A printing that a user looks for.
#[Object]
impl WantListItem {
    /// Globally unique and opaque; give it to `node`, or to what changes the item.
    pub async fn id(&self) -> ID {
        GlobalId::WantListItem(self.0.id).encode()
    }

    /// What is wanted.
    async fn card(&self, context: &Context<'_>) -> async_graphql::Result<Planned<Card>> {
        let key = (self.0.card_id, card_columns(context));
        let card = context.data::<Loaders>()?.cards_by_id.load(key).await?;
        Ok(Planned(promised(card, "a wanted card is not there")?.into()))
    }

    /// How many copies.
    async fn quantity(&self) -> i32 {
        self.0.quantity
    }

    /// How much.
    async fn priority(&self) -> WantPriority {
        self.0.priority.into()
    }

    /// The price at which the user would buy.
    async fn target_price(&self) -> Option<Planned<Money>> {
        let held = Held { amount: self.0.target_amount, currency: self.0.target_currency };
        held.money().map(|money| Planned(money.into()))
    }

    /// In which finish; null for the first that the card has of NONFOIL, FOIL, ETCHED.
    async fn finish(&self) -> Option<Finish> {
        self.0.finish.map(Into::into)
    }

    /// Whether the card's near-mint price, over all marketplaces of the target's currency, is at the target or below. False
    /// without a target, and where no price is known.
    async fn below_target(&self) -> bool {
        self.0.below_target
    }

    /// Of which price it was that the price last fell to the target, if it did since the target was set.
    async fn hit_at(&self) -> Option<DateTime> {
        self.0.hit_at.map(DateTime)
    }

    /// The user's notes.
    async fn notes(&self) -> Option<&str> {
        self.0.notes.as_deref()
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When the user last changed it: give it as `expectedUpdatedAt`, so that nobody else's change is lost.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }
}

plan!(WantListItem: methods {
    "id" => id,
    "quantity" => quantity,
    "priority" => priority,
    "targetPrice" => target_price,
    "finish" => finish,
    "belowTarget" => below_target,
    "hitAt" => hit_at,
    "notes" => notes,
    "createdAt" => created_at,
    "updatedAt" => updated_at,
} warmed {
    "card" => Card, cards_by_id, |item| (item.0.card_id, crate::domain::catalogue::CardColumns::Row)
});

/// What counts a want list.
pub struct WantTotal(Uuid);

impl WantTotal {
    pub async fn count(&self, loaders: &Loaders) -> Result<i64> {
        Ok(loaders.want_totals.load(self.0).await?.unwrap_or(0))
    }
}

connection! {
    /// A page of a want list.
    WantListItemConnection, WantListItemEdge, Arc<Model> => WantListItem, total: WantTotal
}

/// A page of a want list.
pub async fn want_page(
    context: &Context<'_>,
    list: WantList,
    page: impl FnOnce(&ListId, &CursorSecret) -> std::result::Result<Page, Refusal>,
) -> async_graphql::Result<WantListItemConnection> {
    let secret = context.data::<CursorSecret>()?;
    let page = page(&list.id(), secret)?;
    let slice = context.data::<Loaders>()?.wants.load((list, page)).await?.unwrap_or_else(Slice::empty);
    let edges = Edges::new(slice, secret, list.id(), move |row: &Arc<Model>| list.key(row));
    Ok(WantListItemConnection::new(edges, WantTotal(list.user)))
}

/// Pages of want lists. Each is a list of its own; a document names few.
pub struct WantPages;

impl Load for WantPages {
    type Key = (WantList, Page);
    type Value = Slice<Arc<Model>>;
    const NAME: &'static str = "wants";

    async fn load(connection: &Connection, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, Self::Value>> {
        let mut loaded = HashMap::new();
        for (list, page) in keys {
            let slice = list_wants(connection, &list, &page).await?.map(Arc::new);
            loaded.insert((list, page), slice);
        }
        Ok(loaded)
    }
}

/// How many wants users have.
pub struct WantTotals;

impl Load for WantTotals {
    type Key = Uuid;
    type Value = i64;
    const NAME: &'static str = "want_totals";

    async fn load(connection: &Connection, keys: Vec<Uuid>) -> Result<HashMap<Uuid, i64>> {
        let mut loaded = HashMap::new();
        for user in keys {
            loaded.insert(user, count_wants(connection, user).await?);
        }
        Ok(loaded)
    }
}

/// Wants by id, of who asks.
pub struct WantsByAsker;

impl Load for WantsByAsker {
    type Key = (Asker, Uuid);
    type Value = WantListItem;
    const NAME: &'static str = "wants_by_id";

    async fn load(connection: &Connection, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, WantListItem>> {
        let Some((asker, ids)) = by_asker(&keys) else { return Ok(HashMap::new()) };
        let rows = load_wants(connection, asker.user, &ids).await?;
        Ok(rows.into_iter().map(|row| ((asker, row.id), row.into())).collect())
    }
}
