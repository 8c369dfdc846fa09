//! Users that a generator invents: who they are, what they hold and want, written in bulk, and taken away with the
//! generated market, for their password is no secret.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::enums::{Condition, Finish, Role, WantPriority};
use sea_orm::{ActiveEnum, ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use super::check::Held;
use super::inventory_write::cards_of;
use super::values::{Of, refresh_values};
use super::want::MET;
use crate::db::{Bulk, Cell, Column, Merge, Sql, Target};
use crate::domain::market::{DERIVING, Money};
use crate::error::Result;

/// A user to be.
#[derive(Debug, Clone, PartialEq)]
pub struct InventedUser {
    /// Counted from 1; the address is made of it.
    pub number: u32,
    pub name: String,
    pub joined_at: DateTime<Utc>,
    /// No two alike in card, finish and condition.
    pub items: Vec<InventedItem>,
    /// No two of one card.
    pub wants: Vec<InventedWant>,
}

/// What a user holds.
#[derive(Debug, Clone, PartialEq)]
pub struct InventedItem {
    /// By its Scryfall id.
    pub card: Uuid,
    pub finish: Finish,
    pub condition: Condition,
    pub language: String,
    pub quantity: i32,
    pub price: Option<Money>,
    pub acquired_on: NaiveDate,
}

/// What a user looks for, in the first finish that the card has.
#[derive(Debug, Clone, PartialEq)]
pub struct InventedWant {
    /// By its Scryfall id.
    pub card: Uuid,
    pub quantity: i32,
    pub priority: WantPriority,
    pub target: Option<Money>,
}

/// The address that an invented user signs in with. Nobody can have one at example.com (RFC 2606).
pub fn invented_address(number: u32) -> String {
    format!("collector-{number}@example.com")
}

/// The namespace of the ids of invented users.
const USERS: Uuid = Uuid::from_u128(0x5b0c_8f27_93de_4e61_8a4d_1c7e_f62a_90b3);

fn id_of(address: &str) -> Uuid {
    Uuid::new_v5(&USERS, address.as_bytes())
}

const fn kept(name: &'static str) -> Column {
    Column { name, merge: Merge::Keep }
}

const fn key(name: &'static str) -> Column {
    Column { name, merge: Merge::Key }
}

const ACCOUNTS: Target = Target {
    table: "users",
    columns: &[
        kept("id"),
        kept("email"),
        key("email_key"),
        kept("email_verified"),
        kept("display_name"),
        kept("role"),
        Column { name: "password_hash", merge: Merge::Replace },
        kept("epoch"),
        kept("created_at"),
    ],
    // Somebody may have registered the address.
    only_if: Some("excluded.id = t.id"),
};

const ITEMS: Target = Target {
    table: "inventory_items",
    columns: &[
        key("id"),
        kept("user_id"),
        kept("card_id"),
        kept("finish"),
        kept("condition"),
        kept("language"),
        kept("quantity"),
        kept("price_amount"),
        kept("price_currency"),
        kept("acquired_on"),
        kept("tags"),
        kept("name_key"),
        kept("created_at"),
        kept("updated_at"),
    ],
    only_if: None,
};

const WANTS: Target = Target {
    table: "want_list_items",
    columns: &[
        key("id"),
        kept("user_id"),
        kept("card_id"),
        kept("quantity"),
        kept("priority"),
        kept("target_amount"),
        kept("target_currency"),
        kept("name_key"),
        kept("below_target"),
        kept("created_at"),
        kept("updated_at"),
    ],
    only_if: None,
};

/// Writes users with what they hold and want, and answers how many rows were new. A user whose address somebody else
/// has registered is left out, and so is a card that the store does not have.
///
/// # Errors
/// The database's.
pub async fn write_invented(bulk: &Bulk, users: &[InventedUser], password_hash: &str) -> Result<u64> {
    if Sql::new(bulk).is_postgres() {
        // As whoever changes an item does: see `super::begin`.
        bulk.execute_unprepared(&format!("select pg_advisory_xact_lock_shared({DERIVING})")).await?;
    }
    let rows: Vec<_> = users.iter().map(|user| account_cells(user, password_hash)).collect();
    let mut written = bulk.merge(&ACCOUNTS, &rows).await?;

    let ids: Vec<Uuid> = users.iter().map(|user| id_of(&invented_address(user.number))).collect();
    let made = load_made(bulk, &ids).await?;
    let users = || users.iter().zip(&ids).filter(|(_, id)| made.contains(*id));
    let wanted: Vec<Uuid> = users()
        .flat_map(|(user, _)| {
            user.items.iter().map(|item| item.card).chain(user.wants.iter().map(|want| want.card))
        })
        .collect::<HashSet<_>>()
        .into_iter()
        .collect();
    let cards = cards_of(bulk, &wanted).await?;

    let mut items = Vec::new();
    let mut rows = Vec::new();
    for (user, id) in users() {
        for (place, item) in (0_u32..).zip(&user.items) {
            let Some(card) = cards.get(&item.card) else { continue };
            let item_id = Uuid::new_v5(id, &place.to_be_bytes());
            let held = Held::from(item.price);
            let at = Cell::Time(user.joined_at + TimeDelta::minutes(place.into()));
            items.push(item_id);
            rows.push(vec![
                Cell::Uuid(item_id),
                Cell::Uuid(*id),
                Cell::Int(card.id.into()),
                Cell::Int(item.finish.to_value().into()),
                Cell::Int(item.condition.to_value().into()),
                Cell::Text(item.language.as_str().into()),
                Cell::Int(item.quantity.into()),
                held.amount.map_or(Cell::Null, Cell::Int),
                held.currency.map_or(Cell::Null, |currency| Cell::Int(currency.to_value().into())),
                Cell::Date(item.acquired_on),
                Cell::Json("[]".to_owned()),
                Cell::Text(card.name_key.as_str().into()),
                at.clone(),
                at,
            ]);
        }
    }
    written += bulk.merge(&ITEMS, &rows).await?;
    refresh_values(bulk, Of::Items(&items)).await?;

    let mut rows = Vec::new();
    for (user, id) in users() {
        for (place, want) in (0_u32..).zip(&user.wants) {
            let Some(card) = cards.get(&want.card) else { continue };
            let held = Held::from(want.target);
            let at = Cell::Time(user.joined_at + TimeDelta::minutes(place.into()));
            rows.push(vec![
                Cell::Uuid(Uuid::new_v5(id, format!("want {place}").as_bytes())),
                Cell::Uuid(*id),
                Cell::Int(card.id.into()),
                Cell::Int(want.quantity.into()),
                Cell::Int(want.priority.to_value().into()),
                held.amount.map_or(Cell::Null, Cell::Int),
                held.currency.map_or(Cell::Null, |currency| Cell::Int(currency.to_value().into())),
                Cell::Text(card.name_key.as_str().into()),
                Cell::Bool(false),
                at.clone(),
                at,
            ]);
        }
    }
    written += bulk.merge(&WANTS, &rows).await?;
    // A target above the price is no fall of the price.
    let mut sql = Sql::new(bulk);
    sql.push("update want_list_items as w set below_target = true where w.user_id").any_of_uuids(&ids);
    sql.push(&format!(" and not w.below_target and {MET}"));
    sql.run(bulk).await?;
    Ok(written)
}

fn account_cells<'a>(user: &'a InventedUser, password_hash: &'a str) -> Vec<Cell<'a>> {
    let address = invented_address(user.number);
    vec![
        Cell::Uuid(id_of(&address)),
        Cell::Text(address.clone().into()),
        Cell::Text(address.into()),
        Cell::Bool(true),
        Cell::Text(user.name.as_str().into()),
        Cell::Int(Role::User.to_value().into()),
        Cell::Text(password_hash.into()),
        Cell::Int(0),
        Cell::Time(user.joined_at),
    ]
}

/// Those of these users that are there.
async fn load_made(bulk: &Bulk, ids: &[Uuid]) -> Result<HashSet<Uuid>> {
    #[derive(FromQueryResult)]
    struct Made {
        id: Uuid,
    }
    let mut sql = Sql::new(bulk);
    sql.push("select id from users where id").any_of_uuids(ids);
    Ok(sql.all::<Made>(bulk).await?.into_iter().map(|row| row.id).collect())
}

/// Takes the invented users away, with all that is theirs.
///
/// # Errors
/// The database's.
pub async fn remove_invented(bulk: &Bulk) -> Result<()> {
    #[derive(FromQueryResult)]
    struct Account {
        id: Uuid,
        email_key: String,
    }
    let mut sql = Sql::new(bulk);
    sql.push("select id, email_key from users where email_key like 'collector-%@example.com'");
    let found = sql.all::<Account>(bulk).await?;
    // Not who has registered such an address.
    let invented: Vec<Uuid> =
        found.iter().filter(|user| id_of(&user.email_key) == user.id).map(|user| user.id).collect();
    if invented.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new(bulk);
    sql.push("delete from users where id").any_of_uuids(&invented);
    sql.run(bulk).await?;
    Ok(())
}
