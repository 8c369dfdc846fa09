//! Sealing what is kept but not to be read where it is kept: AES-256-GCM, under a key of the server's.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::outside::Outside;

/// Seals and opens. A clone has the same key.
#[derive(Clone)]
pub struct Sealer {
    key: Arc<LessSafeKey>,
    outside: Outside,
}

impl Sealer {
    /// Absent where the key is none, which a key of this length is not.
    pub fn new(key: &[u8; 32], outside: Outside) -> Option<Self> {
        let key = Arc::new(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?));
        Some(Self { key, outside })
    }

    /// The sealed text, which opens only with the same `about`.
    pub fn seal(&self, about: &[u8], text: &[u8]) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = self.outside.bytes();
        let mut sealed = text.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(about), &mut sealed)
            .ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// Absent for what was sealed by another key, about something else, or has changed since.
    pub fn open(&self, about: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut text = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.key.open_in_place(nonce, Aad::from(about), &mut text).ok()?.len();
        text.truncate(opened);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_about_the_same_thing_only() {
        let sealer = |key: u8| Sealer::new(&[key; 32], Outside::system()).expect("a key");
        let sealed = sealer(1).seal(b"a", b"a secret").expect("sealed");
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_ne!(sealer(1).seal(b"a", b"a secret").expect("sealed"), sealed, "each time another");
        assert_eq!(sealer(1).open(b"a", &sealed).as_deref(), Some(&b"a secret"[..]));
        assert_eq!(sealer(2).open(b"a", &sealed), None);
        assert_eq!(sealer(1).open(b"b", &sealed), None);
        let mut changed = sealed.clone();
        changed[20] ^= 1;
        assert_eq!(sealer(1).open(b"a", &changed), None);
        assert_eq!(sealer(1).open(b"a", b"short"), None);
    }
}
