//! One printing by what people call it: set and number, name, or nearly the name.

use sea_orm::{ConnectionTrait, FromQueryResult};

use super::card::{CardColumns, CardRow};
use super::names::name_key;
use crate::db::{Sql, fts_phrase};
use crate::error::Result;

/// How alike a name must be to be meant, from 0 to 1.
const ALIKE: f64 = 0.6;
/// Names that are compared letter by letter.
const CANDIDATES: usize = 60;
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
    let nearest = load_candidates(connection, &key)
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

#[derive(Debug, FromQueryResult)]
pub(super) struct Candidate {
    pub(super) name_key: String,
}

/// The names that share most three-letter runs with this one.
pub(super) async fn load_candidates(connection: &impl ConnectionTrait, key: &str) -> Result<Vec<Candidate>> {
    let mut sql = Sql::new(connection);
    if sql.is_postgres() {
        // Set for this statement alone. The key comes from where it is set, so that it is before a name is compared;
        // and a key that the planner can't look into is planned once.
        sql.push("select name_key from (select distinct name_key from card_names where name_key % (select ");
        sql.bind(key)
            .push("::text from set_config('pg_trgm.similarity_threshold', ")
            .bind(fewest_shared(key));
        sql.push(", true))) near order by similarity(name_key, ").bind(key);
        sql.push(&format!(") desc, name_key limit {CANDIDATES}"));
    } else {
        let Some(expression) = trigram_expression(key) else {
            return Ok(Vec::new());
        };
        sql.push("select distinct name_key from (select name_key from card_names_search where card_names_search match ");
        sql.bind(expression).push(&format!(" order by rank limit {})", CANDIDATES * 4));
    }
    Ok(sql.all(connection).await?)
}

/// How much of the runs of two names must be the same, from 0 to 1, for Postgres to compare them. Few runs of a short
/// name outlive a mistake; those of a long one are shared by many names, and to compare these is what costs.
fn fewest_shared(key: &str) -> &'static str {
    match key.chars().count() {
        0..8 => "0.15",
        8..12 => "0.2",
        _ => "0.25",
    }
}

/// Any three-letter run of the name, in FTS5's syntax. Quoted, so that no letter is an operator.
fn trigram_expression(key: &str) -> Option<String> {
    let letters: Vec<char> = key.chars().collect();
    let mut runs: Vec<String> =
        letters.windows(3).map(|run| fts_phrase(&run.iter().collect::<String>())).collect();
    runs.sort_unstable();
    runs.dedup();
    (!runs.is_empty()).then(|| runs.join(" OR "))
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
    fn quotes_can_not_leave_the_expression() {
        assert_eq!(trigram_expression("ab"), None);
        assert_eq!(trigram_expression("abab"), Some("\"aba\" OR \"bab\"".to_owned()));
        // name_key drops quotes; nothing else ends a quoted term.
        assert!(!name_key("a\"b\"c\"d").contains('"'));
    }
}
