//! Users, and what they sign in with.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};
use entity::{api_token, enums, session, user};
use uuid::Uuid;

use super::super::Loaders;
use super::super::batch::Load;
use super::super::global_id::GlobalId;
use super::super::nullable::nullable;
use super::super::scalars::DateTime;
use super::enums::Currency;
use super::inventory::{InventoryFilter, InventoryItemConnection, InventorySort, KeyedList};
use super::job::{JobConnection, JobKind, JobStatus};
use super::portfolio::Portfolio;
use super::want_list::{WantListItemConnection, WantListSort, want_page};
use crate::db::Connection;
use crate::domain::accounts::{list_api_tokens, list_sessions, load_api_tokens, load_sessions, load_users};
use crate::domain::collection::{InventoryList, WantList};
use crate::domain::jobs::JobList;
use crate::identity::Identity;
use crate::pagination::PageArguments;
use crate::principal::{Caller, Credential, Principal, UserCaller};

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "enums::Role")]
pub enum Role {
    /// What is their own.
    User,
    /// Everything.
    Admin,
    /// What the Discord bot does for others.
    Bot,
}

/// Who has an account.
#[derive(Clone)]
pub struct User {
    row: Arc<user::Model>,
    /// Whether the caller has just shown to be this user, by what the request brings.
    proven: bool,
}

impl From<user::Model> for User {
    fn from(row: user::Model) -> Self {
        Self { row: Arc::new(row), proven: false }
    }
}

impl User {
    /// Who has just signed in: the request began as nobody's.
    pub fn signed_in(row: user::Model) -> Self {
        Self { row: Arc::new(row), proven: true }
    }

    /// Whether their collection is for the caller: for themselves, and for the bot, which finds by Discord account only
    /// who has linked one.
    fn is_for(&self, principal: &Principal) -> bool {
        self.is_callers(principal) || principal.role() == Some(crate::principal::Role::Bot)
    }

    fn is_callers(&self, principal: &Principal) -> bool {
        self.proven || principal.user_id() == Some(self.row.id)
    }
}

/// Who has an account.
#[Object]
impl User {
    /// Globally unique and opaque; give it to `node`.
    pub async fn id(&self) -> ID {
        GlobalId::User(self.row.id).encode()
    }

    /// Shown to the user and to administrators only.
    async fn email(&self, context: &Context<'_>) -> Result<Option<&str>> {
        let principal = context.data::<Principal>()?;
        Ok((self.is_callers(principal) || principal.is_admin()).then_some(&self.row.email))
    }

    /// The name that others see.
    async fn display_name(&self) -> &str {
        &self.row.display_name
    }

    /// What they may do.
    async fn role(&self) -> Role {
        self.row.role.into()
    }

    /// Whether a Discord account is linked.
    async fn discord_linked(&self) -> bool {
        self.row.discord_id.is_some()
    }

    /// When the account was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// Whether the address is known to be theirs.
    async fn email_verified(&self) -> bool {
        self.row.email_verified
    }

    /// What they hold; null for anyone but the user, and the bot that asks for them.
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the contract")]
    async fn inventory(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Conditions that each item meets.")] filter: Option<InventoryFilter>,
        #[graphql(desc = "The order.", default_with = "Some(InventorySort::default())")] sort: Option<
            InventorySort,
        >,
        #[graphql(desc = "The first so many, 100 at most; 20 where neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> Option<Result<InventoryItemConnection>> {
        nullable(async {
            if !self.is_for(context.data::<Principal>()?) {
                return Ok(None);
            }
            let list = InventoryList {
                user: self.row.id,
                filter: filter.map(TryInto::try_into).transpose()?.unwrap_or_default(),
                order: sort.unwrap_or_default().into(),
            };
            let page = PageArguments { first, after, last, before };
            KeyedList::new(list).page(context, |list, secret| page.page(list, secret)).await.map(Some)
        })
        .await
    }

