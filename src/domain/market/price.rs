//! What a card costs now: over all marketplaces of a currency, or in each.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use entity::card_price;
use entity::enums::{Condition, Currency, Finish, PriceKind};
use sea_orm::{ActiveEnum, ConnectionTrait, DbErr, FromQueryResult, QueryResult};

use super::marketplace::require_marketplace;
use super::money::estimate;
use crate::db::{Columns, Sql};
use crate::error::Result;

/// An observation older than this, counted from the store's newest, is no price of today.
pub(super) const PRICE_LIFETIME: TimeDelta = TimeDelta::days(7);
/// A price older than this, counted likewise, is marked as stale.
pub(super) const FRESH: TimeDelta = TimeDelta::days(1);

/// Which price of a card is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CardPriceKey {
    pub card_id: i32,
    /// The card's own.
    pub language: String,
    pub finish: Finish,
    pub condition: Condition,
    /// Absent: the marketplace's, else US dollars.
    pub currency: Option<Currency>,
    /// The slug of the one marketplace that is meant.
    pub marketplace: Option<String>,
}

/// A price as it is answered; amounts in minor units, all 0 where nothing is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    pub known: bool,
    pub stale: bool,
    pub estimated: bool,
    pub currency: Currency,
    /// The median over the marketplaces.
    pub price: i64,
    pub buylist: Option<i64>,
    pub low: i64,
    pub high: i64,
    /// The mean over the marketplaces.
    pub market: i64,
    pub change_24h: PriceChange,
    pub change_7d: PriceChange,
    pub change_30d: PriceChange,
    pub observed_at: Option<DateTime<Utc>>,
}

/// How far a price has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PriceChange {
    /// In minor units.
    pub amount: i64,
    /// The price it is compared with; unknown where there is none.
    pub base: Option<i64>,
}

impl PriceChange {
    fn between(base: Option<i64>, now: i64) -> Self {
        Self { amount: base.map_or(0, |base| now - base), base }
    }

    /// In percent of the base; unknown where that is unknown or 0.
    #[expect(clippy::cast_precision_loss, reason = "amounts are far below 2^52")]
    pub fn percent(self) -> Option<f64> {
        let base = self.base.filter(|base| *base != 0)?;
        Some(self.amount as f64 * 100.0 / base as f64)
    }

    fn estimated(self, condition: Condition) -> Self {
        // Both ends are estimated, so that the change fits the price beside it.
        match self.base {
            Some(base) => {
                let then = estimate(base, condition);
                Self::between(Some(then), estimate(base + self.amount, condition))
            }
            None => self,
        }
    }
}

impl Price {
    /// What is answered where no price is known.
    fn unknown(currency: Currency) -> Self {
        Self {
            known: false,
            stale: false,
            estimated: false,
            currency,
            price: 0,
            buylist: None,
            low: 0,
            high: 0,
            market: 0,
            change_24h: PriceChange::default(),
            change_7d: PriceChange::default(),
            change_30d: PriceChange::default(),
            observed_at: None,
        }
    }

    fn over_marketplaces(row: &card_price::Model) -> Self {
        let change = |amount, base| PriceChange { amount, base };
        Self {
            known: true,
            stale: row.stale,
            estimated: false,
            currency: row.currency,
            price: row.price,
            buylist: row.buylist,
            low: row.low,
            high: row.high,
            market: row.market,
            change_24h: change(row.change_24h, row.base_24h),
            change_7d: change(row.change_7d, row.base_7d),
            change_30d: change(row.change_30d, row.base_30d),
            observed_at: Some(row.observed_at),
        }
    }

