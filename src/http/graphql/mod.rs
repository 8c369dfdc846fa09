//! `/graphql`, as the GraphQL-over-HTTP specification has it: <https://graphql.github.io/graphql-over-http/draft/>.
//!
//! [`accept`] decides what form the answer has, [`request`] reads what is asked, [`answer`] writes what is answered.
//! [`sse`] and [`websocket`] answer more than once.

mod accept;
mod answer;
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
use self::request::{Calls, Rejected};
use super::observe::RequestId;
use super::serve::Place;
use crate::app::App;
use crate::engine::{Call, Kind, Refused, refused};
use crate::error::{Code, Refusal, timeout_refusal};
use crate::explain::{Notes, explained};
use crate::graphql::{Uploads, provide};
use crate::principal::Principal;

pub fn routes() -> Router<App> {
    let methods: MethodRouter<App> = get(by_get).post(by_post).fallback(other_method);
    Router::new().route("/graphql", methods)
}

async fn by_post(
    State(app): State<App>,
    Extension(RequestId(id)): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let settings = app.settings();
    let acceptable = negotiate(&headers);
    let media_type = *acceptable.as_ref().unwrap_or(&MediaType::Json);
    let read = async {
        let checked = async {
            acceptable.map(|_| ())?;
            request::check_content_type(&headers)?;
            identify(&app, &headers).await
        };
        let principal = match checked.await {
            Ok(principal) => principal,
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
        Ok((calls, Caller { explains: explains(&principal, &headers), principal, uploads }))
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
    uploads: Uploads,
    /// Whether it wants to know what its answer took, and may.
    explains: bool,
}

/// Who a request is from, by its header.
async fn identify(app: &App, headers: &HeaderMap) -> Result<Principal, Rejected> {
    let given = headers.get(header::AUTHORIZATION).map(|given| given.to_str().unwrap_or_default());
    app.identify(given).await.map_err(|refusal| {
        Rejected::new(StatusCode::UNAUTHORIZED, refusal)
            .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    })
}

async fn by_get(
    State(app): State<App>,
    Extension(RequestId(id)): Extension<RequestId>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    place: Option<Extension<Place>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if let Ok(upgrade) = upgrade {
        return by_socket(app, upgrade, &headers, place, id);
    }
    let media_type = match negotiate(&headers) {
        Ok(media_type) => media_type,
        Err(rejected) => return rejected.into_response(MediaType::Json, &id),
    };
    let principal = match identify(&app, &headers).await {
        Ok(principal) => principal,
        Err(rejected) => return rejected.into_response(media_type, &id),
    };
    let caller = Caller { explains: explains(&principal, &headers), principal, uploads: Uploads::default() };
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
        Ok((answer_call(&app, call, &caller).await?, is_cacheable))
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
    place: Option<Extension<Place>>,
    id: String,
) -> Response {
    if let Err(rejected) = check_site(headers) {
        return rejected.into_response(MediaType::Json, &id);
    }
    let most = websocket::most_bytes(&app);
    let authorization = headers.get(header::AUTHORIZATION).and_then(|given| given.to_str().ok());
    let authorization = authorization.map(str::to_owned);
    upgrade.protocols([websocket::PROTOCOL]).max_message_size(most).max_frame_size(most).on_upgrade(
        async move |socket| {
            websocket::converse(app, socket, authorization, id).await;
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

/// That no other site's page has sent the request. Browsers say so in a header that no page can set; of a WebSocket
/// the older ones say only where the page is from.
fn check_site(headers: &HeaderMap) -> Result<(), Rejected> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_upgrade = headers.contains_key(header::UPGRADE);
    let is_foreign = match (text("sec-fetch-site"), text("origin"), text("host")) {
        (Some(site), _, _) => site == "cross-site",
        (None, Some(origin), Some(host)) if is_upgrade => {
            origin.split_once("://").is_none_or(|(_, from)| !from.eq_ignore_ascii_case(host))
        }
        _ => false,
    };
    if is_foreign {
        let refusal = Refusal::new(Code::Forbidden, "Pages of other sites may not ask here.");
        return Err(Rejected::new(StatusCode::FORBIDDEN, refusal));
    }
    Ok(())
}

/// What holds for every request, whatever it asks: who may send it, and the form of its answer.
fn negotiate(headers: &HeaderMap) -> Result<MediaType, Rejected> {
    check_site(headers)?;
    MediaType::accepted(headers).ok_or_else(|| {
        let refusal = Refusal::invalid_value(
            "Accept application/graphql-response+json or application/json: there is no other form.",
        );
        Rejected::new(StatusCode::NOT_ACCEPTABLE, refusal)
    })
}

/// Answers one operation. What is wrong with it is an answer too; what HTTP itself forbids is not.
async fn answer_call(app: &App, mut call: Call, caller: &Caller) -> Result<Answer, Rejected> {
    call.may_introspect = caller.principal.may_introspect;
    let prepared = match app.engine().prepare(call).await {
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
    let provide = caller.provide(app, prepared.merges());
    let execution = app.engine().execute(prepared, provide);
    if !caller.explains {
        return Ok(Answer::Executed(Box::new(execution.await)));
    }
    let (mut response, notes) = explained(execution).await;
    response.extensions.insert("explain".to_owned(), told(&notes));
    Ok(Answer::Executed(Box::new(response)))
}

impl Caller {
    /// Puts in what resolvers find in their context.
    fn provide(&self, app: &App, merges: bool) -> impl FnOnce(&mut async_graphql::Data) + use<> {
        let (connection, caller) = (app.databases().read().clone(), self.clone());
        move |data| {
            provide(data, connection, merges);
            data.insert(caller.principal);
            data.insert(caller.uploads);
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
    call.may_introspect = caller.principal.may_introspect;
    let prepared = app.engine().prepare(call).await?;
    let provide = caller.provide(app, prepared.merges());
    let answers = app.engine().stream(prepared, provide);
    Ok(answers.map(|response| Answer::Executed(Box::new(response))).boxed())
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
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, value);
        }
        response.into_response()
    }

    fn with(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { header: Some((name, value)), ..self }
    }
}
