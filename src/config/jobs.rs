//! Work in the background, and the files that it is about.

use std::path::Path;
use std::time::Duration;

use super::Environment;

#[derive(Debug, Clone)]
pub struct JobSettings {
    /// Under way at a time on this server.
    pub workers: usize,
    pub of_user: i64,
    pub of_kind: i64,
    /// The time that one attempt has.
    pub longest: Duration,
    pub storage_url: String,
}

impl JobSettings {
    pub(super) fn read(environment: &mut Environment, data_dir: &Path) -> Self {
        let workers = environment.get(
            "DUALCASTER_JOB_WORKERS",
            "2",
            "Jobs under way at a time on this server; 0: it does none, and others do.",
        );
        let of_user = environment.get(
            "DUALCASTER_JOBS_OF_USER",
            "5",
            "Jobs of one user that may wait or be under way at a time.",
        );
        let of_kind = environment.get(
            "DUALCASTER_JOBS_OF_KIND",
            "100",
            "Jobs of one kind that may wait or be under way at a time.",
        );
        let longest: u64 = environment.get(
            "DUALCASTER_JOB_LONGEST_MINUTES",
            "60",
            "The time that one attempt of a job has, in minutes.",
        );
        let storage_url = environment.optional(
            "STORAGE_URL",
            "`file:` in the data folder",
            "Where uploads are kept: `file:PATH`, or `s3://BUCKET/PREFIX` with the usual `AWS_…` variables. Several servers need a place that all of them reach.",
        );
        Self {
            workers,
            of_user,
            of_kind,
            longest: Duration::from_secs(longest.saturating_mul(60)),
            storage_url: storage_url.unwrap_or_else(|| format!("file:{}", data_dir.join("files").display())),
        }
    }
}
