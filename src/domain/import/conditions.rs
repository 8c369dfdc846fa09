//! Conditions and languages as cells have them: with more behind, or for each of several copies.

use entity::enums::{Condition, Finish};

use super::platform::Platform;
use super::vocabulary;

/// A condition, with the finish and the language that may stand behind it: `Near Mint Foil - German`, `2xGood`.
pub(super) fn condition(
    platform: Platform,
    text: &str,
) -> Option<(Condition, Option<Finish>, Option<String>)> {
    if let Some(condition) = vocabulary::condition(platform, text) {
        return Some((condition, None, None));
    }
    if platform == Platform::UrzasGatherer {
        return counted(text, |word| vocabulary::condition(platform, word)).map(|found| (found, None, None));
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

pub(super) fn language(platform: Platform, text: &str) -> Option<&'static str> {
    vocabulary::language(platform, text).or_else(|| match platform {
        Platform::UrzasGatherer => counted(text, |word| vocabulary::language(platform, word)),
        _ => None,
    })
}

/// What is said of every copy: `1xGood`, `2xGood,1xGood`; nothing where copies differ.
fn counted<T: PartialEq>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let words = text.split([',', ';']).map(str::trim).filter(|word| !word.is_empty());
    let mut found = None;
    for word in words {
        let word = word.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(['x', 'X', ' ']);
        let value = read(word)?;
        if found.as_ref().is_some_and(|found| *found != value) {
            return None;
        }
        found = Some(value);
    }
    found
}
