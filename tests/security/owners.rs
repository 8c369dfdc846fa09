//! Whose something is stands in the statements themselves: whoever calls them, and whatever a guard has let through.

use dualcaster::domain::accounts::{
    end_session, is_session_open, load_api_tokens, load_sessions, revoke_api_token,
};
use dualcaster::domain::collection::{
    Change, ItemChange, WantChange, load_items, load_wants, remove_items, remove_wants, restore_items,
    update_item, update_want,
};
use dualcaster::domain::jobs::{cancel_job, load_jobs};
use dualcaster::domain::uploads::{delete_upload, load_uploads};
use dualcaster::error::{Code, Result};
use dualcaster::outside::Outside;
use entity::enums::Role;
use entity::removed_inventory_item;
use sea_orm::EntityTrait;
use serde_json::json;

use super::authorisation::{load_a_card, one_of_each, somebody};
use super::leaks::dump;
use crate::collection::uuid_of;
use crate::harness::on_both_stores;

/// Why something was not done, if it was not.
fn refusal<T>(outcome: Result<T>) -> Option<Code> {
    outcome.err().map(|error| error.refusal().code)
}

on_both_stores! { Tables:
    async fn the_statements_find_what_is_somebodys_for_its_owner_alone(app: TestApp) {
        load_a_card(&app).await;
        let (ada, bob) = (somebody(&app, Role::User).await, somebody(&app, Role::User).await);
        let adas = one_of_each(&app, &ada).await;
        let id = |kind: &str| [uuid_of(&json!(adas[kind]))];
        let (connection, now) = (app.bulk.write(), app.clock.now());
        for (user, count) in [(&ada, 1_usize), (&bob, 0)] {
            let user = uuid_of(&json!(user.id));
            let found = [
                load_api_tokens(connection, user, &id("ApiToken")).await.expect("tokens").len(),
                load_items(connection, user, &id("InventoryItem")).await.expect("items").len(),
                load_jobs(connection, user, &id("CollectionImport")).await.expect("jobs").len(),
                load_sessions(connection, user, &id("Session")).await.expect("sessions").len(),
                load_uploads(connection, user, &id("UploadedFile")).await.expect("files").len(),
                load_wants(connection, user, &id("WantListItem")).await.expect("wants").len(),
            ];
            assert_eq!(found, [count; 6]);
            let is_open = is_session_open(connection, user, id("Session")[0], now).await.expect("an answer");
            assert_eq!(is_open, count == 1);
        }
    }

    async fn the_statements_change_what_is_somebodys_for_its_owner_alone(app: TestApp) {
        load_a_card(&app).await;
        let (ada, bob) = (somebody(&app, Role::User).await, somebody(&app, Role::User).await);
        let adas = one_of_each(&app, &ada).await;
        let id = |kind: &str| uuid_of(&json!(adas[kind]));
        let (connection, outside) = (app.bulk.write(), Outside::system());
        let removed = removed_inventory_item::Entity::find().one(connection).await.expect("a row");
        let removed = removed.expect("what was removed").id;
        let item = ItemChange {
            id: id("InventoryItem"),
            expected: None,
            quantity: Change::To(2),
            condition: Change::Keep,
            finish: Change::Keep,
            language: Change::Keep,
            price: Change::Keep,
            acquired_on: Change::Keep,
            notes: Change::Keep,
            tags: Change::Keep,
        };
        let want = WantChange {
            id: id("WantListItem"),
            expected: None,
            quantity: Change::To(2),
            priority: Change::Keep,
            target: Change::Keep,
            finish: Change::Keep,
            notes: Change::Keep,
        };
        let before = dump(&app).await;
        for (user, expected) in [(&bob, Some(Code::NotFound)), (&ada, None)] {
            let user = uuid_of(&json!(user.id));
            let now = outside.now();
            let told = [
                refusal(update_item(connection, user, item.clone(), &outside).await),
                refusal(remove_items(connection, user, &[item.id], &outside).await),
                refusal(restore_items(connection, user, &[removed], &outside).await),
                refusal(update_want(connection, user, want.clone(), &outside).await),
                refusal(remove_wants(connection, user, &[want.id]).await),
                refusal(cancel_job(connection, user, id("CollectionImport"), now).await),
                refusal(delete_upload(connection, user, id("UploadedFile"), now).await),
                refusal(revoke_api_token(connection, user, id("ApiToken")).await),
            ];
            assert_eq!(told, [expected; 8]);
            let has_ended = end_session(connection, user, id("Session"), now).await.expect("an answer");
            assert_eq!(has_ended, expected.is_none());
            assert_eq!(dump(&app).await == before, expected.is_some(), "what is refused changes nothing");
        }
    }
}
