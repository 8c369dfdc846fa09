//! Rows of other apps' files as printings, many at once: by Scryfall's id, by other ids, by set and number, by set and name, by
//! name. What is not sure is said; what contradicts itself is rejected.

use std::collections::{BTreeSet, HashMap, HashSet};

use entity::enums::{Finish, Provider};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use super::asked::Asked;
use super::attributes::Finishes;
use super::lookup::{ALIKE, Compared, likeness, load_candidates};
use super::names::name_key;
use super::write::find_cards_by_external_id;
use crate::db::Sql;
use crate::domain::import::{ImportRow, Platform, set_code, set_name};
use crate::error::{Code, Result};

/// Names of a file for which a near one is looked for: each costs a statement.
const SUGGESTED: usize = 20;
/// Unknown sets of a file for which a near one is looked for.
const REMEMBERED: usize = 200;

/// A printing as far as an import has to know it.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub struct FoundCard {
    pub id: i32,
    pub scryfall_id: Uuid,
    pub piece_id: Uuid,
    pub set_code: String,
    pub collector_number: String,
    pub language: String,
    pub name: String,
    pub name_key: String,
    finishes: i16,
    pub(super) place: i32,
}

impl FoundCard {
    pub fn finishes(&self) -> Finishes {
        Finishes::from_bits(self.finishes)
    }

    /// The finish of copies of which a row says this: exports without a word for etched call it foil.
    pub fn finish(&self, said: Option<Finish>) -> Finish {
        let there = self.finishes();
        let has = |finish| there.iter().any(|one| one == finish);
        match said {
            None => there.first(),
            Some(Finish::Foil) if !has(Finish::Foil) && has(Finish::Etched) => Finish::Etched,
            Some(said) => said,
        }
    }

    pub(super) fn is_at(&self, set: &str, number: &str) -> bool {
        self.set_code == set && self.collector_number.to_lowercase() == number.to_lowercase()
    }

    /// For people: `Lightning Bolt (LEA 161)`.
    pub(super) fn told(&self) -> String {
        format!("{} ({} {})", self.name, self.set_code.to_uppercase(), self.collector_number)
    }
}

const COLUMNS: &str = "c.id, c.scryfall_id, c.piece_id, c.set_code, c.collector_number, c.language, c.name, c.name_key, \
     c.finishes, c.place";

/// What a row comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved {
    /// With what is to be said of it, if anything.
    Card(Box<FoundCard>, Option<String>),
    Rejected(Code, String),
}

/// Finds the cards of one file.
#[derive(Debug)]
pub struct Resolver {
    /// The sets' codes by code, and by name as names are compared.
    codes: HashSet<String>,
    names: HashMap<String, String>,
    suggested: HashMap<String, Option<String>>,
    near_sets: HashMap<String, Option<String>>,
}

impl Resolver {
    /// # Errors
    /// The database's.
    pub async fn load(connection: &impl ConnectionTrait) -> Result<Self> {
        #[derive(FromQueryResult)]
        struct SetName {
            code: String,
            name: String,
        }
        let mut sql = Sql::new(connection);
        sql.push("select code, name from card_sets order by code");
        let sets = sql.all::<SetName>(connection).await?;
        let mut names: HashMap<String, String> =
            sets.iter().map(|set| (name_key(&set.name), set.code.clone())).collect();
        // Rows' names are brought to today's; a catalogue may still have the former.
        for set in &sets {
            if let Some((read, _)) = set_name(&set.name) {
                names.entry(name_key(&read)).or_insert_with(|| set.code.clone());
            }
        }
        Ok(Self {
            names,
            codes: sets.into_iter().map(|set| set.code).collect(),
            suggested: HashMap::new(),
            near_sets: HashMap::new(),
        })
    }

