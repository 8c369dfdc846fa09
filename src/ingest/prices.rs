//! MTGJSON's `AllPrices`, version 5.2.2 and later: the past prices of every card, by MTGJSON's id of it. The
//! format is described at <https://mtgjson.com/data-models/price/price-formats/>.

use std::collections::BTreeMap;
use std::io::Read;

use chrono::{Datelike, NaiveDate};
use entity::enums::{Currency, Finish, PriceKind};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::scryfall::vocabulary::{CODE_CHARS, NAME_CHARS, check_length, check_set_code};
use super::source::{BadRecord, Handler, Place, Plan, Shape, Sink, SourceError, clip, obey, parse, walk};

/// The greatest amount.
const MOST: Decimal = Decimal::from_parts(999_999_999, 0, 0, false, 2);

/// The year in which the game came out: there are no prices of years before it.
const FIRST_YEAR: i32 = 1993;

/// All prices of one side of a card, as MTGJSON counts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRecord {
    pub mtgjson_id: Uuid,
    /// Set where the file names the printing, so that one which no catalogue has can be made.
    pub printing: Option<PrintingName>,
    /// By marketplace, kind and finish; none of them is empty.
    pub series: Vec<RawSeries>,
}

/// Which printing a record is of. The keys `name`, `setCode` and `number` are an extension of the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintingName {
    pub name: String,
    /// Lower case.
    pub set_code: String,
    pub number: String,
}

/// What one marketplace asked or paid for one finish, day by day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawSeries {
    /// A slug: lower case letters, digits and hyphens.
    pub marketplace: String,
    pub currency: Currency,
    pub kind: PriceKind,
    pub finish: Finish,
    /// Amounts in minor units, in the order of the days, one a day.
    pub points: Vec<(NaiveDate, i64)>,
}

/// Reads an `AllPrices` or `AllPricesToday` file. No price may be of a day after `latest`: one would make every other price of
/// the store an old one.
///
/// # Errors
/// A record with an amount, a date or a currency that cannot be right is rejected as a whole, while the rest
/// goes on; see [`SourceError`] for what ends the reading.
pub fn read(
    input: impl Read,
    latest: NaiveDate,
    sink: &mut impl Sink<PriceRecord>,
) -> Result<(), SourceError> {
    walk(input, &mut Prices { sink, latest, met_data: false, recognized: false })
}

struct Prices<'s, S> {
    sink: &'s mut S,
    latest: NaiveDate,
    met_data: bool,
    /// Whether a record has shown that this is a file of prices.
    recognized: bool,
}

impl<S: Sink<PriceRecord>> Handler for Prices<'_, S> {
    const FORMAT: &'static str = "an MTGJSON AllPrices file";

    fn plan(&self, at: &Place) -> Plan {
        match (at.depth(), at.key()) {
            (0, _) | (1, "data") => Plan::Enter,
            (2, _) => Plan::Take,
            _ => Plan::Skip,
        }
    }

    fn enter(&mut self, at: &Place, shape: Shape) -> Result<bool, SourceError> {
        match (at.depth(), shape) {
            (depth, Shape::Object) => self.met_data |= depth == 1,
            (0, _) => return Err(Self::not_this_format(shape.to_string())),
            _ => return Err(Self::not_this_format(format!("an object whose {at} is {shape}"))),
        }
        Ok(true)
    }

    fn take(&mut self, at: &Place, value: &str) -> Result<(), SourceError> {
        if !self.recognized && !is_of_prices(at.key(), value) {
            return Err(Self::not_this_format(format!("an object whose {at} holds no prices")));
        }
        self.recognized = true;
        obey(match read_record(at.key(), value, self.latest) {
            Ok(record) => self.sink.accept(record),
            Err(reason) => self.sink.reject(BadRecord::new(at, reason)),
        })
    }

    fn leave(&mut self, at: &Place) -> Result<(), SourceError> {
        if at.depth() == 0 && !self.met_data {
            return Err(Self::not_this_format("an object without data"));
        }
        Ok(())
    }
}

