//! A span and figures for every operation.

use std::sync::Arc;
use std::time::Instant;

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextParseQuery};
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Response, ServerResult, Variables};
use tracing::Instrument;

/// Makes one observer a request.
pub struct Observe;

impl ExtensionFactory for Observe {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Observer { kind: std::sync::OnceLock::new() })
    }
}

struct Observer {
    kind: std::sync::OnceLock<&'static str>,
}

#[async_trait]
impl Extension for Observer {
    async fn parse_query(
        &self,
        context: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let document = next.run(context, query, variables).await?;
        if let Some((_, operation)) = document.operations.iter().next() {
            let _ = self.kind.set(match operation.node.ty {
                OperationType::Query => "query",
                OperationType::Mutation => "mutation",
                OperationType::Subscription => "subscription",
            });
        }
        Ok(document)
    }

    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let kind = self.kind.get().copied().unwrap_or("query");
        let span = tracing::info_span!(
            "operation",
            graphql.operation.type = kind,
            graphql.operation.name = operation_name.unwrap_or_default(),
        );
        let started = Instant::now();
        let response = next.run(context, operation_name).instrument(span).await;
        // Not by name: names are the callers', and each would be a series for ever.
        let outcome = if response.errors.is_empty() { "ok" } else { "errors" };
        metrics::histogram!("dualcaster_operation_duration_seconds", "type" => kind, "outcome" => outcome)
            .record(started.elapsed());
        response
    }
}
