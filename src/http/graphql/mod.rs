//! `/graphql`, as the GraphQL-over-HTTP specification has it: <https://graphql.github.io/graphql-over-http/draft/>.
//!
//! [`accept`] decides what form the answer has, [`request`] reads what is asked, [`answer`] writes what is answered.
//! [`sse`] and [`websocket`] answer more than once.

mod accept;
mod answer;
mod gate;
mod idempotency;
mod multipart;
mod request;
mod sse;
mod websocket;

use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Extension, Router};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::json;

use self::accept::MediaType;
use self::answer::{Answer, render, render_cacheable};
use self::gate::Ticket;
use self::idempotency::Turn;
use self::request::{Calls, Rejected};
use super::observe::RequestId;
use super::serve::Place;
use super::visit::{Peer, is_own_page, visit};
use crate::app::App;
use crate::domain::idempotency::RequestKey;
use crate::engine::{Call, Kind, Prepared, Refused, refused};
use crate::error::{Code, Refusal, timeout_refusal};
use crate::explain::{Notes, explained};
use crate::graphql::{Misses, Uploads, provide};
use crate::principal::{Principal, Role, Visit, WITHOUT_TOKEN};

pub fn routes() -> Router<App> {
    let methods: MethodRouter<App> = get(by_get).post(by_post).fallback(other_method);
    Router::new().route("/graphql", methods)
}

async fn by_post(
    State(app): State<App>,
    Extension(RequestId(id)): Extension<RequestId>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let settings = app.settings();
    let acceptable = negotiate(&app, &headers);
    let media_type = *acceptable.as_ref().unwrap_or(&MediaType::Json);
    let read = async {
        let checked = async {
            acceptable.map(|_| ())?;
            request::check_content_type(&headers)?;
            let caller = Caller::of(&app, peer, &headers).await?;
            // Files are read for who may send them only.
            match caller.refused {
                Some(refusal) if multipart::is_multipart(&headers) => Err(unauthorized(refusal)),
                _ => Ok(caller),
            }
        };
        let caller = match checked.await {
            Ok(caller) => caller,
            Err(rejected) => {
                request::drain(body.into_data_stream()).await;
                return Err(rejected);
            }
        };
        let (calls, uploads) = if multipart::is_multipart(&headers) {
            let (call, uploads) = multipart::read(&headers, body, settings).await?;
            (Calls { calls: vec![call], is_batch: false }, uploads)
        } else {
            let body = request::read_body(&headers, body, settings.server.max_body_bytes).await?;
            (request::calls_in(&body, &settings.guard)?, Uploads::default())
        };
        Ok((calls, Caller { uploads, ..caller }))
    };
    if media_type == MediaType::EventStream {
        return match tokio::time::timeout(settings.server.request_timeout, read).await {
            Ok(Ok((Calls { is_batch: true, .. }, _))) => one_operation().into_response(media_type, &id),
            Ok(Ok((Calls { mut calls, .. }, caller))) => {
                let call = Call { may_write: true, ..calls.remove(0) };
                sse::answer(&app, call, caller, id).await
            }
            Ok(Err(rejected)) => rejected.into_response(media_type, &id),
            Err(_) => render(vec![late()], false, media_type, &id),
        };
    }
    let answer = tokio::time::timeout(settings.server.request_timeout, async {
        let mut answers = Vec::new();
        let (calls, caller) = read.await?;
        for call in calls.calls {
            answers.push(answer_call(&app, Call { may_write: true, ..call }, &caller).await?);
        }
        Ok::<_, Rejected>((answers, calls.is_batch))
    });
    match answer.await {
        Ok(Ok((answers, is_batch))) => render(answers, is_batch, media_type, &id),
        Ok(Err(rejected)) => rejected.into_response(media_type, &id),
        Err(_) => render(vec![late()], false, media_type, &id),
    }
}

/// Who asks, and what came with it beside the operation.
#[derive(Debug, Clone, Default)]
struct Caller {
    principal: Principal,
    /// Why the token that was shown does not hold, if one was and does not. The principal is nobody then.
    refused: Option<Refusal>,
    visit: Visit,
    uploads: Uploads,
    /// What a mutation is known by when it is sent again.
    idempotency_key: Option<String>,
    /// Whether it wants to know what its answer took, and may.
    explains: bool,
}

