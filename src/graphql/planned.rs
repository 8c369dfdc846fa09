//! Objects that are written by a plan.
//!
//! async-graphql makes a future on the heap for every field, and a tree of values for every answer. A list of a hundred
//! cards has thousands of fields, and nearly all of them only read what is there. Here a list's selection is walked
//! once; fields that are [`Plan::PLAIN`] are written straight into the answer's bytes, and only the others, which load
//! something, become futures that run side by side.

use std::borrow::Cow;

use async_graphql::indexmap::map::Entry;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ID, OutputType, Positioned, Result, ServerError,
    ServerResult, Value,
};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all, try_join_all};

use super::json::{Json, as_tree};
use super::lists::check_length;
use super::loaders::Loaders;
use crate::error;

/// An object type that knows which of its fields wait for nothing. Made by [`plan!`].
pub trait Plan: ContainerType + OutputType + Sized + 'static {
    /// The fields, by their names in the schema, that only read what the object holds. One that is left out is as
    /// right, but slower; one that loads something can't be here.
    const PLAIN: &'static [&'static str];

    /// Writes the value of the plain field at this position.
    fn write(&self, plain: usize, at: &At<'_>, json: &mut Json);

    /// Fields that are plain too once what they load was loaded for the whole list.
    const WARMED: &'static [Warmed<Self>] = &[];
}

/// A field without arguments that finds an object by a key.
pub struct Warmed<T: 'static> {
    pub name: &'static str,
    /// Whether all that is selected of the object is plain.
    pub is_plain: fn(&ContextSelectionSet<'_>) -> bool,
    /// Loads the objects of all items.
    pub load: for<'a> fn(&'a Loaders, &'a [T]) -> BoxFuture<'a, error::Result<()>>,
    /// Writes an item's object, which was loaded.
    pub write: fn(&T, &At<'_>, &mut Json),
}

/// Whether what is selected of an object of this type waits for nothing.
pub fn is_plain<T: Plan>(context: &ContextSelectionSet<'_>) -> bool {
    Selected::of::<T>(context).is_ok_and(|selected| selected.is_plain())
}

/// An object that is written by its plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned<T>(pub T);

/// A list of objects that are written by one plan.
#[derive(Debug, Clone)]
pub struct Items<T>(pub Vec<T>);

impl<T, S: Into<T>> FromIterator<S> for Items<T> {
    fn from_iter<I: IntoIterator<Item = S>>(items: I) -> Self {
        Self(items.into_iter().map(Into::into).collect())
    }
}

/// In the data of a request whose document selects a field of the same key twice: what is written would be in the way
/// of async-graphql, which merges the two.
pub struct InTrees;

/// Where a value is written: for objects, which need to know what is selected of them.
pub struct At<'a> {
    context: &'a ContextSelectionSet<'a>,
    /// More than one, where the field is selected again.
    fields: &'a [&'a Positioned<Field>],
}

impl At<'_> {
    /// The context of a resolver.
    pub fn resolver(&self) -> Context<'_> {
        self.context.with_field(self.fields[0])
    }

    pub fn loaders(&self) -> Option<&Loaders> {
        self.context.data_opt()
    }
}

/// A value that is known.
pub trait Write {
    fn write(&self, at: &At<'_>, json: &mut Json);
}

/// One selection over objects of one type: its fields, those of its fragments included, in their order.
struct Selected<'a>(Vec<SelectedField<'a>>);

struct SelectedField<'a> {
    fields: Vec<&'a Positioned<Field>>,
    answered: Answered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answered {
    ByTypeName,
    /// By the plain field at this position.
    InPlace(usize),
    /// By the field at this position among those that were loaded for the whole list.
    Warmed(usize),
    Later,
}

