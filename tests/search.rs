//! Searches: what they find on either store, and what is said of those that are wrong.

use chrono::NaiveDate;
use dualcaster::db::Bulk;
use dualcaster::domain::catalogue::record::CardRecord;
use dualcaster::domain::catalogue::search::is::IS;
use dualcaster::domain::catalogue::search::keys::{KEYS, Operand, Operators};
use dualcaster::domain::catalogue::{Search, refresh_catalogue, write_about, write_printings};
use dualcaster::ingest::Format;
use serde_json::{Value, json};

use crate::harness::{Printing, TestApp, TestFile, on_both_stores, scryfall_cards};

const NAMES: &str = "query($search: String!, $unique: CardUnique, $sort: CardSort) {
    cards(search: $search, unique: $unique, sort: $sort, first: 100) { totalCount nodes { name set { code } } } }";

pub async fn names(app: &TestApp, search: &str) -> Vec<String> {
    let data = app.data(NAMES, json!({"search": search})).await;
    let nodes = data["cards"]["nodes"].as_array().expect("nodes");
    let names: Vec<_> = nodes.iter().map(|node| node["name"].as_str().expect("a name").to_owned()).collect();
    assert_eq!(data["cards"]["totalCount"], json!(names.len()), "{search}");
    names
}

pub fn printing(number: u128, name: &'static str, set: &'static str, rarity: &'static str) -> Printing {
    const NUMBERS: [&str; 10] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
    let collector_number = NUMBERS[usize::try_from(number - 1).expect("a number") % 10];
    Printing { number, name, set, collector_number, rarity }
}

/// A few cards of which each is something that the others are not.
pub async fn load(app: &TestApp) {
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
                    "promo": true, "promo_types": ["buyabox", "promostamped"], "keywords": ["Choose a background"],
                    "artist": "Ann Wick & Jo Lamp", "security_stamp": "triangle", "frame_effects": ["nyxtouched"]})
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
                6 => {
                    json!({"layout": "prototype", "type_line": "Instant", "mana_cost": "{R}", "cmc": 1.0, "colors": ["R"],
                    "color_identity": ["R"], "oracle_text": "Spark deals 3 damage to any target.", "oracle_id": SPARK,
                    "released_at": "2019-05-06", "games": ["paper"], "booster": true, "illustration_id": SPARK,
                    "promo_types": ["universesbeyond"]})
                }
                7 => {
                    json!({"layout": "token", "set_type": "token", "type_line": "Token Creature — Insect", "cmc": 0.0,
                    "colors": ["B"], "color_identity": ["B"], "power": "1", "toughness": "1"})
                }
                _ => json!({"type_line": "Instant", "mana_cost": "{R}", "cmc": 1.0, "colors": ["R"],
                    "color_identity": ["R"], "oracle_text": "Spark deals 3 damage to any target.", "oracle_id": SPARK,
                    "released_at": "2021-05-06", "reprint": true, "games": ["arena"], "illustration_id": DARK}),
            };
            for (key, value) in changes.as_object().expect("an object") {
                card[key] = value.clone();
            }
        },
    );
    app.ingest(Format::Scryfall, &TestFile::json(&cards)).await.expect("a catalogue");
}

