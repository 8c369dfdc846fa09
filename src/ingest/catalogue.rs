//! Catalogues: sets and printings into the store.

use super::pipeline::{IngestError, Progress, Reading, Report, Stage, run};
use super::source::{CatalogueItem, Sink, Source, SourceError};
use crate::db::{Bulk, Connection};
use crate::domain::catalogue::record::{CardRecord, SetRecord};
use crate::domain::catalogue::{refresh_catalogue, write_cards};
use crate::domain::market::{derive_prices, note_misranked};
use crate::domain::store::remove_generated;

/// Cards a transaction. Each costs Postgres four COPYs, and each COPY a pause of some 40 ms before its end is sent.
const CARDS: usize = 2_500;

pub(super) async fn ingest(
    connection: &Connection,
    source: Source,
    read: fn(Source, &mut dyn Sink<CatalogueItem>) -> Result<(), SourceError>,
    progress: &impl Progress,
) -> Result<Report, IngestError> {
    let reading = Reading {
        position: source.bytes_read(),
        end: source.size(),
        weigh: |item| usize::from(matches!(item, CatalogueItem::Card(_))),
        limit: CARDS,
        stage: Stage::Reading,
        read: Box::new(move |sink| read(source, sink)),
    };
    let mut written = 0;
    let mut removed_generated = false;
    let report = run(reading, progress, async |items| {
        let mut sets: Vec<SetRecord> = Vec::new();
        let mut cards: Vec<CardRecord> = Vec::new();
        for item in items {
            match item {
                CatalogueItem::Set(set) => sets.push(set.clone()),
                CatalogueItem::Card(card) => cards.push((**card).clone()),
            }
        }
        let bulk = Bulk::begin(connection).await?;
        let removed = remove_generated(&bulk).await?;
        let rows = write_cards(&bulk, &sets, &cards).await?;
        bulk.commit().await?;
        removed_generated |= removed;
        written += rows;
        Ok(Vec::new())
    })
    .await?;
    progress.at(Stage::Deriving, 0, None);
    let bulk = Bulk::begin(connection).await?;
    refresh_catalogue(&bulk).await?;
    note_misranked(&bulk).await?;
    bulk.commit().await?;
    derive_prices(connection, |done, total| progress.at(Stage::Deriving, done, Some(total))).await?;
    Ok(Report { written, removed_generated, ..report })
}
