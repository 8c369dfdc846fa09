//! Lists that are no table: `4 Llanowar Elves (M19) 314`, as decks are written.

use entity::enums::Finish;

use super::columns::header_key;
use super::detect::Plan;
use super::marks::add_kind;
use super::platform::Platform;
use super::row::{ImportRow, Line as Held, RowProblem};
use super::{sets, values, vocabulary};

/// Where in a list a line stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// Of what is in it; nothing in the main deck.
    tag: Option<&'static str>,
    /// The lines tell of the list, not of cards.
    is_about: bool,
}

/// Headings, and the tags of what stands under them.
const SECTIONS: &[(&str, Option<&str>)] = &[
    ("deck", None),
    ("main", None),
    ("maindeck", None),
    ("mainboard", None),
    ("collection", None),
    ("sideboard", Some("Sideboard")),
    ("side", Some("Sideboard")),
    ("sb", Some("Sideboard")),
    ("maybeboard", Some("Maybeboard")),
    ("maybe", Some("Maybeboard")),
    ("considering", Some("Maybeboard")),
    ("commander", Some("Commander")),
    ("commanders", Some("Commander")),
    ("companion", Some("Companion")),
    ("tokens", Some("Tokens")),
    ("wishlist", Some("Wishlist")),
    ("hauptdeck", None),
    ("réserve", Some("Sideboard")),
    ("reserve", Some("Sideboard")),
    ("banquillo", Some("Sideboard")),
];

/// Headings that sort a deck by what its cards are.
const KINDS: &[&str] = &[
    "creature",
    "creatures",
    "land",
    "lands",
    "instant",
    "instants",
    "sorcery",
    "sorceries",
    "artifact",
    "artifacts",
    "enchantment",
    "enchantments",
    "planeswalker",
    "planeswalkers",
    "spells",
    "battle",
    "battles",
    "basiclands",
    "nonbasiclands",
    "noncreaturespells",
    "other",
];

/// Sections of a card or two: what a heading of another kind stands above is in them no more.
const SMALL: [&str; 2] = ["Commander", "Companion"];

const ABOUT: &str = "The line tells of the list, and of no card.";

enum Line<'a> {
    Nothing,
    Heading(Option<&'static str>),
    /// Says what kind the cards under it are, not which section they are in.
    Title,
    About,
    /// What stands behind `SB:`, and whether it did.
    Card(&'a str, bool),
}

fn kind(text: &str) -> Line<'_> {
    let bare = text.trim_start_matches(['/', '#', '=', '-', '~', '*', ' ']).trim();
    let is_comment = text.starts_with("//") || text.starts_with('#') || bare.is_empty();
    let is_titled = bare.ends_with([':', ')']) || text.starts_with(['=', '-', '~']);
    let title = match bare.rsplit_once('(') {
        Some((title, count)) if is_sum(count) => title,
        _ => bare.trim_end_matches([':', '=', '-', '~', '*', ' ']),
    };
    let key = header_key(title);
    if key == "about" || key == "metadata" {
        return Line::About;
    }
    if let Some((_, tag)) = SECTIONS.iter().find(|(word, _)| *word == key) {
        return Line::Heading(*tag);
    }
    let is_counted = text.starts_with(|c: char| c.is_ascii_digit());
    if KINDS.contains(&key.as_str()) && !is_counted {
        return Line::Title;
    }
    let is_title = is_titled && !is_counted && !key.is_empty() && title.len() < bare.len();
    if is_comment {
        return if is_title { Line::Title } else { Line::Nothing };
    }
    let is_total = key.starts_with("total") && key.chars().all(|c| c.is_ascii_alphanumeric());
    if is_total && bare.contains(':') {
        return Line::Nothing;
    }
    if is_title {
        return Line::Title;
    }
    match text.get(..3) {
        Some(start) if start.eq_ignore_ascii_case("sb:") => {
            Line::Card(text.get(3..).unwrap_or_default().trim(), true)
        }
        _ => Line::Card(text, false),
    }
}

