//! One printing of a card.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use uuid::Uuid as Id;

use super::card_parts::{CardFace, CardImages, Legality, PurchaseLink};
use super::card_set::CardSet;
use super::enums::{
    ChartFormat, Color, Condition, Currency, Finish, HistoryInterval, HistoryWindow, PriceKind, Rarity,
};
use super::price::{CardPrice, MarketPrice};
use super::price_history::{HistoryTotal, PricePointConnection};
use crate::domain::catalogue::{CardDetails, CardList, CardRow, count_cards, printing_list_id};
use crate::domain::market::{
    CardPriceKey, HistoryKey, HistoryPoint, HistoryQuery, HistorySource, MarketPriceKey, history_list_id,
};
use crate::error;
use crate::graphql::Loaders;
use crate::graphql::batch::promised;
use crate::graphql::connection::{Edges, connection};
use crate::graphql::global_id::GlobalId;
use crate::graphql::lookahead::card_connection_columns;
use crate::graphql::nullable::nullable;
use crate::graphql::planned::{Items, Planned, enum_name, plan};
use crate::graphql::scalars::{Date, Url, Uuid};
use crate::links::Links;
use crate::pagination::{CursorSecret, PageArguments, Slice};

/// One printing of a card.
#[derive(Clone)]
pub struct Card {
    row: Arc<CardRow>,
}

impl From<Arc<CardRow>> for Card {
    fn from(row: Arc<CardRow>) -> Self {
        Self { row }
    }
}

impl Card {
    /// The long texts: read with the row where the document showed that they are wanted, else now.
    async fn details(&self, context: &Context<'_>) -> Result<Arc<CardDetails>> {
        if let Some(details) = &self.row.details {
            return Ok(Arc::clone(details));
        }
        let details = context.data::<Loaders>()?.card_details.load(self.row.id).await?;
        Ok(promised(details, "a card's texts are not there")?)
    }

    fn finish(&self, asked: Option<Finish>) -> entity::enums::Finish {
        asked.map_or_else(|| self.row.finishes.first(), Into::into)
    }
}

/// One printing of a card: a card as it appears in one set, under one number, in one language.
#[Object]
impl Card {
    /// Globally unique and opaque; give it to `node`. It comes from the Scryfall id, so it is the same on every store.
    pub async fn id(&self) -> ID {
        GlobalId::Card(self.row.scryfall_id).encode()
    }

    /// Scryfall's id of this printing.
    async fn scryfall_id(&self) -> Uuid {
        Uuid(self.row.scryfall_id)
    }

    /// Shared by every printing of the same game piece.
    async fn oracle_id(&self) -> Option<Uuid> {
        self.row.oracle_id.map(Uuid)
    }

    /// Its name; of a card with several faces, both with ` // ` between.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// The set it appeared in.
    async fn set(&self, context: &Context<'_>) -> Result<Planned<CardSet>> {
        let set = context.data::<Loaders>()?.sets.load(self.row.set_code.clone()).await?;
        Ok(Planned(promised(set, "a card's set is not there")?.into()))
    }

    /// Its number within the set: `51`, `12a`.
    async fn collector_number(&self) -> &str {
        &self.row.collector_number
    }

    /// Its language, as Scryfall writes it: `en`, `ja`.
    async fn language(&self) -> &str {
        &self.row.language
    }

    /// How rare it is.
    async fn rarity(&self) -> Rarity {
        self.row.rarity.into()
    }

    /// Its types: `Creature — Goblin`.
    async fn type_line(&self) -> &str {
        &self.row.type_line
    }

    /// Its mana cost, in braces: `{2}{G}`; null where it stands on the faces.
    async fn mana_cost(&self) -> Option<&str> {
        self.row.mana_cost.as_deref()
    }

    /// What its mana cost adds up to.
    async fn mana_value(&self) -> f64 {
        self.row.mana_value
    }

    /// Its rules text; null where it stands on the faces.
    async fn oracle_text(&self, context: &Context<'_>) -> Option<Result<String>> {
        nullable(async { Ok(self.details(context).await?.oracle_text.clone()) }).await
    }

