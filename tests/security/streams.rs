//! What stays open ends with the token that it was opened with, whatever kind of token that is and however it is taken
//! back. Of tokens for scripts and clients nobody is told: they are looked at often enough.

use std::time::Duration;

use chrono::{SecondsFormat, TimeDelta};
use dualcaster::config::Settings;
use dualcaster::domain::accounts::{create_client, revoke_client};
use dualcaster::identity::TOKENS_LOOKED_AT_EVERY;
use dualcaster::outside::Outside;
use entity::enums::Role;
use serde_json::{Value, json};

use super::{PASSWORD, Person, everywhere_with, mutate, sign_in, sign_up, token_mailed_to, whoami};
use crate::harness::{Content, TestApp, everywhere, on_both_stores};
use crate::sockets::Socket;

/// How long an end is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

async fn a_card(app: &TestApp) -> Value {
    let cards = app.data("{ cards(first: 1) { nodes { id } } }", json!(null)).await;
    cards["cards"]["nodes"][0]["id"].clone()
}

/// Subscribes to the prices of a card.
fn subscription(card: &Value) -> Value {
    let query = "subscription($ids: [ID!]!) { priceUpdates(cardIds: $ids) { previousPrice } }";
    json!({"query": query, "variables": {"ids": [card]}})
}

async fn socket(app: &TestApp, token: &str, card: &Value) -> Socket {
    let mut socket = Socket::open(app).await;
    let payload = json!({"authorization": format!("Bearer {token}")});
    socket.say(json!({"type": "connection_init", "payload": payload})).await;
    assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
    socket.say(json!({"type": "subscribe", "id": "1", "payload": subscription(card)})).await;
    socket
}

async fn events(app: &TestApp, token: &str, card: &Value) -> reqwest::Response {
    let request = app.client.post(format!("{}/graphql", app.base)).header("accept", "text/event-stream");
    let answer = request.bearer_auth(token).json(&subscription(card)).send().await.expect("a stream");
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    answer
}

/// Waits until a stream ends, which says nothing: neither a price nor that all is told.
async fn end_of(events: reqwest::Response) {
    let text = tokio::time::timeout(PATIENCE, events.text()).await.expect("an end in time").expect("text");
    assert!(!text.contains("event:"), "{text}");
}

