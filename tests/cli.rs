//! The commands as operators run them: a process, its output, its exit code.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Content, Printing, Store, TestDatabase, TestFile, runtime, scryfall_cards};

const BOLT: Printing =
    Printing { number: 1, name: "Lightning Bolt", set: "lea", collector_number: "161", rarity: "common" };

/// The command, with a data folder and without what else the environment says.
pub(crate) fn command(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dualcaster"));
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("DUALCASTER_") || name.ends_with("_URL"))
    {
        command.env_remove(name);
    }
    command
        .env("DUALCASTER_DATA_DIR", folder.path())
        .env("DUALCASTER_LISTEN", "127.0.0.1:0")
        .env("DUALCASTER_DEMO", "false")
        .env("RUST_LOG", "warn");
    command
}

pub fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    command(folder).args(arguments).output().expect("a process")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Starts a server; answers it and its words.
fn start(command: &mut Command) -> (Child, BufReader<ChildStderr>) {
    let mut server = command.stderr(Stdio::piped()).spawn().expect("a server");
    let words = BufReader::new(server.stderr.take().expect("its words"));
    (server, words)
}

/// What a process says up to the line that has this in it.
fn told_until(words: &mut impl BufRead, sign: &str) -> String {
    let mut told = String::new();
    while !told.contains(sign) {
        assert!(words.read_line(&mut told).expect("a line") > 0, "the process ended: {told}");
    }
    told
}

/// The server's address, as its banner tells it.
fn address_in(banner: &str) -> &str {
    let page = banner.rsplit("GraphiQL: ").next().expect("an address").trim_end();
    page.strip_suffix("/graphiql").expect("an address")
}

fn stop(server: &mut Child) {
    let stopped = Command::new("kill").args(["-TERM", &server.id().to_string()]).status().expect("kill");
    assert!(stopped.success());
    assert_eq!(server.wait().expect("an end").code(), Some(0));
}

async fn ask(base: &str, request: &Value) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let request = client.post(format!("{base}/graphql")).json(request);
    request.send().await.expect("an answer").json().await.expect("JSON")
}

#[test]
fn results_go_to_standard_output_and_errors_to_standard_error() {
    let folder = TempDir::new().expect("a folder");
    let schema = run(&folder, &["schema"]);
    assert_eq!((schema.status.code(), text(&schema.stdout)), (Some(0), dualcaster::graphql::sdl()));
    let wrong = run(&folder, &["dance"]);
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(2), 0));
    assert!(text(&run(&folder, &["--help"]).stdout).contains("ingest"));
}

#[test]
fn the_configuration_reference_in_the_repository_is_the_servers() {
    let folder = TempDir::new().expect("a folder");
    let stored = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md"))
        .expect("the reference");
    assert_eq!(
        text(&run(&folder, &["config", "--reference"]).stdout),
        stored,
        "run: cargo run -- config --reference > docs/configuration.md"
    );
}

#[test]
fn the_error_reference_in_the_repository_is_the_servers() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md");
    assert_eq!(
        std::fs::read_to_string(page).expect("a page"),
        dualcaster::error::reference(),
        "run: cargo run -- error-reference > docs/errors.md"
    );
}

#[test]
fn the_search_reference_in_the_repository_is_the_servers() {
    let folder = TempDir::new().expect("a folder");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/search.md");
    assert_eq!(
        text(&run(&folder, &["search-reference"]).stdout),
        std::fs::read_to_string(page).expect("a page"),
        "run: cargo run -- search-reference > docs/search.md"
    );
}

#[test]
fn settings_are_shown_with_their_source_and_secrets_are_not() {
    let folder = TempDir::new().expect("a folder");
    let shown = command(&folder)
        .arg("config")
        .env("DUALCASTER_SECRET", "0123456789abcdef0123456789abcdef")
        .output()
        .expect("a process");
    let shown = text(&shown.stdout);
    assert!(
        shown.contains("DUALCASTER_LISTEN") && shown.contains("environment (default: 127.0.0.1:8080)"),
        "{shown}"
    );
    assert!(shown.contains("(hidden)") && !shown.contains("0123456789abcdef"), "{shown}");
}

