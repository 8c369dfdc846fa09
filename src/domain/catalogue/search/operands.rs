//! Reading what stands after a key.

use std::ops::Range;

use chrono::{Datelike, NaiveDate};
use entity::enums::Rarity;

use super::super::attributes::{COLORLESS_MANA, Colors};
use super::super::facts::Stat;
use super::super::mana::{ManaCost, symbol_colors};
use super::super::names::text_key;
use super::pattern::Pattern;
use super::syntax::{Asked, Form, Operator};
use super::tree::{Amount, ColorsOf, Comparison, Condition, Day, Expression, Number, Quantity, Text, Wrong};
use super::vocabulary::COLOR_NAMES;

type Read<T> = Result<T, Wrong>;

impl Asked<'_> {
    /// An error at the operand.
    pub fn wrong<T>(&self, message: impl Into<String>) -> Read<T> {
        Err(Wrong::at(&self.span, message))
    }

    /// The opposite after `!=`.
    pub fn turned(&self, expression: Expression<Condition>) -> Expression<Condition> {
        if self.operator == Operator::NotEqual { expression.negated() } else { expression }
    }

    /// How it compares, where `:` means the comparison given. What `!=` says besides, `turned` does.
    pub fn comparison(&self, has: Comparison) -> Comparison {
        match self.operator {
            Operator::Has => has,
            Operator::Equal | Operator::NotEqual => Comparison::Equal,
            Operator::Less => Comparison::Less,
            Operator::LessOrEqual => Comparison::LessOrEqual,
            Operator::Greater => Comparison::Greater,
            Operator::GreaterOrEqual => Comparison::GreaterOrEqual,
        }
    }

    /// The operand in lower case, for words of a fixed vocabulary.
    pub fn word(&self) -> String {
        text_key(self.operand.trim())
    }

    /// The operand folded, as a text or a pattern.
    pub fn text(&self) -> Read<Text> {
        if self.form == Form::Pattern {
            return Pattern::parse(self.operand).map(Text::Pattern).map_err(|error| Wrong {
                at: self.span.start + error.at.start,
                message: format!("{}.", error.message.trim_end_matches('.')),
            });
        }
        let text = text_key(self.operand);
        if text.trim().is_empty() { self.wrong("expected a text.") } else { Ok(Text::Part(text)) }
    }

    /// An amount of colours.
    pub fn amount(&self, of: ColorsOf) -> Read<(Amount, Comparison)> {
        let has = match of {
            ColorsOf::Card | ColorsOf::Produced => Comparison::GreaterOrEqual,
            ColorsOf::Identity => Comparison::LessOrEqual,
        };
        let word = self.word();
        if let Ok(count) = word.parse::<u8>() {
            return Ok((Amount::HowMany(count.into()), Comparison::Equal));
        }
        match word.as_str() {
            "m" | "multi" | "multicolor" | "multicolored" | "multicolour" | "multicoloured" => {
                return Ok((Amount::HowMany(2), Comparison::GreaterOrEqual));
            }
            "mono" | "monocolor" | "monocolored" | "monocolour" | "monocoloured" => {
                return Ok((Amount::HowMany(1), Comparison::Equal));
            }
            "c" | "colorless" | "colourless" if of == ColorsOf::Produced => {
                return Ok((Amount::These(COLORLESS_MANA), has));
            }
            "c" | "colorless" | "colourless" => return Ok((Amount::These(0), Comparison::Equal)),
            _ => {}
        }
        match color_bits(&word, of == ColorsOf::Produced) {
            Some(bits) => Ok((Amount::These(bits), has)),
            None => self.wrong(
                "expected colours: letters of wubrg, a colour's name, a number, c, m, or a name such as azorius or jund.",
            ),
        }
    }

    pub fn rarity(&self) -> Read<Rarity> {
        Ok(match self.word().as_str() {
            "c" | "common" => Rarity::Common,
            "u" | "uncommon" => Rarity::Uncommon,
            "r" | "rare" => Rarity::Rare,
            "m" | "mythic" => Rarity::Mythic,
            "s" | "special" => Rarity::Special,
            "b" | "bonus" => Rarity::Bonus,
            _ => {
                return self.wrong(
                    "expected common, uncommon, rare, mythic, special or bonus, or its first letter.",
                );
            }
        })
    }

    /// A cost; none where nothing is given or only `{}`.
    pub fn mana(&self) -> Read<Option<ManaCost>> {
        let text = self.operand.trim();
        if text.is_empty() || text == "{}" {
            return Ok(None);
        }
        ManaCost::parse(text).map(Some).map_err(|unknown| Wrong {
            at: self.span.start + unknown.at.start,
            message: format!("“{}” is not a mana symbol.", unknown.symbol),
        })
    }

    /// The colours of symbols that are all alike, and how many they are.
    pub fn devotion(&self) -> Read<(Colors, usize)> {
        let cost = self.mana()?.unwrap_or_default();
        let counts = cost.counts();
        match (counts.as_slice(), cost.generic()) {
            ([(symbol, count)], 0) => match symbol_colors(symbol.trim_matches(['{', '}'])) {
                colors if colors == Colors::default() => self.wrong("devotion is to colours."),
                colors => Ok((colors, *count)),
            },
            _ => self.wrong("expected one symbol as often as it is to count: gg, or {u/b}{u/b}."),
        }
    }

    /// A number, or another number of the card.
    pub fn number(&self) -> Read<Number> {
        let word = self.word();
        if let Some(quantity) = quantity(&word) {
            return Ok(Number::Other(quantity));
        }
        let stands_for_one = |c: char| c.is_ascii_digit() || "+-.*²^?½∞x".contains(c);
        match Stat::parse(&word) {
            Some(stat) if word.chars().all(stands_for_one) => Ok(Number::Value(stat)),
            _ => self.wrong("expected a number, or pow, tou, loy or mv."),
        }
    }

    /// A whole number.
    pub fn count(&self) -> Read<i64> {
        self.word().parse().or_else(|_| self.wrong("expected a whole number."))
    }

    /// An amount of money, in minor units.
    pub fn money(&self) -> Read<i64> {
        let word = self.word();
        let amount = word.strip_prefix(['$', '€']).unwrap_or(&word);
        let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let length = whole.len() + part.len();
        let fits = length > 0 && whole.len() <= 9 && part.len() <= 2 && digits(whole) && digits(part);
        match format!("{whole}{part:0<2}").parse() {
            Ok(units) if fits => Ok(units),
            _ => self.wrong("expected an amount such as 5 or 0.25."),
        }
    }

    pub fn year(&self) -> Read<i32> {
        match self.word().parse() {
            Ok(year) if (1000..=9999).contains(&year) => Ok(year),
            _ => self.wrong("expected a year such as 2012."),
        }
    }

    pub fn day(&self) -> Read<Day> {
        let word = self.word();
        if let Ok(day) = NaiveDate::parse_from_str(&word, "%Y-%m-%d")
            && (1..=9999).contains(&day.year())
        {
            return Ok(Day::On(day));
        }
        if let "now" | "today" = word.as_str() {
            return Ok(Day::Now);
        }
        let code =
            !word.is_empty() && word.len() <= 8 && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if code && word.parse::<u32>().is_err() {
            return Ok(Day::Of(word));
        }
        self.wrong("expected a day such as 2012-05-04, today, or the code of a set.")
    }

    /// One of the words, or what is near it.
    pub fn one_of<T: Copy>(&self, what: &str, words: &[(&str, T)]) -> Read<T> {
        one_of(what, self.operand, words).or_else(|message| self.wrong(message))
    }

    /// One of the words, which are so few that the key's documentation has them all: who is wrong is told them.
    pub fn one_of_few<T: Copy>(&self, what: &str, words: &[(&str, T)]) -> Read<T> {
        self.one_of(what, words).map_err(|wrong| {
            let message = format!("{} {} takes {}.", wrong.message, self.name, self.key.operand.described());
            Wrong { message, ..wrong }
        })
    }
}

