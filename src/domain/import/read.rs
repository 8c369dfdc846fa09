//! How a row is read, by what its columns were found to be.

use entity::enums::{Condition, Currency, Finish, Provider};
use uuid::Uuid;

use super::columns::{Field, asks_for_etched, header_key};
use super::conditions::{condition, counted, deal};
use super::detect::Plan;
use super::marks::{add_kind, is_yes, known_mark, mark};
use super::platform::Platform;
use super::row::{ImportRow, Line, RowProblem};
use super::{sets, values, vocabulary};
use crate::domain::market::Money;
use crate::error::Code;

/// Words with which a line of sums begins.
const TOTALS: [&str; 14] = [
    "total",
    "totals",
    "subtotal",
    "grandtotal",
    "totalcards",
    "totalvalue",
    "sum",
    "summe",
    "gesamt",
    "gesamtsumme",
    "insgesamt",
    "totale",
    "totaal",
    "somme",
];

/// What is said of prices that are not kept.
const FOREIGN_PRICE: &str = "Its price is not in dollars, euros or tix, and was left out.";

/// How many copies a row has, by finish, and what is counted of them beside.
#[derive(Default)]
struct Counts {
    plain: Option<i32>,
    foil: Option<i32>,
    etched: Option<i32>,
    is_playset: bool,
    conditions: Vec<(i32, Condition)>,
    languages: Vec<(i32, &'static str)>,
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
        if self.is_heading(cells) {
            return Ok(Line::Nothing("The row is of headings."));
        }
        self.check_width(cells)?;
        let mut row = ImportRow::at(line);
        let mut counts = Counts::default();
        let (mut is_owned, mut is_wanted, mut is_etched) = (None, false, false);
        let currency = self.currency(cells);
        let counts_copies = self.counts_copies();
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
                    let (name, code) = sets::code_behind(self.platform, &name);
                    row.name = values::name(name);
                    row.finish = finish.or(row.finish);
                    row.set_code = row.set_code.take().or(code);
                }
                Field::Set if sets::looks_like_set_code(&text) => {
                    row.set_code = sets::set_code(self.platform, &text);
                }
                Field::SetCode => match sets::set_code(self.platform, self.bare_code(&text, &mut row)) {
                    Some(code) => row.set_code = Some(code),
                    // A name among codes. Deckbox has numbers for its tokens, `ex_127`, that are neither.
                    None if row.set_name.is_none() && sets::looks_like_set_name(&text) => {
                        let (name, code) = sets::set_name(&text).unzip();
                        row.set_name = name;
                        row.set_code = code.flatten().or(row.set_code.take());
                    }
                    None => {}
                },
                Field::Set | Field::SetName => {
                    if let Some((name, code)) = sets::set_name(self.bare_set(&text, &mut row)) {
                        row.set_name = Some(name);
                        row.set_code = row.set_code.take().or(code);
                    }
                }
                Field::CollectorNumber => self.add_number(&mut row, &text),
                Field::ScryfallId => match self.scryfall_id(&text) {
                    Some(id) => {
                        row.scryfall_id = Some(id);
                        // Should it be MTGJSON's, that is found as well.
                        if self.platform == Platform::Cardcastle {
                            row.outside_ids.push((Provider::Mtgjson, id.to_string()));
                        }
                    }
                    None => row.leave_out("Its Scryfall id is none, and was passed over."),
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
                    let finish = self.finish(&column.column, &text, &mut row);
                    let finish = finish.ok_or_else(|| wrong(not_finish))?;
                    let is_yes = vocabulary::is_answer(&text) || vocabulary::is_true_letter(&text);
                    let says_etched = finish == Finish::Etched || (finish == Finish::Foil && is_yes);
                    // `foil` under "Foil/Etched" is the other of the two.
                    let is_answer = says_etched || finish == Finish::Nonfoil;
                    if is_answer && asks_for_etched(&header_key(&column.column)) {
                        // Where a copy is not etched, a column "foil" beside this one says what it is.
                        is_etched |= says_etched;
                        row.finish = row.finish.or(Some(Finish::Nonfoil));
                    } else if row.finish != Some(Finish::Etched) || finish == Finish::Nonfoil {
                        // A name that says "etched" says more than "foil" does.
                        row.finish = Some(finish);
                    }
                }
                Field::Condition => {
                    let each = |word: &str| vocabulary::condition(self.platform, word);
                    if let Some(counted) = self.counted(&text, each) {
                        counts.conditions = counted;
                        continue;
                    }
                    let read = condition(self.platform, &text);
                    let (condition, finish, language) =
                        read.ok_or_else(|| wrong("that is no condition that we know"))?;
                    row.condition = condition;
                    row.finish = row.finish.or(finish);
                    row.language = row.language.take().or(language);
                }
                Field::Language => {
                    let each = |word: &str| vocabulary::language(self.platform, word);
                    if let Some(counted) = self.counted(&text, each) {
                        counts.languages = counted;
                        continue;
                    }
                    let language = each(&text).ok_or_else(|| wrong("that is no language that we know"))?;
                    // The one that its finish says is meant: this column has English in every row.
                    let is_said = self.platform == Platform::Tappedout && row.language.is_some();
                    if !is_said {
                        row.language = Some(language.to_owned());
                    }
                }
                Field::Price if values::is_no_price(&text) => {}
                Field::Price if currency.is_none() || values::is_foreign_price(&text) => {
                    if text.contains(|c: char| matches!(c, '1'..='9')) {
                        row.leave_out(FOREIGN_PRICE);
                    }
                }
                Field::Price => {
                    let price =
                        values::price(&text, currency.unwrap_or(Currency::Usd), self.seen.decimal_comma);
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
                    "notowned" | "ordered" | "borrowed" => is_owned = Some(false),
                    "proxied" => row.add_tag("proxy"),
                    _ => {}
                },
                Field::Owned => is_owned = Some(is_yes(&text)),
                Field::Wanted if !counts_copies => is_wanted = is_yes(&text),
                // Where copies are counted, a number here is of others.
                Field::Wanted => {
                    if is_yes(&text) && values::quantity(&text).is_none() {
                        row.add_tag("Wishlist");
                    }
                }
                Field::Playset => counts.is_playset = is_yes(&text),
                Field::Extras => {
                    for extra in
                        text.split([',', ';', '|', '/']).map(str::trim).filter(|extra| !extra.is_empty())
                    {
                        match vocabulary::finish(extra) {
                            Some(finish) => row.finish = Some(finish),
                            None => row.add_tag(known_mark(extra).unwrap_or(extra)),
                        }
                    }
                }
                Field::Currency => {}
            }
        }
        // In a list of all cards only those have a mark that are owned.
        let is_unmarked = is_owned.is_none() && self.seen.owned && !counts_copies;
        if is_owned == Some(false) || is_unmarked {
            return Ok(Line::Nothing("The row is of a card that is not owned."));
        }
        if is_wanted {
            return Ok(Line::Nothing("The row is of a card that is wanted, and not owned."));
        }
        if is_etched {
            row.finish = Some(Finish::Etched);
        }
        self.settle_finish(&mut row);
        self.split(row, &counts)
    }

    fn counted<T: PartialEq>(&self, text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<(i32, T)>> {
        if self.platform.counts_each_copy() { counted(text, read) } else { None }
    }

    /// CardCastle writes the number of a face behind the id: a figure too many.
    fn scryfall_id(&self, text: &str) -> Option<Uuid> {
        let has_face = self.platform == Platform::Cardcastle && text.len() == 37;
        let text = if has_face { text.get(..36).unwrap_or_default() } else { text };
        Uuid::parse_str(text).ok()
    }

    /// A set's code without what says that its cards are the etched ones: `MH2_E`. TappedOut's `000` is of promos whose set
    /// it does not know.
    fn bare_code<'t>(&self, text: &'t str, row: &mut ImportRow) -> &'t str {
        if self.platform == Platform::Tappedout && text == "000" {
            return "";
        }
        match text.strip_suffix("_E").or_else(|| text.strip_suffix("_e")) {
            Some(code) if self.platform.has_etched_sets() => {
                row.finish = Some(Finish::Etched);
                code
            }
            _ => text,
        }
    }

    /// A set's name without the same: `Commander Legends - Etched Foil`.
    fn bare_set<'t>(&self, text: &'t str, row: &mut ImportRow) -> &'t str {
        let name = [" Etched Foil", " Etched"].into_iter().find_map(|end| text.strip_suffix(end));
        match name.filter(|_| self.platform.has_etched_sets()) {
            Some(name) => {
                row.finish = Some(Finish::Etched);
                name.trim_end_matches([' ', '-'])
            }
            None => text,
        }
    }

    fn add_number(&self, row: &mut ImportRow, text: &str) {
        let number = match self.platform {
            // It has numbers of its own for etched cards: `389etc`.
            Platform::DragonShield => text.strip_suffix("etc").unwrap_or(text),
            Platform::Tappedout if !text.bytes().any(|b| b.is_ascii_digit()) => {
                // `PromoPack`
                let is_pack = header_key(text) == "promopack";
                return if is_pack { add_kind(row, vocabulary::PROMO_PACK) } else { row.add_tag(text) };
            }
            _ => text,
        };
        row.collector_number = values::collector_number(number);
    }

    fn finish(&self, header: &str, text: &str, row: &mut ImportRow) -> Option<Finish> {
        if self.platform != Platform::Tappedout {
            return vocabulary::finish_under(header, text, self.seen.true_false);
        }
        if let Some((finish, tag)) = vocabulary::tappedout_finish(text) {
            add_kind(row, tag);
            return Some(finish);
        }
        // The one cell may have a language instead, and one of their codes is a yes elsewhere: `JA`.
        match vocabulary::language(self.platform, text) {
            Some(language) => {
                row.language = Some(language.to_owned());
                Some(Finish::Nonfoil)
            }
            None => vocabulary::finish_under(header, text, self.seen.true_false),
        }
    }

    /// # Errors
    /// ERR-1104.
    fn check_width(&self, cells: &[String]) -> Result<(), RowProblem> {
        let (wanted, there) = (self.columns.len(), cells.len());
        let surplus = cells.get(wanted..).unwrap_or_default();
        // What would not be read may be missing, where that is the file's way: spreadsheets leave out what is empty at the
        // end. Else a cell may be missing from the middle, and those behind it stand in the wrong columns.
        let left_out = self.columns.get(there..).unwrap_or_default();
        let is_read = left_out.iter().any(|column| column.field.is_some());
        let is_usual = self.platform.cuts_rows_short() || (!is_read && self.seen.is_short(wanted, there));
        let is_short = !left_out.is_empty() && !is_usual;
        if is_short || surplus.iter().any(|cell| !cell.trim().is_empty()) {
            let message = format!("The row has {there} cells, the header {wanted}.");
            return Err(RowProblem::new(Code::RowMalformed, message));
        }
        Ok(())
    }

    fn is_total(&self, cells: &[String]) -> bool {
        let name = self.cell(cells, Field::Name);
        let first = cells.iter().find(|cell| !cell.trim().is_empty());
        // `Total: 42`
        let is_sum =
            |cell: &String| TOTALS.contains(&header_key(cell).trim_end_matches(|c: char| c.is_ascii_digit()));
        let is_total = |cell: Option<&String>| cell.is_some_and(is_sum);
        let says_more =
            [Field::SetCode, Field::SetName, Field::Set, Field::CollectorNumber, Field::ScryfallId]
                .into_iter()
                .any(|field| self.cell(cells, field).is_some_and(|cell| !cell.trim().is_empty()));
        (is_total(name) || (is_total(first) && name.is_none_or(|name| name.trim().is_empty()))) && !says_more
    }

    /// Whether it has the headings again, as a file does that was put together from several.
    fn is_heading(&self, cells: &[String]) -> bool {
        cells.len() >= self.columns.len()
            && self.columns.iter().zip(cells).all(|(column, cell)| column.column.trim() == cell.trim())
    }

    /// Whether a column has numbers of copies.
    fn counts_copies(&self) -> bool {
        let counts = [Field::Quantity, Field::FoilQuantity, Field::EtchedQuantity];
        self.columns.iter().any(|column| column.field.is_some_and(|field| counts.contains(&field)))
    }

    fn cell<'a>(&self, cells: &'a [String], field: Field) -> Option<&'a String> {
        let at = self.columns.iter().position(|column| column.field == Some(field))?;
        cells.get(at)
    }

    /// What a price without a sign is in; nothing where that is a currency in which prices are not kept.
    fn currency(&self, cells: &[String]) -> Option<Currency> {
        let said = self.cell(cells, Field::Currency).map(|cell| values::clean(cell));
        if let Some(said) = said.filter(|said| !said.is_empty()) {
            return values::currency(&said);
        }
        let heading = self.columns.iter().find(|column| column.field == Some(Field::Price))?;
        match values::currency_in(&heading.column) {
            (_, true) => None,
            (said, false) => said.or_else(|| Some(vocabulary::currency(self.platform))),
        }
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
        let [foil, etched] = [counts.foil, counts.etched].map(Option::unwrap_or_default);
        let plain =
            if self.platform.counts_foils_among_all() { (plain - foil - etched).max(0) } else { plain };
        if counts.is_playset {
            row.price = row.price.map(|price| Money { amount: (price.amount + 2) / 4, ..price });
        }
        let copies = if counts.is_playset { plain.saturating_mul(4) } else { plain };
        if copies > 100_000 {
            let message = "A quantity is at most 100000, and a playset counts as four.";
            return Err(RowProblem::new(Code::RowInvalidValue, message));
        }
        let plain_finish = if counts_apart { row.finish.or(Some(Finish::Nonfoil)) } else { row.finish };
        let parts = [(copies, plain_finish), (foil, Some(Finish::Foil)), (etched, Some(Finish::Etched))];
        if parts.iter().all(|(copies, _)| *copies == 0) {
            return Err(RowProblem::no_copies());
        }
        let row = row.checked()?;
        let held = parts.into_iter().filter(|(copies, _)| *copies > 0);
        let copies = |(quantity, finish)| ImportRow { quantity, finish, ..row.clone() };
        let rows = held.map(copies).collect();
        let rows = deal(rows, &counts.conditions, "conditions", |row, condition| row.condition = *condition);
        let rows = deal(rows, &counts.languages, "languages", |row, language| {
            row.language = Some((*language).to_owned());
        });
        Ok(Line::Copies(rows))
    }
}

fn add_id(row: &mut ImportRow, provider: Provider, text: &str) {
    row.outside_ids.extend(values::outside_id(text).map(|id| (provider, id)));
}
