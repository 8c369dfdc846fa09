//! What happens, told to those who listen: new prices, wants that were met.
//!
//! An ingest writes what it has to tell into the database, in its own transactions (`domain::announcements`). Each server
//! reads on from where it was, as soon as the bell rings, and once a second while anybody listens; so it does not matter
//! in which process the ingest ran, nor whether a bell was missed. The bell is Redis's, where there is one. See
//! docs/adr/0016-announcements.md.

mod bell;
mod hub;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use entity::enums::{Condition, Finish, PriceKind};
use tokio::sync::Notify;
use uuid::Uuid;

pub use bell::Bell;
use hub::Hub;
pub use hub::Listening;

use crate::db::Connection;
use crate::domain::announcements::{Announcement, load_announcements, newest_announcement};
use crate::domain::catalogue::{CardColumns, CardRow, load_cards_by_id};
use crate::domain::market::{
    LatestPriceRow, MarketplaceRow, SeriesPrice, load_marketplaces_by_id, load_series_prices,
};
use crate::error::Result;

/// How soon what was not rung for is found.
const LOOKED_EVERY: Duration = Duration::from_secs(1);
/// Cards whose prices are read at once.
const CARDS: usize = 1_000;

/// A new price, with what nearly everybody asks of it, so that it is read once for all who listen.
#[derive(Debug)]
pub struct PriceEvent {
    pub card: Arc<CardRow>,
    pub marketplace: Arc<MarketplaceRow>,
    pub price: LatestPriceRow,
    /// What it was before, in minor units; absent for the first price.
    pub previous: Option<i64>,
}

/// What makes the prices of a card one series.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Series {
    marketplace: i16,
    kind: PriceKind,
    finish: Finish,
    condition: Condition,
    language: String,
}

impl Series {
    fn of(price: &SeriesPrice) -> Self {
        let SeriesPrice { language, price, .. } = price;
        Self {
            marketplace: price.marketplace_id,
            kind: price.kind,
            finish: price.finish,
            condition: price.condition,
            language: language.clone(),
        }
    }
}

/// Who listens on this server, and how they are told.
#[derive(Clone)]
pub struct Live {
    inner: Arc<Inner>,
}

struct Inner {
    /// The primary: a replica may not have what the bell rings for yet.
    connection: Connection,
    hub: Arc<Mutex<Hub>>,
    rung: Notify,
    /// What is known of prices is brought in step by one at a time: who begins to listen, or who tells.
    turn: tokio::sync::Mutex<()>,
    bell: Bell,
}

