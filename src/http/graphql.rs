//! `/graphql`: async-graphql-axum's handler, with the request's loaders going in and its id coming out.

use std::collections::HashSet;

use async_graphql_axum::{GraphQLRequest, GraphQLResponse};
use axum::Extension;
use axum::extract::State;

use super::observe::RequestId;
use crate::app::App;
use crate::graphql::{code_of_request_errors, failure_of, with_loaders};

/// Executes one operation.
pub async fn execute(
    State(app): State<App>,
    Extension(RequestId(id)): Extension<RequestId>,
    request: GraphQLRequest,
) -> GraphQLResponse {
    let request = with_loaders(request.into_inner(), app.databases());
    let mut response = app.schema().execute(request).await;
    let mut logged = HashSet::new();
    for error in &mut response.errors {
        // A batch that fails does so for every field that waits for it: one line says it.
        if let Some(text) = failure_of(error).map(crate::error::Failure::log_text)
            && logged.insert(text.clone())
        {
            tracing::error!(error = text, path = ?error.path, "an operation failed");
        }
        code_of_request_errors(error);
        if let Some(extensions) = &mut error.extensions {
            extensions.set("requestId", id.as_str());
        }
    }
    response.into()
}
