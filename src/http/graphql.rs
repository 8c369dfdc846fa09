//! `/graphql`: async-graphql-axum's handler, with the request's loaders going in and its id coming out.

use std::collections::HashSet;

use async_graphql_axum::{GraphQLRequest, GraphQLResponse};
use axum::Extension;
use axum::extract::State;

use super::observe::RequestId;
use crate::app::App;
use crate::engine::Call;
use crate::graphql::{Loaders, code_of_request_errors, failure_of};

/// Executes one operation.
pub async fn execute(
    State(app): State<App>,
    Extension(RequestId(id)): Extension<RequestId>,
    request: GraphQLRequest,
) -> GraphQLResponse {
    let request = request.into_inner();
    let call =
        Call { query: request.query, operation_name: request.operation_name, variables: request.variables };
    let loaders = Loaders::new(app.databases().read().clone());
    let mut response = app.engine().execute(call, |data| data.insert(loaders)).await;
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
