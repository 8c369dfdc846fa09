//! Every setting, read once from the environment. All mistakes are reported together.

mod accounts;
mod budget;
mod database;
mod environment;
mod guard;
mod jobs;
mod market;
mod server;
mod socket;
mod telemetry;

use std::path::PathBuf;

pub use accounts::AccountSettings;
pub use budget::{Budget, BudgetSettings};
pub use database::DatabaseSettings;
pub use environment::{Environment, Mistakes, Setting, Source};
pub use guard::{GuardSettings, Operations};
pub use jobs::JobSettings;
pub use market::MarketSettings;
pub use server::{Introspection, ServerSettings};
pub use socket::SocketSettings;
pub use telemetry::TelemetrySettings;

/// Where the server runs: decides what is open and what must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Development,
    Production,
}

impl std::str::FromStr for Mode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "development" => Ok(Self::Development),
            "production" => Ok(Self::Production),
            _ => Err("must be development or production"),
        }
    }
}

/// All settings, by section.
#[derive(Debug, Clone)]
pub struct Settings {
    pub mode: Mode,
    pub data_dir: PathBuf,
    pub server: ServerSettings,
    pub guard: GuardSettings,
    pub socket: SocketSettings,
    pub database: DatabaseSettings,
    pub redis_url: Option<String>,
    /// What every key in Redis begins with.
    pub redis_prefix: String,
    pub accounts: AccountSettings,
    pub budget: BudgetSettings,
    pub market: MarketSettings,
    pub jobs: JobSettings,
    pub telemetry: TelemetrySettings,
}

fn read_redis_url(environment: &mut Environment) -> Option<String> {
    let url = environment.optional_secret(
        "REDIS_URL",
        "none: in process",
        "`redis://…`: what several servers share. Readiness asks it where it is set.",
    );
    if url.as_deref().is_some_and(|url| redis::Client::open(url).is_err()) {
        // Its password stands in it.
        environment.mistake("REDIS_URL: must be like redis://user:password@host:6379".to_owned());
    }
    url
}

impl Settings {
    /// Reads all settings; the environment afterwards knows each with its default and where its value came from.
    ///
    /// # Errors
    /// Every mistake there is: values that can't be read, names that nobody knows.
    pub fn read(environment: &mut Environment) -> Result<Self, Mistakes> {
        let mode = environment.get(
            "DUALCASTER_ENV",
            "development",
            "`development`, or `production`: no demo data, JSON logs, secrets and the admin address required.",
        );
        let data_dir: PathBuf = environment.get(
            "DUALCASTER_DATA_DIR",
            "./dualcaster-data",
            "The folder of the embedded database and of what the server keeps for itself.",
        );
        let settings = Self {
            mode,
            server: ServerSettings::read(environment, mode),
            guard: GuardSettings::read(environment, mode),
            socket: SocketSettings::read(environment),
            database: DatabaseSettings::read(environment, &data_dir),
            redis_url: read_redis_url(environment),
            redis_prefix: environment.get(
                "DUALCASTER_REDIS_PREFIX",
                "dualcaster:",
                "What every key in Redis begins with: servers with the same one share what is there.",
            ),
            accounts: AccountSettings::read(environment, mode),
            budget: BudgetSettings::read(environment),
            market: MarketSettings::read(environment, mode),
            jobs: JobSettings::read(environment, &data_dir),
            telemetry: TelemetrySettings::read(environment, mode),
            data_dir,
        };
        settings.database.fits_into(settings.server.request_timeout, environment);
        environment.finish()?;
        Ok(settings)
    }

    /// Whether everyone may ask for the schema; else administrators may.
    pub fn shows_schema(&self) -> bool {
        match self.server.introspection {
            Some(introspection) => introspection == Introspection::Everyone,
            None => self.mode == Mode::Development,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, Mistakes> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::read(&mut Environment::new(variables))
    }

    #[test]
    fn nothing_needs_to_be_set() {
        let settings = read(&[]).expect("defaults");
        assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.server.public_url, "http://127.0.0.1:8080");
        assert_eq!(settings.database.url, "sqlite://./dualcaster-data/dualcaster.db");
        assert!(settings.market.demo);
        assert_eq!(read(&[("DUALCASTER_MAX_BATCH", "10")]).expect("settings").guard.batch, 10);
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let mistakes = read(&[
            ("DUALCASTER_LISTEN", "everywhere"),
            ("DUALCASTER_POOL_MAX", "many"),
            ("DATABASE_URL", "mysql://localhost/x"),
            ("DUALCASTER_LISTN", "127.0.0.1:1"),
            ("DUALCASTER_MAX_BATCH", "11"),
        ])
        .expect_err("mistakes")
        .to_string();
        for part in [
            "DUALCASTER_LISTEN",
            "DUALCASTER_POOL_MAX",
            "DATABASE_URL",
            "DUALCASTER_LISTN is not a setting",
            "Did you mean DUALCASTER_LISTEN?",
            "DUALCASTER_MAX_BATCH must be 10 or less",
        ] {
            assert!(mistakes.contains(part), "{part} is missing in: {mistakes}");
        }
    }

