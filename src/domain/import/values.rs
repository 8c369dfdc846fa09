//! Forms of numbers, prices, dates and names. Each function is total: what it can't read is `None`.

use chrono::{DateTime, Datelike, Days, NaiveDate, Weekday};
use entity::enums::Currency;

use super::columns::header_key;
use crate::domain::market::Money;

/// Copies that a row may name.
const MOST_COPIES: u32 = 100_000;
/// Hundredths that a price may be.
const MOST_PAID: i64 = 999_999_999;
/// The year of the first printing.
const FIRST_YEAR: i32 = 1993;
/// The days that spreadsheets count from the last but one of 1899, from the first printing to the end of the century.
const SERIAL_DAYS: std::ops::RangeInclusive<u64> = 33_970..=73_050;

/// A cell as it is read: nothing around it, no control characters, and nothing where it only says that there is nothing.
pub fn clean(cell: &str) -> String {
    let text: String = cell
        .chars()
        .filter(|c| !matches!(c, '\u{feff}' | '\u{200b}'))
        .map(|c| if c.is_control() || c == '\u{a0}' { ' ' } else { c })
        .collect();
    let text = text.trim();
    match text.to_lowercase().as_str() {
        "-" | "--" | "–" | "—" | "n/a" | "#n/a" | "null" | "nan" => String::new(),
        _ => text.to_owned(),
    }
}

/// Text of several lines, at most so many characters long, and whether it was longer.
pub fn clip(text: &str, characters: usize) -> (String, bool) {
    let is_kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    let mut kept = text.trim().chars().filter(is_kept);
    let clipped: String = kept.by_ref().take(characters).collect();
    (clipped.trim().to_owned(), kept.next().is_some())
}

/// `4`, `4x`, `x4`, `4.0`, `4,0`.
pub fn quantity(text: &str) -> Option<i32> {
    let text = text.trim();
    let is_times = |c: char| matches!(c, 'x' | 'X' | '×');
    let text = text.strip_prefix(is_times).or_else(|| text.strip_suffix(is_times)).unwrap_or(text).trim();
    // Three digits behind a comma may be thousands.
    let digits = match (text.split_once('.'), text.split_once(',')) {
        (Some((whole, "0" | "00" | "000")), None) | (None, Some((whole, "0" | "00"))) => whole,
        (None, None) => text,
        _ => return None,
    };
    if digits.is_empty() || digits.len() > 12 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    (number <= u64::from(MOST_COPIES)).then(|| i32::try_from(number).ok()).flatten()
}

/// `$5.48`, `€ 1,77`, `1,234.50`. `has_decimal_comma` decides what a lone sign before three digits is.
pub fn price(text: &str, default: Currency, has_decimal_comma: bool) -> Option<Money> {
    let (signs, number) = parts_of_price(text)?;
    let currency = if signs.is_empty() { default } else { currency(&signs)? };
    let amount = hundredths(&number, has_decimal_comma)?;
    (amount <= MOST_PAID).then_some(Money { amount, currency })
}

/// Whether it is a price in a currency that is not kept: `£5`, `12.50 CHF`.
pub fn is_foreign_price(text: &str) -> bool {
    parts_of_price(text)
        .is_some_and(|(signs, number)| is_foreign(&signs) && hundredths(&number, false).is_some())
}

/// Whether a price says that there is none: `$ -`, as spreadsheets write zeros.
pub fn is_no_price(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || "$€£¥-–—".contains(c))
}

/// What stands around a price's number, in small letters without spaces, and the number.
fn parts_of_price(text: &str) -> Option<(String, String)> {
    let text: String =
        text.chars().map(|c| if c.is_whitespace() || c == '\u{202f}' { ' ' } else { c }).collect();
    // `5,-`
    let text = [",-", ".-", ",–", ".–"].into_iter().find_map(|end| text.strip_suffix(end)).unwrap_or(&text);
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = if text.get(..start)?.ends_with(['.', ',']) { start - 1 } else { start };
    let signs: String = [text.get(..start)?, text.get(end..)?].concat();
    let signs = signs.split_whitespace().collect::<String>().to_lowercase();
    Some((signs, text.get(start..end)?.to_owned()))
}

