//! Mail that a new address brings to who did not ask for it: some, and not without end.

use serde_json::json;

use super::{PASSWORD, Person, mutate, sign_up, token_mailed_to};
use crate::harness::{Answered, TestApp, everywhere};

async fn change_to(app: &TestApp, person: &Person, email: &str) -> Answered {
    let query = format!(
        "updateProfile(input: {{email: \"{email}\", currentPassword: \"{PASSWORD}\"}}) {{ user {{ id }} userErrors {{ errorCode }} }}"
    );
    mutate(app, person, &query).await
}

async fn ask_for_reset(app: &TestApp, email: &str) -> Answered {
    let query = "mutation($email: String!) { requestPasswordReset(input: {email: $email}) { success } }";
    app.ask_as(None, query, json!({"email": email})).await
}

/// How many links hold that verify an address.
async fn links_to(app: &TestApp, email: &str) -> i64 {
    app.number(&format!("select count(*) as n from one_time_tokens where email = '{email}'")).await
}

everywhere! { Tables:
    async fn who_names_one_address_after_the_other_has_three_and_then_waits(app: TestApp) {
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        // The own one counts too, as long as it is not verified: a mail is sent there.
        for email in ["ada@example.com", "two@example.com", "three@example.com"] {
            assert_eq!(change_to(&app, &ada, email).await.code(), None, "{email}");
        }
        let fourth = change_to(&app, &ada, "four@example.com").await;
        assert_eq!((fourth.status, fourth.code()), (429, Some("ERR-4001")));
        let seconds: u64 = fourth.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert_eq!((links_to(&app, "three@example.com").await, links_to(&app, "four@example.com").await), (1, 0));
        // What sends no mail goes on, and so does somebody else.
        let name = "updateProfile(input: {displayName: \"Countess\"}) { user { displayName } userErrors { errorCode } }";
        assert_eq!(mutate(&app, &ada, name).await.field()["user"]["displayName"], "Countess");
        assert_eq!(change_to(&app, &bob, "four@example.com").await.code(), None);
        // The last link that was sent holds.
        let token = token_mailed_to(&app, "three@example.com", "verify-email").await;
        let verify = format!("mutation {{ verifyEmail(input: {{token: \"{token}\"}}) {{ userErrors {{ errorCode }} }} }}");
        assert_eq!(app.ask_as(None, &verify, json!(null)).await.code(), None);
    }

    async fn of_mail_to_one_address_there_are_three_whoever_asks_for_it_and_however_it_is_spelt(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let bob = sign_up(&app, "bob@example.com").await;
        assert_eq!(change_to(&app, &ada, "cyd@example.com").await.code(), None);
        assert_eq!(change_to(&app, &bob, "Cyd@Example.com").await.code(), None);
        assert_eq!(ask_for_reset(&app, "CYD@example.com").await.code(), None);
        assert_eq!(change_to(&app, &bob, "cyd@example.com").await.code(), Some("ERR-4001"));
        assert_eq!(ask_for_reset(&app, "cyd@example.com").await.code(), Some("ERR-4001"));
        assert_eq!(links_to(&app, "cyd@example.com").await, 1, "the first alone: the last one is not there");
        // What was refused for the address has not counted for who asked.
        for email in ["dan@example.com", "eve@example.com"] {
            assert_eq!(change_to(&app, &bob, email).await.code(), None, "{email}");
        }
    }

    async fn accounts_that_are_made_and_deleted_send_no_more_mail_than_others_do(app: TestApp) {
        for _ in 0..3 {
            let ada = sign_up(&app, "ada@example.com").await;
            let delete = format!("deleteAccount(input: {{password: \"{PASSWORD}\"}}) {{ deletedId userErrors {{ errorCode }} }}");
            assert_eq!(mutate(&app, &ada, &delete).await.code(), None);
        }
        assert_eq!(ask_for_reset(&app, "ada@example.com").await.code(), Some("ERR-4001"));
        // An account all the same.
        sign_up(&app, "ada@example.com").await;
    }
}
