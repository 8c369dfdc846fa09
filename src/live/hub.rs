//! Who listens to what, and what is known of the prices that somebody listens to.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use chrono::{DateTime, Utc};
use futures_util::Stream;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{PriceEvent, Series};
use crate::domain::market::SeriesPrice;
use crate::error::{Code, Refusal};

/// What one listener may be behind before it is let go: an ingest may bring a hundred cards at once, each with the
/// prices of several marketplaces.
const BEHIND: usize = 2_048;

/// A card that somebody listens to.
#[derive(Debug, Default)]
pub(super) struct Topic {
    /// The newest price of each series.
    pub series: HashMap<Series, (DateTime<Utc>, i64)>,
    listeners: Vec<u64>,
}

struct PriceListener {
    sender: mpsc::Sender<Arc<PriceEvent>>,
    cards: Box<[i32]>,
}

struct HitListener {
    number: u64,
    sender: mpsc::Sender<Uuid>,
}

#[derive(Default)]
pub(super) struct Hub {
    pub topics: HashMap<i32, Topic>,
    prices: HashMap<u64, PriceListener>,
    hits: HashMap<Uuid, Vec<HitListener>>,
    /// The last announcement that was told.
    pub heard: Option<i64>,
    numbers: u64,
}

impl Hub {
    pub fn len(&self) -> usize {
        self.prices.len() + self.hits.values().map(Vec::len).sum::<usize>()
    }

    /// The last announcement that was told; nothing where nobody listens, for then nobody is told.
    pub fn heard(&mut self) -> Option<i64> {
        if self.prices.is_empty() && self.hits.is_empty() {
            self.heard = None;
        }
        self.heard
    }

    pub fn listen_to_prices(&mut self, cards: &[i32], hub: &Arc<Mutex<Self>>) -> Listening<Arc<PriceEvent>> {
        let (number, sender, listening) = self.listening(hub, Place::Prices);
        for card in cards {
            self.topics.entry(*card).or_default().listeners.push(number);
        }
        self.prices.insert(number, PriceListener { sender, cards: cards.into() });
        listening
    }

    pub fn listen_to_hits(&mut self, user: Uuid, hub: &Arc<Mutex<Self>>) -> Listening<Uuid> {
        let (number, sender, listening) = self.listening(hub, Place::Hits(user));
        self.hits.entry(user).or_default().push(HitListener { number, sender });
        listening
    }

    fn listening<T>(&mut self, hub: &Arc<Mutex<Self>>, place: Place) -> (u64, mpsc::Sender<T>, Listening<T>) {
        self.numbers += 1;
        let (sender, receiver) = mpsc::channel(BEHIND);
        let seat = Seat { hub: Arc::clone(hub), number: self.numbers, place };
        metrics::gauge!("dualcaster_listeners", "to" => seat.place.name()).increment(1);
        (self.numbers, sender, Listening { receiver, ended: false, _seat: seat })
    }

    /// What a price was before, where it is newer than what is known, and known from now on; nothing for a price that is
    /// not new.
    pub fn moved(&mut self, price: &SeriesPrice) -> Option<Option<i64>> {
        let topic = self.topics.get_mut(&price.card_id)?;
        let now = (price.price.observed_at, price.price.price);
        let before = topic.series.insert(Series::of(price), now);
        match before {
            Some(before) if before == now => None,
            Some((at, before)) if at > now.0 => {
                // An older one comes back only where the newer was taken away.
                (before != now.1).then_some(Some(before))
            }
            before => Some(before.map(|(_, before)| before)),
        }
    }

    pub fn tell_price(&mut self, card: i32, event: &Arc<PriceEvent>) {
        let Some(topic) = self.topics.get(&card) else { return };
        let behind: Vec<u64> = topic
            .listeners
            .iter()
            .filter(|number| {
                let listener = self.prices.get(number);
                listener.is_some_and(|listener| listener.sender.try_send(Arc::clone(event)).is_err())
            })
            .copied()
            .collect();
        for number in behind {
            self.forget_prices(number);
        }
    }

    pub fn tell_hit(&mut self, user: Uuid, item: Uuid) {
        if let Some(listeners) = self.hits.get_mut(&user) {
            listeners.retain(|listener| listener.sender.try_send(item).is_ok());
        }
    }

