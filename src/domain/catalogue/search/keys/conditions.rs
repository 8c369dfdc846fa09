//! What the keys ask of a card: from an operand to a condition.

use entity::enums::Currency;
use uuid::Uuid;

use super::super::super::names::{collector_key, name_key};
use super::super::is::{ABSENT, IS, Is};
use super::super::operands::{listed, unknown};
use super::super::parse;
use super::super::syntax::{Asked, Operator};
use super::super::tree::{
    Amount, ColorsOf, Comparison, Condition, Counted, Expression, Feature, Quantity, RulesText, Text, Wrong,
};
use super::super::vocabulary::{FORMATS, GAMES, LANGUAGES, SET_KINDS};
use super::{Meaning, Read};

fn means(asked: &Asked<'_>, expression: Expression<Condition>) -> Read {
    Ok(Meaning::Condition(asked.turned(expression)))
}

pub(super) fn term(asked: &Asked<'_>, condition: Condition) -> Read {
    means(asked, Expression::Term(condition))
}

fn any_mark(asked: &Asked<'_>, marks: &[&str]) -> Read {
    let marks = marks.iter().map(|mark| Expression::Term(Condition::PrintingMark((*mark).to_owned())));
    means(asked, Expression::Any(marks.collect()))
}

pub(super) fn name(asked: &Asked<'_>) -> Read {
    match asked.text()? {
        Text::Pattern(pattern) => term(asked, Condition::Name(Text::Pattern(pattern))),
        Text::Part(_) => term(asked, Condition::Name(Text::Part(name_key(asked.operand)))),
    }
}

pub(super) fn colors(asked: &Asked<'_>, of: ColorsOf) -> Read {
    let (amount, has) = asked.amount(of)?;
    // Several are two or more, whichever sign asks for them.
    let several = (amount, has) == (Amount::HowMany(2), Comparison::GreaterOrEqual);
    let comparison = match asked.operator {
        Operator::Equal | Operator::NotEqual if several => has,
        _ => asked.comparison(has),
    };
    term(asked, Condition::Colors(of, comparison, amount))
}

/// A condition for each word, or the one of its pattern.
pub(super) fn types(asked: &Asked<'_>) -> Read {
    if asked.operand.trim() == "*" {
        return means(asked, Expression::All(Vec::new()));
    }
    match asked.text()? {
        Text::Part(text) => {
            let words = text.split_whitespace().map(|word| Text::Part(word.to_owned()));
            means(
                asked,
                Expression::All(words.map(|word| Expression::Term(Condition::Types(word))).collect()),
            )
        }
        pattern => term(asked, Condition::Types(pattern)),
    }
}

pub(super) fn rules(asked: &Asked<'_>, with_reminders: bool) -> Read {
    let own_name = asked.operand.contains('~');
    let which = match (own_name, with_reminders) {
        (true, _) => RulesText::OwnNameHidden,
        (false, true) => RulesText::Full,
        (false, false) => RulesText::Plain,
    };
    term(asked, Condition::Rules(which, asked.text()?))
}

pub(super) fn mana_cost(asked: &Asked<'_>) -> Read {
    let cost = asked.mana()?;
    if cost.is_none() && !matches!(asked.operator, Operator::Has | Operator::Equal | Operator::NotEqual) {
        return asked.wrong("expected a cost such as 2uu or {g/w}{g/w}.");
    }
    let has = if cost.is_none() { Comparison::Equal } else { Comparison::GreaterOrEqual };
    term(asked, Condition::Mana(asked.comparison(has), cost))
}

pub(super) fn devotion(asked: &Asked<'_>) -> Read {
    let (colors, count) = asked.devotion()?;
    term(asked, Condition::Devotion(asked.comparison(Comparison::GreaterOrEqual), colors, count))
}

pub(super) fn mana_value(asked: &Asked<'_>) -> Read {
    match asked.word().as_str() {
        word @ ("even" | "odd") => term(asked, Condition::OddManaValue(word == "odd")),
        _ => number(asked, Quantity::ManaValue),
    }
}

pub(super) fn number(asked: &Asked<'_>, quantity: Quantity) -> Read {
    let number = asked.number()?;
    term(asked, Condition::Number(quantity, asked.comparison(Comparison::Equal), number))
}

pub(super) fn rarity(asked: &Asked<'_>) -> Read {
    let rarity = asked.rarity()?;
    term(asked, Condition::Rarity(asked.comparison(Comparison::Equal), rarity))
}

