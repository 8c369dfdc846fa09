//! One operation, from what is asked to what is answered, whatever it came by.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::pin;

use async_graphql::ServerError;
use axum::http::{HeaderValue, StatusCode, header};
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use serde_json::json;
use tracing::Instrument;

use super::answer::Answer;
use super::caller::Caller;
use super::gate::{self, Reading, Ticket};
use super::idempotency::{self, Claimed, Turn};
use super::request::Rejected;
use super::{late, unauthorized};
use crate::app::App;
use crate::domain::idempotency::RequestKey;
use crate::engine::{Call, Kind, Prepared, Refused, refused};
use crate::error::{Refusal, internal_refusal};
use crate::explain::{Notes, explained};
use crate::graphql::Misses;
use crate::http::note_panic;
use crate::principal::WITHOUT_TOKEN;

/// An operation that was let in.
struct Admitted {
    prepared: Prepared,
    ticket: Ticket,
    claimed: Option<Claimed>,
    /// What its document was charged for, until it is executed.
    reading: Option<Reading>,
}

impl Admitted {
    /// Gives back what its document was charged for: it is executed, at a cost of its own.
    async fn give_reading_back(&mut self, app: &App) {
        if let Some(reading) = self.reading.take() {
            reading.give_back(app).await;
        }
    }
}

/// What becomes of an operation before anything of it is executed.
enum Entered {
    Admitted(Box<Admitted>),
    /// It need not be: it was before.
    Answered(Answer),
    Refused(Vec<ServerError>),
}

/// Lets an operation in, or says why not. What is wrong with it is an answer too; what HTTP itself forbids is not.
async fn enter(app: &App, mut call: Call, caller: &Caller) -> Result<Entered, Rejected> {
    caller.mark(&mut call);
    let reading = match gate::admit_document(app, caller, &call).await {
        Ok(reading) => reading,
        Err(refusal) => return Ok(Entered::Refused(vec![refused(&refusal, None)])),
    };
    let request = match caller.idempotency_key.clone() {
        Some(key) => Some((key, idempotency::digest(&call, caller).await?)),
        None => None,
    };
    // What is refused from here on has been read too: its charge stays.
    let prepared = app.engine().prepare(call).await;
    // Whoever shows a token that does not hold learns of that first; but they may sign in.
    let signs_in =
        |prepared: &Prepared| prepared.kind() == Kind::Mutation && prepared.selects_only(&WITHOUT_TOKEN);
    if let Some(refusal) = &caller.refused
        && !prepared.as_ref().is_ok_and(signs_in)
    {
        return Err(unauthorized(refusal.clone()));
    }
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(Refused::Errors(errors)) => return Ok(Entered::Refused(errors)),
        Err(Refused::Mutation) => {
            let refusal = Refusal::invalid_value("By GET no mutation is executed: send it by POST.");
            return Err(Rejected::new(StatusCode::METHOD_NOT_ALLOWED, refusal)
                .with(header::ALLOW, HeaderValue::from_static("POST")));
        }
    };
    let ticket = match gate::admit(app, caller, &prepared).await {
        Ok(ticket) => ticket,
        Err(refusal) => return Ok(Entered::Refused(vec![refused(&refusal, None)])),
    };
    app.engine().share(&prepared).await;
    let claimed = match request {
        Some((key, request)) if prepared.kind() == Kind::Mutation => {
            let key = RequestKey { caller: caller.key(), key, request };
            match idempotency::claim(app, key, caller.visit.request_id.clone()).await {
                Ok(Turn::Mine(claimed)) => Some(claimed),
                Ok(Turn::Answered(answer)) => {
                    ticket.cancel(app).await;
                    if let Some(reading) = reading {
                        reading.give_back(app).await;
                    }
                    return Ok(Entered::Answered(answer));
                }
                Err(rejected) => {
                    ticket.cancel(app).await;
                    return Err(rejected);
                }
            }
        }
        _ => None,
    };
    Ok(Entered::Admitted(Box::new(Admitted { prepared, ticket, claimed, reading })))
}

/// Answers one operation that has one answer.
pub(super) async fn answer_call(app: &App, call: Call, caller: &Caller) -> Result<Answer, Rejected> {
    Ok(match enter(app, call, caller).await? {
        Entered::Answered(answer) => answer,
        Entered::Refused(errors) => Answer::Refused(errors),
        Entered::Admitted(admitted) if admitted.prepared.kind() == Kind::Subscription => {
            admitted.ticket.cancel(app).await;
            let refusal = Refusal::invalid_value(
                "A subscription is asked for over WebSocket, or with the header Accept: text/event-stream.",
            );
            Answer::Refused(vec![refused(&refusal, None)])
        }
        Entered::Admitted(mut admitted) => {
            admitted.give_reading_back(app).await;
            Box::pin(run(app, *admitted, caller)).await
        }
    })
}

