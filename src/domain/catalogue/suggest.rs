//! Names for somebody who is typing one.

use std::mem::swap;

use sea_orm::{ConnectionTrait, FromQueryResult};

use super::lookup::{ALIKE, Candidate, Compared, load_candidates};
use super::names::name_key;
use crate::db::Sql;
use crate::error::Result;

/// Characters of what was typed, at most.
const MAX_TYPED: usize = 100;
/// Names that are suggested for one with a mistake, at most.
const NEAREST: usize = 10;
/// Letters below which mistakes can't be told from other names.
const FEWEST_FOR_MISTAKES: usize = 4;

#[derive(Debug, FromQueryResult)]
struct Suggestion {
    name: Option<String>,
}

/// Up to so many names: those that begin so, then those with a word that does, then those that nearly do; of each the
/// cards of most printings first. Each name once. Two statements at most, and two more for typing mistakes.
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
                sql.push("n.id").any_of_numbers(&near);
            })
            .await?;
        }
    }
    Ok(found)
}

/// The ids of the names whose beginnings are most like it; of those alike the best known.
async fn near(connection: &impl ConnectionTrait, key: &str) -> Result<Vec<i32>> {
    let letters: Vec<char> = key.chars().collect();
    let mut near: Vec<(f64, Candidate)> = load_candidates(connection, key, Compared::Beginning)
        .await?
        .into_iter()
        .map(|candidate| (likeness_of_beginning(&letters, &candidate.name_key), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    near.sort_by(|(a, left), (b, right)| {
        let by_name = || left.name_key.cmp(&right.name_key);
        b.total_cmp(a).then_with(|| right.printings.cmp(&left.printings)).then_with(by_name)
    });
    near.truncate(NEAREST);
    Ok(near.into_iter().map(|(_, candidate)| candidate.id).collect())
}

/// How alike the letters are to the beginning of the name that is likest, be it one letter shorter or longer than they are: from
/// 0 to 1, as `likeness` of the two texts. In one pass for all three.
fn likeness_of_beginning(letters: &[char], name: &str) -> f64 {
    let name: Vec<char> = name.chars().take(letters.len() + 1).collect();
    // The letters to type anew for each beginning of the name: for those typed so far, one fewer and two fewer.
    let mut row: Vec<usize> = (0..=name.len()).collect();
    let (mut before, mut last) = (row.clone(), row.clone());
    for (i, letter) in letters.iter().enumerate() {
        swap(&mut last, &mut before);
        swap(&mut last, &mut row);
        row[0] = i + 1;
        for (j, other) in name.iter().enumerate() {
            let replaced = last[j] + usize::from(letter != other);
            row[j + 1] = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && letters[i - 1] == *other && *letter == name[j - 1] {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
    }
    let shortest = letters.len().saturating_sub(1).min(name.len());
    (shortest..=name.len())
        .map(|length| 1.0 - row[length] as f64 / letters.len().max(length).max(1) as f64)
        .fold(0.0, f64::max)
}

async fn add(
    connection: &impl ConnectionTrait,
    found: &mut Vec<String>,
    most: usize,
    condition: impl FnOnce(&mut Sql),
) -> Result<()> {
    let mut sql = Sql::new(connection);
    // Not joined: where little is known of the cards, Postgres would read them all.
    sql.push(
        "select (select c.name from cards c where c.piece_id = found.piece_id and c.place = 1 limit 1) as name
         from (select n.piece_id, n.name_key, n.printings from card_names n where n.printings > 0 and ",
    );
    condition(&mut sql);
    // Twice as many, for a card may be found by its own name and by a face's, and may be there already.
    sql.push(&format!(" order by n.printings desc, n.name_key, n.piece_id limit {}", most * 2 + found.len()));
    sql.push(") found order by found.printings desc, found.name_key, found.piece_id");
    for name in sql.all::<Suggestion>(connection).await?.into_iter().filter_map(|row| row.name) {
        if found.len() < most && !found.contains(&name) {
            found.push(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::lookup::likeness;
    use super::*;

    #[test]
    fn beginnings_are_alike_with_and_without_a_letter() {
        let alike = |typed: &str, name: &str| likeness_of_beginning(&typed.chars().collect::<Vec<_>>(), name);
        for (typed, name, beginning) in [
            ("bolt", "boltwing marauder", "bolt"),
            ("bplt", "boltwing marauder", "bolt"),
            ("lihgt", "lightning bolt", "light"),
            ("lighning", "lightning bolt", "lightning"),
            ("lighhtn", "lightning bolt", "lightn"),
            ("forest", "fog", "fog"),
            ("moth", "", ""),
            ("šelm", "šelmoss", "šelm"),
        ] {
            let difference = alike(typed, name) - likeness(typed, beginning);
            assert!(difference.abs() < 1e-9, "{typed}: {name}");
        }
        assert!(alike("master of the wild hunts", "reaper of the wilds") < alike("lihgtn", "lightning"));
    }
}