pub const SPARK: &str = "0a0b0c0d-0000-4000-8000-00000000000f";
const DARK: &str = "0a0b0c0d-0000-4000-8000-00000000000e";
pub const DRAKE: &str = "Æmber Drake";
pub const WICK: &str = "Wick, the Lit";
pub const DUSK: &str = "Dusk // Dawn";
pub const MARSH: &str = "Salt Marsh";
pub const MIRROR: &str = "Mirror Thing";

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
    ("t:token", &["Moth"]),
    ("-t:token mv=0", &[MARSH]),
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
    ("fo:/add \\sc or \\sc/", &[MARSH]),
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
    ("in:booster r:rare", &["Spark"]),
    ("-in:booster mv=1", &[]),
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
    ("paperprints=1", &["Spark"]),
    ("papersets>1", &[]),
    ("papersets=0 mv=5", &[DUSK]),
    ("illustrations=2", &["Spark"]),
    ("is:unique (mv=1 or mv=5)", &[DUSK]),
    ("is:partner", &[WICK]),
    ("lang:en mv=5", &[DUSK]),
    ("layout:split", &[DUSK]),
    ("layout:prototype", &["Spark"]),
    ("-layout:prototype mv=1", &["Spark"]),
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
    ("T:ELF OR (c:U AND T:drake)", &[WICK, DRAKE]),
    ("t: elf", &[WICK]),
    ("(t: elf) mv=2", &[WICK]),
    ("pow:>=2", &[DRAKE]),
    ("mv:<2 -t:land", &["Spark"]),
    ("t:“legendary elf”", &[WICK]),
    ("“wick the”", &[WICK]),
    ("!“wick, the lit” t:elf", &[WICK]),
    ("o:„draw a card“", &[DRAKE]),
    ("ft:\"“catch\"", &[DRAKE]),
    ("ft:'“catch'", &[DRAKE]),
    ("spark ++", &["Spark", "Spark"]),
    ("mv=1 @@", &["Spark", "Spark"]),
    ("t:elf display:grid", &[WICK]),
    ("(t:elf display:grid) c:g", &[WICK]),
    ("(t:elf order:usd or t:drake dir:desc) mv>3", &[DRAKE]),
    ("t:elf as:checklist dir:auto", &[WICK]),
    ("c:mono", &[DRAKE, "Spark"]),
    ("id:yore-tiller", &[DUSK, MIRROR, MARSH, DRAKE, "Spark"]),
    ("keywords:flying", &[DRAKE]),
    ("game:mtga", &["Spark"]),
    ("frame:enchantment", &[WICK]),
    ("frame:nyxtouched", &[WICK]),
    ("st:draftinnovation", &[]),
    ("f:tiny-leaders", &[]),
    ("in:latin", &[]),
    ("has:watermark", &[DRAKE]),
    ("not:watermark t:drake", &[]),
    ("has:flavor", &[DRAKE]),
    ("has:stamp", &[WICK]),
    ("is:ub", &[WICK, "Spark"]),
    ("not:universesbeyond mv=1", &["Spark"]),
    ("is:stamped", &[WICK]),
    ("is:duelcommander", &[WICK]),
    ("is:firstprint mv=1 r:rare", &[]),
    ("is:prototype", &["Spark"]),
    ("artists>1", &[WICK]),
    ("artists=1 t:instant", &[DUSK, "Spark"]),
    ("new:art is:reprint", &["Spark"]),
    ("new:rarity", &["Spark"]),
    ("new:artist is:reprint", &[]),
    ("new:language is:reprint", &[]),
    ("new:flavor", &[DRAKE]),
    ("new:frame", &[MIRROR, DRAKE]),
    ("cheapest:usd", &[]),
    ("-cheapest:usd mv=5", &[DUSK]),
    ("oracleid:0a0b0c0d-0000-4000-8000-00000000000f", &["Spark"]),
    ("e:tlm", &["Moth"]),
    ("t:insect -e:lmp", &[]),
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
        assert_eq!(sets("spark e:lmp,tst", json!({})).await, ["lmp"], "the newest of those that pass");
        assert_eq!(sets("spark r:common", json!({})).await, ["tst"], "the only one that passes");
        assert_eq!(sets("spark prefer:oldest", json!({})).await, ["tst"]);
        assert_eq!(sets("(spark prefer:oldest) mv=1", json!({})).await, ["tst"]);
        assert_eq!(sets("spark prefer:ub", json!({})).await, ["tst"]);
        assert_eq!(sets("spark prefer:not-ub", json!({})).await, ["lmp"]);
        for newest_first in ["order:released", "order:date", "order:released dir:auto"] {
            let search = format!("spark unique:prints {newest_first}");
            assert_eq!(sets(&search, json!({})).await, ["lmp", "tst"], "{newest_first}");
        }
        assert_eq!(sets("spark unique:prints order:released dir:asc", json!({})).await, ["tst", "lmp"]);
        assert_eq!(sets("spark unique:prints order:set", json!({})).await, ["lmp", "tst"]);
        let sort = json!({"sort": {"field": "RELEASED_ON"}});
        assert_eq!(sets("spark unique:prints", sort).await, ["tst", "lmp"], "the argument runs from the oldest");
        assert_eq!(sets("spark unique:prints order:released direction:desc", json!({})).await, ["lmp", "tst"]);
        let sort = json!({"sort": {"field": "RELEASED_ON", "direction": "ASC"}});
        assert_eq!(sets("spark unique:prints order:rarity direction:desc", sort).await, ["tst", "lmp"], "the argument's");
        assert_eq!(sets("spark unique:prints", json!({"unique": "CARDS"})).await, ["lmp"], "the argument's");
        let least_first = names(&app, "-spark order:mv").await;
        assert_eq!(least_first, [MARSH, WICK, DRAKE, MIRROR, DUSK].map(str::to_owned));
        let names = names(&app, "-spark order:mv direction:desc").await;
        assert_eq!(names, [DUSK, MIRROR, DRAKE, WICK, MARSH].map(str::to_owned));
    }
}

