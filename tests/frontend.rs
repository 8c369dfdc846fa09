//! The frontend's operations on the catalogue, as its contract has them, asked by name.

use std::collections::HashMap;
use std::path::Path;

use dualcaster::engine::read_documents;
use serde_json::{Value, json};

use crate::contract::{contract, coordinates};
use crate::harness::{on_both_stores, post, send};

/// Fields of cards that the contract has, and that may not be built yet.
const LATER: [&str; 2] = ["recommendations", "tournamentPlay"];

/// The operations of the files about cards and sets by their names, each with its fragments.
fn operations(folder: &Path) -> HashMap<String, String> {
    let read = |file: &str| {
        (file.to_owned(), std::fs::read_to_string(folder.join(file)).expect("a file of the contract"))
    };
    let listed = read_documents(&[read("card.graphql"), read("market.graphql")]).expect("operations");
    listed.into_iter().map(|listed| (listed.name.expect("a name"), listed.document)).collect()
}

/// The page of a card without what is not built: each such field stands on a line of its own.
fn built(card_page: &str) -> String {
    let ours = coordinates(&dualcaster::graphql::sdl());
    let is_missing = |field: &&str| !ours.iter().any(|line| line.starts_with(&format!("Card.{field}:")));
    let missing: Vec<&str> = LATER.into_iter().filter(is_missing).collect();
    let is_built = |line: &&str| !missing.iter().any(|field| line.trim_start().starts_with(*field));
    card_page.lines().filter(is_built).collect::<Vec<_>>().join("\n")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

on_both_stores! { Market:
    async fn the_frontends_operations_are_answered(app: TestApp) {
        let Some(contract) = contract() else { return };
        let mut operations = operations(&contract.join("frontend"));
        let card_page = operations.get_mut("CardPage").expect("the page of a card");
        *card_page = built(card_page);
        let ask = async |name: &str, variables: Value| {
            let call = json!({"query": operations[name], "operationName": name, "variables": variables});
            let mut body: Value = send(post(&app).json(&call)).await.json().await.expect("JSON");
            assert_eq!(body["errors"], Value::Null, "{name}: {body:#}");
            body["data"].take()
        };

        let mut search = json!({
            "search": "e", "filter": {"finishes": ["NONFOIL", "FOIL"]}, "sort": {"field": "PRICE", "direction": "DESC"}, "first": 5,
        });
        let first = ask("CardSearch", search.clone()).await["cards"].take();
        assert_eq!((list(&first["edges"]).len(), &first["pageInfo"]["hasNextPage"]), (5, &json!(true)));
        search["after"] = first["pageInfo"]["endCursor"].clone();
        let second = ask("CardSearch", search).await["cards"].take();
        assert_eq!((&second["totalCount"], &second["pageInfo"]["hasPreviousPage"]), (&first["totalCount"], &json!(true)));
        assert!(list(&second["edges"]).iter().all(|edge| !list(&first["edges"]).contains(edge)), "{second:#}");
        let card = &first["edges"][0]["node"];
        assert_eq!(card["price"]["hasPriceData"], json!(true), "{card:#}");

        let number = json!({"setCode": card["set"]["code"], "number": card["collectorNumber"]});
        assert_eq!(&ask("CardByPrinting", number).await["card"], card);
        assert_eq!(ask("CardByPrinting", json!({"setCode": "none", "number": "1"})).await, json!({"card": null}));

        let page = ask("CardPage", json!({"id": card["id"], "historyFirst": 3})).await["card"].take();
        for (field, value) in card.as_object().expect("a card") {
            assert_eq!(&page[field], value, "{field}");
        }
        assert_eq!(list(&page["priceHistory"]["nodes"]).len(), 3, "{page:#}");
        assert!(!list(&page["marketPrices"]).is_empty(), "{page:#}");
        assert!(list(&page["printings"]["nodes"]).contains(card), "{page:#}");
        let more = ask("CardPage", json!({"id": card["id"]})).await["card"].take();
        assert!(list(&more["priceHistory"]["nodes"]).len() > 3, "90 days where it is not said");

        let newest = ask("Sets", json!({"first": 4})).await["cardSets"].take();
        let older = ask("Sets", json!({"first": 4, "after": newest["pageInfo"]["endCursor"]})).await["cardSets"].take();
        let sets = ask("Sets", json!({})).await["cardSets"].take();
        assert_eq!((&sets["totalCount"], &newest["pageInfo"]["hasNextPage"]), (&json!(6), &json!(true)));
        assert_eq!([list(&newest["nodes"]), list(&older["nodes"])].concat(), list(&sets["nodes"]));

        let code = &card["set"]["code"];
        let first = ask("SetPage", json!({"code": code, "first": 3})).await["cardSet"].take();
        let rest = ask("SetPage", json!({"code": code, "after": first["cards"]["pageInfo"]["endCursor"]})).await["cardSet"].take();
        let all = ask("SetPage", json!({"code": code})).await["cardSet"].take();
        assert_eq!((&all["id"], &all["name"]), (&card["set"]["id"], &card["set"]["name"]));
        assert_eq!(json!(list(&all["cards"]["nodes"]).len()), all["cardCount"]);
        assert_eq!([list(&first["cards"]["nodes"]), list(&rest["cards"]["nodes"])].concat(), list(&all["cards"]["nodes"]));
        assert_eq!(ask("SetPage", json!({"code": "none"})).await, json!({"cardSet": null}));
    }
}
