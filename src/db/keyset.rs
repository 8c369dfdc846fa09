//! A page of a list as one statement, whatever the sort, and from either end.
//!
//! Rows whose first sort value is unknown come last in both directions. They are a segment of their own, with a
//! statement of its own inside the one that is sent: as one condition (`price > $1 or price is null`) the index would
//! no longer lead to the page, and page 500 would cost 500 pages. The segment that comes second gives only what the
//! first leaves of the page, and does not run where that is nothing: to find that no card lacks a price is to look at
//! every card.

use sea_orm::{ConnectionTrait, FromQueryResult};

use super::Sql;
use crate::error::Result;
use crate::pagination::{Cut, End, Fact, Key, KeyValue, Page, Slice};

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    Ascending,
    Descending,
}

impl Direction {
    fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }
}

/// A column that a list is sorted by.
#[derive(Debug, Clone, Copy)]
pub struct SortColumn {
    /// As the statement names it: `c.name_key`.
    pub sql: &'static str,
    /// As the statement of the unknown segment names it, where that has another source.
    pub sql_unknown: Option<&'static str>,
    /// As the answer names it: `name_key`.
    pub name: &'static str,
}

impl SortColumn {
    pub const fn new(sql: &'static str, name: &'static str) -> Self {
        Self { sql, sql_unknown: None, name }
    }

    fn sql(&self, segment: Segment) -> &'static str {
        match (segment, self.sql_unknown) {
            (Segment::Unknown, Some(sql)) => sql,
            _ => self.sql,
        }
    }
}

/// The order of a list: its columns, of which the last makes every row's key its own.
#[derive(Debug, Clone)]
pub struct Keyset {
    pub columns: Vec<SortColumn>,
    /// Whether the first column's value may be unknown.
    pub nullable: bool,
    pub direction: Direction,
}

/// Part of a list: the rows whose first sort value is known, or those where it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    Known,
    Unknown,
}

/// What is listed. Each method writes a piece of SQL.
pub trait Listed {
    /// `with …` before the statement, or nothing; only where there is something to be fetched.
    fn prefix(&self, _sql: &mut Sql) {}

    /// The columns of a row, the sort's among them.
    fn columns(&self, segment: Segment) -> String;

    /// `from … where …`, with at least one condition. Of the unknown segment too, its own condition included.
    fn source(&self, sql: &mut Sql, segment: Segment);

    /// Where the page is put in order and cut before its rows are fetched, so that no row is fetched for nothing: the
    /// columns of a row, and what is joined to the page, which is called `found`.
    fn fetched(&self) -> Option<(String, &'static str)> {
        None
    }
}

/// Fetches a page. One statement; a second only where a cursor's row is gone.
///
/// # Errors
/// The database's.
pub async fn fetch_page<R: FromQueryResult>(
    connection: &impl ConnectionTrait,
    listed: &impl Listed,
    keyset: &Keyset,
    page: &Page,
    key: impl Fn(&R) -> Key,
) -> Result<Slice<R>> {
    let statement = page_statement(connection, listed, keyset, page);
    let rows = statement.all::<R>(connection).await?;
    let Cut { rows, previous, next } = page.cut(rows, key);
    let beyond = async |fact, bound: &Option<Key>, direction| match fact {
        Fact::Known(known) => Ok(known),
        Fact::Ask => {
            let end = if direction == Beyond::Before { End::Finish } else { End::Start };
            let (after, before) =
                if direction == Beyond::Before { (None, bound.clone()) } else { (bound.clone(), None) };
            let neighbour = Page { end, size: 0, after, before };
            let rows = page_statement(connection, listed, keyset, &neighbour).all::<R>(connection).await?;
            Ok::<_, crate::error::Error>(!rows.is_empty())
        }
    };
    Ok(Slice {
        has_previous: beyond(previous, &page.after, Beyond::Before).await?,
        has_next: beyond(next, &page.before, Beyond::After).await?,
        rows,
    })
}

#[derive(PartialEq)]
enum Beyond {
    Before,
    After,
}