impl<'a> Selected<'a> {
    fn of<T: Plan>(context: &ContextSelectionSet<'a>) -> ServerResult<Self> {
        let mut selected = Self(Vec::with_capacity(context.item.node.items.len()));
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
                    self.add_field::<T>(context, field);
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

    fn add_field<T: Plan>(&mut self, context: &ContextSelectionSet<'a>, field: &'a Positioned<Field>) {
        let key = &field.node.response_key().node;
        let known = self.0.iter_mut().find(|known| known.fields[0].node.response_key().node == *key);
        if let Some(known) = known {
            // The same field with the same arguments, as validation has seen: with other fields below it, if any.
            known.fields.push(field);
            if matches!(known.answered, Answered::Warmed(_)) {
                known.answered = Answered::Later;
            }
            return;
        }
        let name = field.node.name.node.as_str();
        let warmed = |warmed: &Warmed<T>| {
            warmed.name == name && (warmed.is_plain)(&context.with_selection_set(&field.node.selection_set))
        };
        let answered = if name == "__typename" {
            Answered::ByTypeName
        } else if let Some(plain) = T::PLAIN.iter().position(|plain| *plain == name) {
            Answered::InPlace(plain)
        } else if let Some(warm) = T::WARMED.iter().position(warmed) {
            Answered::Warmed(warm)
        } else {
            Answered::Later
        };
        self.0.push(SelectedField { fields: vec![field], answered });
    }

    fn is_plain(&self) -> bool {
        self.0.iter().all(|field| matches!(field.answered, Answered::ByTypeName | Answered::InPlace(_)))
    }

    /// The fields that load something, in their order; one that is selected again comes again.
    fn later(&self) -> impl Iterator<Item = &'a Positioned<Field>> {
        self.0
            .iter()
            .filter(|field| field.answered == Answered::Later)
            .flat_map(|field| field.fields.iter().copied())
    }

    /// The values of the fields that load something, item by item.
    async fn load<T: Plan>(
        &self,
        context: &ContextSelectionSet<'_>,
        items: &[T],
        in_list: bool,
    ) -> ServerResult<Vec<Vec<Option<Value>>>> {
        let warmed = self.0.iter().enumerate().filter_map(|(position, field)| match field.answered {
            Answered::Warmed(warmed) => Some((position, field.fields[0], warmed)),
            _ => None,
        });
        let warm = warmed.map(|(position, field, warmed)| async move {
            let loaders = context.with_field(field).data_opt::<Loaders>();
            let loaded = match loaders {
                Some(loaders) => (T::WARMED[warmed].load)(loaders, items).await.is_ok(),
                None => false,
            };
            (!loaded).then_some(position)
        });
        let warm = join_all(warm.collect::<Vec<_>>());
        // Fields with arguments load beside them, in the same step.
        let later: Vec<_> = self.later().collect();
        let load_item = |(index, item)| {
            let later = &later;
            async move {
                let context = if in_list { &context.with_index(index) } else { context };
                let load = |field| async move { T::resolve_field(item, &context.with_field(field)).await };
                try_join_all(later.iter().map(|field| load(*field))).await
            }
        };
        let loads = (!later.is_empty()).then(|| try_join_all(items.iter().enumerate().map(load_item)));
        let (failed, loaded) = futures_util::join!(warm, async {
            match loads {
                Some(loads) => loads.await,
                None => Ok(Vec::new()),
            }
        });
        // What could not be loaded for all is an error of each, which the field itself tells best. Where it can be loaded
        // after all, it is known now.
        for position in failed.into_iter().flatten() {
            let field = self.0[position].fields[0];
            let load_item = |(index, item)| async move {
                let context = if in_list { &context.with_index(index) } else { context };
                T::resolve_field(item, &context.with_field(field)).await
            };
            try_join_all(items.iter().enumerate().map(load_item)).await?;
        }
        loaded
    }

