//! Game pieces and their printings.

use entity::enums::{Finish, Rarity};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use uuid::{Uuid, uuid};

use super::names::{self, Named, pick};
use super::{GeneratedMarket, Stream};
use crate::domain::catalogue::attributes::{Color, Colors, Finishes};
use crate::domain::catalogue::record::{CardRecord, Face, Legalities, Legality, Print, PurchaseUrls};

/// The namespace (RFC 9562, version 5) of the ids of generated cards.
const NAMESPACE: Uuid = uuid!("6d1f4c8e-52a7-4b0e-9c35-d0a17e6b2f94");

// Word lists are laid out by hand: with a word a line they would fill pages.

#[rustfmt::skip]
const RACES: [&str; 24] = [
    "Bear", "Beast", "Bird", "Cat", "Dragon", "Drake", "Dwarf", "Elemental", "Elf", "Fox", "Giant", "Goblin",
    "Golem", "Horse", "Human", "Insect", "Rat", "Serpent", "Skeleton", "Spider", "Spirit", "Vampire", "Wolf",
    "Zombie",
];
#[rustfmt::skip]
const CLASSES: [&str; 12] = [
    "Archer", "Bard", "Cleric", "Druid", "Knight", "Monk", "Pirate", "Rogue", "Scout", "Soldier", "Warrior",
    "Wizard",
];
#[rustfmt::skip]
const KEYWORDS: [&str; 10] = [
    "Deathtouch", "Defender", "First strike", "Flying", "Haste", "Lifelink", "Menace", "Reach", "Trample",
    "Vigilance",
];

// In rules texts `#` is a small number of at least two, `@` a symbol of mana.
const CREATURE_RULES: [&str; 12] = [
    "When this creature enters, draw a card, then discard a card.",
    "When this creature enters, you gain # life.",
    "When this creature enters, it deals # damage to any target.",
    "When this creature dies, each opponent loses # life.",
    "When this creature dies, return another creature card from your graveyard to your hand.",
    "Whenever this creature attacks, it gets +#/+0 until end of turn.",
    "Whenever this creature deals combat damage to a player, draw a card.",
    "Whenever another creature you control dies, put a +1/+1 counter on this creature.",
    "At the beginning of your upkeep, look at the top # cards of your library.",
    "Other creatures you control get +0/+1.",
    "{1}@: This creature gets +1/+1 until end of turn.",
    "{T}: Add @.",
];
const SPELL_RULES: [&str; 12] = [
    "Draw # cards.",
    "Destroy target creature with power # or less.",
    "Target creature gets +#/+# until end of turn.",
    "Target creature gets -#/-# until end of turn.",
    "This spell deals # damage to any target.",
    "You gain # life for each creature you control.",
    "Return up to # target creature cards from your graveyard to your hand.",
    "Target opponent discards # cards.",
    "Exile target artifact or enchantment. Its controller gains # life.",
    "Tap up to # target creatures. They don't untap during their controllers' next untap steps.",
    "Look at the top # cards of your library. Put one of them into your hand and the rest on the bottom.",
    "Counter target spell unless its controller pays {#}.",
];
const ARTIFACT_RULES: [&str; 6] = [
    "{T}: Add @.",
    "{2}, {T}: Draw a card, then discard a card.",
    "{1}@, {T}, Sacrifice this artifact: It deals # damage to any target.",
    "Whenever you cast your second spell each turn, you gain # life.",
    "Creatures you control with no counters on them get +1/+0.",
    "At the beginning of your end step, if you control # or more artifacts, draw a card.",
];
const ENCHANTMENT_RULES: [&str; 6] = [
    "Creatures you control get +1/+1.",
    "Whenever a creature enters under your control, you gain 1 life.",
    "Spells your opponents cast during your turn cost {#} more to cast.",
    "{2}@: Target creature gains haste until end of turn.",
    "At the beginning of your upkeep, each player loses # life.",
    "Whenever you discard a card, this enchantment deals # damage to each opponent.",
];
const FLAVOR_TEXTS: [&str; 16] = [
    "Every lantern remembers the hand that lit it.",
    "The tide keeps no secrets, only debts.",
    "Ask the bridge who crossed it. Ask the river who did not.",
    "Three bells for the living, one for the one who rings them.",
    "It was a map of nowhere, and it was accurate.",
    "The orchard bore fruit the year the war ended, and not before.",
    "She counted the stars and found one too many.",
    "A locked door is only a slow invitation.",
    "Even the ash was proud of having been a city.",
    "No one taught the mountain patience. It is simply that old.",
    "He paid in salt, for salt was all that the sea had left him.",
    "What the frost forgives, the thaw reports.",
    "“I was promised a quiet post,” said the gatekeeper, to no one left.",
    "The song has nine verses. Nobody has survived the eighth.",
    "They named the storm after their mother, and it answered.",
    "Old roads know more endings than old books.",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Creature,
    Legend,
    TwoFaced,
    Token,
    Instant,
    Sorcery,
    Artifact,
    Enchantment,
    Planeswalker,
    Land,
}

