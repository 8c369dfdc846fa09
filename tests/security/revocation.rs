//! What is taken back is taken back at once, on every server, and stays so.

use serde_json::json;

use super::{
    PASSWORD, Person, come_of_age, mutate, on_each_database, refresh, sign_in, sign_up, token_mailed_to,
    whoami,
};
use crate::harness::{Content, Store, TestApp, TestDatabase, everywhere, runtime};
use crate::sockets::Socket;

async fn is_signed_in(app: &TestApp, person: &Person) -> bool {
    match whoami(app, &person.access).await {
        Ok(email) => {
            assert_eq!(email.as_deref(), Some(person.email.as_str()));
            true
        }
        Err(code) => {
            assert_eq!(code, "ERR-2003");
            assert_eq!(refresh(app, &person.refresh).await.code(), Some("ERR-2003"), "nor by refreshing");
            false
        }
    }
}

everywhere! { Tables:
    async fn who_is_signed_in_costs_no_statement(app: TestApp) {
        come_of_age(&[&app]).await;
        let (gone, stays) = (sign_up(&app, "ada@example.com").await, sign_in(&app, "ada@example.com").await);
        mutate(&app, &gone, "logout { success }").await.field();
        let before = app.statements();
        let answer = app.ask_as(Some(&stays.access), "{ __typename }", json!(null)).await;
        assert_eq!(answer.code(), None);
        assert_eq!(app.ask_as(Some(&gone.access), "{ __typename }", json!(null)).await.code(), Some("ERR-2003"));
        assert_eq!(app.statements(), before);
    }

    async fn an_epoch_ends_what_came_before_it_by_the_notes_alone(app: TestApp) {
        come_of_age(&[&app]).await;
        let (one, two) = (sign_up(&app, "ada@example.com").await, sign_in(&app, "ada@example.com").await);
        mutate(&app, &two, "revokeAllSessions(input: {keepCurrent: true}) { revokedCount }").await.field();
        let before = app.statements();
        assert_eq!(app.ask_as(Some(&two.access), "{ __typename }", json!(null)).await.code(), None);
        assert_eq!(app.statements(), before, "there is no doubt any more");
        // Behind the server's back the database forgets it: what is noted holds all the same.
        app.execute("update sessions set ended_at = null").await;
        assert_eq!(whoami(&app, &one.access).await, Err("ERR-2003".to_owned()));
        assert_eq!(whoami(&app, &two.access).await, Ok(Some("ada@example.com".to_owned())));
    }

    async fn logout_ends_the_session_it_is_asked_in(app: TestApp) {
        let (one, other) = (sign_up(&app, "ada@example.com").await, sign_in(&app, "ada@example.com").await);
        let answer = mutate(&app, &one, "logout { success userErrors { code } }").await;
        assert_eq!(answer.field(), &json!({"success": true, "userErrors": []}));
        assert!(!is_signed_in(&app, &one).await);
        assert!(is_signed_in(&app, &other).await);
    }

    async fn a_session_is_ended_from_another_and_by_nobody_else(app: TestApp) {
        let (one, other) = (sign_up(&app, "ada@example.com").await, sign_in(&app, "ada@example.com").await);
        let bob = sign_up(&app, "bob@example.com").await;
        let revoke = |session: &str| {
            format!("revokeSession(input: {{sessionId: \"{session}\"}}) {{ revokedSessionId userErrors {{ errorCode path }} }}")
        };
        let not_found = json!({
            "revokedSessionId": null, "userErrors": [{"errorCode": "ERR-3001", "path": ["sessionId"]}]
        });
        assert_eq!(mutate(&app, &bob, &revoke(&one.session)).await.body["data"]["revokeSession"], not_found);
        assert!(is_signed_in(&app, &one).await, "another's is as if it were not there");
        let answer = mutate(&app, &other, &revoke(&one.session)).await;
        assert_eq!(answer.field()["revokedSessionId"], json!(one.session));
        assert!(!is_signed_in(&app, &one).await);
        let again = mutate(&app, &other, &revoke(&one.session)).await;
        assert_eq!(again.body["data"]["revokeSession"], not_found);
        let nobody = app.ask_as(None, &format!("mutation {{ {} }}", revoke(&other.session)), json!(null)).await;
        assert_eq!(nobody.code(), Some("ERR-2001"));
        assert!(is_signed_in(&app, &other).await);
    }

    async fn all_sessions_end_or_all_but_this_one(app: TestApp) {
        let one = sign_up(&app, "ada@example.com").await;
        let two = sign_in(&app, "ada@example.com").await;
        let three = sign_in(&app, "ada@example.com").await;
        let bob = sign_up(&app, "bob@example.com").await;
        let all = |keep: bool| format!("revokeAllSessions(input: {{keepCurrent: {keep}}}) {{ revokedCount }}");
        assert_eq!(mutate(&app, &two, &all(true)).await.field()["revokedCount"], 2);
        assert!(is_signed_in(&app, &two).await);
        assert!(!is_signed_in(&app, &one).await && !is_signed_in(&app, &three).await);
        let four = sign_in(&app, "ada@example.com").await;
        assert!(is_signed_in(&app, &four).await, "signed in since");
        assert_eq!(mutate(&app, &two, &all(false)).await.field()["revokedCount"], 2);
        assert!(!is_signed_in(&app, &two).await && !is_signed_in(&app, &four).await);
        assert!(is_signed_in(&app, &bob).await);
    }

    async fn a_new_password_ends_the_other_sessions_and_a_reset_ends_all(app: TestApp) {
        let (one, two) = (sign_up(&app, "ada@example.com").await, sign_in(&app, "ada@example.com").await);
        let change = json!({"currentPassword": PASSWORD, "newPassword": "eleven owls debate philosophy"});
        let query = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) \
             { revokedCount user { email } userErrors { errorCode } } }";
        let answer = app.ask_as(Some(&one.access), query, json!({"input": change})).await;
        assert_eq!(answer.field()["revokedCount"], 1);
        assert!(is_signed_in(&app, &one).await && !is_signed_in(&app, &two).await);
        let asked = "mutation { requestPasswordReset(input: {email: \"ada@example.com\"}) { success } }";
        assert_eq!(app.ask_as(None, asked, json!(null)).await.field()["success"], true);
        let token = token_mailed_to(&app, "ada@example.com", "reset-password").await;
        let query = "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) \
             { user { id } userErrors { errorCode } } }";
        let input = json!({"token": token, "newPassword": PASSWORD});
        let answer = app.ask_as(None, query, json!({"input": input})).await;
        assert_eq!(answer.field()["user"]["id"], json!(one.id));
        assert!(!is_signed_in(&app, &one).await);
        let again = app.ask_as(None, query, json!({"input": input})).await;
        assert_eq!(again.code(), Some("ERR-3002"), "the link works once");
        sign_in(&app, "ada@example.com").await;
    }
}

