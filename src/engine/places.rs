//! Whether what a document gives may stand where it does: variables, as the GraphQL specification's "All Variable Usages Are
//! Allowed" has it, and values that have a variable in them. async-graphql 7 has rules for both; but the one is shown no
//! values, and the other passes over an argument that has a variable anywhere in it.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    BaseType, Directive, DocumentOperations, ExecutableDocument, OperationDefinition, Selection,
    SelectionSet, Type, VariableDefinition,
};
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Pos, Positioned, ServerError};
use async_graphql_value::{ConstValue, Value};

use super::root_type;
use super::variables::{Misfit, check_fields, check_typed};

/// Looks at a document that is valid otherwise.
///
/// A variable that may be null may stand where null may not, if it has a default. Here it becomes one that may not be null:
/// who gives null for it is told so before anything runs.
///
/// # Errors
/// The first that does not fit.
pub(super) fn check(registry: &Registry, document: &mut ExecutableDocument) -> Result<(), ServerError> {
    let ExecutableDocument { operations, fragments } = document;
    let mut of_fragments = HashMap::new();
    for (name, fragment) in fragments.iter() {
        let fragment = &fragment.node;
        let on = registry.types.get(fragment.type_condition.node.on.node.as_str());
        let used = Used::of(registry, on, &fragment.directives, &fragment.selection_set.node)?;
        of_fragments.insert(name.as_str(), used);
    }
    let operations: Vec<_> = match operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    };
    for operation in operations {
        let OperationDefinition { ty, variable_definitions, directives, selection_set } = &mut operation.node;
        let own = Used::of(registry, root_type(registry, *ty), directives, &selection_set.node)?;
        let mut declared: HashMap<Name, &mut VariableDefinition> = variable_definitions
            .iter_mut()
            .map(|variable| (variable.node.name.node.clone(), &mut variable.node))
            .collect();
        let (mut open, mut seen) = (vec![&own], HashSet::new());
        while let Some(used) = open.pop() {
            for usage in &used.variables {
                if let Some(variable) = declared.get_mut(usage.name) {
                    usage.settle(variable)?;
                }
            }
            let spread = used.spreads.iter().filter(|name| seen.insert(**name));
            open.extend(spread.filter_map(|name| of_fragments.get(*name)));
        }
    }
    Ok(())
}

/// The variables of an operation or of a fragment, and the fragments that it spreads.
#[derive(Default)]
struct Used<'a> {
    variables: Vec<Usage<'a>>,
    spreads: Vec<&'a str>,
}

impl<'a> Used<'a> {
    fn of(
        registry: &'a Registry,
        parent: Option<&'a MetaType>,
        directives: &'a [Positioned<Directive>],
        set: &'a SelectionSet,
    ) -> Result<Self, ServerError> {
        let mut walk = Walk { registry, used: Self::default() };
        walk.directives(directives)?;
        walk.selection(parent, set)?;
        Ok(walk.used)
    }
}

/// A variable where it stands.
struct Usage<'a> {
    name: &'a Name,
    at: Pos,
    place: Place<'a>,
}

impl Usage<'_> {
    /// # Errors
    /// When the variable may not stand here.
    fn settle(&self, variable: &mut VariableDefinition) -> Result<(), ServerError> {
        let Place { ty, has_default, is_one_of } = self.place;
        let bare = ty.strip_suffix('!').unwrap_or(ty);
        let needs_value = is_one_of || bare != ty;
        let default = variable.default_value.as_ref();
        let has_value = default.is_some_and(|default| default.node != ConstValue::Null);
        let declared = &mut variable.var_type.node;
        let brings_value = has_value || !declared.nullable;
        if !is_of(declared, bare) || (needs_value && !brings_value && !has_default) {
            let sign = if needs_value { "!" } else { "" };
            let message = format!(
                "Variable \"${}\" of the type {declared} can't stand where {bare}{sign} is expected.",
                self.name
            );
            return Err(ServerError::new(message, Some(self.at)));
        }
        declared.nullable &= !(needs_value && brings_value);
        Ok(())
    }
}

