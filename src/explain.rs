//! What answering one request took: the batches of its loaders and the statements it sent, noted where they happen and
//! told where the caller asked for it. Nothing is noted, and nothing allocated, unless someone asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

tokio::task_local! {
    static NOTES: Arc<Mutex<Notes>>;
}

/// The notes of one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Notes {
    pub batches: Vec<Batch>,
    pub statements: Vec<Statement>,
}

/// One load of many keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub loader: &'static str,
    pub keys: usize,
}

/// One statement as it was sent, its parameters left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub sql: String,
    /// Read or written; nothing where it failed.
    pub rows: Option<u64>,
    pub took: Duration,
}

/// Notes what the work does.
pub async fn explained<T>(work: impl Future<Output = T>) -> (T, Notes) {
    let notes = Arc::<Mutex<Notes>>::default();
    let done = NOTES.scope(Arc::clone(&notes), work).await;
    let notes = std::mem::take(&mut *notes.lock().unwrap_or_else(PoisonError::into_inner));
    (done, notes)
}

/// Notes a batch, where someone asked.
pub fn note_batch(loader: &'static str, keys: usize) {
    note(|notes| notes.batches.push(Batch { loader, keys }));
}

/// Notes a statement, where someone asked.
pub fn note_statement(sql: &str, rows: Option<u64>, took: Duration) {
    note(|notes| notes.statements.push(Statement { sql: sql.to_owned(), rows, took }));
}

fn note(add: impl FnOnce(&mut Notes)) {
    // Outside a request that is explained there is nowhere to note it.
    let _ = NOTES.try_with(|notes| add(&mut notes.lock().unwrap_or_else(PoisonError::into_inner)));
}
