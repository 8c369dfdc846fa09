//! Searches: what they find, on both stores alike, and what is said of those that are wrong.

use dualcaster::domain::catalogue::Search;
use dualcaster::domain::catalogue::search::is::IS;
use dualcaster::domain::catalogue::search::keys::{KEYS, Key, Operand, Operators};
use dualcaster::ingest::Format;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::harness::{
    Content, Printing, Store, TestApp, TestDatabase, TestFile, draws, on_both_stores, runtime, scryfall_cards,
};

const NAMES: &str = "query($search: String!, $unique: CardUnique, $sort: CardSort) {
    cards(search: $search, unique: $unique, sort: $sort, first: 100) { totalCount nodes { name set { code } } } }";

async fn names(app: &TestApp, search: &str) -> Vec<String> {
    let data = app.data(NAMES, json!({"search": search})).await;
    let nodes = data["cards"]["nodes"].as_array().expect("nodes");
    let names: Vec<_> = nodes.iter().map(|node| node["name"].as_str().expect("a name").to_owned()).collect();
    assert_eq!(data["cards"]["totalCount"], json!(names.len()), "{search}");
    names
}

fn printing(number: u128, name: &'static str, set: &'static str, rarity: &'static str) -> Printing {
    const NUMBERS: [&str; 10] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
    let collector_number = NUMBERS[usize::try_from(number - 1).expect("a number") % 10];
    Printing { number, name, set, collector_number, rarity }
}

/// A few cards of which each is something that the others are not.
async fn load(app: &TestApp) {
    let cards = scryfall_cards(
        &[
            printing(1, "Æmber Drake", "lmp", "common"),
            printing(2, "Wick, the Lit", "lmp", "mythic"),
            printing(3, "Dusk // Dawn", "lmp", "rare"),
            printing(4, "Salt Marsh", "lmp", "uncommon"),
            printing(5, "Mirror Thing", "tst", "rare"),
            printing(6, "Spark", "tst", "common"),
            printing(7, "Moth", "tlm", "common"),
            printing(8, "Spark", "lmp", "rare"),
        ],
        |printing, card| {
            let changes = match printing.number {
                1 => {
                    json!({"type_line": "Creature — Drake", "mana_cost": "{2}{U}{U}", "cmc": 4.0, "colors": ["U"],
                    "color_identity": ["U"], "power": "2", "toughness": "4", "keywords": ["Flying"],
                    "oracle_text": "Flying (It flies.)\nWhen Æmber Drake enters, draw a card.", "artist": "Zoë Péra",
                    "flavor_text": "“Catch it!”", "border_color": "black", "frame": "2015", "watermark": "izzet"})
                }
                2 => {
                    json!({"type_line": "Legendary Creature — Elf Wizard", "mana_cost": "{G/W}{G/W}", "cmc": 2.0,
                    "colors": ["W", "G"], "color_identity": ["W", "G", "R"], "power": "1+*", "toughness": "1",
                    "oracle_text": "{R}: Wick deals 100 damage to any target.", "border_color": "borderless",
                    "promo": true, "promo_types": ["buyabox"]})
                }
                3 => {
                    json!({"layout": "split", "type_line": "Instant // Sorcery", "cmc": 5.0, "colors": ["W", "B"],
                    "color_identity": ["W", "B"], "card_faces": [
                    {"name": "Dusk", "mana_cost": "{1}{W}", "type_line": "Instant", "oracle_text": "Destroy target creature."},
                    {"name": "Dawn", "mana_cost": "{2}{B}", "type_line": "Sorcery", "oracle_text": "Return it."}]})
                }
                4 => json!({"type_line": "Land — Plains Island", "mana_cost": "", "cmc": 0.0, "colors": [],
                    "color_identity": ["W", "U"], "oracle_text": "({T}: Add {W} or {U}.)"}),
                5 => {
                    json!({"type_line": "Artifact Creature — Shapeshifter", "mana_cost": "{X}{4}", "cmc": 4.0,
                    "colors": [], "color_identity": [], "power": "*", "toughness": "7-*", "frame": "1997",
                    "legalities": {"modern": "banned", "vintage": "restricted", "legacy": "legal"}})
                }
                6 => json!({"type_line": "Instant", "mana_cost": "{R}", "cmc": 1.0, "colors": ["R"],
                    "color_identity": ["R"], "oracle_text": "Spark deals 3 damage to any target.", "oracle_id": SPARK,
                    "released_at": "2019-05-06"}),
                7 => {
                    json!({"layout": "token", "set_type": "token", "type_line": "Token Creature — Insect", "cmc": 0.0,
                    "colors": ["B"], "color_identity": ["B"], "power": "1", "toughness": "1"})
                }
                _ => json!({"type_line": "Instant", "mana_cost": "{R}", "cmc": 1.0, "colors": ["R"],
                    "color_identity": ["R"], "oracle_text": "Spark deals 3 damage to any target.", "oracle_id": SPARK,
                    "released_at": "2021-05-06", "reprint": true}),
            };
            for (key, value) in changes.as_object().expect("an object") {
                card[key] = value.clone();
            }
        },
    );
    app.ingest(Format::Scryfall, &TestFile::json(&cards)).await.expect("a catalogue");
}

