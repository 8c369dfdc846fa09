//! What a column may hold, and the generic mapper: what an unknown header's columns are likely to be.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;

use super::detect::SAMPLE_CHARS;
use super::platform::Platform;
use super::synonyms::{BARE, OF_MARKETS, PASSED_OVER, SYNONYMS};
use super::{sets, values, vocabulary};
use entity::enums::Currency;

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// What a column tells of a copy.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Field { $($(#[$doc])* $variant,)* }

        impl Field {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// `collectorNumber`
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What such a name means.
            pub fn of_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|field| field.name() == name)
            }
        }
    };
}

fields! {
    Quantity = "quantity";
    /// Foil copies, beside the others in one row.
    FoilQuantity = "foilQuantity";
    /// Etched and other special copies, likewise.
    EtchedQuantity = "etchedQuantity";
    Name = "name";
    /// A set by code or by name: each cell's look decides.
    Set = "set";
    SetCode = "setCode";
    SetName = "setName";
    CollectorNumber = "collectorNumber";
    ScryfallId = "scryfallId";
    TcgplayerId = "tcgplayerId";
    CardmarketId = "cardmarketId";
    CardKingdomId = "cardKingdomId";
    MtgoId = "mtgoId";
    ArenaId = "arenaId";
    MultiverseId = "multiverseId";
    MtgjsonId = "mtgjsonId";
    Finish = "finish";
    Condition = "condition";
    Language = "language";
    Price = "price";
    Currency = "currency";
    AcquiredOn = "acquiredOn";
    Notes = "notes";
    /// Words apart by commas, semicolons or bars.
    Tags = "tags";
    /// One word or several, kept whole, that become a tag: a binder.
    Folder = "folder";
    /// Yes or no; where yes, the header becomes a tag: "signed".
    Mark = "mark";
    /// Whether it is owned at all.
    Status = "status";
    /// The same, as yes or no.
    Owned = "owned";
    /// Whether it is wanted, or how many are: those are not owned.
    Wanted = "wanted";
    /// Whether one means four.
    Playset = "playset";
    /// Finish and marks in one cell.
    Extras = "extras";
}

impl Field {
    /// Whether several columns may hold it.
    pub(super) fn may_repeat(self) -> bool {
        matches!(self, Self::Tags | Self::Folder | Self::Mark)
    }
}

/// How a column was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its header.
    pub column: String,
    pub field: Option<Field>,
    /// From 0 to 1.
    pub confidence: f64,
}

/// A header as it is compared: `Collector_Number` and `COLLECTOR NUMBER` are `collectornumber`.
pub(super) fn header_key(header: &str) -> String {
    header
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .filter(|c| c.is_alphanumeric() || *c == '#')
        .take(120)
        .collect::<String>()
        .replace('ß', "ss")
}

static KEYS: LazyLock<Vec<(Field, String)>> = LazyLock::new(|| {
    let keys = |(field, names): &(Field, &str)| {
        names.split(',').map(|name| (*field, header_key(name))).collect::<Vec<_>>()
    };
    SYNONYMS.iter().flat_map(keys).collect()
});

static PASSED: LazyLock<Vec<String>> = LazyLock::new(|| PASSED_OVER.split(',').map(header_key).collect());

static BARE_KEYS: LazyLock<Vec<String>> = LazyLock::new(|| BARE.split(',').map(header_key).collect());

/// Confidence under which a column is left alone.
const ENOUGH: f64 = 0.5;
/// Similarity under which a header is another word.
const SIMILAR: f64 = 0.9;
/// Confidence where only the look of the values speaks.
const BY_LOOK: f64 = 0.55;
/// How well a bare word fits.
const BY_BARE_WORD: f64 = 0.95;
/// How well a word fits that is known in its parts.
const BY_PARTS: f64 = 0.9;

/// Whether a header is a word that other columns say more plainly.
fn is_bare(key: &str) -> bool {
    BARE_KEYS.iter().any(|bare| bare == key)
}

