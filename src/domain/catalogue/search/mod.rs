//! Search in Scryfall's syntax (<https://scryfall.com/docs/syntax>): a text is parsed to terms ([`syntax`]), each term is
//! given its meaning by the table of [`keys`], and what comes of it ([`tree`]) is written as SQL ([`compile`]).

mod compile;
pub mod is;
pub mod keys;
mod operands;
mod pattern;
mod reference;
mod syntax;
mod tree;
pub(super) mod vocabulary;

pub use reference::reference;
pub use tree::{Prefer, Search};

use self::keys::{Meaning, Operators};
use self::syntax::Term;
use self::tree::{Condition, Expression, Layout, Text, Wrong};
use super::list::Unique;
use super::mana;
use super::names::name_key;
use crate::error::{Code, Refusal};

/// Characters of a search at most.
const MAX_LENGTH: usize = 500;
/// Terms of a search at most.
const MAX_TERMS: usize = 50;
/// Conditions of a search at most, with what `is:` stands for written out.
const MAX_CONDITIONS: usize = 100;
/// Regular expressions among them at most.
const MAX_PATTERNS: usize = 20;

/// Types of cards that are extras, but are meant when they are asked for.
const REVEALED: [&str; 10] = [
    "conspiracy",
    "dungeon",
    "emblem",
    "ongoing",
    "phenomenon",
    "plane",
    "planes",
    "scheme",
    "token",
    "vanguard",
];

impl Search {
    /// Reads a search.
    ///
    /// # Errors
    /// ERR-3006 for one that is blank, too long, or not understood: it says where and what was expected.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        parse(text).map_err(|Wrong { at, message }| {
            let character = text.char_indices().take_while(|(byte, _)| *byte < at).count() + 1;
            Refusal::new(Code::InvalidSearch, format!("At character {character}: {message}"))
        })
    }
}

fn parse(text: &str) -> Result<Search, Wrong> {
    if text.chars().count() > MAX_LENGTH {
        return Err(Wrong { at: 0, message: format!("a search has at most {MAX_LENGTH} characters.") });
    }
    let blank = || Wrong { at: 0, message: "expected a search. Leave it out to list all cards.".to_owned() };
    if text.trim().is_empty() {
        return Err(blank());
    }
    let written = syntax::parse(text)?;
    let mut terms = 0;
    written.each(false, &mut |_, _| terms += 1);
    if terms > MAX_TERMS {
        return Err(Wrong { at: 0, message: format!("a search has at most {MAX_TERMS} terms.") });
    }
    let written = match written {
        alone @ Expression::Term(_) => Expression::All(vec![alone]),
        other => other,
    };
    let mut layout = Layout::default();
    let written = take_settings(written, &mut layout)?;
    let mut asks = layout != Layout::default();
    let condition = written.try_map(&mut |term| {
        let meaning = meaning(term)?;
        asks |= !matches!(&meaning, Expression::All(parts) if parts.is_empty());
        Ok::<_, Wrong>(meaning)
    })?;
    let (conditions, patterns) = size(&condition);
    if conditions > MAX_CONDITIONS || patterns > MAX_PATTERNS {
        let message = format!(
            "a search has at most {MAX_CONDITIONS} conditions and {MAX_PATTERNS} regular expressions, with what “is:” stands for written out."
        );
        return Err(Wrong { at: 0, message });
    }
    // `t:*` and `lang:any` ask for all there is, and say so.
    if !asks && !text.contains([':', '=']) {
        return Err(blank());
    }
    condition.each(false, &mut |condition, negated| {
        if let (Condition::Types(Text::Part(word)), false) = (condition, negated) {
            layout.extras |= REVEALED.contains(&word.as_str());
        }
    });
    Ok(Search { condition, layout })
}

/// The longest name that a format which is not known may have.
const MAX_FORMAT: usize = 30;

/// The format that players call so, as the catalogue writes it. A word that is near none of those that are known may be one
/// that came after them, and stays as it is.
///
/// # Errors
/// What a search says of one that is not known, where it is near one that is, or no word at all.
pub fn format_named(name: &str) -> Result<String, String> {
    let wrong = match operands::one_of("format", name, vocabulary::FORMATS) {
        Ok(format) => return Ok(format.to_owned()),
        Err(wrong) => wrong,
    };
    let key = operands::word_key(name);
    let is_word = (1..=MAX_FORMAT).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let known = vocabulary::FORMATS.iter().map(|(known, _)| *known);
    if is_word && operands::near(&key, known).is_none() { Ok(key) } else { Err(wrong) }
}