/// Whether the first record shows that the file is one of prices, be the record a broken one. Other files of
/// MTGJSON have objects under `data` too: of sets by code, of cards by id.
fn is_of_prices(key: &str, record: &str) -> bool {
    let has_id = Uuid::try_parse(key).is_ok();
    match serde_json::from_str::<BTreeMap<String, IgnoredAny>>(record) {
        Ok(members) if members.is_empty() => has_id,
        Ok(members) => members.contains_key("paper") || members.contains_key("mtgo"),
        Err(_) => has_id,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object of prices")]
struct Record<'a> {
    #[serde(borrow)]
    paper: Option<Marketplaces<'a>>,
    #[serde(borrow)]
    mtgo: Option<Marketplaces<'a>>,
    name: Option<String>,
    set_code: Option<String>,
    number: Option<String>,
}

type Marketplaces<'a> = BTreeMap<String, Option<Lists<'a>>>;

#[derive(Deserialize)]
#[serde(expecting = "an object of price lists")]
struct Lists<'a> {
    currency: Option<String>,
    #[serde(borrow)]
    retail: Option<Finishes<'a>>,
    #[serde(borrow)]
    buylist: Option<Finishes<'a>>,
}

/// By finish, then by date. Amounts are kept as the file writes them: read as floating point they would not
/// be exact.
type Finishes<'a> = BTreeMap<String, Option<Points<'a>>>;
type Points<'a> = BTreeMap<String, &'a RawValue>;

fn read_record(key: &str, value: &str, latest: NaiveDate) -> Result<PriceRecord, String> {
    let mtgjson_id = Uuid::try_parse(key).map_err(|_| "its key is not a UUID")?;
    let record: Record = parse(value)?;
    let printing = printing_name(record.name, record.set_code, record.number)?;
    let mut series = Vec::new();
    for (marketplace, lists) in record.paper.into_iter().flatten() {
        add_series(&mut series, &marketplace, lists, latest, currency)?;
    }
    for (marketplace, lists) in record.mtgo.into_iter().flatten() {
        // Magic Online's shops count in event tickets; the file says USD of them.
        add_series(&mut series, &marketplace, lists, latest, |_| Ok(Currency::Tix))?;
    }
    Ok(PriceRecord { mtgjson_id, printing, series })
}

fn printing_name(
    name: Option<String>,
    set_code: Option<String>,
    number: Option<String>,
) -> Result<Option<PrintingName>, String> {
    match (name, set_code, number) {
        (None, None, None) => Ok(None),
        (Some(name), Some(set_code), Some(number)) => {
            let set_code = set_code.to_lowercase();
            check_length("the name", &name, NAME_CHARS)?;
            check_set_code(&set_code)?;
            check_length("the collector number", &number, CODE_CHARS)?;
            Ok(Some(PrintingName { name, set_code, number }))
        }
        _ => Err("of name, setCode and number it has only some".to_owned()),
    }
}

/// Adds what one marketplace has, in the currency that `currency` makes of the one which the file names.
fn add_series(
    series: &mut Vec<RawSeries>,
    marketplace: &str,
    lists: Option<Lists>,
    latest: NaiveDate,
    currency: fn(Option<&str>) -> Result<Currency, String>,
) -> Result<(), String> {
    let Some(Lists { currency: currency_code, retail, buylist }) = lists else {
        return Ok(());
    };
    let kinds = [(PriceKind::Retail, "retail", retail), (PriceKind::Buylist, "buylist", buylist)];
    for (kind, kind_name, finishes) in kinds {
        for (finish_name, points) in finishes.into_iter().flatten() {
            let (Some(finish), Some(points)) = (finish(&finish_name), points) else {
                continue;
            };
            let place = format!("{marketplace} {kind_name} {finish_name}");
            let points = read_points(points, latest).map_err(|reason| format!("{place} {reason}"))?;
            if !points.is_empty() {
                let marketplace = slug(marketplace)?;
                let currency =
                    currency(currency_code.as_deref()).map_err(|reason| format!("{place}: {reason}"))?;
                series.push(RawSeries { marketplace, currency, kind, finish, points });
            }
        }
    }
    Ok(())
}

