//! Access tokens: JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037), under the name of the key that signed them,
//! so that one key can take another's place while tokens of both are about.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::{Code, Error, Refusal, Result};
use crate::principal::Role;

const ISSUER: &str = "dualcaster";
const AUDIENCE: &str = "dualcaster";
/// What tells an access token from whatever else may be signed with the key.
const KIND: &str = "access";
/// How far servers' clocks may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(5);
const END: &str = "-----END PRIVATE KEY-----";

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    iss: String,
    aud: String,
    kind: String,
    /// The user.
    pub sub: Uuid,
    /// The session.
    pub sid: Uuid,
    pub jti: Uuid,
    pub role: Role,
    /// The user's epoch when it was made.
    pub epoch: i64,
    iat: i64,
    nbf: i64,
    exp: i64,
}

impl Claims {
    pub fn issued_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.iat, 0).unwrap_or_default()
    }

    pub fn expires_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.exp, 0).unwrap_or_default()
    }
}

/// Who a token is for.
#[derive(Debug, Clone, Copy)]
pub struct Bearer {
    pub user: Uuid,
    pub session: Uuid,
    pub role: Role,
    pub epoch: i64,
    pub token: Uuid,
}

struct Key {
    id: String,
    signs: EncodingKey,
    verifies: DecodingKey,
}

/// The keys that sign and verify access tokens.
pub struct AccessKeys {
    /// Never empty; the first signs.
    keys: Vec<Key>,
    lifetime: TimeDelta,
}

/// Why a text is no key of ours.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoKey(&'static str);

impl AccessKeys {
    /// Reads private keys in PEM, one after the other.
    ///
    /// # Errors
    /// When there is none, or one is no Ed25519 key.
    pub fn read(pem: &str, lifetime: TimeDelta) -> Result<Self, NoKey> {
        let keys = pem
            .split_inclusive(END)
            .filter(|block| block.contains(END))
            .map(|block| {
                let no_key = || NoKey("must be an Ed25519 private key in PEM (PKCS #8)");
                let signs = EncodingKey::from_ed_pem(block.trim().as_bytes()).map_err(|_| no_key())?;
                let pair = Ed25519KeyPair::from_pkcs8(signs.as_bytes()).map_err(|_| no_key())?;
                let public = pair.public_key().as_ref();
                let id = Sha256::digest(public).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
                Ok(Key { id, signs, verifies: DecodingKey::from_ed_der(public) })
            })
            .collect::<Result<Vec<_>, _>>()?;
        match keys.len() {
            0 => Err(NoKey("must be an Ed25519 private key in PEM (PKCS #8)")),
            1 | 2 => Ok(Self { keys, lifetime }),
            _ => Err(NoKey("must be one key, or two while it is changed")),
        }
    }

    /// Makes a token as of a moment: the same for the same bearer and moment.
    ///
    /// # Errors
    /// When signing fails, which it does not.
    pub fn sign(&self, bearer: &Bearer, at: DateTime<Utc>) -> Result<(String, DateTime<Utc>)> {
        let iat = at.timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            kind: KIND.to_owned(),
            sub: bearer.user,
            sid: bearer.session,
            jti: bearer.token,
            role: bearer.role,
            epoch: bearer.epoch,
            iat,
            nbf: iat,
            exp: iat + self.lifetime.num_seconds(),
        };
        let key = self.keys.first().ok_or_else(|| Error::internal("there is no key"))?;
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::EdDSA) };
        let token = jsonwebtoken::encode(&header, &claims, &key.signs)
            .map_err(|error| Error::internal(format!("a token can't be signed: {error}")))?;
        Ok((token, claims.expires_at()))
    }

    /// What a token says, where it is one of ours and holds at this moment.
    ///
    /// # Errors
    /// ERR-2002 where its time is over, ERR-2001 for whatever else is wrong with it.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, Refusal> {
        let wrong = || Refusal::new(Code::Unauthenticated, "This token is not valid here. Sign in again.");
        let header = jsonwebtoken::decode_header(token).map_err(|_| wrong())?;
        let named = header.kid.ok_or_else(wrong)?;
        let key = self.keys.iter().find(|key| key.id == named).ok_or_else(wrong)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.verifies, &validation())
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => expired(),
                _ => wrong(),
            })?
            .claims;
        // By our own clock, which tests may set.
        let (issued, expires) = (claims.issued_at(), claims.expires_at());
        let lasts = expires - issued;
        let starts = DateTime::from_timestamp(claims.nbf, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let is_early = starts > now + LEEWAY;
        if claims.kind != KIND
            || is_early
            || issued > now + LEEWAY
            || lasts > self.lifetime
            || lasts <= TimeDelta::zero()
        {
            return Err(wrong());
        }
        if expires + LEEWAY <= now { Err(expired()) } else { Ok(claims) }
    }
}

fn expired() -> Refusal {
    Refusal::new(Code::TokenExpired, "This token has expired. Refresh the session.")
}

fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation
}

