//! Nothing that is secret or somebody's own is in a log, a metric or an error: it is planted in a server that says all that
//! it has to say, and looked for.

use std::cell::RefCell;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use dualcaster::domain::accounts::create_client;
use dualcaster::outside::Outside;
use entity::enums::Role;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::token_in_mail;
use crate::cli::command;
use crate::harness::{Content, Part, Store, TestDatabase, form, runtime};

/// What is planted.
const EMAIL: &str = "canary-mail@example.com";
const PASSWORD: &str = "canary parrots sing loudly";
const GUESS: &str = "canary of a wrong guess";
const NEW_PASSWORD: &str = "canary finches hum in autumn";
const NO_TOKEN: &str = "canary-of-a-token-that-is-none";
const NO_LINK: &str = "dco_canary-of-a-link-that-is-none";
const FILE: &str = "canary-of-a-file";
const CELL: &str = "Canary Dragon of a Cell";

/// How a server is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Logs for people, mail in a folder.
    Development,
    /// Logs in JSON, mail to a server that is not there.
    Production,
}

struct Server {
    process: Child,
    folder: TempDir,
    mode: Mode,
    /// Where its metrics are, if not where all is.
    admin: Option<String>,
}

impl Server {
    fn start(database: &TestDatabase, mode: Mode) -> Self {
        let folder = TempDir::new().expect("a folder");
        let file = |name: &str| File::create(folder.path().join(name)).expect("a file");
        let mut server = command(&folder);
        server
            .env("DATABASE_URL", &database.url)
            .env("DUALCASTER_POOL_KEEP", "0")
            .env("DUALCASTER_POOL_MAX", "8")
            // All that this server and its libraries have to say.
            .env("RUST_LOG", "trace")
            .stdout(file("out"))
            .stderr(file("log"));
        let mut admin = None;
        if mode == Mode::Production {
            let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
            let address = free.local_addr().expect("an address").to_string();
            server
                .env("DUALCASTER_ENV", "production")
                .env("DUALCASTER_SECRET", "the secret of the tests is long enough")
                .env("DUALCASTER_JWT_KEY", dualcaster::identity::make_key().expect("a key"))
                .env("DUALCASTER_SMTP_URL", "smtp://127.0.0.1:1")
                .env("DUALCASTER_OPERATIONS", "any")
                .env("DUALCASTER_ADMIN_LISTEN", &address);
            admin = Some(format!("http://{address}"));
        }
        Self { process: server.spawn().expect("a server"), folder, mode, admin }
    }

    fn said(&self) -> String {
        let read = |name: &str| std::fs::read(self.folder.path().join(name)).expect("what it said");
        String::from_utf8_lossy(&[read("log"), read("out")].concat()).into_owned()
    }

    /// Where it listens, once it says so.
    fn base(&mut self) -> String {
        loop {
            let said = self.said();
            let base = match self.mode {
                Mode::Development => said
                    .split_once("GraphiQL: ")
                    .and_then(|(_, rest)| rest.split_once("/graphiql\n"))
                    .map(|(base, _)| base.to_owned()),
                Mode::Production => {
                    let lines = said.lines().filter(|line| line.contains("\"ready\""));
                    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
                    let mut ready = lines.filter(|line| line["message"] == "ready");
                    ready.find_map(|line| line["address"].as_str().map(|address| format!("http://{address}")))
                }
            };
            if let Some(base) = base {
                return base;
            }
            assert_eq!(self.process.try_wait().expect("a state"), None, "{said}");
            std::thread::yield_now();
        }
    }

    /// All that it has said when it has ended.
    fn stop(mut self) -> String {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        assert_eq!(self.process.wait().expect("an end").code(), Some(0));
        self.said()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Where a test failed before it has stopped it.
        let _ = self.process.kill();
    }
}

/// What was planted, and what was answered.
struct Told {
    secrets: Vec<String>,
    errors: Vec<String>,
    metrics: String,
}

