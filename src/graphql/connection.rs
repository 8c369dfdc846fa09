//! Connections, as Relay's specification has them: one macro makes the connection and the edge of a type.

use async_graphql::SimpleObject;

use crate::pagination::{CursorSecret, Key, ListId, Slice};

/// Where a page stands in its list.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub struct PageInfo {
    /// Whether there are more after this page.
    pub has_next_page: bool,
    /// Whether there are more before this page.
    pub has_previous_page: bool,
    /// The first edge's cursor: give it as `before` to page backwards.
    pub start_cursor: Option<String>,
    /// The last edge's cursor: give it as `after` to page forwards.
    pub end_cursor: Option<String>,
}

/// A page whose rows' cursors are sealed when someone asks for them.
pub struct Edges<R> {
    slice: Slice<R>,
    seal: Box<dyn Fn(&R) -> String + Send + Sync>,
}

impl<R> Edges<R> {
    /// `key` is a row's place in the list.
    pub fn new(
        slice: Slice<R>,
        secret: &CursorSecret,
        list: ListId,
        key: impl Fn(&R) -> Key + Send + Sync + 'static,
    ) -> Self {
        let secret = secret.clone();
        Self { slice, seal: Box::new(move |row| secret.seal(&list, &key(row))) }
    }

    pub fn rows(&self) -> &[R] {
        &self.slice.rows
    }

    pub fn cursor(&self, row: &R) -> String {
        (self.seal)(row)
    }

    pub fn page_info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.slice.has_next,
            has_previous_page: self.slice.has_previous,
            start_cursor: self.rows().first().map(&self.seal),
            end_cursor: self.rows().last().map(&self.seal),
        }
    }
}

/// A count as GraphQL's `Int` holds it.
pub fn int(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Makes `$connection` and `$edge` of rows `$row` that are answered as `$node`. `$total` counts the whole list, and is
/// asked only where `totalCount` is.
macro_rules! connection {
    (
        $(#[$meta:meta])*
        $connection:ident, $edge:ident, $row:ty => $node:ident, total: $total:ty
    ) => {
        $(#[$meta])*
        pub struct $connection {
            edges: $crate::graphql::connection::Edges<$row>,
            total: $total,
        }

        impl $connection {
            pub fn new(edges: $crate::graphql::connection::Edges<$row>, total: $total) -> Self {
                Self { edges, total }
            }
        }

        $(#[$meta])*
        #[async_graphql::Object]
        impl $connection {
            /// The page, each node with its cursor.
            async fn edges(&self) -> $crate::graphql::planned::Items<$edge> {
                let edge = |row: &$row| $edge {
                    cursor: self.edges.cursor(row),
                    node: $crate::graphql::planned::Planned(<$node>::from(row.clone())),
                };
                self.edges.rows().iter().map(edge).collect()
            }

            /// The page, without cursors.
            async fn nodes(&self) -> $crate::graphql::planned::Items<$node> {
                self.edges.rows().iter().cloned().collect()
            }

            /// Where this page stands in the list.
            async fn page_info(&self) -> $crate::graphql::connection::PageInfo {
                self.edges.page_info()
            }

            /// How many there are in the whole list. Counted only when asked for.
            async fn total_count(&self, context: &async_graphql::Context<'_>) -> async_graphql::Result<i32> {
                let loaders = context.data::<$crate::graphql::Loaders>()?;
                Ok($crate::graphql::connection::int(self.total.count(loaders).await?))
            }
        }

        /// A node of a page, with its cursor.
        #[derive(async_graphql::SimpleObject)]
        pub struct $edge {
            /// Its place in the list: give it as `after` or `before`.
            cursor: String,
            /// What stands there.
            node: $crate::graphql::planned::Planned<$node>,
        }

        $crate::graphql::planned::plan!($edge: fields { "cursor" => cursor });
    };
}

pub(crate) use connection;
