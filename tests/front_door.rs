//! GraphQL over HTTP to the letter. What a document may ask for is in tests/security/limits.

use dualcaster::domain::operations::{Operation, add_operations, remove_operation};
use dualcaster::engine::{Call, Refused, read_documents};
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::contract::contract;
use crate::harness::{
    Content, RESPONSE, Store, TestApp, TestDatabase, on_both_stores, post, query, refusal, runtime, send,
};

fn get(app: &TestApp, parameters: &[(&str, &str)]) -> RequestBuilder {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    app.client.get(format!("{}/graphql?{query}", app.base)).header(ACCEPT, RESPONSE)
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
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
            ("query($s: CardSort = {field: NAME}) { cards(sort: $s) { totalCount } }", true),
            ("query($s: CardSort = 7) { cards(sort: $s) { totalCount } }", false),
        ] {
            let request = post(&app).json(&json!({"query": document, "variables": {"y": true}}));
            let answer = send(request).await;
            assert_eq!(answer.status().as_u16(), if is_valid { 200 } else { 400 }, "{document}");
        }
        let skipped: Value = send(post(&app).json(&json!({"query": "query($y: Boolean!) { a: __typename b: __typename @skip(if: $y) }", "variables": {"y": true}}))).await.json().await.expect("JSON");
        assert_eq!(skipped["data"], json!({"a": "Query"}));
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
        // A list keeps for no longer than its cards do, whatever it is a list of.
        assert_eq!(add_operations(connection, "bot", "1", &[operation("9", "{ cardSet(code: \"x\") { cards { totalCount } } }")]).await.expect("added"), 1);
        app.app.load_operations(None).await.expect("loaded");
        assert_eq!(send(get(&app, &[("documentId", "9")])).await.headers()["cache-control"], "max-age=60");
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

    async fn an_id_stands_for_one_document_whosever_it_is(app: TestApp) {
        let operation = |id: &str, document: &str| Operation { document_id: id.into(), name: None, document: document.into() };
        let connection = app.bulk.write();
        assert_eq!(add_operations(connection, "web", "1", &[operation("7", "{ __typename }")]).await.expect("added"), 1);
        for (client, version) in [("web", "1"), ("web", "2"), ("bot", "1")] {
            let others = [operation("8", "{ a: __typename }"), operation("7", "{ b: __typename }")];
            let error = add_operations(connection, client, version, &others).await.expect_err("another's");
            assert_eq!(error.refusal().code.number(), "ERR-3002", "{client} {version}");
        }
        let twice = [operation("9", "{ a: __typename }"), operation("9", "{ b: __typename }")];
        assert!(add_operations(connection, "web", "1", &twice).await.is_err());
        assert_eq!(add_operations(connection, "bot", "1", &[operation("7", "{ __typename }")]).await.expect("the same"), 1);
        assert_eq!(app.rows("trusted_operations").await, 2);
        app.app.load_operations(None).await.expect("loaded");
        let answer: Value = send(post(&app).json(&json!({"documentId": "7"}))).await.json().await.expect("JSON");
        assert_eq!(answer["data"], json!({"__typename": "Query"}));
    }

    async fn a_described_document_is_answered(app: TestApp) {
        let text = "\"What { is\"\nquery A(\"How many\" $n: Int! = 1) { cards(first: $n) { ...F } nothing }\n\"\"\"\nA \"part\"\n\"\"\"\nfragment F on CardConnection { totalCount }";
        let wrong: Value = send(post(&app).json(&query(text))).await.json().await.expect("JSON");
        // Blank descriptions leave the rest where it is.
        assert_eq!(wrong["errors"][0]["locations"], json!([{"line": 2, "column": 62}]), "{wrong}");
        let text = text.replace(" nothing", "");
        let answer: Value = send(post(&app).json(&query(&text))).await.json().await.expect("JSON");
        assert_eq!(answer["data"], json!({"cards": {"totalCount": 0}}), "{answer}");
    }

    async fn the_bot_has_each_operation_of_its_contract_that_is_built(app: TestApp) {
        let Some(contract) = contract() else { return };
        let ours = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/discord-bot/operations");
        let mut built = 0;
        for entry in std::fs::read_dir(contract.join("bot")).expect("a folder") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a file");
            let call = Call { query: Some(text.clone()), may_write: true, ..Call::default() };
            // What is wrong may only be that there are no variables.
            let valid = match app.app.engine().prepare(call).await {
                Ok(_) | Err(Refused::Mutation) => true,
                Err(Refused::Errors(errors)) => errors.iter().all(|error| error.message.ends_with(" was not given.")),
            };
            let copy = std::fs::read_to_string(ours.join(path.file_name().expect("a name"))).ok();
            assert_eq!(copy, valid.then_some(text), "{}", path.display());
            built += usize::from(valid);
        }
        assert!(built >= 3, "{built} are built");
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
fn in_production_what_an_answer_took_is_not_told() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Tables).await;
        let mut settings = database.settings();
        settings.mode = dualcaster::config::Mode::Production;
        let app = TestApp::start_with(&database, settings).await;
        let told = send(post(&app).header("x-dualcaster-explain", "1").json(&query("{ __typename }"))).await;
        assert_eq!(told.json::<Value>().await.expect("JSON")["extensions"].get("explain"), None);
        app.stop().await;
        database.remove().await;
    });
}

