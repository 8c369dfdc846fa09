//! Columns of yes and no, of which a yes is a tag: "signed".

use super::columns::header_key;
use super::vocabulary;

/// What headers have of a mark, and cells that say more than yes or no; and its tag.
const MARKS: [(&str, &str); 8] = [
    ("proof", "artist proof"),
    ("sign", "signed"),
    ("alter", "altered"),
    ("misprint", "misprint"),
    ("textless", "textless"),
    ("promo", "promo"),
    ("maybe", "maybeboard"),
    ("proxy", "proxy"),
];

/// What stands before a mark that a copy does not have: `unsigned`, `not altered`.
const NOT: [&str; 5] = ["un", "no", "not", "non", "nicht"];

/// Whether a cell says yes: whatever does not say no.
pub(super) fn is_yes(text: &str) -> bool {
    let key = header_key(text);
    let is_mark = |rest: &str| MARKS.iter().any(|(part, _)| rest.starts_with(part));
    let is_denied = NOT.into_iter().filter_map(|not| key.strip_prefix(not)).any(is_mark);
    let says_no = key.is_empty() || key == "f" || vocabulary::is_no(&key) || is_denied;
    !says_no || vocabulary::is_tick(text)
}

/// The tag that a column of yes and no gives.
pub(super) fn mark(header: &str) -> &'static str {
    let key = header_key(header);
    MARKS.into_iter().find(|(part, _)| key.contains(part)).map_or("marked", |(_, tag)| tag)
}
