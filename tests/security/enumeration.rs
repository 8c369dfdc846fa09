//! Who asks again and again for what is not there, or not theirs, is left out for a while. The catalogue is everyone's.

use std::collections::BTreeSet;

use async_graphql_parser::parse_schema;
use async_graphql_parser::types::{InputValueDefinition, TypeKind, TypeSystemDefinition};
use dualcaster::gates::MISSES;
use entity::enums::Role;
use serde_json::{Value, json};

use super::authorisation::{base_of, listen_as, load_a_card, one_of_each, somebody};
use super::{Person, bot, come_of_age, mutate, sign_in, sign_up};
use crate::collection::nobodys;
use crate::harness::{Answered, TestApp, everywhere};

/// The types of what is somebody's.
const OWNED: &[&str] = &[
    "ApiToken",
    "CollectionImport",
    "DeadLetter",
    "InventoryItem",
    "Session",
    "UploadedFile",
    "User",
    "WantListItem",
];

/// The roots' fields that take the id of something of somebody's: of which types, and how they are asked.
const BY_ID: &[(&str, &[&str], &str)] = &[
    ("Query.node", OWNED, "query($id: ID!) { node(id: $id) { id } }"),
    ("Query.nodes", OWNED, "query($id: ID!) { nodes(ids: [$id]) { id } }"),
    ("Mutation.cancelJob", &["CollectionImport"], "cancelJob(input: {id: $id})"),
    ("Mutation.deleteUpload", &["UploadedFile"], "deleteUpload(input: {id: $id})"),
    ("Mutation.removeInventoryItems", &["InventoryItem"], "removeInventoryItems(input: {ids: [$id]})"),
    ("Mutation.removeWantListItems", &["WantListItem"], "removeWantListItems(input: {ids: [$id]})"),
    ("Mutation.restoreInventoryItems", &["InventoryItem"], "restoreInventoryItems(input: {ids: [$id]})"),
    ("Mutation.revokeApiToken", &["ApiToken"], "revokeApiToken(input: {id: $id})"),
    ("Mutation.revokeSession", &["Session"], "revokeSession(input: {sessionId: $id})"),
    ("Mutation.undoImport", &["CollectionImport"], "undoImport(input: {id: $id})"),
    (
        "Mutation.updateInventoryItem",
        &["InventoryItem"],
        "updateInventoryItem(input: {id: $id, quantity: 2})",
    ),
    ("Mutation.updateWantListItem", &["WantListItem"], "updateWantListItem(input: {id: $id, quantity: 2})"),
    (
        "Subscription.jobProgress",
        &["CollectionImport"],
        "subscription($id: ID!) { jobProgress(id: $id) { id } }",
    ),
];

/// Those that take other ids: of the catalogue, and of what is the administrators'.
const OF_OTHERS: &[&str] = &[
    "Query.card",
    "Mutation.addWantListItem",
    "Mutation.discardDeadLetters",
    "Mutation.retryDeadLetters",
    "Subscription.priceUpdates",
];

/// The roots' fields that take an id, themselves or in their input.
fn fields_with_ids() -> BTreeSet<String> {
    let document = parse_schema(dualcaster::graphql::sdl()).expect("the SDL");
    let (mut inputs, mut fields) = (BTreeSet::from(["ID".to_owned()]), Vec::new());
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let ty = definition.node.name.node.to_string();
        match definition.node.kind {
            TypeKind::InputObject(input)
                if input.fields.iter().any(|at| base_of(&at.node.ty.node) == "ID") =>
            {
                inputs.insert(ty);
            }
            TypeKind::Object(object) if ["Query", "Mutation", "Subscription"].contains(&ty.as_str()) => {
                fields.extend(object.fields.into_iter().map(|field| (ty.clone(), field.node)));
            }
            _ => {}
        }
    }
    let takes_one = |given: &InputValueDefinition| inputs.contains(base_of(&given.ty.node));
    fields.retain(|(_, field)| field.arguments.iter().any(|given| takes_one(&given.node)));
    fields.into_iter().map(|(ty, field)| format!("{ty}.{}", field.name.node)).collect()
}

/// What is answered to who asks for something by its id in one of these ways: the code, if there is one.
async fn code_of(app: &TestApp, person: &Person, document: &str, id: &str) -> Option<String> {
    let variables = json!({"id": id});
    if document.starts_with("subscription") {
        let told = listen_as(app, Some(&person.access), "127.0.0.1", document, variables).await;
        return told["errors"][0]["extensions"]["errorCode"].as_str().map(str::to_owned);
    }
    let document = if document.starts_with("query") {
        document.to_owned()
    } else {
        format!("mutation($id: ID!) {{ {document} {{ userErrors {{ errorCode }} }} }}")
    };
    app.ask_as(Some(&person.access), &document, variables).await.code().map(str::to_owned)
}

