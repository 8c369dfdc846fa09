//! How many objects an operation's answer may hold at most.
//!
//! An object counts one, a list as many as it may have: a connection's `edges` and `nodes` its page's size, every other
//! list what its field declares with `#[graphql(tag = "most=…")]`. What is no object counts nothing, but one where it has an
//! alias: under thirty names it makes an answer thirty times as long. A root field counts one at least.
//!
//! A list declares a number, or an argument of its field that says so many or has so many items, or, in a mutation's payload,
//! `input`. Where the argument may be left out, a number in a tag of its own says how long the list is then. No other argument
//! makes a list shorter.
//!
//! The walk comes by every argument, so it is also where [`lists`] looks at those that are given.

use std::collections::HashMap;

use async_graphql::Variables;
use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet};
use async_graphql::registry::{MetaField, MetaInputValue, MetaType, MetaTypeName, Registry};

use super::super::root_type;
use super::lists;
use crate::error::Refusal;

/// The page of a connection where none is asked for, and the largest.
const PAGE: (u64, u64) = (20, 100);
/// A list that declares nothing; a test sees to it that there is none.
pub(super) const UNDECLARED: u64 = 100;
/// The schema about itself: what a client's introspection returns is no object of ours, and it is large.
const SCHEMA: u64 = 2_000;

/// The most objects that the operation may answer with.
///
/// # Errors
/// ERR-3002 for a page that is larger than its field gives, or a list that is longer than its argument takes.
pub(super) fn predict(
    registry: &Registry,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<u64, Refusal> {
    let mut walk = Walk { registry, document, variables, known: HashMap::new(), too_long: None };
    let Some(root) = root_type(registry, operation.ty) else {
        return Ok(0);
    };
    let cost = walk.selection(root, &operation.selection_set.node, PAGE.0, true);
    walk.too_long.map_or(Ok(cost), Err)
}

struct Walk<'a> {
    registry: &'a Registry,
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    /// Fragments by name, the page that they stand in, and whether at the root.
    known: HashMap<(&'a str, u64, bool), u64>,
    /// The first argument that asks for more than there is at once, or brings more than is taken.
    too_long: Option<Refusal>,
}

impl<'a> Walk<'a> {
    /// What one object of the type costs below itself. `page` is the size of the connection that it is, if it is one.
    fn selection(&mut self, parent: &'a MetaType, set: &'a SelectionSet, page: u64, at_root: bool) -> u64 {
        let mut total = 0_u64;
        for selection in &set.items {
            let cost = match &selection.node {
                Selection::Field(field) => {
                    let cost = self.field(parent, &field.node, page);
                    if at_root { cost.max(1) } else { cost }
                }
                Selection::InlineFragment(inline) => {
                    let on =
                        inline.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    let parent = on.and_then(|on| self.registry.types.get(on)).unwrap_or(parent);
                    self.selection(parent, &inline.node.selection_set.node, page, at_root)
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, page, at_root)
                }
            };
            total = total.saturating_add(cost);
        }
        total
    }

    fn fragment(&mut self, name: &str, page: u64, at_root: bool) -> u64 {
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else {
            return 0;
        };
        if let Some(known) = self.known.get(&(name.as_str(), page, at_root)) {
            return *known;
        }
        let on = fragment.node.type_condition.node.on.node.as_str();
        let cost = match self.registry.types.get(on) {
            Some(parent) => self.selection(parent, &fragment.node.selection_set.node, page, at_root),
            None => 0,
        };
        self.known.insert((name, page, at_root), cost);
        cost
    }

    fn field(&mut self, parent: &'a MetaType, field: &'a Field, page: u64) -> u64 {
        let name = field.name.node.as_str();
        if matches!(name, "__schema" | "__type") {
            return SCHEMA;
        }
        let of_no_object = u64::from(field.alias.is_some());
        let Some(known) = parent.field_by_name(name) else {
            return of_no_object;
        };
        for (argument, given) in &field.arguments {
            if let Some(argument) = known.args.get(argument.node.as_str())
                && let Err(refusal) = lists::check(self.registry, self.variables, argument, &given.node)
            {
                self.too_long.get_or_insert(refusal);
            }
        }
        let named = self.registry.types.get(MetaTypeName::concrete_typename(&known.ty));
        let Some(named) = named.filter(|named| !named.is_leaf()) else {
            return of_no_object;
        };
        let page_below = if is_connection(named) {
            self.page(field)
        } else if is_payload(named) {
            self.input(field)
        } else {
            PAGE.0
        };
        let one = self.selection(named, &field.selection_set.node, page_below, false).saturating_add(1);
        one.saturating_mul(self.size(parent, known, field, page))
    }

    /// How many objects a field returns at most.
    fn size(&self, parent: &MetaType, known: &MetaField, field: &Field, page: u64) -> u64 {
        if !is_list(&known.ty) {
            return 1;
        }
        if is_connection(parent) && matches!(known.name.as_str(), "edges" | "nodes") {
            return page;
        }
        if is_payload(parent) && is_of_input(known) {
            return page;
        }
        let asked = argument_of(known).and_then(|argument| self.asked(argument, field));
        asked.or_else(|| number(&known.tags)).unwrap_or(UNDECLARED)
    }

    fn page(&mut self, field: &Field) -> u64 {
        let sizes = ["first", "last"].map(|name| match self.argument(field, name) {
            Some(async_graphql::Value::Number(number)) => Some((name, number.as_i64().unwrap_or(i64::MAX))),
            _ => None,
        });
        for (name, size) in sizes.into_iter().flatten() {
            if !(0..=i64::try_from(PAGE.1).unwrap_or(i64::MAX)).contains(&size) {
                let message = format!("{name} must be from 0 to {}.", PAGE.1);
                self.too_long.get_or_insert_with(|| Refusal::invalid_value(message));
            }
        }
        let size = sizes.into_iter().flatten().next();
        size.map_or(PAGE.0, |(_, size)| u64::try_from(size).unwrap_or(0).min(PAGE.1))
    }

    /// The length of the list in a mutation's input: its payload's lists are no longer.
    fn input(&self, field: &Field) -> u64 {
        let Some(async_graphql::Value::Object(input)) = self.argument(field, "input") else {
            return PAGE.0;
        };
        let lengths = input.values().map(|value| match value {
            async_graphql::Value::List(items) => items.len() as u64,
            _ => 1,
        });
        lengths.max().unwrap_or(PAGE.0)
    }

    /// How many objects the field's argument asks for: so many as it says, or as it has items.
    fn asked(&self, argument: &MetaInputValue, field: &Field) -> Option<u64> {
        match self.argument(field, &argument.name) {
            Some(async_graphql::Value::List(items)) => Some(items.len() as u64),
            Some(async_graphql::Value::Number(number)) if !is_list(&argument.ty) => {
                Some(number.as_u64().unwrap_or(0))
            }
            None | Some(async_graphql::Value::Null) => default_of(argument),
            // One value stands for a list of it.
            Some(_) => Some(1),
        }
    }

    /// An argument's value, with the variables in it.
    fn argument(&self, field: &Field, name: &str) -> Option<async_graphql::Value> {
        let given = field.get_argument(name)?;
        let known =
            |name: async_graphql::Name| Ok::<_, ()>(self.variables.get(&name).cloned().unwrap_or_default());
        given.node.clone().into_const_with(known).ok()
    }
}

