//! The store as a whole: what is in it, and whether that was generated.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::db::{Bulk, Sql};
use crate::domain::collection::remove_invented;
use crate::error::{Error, Result};

/// What a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromQueryResult)]
pub struct Contents {
    pub cards: i64,
    /// The rows are a generated market.
    pub demo: bool,
    /// The newest snapshot: what prices call "now".
    pub newest_at: Option<DateTime<Utc>>,
}

/// # Errors
/// The database's.
pub async fn load_contents(connection: &impl ConnectionTrait) -> Result<Contents> {
    let mut sql = Sql::new(connection);
    sql.push("select (select count(*) from cards) as cards, demo, newest_at from store_state");
    let contents = sql.one::<Contents>(connection).await?;
    contents.ok_or_else(|| Error::internal("store_state has no row"))
}

/// The newest snapshot: what prices call "now".
///
/// # Errors
/// The database's.
pub async fn load_newest(connection: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>> {
    #[derive(FromQueryResult)]
    struct Newest {
        newest_at: Option<DateTime<Utc>>,
    }
    let mut sql = Sql::new(connection);
    sql.push("select newest_at from store_state");
    Ok(sql.one::<Newest>(connection).await?.and_then(|row| row.newest_at))
}

/// Takes a generated market away, and the users that came with it, so that real data does not stand among invented;
/// answers whether there was one.
///
/// # Errors
/// The database's.
pub async fn remove_generated(bulk: &Bulk) -> Result<bool> {
    if !load_contents(bulk).await?.demo {
        return Ok(false);
    }
    // Children first.
    const TABLES: [&str; 17] = [
        // Whoever holds invented cards holds nothing.
        "announcements",
        "portfolio_days",
        "item_values",
        "inventory_items",
        "removed_inventory_items",
        "want_list_items",
        "stale_cards",
        "price_days",
        "card_prices",
        "latest_prices",
        "price_snapshots",
        "marketplaces",
        "card_names",
        "piece_faces",
        "card_external_ids",
        "cards",
        "card_sets",
    ];
    if Sql::new(bulk).is_postgres() {
        bulk.execute_unprepared(&format!("truncate {}", TABLES.join(", "))).await?;
    } else {
        for table in TABLES {
            bulk.execute_unprepared(&format!("delete from {table}")).await?;
        }
    }
    remove_invented(bulk).await?;
    bulk.execute_unprepared("update store_state set demo = false, newest_at = null").await?;
    Ok(true)
}

/// Makes room for a generated market: another goes. Answers whether there was one, and nothing where real data is.
///
/// # Errors
/// The database's.
pub async fn make_room_for_generated(bulk: &Bulk) -> Result<Option<bool>> {
    if Sql::new(bulk).is_postgres() {
        // Nobody brings real data between the look and the mark. SQLite has one writer.
        bulk.execute_unprepared("lock table cards in access exclusive mode").await?;
    }
    let contents = load_contents(bulk).await?;
    if contents.cards > 0 && !contents.demo {
        return Ok(None);
    }
    let removed = remove_generated(bulk).await?;
    bulk.execute_unprepared("update store_state set demo = true").await?;
    Ok(Some(removed))
}

/// Fails where real data has taken the place of the market that is being made, or another is about to.
///
/// # Errors
/// The database's too.
pub async fn check_still_generated(bulk: &Bulk) -> Result<()> {
    #[derive(FromQueryResult)]
    struct State {
        demo: bool,
    }
    let mut sql = Sql::new(bulk);
    sql.push("select demo from store_state").either(" for share", "");
    match sql.one::<State>(bulk).await? {
        Some(State { demo: true }) => Ok(()),
        _ => Err(Error::internal("real data has taken the place of the market that was being made")),
    }
}
