//! Prices derived of snapshots, kept in tables so that no request computes them: the bases of changes, the price of a
//! card over all marketplaces, the price of a day.
//!
//! Writers note whose prices are behind in `stale_cards`; this works the notes off, some cards a transaction, and
//! takes each note away in the transaction that acted on it. So it can be killed at any moment and run again.

use chrono::{DateTime, TimeDelta, Utc};
use entity::stale_card;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::lock::begin_locked;
use super::price::{FRESH, PRICE_LIFETIME};
use crate::db::{Bulk, Connection, Count, Sql, transaction};
use crate::domain::collection::{close_day, follow_prices};
use crate::error::Result;

/// Cards a transaction.
const CARDS: usize = 500;

/// The number of Postgres's advisory lock that deriving has alone, and that whoever writes what depends on prices shares.
pub const DERIVING: &str = "hashtext('dualcaster derived prices')";

/// Brings all derived prices in step with the snapshots. `progress` hears how many cards are done, and of how many,
/// after each transaction.
///
/// # Errors
/// The database's; what is done by then stays done.
pub async fn derive_prices(connection: &Connection, progress: impl Fn(u64, u64)) -> Result<()> {
    let Some(now) = transaction!(by begin(connection), |bulk| { advance_now(bulk).await }) else {
        return Ok(());
    };
    analyse(connection).await?;
    let mut sql = Sql::new(connection);
    sql.push("select count(*) as n from stale_cards");
    let total = sql.one::<Count>(connection).await?.map_or(0, |count| count.n.unsigned_abs());
    let mut done = 0;
    loop {
        let cards = transaction!(by begin(connection), |bulk| { derive_some(bulk, now).await });
        if cards == 0 {
            break;
        }
        done += cards;
        // Another ingest may have added some.
        progress(done, total.max(done));
    }
    update_marketplaces(connection).await
}

/// Works off the first of the notes; answers how many.
async fn derive_some(bulk: &Bulk, now: DateTime<Utc>) -> Result<u64> {
    let mut sql = Sql::new(bulk);
    sql.push(&format!("select card_id, since from stale_cards order by card_id limit {CARDS}"));
    let stale = sql.all::<stale_card::Model>(bulk).await?;
    let Some(since) = stale.iter().map(|card| card.since).min() else {
        return Ok(0);
    };
    let cards: Vec<i32> = stale.iter().map(|card| card.card_id).collect();
    update_bases(bulk, &cards, now).await?;
    replace_card_prices(bulk, &cards, now).await?;
    update_days(bulk, &cards, since).await?;
    follow_prices(bulk, &cards, now).await?;
    let mut sql = Sql::new(bulk);
    sql.push("delete from stale_cards where card_id").any_of_numbers(&cards);
    sql.run(bulk).await?;
    Ok(cards.len() as u64)
}

/// One at a time: two would wait for each other's rows. While a large import has its share of the lock, everybody else's
/// changes go on.
async fn begin(connection: &Connection) -> Result<Bulk> {
    begin_locked(connection, &format!("select pg_advisory_xact_lock({DERIVING})")).await
}

/// "Now" is the newest snapshot. Where it has moved, every card is behind: its changes compare with other days.
async fn advance_now(bulk: &Bulk) -> Result<Option<DateTime<Utc>>> {
    #[derive(FromQueryResult)]
    struct Now {
        newest: Option<DateTime<Utc>>,
        known: Option<DateTime<Utc>>,
    }
    let mut sql = Sql::new(bulk);
    sql.push(
        "select (select max(observed_at) from latest_prices) as newest, newest_at as known from store_state",
    );
    let now = sql.one::<Now>(bulk).await?;
    let Some(Now { newest: Some(newest), known }) = now else {
        return Ok(None);
    };
    if known != Some(newest) {
        if let Some(known) = known.filter(|known| known.date_naive() < newest.date_naive()) {
            close_day(bulk, known.date_naive()).await?;
        }
        let mut sql = insert(bulk);
        sql.push("stale_cards (card_id, since) select distinct card_id, ");
        sql.either("cast(", "").bind(newest).either(" as timestamptz)", "");
        sql.push(" from latest_prices where true on conflict (card_id) do nothing");
        sql.run(bulk).await?;
        let mut sql = Sql::new(bulk);
        sql.push("update store_state set newest_at = ").bind(newest);
        sql.run(bulk).await?;
    }
    Ok(Some(newest))
}

/// An insert of very many rows, in a transaction. What fails on SQLite is not taken back by itself, for which all pages that it
/// changes would be kept in memory: the whole transaction is.
fn insert(connection: &impl ConnectionTrait) -> Sql {
    let mut sql = Sql::new(connection);
    sql.either("insert into ", "insert or fail into ");
    sql
}

