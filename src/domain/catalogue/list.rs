//! Lists of printings: filtered, searched, one of each game piece where that is asked for,
//! in every order, by page.

use std::collections::HashMap;

use entity::enums::{Currency, Rarity};
use sea_orm::{ActiveEnum, ConnectionTrait};

use super::attributes::{Colors, Finishes};
use super::card::{CardColumns, CardRow};
use super::formats::format_bit;
use super::search::{Prefer, Search};
use crate::db::{Count, Direction, Keyset, Listed, Segment, SortColumn, Sql, fetch_page};
use crate::error::Result;
use crate::pagination::{End, Key, KeyValue, ListId, Page, Slice};

/// Conditions on printings; those that are absent let all pass.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CardFilter {
    /// Lower case.
    pub set_codes: Option<Vec<String>>,
    pub rarities: Option<Vec<Rarity>>,
    /// Cards of at least these.
    pub colors: Colors,
    /// Cards that come in one of these.
    pub finishes: Option<Finishes>,
    /// A format's name: lower-case letters, digits and underscores. Restricted counts as legal.
    pub legal_in: Option<String>,
    pub price: Option<PriceRange>,
}

/// Bounds of the price that lists show, in minor units, both included.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceRange {
    pub minimum: Option<i64>,
    pub maximum: Option<i64>,
    pub currency: Currency,
}

/// What a list has one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unique {
    Cards,
    Art,
    Printings,
}

/// The order of a list of printings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CardOrder {
    pub field: CardSortField,
    pub direction: Direction,
    /// For the order by price.
    pub currency: Currency,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardSortField {
    Name,
    Price,
    ReleasedOn,
    SetCode,
    CollectorNumber,
    Rarity,
    ManaValue,
}

/// A list of printings.
#[derive(Debug, Clone, PartialEq)]
pub struct CardList {
    pub search: Option<Search>,
    /// Whether tokens and other extras are in it.
    pub extras: bool,
    pub filter: CardFilter,
    pub unique: Unique,
    pub order: CardOrder,
}

impl CardList {
    /// The printings of one set, extras included.
    pub fn of_set(code: &str, order: CardOrder) -> Self {
        Self {
            search: None,
            extras: true,
            filter: CardFilter { set_codes: Some(vec![code.to_owned()]), ..CardFilter::default() },
            unique: Unique::Printings,
            order,
        }
    }

    /// The list that a cursor belongs to.
    pub fn id(&self) -> ListId {
        ListId::new("cards", self)
    }

    /// The sort key of a row of this list.
    pub fn key(&self, card: &CardRow) -> Key {
        let id = KeyValue::Int(card.id.into());
        let name = || KeyValue::Text(card.name_key.clone());
        let number = || KeyValue::Text(card.collector_key.clone());
        match self.order.field {
            CardSortField::Name => vec![name(), id],
            CardSortField::Price => vec![card.sort_price.map_or(KeyValue::Null, KeyValue::Int), id],
            CardSortField::ReleasedOn => {
                vec![card.released_on.map_or(KeyValue::Null, KeyValue::Date), name(), id]
            }
            CardSortField::SetCode => vec![KeyValue::Text(card.set_code.clone()), number(), id],
            CardSortField::CollectorNumber => vec![number(), id],
            CardSortField::Rarity => vec![KeyValue::Int(card.rarity.to_value().into()), name(), id],
            CardSortField::ManaValue => vec![KeyValue::Float(card.mana_value), name(), id],
        }
    }

    fn keyset(&self) -> Keyset {
        let id = SortColumn::new("c.id", "id");
        let name = SortColumn::new("c.name_key", "name_key");
        let number = SortColumn::new("c.collector_key", "collector_key");
        let columns = match self.order.field {
            CardSortField::Name => vec![name, id],
            // The id in the price's own row, so that its index gives the order.
            CardSortField::Price => {
                let id = SortColumn { sql_unknown: Some("c.id"), ..SortColumn::new("p.card_id", "id") };
                vec![SortColumn::new("p.price", "sort_price"), id]
            }
            CardSortField::ReleasedOn => {
                vec![SortColumn::new("c.released_on", "released_on"), name, id]
            }
            CardSortField::SetCode => vec![SortColumn::new("c.set_code", "set_code"), number, id],
            CardSortField::CollectorNumber => vec![number, id],
            CardSortField::Rarity => vec![SortColumn::new("c.rarity", "rarity"), name, id],
            CardSortField::ManaValue => vec![SortColumn::new("c.mana_value", "mana_value"), name, id],
        };
        let nullable = matches!(self.order.field, CardSortField::Price | CardSortField::ReleasedOn);
        Keyset { columns, nullable, direction: self.order.direction }
    }

