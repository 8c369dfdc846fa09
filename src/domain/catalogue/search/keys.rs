//! Every key that a search knows, in one table: its names, its operand, what it asks, and what the documentation says of
//! it. docs/search.md is printed from it.

use entity::enums::Currency;

use super::super::list::{CardSortField, Unique};
use super::super::names::{collector_key, name_key, text_key};
use super::is::{IS, Is};
use super::operands::{listed, quantity, unknown};
use super::syntax::{Asked, Form, Operator};
use super::tree::{
    Amount, ColorsOf, Comparison, Condition, Counted, Expression, Layout, Prefer, RulesText, Text, Wrong,
};
use crate::db::Direction;

/// A key of the language.
pub struct Key {
    /// The first is the one that the documentation uses.
    pub names: &'static [&'static str],
    pub operators: Operators,
    /// What the operand is.
    pub operand: &'static str,
    pub help: &'static str,
    /// A search that uses it.
    pub example: &'static str,
    pub(super) read: fn(&Asked<'_>) -> Result<Meaning, Wrong>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.names[0])
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names
    }
}

/// Which operators a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operators {
    /// `:`, `=` and `!=`.
    Equality,
    /// Those and `<`, `<=`, `>`, `>=`.
    Comparison,
    /// `:` and `=`: it says how the answer is laid out.
    Setting,
}

/// What a term with a key means.
#[derive(Debug)]
pub enum Meaning {
    Condition(Expression<Condition>),
    /// What it sets, and to what.
    Setting(fn(&mut Layout, &Layout), Layout),
}

type Read = Result<Meaning, Wrong>;

impl Key {
    /// The key of this name, without regard to case.
    pub fn find(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
    }

    /// What is said of a name that no key has.
    pub fn unknown(name: &str) -> String {
        let names = KEYS.iter().flat_map(|key| key.names.iter().copied());
        format!("{} In a name, put it in quotes.", unknown("key", name, names))
    }

    /// Reads the operand, once the operator is one that it takes.
    pub(super) fn meaning(&self, asked: &Asked<'_>) -> Read {
        let fits = match self.operators {
            Operators::Comparison => true,
            Operators::Equality => {
                matches!(asked.operator, Operator::Has | Operator::Equal | Operator::NotEqual)
            }
            Operators::Setting => matches!(asked.operator, Operator::Has | Operator::Equal),
        };
        if !fits {
            let message = match self.operators {
                Operators::Setting => format!("{} takes “:” and “=” only.", asked.name),
                _ => format!("{} has no order: it takes “:”, “=” and “!=” only.", asked.name),
            };
            return Err(Wrong::at(&asked.whole, message));
        }
        let takes_nothing = self.names[0] == "m";
        if asked.operand.trim().is_empty() && !takes_nothing {
            return asked.wrong(format!("expected {} after {}.", self.operand, asked.name));
        }
        let takes_pattern = matches!(self.operand, "a text or /a pattern/");
        if asked.form == Form::Pattern && !takes_pattern {
            return asked.wrong(format!("{} takes no regular expression, but {}.", asked.name, self.operand));
        }
        (self.read)(asked)
    }
}

fn term(asked: &Asked<'_>, condition: Condition) -> Read {
    Ok(Meaning::Condition(asked.term(condition)))
}

/// All cards, or none after `!=`.
fn everything(asked: &Asked<'_>) -> Meaning {
    let all = Expression::All(Vec::new());
    Meaning::Condition(if asked.operator == Operator::NotEqual { all.negated() } else { all })
}

/// A condition for each word of the operand, or the one of its pattern.
fn words(asked: &Asked<'_>, fold: fn(&str) -> String, condition: fn(Text) -> Condition) -> Read {
    let all = match asked.text()? {
        Text::Pattern(pattern) => vec![Expression::Term(condition(Text::Pattern(pattern)))],
        Text::Part(_) => asked
            .operand
            .split_whitespace()
            .map(fold)
            .filter(|word| !word.is_empty())
            .map(|word| Expression::Term(condition(Text::Part(word))))
            .collect(),
    };
    let all = Expression::All(all);
    Ok(Meaning::Condition(if asked.operator == Operator::NotEqual { all.negated() } else { all }))
}

fn name(asked: &Asked<'_>) -> Read {
    match asked.text()? {
        Text::Pattern(pattern) => term(asked, Condition::Name(Text::Pattern(pattern))),
        Text::Part(_) => term(asked, Condition::Name(Text::Part(name_key(asked.operand)))),
    }
}

