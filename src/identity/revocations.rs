//! What was taken back of access tokens that would still hold.
//!
//! The database is the truth of sessions; asking it for every request would cost a statement each. So what was taken back
//! is noted where every request can look: in Redis for all servers, or in this process where there is one server. A note
//! is kept until the last token that it concerns has expired.
//!
//! Notes can be lost: a process starts again, Redis is flushed or was away when something was to be noted. So the notes
//! say since when they are whole, and a token that is older than that is looked up in the database. Nothing has to be
//! copied from the one to the other, and nothing that was taken back comes back.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::db::Connection;
use crate::domain::accounts::is_session_open;
use crate::error::Result;
use crate::outside::Outside;

/// What is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// All tokens of one session.
    Session { id: Uuid },
    /// All of a user's tokens of earlier epochs, but for those of one session.
    User { id: Uuid, epoch: i64, kept: Option<Uuid> },
}

/// What an access token stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub user: Uuid,
    pub session: Uuid,
    pub epoch: i64,
    pub issued_at: DateTime<Utc>,
}

impl Revoked {
    fn key(&self) -> String {
        match self {
            Self::Session { id } => format!("session:{id}"),
            Self::User { id, .. } => format!("user:{id}"),
        }
    }

    /// As a note of one word, and back.
    fn note(&self) -> String {
        match self {
            Self::Session { .. } => "ended".to_owned(),
            Self::User { epoch, kept, .. } => {
                format!("{epoch}:{}", kept.map_or_else(String::new, |kept| kept.to_string()))
            }
        }
    }

    fn of_message(message: &str) -> Option<Self> {
        let (key, note) = message.split_once('=')?;
        match key.split_once(':')? {
            ("session", id) => Some(Self::Session { id: id.parse().ok()? }),
            ("user", id) => {
                let (epoch, kept) = note.split_once(':')?;
                Some(Self::User { id: id.parse().ok()?, epoch: epoch.parse().ok()?, kept: kept.parse().ok() })
            }
            _ => None,
        }
    }

    /// Whether this takes back what `standing` stands on.
    pub fn concerns(&self, standing: &Standing) -> bool {
        match self {
            Self::Session { id } => *id == standing.session,
            Self::User { id, epoch, kept } => {
                *id == standing.user && standing.epoch < *epoch && *kept != Some(standing.session)
            }
        }
    }
}

/// Where every request looks.
pub struct Revocations {
    notes: Notes,
    /// How long a note is kept: as long as a token lasts, and servers' clocks may be apart.
    kept_for: TimeDelta,
    outside: Outside,
    /// For what stays open: sockets.
    told: broadcast::Sender<Revoked>,
}

enum Notes {
    InProcess(InProcess),
    Redis(InRedis),
}

struct InProcess {
    whole_since: DateTime<Utc>,
    notes: Mutex<HashMap<String, (Revoked, DateTime<Utc>)>>,
}

struct InRedis {
    connection: ConnectionManager,
    /// What every key begins with.
    prefix: String,
    /// Microseconds of the moment until which Redis is left alone, having failed; 0 while it answers.
    away_until: AtomicI64,
}

/// Takes a user's note, unless one of a later epoch is there, and tells the servers.
const NOTE: &str = "
    local there = redis.call('GET', KEYS[1])
    local epoch = there and tonumber(string.match(there, '^(%d+):'))
    if not (epoch and epoch > (tonumber(string.match(ARGV[1], '^(%d+):')) or 0)) then
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    end
    redis.call('PUBLISH', ARGV[3], ARGV[4])
";
/// How far servers' clocks may be apart.
const SKEW: TimeDelta = TimeDelta::seconds(5);
/// How long Redis has to answer.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long Redis is left alone after it failed.
const PAUSE: TimeDelta = TimeDelta::seconds(1);
/// Revocations that a slow listener may be behind.
const BEHIND: usize = 1024;

impl Revocations {
    /// `redis` comes with what every key there begins with.
    pub fn new(
        redis: Option<(ConnectionManager, &str)>,
        token_lifetime: TimeDelta,
        outside: Outside,
    ) -> Self {
        let notes = match redis {
            Some((connection, prefix)) => Notes::Redis(InRedis {
                connection,
                prefix: format!("{prefix}revoked:"),
                away_until: AtomicI64::new(0),
            }),
            None => Notes::InProcess(InProcess { whole_since: outside.now(), notes: Mutex::default() }),
        };
        let told = broadcast::Sender::new(BEHIND);
        Self { notes, kept_for: token_lifetime + SKEW + SKEW, outside, told }
    }

    /// Whether a token still holds. `connection` is the primary: no such decision is made by a replica.
    ///
    /// # Errors
    /// The database's, where it had to be asked.
    pub async fn holds(&self, connection: &Connection, standing: &Standing) -> Result<bool> {
        let known = match &self.notes {
            Notes::InProcess(notes) => notes.look_up(standing, self.outside.now()),
            Notes::Redis(notes) => self.look_up(notes, standing).await,
        };
        match known {
            Some(revoked) => Ok(!revoked),
            None => is_session_open(connection, standing.user, standing.session, self.outside.now()).await,
        }
    }