impl Caller {
    /// Who a request is from, by its connection and its headers.
    async fn of(app: &App, peer: Option<Extension<Peer>>, headers: &HeaderMap) -> Result<Self, Rejected> {
        let settings = &app.settings().server;
        let is_own_page = is_own_page(headers, &settings.cors_origins);
        let visit = visit(peer.map(|Extension(peer)| peer), headers, &settings.trusted_proxies, is_own_page);
        let given = headers.get(header::AUTHORIZATION).map(|given| given.to_str().unwrap_or_default());
        let (principal, refused) = match app.identify(given).await {
            Ok(principal) => (principal, None),
            Err(refusal) if is_of_token(refusal.code) => (Principal::default(), Some(refusal)),
            Err(refusal) => return Err(Rejected::new(StatusCode::SERVICE_UNAVAILABLE, refusal)),
        };
        let explains = explains(&principal, headers);
        let idempotency_key = idempotency::key_in(headers)?;
        Ok(Self { principal, refused, visit, uploads: Uploads::default(), idempotency_key, explains })
    }

    /// Says in a call what its caller may.
    fn mark(&self, call: &mut Call) {
        call.may_introspect = self.principal.may_introspect;
        call.is_bot = self.principal.role() == Some(Role::Bot);
        call.is_privileged = self.principal.is_admin();
    }

    /// What limits count by.
    fn key(&self) -> String {
        let address = || format!("address:{}", self.visit.address.as_deref().unwrap_or("unknown"));
        self.principal.key().unwrap_or_else(address)
    }
}

fn is_of_token(code: Code) -> bool {
    matches!(code, Code::Unauthenticated | Code::TokenExpired | Code::TokenRevoked | Code::Forbidden)
}

