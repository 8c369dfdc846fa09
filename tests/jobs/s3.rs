//! Where files are kept: what a store that speaks as S3 does is asked over HTTP, what is left where it does not answer, and what
//! goes with time.

mod stand_in;

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use dualcaster::config::Settings;
use dualcaster::domain::uploads::{create_upload, forget_uploads};
use dualcaster::storage::Storage;
use entity::upload;
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{delete, ended, folder, imported, kept, load, looked_at, queued, shocks, stored, until, upload};
use crate::collection::{held, uuid_of};
use crate::harness::{Answered, Content, Proxy, Store, TestApp, TestDatabase, on_both_stores, runtime};
use crate::security::{sign_in, sign_up};
use stand_in::{PREFIX, StandIn, URL};

/// The time that a request has unless it is set otherwise.
const REQUEST: Duration = Duration::from_secs(10);

/// Runs a test on both stores, each against a server that keeps its files in a stand-in for S3 at the end of a line.
fn over_s3(change: impl Fn(&mut Settings), test: impl AsyncFn(&TestApp, &StandIn, &Proxy)) {
    let on = async |store| {
        let s3 = StandIn::start(2).await;
        let line = Proxy::to(s3.address.clone()).await;
        let database = TestDatabase::new(store, Content::Tables).await;
        let mut settings = database.settings();
        settings.jobs.storage_url = URL.to_owned();
        settings.jobs.storage_options = StandIn::options(&line.address.to_string());
        change(&mut settings);
        let app = TestApp::start_with(&database, settings).await;
        test(&app, &s3, &line).await;
        app.stop().await;
        database.remove().await;
    };
    runtime().block_on(async { tokio::join!(on(Store::Postgres), on(Store::Sqlite)) });
}

/// The server's part alone, without a server.
fn storage(s3: &StandIn) -> Storage {
    Storage::open(URL, &StandIn::options(&s3.address)).expect("a store")
}

fn file(bytes: &[u8]) -> File {
    let mut content = tempfile::tempfile().expect("a file");
    content.write_all(bytes).expect("written");
    content
}

/// So many bytes, of which no piece is like the next.
fn bytes(length: u32) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

/// A file of so many rows, each of 60 kB.
fn wide(rows: usize) -> String {
    let row = format!("1,Shock,m11,156,{}\n", "x".repeat(60_000));
    format!("Quantity,Name,Set Code,Collector Number,Filler\n{}", row.repeat(rows))
}

/// The key of a file that was sent.
fn key_of(id: &Value) -> String {
    format!("{PREFIX}{}", uuid_of(id))
}

async fn forget(app: &TestApp) {
    app.app.jobs().expect("jobs").forget().await.expect("what is too old is gone");
}

/// Asserts that of files nothing is kept and nothing known.
async fn assert_nothing_is_left(app: &TestApp, s3: &StandIn, what: &str) {
    until("what was begun is given up", async || s3.unfinished() == 0).await;
    let left = (s3.keys(), app.rows("uploads").await, app.rows("jobs").await);
    assert_eq!(left, (Vec::new(), 0, 0), "{what}");
}

/// Asserts that a file could not be kept, and that nobody is told more than that.
fn assert_not_kept(answer: &Answered, what: &str) {
    assert_eq!((answer.status, answer.code()), (503, Some("ERR-5003")), "{what}: {:#}", answer.body);
    assert_eq!(answer.body["errors"][0]["extensions"]["retryAfter"], json!(5), "{what}");
    let told = answer.body["errors"][0]["message"].as_str().expect("a message");
    assert_eq!(told, "Files can't be kept just now. Please try again in a moment.", "{what}");
}

/// Asserts that somebody else is answered.
async fn assert_answers(app: &TestApp) {
    assert_eq!(app.data("{ __typename }", json!(null)).await, json!({"__typename": "Query"}));
}

// ---- S3 ----------------------------------------------------------------------------------------------------------

