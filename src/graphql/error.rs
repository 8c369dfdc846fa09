//! Errors as GraphQL answers them: a code of the catalogue and one plain sentence. What went wrong inside travels
//! beside the answer to the edge, where it is logged once.

use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, ServerError};

use crate::error::{Code, Error, Failure, Refusal};

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

/// The answer of a field that may be null: if it fails, the error is reported and the field is null, as the GraphQL
/// specification has it. async-graphql would pass a `Result<Option<T>>`'s error on to the parent.
pub async fn nullable<T>(
    answer: impl Future<Output = async_graphql::Result<Option<T>>>,
) -> Option<async_graphql::Result<T>> {
    answer.await.transpose()
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

/// Errors that async-graphql made itself are about the document or its variables: they get the catalogue's code too.
pub fn code_of_request_errors(error: &mut ServerError) {
    let coded = error.extensions.as_ref().is_some_and(|values| values.get("code").is_some());
    if !coded {
        error.extensions = Some(extensions(&Refusal::new(Code::InvalidValue, "")));
    }
}
