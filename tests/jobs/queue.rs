//! The queue: who sees and stops what, who works at what for how long, and what becomes of what fails.

use chrono::TimeDelta;
use dualcaster::db::{Bulk, Sql};
use dualcaster::domain::collection::{ReportRow, write_report};
use dualcaster::domain::jobs::{Standing, Which, claim_job};
use dualcaster::error::Code;
use entity::enums::{JobStatus, RowOutcome};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    administrator, cancel, claimed, delete, ended, failed, finished, folder, given_back, imported, kept,
    load, looked_at, queued, report, shocks, standing, stored, undo, until, upload,
};
use crate::collection::{
    BOLT, LOTUS, added, ask, held, ids, list, nobodys, node, payload, problem, problems, text, uuid_of,
};
use crate::harness::{Answered, TestApp, on_both_stores};
use crate::security::{Person, sign_up};
use crate::sockets::Socket;

/// The contract's, as it stands.
const JOB_PROGRESS: &str = "subscription JobProgress($id: ID!) {
  jobProgress(id: $id) {
    id
    status
    progress { processed total percent }
    error { code message }
    ... on CollectionImport { rowsImported rowsRejected }
  }
}";

/// A job of somebody's that failed for good, by id.
pub async fn dead(app: &TestApp, person: &Person, content: &str) -> Value {
    let id = queued(app, person, content, json!({})).await["id"].clone();
    let claim = claimed(app, Uuid::new_v4()).await.expect("a job");
    assert_eq!(claim.job.id, uuid_of(&id));
    failed(app, &claim, false).await;
    id
}

/// Dead letters: `first`, `after`, `kind`.
pub async fn letters(app: &TestApp, person: &Person, arguments: Value) -> Answered {
    let query = "query DeadLetters($first: Int, $after: String, $kind: JobKind) {
        deadLetters(first: $first, after: $after, kind: $kind) {
            totalCount nodes { id jobId kind payload error errorCode attempts traceId failedAt }
            pageInfo { hasNextPage endCursor } } }";
    ask(app, person, query, arguments).await
}

pub async fn retry(app: &TestApp, person: &Person, ids: &[&Value]) -> Answered {
    let query = "mutation($ids: [ID!]!) { retryDeadLetters(input: {ids: $ids}) { retriedIds userErrors { errorCode path } } }";
    ask(app, person, query, json!({"ids": ids})).await
}

