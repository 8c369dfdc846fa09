//! A search as SQL: a condition on the printings of a statement that calls them `c`, for either store. Operands are bound,
//! never part of the text.

mod faces;
mod printings;

use entity::enums::Currency;
use sea_orm::ActiveEnum;

use self::faces::{push_devotion, push_mana, push_number};
use self::printings::{
    push_artist_count, push_block, push_cheapest, push_counted, push_first_with, push_legality,
    push_printed_text, push_released, push_sets,
};
use super::super::attributes::SAID_MANA;
use super::super::facts::Stat;
use super::tree::{
    Amount, ColorsOf, Comparison, Condition, Expression, Flag, Number, Prefer, Quantity, RulesText, Search,
    Text,
};
use crate::db::Sql;

impl Search {
    /// Writes the condition, in parentheses. Never null.
    pub fn push(&self, sql: &mut Sql) {
        push(&self.condition, sql);
    }

    /// Whether it asks for less than all cards.
    pub fn has_conditions(&self) -> bool {
        let mut any = false;
        self.condition.each(false, &mut |_, _| any = true);
        any
    }

    /// The sets that it asks for, if they are codes: their extras are meant.
    pub fn named_sets(&self) -> Vec<String> {
        let mut named = Vec::new();
        self.condition.each(false, &mut |condition, negated| {
            if let (Condition::Sets(names), false) = (condition, negated) {
                named.extend_from_slice(names);
            }
        });
        named
    }

    /// Whether printings of one card may differ in it: else one of them tells for all.
    pub fn tells_printings_apart(&self) -> bool {
        let mut apart = false;
        self.condition.each(false, &mut |condition, _| apart |= is_of_a_printing(condition));
        apart
    }
}

/// Whether a printing is of Universes Beyond: what `is:ub` asks.
const BEYOND: &str = "c.marks like '% promo:universesbeyond %' or c.marks like '% stamp:triangle %'";

impl Prefer {
    /// What comes first among the printings of a card, before the order that all lists have.
    pub fn order(self) -> String {
        let price = |currency: Currency, unknown: &str, direction: &str| {
            let number = currency.to_value();
            format!(
                "coalesce((select p.price from card_prices p where p.card_id = c.id and p.ranked and \
                 p.currency = {number}), {unknown}) {direction}"
            )
        };
        match self {
            Self::Newest => "c.extra, coalesce(c.released_on, '0001-01-01') desc".to_owned(),
            Self::Oldest => "c.extra, coalesce(c.released_on, '9999-12-31')".to_owned(),
            Self::Promo => "c.extra, case when c.promo then 0 else 1 end".to_owned(),
            Self::Cheapest(currency) => format!("c.extra, {}", price(currency, "9223372036854775807", "asc")),
            Self::Dearest(currency) => format!("c.extra, {}", price(currency, "-1", "desc")),
            Self::UniversesBeyond => format!("c.extra, case when {BEYOND} then 0 else 1 end"),
            Self::NotUniversesBeyond => format!("c.extra, case when {BEYOND} then 1 else 0 end"),
        }
    }
}

fn is_of_a_printing(condition: &Condition) -> bool {
    match condition {
        Condition::Name(_)
        | Condition::ExactName(_)
        | Condition::Colors(..)
        | Condition::Types(_)
        | Condition::Rules(..)
        | Condition::Keyword(_)
        | Condition::Mana(..)
        | Condition::Symbol(_)
        | Condition::Devotion(..)
        | Condition::Number(..)
        | Condition::OddManaValue(_)
        | Condition::Legality(..)
        | Condition::Printed(_)
        | Condition::FaceMark(_)
        | Condition::Printings(..)
        | Condition::OracleId(_)
        | Condition::Flag(Flag::Reserved) => false,
        Condition::Rarity(..)
        | Condition::Sets(_)
        | Condition::Block(_)
        | Condition::SetKind(_)
        | Condition::CollectorNumber(..)
        | Condition::Price(..)
        | Condition::Cheapest(_)
        | Condition::Artist(_)
        | Condition::Artists(..)
        | Condition::Flavor(_)
        | Condition::PrintingMark(_)
        | Condition::PrintingKind(_)
        | Condition::FirstWith(_)
        | Condition::Flag(_)
        // A card may come as a reversible one too.
        | Condition::Layout(_)
        | Condition::Released(..)
        | Condition::Year(..)
        | Condition::Language(_) => true,
    }
}

fn push(expression: &Expression<Condition>, sql: &mut Sql) {
    let mut joined = |parts: &[Expression<Condition>], word: &str| {
        sql.push("(");
        for (position, part) in parts.iter().enumerate() {
            sql.push(if position > 0 { word } else { "" });
            push(part, sql);
        }
        sql.push(")");
    };
    match expression {
        Expression::All(parts) if parts.is_empty() => {
            sql.push("true");
        }
        Expression::All(parts) => joined(parts, " and "),
        Expression::Any(parts) => joined(parts, " or "),
        Expression::Not(part) => {
            sql.push("not ");
            push(part, sql);
        }
        Expression::Term(condition) => {
            sql.push("(");
            push_condition(condition, sql);
            sql.push(")");
        }
    }
}

