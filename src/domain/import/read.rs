//! How a row is read, by what its columns were found to be.

use entity::enums::{Finish, Provider};
use uuid::Uuid;

use super::columns::{Field, header_key};
use super::conditions::{condition, language};
use super::detect::Plan;
use super::marks::{is_yes, mark};
use super::platform::Platform;
use super::row::{ImportRow, Line, RowProblem};
use super::{sets, values, vocabulary};
use crate::domain::market::Money;
use crate::error::Code;

/// Words with which a line of sums begins.
const TOTALS: [&str; 8] = ["total", "totals", "grandtotal", "totalcards", "sum", "summe", "gesamt", "totale"];

/// How many copies a row has, by finish.
#[derive(Default)]
struct Counts {
    plain: Option<i32>,
    foil: Option<i32>,
    etched: Option<i32>,
    is_playset: bool,
}

impl Plan {
    /// The copies that a row has; none of a blank line, of a line of sums, and of what the row says is not owned.
    ///
    /// # Errors
    /// ERR-1104 where it has other cells than the header, ERR-1103 where a value can't be read or the quantity is 0, ERR-1101
    /// where it names no card.
    pub fn read(&self, line: u64, cells: &[String]) -> Result<Line, RowProblem> {
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(Line::Nothing("The row is blank."));
        }
        if self.is_total(cells) {
            return Ok(Line::Nothing("The row is of sums."));
        }
        self.check_width(cells)?;
        let mut row = ImportRow::at(line);
        let mut counts = Counts::default();
        let mut is_owned = true;
        let currency = self.currency(cells)?;
        for (column, cell) in self.columns.iter().zip(cells) {
            let Some(field) = column.field else { continue };
            let text = values::clean(cell);
            if text.is_empty() {
                continue;
            }
            let wrong = |expected: &str| RowProblem::value(&column.column, cell, expected);
            let quantity = || {
                values::quantity(&text).ok_or_else(|| wrong("a quantity is a whole number from 1 to 100000"))
            };
            let not_finish = "that is no finish that we know";
            match field {
                Field::Quantity => counts.plain = Some(quantity()?),
                Field::FoilQuantity => counts.foil = Some(quantity()?),
                Field::EtchedQuantity => counts.etched = Some(quantity()?),
                Field::Name => {
                    let (name, finish) = sets::bare_name(self.platform, &text);
                    row.name = values::name(&name);
                    row.finish = finish.or(row.finish);
                }
                Field::Set if sets::looks_like_set_code(&text) => {
                    row.set_code = sets::set_code(self.platform, &text);
                }
                Field::SetCode => match sets::set_code(self.platform, &text) {
                    Some(code) => row.set_code = Some(code),
                    // A name among codes. Deckbox has numbers for its tokens, `ex_127`, that are neither.
                    None if row.set_name.is_none() && sets::looks_like_set_name(&text) => {
                        row.set_name = sets::set_name(&text).map(|(name, _)| name);
                    }
                    None => {}
                },
                Field::Set | Field::SetName => {
                    if let Some((name, code)) = sets::set_name(&text) {
                        row.set_name = Some(name);
                        row.set_code = row.set_code.take().or(code);
                    }
                }
                Field::CollectorNumber => row.collector_number = values::collector_number(&text),
                Field::ScryfallId => match Uuid::parse_str(&text) {
                    Ok(id) => row.scryfall_id = Some(id),
                    Err(_) => row.leave_out("Its Scryfall id is none, and was passed over."),
                },
                Field::MtgjsonId => {
                    let id = Uuid::parse_str(&text).ok().map(|id| (Provider::Mtgjson, id.to_string()));
                    row.outside_ids.extend(id);
                }
                Field::TcgplayerId => add_id(&mut row, Provider::Tcgplayer, &text),
                Field::CardmarketId => add_id(&mut row, Provider::Cardmarket, &text),
                Field::CardKingdomId => add_id(&mut row, Provider::CardKingdom, &text),
                Field::MtgoId => add_id(&mut row, Provider::Mtgo, &text),
                Field::ArenaId => add_id(&mut row, Provider::Arena, &text),
                Field::MultiverseId => add_id(&mut row, Provider::Multiverse, &text),
                Field::Finish => {
                    let finish = vocabulary::finish(&text).ok_or_else(|| wrong(not_finish))?;
                    // "Etched?" "Yes."
                    let is_of_etched = matches!(header_key(&column.column).as_str(), "etched" | "isetched");
                    let finish = if finish == Finish::Foil && is_of_etched { Finish::Etched } else { finish };
                    // A name that says "etched" says more than "foil" does.
                    if row.finish != Some(Finish::Etched) || finish == Finish::Nonfoil {
                        row.finish = Some(finish);
                    }
                }
                Field::Condition => {
                    let read = condition(self.platform, &text);
                    let (condition, finish, language) =
                        read.ok_or_else(|| wrong("that is no condition that we know"))?;
                    row.condition = condition;
                    row.finish = row.finish.or(finish);
                    row.language = row.language.take().or(language);
                }
                Field::Language => {
                    let language = language(self.platform, &text);
                    let language = language.ok_or_else(|| wrong("that is no language that we know"))?;
                    row.language = Some(language.to_owned());
                }
                Field::Price => {
                    let price = values::price(&text, currency, self.seen.decimal_comma);
                    let expected = "a price is up to 9,999,999.99, in dollars, euros or tix";
                    let price = price.ok_or_else(|| wrong(expected))?;
                    row.price = Some(price)
                        .filter(|price| price.amount > 0 || !self.platform.writes_no_price_as_zero());
                }
                Field::AcquiredOn if values::is_no_date(&text) => {}
                Field::AcquiredOn => {
                    let month_first = self.seen.us_dates.or(self.platform.has_us_dates().then_some(true));
                    let day = values::date(&text, month_first);
                    let day = day.ok_or_else(|| wrong("a date is written 2024-05-31"))?;
                    let tomorrow = self.today.and_then(|today| today.succ_opt());
                    if tomorrow.is_some_and(|tomorrow| day > tomorrow) {
                        return Err(wrong("a copy was acquired on a day from 1993 to today"));
                    }
                    row.acquired_on = Some(day);
                }
                // The line breaks of a note are its own.
                Field::Notes => row.add_note(cell),
                Field::Tags => {
                    for tag in text.split([',', ';', '|']) {
                        row.add_tag(tag);
                    }
                }
                Field::Folder => row.add_tag(&text),
                Field::Mark => {
                    if is_yes(&text) {
                        row.add_tag(mark(&column.column));
                    }
                }
                Field::Status => match header_key(&text).as_str() {
                    "notowned" | "ordered" => is_owned = false,
                    "proxied" => row.add_tag("proxy"),
                    _ => {}
                },
                Field::Playset => counts.is_playset = is_yes(&text),
                Field::Extras => {
                    for extra in
                        text.split([',', ';', '|', '/']).map(str::trim).filter(|extra| !extra.is_empty())
                    {
                        match vocabulary::finish(extra) {
                            Some(finish) => row.finish = Some(finish),
                            None => row.add_tag(extra),
                        }
                    }
                }
                Field::Currency => {}
            }
        }
        if !is_owned {
            return Ok(Line::Nothing("The row is of a card that is not owned."));
        }
        self.settle_finish(&mut row);
        self.split(row, &counts)
    }

    /// # Errors
    /// ERR-1104.
    fn check_width(&self, cells: &[String]) -> Result<(), RowProblem> {
        let (wanted, there) = (self.columns.len(), cells.len());
        let surplus = cells.get(wanted..).unwrap_or_default();
        let is_short = there < wanted && !self.platform.cuts_rows_short();
        if is_short || surplus.iter().any(|cell| !cell.trim().is_empty()) {
            let message = format!("The row has {there} cells, the header {wanted}.");
            return Err(RowProblem::new(Code::RowMalformed, message));
        }
        Ok(())
    }

    fn is_total(&self, cells: &[String]) -> bool {
        let name = self.cell(cells, Field::Name);
        let first = cells.iter().find(|cell| !cell.trim().is_empty());
        let is_total =
            |cell: Option<&String>| cell.is_some_and(|cell| TOTALS.contains(&header_key(cell).as_str()));
        let says_more =
            [Field::SetCode, Field::SetName, Field::Set, Field::CollectorNumber, Field::ScryfallId]
                .into_iter()
                .any(|field| self.cell(cells, field).is_some_and(|cell| !cell.trim().is_empty()));
        (is_total(name) || (is_total(first) && name.is_none_or(|name| name.trim().is_empty()))) && !says_more
    }

    fn cell<'a>(&self, cells: &'a [String], field: Field) -> Option<&'a String> {
        let at = self.columns.iter().position(|column| column.field == Some(field))?;
        cells.get(at)
    }

    /// What a price without a sign is in.
    fn currency(&self, cells: &[String]) -> Result<entity::enums::Currency, RowProblem> {
        let default = vocabulary::currency(self.platform);
        let has_price = self.cell(cells, Field::Price).is_some_and(|cell| !values::clean(cell).is_empty());
        let Some(at) = self.columns.iter().position(|column| column.field == Some(Field::Currency)) else {
            return Ok(default);
        };
        let text = cells.get(at).map(|cell| values::clean(cell)).unwrap_or_default();
        if text.is_empty() || !has_price {
            return Ok(default);
        }
        let header = self.columns.get(at).map_or("", |column| column.column.as_str());
        values::currency(&text)
            .ok_or_else(|| RowProblem::value(header, &text, "prices are kept in dollars, euros or tix"))
    }

    fn settle_finish(&self, row: &mut ImportRow) {
        let has_column = self.columns.iter().any(|column| column.field == Some(Field::Finish));
        let is_known = self.platform != Platform::Generic;
        if row.finish.is_none() && has_column && (self.seen.finishes || is_known) {
            row.finish = Some(Finish::Nonfoil);
        }
        // These count foils apart.
        if row.finish == Some(Finish::Foil) && self.platform == Platform::Mtgo {
            for (provider, _) in &mut row.outside_ids {
                if *provider == Provider::Mtgo {
                    *provider = Provider::MtgoFoil;
                }
            }
        }
    }

    /// One entry a finish that is counted apart.
    fn split(&self, mut row: ImportRow, counts: &Counts) -> Result<Line, RowProblem> {
        let counts_apart = self
            .columns
            .iter()
            .any(|column| matches!(column.field, Some(Field::FoilQuantity | Field::EtchedQuantity)));
        let plain = match counts.plain {
            Some(count) => count,
            None if counts_apart && self.seen.quantities => 0,
            None if self.seen.quantities => {
                let at = self.columns.iter().find(|column| column.field == Some(Field::Quantity));
                let header = at.map_or("quantity", |column| column.column.as_str());
                return Err(RowProblem::value(header, "", "a quantity is a whole number from 1 to 100000"));
            }
            None => 1,
        };
        if counts.is_playset {
            row.price = row.price.map(|price| Money { amount: (price.amount + 2) / 4, ..price });
        }
        let copies = if counts.is_playset { plain.saturating_mul(4) } else { plain };
        if copies > 100_000 {
            let message = "A quantity is at most 100000, and a playset counts as four.";
            return Err(RowProblem::new(Code::RowInvalidValue, message));
        }
        let plain_finish = if counts_apart { row.finish.or(Some(Finish::Nonfoil)) } else { row.finish };
        let parts = [
            (copies, plain_finish),
            (counts.foil.unwrap_or_default(), Some(Finish::Foil)),
            (counts.etched.unwrap_or_default(), Some(Finish::Etched)),
        ];
        if parts.iter().all(|(copies, _)| *copies == 0) {
            return Err(RowProblem::no_copies());
        }
        let row = row.checked()?;
        let held = parts.into_iter().filter(|(copies, _)| *copies > 0);
        let copies = |(quantity, finish)| ImportRow { quantity, finish, ..row.clone() };
        Ok(Line::Copies(held.map(copies).collect()))
    }
}

fn add_id(row: &mut ImportRow, provider: Provider, text: &str) {
    row.outside_ids.extend(values::outside_id(text).map(|id| (provider, id)));
}
