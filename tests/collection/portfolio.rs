//! A collection as a whole: its sums are those of its items, in each currency, today and on every day before.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{
    BOLT, CONDITIONS, FINISHES, FOREST, LOTUS, PORTFOLIO_PAGE, SHOCK, VIAL, added, all_cards, amount, ask,
    cents, document, ids, list, load, new_prices, number, on_both_stores_freely, remove, restore, text,
    update,
};
use crate::harness::{TestApp, draws, on_both_stores};
use crate::security::{Person, sign_up};

const BY: [&str; 5] = ["SET", "RARITY", "COLOR", "FINISH", "CONDITION"];

const PORTFOLIO: &str = "query($currency: Currency) { viewer { portfolio(currency: $currency) {
    itemCount copyCount distinctCards value { amount currency } cost { amount currency } itemsWithoutCost
    gain { amount percent } change24h { amount percent } change7d { amount percent }
    valueHistory { time value }
    SET: allocation(by: SET) { ...Part } RARITY: allocation(by: RARITY) { ...Part } COLOR: allocation(by: COLOR) { ...Part }
    FINISH: allocation(by: FINISH) { ...Part } CONDITION: allocation(by: CONDITION) { ...Part }
    topHoldings(first: 100) { id value(currency: $currency) { amount } } } } }
    fragment Part on AllocationSlice { key itemCount value share }";

async fn portfolio(app: &TestApp, person: &Person, currency: &str) -> Value {
    ask(app, person, PORTFOLIO, json!({"currency": currency})).await.field()["portfolio"].clone()
}

/// The points of a history, by day; what is asked of it may be its `currency` and its `window`.
async fn history(app: &TestApp, person: &Person, asked: Value) -> Vec<(String, String)> {
    let query = "query($currency: Currency, $window: HistoryWindow) {
        viewer { portfolio(currency: $currency) { valueHistory(window: $window) { time value } } } }";
    let answer = ask(app, person, query, asked).await;
    let points = list(&answer.field()["portfolio"]["valueHistory"]);
    let point = |point: &Value| {
        let (day, time) = text(&point["time"]).split_once('T').expect("a moment");
        assert_eq!(time, "00:00:00Z");
        (day.to_owned(), text(&point["value"]).to_owned())
    };
    points.iter().map(point).collect()
}

fn days(points: &[(&str, &str)]) -> Vec<(String, String)> {
    points.iter().map(|(day, value)| ((*day).to_owned(), (*value).to_owned())).collect()
}

/// A percentage, or that there is none.
fn assert_percent(change: &Value, of: i64, base: i64, what: &str) {
    assert_eq!(cents(&change["amount"]), of, "{what}");
    match (change["percent"].as_f64(), base) {
        (None, 0) => assert!(change["percent"].is_null(), "{what}: {change}"),
        (Some(percent), 1..) => {
            let expected = of as f64 * 100.0 / base as f64;
            assert!(
                (percent - expected).abs() <= 1e-9 * expected.abs().max(1.0),
                "{what}: {change}, not {expected}"
            );
        }
        other => panic!("{what}: {other:?}"),
    }
}

/// That a division has these parts, of these items and values, the most valuable first, and that its shares are theirs.
fn assert_division(parts: &Value, expected: &BTreeMap<String, (i64, i64)>, what: &str) {
    let parts = list(parts);
    let by_key: BTreeMap<String, (i64, i64)> = parts
        .iter()
        .map(|part| (text(&part["key"]).to_owned(), (number(&part["itemCount"]), cents(&part["value"]))))
        .collect();
    assert_eq!((&by_key, parts.len()), (expected, expected.len()), "{what}");
    assert!(parts.is_sorted_by(|a, b| cents(&a["value"]) >= cents(&b["value"])), "{what}: {parts:?}");
    let total: i64 = expected.values().map(|(_, value)| value).sum();
    let mut shares = 0.0;
    for part in &parts {
        let share = part["share"].as_f64().expect("a share");
        let due = if total == 0 { 0.0 } else { cents(&part["value"]) as f64 / total as f64 };
        assert!((share - due).abs() < 1e-9, "{what}: {part}");
        shares += share;
    }
    let whole = if total == 0 { 0.0 } else { 1.0 };
    assert!((shares - whole).abs() < 1e-9, "{what}: {shares}");
}