pub(super) fn is_list(ty: &str) -> bool {
    matches!(MetaTypeName::create(ty.trim_end_matches('!')), MetaTypeName::List(_))
}

/// What is said by `most=…`, which may be several things.
fn said(tags: &[String]) -> impl Iterator<Item = &str> {
    tags.iter().filter_map(|tag| tag.strip_prefix("most="))
}

/// The number among them.
pub(super) fn number(tags: &[String]) -> Option<u64> {
    said(tags).find_map(|said| said.parse().ok())
}

/// The argument that says how long a field's list is: by its items, or as a number.
fn argument_of(field: &MetaField) -> Option<&MetaInputValue> {
    let argument = said(&field.tags).find_map(|said| field.args.get(said))?;
    let tells = is_list(&argument.ty) || MetaTypeName::concrete_typename(&argument.ty) == "Int";
    tells.then_some(argument)
}

/// The number that an argument is where it is left out.
fn default_of(argument: &MetaInputValue) -> Option<u64> {
    argument.default_value.as_ref()?.parse().ok()
}

/// Whether a payload's list is as long as the one in the mutation's input.
fn is_of_input(field: &MetaField) -> bool {
    said(&field.tags).any(|said| said == "input")
}

fn is_payload(ty: &MetaType) -> bool {
    ty.name().ends_with("Payload")
}

fn is_connection(ty: &MetaType) -> bool {
    ty.name().ends_with("Connection")
}

