//! A file's items into an inventory: gathered line by line, then applied in one transaction, so that a reader sees all of it
//! or nothing.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::enums::{Condition, Currency, Finish};
use entity::inventory_item::{Model, Tags};
use indexmap::IndexMap;
use sea_orm::{ActiveEnum, ConnectionTrait, FromQueryResult};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::begin;
use super::check::{self, Held, MOST_TAGS};
use super::copies::{
    Likeness, OTHER_CURRENCY, check_room, check_total, join_prices, join_tags, later_than, likeness,
    load_items_of_cards,
};
use super::import_spill::{Spill, Spilled};
use super::import_undo::{Changed, note_changes, note_made, note_removed};
use super::item::ItemRow;
use super::values::{Of, refresh_values};
use crate::db::{Bulk, Cell, Column, Merge, Sql, Target};
use crate::domain::market::Money;
use crate::error::{Code, Error, Refusal, Result};
use crate::outside::Outside;

/// Cards whose items are looked at at once.
const CARDS_AT_ONCE: usize = 500;
/// Items that are written at once.
pub(super) const AT_ONCE: usize = 1_000;

/// Said of copies that would have too many tags together with those there.
const TAGS_LEFT_OUT: &str = "Some of its tags were left out: an item has at most 20.";

/// Copies that a file brings.
#[derive(Debug, Clone)]
pub struct Copies {
    /// The card's, by which lists are sorted.
    pub name_key: Box<str>,
    pub quantity: i32,
    pub price: Option<Money>,
    pub acquired_on: Option<NaiveDate>,
    pub tags: Vec<String>,
}

/// What a file brings, equal items added up, in the order in which they came. Notes can be as long as the file: they are not
/// held in memory.
#[derive(Debug, Default)]
pub struct Gathered {
    items: IndexMap<Likeness, (Copies, Option<Spilled>)>,
    notes: Spill,
}

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    New,
    /// It was added to an earlier line's, with what is to be said of it.
    Joined(Option<&'static str>),
    /// There would be too many copies, with those that are held.
    TooMany,
}

impl Gathered {
    /// Takes copies, of which so many are held already.
    ///
    /// # Errors
    /// When the notes can't be put aside.
    pub fn take(&mut self, like: Likeness, copies: Copies, notes: Option<&str>, held: i32) -> Result<Taken> {
        let before = self.items.get(&like).map_or(0, |(there, _)| there.quantity);
        let sum = before.saturating_add(copies.quantity);
        if check::quantity(sum.saturating_add(held)).is_some() {
            return Ok(Taken::TooMany);
        }
        let Some((there, _)) = self.items.get_mut(&like) else {
            let notes = notes.map(|notes| self.notes.put(notes)).transpose().map_err(put_aside)?;
            self.items.insert(like, (copies, notes));
            return Ok(Taken::New);
        };
        let (price, said) = join_prices((there.price, there.quantity), (copies.price, copies.quantity));
        there.price = price;
        there.quantity = sum;
        let tags = join_tags(&there.tags, &copies.tags);
        let too_many = (tags.len() > MOST_TAGS).then_some(TAGS_LEFT_OUT);
        there.tags = tags;
        there.tags.truncate(MOST_TAGS);
        Ok(Taken::Joined(said.or(too_many)))
    }

    /// To be called when all was taken, before it is applied.
    ///
    /// # Errors
    /// When the notes can't be put aside.
    pub fn flush(&mut self) -> Result<()> {
        self.notes.flush().map_err(put_aside)
    }

    /// The tags of copies that came before.
    pub fn tags(&self, like: &Likeness) -> &[String] {
        self.items.get(like).map_or(&[], |(there, _)| &there.tags)
    }
}

fn put_aside(error: std::io::Error) -> Error {
    Error::internal(format!("notes could not be put aside: {error}"))
}

const ITEMS: Target = Target {
    table: "inventory_items",
    columns: &[
        Column { name: "id", merge: Merge::Key },
        Column { name: "user_id", merge: Merge::Keep },
        Column { name: "card_id", merge: Merge::Keep },
        Column { name: "finish", merge: Merge::Keep },
        Column { name: "condition", merge: Merge::Keep },
        Column { name: "language", merge: Merge::Keep },
        Column { name: "quantity", merge: Merge::Replace },
        Column { name: "price_amount", merge: Merge::Replace },
        Column { name: "price_currency", merge: Merge::Replace },
        Column { name: "acquired_on", merge: Merge::Replace },
        Column { name: "notes", merge: Merge::Replace },
        Column { name: "tags", merge: Merge::Replace },
        Column { name: "name_key", merge: Merge::Keep },
        Column { name: "created_at", merge: Merge::Keep },
        Column { name: "updated_at", merge: Merge::Replace },
    ],
    only_if: None,
};

