//! Invented names. Every one holds a coined word, so that none is the name of a real set, card or person of
//! any game, and none is given twice.
//!
//! A coined word is an onset (consonants), a middle (vowels, then consonants) and an end that begins with a
//! vowel. The letters alone tell where the parts meet, so two choices of parts are two words.

use rand::{Rng, RngExt};

use super::scatter;

// Word lists are laid out by hand: with a word a line they would fill pages.

#[rustfmt::skip]
const ONSETS: [&str; 32] = [
    "B", "Br", "D", "Dr", "F", "Fj", "G", "Gr", "Gw", "H", "Hr", "J", "K", "Kv", "L", "M", "N", "Ph", "R",
    "S", "Sk", "Sv", "T", "Th", "Tr", "V", "Vh", "W", "Y", "Z", "Š", "Æth",
];
#[rustfmt::skip]
const MIDDLES: [&str; 30] = [
    "al", "amb", "and", "arv", "ask", "eb", "eld", "elm", "erg", "esh", "ev", "ilg", "imb", "ir", "isk",
    "ith", "ob", "old", "orm", "osk", "oth", "und", "urv", "ush", "ael", "eir", "ön", "ûl", "ávr", "ëm",
];
#[rustfmt::skip]
const ENDS: [&str; 33] = [
    "a", "amar", "andu", "arrow", "ath", "ebi", "eck", "edra", "eni", "eth", "iam", "idor", "ilu", "imoss",
    "irro", "ithy", "oab", "odan", "okar", "olin", "omu", "oss", "ovey", "ubar", "udin", "ulla", "umi",
    "urne", "ux", "ója", "êl", "ýr", "ænd",
];
const WORDS: u64 = (ONSETS.len() * MIDDLES.len() * ENDS.len()) as u64;

#[rustfmt::skip]
pub(super) const ADJECTIVES: [&str; 32] = [
    "Ashen", "Borrowed", "Bright", "Careful", "Copper", "Drowned", "Ember-Eyed", "Forgotten", "Frostbitten",
    "Gilded", "Hollow", "Ivory", "Lanternlit", "Last", "Moonlit", "Nameless", "Patient", "Quiet", "Restless",
    "Rusted", "Salted", "Smoldering", "Stubborn", "Sunken", "Thorned", "Thrice-Sworn", "Tidebound",
    "Unbroken", "Verdant", "Waking", "Wandering", "Weathered",
];
#[rustfmt::skip]
const MATTERS: [&str; 16] = [
    "Ashes", "Bells", "Brambles", "Cinders", "Debts", "Embers", "Echoes", "Feathers", "Frost", "Keys",
    "Mirrors", "Roots", "Salt", "Tides", "Thresholds", "Whispers",
];

/// What bears a name: each has nouns of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Set,
    Creature,
    Legend,
    Spell,
    Artifact,
    Enchantment,
    Land,
}

/// Every pattern holds the word and the noun, which make a name unique; the adjective and the matter are
/// there for variety only.
struct Grammar {
    patterns: &'static [&'static str],
    nouns: &'static [&'static str],
}

impl Named {
    #[rustfmt::skip]
    fn grammar(self) -> Grammar {
        match self {
            Self::Set => Grammar {
                patterns: &["{noun} of {word}", "{word}: {matter} and {noun}", "The {word} {noun}"],
                nouns: &[
                    "Vale", "Reach", "Crossing", "Winter", "Archive", "Harvest", "Regency", "Labyrinth",
                    "Tempest", "Pilgrimage", "Accord", "Eclipse", "Shallows", "Uprising", "Masquerade",
                    "Homecoming",
                ],
            },
            Self::Creature => Grammar {
                patterns: &["{word} {noun}", "{adjective} {noun} of {word}", "{word}'s {adjective} {noun}"],
                nouns: &[
                    "Millwright", "Outrider", "Cartographer", "Gatekeeper", "Lamplighter", "Marauder",
                    "Apothecary", "Falconer", "Stalker", "Prowler", "Sentinel", "Hatchling", "Behemoth",
                    "Broodmother", "Courser", "Duelist", "Emissary", "Ferryman", "Gleaner", "Herald",
                    "Initiate", "Jester", "Lurker", "Mourner", "Nightwatch", "Oracle", "Piper",
                    "Quartermaster", "Raider", "Scrivener", "Tracker", "Usher", "Vagrant", "Whelp",
                    "Yearling", "Bramblehide", "Cinderling", "Duskwing", "Mirefang", "Stonemane",
                ],
            },
            Self::Legend => Grammar {
                patterns: &["{word}, {noun} of {matter}", "{word}, {adjective} {noun}", "{noun} {word}"],
                nouns: &[
                    "Warden", "Regent", "Speaker", "Marshal", "Abbess", "Castellan", "Corsair", "Dowager",
                    "Exarch", "Huntress", "Inquirer", "Keeper", "Lawgiver", "Matriarch", "Navigator",
                    "Pathfinder", "Queen", "Reckoner", "Seer", "Steward", "Tyrant", "Usurper", "Weaver",
                    "Witness",
                ],
            },
            Self::Spell => Grammar {
                patterns: &["{word}'s {noun}", "{noun} over {word}", "{adjective} {noun} of {word}"],
                nouns: &[
                    "Reckoning", "Rebuke", "Gambit", "Verdict", "Avalanche", "Bargain", "Charge", "Dirge",
                    "Downpour", "Epiphany", "Farewell", "Gale", "Hex", "Insight", "Judgment", "Lament",
                    "Mending", "Onslaught", "Parley", "Quickening", "Refusal", "Riposte", "Sleight",
                    "Summons", "Thaw", "Undoing", "Vigil", "Wildfire",
                ],
            },
            Self::Artifact => Grammar {
                patterns: &["{word}'s {noun}", "{adjective} {noun} of {word}", "{word} {noun}"],
                nouns: &[
                    "Lantern", "Astrolabe", "Anvil", "Bell", "Censer", "Chalice", "Clockwork", "Codex",
                    "Compass", "Crown", "Dial", "Ewer", "Gauntlet", "Halberd", "Hourglass", "Idol", "Locket",
                    "Loom", "Mask", "Orrery", "Prism", "Reliquary", "Spyglass", "Windlass",
                ],
            },
            Self::Enchantment => Grammar {
                patterns: &[
                    "{noun} of {word}", "{word}'s {adjective} {noun}", "{adjective} {noun} of {word}",
                ],
                nouns: &[
                    "Oath", "Bulwark", "Canopy", "Covenant", "Creed", "Curse", "Decree", "Dominion", "Dream",
                    "Edict", "Fervor", "Hymn", "Influence", "Mantle", "Miasma", "Omen", "Pact", "Presence",
                    "Ritual", "Sanctuary", "Siege", "Tithe", "Veil", "Ward",
                ],
            },
            Self::Land => Grammar {
                patterns: &[
                    "{word}, the {adjective} {noun}", "{adjective} {noun} of {word}", "{word} {noun}",
                ],
                nouns: &[
                    "Quay", "Orchard", "Barrow", "Basin", "Causeway", "Cloister", "Crag", "Delta", "Ford",
                    "Foundry", "Glade", "Grotto", "Heath", "Lagoon", "Meadow", "Mire", "Observatory",
                    "Outpost", "Pass", "Quarry", "Spire", "Steppe", "Terrace", "Thicket",
                ],
            },
        }
    }
}

