//! Prices: what the rules at the head of the contract say, to the cent.

use dualcaster::ingest::Format;
use serde_json::{Value, json};

use crate::harness::{
    Printing, Series, TestApp, TestFile, all_prices, all_printings, on_both_stores, scryfall_cards,
};

const BOLT: Printing =
    Printing { number: 1, name: "Lightning Bolt", set: "lea", collector_number: "161", rarity: "common" };
const OLD: Printing =
    Printing { number: 2, name: "Old News", set: "lea", collector_number: "1", rarity: "rare" };
const FOIL: Printing =
    Printing { number: 3, name: "Shiny", set: "lea", collector_number: "2", rarity: "rare" };

const POINT: &[(&str, f64)] = &[("2026-06-30", 1.00)];

async fn load(app: &TestApp) {
    let catalogue = all_printings(&[BOLT, OLD, FOIL], |printing, entry| {
        if printing.number == 3 {
            entry["hasNonFoil"] = json!(false);
        }
    });
    app.ingest(Format::MtgjsonPrintings, &TestFile::json(&catalogue)).await.expect("a catalogue");
    let prices = all_prices(&[
        (
            &BOLT,
            "cardkingdom",
            "retail",
            "normal",
            &[("2026-05-01", 1.00), ("2026-06-22", 2.00), ("2026-06-29", 2.50), ("2026-06-30", 3.00)],
        ),
        (&BOLT, "tcgplayer", "retail", "normal", &[("2026-06-29", 4.00), ("2026-06-30", 4.01)]),
        (&BOLT, "cardmarket", "retail", "normal", &[("2026-06-30", 1.77)]),
        (&BOLT, "cardkingdom", "buylist", "normal", &[("2026-06-30", 1.50)]),
        (&BOLT, "tcgplayer", "buylist", "normal", &[("2026-06-30", 1.60)]),
        (&BOLT, "cardkingdom", "retail", "foil", &[("2026-06-29", 20.00)]),
        (&OLD, "cardkingdom", "retail", "normal", &[("2026-06-22", 5.00)]),
        (&FOIL, "cardkingdom", "retail", "foil", &[("2026-06-23", 0.00), ("2026-06-24", 7.00)]),
    ]);
    app.ingest(Format::MtgjsonPrices, &TestFile::json(&prices)).await.expect("prices");
}

const PRICE: &str = "hasPriceData stale estimated currency price buylist low mid high market
    change24h { amount percent } change7d { amount percent } change30d { amount percent } observedAt";

async fn price(app: &TestApp, printing: &Printing, arguments: &str) -> Value {
    let arguments = if arguments.is_empty() { String::new() } else { format!("({arguments})") };
    let query = format!("query($id: ID!) {{ card(by: {{id: $id}}) {{ price{arguments} {{ {PRICE} }} }} }}");
    app.data(&query, json!({"id": printing.id()})).await["card"]["price"].take()
}

