//! Columns of yes and no, of which a yes is a tag: "signed"; and what else of a copy is kept as a tag.

use super::columns::header_key;
use super::row::ImportRow;
use super::vocabulary;

/// What headers have of a mark, and cells that say more than yes or no; and its tag.
const MARKS: [(&str, &str); 9] = [
    ("proof", "artist proof"),
    ("sign", "signed"),
    ("alter", "altered"),
    ("misprint", "misprint"),
    ("textless", "textless"),
    ("promo", "promo"),
    ("maybe", "maybeboard"),
    ("proxy", "proxy"),
    ("playtest", "proxy"),
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
    known_mark(header).unwrap_or("marked")
}

/// The tag of a word that has a mark in it: `alteredArt`.
pub(super) fn known_mark(word: &str) -> Option<&'static str> {
    let key = header_key(word);
    MARKS.into_iter().find(|(part, _)| key.contains(part)).map(|(_, tag)| tag)
}

/// Says what a copy was handed out as. The List is a set, where the row names no other.
pub(super) fn add_kind(row: &mut ImportRow, kind: &str) {
    row.add_tag(kind);
    if kind == vocabulary::THE_LIST {
        if row.set_code.is_none() && row.set_name.is_none() {
            row.set_code = Some(vocabulary::LIST_CODE.to_owned());
        }
        if row.set_code.as_deref() == Some(vocabulary::LIST_CODE) {
            return;
        }
    }
    row.leave_out(&format!(
        "Of “{kind}” only a tag is kept: its set and number decide which printing it is."
    ));
}
