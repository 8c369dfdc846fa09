//! How long the lists are that a caller gives.
//!
//! Each argument that takes a list, and each field of an input that does, declares with `#[graphql(tag = "most=…")]` how
//! many items it may have. A list in a list has no place for it, so the schema may have none.

use std::collections::BTreeMap;

use async_graphql::indexmap::IndexMap;
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Variables};
use async_graphql_value::{ConstValue, Value};

use super::cost::{UNDECLARED, is_list, number};
use crate::error::Refusal;

/// # Errors
/// ERR-3002 for the first list in an argument's value that is longer than it may be.
pub(super) fn check(
    registry: &Registry,
    variables: &Variables,
    argument: &MetaInputValue,
    given: &Value,
) -> Result<(), Refusal> {
    let walk = Walk { registry, variables };
    walk.value(declared(argument), &argument.ty, given).map_err(|too_long| {
        let most = too_long.most;
        let place = too_long.path.iter().rev().map(String::as_str);
        let place: Vec<_> = std::iter::once(argument.name.as_str()).chain(place).collect();
        Refusal::invalid_value(format!("{} takes {most} at most.", place.join(".")))
    })
}

/// A list with too many items.
struct TooLong {
    most: u64,
    /// Where in the argument, from the innermost outwards.
    path: Vec<String>,
}

impl TooLong {
    fn below(mut self, segment: impl Into<String>) -> Self {
        self.path.push(segment.into());
        self
    }
}

/// A value as a document has it, or as a variable brings it.
trait Given: Sized {
    fn variable(&self) -> Option<&Name>;
    fn items(&self) -> Option<&[Self]>;
    fn fields(&self) -> Option<&IndexMap<Name, Self>>;
}

impl Given for Value {
    fn variable(&self) -> Option<&Name> {
        match self {
            Self::Variable(name) => Some(name),
            _ => None,
        }
    }

    fn items(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    fn fields(&self) -> Option<&IndexMap<Name, Self>> {
        match self {
            Self::Object(fields) => Some(fields),
            _ => None,
        }
    }
}

impl Given for ConstValue {
    fn variable(&self) -> Option<&Name> {
        None
    }

    fn items(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    fn fields(&self) -> Option<&IndexMap<Name, Self>> {
        match self {
            Self::Object(fields) => Some(fields),
            _ => None,
        }
    }
}

struct Walk<'a> {
    registry: &'a Registry,
    variables: &'a Variables,
}

impl Walk<'_> {
    /// `most` is what the place declares that the value stands in.
    fn value<G: Given>(&self, most: Option<u64>, ty: &str, given: &G) -> Result<(), TooLong> {
        if let Some(name) = given.variable() {
            return self.variables.get(name).map_or(Ok(()), |value| self.value(most, ty, value));
        }
        match MetaTypeName::create(ty) {
            MetaTypeName::NonNull(ty) => self.value(most, ty, given),
            MetaTypeName::List(of) => match given.items() {
                Some(items) => self.items(most.unwrap_or(UNDECLARED), of, items),
                // One value stands for a list of it.
                None => self.value(None, of, given),
            },
            MetaTypeName::Named(name) => match (self.registry.types.get(name), given.fields()) {
                (Some(MetaType::InputObject { input_fields, .. }), Some(fields)) => {
                    fields.iter().try_for_each(|(name, value)| match input_fields.get(name.as_str()) {
                        Some(known) => self
                            .value(declared(known), &known.ty, value)
                            .map_err(|too_long| too_long.below(name.as_str())),
                        None => Ok(()),
                    })
                }
                _ => Ok(()),
            },
        }
    }

    fn items<G: Given>(&self, most: u64, of: &str, items: &[G]) -> Result<(), TooLong> {
        if items.len() as u64 > most {
            return Err(TooLong { most, path: Vec::new() });
        }
        let named = self.registry.types.get(MetaTypeName::concrete_typename(of));
        if named.is_some_and(MetaType::is_leaf) && !is_list(of) {
            return Ok(());
        }
        let mut items = items.iter().enumerate();
        items.try_for_each(|(index, item)| {
            self.value(None, of, item).map_err(|too_long| too_long.below(index.to_string()))
        })
    }
}

