//! What browsers are told, and what pages of other sites may not do.

use serde_json::json;

use super::{PASSWORD, sign_up};
use crate::harness::{Answered, Content, Store, TestApp, TestDatabase, everywhere, runtime};

const REFRESH: &str =
    "mutation { refreshSession(input: {}) { accessToken refreshToken userErrors { errorCode } } }";

async fn login_with_cookie(app: &TestApp, headers: &[(&str, &str)]) -> Answered {
    let query = "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken userErrors { errorCode } } }";
    let input = json!({"email": "ada@example.com", "password": PASSWORD, "useCookie": true});
    app.ask_with(None, headers, query, json!({"input": input})).await
}

fn cookie(answer: &Answered) -> String {
    answer.headers["set-cookie"].to_str().expect("text").to_owned()
}

everywhere! { Tables:
    async fn a_refresh_token_may_live_in_a_cookie_that_no_script_reads(app: TestApp) {
        sign_up(&app, "ada@example.com").await;
        let answer = login_with_cookie(&app, &[]).await;
        assert_eq!(answer.field()["refreshToken"], json!(null));
        let set = cookie(&answer);
        assert!(set.starts_with("__Host-dualcaster-refresh=dcr_"), "{set}");
        for part in ["; Path=/;", "; Max-Age=2592000;", "; HttpOnly", "; Secure", "; SameSite=Strict"] {
            assert!(set.contains(part), "{part} in {set}");
        }
        let value = set.split(';').next().expect("a value").to_owned();
        let both = format!("other=1; {value}");
        let refreshed = app.ask_with(None, &[("cookie", &both)], REFRESH, json!(null)).await;
        assert!(refreshed.field()["accessToken"].is_string());
        assert_eq!(refreshed.field()["refreshToken"], json!(null));
        let next = cookie(&refreshed).split(';').next().expect("a value").to_owned();
        assert_ne!(next, value);
        let access = refreshed.field()["accessToken"].as_str().expect("a token").to_owned();
        let logout = app.ask_with(Some(&access), &[("cookie", &next)], "mutation { logout { success } }", json!(null)).await;
        assert!(cookie(&logout).contains("Max-Age=0"), "{}", cookie(&logout));
        let after = app.ask_with(None, &[("cookie", &next)], REFRESH, json!(null)).await;
        assert_eq!(after.code(), Some("ERR-2003"));
        assert_eq!(app.ask_as(None, REFRESH, json!(null)).await.code(), Some("ERR-2003"), "without a cookie");
    }

    async fn a_page_of_another_site_can_t_use_the_cookie(app: TestApp) {
        sign_up(&app, "ada@example.com").await;
        let set = cookie(&login_with_cookie(&app, &[]).await);
        let value = set.split(';').next().expect("a value").to_owned();
        for foreign in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "null")] {
            let answer = app.ask_with(None, &[("cookie", &value), foreign], REFRESH, json!(null)).await;
            assert_eq!(answer.code(), Some("ERR-2005"), "{foreign:?}");
            assert_eq!(login_with_cookie(&app, &[foreign]).await.code(), Some("ERR-2005"), "{foreign:?}");
        }
        let own = app.base.clone();
        let answer = app.ask_with(None, &[("cookie", &value), ("origin", &own), ("sec-fetch-site", "same-origin")], REFRESH, json!(null)).await;
        assert!(answer.field()["accessToken"].is_string());
    }

    async fn every_answer_has_the_headers_that_keep_it_from_being_something_else(app: TestApp) {
        for path in ["/graphql", "/graphiql", "/live", "/ready", "/nothing-here"] {
            let answer = app.client.get(format!("{}{path}", app.base)).send().await.expect("an answer");
            let headers = answer.headers();
            assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
            assert_eq!(headers["x-frame-options"], "DENY", "{path}");
            assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
            assert!(headers.contains_key("content-security-policy"), "{path}");
            assert!(!headers.contains_key("strict-transport-security"), "{path}: this is not over TLS");
            assert!(!headers.contains_key("access-control-allow-origin"), "{path}");
        }
    }
}

#[test]
fn pages_of_listed_origins_may_ask_and_others_may_not() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Tables).await;
        let mut settings = database.settings();
        settings.server.cors_origins = vec!["https://cards.example".to_owned()];
        settings.server.public_url = "https://api.example".to_owned();
        let app = TestApp::start_with(&database, settings).await;
        let preflight = async |origin: &str| {
            app.client
                .request(reqwest::Method::OPTIONS, format!("{}/graphql", app.base))
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization, content-type, idempotency-key")
                .send()
                .await
                .expect("an answer")
        };
        let allowed = preflight("https://cards.example").await;
        assert_eq!(allowed.status(), 200);
        assert_eq!(allowed.headers()["access-control-allow-origin"], "https://cards.example");
        assert_eq!(allowed.headers()["access-control-allow-credentials"], "true");
        let listed = allowed.headers()["access-control-allow-headers"].to_str().expect("text").to_owned();
        assert!(listed.contains("idempotency-key") && listed.contains("authorization"), "{listed}");
        assert!(
            !preflight("https://evil.example").await.headers().contains_key("access-control-allow-origin")
        );
        for (origin, status) in [("https://cards.example", 200), ("https://evil.example", 403)] {
            let headers = [("origin", origin), ("sec-fetch-site", "cross-site")];
            let answer = app.ask_with(None, &headers, "{ __typename }", json!(null)).await;
            assert_eq!(answer.status, status, "{origin}");
            assert!(answer.headers.contains_key("strict-transport-security"));
        }
        app.stop().await;
        database.remove().await;
    });
}
