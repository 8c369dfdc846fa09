//! How a file is to be read: whose export it is, and what its columns hold.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::columns::{self, Column, Field, header_key};
use super::platform::{LAYOUTS, Layout, Platform};
use super::{values, vocabulary};
use crate::error::{Code, Refusal};

/// Rows of the sample that are looked at.
const SAMPLE: usize = 50;
/// Characters of a sample's cell that are looked at.
pub const SAMPLE_CHARS: usize = 200;
/// Columns that a message names at most.
const NAMED: usize = 12;
/// Similarity from which a misspelt header is taken for the one that a given platform has.
const MISSPELT: f64 = 0.92;

/// How the rows of a file are read.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub platform: Platform,
    pub columns: Vec<Column>,
    pub seen: Seen,
    /// The day on which it is read: nothing was acquired later, but for the day after, as clocks of others may be ahead.
    pub today: Option<NaiveDate>,
}

/// What the sample of a file showed, beside its headings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// A price with a decimal comma.
    pub decimal_comma: bool,
    /// A quantity, so that an empty one is a mistake.
    pub quantities: bool,
    /// A finish, so that an empty one means the ordinary.
    pub finishes: bool,
    /// Dates of which the month stands first, or the day; nothing where none can be read in one way only.
    #[serde(default)]
    pub us_dates: Option<bool>,
    /// Whether a card is owned, so that no word of it means that it is not.
    #[serde(default)]
    pub owned: bool,
    /// A `T` for a finish, so that an `F` is for false.
    #[serde(default)]
    pub true_false: bool,
    /// By how many cells several rows are shorter than the header: a bit for each such number.
    #[serde(default)]
    pub short_by: u32,
}

impl Seen {
    /// Whether several rows were as short as this one.
    pub(super) fn is_short(&self, columns: usize, cells: usize) -> bool {
        missing_cells(columns, cells).is_some_and(|bit| self.short_by & bit != 0)
    }
}

/// The bit of how many cells are missing; nothing where none are, or too many.
fn missing_cells(columns: usize, cells: usize) -> Option<u32> {
    let missing = u32::try_from(columns.checked_sub(cells)?).ok()?;
    1_u32.checked_shl(missing).filter(|_| missing > 0)
}

/// By how many cells several rows of the sample are short, as bits.
fn short_by(columns: usize, sample: &[Vec<String>]) -> u32 {
    let (mut once, mut again) = (0_u32, 0_u32);
    for row in sample.iter().filter(|row| row.iter().any(|cell| !cell.trim().is_empty())) {
        let bit = missing_cells(columns, row.len()).unwrap_or_default();
        again |= once & bit;
        once |= bit;
    }
    again
}

impl Plan {
    /// Finds out whose export it is and what each column holds. `sample` is of the first rows, up to 50, of whose cells the
    /// beginning will do ([`SAMPLE_CHARS`]); `given` is the platform that the caller names.
    ///
    /// # Errors
    /// ERR-1007 where columns are missing that rows need to name a card, ERR-1008 where nothing is recognised.
    pub fn detect(
        header: &[String],
        sample: &[Vec<String>],
        given: Option<Platform>,
    ) -> Result<Self, Refusal> {
        let sample = sample.get(..SAMPLE).unwrap_or(sample);
        let keys: Vec<_> = header.iter().map(|name| header_key(name)).collect();
        let (platform, columns) = match given {
            Some(Platform::Decklist) => return Ok(Self::decklist()),
            Some(Platform::Generic) => (Platform::Generic, generic(header, sample)?),
            Some(platform) => (platform, of_given(platform, header, &keys)?),
            None => match best_fit(&keys) {
                Some(layout) => (layout.platform, of_layout(layout, header, &keys, 1.1)),
                None => (Platform::Generic, generic(header, sample)?),
            },
        };
        Ok(Self::of_columns(platform, columns, sample))
    }

    /// How a list that is no table is read, with [`Plan::read_line`].
    pub fn decklist() -> Self {
        Self::of_columns(Platform::Decklist, Vec::new(), &[])
    }

    /// The same, read on such a day.
    #[must_use]
    pub fn on(self, today: NaiveDate) -> Self {
        Self { today: Some(today), ..self }
    }