    /// What each row comes to, in their order. A handful of statements, however many rows there are.
    ///
    /// # Errors
    /// The database's.
    pub async fn resolve(
        &mut self,
        connection: &impl ConnectionTrait,
        rows: &[ImportRow],
    ) -> Result<Vec<Resolved>> {
        let (by_id, by_number) =
            futures_util::try_join!(self.by_ids(connection, rows), self.by_numbers(connection, rows))?;
        let numbered = |row: &ImportRow| {
            let cards = by_number.get(&self.number_key(row)?)?;
            pick(cards.iter(), row)
        };
        let pieces = pieces_by_name(connection, rows, |row, position| {
            by_id.get(position).and_then(Option::as_ref).or_else(|| numbered(row))
        })
        .await?;
        // Only of what is not found yet are all printings looked at: of a basic land there are hundreds.
        let unsure: BTreeSet<Uuid> = rows
            .iter()
            .zip(&by_id)
            .filter(|(row, found)| found.is_none() && numbered(row).is_none())
            .flat_map(|(row, _)| pieces_of(row, &pieces).into_iter().flatten().copied())
            .collect();
        let printings = printings_by_piece(connection, &Vec::from_iter(unsure)).await?;
        let mut resolved = Vec::with_capacity(rows.len());
        for (row, by_id) in rows.iter().zip(by_id) {
            let number = self.number_key(row).and_then(|key| by_number.get(&key));
            let number = number.map(|cards| pick(cards.iter(), row));
            let asked = Asked { row, set: self.set_of(row), pieces: pieces_of(row, &pieces) };
            let mut outcome = asked.decide(by_id, number.flatten(), &printings);
            if let Resolved::Rejected(Code::RowCardNotFound, message) = &mut outcome {
                let near = match (&asked.set, asked.pieces) {
                    (NamedSet::Unknown(name), Some(_)) => self
                        .near_set(name)
                        .or_else(|| asked.newest(&asked.named(&printings)).map(FoundCard::told)),
                    (_, None) => self.nearest(connection, row).await?,
                    _ => None,
                };
                if let Some(near) = near {
                    message.push_str(&format!(" Did you mean {near}?"));
                }
            }
            resolved.push(outcome);
        }
        Ok(resolved)
    }

    /// The set that a row names, where it names one and it is known.
    fn set_of(&self, row: &ImportRow) -> NamedSet {
        let (code, name) = (row.set_code.as_deref(), row.set_name.as_deref());
        let by_code = |code: &str| self.codes.get(code);
        let by_name = |name: &str| self.names.get(&name_key(name));
        let known = code.and_then(by_code).or_else(|| name.and_then(by_name));
        // In columns that people fill in by hand codes and names are mixed.
        let known = known
            .or_else(|| by_name(&set_name(code?)?.0))
            .or_else(|| by_code(&set_code(Platform::Generic, name?)?))
            // Its cards are told among those of The List now.
            .or_else(|| code.filter(|code| *code == "mb1").and_then(|_| by_code("plst")));
        match (known, name.or(code).filter(|name| !name.trim().is_empty())) {
            (Some(code), _) => NamedSet::Known(code.clone()),
            (None, Some(name)) => NamedSet::Unknown(name.to_owned()),
            (None, None) => NamedSet::None,
        }
    }

    /// The set whose name is nearest. A file names few sets, each many times.
    fn near_set(&mut self, name: &str) -> Option<String> {
        let key = name_key(name);
        if let Some(known) = self.near_sets.get(&key) {
            return known.clone();
        }
        // Each costs a look at every set: junk is not looked at for ever.
        if self.near_sets.len() >= REMEMBERED || key.is_empty() || key.chars().count() > 150 {
            return None;
        }
        let near = self.names.iter().map(|(known, code)| (likeness(&key, known), code));
        let near = near
            .filter(|(alike, _)| *alike >= ALIKE)
            .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
            .map(|(_, code)| code.to_uppercase());
        self.near_sets.insert(key, near.clone());
        near
    }

    fn number_key(&self, row: &ImportRow) -> Option<(String, String)> {
        let NamedSet::Known(set) = self.set_of(row) else { return None };
        Some((set, plain_number(row)?.to_lowercase()))
    }

