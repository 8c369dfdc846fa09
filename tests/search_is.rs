//! What `is:` calls cards by: their faces, their bans, and the nicknames of lands.

use std::collections::BTreeSet;

use dualcaster::domain::catalogue::search::is::{IS, Is};
use dualcaster::ingest::Format;
use serde_json::json;

use crate::harness::{TestFile, on_both_stores, scryfall_cards};
use crate::search::{names, printing};

on_both_stores! { Tables:
    async fn a_card_leads_by_its_front_and_where_it_is_not_banned(app: TestApp) {
        let cards = scryfall_cards(
            &[
                printing(1, "Wick, the Lit", "lmp", "rare"),
                printing(2, "Attic // Moth, the Vast", "lmp", "rare"),
                printing(3, "Rat // Rat, the Bold", "lmp", "rare"),
                printing(4, "Owl, the Banned", "lmp", "rare"),
                printing(5, "Lampwright", "lmp", "rare"),
                printing(6, "Lamplighter", "lmp", "rare"),
                printing(7, "Hull, the Lamp", "lmp", "rare"),
                printing(8, "Both, as One", "lmp", "rare"),
                printing(9, "Half of Both", "lmp", "rare"),
            ],
            |printing, card| {
                let faces = |front: &str, back: &str| {
                    json!([{"name": "Front", "mana_cost": "{R}", "type_line": front, "oracle_text": "Hum."},
                        {"name": "Back", "mana_cost": "", "type_line": back, "oracle_text": "Glow."}])
                };
                let changes = match printing.number {
                    2 => json!({"layout": "transform", "type_line": "Land // Legendary Creature — Moth",
                        "card_faces": faces("Land", "Legendary Creature — Moth")}),
                    3 => json!({"layout": "flip", "type_line": "Creature — Rat // Legendary Creature — Rat",
                        "card_faces": faces("Creature — Rat", "Legendary Creature — Rat")}),
                    4 => json!({"type_line": "Legendary Creature — Owl", "legalities": {"commander": "banned"}}),
                    5 => json!({"type_line": "Legendary Planeswalker", "oracle_text": "Lampwright can be your commander."}),
                    6 => json!({"type_line": "Legendary Planeswalker", "legalities": {"oathbreaker": "banned"}}),
                    7 => json!({"type_line": "Legendary Artifact — Vehicle", "power": "3", "toughness": "3"}),
                    8 => json!({"layout": "meld", "mana_cost": "", "type_line": "Legendary Creature — Moth"}),
                    9 => json!({"layout": "meld", "type_line": "Creature — Moth"}),
                    _ => json!({"type_line": "Legendary Creature — Elf", "legalities": {"duel": "restricted"}}),
                };
                for (key, value) in changes.as_object().expect("an object") {
                    card[key] = value.clone();
                }
            },
        );
        app.ingest(Format::Scryfall, &TestFile::json(&cards)).await.expect("a catalogue");
        let (wick, owl, wright, lighter, hull) =
            ("Wick, the Lit", "Owl, the Banned", "Lampwright", "Lamplighter", "Hull, the Lamp");
        assert_eq!(names(&app, "is:commander").await, [hull, wright, wick]);
        assert_eq!(names(&app, "is:brawler").await, [hull, lighter, wright, owl, wick]);
        assert_eq!(names(&app, "is:oathbreaker").await, [wright]);
        assert_eq!(names(&app, "is:duelcommander").await, [hull, wright, owl]);
        assert_eq!(names(&app, "is:meldpart").await, ["Half of Both"]);
        assert_eq!(names(&app, "is:meldresult").await, ["Both, as One"]);
    }

    async fn a_printing_is_called_by_its_promotion(app: TestApp) {
        let promos = || {
            IS.iter().filter_map(|(name, is, _)| match is {
                Is::Printing(mark) => Some((*name, mark.strip_prefix("promo:")?)),
                _ => None,
            })
        };
        let cards = scryfall_cards(
            &[printing(1, "Wick", "lmp", "rare"), printing(2, "Lamp", "lmp", "rare")],
            |printing, card| {
                if printing.number == 1 {
                    card["promo_types"] = json!(promos().map(|(_, kind)| kind).collect::<Vec<_>>());
                }
            },
        );
        app.ingest(Format::Scryfall, &TestFile::json(&cards)).await.expect("a catalogue");
        for (name, _) in promos() {
            assert_eq!(names(&app, &format!("is:{name}")).await, ["Wick"], "{name}");
        }
        assert_eq!(names(&app, "is:alchemy").await, ["Wick"]);
    }

    async fn a_card_is_called_by_its_layout(app: TestApp) {
        let printings: Vec<_> =
            (1..).zip(LAYOUTS).map(|(number, (name, ..))| printing(number, name, "lmp", "rare")).collect();
        let cards = scryfall_cards(&printings, |printing, card| {
            let (_, layout, _) = LAYOUTS[usize::try_from(printing.number - 1).expect("a number")];
            card["layout"] = json!(layout);
        });
        app.ingest(Format::Scryfall, &TestFile::json(&cards)).await.expect("a catalogue");
        for (name, _, word) in LAYOUTS {
            assert_eq!(names(&app, &format!("is:{word} include:extras")).await, [*name], "{word}");
        }
    }

    async fn each_nickname_finds_its_land_and_no_other(app: TestApp) {
        let printings: Vec<_> =
            (1..).zip(LANDS).map(|(number, (name, ..))| printing(number, name, "lmp", "rare")).collect();
        let cards = scryfall_cards(&printings, |printing, card| {
            let (_, types, rules, _) = LANDS[usize::try_from(printing.number - 1).expect("a number")];
            card["mana_cost"] = json!("");
            card["type_line"] = json!(types);
            card["oracle_text"] = json!(rules);
            if rules.contains("Cycling") {
                card["keywords"] = json!(["Cycling"]);
            }
            if let Some((front, back)) = printing.name.split_once(" // ") {
                let face = |name: &str| json!({"name": name, "mana_cost": "", "type_line": "Land", "oracle_text": rules});
                card["layout"] = json!("modal_dfc");
                card["card_faces"] = json!([face(front), face(back)]);
            }
        });
        app.ingest(Format::Scryfall, &TestFile::json(&cards)).await.expect("a catalogue");
        let nicknames = LANDS.iter().flat_map(|(.., nicknames)| nicknames.split_whitespace());
        for nickname in nicknames.collect::<BTreeSet<_>>() {
            let is_called = |nicknames: &str| nicknames.split_whitespace().any(|one| one == nickname);
            let mut called: Vec<_> =
                LANDS.iter().filter(|(.., nicknames)| is_called(nicknames)).map(|(name, ..)| *name).collect();
            called.sort_unstable();
            assert_eq!(names(&app, &format!("is:{nickname}")).await, called, "{nickname}");
        }
    }
}

