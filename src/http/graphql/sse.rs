//! Operations as server-sent events, in the "distinct connections mode" of
//! <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>: one request, one stream of events.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use super::accept::MediaType;
use super::answer::{Answer, finished};
use super::caller::Caller;
use super::operation::{Answers, stream_call};
use crate::app::App;
use crate::engine::Call;

/// How often a stream without news says that it is there: less than proxies wait.
const KEEP_ALIVE: Duration = Duration::from_secs(12);

pub(super) async fn answer(app: &App, call: Call, mut caller: Caller, id: String) -> Response {
    // The response's head is sent before a resolver is asked.
    caller.visit.takes_cookies = false;
    let answers: BoxStream<'static, Answer> = match stream_call(app, call, &caller).await {
        Ok(Answers::Stream(answers)) => answers,
        Ok(Answers::Refused(errors)) => stream::iter([Answer::Refused(errors)]).boxed(),
        Err(rejected) => return rejected.into_response(MediaType::EventStream, &id),
    };
    let stopping = app.clone();
    let events = answers
        .map(move |answer| Event::default().event("next").data(finished(answer, &id)))
        .chain(stream::iter([Event::default().event("complete").data("")]))
        .take_until(async move {
            tokio::select! {
                () = stopping.draining() => {}
                () = ended(caller.principal.lasts) => {}
                () = stopping.taken_back(&caller.principal) => {}
            }
        })
        .map(Ok::<_, Infallible>);
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// Waits until what a caller said of itself does not hold any more.
async fn ended(lasts: Option<Duration>) {
    match lasts {
        Some(lasts) => tokio::time::sleep(lasts).await,
        None => std::future::pending().await,
    }
}
