//! One request's loaders. A new set for each, bound to one database, so that nothing of one caller reaches another.

use std::sync::Arc;

use super::batch::{Loader, Pace};
use super::types::{
    ApiTokensByAsker, CardDetailsById, CardPriceByKey, CardTotalBySet, CardsByScryfallId, CardsBySet,
    HistoryByCard, HistoryTotalByCard, LatestPricesByCard, MarketplacesById, MarketplacesBySlug,
    MarketplacesByUuid, PrintingTotalByPiece, PrintingsByPiece, SessionsByAsker, SetsByCode, SetsByUuid,
    UsersByAsker,
};
use crate::db::Connection;

/// The loaders, by what they load.
pub struct Loaders {
    /// For lists, which are no batches.
    pub connection: Connection,
    pub cards: Loader<CardsByScryfallId>,
    pub card_details: Loader<CardDetailsById>,
    pub printings: Loader<PrintingsByPiece>,
    pub printing_totals: Loader<PrintingTotalByPiece>,
    pub sets: Loader<SetsByCode>,
    pub sets_by_uuid: Loader<SetsByUuid>,
    pub set_cards: Loader<CardsBySet>,
    pub set_card_totals: Loader<CardTotalBySet>,
    pub marketplaces: Loader<MarketplacesById>,
    pub marketplaces_by_slug: Loader<MarketplacesBySlug>,
    pub marketplaces_by_uuid: Loader<MarketplacesByUuid>,
    pub prices: Loader<CardPriceByKey>,
    pub latest_prices: Loader<LatestPricesByCard>,
    pub history: Loader<HistoryByCard>,
    pub history_totals: Loader<HistoryTotalByCard>,
    // What is somebody's, from the primary: a replica may not know yet that it is not.
    pub users: Loader<UsersByAsker>,
    pub sessions: Loader<SessionsByAsker>,
    pub api_tokens: Loader<ApiTokensByAsker>,
}

impl Loaders {
    pub fn new(connection: Connection, primary: &Connection) -> Self {
        let of = || connection.clone();
        let pace = Arc::<Pace>::default();
        let pace = || Arc::clone(&pace);
        Self {
            cards: Loader::new(of(), pace()),
            card_details: Loader::new(of(), pace()),
            printings: Loader::new(of(), pace()),
            printing_totals: Loader::new(of(), pace()),
            sets: Loader::new(of(), pace()),
            sets_by_uuid: Loader::new(of(), pace()),
            set_cards: Loader::new(of(), pace()),
            set_card_totals: Loader::new(of(), pace()),
            marketplaces: Loader::new(of(), pace()),
            marketplaces_by_slug: Loader::new(of(), pace()),
            marketplaces_by_uuid: Loader::new(of(), pace()),
            prices: Loader::new(of(), pace()),
            latest_prices: Loader::new(of(), pace()),
            history: Loader::new(of(), pace()),
            history_totals: Loader::new(of(), pace()),
            users: Loader::new(primary.clone(), pace()),
            sessions: Loader::new(primary.clone(), pace()),
            api_tokens: Loader::new(primary.clone(), pace()),
            connection,
        }
    }
}
