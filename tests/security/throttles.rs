//! Guessing at passwords is slow, and keeps no owner out.

use serde_json::json;

use super::{
    PASSWORD, Person, behind_a_proxy, everywhere_with, login, login_from, mutate, register, sign_up,
};
use crate::harness::{Content, everywhere};

everywhere! { Tables:
    async fn the_sixth_guess_at_an_account_is_refused_and_says_when_to_come_back(app: TestApp) {
        sign_up(&app, "ada@example.com").await;
        for _ in 0..5 {
            assert_eq!(login(&app, "ada@example.com", "wrong").await.code(), Some("ERR-2004"));
        }
        let hashes = app.app.identity().expect("accounts").hasher().hashes();
        let sixth = login(&app, "ADA@example.com", PASSWORD).await;
        assert_eq!((sixth.status, sixth.code()), (429, Some("ERR-4001")), "the right one too, however it is spelt");
        let seconds: u64 = sixth.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((1..=30).contains(&seconds), "{seconds}");
        assert_eq!(sixth.body["errors"][0]["extensions"]["retryAfter"], seconds);
        assert_eq!(app.app.identity().expect("accounts").hasher().hashes(), hashes);
        assert_eq!(login(&app, "bob@example.com", "wrong").await.code(), Some("ERR-2004"), "another account");
    }

    async fn thirty_guesses_from_one_address_are_all_whosever_accounts_they_are_at(app: TestApp) {
        // Nothing is hashed of a password of this length, so that hardly a place is free again meanwhile.
        let long = "x".repeat(129);
        let mut guesses = 0;
        let refused = loop {
            let answer = login(&app, &format!("ada{guesses}@example.com"), &long).await;
            if answer.code() != Some("ERR-2004") {
                break answer;
            }
            guesses += 1;
            assert!(guesses < 60, "nobody counts");
        };
        assert_eq!((refused.status, refused.code()), (429, Some("ERR-4001")));
        assert!(guesses >= 30, "{guesses}");
    }

    async fn what_succeeds_does_not_count(app: TestApp) {
        sign_up(&app, "ada@example.com").await;
        for _ in 0..12 {
            assert_eq!(login(&app, "ada@example.com", PASSWORD).await.code(), None);
        }
    }

    async fn accounts_are_not_made_by_the_dozen_from_one_address(app: TestApp) {
        for number in 0..10 {
            assert_eq!(register(&app, &format!("ada{number}@example.com"), PASSWORD).await.code(), None);
        }
        let next = register(&app, "ada10@example.com", PASSWORD).await;
        assert_eq!((next.status, next.code()), (429, Some("ERR-4001")));
        assert_eq!(app.rows("users").await, 10);
    }

    async fn links_are_not_guessed_at_by_the_dozen(app: TestApp) {
        let mut codes = std::collections::BTreeSet::new();
        for _ in 0..30 {
            let query = "mutation { verifyEmail(input: {token: \"x\"}) { userErrors { errorCode } } }";
            codes.insert(app.ask_as(None, query, json!(null)).await.code().map(str::to_owned));
        }
        let told = ["ERR-3002", "ERR-4001"].map(|code| Some(code.to_owned()));
        assert_eq!(codes, std::collections::BTreeSet::from(told));
    }

    async fn mail_is_not_sent_by_the_dozen_to_one_address(app: TestApp) {
        let ask = async || {
            let query = "mutation { requestPasswordReset(input: {email: \"ada@example.com\"}) { success } }";
            app.ask_as(None, query, json!(null)).await
        };
        for _ in 0..3 {
            assert_eq!(ask().await.code(), None);
        }
        assert_eq!(ask().await.code(), Some("ERR-4001"));
    }
}

#[test]
fn others_wrong_guesses_do_not_keep_an_owner_out() {
    everywhere_with(Content::Tables, behind_a_proxy, async |app| {
        let home = [("x-forwarded-for", "203.0.113.1")];
        sign_up(app, "ada@example.com").await;
        assert_eq!(login_from(app, &home, "ada@example.com", PASSWORD).await.code(), None);
        let mut refused = 0;
        for number in 0..30 {
            let from = format!("198.51.100.{number}");
            let headers = [("x-forwarded-for", from.as_str())];
            let answer = login_from(app, &headers, "ada@example.com", "wrong").await;
            refused += u32::from(answer.code() == Some("ERR-4001"));
        }
        assert!(
            (8..=10).contains(&refused),
            "twenty guesses at once, from wherever: {refused} of 30 refused"
        );
        let elsewhere = [("x-forwarded-for", "198.51.100.200")];
        assert_eq!(login_from(app, &elsewhere, "ada@example.com", PASSWORD).await.code(), Some("ERR-4001"));
        assert_eq!(login_from(app, &home, "ada@example.com", PASSWORD).await.code(), None);
    });
}

#[test]
fn nobody_tries_to_register_one_address_from_everywhere() {
    everywhere_with(Content::Tables, behind_a_proxy, async |app| {
        let mut codes = Vec::new();
        for number in 0..12 {
            let from = format!("198.51.100.{number}");
            let query =
                "mutation($input: RegisterInput!) { register(input: $input) { userErrors { errorCode } } }";
            let input = json!({"email": "ADA@example.com", "password": PASSWORD, "displayName": "Ada"});
            let headers = [("x-forwarded-for", from.as_str())];
            let answer = app.ask_with(None, &headers, query, json!({"input": input})).await;
            codes.push(answer.code().map(str::to_owned));
        }
        assert_eq!(codes[..2], [None, Some("ERR-2007".to_owned())]);
        assert!(codes.contains(&Some("ERR-4001".to_owned())), "{codes:?}");
    });
}

#[test]
fn where_an_intruder_was_signed_in_is_no_owners_place_afterwards() {
    everywhere_with(Content::Tables, behind_a_proxy, async |app| {
        sign_up(app, "ada@example.com").await;
        let [home, theirs] = ["203.0.113.1", "203.0.113.66"].map(|from| [("x-forwarded-for", from)]);
        let ada =
            Person::of("ada@example.com", login_from(app, &home, "ada@example.com", PASSWORD).await.field());
        login_from(app, &theirs, "ada@example.com", PASSWORD).await.field();
        mutate(app, &ada, "revokeAllSessions(input: {keepCurrent: true}) { revokedCount }").await.field();
        for number in 0..30 {
            let from = format!("198.51.100.{number}");
            login_from(app, &[("x-forwarded-for", from.as_str())], "ada@example.com", "wrong").await;
        }
        assert_eq!(login_from(app, &theirs, "ada@example.com", "wrong").await.code(), Some("ERR-4001"));
        assert_eq!(login_from(app, &home, "ada@example.com", PASSWORD).await.code(), None);
    });
}

everywhere! { Tables:
    async fn an_address_that_no_proxy_of_ours_says_is_not_believed(app: TestApp) {
        for number in 0..5 {
            let from = format!("198.51.100.{number}");
            let headers = [("x-forwarded-for", from.as_str())];
            assert_eq!(login_from(&app, &headers, "ada@example.com", "wrong").await.code(), Some("ERR-2004"));
        }
        let headers = [("x-forwarded-for", "198.51.100.99")];
        assert_eq!(login_from(&app, &headers, "ada@example.com", "wrong").await.code(), Some("ERR-4001"));
    }
}
