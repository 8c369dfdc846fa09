//! Mana costs, as cards print them and as a search writes them.

use std::ops::Range;

use super::attributes::{Color, Colors};

/// Symbols that are not hybrids, in the order in which a cost has them.
const PLAIN: [&str; 19] =
    ["x", "y", "z", "w", "u", "b", "r", "g", "c", "s", "hw", "hu", "hb", "hr", "hg", "½", "∞", "d", "l"];
/// What the halves of a hybrid are, in the order in which it has them.
const HALVES: [char; 6] = ['c', 'w', 'u', 'b', 'r', 'g'];
/// Digits of a number at most, so that every sum fits where it is stored.
const MAX_DIGITS: usize = 9;
/// Generic mana at most: what a database's integer holds.
const MAX_GENERIC: u32 = i32::MAX.unsigned_abs();

/// A mana cost: how much generic mana, and its symbols in one canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ManaCost {
    generic: u32,
    /// Lower case without braces: `u`, `u/g`, `2/w`, `w/p`, `x`.
    symbols: Vec<String>,
}

/// What stands in a mana cost and is no symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownSymbol {
    /// Its bytes in the text.
    pub at: Range<usize>,
    /// As it is written, with its braces.
    pub symbol: String,
}

impl ManaCost {
    /// Reads `{2}{W}{U/B}`, and what is short for it: letters and numbers without braces (`2wu`, `11`), hybrids
    /// without the slash (`{ub}`), halves in any order (`{p/u}`). Case makes no difference, and costs with ` // `
    /// between them add up.
    ///
    /// # Errors
    /// The first thing that is not a symbol.
    pub fn parse(text: &str) -> Result<Self, UnknownSymbol> {
        let (cost, unknown) = Self::read(text);
        match unknown {
            Some(at) => Err(UnknownSymbol { symbol: text[at.clone()].to_owned(), at }),
            None => Ok(cost),
        }
    }

    /// The cost of a card: what is not a symbol is kept as it is, in lower case.
    pub(super) fn of_card(text: &str) -> Self {
        Self::read(text).0
    }

    fn read(text: &str) -> (Self, Option<Range<usize>>) {
        let mut cost = Self::default();
        let mut unknown = None;
        let mut start = 0;
        while let Some(length) = token_length(&text[start..]) {
            let at = start..start + length;
            start = at.end;
            let written = &text[at.clone()];
            if written.trim().is_empty() || written == "//" {
                continue;
            }
            let inner = written.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(written);
            match symbol(inner) {
                Some(symbol) => cost.add(symbol),
                None => {
                    cost.symbols.push(inner.to_lowercase());
                    unknown = unknown.or(Some(at));
                }
            }
        }
        cost.symbols.sort_unstable_by(|one, other| sort_key(one).cmp(&sort_key(other)));
        (cost, unknown)
    }

    fn add(&mut self, symbol: String) {
        match symbol.parse::<u32>() {
            Ok(number) => self.generic = self.generic.saturating_add(number).min(MAX_GENERIC),
            Err(_) => self.symbols.push(symbol),
        }
    }

    /// How much generic mana, all numbers added up.
    pub fn generic(&self) -> u32 {
        self.generic
    }

    /// Symbols in order with braces, equal ones side by side: `{b}{b}{u/r}`. Empty for a cost of generic mana alone.
    pub fn canonical(&self) -> String {
        let mut text = String::with_capacity(self.symbols.iter().map(|symbol| symbol.len() + 2).sum());
        for symbol in &self.symbols {
            text.extend(["{", symbol, "}"]);
        }
        text
    }

    /// Each symbol with braces, and how often it is there, in order.
    pub fn counts(&self) -> Vec<(String, usize)> {
        let alike = self.symbols.chunk_by(|one, next| one == next);
        alike.filter_map(|group| Some((format!("{{{}}}", group.first()?), group.len()))).collect()
    }

    /// What devotion counts: a letter for each symbol that has colours, which is `@` and its colours as bits, sorted.
    pub fn pips(&self) -> String {
        let mut pips: Vec<char> = self.symbols.iter().filter_map(|symbol| pip(symbol)).collect();
        pips.sort_unstable();
        pips.into_iter().collect()
    }

    /// Whether a symbol of it is paid with one of two kinds of mana.
    pub(super) fn has_hybrid(&self) -> bool {
        self.symbols.iter().any(|symbol| symbol.strip_suffix("/p").unwrap_or(symbol).contains('/'))
    }

    /// Whether a symbol of it is paid with mana or life.
    pub(super) fn has_phyrexian(&self) -> bool {
        self.symbols.iter().any(|symbol| symbol.ends_with("/p"))
    }

