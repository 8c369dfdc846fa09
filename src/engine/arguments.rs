//! An argument that is given by a variable which is not set is as if it were not given, so that its default holds.
//! async-graphql would make it null.

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value;

/// Takes such arguments, and such fields of input objects, out of the document. In a list the place stays, as null.
pub(super) fn leave_out_unset(document: &mut ExecutableDocument, unset: &[&Name]) {
    if unset.is_empty() {
        return;
    }
    let is_unset = |name: &Name| unset.contains(&name);
    let mut sets: Vec<&mut SelectionSet> = Vec::new();
    match &mut document.operations {
        DocumentOperations::Single(operation) => {
            sets.push(&mut operation.node.selection_set.node);
        }
        DocumentOperations::Multiple(operations) => {
            sets.extend(operations.values_mut().map(|operation| &mut operation.node.selection_set.node));
        }
    }
    sets.extend(document.fragments.values_mut().map(|fragment| &mut fragment.node.selection_set.node));
    for set in sets {
        in_selection(set, &is_unset);
    }
}

fn in_selection(set: &mut SelectionSet, is_unset: &impl Fn(&Name) -> bool) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => {
                in_arguments(&mut field.node.arguments, is_unset);
                in_selection(&mut field.node.selection_set.node, is_unset);
            }
            Selection::InlineFragment(inline) => in_selection(&mut inline.node.selection_set.node, is_unset),
            Selection::FragmentSpread(_) => {}
        }
    }
}

type Argument = (Positioned<Name>, Positioned<Value>);

fn in_arguments(arguments: &mut Vec<Argument>, is_unset: &impl Fn(&Name) -> bool) {
    arguments.retain(|(_, value)| !matches!(&value.node, Value::Variable(name) if is_unset(name)));
    for (_, value) in arguments {
        in_value(&mut value.node, is_unset);
    }
}

fn in_value(value: &mut Value, is_unset: &impl Fn(&Name) -> bool) {
    match value {
        Value::Variable(name) if is_unset(name) => *value = Value::Null,
        Value::List(items) => items.iter_mut().for_each(|item| in_value(item, is_unset)),
        Value::Object(fields) => {
            fields.retain(|_, value| !matches!(value, Value::Variable(name) if is_unset(name)));
            fields.values_mut().for_each(|value| in_value(value, is_unset));
        }
        _ => {}
    }
}
