//! The rule of refresh tokens: each works once, and for some seconds gives the same successor again.

use chrono::TimeDelta;

/// What a token of a session that lasts is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    /// It is used now, for the first time: its successor is kept.
    First,
    /// Its user lost the answer: the same successor, again.
    Again,
    /// Two hold it: the session ends.
    Reused,
}

/// `used_for` is how long ago it was used first; absent where that is now. `is_successor_new` tells whether its successor is
/// there and was not used.
pub(super) fn worth(used_for: Option<TimeDelta>, is_successor_new: bool, grace: TimeDelta) -> Worth {
    match used_for {
        None => Worth::First,
        Some(used_for) if used_for <= grace && is_successor_new => Worth::Again,
        Some(_) => Worth::Reused,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::domain::accounts::token::{OpaqueToken, TokenKind};
    use crate::outside::Outside;

    const GRACE: TimeDelta = TimeDelta::seconds(10);
    const KEY: [u8; 32] = [7; 32];

    /// A session's tokens as the store has them: by digest, when each was used.
    struct Family {
        used: HashMap<Vec<u8>, Option<TimeDelta>>,
        has_ended: bool,
    }

    /// A refresh between its two steps. The store does the first of one token one after the other: who comes second waits for
    /// the commit of who came first.
    struct UnderWay {
        token: OpaqueToken,
        began: TimeDelta,
        used_at: TimeDelta,
    }

    impl Family {
        /// The first step: the token is marked, and where this was the first to do so, its successor is kept with it.
        fn mark(&mut self, token: &OpaqueToken, now: TimeDelta) -> Result<OpaqueToken, Option<UnderWay>> {
            if self.has_ended {
                return Err(None);
            }
            let used_at = self.used.get_mut(&token.digest()).expect("a token of the family");
            match used_at {
                None => {
                    *used_at = Some(now);
                    assert_eq!(worth(None, false, GRACE), Worth::First);
                    let successor = token.successor(&KEY);
                    let before = self.used.insert(successor.digest(), None);
                    assert!(before.is_none(), "a token has one successor, kept once");
                    Ok(successor)
                }
                Some(used_at) => Err(Some(UnderWay { token: token.clone(), began: now, used_at: *used_at })),
            }
        }

        /// The second: what is there of its successor decides.
        fn decide(&mut self, under_way: &UnderWay) -> Option<OpaqueToken> {
            if self.has_ended {
                return None;
            }
            let successor = under_way.token.successor(&KEY);
            let is_new = self.used.get(&successor.digest()) == Some(&None);
            match worth(Some(under_way.began - under_way.used_at), is_new, GRACE) {
                Worth::Again => Some(successor),
                _ => {
                    self.has_ended = true;
                    None
                }
            }
        }
    }

    /// One family and so many refreshes, of which any number are under way at once. Answers how many were given again, and
    /// whether the family ended.
    fn live(random: &mut StdRng, refreshes: usize) -> (usize, bool) {
        let first = OpaqueToken::new(TokenKind::Refresh, &Outside::system());
        let mut family = Family { used: HashMap::from([(first.digest(), None)]), has_ended: false };
        // In the order in which they were given; what a client may hold.
        let mut chain = vec![first];
        let mut now = TimeDelta::zero();
        let (mut waiting, mut again): (Vec<UnderWay>, usize) = (Vec::new(), 0);
        let patient = random.random_bool(0.5);
        for _ in 0..refreshes {
            now += TimeDelta::milliseconds(random.random_range(0..if patient { 400 } else { 4_000 }));
            // Mostly the newest, often the one before it, seldom an old one.
            let back = match random.random_range(0..1_000) {
                0 if !patient => random.random_range(0..chain.len()),
                0..400 => 1,
                _ => 0,
            };
            let token = chain[chain.len() - 1 - back.min(chain.len() - 1)].clone();
            let had_ended = family.has_ended;
            match family.mark(&token, now) {
                Ok(successor) => {
                    assert!(!had_ended, "what has ended gives nothing");
                    assert_eq!(token.digest(), chain[chain.len() - 1].digest(), "only the newest is unused");
                    chain.push(successor);
                }
                Err(None) => assert!(had_ended),
                Err(Some(under_way)) => waiting.push(under_way),
            }
            while !waiting.is_empty() && random.random_bool(0.6) {
                let under_way = waiting.swap_remove(random.random_range(0..waiting.len()));
                let position = chain.iter().position(|token| *token == under_way.token).expect("a token");
                let is_fresh = under_way.began - under_way.used_at <= GRACE && position + 2 == chain.len();
                let had_ended = family.has_ended;
                match family.decide(&under_way) {
                    Some(given) => {
                        assert!(!had_ended && is_fresh);
                        assert!(given == chain[position + 1], "the same to every try");
                        again += 1;
                    }
                    None => assert!(had_ended || !is_fresh, "who only lost the answer is not locked out"),
                }
            }
        }
        assert_eq!(family.used.len(), chain.len(), "no token beside the chain");
        (again, family.has_ended)
    }

    #[test]
    fn a_token_has_one_successor_however_many_refreshes_come_at_once() {
        let draws = std::env::var("DUALCASTER_TEST_DRAWS").ok().and_then(|draws| draws.parse().ok());
        let size: usize = draws.unwrap_or(60);
        let seed = rand::random();
        let mut random = StdRng::seed_from_u64(seed);
        let families: Vec<_> = (0..size).map(|_| live(&mut random, size.max(100))).collect();
        assert!(families.iter().any(|(again, _)| *again > 0), "some were given again: seed {seed}");
        assert!(families.iter().any(|(_, has_ended)| *has_ended), "some ended: seed {seed}");
    }
}
