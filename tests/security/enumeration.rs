//! Who asks again and again for what is not there, or not theirs, is left out for a while. The catalogue is everyone's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::{Person, sign_up};
use crate::harness::{Answered, TestApp, everywhere};

/// An id that nobody has.
fn nobodys(kind: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{kind}:{}", uuid::Uuid::new_v4()))
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
        use dualcaster::domain::accounts::create_client;
        use dualcaster::outside::Outside;
        let outside = Outside::system();
        let role = entity::enums::Role::Bot;
        let (_, token) = create_client(app.bulk.write(), "bot", role, None, &outside).await.expect("a client");
        let ask = async |discord: &str| {
            let query = "query($id: ID!, $discordId: String!) { node(id: $id) { id } userByDiscordId(discordId: $discordId) { id } }";
            app.ask_as(Some(&token.text()), query, json!({"id": nobodys("Session"), "discordId": discord})).await
        };
        for _ in 0..10 {
            assert_eq!(ask("1").await.code(), None);
        }
        assert_eq!(ask("1").await.code(), Some("ERR-4002"), "for the one it acts for");
        assert_eq!(ask("2").await.code(), None, "not for another");
        for _ in 0..20 {
            let query = "query($id: ID!) { node(id: $id) { id } }";
            let answer = app.ask_as(Some(&token.text()), query, json!({"id": nobodys("Session")})).await;
            assert_eq!(answer.code(), None, "nor for nobody in particular");
        }
    }

    async fn what_is_not_there_and_what_is_anothers_are_answered_alike(app: TestApp) {
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let mut told = Vec::new();
        for id in [&bob.session, &bob.id, &nobodys("Session"), &nobodys("User"), &nobodys("ApiToken"), "nonsense"] {
            let before = app.statements();
            let answer = node(&app, &ada, id).await;
            told.push((answer.status, answer.body["data"].clone(), app.statements() - before));
        }
        for one in &told {
            assert_eq!(one, &told[0]);
        }
        let own = app.statements();
        node(&app, &ada, &ada.session).await.field();
        assert_eq!(app.statements() - own, told[0].2, "and at the cost of what is there");
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
