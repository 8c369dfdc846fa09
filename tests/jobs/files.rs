//! Files as they come: of what is refused nothing is left, and what is taken is kept for as long as it is of use.

use std::fs::File;
use std::time::SystemTime;

use chrono::TimeDelta;
use dualcaster::domain::accounts::create_client;
use dualcaster::outside::Outside;
use entity::enums::Role;
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    cancel, claimed, delete, ended, folder, given_back, imported, kept, load, looked_at, on_each_store_with,
    queued, report, shocks, upload, upload_as,
};
use crate::collection::{ask, held, list, nobodys, payload, problem, problems, text, uuid_of};
use crate::harness::{TestApp, everywhere, on_both_stores};
use crate::security::{Person, mutate, sign_in, sign_up};

/// Asserts that no file is kept, and nothing known of one.
async fn assert_nothing_is_left(app: &TestApp, what: &str) {
    let left = (kept(app), app.rows("uploads").await, app.rows("jobs").await);
    assert_eq!(left, (Vec::new(), 0, 0), "{what}");
}

/// Asserts that a file is refused, and answers with what words.
async fn refused(app: &TestApp, person: &Person, filename: &str, content: &[u8], code: &str) -> String {
    let answer = upload(app, person, filename, content, json!({})).await;
    let told = list(problems(&answer));
    assert_eq!((answer.status, told.len()), (200, 1), "{filename} {code}: {:#}", answer.body);
    let place = (&told[0]["errorCode"], &told[0]["path"]);
    assert_eq!(place, (&json!(code), &json!(["file"])), "{filename} {code}: {:#}", answer.body);
    assert!(payload(&answer)["collectionImport"].is_null(), "{filename} {code}");
    assert_nothing_is_left(app, &format!("{filename} {code}")).await;
    text(&told[0]["message"]).to_owned()
}

/// A file as its owner sees it.
async fn file(app: &TestApp, person: &Person, id: &Value) -> Value {
    let query = "query($id: ID!) { node(id: $id) { ... on UploadedFile { id filename sizeBytes rowCount encoding deleted } } }";
    ask(app, person, query, json!({"id": id})).await.field().clone()
}

async fn tidy(app: &TestApp) {
    app.app.jobs().expect("jobs").forget().await.expect("tidied");
}

/// Puts a file of that age where files are kept.
pub fn lay(app: &TestApp, name: &str, age: TimeDelta) {
    std::fs::create_dir_all(folder(app)).expect("a folder");
    let file = File::create(folder(app).join(name)).expect("a file");
    file.set_modified(SystemTime::from(app.clock.now() - age)).expect("a time");
}

/// The name under which a file is kept.
fn name_of(id: &Value) -> String {
    uuid_of(id).to_string()
}

