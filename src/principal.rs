//! Who asks, and what they may.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Code, Refusal};

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    User,
    Admin,
    Bot,
}

/// Who sent a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Caller {
    /// Who did not say.
    #[default]
    Nobody,
    User(UserCaller),
    /// A program that is no user's.
    Client {
        id: Uuid,
        role: Role,
        points_per_second: Option<u32>,
    },
}

/// A user, and what speaks for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCaller {
    pub id: Uuid,
    pub role: Role,
    pub by: Credential,
}

/// What a user showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// An access token of this session.
    Session { id: Uuid, epoch: i64, issued_at: DateTime<Utc> },
    /// A token for scripts.
    ApiToken { id: Uuid, read_only: bool },
}

/// Who sent a request, as far as the front door has to know. Resolvers find it in their context.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Principal {
    pub caller: Caller,
    /// Whether the schema may be asked for.
    pub may_introspect: bool,
    /// Whether it may be told what an answer took: statements tell of the tables.
    pub may_explain: bool,
    /// How much longer this holds; what stays open ends then.
    pub lasts: Option<Duration>,
}

impl Principal {
    /// The user who asks, whatever speaks for them.
    ///
    /// # Errors
    /// ERR-2001 for who is no user.
    pub fn user(&self) -> Result<&UserCaller, Refusal> {
        match &self.caller {
            Caller::User(user) => Ok(user),
            Caller::Nobody => Err(Refusal::new(Code::Unauthenticated, "Sign in first.")),
            Caller::Client { .. } => {
                Err(Refusal::new(Code::Forbidden, "This is for users, not for clients."))
            }
        }
    }

    /// The same for what changes something.
    ///
    /// # Errors
    /// ERR-2001 for who is no user, ERR-2005 for a token that only reads.
    pub fn writer(&self) -> Result<&UserCaller, Refusal> {
        let user = self.user()?;
        match user.by {
            Credential::ApiToken { read_only: true, .. } => {
                Err(Refusal::new(Code::Forbidden, "This token is read only."))
            }
            _ => Ok(user),
        }
    }

    /// The same for what concerns the account itself: a user who has signed in, not one of their scripts.
    ///
    /// # Errors
    /// ERR-2001 for who is no user, ERR-2005 for a token for scripts.
    pub fn signed_in(&self) -> Result<(&UserCaller, Uuid), Refusal> {
        let user = self.user()?;
        match user.by {
            Credential::Session { id, .. } => Ok((user, id)),
            Credential::ApiToken { .. } => {
                Err(Refusal::new(Code::Forbidden, "This needs a session: a token for scripts does not do."))
            }
        }
    }

    /// # Errors
    /// ERR-2001 for nobody, ERR-2005 for everyone else without one of these roles.
    pub fn with_role(&self, roles: &[Role]) -> Result<(), Refusal> {
        match self.role() {
            Some(role) if roles.contains(&role) => Ok(()),
            Some(_) => Err(Refusal::new(Code::Forbidden, "Your role does not allow this.")),
            None => Err(Refusal::new(Code::Unauthenticated, "Sign in first.")),
        }
    }

    pub fn role(&self) -> Option<Role> {
        match &self.caller {
            Caller::Nobody => None,
            Caller::User(user) => Some(user.role),
            Caller::Client { role, .. } => Some(*role),
        }
    }

    /// The user's id, where a user asks.
    pub fn user_id(&self) -> Option<Uuid> {
        match &self.caller {
            Caller::User(user) => Some(user.id),
            _ => None,
        }
    }

    pub fn is_admin(&self) -> bool {
        self.role() == Some(Role::Admin)
    }

    /// What limits count by, where the caller is known.
    pub fn key(&self) -> Option<String> {
        match &self.caller {
            Caller::Nobody => None,
            Caller::User(user) => Some(key_of_user(user.id)),
            Caller::Client { id, .. } => Some(format!("client:{id}")),
        }
    }
}

/// What limits count a user by, and requests are kept by.
pub fn key_of_user(id: Uuid) -> String {
    format!("user:{id}")
}

/// What an address is counted as: itself, or, where it is of IPv6, its network of 64 bits, all of which one caller has.
pub fn network_of(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        _ => address.to_owned(),
    }
}

/// Where a request is from, by what it came over. Resolvers find it in their context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visit {
    /// The caller's network address, as far as a trusted proxy says it.
    pub address: Option<String>,
    /// What program asks, by its own word, cut short.
    pub user_agent: Option<String>,
    /// The header of that name.
    pub cookies: Option<String>,
    /// Whether a page that asks is this server's own, or one of an origin that is let in; also true for what is no page.
    pub is_own_page: bool,
    /// Whether the answer can set one.
    pub takes_cookies: bool,
    /// The id under which the request is in the log and in traces.
    pub request_id: Option<String>,
}

impl Visit {
    /// What limits count by where nobody says who they are.
    pub fn network(&self) -> String {
        self.address.as_deref().map_or_else(|| "unknown".to_owned(), network_of)
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.cookies.as_deref()?.split(';');
        cookies
            .filter_map(|cookie| cookie.trim().split_once('='))
            .find(|(of, _)| *of == name)
            .map(|(_, value)| value)
    }
}

/// Mutations that anyone may send, whatever their token: who has one that does not hold any more signs in by these.
pub const WITHOUT_TOKEN: [&str; 3] = ["login", "refreshSession", "register"];

/// What tells who a caller is.
pub trait Identify: Send + Sync + 'static {
    /// `authorization` is the header of that name, or what a socket's greeting has under it.
    fn identify<'a>(&'a self, authorization: Option<&'a str>) -> BoxFuture<'a, Result<Principal, Refusal>>;

    /// Ends when what the principal showed is taken back; never, where nothing can be.
    fn taken_back<'a>(&'a self, principal: &'a Principal) -> BoxFuture<'a, ()> {
        let _ = principal;
        std::future::pending().boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_ipv6_counts_as_its_network() {
        for (address, network) in [
            ("203.0.113.9", "203.0.113.9"),
            ("::ffff:203.0.113.9", "::ffff:203.0.113.9"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
            ("unknown", "unknown"),
        ] {
            assert_eq!(network_of(address), network);
        }
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let visit = Visit { cookies: Some("ab=1; a=2;b = 3; c".to_owned()), ..Visit::default() };
        assert_eq!((visit.cookie("a"), visit.cookie("b"), visit.cookie("c")), (Some("2"), None, None));
        assert_eq!(Visit::default().cookie("a"), None);
    }
}
