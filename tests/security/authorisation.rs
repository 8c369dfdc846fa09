//! Who may what: every field of the schema's roots and of what is somebody's, tried as everybody. The table beside this
//! file says what is expected; a field that is not in it fails the test.

use std::collections::BTreeMap;

use dualcaster::domain::accounts::create_client;
use dualcaster::outside::Outside;
use entity::enums::Role;
use serde_json::{Value, json};

use super::{Person, sign_in, sign_up};
use crate::harness::{TestApp, everywhere};

/// `Type.field: anonymous user other bot admin`, each `yes`, `null` or a code.
const TABLE: &str = include_str!("authorisation.txt");

/// How a field is asked for: where it is a root field, and where it is of somebody, as that somebody's.
fn question(place: &str) -> Option<(&'static str, &'static str)> {
    Some(match place {
        "Query.node" => ("query", "node(id: $ada) { id }"),
        "Query.nodes" => ("query", "nodes(ids: [$ada]) { id }"),
        "Query.viewer" => ("query", "viewer { id }"),
        "Query.userByDiscordId" => ("query", "userByDiscordId(discordId: \"77\") { id }"),
        "Query.card" => ("query", "card(by: {name: \"no such card\"}) { id }"),
        "Query.cards" => ("query", "cards(first: 1) { totalCount }"),
        "Query.searchSuggestions" => ("query", "searchSuggestions(prefix: \"a\")"),
        "Query.cardSet" => ("query", "cardSet(code: \"xxx\") { id }"),
        "Query.cardSets" => ("query", "cardSets(first: 1) { totalCount }"),
        "Query.marketplaces" => ("query", "marketplaces { id }"),
        "Session.id" => ("query", "node(id: $session) { id }"),
        "ApiToken.id" => ("query", "node(id: $token) { id }"),
        "Mutation.register" => (
            "mutation",
            "register(input: {email: \"x\", password: \"x\", displayName: \"x\"}) { userErrors { errorCode } }",
        ),
        "Mutation.login" => {
            ("mutation", "login(input: {email: \"x\", password: \"x\"}) { userErrors { errorCode } }")
        }
        "Mutation.refreshSession" => {
            ("mutation", "refreshSession(input: {refreshToken: \"x\"}) { userErrors { errorCode } }")
        }
        "Mutation.logout" => ("mutation", "logout { userErrors { errorCode } }"),
        "Mutation.revokeSession" => {
            ("mutation", "revokeSession(input: {sessionId: $session}) { userErrors { errorCode } }")
        }
        "Mutation.revokeAllSessions" => {
            ("mutation", "revokeAllSessions(input: {}) { userErrors { errorCode } }")
        }
        "Mutation.changePassword" => (
            "mutation",
            "changePassword(input: {currentPassword: \"x\", newPassword: \"x\"}) { userErrors { errorCode } }",
        ),
        "Mutation.verifyEmail" => {
            ("mutation", "verifyEmail(input: {token: \"x\"}) { userErrors { errorCode } }")
        }
        "Mutation.requestPasswordReset" => {
            ("mutation", "requestPasswordReset(input: {email: \"x\"}) { success userErrors { errorCode } }")
        }
        "Mutation.resetPassword" => (
            "mutation",
            "resetPassword(input: {token: \"x\", newPassword: \"seven llamas juggle torches\"}) { userErrors { errorCode } }",
        ),
        "Mutation.updateProfile" => {
            ("mutation", "updateProfile(input: {displayName: \"Ada\"}) { userErrors { errorCode } }")
        }
        "Mutation.deleteAccount" => {
            ("mutation", "deleteAccount(input: {password: \"x\"}) { userErrors { errorCode } }")
        }
        "Mutation.createApiToken" => {
            ("mutation", "createApiToken(input: {name: \"x\"}) { userErrors { errorCode } }")
        }
        "Mutation.revokeApiToken" => {
            ("mutation", "revokeApiToken(input: {id: $token}) { userErrors { errorCode } }")
        }
        "Mutation.createDiscordLinkCode" => {
            ("mutation", "createDiscordLinkCode(input: {discordId: \"78\"}) { userErrors { errorCode } }")
        }
        "Mutation.linkDiscordAccount" => {
            ("mutation", "linkDiscordAccount(input: {code: \"x\"}) { userErrors { errorCode } }")
        }
        "Mutation.unlinkDiscordAccount" => ("mutation", "unlinkDiscordAccount { userErrors { errorCode } }"),
        _ => return None,
    })
}

/// Fields of a user are asked for by the administrators' and the bot's way to one: through `node` and Discord.
fn of_user(place: &str) -> Option<String> {
    let field = place.strip_prefix("User.")?;
    let below = if matches!(field, "sessions" | "apiTokens") { " { id }" } else { "" };
    Some(format!("node(id: $ada) {{ ... on User {{ asked: {field}{below} }} }}"))
}