/// Whether what a file brings is added to what is held, or takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ImportMode {
    Merge,
    Replace,
}

/// Applies what a file brings, in a transaction of the caller's that also ends its job.
///
/// # Errors
/// ERR-3004 where the inventory would be too large, or a sum of copies; the database's.
pub async fn apply_import(
    bulk: &Bulk,
    user: Uuid,
    job: Uuid,
    gathered: &Gathered,
    mode: ImportMode,
    outside: &Outside,
) -> Result<()> {
    begin(bulk, user).await?;
    bulk.expect_many().await?;
    let now = outside.now();
    let mut is_new = vec![true; gathered.items.len()];
    match mode {
        ImportMode::Merge => add_to_held(bulk, user, job, gathered, &mut is_new, now).await?,
        ImportMode::Replace => {
            note_removed(bulk, user, job).await?;
            // Values would go with their items, but one item at a time.
            for table in ["item_values", "inventory_items"] {
                let mut sql = Sql::new(bulk);
                sql.push(&format!("delete from {table} where user_id = ")).bind(user).run(bulk).await?;
            }
        }
    }
    let new = is_new.iter().filter(|is_new| **is_new).count();
    check_room(bulk, user, i64::try_from(new).unwrap_or(i64::MAX)).await?;
    make_new(bulk, user, job, gathered, &is_new, outside, now).await?;
    bulk.had_many().await
}

/// Refuses what [`apply_import`] would refuse, where so many items are new.
///
/// # Errors
/// ERR-3004 where the inventory would be too large; the database's.
pub async fn check_import(
    connection: &impl ConnectionTrait,
    user: Uuid,
    new: i64,
    mode: ImportMode,
) -> Result<()> {
    match mode {
        ImportMode::Merge => check_room(connection, user, new).await,
        ImportMode::Replace => check_total(new),
    }
}

/// Adds copies to the items like them that are held, which are not new then.
async fn add_to_held(
    bulk: &Bulk,
    user: Uuid,
    job: Uuid,
    gathered: &Gathered,
    is_new: &mut [bool],
    now: DateTime<Utc>,
) -> Result<()> {
    let cards: BTreeSet<i32> = gathered.items.keys().map(|(card, ..)| *card).collect();
    for cards in Vec::from_iter(cards).chunks(CARDS_AT_ONCE) {
        let mut rows: Vec<Model> = Vec::new();
        let mut changes: Vec<Changed> = Vec::new();
        for ItemRow { item: there, .. } in load_items_of_cards(bulk, user, cards).await? {
            let Some((place, _, (copies, _))) = gathered.items.get_full(&likeness(&there)) else { continue };
            if let Some(is_new) = is_new.get_mut(place) {
                *is_new = false;
            }
            let row = joined(&there, copies, now)?;
            changes.push(Changed::item(&there, row.updated_at));
            rows.push(row);
        }
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        write_items(bulk, rows).await?;
        refresh_values(bulk, Of::Items(&ids)).await?;
        note_changes(bulk, job, &changes).await?;
    }
    Ok(())
}

/// Makes the items that are new, in the order of the file.
async fn make_new(
    bulk: &Bulk,
    user: Uuid,
    job: Uuid,
    gathered: &Gathered,
    is_new: &[bool],
    outside: &Outside,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut ids: Vec<Uuid> = Vec::new();
    let mut failed = None;
    let mut notes = gathered.notes.reader().map_err(put_aside)?;
    let new = gathered.items.iter().zip(is_new).filter(|(_, is_new)| **is_new);
    let rows = new.map(|((like, (copies, spilled)), _)| {
        // A moment apart each, so that a list by age has them in the order of the file.
        let at = now + TimeDelta::microseconds(i64::try_from(ids.len()).unwrap_or(i64::MAX));
        let id = outside.uuid_in_order();
        ids.push(id);
        let notes = spilled.and_then(|spilled| match notes.get(spilled) {
            Ok(notes) => Some(notes),
            Err(error) => {
                failed = Some(error);
                None
            }
        });
        cells_of(made_of(like, copies, notes, user, at, id))
    });
    bulk.insert(&ITEMS, rows).await?;
    if let Some(error) = failed {
        return Err(put_aside(error));
    }
    for (part, ids) in ids.chunks(AT_ONCE).enumerate() {
        refresh_values(bulk, Of::New(ids)).await?;
        note_made(bulk, job, part, ids).await?;
    }
    Ok(())
}

/// What an import has to know of copies that are held already.
#[derive(Debug, Clone)]
pub struct HeldCopies {
    pub quantity: i32,
    paid_in: Option<Currency>,
    tags: Vec<String>,
}

