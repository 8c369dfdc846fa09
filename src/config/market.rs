//! The catalogue and its prices.

use super::{Environment, Mode};

#[derive(Debug, Clone)]
pub struct MarketSettings {
    /// Fill an empty embedded store with the demo market.
    pub demo: bool,
}

impl MarketSettings {
    pub(super) fn read(environment: &mut Environment, mode: Mode) -> Self {
        let demo = environment.optional(
            "DUALCASTER_DEMO",
            "true in development",
            "`true` or `false`: whether an empty embedded database gets demo data.",
        );
        Self { demo: mode == Mode::Development && demo.unwrap_or(true) }
    }
}