/// Five items of four cards, in both finishes and two conditions, paid in two currencies or not known for how much.
async fn add_five(app: &TestApp, person: &Person) -> Vec<Value> {
    let items = json!([
        {"cardId": BOLT.id(), "quantity": 2, "acquiredPrice": {"amount": "8.00"}},
        {"cardId": BOLT.id(), "condition": "LIGHTLY_PLAYED", "acquiredPrice": {"amount": "5.00", "currency": "EUR"}},
        {"cardId": VIAL.id(), "quantity": 3, "acquiredPrice": {"amount": "5.00"}},
        {"cardId": LOTUS.id(), "finish": "FOIL", "acquiredPrice": {"amount": "1.00"}},
        {"cardId": SHOCK.id(), "quantity": 4},
    ]);
    added(app, person, items).await
}

/// An item as a test draws it; amounts are in cents.
#[derive(Debug)]
struct Drawn {
    card: String,
    quantity: i64,
    condition: &'static str,
    finish: &'static str,
    language: &'static str,
    paid: Option<(i64, &'static str)>,
}

impl Drawn {
    fn is_like(&self, other: &Self) -> bool {
        let likeness = |item: &Self| (item.card.clone(), item.condition, item.finish, item.language);
        likeness(self) == likeness(other)
    }

    fn input(&self) -> Value {
        let paid = self.paid.map(|(cents, currency)| json!({"amount": amount(cents), "currency": currency}));
        json!({"cardId": self.card, "quantity": self.quantity, "condition": self.condition, "finish": self.finish,
               "language": self.language, "acquiredPrice": paid})
    }
}

fn pick<'a, T>(rng: &mut ChaCha8Rng, from: &'a [T]) -> &'a T {
    &from[rng.random_range(0..from.len())]
}

/// Up to fifteen items of up to eight cards, of which no two are equal.
fn draw(rng: &mut ChaCha8Rng, cards: &[String]) -> Vec<Drawn> {
    let few: Vec<String> = (0..8).map(|_| pick(rng, cards).clone()).collect();
    let mut drawn: Vec<Drawn> = Vec::new();
    for _ in 0..rng.random_range(0..=15) {
        let card = pick(rng, &few).clone();
        let quantity = if rng.random_bool(0.1) { 100_000 } else { rng.random_range(1..=9) };
        let (condition, finish) = (*pick(rng, &CONDITIONS), *pick(rng, &FINISHES));
        let language = *pick(rng, &["en", "en", "ja", "de"]);
        let paid = rng
            .random_bool(0.7)
            .then(|| (rng.random_range(0..5_000), *pick(rng, &["USD", "USD", "EUR", "TIX"])));
        let item = Drawn { card, quantity, condition, finish, language, paid };
        if !drawn.iter().any(|other| other.is_like(&item)) {
            drawn.push(item);
        }
    }
    drawn
}

/// What the server says of each card of each item, one by one: its price, and how that has moved.
async fn priced(app: &TestApp, drawn: &[Drawn], currency: &str) -> Vec<Value> {
    if drawn.is_empty() {
        return Vec::new();
    }
    let question = |(number, item): (usize, &Drawn)| {
        let Drawn { card, finish, condition, .. } = item;
        format!(
            "c{number}: card(by: {{id: \"{card}\"}}) {{ rarity colors set {{ code }}
                 price(currency: {currency}, finish: {finish}, condition: {condition}) {{
                     price change24h {{ amount }} change7d {{ amount }} }} }}\n"
        )
    };
    let questions: String = drawn.iter().enumerate().map(question).collect();
    let answer = app.data(&format!("{{ {questions} }}"), json!(null)).await;
    (0..drawn.len()).map(|number| answer[format!("c{number}")].clone()).collect()
}