on_both_stores! { Tables:
    async fn today_is_the_day_of_the_newest_price(app: TestApp) {
        load(&app).await;
        let all = names(&app, "t:*").await;
        assert_eq!(names(&app, "date<=today").await, [""; 0], "no price is known");
        assert_eq!(names(&app, "-date<=now").await, all);
        app.execute("update store_state set newest_at = '2019-05-06T10:00:00+00:00'").await;
        assert_eq!(names(&app, "date=now").await, ["Spark"]);
        assert_eq!(names(&app, "date>Today").await, ["Spark"], "of 2021");
        assert_eq!(names(&app, "date>today r:common").await, [""; 0]);
        assert_eq!(names(&app, "date<=today").await, all);
        assert_eq!(names(&app, "date<now -spark").await.len(), all.len() - 1);
    }

    async fn printings_have_their_places_when_an_ingest_ends(app: TestApp) {
        load(&app).await;
        let second = "select count(*) as n from cards where set_code = 'tst' and name = 'Spark' and place = 2";
        assert_eq!(app.number(second).await, 1);
        let newest = scryfall_cards(&[printing(6, "Spark", "tst", "common")], |_, card| {
            card["oracle_id"] = json!(SPARK);
            card["released_at"] = json!("2022-05-06");
        });
        app.ingest(Format::Scryfall, &TestFile::json(&newest)).await.expect("a catalogue");
        assert_eq!(app.number(&second.replace("tst", "lmp")).await, 1, "the other is the newest now");
        let pieces = "select count(distinct piece_id) as n from cards";
        let first = "select count(*) as n from cards where place = 1";
        assert_eq!(app.number(first).await, app.number(pieces).await);
    }

    async fn new_printings_are_listed_before_their_ingest_has_ended(app: TestApp) {
        load(&app).await;
        let printing = |number: u128, year: i32| CardRecord {
            oracle_id: Some(SPARK.parse().expect("an id")),
            released_on: NaiveDate::from_ymd_opt(year, 1, 1),
            ..CardRecord::bare(uuid::Uuid::from_u128(number), "Spark", "tst", &number.to_string())
        };
        let glow = |number: u128, year: i32| CardRecord {
            oracle_id: Some(uuid::Uuid::from_u128(900)),
            ..CardRecord { name: "Glow".to_owned(), ..printing(number, year) }
        };
        let token = CardRecord { layout: "token".to_owned(), name: "Beetle".to_owned(), ..printing(907, 2020) };
        let token = CardRecord { oracle_id: None, ..token };
        let first = "select count(*) as n from cards where place = 1 and collector_number = ";
        for cards in [vec![printing(901, 2030), glow(902, 2020), glow(903, 2021), token], vec![glow(904, 2022)]] {
            let cards: Vec<_> = cards.iter().collect();
            let bulk = Bulk::begin(app.bulk.write()).await.expect("a transaction");
            write_printings(&bulk, &[], &cards).await.expect("printings");
            write_about(&bulk, &cards).await.expect("what is said of them");
            bulk.commit().await.expect("a commit");
            assert_eq!(names(&app, "spark").await, ["Spark"]);
            assert_eq!(names(&app, "glow").await, ["Glow"]);
            assert_eq!(names(&app, "beetle").await, [""; 0]);
            assert_eq!(app.number(&format!("{first}'903'")).await, 1, "the newest of those that came first");
        }
        // One that turns out to be another card's is the first of that.
        let moved = CardRecord { oracle_id: Some(uuid::Uuid::from_u128(905)), ..glow(903, 2021) };
        let bulk = Bulk::begin(app.bulk.write()).await.expect("a transaction");
        write_printings(&bulk, &[], &[&moved]).await.expect("a printing");
        write_about(&bulk, &[&moved]).await.expect("what is said of it");
        bulk.commit().await.expect("a commit");
        assert_eq!(app.number(&format!("{first}'903'")).await, 1);
        let bulk = Bulk::begin(app.bulk.write()).await.expect("a transaction");
        refresh_catalogue(&bulk).await.expect("the end of an ingest");
        bulk.commit().await.expect("a commit");
        for number in ["'901'", "'903'", "'904'", "'907'"] {
            assert_eq!(app.number(&format!("{first}{number}")).await, 1, "{number}");
        }
        let pieces = "select count(distinct piece_id) as n from cards";
        let first = "select count(*) as n from cards where place = 1";
        assert_eq!(app.number(first).await, app.number(pieces).await);
    }

    async fn a_name_that_a_card_had_before_is_not_found(app: TestApp) {
        for name in [DRAKE, "Cinder Drake"] {
            let cards = scryfall_cards(&[printing(1, name, "lmp", "common")], |_, card| card["oracle_id"] = json!(SPARK));
            app.ingest(Format::Scryfall, &TestFile::json(&cards)).await.expect("a catalogue");
        }
        assert_eq!(names(&app, "cinder").await, ["Cinder Drake"]);
        assert_eq!(names(&app, "aember").await, [""; 0]);
    }
}

