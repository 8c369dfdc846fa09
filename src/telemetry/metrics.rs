//! Prometheus metrics: what each is called and means.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::db::Connection;

/// Renders the metrics.
#[derive(Clone)]
pub struct MetricsHandle(PrometheusHandle);

/// Bounds of durations, in seconds: from a point look-up to the request's deadline.
const SECONDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Bounds of batch sizes, in keys.
const KEYS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 500.0, 2_000.0];

/// Makes the process's recorder; metrics recorded before are lost.
///
/// # Errors
/// When the process has a recorder already.
pub fn install_metrics() -> Result<MetricsHandle, String> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Full("dualcaster_batch_keys".to_owned()), &KEYS)
        })
        .and_then(|builder| builder.install_recorder())
        .map_err(|error| error.to_string())?;
    describe_histogram!(
        "dualcaster_http_request_duration_seconds",
        Unit::Seconds,
        "HTTP requests, by route and status"
    );
    describe_histogram!(
        "dualcaster_operation_duration_seconds",
        Unit::Seconds,
        "GraphQL operations, by type and outcome"
    );
    describe_histogram!("dualcaster_batch_keys", Unit::Count, "Keys that a loader's batch held, by loader");
    describe_histogram!(
        "dualcaster_statement_duration_seconds",
        Unit::Seconds,
        "SQL statements, by database"
    );
    describe_counter!(
        "dualcaster_statement_errors_total",
        Unit::Count,
        "SQL statements that failed, by database"
    );
    describe_counter!(
        "dualcaster_rate_limited_total",
        Unit::Count,
        "Operations and documents that were refused because their caller has had their share for now, by kind"
    );
    describe_counter!(
        "dualcaster_password_hashes_total",
        Unit::Count,
        "Password hashes that were computed, to keep one or to compare with one"
    );
    describe_counter!(
        "dualcaster_refresh_reuse_total",
        Unit::Count,
        "Sessions that ended because a refresh token came twice"
    );
    describe_gauge!(
        "dualcaster_listeners",
        Unit::Count,
        "Subscriptions that are under way, by what they listen to"
    );
    describe_counter!(
        "dualcaster_listeners_behind_total",
        Unit::Count,
        "Subscriptions that ended because their reader was too slow"
    );
    describe_histogram!("dualcaster_job_duration_seconds", Unit::Seconds, "Attempts of jobs, by outcome");
    describe_counter!("dualcaster_dead_jobs_total", Unit::Count, "Jobs that failed for good");
    describe_counter!(
        "dualcaster_scheduled_runs_skipped_total",
        Unit::Count,
        "Runs that the clock did not queue because the one before had not ended, by schedule"
    );
    describe_counter!("dualcaster_panics_total", Unit::Count, "Requests that panicked");
    describe_counter!(
        "dualcaster_connections_refused_total",
        Unit::Count,
        "Connections beyond the limit, which were turned away"
    );
    describe_gauge!("dualcaster_pool_connections", Unit::Count, "Connections that are open, by database");
    describe_gauge!(
        "dualcaster_pool_idle_connections",
        Unit::Count,
        "Connections that are idle, by database"
    );
    Ok(MetricsHandle(handle))
}

impl MetricsHandle {
    /// The metrics in Prometheus' text format.
    pub fn render<'a>(&self, databases: impl Iterator<Item = &'a Connection>) -> String {
        for connection in databases {
            let (open, idle) = connection.pool_size();
            metrics::gauge!("dualcaster_pool_connections", "database" => connection.name())
                .set(f64::from(open));
            metrics::gauge!("dualcaster_pool_idle_connections", "database" => connection.name())
                .set(idle as f64);
        }
        self.0.run_upkeep();
        self.0.render()
    }
}