    /// Whether every printing of a game piece passes when one does: then the piece's first printing stands for it.
    fn is_about_pieces(&self) -> bool {
        let CardFilter { set_codes, rarities, finishes, price, colors: _, legal_in: _ } = &self.filter;
        let searched = self.search.as_ref().is_some_and(Search::tells_printings_apart);
        set_codes.is_none() && rarities.is_none() && finishes.is_none() && price.is_none() && !searched
    }

    /// Which printing the search would rather see.
    fn prefer(&self) -> Option<Prefer> {
        self.search.as_ref()?.layout.prefer
    }

    /// Whether the printing that stands for a piece must be chosen among those that pass.
    fn chooses(&self) -> bool {
        match self.unique {
            Unique::Printings => false,
            Unique::Art => true,
            Unique::Cards => !self.is_about_pieces() || self.prefer().is_some(),
        }
    }

    /// Whether it is chosen by the places that printings have in their pieces: else by an order of its own.
    fn chooses_by_place(&self) -> bool {
        self.chooses() && self.unique == Unique::Cards && self.prefer().is_none()
    }

    /// A match that no index of the order helps to find is made first, then put in order and cut, and only then are
    /// its rows fetched: a prepared statement's general plan would walk the whole index of the order instead.
    fn matches_first(&self) -> bool {
        self.chooses() || self.search.as_ref().is_some_and(Search::has_conditions)
    }

    fn push_conditions(&self, sql: &mut Sql) {
        let named = self.search.as_ref().map(Search::named_sets).unwrap_or_default();
        match (self.extras, named.as_slice()) {
            (true, _) => sql.push("true"),
            (false, []) => sql.push("not c.extra"),
            (false, codes) => sql.push("(not c.extra or c.set_code").any_of_texts(codes).push(")"),
        };
        if self.unique == Unique::Cards && !self.chooses() {
            sql.push(" and c.place = 1");
        }
        if let Some(search) = &self.search {
            sql.push(" and ");
            search.push(sql);
        }
        let CardFilter { set_codes, rarities, colors, finishes, legal_in, price } = &self.filter;
        if let Some(codes) = set_codes {
            sql.push(" and c.set_code").any_of_texts(codes);
        }
        if let Some(rarities) = rarities {
            let numbers: Vec<i16> = rarities.iter().map(ActiveEnum::to_value).collect();
            sql.push(" and c.rarity").any_of_numbers(&numbers);
        }
        if *colors != Colors::default() {
            sql.push(" and c.colors & ").bind(colors.bits()).push(" = ").bind(colors.bits());
        }
        if let Some(finishes) = finishes {
            sql.push(" and c.finishes & ").bind(finishes.bits()).push(" <> 0");
        }
        if let Some(format) = legal_in {
            sql.push(" and ");
            push_legal_in(sql, format);
        }
        if let Some(PriceRange { minimum, maximum, currency }) = price {
            sql.push(" and c.id in (select f.card_id from card_prices f where f.ranked and f.currency = ");
            sql.bind(currency.to_value());
            if let Some(minimum) = minimum {
                sql.push(" and f.price >= ").bind(*minimum);
            }
            if let Some(maximum) = maximum {
                sql.push(" and f.price <= ").bind(*maximum);
            }
            sql.push(")");
        }
    }
}

/// A format that has no bit, because it came after those that have one, is looked for where the catalogue wrote it.
fn push_legal_in(sql: &mut Sql, format: &str) {
    match format_bit(format) {
        Some(bit) => sql.push("(c.legal | c.restricted) & ").bind(bit).push(" <> 0"),
        None => sql.push("c.legalities ->> ").bind(format).push(" in ('legal', 'restricted')"),
    };
}

struct ListedCards<'a> {
    list: &'a CardList,
    columns: CardColumns,
}