    /// Its flavour text.
    async fn flavor_text(&self, context: &Context<'_>) -> Option<Result<String>> {
        nullable(async { Ok(self.details(context).await?.flavor_text.clone()) }).await
    }

    /// Its keywords: `Flying`, `Haste`.
    async fn keywords(&self, context: &Context<'_>) -> Result<Vec<String>> {
        Ok(self.details(context).await?.keywords.clone())
    }

    /// Its layout, as Scryfall names it: `normal`, `split`, `transform`, …
    async fn layout(&self) -> &str {
        &self.row.layout
    }

    /// Two or more where the card has several faces; else empty.
    #[graphql(tag = "most=8")]
    async fn faces(&self, context: &Context<'_>) -> Result<Vec<CardFace>> {
        Ok(self.details(context).await?.faces.iter().cloned().map(CardFace::from).collect())
    }

    /// Its power, which may be `*`.
    async fn power(&self) -> Option<&str> {
        self.row.power.as_deref()
    }

    /// Its toughness, which may be `*`.
    async fn toughness(&self) -> Option<&str> {
        self.row.toughness.as_deref()
    }

    /// Its loyalty.
    async fn loyalty(&self) -> Option<&str> {
        self.row.loyalty.as_deref()
    }

    /// Who painted it.
    async fn artist(&self) -> Option<&str> {
        self.row.artist.as_deref()
    }

    /// Whether it is a promotional printing.
    async fn promo(&self) -> bool {
        self.row.promo
    }

    /// Whether it exists in video games only.
    async fn digital(&self) -> bool {
        self.row.digital
    }

    /// Where to buy it, by marketplace.
    #[graphql(tag = "most=8")]
    async fn purchase_links(&self, context: &Context<'_>) -> Result<Vec<PurchaseLink>> {
        let details = self.details(context).await?;
        let loaders = context.data::<Loaders>()?;
        let link = async |(slug, url): (&String, &String)| {
            let row = loaders.marketplaces_by_slug.load(slug.clone()).await?;
            Ok::<_, error::Error>(
                row.map(|row| PurchaseLink { marketplace: row.into(), url: Url(url.clone()) }),
            )
        };
        let links = futures_util::future::try_join_all(details.purchase_urls.iter().map(link)).await?;
        Ok(links.into_iter().flatten().collect())
    }

    /// Its colours, in the game's order.
    async fn colors(&self) -> Vec<Color> {
        self.row.colors.iter().map(Into::into).collect()
    }

    /// The colours that count for Commander, in the game's order.
    async fn color_identity(&self) -> Vec<Color> {
        self.row.color_identity.iter().map(Into::into).collect()
    }

    /// The finishes it comes in.
    async fn finishes(&self) -> Vec<Finish> {
        self.row.finishes.iter().map(Into::into).collect()
    }

    /// When it was released.
    async fn released_on(&self) -> Option<Date> {
        self.row.released_on.map(Date)
    }

    /// What the rules of each format say of it.
    #[graphql(tag = "most=40")]
    async fn legalities(&self, context: &Context<'_>) -> Result<Vec<Legality>> {
        let details = self.details(context).await?;
        let legality = |(format, status): (&String, &crate::domain::catalogue::record::Legality)| Legality {
            format: format.clone(),
            status: (*status).into(),
        };
        Ok(details.legalities.iter().map(legality).collect())
    }

    /// Its pictures; of a card with two sides, the front's.
    async fn images(&self) -> Option<Planned<CardImages>> {
        self.row.image_url.as_deref().map(CardImages::of_normal).map(Planned)
    }

    /// Whether it is on the Reserved List, and so is never to be printed again.
    async fn reserved(&self) -> bool {
        self.row.reserved
    }

    /// Its page at Scryfall.
    async fn scryfall_url(&self) -> Option<Url> {
        self.row.scryfall_url.clone().map(Url)
    }

