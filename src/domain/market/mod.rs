//! Marketplaces and prices: what is asked and paid where, now and before.

mod derive;
mod history;
mod lock;
mod marketplace;
mod money;
mod price;
pub mod record;
mod write;

pub use derive::{DERIVING, derive_prices, note_misranked};
pub use history::{
    HistoryInterval, HistoryKey, HistoryPoint, HistoryQuery, HistorySource, HistoryWindow,
    count_price_history, history_list_id, load_price_history,
};
pub use marketplace::{
    MarketplaceRow, list_marketplaces, load_marketplaces_by_id, load_marketplaces_by_slug,
    load_marketplaces_by_uuid,
};
pub use money::{CONDITION_PER_MILLE, Money};
pub use price::{
    CardPriceKey, LatestPriceRow, MarketPriceKey, Price, PriceChange, SeriesPrice, load_card_prices,
    load_latest_prices_by_card, load_series_prices,
};
pub use write::{make_months, write_marketplaces, write_prices};
