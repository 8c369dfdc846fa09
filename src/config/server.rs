//! Where the server listens, and what it signs with.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use super::{Environment, Mode};

/// Bytes that a secret must have at least.
const SECRET_LENGTH: usize = 32;

#[derive(Clone)]
pub struct ServerSettings {
    pub listen: SocketAddr,
    /// Where metrics are served; `None`: on the main address.
    pub admin_listen: Option<SocketAddr>,
    pub public_url: String,
    /// The base of the frontend's addresses, for mail.
    pub web_url: String,
    /// Origins whose pages may ask.
    pub cors_origins: Vec<String>,
    /// Networks of proxies whose word for a caller's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The first signs, each verifies. Empty: made and kept in the data folder.
    pub secrets: Vec<String>,
    pub request_timeout: Duration,
    pub shutdown_timeout: Duration,
    pub max_body_bytes: usize,
    pub max_upload_bytes: u64,
    /// The least rate at which a request with files may come.
    pub upload_bytes_per_second: u64,
    /// Whether statuses are those of the newest draft of GraphQL over HTTP.
    pub draft_statuses: bool,
    /// Who may ask for the schema; `None`: by the mode.
    pub introspection: Option<Introspection>,
}

/// Who may ask for the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Introspection {
    Everyone,
    Administrators,
}

impl FromStr for Introspection {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "everyone" => Ok(Self::Everyone),
            "administrators" => Ok(Self::Administrators),
            _ => Err("must be everyone or administrators"),
        }
    }
}

impl std::fmt::Debug for ServerSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ServerSettings").field("listen", &self.listen).finish_non_exhaustive()
    }
}

impl ServerSettings {
    pub(super) fn read(environment: &mut Environment, mode: Mode) -> Self {
        let listen: SocketAddr =
            environment.get("DUALCASTER_LISTEN", "127.0.0.1:8080", "The address that the server listens on.");
        let admin_listen = environment.optional(
            "DUALCASTER_ADMIN_LISTEN",
            "none: the main address",
            "Where `/metrics` is served. Required in production.",
        );
        let public_url = environment.optional_base(
            "DUALCASTER_PUBLIC_URL",
            "`http://` and the listen address",
            "The base of the addresses that the server hands out.",
        );
        let web_url = environment.optional_base_of_pages(
            "DUALCASTER_WEB_URL",
            "the public address",
            "The base of the frontend's addresses, for the links in mail: `/verify-email?token=…` and `/reset-password?token=…` are put after it.",
        );
        let cors_origins: Option<String> = environment.optional(
            "DUALCASTER_CORS_ORIGINS",
            "none",
            "The origins whose pages may ask, with commas between: `https://cards.example`.",
        );
        let proxies: Option<String> = environment.optional(
            "DUALCASTER_TRUSTED_PROXIES",
            "none",
            "The networks of proxies whose `X-Forwarded-For` is believed, with commas between: `10.0.0.0/8`.",
        );
        let secret = environment.optional_secret(
            "DUALCASTER_SECRET",
            "made and kept in the data folder",
            "Signs cursors. At least 32 characters; two values with a comma between while it is changed, the new one first. Required in production.",
        );
        let request_timeout =
            environment.get("DUALCASTER_REQUEST_TIMEOUT_SECONDS", "10", "The time a request has.");
        let shutdown_timeout = environment.get(
            "DUALCASTER_SHUTDOWN_TIMEOUT_SECONDS",
            "25",
            "The time that requests under way have to finish when the server is told to stop.",
        );
        let max_body_bytes = environment.positive(
            "DUALCASTER_MAX_BODY_BYTES",
            "1048576",
            "The size of a request's body at most.",
        );
        let max_upload_bytes = environment.get(
            "DUALCASTER_MAX_UPLOAD_BYTES",
            "52428800",
            "The size of an uploaded file at most, whatever it is sent for: there is one limit for all kinds of jobs.",
        );
        let upload_bytes_per_second = environment.get(
            "DUALCASTER_UPLOAD_BYTES_PER_SECOND",
            "65536",
            "The least rate at which a request with files may come, beside the time that any request has; no piece of it may be longer on its way than that time.",
        );
        let draft_statuses = environment.get(
            "DUALCASTER_DRAFT_STATUSES",
            "false",
            "`true` or `false`: whether `application/graphql-response+json` has the statuses of the newest draft of GraphQL over HTTP: 422 for what is read but not valid, 294 for data with errors.",
        );
        let introspection = environment.optional(
            "DUALCASTER_INTROSPECTION",
            "everyone; administrators in production",
            "`everyone` or `administrators`: who may ask for the schema, by a query or at `/schema.graphql`.",
        );

        let secrets: Vec<String> = secret
            .iter()
            .flat_map(|secret| secret.split(','))
            .map(|secret| secret.trim().to_owned())
            .collect();
        if secrets.iter().any(|secret| secret.len() < SECRET_LENGTH) {
            environment.mistake(format!(
                "DUALCASTER_SECRET: each value must have at least {SECRET_LENGTH} characters"
            ));
        }
        let listed = |text: &Option<String>| -> Vec<String> {
            let items = text.iter().flat_map(|text| text.split(',')).map(|item| item.trim().to_owned());
            items.filter(|item| !item.is_empty()).collect()
        };
        let cors_origins: Vec<String> = listed(&cors_origins)
            .iter()
            .map(|origin| origin.trim_end_matches('/').to_ascii_lowercase())
            .collect();
        for origin in &cors_origins {
            let is_origin = origin.split_once("://").is_some_and(|(scheme, host)| {
                matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains('/')
            });
            if !is_origin {
                environment.mistake(format!("DUALCASTER_CORS_ORIGINS: {origin:?} is no origin"));
            }
        }
        let mut trusted_proxies = Vec::new();
        for net in listed(&proxies) {
            // An address alone is a network of one.
            match net.parse::<IpNet>().or_else(|_| net.parse::<std::net::IpAddr>().map(IpNet::from)) {
                Ok(net) => trusted_proxies.push(net),
                Err(_) => environment.mistake(format!("DUALCASTER_TRUSTED_PROXIES: {net:?} is no network")),
            }
        }
        if mode == Mode::Production {
            if secrets.is_empty() {
                environment.mistake("DUALCASTER_SECRET: must be set in production".to_owned());
            }
            if admin_listen.is_none() {
                environment.mistake("DUALCASTER_ADMIN_LISTEN: must be set in production".to_owned());
            }
        }
        let public_url = public_url.unwrap_or_else(|| format!("http://{listen}"));
        let web_url = web_url.unwrap_or_else(|| public_url.clone());
        environment.comes_to("DUALCASTER_PUBLIC_URL", &public_url);
        environment.comes_to("DUALCASTER_WEB_URL", &web_url);
        Self {
            listen,
            admin_listen,
            web_url,
            public_url,
            cors_origins,
            trusted_proxies,
            secrets,
            request_timeout: Duration::from_secs(request_timeout),
            shutdown_timeout: Duration::from_secs(shutdown_timeout),
            max_body_bytes,
            max_upload_bytes,
            upload_bytes_per_second,
            draft_statuses,
            introspection,
        }
    }
}
