//! The four queries by hand: as many statements as the server sends, each for all keys at once, and no layer between
//! the rows and the bytes.

use std::cmp::Reverse;

use chrono::{DateTime, NaiveDate, Utc};
use deadpool_postgres::{Client, Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls, Row};
use uuid::Uuid;

use crate::Result;
use crate::json::Json;

const CARD: &str = "select id, scryfall_id, name, collector_number, rarity, set_code, language, type_line
    from cards where scryfall_id = $1";
// The match first, and then its order: a prepared statement's general plan walks the index of the order otherwise. Only
// what orders is kept of it, and the twenty that are shown are read again.
const SEARCH: &str = "with matched as materialized (
        select id, name_key from cards where place = 1 and not extra and name_key like $1
    ), shown as (
        select id from matched order by name_key, id limit 20
    )
    select c.id, c.scryfall_id, c.name, c.collector_number, c.rarity, c.set_code, c.language, c.type_line
    from shown join cards c on c.id = shown.id order by c.name_key, c.id";
const USER: &str = "select id from users where id = $1";
const ITEMS: &str = "select id, card_id, quantity, condition, finish, language, created_at
    from inventory_items where user_id = $1 order by created_at desc, id desc limit 50";
const HELD: &str = "select id, scryfall_id, name, collector_number, rarity, set_code, language, type_line
    from cards where id = any($1)";
const SETS: &str = "select code, name, released_on from card_sets where code = any($1)";
// Prices of other languages than the card's are so few that leaving them out here beats a join with `unnest`.
const PRICES: &str = "select card_id, marketplace_id, finish, observed_at, price, low, high, market, language
    from latest_prices where card_id = any($1) and kind = 0 and condition = 0";
const MARKETPLACES: &str = "select id, slug, name from marketplaces where id = any($1)";
const NODES: &str = "select id, scryfall_id, name, finishes, language from cards where scryfall_id = any($1)";
const HISTORY: &str = "select k.card_id, h.observed_at, h.price
    from unnest($1::integer[], $2::smallint[], $3::text[]) as k (card_id, finish, language)
    cross join lateral (
        select s.observed_at, s.price from price_snapshots s
        where s.card_id = k.card_id and s.marketplace_id = (select id from marketplaces where slug = $4)
        and s.kind = 0 and s.finish = k.finish and s.condition = 0 and s.language = k.language
        order by s.observed_at desc limit 10
    ) h";

const RARITIES: [&str; 6] = ["COMMON", "UNCOMMON", "RARE", "MYTHIC", "SPECIAL", "BONUS"];
const FINISHES: [&str; 3] = ["NONFOIL", "FOIL", "ETCHED"];
const CONDITIONS: [&str; 5] =
    ["NEAR_MINT", "LIGHTLY_PLAYED", "MODERATELY_PLAYED", "HEAVILY_PLAYED", "DAMAGED"];

/// The database, and the answers from it.
#[derive(Clone)]
pub struct Yardstick {
    pool: Pool,
}

impl Yardstick {
    /// # Errors
    /// A pool that cannot be made.
    pub fn new(config: Config, connections: usize) -> Result<Self> {
        // Fast: no statement to see whether a connection lives. The server's pool does not ask either.
        let manager =
            Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        Ok(Self { pool: Pool::builder(manager).max_size(connections).build()? })
    }

    /// Q1: a card with its set and the latest price in each marketplace.
    ///
    /// # Errors
    /// The database's.
    pub async fn point(&self, id: Uuid) -> Result<Vec<u8>> {
        let client = self.pool.get().await?;
        let mut json = Json::with_capacity(2 << 10);
        json.raw("{\"data\":{\"card\":");
        let rows = rows(&client, CARD, &[&id]).await?;
        match Shown::load(&client, &rows).await? {
            Some(shown) => shown.cards.iter().try_for_each(|card| write_point(&mut json, card, &shown))?,
            None => {
                json.raw("null");
            }
        }
        json.raw("}}");
        Ok(json.into_bytes())
    }