    /// Every printing of this game piece, this one included, newest first.
    async fn printings(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The first so many, 100 at most; 20 where neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> Option<Result<CardConnection>> {
        nullable(async {
            let loaders = context.data::<Loaders>()?;
            let secret = context.data::<CursorSecret>()?;
            let piece = self.row.piece_id;
            let list_id = printing_list_id(piece);
            let page = PageArguments { first, after, last, before }.page(&list_id, secret)?;
            let slice = loaders.printings.load((piece, page, card_connection_columns(context))).await?;
            let slice = slice.unwrap_or_else(Slice::empty);
            let edges = Edges::new(slice, secret, list_id, |card| card.printing_key());
            Ok(Some(CardConnection::new(edges, CardTotal::Printings(piece))))
        })
        .await
    }

    /// The retail price now, of one marketplace or over all that sell in the currency: price and mid are the median of
    /// theirs, market the mean, low the least low, high the greatest high; observations older than 7 days are left
    /// out. Never null: where no price is known, hasPriceData is false and every amount is 0.00. Without a finish: the
    /// first the card has of NONFOIL, FOIL, ETCHED. Without a currency: the marketplace's, else USD.
    #[graphql(cache_control(max_age = 60))]
    async fn price(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What the amounts are in.")] currency: Option<Currency>,
        #[graphql(desc = "The slug of one marketplace.")] marketplace: Option<String>,
        #[graphql(desc = "The finish.")] finish: Option<Finish>,
        #[graphql(desc = "The condition.", default_with = "Some(Condition::NearMint)")] condition: Option<
            Condition,
        >,
    ) -> Result<Planned<CardPrice>> {
        let key = CardPriceKey {
            card_id: self.row.id,
            language: self.row.language.clone(),
            finish: self.finish(finish),
            condition: condition.map_or(entity::enums::Condition::NearMint, Into::into),
            currency: currency.map(Into::into),
            marketplace,
        };
        let price = context.data::<Loaders>()?.prices.load(key).await?;
        Ok(Planned(promised(price, "a card's price was not answered")?.into()))
    }

    /// The latest price in each marketplace that has one; without a finish, of each finish.
    #[graphql(tag = "most=30", cache_control(max_age = 60))]
    async fn market_prices(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only marketplaces of this currency.")] currency: Option<Currency>,
        #[graphql(desc = "Only this finish.")] finish: Option<Finish>,
        #[graphql(desc = "The condition.", default_with = "Some(Condition::NearMint)")] condition: Option<
            Condition,
        >,
        #[graphql(
            desc = "What a buyer pays, or what the marketplace pays.",
            default_with = "Some(PriceKind::Retail)"
        )]
        kind: Option<PriceKind>,
    ) -> Option<Result<Items<MarketPrice>>> {
        nullable(async {
            let key = MarketPriceKey {
                card_id: self.row.id,
                language: self.row.language.clone(),
                currency: currency.map(Into::into),
                finish: finish.map(Into::into),
                condition: condition.map_or(entity::enums::Condition::NearMint, Into::into),
                kind: kind.map_or(entity::enums::PriceKind::Retail, Into::into),
            };
            let rows = context.data::<Loaders>()?.latest_prices.load(key).await?.unwrap_or_default();
            Ok(Some(rows.iter().cloned().collect()))
        })
        .await
    }

    /// A picture of the price history, at a URL that anyone may fetch.
    async fn price_chart(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How far back, from the newest price of the store.",
            default_with = "Some(HistoryWindow::Days30)"
        )]
        window: Option<HistoryWindow>,
        #[graphql(desc = "What the amounts are in.", default_with = "Some(Currency::Usd)")] currency: Option<
            Currency,
        >,
        #[graphql(desc = "The finish; without one, the first the card has of NONFOIL, FOIL, ETCHED.")] finish: Option<Finish>,
        #[graphql(desc = "What the picture is.", default_with = "Some(ChartFormat::Png)")] format: Option<
            ChartFormat,
        >,
    ) -> Option<Result<Url>> {
        nullable(async {
            let mut query = vec![
                ("window", enum_name(&window.unwrap_or(HistoryWindow::Days30))),
                ("currency", enum_name(&currency.unwrap_or(Currency::Usd))),
            ];
            query.extend(finish.map(|finish| ("finish", enum_name(&finish))));
            let suffix = format.unwrap_or(ChartFormat::Png).suffix();
            let id = GlobalId::Card(self.row.scryfall_id).encode();
            Ok(context.data_opt::<Links>().map(|links| Url(links.card_chart(&id, suffix, &query))))
        })
        .await
    }

    /// Past prices, newest first: of one marketplace, or over all that sell in the currency.
    #[graphql(cache_control(max_age = 60))]
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the contract")]
    async fn price_history(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How far back, from the newest price of the store.",
            default_with = "Some(HistoryWindow::Days30)"
        )]
        window: Option<HistoryWindow>,
        #[graphql(desc = "What a point stands for.", default_with = "Some(HistoryInterval::Day)")]
        interval: Option<HistoryInterval>,
        #[graphql(desc = "What the amounts are in; without one, the marketplace's, else USD.")]
        currency: Option<Currency>,
        #[graphql(desc = "The slug of one marketplace.")] marketplace: Option<String>,
        #[graphql(desc = "The finish; without one, the first the card has of NONFOIL, FOIL, ETCHED.")] finish: Option<Finish>,
        #[graphql(
            desc = "What a buyer pays, or what the marketplace pays.",
            default_with = "Some(PriceKind::Retail)"
        )]
        kind: Option<PriceKind>,
        #[graphql(desc = "The first so many, 100 at most; 20 where neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> Option<Result<PricePointConnection>> {
        nullable(async {
            let loaders = context.data::<Loaders>()?;
            let secret = context.data::<CursorSecret>()?;
            let key = HistoryKey {
                card_id: self.row.id,
                language: self.row.language.clone(),
                finish: self.finish(finish),
            };
            let query = HistoryQuery {
                window: window.unwrap_or(HistoryWindow::Days30).into(),
                interval: interval.unwrap_or(HistoryInterval::Day).into(),
                kind: kind.map_or(entity::enums::PriceKind::Retail, Into::into),
                source: match marketplace {
                    Some(slug) => HistorySource::Marketplace { slug, currency: currency.map(Into::into) },
                    None => {
                        HistorySource::Currency(currency.map_or(entity::enums::Currency::Usd, Into::into))
                    }
                },
            };
            let list_id = history_list_id(&key, &query);
            let page = PageArguments { first, after, last, before }.page(&list_id, secret)?;
            let slice =
                loaders.history.load((key.clone(), query.clone(), page)).await?.unwrap_or_else(Slice::empty);
            let edges = Edges::new(slice, secret, list_id, HistoryPoint::key);
            Ok(Some(PricePointConnection::new(edges, HistoryTotal { key, query })))
        })
        .await
    }
}

