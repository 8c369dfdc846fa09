//! Reads variables one by one, remembers what each means, and collects what is wrong with them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Default,
    Environment,
}

/// A setting as `dualcaster config` shows it.
#[derive(Debug, Clone)]
pub struct Setting {
    pub name: &'static str,
    pub default: &'static str,
    pub help: &'static str,
    /// What is in force; a secret's value is hidden.
    pub value: String,
    pub source: Source,
}

/// Everything that is wrong with the environment.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Mistakes(Vec<String>);

/// Variables that later parts of the server will read. Setting one is no mistake; it just has no effect yet.
const RESERVED: &[&str] = &[
    "DUALCASTER_TCGPLAYER_KEY",
    "DUALCASTER_TCGPLAYER_SECRET",
    "DUALCASTER_TCGPLAYER_URL",
    "DUALCASTER_TOPDECK_KEY",
    "DUALCASTER_TOPDECK_URL",
];

/// What others call the address that they listen on, or a part of it.
const OTHERS_LISTEN: &[&str] = &[
    "DUALCASTER_ADDR",
    "DUALCASTER_ADDRESS",
    "DUALCASTER_BIND",
    "DUALCASTER_HOST",
    "DUALCASTER_HTTP_PORT",
    "DUALCASTER_PORT",
];

/// The variables, and what reading them has shown.
#[derive(Debug)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    settings: Vec<Setting>,
    mistakes: Vec<String>,
}