fn slug(marketplace: &str) -> Result<String, String> {
    let slug = marketplace.to_ascii_lowercase();
    check_length("a marketplace's name", &slug, CODE_CHARS)?;
    let is_fit = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-');
    if slug.chars().all(is_fit) { Ok(slug) } else { Err(format!("{slug:?} is no name of a marketplace")) }
}

fn currency(code: Option<&str>) -> Result<Currency, String> {
    match code {
        Some("USD") => Ok(Currency::Usd),
        Some("EUR") => Ok(Currency::Eur),
        Some("TIX") => Ok(Currency::Tix),
        Some(other) => Err(format!("the currency {other:?} is not known")),
        None => Err("no currency is named".to_owned()),
    }
}

fn finish(name: &str) -> Option<Finish> {
    match name {
        "normal" => Some(Finish::Nonfoil),
        "foil" => Some(Finish::Foil),
        "etched" => Some(Finish::Etched),
        _ => None,
    }
}

/// In the order of the days: dates of one length sort as their texts do. A null says that there was no price.
fn read_points(points: Points, latest: NaiveDate) -> Result<Vec<(NaiveDate, i64)>, String> {
    let priced = points.into_iter().filter(|(_, amount)| amount.get() != "null");
    let point = |(date, amount): (String, &RawValue)| {
        let point = read_date(&date, latest).and_then(|day| Ok((day, minor_units(amount.get())?)));
        point.map_err(|reason| format!("{date}: {reason}"))
    };
    priced.map(point).collect()
}

fn read_date(text: &str, latest: NaiveDate) -> Result<NaiveDate, String> {
    let date: NaiveDate = text.parse().map_err(|_| "this is not a date")?;
    if text.len() != "2026-01-31".len() {
        return Err("this is not a date".to_owned());
    }
    if date.year() < FIRST_YEAR {
        return Err(format!("this day is before {FIRST_YEAR}"));
    }
    if date > latest {
        return Err(format!("this day is still to come: the last that a price may be of is {latest}"));
    }
    Ok(date)
}

