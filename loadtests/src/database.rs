//! Which databases and addresses may be loaded: those of this machine.

use std::net::{SocketAddr, ToSocketAddrs};

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::Result;

/// The database at a URL, if it is on this machine.
///
/// # Errors
/// A URL that cannot be read, or that leads elsewhere.
pub fn local_database(url: &str) -> Result<Config> {
    let config: Config = url.parse()?;
    // One port holds for all hosts, or there is one for each; only whether they are local matters here.
    let port = config.get_ports().first().copied().unwrap_or(5432);
    for host in config.get_hosts() {
        if let Host::Tcp(name) = host {
            local_addresses((name.as_str(), port), name)?;
        }
    }
    if let Some(address) = config.get_hostaddrs().iter().find(|address| !address.is_loopback()) {
        return Err(not_local(&address.to_string()));
    }
    Ok(config)
}

/// The addresses of a name, if all of them are on this machine.
///
/// # Errors
/// A name without an address, or with one elsewhere.
pub fn local_addresses(address: impl ToSocketAddrs, name: &str) -> Result<Vec<SocketAddr>> {
    let addresses: Vec<_> = address.to_socket_addrs().map_err(|error| format!("{name}: {error}"))?.collect();
    if addresses.is_empty() || addresses.iter().any(|address| !address.ip().is_loopback()) {
        return Err(not_local(name));
    }
    Ok(addresses)
}

fn not_local(name: &str) -> crate::Error {
    format!("{name} is not on this machine: only loopback addresses are loaded").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_database_elsewhere() {
        assert!(local_database("postgres://postgres@127.0.0.1:5432/market").is_ok());
        assert!(local_database("postgres://postgres@[::1]/market").is_ok());
        for elsewhere in [
            "postgres://postgres@192.0.2.1/market",
            "postgres://127.0.0.1,192.0.2.1/market",
            "host=localhost hostaddr=192.0.2.1",
        ] {
            assert!(local_database(elsewhere).is_err(), "{elsewhere}");
        }
    }
}