/// Cards, their layouts, and what they are called.
const LAYOUTS: &[(&str, &str, &str)] = &[
    ("Attic", "planar", "planar"),
    ("Laugh", "scheme", "scheme"),
    ("Grandmother", "vanguard", "vanguard"),
    ("Sign", "emblem", "emblem"),
    ("Still Life", "art_series", "artseries"),
    ("Growth", "mutate", "mutate"),
    ("Lamp Case", "case", "case"),
    ("Draft of a Lamp", "prototype", "prototype"),
    ("Two Lamps", "reversible_card", "reversible"),
];

/// Lands as the real ones are worded, and what they are called. The nameless are like one that has a name.
const LANDS: &[(&str, &str, &str, &str)] = &[
    ("Ache", "Land", "{T}: Add {C}.\n{T}: Add {W} or {U}. Ache deals 1 damage to you.", "painland"),
    (
        "Ache Lake",
        "Land",
        "Ache Lake enters the battlefield tapped.\n{T}: Add {C}.\n{T}: Add {W} or {U}. Ache Lake deals 1 damage to you.",
        "",
    ),
    (
        "Bounce",
        "Land",
        "This land enters tapped.\nWhen this land enters, return a land you control to its owner's hand.\n{T}: Add {W}{U}.",
        "bounceland karoo",
    ),
    (
        "Bounce Alone",
        "Land",
        "Bounce Alone enters the battlefield tapped.\nWhen Bounce Alone enters the battlefield, sacrifice it unless you return an untapped Plains you control to its owner's hand.\n{T}: Add {C}{W}.",
        "bounceland karoo",
    ),
    (
        "Lair",
        "Land — Lair",
        "When this land enters, sacrifice it unless you return a non-Lair land you control to its owner's hand.\n{T}: Add {B}, {R}, or {G}.",
        "",
    ),
    (
        "Glimpse",
        "Land",
        "This land enters tapped.\nWhen this land enters, scry 1.\n{T}: Add {G} or {U}.",
        "scryland",
    ),
    ("Glimpse Alone", "Land", "This land enters tapped.\nWhen this land enters, scry 1.\n{T}: Add {W}.", ""),
    (
        "Store",
        "Land",
        "{T}: Add {C}.\n{1}, {T}: Put a storage counter on this land.\n{1}, Remove X storage counters from this land: Add X mana in any combination of {R} and/or {G}.",
        "storageland",
    ),
    (
        "Store of Shadows",
        "Land",
        "{T}, Exile a creature you control: Put a storage counter on this land.\n{T}: Add {C} for each storage counter on this land.",
        "",
    ),
    (
        "Ride",
        "Land — Island Swamp",
        "This land enters tapped.\nCycling {2}",
        "bikeland cycleland bicycleland",
    ),
    (
        "Ride of Three",
        "Land — Island Swamp Mountain",
        "This land enters tapped.\nCycling {3}",
        "tricycleland trikeland triome",
    ),
    ("Three", "Land", "This land enters tapped.\n{T}: Add {G}, {U}, or {R}.", "triland"),
    ("Three at Once", "Land", "{T}: Add {G}, {U}, or {R}.", ""),
    ("Wick Pathway // Lamp Pathway", "Land // Land", "{T}: Add {W}.", "pathway"),
    (
        "Crowd",
        "Land",
        "This land enters tapped unless you have two or more opponents.\n{T}: Add {W} or {U}.",
        "bondland crowdland battlebondland bbdland",
    ),
    ("Filter", "Land", "{T}: Add {C}.\n{5}, {T}: Add five mana in any combination of colors.", "filterland"),
    ("Filter of Two", "Land", "{1}, {T}: Add {W}{U}.", "filterland"),
];
