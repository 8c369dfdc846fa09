//! Discord accounts that users have linked. The bot gives a code to who asks it in Discord; typed in here by somebody
//! who is signed in, it links the two.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{discord_link_code, user};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::error::{Code, Refusal, Result};
use crate::outside::Outside;

/// How long a code holds.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// Letters and digits that nobody takes for another: five bits each.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Characters of a code.
const LENGTH: usize = 10;

/// A Discord account's id: a number of up to 20 digits.
///
/// # Errors
/// ERR-3002, with its place.
pub fn check_discord_id(text: &str) -> Result<&str, Refusal> {
    let fits = (1..=20).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
    if fits { Ok(text) } else { Err(Refusal::invalid_value("This is not a Discord id.").at("discordId")) }
}

/// Makes a code for a Discord account and says until when it holds.
///
/// # Errors
/// ERR-3002 for what is no such account's id; the database's.
pub async fn create_link_code(
    connection: &impl ConnectionTrait,
    discord_id: &str,
    outside: &Outside,
) -> Result<(String, DateTime<Utc>)> {
    let discord_id = check_discord_id(discord_id)?;
    let bytes: [u8; LENGTH] = outside.bytes();
    let code: String = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    let expires_at = outside.now() + LIFETIME;
    // The newest code of an account is the one that holds.
    discord_link_code::Entity::delete_many()
        .filter(discord_link_code::Column::DiscordId.eq(discord_id))
        .exec(connection)
        .await?;
    let row = discord_link_code::Model { hash: digest(&code), discord_id: discord_id.to_owned(), expires_at };
    discord_link_code::Entity::insert(discord_link_code::ActiveModel::from(row))
        .exec_without_returning(connection)
        .await?;
    Ok((code, expires_at))
}

fn digest(code: &str) -> Vec<u8> {
    let plain: String = code.chars().filter(|sign| sign.is_ascii_alphanumeric()).collect();
    Sha256::digest(plain.to_ascii_uppercase()).to_vec()
}

/// Links the account that a code is of, which then is nobody else's.
///
/// # Errors
/// ERR-2008 for a code that is unknown, was used or is too old; the database's.
pub async fn link_discord(
    connection: &impl ConnectionTrait,
    user: Uuid,
    code: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let refused = || {
        let message = "This code is not valid any more. Ask the bot for a new one.";
        Refusal::new(Code::LinkCodeInvalid, message).at("code")
    };
    let hash = digest(code);
    let row =
        discord_link_code::Entity::find_by_id(hash.clone()).one(connection).await?.ok_or_else(refused)?;
    let taken = discord_link_code::Entity::delete_by_id(hash).exec(connection).await?;
    if taken.rows_affected == 0 || row.expires_at <= now {
        return Err(refused().into());
    }
    user::Entity::update_many()
        .col_expr(user::Column::DiscordId, Expr::value(None::<String>))
        .filter(user::Column::DiscordId.eq(&row.discord_id))
        .exec(connection)
        .await?;
    user::Entity::update_many()
        .col_expr(user::Column::DiscordId, Expr::value(row.discord_id))
        .filter(user::Column::Id.eq(user))
        .exec(connection)
        .await?;
    Ok(())
}

/// # Errors
/// The database's.
pub async fn unlink_discord(connection: &impl ConnectionTrait, user: Uuid) -> Result<()> {
    user::Entity::update_many()
        .col_expr(user::Column::DiscordId, Expr::value(None::<String>))
        .filter(user::Column::Id.eq(user))
        .exec(connection)
        .await?;
    Ok(())
}

/// # Errors
/// The database's.
pub async fn find_user_by_discord_id(
    connection: &impl ConnectionTrait,
    discord_id: &str,
) -> Result<Option<user::Model>> {
    Ok(user::Entity::find().filter(user::Column::DiscordId.eq(discord_id)).one(connection).await?)
}
