//! Access tokens: at most ten minutes, for one session, and worth nothing once they don't hold.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{login, refresh, register, sign_up, whoami};
use crate::harness::everywhere;

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
}

everywhere! { Tables:
    async fn a_token_says_who_and_which_session_and_lasts_ten_minutes_at_most(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let claims = claims(&ada.access);
        let number = |name: &str| claims[name].as_i64().unwrap_or_else(|| panic!("{name} in {claims}"));
        assert_eq!(number("exp") - number("iat"), 600);
        assert_eq!(number("nbf"), number("iat"));
        for name in ["sub", "sid", "jti", "iss", "aud"] {
            assert!(claims[name].is_string(), "{name} in {claims}");
        }
        assert_eq!(whoami(&app, &ada.access).await, Ok(Some(ada.email)));
    }

    async fn a_token_that_has_expired_is_refused_and_nothing_is_executed(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        app.clock.advance(TimeDelta::seconds(606));
        let before = app.statements();
        let answer = app.ask_as(Some(&ada.access), "mutation { logout { success } }", json!(null)).await;
        assert_eq!((answer.status, answer.code()), (401, Some("ERR-2002")));
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        assert_eq!(answer.body.get("data"), None);
        assert_eq!(app.statements(), before);
        // Nobody's question is refused too: its asker believes to be somebody.
        let answer = app.ask_as(Some(&ada.access), "{ __typename }", json!(null)).await;
        assert_eq!((answer.status, answer.code()), (401, Some("ERR-2002")));
    }

    async fn what_is_no_token_of_ours_is_refused(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let other_signature = format!("{}AAAA", &ada.access[..ada.access.len() - 4]);
        for token in ["x", "a.b.c", "dcc_AAAA", &ada.refresh, &other_signature] {
            assert_eq!(whoami(&app, token).await, Err("ERR-2001".to_owned()), "{token}");
        }
        for header in ["Basic YTpi", "Bearer", "", "Bearer "] {
            let headers = [("authorization", header)];
            let answer = app.ask_with(None, &headers, "{ __typename }", json!(null)).await;
            assert_eq!((answer.status, answer.code()), (401, Some("ERR-2001")), "{header:?}");
        }
        let nobody = app.ask_as(None, "{ viewer { id } }", json!(null)).await;
        assert_eq!((nobody.status, &nobody.body["data"]), (200, &json!({"viewer": null})));
    }

    async fn who_signs_in_may_show_a_token_that_does_not_hold(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let with_wrong = async |query: &str, input: Value| {
            let query = format!("mutation($input: {query}Input!) {{ {} }}", match query {
                "Login" => "login(input: $input) { user { email } userErrors { errorCode } }",
                "Register" => "register(input: $input) { user { email } userErrors { errorCode } }",
                _ => "refreshSession(input: $input) { user { email } userErrors { errorCode } }",
            });
            let answer = app.ask_as(Some("not a token"), &query, json!({"input": input})).await;
            answer.field()["user"]["email"].as_str().expect("an address").to_owned()
        };
        let login = json!({"email": ada.email, "password": super::PASSWORD});
        assert_eq!(with_wrong("Login", login).await, ada.email);
        let new = json!({"email": "bob@example.com", "password": super::PASSWORD, "displayName": "Bob"});
        assert_eq!(with_wrong("Register", new).await, "bob@example.com");
        assert_eq!(with_wrong("RefreshSession", json!({"refreshToken": ada.refresh})).await, ada.email);
        // Not together with anything else.
        let both = "mutation { logout { success } refreshSession(input: {}) { userErrors { code } } }";
        let answer = app.ask_as(Some("not a token"), both, json!(null)).await;
        assert_eq!((answer.status, answer.code()), (401, Some("ERR-2001")));
    }

    async fn register_login_and_refresh_answer_alike(app: TestApp) {
        let registered = register(&app, "ada@example.com", super::PASSWORD).await;
        let signed_in = login(&app, "ada@example.com", super::PASSWORD).await;
        let token = registered.field()["refreshToken"].as_str().expect("a token").to_owned();
        let refreshed = refresh(&app, &token).await;
        for answer in [&registered, &signed_in, &refreshed] {
            let payload = answer.field();
            assert_eq!(payload["user"]["email"], "ada@example.com");
            assert_eq!(payload["user"]["role"], "USER");
            let access = payload["accessToken"].as_str().expect("a token");
            assert_eq!(whoami(&app, access).await, Ok(Some("ada@example.com".to_owned())));
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert!(answer.headers.get("set-cookie").is_none());
        }
    }
}