fn push_condition(condition: &Condition, sql: &mut Sql) {
    match condition {
        // Names have an index of three-letter runs in their own table; one that a card had before may still be there.
        Condition::Name(Text::Part(part)) if !sql.is_postgres() && part.chars().count() >= 3 => {
            sql.push("c.piece_id in (select n.piece_id from card_names n where ");
            sql.contains_indexed("n", "name_key", "card_names_search", part);
            sql.push(") and ").contains("c.name_key", part);
        }
        Condition::Name(text) => push_text(sql, "c.name_key", text),
        Condition::ExactName(key) => {
            sql.push("c.piece_id in (select n.piece_id from card_names n where n.name_key = ")
                .bind(key.as_str())
                .push(")");
        }
        Condition::Colors(of, comparison, amount) => push_colors(sql, *of, *comparison, *amount),
        Condition::Types(text) => of_faces(sql, |sql| push_indexed_text(sql, "types", text)),
        Condition::Rules(RulesText::Plain, text) => {
            of_faces(sql, |sql| push_indexed_text(sql, "rules", text))
        }
        Condition::Rules(RulesText::Full, text) => {
            of_faces(sql, |sql| push_text(sql, "coalesce(f.rules_full, f.rules)", text));
        }
        Condition::Rules(RulesText::OwnNameHidden, text) => {
            of_faces(sql, |sql| push_text(sql, "coalesce(f.rules_self, f.rules)", text));
        }
        Condition::Keyword(keyword) => of_faces(sql, |sql| {
            sql.contains("f.marks", &format!(" kw:{keyword} "));
        }),
        Condition::Mana(comparison, Some(cost)) => of_faces(sql, |sql| push_mana(sql, *comparison, cost)),
        // The back of a card has no cost of its own.
        Condition::Mana(_, None) => {
            sql.push("not ");
            of_faces(sql, |sql| {
                sql.push("f.mana is not null");
            });
        }
        Condition::Symbol(symbol) => of_faces(sql, |sql| {
            // Rules are as they were written, with the halves either way round.
            let turned = symbol.split('/').rev().collect::<Vec<_>>().join("/");
            sql.contains("f.rules", &format!("{{{symbol}}}"));
            if turned != *symbol {
                sql.push(" or ").contains("f.rules", &format!("{{{turned}}}"));
            }
        }),
        Condition::Devotion(comparison, colors, count) => of_faces(sql, |sql| {
            push_devotion(sql, *colors);
            sql.push(comparison.sql()).bind(i64::try_from(*count).unwrap_or(i64::MAX));
        }),
        Condition::Number(Quantity::ManaValue, comparison, Number::Value(Stat { number, star: None })) => {
            sql.push("c.mana_value").push(comparison.sql()).bind(*number);
        }
        Condition::Number(quantity, comparison, number) => {
            of_faces(sql, |sql| push_number(sql, *quantity, *comparison, number));
        }
        Condition::OddManaValue(odd) => {
            sql.push("c.mana_value = cast(c.mana_value as integer) and cast(c.mana_value as integer) % 2 = ")
                .bind(i32::from(*odd));
        }
        Condition::Rarity(comparison, rarity) => {
            sql.push("c.rarity").push(comparison.sql()).bind(rarity.to_value());
        }
        Condition::Sets(names) => push_sets(sql, names),
        Condition::Block(name) => push_block(sql, name),
        Condition::SetKind(kind) => {
            sql.push("c.set_code in (select s.code from card_sets s where s.kind = ")
                .bind(kind.as_str())
                .push(")");
        }
        Condition::Printed(inner) => {
            sql.push("c.piece_id in (select c.piece_id from cards c where ");
            push(inner, sql);
            sql.push(")");
        }
        Condition::CollectorNumber(comparison, key) => {
            sql.push("c.collector_key").push(comparison.sql()).bind(key.as_str());
        }
        Condition::Legality(status, format) => push_legality(sql, status, *format),
        Condition::Price(currency, comparison, units) => {
            sql.push("c.id in (select p.card_id from card_prices p where p.ranked and p.currency = ");
            sql.bind(currency.to_value()).push(" and p.price").push(comparison.sql()).bind(*units).push(")");
        }
        Condition::Cheapest(currency) => push_cheapest(sql, *currency),
        Condition::Artists(comparison, count) => {
            push_artist_count(sql);
            sql.push(comparison.sql()).bind(*count);
        }
        Condition::Artist(text) => push_printed_text(sql, "artist_key", text),
        Condition::Flavor(text) => push_printed_text(sql, "flavor_key", text),
        Condition::PrintingMark(mark) => {
            sql.contains("c.marks", &format!(" {mark} "));
        }
        Condition::PrintingKind(kind) => {
            sql.contains("c.marks", &format!(" {kind}:"));
        }
        Condition::FirstWith(feature) => push_first_with(sql, *feature),
        Condition::OracleId(id) => {
            sql.push("c.piece_id").any_of_uuids(&[*id]);
        }
        Condition::FaceMark(mark) => of_faces(sql, |sql| {
            sql.contains("f.marks", &format!(" {mark} "));
        }),
        Condition::Flag(flag) => {
            sql.push(match flag {
                Flag::Nonfoil => "c.finishes & 1 <> 0",
                Flag::Foil => "c.finishes & 2 <> 0",
                Flag::Etched => "c.finishes & 4 <> 0",
                Flag::Reserved => "c.reserved",
                Flag::Promo => "c.promo",
                Flag::Digital => "c.digital",
                Flag::Extra => "c.extra",
                Flag::Flavor => "coalesce(c.flavor_key, '') <> ''",
            });
        }
        Condition::Layout(layout) => {
            sql.push("c.layout = ").bind(layout.as_str());
        }
        Condition::Released(comparison, day) => push_released(sql, *comparison, day),
        Condition::Year(comparison, year) => {
            sql.push("c.released_on is not null and ");
            sql.either(
                "cast(extract(year from c.released_on) as integer)",
                "cast(substr(c.released_on, 1, 4) as integer)",
            );
            sql.push(comparison.sql()).bind(*year);
        }
        Condition::Language(code) => {
            sql.push("c.language = ").bind(code.as_str());
        }
        Condition::Printings(counted, comparison, count) => {
            // Counted once for all, and not again for each printing.
            sql.push("c.piece_id in (select o.piece_id from cards o group by o.piece_id having count(");
            push_counted(sql, *counted);
            sql.push(")").push(comparison.sql()).bind(*count).push(")");
        }
    }
}

