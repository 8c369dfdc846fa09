//! Files that come in, what becomes of their rows, and the queue between the two.

mod files;
mod imports;
mod letters;
mod queue;
mod s3;
mod schedule;
mod undo;
mod watching;
mod worker;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use dualcaster::config::Settings;
use dualcaster::db::Sql;
use dualcaster::domain::jobs::{Claim, Standing, Which, claim_job, fail_job, finish_job, give_back, stand};
use dualcaster::error::Error;
use dualcaster::ingest::Format;
use entity::job;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::collection::{self, ask, text, uuid_of};
use crate::harness::{
    Answered, Content, Part, Printing, Store, TestApp, TestDatabase, TestFile, all_printings, form, runtime,
};
use crate::security::{Person, sign_in, sign_up};

/// How long something that must happen has.
const PATIENCE: Duration = Duration::from_secs(30);

/// The contract's operation, with the numbers of its errors.
const IMPORT_COLLECTION: &str = "mutation ImportCollection($file: Upload!, $platform: ImportPlatform, $mode: ImportMode! = MERGE, $dryRun: Boolean! = false) {
  importCollection(input: {file: $file, platform: $platform, mode: $mode, dryRun: $dryRun}) {
    collectionImport { id status platform file { id filename rowCount } columns { column field confidence } }
    userErrors { code errorCode message path }
  }
}";

/// All that an import has of its own.
const IMPORT: &str = "id kind status progress { processed total percent } error { code errorCode message } createdAt \
     startedAt finishedAt updatedAt platform mode dryRun undone \
     file { id filename sizeBytes rowCount encoding deleted } columns { column field confidence } \
     rowsImported rowsRejected reportUrl rejectedRows(first: 100) { totalCount nodes { line code message row } }";

/// The newest printing of the bolt.
pub const NEW_BOLT: Printing =
    Printing { number: 11, name: "Lightning Bolt", set: "2x2", collector_number: "117", rarity: "uncommon" };
/// A second forest in one set.
pub const WOODS: Printing =
    Printing { number: 12, name: "Forest", set: "m11", collector_number: "247", rarity: "common" };

/// The collections' small catalogue, and more printings of its cards.
pub async fn load(app: &TestApp) {
    collection::load(app).await;
    let mut more = all_printings(&[NEW_BOLT, WOODS], |_, _| {});
    more["data"]["2X2"]["releaseDate"] = json!("2022-07-08");
    app.ingest(Format::MtgjsonPrintings, &TestFile::json(&more)).await.expect("more of a catalogue");
}

/// Runs a test on both stores, against a server whose settings are changed first.
pub fn on_each_store_with(change: impl Fn(&mut Settings), test: impl AsyncFn(&TestApp)) {
    for store in [Store::Postgres, Store::Sqlite] {
        runtime().block_on(async {
            let database = TestDatabase::new(store, Content::Tables).await;
            let mut settings = database.settings();
            change(&mut settings);
            let app = TestApp::start_with(&database, settings).await;
            test(&app).await;
            app.stop().await;
            database.remove().await;
        });
    }
}

/// Somebody who looks after the server.
pub async fn administrator(app: &TestApp) -> Person {
    let email = "root@example.com";
    sign_up(app, email).await;
    app.execute(&format!("update users set role = 1 where email_key = '{email}'")).await;
    sign_in(app, email).await
}

/// Waits until it is so.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

// ---- files in ----------------------------------------------------------------------------------------------------

/// Sends a file for import, with more variables of the operation.
pub async fn upload(
    app: &TestApp,
    person: &Person,
    filename: &str,
    bytes: &[u8],
    variables: Value,
) -> Answered {
    upload_as(app, Some(&person.access), filename, bytes, variables).await
}

/// The same by who shows a token, or none.
pub async fn upload_as(
    app: &TestApp,
    token: Option<&str>,
    filename: &str,
    bytes: &[u8],
    variables: Value,
) -> Answered {
    upload_with(app, token, &[], filename, bytes, variables).await
}

