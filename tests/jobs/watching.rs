//! What who watches a job is told, and how often.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use dualcaster::domain::jobs::{Claim, Standing, note_progress};
use serde_json::json;
use uuid::Uuid;

use super::queue::{state, watching};
use super::{claimed, finished, queued, shocks, standing};
use crate::harness::{TestApp, on_both_stores};
use crate::security::sign_up;

/// Longer than it takes until a job is looked at again.
const LOOKED_AGAIN: Duration = Duration::from_millis(700);

async fn noted(app: &TestApp, claim: &Claim, processed: i64) {
    note_progress(app.bulk.write(), claim, processed, app.clock.now()).await.expect("an answer");
}

on_both_stores! { Tables:
    async fn that_a_worker_is_still_at_it_is_nothing_to_tell(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let id = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        let claim = claimed(&app, Uuid::new_v4()).await.expect("a job");
        let mut socket = watching(&app, &ada, &id).await;
        assert_eq!(state(&mut socket).await.expect("a state")["status"], json!("RUNNING"));
        app.clock.advance(TimeDelta::seconds(5));
        assert_eq!(standing(&app, &claim).await, Standing::Held);
        noted(&app, &claim, 0).await;
        let heard = tokio::time::timeout(LOOKED_AGAIN, socket.hear()).await;
        assert!(heard.is_err(), "{heard:?}");
        noted(&app, &claim, 1).await;
        assert_eq!(state(&mut socket).await.expect("a state")["progress"]["processed"], json!(1));
    }

    async fn changes_are_told_four_times_a_second_at_most_and_the_last_one_always(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let id = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        let claim = claimed(&app, Uuid::new_v4()).await.expect("a job");
        let mut socket = watching(&app, &ada, &id).await;
        assert_eq!(state(&mut socket).await.expect("a state")["status"], json!("RUNNING"));
        let (started, mut changes) = (Instant::now(), 0);
        while started.elapsed() < Duration::from_millis(1_500) {
            changes += 1;
            noted(&app, &claim, changes).await;
        }
        assert!(finished(&app, &claim).await);
        let mut states = Vec::new();
        while let Some(next) = state(&mut socket).await {
            states.push(next);
        }
        let most = started.elapsed().as_millis() / 250 + 1;
        assert!(changes > 10 && (2..=most).contains(&(states.len() as u128)), "{changes} changes: {states:#?}");
        let last = states.last().expect("a state");
        assert_eq!((&last["status"], &last["rowsImported"]), (&json!("COMPLETED"), &json!(1)));
    }
}