    /// What they look for; null for anyone but the user, and the bot that asks for them.
    async fn want_list(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The order.", default_with = "Some(WantListSort::default())")] sort: Option<
            WantListSort,
        >,
        #[graphql(desc = "The first so many, 100 at most; 20 where neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> Option<Result<WantListItemConnection>> {
        nullable(async {
            if !self.is_for(context.data::<Principal>()?) {
                return Ok(None);
            }
            let list = WantList { user: self.row.id, order: sort.unwrap_or_default().into() };
            let page = PageArguments { first, after, last, before };
            want_page(context, list, |list, secret| page.page(list, secret)).await.map(Some)
        })
        .await
    }

    /// What they hold as a whole: its value, cost and history; null for anyone but the user, and the bot that asks for them.
    async fn portfolio(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "What it is counted in: of this currency's own prices, none is converted.",
            default_with = "Some(Currency::Usd)"
        )]
        currency: Option<Currency>,
    ) -> Option<Result<Portfolio>> {
        nullable(async {
            if !self.is_for(context.data::<Principal>()?) {
                return Ok(None);
            }
            let loaders = context.data::<Loaders>()?;
            Ok(Some(Portfolio::load(loaders, self.row.id, currency.unwrap_or(Currency::Usd)).await?))
        })
        .await
    }

    /// What they have queued, the newest first; null for anyone but the user.
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments in the contract")]
    async fn jobs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only of this kind.")] kind: Option<JobKind>,
        #[graphql(desc = "Only those that are so far.")] status: Option<JobStatus>,
        #[graphql(desc = "The first so many, 100 at most; 20 where neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> Option<Result<JobConnection>> {
        nullable(async {
            if !self.is_callers(context.data::<Principal>()?) {
                return Ok(None);
            }
            let list =
                JobList { user: self.row.id, kind: kind.map(Into::into), status: status.map(Into::into) };
            let page = PageArguments { first, after, last, before };
            JobConnection::load(context, list, |list, secret| page.page(list, secret)).await.map(Some)
        })
        .await
    }

    /// Where they are signed in, the newest first; null for anyone but the user.
    #[graphql(tag = "most=100")]
    async fn sessions(&self, context: &Context<'_>) -> Option<Result<Vec<Session>>> {
        nullable(async {
            let principal = context.data::<Principal>()?;
            if !self.is_callers(principal) {
                return Ok(None);
            }
            let identity = context.data::<Identity>()?;
            let now = identity.outside().now();
            let rows = list_sessions(identity.connection(), self.row.id, now).await?;
            Ok(Some(rows.into_iter().map(Session).collect()))
        })
        .await
    }

    /// Their tokens for scripts, the newest first; null for anyone but the user.
    #[graphql(tag = "most=50")]
    async fn api_tokens(&self, context: &Context<'_>) -> Option<Result<Vec<ApiToken>>> {
        nullable(async {
            let principal = context.data::<Principal>()?;
            if !self.is_callers(principal) {
                return Ok(None);
            }
            let identity = context.data::<Identity>()?;
            let rows = list_api_tokens(identity.connection(), self.row.id).await?;
            Ok(Some(rows.into_iter().map(ApiToken).collect()))
        })
        .await
    }
}

/// A sign-in on one device.
#[derive(Clone)]
pub struct Session(session::Model);

impl From<session::Model> for Session {
    fn from(row: session::Model) -> Self {
        Self(row)
    }
}

/// A sign-in on one device.
#[Object]
impl Session {
    /// Globally unique and opaque; give it to `node`, or to `revokeSession`.
    pub async fn id(&self) -> ID {
        GlobalId::Session(self.0.id).encode()
    }

    /// Whether this request is from it.
    async fn current(&self, context: &Context<'_>) -> Result<bool> {
        let this: Uuid = self.0.id;
        let is_this = |by: &Credential| matches!(by, Credential::Session { id, .. } if *id == this);
        Ok(match &context.data::<Principal>()?.caller {
            Caller::User(UserCaller { by, .. }) => is_this(by),
            _ => false,
        })
    }

    /// When it began.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it was last prolonged.
    async fn last_used_at(&self) -> DateTime {
        DateTime(self.0.last_used_at)
    }

