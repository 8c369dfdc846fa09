//! Who asks, and what they may.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::error::Refusal;

/// Who sent a request, as far as the front door has to know. Resolvers find it in their context.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Principal {
    /// Nobody, where the caller did not say.
    pub name: Option<String>,
    /// Whether the schema may be asked for.
    pub may_introspect: bool,
    /// Whether it may be told what an answer took: statements tell of the tables.
    pub may_explain: bool,
    /// How much longer this holds; what stays open ends then.
    pub lasts: Option<Duration>,
}

/// What tells who a caller is.
pub trait Identify: Send + Sync + 'static {
    /// `authorization` is the header of that name, or what a socket's greeting has under it.
    fn identify<'a>(&'a self, authorization: Option<&'a str>) -> BoxFuture<'a, Result<Principal, Refusal>>;
}

/// Takes every caller for nobody, whatever they say.
#[derive(Debug, Clone, Copy)]
pub struct Nobody {
    /// Whether schema and explanations are for everyone, as in development.
    pub sees_all: bool,
}

impl Identify for Nobody {
    fn identify<'a>(&'a self, _: Option<&'a str>) -> BoxFuture<'a, Result<Principal, Refusal>> {
        let Self { sees_all } = *self;
        let nobody = Principal { may_introspect: sees_all, may_explain: sees_all, ..Principal::default() };
        std::future::ready(Ok(nobody)).boxed()
    }
}
