//! How the fields of the schema are asked for, and what their answers come to.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql_parser::parse_schema;
use async_graphql_parser::types::{BaseType, Type, TypeKind, TypeSystemDefinition};
use serde_json::{Value, json};

/// The roots' fields. `$ada` and the like stand for the ids of what is Ada's; of a mutation what is wrong is asked.
const OF_ROOTS: &[(&str, &str)] = &[
    // Of a type that is everyone's, what is of who asks.
    ("CardSet.completion", "cardSet(code: \"lea\") { asked: completion { owned } }"),
    ("Query.card", "card(by: {name: \"no such card\"}) { id }"),
    ("Query.cardSet", "cardSet(code: \"xxx\") { id }"),
    ("Query.cardSets", "cardSets(first: 1) { totalCount }"),
    ("Query.cards", "cards(first: 1) { totalCount }"),
    ("Query.deadLetters", "deadLetters(first: 1) { nodes { id } }"),
    ("Query.marketplaces", "marketplaces { id }"),
    ("Query.node", "node(id: $ada) { id }"),
    ("Query.nodes", "nodes(ids: [$ada]) { id }"),
    ("Query.searchSuggestions", "searchSuggestions(prefix: \"a\")"),
    ("Query.userByDiscordId", "userByDiscordId(discordId: \"77\") { id }"),
    ("Query.viewer", "viewer { id }"),
    ("Mutation.addInventoryItems", "addInventoryItems(input: {items: [{cardId: \"x\"}]})"),
    ("Mutation.addWantListItem", "addWantListItem(input: {cardId: \"x\"})"),
    ("Mutation.cancelJob", "cancelJob(input: {id: $job})"),
    ("Mutation.changePassword", "changePassword(input: {currentPassword: \"x\", newPassword: \"x\"})"),
    ("Mutation.createApiToken", "createApiToken(input: {name: \"x\"})"),
    ("Mutation.createDiscordLinkCode", "createDiscordLinkCode(input: {discordId: \"78\"})"),
    ("Mutation.deleteAccount", "deleteAccount(input: {password: \"x\"})"),
    ("Mutation.deleteUpload", "deleteUpload(input: {id: $file})"),
    ("Mutation.discardDeadLetters", "discardDeadLetters(input: {ids: [$letter]})"),
    ("Mutation.exportAccount", "exportAccount"),
    ("Mutation.exportInventory", "exportInventory(input: {})"),
    // As a form of several parts, with a small file.
    ("Mutation.importCollection", "importCollection"),
    ("Mutation.linkDiscordAccount", "linkDiscordAccount(input: {code: \"x\"})"),
    ("Mutation.login", "login(input: {email: \"x\", password: \"x\"})"),
    ("Mutation.logout", "logout"),
    ("Mutation.refreshSession", "refreshSession(input: {refreshToken: \"x\"})"),
    ("Mutation.register", "register(input: {email: \"x\", password: \"x\", displayName: \"x\"})"),
    ("Mutation.removeInventoryItems", "removeInventoryItems(input: {ids: [$item]})"),
    ("Mutation.removeWantListItems", "removeWantListItems(input: {ids: [$want]})"),
    ("Mutation.requestPasswordReset", "requestPasswordReset(input: {email: \"EMAIL\"})"),
    (
        "Mutation.resetPassword",
        "resetPassword(input: {token: \"x\", newPassword: \"seven llamas juggle torches\"})",
    ),
    ("Mutation.restoreInventoryItems", "restoreInventoryItems(input: {ids: [$removed]})"),
    ("Mutation.retryDeadLetters", "retryDeadLetters(input: {ids: [$letter]})"),
    ("Mutation.revokeAllSessions", "revokeAllSessions(input: {})"),
    ("Mutation.revokeApiToken", "revokeApiToken(input: {id: $token})"),
    ("Mutation.revokeSession", "revokeSession(input: {sessionId: $session})"),
    ("Mutation.undoImport", "undoImport(input: {id: $job})"),
    ("Mutation.unlinkDiscordAccount", "unlinkDiscordAccount"),
    ("Mutation.updateInventoryItem", "updateInventoryItem(input: {id: $item, quantity: 2})"),
    ("Mutation.updateProfile", "updateProfile(input: {displayName: \"Ada\"})"),
    ("Mutation.updateWantListItem", "updateWantListItem(input: {id: $want, quantity: 2})"),
    ("Mutation.verifyEmail", "verifyEmail(input: {token: \"x\"})"),
    ("Subscription.jobProgress", "jobProgress(id: $job) { id }"),
    ("Subscription.priceUpdates", "priceUpdates(cardIds: [$card]) { previousPrice }"),
    ("Subscription.wantListHits", "wantListHits { id }"),
];

