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
    if let Some((kit @ ("gk1" | "gk2"), _)) = text.split_once('_') {
        return Some(kit.to_owned());
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

const GUILDS_OF_RAVNICA: [&str; 5] = ["boros", "dimir", "golgari", "izzet", "selesnya"];

/// A set's name as Scryfall has it where the difference is known, and the code that stood behind it: `Magic 2010 (M10)`.
pub fn set_name(text: &str) -> Option<(String, Option<String>)> {
    let mut name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut code = None;
    if let Some((before, inside)) = name.strip_suffix(')').and_then(|rest| rest.rsplit_once(" ("))
        && looks_like_set_code(inside)
        && !inside.bytes().any(|b| b.is_ascii_lowercase())
    {
        (code, name) = (set_code(Platform::Generic, inside), before.trim().to_owned());
    }
    if let Some(rest) = name.strip_prefix("Universes Beyond: ") {
        name = rest.to_owned();
    }
    for (start, end) in [("Extras: ", " Tokens"), ("Commander: ", " Commander"), ("Promo Pack: ", " Promos")]
    {
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

/// A name without what these shops write behind it: `Forest (265)`, `Clue Token`.
pub fn bare_name(platform: Platform, name: &str) -> (String, Option<Finish>) {
    let mut name = name.trim();
    let mut finish = None;
    if matches!(platform, Platform::Tcgplayer | Platform::Cardkingdom | Platform::Cardmarket) {
        while let Some((before, inside)) = name.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")) {
            // The cards whose names end so.
            if inside.starts_with("Not the Urza")
                || inside.starts_with("Big Furry Monster")
                || before.is_empty()
            {
                break;
            }
            if header_key(inside).contains("etched") {
                finish = Some(Finish::Etched);
            }
            name = before.trim_end();
        }
    }
    if matches!(platform, Platform::Tcgplayer | Platform::Cardkingdom | Platform::DragonShield) {
        for end in [" Double-sided Token", " Double-Sided Token", " Token"] {
            if let Some(before) = name.strip_suffix(end)
                && !before.is_empty()
            {
                name = before;
            }
        }
    }
    (name.to_owned(), finish)
}
