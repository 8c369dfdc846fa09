//! Codes and names of sets, and what shops write behind the names of cards.

use entity::enums::Finish;

use super::columns::header_key;
use super::platform::Platform;

/// Codes that are not Scryfall's, as they are there. Those of two letters are Gatherer's and Magic Online's.
const SET_CODES: &[(&str, &str)] = &[
    ("1e", "lea"),
    ("2e", "leb"),
    ("2u", "2ed"),
    ("3e", "3ed"),
    ("4e", "4ed"),
    ("5e", "5ed"),
    ("6e", "6ed"),
    ("7e", "7ed"),
    ("8e", "8ed"),
    ("9e", "9ed"),
    ("an", "arn"),
    ("aq", "atq"),
    ("le", "leg"),
    ("dk", "drk"),
    ("fe", "fem"),
    ("hm", "hml"),
    ("ia", "ice"),
    ("al", "all"),
    ("ch", "chr"),
    ("mi", "mir"),
    ("vi", "vis"),
    ("wl", "wth"),
    ("te", "tmp"),
    ("st", "sth"),
    ("ex", "exo"),
    ("uz", "usg"),
    ("ul", "ulg"),
    ("gu", "ulg"),
    ("ud", "uds"),
    ("cg", "uds"),
    ("mm", "mmq"),
    ("ne", "nem"),
    ("pr", "pcy"),
    ("py", "pcy"),
    ("in", "inv"),
    ("ps", "pls"),
    ("ap", "apc"),
    ("od", "ody"),
    ("po", "por"),
    ("p2", "p02"),
    ("po2", "p02"),
    ("pk", "ptk"),
    ("p3k", "ptk"),
    ("p3", "s99"),
    ("p4", "s00"),
    ("ug", "ugl"),
    ("bd", "btd"),
    ("nms", "nem"),
    ("dar", "dom"),
    ("cfx", "con"),
    ("plist", "plst"),
    ("list", "plst"),
    ("tsts", "tsb"),
    ("10ed", "10e"),
    ("mys1", "mb1"),
    ("eo2", "e02"),
    ("pfl", "pd2"),
];

/// Magic Online's, whose letters are other sets' elsewhere.
const MTGO_SET_CODES: &[(&str, &str)] =
    &[("med", "me1"), ("evg", "dd1"), ("pc1", "hop"), ("ms2", "mps"), ("ms3", "mp2"), ("ms4", "med")];

