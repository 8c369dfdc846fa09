//! Who may do what, how often, and what a stranger gets. Each file is about one line of what must hold, each test about a
//! part of it; most run on both stores, without Redis and with it.

mod access_tokens;
mod account;
mod address_changes;
mod api_tokens;
mod authorisation;
mod browsers;
mod budgets;
mod discord;
mod email;
mod enumeration;
mod hang_ups;
mod idempotency;
mod leaks;
mod limits;
mod misses;
mod networks;
mod outages;
mod passwords;
mod refresh_tokens;
mod revocation;
mod sessions;
mod shut_out;
mod streams;
mod throttles;
mod transactions;

use dualcaster::config::Settings;
use serde_json::{Value, json};

use crate::harness::{Answered, Content, Store, TestApp, TestDatabase, runtime};

pub const PASSWORD: &str = "seven llamas juggle torches";

/// Runs a test on both stores, without Redis and with it, against a server whose settings are changed first.
pub fn everywhere_with(content: Content, change: impl Fn(&mut Settings), test: impl AsyncFn(&TestApp)) {
    for (store, with_redis) in
        [(Store::Postgres, false), (Store::Sqlite, false), (Store::Postgres, true), (Store::Sqlite, true)]
    {
        runtime().block_on(async {
            let mut database = TestDatabase::new(store, content).await;
            if with_redis {
                database = database.with_redis();
            }
            let mut settings = database.settings();
            change(&mut settings);
            let app = TestApp::start_with(&database, settings).await;
            test(&app).await;
            app.stop().await;
            database.remove().await;
        });
    }
}

/// Believes a proxy on this machine, so that a test can be from anywhere.
pub fn behind_a_proxy(settings: &mut Settings) {
    settings.server.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Person {
    pub email: String,
    pub id: String,
    pub session: String,
    pub access: String,
    pub refresh: String,
}

impl Person {
    fn of(email: &str, payload: &Value) -> Self {
        let text =
            |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text in {payload:#}")).to_owned();
        Self {
            email: email.to_owned(),
            id: text(&payload["user"]["id"]),
            session: text(&payload["session"]["id"]),
            access: text(&payload["accessToken"]),
            refresh: text(&payload["refreshToken"]),
        }
    }
}

const NEW_SESSION: &str = "{ accessToken refreshToken expiresAt session { id expiresAt current } \
     user { id email displayName role emailVerified } userErrors { code errorCode message path } }";

pub async fn register(app: &TestApp, email: &str, password: &str) -> Answered {
    let query = format!("mutation($input: RegisterInput!) {{ register(input: $input) {NEW_SESSION} }}");
    let input = json!({"email": email, "password": password, "displayName": "Ada"});
    app.ask_as(None, &query, json!({"input": input})).await
}

/// Makes an account.
pub async fn sign_up(app: &TestApp, email: &str) -> Person {
    Person::of(email, register(app, email, PASSWORD).await.field())
}

pub async fn login(app: &TestApp, email: &str, password: &str) -> Answered {
    login_from(app, &[], email, password).await
}

pub async fn login_from(app: &TestApp, headers: &[(&str, &str)], email: &str, password: &str) -> Answered {
    let query = format!("mutation($input: LoginInput!) {{ login(input: $input) {NEW_SESSION} }}");
    app.ask_with(None, headers, &query, json!({"input": {"email": email, "password": password}})).await
}

/// Lets servers come of an age at which their notes of what was taken back are believed: whoever signs in from now on is
/// not looked up in the database.
pub async fn come_of_age(apps: &[&TestApp]) {
    let early = sign_up(apps[0], "early@example.com").await;
    for app in apps {
        assert!(whoami(app, &early.access).await.is_ok(), "the notes begin");
    }
    for app in apps {
        app.clock.advance(chrono::TimeDelta::seconds(10));
    }
}

/// Signs in once more.
pub async fn sign_in(app: &TestApp, email: &str) -> Person {
    Person::of(email, login(app, email, PASSWORD).await.field())
}

pub async fn refresh(app: &TestApp, token: &str) -> Answered {
    let query =
        format!("mutation($input: RefreshSessionInput!) {{ refreshSession(input: $input) {NEW_SESSION} }}");
    app.ask_as(None, &query, json!({"input": {"refreshToken": token}})).await
}

/// Whom the server takes a token's bearer for: the address, nothing for nobody, or the code of the refusal.
pub async fn whoami(app: &TestApp, token: &str) -> Result<Option<String>, String> {
    let answer = app.ask_as(Some(token), "{ viewer { email } }", json!(null)).await;
    match answer.code() {
        Some(code) => Err(code.to_owned()),
        None => Ok(answer.body["data"]["viewer"]["email"].as_str().map(str::to_owned)),
    }
}

/// What one mutation without variables answers.
pub async fn mutate(app: &TestApp, person: &Person, mutation: &str) -> Answered {
    app.ask_as(Some(&person.access), &format!("mutation {{ {mutation} }}"), json!(null)).await
}

/// The newest mail to an address, once there is one: how many there are, and the token of its link.
pub async fn token_mailed_to(app: &TestApp, email: &str, path: &str) -> String {
    let folder = app.app.settings().data_dir.join("mail");
    let started = std::time::Instant::now();
    loop {
        let mails = std::fs::read_dir(&folder).expect("a folder of mails");
        let mut texts: Vec<_> = mails
            .filter_map(|mail| {
                let path = mail.expect("a mail").path();
                let written = std::fs::metadata(&path).ok()?.modified().ok()?;
                Some((written, std::fs::read_to_string(path).ok()?))
            })
            .collect();
        texts.sort();
        // Mail breaks long lines with a sign at their end.
        let plain = |text: &str| text.replace("=\r\n", "").replace("=3D", "=");
        let found = texts.iter().rev().map(|(_, text)| plain(text)).find_map(|text| {
            let link = format!("/{path}?token=");
            let (_, token) = text.contains(email).then(|| text.split_once(&link)).flatten()?;
            Some(token.split_whitespace().next()?.to_owned())
        });
        if let Some(token) = found {
            return token;
        }
        assert!(started.elapsed().as_secs() < 20, "no mail to {email} came");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