    #[test]
    fn an_access_token_holds_for_600_seconds_at_most() {
        let of = |seconds| read(&[("DUALCASTER_ACCESS_TOKEN_SECONDS", seconds)]);
        let longest = std::time::Duration::from_secs(600);
        assert_eq!(of("600").expect("settings").accounts.access_lifetime, longest);
        assert_eq!(read(&[]).expect("defaults").accounts.access_lifetime, longest);
        let mistakes = of("601").expect_err("a mistake").to_string();
        assert!(mistakes.contains("DUALCASTER_ACCESS_TOKEN_SECONDS"), "{mistakes}");
    }

    #[test]
    fn the_wait_for_a_connection_is_shorter_than_a_request() {
        let of = |acquire, request| {
            read(&[
                ("DUALCASTER_ACQUIRE_TIMEOUT_SECONDS", acquire),
                ("DUALCASTER_REQUEST_TIMEOUT_SECONDS", request),
            ])
        };
        assert!(of("9", "10").is_ok());
        for acquire in ["10", "11"] {
            let mistakes = of(acquire, "10").expect_err("a mistake").to_string();
            assert!(mistakes.contains("DUALCASTER_ACQUIRE_TIMEOUT_SECONDS"), "{mistakes}");
        }
    }

    #[test]
    fn a_mistaken_secret_is_not_repeated() {
        let mistakes = read(&[("DATABASE_URL", "mysql://root:hunter2@localhost/x")]).expect_err("a mistake");
        assert!(!mistakes.to_string().contains("hunter2"), "{mistakes}");
    }

