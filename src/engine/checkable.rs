//! What async-graphql's validation does not look at, or not soon enough: `__typename`, and how variables are declared. A
//! document is checked in a copy in which it does.

use async_graphql::parser::types::{
    BaseType, ExecutableDocument, Field, InlineFragment, Selection, SelectionSet, VariableDefinition,
};
use async_graphql::registry::Registry;
use async_graphql::{Positioned, ServerError};

use super::documents::selections_mut;
use super::variables::check_declared;

/// The copy: `__typename @include(if: $a)` is `... @include(if: $a) { __typename }` there, which is the same.
///
/// # Errors
/// For what `__typename` and a variable's declaration can't have.
pub(super) fn checkable(
    registry: &Registry,
    document: &ExecutableDocument,
) -> Result<ExecutableDocument, ServerError> {
    for (_, operation) in document.operations.iter() {
        for variable in &operation.node.variable_definitions {
            check_variable(registry, variable)?;
        }
    }
    let mut copy = document.clone();
    for set in selections_mut(&mut copy) {
        rewrite(set)?;
    }
    Ok(copy)
}

fn rewrite(set: &mut SelectionSet) -> Result<(), ServerError> {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) if field.node.name.node == "__typename" => {
                check(field)?;
                if !field.node.directives.is_empty() {
                    let directives = std::mem::take(&mut field.node.directives);
                    let alone = Positioned::new(Selection::Field(field.clone()), selection.pos);
                    let selection_set = Positioned::new(SelectionSet { items: vec![alone] }, selection.pos);
                    let fragment = InlineFragment { type_condition: None, directives, selection_set };
                    selection.node = Selection::InlineFragment(Positioned::new(fragment, selection.pos));
                }
            }
            Selection::Field(field) => rewrite(&mut field.node.selection_set.node)?,
            Selection::InlineFragment(fragment) => rewrite(&mut fragment.node.selection_set.node)?,
            Selection::FragmentSpread(_) => {}
        }
    }
    Ok(())
}

fn check_variable(registry: &Registry, variable: &Positioned<VariableDefinition>) -> Result<(), ServerError> {
    let VariableDefinition { name, var_type, directives, default_value } = &variable.node;
    if let Some(directive) = directives.first() {
        let message = format!("Directive \"{}\" may not be used on a variable.", directive.node.name.node);
        return Err(ServerError::new(message, Some(directive.pos)));
    }
    let mut base = &var_type.node.base;
    while let BaseType::List(of) = base {
        base = &of.base;
    }
    if let BaseType::Named(ty) = base
        && !registry.types.contains_key(ty.as_str())
    {
        // A default in a list of such a type would end the check by a panic.
        return Err(ServerError::new(format!("Unknown type \"{ty}\""), Some(variable.pos)));
    }
    let Some(default) = default_value else { return Ok(()) };
    check_declared(registry, &var_type.node, &default.node).map_err(|misfit| {
        ServerError::new(format!("The default of variable \"${}\" {misfit}.", name.node), Some(default.pos))
    })
}

fn check(field: &Positioned<Field>) -> Result<(), ServerError> {
    if let Some((name, _)) = field.node.arguments.first() {
        let message = format!("Unknown argument \"{}\" on field \"__typename\".", name.node);
        return Err(ServerError::new(message, Some(name.pos)));
    }
    if !field.node.selection_set.node.items.is_empty() {
        let message = "Field \"__typename\" must not have a selection, since it is a String.";
        return Err(ServerError::new(message, Some(field.pos)));
    }
    Ok(())
}
