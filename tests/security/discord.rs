//! Discord accounts: linked by a code that the bot gives, seen by the bot and administrators.

use chrono::TimeDelta;
use serde_json::json;

use super::{bot, mutate, sign_up};
use crate::harness::{TestApp, everywhere};

async fn code(app: &TestApp, bot: &str, discord_id: &str) -> String {
    let query = "mutation($id: String!) { createDiscordLinkCode(input: {discordId: $id}) { code expiresAt userErrors { errorCode } } }";
    let answer = app.ask_as(Some(bot), query, json!({"id": discord_id})).await;
    answer.field()["code"].as_str().expect("a code").to_owned()
}

fn link(code: &str) -> String {
    format!(
        "linkDiscordAccount(input: {{code: \"{code}\"}}) {{ user {{ discordLinked }} userErrors {{ errorCode path }} }}"
    )
}

everywhere! { Tables:
    async fn a_code_links_once_and_the_bot_finds_the_user(app: TestApp) {
        let (ada, bob, bot) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await, bot(&app).await);
        let code = code(&app, &bot, "1234567890").await;
        let spelt = format!(" {}-{} ", &code[..5].to_lowercase(), &code[5..]);
        assert_eq!(mutate(&app, &ada, &link(&spelt)).await.field()["user"]["discordLinked"], true);
        let again = mutate(&app, &bob, &link(&code)).await;
        assert_eq!(again.body["data"]["linkDiscordAccount"]["userErrors"][0], json!({"errorCode": "ERR-2008", "path": ["code"]}));
        let find = "{ userByDiscordId(discordId: \"1234567890\") { id email sessions { id } } }";
        let found = app.ask_as(Some(&bot), find, json!(null)).await;
        assert_eq!(found.field(), &json!({"id": ada.id, "email": null, "sessions": null}));
        assert_eq!(app.ask_as(None, find, json!(null)).await.code(), Some("ERR-2001"));
        assert_eq!(app.ask_as(Some(&ada.access), find, json!(null)).await.code(), Some("ERR-2005"));
        assert_eq!(mutate(&app, &ada, "unlinkDiscordAccount { user { discordLinked } }").await.field()["user"]["discordLinked"], false);
        assert_eq!(app.ask_as(Some(&bot), find, json!(null)).await.body["data"], json!({"userByDiscordId": null}));
    }

    async fn a_discord_account_is_one_users_and_the_newest_code_holds(app: TestApp) {
        let (ada, bob, bot) = (sign_up(&app, "ada@example.com").await, sign_up(&app, "bob@example.com").await, bot(&app).await);
        let old = code(&app, &bot, "77").await;
        let first = code(&app, &bot, "77").await;
        assert_eq!(mutate(&app, &ada, &link(&old)).await.code(), Some("ERR-2008"));
        mutate(&app, &ada, &link(&first)).await.field();
        let second = code(&app, &bot, "77").await;
        mutate(&app, &bob, &link(&second)).await.field();
        assert_eq!(app.number("select count(*) as n from users where discord_id = '77' and email_key like 'bob%'").await, 1);
        assert_eq!(app.number("select count(*) as n from users where discord_id is not null").await, 1);
    }

    async fn a_code_is_the_bots_to_give_and_holds_ten_minutes(app: TestApp) {
        let (ada, bot) = (sign_up(&app, "ada@example.com").await, bot(&app).await);
        let ask = "createDiscordLinkCode(input: {discordId: \"1\"}) { code userErrors { errorCode } }";
        assert_eq!(mutate(&app, &ada, ask).await.code(), Some("ERR-2005"));
        for wrong in ["", "x", "12 3", "123456789012345678901", "' or 1=1"] {
            let query = "mutation($id: String!) { createDiscordLinkCode(input: {discordId: $id}) { code userErrors { errorCode } } }";
            assert_eq!(app.ask_as(Some(&bot), query, json!({"id": wrong})).await.code(), Some("ERR-3002"), "{wrong:?}");
        }
        let code = code(&app, &bot, "1").await;
        app.clock.advance(TimeDelta::minutes(10));
        // Tokens have ended too by then.
        let ada = super::sign_in(&app, &ada.email).await;
        assert_eq!(mutate(&app, &ada, &link(&code)).await.code(), Some("ERR-2008"));
    }

    async fn guessing_at_codes_is_slow(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        for _ in 0..10 {
            assert_eq!(mutate(&app, &ada, &link("AAAAAAAAAA")).await.code(), Some("ERR-2008"));
        }
        assert_eq!(mutate(&app, &ada, &link("AAAAAAAAAA")).await.code(), Some("ERR-4001"));
    }
}
