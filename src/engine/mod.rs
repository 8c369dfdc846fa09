//! From a document's text to an answer: hold it to the limits, read and check it once, fit the variables, execute.
//! Knows GraphQL, and neither HTTP nor what the schema is about.

mod arguments;
mod checkable;
mod documents;
mod error;
mod guard;
mod manifest;
mod merges;
mod persisted;
mod places;
mod trusted;
mod variables;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use async_graphql::Positioned;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection,
};
use async_graphql::registry::{MetaType, Registry};
use async_graphql::{
    Data, Name, ObjectType, Request, Response, Schema, SchemaBuilder, ServerError, SubscriptionType,
    ValidationMode, Value, Variables,
};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use tracing::Instrument;

use self::documents::Documents;
pub use self::error::{failure_of, is_syntax, refused};
use self::guard::Guard;
pub use self::manifest::{Listed, read_documents, read_manifest};
use self::persisted::{Meant, Persisted};
pub use self::persisted::{QueryHash, SharedQueries};
use self::trusted::Trusted;
use crate::config::{GuardSettings, Operations};
use crate::error::{Code, Refusal};

/// An administrator's operation may cost so many times what others' may.
const PRIVILEGE: u64 = 10;
/// And a mutation so many times what a query may: it shows what it has changed, of which its input says how much.
const MUTATION: u64 = 5;

/// What a caller asks for.
#[derive(Debug, Clone, Default)]
pub struct Call {
    pub query: Option<String>,
    /// The SHA-256 of the query, in hexadecimal digits: in place of the query where the server knows it, or beside it
    /// to make it known.
    pub hash: Option<String>,
    /// The id of a trusted document, in place of the query.
    pub document_id: Option<String>,
    pub operation_name: Option<String>,
    pub variables: Variables,
    /// Whether the caller may see the schema.
    pub may_introspect: bool,
    /// Whether it may be a mutation.
    pub may_write: bool,
    /// Whether a program asks that is no user's: it may be held to what was registered.
    pub is_bot: bool,
    /// Whether it may cost more than others' may.
    pub is_privileged: bool,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Query,
    Mutation,
    Subscription,
}

impl Kind {
    /// Its keyword in a document.
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }
}

/// Why an operation is not made ready. Nothing was executed.
#[derive(Debug)]
pub enum Refused {
    /// It is a mutation, and may not be one.
    Mutation,
    /// What is wrong with it: never more than a handful, each short and with a code.
    Errors(Vec<ServerError>),
}

impl Refused {
    pub fn into_errors(self) -> Vec<ServerError> {
        match self {
            Self::Mutation => vec![refused(&Refusal::invalid_value("No mutation is executed here."), None)],
            Self::Errors(errors) => errors,
        }
    }
}

impl From<ServerError> for Refused {
    fn from(error: ServerError) -> Self {
        Self::Errors(vec![error])
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        refused(&refusal, None).into()
    }
}

/// An operation that is ready to run.
#[derive(Debug)]
pub struct Prepared {
    request: Request,
    kind: Kind,
    cost: u64,
    /// What it might cost at most.
    most: u64,
    merges: bool,
    root_fields: Option<Vec<Name>>,
    /// The query that came with its hash, to be known by it from now on.
    registered: Option<(QueryHash, Arc<str>)>,
}

impl Prepared {
    /// Whether async-graphql has to bring answers of one key together.
    pub fn merges(&self) -> bool {
        self.merges
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How many objects its answer may hold at most.
    pub fn cost(&self) -> u64 {
        self.cost
    }

    /// Whether all its root fields are among these, each named at the root itself.
    pub fn selects_only(&self, names: &[&str]) -> bool {
        self.root_fields
            .as_ref()
            .is_some_and(|fields| fields.iter().all(|field| names.contains(&field.as_str())))
    }
}

/// The names of an operation's root fields; nothing, where a fragment may bring others.
fn root_fields(operation: &OperationDefinition) -> Option<Vec<Name>> {
    let of = |selection: &Positioned<Selection>| match &selection.node {
        Selection::Field(field) => Some(field.node.name.node.clone()),
        Selection::InlineFragment(_) | Selection::FragmentSpread(_) => None,
    };
    operation.selection_set.node.items.iter().map(of).collect()
}

/// The type at which operations of a kind begin.
fn root_type(registry: &Registry, ty: OperationType) -> Option<&MetaType> {
    let name = match ty {
        OperationType::Query => Some(registry.query_type.as_str()),
        OperationType::Mutation => registry.mutation_type.as_deref(),
        OperationType::Subscription => registry.subscription_type.as_deref(),
    };
    registry.types.get(name?)
}

/// A schema with all that stands between it and its callers.
pub struct Engine {
    schema: Box<dyn Execute>,
    documents: Documents,
    persisted: Persisted,
    trusted: Trusted,
    operations: Operations,
    guard: Guard,
    registry: Registry,
    max_cost: u64,
}

impl Engine {
    /// `build` makes the schema's builder; it is called twice.
    pub fn new<Q, M, S>(build: impl Fn() -> SchemaBuilder<Q, M, S>, limits: &GuardSettings) -> Self
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        Self {
            // Documents have been checked, each once, when they come here.
            schema: Box::new(build().validation_mode(ValidationMode::Fast).finish()),
            documents: Documents::new(build().extension(documents::CheckOnly).finish()),
            persisted: Persisted::default(),
            trusted: Trusted::default(),
            operations: limits.operations,
            guard: Guard::new(limits.clone()),
            registry: registry::<Q, M, S>(),
            max_cost: limits.cost,
        }
    }

