//! Sets and printings: what they are, how they are found, listed and written.

mod asked;
pub mod attributes;
mod card;
mod derived;
mod facts;
mod formats;
mod list;
mod lookup;
mod mana;
mod marks;
mod names;
mod provisional;
pub mod record;
mod resolve;
mod rules_text;
pub mod search;
mod set;
mod suggest;
mod write;

pub use card::{
    CardColumns, CardDetails, CardRow, count_printings_by_piece, load_card_details_by_id, load_cards_by_id,
    load_cards_by_scryfall_id, load_printings_by_piece, printing_list_id,
};
pub use derived::refresh_catalogue;
pub use list::{
    CardFilter, CardList, CardOrder, CardSortField, PriceRange, Unique, count_cards, count_cards_by_set,
    list_cards, load_cards_by_set,
};
pub use lookup::{find_card_by_fuzzy_name, find_card_by_name, find_card_by_printing};
pub use names::{collector_key, name_key};
pub use provisional::make_card;
pub use resolve::{FoundCard, Resolved, Resolver};
pub use search::Search;
pub use search::vocabulary::LANGUAGES;
pub use set::{SetRow, count_sets, list_sets, load_sets_by_code, load_sets_by_uuid, set_list_id, set_uuid};
pub use suggest::suggest_names;
pub use write::{find_cards_by_external_id, load_card_ids, write_about, write_printings};
