//! What the document asks for below a field, so that a loader reads no column that nobody wants.

use async_graphql::{Context, Lookahead};

use crate::domain::catalogue::CardColumns;

/// The fields of a card that need its long texts.
const DETAILS: [&str; 6] = ["oracleText", "flavorText", "keywords", "faces", "legalities", "purchaseLinks"];

fn columns_below(card: &Lookahead<'_>) -> CardColumns {
    let details = DETAILS.iter().any(|field| card.field(field).exists());
    if details { CardColumns::RowAndDetails } else { CardColumns::Row }
}

/// For a field that is a card.
pub fn card_columns(context: &Context<'_>) -> CardColumns {
    columns_below(&context.look_ahead())
}

/// For a field that is a connection of cards.
pub fn card_connection_columns(context: &Context<'_>) -> CardColumns {
    let connection = context.look_ahead();
    let nodes = columns_below(&connection.field("nodes"));
    let edges = columns_below(&connection.field("edges").field("node"));
    if nodes == CardColumns::Row { edges } else { nodes }
}
