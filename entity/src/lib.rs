//! The tables as the code sees them: rows and relations, one table a file, nothing else.

pub mod api_token;
pub mod card;
pub mod card_external_id;
pub mod card_name;
pub mod card_price;
pub mod card_set;
pub mod client;
pub mod discord_link_code;
pub mod enums;
pub mod idempotent_answer;
pub mod latest_price;
pub mod marketplace;
pub mod one_time_token;
pub mod piece_face;
pub mod price_day;
pub mod price_snapshot;
pub mod refresh_token;
pub mod session;
pub mod stale_card;
pub mod store_state;
pub mod trusted_operation;
pub mod user;
