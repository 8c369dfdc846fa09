//! The account itself: what its owner sees of it, and how it ends.

use serde_json::json;

use super::{PASSWORD, login, mutate, sign_in, sign_up};
use crate::harness::everywhere;

everywhere! { Tables:
    async fn the_frontends_operations_are_answered(app: TestApp) {
        let Some(folder) = crate::contract::contract() else { return };
        let document = std::fs::read_to_string(folder.join("frontend/session.graphql")).expect("operations");
        let ask = async |token: Option<&str>, name: &str, variables: serde_json::Value| {
            let body = json!({"query": document, "operationName": name, "variables": variables});
            let mut request = app.client.post(format!("{}/graphql", app.base)).json(&body);
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let answer: serde_json::Value = request.send().await.expect("an answer").json().await.expect("JSON");
            assert_eq!(answer["errors"], json!(null), "{name}: {answer:#}");
            answer["data"].as_object().and_then(|data| data.values().next()).cloned().expect("a field")
        };
        let account = json!({"email": "ada@example.com", "password": PASSWORD});
        let new = json!({"email": "ada@example.com", "password": PASSWORD, "displayName": "Ada"});
        let registered = ask(None, "Register", json!({"input": new})).await;
        let signed_in = ask(None, "Login", json!({"input": account})).await;
        let token = signed_in["accessToken"].as_str();
        let refreshed = ask(None, "RefreshSession", json!({"input": {"refreshToken": signed_in["refreshToken"]}})).await;
        assert_eq!(refreshed["session"]["id"], signed_in["session"]["id"]);
        let me = ask(token, "Me", json!({})).await;
        assert_eq!(me["sessions"].as_array().map(Vec::len), Some(2));
        let revoked = ask(token, "RevokeSession", json!({"sessionId": registered["session"]["id"]})).await;
        assert_eq!(revoked["revokedSessionId"], registered["session"]["id"]);
        assert_eq!(ask(token, "RevokeAllSessions", json!({})).await["revokedCount"], 0);
        assert_eq!(ask(token, "LinkDiscord", json!({"code": "x"})).await["userErrors"][0]["code"], "LINK_CODE_INVALID");
        assert_eq!(ask(None, "RequestReset", json!({"email": "ada@example.com"})).await["success"], true);
        assert_eq!(ask(None, "VerifyEmail", json!({"token": "x"})).await["userErrors"][0]["path"], json!(["token"]));
        let reset = json!({"input": {"token": "x", "newPassword": PASSWORD}});
        assert_eq!(ask(None, "ResetPassword", reset).await["userErrors"][0]["code"], "INVALID_VALUE");
        let profile = ask(token, "UpdateProfile", json!({"input": {"displayName": "Countess"}})).await;
        assert_eq!(profile["user"]["displayName"], "Countess");
        let made = ask(token, "CreateToken", json!({"input": {"name": "nightly"}})).await;
        assert_eq!(made["apiToken"]["name"], "nightly");
        let change = json!({"input": {"currentPassword": PASSWORD, "newPassword": "eleven owls debate philosophy"}});
        assert_eq!(ask(token, "ChangePassword", change).await["revokedCount"], 0);
        assert_eq!(ask(token, "Logout", json!({})).await["success"], true);
        let account = json!({"email": "ada@example.com", "password": "eleven owls debate philosophy"});
        let again = ask(None, "Login", json!({"input": account})).await;
        let gone = ask(again["accessToken"].as_str(), "DeleteAccount", json!({"password": "eleven owls debate philosophy"})).await;
        assert_eq!(gone["deletedId"], again["user"]["id"]);
    }

    async fn its_owner_sees_it_with_its_sessions(app: TestApp) {
        let (one, two) = (sign_up(&app, "ada@example.com").await, sign_in(&app, "ada@example.com").await);
        let query = "{ viewer { id email displayName role discordLinked createdAt emailVerified \
             sessions { id current createdAt lastUsedAt expiresAt userAgent ipAddress } apiTokens { id } } }";
        let answer = app.ask_with(Some(&two.access), &[("user-agent", "a test")], query, json!(null)).await;
        let viewer = answer.field();
        assert_eq!((&viewer["id"], &viewer["email"]), (&json!(one.id), &json!("ada@example.com")));
        assert_eq!((&viewer["role"], &viewer["emailVerified"]), (&json!("USER"), &json!(false)));
        assert_eq!((&viewer["discordLinked"], &viewer["apiTokens"]), (&json!(false), &json!([])));
        let sessions: Vec<_> = viewer["sessions"].as_array().expect("sessions").iter().map(|session| {
            assert_eq!(session["ipAddress"], "127.0.0.1");
            (session["id"].clone(), session["current"].clone())
        }).collect();
        assert_eq!(sessions, [(json!(two.session), json!(true)), (json!(one.session), json!(false))]);
    }

    async fn a_user_has_a_hundred_sessions_at_most_and_the_oldest_makes_room(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        // As if from long ago.
        let columns = "id, user_id, created_at, last_used_at, expires_at, in_cookie";
        let (id, before) = match app.store {
            crate::harness::Store::Postgres => ("gen_random_uuid()", "now() - interval '1 day' * n"),
            crate::harness::Store::Sqlite => ("randomblob(16)", "strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-' || n || ' days')"),
        };
        let later = match app.store {
            crate::harness::Store::Postgres => "now() + interval '1 day'",
            crate::harness::Store::Sqlite => "strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+1 day')",
        };
        app.execute(&format!(
            "with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 99)
             insert into sessions ({columns})
             select {id}, (select id from users), {before}, {before}, {later}, false from numbers"
        )).await;
        assert_eq!(app.number("select count(*) as n from sessions where ended_at is null").await, 100);
        sign_in(&app, "ada@example.com").await;
        assert_eq!(app.number("select count(*) as n from sessions where ended_at is null").await, 100);
        let answer = app.ask_as(Some(&ada.access), "{ viewer { sessions { id } } }", json!(null)).await;
        assert_eq!(answer.field()["sessions"].as_array().expect("sessions").len(), 100);
    }

    async fn deleting_it_takes_all_that_was_its_and_needs_the_password(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let bob = sign_up(&app, "bob@example.com").await;
        mutate(&app, &ada, "createApiToken(input: {name: \"script\"}) { token }").await.field();
        let delete = |password: &str| {
            format!("deleteAccount(input: {{password: \"{password}\"}}) {{ deletedId userErrors {{ errorCode path }} }}")
        };
        let wrong = mutate(&app, &ada, &delete("wrong")).await;
        let problem = &wrong.body["data"]["deleteAccount"]["userErrors"][0];
        assert_eq!(problem, &json!({"errorCode": "ERR-2004", "path": ["password"]}));
        assert_eq!(mutate(&app, &ada, &delete(PASSWORD)).await.field()["deletedId"], json!(ada.id));
        assert_eq!(login(&app, "ada@example.com", PASSWORD).await.code(), Some("ERR-2004"));
        for table in ["users", "sessions", "refresh_tokens"] {
            assert_eq!(app.rows(table).await, 1, "{table}: Bob's alone");
        }
        assert_eq!(app.rows("api_tokens").await, 0);
        assert_eq!(sign_up(&app, "ada@example.com").await.email, "ada@example.com", "the address is free again");
        mutate(&app, &bob, "logout { success }").await.field();
    }

    async fn an_unknown_number_of_tries_at_the_old_password_is_not_to_be_had(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let change = "changePassword(input: {currentPassword: \"wrong\", newPassword: \"eleven owls debate philosophy\"}) \
             { userErrors { errorCode path } }";
        for _ in 0..5 {
            assert_eq!(mutate(&app, &ada, change).await.code(), Some("ERR-2004"));
        }
        let sixth = mutate(&app, &ada, change).await;
        assert_eq!((sixth.status, sixth.code()), (429, Some("ERR-4001")));
    }

    async fn what_an_intruder_prepared_goes_with_a_reset(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let change = format!("updateProfile(input: {{email: \"evil@example.com\", currentPassword: \"{PASSWORD}\"}}) {{ userErrors {{ errorCode }} }}");
        mutate(&app, &ada, &change).await.field();
        let theirs = super::token_mailed_to(&app, "evil@example.com", "verify-email").await;
        let script = mutate(&app, &ada, "createApiToken(input: {name: \"x\", readOnly: false}) { token }").await;
        let script = script.field()["token"].as_str().expect("a token").to_owned();
        let ask = "mutation { requestPasswordReset(input: {email: \"ada@example.com\"}) { success } }";
        app.ask_as(None, ask, json!(null)).await.field();
        let first = super::token_mailed_to(&app, "ada@example.com", "reset-password").await;
        // Who asks for another does not make the first useless.
        app.ask_as(None, ask, json!(null)).await.field();
        let query = "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { user { id } userErrors { errorCode } } }";
        let input = json!({"token": first, "newPassword": "eleven owls debate philosophy"});
        app.ask_as(None, query, json!({"input": input})).await.field();
        assert_eq!(super::whoami(&app, &script).await, Err("ERR-2003".to_owned()));
        let verify = format!("mutation {{ verifyEmail(input: {{token: \"{theirs}\"}}) {{ userErrors {{ errorCode }} }} }}");
        assert_eq!(app.ask_as(None, &verify, json!(null)).await.code(), Some("ERR-3002"));
        assert_eq!(app.rows("one_time_tokens").await, 0);
    }

    async fn a_login_that_was_under_way_does_not_outlive_a_new_password(app: TestApp) {
        sign_up(&app, "ada@example.com").await;
        // A hash that takes long, so that the account changes while it is compared: as a reset does.
        let slow_hash = super::passwords::hash_by(PASSWORD, 19 * 1024, 60);
        app.execute(&format!("update users set password_hash = '{slow_hash}'")).await;
        // Taken before the login is sent: what it asks of the store may be over when the change is first looked at.
        let before = app.statements();
        let slow = async {
            let answer = login(&app, "ada@example.com", PASSWORD).await;
            (answer.code().map(str::to_owned), answer.body)
        };
        let change = async {
            // Once the account is read.
            while app.statements() < before + 2 {
                tokio::task::yield_now().await;
            }
            app.execute("update users set epoch = epoch + 1").await;
        };
        let ((code, body), ()) = tokio::join!(slow, change);
        assert_eq!(code.as_deref(), Some("ERR-2004"), "{body}");
        assert_eq!(app.number("select count(*) as n from sessions").await, 1, "the first one's");
        let as_it_was = format!("select count(*) as n from users where password_hash = '{slow_hash}'");
        assert_eq!(app.number(&as_it_was).await, 1, "nor is the old password's hash renewed over a new one");
    }

    async fn what_is_too_old_goes_and_nothing_else(app: TestApp) {
        use dualcaster::domain::accounts::forget_expired;
        let ada = sign_up(&app, "ada@example.com").await;
        let headers = [("idempotency-key", "k-1")];
        let query = "mutation { createApiToken(input: {name: \"x\"}) { token } }";
        app.ask_with(Some(&ada.access), &headers, query, json!(null)).await.field();
        let tables = ["sessions", "refresh_tokens", "one_time_tokens", "idempotent_answers"];
        let forget = async || forget_expired(app.bulk.write(), app.clock.now()).await.expect("gone");
        let rows = async || {
            let mut rows = Vec::new();
            for table in tables {
                rows.push(app.rows(table).await);
            }
            rows
        };
        assert_eq!((forget().await, rows().await), (0, vec![1, 1, 1, 1]));
        app.clock.advance(chrono::TimeDelta::hours(25));
        assert_eq!((forget().await, rows().await), (1, vec![1, 1, 1, 0]), "answers after a day");
        app.clock.advance(chrono::TimeDelta::hours(24));
        assert_eq!((forget().await, rows().await), (1, vec![1, 1, 0, 0]), "links after two");
        app.clock.advance(chrono::TimeDelta::days(36));
        assert_eq!((forget().await, rows().await), (1, vec![0, 0, 0, 0]), "a session a week after its end");
        assert_eq!((app.rows("users").await, app.rows("api_tokens").await), (1, 1));
    }
}
