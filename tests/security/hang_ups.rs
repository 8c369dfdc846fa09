//! A caller who hangs up in the middle of a mutation leaves nothing half done: it goes on to its end, and who asks again
//! by its key has the answer.

use std::sync::mpsc;
use std::time::Duration;

use dualcaster::config::Settings;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::shut_out::waiting;
use super::{PASSWORD, everywhere_with, login, sign_up, whoami};
use crate::harness::{Answered, Content, Store, TestApp, TestDatabase, runtime};

const KEY: &str = "k-1";
/// How long something is waited for that must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A mutation that is sent, and sent again.
struct Request {
    token: String,
    query: &'static str,
    variables: Value,
}

impl Request {
    /// Sends it and waits for nothing.
    async fn send(&self, app: &TestApp) -> TcpStream {
        let body = json!({"query": self.query, "variables": self.variables}).to_string();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer {}\r\n\
             idempotency-key: {KEY}\r\ncontent-length: {}\r\n\r\n",
            self.token,
            body.len()
        );
        let address = app.base.trim_start_matches("http://");
        let mut connection = TcpStream::connect(address).await.expect("a connection");
        connection.write_all(format!("{head}{body}").as_bytes()).await.expect("sent");
        connection
    }

    async fn send_again(&self, app: &TestApp) -> Answered {
        let headers = [("idempotency-key", KEY)];
        let ask =
            async || app.ask_with(Some(&self.token), &headers, self.query, self.variables.clone()).await;
        let answer = once_let_in(ask, |answer| answer.status == 503).await;
        answer.expect("an answer")
    }
}

/// Two places for connections: while one is held, who is let in knows that the other has ended.
fn two_connections(settings: &mut Settings) {
    settings.socket.connections = 2;
}

/// The same server, spoken to without keeping its one place.
fn without_a_place(app: &TestApp) -> TestApp {
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client");
    let mut app = app.clone();
    app.client = client;
    app
}