/// Has a user and a bot do all that secrets are part of, well and badly.
async fn plant(database: &TestDatabase, base: &str, admin: &str, mails: Option<&Path>) -> Told {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let graphql = format!("{base}/graphql");
    let errors = RefCell::new(Vec::new());
    // The first field's value.
    let send = async |request: reqwest::RequestBuilder| {
        let text = request.send().await.expect("an answer").text().await.expect("text");
        let body: Value = serde_json::from_str(&text).expect("JSON");
        if text.contains("\"ERR-") {
            errors.borrow_mut().push(text);
        }
        body["data"].as_object().and_then(|data| data.values().next()).cloned().unwrap_or_default()
    };
    let ask = async |token: Option<&str>, query: &str| {
        let request = client.post(&graphql).json(&json!({"query": query}));
        send(match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
        .await
    };
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned();
    let wrong = "{ userErrors { errorCode message } }";

    // Passwords and tokens.
    let account = format!("email: \"{EMAIL}\", password: \"{PASSWORD}\"");
    let made = ask(
        None,
        &format!(
            "mutation {{ register(input: {{{account}, displayName: \"x\"}}) {{ accessToken refreshToken }} }}"
        ),
    )
    .await;
    let (access, refresh) = (text(&made["accessToken"]), text(&made["refreshToken"]));
    ask(None, &format!("mutation {{ register(input: {{{account}, displayName: \"x\"}}) {wrong} }}")).await;
    ask(None, &format!("mutation {{ login(input: {{email: \"{EMAIL}\", password: \"{GUESS}\"}}) {wrong} }}"))
        .await;
    ask(
        None,
        &format!("mutation {{ refreshSession(input: {{refreshToken: \"{refresh}\"}}) {{ accessToken }} }}"),
    )
    .await;
    ask(None, &format!("mutation {{ refreshSession(input: {{refreshToken: \"{NO_TOKEN}\"}}) {wrong} }}"))
        .await;
    ask(Some(NO_TOKEN), "{ viewer { email } }").await;
    let script = text(
        &ask(Some(&access), "mutation { createApiToken(input: {name: \"x\"}) { token } }").await["token"],
    );
    assert_eq!(ask(Some(&script), "{ viewer { email } }").await["email"], EMAIL);
    // What is no document, and what does not fit its variables.
    send(
        client
            .post(&graphql)
            .header("content-type", "application/json")
            .body(format!("{{\"query\": \"{PASSWORD}")),
    )
    .await;
    let login = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
    let misfit = json!({"query": login, "variables": {"input": {"email": EMAIL, "password": [PASSWORD]}}});
    send(client.post(&graphql).json(&misfit)).await;
    ask(None, &format!("mutation {{ login(input: {{email: \"{EMAIL}\", password: [\"{PASSWORD}\"]}}) {{ accessToken }} }}")).await;

    // A client, and the code that it gives.
    let bulk = database.bulk().await;
    let made = create_client(bulk.write(), "bot", Role::Bot, None, &Outside::system()).await;
    let bot = made.expect("a client").1.text();
    bulk.close().await;
    let code = text(
        &ask(Some(&bot), "mutation { createDiscordLinkCode(input: {discordId: \"7\"}) { code } }").await["code"],
    );
    for _ in 0..2 {
        ask(
            Some(&access),
            &format!("mutation {{ linkDiscordAccount(input: {{code: \"{code}\"}}) {wrong} }}"),
        )
        .await;
    }

    // A file that is taken, whose lines are rejected, and files that are not.
    let import = format!("mutation($file: Upload!) {{ importCollection(input: {{file: $file}}) {wrong} }}");
    let operations = json!({"query": import, "variables": {"file": null}}).to_string();
    let lines = format!("Quantity,Name,Set Code,Collector Number\n1,{CELL},lea,1\n{CELL},Shock,m11,156\n");
    let broken = format!("{lines}1,\"{CELL},lea\n");
    for (ending, content) in [("csv", &lines), ("exe", &lines), ("txt", &broken)] {
        let name = format!("{FILE}.{ending}");
        let parts: [Part<'_>; 3] = [
            ("operations", None, operations.as_bytes()),
            ("map", None, br#"{"0": ["variables.file"]}"#),
            ("0", Some(&name), content.as_bytes()),
        ];
        send(form(client.post(&graphql).bearer_auth(&access), &parts)).await;
    }
    let started = Instant::now();
    loop {
        let jobs = ask(Some(&access), "{ viewer { jobs { nodes { finishedAt } } } }").await;
        let jobs = jobs["jobs"]["nodes"].as_array().expect("jobs").clone();
        if !jobs.is_empty() && jobs.iter().all(|job| job["finishedAt"].is_string()) {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "the import does not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    // Links: the second ends what was planted first.
    ask(None, &format!("mutation {{ requestPasswordReset(input: {{email: \"{EMAIL}\"}}) {{ success }} }}"))
        .await;
    ask(None, &format!("mutation {{ verifyEmail(input: {{token: \"{NO_LINK}\"}}) {wrong} }}")).await;
    let mut secrets = vec![access, script, bot, refresh];
    if let Some(folder) = mails {
        let (verify, reset) = (
            token_in_mail(folder, EMAIL, "verify-email").await,
            token_in_mail(folder, EMAIL, "reset-password").await,
        );
        ask(None, &format!("mutation {{ resetPassword(input: {{token: \"{reset}\", newPassword: \"{NEW_PASSWORD}\"}}) {wrong} }}")).await;
        ask(None, &format!("mutation {{ verifyEmail(input: {{token: \"{verify}\"}}) {wrong} }}")).await;
        secrets.extend([verify, reset]);
    }
    // Of a token what comes after its kind says it all.
    secrets.extend(
        secrets
            .clone()
            .iter()
            .filter_map(|token| token.strip_prefix("dc"))
            .map(|token| token[2..].to_owned()),
    );
    secrets.push(code);
    secrets.extend([EMAIL, PASSWORD, GUESS, NEW_PASSWORD, NO_TOKEN, NO_LINK, FILE, CELL].map(str::to_owned));
    let metrics =
        client.get(format!("{admin}/metrics")).send().await.expect("metrics").text().await.expect("text");
    assert!(metrics.contains("dualcaster_operation_duration_seconds"), "{metrics}");
    Told { secrets, errors: errors.into_inner(), metrics }
}

#[test]
fn nothing_that_is_somebodys_is_in_a_log_a_metric_or_an_error() {
    for (store, mode) in [
        (Store::Sqlite, Mode::Development),
        (Store::Sqlite, Mode::Production),
        (Store::Postgres, Mode::Development),
        (Store::Postgres, Mode::Production),
    ] {
        runtime().block_on(async {
            let database = TestDatabase::new(store, Content::Market).await;
            let mut server = Server::start(&database, mode);
            let base = server.base();
            let admin = server.admin.clone().unwrap_or_else(|| base.clone());
            let mails = (mode == Mode::Development).then(|| server.folder.path().to_owned());
            let told = plant(&database, &base, &admin, mails.as_deref()).await;
            let said = server.stop();
            assert!(said.contains("TRACE") || said.contains("DEBUG"), "the log is of all there is");
            if mode == Mode::Production {
                for line in said.lines() {
                    assert!(
                        serde_json::from_str::<Map<String, Value>>(line).is_ok(),
                        "{store:?}: no JSON: {line}"
                    );
                }
            }
            assert!(told.errors.len() >= 9, "{:#?}", told.errors);
            for secret in &told.secrets {
                let places =
                    said.lines().chain(told.metrics.lines()).chain(told.errors.iter().map(String::as_str));
                let leaks: Vec<_> = places.filter(|line| line.contains(secret.as_str())).collect();
                assert!(leaks.is_empty(), "{store:?} {mode:?}: {secret} is told: {leaks:#?}");
            }
            database.remove().await;
        });
    }
}
