//! Real exports, where they are at hand: nothing of them is in the repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use entity::enums::Condition;

use super::copies;
use crate::domain::import::{ImportRow, Plan, Platform, RowProblem};
use crate::error::Code;

const FILES: &[(&str, Platform)] = &[
    ("archidekt", Platform::Archidekt),
    ("cardkingdom", Platform::Cardkingdom),
    ("cardmarket", Platform::Cardmarket),
    ("deckbox", Platform::Deckbox),
    ("deckstats", Platform::Deckstats),
    ("delverlens", Platform::DelverLens),
    ("dragonshield", Platform::DragonShield),
    ("echomtg_basic", Platform::EchoMtg),
    ("echomtg_planeswalkers_scryfall", Platform::EchoMtg),
    ("echomtg_quotes", Platform::EchoMtg),
    ("manabox", Platform::Manabox),
    ("moxfield", Platform::Moxfield),
    ("mtggoldfish", Platform::Mtggoldfish),
    ("mtgo", Platform::Mtgo),
    ("tcgplayer", Platform::Tcgplayer),
    ("tcgplayer_app", Platform::Tcgplayer),
    ("tcgplayer_app_no_names", Platform::Tcgplayer),
    ("topdecked", Platform::Topdecked),
];

/// The folder, or nothing and a word of it.
fn folder(test: &str) -> Option<PathBuf> {
    let data = std::env::var_os("DUALCASTER_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let folder = data.join("collections");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("{test} did not run: there is no {}", folder.display());
    None
}

fn table(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let text = std::fs::read_to_string(path).unwrap();
    let text = match text.split_once('\n') {
        Some((first, rest)) if first.contains("sep=") => rest,
        _ => &text,
    };
    let header = text.lines().next().unwrap_or_default();
    let delimiter = if header.matches(';').count() > header.matches(',').count() { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>());
    let header = rows.next().unwrap();
    (header, rows.collect())
}

fn read(path: &Path) -> (Plan, Vec<Result<Vec<ImportRow>, RowProblem>>) {
    let (header, rows) = table(path);
    let plan = Plan::detect(&header, &rows[..rows.len().min(50)], None).unwrap();
    let read = |(at, row): (usize, &Vec<String>)| plan.read(at as u64 + 2, row).map(copies);
    let read = rows.iter().enumerate().map(read).collect();
    (plan, read)
}

#[test]
fn real_exports_are_known_and_read() {
    let Some(folder) = folder("real_exports_are_known_and_read") else { return };
    for (file, platform) in FILES {
        let (plan, rows) = read(&folder.join(format!("{file}.csv")));
        assert_eq!(plan.platform, *platform, "{file}");
        let refused: Vec<_> = rows.iter().filter_map(|row| row.as_ref().err()).collect();
        let invalid = refused.iter().filter(|problem| problem.code == Code::RowInvalidValue).count();
        let most = if *platform == Platform::Topdecked { 5 } else { 1 };
        assert!(invalid * 100 <= rows.len() * most, "{file}: {:?}", refused.first());
        assert!(refused.len() * 100 <= rows.len() * 5, "{file}: {:?}", refused.first());
    }
}

/// The first face, as apps that know no other have it.
fn front(row: &ImportRow) -> String {
    let name = row.name.clone().unwrap_or_default();
    name.split(" // ").next().unwrap_or_default().to_owned()
}

#[test]
fn one_list_in_ten_formats_is_one_list() {
    let Some(folder) = folder("one_list_in_ten_formats_is_one_list") else { return };
    let apps = [
        "archidekt",
        "cardkingdom",
        "deckbox",
        "dragonshield",
        "manabox",
        "moxfield",
        "mtggoldfish",
        "mtgo",
        "tcgplayer",
        "topdecked",
    ];
    let say_no_condition = ["cardkingdom", "mtggoldfish", "mtgo"];
    let mut lists = Vec::new();
    for app in apps {
        let (_, rows) = read(&folder.join(format!("{app}.ref.csv")));
        let rows: Vec<ImportRow> = rows.into_iter().flat_map(Result::unwrap).collect();
        let mut names: Vec<_> = rows.iter().map(|row| (front(row), row.quantity)).collect();
        names.sort();
        let mut conditions: BTreeMap<Condition, i32> = BTreeMap::new();
        for row in &rows {
            *conditions.entry(row.condition).or_default() += row.quantity;
        }
        let conditions = (!say_no_condition.contains(&app)).then_some(conditions);
        lists.push((app, names, conditions));
    }
    let (first, names, conditions) = &lists[0];
    for (app, others, theirs) in &lists {
        assert_eq!(names.len(), 29);
        assert_eq!(names, others, "{first} and {app}");
        assert!(theirs.is_none() || theirs == conditions, "{app}: {theirs:?}, {first}: {conditions:?}");
    }
}
