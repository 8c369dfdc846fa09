//! Addresses: one account each, however it is spelt, and verified before they count.

use serde_json::json;

use super::{PASSWORD, login, mutate, register, sign_up, token_mailed_to};
use crate::harness::everywhere;

const VERIFY: &str = "mutation($token: String!) { verifyEmail(input: {token: $token}) \
     { user { email emailVerified } userErrors { errorCode } } }";

everywhere! { Tables:
    async fn an_address_is_one_in_every_spelling(app: TestApp) {
        sign_up(&app, "Ada@Example.com").await;
        for spelling in ["ada@example.com", " ADA@EXAMPLE.COM ", "\u{ff41}da@example.com"] {
            assert_eq!(login(&app, spelling, PASSWORD).await.field()["user"]["email"], "Ada@Example.com");
        }
        let again = register(&app, "ADA@example.com", PASSWORD).await;
        let problem = &again.body["data"]["register"]["userErrors"][0];
        assert_eq!((&problem["errorCode"], &problem["path"]), (&json!("ERR-2007"), &json!(["email"])));
        assert!(!problem["message"].as_str().expect("words").contains("taken"), "{problem}");
        assert_eq!(app.rows("users").await, 1);
        assert_eq!(app.rows("sessions").await, 4, "nobody was signed in by it");
    }

    async fn of_many_that_register_one_address_at_once_one_has_it(app: TestApp) {
        let at_once = (0..8).map(|_| register(&app, "ada@example.com", PASSWORD));
        let answers = futures_util::future::join_all(at_once).await;
        let made = answers.iter().filter(|answer| answer.code().is_none()).count();
        let refused = answers.iter().filter(|answer| answer.code() == Some("ERR-2007")).count();
        assert_eq!((made, refused), (1, 7));
    }

    async fn an_address_is_verified_by_what_was_sent_there_once(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let token = token_mailed_to(&app, "ada@example.com", "verify-email").await;
        assert_eq!(mutate(&app, &ada, "verifyEmail(input: {token: \"nonsense\"}) { userErrors { errorCode } }").await.code(), Some("ERR-3002"));
        let answer = app.ask_as(None, VERIFY, json!({"token": token})).await;
        assert_eq!(answer.field()["user"], json!({"email": null, "emailVerified": true}), "a stranger sees no address");
        assert_eq!(app.ask_as(None, VERIFY, json!({"token": token})).await.code(), Some("ERR-3002"));
    }

    async fn a_new_address_needs_the_password_and_counts_once_it_is_verified(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        sign_up(&app, "bob@example.com").await;
        let change = |fields: &str| {
            format!("updateProfile(input: {{{fields}}}) {{ user {{ email displayName }} userErrors {{ errorCode path }} }}")
        };
        let named = mutate(&app, &ada, &change("displayName: \" Countess \"")).await;
        assert_eq!(named.field()["user"], json!({"email": "ada@example.com", "displayName": "Countess"}));
        for fields in [
            "email: \"new@example.com\"".to_owned(),
            "email: \"new@example.com\", currentPassword: \"wrong\"".to_owned(),
        ] {
            let answer = mutate(&app, &ada, &change(&fields)).await;
            let problem = &answer.body["data"]["updateProfile"]["userErrors"][0];
            assert_eq!(problem, &json!({"errorCode": "ERR-2004", "path": ["currentPassword"]}), "{fields}");
        }
        let right = format!("email: \"new@example.com\", currentPassword: \"{PASSWORD}\"");
        assert_eq!(mutate(&app, &ada, &change(&right)).await.field()["user"]["email"], "ada@example.com");
        let token = token_mailed_to(&app, "new@example.com", "verify-email").await;
        app.ask_as(None, VERIFY, json!({"token": token})).await.field();
        assert_eq!(login(&app, "new@example.com", PASSWORD).await.code(), None);
        assert_eq!(login(&app, "ada@example.com", PASSWORD).await.code(), Some("ERR-2004"));
        let taken = format!("email: \"BOB@example.com\", currentPassword: \"{PASSWORD}\"");
        mutate(&app, &ada, &change(&taken)).await.field();
        let token = token_mailed_to(&app, "BOB@example.com", "verify-email").await;
        assert_eq!(app.ask_as(None, VERIFY, json!({"token": token})).await.code(), Some("ERR-2007"));
    }

    async fn a_reset_is_answered_alike_for_an_address_that_nobody_has(app: TestApp) {
        sign_up(&app, "ada@example.com").await;
        let ask = async |email: &str| {
            let query = "mutation($email: String!) { requestPasswordReset(input: {email: $email}) { success userErrors { code } } }";
            let answer = app.ask_as(None, query, json!({"email": email})).await;
            (answer.status, answer.body["data"].clone())
        };
        let known = ask("ada@example.com").await;
        assert_eq!(known, (200, json!({"requestPasswordReset": {"success": true, "userErrors": []}})));
        assert_eq!(ask("nobody@example.com").await, known);
        assert_eq!(ask("no address").await, known);
        token_mailed_to(&app, "ada@example.com", "reset-password").await;
    }
}
