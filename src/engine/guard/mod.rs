//! What a document may not do, looked at before anything executes.
//!
//! In three steps, each of which keeps the next one cheap: [`scan`] counts the text's tokens before it is parsed;
//! [`shape`] walks the parsed document once, each fragment once, so that a fragment which spreads another a thousand
//! times costs no more than one that spreads it twice; [`cost`] says, with the variables, how many objects the answer
//! may hold at most, and [`lists`] how long what is given may be. Counts that would overflow stay at the greatest number.

mod cost;
mod lists;
mod scan;
mod shape;

use std::borrow::Cow;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition};
use async_graphql::registry::Registry;
use async_graphql::{ServerError, Variables};

pub use self::cost::unbounded_lists;
pub use self::lists::lists_taken;
pub(super) use self::scan::{Tokens, parsable};
pub(super) use self::shape::Shape;
use super::error::refused;
use crate::config::GuardSettings;
use crate::error::{Code, Refusal};

/// Limits that hold even where limits are only counted: nothing else bounds what it takes to read and check a document.
const ALWAYS: [&str; 5] = ["size", "nesting", "operations", "fragments", "fields"];

/// Holds documents to the limits.
pub(super) struct Guard {
    limits: GuardSettings,
}

impl Guard {
    pub fn new(limits: GuardSettings) -> Self {
        Self { limits }
    }

    /// The text, before it is parsed; answers what the parser is to read.
    ///
    /// # Errors
    /// ERR-4003; a string that does not end.
    pub fn check_text<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, ServerError> {
        self.check("size", "bytes long", text.len() as u64, self.limits.document_bytes as u64)?;
        // Where more tokens are let pass, the brackets among them count.
        let most = if self.limits.enforced { self.limits.tokens } else { usize::MAX };
        let scanned = scan::scan(text, most);
        self.check("tokens", "tokens long", scanned.tokens as u64, self.limits.tokens as u64)?;
        self.check("nesting", "brackets deep", scanned.nesting as u64, scan::MOST_NESTING as u64)?;
        if let Some(at) = scanned.unended {
            let message = "Syntax error: this string does not end.";
            return Err(ServerError::new(message, Some(scan::position(text, at))));
        }
        Ok(scan::without_descriptions(text, &scanned.descriptions))
    }

    /// The parsed document, before it is validated: what validation costs grows with these figures.
    ///
    /// # Errors
    /// ERR-4003; a fragment that spreads itself.
    pub fn check_shape(&self, document: &ExecutableDocument) -> Result<Shape, ServerError> {
        let shape = Shape::of(document)?;
        let limits = &self.limits;
        let GuardSettings { fragments, variables, depth, aliases, root_fields, directives, fields, .. } =
            *limits;
        for (name, what, found, limit) in [
            ("operations", "operations long", shape.operations, limits.document_operations),
            ("fragments", "fragments long", shape.fragments, fragments),
            ("variables", "variables wide", shape.variables, variables),
            ("depth", "levels deep", shape.depth, depth),
            ("aliases", "aliases wide", shape.aliases, aliases),
            ("root_fields", "root fields wide", shape.root_fields, root_fields),
            ("directives", "directives on one place", shape.directives, directives),
            ("fields", "fields wide", shape.fields, fields),
        ] {
            self.check(name, what, found, limit)?;
        }
        match shape.repeated_directive {
            Some(at) => Err(ServerError::new("A directive is given twice in one place.", Some(at))),
            None => Ok(shape),
        }
    }

    /// How many objects the operation's answer may hold at most; `most` are let through.
    ///
    /// # Errors
    /// ERR-4003; ERR-3002 for a page that is too large, or a list that is too long.
    pub fn check_cost(
        &self,
        registry: &Registry,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Variables,
        most: u64,
    ) -> Result<u64, ServerError> {
        let cost = cost::predict(registry, document, operation, variables)
            .map_err(|refusal| refused(&refusal, None))?;
        self.check("cost", "in cost", cost, most)?;
        Ok(cost)
    }

    fn check(&self, name: &'static str, what: &str, found: u64, limit: u64) -> Result<(), ServerError> {
        if found <= limit {
            return Ok(());
        }
        let enforced = self.limits.enforced || ALWAYS.contains(&name);
        metrics::counter!("dualcaster_guard_refusals_total", "limit" => name, "enforced" => enforced.to_string())
            .increment(1);
        if !enforced {
            tracing::warn!(
                limit = name,
                found,
                most = limit,
                "a query is over a limit, which is not enforced"
            );
            return Ok(());
        }
        // A count that ended at the greatest number is no count.
        let found = if found == u64::MAX { "far more".to_owned() } else { found.to_string() };
        let message = format!("This query is {found} {what}; the limit is {limit}.");
        Err(refused(&Refusal::new(Code::QueryTooComplex, message), None))
    }
}