/// The list fields of objects, as `Type.field`, whose size nothing bounds.
pub fn unbounded_lists(registry: &Registry) -> Vec<String> {
    let mut found = Vec::new();
    for ty in registry.types.values() {
        let Some(fields) = ty.fields() else {
            continue;
        };
        for field in fields.values() {
            let in_page = is_connection(ty) && matches!(field.name.as_str(), "edges" | "nodes");
            let of_objects = registry
                .types
                .get(MetaTypeName::concrete_typename(&field.ty))
                .is_some_and(|named| !named.is_leaf() && !named.name().starts_with("__"));
            let by_argument = argument_of(field)
                .is_some_and(|argument| argument.ty.ends_with('!') || default_of(argument).is_some());
            let is_said =
                number(&field.tags).is_some() || by_argument || (is_payload(ty) && is_of_input(field));
            if is_list(&field.ty) && of_objects && !in_page && !is_said {
                found.push(format!("{}.{}", ty.name(), field.name));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema, SimpleObject, Variables};
    use serde_json::json;

    use super::super::super::{Call, Engine};
    use crate::config::{Environment, Settings};

    #[derive(SimpleObject)]
    struct Thing {
        name: String,
    }

    struct Query;

    /// As many things as there are names.
    fn named(names: Option<Vec<String>>) -> Vec<Thing> {
        names.unwrap_or_default().into_iter().map(|name| Thing { name }).collect()
    }

    #[Object]
    impl Query {
        #[graphql(tag = "most=names", tag = "most=50")]
        async fn things(&self, #[graphql(tag = "most=9")] names: Option<Vec<String>>) -> Vec<Thing> {
            named(names)
        }

        #[graphql(tag = "most=40")]
        async fn filtered(&self, #[graphql(tag = "most=9")] kinds: Option<Vec<String>>) -> Vec<Thing> {
            named(kinds)
        }

        #[graphql(tag = "most=first")]
        async fn few(&self, #[graphql(default_with = "Some(5)")] first: Option<i32>) -> Vec<Thing> {
            named(first.map(|first| vec![String::new(); first.unsigned_abs() as usize]))
        }

        #[graphql(tag = "most=names")]
        async fn unsaid(&self, #[graphql(tag = "most=9")] names: Option<Vec<String>>) -> Vec<Thing> {
            named(names)
        }

        #[graphql(tag = "most=titles")]
        async fn misnamed(&self, #[graphql(tag = "most=9")] names: Vec<String>) -> Vec<Thing> {
            named(Some(names))
        }

        #[graphql(tag = "most=input")]
        async fn of_no_payload(&self) -> Vec<Thing> {
            named(None)
        }
    }

    fn engine() -> Engine {
        let settings = Settings::read(&mut Environment::new([])).expect("settings");
        Engine::new(|| Schema::build(Query, EmptyMutation, EmptySubscription), &settings.guard)
    }

    #[tokio::test]
    async fn a_list_is_as_long_as_the_argument_that_it_names_says_or_else_as_it_says() {
        let engine = engine();
        let by_variable = "query($n: [String!]) { things(names: $n) { name } }";
        let by_number = "query($n: Int) { few(first: $n) { name } }";
        for (query, variables, cost) in [
            ("{ things(names: [\"a\", \"b\"]) { name } }", json!({}), 2),
            ("{ things(names: \"a\") { name } }", json!({}), 1),
            ("{ things { name } }", json!({}), 50),
            ("{ things(names: null) { name } }", json!({}), 50),
            (by_variable, json!({"n": ["a", "b", "c"]}), 3),
            (by_variable, json!({"n": null}), 50),
            (by_variable, json!({}), 50),
            // What is no more than a filter makes a list no shorter.
            ("{ filtered(kinds: [\"a\", \"b\"]) { name } }", json!({}), 40),
            ("{ filtered { name } }", json!({}), 40),
            ("{ few(first: 7) { name } }", json!({}), 7),
            ("{ few { name } }", json!({}), 5),
            ("{ few(first: null) { name } }", json!({}), 5),
            (by_number, json!({"n": 30}), 30),
        ] {
            let given = Variables::from_json(variables.clone());
            let call = Call { query: Some(query.to_owned()), variables: given, ..Call::default() };
            let prepared = engine.prepare(call).await.expect("let in");
            assert_eq!(prepared.cost(), cost, "{query} {variables}");
        }
    }

    #[test]
    fn a_list_that_nothing_bounds_in_every_case_is_found() {
        let mut found = engine().unbounded_lists();
        found.sort();
        assert_eq!(found, ["Query.misnamed", "Query.ofNoPayload", "Query.unsaid"]);
    }
}
