//! The workers: what they hold while they wait, what a panic ends, and what is left of a job that was stopped or lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use dualcaster::config::Settings;
use dualcaster::db::{Databases, Exists, Sql, Transaction};
use dualcaster::domain::jobs::{Claim, Standing, note_progress};
use dualcaster::outside::Outside;
use entity::enums::JobStatus;
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use super::imports::told;
use super::queue::{dead, letters, retry};
use super::{
    administrator, cancel, claimed, delete, ended, failed, given_back, load, looked_at, queued, shocks,
    standing, stored, until, upload_with,
};
use crate::collection::{
    BOLT, LOTUS, added, has_too_long_a_list, held, list, nobodys, payload, problem, problems, text, uuid_of,
};
use crate::harness::{Content, Store, TestApp, TestClock, TestDatabase, on_both_stores, runtime};
use crate::security::{Person, sign_in, sign_up};

/// How soon a job under way ends that its owner has stopped, as the schema says.
const STOPPED_WITHIN: Duration = Duration::from_secs(2);

/// How soon a worker ends when its server stops, as `serve` waits for it.
const HANDED_BACK_WITHIN: Duration = Duration::from_secs(5);

/// Is alone with what these people hold, as a long change of theirs would be, until the transaction ends.
async fn alone_with(databases: &Databases, people: &[&Person]) -> Transaction {
    let transaction = databases.write().begin().await.expect("a transaction");
    for person in people {
        let mut sql = Sql::new(&transaction);
        sql.push("select 1 as n from users where id = ").bind(uuid_of(&json!(person.id)));
        sql.push(" for update");
        sql.one::<Exists>(&transaction).await.expect("an answer").expect("a user");
    }
    transaction
}

/// How many connections to the test's database wait for a lock.
async fn waiting(app: &TestApp) -> i64 {
    let of_database = "select count(*) as n from pg_stat_activity where datname = current_database()";
    app.number(&format!("{of_database} and wait_event_type = 'Lock'")).await
}

/// Waits until a job's lease was renewed.
async fn renewed(app: &TestApp, id: &Value) {
    let lease = stored(app, id).await.lease_until.expect("a lease");
    let is_later = async || stored(app, id).await.lease_until.is_some_and(|renewed| renewed > lease);
    until("a lease is renewed", is_later).await;
}

async fn noted(app: &TestApp, claim: &Claim, processed: i64) {
    note_progress(app.bulk.write(), claim, processed, app.app.outside().now()).await.expect("an answer");
}

/// Asserts that a job was stopped, that nobody takes it up again, and that nobody is asked to look at it.
async fn assert_stopped(app: &TestApp, person: &Person, id: &Value, what: &str) {
    let job = looked_at(app, person, id).await;
    let told = (&job["status"], &job["error"], job["finishedAt"].is_string());
    assert_eq!(told, (&json!("CANCELLED"), &Value::Null, true), "{what}");
    let job = stored(app, id).await;
    assert_eq!((job.lease_by, job.lease_until, app.rows("dead_letters").await), (None, None, 0), "{what}");
    app.clock.advance(TimeDelta::minutes(11));
    assert!(claimed(app, Uuid::new_v4()).await.is_none(), "{what}: nobody takes it up");
}

// On SQLite it is the whole store that is locked, for what a worker notes too.
#[test]
fn an_import_that_waits_at_its_end_keeps_its_lease_and_can_be_stopped() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Postgres, Content::Tables).await;
        let app = TestApp::start(&database).await;
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let there = added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 3}])).await;
        let id = queued(&app, &ada, &shocks(2), json!({"mode": "REPLACE"})).await["id"].clone();
        let outside = database.bulk().await;
        let lock = alone_with(&outside, &[&ada]).await;
        app.work();
        until("the import waits", async || waiting(&app).await == 1).await;
        for _ in 0..2 {
            renewed(&app, &id).await;
        }
        assert_eq!((stored(&app, &id).await.status, waiting(&app).await), (JobStatus::Running, 1));

        let stopping = cancel(&app, &ada, &id).await.field()["job"]["status"].clone();
        let answered = Instant::now();
        assert_eq!(stopping, json!("RUNNING"));
        until("it is stopped", async || stored(&app, &id).await.status == JobStatus::Cancelled).await;
        let took = answered.elapsed();
        assert!(took < STOPPED_WITHIN, "{took:?}");

        lock.rollback().await.expect("let go");
        until("nobody waits", async || waiting(&app).await == 0).await;
        assert_eq!((held(&app, &ada).await, app.rows("import_made").await), (there.clone(), 0));
        // What it waited for is free again, and it does not come back.
        let more = added(&app, &ada, json!([{"cardId": LOTUS.id()}])).await;
        assert_eq!(held(&app, &ada).await, [there, more].concat());
        let job = stored(&app, &id).await;
        assert_eq!((job.status, job.attempts, job.lease_by), (JobStatus::Cancelled, 0, None));
        let lines = told(&app, &looked_at(&app, &ada, &id).await).await;
        assert!(!lines.is_empty() && lines.iter().all(|(became, _)| became == "not imported"), "{lines:?}");
        outside.close().await;
        app.stop().await;
        database.remove().await;
    });
}

