//! Changes of an inventory. Each is one transaction, in which the user's other changes wait.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::enums::{Condition, Finish};
use entity::inventory_item::{Column, Entity, Model, Tags};
use entity::removed_inventory_item;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel,
    QueryFilter,
};
use uuid::Uuid;

use super::check::{self, Change, Held};
use super::copies::{
    Likeness, check_room, join_prices, join_tags, later_than, likeness, load_items_of_cards,
};
use super::item::ItemRow;
use super::values::{Of, refresh_values};
use super::{begin, load_items};
use crate::db::{Connection, Sql, transaction};
use crate::domain::market::Money;
use crate::error::{Code, Error, Refusal, Result, none_of};
use crate::outside::Outside;

/// How long what was removed can be put back.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// An item to be.
#[derive(Debug, Clone)]
pub struct NewItem {
    /// By its Scryfall id.
    pub card: Uuid,
    pub quantity: i32,
    pub condition: Condition,
    pub finish: Finish,
    pub language: String,
    pub price: Option<Money>,
    pub acquired_on: Option<NaiveDate>,
    pub notes: Option<String>,
    pub tags: Vec<String>,
}

impl NewItem {
    /// As it is kept, or what is wrong with it.
    fn check(&self, today: NaiveDate, problems: &mut Vec<Refusal>) -> Self {
        let language = self.language.trim().to_lowercase();
        let mut found = vec![
            check::quantity(self.quantity),
            check::language(&language),
            self.price.and_then(|price| check::price(price, "acquiredPrice")),
            self.acquired_on.and_then(|day| check::acquired_on(day, today)),
            self.notes.as_deref().and_then(check::notes),
        ];
        let tags = match check::tags(self.tags.clone()) {
            Ok(tags) => tags,
            Err(refusal) => {
                found.push(Some(refusal));
                Vec::new()
            }
        };
        problems.extend(found.into_iter().flatten());
        Self { language, tags, ..self.clone() }
    }
}

/// What an item takes from the card that it is a copy of.
#[derive(Debug, FromQueryResult)]
pub(super) struct CardOfItem {
    pub id: i32,
    pub scryfall_id: Uuid,
    pub name_key: String,
}

pub(super) async fn cards_of(
    transaction: &impl ConnectionTrait,
    scryfall_ids: &[Uuid],
) -> Result<HashMap<Uuid, CardOfItem>> {
    let mut sql = Sql::by_keys(transaction);
    sql.push("select id, scryfall_id, name_key from cards where scryfall_id").any_of_uuids(scryfall_ids);
    let rows = sql.all::<CardOfItem>(transaction).await?;
    Ok(rows.into_iter().map(|card| (card.scryfall_id, card)).collect())
}

pub(super) fn no_such_card() -> Refusal {
    Refusal::new(Code::NotFound, "There is no such card.").at("cardId")
}

/// Adds items, all or none; one equal to an item that is held adds to it. Answers the items as they now are, each once, in
/// the order of the input.
///
/// # Errors
/// Of each item that can't be, with its place: ERR-3001 for an unknown card, ERR-3002 for a value out of its range,
/// ERR-3004 for a price in another currency than the equal item's. ERR-3004 where the inventory is full.
pub async fn add_items(
    connection: &Connection,
    user: Uuid,
    items: Vec<NewItem>,
    outside: &Outside,
) -> Result<Vec<ItemRow>> {
    none_of([check::at_once(items.len(), "items")])?;
    let now = outside.now();
    let mut problems = Vec::new();
    let items: Vec<NewItem> = items
        .iter()
        .enumerate()
        .map(|(position, item)| {
            let mut found = Vec::new();
            let item = item.check(now.date_naive(), &mut found);
            problems.extend(found.into_iter().map(|refusal| at_item(refusal, position)));
            item
        })
        .collect();
    if !problems.is_empty() {
        // Nothing is written: then all that is wrong is told at once, unknown cards among it.
        let wanted: Vec<Uuid> = items.iter().map(|item| item.card).collect();
        let cards = cards_of(connection, &wanted).await?;
        let unknown = items.iter().enumerate().filter(|(_, item)| !cards.contains_key(&item.card));
        problems.extend(unknown.map(|(position, _)| at_item(no_such_card(), position)));
        return Err(Error::Problems(problems));
    }
    Ok(transaction!(connection, |transaction| {
        begin(transaction, user).await?;
        add(transaction, user, &items, outside, now).await
    }))
}

fn at_item(refusal: Refusal, position: usize) -> Refusal {
    refusal.within(&["items", &position.to_string()])
}