    /// Its mana value; a hybrid counts as its larger half, what is not known as nothing.
    pub(super) fn value(&self) -> f64 {
        f64::from(self.generic) + self.symbols.iter().map(|symbol| symbol_value(symbol)).sum::<f64>()
    }
}

/// One symbol, given without braces, in its one spelling: lower case, halves of a hybrid in the order c w u b r g, a
/// number first, `p` last.
pub fn symbol(text: &str) -> Option<String> {
    let text = text.to_lowercase();
    if PLAIN.contains(&text.as_str()) {
        return Some(text);
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return number(&text).map(str::to_owned);
    }
    hybrid(&text)
}

/// A number without zeros before it, if it is not too long.
fn number(digits: &str) -> Option<&str> {
    let digits = digits.trim_start_matches('0');
    (digits.len() <= MAX_DIGITS).then_some(if digits.is_empty() { "0" } else { digits })
}

fn hybrid(text: &str) -> Option<String> {
    let mut amount = None;
    let mut halves = [false; HALVES.len()];
    let mut phyrexian = false;
    for part in text.split('/') {
        let letters = part.trim_start_matches(|character: char| character.is_ascii_digit());
        let digits = &part[..part.len() - letters.len()];
        let again = !digits.is_empty() && amount.replace(number(digits)?).is_some();
        if part.is_empty() || again {
            return None;
        }
        for letter in letters.chars() {
            let seen = match HALVES.iter().position(|half| *half == letter) {
                Some(place) => &mut halves[place],
                None if letter == 'p' => &mut phyrexian,
                None => return None,
            };
            if std::mem::replace(seen, true) {
                return None;
            }
        }
    }
    let letters = HALVES.iter().zip(halves).filter(|(_, is_in)| *is_in).map(|(half, _)| half.to_string());
    let mut parts: Vec<String> = amount.map(str::to_owned).into_iter().chain(letters).collect();
    let whole = parts.len() == 2 || (parts.len() == 1 && amount.is_none() && phyrexian);
    parts.extend(phyrexian.then(|| "p".to_owned()));
    whole.then(|| parts.join("/"))
}

/// How long the first piece of a cost is: a symbol in braces, a number, a separator, or one character. None at the
/// end.
fn token_length(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let length = match first {
        '{' => text.find('}').map_or(text.len(), |end| end + 1),
        '0'..='9' => text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len()),
        '/' if text.starts_with("//") => 2,
        _ => first.len_utf8(),
    };
    Some(length)
}

/// Plain symbols first, in their order, then hybrids, then what is not known.
fn sort_key(symbol: &str) -> (usize, &str) {
    let place = PLAIN.iter().position(|plain| *plain == symbol);
    (place.unwrap_or(PLAIN.len() + usize::from(!symbol.contains('/'))), symbol)
}

fn pip(symbol: &str) -> Option<char> {
    let bits = u8::try_from(symbol_colors(symbol).bits()).ok()?;
    (bits != 0).then(|| char::from(b'@' + bits))
}

/// The colours of a symbol in lower case without braces; of a half of a mana (`hw`) too.
pub(super) fn symbol_colors(symbol: &str) -> Colors {
    let colors = symbol.split('/').map(|part| match part.strip_prefix('h') {
        Some(half) => half,
        None => part,
    });
    colors.filter_map(color).collect()
}

fn color(letter: &str) -> Option<Color> {
    Some(match letter {
        "w" => Color::White,
        "u" => Color::Blue,
        "b" => Color::Black,
        "r" => Color::Red,
        "g" => Color::Green,
        _ => return None,
    })
}