on_both_stores! { Tables:
    async fn a_price_is_the_median_and_its_change_compares_the_same_marketplaces(app: TestApp) {
        load(&app).await;
        assert_eq!(price(&app, &BOLT, "").await, json!({
            "hasPriceData": true, "stale": false, "estimated": false, "currency": "USD",
            // 3.00 and 4.01: the mean of the two, 3.505, half a cent up.
            "price": "3.51", "buylist": "1.60", "low": "3.00", "mid": "3.51", "high": "4.01", "market": "3.51",
            // 2.50 and 4.00 a day before.
            "change24h": {"amount": "0.26", "percent": 8.0},
            // Only Card Kingdom was there: 2.00, then 1.00.
            "change7d": {"amount": "1.00", "percent": 50.0},
            "change30d": {"amount": "2.00", "percent": 200.0},
            "observedAt": "2026-06-30T00:00:00Z",
        }));
    }

    async fn one_marketplace_speaks_for_itself(app: TestApp) {
        load(&app).await;
        let one = price(&app, &BOLT, "marketplace: \"tcgplayer\"").await;
        assert_eq!((&one["price"], &one["low"], &one["market"], &one["buylist"]), (&json!("4.01"), &json!("4.01"), &json!("4.01"), &json!("1.60")));
        assert_eq!(one["change24h"], json!({"amount": "0.01", "percent": 0.25}));
        assert_eq!(one["change7d"], json!({"amount": "0.00", "percent": null}));
        let other = price(&app, &BOLT, "marketplace: \"cardmarket\"").await;
        assert_eq!((&other["currency"], &other["price"]), (&json!("EUR"), &json!("1.77")));
        assert_eq!(price(&app, &BOLT, "currency: EUR").await["price"], json!("1.77"));
        let wrong = price(&app, &BOLT, "marketplace: \"cardmarket\", currency: USD").await;
        assert_eq!((&wrong["hasPriceData"], &wrong["currency"]), (&json!(false), &json!("USD")));
    }

    async fn no_price_is_zero_and_never_null(app: TestApp) {
        load(&app).await;
        for (printing, arguments, currency) in [(&BOLT, "currency: TIX", "TIX"), (&OLD, "", "USD"), (&BOLT, "finish: ETCHED", "USD"), (&OLD, "marketplace: \"cardmarket\"", "USD")] {
            let none = price(&app, printing, arguments).await;
            assert_eq!((&none["hasPriceData"], &none["price"], &none["buylist"]), (&json!(false), &json!("0.00"), &json!(null)), "{arguments}");
            if !arguments.contains("marketplace") {
                assert_eq!(none["currency"], json!(currency));
            }
            assert_eq!(none["change24h"], json!({"amount": "0.00", "percent": null}));
        }
        let unknown = "query($id: ID!) { card(by: {id: $id}) { price(marketplace: \"nobody\") { price } } }";
        assert_eq!(app.error(unknown, json!({"id": BOLT.id()})).await, "ERR-3002");
    }

    async fn observations_older_than_a_week_are_left_out_and_older_than_a_day_are_stale(app: TestApp) {
        load(&app).await;
        // Eight days before the newest of the store.
        assert_eq!(price(&app, &OLD, "").await["hasPriceData"], json!(false));
        let week = price(&app, &FOIL, "").await;
        assert_eq!((&week["hasPriceData"], &week["stale"], &week["price"]), (&json!(true), &json!(true), &json!("7.00")));
        // A base of nothing has no percentage.
        assert_eq!(week["change7d"], json!({"amount": "7.00", "percent": null}));
        // Exactly a day old is not over a day.
        assert_eq!(price(&app, &BOLT, "finish: FOIL").await["stale"], json!(false));
    }

    async fn a_played_copy_is_estimated_from_a_near_mint_one(app: TestApp) {
        load(&app).await;
        let played = price(&app, &BOLT, "condition: LIGHTLY_PLAYED").await;
        assert_eq!((&played["estimated"], &played["price"], &played["buylist"]), (&json!(true), &json!("2.98"), &json!("1.36")));
        let one = price(&app, &BOLT, "condition: DAMAGED, marketplace: \"cardkingdom\"").await;
        assert_eq!((&one["estimated"], &one["price"]), (&json!(true), &json!("1.05")));
        let query = "query($id: ID!) { card(by: {id: $id}) { marketPrices(condition: DAMAGED, finish: NONFOIL, currency: USD) { marketplace { slug } condition estimated price } } }";
        assert_eq!(app.data(query, json!({"id": BOLT.id()})).await["card"]["marketPrices"], json!([
            {"marketplace": {"slug": "cardkingdom"}, "condition": "DAMAGED", "estimated": true, "price": "1.05"},
            {"marketplace": {"slug": "tcgplayer"}, "condition": "DAMAGED", "estimated": true, "price": "1.40"},
        ]));
    }

    async fn each_marketplace_has_its_latest_price(app: TestApp) {
        load(&app).await;
        let query = "query($id: ID!) { card(by: {id: $id}) { marketPrices { marketplace { slug name currency } kind finish condition price low observedAt }
            buylist: marketPrices(kind: BUYLIST) { marketplace { slug } price } } }";
        insta::assert_json_snapshot!("market_prices", app.data(query, json!({"id": BOLT.id()})).await);
    }

    async fn history_goes_back_from_the_newest_snapshot(app: TestApp) {
        load(&app).await;
        let ask = async |arguments: &str| {
            let query = format!("query($id: ID!) {{ card(by: {{id: $id}}) {{ priceHistory({arguments}) {{ totalCount nodes {{ time price low high marketplace {{ slug }} }} }} }} }}");
            app.data(&query, json!({"id": BOLT.id()})).await["card"]["priceHistory"].take()
        };
        let point = |day: &str, price: &str, low: Option<&str>, high: Option<&str>, slug: Option<&str>| {
            json!({"time": format!("{day}T00:00:00Z"), "price": price, "low": low, "high": high, "marketplace": slug.map(|slug| json!({"slug": slug}))})
        };
        assert_eq!(ask("window: DAYS_7").await, json!({"totalCount": 2, "nodes": [
            point("2026-06-30", "3.51", Some("3.00"), Some("4.01"), None),
            point("2026-06-29", "3.25", Some("2.50"), Some("4.00"), None),
        ]}));
        assert_eq!(ask("window: ALL, marketplace: \"cardkingdom\", first: 2").await, json!({"totalCount": 4, "nodes": [
            point("2026-06-30", "3.00", Some("3.00"), Some("3.00"), Some("cardkingdom")),
            point("2026-06-29", "2.50", Some("2.50"), Some("2.50"), Some("cardkingdom")),
        ]}));
        // Monday the 29th begins the week of the last two days.
        assert_eq!(ask("window: DAYS_30, interval: WEEK").await, json!({"totalCount": 2, "nodes": [
            point("2026-06-29", "3.51", Some("2.50"), Some("4.01"), None),
            point("2026-06-22", "2.00", Some("2.00"), Some("2.00"), None),
        ]}));
        let raw = ask("window: DAYS_7, interval: RAW").await;
        assert_eq!(raw["totalCount"], json!(4), "two marketplaces, two days");
        assert_eq!(ask("window: DAYS_90, interval: RAW, kind: BUYLIST, marketplace: \"tcgplayer\"").await["totalCount"], json!(1));
        assert_eq!(ask("currency: TIX").await, json!({"totalCount": 0, "nodes": []}));
        let unknown = "query($id: ID!) { card(by: {id: $id}) { priceHistory(marketplace: \"nobody\") { totalCount } } }";
        let answer = app.answer(unknown, json!({"id": BOLT.id()})).await;
        assert_eq!(answer["errors"][0]["extensions"]["errorCode"], json!("ERR-3002"));
    }

    async fn a_newer_snapshot_moves_now_for_every_card(app: TestApp) {
        load(&app).await;
        let later = all_prices(&[(&OLD, "cardkingdom", "retail", "normal", &[("2026-07-08", 6.00)])]);
        app.ingest(Format::MtgjsonPrices, &TestFile::json(&later)).await.expect("prices");
        assert_eq!(price(&app, &BOLT, "").await["hasPriceData"], json!(false), "eight days old by now");
        let old = price(&app, &OLD, "").await;
        assert_eq!((&old["price"], &old["change30d"]["amount"]), (&json!("6.00"), &json!("0.00")), "no price of 30 days ago");
        assert_eq!(old["change7d"], json!({"amount": "1.00", "percent": 20.0}));
        assert_eq!(app.rows("stale_cards").await, 0);
    }

    async fn marketplaces_say_what_they_have(app: TestApp) {
        load(&app).await;
        let data = app.data("{ marketplaces { slug name currency url enabled pricedCards updatedAt } }", json!(null)).await;
        insta::assert_json_snapshot!("marketplaces", data);
        let id = app.data("{ marketplaces { id } }", json!(null)).await["marketplaces"][0]["id"].clone();
        let node = app.data("query($id: ID!) { node(id: $id) { id ... on Marketplace { slug } } }", json!({"id": id})).await;
        assert_eq!(node["node"], json!({"id": id, "slug": "cardkingdom"}));
    }

    async fn cards_are_sorted_and_filtered_by_the_price_that_they_show(app: TestApp) {
        load(&app).await;
        let query = "query($filter: CardFilter) { cards(filter: $filter, sort: {field: PRICE, direction: DESC}) { nodes { name price { price } } } }";
        let names = |data: Value| -> Vec<String> {
            data["cards"]["nodes"].as_array().expect("nodes").iter().map(|node| node["name"].as_str().expect("a name").to_owned()).collect()
        };
        assert_eq!(names(app.data(query, json!({})).await), ["Shiny", "Lightning Bolt", "Old News"]);
        for (range, found) in [
            (json!({"minimum": "3.51"}), vec!["Shiny", "Lightning Bolt"]),
            (json!({"maximum": "3.51"}), vec!["Lightning Bolt"]),
            (json!({"minimum": "3.52", "maximum": "6.99"}), vec![]),
            (json!({"currency": "EUR"}), vec!["Lightning Bolt"]),
        ] {
            assert_eq!(names(app.data(query, json!({"filter": {"price": range}})).await), found, "{range}");
        }
        let code = app.error(query, json!({"filter": {"price": {"minimum": "a lot"}}})).await;
        assert_eq!(code, "ERR-3002");
        let answer = app.answer(query, json!({"filter": {"price": {"minimum": "1.005"}}})).await;
        let told = answer["errors"][0]["message"].as_str().expect("a message");
        assert!(told.ends_with("at price.minimum must be of the type Decimal, a number with at most two decimals, such as \"12.50\"."), "{told}");
    }
}

