//! New prices and met wants, over WebSocket and as server-sent events, wherever the ingest ran.

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{BOLT, FOREST, LOTUS, NOTHING, SHOCK, load, new_prices, text};
use crate::harness::{Content, Store, TestApp, TestDatabase, everywhere, runtime};
use crate::security::{Person, sign_up};
use crate::sockets::Socket;

const UPDATES: &str = "subscription($ids: [ID!]!) { priceUpdates(cardIds: $ids) {
    card { name set { code } price { price } } price { marketplace { slug } kind finish price observedAt } previousPrice } }";
const HITS: &str = "subscription { wantListHits { id belowTarget hitAt targetPrice { amount } card { name price { price } } } }";

/// A socket of somebody's.
async fn socket_of(app: &TestApp, person: &Person) -> Socket {
    let mut socket = Socket::open(app).await;
    let payload = json!({"Authorization": format!("Bearer {}", person.access)});
    socket.say(json!({"type": "connection_init", "payload": payload})).await;
    assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
    socket
}

async fn subscribe(socket: &mut Socket, id: &str, query: &str, variables: Value) {
    let payload = json!({"query": query, "variables": variables});
    socket.say(json!({"type": "subscribe", "id": id, "payload": payload})).await;
}

/// Waits until so many listen.
async fn listeners(app: &TestApp, count: usize) {
    while app.app.live().listeners() != count {
        tokio::task::yield_now().await;
    }
}

/// The next thing that is told, without what surrounds it.
async fn told(socket: &mut Socket) -> Value {
    let mut message = socket.hear().await;
    assert_eq!(message["type"], json!("next"), "{message:#}");
    assert_eq!(message["payload"]["errors"], Value::Null, "{message:#}");
    let data = message["payload"]["data"].as_object_mut().expect("data");
    data.values_mut().next().expect("a field").take()
}

fn update(name: &str, slug: &str, price: &str, day: &str, previous: Option<&str>) -> Value {
    json!({
        "card": {"name": name, "set": {"code": "lea"}, "price": {"price": price}},
        "price": {
            "marketplace": {"slug": slug}, "kind": "RETAIL", "finish": "NONFOIL", "price": price,
            "observedAt": format!("{day}T00:00:00Z"),
        },
        "previousPrice": previous,
    })
}

async fn want(app: &TestApp, person: &Person, card: &str, target: &str) -> Value {
    let query = "mutation($input: AddWantListItemInput!) { addWantListItem(input: $input) { item { id belowTarget } } }";
    let input = json!({"cardId": card, "targetPrice": {"amount": target}});
    let answer = app.ask_as(Some(&person.access), query, json!({"input": input})).await;
    let item = &answer.field()["item"];
    assert_eq!(item["belowTarget"], json!(false));
    item["id"].clone()
}

