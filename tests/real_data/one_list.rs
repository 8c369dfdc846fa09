//! One list in the forms of ten apps comes to one inventory. All that items hold is compared, one by one; where an app's form has
//! no room for something, or says it of every copy, that is a line of [`forced`], and nothing else may differ.

use std::collections::{HashMap, HashSet};

use dualcaster::ingest::Format;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{OF_USER, imported, real};
use crate::collection::{ask, list, number, text};
use crate::harness::{Printing, TestApp, TestFile, on_both_stores, scryfall_cards};
use crate::jobs::report;
use crate::security::sign_up;

/// The apps, of each of which there is a file.
const APPS: [&str; 10] = [
    "archidekt",
    "cardkingdom",
    "deckbox",
    "dragonshield",
    "manabox",
    "moxfield",
    "mtggoldfish",
    "mtgo",
    "tcgplayer",
    "topdecked",
];

/// Of these the one whose form has room for all, in words that are nearly ours: it is read here, and not by an importer.
const RICHEST: &str = "topdecked";

/// All that an item holds but how many copies it is.
const HELD: [&str; 8] =
    ["card", "finish", "condition", "language", "acquiredPrice", "acquiredOn", "notes", "tags"];

const INVENTORY: &str = "{ viewer { inventory(first: 100) { totalCount nodes {
    quantity finish condition language acquiredPrice { amount currency } acquiredOn notes tags card { scryfallId } } } } }";

/// A difference from the list that an app's form forces.
struct Forced {
    app: &'static str,
    /// Of an item.
    field: &'static str,
    /// What is there instead, whatever the line.
    always: Value,
    why: &'static str,
}

fn forced() -> Vec<Forced> {
    let forced = |app, field, always, why| Forced { app, field, always, why };
    let no_condition = |app| forced(app, "condition", json!("NEAR_MINT"), "it has no column of conditions");
    let no_language = |app| forced(app, "language", json!("en"), "it has no column of languages");
    let no_price = |app| forced(app, "acquiredPrice", Value::Null, "it has no column of what was paid");
    vec![
        no_condition("cardkingdom"),
        no_language("cardkingdom"),
        no_price("cardkingdom"),
        forced(
            "dragonshield",
            "tags",
            json!(["Imported"]),
            "every copy is in a folder, and all of these in one",
        ),
        forced(
            "dragonshield",
            "acquiredOn",
            json!("2024-01-01"),
            "every copy has the day when it was bought",
        ),
        no_condition("mtggoldfish"),
        no_language("mtggoldfish"),
        no_price("mtggoldfish"),
        no_condition("mtgo"),
        no_language("mtgo"),
        no_price("mtgo"),
        no_price("tcgplayer"),
    ]
}

/// A line of the list, by its headings.
type Line = HashMap<String, String>;

/// The list; nothing where it is not there.
fn lines() -> Option<Vec<Line>> {
    let file = real(&format!("collections/{RICHEST}.ref.csv"))?;
    let mut reader = csv::Reader::from_path(file).expect("a table");
    let lines = reader.deserialize::<Line>().map(|line| line.expect("a line")).collect();
    Some(lines)
}

fn cell<'l>(line: &'l Line, heading: &str) -> &'l str {
    line.get(heading).unwrap_or_else(|| panic!("no column {heading}: {line:?}"))
}

/// What a line is as an item.
fn item_of(line: &Line) -> Value {
    let filled = |heading| match cell(line, heading) {
        "" => Value::Null,
        filled => json!(filled),
    };
    let condition = match cell(line, "CONDITION") {
        "mint" | "near mint" => "NEAR_MINT",
        "slightly played" => "LIGHTLY_PLAYED",
        "moderately played" => "MODERATELY_PLAYED",
        "heavily played" => "HEAVILY_PLAYED",
        "damaged" => "DAMAGED",
        other => panic!("no condition: {other:?}"),
    };
    let price = match cell(line, "ACQUIRED PRICE") {
        "" => Value::Null,
        amount => json!({"amount": amount, "currency": "USD"}),
    };
    let tags: Vec<&str> = cell(line, "TAGS").split(';').filter(|tag| !tag.is_empty()).collect();
    json!({
        "quantity": cell(line, "QUANTITY").parse::<i64>().expect("a number"),
        "card": {"scryfallId": cell(line, "ID")},
        "finish": cell(line, "FINISH").to_uppercase(),
        "condition": condition,
        "language": cell(line, "LANG"),
        "acquiredPrice": price,
        "acquiredOn": filled("ACQUIRED DATE"),
        "notes": filled("NOTES"),
        "tags": tags,
    })
}

/// Adds copies to an inventory: to those that are like them, where some are.
fn put(inventory: &mut Vec<Value>, item: Value) {
    let is_like = |there: &Value| HELD.iter().all(|field| there[*field] == item[*field]);
    match inventory.iter_mut().find(|there| is_like(there)) {
        Some(there) => {
            there["quantity"] = json!(number(&there["quantity"]) + number(&item["quantity"]));
        }
        None => inventory.push(item),
    }
}