#[test]
fn wrong_settings_are_all_told_and_end_with_two() {
    let folder = TempDir::new().expect("a folder");
    let wrong = command(&folder)
        .arg("serve")
        .env("DUALCASTER_LISTN", "x")
        .env("DUALCASTER_POOL_MAX", "many")
        .output()
        .expect("a process");
    let told = text(&wrong.stderr);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        told.contains("Did you mean DUALCASTER_LISTEN?")
            && told.contains("DUALCASTER_POOL_MAX")
            && told.contains("hint:"),
        "{told}"
    );
}

#[test]
fn a_database_that_does_not_answer_is_named() {
    let folder = TempDir::new().expect("a folder");
    let refused = command(&folder)
        .args(["migrate", "status"])
        .env("DATABASE_URL", "postgres://ada:hunter2@127.0.0.1:1/cards")
        .env("DUALCASTER_ACQUIRE_TIMEOUT_SECONDS", "1")
        .output()
        .expect("a process");
    let told = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(
        told.contains("the database at 127.0.0.1:1 did not answer") && !told.contains("hunter2"),
        "{told}"
    );
}

#[test]
fn a_server_that_is_not_there_is_not_healthy() {
    let folder = TempDir::new().expect("a folder");
    let health = run(&folder, &["health", "--url", "http://127.0.0.1:1"]);
    assert_eq!(health.status.code(), Some(1));
    assert!(text(&health.stderr).contains("nothing answers"), "{}", text(&health.stderr));
}

#[test]
fn migrations_are_listed_and_taken_back() {
    let folder = TempDir::new().expect("a folder");
    assert!(text(&run(&folder, &["migrate", "status"]).stdout).starts_with("pending"));
    assert_eq!(run(&folder, &["migrate", "up"]).status.code(), Some(0));
    assert!(
        text(&run(&folder, &["migrate", "status"]).stdout).lines().all(|line| line.starts_with("applied"))
    );
    assert_eq!(run(&folder, &["migrate", "down", "1"]).status.code(), Some(0));
    assert!(text(&run(&folder, &["migrate", "status"]).stdout).contains("pending"));
}