const SPARK: &str = "0a0b0c0d-0000-4000-8000-00000000000f";
const DRAKE: &str = "Æmber Drake";
const WICK: &str = "Wick, the Lit";
const DUSK: &str = "Dusk // Dawn";
const MARSH: &str = "Salt Marsh";
const MIRROR: &str = "Mirror Thing";

/// Searches and what they find, by name.
const FOUND: &[(&str, &[&str])] = &[
    ("aember", &[DRAKE]),
    ("\"wick the\"", &[WICK]),
    ("lit wick", &[WICK]),
    ("!dawn", &[DUSK]),
    ("!Dusk // Dawn", &[DUSK]),
    ("!\"wick, the lit\" t:elf", &[WICK]),
    ("dusk // dawn", &[DUSK]),
    ("name:/^s.*k$/", &["Spark"]),
    ("moth", &[]),
    ("moth include:extras", &["Moth"]),
    ("c:u", &[DRAKE]),
    ("c:azorius", &[]),
    ("c>=wg", &[WICK]),
    ("c=2", &[DUSK, WICK]),
    ("c:m c!=wg", &[DUSK]),
    ("c:c", &[MIRROR, MARSH]),
    ("c<=ur -c:c", &[DRAKE, "Spark"]),
    ("c<wub", &[DUSK, MIRROR, MARSH, DRAKE]),
    ("id:wu", &[MIRROR, MARSH, DRAKE]),
    ("ci>wg", &[WICK]),
    ("t:\"elf legendary\"", &[WICK]),
    ("t:instant", &[DUSK, "Spark"]),
    ("t:in -t:instant -t:plains", &[]),
    ("t:/^instant$/", &[DUSK, "Spark"]),
    ("o:\"draw a card\"", &[DRAKE]),
    ("o:flies", &[]),
    ("fo:flies", &[DRAKE]),
    ("o:\"when ~ enters\"", &[DRAKE]),
    ("o:/^~ deals \\d damage/", &["Spark"]),
    ("o:/\\d{3,}/", &[WICK]),
    ("o:/{r}: /", &[WICK]),
    ("{r}", &[WICK]),
    ("kw:flying", &[DRAKE]),
    ("m:uu", &[DRAKE]),
    ("m={g/w}{wg}", &[WICK]),
    ("m>2uu", &[]),
    ("m<=3uuu", &["Aember"]),
    ("m=", &[MARSH]),
    ("mana!={} t:artifact", &[MIRROR]),
    ("m:x", &[MIRROR]),
    ("devotion:ww", &[WICK]),
    ("devotion>=gg", &[WICK]),
    ("produces=wu", &[MARSH]),
    ("mv=5", &[DUSK]),
    ("mv:odd t:instant", &[DUSK, "Spark"]),
    ("cmc < 2 -t:land", &["Spark"]),
    ("pow>=1", &[WICK, DRAKE]),
    ("pow<tou", &[MIRROR, DRAKE]),
    ("pow=1+*", &[WICK]),
    ("tou=7-*", &[MIRROR]),
    ("pt=6", &[DRAKE]),
    ("r:mythic", &[WICK]),
    ("r>=rare t:instant", &[DUSK, "Spark"]),
    ("e:tst", &[MIRROR, "Spark"]),
    ("e:tst,lmp spark", &["Spark"]),
    ("in:tst r:rare spark", &["Spark"]),
    ("in:english mv=5", &[DUSK]),
    ("cn<=2", &[WICK, DRAKE]),
    ("f:vintage", &[MIRROR]),
    ("legal:vintage", &[]),
    ("banned:modern", &[MIRROR]),
    ("restricted:*", &[MIRROR]),
    ("a:\"zoe pera\"", &[DRAKE]),
    ("ft:'\"catch'", &[DRAKE]),
    ("wm:izzet", &[DRAKE]),
    ("border:none", &[WICK]),
    ("frame:old", &[MIRROR]),
    ("is:new", &[DRAKE]),
    ("is:buyabox", &[WICK]),
    ("is:promo", &[WICK]),
    ("is:reprint", &["Spark"]),
    ("is:split", &[DUSK]),
    ("is:dual", &[MARSH]),
    ("is:commander", &[WICK]),
    ("is:permanent mv=4", &[MIRROR, DRAKE]),
    ("is:token include:extras", &["Moth"]),
    ("date>2020-01-01 spark", &["Spark"]),
    ("year=2019", &["Spark"]),
    ("prints=2", &["Spark"]),
    ("sets>1", &["Spark"]),
    ("lang:en mv=5", &[DUSK]),
    ("layout:split", &[DUSK]),
    ("spark or (t:elf -c:r)", &["Spark", WICK]),
    ("not (c:u or c:r) mv>4", &[DUSK]),
    ("-(t:creature or t:land) -mv=1", &[DUSK]),
    ("mv=1 and c:r", &["Spark"]),
    ("dusk - dawn", &[DUSK]),
    ("salt\u{a0}marsh", &[MARSH]),
    ("c=m", &[DUSK, WICK]),
    ("c!=m t:creature", &[MIRROR, DRAKE]),
    ("t!=*", &[]),
    ("t:land or t:elf order:mv", &[MARSH, WICK]),
];