impl ListedCards<'_> {
    /// The columns that a match is put in order by.
    fn sorted_by(&self) -> &'static str {
        match self.list.order.field {
            CardSortField::Name => "c.id, c.name_key",
            CardSortField::Price => "c.id",
            CardSortField::ReleasedOn => "c.id, c.released_on, c.name_key",
            CardSortField::SetCode => "c.id, c.set_code, c.collector_key",
            CardSortField::CollectorNumber => "c.id, c.collector_key",
            CardSortField::Rarity => "c.id, c.rarity, c.name_key",
            CardSortField::ManaValue => "c.id, c.mana_value, c.name_key",
        }
    }
}

impl Listed for ListedCards<'_> {
    fn prefix(&self, sql: &mut Sql) {
        if !self.list.matches_first() {
            return;
        }
        sql.push("with matched as materialized (select ");
        if self.list.chooses_by_place() {
            // Of each piece the row with the least place, told while the rows of an index pass that has them in this order. Of
            // the row that has the least, SQLite gives the other columns too.
            let is_postgres = sql.is_postgres();
            let (of_each, least) =
                if is_postgres { ("distinct on (c.piece_id) ", "") } else { ("", ", min(c.place) as place") };
            sql.push(of_each).push(self.sorted_by()).push(least).push(" from cards c where ");
            self.list.push_conditions(sql);
            sql.push(if is_postgres {
                " order by c.piece_id, c.place, c.id) "
            } else {
                " group by c.piece_id) "
            });
            return;
        }
        sql.push(self.sorted_by());
        if self.list.chooses() {
            let group = match self.list.unique {
                Unique::Art => "coalesce(c.illustration_id, c.scryfall_id)",
                Unique::Cards | Unique::Printings => "c.piece_id",
            };
            let first = self.list.prefer().map_or_else(String::new, |prefer| format!("{}, ", prefer.order()));
            sql.push(&format!(
                ", row_number() over (partition by {group} order by {first}c.extra, c.place, c.piece_id) as choice"
            ));
        }
        sql.push(" from cards c where ");
        self.list.push_conditions(sql);
        sql.push(") ");
    }

    fn columns(&self, segment: Segment) -> String {
        let columns = if self.list.matches_first() { self.sorted_by() } else { self.columns.sql() };
        match (self.list.order.field, segment) {
            (CardSortField::Price, Segment::Known) => format!("{columns}, p.price as sort_price"),
            (CardSortField::Price, Segment::Unknown) => format!("{columns}, {UNKNOWN_PRICE} as sort_price"),
            _ => columns.to_owned(),
        }
    }

    fn fetched(&self) -> Option<(String, &'static str)> {
        let price = if self.list.order.field == CardSortField::Price { ", found.sort_price" } else { "" };
        let columns = || format!("{}{price}", self.columns.sql());
        self.list.matches_first().then(|| (columns(), "cards c on c.id = found.id"))
    }

    fn source(&self, sql: &mut Sql, segment: Segment) {
        let list = self.list;
        sql.push(if list.matches_first() { "from matched c" } else { "from cards c" });
        let by_price = list.order.field == CardSortField::Price;
        if by_price && segment == Segment::Known {
            sql.push(" join card_prices p on p.card_id = c.id and p.ranked and p.currency = ");
            sql.bind(list.order.currency.to_value());
        }
        sql.push(" where ");
        if list.matches_first() {
            sql.push(if list.chooses() && !list.chooses_by_place() { "c.choice = 1" } else { "true" });
        } else {
            list.push_conditions(sql);
        }
        match (list.order.field, segment) {
            (CardSortField::Price, Segment::Unknown) => {
                sql.push(" and not exists (select 1 from card_prices p where p.card_id = c.id and p.ranked and p.currency = ");
                sql.bind(list.order.currency.to_value()).push(")");
            }
            (CardSortField::ReleasedOn, Segment::Known) => {
                sql.push(" and c.released_on is not null");
            }
            (CardSortField::ReleasedOn, Segment::Unknown) => {
                sql.push(" and c.released_on is null");
            }
            _ => {}
        }
    }
}

/// A null of the type of prices, which a union asks for on Postgres.
const UNKNOWN_PRICE: &str = "cast(null as bigint)";

