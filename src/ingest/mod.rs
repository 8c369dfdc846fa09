//! Files in: the catalogues and prices that others publish, read as streams and written in batches.
//!
//! A file is parsed on a thread of its own, a batch or two ahead of the writer. Each batch is one transaction, or two;
//! what is there already is not written again, so an ingest can be killed at any moment and run again.

mod catalogue;
mod generated;
mod market;
mod mtgjson;
mod pipeline;
mod prices;
mod scryfall;
mod source;

use chrono::{DateTime, Utc};

pub use pipeline::{IngestError, Progress, Report, Stage};
pub use source::{BadRecord, Source, SourceError, open_file};

use crate::db::Connection;
use crate::generate::GeneratedMarket;

/// A file format that can be ingested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Scryfall's bulk file `default_cards`.
    Scryfall,
    /// MTGJSON's `AllPrintings`.
    MtgjsonPrintings,
    /// MTGJSON's `AllPrices`.
    MtgjsonPrices,
}

/// Ingests a file, gzip or plain, from [`open_file`]. `now` is what the clock says: prices of days to come are bad records.
///
/// # Errors
/// When the file is not of the format, nothing was written; after any other error, what the batches before it wrote
/// stays, and a second run completes it.
pub async fn ingest_file(
    connection: &Connection,
    format: Format,
    source: Source,
    now: DateTime<Utc>,
    progress: &impl Progress,
) -> Result<Report, IngestError> {
    match format {
        Format::Scryfall => ingest_scryfall(connection, source, progress).await,
        Format::MtgjsonPrintings => {
            catalogue::ingest(
                connection,
                source,
                |source, mut sink| mtgjson::read(source, &mut sink),
                progress,
            )
            .await
        }
        Format::MtgjsonPrices => market::ingest(connection, source, now, progress).await,
    }
}

/// Ingests the newest bulk file of printings that Scryfall has, as it comes.
///
/// # Errors
/// As for a file; [`SourceError::Upstream`] where the service fails.
pub async fn ingest_newest_scryfall(
    connection: &Connection,
    service: &str,
    progress: &impl Progress,
) -> Result<Report, IngestError> {
    let service = service.to_owned();
    let opened = tokio::task::spawn_blocking(move || scryfall::open_newest(&service)).await;
    let source = opened.map_err(|_| SourceError::Stopped).flatten()?;
    ingest_scryfall(connection, source, progress).await
}

async fn ingest_scryfall(
    connection: &Connection,
    source: Source,
    progress: &impl Progress,
) -> Result<Report, IngestError> {
    catalogue::ingest(connection, source, |source, mut sink| scryfall::read(source, &mut sink), progress)
        .await
}

/// Writes a generated market into a store that is empty or holds another generated one.
///
/// # Errors
/// [`IngestError::HoldsRealData`], or the database's.
pub async fn ingest_generated(
    connection: &Connection,
    market: GeneratedMarket,
    progress: &impl Progress,
) -> Result<Report, IngestError> {
    generated::ingest(connection, market, progress).await
}

/// Writes the first users of a generated market that the store holds, with what they hold and want. All have the password
/// of the hash; they go when the market goes.
///
/// # Errors
/// The database's.
pub async fn ingest_users(
    connection: &Connection,
    market: GeneratedMarket,
    users: u32,
    password_hash: &str,
    progress: &impl Progress,
) -> Result<Report, IngestError> {
    generated::ingest_users(connection, market, users, password_hash, progress).await
}