impl Environment {
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect(), settings: Vec::new(), mistakes: Vec::new() }
    }

    /// The process's own.
    pub fn of_process() -> Self {
        Self::new(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// A setting whose default is a value.
    pub fn get<T>(&mut self, name: &'static str, default: &'static str, help: &'static str) -> T
    where
        T: FromStr<Err: Display>,
    {
        let given = self.look_up(name, default, help, false);
        let text = given.unwrap_or_else(|| default.to_owned());
        match text.parse() {
            Ok(value) => value,
            Err(error) => {
                self.mistake(format!("{name}: {text:?} {}", plain(&error)));
                // A default always reads; the mistake keeps its value from being used.
                default.parse().unwrap_or_else(|error| unreadable_default(name, &error))
            }
        }
    }

    /// The same of a number of which none at all would refuse everybody.
    pub fn positive<T>(&mut self, name: &'static str, default: &'static str, help: &'static str) -> T
    where
        T: FromStr<Err: Display> + Default + PartialEq,
    {
        let value: T = self.get(name, default, help);
        if value == T::default() {
            self.mistake(format!("{name}: must be at least 1"));
        }
        value
    }

    /// A base of addresses, such as `https://cards.example`, that may be absent.
    pub fn optional_base(
        &mut self,
        name: &'static str,
        default: &'static str,
        help: &'static str,
    ) -> Option<String> {
        self.base(name, default, help, is_base)
    }

    /// The same of the pages of a frontend, which may find its way behind a `#`.
    pub fn optional_base_of_pages(
        &mut self,
        name: &'static str,
        default: &'static str,
        help: &'static str,
    ) -> Option<String> {
        self.base(name, default, help, is_base_of_pages)
    }

    fn base(
        &mut self,
        name: &'static str,
        default: &'static str,
        help: &'static str,
        is_right: fn(&str) -> bool,
    ) -> Option<String> {
        let text = self.look_up(name, default, help, false)?;
        if !is_right(&text) {
            // A password or a token may stand in it.
            let told = if text.contains(['@', '?']) { String::new() } else { format!(" {text:?}") };
            self.mistake(format!("{name}:{told} must be an address such as https://cards.example"));
        }
        Some(text)
    }

    /// A setting that may be absent.
    pub fn optional<T>(&mut self, name: &'static str, default: &'static str, help: &'static str) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        let text = self.look_up(name, default, help, false)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.mistake(format!("{name}: {text:?} {}", plain(&error)));
                None
            }
        }
    }

    /// A setting that may be absent and is never shown.
    pub fn optional_secret(
        &mut self,
        name: &'static str,
        default: &'static str,
        help: &'static str,
    ) -> Option<String> {
        self.look_up(name, default, help, true)
    }

    /// The variables whose names begin so: another's, which are handed on as they are. They are shown nowhere.
    pub fn of_others(&self, prefix: &str) -> Vec<(String, String)> {
        let given =
            self.variables.iter().filter(|(name, value)| name.starts_with(prefix) && !value.is_empty());
        given.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    pub fn mistake(&mut self, mistake: String) {
        self.mistakes.push(mistake);
    }

    /// Shows what a setting is that was not given and whose default depends on others.
    pub fn comes_to(&mut self, name: &str, value: &str) {
        for setting in &mut self.settings {
            if setting.name == name && setting.source == Source::Default {
                setting.value = shown(value);
            }
        }
    }

    /// Each setting read so far.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// Settings that are given but have no effect in this version.
    pub fn without_effect(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str).filter(|name| RESERVED.contains(name))
    }

    /// # Errors
    /// When anything was wrong, or a variable of ours is one that nobody reads.
    pub fn finish(&mut self) -> Result<(), Mistakes> {
        let known: Vec<_> =
            self.settings.iter().map(|setting| setting.name).chain(RESERVED.iter().copied()).collect();
        for name in self.variables.keys().filter(|name| name.starts_with("DUALCASTER_")) {
            if known.contains(&name.as_str()) {
                continue;
            }
            let nearest = if OTHERS_LISTEN.contains(&name.as_str()) {
                Some(&"DUALCASTER_LISTEN")
            } else {
                known
                    .iter()
                    .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)))
            };
            self.mistakes.push(match nearest {
                Some(nearest) => format!("{name} is not a setting. Did you mean {nearest}?"),
                None => format!("{name} is not a setting."),
            });
        }
        if self.mistakes.is_empty() { Ok(()) } else { Err(Mistakes(std::mem::take(&mut self.mistakes))) }
    }

    fn look_up(
        &mut self,
        name: &'static str,
        default: &'static str,
        help: &'static str,
        secret: bool,
    ) -> Option<String> {
        // A variable that is set to nothing is not set: compose files and CI pass empty ones on.
        let given = self.variables.get(name).filter(|value| !value.is_empty()).cloned();
        self.settings.push(Setting {
            name,
            default,
            help,
            value: match &given {
                Some(_) if secret => "(hidden)".to_owned(),
                Some(value) => shown(value),
                None => default.to_owned(),
            },
            source: if given.is_some() { Source::Environment } else { Source::Default },
        });
        given
    }
}

/// Whether addresses can be made by putting a path behind a text.
fn is_base(text: &str) -> bool {
    is_base_of_pages(text) && !text.contains('#')
}

/// The same where all of a path may stand behind a `#`.
fn is_base_of_pages(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https"))
        && reqwest::Url::parse(text).is_ok_and(|url| url.has_host() && url.query().is_none())
}

/// A value as it is shown: without who asks, and their password, in the addresses in it.
fn shown(value: &str) -> String {
    let mut parts = value.split("://");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str("://");
        let (authority, rest) = part.split_at(part.find(['/', '?', '#']).unwrap_or(part.len()));
        match authority.rsplit_once('@') {
            Some((_, host)) => shown.push_str(&format!("(hidden)@{host}")),
            None => shown.push_str(authority),
        }
        shown.push_str(rest);
    }
    shown
}

/// The standard library's parse errors speak of digits; a sentence needs a verb.
fn plain(error: &impl Display) -> String {
    let text = error.to_string();
    if text.starts_with("must") { text } else { format!("can't be read: {text}") }
}

#[expect(
    clippy::panic,
    reason = "a default that does not read is a mistake in this code, found by its first test"
)]
fn unreadable_default<T>(name: &str, error: &impl Display) -> T {
    panic!("the default of {name}: {error}")
}