    fn in_marketplace(row: &MarketplacePrice, now: DateTime<Utc>, buylist: Option<i64>) -> Self {
        let price = row.price;
        Self {
            known: true,
            stale: row.observed_at < now - FRESH,
            estimated: false,
            currency: row.currency,
            price,
            buylist,
            low: row.low.unwrap_or(price),
            high: row.high.unwrap_or(price),
            market: row.market.unwrap_or(price),
            change_24h: PriceChange::between(row.base_24h, price),
            change_7d: PriceChange::between(row.base_7d, price),
            change_30d: PriceChange::between(row.base_30d, price),
            observed_at: Some(row.observed_at),
        }
    }

    /// A near-mint price, estimated for another condition.
    fn estimated(self, condition: Condition) -> Self {
        let scale = |amount| estimate(amount, condition);
        Self {
            estimated: true,
            price: scale(self.price),
            buylist: self.buylist.map(scale),
            low: scale(self.low),
            high: scale(self.high),
            market: scale(self.market),
            change_24h: self.change_24h.estimated(condition),
            change_7d: self.change_7d.estimated(condition),
            change_30d: self.change_30d.estimated(condition),
            ..self
        }
    }
}

/// The price of each key. One statement for all that name no marketplace, one for all that name one.
///
/// # Errors
/// ERR-3002 for an unknown marketplace; the database's.
pub async fn load_card_prices(
    connection: &impl ConnectionTrait,
    keys: &[CardPriceKey],
) -> Result<HashMap<CardPriceKey, Price>> {
    let (in_one, over_all): (Vec<_>, Vec<_>) = keys.iter().partition(|key| key.marketplace.is_some());
    let mut prices = load_over_marketplaces(connection, &over_all).await?;
    prices.extend(load_in_marketplaces(connection, &in_one).await?);
    Ok(prices)
}

async fn load_over_marketplaces(
    connection: &impl ConnectionTrait,
    keys: &[&CardPriceKey],
) -> Result<HashMap<CardPriceKey, Price>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let currency = |key: &CardPriceKey| key.currency.unwrap_or(Currency::Usd);
    let mut sql = Sql::by_keys(connection);
    sql.push("select * from card_prices where card_id").any_of_numbers(&distinct(keys, |key| key.card_id));
    sql.push(" and currency").any_of_numbers(&distinct(keys, |key| currency(key).to_value()));
    sql.push(" and condition").any_of_numbers(&conditions(keys.iter().map(|key| key.condition)));
    let rows = sql.all::<card_price::Model>(connection).await?;
    let rows: HashMap<_, _> =
        rows.iter().map(|row| ((row.card_id, row.currency, row.finish, row.condition), row)).collect();
    let answer = |key: &CardPriceKey| {
        let find = |condition| rows.get(&(key.card_id, currency(key), key.finish, condition));
        match (find(key.condition), find(Condition::NearMint)) {
            (Some(row), _) => Price::over_marketplaces(row),
            (None, Some(row)) => Price::over_marketplaces(row).estimated(key.condition),
            (None, None) => Price::unknown(currency(key)),
        }
    };
    Ok(keys.iter().map(|key| ((*key).clone(), answer(key))).collect())
}

#[derive(Debug, FromQueryResult)]
struct MarketplacePrice {
    slug: String,
    currency: Currency,
    now: Option<DateTime<Utc>>,
    card_id: i32,
    kind: PriceKind,
    finish: Finish,
    condition: Condition,
    language: String,
    observed_at: DateTime<Utc>,
    price: i64,
    low: Option<i64>,
    high: Option<i64>,
    market: Option<i64>,
    base_24h: Option<i64>,
    base_7d: Option<i64>,
    base_30d: Option<i64>,
}

