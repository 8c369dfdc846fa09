//! Documents that nobody wrote: the cost is never below what is returned, and nothing that is sent breaks the server.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql_parser::parse_schema;
use async_graphql_parser::types::{BaseType, FieldDefinition, TypeKind, TypeSystemDefinition};
use dualcaster::engine::Call;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::collection::{added, all_cards, ask, text, two_of_each, want_two_of_each};
use crate::harness::{Content, Store, TestApp, TestDatabase, draws, runtime};
use crate::jobs::imported;
use crate::security::{mutate, sign_in, sign_up};

/// The object types of the schema with their fields, and which types are leaves.
struct Types {
    objects: BTreeMap<String, Vec<FieldDefinition>>,
    /// The types of an interface or a union.
    abstracts: BTreeMap<String, Vec<String>>,
}

impl Types {
    fn read() -> Self {
        let document = parse_schema(dualcaster::graphql::sdl()).expect("the SDL");
        let mut types = Self { objects: BTreeMap::new(), abstracts: BTreeMap::new() };
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            if let TypeKind::Object(object) = definition.node.kind {
                for interface in object.implements {
                    types.abstracts.entry(interface.node.to_string()).or_default().push(name.clone());
                }
                types.objects.insert(name, object.fields.into_iter().map(|field| field.node).collect());
            }
        }
        types
    }

    /// Whether a field has fields of its own.
    fn leads_on(&self, field: &FieldDefinition) -> bool {
        let below = named(&field.ty.node.base);
        self.objects.contains_key(below) || self.abstracts.contains_key(below)
    }
}

fn named(ty: &BaseType) -> &str {
    match ty {
        BaseType::Named(name) => name,
        BaseType::List(of) => named(&of.base),
    }
}

/// Writes valid documents.
struct Writer<'a> {
    types: &'a Types,
    random: ChaCha8Rng,
    /// Global ids that are there, and one that is not.
    ids: &'a [String],
    /// Whether it looks for fields that lead on.
    digs: bool,
    aliases: usize,
}

