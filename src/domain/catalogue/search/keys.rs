//! Every key that a search knows, in one table: its names, its operand, what it asks, and what the documentation says of
//! it. docs/search.md is printed from it.

use entity::enums::Currency;

use super::super::list::{CardSortField, Unique};
use super::super::names::{collector_key, name_key};
use super::is::{IS, Is};
use super::operands::{listed, unknown};
use super::syntax::{Asked, Form, Operator};
use super::tree::{
    Amount, ColorsOf, Comparison, Condition, Counted, Expression, Layout, Prefer, Quantity, RulesText, Text,
    Wrong,
};
use super::vocabulary::{FORMATS, LANGUAGES, SET_KINDS};
use crate::db::Direction;

/// A key of the language.
pub struct Key {
    /// The first is the one that the documentation uses.
    pub names: &'static [&'static str],
    pub operators: Operators,
    pub operand: Operand,
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

/// What stands after a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// The only one that may be a regular expression.
    Text,
    Colors,
    /// The only one that may be left out.
    Mana,
    Symbols,
    Number,
    Count,
    Rarity,
    Set,
    Format,
    Money,
    Quality,
    Tag,
    /// Something that needs no more than its name.
    Other(&'static str),
}

impl Operand {
    /// What it is, for people.
    pub fn described(self) -> &'static str {
        match self {
            Self::Text => "a text or /a pattern/",
            Self::Colors => "colours",
            Self::Mana => "a mana cost",
            Self::Symbols => "mana symbols",
            Self::Number => "a number",
            Self::Count => "a whole number",
            Self::Rarity => "a rarity",
            Self::Set => "a set",
            Self::Format => "a format",
            Self::Money => "an amount",
            Self::Quality => "a quality",
            Self::Tag => "a tag",
            Self::Other(name) => name,
        }
    }
}

/// What a term with a key means.
#[derive(Debug)]
pub enum Meaning {
    Condition(Expression<Condition>),
    /// A layout that says one thing.
    Setting(Layout),
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
        let operand = self.operand.described();
        if asked.operand.trim().is_empty() && self.operand != Operand::Mana {
            return asked.wrong(format!("expected {operand} after {}.", asked.name));
        }
        if asked.form == Form::Pattern && self.operand != Operand::Text {
            return asked.wrong(format!("{} takes no regular expression, but {operand}.", asked.name));
        }
        (self.read)(asked)
    }
}

fn means(asked: &Asked<'_>, expression: Expression<Condition>) -> Read {
    Ok(Meaning::Condition(asked.turned(expression)))
}

fn term(asked: &Asked<'_>, condition: Condition) -> Read {
    means(asked, Expression::Term(condition))
}

fn any_mark(asked: &Asked<'_>, marks: &[&str]) -> Read {
    let marks = marks.iter().map(|mark| Expression::Term(Condition::PrintingMark((*mark).to_owned())));
    means(asked, Expression::Any(marks.collect()))
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
    let comparison = match asked.operator {
        Operator::Equal | Operator::NotEqual if several => has,
        _ => asked.comparison(has),
    };
    term(asked, Condition::Colors(of, comparison, amount))
}

/// A condition for each word, or the one of its pattern.
fn types(asked: &Asked<'_>) -> Read {
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
    let has = if cost.is_none() { Comparison::Equal } else { Comparison::GreaterOrEqual };
    term(asked, Condition::Mana(asked.comparison(has), cost))
}

fn devotion(asked: &Asked<'_>) -> Read {
    let (colors, count) = asked.devotion()?;
    term(asked, Condition::Devotion(asked.comparison(Comparison::GreaterOrEqual), colors, count))
}

fn mana_value(asked: &Asked<'_>) -> Read {
    match asked.word().as_str() {
        word @ ("even" | "odd") => term(asked, Condition::OddManaValue(word == "odd")),
        _ => number(asked, Quantity::ManaValue),
    }
}

fn number(asked: &Asked<'_>, quantity: Quantity) -> Read {
    let number = asked.number()?;
    term(asked, Condition::Number(quantity, asked.comparison(Comparison::Equal), number))
}

