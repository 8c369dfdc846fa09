//! A command happens whole or not at all: a write that fails in the middle of it leaves nothing of it behind. Each is tried
//! at several of its writes, the last among them, and then without: what was tried could have been done.

use serde_json::{Value, json};

use super::hang_ups::until;
use super::leaks::dump;
use super::{PASSWORD, Person, bot, mutate, sign_in, sign_up, token_mailed_to};
use crate::collection::{BOLT, LOTUS, added, text};
use crate::harness::{Answered, Store, TestApp, everywhere, on_both_stores};
use crate::jobs::{administrator, claimed, failed, imported, load, queued, shocks, upload};

/// Makes every change of this kind to a table fail: `insert`, `delete`, or `update`, or an update of some rows alone, as
/// `update when old.a <> new.a`.
async fn forbid(app: &TestApp, table: &str, change: &str) {
    let (change, when) = change.split_once(" when ").unwrap_or((change, "1 = 1"));
    match app.store {
        Store::Postgres => {
            app.execute(
                "create or replace function forbidden() returns trigger language plpgsql as
                 $$ begin raise exception 'not today'; end $$",
            )
            .await;
            app.execute(&format!(
                "create trigger forbidden after {change} on {table} for each row when ({when}) execute function forbidden()"
            ))
            .await;
        }
        Store::Sqlite => {
            app.execute(&format!(
                "create trigger forbidden after {change} on {table} when {when} begin select raise(abort, 'not today'); end"
            ))
            .await;
        }
    }
}

async fn allow(app: &TestApp, table: &str) {
    match app.store {
        Store::Postgres => app.execute(&format!("drop trigger forbidden on {table}")).await,
        Store::Sqlite => app.execute("drop trigger forbidden").await,
    }
}

/// Some of a command's writes: tables, and what is done to them.
type Writes<'a> = &'a [(&'a str, &'a str)];

/// Asserts that what is asked leaves nothing behind where one of its writes fails, takes nothing from who asks, and is done
/// where none does.
async fn is_whole(
    app: &TestApp,
    token: Option<&str>,
    what: &str,
    writes: Writes<'_>,
    ask: impl AsyncFn() -> Answered,
) {
    for (table, change) in writes {
        // That a token was used is noted before.
        let may_ask =
            async || app.ask_as(token, "{ __typename }", json!(null)).await.code().map(str::to_owned);
        assert_eq!(may_ask().await, None);
        let before = dump(app).await;
        forbid(app, table, change).await;
        let answer = ask().await;
        allow(app, table).await;
        assert_eq!(answer.code(), Some("ERR-5000"), "{what} without {change} on {table}: {}", answer.body);
        assert!(dump(app).await == before, "{what} without {change} on {table} left something behind");
        assert_eq!(may_ask().await, None, "{what} without {change} on {table}");
    }
    let answer = ask().await;
    assert_eq!(answer.code(), None, "{what}: {}", answer.body);
}

/// The same of a command as it is written in a document.
async fn command(app: &TestApp, token: Option<&str>, command: &str, writes: Writes<'_>) {
    let query = format!("mutation {{ {command} {{ userErrors {{ errorCode }} }} }}");
    is_whole(app, token, command, writes, async || app.ask_as(token, &query, json!(null)).await).await;
}

/// The same of a user's.
async fn command_of(app: &TestApp, person: &Person, text: &str, writes: Writes<'_>) {
    command(app, Some(&person.access), text, writes).await;
}

async fn link_code(app: &TestApp, bot: &str, discord_id: &str) -> String {
    let query =
        format!("mutation {{ createDiscordLinkCode(input: {{discordId: \"{discord_id}\"}}) {{ code }} }}");
    text(&app.ask_as(Some(bot), &query, json!(null)).await.field()["code"]).to_owned()
}

