//! How cards are loaded, by what keys.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid as Id;

use crate::db::Connection;
use crate::domain::catalogue::{
    CardColumns, CardDetails, CardRow, count_printings_by_piece, load_card_details_by_id, load_cards_by_id,
    load_cards_by_scryfall_id, load_printings_by_piece,
};
use crate::error;
use crate::graphql::batch::Load;
use crate::pagination::{Page, Slice};

/// Cards by Scryfall id.
pub struct CardsByScryfallId;

impl Load for CardsByScryfallId {
    type Key = (Id, CardColumns);
    type Value = Arc<CardRow>;
    const NAME: &'static str = "cards";

    async fn load(
        connection: &Connection,
        keys: Vec<Self::Key>,
    ) -> error::Result<HashMap<Self::Key, Self::Value>> {
        let mut loaded = HashMap::new();
        for columns in [CardColumns::Row, CardColumns::RowAndDetails] {
            let ids: Vec<Id> = keys.iter().filter(|key| key.1 == columns).map(|key| key.0).collect();
            for row in load_cards_by_scryfall_id(connection, &ids, columns).await? {
                loaded.insert((row.scryfall_id, columns), Arc::new(row));
            }
        }
        Ok(loaded)
    }
}

/// Cards by row.
pub struct CardsById;

impl Load for CardsById {
    type Key = (i32, CardColumns);
    type Value = Arc<CardRow>;
    const NAME: &'static str = "cards_by_id";

    async fn load(
        connection: &Connection,
        keys: Vec<Self::Key>,
    ) -> error::Result<HashMap<Self::Key, Self::Value>> {
        let mut loaded = HashMap::new();
        for columns in [CardColumns::Row, CardColumns::RowAndDetails] {
            let ids: Vec<i32> = keys.iter().filter(|key| key.1 == columns).map(|key| key.0).collect();
            for row in load_cards_by_id(connection, &ids, columns).await? {
                loaded.insert((row.id, columns), Arc::new(row));
            }
        }
        Ok(loaded)
    }
}

/// The long texts of cards by row.
pub struct CardDetailsById;

impl Load for CardDetailsById {
    type Key = i32;
    type Value = Arc<CardDetails>;
    const NAME: &'static str = "card_details";

    async fn load(connection: &Connection, keys: Vec<i32>) -> error::Result<HashMap<i32, Self::Value>> {
        load_card_details_by_id(connection, &keys).await
    }
}

/// Pages of game pieces' printings; all keys with the same arguments are one statement.
pub struct PrintingsByPiece;

impl Load for PrintingsByPiece {
    type Key = (Id, Page, CardColumns);
    type Value = Slice<Arc<CardRow>>;
    const NAME: &'static str = "printings";

    async fn load(
        connection: &Connection,
        keys: Vec<Self::Key>,
    ) -> error::Result<HashMap<Self::Key, Self::Value>> {
        let mut by_arguments: HashMap<(Page, CardColumns), Vec<Id>> = HashMap::new();
        for (piece, page, columns) in keys {
            by_arguments.entry((page, columns)).or_default().push(piece);
        }
        let mut loaded = HashMap::new();
        for ((page, columns), pieces) in by_arguments {
            for (piece, slice) in load_printings_by_piece(connection, &pieces, &page, columns).await? {
                loaded.insert((piece, page.clone(), columns), slice.map(Arc::new));
            }
        }
        Ok(loaded)
    }
}

/// How many printings game pieces have.
pub struct PrintingTotalByPiece;

impl Load for PrintingTotalByPiece {
    type Key = Id;
    type Value = i64;
    const NAME: &'static str = "printing_totals";

    async fn load(connection: &Connection, keys: Vec<Id>) -> error::Result<HashMap<Id, i64>> {
        count_printings_by_piece(connection, &keys).await
    }
}
