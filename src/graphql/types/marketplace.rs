//! Somewhere cards are sold.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{ID, Object};
use uuid::Uuid;

use super::enums::Currency;
use crate::db::Connection;
use crate::domain::market::{
    MarketplaceRow, load_marketplaces_by_id, load_marketplaces_by_slug, load_marketplaces_by_uuid,
};
use crate::error::Result;
use crate::graphql::batch::Load;
use crate::graphql::global_id::GlobalId;
use crate::graphql::planned::plan;
use crate::graphql::scalars::{DateTime, Url};

/// Somewhere cards are sold, in one currency.
#[derive(Clone)]
pub struct Marketplace(Arc<MarketplaceRow>);

impl From<Arc<MarketplaceRow>> for Marketplace {
    fn from(row: Arc<MarketplaceRow>) -> Self {
        Self(row)
    }
}

/// Somewhere cards are sold, in one currency.
#[Object]
impl Marketplace {
    /// Globally unique and opaque; give it to `node`.
    pub async fn id(&self) -> ID {
        GlobalId::Marketplace(self.0.uuid).encode()
    }

    /// Its name in arguments: `cardkingdom`.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// Its name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What its prices are in.
    async fn currency(&self) -> Currency {
        self.0.currency.into()
    }

    /// Its front page.
    async fn url(&self) -> Option<Url> {
        self.0.url.clone().map(Url)
    }

    /// Whether its prices count.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// Printings with a price.
    async fn priced_cards(&self) -> i32 {
        self.0.priced_cards
    }

    /// When its newest price was observed.
    async fn updated_at(&self) -> Option<DateTime> {
        self.0.updated_at.map(DateTime)
    }
}

plan!(Marketplace: methods {
    "id" => id,
    "slug" => slug,
    "name" => name,
    "currency" => currency,
    "url" => url,
    "enabled" => enabled,
    "pricedCards" => priced_cards,
    "updatedAt" => updated_at,
});

/// Marketplaces by row.
pub struct MarketplacesById;

impl Load for MarketplacesById {
    type Key = i16;
    type Value = Arc<MarketplaceRow>;
    const NAME: &'static str = "marketplaces";

    async fn load(connection: &Connection, keys: Vec<i16>) -> Result<HashMap<i16, Self::Value>> {
        let rows = load_marketplaces_by_id(connection, &keys).await?;
        Ok(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
    }
}

/// Marketplaces by global id.
pub struct MarketplacesByUuid;

impl Load for MarketplacesByUuid {
    type Key = Uuid;
    type Value = Arc<MarketplaceRow>;
    const NAME: &'static str = "marketplaces_by_uuid";

    async fn load(connection: &Connection, keys: Vec<Uuid>) -> Result<HashMap<Uuid, Self::Value>> {
        let rows = load_marketplaces_by_uuid(connection, &keys).await?;
        Ok(rows.into_iter().map(|row| (row.uuid, Arc::new(row))).collect())
    }
}

/// Marketplaces by slug.
pub struct MarketplacesBySlug;

impl Load for MarketplacesBySlug {
    type Key = String;
    type Value = Arc<MarketplaceRow>;
    const NAME: &'static str = "marketplaces_by_slug";

    async fn load(connection: &Connection, keys: Vec<String>) -> Result<HashMap<String, Self::Value>> {
        let rows = load_marketplaces_by_slug(connection, &keys).await?;
        Ok(rows.into_iter().map(|row| (row.slug.clone(), Arc::new(row))).collect())
    }
}
