//! Nothing that is secret or somebody's own is in an answer that is not theirs, nor in the store in plain.

use serde_json::json;

use super::{PASSWORD, login, register, sign_up};
use crate::harness::{Store, TestApp, everywhere};

/// What all tables hold, as text, each table's rows in an order of their own.
pub async fn dump(app: &TestApp) -> String {
    let connection = app.bulk.write();
    let texts = async |select: &str| {
        #[derive(sea_orm::FromQueryResult)]
        struct Row {
            text: String,
        }
        let mut sql = dualcaster::db::Sql::new(connection);
        sql.push(select);
        let rows = sql.all::<Row>(connection).await.expect(select);
        rows.into_iter().map(|row| row.text).collect::<Vec<_>>()
    };
    let tables = match app.store {
        Store::Postgres => {
            "select cast(tablename as text) as text from pg_tables where schemaname = 'public' order by 1"
        }
        // The indexes over texts are tables too, of what other tables hold.
        Store::Sqlite => {
            "select name as text from sqlite_master where type = 'table' and name not like 'sqlite_%' \
             and name not like '%_search%' order by 1"
        }
    };
    let mut all = String::new();
    for table in texts(tables).await {
        let select = match app.store {
            Store::Postgres => format!("select t::text as text from {table} t"),
            Store::Sqlite => {
                let names = texts(&format!("select name as text from pragma_table_info('{table}')")).await;
                let cells: Vec<_> = names.iter().map(|name| format!("quote(\"{name}\")")).collect();
                format!("select {} as text from {table}", cells.join(" || ' ' || "))
            }
        };
        let mut rows = texts(&select).await;
        rows.sort();
        all.push_str(&format!("{table}\n{}\n", rows.join("\n")));
    }
    all
}

everywhere! { Tables:
    async fn no_password_and_no_token_is_in_the_store_in_plain(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let query = "mutation { createApiToken(input: {name: \"x\"}) { token } }";
        let token = app.ask_as(Some(&ada.access), query, json!(null)).await.field()["token"].as_str().expect("a token").to_owned();
        let text = dump(&app).await;
        assert!(text.contains("ada@example.com"), "the dump holds what is there");
        for secret in [PASSWORD, &ada.refresh, &ada.refresh[4..], &token, &token[4..], &ada.access] {
            assert!(!text.contains(secret), "{secret} is in the store");
        }
    }

    async fn what_a_client_sends_is_a_value_and_nothing_else(app: TestApp) {
        for text in [
            "'; drop table users; --", "\" or 1=1 --", "../../etc/passwd", "%2e%2e%2f", "<script>alert(1)</script>",
            "${jndi:ldap://x}", "\u{0}", "\u{202e}", "{{7*7}}", "a\r\nSet-Cookie: x=1",
        ] {
            for answer in [
                login(&app, text, text).await,
                login(&app, &format!("{text}@example.com"), text).await,
                register(&app, text, text).await,
                super::refresh(&app, text).await,
            ] {
                assert!(answer.status < 500, "{text:?}: {}", answer.body);
                let told = answer.body.to_string().to_lowercase();
                for inner in ["select ", "sqlx", "sqlite", "postgres", "panicked", "src/"] {
                    assert!(!told.contains(inner), "{text:?}: {told}");
                }
            }
            let query = "query($id: ID!, $text: String!) { node(id: $id) { id } userByDiscordId(discordId: $text) { id } }";
            let answer = app.ask_with(None, &[("user-agent", "x")], query, json!({"id": text, "text": text})).await;
            assert!(answer.status < 500, "{text:?}");
        }
        assert_eq!(app.rows("users").await, 0);
    }
}
