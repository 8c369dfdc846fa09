//! Every key that a search knows, in one table: its names, its operand, what it asks, and what the documentation says of
//! it. docs/search.md is printed from it.

mod conditions;
mod settings;

use entity::enums::Currency;

use self::conditions::{
    artist_count, block, border, cheapest, collector_number, colors, devotion, first_with, flavor, frame,
    game, is, keyword, language, layout, legality, mana_cost, mana_value, mark, name, number, oracle_id,
    price, printed_in, printings, rarity, released, rules, set_kind, sets, term, types, year,
};
use self::settings::{direction, display, include, order, prefer, unique};
use super::operands::unknown;
use super::syntax::{Asked, Form, Operator};
use super::tree::{ColorsOf, Condition, Counted, Expression, Layout, Quantity, Wrong};

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
    /// Something that the catalogue doesn't know: who asks for it is told so.
    Missing(&'static str),
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
            Self::Missing(name) | Self::Other(name) => name,
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

fn missing(asked: &Asked<'_>, instead: &str) -> Read {
    let what = asked.key.operand.described();
    let message = format!("{} asks for {what}, which is not in this catalogue: {instead}.", asked.name);
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
    ["kw", "keyword", "keywords"], Equality, Operand::Other("a keyword"), "It has this keyword ability.", "kw:\"first strike\"", keyword;
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
    ["b", "block"], Equality, Operand::Other("a block"), "Of the block that this set is in, or the blocks whose names begin so.", "b:innistrad", block;
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
    ["cheapest"], Equality, Operand::Other("usd, eur or tix"), "No printing of the card has a lower price.", "cheapest:usd", cheapest;
    ["a", "artist"], Equality, Operand::Text, "Who drew it.", "a:\"rebecca guay\"", |asked| term(asked, Condition::Artist(asked.text()?));
    ["artists"], Comparison, Operand::Count, "How many drew it.", "artists>1", artist_count;
    ["ft", "flavor", "flavour"], Equality, Operand::Text, "Its flavour text holds this.", "ft:lantern", flavor;
    ["wm", "watermark"], Equality, Operand::Other("a watermark"), "Its watermark.", "wm:izzet", |asked| mark(asked, "watermark");
    ["border"], Equality, Operand::Other("a border"), "black, white, silver, gold, yellow or borderless.", "border:black", border;
    ["frame"], Equality, Operand::Other("a frame"), "1993, 1997, 2003, 2015, future, old or new, or an effect such as legendary, tombstone or showcase.", "frame:2015", frame;
    ["stamp"], Equality, Operand::Other("a stamp"), "Its security stamp: oval, triangle, acorn, …", "stamp:acorn", |asked| mark(asked, "stamp");
    ["game"], Equality, Operand::Other("a game"), "To be had in paper, mtgo or arena.", "game:paper", game;
    ["layout"], Equality, Operand::Other("a layout"), "Its layout: normal, split, transform, saga, …", "layout:transform", layout;
    ["date"], Comparison, Operand::Other("a day"), "When it came out: a day such as 2015-08-18, the day of a set, or today or now, which is the day of the newest price.", "date>=2020-01-01", released;
    ["year"], Comparison, Operand::Other("a year"), "The year in which it came out.", "year>=2020", year;
    ["lang", "language"], Equality, Operand::Other("a language"), "Printed in this language; any is every language.", "lang:en", language;
    ["prints"], Comparison, Operand::Count, "How many printings the card has.", "prints>=3", |asked| printings(asked, Counted::Printings);
    ["sets"], Comparison, Operand::Count, "In how many sets the card is.", "sets=1", |asked| printings(asked, Counted::Sets);
    ["paperprints"], Comparison, Operand::Count, "How many printings on paper the card has.", "paperprints>=3", |asked| printings(asked, Counted::PaperPrintings);
    ["papersets"], Comparison, Operand::Count, "In how many sets the card is on paper.", "papersets=1", |asked| printings(asked, Counted::PaperSets);
    ["illustrations"], Comparison, Operand::Count, "How many illustrations the card has.", "illustrations>1", |asked| printings(asked, Counted::Illustrations);
    ["new"], Equality, Operand::Other("rarity, art, artist, flavor, frame or language"), "No earlier printing of the card had this one's; of a rarity, only reprints.", "new:art is:reprint", first_with;
    ["is", "has"], Equality, Operand::Quality, "It has a quality of the list below.", "is:vanilla", |asked| is(asked, false);
    ["not"], Equality, Operand::Quality, "It does not have the quality.", "not:reprint t:dragon", |asked| is(asked, true);
    ["oracleid"], Equality, Operand::Other("Scryfall's oracle id"), "The card of this id.", "oracleid:00000000-0000-4000-8000-000000000001", oracle_id;
    ["art", "arttag", "atag", "function", "otag", "oracletag"], Equality, Operand::Missing("a tag"), "Not in this catalogue: tags that people give to cards and pictures.", "art:squirrel", |asked| missing(asked, "search the rules (o:) or the types (t:)");
    ["cube"], Equality, Operand::Missing("a cube"), "Not in this catalogue: the lists of cubes.", "cube:vintage", |asked| missing(asked, "search a set (e:) or a format (f:)");
    ["def", "defense"], Comparison, Operand::Missing("a defense"), "Not in this catalogue: the defense of battles.", "def>=4", |asked| missing(asked, "search the types (t:battle) or the mana value (mv:)");
    ["lore"], Equality, Operand::Missing("a lore"), "Not in this catalogue: what tells of somebody or something.", "lore:urza", |asked| missing(asked, "search names, types (t:) and flavour texts (ft:) with “or” between them");
    ["wildpair"], Comparison, Operand::Missing("a wild pair"), "Not in this catalogue: what Wild Pair finds.", "wildpair=6", |asked| missing(asked, "search the power and toughness together (pt=)");
    ["include"], Setting, Operand::Other("extras"), "Tokens, emblems and other extras too.", "t:zombie include:extras", include;
    ["unique"], Setting, Operand::Other("cards, art or prints"), "What is listed once.", "unique:prints t:goblin", unique;
    ["prefer"], Setting, Operand::Other("newest, oldest, promo, ub, notub, default, or usd, eur or tix with -low or -high"), "Which printing stands for a card.", "prefer:oldest t:goblin", prefer;
    ["order", "sort"], Setting, Operand::Other("name, released, set, number, rarity, mv, usd, eur or tix"), "The order, unless the sort is given beside the search: from the least, and released from the newest.", "t:dragon order:usd", order;
    ["direction", "dir"], Setting, Operand::Other("asc, desc or auto"), "Which way it runs.", "t:dragon order:mv direction:desc", direction;
    ["display", "as"], Setting, Operand::Other("grid, checklist, full, images or text"), "How Scryfall shows what it finds; changes nothing here.", "t:dragon display:grid", display;
}
