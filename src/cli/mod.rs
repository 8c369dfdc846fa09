//! Commands: arguments -> settings -> telemetry -> what was asked for.

mod accounts;
mod config;
mod dead_letters;
mod health;
mod ingest;
mod migrate;
mod operations;
mod output;
mod progress;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Environment, Settings};
use crate::telemetry;
use output::{fail, print};

/// A GraphQL server for the trading-card market.
#[derive(Debug, Parser)]
#[command(
    name = "dualcaster",
    version,
    about,
    after_help = "Settings are environment variables: see `dualcaster config`."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (the default).
    Serve,
    /// Change the database's schema.
    Migrate {
        #[command(subcommand)]
        direction: migrate::Direction,
    },
    /// Load a catalogue or prices from a file.
    Ingest {
        #[command(subcommand)]
        source: ingest::Source,
        /// Tell progress and outcome as JSON, an object a line.
        #[arg(long, global = true)]
        json: bool,
    },
    /// Fill the store with a synthetic market: the same for the same seed.
    Generate(ingest::Generate),
    /// The documents that clients have registered.
    Operations {
        #[command(subcommand)]
        change: operations::Change,
    },
    /// Accounts.
    User {
        #[command(subcommand)]
        change: accounts::UserChange,
    },
    /// Programs with a token of their own, such as the Discord bot.
    Client {
        #[command(subcommand)]
        change: accounts::ClientChange,
    },
    /// Jobs that failed for good.
    DeadLetters {
        #[command(subcommand)]
        letters: dead_letters::Letters,
    },
    /// Print the schema in SDL.
    Schema,
    /// Print the reference of the search's syntax in Markdown.
    SearchReference,
    /// Print the error catalogue in Markdown.
    ErrorReference,
    /// Print every setting with its value, default and source.
    Config {
        /// Print the reference in Markdown.
        #[arg(long)]
        reference: bool,
    },
    /// Exit 0 when the server is ready: for container checks.
    Health {
        /// The server's address; by default the one it listens on.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
}

/// What went wrong, for the operator: one plain sentence, and a hint.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, code: 1 }
    }

    fn wrong_use(message: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(message) }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

type Outcome = Result<(), Failure>;

/// Runs the command that the process was started with. Exit codes: 0 done, 1 failed, 2 wrong use.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(message) => {
            // Help and version come this way too, and are no mistakes.
            let _ = message.print();
            return ExitCode::from(if message.use_stderr() { 2 } else { 0 });
        }
    };
    let command = arguments.command.unwrap_or(Command::Serve);
    match execute(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            fail(&failure.message, failure.hint.as_deref());
            ExitCode::from(failure.code)
        }
    }
}

fn execute(command: Command) -> Outcome {
    let mut environment = Environment::of_process();
    let settings = match command {
        Command::Schema => return print(&crate::graphql::sdl()),
        Command::SearchReference => return print(&crate::domain::catalogue::search::reference()),
        Command::ErrorReference => return print(&crate::error::reference()),
        Command::Config { reference: true } => return config::print_reference(),
        _ => Settings::read(&mut environment).map_err(|mistakes| {
            Failure::wrong_use(mistakes.to_string())
                .hint("`dualcaster config --reference` explains every setting.")
        })?,
    };
    if let Command::Config { .. } = command {
        return config::print_settings(&environment);
    }
    let telemetry = telemetry::install(&settings.telemetry).map_err(Failure::wrong_use)?;
    for name in environment.without_effect() {
        tracing::warn!("{name} is set, but has no effect in this version");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("no threads are to be had: {error}")))?;
    let outcome = runtime.block_on(async {
        match command {
            Command::Serve => serve::serve(settings).await,
            Command::Migrate { direction } => migrate::migrate(&settings, direction).await,
            Command::Ingest { source, json } => ingest::ingest(&settings, source, json).await,
            Command::Generate(generate) => ingest::generate(&settings, generate).await,
            Command::Operations { change } => operations::change(&settings, change).await,
            Command::User { change } => accounts::change_user(&settings, change).await,
            Command::Client { change } => accounts::change_client(&settings, change).await,
            Command::DeadLetters { letters } => dead_letters::act(&settings, letters).await,
            Command::Health { url } => health::check(&settings, url).await,
            Command::Schema | Command::SearchReference | Command::ErrorReference | Command::Config { .. } => {
                Ok(())
            }
        }
    });
    telemetry.flush();
    outcome
}
