//! All that is kept of a user, as a file that they can read: one thing a line, by kind, id, field and value.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use entity::{job, removed_inventory_item, upload, want_list_item};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{find_user, list_api_tokens};
use crate::domain::catalogue::{CardColumns, load_cards_by_id};
use crate::domain::csv::{Cell, amount, lines};
use crate::error::Result;

/// Things of a page.
const THINGS: u64 = 1_000;

struct Fact {
    kind: &'static str,
    id: String,
    field: &'static str,
    value: String,
}

/// A list of a user's that comes after the account, page by page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    Uploads,
    Jobs,
    Wanted,
    Removed,
}

/// The first of them.
pub const FIRST_LISTED: Listed = Listed::Uploads;

impl Listed {
    fn next(self) -> Option<Self> {
        match self {
            Self::Uploads => Some(Self::Jobs),
            Self::Jobs => Some(Self::Wanted),
            Self::Wanted => Some(Self::Removed),
            Self::Removed => None,
        }
    }
}

/// What is kept of the account itself, with a line of headings; nothing where there is none. What they have sent, want and hold
/// comes after it.
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
    lines(std::iter::once(heading).chain(facts.iter().map(Fact::cells))).map(Some)
}

impl Fact {
    fn cells(&self) -> Vec<Cell<'_>> {
        vec![Cell::Text(self.kind), Cell::Text(&self.id), Cell::Text(self.field), Cell::Text(&self.value)]
    }
}

/// The next page of a list, in no particular order, and the place after it: a list, and the thing after which to go on;
/// nothing at the end of the last.
///
/// # Errors
/// The database's.
pub async fn export_listed(
    connection: &impl ConnectionTrait,
    user: Uuid,
    list: Listed,
    after: Option<Uuid>,
) -> Result<(Vec<u8>, Option<(Listed, Option<Uuid>)>)> {
    macro_rules! page {
        ($entity:ident) => {
            $entity::Entity::find()
                .filter($entity::Column::UserId.eq(user))
                .filter($entity::Column::Id.gt(after.unwrap_or_default()))
                .order_by_asc($entity::Column::Id)
                .limit(THINGS)
                .all(connection)
                .await?
        };
    }
    let mut facts = Vec::new();
    let mut add = |kind, id: Uuid, field, value: String| {
        facts.push(Fact { kind, id: id.to_string(), field, value });
    };
    let time = |at: DateTime<Utc>| at.to_rfc3339();
    let mut ids = Vec::new();
    match list {
        Listed::Uploads => {
            for row in page!(upload) {
                ids.push(row.id);
                add("upload", row.id, "file name", row.filename);
                add("upload", row.id, "size", row.size_bytes.to_string());
                add("upload", row.id, "rows", row.row_count.to_string());
                add("upload", row.id, "uploaded at", time(row.uploaded_at));
            }
        }
        Listed::Jobs => {
            for row in page!(job) {
                ids.push(row.id);
                add("job", row.id, "kind", format!("{:?}", row.kind));
                add("job", row.id, "status", format!("{:?}", row.status));
                add("job", row.id, "created at", time(row.created_at));
                if let Some(upload) = row.upload_id {
                    add("job", row.id, "upload", upload.to_string());
                }
                if let Some(result) = row.result {
                    add("job", row.id, "result", result.to_string());
                }
            }
        }
        Listed::Wanted => {
            let rows = page!(want_list_item);
            let cards = names(connection, rows.iter().map(|row| row.card_id)).await?;
            for row in rows {
                ids.push(row.id);
                add("wanted", row.id, "card", cards.get(&row.card_id).cloned().unwrap_or_default());
                if let Some(finish) = row.finish {
                    add("wanted", row.id, "finish", format!("{finish:?}"));
                }
                add("wanted", row.id, "quantity", row.quantity.to_string());
                add("wanted", row.id, "priority", format!("{:?}", row.priority));
                if let (Some(target), Some(currency)) = (row.target_amount, row.target_currency) {
                    add("wanted", row.id, "target", format!("{} {currency:?}", amount(target)));
                }
                add("wanted", row.id, "notes", row.notes.unwrap_or_default());
            }
        }
        Listed::Removed => {
            let rows = page!(removed_inventory_item);
            let cards = names(connection, rows.iter().map(|row| row.card_id)).await?;
            for row in rows {
                ids.push(row.id);
                add("removed item", row.id, "card", cards.get(&row.card_id).cloned().unwrap_or_default());
                add("removed item", row.id, "finish", format!("{:?}", row.finish));
                add("removed item", row.id, "condition", format!("{:?}", row.condition));
                add("removed item", row.id, "language", row.language);
                add("removed item", row.id, "quantity", row.quantity.to_string());
                if let (Some(paid), Some(currency)) = (row.price_amount, row.price_currency) {
                    add("removed item", row.id, "price paid", format!("{} {currency:?}", amount(paid)));
                }
                if let Some(day) = row.acquired_on {
                    add("removed item", row.id, "acquired on", day.to_string());
                }
                add("removed item", row.id, "tags", row.tags.0.join(", "));
                add("removed item", row.id, "notes", row.notes.unwrap_or_default());
                add("removed item", row.id, "removed at", time(row.removed_at));
            }
        }
    }
    let is_full = ids.len() as u64 >= THINGS;
    let next = if is_full { Some((list, ids.pop())) } else { list.next().map(|list| (list, None)) };
    Ok((lines(facts.iter().map(Fact::cells))?, next))
}

/// What printings are called: name, set and number.
async fn names(
    connection: &impl ConnectionTrait,
    ids: impl Iterator<Item = i32>,
) -> Result<HashMap<i32, String>> {
    let ids = Vec::from_iter(ids.collect::<BTreeSet<_>>());
    let cards = load_cards_by_id(connection, &ids, CardColumns::Row).await?;
    let called = |name, set, number| format!("{name} ({set}) {number}");
    Ok(cards
        .into_iter()
        .map(|card| (card.id, called(card.name, card.set_code, card.collector_number)))
        .collect())
}
