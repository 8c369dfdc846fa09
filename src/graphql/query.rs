//! The root of all queries.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::connection::Edges;
use super::global_id::GlobalId;
use super::lookahead::{card_columns, card_connection_columns};
use super::nullable::nullable;
use super::planned::{Items, Planned};
use super::types::{
    Asker, Card, CardConnection, CardFilter, CardLookup, CardSet, CardSetConnection, CardSort, CardTotal,
    CardUnique, DeadLetterConnection, DeadLetterTotal, JobKind, Marketplace, Node, SetTotal, User, find_card,
};
use super::{Loaders, Misses};
use crate::domain::accounts::{check_discord_id, find_user, find_user_by_discord_id};
use crate::domain::catalogue::{
    CardColumns, CardList, CardOrder, Search, Unique, list_cards, list_sets, set_list_id, suggest_names,
};
use crate::domain::jobs::{DeadLetterList, list_dead_letters, load_dead_letters};
use crate::domain::market::list_marketplaces;
use crate::error::Refusal;
use crate::identity::Identity;
use crate::pagination::{CursorSecret, PageArguments};
use crate::principal::{Principal, Role};
use uuid::Uuid;

/// Names that are suggested at most.
const MAX_SUGGESTIONS: usize = 50;

/// What can be asked. How many seconds an answer by GET may be kept is said of each field: what has prices in it moves
/// with the next ingest.
pub struct Query;