/// What all printings of a piece have in common.
struct Piece {
    kind: Kind,
    /// One or two, without artist and flavour text.
    faces: Vec<Face>,
    keywords: Vec<String>,
    mana_value: u32,
    colors: Colors,
    color_identity: Colors,
    banned: bool,
}

/// What a printing's price needs to know of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Printing {
    /// The index of the piece's first printing.
    pub piece: u32,
    /// Before the last day of the plan.
    pub age_days: u32,
    pub rarity: Rarity,
    pub finishes: Finishes,
}

impl Printing {
    pub(super) fn has_foil(&self) -> bool {
        self.finishes.iter().any(|finish| finish == Finish::Foil)
    }
}

impl GeneratedMarket {
    /// The card of an index below the plan's number of cards.
    pub fn card(&self, index: u32) -> CardRecord {
        let mut rng = self.rng(Stream::Printing(index));
        let printing = self.draw_printing(index, &mut rng);
        let piece = self.piece(printing.piece);
        let set = self.set_of(index);
        let letter = if rng.random_bool(0.015) { "a" } else { "" };
        let legalities = legalities(&piece, &printing);
        let print = Print {
            frame: Some(if printing.age_days < 2_000 { "2015" } else { "2003" }.to_owned()),
            border: Some("black".to_owned()),
            games: vec!["paper".to_owned()],
            reprint: printing.piece != index,
            ..Print::default()
        };

        let mut record = CardRecord {
            scryfall_id: self.id("printing", index),
            oracle_id: Some(self.id("piece", printing.piece)),
            illustration_id: None,
            set_code: set.record.code.clone(),
            collector_number: format!("{}{letter}", index - set.first_card + 1),
            language: "en".to_owned(),
            name: joined(&piece.faces, |face| &face.name),
            layout: piece.kind.layout().to_owned(),
            rarity: printing.rarity,
            type_line: joined(&piece.faces, |face| &face.type_line),
            mana_cost: None,
            mana_value: piece.mana_value.into(),
            colors: piece.colors,
            color_identity: piece.color_identity,
            finishes: printing.finishes,
            released_on: set.record.released_on,
            promo: rng.random_bool(0.03),
            digital: rng.random_bool(0.02),
            reserved: false,
            artist: Some(names::artist(&mut rng)),
            power: None,
            toughness: None,
            loyalty: None,
            image_url: None,
            scryfall_url: None,
            oracle_text: None,
            flavor_text: rng.random_bool(0.5).then(|| pick(&FLAVOR_TEXTS, &mut rng).to_owned()),
            keywords: piece.keywords,
            faces: Vec::new(),
            legalities,
            purchase_urls: PurchaseUrls::new(),
            external_ids: Vec::new(),
            print,
        };
        match <[Face; 1]>::try_from(piece.faces) {
            Ok([face]) => {
                record.mana_cost = face.mana_cost;
                record.oracle_text = face.oracle_text;
                record.power = face.power;
                record.toughness = face.toughness;
                record.loyalty = face.loyalty;
            }
            Err(mut faces) => {
                for (face, flavor_text) in faces.iter_mut().zip([record.flavor_text.take(), None]) {
                    face.artist.clone_from(&record.artist);
                    face.flavor_text = flavor_text;
                }
                record.faces = faces;
            }
        }
        record
    }

