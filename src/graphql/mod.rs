//! The schema: what consumers see, over what the domain knows. Writes no SQL.

mod batch;
mod connection;
mod global_id;
mod json;
mod lists;
mod loaders;
mod lookahead;
mod misses;
mod mutations;
mod nullable;
mod planned;
mod query;
mod scalars;
mod subscription;
mod types;
mod upload;

use async_graphql::{Data, SDLExportOptions, Schema, SchemaBuilder};

pub use json::{Json, objects_in};
use loaders::Loaders;
pub use misses::Misses;
use mutations::Mutation;
use planned::InTrees;
pub use subscription::LISTS_TAKEN;
use subscription::Subscription;
pub use upload::{ReceivedFile, Upload, Uploads, upload_value};

use crate::db::Connection;
use crate::pagination::CursorSecret;

/// The schema's builder. Each request brings its own data: see [`provide`].
pub fn schema(cursors: CursorSecret) -> SchemaBuilder<query::Query, Mutation, Subscription> {
    Schema::build(query::Query, Mutation::default(), Subscription)
        .data(cursors)
        // "Did you mean" would tell a stranger what the schema holds, and its search costs more than the query.
        .disable_suggestions()
}

/// The schema in SDL, as `schema.graphql` holds it.
pub fn sdl() -> String {
    let schema = schema(CursorSecret::new(["the SDL does not depend on it"])).finish();
    let sdl = schema.sdl_with_options(SDLExportOptions::new().include_specified_by());
    format!("{}\n", sdl.trim_end())
}

/// Puts in what resolvers need for one request: `connection` for what may be a moment behind, `primary` for accounts,
/// `personal` for what users hold. `merges` says that the document selects a key twice.
pub fn provide(
    data: &mut Data,
    connection: Connection,
    primary: &Connection,
    personal: &Connection,
    merges: bool,
) {
    data.insert(Loaders::new(connection, primary, personal));
    if merges {
        data.insert(InTrees);
    }
}

/// The Scryfall id of a card's `id`; nothing for what is no card's.
pub fn card_of_id(id: &str) -> Option<uuid::Uuid> {
    global_id::GlobalId::card(id).ok()
}
