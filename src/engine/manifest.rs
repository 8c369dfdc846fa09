//! Manifests of operations, as clients' tools write them.
//!
//! - Relay's persisted queries and graphql-codegen's persisted documents: an object of documents by their ids.
//! - Apollo's `apollo-persisted-query-manifest`: a list of operations with id, name and body.
//! - A folder of `.graphql` files: each operation with the fragments that it needs, from whichever file; its id is
//!   `sha256:` and the SHA-256 of that text.

use std::collections::BTreeMap;

use async_graphql::parser;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Selection, SelectionSet};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::guard::{Tokens, parsable};

/// An operation of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub id: String,
    pub name: Option<String>,
    pub document: String,
    /// The file of a folder that it stands in.
    pub file: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Manifest {
    Apollo { format: String, operations: Vec<ApolloOperation> },
    ById(BTreeMap<String, String>),
}

#[derive(Deserialize)]
struct ApolloOperation {
    id: String,
    name: Option<String>,
    body: String,
}

/// Reads a manifest's JSON.
///
/// # Errors
/// In words for its author: what it is not, or which document can't be read.
pub fn read_manifest(json: &str) -> Result<Vec<Listed>, String> {
    let manifest = serde_json::from_str(json).map_err(|_| {
        "this is no manifest of Relay, graphql-codegen or Apollo: an object of documents by id is expected, or \
         apollo-persisted-query-manifest"
            .to_owned()
    })?;
    let listed: Vec<_> = match manifest {
        Manifest::Apollo { format, .. } if format != "apollo-persisted-query-manifest" => {
            return Err(format!("the manifest's format {format} is not known"));
        }
        Manifest::Apollo { operations, .. } => operations
            .into_iter()
            .map(|operation| Listed {
                id: operation.id,
                name: operation.name,
                document: operation.body,
                file: None,
            })
            .collect(),
        Manifest::ById(documents) => {
            let listed = |(id, document)| Listed { id, name: None, document, file: None };
            documents.into_iter().map(listed).collect()
        }
    };
    listed.into_iter().map(named).collect()
}

fn parse_query(text: &str) -> Option<ExecutableDocument> {
    parser::parse_query(parsable(text)?).ok()
}

/// Fills in the operation's name.
fn named(listed: Listed) -> Result<Listed, String> {
    let document = parse_query(&listed.document)
        .ok_or_else(|| format!("the document of the id {} can't be read", listed.id))?;
    let name = match &document.operations {
        DocumentOperations::Single(_) => None,
        DocumentOperations::Multiple(operations) => operations.keys().next().map(ToString::to_string),
    };
    Ok(Listed { name: listed.name.or(name), ..listed })
}

/// Reads the files of a folder, each with its name.
///
/// # Errors
/// In words for their author: which file can't be read, which name is there twice, which fragment is missing.
pub fn read_documents(files: &[(String, String)]) -> Result<Vec<Listed>, String> {
    let mut operations = BTreeMap::new();
    let mut places: BTreeMap<String, &str> = BTreeMap::new();
    let mut fragments: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for (file, text) in files {
        for definition in definitions(text) {
            let (name, is_fragment, spreads) = read_definition(definition).ok_or_else(|| {
                format!("{file} has a definition that can't be read, or one without a name")
            })?;
            let text = definition.trim().to_owned();
            let before = if is_fragment {
                fragments.insert(name.clone(), (text, spreads))
            } else {
                places.insert(name.clone(), file);
                operations.insert(name.clone(), (text, spreads))
            };
            if before.is_some() {
                return Err(format!("{name} is defined twice, the second time in {file}"));
            }
        }
    }
    let mut listed = Vec::new();
    for (name, (text, spreads)) in operations {
        let mut needed: Vec<String> = Vec::new();
        let mut open = spreads;
        while let Some(spread) = open.pop() {
            if needed.contains(&spread) {
                continue;
            }
            let (_, more) = fragments
                .get(&spread)
                .ok_or_else(|| format!("{name} needs the fragment {spread}, which no file has"))?;
            open.extend(more.iter().cloned());
            needed.push(spread);
        }
        // By name, so that the same operation has the same text whatever file its fragments are in.
        needed.sort_unstable();
        let parts: Vec<&str> = std::iter::once(text.as_str())
            .chain(needed.iter().map(|fragment| fragments[fragment].0.as_str()))
            .collect();
        let document = parts.join("\n\n");
        let file = places.get(&name).map(|file| (*file).to_owned());
        listed.push(Listed { id: format!("sha256:{}", sha256(&document)), name: Some(name), document, file });
    }
    Ok(listed)
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A definition's name, whether it is a fragment, and what it spreads.
fn read_definition(text: &str) -> Option<(String, bool, Vec<String>)> {
    // After comments and a description.
    let mut tokens = Tokens::of(text).map(|place| &text.as_bytes()[place]);
    let is_fragment =
        tokens.find(|token| !token.starts_with(b"\"")).is_some_and(|token| token == b"fragment");
    // The parser wants an operation in every document.
    let document =
        if is_fragment { parse_query(&format!("{{ __typename }} {text}"))? } else { parse_query(text)? };
    let ExecutableDocument { operations, fragments } = &document;
    let mut spreads = Vec::new();
    if is_fragment {
        let (name, fragment) = fragments.iter().next()?;
        add_spreads(&fragment.node.selection_set.node, &mut spreads);
        return Some((name.to_string(), true, spreads));
    }
    match operations {
        DocumentOperations::Multiple(operations) => {
            let (name, operation) = operations.iter().next()?;
            add_spreads(&operation.node.selection_set.node, &mut spreads);
            Some((name.to_string(), false, spreads))
        }
        DocumentOperations::Single(_) => None,
    }
}

fn add_spreads(set: &SelectionSet, spreads: &mut Vec<String>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => add_spreads(&field.node.selection_set.node, spreads),
            Selection::InlineFragment(inline) => add_spreads(&inline.node.selection_set.node, spreads),
            Selection::FragmentSpread(spread) => spreads.push(spread.node.fragment_name.node.to_string()),
        }
    }
}