    /// Notes what the database has just been told.
    pub async fn note(&self, revoked: Revoked) {
        let _ = self.told.send(revoked);
        match &self.notes {
            Notes::InProcess(notes) => notes.note(revoked, self.outside.now(), self.kept_for),
            Notes::Redis(notes) => {
                let milliseconds = u64::try_from(self.kept_for.num_milliseconds()).unwrap_or(u64::MAX);
                let (key, note) = (revoked.key(), revoked.note());
                let mut connection = notes.connection.clone();
                let mut noting = redis::cmd("EVAL");
                noting.arg(NOTE).arg(1).arg(notes.key(&key)).arg(&note).arg(milliseconds);
                noting.arg(notes.channel()).arg(format!("{key}={note}"));
                let sent = noting.query_async::<()>(&mut connection);
                if !matches!(tokio::time::timeout(PATIENCE, sent).await, Ok(Ok(()))) {
                    tracing::warn!("Redis is away: what was taken back is looked up in the database");
                    notes.leave_alone(self.outside.now());
                    // The other servers may not have seen it go, and would miss this note when it is back.
                    tokio::spawn(make_up(
                        notes.connection.clone(),
                        notes.key(WHOLE_SINCE),
                        self.outside.clone(),
                    ));
                }
            }
        }
    }

    /// What the notes say: whether it was taken back, or nothing, where they may not know.
    async fn look_up(&self, notes: &InRedis, standing: &Standing) -> Option<bool> {
        let now = self.outside.now();
        let away_until = notes.away_until.load(Ordering::Acquire);
        if away_until > now.timestamp_micros() {
            return None;
        }
        let mut connection = notes.connection.clone();
        // After a time away, what was to be noted in it is not there.
        if away_until != 0 {
            let set = connection.set::<_, _, ()>(notes.key(WHOLE_SINCE), now.timestamp_micros());
            if !matches!(tokio::time::timeout(PATIENCE, set).await, Ok(Ok(()))) {
                notes.leave_alone(now);
                return None;
            }
            let _ = notes.away_until.compare_exchange(away_until, 0, Ordering::AcqRel, Ordering::Acquire);
        }
        let keys = [
            notes.key(WHOLE_SINCE),
            notes.key(&format!("session:{}", standing.session)),
            notes.key(&format!("user:{}", standing.user)),
        ];
        let asked = connection.mget::<_, (Option<i64>, Option<String>, Option<String>)>(&keys);
        let Ok(Ok((whole_since, session, user))) = tokio::time::timeout(PATIENCE, asked).await else {
            notes.leave_alone(now);
            return None;
        };
        let of_user = user.and_then(|note| Revoked::of_message(&format!("user:{}={note}", standing.user)));
        if session.is_some() || of_user.is_some_and(|revoked| revoked.concerns(standing)) {
            return Some(true);
        }
        let Some(whole_since) = whole_since.and_then(DateTime::from_timestamp_micros) else {
            // Empty: it was flushed, or this is the first server. The first to see it says so.
            let _: Result<bool, _> = connection.set_nx(notes.key(WHOLE_SINCE), now.timestamp_micros()).await;
            return None;
        };
        (standing.issued_at > whole_since + SKEW).then_some(false)
    }

    /// Ends when what a token stands on is taken back.
    pub async fn taken_back(&self, connection: &Connection, standing: &Standing) {
        let mut told = self.told.subscribe();
        // What was told before this began to listen.
        if matches!(self.holds(connection, standing).await, Ok(false)) {
            return;
        }
        loop {
            // Also where nobody was told: the other servers' word may be lost.
            match tokio::time::timeout(LOOKED_EVERY, told.recv()).await {
                Ok(Ok(revoked)) if revoked.concerns(standing) => return,
                Ok(Ok(_)) => {}
                Ok(Err(broadcast::error::RecvError::Closed)) => return,
                Ok(Err(broadcast::error::RecvError::Lagged(_))) | Err(_) => {
                    if matches!(self.holds(connection, standing).await, Ok(false)) {
                        return;
                    }
                }
            }
        }
    }

    /// Hands on what other servers take back, for as long as the server runs. `client` is of the same Redis.
    pub async fn listen(&self, client: &redis::Client) {
        use futures_util::StreamExt;
        let Notes::Redis(notes) = &self.notes else {
            return;
        };
        let channel = notes.channel();
        loop {
            match client.get_async_pubsub().await {
                Ok(mut listening) => {
                    if listening.subscribe(&channel).await.is_ok() {
                        let mut messages = listening.on_message();
                        while let Some(message) = messages.next().await {
                            let told = message.get_payload::<String>().ok();
                            if let Some(revoked) = told.and_then(|told| Revoked::of_message(&told)) {
                                let _ = self.told.send(revoked);
                            }
                        }
                    }
                    tracing::warn!("the other servers are not heard: Redis has closed the subscription");
                }
                Err(error) => tracing::warn!(%error, "the other servers are not heard"),
            }
            tokio::time::sleep(LISTENED_AGAIN).await;
        }
    }
}

