//! Whether a document selects a field of one key twice side by side, as two fragments may, so that two answers become
//! one.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{ExecutableDocument, FragmentDefinition, Selection, SelectionSet};
use async_graphql::{Name, Positioned};

/// Whether any selection of a valid document has a key twice whose values have fields of their own. Types are not looked
/// at: two fields that never meet in one object count too.
pub(super) fn merges(document: &ExecutableDocument) -> bool {
    let mut walk = Walk { fragments: &document.fragments, known: HashMap::new(), found: false };
    for (_, operation) in document.operations.iter() {
        walk.look_at(&operation.node.selection_set.node);
    }
    walk.found
}

struct Walk<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// The keys of each fragment that was walked over.
    known: HashMap<&'a Name, HashSet<&'a str>>,
    found: bool,
}

impl<'a> Walk<'a> {
    fn look_at(&mut self, set: &'a SelectionSet) {
        let mut keys = HashSet::new();
        self.collect(set, &mut keys);
    }

    /// Adds the keys of a selection's objects, and looks at what is below them.
    fn collect(&mut self, set: &'a SelectionSet, keys: &mut HashSet<&'a str>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) if !field.node.selection_set.node.items.is_empty() => {
                    self.found |= !keys.insert(field.node.response_key().node.as_str());
                    self.look_at(&field.node.selection_set.node);
                }
                Selection::Field(_) => {}
                Selection::InlineFragment(fragment) => self.collect(&fragment.node.selection_set.node, keys),
                Selection::FragmentSpread(spread) => {
                    for key in self.of_fragment(&spread.node.fragment_name.node) {
                        self.found |= !keys.insert(key);
                    }
                }
            }
        }
    }

    fn of_fragment(&mut self, name: &Name) -> HashSet<&'a str> {
        let Some((name, fragment)) = self.fragments.get_key_value(name) else {
            return HashSet::new();
        };
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        // A valid document has no circles; one that had would end here.
        self.known.insert(name, HashSet::new());
        let mut keys = HashSet::new();
        self.collect(&fragment.node.selection_set.node, &mut keys);
        self.known.insert(name, keys.clone());
        keys
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn a_key_counts_where_it_stands_twice_in_one_object() {
        for (document, twice) in [
            ("{ a { b } c { b } }", false),
            ("{ a { b } a { c } }", true),
            ("{ a { b b } }", false),
            ("{ x: a { b } x: a { c } }", true),
            ("{ a { b } ...F } fragment F on Q { a { c } }", true),
            ("{ a { ...F } c { ...F } } fragment F on A { d { e } }", false),
            ("{ a { ... on A { d { e } } ... { d { f } } } }", true),
            ("{ ...F ...F } fragment F on Q { a { b } }", true),
        ] {
            assert_eq!(merges(&parse_query(document).expect("a document")), twice, "{document}");
        }
    }
}
