//! What is kept of jobs that failed for good, for how long, what becomes of it, and what does not count against a job.

use chrono::TimeDelta;
use dualcaster::db::{Bulk, Sql};
use dualcaster::domain::collection::{ReportRow, write_report};
use dualcaster::domain::jobs::{Standing, fail_job, forget_jobs};
use dualcaster::error::{Code, Error, Refusal};
use entity::enums::{JobStatus, RowOutcome};
use entity::{dead_letter, job};
use sea_orm::{EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::files::lay;
use super::queue::{dead, letters, retry};
use super::{
    administrator, claimed, ended, given_back, kept, load, looked_at, on_each_store_with, queued, shocks,
    standing, stored, until, upload,
};
use crate::cli::{command, text};
use crate::collection::{ask, held, list, nobodys, node, problem, problems, uuid_of};
use crate::harness::{Answered, Content, Store, TestApp, TestDatabase, on_both_stores, runtime};
use crate::security::{Person, sign_up};

/// What an attempt ends for that can't reach what it needs.
fn away() -> Error {
    Error::from(Refusal { retry_after: Some(5), ..Refusal::new(Code::Overloaded, "away") })
}

async fn forget(app: &TestApp) -> dualcaster::error::Result<u64> {
    app.app.jobs().expect("jobs").forget().await
}

async fn discard(app: &TestApp, person: &Person, ids: &[&Value]) -> Answered {
    let query = "mutation($ids: [ID!]!) { discardDeadLetters(input: {ids: $ids}) { discardedIds userErrors { errorCode path } } }";
    ask(app, person, query, json!({"ids": ids})).await
}

on_both_stores! { Tables:
    async fn administrators_queue_dead_jobs_again_or_put_them_away(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let root = administrator(&app).await;
        let (one, other) = (dead(&app, &ada, &shocks(1)).await, dead(&app, &ada, &shocks(2)).await);
        let all = letters(&app, &root, json!({})).await.field().clone();
        let jobs: Vec<_> = list(&all["nodes"]).iter().map(|letter| letter["jobId"].clone()).collect();
        assert_eq!((&all["totalCount"], jobs), (&json!(2), vec![other.clone(), one.clone()]), "the newest first");
        let (of_other, of_one) = (all["nodes"][0]["id"].clone(), all["nodes"][1]["id"].clone());
        let first = letters(&app, &root, json!({"first": 1, "kind": "COLLECTION_IMPORT"})).await.field().clone();
        assert_eq!((&first["nodes"][0]["id"], &first["pageInfo"]["hasNextPage"]), (&of_other, &json!(true)));
        let second = letters(&app, &root, json!({"first": 1, "kind": "COLLECTION_IMPORT", "after": first["pageInfo"]["endCursor"]})).await;
        assert_eq!((&second.field()["nodes"][0]["id"], &second.field()["pageInfo"]["hasNextPage"]), (&of_one, &json!(false)));

        // Who is no administrator learns nothing, not even by id.
        for answer in [letters(&app, &ada, json!({})).await, retry(&app, &ada, &[&of_one]).await, discard(&app, &ada, &[&of_one]).await] {
            assert_eq!(answer.code(), Some("ERR-2005"), "{:#}", answer.body);
        }
        assert_eq!(app.error("{ deadLetters { totalCount } }", json!({})).await, "ERR-2001");
        assert_eq!((node(&app, &ada, &of_one).await, node(&app, &root, &of_one).await["id"].clone()), (Value::Null, of_one.clone()));

        // All or none.
        let unknown = json!(nobodys("DeadLetter"));
        for answer in [retry(&app, &root, &[&of_one, &unknown]).await, discard(&app, &root, &[&of_one, &unknown]).await] {
            assert_eq!(problems(&answer), &json!([problem("ERR-3001", &["ids", "1"])]), "{:#}", answer.body);
        }
        assert_eq!((letters(&app, &root, json!({})).await.field()["totalCount"].clone(), stored(&app, &one).await.status), (json!(2), JobStatus::Failed));

        let retried = json!({"retriedIds": [of_one], "userErrors": []});
        assert_eq!(retry(&app, &root, &[&of_one]).await.field(), &retried);
        let job = looked_at(&app, &ada, &one).await;
        assert_eq!((&job["status"], &job["error"], &job["finishedAt"]), (&json!("QUEUED"), &Value::Null, &Value::Null));
        assert_eq!(letters(&app, &root, json!({})).await.field()["totalCount"], json!(1));
        let claim = claimed(&app, Uuid::new_v4()).await.expect("the job");
        assert_eq!((claim.job.id, claim.job.attempts), (uuid_of(&one), 1), "it is tried as if for the first time");
        // To ask twice does it once: who works at it is not disturbed.
        assert_eq!(retry(&app, &root, &[&of_one]).await.field(), &retried);
        assert_eq!((stored(&app, &one).await.status, standing(&app, &claim).await), (JobStatus::Running, Standing::Held));
        given_back(&app, &claim).await;

        let discarded = json!({"discardedIds": [of_other], "userErrors": []});
        assert_eq!(discard(&app, &root, &[&of_other]).await.field(), &discarded);
        assert_eq!(letters(&app, &root, json!({})).await.field()["totalCount"], json!(0));
        assert_eq!(node(&app, &root, &of_other).await["id"], of_other, "that it was is kept");
        // What was put away is not tried again, and nobody is told that it is.
        let none = json!({"retriedIds": [], "userErrors": []});
        assert_eq!(retry(&app, &root, &[&of_other]).await.field(), &none);
        assert_eq!(retry(&app, &root, &[&of_other, &of_one]).await.field(), &retried);
        app.work();
        assert_eq!(ended(&app, &ada, &one).await["status"], json!("COMPLETED"));
        assert_eq!(stored(&app, &other).await.status, JobStatus::Failed, "what was put away stays so");
        assert_eq!(held(&app, &ada).await[0]["quantity"], json!(1));
    }

    async fn a_letter_has_no_cell_of_the_file_and_says_how_it_was_read(app: TestApp) {
        let (ada, root) = (sign_up(&app, "ada@example.com").await, administrator(&app).await);
        let id = dead(&app, &ada, "Quantity,Name,canary of a heading\n1,Shock,x\n").await;
        let payload = letters(&app, &root, json!({})).await.field()["nodes"][0]["payload"].clone();
        let told = payload.to_string();
        assert!(!told.contains("canary") && payload.get("header").is_none(), "{told}");
        let fields: Vec<_> = list(&payload["columns"]).iter().map(|column| column["field"].clone()).collect();
        assert_eq!((fields, &payload["mode"]), (vec![json!("quantity"), json!("name"), json!(null)], &json!("MERGE")));
        // The job itself has all that it needs to be tried again.
        assert!(stored(&app, &id).await.payload["header"].to_string().contains("canary"));
    }

    async fn a_letter_quotes_nothing_of_a_payload_that_can_t_be_read(app: TestApp) {
        let (ada, root) = (sign_up(&app, "ada@example.com").await, administrator(&app).await);
        let id = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        app.execute("update jobs set payload = '{\"platform\": \"GENERIC\", \"mode\": \"MERGE\", \"dry_run\": false, \"header\": \"canary\"}'").await;
        app.work();
        for attempt in 1..=5 {
            until("the next attempt's end", async || {
                let job = stored(&app, &id).await;
                job.attempts >= attempt && job.status != JobStatus::Running
            }).await;
            app.clock.advance(TimeDelta::minutes(1));
        }
        until("the job's end", async || stored(&app, &id).await.finished_at.is_some()).await;
        let told = letters(&app, &root, json!({})).await.field().to_string();
        assert!(told.contains("a job's payload is no import's") && !told.contains("canary"), "{told}");
    }

    async fn what_its_owner_can_put_right_is_a_letter_too(app: TestApp) {
        let (ada, root) = (sign_up(&app, "ada@example.com").await, administrator(&app).await);
        let id = queued(&app, &ada, &shocks(2), json!({})).await["id"].clone();
        let claim = claimed(&app, Uuid::new_v4()).await.expect("the job");
        let full = Error::from(Refusal::new(Code::Conflict, "An inventory has at most so many items."));
        fail_job(app.bulk.write(), &claim, &full, false, app.app.outside()).await.expect("an answer");
        let job = ended(&app, &ada, &id).await;
        assert_eq!((&job["status"], &job["error"]["errorCode"]), (&json!("FAILED"), &json!("ERR-3004")));
        let letter = letters(&app, &root, json!({})).await.field()["nodes"][0].clone();
        assert_eq!((&letter["jobId"], &letter["errorCode"], &letter["attempts"]), (&id, &json!("ERR-3004"), &json!(1)));
    }

    async fn an_outage_counts_no_attempt_until_it_has_lasted_a_day(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let id = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        let fail = async |attempt| {
            let claim = claimed(&app, Uuid::new_v4()).await.expect("the job");
            assert_eq!(claim.job.attempts, attempt);
            let before = app.clock.now();
            fail_job(app.bulk.write(), &claim, &away(), true, app.app.outside()).await.expect("an answer");
            (stored(&app, &id).await, before)
        };
        for _ in 0..12 {
            let (job, before) = fail(1).await;
            assert_eq!((job.status, job.attempts), (JobStatus::Queued, 0));
            let wait = job.run_at - before;
            assert!(wait >= TimeDelta::milliseconds(900) && wait <= TimeDelta::seconds(90), "{wait}");
            app.clock.advance(TimeDelta::minutes(2));
        }
        app.clock.advance(TimeDelta::days(1));
        for attempt in 1..=5 {
            fail(attempt).await;
            app.clock.advance(TimeDelta::minutes(2));
        }
        let job = stored(&app, &id).await;
        assert_eq!((job.status, job.error_code.as_deref()), (JobStatus::Failed, Some("ERR-5003")));
        assert_eq!(app.rows("dead_letters").await, 1);
    }

    async fn a_job_that_is_tried_again_has_its_day_of_outages_anew(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let id = dead(&app, &ada, &shocks(1)).await;
        app.clock.advance(TimeDelta::days(2));
        let root = administrator(&app).await;
        let letter = letters(&app, &root, json!({})).await.field()["nodes"][0]["id"].clone();
        retry(&app, &root, &[&letter]).await.field();
        assert_eq!(stored(&app, &id).await.started_at, None, "it has not begun");
        let claim = claimed(&app, Uuid::new_v4()).await.expect("the job");
        fail_job(app.bulk.write(), &claim, &away(), true, app.app.outside()).await.expect("an answer");
        let job = stored(&app, &id).await;
        assert_eq!((job.status, job.attempts), (JobStatus::Queued, 0));
    }

    async fn lines_are_kept_for_a_month_and_letters_for_three(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let id = dead(&app, &ada, &shocks(1)).await;
        let line = |line| ReportRow {
            line,
            outcome: RowOutcome::Rejected,
            code: Some(Code::RowMalformed),
            message: None,
            cells: vec!["a cell".to_owned()],
        };
        // More than go in one statement.
        let lines: Vec<ReportRow> = (2..=6_001).map(line).collect();
        let bulk = Bulk::begin(app.bulk.write()).await.expect("a transaction");
        write_report(&bulk, uuid_of(&id), &lines).await.expect("written");
        bulk.commit().await.expect("kept");
        for (days, rows, jobs, letters) in [(29, 6_000, 1, 1), (2, 0, 1, 1), (58, 0, 1, 1), (2, 0, 0, 0)] {
            app.clock.advance(TimeDelta::days(days));
            forget(&app).await.expect("tidied");
            let left = (app.rows("rejected_rows").await, app.rows("jobs").await, app.rows("dead_letters").await);
            assert_eq!(left, (rows, jobs, letters), "{days} days later");
        }
    }

    async fn however_many_jobs_and_letters_are_too_old_all_go_five_hundred_in_a_statement(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let first = stored(&app, &dead(&app, &ada, &shocks(1)).await).await;
        let connection = app.bulk.write();
        let mut sql = Sql::new(connection);
        sql.push("select * from dead_letters");
        let letter = sql.one::<dead_letter::Model>(connection).await.expect("an answer").expect("a letter");
        for _ in 0..500 {
            let copy = job::Model { id: Uuid::new_v4(), ..first.clone() };
            let of_copy = dead_letter::Model { id: Uuid::new_v4(), job_id: copy.id, ..letter.clone() };
            job::Entity::insert(copy.into_active_model()).exec_without_returning(connection).await.expect("a job");
            dead_letter::Entity::insert(of_copy.into_active_model())
                .exec_without_returning(connection)
                .await
                .expect("a letter");
        }
        let before = connection.statements().count();
        let gone = forget_jobs(connection, app.clock.now() + TimeDelta::days(91)).await.expect("an answer");
        assert_eq!((gone, connection.statements().count() - before), (2 * 501, 2 * 2));
        assert_eq!((app.rows("jobs").await, app.rows("dead_letters").await), (0, 0));
    }

    async fn what_one_step_can_t_do_keeps_no_other_from_its_own(app: TestApp) {
        lay(&app, &Uuid::new_v4().to_string(), TimeDelta::minutes(61));
        app.execute("alter table dead_letters rename to elsewhere").await;
        assert!(forget(&app).await.is_err(), "it is told");
        assert_eq!(kept(&app), Vec::<String>::new());
    }
}

#[test]
fn so_many_jobs_of_a_kind_wait_in_all_and_no_more() {
    on_each_store_with(
        |settings| settings.jobs.of_kind = 2,
        async |app: &TestApp| {
            for name in ["ada", "bob"] {
                let person = sign_up(app, &format!("{name}@example.com")).await;
                queued(app, &person, &shocks(1), json!({})).await;
            }
            let cid = sign_up(app, "cid@example.com").await;
            let refused = upload(app, &cid, "cards.csv", shocks(1).as_bytes(), json!({})).await;
            assert_eq!((refused.status, refused.code()), (503, Some("ERR-5003")), "{:#}", refused.body);
            assert_eq!(refused.headers["retry-after"], "10");
            assert_eq!((kept(app).len(), app.rows("uploads").await, app.rows("jobs").await), (2, 2, 2));
            // One that is under way counts, and one that has ended does not.
            let claim = claimed(app, Uuid::new_v4()).await.expect("a job");
            let again = upload(app, &cid, "cards.csv", shocks(1).as_bytes(), json!({})).await;
            assert_eq!(again.code(), Some("ERR-5003"));
            assert!(super::finished(app, &claim).await);
            queued(app, &cid, &shocks(1), json!({})).await;
        },
    );
}

#[test]
fn who_runs_the_server_lists_shows_retries_and_discards_letters() {
    for store in [Store::Postgres, Store::Sqlite] {
        runtime().block_on(async {
            let database = TestDatabase::new(store, Content::Tables).await;
            let app = TestApp::start(&database).await;
            load(&app).await;
            let ada = sign_up(&app, "ada@example.com").await;
            let (one, other) = (dead(&app, &ada, &shocks(1)).await, dead(&app, &ada, &shocks(2)).await);
            let folder = TempDir::new().expect("a folder");
            let run = |arguments: &[&str]| {
                let mut command = command(&folder);
                let output =
                    command.env("DATABASE_URL", &database.url).arg("dead-letters").args(arguments).output();
                let output = output.expect("a process");
                (output.status.success(), text(&output.stdout) + &text(&output.stderr))
            };
            let (listed, list) = run(&["list"]);
            let ids: Vec<&str> = list.lines().map(|line| &line[..36]).collect();
            assert!(listed && ids.len() == 2 && list.contains("ERR-5000  1 attempts"), "{list}");

            let (shown, letter) = run(&["show", ids[0]]);
            let letter: Value = serde_json::from_str(&letter).expect("JSON");
            assert!(shown, "{letter}");
            assert_eq!(
                (&letter["id"], &letter["jobId"]),
                (&json!(ids[0]), &json!(uuid_of(&other))),
                "the newest first"
            );
            let nobodys = Uuid::new_v4().to_string();
            for arguments in
                [["show", nobodys.as_str()], ["retry", nobodys.as_str()], ["discard", nobodys.as_str()]]
            {
                let (done, told) = run(&arguments);
                assert!(!done && told.contains("`dualcaster dead-letters list` shows the ids."), "{told}");
            }

            assert_eq!(run(&["retry", ids[1]]), (true, "1 queued again.\n".to_owned()));
            assert_eq!(stored(&app, &one).await.status, JobStatus::Queued);
            assert_eq!(run(&["discard", ids[0]]), (true, "1 put away.\n".to_owned()));
            assert_eq!(run(&["list"]), (true, "There are none.\n".to_owned()));
            app.stop().await;
            database.remove().await;
        });
    }
}
