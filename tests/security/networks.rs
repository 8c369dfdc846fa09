//! Whose address it is: of IPv6 one caller has a whole network of 64 bits, of IPv4 one address.

use dualcaster::gates::MISSES;
use serde_json::json;

use super::{PASSWORD, behind_a_proxy, everywhere_with, login_from, sign_up};
use crate::collection::nobodys;
use crate::harness::{Content, TestApp, everywhere};

/// What a login from an address comes to: nothing, or the code of its refusal.
async fn login_at(app: &TestApp, address: &str, email: &str, password: &str) -> Option<String> {
    let answer = login_from(app, &[("x-forwarded-for", address)], email, password).await;
    answer.code().map(str::to_owned)
}

/// Guesses at an account until that is refused, for some seconds more, and says how many guesses were let through.
async fn guess_until_refused(app: &TestApp, email: &str, address: impl Fn(usize) -> String) -> usize {
    let mut guesses = 0;
    loop {
        let from = address(guesses);
        let answer = login_from(app, &[("x-forwarded-for", from.as_str())], email, "wrong").await;
        match answer.code() {
            Some("ERR-2004") => guesses += 1,
            code => {
                assert_eq!(code, Some("ERR-4001"));
                let wait = answer.headers["retry-after"].to_str().expect("text");
                if wait.parse::<u64>().expect("seconds") > 5 {
                    return guesses;
                }
            }
        }
        assert!(guesses < 40, "nobody counts");
    }
}

#[test]
fn guesses_count_for_a_whole_network_of_ipv6_and_for_one_address_of_ipv4() {
    everywhere_with(Content::Tables, behind_a_proxy, async |app| {
        for (number, (one, other, is_the_same)) in [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
            ("203.0.113.1", "203.0.113.2", false),
            ("203.0.113.3", "::ffff:203.0.113.3", true),
        ]
        .into_iter()
        .enumerate()
        {
            let email = format!("ada{number}@example.com");
            let guesses = guess_until_refused(app, &email, |_| one.to_owned()).await;
            assert!(guesses >= 5, "{one}: {guesses}");
            let code = if is_the_same { "ERR-4001" } else { "ERR-2004" };
            assert_eq!(
                login_at(app, other, &email, "wrong").await.as_deref(),
                Some(code),
                "{one} and {other}"
            );
        }
    });
}

#[test]
fn an_owner_is_known_at_every_address_of_their_network() {
    everywhere_with(Content::Tables, behind_a_proxy, async |app| {
        sign_up(app, "ada@example.com").await;
        assert_eq!(login_at(app, "2001:db8:a:b::1", "ada@example.com", PASSWORD).await, None);
        // Each from a network of its own.
        let elsewhere = |guess: usize| format!("2001:db8:c:{guess:x}::1");
        assert!(guess_until_refused(app, "ada@example.com", elsewhere).await >= 20);
        let from = |address| login_at(app, address, "ada@example.com", PASSWORD);
        assert_eq!(from("2001:db8:a:c::1").await.as_deref(), Some("ERR-4001"), "another network");
        assert_eq!(from("2001:db8:a:b:9:9:9:9").await, None, "another address of theirs");
    });
}

/// What nobody in particular is answered who asks for what is nobody's, with such a header: nothing, or the code of a refusal.
async fn miss(app: &TestApp, forwarded: &str) -> Option<String> {
    let headers = [("x-forwarded-for", forwarded)];
    let query = "query($id: ID!) { node(id: $id) { id } }";
    let answer = app.ask_with(None, &headers, query, json!({"id": nobodys("Session")})).await;
    answer.code().map(str::to_owned)
}

#[test]
fn misses_of_who_says_nothing_count_for_a_whole_network() {
    everywhere_with(Content::Tables, behind_a_proxy, async |app| {
        for number in 0..MISSES {
            assert_eq!(miss(app, &format!("2001:db8:1:2:{number}::1")).await, None, "{number}");
        }
        for address in ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"] {
            assert_eq!(miss(app, address).await.as_deref(), Some("ERR-4002"), "{address}");
        }
        assert_eq!(miss(app, "2001:db8:1:3::1").await, None, "nobody else");
    });
}

#[test]
fn misses_count_for_the_last_address_that_a_proxy_of_ours_says() {
    everywhere_with(Content::Tables, behind_a_proxy, async |app| {
        for number in 0..MISSES {
            // What comes before it is written by who asks.
            let forwarded = format!("198.51.100.{number}, 203.0.113.7");
            assert_eq!(miss(app, &forwarded).await, None, "{number}");
        }
        for forwarded in ["198.51.100.99, 203.0.113.7", "203.0.113.7"] {
            assert_eq!(miss(app, forwarded).await.as_deref(), Some("ERR-4002"), "{forwarded}");
        }
        assert_eq!(miss(app, "203.0.113.7, 203.0.113.8").await, None, "another's word of it");
    });
}

everywhere! { Tables:
    async fn misses_count_for_the_other_end_whatever_address_it_says(app: TestApp) {
        for number in 0..MISSES {
            assert_eq!(miss(&app, &format!("198.51.100.{number}")).await, None, "{number}");
        }
        assert_eq!(miss(&app, "198.51.100.99").await.as_deref(), Some("ERR-4002"));
        assert_eq!(app.ask_as(None, "{ __typename }", json!(null)).await.code(), Some("ERR-4002"), "without a word too");
    }
}