/// Codes and signs of currencies that prices are not kept in.
const FOREIGN: &str = "£ gbp gb£ ¥ jp¥ jpy 円 cn¥ cny rmb 元 aud a$ au$ cad c$ ca$ nzd nz$ chf fr. sfr sek nok dkk kr kr. isk \
     pln zł zl czk kč huf ft ron lei bgn лв rub ₽ руб uah ₴ try ₺ tl ils ₪ brl r$ mxn mx$ ars clp cop pen uyu hkd hk$ \
     sgd s$ twd nt$ krw ₩ 원 thb ฿ php ₱ idr rp myr rm vnd ₫ inr ₹ rs rs. zar aed sar";

/// Whether it is a currency that prices are not kept in.
pub fn is_foreign(text: &str) -> bool {
    let word = text.trim().to_lowercase();
    !word.is_empty() && FOREIGN.split_whitespace().any(|foreign| foreign == word)
}

/// What a heading says of the currency of the prices under it: `Price (EUR)`. The second is of a currency that is not kept.
pub fn currency_in(heading: &str) -> (Option<Currency>, bool) {
    let is_between = |c: char| c.is_whitespace() || "()[]_-/,:".contains(c);
    let mut words = heading.split(is_between).filter(|word| !word.is_empty());
    let found = words.clone().find_map(currency);
    (found, found.is_none() && words.any(is_foreign))
}

/// `$`, `EUR`. Others, such as pounds, are not kept here.
pub fn currency(text: &str) -> Option<Currency> {
    match text.trim().to_lowercase().as_str() {
        "$" | "us$" | "usd" | "usd$" | "$usd" | "dollar" | "dollars" | "us dollar" => Some(Currency::Usd),
        "€" | "eur" | "euro" | "euros" | "€eur" | "eur€" => Some(Currency::Eur),
        "tix" | "tickets" | "ticket" | "event tickets" => Some(Currency::Tix),
        _ => None,
    }
}

fn hundredths(text: &str, has_decimal_comma: bool) -> Option<i64> {
    let text: String = text.chars().filter(|c| !matches!(c, ' ' | '\'' | '’')).collect();
    if !text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',')) {
        return None;
    }
    let decimal = match (text.rfind('.'), text.rfind(',')) {
        (Some(dot), Some(comma)) => Some(dot.max(comma)),
        (Some(at), None) | (None, Some(at)) => {
            let sign = if text.contains(',') { ',' } else { '.' };
            let whole = text.get(..at)?;
            let is_grouping = whole.contains(sign)
                || (text.len() - at == 4
                    && !whole.trim_start_matches('0').is_empty()
                    && (sign == ',') != has_decimal_comma);
            (!is_grouping).then_some(at)
        }
        (None, None) => None,
    };
    let (whole, fraction) = match decimal {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text.as_str(), ""),
    };
    if fraction.contains(['.', ',']) || (whole.contains('.') && whole.contains(',')) {
        return None;
    }
    let mut groups = whole.split(['.', ',']);
    let first = groups.next()?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || first.is_empty() || first.len() > 3 {
            return None;
        }
        digits.push_str(group);
    }
    if digits.len() > 15 {
        return None;
    }
    let whole: i64 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let digit =
        |at: usize| i64::from(fraction.as_bytes().get(at).map_or(0, |byte| byte.saturating_sub(b'0')));
    Some(whole * 100 + digit(0) * 10 + digit(1) + i64::from(digit(2) >= 5))
}

/// `2024-05-31`, with a time or without, `31.05.2024`, `May 31, 2024`, `31-May-24`, `31. Mai 2024`, `2024年5月31日`,
/// `Fri May 31 2024 16:43:29`, Unix time, the days of spreadsheets; `5/6/2024` only where it is known what comes first.
pub fn date(text: &str, month_first: Option<bool>) -> Option<NaiveDate> {
    let text = text.trim();
    let in_dashes;
    let text = if text.contains('年') {
        in_dashes = text.replace(['年', '月'], "-").replace('日', " ");
        in_dashes.trim()
    } else {
        text
    };
    let day = timestamp(text).or_else(|| numeric_date(text, month_first)).or_else(|| worded_date(text))?;
    (FIRST_YEAR..=9999).contains(&day.year()).then_some(day)
}