/// Asks until there is a place for the connection: those that were there before may not have ended yet.
async fn once_let_in<T>(ask: impl AsyncFn() -> T, was_refused: impl Fn(&T) -> bool) -> Option<T> {
    let asking = async {
        loop {
            let answer = ask().await;
            if !was_refused(&answer) {
                return answer;
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.ok()
}

/// A connection that the server has a place for, and keeps.
async fn take_place(app: &TestApp) -> TcpStream {
    let address = app.base.strip_prefix("http://").expect("an address");
    let ask = async || {
        let mut connection = TcpStream::connect(address).await.expect("a connection");
        connection.write_all(b"GET /live HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        let mut status = [0; 12];
        connection.read_exact(&mut status).await.expect("an answer");
        (connection, status)
    };
    let taken = once_let_in(ask, |(_, status)| status != b"HTTP/1.1 200").await;
    taken.expect("a place").0
}

/// Ends a connection, and waits until the server has ended it too.
async fn hang_up(app: &TestApp, connection: TcpStream) {
    let other = take_place(app).await;
    drop(connection);
    drop(take_place(app).await);
    drop(other);
}

pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited in vain until {what}");
}

/// Requests with a key that are under way, and those whose answer is kept.
async fn keys(app: &TestApp) -> (i64, i64) {
    let all = app.rows("idempotent_answers").await;
    let kept = app.number("select count(*) as n from idempotent_answers where answer is not null").await;
    (all - kept, kept)
}

/// Gives the threads that hash passwords something to wait for: the end of what is returned.
async fn keep_hashers_busy(app: &TestApp) -> Vec<mpsc::Sender<()>> {
    let mut held = Vec::new();
    for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
        let (hold, released) = mpsc::channel::<()>();
        let (begun, begins) = oneshot::channel();
        let identity = app.app.identity().expect("accounts").clone();
        tokio::spawn(async move {
            let hashed = identity.hasher().hash("nobody's".to_owned(), move |_| {
                let _ = begun.send(());
                let _ = released.recv();
                Ok(())
            });
            hashed.await
        });
        begins.await.expect("a thread");
        held.push(hold);
    }
    held
}

#[test]
fn a_mutation_whose_caller_hangs_up_is_done_and_its_key_gives_the_answer() {
    everywhere_with(Content::Tables, two_connections, async |app| {
        let app = without_a_place(app);
        let ada = sign_up(&app, "ada@example.com").await;
        let new = "eleven owls debate philosophy";
        let input = json!({"currentPassword": PASSWORD, "newPassword": new});
        let request = Request {
            token: ada.access.clone(),
            query: "mutation($input: ChangePasswordInput!) { changePassword(input: $input) \
                 { user { id } revokedCount userErrors { errorCode } } }",
            variables: json!({"input": input}),
        };
        let held = keep_hashers_busy(&app).await;
        let hasher = app.app.identity().expect("accounts").hasher();
        let before = hasher.hashes();
        let connection = request.send(&app).await;
        until("the old password waits to be compared", async || hasher.hashes() > before).await;
        hang_up(&app, connection).await;
        assert_eq!(keys(&app).await, (1, 0), "it is under way all the same");
        let early = request.send_again(&app).await;
        assert_eq!((early.status, early.code()), (409, Some("ERR-3004")));
        drop(held);
        until("the answer is kept", async || keys(&app).await == (0, 1)).await;
        let again = request.send_again(&app).await;
        assert_eq!(again.headers["idempotency-replayed"], "true");
        let expected = json!({"user": {"id": ada.id}, "revokedCount": 0, "userErrors": []});
        assert_eq!(again.field(), &expected);
        for (password, code) in [(PASSWORD, Some("ERR-2004")), (new, None)] {
            let ask = async || login(&app, "ada@example.com", password).await;
            let answer = once_let_in(ask, |answer| answer.status == 503).await.expect("an answer");
            assert_eq!(answer.code(), code);
        }
    });
}

#[test]
fn who_signs_in_while_all_hash_and_nobody_may_wait_is_told_when_to_come_back() {
    let nobody_waits = |settings: &mut Settings| settings.accounts.hashes_waiting = 0;
    everywhere_with(Content::Tables, nobody_waits, async |app| {
        sign_up(app, "ada@example.com").await;
        let held = keep_hashers_busy(app).await;
        let refused = login(app, "ada@example.com", PASSWORD).await;
        assert_eq!((refused.status, refused.code()), (503, Some("ERR-5003")));
        assert_eq!(refused.headers["retry-after"], "1");
        let hasher = app.app.identity().expect("accounts").hasher();
        let all = hasher.hashes() + held.len() as u64;
        drop(held);
        until("there is room", async || hasher.hashes() == all).await;
        assert_eq!(login(app, "ada@example.com", PASSWORD).await.code(), None);
    });
}

#[test]
fn while_all_hash_as_many_wait_as_may_and_the_next_is_told_when_to_come_back() {
    let one_waits = |settings: &mut Settings| settings.accounts.hashes_waiting = 1;
    everywhere_with(Content::Tables, one_waits, async |app| {
        sign_up(app, "ada@example.com").await;
        let held = keep_hashers_busy(app).await;
        let hasher = app.app.identity().expect("accounts").hasher();
        let before = hasher.hashes();
        let server = app.clone();
        let first = tokio::spawn(async move { login(&server, "ada@example.com", PASSWORD).await });
        until("one waits for a core", async || hasher.hashes() > before).await;
        let refused = login(app, "ada@example.com", PASSWORD).await;
        assert_eq!((refused.status, refused.code()), (503, Some("ERR-5003")));
        assert!(!first.is_finished(), "no more hash at once than there are cores");
        drop(held);
        assert_eq!(first.await.expect("an answer").code(), None);
    });
}

/// On SQLite there is one lock for all that writes, so that nothing could be held between two writes of a request.
#[test]
fn who_hangs_up_undoes_no_transaction_and_leaves_no_answer_unkept_on_postgres() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Postgres, Content::Tables).await;
        let mut settings = database.settings();
        two_connections(&mut settings);
        let server = TestApp::start_with(&database, settings).await;
        let app = without_a_place(&server);
        let ada = sign_up(&app, "ada@example.com").await;
        let request = Request {
            token: ada.access.clone(),
            query: "mutation($name: String!) { createApiToken(input: {name: $name}) \
                 { token userErrors { errorCode } } }",
            variables: json!({"name": "one"}),
        };
        let is_waiting = async || waiting(&app).await == 1;
        let locks = database.bulk().await;
        // The mutation is held within its transaction.
        let tokens = locks.write().begin().await.expect("a transaction");
        tokens.execute_unprepared("lock table api_tokens in exclusive mode").await.expect("a lock");
        let connection = request.send(&app).await;
        until("the mutation waits for the lock", &is_waiting).await;
        hang_up(&app, connection).await;
        assert_eq!((keys(&app).await, app.rows("api_tokens").await), ((1, 0), 0));
        let early = request.send_again(&app).await;
        assert_eq!((early.status, early.code()), (409, Some("ERR-3004")));
        tokens.rollback().await.expect("released");
        until("the answer is kept", async || keys(&app).await == (0, 1)).await;
        let again = request.send_again(&app).await;
        assert_eq!(again.headers["idempotency-replayed"], "true");
        let token = again.field()["token"].as_str().expect("a token");
        let refused = Err("ERR-5003".to_owned());
        let who = once_let_in(async || whoami(&app, token).await, |who| *who == refused).await;
        assert_eq!(who, Some(Ok(Some("ada@example.com".to_owned()))));
        assert_eq!(app.rows("api_tokens").await, 1, "it was made once");
        locks.close().await;
        server.stop().await;
        database.remove().await;
    });
}
