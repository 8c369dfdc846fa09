//! The server of a test, in the test's process, spoken to over HTTP.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use chrono::{DateTime, TimeDelta, Utc};
use dualcaster::app::{App, now};
use dualcaster::config::Settings;
use dualcaster::db::{Databases, Sql};
use dualcaster::engine::Engine;
use dualcaster::http::{Listeners, serve};
use dualcaster::ingest::{Format, IngestError, Report, ingest_file, open_file};
use dualcaster::outside::Outside;
use dualcaster::principal::Identify;
use dualcaster::telemetry::{MetricsHandle, install_metrics};
use sea_orm::FromQueryResult;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Store, TestDatabase, TestFile, Unwatched};

/// A running server and what tests ask of it.
#[derive(Clone)]
pub struct TestApp {
    pub app: App,
    pub store: Store,
    pub base: String,
    /// For work outside the server.
    pub bulk: Databases,
    pub client: reqwest::Client,
    /// Moved on by tests that can't wait.
    pub clock: TestClock,
    running: Arc<Mutex<Option<Running>>>,
}

/// The system's clock, so many microseconds ahead.
#[derive(Clone, Default)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_microseconds().expect("a span"), Ordering::Relaxed);
    }

    pub fn now(&self) -> DateTime<Utc> {
        now() + TimeDelta::microseconds(self.0.load(Ordering::Relaxed))
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answered {
    /// The code of the first error, or of the first user error of the first root field; nothing where there is none.
    pub fn code(&self) -> Option<&str> {
        let of_operation = self.body["errors"][0]["extensions"]["errorCode"].as_str();
        let payloads = self.body["data"].as_object().into_iter().flat_map(serde_json::Map::values);
        let mut of_users = payloads.filter_map(|payload| payload["userErrors"][0]["errorCode"].as_str());
        of_operation.or_else(|| of_users.next())
    }

    /// The first root field's value, of an answer without errors.
    pub fn field(&self) -> &Value {
        assert_eq!(self.code(), None, "{:#}", self.body);
        let data = self.body["data"].as_object().unwrap_or_else(|| panic!("no data in {:#}", self.body));
        data.values().next().expect("a field")
    }
}

/// What ends a server, and ends with it.
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

fn metrics() -> MetricsHandle {
    static METRICS: OnceLock<MetricsHandle> = OnceLock::new();
    METRICS.get_or_init(|| install_metrics().expect("a recorder")).clone()
}

impl TestApp {
    pub async fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, database.settings()).await
    }

    pub async fn start_with(database: &TestDatabase, settings: Settings) -> Self {
        Self::start_at(database, settings, TestClock::default()).await
    }

    /// The same at a time of its own.
    pub async fn start_at(database: &TestDatabase, settings: Settings, clock: TestClock) -> Self {
        let outside = Outside::system().with_clock({
            let clock = clock.clone();
            move || clock.now()
        });
        Self { clock, ..Self::start_in(database, settings, outside).await }
    }

    /// The same with time and chance that the test makes itself.
    pub async fn start_in(database: &TestDatabase, settings: Settings, outside: Outside) -> Self {
        let app = App::build(settings, outside, metrics()).await.expect("a server");
        Self::serve(database, app).await
    }

    /// A server of another schema than the product's.
    pub async fn start_around(
        database: &TestDatabase,
        settings: Settings,
        engine: Engine,
        identify: impl Identify,
    ) -> Self {
        let app = App::build_around(engine, identify, settings, metrics()).await.expect("a server");
        Self::serve(database, app).await
    }

    async fn serve(database: &TestDatabase, app: App) -> Self {
        let listeners = Listeners::bind(&app).await.expect("a socket");
        let base = format!("http://{}", listeners.address().expect("an address"));
        let (stop, stopped) = oneshot::channel();
        let (serving, keeping) = (app.clone(), app.clone());
        // Not the rest of what is kept up: its statements would be counted among a test's.
        let keeping = tokio::spawn(async move { keeping.keep_hearing().await });
        let task = tokio::spawn(async move {
            let until = async {
                let _ = stopped.await;
            };
            serve(serving, listeners, until).await;
            keeping.abort();
        });
        Self {
            app,
            store: database.store,
            base,
            bulk: database.bulk().await,
            client: reqwest::Client::builder().no_proxy().build().expect("a client"),
            clock: TestClock::default(),
            running: Arc::new(Mutex::new(Some(Running { stop, task }))),
        }
    }

    /// Does the jobs that wait, from now on until the server stops.
    pub fn work(&self) {
        let app = self.app.clone();
        tokio::spawn(async move { app.keep_working().await });
    }

    pub async fn stop(&self) {
        let running = self.running.lock().expect("not poisoned").take();
        if let Some(Running { stop, task }) = running {
            let _ = stop.send(());
            task.await.expect("the server ended");
        }
        self.bulk.close().await;
        self.app.close().await;
    }

    /// An answer to who shows a token, with its status and headers.
    pub async fn ask_as(&self, token: Option<&str>, query: &str, variables: Value) -> Answered {
        self.ask_with(token, &[], query, variables).await
    }

    /// The same with more headers.
    pub async fn ask_with(
        &self,
        token: Option<&str>,
        headers: &[(&str, &str)],
        query: &str,
        variables: Value,
    ) -> Answered {
        let body = json!({"query": query, "variables": variables});
        let mut request = self.client.post(format!("{}/graphql", self.base)).json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        Answered { status, headers, body: serde_json::from_str(&text).expect("JSON") }
    }

    /// The answer's bytes, as they came.
    pub async fn text(&self, query: &str, variables: Value) -> String {
        let body = json!({"query": query, "variables": variables});
        let answer =
            self.client.post(format!("{}/graphql", self.base)).json(&body).send().await.expect("an answer");
        answer.text().await.expect("a body")
    }

    pub async fn answer(&self, query: &str, variables: Value) -> Value {
        serde_json::from_str(&self.text(query, variables).await).expect("JSON")
    }

    /// The data of an answer without errors.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.answer(query, variables).await;
        assert_eq!(answer["errors"], Value::Null, "{answer:#}");
        answer["data"].take()
    }

    /// The one error of an answer, as `ERR-…`.
    pub async fn error(&self, query: &str, variables: Value) -> String {
        let answer = self.answer(query, variables).await;
        let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("no error in {answer:#}"));
        assert_eq!(errors.len(), 1, "{answer:#}");
        errors[0]["extensions"]["errorCode"].as_str().expect("a code").to_owned()
    }

    /// How many statements the server has sent so far.
    pub fn statements(&self) -> u64 {
        self.app.databases().write().statements().count()
    }

    /// Ingests a file that a test made.
    pub async fn ingest(&self, format: Format, file: &TestFile) -> Result<Report, IngestError> {
        let source = open_file(file.path())?;
        ingest_file(self.bulk.write(), format, source, self.clock.now(), &Unwatched).await
    }

    /// A number from the database.
    pub async fn number(&self, sql: &str) -> i64 {
        #[derive(FromQueryResult)]
        struct Number {
            n: i64,
        }
        let mut statement = Sql::new(self.bulk.write());
        statement.push(sql);
        statement.one::<Number>(self.bulk.write()).await.expect(sql).expect("a row").n
    }

    /// Changes the database behind the server's back.
    pub async fn execute(&self, sql: &str) {
        use sea_orm::ConnectionTrait;
        self.bulk.write().execute_unprepared(sql).await.expect(sql);
    }

    pub async fn rows(&self, table: &str) -> i64 {
        self.number(&format!("select count(*) as n from {table}")).await
    }
}