#[test]
fn a_large_import_comes_in_whole_and_its_file_goes_when_it_is_deleted() {
    over_s3(
        |_| {},
        async |app, s3, _| {
            load(app).await;
            let ada = sign_up(app, "ada@example.com").await;
            let content = wide(190);
            let job = queued(app, &ada, &content, json!({})).await;
            let key = key_of(&job["file"]["id"]);
            assert_eq!((s3.keys(), s3.unfinished()), (vec![key.clone()], 0));
            assert_eq!(s3.asked(&format!("PUT {key} partNumber")), 3, "parts");
            assert!(s3.content(&key) == content.as_bytes(), "as it came");
            app.work();
            let job = ended(app, &ada, &job["id"]).await;
            assert_eq!((&job["status"], &job["rowsImported"]), (&json!("COMPLETED"), &json!(190)));
            assert_eq!(held(app, &ada).await[0]["quantity"], json!(190));
            delete(app, &ada, &job["file"]["id"]).await.field();
            assert_eq!(s3.keys(), Vec::<String>::new());
            assert_eq!(looked_at(app, &ada, &job["id"]).await["file"]["deleted"], json!(true));
        },
    );
}

#[test]
fn a_store_that_refuses_twice_is_not_noticed() {
    over_s3(
        |_| {},
        async |app, s3, _| {
            load(app).await;
            let ada = sign_up(app, "ada@example.com").await;
            s3.refuse(0, 2);
            let job = queued(app, &ada, &shocks(1), json!({})).await;
            assert_eq!((s3.keys().len(), s3.asked("PUT")), (1, 3));
            let before = s3.asked("GET");
            s3.refuse(0, 2);
            app.work();
            let job = ended(app, &ada, &job["id"]).await;
            assert_eq!((&job["status"], s3.asked("GET") - before), (&json!("COMPLETED"), 3));
            assert_eq!(stored(app, &job["id"]).await.attempts, 1);
            s3.refuse(0, 2);
            delete(app, &ada, &job["file"]["id"]).await.field();
            assert_eq!((s3.keys(), s3.asked("DELETE")), (Vec::new(), 3));
        },
    );
}

#[test]
fn each_step_of_a_file_in_parts_has_three_tries_and_no_more() {
    runtime().block_on(async {
        let s3 = StandIn::start(2).await;
        let (storage, bytes) = (storage(&s3), bytes((5 << 20) + 1));
        // It is begun, sent in two parts, and put together.
        for step in 0..4 {
            s3.refuse(step, 2);
            storage.put("uploads/one", &file(&bytes)).await.expect("kept");
            assert!(s3.content(&format!("{PREFIX}one")) == bytes, "step {step}");
            storage.delete("uploads/one").await.expect("gone");
            s3.refuse(step, 3);
            assert!(storage.put("uploads/one", &file(&bytes)).await.is_err(), "step {step}");
            until("it is given up", async || s3.unfinished() == 0).await;
            assert_eq!(s3.keys(), Vec::<String>::new(), "step {step}");
        }
    });
}

#[test]
fn where_files_can_t_be_kept_nothing_is_left_and_others_are_answered() {
    over_s3(
        |_| {},
        async |app, s3, line| {
            let ada = sign_up(app, "ada@example.com").await;
            let (small, large) = (shocks(1), wide(100));
            for (what, content) in [("a small file", &small), ("a large file", &large)] {
                for is_full in [true, false] {
                    if is_full {
                        s3.fill();
                    } else {
                        line.cut();
                    }
                    let sent = upload(app, &ada, "cards.csv", content.as_bytes(), json!({}));
                    let (answer, ()) = tokio::join!(sent, assert_answers(app));
                    assert_not_kept(&answer, &format!("{what}, full: {is_full}"));
                    s3.heal();
                    line.heal();
                    assert_nothing_is_left(app, s3, what).await;
                }
            }
            let job = queued(app, &ada, &shocks(1), json!({})).await;
            assert_eq!(s3.keys(), [key_of(&job["file"]["id"])]);
        },
    );
}