#[test]
fn an_ingest_reports_what_it_did_for_people_and_as_json() {
    let folder = TempDir::new().expect("a folder");
    let file = TestFile::json(&scryfall_cards(&[BOLT], |_, _| {}));
    let path = file.path().display().to_string();
    let done = run(&folder, &["ingest", "scryfall", &path]);
    assert!(text(&done.stdout).starts_with("1 records read"), "{}", text(&done.stdout));
    let again = run(&folder, &["ingest", "scryfall", "--json", &path]);
    let report: Value = serde_json::from_slice(&again.stdout).expect("JSON");
    assert_eq!(
        (&report["event"], &report["records"], &report["written"]),
        (&"done".into(), &1.into(), &0.into())
    );
    let wrong = run(&folder, &["ingest", "prices", &path]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        text(&wrong.stderr).starts_with("error: ") && text(&wrong.stderr).contains("hint: "),
        "{}",
        text(&wrong.stderr)
    );
    let refused = run(&folder, &["generate", "--cards", "5", "--sets", "1", "--days", "2"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("real data"), "{}", text(&refused.stderr));
}

#[test]
fn a_file_that_is_not_there_is_named_and_the_store_is_not_touched() {
    let folder = TempDir::new().expect("a folder");
    let absent = folder.path().join("nope.json").display().to_string();
    let failed = run(&folder, &["ingest", "mtgjson", &absent]);
    let told = text(&failed.stderr);
    assert_eq!(failed.status.code(), Some(1));
    assert!(told.starts_with(&format!("error: {absent} can't be opened: ")), "{told}");
    assert!(told.contains("hint: Check that it is there") && !told.contains("right file"), "{told}");
    assert!(text(&run(&folder, &["migrate", "status"]).stdout).starts_with("pending"));

    let empty = TestFile::new(br#"{"meta": {}, "data": {}}"#);
    let failed = run(&folder, &["ingest", "mtgjson", &empty.path().display().to_string()]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(text(&failed.stderr).contains("nothing in the file"), "{}", text(&failed.stderr));
}

#[test]
fn a_market_comes_with_users_who_can_sign_in() {
    let folder = TempDir::new().expect("a folder");
    let small =
        ["generate", "--cards", "5", "--sets", "1", "--days", "2", "--last-day", "2026-06-30", "--users"];
    let made = run(&folder, &[&small[..], &["2"]].concat());
    let (result, told) = (text(&made.stdout), text(&made.stderr));
    assert!(result.contains("2 users made"), "{result}{told}");
    assert!(
        told.contains("collector-1@example.com to collector-2@example.com with the password: forty shelves"),
        "{told}"
    );
    assert_eq!(run(&folder, &[&small[..], &["100001"]].concat()).status.code(), Some(2));
    assert!(
        text(&run(&folder, &["generate", "--help"]).stdout).contains("forty shelves of painted cardboard")
    );
}

#[test]
fn progress_as_json_has_a_rate_and_the_time_left() {
    let folder = TempDir::new().expect("a folder");
    let made = run(
        &folder,
        &["generate", "--cards", "600", "--sets", "1", "--days", "2", "--last-day", "2026-06-30", "--json"],
    );
    let told: Vec<Value> =
        text(&made.stderr).lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let last = told.iter().rfind(|line| line["event"] == "progress").expect("a line");
    assert_eq!(
        (&last["stage"], &last["done"], &last["total"], &last["unit"]),
        (&"deriving".into(), &600.into(), &600.into(), &"cards".into())
    );
    assert!(last["rate"].as_f64().is_some_and(|rate| rate > 0.0) && last["secondsLeft"] == 0.0, "{last}");
}

/// A stand-in for Scryfall, which knows one bulk file and wants to be told who asks.
async fn scryfall(address: String, file: Vec<u8>) -> axum::Router {
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::get;
    let list = serde_json::json!({"object": "list", "data": [
        {"type": "oracle_cards", "download_uri": "http://127.0.0.1:1/nothing", "size": 1},
        {"type": "default_cards", "download_uri": format!("http://{address}/file.json.gz"), "size": file.len()},
    ]});
    axum::Router::new()
        .route(
            "/bulk-data",
            get(async move |headers: HeaderMap| {
                let asks =
                    headers.get("user-agent").and_then(|agent| agent.to_str().ok()).unwrap_or_default();
                if asks.starts_with("Dualcaster/") && headers.contains_key("accept") {
                    Ok(axum::Json(list))
                } else {
                    Err(StatusCode::BAD_REQUEST)
                }
            }),
        )
        .route("/file.json.gz", get(async move || file))
        .route("/empty/bulk-data", get(async || r#"{"object": "list", "data": []}"#))
        .route("/sick/bulk-data", get(async || StatusCode::SERVICE_UNAVAILABLE))
}

#[test]
fn without_a_file_the_newest_is_asked_of_the_service() {
    use flate2::write::GzEncoder;
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, scryfall_cards(&[BOLT], |_, _| {}).to_string().as_bytes())
        .expect("packed");
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let routes = runtime.block_on(scryfall(address.clone(), packed.finish().expect("packed")));
    let service = runtime.spawn(axum::serve(listener, routes).into_future());

    let folder = TempDir::new().expect("a folder");
    let ingest = |url: &str| {
        let mut command = command(&folder);
        command.env("DUALCASTER_SCRYFALL_URL", url).args(["ingest", "scryfall"]).output().expect("a process")
    };
    let done = ingest(&format!("http://{address}/"));
    assert!(text(&done.stdout).starts_with("1 records read"), "{}", text(&done.stderr));
    for (url, told) in [
        (format!("http://{address}/empty"), "no bulk file"),
        (format!("http://{address}/sick"), "503"),
        (format!("http://{address}/nowhere"), "404"),
    ] {
        let failed = ingest(&url);
        let told_in = text(&failed.stderr);
        assert!(
            failed.status.code() == Some(1) && told_in.contains(told) && told_in.contains("hint"),
            "{told_in}"
        );
    }
    service.abort();
    let _ = runtime.block_on(service);
    let gone = text(&ingest(&format!("http://{address}")).stderr);
    assert!(gone.contains("can't be reached"), "{gone}");
    assert_eq!(ingest("ftp://example.com").status.code(), Some(2));
}

#[test]
fn operations_are_registered_listed_and_removed() {
    let folder = TempDir::new().expect("a folder");
    let documents = TempDir::new().expect("a folder");
    std::fs::write(documents.path().join("a.graphql"), "query Names { cards { nodes { ...Name } } }")
        .expect("written");
    let path = documents.path().display().to_string();
    let add = ["operations", "add", &path, "--client", "bot", "--version", "2"];
    let lacking = run(&folder, &add);
    assert!(
        lacking.status.code() == Some(1) && text(&lacking.stderr).contains("fragment Name"),
        "{}",
        text(&lacking.stderr)
    );
    // One that no server could answer keeps all from being registered.
    std::fs::write(documents.path().join("b.graphql"), "fragment Name on Card { name }").expect("written");
    let wrong = documents.path().join("c.graphql");
    std::fs::write(&wrong, "query Cards { cards { totalCount } }\nquery Prices { cards { prizes } }")
        .expect("written");
    let refused = run(&folder, &add);
    let told = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("c.graphql: Prices: ") && told.contains("\"prizes\""), "{told}");
    assert!(!told.contains("c.graphql: Cards") && !told.contains("a.graphql"), "{told}");
    let manifest = TestFile::json(
        &serde_json::json!({"one": "query Deep($s: Strin) { cards(search: $s) { totalCount } }"}),
    );
    let refused = run(&folder, &["operations", "add", &manifest.path().display().to_string()]);
    assert!(refused.status.code() == Some(1) && text(&refused.stderr).contains(": Deep: "));
    let none = run(&folder, &["operations", "list"]);
    assert!(none.stdout.is_empty() && text(&none.stderr).contains("There are none."));
    std::fs::remove_file(wrong).expect("removed");
    assert!(text(&run(&folder, &add).stdout).contains("1 are new"));
    let listed = text(&run(&folder, &["operations", "list"]).stdout);
    assert!(listed.starts_with("sha256:") && listed.trim_end().ends_with("bot 2  Names"), "{listed}");
    let id = listed.split_whitespace().next().expect("an id");
    assert_eq!(run(&folder, &["operations", "remove", id]).status.code(), Some(0));
    assert_eq!(run(&folder, &["operations", "remove", id]).status.code(), Some(1));
    assert!(run(&folder, &["operations", "list"]).stdout.is_empty());
}

#[test]
fn a_server_starts_on_an_empty_folder_with_a_market_answers_and_stops_when_told() {
    let folder = TempDir::new().expect("a folder");
    let made = run(
        &folder,
        &["generate", "--cards", "12", "--sets", "2", "--days", "3", "--last-day", "2026-06-30", "--json"],
    );
    let report: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    assert_eq!((&report["records"], &report["points"]), (&12.into(), &108.into()), "{}", text(&made.stderr));
    // With few open files, as systems give them that nobody has asked for more.
    let plain = command(&folder);
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -Sn 300 && exec \"$0\""]).arg(plain.get_program());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let (mut server, mut words) = start(&mut shell);
    let told = told_until(&mut words, "GraphiQL: ");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).expect("limits");
    let files = limits.lines().find(|line| line.starts_with("Max open files")).expect("a limit");
    let [soft, hard] = files.split_whitespace().skip(3).take(2).collect::<Vec<_>>()[..] else {
        panic!("{files}");
    };
    assert!(soft == hard && soft != "300", "it takes what the system gives: {files}");
    assert!(
        told.contains("12 cards") && told.contains("demo data") && told.contains("dualcaster ingest"),
        "{told}"
    );
    assert_eq!(run(&folder, &["health", "--url", address_in(&told)]).status.code(), Some(0));
    stop(&mut server);
}

