//! What a request asks: operations out of a body or out of a query string.

use async_graphql::{Name, Variables};
use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde_json::{Map, Value};

use super::accept::is_utf8;
use crate::config::GuardSettings;
use crate::engine::Call;
use crate::error::{Code, Refusal};

/// A request that HTTP forbids, or whose form is wrong: nothing is executed, whatever form of answer is accepted.
#[derive(Debug)]
pub(super) struct Rejected {
    pub status: StatusCode,
    pub refusal: Refusal,
    pub header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Rejected {
    /// With when to come back, where the refusal says.
    pub fn new(status: StatusCode, refusal: Refusal) -> Self {
        let header =
            refusal.retry_after.map(|seconds| Box::new((header::RETRY_AFTER, HeaderValue::from(seconds))));
        Self { status, refusal, header }
    }

    /// A caller who asks too often.
    pub fn limited(refusal: Refusal) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, refusal)
    }

    fn malformed(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Refusal::invalid_value(message))
    }
}

/// A page of another site can send forms and plain text without asking; JSON it can't.
pub(super) fn check_content_type(headers: &HeaderMap) -> Result<(), Rejected> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|given| given.to_str().ok()).unwrap_or_default();
    let mut parts = given.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/json"));
    let in_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => is_utf8(value),
        _ => true,
    });
    if (is_json && in_utf8) || super::multipart::is_multipart(headers) {
        return Ok(());
    }
    let refusal = Refusal::invalid_value("Send JSON, with the header Content-Type: application/json.");
    Err(Rejected {
        header: Some(Box::new((
            HeaderName::from_static("accept-post"),
            HeaderValue::from_static("application/json"),
        ))),
        ..Rejected::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, refusal)
    })
}

/// The body, if it is not too long.
pub(super) async fn read_body(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Rejected> {
    let too_large = || {
        let message = format!("The request's body is too large; the limit is {most} bytes.");
        Rejected::new(StatusCode::PAYLOAD_TOO_LARGE, Refusal::new(Code::BodyTooLarge, message))
    };
    let announced: Option<usize> =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut body = body.into_data_stream();
    if announced.is_some_and(|announced| announced > most) {
        drain(body).await;
        return Err(too_large());
    }
    let mut read = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|_| Rejected::malformed("The request's body ended too early."))?;
        if read.len() + piece.len() > most {
            drain(body).await;
            return Err(too_large());
        }
        read.extend_from_slice(&piece);
    }
    Ok(read.freeze())
}

/// Bytes of a body that is refused which are read all the same.
const DRAINED: usize = 4 << 20;

/// Reads a body that nobody wants, so that its sender comes to read why: most clients read an answer only once they have
/// sent their request.
pub(super) async fn drain(mut body: BodyDataStream) {
    let mut taken = 0;
    while let Some(Ok(piece)) = body.next().await {
        taken += piece.len();
        if taken > DRAINED {
            return;
        }
    }
}

/// The operations of a body.
#[derive(Debug)]
pub(super) struct Calls {
    pub calls: Vec<Call>,
    pub is_batch: bool,
}

pub(super) fn calls_in(body: &[u8], limits: &GuardSettings) -> Result<Calls, Rejected> {
    let body: Value =
        serde_json::from_slice(body).map_err(|_| Rejected::malformed("The request's body is not JSON."))?;
    match body {
        Value::Array(batch) if batch.len() > limits.batch => {
            let message = match limits.batch {
                0 => "Send one operation a request.".to_owned(),
                most => format!("Send {most} operations a request at most."),
            };
            let refusal = Refusal::new(Code::BodyTooLarge, message);
            Err(Rejected::new(StatusCode::PAYLOAD_TOO_LARGE, refusal))
        }
        Value::Array(batch) if batch.is_empty() => Err(Rejected::malformed("The batch is empty.")),
        Value::Array(batch) => {
            let calls = batch.into_iter().map(|call| call_of(call, limits)).collect::<Result<_, _>>()?;
            Ok(Calls { calls, is_batch: true })
        }
        call => Ok(Calls { calls: vec![call_of(call, limits)?], is_batch: false }),
    }
}

