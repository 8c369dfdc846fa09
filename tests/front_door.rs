//! GraphQL over HTTP to the letter, and the limits that no document gets past.

use dualcaster::domain::operations::{Operation, add_operations, remove_operation};
use dualcaster::engine::read_documents;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Content, Store, TestApp, TestDatabase, on_both_stores, runtime};

const RESPONSE: &str = "application/graphql-response+json";

fn post(app: &TestApp) -> RequestBuilder {
    app.client.post(format!("{}/graphql", app.base)).header(ACCEPT, RESPONSE)
}

fn get(app: &TestApp, parameters: &[(&str, &str)]) -> RequestBuilder {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    app.client.get(format!("{}/graphql?{query}", app.base)).header(ACCEPT, RESPONSE)
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

/// The status and the first error's code of an answer that has no data.
async fn refusal(request: RequestBuilder) -> (u16, String) {
    let answer = send(request).await;
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("text");
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"));
    assert!(body.get("data").is_none(), "{body}");
    let error = &body["errors"][0];
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    assert!(
        error["extensions"]["requestId"].is_string() && error["extensions"]["code"].is_string(),
        "{body}"
    );
    (status, error["extensions"]["errorCode"].as_str().expect("a code").to_owned())
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn query(text: &str) -> Value {
    json!({"query": text})
}

/// `name` as often as said, each time under another alias.
fn aliases(count: usize) -> String {
    (0..count).map(|index| format!("a{index}: __typename ")).collect()
}

/// A query of a card, so many levels deep, of which the last is a leaf.
fn nested(levels: usize) -> String {
    // card, then a set and its cards' connection and nodes over and over again.
    const STEPS: [&str; 3] = ["set", "cards(first: 0)", "nodes"];
    let mut text = "{ card(by: {id: \"x\"}) ".to_owned();
    for level in 0..levels - 2 {
        text.push_str(&format!("{{ {} ", STEPS[level % 3]));
    }
    text.push_str("{ __typename ");
    text.push_str(&"}".repeat(levels));
    text
}

on_both_stores! { Tables:
    async fn the_form_of_the_answer_is_negotiated(app: TestApp) {
        let bad = query("{ nothing }");
        for (accept, status, form) in [
            (RESPONSE, 400, RESPONSE),
            ("application/json", 200, "application/json"),
            ("*/*", 200, "application/json"),
            ("text/html", 406, "application/json"),
        ] {
            let request = app.client.post(format!("{}/graphql", app.base)).header(ACCEPT, accept).json(&bad);
            let answer = send(request).await;
            let content_type = answer.headers()[CONTENT_TYPE].to_str().expect("text").to_owned();
            assert_eq!((answer.status().as_u16(), content_type), (status, format!("{form}; charset=utf-8")), "{accept}");
            let body: Value = answer.json().await.expect("JSON");
            assert!(body["errors"].is_array() && body.get("data").is_none(), "{accept}: {body}");
        }
    }

    async fn what_http_forbids_is_refused_in_words(app: TestApp) {
        let good = query("{ __typename }").to_string();
        for (content_type, status) in [
            (Some("application/json"), 200), (Some("application/json; charset=utf-8"), 200), (Some("Application/JSON"), 200),
            (Some("application/json; charset=latin1"), 415), (Some("text/plain"), 415), (Some("application/x-www-form-urlencoded"), 415),
            (Some("multipart/form-data; boundary=x"), 400), (Some("multipart/mixed"), 415), (None, 415),
        ] {
            let mut request = post(&app).body(good.clone());
            if let Some(content_type) = content_type {
                request = request.header(CONTENT_TYPE, content_type);
            }
            assert_eq!(send(request).await.status(), status, "{content_type:?}");
        }
        let json = |body: &str| post(&app).header(CONTENT_TYPE, "application/json").body(body.to_owned());
        for body in ["", "{", "[]", "null", "7", "\"{ __typename }\"", "{}", "{\"query\": 7}", "{\"query\": null}",
                     "{\"query\": \"{ __typename }\", \"variables\": []}", "{\"query\": \"{ __typename }\", \"variables\": \"{}\"}",
                     "{\"query\": \"{ __typename }\", \"operationName\": {}}", "{\"query\": \"{ __typename }\", \"extensions\": 1}"] {
            let (status, code) = refusal(json(body)).await;
            assert!(status == 400 || (status, code.as_str()) == (413, "ERR-4006"), "{body}: {status} {code}");
        }
        for body in ["{\"query\": \"{ __typename }\", \"variables\": null, \"operationName\": null, \"extensions\": null}",
                     "{\"query\": \"{ __typename }\", \"operationName\": \"\", \"unknown\": 1}"] {
            assert_eq!(send(json(body)).await.status(), 200, "{body}");
        }
        assert_eq!(refusal(json(&format!("[{good}]"))).await, (413, "ERR-4006".to_owned()));
        let long = format!("{{\"query\": \"{{ __typename }} #{}\"}}", "x".repeat(1_100_000));
        assert_eq!(refusal(json(&long)).await, (413, "ERR-4006".to_owned()));
        // Nor does one pass that does not say how long it is.
        let stream = futures_util::stream::iter(long.into_bytes().chunks(9_999).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect::<Vec<_>>());
        let chunked = post(&app).header(CONTENT_TYPE, "application/json").body(reqwest::Body::wrap_stream(stream));
        assert_eq!(refusal(chunked).await, (413, "ERR-4006".to_owned()));
        for site in ["same-origin", "same-site", "none"] {
            assert_eq!(send(json(&good).header("sec-fetch-site", site)).await.status(), 200, "{site}");
        }
        assert_eq!(refusal(json(&good).header("sec-fetch-site", "cross-site")).await, (403, "ERR-2005".to_owned()));
        let put = send(app.client.put(format!("{}/graphql", app.base)).body(good)).await;
        assert_eq!((put.status().as_u16(), put.headers()["allow"].to_str().expect("text")), (405, "GET, HEAD, POST"));
        assert!(put.json::<Value>().await.expect("JSON")["errors"].is_array());
    }

    async fn a_type_name_is_checked_as_other_fields_are(app: TestApp) {
        for (document, is_valid) in [
            ("query($y: Boolean!) { __typename @include(if: $y) }", true),
            ("query($y: Boolean!) { marketplaces { slug ...F } } fragment F on Marketplace { __typename @skip(if: $y) }", true),
            ("{ a: __typename __typename }", true),
            ("{ __typename @unknown }", false),
            ("{ __typename @include }", false),
            ("{ __typename @include(if: \"x\") }", false),
            ("{ __typename @include(if: $z) }", false),
            ("{ marketplaces { __typename @include(if: $z) } }", false),
            ("{ __typename(x: 1) }", false),
            ("{ __typename { a } }", false),
            ("query($n: Int @unknown) { cards(first: $n) { totalCount } }", false),
        ] {
            let request = post(&app).json(&json!({"query": document, "variables": {"y": true}}));
            let answer = send(request).await;
            assert_eq!(answer.status().as_u16(), if is_valid { 200 } else { 400 }, "{document}");
        }
        let skipped: Value = send(post(&app).json(&json!({"query": "query($y: Boolean!) { a: __typename b: __typename @skip(if: $y) }", "variables": {"y": true}}))).await.json().await.expect("JSON");
        assert_eq!(skipped["data"], json!({"a": "Query"}));
    }

    async fn what_asks_for_too_much_at_once_is_refused_before_anything_runs(app: TestApp) {
        let ids: Vec<_> = (0..101).map(|_| "x").collect();
        let before = app.statements();
        for (query, variables) in [
            ("{ marketplaces { slug } cards(first: 101) { totalCount } }", json!({})),
            ("query($n: Int) { marketplaces { slug } cards(last: $n) { totalCount } }", json!({"n": 101})),
            ("query($n: Int) { marketplaces { slug } ...F } fragment F on Query { cards { nodes { printings(first: $n) { totalCount } } } }", json!({"n": -1})),
            ("query($ids: [ID!]!) { marketplaces { slug } nodes(ids: $ids) { id } }", json!({"ids": ids})),
        ] {
            let request = post(&app).json(&json!({"query": query, "variables": variables}));
            assert_eq!(refusal(request).await, (400, "ERR-3002".to_owned()), "{query}");
        }
        assert_eq!(app.statements(), before);
    }

    async fn a_query_may_come_by_get(app: TestApp) {
        let asked = [("query", "query($n: Int) { cards(first: $n) { totalCount } }"), ("variables", "{\"n\": 1}")];
        let body: Value = send(get(&app, &asked)).await.json().await.expect("JSON");
        assert_eq!(body["data"]["cards"]["totalCount"], json!(0));
        for wrong in [
            &[("query", "{ __typename }"), ("variables", "nothing")][..],
            &[("query", "{ __typename }"), ("extensions", "[]")][..],
            &[("query", "{ __typename }"), ("query", "{ __typename }")][..],
            &[("operationName", "A")][..],
            &[][..],
        ] {
            assert_eq!(refusal(get(&app, wrong)).await, (400, "ERR-3002".to_owned()), "{wrong:?}");
        }
        let mutation = send(get(&app, &[("query", "mutation { anything }")])).await;
        assert_eq!((mutation.status().as_u16(), mutation.headers()["allow"].to_str().expect("text")), (405, "POST"));
        let several = [("query", "query A { __typename } query B { b: __typename }"), ("operationName", "B")];
        let body: Value = send(get(&app, &several)).await.json().await.expect("JSON");
        assert_eq!(body["data"], json!({"b": "Query"}));
        assert_eq!(refusal(get(&app, &several[..1])).await, (400, "ERR-3002".to_owned()));
        assert_eq!(refusal(get(&app, &[several[0], ("operationName", "C")])).await, (400, "ERR-3002".to_owned()));
    }

    async fn variables_are_fitted_before_anything_runs(app: TestApp) {
        const QUERY: &str = "query($n: Int = 3, $by: CardLookup, $kinds: [String!], $sort: CardSort) {
            cards(first: $n, sort: $sort) { totalCount } card(by: $by) { id } cardSets(kinds: $kinds) { totalCount } }";
        let document = QUERY.replace("$by: CardLookup", "$by: CardLookup!");
        let before = app.statements();
        for (variables, told) in [
            (json!({}), "$by"),
            (json!({"by": null}), "null"),
            (json!({"by": {"id": "x"}, "n": "3"}), "Int"),
            (json!({"by": {"id": "x"}, "n": 3_000_000_000_i64}), "Int"),
            (json!({"by": {"id": "x"}, "n": 1.5}), "Int"),
            (json!({"by": {"id": "x", "name": "y"}}), "exactly one"),
            (json!({"by": {}}), "exactly one"),
            (json!({"by": {"id": null}}), "exactly one"),
            (json!({"by": {"number": 1}}), "at number"),
            (json!({"by": {"printing": {"setCode": "a"}}}), "printing.collectorNumber"),
            (json!({"by": "x"}), "CardLookup"),
            (json!({"by": {"id": "x"}, "kinds": ["core", null]}), "at 1"),
            (json!({"by": {"id": "x"}, "kinds": ["core", 7]}), "at 1"),
            (json!({"by": {"id": "x"}, "sort": {"field": "WEIGHT"}}), "at field"),
        ] {
            let body: Value = send(post(&app).json(&json!({"query": document, "variables": variables}))).await.json().await.expect("JSON");
            let message = body["errors"][0]["message"].as_str().unwrap_or_default();
            assert!(message.contains(told) && body.get("data").is_none(), "{variables}: {body}");
        }
        assert_eq!(app.statements(), before, "nothing ran");
        // One value stands for a list of it; what is not declared is left out.
        let fine = json!({"by": {"id": "x"}, "kinds": "core", "more": [1]});
        assert_eq!(send(post(&app).json(&json!({"query": document, "variables": fine}))).await.status(), 200);
        for (count, status) in [(10_000, 200), (10_001, 400)] {
            let long = json!({"query": "{ __typename }", "variables": {"x": vec![1; count]}});
            assert_eq!(send(post(&app).json(&long)).await.status(), status, "{count}");
        }
        let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(refusal(post(&app).json(&json!({"query": "{ __typename }", "variables": {"x": deep}}))).await.0, 400);
    }

    async fn each_limit_lets_its_figure_pass_and_no_more(app: TestApp) {
        let listed = |size: usize| format!("{{ cards(first: {size}) {{ nodes {{ set {{ cards(first: 98) {{ nodes {{ id }} }} }} }} }} }}");
        let directives = |count: usize| format!("{{ __typename {} }}", "@include(if: true) ".repeat(count));
        let arguments = |count: usize| format!("{{ cardSets(kinds: [{}]) {{ totalCount }} }}", "\"core\" ".repeat(count));
        for (limit, passes, refused) in [
            // `{ cardSets ( kinds : [ … ] ) { totalCount } }` has 12 tokens without the list's items.
            ("tokens", arguments(5_000 - 12), arguments(5_000 - 11)),
            ("size", format!("{{ __typename }}#{}", "x".repeat(65_536 - 15)), format!("{{ __typename }}#{}", "x".repeat(65_536 - 14))),
            ("depth", nested(15), nested(16)),
            ("aliases", format!("{{ cards {{ {} }} }}", aliases(30)), format!("{{ cards {{ {} }} }}", aliases(31))),
            ("root fields", format!("{{ {} }}", aliases(20)), format!("{{ {} }}", aliases(21))),
            // 1 + 98 cards and 1 connection for each of the sets, themselves one each.
            ("cost", listed(99), listed(100)),
        ] {
            let answer: Value = send(post(&app).json(&query(&passes))).await.json().await.expect("JSON");
            assert_ne!(answer["errors"][0]["extensions"]["errorCode"], json!("ERR-4003"), "{limit}: {answer}");
            let before = app.statements();
            assert_eq!(refusal(post(&app).json(&query(&refused))).await, (400, "ERR-4003".to_owned()), "{limit}");
            assert_eq!(app.statements(), before, "{limit}");
        }
        // A directive twice on one field is not valid, so ten of them are no answer, but no refusal of the guard either.
        assert_eq!(refusal(post(&app).json(&query(&directives(10)))).await.1, "ERR-3002");
        assert_eq!(refusal(post(&app).json(&query(&directives(11)))).await.1, "ERR-4003");
    }

    async fn bombs_are_refused(app: TestApp) {
        let mut bomb = "{ ...F0 }".to_owned();
        for level in 0..30 {
            bomb.push_str(&format!(" fragment F{level} on Query {{ ...F{0} ...F{0} }}", level + 1));
        }
        bomb.push_str(" fragment F30 on Query { __typename }");
        let wide = format!("{{ cards {{ {} }} }} fragment A on CardConnection {{ nodes {{ {} }} }} fragment B on Card {{ {} }}",
            "...A ".repeat(200), "...B ".repeat(200), "id name ".repeat(250));
        let brackets = format!("{{ cards(first: {}1{}) {{ totalCount }} }}", "[".repeat(2_000), "]".repeat(2_000));
        for (name, text) in [("leaves", bomb), ("wide", wide), ("brackets", brackets), ("aliases", format!("{{ {} }}", aliases(40_000))), ("fields", format!("{{ {} }}", "x ".repeat(20_000)))] {
            assert_eq!(refusal(post(&app).json(&query(&text))).await, (400, "ERR-4003".to_owned()), "{name}");
        }
        let circle = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }";
        assert_eq!(refusal(post(&app).json(&query(circle))).await, (400, "ERR-3002".to_owned()));
    }

    async fn errors_are_few_and_short(app: TestApp) {
        let many = format!("{{ cards {{ {} }} }}", (0..400).map(|index| format!("unknown{index} ")).collect::<String>());
        let long = format!("{{ {} }}", "x".repeat(5_000));
        for text in [many, long, "{ cards(first: \"".to_owned() + &"y".repeat(3_000) + "\") { totalCount } }"] {
            let body: Value = send(post(&app).json(&query(&text))).await.json().await.expect("JSON");
            let errors = body["errors"].as_array().expect("errors");
            assert!((1..=10).contains(&errors.len()), "{}", errors.len());
            for error in errors {
                let message = error["message"].as_str().expect("a message");
                assert!(message.chars().count() <= 200, "{message}");
                assert!(!message.contains("-->") && !message.contains("Did you mean"), "{message}");
            }
        }
    }

    async fn a_query_is_persisted_by_its_hash(app: TestApp) {
        const TEXT: &str = "query($n: Int!) { cards(first: $n) { totalCount } }";
        let hash = sha256(TEXT);
        let named = |hash: &str| json!({"persistedQuery": {"version": 1, "sha256Hash": hash}});
        let by_hash = json!({"variables": {"n": 1}, "extensions": named(&hash)});
        let unknown: Value = send(post(&app).json(&by_hash)).await.json().await.expect("JSON");
        assert_eq!((&unknown["errors"][0]["message"], &unknown["errors"][0]["extensions"]["errorCode"]), (&json!("PersistedQueryNotFound"), &json!("ERR-4004")));
        let other = named(&sha256("another"));
        assert_eq!(refusal(post(&app).json(&json!({"query": TEXT, "variables": {"n": 1}, "extensions": other}))).await.1, "ERR-3002");
        for malformed in [json!({"version": 2, "sha256Hash": hash}), json!({"version": 1}), json!("x")] {
            assert_eq!(refusal(post(&app).json(&json!({"query": TEXT, "extensions": {"persistedQuery": malformed}}))).await.0, 400);
        }
        let registered = json!({"query": TEXT, "variables": {"n": 1}, "extensions": named(&hash)});
        for request in [post(&app).json(&registered), post(&app).json(&by_hash), get(&app, &[("variables", "{\"n\": 1}"), ("extensions", &named(&hash).to_string())])] {
            let body: Value = send(request).await.json().await.expect("JSON");
            assert_eq!(body["data"]["cards"]["totalCount"], json!(0), "{body}");
        }
        // What is not valid is not kept.
        let bad = sha256("{ nothing }");
        assert_eq!(refusal(post(&app).json(&json!({"query": "{ nothing }", "extensions": named(&bad)}))).await.1, "ERR-3002");
        assert_eq!(refusal(post(&app).json(&json!({"extensions": named(&bad)}))).await.1, "ERR-4004");
    }

    async fn a_registered_document_is_asked_by_its_id(app: TestApp) {
        let operation = |id: &str, document: &str| Operation { document_id: id.into(), name: None, document: document.into() };
        let first = [operation("sha256:ab", "query($n: Int!) { cards(first: $n) { totalCount } }"), operation("7", "{ __typename }")];
        let connection = app.bulk.write();
        assert_eq!(add_operations(connection, "bot", "1", &first).await.expect("added"), 2);
        assert_eq!(add_operations(connection, "bot", "1", &first).await.expect("there"), 0);
        assert!(add_operations(connection, "bot", "1", &[operation("7", "{ other }")]).await.is_err());
        let known = app.app.load_operations(None).await.expect("loaded");
        for name in ["documentId", "doc_id", "id"] {
            let body: Value = send(post(&app).json(&json!({name: "sha256:ab", "variables": {"n": 1}}))).await.json().await.expect("JSON");
            assert_eq!(body["data"]["cards"]["totalCount"], json!(0), "{name}");
        }
        // As Apollo Client asks by the ids of its manifest.
        let asked = json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "7"}}});
        let answer: Value = send(post(&app).json(&asked)).await.json().await.expect("JSON");
        assert!(answer["data"].is_object() && answer.get("errors").is_none(), "{answer}");
        let by_get: Value = send(get(&app, &[("documentId", "7")])).await.json().await.expect("JSON");
        assert_eq!(by_get["data"], json!({"__typename": "Query"}));
        // What may be kept says for how long, and is not sent twice.
        let kept = async |known: Option<&str>| {
            let mut request = get(&app, &[("documentId", "sha256:ab"), ("variables", "{\"n\": 1}")]);
            if let Some(known) = known {
                request = request.header("if-none-match", known);
            }
            let answer = send(request).await;
            let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
            (answer.status().as_u16(), header("cache-control"), header("etag"), header("vary"), answer.text().await.expect("text"))
        };
        let (status, policy, tag, vary, body) = kept(None).await;
        assert_eq!((status, policy.as_deref()), (200, Some("max-age=60")));
        assert!(vary.is_some_and(|vary| vary.contains("accept")) && body.contains("totalCount"));
        let tag = tag.expect("a tag");
        assert_eq!(kept(Some(&tag)).await.0, 304);
        assert_eq!(kept(Some("W/\"other\"")).await.0, 200);
        // What came with its text is not for caches.
        assert!(send(get(&app, &[("query", "{ cards { totalCount } }")])).await.headers().get("etag").is_none());
        assert_eq!(refusal(post(&app).json(&json!({"documentId": "nobody's"}))).await, (400, "ERR-4004".to_owned()));
        assert_eq!(refusal(post(&app).json(&json!({"documentId": "7", "query": "{ __typename }"}))).await.1, "ERR-3002");
        assert_eq!(remove_operation(connection, "7").await.expect("removed"), 1);
        // One that comes in the place of another is seen, whatever happened between two looks.
        assert_eq!(add_operations(connection, "bot", "1", &[operation("8", "{ __typename }")]).await.expect("added"), 1);
        assert_ne!(app.app.load_operations(Some(known.clone())).await.expect("loaded"), known);
        assert_eq!(refusal(post(&app).json(&json!({"documentId": "7"}))).await.1, "ERR-4004");
    }

    async fn the_cost_is_told(app: TestApp) {
        let cost = async |text: &str, variables: Value| {
            let body: Value = send(post(&app).json(&json!({"query": text, "variables": variables}))).await.json().await.expect("JSON");
            body["extensions"]["cost"]["requested"].as_u64().unwrap_or_else(|| panic!("no cost in {body}"))
        };
        // The connection, its page's nodes and the page's information.
        assert_eq!(cost("{ cards(first: 7) { nodes { id } pageInfo { endCursor } } }", json!(null)).await, 1 + 7 + 1);
        assert_eq!(cost("{ cards { nodes { id } edges { node { id } } } }", json!(null)).await, 1 + 20 + 40);
        assert_eq!(cost("query($n: Int) { cards(last: $n) { nodes { id } } }", json!({"n": 5})).await, 1 + 5);
        assert_eq!(cost("query($i: [ID!]!) { nodes(ids: $i) { id } }", json!({"i": ["a", "b"]})).await, 2);
        assert_eq!(cost("{ __typename }", json!(null)).await, 1);
        assert_eq!(cost("{ ...A ...A } fragment A on Query { cards(first: 3) { nodes { id } } }", json!(null)).await, 2 * (1 + 3));
    }

    async fn the_bots_operations_are_answered(app: TestApp) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/discord-bot/operations");
        let read = |path: std::path::PathBuf| (path.display().to_string(), std::fs::read_to_string(&path).expect("a file"));
        let files: Vec<_> = std::fs::read_dir(folder).expect("a folder").map(|entry| read(entry.expect("an entry").path())).collect();
        let listed = read_documents(&files).expect("operations");
        assert_eq!(listed.len(), files.len());
        let outside = dualcaster::outside::Outside::system();
        let bot = dualcaster::domain::accounts::create_client(app.bulk.write(), "bot", entity::enums::Role::Bot, None, &outside);
        let (_, bot) = bot.await.expect("a client");
        for operation in listed {
            let call = json!({"query": operation.document, "variables": {"name": "x", "discordId": "1"}});
            let body: Value = send(post(&app).bearer_auth(bot.text()).json(&call)).await.json().await.expect("JSON");
            assert_eq!(body.get("errors"), None, "{:?}: {body}", operation.name);
        }
    }

    async fn what_an_answer_took_is_told_to_who_asks(app: TestApp) {
        let text = "{ a: cardSet(code: \"a\") { name } b: cardSet(code: \"b\") { name } }";
        let plain: Value = send(post(&app).json(&query(text))).await.json().await.expect("JSON");
        assert_eq!(plain["extensions"]["explain"], Value::Null);
        let told: Value = send(post(&app).header("x-dualcaster-explain", "1").json(&query(text))).await.json().await.expect("JSON");
        let explain = &told["extensions"]["explain"];
        assert_eq!(explain["batches"], json!([{"loader": "sets", "keys": 2}]));
        let statements = explain["statements"].as_array().expect("statements");
        assert!(statements.len() == 1 && statements[0]["rows"] == json!(0) && statements[0]["milliseconds"].is_number(), "{explain}");
        assert!(statements[0]["sql"].as_str().is_some_and(|sql| sql.contains("from card_sets") && !sql.contains("\"a\"")), "{explain}");
    }

    async fn every_list_says_how_long_it_may_be(app: TestApp) {
        assert_eq!(app.app.engine().unbounded_lists(), Vec::<String>::new());
    }
}

