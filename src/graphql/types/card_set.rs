//! A set of cards.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use uuid::Uuid;

use super::card::{CardConnection, CardTotal};
use super::card_input::CardSort;
use super::money::Money;
use crate::db::Connection;
use crate::domain::catalogue::{
    CardColumns, CardList, CardOrder, CardRow, SetRow, count_cards_by_set, count_sets, list_cards,
    load_cards_by_set, load_sets_by_code, load_sets_by_uuid,
};
use crate::domain::collection::{self, load_completions};
use crate::domain::market;
use crate::error::Result;
use crate::graphql::Loaders;
use crate::graphql::batch::Load;
use crate::graphql::connection::{Edges, connection, int};
use crate::graphql::global_id::GlobalId;
use crate::graphql::lookahead::card_connection_columns;
use crate::graphql::nullable::nullable;
use crate::graphql::planned::{Planned, plan};
use crate::graphql::scalars::{Date, Url};
use crate::pagination::{CursorSecret, Page, PageArguments, Slice};
use crate::principal::Principal;

/// A set of cards, as it was released.
#[derive(Clone)]
pub struct CardSet(Arc<SetRow>);

impl From<Arc<SetRow>> for CardSet {
    fn from(row: Arc<SetRow>) -> Self {
        Self(row)
    }
}

/// A set of cards, as it was released.
#[Object]
impl CardSet {
    /// Globally unique and opaque; give it to `node`.
    pub async fn id(&self) -> ID {
        GlobalId::CardSet(self.0.uuid).encode()
    }

    /// Its code, in lower case: `isd`.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What kind of set it is: `expansion`, `core`, `token`, …
    async fn kind(&self) -> &str {
        &self.0.kind
    }

    /// When it was released.
    async fn released_on(&self) -> Option<Date> {
        self.0.released_on.map(Date)
    }

    /// Its symbol, as SVG.
    async fn icon_url(&self) -> Option<Url> {
        self.0.icon_url.clone().map(Url)
    }

    /// How many printings of it the store has, extras included.
    async fn card_count(&self) -> i32 {
        self.0.card_count
    }

    /// How much of it the caller owns; null for an anonymous caller.
    async fn completion(&self, context: &Context<'_>) -> Option<async_graphql::Result<SetCompletion>> {
        nullable(async {
            let Some(user) = context.data_opt::<Principal>().and_then(Principal::user_id) else {
                return Ok(None);
            };
            let key = (user, self.0.code.clone());
            let found = context.data::<Loaders>()?.completions.load(key).await?;
            Ok(Some(found.unwrap_or_default().into()))
        })
        .await
    }

    /// Its printings, extras included.
    #[graphql(cache_control(max_age = 60))]
    async fn cards(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The order.", default_with = "Some(CardSort::default())")] sort: Option<CardSort>,
        #[graphql(desc = "The first so many, 100 at most; 20 where neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> Option<async_graphql::Result<CardConnection>> {
        nullable(async {
            let loaders = context.data::<Loaders>()?;
            let secret = context.data::<CursorSecret>()?;
            let order: CardOrder = sort.unwrap_or_default().into();
            let list = CardList::of_set(&self.0.code, order);
            let list_id = list.id();
            let page = PageArguments { first, after, last, before }.page(&list_id, secret)?;
            let key = (self.0.code.clone(), order, page, card_connection_columns(context));
            let slice = loaders.set_cards.load(key).await?.unwrap_or_else(Slice::empty);
            let edges = Edges::new(slice, secret, list_id, move |card| list.key(card));
            Ok(Some(CardConnection::new(edges, CardTotal::OfSet(self.0.code.clone()))))
        })
        .await
    }
}

plan!(CardSet: methods {
    "id" => id,
    "code" => code,
    "name" => name,
    "kind" => kind,
    "releasedOn" => released_on,
    "iconUrl" => icon_url,
    "cardCount" => card_count,
});

/// What counts a list of sets.
pub struct SetTotal {
    pub kinds: Option<Vec<String>>,
}

impl SetTotal {
    pub async fn count(&self, loaders: &Loaders) -> Result<i64> {
        count_sets(&loaders.connection, self.kinds.as_deref()).await
    }
}

connection! {
    /// A page of sets.
    CardSetConnection, CardSetEdge, Arc<SetRow> => CardSet, total: SetTotal
}

