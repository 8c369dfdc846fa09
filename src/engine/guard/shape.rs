//! The figures of a document that do not depend on its variables.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, FragmentDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Pos, Positioned, ServerError};

use super::refused;
use crate::error::{Code, Refusal};

/// What a document comes to with its fragments written out; of several operations, the most of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    pub operations: u64,
    pub fragments: u64,
    pub variables: u64,
    /// Levels of fields; a root field is the first.
    pub depth: u64,
    pub aliases: u64,
    pub root_fields: u64,
    /// On one place.
    pub directives: u64,
    /// Those of a fragment that nothing spreads too; a spread of a fragment that is not there counts as one.
    pub fields: u64,
    /// Whether a root field asks for the schema.
    pub introspects: bool,
    /// Where a directive is given twice, which async-graphql does not see.
    pub repeated_directive: Option<Pos>,
}

/// The same of one selection.
#[derive(Debug, Clone, Copy, Default)]
struct Figures {
    depth: u64,
    /// Selections in one another, those of fragments too.
    levels: usize,
    aliases: u64,
    /// Fields of the selection itself.
    width: u64,
    fields: u64,
    directives: u64,
    introspects: bool,
}

impl Figures {
    /// Beside one another.
    fn add(&mut self, other: Self) {
        self.depth = self.depth.max(other.depth);
        self.levels = self.levels.max(other.levels);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.width = self.width.saturating_add(other.width);
        self.fields = self.fields.saturating_add(other.fields);
        self.directives = self.directives.max(other.directives);
        self.introspects |= other.introspects;
    }
}

impl Shape {
    /// # Errors
    /// When a fragment spreads itself, directly or through others; ERR-4003 for more levels than anyone can walk over.
    pub(super) fn of(document: &ExecutableDocument) -> Result<Self, ServerError> {
        let mut walk =
            Walk { fragments: &document.fragments, seen: HashMap::new(), repeated_directive: None };
        let mut shape = Self { fragments: document.fragments.len() as u64, ..Self::default() };
        // Those that nothing spreads too: validation looks at them.
        for (name, fragment) in &document.fragments {
            let figures = walk.fragment(name, fragment, 0)?;
            shape.fields = shape.fields.max(figures.fields);
            shape.directives = shape.directives.max(figures.directives);
        }
        for (_, operation) in document.operations.iter() {
            let figures = walk.selection(&operation.node.selection_set.node, 0)?;
            shape.operations += 1;
            shape.variables = shape.variables.max(operation.node.variable_definitions.len() as u64);
            shape.depth = shape.depth.max(figures.depth);
            shape.aliases = shape.aliases.max(figures.aliases);
            shape.root_fields = shape.root_fields.max(figures.width);
            shape.fields = shape.fields.max(figures.fields);
            let on_operation = walk.directives(&operation.node.directives);
            shape.directives = shape.directives.max(figures.directives).max(on_operation);
            shape.introspects |= figures.introspects;
        }
        shape.repeated_directive = walk.repeated_directive;
        Ok(shape)
    }
}

/// Directives of one place that are compared with one another: more than the limit lets pass.
const DIRECTIVES_COMPARED: usize = 64;

/// Selections in one another at most, whatever the limits are: what walks over a document walks by recursion.
const MOST_LEVELS: usize = 256;

fn too_deep() -> ServerError {
    let message = format!("This query has more than {MOST_LEVELS} levels, with those of its fragments.");
    refused(&Refusal::new(Code::QueryTooComplex, message), None)
}

struct Walk<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// `None` while the fragment is being walked.
    seen: HashMap<&'a str, Option<Figures>>,
    repeated_directive: Option<Pos>,
}

impl<'a> Walk<'a> {
    fn fragment(
        &mut self,
        name: &'a Name,
        fragment: &'a Positioned<FragmentDefinition>,
        level: usize,
    ) -> Result<Figures, ServerError> {
        match self.seen.get(name.as_str()) {
            Some(Some(figures)) if level + figures.levels > MOST_LEVELS => return Err(too_deep()),
            Some(Some(figures)) => return Ok(*figures),
            Some(None) => {
                let message = format!("The fragment \"{name}\" spreads itself.");
                return Err(ServerError::new(message, Some(fragment.pos)));
            }
            None => {}
        }
        self.seen.insert(name, None);
        let mut figures = self.selection(&fragment.node.selection_set.node, level)?;
        figures.directives = figures.directives.max(self.directives(&fragment.node.directives));
        self.seen.insert(name, Some(figures));
        Ok(figures)
    }