    async fn by_ids(
        &self,
        connection: &impl ConnectionTrait,
        rows: &[ImportRow],
    ) -> Result<Vec<Option<FoundCard>>> {
        let wanted: Vec<Uuid> = rows.iter().filter_map(|row| row.scryfall_id).collect();
        let mut by_scryfall: HashMap<Uuid, FoundCard> = HashMap::new();
        if !wanted.is_empty() {
            let mut sql = Sql::by_keys(connection);
            sql.push("select ").push(COLUMNS).push(" from cards c where c.scryfall_id").any_of_uuids(&wanted);
            let found = sql.all::<FoundCard>(connection).await?;
            by_scryfall = found.into_iter().map(|card| (card.scryfall_id, card)).collect();
        }
        let mut outside: HashMap<Provider, BTreeSet<String>> = HashMap::new();
        for (provider, id) in rows.iter().flat_map(|row| &row.outside_ids) {
            outside.entry(*provider).or_default().insert(id.clone());
        }
        // One id may be that of several printings.
        let mut card_ids: HashMap<(Provider, String), Vec<i32>> = HashMap::new();
        for (provider, ids) in outside {
            for known in find_cards_by_external_id(connection, provider, &Vec::from_iter(ids)).await? {
                card_ids.entry((provider, known.external_id)).or_default().push(known.card_id);
            }
        }
        let mut by_number: HashMap<i32, FoundCard> = HashMap::new();
        if !card_ids.is_empty() {
            let ids: BTreeSet<i32> = card_ids.values().flatten().copied().collect();
            let mut sql = Sql::by_keys(connection);
            sql.push("select ")
                .push(COLUMNS)
                .push(" from cards c where c.id")
                .any_of_numbers(&Vec::from_iter(ids));
            by_number =
                sql.all::<FoundCard>(connection).await?.into_iter().map(|card| (card.id, card)).collect();
        }
        let find = |row: &ImportRow| {
            let by_scryfall = row.scryfall_id.and_then(|id| by_scryfall.get(&id));
            let by_outside = || {
                row.outside_ids.iter().find_map(|id| {
                    let cards = card_ids.get(id)?.iter().filter_map(|card| by_number.get(card));
                    of_shared(cards.collect(), row, self.number_key(row).as_ref())
                })
            };
            by_scryfall.or_else(by_outside).cloned()
        };
        Ok(rows.iter().map(find).collect())
    }

    /// The printings under the sets' numbers; of one number there is one a language.
    async fn by_numbers(
        &self,
        connection: &impl ConnectionTrait,
        rows: &[ImportRow],
    ) -> Result<HashMap<(String, String), Vec<FoundCard>>> {
        let mut keys: BTreeSet<(String, String)> = BTreeSet::new();
        for row in rows {
            let Some((set, lower)) = self.number_key(row) else { continue };
            // However it is spelt: an index has them as they are.
            let spelt = plain_number(row).unwrap_or_default();
            keys.extend([lower.to_uppercase(), lower, spelt.to_owned()].map(|number| (set.clone(), number)));
        }
        let mut found: HashMap<(String, String), Vec<FoundCard>> = HashMap::new();
        if keys.is_empty() {
            return Ok(found);
        }
        let json =
            serde_json::Value::from_iter(keys.iter().map(|(set, number)| serde_json::json!([set, number])));
        let mut sql = Sql::new(connection);
        sql.push("select ").push(COLUMNS).push(" from (");
        sql.either(
            "select value ->> 0 as set_code, value ->> 1 as number from jsonb_array_elements(",
            "select value ->> 0 as set_code, value ->> 1 as number from json_each(",
        );
        sql.bind(json.to_string()).either("::jsonb)", ")");
        sql.push(") k join cards c on c.set_code = k.set_code and c.collector_number = k.number");
        for card in sql.all::<FoundCard>(connection).await? {
            let key = (card.set_code.clone(), card.collector_number.to_lowercase());
            found.entry(key).or_default().push(card);
        }
        Ok(found)
    }

    /// The known name that is nearest to a row's.
    async fn nearest(
        &mut self,
        connection: &impl ConnectionTrait,
        row: &ImportRow,
    ) -> Result<Option<String>> {
        let Some(name) = row.name.as_deref() else { return Ok(None) };
        let key = name_key(name);
        if let Some(known) = self.suggested.get(&key) {
            return Ok(known.clone());
        }
        if self.suggested.len() >= SUGGESTED || key.is_empty() || key.chars().count() > 150 {
            return Ok(None);
        }
        let near = load_candidates(connection, &key, Compared::Whole).await?;
        let near = near.into_iter().map(|near| (likeness(&key, &near.name_key), near.name_key));
        let near = near.filter(|(alike, _)| *alike >= ALIKE);
        let near = near.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)));
        let told = match near {
            Some((_, key)) => {
                let mut sql = Sql::new(connection);
                sql.push("select ")
                    .push(COLUMNS)
                    .push(" from card_names n join cards c on c.piece_id = n.piece_id");
                sql.push(" where n.name_key = ").bind(key).push(" and c.place = 1 limit 1");
                sql.one::<FoundCard>(connection).await?.map(|card| card.name)
            }
            None => None,
        };
        self.suggested.insert(key, told.clone());
        Ok(told)
    }
}

pub(super) enum NamedSet {
    None,
    Known(String),
    /// As it was written.
    Unknown(String),
}

