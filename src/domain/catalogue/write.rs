//! Writing the catalogue: batches of records become rows.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use entity::enums::Provider;
use sea_orm::{ActiveEnum, ConnectionTrait, FromQueryResult};
use serde::Serialize;
use uuid::Uuid;

use super::derived::{Standing, standings};
use super::facts::{FaceFacts, Stat, face_facts, printing_marks};
use super::formats::format_bits;
use super::mana::ManaCost;
use super::names::{collector_key, name_key, text_key};
use super::provisional::take_over_provisional;
use super::record::{CardRecord, Legality, SetRecord};
use super::set::set_uuid;
use crate::db::{Bulk, Cell, Column, Merge, Sql, Target};
use crate::error::{Error, Result};

const fn column(name: &'static str, merge: Merge) -> Column {
    Column { name, merge }
}

const SETS: Target = Target {
    table: "card_sets",
    columns: &[
        column("code", Merge::Key),
        column("uuid", Merge::Keep),
        column("name", Merge::Replace),
        column("name_key", Merge::Replace),
        column("block_key", Merge::ReplaceIfKnown),
        column("kind", Merge::Replace),
        column("block", Merge::ReplaceIfKnown),
        column("parent_code", Merge::ReplaceIfKnown),
        // Scryfall's cards do not say it: theirs is a guess, which must not undo MTGJSON's word.
        column("released_on", Merge::Fill),
        column("icon_url", Merge::ReplaceIfKnown),
        column("digital", Merge::Replace),
    ],
    only_if: None,
};

/// A source that does not know what a printing is in its set says ` ? `, in the place of what may be known already.
const MARKS: Merge = Merge::As(
    "replace(excluded.marks, ' ? ', case when t.marks like ' ? %' then ' ? ' else ' ' \
     || case when t.marks like '% is:booster %' then 'is:booster ' else '' end \
     || case when t.marks like '% is:variation %' then 'is:variation ' else '' end end)",
);

/// What a source has said stays beside what is read off the text: 64 is `SAID_MANA`.
const PRODUCES: Merge = Merge::As(
    "case when t.produces >= 64 and excluded.produces < 64 then t.produces else excluded.produces end",
);

/// It keeps its place as long as it stays with its piece.
const PLACE: Merge =
    Merge::As("case when t.piece_id = excluded.piece_id then t.place else excluded.place end");

const CARDS: Target = Target {
    table: "cards",
    columns: &[
        column("scryfall_id", Merge::Key),
        column("oracle_id", Merge::ReplaceIfKnown),
        column("piece_id", Merge::Replace),
        column("illustration_id", Merge::ReplaceIfKnown),
        column("set_code", Merge::Replace),
        column("collector_number", Merge::Replace),
        column("collector_key", Merge::Replace),
        column("language", Merge::Replace),
        column("name", Merge::Replace),
        column("name_key", Merge::Replace),
        column("layout", Merge::Replace),
        column("rarity", Merge::Replace),
        column("type_line", Merge::Replace),
        column("mana_cost", Merge::Replace),
        column("mana_value", Merge::Replace),
        column("colors", Merge::Replace),
        column("color_identity", Merge::Replace),
        column("finishes", Merge::Replace),
        column("released_on", Merge::ReplaceIfKnown),
        column("promo", Merge::Replace),
        column("digital", Merge::Replace),
        column("reserved", Merge::Replace),
        column("extra", Merge::Keep),
        column("place", PLACE),
        column("provisional", Merge::Replace),
        column("artist", Merge::ReplaceIfKnown),
        column("artist_key", Merge::ReplaceIfKnown),
        column("power", Merge::Replace),
        column("toughness", Merge::Replace),
        column("loyalty", Merge::Replace),
        column("image_url", Merge::ReplaceIfKnown),
        column("scryfall_url", Merge::ReplaceIfKnown),
        column("oracle_text", Merge::Replace),
        column("flavor_text", Merge::ReplaceIfKnown),
        column("flavor_key", Merge::ReplaceIfKnown),
        column("marks", MARKS),
        column("keywords", Merge::Replace),
        column("faces", Merge::Replace),
        column("legalities", Merge::Replace),
        column("legal", Merge::Replace),
        column("restricted", Merge::Replace),
        column("banned", Merge::Replace),
        column("purchase_urls", Merge::Members),
    ],
    only_if: None,
};