    /// The same with persisted queries that other servers know too.
    #[must_use]
    pub fn sharing(self, shared: impl SharedQueries) -> Self {
        Self { persisted: Persisted::sharing(shared), ..self }
    }

    /// The same with the most items of lists that can't say it themselves, for async-graphql has no tags for the arguments
    /// of subscriptions: each by its type, field and argument.
    #[must_use]
    pub fn bounding(mut self, lists: &[(&str, &str, &str, usize)]) -> Self {
        for (ty, field, argument, most) in lists {
            if let Some(MetaType::Object { fields, .. }) = self.registry.types.get_mut(*ty)
                && let Some(field) = fields.get_mut(*field)
                && let Some(argument) = field.args.get_mut(*argument)
            {
                argument.tags.push(format!("most={most}"));
            }
        }
        self
    }

    /// Makes an operation ready, or says why it can't be. Nothing is executed.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn prepare(&self, call: Call) -> Result<Prepared, Refused> {
        self.prepare_inner(call).await.map_err(|refused| match refused {
            Refused::Errors(errors) => Refused::Errors(error::presentable(errors)),
            Refused::Mutation => Refused::Mutation,
        })
    }

    /// Whether a document can be answered at all, whatever variables come with it.
    ///
    /// # Errors
    /// What is wrong with it, each with its place.
    pub async fn check(&self, document: &str) -> Result<(), Vec<String>> {
        let read = self.documents.read(document, &self.guard, &self.registry, None, |_| true).await;
        let refused = read.map(drop).map_err(|refused| error::presentable(refused.into_errors()));
        refused.map_err(|errors| errors.iter().map(in_words).collect())
    }

    async fn prepare_inner(&self, call: Call) -> Result<Prepared, Refused> {
        let Meant { text: query, hash } = self.query_of(&call).await?;
        let name = call.operation_name.as_deref();
        let may_be =
            |operation: &OperationDefinition| call.may_write || operation.ty != OperationType::Mutation;
        let document = self.documents.read(&query, &self.guard, &self.registry, name, may_be).await?;
        if let Some(hash) = hash {
            self.persisted.remember(hash, &query);
        }
        let registered = hash.filter(|_| call.query.is_some()).map(|hash| (hash, Arc::clone(&query)));
        if document.shape().introspects && !call.may_introspect {
            return Err(Refusal::new(Code::Forbidden, "The schema can't be asked for here.").into());
        }
        let operation = documents::operation(document.parsed(), name)?;
        if !may_be(&operation.node) {
            return Err(Refused::Mutation);
        }
        let declared = &operation.node.variable_definitions;
        let variables = variables::fit(&self.registry, declared, call.variables).map_err(Refused::Errors)?;
        let changes = operation.node.ty == OperationType::Mutation;
        let times = if call.is_privileged {
            PRIVILEGE
        } else if changes {
            MUTATION
        } else {
            1
        };
        let most = self.max_cost.saturating_mul(times);
        let cost =
            self.guard.check_cost(&self.registry, document.parsed(), &operation.node, &variables, most)?;
        let kind = match operation.node.ty {
            OperationType::Query => Kind::Query,
            OperationType::Mutation => Kind::Mutation,
            OperationType::Subscription => Kind::Subscription,
        };
        let root_fields = root_fields(&operation.node);
        let mut parsed = ExecutableDocument::clone(document.parsed());
        let unset: Vec<_> = declared
            .iter()
            .map(|definition| &definition.node.name.node)
            .filter(|name| !variables.contains_key(*name))
            .collect();
        arguments::leave_out_unset(&mut parsed, &unset);
        let mut request = Request::new(String::new()).variables(variables);
        // A document with one operation without a name takes no name.
        if matches!(parsed.operations, DocumentOperations::Multiple(_)) {
            request.operation_name = call.operation_name;
        }
        request.set_parsed_query(parsed);
        Ok(Prepared { request, kind, cost, most, merges: document.merges(), root_fields, registered })
    }

    /// Takes these for the trusted documents from now on.
    pub fn trust(&self, documents: impl IntoIterator<Item = (String, String)>) {
        self.trusted.replace(documents);
    }

    /// Tells other servers of the query that came with its hash, if one did. This is for what was let in: nobody fills
    /// what all share with more than their budget pays for.
    pub async fn share(&self, prepared: &Prepared) {
        if let Some((hash, query)) = &prepared.registered {
            self.persisted.share(hash, query).await;
        }
    }

    async fn query_of(&self, call: &Call) -> Result<Meant, Refusal> {
        let untrusted = |message: &'static str| Refusal::new(Code::OperationNotTrusted, message);
        if let Some(id) = &call.document_id {
            let document = self.trusted.get(id).map(Meant::just);
            return document.ok_or_else(|| untrusted("There is no operation of this id."));
        }
        // Apollo's manifests are asked for as if they were automatic persisted queries.
        if let (None, Some(hash)) = (&call.query, &call.hash)
            && let Some(document) = self.trusted.get(hash)
        {
            return Ok(Meant::just(document));
        }
        let query = self.persisted.query_of(call).await?;
        let only_trusted = match self.operations {
            Operations::Any => false,
            Operations::TrustedForBots => call.is_bot,
            Operations::TrustedOnly => true,
        };
        if only_trusted && !self.trusted.holds(&query.text) {
            return Err(untrusted("Only registered operations are answered here."));
        }
        Ok(query)
    }

    /// Executes a query or a mutation. `data` puts in what resolvers find in their context.
    pub async fn execute(&self, prepared: Prepared, data: impl FnOnce(&mut Data)) -> Response {
        let Prepared { mut request, kind, cost, most, .. } = prepared;
        let span = tracing::debug_span!(
            "operation",
            graphql.operation.type = kind.name(),
            graphql.operation.name = request.operation_name.as_deref().unwrap_or_default(),
        );
        let started = Instant::now();
        data(&mut request.data);
        let mut response = self.schema.execute(request).instrument(span).await;
        // Not by name: names are the callers', and each would be a series for ever.
        let outcome = if response.errors.is_empty() { "ok" } else { "errors" };
        metrics::histogram!("dualcaster_operation_duration_seconds", "type" => kind.name(), "outcome" => outcome)
            .record(started.elapsed());
        response.errors = error::presentable(std::mem::take(&mut response.errors));
        response.extensions.insert("cost".to_owned(), told(cost, most));
        response
    }

    /// Runs a subscription; a query or a mutation too, whose answer is the only one. `data` is put in once, for all
    /// answers.
    pub fn stream(&self, prepared: Prepared, data: impl FnOnce(&mut Data)) -> BoxStream<'static, Response> {
        let Prepared { mut request, cost, most, .. } = prepared;
        data(&mut request.data);
        let cost = told(cost, most);
        self.schema
            .stream(request)
            .map(move |mut response| {
                response.errors = error::presentable(std::mem::take(&mut response.errors));
                response.extensions.insert("cost".to_owned(), cost.clone());
                response
            })
            .boxed()
    }

    /// The lists of the schema that say nothing of how long they may be: those that fields return, as `Type.field`, and
    /// those that are given, as [`Self::lists_taken`] names them.
    pub fn unbounded_lists(&self) -> Vec<String> {
        let mut lists = guard::unbounded_lists(&self.registry);
        lists.extend(self.lists_taken().into_iter().filter(|(_, most)| most.is_none()).map(|(list, _)| list));
        lists
    }

    /// The lists that are given, as `Type.field(argument)` and `Input.field`, and how many items each takes.
    pub fn lists_taken(&self) -> BTreeMap<String, Option<u64>> {
        guard::lists_taken(&self.registry)
    }
}

