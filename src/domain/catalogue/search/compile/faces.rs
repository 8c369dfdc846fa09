//! Costs and numbers of a face, under the alias `f`.

use super::super::super::attributes::Colors;
use super::super::super::facts::Stat;
use super::super::super::mana::ManaCost;
use super::super::tree::{Comparison, Number, Quantity};
use crate::db::Sql;

/// Costs compare as sets do that hold a symbol several times: one is more than another when it has all of it.
pub(super) fn push_mana(sql: &mut Sql, comparison: Comparison, cost: &ManaCost) {
    sql.push("f.mana is not null and ");
    match comparison {
        Comparison::Equal => push_same_mana(sql, cost),
        Comparison::GreaterOrEqual => push_more_mana(sql, cost),
        Comparison::LessOrEqual => push_less_mana(sql, cost),
        Comparison::Greater | Comparison::Less => {
            if comparison == Comparison::Greater {
                push_more_mana(sql, cost);
            } else {
                push_less_mana(sql, cost);
            }
            sql.push(" and not (");
            push_same_mana(sql, cost);
            sql.push(")");
        }
    }
}

fn push_same_mana(sql: &mut Sql, cost: &ManaCost) {
    sql.push("f.mana = ")
        .bind(cost.canonical())
        .push(" and f.generic_mana = ")
        .bind(i64::from(cost.generic()));
}

/// Equal symbols stand side by side, so that many of one are a text within the cost.
fn push_more_mana(sql: &mut Sql, cost: &ManaCost) {
    sql.push("f.generic_mana >= ").bind(i64::from(cost.generic()));
    for (symbol, count) in cost.counts() {
        sql.push(" and ").contains("f.mana", &symbol.repeat(count));
    }
}

fn push_less_mana(sql: &mut Sql, cost: &ManaCost) {
    sql.push("f.generic_mana <= ").bind(i64::from(cost.generic()));
    let counts = cost.counts();
    for (symbol, count) in &counts {
        sql.push(" and not ").contains("f.mana", &symbol.repeat(count + 1));
    }
    sql.push(" and ").push(&"replace(".repeat(counts.len())).push("f.mana");
    for (symbol, _) in &counts {
        sql.push(", ").bind(symbol.as_str()).push(", '')");
    }
    sql.push(" = ''");
}

/// How many coloured symbols hold one of the colours: those that are left out when the others are. A symbol has two
/// colours at most.
pub(super) fn push_devotion(sql: &mut Sql, colors: Colors) {
    let letters = (1..32_u8).filter(|bits| bits.count_ones() <= 2 && i16::from(*bits) & colors.bits() != 0);
    let letters: Vec<char> = letters.map(|bits| char::from(b'@' + bits)).collect();
    sql.push("(length(f.pips) - length(").push(&"replace(".repeat(letters.len())).push("f.pips");
    for letter in letters {
        sql.push(&format!(", '{letter}', '')"));
    }
    sql.push("))");
}

pub(super) fn push_number(sql: &mut Sql, quantity: Quantity, comparison: Comparison, number: &Number) {
    match number {
        Number::Other(other) => {
            sql.push(number_column(quantity)).push(comparison.sql()).push(number_column(*other));
        }
        Number::Value(Stat { number, star: None }) => {
            sql.push(number_column(quantity)).push(comparison.sql()).bind(*number);
        }
        // Numbers with a star compare among themselves.
        Number::Value(Stat { number, star: Some(star) }) => {
            let column = match quantity {
                Quantity::Power => "f.power_star",
                Quantity::Toughness => "f.toughness_star",
                Quantity::Loyalty => "f.loyalty_star",
                Quantity::PowerAndToughness | Quantity::ManaValue => "null",
            };
            sql.push(column).push(" = ").bind(star.as_str()).push(" and ");
            sql.push(number_column(quantity)).push(comparison.sql()).bind(*number);
        }
    }
}

fn number_column(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Power => "f.power",
        Quantity::Toughness => "f.toughness",
        Quantity::PowerAndToughness => "(f.power + f.toughness)",
        Quantity::Loyalty => "f.loyalty",
        Quantity::ManaValue => "f.mana_value",
    }
}
