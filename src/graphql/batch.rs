//! Loads in batches: what the fields of one step of an answer ask for, in one statement.
//!
//! The first load of a step leads: it lets the others of the step speak by yielding once, then fetches for all. There
//! is no timer, which would cost a millisecond a level, and no task is spawned, so a request that is dropped takes its
//! loads with it. async-graphql's own DataLoader has both.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::db::Connection;
use crate::error::{Error, Result};

/// What fetches the values of keys. Keys without a value are left out of the answer.
pub trait Load: Send + Sync + 'static {
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    type Value: Clone + Send + Sync + 'static;
    /// For metrics.
    const NAME: &'static str;

    fn load(
        connection: &Connection,
        keys: Vec<Self::Key>,
    ) -> impl Future<Output = Result<HashMap<Self::Key, Self::Value>>> + Send;
}

/// One request's loads of one kind: batched, and remembered until its end.
pub struct Loader<L: Load> {
    connection: Connection,
    state: Mutex<State<L>>,
}

struct State<L: Load> {
    loaded: HashMap<L::Key, Option<L::Value>>,
    waiting: Vec<Waiting<L>>,
}

struct Waiting<L: Load> {
    key: L::Key,
    answer: oneshot::Sender<Result<Option<L::Value>>>,
}

impl<L: Load> Loader<L> {
    pub fn new(connection: Connection) -> Self {
        Self {
            connection,
            state: Mutex::new(State {
                loaded: HashMap::new(),
                waiting: Vec::new(),
            }),
        }
    }

    /// # Errors
    /// The batch's, for all who are in it.
    pub async fn load(&self, key: L::Key) -> Result<Option<L::Value>> {
        loop {
            let (answer, leads) = {
                let mut state = self.lock();
                if let Some(value) = state.loaded.get(&key) {
                    return Ok(value.clone());
                }
                let leads = state.waiting.is_empty();
                let (sender, receiver) = oneshot::channel();
                state.waiting.push(Waiting {
                    key: key.clone(),
                    answer: sender,
                });
                (receiver, leads)
            };
            if leads {
                self.lead().await;
            }
            match answer.await {
                Ok(value) => return value,
                // The leader was dropped half-way, with the field that it belongs to: lead in its place.
                Err(_) => continue,
            }
        }
    }

    async fn lead(&self) {
        let mut step = Step {
            loader: self,
            taken: false,
        };
        tokio::task::yield_now().await;
        let waiting = step.take();
        let keys: HashSet<L::Key> = waiting.iter().map(|waiting| waiting.key.clone()).collect();
        metrics::histogram!("dualcaster_batch_keys", "loader" => L::NAME).record(keys.len() as f64);
        let span = tracing::info_span!("batch", loader = L::NAME, keys = keys.len());
        let loaded = {
            use tracing::Instrument;
            L::load(&self.connection, keys.into_iter().collect())
                .instrument(span)
                .await
        };
        let answers: Vec<_> = match loaded {
            Ok(values) => {
                let mut state = self.lock();
                waiting
                    .into_iter()
                    .map(|waiting| {
                        let value = values.get(&waiting.key).cloned();
                        state.loaded.insert(waiting.key, value.clone());
                        (waiting.answer, Ok(value))
                    })
                    .collect()
            }
            Err(error) => waiting
                .into_iter()
                .map(|waiting| (waiting.answer, Err(error.clone())))
                .collect(),
        };
        for (sender, value) in answers {
            // Who no longer waits was dropped.
            let _ = sender.send(value);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State<L>> {
        // Nothing panics while it holds the lock; if something did, the maps are still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A leader's turn. If it ends before the keys were taken, those who wait are let go, to choose another leader.
struct Step<'a, L: Load> {
    loader: &'a Loader<L>,
    taken: bool,
}

impl<L: Load> Step<'_, L> {
    fn take(&mut self) -> Vec<Waiting<L>> {
        self.taken = true;
        std::mem::take(&mut self.loader.lock().waiting)
    }
}

impl<L: Load> Drop for Step<'_, L> {
    fn drop(&mut self) {
        if !self.taken {
            drop(self.take());
        }
    }
}

/// A value that a foreign key promises.
///
/// # Errors
/// When it is not there after all.
pub fn promised<T>(value: Option<T>, what: &'static str) -> Result<T> {
    value.ok_or_else(|| Error::internal(what))
}
