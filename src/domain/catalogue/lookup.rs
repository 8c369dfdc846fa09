//! One printing by what people call it: set and number, name, or nearly the name.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, FromQueryResult};

use super::card::{CardColumns, CardRow};
use super::names::name_key;
use crate::db::Sql;
use crate::error::Result;

/// How alike a name must be to be meant, from 0 to 1.
pub(super) const ALIKE: f64 = 0.6;
/// First letters of which one may be wrong, missing or too much, or two swapped.
const FIRST: usize = 4;
/// Letters in a row that are right where more of the first are wrong, and how few still tell names apart.
const RUN: usize = 5;
const FEWEST_IN_RUN: usize = 3;
/// Names that are compared letter by letter, at most: those with nearly these first letters, and those with each run.
const WITH_FIRST: usize = 300;
const WITH_RUN: usize = 100;
/// What may stand where a letter is wrong. Hardly a name has anything else among its first.
const LETTERS: &str = " abcdefghijklmnopqrstuvwxyz";
/// Characters of a name that is looked for, at most; the longest real one has 141.
const MAX_NAME: usize = 300;

/// The printing of this set, under this number, in this language.
///
/// # Errors
/// The database's.
pub async fn find_card_by_printing(
    connection: &impl ConnectionTrait,
    set_code: &str,
    collector_number: &str,
    language: &str,
    columns: CardColumns,
) -> Result<Option<CardRow>> {
    let mut sql = Sql::new(connection);
    sql.push("select ").push(columns.sql()).push(" from cards c where c.set_code = ").bind(set_code);
    sql.push(" and c.collector_number = ").bind(collector_number);
    sql.push(" and c.language = ").bind(language).push(" order by c.id limit 1");
    Ok(sql.one(connection).await?)
}

/// The printing that stands for the card of this name or face name: the newest paper one that is no promo and has a
/// price, else the newest; ties by set code and number.
///
/// # Errors
/// The database's.
pub async fn find_card_by_name(
    connection: &impl ConnectionTrait,
    name: &str,
    columns: CardColumns,
) -> Result<Option<CardRow>> {
    let key = name_key(name);
    if key.is_empty() || name.chars().count() > MAX_NAME {
        return Ok(None);
    }
    find_by_key(connection, &key, columns).await
}

async fn find_by_key(
    connection: &impl ConnectionTrait,
    key: &str,
    columns: CardColumns,
) -> Result<Option<CardRow>> {
    let mut sql = Sql::new(connection);
    sql.push("select ").push(columns.sql());
    sql.push(
        " from card_names n join cards c on c.piece_id = n.piece_id
          where n.name_key = ",
    );
    sql.bind(key);
    // A card before a token of the same name; then the whole name before a face's; then the printing.
    sql.push(
        " order by c.extra, case when c.name_key = n.name_key then 0 else 1 end,
          case when not c.digital and not c.promo
               and exists (select 1 from card_prices p where p.card_id = c.id) then 0 else 1 end, ",
    );
    sql.push("case when c.language = 'en' then 0 else 1 end, coalesce(c.released_on, '0001-01-01') desc, ");
    sql.push("c.set_code, c.collector_key, c.id limit 1");
    Ok(sql.one(connection).await?)
}