async fn load_in_marketplaces(
    connection: &impl ConnectionTrait,
    keys: &[&CardPriceKey],
) -> Result<HashMap<CardPriceKey, Price>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let slugs: BTreeSet<String> = keys.iter().filter_map(|key| key.marketplace.clone()).collect();
    let mut sql = Sql::by_keys(connection);
    sql.push(
        "select m.slug, m.currency, (select newest_at from store_state) as now, l.card_id, l.kind, l.finish, l.condition,
                l.language, l.observed_at, l.price, l.low, l.high, l.market, l.base_24h, l.base_7d, l.base_30d
         from latest_prices l join marketplaces m on m.id = l.marketplace_id and m.enabled where l.card_id",
    );
    sql.any_of_numbers(&distinct(keys, |key| key.card_id));
    sql.push(" and m.slug").any_of_texts(&slugs.iter().cloned().collect::<Vec<_>>());
    sql.push(" and l.condition").any_of_numbers(&conditions(keys.iter().map(|key| key.condition)));
    let rows = sql.all::<MarketplacePrice>(connection).await?;
    let mut currencies: HashMap<String, Currency> =
        rows.iter().map(|row| (row.slug.clone(), row.currency)).collect();
    for slug in slugs {
        if let Entry::Vacant(unseen) = currencies.entry(slug) {
            let marketplace = require_marketplace(connection, unseen.key()).await?;
            unseen.insert(marketplace.currency);
        }
    }
    let current: HashMap<_, _> = rows
        .iter()
        .filter(|row| row.now.is_none_or(|now| row.observed_at >= now - PRICE_LIFETIME))
        .map(|row| {
            (
                (row.card_id, row.slug.as_str(), row.language.as_str(), row.kind, row.finish, row.condition),
                row,
            )
        })
        .collect();
    let answer = |key: &CardPriceKey| {
        let slug = key.marketplace.as_deref().unwrap_or_default();
        let find = |kind, condition| {
            current
                .get(&(key.card_id, slug, key.language.as_str(), kind, key.finish, condition))
                .filter(|row| key.currency.is_none_or(|currency| row.currency == currency))
        };
        let price = |condition| {
            find(PriceKind::Retail, condition).map(|row| {
                let buylist = find(PriceKind::Buylist, condition).map(|row| row.price);
                Price::in_marketplace(row, row.now.unwrap_or(row.observed_at), buylist)
            })
        };
        let of_marketplace = || currencies.get(slug).copied();
        price(key.condition)
            .or_else(|| Some(price(Condition::NearMint)?.estimated(key.condition)))
            .unwrap_or_else(|| Price::unknown(key.currency.or_else(of_marketplace).unwrap_or(Currency::Usd)))
    };
    Ok(keys.iter().map(|key| ((*key).clone(), answer(key))).collect())
}

/// Which latest prices of a card are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MarketPriceKey {
    pub card_id: i32,
    /// The card's own.
    pub language: String,
    pub currency: Option<Currency>,
    /// Absent: each that has a price.
    pub finish: Option<Finish>,
    pub condition: Condition,
    pub kind: PriceKind,
}

/// The latest price of a card in a marketplace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatestPriceRow {
    pub marketplace_id: i16,
    pub currency: Currency,
    pub kind: PriceKind,
    pub finish: Finish,
    pub condition: Condition,
    pub estimated: bool,
    pub price: i64,
    pub low: Option<i64>,
    pub mid: Option<i64>,
    pub high: Option<i64>,
    pub market: Option<i64>,
    pub observed_at: DateTime<Utc>,
}