/// What a portfolio must be, one item after the other.
async fn assert_portfolio(app: &TestApp, person: &Person, drawn: &[Drawn], currency: &str, what: &str) {
    let shown = portfolio(app, person, currency).await;
    let (mut value, mut copies, mut cost, mut of_costed, mut costed) = (0, 0, 0, 0, 0);
    let (mut change_24h, mut change_7d) = (0, 0);
    let mut divisions: BTreeMap<&str, BTreeMap<String, (i64, i64)>> =
        BY.map(|by| (by, BTreeMap::new())).into_iter().collect();
    let mut values = Vec::new();
    let mut cards: Vec<&str> = Vec::new();
    for (item, card) in drawn.iter().zip(priced(app, drawn, currency).await) {
        let worth = item.quantity * cents(&card["price"]["price"]);
        value += worth;
        copies += item.quantity;
        change_24h += item.quantity * cents(&card["price"]["change24h"]["amount"]);
        change_7d += item.quantity * cents(&card["price"]["change7d"]["amount"]);
        if let Some((paid, _)) = item.paid.filter(|(_, of)| *of == currency) {
            cost += item.quantity * paid;
            of_costed += worth;
            costed += 1;
        }
        let colors = list(&card["colors"]);
        let color = match colors.as_slice() {
            [] => "COLORLESS",
            [one] => text(one),
            _ => "MULTICOLOR",
        };
        let keys = [text(&card["set"]["code"]), text(&card["rarity"]), color, item.finish, item.condition];
        for (by, key) in BY.into_iter().zip(keys) {
            let part = divisions.entry(by).or_default().entry(key.to_owned()).or_default();
            *part = (part.0 + 1, part.1 + worth);
        }
        values.push(worth);
        if !cards.contains(&item.card.as_str()) {
            cards.push(&item.card);
        }
    }
    let money = |cents: i64| json!({"amount": amount(cents), "currency": currency});
    assert_eq!(shown["itemCount"], json!(drawn.len()), "{what}");
    assert_eq!(
        (&shown["copyCount"], &shown["distinctCards"]),
        (&json!(copies), &json!(cards.len())),
        "{what}"
    );
    assert_eq!((&shown["value"], &shown["cost"]), (&money(value), &money(cost)), "{what}");
    assert_eq!(shown["itemsWithoutCost"], json!(drawn.len() - costed), "{what}");
    assert_percent(&shown["gain"], of_costed - cost, cost, what);
    for (field, moved) in [("change24h", change_24h), ("change7d", change_7d)] {
        assert_eq!(cents(&shown[field]["amount"]), moved, "{what}: {field}");
    }
    for (by, expected) in &divisions {
        assert_division(&shown[*by], expected, &format!("{what} by {by}"));
    }
    let top: Vec<i64> =
        list(&shown["topHoldings"]).iter().map(|item| cents(&item["value"]["amount"])).collect();
    values.sort_by(|a, b| b.cmp(a));
    assert_eq!(top, values, "{what}");
    // Who has never held anything has no history.
    let now = (!drawn.is_empty()).then(|| json!({"time": "2026-06-30T00:00:00Z", "value": amount(value)}));
    assert_eq!(list(&shown["valueHistory"]).pop(), now, "{what}");
}

on_both_stores_freely! { Market:
    async fn every_number_is_what_a_slow_count_says(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let bob = sign_up(&app, "bob@example.com").await;
        let cards = all_cards(&app).await;
        assert_eq!(cards.len(), 150);
        added(&app, &bob, json!([{"cardId": cards[0], "quantity": 100_000}])).await;
        for seed in 0..draws(25) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed as u64);
            let drawn = draw(&mut rng, &cards);
            let mut made = Vec::new();
            if !drawn.is_empty() {
                made = added(&app, &ada, Value::from_iter(drawn.iter().map(Drawn::input))).await;
                assert_eq!(made.len(), drawn.len(), "{seed}");
            }
            for currency in ["USD", "EUR", "TIX"] {
                assert_portfolio(&app, &ada, &drawn, currency, &format!("{seed} in {currency}")).await;
            }
            if !made.is_empty() {
                remove(&app, &ada, &ids(&made)).await.field();
            }
        }
    }
}