fn colors(asked: &Asked<'_>, of: ColorsOf) -> Read {
    let (amount, has) = asked.amount(of)?;
    // Several are two or more, whichever sign asks for them.
    let several = (amount, has) == (Amount::HowMany(2), Comparison::GreaterOrEqual);
    if several && matches!(asked.operator, Operator::Equal | Operator::NotEqual) {
        return term(asked, Condition::Colors(of, has, amount));
    }
    Ok(Meaning::Condition(asked.compared(has, |comparison| Condition::Colors(of, comparison, amount))))
}

fn types(asked: &Asked<'_>) -> Read {
    if asked.operand.trim() == "*" {
        return Ok(everything(asked));
    }
    words(asked, text_key, Condition::Types)
}

fn rules(asked: &Asked<'_>, with_reminders: bool) -> Read {
    let own_name = asked.operand.contains('~');
    let which = match (own_name, with_reminders) {
        (true, _) => RulesText::OwnNameHidden,
        (false, true) => RulesText::Full,
        (false, false) => RulesText::Plain,
    };
    term(asked, Condition::Rules(which, asked.text()?))
}

fn mana_cost(asked: &Asked<'_>) -> Read {
    let cost = asked.mana()?;
    if cost.is_none() && !matches!(asked.operator, Operator::Has | Operator::Equal | Operator::NotEqual) {
        return asked.wrong("expected a cost such as 2uu or {g/w}{g/w}.");
    }
    Ok(Meaning::Condition(asked.compared(
        if cost.is_none() { Comparison::Equal } else { Comparison::GreaterOrEqual },
        |comparison| Condition::Mana(comparison, cost),
    )))
}

fn devotion(asked: &Asked<'_>) -> Read {
    let (colors, count) = asked.devotion()?;
    let condition = |comparison| Condition::Devotion(comparison, colors, count);
    Ok(Meaning::Condition(asked.compared(Comparison::GreaterOrEqual, condition)))
}

fn number(asked: &Asked<'_>) -> Read {
    let Some(quantity) = quantity(&asked.name.to_ascii_lowercase()) else {
        return asked.wrong("expected a number.");
    };
    if let "even" | "odd" = asked.word().as_str()
        && quantity == super::tree::Quantity::ManaValue
    {
        return term(asked, Condition::OddManaValue(asked.word() == "odd"));
    }
    let number = asked.number()?;
    Ok(Meaning::Condition(
        asked.compared(Comparison::Equal, |comparison| Condition::Number(quantity, comparison, number)),
    ))
}

fn rarity(asked: &Asked<'_>) -> Read {
    let rarity = asked.rarity()?;
    Ok(Meaning::Condition(
        asked.compared(Comparison::Equal, |comparison| Condition::Rarity(comparison, rarity)),
    ))
}

fn sets(asked: &Asked<'_>) -> Read {
    let mut names = Vec::new();
    for (name, span) in listed(asked) {
        match name_key(name) {
            key if key.is_empty() => return Err(Wrong::at(&span, "expected the code or the name of a set.")),
            key => names.push(key),
        }
    }
    term(asked, Condition::Sets(names))
}

const SET_KINDS: &[(&str, &str)] = &[
    ("arc", "archenemy"),
    ("cmd", "commander"),
    ("dd", "duel_deck"),
    ("ex", "expansion"),
    ("ftv", "from_the_vault"),
    ("pc", "planechase"),
    ("st", "starter"),
];

fn set_kind(asked: &Asked<'_>) -> Read {
    let kind = asked.word().replace([' ', '-'], "_");
    let kind = SET_KINDS.iter().find(|(short, _)| *short == kind).map_or(kind.as_str(), |(_, long)| long);
    term(asked, Condition::SetKind(kind.to_owned()))
}

/// Of any printing of the card: a set, a rarity, a game, a language, or a kind of set.
fn printed_in(asked: &Asked<'_>) -> Read {
    let word = asked.word();
    let condition = match word.as_str() {
        "paper" | "mtgo" | "arena" => Expression::Term(Condition::PrintingMark(format!("game:{word}"))),
        "foil" | "nonfoil" | "etched" | "promo" | "digital" => {
            is_named(&word).unwrap_or(Expression::All(Vec::new()))
        }
        "common" | "uncommon" | "rare" | "mythic" | "special" | "bonus" => {
            Expression::Term(Condition::Rarity(Comparison::Equal, asked.rarity()?))
        }
        word if LANGUAGES.iter().any(|(known, _)| *known == word) => {
            Expression::Term(Condition::Language(word.to_owned()))
        }
        word => Expression::Any(vec![
            Expression::Term(Condition::Sets(vec![name_key(word)])),
            Expression::Term(Condition::SetKind(word.replace([' ', '-'], "_"))),
        ]),
    };
    term(asked, Condition::Printed(Box::new(condition)))
}

