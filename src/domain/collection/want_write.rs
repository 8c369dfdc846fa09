//! Changes of a want list. Each is one transaction, in which the user's other changes wait.

use chrono::{DateTime, Utc};
use entity::enums::{Finish, WantPriority};
use entity::want_list_item::{Column, Entity, Model};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use super::begin;
use super::check::{self, Change, Held, MOST_WANTS};
use super::copies::later_than;
use super::inventory_write::{cards_of, changed_meanwhile, each_once, no_such_card};
use super::want::{MET, count_wants, load_wants};
use crate::db::{Connection, Exists, Sql, transaction};
use crate::domain::market::Money;
use crate::error::{Code, Refusal, Result, none_of};
use crate::outside::Outside;

/// A want to be.
#[derive(Debug, Clone)]
pub struct NewWant {
    /// By its Scryfall id.
    pub card: Uuid,
    pub quantity: i32,
    pub priority: WantPriority,
    pub target: Option<Money>,
    /// Absent: the first that the card has.
    pub finish: Option<Finish>,
    pub notes: Option<String>,
}

/// Puts a card on the list.
///
/// # Errors
/// ERR-3001 for an unknown card, ERR-3002 for a value out of its range, ERR-3004 where the card is on the list in this finish
/// already, or the list is full.
pub async fn add_want(
    connection: &Connection,
    user: Uuid,
    want: NewWant,
    outside: &Outside,
) -> Result<Model> {
    none_of([
        check::quantity(want.quantity),
        want.target.and_then(|target| check::price(target, "targetPrice")),
        want.notes.as_deref().and_then(check::notes),
    ])?;
    let now = outside.now();
    Ok(transaction!(connection, |transaction| {
        begin(transaction, user).await?;
        let card = cards_of(transaction, &[want.card]).await?.remove(&want.card).ok_or_else(no_such_card)?;
        if count_wants(transaction, user).await? >= MOST_WANTS {
            let most = check::thousands(MOST_WANTS);
            let message = format!("A want list has at most {most} items: remove some first.");
            return Err(Refusal::new(Code::Conflict, message).into());
        }
        let Held { amount, currency } = want.target.into();
        let row = Model {
            id: outside.uuid(),
            user_id: user,
            card_id: card.id,
            finish: want.finish,
            quantity: want.quantity,
            priority: want.priority,
            target_amount: amount,
            target_currency: currency,
            notes: want.notes.clone(),
            name_key: card.name_key,
            below_target: false,
            hit_at: None,
            created_at: now,
            updated_at: now,
        };
        check_once(transaction, &row).await?;
        Entity::insert(row.clone().into_active_model()).exec_without_returning(transaction).await?;
        look_at_target(transaction, row).await
    }))
}

/// # Errors
/// ERR-3004 where the card is on the list in this finish already.
async fn check_once(transaction: &impl ConnectionTrait, row: &Model) -> Result<()> {
    let finish = match row.finish {
        Some(finish) => Column::Finish.eq(finish),
        None => Column::Finish.is_null(),
    };
    let of_card =
        Entity::find().filter(Column::UserId.eq(row.user_id)).filter(Column::CardId.eq(row.card_id));
    let there = of_card.filter(finish).filter(Column::Id.ne(row.id)).one(transaction).await?;
    match there {
        None => Ok(()),
        Some(_) => {
            let message = "This card is on your want list in this finish already.";
            Err(Refusal::new(Code::Conflict, message).into())
        }
    }
}

/// Whether the price is at the target now. That somebody has set a target above it is no fall of the price.
async fn look_at_target(transaction: &impl ConnectionTrait, row: Model) -> Result<Model> {
    let mut sql = Sql::new(transaction);
    sql.push("select 1 as n from want_list_items w where w.id = ").bind(row.id).push(&format!(" and {MET}"));
    let below_target = sql.one::<Exists>(transaction).await?.is_some();
    if below_target == row.below_target {
        return Ok(row);
    }
    let mut sql = Sql::new(transaction);
    sql.push("update want_list_items set below_target = ")
        .bind(below_target)
        .push(" where id = ")
        .bind(row.id);
    sql.run(transaction).await?;
    Ok(Model { below_target, ..row })
}

/// What becomes of a want.
#[derive(Debug, Clone)]
pub struct WantChange {
    pub id: Uuid,
    /// The `updated_at` that the change was made on.
    pub expected: Option<DateTime<Utc>>,
    pub quantity: Change<i32>,
    pub priority: Change<WantPriority>,
    pub target: Change<Money>,
    pub finish: Change<Finish>,
    pub notes: Change<String>,
}

/// Changes a want.
///
/// # Errors
/// ERR-3001 where the user has no such want, ERR-3002 for a value out of its range, ERR-3004 where it was changed since
/// `expected`, or the card is on the list in this finish already.
pub async fn update_want(
    connection: &Connection,
    user: Uuid,
    change: WantChange,
    outside: &Outside,
) -> Result<Model> {
    none_of([
        change.quantity.never_empty("quantity"),
        change.priority.never_empty("priority"),
        change.quantity.value().and_then(|quantity| check::quantity(*quantity)),
        change.target.value().and_then(|target| check::price(*target, "targetPrice")),
        change.notes.value().and_then(|notes| check::notes(notes)),
    ])?;
    let now = outside.now();
    Ok(transaction!(connection, |transaction| {
        begin(transaction, user).await?;
        let found = load_wants(transaction, user, &[change.id]).await?.pop();
        let before = found.ok_or_else(|| Refusal::new(Code::NotFound, "You have no such item.").at("id"))?;
        if change.expected.is_some_and(|expected| expected != before.updated_at) {
            return Err(changed_meanwhile().into());
        }
        let mut row = before.clone();
        let change = change.clone();
        change.quantity.set(&mut row.quantity);
        change.priority.set(&mut row.priority);
        change.finish.apply_to(&mut row.finish);
        change.notes.apply_to(&mut row.notes);
        let mut target = Held { amount: row.target_amount, currency: row.target_currency }.money();
        change.target.apply_to(&mut target);
        let Held { amount, currency } = target.into();
        row.target_amount = amount;
        row.target_currency = currency;
        row.updated_at = later_than(before.updated_at, now);
        let target = |row: &Model| (row.finish, row.target_amount, row.target_currency);
        if target(&row) != target(&before) {
            // What was hit was another target.
            row.hit_at = None;
        }
        if row.finish != before.finish {
            check_once(transaction, &row).await?;
        }
        Entity::update(row.clone().into_active_model().reset_all()).exec(transaction).await?;
        look_at_target(transaction, row).await
    }))
}

/// Takes wants off the list, all or none, and answers which.
///
/// # Errors
/// ERR-3001 for each that the user does not have; ERR-3002 for too many at once.
pub async fn remove_wants(connection: &Connection, user: Uuid, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    none_of([check::ids_at_once(ids.len())])?;
    Ok(transaction!(connection, |transaction| {
        begin(transaction, user).await?;
        let there = load_wants(transaction, user, ids).await?;
        let once = each_once(ids, |id| there.iter().any(|row| row.id == id))?;
        Entity::delete_many()
            .filter(Column::UserId.eq(user))
            .filter(Column::Id.is_in(once.iter().copied()))
            .exec(transaction)
            .await?;
        Ok(once)
    }))
}
