//! Tokens that say nothing: 256 random bits, of which the store keeps a digest only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

use crate::outside::Outside;

/// What a token is for. It begins with a word that says so, by which people, and programs that look for secrets in the
/// wrong places, know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Prolongs a session, once.
    Refresh,
    /// A user's own, for scripts.
    Personal,
    /// A client's.
    Client,
    /// Sent by mail, and taken once.
    OneTime,
}

impl TokenKind {
    pub const ALL: [Self; 4] = [Self::Refresh, Self::Personal, Self::Client, Self::OneTime];

    pub fn prefix(self) -> &'static str {
        match self {
            Self::Refresh => "dcr_",
            Self::Personal => "dcp_",
            Self::Client => "dcc_",
            Self::OneTime => "dco_",
        }
    }
}

/// The SHA-256 of a token: what the store knows it by.
pub type Digest = Vec<u8>;

/// A token. It is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct OpaqueToken {
    kind: TokenKind,
    bytes: [u8; 32],
}

impl std::fmt::Debug for OpaqueToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("OpaqueToken").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl OpaqueToken {
    pub fn new(kind: TokenKind, outside: &Outside) -> Self {
        Self { kind, bytes: outside.bytes() }
    }

    /// Absent for whatever is no token of this kind.
    pub fn parse(kind: TokenKind, text: &str) -> Option<Self> {
        let text = text.strip_prefix(kind.prefix())?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        Some(Self { kind, bytes })
    }

    /// What its holder is given.
    pub fn text(&self) -> String {
        format!("{}{}", self.kind.prefix(), URL_SAFE_NO_PAD.encode(self.bytes))
    }

    pub fn digest(&self) -> Digest {
        Sha256::digest(self.bytes).to_vec()
    }

    /// The one that comes after it: always the same under one key, so that who lost the answer is given it again, and
    /// nobody's guess without the key.
    #[must_use]
    pub fn successor(&self, key: &[u8; 32]) -> Self {
        Self { kind: self.kind, bytes: keyed(key, &self.bytes) }
    }
}

/// HMAC-SHA-256.
pub(super) fn keyed(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // A key of any length is taken.
    let mut mac = match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac,
        Err(_) => return [0; 32],
    };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_as_itself_and_only_as_its_own_kind() {
        let token = OpaqueToken::new(TokenKind::Refresh, &Outside::system());
        assert_eq!(OpaqueToken::parse(TokenKind::Refresh, &token.text()), Some(token.clone()));
        for kind in [TokenKind::Personal, TokenKind::Client, TokenKind::OneTime] {
            assert_eq!(OpaqueToken::parse(kind, &token.text()), None);
        }
        for nonsense in ["", "dcr_", "dcr_AAAA", &format!("{}A", token.text()), &token.text()[4..]] {
            assert_eq!(OpaqueToken::parse(TokenKind::Refresh, nonsense), None, "{nonsense}");
        }
        assert!(!format!("{token:?}").contains(&token.text()[4..]));
    }

    #[test]
    fn a_successor_is_the_same_under_one_key_and_another_under_another() {
        let token = OpaqueToken::new(TokenKind::Refresh, &Outside::system());
        assert_eq!(token.successor(&[1; 32]), token.successor(&[1; 32]));
        assert_ne!(token.successor(&[1; 32]), token.successor(&[2; 32]));
        assert_ne!(token.successor(&[1; 32]), token);
        assert_ne!(token.successor(&[1; 32]).digest(), token.digest());
    }
}