/// Two servers over one database; with Redis they share that too.
async fn two_servers(database: &TestDatabase) -> (TestApp, TestApp) {
    (TestApp::start(database).await, TestApp::start(database).await)
}

#[test]
fn what_one_server_takes_back_the_other_refuses_with_redis() {
    for store in [Store::Postgres, Store::Sqlite] {
        runtime().block_on(async {
            let database = TestDatabase::new(store, Content::Tables).await.with_redis();
            let (here, there) = two_servers(&database).await;
            come_of_age(&[&here, &there]).await;
            let mut ada = sign_up(&here, "ada@example.com").await;
            for _ in 0..20 {
                let before = there.statements();
                assert!(is_signed_in(&there, &ada).await);
                mutate(&here, &ada, "logout { success }").await.field();
                assert_eq!(whoami(&there, &ada.access).await, Err("ERR-2003".to_owned()));
                assert_eq!(there.statements() - before, 1, "the database is asked for the viewer alone");
                ada = sign_in(&here, "ada@example.com").await;
            }
            here.stop().await;
            there.stop().await;
            database.remove().await;
        });
    }
}

#[test]
fn what_was_taken_back_stays_so_when_a_server_starts_again_or_redis_is_emptied() {
    on_each_database(Content::Tables, async |database| {
        let before = TestApp::start(database).await;
        come_of_age(&[&before]).await;
        let (gone, stays) =
            (sign_up(&before, "ada@example.com").await, sign_in(&before, "ada@example.com").await);
        let bob = sign_up(&before, "bob@example.com").await;
        mutate(&before, &gone, "logout { success }").await.field();
        let delete = format!("deleteAccount(input: {{password: \"{PASSWORD}\"}}) {{ deletedId }}");
        assert_eq!(mutate(&before, &bob, &delete).await.field()["deletedId"], json!(bob.id));
        before.stop().await;
        database.flush_redis().await;
        let after = TestApp::start_at(database, database.settings(), before.clock.clone()).await;
        for _ in 0..3 {
            for person in [&gone, &bob] {
                let told = whoami(&after, &person.access).await;
                assert_eq!(told, Err("ERR-2003".to_owned()), "{:?}", database.store);
            }
            assert!(is_signed_in(&after, &stays).await);
        }
        after.stop().await;
    });
}

/// Waits until so many servers listen to what is taken back: from then on they hear of it.
async fn listened(database: &TestDatabase, servers: i64) {
    let (url, prefix) = database.redis.as_ref().expect("a Redis");
    let client = redis::Client::open(url.as_str()).expect("a client");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a Redis");
    let mut listening = redis::cmd("PUBSUB");
    listening.arg("NUMSUB").arg(format!("{prefix}revoked:told"));
    loop {
        let told = listening.query_async::<(String, i64)>(&mut connection).await;
        if told.expect("a count").1 >= servers {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_socket_ends_when_its_session_does() {
    on_each_database(Content::Tables, async |database| {
        // Ended on this server, or, where they share Redis, on the other.
        let (here, there) = two_servers(database).await;
        let ada = sign_up(&here, "ada@example.com").await;
        let mut socket = Socket::open(&here).await;
        let payload = json!({"authorization": format!("Bearer {}", ada.access)});
        socket.say(json!({"type": "connection_init", "payload": payload})).await;
        assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
        let mut ending = &here;
        if database.redis.is_some() {
            listened(database, 2).await;
            ending = &there;
        }
        mutate(ending, &ada, "logout { success }").await.field();
        // Sooner than it is looked for again.
        let end = tokio::time::timeout(std::time::Duration::from_secs(5), socket.hear()).await;
        assert_eq!(end.expect("an end in time"), json!(4401), "{:?}", database.store);
        here.stop().await;
        there.stop().await;
    });
}
