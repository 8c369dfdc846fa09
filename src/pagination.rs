//! Pages by keyset: what a caller may ask for, how a place in a list is handed out, and where a page begins and ends.
//!
//! Pure: knows no GraphQL and no SQL. A list is always fetched one row past each end of the page, so that
//! `hasNextPage` and `hasPreviousPage` are facts and not guesses.

mod cursor;

pub use cursor::{CursorSecret, KeyValue, ListId};

use crate::error::{Code, Refusal};

/// Rows of a page where the caller does not say.
pub const DEFAULT_PAGE_SIZE: usize = 20;
/// Rows of a page at most.
pub const MAX_PAGE_SIZE: usize = 100;

/// The four arguments of a connection, as Relay's specification names them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PageArguments {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

/// From which end of the list a page is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    Start,
    Finish,
}

/// A place in a list: the sort key of a row.
pub type Key = Vec<KeyValue>;

/// A page that may be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Page {
    pub end: End,
    pub size: usize,
    pub after: Option<Key>,
    pub before: Option<Key>,
}

impl PageArguments {
    /// # Errors
    /// ERR-3002 for `first` and `last` together or a size out of 0..=100, ERR-3003 for a cursor of another list.
    pub fn page(&self, list: &ListId, secret: &CursorSecret) -> Result<Page, Refusal> {
        let (end, size, name) = match (self.first, self.last) {
            (Some(_), Some(_)) => {
                return Err(Refusal::invalid_value("Give first or last, not both."));
            }
            (first, None) => (End::Start, first, "first"),
            (None, last) => (End::Finish, last, "last"),
        };
        let size = match size.map(usize::try_from) {
            None => DEFAULT_PAGE_SIZE,
            Some(Ok(size)) if size <= MAX_PAGE_SIZE => size,
            Some(_) => {
                return Err(Refusal::invalid_value(format!("{name} must be from 0 to {MAX_PAGE_SIZE}.")));
            }
        };
        let open = |cursor: &Option<String>| match cursor {
            None => Ok(None),
            Some(cursor) => secret.open(list, cursor).map(Some).ok_or_else(|| {
                Refusal::new(
                    Code::InvalidCursor,
                    "This cursor does not belong to this list. Start from the first page.",
                )
            }),
        };
        Ok(Page { end, size, after: open(&self.after)?, before: open(&self.before)? })
    }
}

impl Page {
    /// The first rows of a list.
    pub fn first(size: usize) -> Self {
        Self { end: End::Start, size, after: None, before: None }
    }

    /// Rows to fetch, from the page's end of the list: the page, one beyond it, and the row of the cursor at which it
    /// begins, so that it is known to be there.
    pub fn fetch(&self) -> usize {
        self.size + 1 + usize::from(self.near().is_some())
    }

    /// The cursor at the end from which the page is taken.
    fn near(&self) -> Option<&Key> {
        match self.end {
            End::Start => self.after.as_ref(),
            End::Finish => self.before.as_ref(),
        }
    }

    fn far(&self) -> Option<&Key> {
        match self.end {
            End::Start => self.before.as_ref(),
            End::Finish => self.after.as_ref(),
        }
    }

    /// Cuts the page out of what was fetched: the rows between the cursors, those of the cursors included, in the
    /// order of the list for [`End::Start`] and in the reverse order for [`End::Finish`].
    pub fn cut<R>(&self, mut rows: Vec<R>, key: impl Fn(&R) -> Key) -> Cut<R> {
        let is_at = |row: Option<&R>, cursor: Option<&Key>| matches!((row, cursor), (Some(row), Some(at)) if &key(row) == at);

        let near = if is_at(rows.first(), self.near()) {
            rows.remove(0);
            Fact::Known(true)
        } else if self.near().is_some() {
            Fact::Ask
        } else {
            Fact::Known(false)
        };
        let far = if rows.len() > self.size {
            Fact::Known(true)
        } else if is_at(rows.last(), self.far()) {
            rows.pop();
            Fact::Known(true)
        } else if self.far().is_some() {
            Fact::Ask
        } else {
            Fact::Known(false)
        };
        rows.truncate(self.size);
        match self.end {
            End::Start => Cut { rows, previous: near, next: far },
            End::Finish => {
                rows.reverse();
                Cut { rows, previous: far, next: near }
            }
        }
    }
}

/// Whether there are rows beyond an end of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    Known(bool),
    /// The row of the cursor is gone, so only the database knows what lies beyond it.
    Ask,
}

/// A page cut out of the rows fetched for it, in the order of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut<R> {
    pub rows: Vec<R>,
    pub previous: Fact,
    pub next: Fact,
}

/// A page of a list, in the list's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice<R> {
    pub rows: Vec<R>,
    pub has_previous: bool,
    pub has_next: bool,
}

impl<R> Slice<R> {
    /// A page with nothing on it and nothing around it.
    pub fn empty() -> Self {
        Self { rows: Vec::new(), has_previous: false, has_next: false }
    }

    /// The same page of other rows.
    pub fn map<S>(self, row: impl FnMut(R) -> S) -> Slice<S> {
        Slice {
            rows: self.rows.into_iter().map(row).collect(),
            has_previous: self.has_previous,
            has_next: self.has_next,
        }
    }
}

#[cfg(test)]
mod tests;
