//! `Idempotency-Key`: a mutation that is sent again is answered again, and not executed again.

use chrono::TimeDelta;
use dualcaster::engine::QueryHash;
use serde_json::{Value, json};

use super::{PASSWORD, mutate, refresh, sign_up};
use crate::harness::{Answered, TestApp, everywhere};

const CREATE: &str = "mutation($name: String!) { createApiToken(input: {name: $name}) { token apiToken { id } userErrors { errorCode } } }";

async fn create(app: &TestApp, token: Option<&str>, key: &str, name: &str) -> Answered {
    app.ask_with(token, &[("idempotency-key", key)], CREATE, json!({"name": name})).await
}

everywhere! { Tables:
    async fn the_same_request_has_the_same_answer_and_happens_once(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let first = create(&app, Some(&ada.access), "k-1", "one").await;
        let again = create(&app, Some(&ada.access), "k-1", "one").await;
        assert_eq!(again.body, first.body, "with the token that is shown once");
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert!(first.headers.get("idempotency-replayed").is_none());
        assert_eq!(app.rows("api_tokens").await, 1);
        app.clock.advance(TimeDelta::hours(25));
        let ada = super::sign_in(&app, "ada@example.com").await;
        let next_day = create(&app, Some(&ada.access), "k-1", "one").await;
        assert_ne!(next_day.field()["token"], first.field()["token"]);
    }

    async fn the_same_key_with_another_request_is_refused_and_nothing_happens(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        create(&app, Some(&ada.access), "k-1", "one").await.field();
        let other = create(&app, Some(&ada.access), "k-1", "two").await;
        assert_eq!((other.status, other.code()), (422, Some("ERR-3004")));
        assert_eq!(other.body.get("data"), None);
        assert_eq!(app.rows("api_tokens").await, 1);
    }

    async fn a_key_is_its_callers_own(app: TestApp) {
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let adas = create(&app, Some(&ada.access), "k-1", "one").await;
        let bobs = create(&app, Some(&bob.access), "k-1", "one").await;
        assert_ne!(adas.field()["token"], bobs.field()["token"]);
        assert_eq!(create(&app, None, "k-1", "one").await.code(), Some("ERR-2001"));
    }

    async fn a_query_and_its_hash_are_the_same_request(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let send = async |query: Option<&str>| {
            let hash = QueryHash::of(CREATE).to_string();
            let mut body = json!({
                "variables": {"name": "one"}, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}}
            });
            if let Some(query) = query {
                body["query"] = json!(query);
            }
            let request = app.client.post(format!("{}/graphql", app.base)).bearer_auth(&ada.access).json(&body);
            let answer = request.header("idempotency-key", "k-1").send().await.expect("an answer");
            (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
        };
        let first = send(Some(CREATE)).await;
        assert!(first.1["data"]["createApiToken"]["token"].is_string(), "{:#}", first.1);
        assert_eq!(send(None).await, first, "who has lost the answer sends the hash alone");
        assert_eq!(create(&app, Some(&ada.access), "k-1", "one").await.body, first.1, "or the query alone");
        assert_eq!(app.rows("api_tokens").await, 1);
    }

    async fn what_a_session_was_given_another_credential_is_not(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let reads = mutate(&app, &ada, "createApiToken(input: {name: \"x\", readOnly: true}) { token }").await;
        let reads = reads.field()["token"].as_str().expect("a token");
        let made = create(&app, Some(&ada.access), "k-1", "one").await;
        let other = create(&app, Some(reads), "k-1", "one").await;
        assert_eq!((other.status, other.code()), (422, Some("ERR-3004")));
        assert!(!other.body.to_string().contains("dcp_"));
        let refreshed = refresh(&app, &ada.refresh).await.field()["accessToken"].as_str().expect("a token").to_owned();
        assert_eq!(create(&app, Some(&refreshed), "k-1", "one").await.body, made.body, "the same session");
    }

    async fn errors_that_are_answered_again_have_the_id_of_the_request(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let ask = async || {
            let query = "mutation { createApiToken(input: {name: \"x\"}) { token } \
                 createDiscordLinkCode(input: {discordId: \"1\"}) { code } }";
            app.ask_with(Some(&ada.access), &[("idempotency-key", "k-1")], query, json!(null)).await
        };
        let (first, again) = (ask().await, ask().await);
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(again.body["data"], first.body["data"]);
        let id = |answer: &Answered| answer.body["errors"][0]["extensions"]["requestId"].clone();
        assert!(id(&first).is_string() && id(&again).is_string(), "{:#}", again.body);
        assert_ne!(id(&first), id(&again));
        assert_eq!((first.code(), again.code()), (Some("ERR-2005"), Some("ERR-2005")));
    }

    async fn of_who_has_left_no_answer_is_kept(app: TestApp) {
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        for person in [&ada, &bob] {
            create(&app, Some(&person.access), "k-1", "one").await.field();
        }
        mutate(&app, &ada, &format!("deleteAccount(input: {{password: \"{PASSWORD}\"}}) {{ deletedId }}")).await.field();
        assert_eq!(app.rows("idempotent_answers").await, 1, "the other's");
    }

    async fn of_many_at_once_one_is_executed(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let at_once = (0..10).map(|_| create(&app, Some(&ada.access), "k-1", "one"));
        let answers = futures_util::future::join_all(at_once).await;
        for answer in &answers {
            match answer.status {
                200 => assert_eq!(answer.code(), None),
                _ => assert_eq!((answer.status, answer.code()), (409, Some("ERR-3004"))),
            }
        }
        assert_eq!(app.rows("api_tokens").await, 1);
    }

    async fn user_errors_are_answers_too_and_what_came_to_nothing_is_not(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let wrong = create(&app, Some(&ada.access), "k-1", "").await;
        assert_eq!(wrong.code(), Some("ERR-3002"));
        assert_eq!(create(&app, Some(&ada.access), "k-1", "").await.headers["idempotency-replayed"], "true");
        app.execute("alter table api_tokens rename to elsewhere").await;
        assert_eq!(create(&app, Some(&ada.access), "k-2", "one").await.code(), Some("ERR-5000"));
        app.execute("alter table elsewhere rename to api_tokens").await;
        assert_eq!(create(&app, Some(&ada.access), "k-2", "one").await.code(), None, "it may be tried again");
    }

    async fn what_was_executed_before_its_answer_was_lost_is_not_executed_again(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        create(&app, Some(&ada.access), "k-1", "one").await.field();
        create(&app, Some(&ada.access), "k-2", "").await;
        // As a server leaves it that is killed before it keeps the answer.
        app.execute("update idempotent_answers set answer = null").await;
        let busy = create(&app, Some(&ada.access), "k-1", "one").await;
        assert_eq!((busy.status, &busy.headers["retry-after"]), (409, &"1".parse().expect("a value")));
        app.clock.advance(TimeDelta::minutes(2));
        let lost = create(&app, Some(&ada.access), "k-1", "one").await;
        assert_eq!((lost.status, lost.code()), (409, Some("ERR-3004")));
        let message = lost.body["errors"][0]["message"].as_str().expect("a message");
        assert!(lost.headers.get("retry-after").is_none() && message.contains("was executed"), "{message}");
        assert_eq!(app.rows("api_tokens").await, 1);
        let other = create(&app, Some(&ada.access), "k-1", "two").await;
        assert_eq!(other.status, 422);
        // What changed nothing may be tried again.
        assert_eq!(create(&app, Some(&ada.access), "k-2", "").await.code(), Some("ERR-3002"));
    }

    async fn an_answer_is_sealed_where_it_is_kept(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let made = create(&app, Some(&ada.access), "k-1", "one").await;
        let token = made.field()["token"].as_str().expect("a token");
        let holds = |column: &str| match app.store {
            crate::harness::Store::Postgres => format!("position('{token}'::bytea in {column}) > 0"),
            crate::harness::Store::Sqlite => format!("instr({column}, cast('{token}' as blob)) > 0"),
        };
        let query = format!("select count(*) as n from idempotent_answers where {}", holds("answer"));
        assert_eq!(app.number(&query).await, 0);
        assert_eq!(app.number("select count(*) as n from idempotent_answers where answer is not null").await, 1);
    }

    async fn what_is_no_key_is_refused_and_queries_need_none(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        for key in ["", " ", &"x".repeat(256), "a b"] {
            let answer = create(&app, Some(&ada.access), key, "one").await;
            assert_eq!((answer.status, answer.code()), (400, Some("ERR-3002")), "{key:?}");
        }
        let headers = [("idempotency-key", "k-1")];
        for _ in 0..2 {
            let answer = app.ask_with(None, &headers, "{ marketplaces { id } }", json!(null)).await;
            assert!(answer.headers.get("idempotency-replayed").is_none());
        }
        assert_eq!(app.rows("idempotent_answers").await, 0);
    }

    async fn a_login_sent_again_gives_the_same_session(app: TestApp) {
        sign_up(&app, "ada@example.com").await;
        let input = json!({"email": "ada@example.com", "password": PASSWORD});
        let ask = async |input: &Value| {
            let query = "mutation($input: LoginInput!) { login(input: $input) { refreshToken session { id } } }";
            app.ask_with(None, &[("idempotency-key", "k-9")], query, json!({"input": input})).await
        };
        assert_eq!(ask(&input).await.body, ask(&input).await.body);
        assert_eq!(app.rows("sessions").await, 2);
        let other = json!({"email": "ada@example.com", "password": "a guess"});
        assert_eq!(ask(&other).await.status, 422, "who knows the key alone learns nothing");
    }
}