/// Whether what is of a declared type, and not null, is of the schema's type too: `[Int!]`.
fn is_of(declared: &Type, ty: &str) -> bool {
    match (&declared.base, MetaTypeName::create(ty)) {
        (BaseType::List(of), MetaTypeName::List(ty)) => match ty.strip_suffix('!') {
            Some(ty) => !of.nullable && is_of(of, ty),
            None => is_of(of, ty),
        },
        (BaseType::Named(name), MetaTypeName::Named(ty)) => name.as_str() == ty,
        _ => false,
    }
}

/// What the schema expects somewhere.
#[derive(Clone, Copy)]
struct Place<'a> {
    ty: &'a str,
    /// Whether there is a value where none is given.
    has_default: bool,
    /// Whether it is the one field of an input that has exactly one, which may not be null whatever its type says.
    is_one_of: bool,
}

impl<'a> Place<'a> {
    fn of(value: &'a MetaInputValue) -> Self {
        Self { has_default: value.default_value.is_some(), ..Self::plain(&value.ty) }
    }

    fn plain(ty: &'a str) -> Self {
        Self { ty, has_default: false, is_one_of: false }
    }

    /// An argument of a field of the schema about itself, whose types are in no registry that is ours.
    fn of_schema(name: &str) -> Option<Self> {
        match name {
            "name" => Some(Self::plain("String!")),
            "includeDeprecated" => Some(Self { has_default: true, ..Self::plain("Boolean!") }),
            _ => None,
        }
    }
}

struct Walk<'a> {
    registry: &'a Registry,
    used: Used<'a>,
}

