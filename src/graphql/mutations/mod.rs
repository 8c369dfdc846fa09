//! What can be changed. Each mutation answers with what it did, or with what is wrong with its input.

mod account;
mod api_tokens;
mod discord;
mod exports;
mod inventory;
mod jobs;
mod sessions;
mod want_list;

use async_graphql::{MaybeUndefined, MergedObject};

use crate::domain::collection::Change;

/// What can be changed.
#[derive(MergedObject, Default)]
pub struct Mutation(
    sessions::Sessions,
    account::Account,
    api_tokens::ApiTokens,
    discord::Discord,
    inventory::Inventory,
    want_list::WantList,
    exports::Exports,
    jobs::Jobs,
);

/// What becomes of a field: left out, it stays; null empties it.
fn change<I: Into<T>, T>(given: MaybeUndefined<I>) -> Change<T> {
    match given {
        MaybeUndefined::Undefined => Change::Keep,
        MaybeUndefined::Null => Change::Clear,
        MaybeUndefined::Value(value) => Change::To(value.into()),
    }
}