#[test]
fn a_store_that_does_not_answer_is_given_up_within_the_request_s_time() {
    over_s3(
        |settings| settings.server.request_timeout = REQUEST,
        async |app, s3, _| {
            let ada = sign_up(app, "ada@example.com").await;
            s3.freeze();
            let started = Instant::now();
            let sent = async {
                let answer = upload(app, &ada, "cards.csv", shocks(1).as_bytes(), json!({})).await;
                (answer, started.elapsed())
            };
            let asked = async {
                assert_answers(app).await;
                started.elapsed()
            };
            let ((answer, took), others) = tokio::join!(sent, asked);
            // On a machine that is busy with something else, the request's own end may come first.
            if answer.code() != Some("ERR-5002") {
                assert_not_kept(&answer, "frozen");
            }
            assert!(others < took && took < REQUEST * 2, "{others:?}, {took:?}");
            until("nobody waits any more", async || s3.waiting() == 0).await;
            s3.heal();
            let job = queued(app, &ada, &shocks(1), json!({})).await;
            assert_eq!(s3.keys(), [key_of(&job["file"]["id"])], "nothing of the first");
            assert_eq!((app.rows("uploads").await, app.rows("jobs").await), (1, 1));
        },
    );
}

#[test]
fn what_was_sent_of_a_file_is_given_up_with_the_request_that_brought_it() {
    runtime().block_on(async {
        let s3 = StandIn::start(2).await;
        s3.freeze_after(1);
        let (storage, content) = (storage(&s3), file(&bytes(6 << 20)));
        let putting = tokio::spawn(async move { storage.put("uploads/one", &content).await.is_ok() });
        // Its beginning was answered, and the first part is on its way.
        until("it is begun", async || s3.unfinished() == 1 && s3.waiting() > 0).await;
        putting.abort();
        assert!(putting.await.is_err(), "ended before it was kept");
        s3.heal();
        until("it is given up", async || s3.unfinished() == 0).await;
        assert_eq!(s3.keys(), Vec::<String>::new());
    });
}

#[test]
fn what_was_left_behind_in_a_bucket_is_swept_page_by_page() {
    over_s3(
        |_| {},
        async |app, s3, _| {
            let ada = sign_up(app, "ada@example.com").await;
            let job = queued(app, &ada, &shocks(1), json!({})).await;
            let known = key_of(&job["file"]["id"]);
            s3.age(&known, TimeDelta::minutes(61));
            let (old, new) =
                (app.clock.now() - TimeDelta::minutes(61), app.clock.now() - TimeDelta::minutes(59));
            for _ in 0..5 {
                s3.lay(&format!("{PREFIX}{}", Uuid::new_v4()), old);
            }
            s3.lay(&format!("{PREFIX}half-sent"), old);
            // One that may be on its way, and another's.
            let mut left =
                vec![known, format!("{PREFIX}{}", Uuid::new_v4()), "of/others/uploads/1".to_owned()];
            s3.lay(&left[1], new);
            s3.lay(&left[2], old);
            forget(app).await;
            left.sort();
            assert_eq!((s3.keys(), s3.asked("GET  ")), (left, 4), "eight keys, two a page");
        },
    );
}

#[test]
fn each_page_of_a_list_has_three_tries_and_no_more() {
    runtime().block_on(async {
        let s3 = StandIn::start(2).await;
        let (storage, now) = (storage(&s3), dualcaster::app::now());
        for number in 0..5 {
            s3.lay(&format!("{PREFIX}{number}"), now - TimeDelta::hours(2));
        }
        let old = async || {
            let pages: Vec<_> =
                storage.older_than("uploads", now - TimeDelta::hours(1)).try_collect().await?;
            dualcaster::error::Result::<Vec<Vec<String>>>::Ok(pages)
        };
        s3.refuse(1, 2);
        assert_eq!(old().await.expect("names"), [vec!["0", "1"], vec!["2", "3"], vec!["4"]]);
        assert_eq!(s3.asked("GET  "), 5);
        s3.refuse(1, 3);
        assert!(old().await.is_err());
    });
}

// ---- a folder ----------------------------------------------------------------------------------------------------

