//! Who may what: every field of the roots and of what is somebody's, tried as everybody. The table beside this file says
//! what is expected; a field that is not in it fails the test, and so does a row without a field.

mod questions;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dualcaster::config::{Mode, Operations, Settings};
use dualcaster::domain::accounts::{Device, Email, NewUser, SessionTerms, create_user, open_session};
use dualcaster::ingest::Format;
use dualcaster::outside::Outside;
use entity::enums::Role;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{Person, behind_a_proxy, bot, everywhere_with};
use crate::collection::BOLT;
use crate::harness::{Content, TestApp, TestFile, all_printings};
use crate::jobs::{shocks, upload_with};
pub use questions::base_of;
use questions::{Question, questions, types_of_the_schema};

/// `Type.field: anonymous user other bot admin`, each `yes`, `null` or a code.
const TABLE: &str = include_str!("authorisation.txt");

/// Who asks, in the table's order.
const ASKERS: [&str; 5] = ["anonymous", "user", "other", "bot", "admin"];

/// What is expected of each field, and the types whose fields need no row.
fn table() -> (BTreeMap<String, String>, BTreeSet<String>) {
    let (mut rows, mut everyones) = (BTreeMap::new(), BTreeSet::new());
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some((_, types)) = line.split_once(" = ") {
            everyones.extend(types.split(' ').map(str::to_owned));
            continue;
        }
        let (places, cells) = line.split_once(": ").expect("a line of the table");
        let (ty, fields) = places.split_once('.').expect("a type and its fields");
        for field in fields.split(' ') {
            let twice = rows.insert(format!("{ty}.{field}"), cells.to_owned());
            assert_eq!(twice, None, "{ty}.{field} has two rows");
        }
    }
    (rows, everyones)
}

/// A new account and its session, made behind the server's back: to hash a password for each cell would take long.
pub async fn somebody(app: &TestApp, role: Role) -> Person {
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
    let (expected, everyones) = table();
    let bot = bot(app).await;
    load_a_card(app).await;
    let types = types_of_the_schema();
    let unknown: Vec<_> = everyones.iter().filter(|ty| !types.contains_key(*ty)).collect();
    assert!(unknown.is_empty(), "there are no types {unknown:?}");
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut asked = 0;
    let questions = types.iter().flat_map(|(ty, fields)| questions(ty, fields, everyones.contains(ty)));
    for question in questions {
        for who in ASKERS {
            // Each from another address, so that nobody is left out for what another has missed.
            let from = format!("203.0.{}.{}", asked / 250, asked % 250);
            asked += 1;
            let body = ask_as(app, &bot, who, &question, &from).await;
            for place in &question.places {
                told.entry(place.clone()).or_default().push(question.told(place, &body));
            }
        }
    }
    let told: BTreeMap<_, _> = told.into_iter().map(|(place, cells)| (place, cells.join(" "))).collect();
    let wrong: Vec<_> = told.iter().filter(|(place, cells)| expected.get(*place) != Some(*cells)).collect();
    let gone: Vec<_> = expected.keys().filter(|place| !told.contains_key(*place)).collect();
    assert!(wrong.is_empty() && gone.is_empty(), "it is {wrong:#?} and there is no {gone:?}");
}