    fn of_columns(platform: Platform, columns: Vec<Column>, sample: &[Vec<String>]) -> Self {
        let cells = |wanted: fn(Field) -> bool| {
            let places: Vec<usize> = columns
                .iter()
                .enumerate()
                .filter(|(_, column)| column.field.is_some_and(wanted))
                .map(|(at, _)| at)
                .collect();
            let of_row = move |row: &Vec<String>| {
                places
                    .iter()
                    .filter_map(|at| row.get(*at))
                    .map(|cell| values::clean(cell))
                    .collect::<Vec<_>>()
            };
            sample.iter().flat_map(of_row).filter(|cell| !cell.is_empty()).collect::<Vec<_>>()
        };
        let dates = cells(|field| field == Field::AcquiredOn);
        let finishes = cells(|field| field == Field::Finish);
        let is_count = |field| matches!(field, Field::Quantity | Field::FoilQuantity | Field::EtchedQuantity);
        let seen = Seen {
            decimal_comma: cells(|field| field == Field::Price).iter().any(|price| has_decimal_comma(price)),
            quantities: !cells(is_count).is_empty(),
            finishes: !finishes.is_empty(),
            us_dates: months_first(&dates),
            owned: !cells(|field| field == Field::Owned).is_empty(),
            true_false: finishes.iter().any(|cell| vocabulary::is_true_letter(cell)),
            short_by: short_by(columns.len(), sample),
        };
        Self { platform, columns, seen, today: None }
    }
}

/// `1,77` and `1.234,50`, not `1,234`.
fn has_decimal_comma(price: &str) -> bool {
    let digits = price.trim_end_matches(|c: char| !c.is_ascii_digit());
    digits.rfind(',').is_some_and(|at| {
        let after = digits.get(at + 1..).unwrap_or_default();
        (1..=2).contains(&after.len()) && after.bytes().all(|b| b.is_ascii_digit())
    })
}

/// What all dates that can be read in one way only have first.
fn months_first(dates: &[String]) -> Option<bool> {
    let mut orders = dates.iter().filter_map(|date| values::has_month_first(date));
    let first = orders.next()?;
    orders.all(|order| order == first).then_some(first)
}

/// The layout all of whose marks are there.
fn best_fit(keys: &[String]) -> Option<&'static Layout> {
    let has = |key: &&str| keys.iter().any(|there| there == key);
    LAYOUTS
        .iter()
        .filter(|layout| layout.marks.iter().all(has))
        .filter(|layout| !layout.is_whole || keys.len() == layout.marks.len())
        .max_by_key(|layout| (layout.marks.len(), layout.fields.iter().filter(|(key, _)| has(key)).count()))
}

/// The columns of a layout; `similar` is how near a header must be to be taken for a misspelt one, over 1 for never.
fn of_layout(layout: &Layout, header: &[String], keys: &[String], similar: f64) -> Vec<Column> {
    let mut taken: Vec<Field> = Vec::new();
    let mut columns: Vec<Column> = header
        .iter()
        .zip(keys)
        .map(|(name, key)| {
            let field = layout.fields.iter().find(|(known, _)| known == key).map(|(_, field)| *field);
            let field = field.filter(|field| field.may_repeat() || !taken.contains(field));
            taken.extend(field);
            let confidence = if field.is_some() { 1.0 } else { 0.0 };
            Column { column: name.clone(), field, confidence }
        })
        .collect();
    for (known, field) in layout.fields {
        if taken.contains(field) {
            continue;
        }
        let near = keys
            .iter()
            .enumerate()
            .filter(|(at, _)| columns.get(*at).is_some_and(|column| column.field.is_none()))
            .map(|(at, key)| (strsim::jaro_winkler(key, known), at))
            .max_by(|left, right| left.0.total_cmp(&right.0));
        if let Some((similarity, at)) = near.filter(|(similarity, _)| *similarity >= similar)
            && let Some(column) = columns.get_mut(at)
        {
            column.field = Some(*field);
            column.confidence = (similarity * 100.0).round() / 100.0;
            taken.push(*field);
        }
    }
    columns
}