    pub(super) fn printing(&self, index: u32) -> Printing {
        self.draw_printing(index, &mut self.rng(Stream::Printing(index)))
    }

    fn draw_printing(&self, index: u32, rng: &mut impl Rng) -> Printing {
        let piece = self.piece_of(index);
        let (kind, first_rarity) = draw_kind(&mut self.rng(Stream::Piece(piece)));
        let rarity =
            if piece != index && rng.random_bool(0.25) { draw_rarity(kind, rng) } else { first_rarity };
        let finishes: &[_] = match rng.random_range(0..100) {
            0..80 => &[Finish::Nonfoil, Finish::Foil],
            80..92 => &[Finish::Nonfoil],
            92..97 => &[Finish::Foil],
            97..99 => &[Finish::Nonfoil, Finish::Foil, Finish::Etched],
            _ => &[Finish::Etched],
        };
        let finishes = finishes.iter().copied().collect();
        Printing { piece, age_days: self.set_of(index).age_days, rarity, finishes }
    }

    fn piece(&self, index: u32) -> Piece {
        let mut rng = self.rng(Stream::Piece(index));
        let (kind, _) = draw_kind(&mut rng);
        let name = names::name(kind.named(), index, self.salt, &mut rng);
        let colors = draw_colors(kind, &mut rng);
        let cost = Cost::draw(kind, colors, &mut rng);
        let mut draft =
            Draft { kind, colors, cost, symbol: draw_symbol(colors, &mut rng), keywords: Vec::new() };

        let front = match kind {
            Kind::Creature | Kind::Legend | Kind::TwoFaced | Kind::Token => {
                draft.creature(name.text, &mut rng)
            }
            Kind::Instant => draft.spell(name.text, "Instant", &SPELL_RULES, &mut rng),
            Kind::Sorcery => draft.spell(name.text, "Sorcery", &SPELL_RULES, &mut rng),
            Kind::Artifact => draft.spell(name.text, "Artifact", &ARTIFACT_RULES, &mut rng),
            Kind::Enchantment => draft.spell(name.text, "Enchantment", &ENCHANTMENT_RULES, &mut rng),
            Kind::Planeswalker => draft.planeswalker(name.text, &name.word, &mut rng),
            Kind::Land => land(name.text, &mut rng),
        };
        let mut faces = vec![Face { mana_cost: draft.cost.text.clone(), ..front }];
        if kind == Kind::TwoFaced {
            let back = format!("{} the {}", name.word, pick(&names::ADJECTIVES, &mut rng));
            faces.push(draft.creature(back, &mut rng));
        }
        let in_rules = faces.iter().filter_map(|face| face.oracle_text.as_deref()).flat_map(symbols);
        Piece {
            kind,
            color_identity: colors.iter().chain(in_rules).collect(),
            colors,
            mana_value: draft.cost.value,
            keywords: draft.keywords,
            banned: rng.random_bool(0.004),
            faces,
        }
    }

    fn id(&self, what: &str, index: u32) -> Uuid {
        Uuid::new_v5(&NAMESPACE, format!("{what} {index} of {}", self.plan.seed).as_bytes())
    }
}

impl Kind {
    fn named(self) -> Named {
        match self {
            Self::Creature | Self::Token => Named::Creature,
            Self::Legend | Self::TwoFaced | Self::Planeswalker => Named::Legend,
            Self::Instant | Self::Sorcery => Named::Spell,
            Self::Artifact => Named::Artifact,
            Self::Enchantment => Named::Enchantment,
            Self::Land => Named::Land,
        }
    }

    fn layout(self) -> &'static str {
        match self {
            Self::TwoFaced => "transform",
            Self::Token => "token",
            _ => "normal",
        }
    }
}

/// The first draws of a piece's stream: what it is, and how rare at first.
fn draw_kind(rng: &mut impl Rng) -> (Kind, Rarity) {
    let kind = match rng.random_range(0..1_000) {
        0..470 => Kind::Creature,
        470..515 => Kind::Legend,
        515..535 => Kind::TwoFaced,
        535..550 => Kind::Token,
        550..660 => Kind::Instant,
        660..770 => Kind::Sorcery,
        770..855 => Kind::Artifact,
        855..940 => Kind::Enchantment,
        940..950 => Kind::Planeswalker,
        _ => Kind::Land,
    };
    (kind, draw_rarity(kind, rng))
}