/// The same with more headers.
pub async fn upload_with(
    app: &TestApp,
    token: Option<&str>,
    headers: &[(&str, &str)],
    filename: &str,
    bytes: &[u8],
    variables: Value,
) -> Answered {
    let mut given = variables;
    given["file"] = Value::Null;
    let operations = json!({"query": IMPORT_COLLECTION, "variables": given}).to_string();
    let parts: [Part<'_>; 3] = [
        ("operations", None, operations.as_bytes()),
        ("map", None, br#"{"0": ["variables.file"]}"#),
        ("0", Some(filename), bytes),
    ];
    let mut request = form(app.client.post(format!("{}/graphql", app.base)), &parts);
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

/// The import that a file is queued as.
pub async fn queued(app: &TestApp, person: &Person, content: &str, variables: Value) -> Value {
    let answer = upload(app, person, "cards.csv", content.as_bytes(), variables).await;
    answer.field()["collectionImport"].clone()
}

/// A small file that is taken.
pub fn shocks(quantity: usize) -> String {
    format!("Quantity,Name,Set Code,Collector Number\n{quantity},Shock,m11,156\n")
}

/// The folder in which files are kept.
pub fn folder(app: &TestApp) -> PathBuf {
    app.app.settings().data_dir.join("files").join("uploads")
}

/// The names of the files that are kept.
pub fn kept(app: &TestApp) -> Vec<String> {
    // Without files there may be no folder.
    let Ok(files) = std::fs::read_dir(folder(app)) else { return Vec::new() };
    let mut names: Vec<String> =
        files.map(|file| file.expect("a file").file_name().into_string().expect("a name")).collect();
    names.sort();
    names
}

// ---- jobs --------------------------------------------------------------------------------------------------------

/// A job as its table has it.
pub async fn stored(app: &TestApp, id: &Value) -> job::Model {
    let connection = app.bulk.write();
    let mut sql = Sql::new(connection);
    sql.push("select * from jobs where id = ").bind(uuid_of(id));
    sql.one::<job::Model>(connection).await.expect("an answer").expect("a job")
}

/// An import as its owner sees it.
pub async fn looked_at(app: &TestApp, person: &Person, id: &Value) -> Value {
    let query = format!("query($id: ID!) {{ node(id: $id) {{ ... on CollectionImport {{ {IMPORT} }} }} }}");
    ask(app, person, &query, json!({"id": id})).await.field().clone()
}

/// The same once it has ended.
pub async fn ended(app: &TestApp, person: &Person, id: &Value) -> Value {
    until("a job's end", async || stored(app, id).await.finished_at.is_some()).await;
    looked_at(app, person, id).await
}

/// The import of a file, completed. Somebody has to work.
pub async fn imported(app: &TestApp, person: &Person, content: &str, variables: Value) -> Value {
    let job = queued(app, person, content, variables).await;
    let job = ended(app, person, &job["id"]).await;
    assert_eq!(job["status"], json!("COMPLETED"), "{job:#}");
    job
}

/// The report on an import that has ended, its headings first.
pub async fn report(app: &TestApp, job: &Value) -> Vec<Vec<String>> {
    let (_, path) =
        text(&job["reportUrl"]).split_once("://").and_then(|(_, rest)| rest.split_once('/')).expect("a URL");
    let answer = app.client.get(format!("{}/{path}", app.base)).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
    let body = answer.bytes().await.expect("a body");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&body[..]);
    let row = |row: csv::Result<csv::StringRecord>| row.expect("a row").iter().map(str::to_owned).collect();
    reader.records().map(row).collect()
}

pub async fn cancel(app: &TestApp, person: &Person, id: &Value) -> Answered {
    let query = "mutation CancelJob($id: ID!) { cancelJob(input: {id: $id}) {
        job { id status finishedAt } userErrors { errorCode path } } }";
    ask(app, person, query, json!({"id": id})).await
}

pub async fn undo(app: &TestApp, person: &Person, id: &Value) -> Answered {
    let query = "mutation($id: ID!) { undoImport(input: {id: $id}) {
        collectionImport { id status undone } keptItems { id quantity card { name } } userErrors { errorCode path } } }";
    ask(app, person, query, json!({"id": id})).await
}

pub async fn delete(app: &TestApp, person: &Person, id: &Value) -> Answered {
    let query = "mutation DeleteUpload($id: ID!) { deleteUpload(input: {id: $id}) { deletedId userErrors { errorCode path } } }";
    ask(app, person, query, json!({"id": id})).await
}

// ---- workers -----------------------------------------------------------------------------------------------------

/// What a worker takes up next that has its server for itself.
pub async fn claimed(app: &TestApp, worker: Uuid) -> Option<Claim> {
    let claim =
        async |which| claim_job(app.bulk.write(), worker, which, app.app.outside()).await.expect("an answer");
    match claim(Which::Suspect).await {
        Some(suspect) => Some(suspect),
        None => claim(Which::Any).await,
    }
}

/// Whether a worker may go on.
pub async fn standing(app: &TestApp, claim: &Claim) -> Standing {
    stand(app.bulk.write(), claim, app.app.outside().now()).await.expect("an answer")
}

/// Whether a worker could end its job, as done.
pub async fn finished(app: &TestApp, claim: &Claim) -> bool {
    let result = json!({"imported": 1, "rejected": 0});
    finish_job(app.bulk.write(), claim, 1, &result, app.app.outside().now()).await.expect("an answer")
}

/// Ends an attempt as failed.
pub async fn failed(app: &TestApp, claim: &Claim, may_retry: bool) {
    let error = Error::internal("a trouble of the test's own");
    fail_job(app.bulk.write(), claim, &error, may_retry, app.app.outside()).await.expect("an answer");
}

/// Gives a job back, untried.
pub async fn given_back(app: &TestApp, claim: &Claim) {
    give_back(app.bulk.write(), claim, app.app.outside().now()).await.expect("an answer");
}
