//! The schema's types: one a file, with its connection, its inputs and the lines that adapt its loaders; cards have a file for each.

mod card;
mod card_input;
mod card_loaders;
mod card_lookup;
mod card_parts;
mod card_set;
mod collection_import;
mod dead_letter;
mod enums;
mod inventory;
mod job;
mod marketplace;
mod money;
mod node;
mod portfolio;
mod price;
mod price_history;
mod user;
mod user_error;
mod want_list;

pub use card::{Card, CardConnection, CardTotal};
pub use card_input::{CardFilter, CardSort};
pub use card_loaders::{
    CardDetailsById, CardsById, CardsByScryfallId, PrintingTotalByPiece, PrintingsByPiece,
};
pub use card_lookup::{CardLookup, find_card};
pub use card_set::{
    CardSet, CardSetConnection, CardTotalBySet, CardsBySet, CompletionBySet, SetTotal, SetsByCode, SetsByUuid,
};
pub use collection_import::{CollectionImport, ImportMode, ImportPlatform, RejectedPages, RejectedTotals};
pub use dead_letter::{DeadLetter, DeadLetterConnection, DeadLetterTotal};
pub use enums::{CardUnique, Condition, Finish, WantPriority};
pub use inventory::{InventoryItem, InventoryPages, InventoryTotals, ItemValues, ItemsByAsker};
pub use job::{Job, JobKind, JobPages, JobTotals, JobsByAsker, UploadedFile, UploadsByAsker};
pub use marketplace::{Marketplace, MarketplacesById, MarketplacesBySlug, MarketplacesByUuid};
pub use money::MoneyInput;
pub use node::Node;
pub use portfolio::{AllocationsByUser, HoldingsByUser, ValueHistories};
pub use price::{CardPriceByKey, LatestPricesByCard, MarketPrice};
pub use price_history::{HistoryByCard, HistoryTotalByCard};
pub use user::{ApiToken, ApiTokensByAsker, Asker, Session, SessionsByAsker, User, UsersByAsker};
pub use user_error::{UserError, told};
pub use want_list::{WantListItem, WantPages, WantTotals, WantsByAsker};