/// A new private key, in PEM.
///
/// # Errors
/// When the system has no randomness.
pub fn make_key() -> Result<String, NoKey> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let failed = |_| NoKey("a key can't be made");
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).map_err(failed)?;
    let body = STANDARD.encode(pkcs8.as_ref());
    let lines: Vec<_> = body.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line)).collect();
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n{END}\n", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;

    const LIFETIME: TimeDelta = TimeDelta::minutes(10);

    fn keys() -> (String, AccessKeys) {
        let pem = make_key().expect("a key");
        let keys = AccessKeys::read(&pem, LIFETIME).expect("keys");
        (pem, keys)
    }

    fn bearer() -> Bearer {
        Bearer {
            user: Uuid::from_u128(1),
            session: Uuid::from_u128(2),
            role: Role::User,
            epoch: 3,
            token: Uuid::from_u128(4),
        }
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("a moment")
    }

    #[test]
    fn a_token_says_what_was_signed_and_is_the_same_each_time() {
        let (_, keys) = keys();
        let (token, expires_at) = keys.sign(&bearer(), now()).expect("a token");
        assert_eq!(keys.sign(&bearer(), now()).expect("a token").0, token);
        assert_eq!(expires_at, now() + LIFETIME);
        let claims = keys.verify(&token, now()).expect("claims");
        assert_eq!((claims.sub, claims.sid, claims.epoch), (bearer().user, bearer().session, 3));
    }

    #[test]
    fn a_token_holds_from_its_start_to_its_end_with_five_seconds_at_each() {
        let (_, keys) = keys();
        let (token, end) = keys.sign(&bearer(), now()).expect("a token");
        let second = TimeDelta::seconds(1);
        for (at, holds) in [
            (now() - LEEWAY, Ok(())),
            (now() - LEEWAY - second, Err(Code::Unauthenticated)),
            (end + LEEWAY - second, Ok(())),
            (end + LEEWAY, Err(Code::TokenExpired)),
        ] {
            assert_eq!(keys.verify(&token, at).map(|_| ()).map_err(|refusal| refusal.code), holds, "{at}");
        }
    }

    #[test]
    fn a_key_makes_room_for_another_while_both_verify() {
        let (old_pem, old) = keys();
        let (new_pem, new) = keys();
        let both = AccessKeys::read(&format!("{new_pem}{old_pem}"), LIFETIME).expect("two keys");
        let (by_old, _) = old.sign(&bearer(), now()).expect("a token");
        let (by_both, _) = both.sign(&bearer(), now()).expect("a token");
        assert!(both.verify(&by_old, now()).is_ok());
        assert!(new.verify(&by_both, now()).is_ok(), "the first key signs");
        assert!(new.verify(&by_old, now()).is_err(), "the old key is gone");
        assert!(AccessKeys::read(&old_pem.repeat(3), LIFETIME).is_err());
        assert!(AccessKeys::read("no key", LIFETIME).is_err());
    }

    /// A token with other claims or another header, rightly signed.
    fn forged(pem: &str, header: &Value, claims: &Value) -> String {
        let key = EncodingKey::from_ed_pem(pem.as_bytes()).expect("a key");
        let pair = Ed25519KeyPair::from_pkcs8(key.as_bytes()).expect("a pair");
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()).as_ref());
        format!("{message}.{signature}")
    }

    #[test]
    fn whatever_is_wrong_with_a_token_it_is_refused() {
        let (pem, keys) = keys();
        let header = json!({"typ": "JWT", "alg": "EdDSA", "kid": keys.keys[0].id});
        let at = now().timestamp();
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "kind": KIND, "sub": Uuid::from_u128(1), "sid": Uuid::from_u128(2),
            "jti": Uuid::from_u128(3), "role": "user", "epoch": 0, "iat": at, "nbf": at, "exp": at + 600,
        });
        assert!(keys.verify(&forged(&pem, &header, &claims), now()).is_ok(), "the pattern itself is right");
        let refused = |token: &str, why: &str| {
            assert_eq!(
                keys.verify(token, now()).map_err(|refusal| refusal.code),
                Err(Code::Unauthenticated),
                "{why}"
            );
        };
        for name in ["iss", "aud", "kind", "sub", "sid", "jti", "role", "epoch", "iat", "nbf", "exp"] {
            let mut without = claims.clone();
            without.as_object_mut().expect("an object").remove(name);
            refused(&forged(&pem, &header, &without), name);
        }
        for (name, value) in [
            ("iss", json!("another")),
            ("aud", json!("another")),
            ("kind", json!("refresh")),
            ("exp", json!(at + 601)),
            ("exp", json!(at)),
            ("iat", json!(at + 60)),
            ("nbf", json!(at + 60)),
            ("sub", json!("nobody")),
            ("role", json!("emperor")),
        ] {
            let mut other = claims.clone();
            other[name] = value;
            refused(&forged(&pem, &header, &other), name);
        }
        for (name, value) in
            [("alg", json!("HS256")), ("alg", json!("none")), ("kid", json!("00")), ("kid", Value::Null)]
        {
            let mut other = header.clone();
            other[name] = value;
            refused(&forged(&pem, &other, &claims), name);
        }
        let stranger = make_key().expect("a key");
        refused(&forged(&stranger, &header, &claims), "another key under this one's name");
        let (token, _) = keys.sign(&bearer(), now()).expect("a token");
        for nonsense in
            ["", ".", "a.b.c", &token[..token.len() - 2], &token.replace('.', ""), &format!("{token}.")]
        {
            refused(nonsense, nonsense);
        }
    }
}
