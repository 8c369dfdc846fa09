//! What the clock queues: each moment once, by however many servers and however the clock is set, and one run at a time.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use dualcaster::config::{Environment, Settings};
use dualcaster::db::Sql;
use dualcaster::domain::jobs::{Claim, NewJob, Run, Which, claim_job, queue_run};
use dualcaster::jobs::{Jobs, Queued};
use entity::enums::{JobKind, JobStatus};
use entity::job;
use futures_util::future::join_all;
use serde_json::json;
use uuid::Uuid;

use super::files::lay;
use super::{PATIENCE, cancel, claimed, finished, kept, on_each_store_with, queued, shocks, stored, until};
use crate::harness::{Content, Store, TestApp, TestDatabase, on_both_stores, runtime};
use crate::security::sign_up;

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

/// Sets the clock of a server, which goes on from there.
fn set(app: &TestApp, text: &str) {
    app.clock.advance(moment(text) - app.clock.now());
}

fn jobs(app: &TestApp) -> &Jobs {
    app.app.jobs().expect("jobs")
}

/// What a server knows to be queued that has looked at the clock for the first time.
async fn looked(app: &TestApp) -> Queued {
    let mut known = Queued::new();
    jobs(app).queue_due(&mut known).await;
    known
}

/// All runs that there are, in the order of their moments.
async fn runs(app: &TestApp) -> Vec<job::Model> {
    let connection = app.bulk.write();
    let mut sql = Sql::new(connection);
    sql.push("select * from jobs where schedule is not null order by scheduled_for, created_at");
    sql.all(connection).await.expect("runs")
}

/// The moments of all runs, in their order.
async fn moments(app: &TestApp) -> Vec<String> {
    let of = |run: &job::Model| {
        let moment = run.scheduled_for.expect("a moment");
        moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)
    };
    runs(app).await.iter().map(of).collect()
}

/// A run to be.
fn new_run() -> NewJob {
    NewJob {
        id: Uuid::new_v4(),
        kind: JobKind::Maintenance,
        user: None,
        upload: None,
        priority: 1,
        payload: json!({}),
        total: None,
        trace_id: None,
    }
}

/// What eight workers get that claim at once.
async fn claimed_at_once(app: &TestApp) -> Vec<Claim> {
    let claims = (0..8).map(|_| {
        let app = app.app.clone();
        tokio::spawn(async move {
            let claim = claim_job(app.databases().write(), Uuid::new_v4(), Which::Any, app.outside()).await;
            claim.expect("an answer")
        })
    });
    join_all(claims).await.into_iter().filter_map(|claim| claim.expect("a worker")).collect()
}

/// How many runs were skipped, by all servers of this process.
async fn skipped(app: &TestApp) -> u64 {
    let answer = app.client.get(format!("{}/metrics", app.base)).send().await.expect("an answer");
    let metrics = answer.text().await.expect("text");
    let is_it = |line: &&str| {
        line.starts_with("dualcaster_scheduled_runs_skipped_total{")
            && line.contains("schedule=\"maintenance\"")
    };
    let line = metrics.lines().find(is_it);
    line.and_then(|line| line.rsplit_once(' ')).map_or(0, |(_, value)| value.parse().expect("a count"))
}

#[test]
fn a_moment_is_queued_once_by_however_many_servers() {
    for store in [Store::Postgres, Store::Sqlite] {
        runtime().block_on(async {
            let database = TestDatabase::new(store, Content::Tables).await;
            let here = TestApp::start(&database).await;
            let there = TestApp::start_at(&database, database.settings(), here.clock.clone()).await;
            set(&here, "2026-03-01T10:40:00Z");
            let known = Queued::from([("maintenance", moment("2026-03-01T10:17:00Z"))]);
            for at_once in 0..3 {
                let looks = (0..20).map(|n| looked(if n % 2 == 0 { &here } else { &there }));
                for one in join_all(looks).await {
                    assert_eq!(one, known, "{store:?}: every server knows that it is queued");
                }
                let all = runs(&here).await;
                assert_eq!((all.len(), here.rows("jobs").await), (1, 1), "{store:?} {at_once}: {all:#?}");
                let run = &all[0];
                let told = (run.kind, run.status, run.schedule.as_deref(), run.scheduled_for, run.user_id);
                let due = Some(moment("2026-03-01T10:17:00Z"));
                assert_eq!(told, (JobKind::Maintenance, JobStatus::Queued, Some("maintenance"), due, None));
                // Up to 11:16 it is the same moment.
                here.clock.advance(TimeDelta::minutes(12));
            }
            here.stop().await;
            there.stop().await;
            database.remove().await;
        });
    }
}

