//! What can be changed. Each mutation answers with what it did, or with what is wrong with its input.

mod account;
mod api_tokens;
mod discord;
mod sessions;

use async_graphql::MergedObject;

/// What can be changed.
#[derive(MergedObject, Default)]
pub struct Mutation(sessions::Sessions, account::Account, api_tokens::ApiTokens, discord::Discord);