fn collector_number(asked: &Asked<'_>) -> Read {
    let key = collector_key(asked.operand.trim());
    let condition = |comparison| Condition::CollectorNumber(comparison, key);
    Ok(Meaning::Condition(asked.compared(Comparison::Equal, condition)))
}

/// The formats that legalities know, and what else they are called.
const FORMATS: &[(&str, &str)] = &[
    ("standard", "standard"),
    ("future", "future"),
    ("historic", "historic"),
    ("timeless", "timeless"),
    ("gladiator", "gladiator"),
    ("pioneer", "pioneer"),
    ("explorer", "explorer"),
    ("modern", "modern"),
    ("legacy", "legacy"),
    ("pauper", "pauper"),
    ("vintage", "vintage"),
    ("penny", "penny"),
    ("penny_dreadful", "penny"),
    ("commander", "commander"),
    ("edh", "commander"),
    ("oathbreaker", "oathbreaker"),
    ("standardbrawl", "standardbrawl"),
    ("brawl", "brawl"),
    ("alchemy", "alchemy"),
    ("paupercommander", "paupercommander"),
    ("pauper_commander", "paupercommander"),
    ("duel", "duel"),
    ("duel_commander", "duel"),
    ("oldschool", "oldschool"),
    ("old_school", "oldschool"),
    ("premodern", "premodern"),
    ("predh", "predh"),
    ("frontier", "frontier"),
];

