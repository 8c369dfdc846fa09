//! `dualcaster health`: asks a running server whether it is ready.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::{Failure, Outcome, print};
use crate::config::Settings;

const TIMEOUT: Duration = Duration::from_secs(5);

pub async fn check(settings: &Settings, url: Option<String>) -> Outcome {
    let url = url.unwrap_or_else(|| format!("http://{}", reachable(settings.server.listen)));
    let ready = format!("{}/ready", url.trim_end_matches('/'));
    let answer =
        async { reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?.get(&ready).send().await };
    match answer.await {
        Ok(answer) if answer.status().is_success() => print("ready\n"),
        Ok(answer) => {
            let why = answer.text().await.unwrap_or_default();
            Err(Failure::new(format!("the server at {url} is not ready: {why}")))
        }
        Err(_) => Err(Failure::new(format!("nothing answers at {url}"))
            .hint("Start it with `dualcaster serve`, or name another address with --url.")),
    }
}

/// A server that listens on every address is asked on the loopback one.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let loopback = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(loopback, listen.port())
}
