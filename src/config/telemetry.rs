//! Logs and traces.

use tracing_subscriber::filter::Targets;

use super::{Environment, Mode};

#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// In the syntax of `tracing_subscriber`'s `EnvFilter`.
    pub log_filter: String,
    /// One JSON object a line, and not lines for people.
    pub json_logs: bool,
    /// Where traces go; `None`: nowhere.
    pub traces_endpoint: Option<String>,
    pub service_name: String,
}

impl TelemetrySettings {
    pub(super) fn read(environment: &mut Environment, mode: Mode) -> Self {
        let log_filter: String =
            environment.get("RUST_LOG", "info", "What is logged: a level, or levels by module.");
        if let Err(error) = log_filter.parse::<Targets>() {
            environment.mistake(format!("RUST_LOG: {log_filter:?} can't be read: {error}"));
        }
        Self {
            log_filter,
            json_logs: mode == Mode::Production,
            traces_endpoint: environment.optional_base(
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "none: tracing off",
                "An OpenTelemetry collector that takes OTLP over HTTP. The exporter reads the other `OTEL_*` variables by itself.",
            ),
            service_name: environment.get("OTEL_SERVICE_NAME", "dualcaster", "The name under which traces appear."),
        }
    }
}
