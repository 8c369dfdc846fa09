//! What the clock queues. Every server looks; each moment of a schedule is queued once, by the first that comes to it.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use croner::Cron;
use entity::enums::JobKind;

use super::{Inner, Jobs};
use crate::config::JobSettings;
use crate::domain::jobs::{NewJob, QUICK, Run, queue_run};

/// How often the clock is looked at. It may be set meanwhile, so no longer wait is computed.
const LOOKED_EVERY: Duration = Duration::from_secs(5);

/// Jobs that come by the clock.
pub(super) struct Schedule {
    /// By which it is known to all servers.
    name: &'static str,
    kind: JobKind,
    /// In UTC, which has no summer time.
    cron: Cron,
}

/// The moments that this server knows to be queued.
pub type Queued = HashMap<&'static str, DateTime<Utc>>;

impl Schedule {
    /// All there are.
    pub fn all(settings: &JobSettings) -> Vec<Self> {
        vec![Self { name: "maintenance", kind: JobKind::Maintenance, cron: settings.maintenance.0.clone() }]
    }

    /// Its last moment that is not in the future: what was missed before that while no server ran is not made up for.
    fn latest(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // The pattern leaves what is below a second as it is.
        let now = DateTime::from_timestamp(now.timestamp(), 0)?;
        self.cron.find_previous_occurrence(&now, true).ok()
    }
}

impl Jobs {
    /// Queues what the clock says, for as long as the server runs. A server that does no jobs queues none.
    pub async fn keep_schedules(&self) {
        if self.inner.settings.workers == 0 {
            return;
        }
        let mut queued = Queued::new();
        loop {
            self.queue_due(&mut queued).await;
            tokio::time::sleep(LOOKED_EVERY).await;
        }
    }

    /// Queues a run of each schedule for its last moment, where no server has.
    pub async fn queue_due(&self, queued: &mut Queued) {
        for schedule in &self.inner.schedules {
            let Some(moment) = schedule.latest(self.inner.outside.now()) else { continue };
            if queued.get(schedule.name) != Some(&moment) && self.inner.queue_run(schedule, moment).await {
                queued.insert(schedule.name, moment);
            }
        }
    }
}

impl Inner {
    /// Answers whether the moment is dealt with.
    async fn queue_run(&self, schedule: &Schedule, moment: DateTime<Utc>) -> bool {
        let new = NewJob {
            id: self.outside.uuid(),
            kind: schedule.kind,
            user: None,
            upload: None,
            // People wait for theirs.
            priority: QUICK + 1,
            payload: serde_json::json!({}),
            total: None,
            trace_id: None,
        };
        let name = schedule.name;
        match queue_run(self.bulk.write(), name, moment, &new, self.outside.now()).await {
            Ok(Run::Queued) => {
                self.bell.send_replace(());
                tracing::info!(schedule = name, %moment, "a scheduled job is queued");
            }
            Ok(Run::Skipped) => {
                metrics::counter!("dualcaster_scheduled_runs_skipped_total", "schedule" => name).increment(1);
                tracing::warn!(schedule = name, %moment, "a scheduled job is skipped: the one before has not ended");
            }
            Ok(Run::Known) => {}
            Err(error) => {
                tracing::warn!(schedule = name, error = error.log_text(), "a scheduled job can't be queued");
                return false;
            }
        }
        true
    }
}
