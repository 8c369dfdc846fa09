//! Where a request is from.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};
use ipnet::IpNet;

use super::REQUEST_ID;
use crate::principal::Visit;

/// The other end of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Characters of a program's own word for itself that are kept.
const USER_AGENT_CHARS: usize = 200;

/// What the request says of where it is from, and what of that is believed.
pub fn visit(peer: Option<Peer>, headers: &HeaderMap, proxies: &[IpNet], is_own_page: bool) -> Visit {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let agent = text(header::USER_AGENT).map(|agent| agent.chars().take(USER_AGENT_CHARS).collect());
    Visit {
        address: peer.map(|peer| address(peer.0.ip(), headers, proxies).to_string()),
        user_agent: agent,
        cookies: text(header::COOKIE).map(str::to_owned),
        is_own_page,
        takes_cookies: true,
        request_id: headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::to_owned),
    }
}

/// The caller's address: the peer's own, or, as long as those who hand it on are proxies that are trusted, the one that
/// they name. Whoever else writes the header writes what he likes.
fn address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |address: &IpAddr| proxies.iter().any(|net| net.contains(address));
    if !is_trusted(&peer) {
        return peer;
    }
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .collect();
    let mut last = peer;
    for hop in forwarded.iter().rev() {
        let Ok(hop) = hop.trim().parse::<IpAddr>() else {
            return last;
        };
        last = hop.to_canonical();
        if !is_trusted(&last) {
            return last;
        }
    }
    last
}

/// Whether a page that asks is this server's own, or of an origin that is let in. Programs that are no browser send
/// neither header.
pub fn is_own_page(headers: &HeaderMap, origins: &[String]) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_same_host = |origin: &str| {
        let host = text("host").unwrap_or_default();
        origin.split_once("://").is_some_and(|(_, from)| from.eq_ignore_ascii_case(host))
    };
    match (text("origin"), text("sec-fetch-site")) {
        (Some(origin), _) if origins.iter().any(|allowed| allowed == origin) => true,
        (Some(origin), _) => is_same_host(origin),
        (None, Some(site)) => matches!(site, "same-origin" | "none"),
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
            .collect()
    }

    #[test]
    fn an_address_is_believed_as_far_as_trusted_proxies_hand_it_on() {
        let proxies = ["10.0.0.0/8".parse().expect("a net"), "fd00::/8".parse().expect("a net")];
        for (peer, forwarded, expected) in [
            ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
            ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
            ("10.0.0.1", "198.51.100.7, 203.0.113.9", "203.0.113.9"),
            ("10.0.0.1", "198.51.100.7, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "nonsense", "10.0.0.1"),
            ("10.0.0.1", "nonsense, 10.0.0.3", "10.0.0.3"),
            ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
            ("fd00::1", "2001:db8::5", "2001:db8::5"),
        ] {
            let headers = headers(&[("x-forwarded-for", forwarded)]);
            let found = address(peer.parse().expect("an address"), &headers, &proxies);
            assert_eq!(found.to_string(), expected, "{peer} with {forwarded:?}");
        }
        let two = headers(&[("x-forwarded-for", "203.0.113.9")]);
        let mut two_lines = two.clone();
        two_lines.append("x-forwarded-for", "10.0.0.2".parse().expect("a value"));
        assert_eq!(
            address("10.0.0.1".parse().expect("an address"), &two_lines, &proxies).to_string(),
            "203.0.113.9"
        );
        assert_eq!(address("10.0.0.1".parse().expect("an address"), &two, &[]).to_string(), "10.0.0.1");
    }

    #[test]
    fn a_page_of_another_site_is_known_by_what_its_browser_says() {
        let allowed = ["https://cards.example".to_owned()];
        for (pairs, is_own) in [
            (&[][..], true),
            (&[("origin", "https://api.example"), ("host", "api.example")][..], true),
            (&[("origin", "https://evil.example"), ("host", "api.example")][..], false),
            (
                &[
                    ("origin", "https://cards.example"),
                    ("host", "api.example"),
                    ("sec-fetch-site", "cross-site"),
                ][..],
                true,
            ),
            (&[("origin", "null"), ("host", "api.example")][..], false),
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "none")][..], true),
            (&[("sec-fetch-site", "same-site")][..], false),
            (&[("sec-fetch-site", "cross-site")][..], false),
        ] {
            assert_eq!(is_own_page(&headers(pairs), &allowed), is_own, "{pairs:?}");
        }
    }
}
