//! Prices: series of points for cards that the catalogue knows by MTGJSON's id.

use std::collections::HashMap;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use entity::enums::{Condition, Provider};

use super::pipeline::{IngestError, Progress, Reading, Report, Stage, run};
use super::prices::{self, PriceRecord};
use super::source::{BadRecord, Source, read_some};
use crate::db::{Bulk, Connection, Transaction, Trouble, end_transaction, transaction};
use crate::domain::catalogue::{find_cards_by_external_id, make_card, refresh_catalogue};
use crate::domain::market::record::{MarketplaceRecord, PricePoint, PriceSeries};
use crate::domain::market::{derive_prices, make_months, write_marketplaces, write_prices};
use crate::domain::store::{load_contents, remove_generated};
use crate::error::Result;

/// Points a transaction.
const POINTS: usize = 20_000;

/// The marketplaces that MTGJSON has prices of, as they call themselves.
const KNOWN: [(&str, &str, &str); 5] = [
    ("cardhoarder", "Cardhoarder", "https://www.cardhoarder.com"),
    ("cardkingdom", "Card Kingdom", "https://www.cardkingdom.com"),
    ("cardmarket", "Cardmarket", "https://www.cardmarket.com"),
    ("cardsphere", "Cardsphere", "https://www.cardsphere.com"),
    ("tcgplayer", "TCGplayer", "https://www.tcgplayer.com"),
];

pub(super) async fn ingest(
    connection: &Connection,
    source: Source,
    now: DateTime<Utc>,
    progress: &impl Progress,
) -> Result<Report, IngestError> {
    // Where the sun rises first it is tomorrow already.
    let latest = (now + TimeDelta::days(1)).date_naive();
    let reading = Reading {
        position: source.bytes_read(),
        end: source.size(),
        weigh: |record: &PriceRecord| {
            record.series.iter().map(|series| series.points.len()).sum::<usize>().max(1)
        },
        limit: POINTS,
        stage: Stage::Reading,
        read: Box::new(move |sink| read_some(sink, |mut sink| prices::read(source, latest, &mut sink))),
    };
    let report = run(reading, 1, progress, async |records: &[PriceRecord]| {
        let points = records.iter().flat_map(|record| &record.series).flat_map(|series| &series.points);
        make_months(connection, points.map(|(day, _)| *day)).await?;
        let report = write(connection, records).await?;
        if report.removed_generated {
            progress.removed_generated();
        }
        Ok(report)
    })
    .await?;
    // Also where this run made no card: one that was killed may have.
    transaction!(bulk connection, |bulk| { refresh_catalogue(bulk).await });
    progress.at(Stage::Deriving, 0, None);
    derive_prices(connection, |done, total| progress.at(Stage::Deriving, done, Some(total))).await?;
    Ok(report)
}

/// One batch; what is answered is committed. A generated market makes room for cards, not for prices of none: it stays where no
/// card was made.
async fn write(connection: &Connection, records: &[PriceRecord]) -> Result<Report> {
    let mut tried = 1;
    loop {
        let bulk = Bulk::begin(connection).await?;
        let outcome = write_among_real(&bulk, records).await;
        if let Ok(report) = &outcome
            && report.removed_generated
            && report.made == 0
        {
            Transaction::from(bulk).rollback().await?;
            return outcome.map(|report| Report { removed_generated: false, ..report });
        }
        if let Some(report) = end_transaction(bulk, outcome, tried).await? {
            return Ok(report);
        }
        tried += 1;
    }
}

/// Writes into a store without invented cards. No real price is of one of these, so that all cards of a file are unknown while
/// they are there, and only what names its printing can take their place.
async fn write_among_real(bulk: &Bulk, records: &[PriceRecord]) -> Result<Report> {
    let removed_generated = if records.iter().any(|record| record.printing.is_some()) {
        remove_generated(bulk).await?
    } else if load_contents(bulk).await?.demo {
        let points =
            records.iter().flat_map(|record| &record.series).map(|raw| raw.points.len() as u64).sum();
        return Ok(Report { points, unmatched: records.len() as u64, ..Report::default() });
    } else {
        false
    };
    Ok(Report { removed_generated, ..write_batch(bulk, records).await? })
}

/// What was written; bad are the records whose card could not be made.
async fn write_batch(bulk: &Bulk, records: &[PriceRecord]) -> Result<Report> {
    let ids: Vec<String> = records.iter().map(|record| record.mtgjson_id.to_string()).collect();
    let known = find_cards_by_external_id(bulk, Provider::Mtgjson, &ids).await?;
    let mut cards: HashMap<String, (i32, String)> =
        known.into_iter().map(|card| (card.external_id, (card.card_id, card.language))).collect();
    let mut report = Report::default();
    for (record, id) in records.iter().zip(&ids) {
        if cards.contains_key(id) {
            continue;
        }
        let Some(printing) = &record.printing else {
            report.unmatched += 1;
            continue;
        };
        match make_card(bulk, &printing.name, &printing.set_code, &printing.number, (Provider::Mtgjson, id))
            .await
        {
            Ok(card) => {
                cards.insert(id.clone(), (card, "en".to_owned()));
                report.made += 1;
            }
            // Nothing is wrong with the record where the database undid its card for another's sake, or is away.
            Err(error) if error.trouble().is_some_and(|trouble| trouble != Trouble::Other) => {
                return Err(error);
            }
            Err(error) => {
                tracing::warn!(error = %error.log_text(), "a price record's card could not be made");
                report.bad_records.push(BadRecord {
                    position: format!("data.{id}"),
                    reason: "its card could not be made".to_owned(),
                });
            }
        }
    }
    let marketplaces = write_marketplaces(bulk, &marketplaces_of(records)).await?;
    let mut series = Vec::new();
    for (record, id) in records.iter().zip(&ids) {
        for raw in &record.series {
            report.points += raw.points.len() as u64;
            let (Some((card_id, language)), Some(marketplace_id)) =
                (cards.get(id), marketplaces.get(&raw.marketplace))
            else {
                continue;
            };
            series.push(PriceSeries {
                card_id: *card_id,
                marketplace_id: *marketplace_id,
                kind: raw.kind,
                finish: raw.finish,
                condition: Condition::NearMint,
                language: language.clone(),
                points: raw
                    .points
                    .iter()
                    .map(|(day, price)| PricePoint::flat(day.and_time(NaiveTime::MIN).and_utc(), *price))
                    .collect(),
            });
        }
    }
    report.written = write_prices(bulk, &series).await?;
    Ok(report)
}

fn marketplaces_of(records: &[PriceRecord]) -> Vec<MarketplaceRecord> {
    let mut found: HashMap<&str, MarketplaceRecord> = HashMap::new();
    for raw in records.iter().flat_map(|record| &record.series) {
        found.entry(&raw.marketplace).or_insert_with(|| {
            let known = KNOWN.iter().find(|(slug, ..)| *slug == raw.marketplace);
            MarketplaceRecord {
                slug: raw.marketplace.clone(),
                name: known.map_or_else(|| raw.marketplace.clone(), |(_, name, _)| (*name).to_owned()),
                currency: raw.currency,
                url: known.map(|(_, _, url)| (*url).to_owned()),
            }
        });
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by(|a, b| a.slug.cmp(&b.slug));
    found
}