/// The operation of a query string, where variables and extensions are JSON.
pub(super) fn call_in_query(query: &str, limits: &GuardSettings) -> Result<Call, Rejected> {
    let mut call = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = match name.as_ref() {
            "variables" | "extensions" if value.is_empty() => Value::Null,
            "variables" | "extensions" => serde_json::from_str(&value).map_err(|_| {
                Rejected::malformed("In the address, variables and extensions are JSON objects.")
            })?,
            _ => Value::String(value.into_owned()),
        };
        if call.insert(name.into_owned(), value).is_some() {
            return Err(Rejected::malformed("A parameter is given twice."));
        }
    }
    call_of(Value::Object(call), limits)
}

pub(super) fn call_of(call: Value, limits: &GuardSettings) -> Result<Call, Rejected> {
    let Value::Object(mut call) = call else {
        return Err(Rejected::malformed("An operation is an object with a query."));
    };
    let query = text(&mut call, "query", "query must be a string.")?;
    let operation_name = text(&mut call, "operationName", "operationName must be a string.")?;
    let variables = object(&mut call, "variables", "variables must be an object.")?;
    let mut extensions = object(&mut call, "extensions", "extensions must be an object.")?;
    let hash = hash_in(&mut extensions)?;
    // Under this name by the specification's appendix, under the others by Relay's own network layers.
    let mut document_id = None;
    for name in ["documentId", "doc_id", "id"] {
        document_id = document_id.or(text(&mut call, name, "The document's id must be a string.")?);
    }
    if query.is_some() && document_id.is_some() {
        return Err(Rejected::malformed("Send a query or a document's id, not both."));
    }
    if query.is_none() && hash.is_none() && document_id.is_none() {
        return Err(Rejected::malformed("There is no query."));
    }
    if variables.values().any(|value| !is_within(value, limits.variables_depth)) {
        return Err(Rejected::malformed(
            "The variables are nested too deep, or have a list of over 10,000 items.",
        ));
    }
    let mut given = Variables::default();
    for (name, value) in variables {
        // What JSON can say, GraphQL's values can.
        given.insert(Name::new(name), async_graphql::Value::from_json(value).unwrap_or_default());
    }
    Ok(Call {
        query,
        hash,
        document_id,
        // Clients send an empty name for none.
        operation_name: operation_name.filter(|name| !name.is_empty()),
        variables: given,
        ..Call::default()
    })
}

fn text(call: &mut Map<String, Value>, name: &str, wrong: &'static str) -> Result<Option<String>, Rejected> {
    match call.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Rejected::malformed(wrong)),
    }
}

fn object(
    call: &mut Map<String, Value>,
    name: &str,
    wrong: &'static str,
) -> Result<Map<String, Value>, Rejected> {
    match call.remove(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object),
        Some(_) => Err(Rejected::malformed(wrong)),
    }
}

/// Apollo's `persistedQuery: {version: 1, sha256Hash: "…"}`.
fn hash_in(extensions: &mut Map<String, Value>) -> Result<Option<String>, Rejected> {
    let wrong = || Rejected::malformed("persistedQuery must be {\"version\": 1, \"sha256Hash\": \"…\"}.");
    match extensions.remove("persistedQuery") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(mut persisted)) => {
            match (persisted.remove("version"), persisted.remove("sha256Hash")) {
                (Some(version), Some(Value::String(hash))) if version == 1 => Ok(Some(hash)),
                _ => Err(wrong()),
            }
        }
        Some(_) => Err(wrong()),
    }
}

/// Items of one list in the variables at most: no argument takes more.
const LIST_ITEMS: usize = 10_000;

/// Whether a value has no more levels than `most`, and no list that is too long. It comes from a parser that ends at
/// 128 levels.
fn is_within(value: &Value, most: usize) -> bool {
    match value {
        Value::Array(items) => {
            most > 0 && items.len() <= LIST_ITEMS && items.iter().all(|item| is_within(item, most - 1))
        }
        Value::Object(fields) => most > 0 && fields.values().all(|value| is_within(value, most - 1)),
        _ => true,
    }
}
