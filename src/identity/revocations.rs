//! What was taken back of access tokens that would still hold.
//!
//! The database is the truth of sessions; asking it for every request would cost a statement each. So what was taken back
//! is noted where every request can look: in Redis for all servers, or in this process where there is one server. A note
//! is kept until the last token that it concerns has expired.
//!
//! Notes can be lost: a process starts again, Redis is flushed or was away when something was to be noted. So the notes
//! say since when they are whole, and a token that is older than that is looked up in the database. Nothing has to be
//! copied from the one to the other, and nothing that was taken back comes back.
//!
//! A server can end between the commit and the note, and one can lose Redis that the others still hear. So it is told before
//! the transaction begins that something may be taken back: while that is in doubt, the database is asked. It is told in
//! Redis, or else by the database itself, where the other servers look each second.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use tokio::sync::broadcast;
use uuid::Uuid;

use super::revoked::{Revoked, Standing, Subject};
use crate::db::Connection;
use crate::domain::accounts::{forget_unheard, is_session_open, note_unheard, unheard_until};
use crate::error::Result;
use crate::outside::Outside;

/// That something may be taken back by now, until it is known what was. One that is dropped lasts until the last token that
/// it concerns has expired: the transaction may have ended either way.
#[must_use]
#[derive(Debug)]
pub struct Doubt {
    subject: Subject,
    /// What the other servers know it by in the database, where Redis could not tell them.
    unheard: Option<Uuid>,
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
    /// Microseconds of the moment until which there is something that another server could not note in Redis; 0 where there is
    /// nothing.
    unheard_until: AtomicI64,
}

/// Doubts something once more.
const DOUBT: &str = "
    redis.call('INCR', KEYS[1])
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
";
/// Takes one doubt away: of several at once each is its own server's.
const SETTLE: &str = "
    if (tonumber(redis.call('GET', KEYS[1])) or 0) > 1 then redis.call('DECR', KEYS[1]) else redis.call('DEL', KEYS[1]) end
