//! A mutation that was let in just before its caller was shut out makes nothing after that. On Postgres: on SQLite there is one
//! lock for all that writes, so that nothing can come between.

use dualcaster::domain::accounts::create_link_code;
use dualcaster::outside::Outside;
use sea_orm::ConnectionTrait;

use super::hang_ups::until;
use super::{Person, mutate, sign_up};
use crate::harness::{Answered, Content, Store, TestApp, TestDatabase, runtime};

const CREATE: &str = "createApiToken(input: {name: \"x\"}) { token userErrors { errorCode } }";

/// How many wait for a lock.
pub async fn waiting(app: &TestApp) -> i64 {
    let waiting = "select count(*) as n from pg_stat_activity \
         where datname = current_database() and wait_event_type = 'Lock'";
    app.number(waiting).await
}

/// Sends a mutation that is not waited for.
pub fn sent(app: &TestApp, person: &Person, mutation: &str) -> tokio::task::JoinHandle<Answered> {
    let (app, person, mutation) = (app.clone(), person.clone(), mutation.to_owned());
    tokio::spawn(async move { mutate(&app, &person, &mutation).await })
}

fn on_postgres(test: impl AsyncFn(&TestApp)) {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Postgres, Content::Tables).await;
        let app = TestApp::start(&database).await;
        test(&app).await;
        app.stop().await;
        database.remove().await;
    });
}

#[test]
fn what_was_let_in_before_a_reset_makes_nothing_after_it() {
    on_postgres(async |app| {
        let link = create_link_code(app.bulk.write(), "77", &Outside::system()).await.expect("a code").0;
        let link =
            format!("linkDiscordAccount(input: {{code: \"{link}\"}}) {{ userErrors {{ errorCode }} }}");
        for (email, mutation) in [("ada@example.com", CREATE), ("bob@example.com", link.as_str())] {
            let intruder = sign_up(app, email).await;
            // What a reset does, before it commits.
            let reset = app.bulk.write().begin().await.expect("a transaction");
            for statement in [
                "update users set epoch = epoch + 1",
                "delete from api_tokens",
                "update sessions set ended_at = created_at",
            ] {
                reset.execute_unprepared(statement).await.expect(statement);
            }
            let asking = sent(app, &intruder, mutation);
            until("it waits or is done", async || asking.is_finished() || waiting(app).await == 1).await;
            reset.commit().await.expect("reset");
            assert_eq!(asking.await.expect("an answer").code(), Some("ERR-2003"), "{mutation}");
        }
        assert_eq!(app.rows("api_tokens").await, 0, "no token survives");
        assert_eq!(app.number("select count(*) as n from users where discord_id is not null").await, 0);
    });
}

#[test]
fn of_two_that_make_the_fiftieth_token_at_once_one_does() {
    on_postgres(async |app| {
        let ada = sign_up(app, "ada@example.com").await;
        app.execute(
            "insert into api_tokens (id, user_id, hash, name, read_only, created_at) \
             select gen_random_uuid(), users.id, sha256(n::text::bytea), 'x', true, now() \
             from users, generate_series(1, 49) n",
        )
        .await;
        let held = app.bulk.write().begin().await.expect("a transaction");
        held.execute_unprepared("lock table api_tokens in exclusive mode").await.expect("a lock");
        let both = [sent(app, &ada, CREATE), sent(app, &ada, CREATE)];
        until("both wait", async || waiting(app).await == 2).await;
        held.rollback().await.expect("released");
        let mut codes = Vec::new();
        for asking in both {
            codes.push(asking.await.expect("an answer").code().map(str::to_owned));
        }
        codes.sort();
        assert_eq!(codes, [None, Some("ERR-3004".to_owned())]);
        assert_eq!(app.rows("api_tokens").await, 50);
    });
}
