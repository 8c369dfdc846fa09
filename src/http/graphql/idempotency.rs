//! Mutations that are sent again: `Idempotency-Key`, as
//! <https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/> has it.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::answer::{Answer, written};
use super::caller::Caller;
use super::operation::came_to_nothing;
use super::request::Rejected;
use crate::app::App;
use crate::domain::idempotency::{
    Known, RequestKey, claim_request, finish_request, forget_request, noted, release_request,
};
use crate::engine::{Call, QueryHash, refused};
use crate::error::{Code, Error, Refusal};
use crate::principal::{self, Credential};

/// The waits before what could not be written is tried again.
const LATER_SECONDS: [u64; 6] = [1, 2, 4, 8, 16, 32];

/// Characters of a key at most.
const KEY_CHARS: usize = 255;

/// The key that a request has, if it has one.
///
/// # Errors
/// What can't be a key.
pub(super) fn key_in(headers: &HeaderMap) -> Result<Option<String>, Rejected> {
    let Some(given) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = given.to_str().unwrap_or_default().trim();
    let fits = (1..=KEY_CHARS).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits {
        let message = format!("Idempotency-Key has 1 to {KEY_CHARS} letters, digits and signs.");
        return Err(Rejected::new(StatusCode::BAD_REQUEST, Refusal::invalid_value(message)));
    }
    Ok(Some(key.to_owned()))
}

/// A digest of all that a request asks: the call, its files, and the cookies that it may be about; and of what its caller
/// shows, so that a token which may do less is not given what another was. A session that was refreshed is the same.
///
/// # Errors
/// When a file can't be read again.
pub(super) async fn digest(call: &Call, caller: &Caller) -> Result<Vec<u8>, Rejected> {
    let mut digest = Sha256::new();
    let shown = match &caller.principal.caller {
        principal::Caller::User(user) => Some(match &user.by {
            Credential::Session { id, .. } => format!("session:{id}"),
            Credential::ApiToken { id, .. } => format!("api-token:{id}"),
        }),
        // Whom the key names already.
        principal::Caller::Nobody | principal::Caller::Client { .. } => None,
    };
    let document = hash_of_document(call);
    for text in [&document, &call.document_id, &call.operation_name, &caller.visit.cookies, &shown] {
        // With its length, so that no two requests are one text.
        let text = text.as_deref().unwrap_or_default();
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    digest.update([u8::from(caller.visit.is_own_page)]);
    digest.update(serde_json::to_vec(&call.variables).unwrap_or_default());
    let uploads = caller.uploads.clone();
    let files = tokio::task::spawn_blocking(move || uploads.digest()).await;
    match files {
        Ok(Ok(files)) => digest.update(files),
        Ok(Err(_)) | Err(_) => {
            return Err(Rejected::new(StatusCode::INTERNAL_SERVER_ERROR, crate::error::internal_refusal()));
        }
    }
    Ok(digest.finalize().to_vec())
}

/// A query and its hash are the same document: who has sent both may send the hash alone the next time.
fn hash_of_document(call: &Call) -> Option<String> {
    let of_query = call.query.as_ref().map(|query| QueryHash::of(query).to_string());
    of_query.or_else(|| call.hash.as_ref().map(|hash| hash.to_ascii_lowercase()))
}

/// What was answered before, with this request's id beside each error, as any answer has it.
fn again(answer: Vec<u8>, request_id: Option<&str>) -> Vec<u8> {
    let with_id = |id: &str| {
        let mut members: Members<'_> = serde_json::from_slice(&answer).ok()?;
        for error in members.errors.as_mut()? {
            if let Some(extensions) = error.get_mut("extensions").and_then(Value::as_object_mut) {
                extensions.insert("requestId".to_owned(), id.into());
            }
        }
        serde_json::to_vec(&members).ok()
    };
    request_id.and_then(with_id).unwrap_or(answer)
}

/// The members of an answer; what is data in it stays as it was written.
#[derive(Deserialize, Serialize)]
struct Members<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<Value>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    extensions: Option<&'a RawValue>,
}

/// What becomes of a mutation with a key.
pub(super) enum Turn {
    /// It is executed.
    Mine(Claimed),
    /// It was, with this answer.
    Answered(Answer),
}

/// A request that is this one's to execute. One that is not settled, because nobody waits any more, is let go.
pub(super) struct Claimed {
    app: App,
    key: Option<RequestKey>,
}