on_both_stores! { Tables:
    async fn each_kind_of_search_finds_what_it_should(app: TestApp) {
        load(&app).await;
        for (search, expected) in FOUND {
            let mut found = names(&app, search).await;
            found.sort_unstable();
            let mut expected: Vec<String> = expected.iter().map(|name| name.replace("Aember", DRAKE)).collect();
            expected.sort_unstable();
            assert_eq!(found, expected, "{search}");
        }
    }

    async fn a_search_says_how_it_is_laid_out(app: TestApp) {
        load(&app).await;
        let sets = async |search: &str, more: Value| {
            let mut variables = json!({"search": search});
            for (key, value) in more.as_object().expect("an object") {
                variables[key] = value.clone();
            }
            let data = app.data(NAMES, variables).await;
            let nodes = data["cards"]["nodes"].as_array().expect("nodes").clone();
            nodes.iter().map(|node| node["set"]["code"].as_str().expect("a code").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(sets("spark", json!({})).await, ["lmp"], "the newest");
        assert_eq!(sets("spark prefer:oldest", json!({})).await, ["tst"]);
        assert_eq!(sets("spark unique:prints order:released", json!({})).await, ["tst", "lmp"]);
        assert_eq!(sets("spark unique:prints order:released direction:desc", json!({})).await, ["lmp", "tst"]);
        let sort = json!({"sort": {"field": "RELEASED_ON", "direction": "ASC"}});
        assert_eq!(sets("spark unique:prints order:rarity direction:desc", sort).await, ["tst", "lmp"], "the argument's");
        assert_eq!(sets("spark unique:prints", json!({"unique": "CARDS"})).await, ["lmp"], "the argument's");
        let names = names(&app, "-spark order:mv direction:desc").await;
        assert_eq!(names, [DUSK, MIRROR, DRAKE, WICK, MARSH].map(str::to_owned));
    }
}

async fn suggestions(app: &TestApp, prefix: &str) -> Value {
    let query = "query($p: String!) { searchSuggestions(prefix: $p, first: 3) }";
    app.data(query, json!({"p": prefix})).await["searchSuggestions"].clone()
}

on_both_stores! { Tables:
    async fn names_are_suggested_by_beginning_then_word_then_likeness(app: TestApp) {
        load(&app).await;
        assert_eq!(suggestions(&app, "S").await, json!(["Spark", MARSH]), "the one with more printings first");
        assert_eq!(suggestions(&app, "the").await, json!([WICK]));
        assert_eq!(suggestions(&app, "daw").await, json!([DUSK]), "by a face, the whole name");
        assert_eq!(suggestions(&app, "ÆMB").await, json!([DRAKE]));
        assert_eq!(suggestions(&app, "mirrro th").await, json!([MIRROR]));
        assert_eq!(suggestions(&app, "moth").await, json!([]), "a token");
        for nothing in ["", "  ", "\"\"\"\"", "!!!!", "\u{0}", "%", "zzzzzzzz", &"a".repeat(500)] {
            assert_eq!(suggestions(&app, nothing).await, json!([]), "{nothing:?}");
        }
        let query = "{ searchSuggestions(prefix: \"s\", first: 51) }";
        assert_eq!(app.error(query, json!(null)).await, "ERR-3002");
    }
}

on_both_stores! { Market:
    async fn every_key_and_every_quality_is_a_statement_that_runs(app: TestApp) {
        for key in KEYS.iter().filter(|key| key.operand != Operand::Tag) {
            app.data(NAMES, json!({"search": key.example})).await;
        }
        for (name, _, _) in IS {
            let has = app.data(NAMES, json!({"search": format!("is:{name}")})).await;
            let lacks = app.data(NAMES, json!({"search": format!("not:{name} t:*")})).await;
            let all = app.data(NAMES, json!({"search": "t:*"})).await;
            let count = |data: &Value| data["cards"]["totalCount"].as_i64().expect("a count");
            assert!(count(&has) + count(&lacks) >= count(&all), "{name}");
        }
    }

    async fn a_search_costs_as_many_statements_as_a_list(app: TestApp) {
        let before = app.statements();
        app.data("{ cards(search: \"t:creature (c:r or usd<5) order:usd\") { nodes { name } } }", json!(null)).await;
        assert_eq!(app.statements() - before, 1);
    }
}

/// What is said of wrong searches: where, and a part of what.
const WRONG: &[(&str, usize, &str)] = &[
    ("", 1, "expected a search"),
    ("   ", 1, "expected a search"),
    ("//", 1, "expected a search"),
    ("foo:bar", 1, "no key “foo”"),
    ("colr:red", 1, "Did you mean color?"),
    ("bolt cmc:", 10, "expected a number after cmc"),
    ("c:purple", 3, "expected colours"),
    ("c:", 3, "expected colours after c"),
    ("r:legendary", 3, "expected common"),
    ("r<", 3, "expected a rarity"),
    ("t<goblin", 1, "no order"),
    ("o>draw", 1, "no order"),
    ("is:flyng", 4, "no quality “flyng”"),
    ("is:foill", 4, "Did you mean foil?"),
    ("f:modren", 3, "Did you mean modern?"),
    ("mv>many", 4, "expected a number"),
    ("usd<cheap", 5, "expected an amount"),
    ("usd<1.234", 5, "expected an amount"),
    ("year:soon", 6, "expected a year"),
    ("date>yesterday", 6, "expected a day"),
    ("m:{q}", 3, "not a mana symbol"),
    ("{q}", 1, "not a mana symbol"),
    ("devotion:wu", 10, "expected one symbol"),
    ("(t:elf", 1, "not closed"),
    ("t:elf)", 6, "no “(”"),
    ("\"wick", 1, "quote is not closed"),
    ("o:\"draw", 3, "quote is not closed"),
    ("o:/draw", 3, "not closed by a slash"),
    ("o:/(draw/", 4, "unclosed group"),
    ("o:/(?=a)/", 4, "look"),
    ("o:/a{999}/", 5, "255"),
    ("cn:/b/", 5, "no regular expression"),
    ("t:elf or", 9, "ends where a term was expected"),
    ("or t:elf", 1, "before this word"),
    ("t:elf or or c:g", 10, "before this word"),
    ("-", 1, "expected a search"),
    ("date<=today", 7, "expected a day"),
    ("date>-5000-01-01", 6, "expected a day"),
    ("()", 2, "no “(” for this"),
    ("3<4", 2, "no key before this sign"),
    ("unique:one", 8, "no way to list"),
    ("t:elf or order:usd", 10, "whole search"),
    ("order<usd", 1, "takes “:” and “=” only"),
    ("order:power", 7, "no order “power”"),
    ("lang:klingon", 6, "no language"),
    ("art:squirrel", 1, "not in this catalogue"),
    ("o:\"a\"b", 6, "a space after the closing quote"),
];

#[test]
fn a_wrong_search_is_told_where_and_why() {
    for (search, at, part) in WRONG {
        let refusal = Search::parse(search).expect_err(search);
        let place = format!("At character {at}: ");
        assert!(refusal.message.starts_with(&place), "{search:?}: {}", refusal.message);
        assert!(refusal.message.contains(part), "{search:?}: {}", refusal.message);
    }
    let long = "a".repeat(501);
    let many = "a ".repeat(51);
    let deep = format!("{}a{}", "(b ".repeat(30), ")".repeat(30));
    let opened = "(".repeat(500);
    let negated = format!("{}a", "-".repeat(499));
    let wrong = [
        (long, "500 characters"),
        (many, "50 terms"),
        (deep, "20 parentheses"),
        (opened, "20 parentheses"),
        (negated, "20 parentheses"),
    ];
    for (search, part) in wrong {
        let refusal = Search::parse(&search).expect_err("a refusal");
        assert!(refusal.message.contains(part), "{}", refusal.message);
    }
}

#[test]
fn no_text_ends_the_parser() {
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
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut understood = 0;
    for _ in 0..draws(20_000) {
        let count = rng.random_range(0..14);
        let text: String = (0..count)
            .map(|_| match rng.random_range(0..6) {
                0 => rng.random_range('\u{0}'..='\u{2fff}').to_string(),
                1 => rng.random_range(' '..='~').to_string(),
                _ => (*PIECES.choose(&mut rng).expect("a piece")).to_owned(),
            })
            .collect();
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
        Operand::Quality => {
            &["reprint", "foil", "vanilla", "permanent", "spell", "dual", "commander", "promo", "new", "bear"]
        }
        Operand::Tag => &["squirrel"],
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
                .filter(|key| key.operators != Operators::Setting && key.operand != Operand::Tag)
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
            ];
            let search = format!("{}{}", expression(3, &mut rng), order[number % order.len()]);
            let variables = json!({"search": search});
            let (one, other) = futures_util::join!(
                postgres.answer(LIST, variables.clone()),
                sqlite.answer(LIST, variables.clone())
            );
            let one = one.get("data").cloned().unwrap_or_default();
            let other = other.get("data").cloned().unwrap_or_default();
            match Search::parse(&search) {
                Ok(_) if one["cards"].is_object() && one == other => understood += 1,
                Err(_) if one["cards"].is_null() && other["cards"].is_null() => {}
                _ => wrong.push(search),
            }
        }
        for (app, database) in [(postgres, on_postgres), (sqlite, on_sqlite)] {
            app.stop().await;
            database.remove().await;
        }
        assert_eq!(wrong, Vec::<String>::new());
        assert!(understood > 200, "{understood} were searches");
    });
}
