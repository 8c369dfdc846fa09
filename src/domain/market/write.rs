//! Writing prices: snapshots in bulk, the newest of each series beside them, and a note of whose derived prices are
//! now behind.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use sea_orm::{ActiveEnum, ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use super::lock::begin_locked;
use super::record::{MarketplaceRecord, PricePoint, PriceSeries};
use crate::db::{Bulk, Cell, Column, Connection, Exists, Merge, Sql, Target};
use crate::error::Result;

const fn column(name: &'static str, merge: Merge) -> Column {
    Column { name, merge }
}

const MARKETPLACES: Target = Target {
    table: "marketplaces",
    columns: &[
        column("slug", Merge::Key),
        column("uuid", Merge::Keep),
        column("name", Merge::Replace),
        column("currency", Merge::Keep),
        column("url", Merge::ReplaceIfKnown),
    ],
    only_if: None,
};

const SNAPSHOTS: Target = Target {
    table: "price_snapshots",
    columns: &[
        column("card_id", Merge::Key),
        column("marketplace_id", Merge::Key),
        column("kind", Merge::Key),
        column("finish", Merge::Key),
        column("condition", Merge::Key),
        column("language", Merge::Key),
        column("observed_at", Merge::Key),
        column("price", Merge::Replace),
        column("low", Merge::Replace),
        column("mid", Merge::Replace),
        column("high", Merge::Replace),
        column("market", Merge::Replace),
    ],
    only_if: None,
};

const LATEST: Target = Target {
    table: "latest_prices",
    columns: &[
        column("card_id", Merge::Key),
        column("marketplace_id", Merge::Key),
        column("kind", Merge::Key),
        column("finish", Merge::Key),
        column("condition", Merge::Key),
        column("language", Merge::Key),
        column("observed_at", Merge::Replace),
        column("price", Merge::Replace),
        column("low", Merge::Replace),
        column("mid", Merge::Replace),
        column("high", Merge::Replace),
        column("market", Merge::Replace),
    ],
    only_if: Some("excluded.observed_at >= t.observed_at"),
};

const STALE: Target = Target {
    table: "stale_cards",
    columns: &[column("card_id", Merge::Key), column("since", Merge::Replace)],
    only_if: Some("excluded.since < t.since"),
};

/// The namespace of the ids that are derived from marketplaces' slugs.
const MARKETPLACE_IDS: Uuid = Uuid::from_u128(0x9d4e_8c55_1f27_4a0c_b6a4_54f7_c3b0_8e19);

/// Writes the marketplaces and answers the id of each slug.
///
/// # Errors
/// The database's.
pub async fn write_marketplaces(bulk: &Bulk, records: &[MarketplaceRecord]) -> Result<HashMap<String, i16>> {
    #[derive(FromQueryResult)]
    struct MarketplaceId {
        id: i16,
        slug: String,
    }
    let rows: Vec<_> = records
        .iter()
        .map(|record| {
            vec![
                Cell::Text(record.slug.as_str().into()),
                Cell::Uuid(Uuid::new_v5(&MARKETPLACE_IDS, record.slug.as_bytes())),
                Cell::Text(record.name.as_str().into()),
                Cell::Int(record.currency.to_value().into()),
                record.url.as_deref().map_or(Cell::Null, |url| Cell::Text(url.into())),
            ]
        })
        .collect();
    bulk.merge(&MARKETPLACES, &rows).await?;
    let slugs: Vec<_> = records.iter().map(|record| record.slug.clone()).collect();
    let mut sql = Sql::new(bulk);
    sql.push("select id, slug from marketplaces where slug").any_of_texts(&slugs);
    let found = sql.all::<MarketplaceId>(bulk).await?;
    Ok(found.into_iter().map(|row| (row.slug, row.id)).collect())
}

