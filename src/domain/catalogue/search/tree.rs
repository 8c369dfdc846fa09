//! What a search means: conditions under and, or and not, and how its answer is laid out.

use std::ops::Range;

use chrono::NaiveDate;
use entity::enums::{Currency, Rarity};
use uuid::Uuid;

use super::super::attributes::Colors;
use super::super::facts::Stat;
use super::super::list::{CardOrder, CardSortField, Unique};
use super::super::mana::ManaCost;
use super::pattern::Pattern;
use crate::db::Direction;

/// Terms under and, or and not.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression<T> {
    /// Each of them; all cards where there is none.
    All(Vec<Self>),
    /// One of them at least; there is always one.
    Any(Vec<Self>),
    Not(Box<Self>),
    Term(T),
}

impl<T> Expression<T> {
    /// Turns each term into what it stands for.
    pub fn try_map<U, E>(
        self,
        read: &mut impl FnMut(T) -> Result<Expression<U>, E>,
    ) -> Result<Expression<U>, E> {
        let mut each =
            |parts: Vec<Self>| parts.into_iter().map(|part| part.try_map(read)).collect::<Result<_, E>>();
        Ok(match self {
            Self::All(parts) => Expression::All(each(parts)?),
            Self::Any(parts) => Expression::Any(each(parts)?),
            Self::Not(part) => Expression::Not(Box::new(part.try_map(read)?)),
            Self::Term(term) => read(term)?,
        })
    }

    /// Every term, with whether it stands under an odd number of nots.
    pub fn each(&self, negated: bool, visit: &mut impl FnMut(&T, bool)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.each(negated, visit)),
            Self::Not(part) => part.each(!negated, visit),
            Self::Term(term) => visit(term, negated),
        }
    }

    /// The opposite.
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// A search that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    pub condition: Expression<Condition>,
    pub layout: Layout,
}

/// How the answer of a search is laid out, as far as it says so.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Layout {
    /// Whether tokens and other extras are among what is found.
    pub extras: bool,
    pub unique: Option<Unique>,
    pub prefer: Option<Prefer>,
    pub order: Option<(CardSortField, Currency)>,
    pub direction: Option<Direction>,
}

impl Layout {
    /// This and what is said besides, which counts where both say something.
    pub fn and(self, said: Self) -> Self {
        Self {
            extras: self.extras || said.extras,
            unique: said.unique.or(self.unique),
            prefer: said.prefer.or(self.prefer),
            order: said.order.or(self.order),
            direction: said.direction.or(self.direction),
        }
    }

    /// The order that it says, where it says one, else the one given; its direction too. An order without one runs as on
    /// Scryfall: the newest first, and all else from the least.
    pub fn order(self, given: CardOrder) -> CardOrder {
        let (field, currency) = self.order.unwrap_or((given.field, given.currency));
        let usual = match self.order {
            Some((CardSortField::ReleasedOn, _)) => Direction::Descending,
            Some(_) => Direction::Ascending,
            None => given.direction,
        };
        CardOrder { field, currency, direction: self.direction.unwrap_or(usual) }
    }
}

/// Which printing stands for a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prefer {
    Newest,
    Oldest,
    Promo,
    Cheapest(Currency),
    Dearest(Currency),
    UniversesBeyond,
    NotUniversesBeyond,
}

/// One thing that is true of a card or not.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Text within the folded name.
    Name(Text),
    /// The whole folded name of the card or of a face.
    ExactName(String),
    Colors(ColorsOf, Comparison, Amount),
    /// Text within the type line of a face.
    Types(Text),
    Rules(RulesText, Text),
    /// `flying`, `first_strike`.
    Keyword(String),
    /// A cost, or that there is none.
    Mana(Comparison, Option<ManaCost>),
    /// A mana symbol in the rules of a face: `w/r`.
    Symbol(String),
    /// At least or at most so many symbols of one of these colours in the cost of a face.
    Devotion(Comparison, Colors, usize),
    Number(Quantity, Comparison, Number),
    /// Whether the mana value is odd.
    OddManaValue(bool),
    Rarity(Comparison, Rarity),
    /// Of the sets with one of these codes, or of those with one of these in their names.
    Sets(Vec<String>),
    /// Of the block that this set is in, or of the blocks whose names begin so.
    Block(String),
    /// Scryfall's set type.
    SetKind(String),
    /// One printing of the card meets the condition.
    Printed(Box<Expression<Self>>),
    CollectorNumber(Comparison, String),
    /// In this format, or in any.
    Legality(&'static [&'static str], Option<&'static str>),
    /// The price that lists show, in minor units.
    Price(Currency, Comparison, i64),
    /// No printing of the card has a lower price.
    Cheapest(Currency),
    Artist(Text),
    /// How many drew it.
    Artists(Comparison, i64),
    Flavor(Text),
    /// A mark of the printing: `frame:2003`, `border:black`, `is:full`.
    PrintingMark(String),
    /// Some mark of the printing that is of this kind: `watermark`.
    PrintingKind(&'static str),
    /// No earlier printing of the card has the same.
    FirstWith(Feature),
    /// A mark of a face: `is:vanilla`.
    FaceMark(&'static str),
    /// A column of the printing that is true or false.
    Flag(Flag),
    Layout(String),
    Released(Comparison, Day),
    /// Released in this year.
    Year(Comparison, i32),
    Language(String),
    /// How many printings, sets or illustrations the card has.
    Printings(Counted, Comparison, i64),
    /// The card of Scryfall's oracle id.
    OracleId(Uuid),
}

/// A text that is looked for: folded, anywhere within another.
#[derive(Debug, Clone, PartialEq)]
pub enum Text {
    Part(String),
    Pattern(Pattern),
}

/// The colours that a comparison is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorsOf {
    Card,
    Identity,
    /// The mana that it can make; colourless counts as a sixth.
    Produced,
}

/// What colours are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// As bits.
    These(i16),
    HowMany(i64),
}

/// The rules text of a face: without reminder text, with it, or with `~` for the card's own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RulesText {
    Plain,
    Full,
    OwnNameHidden,
}

/// A number of a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    Power,
    Toughness,
    PowerAndToughness,
    Loyalty,
    ManaValue,
}

/// What a number is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Number {
    Value(Stat),
    Other(Quantity),
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// As SQL writes it.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Equal => " = ",
            Self::Less => " < ",
            Self::LessOrEqual => " <= ",
            Self::Greater => " > ",
            Self::GreaterOrEqual => " >= ",
        }
    }
}

/// What a printing is or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    Nonfoil,
    Foil,
    Etched,
    Reserved,
    Promo,
    Digital,
    Extra,
    /// It has a flavour text.
    Flavor,
}

/// What printings of a card may differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    Rarity,
    Art,
    Artist,
    Flavor,
    Frame,
    Language,
}

/// A day, the day that a set came out, or the day of the newest price: what the store calls "now".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Day {
    On(NaiveDate),
    Of(String),
    Now,
}

/// What of a card is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    Printings,
    Sets,
    PaperPrintings,
    PaperSets,
    Illustrations,
}

/// What of a search was not understood: where, in bytes, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub at: usize,
    pub message: String,
}

impl Wrong {
    pub fn at(span: &Range<usize>, message: impl Into<String>) -> Self {
        Self { at: span.start, message: message.into() }
    }
}