/// What stands behind a bracket where a heading counts its cards: `15)`, `15 cards):`.
fn is_sum(count: &str) -> bool {
    let count = count.trim_end_matches([')', ':', ' ']);
    let count = count.strip_suffix("cards").or_else(|| count.strip_suffix("card")).unwrap_or(count);
    count.trim_end().bytes().all(|b| b.is_ascii_digit())
}

/// A count at the start of a line, and what is behind it.
fn counted(text: &str) -> Option<(&str, &str)> {
    let (first, rest) = text.split_once(char::is_whitespace)?;
    let digits = first.trim_matches(['x', 'X', '×', '-', '+']);
    let is_count =
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && !first.starts_with('+');
    (is_count && !rest.trim().is_empty()).then(|| (first, rest.trim()))
}

impl Plan {
    /// Whether most lines are a count and something behind it.
    pub fn looks_like_decklist(lines: &[String]) -> bool {
        let (mut cards, mut others, mut headings) = (0_usize, 0_usize, 0_usize);
        for line in lines {
            let text = values::clean(line);
            match kind(&text) {
                Line::Card(card, is_side) => {
                    let is_card = counted(card).is_some_and(|(_, name)| {
                        name.starts_with(|c: char| c.is_alphabetic() || c == '[') && !line.contains('\t')
                    });
                    if is_card || is_side { cards += 1 } else { others += 1 }
                }
                Line::Heading(_) | Line::About => headings += 1,
                Line::Title | Line::Nothing => {}
            }
        }
        // A title above the list is no card.
        cards > 0 && (cards >= others * 4 || (headings > 0 && cards > others))
    }

    /// The copies that a line of a list has; none where it is a heading, a comment or blank.
    ///
    /// # Errors
    /// ERR-1103 where the count can't be read or is 0, ERR-1101 where it names no card.
    pub fn read_line(&self, state: &mut Section, line: u64, text: &str) -> Result<Held, RowProblem> {
        let text = values::clean(text);
        let (card, is_side) = match kind(&text) {
            Line::Nothing => return Ok(Held::Nothing("The line is a comment or a heading.")),
            Line::About => {
                *state = Section { tag: None, is_about: true };
                return Ok(Held::Nothing(ABOUT));
            }
            Line::Title => {
                if state.is_about {
                    return Ok(Held::Nothing(ABOUT));
                }
                state.tag = state.tag.filter(|tag| !SMALL.contains(tag));
                return Ok(Held::Nothing("The line is a comment or a heading."));
            }
            Line::Heading(tag) => {
                *state = Section { tag, is_about: false };
                return Ok(Held::Nothing("The line is a heading."));
            }
            Line::Card(..) if state.is_about => return Ok(Held::Nothing(ABOUT)),
            Line::Card(card, is_side) => (card, is_side),
        };
        let mut row = ImportRow::at(line);
        let rest = match counted(card) {
            Some((count, rest)) => {
                let expected = "a quantity is a whole number from 1 to 100000";
                let quantity = values::quantity(count);
                row.quantity = quantity.ok_or_else(|| RowProblem::value("quantity", count, expected))?;
                rest
            }
            None => card,
        };
        if row.quantity == 0 {
            return Err(RowProblem::no_copies());
        }
        if is_side {
            row.add_tag("Sideboard");
        } else if let Some(tag) = state.tag {
            row.add_tag(tag);
        }
        row.name = values::name(read_ends(rest, &mut row));
        row.checked().map(|row| Held::Copies(vec![row]))
    }
}