/// What comes of an operation where there may be several answers.
pub(super) enum Answers {
    Refused(Vec<ServerError>),
    Stream(BoxStream<'static, Answer>),
}

/// The answers to one operation, one after the other, for what can carry several. A query or a mutation has one, by its
/// deadline.
pub(super) async fn stream_call(app: &App, call: Call, caller: &Caller) -> Result<Answers, Rejected> {
    let mut admitted = match enter(app, call, caller).await? {
        Entered::Answered(answer) => return Ok(Answers::Stream(stream::iter([answer]).boxed())),
        Entered::Refused(errors) => return Ok(Answers::Refused(errors)),
        Entered::Admitted(admitted) => admitted,
    };
    admitted.give_reading_back(app).await;
    let admitted = *admitted;
    if admitted.prepared.kind() != Kind::Subscription {
        let (app, caller) = (app.clone(), caller.clone());
        let answer = async move {
            let deadline = app.settings().server.request_timeout;
            let answer = pin!(AssertUnwindSafe(run(&app, admitted, &caller)).catch_unwind());
            match tokio::time::timeout(deadline, answer).await {
                Ok(answer) => answer.unwrap_or_else(|panic| panicked(&*panic)),
                Err(_) => late(),
            }
        };
        return Ok(Answers::Stream(stream::once(answer).boxed()));
    }
    let Admitted { prepared, ticket, .. } = admitted;
    let misses = Misses::default();
    let provide = caller.provide(app, prepared.merges(), misses.clone());
    let answers = app.engine().stream(prepared, provide);
    // The first answer settles what was charged; what a subscription tells later was asked for once.
    let (app, mut ticket) = (app.clone(), Some(ticket));
    let answers = AssertUnwindSafe(answers).catch_unwind().then(move |response| {
        let (app, ticket, misses) = (app.clone(), ticket.take(), misses.clone());
        async move {
            let mut response = match response {
                Ok(response) => response,
                Err(panic) => return panicked(&*panic),
            };
            if let Some(ticket) = ticket
                && let Err(refusal) = ticket.settle(&app, &mut response, &misses).await
            {
                return Answer::Refused(vec![refused(&refusal, None)]);
            }
            Answer::Executed(Box::new(response))
        }
    });
    Ok(Answers::Stream(answers.boxed()))
}

/// What is told of a panic where no answer has begun, or several may: nothing around it could.
fn panicked(panic: &(dyn Any + Send)) -> Answer {
    note_panic(panic);
    Answer::Refused(vec![refused(&internal_refusal(), None)])
}

/// Executes what was let in. A mutation is done to its end, with all that must follow it, whether or not anybody still waits
/// for the answer: a caller who hangs up must not leave it half known.
async fn run(app: &App, admitted: Admitted, caller: &Caller) -> Answer {
    if admitted.prepared.kind() != Kind::Mutation {
        return execute(app, admitted, caller).await;
    }
    let (app, caller) = (app.clone(), caller.clone());
    let running = async move { execute(&app, admitted, &caller).await }.in_current_span();
    match tokio::spawn(running).await {
        Ok(answer) => answer,
        // As a panic of a request is: caught, counted and told by the layer around it.
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => late(),
    }
}

async fn execute(app: &App, admitted: Admitted, caller: &Caller) -> Answer {
    let Admitted { prepared, ticket, claimed, .. } = admitted;
    let execution = pin!(execute_prepared(app, prepared, caller, ticket));
    let Some(claimed) = claimed else {
        return execution.await;
    };
    let answer = claimed.noted(execution).await;
    claimed.settle(&answer).await;
    answer
}

async fn execute_prepared(app: &App, prepared: Prepared, caller: &Caller, ticket: Ticket) -> Answer {
    let misses = Misses::default();
    let provide = caller.provide(app, prepared.merges(), misses.clone());
    let execution = pin!(app.engine().execute(prepared, provide));
    let mut response = if caller.explains {
        let (mut response, notes) = explained(execution).await;
        response.extensions.insert("explain".to_owned(), told(&notes));
        response
    } else {
        execution.await
    };
    if let Err(refusal) = ticket.settle(app, &mut response, &misses).await {
        return Answer::Refused(vec![refused(&refusal, None)]);
    }
    if came_to_nothing(&response, &["ERR-40", "ERR-5003"]) {
        return Answer::Refused(response.errors);
    }
    Answer::Executed(Box::new(response))
}

/// Whether nothing came of an operation, for reasons whose numbers all begin so. Where a limit, or a store that is away, is
/// the reason, it is refused as a whole, with the status and the header that say when to come back.
pub(super) fn came_to_nothing(response: &async_graphql::Response, reasons: &[&str]) -> bool {
    let is_empty = match &response.data {
        async_graphql::Value::Object(fields) => {
            fields.values().all(|value| *value == async_graphql::Value::Null)
        }
        data => *data == async_graphql::Value::Null,
    };
    let is_reason = |error: &ServerError| {
        let code = error.extensions.as_ref().and_then(|values| values.get("errorCode"));
        matches!(code, Some(async_graphql::Value::String(code)) if reasons.iter().any(|reason| code.starts_with(reason)))
    };
    is_empty && !response.errors.is_empty() && response.errors.iter().all(is_reason)
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