/// Writes the series' points and answers how many were new or changed. Their months are made before, by
/// [`make_months`]; prices derived of them follow when [`super::derive_prices`] runs.
///
/// # Errors
/// The database's.
pub async fn write_prices(bulk: &Bulk, series: &[PriceSeries]) -> Result<u64> {
    // The faces of one card may each bring its prices: a key may come once, and its last point stands.
    let mut points: BTreeMap<(SeriesKey<'_>, DateTime<Utc>), &PricePoint> = BTreeMap::new();
    for one in series {
        for point in &one.points {
            points.insert((SeriesKey::of(one), point.observed_at), point);
        }
    }
    // In the order of the key, so that the pages of the index are written once.
    let rows: Vec<_> = points.iter().map(|((key, _), point)| cells(key, point)).collect();
    let written = bulk.merge(&SNAPSHOTS, &rows).await?;
    if written == 0 {
        return Ok(0);
    }
    let mut newest: BTreeMap<&SeriesKey<'_>, &PricePoint> = BTreeMap::new();
    let mut since: BTreeMap<i32, DateTime<Utc>> = BTreeMap::new();
    for ((key, observed_at), point) in &points {
        newest.insert(key, point);
        let first = since.entry(key.card_id).or_insert(*observed_at);
        *first = (*first).min(*observed_at);
    }
    let rows: Vec<_> = newest.iter().map(|(key, point)| cells(key, point)).collect();
    bulk.merge(&LATEST, &rows).await?;
    let rows: Vec<_> =
        since.into_iter().map(|(card, since)| vec![Cell::Int(card.into()), Cell::Time(since)]).collect();
    bulk.merge(&STALE, &rows).await?;
    Ok(written)
}

fn cells<'a>(key: &SeriesKey<'a>, point: &PricePoint) -> Vec<Cell<'a>> {
    key.cells().chain(point_cells(point)).collect()
}

/// What makes a series one, in the order of the tables' key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct SeriesKey<'a> {
    card_id: i32,
    marketplace_id: i16,
    kind: i16,
    finish: i16,
    condition: i16,
    language: &'a str,
}

impl<'a> SeriesKey<'a> {
    fn of(series: &'a PriceSeries) -> Self {
        Self {
            card_id: series.card_id,
            marketplace_id: series.marketplace_id,
            kind: series.kind.to_value(),
            finish: series.finish.to_value(),
            condition: series.condition.to_value(),
            language: &series.language,
        }
    }

    fn cells(&self) -> impl Iterator<Item = Cell<'a>> + use<'a> {
        [
            Cell::Int(self.card_id.into()),
            Cell::Int(self.marketplace_id.into()),
            Cell::Int(self.kind.into()),
            Cell::Int(self.finish.into()),
            Cell::Int(self.condition.into()),
            Cell::Text(self.language.into()),
        ]
        .into_iter()
    }
}

fn point_cells<'a>(point: &PricePoint) -> impl Iterator<Item = Cell<'a>> + use<'a> {
    let optional = |amount: Option<i64>| amount.map_or(Cell::Null, Cell::Int);
    [
        Cell::Time(point.observed_at),
        Cell::Int(point.price),
        optional(point.low),
        optional(point.mid),
        optional(point.high),
        optional(point.market),
    ]
    .into_iter()
}

/// Makes the partitions of these days' months where they have none: on Postgres only. In a transaction of its own, to be
/// done before the one that writes, for a new partition locks everybody out of the table until its transaction ends.
///
/// # Errors
/// The database's.
pub async fn make_months(connection: &Connection, days: impl Iterator<Item = NaiveDate>) -> Result<()> {
    #[derive(FromQueryResult)]
    struct Missing {
        name: String,
    }
    if !Sql::new(connection).is_postgres() {
        return Ok(());
    }
    let months: BTreeSet<(i32, u32)> = days.map(|day| (day.year(), day.month())).collect();
    let months: BTreeMap<String, (i32, u32)> = months
        .into_iter()
        .map(|(year, month)| (format!("price_snapshots_y{year:04}m{month:02}"), (year, month)))
        .collect();
    let mut sql = Sql::new(connection);
    sql.push("select m.value as name from ").texts(&Vec::from_iter(months.keys().cloned()));
    sql.push(" m where to_regclass(m.value) is null");
    let mut creates = Vec::new();
    for Missing { name } in sql.all::<Missing>(connection).await? {
        let Some(&(year, month)) = months.get(&name) else { continue };
        let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let (from, to) = (format!("{year:04}-{month:02}-01"), format!("{next_year:04}-{next_month:02}-01"));
        let mut sql = Sql::new(connection);
        sql.push("select 1 as n from price_snapshots_default where observed_at >= '").push(&from);
        sql.push(" 00:00+00' and observed_at < '").push(&to).push(" 00:00+00' limit 1");
        // A month that already has rows in the default partition stays there: moving them would lock the table.
        if sql.one::<Exists>(connection).await?.is_none() {
            creates.push(format!(
                "create table if not exists {name} partition of price_snapshots \
                 for values from ('{from} 00:00+00') to ('{to} 00:00+00')"
            ));
        }
    }
    if creates.is_empty() {
        return Ok(());
    }
    // One maker at a time; whoever waited finds the partition made.
    let bulk = begin_locked(connection, "lock table only price_snapshots in access exclusive mode").await?;
    for create in creates {
        bulk.execute_unprepared(&create).await?;
    }
    bulk.commit().await
}
