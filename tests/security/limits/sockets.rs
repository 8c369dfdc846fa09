//! What one WebSocket may have open, and how long it may say nothing.

use std::time::Duration;

use dualcaster::config::Settings;
use serde_json::json;

use crate::harness::{Content, on_both_stores};
use crate::security::everywhere_with;
use crate::security::hang_ups::until;
use crate::sockets::Socket;

on_both_stores! { Market:
    async fn subscriptions_20_on_a_socket_pass_and_the_21st_ends_it(app: TestApp) {
        let cards = app.data("{ cards(first: 1) { nodes { id } } }", json!(null)).await;
        let card = &cards["cards"]["nodes"][0]["id"];
        let listen = format!("subscription {{ priceUpdates(cardIds: [{card}]) {{ previousPrice }} }}");
        let mut socket = Socket::greeted(&app).await;
        for number in 1..=20 {
            socket.subscribe(&number.to_string(), &listen).await;
        }
        until("all listen", async || app.app.live().listeners() == 20).await;
        socket.say(json!({"type": "ping"})).await;
        assert_eq!(socket.hear().await, json!({"type": "pong"}));
        socket.subscribe("21", &listen).await;
        assert_eq!(socket.hear().await, json!(4429));
        until("nobody listens", async || app.app.live().listeners() == 0).await;
    }
}

#[test]
fn connection_init_comes_within_10_s_or_not_at_all() {
    let little = |settings: &mut Settings| {
        assert_eq!(settings.socket.greeting_timeout, Duration::from_secs(10));
        // Nobody waits that long for a test.
        settings.socket.greeting_timeout = Duration::from_millis(50);
    };
    everywhere_with(Content::Tables, little, async |app| {
        assert_eq!(Socket::open(app).await.hear().await, json!(4408));
    });
}
