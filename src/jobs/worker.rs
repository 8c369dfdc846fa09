//! The workers: each claims a job, attempts it, and says what came of it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{SemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

use super::{Inner, Jobs, import};
use crate::domain::jobs::{
    Claim, Standing, Which, Work, claim_job, fail_job, give_back, has_suspect, longest_run, note_progress,
    stand, work_of,
};
use crate::error::{Code, Error, Result, timeout_refusal};

/// How soon a job is found that nobody rang for: one of another server, or one whose time to try again has come.
const LOOKED_EVERY: Duration = Duration::from_millis(500);
/// How often a worker says that it is still at it, and looks whether it may go on and whether its time is up.
const STOOD_EVERY: Duration = Duration::from_secs(1);
/// How long an attempt may go on when the server stops, to come to its end: less than the server waits for its workers.
const LAST: Duration = Duration::from_secs(3);
/// How far apart two notes of progress are at least.
const NOTED_EVERY: Duration = Duration::from_millis(250);

/// Why an attempt did not end with the job's end.
#[derive(Debug)]
pub(super) enum Stopped {
    /// Its owner does not want it any more.
    Cancelled,
    /// It is another worker's by now.
    Lost,
    /// The server stops.
    Draining,
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// An attempt under way: what it may still do, and who watches.
pub(super) struct Attempt<'a> {
    pub jobs: &'a Inner,
    pub claim: &'a Claim,
    draining: watch::Receiver<bool>,
    noted: Instant,
}

impl Attempt<'_> {
    /// Says how far the attempt is, and whether it may go on. To be called often.
    pub async fn at(&mut self, processed: u64) -> Result<(), Stopped> {
        if *self.draining.borrow() {
            return Err(Stopped::Draining);
        }
        let now = Instant::now();
        if now - self.noted >= NOTED_EVERY {
            self.noted = now;
            let processed = i64::try_from(processed).unwrap_or(i64::MAX);
            note_progress(self.jobs.bulk.write(), self.claim, processed, self.jobs.outside.now()).await?;
        }
        Ok(())
    }

    /// Why the claim did not hold any more when the job was to end.
    pub async fn why_not_held(&self) -> Stopped {
        match stand(self.jobs.bulk.write(), self.claim, self.jobs.outside.now()).await {
            Ok(Standing::Cancelled) => Stopped::Cancelled,
            Ok(Standing::Held | Standing::Lost) => Stopped::Lost,
            Err(error) => Stopped::Failed(error),
        }
    }
}

impl Jobs {
    /// Works until `draining` says that the server stops; what is under way then is handed back.
    pub async fn work(&self, draining: watch::Receiver<bool>) {
        let mut workers = JoinSet::new();
        for number in 0..self.inner.settings.workers {
            // Of several one is kept for what is done in a moment: a small file does not wait for large ones to end.
            let which = if number == 1 { Which::Quick } else { Which::Any };
            let (jobs, draining) = (self.clone(), draining.clone());
            workers.spawn(async move {
                while AssertUnwindSafe(jobs.work_alone(which, draining.clone())).catch_unwind().await.is_err()
                {
                    tracing::error!("a worker panicked and begins anew");
                    // Not at once: it may be for what every claim meets.
                    tokio::time::sleep(LOOKED_EVERY).await;
                }
            });
        }
        workers.join_all().await;
    }

    async fn work_alone(&self, which: Which, mut draining: watch::Receiver<bool>) {
        let Inner { outside, bell, .. } = &*self.inner;
        let worker = outside.uuid();
        let mut bell = bell.subscribe();
        while !*draining.borrow() {
            bell.mark_unchanged();
            let claimed = self.inner.claim(worker, which, &mut draining).await;
            match claimed {
                Ok(Some((claim, _place))) => {
                    let span = span_of(&claim, worker);
                    self.inner.attempt(claim, draining.clone()).instrument(span).await;
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(error = error.log_text(), "no job can be claimed"),
            }
            tokio::select! {
                _ = bell.changed() => {}
                () = tokio::time::sleep(LOOKED_EVERY) => {}
                _ = draining.changed() => {}
            }
        }
    }
}

fn span_of(Claim { job, .. }: &Claim, worker: Uuid) -> tracing::Span {
    let request_id = job.trace_id.as_deref();
    tracing::info_span!("job", job = %job.id, kind = ?job.kind, attempt = job.attempts, %worker, request_id)
}

impl Inner {
    /// Takes a place, and then what is to be done in it: who waited with a claim would be counted as having tried. What may end
    /// the process takes all places of it, behind who is at work and before who comes.
    async fn claim(
        &self,
        worker: Uuid,
        which: Which,
        draining: &mut watch::Receiver<bool>,
    ) -> Result<Option<(Claim, SemaphorePermit<'_>)>> {
        let Self { bulk, outside, places, .. } = self;
        let (which, wanted) = match which {
            Which::Any if has_suspect(bulk.write(), outside.now()).await? => {
                (Which::Suspect, u32::try_from(self.settings.workers).unwrap_or(u32::MAX))
            }
            which => (which, 1),
        };
        let place = tokio::select! {
            biased;
            Ok(_) = draining.wait_for(|draining| *draining) => return Ok(None),
            place = places.acquire_many(wanted) => place,
        };
        let place = place.map_err(|_| Error::internal("there are no places for workers any more"))?;
        Ok(claim_job(bulk.write(), worker, which, outside).await?.map(|claim| (claim, place)))
    }