/// Somebody's jobs: `kind`, `status`, `first`, `after`, `last`, `before`.
async fn jobs_of(app: &TestApp, person: &Person, arguments: Value) -> Answered {
    let query = "query($kind: JobKind, $status: JobStatus, $first: Int, $after: String, $last: Int, $before: String) { viewer {
        jobs(kind: $kind, status: $status, first: $first, after: $after, last: $last, before: $before) {
            totalCount nodes { __typename id kind status createdAt finishedAt } edges { cursor node { id } }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";
    ask(app, person, query, arguments).await
}

/// A socket of somebody's that watches a job.
pub async fn watching(app: &TestApp, person: &Person, id: &Value) -> Socket {
    let mut socket = Socket::open(app).await;
    let payload = json!({"Authorization": format!("Bearer {}", person.access)});
    socket.say(json!({"type": "connection_init", "payload": payload})).await;
    assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
    let payload = json!({"query": JOB_PROGRESS, "variables": {"id": id}});
    socket.say(json!({"type": "subscribe", "id": "1", "payload": payload})).await;
    socket
}

/// The next state of the job that a socket watches; nothing where it tells no more.
pub async fn state(socket: &mut Socket) -> Option<Value> {
    let message = socket.hear().await;
    if message == json!({"type": "complete", "id": "1"}) {
        return None;
    }
    assert_eq!(
        (&message["type"], &message["payload"]["errors"]),
        (&json!("next"), &Value::Null),
        "{message:#}"
    );
    Some(message["payload"]["data"]["jobProgress"].clone())
}

on_both_stores! { Tables:
    async fn a_job_that_waits_is_stopped_at_once_and_changes_nothing(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let there = added(&app, &ada, json!([{"cardId": BOLT.id()}])).await;
        let id = queued(&app, &ada, &shocks(2), json!({"mode": "REPLACE"})).await["id"].clone();
        let stopped = cancel(&app, &ada, &id).await.field()["job"].clone();
        assert_eq!((&stopped["id"], &stopped["status"]), (&id, &json!("CANCELLED")));
        assert!(stopped["finishedAt"].is_string());
        assert!(claimed(&app, Uuid::new_v4()).await.is_none(), "nobody takes it up");
        app.work();
        let done = imported(&app, &ada, &shocks(1), json!({"dryRun": true})).await;
        assert_eq!((looked_at(&app, &ada, &id).await["status"].clone(), held(&app, &ada).await), (json!("CANCELLED"), there));
        // What has ended can't be stopped.
        for id in [&id, &done["id"]] {
            let answer = cancel(&app, &ada, id).await;
            assert_eq!((problems(&answer), &payload(&answer)["job"]), (&json!([problem("ERR-3005", &["id"])]), &Value::Null));
        }
        assert_eq!(looked_at(&app, &ada, &done["id"]).await["status"], json!("COMPLETED"));
    }

    async fn a_job_under_way_is_stopped_when_its_worker_looks(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let there = added(&app, &ada, json!([{"cardId": BOLT.id()}])).await;
        let id = queued(&app, &ada, &shocks(2), json!({"mode": "REPLACE"})).await["id"].clone();
        let claim = claimed(&app, Uuid::new_v4()).await.expect("a job");
        let stopping = cancel(&app, &ada, &id).await.field()["job"].clone();
        assert_eq!((&stopping["status"], &stopping["finishedAt"]), (&json!("RUNNING"), &Value::Null));
        assert_eq!(standing(&app, &claim).await, Standing::Cancelled);
        assert!(!finished(&app, &claim).await, "it is too late to be done");
        given_back(&app, &claim).await;
        let stopped = looked_at(&app, &ada, &id).await;
        assert_eq!((&stopped["status"], stopped["finishedAt"].is_string()), (&json!("CANCELLED"), true));
        assert_eq!(held(&app, &ada).await, there);
    }

    async fn jobs_are_listed_by_kind_and_state_the_newest_first(app: TestApp) {
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let mut newest_first = Vec::new();
        for quantity in 1..=4 {
            newest_first.insert(0, queued(&app, &ada, &shocks(quantity), json!({})).await["id"].clone());
        }
        cancel(&app, &ada, &newest_first[1]).await.field();
        let page = async |arguments: Value| {
            let page = jobs_of(&app, &ada, arguments).await.field()["jobs"].clone();
            let edges = list(&page["edges"]);
            assert_eq!(edges.iter().map(|edge| edge["node"]["id"].clone()).collect::<Vec<_>>(), ids(&list(&page["nodes"])));
            assert_eq!(edges.last().map(|edge| &edge["cursor"]).unwrap_or(&Value::Null), &page["pageInfo"]["endCursor"]);
            (ids(&list(&page["nodes"])), page)
        };
        let (all, whole) = page(json!({})).await;
        assert_eq!((&all, &whole["totalCount"]), (&newest_first, &json!(4)));
        let expected = json!({
            "__typename": "CollectionImport", "id": newest_first[0], "kind": "COLLECTION_IMPORT", "status": "QUEUED",
            "createdAt": whole["nodes"][0]["createdAt"], "finishedAt": null,
        });
        assert_eq!((&whole["nodes"][0], &whole["nodes"][1]["status"]), (&expected, &json!("CANCELLED")));
        assert_eq!(page(json!({"kind": "COLLECTION_IMPORT"})).await.0, newest_first);
        let (waiting, listed) = page(json!({"status": "QUEUED"})).await;
        assert_eq!((waiting, &listed["totalCount"]), ([0, 2, 3].map(|at| newest_first[at].clone()).to_vec(), &json!(3)));
        assert_eq!(page(json!({"status": "CANCELLED"})).await.0, newest_first[1..2]);
        assert_eq!(page(json!({"status": "RUNNING"})).await.1["totalCount"], json!(0));
        let (first, begin) = page(json!({"first": 3})).await;
        assert_eq!((first.as_slice(), &begin["pageInfo"]["hasNextPage"]), (&newest_first[..3], &json!(true)));
        let (rest, end) = page(json!({"first": 3, "after": begin["pageInfo"]["endCursor"]})).await;
        assert_eq!((rest.as_slice(), &end["pageInfo"]["hasNextPage"]), (&newest_first[3..], &json!(false)));
        let (last, end) = page(json!({"last": 1})).await;
        assert_eq!((last.as_slice(), &end["pageInfo"]["hasPreviousPage"]), (&newest_first[3..], &json!(true)));
        assert_eq!(page(json!({"last": 2, "before": end["pageInfo"]["startCursor"]})).await.0, newest_first[1..3]);
        let foreign = jobs_of(&app, &ada, json!({"status": "QUEUED", "after": begin["pageInfo"]["endCursor"]})).await;
        assert_eq!(foreign.code(), Some("ERR-3003"));
        assert_eq!(jobs_of(&app, &bob, json!({})).await.field()["jobs"]["totalCount"], json!(0));
    }

    async fn nobody_sees_or_touches_another_s_jobs(app: TestApp) {
        load(&app).await;
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let root = administrator(&app).await;
        let waiting = queued(&app, &ada, &shocks(1), json!({})).await;
        let (id, file) = (&waiting["id"], &waiting["file"]["id"]);
        let own = (node(&app, &ada, id).await["id"].clone(), node(&app, &ada, file).await["id"].clone());
        assert_eq!(own, (id.clone(), file.clone()));
        for person in [&bob, &root] {
            assert_eq!((node(&app, person, id).await, node(&app, person, file).await), (Value::Null, Value::Null));
            for answer in [cancel(&app, person, id).await, undo(&app, person, id).await, delete(&app, person, file).await] {
                assert_eq!(problems(&answer), &json!([problem("ERR-3001", &["id"])]), "{:#}", answer.body);
            }
        }
        let query = "query($id: ID!) { node(id: $id) { ... on User { id jobs { totalCount } } } }";
        let seen = ask(&app, &root, query, json!({"id": ada.id})).await.field().clone();
        assert_eq!(seen, json!({"id": ada.id, "jobs": null}));
        let job = stored(&app, id).await;
        assert_eq!((job.status, job.cancelled, kept(&app).len()), (JobStatus::Queued, false, 1));
    }

    async fn a_user_has_five_jobs_under_way_and_no_more(app: TestApp) {
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let mut jobs = Vec::new();
        for quantity in 1..=5 {
            jobs.push(queued(&app, &ada, &shocks(quantity), json!({})).await["id"].clone());
        }
        let refused = upload(&app, &ada, "cards.csv", shocks(6).as_bytes(), json!({})).await;
        assert_eq!((refused.status, refused.code()), (429, Some("ERR-4001")), "{:#}", refused.body);
        assert_eq!(refused.headers["retry-after"], "10");
        let left = (kept(&app).len(), app.rows("uploads").await, app.rows("jobs").await);
        assert_eq!(left, (5, 5, 5), "nothing of it is left");
        // The same file again is no more, another's is another's, and who stops one may send one.
        assert_eq!(queued(&app, &ada, &shocks(3), json!({})).await["id"], jobs[2]);
        queued(&app, &bob, &shocks(1), json!({})).await;
        cancel(&app, &ada, &jobs[0]).await.field();
        queued(&app, &ada, &shocks(6), json!({})).await;
        assert_eq!(app.rows("jobs").await, 7);
    }

    async fn who_watches_a_job_hears_of_it_until_it_ends(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let content = format!("{}1,Zyzzyx,,\n0,Shock,m11,156\n", shocks(2));
        let id = queued(&app, &ada, &content, json!({})).await["id"].clone();
        let mut socket = watching(&app, &ada, &id).await;
        let first = state(&mut socket).await.expect("a state");
        assert_eq!(first, json!({
            "id": id, "status": "QUEUED", "progress": {"processed": 0, "total": 3, "percent": 0.0}, "error": null,
            "rowsImported": 0, "rowsRejected": 0,
        }));
        app.work();
        let mut states = vec![first];
        while let Some(next) = state(&mut socket).await {
            states.push(next);
        }
        let order = ["QUEUED", "RUNNING", "COMPLETED"];
        let place = |state: &Value| order.iter().position(|status| *status == text(&state["status"])).expect("a status");
        assert!(states.is_sorted_by_key(place), "{states:#?}");
        let processed = |state: &Value| state["progress"]["processed"].as_i64().expect("a number");
        assert!(states.is_sorted_by_key(processed), "{states:#?}");
        let done = json!({
            "id": id, "status": "COMPLETED", "progress": {"processed": 3, "total": 3, "percent": 100.0}, "error": null,
            "rowsImported": 1, "rowsRejected": 2,
        });
        assert_eq!(states.iter().filter(|state| state["status"] == json!("COMPLETED")).collect::<Vec<_>>(), [&done]);
        // Of one that has ended there is one thing to tell.
        let mut socket = watching(&app, &ada, &id).await;
        assert_eq!((state(&mut socket).await, state(&mut socket).await), (Some(done), None));
    }

    async fn who_watches_a_job_hears_that_it_was_stopped(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let id = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        let mut socket = watching(&app, &ada, &id).await;
        assert_eq!(state(&mut socket).await.expect("a state")["status"], json!("QUEUED"));
        cancel(&app, &ada, &id).await.field();
        assert_eq!(state(&mut socket).await.expect("a state")["status"], json!("CANCELLED"));
        assert_eq!(state(&mut socket).await, None);
    }

    async fn nobody_watches_another_s_job(app: TestApp) {
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let job = queued(&app, &ada, &shocks(1), json!({})).await;
        for (person, id) in [(&bob, &job["id"]), (&ada, &json!(nobodys("CollectionImport"))), (&ada, &job["file"]["id"])] {
            let mut socket = watching(&app, person, id).await;
            let message = socket.hear().await;
            assert!(message.to_string().contains("ERR-3001"), "{message:#}");
            assert_eq!(message["payload"]["data"], Value::Null, "{message:#}");
            if message["type"] == json!("next") {
                assert_eq!(socket.hear().await["type"], json!("complete"));
            }
        }
    }

    async fn a_small_file_goes_before_a_large_one(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let large = format!("{}{}", shocks(1), "1,Shock,m11,156\n".repeat(1_000));
        let large = queued(&app, &ada, &large, json!({})).await["id"].clone();
        let small = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        let next = queued(&app, &ada, &shocks(2), json!({})).await["id"].clone();
        let worker = Uuid::new_v4();
        for id in [small, next, large] {
            assert_eq!(claimed(&app, worker).await.expect("a job").job.id, uuid_of(&id));
        }
        assert!(claimed(&app, worker).await.is_none());
    }

    async fn a_job_whose_worker_is_gone_is_another_s_when_its_lease_has_run_out(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let id = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        let (one, other) = (Uuid::new_v4(), Uuid::new_v4());
        let first = claimed(&app, one).await.expect("a job");
        assert_eq!((first.job.id, first.job.attempts, first.job.status), (uuid_of(&id), 1, JobStatus::Running));
        assert!(claimed(&app, other).await.is_none(), "it is held");
        app.clock.advance(TimeDelta::seconds(20));
        assert_eq!(standing(&app, &first).await, Standing::Held);
        app.clock.advance(TimeDelta::seconds(20));
        assert!(claimed(&app, other).await.is_none(), "its lease was renewed");
        app.clock.advance(TimeDelta::seconds(11));
        let second = claimed(&app, other).await.expect("the job");
        assert_eq!((second.job.id, second.job.attempts), (uuid_of(&id), 2));
        assert_eq!(second.job.started_at, first.job.started_at, "it was begun when it was begun for the first time");
        // The first one comes back, and is too late for everything.
        assert_eq!(standing(&app, &first).await, Standing::Lost);
        assert!(!finished(&app, &first).await);
        given_back(&app, &first).await;
        failed(&app, &first, true).await;
        failed(&app, &first, false).await;
        let job = stored(&app, &id).await;
        assert_eq!((job.status, job.attempts, job.lease_by), (JobStatus::Running, 2, Some(other)));
        assert_eq!(app.rows("dead_letters").await, 0);
        assert_eq!(standing(&app, &second).await, Standing::Held);
        assert!(finished(&app, &second).await);
        assert!(!finished(&app, &second).await, "once");
        let job = stored(&app, &id).await;
        assert_eq!((job.status, job.lease_by, job.lease_until), (JobStatus::Completed, None, None));
    }

    async fn a_worker_that_has_a_job_a_second_time_is_not_the_first_one(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        queued(&app, &ada, &shocks(1), json!({})).await;
        let worker = Uuid::new_v4();
        let first = claimed(&app, worker).await.expect("a job");
        app.clock.advance(TimeDelta::seconds(31));
        let second = claimed(&app, worker).await.expect("the job");
        assert_eq!((standing(&app, &first).await, standing(&app, &second).await), (Standing::Lost, Standing::Held));
        assert_eq!((finished(&app, &first).await, finished(&app, &second).await), (false, true));
    }

    async fn what_failed_waits_for_its_time(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let id = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        let before = app.app.outside().now();
        let first = claimed(&app, Uuid::new_v4()).await.expect("a job");
        failed(&app, &first, true).await;
        let job = stored(&app, &id).await;
        assert_eq!((job.status, job.attempts, job.lease_by, job.finished_at), (JobStatus::Queued, 1, None, None));
        assert!(job.run_at >= before + TimeDelta::seconds(1), "{job:?}");
        let mut sql = Sql::new(app.bulk.write());
        sql.push("update jobs set run_at = ").bind(app.app.outside().now() + TimeDelta::hours(1));
        sql.run(app.bulk.write()).await.expect("put off");
        assert!(claimed(&app, Uuid::new_v4()).await.is_none(), "its time has not come");
        app.clock.advance(TimeDelta::minutes(61));
        assert_eq!(claimed(&app, Uuid::new_v4()).await.expect("the job").job.attempts, 2);
    }

    async fn a_job_that_is_handed_back_has_not_been_tried(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let id = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        for _ in 0..7 {
            let claim = claimed(&app, Uuid::new_v4()).await.expect("the job");
            assert_eq!(claim.job.attempts, 1);
            given_back(&app, &claim).await;
            let job = stored(&app, &id).await;
            assert_eq!((job.status, job.attempts, job.lease_by, job.finished_at), (JobStatus::Queued, 0, None, None));
        }
    }

    async fn a_kind_that_this_version_does_not_do_is_left_to_servers_that_do(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let id = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        for kind in 1..=5 {
            for state in ["status = 0", "status = 1, attempts = 1, lease_until = run_at", "attempts = 3"] {
                app.execute(&format!("update jobs set kind = {kind}, {state}")).await;
                let before = stored(&app, &id).await;
                assert!(claimed(&app, Uuid::new_v4()).await.is_none(), "{kind}: {state}");
                assert_eq!(stored(&app, &id).await, before);
            }
        }
        app.execute("update jobs set kind = 0").await;
        assert_eq!(claimed(&app, Uuid::new_v4()).await.expect("the job").job.attempts, 4);
    }

    async fn a_job_whose_worker_ended_twice_is_taken_only_by_who_is_alone(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        queued(&app, &ada, &shocks(1), json!({})).await;
        let taken = async |which| {
            let claim = claim_job(app.bulk.write(), Uuid::new_v4(), which, app.app.outside()).await;
            claim.expect("an answer").map(|claim| claim.job.attempts)
        };
        assert_eq!((taken(Which::Suspect).await, taken(Which::Quick).await), (None, Some(1)));
        app.clock.advance(TimeDelta::seconds(31));
        assert_eq!((taken(Which::Suspect).await, taken(Which::Any).await), (None, Some(2)), "once may be by chance");
        app.clock.advance(TimeDelta::seconds(31));
        for which in [Which::Quick, Which::Any] {
            assert_eq!(taken(which).await, None, "{which:?}");
        }
        assert_eq!(taken(Which::Suspect).await, Some(3));
    }

    async fn a_job_that_ends_its_worker_each_time_is_dead_after_five_tries(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let id = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        for attempt in 1..=5 {
            let claim = claimed(&app, Uuid::new_v4()).await.expect("the job");
            assert_eq!(claim.job.attempts, attempt);
            app.clock.advance(TimeDelta::seconds(31));
        }
        assert!(claimed(&app, Uuid::new_v4()).await.is_none(), "there is no sixth");
        let job = stored(&app, &id).await;
        assert_eq!((job.status, job.error_code.as_deref(), app.rows("dead_letters").await), (JobStatus::Failed, Some("ERR-5000"), 1));
        let told = app.number("select cast(attempts as bigint) as n from dead_letters").await;
        assert_eq!((told, job.attempts), (5, 5), "what only looked is none");
        app.clock.advance(TimeDelta::seconds(31));
        assert!(claimed(&app, Uuid::new_v4()).await.is_none());
    }

    async fn a_job_whose_file_is_gone_fails_for_good_after_five_attempts(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let job = queued(&app, &ada, &shocks(1), json!({})).await;
        let id = &job["id"];
        std::fs::remove_file(folder(&app).join(uuid_of(&job["file"]["id"]).to_string())).expect("removed");
        app.work();
        for attempt in 1..=5 {
            until("the next attempt's end", async || {
                let job = stored(&app, id).await;
                job.attempts >= attempt && job.status != JobStatus::Running
            }).await;
            app.clock.advance(TimeDelta::minutes(1));
        }
        let job = ended(&app, &ada, id).await;
        assert_eq!((&job["status"], stored(&app, id).await.attempts), (&json!("FAILED"), 5));
        let told = json!({"code": "INTERNAL", "errorCode": "ERR-5000", "message": "Something went wrong on our side."});
        assert_eq!(job["error"], told, "what went wrong is not the user's to know");
        let root = administrator(&app).await;
        let answer = letters(&app, &root, json!({})).await;
        let letter = &answer.field()["nodes"][0];
        assert_eq!((&letter["jobId"], &letter["kind"], &letter["attempts"]), (id, &json!("COLLECTION_IMPORT"), &json!(5)));
        assert_eq!((&letter["error"], &letter["errorCode"]), (&json!("an import's file is not there"), &json!("ERR-5000")));
        assert_eq!((&letter["payload"]["mode"], &letter["payload"]["platform"]), (&json!("MERGE"), &json!("GENERIC")));
        assert_eq!(answer.field()["totalCount"], json!(1));
    }

    async fn a_replacement_whose_worker_is_gone_half_way_is_done_once_by_the_next(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let there = added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 3}, {"cardId": LOTUS.id()}])).await;
        let content = format!("{}1,Zyzzyx,,\n1,Shock,m11,156\n", shocks(2));
        let id = queued(&app, &ada, &content, json!({"mode": "REPLACE"})).await["id"].clone();
        let first = claimed(&app, Uuid::new_v4()).await.expect("a job");
        // What it told of lines before it went is told anew.
        let bulk = Bulk::begin(app.bulk.write()).await.expect("a transaction");
        let stale = ReportRow {
            line: 2,
            outcome: RowOutcome::Rejected,
            code: Some(Code::RowMalformed),
            message: Some("stale".to_owned()),
            cells: vec!["stale".to_owned()],
        };
        write_report(&bulk, first.job.id, &[stale]).await.expect("written");
        bulk.commit().await.expect("kept");
        assert_eq!((held(&app, &ada).await, app.rows("rejected_rows").await), (there, 1), "nothing has changed yet");
        app.clock.advance(TimeDelta::seconds(31));
        app.work();
        let job = ended(&app, &ada, &id).await;
        assert_eq!((&job["status"], &job["rowsImported"], &job["rowsRejected"]), (&json!("COMPLETED"), &json!(2), &json!(1)));
        assert_eq!((stored(&app, &id).await.attempts, app.rows("rejected_rows").await), (2, 1));
        let outcomes: Vec<_> = report(&app, &job).await.iter().skip(1).map(|row| row[5].clone()).collect();
        assert_eq!(outcomes, ["imported", "rejected", "merged"]);
        assert_eq!((&job["rejectedRows"]["totalCount"], &job["rejectedRows"]["nodes"][0]["line"]), (&json!(1), &json!(3)));
        let items = held(&app, &ada).await;
        assert_eq!((items.len(), &items[0]["card"]["name"], &items[0]["quantity"]), (1, &json!("Shock"), &json!(3)));
        // And can be taken back as if nothing had been.
        undo(&app, &ada, &id).await.field();
        assert_eq!(held(&app, &ada).await.len(), 2);
    }
}