const FACES: Target = Target {
    table: "piece_faces",
    columns: &[
        column("piece_id", Merge::Key),
        column("face", Merge::Key),
        column("types", Merge::Replace),
        column("rules", Merge::Replace),
        column("rules_full", Merge::Replace),
        column("rules_self", Merge::Replace),
        column("mana", Merge::Replace),
        column("generic_mana", Merge::Replace),
        column("pips", Merge::Replace),
        column("mana_value", Merge::Replace),
        column("power", Merge::Replace),
        column("power_star", Merge::Replace),
        column("toughness", Merge::Replace),
        column("toughness_star", Merge::Replace),
        column("loyalty", Merge::Replace),
        column("loyalty_star", Merge::Replace),
        column("produces", PRODUCES),
        column("marks", Merge::Replace),
    ],
    only_if: None,
};

const NAMES: Target = Target {
    table: "card_names",
    columns: &[column("name_key", Merge::Key), column("piece_id", Merge::Key), column("name", Merge::Keep)],
    only_if: None,
};

pub(super) const EXTERNAL_IDS: Target = Target {
    table: "card_external_ids",
    columns: &[
        column("provider", Merge::Key),
        column("external_id", Merge::Key),
        column("card_id", Merge::Key),
    ],
    only_if: None,
};

/// Writes a batch's sets and printings, and answers how many rows were new or changed. A record that comes twice counts as its
/// last.
///
/// # Errors
/// The database's; a card of a set that neither the batch nor the store has.
pub async fn write_printings(bulk: &Bulk, sets: &[&SetRecord], cards: &[&CardRecord]) -> Result<u64> {
    let cards = last_of_each(cards);
    take_over_provisional(bulk, &cards).await?;
    insert_printings(bulk, sets, &cards, false).await
}

/// Writes what is said about a batch's printings, which are there: the faces of their game pieces, names, ids that others have
/// for them. Answers how many rows were new or changed.
///
/// # Errors
/// The database's.
pub async fn write_about(bulk: &Bulk, cards: &[&CardRecord]) -> Result<u64> {
    let cards = last_of_each(cards);
    let written = insert_pieces(bulk, &cards).await?;
    let external = external_ids(bulk, &cards).await?;
    take_back_ids(bulk, &external).await?;
    Ok(written + insert_ids(bulk, external).await?)
}

/// Writes a printing that no catalogue has brought yet, and of which no ids are known.
///
/// # Errors
/// As [`write_printings`].
pub(super) async fn write_provisional(bulk: &Bulk, card: &CardRecord) -> Result<()> {
    insert_printings(bulk, &[], &[card], true).await?;
    insert_pieces(bulk, &[card]).await?;
    Ok(())
}

fn last_of_each<'c>(cards: &[&'c CardRecord]) -> Vec<&'c CardRecord> {
    let last: HashMap<Uuid, usize> =
        cards.iter().enumerate().map(|(position, card)| (card.scryfall_id, position)).collect();
    let numbered = cards.iter().enumerate();
    numbered
        .filter(|(position, card)| last.get(&card.scryfall_id) == Some(position))
        .map(|(_, card)| *card)
        .collect()
}

async fn insert_printings(
    bulk: &Bulk,
    sets: &[&SetRecord],
    cards: &[&CardRecord],
    provisional: bool,
) -> Result<u64> {
    let sets: BTreeMap<&str, &SetRecord> = sets.iter().map(|set| (set.code.as_str(), *set)).collect();
    let rows: Vec<_> = sets.values().map(|set| set_cells(set)).collect();
    let written = bulk.merge(&SETS, &rows).await?;
    let standings = standings(bulk, cards).await?;
    let rows = cards.iter().zip(standings).map(|(card, standing)| card_cells(card, standing, provisional));
    let rows = rows.collect::<Result<Vec<_>>>()?;
    Ok(written + bulk.merge(&CARDS, &rows).await?)
}

async fn insert_pieces(bulk: &Bulk, cards: &[&CardRecord]) -> Result<u64> {
    // All printings of a piece say the same of it, but for a source that has changed its mind: then the last counts.
    let pieces: BTreeMap<Uuid, &CardRecord> = cards.iter().map(|card| (piece_id(card), *card)).collect();
    let rows: Vec<_> = pieces
        .iter()
        .flat_map(|(piece, card)| {
            let faces = face_facts(card).into_iter().zip(0..);
            faces.map(|(facts, face)| face_cells(*piece, face, card.mana_value, facts))
        })
        .collect();
    let written = bulk.merge(&FACES, &rows).await?;

    let names: BTreeMap<(String, Uuid), &str> = cards
        .iter()
        .flat_map(|card| {
            let names = std::iter::once(&card.name).chain(card.faces.iter().map(|face| &face.name));
            names.map(|name| ((name_key(name), piece_id(card)), name.as_str()))
        })
        .collect();
    let rows: Vec<_> = names
        .into_iter()
        .map(|((key, piece), name)| vec![Cell::Text(key.into()), Cell::Uuid(piece), Cell::Text(name.into())])
        .collect();
    Ok(written + bulk.merge(&NAMES, &rows).await?)
}

