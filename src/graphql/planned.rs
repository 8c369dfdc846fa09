//! Objects whose plain fields are answered in place.
//!
//! async-graphql makes a future on the heap for every field. A list of a hundred cards has thousands, and nearly all
//! of them only read a value that is there. Here a list's selection is walked once; fields that are [`Plan::PLAIN`] are
//! answered as they come, and only the others, which load something, become futures that run side by side.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::indexmap::map::Entry;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{
    ContainerType, ContextSelectionSet, Name, OutputType, Positioned, ServerError, ServerResult, Value,
};
use futures_util::future::try_join_all;

/// An object type that knows which of its fields wait for nothing.
pub trait Plan: ContainerType + OutputType {
    /// The fields, by their names in the schema, that only read what the object holds. One that is left out is as
    /// right, but slower; one that loads something must not be here, or it would load by itself.
    const PLAIN: &'static [&'static str];
}

/// An object that is answered by its plan.
#[derive(Debug, Clone)]
pub struct Planned<T>(pub T);

/// A list of objects that are answered by one plan.
#[derive(Debug, Clone)]
pub struct Items<T>(pub Vec<T>);

impl<T, S: Into<T>> FromIterator<S> for Items<T> {
    fn from_iter<I: IntoIterator<Item = S>>(items: I) -> Self {
        Self(items.into_iter().map(Into::into).collect())
    }
}

/// One selection over objects of one type: its fields, those of its fragments included, in their order.
struct Selected<'a> {
    fields: Vec<(&'a Positioned<Field>, Answered)>,
    /// How many of them are [`Answered::Later`].
    later: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answered {
    ByTypeName,
    InPlace,
    Later,
}

impl<'a> Selected<'a> {
    fn of<T: Plan>(context: &ContextSelectionSet<'a>) -> ServerResult<Self> {
        let mut selected = Self { fields: Vec::new(), later: 0 };
        selected.add::<T>(context, context.item, &<T as OutputType>::type_name())?;
        Ok(selected)
    }

    fn add<T: Plan>(
        &mut self,
        context: &ContextSelectionSet<'a>,
        set: &'a Positioned<SelectionSet>,
        type_name: &str,
    ) -> ServerResult<()> {
        for selection in &set.node.items {
            let (condition, set) = match &selection.node {
                Selection::Field(field) => {
                    let answered = match field.node.name.node.as_str() {
                        "__typename" => Answered::ByTypeName,
                        name if T::PLAIN.contains(&name) => Answered::InPlace,
                        _ => Answered::Later,
                    };
                    self.later += usize::from(answered == Answered::Later);
                    self.fields.push((field, answered));
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    (fragment.node.type_condition.as_ref(), &fragment.node.selection_set)
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let fragment = context.query_env.fragments.get(name).ok_or_else(|| {
                        ServerError::new(format!("Unknown fragment \"{name}\"."), Some(spread.pos))
                    })?;
                    (Some(&fragment.node.type_condition), &fragment.node.selection_set)
                }
            };
            let applies = condition.is_none_or(|condition| {
                let condition = condition.node.on.node.as_str();
                let implements = &context.schema_env.registry.implements;
                condition == type_name || implements.get(type_name).is_some_and(|all| all.contains(condition))
            });
            if applies {
                self.add::<T>(context, set, type_name)?;
            }
        }
        Ok(())
    }

    async fn resolve<T: Plan>(&self, context: &ContextSelectionSet<'_>, object: &T) -> ServerResult<Value> {
        let mut values = Vec::with_capacity(self.fields.len());
        let mut later = Vec::with_capacity(self.later);
        for (field, answered) in &self.fields {
            values.push(match answered {
                Answered::ByTypeName => Value::from(<T as OutputType>::type_name()),
                Answered::InPlace => {
                    object.resolve_field(&context.with_field(field)).await?.unwrap_or_default()
                }
                Answered::Later => {
                    later.push(async move { object.resolve_field(&context.with_field(field)).await });
                    Value::Null
                }
            });
        }
        let mut later = try_join_all(later).await?.into_iter();
        let mut answer = IndexMap::with_capacity(values.len());
        for ((field, answered), value) in self.fields.iter().zip(values) {
            let value = match answered {
                Answered::Later => later.next().flatten().unwrap_or_default(),
                Answered::ByTypeName | Answered::InPlace => value,
            };
            merge(&mut answer, field.node.response_key().node.clone(), value);
        }
        Ok(Value::Object(answer))
    }
}

/// Adds a field's value; where the same field was selected before, with other fields below it, both are in the answer.
fn merge(answer: &mut IndexMap<Name, Value>, name: Name, value: Value) {
    match answer.entry(name) {
        Entry::Vacant(entry) => {
            entry.insert(value);
        }
        Entry::Occupied(mut entry) => merge_values(entry.get_mut(), value),
    }
}

fn merge_values(there: &mut Value, value: Value) {
    match (there, value) {
        (Value::Object(there), Value::Object(fields)) => {
            for (name, value) in fields {
                merge(there, name, value);
            }
        }
        (Value::List(there), Value::List(items)) => {
            for (there, item) in there.iter_mut().zip(items) {
                merge_values(there, item);
            }
        }
        // Two selections of one leaf are the same value.
        _ => {}
    }
}

impl<T: Plan> OutputType for Planned<T> {
    fn type_name() -> Cow<'static, str> {
        <T as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Selected::of::<T>(context)?.resolve(context, &self.0).await
    }
}

impl<T: Plan> OutputType for Items<T> {
    fn type_name() -> Cow<'static, str> {
        <Vec<T> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<T> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<T> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        let selected = Selected::of::<T>(context)?;
        if selected.later > 0 {
            let selected = &selected;
            let items =
                self.0.iter().enumerate().map(|(index, item)| async move {
                    selected.resolve(&context.with_index(index), item).await
                });
            return Ok(Value::List(try_join_all(items).await?));
        }
        let mut items = Vec::with_capacity(self.0.len());
        for (index, item) in self.0.iter().enumerate() {
            items.push(selected.resolve(&context.with_index(index), item).await?);
        }
        Ok(Value::List(items))
    }
}
