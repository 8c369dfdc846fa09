//! Exports as apps have written them.

use std::path::{Path, PathBuf};

use super::*;

#[test]
fn reads_the_real_exports() {
    let folder = std::env::var("DUALCASTER_TEST_DATA")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    if !folder.is_dir() {
        eprintln!("did not run: {} is not there", folder.display());
        return;
    }
    let counts = [
        ("archidekt", 43),
        ("deckbox", 41),
        ("deckstats", 15),
        ("delverlens", 15),
        ("dragonshield", 2453),
        ("manabox", 253),
        ("moxfield", 12784),
        ("mtggoldfish", 535),
        ("tcgplayer", 1010),
        ("topdecked", 3169),
        ("cardmarket", 40),
        ("telco", 7043),
    ];
    let mut seen = 0;
    let files = ["collections", "churn"].map(|sub| std::fs::read_dir(folder.join(sub)).expect("a folder"));
    for entry in files.into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let inspected = inspect(&of(&path), true).expect(&name);
        assert_eq!(inspect(&of(&path), false).expect(&name), inspected, "{name}");
        let table = Table::open(&of(&path), &inspected).expect(&name);
        let columns = table.header().len();
        assert!(columns >= 2, "{name}");
        let rows: Vec<_> = table.map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len() as u64, inspected.rows, "{name}");
        let malformed = if name == "topdecked" { Some(Malformed::FewerCells) } else { None };
        for row in &rows {
            assert_eq!(row.malformed, malformed, "{name}, line {}", row.line);
        }
        let separator = if name == "cardmarket" { b';' } else { b',' };
        assert_eq!((inspected.encoding, inspected.separator), (Encoding::Utf8, Some(separator)), "{name}");
        if let Some((_, count)) = counts.iter().find(|(known, _)| *known == name) {
            assert_eq!(inspected.rows, *count, "{name}");
            seen += 1;
        }
        let content = std::fs::read(&path).expect(&name);
        same_as_the_crate(&content, &inspected, &rows);
    }
    assert_eq!(seen, counts.len());
}
