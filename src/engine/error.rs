//! Errors as GraphQL answers them: a code of the catalogue and one plain sentence. What went wrong inside travels
//! beside the answer to the edge, where it is logged once.

use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Pos, ServerError};

use crate::error::{Code, Error, Failure, Refusal};

/// Errors that one answer has at most.
const MOST_ERRORS: usize = 10;
/// Characters of a message at most.
const MOST_CHARACTERS: usize = 200;

impl From<Error> for async_graphql::Error {
    fn from(error: Error) -> Self {
        let refusal = error.refusal();
        let mut answer = Self::from(refusal);
        if let Error::Failed(failure) = error {
            answer.source = Some(Arc::new(failure));
        }
        answer
    }
}

impl From<Refusal> for async_graphql::Error {
    fn from(refusal: Refusal) -> Self {
        let mut answer = Self::new(refusal.message.clone());
        answer.extensions = Some(extensions(&refusal));
        answer
    }
}

/// A refusal of a whole request, or of what stands at a place in its document.
pub fn refused(refusal: &Refusal, at: Option<Pos>) -> ServerError {
    let mut error = ServerError::new(refusal.message.clone(), at);
    error.extensions = Some(extensions(refusal));
    error
}

fn extensions(refusal: &Refusal) -> ErrorExtensionValues {
    let mut values = ErrorExtensionValues::default();
    values.set("code", refusal.code.category());
    values.set("errorCode", refusal.code.number());
    if let Some(seconds) = refusal.retry_after {
        values.set("retryAfter", seconds);
    }
    values
}

/// The inner failure behind an error, if there is one.
pub fn failure_of(error: &ServerError) -> Option<&Failure> {
    error.source::<Failure>()
}

/// Stands behind an error of a text that is no document.
pub(super) struct Syntax;

/// Whether an error is of a text that is no document.
pub fn is_syntax(error: &ServerError) -> bool {
    error.source::<Syntax>().is_some()
}

/// Errors as they go out: few, short, and each with a code.
pub(super) fn presentable(mut errors: Vec<ServerError>) -> Vec<ServerError> {
    errors.truncate(MOST_ERRORS);
    for error in &mut errors {
        let coded = error.extensions.as_ref().is_some_and(|values| values.get("code").is_some());
        // Its check of the arguments of directives does not know that hints are not wanted.
        if !coded && let Some(hint) = error.message.find(" Did you mean") {
            error.message.truncate(hint);
        }
        if let Some((end, _)) = error.message.char_indices().nth(MOST_CHARACTERS) {
            let cut = error.message[..end].char_indices().nth_back(0).map_or(0, |(last, _)| last);
            error.message.truncate(cut);
            error.message.push('…');
        }
        if !coded {
            // What async-graphql says itself is about the document or its variables.
            error.extensions = Some(extensions(&Refusal::new(Code::InvalidValue, "")));
        }
    }
    errors
}
