//! Past prices, newest first, a page a card: the same page of many cards in one statement.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use entity::enums::{Currency, Finish, PriceKind};
use sea_orm::{ActiveEnum, ConnectionTrait, DbErr, FromQueryResult, QueryResult};

use super::marketplace::require_marketplace;
use crate::db::Sql;
use crate::error::Result;
use crate::pagination::{End, Fact, Key, KeyValue, ListId, Page, Slice};

/// How far back, from the store's newest snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HistoryWindow {
    Days(u16),
    All,
}

/// What a point stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HistoryInterval {
    /// One snapshot.
    Raw,
    /// A day in UTC: its last price, its lowest and highest.
    Day,
    /// A week from Monday: the price of its last day, its lowest and highest.
    Week,
}

/// Which history is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HistoryQuery {
    pub window: HistoryWindow,
    pub interval: HistoryInterval,
    pub kind: PriceKind,
    pub source: HistorySource,
}

/// Whose prices.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HistorySource {
    /// The marketplace with this slug; nothing of it where it sells in another currency than the one asked for.
    Marketplace { slug: String, currency: Option<Currency> },
    /// All marketplaces of a currency: their median, for intervals other than raw.
    Currency(Currency),
}

/// Whose history: a card in one finish, in its own language, near mint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HistoryKey {
    pub card_id: i32,
    pub language: String,
    pub finish: Finish,
}

/// A price in the past, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPoint {
    pub card_id: i32,
    pub finish: Finish,
    pub time: DateTime<Utc>,
    pub price: i64,
    pub low: Option<i64>,
    pub high: Option<i64>,
    /// Absent where it is over several.
    pub marketplace_id: Option<i16>,
}

impl HistoryPoint {
    /// Its place in the history.
    pub fn key(&self) -> Key {
        vec![KeyValue::Time(self.time), KeyValue::Int(self.marketplace_id.unwrap_or(0).into())]
    }
}

impl FromQueryResult for HistoryPoint {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let time = match row.try_get::<DateTime<Utc>>(prefix, "time") {
            Ok(time) => time,
            // Of the intervals that are made of days.
            Err(_) => row.try_get::<NaiveDate>(prefix, "time")?.and_time(NaiveTime::MIN).and_utc(),
        };
        let marketplace_id: i16 = row.try_get(prefix, "marketplace_id")?;
        Ok(Self {
            card_id: row.try_get(prefix, "card_id")?,
            finish: row.try_get(prefix, "finish")?,
            time,
            price: row.try_get(prefix, "price")?,
            low: row.try_get(prefix, "low")?,
            high: row.try_get(prefix, "high")?,
            marketplace_id: (marketplace_id != 0).then_some(marketplace_id),
        })
    }
}

/// The list that a cursor over this history belongs to.
pub fn history_list_id(key: &HistoryKey, query: &HistoryQuery) -> ListId {
    ListId::new("price history", (key, query))
}

