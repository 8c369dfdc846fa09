//! Logs, traces and metrics: set up once, flushed at the end.

mod metrics;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Level;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use self::metrics::{MetricsHandle, install_metrics};
use crate::config::TelemetrySettings;

/// What has to be flushed before the process ends.
#[must_use]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

/// Sets up logs on standard error and, where a collector is named, traces.
///
/// # Errors
/// A log filter that can't be read, a collector's address that is none.
pub fn install(settings: &TelemetrySettings) -> Result<Telemetry, String> {
    // Targets and levels, which are looked at once for each place in the code, and not the fields of spans, which would
    // be looked at whenever one is entered.
    let filter: Targets = settings.log_filter.parse().map_err(|error| format!("RUST_LOG: {error}"))?;
    let logs = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let logs = if settings.json_logs {
        logs.json().flatten_event(true).boxed()
    } else {
        logs.with_target(false).boxed()
    };
    let traces = match &settings.traces_endpoint {
        None => None,
        Some(_) => {
            // The exporter reads its endpoint and headers from the OTEL_* variables.
            let exporter = opentelemetry_otlp::SpanExporter::builder()
                .with_http()
                .build()
                .map_err(|error| format!("OTEL_EXPORTER_OTLP_ENDPOINT: {error}"))?;
            let resource = Resource::builder().with_service_name(settings.service_name.clone()).build();
            Some(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
        }
    };
    // Batches and statements are spans of the debug level, which cost nothing unless someone collects them.
    let spans = traces.as_ref().map(|traces| {
        let layer = tracing_opentelemetry::layer().with_tracer(traces.tracer("dualcaster"));
        layer.with_filter(Targets::new().with_target("dualcaster", Level::DEBUG))
    });
    // A second set-up in one process, as tests make, keeps the first.
    let _ = tracing_subscriber::registry().with(spans).with(logs.with_filter(filter)).try_init();
    Ok(Telemetry { traces })
}

impl Telemetry {
    /// Sends what is left to the collector.
    pub fn flush(self) {
        if let Some(Err(error)) = self.traces.map(|traces| traces.shutdown()) {
            tracing::warn!(%error, "the last traces were not delivered");
        }
    }
}