/// Scryfall's code, in small letters. Nothing where it is none of a set at all.
pub fn set_code(platform: Platform, text: &str) -> Option<String> {
    let text = text.trim().trim_matches(['(', ')', '[', ']']).to_lowercase();
    let is_code =
        (2..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    // Deckbox numbers the tokens of a set: `ex_127`.
    if !is_code || text.starts_with("ex_") {
        return None;
    }
    let own = if platform == Platform::Mtgo { MTGO_SET_CODES } else { &[] };
    if let Some((_, code)) = own.iter().chain(SET_CODES).find(|(theirs, _)| *theirs == text) {
        return Some((*code).to_owned());
    }
    match text.split_once('_') {
        Some((kit @ ("gk1" | "gk2"), _)) => return Some(kit.to_owned()),
        // Deckbox's promo packs and prereleases: `M21_PP`.
        Some((set, "pp" | "pr")) if set.len() == 3 => return Some(format!("p{set}")),
        _ => {}
    }
    // TCGplayer's promo packs: `PPBLB`.
    match text.strip_prefix("pp") {
        Some(set) if platform == Platform::Tcgplayer && set.len() == 3 => Some(format!("p{set}")),
        _ => Some(text),
    }
}

/// Whether it has a code's look: `M19`, `tmh2`.
pub fn looks_like_set_code(text: &str) -> bool {
    let text = text.trim();
    let is_one_case =
        !text.bytes().any(|b| b.is_ascii_lowercase()) || !text.bytes().any(|b| b.is_ascii_uppercase());
    (2..=6).contains(&text.len())
        && is_one_case
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Whether it could be a name, where it is no code.
pub fn looks_like_set_name(text: &str) -> bool {
    text.chars().any(char::is_alphabetic) && !text.contains('_')
}

/// Names of sets that differ from Scryfall's, without spaces and signs.
const SET_NAMES: &[(&str, &str)] = &[
    ("alpha", "Limited Edition Alpha"),
    ("alphaedition", "Limited Edition Alpha"),
    ("beta", "Limited Edition Beta"),
    ("betaedition", "Limited Edition Beta"),
    ("unlimited", "Unlimited Edition"),
    ("revised", "Revised Edition"),
    ("3rdedition", "Revised Edition"),
    ("thirdedition", "Revised Edition"),
    ("4thedition", "Fourth Edition"),
    ("5thedition", "Fifth Edition"),
    ("6thedition", "Classic Sixth Edition"),
    ("sixthedition", "Classic Sixth Edition"),
    ("classic6thedition", "Classic Sixth Edition"),
    ("7thedition", "Seventh Edition"),
    ("8thedition", "Eighth Edition"),
    ("9thedition", "Ninth Edition"),
    ("10thedition", "Tenth Edition"),
    ("portalthreekingdom", "Portal Three Kingdoms"),
    ("secretlairdropseries", "Secret Lair Drop"),
    ("thelistreprints", "The List"),
    ("ravnicaallegianceguildkit", "RNA Guild Kit"),
    ("guildsofravnicaguildkit", "GRN Guild Kit"),
    ("ultimatemastersboxtoppers", "Ultimate Box Topper"),
    ("ultimatemastersboxtopper", "Ultimate Box Topper"),
    ("timespiraltimeshifted", "Time Spiral Timeshifted"),
    ("marchofthemachinemultiverselegends", "Multiverse Legends"),
    ("outlawsofthunderjunctionbreakingnews", "Breaking News"),
    ("core2019", "Core Set 2019"),
    ("core2020", "Core Set 2020"),
    ("core2021", "Core Set 2021"),
    ("mysteryboosterconventioneditionexclusives", "Mystery Booster Playtest Cards 2019"),
    ("mysteryboosterplaytestcards", "Mystery Booster Playtest Cards 2019"),
    ("magicgamenightfreeforall", "Game Night: Free-for-All"),
    ("timespiralremastered", "Time Spiral Remastered"),
    ("jurassicworldcollection", "Jurassic World Collection"),
];

/// What some write behind the names of sets and of cards, without spaces and signs: it has no set of its own.
const TREATMENTS: [&str; 16] = [
    "fullart",
    "showcase",
    "showcaseframe",
    "extendedart",
    "borderless",
    "alternateart",
    "altart",
    "alternateborder",
    "alternateframe",
    "retroframe",
    "retro",
    "oldborder",
    "textless",
    "variant",
    "variants",
    "boosterfun",
];

fn is_treatment(text: &str) -> bool {
    TREATMENTS.contains(&header_key(text).as_str())
}

/// Words in small letters that stand behind a set's name in brackets, and are no codes.
const NO_CODES: [&str; 16] = [
    "promo", "promos", "foil", "foils", "etched", "token", "tokens", "extras", "box", "deck", "decks", "set",
    "core", "alpha", "beta", "misc",
];

/// Whether it is a code in capitals.
fn is_plain_code(text: &str) -> bool {
    text.len() >= 3 && looks_like_set_code(text) && !text.bytes().any(|b| b.is_ascii_lowercase())
}

/// A set's name, and the code that stands before or behind it: `Core Set 2021 (M21)`, `M21 - Core Set 2021`.
fn apart(text: &str) -> (&str, Option<String>) {
    let enclosed = |open: &str, close: char| text.strip_suffix(close)?.rsplit_once(open);
    let is_enclosed = |(_, code): &(&str, &str)| {
        let has_small = code.bytes().any(|b| b.is_ascii_lowercase());
        looks_like_set_code(code) && !(has_small && (code.len() < 3 || NO_CODES.contains(code)))
    };
    let in_brackets = enclosed(" (", ')').or_else(|| enclosed(" [", ']')).filter(is_enclosed);
    let behind = || text.rsplit_once(" - ").filter(|(_, code)| is_plain_code(code));
    let before = || {
        let (code, name) = text.split_once(" - ").filter(|(code, _)| is_plain_code(code))?;
        Some((name, code))
    };
    match in_brackets.or_else(behind).or_else(before) {
        Some((name, code)) => (name.trim(), set_code(Platform::Generic, code)),
        None => (text, None),
    }
}

const GUILDS_OF_RAVNICA: [&str; 5] = ["boros", "dimir", "golgari", "izzet", "selesnya"];

/// A set's name as Scryfall has it where the difference is known, and the code that stood behind it: `Magic 2010 (M10)`.
pub fn set_name(text: &str) -> Option<(String, Option<String>)> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace(['–', '—'], "-");
    // What stands behind it is the set in which the card was first printed.
    let text = if text.starts_with("The List - ") { "The List" } else { text.as_str() };
    let (mut name, code) = apart(text);
    while let Some((before, _)) = name.rsplit_once(" - ").filter(|(_, end)| is_treatment(end)) {
        name = before;
    }
    let mut name = match (name.strip_suffix(" Commander Decks"), name.strip_suffix(" Core Set")) {
        // That one is called so.
        (Some(set), _) if set != "Starter" => format!("{set} Commander"),
        (_, Some(set)) if set.starts_with("Magic 20") => set.to_owned(),
        _ => name.to_owned(),
    };
    if let Some(rest) = name.strip_prefix("Universes Beyond: ") {
        name = rest.to_owned();
    }
    for (start, end) in [
        ("Extras: ", " Tokens"),
        ("Commander: ", " Commander"),
        ("Promo Pack: ", " Promos"),
        ("Art Series: ", " Art Series"),
    ] {
        if let Some(rest) = name.strip_prefix(start) {
            name = format!("{rest}{end}");
        }
    }
    // Tokens of these books have the short name.
    name =
        name.replace("The Lord of the Rings: Tales of Middle-earth Tokens", "Tales of Middle-earth Tokens");
    name = name
        .replace("The Lord of the Rings: Tales of Middle-earth Commander", "Tales of Middle-earth Commander");
    if let Some(guild) = name.strip_prefix("Guild Kit: ") {
        let is_first = GUILDS_OF_RAVNICA.contains(&guild.to_lowercase().as_str());
        name = if is_first { "GRN Guild Kit" } else { "RNA Guild Kit" }.to_owned();
    }
    let key = header_key(&name);
    if let Some((_, known)) = SET_NAMES.iter().find(|(theirs, _)| *theirs == key) {
        name = (*known).to_owned();
    }
    (!name.is_empty() && name.chars().count() <= 200).then_some((name, code))
}

/// A name without what these shops write behind it, of each face: `Forest (265) - Full Art`, `Clue Token`; and of
/// what people write, without a finish: `Shock (Foil)`.
pub fn bare_name(platform: Platform, name: &str) -> (String, Option<Finish>) {
    let mut finish = None;
    let faces: Vec<_> =
        name.split(" // ").map(|face| bare_face(platform, face.trim(), &mut finish)).collect();
    (faces.join(" // "), finish)
}

fn bare_face<'n>(platform: Platform, name: &'n str, finish: &mut Option<Finish>) -> &'n str {
    let mut name = name;
    // Each turn takes one thing off the end.
    while let Some(before) = without_brackets(platform, name, finish)
        .or_else(|| without_words(platform, name))
        .filter(|before| !before.is_empty())
    {
        name = before;
    }
    name
}

