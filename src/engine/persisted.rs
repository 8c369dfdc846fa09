//! Automatic persisted queries: a client sends a query's hash; only where the server does not know it, the query too.
//! The protocol is Apollo's; what is kept is bounded, and forgetting costs the client one more request.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::Call;
use crate::error::{Code, Refusal};

/// Bytes of queries that are kept.
const KEPT_BYTES: u64 = 4 << 20;
/// A guess for the cache's own tables.
const KEPT_QUERIES: usize = 4_096;

/// What clients look for to send the query too.
pub(super) const NOT_FOUND: &str = "PersistedQueryNotFound";

/// The queries that clients have made known.
pub(super) struct Persisted {
    known: Cache<[u8; 32], Arc<str>, ByLength>,
}

#[derive(Clone)]
struct ByLength;

impl Weighter<[u8; 32], Arc<str>> for ByLength {
    fn weight(&self, _: &[u8; 32], query: &Arc<str>) -> u64 {
        query.len().max(1) as u64
    }
}

impl Default for Persisted {
    fn default() -> Self {
        Self { known: Cache::with_weighter(KEPT_QUERIES, KEPT_BYTES, ByLength) }
    }
}

impl Persisted {
    /// The query that a call means.
    ///
    /// # Errors
    /// ERR-4004 where only the hash came and it is not known, ERR-3002 where hash and query do not fit.
    pub fn query_of(&self, call: &Call) -> Result<Arc<str>, Refusal> {
        match (&call.query, &call.hash) {
            (Some(query), None) => Ok(query.as_str().into()),
            (Some(query), Some(hash)) if digest_of(hash) == Some(Sha256::digest(query).into()) => {
                Ok(query.as_str().into())
            }
            (Some(_), Some(_)) => Err(Refusal::invalid_value("The hash is not the query's SHA-256.")),
            (None, Some(hash)) => digest_of(hash)
                .and_then(|digest| self.known.get(&digest))
                .ok_or_else(|| Refusal::new(Code::OperationNotTrusted, NOT_FOUND)),
            (None, None) => Err(Refusal::invalid_value("There is no query.")),
        }
    }

    /// Keeps a query that has turned out to be valid.
    pub fn remember(&self, hash: &str, query: &Arc<str>) {
        if let Some(digest) = digest_of(hash) {
            self.known.insert(digest, Arc::clone(query));
        }
    }
}

/// 64 hexadecimal digits as bytes.
fn digest_of(hash: &str) -> Option<[u8; 32]> {
    let digits = hash.as_bytes();
    let mut digest = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(0)? * 16 + digit(1)?;
    }
    Some(digest)
}
