//! One card by one of its names.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, OneofObject, Result};

use super::Card;
use crate::domain::catalogue::{find_card_by_fuzzy_name, find_card_by_name, find_card_by_printing};
use crate::graphql::Loaders;
use crate::graphql::global_id::GlobalId;
use crate::graphql::lookahead::card_columns;
use crate::graphql::scalars::Uuid;

/// Exactly one way to name a card.
#[derive(Debug, Clone, OneofObject)]
pub enum CardLookup {
    /// Its global id.
    Id(ID),
    /// Scryfall's id of the printing.
    ScryfallId(Uuid),
    /// Its set, number and language.
    Printing(PrintingLookup),
    /// The newest paper printing, no promo, with a price (else the newest; ties by set code and number) of the card
    /// with this name or face name, without regard to case.
    Name(String),
    /// The same of the card whose name is nearest, typing mistakes forgiven.
    FuzzyName(String),
}

/// A printing by what is printed on it.
#[derive(Debug, Clone, InputObject)]
pub struct PrintingLookup {
    /// Its set's code, without regard to case: `isd`.
    set_code: String,
    /// Its number: `51`, `12a`.
    collector_number: String,
    /// Its language, as Scryfall writes it: `en`, `ja`.
    #[graphql(default_with = "Some(\"en\".to_owned())")]
    language: Option<String>,
}

/// # Errors
/// ERR-3002 for an id that is no card's; the database's.
pub async fn find_card(context: &Context<'_>, by: CardLookup) -> Result<Option<Card>> {
    let loaders = context.data::<Loaders>()?;
    let columns = card_columns(context);
    let connection = &loaders.connection;
    let found = match by {
        CardLookup::Id(id) => {
            return Ok(loaders.cards.load((GlobalId::card(&id)?, columns)).await?.map(Card::from));
        }
        CardLookup::ScryfallId(id) => return Ok(loaders.cards.load((id.0, columns)).await?.map(Card::from)),
        CardLookup::Printing(PrintingLookup { set_code, collector_number, language }) => {
            let language = language.unwrap_or_else(|| "en".to_owned()).to_lowercase();
            find_card_by_printing(connection, &set_code.to_lowercase(), &collector_number, &language, columns)
                .await?
        }
        CardLookup::Name(name) => find_card_by_name(connection, &name, columns).await?,
        CardLookup::FuzzyName(name) => find_card_by_fuzzy_name(connection, &name, columns).await?,
    };
    Ok(found.map(|card| Arc::new(card).into()))
}