on_both_stores! { Tables:
    async fn a_name_means_the_newest_paper_printing_with_a_price_that_is_no_promo(app: TestApp) {
        let bolt = |number, set| Printing { number, name: "Lightning Bolt", set, collector_number: "1", rarity: "common" };
        let [old, new, promo, digital] = [bolt(1, "lea"), bolt(2, "m11"), bolt(3, "p12"), bolt(4, "d13")];
        let all = [old, new, promo, digital];
        // The one has MTGJSON's ids, the other the days.
        app.ingest(Format::MtgjsonPrintings, &TestFile::json(&all_printings(&all, |_, _| {}))).await.expect("a catalogue");
        let dated = scryfall_cards(&all, |printing, card| {
            let days = ["1993-08-05", "2010-07-16", "2012-01-01", "2013-01-01"];
            card["released_at"] = json!(days[printing.number as usize - 1]);
            card["promo"] = json!(printing.number == 3);
            card["digital"] = json!(printing.number == 4);
        });
        app.ingest(Format::Scryfall, &TestFile::json(&dated)).await.expect("a catalogue");
        let price = async |printings: &[&Printing]| {
            let series: Vec<Series<'_>> = printings
                .iter()
                .map(|printing| (*printing, "cardkingdom", "retail", "normal", POINT))
                .collect();
            app.ingest(Format::MtgjsonPrices, &TestFile::json(&all_prices(&series))).await.expect("prices");
        };
        let meant = async || {
            app.data("{ card(by: {name: \"lightning bolt\"}) { set { code } } }", json!(null)).await["card"]["set"]["code"].take()
        };
        price(&[&promo, &digital]).await;
        assert_eq!(meant().await, "d13", "none of paper has a price: the newest");
        price(&[&old]).await;
        assert_eq!(meant().await, "lea");
        price(&[&new]).await;
        assert_eq!(meant().await, "m11");
    }
}