/// Of the printings that somebody has one id for, the one under the row's set and number, else one that has its finish.
fn of_shared<'c>(
    mut cards: Vec<&'c FoundCard>,
    row: &ImportRow,
    number: Option<&(String, String)>,
) -> Option<&'c FoundCard> {
    let is_there = |card: &&FoundCard| number.is_some_and(|(set, number)| card.is_at(set, number));
    let has_finish =
        |card: &&FoundCard| row.finish.is_none_or(|finish| card.finishes().iter().any(|one| one == finish));
    cards.sort_by_key(|card| (card.collector_number.len(), card.id));
    if cards.iter().any(is_there) {
        cards.retain(is_there);
    } else if cards.iter().any(has_finish) {
        cards.retain(has_finish);
    }
    pick(cards.iter().copied(), row)
}

/// A row's collector number without zeros before it.
pub(super) fn plain_number(row: &ImportRow) -> Option<&str> {
    let number = row.collector_number.as_deref()?.trim();
    let plain = number.trim_start_matches('0');
    (!number.is_empty()).then_some(if plain.is_empty() { number } else { plain })
}

/// A name's keys: the whole, and the front of one with several faces.
fn keys_of(row: &ImportRow) -> Vec<String> {
    let Some(name) = row.name.as_deref() else { return Vec::new() };
    let front = name.split(" // ").next().unwrap_or(name);
    let mut keys = vec![name_key(name), name_key(front)];
    keys.dedup();
    keys.retain(|key| !key.is_empty());
    keys
}

fn pieces_of<'p>(row: &ImportRow, pieces: &'p HashMap<String, BTreeSet<Uuid>>) -> Option<&'p BTreeSet<Uuid>> {
    keys_of(row).iter().find_map(|key| pieces.get(key))
}

/// The pieces that the rows name. Those of a row whose card is `found` and has just this name are not looked up.
async fn pieces_by_name<'c>(
    connection: &impl ConnectionTrait,
    rows: &[ImportRow],
    found: impl Fn(&ImportRow, usize) -> Option<&'c FoundCard>,
) -> Result<HashMap<String, BTreeSet<Uuid>>> {
    #[derive(FromQueryResult)]
    struct Named {
        name_key: String,
        piece_id: Uuid,
    }
    let mut keys: BTreeSet<String> = BTreeSet::new();
    let mut pieces: HashMap<String, BTreeSet<Uuid>> = HashMap::new();
    for (position, row) in rows.iter().enumerate() {
        let named = keys_of(row);
        match (named.first(), found(row, position)) {
            (Some(key), Some(card)) if *key == card.name_key => {
                pieces.entry(key.clone()).or_default().insert(card.piece_id);
            }
            _ => keys.extend(named),
        }
    }
    if keys.is_empty() {
        return Ok(pieces);
    }
    let mut sql = Sql::by_keys(connection);
    sql.push("select n.name_key, n.piece_id from ").texts(&Vec::from_iter(keys)).push(" k cross join ");
    // Not `=`: the index of trigrams knows that too, and in a small catalogue the planner takes it, for seconds.
    sql.either(
        "lateral (select * from card_names n where n.name_key between k.value and k.value offset 0) n",
        "",
    );
    sql.either("", "card_names n on n.name_key = k.value");
    for named in sql.all::<Named>(connection).await? {
        pieces.entry(named.name_key).or_default().insert(named.piece_id);
    }
    Ok(pieces)
}

async fn printings_by_piece(
    connection: &impl ConnectionTrait,
    pieces: &[Uuid],
) -> Result<HashMap<Uuid, Vec<FoundCard>>> {
    let mut printings: HashMap<Uuid, Vec<FoundCard>> = HashMap::new();
    if pieces.is_empty() {
        return Ok(printings);
    }
    let mut sql = Sql::by_keys(connection);
    sql.push("select ").push(COLUMNS).push(" from cards c where c.piece_id").any_of_uuids(pieces);
    sql.push(" order by c.set_code, c.collector_key, c.id");
    for card in sql.all::<FoundCard>(connection).await? {
        printings.entry(card.piece_id).or_default().push(card);
    }
    Ok(printings)
}

/// Of printings that fit alike the one in the row's language, else in English, else the first.
pub(super) fn pick<'c>(
    cards: impl Iterator<Item = &'c FoundCard> + Clone,
    row: &ImportRow,
) -> Option<&'c FoundCard> {
    let language = row.language.as_deref().unwrap_or("en");
    let in_language = |wanted: &str| cards.clone().find(|card| card.language == wanted);
    in_language(language).or_else(|| in_language("en")).or_else(|| cards.clone().next())
}