/// Runs a test of two people with so many workers, who do not work yet, and a pool of connections beside the server's; `change`
/// changes the server's settings.
fn with_workers(
    workers: usize,
    change: impl Fn(&mut Settings),
    test: impl AsyncFn(&TestApp, &Databases, Person, Person),
) {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Postgres, Content::Tables).await;
        let mut settings = database.settings();
        settings.jobs.workers = workers;
        change(&mut settings);
        let app = TestApp::start_with(&database, settings).await;
        load(&app).await;
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let outside = database.bulk().await;
        test(&app, &outside, ada, bob).await;
        outside.close().await;
        app.stop().await;
        database.remove().await;
    });
}

#[test]
fn a_small_file_does_not_wait_for_large_ones() {
    with_workers(
        2,
        |_| {},
        async |app, outside, ada, bob| {
            let large =
                |quantity: usize| shocks(quantity) + &format!("{quantity},Shock,m11,156\n").repeat(1_000);
            let mut adas = Vec::new();
            for quantity in 1..=2 {
                adas.push(queued(app, &ada, &large(quantity), json!({})).await["id"].clone());
            }
            let lock = alone_with(outside, &[&ada]).await;
            app.work();
            until("a large import waits", async || waiting(app).await == 1).await;
            let bobs = queued(app, &bob, &shocks(3), json!({})).await["id"].clone();
            assert_eq!(ended(app, &bob, &bobs).await["status"], json!("COMPLETED"));
            assert_eq!(stored(app, &adas[1]).await.status, JobStatus::Queued, "a place is kept");
            lock.rollback().await.expect("let go");
            for id in &adas {
                assert_eq!(ended(app, &ada, id).await["status"], json!("COMPLETED"));
            }
        },
    );
}

#[test]
fn each_of_two_workers_has_an_import_that_waits_and_neither_loses_its_lease() {
    with_workers(
        2,
        |_| {},
        async |app, outside, ada, bob| {
            let adas = queued(app, &ada, &shocks(2), json!({})).await["id"].clone();
            let bobs = queued(app, &bob, &shocks(3), json!({})).await["id"].clone();
            let lock = alone_with(outside, &[&ada, &bob]).await;
            app.work();
            until("both imports wait", async || waiting(app).await == 2).await;
            for id in [&adas, &bobs] {
                renewed(app, id).await;
            }
            lock.rollback().await.expect("let go");
            for (person, id, quantity) in [(&ada, &adas, 2), (&bob, &bobs, 3)] {
                assert_eq!(ended(app, person, id).await["status"], json!("COMPLETED"));
                let items = held(app, person).await;
                assert_eq!((stored(app, id).await.attempts, &items[0]["quantity"]), (1, &json!(quantity)));
            }
        },
    );
}

/// Makes a job one that two workers had, of which none is left, as one that ends its process would be.
async fn made_suspect(app: &TestApp, id: &Value, lease_until: &str) {
    let orphan = "status = 1, attempts = 2, lease_by = gen_random_uuid(), lease_until = ";
    app.execute(&format!("update jobs set {orphan}{lease_until} where id = '{}'", uuid_of(id))).await;
}