#[test]
fn where_only_registered_documents_are_answered_no_other_is() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Tables).await;
        let mut settings = database.settings();
        settings.guard.operations = dualcaster::config::Operations::TrustedOnly;
        let app = TestApp::start_with(&database, settings).await;
        let document = "{ marketplaces { slug } }";
        assert_eq!(refusal(post(&app).json(&query(document))).await, (400, "ERR-4004".to_owned()));
        let operation = Operation { document_id: "1".into(), name: None, document: document.into() };
        add_operations(app.bulk.write(), "web", "1", &[operation]).await.expect("added");
        app.app.load_operations(None).await.expect("loaded");
        for asked in [json!({"documentId": "1"}), query(document)] {
            assert_eq!(send(post(&app).json(&asked)).await.status(), 200, "{asked}");
        }
        assert_eq!(refusal(post(&app).json(&query("{ __typename }"))).await.1, "ERR-4004");
        app.stop().await;
        database.remove().await;
    });
}

#[test]
fn in_production_the_schema_is_not_told() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Tables).await;
        let mut settings = database.settings();
        settings.mode = dualcaster::config::Mode::Production;
        let app = TestApp::start_with(&database, settings).await;
        for text in [
            "{ __schema { types { name } } }",
            "{ ...A } fragment A on Query { x: __type(name: \"Card\") { name } }",
        ] {
            assert_eq!(refusal(post(&app).json(&query(text))).await, (400, "ERR-2005".to_owned()), "{text}");
        }
        let told = send(post(&app).header("x-dualcaster-explain", "1").json(&query("{ __typename }"))).await;
        assert_eq!(told.json::<Value>().await.expect("JSON")["extensions"].get("explain"), None);
        app.stop().await;
        database.remove().await;
    });
}

#[test]
fn a_limit_that_is_not_enforced_only_counts() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Tables).await;
        let mut settings = database.settings();
        settings.guard.enforced = false;
        let app = TestApp::start_with(&database, settings).await;
        assert_eq!(send(post(&app).json(&query(&format!("{{ {} }}", aliases(31))))).await.status(), 200);
        app.stop().await;
        database.remove().await;
    });
}