/// After a load the planner knows nothing of the new rows, and would join all series with all snapshots. Of a table of
/// which it knows most, it knows enough: to look at all of `cards` again takes longer than to derive a day's prices.
async fn analyse(connection: &Connection) -> Result<()> {
    #[derive(FromQueryResult)]
    struct Changed {
        name: String,
    }
    if !Sql::new(connection).is_postgres() {
        return Ok(());
    }
    let tables = ["cards", "latest_prices", "price_snapshots", "stale_cards"];
    let mut sql = Sql::new(connection);
    sql.push(
        "select c.relname::text as name from pg_class c left join pg_stat_user_tables s on s.relid = c.oid
         where c.relkind in ('r', 'p') and exists (select 1 from stale_cards)
           and (c.relkind = 'p' or coalesce(s.n_mod_since_analyze, 0) > greatest(c.reltuples, 0) / 10)
           and c.relname",
    );
    sql.any_of_texts(&tables.map(str::to_owned));
    for table in sql.all::<Changed>(connection).await? {
        connection.execute_unprepared(&format!("analyze {}", table.name)).await?;
    }
    Ok(())
}

async fn update_bases(bulk: &Bulk, cards: &[i32], now: DateTime<Utc>) -> Result<()> {
    let mut sql = Sql::new(bulk);
    sql.push("update latest_prices as l set ");
    for (position, (base, window)) in
        [("base_24h", 1), ("base_7d", 7), ("base_30d", 30)].into_iter().enumerate()
    {
        sql.push(if position == 0 { "" } else { ", " }).push(base);
        sql.push(
            " = (select s.price from price_snapshots s
                 where s.card_id = l.card_id and s.marketplace_id = l.marketplace_id and s.kind = l.kind
                   and s.finish = l.finish and s.condition = l.condition and s.language = l.language
                   and s.observed_at <= ",
        );
        sql.bind(now - TimeDelta::days(window)).push(" order by s.observed_at desc limit 1)");
    }
    sql.push(" where l.card_id").any_of_numbers(cards);
    sql.run(bulk).await?;
    Ok(())
}

/// The finish that a card's price means where none is asked for: see `Finishes::first`.
const FIRST_FINISH: &str = "case when c.finishes & 1 <> 0 then 0 when c.finishes & 2 <> 0 then 1 \
     when c.finishes & 4 <> 0 then 2 else 0 end";

/// Notes the cards whose catalogue has changed the finish that their price means.
///
/// # Errors
/// The database's.
pub async fn note_misranked(connection: &impl ConnectionTrait) -> Result<()> {
    let mut sql = insert(connection);
    sql.push(
        "stale_cards (card_id, since)
         select distinct p.card_id, s.newest_at
         from card_prices p join cards c on c.id = p.card_id join store_state s on s.newest_at is not null
         where p.condition = 0 and p.ranked <> (p.finish = ",
    );
    sql.push(FIRST_FINISH).push(") on conflict (card_id) do nothing");
    sql.run(connection).await?;
    Ok(())
}

/// The median of an even number is the mean of the middle two, half a unit up; so is the mean rounded.
async fn replace_card_prices(bulk: &Bulk, cards: &[i32], now: DateTime<Utc>) -> Result<()> {
    let mut sql = Sql::new(bulk);
    sql.push("delete from card_prices where card_id").any_of_numbers(cards);
    sql.run(bulk).await?;
    let mut sql = Sql::new(bulk);
    sql.push(
        "insert into card_prices (card_id, currency, finish, condition, ranked, stale, observed_at, price, low, high,
             market, buylist, change_24h, base_24h, change_7d, base_7d, change_30d, base_30d)
         with observed as (
             select l.card_id, m.currency, l.finish, l.condition, l.kind, l.observed_at, l.price, l.low, l.high,
                    l.base_24h, l.base_7d, l.base_30d,
                    ",
    );
    sql.push(FIRST_FINISH).push(
        " as first_finish
             from latest_prices l
             join marketplaces m on m.id = l.marketplace_id and m.enabled
             join cards c on c.id = l.card_id and c.language = l.language
             where l.card_id",
    );
    sql.any_of_numbers(cards).push(" and l.observed_at >= ").bind(now - PRICE_LIFETIME);
    sql.push(
        "), figures as (
             select card_id, currency, finish, condition, 0 as figure, price as value from observed where kind = 0
             union all select card_id, currency, finish, condition, 1, price from observed where kind = 0 and base_24h is not null
             union all select card_id, currency, finish, condition, 2, base_24h from observed where kind = 0 and base_24h is not null
             union all select card_id, currency, finish, condition, 3, price from observed where kind = 0 and base_7d is not null
             union all select card_id, currency, finish, condition, 4, base_7d from observed where kind = 0 and base_7d is not null
             union all select card_id, currency, finish, condition, 5, price from observed where kind = 0 and base_30d is not null
             union all select card_id, currency, finish, condition, 6, base_30d from observed where kind = 0 and base_30d is not null
         ), ranked as (
             select card_id, currency, finish, condition, figure, value,
                    row_number() over (partition by card_id, currency, finish, condition, figure order by value) as place,
                    count(*) over (partition by card_id, currency, finish, condition, figure) as total
             from figures
         ), medians as (
             select card_id, currency, finish, condition, figure, (min(value) + max(value) + 1) / 2 as median
             from ranked where place in ((total + 1) / 2, (total + 2) / 2)
             group by card_id, currency, finish, condition, figure
         ), pivoted as (
             select card_id, currency, finish, condition,
                    max(case when figure = 0 then median end) as price,
                    max(case when figure = 1 then median end) as now_24h,
                    max(case when figure = 2 then median end) as base_24h,
                    max(case when figure = 3 then median end) as now_7d,
                    max(case when figure = 4 then median end) as base_7d,
                    max(case when figure = 5 then median end) as now_30d,
                    max(case when figure = 6 then median end) as base_30d
             from medians group by card_id, currency, finish, condition
         ), spread as (
             select card_id, currency, finish, condition, max(observed_at) as observed_at,
                    max(first_finish) as first_finish,
                    min(coalesce(low, price)) as low, max(coalesce(high, price)) as high,
                    (2 * cast(sum(price) as bigint) + count(*)) / (2 * count(*)) as market
             from observed where kind = 0 group by card_id, currency, finish, condition
         ), bought as (
             select card_id, currency, finish, condition, max(price) as price
             from observed where kind = 1 group by card_id, currency, finish, condition
         )
         select p.card_id, p.currency, p.finish, p.condition,
                p.finish = s.first_finish and p.condition = 0, s.observed_at < ",
    );
    sql.bind(now - FRESH).push(
        ", s.observed_at, p.price, s.low, s.high, s.market, b.price,
                coalesce(p.now_24h - p.base_24h, 0), p.base_24h, coalesce(p.now_7d - p.base_7d, 0), p.base_7d,
                coalesce(p.now_30d - p.base_30d, 0), p.base_30d
         from pivoted p
         join spread s on s.card_id = p.card_id and s.currency = p.currency and s.finish = p.finish and s.condition = p.condition
         left join bought b on b.card_id = p.card_id and b.currency = p.currency and b.finish = p.finish and b.condition = p.condition",
    );
    sql.run(bulk).await?;
    Ok(())
}