    async fn attempt(self: &Arc<Self>, claim: Claim, draining: watch::Receiver<bool>) {
        tracing::info!("a job begins");
        let started = Instant::now();
        let now = Instant::now();
        // The first note comes at once: whoever watches sees that it has begun.
        let noted = now.checked_sub(NOTED_EVERY).unwrap_or(now);
        let mut stopping = draining.clone();
        let stopped = async {
            if stopping.wait_for(|draining| *draining).await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(LAST).await;
        };
        let mut attempt = Attempt { jobs: self, claim: &claim, draining, noted };
        let running = async {
            match work_of(claim.job.kind) {
                Some(Work::CollectionImport) => import::run(&mut attempt).await,
                Some(Work::Maintenance) => self.tidy(&mut attempt).await,
                // None such is claimed. Handed back, it would be claimed again at once.
                None => Err(Error::internal("a job of a kind that this version does not do").into()),
            }
        };
        let ended = async {
            tokio::select! {
                // What has ended has ended, whatever else is to be said.
                biased;
                outcome = running => outcome,
                stopped = self.hold(&claim) => Err(stopped),
                // What it changed in a transaction is undone.
                () = stopped => Err(Stopped::Draining),
                () = self.time_is_up(&claim) => Err(timeout_refusal().into()),
            }
        };
        let panicked = |_| Err(Stopped::Failed(Error::internal("a job's attempt panicked")));
        let outcome = AssertUnwindSafe(ended).catch_unwind().await.unwrap_or_else(panicked);
        let word = match &outcome {
            Ok(()) => "completed",
            Err(Stopped::Cancelled) => "cancelled",
            Err(Stopped::Lost) => "lost",
            Err(Stopped::Draining) => "handed back",
            Err(Stopped::Failed(_)) => "failed",
        };
        metrics::histogram!("dualcaster_job_duration_seconds", "outcome" => word).record(started.elapsed());
        tracing::info!(outcome = word, "a job's attempt has ended");
        if let Err(error) = self.settle(&claim, outcome).await {
            // Its lease runs out, and it is claimed again.
            tracing::error!(error = error.log_text(), "a job's end could not be written");
        }
    }

    /// Renews a claim, beside the work that it is for. Ends when the claim holds no more, or nobody wants the job any more.
    async fn hold(&self, claim: &Claim) -> Stopped {
        loop {
            tokio::time::sleep(STOOD_EVERY).await;
            match stand(self.bulk.write(), claim, self.outside.now()).await {
                Ok(Standing::Held) => {}
                Ok(Standing::Cancelled) => return Stopped::Cancelled,
                Ok(Standing::Lost) => return Stopped::Lost,
                // The work meets the same trouble, and says more of it.
                Err(error) => tracing::debug!(error = error.log_text(), "a claim could not be renewed"),
            }
        }
    }

    /// Ends when an attempt has had its time, by the clock that leases go by.
    async fn time_is_up(&self, Claim { job, .. }: &Claim) {
        let longest = longest_run(job.kind, self.settings.longest);
        // As it was returned, it was changed last when it was claimed.
        let claimed_at = job.updated_at;
        loop {
            tokio::time::sleep(STOOD_EVERY).await;
            if (self.outside.now() - claimed_at).to_std().is_ok_and(|took| took >= longest) {
                return;
            }
        }
    }

    async fn settle(&self, claim: &Claim, outcome: Result<(), Stopped>) -> Result<()> {
        let connection = self.bulk.write();
        match outcome {
            Ok(()) | Err(Stopped::Lost) => Ok(()),
            Err(Stopped::Cancelled | Stopped::Draining) => {
                give_back(connection, claim, self.outside.now()).await
            }
            Err(Stopped::Failed(error)) => {
                tracing::warn!(error = error.log_text(), "a job's attempt failed");
                let refusal = error.refusal();
                let may_retry = matches!(error, Error::Failed(_))
                    || refusal.retry_after.is_some()
                    || refusal.code == Code::Timeout;
                fail_job(connection, claim, &error, may_retry, &self.outside).await
            }
        }
    }
}
