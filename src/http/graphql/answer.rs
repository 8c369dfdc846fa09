//! What is answered, as bytes and as a status.

use std::collections::HashSet;

use async_graphql::{ServerError, Value};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use sha2::{Digest, Sha256};

use super::accept::MediaType;
use crate::engine::{failure_of, is_syntax};
use crate::error::Failure;
use crate::graphql::Json;

/// The answer to one operation.
pub(super) enum Answer {
    /// Nothing was executed, for these reasons.
    Refused(Vec<ServerError>),
    Executed(Box<async_graphql::Response>),
    /// What was answered before to the same request: its members, as JSON.
    Again(Vec<u8>),
}

impl Answer {
    fn errors(&self) -> &[ServerError] {
        match self {
            Self::Refused(errors) => errors,
            Self::Executed(response) => &response.errors,
            Self::Again(_) => &[],
        }
    }

    fn errors_mut(&mut self) -> &mut [ServerError] {
        match self {
            Self::Refused(errors) => errors,
            Self::Executed(response) => &mut response.errors,
            Self::Again(_) => &mut [],
        }
    }

    /// The members that GraphQL gives an answer: data only where something was executed.
    fn write(&self, json: &mut Json) {
        if let Self::Again(written) = self {
            json.raw(written);
            return;
        }
        json.raw(b"{");
        let mut members = 0;
        if let Self::Executed(response) = self {
            json.raw(b"\"data\":").value(&response.data);
            members += 1;
        }
        if !self.errors().is_empty() {
            json.comma(members).raw(b"\"errors\":").plain(self.errors());
            members += 1;
        }
        if let Self::Executed(response) = self
            && !response.extensions.is_empty()
        {
            json.comma(members).raw(b"\"extensions\":").plain(&response.extensions);
        }
        json.raw(b"}");
    }