    #[test]
    fn what_is_used_later_is_read_at_once() {
        let mistakes = read(&[
            ("DUALCASTER_PUBLIC_URL", "zzz"),
            ("DUALCASTER_WEB_URL", "ftp://x"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
            ("RUST_LOG", "==="),
            ("DUALCASTER_MAX_CONNECTIONS", "0"),
            ("DUALCASTER_MAX_COST", "0"),
            ("DUALCASTER_POOL_MAX", "0"),
            ("DUALCASTER_JWT_KEY", "hunter2"),
            ("STORAGE_URL", "http://x"),
            ("DUALCASTER_SMTP_URL", "hunter2"),
            ("DUALCASTER_MAIL_FROM", "bar"),
            ("REDIS_URL", "hunter2"),
            ("DUALCASTER_PORT", "8080"),
        ])
        .expect_err("mistakes")
        .to_string();
        for part in [
            "DUALCASTER_PUBLIC_URL: \"zzz\" must be an address",
            "DUALCASTER_WEB_URL: \"ftp://x\" must be an address",
            "OTEL_EXPORTER_OTLP_ENDPOINT: \"collector\" must be an address",
            "RUST_LOG: \"===\" can't be read",
            "DUALCASTER_MAX_CONNECTIONS: must be at least 1",
            "DUALCASTER_MAX_COST: must be at least 1",
            "DUALCASTER_POOL_MAX: must be at least 1",
            "DUALCASTER_JWT_KEY: must be an Ed25519 private key",
            "STORAGE_URL: must begin with file: or s3://",
            "DUALCASTER_SMTP_URL: must be like smtps://",
            "DUALCASTER_MAIL_FROM: \"bar\" must be like",
            "REDIS_URL: must be like redis://",
            "DUALCASTER_PORT is not a setting. Did you mean DUALCASTER_LISTEN?",
        ] {
            assert!(mistakes.contains(part), "{part} is missing in: {mistakes}");
        }
        assert_eq!(mistakes.lines().count(), 13, "{mistakes}");
        assert!(!mistakes.contains("hunter2"), "no secret is told: {mistakes}");
        let right = [
            ("DUALCASTER_PUBLIC_URL", "https://cards.example/market/"),
            ("DUALCASTER_WEB_URL", "http://[::1]:3000"),
            ("RUST_LOG", "warn,dualcaster=debug"),
            ("STORAGE_URL", "s3://shelf/files"),
            ("DUALCASTER_SMTP_URL", "smtps://ada:hunter2@mail.example"),
            ("DUALCASTER_MAIL_FROM", "no-reply@cards.example"),
            ("REDIS_URL", "redis://:hunter2@127.0.0.1:6379/1"),
        ];
        assert!(read(&right).is_ok());
    }

    #[test]
    fn the_base_of_addresses_is_what_a_path_can_stand_behind() {
        for (name, value) in [
            ("DUALCASTER_WEB_URL", "https://cards.example/#"),
            ("DUALCASTER_WEB_URL", "https://cards.example/#/"),
            ("DUALCASTER_WEB_URL", "HTTPS://cards.example"),
            ("DUALCASTER_PUBLIC_URL", "Http://cards.example/market"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://ada:hunter2@collector.example"),
        ] {
            assert!(read(&[(name, value)]).is_ok(), "{name}={value}");
        }
        for (name, value) in [
            ("DUALCASTER_WEB_URL", "https://cards.example/?page=#"),
            ("DUALCASTER_WEB_URL", "https:cards.example"),
            ("DUALCASTER_WEB_URL", "javascript://cards.example"),
            ("DUALCASTER_PUBLIC_URL", "https://cards.example/#"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example#"),
        ] {
            let mistakes = read(&[(name, value)]).expect_err(value).to_string();
            assert!(mistakes.contains(name), "{mistakes}");
        }
    }

    #[test]
    fn what_opens_an_address_is_neither_told_nor_shown() {
        for value in ["https://ada:hunter2@collector.example/?x", "https://collector.example/?token=hunter2"]
        {
            let mistakes = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", value)]).expect_err(value).to_string();
            assert_eq!(
                mistakes,
                "OTEL_EXPORTER_OTLP_ENDPOINT: must be an address such as https://cards.example"
            );
        }
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://ada:hunter2@collector.example/v1"),
            ("DUALCASTER_PUBLIC_URL", "https://hunter2@cards.example"),
            ("DUALCASTER_SCRYFALL_URL", "http://ada:hunter2,@hunter2@[::1]:80?a@b"),
            ("DUALCASTER_MAIL_FROM", "Cards <no-reply@cards.example>"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut environment = Environment::new(variables);
        let settings = Settings::read(&mut environment).expect("settings");
        assert_eq!(settings.server.web_url, "https://hunter2@cards.example", "it is used as it is");
        let shown = |name: &str| {
            let setting = environment.settings().iter().find(|setting| setting.name == name);
            setting.expect("a setting").value.as_str()
        };
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://(hidden)@collector.example/v1"),
            ("DUALCASTER_PUBLIC_URL", "https://(hidden)@cards.example"),
            ("DUALCASTER_WEB_URL", "https://(hidden)@cards.example"),
            ("DUALCASTER_SCRYFALL_URL", "http://(hidden)@[::1]:80?a@b"),
            ("DUALCASTER_MAIL_FROM", "Cards <no-reply@cards.example>"),
        ] {
            assert_eq!(shown(name), value);
        }
    }

    #[test]
    fn what_a_default_comes_to_is_shown() {
        let variables =
            [("DUALCASTER_LISTEN", "127.0.0.1:9000"), ("DUALCASTER_WEB_URL", "https://cards.example")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut environment = Environment::new(variables);
        Settings::read(&mut environment).expect("settings");
        let shown = |name: &str| {
            let setting =
                environment.settings().iter().find(|setting| setting.name == name).expect("a setting");
            (setting.value.as_str(), setting.source)
        };
        assert_eq!(shown("DUALCASTER_PUBLIC_URL"), ("http://127.0.0.1:9000", Source::Default));
        assert_eq!(shown("DUALCASTER_WEB_URL"), ("https://cards.example", Source::Environment));
        assert_eq!(shown("STORAGE_URL"), ("file:./dualcaster-data/files", Source::Default));
    }

    #[test]
    fn production_asks_for_its_secrets_and_has_no_demo_data() {
        let mistakes = read(&[("DUALCASTER_ENV", "production")]).expect_err("mistakes").to_string();
        for name in
            ["DUALCASTER_SECRET", "DUALCASTER_ADMIN_LISTEN", "DUALCASTER_JWT_KEY", "DUALCASTER_SMTP_URL"]
        {
            assert!(mistakes.contains(name), "{name} is missing in: {mistakes}");
        }
        let key = crate::identity::make_key().expect("a key");
        let settings = read(&[
            ("DUALCASTER_ENV", "production"),
            ("DUALCASTER_SECRET", "0123456789abcdef0123456789abcdef"),
            ("DUALCASTER_ADMIN_LISTEN", "127.0.0.1:9090"),
            ("DUALCASTER_JWT_KEY", key.as_str()),
            ("DUALCASTER_SMTP_URL", "smtp://127.0.0.1"),
        ])
        .expect("settings");
        assert!(!settings.market.demo);
    }
}
