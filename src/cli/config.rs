//! `dualcaster config`: every setting as it is, or the reference of them all.

use super::{Failure, Outcome, print};
use crate::config::{Environment, Settings, Source};

pub fn print_settings(environment: &Environment) -> Outcome {
    let widest = |text: fn(&crate::config::Setting) -> usize| {
        environment.settings().iter().map(text).max().unwrap_or(0)
    };
    let (name, value) =
        (widest(|setting| setting.name.len()), widest(|setting| setting.value.chars().count()));
    let mut text = String::new();
    for setting in environment.settings() {
        let source = match setting.source {
            Source::Default => "default".to_owned(),
            Source::Environment => format!("environment (default: {})", setting.default),
        };
        text.push_str(&format!("{:name$}  {:value$}  {source}\n", setting.name, setting.value));
    }
    print(&text)
}

/// The reference does not depend on the environment it is made in.
pub fn print_reference() -> Outcome {
    print(&reference()?)
}

fn reference() -> Result<String, Failure> {
    let mut environment = Environment::new([]);
    Settings::read(&mut environment).map_err(|mistakes| Failure::new(mistakes.to_string()))?;
    let mut text = String::from(
        "# Configuration\n\nEvery setting is an environment variable, read once at the start. `dualcaster config` shows what is in force.\n\
         A `DUALCASTER_` variable that is not known is an error. This page is made by `dualcaster config --reference`.\n\n\
         | variable | default | meaning |\n|---|---|---|\n",
    );
    for setting in environment.settings() {
        let default = if setting.default.contains(' ') || setting.default == "none" {
            setting.default.to_owned()
        } else {
            format!("`{}`", setting.default)
        };
        text.push_str(&format!("| `{}` | {default} | {} |\n", setting.name, setting.help));
    }
    Ok(text)
}
