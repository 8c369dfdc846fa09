//! The bell between processes: it says that there is something to read, and not what.

use std::time::Duration;

use futures_util::StreamExt;

/// How soon Redis is listened to again where it went away.
const AGAIN: Duration = Duration::from_millis(500);
/// How long Redis has to take a ring: who rings has written already what there is to read.
const PATIENCE: Duration = Duration::from_millis(500);

/// Rings for all servers that share a Redis; without one it is silent, and they look by themselves.
#[derive(Debug, Clone)]
pub struct Bell {
    redis: Option<(redis::Client, String)>,
}

impl Bell {
    /// `redis` comes with what every key there begins with.
    pub fn new(redis: Option<(redis::Client, &str)>) -> Self {
        Self { redis: redis.map(|(client, prefix)| (client, format!("{prefix}live"))) }
    }

    /// The same by an address.
    ///
    /// # Errors
    /// When that is none.
    pub fn at(url: Option<&str>, prefix: &str) -> redis::RedisResult<Self> {
        let client = url.map(redis::Client::open).transpose()?;
        Ok(Self::new(client.map(|client| (client, prefix))))
    }

    /// Rings. That it is not heard is no failure.
    pub async fn ring(&self) {
        let Some((client, channel)) = &self.redis else { return };
        let ringing = async {
            let mut connection = client.get_multiplexed_async_connection().await?;
            redis::cmd("PUBLISH").arg(channel).arg(1).query_async::<()>(&mut connection).await
        };
        if !matches!(tokio::time::timeout(PATIENCE, ringing).await, Ok(Ok(()))) {
            tracing::debug!("nobody heard the bell: servers look once a second");
        }
    }

    /// Hears the rings of others, without an end.
    pub(super) async fn listen(&self, rung: impl Fn()) {
        let Some((client, channel)) = &self.redis else {
            return;
        };
        loop {
            if let Ok(mut listening) = client.get_async_pubsub().await
                && listening.subscribe(channel).await.is_ok()
            {
                // What was rung for while nobody heard.
                rung();
                let mut rings = listening.on_message();
                while rings.next().await.is_some() {
                    rung();
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}
