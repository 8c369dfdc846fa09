//! Cursors: the sort key of a row, sealed for one list.
//!
//! A cursor is base64url of `version · key · tag`, where the tag is the first 12 bytes of HMAC-SHA-256 over the
//! version, the list and the key. So it can't be forged, nor moved to another list, nor be read as another version.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::Key;

const VERSION: u8 = 1;
const TAG: usize = 12;
/// Longer ones are not ours: the longest name is far shorter.
const MAX_LENGTH: usize = 4_096;

/// One value of a sort key.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyValue {
    Null,
    Int(i64),
    Float(f64),
    Text(String),
    Date(NaiveDate),
    /// To the microsecond, which is what Postgres keeps.
    Time(DateTime<Utc>),
    Uuid(Uuid),
}

// A sort value is never NaN.
impl Eq for KeyValue {}

impl std::hash::Hash for KeyValue {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Null => {}
            Self::Int(value) => value.hash(state),
            Self::Float(value) => value.to_bits().hash(state),
            Self::Text(value) => value.hash(state),
            Self::Date(value) => value.hash(state),
            Self::Time(value) => value.hash(state),
            Self::Uuid(value) => value.hash(state),
        }
    }
}

/// Which list a cursor belongs to: its name, and every argument that decides its rows or their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListId(String);

impl ListId {
    /// `arguments` is any text that is equal for equal lists only.
    pub fn new(name: &str, arguments: impl std::fmt::Debug) -> Self {
        Self(format!("{name}\0{arguments:?}"))
    }
}

/// The server's keys for cursors: the first seals, any opens, so that the secret can be changed without a break.
#[derive(Clone)]
pub struct CursorSecret {
    keys: Arc<[Hmac<Sha256>]>,
}

impl CursorSecret {
    /// `secrets` must hold at least one; a caller's cursors are sealed with the first.
    pub fn new<S: AsRef<[u8]>>(secrets: impl IntoIterator<Item = S>) -> Self {
        let key = |secret: S| {
            let mut key = Hmac::<Sha256>::new_from_slice(secret.as_ref()).ok()?;
            // One secret serves several purposes; each derives its own key.
            key.update(b"dualcaster cursor\0");
            Some(key)
        };
        Self { keys: secrets.into_iter().filter_map(key).collect() }
    }

    pub fn seal(&self, list: &ListId, key: &[KeyValue]) -> String {
        let mut bytes = vec![VERSION];
        for value in key {
            write_value(&mut bytes, value);
        }
        if let Some(secret) = self.keys.first() {
            let tag = tag(secret, list, &bytes);
            bytes.extend_from_slice(&tag);
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The key, if this server sealed it for this list.
    pub fn open(&self, list: &ListId, cursor: &str) -> Option<Key> {
        if cursor.len() > MAX_LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (body, sealed) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
        let genuine = self.keys.iter().any(|secret| {
            let mut mac = secret.clone();
            mac.update(list.0.as_bytes());
            mac.update(body);
            mac.verify_truncated_left(sealed).is_ok()
        });
        let (version, mut rest) = body.split_first()?;
        if !genuine || *version != VERSION {
            return None;
        }
        let mut key = Key::new();
        while !rest.is_empty() {
            key.push(read_value(&mut rest)?);
        }
        Some(key)
    }
}

fn tag(secret: &Hmac<Sha256>, list: &ListId, body: &[u8]) -> [u8; TAG] {
    let mut mac = secret.clone();
    mac.update(list.0.as_bytes());
    mac.update(body);
    let whole = mac.finalize().into_bytes();
    std::array::from_fn(|index| whole[index])
}

fn write_value(bytes: &mut Vec<u8>, value: &KeyValue) {
    match value {
        KeyValue::Null => bytes.push(0),
        KeyValue::Int(value) => {
            bytes.push(1);
            bytes.extend_from_slice(&value.to_be_bytes());
        }
        KeyValue::Float(value) => {
            bytes.push(2);
            bytes.extend_from_slice(&value.to_be_bytes());
        }
        KeyValue::Text(value) => {
            bytes.push(3);
            let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(&value.as_bytes()[..usize::from(length)]);
        }
        KeyValue::Date(value) => {
            bytes.push(4);
            let days = value.signed_duration_since(NaiveDate::default()).num_days();
            bytes.extend_from_slice(&days.to_be_bytes());
        }
        KeyValue::Time(value) => {
            bytes.push(5);
            bytes.extend_from_slice(&value.timestamp_micros().to_be_bytes());
        }
        KeyValue::Uuid(value) => {
            bytes.push(6);
            bytes.extend_from_slice(value.as_bytes());
        }
    }
}

fn read_value(bytes: &mut &[u8]) -> Option<KeyValue> {
    let (kind, rest) = bytes.split_first()?;
    *bytes = rest;
    let mut take = |count: usize| {
        let (taken, rest) = bytes.split_at_checked(count)?;
        *bytes = rest;
        Some(taken)
    };
    Some(match kind {
        0 => KeyValue::Null,
        1 => KeyValue::Int(i64::from_be_bytes(take(8)?.try_into().ok()?)),
        2 => KeyValue::Float(f64::from_be_bytes(take(8)?.try_into().ok()?)),
        3 => {
            let length = u16::from_be_bytes(take(2)?.try_into().ok()?);
            KeyValue::Text(String::from_utf8(take(usize::from(length))?.to_vec()).ok()?)
        }
        4 => {
            let days = i64::from_be_bytes(take(8)?.try_into().ok()?);
            let epoch = NaiveDate::default();
            KeyValue::Date(match u64::try_from(days) {
                Ok(days) => epoch.checked_add_days(Days::new(days))?,
                Err(_) => epoch.checked_sub_days(Days::new(days.unsigned_abs()))?,
            })
        }
        5 => {
            let micros = i64::from_be_bytes(take(8)?.try_into().ok()?);
            KeyValue::Time(DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::microseconds(micros))?)
        }
        6 => KeyValue::Uuid(Uuid::from_slice(take(16)?).ok()?),
        _ => return None,
    })
}