    /// By the catalogue's code of the first error, where there is no data.
    fn status(&self, media_type: MediaType) -> StatusCode {
        let without_data = match self {
            Self::Refused(_) => true,
            Self::Executed(response) => response.data == Value::Null && !response.errors.is_empty(),
            Self::Again(_) => false,
        };
        // Of what was executed: `data` with `errors` beside it.
        let is_partial = media_type == MediaType::Draft && !self.errors().is_empty();
        let partial = StatusCode::from_u16(294).unwrap_or(StatusCode::OK);
        let partly = if is_partial { partial } else { StatusCode::OK };
        if !without_data {
            return partly;
        }
        let status = match self.errors().first().and_then(code) {
            Some("ERR-2001" | "ERR-2002" | "ERR-2003") => StatusCode::UNAUTHORIZED,
            Some("ERR-4001" | "ERR-4002" | "ERR-4005") => StatusCode::TOO_MANY_REQUESTS,
            Some("ERR-4006") => StatusCode::PAYLOAD_TOO_LARGE,
            Some("ERR-5003") => StatusCode::SERVICE_UNAVAILABLE,
            // What was executed has an answer, if only an empty one.
            _ if matches!(self, Self::Executed(_)) => return partly,
            Some("ERR-5000") => StatusCode::INTERNAL_SERVER_ERROR,
            Some("ERR-5002") => StatusCode::GATEWAY_TIMEOUT,
            // Read, but not valid: by the draft that is another matter than what can't be read.
            Some("ERR-3002" | "ERR-4003")
                if media_type == MediaType::Draft && !self.errors().iter().any(is_syntax) =>
            {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            _ => StatusCode::BAD_REQUEST,
        };
        let for_all_clients = [
            StatusCode::UNAUTHORIZED,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::SERVICE_UNAVAILABLE,
        ];
        let tells = matches!(media_type, MediaType::GraphqlResponse | MediaType::Draft);
        if !tells && !for_all_clients.contains(&status) {
            return StatusCode::OK;
        }
        status
    }
}

fn code(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("errorCode")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

/// The members of an answer as JSON, as they are given again.
pub(super) fn written(answer: &Answer) -> Vec<u8> {
    let mut json = Json::default();
    answer.write(&mut json);
    json.into_bytes()
}

/// One answer as JSON text, for what is no HTTP response.
pub(super) fn finished(mut answer: Answer, id: &str) -> String {
    finish(answer.errors_mut().iter_mut(), id);
    let mut json = Json::default();
    answer.write(&mut json);
    json.into_text()
}

/// The errors of an operation that was not executed, as a list in JSON text.
pub(super) fn finished_errors(mut errors: Vec<ServerError>, id: &str) -> String {
    finish(errors.iter_mut(), id);
    let mut json = Json::default();
    json.plain(&errors);
    json.into_text()
}

/// Logs what went wrong inside under the request's id, and puts the id beside each error.
fn finish<'a>(errors: impl Iterator<Item = &'a mut ServerError>, id: &str) {
    let mut logged = HashSet::new();
    for error in errors {
        // A batch of loads that fails does so for every field that waits for it: one line says it.
        if let Some(text) = failure_of(error).map(Failure::log_text)
            && logged.insert(text.clone())
        {
            tracing::error!(error = text, path = ?error.path, "an operation failed");
        }
        if let Some(extensions) = &mut error.extensions {
            extensions.set("requestId", id);
        }
    }
}

/// The response that holds an answer which caches may keep, for as long as the least of its fields may be kept; without
/// its body, where the caller has it already. An answer with errors is nobody's to keep.
pub(super) fn render_cacheable(
    answer: Answer,
    media_type: MediaType,
    id: &str,
    request: &HeaderMap,
) -> Response {
    let policy = match &answer {
        Answer::Executed(response) if response.errors.is_empty() => response.cache_control.value(),
        _ => None,
    };
    let Some(policy) = policy.and_then(|policy| HeaderValue::from_str(&policy).ok()) else {
        return render(vec![answer], false, media_type, id);
    };
    // An answer without errors has nothing of this request in it, so that equal answers are equal bytes.
    let mut json = Json::default();
    answer.write(&mut json);
    let body = json.into_bytes();
    let digest: String = Sha256::digest(&body).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    // Weak, for the same answer may travel packed or not.
    let tag = format!("W/\"{digest}\"");
    let is_known = request.get_all(header::IF_NONE_MATCH).iter().any(|known| {
        let known = known.to_str().unwrap_or_default();
        known.split(',').any(|known| known.trim() == tag || known.trim() == "*")
    });
    let mut response = with_body(if is_known { Vec::new() } else { body }, media_type);
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    // Who signs in afterwards is another caller.
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept, authorization"));
    response.headers_mut().insert(header::CACHE_CONTROL, policy);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn with_body(body: Vec<u8>, media_type: MediaType) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, media_type.content_type());
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    // Unless something says otherwise of it, an answer is its caller's alone.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The response that holds the answers.
pub(super) fn render(mut answers: Vec<Answer>, is_batch: bool, media_type: MediaType, id: &str) -> Response {
    finish(answers.iter_mut().flat_map(Answer::errors_mut), id);
    let status = match answers.as_slice() {
        [answer] if !is_batch => answer.status(media_type),
        _ => StatusCode::OK,
    };
    let retry_after = answers
        .iter()
        .flat_map(Answer::errors)
        .filter_map(|error| match error.extensions.as_ref()?.get("retryAfter")? {
            Value::Number(seconds) => seconds.as_u64(),
            _ => None,
        })
        .max();
    let mut json = Json::default();
    match answers.as_slice() {
        [answer] if !is_batch => answer.write(&mut json),
        answers => {
            json.raw(b"[");
            for (position, answer) in answers.iter().enumerate() {
                answer.write(json.comma(position));
            }
            json.raw(b"]");
        }
    }
    let mut response = with_body(json.into_bytes(), media_type);
    *response.status_mut() = status;
    for answer in &answers {
        // Cookies; what else resolvers may want to say is none of theirs.
        if let Answer::Executed(executed) = answer {
            for cookie in executed.http_headers.get_all(header::SET_COOKIE) {
                response.headers_mut().append(header::SET_COOKIE, cookie.clone());
            }
        }
    }
    // It speaks of the whole response: not where anything of a batch is answered for the first time.
    if !answers.is_empty() && answers.iter().all(|answer| matches!(answer, Answer::Again(_))) {
        response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    if let (true, Some(seconds)) = (status.is_client_error() || status.is_server_error(), retry_after) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
