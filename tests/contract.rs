//! The schema against the contract, and everything generated against what it is generated from.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use async_graphql_parser::parse_schema;
use async_graphql_parser::types::{ServiceDocument, TypeKind, TypeSystemDefinition};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files that consumers were given, where they are.
pub fn contract() -> Option<PathBuf> {
    let folder = root().join("../shared/contract");
    if folder.is_dir() {
        Some(folder)
    } else {
        eprintln!("did not run: the contract's folder is not there");
        None
    }
}

/// `Card.name: String!`, `Query.card(by): CardLookup!`, `Rarity.COMMON`: all of a schema, a line each.
pub fn coordinates(sdl: &str) -> BTreeSet<String> {
    let ServiceDocument { definitions } = parse_schema(sdl).expect("SDL");
    let mut lines = BTreeSet::new();
    for definition in definitions {
        let TypeSystemDefinition::Type(definition) = definition else {
            continue;
        };
        let name = definition.node.name.node;
        let fields = |lines: &mut BTreeSet<String>,
                      fields: Vec<
            async_graphql_parser::Positioned<async_graphql_parser::types::FieldDefinition>,
        >| {
            for field in fields {
                let field = field.node;
                lines.insert(format!("{name}.{}: {}", field.name.node, field.ty.node));
                for argument in field.arguments {
                    let argument = argument.node;
                    let default = argument.default_value.as_ref().map(|_| " = default").unwrap_or_default();
                    lines.insert(format!(
                        "{name}.{}({}): {}{default}",
                        field.name.node, argument.name.node, argument.ty.node
                    ));
                }
            }
        };
        match definition.node.kind {
            TypeKind::Scalar => {
                lines.insert(format!("scalar {name}"));
            }
            TypeKind::Object(object) => {
                for interface in object.implements {
                    lines.insert(format!("{name} implements {}", interface.node));
                }
                fields(&mut lines, object.fields);
            }
            TypeKind::Interface(interface) => fields(&mut lines, interface.fields),
            TypeKind::Union(_) => {}
            TypeKind::Enum(values) => {
                lines.extend(
                    values.values.into_iter().map(|value| format!("{name}.{}", value.node.value.node)),
                );
            }
            TypeKind::InputObject(input) => {
                for field in input.fields {
                    let field = field.node;
                    let default = field.default_value.as_ref().map(|_| " = default").unwrap_or_default();
                    lines.insert(format!("{name}.{}: {}{default}", field.name.node, field.ty.node));
                }
            }
        }
    }
    lines
}

#[test]
fn what_is_built_of_the_contract_only_grows() {
    let ours = coordinates(&dualcaster::graphql::sdl());
    let path = root().join("tests/contract_built.txt");
    let built = fs::read_to_string(&path).expect("the list of what is built");
    for line in built.lines() {
        assert!(ours.contains(line), "{line} was built and is gone");
    }
    let Some(folder) = contract() else { return };
    let theirs = coordinates(&fs::read_to_string(folder.join("schema.graphql")).expect("the contract"));
    let both: Vec<_> = theirs.intersection(&ours).cloned().collect();
    let listed: Vec<_> = built.lines().collect();
    assert_eq!(listed, both, "tests/contract_built.txt is to have what is built:\n{}", both.join("\n"));
    // What the contract has of a type and field that are built must be built alike.
    let names = |lines: &BTreeSet<String>| -> BTreeSet<String> {
        lines.iter().map(|line| line.split([':', '=']).next().unwrap_or(line).to_owned()).collect()
    };
    let ours_by_name = names(&ours);
    for line in theirs.difference(&ours) {
        let name = line.split([':', '=']).next().unwrap_or(line);
        assert!(!ours_by_name.contains(name), "{line} is in the contract, and built otherwise");
    }
}

#[test]
fn the_sdl_in_the_repository_is_the_servers() {
    let stored = fs::read_to_string(root().join("schema.graphql")).expect("schema.graphql");
    assert_eq!(stored, dualcaster::graphql::sdl(), "run: cargo run -- schema > schema.graphql");
}

#[test]
fn everything_in_the_schema_is_described() {
    let ServiceDocument { definitions } = parse_schema(dualcaster::graphql::sdl()).expect("SDL");
    let mut bare = Vec::new();
    for definition in definitions {
        let TypeSystemDefinition::Type(definition) = definition else {
            continue;
        };
        let definition = definition.node;
        let name = definition.name.node.clone();
        if definition.description.is_none() {
            bare.push(name.to_string());
        }
        let mut note = |described: bool, what: String| {
            if !described {
                bare.push(what);
            }
        };
        match definition.kind {
            TypeKind::Object(async_graphql_parser::types::ObjectType { fields, .. })
            | TypeKind::Interface(async_graphql_parser::types::InterfaceType { fields, .. }) => {
                for field in fields {
                    note(field.node.description.is_some(), format!("{name}.{}", field.node.name.node));
                    for argument in &field.node.arguments {
                        note(
                            argument.node.description.is_some(),
                            format!("{name}.{}({})", field.node.name.node, argument.node.name.node),
                        );
                    }
                }
            }
            TypeKind::Enum(values) => {
                for value in values.values {
                    note(value.node.description.is_some(), format!("{name}.{}", value.node.value.node));
                }
            }
            TypeKind::InputObject(input) => {
                for field in input.fields {
                    note(field.node.description.is_some(), format!("{name}.{}", field.node.name.node));
                }
            }
            TypeKind::Scalar | TypeKind::Union(_) => {}
        }
    }
    assert_eq!(bare, Vec::<String>::new(), "without a description");
}

#[test]
fn the_error_catalogue_is_the_contracts() {
    let Some(folder) = contract() else { return };
    let text = fs::read_to_string(folder.join("errors.md")).expect("the catalogue");
    let theirs: BTreeSet<(String, String)> = text
        .lines()
        .filter_map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            Some((cells.next()?.to_owned(), cells.next()?.to_owned()))
        })
        .filter(|(number, _)| number.starts_with("ERR-"))
        .collect();
    let ours: BTreeSet<_> = dualcaster::error::Code::ALL
        .iter()
        .map(|code| (code.number().to_owned(), code.category().to_owned()))
        .collect();
    assert_eq!(ours, theirs);
}

#[test]
fn the_executor_is_one_that_keeps_to_the_specification() {
    // docs/adr/0002-async-graphql-version.md says what later ones get wrong.
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock");
    for part in ["async-graphql", "async-graphql-derive", "async-graphql-parser", "async-graphql-value"] {
        assert!(lock.contains(&format!("name = \"{part}\"\nversion = \"7.0.19\"")), "{part}");
    }
}
