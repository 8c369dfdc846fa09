//! Fields that may be null.

/// The answer of a field that may be null: if it fails, the error is reported and the field is null, as the GraphQL
/// specification has it. async-graphql would pass a `Result<Option<T>>`'s error on to the parent.
pub async fn nullable<T>(
    answer: impl Future<Output = async_graphql::Result<Option<T>>>,
) -> Option<async_graphql::Result<T>> {
    answer.await.transpose()
}