    /// Q2: a user's first 50 inventory items, each with its card, the card's set and latest prices.
    ///
    /// # Errors
    /// The database's.
    pub async fn inventory(&self, user: Uuid) -> Result<Vec<u8>> {
        let client = self.pool.get().await?;
        // Neither needs the other: both are sent at once.
        let of_user: [Value; 1] = [&user];
        let (users, items) = tokio::try_join!(rows(&client, USER, &of_user), rows(&client, ITEMS, &of_user))?;
        let mut json = Json::with_capacity(64 << 10);
        json.raw("{\"data\":{\"viewer\":");
        if users.is_empty() {
            json.raw("null}}");
            return Ok(json.into_bytes());
        }
        let items = items.iter().map(Item::read).collect::<Result<Vec<_>>>()?;
        let mut ids: Vec<i32> = items.iter().map(|item| item.card_id).collect();
        ids.sort_unstable();
        ids.dedup();
        // An empty inventory needs no cards.
        let cards = if ids.is_empty() { Vec::new() } else { rows(&client, HELD, &[&ids]).await? };
        json.raw("{\"inventory\":{\"nodes\":");
        match Shown::load(&client, &cards).await? {
            Some(shown) => json.list(&items, |json, item| write_item(json, item, &shown))?,
            None => json.raw("[]"),
        };
        json.raw("}}}}");
        Ok(json.into_bytes())
    }

    /// Q3: 20 cards whose name holds a term, with their sets and latest prices. The term counts as one word: the
    /// server finds "black lotus" in any card that has both, this one only side by side.
    ///
    /// # Errors
    /// The database's.
    pub async fn search(&self, term: &str) -> Result<Vec<u8>> {
        let client = self.pool.get().await?;
        let mut pattern = String::with_capacity(term.len() + 2);
        pattern.push('%');
        for character in term.chars() {
            if matches!(character, '\\' | '%' | '_') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern.push('%');
        let mut json = Json::with_capacity(24 << 10);
        json.raw("{\"data\":{\"cards\":{\"nodes\":");
        let rows = rows(&client, SEARCH, &[&pattern]).await?;
        match Shown::load(&client, &rows).await? {
            Some(shown) => json.list(&shown.cards, |json, card| write_found(json, card, &shown))?,
            None => json.raw("[]"),
        };
        json.raw("}}}");
        Ok(json.into_bytes())
    }

    /// Q4: the last ten snapshots of each card in one marketplace, in the card's own finish and language.
    ///
    /// # Errors
    /// The database's.
    pub async fn history(&self, ids: &[Uuid], marketplace: &str) -> Result<Vec<u8>> {
        let client = self.pool.get().await?;
        let rows = rows(&client, NODES, &[&ids]).await?;
        let nodes = rows.iter().map(Node::read).collect::<Result<Vec<_>>>()?;
        let points = load_points(&client, &nodes, marketplace).await?;
        let mut json = Json::with_capacity(16 << 10);
        json.raw("{\"data\":{\"nodes\":");
        json.list(ids, |json, id| {
            let Some(node) = nodes.iter().find(|node| node.scryfall_id == *id) else {
                json.raw("null");
                return Ok(());
            };
            json.raw("{\"id\":").card_id(node.scryfall_id).raw(",\"name\":").text(node.name);
            json.raw(",\"priceHistory\":{\"nodes\":");
            json.list(of_card(&points, node.id, |point| point.card_id), |json, point| {
                json.raw("{\"time\":").time(point.time).raw(",\"price\":").amount(point.price).raw("}");
                Ok(())
            })?;
            json.raw("}}");
            Ok(())
        })?;
        json.raw("}}");
        Ok(json.into_bytes())
    }
}

type Value<'a> = &'a (dyn ToSql + Sync);

async fn rows(client: &Client, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, values).await?)
}