/// The same page of the history of each key, in one statement.
///
/// # Errors
/// ERR-3002 for an unknown marketplace; the database's.
pub async fn load_price_history(
    connection: &impl ConnectionTrait,
    keys: &[HistoryKey],
    query: &HistoryQuery,
    page: &Page,
) -> Result<HashMap<(i32, Finish), Slice<HistoryPoint>>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let direction = if page.end == End::Start { "desc" } else { "asc" };
    let mut sql = Sql::new(connection);
    if let (true, HistoryInterval::Raw, HistorySource::Marketplace { slug, currency }) =
        (sql.is_postgres(), query.interval, &query.source)
    {
        // The index stops at the page's last row, a card at a time.
        sql.push("select s.* from ");
        push_keys(&mut sql, keys);
        sql.push(" join marketplaces m on ");
        push_marketplace(&mut sql, slug, *currency);
        sql.push(
            " cross join lateral (select s.card_id, s.finish, s.observed_at as time, s.marketplace_id, s.price, s.low, s.high
              from price_snapshots s
              where s.card_id = k.card_id and s.marketplace_id = m.id and s.finish = k.finish and s.language = k.language",
        );
        push_snapshot_conditions(&mut sql, query);
        push_bounds(&mut sql, page, "s.observed_at", "s.marketplace_id", false);
        sql.push(&format!(" order by s.observed_at {direction} limit {}) s", page.fetch()));
        sql.push(&format!(" order by card_id, finish, time {direction}"));
    } else {
        let of_days = query.interval != HistoryInterval::Raw;
        sql.push("select * from (select h.*, row_number() over (partition by card_id, finish order by ");
        sql.push(&format!("time {direction}, marketplace_id {direction}) as place from ("));
        push_points(&mut sql, keys, query);
        sql.push(") h where true");
        push_bounds(&mut sql, page, "time", "marketplace_id", of_days);
        sql.push(&format!(") ranked where place <= {} order by card_id, finish, place", page.fetch()));
    }
    let mut fetched: HashMap<(i32, Finish), Vec<HistoryPoint>> = HashMap::new();
    for point in sql.all::<HistoryPoint>(connection).await? {
        fetched.entry((point.card_id, point.finish)).or_default().push(point);
    }
    if let (true, HistorySource::Marketplace { slug, .. }) = (fetched.is_empty(), &query.source) {
        require_marketplace(connection, slug).await?;
    }
    // Of a card with nothing between the cursors too, for there may be something beyond them.
    for key in keys {
        fetched.entry((key.card_id, key.finish)).or_default();
    }
    let cut = |rows| {
        // A cursor whose point is gone: what lay beyond it did so when it was made.
        let known = |fact| fact != Fact::Known(false);
        let cut = page.cut(rows, HistoryPoint::key);
        Slice { has_previous: known(cut.previous), has_next: known(cut.next), rows: cut.rows }
    };
    Ok(fetched.into_iter().map(|(key, rows)| (key, cut(rows))).collect())
}

/// How many points the history of each key has.
///
/// # Errors
/// The database's.
pub async fn count_price_history(
    connection: &impl ConnectionTrait,
    keys: &[HistoryKey],
    query: &HistoryQuery,
) -> Result<HashMap<(i32, Finish), i64>> {
    #[derive(FromQueryResult)]
    struct Counted {
        card_id: i32,
        finish: Finish,
        n: i64,
    }
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::new(connection);
    sql.push("select card_id, finish, count(*) as n from (");
    push_points(&mut sql, keys, query);
    sql.push(") h group by card_id, finish");
    let rows = sql.all::<Counted>(connection).await?;
    Ok(rows.into_iter().map(|row| ((row.card_id, row.finish), row.n)).collect())
}

/// `(…) k(card_id, finish, language)`: the keys as a table.
fn push_keys(sql: &mut Sql, keys: &[HistoryKey]) {
    let rows = serde_json::Value::from_iter(
        keys.iter().map(|key| serde_json::json!([key.card_id, key.finish.to_value(), key.language])),
    );
    let rows = rows.to_string();
    if sql.is_postgres() {
        sql.push("(select (value ->> 0)::integer as card_id, (value ->> 1)::smallint as finish, value ->> 2 as language");
        sql.push(" from jsonb_array_elements(").bind(rows).push("::jsonb)) k");
    } else {
        sql.push(
            "(select value ->> 0 as card_id, value ->> 1 as finish, value ->> 2 as language from json_each(",
        );
        sql.bind(rows).push(")) k");
    }
}

/// The moment at which the window begins.
fn push_window(sql: &mut Sql, column: &str, window: HistoryWindow, of_days: bool) {
    let HistoryWindow::Days(days) = window else { return };
    sql.push(&format!(" and {column} >= "));
    match (sql.is_postgres(), of_days) {
        (true, false) => sql.push(&format!("(select newest_at - interval '{days} days' from store_state)")),
        (true, true) => {
            sql.push(&format!("(select (newest_at at time zone 'UTC')::date - {days} from store_state)"))
        }
        // Without its offset the text is before every moment of the same second.
        (false, false) => sql.push(&format!(
            "(select strftime('%Y-%m-%dT%H:%M:%S', newest_at, '-{days} days') from store_state)"
        )),
        (false, true) => sql.push(&format!("(select date(newest_at, '-{days} days') from store_state)")),
    };
}

fn push_marketplace(sql: &mut Sql, slug: &str, currency: Option<Currency>) {
    sql.push("m.slug = ").bind(slug);
    if let Some(currency) = currency {
        sql.push(" and m.currency = ").bind(currency.to_value());
    }
}

