//! Notes that a request asked for something of somebody's that is not there, or not its caller's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::Context;

use crate::error::{Code, Error, Refusal, Result};

/// Whether this request has missed. Resolvers find it in their context; who counts looks at it afterwards.
#[derive(Debug, Clone, Default)]
pub struct Misses(Arc<AtomicBool>);

impl Misses {
    pub fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub fn note(context: &Context<'_>) {
        if let Some(misses) = context.data_opt::<Self>() {
            misses.0.store(true, Ordering::Relaxed);
        }
    }

    /// The same, where this is what came of it.
    pub fn note_of<T>(context: &Context<'_>, outcome: &Result<T>) {
        let is_miss = |refusal: &Refusal| refusal.code == Code::NotFound;
        let missed = match outcome {
            Err(Error::Refused(refusal)) => is_miss(refusal),
            Err(Error::Problems(problems)) => problems.iter().any(is_miss),
            _ => false,
        };
        if missed {
            Self::note(context);
        }
    }
}
