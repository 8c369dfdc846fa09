//! What is asked of printings and of the sets they are in, under the alias `c`.

use entity::enums::Currency;
use sea_orm::ActiveEnum;

use super::super::super::formats::format_bit;
use super::super::tree::{Comparison, Counted, Day, Feature, Text};
use super::push_text;
use crate::db::Sql;

/// What is counted of a card's printings, under the alias `o`.
pub(super) fn push_counted(sql: &mut Sql, counted: Counted) {
    let on_paper = |sql: &mut Sql, word: &str, what: &str| {
        sql.push(word).push("case when ").contains("o.marks", " game:paper ");
        sql.push(" then ").push(what).push(" end");
    };
    match counted {
        Counted::Printings => {
            sql.push("*");
        }
        Counted::Sets => {
            sql.push("distinct o.set_code");
        }
        Counted::Illustrations => {
            sql.push("distinct o.illustration_id");
        }
        Counted::PaperPrintings => on_paper(sql, "", "o.id"),
        Counted::PaperSets => on_paper(sql, "distinct ", "o.set_code"),
    }
}

pub(super) fn push_sets(sql: &mut Sql, names: &[String]) {
    for (position, name) in names.iter().enumerate() {
        sql.push(if position > 0 { " or " } else { "" });
        sql.push("c.set_code in (select s.code from card_sets s where s.code = ").bind(name.as_str());
        sql.push(" or (").contains("s.name_key", name);
        sql.push(" and not exists (select 1 from card_sets o where o.code = ")
            .bind(name.as_str())
            .push(")))");
    }
}

pub(super) fn push_block(sql: &mut Sql, name: &str) {
    sql.push("c.set_code in (select s.code from card_sets s where s.code = ").bind(name);
    sql.push(" or s.block_key in (select b.block_key from card_sets b where b.code = ").bind(name);
    sql.push(") or s.block_key = ").bind(name);
    // The first words of the block's name.
    let start = format!("{name} ");
    sql.push(" or substr(s.block_key, 1, ").bind(i32::try_from(start.chars().count()).unwrap_or(i32::MAX));
    sql.push(") = ").bind(start).push(")");
}

pub(super) fn push_legality(sql: &mut Sql, statuses: &[&str], format: Option<&str>) {
    // All bits, where any format will do.
    let bits = format.map_or(-1, |format| format_bit(format).unwrap_or_default());
    for (position, status) in statuses.iter().enumerate() {
        sql.push(if position > 0 { " or " } else { "" }).push(match *status {
            "restricted" => "c.restricted & ",
            "banned" => "c.banned & ",
            _ => "c.legal & ",
        });
        sql.bind(bits).push(" <> 0");
    }
}

/// Text of a printing that has an index of three-letter runs.
pub(super) fn push_printed_text(sql: &mut Sql, column: &str, text: &Text) {
    match text {
        // Not by a list of numbers: of a long one that stands under a not, it would read all for each row.
        Text::Part(part) if sql.is_postgres() => {
            sql.push(&format!("c.{column} is not null and ")).contains(&format!("c.{column}"), part);
        }
        Text::Part(part) if part.chars().count() >= 3 => {
            sql.push("c.id in (select t.id from cards t where ");
            sql.contains_indexed("t", column, "cards_texts_search", part).push(")");
        }
        text => push_text(sql, &format!("coalesce(c.{column}, '')"), text),
    }
}

pub(super) fn push_released(sql: &mut Sql, comparison: Comparison, day: &Day) {
    sql.push("coalesce(c.released_on").push(comparison.sql());
    match day {
        Day::On(day) => {
            sql.bind(*day);
        }
        Day::Of(code) => {
            sql.push("(select s.released_on from card_sets s where s.code = ").bind(code.as_str()).push(")");
        }
        Day::Now => {
            sql.push("(select ").day_of("newest_at").push(" from store_state)");
        }
    }
    sql.push(", false)");
}

/// Whether no earlier printing of the card had the same.
pub(super) fn push_first_with(sql: &mut Sql, feature: Feature) {
    match feature {
        Feature::Rarity => {
            // The first printing has its rarity from the beginning.
            sql.contains("c.marks", " is:reprint ");
        }
        Feature::Art => {
            sql.push("c.illustration_id is not null");
        }
        Feature::Artist => {
            sql.push("c.artist_key is not null");
        }
        Feature::Flavor => {
            sql.push("c.flavor_key is not null");
        }
        Feature::Frame => {
            sql.contains("c.marks", " frame:");
        }
        Feature::Language => {
            sql.push("true");
        }
    }
    sql.push(
        " and not exists (select 1 from cards o where o.piece_id = c.piece_id and o.released_on < c.released_on and ",
    );
    match feature {
        Feature::Rarity => {
            sql.push("o.rarity = c.rarity");
        }
        Feature::Art => {
            sql.push("o.illustration_id = c.illustration_id");
        }
        Feature::Artist => {
            sql.push("o.artist_key = c.artist_key");
        }
        Feature::Flavor => {
            sql.push("o.flavor_key = c.flavor_key");
        }
        Feature::Frame => {
            push_frame(sql, "o");
            sql.push(" = ");
            push_frame(sql, "c");
        }
        Feature::Language => {
            sql.push("o.language = c.language");
        }
    }
    sql.push(")");
}

/// The first four letters of the frame, of which no two are alike, out of the marks.
fn push_frame(sql: &mut Sql, alias: &str) {
    let place = if sql.is_postgres() { "strpos" } else { "instr" };
    sql.push(&format!("substr({alias}.marks, {place}({alias}.marks, ' frame:') + 7, 4)"));
}

/// Whether its price is the lowest of the card. Extras are not in the same decks, and have a lowest of their own.
pub(super) fn push_cheapest(sql: &mut Sql, currency: Currency) {
    let currency = currency.to_value();
    sql.push(
        "c.id in (select p.card_id from card_prices p join cards o on o.id = p.card_id
         join (select r.piece_id, r.extra, min(q.price) as price from card_prices q join cards r on r.id = q.card_id
               where q.ranked and q.currency = ",
    );
    sql.bind(currency).push(
        " group by r.piece_id, r.extra) m on m.piece_id = o.piece_id and m.extra = o.extra and m.price = p.price
         where p.ranked and p.currency = ",
    );
    sql.bind(currency).push(")");
}

/// How many drew it: their names stand with ` & ` between them.
pub(super) fn push_artist_count(sql: &mut Sql) {
    sql.push(
        "case when coalesce(c.artist_key, '') = '' then 0 \
         else 1 + (length(c.artist_key) - length(replace(c.artist_key, ' & ', ''))) / 3 end",
    );
}