/// A printing, its texts borrowed from its row.
struct Card<'a> {
    id: i32,
    scryfall_id: Uuid,
    name: &'a str,
    collector_number: &'a str,
    rarity: &'static str,
    set_code: &'a str,
    language: &'a str,
    type_line: &'a str,
}

impl<'a> Card<'a> {
    fn read(row: &'a Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get(0)?,
            scryfall_id: row.try_get(1)?,
            name: row.try_get(2)?,
            collector_number: row.try_get(3)?,
            rarity: named(&RARITIES, row.try_get(4)?)?,
            set_code: row.try_get(5)?,
            language: row.try_get(6)?,
            type_line: row.try_get(7)?,
        })
    }
}

/// What a user holds of a printing.
struct Item<'a> {
    id: Uuid,
    card_id: i32,
    quantity: i32,
    condition: &'static str,
    finish: &'static str,
    language: &'a str,
    created_at: DateTime<Utc>,
}

impl<'a> Item<'a> {
    fn read(row: &'a Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get(0)?,
            card_id: row.try_get(1)?,
            quantity: row.try_get(2)?,
            condition: named(&CONDITIONS, row.try_get(3)?)?,
            finish: named(&FINISHES, row.try_get(4)?)?,
            language: row.try_get(5)?,
            created_at: row.try_get(6)?,
        })
    }
}

struct MarketPrice {
    card_id: i32,
    marketplace_id: i16,
    finish: i16,
    observed_at: DateTime<Utc>,
    price: i64,
    low: Option<i64>,
    high: Option<i64>,
    market: Option<i64>,
}

impl MarketPrice {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            card_id: row.try_get(0)?,
            marketplace_id: row.try_get(1)?,
            finish: row.try_get(2)?,
            observed_at: row.try_get(3)?,
            price: row.try_get(4)?,
            low: row.try_get(5)?,
            high: row.try_get(6)?,
            market: row.try_get(7)?,
        })
    }
}

/// The prices in the language of their card.
fn shown_prices(rows: &[Row], cards: &[Card]) -> Result<Vec<MarketPrice>> {
    let mut prices = Vec::with_capacity(rows.len());
    let mut card = None;
    for row in rows {
        let price = MarketPrice::read(row)?;
        let language: &str = row.try_get(8)?;
        // Most come behind another of the same card.
        if card.is_none_or(|card: &Card| card.id != price.card_id) {
            card = cards.iter().find(|card| card.id == price.card_id);
        }
        if card.is_some_and(|card| card.language == language) {
            prices.push(price);
        }
    }
    Ok(prices)
}

/// Cards with all that is shown of them. Sets and marketplaces are so few that looking through them beats a map.
struct Shown<'a> {
    cards: Vec<Card<'a>>,
    sets: Vec<Row>,
    /// By card, marketplace and finish.
    prices: Vec<MarketPrice>,
    marketplaces: Vec<Row>,
}

impl<'a> Shown<'a> {
    /// None of no cards, without a statement.
    async fn load(client: &Client, rows_of_cards: &'a [Row]) -> Result<Option<Self>> {
        if rows_of_cards.is_empty() {
            return Ok(None);
        }
        let cards = rows_of_cards.iter().map(Card::read).collect::<Result<Vec<_>>>()?;
        let mut codes: Vec<&str> = cards.iter().map(|card| card.set_code).collect();
        codes.sort_unstable();
        codes.dedup();
        let ids: Vec<i32> = cards.iter().map(|card| card.id).collect();
        // Neither needs the other: both are sent at once.
        let (of_sets, of_prices): ([Value; 1], [Value; 1]) = ([&codes], [&ids]);
        let (sets, prices) =
            tokio::try_join!(rows(client, SETS, &of_sets), rows(client, PRICES, &of_prices))?;
        let mut prices = shown_prices(&prices, &cards)?;
        prices.sort_unstable_by_key(|price| (price.card_id, price.marketplace_id, price.finish));
        let mut marketplaces: Vec<i16> = prices.iter().map(|price| price.marketplace_id).collect();
        marketplaces.sort_unstable();
        marketplaces.dedup();
        // Cards without a price need no marketplace.
        let marketplaces = if marketplaces.is_empty() {
            Vec::new()
        } else {
            rows(client, MARKETPLACES, &[&marketplaces]).await?
        };
        Ok(Some(Self { cards, sets, prices, marketplaces }))
    }

