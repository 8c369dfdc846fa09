//! Documents that nobody wrote: the cost is never below what is returned, and nothing that is sent breaks the server.

use std::collections::BTreeMap;

use async_graphql_parser::parse_schema;
use async_graphql_parser::types::{BaseType, FieldDefinition, TypeKind, TypeSystemDefinition};
use dualcaster::engine::Call;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::harness::{Content, Store, TestApp, TestDatabase, runtime};

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
    aliases: usize,
}

impl Writer<'_> {
    fn document(&mut self) -> String {
        self.aliases = 0;
        self.selection("Query", 0)
    }

    fn selection(&mut self, name: &str, depth: usize) -> String {
        if let Some(concrete) = self.types.abstracts.get(name) {
            let parts: Vec<String> =
                concrete.iter().map(|one| format!("... on {one} {}", self.selection(one, depth))).collect();
            return format!("{{ __typename {} }}", parts.join(" "));
        }
        let fields = &self.types.objects[name];
        let mut text = "{ __typename".to_owned();
        for _ in 0..self.random.random_range(1..=3) {
            let field = &fields[self.random.random_range(0..fields.len())];
            let below = named(&field.ty.node.base);
            let is_object =
                self.types.objects.contains_key(below) || self.types.abstracts.contains_key(below);
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

async fn server(store: Store) -> (TestDatabase, TestApp, Vec<String>) {
    let database = TestDatabase::new(store, Content::Market).await;
    let mut settings = database.settings();
    settings.guard.cost = u64::MAX;
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

#[test]
fn no_answer_has_more_objects_than_its_cost() {
    for store in [Store::Postgres, Store::Sqlite] {
        runtime().block_on(async {
            let (database, app, ids) = server(store).await;
            let types = Types::read();
            let mut writer =
                Writer { types: &types, random: ChaCha8Rng::seed_from_u64(1), ids: &ids, aliases: 0 };
            let (mut with_objects, mut most) = (0, 0);
            for _ in 0..1_000 {
                let document = writer.document();
                let answer = app.answer(&document, json!(null)).await;
                let refused = answer.get("data").is_none();
                assert!(!refused, "{document}: {answer}");
                // The answer itself is an object too, and none of the schema's.
                let returned = objects(&answer["data"]).saturating_sub(1);
                let cost = answer["extensions"]["cost"]["requested"].as_u64().expect("a cost");
                assert!(cost >= returned, "{document} costs {cost} and returns {returned}");
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

/// How many documents the next test sends; more by the variable `TEST_DOCUMENTS`.
const DOCUMENTS: usize = 5_000;

#[test]
fn nothing_that_is_sent_breaks_the_server() {
    let count =
        std::env::var("TEST_DOCUMENTS").ok().and_then(|count| count.parse().ok()).unwrap_or(DOCUMENTS);
    runtime().block_on(async {
        let (database, app, ids) = server(Store::Sqlite).await;
        let types = Types::read();
        let mut writer =
            Writer { types: &types, random: ChaCha8Rng::seed_from_u64(2), ids: &ids, aliases: 0 };
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let (mut refused, mut raw) = (0, Vec::new());
        for number in 0..count {
            let mut bytes = writer.document().into_bytes();
            match number % 4 {
                0 => {}
                // Noise of any bytes, and noise of what documents are made of.
                1 => bytes = (0..random.random_range(0..200)).map(|_| random.random()).collect(),
                2 => {
                    const ALPHABET: &[u8] = b"{}[]()!$:=@|&\"#,.\\ \n\t_aZ09-";
                    let letter = |_| ALPHABET[random.random_range(0..ALPHABET.len())];
                    bytes = (0..200).map(letter).collect();
                }
                _ => {
                    for _ in 0..random.random_range(1..6) {
                        let at = random.random_range(0..bytes.len());
                        match random.random_range(0..3) {
                            0 => bytes[at] = random.random(),
                            1 => drop(bytes.remove(at)),
                            _ => bytes.insert(at, bytes[random.random_range(0..bytes.len())]),
                        }
                    }
                }
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
                Ok(_) if number % 40 < 4 => {
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
