//! Names for somebody who is typing one.

use sea_orm::{ConnectionTrait, FromQueryResult};

use super::lookup::{likeness, load_candidates};
use super::names::name_key;
use crate::db::Sql;
use crate::error::Result;

/// Characters of what was typed, at most.
const MAX_TYPED: usize = 100;
/// How alike the beginning of a name must be to be meant, from 0 to 1.
const ALIKE: f64 = 0.6;
/// Letters below which mistakes can't be told from other names.
const FEWEST_FOR_MISTAKES: usize = 4;

#[derive(Debug, FromQueryResult)]
struct Suggestion {
    name: String,
}

/// Up to so many names: those that begin so, then those with a word that does, then those that nearly do; of each the
/// cards of most printings first. Each name once. Three statements at most, and a fourth for typing mistakes.
///
/// # Errors
/// The database's.
pub async fn suggest_names(
    connection: &impl ConnectionTrait,
    typed: &str,
    most: usize,
) -> Result<Vec<String>> {
    let key = name_key(typed);
    let mut found = Vec::new();
    if key.is_empty() || typed.chars().count() > MAX_TYPED || most == 0 {
        return Ok(found);
    }
    add(connection, &mut found, most, |sql| {
        sql.push("n.name_key >= ")
            .bind(key.as_str())
            .push(" and n.name_key < ")
            .bind(format!("{key}\u{10ffff}"));
    })
    .await?;
    let word = format!(" {key}");
    if found.len() < most && word.chars().count() >= 3 {
        add(connection, &mut found, most, |sql| {
            sql.contains_indexed("n", "name_key", "card_names_search", &word);
        })
        .await?;
    }
    if found.len() < most && key.chars().count() >= FEWEST_FOR_MISTAKES {
        let near = near(connection, &key).await?;
        if !near.is_empty() {
            add(connection, &mut found, most, |sql| {
                sql.push("n.name_key").any_of_texts(&near);
            })
            .await?;
        }
    }
    Ok(found)
}

/// The names whose beginnings are most like it.
async fn near(connection: &impl ConnectionTrait, key: &str) -> Result<Vec<String>> {
    let length = key.chars().count();
    let mut near: Vec<(f64, String)> = load_candidates(connection, key)
        .await?
        .into_iter()
        .map(|candidate| {
            let beginning: String = candidate.name_key.chars().take(length).collect();
            (likeness(key, &beginning), candidate.name_key)
        })
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    near.sort_by(|(a, left), (b, right)| b.total_cmp(a).then_with(|| left.cmp(right)));
    near.truncate(10);
    Ok(near.into_iter().map(|(_, name)| name).collect())
}

async fn add(
    connection: &impl ConnectionTrait,
    found: &mut Vec<String>,
    most: usize,
    condition: impl FnOnce(&mut Sql),
) -> Result<()> {
    let mut sql = Sql::new(connection);
    sql.push("select c.name from (select n.piece_id, n.name_key, n.printings from card_names n where n.printings > 0 and ");
    condition(&mut sql);
    // Twice as many, for a card may be found by its own name and by a face's, and may be there already.
    sql.push(&format!(" order by n.printings desc, n.name_key, n.piece_id limit {}", most * 2 + found.len()));
    sql.push(") found join cards c on c.piece_id = found.piece_id and c.preferred");
    sql.push(" order by found.printings desc, found.name_key, found.piece_id");
    for Suggestion { name } in sql.all::<Suggestion>(connection).await? {
        if found.len() < most && !found.contains(&name) {
            found.push(name);
        }
    }
    Ok(())
}