/// Whether it is a word for quantities with one of these before or behind it: `countfoil`.
fn counts_such(key: &str, such: &[&str]) -> bool {
    let rest = |word: &&str| key.strip_prefix(*word).or_else(|| key.strip_suffix(*word));
    such.iter()
        .filter_map(rest)
        .any(|rest| KEYS.iter().any(|(field, synonym)| *field == Field::Quantity && synonym.as_str() == rest))
}

/// Parts of words for cards that somebody would like to have.
const OF_WANTS: [&str; 9] =
    ["wish", "want", "wunsch", "gesucht", "souhait", "recherch", "deseo", "desider", "desej"];
/// Parts of words for what a card is worth.
const OF_WORTH: [&str; 3] = ["price", "value", "cost"];

/// Whether a column of finishes is of etched copies alone.
pub(super) fn asks_for_etched(key: &str) -> bool {
    matches!(key, "etched" | "isetched" | "etchedfoil" | "foiletched" | "isetchedfoil")
}

/// How well the header alone fits, from 0 to 1.
fn by_header(key: &str, field: Field) -> f64 {
    let is_of_foils = key.contains("foil") && !key.contains("nonfoil") && !key.contains("notfoil");
    let has = |words: &[&str]| words.iter().any(|word| key.contains(word));
    let (says_which, such): (bool, &[&str]) = match field {
        Field::Quantity => (!is_of_foils && !has(&OF_WANTS), &["nonfoil", "notfoil", "normal", "regular"]),
        Field::Wanted => (!has(&OF_WORTH), &[]),
        Field::FoilQuantity => (is_of_foils, &["foil"]),
        Field::EtchedQuantity => (key.contains("etch") || key.contains("special"), &["etched"]),
        _ => (true, &[]),
    };
    if !says_which {
        return 0.0;
    }
    let is_passed_over = PASSED.iter().any(|passed| passed == key)
        || match field {
            Field::Price => has(&OF_MARKETS),
            Field::Quantity => has(&OF_WORTH),
            _ => false,
        };
    let mut best = if counts_such(key, such) { BY_PARTS } else { 0.0 };
    for (_, synonym) in KEYS.iter().filter(|(of, _)| *of == field) {
        if synonym == key {
            return if is_bare(key) { BY_BARE_WORD } else { 1.0 };
        }
        if is_passed_over || key.chars().count() < 4 || synonym.chars().count() < 4 {
            continue;
        }
        let similarity = strsim::jaro_winkler(key, synonym);
        if similarity >= SIMILAR {
            best = best.max(similarity * 0.85);
        }
        // `mycardname2` has a name in it; short words are in everything.
        if synonym.chars().count() >= 6 && key.contains(synonym.as_str()) {
            best = best.max(0.75);
        }
    }
    best
}

/// The part of the values that could be such; nothing where there are none.
fn by_look(field: Field, values: &[String]) -> Option<f64> {
    let fits = |value: &str| -> bool {
        match field {
            Field::Quantity | Field::FoilQuantity | Field::EtchedQuantity => {
                values::quantity(value).is_some()
            }
            Field::Name => looks_like_name(value),
            Field::SetCode | Field::SetName | Field::Set => {
                value.chars().count() <= 100
                    && !value.contains("://")
                    && value.chars().any(char::is_alphabetic)
                    && !values::looks_like_date(value)
            }
            Field::CollectorNumber => {
                value.len() <= 12 && !value.contains(' ') && value.bytes().any(|b| b.is_ascii_alphanumeric())
            }
            Field::ScryfallId | Field::MtgjsonId => Uuid::parse_str(value).is_ok(),
            Field::TcgplayerId
            | Field::CardmarketId
            | Field::CardKingdomId
            | Field::MtgoId
            | Field::ArenaId
            | Field::MultiverseId => value.bytes().all(|b| b.is_ascii_digit()),
            Field::Finish => vocabulary::finish(value).is_some(),
            Field::Condition => vocabulary::condition(Platform::Generic, value).is_some(),
            Field::Language => vocabulary::language(Platform::Generic, value).is_some(),
            Field::Price => {
                values::price(value, Currency::Usd, false).is_some()
                    || values::is_foreign_price(value)
                    || values::is_no_price(value)
            }
            Field::Currency => values::currency(value).is_some() || values::is_foreign(value),
            Field::Owned => vocabulary::is_answer(value),
            Field::Wanted => vocabulary::is_answer(value) || values::quantity(value).is_some(),
            Field::AcquiredOn => values::looks_like_date(value),
            _ => true,
        }
    };
    (!values.is_empty()).then(|| part_of(values, fits))
}