/// A name and the coined word in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub text: String,
    pub word: String,
}

/// The name that belongs to a number. Of one kind and one `salt`, the names of numbers below 1,500,000 are
/// all different; `rng` only chooses the words that do not matter to that.
pub(super) fn name(named: Named, number: u32, salt: u64, rng: &mut impl Rng) -> Name {
    let Grammar { patterns, nouns } = named.grammar();
    let (kinds, things) = (patterns.len() as u64, nouns.len() as u64);
    let size = kinds * WORDS * things;
    let scattered = scatter(number, salt, size);

    let (word, rest) = (coined(scattered % WORDS), scattered / WORDS);
    let text = patterns[(rest % kinds) as usize]
        .replace("{word}", &word)
        .replace("{noun}", nouns[(rest / kinds) as usize])
        .replace("{adjective}", pick(&ADJECTIVES, rng))
        .replace("{matter}", pick(&MATTERS, rng));
    Name { text, word }
}

/// One of 120 artists.
pub(super) fn artist(rng: &mut impl Rng) -> String {
    #[rustfmt::skip]
    const GIVEN: [&str; 12] = [
        "Ailbhe", "Bertók", "Caoven", "Dagrun", "Eluned", "Fennimor", "Ghislane", "Ishbela", "Jorunna",
        "Núrya", "Oddvik", "Zdislav",
    ];
    #[rustfmt::skip]
    const FAMILY: [&str; 10] = [
        "Ambervoe", "Brackthorn", "Çelebrun", "D'Orvaux", "Eskermoor", "Hollenquist", "Marrowfield",
        "Nightenhall", "Quillfeather", "Saltmarrow",
    ];
    format!("{} {}", pick(&GIVEN, rng), pick(&FAMILY, rng))
}

/// A member of a list that is not empty.
pub(super) fn pick<'a>(list: &[&'a str], rng: &mut impl Rng) -> &'a str {
    list[rng.random_range(0..list.len())]
}

fn coined(number: u64) -> String {
    let number = number as usize;
    let (onset, rest) = (number % ONSETS.len(), number / ONSETS.len());
    let (middle, end) = (rest % MIDDLES.len(), rest / MIDDLES.len() % ENDS.len());
    [ONSETS[onset], MIDDLES[middle], ENDS[end]].concat()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const ALL: [Named; 7] = [
        Named::Set,
        Named::Creature,
        Named::Legend,
        Named::Spell,
        Named::Artifact,
        Named::Enchantment,
        Named::Land,
    ];

    #[test]
    fn no_word_is_coined_twice() {
        assert_eq!((0..WORDS).map(coined).collect::<HashSet<_>>().len() as u64, WORDS);
    }

    #[test]
    fn every_kind_has_room_for_the_promised_names() {
        for named in ALL {
            let Grammar { patterns, nouns } = named.grammar();
            assert!(patterns.len() as u64 * WORDS * nouns.len() as u64 >= 1_500_000, "{named:?}");
            assert!(patterns.iter().all(|pattern| pattern.contains("{word}") && pattern.contains("{noun}")));
            assert_eq!(nouns.iter().collect::<HashSet<_>>().len(), nouns.len(), "{named:?}");
        }
    }

    #[test]
    fn no_name_is_given_twice() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut names = HashSet::new();
        for number in 0..10_000 {
            for named in &ALL[1..] {
                let name = name(*named, number, u64::MAX, &mut rng).text;
                assert!(!name.contains(['{', '}']), "{name}");
                assert!(names.insert(name));
            }
        }
    }

    #[test]
    fn a_name_holds_its_word() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for named in ALL {
            let name = name(named, 7, 0, &mut rng);
            assert!(name.text.contains(&name.word));
        }
    }
}