impl HeldCopies {
    /// What is to be said of copies that are added to these, where copies with these tags came before.
    pub fn say(&self, before: &[String], price: Option<Money>, tags: &[String]) -> Option<&'static str> {
        if self.paid_in.zip(price).is_some_and(|(paid, price)| paid != price.currency) {
            return Some(OTHER_CURRENCY);
        }
        let tags = join_tags(&join_tags(&self.tags, before), tags);
        (tags.len() > MOST_TAGS).then_some(TAGS_LEFT_OUT)
    }
}

/// What the user holds of these cards in these conditions.
///
/// # Errors
/// The database's.
pub async fn held_copies(
    connection: &impl ConnectionTrait,
    user: Uuid,
    cards: &[i32],
    conditions: &[Condition],
) -> Result<HashMap<Likeness, HeldCopies>> {
    #[derive(FromQueryResult)]
    struct Row {
        card_id: i32,
        finish: Finish,
        condition: Condition,
        language: String,
        quantity: i32,
        price_currency: Option<Currency>,
        tags: Tags,
    }
    let mut sql = Sql::by_keys(connection);
    sql.push(
        "select card_id, finish, condition, language, quantity, price_currency, tags from inventory_items",
    );
    sql.push(" where user_id = ").bind(user).push(" and card_id").any_of_numbers(cards);
    let conditions: Vec<i16> = conditions.iter().map(ActiveEnum::to_value).collect();
    sql.push(" and condition").any_of_numbers(&conditions);
    let held = |row: Row| {
        let like = (row.card_id, row.finish, row.condition, row.language);
        (like, HeldCopies { quantity: row.quantity, paid_in: row.price_currency, tags: row.tags.0 })
    };
    Ok(sql.all::<Row>(connection).await?.into_iter().map(held).collect())
}

fn joined(there: &Model, copies: &Copies, now: DateTime<Utc>) -> Result<Model> {
    let sum = there.quantity.saturating_add(copies.quantity);
    if check::quantity(sum).is_some() {
        let message = "Of one of the cards there would be over 100,000 copies.";
        return Err(Refusal::new(Code::Conflict, message).into());
    }
    let paid = Held { amount: there.price_amount, currency: there.price_currency }.money();
    let (price, _) = join_prices((paid, there.quantity), (copies.price, copies.quantity));
    let Held { amount, currency } = price.into();
    let mut tags = join_tags(&there.tags.0, &copies.tags);
    tags.truncate(MOST_TAGS.max(there.tags.0.len()));
    Ok(Model {
        quantity: sum,
        price_amount: amount,
        price_currency: currency,
        tags: Tags(tags),
        updated_at: later_than(there.updated_at, now),
        ..there.clone()
    })
}

fn made_of(
    (card_id, finish, condition, language): &Likeness,
    copies: &Copies,
    notes: Option<String>,
    user: Uuid,
    at: DateTime<Utc>,
    id: Uuid,
) -> Model {
    let Held { amount, currency } = copies.price.into();
    Model {
        id,
        user_id: user,
        card_id: *card_id,
        finish: *finish,
        condition: *condition,
        language: language.clone(),
        quantity: copies.quantity,
        price_amount: amount,
        price_currency: currency,
        acquired_on: copies.acquired_on,
        notes,
        tags: Tags(copies.tags.clone()),
        name_key: copies.name_key.to_string(),
        created_at: at,
        updated_at: at,
    }
}

/// Writes items, new ones and ones that are there.
pub(super) async fn write_items(bulk: &Bulk, rows: Vec<Model>) -> Result<()> {
    let rows: Vec<_> = rows.into_iter().map(cells_of).collect();
    bulk.merge(&ITEMS, &rows).await?;
    Ok(())
}

fn cells_of(row: Model) -> Vec<Cell<'static>> {
    vec![
        Cell::Uuid(row.id),
        Cell::Uuid(row.user_id),
        Cell::Int(row.card_id.into()),
        Cell::Int(row.finish.to_value().into()),
        Cell::Int(row.condition.to_value().into()),
        Cell::Text(row.language.into()),
        Cell::Int(row.quantity.into()),
        row.price_amount.map_or(Cell::Null, Cell::Int),
        row.price_currency.map_or(Cell::Null, |currency| Cell::Int(currency.to_value().into())),
        row.acquired_on.map_or(Cell::Null, Cell::Date),
        row.notes.map_or(Cell::Null, |notes| Cell::Text(notes.into())),
        Cell::Json(serde_json::Value::from(row.tags.0).to_string()),
        Cell::Text(row.name_key.into()),
        Cell::Time(row.created_at),
        Cell::Time(row.updated_at),
    ]
}