fn part_of(values: &[String], fits: impl Fn(&str) -> bool) -> f64 {
    values.iter().filter(|value| fits(value)).count() as f64 / values.len().max(1) as f64
}

/// What may stand in a column that says it has names; some names are hardly letters.
fn could_be_name(value: &str) -> bool {
    let has_letter = value.chars().any(char::is_alphabetic);
    has_letter && Uuid::parse_str(value).is_err() && values::price(value, Currency::Usd, false).is_none()
}

fn looks_like_name(value: &str) -> bool {
    let length = value.chars().count();
    let letters = value.chars().filter(|c| c.is_alphabetic()).count();
    (2..=150).contains(&length)
        && letters * 10 >= length * 6
        && !value.contains("://")
        && !value.contains('@')
        && !value.chars().all(|c| c.is_numeric())
}

/// Whether the values are as many and as different as names are.
fn are_names(values: &[String]) -> bool {
    let mut different: Vec<_> = values.iter().collect();
    different.sort_unstable();
    different.dedup();
    let length: usize = values.iter().map(|value| value.chars().count()).sum();
    by_look(Field::Name, values).is_some_and(|part| part >= 0.9)
        && length >= values.len() * 5
        && different.len() * 2 >= values.len()
        && !values.iter().all(|value| values::looks_like_date(value))
}

/// Whether a column "foil" or "etched" has numbers of such, and not yes and no: where there is more than one of a card,
/// or where `beside` it the others are counted.
fn counts_foils(key: &str, values: &[String], beside: bool) -> bool {
    let counts: Option<Vec<i32>> = values.iter().map(|value| values::quantity(value)).collect();
    let are_counts = |counts: Vec<i32>| counts.iter().any(|count| beside || *count > 1);
    matches!(key, "foil" | "foils" | "etched") && counts.is_some_and(are_counts)
}

fn confidence(key: &str, field: Field, values: &[String]) -> f64 {
    let header = by_header(key, field);
    let look = match field {
        Field::Name if header > 0.0 && !values.is_empty() => Some(part_of(values, could_be_name)),
        _ => by_look(field, values),
    };
    if header > 0.0 {
        let Some(look) = look else { return header * 0.85 };
        let is_certain = header >= 1.0;
        let least = match field {
            Field::Quantity | Field::FoilQuantity | Field::EtchedQuantity | Field::Name => 0.5,
            Field::ScryfallId | Field::MtgjsonId | Field::CollectorNumber | Field::Price => 0.5,
            Field::TcgplayerId | Field::CardmarketId | Field::CardKingdomId => 0.5,
            Field::MtgoId | Field::ArenaId | Field::MultiverseId | Field::AcquiredOn => 0.5,
            // A word of several meanings, unless it says it plainly.
            Field::Finish if !(key.contains("foil") || key.contains("finish")) => 0.5,
            Field::Language | Field::Condition | Field::Finish | Field::Currency if is_certain => 0.0,
            Field::Owned | Field::Wanted => 0.9,
            _ => 0.4,
        };
        return if look < least { 0.0 } else { header * (0.7 + 0.3 * look) };
    }
    if PASSED.iter().any(|passed| passed == key) {
        return 0.0;
    }
    let Some(look) = look else { return 0.0 };
    match field {
        Field::ScryfallId if look >= 0.9 => 0.8,
        Field::Name if are_names(values) => BY_LOOK,
        Field::Finish if look >= 0.95 && values.iter().any(|value| value.to_lowercase().contains("foil")) => {
            0.6
        }
        Field::Condition
            if look >= 0.95
                && values.iter().any(|value| header_key(value).contains("mint") || value == "NM") =>
        {
            0.6
        }
        _ => 0.0,
    }
}

/// How well a field fits a column, the column's place, and the field.
type Candidate = (f64, usize, Field);

