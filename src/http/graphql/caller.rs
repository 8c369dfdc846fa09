//! Who asks, and what came with it beside the operation.

use axum::Extension;
use axum::http::{HeaderMap, StatusCode, header};

use super::idempotency;
use super::request::Rejected;
use crate::app::App;
use crate::engine::Call;
use crate::error::{Code, Refusal};
use crate::gates::{Charge, Limit};
use crate::graphql::{Misses, Uploads, provide};
use crate::http::visit::{Peer, is_own_page, visit};
use crate::principal::{Principal, Role, Visit};

/// Tokens that do not hold which one network may show: each costs a look at the store.
const WRONG_TOKENS: Limit = Limit::per_minute(300, 120);

/// Why it is not known who asks.
pub(super) enum Unidentified {
    /// What was shown does not hold.
    Token(Refusal),
    /// Too much of the kind was shown.
    Limited(Refusal),
    /// What knows it does not answer.
    Away(Refusal),
}

/// Who shows this, if anything. What does not hold is counted by the network that it came from.
pub(super) async fn identify(
    app: &App,
    authorization: Option<&str>,
    visit: &Visit,
) -> Result<Principal, Unidentified> {
    match app.identify(authorization).await {
        Ok(principal) => Ok(principal),
        Err(refusal) if is_of_token(refusal.code) => {
            let key = format!("wrong-tokens:{}", visit.network());
            let charge = Charge { key: &key, points: 1, limit: WRONG_TOKENS };
            let passed = app.gates().pass(&[charge]).await;
            passed.map_err(Unidentified::Limited)?;
            Err(Unidentified::Token(refusal))
        }
        Err(refusal) => Err(Unidentified::Away(refusal)),
    }
}

/// Who asks, and what came with it beside the operation.
#[derive(Debug, Clone, Default)]
pub(super) struct Caller {
    pub principal: Principal,
    /// Why the token that was shown does not hold, if one was and does not. The principal is nobody then.
    pub refused: Option<Refusal>,
    pub visit: Visit,
    pub uploads: Uploads,
    /// What a mutation is known by when it is sent again.
    pub idempotency_key: Option<String>,
    /// Whether it wants to know what its answer took, and may.
    pub explains: bool,
}

impl Caller {
    /// Who a request is from, by its connection and its headers.
    pub async fn of(app: &App, peer: Option<Extension<Peer>>, headers: &HeaderMap) -> Result<Self, Rejected> {
        let settings = &app.settings().server;
        let is_own_page = is_own_page(headers, &settings.cors_origins);
        let visit = visit(peer.map(|Extension(peer)| peer), headers, &settings.trusted_proxies, is_own_page);
        let given = headers.get(header::AUTHORIZATION).map(|given| given.to_str().unwrap_or_default());
        let (principal, refused) = match identify(app, given, &visit).await {
            Ok(principal) => (principal, None),
            Err(Unidentified::Token(refusal)) => (Principal::default(), Some(refusal)),
            Err(Unidentified::Limited(limited)) => return Err(Rejected::limited(limited)),
            Err(Unidentified::Away(refusal)) => {
                return Err(Rejected::new(StatusCode::SERVICE_UNAVAILABLE, refusal));
            }
        };
        let explains = explains(&principal, headers);
        let idempotency_key = idempotency::key_in(headers)?;
        Ok(Self { principal, refused, visit, uploads: Uploads::default(), idempotency_key, explains })
    }

    /// Says in a call what its caller may.
    pub fn mark(&self, call: &mut Call) {
        call.may_introspect = self.principal.may_introspect;
        call.is_bot = self.principal.role() == Some(Role::Bot);
        call.is_privileged = self.principal.is_admin();
    }

    /// What limits count by.
    pub fn key(&self) -> String {
        self.principal.key().unwrap_or_else(|| format!("address:{}", self.visit.network()))
    }

    /// Puts in what resolvers find in their context.
    pub fn provide(
        &self,
        app: &App,
        merges: bool,
        misses: Misses,
    ) -> impl FnOnce(&mut async_graphql::Data) + use<> {
        let (connection, caller) = (app.databases().read().clone(), self.clone());
        let (primary, identity) = (app.databases().write().clone(), app.identity().cloned());
        let (live, links, jobs) = (app.live().clone(), app.links().clone(), app.jobs().cloned());
        move |data| {
            // The bot shows what others hold, and may be a moment behind.
            let is_bot = caller.principal.role() == Some(Role::Bot);
            let personal = if is_bot { connection.clone() } else { primary.clone() };
            provide(data, connection, &primary, &personal, merges);
            data.insert(caller.principal);
            data.insert(caller.visit);
            data.insert(caller.uploads);
            data.insert(misses);
            data.insert(live);
            data.insert(links);
            if let Some(jobs) = jobs {
                data.insert(jobs);
            }
            if let Some(identity) = identity {
                data.insert(identity);
            }
        }
    }
}

fn is_of_token(code: Code) -> bool {
    matches!(code, Code::Unauthenticated | Code::TokenExpired | Code::TokenRevoked | Code::Forbidden)
}

/// Whether the caller wants to know what its answer took, and may.
fn explains(principal: &Principal, headers: &HeaderMap) -> bool {
    principal.may_explain && headers.get("x-dualcaster-explain").is_some_and(|asked| asked == "1")
}
