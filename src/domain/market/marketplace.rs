//! Marketplaces: few rows, loaded by id, slug or all at once.

use chrono::{DateTime, Utc};
use entity::enums::Currency;
use entity::marketplace::{Column, Entity};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::db::Sql;
use crate::error::{Refusal, Result};

/// A marketplace as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct MarketplaceRow {
    pub id: i16,
    pub uuid: Uuid,
    pub slug: String,
    pub name: String,
    pub currency: Currency,
    pub url: Option<String>,
    pub enabled: bool,
    pub priced_cards: i32,
    pub updated_at: Option<DateTime<Utc>>,
}

/// # Errors
/// The database's.
pub async fn load_marketplaces_by_id(
    connection: &impl ConnectionTrait,
    ids: &[i16],
) -> Result<Vec<MarketplaceRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::by_keys(connection);
    sql.push("select * from marketplaces where id").any_of_numbers(ids);
    Ok(sql.all(connection).await?)
}

/// # Errors
/// The database's.
pub async fn load_marketplaces_by_uuid(
    connection: &impl ConnectionTrait,
    uuids: &[Uuid],
) -> Result<Vec<MarketplaceRow>> {
    if uuids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(Entity::find().filter(Column::Uuid.is_in(uuids.iter().copied())).into_model().all(connection).await?)
}

/// # Errors
/// The database's.
pub async fn load_marketplaces_by_slug(
    connection: &impl ConnectionTrait,
    slugs: &[String],
) -> Result<Vec<MarketplaceRow>> {
    if slugs.is_empty() {
        return Ok(Vec::new());
    }
    Ok(Entity::find().filter(Column::Slug.is_in(slugs)).into_model().all(connection).await?)
}

/// All of them, by name.
///
/// # Errors
/// The database's.
pub async fn list_marketplaces(connection: &impl ConnectionTrait) -> Result<Vec<MarketplaceRow>> {
    let mut rows: Vec<MarketplaceRow> =
        Entity::find().order_by_asc(Column::Id).into_model().all(connection).await?;
    // Sorted here: the stores' collations differ, and there are a handful.
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rows)
}

/// The marketplace of this slug, or ERR-3002. Asked only where a statement that names the slug found nothing, so
/// that a right one costs no statement.
///
/// # Errors
/// The refusal, or the database's.
pub(super) async fn require_marketplace(
    connection: &impl ConnectionTrait,
    slug: &str,
) -> Result<MarketplaceRow> {
    let found = load_marketplaces_by_slug(connection, &[slug.to_owned()]).await?.pop();
    found.ok_or_else(|| {
        Refusal::invalid_value("There is no marketplace of this name. marketplaces lists them all.").into()
    })
}