/// Whether a header is of the copies that are not foil.
fn is_of_others(key: &str) -> bool {
    matches!(key, "normal" | "nonfoil" | "regular")
}

/// Where foils are counted in a column of their own, so are the others: a quantity beside them is of all.
fn without_sums(candidates: &mut Vec<Candidate>, keys: &[String], columns: &[Vec<String>]) {
    let fits_best = |(confidence, at, _): &Candidate| {
        !candidates.iter().any(|(other, place, _)| place == at && other > confidence)
    };
    let counts_apart = candidates.iter().any(|candidate| {
        matches!(candidate.2, Field::FoilQuantity | Field::EtchedQuantity) && fits_best(candidate)
    });
    let counts = |values: &Vec<String>| by_look(Field::Quantity, values).is_some_and(|part| part >= 1.0);
    let of_others: Vec<usize> = candidates
        .iter()
        .filter(|(_, at, field)| {
            *field == Field::Quantity
                && keys.get(*at).is_some_and(|key| is_of_others(key))
                && columns.get(*at).is_some_and(counts)
        })
        .map(|(_, at, _)| *at)
        .collect();
    if counts_apart && !of_others.is_empty() {
        candidates.retain(|(_, at, field)| *field != Field::Quantity || of_others.contains(at));
    }
}

/// Where a column says it plainly, though it be empty, a bare word means something else: a market's price. Only a column of
/// names must be filled as well as the one that it takes the place of.
fn without_bare_words(candidates: &mut Vec<Candidate>, keys: &[String], columns: &[Vec<String>]) {
    let is_bare_at = |at: usize| keys.get(at).is_some_and(|key| is_bare(key));
    let filled = |at: usize| columns.get(at).map_or(0, Vec::len);
    let says = |at: usize, field: Field| keys.get(at).map_or(0.0, |key| by_header(key, field));
    let places: Vec<(usize, Field)> = candidates.iter().map(|(_, at, field)| (*at, *field)).collect();
    let plain: Vec<_> = places.iter().filter(|(at, field)| says(*at, *field) >= 1.0).collect();
    let bare_names: Vec<_> =
        places.iter().filter(|(at, field)| *field == Field::Name && is_bare_at(*at)).collect();
    candidates.retain(|(_, at, field)| {
        if is_bare_at(*at) {
            !plain.iter().any(|(other, said)| {
                said == field && other != at && (*field != Field::Name || filled(*other) >= filled(*at))
            })
        } else {
            *field != Field::Name || !bare_names.iter().any(|(bare, _)| filled(*bare) > filled(*at))
        }
    });
}

/// Each column with the field that fits it best, no field twice.
pub(super) fn map(header: &[String], sample: &[Vec<String>]) -> Vec<Column> {
    let keys: Vec<_> = header.iter().map(|name| header_key(name)).collect();
    let columns: Vec<Vec<String>> = (0..header.len()).map(|at| column_values(sample, at)).collect();
    let has_others = keys.iter().any(|key| is_of_others(key));
    let mut candidates: Vec<Candidate> = Vec::new();
    for (at, (key, values)) in keys.iter().zip(&columns).enumerate() {
        let counts_foils = counts_foils(key, values, has_others);
        for field in Field::ALL {
            let confidence = confidence(key, *field, values);
            let is_meant = !(counts_foils && *field == Field::Finish);
            if confidence >= ENOUGH && is_meant {
                candidates.push((confidence, at, *field));
            }
        }
    }
    without_sums(&mut candidates, &keys, &columns);
    without_bare_words(&mut candidates, &keys, &columns);
    candidates.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
    let mut mapped: Vec<Column> =
        header.iter().map(|name| Column { column: name.clone(), field: None, confidence: 0.0 }).collect();
    let mut taken = Vec::new();
    for (confidence, at, field) in candidates {
        let Some(column) = mapped.get_mut(at) else { continue };
        // "Foil" and "etched" may stand side by side.
        let is_etched = field == Field::Finish && keys.get(at).is_some_and(|key| asks_for_etched(key));
        let is_free = field.may_repeat() || !taken.contains(&(field, is_etched));
        if column.field.is_none() && is_free {
            column.field = Some(field);
            column.confidence = (confidence * 100.0).round() / 100.0;
            taken.push((field, is_etched));
        }
    }
    let says = |at: usize, field: Field| keys.get(at).map_or(0.0, |key| by_header(key, field));
    let guessed: Vec<bool> = mapped
        .iter()
        .enumerate()
        .map(|(at, column)| column.field.is_some_and(|field| says(at, field) <= 0.0))
        .collect();
    if !has_headings(header, &mapped, &guessed, &columns) {
        for (column, _) in mapped.iter_mut().zip(&guessed).filter(|(_, is_guess)| **is_guess) {
            (column.field, column.confidence) = (None, 0.0);
        }
    }
    settle_sets(&mut mapped, &columns);
    without_lone_name(mapped, &keys)
}

