//! One request's loaders. A new set for each, bound to one database, so that nothing of one caller reaches another.

use super::batch::Loader;
use super::types::{
    CardDetailsById, CardPriceByKey, CardTotalBySet, CardsByScryfallId, CardsBySet, HistoryByCard,
    HistoryTotalByCard, LatestPricesByCard, MarketplacesById, MarketplacesBySlug, MarketplacesByUuid,
    PrintingTotalByPiece, PrintingsByPiece, SetsByCode, SetsByUuid,
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
}

impl Loaders {
    pub fn new(connection: Connection) -> Self {
        let of = || connection.clone();
        Self {
            cards: Loader::new(of()),
            card_details: Loader::new(of()),
            printings: Loader::new(of()),
            printing_totals: Loader::new(of()),
            sets: Loader::new(of()),
            sets_by_uuid: Loader::new(of()),
            set_cards: Loader::new(of()),
            set_card_totals: Loader::new(of()),
            marketplaces: Loader::new(of()),
            marketplaces_by_slug: Loader::new(of()),
            marketplaces_by_uuid: Loader::new(of()),
            prices: Loader::new(of()),
            latest_prices: Loader::new(of()),
            history: Loader::new(of()),
            history_totals: Loader::new(of()),
            connection,
        }
    }
}