/// Takes what stands before and behind a name, and leaves the name.
fn read_ends<'a>(text: &'a str, row: &mut ImportRow) -> &'a str {
    let mut text = text;
    // `[M19#314] Llanowar Elves`, `[M19:314] Llanowar Elves`
    if let Some((inside, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        && !rest.trim().is_empty()
    {
        let is_place = |(code, number): &(&str, &str)| {
            sets::looks_like_set_code(code) && number.bytes().any(|b| b.is_ascii_digit())
        };
        let place = inside.split_once('#').or_else(|| inside.split_once(':').filter(is_place));
        let (code, number) = place.unwrap_or((inside, ""));
        row.set_code = sets::set_code(Platform::Decklist, code);
        row.collector_number = values::collector_number(number);
        // `[Ramp: rocks] Sol Ring`
        if row.set_code.is_none() && row.collector_number.is_none() {
            row.add_tag(inside);
        }
        text = rest.trim();
    }
    if let Some((before, tags)) = text.split_once(" #")
        && !tags.starts_with(|c: char| c.is_ascii_digit())
    {
        for tag in tags.split(" #") {
            row.add_tag(tag.trim().trim_start_matches('!'));
        }
        text = before.trim_end();
    }
    // Each turn takes one thing off the end.
    while let Some(before) = read_end(text, row).filter(|before| !before.is_empty()) {
        text = before;
    }
    if row.set_code.is_none() && row.tags.iter().any(|tag| tag == vocabulary::THE_LIST) {
        row.set_code = Some(vocabulary::LIST_CODE.to_owned());
    }
    text
}

fn read_end<'a>(text: &'a str, row: &mut ImportRow) -> Option<&'a str> {
    let enclosed = |open: char, close: char| {
        let (before, inside) = text.strip_suffix(close)?.rsplit_once(open)?;
        (before.is_empty() || before.ends_with(' ')).then(|| (before.trim_end(), inside.trim()))
    };
    if let Some((before, inside)) = enclosed('*', '*') {
        match header_key(inside).as_str() {
            "f" | "foil" => row.finish = Some(Finish::Foil),
            "e" | "etched" => row.finish = Some(Finish::Etched),
            "fetch" => row.finish = Some(Finish::Etched),
            "cmdr" => row.add_tag("Commander"),
            _ => add_said(row, inside),
        }
        return Some(before);
    }
    if let Some((before, inside)) = enclosed('^', '^') {
        // `^Have,#37d67a^`: a tag and its colour.
        row.add_tag(inside.split(',').next().unwrap_or_default());
        return Some(before);
    }
    if let Some((before, inside)) = enclosed('<', '>') {
        if inside.starts_with(|c: char| c.is_ascii_digit()) {
            row.collector_number = values::collector_number(inside);
        }
        return Some(before);
    }
    if let Some((before, inside)) = enclosed('[', ']') {
        let is_code = inside.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if is_code && row.set_code.is_none() && sets::looks_like_set_code(inside) {
            row.set_code = sets::set_code(Platform::Decklist, inside);
        } else {
            for tag in inside.split(',') {
                row.add_tag(tag.split('{').next().unwrap_or_default());
            }
        }
        return Some(before);
    }
    if let Some((before, inside)) = enclosed('(', ')') {
        match header_key(inside).as_str() {
            "f" | "foil" => row.finish = Some(Finish::Foil),
            "e" | "etched" | "foiletched" => row.finish = Some(Finish::Etched),
            _ if row.set_code.is_none() && sets::looks_like_set_code(inside) => {
                row.set_code = sets::set_code(Platform::Decklist, inside);
            }
            // `(C21:263)`
            _ => {
                let (code, number) = inside.split_once(':')?;
                if row.set_code.is_some() || !sets::looks_like_set_code(code) {
                    return None;
                }
                row.set_code = sets::set_code(Platform::Decklist, code);
                row.collector_number = values::collector_number(number);
            }
        }
        return Some(before);
    }
    // `(M19) 314`
    let (before, number) = text.rsplit_once(' ')?;
    let is_number = number.bytes().any(|b| b.is_ascii_alphanumeric()) && number.chars().count() <= 12;
    let (_, code) = before.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    if !is_number || !sets::looks_like_set_code(code) || row.collector_number.is_some() {
        return None;
    }
    row.collector_number = values::collector_number(number);
    Some(before.trim_end())
}

/// What stands between two stars in TappedOut's lists: what a copy was handed out as, or its language; else a tag.
fn add_said(row: &mut ImportRow, said: &str) {
    if let Some((finish, kind)) = vocabulary::tappedout_finish(said) {
        row.finish = Some(finish);
        // Its set stands before this, and is read after it.
        if kind == vocabulary::THE_LIST {
            row.add_tag(kind);
        } else {
            add_kind(row, kind);
        }
    } else if let Some(language) = vocabulary::language(Platform::Decklist, said) {
        row.language = Some(language.to_owned());
    } else {
        row.add_tag(said);
    }
}