/// A condition on a face, under the alias `f`; where it is unknown it is not met.
fn of_faces(sql: &mut Sql, condition: impl FnOnce(&mut Sql)) {
    sql.push("c.piece_id in (select f.piece_id from piece_faces f where ");
    condition(sql);
    sql.push(")");
}

fn push_text(sql: &mut Sql, column: &str, text: &Text) {
    match text {
        Text::Part(part) => {
            sql.contains(column, part);
        }
        Text::Pattern(pattern) if sql.is_postgres() => {
            sql.push(column).push(" ~ ").bind(pattern.postgres());
        }
        Text::Pattern(pattern) => {
            sql.push(column).push(" regexp ").bind(pattern.sqlite());
        }
    }
}

/// A text of a face that has an index of three-letter runs.
fn push_indexed_text(sql: &mut Sql, column: &str, text: &Text) {
    match text {
        Text::Part(part) => {
            sql.contains_indexed("f", column, "piece_faces_search", part);
        }
        pattern => push_text(sql, &format!("f.{column}"), pattern),
    }
}

/// How many bits of a small number are set.
fn push_bit_count(sql: &mut Sql, column: &str, bits: u8) {
    let bits = (0..bits).map(|bit| format!("({column} >> {bit} & 1)"));
    sql.push("(").push(&bits.collect::<Vec<_>>().join(" + ")).push(")");
}

fn push_colors(sql: &mut Sql, of: ColorsOf, comparison: Comparison, amount: Amount) {
    match of {
        ColorsOf::Card => push_bits(sql, "c.colors", 5, comparison, amount),
        ColorsOf::Identity => push_bits(sql, "c.color_identity", 5, comparison, amount),
        ColorsOf::Produced => {
            let mana = format!("(f.produces & {})", SAID_MANA - 1);
            of_faces(sql, |sql| push_bits(sql, &mana, 6, comparison, amount));
        }
    }
}

fn push_bits(sql: &mut Sql, column: &str, width: u8, comparison: Comparison, amount: Amount) {
    let bits = match amount {
        Amount::HowMany(count) => {
            push_bit_count(sql, column, width);
            sql.push(comparison.sql()).bind(count);
            return;
        }
        Amount::These(bits) => bits,
    };
    let mut compare = |operation: &str, with: i16, equals: i16| {
        sql.push(&format!("{column}{operation}")).bind(with).push(" = ").bind(equals);
    };
    match comparison {
        Comparison::Equal => {
            sql.push(column).push(" = ").bind(bits);
        }
        Comparison::GreaterOrEqual => compare(" & ", bits, bits),
        Comparison::LessOrEqual => compare(" & ", !bits & ((1 << width) - 1), 0),
        Comparison::Greater => {
            compare(" & ", bits, bits);
            sql.push(" and ").push(column).push(" <> ").bind(bits);
        }
        Comparison::Less => {
            compare(" & ", !bits & ((1 << width) - 1), 0);
            sql.push(" and ").push(column).push(" <> ").bind(bits);
        }
    }
}