on_both_stores! { Tables:
    async fn the_contracts_operation_is_answered(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let made = add_five(&app, &ada).await;
        let answer = ask(&app, &ada, &document(PORTFOLIO_PAGE), json!({})).await;
        let mut shown = answer.field()["portfolio"].clone();
        let top = list(&shown["topHoldings"].take());
        assert_eq!((top.len(), &top[0]["id"], &top[0]["value"]["amount"]), (5, &made[0]["id"], &json!("20.20")));
        assert_eq!((&top[0]["card"]["name"], list(&top[0]["card"]["marketPrices"]).len()), (&json!("Lightning Bolt"), 3));
        assert_eq!(top[0]["gain"], json!({"amount": "4.20", "percent": 26.25}));
        for change in ["change24h", "change7d", "bySet", "byRarity"] {
            assert!(!shown[change].take().is_null(), "{change}");
        }
        assert_eq!(shown, json!({
            "itemCount": 5, "distinctCards": 4, "value": {"amount": "40.79", "currency": "USD"}, "cost": {"amount": "32.00"},
            "gain": {"amount": "0.20", "percent": 0.625}, "valueHistory": [{"time": "2026-06-30T00:00:00Z", "value": "40.79"}],
            "change24h": null, "change7d": null, "bySet": null, "byRarity": null, "topHoldings": null,
        }));
    }

    async fn the_numbers_are_those_of_the_items_in_each_currency(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let bob = sign_up(&app, "bob@example.com").await;
        add_five(&app, &ada).await;
        added(&app, &bob, json!([{"cardId": LOTUS.id(), "quantity": 9, "acquiredPrice": {"amount": "5.00"}}])).await;
        let expected = |parts: &[(&str, i64, i64)]| -> BTreeMap<String, (i64, i64)> {
            parts.iter().map(|(key, items, value)| ((*key).to_owned(), (*items, *value))).collect()
        };

        let shown = portfolio(&app, &ada, "USD").await;
        let counts = [&shown["itemCount"], &shown["copyCount"], &shown["distinctCards"], &shown["itemsWithoutCost"]];
        assert_eq!(counts, [&json!(5), &json!(11), &json!(4), &json!(2)]);
        assert_eq!(shown["value"], json!({"amount": "40.79", "currency": "USD"}));
        // What was paid in euros, and what is not known, is in neither cost nor gain.
        assert_eq!(shown["cost"], json!({"amount": "32.00", "currency": "USD"}));
        assert_percent(&shown["gain"], 20, 3_200, "gain");
        // Two bolts 0.10 each, a played one 8.59 - 8.50, three vials -1.00 each.
        assert_percent(&shown["change24h"], -271, 2_000 + 850 + 1_500, "24 hours");
        // The vial had no price then: it is left out.
        assert_percent(&shown["change7d"], 420 + 179, 1_600 + 680, "7 days");
        for (by, parts) in [
            ("SET", &[("lea", 3, 2_879), ("dst", 1, 1_200), ("m11", 1, 0)][..]),
            ("RARITY", &[("COMMON", 3, 2_879), ("UNCOMMON", 1, 1_200), ("RARE", 1, 0)][..]),
            ("COLOR", &[("RED", 2, 2_879), ("COLORLESS", 2, 1_200), ("BLUE", 1, 0)][..]),
            ("FINISH", &[("NONFOIL", 4, 4_079), ("FOIL", 1, 0)][..]),
            ("CONDITION", &[("NEAR_MINT", 4, 3_220), ("LIGHTLY_PLAYED", 1, 859)][..]),
        ] {
            assert_division(&shown[by], &expected(parts), by);
        }

        // Not converted: of the euros' own prices.
        let shown = portfolio(&app, &ada, "EUR").await;
        let counts = [&shown["itemCount"], &shown["copyCount"], &shown["distinctCards"], &shown["itemsWithoutCost"]];
        assert_eq!(counts, [&json!(5), &json!(11), &json!(4), &json!(4)]);
        assert_eq!(shown["value"], json!({"amount": "26.85", "currency": "EUR"}));
        assert_eq!(shown["cost"], json!({"amount": "5.00", "currency": "EUR"}));
        assert_percent(&shown["gain"], 271, 500, "gain");
        assert_percent(&shown["change24h"], 14 + 6, 1_800 + 765, "24 hours");
        assert_percent(&shown["change7d"], 0, 0, "7 days");
        assert_division(&shown["SET"], &expected(&[("lea", 3, 2_585), ("m11", 1, 100), ("dst", 1, 0)]), "SET");
        assert_division(&shown["COLOR"], &expected(&[("RED", 2, 2_585), ("BLUE", 1, 100), ("COLORLESS", 2, 0)]), "COLOR");

        let shown = portfolio(&app, &ada, "TIX").await;
        assert_eq!((&shown["itemCount"], &shown["itemsWithoutCost"]), (&json!(5), &json!(5)));
        assert_eq!((&shown["value"]["amount"], &shown["cost"]["amount"]), (&json!("0.00"), &json!("0.00")));
        assert_percent(&shown["gain"], 0, 0, "gain");
        assert_division(&shown["FINISH"], &expected(&[("NONFOIL", 4, 0), ("FOIL", 1, 0)]), "FINISH");

        // Without a currency: dollars.
        let usual = ask(&app, &ada, "{ viewer { portfolio { value { amount currency } } } }", json!(null)).await;
        assert_eq!(usual.field()["portfolio"]["value"], json!({"amount": "40.79", "currency": "USD"}));
    }

    async fn nothing_is_worth_nothing(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        for loaded in [false, true] {
            if loaded {
                load(&app).await;
            }
            let mut shown = portfolio(&app, &ada, "EUR").await;
            for point in list(&shown["valueHistory"].take()) {
                assert_eq!(point["value"], json!("0.00"));
            }
            let (nothing, none) = (json!({"amount": "0.00", "currency": "EUR"}), json!({"amount": "0.00", "percent": null}));
            assert_eq!(shown, json!({
                "itemCount": 0, "copyCount": 0, "distinctCards": 0, "itemsWithoutCost": 0, "value": nothing, "cost": nothing,
                "gain": none, "change24h": none, "change7d": none, "valueHistory": null, "SET": [], "RARITY": [], "COLOR": [],
                "FINISH": [], "CONDITION": [], "topHoldings": [],
            }));
        }
    }

    async fn a_portfolio_follows_each_change_of_its_items(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let value = async || portfolio(&app, &ada, "USD").await["value"]["amount"].clone();
        let made = added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 2}, {"cardId": LOTUS.id()}])).await;
        assert_eq!(value().await, json!("120.20"));
        added(&app, &ada, json!([{"cardId": BOLT.id()}])).await;
        assert_eq!(value().await, json!("130.30"));
        update(&app, &ada, json!({"id": made[1]["id"], "condition": "DAMAGED", "quantity": 3})).await.field();
        assert_eq!(value().await, json!("135.30"));
        update(&app, &ada, json!({"id": made[1]["id"], "finish": "FOIL"})).await.field();
        assert_eq!(value().await, json!("30.30"), "its foil has no price");
        remove(&app, &ada, &ids(&made[..1])).await.field();
        assert_eq!(value().await, json!("0.00"));
        restore(&app, &ada, &ids(&made[..1])).await.field();
        assert_eq!(value().await, json!("30.30"));
        new_prices(&app, "2026-07-01", &[(&BOLT, "cardkingdom", 11.00), (&LOTUS, "cardkingdom", 90.00)]).await;
        assert_eq!(value().await, json!("33.00"));
    }

    async fn a_day_that_is_over_keeps_its_value(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let (dollars, euros) = (json!({"window": "ALL"}), json!({"window": "ALL", "currency": "EUR"}));
        let made = added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 2}, {"cardId": LOTUS.id()}])).await;
        assert_eq!(history(&app, &ada, dollars.clone()).await, days(&[("2026-06-30", "120.20")]));
        new_prices(&app, "2026-07-01", &[(&BOLT, "cardkingdom", 11.00)]).await;
        assert_eq!(history(&app, &ada, dollars.clone()).await, days(&[("2026-06-30", "120.20"), ("2026-07-01", "122.00")]));
        assert_eq!(history(&app, &ada, euros.clone()).await, days(&[("2026-06-30", "18.14"), ("2026-07-01", "18.14")]));
        // More of the same day closes nothing.
        new_prices(&app, "2026-07-01", &[(&LOTUS, "cardkingdom", 101.00), (&BOLT, "cardmarket", 9.00)]).await;
        added(&app, &ada, json!([{"cardId": BOLT.id()}])).await;
        assert_eq!(history(&app, &ada, dollars.clone()).await, days(&[("2026-06-30", "120.20"), ("2026-07-01", "134.00")]));
        new_prices(&app, "2026-07-04", &[(&BOLT, "cardkingdom", 12.00)]).await;
        let expected = days(&[("2026-06-30", "120.20"), ("2026-07-01", "134.00"), ("2026-07-04", "137.00")]);
        assert_eq!(history(&app, &ada, dollars.clone()).await, expected);
        let in_euros = days(&[("2026-06-30", "18.14"), ("2026-07-01", "27.00"), ("2026-07-04", "27.00")]);
        assert_eq!(history(&app, &ada, euros.clone()).await, in_euros);
        // Who begins later begins with what is now.
        let bob = sign_up(&app, "bob@example.com").await;
        added(&app, &bob, json!([{"cardId": BOLT.id()}])).await;
        assert_eq!(history(&app, &bob, dollars.clone()).await, days(&[("2026-07-04", "12.00")]));
        // What is sold was held.
        remove(&app, &ada, &ids(&made[1..])).await.field();
        let expected = days(&[("2026-06-30", "120.20"), ("2026-07-01", "134.00"), ("2026-07-04", "36.00")]);
        assert_eq!(history(&app, &ada, dollars.clone()).await, expected);
        new_prices(&app, "2026-07-05", &[(&BOLT, "cardkingdom", 12.50)]).await;
        let expected = days(&[
            ("2026-06-30", "120.20"), ("2026-07-01", "134.00"), ("2026-07-04", "36.00"), ("2026-07-05", "37.50"),
        ]);
        assert_eq!(history(&app, &ada, dollars.clone()).await, expected);
        assert_eq!(history(&app, &bob, dollars.clone()).await, days(&[("2026-07-04", "12.00"), ("2026-07-05", "12.50")]));
    }

    async fn who_has_sold_everything_was_at_nothing_once(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let all = json!({"window": "ALL"});
        let made = added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 2}, {"cardId": LOTUS.id()}])).await;
        new_prices(&app, "2026-07-01", &[(&BOLT, "cardkingdom", 11.00)]).await;
        remove(&app, &ada, &ids(&made)).await.field();
        assert_eq!(history(&app, &ada, all.clone()).await, days(&[("2026-06-30", "120.20"), ("2026-07-01", "0.00")]));
        new_prices(&app, "2026-07-02", &[(&BOLT, "cardkingdom", 12.00)]).await;
        let expected = days(&[("2026-06-30", "120.20"), ("2026-07-01", "0.00"), ("2026-07-02", "0.00")]);
        assert_eq!(history(&app, &ada, all.clone()).await, expected);
        let tix = history(&app, &ada, json!({"window": "ALL", "currency": "TIX"})).await;
        assert!(tix.iter().all(|(_, value)| value == "0.00"), "{tix:?}");
        // A day later nothing is said of the day between.
        new_prices(&app, "2026-07-03", &[(&BOLT, "cardkingdom", 13.00)]).await;
        let expected = days(&[("2026-06-30", "120.20"), ("2026-07-01", "0.00"), ("2026-07-03", "0.00")]);
        assert_eq!(history(&app, &ada, all.clone()).await, expected);
        // And it goes on where something is bought again.
        restore(&app, &ada, &ids(&made[..1])).await.field();
        new_prices(&app, "2026-07-12", &[(&BOLT, "cardkingdom", 14.00)]).await;
        let expected = days(&[
            ("2026-06-30", "120.20"), ("2026-07-01", "0.00"), ("2026-07-03", "26.00"), ("2026-07-12", "28.00"),
        ]);
        assert_eq!(history(&app, &ada, all.clone()).await, expected);
        let week = history(&app, &ada, json!({"window": "DAYS_7"})).await;
        assert_eq!(week, days(&[("2026-07-12", "28.00")]));
        let month = history(&app, &ada, json!({})).await;
        assert_eq!(month, expected, "of thirty days, unless asked otherwise");
        new_prices(&app, "2026-07-31", &[(&BOLT, "cardkingdom", 15.00)]).await;
        let expected = days(&[
            ("2026-07-01", "0.00"), ("2026-07-03", "26.00"), ("2026-07-12", "28.00"), ("2026-07-31", "30.00"),
        ]);
        assert_eq!(history(&app, &ada, json!({"window": "DAYS_30"})).await, expected);
    }

    async fn the_most_valuable_items_come_first(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let made = ids(&add_five(&app, &ada).await);
        added(&app, &ada, json!([{"cardId": FOREST.id()}])).await;
        let query = "query($currency: Currency, $first: Int) { viewer { portfolio(currency: $currency) { topHoldings(first: $first) { id } } } }";
        let top = async |asked: Value| {
            let answer = ask(&app, &ada, query, asked).await;
            ids(&list(&answer.field()["portfolio"]["topHoldings"]))
        };
        let places = |places: &[usize]| places.iter().map(|place| made[*place].clone()).collect::<Vec<_>>();
        assert_eq!(top(json!({"first": 3})).await, places(&[0, 2, 1]));
        assert_eq!(top(json!({"first": 3, "currency": "EUR"})).await, places(&[0, 1, 4]));
        assert_eq!(top(json!({"first": 0})).await, Vec::<Value>::new());
        let usual = top(json!({})).await;
        assert_eq!((usual.len(), &usual[..3]), (5, &places(&[0, 2, 1])[..]));
        assert_eq!(top(json!({"first": 100})).await.len(), 6);
        for wrong in [-1, 101] {
            assert_eq!(ask(&app, &ada, query, json!({"first": wrong})).await.code(), Some("ERR-3002"), "{wrong}");
        }
    }

    async fn a_set_tells_how_much_of_it_its_reader_has(app: TestApp) {
        load(&app).await;
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let query = "{ cardSets { nodes { code completion { owned total missingValue { amount currency } } } } }";
        let completions = async |person: &Person| -> BTreeMap<String, Value> {
            let answer = ask(&app, person, query, json!(null)).await;
            let sets = list(&answer.field()["nodes"]);
            sets.iter().map(|set| (text(&set["code"]).to_owned(), set["completion"].clone())).collect()
        };
        let of = |owned: i64, total: i64, missing: &str| {
            json!({"owned": owned, "total": total, "missingValue": {"amount": missing, "currency": "USD"}})
        };
        let sets = |dst: Value, lea: Value, m11: Value| {
            BTreeMap::from([("dst".to_owned(), dst), ("lea".to_owned(), lea), ("m11".to_owned(), m11)])
        };
        let nothing = sets(of(0, 1, "4.00"), of(0, 2, "110.10"), of(0, 2, "0.00"));
        assert_eq!(completions(&ada).await, nothing);
        // However many copies, in whatever finish and condition, even without a price.
        let made = added(&app, &ada, json!([
            {"cardId": BOLT.id(), "quantity": 4},
            {"cardId": BOLT.id(), "finish": "FOIL"},
            {"cardId": VIAL.id(), "condition": "DAMAGED", "language": "ja"},
            {"cardId": FOREST.id()},
        ])).await;
        assert_eq!(completions(&ada).await, sets(of(1, 1, "0.00"), of(1, 2, "100.00"), of(1, 2, "0.00")));
        assert_eq!(completions(&bob).await, nothing, "another's");
        new_prices(&app, "2026-07-01", &[(&LOTUS, "cardkingdom", 90.00)]).await;
        remove(&app, &ada, &ids(&made[1..3])).await.field();
        assert_eq!(completions(&ada).await, sets(of(0, 1, "4.00"), of(1, 2, "90.00"), of(1, 2, "0.00")));
        let one = "{ cardSet(code: \"LEA\") { completion { owned } } card(by: {name: \"Forest\"}) { set { code completion { owned total } } } }";
        let answer = ask(&app, &ada, one, json!(null)).await;
        assert_eq!(answer.body["data"], json!({
            "cardSet": {"completion": {"owned": 1}}, "card": {"set": {"code": "m11", "completion": {"owned": 1, "total": 2}}},
        }));
        for set in list(&app.data(query, json!(null)).await["cardSets"]["nodes"]) {
            assert_eq!(set["completion"], json!(null), "nobody owns nothing");
        }
    }
}
