//! What leaves as a file or a picture, by links that anyone may follow for a while.

use chrono::TimeDelta;
use serde_json::json;

use super::{BOLT, LOTUS, VIAL, added, ask, held, load, new_prices, remove, text};
use crate::harness::{TestApp, on_both_stores};
use crate::jobs::{imported, shocks, upload};
use crate::security::{PASSWORD, Person, mutate, sign_up};

/// What the OWASP page on CSV injection has, and its neighbours.
const FORMULAS: [&str; 10] = [
    "=1+1",
    "=HYPERLINK(\"http://example.com\",\"x\")",
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1",
    "  =1",
    "＝1+1",
    "＠x",
    "=1\";=1",
];

async fn link(app: &TestApp, person: &Person, mutation: &str) -> String {
    let answer = mutate(app, person, mutation).await;
    local(app, text(&answer.field()["url"]))
}

/// A link as this test's server has it.
fn local(app: &TestApp, url: &str) -> String {
    let (_, path) = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).expect("a URL");
    format!("{}/{path}", app.base)
}

async fn fetched(app: &TestApp, url: &str) -> (u16, String, Vec<u8>) {
    let answer = app.client.get(url).send().await.expect("an answer");
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().expect("text").to_owned());
    (answer.status().as_u16(), kind.unwrap_or_default(), answer.bytes().await.expect("a body").to_vec())
}

