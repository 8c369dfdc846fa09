//! An argument that is given by a variable which is not set is as if it were not given, so that its default holds.
//! async-graphql would make it null.

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Positioned};
use async_graphql_value::Value;

use super::documents::selections_mut;

/// Takes such arguments, and such fields of input objects, out of the document. In a list the place stays, as null.
pub(super) fn leave_out_unset(document: &mut ExecutableDocument, unset: &[&Name]) {
    if unset.is_empty() {
        return;
    }
    let is_unset = |name: &Name| unset.contains(&name);
    for set in selections_mut(document) {
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

#[cfg(test)]
mod tests {
    use async_graphql::Variables;
    use async_graphql::parser::parse_query;
    use async_graphql::parser::types::VariableDefinition;
    use async_graphql::registry::{MetaInputValue, MetaType};

    use super::super::Engine;
    use super::super::variables::fit;
    use super::*;
    use crate::config::{Environment, Settings};
    use crate::pagination::CursorSecret;

    fn parsed(text: &str) -> ExecutableDocument {
        parse_query(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn declared(document: &ExecutableDocument) -> &[Positioned<VariableDefinition>] {
        let (_, operation) = document.operations.iter().next().expect("an operation");
        &operation.node.variable_definitions
    }

    /// Without what says where things stand.
    fn written(document: &ExecutableDocument) -> String {
        let text = format!("{document:?}");
        let mut parts = text.split("pos: Pos(");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + part.split_once(')').map_or(part, |(_, rest)| rest))
    }

    #[test]
    fn every_default_of_the_schema_holds_where_its_variable_is_not_set() {
        let settings = Settings::read(&mut Environment::new([])).expect("settings");
        let build = || crate::graphql::schema(CursorSecret::new(["no cursor is made"]));
        let engine = Engine::new(build, &settings.guard);
        // Where it is, how it is given, and what is there without it.
        let mut places: Vec<(String, String, &str, &MetaInputValue)> = Vec::new();
        for ty in engine.registry.types.values() {
            for field in ty.fields().into_iter().flatten().map(|(_, field)| field) {
                places.extend(field.args.values().map(|argument| {
                    let given = format!("b(c: 1, {}: $v)", argument.name);
                    (format!("{}.{}", ty.name(), field.name), given, "b(c: 1)", argument)
                }));
            }
            if let MetaType::InputObject { input_fields, .. } = ty {
                places.extend(input_fields.values().map(|field| {
                    let name = &field.name;
                    let given = format!("b(c: {{d: 1, {name}: $v, e: [{{{name}: $v}}, $v]}})");
                    (ty.name().to_owned(), given, "b(c: {d: 1, e: [{}, null]})", field)
                }));
            }
        }
        let mut defaults = 0;
        for (place, given, left, value) in places {
            let (Some(default), false) = (&value.default_value, place.starts_with("__")) else { continue };
            defaults += 1;
            let document = |field: &str| {
                parsed(&format!(
                    "query($v: {} = {default}) {{ a {{ ... {{ {field} }} ...F }} }} fragment F on T {{ {field} }}",
                    value.ty
                ))
            };
            let mut mended = document(&given);
            let v = Name::new("v");
            leave_out_unset(&mut mended, &[]);
            assert_eq!(written(&mended), written(&document(&given)), "{place}");
            leave_out_unset(&mut mended, &[&v]);
            assert_eq!(written(&mended), written(&document(left)), "{place}: {}", value.name);
            // It is a value of its type.
            let default = declared(&mended)[0].node.default_value.clone().expect("a default").node;
            let mut variables = Variables::default();
            variables.insert(v, default);
            let fitted = fit(&engine.registry, declared(&mended), variables);
            assert!(fitted.is_ok(), "{place}: {}: {fitted:?}", value.name);
        }
        assert!(defaults >= 44, "{defaults} defaults");
    }
}
