//! From a document's text to an answer: read it once, check it once, fit the variables, execute. Knows GraphQL, and
//! neither HTTP nor what the schema is about.

mod documents;
mod variables;

use std::time::Instant;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType};
use async_graphql::registry::Registry;
use async_graphql::{Data, ObjectType, Request, Response, Schema, SchemaBuilder, SubscriptionType};
use async_graphql::{ServerError, ValidationMode, Variables};
use futures_util::future::BoxFuture;
use tracing::Instrument;

pub use self::documents::Document;
use self::documents::Documents;

/// What a caller sends.
#[derive(Debug, Default)]
pub struct Call {
    pub query: String,
    pub operation_name: Option<String>,
    pub variables: Variables,
}

/// A schema with all that stands between it and its callers.
pub struct Engine {
    schema: Box<dyn Execute>,
    documents: Documents,
    registry: Registry,
}

impl Engine {
    /// `build` makes the schema's builder; it is called twice.
    pub fn new<Q, M, S>(build: impl Fn() -> SchemaBuilder<Q, M, S>) -> Self
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        Self {
            // Documents have been checked, each once, when they come here.
            schema: Box::new(build().validation_mode(ValidationMode::Fast).finish()),
            documents: Documents::new(build().extension(documents::CheckOnly).finish()),
            registry: registry::<Q, M, S>(),
        }
    }

    /// Executes a query or a mutation. `data` is what resolvers find in their context.
    pub async fn execute(&self, call: Call, data: impl FnOnce(&mut Data)) -> Response {
        let prepared = match self.prepare(call).await {
            Ok(prepared) => prepared,
            Err(errors) => return Response::from_errors(errors),
        };
        let kind = prepared.kind;
        let span = tracing::debug_span!(
            "operation",
            graphql.operation.type = kind,
            graphql.operation.name = prepared.request.operation_name.as_deref().unwrap_or_default(),
        );
        let started = Instant::now();
        let mut request = prepared.request;
        data(&mut request.data);
        let response = self.schema.execute(request).instrument(span).await;
        // Not by name: names are the callers', and each would be a series for ever.
        let outcome = if response.errors.is_empty() { "ok" } else { "errors" };
        metrics::histogram!("dualcaster_operation_duration_seconds", "type" => kind, "outcome" => outcome)
            .record(started.elapsed());
        response
    }

    async fn prepare(&self, call: Call) -> Result<Prepared, Vec<ServerError>> {
        let document = self.documents.read(&call.query).await?;
        let operation = document.operation(call.operation_name.as_deref()).map_err(|error| vec![error])?;
        let kind = match operation.node.ty {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => "subscription",
        };
        let variables = variables::fit(&self.registry, &operation.node.variable_definitions, call.variables)?;
        let mut request = Request::new(String::new()).variables(variables);
        // A document with one operation without a name takes no name.
        if matches!(document.parsed().operations, DocumentOperations::Multiple(_)) {
            request.operation_name = call.operation_name;
        }
        request.set_parsed_query(ExecutableDocument::clone(document.parsed()));
        Ok(Prepared { request, kind })
    }
}

/// An operation that is ready to run.
struct Prepared {
    request: Request,
    kind: &'static str,
}

/// A schema of whatever roots.
trait Execute: Send + Sync {
    fn execute(&self, request: Request) -> BoxFuture<'_, Response>;
}

impl<Q, M, S> Execute for Schema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn execute(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(Schema::execute(self, request))
    }
}

/// The types of a schema, which async-graphql shows to resolvers only.
fn registry<Q: ObjectType, M: ObjectType, S: SubscriptionType>() -> Registry {
    use async_graphql::{ID, InputType, OutputType};
    let mut registry = Registry::default();
    <Q as OutputType>::create_type_info(&mut registry);
    if !M::is_empty() {
        <M as OutputType>::create_type_info(&mut registry);
    }
    if !S::is_empty() {
        S::create_type_info(&mut registry);
    }
    for make in [
        <bool as InputType>::create_type_info,
        <i32 as InputType>::create_type_info,
        <f64 as InputType>::create_type_info,
        <String as InputType>::create_type_info,
        <ID as InputType>::create_type_info,
    ] {
        make(&mut registry);
    }
    registry
}