";
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
/// How often it is looked for what Redis could not tell.
const UNHEARD_EVERY: Duration = Duration::from_secs(1);
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
                unheard_until: AtomicI64::new(0),
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

    /// Says that something may be taken back from now on: before the transaction that does it, which is not to begin where
    /// this could not be said.
    ///
    /// # Errors
    /// The database's, where Redis is away.
    pub async fn doubt(&self, connection: &Connection, subject: Subject) -> Result<Doubt> {
        let mut doubt = Doubt { subject, unheard: None };
        if let Notes::Redis(notes) = &self.notes {
            let milliseconds = self.kept_milliseconds();
            if !notes.tell(DOUBT, &notes.doubt_key(subject), &[milliseconds.to_string()]).await {
                let id = self.outside.uuid();
                note_unheard(connection, id, self.outside.now() + self.kept_for).await?;
                doubt.unheard = Some(id);
            }
        }
        Ok(doubt)
    }

    /// Says that nothing was taken back after all.
    pub async fn settle(&self, connection: &Connection, doubt: Doubt) {
        let Notes::Redis(notes) = &self.notes else { return };
        match doubt.unheard {
            Some(id) => forget(connection, id).await,
            None => {
                notes.tell(SETTLE, &notes.doubt_key(doubt.subject), &[]).await;
            }
        }
    }

    /// Notes what the database has just been told, of which there is no doubt any more.
    pub async fn note(&self, connection: &Connection, revoked: Revoked, doubt: Option<Doubt>) {
        let _ = self.told.send(revoked);
        match &self.notes {
            Notes::InProcess(notes) => notes.note(revoked, self.outside.now(), self.kept_for),
            Notes::Redis(notes) => {
                let (key, note) = (revoked.key(), revoked.note());
                let told = format!("{key}={note}");
                let words = [note, self.kept_milliseconds().to_string(), notes.channel(), told];
                if notes.tell(NOTE, &notes.key(&key), &words).await {
                    if let Some(doubt) = doubt {
                        self.settle(connection, doubt).await;
                    }
                    return;
                }
                tracing::warn!("Redis is away: what was taken back is looked up in the database");
                notes.leave_alone(self.outside.now());
                // The other servers may not have seen it go, and would miss this note when it is back.
                let unheard = doubt.and_then(|doubt| doubt.unheard).map(|id| (connection.clone(), id));
                let (redis, key) = (notes.connection.clone(), notes.key(WHOLE_SINCE));
                tokio::spawn(make_up(redis, key, self.outside.clone(), unheard));
            }
        }
    }

    fn kept_milliseconds(&self) -> u64 {
        u64::try_from(self.kept_for.num_milliseconds()).unwrap_or(u64::MAX)
    }

    /// Looks whether another server has something to tell that it can't say in Redis.
    ///
    /// # Errors
    /// The database's; then what was known stays so.
    pub async fn look_for_unheard(&self, connection: &Connection) -> Result<()> {
        if let Notes::Redis(notes) = &self.notes {
            let until = unheard_until(connection).await?.map_or(0, |until| until.timestamp_micros());
            notes.unheard_until.store(until, Ordering::Release);
        }
        Ok(())
    }

    /// Looks for it each second, for as long as the server runs.
    pub async fn keep_looking(&self, connection: &Connection) {
        if !matches!(self.notes, Notes::Redis(_)) {
            return;
        }
        loop {
            if let Err(error) = self.look_for_unheard(connection).await {
                tracing::warn!(
                    error = error.log_text(),
                    "what other servers take back is not seen in the database"
                );
            }
            tokio::time::sleep(UNHEARD_EVERY).await;
        }
    }

    /// What the notes say: whether it was taken back, or nothing, where they may not know.
    async fn look_up(&self, notes: &InRedis, standing: &Standing) -> Option<bool> {
        let now = self.outside.now();
        let away_until = notes.away_until.load(Ordering::Acquire);
        if away_until.max(notes.unheard_until.load(Ordering::Acquire)) > now.timestamp_micros() {
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
        let (session, user) = (Subject::Session(standing.session), Subject::User(standing.user));
        let keys = [
            notes.key(WHOLE_SINCE),
            notes.key(&session.key()),
            notes.key(&user.key()),
            notes.doubt_key(session),
            notes.doubt_key(user),
        ];
        type Told = (Option<i64>, Option<String>, Option<String>, Option<i64>, Option<i64>);
        let asked = connection.mget::<_, Told>(&keys);
        let Ok(Ok((whole_since, session, user, of_session, of_user))) =
            tokio::time::timeout(PATIENCE, asked).await
        else {
            notes.leave_alone(now);
            return None;
        };
        let user = user.and_then(|note| Revoked::of_message(&format!("user:{}={note}", standing.user)));
        if session.is_some() || user.is_some_and(|revoked| revoked.concerns(standing)) {
            return Some(true);
        }
        if of_session.or(of_user).is_some() {
            return None;
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

/// Says, as soon as Redis hears it, that its notes are whole from then on only; the database need not say so any more.
async fn make_up(
    mut redis: ConnectionManager,
    key: String,
    outside: Outside,
    unheard: Option<(Connection, Uuid)>,
) {
    loop {
        let set = redis.set::<_, _, ()>(&key, outside.now().timestamp_micros());
        if matches!(tokio::time::timeout(PATIENCE, set).await, Ok(Ok(()))) {
            if let Some((connection, id)) = unheard {
                forget(&connection, id).await;
            }
            return;
        }
        tokio::time::sleep(PATIENCE).await;
    }
}

async fn forget(connection: &Connection, unheard: Uuid) {
    if let Err(error) = forget_unheard(connection, unheard).await {
        // Its time will be over.
        tracing::warn!(error = error.log_text(), "what was told in the database stays told for a while");
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

    fn doubt_key(&self, subject: Subject) -> String {
        self.key(&format!("doubt:{}", subject.key()))
    }

    /// Runs a script about a key, and says whether Redis has done so in time.
    async fn tell(&self, script: &str, key: &str, words: &[String]) -> bool {
        let mut telling = redis::cmd("EVAL");
        telling.arg(script).arg(1).arg(key).arg(words);
        let mut connection = self.connection.clone();
        let told = telling.query_async::<()>(&mut connection);
        matches!(tokio::time::timeout(PATIENCE, told).await, Ok(Ok(())))
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
    use super::super::revoked::tests::standing;
    use super::*;

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
