//! One request's loaders. A new set for each, bound to one database, so that nothing of one caller reaches another.

use std::ops::Deref;
use std::sync::Arc;

use super::batch::{Loader, Pace};
use super::types::{
    AllocationsByUser, ApiTokensByAsker, CardDetailsById, CardPriceByKey, CardTotalBySet, CardsById,
    CardsByScryfallId, CardsBySet, CompletionBySet, HistoryByCard, HistoryTotalByCard, HoldingsByUser,
    InventoryPages, InventoryTotals, ItemValues, ItemsByAsker, JobPages, JobTotals, JobsByAsker,
    LatestPricesByCard, MarketplacesById, MarketplacesBySlug, MarketplacesByUuid, PrintingTotalByPiece,
    PrintingsByPiece, RejectedPages, RejectedTotals, SessionsByAsker, SetsByCode, SetsByUuid, UploadsByAsker,
    UsersByAsker, ValueHistories, WantPages, WantTotals, WantsByAsker,
};
use crate::db::Connection;

/// One request's loaders. A clone is the same ones.
#[derive(Clone)]
pub struct Loaders(Arc<LoaderSet>);

impl Deref for Loaders {
    type Target = LoaderSet;

    fn deref(&self) -> &LoaderSet {
        &self.0
    }
}

/// The loaders, by what they load.
pub struct LoaderSet {
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
    // What users hold, from the primary where they ask themselves, so that they see what they have just changed.
    pub cards_by_id: Loader<CardsById>,
    pub inventories: Loader<InventoryPages>,
    pub inventory_totals: Loader<InventoryTotals>,
    pub items: Loader<ItemsByAsker>,
    pub item_values: Loader<ItemValues>,
    pub wants: Loader<WantPages>,
    pub want_totals: Loader<WantTotals>,
    pub wants_by_id: Loader<WantsByAsker>,
    pub holdings: Loader<HoldingsByUser>,
    pub allocations: Loader<AllocationsByUser>,
    pub value_histories: Loader<ValueHistories>,
    pub completions: Loader<CompletionBySet>,
    pub jobs: Loader<JobPages>,
    pub job_totals: Loader<JobTotals>,
    pub jobs_by_id: Loader<JobsByAsker>,
    pub uploads: Loader<UploadsByAsker>,
    pub rejected: Loader<RejectedPages>,
    pub rejected_totals: Loader<RejectedTotals>,
    /// For lists of what is somebody's, which are no batches.
    pub personal: Connection,
}

impl Loaders {
    /// `personal` is for what users hold.
    pub fn new(connection: Connection, primary: &Connection, personal: &Connection) -> Self {
        let of = || connection.clone();
        let held = || personal.clone();
        let pace = Arc::<Pace>::default();
        let pace = || Arc::clone(&pace);
        Self(Arc::new(LoaderSet {
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
            cards_by_id: Loader::new(held(), pace()),
            inventories: Loader::new(held(), pace()),
            inventory_totals: Loader::new(held(), pace()),
            items: Loader::new(held(), pace()),
            item_values: Loader::new(held(), pace()),
            wants: Loader::new(held(), pace()),
            want_totals: Loader::new(held(), pace()),
            wants_by_id: Loader::new(held(), pace()),
            holdings: Loader::new(held(), pace()),
            allocations: Loader::new(held(), pace()),
            value_histories: Loader::new(held(), pace()),
            completions: Loader::new(held(), pace()),
            jobs: Loader::new(held(), pace()),
            job_totals: Loader::new(held(), pace()),
            jobs_by_id: Loader::new(held(), pace()),
            uploads: Loader::new(held(), pace()),
            rejected: Loader::new(held(), pace()),
            rejected_totals: Loader::new(held(), pace()),
            personal: personal.clone(),
            connection,
        }))
    }

    /// Forgets what may have changed, for an operation that has many answers. Sets and marketplaces stay: hardly anything of
    /// them changes.
    pub fn renew(&self) {
        self.cards.forget();
        self.card_details.forget();
        self.printings.forget();
        self.printing_totals.forget();
        self.set_cards.forget();
        self.set_card_totals.forget();
        self.prices.forget();
        self.latest_prices.forget();
        self.history.forget();
        self.history_totals.forget();
        self.users.forget();
        self.sessions.forget();
        self.api_tokens.forget();
        self.cards_by_id.forget();
        self.inventories.forget();
        self.inventory_totals.forget();
        self.items.forget();
        self.item_values.forget();
        self.wants.forget();
        self.want_totals.forget();
        self.wants_by_id.forget();
        self.holdings.forget();
        self.allocations.forget();
        self.value_histories.forget();
        self.completions.forget();
        self.jobs.forget();
        self.job_totals.forget();
        self.jobs_by_id.forget();
        self.uploads.forget();
        self.rejected.forget();
        self.rejected_totals.forget();
    }
}
