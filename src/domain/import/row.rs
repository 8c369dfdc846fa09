//! What a row says of copies of a card.

use chrono::NaiveDate;
use entity::enums::{Condition, Finish, Provider};
use uuid::Uuid;

use super::values;
use crate::domain::market::Money;
use crate::error::Code;

/// Characters of notes that are kept.
const NOTES_CHARS: usize = 2_000;
/// Tags of a row that are kept.
const MOST_TAGS: usize = 20;
/// Characters of a tag that are kept.
const TAG_CHARS: usize = 50;
/// Characters that no name has.
const NAME_CHARS: usize = 300;

/// Copies of one card in one finish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    pub line: u64,
    /// From 1 to 100,000.
    pub quantity: i32,
    pub name: Option<String>,
    /// Scryfall's, in small letters, as far as the difference is known.
    pub set_code: Option<String>,
    pub set_name: Option<String>,
    pub collector_number: Option<String>,
    pub scryfall_id: Option<Uuid>,
    pub outside_ids: Vec<(Provider, String)>,
    /// Nothing where the export does not say.
    pub finish: Option<Finish>,
    pub condition: Condition,
    /// Scryfall's code.
    pub language: Option<String>,
    /// What a copy was bought for.
    pub price: Option<Money>,
    pub acquired_on: Option<NaiveDate>,
    pub notes: Option<String>,
    pub tags: Vec<String>,
    /// What of the row is not kept, for people; nothing where all of it is.
    pub left_out: Option<String>,
}

/// What a line without a mistake comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// One entry a finish, and one at least.
    Copies(Vec<ImportRow>),
    /// It is of no copies: blank, of sums, a heading, a comment, or of what is not owned. And why, for people.
    Nothing(&'static str),
}

impl ImportRow {
    /// A copy of which nothing is known yet.
    pub(super) fn at(line: u64) -> Self {
        Self {
            line,
            quantity: 1,
            name: None,
            set_code: None,
            set_name: None,
            collector_number: None,
            scryfall_id: None,
            outside_ids: Vec::new(),
            finish: None,
            condition: Condition::NearMint,
            language: None,
            price: None,
            acquired_on: None,
            notes: None,
            tags: Vec::new(),
            left_out: None,
        }
    }

    pub(super) fn add_tag(&mut self, tag: &str) {
        let (tag, is_cut) = values::clip(tag, TAG_CHARS);
        let is_new = !self.tags.iter().any(|there| there.to_lowercase() == tag.to_lowercase());
        if is_cut {
            self.leave_out("A tag is cut after 50 characters.");
        }
        if !tag.is_empty() && is_new {
            if self.tags.len() < MOST_TAGS {
                self.tags.push(tag);
            } else {
                self.leave_out("Of the tags the first 20 are kept.");
            }
        }
    }

    pub(super) fn add_note(&mut self, note: &str) {
        let whole = match self.notes.take() {
            Some(before) => format!("{before}\n{note}"),
            None => note.to_owned(),
        };
        let (notes, is_cut) = values::clip(&whole, NOTES_CHARS);
        if is_cut {
            self.leave_out("The notes are cut after 2,000 characters.");
        }
        self.notes = Some(notes).filter(|notes| !notes.is_empty());
    }

    /// Says once what is not kept.
    pub(super) fn leave_out(&mut self, what: &str) {
        match &mut self.left_out {
            Some(told) if told.contains(what) => {}
            Some(told) => {
                told.push(' ');
                told.push_str(what);
            }
            None => self.left_out = Some(what.to_owned()),
        }
    }

    /// # Errors
    /// ERR-1101 where it names no card.
    pub(super) fn checked(self) -> Result<Self, RowProblem> {
        let has_place =
            self.collector_number.is_some() && (self.set_code.is_some() || self.set_name.is_some());
        let has_id = self.scryfall_id.is_some() || !self.outside_ids.is_empty();
        if self.name.as_ref().is_some_and(|name| name.chars().count() > NAME_CHARS) {
            return Err(RowProblem::new(Code::RowCardNotFound, "No card has so long a name."));
        }
        if self.name.is_none() && !has_id && !has_place {
            return Err(RowProblem::new(Code::RowCardNotFound, "The row names no card."));
        }
        Ok(self)
    }
}

/// Why a row was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    pub code: Code,
    pub message: String,
}

impl RowProblem {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// ERR-1103, of a row that counts no copies.
    pub(super) fn no_copies() -> Self {
        Self::new(Code::RowInvalidValue, "The row has a quantity of 0: the least is 1.")
    }

    /// ERR-1103.
    pub(super) fn value(column: &str, cell: &str, expected: &str) -> Self {
        let (column, cell) = (values::quoted(column), values::quoted(cell));
        Self::new(Code::RowInvalidValue, format!("The column {column} has {cell}: {expected}."))
    }
}