everywhere! { Tables:
    async fn of_accounts_what_fails_in_the_middle_leaves_nothing_behind(app: TestApp) {
        let ada = sign_up(&app, "ada@example.com").await;
        let bot = bot(&app).await;
        let new = "eleven owls debate philosophy";
        let verify = token_mailed_to(&app, "ada@example.com", "verify-email").await;
        command(&app, None, &format!("verifyEmail(input: {{token: \"{verify}\"}})"),
            &[("one_time_tokens", "delete"), ("users", "update")]).await;
        command(&app, None, &format!("register(input: {{email: \"bob@example.com\", password: \"{PASSWORD}\", displayName: \"Bob\"}})"),
            &[("users", "insert"), ("sessions", "insert"), ("refresh_tokens", "insert"), ("one_time_tokens", "insert")]).await;
        command(&app, None, &format!("login(input: {{email: \"ada@example.com\", password: \"{PASSWORD}\"}})"),
            &[("sessions", "insert"), ("refresh_tokens", "insert")]).await;
        command(&app, None, &format!("refreshSession(input: {{refreshToken: \"{}\"}})", ada.refresh),
            &[("refresh_tokens", "update"), ("refresh_tokens", "insert"), ("sessions", "update")]).await;

        let seven = link_code(&app, &bot, "7").await;
        // That a token was used is noted aside, and once a minute.
        until("the bot's use is noted", async || {
            app.number("select count(*) as n from clients where last_used_at is not null").await == 1
        })
        .await;
        link_code(&app, &bot, "8").await;
        command_of(&app, &ada, &format!("linkDiscordAccount(input: {{code: \"{seven}\"}})"),
            &[("discord_link_codes", "delete"), ("users", "update")]).await;
        command_of(&app, &ada, "unlinkDiscordAccount", &[("users", "update")]).await;
        command(&app, Some(&bot), "createDiscordLinkCode(input: {discordId: \"8\"})",
            &[("discord_link_codes", "delete"), ("discord_link_codes", "insert")]).await;

        command_of(&app, &ada, "createApiToken(input: {name: \"x\"})", &[("api_tokens", "insert")]).await;
        let made = mutate(&app, &ada, "createApiToken(input: {name: \"y\"}) { apiToken { id } }").await;
        command_of(&app, &ada, &format!("revokeApiToken(input: {{id: {}}})", made.field()["apiToken"]["id"]),
            &[("api_tokens", "delete")]).await;
        let other = sign_in(&app, "ada@example.com").await.session;
        command_of(&app, &ada, &format!("revokeSession(input: {{sessionId: \"{other}\"}})"), &[("sessions", "update")]).await;

        command_of(&app, &ada, &format!("updateProfile(input: {{displayName: \"X\", email: \"new@example.com\", currentPassword: \"{PASSWORD}\"}})"),
            &[("users", "update"), ("one_time_tokens", "insert")]).await;
        // The session that was signed in above goes on until here, and so does the link to the new address.
        command_of(&app, &ada, &format!("changePassword(input: {{currentPassword: \"{PASSWORD}\", newPassword: \"{new}\"}})"),
            &[("users", "update"), ("one_time_tokens", "delete"), ("sessions", "update")]).await;
        app.ask_as(None, "mutation { requestPasswordReset(input: {email: \"ada@example.com\"}) { success } }", json!(null)).await.field();
        let reset = token_mailed_to(&app, "ada@example.com", "reset-password").await;
        command(&app, None, &format!("resetPassword(input: {{token: \"{reset}\", newPassword: \"{PASSWORD}\"}})"),
            &[("one_time_tokens", "delete"), ("users", "update"), ("api_tokens", "delete"), ("sessions", "update")]).await;

        let ada = sign_in(&app, "ada@example.com").await;
        command_of(&app, &ada, "revokeAllSessions(input: {})", &[("users", "update"), ("sessions", "update")]).await;
        let ada = sign_in(&app, "ada@example.com").await;
        command_of(&app, &ada, "logout", &[("sessions", "update")]).await;
        let ada = sign_in(&app, "ada@example.com").await;
        command_of(&app, &ada, &format!("deleteAccount(input: {{password: \"{PASSWORD}\"}})"),
            &[("refresh_tokens", "delete"), ("sessions", "delete"), ("users", "delete")]).await;
    }
}