/// The same of the card whose name is nearest, typing mistakes forgiven.
///
/// # Errors
/// The database's.
pub async fn find_card_by_fuzzy_name(
    connection: &impl ConnectionTrait,
    name: &str,
    columns: CardColumns,
) -> Result<Option<CardRow>> {
    let key = name_key(name);
    if key.is_empty() || name.chars().count() > MAX_NAME {
        return Ok(None);
    }
    let nearest = load_candidates(connection, &key, Compared::Whole)
        .await?
        .into_iter()
        .map(|candidate| (likeness(&key, &candidate.name_key), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        // Ties by name, so that both stores agree.
        .max_by(|(a, left), (b, right)| a.total_cmp(b).then_with(|| right.name_key.cmp(&left.name_key)));
    match nearest {
        Some((_, candidate)) => find_by_key(connection, &candidate.name_key, columns).await,
        None => Ok(None),
    }
}

/// What of a name is compared with what somebody wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    Whole,
    /// Its beginning, as far as it was written. Extras are left out.
    Beginning,
}

#[derive(Debug, FromQueryResult)]
pub(super) struct Candidate {
    pub(super) id: i32,
    pub(super) name_key: String,
    pub(super) printings: i32,
}

/// The names that may be like this one: those that differ in one of the first letters at most, and those that hold a run of the
/// others. Of seven letters or more two may be wrong, wherever they are.
///
/// Both stores find each of these by an index, and the same ones. Their own rankings of likeness read every name that shares
/// three letters in a row with this one, which are most names where the letters are common, and they disagree.
pub(super) async fn load_candidates(
    connection: &impl ConnectionTrait,
    key: &str,
    compared: Compared,
) -> Result<Vec<Candidate>> {
    let letters: Vec<char> = key.chars().collect();
    let mut sql = Sql::new(connection);
    let columns = "n.id, n.name_key, n.printings";
    sql.push("select id, name_key, printings from (select ").push(columns).push(" from ");
    sql.texts(&near_beginnings(&letters[..letters.len().min(FIRST)])).push(" k cross join ");
    // By the index of names, for each beginning.
    sql.either("lateral (select * from card_names n where ", "card_names n where ");
    sql.push("n.name_key >= k.value and n.name_key < k.value || ").bind("\u{10ffff}");
    sql.either(" offset 0) n where true", "");
    push_comparable(&mut sql, letters.len(), compared, WITH_FIRST);
    sql.push(") begun");
    for run in runs(&letters) {
        sql.push(" union select id, name_key, printings from (select ").push(columns);
        sql.push(" from card_names n where ").contains_indexed("n", "name_key", "card_names_search", &run);
        push_comparable(&mut sql, letters.len(), compared, WITH_RUN);
        sql.push(") holding");
    }
    Ok(sql.all(connection).await?)
}

/// Leaves the names that are long enough to be alike, and of these the likeliest: those that are as long, or, where
/// beginnings are compared, the best known.
fn push_comparable(sql: &mut Sql, length: usize, compared: Compared, most: usize) {
    let number = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    // Of two texts that are `ALIKE`, the shorter has three letters for five of the longer at least.
    sql.push(" and length(n.name_key) >= ").bind(number(length * 3 / 5));
    match compared {
        Compared::Whole => {
            sql.push(" and length(n.name_key) <= ").bind(number(length * 5 / 3));
            sql.push(" order by abs(length(n.name_key) - ").bind(number(length)).push("), ");
        }
        Compared::Beginning => {
            sql.push(" and n.printings > 0 order by ");
        }
    }
    sql.push(&format!("n.printings desc, n.name_key, n.piece_id limit {most}"));
}

/// What a name begins with whose first letters are these, or were before a mistake. None begins with another, so that no
/// name has two of them.
fn near_beginnings(first: &[char]) -> Vec<String> {
    let mut texts = BTreeSet::from([first.iter().collect::<String>()]);
    // With one wrong, too little would be left of fewer.
    let places = if first.len() < 3 { 0 } else { first.len() };
    for place in 0..places {
        let (before, after) = first.split_at(place);
        let mut add = |middle: &[char], after: &[char]| {
            texts.insert(before.iter().chain(middle).chain(after).collect());
        };
        LETTERS.chars().for_each(|missing| add(&[missing], after));
        if let [wrong, after @ ..] = after {
            add(&[], after);
            LETTERS.chars().for_each(|right| add(&[right], after));
            if let [next, after @ ..] = after {
                add(&[*next, *wrong], after);
            }
        }
    }
    let mut shortest: Vec<String> = Vec::new();
    for text in texts {
        if shortest.last().is_none_or(|last| !text.starts_with(last.as_str())) {
            shortest.push(text);
        }
    }
    shortest
}

/// The letters after the first ones, and the last where they are others.
fn runs(letters: &[char]) -> Vec<String> {
    let after = letters.get(FIRST..).unwrap_or_default();
    let mut runs = Vec::new();
    if after.len() >= FEWEST_IN_RUN {
        runs.push(after.iter().take(RUN).collect());
    }
    if after.len() >= 2 * RUN {
        runs.push(after[after.len() - RUN..].iter().collect());
    }
    runs
}

/// From 0 to 1: one less the share of letters to type anew, swapped neighbours counting once.
pub(super) fn likeness(a: &str, b: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapped_letters_count_once() {
        assert!(likeness("lihgtning bolt", "lightning bolt") > 0.9);
        assert!(likeness("forest", "black lotus") < ALIKE);
    }

    #[test]
    fn a_beginning_is_looked_for_with_each_mistake() {
        let near = near_beginnings(&['b', 'o', 'l', 't']);
        for begun in ["bolt", "blt", "olt", "oblt", "bplt", "bo lt", "colt", "abolt", "bot", "bol"] {
            assert!(near.iter().any(|text| begun.starts_with(text.as_str())), "{begun}");
        }
        assert!(!near.iter().any(|text| "bats".starts_with(text.as_str())), "two mistakes");
        for text in &near {
            let others = near.iter().filter(|other| text.starts_with(other.as_str()));
            assert_eq!(others.count(), 1, "{text}");
        }
        assert!(near.len() < 200, "{}", near.len());
        assert_eq!(near_beginnings(&['x']), ["x"]);
        assert_eq!(near_beginnings(&['o', 'w']), ["ow"]);
        assert!(near_beginnings(&['o', 't', 'p']).iter().any(|text| "opt".starts_with(text.as_str())));
    }

    #[test]
    fn runs_are_of_letters_that_are_not_among_the_first() {
        let runs = |key: &str| runs(&key.chars().collect::<Vec<_>>());
        for short in ["", "bolt", "bolted"] {
            assert_eq!(runs(short), [""; 0]);
        }
        assert_eq!(runs("lihgtning"), ["tning"]);
        assert_eq!(runs("forests"), ["sts"]);
        assert_eq!(runs("lihgtning bol"), ["tning"]);
        assert_eq!(runs("lihgtning bolt"), ["tning", " bolt"]);
    }
}