fn symbol_value(symbol: &str) -> f64 {
    match symbol {
        "x" | "y" | "z" | "d" | "l" | "∞" => 0.0,
        "hw" | "hu" | "hb" | "hr" | "hg" | "½" => 0.5,
        plain if PLAIN.contains(&plain) => 1.0,
        hybrid => match hybrid.split_once('/') {
            Some((half, _)) => half.parse().unwrap_or(1.0),
            None => 0.0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(text: &str) -> ManaCost {
        ManaCost::parse(text).unwrap_or_else(|unknown| panic!("{text}: {unknown:?}"))
    }

    fn refused(text: &str) -> (Range<usize>, String) {
        let unknown = ManaCost::parse(text).expect_err(text);
        (unknown.at, unknown.symbol)
    }

    #[test]
    fn a_cost_has_its_generic_mana_and_its_symbols_in_one_order() {
        for (text, generic, canonical) in [
            ("{2}{W}{U/B}", 2, "{w}{u/b}"),
            ("{U/R}{B}{B}", 0, "{b}{b}{u/r}"),
            ("{X}{X}{R}", 0, "{x}{x}{r}"),
            ("{G}{W}{X}{1}{U}", 1, "{x}{w}{u}{g}"),
            ("{Y}{Z}{S}{C}", 0, "{y}{z}{c}{s}"),
            ("{HW}{½}{∞}{D}{L}", 0, "{hw}{½}{∞}{d}{l}"),
            ("{1000000}", 1_000_000, ""),
            ("{0}", 0, ""),
            ("", 0, ""),
        ] {
            let cost = cost(text);
            assert_eq!((cost.generic(), cost.canonical().as_str()), (generic, canonical), "{text}");
        }
    }

    #[test]
    fn numbers_and_joined_costs_add_up() {
        assert_eq!(cost("{2}{3}{W} // {1}{W}"), cost("6ww"));
        assert_eq!(cost("{999999999}{999999999}{999999999}").generic(), 2_147_483_647);
    }

    #[test]
    fn a_symbol_may_be_short_and_in_any_case() {
        for (short, long) in [
            ("2wu", "{2}{W}{U}"),
            ("3RR", "{3}{R}{R}"),
            ("xw", "{X}{W}"),
            ("11", "{11}"),
            ("1{g}1", "{2}{G}"),
            ("{ub}", "{U/B}"),
            ("{2W}", "{2/W}"),
            ("{007}", "{7}"),
        ] {
            assert_eq!(cost(short), cost(long), "{short}");
        }
    }

    #[test]
    fn a_hybrid_has_one_spelling() {
        for (text, spelling) in [
            ("B/U", "u/b"),
            ("g/w", "w/g"),
            ("w/2", "2/w"),
            ("pu", "u/p"),
            ("P/U", "u/p"),
            ("p/g/u", "u/g/p"),
            ("W/C", "c/w"),
            ("c/p", "c/p"),
        ] {
            assert_eq!(symbol(text).as_deref(), Some(spelling), "{text}");
        }
        for text in ["", "u/u", "p", "u/", "/u", "2/p", "2/3", "w/u/b", "2/w/u", "w/x", "2/3/w", "pup", "q"] {
            assert_eq!(symbol(text), None, "{text}");
        }
    }

    #[test]
    fn says_what_is_not_a_symbol_and_where() {
        assert_eq!(refused("2w{q}{t}"), (2..5, "{q}".to_owned()));
        assert_eq!(refused("{w}é"), (3..5, "é".to_owned()));
        assert_eq!(refused("{w}{u"), (3..5, "{u".to_owned()));
        assert_eq!(refused("u/b"), (1..2, "/".to_owned()));
        assert_eq!(refused("{}"), (0..2, "{}".to_owned()));
        assert_eq!(refused("1234567890"), (0..10, "1234567890".to_owned()));
    }

    #[test]
    fn a_card_keeps_what_is_not_a_symbol() {
        let cost = ManaCost::of_card("{Pawn}{1}{R}{Pawn}{2/");
        assert_eq!((cost.generic(), cost.canonical().as_str()), (1, "{r}{{2/}{pawn}{pawn}"));
        assert_eq!(cost.pips(), "H");
        assert_eq!(ManaCost::of_card("{Brr}").pips(), "");
    }

    #[test]
    fn counts_each_symbol() {
        let counts = [("{w}".to_owned(), 1), ("{b}".to_owned(), 2), ("{u/g}".to_owned(), 2)];
        assert_eq!(cost("{4}{g/u}{b}{w}{u/g}{b}").counts(), counts);
        assert_eq!(cost("{4}").counts(), []);
    }

    #[test]
    fn pips_are_the_colours_of_each_symbol_that_has_any() {
        for (text, pips) in [
            ("{1}{G}{W}{W}", "AAP"),
            ("{U/B}{U}", "BF"),
            ("{G}{W/U}", "CP"),
            ("{2/W}{HW}{R/P}", "AAH"),
            ("{G/U/P}{C/W}", "AR"),
            ("{X}{C}{S}{5}", ""),
        ] {
            assert_eq!(cost(text).pips(), pips, "{text}");
        }
    }

    #[test]
    fn tells_hybrid_from_phyrexian() {
        for (text, hybrid, phyrexian) in [
            ("{2}{W}", false, false),
            ("{W/U}", true, false),
            ("{2/W}", true, false),
            ("{W/P}", false, true),
            ("{G/U/P}", true, true),
        ] {
            let cost = cost(text);
            assert_eq!((cost.has_hybrid(), cost.has_phyrexian()), (hybrid, phyrexian), "{text}");
        }
    }

    #[test]
    fn a_value_counts_the_larger_half() {
        for (text, value) in
            [("{3}{W}{X}", 4.0), ("{2/W}{W/U}{R/P}", 4.0), ("{HW}", 0.5), ("{C/W}{S}", 2.0), ("{G/U/P}", 1.0)]
        {
            assert_eq!(cost(text).value(), value, "{text}");
        }
        assert_eq!(ManaCost::of_card("{pawn}{1}").value(), 1.0);
    }
}