fn rarity(asked: &Asked<'_>) -> Read {
    let rarity = asked.rarity()?;
    term(asked, Condition::Rarity(asked.comparison(Comparison::Equal), rarity))
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
        "foil" | "nonfoil" | "etched" | "promo" | "digital" | "booster" => {
            is_named(&word).unwrap_or(Expression::All(Vec::new()))
        }
        "common" | "uncommon" | "rare" | "mythic" | "special" | "bonus" => {
            Expression::Term(Condition::Rarity(Comparison::Equal, asked.rarity()?))
        }
        word => match LANGUAGES.iter().find(|(known, _)| *known == word) {
            Some((_, code)) => Expression::Term(Condition::Language((*code).to_owned())),
            None => Expression::Any(vec![
                Expression::Term(Condition::Sets(vec![name_key(word)])),
                Expression::Term(Condition::SetKind(word.replace([' ', '-'], "_"))),
            ]),
        },
    };
    term(asked, Condition::Printed(Box::new(condition)))
}

fn collector_number(asked: &Asked<'_>) -> Read {
    let key = collector_key(asked.operand.trim());
    term(asked, Condition::CollectorNumber(asked.comparison(Comparison::Equal), key))
}

fn legality(asked: &Asked<'_>, statuses: &'static [&'static str]) -> Read {
    let format = if asked.operand.trim() == "*" { None } else { Some(asked.one_of("format", FORMATS)?) };
    term(asked, Condition::Legality(statuses, format))
}

fn price(asked: &Asked<'_>, currency: Currency) -> Read {
    let units = asked.money()?;
    term(asked, Condition::Price(currency, asked.comparison(Comparison::Equal), units))
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
    match asked.word().as_str() {
        "old" => any_mark(asked, &["frame:1993", "frame:1997"]),
        "new" => any_mark(asked, &["frame:2003", "frame:2015"]),
        "modern" => any_mark(asked, &["frame:2003"]),
        "m15" => any_mark(asked, &["frame:2015"]),
        word => any_mark(asked, &[&format!("frame:{word}"), &format!("effect:{}", word.replace(' ', "_"))]),
    }
}

fn released(asked: &Asked<'_>) -> Read {
    let day = asked.day()?;
    term(asked, Condition::Released(asked.comparison(Comparison::Equal), day))
}

fn year(asked: &Asked<'_>) -> Read {
    let year = asked.year()?;
    term(asked, Condition::Year(asked.comparison(Comparison::Equal), year))
}

fn language(asked: &Asked<'_>) -> Read {
    if let "any" | "*" = asked.word().as_str() {
        return means(asked, Expression::All(Vec::new()));
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
        Is::Leader(mark, format) => Expression::All(vec![
            Expression::Term(Condition::FaceMark(mark)),
            Expression::Term(Condition::Legality(&["banned"], Some(*format))).negated(),
        ]),
    })
}

fn is(asked: &Asked<'_>, turned: bool) -> Read {
    let word = asked.word().replace([' ', '_', '-'], "");
    let Some(condition) = is_named(&word) else {
        let names = IS.iter().map(|(name, _, _)| *name);
        return asked.wrong(unknown("quality", asked.operand, names));
    };
    means(asked, if turned { condition.negated() } else { condition })
}

fn printings(asked: &Asked<'_>, counted: Counted) -> Read {
    let count = asked.count()?;
    term(asked, Condition::Printings(counted, asked.comparison(Comparison::Equal), count))
}

fn include(asked: &Asked<'_>) -> Read {
    asked.one_of("kind of card to include", &[("extras", ()), ("variations", ())])?;
    let extras = asked.word() == "extras";
    Ok(Meaning::Setting(Layout { extras, ..Layout::default() }))
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
    Ok(Meaning::Setting(Layout { unique, ..Layout::default() }))
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
    Ok(Meaning::Setting(Layout { prefer, ..Layout::default() }))
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
    Ok(Meaning::Setting(Layout { order, ..Layout::default() }))
}

fn direction(asked: &Asked<'_>) -> Read {
    let names = [
        ("asc", Direction::Ascending),
        ("ascending", Direction::Ascending),
        ("desc", Direction::Descending),
        ("descending", Direction::Descending),
    ];
    let direction = Some(asked.one_of("direction", &names)?);
    Ok(Meaning::Setting(Layout { direction, ..Layout::default() }))
}