async fn add(
    transaction: &impl ConnectionTrait,
    user: Uuid,
    items: &[NewItem],
    outside: &Outside,
    now: DateTime<Utc>,
) -> Result<Vec<ItemRow>> {
    let wanted: Vec<Uuid> = items.iter().map(|item| item.card).collect();
    let cards = cards_of(transaction, &wanted).await?;
    let numbers: Vec<i32> = cards.values().map(|card| card.id).collect();
    let mut held: HashMap<Likeness, Model> = load_items_of_cards(transaction, user, &numbers)
        .await?
        .into_iter()
        .map(|row| (likeness(&row.item), row.item))
        .collect();
    let mut problems = Vec::new();
    let mut touched: Vec<Likeness> = Vec::new();
    let mut added = 0;
    for (position, item) in items.iter().enumerate() {
        let Some(card) = cards.get(&item.card) else {
            problems.push(at_item(no_such_card(), position));
            continue;
        };
        let like = (card.id, item.finish, item.condition, item.language.clone());
        match held.get_mut(&like) {
            Some(there) => {
                if let Err(refusal) = join(there, item, now) {
                    problems.push(at_item(refusal, position));
                }
            }
            None => {
                // A moment apart each, so that a list by age has them in the order in which they came.
                let made = now + TimeDelta::microseconds(added);
                added += 1;
                held.insert(like.clone(), made_of(item, card, user, made, outside));
            }
        }
        if !touched.contains(&like) {
            touched.push(like);
        }
    }
    if !problems.is_empty() {
        return Err(Error::Problems(problems));
    }
    if added > 0 {
        check_room(transaction, user, added).await?;
    }
    let rows: Vec<Model> = touched.iter().filter_map(|like| held.remove(like)).collect();
    save(transaction, &rows).await?;
    let ids: Vec<Uuid> = rows.iter().map(|item| item.id).collect();
    refresh_values(transaction, Of::Items(&ids)).await?;
    Ok(rows.into_iter().map(ItemRow::from).collect())
}

fn made_of(item: &NewItem, card: &CardOfItem, user: Uuid, made: DateTime<Utc>, outside: &Outside) -> Model {
    let Held { amount, currency } = item.price.into();
    Model {
        id: outside.uuid(),
        user_id: user,
        card_id: card.id,
        finish: item.finish,
        condition: item.condition,
        language: item.language.clone(),
        quantity: item.quantity,
        price_amount: amount,
        price_currency: currency,
        acquired_on: item.acquired_on,
        notes: item.notes.clone(),
        tags: Tags(item.tags.clone()),
        name_key: card.name_key.clone(),
        created_at: made,
        updated_at: made,
    }
}

/// Adds copies to an equal item. The price paid becomes the mean by quantity; where one of the two is not known, the other
/// stands. Notes and date stay, and tags are joined.
fn join(there: &mut Model, item: &NewItem, now: DateTime<Utc>) -> Result<(), Refusal> {
    let sum = there.quantity.saturating_add(item.quantity);
    if let Some(refusal) = check::quantity(sum) {
        return Err(refusal);
    }
    let paid = Held { amount: there.price_amount, currency: there.price_currency }.money();
    if let (Some(paid), Some(new)) = (paid, item.price)
        && paid.currency != new.currency
    {
        let message = "An equal item was paid in another currency: change its price first.";
        return Err(Refusal::new(Code::Conflict, message).at("currency").within(&["acquiredPrice"]));
    }
    let (price, _) = join_prices((paid, there.quantity), (item.price, item.quantity));
    let tags = join_tags(&there.tags.0, &item.tags);
    if let Some(refusal) = check::too_many_tags(tags.len()) {
        return Err(refusal);
    }
    let Held { amount, currency } = price.into();
    there.price_amount = amount;
    there.price_currency = currency;
    there.quantity = sum;
    there.tags = Tags(tags);
    there.updated_at = later_than(there.updated_at, now);
    Ok(())
}

/// Writes items, whether they are new or not.
async fn save(transaction: &impl ConnectionTrait, items: &[Model]) -> Result<()> {
    let rows = items.iter().cloned().map(|item| item.into_active_model().reset_all());
    let changed = [
        Column::Finish,
        Column::Condition,
        Column::Language,
        Column::Quantity,
        Column::PriceAmount,
        Column::PriceCurrency,
        Column::AcquiredOn,
        Column::Notes,
        Column::Tags,
        Column::UpdatedAt,
    ];
    Entity::insert_many(rows)
        .on_conflict(OnConflict::column(Column::Id).update_columns(changed).to_owned())
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}

