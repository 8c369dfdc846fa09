//! What becomes of a file's rows: found, added or put in place, and told line by line.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use dualcaster::ingest::Format;
use serde_json::{Value, json};

use super::{NEW_BOLT, WOODS, ended, imported, load, report, shocks, undo, upload};
use crate::collection::{
    BOLT, FOREST, LOTUS, NOTHING, SHOCK, VIAL, added, amount, ask, cents, held, ids, list, new_prices,
    number, problem, problems, text,
};
use crate::harness::{Printing, TestApp, TestFile, all_printings, on_both_stores};
use crate::security::{Person, sign_up};

pub const MOXFIELD: &str = "Count,Tradelist Count,Name,Edition,Condition,Language,Foil,Tags,Last Modified,Collector Number,Alter,Proxy,Purchase Price";
const MANABOX: &str = "Binder Name,Binder Type,Name,Set code,Set name,Collector number,Foil,Rarity,Quantity,ManaBox ID,Scryfall ID,Purchase price,Misprint,Altered,Condition,Language,Purchase price currency";
const DECKBOX: &str = "Count,Tradelist Count,Name,Edition,Edition Code,Card Number,Condition,Language,Foil,Signed,Artist Proof,Altered Art,Misprint,Promo,Textless,Printing Id,Printing Note,Tags,My Price,Cost,Rarity,Price,TcgPlayer ID,Scryfall ID";
/// A table of somebody's own.
const OWN: &str = "Quantity,Name,Set Code,Set Name,Collector Number,Scryfall ID";

pub fn table(headings: &str, rows: &[&str]) -> String {
    format!("{headings}\n{}\n", rows.join("\n"))
}

/// A row of Moxfield's that says no more than it must.
pub fn moxfield(quantity: i64, name: &str, set: &str, collector_number: &str) -> String {
    format!(
        "{quantity},0,{name},{set},Near Mint,English,,,2025-10-09 19:20:29.120000,{collector_number},False,False,"
    )
}

/// A file of Moxfield's with these cards.
pub fn moxfields(rows: &[(i64, &str, &str, &str)]) -> String {
    let rows: Vec<String> =
        rows.iter().map(|(quantity, name, set, number)| moxfield(*quantity, name, set, number)).collect();
    table(MOXFIELD, &rows.iter().map(String::as_str).collect::<Vec<_>>())
}

/// What somebody holds, in the order in which it was added: `4 Shock (m11 156)`.
pub async fn printings(app: &TestApp, person: &Person) -> Vec<String> {
    let query = "{ viewer { inventory(sort: {field: CREATED_AT}, first: 100) {
        nodes { quantity card { name set { code } collectorNumber } } } } }";
    let answer = ask(app, person, query, json!(null)).await;
    let told = |item: &Value| {
        let card = &item["card"];
        let (name, set, place) =
            (text(&card["name"]), text(&card["set"]["code"]), text(&card["collectorNumber"]));
        format!("{} {name} ({set} {place})", item["quantity"])
    };
    list(&answer.field()["inventory"]["nodes"]).iter().map(told).collect()
}

/// What became of each line: its number, its outcome, its code and what is said of it.
async fn outcomes(app: &TestApp, job: &Value) -> Vec<(i64, String, String, String)> {
    let rows = report(app, job).await;
    let outcome = |row: &Vec<String>| match row.as_slice() {
        [.., line, outcome, code, message] => {
            (line.parse().expect("a line"), outcome.clone(), code.clone(), message.clone())
        }
        _ => panic!("too few cells: {row:?}"),
    };
    rows.iter().skip(1).map(outcome).collect()
}

/// The same without line and code, of files of which nothing is rejected.
pub async fn told(app: &TestApp, job: &Value) -> Vec<(String, String)> {
    let outcomes = outcomes(app, job).await;
    outcomes.into_iter().map(|(_, outcome, _, message)| (outcome, message)).collect()
}

pub fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(outcome, message)| ((*outcome).to_owned(), (*message).to_owned())).collect()
}

/// A collection's value in dollars, and that it is the sum of what its items are worth.
pub async fn value(app: &TestApp, person: &Person) -> String {
    let query =
        "{ viewer { portfolio { value { amount } } inventory(first: 100) { nodes { value { amount } } } } }";
    let viewer = ask(app, person, query, json!(null)).await.field().clone();
    let sum = list(&viewer["inventory"]["nodes"]).iter().map(|item| cents(&item["value"]["amount"])).sum();
    let whole = text(&viewer["portfolio"]["value"]["amount"]).to_owned();
    assert_eq!(whole, amount(sum));
    whole
}

