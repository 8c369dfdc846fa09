//! JSON written straight into a buffer, in the spelling of the server's scalars.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use uuid::Uuid;

use crate::Result;

/// An answer in the making. The fixed parts come as [`Json::raw`], names, colons and commas included.
#[derive(Debug)]
pub struct Json(Vec<u8>);

impl Json {
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub fn raw(&mut self, json: &str) -> &mut Self {
        self.0.extend_from_slice(json.as_bytes());
        self
    }

    /// A list, each item written by `write`.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Result<()>,
    ) -> Result<&mut Self> {
        self.raw("[");
        for (place, item) in items.into_iter().enumerate() {
            if place > 0 {
                self.raw(",");
            }
            write(self, item)?;
        }
        Ok(self.raw("]"))
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        self.raw("\"");
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
            let (plain, from) = rest.split_at(at);
            // The byte is ASCII, so the text can be cut behind it.
            let (special, after) = from.split_at(1);
            self.raw(plain);
            match special {
                "\"" => self.raw("\\\""),
                "\\" => self.raw("\\\\"),
                "\n" => self.raw("\\n"),
                "\r" => self.raw("\\r"),
                "\t" => self.raw("\\t"),
                "\u{8}" => self.raw("\\b"),
                "\u{c}" => self.raw("\\f"),
                other => {
                    let number = other.bytes().next().unwrap_or_default();
                    self.raw(&format!("\\u{number:04x}"))
                }
            };
            rest = after;
        }
        self.raw(rest).raw("\"")
    }

    /// The id of a card in the graph: base64url of `Card:<uuid>`.
    pub fn card_id(&mut self, uuid: Uuid) -> &mut Self {
        self.id(*b"Card:00000000-0000-0000-0000-000000000000", uuid)
    }

    /// The id of an inventory item in the graph: base64url of `InventoryItem:<uuid>`.
    pub fn item_id(&mut self, uuid: Uuid) -> &mut Self {
        self.id(*b"InventoryItem:00000000-0000-0000-0000-000000000000", uuid)
    }

    /// `plain` ends in a UUID, whose place this one takes.
    fn id<const LENGTH: usize>(&mut self, mut plain: [u8; LENGTH], uuid: Uuid) -> &mut Self {
        uuid.hyphenated().encode_lower(&mut plain[LENGTH - 36..]);
        let mut id = [0; 68];
        // 50 bytes, the longest of them, are 67 letters: they fit.
        let length = URL_SAFE_NO_PAD.encode_slice(plain, &mut id).unwrap_or(0);
        self.0.push(b'"');
        self.0.extend_from_slice(&id[..length]);
        self.raw("\"")
    }

    pub fn number(&mut self, number: i32) -> &mut Self {
        self.raw(if number < 0 { "-" } else { "" }).digits(number.unsigned_abs().into(), 1)
    }

    /// Minor units, as a decimal with two places.
    pub fn amount(&mut self, minor: i64) -> &mut Self {
        self.raw(if minor < 0 { "\"-" } else { "\"" });
        let minor = minor.unsigned_abs();
        self.digits(minor / 100, 1).raw(".").digits(minor % 100, 2).raw("\"")
    }

    pub fn amount_or_null(&mut self, minor: Option<i64>) -> &mut Self {
        match minor {
            Some(minor) => self.amount(minor),
            None => self.raw("null"),
        }
    }

    /// RFC 3339 in UTC; a fraction only where there is one, of three digits or six.
    pub fn time(&mut self, time: DateTime<Utc>) -> &mut Self {
        self.raw("\"").day(time.date_naive()).raw("T");
        self.digits(time.hour().into(), 2).raw(":").digits(time.minute().into(), 2).raw(":");
        self.digits(time.second().into(), 2);
        match time.timestamp_subsec_micros() {
            0 => {}
            micros if micros % 1000 == 0 => {
                self.raw(".").digits((micros / 1000).into(), 3);
            }
            micros => {
                self.raw(".").digits(micros.into(), 6);
            }
        }
        self.raw("Z\"")
    }

    pub fn date_or_null(&mut self, date: Option<NaiveDate>) -> &mut Self {
        match date {
            Some(date) => self.raw("\"").day(date).raw("\""),
            None => self.raw("null"),
        }
    }

    fn day(&mut self, date: NaiveDate) -> &mut Self {
        self.digits(date.year().unsigned_abs().into(), 4).raw("-");
        self.digits(date.month().into(), 2).raw("-").digits(date.day().into(), 2)
    }

    /// A number of at least so many digits: the formatting of the standard library costs several times this.
    fn digits(&mut self, mut number: u64, at_least: usize) -> &mut Self {
        let start = self.0.len();
        while number > 0 || self.0.len() < start + at_least {
            self.0.push(b'0' + (number % 10) as u8);
            number /= 10;
        }
        self.0[start..].reverse();
        self
    }
}

/// The id of a card as text, for a request.
pub fn card_id_text(uuid: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(format!("Card:{uuid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Json) -> &mut Json) -> String {
        let mut json = Json::with_capacity(64);
        write(&mut json);
        String::from_utf8(json.into_bytes()).expect("UTF-8")
    }

    #[test]
    fn texts_are_escaped_as_others_escape_them() {
        for text in
            ["", "Fire // Ice", "\"Ach!\" \\ Hans", "Æther\n\tVial\r", "\u{1}\u{8}\u{c}\u{1f}\u{7f}", "😀\"ö"]
        {
            assert_eq!(written(|json| json.text(text)), serde_json::to_string(text).expect("a text"));
        }
    }

    #[test]
    fn amounts_have_two_places() {
        for (minor, amount) in
            [(0, "0.00"), (5, "0.05"), (1250, "12.50"), (-5, "-0.05"), (123_456_789, "1234567.89")]
        {
            assert_eq!(written(|json| json.amount(minor)), format!("\"{amount}\""));
        }
    }

    #[test]
    fn numbers_have_as_many_digits_as_they_need() {
        for number in [0, 7, 100_000, -5, i32::MIN] {
            assert_eq!(written(|json| json.number(number)), number.to_string());
        }
    }

    #[test]
    fn times_are_spelled_as_rfc_3339() {
        for time in ["2026-08-08T00:00:00Z", "1993-08-05T23:59:01.250Z", "2026-08-08T09:30:00.000001Z"] {
            let moment = DateTime::parse_from_rfc3339(time).expect("a time").to_utc();
            assert_eq!(written(|json| json.time(moment)), format!("\"{time}\""));
        }
    }

    #[test]
    fn an_id_is_the_same_in_both_spellings() {
        let uuid = Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def0);
        assert_eq!(written(|json| json.card_id(uuid)), format!("\"{}\"", card_id_text(uuid)));
        assert_eq!(card_id_text(uuid), "Q2FyZDoxMjM0NTY3OC05YWJjLWRlZjAtMTIzNC01Njc4OWFiY2RlZjA");
        let item = URL_SAFE_NO_PAD.encode(format!("InventoryItem:{uuid}"));
        assert_eq!(written(|json| json.item_id(uuid)), format!("\"{item}\""));
    }
}
