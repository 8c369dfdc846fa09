//! Game pieces: what all printings of a card have in common.

use entity::enums::Rarity;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use super::names::{self, Named, pick};
use super::texts::{
    ARTIFACT_RULES, CLASSES, CREATURE_RULES, ENCHANTMENT_RULES, KEYWORDS, RACES, SPELL_RULES,
};
use super::{GeneratedMarket, Stream};
use crate::domain::catalogue::attributes::{Color, Colors};
use crate::domain::catalogue::record::Face;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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
pub(super) struct Piece {
    pub kind: Kind,
    /// One or two, without artist and flavour text.
    pub faces: Vec<Face>,
    pub keywords: Vec<String>,
    pub mana_value: u32,
    pub colors: Colors,
    pub color_identity: Colors,
    pub banned: bool,
}

impl GeneratedMarket {
    pub(super) fn piece(&self, index: u32) -> Piece {
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

    pub(super) fn layout(self) -> &'static str {
        match self {
            Self::TwoFaced => "transform",
            Self::Token => "token",
            _ => "normal",
        }
    }
}

/// The first draws of a piece's stream: what it is, and how rare at first.
pub(super) fn draw_kind(rng: &mut impl Rng) -> (Kind, Rarity) {
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

pub(super) fn draw_rarity(kind: Kind, rng: &mut impl Rng) -> Rarity {
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
pub(super) fn symbols(text: &str) -> impl Iterator<Item = Color> {
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