fn legality(asked: &Asked<'_>, statuses: &'static [&'static str]) -> Read {
    let format = if asked.operand.trim() == "*" { None } else { Some(asked.one_of("format", FORMATS)?) };
    term(asked, Condition::Legality(statuses, format))
}

fn price(asked: &Asked<'_>, currency: Currency) -> Read {
    let units = asked.money()?;
    let condition = |comparison| Condition::Price(currency, comparison, units);
    Ok(Meaning::Condition(asked.compared(Comparison::Equal, condition)))
}

fn mark(asked: &Asked<'_>, kind: &str) -> Read {
    let value = asked.word().replace(' ', "_");
    term(asked, Condition::PrintingMark(format!("{kind}:{value}")))
}

fn border(asked: &Asked<'_>) -> Read {
    if asked.word() == "none" {
        return term(asked, Condition::PrintingMark("border:borderless".to_owned()));
    }
    mark(asked, "border")
}

/// A frame, or something that is special about it.
fn frame(asked: &Asked<'_>) -> Read {
    let either = |marks: &[&str]| {
        let any = marks.iter().map(|mark| Expression::Term(Condition::PrintingMark((*mark).to_owned())));
        let any = Expression::Any(any.collect());
        Ok(Meaning::Condition(if asked.operator == Operator::NotEqual { any.negated() } else { any }))
    };
    match asked.word().as_str() {
        "old" => either(&["frame:1993", "frame:1997"]),
        "new" => either(&["frame:2003", "frame:2015"]),
        "modern" => either(&["frame:2003"]),
        "m15" => either(&["frame:2015"]),
        word => either(&[&format!("frame:{word}"), &format!("effect:{}", word.replace(' ', "_"))]),
    }
}

fn released(asked: &Asked<'_>) -> Read {
    let day = asked.day()?;
    Ok(Meaning::Condition(
        asked.compared(Comparison::Equal, |comparison| Condition::Released(comparison, day)),
    ))
}

fn year(asked: &Asked<'_>) -> Read {
    let year = asked.year()?;
    Ok(Meaning::Condition(asked.compared(Comparison::Equal, |comparison| Condition::Year(comparison, year))))
}

const LANGUAGES: &[(&str, &str)] = &[
    ("en", "en"),
    ("english", "en"),
    ("es", "es"),
    ("sp", "es"),
    ("spanish", "es"),
    ("fr", "fr"),
    ("french", "fr"),
    ("de", "de"),
    ("german", "de"),
    ("it", "it"),
    ("italian", "it"),
    ("pt", "pt"),
    ("portuguese", "pt"),
    ("ja", "ja"),
    ("jp", "ja"),
    ("japanese", "ja"),
    ("ko", "ko"),
    ("kr", "ko"),
    ("korean", "ko"),
    ("ru", "ru"),
    ("russian", "ru"),
    ("zhs", "zhs"),
    ("cs", "zhs"),
    ("zht", "zht"),
    ("ct", "zht"),
    ("he", "he"),
    ("la", "la"),
    ("grc", "grc"),
    ("ar", "ar"),
    ("sa", "sa"),
    ("ph", "ph"),
    ("qya", "qya"),
];

fn language(asked: &Asked<'_>) -> Read {
    if let "any" | "*" = asked.word().as_str() {
        return Ok(everything(asked));
    }
    term(asked, Condition::Language(asked.one_of("language", LANGUAGES)?.to_owned()))
}

/// The condition of a name that `is:` knows.
fn is_named(name: &str) -> Option<Expression<Condition>> {
    let (_, is, _) = IS.iter().find(|(known, _, _)| *known == name)?;
    Some(match is {
        Is::Printing(mark) => Expression::Term(Condition::PrintingMark((*mark).to_owned())),
        Is::Face(mark) => Expression::Term(Condition::FaceMark(mark)),
        Is::Flag(flag) => Expression::Term(Condition::Flag(*flag)),
        Is::Search(text) => super::parse(text).ok()?.condition,
    })
}

fn is(asked: &Asked<'_>, turned: bool) -> Read {
    let word = asked.word().replace([' ', '_', '-'], "");
    let Some(condition) = is_named(&word) else {
        let names = IS.iter().map(|(name, _, _)| *name);
        return asked.wrong(unknown("quality", asked.operand, names));
    };
    let turned = turned != (asked.operator == Operator::NotEqual);
    Ok(Meaning::Condition(if turned { condition.negated() } else { condition }))
}

fn printings(asked: &Asked<'_>, counted: Counted) -> Read {
    let count = asked.count()?;
    let condition = |comparison| Condition::Printings(counted, comparison, count);
    Ok(Meaning::Condition(asked.compared(Comparison::Equal, condition)))
}

fn include(asked: &Asked<'_>) -> Read {
    asked.one_of("kind of card to include", &[("extras", ()), ("variations", ())])?;
    let extras = asked.word() == "extras";
    Ok(Meaning::Setting(|layout, said| layout.extras |= said.extras, Layout { extras, ..Layout::default() }))
}

fn unique(asked: &Asked<'_>) -> Read {
    let names = [
        ("cards", Unique::Cards),
        ("art", Unique::Art),
        ("arts", Unique::Art),
        ("prints", Unique::Printings),
        ("printings", Unique::Printings),
    ];
    let unique = Some(asked.one_of("way to list cards once", &names)?);
    Ok(Meaning::Setting(|layout, said| layout.unique = said.unique, Layout { unique, ..Layout::default() }))
}

fn prefer(asked: &Asked<'_>) -> Read {
    let names = [
        ("newest", Some(Prefer::Newest)),
        ("oldest", Some(Prefer::Oldest)),
        ("promo", Some(Prefer::Promo)),
        ("usd_low", Some(Prefer::Cheapest(Currency::Usd))),
        ("usd_high", Some(Prefer::Dearest(Currency::Usd))),
        ("eur_low", Some(Prefer::Cheapest(Currency::Eur))),
        ("eur_high", Some(Prefer::Dearest(Currency::Eur))),
        ("tix_low", Some(Prefer::Cheapest(Currency::Tix))),
        ("tix_high", Some(Prefer::Dearest(Currency::Tix))),
        ("default", None),
    ];
    let prefer = asked.one_of("preference", &names)?;
    Ok(Meaning::Setting(|layout, said| layout.prefer = said.prefer, Layout { prefer, ..Layout::default() }))
}

fn order(asked: &Asked<'_>) -> Read {
    let by = |field| (field, Currency::Usd);
    let names = [
        ("name", by(CardSortField::Name)),
        ("released", by(CardSortField::ReleasedOn)),
        ("date", by(CardSortField::ReleasedOn)),
        ("set", by(CardSortField::SetCode)),
        ("number", by(CardSortField::CollectorNumber)),
        ("cn", by(CardSortField::CollectorNumber)),
        ("rarity", by(CardSortField::Rarity)),
        ("mv", by(CardSortField::ManaValue)),
        ("manavalue", by(CardSortField::ManaValue)),
        ("cmc", by(CardSortField::ManaValue)),
        ("usd", by(CardSortField::Price)),
        ("eur", (CardSortField::Price, Currency::Eur)),
        ("tix", (CardSortField::Price, Currency::Tix)),
    ];
    let order = Some(asked.one_of("order", &names)?);
    Ok(Meaning::Setting(|layout, said| layout.order = said.order, Layout { order, ..Layout::default() }))
}

fn direction(asked: &Asked<'_>) -> Read {
    let names = [
        ("asc", Direction::Ascending),
        ("ascending", Direction::Ascending),
        ("desc", Direction::Descending),
        ("descending", Direction::Descending),
    ];
    let direction = Some(asked.one_of("direction", &names)?);
    Ok(Meaning::Setting(
        |layout, said| layout.direction = said.direction,
        Layout { direction, ..Layout::default() },
    ))
}

fn tagged(asked: &Asked<'_>) -> Read {
    let message = "tags that people give to cards and pictures are not in this catalogue: search the rules (o:) or the types (t:).";
    Err(Wrong::at(&asked.whole, message))
}

const TEXT: &str = "a text or /a pattern/";

macro_rules! keys {
    ($($names:expr, $operators:ident, $operand:expr, $help:literal, $example:literal, $read:expr;)*) => {
        /// Every key, in the order of the documentation.
        pub const KEYS: &[Key] = &[$(Key {
            names: &$names,
            operators: Operators::$operators,
            operand: $operand,
            help: $help,
            example: $example,
            read: $read,
        },)*];
    };
}

// One key a line would be too long; one field a line, too many.
keys! {
    ["name"], Equality, TEXT, "The name holds this, as it does with a bare word or a text in quotes.", "name:/^gob/", name;
    ["c", "color", "colour", "colors", "colours"], Comparison, "colours", "Its colours. `:` is at least these. Letters, names (red, azorius, jund), c for colourless, m for several, or how many.", "c>=ur", |asked| colors(asked, ColorsOf::Card);
    ["id", "identity", "ci", "commander"], Comparison, "colours", "Its colour identity. `:` is within these: what a deck of theirs may play.", "id:esper t:instant", |asked| colors(asked, ColorsOf::Identity);
    ["t", "type"], Equality, TEXT, "Its type line holds each of these words.", "t:\"legendary dragon\"", types;
    ["o", "oracle"], Equality, TEXT, "Its rules hold this, reminders aside. `~` is its own name.", "o:\"draw a card\"", |asked| rules(asked, false);
    ["fo", "fulloracle"], Equality, TEXT, "Its rules hold this, reminders included.", "fo:\"can't be blocked\"", |asked| rules(asked, true);
    ["kw", "keyword"], Equality, "a keyword", "It has this keyword ability.", "kw:\"first strike\"", |asked| term(asked, Condition::Keyword(asked.word().replace(' ', "_")));
    ["m", "mana"], Comparison, "a mana cost", "Its mana cost. `:` is at least these symbols; nothing, or {}, is no cost at all.", "m>=2uu", mana_cost;
    ["mv", "manavalue", "cmc"], Comparison, "a number", "Its mana value: a number, even or odd, or another number of the card.", "mv<=2 t:artifact", number;
    ["pow", "power"], Comparison, "a number", "Its power. A star counts as 0; 1+* compares with others like it.", "pow>tou", number;
    ["tou", "toughness"], Comparison, "a number", "Its toughness.", "tou>=6", number;
    ["pt", "powtou"], Comparison, "a number", "Its power and toughness together.", "pt>=12", number;
    ["loy", "loyalty"], Comparison, "a number", "Its loyalty at first.", "loy=3", number;
    ["devotion"], Comparison, "mana symbols", "How much its cost adds to the devotion to a colour: at least these symbols.", "devotion:uu", devotion;
    ["produces"], Comparison, "colours", "The mana that it can make; c is colourless.", "t:land produces:gw", |asked| colors(asked, ColorsOf::Produced);
    ["r", "rarity"], Comparison, "a rarity", "common < uncommon < rare < mythic < special < bonus, or the first letter.", "r>=rare", rarity;
    ["s", "set", "e", "edition"], Equality, "a set", "Printed in this set: its code, or where there is none a part of its name. Several with commas.", "set:dmo,dmt", sets;
    ["b", "block"], Equality, "a block", "Of the block that this set is in, or the blocks whose names begin so.", "b:innistrad", |asked| term(asked, Condition::Block(name_key(asked.operand)));
    ["st", "settype"], Equality, "a kind of set", "Printed in a set of this kind: core, expansion, masters, commander, duel_deck, …", "st:core", set_kind;
    ["in"], Equality, "a set, rarity, game, language or kind of set", "Any printing of the card is of this.", "in:mythic", printed_in;
    ["cn", "number"], Comparison, "a collector number", "Its collector number, as people count.", "cn<=10", collector_number;
    ["f", "format"], Equality, "a format", "It may be played in this format, be it restricted. * is any format.", "f:modern", |asked| legality(asked, &["legal", "restricted"]);
    ["legal"], Equality, "a format", "It is legal in this format without restriction.", "legal:vintage", |asked| legality(asked, &["legal"]);
    ["banned"], Equality, "a format", "It is banned in this format.", "banned:legacy", |asked| legality(asked, &["banned"]);
    ["restricted"], Equality, "a format", "One copy of it may be played in this format.", "restricted:vintage", |asked| legality(asked, &["restricted"]);
    ["usd"], Comparison, "an amount", "Its price in US dollars, as lists show it.", "usd<0.5", |asked| price(asked, Currency::Usd);
    ["eur"], Comparison, "an amount", "Its price in euros.", "eur>=20", |asked| price(asked, Currency::Eur);
    ["tix"], Comparison, "an amount", "Its price in event tickets of Magic Online.", "tix<1", |asked| price(asked, Currency::Tix);
    ["a", "artist"], Equality, TEXT, "Who drew it.", "a:\"rebecca guay\"", |asked| term(asked, Condition::Artist(asked.text()?));
    ["ft", "flavor", "flavour"], Equality, TEXT, "Its flavour text holds this.", "ft:lantern", |asked| term(asked, Condition::Flavor(asked.text()?));
    ["wm", "watermark"], Equality, "a watermark", "Its watermark.", "wm:izzet", |asked| mark(asked, "watermark");
    ["border"], Equality, "a border", "black, white, silver, gold, yellow or borderless.", "border:black", border;
    ["frame"], Equality, "a frame", "1993, 1997, 2003, 2015, future, old or new, or an effect such as legendary or showcase.", "frame:2015", frame;
    ["stamp"], Equality, "a stamp", "Its security stamp: oval, triangle, acorn, …", "stamp:acorn", |asked| mark(asked, "stamp");
    ["game"], Equality, "a game", "To be had in paper, mtgo or arena.", "game:paper", |asked| mark(asked, "game");
    ["layout"], Equality, "a layout", "Its layout: normal, split, transform, saga, …", "layout:transform", |asked| term(asked, Condition::Layout(asked.word().replace(' ', "_")));
    ["date"], Comparison, "a day", "When it came out: a day such as 2015-08-18, or the day of a set.", "date>=2020-01-01", released;
    ["year"], Comparison, "a year", "The year in which it came out.", "year>=2020", year;
    ["lang", "language"], Equality, "a language", "Printed in this language; any is every language.", "lang:en", language;
    ["prints"], Comparison, "a number", "How many printings the card has.", "prints>=3", |asked| printings(asked, Counted::Printings);
    ["sets"], Comparison, "a number", "In how many sets the card is.", "sets=1", |asked| printings(asked, Counted::Sets);
    ["is"], Equality, "a quality", "It has a quality of the list below.", "is:vanilla", |asked| is(asked, false);
    ["not"], Equality, "a quality", "It does not have the quality.", "not:reprint t:dragon", |asked| is(asked, true);
    ["art", "arttag", "atag", "function", "otag", "oracletag"], Equality, "a tag", "Tags that people give are not in this catalogue; a search that uses one is told so.", "art:squirrel", tagged;
    ["include"], Setting, "extras", "Tokens, emblems and other extras too.", "t:zombie include:extras", include;
    ["unique"], Setting, "cards, art or prints", "What is listed once.", "unique:prints t:goblin", unique;
    ["prefer"], Setting, "newest, oldest, promo, usd-low, usd-high, …", "Which printing stands for a card.", "prefer:oldest t:goblin", prefer;
    ["order", "sort"], Setting, "name, released, set, number, rarity, mv, usd, eur or tix", "The order, unless the sort is given beside the search.", "t:dragon order:usd", order;
    ["direction", "dir"], Setting, "asc or desc", "Which way it runs.", "t:dragon order:mv direction:desc", direction;
}
