//! The schema: what consumers see, over what the domain knows. Writes no SQL.

mod batch;
mod connection;
mod error;
mod global_id;
mod loaders;
mod lookahead;
mod observe;
mod query;
mod scalars;
mod types;

use async_graphql::{EmptyMutation, EmptySubscription, SDLExportOptions};

pub use error::{code_of_request_errors, failure_of};
pub use loaders::Loaders;

use crate::db::Databases;
use crate::pagination::CursorSecret;

/// The schema, ready to execute.
pub type Schema = async_graphql::Schema<query::Query, EmptyMutation, EmptySubscription>;

/// Builds the schema. Each request brings its own [`Loaders`].
pub fn build_schema(cursors: CursorSecret) -> Schema {
    async_graphql::Schema::build(query::Query, EmptyMutation, EmptySubscription)
        .data(cursors)
        .extension(observe::Observe)
        // "Did you mean" would tell a stranger what the schema holds, and its search costs more than the query.
        .disable_suggestions()
        .finish()
}

/// What a request needs besides its document.
pub fn with_loaders(request: async_graphql::Request, databases: &Databases) -> async_graphql::Request {
    request.data(Loaders::new(databases.read().clone()))
}

/// The schema in SDL, as `schema.graphql` holds it.
pub fn sdl() -> String {
    let schema = build_schema(CursorSecret::new(["the SDL does not depend on it"]));
    let sdl = schema.sdl_with_options(SDLExportOptions::new().include_specified_by());
    format!("{}\n", sdl.trim_end())
}