/// What an app's file must come to by these lines: the list, but for what its form forces.
fn expected(app: &str, wanted: &[Value]) -> Vec<Value> {
    let forced: Vec<Forced> = forced().into_iter().filter(|forced| forced.app == app).collect();
    for Forced { field, always, why, .. } in &forced {
        let is_one = wanted.iter().any(|item| item[*field] != *always);
        assert!(is_one, "{app}: {field} is as in the list, though {why}");
    }
    let mut expected = Vec::new();
    for item in wanted {
        let mut item = item.clone();
        for Forced { field, always, .. } in &forced {
            item[*field] = always.clone();
        }
        put(&mut expected, item);
    }
    expected
}

/// The printings that the catalogue has under the set and the number which the list gives them.
async fn known(app: &TestApp, lines: &[Line]) -> HashSet<String> {
    let query = "query($id: UUID!) { card(by: {scryfallId: $id}) { collectorNumber set { code } } }";
    let mut known = HashSet::new();
    for line in lines {
        let id = cell(line, "ID");
        if known.contains(id) {
            continue;
        }
        let card = app.data(query, json!({"id": id})).await["card"].take();
        let place = (cell(line, "COLLECTOR NUMBER"), cell(line, "SETCODE").to_lowercase());
        if card["collectorNumber"] == json!(place.0) && card["set"]["code"] == json!(place.1) {
            known.insert(id.to_owned());
        }
    }
    known
}

/// Compares what the ten files come to, as far as the catalogue has their printings, and says how many lines of the list that are:
/// none where the files are not there. Somebody has to work.
pub async fn check(app: &TestApp) -> usize {
    let Some(lines) = lines() else { return 0 };
    let known = known(app, &lines).await;
    let is_known = |item: &Value| known.contains(text(&item["card"]["scryfallId"]));
    let wanted: Vec<Value> = lines.iter().map(item_of).filter(|item| is_known(item)).collect();
    for (part, apps) in APPS.chunks(OF_USER).enumerate() {
        let person = sign_up(app, &format!("list-{part}@example.com")).await;
        for name in apps {
            let job = imported(app, &person, &format!("{name}.ref")).await.expect("a file");
            let expected = expected(name, &wanted);
            let inventory = ask(app, &person, INVENTORY, json!(null)).await.field()["inventory"].clone();
            let there: Vec<Value> =
                list(&inventory["nodes"]).into_iter().filter(|item| is_known(item)).collect();
            let missing: Vec<_> = expected.iter().filter(|item| !there.contains(item)).collect();
            let surplus: Vec<_> = there.iter().filter(|item| !expected.contains(item)).collect();
            assert!(missing.is_empty() && surplus.is_empty(), "{name}: {missing:#?} became {surplus:#?}");
            assert_eq!(there.len(), expected.len(), "{name}");
            if wanted.len() < lines.len() {
                continue;
            }
            // Where all are known, there is nothing else, and of no line something to be said.
            assert_eq!(inventory["totalCount"], json!(there.len()), "{name}");
            assert_eq!(
                (&job["rowsImported"], &job["rowsRejected"]),
                (&json!(lines.len()), &json!(0)),
                "{name}"
            );
            for row in report(app, &job).await.iter().skip(1) {
                assert_eq!(row.last().map(String::as_str), Some(""), "{name}: {row:?}");
            }
        }
    }
    wanted.len()
}

/// A catalogue of the list's printings, and for each a newer one of the same card in another set: that is what a row comes to which
/// was not understood.
fn catalogue(lines: &[Line]) -> Value {
    let mut printings: Vec<(&Line, Vec<&str>)> = Vec::new();
    for line in lines {
        let finish = cell(line, "FINISH");
        match printings.iter_mut().find(|(there, _)| cell(there, "ID") == cell(line, "ID")) {
            Some((_, finishes)) => finishes.push(finish),
            None => printings.push((line, vec![finish])),
        }
    }
    let of = |number| Printing { number, name: "", set: "new", collector_number: "", rarity: "common" };
    let count = u128::try_from(printings.len()).expect("a few");
    let all: Vec<Printing> = (0..2 * count).map(of).collect();
    scryfall_cards(&all, |printing, card| {
        let number = usize::try_from(printing.number).expect("a small number");
        let (line, finishes) = &printings[number / 2];
        let name = cell(line, "NAME");
        card["name"] = json!(name);
        card["oracle_id"] = json!(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()));
        if name.contains(" // ") {
            card["layout"] = json!("transform");
            card["card_faces"] = Value::from_iter(name.split(" // ").map(|face| json!({"name": face})));
        }
        if number % 2 == 1 {
            card["collector_number"] = json!(number.to_string());
            card["released_at"] = json!("2040-01-01");
        } else {
            card["id"] = json!(cell(line, "ID"));
            card["set"] = json!(cell(line, "SETCODE").to_lowercase());
            card["set_name"] = json!(cell(line, "SETNAME"));
            card["collector_number"] = json!(cell(line, "COLLECTOR NUMBER"));
            card["finishes"] = json!(finishes);
        }
    })
}

on_both_stores! { Tables:
    async fn one_list_in_the_forms_of_ten_apps_is_one_inventory(app: TestApp) {
        let Some(lines) = lines() else { return };
        app.ingest(Format::Scryfall, &TestFile::json(&catalogue(&lines))).await.expect("a catalogue");
        app.work();
        assert_eq!(check(&app).await, lines.len());
    }
}
