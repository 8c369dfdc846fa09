//! Loads in batches: what the fields of one step of an answer ask for, in one statement.
//!
//! The first load of a step leads: it yields until all who were answered in the step before have gone on and said what
//! they want next, then fetches for all. There is no timer, which would cost a millisecond a level, and no task is
//! spawned, so a request that is dropped takes its loads with it. async-graphql's own DataLoader has both.
//!
//! One yield is not enough: a long list is polled in several turns, and tokio's channels let a task receive 128 times a
//! turn. Hence [`Pace`], and channels that know no budget.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_channel::oneshot;

use crate::db::Connection;
use crate::error::{Error, Result};
use crate::explain::note_batch;

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

/// How many answers of one request, whichever loader's, have been sent and not yet taken.
#[derive(Debug, Default)]
pub struct Pace(AtomicUsize);

/// Turns that a leader waits at most. More than any list needs: a backstop against an answer that nobody takes.
const TURNS: usize = 1_000;

impl Pace {
    /// Yields until every answer has been taken; once in any case.
    async fn settle(&self) {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
            if self.0.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    }
}

/// One request's loads of one kind: batched, and remembered until its end.
pub struct Loader<L: Load> {
    connection: Connection,
    pace: Arc<Pace>,
    state: Mutex<State<L>>,
}

struct State<L: Load> {
    loaded: HashMap<L::Key, Option<L::Value>>,
    waiting: Vec<Waiting<L>>,
}

/// One who waits: until all of its keys are among what was loaded.
struct Waiting<L: Load> {
    keys: Vec<L::Key>,
    answer: oneshot::Sender<Result<()>>,
}

/// A load that waits for its answer. Whether it takes it or is dropped first, the pace knows.
struct Awaited<'a> {
    answer: oneshot::Receiver<Result<()>>,
    pace: &'a Pace,
}