/// A page of a list.
///
/// # Errors
/// The database's.
pub async fn list_cards(
    connection: &impl ConnectionTrait,
    list: &CardList,
    page: &Page,
    columns: CardColumns,
) -> Result<Slice<CardRow>> {
    let listed = ListedCards { list, columns };
    fetch_page(connection, &listed, &list.keyset(), page, |card| list.key(card)).await
}

/// How many rows the whole list has.
///
/// # Errors
/// The database's.
pub async fn count_cards(connection: &impl ConnectionTrait, list: &CardList) -> Result<i64> {
    let mut sql = Sql::new(connection);
    if list.chooses_by_place() {
        sql.push("select count(*) as n from (select c.piece_id from cards c where ");
        list.push_conditions(&mut sql);
        sql.push(" group by c.piece_id) matched");
        return Ok(sql.one::<Count>(connection).await?.map_or(0, |count| count.n));
    }
    ListedCards { list, columns: CardColumns::Row }.prefix(&mut sql);
    sql.push("select count(*) as n ");
    if list.matches_first() {
        sql.push("from matched m").push(if list.chooses() { " where m.choice = 1" } else { "" });
    } else {
        sql.push("from cards c where ");
        list.push_conditions(&mut sql);
    }
    Ok(sql.one::<Count>(connection).await?.map_or(0, |count| count.n))
}

/// The first or the last rows of several sets at once, in one statement.
///
/// # Errors
/// The database's.
pub async fn load_cards_by_set(
    connection: &impl ConnectionTrait,
    codes: &[String],
    order: CardOrder,
    end: End,
    size: usize,
    columns: CardColumns,
) -> Result<HashMap<String, Slice<CardRow>>> {
    let list = CardList::of_set("", order);
    let keyset = list.keyset();
    let page = Page { end, size, after: None, before: None };
    let descending = (order.direction == Direction::Descending) == (end == End::Start);
    let word = if descending { "desc" } else { "asc" };
    // A card without a price has no row of prices: its columns are named as its segment of a list names them, so that
    // the next page goes on in this order.
    let name = |column: &SortColumn| format!("{} {word}", column.sql_unknown.unwrap_or(column.sql));
    let mut by: Vec<String> = keyset.columns.iter().map(name).collect();
    if keyset.nullable {
        // Unknown values last, and so first from the other end.
        let last = if end == End::Start { "asc" } else { "desc" };
        by.insert(0, format!("case when {} is null then 1 else 0 end {last}", keyset.columns[0].sql));
    }
    let mut sql = Sql::new(connection);
    sql.push("select * from (select ").push(columns.sql());
    if order.field == CardSortField::Price {
        sql.push(", p.price as sort_price");
    }
    sql.push(&format!(
        ", row_number() over (partition by c.set_code order by {}) as place from cards c",
        by.join(", ")
    ));
    if order.field == CardSortField::Price {
        sql.push(" left join card_prices p on p.card_id = c.id and p.ranked and p.currency = ");
        sql.bind(order.currency.to_value());
    }
    sql.push(" where c.set_code").any_of_texts(codes);
    sql.push(&format!(") ranked where place <= {} order by set_code, place", page.fetch()));
    let mut fetched: HashMap<String, Vec<CardRow>> = HashMap::new();
    for row in sql.all::<CardRow>(connection).await? {
        fetched.entry(row.set_code.clone()).or_default().push(row);
    }
    let is = |fact| fact == crate::pagination::Fact::Known(true);
    let cut = |rows| {
        let cut = page.cut(rows, |card| list.key(card));
        Slice { has_previous: is(cut.previous), has_next: is(cut.next), rows: cut.rows }
    };
    Ok(fetched.into_iter().map(|(code, rows)| (code, cut(rows))).collect())
}

/// How many printings each set has.
///
/// # Errors
/// The database's.
pub async fn count_cards_by_set(
    connection: &impl ConnectionTrait,
    codes: &[String],
) -> Result<HashMap<String, i64>> {
    #[derive(sea_orm::FromQueryResult)]
    struct SetCount {
        set_code: String,
        n: i64,
    }
    let mut sql = Sql::new(connection);
    sql.push("select set_code, count(*) as n from cards where set_code").any_of_texts(codes);
    sql.push(" group by set_code");
    let rows = sql.all::<SetCount>(connection).await?;
    Ok(rows.into_iter().map(|row| (row.set_code, row.n)).collect())
}