impl Writer<'_> {
    fn document(&mut self) -> String {
        self.aliases = 0;
        self.selection("Query", 0)
    }

    /// A document about who asks; each number begins at another of the fields that lead on.
    fn document_of_viewer(&mut self, number: usize) -> String {
        self.aliases = 0;
        let types = self.types;
        let fields: Vec<_> = types.objects["User"].iter().filter(|field| types.leads_on(field)).collect();
        let Some(field) = fields.get(number % (fields.len() + 1)) else { return self.document() };
        let arguments = self.arguments(field).expect("arguments that can be made");
        let below = self.selection(named(&field.ty.node.base), 2);
        format!("{{ viewer {{ __typename {}{arguments} {below} }} }}", field.name.node)
    }

    /// A document with a variable of any type and default, which fit its place now and then.
    fn document_with_variable(&mut self) -> String {
        const TYPES: [&str; 9] =
            ["Int", "Int!", "[Int!]", "[[ID]!]!", "Boolean", "Color", "CardLookup!", "Nothing", "[Nothing!]"];
        const DEFAULTS: [&str; 9] = [
            "",
            " = 1",
            " = -3000000000",
            " = true",
            " = null",
            " = RED",
            " = []",
            " = {id: \"x\"}",
            " = [[1], \"x\"]",
        ];
        const PLACES: [&str; 8] = [
            "cards(first: $v) { totalCount }",
            "cards(filter: {colors: [RED, $v]}) { totalCount }",
            "cards(sort: {field: NAME, direction: $v}) { totalCount }",
            "card(by: $v) { id }",
            "card(by: {id: $v}) { id }",
            "nodes(ids: $v) { id }",
            "nodes(ids: [$v]) { id }",
            "__typename @include(if: $v)",
        ];
        let mut one_of = |words: &[&'static str]| words[self.random.random_range(0..words.len())];
        let (ty, default, place) = (one_of(&TYPES), one_of(&DEFAULTS), one_of(&PLACES));
        format!("query($v: {ty}{default}) {{ ...F __typename }} fragment F on Query {{ {place} }}")
    }

    fn selection(&mut self, name: &str, depth: usize) -> String {
        if let Some(concrete) = self.types.abstracts.get(name) {
            let parts: Vec<String> =
                concrete.iter().map(|one| format!("... on {one} {}", self.selection(one, depth))).collect();
            return format!("{{ __typename {} }}", parts.join(" "));
        }
        let types = self.types;
        let fields: Vec<_> = types.objects[name].iter().collect();
        let leading: Vec<_> = fields.iter().copied().filter(|field| types.leads_on(field)).collect();
        let mut text = "{ __typename".to_owned();
        for _ in 0..self.random.random_range(1..=3) {
            let digs = self.digs && !leading.is_empty() && self.random.random_bool(0.5);
            let among = if digs { &leading } else { &fields };
            let field = among[self.random.random_range(0..among.len())];
            let below = named(&field.ty.node.base);
            let is_object = types.leads_on(field);
            if is_object && depth >= 5 {
                continue;
            }
            let Some(arguments) = self.arguments(field) else { continue };
            // Each under a name of its own, so that no two of one name differ in their arguments.
            self.aliases += 1;
            if self.aliases > 28 {
                break;
            }
            text.push_str(&format!(" x{}: {}{arguments}", self.aliases, field.name.node));
            if is_object {
                text.push_str(&format!(" {}", self.selection(below, depth + 1)));
            }
        }
        text + " }"
    }

    /// None where the field needs an argument that this does not know how to make.
    fn arguments(&mut self, field: &FieldDefinition) -> Option<String> {
        let mut given = Vec::new();
        for argument in &field.arguments {
            let name = argument.node.name.node.as_str();
            let id = self.ids[self.random.random_range(0..self.ids.len())].clone();
            match name {
                "first" if self.random.random_bool(0.8) => {
                    given.push(format!("first: {}", self.random.random_range(0..=6)));
                }
                "ids" => given.push(format!("ids: [\"{id}\", \"{id}\", \"nothing\"]")),
                "id" => given.push(format!("id: \"{id}\"")),
                "by" if named(&argument.node.ty.node.base) == "AllocationKey" => {
                    given.push("by: RARITY".to_owned());
                }
                "by" => given.push(format!("by: {{id: \"{id}\"}}")),
                "code" => given.push("code: \"m001\"".to_owned()),
                _ if !argument.node.ty.node.nullable && argument.node.default_value.is_none() => return None,
                _ => {}
            }
        }
        Some(if given.is_empty() { String::new() } else { format!("({})", given.join(", ")) })
    }
}

/// The JSON objects below a value.
fn objects(value: &Value) -> u64 {
    match value {
        Value::Object(fields) => 1 + fields.values().map(objects).sum::<u64>(),
        Value::Array(items) => items.iter().map(objects).sum(),
        _ => 0,
    }
}

/// How many objects of the schema an answer has: no more than its document costs.
fn returned(document: &str, answer: &Value) -> u64 {
    assert!(answer.get("data").is_some(), "{document}: {answer}");
    // The answer itself is an object too, and none of the schema's.
    let returned = objects(&answer["data"]).saturating_sub(1);
    let cost = answer["extensions"]["cost"]["requested"].as_u64().expect("a cost");
    assert!(cost >= returned, "{document} costs {cost} and returns {returned}");
    returned
}

/// Adds what stands under a name anywhere in a value.
fn add_texts(value: &Value, name: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(name).and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| add_texts(value, name, found));
        }
        Value::Array(items) => items.iter().for_each(|item| add_texts(item, name, found)),
        _ => {}
    }
}

/// Changes a few bytes of a document.
fn spoil(bytes: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    for _ in 0..random.random_range(1..6) {
        let at = random.random_range(0..bytes.len());
        match random.random_range(0..3) {
            0 => bytes[at] = random.random(),
            1 => drop(bytes.remove(at)),
            _ => bytes.insert(at, bytes[random.random_range(0..bytes.len())]),
        }
    }
}

