//! Who asks Q2: accounts with inventories, made in the database where they are missing, and signed in at the server.
//!
//! Made here and not registered there: the server lets one address make only a few accounts at a time.

use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::client::{Connection, PATIENCE, Target};
use crate::{Result, in_words};

/// Accounts; each login costs the server a password's hash.
const HOLDERS: u32 = 16;
/// Changes the accounts' and items' ids, and which cards they hold.
const SEED: &str = "dualcaster holders";
/// The password of all of them. It is no secret: they are in databases of this machine only.
const PASSWORD: &str = "sixteen shelves of painted cardboard";
/// Its argon2id hash, by the server's own parameters, so that the server does not make another at the first login.
const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$ZHVhbGNhc3RlciBsb2Fkcw$LJIH2C0+Yb6Br51lDv+cgP0g/Oh/Qdb6MoAKJmJAK08";

const USERS: &str = "insert into users
        (id, email, email_key, email_verified, display_name, role, password_hash, epoch, created_at)
    select md5($1::text || address)::uuid, address, address, true, split_part(address, '@', 1), 0, $2, 0,
        timestamptz '2026-01-01 00:00:00+00'
    from unnest($3::text[]) as address
    on conflict do nothing";
// 200 cards each, three items of a minute, so that the order by age has ties. The first of a card's finishes is the
// lowest bit.
const ITEMS: &str = "insert into inventory_items
        (id, user_id, card_id, finish, condition, language, quantity, tags, name_key, created_at, updated_at)
    select md5($1::text || u.id::text || place)::uuid, u.id, card_id, finish, place % 5, 'en', 1 + place % 4,
        '[]'::jsonb, name_key, at, at
    from users u
    cross join lateral (
        select id as card_id, name_key, row_number() over (order by shuffled, id) as place,
            case when finishes & 1 = 1 then 0 when finishes & 2 = 2 then 1 when finishes & 4 = 4 then 2 else 0 end
                as finish
        from (
            select id, name_key, finishes, md5($1::text || u.id::text || scryfall_id::text) as shuffled
            from cards order by shuffled, id limit 200
        ) drawn
    ) held
    cross join lateral (
        select timestamptz '2026-01-01 00:00:00+00' + place / 3 * interval '1 minute' as at
    ) moment
    where u.email_key = any($2) and not exists (select from inventory_items i where i.user_id = u.id)";
const MADE: &str = "select id, email from users where email_key = any($1) order by id";

const LOGIN: &str = "mutation($input: LoginInput!) { login(input: $input) { \
    accessToken userErrors { errorCode message } } }";

/// A user, and what shows the server who asks.
#[derive(Debug)]
pub struct Holder {
    pub id: Uuid,
    pub token: String,
}

/// The holders, always the same ones with the same items of the same cards. Their tokens hold for ten minutes.
///
/// # Errors
/// The database's, the network's, and a server that does not let them in.
pub async fn signed_in(client: &Client, server: &Target) -> Result<Vec<Holder>> {
    let addresses: Vec<String> = (1..=HOLDERS).map(|n| format!("holder-{n}@loadtests.invalid")).collect();
    client.execute(USERS, &[&SEED, &PASSWORD_HASH, &addresses]).await?;
    if client.execute(ITEMS, &[&SEED, &addresses]).await? > 0 {
        // Plans are made by what is known of a table, and of these nothing is yet.
        client.batch_execute("analyze users, inventory_items").await?;
    }
    let mut connection = server.connect().await?;
    let mut holders = Vec::with_capacity(addresses.len());
    for row in client.query(MADE, &[&addresses]).await? {
        let address: &str = row.try_get(1)?;
        let token = timeout(PATIENCE, log_in(&mut connection, server, address))
            .await
            .map_err(|_| format!("{address} can't sign in: no answer in time"))?
            .map_err(|error| format!("{address} can't sign in: {}", in_words(&error)))?;
        holders.push(Holder { id: row.try_get(0)?, token });
    }
    Ok(holders)
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    login: Login,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Login {
    access_token: Option<String>,
    user_errors: Vec<UserError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserError {
    error_code: String,
    message: String,
}

async fn log_in(connection: &mut Connection, server: &Target, address: &str) -> Result<String> {
    let input = json!({ "email": address, "password": PASSWORD });
    let request = json!({ "query": LOGIN, "variables": { "input": input } }).to_string();
    let answer = connection.exchange(&server.post(&request)).await?;
    if !answer.is_good() {
        let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(500)]);
        return Err(format!("the server answers {} with {body}", answer.status).into());
    }
    token_in(answer.body)
}

fn token_in(body: &[u8]) -> Result<String> {
    let Login { access_token, user_errors } = serde_json::from_slice::<Answer>(body)?.data.login;
    match (access_token, user_errors.first()) {
        (Some(token), _) => Ok(token),
        (None, Some(error)) => Err(format!("{}: {}", error.error_code, error.message).into()),
        (None, None) => Err("the server gives no token, and no reason".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_gives_a_token_or_a_reason() {
        let token = |login: &str| token_in(format!(r#"{{"data":{{"login":{login}}}}}"#).as_bytes());
        assert_eq!(token(r#"{"accessToken":"a.b.c","userErrors":[]}"#).expect("a token"), "a.b.c");
        let refused = r#"{"accessToken":null,"userErrors":[{"errorCode":"ERR-2004","message":"Wrong."}]}"#;
        assert_eq!(token(refused).expect_err("a reason").to_string(), "ERR-2004: Wrong.");
        assert!(token(r#"{"accessToken":null,"userErrors":[]}"#).is_err());
        assert!(token("null").is_err());
    }
}
