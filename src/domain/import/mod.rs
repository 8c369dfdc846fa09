//! Rows of other apps' collection exports, as what they say of a card: nothing is looked up here, and nothing is kept.
//!
//! [`Plan::detect`] reads a header and the first rows, [`Plan::read`] one row after another (`read`; what comes of one is in `row`). A
//! known export is found by the columns that only it has (`platform`); any other goes through the generic mapper (`columns`), which
//! weighs what a column is called (`synonyms`) against what is in it. `vocabulary` has the words of each platform for conditions,
//! finishes and languages, `conditions` the forms in which they stand together, `marks` those of yes and no, `sets` the words for
//! sets, `values` the forms of numbers, prices and dates, and `decklist` the lists that are no table. Cells are somebody else's text: whatever they hold, they are read, or refused by name.

mod columns;
mod conditions;
mod decklist;
mod detect;
mod marks;
mod platform;
mod read;
mod row;
mod sets;
mod synonyms;
mod values;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use columns::{Column, Field};
pub use decklist::Section;
pub use detect::{Plan, SAMPLE_CHARS, Seen};
pub use platform::Platform;
pub use row::{ImportRow, Line, RowProblem};
pub use sets::{set_code, set_name};