async fn server(store: Store) -> (TestDatabase, TestApp, Vec<String>) {
    let database = TestDatabase::new(store, Content::Market).await;
    let mut settings = database.settings();
    settings.guard.cost = u64::MAX;
    settings.budget.user = settings.budget.anonymous;
    let app = TestApp::start_with(&database, settings).await;
    let data = app
        .data(
            "{ cards(first: 30) { nodes { id } } cardSets { nodes { id } } marketplaces { id } }",
            json!(null),
        )
        .await;
    let found = [&data["cards"]["nodes"], &data["cardSets"]["nodes"], &data["marketplaces"]];
    let ids = found.into_iter().flat_map(|list| list.as_array().expect("a list"));
    let ids = ids.map(|one| one["id"].as_str().expect("an id").to_owned()).collect();
    (database, app, ids)
}

/// A token of somebody who has some of everything that users have, and the ids of some of it. It outlasts any test.
async fn owner(app: &TestApp) -> (String, Vec<String>) {
    let ada = sign_up(app, "ada@example.com").await;
    sign_in(app, &ada.email).await;
    let cards = all_cards(app).await;
    added(app, &ada, two_of_each(&cards[..15])).await;
    want_two_of_each(app, &ada, &cards[..15]).await;
    app.work();
    let rows: String = (0..30).map(|number| format!("1,Zyzzyx {number},\n")).collect();
    for dry_run in [true, false] {
        let file = format!("Quantity,Name,Set Code\n{rows}");
        imported(app, &ada, &file, json!({"dryRun": dry_run})).await;
    }
    let mut token = String::new();
    for _ in 0..3 {
        let made = mutate(app, &ada, "createApiToken(input: {name: \"x\"}) { token }").await;
        token = text(&made.field()["token"]).to_owned();
    }
    let query = "{ viewer { id inventory(first: 5) { nodes { id } } wantList(first: 5) { nodes { id } } sessions { id }
        apiTokens { id } jobs { nodes { id ... on CollectionImport { file { id } } } } } }";
    let mut ids = BTreeSet::new();
    add_texts(ask(app, &ada, query, json!(null)).await.field(), "id", &mut ids);
    (token, ids.into_iter().collect())
}

#[test]
fn no_answer_has_more_objects_than_its_cost() {
    for store in [Store::Postgres, Store::Sqlite] {
        runtime().block_on(async {
            let (database, app, ids) = server(store).await;
            let types = Types::read();
            let mut writer = Writer {
                types: &types,
                random: ChaCha8Rng::seed_from_u64(1),
                ids: &ids,
                digs: false,
                aliases: 0,
            };
            let (mut with_objects, mut most) = (0, 0);
            for _ in 0..1_000 {
                let document = writer.document();
                let returned = returned(&document, &app.answer(&document, json!(null)).await);
                with_objects += u64::from(returned > 0);
                most = most.max(returned);
            }
            // The documents are about something.
            assert!(with_objects > 500 && most > 50, "{with_objects} of 1000 return objects, {most} at most");
            app.stop().await;
            database.remove().await;
        });
    }
}

#[test]
fn no_answer_to_a_user_has_more_objects_than_its_cost() {
    runtime().block_on(async {
        let (database, app, mut ids) = server(Store::Sqlite).await;
        let (token, own) = owner(&app).await;
        ids.extend(own);
        let types = Types::read();
        let mut writer =
            Writer { types: &types, random: ChaCha8Rng::seed_from_u64(4), ids: &ids, digs: true, aliases: 0 };
        let mut told = BTreeSet::new();
        for number in 0..draws(120) {
            let document = writer.document_of_viewer(number);
            let answer = app.ask_as(Some(&token), &document, json!(null)).await;
            returned(&document, &answer.body);
            add_texts(&answer.body, "__typename", &mut told);
        }
        // The documents are about what is somebody's.
        for owned in ["ApiToken", "CollectionImport", "InventoryItem", "Portfolio", "Session", "WantListItem"]
        {
            assert!(told.contains(owned), "{owned} is not among {told:?}");
        }
        app.stop().await;
        database.remove().await;
    });
}