on_both_stores! { Tables:
    async fn a_file_of_another_name_is_refused_whatever_is_in_it(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        for name in ["run.sh", "hack.py", "cards.csv.exe", "cards", "cards.xlsx"] {
            let message = refused(&app, &ada, name, shocks(1).as_bytes(), "ERR-1001").await;
            assert_eq!(message, "Please upload a CSV file.", "{name}");
        }
        // What is shown of a name does not decide.
        let hidden = format!("{}.csv.exe", "x".repeat(251));
        for name in [hidden.as_str(), "a.exe\t.csv", "a\u{85}.csv"] {
            refused(&app, &ada, name, shocks(1).as_bytes(), "ERR-1001").await;
        }
        let long = upload(&app, &ada, &format!("{}.csv", "a".repeat(300)), shocks(2).as_bytes(), json!({})).await;
        let shown = format!("{}.csv", "a".repeat(251));
        assert_eq!(long.field()["collectionImport"]["file"]["filename"], json!(shown));
        // The ending counts in whatever case.
        let taken = upload(&app, &ada, "CARDS.CSV", shocks(1).as_bytes(), json!({})).await;
        assert_eq!(taken.field()["collectionImport"]["file"]["filename"], json!("CARDS.CSV"));
    }

    async fn what_only_calls_itself_a_table_is_refused(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let contents: [(&str, &[u8]); 6] = [
            ("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
            ("a program", b"\x7fELF\x02\x01\x01\0"),
            ("an archive", b"PK\x03\x04\x14\0\0\0"),
            ("a script", b"#!/bin/sh\nQuantity,Name\n1,Shock\n"),
            ("a web page", b"  \r\n<HTML><body>Quantity,Name</body>"),
            ("a PDF", b"%PDF-1.7\nQuantity,Name\n1,Shock\n"),
        ];
        for (kind, content) in contents {
            let message = refused(&app, &ada, "cards.csv", content, "ERR-1005").await;
            assert!(message.starts_with("Please upload a CSV file.") && message.contains(kind), "{kind}: {message}");
        }
    }

    async fn what_is_no_table_of_cards_is_refused_for_what_it_is(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let wide = (1..=101).map(|number| format!("c{number}")).collect::<Vec<_>>().join(",");
        let wide = format!("{wide}\n{wide}\n");
        let long = format!("Quantity,Name\n1,{}\n", "x".repeat(65_537));
        let contents: [(&str, &[u8], &str); 10] = [
            ("half a pair in UTF-16", b"\xff\xfe\0\xd8A\0", "ERR-1004"),
            ("bytes of no encoding", b"Quantity,Name\n1,\x81\xff\n", "ERR-1004"),
            ("nothing", b"", "ERR-1003"),
            ("headings alone", b"Quantity,Name\n", "ERR-1003"),
            ("a NUL", b"Quantity,Name\n1,a\0b\n", "ERR-1001"),
            ("101 columns", wide.as_bytes(), "ERR-1006"),
            ("a long cell", long.as_bytes(), "ERR-1006"),
            ("nothing that names a card", b"Quantity,Set Code\n1,lea\n", "ERR-1007"),
            ("rows without headings", b"4,Lightning Bolt,NM\n2,Counterspell,NM\n1,Llanowar Elves,NM\n", "ERR-1008"),
            ("customers", b"Email,Phone\nada@example.com,555 123\n", "ERR-1008"),
        ];
        for (what, content, code) in contents {
            let message = refused(&app, &ada, "cards.csv", content, code).await;
            assert!(!message.is_empty(), "{what}");
        }
        // A platform that is named is held to its columns.
        let bob = sign_up(&app, "bob@example.com").await;
        let given = upload(&app, &bob, "cards.csv", b"Count,Title,Edition\n1,Shock,m11\n", json!({"platform": "MOXFIELD"})).await;
        let told = &problems(&given)[0];
        assert_eq!((&told["errorCode"], &told["path"]), (&json!("ERR-1007"), &json!(["file"])));
        assert!(text(&told["message"]).contains("\"Title\""), "{told}");
        assert_nothing_is_left(&app, "a named platform").await;
    }

    async fn who_may_not_write_sends_no_files(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let made = mutate(&app, &ada, "createApiToken(input: {name: \"x\", readOnly: true}) { token }").await;
        let reads = text(&made.field()["token"]).to_owned();
        for (token, code) in [(Some(reads.as_str()), "ERR-2005"), (None, "ERR-2001")] {
            let answer = upload_as(&app, token, "cards.csv", shocks(1).as_bytes(), json!({})).await;
            assert_eq!(answer.code(), Some(code), "{:#}", answer.body);
            assert_nothing_is_left(&app, code).await;
        }
        let made = mutate(&app, &ada, "createApiToken(input: {name: \"y\", readOnly: false}) { token }").await;
        let writes = text(&made.field()["token"]).to_owned();
        let taken = upload_as(&app, Some(&writes), "cards.csv", shocks(1).as_bytes(), json!({})).await;
        assert_eq!(taken.field()["collectionImport"]["status"], json!("QUEUED"));
    }

    async fn a_file_s_name_is_shown_and_is_no_path(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let mut names = Vec::new();
        for (quantity, (given, shown)) in
            [("..\\..\\evil.csv", "evil.csv"), ("../../%2e%2e%2fcards.csv", "%2e%2e%2fcards.csv"), ("='x'.csv", "='x'.csv")]
                .into_iter()
                .enumerate()
        {
            let content = shocks(quantity + 1);
            let taken = upload(&app, &ada, given, content.as_bytes(), json!({})).await.field()["collectionImport"].clone();
            let expected = json!({
                "id": taken["file"]["id"], "filename": shown, "sizeBytes": content.len(), "rowCount": 1,
                "encoding": "UTF-8", "deleted": false,
            });
            assert_eq!(file(&app, &ada, &taken["file"]["id"]).await, expected);
            let name = name_of(&taken["file"]["id"]);
            assert_eq!(std::fs::read(folder(&app).join(&name)).expect("a file"), content.as_bytes(), "as it came");
            names.push(name);
        }
        names.sort();
        assert_eq!(kept(&app), names);
    }

    async fn the_same_file_is_one_job_while_it_is_under_way(app: TestApp) {
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let content = shocks(2);
        let at_once = join_all((0..5).map(|_| queued(&app, &ada, &content, json!({})))).await;
        let first = &at_once[0];
        assert!(at_once.iter().all(|job| job == first), "{at_once:#?}");
        let renamed = upload(&app, &ada, "other.csv", content.as_bytes(), json!({})).await;
        assert_eq!(&renamed.field()["collectionImport"], first, "whatever it is called");
        let name = name_of(&first["file"]["id"]);
        assert_eq!((kept(&app), app.rows("uploads").await, app.rows("jobs").await), (vec![name], 1, 1));
        // What is asked otherwise is another job, and so is another's.
        let replacing = queued(&app, &ada, &content, json!({"mode": "REPLACE"})).await;
        let checking = queued(&app, &ada, &content, json!({"dryRun": true})).await;
        let bobs = queued(&app, &bob, &content, json!({})).await;
        let mut ids: Vec<_> = [first, &replacing, &checking, &bobs].iter().map(|job| uuid_of(&job["id"])).collect();
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), app.rows("jobs").await, kept(&app).len()), (4, 4, 4));
        // And so it is again once the first has ended.
        cancel(&app, &ada, &first["id"]).await.field();
        let again = queued(&app, &ada, &content, json!({})).await;
        assert_ne!(again["id"], first["id"]);
        assert_eq!((app.rows("jobs").await, kept(&app).len()), (5, 5));
    }

    async fn a_file_that_comes_again_while_its_job_is_being_stopped_is_another_job(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let first = queued(&app, &ada, &shocks(2), json!({})).await;
        let claim = claimed(&app, Uuid::new_v4()).await.expect("a job");
        assert_eq!(queued(&app, &ada, &shocks(2), json!({})).await["id"], first["id"], "it is under way");
        assert_eq!(cancel(&app, &ada, &first["id"]).await.field()["job"]["status"], json!("RUNNING"));
        let again = queued(&app, &ada, &shocks(2), json!({})).await;
        assert_ne!(again["id"], first["id"]);
        assert_eq!((&again["status"], kept(&app).len()), (&json!("QUEUED"), 2));
        assert_eq!(queued(&app, &ada, &shocks(2), json!({})).await["id"], again["id"]);
        given_back(&app, &claim).await;
        assert_eq!(looked_at(&app, &ada, &first["id"]).await["status"], json!("CANCELLED"));
        let next = claimed(&app, Uuid::new_v4()).await.expect("the other");
        assert_eq!(next.job.id, uuid_of(&again["id"]));
    }

    async fn a_file_is_deleted_by_its_owner_once_no_job_reads_it(app: TestApp) {
        load(&app).await;
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        let job = queued(&app, &ada, &shocks(2), json!({})).await;
        let id = job["file"]["id"].clone();
        assert_eq!(problems(&delete(&app, &ada, &id).await), &json!([problem("ERR-3004", &["id"])]));
        for (person, id) in [(&bob, &id), (&ada, &job["id"]), (&ada, &json!("nonsense"))] {
            assert_eq!(problems(&delete(&app, person, id).await), &json!([problem("ERR-3001", &["id"])]), "{id}");
        }
        assert_eq!(kept(&app), [name_of(&id)]);
        assert_eq!(file(&app, &ada, &id).await["deleted"], json!(false));
        cancel(&app, &ada, &job["id"]).await.field();
        // To ask twice does it once.
        for _ in 0..2 {
            assert_eq!(delete(&app, &ada, &id).await.field()["deletedId"], id);
            assert_eq!((kept(&app), file(&app, &ada, &id).await["deleted"].clone()), (Vec::new(), json!(true)));
        }
    }

    async fn the_report_goes_with_its_file_and_what_was_imported_stays(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        app.work();
        let content = format!("{}1,No such card at all,,\n", shocks(3));
        let job = imported(&app, &ada, &content, json!({})).await;
        let other = imported(&app, &ada, &shocks(1), json!({})).await;
        assert_eq!((report(&app, &job).await.len(), app.rows("import_lines").await), (3, 2));
        delete(&app, &ada, &job["file"]["id"]).await.field();
        assert_eq!((app.rows("import_lines").await, app.rows("rejected_rows").await), (1, 0), "the other file's");
        assert_eq!(kept(&app), [name_of(&other["file"]["id"])]);
        let headings = ["Quantity", "Name", "Set Code", "Collector Number", "Line", "Outcome", "Code", "Message"];
        assert_eq!(report(&app, &job).await, [headings]);
        let after = looked_at(&app, &ada, &job["id"]).await;
        assert_eq!(after["rejectedRows"], json!({"totalCount": 0, "nodes": []}));
        assert_eq!((&after["rowsImported"], &after["rowsRejected"], &after["file"]["deleted"]), (&json!(1), &json!(1), &json!(true)));
        assert_eq!(held(&app, &ada).await[0]["quantity"], json!(4));
    }

    async fn a_file_is_gone_after_a_week_but_for_one_that_a_job_needs(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let job = queued(&app, &ada, &shocks(2), json!({})).await;
        let name = name_of(&job["file"]["id"]);
        app.clock.advance(TimeDelta::days(8));
        tidy(&app).await;
        assert_eq!(kept(&app), [name], "the job waits still");
        app.work();
        let ada = sign_in(&app, &ada.email).await;
        assert_eq!(ended(&app, &ada, &job["id"]).await["status"], json!("COMPLETED"));
        let recent = queued(&app, &ada, &shocks(1), json!({})).await;
        ended(&app, &ada, &recent["id"]).await;
        tidy(&app).await;
        assert_eq!(kept(&app), [name_of(&recent["file"]["id"])], "not yet a week old");
        assert_eq!(file(&app, &ada, &job["file"]["id"]).await["deleted"], json!(true));
        // What came of it is kept for a month, and what was imported for good.
        assert_eq!(report(&app, &looked_at(&app, &ada, &job["id"]).await).await.len(), 2);
        app.clock.advance(TimeDelta::days(31));
        tidy(&app).await;
        assert_eq!((kept(&app), app.rows("jobs").await, app.rows("import_lines").await), (Vec::new(), 0, 0));
        assert_eq!(app.rows("import_made").await, 0);
        let ada = sign_in(&app, &ada.email).await;
        assert_eq!(held(&app, &ada).await[0]["quantity"], json!(3));
    }

    async fn what_was_left_behind_is_swept_after_an_hour(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let known = queued(&app, &ada, &shocks(1), json!({})).await["file"]["id"].clone();
        let deleted = queued(&app, &ada, &shocks(2), json!({})).await;
        cancel(&app, &ada, &deleted["id"]).await.field();
        delete(&app, &ada, &deleted["file"]["id"]).await.field();
        let (old, recent) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
        let (over, under) = (TimeDelta::minutes(61), TimeDelta::minutes(59));
        let laid = [
            (old, over),
            ("half-written".to_owned(), over),
            (name_of(&deleted["file"]["id"]), over),
            (name_of(&known), over),
            (recent.clone(), under),
        ];
        for (name, age) in &laid {
            lay(&app, name, *age);
        }
        assert_eq!(kept(&app).len(), 5);
        tidy(&app).await;
        let mut left = vec![name_of(&known), recent];
        left.sort();
        assert_eq!(kept(&app), left);
    }
}

