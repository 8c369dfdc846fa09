//! Cards that price records make, of which no more is known than what they are called, until a catalogue brings them.

use entity::enums::Provider;
use sea_orm::{ActiveEnum, ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use super::names::name_key;
use super::record::CardRecord;
use super::set::set_uuid;
use super::write::{EXTERNAL_IDS, load_card_ids, text, write_provisional};
use crate::db::{Bulk, Cell, Sql};
use crate::error::{Error, Result};

/// A card that a price record made gives its row, and so its prices, to the printing that the catalogue now brings.
pub(super) async fn take_over_provisional(bulk: &Bulk, cards: &[&CardRecord]) -> Result<()> {
    #[derive(FromQueryResult)]
    struct Provisional {
        id: i32,
        set_code: String,
        collector_number: String,
        language: String,
    }
    let codes: Vec<String> = {
        let mut codes: Vec<_> = cards.iter().map(|card| card.set_code.clone()).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    };
    let mut sql = Sql::new(bulk);
    sql.push("select id, set_code, collector_number, language from cards where provisional and set_code");
    sql.any_of_texts(&codes);
    for made in sql.all::<Provisional>(bulk).await? {
        let found = cards.iter().find(|card| {
            (&card.set_code, &card.collector_number, &card.language)
                == (&made.set_code, &made.collector_number, &made.language)
        });
        if let Some(card) = found {
            let mut sql = Sql::new(bulk);
            sql.push("update cards set scryfall_id = ")
                .bind(card.scryfall_id)
                .push(" where id = ")
                .bind(made.id);
            sql.push(" and not exists (select 1 from cards o where o.scryfall_id = ")
                .bind(card.scryfall_id)
                .push(")");
            sql.run(bulk).await?;
        }
    }
    Ok(())
}

const SAME_COPIES: &str =
    "o.user_id = t.user_id and o.finish = t.finish and o.condition = t.condition and o.language = t.language";
/// What belongs to a card and must not be there twice: a table, and what makes two rows `o` and `t` of one card alike.
const BELONGINGS: [(&str, &str); 5] = [
    (
        "price_snapshots",
        "o.marketplace_id = t.marketplace_id and o.kind = t.kind and o.finish = t.finish
         and o.condition = t.condition and o.language = t.language and o.observed_at = t.observed_at",
    ),
    ("card_external_ids", "o.provider = t.provider and o.external_id = t.external_id"),
    ("inventory_items", SAME_COPIES),
    ("want_list_items", "o.user_id = t.user_id and coalesce(o.finish, -1) = coalesce(t.finish, -1)"),
    ("removed_inventory_items", "o.id = t.id"),
];

/// A catalogue and prices that came at once do not see each other's cards, and then there are two of one printing: the
/// one that the prices made gives all it has to the other.
pub(super) async fn merge_provisional(bulk: &Bulk) -> Result<()> {
    #[derive(FromQueryResult)]
    struct Pair {
        made: i32,
        known: i32,
    }
    let mut sql = Sql::new(bulk);
    sql.push(
        "select p.id as made, min(c.id) as known from cards p
         join cards c on c.set_code = p.set_code and c.collector_number = p.collector_number
              and c.language = p.language and not c.provisional
         where p.provisional group by p.id",
    );
    for Pair { made, known } in sql.all::<Pair>(bulk).await? {
        // Who has copies of both has the sum.
        let mut sql = Sql::new(bulk);
        sql.push(
            "update inventory_items as o set quantity = case when o.quantity + t.quantity > 100000 then 100000
                 else o.quantity + t.quantity end
             from inventory_items t where t.card_id = ",
        );
        sql.bind(made).push(" and o.card_id = ").bind(known).push(" and ").push(SAME_COPIES);
        sql.run(bulk).await?;
        for (table, alike) in BELONGINGS {
            let mut sql = Sql::new(bulk);
            sql.push(&format!("update {table} as t set card_id = ")).bind(known);
            sql.push(" where t.card_id = ").bind(made);
            sql.push(&format!(" and not exists (select 1 from {table} o where o.card_id = ")).bind(known);
            sql.push(" and ").push(alike).push(")");
            sql.run(bulk).await?;
        }
        follow_moved_prices(bulk, made, known).await?;
        for (table, column) in [
            ("price_snapshots", "card_id"),
            ("latest_prices", "card_id"),
            ("stale_cards", "card_id"),
            ("card_prices", "card_id"),
            ("price_days", "card_id"),
            ("card_external_ids", "card_id"),
            ("inventory_items", "card_id"),
            ("want_list_items", "card_id"),
            ("cards", "id"),
        ] {
            let mut sql = Sql::new(bulk);
            sql.push(&format!("delete from {table} where {column} = ")).bind(made);
            sql.run(bulk).await?;
        }
    }
    Ok(())
}

const COLUMNS: &str = "card_id, marketplace_id, kind, finish, condition, language, observed_at, price, low, mid, high, \
     market";

/// The newest of each series that a card now has, and a note that all that is derived of them is behind.
async fn follow_moved_prices(bulk: &Bulk, made: i32, known: i32) -> Result<()> {
    let mut sql = Sql::new(bulk);
    sql.push("delete from latest_prices where card_id").any_of_numbers(&[made, known]);
    sql.run(bulk).await?;
    let mut sql = Sql::new(bulk);
    sql.push(&format!(
        "insert into latest_prices ({COLUMNS}) select {COLUMNS} from (
             select s.*, row_number() over (partition by s.marketplace_id, s.kind, s.finish, s.condition, s.language
                                            order by s.observed_at desc) as age
             from price_snapshots s where s.card_id = "
    ));
    sql.bind(known).push(") newest where age = 1");
    sql.run(bulk).await?;
    let mut sql = Sql::new(bulk);
    sql.push(
        "insert into stale_cards as t (card_id, since)
         select card_id, min(observed_at) from price_snapshots where card_id = ",
    );
    sql.bind(known).push(
        " group by card_id
         on conflict (card_id) do update set since = excluded.since where excluded.since < t.since",
    );
    sql.run(bulk).await?;
    Ok(())
}

/// The namespace of the ids of cards that price records make.
const MADE_CARDS: Uuid = Uuid::from_u128(0x2a63_7f0e_5d0b_4c8a_8c37_0f9f_6a1b_d5e2);

/// Finds the English printing of this set and number, or makes it, with no more than its name; either way the card
/// answers to the outside id from now on. Two that race make one. What fails is undone, and nothing else of the
/// transaction.
///
/// # Errors
/// The database's.
pub async fn make_card(
    bulk: &Bulk,
    name: &str,
    set_code: &str,
    collector_number: &str,
    known_as: (Provider, &str),
) -> Result<i32> {
    bulk.execute_unprepared("savepoint make_card").await?;
    let made = make_card_unguarded(bulk, name, set_code, collector_number, known_as).await;
    if made.is_err() {
        bulk.execute_unprepared("rollback to savepoint make_card").await?;
    }
    bulk.execute_unprepared("release savepoint make_card").await?;
    made
}

async fn make_card_unguarded(
    bulk: &Bulk,
    name: &str,
    set_code: &str,
    collector_number: &str,
    (provider, external_id): (Provider, &str),
) -> Result<i32> {
    let known =
        super::find_card_by_printing(bulk, set_code, collector_number, "en", super::CardColumns::Row).await?;
    let id = if let Some(card) = known {
        card.id
    } else {
        // The same for all who make it, so that the unique index lets one through.
        let scryfall_id = Uuid::new_v5(&MADE_CARDS, format!("{set_code}\0{collector_number}").as_bytes());
        let mut sql = Sql::new(bulk);
        sql.push("insert into card_sets (code, uuid, name, name_key, kind, digital) values (").bind(set_code);
        sql.push(", ").bind(set_uuid(set_code)).push(", ").bind(set_code.to_uppercase());
        sql.push(", ").bind(name_key(set_code)).push(", 'expansion', false) on conflict (code) do nothing");
        sql.run(bulk).await?;
        write_provisional(bulk, &CardRecord::bare(scryfall_id, name, set_code, collector_number)).await?;
        let ids = load_card_ids(bulk, &[scryfall_id]).await?;
        *ids.get(&scryfall_id).ok_or_else(|| Error::internal("a card that was just made is not there"))?
    };
    let row = vec![Cell::Int(provider.to_value().into()), text(external_id), Cell::Int(id.into())];
    bulk.merge(&EXTERNAL_IDS, &[row]).await?;
    Ok(id)
}
