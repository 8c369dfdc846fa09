//! Searches with the results that another engine expects of the real catalogue, where it is. What differs does so for a
//! reason, which stands here with the numbers of the cases in the file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::TestApp;

/// Cases that are not ours to pass, and why.
const DIFFERENT: &[(&str, &[usize])] = &[
    ("a half or a side is a card of its own there", &[0, 1, 35, 77, 78, 157, 158, 203, 226, 230]),
    (
        "a bare word is looked for in types, rules, flavour texts and names of sets there, or by its stem",
        &[
            3, 4, 5, 6, 11, 12, 48, 57, 75, 82, 85, 86, 90, 91, 93, 94, 96, 100, 149, 150, 162, 165, 166,
            167, 168, 195, 206, 295,
        ],
    ),
    ("letters stand for any colour in a cost there", &[69, 70, 71, 72, 73, 74]),
    ("half a mana is half of a mana there", &[308, 309]),
    ("sets have a second code there", &[47, 50, 51, 55, 56]),
    ("planes are no extras there", &[161, 163, 164, 251, 252]),
    ("a colon is an equals sign for costs there", &[241, 244]),
    ("colours may be mixed with c and m there", &[26, 112]),
    ("a basic land is not common there", &[133]),
    ("a word of a flavour text is a whole one there", &[124]),
    ("reminder text counts as rules there", &[176, 249]),
    ("promos are not of the block there", &[239]),
    ("a pattern may be told to regard case there", &[180]),
    ("the catalogue does not know the format", &[38, 40, 53, 296]),
    ("the catalogue has no such rarity, kind of set or face", &[23, 175, 263]),
    ("the catalogue says otherwise of a conspiracy", &[238]),
];

#[derive(Deserialize)]
struct Case {
    sets: Vec<String>,
    kind: String,
    query: String,
    #[serde(default)]
    other: String,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    count: i64,
}

/// What is found on a store, case by case: compared with the other's.
pub type Found = Vec<String>;

/// Asserts that each case passes, but for those that differ, which do. Answers what each found.
pub async fn check(app: &TestApp, file: &Path) -> Vec<(String, Found)> {
    let text = std::fs::read_to_string(file).expect("the cases");
    let cases: Vec<Case> = serde_json::from_str(&text).expect("cases");
    let mut failed = BTreeSet::new();
    let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut answers = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let (passes, found) =
            answer(app, case).await.unwrap_or_else(|| (false, vec!["a refusal".to_owned()]));
        let (passed, of) = kinds.entry(&case.kind).or_default();
        *of += 1;
        if passes {
            *passed += 1;
        } else {
            failed.insert(number);
        }
        answers.push((format!("{number}: {}", case.query), found));
    }
    for (kind, (passed, of)) in kinds {
        eprintln!("{passed:>4} of {of:>3}: {kind}");
    }
    for (reason, numbers) in DIFFERENT {
        eprintln!("{:>4} differ: {reason}", numbers.len());
    }
    let different: BTreeSet<usize> =
        DIFFERENT.iter().flat_map(|(_, numbers)| numbers.iter().copied()).collect();
    assert_eq!(failed, different, "of {} cases", cases.len());
    answers
}

/// Asserts what nicknames find in the real catalogue.
pub async fn check_nicknames(app: &TestApp) {
    for (nickname, expected) in LANDS {
        let (_, found) = first(app, &format!("is:{nickname}"), &[], "CARDS").await.expect("an answer");
        let names: Vec<_> = found.iter().map(|card| card.split(" | ").next().unwrap_or_default()).collect();
        assert_eq!(names, expected.split(" | ").collect::<Vec<_>>(), "{nickname}");
    }
    for (search, expected) in [
        (
            "is:commander (westvale or elbrus or graverobber or shortfang or !\"brisela, voice of nightmares\" or griselbrand or rofellos)",
            0,
        ),
        ("is:commander (!\"teferi, temporal archmage\" or !\"krenko, mob boss\")", 2),
    ] {
        assert_eq!(first(app, search, &[], "CARDS").await.expect("an answer").0, expected, "{search}");
    }
}