impl Awaited<'_> {
    /// Nothing, where the leader was dropped half-way.
    async fn take(mut self) -> Option<Result<()>> {
        let answer = (&mut self.answer).await.ok();
        if answer.is_some() {
            self.pace.0.fetch_sub(1, Ordering::Relaxed);
        }
        answer
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        // An answer that was sent and not taken; once taken, there is none any more.
        if let Ok(Some(_)) = self.answer.try_recv() {
            self.pace.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl<L: Load> Loader<L> {
    pub fn new(connection: Connection, pace: Arc<Pace>) -> Self {
        Self { connection, pace, state: Mutex::new(State { loaded: HashMap::new(), waiting: Vec::new() }) }
    }

    /// # Errors
    /// The batch's, for all who are in it.
    pub async fn load(&self, key: L::Key) -> Result<Option<L::Value>> {
        loop {
            if let Some(value) = self.lock().loaded.get(&key) {
                return Ok(value.clone());
            }
            self.load_all(std::slice::from_ref(&key)).await?;
        }
    }

    /// Loads these keys, so that each of them can be had at once from now on.
    ///
    /// # Errors
    /// The batch's, for all who are in it.
    pub async fn load_all(&self, keys: &[L::Key]) -> Result<()> {
        loop {
            let (answer, leads) = {
                let mut state = self.lock();
                let keys: Vec<_> =
                    keys.iter().filter(|key| !state.loaded.contains_key(*key)).cloned().collect();
                if keys.is_empty() {
                    return Ok(());
                }
                let leads = state.waiting.is_empty();
                let (sender, receiver) = oneshot::channel();
                state.waiting.push(Waiting { keys, answer: sender });
                (Awaited { answer: receiver, pace: &self.pace }, leads)
            };
            if leads {
                // On the heap, or every field that may load would be as large as what a leader does.
                Box::pin(self.lead()).await;
            }
            // Else the leader was dropped, with the field that it belonged to: lead in its place.
            if let Some(answer) = answer.take().await {
                return answer;
            }
        }
    }

    /// Loads these keys, each of which has a value.
    ///
    /// # Errors
    /// The batch's; one for a key without a value, where a foreign key promises it.
    pub async fn require(&self, keys: Vec<L::Key>) -> Result<()> {
        self.load_all(&keys).await?;
        let is_there = |key| self.lock().loaded.get(key).is_some_and(Option::is_some);
        if keys.iter().all(is_there) { Ok(()) } else { Err(Error::internal("a promised value is not there")) }
    }

    /// Takes this for loaded.
    pub fn prime(&self, key: L::Key, value: L::Value) {
        self.lock().loaded.insert(key, Some(value));
    }

    /// Forgets what was loaded, so that it is loaded anew.
    pub fn forget(&self) {
        self.lock().loaded.clear();
    }

    /// What was loaded of a key.
    pub fn known(&self, key: &L::Key) -> Option<L::Value> {
        self.lock().loaded.get(key).cloned().flatten()
    }

    async fn lead(&self) {
        let mut step = Step { loader: self, taken: false };
        self.pace.settle().await;
        let waiting = step.take();
        let keys: HashSet<L::Key> = waiting.iter().flat_map(|waiting| waiting.keys.iter().cloned()).collect();
        metrics::histogram!("dualcaster_batch_keys", "loader" => L::NAME).record(keys.len() as f64);
        note_batch(L::NAME, keys.len());
        let span = tracing::debug_span!("batch", loader = L::NAME, keys = keys.len());
        let loaded = {
            use tracing::Instrument;
            L::load(&self.connection, keys.into_iter().collect()).instrument(span).await
        };
        let answer = loaded.map(|mut values| {
            let mut state = self.lock();
            for key in waiting.iter().flat_map(|waiting| &waiting.keys) {
                if !state.loaded.contains_key(key) {
                    state.loaded.insert(key.clone(), values.remove(key));
                }
            }
        });
        for waiting in waiting {
            self.pace.0.fetch_add(1, Ordering::Relaxed);
            if waiting.answer.send(answer.clone()).is_err() {
                // Who no longer waits was dropped.
                self.pace.0.fetch_sub(1, Ordering::Relaxed);
            }
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;
    use futures_util::future::join_all;

    use super::*;
    use crate::config::{Environment, Settings};
    use crate::db::{Databases, Purpose};

    static BATCHES: AtomicUsize = AtomicUsize::new(0);

    /// Doubles its keys; fails for a batch with 13 in it, and has nothing for 0.
    struct Doubles;

    impl Load for Doubles {
        type Key = u64;
        type Value = u64;
        const NAME: &'static str = "doubles";

        async fn load(_: &Connection, keys: Vec<u64>) -> Result<HashMap<u64, u64>> {
            BATCHES.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            if keys.contains(&13) {
                return Err(Error::internal("thirteen"));
            }
            Ok(keys.into_iter().filter(|key| *key != 0).map(|key| (key, key * 2)).collect())
        }
    }

    async fn loader() -> Loader<Doubles> {
        let variables = [("DATABASE_URL".to_owned(), "sqlite::memory:".to_owned())];
        let settings = Settings::read(&mut Environment::new(variables)).expect("settings");
        let databases = Databases::connect(&settings.database, Purpose::Requests).await.expect("a database");
        Loader::new(databases.read().clone(), Arc::default())
    }

    /// One test, for they share the count of batches.
    #[tokio::test]
    async fn loads_of_one_step_are_one_batch_whoever_leads() {
        let loader = loader().await;
        let loads = join_all([1, 2, 3, 2, 0].map(|key| loader.load(key))).await;
        let values: Vec<_> = loads.into_iter().map(|value| value.expect("a value")).collect();
        assert_eq!(values, [Some(2), Some(4), Some(6), Some(4), None]);
        assert_eq!(BATCHES.load(Ordering::Relaxed), 1);

        // What was loaded is remembered, and so is what is not there.
        assert_eq!(
            (loader.load(2).await.expect("a value"), loader.load(0).await.expect("none")),
            (Some(4), None)
        );
        assert_eq!(BATCHES.load(Ordering::Relaxed), 1);

        // A failure reaches all who are in the batch, and is not remembered.
        for failed in join_all([13, 14].map(|key| loader.load(key))).await {
            assert!(failed.is_err());
        }
        assert_eq!(loader.load(14).await.expect("a value"), Some(28));

        // A leader that is dropped before its turn, and one that is dropped during it, leave nobody waiting.
        for polls in [1, 2] {
            let mut leader = Box::pin(loader.load(100 + polls));
            let mut follower = Box::pin(loader.load(200 + polls));
            for _ in 0..polls {
                assert!(leader.as_mut().now_or_never().is_none());
                assert!(follower.as_mut().now_or_never().is_none());
            }
            drop(leader);
            assert_eq!(follower.await.expect("a value"), Some(400 + 2 * polls));
        }
    }
}