fn of_given(platform: Platform, header: &[String], keys: &[String]) -> Result<Vec<Column>, Refusal> {
    let has = |key: &&str| keys.iter().any(|there| there == key);
    let layout = LAYOUTS.iter().filter(|layout| layout.platform == platform).max_by_key(|layout| {
        let marks = layout.marks.iter().filter(|mark| has(mark)).count();
        // Of those that are there in the same part, the one with more of its columns.
        let part = (marks * 100).checked_div(layout.marks.len()).unwrap_or_default();
        (part, layout.fields.iter().filter(|(key, _)| has(key)).count())
    });
    let Some(layout) = layout else {
        return Err(unknown(header));
    };
    let columns = of_layout(layout, header, keys, MISSPELT);
    let holds = |wanted: Field| columns.iter().any(|column| column.field == Some(wanted));
    for need in layout.needs {
        let field = layout.fields.iter().find(|(key, _)| key == need).map(|(_, field)| *field);
        if !field.is_some_and(holds) {
            return Err(missing(&format!("a {} export's column \"{need}\"", platform.name()), need, header));
        }
    }
    if names_a_card(&columns) {
        Ok(columns)
    } else {
        Err(missing("a column of names or ids", "name", header))
    }
}

fn generic(header: &[String], sample: &[Vec<String>]) -> Result<Vec<Column>, Refusal> {
    let columns = columns::map(header, sample);
    if names_a_card(&columns) {
        return Ok(columns);
    }
    let found: Vec<_> = columns
        .iter()
        .filter_map(|column| Some(format!("{} as {}", values::quoted(&column.column), column.field?.name())))
        .take(NAMED)
        .collect();
    // Tags and notes are in every kind of table.
    let is_of_cards = |column: &Column| {
        let elsewhere = [
            Field::Notes,
            Field::Language,
            Field::Price,
            Field::Currency,
            Field::AcquiredOn,
            Field::Owned,
            Field::Wanted,
        ];
        column.field.is_some_and(|field| !field.may_repeat() && !elsewhere.contains(&field))
    };
    if !columns.iter().any(is_of_cards) {
        return Err(unknown(header));
    }
    let mut refusal = missing("a column of names or ids", "name", header);
    refusal.message = format!("{} Found were: {}.", refusal.message, found.join(", ")).into();
    Err(refusal)
}

/// Whether the rows can say which card they are of.
fn names_a_card(columns: &[Column]) -> bool {
    let has = |wanted: Field| columns.iter().any(|column| column.field == Some(wanted));
    let ids = [
        Field::Name,
        Field::ScryfallId,
        Field::MtgjsonId,
        Field::TcgplayerId,
        Field::CardmarketId,
        Field::CardKingdomId,
        Field::MtgoId,
        Field::ArenaId,
        Field::MultiverseId,
    ];
    ids.into_iter().any(has)
        || (has(Field::CollectorNumber) && [Field::Set, Field::SetCode, Field::SetName].into_iter().any(has))
}

/// ERR-1007.
fn missing(what: &str, key: &str, header: &[String]) -> Refusal {
    let mut near: Vec<_> =
        header.iter().map(|name| (strsim::jaro_winkler(&header_key(name), key), name)).collect();
    near.sort_by(|left, right| right.0.total_cmp(&left.0));
    let near: Vec<_> = near.iter().take(3).map(|(_, name)| values::quoted(name)).collect();
    let near = if near.is_empty() { "none at all".to_owned() } else { near.join(", ") };
    Refusal::new(
        Code::ColumnsMissing,
        format!("There is no {}; the nearest columns are {near}.", what.trim_start_matches("a ")),
    )
}

/// ERR-1008.
fn unknown(header: &[String]) -> Refusal {
    let found: Vec<_> = header.iter().take(NAMED).map(|name| values::quoted(name)).collect();
    let more =
        if header.len() > NAMED { format!(" and {} more", header.len() - NAMED) } else { String::new() };
    let message = format!(
        "This is no export that we know, and no column says which cards it is of. Its columns are {}{more}. The \
         first line must name the columns.",
        found.join(", ")
    );
    Refusal::new(Code::PlatformUnknown, message)
}
