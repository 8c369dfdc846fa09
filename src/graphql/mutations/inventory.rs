//! Changes of what the caller holds.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};

use super::super::global_id::GlobalId;
use super::super::misses::Misses;
use super::super::nullable::nullable;
use super::super::planned::Items;
use super::super::planned::Planned;
use super::super::scalars::{Date, DateTime};
use super::super::types::{Condition, Finish, InventoryItem, MoneyInput, UserError, told};
use super::change;
use crate::domain::collection::{ItemChange, NewItem, add_items, remove_items, restore_items, update_item};
use crate::identity::Identity;
use crate::principal::Principal;

/// An item to be.
#[derive(InputObject)]
pub struct InventoryItemInput {
    /// The `id` of a card.
    card_id: ID,
    /// How many copies: 1 to 100,000.
    #[graphql(default = 1)]
    quantity: i32,
    /// The state they are in.
    #[graphql(default_with = "Condition::NearMint")]
    condition: Condition,
    /// Their surface.
    #[graphql(default_with = "Finish::Nonfoil")]
    finish: Finish,
    /// Their language, as Scryfall writes it: `en`, `ja`, `zhs`.
    #[graphql(default = "en")]
    language: String,
    /// What one copy cost, at most 9,999,999.99.
    acquired_price: Option<MoneyInput>,
    /// When they were acquired.
    acquired_on: Option<Date>,
    /// Notes, at most 2,000 characters.
    notes: Option<String>,
    /// At most 20 words for it, of 1 to 50 characters each: binders, boxes, labels.
    #[graphql(default, tag = "most=20")]
    tags: Vec<String>,
}

impl From<InventoryItemInput> for NewItem {
    fn from(input: InventoryItemInput) -> Self {
        Self {
            card: GlobalId::card_or_none(&input.card_id),
            quantity: input.quantity,
            condition: input.condition.into(),
            finish: input.finish.into(),
            language: input.language,
            price: input.acquired_price.map(Into::into),
            acquired_on: input.acquired_on.map(|day| day.0),
            notes: input.notes,
            tags: input.tags,
        }
    }
}

/// What is added.
#[derive(InputObject)]
pub struct AddInventoryItemsInput {
    /// 1 to 500 items, of which all are added or none.
    #[graphql(tag = "most=500")]
    items: Vec<InventoryItemInput>,
}

/// The items that were added to.
#[derive(SimpleObject)]
pub struct AddInventoryItemsPayload {
    /// Each once, as it now is, in the order of the input; empty where something is wrong.
    #[graphql(tag = "most=input")]
    items: Items<InventoryItem>,
    /// What is wrong with the input.
    #[graphql(tag = "most=input")]
    user_errors: Vec<UserError>,
}

/// Only the fields given change; null empties one that may be empty. With expectedUpdatedAt, a change by someone else since
/// is ERR-3004.
#[derive(InputObject)]
pub struct UpdateInventoryItemInput {
    /// The item's `id`.
    id: ID,
    /// The item's `updatedAt` as it was seen.
    expected_updated_at: Option<DateTime>,
    /// All of its tags, 20 at most: null or an empty list takes them away.
    #[graphql(tag = "most=20")]
    tags: MaybeUndefined<Vec<String>>,
    /// How many copies: 1 to 100,000.
    quantity: MaybeUndefined<i32>,
    /// The state they are in.
    condition: MaybeUndefined<Condition>,
    /// Their surface.
    finish: MaybeUndefined<Finish>,
    /// Their language.
    language: MaybeUndefined<String>,
    /// What one copy cost.
    acquired_price: MaybeUndefined<MoneyInput>,
    /// When they were acquired.
    acquired_on: MaybeUndefined<Date>,
    /// Notes, at most 2,000 characters.
    notes: MaybeUndefined<String>,
}

