//! Work that is done in the background. The table is the truth: what is queued is queued in the transaction of what it is
//! about, an attempt is counted when it is claimed, and whoever works holds a lease that it has to renew.

mod dead;
mod forget;
mod kind;
mod queue;
mod run;
mod schedule;

pub use dead::{
    DeadLetterList, count_dead_letters, discard_dead_letters, list_dead_letters, load_dead_letters,
    retry_dead_letters,
};
pub use forget::{forget_job_rows, forget_jobs};
pub use kind::{Work, longest_run, work_of};
pub use queue::{JobList, NewJob, QueueLimits, cancel_job, count_jobs, list_jobs, load_jobs, queue_job};
pub use run::{
    Claim, LEASE, MOST_ATTEMPTS, QUICK, Standing, Which, claim_job, fail_job, finish_job, give_back,
    has_suspect, note_progress, replace_result, stand,
};
pub use schedule::{Run, queue_run};
