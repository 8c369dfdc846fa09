//! The catalogue and its prices.

use super::{Environment, Mode};

#[derive(Debug, Clone)]
pub struct MarketSettings {
    /// Fill an empty embedded store with the demo market.
    pub demo: bool,
    pub scryfall_url: String,
}

impl MarketSettings {
    pub(super) fn read(environment: &mut Environment, mode: Mode) -> Self {
        let demo = environment.optional(
            "DUALCASTER_DEMO",
            "true in development",
            "`true` or `false`: whether an empty embedded database gets demo data.",
        );
        let scryfall_url: String = environment.get(
            "DUALCASTER_SCRYFALL_URL",
            "https://api.scryfall.com",
            "Scryfall's API: `dualcaster ingest scryfall` without a file asks it for the newest.",
        );
        if !(scryfall_url.starts_with("https://") || scryfall_url.starts_with("http://")) {
            environment.mistake("DUALCASTER_SCRYFALL_URL: must begin with https:// or http://".to_owned());
        }
        Self { demo: mode == Mode::Development && demo.unwrap_or(true), scryfall_url }
    }
}
