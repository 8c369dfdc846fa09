//! Maintenance: what is too old to be of use goes.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt;

use super::Inner;
use super::worker::{Attempt, Stopped};
use crate::domain::accounts::forget_expired;
use crate::domain::jobs::{finish_job, forget_job_rows, forget_jobs};
use crate::domain::uploads::{FOLDER, expire_uploads, forget_uploads, stored_name, strays};
use crate::error::Result;

/// How old a file must be that no upload has, to be one that was left behind.
const LEFT_BEHIND: TimeDelta = TimeDelta::hours(1);

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

    /// The work itself; says how many rows and files went. What one step can't do keeps no other from its own.
    ///
    /// # Errors
    /// The first that something met.
    pub(super) async fn forget(&self) -> Result<u64> {
        let Self { bulk, outside, .. } = self;
        let (connection, now) = (bulk.write(), outside.now());
        // Jobs before the files that they are about, and rows before what is in a store that may be away.
        let steps = [
            forget_expired(connection, now).await,
            forget_job_rows(connection, now).await,
            forget_jobs(connection, now).await,
            forget_uploads(connection, now).await,
            self.expire(now).await,
            self.sweep(now).await,
        ];
        let (mut gone, mut first) = (0, None);
        for step in steps {
            match step {
                Ok(rows) => gone += rows,
                Err(error) => {
                    tracing::warn!(error = error.log_text(), "something that is too old stays");
                    first.get_or_insert(error);
                }
            }
        }
        first.map_or(Ok(gone), Err)
    }

    /// Takes away the files of users that are too old.
    async fn expire(&self, now: DateTime<Utc>) -> Result<u64> {
        let mut gone = 0;
        loop {
            let expired = expire_uploads(self.bulk.write(), now).await?;
            if expired.is_empty() {
                return Ok(gone);
            }
            for id in expired {
                self.storage.delete(&stored_name(id)).await?;
                gone += 1;
            }
        }
    }

    /// Takes away the files that no upload has.
    async fn sweep(&self, now: DateTime<Utc>) -> Result<u64> {
        let mut gone = 0;
        let mut old = self.storage.older_than(FOLDER, now - LEFT_BEHIND);
        while let Some(names) = old.try_next().await? {
            for name in strays(self.bulk.write(), &names).await? {
                self.storage.delete(&format!("{FOLDER}/{name}")).await?;
                gone += 1;
            }
        }
        Ok(gone)
    }
}