everywhere! { Tables:
    async fn new_prices_are_told_to_who_listens_to_their_card(app: TestApp) {
        load(&app).await;
        let mut socket = Socket::greeted(&app).await;
        let ids = json!({"ids": [BOLT.id(), LOTUS.id(), LOTUS.id()]});
        subscribe(&mut socket, "1", UPDATES, ids).await;
        listeners(&app, 1).await;
        // What nobody listens to is not told: the next thing heard is of the second ingest.
        new_prices(&app, "2026-06-30", &[(&SHOCK, "cardmarket", 0.30), (&FOREST, "cardkingdom", 0.10)]).await;
        new_prices(&app, "2026-07-01", &[(&LOTUS, "cardkingdom", 120.00)]).await;
        assert_eq!(told(&mut socket).await, update("Black Lotus", "cardkingdom", "120.00", "2026-07-01", Some("100.00")));
        // A price that is put right is told too, and one of a marketplace that had none.
        new_prices(&app, "2026-07-01", &[(&LOTUS, "cardkingdom", 118.50)]).await;
        assert_eq!(told(&mut socket).await, update("Black Lotus", "cardkingdom", "118.50", "2026-07-01", Some("120.00")));
        new_prices(&app, "2026-07-01", &[(&LOTUS, "tcgplayer", 118.50)]).await;
        assert_eq!(told(&mut socket).await, update("Black Lotus", "tcgplayer", "118.50", "2026-07-01", None));
        // The same prices once more are none.
        new_prices(&app, "2026-07-01", &[(&LOTUS, "tcgplayer", 118.50)]).await;
        new_prices(&app, "2026-07-02", &[(&BOLT, "cardkingdom", 11.00)]).await;
        assert_eq!(told(&mut socket).await["card"]["name"], json!("Lightning Bolt"));
        socket.say(json!({"type": "complete", "id": "1"})).await;
        listeners(&app, 0).await;
    }

    async fn a_want_is_told_once_for_each_fall_below_its_target(app: TestApp) {
        load(&app).await;
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let bolt = want(&app, &ada, &BOLT.id(), "9.00").await;
        want(&app, &ada, &LOTUS.id(), "90.00").await;
        want(&app, &bob, &BOLT.id(), "9.50").await;
        let mut socket = socket_of(&app, &ada).await;
        subscribe(&mut socket, "1", HITS, json!(null)).await;
        listeners(&app, 1).await;
        let falls = async |day: &str, bolt: f64, lotus: f64| {
            new_prices(&app, day, &[(&BOLT, "cardkingdom", bolt), (&LOTUS, "cardkingdom", lotus)]).await;
        };
        falls("2026-07-01", 9.00, 95.00).await;
        assert_eq!(told(&mut socket).await, json!({
            "id": bolt, "belowTarget": true, "hitAt": "2026-07-01T00:00:00Z", "targetPrice": {"amount": "9.00"},
            "card": {"name": "Lightning Bolt", "price": {"price": "9.00"}},
        }));
        // Still below: nothing. What is heard next is the other's.
        falls("2026-07-02", 8.00, 90.00).await;
        assert_eq!(told(&mut socket).await["card"]["name"], json!("Black Lotus"));
        // Above, and below again: told again.
        falls("2026-07-03", 9.01, 90.00).await;
        falls("2026-07-04", 8.99, 90.00).await;
        let again = told(&mut socket).await;
        assert_eq!((&again["id"], &again["hitAt"]), (&bolt, &json!("2026-07-04T00:00:00Z")));
        // Who was away finds it on the list.
        let list = "{ viewer { wantList { nodes { belowTarget hitAt } } } }";
        let list = app.ask_as(Some(&bob.access), list, json!(null)).await.field()["wantList"]["nodes"].clone();
        // 9.01 is below 9.50: for him the price has fallen once.
        assert_eq!(list, json!([{"belowTarget": true, "hitAt": "2026-07-01T00:00:00Z"}]));
    }

    async fn what_can_t_be_listened_to_is_refused(app: TestApp) {
        load(&app).await;
        let mut socket = Socket::greeted(&app).await;
        let many: Vec<String> = vec![BOLT.id(); 101];
        for (query, ids, code) in [
            (UPDATES, json!([NOTHING.id()]), "ERR-3001"),
            (UPDATES, json!(["nonsense", BOLT.id()]), "ERR-3001"),
            (UPDATES, json!([]), "ERR-3002"),
            (UPDATES, json!(many), "ERR-3002"),
            (HITS, json!(null), "ERR-2001"),
        ] {
            subscribe(&mut socket, "x", query, json!({"ids": ids})).await;
            let message = socket.hear().await;
            assert!(message.to_string().contains(code), "{code} in {message:#}");
            if message["type"] == json!("next") {
                assert_eq!(socket.hear().await["type"], json!("complete"));
            }
        }
        assert_eq!(app.app.live().listeners(), 0);
    }

    async fn prices_come_as_events_too_and_end_with_the_reader(app: TestApp) {
        load(&app).await;
        let body = json!({"query": UPDATES, "variables": {"ids": [BOLT.id()]}});
        let request = app.client.post(format!("{}/graphql", app.base)).header("accept", "text/event-stream");
        let answer = request.json(&body).send().await.expect("a stream");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        listeners(&app, 1).await;
        new_prices(&app, "2026-07-01", &[(&BOLT, "cardkingdom", 12.00)]).await;
        let mut events = answer.bytes_stream();
        let mut heard = String::new();
        while !heard.contains("\n\n") || !heard.contains("event: next") {
            heard.push_str(&String::from_utf8_lossy(&events.next().await.expect("more").expect("bytes")));
        }
        assert!(heard.contains("\"previousPrice\":\"10.10\""), "{heard}");
        drop(events);
        listeners(&app, 0).await;
    }

    async fn a_socket_ends_with_its_session(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let mut socket = socket_of(&app, &ada).await;
        subscribe(&mut socket, "1", HITS, json!(null)).await;
        listeners(&app, 1).await;
        app.ask_as(Some(&ada.access), "mutation { logout { success } }", json!(null)).await.field();
        assert_eq!(socket.hear().await, json!(4401));
        listeners(&app, 0).await;
    }
}

#[test]
fn every_server_tells_its_own_listeners_whichever_ingested() {
    for with_redis in [true, false] {
        runtime().block_on(async {
            let mut database = TestDatabase::new(Store::Postgres, Content::Tables).await;
            if with_redis {
                database = database.with_redis();
            }
            let (one, other) = (TestApp::start(&database).await, TestApp::start(&database).await);
            load(&one).await;
            let mut sockets = Vec::new();
            for app in [&one, &other] {
                let mut socket = Socket::greeted(app).await;
                subscribe(&mut socket, "1", UPDATES, json!({"ids": [LOTUS.id()]})).await;
                listeners(app, 1).await;
                sockets.push(socket);
            }
            new_prices(&one, "2026-07-01", &[(&LOTUS, "cardkingdom", 99.00)]).await;
            for socket in &mut sockets {
                assert_eq!(text(&told(socket).await["price"]["price"]), "99.00");
            }
            one.stop().await;
            other.stop().await;
            database.remove().await;
        });
    }
}
