//! What one GraphQL request may ask for at most.

use std::str::FromStr;

use super::{Environment, Mode};

/// Operations that a batch may be let have.
const MOST_BATCH: usize = 10;

/// The limits. Each is the greatest figure that passes.
#[derive(Debug, Clone)]
pub struct GuardSettings {
    pub enforced: bool,
    pub document_bytes: usize,
    pub tokens: usize,
    pub document_operations: u64,
    pub fragments: u64,
    /// Of one operation.
    pub variables: u64,
    pub depth: u64,
    pub aliases: u64,
    pub root_fields: u64,
    pub directives: u64,
    pub fields: u64,
    pub cost: u64,
    pub variables_depth: usize,
    /// Operations in one HTTP request; 0: a batch is refused.
    pub batch: usize,
    pub operations: Operations,
}

/// Which documents are executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operations {
    Any,
    /// Bots' only where they were registered.
    TrustedForBots,
    TrustedOnly,
}

impl FromStr for Operations {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "any" => Ok(Self::Any),
            "trusted-for-bots" => Ok(Self::TrustedForBots),
            "trusted-only" => Ok(Self::TrustedOnly),
            _ => Err("must be any, trusted-for-bots or trusted-only"),
        }
    }
}

impl GuardSettings {
    pub(super) fn read(environment: &mut Environment, mode: Mode) -> Self {
        let operations = environment.optional(
            "DUALCASTER_OPERATIONS",
            "any; trusted-for-bots in production",
            "`any`, `trusted-for-bots` or `trusted-only`: whose documents must have been registered (`dualcaster operations add`).",
        );
        let usual = if mode == Mode::Production { Operations::TrustedForBots } else { Operations::Any };
        let settings = Self {
            enforced: environment.get(
                "DUALCASTER_GUARD_ENFORCED",
                "true",
                "`true` or `false`: whether a query over a limit is refused, or only logged and counted. A document over its limits of bytes, brackets, operations, fragments or fields is refused in any case: it could end the server.",
            ),
            document_bytes: environment.positive(
                "DUALCASTER_MAX_DOCUMENT_BYTES",
                "65536",
                "Bytes of a GraphQL document at most.",
            ),
            tokens: environment.positive(
                "DUALCASTER_MAX_TOKENS",
                "5000",
                "Tokens of a GraphQL document at most.",
            ),
            document_operations: environment.positive(
                "DUALCASTER_MAX_OPERATIONS",
                "50",
                "Operations of a GraphQL document at most.",
            ),
            fragments: environment.get(
                "DUALCASTER_MAX_FRAGMENTS",
                "200",
                "Fragments of a GraphQL document at most.",
            ),
            variables: environment.get(
                "DUALCASTER_MAX_VARIABLES",
                "100",
                "Variables of an operation at most.",
            ),
            depth: environment.positive(
                "DUALCASTER_MAX_DEPTH",
                "15",
                "Levels of fields at most; a root field is the first.",
            ),
            aliases: environment.get(
                "DUALCASTER_MAX_ALIASES",
                "30",
                "Aliases at most, with the fragments written out.",
            ),
            root_fields: environment.positive(
                "DUALCASTER_MAX_ROOT_FIELDS",
                "20",
                "Root fields of an operation at most.",
            ),
            directives: environment.get(
                "DUALCASTER_MAX_DIRECTIVES",
                "10",
                "Directives on one field or fragment at most.",
            ),
            fields: environment.positive(
                "DUALCASTER_MAX_FIELDS",
                "10000",
                "Fields of an operation at most, with the fragments written out.",
            ),
            cost: environment.positive(
                "DUALCASTER_MAX_COST",
                "10000",
                "The cost of a query at most: the number of objects that its answer may hold, and of values that are asked for under another name. A mutation has five times as much, an administrator ten times.",
            ),
            variables_depth: environment.get(
                "DUALCASTER_MAX_VARIABLES_DEPTH",
                "32",
                "Levels of lists and objects in variables at most.",
            ),
            batch: environment.get(
                "DUALCASTER_MAX_BATCH",
                "0",
                "Operations in one HTTP request at most, 10 or less; 0: batches are refused.",
            ),
            operations: operations.unwrap_or(usual),
        };
        if settings.batch > MOST_BATCH {
            environment.mistake(format!("DUALCASTER_MAX_BATCH must be {MOST_BATCH} or less."));
        }
        settings
    }
}
