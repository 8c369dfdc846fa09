//! Documents that were read and checked before, by their text.

use std::sync::Arc;

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, SelectionSet,
};
use async_graphql::parser::{self, parse_query};
use async_graphql::registry::Registry;
use async_graphql::{Positioned, Request, Response, ServerError};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::checkable::checkable;
use super::error::Syntax;
use super::guard::{Guard, Shape};
use super::merges::merges;
use super::{Execute, Refused, places};

/// Bytes of documents' texts that are kept; what is parsed of them takes some ten times as much.
const KEPT_BYTES: u64 = 4 << 20;
/// As so many bytes more each text counts: the smallest document takes two kilobytes, however few its letters.
const LEAST_BYTES: usize = 200;
/// A guess for the cache's own tables.
const KEPT_DOCUMENTS: usize = 4_096;

/// A document that is valid for the schema, whatever variables come with it.
#[derive(Debug)]
pub(super) struct Document {
    parsed: ExecutableDocument,
    shape: Shape,
    merges: bool,
}

impl Document {
    pub fn shape(&self) -> Shape {
        self.shape
    }

    pub fn merges(&self) -> bool {
        self.merges
    }

    pub fn parsed(&self) -> &ExecutableDocument {
        &self.parsed
    }
}

/// The operation of this name, or the only one.
///
/// # Errors
/// When there is none of this name, or several and no name.
pub(super) fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a Positioned<OperationDefinition>, ServerError> {
    let unknown = |name| ServerError::new(format!("Unknown operation named \"{name}\"."), None);
    match (&document.operations, name) {
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

/// The selections of all operations and fragments, to be changed.
pub(super) fn selections_mut(document: &mut ExecutableDocument) -> Vec<&mut SelectionSet> {
    let mut sets: Vec<&mut SelectionSet> = match &mut document.operations {
        DocumentOperations::Single(operation) => vec![&mut operation.node.selection_set.node],
        DocumentOperations::Multiple(operations) => {
            operations.values_mut().map(|operation| &mut operation.node.selection_set.node).collect()
        }
    };
    sets.extend(document.fragments.values_mut().map(|fragment| &mut fragment.node.selection_set.node));
    sets
}

/// What the parser did not understand, in words: it draws the place, which the location tells already.
fn syntax_error(error: &parser::Error) -> ServerError {
    let at = error.positions().next();
    let message = match error {
        parser::Error::Syntax { message, .. } => {
            // `  = expected selection_set or argument`, as the last line of the drawing.
            let expected = message.lines().rev().find_map(|line| line.trim().strip_prefix("= "));
            match expected {
                Some(expected) => format!("Syntax error: {}.", expected.replace('_', " ")),
                None => "Syntax error.".to_owned(),
            }
        }
        parser::Error::RecursionLimitExceeded => "The document is nested too deep.".to_owned(),
        other => format!("{other}."),
    };
    ServerError { source: Some(Arc::new(Syntax)), ..ServerError::new(message, at) }
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
        (text.len() + LEAST_BYTES) as u64
    }
}

impl Documents {
    /// `checker` is a schema with [`CheckOnly`].
    pub fn new(checker: impl Execute + 'static) -> Self {
        Self { checker: Box::new(checker), known: Cache::with_weighter(KEPT_DOCUMENTS, KEPT_BYTES, ByLength) }
    }

    /// Reads a document. `may_be` says whether the operation of this name may be asked for at all: what may not is told
    /// so before anything else that is wrong with it.
    ///
    /// # Errors
    /// What is wrong with the text or with the document.
    pub async fn read(
        &self,
        text: &str,
        guard: &Guard,
        registry: &Registry,
        name: Option<&str>,
        may_be: impl Fn(&OperationDefinition) -> bool,
    ) -> Result<Arc<Document>, Refused> {
        if let Some(known) = self.known.get(text) {
            return Ok(known);
        }
        let mut parsed = parse_query(guard.check_text(text)?).map_err(|error| syntax_error(&error))?;
        if operation(&parsed, name).is_ok_and(|operation| !may_be(&operation.node)) {
            return Err(Refused::Mutation);
        }
        let shape = guard.check_shape(&parsed)?;
        let mut request = Request::new(String::new());
        // The checks look at the whole document, whichever operation is chosen.
        if let DocumentOperations::Multiple(operations) = &parsed.operations {
            request.operation_name = operations.keys().next().map(ToString::to_string);
        }
        request.set_parsed_query(checkable(registry, &parsed)?);
        let checked = self.checker.execute(request).await;
        if !checked.errors.is_empty() {
            return Err(Refused::Errors(checked.errors));
        }
        places::check(registry, &mut parsed)?;
        let document = Arc::new(Document { merges: merges(&parsed), parsed, shape });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_documents_do_not_fill_the_memory() {
        let known: Cache<Arc<str>, Arc<Document>, _> =
            Cache::with_weighter(KEPT_DOCUMENTS, KEPT_BYTES, ByLength);
        let parsed = parse_query("{ a }").expect("a document");
        let document = Arc::new(Document { parsed, shape: Shape::default(), merges: false });
        for number in 0..100_000 {
            known.insert(format!("{{a{number}}}").into(), Arc::clone(&document));
        }
        assert!((1_000..25_000).contains(&known.len()), "{}", known.len());
    }
}