fn without_brackets<'n>(platform: Platform, name: &'n str, finish: &mut Option<Finish>) -> Option<&'n str> {
    let (before, inside) = name.strip_suffix(')')?.rsplit_once(" (")?;
    // The cards whose names end so.
    if inside.starts_with("Not the Urza") || inside.starts_with("Big Furry Monster") {
        return None;
    }
    let key = header_key(inside);
    let is_shops = matches!(platform, Platform::Tcgplayer | Platform::Cardkingdom | Platform::Cardmarket);
    let is_finish = matches!(key.as_str(), "foil" | "etched" | "foiletched" | "etchedfoil");
    match platform {
        _ if is_shops && !key.contains("etched") => {}
        _ if is_shops => *finish = Some(Finish::Etched),
        Platform::Generic if key == "foil" => *finish = finish.or(Some(Finish::Foil)),
        Platform::Generic if is_finish => *finish = Some(Finish::Etched),
        _ => return None,
    }
    Some(before.trim_end())
}

fn without_words(platform: Platform, name: &str) -> Option<&str> {
    let has_tokens = matches!(platform, Platform::Tcgplayer | Platform::Cardkingdom | Platform::DragonShield);
    let ends = [" Double-sided Token", " Double-Sided Token", " Token"];
    let token = ends.into_iter().find_map(|end| name.strip_suffix(end)).filter(|_| has_tokens);
    let treated = || name.rsplit_once(" - ").filter(|(_, end)| is_treatment(end));
    token.or_else(|| treated().map(|(before, _)| before.trim_end()))
}

/// A name, and the code that people write behind it where they have no column for sets: `Shock (M21)`.
pub fn code_behind(platform: Platform, name: &str) -> (&str, Option<String>) {
    let enclosed = |(open, close): (char, char)| {
        let (before, code) = name.strip_suffix(close)?.rsplit_once(open)?;
        (is_plain_code(code) && !before.trim().is_empty()).then(|| (before.trim_end(), code))
    };
    match [('(', ')'), ('[', ']')].into_iter().find_map(enclosed) {
        Some((before, code)) if platform == Platform::Generic => (before, set_code(platform, code)),
        _ => (name, None),
    }
}