    fn card(&self, id: i32) -> Result<&Card<'a>> {
        self.cards.iter().find(|card| card.id == id).ok_or_else(|| "a card is missing".into())
    }

    fn set(&self, card: &Card) -> Result<&Row> {
        find_row(&self.sets, |row| Ok(row.try_get::<_, &str>(0)? == card.set_code))
    }

    fn prices(&self, card: &Card) -> &[MarketPrice] {
        of_card(&self.prices, card.id, |price| price.card_id)
    }

    /// `{"marketplace":…` of a price, still open.
    fn write_marketplace(&self, json: &mut Json, price: &MarketPrice) -> Result<()> {
        let row = find_row(&self.marketplaces, |row| Ok(row.try_get::<_, i16>(0)? == price.marketplace_id))?;
        json.raw("{\"marketplace\":{\"slug\":").text(row.try_get(1)?);
        json.raw(",\"name\":").text(row.try_get(2)?).raw("}");
        Ok(())
    }
}

fn write_point(json: &mut Json, card: &Card, shown: &Shown) -> Result<()> {
    let set = shown.set(card)?;
    json.raw("{\"id\":").card_id(card.scryfall_id).raw(",\"name\":").text(card.name);
    json.raw(",\"collectorNumber\":").text(card.collector_number);
    json.raw(",\"rarity\":\"").raw(card.rarity).raw("\",\"typeLine\":").text(card.type_line);
    json.raw(",\"set\":{\"code\":").text(set.try_get(0)?).raw(",\"name\":").text(set.try_get(1)?);
    json.raw(",\"releasedOn\":").date_or_null(set.try_get::<_, Option<NaiveDate>>(2)?);
    json.raw("},\"marketPrices\":").list(shown.prices(card), |json, price| {
        shown.write_marketplace(json, price)?;
        json.raw(",\"finish\":\"").raw(named(&FINISHES, price.finish)?);
        json.raw("\",\"condition\":\"NEAR_MINT\",\"price\":").amount(price.price);
        json.raw(",\"low\":").amount_or_null(price.low).raw(",\"high\":").amount_or_null(price.high);
        json.raw(",\"market\":").amount_or_null(price.market);
        json.raw(",\"observedAt\":").time(price.observed_at).raw("}");
        Ok(())
    })?;
    json.raw("}");
    Ok(())
}

fn write_found(json: &mut Json, card: &Card, shown: &Shown) -> Result<()> {
    let set = shown.set(card)?;
    json.raw("{\"id\":").card_id(card.scryfall_id).raw(",\"name\":").text(card.name);
    json.raw(",\"collectorNumber\":").text(card.collector_number).raw(",\"rarity\":\"").raw(card.rarity);
    json.raw("\",\"set\":{\"code\":").text(set.try_get(0)?).raw(",\"name\":").text(set.try_get(1)?);
    json.raw("},\"marketPrices\":").list(shown.prices(card), |json, price| {
        shown.write_marketplace(json, price)?;
        json.raw(",\"finish\":\"").raw(named(&FINISHES, price.finish)?);
        json.raw("\",\"price\":").amount(price.price);
        json.raw(",\"observedAt\":").time(price.observed_at).raw("}");
        Ok(())
    })?;
    json.raw("}");
    Ok(())
}