fn tagged(asked: &Asked<'_>) -> Read {
    let message = "tags that people give to cards and pictures are not in this catalogue: search the rules (o:) or the types (t:).";
    Err(Wrong::at(&asked.whole, message))
}

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
    ["name"], Equality, Operand::Text, "The name holds this, as it does with a bare word or a text in quotes.", "name:/^gob/", name;
    ["c", "color", "colour", "colors", "colours"], Comparison, Operand::Colors, "Its colours. `:` is at least these. Letters, names (red, azorius, jund), c for colourless, m for several, or how many.", "c>=ur", |asked| colors(asked, ColorsOf::Card);
    ["id", "identity", "ci", "commander"], Comparison, Operand::Colors, "Its colour identity. `:` is within these: what a deck of theirs may play.", "id:esper t:instant", |asked| colors(asked, ColorsOf::Identity);
    ["t", "type"], Equality, Operand::Text, "Its type line holds each of these words.", "t:\"legendary dragon\"", types;
    ["o", "oracle"], Equality, Operand::Text, "Its rules hold this, reminders aside. `~` is its own name.", "o:\"draw a card\"", |asked| rules(asked, false);
    ["fo", "fulloracle"], Equality, Operand::Text, "Its rules hold this, reminders included.", "fo:\"can't be blocked\"", |asked| rules(asked, true);
    ["kw", "keyword"], Equality, Operand::Other("a keyword"), "It has this keyword ability.", "kw:\"first strike\"", |asked| term(asked, Condition::Keyword(asked.word().replace(' ', "_")));
    ["m", "mana"], Comparison, Operand::Mana, "Its mana cost. `:` is at least these symbols; nothing, or {}, is no cost at all.", "m>=2uu", mana_cost;
    ["mv", "manavalue", "cmc"], Comparison, Operand::Number, "Its mana value: a number, even or odd, or another number of the card.", "mv<=2 t:artifact", mana_value;
    ["pow", "power"], Comparison, Operand::Number, "Its power. A star counts as 0; 1+* compares with others like it.", "pow>tou", |asked| number(asked, Quantity::Power);
    ["tou", "toughness"], Comparison, Operand::Number, "Its toughness.", "tou>=6", |asked| number(asked, Quantity::Toughness);
    ["pt", "powtou"], Comparison, Operand::Number, "Its power and toughness together.", "pt>=12", |asked| number(asked, Quantity::PowerAndToughness);
    ["loy", "loyalty"], Comparison, Operand::Number, "Its loyalty at first.", "loy=3", |asked| number(asked, Quantity::Loyalty);
    ["devotion"], Comparison, Operand::Symbols, "How much its cost adds to the devotion to a colour: at least these symbols.", "devotion:uu", devotion;
    ["produces"], Comparison, Operand::Colors, "The mana that it can make; c is colourless.", "t:land produces:gw", |asked| colors(asked, ColorsOf::Produced);
    ["r", "rarity"], Comparison, Operand::Rarity, "common < uncommon < rare < mythic < special < bonus, or the first letter.", "r>=rare", rarity;
    ["s", "set", "e", "edition"], Equality, Operand::Set, "Printed in this set: its code, or where there is none a part of its name. Several with commas.", "set:dmo,dmt", sets;
    ["b", "block"], Equality, Operand::Other("a block"), "Of the block that this set is in, or the blocks whose names begin so.", "b:innistrad", |asked| term(asked, Condition::Block(name_key(asked.operand)));
    ["st", "settype"], Equality, Operand::Other("a kind of set"), "Printed in a set of this kind: core, expansion, masters, commander, duel_deck, …", "st:core", set_kind;
    ["in"], Equality, Operand::Other("a set, rarity, game, language or kind of set"), "Any printing of the card is of this; also foil, nonfoil, etched, promo, digital and booster.", "in:mythic", printed_in;
    ["cn", "number"], Comparison, Operand::Other("a collector number"), "Its collector number, as people count.", "cn<=10", collector_number;
    ["f", "format"], Equality, Operand::Format, "It may be played in this format, be it restricted. * is any format.", "f:modern", |asked| legality(asked, &["legal", "restricted"]);
    ["legal"], Equality, Operand::Format, "It is legal in this format without restriction.", "legal:vintage", |asked| legality(asked, &["legal"]);
    ["banned"], Equality, Operand::Format, "It is banned in this format.", "banned:legacy", |asked| legality(asked, &["banned"]);
    ["restricted"], Equality, Operand::Format, "One copy of it may be played in this format.", "restricted:vintage", |asked| legality(asked, &["restricted"]);
    ["usd"], Comparison, Operand::Money, "Its price in US dollars, as lists show it.", "usd<0.5", |asked| price(asked, Currency::Usd);
    ["eur"], Comparison, Operand::Money, "Its price in euros.", "eur>=20", |asked| price(asked, Currency::Eur);
    ["tix"], Comparison, Operand::Money, "Its price in event tickets of Magic Online.", "tix<1", |asked| price(asked, Currency::Tix);
    ["a", "artist"], Equality, Operand::Text, "Who drew it.", "a:\"rebecca guay\"", |asked| term(asked, Condition::Artist(asked.text()?));
    ["ft", "flavor", "flavour"], Equality, Operand::Text, "Its flavour text holds this.", "ft:lantern", |asked| term(asked, Condition::Flavor(asked.text()?));
    ["wm", "watermark"], Equality, Operand::Other("a watermark"), "Its watermark.", "wm:izzet", |asked| mark(asked, "watermark");
    ["border"], Equality, Operand::Other("a border"), "black, white, silver, gold, yellow or borderless.", "border:black", border;
    ["frame"], Equality, Operand::Other("a frame"), "1993, 1997, 2003, 2015, future, old or new, or an effect such as legendary or showcase.", "frame:2015", frame;
    ["stamp"], Equality, Operand::Other("a stamp"), "Its security stamp: oval, triangle, acorn, …", "stamp:acorn", |asked| mark(asked, "stamp");
    ["game"], Equality, Operand::Other("a game"), "To be had in paper, mtgo or arena.", "game:paper", |asked| mark(asked, "game");
    ["layout"], Equality, Operand::Other("a layout"), "Its layout: normal, split, transform, saga, …", "layout:transform", |asked| term(asked, Condition::Layout(asked.word().replace(' ', "_")));
    ["date"], Comparison, Operand::Other("a day"), "When it came out: a day such as 2015-08-18, the day of a set, or today or now, which is the day of the newest price.", "date>=2020-01-01", released;
    ["year"], Comparison, Operand::Other("a year"), "The year in which it came out.", "year>=2020", year;
    ["lang", "language"], Equality, Operand::Other("a language"), "Printed in this language; any is every language.", "lang:en", language;
    ["prints"], Comparison, Operand::Count, "How many printings the card has.", "prints>=3", |asked| printings(asked, Counted::Printings);
    ["sets"], Comparison, Operand::Count, "In how many sets the card is.", "sets=1", |asked| printings(asked, Counted::Sets);
    ["paperprints"], Comparison, Operand::Count, "How many printings on paper the card has.", "paperprints>=3", |asked| printings(asked, Counted::PaperPrintings);
    ["papersets"], Comparison, Operand::Count, "In how many sets the card is on paper.", "papersets=1", |asked| printings(asked, Counted::PaperSets);
    ["illustrations"], Comparison, Operand::Count, "How many illustrations the card has.", "illustrations>1", |asked| printings(asked, Counted::Illustrations);
    ["is"], Equality, Operand::Quality, "It has a quality of the list below.", "is:vanilla", |asked| is(asked, false);
    ["not"], Equality, Operand::Quality, "It does not have the quality.", "not:reprint t:dragon", |asked| is(asked, true);
    ["art", "arttag", "atag", "function", "otag", "oracletag"], Equality, Operand::Tag, "Tags that people give are not in this catalogue; a search that uses one is told so.", "art:squirrel", tagged;
    ["include"], Setting, Operand::Other("extras"), "Tokens, emblems and other extras too.", "t:zombie include:extras", include;
    ["unique"], Setting, Operand::Other("cards, art or prints"), "What is listed once.", "unique:prints t:goblin", unique;
    ["prefer"], Setting, Operand::Other("newest, oldest, promo, usd-low, usd-high, …"), "Which printing stands for a card.", "prefer:oldest t:goblin", prefer;
    ["order", "sort"], Setting, Operand::Other("name, released, set, number, rarity, mv, usd, eur or tix"), "The order, unless the sort is given beside the search.", "t:dragon order:usd", order;
    ["direction", "dir"], Setting, Operand::Other("asc or desc"), "Which way it runs.", "t:dragon order:mv direction:desc", direction;
}