async fn ask(
    app: &TestApp,
    search: &str,
    sets: &[String],
    unique: &str,
    after: Option<&str>,
) -> Option<Value> {
    let query = "query($search: String, $filter: CardFilter, $unique: CardUnique, $after: String) {
        cards(search: $search, filter: $filter, unique: $unique, first: 100, after: $after) {
            totalCount pageInfo { hasNextPage endCursor } nodes { name scryfallId faces { name } } } }";
    let filter = if sets.is_empty() { Value::Null } else { json!({"setCodes": sets}) };
    let variables = json!({"search": search, "filter": filter, "unique": unique, "after": after});
    let answer = app.answer(query, variables).await;
    answer.get("errors").is_none().then(|| answer["data"]["cards"].clone())
}

/// How many are found, and the first hundred of them.
async fn first(app: &TestApp, search: &str, sets: &[String], unique: &str) -> Option<(i64, Found)> {
    let page = ask(app, search, sets, unique, None).await?;
    Some((page["totalCount"].as_i64()?, page["nodes"].as_array()?.iter().map(shown).collect()))
}

fn shown(card: &Value) -> String {
    let text = |field: &str| card[field].as_str().unwrap_or_default().to_owned();
    format!("{} | {}", text("name"), text("scryfallId"))
}

/// Each card that is found, and its names: its own and those of its faces.
async fn all(app: &TestApp, search: &str, sets: &[String]) -> Option<Vec<(String, BTreeSet<String>)>> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = ask(app, search, sets, "CARDS", after.as_deref()).await?;
        let name = |object: &Value| object["name"].as_str().unwrap_or_default().to_lowercase();
        found.extend(page["nodes"].as_array()?.iter().map(|node| {
            let faces = node["faces"].as_array().map(Vec::as_slice).unwrap_or_default();
            (shown(node), faces.iter().chain([node]).map(name).collect::<BTreeSet<_>>())
        }));
        if page["pageInfo"]["hasNextPage"] != json!(true) {
            return Some(found);
        }
        after = page["pageInfo"]["endCursor"].as_str().map(str::to_owned);
    }
}

/// Whether a case passes, and what it found: nothing for one that is refused.
async fn answer(app: &TestApp, case: &Case) -> Option<(bool, Found)> {
    let Case { sets, query, other, .. } = case;
    let expected: BTreeSet<String> = case.names.iter().map(|name| name.to_lowercase()).collect();
    let counted = |(count, mut found): (i64, Found)| {
        found.push(format!("{count} in all"));
        (count, found)
    };
    Some(match case.kind.as_str() {
        "equal" | "differ" => {
            let (one, mut found) = counted(first(app, query, sets, "CARDS").await?);
            let (two, more) = counted(first(app, other, sets, "CARDS").await?);
            let both = first(app, &format!("({query}) ({other})"), sets, "CARDS").await?.0;
            found.extend(more);
            let equal = one == two && two == both;
            (if case.kind == "equal" { equal && one > 0 } else { !equal && one + two > 0 }, found)
        }
        "count_cards" | "count_printings" => {
            let unique = if case.kind == "count_cards" { "CARDS" } else { "PRINTINGS" };
            let (count, found) = counted(first(app, query, sets, unique).await?);
            (count == case.count, found)
        }
        kind => {
            let (found, names): (Vec<_>, Vec<_>) = all(app, query, sets).await?.into_iter().unzip();
            let all: BTreeSet<&String> = names.iter().flatten().collect();
            let has_all = expected.iter().all(|name| all.contains(name));
            let passes = match kind {
                "include" => has_all,
                "exclude" => !expected.iter().any(|name| all.contains(name)),
                // Each that is found is one of them, by its own name or a face's.
                _ => has_all && names.iter().all(|names| !names.is_disjoint(&expected)),
            };
            (passes && !found.is_empty(), found)
        }
    })
}