fn write_item(json: &mut Json, item: &Item, shown: &Shown) -> Result<()> {
    let card = shown.card(item.card_id)?;
    let set = shown.set(card)?;
    json.raw("{\"id\":").item_id(item.id).raw(",\"quantity\":").number(item.quantity);
    json.raw(",\"condition\":\"").raw(item.condition).raw("\",\"finish\":\"").raw(item.finish);
    json.raw("\",\"language\":").text(item.language).raw(",\"createdAt\":").time(item.created_at);
    json.raw(",\"card\":{\"id\":").card_id(card.scryfall_id).raw(",\"name\":").text(card.name);
    json.raw(",\"collectorNumber\":").text(card.collector_number).raw(",\"rarity\":\"").raw(card.rarity);
    json.raw("\",\"set\":{\"code\":").text(set.try_get(0)?).raw(",\"name\":").text(set.try_get(1)?);
    json.raw("},\"marketPrices\":").list(shown.prices(card), |json, price| {
        shown.write_marketplace(json, price)?;
        json.raw(",\"finish\":\"").raw(named(&FINISHES, price.finish)?);
        json.raw("\",\"condition\":\"NEAR_MINT\",\"price\":").amount(price.price);
        json.raw(",\"observedAt\":").time(price.observed_at).raw("}");
        Ok(())
    })?;
    json.raw("}}");
    Ok(())
}

/// A card whose history is asked for.
struct Node<'a> {
    id: i32,
    scryfall_id: Uuid,
    name: &'a str,
    finish: i16,
    language: &'a str,
}

impl<'a> Node<'a> {
    fn read(row: &'a Row) -> Result<Self> {
        let finishes: i16 = row.try_get(3)?;
        // The first of its finishes is the lowest bit.
        let finish = FINISHES.iter().zip(0..).find(|(_, bit)| finishes & (1 << bit) != 0);
        Ok(Self {
            id: row.try_get(0)?,
            scryfall_id: row.try_get(1)?,
            name: row.try_get(2)?,
            finish: finish.map_or(0, |(_, bit)| bit),
            language: row.try_get(4)?,
        })
    }
}

struct Point {
    card_id: i32,
    time: DateTime<Utc>,
    price: i64,
}

/// By card, each card's newest first.
async fn load_points(client: &Client, nodes: &[Node<'_>], marketplace: &str) -> Result<Vec<Point>> {
    if nodes.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i32> = nodes.iter().map(|node| node.id).collect();
    let finishes: Vec<i16> = nodes.iter().map(|node| node.finish).collect();
    let languages: Vec<&str> = nodes.iter().map(|node| node.language).collect();
    let rows = rows(client, HISTORY, &[&ids, &finishes, &languages, &marketplace]).await?;
    let read = |row: &Row| {
        Result::Ok(Point { card_id: row.try_get(0)?, time: row.try_get(1)?, price: row.try_get(2)? })
    };
    let mut points = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    // They come in order already, card by card; only nothing promises it.
    points.sort_unstable_by_key(|point| (point.card_id, Reverse(point.time)));
    Ok(points)
}

/// The run of one card in a list that is sorted by card.
fn of_card<T>(sorted: &[T], id: i32, card_id: impl Fn(&T) -> i32) -> &[T] {
    let start = sorted.partition_point(|item| card_id(item) < id);
    let length = sorted[start..].partition_point(|item| card_id(item) == id);
    &sorted[start..start + length]
}

/// The first row that is the one.
fn find_row(
    rows: &[Row],
    is_it: impl Fn(&Row) -> std::result::Result<bool, tokio_postgres::Error>,
) -> Result<&Row> {
    for row in rows {
        if is_it(row)? {
            return Ok(row);
        }
    }
    Err("a set or a marketplace is missing".into())
}

fn named(names: &[&'static str], number: i16) -> Result<&'static str> {
    let name = usize::try_from(number).ok().and_then(|number| names.get(number));
    name.copied().ok_or_else(|| format!("{number} is stored, but not one of {names:?}").into())
}
