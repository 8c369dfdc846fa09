//! Links that say what they open, for whom and until when: whoever has one may follow it, without signing in. They are
//! sealed, so that nobody can make one or read whose it is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::outside::Outside;
use crate::seal::Sealer;

/// Characters of a token at most; ours are far shorter.
const MAX_LENGTH: usize = 1_024;

/// What a link opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// A user's inventory as a file, in a layout of this name.
    Inventory { user: Uuid, layout: String },
    /// What became of each line of a file that a user has imported.
    Report { user: Uuid, job: Uuid },
    /// All that is kept of a user, as a file.
    Account { user: Uuid },
    /// A picture of what a user's holdings were worth, in a currency (by its number) and so many days back; all without.
    Portfolio { user: Uuid, currency: i16, days: Option<u16> },
}

impl Link {
    /// Where it leads, before its token.
    fn place(&self) -> &'static str {
        match self {
            Self::Inventory { .. } | Self::Account { .. } | Self::Report { .. } => "files",
            Self::Portfolio { .. } => "charts/portfolios",
        }
    }

    /// How long it holds: a file is for whoever asked for it just now; a picture is looked at again, by others too.
    fn lifetime(&self) -> TimeDelta {
        match self {
            Self::Inventory { .. } | Self::Account { .. } | Self::Report { .. } => TimeDelta::hours(1),
            Self::Portfolio { .. } => TimeDelta::days(1),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    link: Link,
    /// In seconds.
    until: i64,
}

/// Makes links and opens them.
#[derive(Clone)]
pub struct Links {
    sealer: Sealer,
    /// What the server's addresses begin with.
    base: String,
    outside: Outside,
}

impl Links {
    pub fn new(sealer: Sealer, base: &str, outside: Outside) -> Self {
        Self { sealer, base: base.trim_end_matches('/').to_owned(), outside }
    }

    /// The link's address, which ends with `suffix`; nothing where it can't be sealed.
    pub fn url(&self, link: Link, suffix: &str) -> Option<String> {
        let place = link.place();
        let until = (self.outside.now() + link.lifetime()).timestamp();
        let text = serde_json::to_vec(&Sealed { link, until }).ok()?;
        let token = URL_SAFE_NO_PAD.encode(self.sealer.seal(b"link", &text)?);
        Some(format!("{}/{place}/{token}{suffix}", self.base))
    }

    /// What a token opens, and until when; nothing for one that is not ours, or too old.
    pub fn open(&self, token: &str) -> Option<(Link, DateTime<Utc>)> {
        if token.len() > MAX_LENGTH {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
        let text = self.sealer.open(b"link", &sealed)?;
        let Sealed { link, until } = serde_json::from_slice(&text).ok()?;
        let until = DateTime::from_timestamp(until, 0)?;
        (until > self.outside.now()).then_some((link, until))
    }

    /// The address of a card's chart, which is for everyone. `query` is what it is asked for with.
    pub fn card_chart(&self, id: &str, suffix: &str, query: &[(&str, &str)]) -> String {
        let mut written = form_urlencoded::Serializer::new(String::new());
        written.extend_pairs(query);
        format!("{}/charts/cards/{id}{suffix}?{}", self.base, written.finish())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[test]
    fn a_link_opens_until_its_time_is_over_and_no_other_does() {
        let seconds = Arc::new(AtomicI64::new(1_000));
        let clock = Arc::clone(&seconds);
        let outside = Outside::system().with_clock(move || {
            DateTime::from_timestamp(clock.load(Ordering::Relaxed), 0).unwrap_or_default()
        });
        let sealer = Sealer::new([[1; 32]], outside.clone());
        let links = Links::new(sealer, "https://cards.example/", outside);
        let link = Link::Inventory { user: Uuid::from_u128(1), layout: "generic".to_owned() };
        let url = links.url(link.clone(), "").expect("a link");
        let token = url.strip_prefix("https://cards.example/files/").expect("its place").to_owned();
        assert_eq!(links.open(&token).map(|(link, _)| link), Some(link));
        for wrong in ["", "AAAA", &token[1..], &"A".repeat(2_000), "🦀"] {
            assert!(links.open(wrong).is_none(), "{wrong}");
        }
        seconds.fetch_add(3_600, Ordering::Relaxed);
        assert!(links.open(&token).is_none(), "an hour later");
    }
}
