//! Conditions and languages as cells have them: with more behind, or counted for each of several copies.

use entity::enums::{Condition, Finish};

use super::platform::Platform;
use super::row::ImportRow;
use super::{values, vocabulary};

/// A condition, with the finish and the language that may stand behind it: `Near Mint Foil - German`.
pub(super) fn condition(
    platform: Platform,
    text: &str,
) -> Option<(Condition, Option<Finish>, Option<String>)> {
    if let Some(condition) = vocabulary::condition(platform, text).or_else(|| said_twice(platform, text)) {
        return Some((condition, None, None));
    }
    let (text, language) = match text.split_once(" - ") {
        Some((before, behind)) => (before, Some(vocabulary::language(platform, behind)?.to_owned())),
        None => (text, None),
    };
    let lower = text.to_lowercase();
    let finishes =
        [(" foil etched", Finish::Etched), (" etched", Finish::Etched), (" holofoil", Finish::Foil)];
    for (end, finish) in finishes.into_iter().chain([(" foil", Finish::Foil), (" unopened", Finish::Nonfoil)])
    {
        if let Some(before) = lower.strip_suffix(end) {
            let finish = Some(finish).filter(|finish| *finish != Finish::Nonfoil);
            return Some((vocabulary::condition(platform, before)?, finish, language));
        }
    }
    Some((vocabulary::condition(platform, text)?, None, language))
}

/// A condition in its letters and in its words: `NM (Near Mint)`, `LP - Lightly Played`.
fn said_twice(platform: Platform, text: &str) -> Option<Condition> {
    let enclosed = text.trim_end().strip_suffix(')').and_then(|text| text.split_once('('));
    let (first, second) = enclosed.or_else(|| text.split_once(" - "))?;
    let [first, second] = [first, second].map(|part| vocabulary::condition(platform, part));
    first.filter(|_| first == second)
}

/// What is said of copies, and of how many: `1xMint, 2xGood`. The same said twice is one. Nothing where a word has no count, or
/// can't be read.
pub(super) fn counted<T: PartialEq>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<(i32, T)>> {
    let mut found: Vec<(i32, T)> = Vec::new();
    for word in text.split([',', ';']).map(str::trim).filter(|word| !word.is_empty()) {
        let (count, word) = word.split_once(['x', 'X', '×'])?;
        let (count, value) = (values::quantity(count)?, read(word.trim())?);
        match found.iter_mut().find(|(_, there)| *there == value) {
            Some((before, _)) => *before = before.saturating_add(count),
            None => found.push((count, value)),
        }
    }
    (!found.is_empty()).then_some(found)
}

/// Deals out to copies what is counted, in the order of both. Where the counts are not those of the copies, the first is said of
/// all; what is not sure is told. `what` they are is for people: `conditions`.
pub(super) fn deal<T>(
    rows: Vec<ImportRow>,
    counted: &[(i32, T)],
    what: &str,
    say: impl Fn(&mut ImportRow, &T),
) -> Vec<ImportRow> {
    let Some((_, first)) = counted.first() else { return rows };
    let copies = rows.iter().fold(0_i32, |sum, row| sum.saturating_add(row.quantity));
    let said = counted.iter().fold(0_i32, |sum, (count, _)| sum.saturating_add(*count));
    let unsure = if copies != said {
        Some(format!("Its {what} are not as many as its copies: the first is taken for all."))
    } else if counted.len() > 1 && rows.len() > 1 {
        Some(format!("Which copies its {what} are of is not said: they are taken in their order."))
    } else {
        None
    };
    let mut rest = counted.iter().map(|(count, value)| (*count, value)).filter(|(count, _)| *count > 0);
    let mut next = if copies == said { rest.next() } else { Some((i32::MAX, first)) };
    let mut dealt = Vec::with_capacity(rows.len());
    for row in rows {
        let mut open = row.quantity;
        while open > 0
            && let Some((count, value)) = next
        {
            let quantity = open.min(count);
            let mut part = ImportRow { quantity, ..row.clone() };
            say(&mut part, value);
            if let Some(unsure) = &unsure {
                part.leave_out(unsure);
            }
            dealt.push(part);
            open -= quantity;
            next = if count > quantity { Some((count - quantity, value)) } else { rest.next() };
        }
    }
    dealt
}