/// How many conditions the store is asked, and how many of them are regular expressions.
fn size(expression: &Expression<Condition>) -> (usize, usize) {
    let (mut conditions, mut patterns) = (0, 0);
    expression.each(false, &mut |condition, _| {
        let (more, of_them) = match condition {
            Condition::Printed(inner) => size(inner),
            Condition::Sets(names) => (names.len(), 0),
            Condition::Name(Text::Pattern(_))
            | Condition::Types(Text::Pattern(_))
            | Condition::Rules(_, Text::Pattern(_))
            | Condition::Artist(Text::Pattern(_))
            | Condition::Flavor(Text::Pattern(_)) => (1, 1),
            _ => (1, 0),
        };
        conditions += more;
        patterns += of_them;
    });
    (conditions, patterns)
}

/// Takes out what says how the answer is laid out, which is about the whole search, in parentheses or not. What stands
/// after a not or alone on a side of `or` stays, to be refused.
fn take_settings<'s>(
    written: Expression<Term<'s>>,
    layout: &mut Layout,
) -> Result<Expression<Term<'s>>, Wrong> {
    let mut kept = Vec::new();
    match written {
        Expression::All(parts) => {
            for part in parts {
                let said = if let Expression::Term(term) = &part { setting(term)? } else { None };
                match said {
                    Some(said) => *layout = layout.and(said),
                    None => kept.push(take_settings(part, layout)?),
                }
            }
            Ok(Expression::All(kept))
        }
        Expression::Any(sides) => {
            for side in sides {
                // A side of nothing else would let all cards pass.
                kept.push(if is_setting(&side) { side } else { take_settings(side, layout)? });
            }
            Ok(Expression::Any(kept))
        }
        other => Ok(other),
    }
}

/// Whether it is of nothing else.
fn is_setting(part: &Expression<Term<'_>>) -> bool {
    match part {
        Expression::All(parts) => parts.iter().all(is_setting),
        Expression::Term(Term::Keyed(asked)) => asked.key.operators == Operators::Setting,
        Expression::Term(Term::Name { text: "++" | "@@", quoted, .. }) => !quoted,
        _ => false,
    }
}

/// Said of a setting where it can't be one.
fn misplaced(name: &str) -> String {
    format!("{name} is about the whole search: it can't stand after “-”, nor alone on a side of “or”.")
}

/// What a term says of the layout, if that is what it is about.
fn setting(term: &Term<'_>) -> Result<Option<Layout>, Wrong> {
    let once = |unique| Ok(Some(Layout { unique: Some(unique), ..Layout::default() }));
    match term {
        // Scryfall's older words for `unique:prints` and `unique:art`.
        Term::Name { text: "++", quoted: false, .. } => once(Unique::Printings),
        Term::Name { text: "@@", quoted: false, .. } => once(Unique::Art),
        Term::Keyed(asked) if asked.key.operators == Operators::Setting => {
            Ok(match asked.key.meaning(asked)? {
                Meaning::Setting(said) => Some(said),
                Meaning::Condition(_) => None,
            })
        }
        _ => Ok(None),
    }
}

fn meaning(term: Term<'_>) -> Result<Expression<Condition>, Wrong> {
    let name = |key: &str| Expression::Term(Condition::Name(Text::Part(key.to_owned())));
    Ok(match term {
        Term::Name { text: text @ ("++" | "@@"), quoted: false, span } => {
            return Err(Wrong::at(&span, misplaced(text)));
        }
        Term::Name { text, quoted, span } => {
            let key = name_key(text);
            // A sign between words, as in `Fire // Ice`.
            if text.chars().all(|sign| "&/,.-–—:;".contains(sign)) && !quoted {
                return Ok(Expression::All(Vec::new()));
            }
            match (key.is_empty(), quoted) {
                (true, _) => return Err(Wrong::at(&span, "expected a part of a name.")),
                (false, true) => name(&key),
                (false, false) => Expression::All(key.split(' ').map(name).collect()),
            }
        }
        Term::Exact { text, span } => match name_key(text) {
            key if key.is_empty() => return Err(Wrong::at(&span, "expected a name after “!”.")),
            key => Expression::Term(Condition::ExactName(key)),
        },
        Term::Symbol { text, span } => match symbol(text) {
            Some(symbol) => Expression::Term(Condition::Symbol(symbol)),
            None => {
                let shown: String = text.chars().take(20).collect();
                return Err(Wrong::at(&span, format!("“{shown}” is not a mana symbol.")));
            }
        },
        Term::Keyed(asked) => match asked.key.meaning(&asked)? {
            Meaning::Condition(condition) => condition,
            Meaning::Setting(..) => {
                return Err(Wrong::at(&asked.whole, misplaced(asked.name)));
            }
        },
    })
}

/// The mana symbol that a word in braces is, without them.
fn symbol(text: &str) -> Option<String> {
    mana::symbol(text.strip_prefix('{')?.strip_suffix('}')?)
}