/// Whether a date says that there is none: `0000-00-00`.
pub fn is_no_date(text: &str) -> bool {
    text.contains('0') && text.chars().all(|c| matches!(c, '0' | '-' | '/' | '.' | ':' | ' ' | 'T' | 'Z'))
}

/// Whether of `5/31/2024` the month stands first; nothing where a date could be read in both ways.
pub fn has_month_first(text: &str) -> Option<bool> {
    let text = text.trim();
    if timestamp(text).is_some() {
        return None;
    }
    let (sign, first, second, _) = parts_of_date(text)?;
    match (first > 12, second > 12) {
        (false, true) if sign != '.' => Some(true),
        (true, false) if sign != '.' => Some(false),
        _ => None,
    }
}

/// A day as spreadsheets count them, with the part of it that a time is or without: `45443.69`.
fn serial_day(text: &str) -> Option<NaiveDate> {
    let (days, time) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let is_number =
        days.len() == 5 && [days, time].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    let days = days.parse::<u64>().ok().filter(|days| is_number && SERIAL_DAYS.contains(days))?;
    NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_days(Days::new(days))
}

fn timestamp(text: &str) -> Option<NaiveDate> {
    if let Some(day) = serial_day(text) {
        return Some(day);
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        return match text.len() {
            8 => NaiveDate::parse_from_str(text, "%Y%m%d").ok(),
            9 | 10 => DateTime::from_timestamp(number, 0).map(|time| time.date_naive()),
            13 => DateTime::from_timestamp_millis(number).map(|time| time.date_naive()),
            _ => None,
        };
    }
    let (day, time) = match text.find(['T', ' ']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, ""),
    };
    let is_time = time.chars().all(|c| c.is_ascii_digit() || " :.+-ZUTCAPM".contains(c.to_ascii_uppercase()));
    let mut parts = day.split(['-', '/', '.']);
    let (year, month, date) = (parts.next()?, parts.next()?, parts.next()?);
    if !is_time || year.len() != 4 || parts.next().is_some() {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(number(year)?).ok()?, number(month)?, number(date)?)
}

/// What a year is written as. Nobody acquired a card before there were any, so `94` is in the last century.
fn year(text: &str) -> Option<i32> {
    let year = i32::try_from(number(text)?).ok()?;
    match text.len() {
        4 => Some(year),
        2 if year >= FIRST_YEAR % 100 => Some(1900 + year),
        2 => Some(2000 + year),
        _ => None,
    }
}

/// The sign of a date that ends with its year, the two numbers before it, and the year.
fn parts_of_date(text: &str) -> Option<(char, u32, u32, i32)> {
    let day = text.split_whitespace().next()?.trim_end_matches(',');
    let sign = ['/', '.', '-'].into_iter().find(|sign| day.contains(*sign))?;
    let mut parts = day.split(sign);
    let found = (sign, number(parts.next()?)?, number(parts.next()?)?, year(parts.next()?)?);
    parts.next().is_none().then_some(found)
}

fn numeric_date(text: &str, month_first: Option<bool>) -> Option<NaiveDate> {
    let (sign, first, second, year) = parts_of_date(text)?;
    let (month, date) = if second > 12 {
        (first, second)
    } else if sign == '.' || first > 12 {
        (second, first)
    } else if first == second || month_first? {
        (first, second)
    } else {
        (second, first)
    };
    NaiveDate::from_ymd_opt(year, month, date)
}

/// Months by their names and by what these are cut to, without accents: English, German, French, Spanish, Italian,
/// Portuguese and Dutch.
const MONTHS: [&str; 12] = [
    "jan january januar janner janv janvier ene enero gen gennaio janeiro januari",
    "feb february februar febr fev fevr fevrier febrero febbraio fevereiro februari",
    "mar march marz mrz maerz mars marzo marco maart mrt",
    "apr april avr avril abr abril aprile",
    "may mai mayo mag maggio maio mei",
    "jun june juni juin junio giu giugno junho",
    "jul july juli juil juillet julio lug luglio julho",
    "aug august aou aout ago agosto augustus",
    "sep sept september septembre septiembre set settembre setembro",
    "oct october okt oktober octobre octubre ott ottobre out outubro",
    "nov november novembre noviembre novembro",
    "dec december dez dezember decembre dic diciembre dicembre dezembro",
];