fn unauthorized(refusal: Refusal) -> Rejected {
    Rejected::new(StatusCode::UNAUTHORIZED, refusal)
        .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

async fn by_get(
    State(app): State<App>,
    Extension(RequestId(id)): Extension<RequestId>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    (peer, place): (Option<Extension<Peer>>, Option<Extension<Place>>),
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if let Ok(upgrade) = upgrade {
        return by_socket(app, upgrade, &headers, peer, place, id);
    }
    let media_type = match negotiate(&app, &headers) {
        Ok(media_type) => media_type,
        Err(rejected) => return rejected.into_response(MediaType::Json, &id),
    };
    let caller = match Caller::of(&app, peer, &headers).await {
        Ok(Caller { refused: Some(refusal), .. }) => {
            return unauthorized(refusal).into_response(media_type, &id);
        }
        Ok(caller) => caller,
        Err(rejected) => return rejected.into_response(media_type, &id),
    };
    if media_type == MediaType::EventStream {
        return match request::call_in_query(query.as_deref().unwrap_or_default(), &app.settings().guard) {
            Ok(call) => sse::answer(&app, call, caller, id).await,
            Err(rejected) => rejected.into_response(media_type, &id),
        };
    }
    let answer = tokio::time::timeout(app.settings().server.request_timeout, async {
        let call = request::call_in_query(query.as_deref().unwrap_or_default(), &app.settings().guard)?;
        // Addresses that are long and seldom the same would only fill caches; what is for one caller is not for them.
        let is_cacheable =
            call.query.is_none() && !caller.explains && !headers.contains_key(header::AUTHORIZATION);
        let mut answer = answer_call(&app, call, &caller).await?;
        if let (true, Answer::Executed(response)) = (is_cacheable, &mut answer) {
            // What is left of a budget is for one caller, and another each time.
            response.extensions.remove("cost");
        }
        Ok((answer, is_cacheable))
    });
    match answer.await {
        Ok(Ok((answer, true))) => render_cacheable(answer, media_type, &id, &headers),
        Ok(Ok((answer, false))) => render(vec![answer], false, media_type, &id),
        Ok(Err(rejected)) => Rejected::into_response(rejected, media_type, &id),
        Err(_) => render(vec![late()], false, media_type, &id),
    }
}

fn by_socket(
    app: App,
    upgrade: WebSocketUpgrade,
    headers: &HeaderMap,
    peer: Option<Extension<Peer>>,
    place: Option<Extension<Place>>,
    id: String,
) -> Response {
    if let Err(rejected) = check_site(&app, headers) {
        return rejected.into_response(MediaType::Json, &id);
    }
    let most = websocket::most_bytes(&app);
    let authorization = headers.get(header::AUTHORIZATION).and_then(|given| given.to_str().ok());
    let authorization = authorization.map(str::to_owned);
    let settings = &app.settings().server;
    let is_own_page = is_own_page(headers, &settings.cors_origins);
    let visit = visit(peer.map(|Extension(peer)| peer), headers, &settings.trusted_proxies, is_own_page);
    upgrade.protocols([websocket::PROTOCOL]).max_message_size(most).max_frame_size(most).on_upgrade(
        async move |socket| {
            websocket::converse(app, socket, authorization, visit, id).await;
            drop(place);
        },
    )
}

fn one_operation() -> Rejected {
    let refusal = Refusal::new(Code::BodyTooLarge, "Events are sent for one operation a request.");
    Rejected::new(StatusCode::PAYLOAD_TOO_LARGE, refusal)
}

async fn other_method(Extension(RequestId(id)): Extension<RequestId>) -> Response {
    let refusal = Refusal::invalid_value("Ask by POST, or by GET for a query.");
    Rejected::new(StatusCode::METHOD_NOT_ALLOWED, refusal)
        .with(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"))
        .into_response(MediaType::Json, &id)
}

/// That no other site's page has sent the request, but for those that are let in. Browsers say so in a header that no
/// page can set; of a WebSocket the older ones say only where the page is from.
fn check_site(app: &App, headers: &HeaderMap) -> Result<(), Rejected> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_upgrade = headers.contains_key(header::UPGRADE);
    let is_suspect = is_upgrade || text("sec-fetch-site") == Some("cross-site");
    if is_suspect && !is_own_page(headers, &app.settings().server.cors_origins) {
        let refusal = Refusal::new(Code::Forbidden, "Pages of other sites may not ask here.");
        return Err(Rejected::new(StatusCode::FORBIDDEN, refusal));
    }
    Ok(())
}

/// What holds for every request, whatever it asks: who may send it, and the form of its answer.
fn negotiate(app: &App, headers: &HeaderMap) -> Result<MediaType, Rejected> {
    check_site(app, headers)?;
    MediaType::accepted(headers).ok_or_else(|| {
        let refusal = Refusal::invalid_value(
            "Accept application/graphql-response+json or application/json: there is no other form.",
        );
        Rejected::new(StatusCode::NOT_ACCEPTABLE, refusal)
    })
}

/// Answers one operation. What is wrong with it is an answer too; what HTTP itself forbids is not.
async fn answer_call(app: &App, mut call: Call, caller: &Caller) -> Result<Answer, Rejected> {
    caller.mark(&mut call);
    let discord_id = discord_id(&call);
    let request = caller.idempotency_key.clone().map(|key| (key, idempotency::digest(&call)));
    let prepared = app.engine().prepare(call).await;
    // Whoever shows a token that does not hold learns of that first; but they may sign in.
    if let Some(refusal) = &caller.refused
        && !prepared
            .as_ref()
            .is_ok_and(|prepared| prepared.kind() == Kind::Mutation && prepared.selects_only(&WITHOUT_TOKEN))
    {
        return Err(unauthorized(refusal.clone()));
    }
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(Refused::Errors(errors)) => return Ok(Answer::Refused(errors)),
        Err(Refused::Mutation) => {
            let refusal = Refusal::invalid_value("By GET no mutation is executed: send it by POST.");
            return Err(Rejected::new(StatusCode::METHOD_NOT_ALLOWED, refusal)
                .with(header::ALLOW, HeaderValue::from_static("POST")));
        }
    };
    if prepared.kind() == Kind::Subscription {
        let refusal = Refusal::invalid_value(
            "A subscription is asked for over WebSocket, or with the header Accept: text/event-stream.",
        );
        return Ok(Answer::Refused(vec![refused(&refusal, None)]));
    }
    let ticket = match gate::admit(app, caller, &prepared, discord_id.as_deref()).await {
        Ok(ticket) => ticket,
        Err(refusal) => return Ok(Answer::Refused(vec![refused(&refusal, None)])),
    };
    let claimed = match request {
        Some((key, request)) if prepared.kind() == Kind::Mutation => {
            let key = RequestKey {
                caller: caller.principal.key().unwrap_or_else(|| "nobody".to_owned()),
                key,
                request,
            };
            match idempotency::claim(app, key).await? {
                Turn::Answered(answer) => return Ok(answer),
                Turn::Mine(claimed) => Some(claimed),
            }
        }
        _ => None,
    };
    let answer = execute(app, prepared, caller, ticket).await;
    if let Some(claimed) = claimed {
        claimed.settle(app, &answer).await;
    }
    Ok(answer)
}

async fn execute(app: &App, prepared: Prepared, caller: &Caller, ticket: Ticket) -> Answer {
    let misses = Misses::default();
    let provide = caller.provide(app, prepared.merges(), misses.clone());
    let execution = app.engine().execute(prepared, provide);
    let mut response = if caller.explains {
        let (mut response, notes) = explained(execution).await;
        response.extensions.insert("explain".to_owned(), told(&notes));
        response
    } else {
        execution.await
    };
    ticket.settle(app, &mut response, misses.any()).await;
    if came_to_nothing(&response) {
        return Answer::Refused(response.errors);
    }
    Answer::Executed(Box::new(response))
}