/// What somebody is answered who asks for what is Ada's, which is new each time: some of it ends what it is asked with.
async fn ask_as(app: &TestApp, bot: &str, who: &str, question: &Question, from: &str) -> Value {
    let ada = somebody(app, Role::User).await;
    app.execute("update users set discord_id = null").await;
    app.execute(&format!("update users set discord_id = '77' where email_key = '{}'", ada.email)).await;
    let bearer = match who {
        "anonymous" => None,
        "user" => Some(ada.access.clone()),
        "other" => Some(somebody(app, Role::User).await.access),
        "bot" => Some(bot.to_owned()),
        _ => Some(somebody(app, Role::Admin).await.access),
    };
    let (bearer, headers) = (bearer.as_deref(), [("x-forwarded-for", from)]);
    if question.places == ["Mutation.importCollection"] {
        return upload_with(app, bearer, &headers, "cards.csv", shocks(1).as_bytes(), json!({})).await.body;
    }
    let held =
        if question.needs(&["item", "want", "removed"]) { held(app, &ada).await } else { Held::default() };
    let work =
        if question.needs(&["job", "file", "letter"]) { work_of(app, &ada).await } else { Work::default() };
    let ids = [
        ("ada", ada.id.clone()),
        ("card", BOLT.id()),
        ("file", work.file),
        ("item", held.item),
        ("job", work.job),
        ("letter", work.letter),
        ("removed", held.removed),
        ("session", ada.session.clone()),
        ("token", api_token(app, &ada).await),
        ("want", held.want),
    ];
    let needed: Vec<_> = ids.into_iter().filter(|(name, _)| question.needs(&[*name])).collect();
    let declared: Vec<_> = needed.iter().map(|(name, _)| format!("${name}: ID!")).collect();
    let declared = if declared.is_empty() { String::new() } else { format!("({})", declared.join(", ")) };
    let variables: serde_json::Map<_, _> =
        needed.into_iter().map(|(name, id)| (name.to_owned(), json!(id))).collect();
    let text = question.text.replace("EMAIL", &ada.email);
    let query = format!("{}{declared} {{ {text} }}", question.operation);
    if question.operation == "subscription" {
        return listen_as(app, bearer, from, &query, json!(variables)).await;
    }
    app.ask_with(bearer, &headers, &query, json!(variables)).await.body
}

/// What who listens is told first, or that they are let in.
pub async fn listen_as(
    app: &TestApp,
    bearer: Option<&str>,
    from: &str,
    query: &str,
    variables: Value,
) -> Value {
    let mut request = app.client.post(format!("{}/graphql", app.base)).header("accept", "text/event-stream");
    if let Some(token) = bearer {
        request = request.bearer_auth(token);
    }
    let asked = json!({"query": query, "variables": variables});
    let answer = request.header("x-forwarded-for", from).json(&asked).send().await.expect("a stream");
    let mut events = answer.bytes_stream();
    let first = async {
        let mut heard = String::new();
        while !heard.contains("\n\n") {
            let piece = events.next().await.expect("an event").expect("bytes");
            heard.push_str(&String::from_utf8_lossy(&piece));
        }
        let data = heard.lines().find_map(|line| line.strip_prefix("data:")).expect("data");
        serde_json::from_str::<Value>(data.trim()).expect("JSON")
    };
    let listening = async |is_so: bool| {
        while (app.app.live().listeners() > 0) != is_so {
            tokio::task::yield_now().await;
        }
    };
    let told = async {
        tokio::select! {
            told = first => told,
            () = listening(true) => json!({"data": {"listens": true}}),
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(20), told).await.expect("an answer in time");
    drop(events);
    listening(false).await;
    told
}

/// A job of somebody's that waits, a file that no job reads, and a job of theirs that failed for good, by id.
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
    let new = |id, upload| NewJob {
        id,
        kind: entity::enums::JobKind::CollectionImport,
        user: Some(user),
        upload,
        priority: 0,
        payload: payload.clone(),
        total: None,
        trace_id: None,
    };
    let limits = QueueLimits { of_user: 1_000, of_kind: 1_000_000 };
    let (file, of_job) = (outside.uuid(), outside.uuid());
    for id in [file, of_job] {
        let row = entity::upload::Model {
            id,
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
    }
    let job = new(outside.uuid(), Some(of_job));
    let job = queue_job(connection, job, limits, outside.now()).await.expect("a job").id;
    let dead = new(outside.uuid(), None);
    let dead = queue_job(connection, dead, limits, outside.now()).await.expect("a job");
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

/// A catalogue of one card, which is the one that everybody holds and wants here.
pub async fn load_a_card(app: &TestApp) {
    let catalogue = TestFile::json(&all_printings(&[BOLT], |_, _| {}));
    app.ingest(Format::MtgjsonPrintings, &catalogue).await.expect("a catalogue");
}

/// Something new of somebody's of every type, by type and id.
pub async fn one_of_each(app: &TestApp, person: &Person) -> BTreeMap<&'static str, String> {
    let (held, work) = (held(app, person).await, work_of(app, person).await);
    BTreeMap::from([
        ("ApiToken", api_token(app, person).await),
        ("CollectionImport", work.job),
        ("DeadLetter", work.letter),
        ("InventoryItem", held.item),
        ("Session", person.session.clone()),
        ("UploadedFile", work.file),
        ("User", person.id.clone()),
        ("WantListItem", held.want),
    ])
}

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
        let bot = bot(app).await;
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
        let bot = bot(app).await;
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
