//! Catalogues: sets and printings into the store.

use sea_orm::{ConnectionTrait, DbBackend};
use tokio::sync::Mutex;

use super::pipeline::{IngestError, Progress, Reading, Report, Stage, run};
use super::source::{CatalogueItem, Sink, Source, SourceError, read_some};
use crate::db::{Connection, transaction};
use crate::domain::catalogue::record::{CardRecord, SetRecord};
use crate::domain::catalogue::{refresh_catalogue, write_about, write_printings};
use crate::domain::market::{derive_prices, note_misranked};
use crate::domain::store::remove_generated;

/// Cards a batch.
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
        read: Box::new(move |sink| read_some(sink, |sink| read(source, sink))),
    };
    // While what is said about a batch is written, Postgres takes the printings of the next: each in the order of the file. On
    // SQLite one of the two would only wait for the other.
    let at_a_time = if connection.get_database_backend() == DbBackend::Postgres { 2 } else { 1 };
    let (printings, about) = (Mutex::new(()), Mutex::new(()));
    let report = run(reading, at_a_time, progress, async |items: &[CatalogueItem]| {
        let mut sets: Vec<&SetRecord> = Vec::new();
        let mut cards: Vec<&CardRecord> = Vec::new();
        for item in items {
            match item {
                CatalogueItem::Set(set) => sets.push(set),
                CatalogueItem::Card(card) => cards.push(card),
            }
        }
        let turn = printings.lock().await;
        let (removed_generated, of_printings) = transaction!(bulk connection, |bulk| {
            Ok((remove_generated(bulk).await?, write_printings(bulk, &sets, &cards).await?))
        });
        if removed_generated {
            progress.removed_generated();
        }
        drop(turn);
        let _turn = about.lock().await;
        let of_about = transaction!(bulk connection, |bulk| { write_about(bulk, &cards).await });
        Ok(Report { written: of_printings + of_about, removed_generated, ..Report::default() })
    })
    .await?;
    progress.at(Stage::Deriving, 0, None);
    transaction!(bulk connection, |bulk| {
        refresh_catalogue(bulk).await?;
        note_misranked(bulk).await
    });
    derive_prices(connection, |done, total| progress.at(Stage::Deriving, done, Some(total))).await?;
    Ok(report)
}
