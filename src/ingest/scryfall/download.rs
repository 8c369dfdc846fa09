//! Asks Scryfall for its newest bulk file of printings and reads it as it comes, without a copy on the disk.
//!
//! <https://scryfall.com/docs/api/bulk-data>: the file's address changes daily and is told by `GET /bulk-data`.

use std::time::Duration;

use reqwest::blocking::{Client, Response};
use reqwest::header::{ACCEPT, HeaderValue};
use serde::Deserialize;

use crate::ingest::source::{Source, SourceError};

/// Scryfall refuses clients that do not say who they are.
const USER_AGENT: &str = concat!("Dualcaster/", env!("CARGO_PKG_VERSION"));
/// The kind of bulk file that has every printing, in English where there is one.
const KIND: &str = "default_cards";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For the list, and between two pieces of the file: the writer may be behind, so it is generous.
const READ_TIMEOUT: Duration = Duration::from_secs(120);
/// The list has a handful of entries of some hundred bytes.
const MOST_OF_THE_LIST: u64 = 1 << 20;

#[derive(Deserialize)]
struct BulkList {
    data: Vec<BulkFile>,
}

#[derive(Deserialize)]
struct BulkFile {
    #[serde(rename = "type")]
    kind: String,
    download_uri: String,
    #[serde(default)]
    size: u64,
}

/// The newest file as a source. Blocks, so not for an async thread.
///
/// # Errors
/// [`SourceError::Upstream`] where the service fails or answers what it should not.
pub(in crate::ingest) fn open_newest(base: &str) -> Result<Source, SourceError> {
    let client = Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(None)
        .build()
        .map_err(|error| unavailable(&error))?;
    let list = get(&client, &format!("{}/bulk-data", base.trim_end_matches('/')), Some(READ_TIMEOUT))?;
    let mut text = String::new();
    std::io::Read::read_to_string(&mut std::io::Read::take(list, MOST_OF_THE_LIST), &mut text)?;
    let list: BulkList = serde_json::from_str(&text)
        .map_err(|_| SourceError::Upstream("Scryfall's list of bulk files can't be read".to_owned()))?;
    let Some(file) = list.data.into_iter().find(|file| file.kind == KIND) else {
        return Err(SourceError::Upstream(format!("Scryfall lists no bulk file {KIND}")));
    };
    let file_size = file.size;
    let response = get(&client, &file.download_uri, None)?;
    let size = response.content_length().unwrap_or(file_size);
    Ok(Source::new(response, size)?)
}

fn get(client: &Client, url: &str, timeout: Option<Duration>) -> Result<Response, SourceError> {
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        return Err(SourceError::Upstream(format!("Scryfall names an address that is none: {url}")));
    }
    let mut request =
        client.get(url).header(ACCEPT, HeaderValue::from_static("application/json;q=0.9,*/*;q=0.8"));
    if let Some(timeout) = timeout {
        request = request.timeout(timeout);
    }
    let response = request.send().map_err(|error| unavailable(&error))?;
    if response.status().is_success() {
        Ok(response)
    } else {
        Err(SourceError::Upstream(format!("Scryfall answers {} for {url}", response.status())))
    }
}

fn unavailable(error: &reqwest::Error) -> SourceError {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    SourceError::Upstream(format!("Scryfall can't be reached: {text}"))
}
