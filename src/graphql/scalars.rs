//! The contract's scalars. Each checks its form before anything runs, in literals and in variables.

use async_graphql::{InputType, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{NaiveDate, SecondsFormat, Utc};
use rust_decimal::Decimal as Exact;

use super::json::Json;
use super::planned::{At, Write};

/// Amounts beyond this are no prices.
const MOST: i64 = 1_000_000_000_000_000;

/// A scalar that is written as a string: the type has `read(&str) -> Option<Self>` and `text(&self) -> String`.
macro_rules! string_scalar {
    ($type:ident, $name:literal, $description:literal, $specified:literal) => {
        #[doc = $description]
        #[Scalar(name = $name, specified_by_url = $specified)]
        impl ScalarType for $type {
            fn parse(value: Value) -> InputValueResult<Self> {
                match &value {
                    Value::String(text) => Self::read(text).ok_or_else(|| malformed($name)),
                    _ => Err(malformed($name)),
                }
            }

            fn is_valid(value: &Value) -> bool {
                matches!(value, Value::String(text) if Self::read(text).is_some())
            }

            fn to_value(&self) -> Value {
                Value::String(self.text())
            }
        }

        impl Write for $type {
            fn write(&self, _: &At<'_>, json: &mut Json) {
                json.plain(&self.text());
            }
        }
    };
}

fn malformed<T: InputType>(name: &str) -> InputValueError<T> {
    InputValueError::custom(format!("This is not a {name}."))
}

/// An RFC 3339 timestamp in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime(pub chrono::DateTime<Utc>);

string_scalar!(
    DateTime,
    "DateTime",
    "An RFC 3339 timestamp in UTC.",
    "https://scalars.graphql.org/andimarek/date-time.html"
);

impl DateTime {
    fn read(text: &str) -> Option<Self> {
        chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| Self(time.to_utc()))
    }

    fn text(&self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }
}

/// An ISO 8601 calendar date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date(pub NaiveDate);

string_scalar!(
    Date,
    "Date",
    "An ISO 8601 calendar date.",
    "https://scalars.graphql.org/andimarek/local-date.html"
);

impl Date {
    fn read(text: &str) -> Option<Self> {
        // The parser alone would take 2026-2-3 too.
        if text.len() != 10 {
            return None;
        }
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Self)
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// A UUID in its canonical hyphenated form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uuid(pub uuid::Uuid);

string_scalar!(
    Uuid,
    "UUID",
    "A UUID in its canonical hyphenated form.",
    "https://tools.ietf.org/html/rfc4122"
);

impl Uuid {
    fn read(text: &str) -> Option<Self> {
        // The parser alone would take other forms too.
        if text.len() != 36 {
            return None;
        }
        uuid::Uuid::try_parse(text).ok().map(Self)
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// An absolute URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url(pub String);

string_scalar!(Url, "URL", "An absolute URL.", "https://url.spec.whatwg.org/");

impl Url {
    fn read(text: &str) -> Option<Self> {
        let web = text.starts_with("https://") || text.starts_with("http://");
        web.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

/// An exact decimal number, serialised as a string: "12.50". Never a float.
///
/// Inside it is an amount in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal(pub i64);

impl Decimal {
    fn text(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let hundredths = self.0.unsigned_abs();
        format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100)
    }

    fn read(text: &str) -> Option<i64> {
        let exact = Exact::from_str_exact(text).ok()?.normalize();
        if exact.scale() > 2 {
            return None;
        }
        let hundredths = i64::try_from(exact.mantissa()).ok()?.checked_mul(10_i64.pow(2 - exact.scale()))?;
        (hundredths.abs() <= MOST).then_some(hundredths)
    }
}

/// An exact decimal number, serialised as a string: "12.50". Never a float.
#[Scalar(name = "Decimal", tag = "form=a number with at most two decimals, such as \"12.50\"")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Self::read(text).map(Self),
            Value::Number(number) => {
                number.as_i64().and_then(|whole| Self::read(&whole.to_string())).map(Self)
            }
            _ => None,
        }
        .ok_or_else(|| malformed("Decimal with at most two places"))
    }

    fn is_valid(value: &Value) -> bool {
        <Self as ScalarType>::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.text())
    }
}

impl Write for Decimal {
    fn write(&self, _: &At<'_>, json: &mut Json) {
        json.plain(&self.text());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_two_decimals_going_out() {
        for (hundredths, text) in
            [(0, "0.00"), (5, "0.05"), (1_250, "12.50"), (-1_250, "-12.50"), (14_999_999, "149999.99")]
        {
            assert_eq!(ScalarType::to_value(&Decimal(hundredths)), Value::String(text.into()));
        }
    }

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        for (text, hundredths) in [("1", 100), ("1.5", 150), ("0.10", 10), ("-3.25", -325), ("1.100", 110)] {
            assert_eq!(Decimal::read(text), Some(hundredths), "{text}");
        }
        for text in ["", "1.005", "a", "1e5", "NaN", "99999999999999999999", "1,50", " 1"] {
            assert_eq!(Decimal::read(text), None, "{text}");
        }
        assert!(!Decimal::is_valid(&Value::from(1.5)));
        assert!(Decimal::is_valid(&Value::from(2)));
    }

    #[test]
    fn malformed_scalars_are_refused() {
        assert!(!Uuid::is_valid(&"46184f97d5c94a989fd9e19057ce9b7e".into()), "without hyphens");
        assert!(Uuid::is_valid(&"46184f97-d5c9-4a98-9fd9-e19057ce9b7e".into()));
        assert!(!Date::is_valid(&"2026-02-30".into()) && !Date::is_valid(&"2026-2-3".into()));
        assert!(!DateTime::is_valid(&"2026-02-03".into()));
        assert!(!Url::is_valid(&"javascript:alert(1)".into()));
    }
}
