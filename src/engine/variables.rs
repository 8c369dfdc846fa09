//! Fits a caller's variables to what the operation declares, before anything runs, as the GraphQL specification's
//! "Coercing Variable Values" has it.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{BaseType, Type, VariableDefinition};
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Positioned, ServerError, Value, Variables};

/// The declared variables, each of its type; defaults are filled in, and what is not declared is left out.
///
/// # Errors
/// One for each variable that is missing or does not fit.
pub(super) fn fit(
    registry: &Registry,
    declared: &[Positioned<VariableDefinition>],
    mut given: Variables,
) -> Result<Variables, Vec<ServerError>> {
    let mut fitted = Variables::default();
    let mut errors = Vec::new();
    for definition in declared {
        let VariableDefinition { name, var_type, default_value, .. } = &definition.node;
        let name = &name.node;
        let mut refuse = |why: String| {
            errors.push(ServerError::new(format!("Variable \"${name}\" {why}."), Some(definition.pos)));
        };
        match (given.remove(name), default_value) {
            (None, Some(default)) => {
                fitted.insert(name.clone(), default.node.clone());
            }
            (None, None) if var_type.node.nullable => {}
            (None, None) => refuse(format!("of the type {} was not given", var_type.node)),
            (Some(value), _) => match check_declared(registry, &var_type.node, &value) {
                Ok(()) => {
                    fitted.insert(name.clone(), value);
                }
                Err(misfit) => refuse(misfit.to_string()),
            },
        }
    }
    if errors.is_empty() { Ok(fitted) } else { Err(errors) }
}

/// Where in a value what is wrong.
pub(super) struct Misfit {
    /// From the innermost outwards.
    path: Vec<String>,
    why: String,
}

impl Misfit {
    fn new(why: impl Into<String>) -> Self {
        Self { path: Vec::new(), why: why.into() }
    }

    pub fn expected(what: &str) -> Self {
        Self::new(format!("must be of the type {what}"))
    }

    pub fn one_of(name: &str) -> Self {
        Self::new(format!("must have exactly one field of {name}, and that not null"))
    }

    pub fn below(mut self, segment: impl Into<String>) -> Self {
        self.path.push(segment.into());
        self
    }
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.path.is_empty() {
            let path: Vec<_> = self.path.iter().rev().map(String::as_str).collect();
            write!(formatter, "at {} ", path.join("."))?;
        }
        formatter.write_str(&self.why)
    }
}

/// By the type as the document declares it.
pub(super) fn check_declared(registry: &Registry, declared: &Type, value: &Value) -> Result<(), Misfit> {
    match (value, &declared.base) {
        (Value::Null, _) if declared.nullable => Ok(()),
        (Value::Null, _) => Err(Misfit::new("must not be null")),
        (Value::List(items), BaseType::List(of)) => {
            check_items(items, |item| check_declared(registry, of, item))
        }
        // One value stands for a list of it.
        (value, BaseType::List(of)) => check_declared(registry, of, value),
        (value, BaseType::Named(name)) => check_named(registry, name, value),
    }
}

/// By the type as the schema has it: `[Int!]`.
pub(super) fn check_typed(registry: &Registry, typed: &str, value: &Value) -> Result<(), Misfit> {
    match (MetaTypeName::create(typed), value) {
        (MetaTypeName::NonNull(_), Value::Null) => Err(Misfit::new("must not be null")),
        (_, Value::Null) => Ok(()),
        (MetaTypeName::NonNull(typed), value) => check_typed(registry, typed, value),
        (MetaTypeName::List(typed), Value::List(items)) => {
            check_items(items, |item| check_typed(registry, typed, item))
        }
        (MetaTypeName::List(typed), value) => check_typed(registry, typed, value),
        (MetaTypeName::Named(name), value) => check_named(registry, name, value),
    }
}

fn check_items(items: &[Value], check: impl Fn(&Value) -> Result<(), Misfit>) -> Result<(), Misfit> {
    let check =
        |(index, item): (usize, &Value)| check(item).map_err(|misfit| misfit.below(index.to_string()));
    items.iter().enumerate().try_for_each(check)
}

fn check_named(registry: &Registry, name: &str, value: &Value) -> Result<(), Misfit> {
    let ty = registry.types.get(name);
    let fits = match ty {
        Some(MetaType::Scalar { is_valid, .. }) => match (name, value) {
            ("Int", Value::Number(number)) => {
                number.as_i64().is_some_and(|number| i32::try_from(number).is_ok())
            }
            _ => is_valid.as_ref().is_none_or(|is_valid| is_valid(value)),
        },
        Some(MetaType::Enum { enum_values, .. }) => match value {
            Value::Enum(member) => enum_values.contains_key(member.as_str()),
            Value::String(member) => enum_values.contains_key(member.as_str()),
            _ => false,
        },
        Some(MetaType::InputObject { input_fields, oneof, .. }) => {
            let Value::Object(fields) = value else {
                return Err(Misfit::expected(name));
            };
            check_fields(name, input_fields, fields)?;
            for (field, value) in fields {
                if let Some(known) = input_fields.get(field.as_str()) {
                    check_typed(registry, &known.ty, value).map_err(|misfit| misfit.below(field.as_str()))?;
                }
            }
            return if *oneof { check_one_of(name, fields) } else { Ok(()) };
        }
        // The document was checked: a variable's type is an input type of the schema.
        _ => false,
    };
    if fits {
        return Ok(());
    }
    // A scalar whose form its name does not tell says it in a tag, `form=…`.
    match ty {
        Some(MetaType::Scalar { tags, .. }) => match tags.iter().find_map(|tag| tag.strip_prefix("form=")) {
            Some(form) => Err(Misfit::new(format!("must be of the type {name}, {form}"))),
            None => Err(Misfit::expected(name)),
        },
        _ => Err(Misfit::expected(name)),
    }
}

/// That an input has no fields but those of its type, and all that it must have.
pub(super) fn check_fields<V>(
    name: &str,
    known: &IndexMap<String, MetaInputValue>,
    given: &IndexMap<Name, V>,
) -> Result<(), Misfit> {
    if let Some(field) = given.keys().find(|field| !known.contains_key(field.as_str())) {
        return Err(Misfit::new(format!("has a field that {name} does not have")).below(field.as_str()));
    }
    let missing = known.values().find(|field| {
        let required = field.ty.ends_with('!') && field.default_value.is_none();
        required && !given.contains_key(field.name.as_str())
    });
    missing.map_or(Ok(()), |field| Err(Misfit::new("is missing").below(field.name.as_str())))
}

fn check_one_of(name: &str, fields: &IndexMap<Name, Value>) -> Result<(), Misfit> {
    match fields.values().next() {
        Some(value) if fields.len() == 1 && *value != Value::Null => Ok(()),
        _ => Err(Misfit::one_of(name)),
    }
}
