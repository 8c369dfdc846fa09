//! Maintenance: what is too old to be of use goes.

use futures_util::TryStreamExt;

use super::Inner;
use super::worker::{Attempt, Stopped};
use crate::domain::accounts::forget_expired;
use crate::domain::jobs::{finish_job, forget_jobs};
use crate::domain::uploads::{FOLDER, expire_uploads, forget_uploads, stored_name, strays};
use crate::error::Result;

/// How old a file must be that no upload has, to be one that was left behind.
const LEFT_BEHIND: chrono::TimeDelta = chrono::TimeDelta::hours(1);

impl Inner {
    /// Takes away what is too old: sessions, codes, answers, results, letters, files, and files that were left behind. What one
    /// of these can't do, the next run tries again.
    pub(super) async fn tidy(&self, attempt: &mut Attempt<'_>) -> Result<(), Stopped> {
        attempt.at(0).await?;
        let gone = self.forget().await?;
        let result = serde_json::json!({ "rows": gone });
        let processed = i64::try_from(gone).unwrap_or(i64::MAX);
        if finish_job(self.bulk.write(), attempt.claim, processed, &result, self.outside.now()).await? {
            Ok(())
        } else {
            Err(attempt.why_not_held().await)
        }
    }

    /// The work itself; says how many rows and files went.
    ///
    /// # Errors
    /// The first that something met.
    pub(super) async fn forget(&self) -> Result<u64> {
        let Self { bulk, storage, outside, .. } = self;
        let (connection, now) = (bulk.write(), outside.now());
        let mut gone = forget_expired(connection, now).await?;
        // Jobs before the files that they are about, and rows before what is in a store that may be away.
        gone += forget_jobs(connection, now).await?;
        gone += forget_uploads(connection, now).await?;
        loop {
            let expired = expire_uploads(connection, now).await?;
            if expired.is_empty() {
                break;
            }
            for id in expired {
                storage.delete(&stored_name(id)).await?;
                gone += 1;
            }
        }
        let mut old = storage.older_than(FOLDER, now - LEFT_BEHIND);
        while let Some(names) = old.try_next().await? {
            for name in strays(connection, &names).await? {
                storage.delete(&format!("{FOLDER}/{name}")).await?;
                gone += 1;
            }
        }
        Ok(gone)
    }
}
