//! What can be listened to.

use std::sync::Arc;

use async_graphql::{Context, ID, Result, SimpleObject, Subscription as GraphQlSubscription};
use futures_util::{Stream, StreamExt, stream};

use super::Loaders;
use super::global_id::GlobalId;
use super::misses::Misses;
use super::planned::{Planned, plan};
use super::scalars::Decimal;
use super::types::{Asker, Card, Job, MarketPrice, WantListItem};
use crate::domain::catalogue::CardColumns;
use crate::error::{Code, Refusal};
use crate::live::{Live, PriceEvent};
use crate::principal::Principal;

/// How often a job is looked at that somebody watches.
const WATCHED_EVERY: std::time::Duration = std::time::Duration::from_millis(250);
/// Cards that one subscription listens to at most.
const MOST_CARDS: usize = 100;
/// The lists that subscriptions take, by type, field and argument, and how many items: what an argument elsewhere says itself.
pub const LISTS_TAKEN: &[(&str, &str, &str, usize)] =
    &[("Subscription", "priceUpdates", "cardIds", MOST_CARDS)];

/// A new price of a card.
#[derive(SimpleObject)]
pub struct PriceUpdate {
    /// Whose price it is.
    card: Planned<Card>,
    /// The price, in one marketplace.
    price: Planned<MarketPrice>,
    /// What it was before; null for the first price.
    previous_price: Option<Decimal>,
}

plan!(PriceUpdate: fields { "previousPrice" => previous_price });

impl From<&PriceEvent> for PriceUpdate {
    fn from(event: &PriceEvent) -> Self {
        Self {
            card: Planned(Arc::clone(&event.card).into()),
            price: Planned(event.price.clone().into()),
            previous_price: event.previous.map(Decimal),
        }
    }
}

/// What can be listened to, over WebSocket or as server-sent events.
pub struct Subscription;

/// What can be listened to, over WebSocket or as server-sent events. Who does not keep up is let go with ERR-5003.
#[GraphQlSubscription]
impl Subscription {
    /// New prices of up to 100 cards as they are ingested: of every marketplace, kind and finish that has one.
    async fn price_updates(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The cards' `id`s, 1 to 100.")] card_ids: Vec<ID>,
    ) -> Result<impl Stream<Item = Result<PriceUpdate>> + use<>> {
        if card_ids.is_empty() {
            return Err(Refusal::invalid_value(format!("cardIds takes 1 to {MOST_CARDS}.")).into());
        }
        let loaders = context.data::<Loaders>()?.clone();
        let wanted =
            card_ids.iter().map(|id| (GlobalId::card_or_none(id), CardColumns::Row)).collect::<Vec<_>>();
        loaders.cards.load_all(&wanted).await?;
        let mut cards = Vec::with_capacity(wanted.len());
        for key in &wanted {
            let Some(card) = loaders.cards.known(key) else {
                return Err(Refusal::new(Code::NotFound, "There is no such card among cardIds.").into());
            };
            if !cards.contains(&card.id) {
                cards.push(card.id);
            }
        }
        loaders.renew();
        let told = context.data::<Live>()?.prices_of(&cards).await?;
        Ok(told.map(move |event| {
            let event = event?;
            // What the last one asked for is of its time.
            loaders.renew();
            loaders.marketplaces.prime(event.marketplace.id, Arc::clone(&event.marketplace));
            Ok(PriceUpdate::from(&*event))
        }))
    }

    /// The caller's want-list items as their price falls to the target. One that is below it already is not told again:
    /// `belowTarget` has what came while nobody listened.
    async fn want_list_hits(
        &self,
        context: &Context<'_>,
    ) -> Result<impl Stream<Item = Result<Planned<WantListItem>>> + use<>> {
        let principal = context.data::<Principal>()?;
        let user = principal.user()?.id;
        let asker = Asker::from(principal);
        let loaders = context.data::<Loaders>()?.clone();
        let told = context.data::<Live>()?.hits_of(user).await?;
        Ok(told.filter_map(move |item| {
            let loaders = loaders.clone();
            async move {
                loaders.renew();
                let found = match item {
                    Ok(item) => loaders.wants_by_id.load((asker, item)).await.map_err(Into::into),
                    Err(refusal) => Err(refusal.into()),
                };
                // One that is gone by now needs no telling.
                found.map(|want| want.map(Planned)).transpose()
            }
        }))
    }

    /// A job of the caller's: its state now, then each change, at most four times a second, until it ends.
    async fn job_progress(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The job's `id`.")] id: ID,
    ) -> Result<impl Stream<Item = Result<Job>> + use<>> {
        let principal = context.data::<Principal>()?;
        let key = (Asker { user: principal.user()?.id, sees_all: false }, GlobalId::collection_import(&id));
        let loaders = context.data::<Loaders>()?.clone();
        let Some(first) = loaders.jobs_by_id.load(key).await? else {
            Misses::note(context);
            return Err(Refusal::new(Code::NotFound, "You have no such job.").into());
        };
        let told = stream::unfold((loaders, Some(first), None), move |(loaders, next, last)| async move {
            if let Some(next) = next {
                let job: Job = Arc::clone(&next).into();
                return Some((Ok(job), (loaders, None, Some(next))));
            }
            let last: Arc<entity::job::Model> = last?;
            while last.finished_at.is_none() {
                tokio::time::sleep(WATCHED_EVERY).await;
                loaders.renew();
                match loaders.jobs_by_id.load(key).await {
                    Ok(Some(now)) if changed(&now, &last) => {
                        let job: Job = Arc::clone(&now).into();
                        return Some((Ok(job), (loaders, None, Some(now))));
                    }
                    Ok(Some(_)) => {}
                    // Gone with its owner.
                    Ok(None) => return None,
                    Err(error) => return Some((Err(error.into()), (loaders, None, None))),
                }
            }
            None
        });
        Ok(told)
    }
}

/// Whether there is something of a job to tell: that its worker is still at it is nothing.
fn changed(now: &entity::job::Model, last: &entity::job::Model) -> bool {
    let told = |job: &entity::job::Model| (job.status, job.processed, job.total, job.finished_at);
    told(now) != told(last)
        || (&now.error_code, &now.error, &now.result) != (&last.error_code, &last.error, &last.result)
}