#[test]
fn an_empty_folder_gets_demo_data_and_the_whole_of_it_where_making_it_was_killed() {
    let folder = TempDir::new().expect("a folder");
    let serve = || start(command(&folder).env_remove("DUALCASTER_DEMO"));
    let (mut killed, mut words) = serve();
    // One batch of some fifteen is written.
    let begun = told_until(&mut words, "reading: ");
    killed.kill().expect("killed");
    killed.wait().expect("an end");
    assert!(begun.contains("The store is empty: making demo data."), "{begun}");

    let (mut server, mut words) = serve();
    let told = told_until(&mut words, "GraphiQL: ");
    let query = r#"{
        cards(search: "include:extras", unique: PRINTINGS) { totalCount nodes { priceHistory(window: ALL, first: 1) { totalCount } } }
        marketplaces { slug pricedCards }
    }"#;
    let answer = runtime().block_on(ask(address_in(&told), &serde_json::json!({"query": query})));
    stop(&mut server);
    for sentence in [
        "The demo data is not whole: making it anew.",
        "is ready: 2000 cards.",
        "The cards are demo data.",
        "dualcaster ingest mtgjson AllPrintings.json.gz",
        "dualcaster ingest prices AllPrices.json.gz",
    ] {
        assert!(told.contains(sentence), "{sentence}: {told}");
    }
    let data = &answer["data"];
    assert_eq!(data["cards"]["totalCount"], 2_000, "{answer}");
    let histories = data["cards"]["nodes"].as_array().expect("cards");
    assert!(
        histories.len() == 20 && histories.iter().all(|card| card["priceHistory"]["totalCount"] == 90),
        "{answer}"
    );
    let priced = |slug: &str| serde_json::json!({"slug": slug, "pricedCards": 2_000});
    assert_eq!(
        data["marketplaces"],
        serde_json::json!([priced("harbor-games"), priced("lantern-cards"), priced("thistle-and-quill")])
    );
}