/// The item that was changed.
#[derive(SimpleObject)]
pub struct UpdateInventoryItemPayload {
    /// As it now is.
    item: Option<Planned<InventoryItem>>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// What is removed.
#[derive(InputObject)]
pub struct RemoveInventoryItemsInput {
    /// The `id`s of 1 to 1,000 items, of which all are removed or none.
    #[graphql(tag = "most=1000")]
    ids: Vec<ID>,
}

/// What was removed.
#[derive(SimpleObject)]
pub struct RemoveInventoryItemsPayload {
    /// The items' `id`s: `restoreInventoryItems` takes them for 24 hours.
    removed_ids: Vec<ID>,
    /// What is wrong with the input.
    #[graphql(tag = "most=input")]
    user_errors: Vec<UserError>,
}

/// What is put back.
#[derive(InputObject)]
pub struct RestoreInventoryItemsInput {
    /// The `id`s of 1 to 1,000 items that were removed, of which all are put back or none.
    #[graphql(tag = "most=1000")]
    ids: Vec<ID>,
}

/// What was put back.
#[derive(SimpleObject)]
pub struct RestoreInventoryItemsPayload {
    /// The items, with the ids that they had.
    #[graphql(tag = "most=input")]
    items: Items<InventoryItem>,
    /// What is wrong with the input.
    #[graphql(tag = "most=input")]
    user_errors: Vec<UserError>,
}

/// What the caller holds.
#[derive(Default)]
pub struct Inventory;

#[Object]
impl Inventory {
    /// Adds up to 500 items at once, all or none. An item equal in card, condition, finish and language adds to the quantity
    /// held; the price paid becomes the mean by quantity (another currency is ERR-3004; one that is not known leaves the
    /// other), notes and date stay, tags are joined.
    async fn add_inventory_items(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The items.")] input: AddInventoryItemsInput,
    ) -> Option<Result<AddInventoryItemsPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.writer()?;
            let identity = context.data::<Identity>()?;
            let items = input.items.into_iter().map(Into::into).collect();
            let outcome = add_items(identity.connection(), user.id, items, identity.outside()).await;
            let (items, user_errors) = told(outcome, &[])?;
            let items = items.into_iter().flatten().collect();
            Ok(Some(AddInventoryItemsPayload { items, user_errors }))
        })
        .await
    }

    /// Changes an item of the caller's. A change that makes two items equal is ERR-3004.
    async fn update_inventory_item(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which item, and what changes.")] input: UpdateInventoryItemInput,
    ) -> Option<Result<UpdateInventoryItemPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.writer()?;
            let identity = context.data::<Identity>()?;
            let item = ItemChange {
                id: GlobalId::inventory_item(&input.id),
                expected: input.expected_updated_at.map(|time| time.0),
                quantity: change(input.quantity),
                condition: change(input.condition),
                finish: change(input.finish),
                language: change(input.language),
                price: change(input.acquired_price),
                acquired_on: change(input.acquired_on.map_value(|day| day.0)),
                notes: change(input.notes),
                tags: change(input.tags),
            };
            let outcome = update_item(identity.connection(), user.id, item, identity.outside()).await;
            Misses::note_of(context, &outcome);
            let (item, user_errors) = told(outcome, &[])?;
            Ok(Some(UpdateInventoryItemPayload { item: item.map(|row| Planned(row.into())), user_errors }))
        })
        .await
    }

    /// Removes items of the caller's, all or none. They can be put back for 24 hours.
    async fn remove_inventory_items(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which items.")] input: RemoveInventoryItemsInput,
    ) -> Option<Result<RemoveInventoryItemsPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.writer()?;
            let identity = context.data::<Identity>()?;
            let ids: Vec<_> = input.ids.iter().map(|id| GlobalId::inventory_item(id)).collect();
            let outcome = remove_items(identity.connection(), user.id, &ids, identity.outside()).await;
            Misses::note_of(context, &outcome);
            let (removed, user_errors) = told(outcome, &[])?;
            let removed = removed.into_iter().flatten();
            let removed_ids = removed.map(|id| GlobalId::InventoryItem(id).encode()).collect();
            Ok(Some(RemoveInventoryItemsPayload { removed_ids, user_errors }))
        })
        .await
    }

    /// Puts back what was removed within the last 24 hours, with the same ids, all or none. Where an equal item has been
    /// added since, it is ERR-3004.
    async fn restore_inventory_items(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which items.")] input: RestoreInventoryItemsInput,
    ) -> Option<Result<RestoreInventoryItemsPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.writer()?;
            let identity = context.data::<Identity>()?;
            let ids: Vec<_> = input.ids.iter().map(|id| GlobalId::inventory_item(id)).collect();
            let outcome = restore_items(identity.connection(), user.id, &ids, identity.outside()).await;
            Misses::note_of(context, &outcome);
            let (items, user_errors) = told(outcome, &[])?;
            let items = items.into_iter().flatten().collect();
            Ok(Some(RestoreInventoryItemsPayload { items, user_errors }))
        })
        .await
    }
}
