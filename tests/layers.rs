//! Which part of the server may know which: ARCHITECTURE.md says why.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What the files under each folder may name of `crate::`, and of outside crates never.
const RULES: &[(&str, &[&str], &[&str])] = &[
    ("pagination", &["pagination", "error"], &["async_graphql", "axum", "sea_orm", "redis"]),
    ("error", &["error", "db"], &["axum", "redis"]),
    ("config", &["config", "db", "identity", "storage"], &["async_graphql", "axum"]),
    ("explain", &[], &["async_graphql", "axum", "sea_orm", "redis"]),
    ("db", &["db", "config", "error", "explain", "pagination"], &["axum", "redis"]),
    (
        "domain",
        &["domain", "db", "error", "pagination", "outside"],
        &["async_graphql", "axum", "redis", "tower"],
    ),
    ("outside", &["app"], &["async_graphql", "axum", "sea_orm", "redis"]),
    ("secret", &["identity", "outside"], &["async_graphql", "axum", "sea_orm", "redis"]),
    ("seal", &["outside"], &["async_graphql", "axum", "sea_orm", "redis"]),
    ("gates", &["gates", "error", "patience"], &["async_graphql", "axum", "sea_orm"]),
    (
        "identity",
        &["identity", "domain", "db", "error", "config", "gates", "outside", "principal"],
        &["async_graphql", "axum", "sea_orm"],
    ),
    (
        "jobs",
        &["jobs", "domain", "db", "error", "config", "gates", "outside", "storage", "tabular"],
        &["async_graphql", "axum", "redis"],
    ),
    ("storage", &["error"], &["async_graphql", "axum", "redis", "sea_orm"]),
    ("tabular", &["error", "tabular"], &["async_graphql", "axum", "redis", "sea_orm"]),
    ("links", &["outside", "seal"], &["async_graphql", "axum", "redis", "sea_orm"]),
    ("live", &["live", "domain", "db", "error"], &["async_graphql", "axum", "sea_orm"]),
    ("chart", &["chart"], &["async_graphql", "axum", "redis", "sea_orm"]),
    ("generate", &["generate", "domain"], &["async_graphql", "axum", "redis", "sea_orm"]),
    ("ingest", &["ingest", "generate", "domain", "db", "error"], &["async_graphql", "axum", "redis"]),
    (
        "graphql",
        &[
            "graphql",
            "domain",
            "db",
            "error",
            "explain",
            "identity",
            "jobs",
            "links",
            "live",
            "pagination",
            "principal",
        ],
        &["axum", "redis", "sea_orm"],
    ),
    ("engine", &["engine", "error", "config"], &["axum", "redis", "sea_orm"]),
    ("patience", &[], &["async_graphql", "axum", "sea_orm"]),
    ("shared_queries", &["engine", "patience"], &["async_graphql", "axum", "sea_orm"]),
    ("principal", &["error"], &["async_graphql", "axum", "sea_orm", "redis"]),
    (
        "http",
        &[
            "http",
            "engine",
            "graphql",
            "app",
            "chart",
            "domain",
            "error",
            "explain",
            "config",
            "gates",
            "jobs",
            "links",
            "pagination",
            "principal",
        ],
        &["sea_orm", "redis"],
    ),
    ("telemetry", &["telemetry", "config", "db"], &["async_graphql", "axum", "redis"]),
];

fn files_under(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            files_under(&entry.expect("an entry").path(), files);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        files.push(path.to_owned());
    }
}

/// Each `crate::part` and each outside crate that a file names, with its line.
fn named(text: &str) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for (at, _) in code.match_indices("crate::") {
            let part: String =
                code[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            names.entry(format!("crate::{part}")).or_insert(number + 1);
        }
        for outside in ["async_graphql", "axum", "sea_orm", "redis", "tower"] {
            if code.contains(&format!("{outside}::")) {
                names.entry(outside.to_owned()).or_insert(number + 1);
            }
        }
    }
    names
}

#[test]
fn parts_know_only_what_is_below_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (part, may, never) in RULES {
        let mut files = Vec::new();
        files_under(&src.join(part), &mut files);
        let file = src.join(format!("{part}.rs"));
        if file.exists() {
            files.push(file);
        }
        assert!(!files.is_empty(), "{part} is gone: change the rules");
        for file in files {
            let text = fs::read_to_string(&file).expect("a file");
            // Tests may build what they need.
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (name, line) in named(code) {
                let fits = match name.strip_prefix("crate::") {
                    Some(part) => may.contains(&part),
                    None => !never.contains(&name.as_str()) || (name == "async_graphql" && *part == "db"),
                };
                if !fits {
                    wrong.push(format!("{}:{line} names {name}", file.display()));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// What stands between backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_table_in_the_architecture_is_these_rules() {
    let map = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let map = fs::read_to_string(map).expect("the map");
    let (_, section) = map.split_once("## Who may know whom").expect("the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut told = BTreeMap::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let [_, parts, may, _] = row.split('|').collect::<Vec<_>>()[..] else { panic!("{row}") };
        for part in quoted(parts) {
            // Crates of their own, which no rule is about, may be named, too.
            let may = quoted(may).filter(|name| *name != "entity").collect::<BTreeSet<_>>();
            assert!(told.insert(part, may).is_none(), "{part} is there twice");
        }
    }
    for above in ["cli", "app"] {
        assert!(told.remove(above).is_some(), "{above} runs the others");
    }
    let ruled = RULES.iter().map(|(part, may, _)| {
        (*part, may.iter().copied().filter(|name| name != part).collect::<BTreeSet<_>>())
    });
    assert_eq!(told, ruled.collect::<BTreeMap<_, _>>());
}

#[test]
fn graphql_writes_no_sql_and_migrations_know_nothing_of_the_server() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    files_under(&root.join("src/graphql"), &mut files);
    files_under(&root.join("src/http"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).expect("a file");
        assert!(!text.contains("Sql::new") && !text.contains("from_sql"), "{} writes SQL", file.display());
    }
    let manifest = fs::read_to_string(root.join("migration/Cargo.toml")).expect("a manifest");
    assert!(!manifest.contains("dualcaster") && !manifest.contains("entity"));
    let manifest = fs::read_to_string(root.join("entity/Cargo.toml")).expect("a manifest");
    assert!(!manifest.contains("dualcaster") && !manifest.contains("migration"));
}
