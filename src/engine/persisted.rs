//! Automatic persisted queries: a client sends a query's hash; only where the server does not know it, the query too.
//! The protocol is Apollo's; what is kept is bounded, and forgetting costs the client one more request.
//!
//! Servers may keep them for each other. What comes from there is believed as little as what comes from a client: it must
//! have the hash that it is kept under, and is held to the limits and checked.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use super::Call;
use crate::error::{Code, Refusal};

/// Bytes of queries that are kept.
const KEPT_BYTES: u64 = 4 << 20;
/// As so many bytes more each query counts, for what is around it.
const AROUND_BYTES: usize = 150;
/// A guess for the cache's own tables.
const KEPT_QUERIES: usize = 4_096;

/// What clients look for to send the query too.
pub(super) const NOT_FOUND: &str = "PersistedQueryNotFound";

/// The SHA-256 of a query; as text its 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QueryHash([u8; 32]);

impl QueryHash {
    pub fn of(query: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(query).into())
    }

    fn read(digits: &str) -> Option<Self> {
        let digits = digits.as_bytes();
        let mut hash = [0; 32];
        if digits.len() != 64 {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let digit =
                |at: usize| char::from(pair[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(0)? * 16 + digit(1)?;
        }
        Some(Self(hash))
    }
}

impl fmt::Display for QueryHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Where servers keep queries for each other. It answers within a bound of its own, and may forget.
pub trait SharedQueries: Send + Sync + 'static {
    /// What is kept under a hash; nothing, too, where it can't be asked.
    fn find<'a>(&'a self, hash: &'a QueryHash) -> BoxFuture<'a, Option<Vec<u8>>>;

    /// Keeps a query, if it can.
    fn keep<'a>(&'a self, hash: &'a QueryHash, query: &'a str) -> BoxFuture<'a, ()>;
}

/// The query that a call means.
#[derive(Debug)]
pub(super) struct Meant {
    pub text: Arc<str>,
    /// What it is to be remembered by once it has turned out to be valid.
    pub hash: Option<QueryHash>,
}

impl Meant {
    /// A query that is not to be remembered here.
    pub fn just(text: Arc<str>) -> Self {
        Self { text, hash: None }
    }
}

/// The queries that clients have made known.
pub(super) struct Persisted {
    known: Cache<QueryHash, Arc<str>, ByLength>,
    shared: Option<Box<dyn SharedQueries>>,
}

#[derive(Clone)]
struct ByLength;

impl Weighter<QueryHash, Arc<str>> for ByLength {
    fn weight(&self, _: &QueryHash, query: &Arc<str>) -> u64 {
        (query.len() + AROUND_BYTES) as u64
    }
}

impl Default for Persisted {
    fn default() -> Self {
        Self { known: Cache::with_weighter(KEPT_QUERIES, KEPT_BYTES, ByLength), shared: None }
    }
}

impl Persisted {
    /// Those of other servers too.
    pub fn sharing(shared: impl SharedQueries) -> Self {
        Self { shared: Some(Box::new(shared)), ..Self::default() }
    }

    /// The query that a call means.
    ///
    /// # Errors
    /// ERR-4004 where only the hash came and it is not known, ERR-3002 where hash and query do not fit.
    pub async fn query_of(&self, call: &Call) -> Result<Meant, Refusal> {
        match (&call.query, &call.hash) {
            (Some(query), None) => Ok(Meant::just(query.as_str().into())),
            (Some(query), Some(hash)) => match QueryHash::read(hash) {
                Some(hash) if hash == QueryHash::of(query) => {
                    Ok(Meant { text: query.as_str().into(), hash: Some(hash) })
                }
                _ => Err(Refusal::invalid_value("The hash is not the query's SHA-256.")),
            },
            (None, Some(hash)) => {
                let found = match QueryHash::read(hash) {
                    Some(hash) => self.find(hash).await,
                    None => None,
                };
                found.ok_or_else(|| Refusal::new(Code::OperationNotTrusted, NOT_FOUND))
            }
            (None, None) => Err(Refusal::invalid_value("There is no query.")),
        }
    }