/// Whether a limit, or a store that is away, has let nothing of an operation happen: then it is refused as a whole, with
/// the status and the header that say when to come back.
fn came_to_nothing(response: &async_graphql::Response) -> bool {
    let is_empty = match &response.data {
        async_graphql::Value::Object(fields) => {
            fields.values().all(|value| *value == async_graphql::Value::Null)
        }
        data => *data == async_graphql::Value::Null,
    };
    let is_limit = |error: &async_graphql::ServerError| {
        let code = error.extensions.as_ref().and_then(|values| values.get("errorCode"));
        matches!(code, Some(async_graphql::Value::String(code)) if code.starts_with("ERR-40") || code == "ERR-5003")
    };
    is_empty && !response.errors.is_empty() && response.errors.iter().all(is_limit)
}

/// The Discord user that a bot asks for, by the variable that says so.
fn discord_id(call: &Call) -> Option<String> {
    match call.variables.get("discordId") {
        Some(async_graphql::Value::String(id)) => Some(id.chars().take(20).collect()),
        _ => None,
    }
}

impl Caller {
    /// Puts in what resolvers find in their context.
    fn provide(
        &self,
        app: &App,
        merges: bool,
        misses: Misses,
    ) -> impl FnOnce(&mut async_graphql::Data) + use<> {
        let (connection, caller) = (app.databases().read().clone(), self.clone());
        let (primary, identity) = (app.databases().write().clone(), app.identity().cloned());
        move |data| {
            provide(data, connection, &primary, merges);
            data.insert(caller.principal);
            data.insert(caller.visit);
            data.insert(caller.uploads);
            data.insert(misses);
            if let Some(identity) = identity {
                data.insert(identity);
            }
        }
    }
}

/// Whether the caller wants to know what its answer took, and may.
fn explains(principal: &Principal, headers: &HeaderMap) -> bool {
    principal.may_explain && headers.get("x-dualcaster-explain").is_some_and(|asked| asked == "1")
}

fn told(notes: &Notes) -> async_graphql::Value {
    let batches: Vec<_> =
        notes.batches.iter().map(|batch| json!({"loader": batch.loader, "keys": batch.keys})).collect();
    let statement = |statement: &crate::explain::Statement| {
        json!({
            "sql": statement.sql,
            "rows": statement.rows,
            "milliseconds": statement.took.as_secs_f64() * 1_000.0,
        })
    };
    let statements: Vec<_> = notes.statements.iter().map(statement).collect();
    // JSON is a value of GraphQL.
    async_graphql::Value::from_json(json!({"batches": batches, "statements": statements})).unwrap_or_default()
}

/// The answers to one operation, one after the other, for what can carry several.
///
/// # Errors
/// What is wrong with the operation.
async fn stream(app: &App, mut call: Call, caller: &Caller) -> Result<BoxStream<'static, Answer>, Refused> {
    caller.mark(&mut call);
    if let Some(refusal) = &caller.refused {
        return Err(refusal.clone().into());
    }
    let discord_id = discord_id(&call);
    let prepared = app.engine().prepare(call).await?;
    let ticket = gate::admit(app, caller, &prepared, discord_id.as_deref()).await?;
    let misses = Misses::default();
    let provide = caller.provide(app, prepared.merges(), misses.clone());
    let answers = app.engine().stream(prepared, provide);
    // The first answer settles what was charged; what a subscription tells later was asked for once.
    let (app, mut ticket) = (app.clone(), Some(ticket));
    let answers = answers.then(move |mut response| {
        let (app, ticket, missed) = (app.clone(), ticket.take(), misses.any());
        async move {
            if let Some(ticket) = ticket {
                ticket.settle(&app, &mut response, missed).await;
            }
            Answer::Executed(Box::new(response))
        }
    });
    Ok(answers.boxed())
}

fn late() -> Answer {
    Answer::Refused(vec![refused(&timeout_refusal(), None)])
}

impl Rejected {
    fn into_response(self, media_type: MediaType, id: &str) -> Response {
        let Self { status, refusal, header } = self;
        let mut response =
            render(vec![Answer::Refused(vec![refused(&refusal, None)])], false, media_type, id);
        *response.status_mut() = status;
        if let Some((name, value)) = header.map(|header| *header) {
            response.headers_mut().insert(name, value);
        }
        response.into_response()
    }

    fn with(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { header: Some(Box::new((name, value))), ..self }
    }
}