on_both_stores! { Tables:
    async fn a_merge_adds_to_what_is_held(app: TestApp) {
        load(&app).await;
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let there = added(&app, &ada, json!([
            {"cardId": BOLT.id(), "quantity": 3, "acquiredPrice": {"amount": "1.00"}, "acquiredOn": "2020-02-03",
             "notes": "the first", "tags": ["red", "binder"]},
            {"cardId": LOTUS.id()},
        ])).await;
        let others = added(&app, &bob, json!([{"cardId": BOLT.id()}])).await;
        app.work();
        let file = table(MOXFIELD, &[
            "1,1,Lightning Bolt,lea,Near Mint,English,,\"binder,box\",2025-10-09 19:20:29.120000,161,False,False,5.00",
            "2,2,Shock,m11,NM,English,,,2025-10-09 19:20:29.120000,156,False,False,",
            "1,1,Shock,m11,NM,English,,spare,2025-10-09 19:20:29.120000,156,False,True,0.30",
        ]);
        let job = imported(&app, &ada, &file, json!({})).await;
        assert_eq!((&job["platform"], &job["mode"], &job["dryRun"], &job["undone"]), (&json!("MOXFIELD"), &json!("MERGE"), &json!(false), &json!(false)));
        assert_eq!((&job["rowsImported"], &job["rowsRejected"], &job["error"]), (&json!(3), &json!(0), &Value::Null));
        assert_eq!(job["progress"], json!({"processed": 3, "total": 3, "percent": 100.0}));
        let column = |name: &str| list(&job["columns"]).into_iter().find(|column| column["column"] == json!(name)).expect("a column");
        assert_eq!(column("Edition"), json!({"column": "Edition", "field": "setCode", "confidence": 1.0}));
        assert_eq!(column("Last Modified"), json!({"column": "Last Modified", "field": null, "confidence": 0.0}));
        assert_eq!(told(&app, &job).await, pairs(&[("merged", ""), ("imported", ""), ("merged", "")]));
        let now = held(&app, &ada).await;
        let mut bolt = there[0].clone();
        bolt["quantity"] = json!(4);
        bolt["acquiredPrice"]["amount"] = json!("2.00");
        bolt["tags"] = json!(["red", "binder", "box"]);
        bolt["updatedAt"] = now[0]["updatedAt"].clone();
        assert_eq!((now.len(), &now[..2]), (3, [bolt, there[1].clone()].as_slice()), "notes and date stay");
        assert_ne!(now[0]["updatedAt"], there[0]["updatedAt"]);
        let shock = json!({
            "id": now[2]["id"], "quantity": 3, "condition": "NEAR_MINT", "finish": "NONFOIL", "language": "en",
            "acquiredPrice": {"amount": "0.30", "currency": "USD"}, "acquiredOn": null, "notes": null,
            "tags": ["spare", "proxy"], "createdAt": now[2]["createdAt"], "updatedAt": now[2]["createdAt"],
            "card": {"name": "Shock"},
        });
        assert_eq!(now[2], shock);
        assert_eq!(held(&app, &bob).await, others);
    }

    async fn a_replacement_takes_the_place_of_what_is_held(app: TestApp) {
        load(&app).await;
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let there = added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 3, "notes": "old"}, {"cardId": LOTUS.id()}])).await;
        let others = added(&app, &bob, json!([{"cardId": BOLT.id()}])).await;
        app.work();
        let file = moxfields(&[(4, "Shock", "m11", "156"), (1, "Lightning Bolt", "lea", "161")]);
        let job = imported(&app, &ada, &file, json!({"mode": "REPLACE"})).await;
        assert_eq!((&job["mode"], &job["rowsImported"]), (&json!("REPLACE"), &json!(2)));
        assert_eq!(told(&app, &job).await, pairs(&[("imported", ""), ("imported", "")]));
        assert_eq!(printings(&app, &ada).await, ["4 Shock (m11 156)", "1 Lightning Bolt (lea 161)"]);
        let now = held(&app, &ada).await;
        assert_eq!(now[1]["notes"], Value::Null);
        assert!(!ids(&there).contains(&now[1]["id"]), "it is another item");
        assert_eq!(held(&app, &bob).await, others);
    }

    async fn a_dry_run_tells_all_and_changes_nothing(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let there = added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 3}])).await;
        app.work();
        let file = moxfields(&[(1, "Lightning Bolt", "lea", "161"), (2, "Shock", "m11", "156"), (1, "Shokk", "m11", "")]);
        for (mode, bolt) in [("MERGE", "merged"), ("REPLACE", "imported")] {
            let job = imported(&app, &ada, &file, json!({"mode": mode, "dryRun": true})).await;
            assert_eq!((&job["dryRun"], &job["rowsImported"], &job["rowsRejected"]), (&json!(true), &json!(2), &json!(1)), "{mode}");
            let told: Vec<_> = outcomes(&app, &job).await.into_iter().map(|(line, outcome, code, _)| (line, outcome, code)).collect();
            let expected = [(2, bolt, ""), (3, "imported", ""), (4, "rejected", "ERR-1101")];
            assert_eq!(told, expected.map(|(line, outcome, code)| (line, outcome.to_owned(), code.to_owned())), "{mode}");
            assert_eq!(job["rejectedRows"]["totalCount"], json!(1));
            assert_eq!((held(&app, &ada).await, app.rows("import_made").await), (there.clone(), 0), "{mode}");
            assert_eq!(problems(&undo(&app, &ada, &job["id"]).await), &json!([problem("ERR-3004", &["id"])]));
        }
    }

    async fn rows_are_found_by_whatever_they_say(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        let (bolt, nobody) = (BOLT.scryfall_id(), NOTHING.scryfall_id());
        let by_id = format!("1,Lightning Bolt,,,,{bolt},");
        let by_unknown_id = format!("8,Shock,m11,,,{nobody},");
        let file = table(&format!("{OWN},TCGplayer ID"), &[
            &by_id,
            "2,,lea,,232,,",
            "3,Shock,m11,,156,,",
            "4,aether vial,,Set DST,,,",
            "5,Lightning Bolt,,,,,",
            "6,Forest,m11,,,,",
            "7,Black Lotus,m11,,,,",
            &by_unknown_id,
            "10,,,,,,4",
            "1,Forest,m11,,0247,,",
        ]);
        let job = imported(&app, &ada, &file, json!({})).await;
        assert_eq!((&job["platform"], &job["rowsImported"], &job["rowsRejected"]), (&json!("GENERIC"), &json!(10), &json!(0)));
        assert_eq!(printings(&app, &ada).await, [
            "1 Lightning Bolt (lea 161)",
            "9 Black Lotus (lea 232)",
            "11 Shock (m11 156)",
            "14 Æther Vial (dst 91)",
            "5 Lightning Bolt (2x2 117)",
            "6 Forest (m11 246)",
            "1 Forest (m11 247)",
        ]);
        // What was not sure is said.
        assert_eq!(told(&app, &job).await, pairs(&[
            ("imported", ""),
            ("imported", ""),
            ("imported", ""),
            ("imported", ""),
            ("imported", "Imported as its newest printing, Lightning Bolt (2X2 117)."),
            ("imported", "2 printings in this set have this name: imported as Forest (M11 246)."),
            ("merged", "There is no such card in M11: imported as its newest printing, Black Lotus (LEA 232)."),
            ("merged", ""),
            ("merged", ""),
            ("imported", ""),
        ]));
        let ids = [BOLT, LOTUS, SHOCK, VIAL, NEW_BOLT, FOREST, WOODS].map(|printing| json!(printing.id()));
        let query = "{ viewer { inventory(sort: {field: CREATED_AT}, first: 100) { nodes { card { id } } } } }";
        let nodes = list(&ask(&app, &ada, query, json!(null)).await.field()["inventory"]["nodes"]);
        assert_eq!(nodes.iter().map(|item| item["card"]["id"].clone()).collect::<Vec<_>>(), ids);
    }

    async fn rows_that_can_t_be_taken_are_told_with_their_reason(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        let other_id = format!("1,Lightning Bolt,,,,{}", LOTUS.scryfall_id());
        let file = table(OWN, &[
            "1,Lightnin Bolt,,,,",
            "1,Shock,,Set M12,,",
            "1,Shock,zzz,,,",
            &other_id,
            "1,Æther Vial,lea,,161,",
            "many,Shock,m11,,156,",
            "100001,Shock,m11,,156,",
            "1,Shock",
            "1,Shock,m11,,156,,x",
            "1,\"Shock\" x,m11,,156,",
            "1,,,,,",
            "0,Shock,m11,,156,",
            "2,Shock,m11,,156,",
            "14,Total,,,,",
        ]);
        let job = imported(&app, &ada, &file, json!({})).await;
        let expected = [
            (2, "ERR-1101", "There is no card “Lightnin Bolt”. Did you mean Lightning Bolt?"),
            (3, "ERR-1101", "There is no set “Set M12”. Did you mean M11?"),
            (4, "ERR-1101", "There is no set “zzz”."),
            (5, "ERR-1102", "The id means Black Lotus (LEA 232), the name says “Lightning Bolt”."),
            (6, "ERR-1102", "The set and number mean Lightning Bolt (LEA 161), the name says “Æther Vial”."),
            (7, "ERR-1103", "The column \"Quantity\" has \"many\""),
            (8, "ERR-1103", "The column \"Quantity\" has \"100001\""),
            (9, "ERR-1104", "This row has fewer cells than the header."),
            (10, "ERR-1104", "This row has more cells than the header."),
            (11, "ERR-1104", "The quotes in this row are broken"),
            (12, "ERR-1101", "The row names no card."),
            (13, "ERR-1103", "The row has a quantity of 0"),
        ];
        let rows = list(&job["rejectedRows"]["nodes"]);
        let told: Vec<_> = rows.iter().map(|row| (number(&row["line"]), text(&row["code"]))).collect();
        assert_eq!(told, expected.map(|(line, code, _)| (line, code)));
        for (row, (line, _, begins)) in rows.iter().zip(expected) {
            assert!(text(&row["message"]).starts_with(begins), "{line}: {row:#}");
        }
        let whole = json!({"Quantity": "1", "Name": "Shock", "Set Code": "", "Set Name": "Set M12", "Collector Number": "", "Scryfall ID": ""});
        assert_eq!((&rows[1]["row"], &rows[7]["row"]), (&whole, &json!({"Quantity": "1", "Name": "Shock"})), "as they came");
        assert_eq!(rows[8]["row"]["column 7"], json!("x"));
        assert_eq!((&job["rowsImported"], &job["rowsRejected"], &job["rejectedRows"]["totalCount"]), (&json!(1), &json!(12), &json!(12)));
        // A row of sums is neither.
        assert_eq!(job["progress"]["processed"], json!(14));
        assert_eq!(printings(&app, &ada).await, ["2 Shock (m11 156)"]);
    }

    async fn exports_are_read_in_their_own_words(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        let manabox = format!("Red,binder,Lightning Bolt,LEA,Set LEA,161,foil,common,1,5,{},0.50,false,true,lightly_played,ja,EUR", BOLT.scryfall_id());
        for (platform, headings, row, expected) in [
            ("MOXFIELD", MOXFIELD, "4,4,Shock,m11,Played,German,foil,burn,2025-10-09 19:20:29.120000,156,False,False,2.00",
             json!([4, "Shock", "FOIL", "MODERATELY_PLAYED", "de", {"amount": "2.00", "currency": "USD"}, ["burn"]])),
            ("MANABOX", MANABOX, manabox.as_str(),
             json!([1, "Lightning Bolt", "FOIL", "MODERATELY_PLAYED", "ja", {"amount": "0.50", "currency": "EUR"}, ["Red", "altered"]])),
            ("DECKBOX", DECKBOX, "2,0,Shock,Set M11,,,Good (Lightly Played),French,,signed,,,,,,1,,trade,$0.30,{R},Common,$5.48,,",
             json!([2, "Shock", "NONFOIL", "LIGHTLY_PLAYED", "fr", {"amount": "0.30", "currency": "USD"}, ["signed", "trade"]])),
        ] {
            let job = imported(&app, &ada, &table(headings, &[row]), json!({"mode": "REPLACE"})).await;
            assert_eq!((&job["platform"], &job["rowsImported"]), (&json!(platform), &json!(1)), "{:#}", job["rejectedRows"]);
            let items = held(&app, &ada).await;
            let item = &items[0];
            let read = json!([
                item["quantity"], item["card"]["name"], item["finish"], item["condition"], item["language"],
                item["acquiredPrice"], item["tags"],
            ]);
            assert_eq!((items.len(), &read), (1, &expected), "{platform}");
        }
    }

    async fn a_file_is_read_as_its_columns_were_shown(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        // All that tells Moxfield's, and a heading that is nearly one of its own.
        let headings = "Count,Name,Edition,Collector Number,Alter,Proxy,Conditoin";
        let job = imported(&app, &ada, &table(headings, &["1,Shock,m11,156,,,DMG"]), json!({})).await;
        let shown = list(&job["columns"]).into_iter().find(|column| column["column"] == json!("Conditoin")).expect("a column");
        assert_eq!((&job["platform"], &shown["field"]), (&json!("MOXFIELD"), &Value::Null));
        assert_eq!(held(&app, &ada).await[0]["condition"], json!("NEAR_MINT"), "what is not used is not used");
    }

    async fn what_is_not_kept_of_a_row_is_said(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        let row = format!("1,Shock,m11,156,{},{}", "n".repeat(2_001), "t".repeat(51));
        let job = imported(&app, &ada, &table("Quantity,Name,Set Code,Collector Number,Notes,Tags", &[&row]), json!({})).await;
        let said = "The notes are cut after 2,000 characters. A tag is cut after 50 characters.";
        assert_eq!(told(&app, &job).await, pairs(&[("imported", said)]));
    }

    async fn a_table_as_spreadsheets_and_people_leave_it_is_read(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        let file = table("My cards,,,,\n\nQty,Card,Set,Purchase price,Currency,", &[
            "2,Shock,Set M11 (M11),0.30,AUD",
            "1,Lightning Bolt,Set LEA [LEA],5.00,EUR",
            "Qty,Card,Set,Purchase price,Currency,",
            "Total: 3",
        ]);
        let job = imported(&app, &ada, &file, json!({})).await;
        assert_eq!((&job["rowsImported"], &job["rowsRejected"]), (&json!(2), &json!(0)), "{:#}", job["rejectedRows"]);
        assert_eq!(told(&app, &job).await, pairs(&[
            ("imported", "Its price is not in dollars, euros or tix, and was left out."),
            ("imported", ""),
            ("skipped", "The row is of headings."),
            ("skipped", "The row is of sums."),
        ]));
        assert_eq!(printings(&app, &ada).await, ["2 Shock (m11 156)", "1 Lightning Bolt (lea 161)"]);
        let paid: Vec<_> = held(&app, &ada).await.iter().map(|item| item["acquiredPrice"]["amount"].clone()).collect();
        assert_eq!(paid, [Value::Null, json!("5.00")]);
    }

    async fn rejected_rows_are_paged_in_the_order_of_the_file(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        let rows: Vec<String> = (1..=7).map(|number| format!("{number},Zyzzyx {number},")).collect();
        let mut rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        rows.insert(3, "1,Shock,m11");
        let job = imported(&app, &ada, &table("Quantity,Name,Set Code", &rows), json!({})).await;
        let query = "query ImportResult($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { node(id: $id) { ... on CollectionImport {
            rejectedRows(first: $first, after: $after, last: $last, before: $before) {
                totalCount nodes { line } edges { cursor node { line } }
                pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }";
        let page = async |arguments: Value| {
            let mut variables = arguments;
            variables["id"] = job["id"].clone();
            let page = ask(&app, &ada, query, variables).await.field()["rejectedRows"].clone();
            assert_eq!(page["totalCount"], json!(7));
            let lines: Vec<i64> = list(&page["nodes"]).iter().map(|row| number(&row["line"])).collect();
            let edges = list(&page["edges"]);
            assert_eq!(edges.iter().map(|edge| number(&edge["node"]["line"])).collect::<Vec<_>>(), lines);
            assert_eq!(edges.last().map(|edge| &edge["cursor"]), Some(&page["pageInfo"]["endCursor"]));
            (lines, page["pageInfo"].clone())
        };
        let (lines, first) = page(json!({"first": 3})).await;
        assert_eq!((lines, &first["hasNextPage"], &first["hasPreviousPage"]), (vec![2, 3, 4], &json!(true), &json!(false)));
        let (lines, second) = page(json!({"first": 3, "after": first["endCursor"]})).await;
        assert_eq!((lines, &second["hasNextPage"], &second["hasPreviousPage"]), (vec![6, 7, 8], &json!(true), &json!(true)));
        let (lines, third) = page(json!({"first": 3, "after": second["endCursor"]})).await;
        assert_eq!((lines, &third["hasNextPage"]), (vec![9], &json!(false)));
        let (lines, last) = page(json!({"last": 2})).await;
        assert_eq!((lines, &last["hasNextPage"], &last["hasPreviousPage"]), (vec![8, 9], &json!(false), &json!(true)));
        assert_eq!(page(json!({"last": 2, "before": last["startCursor"]})).await.0, [6, 7]);
        assert_eq!(page(json!({})).await.0, [2, 3, 4, 6, 7, 8, 9], "20 where nothing is asked for");
        // A place in one import's list is none in another's.
        let other = imported(&app, &ada, &shocks(1), json!({})).await;
        let foreign = ask(&app, &ada, query, json!({"id": other["id"], "first": 3, "after": first["endCursor"]})).await;
        assert_eq!(foreign.code(), Some("ERR-3003"));
    }

    async fn the_report_has_every_row_and_no_cell_of_it_runs(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        let file = table("Quantity,Name,Set Code,Notes,=cmd", &[
            "2,Shock,m11,=1+1,-2+3",
            "1,=Zyzzyx(),m11,@SUM(1),  =x",
            "0,Shock,m11,+4,＝1",
            "1,Shock,m11,,ok",
            "4,Total,,,",
        ]);
        let job = imported(&app, &ada, &file, json!({})).await;
        let rows = report(&app, &job).await;
        assert_eq!(rows.len(), 6);
        assert_eq!(rows[0], ["Quantity", "Name", "Set Code", "Notes", "'=cmd", "Line", "Outcome", "Code", "Message"]);
        assert_eq!(rows[1], ["2", "Shock", "m11", "'=1+1", "'-2+3", "2", "imported", "", ""]);
        assert_eq!(rows[2][..8], ["1", "'=Zyzzyx()", "m11", "'@SUM(1)", "'  =x", "3", "rejected", "ERR-1101"]);
        assert!(rows[2][8].starts_with("There is no card “=Zyzzyx()”."), "{}", rows[2][8]);
        assert_eq!(rows[3], ["0", "Shock", "m11", "+4", "'＝1", "4", "rejected", "ERR-1103", "The row has a quantity of 0: the least is 1."]);
        assert_eq!(rows[4], ["1", "Shock", "m11", "", "ok", "5", "merged", "", ""]);
        assert_eq!(rows[5], ["4", "Total", "", "", "", "6", "skipped", "", "The row is of sums."]);
        // What is kept is kept as it came.
        assert_eq!(job["rejectedRows"]["nodes"][0]["row"]["=cmd"], json!("  =x"));
        assert_eq!(held(&app, &ada).await[0]["notes"], json!("=1+1"));
    }

    async fn a_list_as_decks_are_written_is_an_import_too(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        let file = "4 Lightning Bolt\n\nSB: 1 Black Lotus\r\n2 Forest (M11) 247 *F*\n1 Zyzzyx\n";
        let answer = upload(&app, &ada, "deck.txt", file.as_bytes(), json!({})).await;
        let job = ended(&app, &ada, &answer.field()["collectionImport"]["id"]).await;
        assert_eq!((&job["status"], &job["platform"], &job["file"]["rowCount"]), (&json!("COMPLETED"), &json!("DECKLIST"), &json!(4)));
        assert_eq!((&job["rowsImported"], &job["rowsRejected"]), (&json!(3), &json!(1)));
        assert_eq!(printings(&app, &ada).await, ["4 Lightning Bolt (2x2 117)", "1 Black Lotus (lea 232)", "2 Forest (m11 247)"]);
        let items = held(&app, &ada).await;
        assert_eq!((&items[1]["tags"], &items[2]["finish"]), (&json!(["Sideboard"]), &json!("FOIL")));
        let lines: Vec<_> = outcomes(&app, &job).await.into_iter().map(|(line, outcome, ..)| (line, outcome)).collect();
        let expected = [(1, "imported"), (3, "imported"), (4, "imported"), (5, "rejected")];
        assert_eq!(lines, expected.map(|(line, outcome)| (line, outcome.to_owned())), "lines are counted as they stand");
        let rows = report(&app, &job).await;
        assert_eq!(rows[0], ["Entry", "Line", "Outcome", "Code", "Message"]);
        assert_eq!(rows[1][..2], ["4 Lightning Bolt", "1"]);
    }

    async fn a_long_file_is_taken_in_batches_and_each_line_is_told_once(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        let cards = [("Lightning Bolt", "lea", "161"), ("Black Lotus", "lea", "232"), ("Shock", "m11", "156"), ("Æther Vial", "dst", "91")];
        let conditions = [("NM", "NEAR_MINT"), ("LP", "LIGHTLY_PLAYED"), ("MP", "MODERATELY_PLAYED"), ("HP", "HEAVILY_PLAYED"), ("DMG", "DAMAGED")];
        let finishes = [("normal", "NONFOIL"), ("foil", "FOIL")];
        let mut file = "Quantity,Name,Set Code,Collector Number,Condition,Finish\n".to_owned();
        let mut expected: BTreeMap<(String, String, String), i64> = BTreeMap::new();
        for row in 0..2_500_usize {
            let ((name, set, place), (short, condition), (word, finish)) = (cards[row % 4], conditions[row / 4 % 5], finishes[row / 20 % 2]);
            if row % 500 == 499 {
                file.push_str(&format!("1,Zyzzyx,,,{short},{word}\n"));
                continue;
            }
            let quantity = 1 + row % 3;
            file.push_str(&format!("{quantity},{name},{set},{place},{short},{word}\n"));
            let like = (name.to_owned(), condition.to_owned(), finish.to_owned());
            *expected.entry(like).or_default() += i64::try_from(quantity).expect("a few");
        }
        let job = imported(&app, &ada, &file, json!({})).await;
        assert_eq!((&job["rowsImported"], &job["rowsRejected"]), (&json!(2_495), &json!(5)));
        assert_eq!(job["progress"], json!({"processed": 2_500, "total": 2_500, "percent": 100.0}));
        let items = held(&app, &ada).await;
        let like = |item: &Value| {
            let of = |field: &str| text(&item[field]).to_owned();
            (text(&item["card"]["name"]).to_owned(), of("condition"), of("finish"))
        };
        let there: BTreeMap<_, _> = items.iter().map(|item| (like(item), number(&item["quantity"]))).collect();
        assert_eq!((items.len(), &there), (40, &expected));
        let told = outcomes(&app, &job).await;
        let lines: Vec<i64> = told.iter().map(|(line, ..)| *line).collect();
        assert_eq!(lines, (2..=2_501).collect::<Vec<_>>());
        let count = |wanted: &str| told.iter().filter(|(_, outcome, ..)| outcome == wanted).count();
        assert_eq!((count("imported"), count("merged"), count("rejected")), (40, 2_455, 5));
        assert_eq!((app.rows("import_lines").await, app.rows("rejected_rows").await), (3, 5));
        let rejected: Vec<_> = list(&job["rejectedRows"]["nodes"]).iter().map(|row| number(&row["line"])).collect();
        assert_eq!(rejected, [501, 1_001, 1_501, 2_001, 2_501]);
    }

    async fn copies_beyond_what_an_item_holds_are_not_taken(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        // Within one file it is the line that is too much.
        let file = moxfields(&[(60_000, "Shock", "m11", "156"), (60_000, "Shock", "m11", "156"), (1, "Shock", "m11", "156")]);
        let job = imported(&app, &ada, &file, json!({})).await;
        assert_eq!(job["rejectedRows"]["nodes"][0]["code"], json!("ERR-1103"));
        assert_eq!(printings(&app, &ada).await, ["60001 Shock (m11 156)"]);
        // With what is held it is, too; a dry run says the same.
        let file = moxfields(&[(1, "Lightning Bolt", "lea", "161"), (40_000, "Shock", "m11", "156")]);
        for dry_run in [true, false] {
            let job = imported(&app, &ada, &file, json!({"dryRun": dry_run})).await;
            let rejected = &job["rejectedRows"]["nodes"][0];
            assert_eq!((&job["rowsImported"], &rejected["line"], &rejected["code"]), (&json!(1), &json!(3), &json!("ERR-1103")));
        }
        assert_eq!(printings(&app, &ada).await, ["60001 Shock (m11 156)", "1 Lightning Bolt (lea 161)"]);
    }

    async fn what_is_imported_is_worth_what_the_prices_say(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 1}])).await;
        assert_eq!(value(&app, &ada).await, "10.10");
        app.work();
        let file = moxfields(&[(3, "Lightning Bolt", "lea", "161"), (1, "Black Lotus", "lea", "232"), (2, "Shock", "m11", "156")]);
        let job = imported(&app, &ada, &file, json!({})).await;
        assert_eq!(value(&app, &ada).await, "140.40");
        new_prices(&app, "2026-07-01", &[(&BOLT, "cardkingdom", 11.00)]).await;
        assert_eq!(value(&app, &ada).await, "144.00");
        undo(&app, &ada, &job["id"]).await.field();
        assert_eq!(value(&app, &ada).await, "11.00");
        imported(&app, &ada, &moxfields(&[(2, "Black Lotus", "lea", "232")]), json!({"mode": "REPLACE"})).await;
        assert_eq!(value(&app, &ada).await, "200.00");
    }

    async fn codes_and_names_of_sets_may_stand_in_one_column(app: TestApp) {
        load(&app).await;
        let old_shock = Printing { number: 13, name: "Shock", set: "mir", collector_number: "7", rarity: "common" };
        let mut more = all_printings(&[old_shock, BOLT], |_, _| {});
        more["data"]["MIR"]["name"] = json!("Mirage");
        more["data"]["LEA"]["name"] = json!("Limited Edition Alpha");
        app.ingest(Format::MtgjsonPrintings, &TestFile::json(&more)).await.expect("more of a catalogue");
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        for (rows, field) in [
            (["1,Shock,Set M11", "2,Lightning Bolt,LEA", "3,Shock,mir", "4,Forest,Set Nine"], "setName"),
            (["1,Shock,M11", "2,Lightning Bolt,ALPHA", "3,Shock,MIRAGE", "4,Forest,NINE"], "setCode"),
            (["1,Shock,M11", "2,Lightning Bolt,Limited Edition Alpha", "3,Shock,Mirage", "4,Forest,Nine"], "setName"),
        ] {
            let job = imported(&app, &ada, &table("Quantity,Name,Set", &rows), json!({"mode": "REPLACE"})).await;
            assert_eq!(job["columns"][2]["field"], json!(field));
            assert_eq!(printings(&app, &ada).await, ["1 Shock (m11 156)", "2 Lightning Bolt (lea 161)", "3 Shock (mir 7)"], "{rows:?}");
            let rejected = &job["rejectedRows"]["nodes"];
            assert_eq!((list(rejected).len(), &rejected[0]["line"], &rejected[0]["code"]), (1, &json!(5), &json!("ERR-1101")), "{rows:?}");
        }
    }

    async fn a_day_to_come_is_no_day_on_which_a_card_was_acquired(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        let ahead = |days| (app.clock.now() + TimeDelta::days(days)).date_naive().to_string();
        let rows = [format!("1,Shock,m11,{}", ahead(0)), format!("1,Forest,m11,{}", ahead(3)), "1,Lightning Bolt,lea,12/25/94".to_owned()];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let job = imported(&app, &ada, &table("Quantity,Name,Set Code,Purchase Date", &rows), json!({})).await;
        let rejected = &job["rejectedRows"]["nodes"];
        assert_eq!((list(rejected).len(), &rejected[0]["line"], &rejected[0]["code"]), (1, &json!(3), &json!("ERR-1103")));
        let days: Vec<Value> = held(&app, &ada).await.iter().map(|item| item["acquiredOn"].clone()).collect();
        assert_eq!(days, [json!(ahead(0)), json!("1994-12-25")]);
    }

    async fn what_a_row_says_twice_is_one_card_or_it_is_said(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        let id = BOLT.scryfall_id();
        let file = table(OWN, &[
            // The number of another card, by the side of a name and of an id.
            "1,Shock,m11,,247,",
            &format!("1,Lightning Bolt,m11,,156,{id}"),
            // A number that is not there.
            "1,Shock,m11,,999,",
            // Another printing of the same card.
            &format!("1,Lightning Bolt,2x2,,117,{id}"),
            // A name that nobody knows.
            &format!("1,Lihgtning Blot,,,,{id}"),
        ]);
        let job = imported(&app, &ada, &file, json!({})).await;
        assert_eq!(told(&app, &job).await, pairs(&[
            ("rejected", "The set and number mean Forest (M11 247), the name says “Shock”."),
            ("rejected", "The id means Lightning Bolt (LEA 161), the set and number mean Shock (M11 156)."),
            ("imported", "There is no number 999 in M11: imported as Shock (M11 156)."),
            ("imported", "The set and number mean Lightning Bolt (2X2 117): imported by its id as Lightning Bolt (LEA 161)."),
            ("merged", "There is no card “Lihgtning Blot”: imported by its id as Lightning Bolt (LEA 161)."),
        ]));
    }
}