/// What an id is answered, and at how many statements.
async fn answered(app: &TestApp, person: &Person, id: &str) -> (u16, Value, u64) {
    let before = app.statements();
    let answer = node(app, person, id).await;
    (answer.status, answer.body["data"].clone(), app.statements() - before)
}

async fn node(app: &TestApp, person: &Person, id: &str) -> Answered {
    app.ask_as(Some(&person.access), "query($id: ID!) { node(id: $id) { id } }", json!({"id": id})).await
}

everywhere! { Market:
    async fn ten_requests_that_miss_block_their_user_for_five_minutes(app: TestApp) {
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        for number in 0..9 {
            let kind = ["Session", "ApiToken", "User"][number % 3];
            assert_eq!(node(&app, &ada, &nobodys(kind)).await.body["data"], json!({"node": null}));
        }
        assert_eq!(node(&app, &ada, &ada.id).await.field()["id"], json!(ada.id));
        // The tenth is another's, asked for in a mutation.
        let revoke = format!("mutation {{ revokeSession(input: {{sessionId: \"{}\"}}) {{ userErrors {{ errorCode }} }} }}", bob.session);
        assert_eq!(app.ask_as(Some(&ada.access), &revoke, json!(null)).await.code(), Some("ERR-3001"));
        let blocked = node(&app, &ada, &ada.id).await;
        assert_eq!((blocked.status, blocked.code()), (429, Some("ERR-4002")));
        let seconds: u64 = blocked.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((295..=300).contains(&seconds), "{seconds}");
        assert_eq!(node(&app, &bob, &bob.id).await.code(), None, "nobody else");
        let nobody = app.ask_as(None, "{ marketplaces { id } }", json!(null)).await;
        assert_eq!(nobody.code(), None, "nor who says nothing, from the same address");
    }

    async fn the_catalogue_and_nonsense_never_count(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        for _ in 0..15 {
            for id in [nobodys("Card"), nobodys("CardSet"), nobodys("Marketplace"), "nonsense".to_owned()] {
                assert_eq!(node(&app, &ada, &id).await.body["data"], json!({"node": null}));
            }
            let query = "{ a: card(by: {name: \"no such card\"}) { id } b: cards(search: \"no such card\") { totalCount } }";
            assert_eq!(app.ask_as(Some(&ada.access), query, json!(null)).await.code(), None);
        }
    }

    async fn however_the_catalogue_is_asked_it_never_counts_nor_do_discord_ids(app: TestApp) {
        let (ada, bot) = (sign_up(&app, "ada@example.com").await, bot(&app).await);
        let asked = [
            format!("card(by: {{scryfallId: \"{}\"}}) {{ id }}", uuid::Uuid::new_v4()),
            format!("card(by: {{id: \"{}\"}}) {{ id }}", nobodys("Card")),
            "card(by: {name: \"no such card\"}) { id }".to_owned(),
            "card(by: {fuzzyName: \"qqqqqqqqqqqq\"}) { id }".to_owned(),
            "card(by: {printing: {setCode: \"xxx\", collectorNumber: \"1\"}}) { id }".to_owned(),
            "cardSet(code: \"xxx\") { id }".to_owned(),
            "cards(search: \"no such card\") { totalCount }".to_owned(),
            "searchSuggestions(prefix: \"qqq\")".to_owned(),
        ];
        for number in 0..=MISSES {
            for field in &asked {
                for token in [Some(ada.access.as_str()), None] {
                    let answer = app.ask_as(token, &format!("{{ {field} }}"), json!(null)).await;
                    let value = answer.field();
                    let is_nothing = value.is_null() || *value == json!([]) || value["totalCount"] == json!(0);
                    assert!(is_nothing, "{number}, {field}: {value}");
                }
            }
            // Each time for the same one, and for another who is not there either.
            for discord in ["77".to_owned(), format!("78{number}")] {
                let query = format!("{{ userByDiscordId(discordId: \"{discord}\") {{ id }} }}");
                let answer = app.ask_as(Some(&bot), &query, json!(null)).await;
                assert_eq!(answer.field(), &json!(null), "{number}");
            }
        }
    }

    async fn of_many_ids_at_once_a_request_counts_once(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let ids: Vec<_> = (0..20).map(|_| nobodys("Session")).collect();
        for _ in 0..9 {
            let answer = app.ask_as(Some(&ada.access), "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({"ids": ids})).await;
            assert_eq!(answer.code(), None);
        }
        assert_eq!(node(&app, &ada, &ada.id).await.code(), None);
        node(&app, &ada, &ids[0]).await;
        assert_eq!(node(&app, &ada, &ada.id).await.code(), Some("ERR-4002"));
    }

    async fn a_bot_is_never_left_out_as_a_whole(app: TestApp) {
        let token = bot(&app).await;
        let ask = async |discord: &str| {
            let query = "query($id: ID!, $discordId: String!) { node(id: $id) { id } userByDiscordId(discordId: $discordId) { id } }";
            app.ask_as(Some(&token), query, json!({"id": nobodys("Session"), "discordId": discord})).await
        };
        for _ in 0..10 {
            assert_eq!(ask("1").await.code(), None);
        }
        assert_eq!(ask("1").await.code(), Some("ERR-4002"), "for the one it acts for");
        assert_eq!(ask("2").await.code(), None, "not for another");
        for _ in 0..20 {
            let query = "query($id: ID!) { node(id: $id) { id } }";
            let answer = app.ask_as(Some(&token), query, json!({"id": nobodys("Session")})).await;
            assert_eq!(answer.code(), None, "nor for nobody in particular");
        }
    }

    async fn in_a_mutation_what_is_not_there_and_what_is_anothers_are_answered_alike(app: TestApp) {
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let mut told = Vec::new();
        for id in [&bob.session, &nobodys("Session"), &nobodys("Card"), "nonsense"] {
            let before = app.statements();
            let query = "mutation($id: ID!) { revokeSession(input: {sessionId: $id}) { revokedSessionId userErrors { errorCode message path } } }";
            let answer = app.ask_as(Some(&ada.access), query, json!({"id": id})).await;
            told.push((answer.status, answer.body["data"].clone(), app.statements() - before));
        }
        for one in &told {
            assert_eq!(one, &told[0]);
        }
    }
}

everywhere! { Tables:
    async fn ten_misses_block_whatever_is_asked_for_and_in_whichever_field(app: TestApp) {
        let known: BTreeSet<String> =
            BY_ID.iter().map(|(field, ..)| *field).chain(OF_OTHERS.iter().copied()).map(str::to_owned).collect();
        assert_eq!(fields_with_ids(), known, "each field that takes an id is tried here, or said to be of others");
        load_a_card(&app).await;
        let theirs = one_of_each(&app, &somebody(&app, Role::User).await).await;
        assert_eq!(theirs.keys().copied().collect::<Vec<_>>(), OWNED);
        for (field, kinds, document) in BY_ID {
            for kind in *kinds {
                let ada = somebody(&app, Role::User).await;
                for number in 0..MISSES {
                    // By turns what is nobody's and what is another's.
                    let id = if number % 2 == 0 { nobodys(kind) } else { theirs[kind].clone() };
                    let code = code_of(&app, &ada, document, &id).await;
                    let expected = (!document.starts_with("query")).then_some("ERR-3001");
                    assert_eq!(code.as_deref(), expected, "{field} of {kind}, {number}");
                }
                let blocked = app.ask_as(Some(&ada.access), "{ viewer { id } }", json!(null)).await;
                assert_eq!((blocked.status, blocked.code()), (429, Some("ERR-4002")), "{field} of {kind}");
            }
        }
    }

    async fn a_node_that_is_anothers_or_gone_or_of_another_type_or_nonsense_is_answered_alike(app: TestApp) {
        load_a_card(&app).await;
        // From then on, to know who asks costs no statement.
        come_of_age(&[&app]).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let nothing = answered(&app, &ada, "nonsense").await;
        assert_eq!((nothing.0, &nothing.1), (200, &json!({"node": null})));
        // What is there costs as much.
        let own = one_of_each(&app, &ada).await;
        for (kind, id) in own.iter().filter(|(kind, _)| **kind != "DeadLetter") {
            let found = answered(&app, &ada, id).await;
            assert_eq!((&found.1["node"]["id"], found.2), (&json!(id), nothing.2), "{kind}");
        }
        // Once it is gone it is as if it had never been.
        let ended = sign_in(&app, &ada.email).await.session;
        for (id, command) in [
            (&own["InventoryItem"], "removeInventoryItems(input: {ids: [ID]})"),
            (&own["WantListItem"], "removeWantListItems(input: {ids: [ID]})"),
            (&own["ApiToken"], "revokeApiToken(input: {id: ID})"),
            (&ended, "revokeSession(input: {sessionId: ID})"),
        ] {
            let command = command.replace("ID", &format!("\"{id}\""));
            mutate(&app, &ada, &format!("{command} {{ userErrors {{ errorCode }} }}")).await.field();
            assert_eq!(answered(&app, &ada, id).await, nothing, "{command}");
        }
        // Nobody misses ten times here.
        let (bob, cyd) = (sign_up(&app, "bob@example.com").await, sign_up(&app, "cyd@example.com").await);
        for (kind, id) in one_of_each(&app, &ada).await {
            assert_eq!(answered(&app, &bob, &id).await, nothing, "another's {kind}");
            assert_eq!(answered(&app, &cyd, &nobodys(kind)).await, nothing, "nobody's {kind}");
        }
        for id in [nobodys("Nothing"), "VXNlcjo".to_owned(), String::new()] {
            assert_eq!(answered(&app, &cyd, &id).await, nothing, "{id:?}");
        }
    }
}