fn draw_rarity(kind: Kind, rng: &mut impl Rng) -> Rarity {
    match (kind, rng.random_range(0..100)) {
        (Kind::Token, _) => Rarity::Common,
        (Kind::Planeswalker, _) => Rarity::Mythic,
        (_, 0..45) => Rarity::Common,
        (_, 45..77) => Rarity::Uncommon,
        (_, 77..96) => Rarity::Rare,
        _ => Rarity::Mythic,
    }
}

fn draw_colors(kind: Kind, rng: &mut impl Rng) -> Colors {
    match (kind, rng.random_range(0..100)) {
        (Kind::Land, _) | (Kind::Artifact, 0..80) | (Kind::Creature, 0..6) => Colors::default(),
        (Kind::Artifact, _) | (_, 0..76) => some_colors(1, rng),
        (_, 76..94) => some_colors(2, rng),
        (_, 94..98) => some_colors(3, rng),
        _ => some_colors(5, rng),
    }
}

/// Every choice of so many colours can come: five is a prime, so a step of one or two around the wheel meets
/// each colour once.
fn some_colors(count: usize, rng: &mut impl Rng) -> Colors {
    let (start, step) = (rng.random_range(0..5), rng.random_range(1..=2));
    (0..count).map(|nth| Color::ALL[(start + nth * step) % Color::ALL.len()]).collect()
}

/// The symbol of mana in the rules text: mostly of one of the piece's own colours.
fn draw_symbol(colors: Colors, rng: &mut impl Rng) -> &'static str {
    let choice = if rng.random_bool(0.06) { Color::ALL.to_vec() } else { colors.iter().collect() };
    choice.choose(rng).map_or("{C}", |color| symbol(*color))
}

fn symbol(color: Color) -> &'static str {
    match color {
        Color::White => "{W}",
        Color::Blue => "{U}",
        Color::Black => "{B}",
        Color::Red => "{R}",
        Color::Green => "{G}",
    }
}

/// The colours of the symbols of mana in a text.
fn symbols(text: &str) -> impl Iterator<Item = Color> {
    text.split(['{', '}']).filter_map(Color::from_letter)
}

/// What a piece costs. Lands and tokens have no cost, of value 0.
struct Cost {
    text: Option<String>,
    /// An X counts as 0.
    value: u32,
    has_x: bool,
}

impl Cost {
    fn draw(kind: Kind, colors: Colors, rng: &mut impl Rng) -> Self {
        if matches!(kind, Kind::Land | Kind::Token) {
            return Self { text: None, value: 0, has_x: false };
        }
        let wanted = match rng.random_range(0..100) {
            0..12 => 1,
            12..36 => 2,
            36..60 => 3,
            60..78 => 4,
            78..90 => 5,
            90..97 => 6,
            _ => 7,
        };
        let mut pips: Vec<Color> = colors.iter().collect();
        if pips.len() < wanted && rng.random_bool(0.35) {
            pips.extend(pips.choose(rng).copied());
            pips.sort_unstable();
        }
        let has_x = matches!(kind, Kind::Instant | Kind::Sorcery) && rng.random_bool(0.05);
        let generic = if has_x { 0 } else { wanted.saturating_sub(pips.len()) };

        let mut text = String::from(if has_x { "{X}" } else { "" });
        if generic > 0 {
            text.push_str(&format!("{{{generic}}}"));
        }
        text.extend(pips.iter().map(|color| symbol(*color)));
        Self { text: Some(text), value: (pips.len() + generic) as u32, has_x }
    }
}

/// A piece while its faces are made.
struct Draft {
    kind: Kind,
    colors: Colors,
    cost: Cost,
    /// For the rules text.
    symbol: &'static str,
    /// Of all faces so far.
    keywords: Vec<String>,
}

