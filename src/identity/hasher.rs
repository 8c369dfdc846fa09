//! Passwords' hashes: argon2id, on threads of their own, and no more at once than there are cores.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::error::{Code, Error, Refusal, Result};
use crate::outside::Outside;

/// OWASP's parameters: <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes passwords and compares them.
pub struct Hasher {
    /// As many as hash at once.
    working: Arc<Semaphore>,
    /// As many as hash or wait.
    admitted: Arc<Semaphore>,
    outside: Outside,
    /// Of nobody's password: what an unknown address is compared with, so that it costs what a known one does.
    nobodys: String,
    hashes: AtomicU64,
}

/// What comes of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub matches: bool,
    /// The password's hash by today's parameters, where the one that matched was made by others.
    pub renewed: Option<String>,
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| Error::internal(format!("argon2's parameters: {error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &str, salt: [u8; 16]) -> Result<String> {
    let hash: PasswordHash = argon2()?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|error| Error::internal(format!("a password can't be hashed: {error}")))?;
    Ok(hash.to_string())
}

/// By the parameters that the hash was made with.
fn compare(password: &str, hash: &str) -> Result<bool> {
    let hash = PasswordHash::new(hash).map_err(|error| Error::internal(format!("a stored hash: {error}")))?;
    match argon2()?.verify_password(password.as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(Error::internal(format!("a password can't be compared: {error}"))),
    }
}

/// Whether a hash was made by today's parameters.
fn is_of_today(hash: &str) -> bool {
    hash.starts_with(&format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$"))
}

impl Hasher {
    /// `waiting` may wait for a core; who comes beyond that is refused.
    ///
    /// # Errors
    /// When a password can't be hashed at all.
    pub fn new(waiting: usize, outside: Outside) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            working: Arc::new(Semaphore::new(cores)),
            admitted: Arc::new(Semaphore::new(cores + waiting)),
            nobodys: hash_now("the password of nobody at all", outside.bytes())?,
            outside,
            hashes: AtomicU64::new(0),
        })
    }

    /// How many hashes were computed so far.
    pub fn hashes(&self) -> u64 {
        self.hashes.load(Ordering::Relaxed)
    }

    fn count(&self, hashes: u64) {
        self.hashes.fetch_add(hashes, Ordering::Relaxed);
        metrics::counter!("dualcaster_password_hashes_total").increment(hashes);
    }

    /// # Errors
    /// What `check` says of the password, which is asked on the same thread first; ERR-5003 where too many wait.
    pub async fn hash(
        &self,
        password: String,
        check: impl FnOnce(&str) -> Result<(), Refusal> + Send + 'static,
    ) -> Result<String> {
        let salt = self.outside.bytes();
        let (outcome, hashed) = self
            .work(move || match check(&password) {
                Ok(()) => (hash_now(&password, salt), 1),
                Err(refusal) => (Err(refusal.into()), 0),
            })
            .await?;
        self.count(hashed);
        outcome
    }

    /// Compares a password with a hash, or, at the same cost, with nobody's.
    ///
    /// # Errors
    /// ERR-5003 where too many wait.
    pub async fn verify(&self, password: String, hash: Option<&str>) -> Result<Verdict> {
        let is_somebodys = hash.is_some();
        let hash = hash.unwrap_or(&self.nobodys).to_owned();
        let salt = self.outside.bytes();
        self.count(1);
        self.work(move || {
            let matches = compare(&password, &hash)? && is_somebodys;
            let renewed = (matches && !is_of_today(&hash)).then(|| hash_now(&password, salt)).transpose()?;
            Ok(Verdict { matches, renewed })
        })
        .await?
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _admitted = self.admitted.try_acquire().map_err(|_| Refusal {
            retry_after: Some(1),
            ..Refusal::new(
                Code::Overloaded,
                "Too many are signing in just now. Please try again in a moment.",
            )
        })?;
        let working = Arc::clone(&self.working).acquire_owned().await;
        let working = working.map_err(|_| Error::internal("the hasher is closed"))?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            // Not before: who asked may have gone away, and the core is still at it.
            drop(working);
            done
        })
        .await
        .map_err(|_| Error::internal("a hash panicked"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher(waiting: usize) -> Hasher {
        Hasher::new(waiting, Outside::system()).expect("a hasher")
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_and_nobodys_matches_none() {
        let hasher = hasher(8);
        let hash = hasher.hash("correct horse".into(), |_| Ok(())).await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify = async |password: &str, hash: Option<&str>| {
            hasher.verify(password.into(), hash).await.expect("a verdict").matches
        };
        assert!(verify("correct horse", Some(&hash)).await);
        assert!(!verify("correct horsf", Some(&hash)).await);
        assert!(!verify("the password of nobody at all", None).await);
        assert_eq!(hasher.hashes(), 4);
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_is_renewed() {
        let hasher = hasher(8);
        let weak =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).expect("params"));
        let old: PasswordHash = weak.hash_password_with_salt(b"correct horse", &[7; 16]).expect("a hash");
        let verdict = hasher.verify("correct horse".into(), Some(&old.to_string())).await.expect("a verdict");
        let renewed = verdict.renewed.expect("a new hash");
        assert!(is_of_today(&renewed));
        let again = hasher.verify("correct horse".into(), Some(&renewed)).await.expect("a verdict");
        assert_eq!(again, Verdict { matches: true, renewed: None });
        let wrong = hasher.verify("wrong".into(), Some(&old.to_string())).await.expect("a verdict");
        assert_eq!(wrong, Verdict { matches: false, renewed: None });
    }

    #[tokio::test]
    async fn who_comes_beyond_the_queue_is_told_to_come_back() {
        let hasher = hasher(1);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let all = (0..cores + 6).map(|_| hasher.verify("x".into(), None));
        let outcomes = futures_util::future::join_all(all).await;
        let refused: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
        assert_eq!(refused.len(), 5);
        assert!(refused.iter().all(|error| error.refusal().code == Code::Overloaded));
        assert!(hasher.verify("x".into(), None).await.is_ok(), "there is room again");
    }
}