fn page_statement(
    connection: &impl ConnectionTrait,
    listed: &impl Listed,
    keyset: &Keyset,
    page: &Page,
) -> Sql {
    let direction = match page.end {
        End::Start => keyset.direction,
        End::Finish => keyset.direction.reversed(),
    };
    let mut segments = segments(keyset, page);
    if page.end == End::Finish {
        segments.reverse();
    }
    let mut sql = Sql::new(connection);
    listed.prefix(&mut sql);
    let fetched = listed.fetched();
    if let Some((columns, _)) = &fetched {
        sql.push("select ").push(columns).push(" from (");
    }
    let alone = segments.len() == 1;
    for (position, part) in segments.iter().enumerate() {
        if !alone {
            sql.push(if position == 0 {
                "with ahead as materialized ("
            } else {
                ") select * from ahead union all select * from ("
            });
        }
        sql.push("select ").push(&listed.columns(part.segment));
        if !alone {
            sql.push(&format!(", {position} as segment"));
        }
        sql.push(" ");
        listed.source(&mut sql, part.segment);
        // The first column says nothing where it is unknown.
        let skipped = usize::from(part.segment == Segment::Unknown);
        let columns: Vec<_> =
            keyset.columns[skipped..].iter().map(|column| column.sql(part.segment)).collect();
        for (bound, ascending) in [(&part.after, ">="), (&part.before, "<=")] {
            if let Some(bound) = bound {
                let comparison = match (keyset.direction, ascending) {
                    (Direction::Ascending, comparison) => comparison,
                    (Direction::Descending, ">=") => "<=",
                    (Direction::Descending, _) => ">=",
                };
                push_comparison(&mut sql, &columns, comparison, bound);
            }
        }
        push_order(&mut sql, &columns, direction);
        sql.push(&if position == 0 {
            format!(" limit {}", page.fetch())
        } else {
            format!(" limit (select {} - count(*) from ahead)", page.fetch())
        });
    }
    if !alone {
        sql.push(") b order by segment");
        for column in &keyset.columns {
            sql.push(&format!(", {} {}", column.name, direction.word()));
        }
    }
    if let Some((_, join)) = fetched {
        sql.push(") found join ").push(join).push(" order by ");
        if !alone {
            sql.push("found.segment, ");
        }
        let columns =
            keyset.columns.iter().map(|column| format!("found.{} {}", column.name, direction.word()));
        sql.push(&columns.collect::<Vec<_>>().join(", "));
    }
    sql
}

struct Part {
    segment: Segment,
    after: Option<Key>,
    before: Option<Key>,
}

/// The segments that the page may have rows of, in the order of the list, with the cursors as bounds of each.
fn segments(keyset: &Keyset, page: &Page) -> Vec<Part> {
    let split = |cursor: &Option<Key>| match cursor {
        None => None,
        Some(key) if keyset.nullable && key.first() == Some(&KeyValue::Null) => {
            Some((Segment::Unknown, key[1..].to_vec()))
        }
        Some(key) => Some((Segment::Known, key.clone())),
    };
    let (after, before) = (split(&page.after), split(&page.before));
    let part = |segment| {
        let after = match &after {
            None => None,
            Some((at, key)) if *at == segment => Some(key.clone()),
            // The cursor is in the other segment: all of a later one is after it, nothing of an earlier one.
            Some((Segment::Known, _)) => None,
            Some((Segment::Unknown, _)) => return None,
        };
        let before = match &before {
            None => None,
            Some((at, key)) if *at == segment => Some(key.clone()),
            Some((Segment::Unknown, _)) => None,
            Some((Segment::Known, _)) => return None,
        };
        Some(Part { segment, after, before })
    };
    let known = part(Segment::Known);
    let unknown = if keyset.nullable { part(Segment::Unknown) } else { None };
    let mut parts: Vec<_> = known.into_iter().chain(unknown).collect();
    if parts.is_empty() {
        // Cursors the wrong way round: an empty page, asked for plainly.
        parts.push(Part { segment: Segment::Known, after: page.after.clone(), before: page.before.clone() });
    }
    parts
}

fn push_comparison(sql: &mut Sql, columns: &[&str], comparison: &str, bound: &Key) {
    sql.push(&format!(" and ({}) {comparison} (", columns.join(", ")));
    for (position, value) in bound.iter().enumerate() {
        if position > 0 {
            sql.push(", ");
        }
        match value {
            KeyValue::Null => sql.push("null"),
            KeyValue::Int(value) => sql.bind(*value),
            KeyValue::Float(value) => sql.bind(*value),
            KeyValue::Text(value) => sql.bind(value.as_str()),
            KeyValue::Date(value) => sql.bind(*value),
            KeyValue::Time(value) => sql.bind(*value),
            KeyValue::Uuid(value) => sql.bind(*value),
        };
    }
    sql.push(")");
}

fn push_order(sql: &mut Sql, columns: &[&str], direction: Direction) {
    for (position, column) in columns.iter().enumerate() {
        sql.push(if position == 0 { " order by " } else { ", " })
            .push(column)
            .push(" ")
            .push(direction.word());
    }
}