#[test]
fn a_file_over_the_limit_is_refused_before_all_of_it_is_taken() {
    let small = |settings: &mut dualcaster::config::Settings| settings.server.max_upload_bytes = 1_000;
    on_each_store_with(small, async |app: &TestApp| {
        let ada = sign_up(app, "ada@example.com").await;
        let head = "Quantity,Name,Notes\n1,Shock,";
        let of = |bytes: usize| format!("{head}{}\n", "x".repeat(bytes - head.len() - 1));
        for bytes in [1_001, 500_000] {
            let answer = upload(app, &ada, "cards.csv", of(bytes).as_bytes(), json!({})).await;
            let told = (answer.status, answer.code(), answer.body.get("data"));
            assert_eq!(told, (413, Some("ERR-1002"), None), "{bytes}: {:#}", answer.body);
            assert_nothing_is_left(app, "too large").await;
        }
        let answer = upload(app, &ada, "cards.csv", of(1_000).as_bytes(), json!({})).await;
        assert_eq!(answer.field()["collectionImport"]["status"], json!("QUEUED"), "as much as is taken");
    });
}

#[test]
fn who_may_send_no_files_is_told_so_before_one_is_looked_at() {
    let small = |settings: &mut dualcaster::config::Settings| settings.server.max_upload_bytes = 1_000;
    on_each_store_with(small, async |app: &TestApp| {
        let (ada, bob) = (sign_up(app, "ada@example.com").await, sign_up(app, "bob@example.com").await);
        let made = mutate(app, &ada, "createApiToken(input: {name: \"x\", readOnly: true}) { token }").await;
        let reads = text(&made.field()["token"]).to_owned();
        let outside = Outside::system();
        let bot =
            create_client(app.bulk.write(), "bot", Role::Bot, None, &outside).await.expect("a client").1;
        let large = vec![b'x'; 500_000];
        let sent = async |token: Option<&str>| {
            let answer = upload_as(app, token, "cards.csv", &large, json!({})).await;
            let told = (answer.status, answer.code().expect("a code").to_owned());
            assert_eq!(answer.headers.contains_key("retry-after"), told.0 == 429, "{:#}", answer.body);
            told
        };
        for (token, status, code) in [
            (None, 401, "ERR-2001"),
            (Some(bot.text().as_str()), 403, "ERR-2005"),
            (Some(&*reads), 403, "ERR-2005"),
        ] {
            assert_eq!(sent(token).await, (status, code.to_owned()));
        }
        // Files that are refused for what they are count too.
        let mut refused = 0;
        let limited = loop {
            let told = sent(Some(&bob.access)).await;
            if told != (413, "ERR-1002".to_owned()) {
                break told;
            }
            refused += 1;
            assert!(refused < 100, "nobody counts");
        };
        assert_eq!(limited, (429, "ERR-4005".to_owned()));
        assert!(refused >= 10, "{refused}");
        let query = "query($id: ID!) { node(id: $id) { id } }";
        for _ in 0..10 {
            ask(app, &ada, query, json!({"id": nobodys("InventoryItem")})).await;
        }
        assert_eq!(sent(Some(&ada.access)).await, (429, "ERR-4002".to_owned()));
        assert_nothing_is_left(app, "none was taken").await;
    });
}