on_both_stores! { Tables:
    async fn of_collections_what_fails_in_the_middle_leaves_nothing_behind(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        let (bolt, lotus) = (BOLT.id(), LOTUS.id());
        command_of(&app, &ada, &format!("addInventoryItems(input: {{items: [{{cardId: \"{bolt}\"}}, {{cardId: \"{lotus}\"}}]}})"),
            &[("inventory_items", "insert"), ("item_values", "insert")]).await;
        // One that is held already is changed.
        let item = added(&app, &ada, json!([{"cardId": bolt}])).await[0]["id"].clone();
        command_of(&app, &ada, &format!("addInventoryItems(input: {{items: [{{cardId: \"{bolt}\"}}]}})"),
            &[("inventory_items", "update"), ("item_values", "update")]).await;
        command_of(&app, &ada, &format!("updateInventoryItem(input: {{id: {item}, quantity: 7}})"),
            &[("inventory_items", "update"), ("item_values", "update")]).await;
        command_of(&app, &ada, &format!("removeInventoryItems(input: {{ids: [{item}]}})"),
            &[("removed_inventory_items", "insert"), ("inventory_items", "delete"), ("item_values", "delete")]).await;
        command_of(&app, &ada, &format!("restoreInventoryItems(input: {{ids: [{item}]}})"),
            &[("inventory_items", "insert"), ("removed_inventory_items", "delete"), ("item_values", "insert")]).await;

        // What is met at once is noted after the want itself, and so is what is not met any more.
        command_of(&app, &ada, &format!("addWantListItem(input: {{cardId: \"{bolt}\", targetPrice: {{amount: \"999.00\"}}}})"),
            &[("want_list_items", "insert"), ("want_list_items", "update")]).await;
        let wants = app.ask_as(Some(&ada.access), "{ viewer { wantList { nodes { id } } } }", json!(null)).await;
        let want = wants.field()["wantList"]["nodes"][0]["id"].clone();
        command_of(&app, &ada, &format!("updateWantListItem(input: {{id: {want}, targetPrice: {{amount: \"0.01\"}}}})"),
            &[("want_list_items", "update"), ("want_list_items", "update when old.below_target <> new.below_target")]).await;
        command_of(&app, &ada, &format!("removeWantListItems(input: {{ids: [{want}]}})"), &[("want_list_items", "delete")]).await;
    }

    async fn of_jobs_what_fails_in_the_middle_leaves_nothing_behind(app: TestApp) {
        let (ada, root) = (sign_up(&app, "ada@example.com").await, administrator(&app).await);
        let content = shocks(1);
        let send = async || upload(&app, &ada, "cards.csv", content.as_bytes(), json!({})).await;
        is_whole(&app, Some(&ada.access), "importCollection", &[("uploads", "insert"), ("jobs", "insert")], send).await;
        // The same file is the same job.
        let job = queued(&app, &ada, &content, json!({})).await["id"].clone();
        command_of(&app, &ada, &format!("cancelJob(input: {{id: {job}}})"), &[("jobs", "update")]).await;

        queued(&app, &ada, &shocks(2), json!({})).await;
        let claim = claimed(&app, uuid::Uuid::new_v4()).await.expect("a job");
        failed(&app, &claim, false).await;
        let letters = app.ask_as(Some(&root.access), "{ deadLetters { nodes { id } } }", json!(null)).await;
        let letter = letters.field()["nodes"][0]["id"].clone();
        command_of(&app, &root, &format!("retryDeadLetters(input: {{ids: [{letter}]}})"),
            &[("dead_letters", "update"), ("jobs", "update")]).await;
        command_of(&app, &root, &format!("discardDeadLetters(input: {{ids: [{letter}]}})"), &[("dead_letters", "update")]).await;
    }

    async fn of_imports_what_fails_in_the_middle_leaves_nothing_behind(app: TestApp) {
        load(&app).await;
        let ada = sign_up(&app, "ada@example.com").await;
        added(&app, &ada, json!([{"cardId": BOLT.id(), "quantity": 3}])).await;
        app.work();
        let file = format!("{}1,Lightning Bolt,lea,161\n1,No such card at all,,\n", shocks(2));
        let job = imported(&app, &ada, &file, json!({})).await;
        let (id, file): (&Value, &Value) = (&job["id"], &job["file"]["id"]);
        command_of(&app, &ada, &format!("undoImport(input: {{id: {id}}})"), &[
            ("item_values", "delete"), ("inventory_items", "delete"), ("inventory_items", "update"),
            ("item_values", "update"), ("import_changes", "delete"), ("import_made", "delete"), ("jobs", "update"),
        ]).await;
        command_of(&app, &ada, &format!("deleteUpload(input: {{id: {file}}})"), &[("uploads", "update"), ("import_lines", "delete"), ("rejected_rows", "delete")]).await;
    }
}