on_both_stores! { Tables:
    async fn an_inventory_leaves_whole_and_no_cell_runs(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let formulas: Vec<_> = FORMULAS.iter().filter(|formula| !formula.starts_with('\t')).collect();
        let items: Vec<_> = formulas.iter().zip(["en", "ja", "de", "fr", "it", "es", "pt", "ko", "ru"]).map(|(formula, language)| {
            json!({"cardId": BOLT.id(), "language": language, "notes": formula, "tags": [formula],
                   "acquiredPrice": {"amount": "1.50"}, "quantity": 3})
        }).collect();
        added(&app, &ada, json!(items)).await;
        let url = link(&app, &ada, "exportInventory(input: {layout: GENERIC}) { url }").await;
        let (status, kind, body) = fetched(&app, &url).await;
        assert_eq!((status, kind.as_str()), (200, "text/csv; charset=utf-8"));
        let mut reader = csv::Reader::from_reader(body.as_slice());
        let headings = reader.headers().expect("headings").clone();
        let column = |name: &str| headings.iter().position(|heading| heading == name).expect("a column");
        let rows: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len(), formulas.len());
        for (row, formula) in rows.iter().zip(&formulas) {
            // Where a semicolon separates, another cell begins.
            let safe = formula.replace(";=", ";'=");
            assert_eq!(&row[column("Notes")], format!("'{safe}"));
            // Tags are trimmed when they come.
            assert_eq!(&row[column("Tags")], format!("'{}", safe.trim()));
            assert_eq!((&row[column("Quantity")], &row[column("Price paid")]), ("3", "1.50"), "numbers stay numbers");
            assert_eq!((&row[column("Name")], &row[column("Scryfall ID")]), ("Lightning Bolt", BOLT.scryfall_id().to_string().as_str()));
        }
        let url = link(&app, &ada, "exportInventory(input: {layout: MOXFIELD}) { url }").await;
        let (_, _, body) = fetched(&app, &url).await;
        let first: Vec<_> = std::str::from_utf8(&body).expect("text").lines().take(2).map(str::to_owned).collect();
        assert_eq!(first[0], "Count,Tradelist Count,Name,Edition,Condition,Language,Foil,Tags,Last Modified,Collector Number,Alter,Proxy,Purchase Price");
        assert!(first[1].starts_with("3,0,Lightning Bolt,lea,Near Mint,English,,'=1+1,"), "{}", first[1]);
    }

    async fn an_inventory_that_left_comes_back_as_it_was(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let notes = ["=1+1", "- one\n- two", "a;=1", "'=1", "a\t@x", "Urza's", "x\n;+1"];
        let items: Vec<_> = notes.iter().zip(["en", "ja", "de", "fr", "it", "es", "pt"]).map(|(notes, language)| {
            json!({"cardId": BOLT.id(), "language": language, "notes": notes, "tags": ["=x", "'y", "-2"], "quantity": 3,
                   "finish": "FOIL", "condition": "LIGHTLY_PLAYED", "acquiredPrice": {"amount": "1.50"},
                   "acquiredOn": "2020-02-03"})
        }).collect();
        added(&app, &ada, json!(items)).await;
        // Each is an item of its own when it comes back, at another time.
        let there = async || {
            let mut items = held(&app, &ada).await;
            for item in &mut items {
                for field in ["id", "createdAt", "updatedAt"] {
                    item[field] = json!(null);
                }
            }
            items.sort_by_key(|item| text(&item["language"]).to_owned());
            items
        };
        let before = there().await;
        assert_eq!(before.len(), notes.len());
        let url = link(&app, &ada, "exportInventory(input: {layout: GENERIC}) { url }").await;
        let (_, _, body) = fetched(&app, &url).await;
        let file = String::from_utf8(body).expect("text");
        assert!(file.contains("\n'- two") && file.contains("a;'=1"), "{file}");
        app.work();
        let job = imported(&app, &ada, &file, json!({"mode": "REPLACE"})).await;
        assert_eq!((&job["rowsImported"], &job["rowsRejected"]), (&json!(notes.len()), &json!(0)));
        assert_eq!(there().await, before);
    }

    async fn prices_paid_keep_their_currency_in_the_layout_of_moxfield(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        added(&app, &ada, json!([
            {"cardId": BOLT.id(), "language": "en", "acquiredPrice": {"amount": "1234.50"}},
            {"cardId": BOLT.id(), "language": "ja", "acquiredPrice": {"amount": "0.40", "currency": "EUR"}},
            {"cardId": BOLT.id(), "language": "de", "acquiredPrice": {"amount": "1234.50", "currency": "EUR"}},
            {"cardId": BOLT.id(), "language": "fr", "acquiredPrice": {"amount": "0.02", "currency": "TIX"}},
            {"cardId": BOLT.id(), "language": "it"},
        ])).await;
        let paid = async || {
            let items = held(&app, &ada).await;
            let mut paid: Vec<_> = items.iter().map(|item| (text(&item["language"]).to_owned(), item["acquiredPrice"].clone())).collect();
            paid.sort_by(|a, b| a.0.cmp(&b.0));
            paid
        };
        let before = paid().await;
        assert_eq!(before.len(), 5);
        let url = link(&app, &ada, "exportInventory(input: {layout: MOXFIELD}) { url }").await;
        let (_, _, body) = fetched(&app, &url).await;
        let file = String::from_utf8(body).expect("text");
        app.work();
        let job = imported(&app, &ada, &file, json!({"mode": "REPLACE"})).await;
        assert_eq!((&job["platform"], &job["rowsImported"], &job["rowsRejected"]), (&json!("MOXFIELD"), &json!(5), &json!(0)));
        assert_eq!(paid().await, before, "{file}");
    }

    async fn a_long_inventory_leaves_page_by_page_in_the_order_of_adding(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.execute(&format!(
            "insert into inventory_items (id, user_id, card_id, finish, condition, language, quantity, tags, name_key, created_at, updated_at)
             select {}, u.id, c.id, n.n % 3, n.n % 5, 'l' || n.n, 1 + n.n, '[]', c.name_key, {}, {}
             from users u, (select id, name_key from cards where name = 'Black Lotus') c,
                  ({}) n",
            if app.store == crate::harness::Store::Postgres { "gen_random_uuid()" } else { "randomblob(16)" },
            "u.created_at", "u.created_at",
            "with recursive n (n) as (select 0 union all select n + 1 from n where n < 2500) select n from n",
        )).await;
        let url = link(&app, &ada, "exportInventory(input: {}) { url }").await;
        let (_, _, body) = fetched(&app, &url).await;
        let mut reader = csv::Reader::from_reader(body.as_slice());
        let mut quantities: Vec<i64> = reader.records().map(|row| row.expect("a row")[7].parse().expect("a number")).collect();
        quantities.sort_unstable();
        assert_eq!(quantities, (1..=2_501).collect::<Vec<_>>(), "each once");
    }

    async fn links_end(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let url = link(&app, &ada, "exportInventory(input: {}) { url }").await;
        assert_eq!(fetched(&app, &url).await.0, 200);
        for wrong in [format!("{}/files/x", app.base), format!("{url}A"), url.replace("/files/", "/charts/portfolios/")] {
            let (status, _, body) = fetched(&app, &wrong).await;
            assert_eq!(status, 404, "{wrong}");
            assert!(std::str::from_utf8(&body).expect("text").contains("ERR-3001"));
        }
        app.clock.advance(TimeDelta::minutes(61));
        assert_eq!(fetched(&app, &url).await.0, 404, "an hour later");
    }

    async fn the_link_of_who_has_left_opens_nothing(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let file = link(&app, &ada, "exportInventory(input: {}) { url }").await;
        let account = link(&app, &ada, "exportAccount { url }").await;
        let chart = ask(&app, &ada, "{ viewer { portfolio { chart } } }", json!(null)).await;
        let chart = local(&app, text(&chart.field()["portfolio"]["chart"]));
        let gone = mutate(&app, &ada, &format!("deleteAccount(input: {{password: \"{PASSWORD}\"}}) {{ deletedId }}")).await;
        assert!(gone.field()["deletedId"].is_string());
        for url in [file, account, chart] {
            assert_eq!(fetched(&app, &url).await.0, 404, "{url}");
        }
    }

    async fn an_account_leaves_with_what_is_held(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        added(&app, &ada, json!([{"cardId": LOTUS.id(), "notes": "under glass"}])).await;
        let bolts = added(&app, &ada, json!([{"cardId": BOLT.id(), "tags": ["traded away"]}])).await;
        remove(&app, &ada, &[bolts[0]["id"].clone()]).await.field();
        let want = "mutation($id: ID!) { addWantListItem(input: {cardId: $id, notes: \"for the cube\"}) { userErrors { errorCode } } }";
        ask(&app, &ada, want, json!({"id": VIAL.id()})).await.field();
        upload(&app, &ada, "from elsewhere.csv", shocks(2).as_bytes(), json!({})).await.field();
        let url = link(&app, &ada, "exportAccount { url }").await;
        let (status, _, body) = fetched(&app, &url).await;
        let file = String::from_utf8(body).expect("text");
        assert_eq!(status, 200);
        for part in ["What,Id,Field,Value", "email,ada@example.com", "display name,Ada", "session,", "Black Lotus,lea,", "under glass", "traded away", "removed at", "for the cube", "Æther Vial (", "from elsewhere.csv", "CollectionImport"] {
            assert!(file.contains(part), "{part} in {file}");
        }
        assert!(!file.contains("argon2"), "no hash leaves");
    }

    async fn charts_are_pictures_of_what_is_asked(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        added(&app, &ada, json!([{"cardId": VIAL.id(), "quantity": 2}])).await;
        new_prices(&app, "2026-07-01", &[(&VIAL, "cardkingdom", 4.50)]).await;
        let query = "{ viewer { portfolio { svg: chart(format: SVG) png: chart(window: ALL) } } }";
        let portfolio = ask(&app, &ada, query, json!(null)).await.field()["portfolio"].clone();
        let (status, kind, svg) = fetched(&app, &local(&app, text(&portfolio["svg"]))).await;
        let svg = String::from_utf8(svg).expect("text");
        assert_eq!((status, kind.as_str()), (200, "image/svg+xml"));
        assert!(svg.contains("Collection of Ada") && svg.contains("9.00"), "{svg}");
        let (_, kind, png) = fetched(&app, &local(&app, text(&portfolio["png"]))).await;
        assert_eq!((kind.as_str(), &png[1..4]), ("image/png", b"PNG".as_slice()));
        let card = "query($id: ID!) { card(by: {id: $id}) { dollars: priceChart(format: SVG) all: priceChart(format: SVG, window: ALL) foil: priceChart(finish: FOIL, format: SVG, window: ALL, currency: EUR) png: priceChart } }";
        let card = app.data(card, json!({"id": VIAL.id()})).await["card"].clone();
        let (_, _, svg) = fetched(&app, &local(&app, text(&card["dollars"]))).await;
        let svg = String::from_utf8(svg).expect("text");
        assert!(svg.contains("Æther Vial (DST)") && svg.contains("4.50"), "{svg}");
        // A Wednesday: the whole history tells the last price at its own day too.
        let (_, _, svg) = fetched(&app, &local(&app, text(&card["all"]))).await;
        let svg = String::from_utf8(svg).expect("text");
        assert!(svg.contains("the last of them 4.50 USD on 1 Jul 2026."), "{svg}");
        let (_, _, svg) = fetched(&app, &local(&app, text(&card["foil"]))).await;
        assert!(String::from_utf8(svg).expect("text").contains("No prices are known."));
        assert_eq!(fetched(&app, &local(&app, text(&card["png"]))).await.1, "image/png");
        let id = VIAL.id();
        for wrong in ["x.png", &format!("{id}.gif"), &id, &format!("{id}.png?window=DAYS_8"), "..%2f..%2fetc.png", "%00.svg"] {
            assert_eq!(fetched(&app, &format!("{}/charts/cards/{wrong}", app.base)).await.0, 404, "{wrong}");
        }
    }
}
