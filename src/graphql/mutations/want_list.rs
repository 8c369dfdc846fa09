//! Changes of what the caller looks for.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};

use super::super::global_id::GlobalId;
use super::super::misses::Misses;
use super::super::nullable::nullable;
use super::super::planned::Planned;
use super::super::scalars::DateTime;
use super::super::types::{Finish, MoneyInput, UserError, WantListItem, WantPriority, told};
use super::change;
use crate::domain::collection::{NewWant, WantChange, add_want, remove_wants, update_want};
use crate::identity::Identity;
use crate::principal::Principal;

/// A want to be.
#[derive(InputObject)]
pub struct AddWantListItemInput {
    /// The `id` of a card.
    card_id: ID,
    /// How many copies: 1 to 100,000.
    #[graphql(default = 1)]
    quantity: i32,
    /// How much.
    #[graphql(default_with = "WantPriority::Medium")]
    priority: WantPriority,
    /// The price at which the caller would buy, at most 9,999,999.99: `wantListHits` tells when it is met.
    target_price: Option<MoneyInput>,
    /// In which finish; without one, the first that the card has of NONFOIL, FOIL, ETCHED.
    finish: Option<Finish>,
    /// Notes, at most 2,000 characters.
    notes: Option<String>,
}

/// The want that was added.
#[derive(SimpleObject)]
pub struct AddWantListItemPayload {
    /// As it now is.
    item: Option<Planned<WantListItem>>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// Only the fields given change; null empties one that may be empty. With expectedUpdatedAt, a change by someone else since
/// is ERR-3004.
#[derive(InputObject)]
pub struct UpdateWantListItemInput {
    /// The item's `id`.
    id: ID,
    /// The item's `updatedAt` as it was seen.
    expected_updated_at: Option<DateTime>,
    /// How many copies: 1 to 100,000.
    quantity: MaybeUndefined<i32>,
    /// How much.
    priority: MaybeUndefined<WantPriority>,
    /// The price at which the caller would buy.
    target_price: MaybeUndefined<MoneyInput>,
    /// In which finish; null for the first that the card has.
    finish: MaybeUndefined<Finish>,
    /// Notes, at most 2,000 characters.
    notes: MaybeUndefined<String>,
}

/// The want that was changed.
#[derive(SimpleObject)]
pub struct UpdateWantListItemPayload {
    /// As it now is.
    item: Option<Planned<WantListItem>>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// What is taken off the list.
#[derive(InputObject)]
pub struct RemoveWantListItemsInput {
    /// The `id`s of 1 to 1,000 items, of which all are removed or none.
    #[graphql(tag = "most=1000")]
    ids: Vec<ID>,
}

/// What was taken off the list.
#[derive(SimpleObject)]
pub struct RemoveWantListItemsPayload {
    /// The items' `id`s.
    removed_ids: Vec<ID>,
    /// What is wrong with the input.
    #[graphql(tag = "most=input")]
    user_errors: Vec<UserError>,
}

/// What the caller looks for.
#[derive(Default)]
pub struct WantList;

#[Object]
impl WantList {
    /// Puts a card on the caller's want list. One that is there already in this finish is ERR-3004.
    async fn add_want_list_item(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: AddWantListItemInput,
    ) -> Option<Result<AddWantListItemPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.writer()?;
            let identity = context.data::<Identity>()?;
            let want = NewWant {
                card: GlobalId::card_or_none(&input.card_id),
                quantity: input.quantity,
                priority: input.priority.into(),
                target: input.target_price.map(Into::into),
                finish: input.finish.map(Into::into),
                notes: input.notes,
            };
            let outcome = add_want(identity.connection(), user.id, want, identity.outside()).await;
            let (item, user_errors) = told(outcome, &[])?;
            Ok(Some(AddWantListItemPayload { item: item.map(|row| Planned(row.into())), user_errors }))
        })
        .await
    }

    /// Changes an item of the caller's want list.
    async fn update_want_list_item(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which item, and what changes.")] input: UpdateWantListItemInput,
    ) -> Option<Result<UpdateWantListItemPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.writer()?;
            let identity = context.data::<Identity>()?;
            let want = WantChange {
                id: GlobalId::want_list_item(&input.id),
                expected: input.expected_updated_at.map(|time| time.0),
                quantity: change(input.quantity),
                priority: change(input.priority),
                target: change(input.target_price),
                finish: change(input.finish),
                notes: change(input.notes),
            };
            let outcome = update_want(identity.connection(), user.id, want, identity.outside()).await;
            Misses::note_of(context, &outcome);
            let (item, user_errors) = told(outcome, &[])?;
            Ok(Some(UpdateWantListItemPayload { item: item.map(|row| Planned(row.into())), user_errors }))
        })
        .await
    }

    /// Takes items off the caller's want list, all or none.
    async fn remove_want_list_items(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which items.")] input: RemoveWantListItemsInput,
    ) -> Option<Result<RemoveWantListItemsPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.writer()?;
            let identity = context.data::<Identity>()?;
            let ids: Vec<_> = input.ids.iter().map(|id| GlobalId::want_list_item(id)).collect();
            let outcome = remove_wants(identity.connection(), user.id, &ids).await;
            Misses::note_of(context, &outcome);
            let (removed, user_errors) = told(outcome, &[])?;
            let removed = removed.into_iter().flatten();
            let removed_ids = removed.map(|id| GlobalId::WantListItem(id).encode()).collect();
            Ok(Some(RemoveWantListItemsPayload { removed_ids, user_errors }))
        })
        .await
    }
}