/// How many items an argument, or a field of an input, says it takes.
fn declared(value: &MetaInputValue) -> Option<u64> {
    number(&value.tags)
}

/// What takes a list: an argument as `Type.field(argument)`, a field of an input as `Input.field`; and how many items at
/// most, where it says so.
pub fn lists_taken(registry: &Registry) -> BTreeMap<String, Option<u64>> {
    let mut found = BTreeMap::new();
    let mut add = |place: String, value: &MetaInputValue| {
        if !is_list(&value.ty) {
            return;
        }
        let is_flat = match MetaTypeName::create(value.ty.trim_end_matches('!')) {
            MetaTypeName::List(of) => !is_list(of),
            _ => true,
        };
        found.insert(place, declared(value).filter(|_| is_flat));
    };
    for ty in registry.types.values().filter(|ty| !ty.name().starts_with("__")) {
        if let MetaType::InputObject { input_fields, .. } = ty {
            for field in input_fields.values() {
                add(format!("{}.{}", ty.name(), field.name), field);
            }
        }
        for field in ty.fields().into_iter().flatten().map(|(_, field)| field) {
            for argument in field.args.values() {
                add(format!("{}.{}({})", ty.name(), field.name, argument.name), argument);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, InputObject, Object, Schema};
    use serde_json::json;

    use super::super::super::{Call, Engine};
    use super::*;
    use crate::config::{Environment, Settings};

    #[derive(InputObject)]
    struct Part {
        #[graphql(tag = "most=2")]
        marks: Option<Vec<i32>>,
        below: Option<Box<Part>>,
    }

    #[derive(InputObject)]
    struct Whole {
        #[graphql(tag = "most=3")]
        parts: Option<Vec<Part>>,
    }

    struct Query;

    #[Object]
    impl Query {
        async fn whole(&self, input: Option<Whole>) -> bool {
            input.is_some()
        }

        async fn marks(&self, #[graphql(tag = "most=2")] marks: Vec<i32>) -> usize {
            marks.len()
        }

        async fn unsaid(
            &self,
            plain: Vec<i32>,
            #[graphql(tag = "most=2")] deep: Option<Vec<Vec<i32>>>,
        ) -> usize {
            plain.len() + deep.map_or(0, |deep| deep.len())
        }
    }

    fn engine() -> Engine {
        let settings = Settings::read(&mut Environment::new([])).expect("settings");
        Engine::new(|| Schema::build(Query, EmptyMutation, EmptySubscription), &settings.guard)
    }

    /// What a query is refused with; nothing, where it is let in.
    async fn refused(query: &str, variables: serde_json::Value) -> Option<String> {
        let variables = Variables::from_json(variables);
        let call = Call { query: Some(query.to_owned()), variables, ..Call::default() };
        let refused = engine().prepare(call).await.err()?;
        Some(refused.into_errors().remove(0).message)
    }

    #[tokio::test]
    async fn a_list_is_as_long_as_its_argument_says_however_it_is_given() {
        let too_long = Some("marks takes 2 at most.".to_owned());
        assert_eq!(refused("{ marks(marks: [1, 2]) }", json!({})).await, None);
        assert_eq!(refused("{ marks(marks: 1) }", json!({})).await, None);
        assert_eq!(refused("{ marks(marks: [1, 2, 3]) }", json!({})).await, too_long);
        let in_fragment = "{ ...F } fragment F on Query { marks(marks: [1, 2, 3]) }";
        assert_eq!(refused(in_fragment, json!({})).await, too_long);
        let of_variables = "query($m: Int!) { marks(marks: [$m, $m, $m]) }";
        assert_eq!(refused(of_variables, json!({"m": 1})).await, too_long);
        let by_variable = "query($m: [Int!]!) { marks(marks: $m) }";
        assert_eq!(refused(by_variable, json!({"m": [1, 2]})).await, None);
        assert_eq!(refused(by_variable, json!({"m": [1, 2, 3]})).await, too_long);
        let by_default = "query($m: [Int!]! = [1, 2, 3]) { marks(marks: $m) }";
        assert_eq!(refused(by_default, json!({"m": []})).await, None);
        assert_eq!(refused(by_default, json!({})).await, too_long);
    }

    #[tokio::test]
    async fn a_list_in_an_input_is_as_long_as_its_field_says_however_deep_it_is() {
        let too_long = |place: &str| Some(format!("input.{place} at most."));
        let written = "{ whole(input: {parts: [{marks: [1, 2]}, {below: {marks: [1, 2, 3]}}]}) }";
        assert_eq!(refused(written, json!({})).await, too_long("parts.1.below.marks takes 2"));
        let partly = "query($p: [Part!], $m: [Int!]) { whole(input: {parts: $p}) b: whole(input: {parts: [{marks: $m}]}) }";
        assert_eq!(refused(partly, json!({"p": [{"marks": [1, 2]}, {}, {}], "m": [1, 2]})).await, None);
        assert_eq!(refused(partly, json!({"p": [{}, {}, {}, {}]})).await, too_long("parts takes 3"));
        assert_eq!(
            refused(partly, json!({"p": [{}, {"marks": [1, 2, 3]}]})).await,
            too_long("parts.1.marks takes 2")
        );
        assert_eq!(refused(partly, json!({"m": [1, 2, 3]})).await, too_long("parts.0.marks takes 2"));
        let whole = "query($i: Whole) { whole(input: $i) }";
        assert_eq!(refused(whole, json!({"i": {"parts": [{}, {}, {}]}})).await, None);
        assert_eq!(
            refused(whole, json!({"i": {"parts": [{}, {}, {}, {}]}})).await,
            too_long("parts takes 3")
        );
        assert_eq!(
            refused(whole, json!({"i": {"parts": {"marks": [1, 2, 3]}}})).await,
            too_long("parts.marks takes 2")
        );
        assert_eq!(refused(whole, json!({"i": null})).await, None);
        assert_eq!(refused(whole, json!({})).await, None);
    }

    #[tokio::test]
    async fn a_list_of_which_nothing_is_said_has_a_hundred_items() {
        let query = "query($p: [Int!]!) { unsaid(plain: $p) }";
        assert_eq!(refused(query, json!({"p": vec![1; 100]})).await, None);
        assert_eq!(
            refused(query, json!({"p": vec![1; 101]})).await,
            Some("plain takes 100 at most.".to_owned())
        );
        let query = "query($d: [[Int!]!]) { unsaid(plain: [], deep: $d) }";
        assert_eq!(refused(query, json!({"d": [vec![1; 100], []]})).await, None);
        assert_eq!(
            refused(query, json!({"d": [[], vec![1; 101]]})).await,
            Some("deep.1 takes 100 at most.".to_owned())
        );
    }

    #[test]
    fn each_list_that_is_taken_is_found_with_what_it_says() {
        let engine = engine();
        let expected = [
            ("Part.marks", Some(2)),
            ("Query.marks(marks)", Some(2)),
            // A list in a list is none that says how long it may be.
            ("Query.unsaid(deep)", None),
            ("Query.unsaid(plain)", None),
            ("Whole.parts", Some(3)),
        ];
        let expected: BTreeMap<String, Option<u64>> =
            expected.map(|(place, most)| (place.to_owned(), most)).into();
        assert_eq!(engine.lists_taken(), expected);
        assert_eq!(engine.unbounded_lists(), ["Query.unsaid(deep)", "Query.unsaid(plain)"]);
        let bounded = engine.bounding(&[("Query", "unsaid", "plain", 7)]);
        assert_eq!(bounded.lists_taken().get("Query.unsaid(plain)"), Some(&Some(7)));
        assert_eq!(bounded.unbounded_lists(), ["Query.unsaid(deep)"]);
    }
}
