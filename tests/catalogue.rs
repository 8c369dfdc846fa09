//! Cards and sets: found by every name they have, filtered, listed once each where that is asked for.

use serde_json::{Value, json};

use dualcaster::ingest::Format;
use sea_orm::ConnectionTrait;

use crate::harness::{Printing, TestApp, TestFile, all_printings, on_both_stores, scryfall_cards};

const fn printing(
    number: u128,
    name: &'static str,
    set: &'static str,
    collector_number: &'static str,
) -> Printing {
    Printing { number, name, set, collector_number, rarity: "common" }
}

const BOLT_OLD: Printing = printing(1, "Lightning Bolt", "lea", "161");
const BOLT_NEW: Printing = printing(2, "Lightning Bolt", "m11", "149");
const BOLT_PROMO: Printing = printing(3, "Lightning Bolt", "p11", "1");
const VIAL: Printing =
    Printing { number: 4, name: "Æther Vial", set: "m11", collector_number: "9", rarity: "mythic" };
const VAULT: Printing =
    Printing { number: 5, name: "Lim-Dûl's Vault", set: "m11", collector_number: "10", rarity: "rare" };
const FIRE: Printing = printing(6, "Fire // Ice", "lea", "128");
const TOKEN: Printing = printing(7, "Goblin", "tm11", "3");

async fn load(app: &TestApp) {
    let cards = scryfall_cards(
        &[BOLT_OLD, BOLT_NEW, BOLT_PROMO, VIAL, VAULT, FIRE, TOKEN],
        |printing, card| match printing.number {
            1 => card["released_at"] = json!("1993-08-05"),
            2 => card["released_at"] = json!("2010-07-16"),
            3 => {
                card["released_at"] = json!("2011-01-01");
                card["promo"] = json!(true);
            }
            4 => {
                card["colors"] = json!([]);
                card["finishes"] = json!(["etched"]);
                card["legalities"] = json!({"modern": "legal", "vintage": "restricted", "legacy": "banned", "dream_2": "legal"});
            }
            5 => card["colors"] = json!(["U", "B"]),
            6 => {
                card["layout"] = json!("split");
                card["card_faces"] = json!([
                    {"name": "Fire", "mana_cost": "{1}{R}", "type_line": "Instant", "oracle_text": "Burn."},
                    {"name": "Ice", "mana_cost": "{1}{U}", "type_line": "Instant", "oracle_text": "Freeze."},
                ]);
            }
            7 => {
                card["layout"] = json!("token");
                card["set_type"] = json!("token");
                card["type_line"] = json!("Token Creature — Goblin");
            }
            _ => {}
        },
    );
    app.ingest(Format::Scryfall, &TestFile::json(&cards)).await.expect("a catalogue");
}

async fn name_of(app: &TestApp, by: Value) -> Value {
    let data =
        app.data("query($by: CardLookup!) { card(by: $by) { name set { code } } }", json!({"by": by})).await;
    match &data["card"] {
        Value::Null => Value::Null,
        card => json!(format!(
            "{} {}",
            card["set"]["code"].as_str().unwrap_or(""),
            card["name"].as_str().unwrap_or("")
        )),
    }
}

async fn names(app: &TestApp, arguments: &str) -> Vec<String> {
    let data = app
        .data(
            &format!("{{ cards({arguments}) {{ totalCount nodes {{ name set {{ code }} }} }} }}"),
            json!(null),
        )
        .await;
    let nodes = data["cards"]["nodes"].as_array().expect("nodes");
    assert_eq!(data["cards"]["totalCount"], json!(nodes.len()), "{arguments}");
    nodes
        .iter()
        .map(|node| {
            format!("{} {}", node["set"]["code"].as_str().unwrap_or(""), node["name"].as_str().unwrap_or(""))
        })
        .collect()
}