pub(super) fn sets(asked: &Asked<'_>) -> Read {
    let mut names = Vec::new();
    for (name, span) in listed(asked) {
        match name_key(name) {
            key if key.is_empty() => return Err(Wrong::at(&span, "expected the code or the name of a set.")),
            key => names.push(key),
        }
    }
    term(asked, Condition::Sets(names))
}

pub(super) fn block(asked: &Asked<'_>) -> Read {
    term(asked, Condition::Block(name_key(asked.operand)))
}

/// Scryfall's name of a kind of set.
fn kind_of_set(word: &str) -> String {
    let kind = word.replace([' ', '-'], "_");
    match SET_KINDS.iter().find(|(short, _)| *short == kind) {
        Some((_, long)) => (*long).to_owned(),
        None => kind,
    }
}

pub(super) fn set_kind(asked: &Asked<'_>) -> Read {
    term(asked, Condition::SetKind(kind_of_set(&asked.word())))
}

/// Of any printing of the card: a set, a rarity, a game, a language, or a kind of set.
pub(super) fn printed_in(asked: &Asked<'_>) -> Read {
    let word = asked.word();
    let condition = match word.as_str() {
        "paper" | "mtgo" | "arena" => Expression::Term(Condition::PrintingMark(format!("game:{word}"))),
        "foil" | "nonfoil" | "etched" | "promo" | "digital" | "booster" => {
            is_named(&word).unwrap_or(Expression::All(Vec::new()))
        }
        "common" | "uncommon" | "rare" | "mythic" | "special" | "bonus" => {
            Expression::Term(Condition::Rarity(Comparison::Equal, asked.rarity()?))
        }
        word => {
            let language = word.replace([' ', '-'], "_");
            match LANGUAGES.iter().find(|(known, _)| *known == language) {
                Some((_, code)) => Expression::Term(Condition::Language((*code).to_owned())),
                None => Expression::Any(vec![
                    Expression::Term(Condition::Sets(vec![name_key(word)])),
                    Expression::Term(Condition::SetKind(kind_of_set(word))),
                ]),
            }
        }
    };
    term(asked, Condition::Printed(Box::new(condition)))
}

pub(super) fn collector_number(asked: &Asked<'_>) -> Read {
    let key = collector_key(asked.operand.trim());
    term(asked, Condition::CollectorNumber(asked.comparison(Comparison::Equal), key))
}

