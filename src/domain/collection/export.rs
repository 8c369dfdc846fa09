//! An inventory as a file, page by page: nothing of it is in memory whole.

use std::collections::{BTreeSet, HashMap};

use entity::enums::{Condition, Currency, Finish};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::inventory::{InventoryFilter, InventoryList, InventoryOrder, InventorySortField, list_inventory};
use super::item::ItemRow;
use crate::db::Direction;
use crate::domain::catalogue::{CardColumns, CardRow, load_cards_by_id, load_sets_by_code};
use crate::domain::csv::{Cell, amount, lines};
use crate::error::Result;
use crate::pagination::{End, Key, Page};

/// Items of a page.
const ITEMS: usize = 1_000;

/// How an inventory is laid out as a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// All that is known of each item.
    Generic,
    /// As Moxfield's own export, which its import reads.
    Moxfield,
}

impl Layout {
    pub const ALL: [Self; 2] = [Self::Generic, Self::Moxfield];

    /// What files and links call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Moxfield => "moxfield",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.name() == name)
    }

    fn header(self) -> &'static [&'static str] {
        match self {
            Self::Generic => &[
                "Name",
                "Set code",
                "Set name",
                "Collector number",
                "Language",
                "Finish",
                "Condition",
                "Quantity",
                "Price paid",
                "Currency",
                "Acquired on",
                "Tags",
                "Notes",
                "Scryfall ID",
            ],
            Self::Moxfield => &[
                "Count",
                "Tradelist Count",
                "Name",
                "Edition",
                "Condition",
                "Language",
                "Foil",
                "Tags",
                "Last Modified",
                "Collector Number",
                "Alter",
                "Proxy",
                "Purchase Price",
            ],
        }
    }

    fn row<'a>(
        self,
        item: &'a ItemRow,
        card: &'a CardRow,
        set_name: &'a str,
        tags: &'a str,
    ) -> Vec<Cell<'a>> {
        let ItemRow { item, .. } = item;
        let paid = || item.price_amount.map(amount).unwrap_or_default();
        match self {
            Self::Generic => vec![
                Cell::Text(&card.name),
                Cell::Text(&card.set_code),
                Cell::Text(set_name),
                Cell::Text(&card.collector_number),
                Cell::Text(&item.language),
                Cell::Plain(finish(item.finish).to_owned()),
                Cell::Plain(condition(item.condition).to_owned()),
                Cell::Plain(item.quantity.to_string()),
                Cell::Plain(paid()),
                Cell::Plain(item.price_currency.map(currency).unwrap_or_default().to_owned()),
                Cell::Plain(item.acquired_on.map(|day| day.to_string()).unwrap_or_default()),
                Cell::Text(tags),
                Cell::Text(item.notes.as_deref().unwrap_or_default()),
                Cell::Plain(card.scryfall_id.to_string()),
            ],
            Self::Moxfield => vec![
                Cell::Plain(item.quantity.to_string()),
                Cell::Plain("0".to_owned()),
                Cell::Text(&card.name),
                Cell::Text(&card.set_code),
                Cell::Plain(condition(item.condition).to_owned()),
                Cell::Plain(language(&item.language).to_owned()),
                Cell::Plain(moxfield_foil(item.finish).to_owned()),
                Cell::Text(tags),
                Cell::Plain(item.updated_at.format("%Y-%m-%d %H:%M:%S%.6f").to_string()),
                Cell::Text(&card.collector_number),
                Cell::Plain("False".to_owned()),
                Cell::Plain("False".to_owned()),
                Cell::Plain(moxfield_price(item.price_amount, item.price_currency)),
            ],
        }
    }
}

fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Nonfoil => "nonfoil",
        Finish::Foil => "foil",
        Finish::Etched => "etched",
    }
}

fn moxfield_foil(finish: Finish) -> &'static str {
    match finish {
        Finish::Nonfoil => "",
        Finish::Foil => "foil",
        Finish::Etched => "etched",
    }
}

/// There is no column for the currency: a price without a sign is in dollars when it comes back.
fn moxfield_price(paid: Option<i64>, currency: Option<Currency>) -> String {
    let Some(paid) = paid.map(amount) else { return String::new() };
    match currency {
        Some(Currency::Eur) => format!("€{paid}"),
        Some(Currency::Tix) => format!("{paid} tix"),
        Some(Currency::Usd) | None => paid,
    }
}

fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::NearMint => "Near Mint",
        Condition::LightlyPlayed => "Lightly Played",
        Condition::ModeratelyPlayed => "Moderately Played",
        Condition::HeavilyPlayed => "Heavily Played",
        Condition::Damaged => "Damaged",
    }
}

fn currency(currency: Currency) -> &'static str {
    match currency {
        Currency::Usd => "USD",
        Currency::Eur => "EUR",
        Currency::Tix => "TIX",
    }
}

/// A language by its name; by its code where it has none here.
fn language(code: &str) -> &str {
    match code {
        "en" => "English",
        "es" => "Spanish",
        "fr" => "French",
        "de" => "German",
        "it" => "Italian",
        "pt" => "Portuguese",
        "ja" => "Japanese",
        "ko" => "Korean",
        "ru" => "Russian",
        "zhs" => "Simplified Chinese",
        "zht" => "Traditional Chinese",
        "he" => "Hebrew",
        "la" => "Latin",
        "grc" => "Ancient Greek",
        "ar" => "Arabic",
        "sa" => "Sanskrit",
        "ph" => "Phyrexian",
        other => other,
    }
}

/// The first line of a file.
///
/// # Errors
/// None that is expected.
pub fn export_header(layout: Layout) -> Result<Vec<u8>> {
    lines([layout.header().iter().map(|name| Cell::Text(name)).collect()])
}

/// The next items of somebody's inventory as lines, in the order in which they were added, and where the page after them
/// begins; nothing where there is none.
///
/// # Errors
/// The database's.
pub async fn export_page(
    connection: &impl ConnectionTrait,
    user: Uuid,
    layout: Layout,
    after: Option<Key>,
) -> Result<(Vec<u8>, Option<Key>)> {
    let order = InventoryOrder {
        field: InventorySortField::CreatedAt,
        direction: Direction::Ascending,
        currency: Currency::Usd,
    };
    let list = InventoryList { user, filter: InventoryFilter::default(), order };
    let page = Page { end: End::Start, size: ITEMS, after, before: None };
    let slice = list_inventory(connection, &list, &page).await?;
    let ids: BTreeSet<i32> = slice.rows.iter().map(|row| row.item.card_id).collect();
    let cards = load_cards_by_id(connection, &Vec::from_iter(ids), CardColumns::Row).await?;
    let cards: HashMap<i32, CardRow> = cards.into_iter().map(|card| (card.id, card)).collect();
    let codes: BTreeSet<String> = cards.values().map(|card| card.set_code.clone()).collect();
    let sets = load_sets_by_code(connection, &Vec::from_iter(codes)).await?;
    let names: HashMap<String, String> = sets.into_iter().map(|set| (set.code, set.name)).collect();
    let tags: Vec<String> = slice.rows.iter().map(|row| row.item.tags.0.join(", ")).collect();
    let rows = slice.rows.iter().zip(&tags).filter_map(|(item, tags)| {
        let card = cards.get(&item.item.card_id)?;
        let set_name = names.get(&card.set_code).map_or("", String::as_str);
        Some(layout.row(item, card, set_name, tags))
    });
    let next = if slice.has_next { slice.rows.last().map(|row| list.key(row)) } else { None };
    Ok((lines(rows)?, next))
}