impl<'a> Walk<'a> {
    fn selection(&mut self, parent: Option<&'a MetaType>, set: &'a SelectionSet) -> Result<(), ServerError> {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let known = parent.and_then(|parent| parent.field_by_name(field.name.node.as_str()));
                    for (name, given) in &field.arguments {
                        let place = match known {
                            Some(known) => known.args.get(name.node.as_str()).map(Place::of),
                            None => Place::of_schema(name.node.as_str()),
                        };
                        if let Some(place) = place {
                            self.argument(&name.node, given, place)?;
                        }
                    }
                    self.directives(&field.directives)?;
                    let registry = self.registry;
                    let below = known
                        .and_then(|known| registry.types.get(MetaTypeName::concrete_typename(&known.ty)));
                    self.selection(below, &field.selection_set.node)?;
                }
                Selection::InlineFragment(inline) => {
                    let inline = &inline.node;
                    self.directives(&inline.directives)?;
                    let on = inline.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    let on = on.and_then(|on| self.registry.types.get(on)).or(parent);
                    self.selection(on, &inline.selection_set.node)?;
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.node.directives)?;
                    self.used.spreads.push(spread.node.fragment_name.node.as_str());
                }
            }
        }
        Ok(())
    }

    /// A document may have two, `@include` and `@skip`, and what they take is a Boolean.
    fn directives(&mut self, directives: &'a [Positioned<Directive>]) -> Result<(), ServerError> {
        for directive in directives {
            for (name, given) in &directive.node.arguments {
                self.argument(&name.node, given, Place::plain("Boolean!"))?;
            }
        }
        Ok(())
    }

    fn argument(
        &mut self,
        name: &Name,
        given: &'a Positioned<Value>,
        place: Place<'a>,
    ) -> Result<(), ServerError> {
        self.value(place, given.pos, &given.node)
            .map_err(|misfit| ServerError::new(format!("Argument \"{name}\" {misfit}."), Some(given.pos)))
    }

    fn value(&mut self, place: Place<'a>, at: Pos, given: &'a Value) -> Result<(), Misfit> {
        if let Value::Variable(name) = given {
            self.used.variables.push(Usage { name, at, place });
            return Ok(());
        }
        if let Some(constant) = given.clone().into_const() {
            return check_typed(self.registry, place.ty, &constant);
        }
        match (given, MetaTypeName::create(place.ty)) {
            (given, MetaTypeName::NonNull(ty)) => self.value(Place::plain(ty), at, given),
            (Value::List(items), MetaTypeName::List(of)) => {
                for (index, item) in items.iter().enumerate() {
                    let fitted = self.value(Place::plain(of), at, item);
                    fitted.map_err(|misfit| misfit.below(index.to_string()))?;
                }
                Ok(())
            }
            // One value stands for a list of it.
            (given, MetaTypeName::List(of)) => self.value(Place::plain(of), at, given),
            (given, MetaTypeName::Named(name)) => match (self.registry.types.get(name), given) {
                (Some(MetaType::InputObject { input_fields, oneof, .. }), Value::Object(fields)) => {
                    check_fields(name, input_fields, fields)?;
                    if *oneof && fields.len() != 1 {
                        return Err(Misfit::one_of(name));
                    }
                    for (field, value) in fields {
                        if let Some(known) = input_fields.get(field.as_str()) {
                            let place = Place { is_one_of: *oneof, ..Place::of(known) };
                            let fitted = self.value(place, at, value);
                            fitted.map_err(|misfit| misfit.below(field.as_str()))?;
                        }
                    }
                    Ok(())
                }
                // It may have any form, and says itself which it takes.
                (Some(MetaType::Scalar { .. }), _) => Ok(()),
                _ => Err(Misfit::expected(name)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{
        EmptyMutation, EmptySubscription, InputObject, Object, OneofObject, PathSegment, Response, Schema,
        Variables,
    };
    use serde_json::json;

    use super::super::{Call, Engine};
    use crate::config::{Environment, Settings};

    #[derive(InputObject)]
    struct Part {
        needed: i32,
        #[graphql(default = 7)]
        usual: i32,
        loose: Option<i32>,
    }

    #[derive(OneofObject)]
    enum Lookup {
        Number(i32),
        Name(String),
    }

    struct Query;

    #[Object]
    impl Query {
        async fn many(&self, first: i32) -> i32 {
            first
        }

        async fn few(&self, #[graphql(default = 20)] first: i32) -> i32 {
            first
        }

        async fn sum(&self, part: Part) -> i32 {
            part.needed + part.usual + part.loose.unwrap_or_default()
        }

        async fn parts(&self, parts: Vec<Part>) -> usize {
            parts.len()
        }

        async fn total(&self, of: Vec<i32>) -> i32 {
            of.iter().sum()
        }

        async fn found(&self, by: Lookup) -> String {
            match by {
                Lookup::Number(number) => number.to_string(),
                Lookup::Name(name) => name,
            }
        }
    }

    /// What a query is answered; or what it is refused with, where nothing of it is executed.
    async fn answer(query: &str, variables: serde_json::Value) -> Result<Response, String> {
        let settings = Settings::read(&mut Environment::new([])).expect("settings");
        let engine = Engine::new(|| Schema::build(Query, EmptyMutation, EmptySubscription), &settings.guard);
        let variables = Variables::from_json(variables);
        let call = Call { query: Some(query.to_owned()), variables, ..Call::default() };
        match engine.prepare(call).await {
            Ok(prepared) => Ok(engine.execute(prepared, |_| {}).await),
            Err(refused) => Err(refused.into_errors().remove(0).message),
        }
    }

    #[tokio::test]
    async fn a_variable_stands_where_its_type_or_a_default_lets_it() {
        for (query, fits) in [
            ("query($v: Int!) { many(first: $v) }", true),
            ("query($v: Int) { many(first: $v) }", false),
            ("query($v: Int = 5) { many(first: $v) }", true),
            ("query($v: Int = null) { many(first: $v) }", false),
            ("query($v: String!) { many(first: $v) }", false),
            ("query($v: Int) { few(first: $v) }", true),
            ("query($v: String) { few(first: $v) }", false),
            ("query($v: Int) { sum(part: {needed: $v}) }", false),
            ("query($v: Int) { sum(part: {needed: 1, usual: $v}) }", true),
            ("query($v: Int!) { sum(part: {needed: 1, loose: $v}) }", true),
            ("query($v: Part!) { parts(parts: [{needed: 1}, $v]) }", true),
            ("query($v: Int!) { parts(parts: {needed: $v}) }", true),
            ("query($v: Int) { total(of: [$v]) }", false),
            ("query($v: [Int!]!) { total(of: $v) }", true),
            ("query($v: [Int]!) { total(of: $v) }", false),
            // A value stands for a list of it, a variable does not.
            ("query($v: Int!) { total(of: $v) }", false),
            ("query($v: Int) { found(by: {number: $v}) }", false),
            ("query($v: Int = 1) { found(by: {number: $v}) }", true),
            ("query($v: Boolean = true) { few @include(if: $v) }", true),
            ("query($v: Boolean) { few @skip(if: $v) }", false),
            ("query($v: String!) { ...F @include(if: $v) } fragment F on Query { few }", false),
            ("query($v: Int!) { ... on Query { ...F } } fragment F on Query { many(first: $v) }", true),
            (
                "query($v: Int) { ...F } fragment F on Query { ...G } fragment G on Query { many(first: $v) }",
                false,
            ),
            // Of the schema about itself, too.
            ("query($v: String!) { __type(name: $v) { name } }", true),
            ("query($v: String = \"Query\") { __type(name: $v) { name } }", true),
            ("query($v: String) { __type(name: $v) { name } }", false),
            ("query($v: Int!) { __type(name: $v) { name } }", false),
            (
                "query($v: Boolean) { __type(name: \"Query\") { fields(includeDeprecated: $v) { name } } }",
                true,
            ),
            (
                "query($v: Int!) { __schema { types { ...F } } } fragment F on __Type { fields(includeDeprecated: $v) { name } }",
                false,
            ),
            (
                "query A($v: Int!) { ...F } query B($v: Int) { ...F } fragment F on Query { many(first: $v) }",
                false,
            ),
        ] {
            let refused = answer(query, json!({})).await.err();
            let stands_wrong =
                refused.as_ref().is_some_and(|message| message.contains(" can't stand where "));
            assert_eq!(stands_wrong, !fits, "{query}: {refused:?}");
        }
    }

    #[tokio::test]
    async fn what_is_not_given_is_the_default_and_null_is_an_error() {
        const OWN: &str = "query($v: Int = 5) { many(first: $v) }";
        const PLACES: &str = "query($v: Int) { few(first: $v) }";
        const FIELDS: &str = "query($v: Int) { sum(part: {needed: 1, usual: $v}) }";
        for (query, variables, expected) in [
            (OWN, json!({}), json!({"many": 5})),
            (OWN, json!({"v": 6}), json!({"many": 6})),
            (PLACES, json!({}), json!({"few": 20})),
            (PLACES, json!({"v": 6}), json!({"few": 6})),
            (FIELDS, json!({}), json!({"sum": 8})),
            (FIELDS, json!({"v": 6}), json!({"sum": 7})),
        ] {
            let answered = answer(query, variables).await.expect("an answer");
            assert_eq!(answered.data.into_json().expect("JSON"), expected, "{query}");
        }
        let null = json!({"v": null});
        let refused = answer(OWN, null.clone()).await.expect_err("null");
        assert_eq!(refused, "Variable \"$v\" must not be null.");
        // Where it may be left out, null is the field's error.
        let answered = answer(PLACES, null).await.expect("an answer");
        assert_eq!(answered.data, async_graphql::Value::Null);
        assert_eq!(answered.errors.len(), 1, "{:?}", answered.errors);
        assert_eq!(answered.errors[0].path, [PathSegment::Field("few".to_owned())]);
    }

    #[tokio::test]
    async fn what_is_written_beside_a_variable_is_looked_at_too() {
        for (query, told) in [
            (
                "query($v: Int!) { sum(part: {needed: $v, nonsense: 1}) }",
                "\"part\" at nonsense has a field that",
            ),
            ("query($v: Int!) { sum(part: {usual: $v}) }", "\"part\" at needed is missing"),
            ("query($v: Int!) { sum(part: {needed: $v, usual: \"x\"}) }", "at usual must be of the type Int"),
            (
                "query($v: Int!) { parts(parts: [{needed: $v}, {needed: null}]) }",
                "at 1.needed must not be null",
            ),
            ("query($v: Int!) { parts(parts: [{needed: $v}, 7]) }", "at 1 must be of the type Part"),
            ("query($v: Int!) { sum(part: [$v]) }", "\"part\" must be of the type Part"),
            ("query($v: Int!) { found(by: {number: $v, name: \"x\"}) }", "must have exactly one field"),
            // Where there is none at all, too.
            ("{ sum(part: 7) }", "\"part\" must be of the type Part"),
        ] {
            let refused = answer(query, json!({"v": 1})).await.expect_err("refused");
            assert!(refused.starts_with("Argument ") && refused.contains(told), "{query}: {refused}");
        }
    }
}
