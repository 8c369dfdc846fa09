//! Notes that a request asked for something of somebody's that is not there, or not its caller's.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::Context;

use crate::error::{Code, Error, Refusal, Result};

/// Whether this request has missed. Resolvers find it in their context; who counts looks at it afterwards.
#[derive(Debug, Clone, Default)]
pub struct Misses(Arc<Noted>);

#[derive(Debug, Default)]
struct Noted {
    missed: AtomicBool,
    /// The Discord accounts that were asked for.
    acted_for: Mutex<BTreeSet<String>>,
}

impl Misses {
    pub fn any(&self) -> bool {
        self.0.missed.load(Ordering::Relaxed)
    }

    /// The Discord accounts whose users a bot acted for.
    pub fn acted_for(&self) -> Vec<String> {
        self.0.acted_for.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Notes whom a bot acts for: its misses are theirs.
    pub fn note_acting_for(context: &Context<'_>, discord_id: &str) {
        if let Some(misses) = context.data_opt::<Self>() {
            let mut acted_for = misses.0.acted_for.lock().unwrap_or_else(PoisonError::into_inner);
            acted_for.insert(discord_id.to_owned());
        }
    }

    pub fn note(context: &Context<'_>) {
        if let Some(misses) = context.data_opt::<Self>() {
            misses.0.missed.store(true, Ordering::Relaxed);
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
