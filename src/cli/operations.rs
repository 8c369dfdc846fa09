//! `dualcaster operations`: the documents that clients have registered.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::migrate::connect_migrated;
use super::output::say;
use super::{Failure, Outcome, print};
use crate::config::Settings;
use crate::domain::operations::{Operation, add_operations, list_operations, remove_operation};
use crate::engine::{Engine, Listed, read_documents, read_manifest};
use crate::error::Error;
use crate::graphql::{LISTS_TAKEN, schema};
use crate::pagination::CursorSecret;

#[derive(Debug, Subcommand)]
pub enum Change {
    /// Register a client's operations. A running server knows them within seconds.
    Add {
        /// A manifest of Relay, graphql-codegen or Apollo, or a folder of .graphql files.
        file: PathBuf,
        /// Whose they are.
        #[arg(long, default_value = "default")]
        client: String,
        /// The client's version that asks them.
        #[arg(long, default_value = "1")]
        version: String,
    },
    /// List them: id, client, version, name.
    List,
    /// Take one away.
    Remove {
        /// Its id, as `list` shows it.
        id: String,
    },
}

pub async fn change(settings: &Settings, change: Change) -> Outcome {
    // Before anything is connected: a file that can't be read, or asks what no server answers, changes nothing.
    let read = match &change {
        Change::Add { file, .. } => checked(settings, file, read(file)?).await?,
        Change::List | Change::Remove { .. } => Vec::new(),
    };
    let databases = connect_migrated(settings).await?;
    let connection = databases.write();
    let failed = |error: Error| Failure::new(error.refusal().message.into_owned());
    let outcome = match change {
        Change::Add { client, version, .. } => {
            let added = add_operations(connection, &client, &version, &read).await.map_err(failed)?;
            print(&format!("{} operations read: {added} are new.\n", read.len()))
        }
        Change::List => {
            let rows = list_operations(connection).await.map_err(failed)?;
            if rows.is_empty() {
                say("There are none.");
            }
            let lines = rows.iter().map(|row| {
                let name = row.name.as_deref().unwrap_or("-");
                format!("{}  {} {}  {name}\n", row.document_id, row.client, row.version)
            });
            print(&lines.collect::<String>())
        }
        Change::Remove { id } => match remove_operation(connection, &id).await.map_err(failed)? {
            0 => Err(Failure::new(format!("there is no operation of the id {id}"))
                .hint("`dualcaster operations list` shows the ids.")),
            _ => print("Removed.\n"),
        },
    };
    databases.close().await;
    outcome
}

/// Holds operations to the schema and to the limits, as a server does when they are asked. All that is wrong is told.
async fn checked(settings: &Settings, path: &Path, listed: Vec<Listed>) -> Result<Vec<Operation>, Failure> {
    let cursors = CursorSecret::new(["no cursor is read"]);
    let engine = Engine::new(|| schema(cursors.clone()), &settings.guard).bounding(LISTS_TAKEN);
    let (mut operations, mut wrong) = (Vec::new(), Vec::new());
    for Listed { id, name, document, file } in listed {
        if let Err(reasons) = engine.check(&document).await {
            let file = file.unwrap_or_else(|| path.display().to_string());
            let operation = name.as_deref().unwrap_or(&id);
            wrong.extend(reasons.iter().map(|reason| format!("{file}: {operation}: {reason}")));
        }
        operations.push(Operation { document_id: id, name, document });
    }
    if wrong.is_empty() {
        return Ok(operations);
    }
    Err(Failure::new(format!("nothing was registered:\n{}", wrong.join("\n")))
        .hint("`dualcaster schema` prints what may be asked for."))
}

fn read(path: &Path) -> Result<Vec<Listed>, Failure> {
    let failed = |what: String| Failure::new(format!("{}: {what}", path.display()));
    let listed = if path.is_dir() {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(path).map_err(|error| failed(error.to_string()))? {
            let path = entry.map_err(|error| failed(error.to_string()))?.path();
            if path.extension().is_some_and(|extension| extension == "graphql") {
                let text = std::fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
                files.push((path.display().to_string(), text));
            }
        }
        files.sort_unstable();
        read_documents(&files)
    } else {
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        read_manifest(&text)
    };
    let listed = listed.map_err(failed)?;
    if listed.is_empty() {
        return Err(failed("there is no operation in it".to_owned()));
    }
    Ok(listed)
}