/// The roots' fields, and those of types that are somebody's, by introspection.
async fn fields(app: &TestApp) -> Vec<String> {
    let answer = app.data("{ __schema { types { name fields { name } } } }", json!(null)).await;
    let mut fields = Vec::new();
    for kind in answer["__schema"]["types"].as_array().expect("types") {
        let name = kind["name"].as_str().expect("a name");
        match name {
            "Query" | "Mutation" | "User" => {}
            "Session" | "ApiToken" => {
                fields.push(format!("{name}.id"));
                continue;
            }
            _ => continue,
        }
        for field in kind["fields"].as_array().expect("fields") {
            fields.push(format!("{name}.{}", field["name"].as_str().expect("a name")));
        }
    }
    fields.sort();
    fields
}

/// What an answer comes to: data, nothing, or a code.
fn told(body: &Value) -> String {
    if let Some(code) = body["errors"][0]["extensions"]["errorCode"].as_str() {
        return code.to_owned();
    }
    let value = body["data"].as_object().and_then(|data| data.values().next()).cloned().unwrap_or_default();
    let asked = value.get("asked").cloned().unwrap_or_else(|| value.clone());
    if let Some(code) = value["userErrors"][0]["errorCode"].as_str() {
        return code.to_owned();
    }
    if asked.is_null() || asked == json!([null]) { "null".to_owned() } else { "yes".to_owned() }
}

async fn admin(app: &TestApp) -> Person {
    sign_up(app, "admin@example.com").await;
    app.execute("update users set role = 1 where email_key = 'admin@example.com'").await;
    sign_in(app, "admin@example.com").await
}

everywhere! { Tables:
    async fn every_field_is_tried_as_everybody(app: TestApp) {
        let expected: BTreeMap<&str, Vec<&str>> = TABLE
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| {
                let (place, cells) = line.split_once(':').expect("a line of the table");
                (place, cells.split_whitespace().collect())
            })
            .collect();
        let bot = create_client(app.bulk.write(), "bot", Role::Bot, None, &Outside::system()).await.expect("a client").1;
        let admin = admin(&app).await;
        let mut wrong = Vec::new();
        let mut tried = 0;
        let places = fields(&app).await;
        for place in &places {
            let (kind, question) = match (question(place), of_user(place)) {
                (Some((kind, question)), _) => (kind, question.to_owned()),
                (None, Some(question)) => ("query", question),
                (None, None) => panic!("{place} is new: say here how it is asked for, and in the table who may"),
            };
            // What is asked for is Ada's, and new each time: some of it ends what it is asked with.
            let mut cells = Vec::new();
            for who in ["anonymous", "user", "other", "bot", "admin"] {
                let ada = fresh(&app, "ada@example.com").await;
                let other = fresh(&app, "other@example.com").await;
                let token = api_token(&app, &ada).await;
                app.execute("update users set discord_id = '77' where email_key = 'ada@example.com'").await;
                let bearer = match who {
                    "anonymous" => None,
                    "user" => Some(ada.access.clone()),
                    "other" => Some(other.access.clone()),
                    "bot" => Some(bot.text()),
                    _ => Some(fresh(&app, &admin.email).await.access),
                };
                let declared: Vec<_> = [("ada", &ada.id), ("session", &ada.session), ("token", &token)]
                    .into_iter()
                    .filter(|(name, _)| question.contains(&format!("${name}")))
                    .collect();
                let signature: Vec<_> = declared.iter().map(|(name, _)| format!("${name}: ID!")).collect();
                let signature = if signature.is_empty() { String::new() } else { format!("({})", signature.join(", ")) };
                let variables: serde_json::Map<_, _> =
                    declared.iter().map(|(name, id)| ((*name).to_owned(), json!(id))).collect();
                let query = format!("{kind}{signature} {{ {question} }}");
                let answer = app.ask_as(bearer.as_deref(), &query, json!(variables)).await;
                cells.push(told(&answer.body));
                tried += 1;
            }
            let line = cells.join(" ");
            if expected.get(place.as_str()).map(|cells| cells.join(" ")) != Some(line.clone()) {
                wrong.push(format!("{place}: {line}"));
            }
        }
        let gone: Vec<_> = expected.keys().filter(|place| !places.iter().any(|there| there == *place)).collect();
        assert!(wrong.is_empty() && gone.is_empty(), "it is\n{}\nand there is no {gone:?}", wrong.join("\n"));
        assert_eq!(tried, expected.len() * 5, "every cell");
    }
}

/// An account in a new session: nobody's counters stand in the way of a table.
async fn fresh(app: &TestApp, email: &str) -> Person {
    let known = format!("select count(*) as n from users where email_key = '{email}'");
    if app.number(&known).await == 0 {
        return sign_up(app, email).await;
    }
    sign_in(app, email).await
}

async fn api_token(app: &TestApp, person: &Person) -> String {
    app.execute("delete from api_tokens").await;
    let query = "mutation { createApiToken(input: {name: \"x\"}) { apiToken { id } } }";
    let made = app.ask_as(Some(&person.access), query, json!(null)).await;
    made.field()["apiToken"]["id"].as_str().expect("an id").to_owned()
}