on_both_stores! { Tables:
    async fn a_run_is_skipped_where_the_one_before_has_not_ended(app: TestApp) {
        set(&app, "2026-03-01T10:40:00Z");
        looked(&app).await;
        let before = skipped(&app).await;
        // One that waits, and one that is under way.
        app.clock.advance(TimeDelta::hours(1));
        looked(&app).await;
        let claim = claimed(&app, Uuid::new_v4()).await.expect("the first run");
        app.clock.advance(TimeDelta::hours(1));
        looked(&app).await;
        let all = runs(&app).await;
        let states: Vec<_> = all.iter().map(|run| (run.status, run.attempts)).collect();
        assert_eq!(states, [(JobStatus::Running, 1), (JobStatus::Cancelled, 0), (JobStatus::Cancelled, 0)]);
        assert_eq!(moments(&app).await, ["10:17", "11:17", "12:17"].map(|at| format!("2026-03-01T{at}:00Z")));
        for run in &all[1..] {
            let error = run.error.as_deref().expect("a reason");
            assert!(error.contains("was skipped"), "{error}");
            assert_eq!((run.cancelled, run.finished_at.is_some(), run.started_at), (true, true, None));
        }
        let after = skipped(&app).await;
        assert!(after >= before + 2, "{before} before, {after} after");
        // Once that run has ended, the next one is done as ever.
        assert!(finished(&app, &claim).await);
        app.clock.advance(TimeDelta::hours(1));
        looked(&app).await;
        let next = claimed(&app, Uuid::new_v4()).await.expect("the next run");
        assert_eq!(next.job.scheduled_for, Some(moment("2026-03-01T13:17:00Z")));
        assert!(claimed(&app, Uuid::new_v4()).await.is_none(), "what was skipped is not done");
    }

    async fn a_clock_that_is_set_queues_no_moment_twice_and_makes_up_for_none(app: TestApp) {
        set(&app, "2026-03-01T10:40:00Z");
        let mut known = Queued::new();
        let steps: [(i64, &[&str]); 7] = [
            (0, &["10:17"]),
            (-2, &["08:17", "10:17"]),
            (1, &["08:17", "09:17", "10:17"]),
            (1, &["08:17", "09:17", "10:17"]),
            (5, &["08:17", "09:17", "10:17", "15:17"]),
            (-1, &["08:17", "09:17", "10:17", "14:17", "15:17"]),
            (1, &["08:17", "09:17", "10:17", "14:17", "15:17"]),
        ];
        for (step, (hours, expected)) in steps.into_iter().enumerate() {
            app.clock.advance(TimeDelta::hours(hours));
            for _ in 0..3 {
                jobs(&app).queue_due(&mut known).await;
                // And as after a start.
                looked(&app).await;
            }
            let expected: Vec<String> = expected.iter().map(|at| format!("2026-03-01T{at}:00Z")).collect();
            assert_eq!(moments(&app).await, expected, "step {step}");
            app.execute("update jobs set status = 2, finished_at = created_at where status = 0").await;
        }
        assert!(runs(&app).await.iter().all(|run| run.status == JobStatus::Completed), "none was skipped");
    }

    async fn a_worker_takes_away_what_is_too_old(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let stopped = queued(&app, &ada, &shocks(1), json!({})).await["id"].clone();
        cancel(&app, &ada, &stopped).await.field();
        app.clock.advance(TimeDelta::days(100));
        lay(&app, &Uuid::new_v4().to_string(), TimeDelta::minutes(61));
        assert_eq!((kept(&app).len(), app.rows("sessions").await, app.rows("jobs").await), (2, 1, 1));
        looked(&app).await;
        assert_eq!(app.rows("jobs").await, 2);
        app.work();
        until("the run's end", async || runs(&app).await[0].finished_at.is_some()).await;
        let all = runs(&app).await;
        let run = &all[0];
        assert_eq!((run.status, run.attempts, run.error.as_deref()), (JobStatus::Completed, 1, None));
        assert_eq!((kept(&app).len(), app.rows("sessions").await), (0, 0));
        assert_eq!((app.rows("jobs").await, app.rows("users").await), (1, 1), "the run is left, and the account");
        assert_eq!(run.result, Some(json!({"rows": run.processed})));
        assert!(run.processed >= 4, "a session, a job and two files: {}", run.processed);
    }

    async fn one_run_is_under_way_at_a_time_and_nothing_else_waits_for_it(app: TestApp) {
        let connection = app.bulk.write();
        for round in 0..20 {
            let now = app.clock.now();
            let at = moment("2026-03-01T10:17:00Z") + TimeDelta::hours(round);
            for schedule in ["maintenance", "another"] {
                let run = queue_run(connection, schedule, at, &new_run(), now).await.expect("an answer");
                assert_eq!(run, Run::Queued, "{schedule} {round}");
            }
            let mut done = Vec::new();
            for _ in 0..2 {
                let claims = claimed_at_once(&app).await;
                assert_eq!(claims.len(), 1, "round {round}: {claims:#?}");
                let others = claimed_at_once(&app).await;
                assert!(others.is_empty(), "round {round}: {others:#?}");
                assert!(finished(&app, &claims[0]).await);
                done.extend(claims.into_iter().filter_map(|claim| claim.job.schedule));
            }
            done.sort();
            assert_eq!(done, ["another", "maintenance"], "round {round}");
            assert!(claimed_at_once(&app).await.is_empty());
        }
        for schedule in ["maintenance", "another"] {
            let (at, now) = (moment("2026-03-09T10:17:00Z"), app.clock.now());
            queue_run(connection, schedule, at, &new_run(), now).await.expect("an answer");
        }
        let ada = sign_up(&app, "ada@example.com").await;
        let mut imports = Vec::new();
        for quantity in 1..=2 {
            imports.push(queued(&app, &ada, &shocks(quantity), json!({})).await["id"].clone());
        }
        // Who is not quick enough to have a run has looked in vain, and looks again.
        let mut claims = Vec::new();
        for _ in 0..3 {
            claims.extend(claimed_at_once(&app).await);
        }
        let count = |kind: JobKind| claims.iter().filter(|claim| claim.job.kind == kind).count();
        assert_eq!((count(JobKind::CollectionImport), count(JobKind::Maintenance), claims.len()), (2, 1, 3));
        for id in &imports {
            assert_eq!(stored(&app, id).await.status, JobStatus::Running);
        }
    }
}

