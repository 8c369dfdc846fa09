//! What the keys say of how an answer is laid out.

use entity::enums::Currency;

use super::super::super::list::{CardSortField, Unique};
use super::super::syntax::Asked;
use super::super::tree::{Layout, Prefer};
use super::{Meaning, Read};
use crate::db::Direction;

pub(super) fn include(asked: &Asked<'_>) -> Read {
    let extras = asked.one_of_few("kind of card to include", &[("extras", true), ("variations", false)])?;
    Ok(Meaning::Setting(Layout { extras, ..Layout::default() }))
}

pub(super) fn unique(asked: &Asked<'_>) -> Read {
    let names = [
        ("cards", Unique::Cards),
        ("card", Unique::Cards),
        ("art", Unique::Art),
        ("arts", Unique::Art),
        ("print", Unique::Printings),
        ("prints", Unique::Printings),
        ("printings", Unique::Printings),
    ];
    let unique = Some(asked.one_of_few("way to list cards once", &names)?);
    Ok(Meaning::Setting(Layout { unique, ..Layout::default() }))
}

pub(super) fn prefer(asked: &Asked<'_>) -> Read {
    let names = [
        ("newest", Some(Prefer::Newest)),
        ("oldest", Some(Prefer::Oldest)),
        ("promo", Some(Prefer::Promo)),
        ("usd_low", Some(Prefer::Cheapest(Currency::Usd))),
        ("usd_high", Some(Prefer::Dearest(Currency::Usd))),
        ("eur_low", Some(Prefer::Cheapest(Currency::Eur))),
        ("eur_high", Some(Prefer::Dearest(Currency::Eur))),
        ("tix_low", Some(Prefer::Cheapest(Currency::Tix))),
        ("tix_high", Some(Prefer::Dearest(Currency::Tix))),
        ("ub", Some(Prefer::UniversesBeyond)),
        ("universesbeyond", Some(Prefer::UniversesBeyond)),
        ("notub", Some(Prefer::NotUniversesBeyond)),
        ("not_ub", Some(Prefer::NotUniversesBeyond)),
        ("notuniversesbeyond", Some(Prefer::NotUniversesBeyond)),
        ("default", None),
    ];
    let prefer = asked.one_of_few("preference", &names)?;
    Ok(Meaning::Setting(Layout { prefer, ..Layout::default() }))
}

pub(super) fn order(asked: &Asked<'_>) -> Read {
    let by = |field| (field, Currency::Usd);
    let names = [
        ("name", by(CardSortField::Name)),
        ("released", by(CardSortField::ReleasedOn)),
        ("date", by(CardSortField::ReleasedOn)),
        ("set", by(CardSortField::SetCode)),
        ("number", by(CardSortField::CollectorNumber)),
        ("cn", by(CardSortField::CollectorNumber)),
        ("rarity", by(CardSortField::Rarity)),
        ("mv", by(CardSortField::ManaValue)),
        ("manavalue", by(CardSortField::ManaValue)),
        ("cmc", by(CardSortField::ManaValue)),
        ("usd", by(CardSortField::Price)),
        ("eur", (CardSortField::Price, Currency::Eur)),
        ("tix", (CardSortField::Price, Currency::Tix)),
    ];
    let order = Some(asked.one_of_few("order", &names)?);
    Ok(Meaning::Setting(Layout { order, ..Layout::default() }))
}

pub(super) fn direction(asked: &Asked<'_>) -> Read {
    let names = [
        ("asc", Some(Direction::Ascending)),
        ("ascending", Some(Direction::Ascending)),
        ("desc", Some(Direction::Descending)),
        ("descending", Some(Direction::Descending)),
        ("auto", None),
    ];
    let direction = asked.one_of_few("direction", &names)?;
    Ok(Meaning::Setting(Layout { direction, ..Layout::default() }))
}

/// How Scryfall's page looks, which is no matter of the answer: taken, so that its searches may be pasted here.
pub(super) fn display(asked: &Asked<'_>) -> Read {
    let names = [("grid", ()), ("checklist", ()), ("full", ()), ("images", ()), ("text", ())];
    asked.one_of_few("way to show cards", &names)?;
    Ok(Meaning::Setting(Layout::default()))
}
