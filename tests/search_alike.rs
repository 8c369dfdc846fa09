//! Searches that nobody thought of: none ends the parser, and both stores answer each alike.

use dualcaster::domain::catalogue::Search;
use dualcaster::domain::catalogue::search::keys::{KEYS, Key, Operand, Operators};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::harness::{Content, Store, TestApp, TestDatabase, draws, runtime};

/// Signs and words of the language in any order, and others among them.
fn noise(rng: &mut impl Rng) -> String {
    const PIECES: &[&str] = &[
        "t:",
        "c:",
        "o:/",
        "/",
        "\\",
        "\"",
        "'",
        "(",
        ")",
        "-",
        "!",
        " ",
        " or ",
        "“",
        "”",
        ": ",
        "++",
        "and",
        "not",
        "{",
        "}",
        "{2/w}",
        ":",
        "=",
        "!=",
        "<",
        ">=",
        "é",
        "Æ",
        "🜁",
        "\u{0}",
        "\u{301}",
        "*",
        "[a-",
        "]",
        "{3}",
        "^",
        "$",
        "\\b",
        "pow",
        "1+*",
        "usd",
        "0.5",
        "is:",
        "fetchland",
        "m:",
        "w/u",
        "e:",
        ",",
        "order:",
        "usd",
        "unique:",
        "~",
        "|",
        "?",
        "+",
        "(?i)",
        "99999999999",
    ];
    let count = rng.random_range(0..14);
    let piece = |_| match rng.random_range(0..6) {
        0 => rng.random_range('\u{0}'..='\u{2fff}').to_string(),
        1 => rng.random_range(' '..='~').to_string(),
        _ => (*PIECES.choose(rng).expect("a piece")).to_owned(),
    };
    (0..count).map(piece).collect()
}

#[test]
fn no_text_ends_the_parser() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut understood = 0;
    for _ in 0..draws(20_000) {
        let text = noise(&mut rng);
        match Search::parse(&text) {
            Ok(_) => understood += 1,
            Err(refusal) => assert!(refusal.message.starts_with("At character "), "{text:?}"),
        }
    }
    assert!(understood > 0);
}

/// A term with this key and an operand of its kind.
fn term(key: &Key, rng: &mut impl Rng) -> String {
    let operands: &[&str] = match key.operand {
        Operand::Text => &[
            "e",
            "an",
            "draw a",
            "~",
            "goblin",
            "/^[a-m]/",
            "/\\bthe\\b/",
            "/o.*r/",
            "/e$/",
            "/(an?|the) c/",
            "/\\ss: add \\sm/",
            "/\\spp|\\smh|\\smp/",
        ],
        Operand::Colors => &["w", "ub", "izzet", "c", "m", "2", "0", "wubrg", "green"],
        Operand::Mana => &["1", "{2}{w}", "uu", "rg", "{}", "x", "3g"],
        Operand::Symbols => &["w", "uu", "ggg"],
        Operand::Number => &["0", "2", "3", "pow", "tou", "mv", "*", "1.5"],
        Operand::Count => &["1", "2", "5"],
        Operand::Rarity => &["c", "uncommon", "r", "mythic"],
        Operand::Set => &["a", "core", "e"],
        Operand::Format => &["modern", "standard", "*"],
        Operand::Money => &["0.5", "1", "20", "$3.25"],
        Operand::Quality => &[
            "reprint",
            "foil",
            "vanilla",
            "permanent",
            "spell",
            "dual",
            "commander",
            "promo",
            "new",
            "bear",
            "watermark",
            "flavor",
            "ub",
            "stamped",
            "meldpart",
            "duelcommander",
        ],
        Operand::Missing(_) => &["squirrel"],
        Operand::Other(_) => match key.names[0] {
            "kw" => &["flying", "\"first strike\"", "haste"],
            "b" => &["a", "the"],
            "st" => &["core", "expansion", "token"],
            "in" => &["common", "paper", "en", "core", "foil"],
            "cn" => &["1", "12", "20a"],
            "border" => &["black", "white"],
            "frame" => &["2015", "old", "legendary"],
            "date" => &["2024-01-01", "2026-03-01", "zzz"],
            "year" => &["2023", "2025"],
            "new" => &["rarity", "art", "artist", "flavor", "frame", "language"],
            "cheapest" => &["usd", "eur", "tix"],
            "oracleid" => &["00000000-0000-4000-8000-000000000001"],
            "lang" => &["en", "any"],
            _ => &["normal", "paper", "transform", "token"],
        },
    };
    let operators: &[&str] = match key.operators {
        Operators::Comparison => &[":", "=", "!=", "<", "<=", ">", ">="],
        Operators::Equality | Operators::Setting => &[":", "=", "!="],
    };
    let operand = *operands.choose(rng).expect("an operand");
    let quoted = operand.contains(' ') && !operand.starts_with(['/', '"']);
    let operand = if quoted { format!("\"{operand}\"") } else { operand.to_owned() };
    let name = key.names.choose(rng).expect("a name");
    format!("{name}{}{operand}", operators.choose(rng).expect("an operator"))
}

