//! Columns of yes and no, of which a yes is a tag: "signed".

use super::columns::header_key;

pub(super) fn is_yes(text: &str) -> bool {
    !matches!(header_key(text).as_str(), "" | "no" | "n" | "false" | "0" | "f" | "none" | "nein" | "non")
}

/// The tag that a column of yes and no gives.
pub(super) fn mark(header: &str) -> &'static str {
    let key = header_key(header);
    let marks = [
        ("proof", "artist proof"),
        ("sign", "signed"),
        ("alter", "altered"),
        ("misprint", "misprint"),
        ("textless", "textless"),
        ("promo", "promo"),
        ("maybe", "maybeboard"),
        ("proxy", "proxy"),
    ];
    marks.into_iter().find(|(part, _)| key.contains(part)).map_or("marked", |(_, tag)| tag)
}
