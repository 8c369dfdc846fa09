//! Printings as they are answered, loaded by key. Lists show a [`CardRow`]; the long texts are [`CardDetails`], read
//! only where they are asked for.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use entity::enums::Rarity;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult, TryGetable};
use uuid::Uuid;

use super::attributes::{Colors, Finishes};
use super::record::{Face, Legalities, PurchaseUrls};
use crate::db::{Columns, Direction, Keyset, SortColumn, Sql};
use crate::error::Result;
use crate::pagination::{End, Key, KeyValue, ListId, Page, Slice};

/// Which columns of a printing are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardColumns {
    /// What lists show.
    Row,
    /// The long texts as well.
    RowAndDetails,
}

impl CardColumns {
    /// The select list, for a `cards` under the alias `c`.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Row => ROW,
            Self::RowAndDetails => ROW_AND_DETAILS,
        }
    }
}

macro_rules! row {
    () => {
        "c.id, c.scryfall_id, c.oracle_id, c.piece_id, c.set_code, c.collector_number, c.collector_key, c.language, \
         c.name, c.name_key, c.layout, c.rarity, c.type_line, c.mana_cost, c.mana_value, c.colors, c.color_identity, \
         c.finishes, c.released_on, c.promo, c.digital, c.reserved, c.artist, c.power, c.toughness, c.loyalty, \
         c.image_url, c.scryfall_url"
    };
}

/// In the order in which [`CardRow`] reads them.
const ROW: &str = row!();
const ROW_AND_DETAILS: &str =
    concat!(row!(), ", c.oracle_text, c.flavor_text, c.keywords, c.faces, c.legalities, c.purchase_urls");

/// A printing as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct CardRow {
    pub id: i32,
    pub scryfall_id: Uuid,
    pub oracle_id: Option<Uuid>,
    pub piece_id: Uuid,
    pub set_code: String,
    pub collector_number: String,
    pub collector_key: String,
    pub language: String,
    pub name: String,
    pub name_key: String,
    pub layout: String,
    pub rarity: Rarity,
    pub type_line: String,
    pub mana_cost: Option<String>,
    pub mana_value: f64,
    pub colors: Colors,
    pub color_identity: Colors,
    pub finishes: Finishes,
    pub released_on: Option<NaiveDate>,
    pub promo: bool,
    pub digital: bool,
    pub reserved: bool,
    pub artist: Option<String>,
    pub power: Option<String>,
    pub toughness: Option<String>,
    pub loyalty: Option<String>,
    /// The picture of normal size.
    pub image_url: Option<String>,
    pub scryfall_url: Option<String>,
    /// Where they were read with the row.
    pub details: Option<Arc<CardDetails>>,
    /// The price that the list is sorted by, where it is.
    pub sort_price: Option<i64>,
}

/// The long texts of a printing.
#[derive(Debug, Clone, PartialEq)]
pub struct CardDetails {
    pub oracle_text: Option<String>,
    pub flavor_text: Option<String>,
    pub keywords: Vec<String>,
    pub faces: Vec<Face>,
    pub legalities: Legalities,
    pub purchase_urls: PurchaseUrls,
}

impl FromQueryResult for CardRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.take()?,
            scryfall_id: columns.take()?,
            oracle_id: columns.take()?,
            piece_id: columns.take()?,
            set_code: columns.take()?,
            collector_number: columns.take()?,
            collector_key: columns.take()?,
            language: columns.take()?,
            name: columns.take()?,
            name_key: columns.take()?,
            layout: columns.take()?,
            rarity: columns.take()?,
            type_line: columns.take()?,
            mana_cost: columns.take()?,
            mana_value: columns.take()?,
            colors: Colors::from_bits(columns.take()?),
            color_identity: Colors::from_bits(columns.take()?),
            finishes: Finishes::from_bits(columns.take()?),
            released_on: columns.take()?,
            promo: columns.take()?,
            digital: columns.take()?,
            reserved: columns.take()?,
            artist: columns.take()?,
            power: columns.take()?,
            toughness: columns.take()?,
            loyalty: columns.take()?,
            image_url: columns.take()?,
            scryfall_url: columns.take()?,
            details: if_selected(CardDetails::from_query_result(row, prefix))?.map(Arc::new),
            sort_price: if_selected(row.try_get(prefix, "sort_price"))?,
        })
    }
}

/// A column that the statement may not have selected.
fn if_selected<T>(read: Result<T, DbErr>) -> Result<Option<T>, DbErr> {
    use sea_orm::RuntimeErr::SqlxError;
    match read {
        Ok(value) => Ok(Some(value)),
        Err(DbErr::Query(SqlxError(error))) if matches!(*error, sqlx::Error::ColumnNotFound(_)) => Ok(None),
        Err(DbErr::Type(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

impl FromQueryResult for CardDetails {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            oracle_text: row.try_get(prefix, "oracle_text")?,
            flavor_text: row.try_get(prefix, "flavor_text")?,
            keywords: get_json(row, prefix, "keywords")?,
            faces: get_json(row, prefix, "faces")?,
            legalities: get_json(row, prefix, "legalities")?,
            purchase_urls: get_json(row, prefix, "purchase_urls")?,
        })
    }
}

fn get_json<T: serde::de::DeserializeOwned>(
    row: &QueryResult,
    prefix: &str,
    column: &str,
) -> Result<T, DbErr> {
    let value = serde_json::Value::try_get(row, prefix, column)?;
    serde_json::from_value(value).map_err(|error| DbErr::Json(format!("{column}: {error}")))
}

/// # Errors
/// The database's.
pub async fn load_cards_by_scryfall_id(
    connection: &impl ConnectionTrait,
    ids: &[Uuid],
    columns: CardColumns,
) -> Result<Vec<CardRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::by_keys(connection);
    sql.push("select ").push(columns.sql()).push(" from cards c where c.scryfall_id").any_of_uuids(ids);
    Ok(sql.all(connection).await?)
}

