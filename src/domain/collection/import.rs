//! A file's items into an inventory: gathered line by line, then applied in one transaction, so that a reader sees all of it
//! or nothing; and taken back the same way.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::enums::{Condition, Currency, Finish, RowOutcome};
use entity::inventory_item::{Model, Tags};
use sea_orm::{ActiveEnum, ConnectionTrait, FromQueryResult};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::begin;
use super::check::{self, MOST_ITEMS};
use super::inventory_write::{Likeness, join_copies, later_than, likeness};
use super::item::{COLUMNS, ItemRow};
use super::values::{Of, refresh_values};
use crate::db::{Bulk, Cell, Column, Count, Merge, Sql, Target};
use crate::domain::market::Money;
use crate::error::{Code, Refusal, Result};
use crate::outside::Outside;

/// How long an import can be taken back.
const UNDONE_WITHIN: TimeDelta = TimeDelta::hours(24);
/// Items that one statement brings in step.
const AT_ONCE: usize = 5_000;
/// Rows that are made ready to be written at once.
const WRITTEN: usize = 10_000;

/// Copies that a line of a file brings.
#[derive(Debug, Clone)]
pub struct Brought {
    pub card_id: i32,
    pub name_key: String,
    pub finish: Finish,
    pub condition: Condition,
    pub language: String,
    pub quantity: i32,
    pub price: Option<Money>,
    pub acquired_on: Option<NaiveDate>,
    pub notes: Option<String>,
    pub tags: Vec<String>,
}

impl Brought {
    fn likeness(&self) -> Likeness {
        (self.card_id, self.finish, self.condition, self.language.clone())
    }
}

/// What a file brings, equal items added up.
#[derive(Debug, Default)]
pub struct Gathered {
    items: HashMap<Likeness, Brought>,
    /// In the order in which they came.
    order: Vec<Likeness>,
}

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    New,
    /// It was added to an earlier line's, with what is to be said of it.
    Joined(Option<&'static str>),
    /// There would be too many copies.
    TooMany,
}

impl Gathered {
    pub fn take(&mut self, brought: Brought) -> Taken {
        let like = brought.likeness();
        let Some(there) = self.items.get_mut(&like) else {
            self.order.push(like.clone());
            self.items.insert(like, brought);
            return Taken::New;
        };
        let sum = there.quantity.saturating_add(brought.quantity);
        if check::quantity(sum).is_some() {
            return Taken::TooMany;
        }
        let (price, said) = join_copies((there.price, there.quantity), (brought.price, brought.quantity));
        there.price = price;
        there.quantity = sum;
        for tag in brought.tags {
            if !there.tags.contains(&tag) && there.tags.len() < check::MOST_TAGS {
                there.tags.push(tag);
            }
        }
        Taken::Joined(said)
    }
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

const CHANGES: Target = Target {
    table: "import_changes",
    columns: &[
        Column { name: "job_id", merge: Merge::Key },
        Column { name: "item_id", merge: Merge::Key },
        Column { name: "before", merge: Merge::Keep },
        Column { name: "after_at", merge: Merge::Keep },
    ],
    only_if: None,
};

/// A line of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportRow {
    pub line: i64,
    pub outcome: RowOutcome,
    pub code: Option<Code>,
    pub message: Option<String>,
    /// As they came.
    pub cells: Vec<String>,
}

const ROWS: Target = Target {
    table: "import_rows",
    columns: &[
        Column { name: "job_id", merge: Merge::Key },
        Column { name: "line", merge: Merge::Key },
        Column { name: "outcome", merge: Merge::Replace },
        Column { name: "code", merge: Merge::Replace },
        Column { name: "message", merge: Merge::Replace },
        Column { name: "cells", merge: Merge::Replace },
    ],
    only_if: None,
};