/// A word as vocabularies write it.
pub fn word_key(word: &str) -> String {
    text_key(word.trim()).replace(['-', ' '], "_")
}

/// What a word stands for; else what is said of one that is none of these.
pub fn one_of<T: Copy>(what: &str, word: &str, words: &[(&str, T)]) -> Result<T, String> {
    let key = word_key(word);
    match words.iter().find(|(known, _)| *known == key) {
        Some((_, value)) => Ok(*value),
        None => Err(unknown(what, word, words.iter().map(|(known, _)| *known))),
    }
}

/// `there is no … “…”`, and the word that was perhaps meant.
pub fn unknown<'w>(what: &str, word: &str, known: impl Iterator<Item = &'w str>) -> String {
    let word: String = word.chars().take(40).collect();
    match near(&word, known) {
        Some(near) => format!("there is no {what} “{word}”. Did you mean {near}?"),
        None => format!("there is no {what} “{word}”."),
    }
}

/// The word that was perhaps meant.
pub fn near<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let word = word.to_lowercase();
    let nearest = known
        .map(|known| (strsim::normalized_damerau_levenshtein(&word, known), known))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|(a, left), (b, right)| a.total_cmp(b).then_with(|| right.cmp(left)));
    nearest.map(|(_, near)| near)
}

/// A number of the card by its name.
fn quantity(word: &str) -> Option<Quantity> {
    Some(match word {
        "pow" | "power" => Quantity::Power,
        "tou" | "toughness" => Quantity::Toughness,
        "pt" | "powtou" => Quantity::PowerAndToughness,
        "loy" | "loyalty" => Quantity::Loyalty,
        "mv" | "manavalue" | "cmc" => Quantity::ManaValue,
        _ => return None,
    })
}

/// The bits of colours by letters or by name.
fn color_bits(word: &str, with_colorless: bool) -> Option<i16> {
    let name = word.replace(['-', ' '], "");
    let letters = COLOR_NAMES.iter().find(|(known, _)| *known == name).map_or(word, |(_, letters)| letters);
    let known = if with_colorless { "wubrgc" } else { "wubrg" };
    let bits = letters.chars().try_fold(0, |bits, letter| Some(bits | 1 << known.find(letter)?))?;
    (bits != 0).then_some(bits)
}

/// Where an operand is one of several separated by commas: each with its place.
pub fn listed<'s>(asked: &Asked<'s>) -> Vec<(&'s str, Range<usize>)> {
    let mut start = asked.span.start;
    asked
        .operand
        .split(',')
        .map(|part| {
            let span = start..start + part.len();
            start = span.end + 1;
            (part.trim(), span)
        })
        .collect()
}