plan!(Card: methods {
    "id" => id,
    "name" => name,
    "collectorNumber" => collector_number,
    "rarity" => rarity,
    "typeLine" => type_line,
    "images" => images,
    "manaCost" => mana_cost,
    "manaValue" => mana_value,
    "colors" => colors,
    "colorIdentity" => color_identity,
    "finishes" => finishes,
    "language" => language,
    "layout" => layout,
    "scryfallId" => scryfall_id,
    "oracleId" => oracle_id,
    "releasedOn" => released_on,
    "power" => power,
    "toughness" => toughness,
    "loyalty" => loyalty,
    "artist" => artist,
    "promo" => promo,
    "digital" => digital,
    "reserved" => reserved,
    "scryfallUrl" => scryfall_url,
} warmed {
    "set" => CardSet, sets, |card| card.row.set_code.clone()
});

/// What counts a whole list of cards.
pub enum CardTotal {
    Listed(Arc<CardList>),
    OfSet(String),
    Printings(Id),
}

impl CardTotal {
    pub async fn count(&self, loaders: &Loaders) -> error::Result<i64> {
        Ok(match self {
            Self::Listed(list) => count_cards(&loaders.connection, list).await?,
            Self::OfSet(code) => loaders.set_card_totals.load(code.clone()).await?.unwrap_or(0),
            Self::Printings(piece) => loaders.printing_totals.load(*piece).await?.unwrap_or(0),
        })
    }
}

connection! {
    /// A page of cards.
    CardConnection, CardEdge, Arc<CardRow> => Card, total: CardTotal
}
