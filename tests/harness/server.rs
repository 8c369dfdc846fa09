//! The server of a test, in the test's process, spoken to over HTTP.

use std::sync::{Arc, Mutex, OnceLock};

use dualcaster::app::App;
use dualcaster::config::Settings;
use dualcaster::db::{Databases, Sql};
use dualcaster::engine::Engine;
use dualcaster::http::{Listeners, serve};
use dualcaster::ingest::{Format, IngestError, Report, ingest_file};
use dualcaster::principal::Identify;
use dualcaster::telemetry::{MetricsHandle, install_metrics};
use sea_orm::FromQueryResult;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::database::settings_for;
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
    running: Arc<Mutex<Option<Running>>>,
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
        Self::start_with(database, settings_for(&database.url, std::path::Path::new("."))).await
    }

    pub async fn start_with(database: &TestDatabase, settings: Settings) -> Self {
        let app = App::build(settings, metrics()).await.expect("a server");
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
        let serving = app.clone();
        let task = tokio::spawn(async move {
            let until = async {
                let _ = stopped.await;
            };
            serve(serving, listeners, until).await;
        });
        Self {
            app,
            store: database.store,
            base,
            bulk: database.bulk().await,
            client: reqwest::Client::builder().no_proxy().build().expect("a client"),
            running: Arc::new(Mutex::new(Some(Running { stop, task }))),
        }
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
        ingest_file(self.bulk.write(), format, file.path(), &Unwatched).await
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

    pub async fn rows(&self, table: &str) -> i64 {
        self.number(&format!("select count(*) as n from {table}")).await
    }
}