impl Draft {
    fn creature(&mut self, name: String, rng: &mut impl Rng) -> Face {
        let types = match self.kind {
            Kind::Legend | Kind::TwoFaced => "Legendary Creature",
            Kind::Token => "Token Creature",
            _ if self.colors == Colors::default() => "Artifact Creature",
            _ => "Creature",
        };
        let mut type_line = format!("{types} — {}", pick(&RACES, rng));
        if rng.random_bool(0.55) {
            type_line.extend([" ", pick(&CLASSES, rng)]);
        }
        let size = if self.kind == Kind::Token { rng.random_range(1..=4) } else { self.cost.value };
        let power = (size + rng.random_range(0..=2)).saturating_sub(1);
        let toughness = (size + rng.random_range(0..=2)).saturating_sub(1).max(1);

        let mut lines = Vec::new();
        let mut power = power.to_string();
        if rng.random_bool(0.01) {
            "*".clone_into(&mut power);
            lines.push("This creature's power is equal to the number of cards in your hand.".to_owned());
        }
        lines.extend(self.draw_keywords(rng));
        let rules = match rng.random_range(0..100) {
            0..20 => 0,
            20..80 => 1,
            _ => 2,
        };
        lines.extend(self.rules(&CREATURE_RULES, rules, rng));
        Face { power: Some(power), toughness: Some(toughness.to_string()), ..face(name, type_line, &lines) }
    }

    /// An instant, a sorcery, an artifact or an enchantment.
    fn spell(&self, name: String, types: &str, rules: &[&str], rng: &mut impl Rng) -> Face {
        let count = rng.random_range(1..=2);
        face(name, types.to_owned(), &self.rules(rules, count, rng))
    }

    fn planeswalker(&self, name: String, word: &str, rng: &mut impl Rng) -> Face {
        let costs = ["+1".to_owned(), format!("−{}", rng.random_range(2..=7))];
        let effects = self.rules(&SPELL_RULES, costs.len(), rng);
        let lines: Vec<_> =
            costs.iter().zip(effects).map(|(cost, effect)| format!("{cost}: {effect}")).collect();
        let loyalty = rng.random_range(3..=6).to_string();
        Face { loyalty: Some(loyalty), ..face(name, format!("Legendary Planeswalker — {word}"), &lines) }
    }

    /// A line of up to two keywords.
    fn draw_keywords(&mut self, rng: &mut impl Rng) -> Option<String> {
        let count = match rng.random_range(0..100) {
            0..45 => 0,
            45..85 => 1,
            _ => 2,
        };
        let words: Vec<_> = KEYWORDS.sample(rng, count).copied().collect();
        for word in &words {
            if !self.keywords.iter().any(|known| known == word) {
                self.keywords.push((*word).to_owned());
            }
        }
        let (first, rest) = words.split_first()?;
        Some(rest.iter().fold((*first).to_owned(), |line, word| format!("{line}, {}", word.to_lowercase())))
    }

    fn rules(&self, templates: &[&str], count: usize, rng: &mut impl Rng) -> Vec<String> {
        let number = if self.cost.has_x { "X".to_owned() } else { rng.random_range(2..=4).to_string() };
        let fill = |text: &&str| text.replace('#', &number).replace('@', self.symbol);
        templates.sample(rng, count).map(fill).collect()
    }
}

fn land(name: String, rng: &mut impl Rng) -> Face {
    let colors = some_colors(rng.random_range(1..=2), rng);
    let mana: Vec<_> = colors.iter().map(symbol).collect();
    let tapped = (mana.len() > 1).then(|| "This land enters tapped.".to_owned());
    let lines: Vec<_> = tapped.into_iter().chain([format!("{{T}}: Add {}.", mana.join(" or "))]).collect();
    face(name, "Land".to_owned(), &lines)
}

fn face(name: String, type_line: String, lines: &[String]) -> Face {
    let oracle_text = (!lines.is_empty()).then(|| lines.join("\n"));
    Face { name, type_line, oracle_text, ..Face::default() }
}

fn joined(faces: &[Face], text: impl Fn(&Face) -> &str) -> String {
    faces.iter().map(text).collect::<Vec<_>>().join(" // ")
}

