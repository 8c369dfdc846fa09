//! A generated market into the store, by the same way as files.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::pipeline::{IngestError, Progress, Reading, Report, Stage, run};
use super::source::SourceError;
use crate::db::{Bulk, Connection};
use crate::domain::catalogue::record::CardRecord;
use crate::domain::catalogue::{load_card_ids, refresh_catalogue, write_cards};
use crate::domain::collection::{InventedUser, write_invented};
use crate::domain::market::record::PriceSeries;
use crate::domain::market::{derive_prices, make_months, write_marketplaces, write_prices};
use crate::domain::store::{load_contents, mark_generated, remove_generated};
use crate::generate::{GeneratedMarket, GeneratedSeries};

/// Points a transaction.
const POINTS: usize = 40_000;
/// Items and wants a transaction.
const HOLDINGS: usize = 5_000;

struct GeneratedCard {
    card: CardRecord,
    series: Vec<GeneratedSeries>,
}

pub(super) async fn ingest(
    connection: &Connection,
    market: GeneratedMarket,
    progress: &impl Progress,
) -> Result<Report, IngestError> {
    let contents = load_contents(connection).await?;
    if contents.cards > 0 && !contents.demo {
        return Err(IngestError::HoldsRealData);
    }
    let bulk = Bulk::begin(connection).await?;
    let removed_generated = remove_generated(&bulk).await?;
    mark_generated(&bulk).await?;
    write_cards(&bulk, &market.sets().collect::<Vec<_>>(), &[]).await?;
    let records = market.marketplaces();
    let ids = write_marketplaces(&bulk, &records).await?;
    bulk.commit().await?;
    let marketplaces: Vec<i16> = records.iter().filter_map(|record| ids.get(&record.slug).copied()).collect();

    let position = Arc::<AtomicU64>::default();
    let made = Arc::clone(&position);
    let reading = Reading {
        end: market.card_count(),
        position,
        weigh: |card: &GeneratedCard| {
            card.series.iter().map(|series| series.points.len()).sum::<usize>().max(1)
        },
        limit: POINTS,
        stage: Stage::Reading,
        read: Box::new(move |sink| {
            for (index, card) in (0..).zip(market.cards()) {
                let card = GeneratedCard { card, series: market.series(index) };
                if sink.accept(card) == ControlFlow::Break(()) {
                    return Err(SourceError::Stopped);
                }
                made.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        }),
    };
    let mut written = 0;
    let mut points = 0;
    let report = run(reading, progress, async |cards: &[GeneratedCard]| {
        let all = cards.iter().flat_map(|card| &card.series).flat_map(|series| &series.points);
        make_months(connection, all.map(|point| point.observed_at.date_naive())).await?;
        let bulk = Bulk::begin(connection).await?;
        let records: Vec<CardRecord> = cards.iter().map(|generated| generated.card.clone()).collect();
        let mut rows = write_cards(&bulk, &[], &records).await?;
        let ids = load_card_ids(&bulk, &records.iter().map(|record| record.scryfall_id).collect::<Vec<_>>())
            .await?;
        let series: Vec<PriceSeries> = cards
            .iter()
            .filter_map(|generated| Some((generated, *ids.get(&generated.card.scryfall_id)?)))
            .flat_map(|(generated, id)| {
                generated.series.iter().filter_map({
                    let marketplaces = &marketplaces;
                    move |series| {
                        Some(PriceSeries {
                            card_id: id,
                            marketplace_id: *marketplaces.get(series.marketplace)?,
                            kind: series.kind,
                            finish: series.finish,
                            condition: series.condition,
                            language: generated.card.language.clone(),
                            points: series.points.clone(),
                        })
                    }
                })
            })
            .collect();
        rows += write_prices(&bulk, &series).await?;
        bulk.commit().await?;
        written += rows;
        points += series.iter().map(|series| series.points.len() as u64).sum::<u64>();
        Ok(Vec::new())
    })
    .await?;
    progress.at(Stage::Deriving, 0, None);
    let bulk = Bulk::begin(connection).await?;
    refresh_catalogue(&bulk).await?;
    bulk.commit().await?;
    derive_prices(connection, |done, total| progress.at(Stage::Deriving, done, Some(total))).await?;
    Ok(Report { written, points, removed_generated, ..report })
}

/// The first users of a market that has been written, all with one password.
pub(super) async fn ingest_users(
    connection: &Connection,
    market: GeneratedMarket,
    users: u32,
    password_hash: &str,
    progress: &impl Progress,
) -> Result<Report, IngestError> {
    let position = Arc::<AtomicU64>::default();
    let made = Arc::clone(&position);
    let reading = Reading {
        end: users.into(),
        position,
        weigh: |user: &InventedUser| 1 + user.items.len() + user.wants.len(),
        limit: HOLDINGS,
        stage: Stage::Users,
        read: Box::new(move |sink| {
            for index in 0..users {
                if sink.accept(market.user(index)) == ControlFlow::Break(()) {
                    return Err(SourceError::Stopped);
                }
                made.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        }),
    };
    let mut written = 0;
    let report = run(reading, progress, async |users: &[InventedUser]| {
        let bulk = Bulk::begin(connection).await?;
        let rows = write_invented(&bulk, users, password_hash).await?;
        bulk.commit().await?;
        written += rows;
        Ok(Vec::new())
    })
    .await?;
    Ok(Report { users: report.records, written, ..Report::default() })
}
