//! Notes that a request asked for something of somebody's that is not there, or not its caller's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::Context;

use crate::error::{Code, Error, Result};

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
        if matches!(outcome, Err(Error::Refused(refusal)) if refusal.code == Code::NotFound) {
            Self::note(context);
        }
    }
}