fn expression(depth: u32, rng: &mut impl Rng) -> String {
    match rng.random_range(0..10) {
        0..2 if depth > 0 => format!("({} or {})", expression(depth - 1, rng), expression(depth - 1, rng)),
        2..4 if depth > 0 => format!("{} {}", expression(depth - 1, rng), expression(depth - 1, rng)),
        4 if depth > 0 => format!("-({})", expression(depth - 1, rng)),
        5 => (*["the", "wick", "\"of the\"", "a e", "{w}", "{2}"].choose(rng).expect("a word")).to_owned(),
        _ => {
            let keys: Vec<_> = KEYS
                .iter()
                .filter(|key| {
                    key.operators != Operators::Setting && !matches!(key.operand, Operand::Missing(_))
                })
                .collect();
            term(keys.choose(rng).expect("a key"), rng)
        }
    }
}

#[test]
fn both_stores_give_the_same_answers() {
    const LIST: &str =
        "query($search: String!) { cards(search: $search, first: 20) { totalCount nodes { scryfallId } } }";
    runtime().block_on(async {
        let (on_postgres, on_sqlite) = (
            TestDatabase::new(Store::Postgres, Content::Market).await,
            TestDatabase::new(Store::Sqlite, Content::Market).await,
        );
        let (postgres, sqlite) = (TestApp::start(&on_postgres).await, TestApp::start(&on_sqlite).await);
        let both = async |search: &str| {
            let variables = json!({"search": search});
            let (one, other) = futures_util::join!(
                postgres.answer(LIST, variables.clone()),
                sqlite.answer(LIST, variables.clone())
            );
            [one, other].map(|answer| answer.get("data").cloned().unwrap_or_default())
        };
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut understood = 0;
        let mut wrong = Vec::new();
        for number in 0..draws(400) {
            let order = [
                "",
                " order:usd",
                " order:released direction:desc",
                " unique:prints",
                " include:extras",
                " prefer:oldest",
                " prefer:ub",
            ];
            let search = format!("{}{}", expression(3, &mut rng), order[number % order.len()]);
            let [one, other] = both(&search).await;
            match Search::parse(&search) {
                Ok(_) if one["cards"].is_object() && one == other => understood += 1,
                Err(_) if one["cards"].is_null() && other["cards"].is_null() => {}
                _ => wrong.push(search),
            }
        }
        let mut noisy = 0;
        let texts = std::iter::repeat_with(|| noise(&mut rng)).take(1_000 * draws(500));
        for search in texts.filter(|text| Search::parse(text).is_ok()).take(draws(500)) {
            noisy += 1;
            let [one, other] = both(&search).await;
            if !one["cards"].is_object() || one != other {
                wrong.push(search);
            }
        }
        for (app, database) in [(postgres, on_postgres), (sqlite, on_sqlite)] {
            app.stop().await;
            database.remove().await;
        }
        assert_eq!(wrong, Vec::<String>::new());
        assert!(understood > 200, "{understood} were searches");
        assert_eq!(noisy, draws(500));
    });
}

/// The beginning of a name with so many mistakes.
fn misspelt(name: &str, mistakes: usize, rng: &mut impl Rng) -> String {
    let mut letters: Vec<char> = name.chars().take(rng.random_range(2..30)).collect();
    for _ in 0..mistakes {
        let (place, letter) = (rng.random_range(0..letters.len()), rng.random_range('a'..='z'));
        match rng.random_range(0..4) {
            0 => letters.insert(place, letter),
            1 if letters.len() > 1 => {
                letters.remove(place);
            }
            2 if place > 0 => letters.swap(place - 1, place),
            _ => letters[place] = letter,
        }
    }
    letters.into_iter().collect()
}

#[test]
fn both_stores_find_the_same_names_for_misspelt_ones() {
    const NEAR: &str = "query($name: String!) { searchSuggestions(prefix: $name) many: searchSuggestions(prefix: $name, first: 50)
        card(by: {fuzzyName: $name}) { scryfallId } }";
    runtime().block_on(async {
        let (on_postgres, on_sqlite) = (
            TestDatabase::new(Store::Postgres, Content::Market).await,
            TestDatabase::new(Store::Sqlite, Content::Market).await,
        );
        let (postgres, sqlite) = (TestApp::start(&on_postgres).await, TestApp::start(&on_sqlite).await);
        let listed = postgres.data("{ cards(first: 100) { nodes { name } } }", json!(null)).await;
        let names: Vec<_> = listed["cards"]["nodes"].as_array().expect("nodes").iter().collect();
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let (mut suggested, mut wrong) = (0, Vec::new());
        for number in 0..draws(300) {
            let name = names.choose(&mut rng).expect("a name")["name"].as_str().expect("a text");
            let typed = misspelt(name, number % 4, &mut rng);
            let variables = json!({"name": typed});
            let (one, other) = futures_util::join!(
                postgres.answer(NEAR, variables.clone()),
                sqlite.answer(NEAR, variables.clone())
            );
            let [one, other] = [one, other].map(|answer| answer.get("data").cloned().unwrap_or_default());
            suggested += usize::from(one["searchSuggestions"] != json!([]));
            if !one["searchSuggestions"].is_array() || one != other {
                wrong.push(typed);
            }
        }
        for (app, database) in [(postgres, on_postgres), (sqlite, on_sqlite)] {
            app.stop().await;
            database.remove().await;
        }
        assert_eq!(wrong, Vec::<String>::new());
        assert!(suggested > draws(300) / 2, "{suggested} were known");
    });
}
