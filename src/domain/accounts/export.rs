//! All that is kept of a user, as a file that they can read: one thing a line, by kind, id, field and value.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{find_user, list_api_tokens};
use crate::domain::csv::{Cell, lines};
use crate::error::Result;

struct Fact {
    kind: &'static str,
    id: String,
    field: &'static str,
    value: String,
}

/// What is kept of the account itself, with a line of headings; nothing where there is none. What they hold comes after it,
/// from the collection.
///
/// # Errors
/// The database's.
pub async fn export_account(connection: &impl ConnectionTrait, user: Uuid) -> Result<Option<Vec<u8>>> {
    let Some(account) = find_user(connection, user).await? else { return Ok(None) };
    let mut facts = Vec::new();
    let mut add = |kind, id: &dyn ToString, field, value: String| {
        facts.push(Fact { kind, id: id.to_string(), field, value });
    };
    let time = |at: DateTime<Utc>| at.to_rfc3339();
    add("account", &account.id, "email", account.email);
    add("account", &account.id, "email verified", account.email_verified.to_string());
    add("account", &account.id, "display name", account.display_name);
    add("account", &account.id, "created at", time(account.created_at));
    if let Some(discord) = account.discord_id {
        add("account", &account.id, "discord id", discord);
    }
    // Those that have expired too, as long as they are kept.
    let sessions = entity::session::Entity::find().filter(entity::session::Column::UserId.eq(user));
    for session in sessions.all(connection).await? {
        add("session", &session.id, "created at", time(session.created_at));
        add("session", &session.id, "last used at", time(session.last_used_at));
        add("session", &session.id, "user agent", session.user_agent.unwrap_or_default());
        add("session", &session.id, "ip address", session.ip_address.unwrap_or_default());
    }
    for token in list_api_tokens(connection, user).await? {
        add("api token", &token.id, "name", token.name);
        add("api token", &token.id, "created at", time(token.created_at));
    }
    let heading = ["What", "Id", "Field", "Value"].map(Cell::Text).to_vec();
    let rows = facts.iter().map(|fact| {
        vec![Cell::Text(fact.kind), Cell::Text(&fact.id), Cell::Text(fact.field), Cell::Text(&fact.value)]
    });
    lines(std::iter::once(heading).chain(rows)).map(Some)
}