#[test]
fn statuses_are_those_of_the_newest_draft_where_that_is_set() {
    runtime().block_on(async {
        for is_set in [false, true] {
            let database = TestDatabase::new(Store::Sqlite, Content::Tables).await;
            let mut settings = database.settings();
            assert!(!settings.server.draft_statuses);
            settings.server.draft_statuses = is_set;
            let app = TestApp::start_with(&database, settings).await;
            let variables = json!({"query": "query($n: Int!) { cards(first: $n) { totalCount } }", "variables": {"n": "x"}});
            for (asked, usual, by_draft) in [
                (query("{ __typename }"), 200, 200),
                (query("{"), 400, 400),
                (json!({"query": 7}), 400, 400),
                (query("{ nothing }"), 400, 422),
                (variables, 400, 422),
                (query("{ __typename userByDiscordId(discordId: \"1\") { id } }"), 200, 294),
                (query("{ __schema { nothing } }"), 400, 422),
            ] {
                let expected = if is_set { by_draft } else { usual };
                assert_eq!(send(post(&app).json(&asked)).await.status().as_u16(), expected, "{asked}");
                let plainly = app.client.post(format!("{}/graphql", app.base)).json(&asked);
                let expected = if asked["query"] == json!(7) { 400 } else { 200 };
                assert_eq!(send(plainly).await.status().as_u16(), expected, "{asked}");
            }
            app.stop().await;
            database.remove().await;
        }
    });
}

#[test]
fn what_is_trusted_is_read_where_it_is_written() {
    runtime().block_on(async {
        let database = TestDatabase::new(Store::Sqlite, Content::Tables).await;
        // A replica that has heard of nothing.
        let behind = TestDatabase::new(Store::Sqlite, Content::Tables).await;
        let mut settings = database.settings();
        settings.database.replica_url = Some(behind.url.clone());
        let app = TestApp::start_with(&database, settings).await;
        let operation = Operation { document_id: "7".into(), name: None, document: "{ __typename }".into() };
        add_operations(app.bulk.write(), "bot", "1", &[operation]).await.expect("added");
        app.app.load_operations(None).await.expect("loaded");
        let answer: Value =
            send(post(&app).json(&json!({"documentId": "7"}))).await.json().await.expect("JSON");
        assert_eq!(answer["data"], json!({"__typename": "Query"}));
        app.stop().await;
        behind.remove().await;
        database.remove().await;
    });
}
