//! Connections in hand. sqlx's pool pings a connection whenever it is given back, from a task of its own: a round trip
//! for every statement. A lease that ended well is kept here for the next instead, and goes by the pool once a minute,
//! where its age is looked at.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, Pool, Postgres, Sqlite};
use sea_orm::{ConnAcquireErr, DatabaseConnection, DbBackend, DbErr, RuntimeErr};

use super::alarm::{Alarm, Armed};
use super::raw::Raw;

/// How long a connection stays away from the pool.
const AWAY: Duration = Duration::from_secs(60);

/// The connections in hand of one pool. Cheap to clone.
#[derive(Clone)]
pub(super) struct Leases(Arc<Stores>);

enum Stores {
    Postgres(Kept<Postgres>),
    Sqlite(Kept<Sqlite>),
}

struct Kept<D: sqlx::Database> {
    pool: Pool<D>,
    /// The last one back is the first one out: it is the warmest.
    idle: Mutex<Vec<Away<D>>>,
    /// At most this many are kept, so that the pool is never without for those who ask it directly.
    most: usize,
    /// Who waits for the pool; while there is someone, nothing is kept from it.
    waiting: AtomicUsize,
}

/// A connection away from its pool, and since when.
struct Away<D: sqlx::Database> {
    connection: PoolConnection<D>,
    since: Instant,
    /// On SQLite.
    alarm: Option<Alarm>,
}

/// A connection for one statement. Dropped without [`Lease::keep`], it goes back to the pool, which looks whether it is
/// sound.
pub(super) struct Lease<'a>(Held<'a>);

enum Held<'a> {
    Postgres(&'a Kept<Postgres>, Away<Postgres>),
    Sqlite(&'a Kept<Sqlite>, Away<Sqlite>),
}

/// Someone waits for the pool, until this is dropped.
pub(super) struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<D: sqlx::Database> Kept<D> {
    fn new(pool: Pool<D>, most: usize) -> Self {
        Self { pool, idle: Mutex::default(), most, waiting: AtomicUsize::new(0) }
    }

    async fn take(&self) -> Result<Away<D>, DbErr> {
        if let Some(away) = self.idle().pop() {
            return Ok(away);
        }
        let _waiting = Waiting::new(&self.waiting);
        // In a box of its own: most statements find one in hand, and would carry this along.
        let connection = Box::pin(self.pool.acquire()).await.map_err(acquire_error)?;
        Ok(Away { connection, since: Instant::now(), alarm: None })
    }

    fn keep(&self, away: Away<D>) {
        let wanted = self.waiting.load(Ordering::Relaxed) > 0 || self.pool.is_closed();
        if !wanted && away.since.elapsed() < AWAY {
            let mut idle = self.idle();
            if idle.len() < self.most {
                idle.push(away);
            }
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Away<D>>> {
        // Nothing panics while it holds the lock; if something did, the list is still whole.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does the same for whichever store it is.
macro_rules! with {
    ($stores:expr, $kept:ident => $body:expr) => {
        match $stores {
            Stores::Postgres($kept) => $body,
            Stores::Sqlite($kept) => $body,
        }
    };
}

impl Leases {
    /// Keeps at most this many connections in hand.
    pub fn new(pool: &DatabaseConnection, most: u32) -> Self {
        let most = most as usize;
        Self(Arc::new(if pool.get_database_backend() == DbBackend::Postgres {
            Stores::Postgres(Kept::new(pool.get_postgres_connection_pool().clone(), most))
        } else {
            Stores::Sqlite(Kept::new(pool.get_sqlite_connection_pool().clone(), most))
        }))
    }

    /// # Errors
    /// When no connection is free in time.
    pub async fn take(&self) -> Result<Lease<'_>, DbErr> {
        Ok(Lease(match &*self.0 {
            Stores::Postgres(kept) => Held::Postgres(kept, kept.take().await?),
            Stores::Sqlite(kept) => {
                let mut away = kept.take().await?;
                if away.alarm.is_none() {
                    away.alarm =
                        Some(Box::pin(Alarm::on(&mut away.connection)).await.map_err(acquire_error)?);
                }
                Held::Sqlite(kept, away)
            }
        }))
    }

    /// Says that someone is about to ask the pool itself, and gives it what is in hand where it has nothing else.
    pub fn about_to_wait(&self) -> Waiting<'_> {
        let waiting = Waiting::new(with!(&*self.0, kept => &kept.waiting));
        let is_used_up = with!(&*self.0, kept => kept.pool.num_idle() == 0 && kept.pool.size() >= kept.pool.options().get_max_connections());
        if is_used_up {
            self.give_back();
        }
        waiting
    }

    /// Gives what is in hand back to the pool.
    pub fn give_back(&self) {
        with!(&*self.0, kept => {
            let idle = std::mem::take(&mut *kept.idle());
            drop(idle);
        });
    }

    /// Connections open, and of these idle.
    pub fn size(&self) -> (u32, usize) {
        with!(&*self.0, kept => (kept.pool.size(), kept.pool.num_idle() + kept.idle().len()))
    }
}

impl Lease<'_> {
    pub fn raw(&mut self) -> Raw<'_> {
        match &mut self.0 {
            Held::Postgres(_, away) => Raw::Postgres(&mut away.connection),
            Held::Sqlite(_, away) => Raw::Sqlite(&mut away.connection),
        }
    }

    /// Has the statement that is sent next stopped at its deadline, where the store does not do so itself.
    pub fn arm(&self, deadline: Option<Duration>) -> Option<Armed> {
        match &self.0 {
            Held::Postgres(..) => None,
            Held::Sqlite(_, away) => away.alarm.as_ref().map(|alarm| alarm.set(deadline)),
        }
    }

    /// Keeps the connection for the next, after a statement that ended well.
    pub fn keep(self) {
        match self.0 {
            Held::Postgres(kept, away) => kept.keep(away),
            Held::Sqlite(kept, away) => kept.keep(away),
        }
    }
}

pub(super) fn acquire_error(error: sqlx::Error) -> DbErr {
    match error {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        error => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
    }
}