/// Who has given it, the id, and our card: in this order, each once.
type ExternalId<'c> = (i16, &'c str, i32);

async fn external_ids<'c>(bulk: &Bulk, cards: &[&'c CardRecord]) -> Result<Vec<ExternalId<'c>>> {
    let ids = load_card_ids(bulk, &cards.iter().map(|card| card.scryfall_id).collect::<Vec<_>>()).await?;
    let mut external: Vec<_> = cards
        .iter()
        .filter_map(|card| Some((card, ids.get(&card.scryfall_id)?)))
        .flat_map(|(card, id)| {
            card.external_ids.iter().map(|(who, name)| (who.to_value(), name.as_str(), *id))
        })
        .collect();
    external.sort_unstable();
    external.dedup();
    Ok(external)
}

async fn insert_ids(bulk: &Bulk, external: Vec<ExternalId<'_>>) -> Result<u64> {
    let rows: Vec<_> = external
        .into_iter()
        .map(|(who, name, card)| vec![Cell::Int(who.into()), Cell::Text(name.into()), Cell::Int(card.into())])
        .collect();
    bulk.merge(&EXTERNAL_IDS, &rows).await
}

/// A price belongs to one printing: an id of MTGJSON's that the catalogue now gives to one is no other's any more.
async fn take_back_ids(bulk: &Bulk, brought: &[ExternalId<'_>]) -> Result<()> {
    let mtgjson = Provider::Mtgjson.to_value();
    let ids: Vec<String> = brought
        .iter()
        .filter(|(provider, ..)| *provider == mtgjson)
        .map(|(_, id, _)| (*id).to_owned())
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    for known in find_cards_by_external_id(bulk, Provider::Mtgjson, &ids).await? {
        let KnownCard { external_id, card_id, .. } = known;
        if brought.binary_search(&(mtgjson, external_id.as_str(), card_id)).is_err() {
            let mut sql = Sql::new(bulk);
            sql.push("delete from card_external_ids where provider = ").bind(mtgjson);
            sql.push(" and external_id = ").bind(external_id).push(" and card_id = ").bind(card_id);
            sql.run(bulk).await?;
        }
    }
    Ok(())
}

/// What the printings of one game piece share.
pub(super) fn piece_id(card: &CardRecord) -> Uuid {
    card.oracle_id.unwrap_or(card.scryfall_id)
}

pub(super) fn text(value: &str) -> Cell<'_> {
    Cell::Text(Cow::Borrowed(value))
}

fn optional_text(value: Option<&String>) -> Cell<'_> {
    value.map_or(Cell::Null, |value| text(value))
}

fn json(value: &impl Serialize) -> Result<Cell<'static>> {
    let text = serde_json::to_string(value).map_err(|error| Error::internal(error.to_string()))?;
    Ok(Cell::Json(text))
}

fn set_cells(set: &SetRecord) -> Vec<Cell<'_>> {
    vec![
        text(&set.code),
        Cell::Uuid(set_uuid(&set.code)),
        text(&set.name),
        Cell::Text(name_key(&set.name).into()),
        set.block.as_ref().map_or(Cell::Null, |block| Cell::Text(name_key(block).into())),
        text(&set.kind),
        optional_text(set.block.as_ref()),
        optional_text(set.parent_code.as_ref()),
        set.released_on.map_or(Cell::Null, Cell::Date),
        optional_text(set.icon_url.as_ref()),
        Cell::Bool(set.digital),
    ]
}