/// Near mint and in the card's own language: what a chart shows. Each marketplace counts with its last of the day.
async fn update_days(bulk: &Bulk, cards: &[i32], since: DateTime<Utc>) -> Result<()> {
    let first = since.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    let mut sql = Sql::new(bulk);
    sql.push(
        "insert into price_days (card_id, currency, kind, finish, day, price, low, high)
         with observed as (
             select s.card_id, s.marketplace_id, m.currency, s.kind, s.finish, s.price, s.observed_at, ",
    );
    sql.day_of("s.observed_at").push(
        " as day
             from price_snapshots s
             join marketplaces m on m.id = s.marketplace_id and m.enabled
             join cards c on c.id = s.card_id and c.language = s.language
             where s.condition = 0 and s.card_id",
    );
    sql.any_of_numbers(cards).push(" and s.observed_at >= ").bind(first);
    sql.push(
        "), closing as (
             select card_id, currency, kind, finish, day, price,
                    row_number() over (partition by card_id, marketplace_id, kind, finish, day order by observed_at desc) as age
             from observed
         ), ranked as (
             select card_id, currency, kind, finish, day, price,
                    row_number() over (partition by card_id, currency, kind, finish, day order by price) as place,
                    count(*) over (partition by card_id, currency, kind, finish, day) as total
             from closing where age = 1
         )
         select card_id, currency, kind, finish, day,
                (min(case when place in ((total + 1) / 2, (total + 2) / 2) then price end)
                 + max(case when place in ((total + 1) / 2, (total + 2) / 2) then price end) + 1) / 2,
                min(price), max(price)
         from ranked where true group by card_id, currency, kind, finish, day
         on conflict (card_id, currency, kind, finish, day)
         do update set price = excluded.price, low = excluded.low, high = excluded.high",
    );
    sql.run(bulk).await?;
    Ok(())
}

/// One after the other, each in the order of the table's key: to group all by their marketplaces, SQLite would sort every row of
/// the table, and it sorts in memory.
async fn update_marketplaces(connection: &Connection) -> Result<()> {
    #[derive(FromQueryResult)]
    struct Marketplace {
        id: i16,
    }
    let mut sql = Sql::new(connection);
    sql.push("select id from marketplaces order by id");
    for Marketplace { id } in sql.all::<Marketplace>(connection).await? {
        let mut sql = Sql::new(connection);
        sql.push(
            "update marketplaces set priced_cards = counted.cards, updated_at = counted.newest
             from (select count(*) as cards, max(c.newest) as newest
                   from (select max(l.observed_at) as newest from latest_prices l where l.marketplace_id = ",
        );
        sql.bind(id).push(" group by l.card_id) c) counted where marketplaces.id = ").bind(id);
        sql.push(
            " and counted.cards > 0
              and (marketplaces.priced_cards <> counted.cards or marketplaces.updated_at is distinct from counted.newest)",
        );
        sql.run(connection).await?;
    }
    Ok(())
}