pub(super) fn legality(asked: &Asked<'_>, statuses: &'static [&'static str]) -> Read {
    let format = if asked.operand.trim() == "*" { None } else { Some(asked.one_of("format", FORMATS)?) };
    term(asked, Condition::Legality(statuses, format))
}

pub(super) fn price(asked: &Asked<'_>, currency: Currency) -> Read {
    let units = asked.money()?;
    term(asked, Condition::Price(currency, asked.comparison(Comparison::Equal), units))
}

pub(super) fn cheapest(asked: &Asked<'_>) -> Read {
    let currencies = [("usd", Currency::Usd), ("eur", Currency::Eur), ("tix", Currency::Tix)];
    term(asked, Condition::Cheapest(asked.one_of_few("currency", &currencies)?))
}

pub(super) fn artist_count(asked: &Asked<'_>) -> Read {
    let count = asked.count()?;
    term(asked, Condition::Artists(asked.comparison(Comparison::Equal), count))
}

pub(super) fn flavor(asked: &Asked<'_>) -> Read {
    term(asked, Condition::Flavor(asked.text()?))
}

/// What a printing may have that no earlier one of the card had.
pub(super) fn first_with(asked: &Asked<'_>) -> Read {
    let features = [
        ("rarity", Feature::Rarity),
        ("art", Feature::Art),
        ("illustration", Feature::Art),
        ("artist", Feature::Artist),
        ("flavor", Feature::Flavor),
        ("flavour", Feature::Flavor),
        ("frame", Feature::Frame),
        ("language", Feature::Language),
        ("lang", Feature::Language),
    ];
    term(asked, Condition::FirstWith(asked.one_of_few("news", &features)?))
}

pub(super) fn oracle_id(asked: &Asked<'_>) -> Read {
    match Uuid::parse_str(asked.operand.trim()) {
        Ok(id) => term(asked, Condition::OracleId(id)),
        Err(_) => asked.wrong("expected an id such as 00000000-0000-4000-8000-000000000001."),
    }
}

pub(super) fn keyword(asked: &Asked<'_>) -> Read {
    term(asked, Condition::Keyword(asked.word().replace(' ', "_")))
}

pub(super) fn layout(asked: &Asked<'_>) -> Read {
    term(asked, Condition::Layout(asked.word().replace([' ', '-'], "_")))
}

/// A game, by Scryfall's name or by one that players use.
pub(super) fn game(asked: &Asked<'_>) -> Read {
    let word = asked.word();
    match GAMES.iter().find(|(known, _)| *known == word) {
        Some((_, game)) => term(asked, Condition::PrintingMark(format!("game:{game}"))),
        None => mark(asked, "game"),
    }
}

pub(super) fn mark(asked: &Asked<'_>, kind: &str) -> Read {
    let value = asked.word().replace(' ', "_");
    term(asked, Condition::PrintingMark(format!("{kind}:{value}")))
}

pub(super) fn border(asked: &Asked<'_>) -> Read {
    if asked.word() == "none" {
        return term(asked, Condition::PrintingMark("border:borderless".to_owned()));
    }
    mark(asked, "border")
}

/// A frame, or something that is special about it.
pub(super) fn frame(asked: &Asked<'_>) -> Read {
    match asked.word().as_str() {
        "old" => any_mark(asked, &["frame:1993", "frame:1997"]),
        "new" => any_mark(asked, &["frame:2003", "frame:2015"]),
        "modern" => any_mark(asked, &["frame:2003"]),
        "m15" => any_mark(asked, &["frame:2015"]),
        // Sources call it by either name.
        "enchantment" | "nyxtouched" => any_mark(asked, &["effect:enchantment", "effect:nyxtouched"]),
        word => any_mark(asked, &[&format!("frame:{word}"), &format!("effect:{}", word.replace(' ', "_"))]),
    }
}

pub(super) fn released(asked: &Asked<'_>) -> Read {
    let day = asked.day()?;
    term(asked, Condition::Released(asked.comparison(Comparison::Equal), day))
}

pub(super) fn year(asked: &Asked<'_>) -> Read {
    let year = asked.year()?;
    term(asked, Condition::Year(asked.comparison(Comparison::Equal), year))
}

pub(super) fn language(asked: &Asked<'_>) -> Read {
    if let "any" | "*" = asked.word().as_str() {
        return means(asked, Expression::All(Vec::new()));
    }
    term(asked, Condition::Language(asked.one_of("language", LANGUAGES)?.to_owned()))
}

/// The condition of a name that `is:` knows.
fn is_named(name: &str) -> Option<Expression<Condition>> {
    let (_, is, _) = IS.iter().find(|(known, _, _)| *known == name)?;
    let of_printing = |mark: &str| Expression::Term(Condition::PrintingMark(mark.to_owned()));
    Some(match is {
        Is::Printing(mark) => of_printing(mark),
        Is::Either(one, other) => Expression::Any(vec![of_printing(one), of_printing(other)]),
        Is::Kind(kind) => Expression::Term(Condition::PrintingKind(kind)),
        Is::Face(mark) => Expression::Term(Condition::FaceMark(mark)),
        Is::Flag(flag) => Expression::Term(Condition::Flag(*flag)),
        Is::Search(text) => parse(text).ok()?.condition,
        Is::Leader(mark, format, barred) => Expression::All(vec![
            Expression::Term(Condition::FaceMark(mark)),
            Expression::Term(Condition::Legality(barred, Some(*format))).negated(),
        ]),
    })
}

pub(super) fn is(asked: &Asked<'_>, turned: bool) -> Read {
    let word = asked.word().replace([' ', '_', '-'], "");
    if let Some(condition) = is_named(&word) {
        return means(asked, if turned { condition.negated() } else { condition });
    }
    match ABSENT.iter().find(|(absent, _)| *absent == word) {
        Some((absent, instead)) => {
            asked.wrong(format!("the quality “{absent}” is not in this catalogue: {instead}."))
        }
        None => asked.wrong(unknown("quality", asked.operand, IS.iter().map(|(name, _, _)| *name))),
    }
}

pub(super) fn printings(asked: &Asked<'_>, counted: Counted) -> Read {
    let count = asked.count()?;
    term(asked, Condition::Printings(counted, asked.comparison(Comparison::Equal), count))
}