on_both_stores! { Market:
    async fn every_key_and_every_quality_parts_all_printings_in_two(app: TestApp) {
        let count = async |search: &str| {
            let search = format!("{search} include:extras");
            let data = app.data(NAMES, json!({"search": search, "unique": "PRINTINGS"})).await;
            data["cards"]["totalCount"].as_i64().expect("a count")
        };
        let all = count("t:*").await;
        assert_eq!(all, app.rows("cards").await);
        for key in KEYS.iter().filter(|key| !matches!(key.operand, Operand::Missing(_))) {
            let has = count(key.example).await;
            if key.operators == Operators::Setting {
                assert!(has < all, "{}", key.example);
            } else {
                assert_eq!(has + count(&format!("-({})", key.example)).await, all, "{}", key.example);
            }
        }
        for (name, _, _) in IS {
            let (has, lacks) = (count(&format!("is:{name}")).await, count(&format!("not:{name}")).await);
            assert_eq!(has + lacks, all, "{name}");
        }
    }

    async fn each_card_that_has_a_price_has_a_cheapest_printing(app: TestApp) {
        let count = async |search: &str, unique: &str| {
            let data = app.data(NAMES, json!({"search": search, "unique": unique})).await;
            data["cards"]["totalCount"].as_i64().expect("a count")
        };
        let priced = count("usd>=0", "CARDS").await;
        assert!(priced > 0);
        assert_eq!(count("cheapest:usd", "CARDS").await, priced);
        assert!(count("cheapest:usd", "PRINTINGS").await <= count("usd>=0", "PRINTINGS").await);
        let alone = count("prints=1 usd>=0", "PRINTINGS").await;
        assert_eq!(count("prints=1 cheapest:usd", "PRINTINGS").await, alone);
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
    ("usd<.", 5, "expected an amount"),
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
    ("rhythm and", 11, "ends where a term was expected"),
    ("t:elf and or c:g", 11, "before this word"),
    ("or t:elf", 1, "before this word"),
    ("t:elf or or c:g", 10, "before this word"),
    ("-", 1, "expected a search"),
    ("date>-5000-01-01", 6, "expected a day"),
    ("()", 2, "no “(” for this"),
    ("3<4", 2, "no key before this sign"),
    ("unique:one", 8, "no way to list"),
    ("t:elf or order:usd", 10, "whole search"),
    ("t:elf or (order:usd dir:asc)", 11, "whole search"),
    ("t:elf -order:usd", 8, "whole search"),
    ("order<usd", 1, "takes “:” and “=” only"),
    ("order:power", 7, "no order “power”"),
    ("lang:klingon", 6, "no language"),
    ("art:squirrel", 1, "a tag, which is not in this catalogue"),
    ("cube:vintage", 1, "a cube, which is not in this catalogue"),
    ("def>=4", 1, "not in this catalogue"),
    ("lore:urza", 1, "not in this catalogue"),
    ("wildpair=6", 1, "(pt=)"),
    ("is:hires", 4, "“hires” is not in this catalogue"),
    ("-has:indicator", 6, "not in this catalogue"),
    ("order:edhrec", 7, "order takes name, released, set"),
    ("(++ order:usd) or t:goblin", 2, "++ is about the whole search"),
    ("prefer:atypical", 8, "prefer takes newest, oldest"),
    ("display:table", 9, "display takes grid"),
    ("new:card", 5, "new takes rarity, art"),
    ("cheapest:yen", 10, "cheapest takes usd"),
    ("oracleid:7", 10, "expected an id"),
    ("t:“elf", 3, "quote is not closed"),
    ("t: ", 3, "expected a text"),
    ("t: or t:elf", 3, "expected a text"),
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
    let written_out = "is:gainland ".repeat(40);
    let patterns = "o:/a/ ".repeat(21);
    let listed = format!("e:{}", "a,".repeat(101).trim_end_matches(','));
    let wrong = [
        (long, "500 characters"),
        (many, "50 terms"),
        (deep, "20 parentheses"),
        (opened, "20 parentheses"),
        (negated, "20 parentheses"),
        (written_out, "100 conditions"),
        (patterns, "20 regular expressions"),
        (listed, "100 conditions"),
    ];
    for (search, part) in wrong {
        let refusal = Search::parse(&search).expect_err("a refusal");
        assert!(refusal.message.contains(part), "{}", refusal.message);
    }
    for most in ["is:gainland ".repeat(6), "o:/a/ ".repeat(20), "t:\"a b\" ".repeat(50)] {
        assert!(Search::parse(&most).is_ok(), "{most}");
    }
}
