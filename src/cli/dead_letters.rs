//! `dualcaster dead-letters`: jobs that failed for good.

use clap::Subcommand;
use uuid::Uuid;

use super::migrate::connect_migrated;
use super::output::say;
use super::{Failure, Outcome, print};
use crate::app::now;
use crate::config::Settings;
use crate::domain::jobs::{
    DeadLetterList, discard_dead_letters, list_dead_letters, load_dead_letters, retry_dead_letters,
};
use crate::error::Error;
use crate::pagination::Page;

/// Letters that `list` shows.
const LISTED: usize = 1_000;

#[derive(Debug, Subcommand)]
pub enum Letters {
    /// List them, the newest first: id, when, code, attempts, error.
    List,
    /// Show one with all that is known of it, as JSON.
    Show {
        /// Its id, as `list` shows it.
        id: Uuid,
    },
    /// Queue their jobs again.
    Retry {
        /// Their ids.
        #[arg(required = true)]
        ids: Vec<Uuid>,
    },
    /// Put them away: nothing else becomes of them.
    Discard {
        /// Their ids.
        #[arg(required = true)]
        ids: Vec<Uuid>,
    },
}

pub async fn act(settings: &Settings, letters: Letters) -> Outcome {
    let databases = connect_migrated(settings).await?;
    let connection = databases.write();
    let failed = |error: Error| {
        let refusal = error.refusal();
        Failure::new(refusal.message.into_owned()).hint("`dualcaster dead-letters list` shows the ids.")
    };
    let outcome = match letters {
        Letters::List => {
            let page = Page::first(LISTED);
            let list = DeadLetterList { kind: None };
            let slice = list_dead_letters(connection, &list, &page).await.map_err(failed)?;
            if slice.rows.is_empty() {
                say("There are none.");
            }
            let line = |letter: &entity::dead_letter::Model| {
                let error = letter.error.replace(char::is_control, " ");
                format!(
                    "{}  {}  {}  {} attempts  {error}\n",
                    letter.id,
                    letter.failed_at.format("%Y-%m-%d %H:%M:%S"),
                    letter.error_code,
                    letter.attempts
                )
            };
            print(&slice.rows.iter().map(line).collect::<String>())
        }
        Letters::Show { id } => match load_dead_letters(connection, &[id]).await.map_err(failed)?.pop() {
            None => Err(Failure::new(format!("there is no dead letter {id}"))
                .hint("`dualcaster dead-letters list` shows the ids.")),
            Some(letter) => {
                let shown = serde_json::json!({
                    "id": letter.id, "jobId": letter.job_id, "kind": format!("{:?}", letter.kind),
                    "payload": letter.payload, "errorCode": letter.error_code, "error": letter.error,
                    "attempts": letter.attempts, "traceId": letter.trace_id, "failedAt": letter.failed_at,
                    "retriedAt": letter.retried_at, "discardedAt": letter.discarded_at,
                });
                print(&format!("{shown:#}\n"))
            }
        },
        Letters::Retry { ids } => {
            let retried = retry_dead_letters(connection, &ids, now()).await.map_err(failed)?;
            print(&format!("{} queued again.\n", retried.len()))
        }
        Letters::Discard { ids } => {
            let gone = discard_dead_letters(connection, &ids, now()).await.map_err(failed)?;
            print(&format!("{} put away.\n", gone.len()))
        }
    };
    databases.close().await;
    outcome
}
