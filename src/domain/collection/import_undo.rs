//! Imports taken back: what they changed is noted while they are applied, and put right by it.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::enums::{Condition, Currency, Finish};
use entity::inventory_item::{Model, Tags};
use sea_orm::{ActiveEnum, FromJsonQueryResult, FromQueryResult};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::begin;
use super::copies::{Likeness, check_room, likeness, load_items_of_cards};
use super::import::{AT_ONCE, write_items};
use super::inventory::load_items;
use super::item::{COLUMNS, ItemRow};
use super::values::{Of, refresh_values};
use crate::db::{Bulk, Cell, Column, Merge, Sql, Target};
use crate::error::{Code, Error, Refusal, Result};

/// How long an import can be taken back.
const UNDONE_WITHIN: TimeDelta = TimeDelta::hours(24);
/// Items that stay which are answered at most.
const MOST_KEPT: usize = 500;

const MADE: Target = Target {
    table: "import_made",
    columns: &[
        Column { name: "job_id", merge: Merge::Key },
        Column { name: "part", merge: Merge::Key },
        Column { name: "items", merge: Merge::Keep },
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

/// An item as it was, for taking an import back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
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

    fn item(self, id: Uuid, user: Uuid) -> Result<Model> {
        let number = |_| Error::internal("an item before an import has a number that means nothing");
        Ok(Model {
            id,
            user_id: user,
            card_id: self.card_id,
            finish: Finish::try_from_value(&self.finish).map_err(number)?,
            condition: Condition::try_from_value(&self.condition).map_err(number)?,
            language: self.language,
            quantity: self.quantity,
            price_amount: self.price_amount,
            price_currency: self
                .price_currency
                .map(|currency| Currency::try_from_value(&currency).map_err(number))
                .transpose()?,
            acquired_on: self.acquired_on,
            notes: self.notes,
            tags: Tags(self.tags),
            name_key: self.name_key,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// An item that an import changes or removes.
pub(super) struct Changed {
    item: Uuid,
    before: Before,
    /// The moment that the item has afterwards; absent where the import removes it.
    after_at: Option<DateTime<Utc>>,
}

impl Changed {
    pub fn item(before: &Model, after_at: DateTime<Utc>) -> Self {
        Self { item: before.id, before: Before::of(before), after_at: Some(after_at) }
    }

    fn removed(item: &Model) -> Self {
        Self { item: item.id, before: Before::of(item), after_at: None }
    }
}

/// Keeps what an import changes, in its transaction.
pub(super) async fn note_changes(bulk: &Bulk, job: Uuid, changes: &[Changed]) -> Result<()> {
    let mut rows: Vec<Vec<Cell<'_>>> = Vec::with_capacity(changes.len());
    for Changed { item, before, after_at } in changes {
        let before = serde_json::to_string(before);
        let before = before.map_err(|error| Error::internal(format!("an item is no JSON: {error}")))?;
        rows.push(vec![
            Cell::Uuid(job),
            Cell::Uuid(*item),
            Cell::Json(before),
            after_at.map_or(Cell::Null, Cell::Time),
        ]);
    }
    bulk.merge(&CHANGES, &rows).await?;
    Ok(())
}

/// Keeps which items an import has made: a part of them, that nobody has changed since as long as they were last changed when
/// they were made.
pub(super) async fn note_made(bulk: &Bulk, job: Uuid, part: usize, items: &[Uuid]) -> Result<()> {
    let ids = serde_json::Value::from_iter(items.iter().map(|id| id.simple().to_string()));
    let part = i64::try_from(part).unwrap_or(i64::MAX);
    bulk.merge(&MADE, &[vec![Cell::Uuid(job), Cell::Int(part), Cell::Json(ids.to_string())]]).await?;
    Ok(())
}

/// The items of a part; nothing, where there are no more parts.
async fn load_made(bulk: &Bulk, job: Uuid, part: i32) -> Result<Option<Vec<Uuid>>> {
    #[derive(FromQueryResult)]
    struct Row {
        items: serde_json::Value,
    }
    let mut sql = Sql::new(bulk);
    sql.push("select items from import_made where job_id = ").bind(job).push(" and part = ").bind(part);
    let Some(row) = sql.one::<Row>(bulk).await? else { return Ok(None) };
    let read = serde_json::from_value(row.items);
    read.map(Some).map_err(|error| Error::internal(format!("an import's items can't be read: {error}")))
}

/// Keeps all that a user holds, which an import is about to remove.
pub(super) async fn note_removed(bulk: &Bulk, user: Uuid, job: Uuid) -> Result<()> {
    let mut after = Uuid::nil();
    loop {
        let mut sql = Sql::new(bulk);
        sql.push("select ").push(COLUMNS).push(", cast(null as bigint) as sort_value from inventory_items i");
        sql.push(" where i.user_id = ").bind(user).push(" and i.id > ").bind(after);
        sql.push(&format!(" order by i.id limit {AT_ONCE}"));
        let rows = sql.all::<ItemRow>(bulk).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.item.id;
        let changes: Vec<Changed> = rows.iter().map(|row| Changed::removed(&row.item)).collect();
        note_changes(bulk, job, &changes).await?;
    }
}

#[derive(FromQueryResult)]
struct ChangeRow {
    item_id: Uuid,
    before: Before,
    after_at: Option<DateTime<Utc>>,
}

/// Takes an import back, in a transaction of the caller's: what it made goes, what it changed or removed is as it was. What was
/// changed by hand since stays, and so does an item like one that would come back; the first 500 of these are answered.
///
/// # Errors
/// ERR-3004 for one that ended over 24 hours ago, and where the inventory would be too large; the database's.
pub async fn undo_import(
    bulk: &Bulk,
    user: Uuid,
    job: Uuid,
    finished_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Vec<ItemRow>> {
    begin(bulk, user).await?;
    bulk.expect_many().await?;
    if finished_at.is_none_or(|at| now - at > UNDONE_WITHIN) {
        let message = "An import can be taken back for 24 hours after it has ended.";
        return Err(Refusal::new(Code::Conflict, message).at("id").into());
    }
    let mut kept = changed_since(bulk, user, job).await?;
    let mut part = 0;
    while let Some(made) = load_made(bulk, job, part).await? {
        kept.extend(made_and_changed(bulk, user, &made).await?);
        remove_made(bulk, user, &made).await?;
        part += 1;
    }
    kept.sort_by_key(|row| (row.item.created_at, row.item.id));
    kept.truncate(MOST_KEPT);
    let mut after = Uuid::nil();
    loop {
        let mut sql = Sql::new(bulk);
        sql.push("select item_id, before, after_at from import_changes where job_id = ").bind(job);
        sql.push(" and item_id > ").bind(after);
        sql.push(&format!(" order by item_id limit {AT_ONCE}"));
        let changes = sql.all::<ChangeRow>(bulk).await?;
        let Some(last) = changes.last() else { break };
        after = last.item_id;
        put_back(bulk, user, changes, &mut kept).await?;
    }
    // What came back may be more than what went, where items were added since.
    check_room(bulk, user, 0).await?;
    for table in ["import_changes", "import_made"] {
        let mut sql = Sql::new(bulk);
        sql.push(&format!("delete from {table} where job_id = ")).bind(job).run(bulk).await?;
    }
    bulk.had_many().await?;
    Ok(kept)
}

/// What the import changed, and somebody has changed by hand since.
async fn changed_since(bulk: &Bulk, user: Uuid, job: Uuid) -> Result<Vec<ItemRow>> {
    let mut sql = Sql::new(bulk);
    sql.push("select ").push(COLUMNS).push(", cast(null as bigint) as sort_value from import_changes m");
    sql.push(" join inventory_items i on i.id = m.item_id where m.job_id = ").bind(job);
    sql.push(" and i.user_id = ").bind(user).push(" and i.updated_at <> m.after_at");
    sql.push(&format!(" order by i.created_at, i.id limit {MOST_KEPT}"));
    Ok(sql.all(bulk).await?)
}

/// Of items that an import made, those that somebody has changed by hand since.
async fn made_and_changed(bulk: &Bulk, user: Uuid, made: &[Uuid]) -> Result<Vec<ItemRow>> {
    let mut sql = Sql::by_keys(bulk);
    sql.push("select ").push(COLUMNS).push(", cast(null as bigint) as sort_value from inventory_items i");
    sql.push(" where i.user_id = ").bind(user).push(" and i.updated_at <> i.created_at and i.id");
    sql.any_of_uuids(made).push(&format!(" order by i.created_at, i.id limit {MOST_KEPT}"));
    Ok(sql.all(bulk).await?)
}

/// Removes of items that an import made those that are as it made them.
async fn remove_made(bulk: &Bulk, user: Uuid, made: &[Uuid]) -> Result<()> {
    // Values would go with their items, but one item at a time.
    for (table, item) in [("item_values", "item_id"), ("inventory_items", "id")] {
        let mut sql = Sql::by_keys(bulk);
        sql.push(&format!(
            "delete from {table} where {item} in (select i.id from inventory_items i where i.user_id = "
        ));
        sql.bind(user).push(" and i.updated_at = i.created_at and i.id").any_of_uuids(made).push(")");
        sql.run(bulk).await?;
    }
    Ok(())
}

/// Writes items as they were before, with the moment that they had: so an earlier import can still be taken back. One like it
/// that is there by now stays in its place.
async fn put_back(bulk: &Bulk, user: Uuid, changes: Vec<ChangeRow>, kept: &mut Vec<ItemRow>) -> Result<()> {
    let ids: Vec<Uuid> = changes.iter().map(|change| change.item_id).collect();
    let there: HashMap<Uuid, Model> =
        load_items(bulk, user, &ids).await?.into_iter().map(|row| (row.item.id, row.item)).collect();
    let mut back = Vec::new();
    for ChangeRow { item_id, before, after_at } in changes {
        let before = before.item(item_id, user)?;
        match (there.get(&item_id), after_at) {
            // As the import left it.
            (Some(item), Some(at)) if item.updated_at == at => back.push(before),
            // The import removed it.
            (None, None) => back.push(before),
            // It was changed, or removed, by hand since.
            (Some(_), _) | (None, Some(_)) => {}
        }
    }
    let mut cards: Vec<i32> = back.iter().map(|item| item.card_id).collect();
    cards.sort_unstable();
    cards.dedup();
    let likes: HashMap<Likeness, ItemRow> = load_items_of_cards(bulk, user, &cards)
        .await?
        .into_iter()
        .map(|row| (likeness(&row.item), row))
        .collect();
    back.retain(|item| match likes.get(&likeness(item)) {
        Some(like) if like.item.id != item.id => {
            let is_known = kept.iter().any(|row| row.item.id == like.item.id);
            if !is_known && kept.len() < MOST_KEPT {
                kept.push(like.clone());
            }
            false
        }
        _ => true,
    });
    let ids: Vec<Uuid> = back.iter().map(|item| item.id).collect();
    write_items(bulk, back).await?;
    refresh_values(bulk, Of::Items(&ids)).await
}