    /// Writes an object, whose loaded values are given.
    fn write<T: Plan>(
        &self,
        context: &ContextSelectionSet<'_>,
        object: &T,
        loaded: Vec<Option<Value>>,
        json: &mut Json,
    ) {
        let mut loaded = loaded.into_iter().map(Option::unwrap_or_default);
        json.raw(b"{");
        for (position, SelectedField { fields, answered }) in self.0.iter().enumerate() {
            // A name has nothing to be escaped.
            json.comma(position).raw(b"\"").raw(fields[0].node.response_key().node.as_bytes()).raw(b"\":");
            match answered {
                Answered::ByTypeName => {
                    json.plain(&*<T as OutputType>::type_name());
                }
                Answered::InPlace(plain) => object.write(*plain, &At { context, fields }, json),
                Answered::Warmed(warmed) => {
                    (T::WARMED[*warmed].write)(object, &At { context, fields }, json);
                }
                Answered::Later if fields.len() == 1 => {
                    json.value(&loaded.next().unwrap_or_default());
                }
                Answered::Later => {
                    let mut values = loaded.by_ref().take(fields.len()).map(as_tree);
                    let mut merged = values.next().unwrap_or_default();
                    values.for_each(|value| merge(&mut merged, value));
                    json.value(&merged);
                }
            }
        }
        json.raw(b"}");
    }
}

/// Brings what two selections of one field answered together.
fn merge(there: &mut Value, value: Value) {
    match (there, as_tree(value)) {
        (Value::Object(there), Value::Object(fields)) => {
            for (name, value) in fields {
                match there.entry(name) {
                    Entry::Vacant(entry) => {
                        entry.insert(value);
                    }
                    Entry::Occupied(mut entry) => merge(entry.get_mut(), value),
                }
            }
        }
        (Value::List(there), Value::List(items)) => {
            there.iter_mut().zip(items).for_each(|(there, item)| merge(there, item));
        }
        // Two selections of one leaf are the same value.
        _ => {}
    }
}

fn finished(context: &ContextSelectionSet<'_>, json: Json) -> Value {
    let value = json.into_value();
    if context.data_opt::<InTrees>().is_some() { as_tree(value) } else { value }
}

impl<T: Plan> OutputType for Planned<T> {
    fn type_name() -> Cow<'static, str> {
        <T as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        let selected = Selected::of::<T>(context)?;
        let mut loaded = Vec::new();
        if !selected.is_plain() {
            loaded = selected.load(context, std::slice::from_ref(&self.0), false).await?;
        }
        let mut json = Json::default();
        selected.write(context, &self.0, loaded.pop().unwrap_or_default(), &mut json);
        Ok(finished(context, json))
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

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let selected = Selected::of::<T>(context)?;
        let mut loaded = Vec::new();
        if !selected.is_plain() {
            loaded = selected.load(context, &self.0, true).await?;
        }
        let mut loaded = loaded.into_iter();
        let mut json = Json::default();
        json.raw(b"[");
        for (index, item) in self.0.iter().enumerate() {
            json.comma(index);
            selected.write(context, item, loaded.next().unwrap_or_default(), &mut json);
            check_length(context, field, json.length())?;
            // Writing waits for nothing: without this no deadline could end it, and nobody else would have a turn.
            tokio::task::coop::consume_budget().await;
        }
        json.raw(b"]");
        Ok(finished(context, json))
    }
}

/// The value of a resolver that waits for nothing and can't fail.
pub fn at_once<T>(resolver: impl Future<Output = Result<T>>) -> Option<T> {
    let value = resolver.now_or_never();
    debug_assert!(matches!(value, Some(Ok(_))), "a plain field waits for something, or fails");
    value?.ok()
}

/// For objects of which only plain fields can be selected: those that have no others, and those that were warmed.
impl<T: Plan> Write for Planned<T> {
    fn write(&self, at: &At<'_>, json: &mut Json) {
        let mut selected = Selected(Vec::new());
        for field in at.fields {
            let context = at.context.with_selection_set(&field.node.selection_set);
            // Fragments that are not there do not pass validation.
            let _ = selected.add::<T>(&context, &field.node.selection_set, &<T as OutputType>::type_name());
        }
        selected.write(at.context, &self.0, Vec::new(), json);
    }
}

