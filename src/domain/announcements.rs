//! What an ingest has to tell: whose prices are new, which wants were met. A row a transaction of the ingest, written in
//! it; servers read what is new and tell those who listen. See docs/adr/0016-announcements.md.

use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use crate::db::{Count, Sql};
use crate::error::{Error, Result};

/// Announcements that are kept: those of two ingests of everything. A server that was away for longer has missed some.
const KEPT: i64 = 1_000;
/// Announcements that are read at once.
const READ: u32 = 50;

/// What one transaction of an ingest has to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    pub id: i64,
    /// Cards whose prices may be new.
    pub cards: Vec<i32>,
    /// Wants whose price has fallen to its target, each after its user.
    pub hits: Vec<(Uuid, Uuid)>,
}

/// Notes what there is to tell. To be called by one transaction at a time, so that numbers are in the order of commits.
///
/// # Errors
/// The database's.
pub async fn announce(
    transaction: &impl ConnectionTrait,
    cards: &[i32],
    hits: &[(Uuid, Uuid)],
) -> Result<()> {
    let json = |value: serde_json::Result<serde_json::Value>| {
        value.map_err(|error| Error::internal(format!("an announcement is no JSON: {error}")))
    };
    let cards = json(serde_json::to_value(cards))?;
    let hits = json(serde_json::to_value(hits))?;
    let mut sql = Sql::new(transaction);
    sql.push("insert into announcements (cards, hits) values (").bind(cards).push(", ").bind(hits);
    sql.push(") returning cast(id as bigint) as n");
    let id = sql.one::<Count>(transaction).await?.map_or(0, |row| row.n);
    let mut sql = Sql::new(transaction);
    sql.push("delete from announcements where id <= ").bind(id - KEPT);
    sql.run(transaction).await?;
    Ok(())
}

/// The number of the newest announcement; 0 before the first.
///
/// # Errors
/// The database's.
pub async fn newest_announcement(connection: &impl ConnectionTrait) -> Result<i64> {
    let mut sql = Sql::new(connection);
    sql.push("select cast(coalesce(max(id), 0) as bigint) as n from announcements");
    Ok(sql.one::<Count>(connection).await?.map_or(0, |row| row.n))
}

/// Those after this number, the oldest first, and not all at once.
///
/// # Errors
/// The database's.
pub async fn load_announcements(connection: &impl ConnectionTrait, after: i64) -> Result<Vec<Announcement>> {
    #[derive(FromQueryResult)]
    struct Row {
        id: i64,
        cards: serde_json::Value,
        hits: serde_json::Value,
    }
    let mut sql = Sql::new(connection);
    sql.push("select cast(id as bigint) as id, cards, hits from announcements where id > ").bind(after);
    sql.push(&format!(" order by id limit {READ}"));
    let read = |row: Row| Announcement {
        id: row.id,
        cards: serde_json::from_value(row.cards).unwrap_or_default(),
        hits: serde_json::from_value(row.hits).unwrap_or_default(),
    };
    Ok(sql.all::<Row>(connection).await?.into_iter().map(read).collect())
}