fn push_snapshot_conditions(sql: &mut Sql, query: &HistoryQuery) {
    sql.push(" and s.kind = ").bind(query.kind.to_value()).push(" and s.condition = 0");
    push_window(sql, "s.observed_at", query.window, false);
}

/// The points of the keys, over the whole window: `card_id, finish, time, marketplace_id, price, low, high`.
fn push_points(sql: &mut Sql, keys: &[HistoryKey], query: &HistoryQuery) {
    match (query.interval, &query.source) {
        (HistoryInterval::Raw, source) => push_snapshots(sql, keys, query, source),
        (HistoryInterval::Day, HistorySource::Currency(currency)) => push_days(sql, keys, query, *currency),
        (HistoryInterval::Day, source) => push_closing(sql, keys, query, source),
        (HistoryInterval::Week, source) => {
            sql.push("select card_id, finish, week as time, marketplace_id, price, low, high from (select card_id, finish, week,
                marketplace_id, price, min(low) over (partition by card_id, finish, week) as low,
                max(high) over (partition by card_id, finish, week) as high,
                row_number() over (partition by card_id, finish, week order by time desc) as age from (select d.*, ");
            sql.week_of("time").push(" as week from (");
            match source {
                HistorySource::Currency(currency) => push_days(sql, keys, query, *currency),
                HistorySource::Marketplace { .. } => push_closing(sql, keys, query, source),
            }
            sql.push(") d) w) v where age = 1");
        }
    }
}

fn push_snapshots(sql: &mut Sql, keys: &[HistoryKey], query: &HistoryQuery, source: &HistorySource) {
    sql.push(
        "select s.card_id, s.finish, s.observed_at as time, s.marketplace_id, s.price, s.low, s.high from ",
    );
    push_keys(sql, keys);
    sql.push(
        " join price_snapshots s on s.card_id = k.card_id and s.finish = k.finish and s.language = k.language
          join marketplaces m on m.id = s.marketplace_id where ",
    );
    match source {
        HistorySource::Marketplace { slug, currency } => push_marketplace(sql, slug, *currency),
        HistorySource::Currency(currency) => {
            sql.push("m.enabled and m.currency = ").bind(currency.to_value());
        }
    }
    push_snapshot_conditions(sql, query);
}

/// One marketplace's last price of each day.
fn push_closing(sql: &mut Sql, keys: &[HistoryKey], query: &HistoryQuery, source: &HistorySource) {
    sql.push("select card_id, finish, day as time, marketplace_id, price, low, high from (select card_id, finish, day,
        marketplace_id, price, min(coalesce(low, price)) over (partition by card_id, finish, day) as low,
        max(coalesce(high, price)) over (partition by card_id, finish, day) as high,
        row_number() over (partition by card_id, finish, day order by time desc) as age from (select r.*, ");
    sql.day_of("time").push(" as day from (");
    push_snapshots(sql, keys, query, source);
    sql.push(") r) o) c where age = 1");
}

/// The prices of days over all marketplaces, as ingest keeps them.
fn push_days(sql: &mut Sql, keys: &[HistoryKey], query: &HistoryQuery, currency: Currency) {
    sql.push("select d.card_id, d.finish, d.day as time, ").either("cast(0 as smallint)", "0");
    sql.push(" as marketplace_id, d.price, d.low, d.high from ");
    push_keys(sql, keys);
    sql.push(" join price_days d on d.card_id = k.card_id and d.finish = k.finish where d.currency = ");
    sql.bind(currency.to_value()).push(" and d.kind = ").bind(query.kind.to_value());
    push_window(sql, "d.day", query.window, true);
}

/// The rows between the page's cursors, those of the cursors included.
fn push_bounds(sql: &mut Sql, page: &Page, time: &str, marketplace: &str, of_days: bool) {
    for (bound, comparison) in [(&page.after, "<="), (&page.before, ">=")] {
        if let Some([KeyValue::Time(at), KeyValue::Int(id)]) = bound.as_deref() {
            sql.push(&format!(" and ({time}, {marketplace}) {comparison} ("));
            if of_days {
                sql.bind(at.date_naive());
            } else {
                sql.bind(*at);
            }
            sql.push(", ").bind(*id).push(")");
        }
    }
}