/// The types of what is somebody's, and which id of Ada's is one.
const OWNED: &[(&str, &str)] = &[
    ("ApiToken", "token"),
    ("CollectionImport", "job"),
    ("DeadLetter", "letter"),
    ("InventoryItem", "item"),
    ("Session", "session"),
    ("UploadedFile", "file"),
    ("User", "ada"),
    ("WantListItem", "want"),
];

/// A field of the schema.
pub struct Field {
    name: String,
    /// Whether it has fields of its own.
    is_object: bool,
}

/// The name of a type, of a list that of its items.
pub fn base_of(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(item) => base_of(item),
    }
}

/// The object types of the schema, with their fields.
pub fn types_of_the_schema() -> BTreeMap<String, Vec<Field>> {
    let document = parse_schema(dualcaster::graphql::sdl()).expect("the SDL");
    let types = document.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(definition.node),
        _ => None,
    });
    let types: Vec<_> = types.collect();
    let of_fields =
        |kind: &TypeKind| matches!(kind, TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_));
    let objects: BTreeSet<&str> =
        types.iter().filter(|ty| of_fields(&ty.kind)).map(|ty| ty.name.node.as_str()).collect();
    let mut all = BTreeMap::new();
    for ty in &types {
        let TypeKind::Object(object) = &ty.kind else { continue };
        let field = |field: &async_graphql_parser::types::FieldDefinition| Field {
            name: field.name.node.to_string(),
            is_object: objects.contains(base_of(&field.ty.node)),
        };
        all.insert(ty.name.node.to_string(), object.fields.iter().map(|at| field(&at.node)).collect());
    }
    all
}

/// One question, and the fields that it asks for, as the table has them.
pub struct Question {
    pub operation: &'static str,
    pub text: String,
    pub places: Vec<String>,
    /// Whether it asks for one object, and for all fields of that.
    is_of_a_type: bool,
}

/// How the fields of a type are asked for: of what is somebody's all at once, else each alone. Those of a type that is
/// everyone's need no question.
pub fn questions(ty: &str, fields: &[Field], is_everyones: bool) -> Vec<Question> {
    let place = |field: &Field| format!("{ty}.{}", field.name);
    if let Some((_, id)) = OWNED.iter().find(|(owned, _)| *owned == ty) {
        let below = |field: &Field| if field.is_object { " { __typename }" } else { "" };
        let asked: Vec<_> = fields.iter().map(|field| format!("{}{}", field.name, below(field))).collect();
        return vec![Question {
            operation: "query",
            text: format!("node(id: ${id}) {{ ... on {ty} {{ {} }} }}", asked.join(" ")),
            places: fields.iter().map(place).collect(),
            is_of_a_type: true,
        }];
    }
    let operation = match ty {
        "Mutation" => "mutation",
        "Subscription" => "subscription",
        _ => "query",
    };
    let mut questions = Vec::new();
    for place in fields.iter().map(place) {
        match OF_ROOTS.iter().find(|(of, _)| *of == place) {
            Some((_, text)) => {
                let errors = if ty == "Mutation" { " { userErrors { errorCode } }" } else { "" };
                questions.push(Question {
                    operation,
                    text: format!("{text}{errors}"),
                    places: vec![place],
                    is_of_a_type: false,
                });
            }
            None => assert!(
                is_everyones,
                "{place} is new: say here how it is asked for, and in the table who may, or why its type is everyone's"
            ),
        }
    }
    questions
}

impl Question {
    /// Whether it needs one of these ids of Ada's.
    pub fn needs(&self, ids: &[&str]) -> bool {
        ids.iter().any(|id| self.text.contains(&format!("${id}")))
    }

    /// What an answer comes to for one of the fields: data, nothing, or a code.
    pub fn told(&self, place: &str, body: &Value) -> String {
        let (ty, field) = place.split_once('.').expect("a type and a field");
        let concerns = |error: &&Value| {
            !self.is_of_a_type || error["path"].get(1).is_none_or(|of| of.as_str() == Some(field))
        };
        if let Some(error) = body["errors"].as_array().into_iter().flatten().find(concerns) {
            return error["extensions"]["errorCode"].as_str().expect("a code").to_owned();
        }
        let value = body["data"].as_object().and_then(|data| data.values().next()).unwrap_or(&Value::Null);
        if let Some(code) = value["userErrors"][0]["errorCode"].as_str() {
            return code.to_owned();
        }
        let asked = match (self.is_of_a_type, ty) {
            // A user shows some fields to some alone. What else is somebody's is shown as a whole or not at all, and may
            // have fields without a value.
            (true, "User") => &value[field],
            (true, _) => value,
            (false, _) => value.get("asked").unwrap_or(value),
        };
        if asked.is_null() || *asked == json!([null]) { "null".to_owned() } else { "yes".to_owned() }
    }
}