#[test]
fn only_the_database_in_the_data_folder_gets_demo_data() {
    let runtime = runtime();
    for store in [Store::Postgres, Store::Sqlite] {
        let folder = TempDir::new().expect("a folder");
        let database = runtime.block_on(TestDatabase::new(store, Content::Tables));
        let (mut server, mut words) = start(
            command(&folder)
                .env_remove("DUALCASTER_DEMO")
                .env("DATABASE_URL", &database.url)
                .env("DUALCASTER_POOL_KEEP", "0")
                .env("DUALCASTER_POOL_MAX", "8"),
        );
        let told = told_until(&mut words, "GraphiQL: ");
        stop(&mut server);
        assert!(told.contains("is ready: 0 cards.") && !told.contains("demo"), "{told}");
        runtime.block_on(database.remove());
    }
}

/// A stand-in for a collector, which keeps what it is sent.
fn collector(kept: &Arc<Mutex<Vec<u8>>>) -> axum::Router {
    let kept = Arc::clone(kept);
    let keep = async move |body: axum::body::Bytes| {
        kept.lock().expect("not poisoned").extend_from_slice(&body);
        ([(axum::http::header::CONTENT_TYPE, "application/x-protobuf")], "")
    };
    axum::Router::new().route("/v1/traces", axum::routing::post(keep))
}

