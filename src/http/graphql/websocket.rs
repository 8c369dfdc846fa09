//! Operations over a WebSocket: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>, the protocol
//! `graphql-transport-ws`. Ours and not async-graphql's, which knows no limit on operations, no deadline for the
//! greeting and no second operation under one id.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::future::BoxFuture;
use futures_util::stream::{AbortHandle, Abortable};
use futures_util::{FutureExt, Sink, SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use super::answer::{finished, finished_errors};
use super::caller::{Caller, Unidentified, identify};
use super::operation::{Answers, stream_call};
use super::request::call_of;
use crate::app::App;
use crate::engine::{Call, refused};
use crate::error::internal_refusal;
use crate::http::note_panic;
use crate::principal::Visit;

/// What a client offers to speak.
pub(super) const PROTOCOL: &str = "graphql-transport-ws";

/// Bytes of one message at most: what a body may have, and the message around it.
pub(super) fn most_bytes(app: &App) -> usize {
    app.settings().server.max_body_bytes + 1_024
}

/// Answers that wait to be read at most; what makes more of them waits too.
const WAITING: usize = 16;

/// Why the server ends a connection, as the protocol numbers it.
struct Goodbye(u16, &'static str);

const MALFORMED: Goodbye = Goodbye(4400, "This is no message of the protocol.");
const UNAUTHORIZED: Goodbye = Goodbye(4401, "Unauthorized");
const LATE: Goodbye = Goodbye(4408, "Connection initialisation timeout");
const TOO_MANY_GREETINGS: Goodbye = Goodbye(4429, "Too many initialisation requests");
const TOO_MANY_OPERATIONS: Goodbye = Goodbye(4429, "Too many operations");
const SLOW: Goodbye = Goodbye(4408, "The answers are not read fast enough");
const AWAY: Goodbye = Goodbye(1013, "Try again later");
const GONE: Goodbye = Goodbye(1001, "The server stops");

/// Speaks with one client until either of them ends it.
///
/// `authorization` is the header of that name; what the greeting has under it comes before.
pub(super) async fn converse(
    app: App,
    socket: WebSocket,
    authorization: Option<String>,
    visit: Visit,
    id: String,
) {
    let (sink, mut incoming) = socket.split();
    let (outgoing, waiting) = mpsc::channel(WAITING);
    let mut writer = tokio::spawn(write(sink, waiting));
    let mut conversation = Conversation {
        app: &app,
        id: &id,
        outgoing,
        running: HashMap::new(),
        started: 0,
        caller: None,
        ends_at: None,
        said: authorization,
        visit: Visit { takes_cookies: false, ..visit },
        taken_back: std::future::pending().boxed(),
    };
    let limits = &app.settings().socket;
    let mut greeting = pin!(tokio::time::sleep(limits.greeting_timeout));
    let mut ping = tokio::time::interval_at(Instant::now() + limits.ping_every, limits.ping_every);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answered = true;
    let (ended, mut endings) = mpsc::unbounded_channel();
    let goodbye = loop {
        tokio::select! {
            // What has ended is known before the next message is heard.
            biased;
            Some(ending) = endings.recv() => match ending {
                Ending::Done(operation, number) => conversation.forget(&operation, number),
                Ending::Unread => break Some(SLOW),
            },
            // Before what is said: who never stops talking is not listened to for longer.
            () = &mut greeting, if conversation.caller.is_none() => break Some(LATE),
            () = until(conversation.ends_at) => break Some(UNAUTHORIZED),
            () = &mut conversation.taken_back => break Some(UNAUTHORIZED),
            () = app.draining() => break Some(GONE),
            message = incoming.next() => {
                answered = true;
                let outcome = match message {
                    Some(Ok(Message::Text(text))) => conversation.hear(&text, &ended).await,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                    Some(Ok(Message::Binary(_))) => Err(MALFORMED),
                    // Gone, or a message that is too long or no text.
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break None,
                };
                if let Err(goodbye) = outcome {
                    break Some(goodbye);
                }
            }
            _ = &mut writer => break None,
            _ = ping.tick() => {
                // One that did not answer the last is not there any more.
                if !answered || conversation.outgoing.try_send(Outgoing::Ping).is_err() {
                    break Some(SLOW);
                }
                answered = false;
            }
        }
    };
    conversation.stop_all();
    if let Some(goodbye) = goodbye {
        // A queue that is full is one that nobody reads: then the end of the connection says it.
        let _ = conversation.outgoing.try_send(Outgoing::Close(goodbye));
    }
    drop(conversation);
    if !writer.is_finished() && tokio::time::timeout(Duration::from_secs(1), &mut writer).await.is_err() {
        writer.abort();
    }
}

enum Outgoing {
    Text(String),
    Ping,
    Close(Goodbye),
}

async fn write(mut sink: impl Sink<Message> + Unpin, mut waiting: mpsc::Receiver<Outgoing>) {
    while let Some(outgoing) = waiting.recv().await {
        let (message, last) = match outgoing {
            Outgoing::Text(text) => (Message::Text(text.into()), false),
            Outgoing::Ping => (Message::Ping(Default::default()), false),
            Outgoing::Close(Goodbye(code, reason)) => {
                (Message::Close(Some(CloseFrame { code, reason: reason.into() })), true)
            }
        };
        if sink.send(message).await.is_err() || last {
            return;
        }
    }
}

/// Why an operation's task has ended.
enum Ending {
    Done(String, u64),
    /// Its answers are not read.
    Unread,
}

struct Running {
    /// Tells an operation from an earlier one of the same id.
    number: u64,
    stop: AbortHandle,
}

struct Conversation<'a> {
    app: &'a App,
    id: &'a str,
    outgoing: mpsc::Sender<Outgoing>,
    running: HashMap<String, Running>,
    /// Operations so far.
    started: u64,
    /// Known from the greeting on.
    caller: Option<Caller>,
    /// When what the caller said of itself does not hold any more.
    ends_at: Option<Instant>,
    /// What the greeting, or else the request for the socket, said of who asks.
    said: Option<String>,
    visit: Visit,
    /// Ends when what the caller showed is taken back.
    taken_back: BoxFuture<'static, ()>,
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

impl Conversation<'_> {
    async fn hear(&mut self, text: &str, ended: &mpsc::UnboundedSender<Ending>) -> Result<(), Goodbye> {
        let Ok(Value::Object(mut message)) = serde_json::from_str(text) else {
            return Err(MALFORMED);
        };
        let operation = message.remove("id").and_then(|id| id.as_str().map(str::to_owned));
        let kind = message.remove("type");
        match (kind.as_ref().and_then(Value::as_str), operation) {
            (Some("connection_init"), _) if self.caller.is_some() => Err(TOO_MANY_GREETINGS),
            (Some("connection_init"), _) => {
                let payload = message.remove("payload").unwrap_or_default();
                let said =
                    ["authorization", "Authorization"].iter().find_map(|name| payload.get(*name)?.as_str());
                self.said = said.map(str::to_owned).or(self.said.take());
                let known = identify(self.app, self.said.as_deref(), &self.visit).await;
                let principal = known.map_err(|unidentified| match unidentified {
                    Unidentified::Token(_) => UNAUTHORIZED,
                    Unidentified::Limited(_) | Unidentified::Away(_) => AWAY,
                })?;
                self.ends_at = principal.lasts.map(|lasts| Instant::now() + lasts);
                let (app, shown) = (self.app.clone(), principal.clone());
                self.taken_back = async move { app.taken_back(&shown).await }.boxed();
                self.caller = Some(Caller { principal, visit: self.visit.clone(), ..Caller::default() });
                self.say(json!({"type": "connection_ack"}));
                Ok(())
            }
            (Some("ping"), _) => {
                self.say(json!({"type": "pong"}));
                Ok(())
            }
            (Some("pong"), _) => Ok(()),
            (Some("subscribe"), Some(operation)) => {
                let payload = message.remove("payload").ok_or(MALFORMED)?;
                self.start(operation, payload, ended)
            }
            (Some("complete"), Some(operation)) => {
                if let Some(running) = self.running.remove(&operation) {
                    running.stop.abort();
                }
                Ok(())
            }
            _ => Err(MALFORMED),
        }
    }

    fn start(
        &mut self,
        operation: String,
        payload: Value,
        ended: &mpsc::UnboundedSender<Ending>,
    ) -> Result<(), Goodbye> {
        let caller = self.caller.clone().ok_or(UNAUTHORIZED)?;
        if self.running.contains_key(&operation) {
            return Err(Goodbye(4409, "There is an operation of this id already"));
        }
        if self.running.len() >= self.app.settings().socket.operations {
            return Err(TOO_MANY_OPERATIONS);
        }
        let call = call_of(payload, &self.app.settings().guard).map_err(|_| MALFORMED)?;
        let call = Call { may_write: true, ..call };
        let (stop, stopped) = AbortHandle::new_pair();
        let number = self.started;
        self.started += 1;
        self.running.insert(operation.clone(), Running { number, stop });
        let (app, ended, said) = (self.app.clone(), ended.clone(), self.said.clone());
        let patience = self.app.settings().socket.read_timeout;
        let reader = Reader { outgoing: self.outgoing.clone(), patience };
        let request_id = self.id.to_owned();
        let run = async move {
            let told = async {
                // As each request is: what was shown may not hold any more.
                let known = match identify(&app, said.as_deref(), &caller.visit).await {
                    Ok(principal) => stream_call(&app, call, &Caller { principal, ..caller })
                        .await
                        .map_err(|rejected| rejected.refusal),
                    Err(
                        Unidentified::Token(refusal)
                        | Unidentified::Limited(refusal)
                        | Unidentified::Away(refusal),
                    ) => Err(refusal),
                };
                let known = known.unwrap_or_else(|refusal| Answers::Refused(vec![refused(&refusal, None)]));
                let last = match known {
                    Answers::Refused(errors) => {
                        about(&operation, "error", &finished_errors(errors, &request_id))
                    }
                    Answers::Stream(mut answers) => {
                        while let Some(answer) = answers.next().await {
                            let payload = finished(answer, &request_id);
                            reader.tell(about(&operation, "next", &payload)).await?;
                        }
                        json!({"type": "complete", "id": operation}).to_string()
                    }
                };
                // Before the client hears of it, for then the id is free. Nobody listens only when the conversation
                // is over.
                let _ = ended.send(Ending::Done(operation.clone(), number));
                reader.tell(last).await
            };
            let told = match AssertUnwindSafe(told).catch_unwind().await {
                Ok(told) => told,
                // Whatever happened to it, an operation ends.
                Err(panic) => {
                    note_panic(&*panic);
                    let errors = finished_errors(vec![refused(&internal_refusal(), None)], &request_id);
                    let _ = ended.send(Ending::Done(operation.clone(), number));
                    reader.tell(about(&operation, "error", &errors)).await
                }
            };
            if let Err(Unread) = told {
                let _ = ended.send(Ending::Unread);
            }
        };
        tokio::spawn(Abortable::new(run, stopped));
        Ok(())
    }

    fn forget(&mut self, operation: &str, number: u64) {
        if self.running.get(operation).is_some_and(|running| running.number == number) {
            self.running.remove(operation);
        }
    }

    fn say(&self, message: Value) {
        // A client that does not read what it is sent need not be greeted either.
        let _ = self.outgoing.try_send(Outgoing::Text(message.to_string()));
    }

    fn stop_all(&mut self) {
        for (_, running) in self.running.drain() {
            running.stop.abort();
        }
    }
}

/// The client, for an operation's task.
struct Reader {
    outgoing: mpsc::Sender<Outgoing>,
    patience: Duration,
}

/// The client did not take an answer in time, or is gone.
struct Unread;

impl Reader {
    async fn tell(&self, message: String) -> Result<(), Unread> {
        let sent = self.outgoing.send_timeout(Outgoing::Text(message), self.patience).await;
        sent.map_err(|_| Unread)
    }
}

/// A message about an operation, whose payload is JSON text.
fn about(operation: &str, kind: &str, payload: &str) -> String {
    format!("{{\"type\":\"{kind}\",\"id\":{},\"payload\":{payload}}}", Value::from(operation))
}
