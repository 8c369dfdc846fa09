//! Nothing that is secret or somebody's own is in an answer that is not theirs, nor in the store in plain.

use serde_json::json;

use super::{PASSWORD, login, register, sign_up};
use crate::harness::{TestApp, everywhere};

/// All that the tables of accounts hold, as text.
pub async fn dump(app: &TestApp) -> String {
    #[derive(sea_orm::FromQueryResult)]
    struct Row {
        text: String,
    }
    let mut all = String::new();
    for table in [
        "users",
        "sessions",
        "refresh_tokens",
        "api_tokens",
        "one_time_tokens",
        "clients",
        "discord_link_codes",
    ] {
        let columns = match app.store {
            crate::harness::Store::Postgres => format!("select t::text as text from {table} t"),
            crate::harness::Store::Sqlite => {
                let names = sqlite_columns(app, table).await;
                let cells: Vec<_> = names.iter().map(|name| format!("coalesce(quote({name}), '')")).collect();
                format!("select {} as text from {table}", cells.join(" || ' ' || "))
            }
        };
        let mut sql = dualcaster::db::Sql::new(app.bulk.write());
        sql.push(&columns);
        for row in sql.all::<Row>(app.bulk.write()).await.expect("rows") {
            all.push_str(&row.text);
            all.push('\n');
        }
    }
    all
}

async fn sqlite_columns(app: &TestApp, table: &str) -> Vec<String> {
    #[derive(sea_orm::FromQueryResult)]
    struct Column {
        name: String,
    }
    let mut sql = dualcaster::db::Sql::new(app.bulk.write());
    sql.push(&format!("select name from pragma_table_info('{table}')"));
    let columns = sql.all::<Column>(app.bulk.write()).await.expect("columns");
    columns.into_iter().map(|column| column.name).collect()
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
