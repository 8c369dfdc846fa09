//! Who may what: every field of the schema's roots and of what is somebody's, tried as everybody. The table beside this
//! file says what is expected; a field that is not in it fails the test.

use std::collections::BTreeMap;

use dualcaster::config::{Mode, Operations, Settings};
use dualcaster::domain::accounts::{
    Device, Email, NewUser, SessionTerms, create_client, create_user, open_session,
};
use dualcaster::ingest::Format;
use dualcaster::outside::Outside;
use entity::enums::Role;
use serde_json::{Value, json};

use super::{Person, behind_a_proxy, everywhere_with};
use crate::harness::{Content, Printing, TestApp, TestFile, all_printings};

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
        "InventoryItem.id" => ("query", "node(id: $item) { id }"),
        "WantListItem.id" => ("query", "node(id: $want) { id }"),
        "Mutation.addInventoryItems" => {
            ("mutation", "addInventoryItems(input: {items: [{cardId: \"x\"}]}) { userErrors { errorCode } }")
        }
        "Mutation.updateInventoryItem" => {
            ("mutation", "updateInventoryItem(input: {id: $item, quantity: 2}) { userErrors { errorCode } }")
        }
        "Mutation.removeInventoryItems" => {
            ("mutation", "removeInventoryItems(input: {ids: [$item]}) { userErrors { errorCode } }")
        }
        "Mutation.restoreInventoryItems" => {
            ("mutation", "restoreInventoryItems(input: {ids: [$removed]}) { userErrors { errorCode } }")
        }
        "Mutation.addWantListItem" => {
            ("mutation", "addWantListItem(input: {cardId: \"x\"}) { userErrors { errorCode } }")
        }
        "Mutation.updateWantListItem" => {
            ("mutation", "updateWantListItem(input: {id: $want, quantity: 2}) { userErrors { errorCode } }")
        }
        "Mutation.removeWantListItems" => {
            ("mutation", "removeWantListItems(input: {ids: [$want]}) { userErrors { errorCode } }")
        }
        "CollectionImport.id" => ("query", "node(id: $job) { id }"),
        "UploadedFile.id" => ("query", "node(id: $file) { id }"),
        "DeadLetter.id" => ("query", "node(id: $letter) { id }"),
        "Query.deadLetters" => ("query", "deadLetters(first: 1) { nodes { id } }"),
        // Without a form of several parts there is no file: see tests/jobs/files.rs for who may send one.
        "Mutation.importCollection" => {
            ("mutation", "importCollection(input: {file: \"x\"}) { userErrors { errorCode } }")
        }
        "Mutation.cancelJob" => ("mutation", "cancelJob(input: {id: $job}) { userErrors { errorCode } }"),
        "Mutation.undoImport" => ("mutation", "undoImport(input: {id: $job}) { userErrors { errorCode } }"),
        "Mutation.deleteUpload" => {
            ("mutation", "deleteUpload(input: {id: $file}) { userErrors { errorCode } }")
        }
        "Mutation.retryDeadLetters" => {
            ("mutation", "retryDeadLetters(input: {ids: [$letter]}) { userErrors { errorCode } }")
        }
        "Mutation.discardDeadLetters" => {
            ("mutation", "discardDeadLetters(input: {ids: [$letter]}) { userErrors { errorCode } }")
        }
        "Mutation.exportInventory" => ("mutation", "exportInventory(input: {}) { userErrors { errorCode } }"),
        "Mutation.exportAccount" => ("mutation", "exportAccount { userErrors { errorCode } }"),
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
        "Mutation.requestPasswordReset" => (
            "mutation",
            "requestPasswordReset(input: {email: \"EMAIL\"}) { success userErrors { errorCode } }",
        ),
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
    let below = match field {
        "sessions" | "apiTokens" => " { id }",
        "inventory" | "wantList" | "jobs" => " { totalCount }",
        "portfolio" => " { itemCount }",
        _ => "",
    };
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
            "Session" | "ApiToken" | "InventoryItem" | "WantListItem" | "CollectionImport"
            | "UploadedFile" | "DeadLetter" => {
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

/// A new account and its session, made behind the server's back: to hash a password for each cell would take long.
async fn somebody(app: &TestApp, role: Role) -> Person {
    let outside = Outside::system();
    let id = outside.uuid();
    let new = NewUser {
        id,
        email: Email::parse(&format!("{id}@example.com")).expect("an address"),
        email_verified: false,
        display_name: "Ada".to_owned(),
        role,
        password_hash:
            "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                .to_owned(),
        created_at: outside.now(),
    };
    let terms = SessionTerms { lifetime: chrono::TimeDelta::days(1), grace: chrono::TimeDelta::seconds(10) };
    let connection = app.bulk.write();
    let user = create_user(connection, new).await.expect("an account");
    let opened = open_session(connection, id, Device::default(), &terms, &outside).await.expect("a session");
    let answer = super::refresh(app, &opened.refresh_token.text()).await;
    Person::of(&user.email, answer.field())
}

#[test]
fn every_field_is_tried_as_everybody() {
    everywhere_with(Content::Tables, behind_a_proxy, try_everything);
}

async fn try_everything(app: &TestApp) {
    let expected: BTreeMap<&str, Vec<&str>> = TABLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (place, cells) = line.split_once(':').expect("a line of the table");
            (place, cells.split_whitespace().collect())
        })
        .collect();
    let bot = create_client(app.bulk.write(), "bot", Role::Bot, None, &Outside::system())
        .await
        .expect("a client")
        .1;
    let catalogue = TestFile::json(&all_printings(&[BOLT], |_, _| {}));
    app.ingest(Format::MtgjsonPrintings, &catalogue).await.expect("a catalogue");
    let mut wrong = Vec::new();
    let mut tried = 0;
    let places = fields(app).await;
    for place in &places {
        let (kind, question) = match (question(place), of_user(place)) {
            (Some((kind, question)), _) => (kind, question.to_owned()),
            (None, Some(question)) => ("query", question),
            (None, None) => panic!("{place} is new: say here how it is asked for, and in the table who may"),
        };
        // What is asked for is Ada's, and new each time: some of it ends what it is asked with.
        let mut cells = Vec::new();
        for who in ["anonymous", "user", "other", "bot", "admin"] {
            let ada = somebody(app, Role::User).await;
            let token = api_token(app, &ada).await;
            app.execute("update users set discord_id = null").await;
            app.execute(&format!("update users set discord_id = '77' where email_key = '{}'", ada.email))
                .await;
            let bearer = match who {
                "anonymous" => None,
                "user" => Some(ada.access.clone()),
                "other" => Some(somebody(app, Role::User).await.access),
                "bot" => Some(bot.text()),
                _ => Some(somebody(app, Role::Admin).await.access),
            };
            let held = if question.contains("$item")
                || question.contains("$want")
                || question.contains("$removed")
            {
                held(app, &ada).await
            } else {
                Held::default()
            };
            let work =
                if question.contains("$job") || question.contains("$file") || question.contains("$letter") {
                    work_of(app, &ada).await
                } else {
                    Work::default()
                };
            let declared: Vec<_> = [
                ("job", &work.job),
                ("file", &work.file),
                ("letter", &work.letter),
                ("ada", &ada.id),
                ("session", &ada.session),
                ("token", &token),
                ("item", &held.item),
                ("want", &held.want),
                ("removed", &held.removed),
            ]
            .into_iter()
            .filter(|(name, _)| question.contains(&format!("${name}")))
            .collect();
            let signature: Vec<_> = declared.iter().map(|(name, _)| format!("${name}: ID!")).collect();
            let signature =
                if signature.is_empty() { String::new() } else { format!("({})", signature.join(", ")) };
            let variables: serde_json::Map<_, _> =
                declared.iter().map(|(name, id)| ((*name).to_owned(), json!(id))).collect();
            let question = question.replace("EMAIL", &ada.email);
            let query = format!("{kind}{signature} {{ {question} }}");
            // Each from another address, so that nobody is left out for what another has missed.
            let from = format!("203.0.{}.{}", tried / 250, tried % 250);
            let headers = [("x-forwarded-for", from.as_str())];
            let answer = app.ask_with(bearer.as_deref(), &headers, &query, json!(variables)).await;
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

/// A job of somebody's that waits, a file, and a job of theirs that failed for good, by id.
#[derive(Default)]
struct Work {
    job: String,
    file: String,
    letter: String,
}

async fn work_of(app: &TestApp, person: &Person) -> Work {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use dualcaster::domain::jobs::{
        Claim, DeadLetterList, NewJob, QueueLimits, fail_job, list_dead_letters, queue_job,
    };
    use dualcaster::domain::uploads::create_upload;
    use dualcaster::pagination::Page;
    let connection = app.bulk.write();
    let outside = Outside::system();
    let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(&person.id).expect("base64")).expect("text");
    let user: uuid::Uuid = decoded.trim_start_matches("User:").parse().expect("a uuid");
    let payload =
        json!({"platform": "GENERIC", "mode": "MERGE", "dry_run": false, "header": [], "columns": []});
    let new = |id| NewJob {
        id,
        kind: entity::enums::JobKind::CollectionImport,
        user: Some(user),
        upload: None,
        priority: 0,
        payload: payload.clone(),
        total: None,
        trace_id: None,
    };
    let limits = QueueLimits { of_user: 1_000, of_kind: 1_000_000 };
    let job = queue_job(connection, new(outside.uuid()), limits, outside.now()).await.expect("a job").id;
    let dead = queue_job(connection, new(outside.uuid()), limits, outside.now()).await.expect("a job");
    app.execute(
        "update jobs set status = 1, lease_by = id where created_at = (select max(created_at) from jobs)",
    )
    .await;
    let claim = Claim { worker: dead.id, job: dead };
    fail_job(connection, &claim, &dualcaster::error::Error::internal("x"), false, &outside)
        .await
        .expect("dead");
    let page = Page::first(1);
    let letters =
        list_dead_letters(connection, &DeadLetterList { kind: None }, &page).await.expect("letters");
    let letter = letters.rows[0].id;
    let file = outside.uuid();
    let row = entity::upload::Model {
        id: file,
        user_id: user,
        filename: "x.csv".to_owned(),
        size_bytes: 1,
        row_count: 1,
        encoding: "UTF-8".to_owned(),
        sha256: vec![0],
        uploaded_at: outside.now(),
        deleted_at: None,
    };
    create_upload(connection, row).await.expect("a file");
    let id = |kind: &str, uuid: uuid::Uuid| URL_SAFE_NO_PAD.encode(format!("{kind}:{uuid}"));
    Work {
        job: id("CollectionImport", job),
        file: id("UploadedFile", file),
        letter: id("DeadLetter", letter),
    }
}

/// What somebody holds, wants, and has just removed, by id.
#[derive(Default)]
struct Held {
    item: String,
    want: String,
    removed: String,
}

async fn held(app: &TestApp, person: &Person) -> Held {
    const ADD: &str = "mutation($id: ID!) { addInventoryItems(input: {items: [{cardId: $id}, {cardId: $id, finish: FOIL}]}) \
         { items { id } } }";
    const WANT: &str = "mutation($id: ID!) { addWantListItem(input: {cardId: $id}) { item { id } } }";
    const REMOVE: &str = "mutation($id: ID!) { removeInventoryItems(input: {ids: [$id]}) { removedIds } }";
    let id = |value: &Value| value.as_str().expect("an id").to_owned();
    let ask = async |query: &str, id: &str| {
        app.ask_as(Some(&person.access), query, json!({"id": id})).await.field().clone()
    };
    let items = ask(ADD, &BOLT.id()).await;
    let (item, removed) = (id(&items["items"][0]["id"]), id(&items["items"][1]["id"]));
    let want = id(&ask(WANT, &BOLT.id()).await["item"]["id"]);
    assert_eq!(ask(REMOVE, &removed).await["removedIds"], json!([removed]));
    Held { item, want, removed }
}

const BOLT: Printing =
    Printing { number: 1, name: "Lightning Bolt", set: "lea", collector_number: "161", rarity: "common" };

async fn api_token(app: &TestApp, person: &Person) -> String {
    let query = "mutation { createApiToken(input: {name: \"x\"}) { apiToken { id } } }";
    let made = app.ask_as(Some(&person.access), query, json!(null)).await;
    made.field()["apiToken"]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn in_production_the_schema_and_explanations_are_for_administrators() {
    let production = |settings: &mut Settings| settings.mode = Mode::Production;
    everywhere_with(Content::Tables, production, async |app| {
        let (user, admin) = (somebody(app, Role::User).await.access, somebody(app, Role::Admin).await.access);
        let bot = create_client(app.bulk.write(), "bot", Role::Bot, None, &Outside::system())
            .await
            .expect("a client")
            .1
            .text();
        for (token, sees) in [(None, false), (Some(&user), false), (Some(&bot), false), (Some(&admin), true)]
        {
            let token = token.map(String::as_str);
            let answer = app.ask_as(token, "{ __schema { queryType { name } } }", json!(null)).await;
            assert_eq!(answer.code(), (!sees).then_some("ERR-2005"));
            let headers = [("x-dualcaster-explain", "1")];
            let answer = app.ask_with(token, &headers, "{ marketplaces { id } }", json!(null)).await;
            assert_eq!(answer.body["extensions"]["explain"].is_object(), sees);
        }
    });
}

#[test]
fn an_administrator_may_ask_for_more_at_once() {
    let small = |settings: &mut Settings| settings.guard.cost = 50;
    everywhere_with(Content::Tables, small, async |app| {
        let (user, admin) = (somebody(app, Role::User).await.access, somebody(app, Role::Admin).await.access);
        let query = |first: u32| format!("{{ cards(first: {first}) {{ nodes {{ id }} }} }}");
        for (token, most) in [(None, 49), (Some(&user), 49), (Some(&admin), 100)] {
            let token = token.map(String::as_str);
            assert_eq!(app.ask_as(token, &query(most), json!(null)).await.code(), None);
        }
        assert_eq!(app.ask_as(Some(&user), &query(50), json!(null)).await.code(), Some("ERR-4003"));
        let ten_pages = "{ a: cards(first: 100) { nodes { id } } b: cards(first: 100) { nodes { id } } \
             c: cards(first: 100) { nodes { id } } d: cards(first: 100) { nodes { id } } e: cards(first: 100) { nodes { id } } }";
        assert_eq!(app.ask_as(Some(&admin), ten_pages, json!(null)).await.code(), Some("ERR-4003"));
    });
}

#[test]
fn a_bot_may_be_held_to_what_was_registered() {
    let for_bots = |settings: &mut Settings| settings.guard.operations = Operations::TrustedForBots;
    everywhere_with(Content::Tables, for_bots, async |app| {
        let bot = create_client(app.bulk.write(), "bot", Role::Bot, None, &Outside::system())
            .await
            .expect("a client")
            .1
            .text();
        let user = somebody(app, Role::User).await.access;
        let known = "query Known { marketplaces { id } }";
        app.app.engine().trust([("known".to_owned(), known.to_owned())]);
        let own = "{ marketplaces { slug } }";
        assert_eq!(app.ask_as(Some(&bot), own, json!(null)).await.code(), Some("ERR-4004"));
        assert_eq!(app.ask_as(Some(&bot), known, json!(null)).await.code(), None);
        for token in [None, Some(user.as_str())] {
            assert_eq!(app.ask_as(token, own, json!(null)).await.code(), None);
        }
    });
}