fn card_cells(card: &CardRecord, standing: Standing, provisional: bool) -> Result<Vec<Cell<'_>>> {
    Ok(vec![
        Cell::Uuid(card.scryfall_id),
        card.oracle_id.map_or(Cell::Null, Cell::Uuid),
        Cell::Uuid(piece_id(card)),
        card.illustration_id.map_or(Cell::Null, Cell::Uuid),
        text(&card.set_code),
        text(&card.collector_number),
        Cell::Text(collector_key(&card.collector_number).into()),
        text(&card.language),
        text(&card.name),
        Cell::Text(name_key(&card.name).into()),
        text(&card.layout),
        Cell::Int(card.rarity.to_value().into()),
        text(&card.type_line),
        optional_text(card.mana_cost.as_ref()),
        Cell::Float(card.mana_value),
        Cell::Int(card.colors.bits().into()),
        Cell::Int(card.color_identity.bits().into()),
        Cell::Int(card.finishes.bits().into()),
        card.released_on.map_or(Cell::Null, Cell::Date),
        Cell::Bool(card.promo),
        Cell::Bool(card.digital),
        Cell::Bool(card.reserved),
        Cell::Bool(standing.extra),
        Cell::Int(standing.place.into()),
        Cell::Bool(provisional),
        optional_text(card.artist.as_ref()),
        folded(card.artist.as_deref(), card.faces.iter().filter_map(|face| face.artist.as_deref())),
        optional_text(card.power.as_ref()),
        optional_text(card.toughness.as_ref()),
        optional_text(card.loyalty.as_ref()),
        optional_text(card.image_url.as_ref()),
        optional_text(card.scryfall_url.as_ref()),
        optional_text(card.oracle_text.as_ref()),
        optional_text(card.flavor_text.as_ref()),
        folded(card.flavor_text.as_deref(), card.faces.iter().filter_map(|face| face.flavor_text.as_deref())),
        Cell::Text(printing_marks(card).into()),
        json(&card.keywords)?,
        json(&card.faces)?,
        json(&card.legalities)?,
        Cell::Int(format_bits(&card.legalities, Legality::Legal)),
        Cell::Int(format_bits(&card.legalities, Legality::Restricted)),
        Cell::Int(format_bits(&card.legalities, Legality::Banned)),
        json(&card.purchase_urls)?,
    ])
}

/// The card's own text, or those of its faces, a line each.
fn folded<'c>(own: Option<&'c str>, faces: impl Iterator<Item = &'c str>) -> Cell<'static> {
    let texts: Vec<String> = match own {
        Some(own) => vec![text_key(own)],
        None => faces.map(text_key).collect(),
    };
    if texts.is_empty() { Cell::Null } else { Cell::Text(texts.join("\n").into()) }
}

fn face_cells(piece: Uuid, face: i64, mana_value: f64, facts: FaceFacts) -> Vec<Cell<'static>> {
    let owned = |text: Option<String>| text.map_or(Cell::Null, |text| Cell::Text(text.into()));
    let stat = |stat: Option<Stat>| match stat {
        Some(Stat { number, star }) => [Cell::Float(number), owned(star)],
        None => [Cell::Null, Cell::Null],
    };
    let mut cells = vec![
        Cell::Uuid(piece),
        Cell::Int(face),
        Cell::Text(facts.types.into()),
        Cell::Text(facts.rules.into()),
        owned(facts.rules_full),
        owned(facts.rules_self),
        owned(facts.mana.as_ref().map(ManaCost::canonical)),
        facts.mana.as_ref().map_or(Cell::Null, |cost| Cell::Int(cost.generic().into())),
        Cell::Text(facts.mana.as_ref().map(ManaCost::pips).unwrap_or_default().into()),
        Cell::Float(mana_value),
    ];
    cells.extend(stat(facts.power));
    cells.extend(stat(facts.toughness));
    cells.extend(stat(facts.loyalty));
    cells.extend([Cell::Int(facts.produces.into()), Cell::Text(facts.marks.into())]);
    cells
}

#[derive(Debug, FromQueryResult)]
struct CardId {
    id: i32,
    scryfall_id: Uuid,
}

/// The rows of these printings.
///
/// # Errors
/// The database's.
pub async fn load_card_ids(
    connection: &impl ConnectionTrait,
    scryfall_ids: &[Uuid],
) -> Result<HashMap<Uuid, i32>> {
    let mut sql = Sql::new(connection);
    sql.push("select id, scryfall_id from cards where scryfall_id").any_of_uuids(scryfall_ids);
    let rows = sql.all::<CardId>(connection).await?;
    Ok(rows.into_iter().map(|row| (row.scryfall_id, row.id)).collect())
}

/// A card by somebody else's id, with the language that its prices are in.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct KnownCard {
    pub external_id: String,
    pub card_id: i32,
    pub language: String,
}

/// Where an id has several cards, the last is the one that it means: one that a catalogue has, and of these the first.
///
/// # Errors
/// The database's.
pub async fn find_cards_by_external_id(
    connection: &impl ConnectionTrait,
    provider: Provider,
    external_ids: &[String],
) -> Result<Vec<KnownCard>> {
    let mut sql = Sql::new(connection);
    sql.push("select e.external_id, e.card_id, c.language from card_external_ids e join cards c on c.id = e.card_id");
    sql.push(" where e.provider = ")
        .bind(provider.to_value())
        .push(" and e.external_id")
        .any_of_texts(external_ids)
        .push(" order by c.provisional desc, e.card_id desc");
    Ok(sql.all(connection).await?)
}
