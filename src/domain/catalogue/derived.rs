//! What is said of a printing for the sake of others: whether it is an extra, its place among those of its game piece, how many
//! printings a name and a set have. A new printing is given its own at once, from what is known by then; the end of an ingest
//! puts right what is not.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use super::names::collector_key;
use super::provisional::merge_provisional;
use super::record::CardRecord;
use super::write::piece_id;
use crate::db::{Bulk, Sql};
use crate::domain::collection::follow_names;
use crate::error::Result;

/// Which printing stands for its game piece: the first in this order. Cards before memorabilia, English before others,
/// paper before digital, no promo before promos, then the newest. `cards.place` is kept by it.
const PREFERENCE: &str = "c.extra, case when c.language = 'en' then 0 else 1 end, c.digital, c.promo, \
     coalesce(c.released_on, '0001-01-01') desc, c.set_code, c.collector_key, c.id";

/// Layouts of cards that no deck is built of.
const EXTRA_LAYOUTS: [&str; 7] =
    ["token", "double_faced_token", "emblem", "art_series", "planar", "scheme", "vanguard"];
/// Of the kinds of set all of whose cards are such.
const EXTRA_SETS: &str = "select code from card_sets where kind in ('token', 'memorabilia')";

/// What is said of a new printing.
pub(super) struct Standing {
    pub extra: bool,
    /// After those of its piece that the store has; by [`PREFERENCE`] among those that come with it. Two ingests at once may give one
    /// place twice, until the end of the later one.
    pub place: i32,
}

/// Where the printings of a batch stand if they are new, in the order that they are given in. Their sets are there.
pub(super) async fn standings(bulk: &Bulk, cards: &[&CardRecord]) -> Result<Vec<Standing>> {
    #[derive(FromQueryResult)]
    struct ExtraSet {
        code: String,
    }
    #[derive(FromQueryResult)]
    struct Taken {
        piece_id: Uuid,
        place: i32,
    }
    let mut sql = Sql::new(bulk);
    sql.push(EXTRA_SETS);
    let sets: HashSet<String> = sql.all::<ExtraSet>(bulk).await?.into_iter().map(|set| set.code).collect();
    let pieces: HashSet<Uuid> = cards.iter().map(|card| piece_id(card)).collect();
    let mut sql = Sql::new(bulk);
    sql.push("select piece_id, max(place) as place from cards where piece_id");
    sql.any_of_uuids(&pieces.into_iter().collect::<Vec<_>>()).push(" group by piece_id");
    let taken = sql.all::<Taken>(bulk).await?;
    let mut last: HashMap<Uuid, i32> = taken.into_iter().map(|taken| (taken.piece_id, taken.place)).collect();

    let mut standings: Vec<Standing> = cards
        .iter()
        .map(|card| Standing {
            extra: EXTRA_LAYOUTS.contains(&card.layout.as_str()) || sets.contains(&card.set_code),
            place: 0,
        })
        .collect();
    let mut order: Vec<usize> = (0..cards.len()).collect();
    order.sort_by_cached_key(|&position| preference(cards[position], standings[position].extra));
    for position in order {
        let place = last.entry(piece_id(cards[position])).or_default();
        *place += 1;
        standings[position].place = *place;
    }
    Ok(standings)
}

/// [`PREFERENCE`] of a printing that has no row yet; of two that are alike the first given is the first.
fn preference(card: &CardRecord, extra: bool) -> impl Ord + use<> {
    (
        (extra, card.language != "en", card.digital, card.promo),
        Reverse(card.released_on.unwrap_or(NaiveDate::MIN)),
        (card.set_code.clone(), collector_key(&card.collector_number)),
    )
}

/// Brings what is said of several rows in step with them. Cards that prices made go up in those that the catalogue has since
/// brought. Writes only what has changed.
///
/// # Errors
/// The database's.
pub async fn refresh_catalogue(bulk: &Bulk) -> Result<()> {
    merge_provisional(bulk).await?;
    let extra = format!("(c.layout in ('{}') or c.set_code in ({EXTRA_SETS}))", EXTRA_LAYOUTS.join("', '"));
    let mut sql = update(bulk);
    sql.push(&format!("cards as c set extra = {extra} where c.extra <> {extra}"));
    sql.run(bulk).await?;
    let mut sql = update(bulk);
    sql.push(&format!(
        "cards set place = w.place
         from (select c.id, row_number() over (partition by c.piece_id order by {PREFERENCE}) as place from cards c) w
         where w.id = cards.id and cards.place <> w.place"
    ));
    sql.run(bulk).await?;
    let mut sql = update(bulk);
    sql.push(
        "card_names set printings = counted.n
         from (select n.id, (select count(*) from cards c where c.piece_id = n.piece_id and not c.extra) as n
               from card_names n) counted
         where counted.id = card_names.id and card_names.printings <> counted.n",
    );
    sql.run(bulk).await?;
    let mut sql = update(bulk);
    sql.push(
        "card_sets set card_count = counted.n
         from (select s.code, (select count(*) from cards c where c.set_code = s.code) as n from card_sets s) counted
         where counted.code = card_sets.code and card_sets.card_count <> counted.n",
    );
    sql.run(bulk).await?;
    tidy_indexes(bulk).await?;
    note_sizes(bulk).await?;
    follow_names(bulk).await
}

/// An update of very many rows. What fails on SQLite is not taken back by itself, for which all pages that it changes would be
/// kept in memory: the whole transaction is.
fn update(bulk: &Bulk) -> Sql {
    let mut sql = Sql::new(bulk);
    sql.either("update ", "update or fail ");
    sql
}

/// SQLite takes one index for as large as another until it is told: which of two to read all of, it would guess. Some rows of
/// each tell enough. Connections that are open hear of it when they read the schema again.
async fn note_sizes(bulk: &Bulk) -> Result<()> {
    if !Sql::new(bulk).is_postgres() {
        bulk.execute_unprepared("pragma analysis_limit = 1000").await?;
        for table in ["cards", "card_names", "piece_faces"] {
            bulk.execute_unprepared(&format!("analyze {table}")).await?;
        }
    }
    Ok(())
}

/// What an ingest writes waits beside the indexes of three-letter runs until somebody sorts it in: every search reads it all
/// until then, or does without the index. A vacuum would, when its time comes. Who is not the indexes' owner leaves it to that.
async fn tidy_indexes(bulk: &Bulk) -> Result<()> {
    let mut sql = Sql::new(bulk);
    if !sql.is_postgres() {
        return Ok(());
    }
    sql.push(
        "select gin_clean_pending_list(c.oid) from pg_index i
         join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam join pg_class t on t.oid = i.indrelid
         where a.amname = 'gin' and pg_table_is_visible(t.oid) and pg_has_role(c.relowner, 'usage')
           and t.relname in ('cards', 'card_names', 'piece_faces')",
    );
    sql.run(bulk).await?;
    Ok(())
}
