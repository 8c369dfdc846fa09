//! The tables as the code sees them: rows and relations, one table a file, nothing else.

pub mod card;
pub mod card_external_id;
pub mod card_name;
pub mod card_price;
pub mod card_set;
pub mod enums;
pub mod latest_price;
pub mod marketplace;
pub mod piece_face;
pub mod price_day;
pub mod price_snapshot;
pub mod stale_card;
pub mod store_state;
pub mod trusted_operation;