#[test]
fn nothing_that_a_user_sends_breaks_the_server() {
    runtime().block_on(async {
        let (database, app, mut ids) = server(Store::Sqlite).await;
        let (token, own) = owner(&app).await;
        ids.extend(own);
        let types = Types::read();
        let mut writer =
            Writer { types: &types, random: ChaCha8Rng::seed_from_u64(5), ids: &ids, digs: true, aliases: 0 };
        let mut random = ChaCha8Rng::seed_from_u64(6);
        let (mut executed, mut refused) = (0, 0);
        for number in 0..draws(120) {
            let mut bytes = writer.document_of_viewer(number).into_bytes();
            if number % 2 == 0 {
                spoil(&mut bytes, &mut random);
            }
            let document = String::from_utf8_lossy(&bytes);
            let answer = app.ask_as(Some(&token), &document, json!(null)).await;
            let told = answer.body.to_string();
            assert!(answer.status < 500 && !told.contains("ERR-5"), "{document}: {} {told}", answer.status);
            let is_executed = answer.body.get("data").is_some();
            executed += usize::from(is_executed);
            refused += usize::from(!is_executed);
        }
        assert!(executed > 0 && refused > 0, "{executed} are executed, {refused} are not");
        app.stop().await;
        database.remove().await;
    });
}

#[test]
fn nothing_that_is_sent_breaks_the_server() {
    let count = draws(5_000);
    runtime().block_on(async {
        let (database, app, ids) = server(Store::Sqlite).await;
        let types = Types::read();
        let mut writer = Writer {
            types: &types,
            random: ChaCha8Rng::seed_from_u64(2),
            ids: &ids,
            digs: false,
            aliases: 0,
        };
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let (mut refused, mut raw) = (0, Vec::new());
        for number in 0..count {
            let mut bytes = writer.document().into_bytes();
            match number % 5 {
                0 => {}
                // Noise of any bytes, and noise of what documents are made of.
                1 => bytes = (0..random.random_range(0..200)).map(|_| random.random()).collect(),
                2 => {
                    const ALPHABET: &[u8] = b"{}[]()!$:=@|&\"#,.\\ \n\t_aZ09-";
                    let letter = |_| ALPHABET[random.random_range(0..ALPHABET.len())];
                    bytes = (0..200).map(letter).collect();
                }
                3 => spoil(&mut bytes, &mut random),
                _ => bytes = writer.document_with_variable().into_bytes(),
            }
            // Some as they are, as a whole body and as the query in one.
            if number % 41 == 0 {
                for body in [bytes.clone(), [b"{\"query\": \"", bytes.as_slice(), b"\"}"].concat()] {
                    let request = app.client.post(format!("{}/graphql", app.base)).body(body);
                    let request = request.header("content-type", "application/json");
                    let answer = request.send().await.expect("an answer");
                    let (status, text) = (answer.status().as_u16(), answer.text().await.expect("text"));
                    assert!(status < 500 && !text.contains("ERR-5"), "{bytes:?}: {status} {text}");
                    raw.push(status);
                }
            }
            let query = String::from_utf8_lossy(&bytes).into_owned();
            // Most go to the engine alone, for a hundredth of the time; what it lets pass is executed over HTTP.
            let call = Call { query: Some(query.clone()), may_introspect: true, ..Call::default() };
            match app.app.engine().prepare(call).await {
                Err(_) => refused += 1,
                Ok(_) if number % 40 < 5 => {
                    let body = json!({"query": query});
                    let request = app.client.post(format!("{}/graphql", app.base)).json(&body);
                    let answer = request.send().await.expect("an answer");
                    assert!(answer.status().as_u16() < 500, "{query}");
                    let text = answer.text().await.expect("text");
                    assert!(!text.contains("ERR-5"), "{query}: {text}");
                }
                Ok(_) => {}
            }
        }
        assert!(refused > count / 4 && refused < count, "{refused} of {count} are refused");
        assert!(raw.contains(&400) && raw.contains(&200), "{raw:?}");
        assert_eq!(app.answer("{ __typename }", json!(null)).await["data"], json!({"__typename": "Query"}));
        app.stop().await;
        database.remove().await;
    });
}