/// Waits until so many listen.
async fn listeners(app: &TestApp, count: usize) {
    let waiting = async {
        while app.app.live().listeners() != count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("so many listeners in time");
}

/// A new token for scripts, and its id.
async fn api_token(app: &TestApp, person: &Person) -> (String, String) {
    let made = mutate(app, person, "createApiToken(input: {name: \"x\"}) { token apiToken { id } }").await;
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (text(&made.field()["token"]), text(&made.field()["apiToken"]["id"]))
}

on_both_stores! { Market:
    async fn sockets_and_events_end_when_their_token_is_revoked_and_others_go_on(app: TestApp) {
        let card = a_card(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let ((script, id), (other, _)) = (api_token(&app, &ada).await, api_token(&app, &ada).await);
        let connection = app.bulk.write();
        let mut clients = Vec::new();
        for name in ["bot", "other bot"] {
            let made = create_client(connection, name, Role::Bot, None, &Outside::system()).await.expect("a client");
            clients.push(made.1.text());
        }
        let mut of_script = socket(&app, &script, &card).await;
        let mut of_client = socket(&app, &clients[0], &card).await;
        let (events_of_script, events_of_client) = (events(&app, &script, &card).await, events(&app, &clients[0], &card).await);
        let mut going_on = [socket(&app, &other, &card).await, socket(&app, &clients[1], &card).await];
        let events_going_on = [events(&app, &other, &card).await, events(&app, &clients[1], &card).await];
        listeners(&app, 8).await;

        let revoke = format!("revokeApiToken(input: {{id: \"{id}\"}}) {{ revokedId }}");
        assert_eq!(mutate(&app, &ada, &revoke).await.field()["revokedId"], json!(id));
        assert!(revoke_client(connection, "bot", app.clock.now()).await.expect("revoked"));
        assert_eq!(of_script.hear().await, json!(4401));
        assert_eq!(of_client.hear().await, json!(4401));
        tokio::join!(end_of(events_of_script), end_of(events_of_client));
        listeners(&app, 4).await;
        for socket in &mut going_on {
            socket.say(json!({"type": "ping"})).await;
            assert_eq!(socket.hear().await, json!({"type": "pong"}));
        }
        for token in [&script, &clients[0]] {
            assert_eq!(whoami(&app, token).await, Err("ERR-2003".to_owned()));
        }
        drop(events_going_on);
        listeners(&app, 2).await;
    }

    async fn sockets_and_events_of_a_script_end_when_its_token_says_and_others_go_on(app: TestApp) {
        let (ada, card) = (sign_up(&app, "ada@example.com").await, a_card(&app).await);
        let end = (app.clock.now() + TimeDelta::hours(1)).to_rfc3339_opts(SecondsFormat::Secs, true);
        let create = format!("createApiToken(input: {{name: \"x\", expiresAt: \"{end}\"}}) {{ token }}");
        let made = mutate(&app, &ada, &create).await;
        let brief = made.field()["token"].as_str().expect("a token");
        let (other, _) = api_token(&app, &ada).await;
        let (mut ends, mut goes_on) = (socket(&app, brief, &card).await, socket(&app, &other, &card).await);
        let (events_end, events_go_on) = (events(&app, brief, &card).await, events(&app, &other, &card).await);
        listeners(&app, 4).await;
        app.clock.advance(TimeDelta::hours(2));
        assert_eq!(ends.hear().await, json!(4401));
        end_of(events_end).await;
        listeners(&app, 2).await;
        goes_on.say(json!({"type": "ping"})).await;
        assert_eq!(goes_on.hear().await, json!({"type": "pong"}));
        assert_eq!(whoami(&app, brief).await, Err("ERR-2002".to_owned()));
        drop(events_go_on);
        listeners(&app, 1).await;
    }

    async fn nothing_more_is_begun_on_a_socket_whose_token_was_revoked(app: TestApp) {
        let (ada, card) = (sign_up(&app, "ada@example.com").await, a_card(&app).await);
        let (script, id) = api_token(&app, &ada).await;
        let mut socket = socket(&app, &script, &card).await;
        socket.subscribe("2", "{ viewer { email } }").await;
        let answer = json!({"type": "next", "id": "2", "payload": {"data": {"viewer": {"email": "ada@example.com"}}}});
        assert_eq!(socket.hear().await, answer);
        assert_eq!(socket.hear().await, json!({"type": "complete", "id": "2"}));
        mutate(&app, &ada, &format!("revokeApiToken(input: {{id: \"{id}\"}}) {{ revokedId }}")).await.field();
        socket.subscribe("3", "{ viewer { email } }").await;
        let mut heard = socket.hear().await;
        // Unless its end has come first.
        if heard != json!(4401) {
            assert_eq!((&heard["type"], &heard["id"]), (&json!("error"), &json!("3")), "{heard:#}");
            assert_eq!(heard["payload"][0]["extensions"]["errorCode"], json!("ERR-2003"));
            heard = socket.hear().await;
        }
        assert_eq!(heard, json!(4401));
    }

    async fn sockets_and_events_of_scripts_end_with_a_reset_and_with_the_account(app: TestApp) {
        let card = a_card(&app).await;
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let ((adas, _), (bobs, _)) = (api_token(&app, &ada).await, api_token(&app, &bob).await);
        let mut sockets = [socket(&app, &adas, &card).await, socket(&app, &bobs, &card).await];
        let streams = [events(&app, &adas, &card).await, events(&app, &bobs, &card).await];
        listeners(&app, 4).await;
        let ask = "mutation { requestPasswordReset(input: {email: \"ada@example.com\"}) { success } }";
        app.ask_as(None, ask, json!(null)).await.field();
        let link = token_mailed_to(&app, "ada@example.com", "reset-password").await;
        let reset = "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { user { id } userErrors { errorCode } } }";
        let input = json!({"token": link, "newPassword": "eleven owls debate philosophy"});
        app.ask_as(None, reset, json!({"input": input})).await.field();
        let delete = format!("deleteAccount(input: {{password: \"{PASSWORD}\"}}) {{ deletedId userErrors {{ errorCode }} }}");
        assert_eq!(mutate(&app, &bob, &delete).await.field()["deletedId"], json!(bob.id));
        for socket in &mut sockets {
            assert_eq!(socket.hear().await, json!(4401));
        }
        for stream in streams {
            end_of(stream).await;
        }
        listeners(&app, 0).await;
    }
}

everywhere! { Market:
    async fn events_end_with_their_session(app: TestApp) {
        let card = a_card(&app).await;
        let (ada, other) = (sign_up(&app, "ada@example.com").await, sign_in(&app, "ada@example.com").await);
        let (ends, goes_on) = (events(&app, &ada.access, &card).await, events(&app, &other.access, &card).await);
        listeners(&app, 2).await;
        mutate(&app, &ada, "logout { success }").await.field();
        end_of(ends).await;
        listeners(&app, 1).await;
        drop(goes_on);
        listeners(&app, 0).await;
    }
}

/// Within five seconds, for a look takes less than one.
#[test]
fn tokens_that_nobody_tells_of_are_looked_at_every_four_seconds() {
    assert_eq!(TOKENS_LOOKED_AT_EVERY, Duration::from_secs(4));
}

/// An access token is taken five seconds longer than it says, so that what is opened here is opened in time.
#[test]
fn sockets_and_events_end_with_their_access_token() {
    let brief = |settings: &mut Settings| settings.accounts.access_lifetime = Duration::from_secs(3);
    everywhere_with(Content::Market, brief, async |app| {
        let card = a_card(app).await;
        let ada = sign_up(app, "ada@example.com").await;
        let mut socket = socket(app, &ada.access, &card).await;
        let events = events(app, &ada.access, &card).await;
        assert_eq!(socket.hear().await, json!(4401));
        end_of(events).await;
        listeners(app, 0).await;
    });
}
