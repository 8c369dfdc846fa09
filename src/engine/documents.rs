//! Documents that were read and checked before, by their text.

use std::sync::Arc;

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition};
use async_graphql::{Positioned, Request, Response, ServerError};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::Execute;
use super::guard::{Guard, Shape};

/// Bytes of documents' texts that are kept; what is parsed of them takes some ten times as much.
const KEPT_BYTES: u64 = 4 << 20;
/// A guess for the cache's own tables.
const KEPT_DOCUMENTS: usize = 4_096;

/// A document that is valid for the schema, whatever variables come with it.
#[derive(Debug)]
pub(super) struct Document {
    parsed: ExecutableDocument,
    shape: Shape,
}

impl Document {
    pub fn shape(&self) -> Shape {
        self.shape
    }

    pub fn parsed(&self) -> &ExecutableDocument {
        &self.parsed
    }

    /// The operation of this name, or the only one.
    ///
    /// # Errors
    /// When there is none of this name, or several and no name.
    pub fn operation(&self, name: Option<&str>) -> Result<&Positioned<OperationDefinition>, ServerError> {
        let unknown = |name| ServerError::new(format!("Unknown operation named \"{name}\"."), None);
        match (&self.parsed.operations, name) {
            (DocumentOperations::Single(operation), None) => Ok(operation),
            (DocumentOperations::Single(_), Some(name)) => Err(unknown(name)),
            (DocumentOperations::Multiple(all), Some(name)) => all.get(name).ok_or_else(|| unknown(name)),
            (DocumentOperations::Multiple(all), None) => {
                let mut all = all.values();
                match (all.next(), all.next()) {
                    (Some(operation), None) => Ok(operation),
                    _ => Err(ServerError::new(
                        "The document has several operations: say which by operationName.",
                        None,
                    )),
                }
            }
        }
    }
}

/// Reads documents, and remembers the valid ones.
pub(super) struct Documents {
    checker: Box<dyn Execute>,
    known: Cache<Arc<str>, Arc<Document>, ByLength>,
}

#[derive(Clone)]
struct ByLength;

impl Weighter<Arc<str>, Arc<Document>> for ByLength {
    fn weight(&self, text: &Arc<str>, _: &Arc<Document>) -> u64 {
        text.len().max(1) as u64
    }
}

impl Documents {
    /// `checker` is a schema with [`CheckOnly`].
    pub fn new(checker: impl Execute + 'static) -> Self {
        Self { checker: Box::new(checker), known: Cache::with_weighter(KEPT_DOCUMENTS, KEPT_BYTES, ByLength) }
    }

    /// # Errors
    /// What is wrong with the text or with the document.
    pub async fn read(&self, text: &str, guard: &Guard) -> Result<Arc<Document>, Vec<ServerError>> {
        if let Some(known) = self.known.get(text) {
            return Ok(known);
        }
        let one = |error| vec![error];
        guard.check_text(text).map_err(one)?;
        let parsed = parse_query(text).map_err(|error| one(error.into()))?;
        let shape = guard.check_shape(&parsed).map_err(one)?;
        let mut request = Request::new(String::new());
        // The checks look at the whole document, whichever operation is chosen.
        if let DocumentOperations::Multiple(operations) = &parsed.operations {
            request.operation_name = operations.keys().next().map(ToString::to_string);
        }
        request.set_parsed_query(parsed.clone());
        let checked = self.checker.execute(request).await;
        if !checked.errors.is_empty() {
            return Err(checked.errors);
        }
        let document = Arc::new(Document { parsed, shape });
        self.known.insert(text.into(), Arc::clone(&document));
        Ok(document)
    }
}

/// Lets a schema check documents and execute none.
pub(super) struct CheckOnly;

impl ExtensionFactory for CheckOnly {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Extension for CheckOnly {
    async fn execute(&self, _: &ExtensionContext<'_>, _: Option<&str>, _: NextExecute<'_>) -> Response {
        Response::default()
    }
}