    /// Looks here first.
    async fn find(&self, hash: QueryHash) -> Option<Meant> {
        if let Some(text) = self.known.get(&hash) {
            return Some(Meant::just(text));
        }
        let found = self.shared.as_ref()?.find(&hash).await?;
        // Who can write there must not be able to say what others execute.
        if QueryHash::of(&found) != hash {
            tracing::warn!(%hash, "what is kept under a query's hash has another, and is left alone");
            return None;
        }
        Some(Meant { text: String::from_utf8(found).ok()?.into(), hash: Some(hash) })
    }

    /// Keeps a query that has turned out to be valid.
    pub fn remember(&self, hash: QueryHash, query: &Arc<str>) {
        self.known.insert(hash, Arc::clone(query));
    }

    /// Keeps it for other servers.
    pub async fn share(&self, hash: &QueryHash, query: &str) {
        if let Some(shared) = &self.shared {
            shared.keep(hash, query).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Mutex;

    use futures_util::FutureExt;
    use futures_util::future::ready;

    use super::*;

    const TEXT: &str = "{ a }";

    #[derive(Default)]
    struct Kept(HashMap<QueryHash, Vec<u8>>, usize);

    /// What other servers keep, with how often it was looked for.
    #[derive(Clone, Default)]
    struct Others(Arc<Mutex<Kept>>);

    impl SharedQueries for Others {
        fn find<'a>(&'a self, hash: &'a QueryHash) -> BoxFuture<'a, Option<Vec<u8>>> {
            let mut kept = self.0.lock().expect("not poisoned");
            kept.1 += 1;
            ready(kept.0.get(hash).cloned()).boxed()
        }

        fn keep<'a>(&'a self, hash: &'a QueryHash, query: &'a str) -> BoxFuture<'a, ()> {
            self.0.lock().expect("not poisoned").0.insert(*hash, query.as_bytes().to_vec());
            ready(()).boxed()
        }
    }

    impl Others {
        fn looked(&self) -> usize {
            self.0.lock().expect("not poisoned").1
        }
    }

    fn by_hash(hash: &str) -> Call {
        Call { hash: Some(hash.to_owned()), ..Call::default() }
    }

    #[test]
    fn a_hash_is_read_as_it_is_written_and_nothing_else_is() {
        let hash = QueryHash::of(TEXT);
        let text = hash.to_string();
        assert_eq!(QueryHash::read(&text), Some(hash));
        assert_eq!(QueryHash::read(&text.to_uppercase()), Some(hash));
        for nonsense in ["", "7", &text[1..], format!("{text}0").as_str(), "x".repeat(64).as_str()] {
            assert_eq!(QueryHash::read(nonsense), None, "{nonsense}");
        }
    }

    #[tokio::test]
    async fn a_query_of_another_server_is_looked_for_until_it_is_known_here() {
        let others = Others::default();
        let (here, there) = (Persisted::sharing(others.clone()), Persisted::sharing(others.clone()));
        let hash = QueryHash::of(TEXT);
        let call = by_hash(&hash.to_string());
        let refusal = there.query_of(&call).await.expect_err("not known");
        assert_eq!((refusal.code, &*refusal.message), (Code::OperationNotTrusted, NOT_FOUND));
        here.share(&hash, TEXT).await;
        for looked in [2, 3] {
            let meant = there.query_of(&call).await.expect("known");
            assert_eq!((&*meant.text, meant.hash, others.looked()), (TEXT, Some(hash), looked));
        }
        there.remember(hash, &TEXT.into());
        let meant = there.query_of(&call).await.expect("known");
        assert_eq!((&*meant.text, meant.hash, others.looked()), (TEXT, None, 3));
        assert!(there.query_of(&by_hash("7")).await.is_err());
        assert_eq!(others.looked(), 3, "what is no hash is looked for nowhere");
    }

    #[tokio::test]
    async fn what_does_not_have_its_hash_is_not_believed() {
        let (others, hash) = (Others::default(), QueryHash::of(TEXT));
        let persisted = Persisted::sharing(others.clone());
        for forged in ["{ b }", "", "{ a } "] {
            others.keep(&hash, forged).await;
            assert!(persisted.query_of(&by_hash(&hash.to_string())).await.is_err(), "{forged:?}");
        }
        let bytes = vec![0xff_u8];
        let hash = QueryHash::of(&bytes);
        others.0.lock().expect("not poisoned").0.insert(hash, bytes);
        assert!(persisted.query_of(&by_hash(&hash.to_string())).await.is_err(), "no text");
    }
}