/// The latest prices of each key, by marketplace and finish. One statement.
///
/// # Errors
/// The database's.
pub async fn load_latest_prices_by_card(
    connection: &impl ConnectionTrait,
    keys: &[MarketPriceKey],
) -> Result<HashMap<MarketPriceKey, Vec<LatestPriceRow>>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let borrowed: Vec<_> = keys.iter().collect();
    let mut sql = Sql::by_keys(connection);
    sql.push(SERIES);
    sql.push(" where l.card_id").any_of_numbers(&distinct(&borrowed, |key| key.card_id));
    sql.push(" and l.kind").any_of_numbers(&distinct(&borrowed, |key| key.kind.to_value()));
    sql.push(" and l.condition").any_of_numbers(&conditions(keys.iter().map(|key| key.condition)));
    let mut by_card: HashMap<i32, Vec<SeriesPrice>> = HashMap::new();
    for row in sql.all::<SeriesPrice>(connection).await? {
        by_card.entry(row.card_id).or_default().push(row);
    }
    let answer = |key: &MarketPriceKey| {
        let rows = by_card.get(&key.card_id).map(Vec::as_slice).unwrap_or_default();
        let fits = |row: &&SeriesPrice| {
            row.price.kind == key.kind
                && row.language == key.language
                && key.currency.is_none_or(|currency| row.price.currency == currency)
                && key.finish.is_none_or(|finish| row.price.finish == finish)
        };
        let exact = |row: &&SeriesPrice| row.price.condition == key.condition;
        let has_exact: BTreeSet<_> = rows
            .iter()
            .filter(fits)
            .filter(exact)
            .map(|row| (row.price.marketplace_id, row.price.finish))
            .collect();
        let mut answer: Vec<_> = rows
            .iter()
            .filter(fits)
            .filter(|row| exact(row) || !has_exact.contains(&(row.price.marketplace_id, row.price.finish)))
            .map(|row| row.price.in_condition(key.condition))
            .collect();
        answer.sort_by_key(|row| (row.marketplace_id, row.finish));
        answer
    };
    Ok(keys.iter().map(|key| (key.clone(), answer(key))).collect())
}

/// Latest prices in the order in which [`SeriesPrice`] reads them.
const SERIES: &str = "select l.card_id, l.language, l.marketplace_id, m.currency, l.kind, l.finish, l.condition, l.price, \
     l.low, l.mid, l.high, l.market, l.observed_at \
     from latest_prices l join marketplaces m on m.id = l.marketplace_id and m.enabled";

/// The latest price of every series of these cards: in each marketplace, of both kinds, in every finish, condition and
/// language that has one. One statement.
///
/// # Errors
/// The database's.
pub async fn load_series_prices(
    connection: &impl ConnectionTrait,
    cards: &[i32],
) -> Result<Vec<SeriesPrice>> {
    if cards.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::by_keys(connection);
    sql.push(SERIES).push(" where l.card_id").any_of_numbers(cards);
    Ok(sql.all(connection).await?)
}

/// A latest price with what it is looked up by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesPrice {
    pub card_id: i32,
    pub language: String,
    pub price: LatestPriceRow,
}

impl FromQueryResult for SeriesPrice {
    fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, DbErr> {
        let mut columns = Columns::of(row);
        Ok(Self {
            card_id: columns.take()?,
            language: columns.take()?,
            price: LatestPriceRow {
                marketplace_id: columns.take()?,
                currency: columns.take()?,
                kind: columns.take()?,
                finish: columns.take()?,
                condition: columns.take()?,
                estimated: false,
                price: columns.take()?,
                low: columns.take()?,
                mid: columns.take()?,
                high: columns.take()?,
                market: columns.take()?,
                observed_at: columns.take()?,
            },
        })
    }
}

impl LatestPriceRow {
    /// The same, or what another condition is worth of it.
    fn in_condition(&self, condition: Condition) -> Self {
        if self.condition == condition {
            return self.clone();
        }
        let scale = |amount| estimate(amount, condition);
        Self {
            condition,
            estimated: true,
            price: scale(self.price),
            low: self.low.map(scale),
            mid: self.mid.map(scale),
            high: self.high.map(scale),
            market: self.market.map(scale),
            ..self.clone()
        }
    }
}

fn distinct<K, V: Ord>(keys: &[&K], value: impl Fn(&K) -> V) -> Vec<V> {
    keys.iter().map(|key| value(key)).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The conditions asked for, and near mint, of which the others are estimated.
fn conditions(asked: impl Iterator<Item = Condition>) -> Vec<i16> {
    let asked: BTreeSet<i16> =
        asked.chain([Condition::NearMint]).map(|condition| condition.to_value()).collect();
    asked.into_iter().collect()
}