/// Says, as soon as Redis hears it, that its notes are whole from then on only.
async fn make_up(mut connection: ConnectionManager, key: String, outside: Outside) {
    loop {
        let set = connection.set::<_, _, ()>(&key, outside.now().timestamp_micros());
        if matches!(tokio::time::timeout(PATIENCE, set).await, Ok(Ok(()))) {
            return;
        }
        tokio::time::sleep(PATIENCE).await;
    }
}

/// How often somebody who stays is looked up, heard or not.
const LOOKED_EVERY: Duration = Duration::from_secs(10);
/// How soon the other servers are listened to again.
const LISTENED_AGAIN: Duration = Duration::from_millis(500);

/// The key of the moment since when the notes in Redis are whole, in microseconds.
const WHOLE_SINCE: &str = "whole-since";

impl InRedis {
    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Where servers tell each other.
    fn channel(&self) -> String {
        self.key("told")
    }

    fn leave_alone(&self, now: DateTime<Utc>) {
        self.away_until.store((now + PAUSE).timestamp_micros(), Ordering::Release);
    }
}

impl InProcess {
    fn note(&self, revoked: Revoked, now: DateTime<Utc>, kept_for: TimeDelta) {
        let Ok(mut notes) = self.notes.lock() else { return };
        // Notes are few and short-lived: whoever adds one takes the old ones away.
        notes.retain(|_, (_, until)| *until > now);
        // What ends more stays: commands may come here in another order than they were done.
        let outdone = matches!(
            (notes.get(&revoked.key()), revoked),
            (Some((Revoked::User { epoch: there, .. }, _)), Revoked::User { epoch, .. }) if *there > epoch
        );
        if !outdone {
            notes.insert(revoked.key(), (revoked, now + kept_for));
        }
    }

    fn look_up(&self, standing: &Standing, now: DateTime<Utc>) -> Option<bool> {
        let notes = self.notes.lock().ok()?;
        let keys = [format!("session:{}", standing.session), format!("user:{}", standing.user)];
        let noted = keys.iter().filter_map(|key| notes.get(key)).filter(|(_, until)| *until > now);
        if noted.into_iter().any(|(revoked, _)| revoked.concerns(standing)) {
            return Some(true);
        }
        (standing.issued_at > self.whole_since).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(session: u128, epoch: i64) -> Standing {
        Standing {
            user: Uuid::from_u128(1),
            session: Uuid::from_u128(session),
            epoch,
            issued_at: DateTime::from_timestamp(1_000, 0).expect("a moment"),
        }
    }

    #[test]
    fn a_note_comes_back_as_what_it_says() {
        let (id, kept) = (Uuid::from_u128(1), Some(Uuid::from_u128(2)));
        for revoked in [
            Revoked::Session { id },
            Revoked::User { id, epoch: 7, kept },
            Revoked::User { id, epoch: i64::MAX, kept: None },
        ] {
            assert_eq!(Revoked::of_message(&format!("{}={}", revoked.key(), revoked.note())), Some(revoked));
        }
        for nonsense in ["", "=", "session:x=ended", "user:1=2", "card:1=2"] {
            assert_eq!(Revoked::of_message(nonsense), None);
        }
    }

    #[test]
    fn an_epoch_takes_back_all_earlier_tokens_but_the_kept_sessions() {
        let user = Uuid::from_u128(1);
        let all_but_two = Revoked::User { id: user, epoch: 5, kept: Some(Uuid::from_u128(2)) };
        assert!(all_but_two.concerns(&standing(3, 4)));
        assert!(!all_but_two.concerns(&standing(3, 5)), "signed in again since");
        assert!(!all_but_two.concerns(&standing(2, 4)), "the one that was kept");
        assert!(Revoked::Session { id: Uuid::from_u128(3) }.concerns(&standing(3, 4)));
        assert!(!Revoked::Session { id: Uuid::from_u128(3) }.concerns(&standing(2, 4)));
    }

    #[test]
    fn in_process_notes_know_only_of_tokens_made_since_they_began() {
        let start = DateTime::from_timestamp(1_000, 0).expect("a moment");
        let notes = InProcess { whole_since: start, notes: Mutex::default() };
        let issued = |seconds| Standing { issued_at: start + TimeDelta::seconds(seconds), ..standing(3, 0) };
        assert_eq!(notes.look_up(&issued(0), start), None, "asked of the database");
        assert_eq!(notes.look_up(&issued(1), start), Some(false));
        notes.note(Revoked::Session { id: Uuid::from_u128(3) }, start, TimeDelta::seconds(10));
        assert_eq!(notes.look_up(&issued(1), start), Some(true));
        assert_eq!(notes.look_up(&issued(0), start), Some(true));
        let later = start + TimeDelta::seconds(11);
        notes.note(Revoked::Session { id: Uuid::from_u128(9) }, later, TimeDelta::seconds(10));
        assert_eq!(notes.notes.lock().expect("not poisoned").len(), 1, "old notes go");
    }
}