/// What can be asked.
#[Object]
impl Query {
    /// Any object that the caller may see, by its global id; null where there is none or it is not the caller's.
    #[graphql(cache_control(max_age = 60))]
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The object's `id`.")] id: ID,
    ) -> Option<Result<Node>> {
        nullable(async { load_node(context, &id, card_columns(context)).await }).await
    }

    /// Up to 100 objects by their global ids, in the order asked for, null in the places of those not found.
    #[graphql(tag = "most=ids", cache_control(max_age = 60))]
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The objects' `id`s, 100 at most.", tag = "most=100")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Result<Node>>>> {
        let columns = card_columns(context);
        let nodes = ids.iter().map(|id| nullable(load_node(context, id, columns)));
        Ok(futures_util::future::join_all(nodes).await)
    }

    /// The signed-in user; null for an anonymous caller.
    #[graphql(cache_control(no_cache))]
    async fn viewer(&self, context: &Context<'_>) -> Option<Result<User>> {
        nullable(async {
            let Some(user) = context.data::<Principal>()?.user_id() else {
                return Ok(None);
            };
            Ok(find_user(context.data::<Identity>()?.connection(), user).await?.map(Into::into))
        })
        .await
    }

    /// A user that linked this Discord account. For the bot and administrators only.
    #[graphql(cache_control(no_cache))]
    async fn user_by_discord_id(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The Discord account's id: digits.")] discord_id: String,
    ) -> Option<Result<User>> {
        nullable(async {
            context.data::<Principal>()?.with_role(&[Role::Bot, Role::Admin])?;
            let id = check_discord_id(&discord_id)?;
            Misses::note_acting_for(context, id);
            let identity = context.data::<Identity>()?;
            Ok(find_user_by_discord_id(identity.connection(), id).await?.map(Into::into))
        })
        .await
    }

    /// One printing, named in exactly one way; null where there is none.
    #[graphql(cache_control(max_age = 60))]
    async fn card(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How the card is named.")] by: CardLookup,
    ) -> Option<Result<Planned<Card>>> {
        nullable(async { Ok(find_card(context, by).await?.map(Planned)) }).await
    }

    /// Cards that a search finds, that pass a filter, or both. The search is in Scryfall's syntax: words of the name, and
    /// keys such as `t:goblin c:r mv<=2 usd<5 -is:reprint order:usd`. Tokens and other extras are in only with
    /// `include:extras` in it. Without `unique` here or in the search: CARDS (the newest paper printing that is no promo)
    /// when there is a search, else PRINTINGS.
    #[graphql(cache_control(max_age = 60))]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the contract")]
    async fn cards(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "A search as players write it: `dragon c:r pow>=5 -t:legendary`. What it knows is in docs/search.md."
        )]
        search: Option<String>,
        #[graphql(desc = "Conditions that each card meets.")] filter: Option<CardFilter>,
        #[graphql(desc = "Whether each card, each art or each printing is listed once.")] unique: Option<
            CardUnique,
        >,
        #[graphql(
            desc = "The order. Without it, the search's `order:` counts.",
            default_with = "Some(CardSort::default())"
        )]
        sort: Option<CardSort>,
        #[graphql(desc = "The first so many, 100 at most; 20 where neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> Option<Result<CardConnection>> {
        nullable(async {
            let search = search.as_deref().map(Search::parse).transpose()?;
            let layout = search.as_ref().map(|search| search.layout).unwrap_or_default();
            let without = if search.is_some() { Unique::Cards } else { Unique::Printings };
            let mut order: CardOrder = sort.unwrap_or_default().into();
            if !is_given(context, "sort") {
                order = layout.order(order);
            }
            let list = CardList {
                search,
                extras: layout.extras,
                filter: filter.map(TryInto::try_into).transpose()?.unwrap_or_default(),
                unique: unique.map(Into::into).or(layout.unique).unwrap_or(without),
                order,
            };
            let page = PageArguments { first, after, last, before };
            let loaders = context.data::<Loaders>()?;
            let secret = context.data::<CursorSecret>()?;
            let list_id = list.id();
            let page = page.page(&list_id, secret)?;
            let columns = card_connection_columns(context);
            let slice = list_cards(&loaders.connection, &list, &page, columns).await?.map(Arc::new);
            let list = Arc::new(list);
            let keys = Arc::clone(&list);
            let edges = Edges::new(slice, secret, list_id, move |card| keys.key(card));
            Ok(Some(CardConnection::new(edges, CardTotal::Listed(list))))
        })
        .await
    }

    /// Names for somebody who is typing one: those that begin so, then those with a word that does, then near ones; of
    /// each the cards of most printings first.
    #[graphql(cache_control(max_age = 300))]
    async fn search_suggestions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What was typed so far, without regard to case and accents.")] prefix: String,
        #[graphql(desc = "So many names, 50 at most.", default_with = "Some(10)")] first: Option<i32>,
    ) -> Result<Vec<String>> {
        let most = match first.map_or(Ok(10), usize::try_from) {
            Ok(most) if most <= MAX_SUGGESTIONS => most,
            _ => {
                return Err(
                    Refusal::invalid_value(format!("first must be from 0 to {MAX_SUGGESTIONS}.")).into()
                );
            }
        };
        Ok(suggest_names(&context.data::<Loaders>()?.connection, &prefix, most).await?)
    }

    /// The set with this code, read without regard to case; null where there is none.
    #[graphql(cache_control(max_age = 3600))]
    async fn card_set(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its code: `isd`.")] code: String,
    ) -> Option<Result<Planned<CardSet>>> {
        nullable(async {
            let set = context.data::<Loaders>()?.sets.load(code.to_lowercase()).await?;
            Ok(set.map(|set| Planned(set.into())))
        })
        .await
    }

    /// Sets, newest first.
    #[graphql(cache_control(max_age = 3600))]
    async fn card_sets(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only these kinds, 50 at most: `expansion`, `core`, `token`, …", tag = "most=50")]
        kinds: Option<Vec<String>>,
        #[graphql(desc = "The first so many, 100 at most; 20 where neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> Option<Result<CardSetConnection>> {
        nullable(async {
            let loaders = context.data::<Loaders>()?;
            let secret = context.data::<CursorSecret>()?;
            let list_id = set_list_id(kinds.as_deref());
            let page = PageArguments { first, after, last, before }.page(&list_id, secret)?;
            let slice = list_sets(&loaders.connection, kinds.as_deref(), &page).await?.map(Arc::new);
            let edges = Edges::new(slice, secret, list_id, |set| set.key());
            Ok(Some(CardSetConnection::new(edges, SetTotal { kinds })))
        })
        .await
    }

    /// Every marketplace whose prices are known, by name.
    #[graphql(tag = "most=50", cache_control(max_age = 300))]
    async fn marketplaces(&self, context: &Context<'_>) -> Result<Items<Marketplace>> {
        let rows = list_marketplaces(&context.data::<Loaders>()?.connection).await?;
        Ok(rows.into_iter().map(Arc::new).collect())
    }

    /// Jobs that failed for good and that nobody has retried or discarded, the newest first. For administrators only.
    #[graphql(cache_control(no_cache))]
    async fn dead_letters(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only of this kind.")] kind: Option<JobKind>,
        #[graphql(desc = "The first so many, 100 at most; 20 where neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> Option<Result<DeadLetterConnection>> {
        nullable(async {
            context.data::<Principal>()?.with_role(&[Role::Admin])?;
            let secret = context.data::<CursorSecret>()?;
            let list = DeadLetterList { kind: kind.map(Into::into) };
            let page = PageArguments { first, after, last, before }.page(&list.id(), secret)?;
            let loaders = context.data::<Loaders>()?;
            let slice = list_dead_letters(&loaders.personal, &list, &page).await?.map(Arc::new);
            let edges = Edges::new(slice, secret, list.id(), |row| DeadLetterList::key(row));
            Ok(Some(DeadLetterConnection::new(edges, DeadLetterTotal(list))))
        })
        .await
    }
}