/// What nicknames of lands find there.
const LANDS: &[(&str, &str)] = &[
    (
        "dual",
        "Badlands | Bayou | Plateau | Savannah | Scrubland | Taiga | Tropical Island | Tundra | Underground Sea | Volcanic Island",
    ),
    (
        "fetchland",
        "Arid Mesa | Bloodstained Mire | Flooded Strand | Marsh Flats | Misty Rainforest | Polluted Delta | Scalding Tarn | Verdant Catacombs | Windswept Heath | Wooded Foothills",
    ),
    (
        "shockland",
        "Blood Crypt | Breeding Pool | Godless Shrine | Hallowed Fountain | Overgrown Tomb | Sacred Foundry | Steam Vents | Stomping Ground | Temple Garden | Watery Grave",
    ),
    (
        "checkland",
        "Clifftop Retreat | Dragonskull Summit | Drowned Catacomb | Glacial Fortress | Hinterland Harbor | Isolated Chapel | Rootbound Crag | Sulfur Falls | Sunpetal Grove | Woodland Cemetery",
    ),
    (
        "fastland",
        "Blackcleave Cliffs | Blooming Marsh | Botanical Sanctum | Concealed Courtyard | Copperline Gorge | Darkslick Shores | Inspiring Vantage | Razorverge Thicket | Seachrome Coast | Spirebluff Canal",
    ),
    (
        "painland",
        "Adarkar Wastes | Battlefield Forge | Brushland | Caves of Koilos | Karplusan Forest | Llanowar Wastes | Shivan Reef | Sulfurous Springs | Underground River | Yavimaya Coast",
    ),
    (
        "scryland",
        "Temple of Abandon | Temple of Deceit | Temple of Enlightenment | Temple of Epiphany | Temple of Malady | Temple of Malice | Temple of Mystery | Temple of Plenty | Temple of Silence | Temple of Triumph",
    ),
    ("tangoland", "Canopy Vista | Cinder Glade | Prairie Stream | Smoldering Marsh | Sunken Hollow"),
    ("bondland", "Bountiful Promenade | Luxury Suite | Morphic Pool | Sea of Clouds | Spire Garden"),
    (
        "karoo",
        "Azorius Chancery | Boros Garrison | Coral Atoll | Dimir Aqueduct | Dormant Volcano | Everglades | Golgari Rot Farm | Gruul Turf | Izzet Boilerworks | Jungle Basin | Karoo | Orzhov Basilica | Rakdos Carnarium | Selesnya Sanctuary | Simic Growth Chamber",
    ),
    (
        "storageland",
        "Bottomless Vault | Calciform Pools | Crucible of the Spirit Dragon | Dreadship Reef | Dwarven Hold | Fountain of Cho | Fungal Reaches | Hollow Trees | Icatian Store | Mage-Ring Network | Mercadian Bazaar | Molten Slagheap | Rushwood Grove | Saltcrusted Steppe | Sand Silos | Saprazzan Cove | Subterranean Hangar",
    ),
    ("bikeland", "Canyon Slough | Fetid Pools | Irrigated Farmland | Scattered Groves | Sheltered Thicket"),
    ("triome", "Indatha Triome | Ketria Triome | Raugrin Triome | Savai Triome | Zagoth Triome"),
    (
        "triland",
        "Arcane Sanctum | Crumbling Necropolis | Frontier Bivouac | Jungle Shrine | Mystic Monastery | Nomad Outpost | Opulent Palace | Sandsteppe Citadel | Savage Lands | Seaside Citadel",
    ),
    (
        "canopyland",
        "Fiery Islet | Horizon Canopy | Nurturing Peatland | Silent Clearing | Sunbaked Canyon | Waterlogged Grove",
    ),
    (
        "gainland",
        "Akoum Refuge | Bloodfell Caves | Blossoming Sands | Dismal Backwater | Graypelt Refuge | Jungle Hollow | Jwar Isle Refuge | Kazandu Refuge | Rugged Highlands | Scoured Barrens | Sejiri Refuge | Swiftwater Cliffs | Thornwood Falls | Tranquil Cove | Wind-Scarred Crag",
    ),
    (
        "filterland",
        "Cascade Bluffs | Cascading Cataracts | Crystal Quarry | Darkwater Catacombs | Fetid Heath | Fire-Lit Thicket | Flooded Grove | Graven Cairns | Mossfire Valley | Mystic Gate | Rugged Prairie | Shadowblood Ridge | Skycloud Expanse | Sungrass Prairie | Sunken Ruins | Twilight Mire | Wooded Bastion",
    ),
];
