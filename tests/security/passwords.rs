//! Passwords: argon2id, good ones only, and the same cost whether or not there is such an account.

use serde_json::json;

use super::{PASSWORD, login, mutate, register, sign_up, token_mailed_to};
use crate::harness::{TestApp, everywhere};

fn hashes(app: &TestApp) -> u64 {
    app.app.identity().expect("accounts").hasher().hashes()
}

everywhere! { Tables:
    async fn the_store_has_an_argon2id_hash_by_owasps_parameters(app: TestApp) {
        sign_up(&app, "ada@example.com").await;
        let like = "select count(*) as n from users where password_hash like '$argon2id$v=19$m=19456,t=2,p=1$%'";
        assert_eq!(app.number(like).await, 1);
    }

    async fn weak_passwords_are_refused_with_a_reason_and_before_they_are_hashed(app: TestApp) {
        let before = hashes(&app);
        for (password, reason) in [
            ("short", "at least 10 characters"),
            (&"x".repeat(129), "at most 128 characters"),
            ("password123", "easily guessed"),
            ("ada@example.com", "easily guessed"),
        ] {
            let answer = register(&app, "ada@example.com", password).await;
            let problem = &answer.body["data"]["register"]["userErrors"][0];
            assert_eq!((&problem["errorCode"], &problem["path"]), (&json!("ERR-2006"), &json!(["password"])));
            assert!(problem["message"].as_str().expect("words").contains(reason), "{problem}");
        }
        assert_eq!(hashes(&app), before);
        assert_eq!(app.rows("users").await, 0);
    }

    async fn a_password_that_is_reset_is_not_its_owners_address(app: TestApp) {
        let email = "quillfeather.vexmoor@example.com";
        sign_up(&app, email).await;
        let asked = format!("mutation {{ requestPasswordReset(input: {{email: \"{email}\"}}) {{ success }} }}");
        app.ask_as(None, &asked, json!(null)).await.field();
        let token = token_mailed_to(&app, email, "reset-password").await;
        let reset = async |password: &str| {
            let query = "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { userErrors { errorCode path } } }";
            let input = json!({"token": token, "newPassword": password});
            app.ask_as(None, query, json!({"input": input})).await
        };
        let weak = reset(email).await;
        let problem = &weak.body["data"]["resetPassword"]["userErrors"][0];
        assert_eq!(problem, &json!({"errorCode": "ERR-2006", "path": ["newPassword"]}));
        assert_eq!(reset("eleven owls debate philosophy").await.code(), None, "the link still holds");
    }

    async fn all_that_is_wrong_is_told_at_once(app: TestApp) {
        let query = "mutation($input: RegisterInput!) { register(input: $input) { user { id } userErrors { errorCode path } } }";
        let input = json!({"email": "nonsense", "password": "short", "displayName": "  "});
        let answer = app.ask_as(None, query, json!({"input": input})).await;
        assert_eq!(answer.body["data"]["register"], json!({"user": null, "userErrors": [
            {"errorCode": "ERR-3002", "path": ["email"]},
            {"errorCode": "ERR-2006", "path": ["password"]},
            {"errorCode": "ERR-3002", "path": ["displayName"]},
        ]}));
    }

    async fn an_unknown_address_costs_one_hash_and_is_answered_as_a_wrong_password_is(app: TestApp) {
        sign_up(&app, "ada@example.com").await;
        let mut told = Vec::new();
        for (email, password) in
            [("ada@example.com", PASSWORD), ("ada@example.com", "wrong"), ("bob@example.com", "wrong"), ("no address", "wrong")]
        {
            let (before, sent) = (hashes(&app), app.statements());
            let answer = login(&app, email, password).await;
            assert_eq!(hashes(&app) - before, 1, "{email} {password}");
            told.push((answer.code().map(str::to_owned), answer.body["data"].clone(), app.statements() - sent));
        }
        assert_eq!(told[0].0, None);
        assert_eq!(told[1].0.as_deref(), Some("ERR-2004"));
        assert_eq!(told[2], told[1], "to the letter, and at the same number of statements");
        assert_eq!(told[3], told[1]);
        // All servers of this process count together.
        let metrics = app.client.get(format!("{}/metrics", app.base)).send().await.expect("an answer");
        let metrics = metrics.text().await.expect("text");
        let counted = metrics.lines().find_map(|line| line.strip_prefix("dualcaster_password_hashes_total "));
        let counted: u64 = counted.expect("a counter").parse().expect("a count");
        assert!(counted >= 5, "one to sign up and four to sign in: {counted}");
    }

    async fn a_password_of_more_than_128_characters_is_never_hashed(app: TestApp) {
        sign_up(&app, "ada@example.com").await;
        let before = hashes(&app);
        let answer = login(&app, "ada@example.com", &"x".repeat(129)).await;
        assert_eq!((answer.code(), hashes(&app)), (Some("ERR-2004"), before));
    }

    async fn nor_where_it_is_asked_for_once_more_or_is_to_be_new(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let long = "x".repeat(129);
        let change = async |current: &str, new: &str| {
            let before = hashes(&app);
            let query = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { errorCode } } }";
            let input = json!({"currentPassword": current, "newPassword": new});
            let answer = app.ask_as(Some(&ada.access), query, json!({"input": input})).await;
            (answer.code().map(str::to_owned), hashes(&app) - before)
        };
        let new = "eleven owls debate philosophy";
        assert_eq!(change(&long, new).await, (Some("ERR-2004".to_owned()), 0));
        assert_eq!(change(PASSWORD, &long).await, (Some("ERR-2006".to_owned()), 1), "the old one alone");
        let before = hashes(&app);
        let delete = format!("deleteAccount(input: {{password: \"{long}\"}}) {{ userErrors {{ errorCode }} }}");
        assert_eq!(mutate(&app, &ada, &delete).await.code(), Some("ERR-2004"));
        assert_eq!(hashes(&app), before);
        assert_eq!(change(PASSWORD, new).await, (None, 2));
    }

    async fn a_hash_of_other_parameters_is_replaced_when_its_owner_signs_in(app: TestApp) {
        sign_up(&app, "ada@example.com").await;
        // By 64 KiB and one pass: made for this test of the same password.
        let old = hash_by(PASSWORD, 64, 1);
        app.execute(&format!("update users set password_hash = '{old}'")).await;
        assert_eq!(login(&app, "ada@example.com", "wrong").await.code(), Some("ERR-2004"));
        assert_eq!(app.number(&format!("select count(*) as n from users where password_hash = '{old}'")).await, 1);
        assert_eq!(login(&app, "ada@example.com", PASSWORD).await.code(), None);
        let like = "select count(*) as n from users where password_hash like '$argon2id$v=19$m=19456,t=2,p=1$%'";
        assert_eq!(app.number(like).await, 1);
        assert_eq!(login(&app, "ada@example.com", PASSWORD).await.code(), None);
    }
}

/// A hash by other parameters than the server's.
pub fn hash_by(password: &str, memory_kib: u32, passes: u32) -> String {
    use argon2::password_hash::PasswordHasher;
    use argon2::password_hash::phc::PasswordHash;
    let params = argon2::Params::new(memory_kib, passes, 1, None).expect("parameters");
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let hash: PasswordHash = argon2.hash_password_with_salt(password.as_bytes(), &[7; 16]).expect("a hash");
    hash.to_string()
}
