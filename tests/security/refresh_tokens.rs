//! Refresh tokens: each works once, for ten seconds gives the same answer again, and ends its session if it comes twice.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{refresh, sign_in, sign_up, whoami};
use crate::harness::{draws, everywhere};

/// The rules, as simply as they can be said: the tokens of one session in their order.
struct Family {
    tokens: Vec<Held>,
}

struct Held {
    text: String,
    used_at: Option<DateTime<Utc>>,
}

impl Family {
    fn of(first: String) -> Self {
        Self { tokens: vec![Held { text: first, used_at: None }] }
    }

    /// The place of the token that is given for this one; nothing, where the session ends.
    fn use_token(&mut self, token: usize, now: DateTime<Utc>) -> Option<usize> {
        let child = token + 1;
        match self.tokens[token].used_at {
            None => {
                self.tokens[token].used_at = Some(now);
                Some(child)
            }
            Some(used_at) => {
                let is_fresh = now - used_at <= TimeDelta::seconds(10);
                let is_unused = self.tokens.get(child).is_some_and(|child| child.used_at.is_none());
                (is_fresh && is_unused).then_some(child)
            }
        }
    }
}

everywhere! { Tables:
    async fn a_token_works_once_and_gives_the_identical_pair_for_ten_seconds(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let first = refresh(&app, &ada.refresh).await.field().clone();
        assert_ne!(first["refreshToken"], ada.refresh);
        app.clock.advance(TimeDelta::seconds(9));
        let again = refresh(&app, &ada.refresh).await.field().clone();
        assert_eq!(again, first, "the lost answer, to the letter");
        app.clock.advance(TimeDelta::seconds(2));
        assert_eq!(refresh(&app, &ada.refresh).await.code(), Some("ERR-2003"), "too late: it is somebody else's");
        let child = first["refreshToken"].as_str().expect("a token");
        assert_eq!(refresh(&app, child).await.code(), Some("ERR-2003"), "the whole session has ended");
        let access = first["accessToken"].as_str().expect("a token");
        assert_eq!(whoami(&app, access).await, Err("ERR-2003".to_owned()));
    }

    async fn a_parent_whose_child_was_used_ends_the_session_at_once(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let other = sign_in(&app, "ada@example.com").await;
        let child = refresh(&app, &ada.refresh).await.field()["refreshToken"].as_str().expect("a token").to_owned();
        let grandchild = refresh(&app, &child).await.field()["refreshToken"].as_str().expect("a token").to_owned();
        assert_eq!(refresh(&app, &ada.refresh).await.code(), Some("ERR-2003"));
        assert_eq!(refresh(&app, &grandchild).await.code(), Some("ERR-2003"));
        assert_eq!(whoami(&app, &ada.access).await, Err("ERR-2003".to_owned()));
        assert_eq!(whoami(&app, &other.access).await, Ok(Some("ada@example.com".to_owned())), "another session");
    }

    async fn of_fifty_that_come_at_once_all_get_one_child(app: TestApp) {
        let mut ada = sign_up(&app, "ada@example.com").await;
        for family in 1..=draws(2) {
            let at_once = (0..50).map(|_| refresh(&app, &ada.refresh));
            let answers = futures_util::future::join_all(at_once).await;
            let pairs: HashSet<String> = answers.iter().map(|answer| answer.field().to_string()).collect();
            assert_eq!(pairs.len(), 1, "{pairs:?}");
            let tokens = i64::try_from(family).expect("a number") * 2;
            assert_eq!(app.rows("refresh_tokens").await, tokens, "each family has one child");
            if family < draws(2) {
                ada = sign_in(&app, "ada@example.com").await;
            }
        }
        app.clock.advance(TimeDelta::seconds(11));
        let at_once = (0..10).map(|_| refresh(&app, &ada.refresh));
        for answer in futures_util::future::join_all(at_once).await {
            assert_eq!(answer.code(), Some("ERR-2003"));
        }
    }

    async fn a_long_and_random_life_goes_as_the_rules_say(app: TestApp) {
        use rand::{RngExt, SeedableRng};
        let seed: u64 = rand::random();
        let mut random = rand::rngs::StdRng::seed_from_u64(seed);
        let mut family = Family::of(sign_up(&app, "ada@example.com").await.refresh);
        let (mut renewed, mut ended) = (0, 0);
        for step in 0..draws(150) {
            app.clock.advance(TimeDelta::milliseconds([0, 500, 4_000, 9_900, 10_100][random.random_range(0..5)]));
            // Mostly the newest token or the one before it, now and then any.
            let known = family.tokens.len();
            let back = if random.random_range(0..8) == 0 { random.random_range(0..known) } else { random.random_range(0..known.min(2)) };
            let token = known - 1 - back;
            let now = app.clock.now();
            let expected = family.use_token(token, now);
            let answer = refresh(&app, &family.tokens[token].text.clone()).await;
            match expected {
                Some(child) => {
                    let given = answer.field()["refreshToken"].as_str().expect("a token").to_owned();
                    match family.tokens.get(child) {
                        Some(before) => assert_eq!(given, before.text, "step {step} of seed {seed}"),
                        None => family.tokens.push(Held { text: given, used_at: None }),
                    }
                    renewed += 1;
                }
                None => {
                    assert_eq!(answer.code(), Some("ERR-2003"), "step {step} of seed {seed}");
                    ended += 1;
                    family = Family::of(sign_in(&app, "ada@example.com").await.refresh);
                }
            }
        }
        assert!(renewed > 20 && ended > 5, "{renewed} and {ended}: nothing was tried");
    }

    async fn a_session_ends_after_thirty_days_without_use(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        app.clock.advance(TimeDelta::days(29));
        let token = refresh(&app, &ada.refresh).await.field()["refreshToken"].as_str().expect("a token").to_owned();
        app.clock.advance(TimeDelta::days(29));
        let token = refresh(&app, &token).await.field()["refreshToken"].as_str().expect("a token").to_owned();
        app.clock.advance(TimeDelta::days(30));
        assert_eq!(refresh(&app, &token).await.code(), Some("ERR-2002"));
    }

    async fn the_store_knows_a_token_by_its_digest_only(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        assert!(ada.refresh.starts_with("dcr_") && ada.refresh.len() == 4 + 43, "256 bits in base64");
        let bytes = |row: &str| format!("select count(*) as n from refresh_tokens where length(hash) = {row}");
        assert_eq!(app.number(&bytes("32")).await, 1);
        for nonsense in ["", "dcr_", "dcr_AAAA", &ada.access, &format!("{}x", ada.refresh)] {
            assert_eq!(refresh(&app, nonsense).await.code(), Some("ERR-2003"), "{nonsense:?}");
        }
        assert_eq!(whoami(&app, &ada.access).await, Ok(Some(ada.email)), "nonsense ends nobody's session");
    }
}