#[test]
fn nothing_is_begun_beside_a_job_that_may_end_the_process() {
    with_workers(
        3,
        |_| {},
        async |app, outside, ada, bob| {
            let adas = queued(app, &ada, &shocks(2), json!({})).await["id"].clone();
            made_suspect(app, &adas, "now() - interval '1 second'").await;
            let lock = alone_with(outside, &[&ada]).await;
            app.work();
            until("the suspect waits at its end", async || waiting(app).await == 1).await;
            let bobs = queued(app, &bob, &shocks(3), json!({})).await["id"].clone();
            // The others have looked in the meantime.
            renewed(app, &adas).await;
            let job = stored(app, &bobs).await;
            assert_eq!((job.status, job.attempts), (JobStatus::Queued, 0), "nobody begins");
            lock.rollback().await.expect("let go");
            for (person, id, attempts) in [(&ada, &adas, 3), (&bob, &bobs, 1)] {
                assert_eq!(ended(app, person, id).await["status"], json!("COMPLETED"));
                assert_eq!(stored(app, id).await.attempts, attempts);
            }
        },
    );
}

#[test]
fn a_job_that_may_end_the_process_waits_for_the_others_and_is_not_tried_meanwhile() {
    with_workers(
        4,
        |_| {},
        async |app, outside, ada, bob| {
            let adas = queued(app, &ada, &shocks(2), json!({})).await["id"].clone();
            made_suspect(app, &adas, "now() + interval '1 day'").await;
            let bobs = queued(app, &bob, &shocks(3), json!({})).await["id"].clone();
            let lock = alone_with(outside, &[&bob]).await;
            app.work();
            until("another import waits at its end", async || waiting(app).await == 1).await;
            made_suspect(app, &adas, "now() - interval '1 second'").await;
            renewed(app, &bobs).await;
            renewed(app, &bobs).await;
            assert_eq!(stored(app, &adas).await.attempts, 2, "to wait is no attempt");
            lock.rollback().await.expect("let go");
            for (person, id, attempts) in [(&ada, &adas, 3), (&bob, &bobs, 1)] {
                assert_eq!(ended(app, person, id).await["status"], json!("COMPLETED"));
                assert_eq!(stored(app, id).await.attempts, attempts);
            }
        },
    );
}

#[test]
fn an_import_that_waits_at_its_end_is_handed_back_when_the_server_stops() {
    with_workers(
        1,
        |_| {},
        async |app, outside, ada, _| {
            let id = queued(app, &ada, &shocks(2), json!({})).await["id"].clone();
            let lock = alone_with(outside, &[&ada]).await;
            let (drain, draining) = watch::channel(false);
            let jobs = app.app.jobs().expect("jobs").clone();
            let working = tokio::spawn(async move { jobs.work(draining).await });
            until("it waits at its end", async || waiting(app).await == 1).await;
            drain.send_replace(true);
            let in_time = tokio::time::timeout(HANDED_BACK_WITHIN, working).await;
            in_time.expect("before the server would end it").expect("no panic");
            let job = stored(app, &id).await;
            assert_eq!((job.status, job.attempts, job.lease_by), (JobStatus::Queued, 0, None));
            lock.rollback().await.expect("let go");
            app.work();
            assert_eq!(ended(app, &ada, &id).await["status"], json!("COMPLETED"));
            assert_eq!(
                (stored(app, &id).await.attempts, &held(app, &ada).await[0]["quantity"]),
                (1, &json!(2))
            );
        },
    );
}

#[test]
fn an_attempt_that_takes_over_an_hour_has_failed_and_is_tried_again() {
    with_workers(
        1,
        |_| {},
        async |app, outside, ada, _| {
            let id = queued(app, &ada, &shocks(2), json!({})).await["id"].clone();
            let lock = alone_with(outside, &[&ada]).await;
            app.work();
            until("it waits at its end", async || waiting(app).await == 1).await;
            app.clock.advance(TimeDelta::minutes(59));
            // It looks at the clock as often as it renews its lease.
            for _ in 0..3 {
                renewed(app, &id).await;
            }
            let job = stored(app, &id).await;
            assert_eq!((job.status, job.attempts), (JobStatus::Running, 1), "its hour is not over");
            app.clock.advance(TimeDelta::minutes(1));
            until("the attempt's end", async || {
                let job = stored(app, &id).await;
                (job.status, job.attempts) == (JobStatus::Queued, 1)
            })
            .await;
            assert_eq!(app.rows("dead_letters").await, 0);
            lock.rollback().await.expect("let go");
            app.clock.advance(TimeDelta::minutes(1));
            let ada = sign_in(app, &ada.email).await;
            assert_eq!(ended(app, &ada, &id).await["status"], json!("COMPLETED"));
            assert!(stored(app, &id).await.attempts > 1);
        },
    );
}