on_both_stores! { Tables:
    async fn however_many_were_left_behind_are_swept(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let job = queued(&app, &ada, &shocks(1), json!({})).await;
        let id = uuid_of(&job["file"]["id"]);
        let strays = (0..1_100).map(|_| Uuid::new_v4().to_string());
        // What a server that was killed leaves of a file that it was about to keep; and nobody writes ids like this.
        let odd = [".tmpA1b2C3".to_owned(), id.simple().to_string()];
        for name in strays.chain(odd).chain([id.to_string()]) {
            let file = File::options().create(true).append(true).open(folder(&app).join(name)).expect("a file");
            file.set_modified((app.clock.now() - TimeDelta::minutes(61)).into()).expect("a time");
        }
        assert_eq!(kept(&app).len(), 1_103);
        forget(&app).await;
        assert_eq!(kept(&app), [id.to_string()]);
    }

    async fn a_folder_that_can_t_be_written_to_takes_nothing(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        // In the place of the folder is something else.
        std::fs::write(folder(&app), b"").expect("written");
        let content = shocks(1);
        let sent = upload(&app, &ada, "cards.csv", content.as_bytes(), json!({}));
        let (answer, ()) = tokio::join!(sent, assert_answers(&app));
        assert_not_kept(&answer, "a file in the folder's place");
        assert_eq!((app.rows("uploads").await, app.rows("jobs").await), (0, 0));
        std::fs::remove_file(folder(&app)).expect("gone");
        let job = queued(&app, &ada, &shocks(1), json!({})).await;
        assert_eq!(kept(&app), [uuid_of(&job["file"]["id"]).to_string()], "and no draft beside it");
    }

    async fn what_is_known_of_a_file_goes_with_the_last_job_that_was_about_it(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        let first = imported(&app, &ada, &shocks(1), json!({})).await;
        delete(&app, &ada, &first["file"]["id"]).await.field();
        app.clock.advance(TimeDelta::days(29));
        let ada = sign_in(&app, &ada.email).await;
        let second = imported(&app, &ada, &shocks(2), json!({})).await;
        forget(&app).await;
        let file = looked_at(&app, &ada, &first["id"]).await["file"].clone();
        assert_eq!((file["deleted"].clone(), app.rows("uploads").await), (json!(true), 2), "its job still tells of it");
        app.clock.advance(TimeDelta::days(2));
        forget(&app).await;
        assert_eq!((app.rows("jobs").await, app.rows("uploads").await), (1, 1));
        let ada = sign_in(&app, &ada.email).await;
        assert_eq!(looked_at(&app, &ada, &second["id"]).await["file"]["deleted"], json!(false));
        assert_eq!(held(&app, &ada).await[0]["quantity"], json!(3), "what was imported stays");
    }

    async fn however_many_files_are_forgotten_no_statement_has_more_than_five_hundred(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let (connection, now) = (app.bulk.write(), app.clock.now());
        let file = |deleted_at| upload::Model {
            id: Uuid::new_v4(),
            user_id: uuid_of(&json!(ada.id)),
            filename: "cards.csv".to_owned(),
            size_bytes: 1,
            row_count: 1,
            encoding: "UTF-8".to_owned(),
            sha256: Vec::new(),
            uploaded_at: now - TimeDelta::days(40),
            deleted_at,
        };
        for _ in 0..501 {
            create_upload(connection, file(Some(now - TimeDelta::hours(25)))).await.expect("a file");
        }
        // What was deleted a moment ago can be deleted once more, and what is kept is kept.
        for deleted_at in [Some(now - TimeDelta::hours(23)), None] {
            create_upload(connection, file(deleted_at)).await.expect("a file");
        }
        for (gone, statements) in [(501, 2), (0, 1)] {
            let before = connection.statements().count();
            assert_eq!(forget_uploads(connection, now).await.expect("an answer"), gone);
            assert_eq!(connection.statements().count() - before, statements);
        }
        assert_eq!(app.rows("uploads").await, 2);
    }
}
