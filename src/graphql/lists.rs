//! What lists have that async-graphql's do not: whole paths of errors, and an end.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, Error, OutputType, Positioned, ServerResult, Value};
use futures_util::future::try_join_all;

use crate::error::{Code, Refusal};

/// Bytes of one list in an answer at most, with all that is in it. The cost bounds how many objects there are, and this
/// how much is in them.
const LIST_BYTES: usize = 8 << 20;

/// Whether a list may be as long as it is so far.
///
/// # Errors
/// ERR-4003 where it is too long.
pub(super) fn check_length(
    context: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
    bytes: usize,
) -> ServerResult<()> {
    if bytes <= LIST_BYTES {
        return Ok(());
    }
    let message = format!("The answer has a list of over {LIST_BYTES} bytes. Ask for less at once.");
    let error = Error::from(Refusal::new(Code::QueryTooComplex, message));
    Err(context.set_error_path(error.into_server_error(field.pos)))
}

/// A list whose errors say where in an item they are; of what can't be [`Items`](super::planned::Items).
#[derive(Debug, Clone)]
pub struct Listed<T>(pub Vec<T>);

impl<T: OutputType> OutputType for Listed<T> {
    fn type_name() -> Cow<'static, str> {
        <Vec<T> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<T> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<T> as OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let items = self.0.iter().enumerate().map(|(index, item)| async move {
            let context = context.with_index(index);
            // async-graphql puts the item's path in the place of the field's.
            T::resolve(item, &context, field)
                .await
                .map_err(|error| if error.path.is_empty() { context.set_error_path(error) } else { error })
        });
        Ok(Value::List(try_join_all(items).await?))
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, PathSegment, Schema};

    use super::*;
    use crate::graphql::planned::{Items, plan};

    struct Item(usize);

    #[Object]
    impl Item {
        async fn fine(&self) -> String {
            "x".repeat(self.0)
        }

        async fn fails(&self) -> Result<i32, Error> {
            Err(Error::new("not today"))
        }
    }

    plan!(Item: methods { "fine" => fine });

    struct Query;

    #[Object]
    impl Query {
        async fn listed(&self) -> Option<Listed<Item>> {
            Some(Listed(vec![Item(1)]))
        }

        async fn items(&self, count: usize) -> Option<Items<Item>> {
            Some(Items((0..count).map(|_| Item(1 << 20)).collect()))
        }
    }

    async fn errors_of(query: &str) -> Vec<async_graphql::ServerError> {
        Schema::new(Query, EmptyMutation, EmptySubscription).execute(query).await.errors
    }

    #[tokio::test]
    async fn an_error_in_an_item_says_which_field_it_is_of() {
        let path = |list: &str| {
            let (list, field) = (list.to_owned(), "fails".to_owned());
            vec![PathSegment::Field(list), PathSegment::Index(0), PathSegment::Field(field)]
        };
        let errors = errors_of("{ listed { fine fails } items(count: 1) { fine fails } }").await;
        let mut paths: Vec<_> = errors.into_iter().map(|error| error.path).collect();
        paths.sort_by_key(|path| format!("{path:?}"));
        assert_eq!(paths, [path("items"), path("listed")]);
    }

    #[tokio::test]
    async fn a_list_has_no_more_bytes_than_it_may() {
        assert!(errors_of("{ items(count: 7) { fine } }").await.is_empty());
        let errors = errors_of("{ items(count: 8) { fine } }").await;
        let code = errors[0].extensions.as_ref().and_then(|values| values.get("errorCode"));
        assert_eq!((errors.len(), code), (1, Some(&Value::from("ERR-4003"))), "{errors:?}");
        assert_eq!(errors[0].path, [PathSegment::Field("items".to_owned())]);
    }

    #[tokio::test]
    async fn a_list_that_is_written_lets_others_have_a_turn() {
        use std::sync::atomic::{AtomicBool, Ordering};
        let done = AtomicBool::new(false);
        // One by one as a task has them: a turn of tokio's has 128 steps.
        let write = async {
            let aliases: String =
                (0..40).map(|n| format!("a{n}: items(count: 7) {{ __typename }} ")).collect();
            let errors = errors_of(&format!("{{ {aliases} }}")).await;
            done.store(true, Ordering::Relaxed);
            errors
        };
        let mut write = std::pin::pin!(write);
        let first =
            std::future::poll_fn(|context| std::task::Poll::Ready(write.as_mut().poll(context).is_pending()));
        assert!(first.await && !done.load(Ordering::Relaxed), "280 items are no single turn");
        assert!(write.await.is_empty());
    }
}