/// What becomes of an item.
#[derive(Debug, Clone)]
pub struct ItemChange {
    pub id: Uuid,
    /// The `updated_at` that the change was made on.
    pub expected: Option<DateTime<Utc>>,
    pub quantity: Change<i32>,
    pub condition: Change<Condition>,
    pub finish: Change<Finish>,
    pub language: Change<String>,
    pub price: Change<Money>,
    pub acquired_on: Change<NaiveDate>,
    pub notes: Change<String>,
    pub tags: Change<Vec<String>>,
}

/// Changes an item.
///
/// # Errors
/// ERR-3001 where the user has no such item, ERR-3002 for a value out of its range, ERR-3004 where it was changed since
/// `expected`, or would become equal to another.
pub async fn update_item(
    connection: &Connection,
    user: Uuid,
    change: ItemChange,
    outside: &Outside,
) -> Result<ItemRow> {
    let now = outside.now();
    let change = check_change(change, now.date_naive())?;
    Ok(transaction!(connection, |transaction| {
        begin(transaction, user).await?;
        let found = load_items(transaction, user, &[change.id]).await?.pop();
        let before = found.ok_or_else(|| no_such_item().at("id"))?.item;
        if change.expected.is_some_and(|expected| expected != before.updated_at) {
            return Err(changed_meanwhile().into());
        }
        let mut item = before.clone();
        apply(&mut item, change.clone());
        item.updated_at = later_than(before.updated_at, now);
        if likeness(&item) != likeness(&before) {
            let equals = load_items_of_cards(transaction, user, &[item.card_id]).await?;
            let is_equal = |row: &ItemRow| row.item.id != item.id && likeness(&row.item) == likeness(&item);
            if equals.iter().any(is_equal) {
                let message = "You have an item like this already: add to that one and remove this one.";
                return Err(Refusal::new(Code::Conflict, message).into());
            }
        }
        save(transaction, std::slice::from_ref(&item)).await?;
        refresh_values(transaction, Of::Items(&[item.id])).await?;
        Ok(ItemRow::from(item))
    }))
}

fn check_change(change: ItemChange, today: NaiveDate) -> Result<ItemChange> {
    let language = match change.language {
        Change::To(language) => Change::To(language.trim().to_lowercase()),
        other => other,
    };
    let (tags, wrong_tags) = match change.tags {
        Change::To(tags) => match check::tags(tags) {
            Ok(tags) => (Change::To(tags), None),
            Err(refusal) => (Change::Keep, Some(refusal)),
        },
        // Without any is what a list of tags is when it is empty.
        Change::Clear => (Change::To(Vec::new()), None),
        Change::Keep => (Change::Keep, None),
    };
    none_of([
        change.quantity.never_empty("quantity"),
        change.condition.never_empty("condition"),
        change.finish.never_empty("finish"),
        language.never_empty("language"),
        change.quantity.value().and_then(|quantity| check::quantity(*quantity)),
        language.value().and_then(|language| check::language(language)),
        change.price.value().and_then(|price| check::price(*price, "acquiredPrice")),
        change.acquired_on.value().and_then(|day| check::acquired_on(*day, today)),
        change.notes.value().and_then(|notes| check::notes(notes)),
        wrong_tags,
    ])?;
    Ok(ItemChange { language, tags, ..change })
}

fn apply(item: &mut Model, change: ItemChange) {
    change.quantity.set(&mut item.quantity);
    change.condition.set(&mut item.condition);
    change.finish.set(&mut item.finish);
    change.language.set(&mut item.language);
    change.tags.set(&mut item.tags.0);
    change.acquired_on.apply_to(&mut item.acquired_on);
    change.notes.apply_to(&mut item.notes);
    let mut price = Held { amount: item.price_amount, currency: item.price_currency }.money();
    change.price.apply_to(&mut price);
    let Held { amount, currency } = price.into();
    item.price_amount = amount;
    item.price_currency = currency;
}

fn no_such_item() -> Refusal {
    Refusal::new(Code::NotFound, "You have no such item.")
}

pub(super) fn changed_meanwhile() -> Refusal {
    Refusal::new(Code::Conflict, "It was changed meanwhile: look at it again.").at("expectedUpdatedAt")
}

/// Each id once, and a refusal for each that is not among `there`.
pub(super) fn each_once(ids: &[Uuid], there: impl Fn(Uuid) -> bool) -> Result<Vec<Uuid>> {
    none_of(ids.iter().enumerate().map(|(position, id)| {
        (!there(*id)).then(|| no_such_item().at(&position.to_string()).within(&["ids"]))
    }))?;
    let mut once: Vec<Uuid> = Vec::with_capacity(ids.len());
    for id in ids {
        if !once.contains(id) {
            once.push(*id);
        }
    }
    Ok(once)
}