    /// When it ends if it is not used.
    async fn expires_at(&self) -> DateTime {
        DateTime(self.0.expires_at)
    }

    /// What program it was begun with, by that program's own word.
    async fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }

    /// The address that it was begun from.
    async fn ip_address(&self) -> Option<&str> {
        self.0.ip_address.as_deref()
    }
}

/// A user's own token for scripts.
#[derive(Clone)]
pub struct ApiToken(api_token::Model);

impl From<api_token::Model> for ApiToken {
    fn from(row: api_token::Model) -> Self {
        Self(row)
    }
}

/// A user's own token for scripts: read only, or with all that the user may do.
#[Object]
impl ApiToken {
    /// Globally unique and opaque; give it to `node`, or to `revokeApiToken`.
    pub async fn id(&self) -> ID {
        GlobalId::ApiToken(self.0.id).encode()
    }

    /// What the user calls it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether it changes nothing.
    async fn read_only(&self) -> bool {
        self.0.read_only
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it was last used, to the minute; absent before its first use.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(DateTime)
    }

    /// When it ends; absent where it does not.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime)
    }
}

/// Who asks for something of somebody's, and what they may see of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asker {
    pub user: Uuid,
    pub sees_all: bool,
}

impl From<&Principal> for Asker {
    fn from(principal: &Principal) -> Self {
        Self { user: principal.user_id().unwrap_or_default(), sees_all: principal.is_admin() }
    }
}

/// What is asked for, as one asker asks. All of a request are the same one.
pub(super) fn by_asker(keys: &[(Asker, Uuid)]) -> Option<(Asker, Vec<Uuid>)> {
    let (asker, _) = keys.first()?;
    Some((*asker, keys.iter().map(|(_, id)| *id).collect()))
}

/// Users by id, for who asks.
pub struct UsersByAsker;

impl Load for UsersByAsker {
    type Key = (Asker, Uuid);
    type Value = User;
    const NAME: &'static str = "users";

    async fn load(
        connection: &Connection,
        keys: Vec<Self::Key>,
    ) -> crate::error::Result<HashMap<Self::Key, User>> {
        let Some((asker, ids)) = by_asker(&keys) else { return Ok(HashMap::new()) };
        let rows = load_users(connection, &ids, asker.user, asker.sees_all).await?;
        Ok(rows.into_iter().map(|row| ((asker, row.id), row.into())).collect())
    }
}

/// Sessions by id, of who asks; those that have ended are not among them, those that have expired are.
pub struct SessionsByAsker;

impl Load for SessionsByAsker {
    type Key = (Asker, Uuid);
    type Value = Session;
    const NAME: &'static str = "sessions";

    async fn load(
        connection: &Connection,
        keys: Vec<Self::Key>,
    ) -> crate::error::Result<HashMap<Self::Key, Session>> {
        let Some((asker, ids)) = by_asker(&keys) else { return Ok(HashMap::new()) };
        let rows = load_sessions(connection, asker.user, &ids).await?;
        Ok(rows.into_iter().map(|row| ((asker, row.id), row.into())).collect())
    }
}

impl Session {
    /// Whether it goes on.
    pub fn lasts(&self, now: chrono::DateTime<chrono::Utc>) -> bool {
        self.0.expires_at > now
    }
}

/// Tokens for scripts by id, of who asks.
pub struct ApiTokensByAsker;

impl Load for ApiTokensByAsker {
    type Key = (Asker, Uuid);
    type Value = ApiToken;
    const NAME: &'static str = "api_tokens";

    async fn load(
        connection: &Connection,
        keys: Vec<Self::Key>,
    ) -> crate::error::Result<HashMap<Self::Key, ApiToken>> {
        let Some((asker, ids)) = by_asker(&keys) else { return Ok(HashMap::new()) };
        let rows = load_api_tokens(connection, asker.user, &ids).await?;
        Ok(rows.into_iter().map(|row| ((asker, row.id), row.into())).collect())
    }
}