/// An error with its place, in a line.
fn in_words(error: &ServerError) -> String {
    match error.locations.first() {
        Some(at) => format!("{} (line {}, column {})", error.message, at.line, at.column),
        None => error.message.clone(),
    }
}

/// What an answer tells of its cost.
fn told(cost: u64, most: u64) -> Value {
    let cost = [("requested", cost), ("limit", most)];
    Value::Object(cost.map(|(name, value)| (Name::new(name), Value::from(value))).into_iter().collect())
}

/// A schema of whatever roots.
trait Execute: Send + Sync {
    fn execute(&self, request: Request) -> BoxFuture<'_, Response>;
    fn stream(&self, request: Request) -> BoxStream<'static, Response>;
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

    fn stream(&self, request: Request) -> BoxStream<'static, Response> {
        self.execute_stream(request)
    }
}

/// The types of a schema, which async-graphql shows to resolvers only.
fn registry<Q: ObjectType, M: ObjectType, S: SubscriptionType>() -> Registry {
    use async_graphql::{ID, InputType, OutputType};
    let mut registry =
        Registry { query_type: <Q as OutputType>::type_name().into_owned(), ..Registry::default() };
    <Q as OutputType>::create_type_info(&mut registry);
    if !M::is_empty() {
        registry.mutation_type = Some(<M as OutputType>::type_name().into_owned());
        <M as OutputType>::create_type_info(&mut registry);
    }
    if !S::is_empty() {
        registry.subscription_type = Some(S::type_name().into_owned());
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