/// Writes what became of lines. A second attempt writes the same rows.
///
/// # Errors
/// The database's.
pub async fn write_report(bulk: &Bulk, job: Uuid, rows: &[ReportRow]) -> Result<()> {
    let optional = |text: Option<&str>| text.map_or(Cell::Null, |text| Cell::Text(text.to_owned().into()));
    let cells: Vec<Vec<Cell<'_>>> = rows
        .iter()
        .map(|row| {
            // The stores keep no NUL, which is no text either.
            let kept: Vec<String> = row.cells.iter().map(|cell| cell.replace('\0', "\u{fffd}")).collect();
            vec![
                Cell::Uuid(job),
                Cell::Int(row.line),
                Cell::Int(row.outcome.to_value().into()),
                optional(row.code.map(Code::number)),
                optional(row.message.as_deref().map(|text| text.replace('\0', "\u{fffd}")).as_deref()),
                Cell::Json(serde_json::Value::from(kept).to_string()),
            ]
        })
        .collect();
    bulk.merge(&ROWS, &cells).await?;
    Ok(())
}

/// Whether what a file brings is added to what is held, or takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ImportMode {
    Merge,
    Replace,
}

/// An item as it was, for taking an import back.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Before {
    card_id: i32,
    finish: i16,
    condition: i16,
    language: String,
    quantity: i32,
    price_amount: Option<i64>,
    price_currency: Option<i16>,
    acquired_on: Option<NaiveDate>,
    notes: Option<String>,
    tags: Vec<String>,
    name_key: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Before {
    fn of(item: &Model) -> Self {
        Self {
            card_id: item.card_id,
            finish: item.finish.to_value(),
            condition: item.condition.to_value(),
            language: item.language.clone(),
            quantity: item.quantity,
            price_amount: item.price_amount,
            price_currency: item.price_currency.map(|currency| currency.to_value()),
            acquired_on: item.acquired_on,
            notes: item.notes.clone(),
            tags: item.tags.0.clone(),
            name_key: item.name_key.clone(),
            created_at: item.created_at,
            updated_at: item.updated_at,
        }
    }

    fn item(self, id: Uuid, user: Uuid) -> Option<Model> {
        Some(Model {
            id,
            user_id: user,
            card_id: self.card_id,
            finish: Finish::try_from_value(&self.finish).ok()?,
            condition: Condition::try_from_value(&self.condition).ok()?,
            language: self.language,
            quantity: self.quantity,
            price_amount: self.price_amount,
            price_currency: match self.price_currency {
                Some(currency) => Some(Currency::try_from_value(&currency).ok()?),
                None => None,
            },
            acquired_on: self.acquired_on,
            notes: self.notes,
            tags: Tags(self.tags),
            name_key: self.name_key,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
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
    let now = outside.now();
    let mut changes: Vec<(Uuid, Option<Before>, Option<DateTime<Utc>>)> = Vec::new();
    let mut held: HashMap<Likeness, Model> = HashMap::new();
    if mode == ImportMode::Replace {
        let all = load_held(bulk, user, None).await?;
        changes.extend(all.iter().map(|item| (item.id, Some(Before::of(item)), None)));
        let mut sql = Sql::new(bulk);
        sql.push("delete from inventory_items where user_id = ").bind(user);
        sql.run(bulk).await?;
    } else {
        let mut cards: Vec<i32> = gathered.order.iter().map(|(card, ..)| *card).collect();
        cards.sort_unstable();
        cards.dedup();
        for cards in cards.chunks(AT_ONCE) {
            let there = load_held(bulk, user, Some(cards)).await?;
            held.extend(there.into_iter().map(|item| (likeness(&item), item)));
        }
    }
    let Gathered { items, order } = gathered;
    let mut rows: Vec<Model> = Vec::with_capacity(order.len());
    let mut made = 0_i64;
    for like in order {
        let Some(brought) = items.get(like) else { continue };
        let row = match held.remove(like) {
            Some(there) => {
                let joined = joined(&there, brought, now)?;
                changes.push((there.id, Some(Before::of(&there)), Some(joined.updated_at)));
                joined
            }
            None => {
                // A moment apart each, so that a list by age has them in the order of the file.
                let at = now + TimeDelta::microseconds(made);
                made += 1;
                let row = made_of(brought, user, at, outside.uuid());
                changes.push((row.id, None, Some(row.updated_at)));
                row
            }
        };
        rows.push(row);
    }
    check_room(bulk, user, made).await?;
    write_items(bulk, &rows).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    for ids in ids.chunks(AT_ONCE) {
        refresh_values(bulk, Of::Items(ids)).await?;
    }
    for changes in changes.chunks(WRITTEN) {
        let cells: Vec<Vec<Cell<'_>>> = changes
            .iter()
            .map(|(item, before, after)| {
                let before = before.as_ref().and_then(|before| serde_json::to_string(before).ok());
                vec![
                    Cell::Uuid(job),
                    Cell::Uuid(*item),
                    before.map_or(Cell::Null, Cell::Json),
                    after.map_or(Cell::Null, Cell::Time),
                ]
            })
            .collect();
        bulk.merge(&CHANGES, &cells).await?;
    }
    Ok(())
}

async fn check_room(bulk: &Bulk, user: Uuid, made: i64) -> Result<()> {
    let mut sql = Sql::new(bulk);
    sql.push("select count(*) as n from inventory_items where user_id = ").bind(user);
    let there = sql.one::<Count>(bulk).await?.map_or(0, |count| count.n);
    if there.saturating_add(made) > MOST_ITEMS {
        let most = check::thousands(MOST_ITEMS);
        let message = format!("An inventory has at most {most} items, and this would make {}.", there + made);
        return Err(Refusal::new(Code::Conflict, message).into());
    }
    Ok(())
}

async fn load_held(
    connection: &impl ConnectionTrait,
    user: Uuid,
    cards: Option<&[i32]>,
) -> Result<Vec<Model>> {
    let mut sql = Sql::by_keys(connection);
    sql.push("select ").push(COLUMNS).push(", cast(null as bigint) as sort_value from inventory_items i");
    sql.push(" where i.user_id = ").bind(user);
    if let Some(cards) = cards {
        sql.push(" and i.card_id").any_of_numbers(cards);
    }
    Ok(sql.all::<ItemRow>(connection).await?.into_iter().map(|row| row.item).collect())
}

/// Which of these the user holds something like already.
///
/// # Errors
/// The database's.
pub async fn held_likenesses(
    connection: &impl ConnectionTrait,
    user: Uuid,
    cards: &[i32],
) -> Result<Vec<Likeness>> {
    Ok(load_held(connection, user, Some(cards)).await?.iter().map(likeness).collect())
}

fn joined(there: &Model, brought: &Brought, now: DateTime<Utc>) -> Result<Model> {
    let sum = there.quantity.saturating_add(brought.quantity);
    if check::quantity(sum).is_some() {
        let message = "Of one of the cards there would be over 100,000 copies.";
        return Err(Refusal::new(Code::Conflict, message).into());
    }
    let paid = super::Held { amount: there.price_amount, currency: there.price_currency }.money();
    let (price, _) = join_copies((paid, there.quantity), (brought.price, brought.quantity));
    let super::Held { amount, currency } = price.into();
    let mut tags = there.tags.0.clone();
    for tag in &brought.tags {
        if !tags.contains(tag) && tags.len() < check::MOST_TAGS {
            tags.push(tag.clone());
        }
    }
    Ok(Model {
        quantity: sum,
        price_amount: amount,
        price_currency: currency,
        tags: Tags(tags),
        updated_at: later_than(there.updated_at, now),
        ..there.clone()
    })
}

fn made_of(brought: &Brought, user: Uuid, at: DateTime<Utc>, id: Uuid) -> Model {
    let super::Held { amount, currency } = brought.price.into();
    Model {
        id,
        user_id: user,
        card_id: brought.card_id,
        finish: brought.finish,
        condition: brought.condition,
        language: brought.language.clone(),
        quantity: brought.quantity,
        price_amount: amount,
        price_currency: currency,
        acquired_on: brought.acquired_on,
        notes: brought.notes.clone(),
        tags: Tags(brought.tags.clone()),
        name_key: brought.name_key.clone(),
        created_at: at,
        updated_at: at,
    }
}

async fn write_items(bulk: &Bulk, rows: &[Model]) -> Result<()> {
    for rows in rows.chunks(WRITTEN) {
        bulk.merge(&ITEMS, &item_cells(rows)).await?;
    }
    Ok(())
}

fn item_cells(rows: &[Model]) -> Vec<Vec<Cell<'_>>> {
    rows.iter()
        .map(|row| {
            vec![
                Cell::Uuid(row.id),
                Cell::Uuid(row.user_id),
                Cell::Int(row.card_id.into()),
                Cell::Int(row.finish.to_value().into()),
                Cell::Int(row.condition.to_value().into()),
                Cell::Text(row.language.as_str().into()),
                Cell::Int(row.quantity.into()),
                row.price_amount.map_or(Cell::Null, Cell::Int),
                row.price_currency.map_or(Cell::Null, |currency| Cell::Int(currency.to_value().into())),
                row.acquired_on.map_or(Cell::Null, Cell::Date),
                row.notes.as_deref().map_or(Cell::Null, |notes| Cell::Text(notes.into())),
                Cell::Json(serde_json::Value::from(row.tags.0.clone()).to_string()),
                Cell::Text(row.name_key.as_str().into()),
                Cell::Time(row.created_at),
                Cell::Time(row.updated_at),
            ]
        })
        .collect()
}

#[derive(FromQueryResult)]
struct ChangeRow {
    item_id: Uuid,
    before: Option<serde_json::Value>,
    after_at: Option<DateTime<Utc>>,
}

/// Takes an import back: what it made goes, what it changed or removed is as it was. What was changed by hand since stays, and
/// is answered.
///
/// # Errors
/// ERR-3004 for one that ended over 24 hours ago; the database's.
pub async fn undo_import(
    bulk: &Bulk,
    user: Uuid,
    job: Uuid,
    finished_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Vec<ItemRow>> {
    begin(bulk, user).await?;
    if finished_at.is_none_or(|at| now - at > UNDONE_WITHIN) {
        let message = "An import can be taken back for 24 hours after it has ended.";
        return Err(Refusal::new(Code::Conflict, message).at("id").into());
    }
    let mut sql = Sql::new(bulk);
    sql.push("select item_id, before, after_at from import_changes where job_id = ").bind(job);
    let changes = sql.all::<ChangeRow>(bulk).await?;
    let mut there: HashMap<Uuid, Model> =
        load_held(bulk, user, None).await?.into_iter().map(|item| (item.id, item)).collect();
    let mut likes: HashMap<Likeness, Uuid> = there.values().map(|item| (likeness(item), item.id)).collect();
    let (mut gone, mut back, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for ChangeRow { item_id, before, after_at } in changes {
        let before: Option<Before> = before.and_then(|before| serde_json::from_value(before).ok());
        let before = before.and_then(|before| before.item(item_id, user));
        match (there.get(&item_id), after_at) {
            (Some(item), Some(at)) if item.updated_at == at => match before {
                Some(before) => back.push(Model { updated_at: later_than(item.updated_at, now), ..before }),
                None => {
                    likes.remove(&likeness(item));
                    gone.push(item_id);
                }
            },
            (Some(_), _) => kept.extend(there.remove(&item_id)),
            // It was removed by the import itself, or by hand since.
            (None, None) => back.extend(before),
            (None, Some(_)) => {}
        }
    }
    if !gone.is_empty() {
        for ids in gone.chunks(AT_ONCE) {
            let mut sql = Sql::by_keys(bulk);
            sql.push("delete from inventory_items where user_id = ")
                .bind(user)
                .push(" and id")
                .any_of_uuids(ids);
            sql.run(bulk).await?;
        }
    }
    // One like it may be there again by now: that one stays.
    back.retain(|item| likes.get(&likeness(item)).is_none_or(|id| *id == item.id));
    write_items(bulk, &back).await?;
    let ids: Vec<Uuid> = back.iter().map(|item| item.id).collect();
    for ids in ids.chunks(AT_ONCE) {
        refresh_values(bulk, Of::Items(ids)).await?;
    }
    let mut sql = Sql::new(bulk);
    sql.push("delete from import_changes where job_id = ").bind(job);
    sql.run(bulk).await?;
    Ok(kept.into_iter().map(ItemRow::from).collect())
}