impl Live {
    pub fn new(connection: Connection, bell: Bell) -> Self {
        let inner = Inner {
            connection,
            hub: Arc::default(),
            rung: Notify::new(),
            turn: tokio::sync::Mutex::default(),
            bell,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The new prices of these cards, from now on.
    ///
    /// # Errors
    /// The database's.
    pub async fn prices_of(&self, cards: &[i32]) -> Result<Listening<Arc<PriceEvent>>> {
        let _turn = self.inner.turn.lock().await;
        self.begin_to_hear().await?;
        // In their seat first: whoever makes a card known now may leave while the others are read.
        let (listening, unknown) = {
            let mut hub = self.hub();
            let is_unknown = |card: &i32| !hub.topics.contains_key(card);
            let unknown: Vec<i32> = cards.iter().copied().filter(is_unknown).collect();
            (hub.listen_to_prices(cards, &self.inner.hub), unknown)
        };
        let prices = self.prices(&unknown).await?;
        let mut hub = self.hub();
        for price in prices {
            if let Some(topic) = hub.topics.get_mut(&price.card_id) {
                topic.series.insert(Series::of(&price), (price.price.observed_at, price.price.price));
            }
        }
        drop(hub);
        Ok(listening)
    }

    /// The wants of this user whose price falls to its target, from now on.
    ///
    /// # Errors
    /// The database's.
    pub async fn hits_of(&self, user: Uuid) -> Result<Listening<Uuid>> {
        let _turn = self.inner.turn.lock().await;
        self.begin_to_hear().await?;
        Ok(self.hub().listen_to_hits(user, &self.inner.hub))
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.hub().len()
    }

    /// Tells who listens, for as long as the server runs.
    pub async fn keep(&self) {
        let telling = async {
            loop {
                tokio::select! {
                    () = self.inner.rung.notified() => {}
                    () = tokio::time::sleep(LOOKED_EVERY) => {}
                }
                if let Err(error) = self.tell().await {
                    tracing::warn!(error = error.log_text(), "what there is to tell can't be read");
                }
            }
        };
        futures_util::join!(telling, self.inner.bell.listen(|| self.inner.rung.notify_one()));
    }

    /// Tells what was announced since the last time.
    async fn tell(&self) -> Result<()> {
        let _turn = self.inner.turn.lock().await;
        loop {
            let Some(heard) = self.hub().heard() else { return Ok(()) };
            let announcements = load_announcements(&self.inner.connection, heard).await?;
            let Some(last) = announcements.last().map(|announcement| announcement.id) else { return Ok(()) };
            self.tell_prices(&announcements).await?;
            let mut hub = self.hub();
            for (user, item) in announcements.iter().flat_map(|announcement| &announcement.hits) {
                hub.tell_hit(*user, *item);
            }
            hub.heard = Some(last);
        }
    }

    async fn tell_prices(&self, announcements: &[Announcement]) -> Result<()> {
        let cards: BTreeSet<i32> = {
            let hub = self.hub();
            let cards = announcements.iter().flat_map(|announcement| &announcement.cards);
            cards.copied().filter(|card| hub.topics.contains_key(card)).collect()
        };
        for cards in Vec::from_iter(cards).chunks(CARDS) {
            let prices = self.prices(cards).await?;
            // Only what has moved; the hub says so, and knows it from then on.
            let moved: Vec<(SeriesPrice, Option<i64>)> = {
                let mut hub = self.hub();
                prices
                    .into_iter()
                    .filter_map(|price| Some((hub.moved(&price)?, price)))
                    .map(|(previous, price)| (price, previous))
                    .collect()
            };
            if moved.is_empty() {
                continue;
            }
            let ids: BTreeSet<i32> = moved.iter().map(|(price, _)| price.card_id).collect();
            let rows =
                load_cards_by_id(&self.inner.connection, &Vec::from_iter(ids), CardColumns::Row).await?;
            let rows: HashMap<i32, Arc<CardRow>> =
                rows.into_iter().map(|row| (row.id, Arc::new(row))).collect();
            let ids: BTreeSet<i16> = moved.iter().map(|(price, _)| price.price.marketplace_id).collect();
            let marketplaces = load_marketplaces_by_id(&self.inner.connection, &Vec::from_iter(ids)).await?;
            let marketplaces: HashMap<i16, Arc<MarketplaceRow>> =
                marketplaces.into_iter().map(|row| (row.id, Arc::new(row))).collect();
            let mut hub = self.hub();
            for (price, previous) in moved {
                let (Some(card), Some(marketplace)) =
                    (rows.get(&price.card_id), marketplaces.get(&price.price.marketplace_id))
                else {
                    continue;
                };
                let event = PriceEvent {
                    card: Arc::clone(card),
                    marketplace: Arc::clone(marketplace),
                    price: price.price,
                    previous,
                };
                hub.tell_price(price.card_id, &Arc::new(event));
            }
        }
        Ok(())
    }

    async fn prices(&self, cards: &[i32]) -> Result<Vec<SeriesPrice>> {
        load_series_prices(&self.inner.connection, cards).await
    }

    /// Where nobody listened so far, what was announced until now is past.
    async fn begin_to_hear(&self) -> Result<()> {
        if self.hub().heard().is_none() {
            let newest = newest_announcement(&self.inner.connection).await?;
            self.hub().heard = Some(newest);
        }
        Ok(())
    }

    fn hub(&self) -> std::sync::MutexGuard<'_, Hub> {
        // Nothing panics while it holds the lock; if something did, the maps are still whole.
        self.inner.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
