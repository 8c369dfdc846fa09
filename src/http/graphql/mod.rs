//! `/graphql`, as the GraphQL-over-HTTP specification has it: <https://graphql.github.io/graphql-over-http/draft/>.
//!
//! [`accept`] decides what form the answer has, [`request`] reads what is asked, [`answer`] writes what is answered.
//! [`sse`] and [`websocket`] answer more than once.

mod accept;
mod answer;
mod caller;
mod gate;
mod idempotency;
mod multipart;
mod operation;
mod request;
mod sse;
mod websocket;

use std::panic::AssertUnwindSafe;
use std::pin::pin;

use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Extension, Router};
use futures_util::FutureExt;
use tokio::time::{Instant, timeout, timeout_at};

use self::accept::MediaType;
use self::answer::{Answer, render, render_cacheable};
use self::caller::Caller;
use self::operation::answer_call;
use self::request::{Calls, Rejected};
use super::observe::RequestId;
use super::serve::Place;
use super::visit::{Peer, is_own_page, visit};
use super::{GRACE, note_panic, nothing_here, plain_refusal};
use crate::app::App;
use crate::engine::{Call, refused};
use crate::error::{Code, Refusal, internal_refusal, timeout_refusal};
use crate::graphql::Uploads;

pub fn routes(app: &App) -> Router<App> {
    let methods: MethodRouter<App> = get(by_get).post(by_post).fallback(other_method);
    Router::new().route("/graphql", methods).route_layer(from_fn_with_state(app.clone(), in_form))
}

/// What nobody foresaw, in GraphQL's form too: a panic, and what is not over long after its deadline. A request with files
/// has no deadline as a whole, but one for each of its parts.
async fn in_form(State(app): State<App>, request: Request, next: Next) -> Response {
    let media_type = MediaType::accepted(request.headers()).unwrap_or(MediaType::Json);
    let id = request.extensions().get::<RequestId>().map_or_else(String::new, |id| id.0.clone());
    let is_form = multipart::is_multipart(request.headers());
    let answered = pin!(AssertUnwindSafe(next.run(request)).catch_unwind());
    let answered = if is_form {
        Ok(answered.await)
    } else {
        timeout(app.settings().server.request_timeout + GRACE, answered).await
    };
    match answered {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            note_panic(&*panic);
            Rejected::new(StatusCode::INTERNAL_SERVER_ERROR, internal_refusal())
                .into_response(media_type, &id)
        }
        Err(_) => too_late().into_response(media_type, &id),
    }
}