/// By the age of the printing's set; a banned piece is only restricted in vintage. A token is played in no
/// format.
fn legalities(piece: &Piece, printing: &Printing) -> Legalities {
    const YEAR_DAYS: u32 = 365;
    const FORMATS: [(&str, u32, Legality); 7] = [
        ("standard", 3 * YEAR_DAYS, Legality::Banned),
        ("pioneer", 12 * YEAR_DAYS, Legality::Banned),
        ("modern", 21 * YEAR_DAYS, Legality::Banned),
        ("legacy", u32::MAX, Legality::Banned),
        ("vintage", u32::MAX, Legality::Restricted),
        ("commander", u32::MAX, Legality::Banned),
        ("pauper", u32::MAX, Legality::Banned),
    ];
    if piece.kind == Kind::Token {
        return Legalities::new();
    }
    let legality = |(format, oldest_days, when_banned): (&str, u32, Legality)| {
        let left_out =
            printing.age_days > oldest_days || format == "pauper" && printing.rarity != Rarity::Common;
        let legality = match (left_out, piece.banned) {
            (true, _) => Legality::NotLegal,
            (false, true) => when_banned,
            (false, false) => Legality::Legal,
        };
        (format.to_owned(), legality)
    };
    FORMATS.into_iter().map(legality).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap, HashSet};
    use std::sync::LazyLock;

    use super::*;
    use crate::generate::tests::market;

    /// The share of the cards for which something holds.
    fn share(cards: &[CardRecord], holds: impl Fn(&CardRecord) -> bool) -> f64 {
        cards.iter().filter(|card| holds(card)).count() as f64 / cards.len() as f64
    }

    static SAMPLE: LazyLock<Vec<CardRecord>> = LazyLock::new(|| market(80, 8_000).cards().collect());

    #[test]
    fn a_card_is_the_same_alone_and_in_the_row() {
        let market = market(20, 500);
        let cards: Vec<_> = market.cards().collect();
        assert_eq!(cards.len(), 500);
        for index in [499, 0, 250, 17] {
            assert_eq!(market.card(index), cards[index as usize]);
        }
    }

    #[test]
    fn printings_are_unique_and_a_name_is_of_one_piece() {
        let cards = &*SAMPLE;
        let unique = |keys: HashSet<_>| keys.len() == cards.len();
        assert!(unique(cards.iter().map(|card| card.scryfall_id.to_string()).collect()));
        assert!(unique(
            cards.iter().map(|card| format!("{} {}", card.set_code, card.collector_number)).collect()
        ));

        let mut piece_by_name = HashMap::new();
        let mut name_by_piece = HashMap::new();
        for card in cards {
            assert_eq!(*piece_by_name.entry(&card.name).or_insert(card.oracle_id), card.oracle_id);
            assert_eq!(*name_by_piece.entry(card.oracle_id).or_insert(&card.name), &card.name);
        }
        assert!((0.45..0.60).contains(&(name_by_piece.len() as f64 / cards.len() as f64)));
    }

    #[test]
    fn a_reprint_differs_only_where_a_printing_may() {
        let mut first_by_piece: HashMap<_, CardRecord> = HashMap::new();
        for card in market(40, 1_000).cards() {
            let first = first_by_piece.entry(card.oracle_id).or_insert_with(|| card.clone());
            let texts =
                |card: &CardRecord| (card.name.clone(), card.type_line.clone(), card.oracle_text.clone());
            assert_eq!(texts(&card), texts(first));
            assert_eq!((card.colors, card.color_identity), (first.colors, first.color_identity));
            assert_eq!((&card.mana_cost, card.mana_value), (&first.mana_cost, first.mana_value));
            assert!(card.released_on >= first.released_on);
        }
    }

    #[test]
    fn the_mana_value_and_the_colors_are_those_of_the_cost() {
        for card in SAMPLE.iter() {
            let front = card.faces.first().map_or(&card.mana_cost, |face| &face.mana_cost);
            let Some(cost) = front else {
                assert!(card.type_line == "Land" || card.layout == "token", "{card:?}");
                assert_eq!(card.mana_value, 0.0);
                continue;
            };
            let value: f64 = cost
                .split(['{', '}'])
                .filter(|symbol| !symbol.is_empty() && *symbol != "X")
                .map(|symbol| symbol.parse().unwrap_or(1.0))
                .sum();
            assert_eq!(card.mana_value, value, "{cost}");
            assert_eq!(card.colors, symbols(cost).collect(), "{cost}");
        }
    }

    #[test]
    fn the_identity_holds_the_colors_and_every_symbol() {
        for card in SAMPLE.iter() {
            let faces = card.faces.iter().filter_map(|face| face.oracle_text.as_ref());
            let written = card.oracle_text.iter().chain(faces).flat_map(|text| symbols(text));
            assert_eq!(card.color_identity, card.colors.iter().chain(written).collect(), "{card:?}");
        }
    }

    #[test]
    fn rules_texts_have_no_gap_left() {
        for card in SAMPLE.iter() {
            let faces = card.faces.iter().filter_map(|face| face.oracle_text.as_ref());
            assert!(card.oracle_text.iter().chain(faces).all(|text| !text.contains(['#', '@'])), "{card:?}");
        }
    }

    #[test]
    fn layouts_have_the_parts_that_belong_to_them() {
        for card in SAMPLE.iter() {
            match card.layout.as_str() {
                "transform" => {
                    assert_eq!(card.name, format!("{} // {}", card.faces[0].name, card.faces[1].name));
                    assert!(card.faces.iter().all(|face| face.power.is_some() && face.artist.is_some()));
                    assert!(card.oracle_text.is_none() && card.flavor_text.is_none() && card.power.is_none());
                }
                "token" => {
                    assert!(card.type_line.starts_with("Token Creature — "), "{}", card.type_line);
                    assert!(card.legalities.is_empty());
                }
                _ => {
                    assert!(card.faces.is_empty());
                    assert_eq!(card.power.is_some(), card.type_line.contains("Creature"));
                    assert_eq!(card.loyalty.is_some(), card.type_line.contains("Planeswalker"));
                    assert_eq!(card.legalities.len(), 7);
                }
            }
        }
    }

    #[test]
    fn the_shares_are_those_of_the_table() {
        let cards = &*SAMPLE;
        let about = |wanted: f64, holds: &dyn Fn(&CardRecord) -> bool| {
            let share = share(cards, holds);
            assert!((share - wanted).abs() < 0.005 + wanted * 0.1, "{share} is not about {wanted}");
        };
        about(0.45, &|card| card.rarity == Rarity::Common);
        about(0.32, &|card| card.rarity == Rarity::Uncommon);
        about(0.18, &|card| card.rarity == Rarity::Rare);
        about(0.05, &|card| card.rarity == Rarity::Mythic);
        about(0.80, &|card| card.finishes == Finishes::from_iter([Finish::Nonfoil, Finish::Foil]));
        about(0.03, &|card| card.finishes.iter().any(|finish| finish == Finish::Etched));
        about(0.02, &|card| card.layout == "transform");
        about(0.015, &|card| card.layout == "token");
        about(0.03, &|card| card.promo);
        about(0.02, &|card| card.digital);
        about(0.05, &|card| card.type_line == "Land");
        assert!(share(cards, |card| !card.name.is_ascii()) > 0.05);
        assert!(share(cards, |card| card.name.contains('Æ')) > 0.01);
        assert!(share(cards, |card| card.name.contains('\'')) > 0.1);
    }

    #[test]
    fn formats_leave_out_what_is_too_old_or_too_rare() {
        let mut legal: BTreeMap<String, u32> = BTreeMap::new();
        for card in SAMPLE.iter() {
            for (format, legality) in &card.legalities {
                *legal.entry(format.clone()).or_default() += u32::from(*legality == Legality::Legal);
                if format == "pauper" && card.rarity != Rarity::Common {
                    assert_eq!(*legality, Legality::NotLegal);
                }
            }
        }
        assert!(legal["standard"] > 0);
        assert!(legal["standard"] < legal["pioneer"] && legal["pioneer"] < legal["modern"]);
        assert!(legal["modern"] < legal["legacy"] && legal["pauper"] < legal["legacy"]);
    }
}
