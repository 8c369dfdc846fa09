//! What one WebSocket may have open, and how long it may say nothing.

use std::time::Duration;

use serde_json::json;

use crate::sockets::{Socket, with_server};

#[test]
fn subscriptions_20_on_a_socket_pass_and_the_21st_ends_it() {
    with_server(
        |_| {},
        async |app| {
            let mut socket = Socket::greeted(app).await;
            for number in 1..=20 {
                let id = number.to_string();
                socket.subscribe(&id, "subscription { forever }").await;
                let told = socket.hear().await;
                assert_eq!((&told["type"], &told["id"]), (&json!("next"), &json!(id)));
            }
            socket.subscribe("21", "subscription { forever }").await;
            assert_eq!(socket.hear().await, json!(4429));
        },
    );
}

#[test]
fn connection_init_comes_within_10_s_or_not_at_all() {
    with_server(
        |settings| {
            assert_eq!(settings.socket.greeting_timeout, Duration::from_secs(10));
            // Nobody waits that long for a test.
            settings.socket.greeting_timeout = Duration::from_millis(50);
        },
        async |app| assert_eq!(Socket::open(app).await.hear().await, json!(4408)),
    );
}