/// Whether the first line names columns: one at least says what it holds, and none is a value. A row of values is none, and
/// what its columns look like is not enough to read the rows below it.
fn has_headings(header: &[String], mapped: &[Column], guessed: &[bool], columns: &[Vec<String>]) -> bool {
    let is_number =
        |text: &str| values::quantity(text).is_some() || values::price(text, Currency::Usd, false).is_some();
    let is_value = |heading: &str, below: &[String]| {
        Uuid::parse_str(heading).is_ok()
            || (is_number(heading) && !below.is_empty() && below.iter().all(|value| is_number(value)))
    };
    let mut says_what = false;
    for (((heading, column), is_guess), below) in header.iter().zip(mapped).zip(guessed).zip(columns) {
        let heading = values::clean(heading);
        if is_value(&heading, below) {
            return false;
        }
        // `foil` above `foil` is no heading.
        let key = header_key(&heading);
        let stands_below = below.iter().any(|value| header_key(value) == key);
        says_what |= column.field.is_some() && !is_guess && !stands_below;
    }
    says_what
}

fn column_values(sample: &[Vec<String>], at: usize) -> Vec<String> {
    let cells = sample.iter().take(50).filter_map(|row| row.get(at));
    let start = |cell: &String| values::clean(&cell.chars().take(SAMPLE_CHARS).collect::<String>());
    cells.map(start).filter(|cell| !cell.is_empty()).collect()
}

/// A set's column is of codes or of names, whatever it is called.
fn settle_sets(mapped: &mut [Column], columns: &[Vec<String>]) {
    let has = |mapped: &[Column], field| mapped.iter().any(|column| column.field == Some(field));
    for at in 0..mapped.len() {
        let (Some(field), Some(values)) = (mapped.get(at).and_then(|column| column.field), columns.get(at))
        else {
            continue;
        };
        if !matches!(field, Field::Set | Field::SetCode | Field::SetName) || values.is_empty() {
            continue;
        }
        let codes = values.iter().filter(|value| sets::looks_like_set_code(value)).count();
        let by_look = if codes * 5 >= values.len() * 4 { Field::SetCode } else { Field::SetName };
        if by_look != field
            && !has(mapped, by_look)
            && let Some(column) = mapped.get_mut(at)
        {
            column.field = Some(by_look);
        }
    }
}

/// Names of columns that people and towns have too.
const PLAIN_NAMES: &[&str] =
    &["name", "nom", "nome", "nombre", "title", "titre", "nazwa", "名前", "名称", "название"];

/// A lone "name" among columns that mean nothing here is not enough: lists of customers have names too.
fn without_lone_name(mut mapped: Vec<Column>, keys: &[String]) -> Vec<Column> {
    let says_little = [Field::Name, Field::Owned, Field::Wanted];
    let others = mapped
        .iter()
        .filter(|column| column.field.is_some_and(|field| !says_little.contains(&field)))
        .count();
    let unknown = mapped.iter().filter(|column| column.field.is_none()).count();
    for (column, key) in mapped.iter_mut().zip(keys) {
        let is_plain = PLAIN_NAMES.iter().any(|plain| header_key(plain) == *key);
        if column.field == Some(Field::Name) && others == 0 && is_plain && unknown >= 2 {
            (column.field, column.confidence) = (None, 0.0);
        }
    }
    mapped
}