/// Days of the week, likewise, where they are not English.
const WEEKDAYS: &str = "mo di mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag \
     lun mer jeu ven sam dim lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes miercoles jueves viernes \
     sabado domingo lunedi martedi mercoledi giovedi venerdi";

/// From 1 to 12.
fn month(word: &str) -> Option<u32> {
    let key = header_key(word);
    let at = MONTHS.iter().position(|names| names.split(' ').any(|name| name == key))?;
    u32::try_from(at + 1).ok()
}

/// `31`, `31st`, `1er`.
fn day_of_month(word: &str) -> Option<u32> {
    let ends = ["st", "nd", "rd", "th", "er", "º", "°"];
    number(ends.into_iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word))
}

fn is_weekday(word: &str) -> bool {
    let key = header_key(word);
    word.parse::<Weekday>().is_ok() || WEEKDAYS.split(' ').any(|day| day == key)
}

fn worded_date(text: &str) -> Option<NaiveDate> {
    let text = text.replace([',', '-', '.'], " ");
    let mut words = text.split_whitespace().filter(|word| !matches!(*word, "de" | "del" | "of")).peekable();
    // As browsers write a moment: the day of the week first, and the time behind.
    words.next_if(|word| is_weekday(word));
    let (first, second, last) = (words.next()?, words.next()?, words.next()?);
    let (year, month, date) = match (month(first), month(second)) {
        (Some(month), _) => (year(last)?, month, day_of_month(second)?),
        (None, Some(month)) if first.len() == 4 => (year(first)?, month, day_of_month(last)?),
        (None, Some(month)) => (year(last)?, month, day_of_month(first)?),
        (None, None) => return None,
    };
    NaiveDate::from_ymd_opt(year, month, date)
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Whether it has a date's shape, read or not.
pub fn looks_like_date(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    date(text, Some(true)).is_some() || (digits >= 5 && text.contains(['/', '-', '.']) && text.len() <= 40)
}

/// `116/350`, `#116` and `0116` are `116`.
pub fn collector_number(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('#').trim();
    let text = match text.split_once('/') {
        Some((number, total)) if total.trim().bytes().all(|b| b.is_ascii_alphanumeric()) => number.trim(),
        _ => text,
    };
    let text = text.strip_suffix(".0").unwrap_or(text);
    let bare = text.trim_start_matches('0');
    let text = if bare.starts_with(|c: char| c.is_ascii_digit()) { bare } else { text };
    (!text.is_empty() && text.chars().count() <= 30).then(|| text.to_owned())
}

/// A card's name with its faces apart as Scryfall has them: `Fire // Ice`.
pub fn name(text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // The one card with the sign in its name.
    if text.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("sp//dr")) {
        return Some(text);
    }
    let faces: Vec<_> = text.split('/').map(str::trim).filter(|face| !face.is_empty()).collect();
    let is_letter = |c: Option<char>| c.is_some_and(|c| !c.is_ascii_digit());
    let are_names = faces.len() <= 5
        && faces.windows(2).all(|pair| match pair {
            [left, right] => is_letter(left.chars().last()) && is_letter(right.chars().next()),
            _ => true,
        });
    let name = if are_names { faces.join(" // ") } else { text };
    (!name.is_empty()).then_some(name)
}

/// A number that some shop or database has for a card; 0 is none.
pub fn outside_id(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_suffix(".0").unwrap_or(text).trim_start_matches('0');
    let is_id = !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
    is_id.then(|| text.to_owned())
}

/// A cell as a message quotes it.
pub fn quoted(cell: &str) -> String {
    let short: String = cell.chars().filter(|c| !c.is_control()).take(60).collect();
    if short.chars().count() < cell.chars().count() {
        format!("\"{short}…\"")
    } else {
        format!("\"{short}\"")
    }
}
