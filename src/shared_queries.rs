//! Automatic persisted queries that servers keep for each other, in Redis.
//!
//! Strangers can make queries known, and Redis has more to hold than these. So only so many are kept there, those that
//! were looked for or made known last, and each for a week from then. While Redis is away, each server knows its own.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::FromRedisValue;
use redis::aio::ConnectionManager;

use crate::engine::{QueryHash, SharedQueries};
use crate::patience::Patience;

/// How long a query is kept after its last use, in milliseconds.
const KEPT_FOR: u64 = 7 * 24 * 60 * 60 * 1_000;
/// Queries kept at most: 64 MB where each is as long as a document may be.
const MOST: u64 = 1_000;

/// KEYS: the query's, and that of the order of use. ARGV: how long it is kept, how many are kept.
const FIND: &str = "
    local query = redis.call('GETEX', KEYS[1], 'PX', ARGV[1])
    if query then
        local time = redis.call('TIME')
        redis.call('ZADD', KEYS[2], time[1] * 1000000 + time[2], KEYS[1])
        redis.call('PEXPIRE', KEYS[2], ARGV[1])
    end
    return query
";
/// The same, with the query as the last of ARGV.
const KEEP: &str = "
    local time = redis.call('TIME')
    redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[1])
    redis.call('ZADD', KEYS[2], time[1] * 1000000 + time[2], KEYS[1])
    redis.call('PEXPIRE', KEYS[2], ARGV[1])
    local beyond = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[2])
    if beyond > 0 then
        local oldest = redis.call('ZPOPMIN', KEYS[2], beyond)
        for at = 1, #oldest, 2 do
            redis.call('DEL', oldest[at])
        end
    end
";

/// Those in one Redis.
pub struct RedisQueries {
    connection: ConnectionManager,
    /// What every key begins with.
    prefix: String,
    patience: Patience,
}

impl RedisQueries {
    /// `prefix` is what every key in this Redis begins with.
    pub fn new(connection: ConnectionManager, prefix: &str) -> Self {
        Self {
            connection,
            prefix: format!("{prefix}persisted:"),
            patience: Patience::new("this server knows the queries that it was sent itself"),
        }
    }

    /// What a script answers; nothing, where Redis is away.
    async fn ask<T: FromRedisValue>(&self, script: &str, hash: &QueryHash, query: Option<&str>) -> Option<T> {
        let prefix = &self.prefix;
        let mut asking = redis::cmd("EVAL");
        asking.arg(script).arg(2).arg(format!("{prefix}{hash}")).arg(format!("{prefix}order"));
        asking.arg(KEPT_FOR).arg(MOST);
        if let Some(query) = query {
            asking.arg(query);
        }
        let mut connection = self.connection.clone();
        self.patience.ask(asking.query_async(&mut connection)).await
    }
}

impl SharedQueries for RedisQueries {
    fn find<'a>(&'a self, hash: &'a QueryHash) -> BoxFuture<'a, Option<Vec<u8>>> {
        self.ask::<Option<Vec<u8>>>(FIND, hash, None).map(Option::flatten).boxed()
    }

    fn keep<'a>(&'a self, hash: &'a QueryHash, query: &'a str) -> BoxFuture<'a, ()> {
        self.ask::<()>(KEEP, hash, Some(query)).map(|_| ()).boxed()
    }
}