on_both_stores! { Tables:
    async fn a_card_is_found_by_each_of_its_names(app: TestApp) {
        load(&app).await;
        for (by, found) in [
            (json!({"id": BOLT_OLD.id()}), json!("lea Lightning Bolt")),
            (json!({"scryfallId": BOLT_OLD.scryfall_id()}), json!("lea Lightning Bolt")),
            (json!({"printing": {"setCode": "LEA", "collectorNumber": "161"}}), json!("lea Lightning Bolt")),
            (json!({"printing": {"setCode": "lea", "collectorNumber": "161", "language": null}}), json!("lea Lightning Bolt")),
            (json!({"printing": {"setCode": "lea", "collectorNumber": "161", "language": "ja"}}), json!(null)),
            // The newest, for none has a price; a promo is older news than a price.
            (json!({"name": "LIGHTNING bolt"}), json!("p11 Lightning Bolt")),
            (json!({"name": "ice"}), json!("lea Fire // Ice")),
            (json!({"name": "fire // ice"}), json!("lea Fire // Ice")),
            (json!({"name": "aether vial"}), json!("m11 Æther Vial")),
            (json!({"name": "Lim-Dul's Vault"}), json!("m11 Lim-Dûl's Vault")),
            (json!({"name": "Lightning"}), json!(null)),
            (json!({"fuzzyName": "lihgtning bolt"}), json!("p11 Lightning Bolt")),
            (json!({"fuzzyName": "aethr vail"}), json!("m11 Æther Vial")),
            (json!({"fuzzyName": "limdul vault"}), json!("m11 Lim-Dûl's Vault")),
            (json!({"fuzzyName": "lightnign blot"}), json!("p11 Lightning Bolt")),
            (json!({"fuzzyName": "lghtning bolts"}), json!("p11 Lightning Bolt")),
            (json!({"fuzzyName": "lhgitning bolt"}), json!("p11 Lightning Bolt")),
            (json!({"fuzzyName": "icd"}), json!("lea Fire // Ice")),
            (json!({"fuzzyName": "ic"}), json!("lea Fire // Ice")),
            (json!({"fuzzyName": "i"}), json!(null)),
            (json!({"fuzzyName": "\u{0}\u{0}\u{0}\u{0}"}), json!(null)),
            (json!({"fuzzyName": "no such thing at all"}), json!(null)),
            (json!({"fuzzyName": "\"' OR 1=1 --"}), json!(null)),
            (json!({"name": ""}), json!(null)),
        ] {
            assert_eq!(name_of(&app, by.clone()).await, found, "{by}");
        }
    }

    async fn a_lookup_names_one_thing_in_one_way(app: TestApp) {
        let query = "query($by: CardLookup!) { card(by: $by) { name } }";
        for by in [json!({}), json!({"name": "a", "fuzzyName": "b"}), json!({"name": null}), json!({"scryfallId": "46184f97"}), json!({"id": "nonsense"})] {
            assert_eq!(app.error(query, json!({"by": by})).await, "ERR-3002", "{by}");
        }
    }

    async fn filters_narrow_a_list(app: TestApp) {
        load(&app).await;
        for (arguments, found) in [
            ("filter: {setCodes: [\"M11\"]}", vec!["m11 Æther Vial", "m11 Lightning Bolt", "m11 Lim-Dûl's Vault"]),
            ("filter: {rarities: [RARE, MYTHIC]}", vec!["m11 Æther Vial", "m11 Lim-Dûl's Vault"]),
            ("filter: {colors: [BLUE]}", vec!["m11 Lim-Dûl's Vault"]),
            ("filter: {colors: [BLUE, RED]}", vec![]),
            ("filter: {finishes: [ETCHED]}", vec!["m11 Æther Vial"]),
            ("filter: {legalIn: \"Vintage\"}", vec!["m11 Æther Vial"]),
            ("filter: {legalIn: \"legacy\"}", vec![]),
            ("filter: {legalIn: \"EDH\"}", vec![]),
            // Formats that the catalogue may have and no table of ours has.
            ("filter: {legalIn: \"Dream 2\"}", vec!["m11 Æther Vial"]),
            ("filter: {legalIn: \"nonsense\"}", vec![]),
            ("filter: {price: {minimum: \"0.01\"}}", vec![]),
            ("filter: {}, search: \"BOLT\"", vec!["m11 Lightning Bolt"]),
            ("search: \"bolt\", unique: PRINTINGS, sort: {field: RELEASED_ON}", vec!["lea Lightning Bolt", "m11 Lightning Bolt", "p11 Lightning Bolt"]),
            ("search: \"bolt\", filter: {setCodes: [\"lea\", \"p11\"]}", vec!["lea Lightning Bolt"]),
            ("unique: CARDS, filter: {setCodes: [\"p11\"]}", vec!["p11 Lightning Bolt"]),
            ("search: \"ice fire\"", vec!["lea Fire // Ice"]),
            ("search: \"goblin\"", vec![]),
            ("search: \"goblin include:extras\"", vec!["tm11 Goblin"]),
            ("search: \"vial æther\"", vec!["m11 Æther Vial"]),
            ("search: \"100%\"", vec![]),
        ] {
            assert_eq!(names(&app, arguments).await, found, "{arguments}");
        }
        assert_eq!(names(&app, "unique: CARDS, first: 100").await.len(), 4);
        assert_eq!(names(&app, "first: 100").await.len(), 6);
        for (filter, told) in [
            ("legalIn: \"' or\"", "legalIn: there is no format"),
            ("legalIn: \"\"", "legalIn: there is no format"),
            ("legalIn: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"", "legalIn: there is no format"),
            ("legalIn: \"modren\"", "there is no format “modren”. Did you mean modern?"),
            ("price: {minimum: \"10\", maximum: \"5\"}", "minimum must not be above maximum."),
            ("price: {minimum: \"-1\"}", "no price is below 0."),
            ("price: {maximum: \"-0.01\"}", "no price is below 0."),
        ] {
            let answer = app.answer(&format!("{{ cards(filter: {{{filter}}}) {{ totalCount }} }}"), json!(null)).await;
            let error = &answer["errors"][0];
            assert_eq!(error["extensions"]["errorCode"], json!("ERR-3002"), "{filter}: {answer}");
            assert!(error["message"].as_str().is_some_and(|message| message.contains(told)), "{filter}: {answer}");
        }
        assert_eq!(names(&app, "filter: {price: {minimum: \"5\", maximum: \"5\"}}").await, [""; 0]);
        for search in ["", "  ", "t:", "(bolt"] {
            let code = app.error("query($s: String) { cards(search: $s) { totalCount } }", json!({"s": search})).await;
            assert_eq!(code, "ERR-3006", "{search}");
        }
    }

    async fn numbers_sort_as_people_count_and_names_without_accents(app: TestApp) {
        load(&app).await;
        let sorted = names(&app, "filter: {setCodes: [\"m11\"]}, sort: {field: COLLECTOR_NUMBER}").await;
        assert_eq!(sorted, ["m11 Æther Vial", "m11 Lim-Dûl's Vault", "m11 Lightning Bolt"]);
        let sorted = names(&app, "sort: {field: SET_CODE, direction: DESC}").await;
        assert_eq!(sorted, ["p11 Lightning Bolt", "m11 Lightning Bolt", "m11 Lim-Dûl's Vault", "m11 Æther Vial", "lea Lightning Bolt", "lea Fire // Ice"]);
    }

    async fn everything_of_a_card_is_answered(app: TestApp) {
        load(&app).await;
        let query = "query($id: ID!) { card(by: {id: $id}) { id scryfallId name collectorNumber language rarity typeLine manaCost
            manaValue oracleText flavorText keywords layout power toughness loyalty artist promo digital colors colorIdentity
            finishes releasedOn reserved scryfallUrl faces { name manaCost typeLine oracleText images { small } }
            legalities { format status } images { small normal large artCrop } purchaseLinks { url }
            set { id code name kind releasedOn iconUrl cardCount }
            price { hasPriceData stale estimated currency price buylist low mid high market change24h { amount percent } observedAt }
            marketPrices { price } priceHistory { totalCount nodes { time } } printings { totalCount nodes { set { code } } } } }";
        insta::assert_json_snapshot!("fire_ice", app.data(query, json!({"id": FIRE.id()})).await);
    }

    async fn nodes_answer_in_order_and_null_where_there_is_none(app: TestApp) {
        load(&app).await;
        let set = app.data("{ cardSet(code: \"LEA\") { id } }", json!(null)).await["cardSet"]["id"].clone();
        let ids = json!([FIRE.id(), "nonsense", set, BOLT_OLD.id(), "Q2FyZDowMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDA"]);
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Card { name oracleText } ... on CardSet { code } } }";
        let before = app.statements();
        let data = app.data(query, json!({"ids": ids})).await;
        assert_eq!(app.statements() - before, 3, "cards, sets, and what is no id of ours");
        let types: Vec<_> = data["nodes"].as_array().expect("nodes").iter().map(|node| node["__typename"].clone()).collect();
        assert_eq!(types, [json!("Card"), json!(null), json!("CardSet"), json!("Card"), json!(null)]);
        assert_eq!(data["nodes"][0]["id"], json!(FIRE.id()));
        let many: Vec<_> = (0..101).map(|_| FIRE.id()).collect();
        assert_eq!(app.error(query, json!({"ids": many})).await, "ERR-3002");
        let one = app.data("query($id: ID!) { node(id: $id) { id } }", json!({"id": "nonsense"})).await;
        assert_eq!(one, json!({"node": null}));
    }

    async fn sets_are_listed_newest_first_and_read_without_regard_to_case(app: TestApp) {
        let file = all_printings(&[BOLT_OLD, BOLT_NEW, VIAL], |_, _| {});
        let mut file = file;
        file["data"]["LEA"]["releaseDate"] = json!("1993-08-05");
        file["data"]["M11"]["releaseDate"] = json!("2010-07-16");
        app.ingest(Format::MtgjsonPrintings, &TestFile::json(&file)).await.expect("a catalogue");
        let data = app.data("{ cardSets { totalCount nodes { code name kind releasedOn cardCount } } cardSet(code: \"M11\") { code } none: cardSet(code: \"nope\") { code } }", json!(null)).await;
        assert_eq!(data, json!({
            "cardSets": {"totalCount": 2, "nodes": [
                {"code": "m11", "name": "Set M11", "kind": "expansion", "releasedOn": "2010-07-16", "cardCount": 2},
                {"code": "lea", "name": "Set LEA", "kind": "expansion", "releasedOn": "1993-08-05", "cardCount": 1},
            ]},
            "cardSet": {"code": "m11"},
            "none": null,
        }));
        let data = app.data("{ cardSets(kinds: [\"core\"]) { totalCount nodes { code } } }", json!(null)).await;
        assert_eq!(data["cardSets"], json!({"totalCount": 0, "nodes": []}));
    }

    async fn an_unset_variable_and_a_null_take_the_default(app: TestApp) {
        load(&app).await;
        let query = "query($sort: CardSort, $first: Int, $condition: Condition, $window: HistoryWindow) {
            cards(sort: $sort, first: $first) { nodes { name price(condition: $condition) { price } priceHistory(window: $window) { totalCount } } } }";
        let plain = app.data("{ cards { nodes { name price { price } priceHistory { totalCount } } } }", json!(null)).await;
        for variables in [json!({}), json!({"sort": null, "first": null, "condition": null, "window": null})] {
            assert_eq!(app.data(query, variables.clone()).await, plain, "{variables}");
        }
    }

    async fn what_fails_for_a_whole_list_fails_once_with_its_path(app: TestApp) {
        load(&app).await;
        app.bulk.write().execute_unprepared("alter table card_sets rename to gone").await.expect("renamed");
        let query = "{ cards(first: 3) { nodes { name set { code } price { price } } } marketplaces { slug } }";
        let answer = app.answer(query, json!(null)).await;
        assert_eq!(answer["data"], json!({"cards": null, "marketplaces": []}));
        let errors = answer["errors"].as_array().expect("errors");
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0]["extensions"]["errorCode"], json!("ERR-5000"));
        assert_eq!(errors[0]["path"], json!(["cards", "nodes", 0, "set"]));
    }

    async fn selections_of_one_field_become_one_answer(app: TestApp) {
        load(&app).await;
        let whole = "{ cards(search: \"vial\") { totalCount nodes { name set { code name } price { price currency change7d { amount percent } } } } }";
        let parts = [
            // Of the list, of an object that loads, of one that waits for nothing.
            "{ cards(search: \"vial\") { totalCount nodes { name set { code } } } cards(search: \"vial\") { nodes { set { name } price { price currency change7d { amount percent } } } } }",
            "{ cards(search: \"vial\") { totalCount nodes { name set { code } ...A ...B } } } fragment A on Card { set { name } } fragment B on Node { ... on Card { price { price currency change7d { amount percent } } } }",
            "{ cards(search: \"vial\") { totalCount nodes { name set { code name } price { price currency change7d { amount } change7d { percent } } } } }",
            "{ cards(search: \"vial\") { totalCount nodes { name set { code name } price { price currency } price { change7d { amount } } price { change7d { percent } } } } }",
        ];
        let expected = app.data(whole, json!(null)).await;
        assert_eq!(expected["cards"]["nodes"][0]["set"]["code"], json!("m11"));
        for document in parts {
            assert_eq!(app.data(document, json!(null)).await.to_string(), expected.to_string(), "{document}");
        }
    }

    async fn a_field_that_fails_is_null_alone(app: TestApp) {
        load(&app).await;
        let answer = app.answer("{ cardSet(code: \"lea\") { code cards(after: \"forged\") { totalCount } } other: cardSet(code: \"m11\") { code } }", json!(null)).await;
        assert_eq!(answer["data"], json!({"cardSet": {"code": "lea", "cards": null}, "other": {"code": "m11"}}));
        assert_eq!(answer["errors"][0]["path"], json!(["cardSet", "cards"]));
    }
}
