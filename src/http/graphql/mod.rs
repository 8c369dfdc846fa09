//! `/graphql`, as the GraphQL-over-HTTP specification has it: <https://graphql.github.io/graphql-over-http/draft/>.
//!
//! [`accept`] decides what form the answer has, [`request`] reads what is asked, [`answer`] writes what is answered.

mod accept;
mod answer;
mod request;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Extension, Router};

use self::accept::MediaType;
use self::answer::{Answer, render};
use self::request::Rejected;
use super::observe::RequestId;
use crate::app::App;
use crate::engine::{Call, Kind, refused};
use crate::error::{Code, Refusal};
use crate::graphql::Loaders;

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
    let media_type = match negotiate(&headers) {
        Ok(media_type) => media_type,
        Err(rejected) => return rejected.into_response(MediaType::Json, &id),
    };
    let settings = app.settings();
    let read = async {
        request::check_content_type(&headers)?;
        let body = request::read_body(&headers, body, settings.server.max_body_bytes).await?;
        request::calls_in(&body, &settings.guard)
    };
    let answer = tokio::time::timeout(settings.server.request_timeout, async {
        let mut answers = Vec::new();
        let calls = read.await?;
        for call in calls.calls {
            answers.push(answer_call(&app, call, true).await?);
        }
        Ok::<_, Rejected>((answers, calls.is_batch))
    });
    match answer.await {
        Ok(Ok((answers, is_batch))) => render(answers, is_batch, media_type, &id),
        Ok(Err(rejected)) => rejected.into_response(media_type, &id),
        Err(_) => render(vec![late()], false, media_type, &id),
    }
}

async fn by_get(
    State(app): State<App>,
    Extension(RequestId(id)): Extension<RequestId>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let media_type = match negotiate(&headers) {
        Ok(media_type) => media_type,
        Err(rejected) => return rejected.into_response(MediaType::Json, &id),
    };
    let answer = tokio::time::timeout(app.settings().server.request_timeout, async {
        let call = request::call_in_query(query.as_deref().unwrap_or_default(), &app.settings().guard)?;
        answer_call(&app, call, false).await
    });
    match answer.await {
        Ok(Ok(answer)) => render(vec![answer], false, media_type, &id),
        Ok(Err(rejected)) => rejected.into_response(media_type, &id),
        Err(_) => render(vec![late()], false, media_type, &id),
    }
}

async fn other_method(Extension(RequestId(id)): Extension<RequestId>) -> Response {
    let refusal = Refusal::invalid_value("Ask by POST, or by GET for a query.");
    Rejected::new(StatusCode::METHOD_NOT_ALLOWED, refusal)
        .with(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"))
        .into_response(MediaType::Json, &id)
}

/// What holds for every request, whatever it asks: its answer's form, and that no other site's page has sent it.
fn negotiate(headers: &HeaderMap) -> Result<MediaType, Rejected> {
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    if site == Some("cross-site") {
        let refusal = Refusal::new(Code::Forbidden, "Pages of other sites may not ask here.");
        return Err(Rejected::new(StatusCode::FORBIDDEN, refusal));
    }
    MediaType::accepted(headers).ok_or_else(|| {
        let refusal = Refusal::invalid_value(
            "Accept application/graphql-response+json or application/json: there is no other form.",
        );
        Rejected::new(StatusCode::NOT_ACCEPTABLE, refusal)
    })
}

/// Answers one operation. What is wrong with it is an answer too; what HTTP itself forbids is not.
async fn answer_call(app: &App, mut call: Call, may_write: bool) -> Result<Answer, Rejected> {
    call.may_introspect = app.is_development();
    let prepared = match app.engine().prepare(call).await {
        Ok(prepared) => prepared,
        Err(errors) => return Ok(Answer::Refused(errors)),
    };
    match prepared.kind() {
        Kind::Mutation if !may_write => {
            let refusal = Refusal::invalid_value("A mutation is asked for by POST.");
            return Err(Rejected::new(StatusCode::METHOD_NOT_ALLOWED, refusal)
                .with(header::ALLOW, HeaderValue::from_static("POST")));
        }
        Kind::Subscription => {
            let refusal = Refusal::invalid_value("A subscription is asked for over WebSocket.");
            return Ok(Answer::Refused(vec![refused(&refusal, None)]));
        }
        Kind::Query | Kind::Mutation => {}
    }
    let loaders = Loaders::new(app.databases().read().clone());
    let response = app.engine().execute(prepared, |data| data.insert(loaders)).await;
    Ok(Answer::Executed(Box::new(response)))
}

fn late() -> Answer {
    let refusal = Refusal::new(Code::Timeout, "This took too long and was stopped. Ask for less at once.");
    Answer::Refused(vec![refused(&refusal, None)])
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
