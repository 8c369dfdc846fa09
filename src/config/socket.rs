//! Connections that stay open.

use std::time::Duration;

use super::Environment;

#[derive(Debug, Clone)]
pub struct SocketSettings {
    pub greeting_timeout: Duration,
    /// How often a silent client is asked whether it is there.
    pub ping_every: Duration,
    /// Under way at a time on one WebSocket.
    pub operations: usize,
    /// The time that an answer waits for its reader before the reader is let go.
    pub read_timeout: Duration,
    /// The time that a connection has for the headers of a request.
    pub header_timeout: Duration,
    /// Open at a time.
    pub connections: usize,
}

impl SocketSettings {
    pub(super) fn read(environment: &mut Environment) -> Self {
        let greeting = environment.positive(
            "DUALCASTER_SOCKET_INIT_TIMEOUT_SECONDS",
            "10",
            "The time that a WebSocket has for its `connection_init`.",
        );
        let ping: u64 = environment.get(
            "DUALCASTER_SOCKET_PING_SECONDS",
            "20",
            "How often the client of a WebSocket is asked whether it is there; one that did not answer the last time is let go.",
        );
        let operations = environment.positive(
            "DUALCASTER_SOCKET_OPERATIONS",
            "20",
            "Operations under way on one WebSocket at most.",
        );
        let read = environment.positive(
            "DUALCASTER_SOCKET_READ_TIMEOUT_SECONDS",
            "10",
            "The time that an answer waits for a reader that does not take it, before the connection is closed.",
        );
        let header = environment.positive(
            "DUALCASTER_HEADER_TIMEOUT_SECONDS",
            "10",
            "The time that a connection has for the headers of a request.",
        );
        let connections = environment.positive(
            "DUALCASTER_MAX_CONNECTIONS",
            "10000",
            "Connections open at a time at most; those beyond are told to come back.",
        );
        Self {
            greeting_timeout: Duration::from_secs(greeting),
            ping_every: Duration::from_secs(ping.max(1)),
            operations,
            read_timeout: Duration::from_secs(read),
            header_timeout: Duration::from_secs(header),
            connections,
        }
    }
}