    fn forget_prices(&mut self, number: u64) {
        let Some(listener) = self.prices.remove(&number) else { return };
        for card in &listener.cards {
            let Some(topic) = self.topics.get_mut(card) else { continue };
            topic.listeners.retain(|listener| *listener != number);
            if topic.listeners.is_empty() {
                self.topics.remove(card);
            }
        }
    }

    fn forget_hits(&mut self, user: Uuid, number: u64) {
        let Some(listeners) = self.hits.get_mut(&user) else { return };
        listeners.retain(|listener| listener.number != number);
        if listeners.is_empty() {
            self.hits.remove(&user);
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Prices,
    Hits(Uuid),
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Prices => "prices",
            Self::Hits(_) => "hits",
        }
    }
}

/// A listener's place in the hub, which it leaves when it is dropped.
struct Seat {
    hub: Arc<Mutex<Hub>>,
    number: u64,
    place: Place,
}

impl Drop for Seat {
    fn drop(&mut self) {
        metrics::gauge!("dualcaster_listeners", "to" => self.place.name()).decrement(1);
        let mut hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
        match self.place {
            Place::Prices => hub.forget_prices(self.number),
            Place::Hits(user) => hub.forget_hits(user, self.number),
        }
    }
}

/// What one listener is told. Ends with ERR-5003 for who does not keep up.
pub struct Listening<T> {
    receiver: mpsc::Receiver<T>,
    ended: bool,
    _seat: Seat,
}

impl<T> Stream for Listening<T> {
    type Item = Result<T, Refusal>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match self.receiver.poll_recv(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(told)) => Poll::Ready(Some(Ok(told))),
            // The hub lets go of nobody else.
            Poll::Ready(None) => {
                self.ended = true;
                metrics::counter!("dualcaster_listeners_behind_total").increment(1);
                let message = "You did not read fast enough: what came since is lost. Subscribe again.";
                Poll::Ready(Some(Err(Refusal::new(Code::Overloaded, message))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use entity::enums::{Condition, Currency, Finish, PriceKind};
    use futures_util::{FutureExt, StreamExt};

    use super::*;
    use crate::domain::market::LatestPriceRow;

    fn price(card_id: i32, day: i64, price: i64) -> SeriesPrice {
        let price = LatestPriceRow {
            marketplace_id: 1,
            currency: Currency::Usd,
            kind: PriceKind::Retail,
            finish: Finish::Nonfoil,
            condition: Condition::NearMint,
            estimated: false,
            price,
            low: None,
            mid: None,
            high: None,
            market: None,
            observed_at: DateTime::from_timestamp(day * 86_400, 0).expect("a day"),
        };
        SeriesPrice { card_id, language: "en".to_owned(), price }
    }

    #[test]
    fn a_price_has_moved_when_it_is_newer_or_another() {
        let mut hub = Hub::default();
        assert_eq!(hub.moved(&price(1, 1, 100)), None, "nobody listens");
        hub.topics.insert(1, Topic::default());
        assert_eq!(hub.moved(&price(1, 1, 100)), Some(None), "the first");
        assert_eq!(hub.moved(&price(1, 1, 100)), None, "the same");
        assert_eq!(hub.moved(&price(1, 2, 100)), Some(Some(100)), "the same price, a day later");
        assert_eq!(hub.moved(&price(1, 2, 120)), Some(Some(100)), "put right");
    }

    #[test]
    fn who_is_too_far_behind_is_let_go_with_a_word_and_leaves_nothing() {
        let hub = Arc::new(Mutex::new(Hub::default()));
        let user = Uuid::from_u128(1);
        let (mut slow, gone) = {
            let mut locked = hub.lock().expect("not poisoned");
            (locked.listen_to_hits(user, &hub), locked.listen_to_hits(user, &hub))
        };
        assert_eq!(hub.lock().expect("not poisoned").len(), 2);
        drop(gone);
        for number in 0..=BEHIND {
            hub.lock().expect("not poisoned").tell_hit(user, Uuid::from_u128(number as u128));
        }
        let mut told = 0;
        let refusal = loop {
            match slow.next().now_or_never().expect("at once").expect("an item") {
                Ok(_) => told += 1,
                Err(refusal) => break refusal,
            }
        };
        assert_eq!((told, refusal.code), (BEHIND, Code::Overloaded));
        assert!(slow.next().now_or_never().expect("at once").is_none());
        drop(slow);
        let mut locked = hub.lock().expect("not poisoned");
        assert_eq!((locked.len(), locked.heard()), (0, None));
    }
}