    /// How many directives stand on one place.
    fn directives(&mut self, directives: &[Positioned<Directive>]) -> u64 {
        for (index, directive) in directives.iter().enumerate().take(DIRECTIVES_COMPARED) {
            let name = &directive.node.name.node;
            if directives[..index].iter().any(|before| before.node.name.node == *name) {
                self.repeated_directive.get_or_insert(directive.pos);
                break;
            }
        }
        directives.len() as u64
    }

    /// `level` selections are around this one.
    fn selection(&mut self, set: &'a SelectionSet, level: usize) -> Result<Figures, ServerError> {
        if set.items.is_empty() {
            return Ok(Figures::default());
        }
        let level = level + 1;
        if level > MOST_LEVELS {
            return Err(too_deep());
        }
        let mut figures = Figures::default();
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let below = self.selection(&field.selection_set.node, level)?;
                    figures.add(Figures {
                        depth: below.depth + 1,
                        levels: below.levels,
                        aliases: below.aliases.saturating_add(u64::from(field.alias.is_some())),
                        width: 1,
                        fields: below.fields.saturating_add(1),
                        directives: below.directives.max(self.directives(&field.directives)),
                        introspects: matches!(field.name.node.as_str(), "__schema" | "__type"),
                    });
                }
                Selection::InlineFragment(inline) => {
                    let mut below = self.selection(&inline.node.selection_set.node, level)?;
                    below.directives = below.directives.max(self.directives(&inline.node.directives));
                    figures.add(below);
                }
                Selection::FragmentSpread(spread) => {
                    let found = self.fragments.get_key_value(&spread.node.fragment_name.node);
                    let mut below = match found {
                        Some((name, fragment)) => self.fragment(name, fragment, level)?,
                        // For validation to tell, which comes upon it as often as it is written out.
                        None => Figures { fields: 1, ..Figures::default() },
                    };
                    below.directives = below.directives.max(self.directives(&spread.node.directives));
                    figures.add(below);
                }
            }
        }
        figures.levels += 1;
        Ok(figures)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn shape(text: &str) -> Shape {
        Shape::of(&parse_query(text).expect("a document")).expect("a shape")
    }

    #[test]
    fn fragments_count_as_often_as_they_are_spread() {
        let shape = shape("{ x: a { ...F ... on T @a @b { c } } b ...F } fragment F on T { y: d { e } }");
        assert_eq!((shape.depth, shape.aliases, shape.root_fields, shape.fields), (3, 3, 3, 7));
        assert_eq!((shape.directives, shape.introspects, shape.repeated_directive), (2, false, None));
    }

    #[test]
    fn a_bomb_of_fragments_is_counted_at_once() {
        let mut text = "{ ...F0 }".to_owned();
        for level in 0..200 {
            let next = level + 1;
            text.push_str(&format!(" fragment F{level} on Q {{ ...F{next} ...F{next} }}"));
        }
        text.push_str(" fragment F200 on Q { x: a }");
        let shape = shape(&text);
        assert_eq!((shape.fields, shape.aliases, shape.depth), (u64::MAX, u64::MAX, 1));
        assert_eq!((shape.operations, shape.fragments, shape.variables), (1, 201, 0));
    }

    #[test]
    fn a_bomb_without_a_field_and_one_that_nothing_spreads_are_counted_too() {
        let mut text = String::new();
        for level in 0..30 {
            text.push_str(&format!(" fragment F{level} on Q {{ ...F{0} ...F{0} }}", level + 1));
        }
        assert_eq!(shape(&format!("{{ ...F0 }} {text}")).fields, 1 << 30);
        assert_eq!(shape(&format!("{{ a }} {text} fragment F30 on Q {{ a }}")).fields, 1 << 30);
    }

    #[test]
    fn a_chain_of_fragments_has_an_end_wherever_it_begins() {
        let chain = |length: usize| {
            let mut text = "{ a }".to_owned();
            for level in 0..length {
                text.push_str(&format!(" fragment F{level} on Q {{ ... {{ b {{ ...F{} }} }} }}", level + 1));
            }
            Shape::of(&parse_query(text).expect("a document"))
        };
        assert!(chain(MOST_LEVELS / 3).is_ok());
        let error = chain(MOST_LEVELS / 3 + 1).expect_err("too deep");
        assert!(error.message.contains("levels"), "{}", error.message);
    }

    #[test]
    fn a_circle_of_fragments_is_refused() {
        let document = parse_query("{ ...A } fragment A on Q { ...B } fragment B on Q { a { ...A } }");
        let error = Shape::of(&document.expect("a document")).expect_err("a circle");
        assert!(error.message.contains("spreads itself"), "{}", error.message);
    }
}
