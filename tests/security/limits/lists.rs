//! How long a list may be: one that is given, and one that is returned.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql_parser::parse_schema;
use async_graphql_parser::types::{BaseType, InputValueDefinition, TypeKind, TypeSystemDefinition};
use dualcaster::domain::collection::{MOST_AT_ONCE, MOST_IDS, MOST_TAGS};
use reqwest::header::ACCEPT;
use serde_json::{Value, json};

use super::{passes, refused};
use crate::harness::{RESPONSE, TestApp, on_both_stores, send};
use crate::jobs::administrator;
use crate::security::{Person, come_of_age};

/// Each list that an argument takes, itself or in an input: the most items, by the domain's word where it has one, and how
/// it is given.
const LISTS: &[(&str, usize, &str)] = &[
    (
        "AddInventoryItemsInput.items",
        MOST_AT_ONCE,
        "mutation($x: [InventoryItemInput!]!) { addInventoryItems(input: {items: $x}) { userErrors { errorCode } } }",
    ),
    ("CardFilter.colors", 20, "query($x: [Color!]!) { cards(filter: {colors: $x}) { totalCount } }"),
    ("CardFilter.finishes", 20, "query($x: [Finish!]!) { cards(filter: {finishes: $x}) { totalCount } }"),
    ("CardFilter.rarities", 20, "query($x: [Rarity!]!) { cards(filter: {rarities: $x}) { totalCount } }"),
    ("CardFilter.setCodes", 100, "query($x: [String!]!) { cards(filter: {setCodes: $x}) { totalCount } }"),
    (
        "DiscardDeadLettersInput.ids",
        MOST_IDS,
        "mutation($x: [ID!]!) { discardDeadLetters(input: {ids: $x}) { userErrors { errorCode } } }",
    ),
    (
        "InventoryFilter.conditions",
        100,
        "query($x: [Condition!]!) { viewer { inventory(filter: {conditions: $x}) { totalCount } } }",
    ),
    (
        "InventoryFilter.finishes",
        100,
        "query($x: [Finish!]!) { viewer { inventory(filter: {finishes: $x}) { totalCount } } }",
    ),
    (
        "InventoryFilter.setCodes",
        100,
        "query($x: [String!]!) { viewer { inventory(filter: {setCodes: $x}) { totalCount } } }",
    ),
    (
        "InventoryFilter.tags",
        100,
        "query($x: [String!]!) { viewer { inventory(filter: {tags: $x}) { totalCount } } }",
    ),
    (
        "InventoryItemInput.tags",
        MOST_TAGS,
        "mutation($x: [String!]!) {
            addInventoryItems(input: {items: [{cardId: \"x\", tags: $x}]}) { userErrors { errorCode } } }",
    ),
    ("Query.cardSets(kinds)", 50, "query($x: [String!]!) { cardSets(kinds: $x) { totalCount } }"),
    ("Query.nodes(ids)", 100, "query($x: [ID!]!) { nodes(ids: $x) { id } }"),
    (
        "RemoveInventoryItemsInput.ids",
        MOST_IDS,
        "mutation($x: [ID!]!) { removeInventoryItems(input: {ids: $x}) { userErrors { errorCode } } }",
    ),
    (
        "RemoveWantListItemsInput.ids",
        MOST_IDS,
        "mutation($x: [ID!]!) { removeWantListItems(input: {ids: $x}) { userErrors { errorCode } } }",
    ),
    (
        "RestoreInventoryItemsInput.ids",
        MOST_IDS,
        "mutation($x: [ID!]!) { restoreInventoryItems(input: {ids: $x}) { userErrors { errorCode } } }",
    ),
    (
        "RetryDeadLettersInput.ids",
        MOST_IDS,
        "mutation($x: [ID!]!) { retryDeadLetters(input: {ids: $x}) { userErrors { errorCode } } }",
    ),
    (
        "Subscription.priceUpdates(cardIds)",
        100,
        "subscription($x: [ID!]!) { priceUpdates(cardIds: $x) { previousPrice } }",
    ),
    (
        "UpdateInventoryItemInput.tags",
        MOST_TAGS,
        "mutation($x: [String!]!) { updateInventoryItem(input: {id: \"x\", tags: $x}) { userErrors { errorCode } } }",
    ),
];

fn is_list(given: &InputValueDefinition) -> bool {
    matches!(given.ty.node.base, BaseType::List(_))
}

/// The lists that the schema has for arguments, each as it is named above.
fn lists_of_the_schema() -> BTreeSet<String> {
    let document = parse_schema(dualcaster::graphql::sdl()).expect("the SDL");
    let mut lists = BTreeSet::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let name = definition.node.name.node;
        let fields = match definition.node.kind {
            TypeKind::InputObject(input) => {
                let given = input.fields.iter().map(|field| &field.node).filter(|field| is_list(field));
                lists.extend(given.map(|field| format!("{name}.{}", field.name.node)));
                continue;
            }
            TypeKind::Object(object) => object.fields,
            TypeKind::Interface(interface) => interface.fields,
            _ => continue,
        };
        for field in fields {
            let arguments = field.node.arguments.iter().map(|argument| &argument.node);
            let given = arguments.filter(|argument| is_list(argument));
            let field = &field.node.name.node;
            lists.extend(given.map(|argument| format!("{name}.{field}({})", argument.name.node)));
        }
    }
    lists
}

/// So many items of a document's list. Nothing of what they name is there.
fn items(document: &str, count: usize) -> Vec<Value> {
    let (_, ty) = document.split_once("$x: [").expect("a list");
    let (ty, _) = ty.split_once("!]").expect("a type");
    let item = |number: usize| match ty {
        "Color" => json!("RED"),
        "Condition" => json!("DAMAGED"),
        "Finish" => json!("FOIL"),
        "Rarity" => json!("COMMON"),
        "InventoryItemInput" => json!({"cardId": format!("x{number}")}),
        _ => json!(format!("x{number}")),
    };
    (0..count).map(item).collect()
}

/// What so many items are answered with: what there is none of, what can't be, or something of their answer.
async fn answer_to(app: &TestApp, person: &Person, document: &str, count: usize) -> String {
    let form = if document.starts_with("subscription") { "text/event-stream" } else { RESPONSE };
    let request = app.client.post(format!("{}/graphql", app.base)).header(ACCEPT, form);
    let asked = json!({"query": document, "variables": {"x": items(document, count)}});
    let text = send(request.bearer_auth(&person.access).json(&asked)).await.text().await.expect("text");
    // Nor for who asks, nor for how much, nor for a trouble of ours.
    assert!(!["ERR-2", "ERR-4", "ERR-5"].iter().any(|other| text.contains(other)), "{document}: {text}");
    text
}

on_both_stores! { Tables:
    async fn each_list_of_an_argument_takes_its_maximum_and_no_more(app: TestApp) {
        let known: BTreeSet<String> = LISTS.iter().map(|(list, ..)| (*list).to_owned()).collect();
        assert_eq!(lists_of_the_schema(), known, "each list of an argument has a maximum, which is tried here");
        let most: BTreeMap<_, _> = LISTS.iter().map(|(list, most, _)| ((*list).to_owned(), Some(*most as u64))).collect();
        assert_eq!(app.app.engine().lists_taken(), most, "what the schema says is what the domain takes");
        // From then on, to know who asks costs no statement.
        come_of_age(&[&app]).await;
        let root = administrator(&app).await;
        for (list, most, document) in LISTS {
            let text = answer_to(&app, &root, document, *most).await;
            assert!(!text.contains("ERR-3002"), "{list}: {most} pass: {text}");
            let before = app.statements();
            let text = answer_to(&app, &root, document, most + 1).await;
            let is_refused = text.contains("ERR-3002") && text.contains(&format!(" takes {most} at most."));
            assert!(is_refused && !text.contains("\"data\""), "{list}: {most} and one: {text}");
            assert_eq!(app.statements(), before, "{list}: nothing is executed");
        }
        assert_eq!((app.rows("inventory_items").await, app.rows("want_list_items").await), (0, 0));
    }

    async fn ids_100_in_a_query_pass_and_101_are_refused(app: TestApp) {
        let of = |count: usize| {
            let ids: Vec<_> = (0..count).map(|_| "x").collect();
            json!({"query": "query($ids: [ID!]!) { marketplaces { slug } nodes(ids: $ids) { id } }", "variables": {"ids": ids}})
        };
        passes(&app, &of(100)).await;
        // With all that is asked beside them.
        refused(&app, &of(101), "ERR-3002").await;
    }

    async fn ids_1_000_in_a_mutation_pass_and_1_001_are_refused(app: TestApp) {
        come_of_age(&[&app]).await;
        let root = administrator(&app).await;
        let remove = async |count: usize| {
            let query = "mutation($ids: [ID!]!) { removeInventoryItems(input: {ids: $ids}) { userErrors { errorCode } } }";
            app.ask_as(Some(&root.access), query, json!({"ids": vec!["x"; count]})).await
        };
        // They are looked for.
        assert_eq!(remove(1_000).await.code(), Some("ERR-3001"));
        let before = app.statements();
        let answer = remove(1_001).await;
        assert_eq!((answer.code(), answer.body.get("data")), (Some("ERR-3002"), None));
        assert_eq!(app.statements(), before, "nothing is executed");
    }

    async fn a_list_in_variables_has_10_000_items_and_no_more(app: TestApp) {
        let of = |count: usize| json!({"query": "{ marketplaces { slug } }", "variables": {"x": vec![1; count]}});
        passes(&app, &of(10_000)).await;
        refused(&app, &of(10_001), "ERR-3002").await;
    }

    async fn every_list_says_how_long_it_may_be(app: TestApp) {
        assert_eq!(app.app.engine().unbounded_lists(), Vec::<String>::new());
    }
}