/// # Errors
/// The database's.
pub async fn load_cards_by_id(
    connection: &impl ConnectionTrait,
    ids: &[i32],
    columns: CardColumns,
) -> Result<Vec<CardRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::by_keys(connection);
    sql.push("select ").push(columns.sql()).push(" from cards c where c.id").any_of_numbers(ids);
    Ok(sql.all(connection).await?)
}

/// # Errors
/// The database's.
pub async fn load_card_details_by_id(
    connection: &impl ConnectionTrait,
    ids: &[i32],
) -> Result<HashMap<i32, Arc<CardDetails>>> {
    let rows = load_cards_by_id(connection, ids, CardColumns::RowAndDetails).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.id, row.details?))).collect())
}

/// The order of a game piece's printings, newest first. Those without a date count as the oldest.
fn printing_order() -> Keyset {
    Keyset {
        columns: vec![
            SortColumn::new("coalesce(c.released_on, '0001-01-01')", "released_on"),
            SortColumn::new("c.id", "id"),
        ],
        nullable: false,
        direction: Direction::Descending,
    }
}

/// The list that a cursor over a game piece's printings belongs to.
pub fn printing_list_id(piece: Uuid) -> ListId {
    ListId::new("printings", piece)
}

impl CardRow {
    /// Its place among the printings of its game piece.
    pub fn printing_key(&self) -> Key {
        vec![KeyValue::Date(self.released_on.unwrap_or(NO_DATE)), KeyValue::Int(self.id.into())]
    }
}

/// The date that stands for an unknown one where printings are ordered.
const NO_DATE: NaiveDate = match NaiveDate::from_ymd_opt(1, 1, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

/// The same page of the printings of each game piece, in one statement.
///
/// # Errors
/// The database's.
pub async fn load_printings_by_piece(
    connection: &impl ConnectionTrait,
    pieces: &[Uuid],
    page: &Page,
    columns: CardColumns,
) -> Result<HashMap<Uuid, Slice<CardRow>>> {
    if pieces.is_empty() {
        return Ok(HashMap::new());
    }
    let order = printing_order();
    let direction = if page.end == End::Start { "desc" } else { "asc" };
    let mut sql = Sql::by_keys(connection);
    sql.push("select * from (select ").push(columns.sql());
    sql.push(&format!(
        ", row_number() over (partition by c.piece_id order by {} {direction}, c.id {direction}) as place",
        order.columns[0].sql
    ));
    sql.push(" from cards c where c.piece_id").any_of_uuids(pieces);
    for (bound, comparison) in [(&page.after, "<="), (&page.before, ">=")] {
        if let Some([KeyValue::Date(date), KeyValue::Int(id)]) = bound.as_deref() {
            sql.push(&format!(" and ({}, c.id) {comparison} (", order.columns[0].sql));
            sql.bind(*date).push(", ").bind(*id).push(")");
        }
    }
    sql.push(&format!(") ranked where place <= {} order by piece_id, place", page.fetch()));
    // Of a piece with nothing between the cursors too, for there may be something beyond them.
    let mut fetched: HashMap<Uuid, Vec<CardRow>> = pieces.iter().map(|piece| (*piece, Vec::new())).collect();
    for row in sql.all::<CardRow>(connection).await? {
        fetched.entry(row.piece_id).or_default().push(row);
    }
    let cut = |rows| {
        // A cursor whose printing is gone: what lay beyond it did so when it was made.
        let known = |fact| !matches!(fact, crate::pagination::Fact::Known(false));
        let cut = page.cut(rows, CardRow::printing_key);
        Slice { has_previous: known(cut.previous), has_next: known(cut.next), rows: cut.rows }
    };
    Ok(fetched.into_iter().map(|(piece, rows)| (piece, cut(rows))).collect())
}

/// # Errors
/// The database's.
pub async fn count_printings_by_piece(
    connection: &impl ConnectionTrait,
    pieces: &[Uuid],
) -> Result<HashMap<Uuid, i64>> {
    #[derive(FromQueryResult)]
    struct PieceCount {
        piece_id: Uuid,
        n: i64,
    }
    if pieces.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::by_keys(connection);
    sql.push("select piece_id, count(*) as n from cards where piece_id").any_of_uuids(pieces);
    sql.push(" group by piece_id");
    let rows = sql.all::<PieceCount>(connection).await?;
    Ok(rows.into_iter().map(|row| (row.piece_id, row.n)).collect())
}
