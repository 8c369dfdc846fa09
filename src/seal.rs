//! Sealing what is kept but not to be read where it is kept: AES-256-GCM, under a key of the server's.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::outside::Outside;

/// Seals and opens. A clone has the same keys.
#[derive(Clone)]
pub struct Sealer {
    /// The first seals, any opens, so that the secret can be changed without a break.
    keys: Arc<[LessSafeKey]>,
    outside: Outside,
}

impl Sealer {
    /// The first key seals, any opens.
    pub fn new(keys: impl IntoIterator<Item = [u8; 32]>, outside: Outside) -> Self {
        // A key of this length is one.
        let key = |key: [u8; 32]| UnboundKey::new(&AES_256_GCM, &key).ok().map(LessSafeKey::new);
        Self { keys: keys.into_iter().filter_map(key).collect(), outside }
    }

    /// The sealed text, which opens only with the same `about`.
    pub fn seal(&self, about: &[u8], text: &[u8]) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = self.outside.bytes();
        let mut sealed = text.to_vec();
        self.keys
            .first()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(about), &mut sealed)
            .ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// Absent for what was sealed by none of the keys, about something else, or has changed since.
    pub fn open(&self, about: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>()?;
        self.keys.iter().find_map(|key| {
            let mut text = text.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let opened = key.open_in_place(nonce, Aad::from(about), &mut text).ok()?.len();
            text.truncate(opened);
            Some(text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_about_the_same_thing_only() {
        let sealer = |key: u8| Sealer::new([[key; 32]], Outside::system());
        let sealed = sealer(1).seal(b"a", b"a secret").expect("sealed");
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_ne!(sealer(1).seal(b"a", b"a secret").expect("sealed"), sealed, "each time another");
        assert_eq!(sealer(1).open(b"a", &sealed).as_deref(), Some(&b"a secret"[..]));
        assert_eq!(sealer(2).open(b"a", &sealed), None);
        let changing = Sealer::new([[2; 32], [1; 32]], Outside::system());
        assert_eq!(changing.open(b"a", &sealed).as_deref(), Some(&b"a secret"[..]));
        let new = changing.seal(b"a", b"a secret").expect("sealed");
        assert_eq!((sealer(2).open(b"a", &new).is_some(), sealer(1).open(b"a", &new)), (true, None));
        assert_eq!(sealer(1).open(b"b", &sealed), None);
        let mut changed = sealed.clone();
        changed[20] ^= 1;
        assert_eq!(sealer(1).open(b"a", &changed), None);
        assert_eq!(sealer(1).open(b"a", b"short"), None);
    }
}