/// Whether the document gives this argument of the field, and the variables its value.
fn is_given(context: &Context<'_>, argument: &str) -> bool {
    context.field().arguments().is_ok_and(|given| given.iter().any(|(name, _)| name == argument))
}

async fn load_node(context: &Context<'_>, id: &str, columns: CardColumns) -> Result<Option<Node>> {
    let loaders = context.data::<Loaders>()?;
    Ok(match GlobalId::decode(id) {
        Some(GlobalId::Card(uuid)) => {
            loaders.cards.load((uuid, columns)).await?.map(|card| Node::Card(card.into()))
        }
        Some(GlobalId::CardSet(uuid)) => {
            loaders.sets_by_uuid.load(uuid).await?.map(|set| Node::CardSet(set.into()))
        }
        Some(GlobalId::Marketplace(uuid)) => {
            loaders.marketplaces_by_uuid.load(uuid).await?.map(|row| Node::Marketplace(row.into()))
        }
        // What is somebody's is looked for where it would be theirs: another's is as if it were not there, and so is what is
        // no id at all.
        owned => {
            let found = load_owned(context, owned).await?;
            if found.is_none() && owned.is_some() {
                Misses::note(context);
            }
            found
        }
    })
}

async fn load_owned(context: &Context<'_>, id: Option<GlobalId>) -> Result<Option<Node>> {
    let loaders = context.data::<Loaders>()?;
    let asker = Asker::from(context.data::<Principal>()?);
    Ok(match id {
        Some(GlobalId::Session(id)) => {
            let now = context.data::<Identity>()?.outside().now();
            let found = loaders.sessions.load((asker, id)).await?;
            found.filter(|session| session.lasts(now)).map(Node::Session)
        }
        Some(GlobalId::ApiToken(id)) => loaders.api_tokens.load((asker, id)).await?.map(Node::ApiToken),
        Some(GlobalId::InventoryItem(id)) => loaders.items.load((asker, id)).await?.map(Node::InventoryItem),
        Some(GlobalId::CollectionImport(id)) => {
            loaders.jobs_by_id.load((asker, id)).await?.map(|row| Node::CollectionImport(row.into()))
        }
        Some(GlobalId::UploadedFile(id)) => {
            loaders.uploads.load((asker, id)).await?.map(|row| Node::UploadedFile(row.into()))
        }
        Some(GlobalId::DeadLetter(id)) if asker.sees_all => {
            let found = load_dead_letters(&loaders.personal, &[id]).await?.pop();
            found.map(|row| Node::DeadLetter(Arc::new(row).into()))
        }
        Some(GlobalId::WantListItem(id)) => {
            loaders.wants_by_id.load((asker, id)).await?.map(Node::WantListItem)
        }
        Some(GlobalId::User(id)) => loaders.users.load((asker, id)).await?.map(Node::User),
        _ => loaders.users.load((asker, Uuid::nil())).await?.map(Node::User),
    })
}