everywhere! { Tables:
    async fn nobody_sends_more_than_ten_files_within_a_minute(app: TestApp) {
        let (ada, bob) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await);
        // What is refused counts too.
        let answers = join_all((0..11).map(|_| upload(&app, &ada, "run.sh", b"", json!({})))).await;
        let codes: Vec<_> = answers.iter().map(|answer| answer.code()).collect();
        assert_eq!(codes.iter().filter(|code| **code == Some("ERR-1001")).count(), 10, "{codes:?}");
        let limited = answers.iter().find(|answer| answer.code() == Some("ERR-4005")).expect("a limit");
        assert_eq!(limited.status, 429);
        let seconds: u32 = limited.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((7..=60).contains(&seconds), "{seconds}");
        assert_eq!(limited.body["errors"][0]["extensions"]["retryAfter"], json!(seconds));
        assert_nothing_is_left(&app, "all were refused").await;
        let taken = queued(&app, &bob, &shocks(1), json!({})).await;
        assert_eq!(taken["status"], json!("QUEUED"), "another's files are counted apart");
        app.clock.advance(TimeDelta::seconds(10));
        let within = upload(&app, &ada, "run.sh", b"", json!({})).await;
        assert_eq!(within.code(), Some("ERR-4005"), "no place is free before a minute is over");
        app.clock.advance(TimeDelta::seconds(50));
        assert_eq!(upload(&app, &ada, "run.sh", b"", json!({})).await.code(), Some("ERR-1001"));
    }
}