impl<T: Write> Write for Option<T> {
    fn write(&self, at: &At<'_>, json: &mut Json) {
        match self {
            Some(value) => value.write(at, json),
            None => {
                json.raw(b"null");
            }
        }
    }
}

impl<T: Write> Write for Vec<T> {
    fn write(&self, at: &At<'_>, json: &mut Json) {
        json.raw(b"[");
        for (position, item) in self.iter().enumerate() {
            item.write(at, json.comma(position));
        }
        json.raw(b"]");
    }
}

impl<T: Write + ?Sized> Write for &T {
    fn write(&self, at: &At<'_>, json: &mut Json) {
        (**self).write(at, json);
    }
}

impl Write for ID {
    fn write(&self, at: &At<'_>, json: &mut Json) {
        self.as_str().write(at, json);
    }
}

macro_rules! written_as_it_is {
    ($($type:ty),*) => {
        $(impl Write for $type {
            fn write(&self, _: &At<'_>, json: &mut Json) {
                json.plain(self);
            }
        })*
    };
}

written_as_it_is!(str, String, bool, i32, f64);

/// The name of a value of an enum.
pub fn enum_name<T: async_graphql::resolver_utils::EnumType>(value: &T) -> &'static str {
    T::items().iter().find(|item| item.value == *value).map_or("", |item| item.name)
}

/// Says which fields of a type are plain, each by its name in the schema, and how each is read: `methods` of an
/// `Object`, `fields` of a `SimpleObject`. Those that are `warmed` find an object of a type by a key, with a loader.
macro_rules! plan {
    ($type:ty: methods { $($name:literal => $method:ident),* $(,)? } $(warmed $warmed:tt)?) => {
        $crate::graphql::planned::plan!(
            @ $type, { $($name),* },
            |this, plain, at, json| match plain {
                $($name => $crate::graphql::planned::at_once(this.$method(&at.resolver())).write(at, json),)*
                _ => {}
            },
            $($warmed)?
        );
    };
    ($type:ty: fields { $($name:literal => $field:ident),* $(,)? } $(warmed $warmed:tt)?) => {
        $crate::graphql::planned::plan!(
            @ $type, { $($name),* },
            |this, plain, at, json| match plain {
                $($name => this.$field.write(at, json),)*
                _ => {}
            },
            $($warmed)?
        );
    };
    (
        @ $type:ty, { $($name:literal),* }, |$this:ident, $plain:ident, $at:ident, $json:ident| $write:expr,
        $({ $($warmed:literal => $object:ident, $loader:ident, $key:expr);* $(;)? })?
    ) => {
        impl $crate::graphql::planned::Plan for $type {
            const PLAIN: &'static [&'static str] = &[$($name),*];

            fn write(&self, plain: usize, $at: &$crate::graphql::planned::At<'_>, $json: &mut $crate::graphql::json::Json) {
                use $crate::graphql::planned::Write;
                let ($this, $plain) = (self, Self::PLAIN[plain]);
                $write
            }

            $(const WARMED: &'static [$crate::graphql::planned::Warmed<Self>] = &[$(
                $crate::graphql::planned::Warmed {
                    name: $warmed,
                    is_plain: $crate::graphql::planned::is_plain::<$object>,
                    load: |loaders, items| {
                        Box::pin(async move {
                            let key: fn(&Self) -> _ = $key;
                            loaders.$loader.require(items.iter().map(key).collect()).await
                        })
                    },
                    write: |item, at, json| {
                        use $crate::graphql::planned::{Planned, Write};
                        let key: fn(&Self) -> _ = $key;
                        let known = at.loaders().and_then(|loaders| loaders.$loader.known(&key(item)));
                        known.map(|known| Planned($object::from(known))).write(at, json);
                    },
                }
            ),*];)?
        }
    };
}

pub(crate) use plan;