/// A JSON number's own text, as whole minor units; half of one counts as one, as it does in a shop.
fn minor_units(number: &str) -> Result<i64, String> {
    let amount = Decimal::from_str_exact(number)
        .or_else(|_| Decimal::from_scientific(number))
        .map_err(|_| format!("{} is not an amount", clip(number, 40)))?;
    if amount < Decimal::ZERO {
        return Err(format!("{number} is negative"));
    }
    let amount = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    if amount > MOST {
        return Err(format!("{number} is more than {MOST}"));
    }
    (amount * Decimal::ONE_HUNDRED).to_i64().ok_or_else(|| format!("{number} is not an amount"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::source::testing::Kept;
    use super::*;

    const ID: &str = "5e5e5e5e-0000-5000-8000-000000000001";

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn read_text(text: &str) -> (Result<(), SourceError>, Kept<PriceRecord>) {
        let mut kept = Kept::new();
        (read(text.as_bytes(), day("2031-04-07"), &mut kept), kept)
    }

    fn read_record(record: &Value) -> Result<PriceRecord, String> {
        let (end, mut kept) = read_text(&json!({"meta": {}, "data": {ID: record}}).to_string());
        end.unwrap();
        kept.items.pop().ok_or_else(|| format!("{}: {}", kept.bad[0].position, kept.bad[0].reason))
    }

    /// The points of a record with these prices, given as the text of a JSON object.
    fn points(prices: &str) -> Result<Vec<(String, i64)>, String> {
        let shop = format!(r#"{{"currency": "EUR", "retail": {{"foil": {prices}}}}}"#);
        let (end, mut kept) =
            read_text(&format!(r#"{{"data": {{"{ID}": {{"paper": {{"shop": {shop}}}}}}}}}"#));
        end.unwrap();
        let record = kept.items.pop().ok_or_else(|| kept.bad[0].reason.clone())?;
        let points = record.series.into_iter().flat_map(|series| series.points);
        Ok(points.map(|(day, amount)| (day.to_string(), amount)).collect())
    }

    fn amount(number: &str) -> Result<i64, String> {
        points(&format!(r#"{{"2031-04-05": {number}}}"#)).map(|points| points[0].1)
    }

    #[test]
    fn reads_every_list_that_it_knows() {
        let record = read_record(&json!({
            "paper": {
                "CardKingdom": {
                    "currency": "USD",
                    "buylist": {"normal": {"2031-04-05": 1}, "foil": {}},
                    "retail": {"etched": {"2031-04-05": 2.5}, "sparkling": {"2031-04-05": 3}},
                    "auction": {"normal": {"2031-04-05": 4}},
                },
                "silent": {},
            },
            "mtgo": {"cardhoarder": {"currency": "USD", "retail": {"normal": {"2031-04-05": 0.02}}}},
            "arena": {"gems": {"currency": "GEM"}},
        }));
        let series = |marketplace: &str, currency, kind, finish, amount| RawSeries {
            marketplace: marketplace.to_owned(),
            currency,
            kind,
            finish,
            points: vec![(day("2031-04-05"), amount)],
        };
        let expected = PriceRecord {
            mtgjson_id: Uuid::try_parse(ID).unwrap(),
            printing: None,
            series: vec![
                series("cardkingdom", Currency::Usd, PriceKind::Retail, Finish::Etched, 250),
                series("cardkingdom", Currency::Usd, PriceKind::Buylist, Finish::Nonfoil, 100),
                series("cardhoarder", Currency::Tix, PriceKind::Retail, Finish::Nonfoil, 2),
            ],
        };
        assert_eq!(record, Ok(expected));
    }

    #[test]
    fn points_come_by_day_and_the_last_of_a_day_stands() {
        let read = points(r#"{"2031-04-06": 2, "2031-04-05": 1, "2031-04-06": 3, "2031-04-07": null}"#);
        assert_eq!(read, Ok(vec![("2031-04-05".to_owned(), 100), ("2031-04-06".to_owned(), 300)]));
    }

    #[test]
    fn amounts_are_exact_and_halves_round_away_from_zero() {
        let cases = [
            ("0", 0),
            ("-0.0", 0),
            ("1.99", 199),
            ("0.1", 10),
            ("1.005", 101),
            ("1.0049999999999999", 100),
            ("2.675", 268),
            ("149999.99", 14_999_999),
            ("1e2", 10_000),
            ("1.5E-2", 2),
            ("9999999.99", 999_999_999),
        ];
        for (number, expected) in cases {
            assert_eq!(amount(number), Ok(expected), "{number}");
        }
    }

    #[test]
    fn an_amount_that_cannot_be_right_is_refused_by_its_place() {
        let cases = [
            ("-0.01", "-0.01 is negative"),
            ("9999999.995", "9999999.995 is more than 9999999.99"),
            ("1e9", "1e9 is more than 9999999.99"),
            ("1e400", "1e400 is not an amount"),
            ("1e-400", "1e-400 is not an amount"),
            ("99999999999999999999999999999999", "99999999999999999999999999999999 is not an amount"),
            ("\"1.99\"", "\"1.99\" is not an amount"),
            ("\"NaN\"", "\"NaN\" is not an amount"),
            ("{}", "{} is not an amount"),
        ];
        for (number, reason) in cases {
            assert_eq!(amount(number), Err(format!("shop retail foil 2031-04-05: {reason}")));
        }
    }

    #[test]
    fn a_date_that_cannot_be_right_is_refused() {
        let not_a_date = ["2031-02-30", "2031-4-5", "soon", ""].map(|date| (date, "this is not a date"));
        let too_early = ["0001-01-01", "1992-12-31"].map(|date| (date, "this day is before 1993"));
        let to_come = ["2031-04-08", "2099-01-01", "9999-12-31"]
            .map(|date| (date, "this day is still to come: the last that a price may be of is 2031-04-07"));
        for (date, expected) in not_a_date.into_iter().chain(too_early).chain(to_come) {
            let reason = points(&format!(r#"{{"2031-04-05": 1, "{date}": 1}}"#)).unwrap_err();
            assert_eq!(reason, format!("shop retail foil {date}: {expected}"));
        }
        for date in ["1993-01-01", "2031-04-07"] {
            assert_eq!(points(&format!(r#"{{"{date}": 1}}"#)), Ok(vec![(date.to_owned(), 100)]));
        }
    }

    #[test]
    fn a_record_in_an_unknown_currency_is_refused() {
        let prices = json!({"normal": {"2031-04-05": 1}});
        let record = |currency| json!({"paper": {"shop": {"currency": currency, "retail": prices}}});
        let refusal = |currency| read_record(&record(currency)).unwrap_err();
        assert_eq!(
            refusal(json!("GEM")),
            format!("data.{ID}: shop retail normal: the currency \"GEM\" is not known")
        );
        assert_eq!(refusal(Value::Null), format!("data.{ID}: shop retail normal: no currency is named"));
    }

    #[test]
    fn a_printing_is_named_whole_or_not_at_all() {
        let whole = json!({"paper": {}, "name": "Wick Tender", "setCode": "LMP", "number": "7a"});
        let printing = PrintingName {
            name: "Wick Tender".to_owned(),
            set_code: "lmp".to_owned(),
            number: "7a".to_owned(),
        };
        assert_eq!(read_record(&whole).map(|record| record.printing), Ok(Some(printing)));
        let half = json!({"paper": {}, "name": "Wick Tender"});
        let reason = "of name, setCode and number it has only some";
        assert_eq!(read_record(&half), Err(format!("data.{ID}: {reason}")));
    }

    #[test]
    fn a_bad_record_is_left_out_and_the_rest_goes_on() {
        let text =
            format!(r#"{{"data": {{"no-id": {{"paper": {{}}}}, "{ID}": {{}}, "x": {{}}, "{ID}": 7}}}}"#);
        let (end, kept) = read_text(&text);
        end.unwrap();
        assert_eq!(kept.items.len(), 1);
        let bad = [
            BadRecord::new("data.no-id", "its key is not a UUID"),
            BadRecord::new("data.x", "its key is not a UUID"),
            BadRecord::new(format!("data.{ID}"), "invalid type: integer `7`, expected an object of prices"),
        ];
        assert_eq!(kept.bad, bad);
    }

    #[test]
    fn refuses_other_formats_before_anything_is_accepted() {
        let refusal = |text: &str| {
            let (end, kept) = read_text(text);
            assert_eq!((kept.items, kept.bad), (vec![], vec![]));
            end.unwrap_err().to_string()
        };
        let not = |found: &str| format!("this is not an MTGJSON AllPrices file, but {found}");
        assert_eq!(
            refusal(r#"{"data": {"LMP": {"cards": []}}}"#),
            not("an object whose data.LMP holds no prices")
        );
        let cards = format!(r#"{{"data": {{"{ID}": {{"name": "Wick Tender"}}}}}}"#);
        assert_eq!(refusal(&cards), not(&format!("an object whose data.{ID} holds no prices")));
        assert_eq!(refusal(r#"{"data": []}"#), not("an object whose data is a list"));
        assert_eq!(refusal(r#"{"object": "error"}"#), not("an object without data"));
        assert_eq!(refusal("[1, 2]"), not("a list"));
    }
}