#[test]
fn how_long_an_attempt_may_take_can_be_set() {
    with_workers(
        1,
        |settings| settings.jobs.longest = Duration::from_secs(300),
        async |app, outside, ada, _| {
            let id = queued(app, &ada, &shocks(2), json!({})).await["id"].clone();
            let lock = alone_with(outside, &[&ada]).await;
            app.work();
            until("it waits at its end", async || waiting(app).await == 1).await;
            app.clock.advance(TimeDelta::minutes(5));
            until("the attempt's end", async || {
                let job = stored(app, &id).await;
                (job.status, job.attempts) == (JobStatus::Queued, 1)
            })
            .await;
            lock.rollback().await.expect("let go");
        },
    );
}

#[test]
fn a_file_is_taken_while_an_import_of_the_same_user_is_at_its_end() {
    with_workers(
        1,
        |_| {},
        async |app, outside, ada, _| {
            let first = queued(app, &ada, &shocks(1), json!({})).await["id"].clone();
            // As `apply_import` holds it.
            let lock = outside.write().begin().await.expect("a transaction");
            let mut sql = Sql::new(&lock);
            sql.push("select 1 as n from users where id = ").bind(uuid_of(&json!(ada.id)));
            sql.push(" for no key update");
            sql.one::<Exists>(&lock).await.expect("an answer").expect("a user");
            let content = shocks(2);
            let at_once =
                futures_util::future::join_all((0..3).map(|_| queued(app, &ada, &content, json!({})))).await;
            assert!(at_once.iter().all(|job| job == &at_once[0] && job["id"] != first), "{at_once:#?}");
            assert_eq!(app.rows("jobs").await, 2);
            lock.rollback().await.expect("let go");
        },
    );
}

#[test]
fn a_panic_ends_neither_the_worker_nor_the_job() {
    for store in [Store::Postgres, Store::Sqlite] {
        runtime().block_on(async {
            let database = TestDatabase::new(store, Content::Tables).await;
            let mut settings = database.settings();
            settings.jobs.workers = 1;
            let (clock, calls) = (TestClock::default(), Arc::new(AtomicUsize::new(0)));
            let breaks = Arc::new(AtomicBool::new(false));
            let outside = Outside::system().with_clock({
                let (clock, calls, breaks) = (clock.clone(), Arc::clone(&calls), Arc::clone(&breaks));
                move || {
                    if breaks.load(Ordering::Relaxed) {
                        // First the worker asks, to look; the second one looks and claims; then its attempt says that it has begun.
                        let call = calls.fetch_add(1, Ordering::Relaxed) + 1;
                        assert!(call != 1 && call != 4, "the clock breaks at call {call}");
                    }
                    clock.now()
                }
            });
            let app = TestApp::start_in(&database, settings, outside).await;
            load(&app).await;
            let ada = sign_up(&app, "ada@example.com").await;
            let id = queued(&app, &ada, &shocks(2), json!({})).await["id"].clone();
            breaks.store(true, Ordering::Relaxed);
            app.work();
            until("the first attempt's end", async || {
                let job = stored(&app, &id).await;
                (job.attempts, job.status) == (1, JobStatus::Queued)
            })
            .await;
            assert!(calls.load(Ordering::Relaxed) > 4, "both calls were made");
            clock.advance(TimeDelta::minutes(1));
            assert_eq!(ended(&app, &ada, &id).await["status"], json!("COMPLETED"), "{store:?}");
            assert_eq!(stored(&app, &id).await.attempts, 2, "{store:?}");
            assert_eq!(held(&app, &ada).await[0]["quantity"], json!(2));
            app.stop().await;
            database.remove().await;
        });
    }
}

