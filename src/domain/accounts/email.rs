//! Addresses, and when two of them are one.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

use crate::error::{Code, Refusal};

/// An address that mail can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// As its owner writes it.
    pub text: String,
    /// As it is compared: see [`normalized`].
    pub key: String,
}

/// Bytes of an address at most, by RFC 5321.
const MOST_BYTES: usize = 254;

impl Email {
    /// # Errors
    /// ERR-3002 for what is no address, with its place.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        let is_address = text.len() <= MOST_BYTES
            && text.parse::<lettre::Address>().is_ok_and(|address| address.domain().contains('.'));
        if !is_address {
            return Err(Refusal::new(Code::InvalidValue, "This is not an email address.").at("email"));
        }
        Ok(Self { text: text.to_owned(), key: normalized(text) })
    }
}

/// An address as addresses are compared: without regard to case, nor to how a letter is put together. By Unicode's
/// "compatibility caseless match" (The Unicode Standard, section 3.13, D146).
pub fn normalized(text: &str) -> String {
    // A sign that no address has, and that Postgres does not take.
    let text = text.trim().replace('\0', "\u{fffd}");
    text.nfd().default_case_fold().nfkd().default_case_fold().nfkc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_in_two_spellings_is_one() {
        for (one, other) in [
            ("Ada@Example.com", "ada@example.COM"),
            ("stra\u{df}e@example.com", "STRASSE@example.com"),
            ("caf\u{e9}@example.com", "cafe\u{301}@example.com"),
            ("\u{ff41}da@example.com", "ada@example.com"),
            (" ada@example.com ", "ada@example.com"),
        ] {
            assert_eq!(normalized(one), normalized(other), "{one} and {other}");
        }
        assert_ne!(normalized("ada@example.com"), normalized("ada@example.org"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        for text in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "a b@example.com",
            "ada@localhost",
            "a@b@example.com",
            "ada\n@example.com",
            &long,
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(
            Email::parse("Ada+cards@Example.com").map(|email| email.key),
            Ok("ada+cards@example.com".into())
        );
    }
}