const KEPT_COLUMNS: &str = "id, user_id, card_id, finish, condition, language, quantity, price_amount, \
     price_currency, acquired_on, notes, tags, name_key, created_at, updated_at";

/// Removes items, all or none, and answers which. They can be put back for a day.
///
/// # Errors
/// ERR-3001 for each that the user does not have; ERR-3002 for too many at once.
pub async fn remove_items(
    connection: &Connection,
    user: Uuid,
    ids: &[Uuid],
    outside: &Outside,
) -> Result<Vec<Uuid>> {
    none_of([check::ids_at_once(ids.len())])?;
    Ok(transaction!(connection, |transaction| {
        begin(transaction, user).await?;
        let there = load_items(transaction, user, ids).await?;
        let once = each_once(ids, |id| there.iter().any(|row| row.item.id == id))?;
        let mut sql = Sql::new(transaction);
        sql.push(&format!(
            "insert into removed_inventory_items ({KEPT_COLUMNS}, removed_at) select {KEPT_COLUMNS}, "
        ));
        sql.either("cast(", "").bind(outside.now()).either(" as timestamptz)", "");
        sql.push(" from inventory_items where user_id = ").bind(user).push(" and id").any_of_uuids(&once);
        sql.run(transaction).await?;
        let mut sql = Sql::by_keys(transaction);
        sql.push("delete from inventory_items where user_id = ")
            .bind(user)
            .push(" and id")
            .any_of_uuids(&once);
        sql.run(transaction).await?;
        Ok(once)
    }))
}

/// Puts back what was removed within the last day, all or none, with the same ids.
///
/// # Errors
/// ERR-3001 for each that was not, or longer ago; ERR-3004 for each of which the user has an equal one by now, and where the
/// inventory is full.
pub async fn restore_items(
    connection: &Connection,
    user: Uuid,
    ids: &[Uuid],
    outside: &Outside,
) -> Result<Vec<ItemRow>> {
    none_of([check::ids_at_once(ids.len())])?;
    let now = outside.now();
    Ok(transaction!(connection, |transaction| {
        begin(transaction, user).await?;
        let mut sql = Sql::by_keys(transaction);
        sql.push(&format!(
            "select {KEPT_COLUMNS}, cast(null as bigint) as sort_value from removed_inventory_items"
        ));
        sql.push(" where user_id = ").bind(user).push(" and removed_at >= ").bind(put_back_since(now));
        sql.push(" and id").any_of_uuids(ids);
        let removed: HashMap<Uuid, Model> =
            sql.all::<ItemRow>(transaction).await?.into_iter().map(|row| (row.item.id, row.item)).collect();
        let once = each_once(ids, |id| removed.contains_key(&id))?;
        let cards: Vec<i32> = removed.values().map(|item| item.card_id).collect();
        let mut taken: Vec<Likeness> = load_items_of_cards(transaction, user, &cards)
            .await?
            .iter()
            .map(|row| likeness(&row.item))
            .collect();
        let mut items = Vec::with_capacity(once.len());
        let mut problems = Vec::new();
        for item in once.iter().filter_map(|id| removed.get(id)) {
            let like = likeness(item);
            if taken.contains(&like) {
                let position = ids.iter().position(|id| *id == item.id).unwrap_or_default();
                let message = "You have an item like this again: remove that one first.";
                let refusal = Refusal::new(Code::Conflict, message);
                problems.push(refusal.at(&position.to_string()).within(&["ids"]));
            }
            taken.push(like);
            items.push(Model { updated_at: later_than(item.updated_at, now), ..item.clone() });
        }
        if !problems.is_empty() {
            return Err(Error::Problems(problems));
        }
        check_room(transaction, user, i64::try_from(items.len()).unwrap_or(i64::MAX)).await?;
        save(transaction, &items).await?;
        let restored = removed_inventory_item::Column::Id.is_in(once.iter().copied());
        removed_inventory_item::Entity::delete_many().filter(restored).exec(transaction).await?;
        refresh_values(transaction, Of::Items(&once)).await?;
        Ok(items.into_iter().map(ItemRow::from).collect())
    }))
}

/// What was removed before this moment is past putting back.
pub fn put_back_since(now: DateTime<Utc>) -> DateTime<Utc> {
    now - KEPT
}