on_both_stores! { Tables:
    async fn a_job_that_is_stopped_and_then_fails_is_stopped_and_not_tried_again(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let id = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        let claim = claimed(&app, Uuid::new_v4()).await.expect("a job");
        assert_eq!(cancel(&app, &ada, &id).await.field()["job"]["status"], json!("RUNNING"));
        failed(&app, &claim, true).await;
        assert_stopped(&app, &ada, &id, "it could have been tried again").await;
    }

    async fn a_job_that_is_stopped_and_then_fails_for_good_is_stopped_and_no_dead_letter(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let last = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        for attempt in 1..=5 {
            let claim = claimed(&app, Uuid::new_v4()).await.expect("a job");
            assert_eq!(claim.job.attempts, attempt);
            if attempt == 5 {
                cancel(&app, &ada, &last).await.field();
            }
            failed(&app, &claim, true).await;
            app.clock.advance(TimeDelta::minutes(1));
        }
        assert_stopped(&app, &ada, &last, "it was its last attempt").await;
        let ada = sign_in(&app, &ada.email).await;
        let hopeless = queued(&app, &ada, &shocks(2), json!({})).await["id"].clone();
        let claim = claimed(&app, Uuid::new_v4()).await.expect("a job");
        cancel(&app, &ada, &hopeless).await.field();
        failed(&app, &claim, false).await;
        assert_stopped(&app, &ada, &hopeless, "another attempt would come to the same").await;
    }

    async fn a_job_that_is_stopped_after_its_worker_ended_is_not_begun_again(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let id = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        claimed(&app, Uuid::new_v4()).await.expect("a job");
        assert_eq!(cancel(&app, &ada, &id).await.field()["job"]["status"], json!("RUNNING"));
        app.clock.advance(TimeDelta::seconds(31));
        assert!(claimed(&app, Uuid::new_v4()).await.is_none(), "nobody wants it");
        assert_stopped(&app, &ada, &id, "its worker is gone").await;
    }

    async fn a_worker_that_lost_a_job_to_its_own_next_attempt_changes_nothing_of_it(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let id = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        let worker = Uuid::new_v4();
        let first = claimed(&app, worker).await.expect("a job");
        app.clock.advance(TimeDelta::seconds(31));
        let second = claimed(&app, worker).await.expect("the job");
        assert_eq!((first.worker, first.job.attempts, second.worker, second.job.attempts), (worker, 1, worker, 2));
        let before = stored(&app, &id).await;
        noted(&app, &first, 7).await;
        given_back(&app, &first).await;
        for may_retry in [true, false] {
            failed(&app, &first, may_retry).await;
        }
        assert_eq!((stored(&app, &id).await, app.rows("dead_letters").await), (before, 0));
        noted(&app, &second, 1).await;
        let job = stored(&app, &id).await;
        assert_eq!((job.status, job.processed), (JobStatus::Running, 1), "whose it is may say how far it is");
        given_back(&app, &second).await;
        assert_eq!(stored(&app, &id).await.status, JobStatus::Queued);
    }

    async fn jobs_whose_workers_are_gone_go_before_those_that_wait(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        // The longer the file, the later its turn.
        let large = format!("{}{}", shocks(1), "1,Shock,m11,156\n".repeat(1_000));
        let large = queued(&app, &ada, &large, json!({})).await["id"].clone();
        let first = claimed(&app, Uuid::new_v4()).await.expect("the large one");
        app.clock.advance(TimeDelta::seconds(5));
        let small = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        let second = claimed(&app, Uuid::new_v4()).await.expect("the small one");
        assert_eq!((first.job.id, second.job.id), (uuid_of(&large), uuid_of(&small)));
        app.clock.advance(TimeDelta::seconds(31));
        let mut waiting = Vec::new();
        for quantity in 2..=3 {
            waiting.push(queued(&app, &ada, &shocks(quantity), json!({})).await["id"].clone());
        }
        let (priority, of_waiting) = (stored(&app, &large).await.priority, stored(&app, &waiting[0]).await.priority);
        assert!(priority > of_waiting, "{priority} comes after {of_waiting}");
        // The one that has waited longest comes first.
        for (id, attempts) in [(&large, 2), (&small, 2), (&waiting[0], 1), (&waiting[1], 1)] {
            let claim = claimed(&app, Uuid::new_v4()).await.expect("a job");
            assert_eq!((claim.job.id, claim.job.attempts), (uuid_of(id), attempts));
        }
        assert!(claimed(&app, Uuid::new_v4()).await.is_none());
        assert_eq!(standing(&app, &first).await, Standing::Lost);
    }

    async fn a_dead_letter_names_the_request_that_queued_its_job(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let root = administrator(&app).await;
        let sent: [(usize, &[(&str, &str)]); 2] = [(1, &[("x-request-id", "upload-7")]), (2, &[])];
        let mut expected = Vec::new();
        for (quantity, headers) in sent {
            let content = shocks(quantity);
            let answer = upload_with(&app, Some(&ada.access), headers, "cards.csv", content.as_bytes(), json!({})).await;
            let request = answer.headers["x-request-id"].to_str().expect("text").to_owned();
            let id = answer.field()["collectionImport"]["id"].clone();
            let claim = claimed(&app, Uuid::new_v4()).await.expect("the job");
            assert_eq!(claim.job.trace_id.as_ref(), Some(&request), "{id}");
            failed(&app, &claim, false).await;
            expected.push(json!([id, request]));
        }
        assert_eq!((text(&expected[0][1]), text(&expected[1][1]).len()), ("upload-7", 36));
        let told = list(&letters(&app, &root, json!({})).await.field()["nodes"]);
        let told: Vec<Value> = told.iter().rev().map(|letter| json!([letter["jobId"], letter["traceId"]])).collect();
        assert_eq!(told, expected);
    }

    async fn a_thousand_dead_letters_are_taken_at_a_time(app: TestApp) {
        let root = administrator(&app).await;
        let unknown = json!(nobodys("DeadLetter"));
        let many = vec![&unknown; 1_001];
        assert_eq!(problems(&retry(&app, &root, &[]).await), &json!([problem("ERR-3002", &["ids"])]));
        has_too_long_a_list(&retry(&app, &root, &many).await);
        let unknown = list(problems(&retry(&app, &root, &many[..1_000]).await));
        assert_eq!((unknown.len(), &unknown[999]), (1_000, &problem("ERR-3001", &["ids", "999"])));
    }

    async fn a_letter_whose_file_is_gone_keeps_the_others_from_being_tried_again(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let root = administrator(&app).await;
        let (whole, lost) = (dead(&app, &ada, &shocks(1)).await, dead(&app, &ada, &shocks(2)).await);
        let file = looked_at(&app, &ada, &lost).await["file"]["id"].clone();
        delete(&app, &ada, &file).await.field();
        let all = letters(&app, &root, json!({})).await.field().clone();
        let of = |job: &Value| {
            let nodes = list(&all["nodes"]);
            nodes.into_iter().find(|letter| letter["jobId"] == *job).expect("a letter")["id"].clone()
        };
        let (of_whole, of_lost) = (of(&whole), of(&lost));
        let before = (stored(&app, &whole).await, stored(&app, &lost).await);
        let answer = retry(&app, &root, &[&of_whole, &of_lost]).await;
        assert_eq!(problems(&answer), &json!([problem("ERR-3004", &["ids", "1"])]));
        assert_eq!(payload(&answer)["retriedIds"], json!([]));
        assert_eq!((stored(&app, &whole).await, stored(&app, &lost).await), before);
        assert_eq!(letters(&app, &root, json!({})).await.field(), &all);
        // By itself the other one is tried again.
        assert_eq!(retry(&app, &root, &[&of_whole]).await.field()["retriedIds"], json!([of_whole]));
        assert_eq!(claimed(&app, Uuid::new_v4()).await.expect("the job").job.id, uuid_of(&whole));
        assert_eq!(stored(&app, &lost).await.status, JobStatus::Failed);
    }

    async fn a_job_that_is_tried_again_begins_at_its_first_row(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let root = administrator(&app).await;
        let content = format!("{}1,Zyzzyx,,\n", shocks(2));
        let id = queued(&app, &ada, &content, json!({})).await["id"].clone();
        let claim = claimed(&app, Uuid::new_v4()).await.expect("a job");
        noted(&app, &claim, 1).await;
        failed(&app, &claim, false).await;
        let progress = looked_at(&app, &ada, &id).await["progress"].clone();
        assert_eq!(progress, json!({"processed": 1, "total": 2, "percent": 50.0}));
        let letter = letters(&app, &root, json!({})).await.field()["nodes"][0]["id"].clone();
        retry(&app, &root, &[&letter]).await.field();
        let job = looked_at(&app, &ada, &id).await;
        let progress = json!({"processed": 0, "total": 2, "percent": 0.0});
        assert_eq!((&job["status"], &job["progress"]), (&json!("QUEUED"), &progress));
        let job = stored(&app, &id).await;
        assert_eq!((job.processed, job.attempts), (0, 0));
    }
}
