//! Sets: loaded by code or id, listed newest first.

use chrono::NaiveDate;
use entity::card_set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter};
use uuid::Uuid;

use crate::db::{Count, Direction, Keyset, Listed, Segment, SortColumn, Sql, fetch_page};
use crate::error::Result;
use crate::pagination::{Key, KeyValue, ListId, Page, Slice};

/// The namespace of the ids that are derived from set codes.
const SETS: Uuid = Uuid::from_u128(0x6f0c_2d52_91b1_4f5e_9f8b_3f0a_7a5e_21c4);

/// A set's id: the same on every store, since MTGJSON does not say Scryfall's.
pub fn set_uuid(code: &str) -> Uuid {
    Uuid::new_v5(&SETS, code.as_bytes())
}

/// A set as it is answered.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub struct SetRow {
    pub id: i32,
    pub uuid: Uuid,
    pub code: String,
    pub name: String,
    pub kind: String,
    pub released_on: Option<NaiveDate>,
    pub icon_url: Option<String>,
    pub card_count: i32,
}

/// # Errors
/// The database's.
pub async fn load_sets_by_code(connection: &impl ConnectionTrait, codes: &[String]) -> Result<Vec<SetRow>> {
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::by_keys(connection);
    sql.push("select ").push(COLUMNS).push(" from card_sets where code").any_of_texts(codes);
    Ok(sql.all(connection).await?)
}

/// # Errors
/// The database's.
pub async fn load_sets_by_uuid(connection: &impl ConnectionTrait, uuids: &[Uuid]) -> Result<Vec<SetRow>> {
    if uuids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = card_set::Entity::find().filter(card_set::Column::Uuid.is_in(uuids.iter().copied()));
    Ok(rows.into_model().all(connection).await?)
}

const COLUMNS: &str = "id, uuid, code, name, kind, released_on, icon_url, card_count";

/// The list that a cursor over these sets belongs to.
pub fn set_list_id(kinds: Option<&[String]>) -> ListId {
    ListId::new("sets", kinds)
}

struct Sets<'a> {
    kinds: Option<&'a [String]>,
}

impl Listed for Sets<'_> {
    fn columns(&self, _: Segment) -> String {
        COLUMNS.to_owned()
    }

    fn source(&self, sql: &mut Sql, segment: Segment) {
        sql.push(match segment {
            Segment::Known => "from card_sets where released_on is not null",
            Segment::Unknown => "from card_sets where released_on is null",
        });
        if let Some(kinds) = self.kinds {
            sql.push(" and kind").any_of_texts(kinds);
        }
    }
}

/// A page of sets, newest first; those without a date last.
///
/// # Errors
/// The database's.
pub async fn list_sets(
    connection: &impl ConnectionTrait,
    kinds: Option<&[String]>,
    page: &Page,
) -> Result<Slice<SetRow>> {
    let column = |name| SortColumn::new(name, name);
    let keyset = Keyset {
        columns: vec![column("released_on"), column("id")],
        nullable: true,
        direction: Direction::Descending,
    };
    fetch_page(connection, &Sets { kinds }, &keyset, page, SetRow::key).await
}

/// # Errors
/// The database's.
pub async fn count_sets(connection: &impl ConnectionTrait, kinds: Option<&[String]>) -> Result<i64> {
    let mut sql = Sql::new(connection);
    sql.push("select count(*) as n from card_sets");
    if let Some(kinds) = kinds {
        sql.push(" where kind").any_of_texts(kinds);
    }
    Ok(sql.one::<Count>(connection).await?.map_or(0, |count| count.n))
}

impl SetRow {
    /// Its place in the list of sets.
    pub fn key(&self) -> Key {
        vec![self.released_on.map_or(KeyValue::Null, KeyValue::Date), KeyValue::Int(self.id.into())]
    }
}