/// The schema as text, for whoever may ask for it; there is nothing for others.
pub async fn schema_text(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Response {
    if !app.settings().shows_schema() {
        match Caller::of(&app, peer, &headers).await {
            Ok(caller) if caller.principal.may_introspect => {}
            Ok(_) => return nothing_here(),
            Err(rejected) => return plain_refusal(rejected.status, &rejected.refusal),
        }
    }
    crate::graphql::sdl().into_response()
}

async fn by_post(
    State(app): State<App>,
    Extension(RequestId(id)): Extension<RequestId>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let settings = app.settings();
    let deadline = settings.server.request_timeout;
    let acceptable = negotiate(&app, &headers);
    let media_type = *acceptable.as_ref().unwrap_or(&MediaType::Json);
    let is_form = multipart::is_multipart(&headers);
    let read = pin!(async {
        let checked = async {
            acceptable.map(|_| ())?;
            request::check_content_type(&headers)?;
            let caller = Caller::of(&app, peer, &headers).await?;
            // Files are read for who may send them only.
            match &caller.refused {
                Some(refusal) if is_form => Err(unauthorized(refusal.clone())),
                _ => Ok(caller),
            }
        };
        let caller = match timeout(deadline + GRACE, checked).await.unwrap_or_else(|_| Err(too_late())) {
            Ok(caller) => caller,
            Err(rejected) => {
                // In vain, where its sender takes too long.
                let _ = timeout(deadline, request::drain(body.into_data_stream())).await;
                return Err(rejected);
            }
        };
        let (calls, uploads) = if is_form {
            let (call, uploads) = Box::pin(multipart::read(&app, &headers, body, &caller)).await?;
            (Calls { calls: vec![call], is_batch: false }, uploads)
        } else {
            let body = request::read_body(&headers, body, settings.server.max_body_bytes).await?;
            (request::calls_in(&body, &settings.guard)?, Uploads::default())
        };
        Ok((calls, Caller { uploads, ..caller }))
    });
    let mut ends_at = Instant::now() + deadline;
    let read = if is_form { Ok(read.await) } else { timeout_at(ends_at, read).await };
    if is_form {
        // The time that its files took is not the request's.
        ends_at = Instant::now() + deadline;
    }
    let (Calls { mut calls, is_batch }, caller) = match read {
        Ok(Ok(read)) => read,
        Ok(Err(rejected)) => return rejected.into_response(media_type, &id),
        Err(_) => return render(vec![late()], false, media_type, &id),
    };
    if media_type == MediaType::EventStream {
        if is_batch {
            return one_operation().into_response(media_type, &id);
        }
        let call = Call { may_write: true, ..calls.remove(0) };
        let answered = timeout_at(ends_at, Box::pin(sse::answer(&app, call, caller, id.clone()))).await;
        return answered.unwrap_or_else(|_| render(vec![late()], false, media_type, &id));
    }
    let mut answers = Vec::new();
    for (position, call) in calls.into_iter().enumerate() {
        let mut caller = caller.clone();
        if is_batch {
            // One key for all: each is known by its place under it.
            caller.idempotency_key = caller.idempotency_key.map(|key| format!("{key}#{position}"));
        }
        let call = Call { may_write: true, ..call };
        let answered = if Instant::now() < ends_at {
            timeout_at(ends_at, answer_call(&app, call, &caller)).await.unwrap_or_else(|_| Ok(late()))
        } else {
            // Not even begun.
            Ok(late())
        };
        answers.push(match answered {
            Ok(answer) => answer,
            Err(rejected) if position == 0 => return rejected.into_response(media_type, &id),
            // What came before it in the batch has happened, and its answers are not lost.
            Err(rejected) => Answer::Refused(vec![refused(&rejected.refusal, None)]),
        });
    }
    render(answers, is_batch, media_type, &id)
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
    let answer = timeout(app.settings().server.request_timeout, async {
        let caller = Caller::of(&app, peer, &headers).await?;
        if let Some(refusal) = &caller.refused {
            return Err(unauthorized(refusal.clone()));
        }
        let call = request::call_in_query(query.as_deref().unwrap_or_default(), &app.settings().guard)?;
        if media_type == MediaType::EventStream {
            return Ok(Box::pin(sse::answer(&app, call, caller, id.clone())).await);
        }
        // Addresses that are long and seldom the same would only fill caches; what is for one caller is not for them.
        let is_cacheable =
            call.query.is_none() && !caller.explains && !headers.contains_key(header::AUTHORIZATION);
        let mut answer = answer_call(&app, call, &caller).await?;
        if let (true, Answer::Executed(response)) = (is_cacheable, &mut answer) {
            // What is left of a budget is for one caller, and another each time.
            response.extensions.remove("cost");
        }
        Ok(if is_cacheable {
            render_cacheable(answer, media_type, &id, &headers)
        } else {
            render(vec![answer], false, media_type, &id)
        })
    });
    match answer.await {
        Ok(Ok(response)) => response,
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
    let accepted = MediaType::accepted(headers).ok_or_else(|| {
        let refusal = Refusal::invalid_value(
            "Accept application/graphql-response+json or application/json: there is no other form.",
        );
        Rejected::new(StatusCode::NOT_ACCEPTABLE, refusal)
    })?;
    let by_draft = accepted == MediaType::GraphqlResponse && app.settings().server.draft_statuses;
    Ok(if by_draft { MediaType::Draft } else { accepted })
}

/// What is too late before anything of it is read.
fn too_late() -> Rejected {
    Rejected::new(StatusCode::GATEWAY_TIMEOUT, timeout_refusal())
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