/// Whether OTLP's protobuf has a text in a field of this number.
fn has_field(bytes: &[u8], field: u8, text: &str) -> bool {
    let mut wanted = vec![field << 3 | 2, u8::try_from(text.len()).expect("a short text")];
    wanted.extend_from_slice(text.as_bytes());
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn traces_of_each_part_of_a_request_go_to_the_collector() {
    let runtime = runtime();
    let kept = Arc::<Mutex<Vec<u8>>>::default();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    let service = runtime.spawn(axum::serve(listener, collector(&kept)).into_future());

    let folder = TempDir::new().expect("a folder");
    run(&folder, &["generate", "--cards", "3", "--sets", "1", "--days", "2", "--last-day", "2026-06-30"]);
    let (mut server, mut words) = start(
        command(&folder)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}"))
            .env("OTEL_SERVICE_NAME", "watched")
            .env("NO_PROXY", "127.0.0.1"),
    );
    let told = told_until(&mut words, "GraphiQL: ");
    let query = "query Watched { cards(first: 2) { nodes { name price { price } } } }";
    let request = serde_json::json!({"query": query, "operationName": "Watched"});
    let answer = runtime.block_on(ask(address_in(&told), &request));
    assert_eq!(answer["data"]["cards"]["nodes"].as_array().map(Vec::len), Some(2), "{answer}");
    // What is left is sent before it ends.
    stop(&mut server);
    service.abort();
    let _ = runtime.block_on(service);
    let kept = kept.lock().expect("not poisoned");
    // The name is a span's fifth field, a text the first of an attribute's value.
    for span in ["request", "operation", "batch", "statement"] {
        assert!(has_field(&kept, 5, span), "no span {span} in {} bytes", kept.len());
    }
    for value in ["watched", "Watched", "/graphql", "sqlite"] {
        assert!(has_field(&kept, 1, value), "no attribute {value} in {} bytes", kept.len());
    }
}

#[test]
fn accounts_and_clients_are_made_by_who_runs_the_server() {
    use std::io::Write;
    let folder = TempDir::new().expect("a folder");
    let create = |email: &str, password: &str| {
        let mut child = command(&folder)
            .args(["user", "create", "--email", email, "--name", "Root", "--role", "admin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a command");
        child.stdin.take().expect("its input").write_all(password.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("an end");
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let (code, told) = create("root@example.com", "seven llamas juggle torches\n");
    assert_eq!((code, told.contains("root@example.com may sign in")), (Some(0), true), "{told}");
    for (email, password, reason) in [
        ("ROOT@example.com", "seven llamas juggle torches\n", "can't be registered"),
        ("nonsense", "seven llamas juggle torches\n", "not an email address"),
        ("a@example.com", "password123\n", "easily guessed"),
    ] {
        let (code, told) = create(email, password);
        assert_eq!((code, told.contains(reason)), (Some(1), true), "{told}");
    }
    assert_eq!(create("a@example.com", "").0, Some(2));
    let made = run(&folder, &["client", "create", "--name", "bot", "--rate", "50"]);
    let token = text(&made.stdout);
    assert!(token.starts_with("dcc_") && token.trim_end().len() == 47, "the token alone: {token}");
    assert_eq!(run(&folder, &["client", "create", "--name", "bot"]).status.code(), Some(1));
    assert_eq!(run(&folder, &["client", "create", "--name", "b", "--role", "admin"]).status.code(), Some(2));
    let listed = text(&run(&folder, &["client", "list"]).stdout);
    assert!(
        listed.starts_with("bot  bot  50 points/s  made ") && listed.trim_end().ends_with("used -  active"),
        "{listed}"
    );
    assert!(!listed.contains("dcc_"));
    assert_eq!(run(&folder, &["client", "revoke", "bot"]).status.code(), Some(0));
    assert_eq!(run(&folder, &["client", "revoke", "bot"]).status.code(), Some(1));
    assert!(text(&run(&folder, &["client", "list"]).stdout).trim_end().ends_with("revoked"));
}
