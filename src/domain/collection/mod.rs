//! What users hold and want: the items, what they are worth, and how that has moved.
//!
//! Whoever changes somebody's items is alone in it ([`begin`]), so that equal items add up and limits hold however many
//! requests come at once. What items are worth is kept beside them (`values`), by whoever changes an item and by the
//! ingest that changes a price.

mod check;
mod completion;
mod copies;
mod export;
mod follow;
mod import;
mod import_report;
mod import_spill;
mod import_undo;
mod invented;
mod inventory;
mod inventory_write;
mod item;
mod portfolio;
mod values;
mod want;
mod want_write;

pub use check::{Change, Held, MOST_AT_ONCE, MOST_IDS, MOST_ITEMS, MOST_TAGS, MOST_WANTS, ids_at_once};
pub use completion::{SetCompletion, load_completions};
pub use copies::Likeness;
pub use export::{Layout, export_header, export_page};
pub use follow::{close_day, follow_names, follow_prices};
pub use import::{Copies, Gathered, HeldCopies, ImportMode, Taken, apply_import, check_import, held_copies};
pub use import_report::{
    REPORTS, RejectedLine, RejectedList, ReportRow, clear_report, count_rejected_by_job, list_rejected,
    load_rejected_by_job, report_header, report_page, write_report,
};
pub use import_undo::undo_import;
pub use invented::{
    InventedItem, InventedUser, InventedWant, invented_address, remove_invented, write_invented,
};
pub use inventory::{
    InventoryFilter, InventoryList, InventoryOrder, InventorySortField, count_inventory, list_inventory,
    load_items,
};
pub use inventory_write::{
    ItemChange, NewItem, add_items, put_back_since, remove_items, restore_items, update_item,
};
pub use item::ItemRow;
pub use portfolio::{
    AllocationKey, Holdings, Slice as AllocationSlice, ValuePoint, load_allocation, load_holdings,
    load_value_history,
};
pub use values::{HoldingValue, load_values};
pub use want::{WantList, WantListOrder, WantSortField, count_wants, list_wants, load_wants};
pub use want_write::{NewWant, WantChange, add_want, remove_wants, update_want};

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::db::{Exists, Sql};
use crate::domain::market::DERIVING;
use crate::error::{Code, Refusal, Result};

/// To be the first statement of a transaction that changes somebody's items: it waits for the user's other changes, and
/// for prices that are just being derived, so that what it writes of values is of the same prices.
///
/// # Errors
/// ERR-2003 where the account is gone; the database's.
async fn begin(transaction: &impl ConnectionTrait, user: Uuid) -> Result<()> {
    let mut sql = Sql::new(transaction);
    // On SQLite the transaction itself is alone.
    let lock = format!("select cast(pg_advisory_xact_lock_shared({DERIVING}) as text) as n");
    sql.either(&lock, "select 1 as n").push(" from users where id = ").bind(user);
    sql.either(" for no key update", "");
    match sql.one::<Exists>(transaction).await? {
        Some(_) => Ok(()),
        None => Err(Refusal::new(Code::TokenRevoked, "This account is gone.").into()),
    }
}
