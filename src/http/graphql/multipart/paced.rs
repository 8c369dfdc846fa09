//! A form's body as it comes: not too slowly, and with its next part not too far away.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{BodyDataStream, Bytes};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, Sleep};

/// Bytes up to a part's beginning at most: what comes before the first, and each one's headers. All of it is held in
/// memory until the beginning is found.
pub(super) const MOST_SEARCHED: u64 = 64 << 10;
/// Bytes that are handed on before what reads them is let look at them: it takes all that it can get.
const AT_ONCE: u64 = 64 << 10;

/// Whether a part's beginning is looked for, and for how many bytes already.
#[derive(Debug, Clone)]
pub(super) struct Search(Arc<AtomicU64>);

/// While a part is received there is nothing to look for.
const FOUND: u64 = u64::MAX;

impl Default for Search {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(0)))
    }
}

impl Search {
    pub fn begin(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    pub fn end(&self) {
        self.0.store(FOUND, Ordering::Relaxed);
    }

    fn is_vain(&self) -> bool {
        (MOST_SEARCHED..FOUND).contains(&self.0.load(Ordering::Relaxed))
    }

    fn add(&self, bytes: u64) {
        if self.0.load(Ordering::Relaxed) != FOUND {
            self.0.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

/// The body came too slowly.
#[derive(Debug, thiserror::Error)]
#[error("the body came too slowly")]
pub(super) struct Late;

#[derive(Debug, thiserror::Error)]
#[error("no part begins where one should")]
struct NoPart;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Hands a body on, piece by piece.
pub(super) struct Paced<'a> {
    body: &'a mut BodyDataStream,
    search: Search,
    /// The time that any piece has, and the whole beside what its bytes have at the least rate.
    patience: Duration,
    bytes_per_second: u64,
    started: Instant,
    received: u64,
    /// Handed on since the reader was last let look.
    at_once: u64,
    deadline: Pin<Box<Sleep>>,
}

impl<'a> Paced<'a> {
    /// `pace` is the time that any piece has, and the least rate.
    pub fn new(
        body: &'a mut BodyDataStream,
        search: Search,
        (patience, bytes_per_second): (Duration, u64),
    ) -> Self {
        let deadline = Box::pin(tokio::time::sleep(patience));
        let started = Instant::now();
        Self { body, search, patience, bytes_per_second, started, received: 0, at_once: 0, deadline }
    }

    /// Counts a piece, and lets the next one come as late as both limits allow.
    fn count(&mut self, bytes: u64) {
        self.search.add(bytes);
        self.received += bytes;
        self.at_once += bytes;
        let earned =
            Duration::from_millis(self.received.saturating_mul(1_000) / self.bytes_per_second.max(1));
        let (by_rate, by_piece) = (self.started + self.patience + earned, Instant::now() + self.patience);
        self.deadline.as_mut().reset(by_rate.min(by_piece));
    }
}

impl Stream for Paced<'_> {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.at_once >= AT_ONCE {
            this.at_once = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if this.search.is_vain() {
            return Poll::Ready(Some(Err(NoPart.into())));
        }
        match this.body.poll_next_unpin(context) {
            Poll::Ready(Some(Ok(piece))) => {
                this.count(piece.len() as u64);
                Poll::Ready(Some(Ok(piece)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                this.at_once = 0;
                ready!(this.deadline.as_mut().poll(context));
                Poll::Ready(Some(Err(Late.into())))
            }
        }
    }
}