/// Sets by code.
pub struct SetsByCode;

impl Load for SetsByCode {
    type Key = String;
    type Value = Arc<SetRow>;
    const NAME: &'static str = "sets";

    async fn load(connection: &Connection, keys: Vec<String>) -> Result<HashMap<String, Self::Value>> {
        let rows = load_sets_by_code(connection, &keys).await?;
        Ok(rows.into_iter().map(|row| (row.code.clone(), Arc::new(row))).collect())
    }
}

/// Sets by global id.
pub struct SetsByUuid;

impl Load for SetsByUuid {
    type Key = Uuid;
    type Value = Arc<SetRow>;
    const NAME: &'static str = "sets_by_uuid";

    async fn load(connection: &Connection, keys: Vec<Uuid>) -> Result<HashMap<Uuid, Self::Value>> {
        let rows = load_sets_by_uuid(connection, &keys).await?;
        Ok(rows.into_iter().map(|row| (row.uuid, Arc::new(row))).collect())
    }
}

/// Pages of sets' printings. The same first or last page of many sets is one statement; a page at a cursor walks its set's
/// index. A cursor belongs to one set, but the card that it stands at may have come from another, where it is a place too.
pub struct CardsBySet;

impl Load for CardsBySet {
    type Key = (String, CardOrder, Page, CardColumns);
    type Value = Slice<Arc<CardRow>>;
    const NAME: &'static str = "set_cards";

    async fn load(connection: &Connection, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, Self::Value>> {
        let mut by_arguments: HashMap<(CardOrder, Page, CardColumns), Vec<String>> = HashMap::new();
        for (code, order, page, columns) in keys {
            by_arguments.entry((order, page, columns)).or_default().push(code);
        }
        let mut loaded = HashMap::new();
        for ((order, page, columns), codes) in by_arguments {
            let is_at_cursor = page.after.is_some() || page.before.is_some();
            let mut slices = if codes.len() > 1 && !is_at_cursor {
                load_cards_by_set(connection, &codes, order, page.end, page.size, columns).await?
            } else {
                let mut slices = HashMap::new();
                for code in &codes {
                    let list = CardList::of_set(code, order);
                    slices.insert(code.clone(), list_cards(connection, &list, &page, columns).await?);
                }
                slices
            };
            for code in codes {
                if let Some(slice) = slices.remove(&code) {
                    loaded.insert((code, order, page.clone(), columns), slice.map(Arc::new));
                }
            }
        }
        Ok(loaded)
    }
}

/// How many printings sets have.
pub struct CardTotalBySet;

impl Load for CardTotalBySet {
    type Key = String;
    type Value = i64;
    const NAME: &'static str = "set_card_totals";

    async fn load(connection: &Connection, keys: Vec<String>) -> Result<HashMap<String, i64>> {
        count_cards_by_set(connection, &keys).await
    }
}

/// How much of a set somebody owns.
#[derive(Debug, Clone, SimpleObject)]
pub struct SetCompletion {
    /// Printings of which there is a copy.
    owned: i32,
    /// Printings that the set has, extras included.
    total: i32,
    /// What the others cost now, in US dollars, one copy each; those without a price cost nothing here.
    missing_value: Planned<Money>,
}

impl From<collection::SetCompletion> for SetCompletion {
    fn from(completion: collection::SetCompletion) -> Self {
        let missing =
            market::Money { amount: completion.missing_value, currency: entity::enums::Currency::Usd };
        Self {
            owned: int(completion.owned),
            total: int(completion.total),
            missing_value: Planned(missing.into()),
        }
    }
}

/// How much of sets one user owns.
pub struct CompletionBySet;

impl Load for CompletionBySet {
    type Key = (Uuid, String);
    type Value = collection::SetCompletion;
    const NAME: &'static str = "completions";

    async fn load(connection: &Connection, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, Self::Value>> {
        let Some((user, _)) = keys.first() else { return Ok(HashMap::new()) };
        // All of a request are the same user's.
        let codes: Vec<String> = keys.iter().map(|(_, code)| code.clone()).collect();
        let found = load_completions(connection, *user, &codes).await?;
        Ok(found.into_iter().map(|(code, completion)| ((*user, code), completion)).collect())
    }
}