/// Claims a request, or finds the answer that it had.
///
/// # Errors
/// ERR-3004 where the key is another request's, or this one is being executed; the database's.
pub(super) async fn claim(app: &App, key: RequestKey, request_id: Option<String>) -> Result<Turn, Rejected> {
    let app = app.clone();
    // To its end even where the caller hangs up meanwhile: what is claimed by then is let go.
    let claiming = tokio::spawn(async move { claim_now(app, key, request_id).await });
    claiming.await.unwrap_or_else(|error| Ok(Turn::Answered(failed(&Error::internal(error.to_string())))))
}

async fn claim_now(app: App, key: RequestKey, request_id: Option<String>) -> Result<Turn, Rejected> {
    let known = claim_request(app.databases().write(), &key, app.outside().now()).await;
    let conflict = |status, message: &'static str, retry_after| {
        Err(Rejected::new(status, Refusal { retry_after, ..Refusal::new(Code::Conflict, message) }))
    };
    match known {
        Ok(Known::New) => Ok(Turn::Mine(Claimed { app, key: Some(key) })),
        Ok(Known::Answered(sealed)) => match app.sealer().open(about(&key).as_bytes(), &sealed) {
            Some(answer) => Ok(Turn::Answered(Answer::Again(again(answer, request_id.as_deref())))),
            None => {
                let message = "This request was answered before, and the answer can't be given again.";
                conflict(StatusCode::CONFLICT, message, None)
            }
        },
        Ok(Known::AnswerLost) => {
            let message =
                "This request was executed, at least in part, and its answer is lost: look at what is there.";
            conflict(StatusCode::CONFLICT, message, None)
        }
        Ok(Known::UnderWay) => {
            conflict(StatusCode::CONFLICT, "This request is being executed. Ask again in a moment.", Some(1))
        }
        Ok(Known::Other) => conflict(
            StatusCode::UNPROCESSABLE_ENTITY,
            "This Idempotency-Key was used with another request.",
            None,
        ),
        Err(error) => Ok(Turn::Answered(failed(&error))),
    }
}

fn failed(error: &Error) -> Answer {
    tracing::error!(error = error.log_text(), "a request's key could not be looked up");
    Answer::Refused(vec![refused(&error.refusal(), None)])
}

fn about(key: &RequestKey) -> String {
    format!("{}\n{}", key.caller, key.key)
}

impl Claimed {
    /// Executes what was claimed, so that each of its transactions says that it has changed something.
    pub async fn noted<T>(&self, execution: impl Future<Output = T>) -> T {
        match &self.key {
            Some(key) => noted(key, execution).await,
            None => execution.await,
        }
    }

    /// Keeps the answer; or, where what was asked came to nothing by no fault of its own, lets it be asked again.
    pub async fn settle(mut self, answer: &Answer) {
        let Some(key) = self.key.take() else { return };
        let end = match answer {
            // No answer to give to whoever asks again.
            Answer::Executed(response) if response.http_headers.contains_key(header::SET_COOKIE) => {
                End::Forget
            }
            // What failed as a whole by our fault has mostly changed nothing.
            Answer::Executed(response) if came_to_nothing(response, &["ERR-4", "ERR-5"]) => End::Release,
            // What was refused as a whole changed nothing.
            Answer::Refused(_) | Answer::Again(_) => End::Release,
            Answer::Executed(_) => {
                let sealed = self.app.sealer().seal(about(&key).as_bytes(), &written(answer));
                sealed.map_or(End::Release, End::Keep)
            }
        };
        if end.write(&self.app, &key).await {
            return;
        }
        // The database is away: whoever asks again would be told to wait until the claim is taken for abandoned.
        let app = self.app.clone();
        tokio::spawn(async move {
            for seconds in LATER_SECONDS {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                if end.write(&app, &key).await {
                    return;
                }
            }
        });
    }
}

/// What becomes of a claim.
enum End {
    Keep(Vec<u8>),
    Release,
    Forget,
}

impl End {
    async fn write(&self, app: &App, key: &RequestKey) -> bool {
        let connection = app.databases().write();
        let written = match self {
            Self::Keep(sealed) => finish_request(connection, key, sealed.clone()).await,
            Self::Release => release_request(connection, key).await,
            Self::Forget => forget_request(connection, key).await,
        };
        if let Err(error) = &written {
            tracing::error!(error = error.log_text(), "the answer to a request with a key could not be kept");
        }
        written.is_ok()
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let app = self.app.clone();
        tokio::spawn(async move {
            if let Err(error) = release_request(app.databases().write(), &key).await {
                tracing::warn!(
                    error = error.log_text(),
                    "a request with a key that nobody waits for stays claimed"
                );
            }
        });
    }
}