/// The definitions of a file: each ends with the brace that closes its selection.
fn definitions(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut end, mut open) = (0, 0, 0_usize);
    for place in Tokens::of(text) {
        end = place.end;
        match &text.as_bytes()[place] {
            b"{" | b"(" | b"[" => open += 1,
            bracket @ (b"}" | b")" | b"]") => {
                open = open.saturating_sub(1);
                if open == 0 && bracket == b"}" {
                    found.push(&text[start..end]);
                    start = end;
                }
            }
            _ => {}
        }
    }
    // What is left over is no definition, and is told as such.
    if end > start {
        found.push(&text[start..]);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "query A { cards { totalCount } }";

    #[test]
    fn each_tools_manifest_is_read() {
        let one = |id: &str, name: &str| {
            vec![Listed { id: id.into(), name: Some(name.into()), document: QUERY.into(), file: None }]
        };
        let relay = format!("{{\"0123\": \"{QUERY}\"}}");
        assert_eq!(read_manifest(&relay), Ok(one("0123", "A")));
        let codegen = format!("{{\"sha256:ab\": \"{QUERY}\"}}");
        assert_eq!(read_manifest(&codegen), Ok(one("sha256:ab", "A")));
        let apollo = format!(
            "{{\"format\": \"apollo-persisted-query-manifest\", \"version\": 1, \"operations\": \
             [{{\"id\": \"x\", \"name\": \"B\", \"type\": \"query\", \"body\": \"{QUERY}\"}}]}}"
        );
        assert_eq!(read_manifest(&apollo), Ok(one("x", "B")));
        for wrong in
            ["[]", "{\"a\": 1}", "{\"a\": \"{\"}", "{\"format\": \"other\", \"operations\": []}", "nothing"]
        {
            assert!(read_manifest(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fragments_are_found_in_whichever_file() {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let files = [
            file(
                "a.graphql",
                "# Two }\n\"What { it is\" query A(\"A search\" $s: String = \"}\") { cards(search: $s, filter: {colors: [RED]}) { nodes { ...Y } } }\nquery B { cards { totalCount } }",
            ),
            file(
                "b.graphql",
                "\n# The set's\n  # code.\nfragment X on CardSet { code }\n\"\"\"5\" } {\"\"\" fragment Y on Card { name set { ...X } }\nfragment Z on Card { id }",
            ),
        ];
        let listed = read_documents(&files).expect("operations");
        assert_eq!(listed.iter().map(|one| one.name.as_deref()).collect::<Vec<_>>(), [Some("A"), Some("B")]);
        assert_eq!(listed[0].file.as_deref(), Some("a.graphql"));
        let document = &listed[0].document;
        assert!(
            document.contains("fragment X")
                && document.contains("fragment Y")
                && !document.contains("fragment Z")
        );
        assert!(
            parse_query(document).is_some()
                && listed[0].id.starts_with("sha256:")
                && listed[0].id.len() == 71
        );
        for wrong in [
            "query A { ...Missing }",
            "query A { a } query A { b }",
            "{ nameless }",
            "query A { a",
            "query A { a } and more",
        ] {
            assert!(read_documents(&[file("x", wrong)]).is_err(), "{wrong}");
        }
    }
}