#[test]
fn a_server_that_does_no_jobs_queues_none() {
    on_each_store_with(
        |settings| settings.jobs.workers = 0,
        async |app: &TestApp| {
            let kept = tokio::time::timeout(PATIENCE, jobs(app).keep_schedules()).await;
            assert_eq!((kept, app.rows("jobs").await), (Ok(()), 0), "it has nothing to keep");
        },
    );
    on_each_store_with(
        |settings| settings.jobs.workers = 1,
        async |app: &TestApp| {
            let jobs = jobs(app).clone();
            let keeping = tokio::spawn(async move { jobs.keep_schedules().await });
            until("a run", async || app.rows("jobs").await == 1).await;
            assert!(!keeping.is_finished(), "it goes on");
            keeping.abort();
        },
    );
}

/// What is told of an environment with this schedule, line by line.
fn mistakes(schedule: &str, more: &[(&str, &str)]) -> Vec<String> {
    let mut variables = vec![("DUALCASTER_MAINTENANCE_SCHEDULE", schedule)];
    variables.extend(more);
    let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    match Settings::read(&mut Environment::new(variables)) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.to_string().lines().map(str::to_owned).collect(),
    }
}

#[test]
fn a_schedule_that_can_t_be_read_is_told_with_all_other_mistakes() {
    for schedule in ["every hour", "61 * * * *", "* * * *", "17 * * * someday"] {
        let told = mistakes(schedule, &[("DUALCASTER_JOB_WORKERS", "many")]);
        let begins = format!("DUALCASTER_MAINTENANCE_SCHEDULE: {schedule:?} must be the five fields of cron");
        assert!(told.len() == 2 && told.iter().any(|line| line.starts_with(&begins)), "{told:#?}");
        assert!(told.iter().any(|line| line.starts_with("DUALCASTER_JOB_WORKERS: ")), "{told:#?}");
    }
    for schedule in ["17 * * * *", "*/30 2-4 1,15 * *", "0 3 * * MON"] {
        assert_eq!(mistakes(schedule, &[]), Vec::<String>::new(), "{schedule}");
    }
}

#[test]
fn a_schedule_has_the_five_fields_of_cron_and_no_more() {
    // The last is the thirtieth of February.
    for schedule in ["*/5 17 * * * *", "0 17 * * * * 2030", "0 0 30 2 *"] {
        assert_eq!(mistakes(schedule, &[]).len(), 1, "{schedule}");
    }
}
