//! `dualcaster user` and `dualcaster client`: who may ask, made by who runs the server.

use std::io::{BufRead, IsTerminal};

use clap::{Subcommand, ValueEnum};
use entity::enums;

use super::migrate::connect_migrated;
use super::output::say;
use super::{Failure, Outcome, print};
use crate::config::Settings;
use crate::domain::accounts::{
    Email, NewUser, PasswordCheck, check_password, create_client, create_user, display_name, list_clients,
    revoke_client,
};
use crate::error::Error;
use crate::identity::Hasher;
use crate::outside::Outside;

#[derive(Debug, Subcommand)]
pub enum UserChange {
    /// Make an account. The password is read from standard input, a line of it.
    Create {
        /// The address that it signs in with; taken for verified.
        #[arg(long)]
        email: String,
        /// The name that others see.
        #[arg(long)]
        name: String,
        /// What it may do.
        #[arg(long, value_enum, default_value_t = UserRole::User)]
        role: UserRole,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum UserRole {
    User,
    Admin,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ClientRole {
    Bot,
}

#[derive(Debug, Subcommand)]
pub enum ClientChange {
    /// Make a client and print its token, which is shown this once.
    Create {
        /// What it is called in lists and in the log; each has a name of its own.
        #[arg(long)]
        name: String,
        /// What it may do.
        #[arg(long, value_enum, default_value_t = ClientRole::Bot)]
        role: ClientRole,
        /// What its budget refills by, in points of cost a second; by default DUALCASTER_BUDGET_CLIENT's.
        #[arg(long, value_name = "POINTS", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        rate: Option<u32>,
    },
    /// List them: name, role, rate, when made, when last used, whether revoked.
    List,
    /// End a client's token, at once and for good.
    Revoke {
        #[arg(value_name = "NAME")]
        name: String,
    },
}

fn failed(error: Error) -> Failure {
    match error {
        Error::Failed(failure) => Failure::new(format!("the store failed: {}", failure.log_text())),
        refused => Failure::new(refused.refusal().message.into_owned()),
    }
}

pub async fn change_user(settings: &Settings, change: UserChange) -> Outcome {
    let UserChange::Create { email, name, role } = change;
    let refused = |refusal: crate::error::Refusal| Failure::new(refusal.message.into_owned());
    let email = Email::parse(&email).map_err(refused)?;
    let name = display_name(&name).map_err(refused)?;
    let password = read_password()?;
    let outside = Outside::system();
    let hasher = Hasher::new(1, outside.clone()).map_err(failed)?;
    let known = [email.text.clone(), name.clone()];
    let check = move |password: &str| {
        let known = known.each_ref().map(String::as_str);
        check_password(&PasswordCheck { password, known: &known, field: "password" })
    };
    let password_hash = hasher.hash(password, check).await.map_err(failed)?;
    let databases = connect_migrated(settings).await?;
    let text = email.text.clone();
    let new = NewUser {
        id: outside.uuid(),
        email,
        email_verified: true,
        display_name: name,
        role: match role {
            UserRole::User => enums::Role::User,
            UserRole::Admin => enums::Role::Admin,
        },
        password_hash,
        created_at: outside.now(),
    };
    let made = create_user(databases.write(), new).await;
    databases.close().await;
    made.map_err(failed)?;
    print(&format!("{text} may sign in.\n"))
}

fn read_password() -> Result<String, Failure> {
    let input = std::io::stdin();
    if input.is_terminal() {
        say("The password, and Enter (it is shown as you type):");
    }
    let mut line = String::new();
    input
        .lock()
        .read_line(&mut line)
        .map_err(|error| Failure::new(format!("standard input can't be read: {error}")))?;
    let password = line.trim_end_matches(['\n', '\r']).to_owned();
    if password.is_empty() {
        return Err(Failure::wrong_use("no password was given").hint("Give it on standard input: … < file"));
    }
    Ok(password)
}

pub async fn change_client(settings: &Settings, change: ClientChange) -> Outcome {
    let databases = connect_migrated(settings).await?;
    let connection = databases.write();
    let outside = Outside::system();
    let outcome = match change {
        ClientChange::Create { name, role, rate } => {
            let role = match role {
                ClientRole::Bot => enums::Role::Bot,
            };
            let (_, token) = create_client(connection, &name, role, rate, &outside).await.map_err(failed)?;
            say("The client's token, which is not shown again:");
            print(&format!("{}\n", token.text()))
        }
        ClientChange::List => {
            let rows = list_clients(connection).await.map_err(failed)?;
            let lines = rows.iter().map(|row| {
                let moment = |time: Option<chrono::DateTime<chrono::Utc>>| {
                    time.map_or_else(|| "-".to_owned(), |time| time.format("%Y-%m-%d %H:%M").to_string())
                };
                let role = match row.role {
                    enums::Role::User => "user",
                    enums::Role::Admin => "admin",
                    enums::Role::Bot => "bot",
                };
                let rate = row
                    .points_per_second
                    .map_or_else(|| "default rate".to_owned(), |points| format!("{points} points/s"));
                let state = if row.revoked_at.is_some() { "revoked" } else { "active" };
                format!(
                    "{}  {role}  {rate}  made {}  used {}  {state}\n",
                    row.name,
                    moment(Some(row.created_at)),
                    moment(row.last_used_at)
                )
            });
            print(&lines.collect::<String>())
        }
        ClientChange::Revoke { name } => {
            if revoke_client(connection, &name, outside.now()).await.map_err(failed)? {
                print("Revoked.\n")
            } else {
                Err(Failure::new(format!("there is no client {name} to revoke"))
                    .hint("`dualcaster client list` shows the names."))
            }
        }
    };
    databases.close().await;
    outcome
}
