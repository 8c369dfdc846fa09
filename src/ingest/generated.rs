//! A generated market into the store, by the same way as files.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::pipeline::{IngestError, Progress, Reading, Report, Stage, run};
use super::source::SourceError;
use crate::db::{Bulk, Connection, transaction};
use crate::domain::catalogue::record::CardRecord;
use crate::domain::catalogue::{load_card_ids, refresh_catalogue, write_about, write_printings};
use crate::domain::collection::{InventedUser, write_invented};
use crate::domain::market::record::PriceSeries;
use crate::domain::market::{derive_prices, make_months, write_marketplaces, write_prices};
use crate::domain::store::{check_still_generated, make_room_for_generated};
use crate::error::Result;
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
    let sets: Vec<_> = market.sets().collect();
    let records = market.marketplaces();
    let begun = transaction!(bulk connection, |bulk| {
        let Some(removed_generated) = make_room_for_generated(bulk).await? else { return Ok(None) };
        write_printings(bulk, &sets.iter().collect::<Vec<_>>(), &[]).await?;
        Ok(Some((removed_generated, write_marketplaces(bulk, &records).await?)))
    });
    let Some((removed_generated, ids)) = begun else { return Err(IngestError::HoldsRealData) };
    if removed_generated {
        progress.removed_generated();
    }
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
    let report = run(reading, 1, progress, async |cards: &[GeneratedCard]| {
        let all = cards.iter().flat_map(|card| &card.series).flat_map(|series| &series.points);
        make_months(connection, all.map(|point| point.observed_at.date_naive())).await?;
        let records: Vec<&CardRecord> = cards.iter().map(|generated| &generated.card).collect();
        Ok(transaction!(bulk connection, |bulk| {
            check_still_generated(bulk).await?;
            let mut written = write_printings(bulk, &[], &records).await?;
            written += write_about(bulk, &records).await?;
            let series = priced(bulk, cards, &marketplaces).await?;
            written += write_prices(bulk, &series).await?;
            let points = series.iter().map(|series| series.points.len() as u64).sum();
            Ok(Report { written, points, ..Report::default() })
        }))
    })
    .await?;
    progress.at(Stage::Deriving, 0, None);
    transaction!(bulk connection, |bulk| { refresh_catalogue(bulk).await });
    derive_prices(connection, |done, total| progress.at(Stage::Deriving, done, Some(total))).await?;
    Ok(Report { removed_generated, ..report })
}

/// The prices of cards, by the ids that the store has given to these and to the marketplaces.
async fn priced(bulk: &Bulk, cards: &[GeneratedCard], marketplaces: &[i16]) -> Result<Vec<PriceSeries>> {
    let printings: Vec<_> = cards.iter().map(|generated| generated.card.scryfall_id).collect();
    let ids = load_card_ids(bulk, &printings).await?;
    let mut priced = Vec::new();
    for GeneratedCard { card, series } in cards {
        let Some(&card_id) = ids.get(&card.scryfall_id) else { continue };
        for one in series {
            let Some(&marketplace_id) = marketplaces.get(one.marketplace) else { continue };
            priced.push(PriceSeries {
                card_id,
                marketplace_id,
                kind: one.kind,
                finish: one.finish,
                condition: one.condition,
                language: card.language.clone(),
                points: one.points.clone(),
            });
        }
    }
    Ok(priced)
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
    let report = run(reading, 1, progress, async |users: &[InventedUser]| {
        let written =
            transaction!(bulk connection, |bulk| { write_invented(bulk, users, password_hash).await });
        Ok(Report { written, ..Report::default() })
    })
    .await?;
    Ok(Report { users: report.records, written: report.written, ..Report::default() })
}
