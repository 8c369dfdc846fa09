//! Who may do what, how often, and what a stranger gets. Each file is about one line of what must hold, each test about a
//! part of it; most run on both stores, without Redis and with it. What must hold of identities, and where it is tried:
//!
//! - access token of ten minutes at most, with its session:
//!   `access_tokens::a_token_says_who_and_which_session_and_lasts_ten_minutes_at_most`; one algorithm, every claim, five
//!   seconds of leeway: `src/identity/access_token.rs::whatever_is_wrong_with_a_token_it_is_refused`,
//!   `src/identity/access_token.rs::a_token_holds_from_its_start_to_its_end_with_five_seconds_at_each`; nor longer by a setting:
//!   `src/config/mod.rs::an_access_token_holds_for_600_seconds_at_most`
//! - refresh token, used once, the identical pair within 10 s:
//!   `refresh_tokens::a_token_works_once_and_gives_the_identical_pair_for_ten_seconds`,
//!   `refresh_tokens::of_fifty_that_come_at_once_all_get_one_child`; later, or once the child was used, the session ends:
//!   `refresh_tokens::a_parent_whose_child_was_used_ends_the_session_at_once`; kept as a hash:
//!   `refresh_tokens::the_store_knows_a_token_by_its_digest_only`, `leaks::no_password_and_no_token_is_in_the_store_in_plain`
//! - the database is the truth: `revocation::what_was_taken_back_stays_so_when_a_server_starts_again_or_redis_is_emptied`;
//!   the fast path: `revocation::who_is_signed_in_costs_no_statement`; both, whatever users do:
//!   `sessions::whatever_users_do_each_token_is_worth_what_the_rules_say`
//! - what is revoked is refused on every server, before its end is answered:
//!   `revocation::what_one_server_takes_back_the_other_refuses_with_redis`; tokens for scripts and clients too:
//!   `api_tokens::what_one_server_takes_back_the_other_refuses`; with Redis away:
//!   `outages::while_redis_is_away_the_database_says_what_holds`,
//!   `outages::what_one_server_can_t_tell_in_redis_the_others_learn_from_the_database`
//! - what stays open ends with its session: `revocation::a_socket_ends_when_its_session_does`,
//!   `streams::events_end_with_their_session`; with its access token: `streams::sockets_and_events_end_with_their_access_token`;
//!   when a script's or a client's token is revoked:
//!   `streams::sockets_and_events_end_when_their_token_is_revoked_and_others_go_on`; or ends by itself:
//!   `streams::sockets_and_events_of_a_script_end_when_its_token_says_and_others_go_on`; within five seconds:
//!   `streams::tokens_that_nobody_tells_of_are_looked_at_every_four_seconds`
//! - argon2id by OWASP's parameters, renewed on login:
//!   `passwords::a_hash_of_other_parameters_is_replaced_when_its_owner_signs_in`; a score of 3, 128 characters at most:
//!   `src/domain/accounts/password.rs::ten_to_128_characters_with_a_score_of_three_are_enough_and_no_less`; looked at before:
//!   `passwords::weak_passwords_are_refused_with_a_reason_and_before_they_are_hashed`,
//!   `passwords::a_password_of_more_than_128_characters_is_never_hashed`,
//!   `passwords::nor_where_it_is_asked_for_once_more_or_is_to_be_new`; so many at once, some that wait, then 503:
//!   `src/identity/hasher.rs::who_comes_beyond_the_queue_is_told_to_come_back`,
//!   `hang_ups::who_signs_in_while_all_hash_and_nobody_may_wait_is_told_when_to_come_back`,
//!   `hang_ups::while_all_hash_as_many_wait_as_may_and_the_next_is_told_when_to_come_back`
//! - an unknown address costs one hash: `passwords::an_unknown_address_costs_one_hash_and_is_answered_as_a_wrong_password_is`
//! - throttled by address: `throttles::thirty_guesses_from_one_address_are_all_whosever_accounts_they_are_at`; by both:
//!   `throttles::the_sixth_guess_at_an_account_is_refused_and_says_when_to_come_back`; by account, whose owner is not locked
//!   out: `throttles::others_wrong_guesses_do_not_keep_an_owner_out`,
//!   `networks::an_owner_is_known_at_every_address_of_their_network`; with Redis away:
//!   `outages::guessing_stays_slow_while_redis_is_away`
//! - addresses in every spelling: `email::an_address_is_one_in_every_spelling`; one that is taken:
//!   `email::of_many_that_register_one_address_at_once_one_has_it`,
//!   `throttles::accounts_are_not_made_by_the_dozen_from_one_address`
//! - who may what: `authorisation::every_field_is_tried_as_everybody`, which walks the schema; in the domain's statements:
//!   `owners::the_statements_find_what_is_somebodys_for_its_owner_alone`,
//!   `owners::the_statements_change_what_is_somebodys_for_its_owner_alone`; alike for what is another's,
//!   gone, of another type and nonsense:
//!   `enumeration::a_node_that_is_anothers_or_gone_or_of_another_type_or_nonsense_is_answered_alike`
//! - enumeration, 10 misses: `enumeration::ten_requests_that_miss_block_their_user_for_five_minutes`; within a minute, for five:
//!   `src/gates/misses.rs::ten_misses_in_a_minute_block_for_five`,
//!   `src/gates/misses.rs::misses_that_are_a_minute_apart_don_t_count_together`, and in Redis:
//!   `misses::in_redis_misses_count_for_a_minute_and_a_block_lasts_for_five`; in every field that takes
//!   an id: `enumeration::ten_misses_block_whatever_is_asked_for_and_in_whichever_field`; by user:
//!   `misses::misses_of_a_user_add_up_whatever_speaks_for_them`, `misses::what_is_asked_over_a_socket_counts_as_well`; or by
//!   address: `networks::misses_of_who_says_nothing_count_for_a_whole_network`; for all servers:
//!   `misses::servers_that_share_redis_count_misses_together_and_others_do_not`
//! - the catalogue never counts: `enumeration::the_catalogue_and_nonsense_never_count`,
//!   `enumeration::however_the_catalogue_is_asked_it_never_counts_nor_do_discord_ids`; a bot is never blocked as a whole:
//!   `enumeration::a_bot_is_never_left_out_as_a_whole`
//! - nothing of it in a log, a metric or an error: `canaries::nothing_that_is_somebodys_is_in_a_log_a_metric_or_an_error`
//! - whose address it is: `src/http/visit.rs::an_address_is_believed_as_far_as_trusted_proxies_hand_it_on`,
//!   `throttles::an_address_that_no_proxy_of_ours_says_is_not_believed`,
//!   `networks::misses_count_for_the_last_address_that_a_proxy_of_ours_says`,
//!   `networks::misses_count_for_the_other_end_whatever_address_it_says`

mod access_tokens;
mod account;
mod address_changes;
mod api_tokens;
mod authorisation;
mod browsers;
mod budgets;
mod canaries;
mod discord;
mod email;
mod enumeration;
mod hang_ups;
mod idempotency;
mod leaks;
mod limits;
mod misses;
mod networks;
mod outages;
mod owners;
mod passwords;
mod refresh_tokens;
mod revocation;
mod sessions;
mod shut_out;
mod streams;
mod throttles;
mod transactions;

use dualcaster::config::Settings;
use dualcaster::domain::accounts::create_client;
use dualcaster::outside::Outside;
use entity::enums::Role;
use serde_json::{Value, json};

use crate::harness::{Answered, Content, Store, TestApp, TestDatabase, runtime};

pub const PASSWORD: &str = "seven llamas juggle torches";

/// Runs a test on a database of each store, without Redis and beside one.
pub fn on_each_database(content: Content, test: impl AsyncFn(&TestDatabase)) {
    for (store, with_redis) in
        [(Store::Postgres, false), (Store::Sqlite, false), (Store::Postgres, true), (Store::Sqlite, true)]
    {
        runtime().block_on(async {
            let mut database = TestDatabase::new(store, content).await;
            if with_redis {
                database = database.with_redis();
            }
            test(&database).await;
            database.remove().await;
        });
    }
}

/// The same against a server whose settings are changed first.
pub fn everywhere_with(content: Content, change: impl Fn(&mut Settings), test: impl AsyncFn(&TestApp)) {
    on_each_database(content, async |database| {
        let mut settings = database.settings();
        change(&mut settings);
        let app = TestApp::start_with(database, settings).await;
        test(&app).await;
        app.stop().await;
    });
}

/// Believes a proxy on this machine, so that a test can be from anywhere.
pub fn behind_a_proxy(settings: &mut Settings) {
    settings.server.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Person {
    pub email: String,
    pub id: String,
    pub session: String,
    pub access: String,
    pub refresh: String,
}

impl Person {
    fn of(email: &str, payload: &Value) -> Self {
        let text =
            |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text in {payload:#}")).to_owned();
        Self {
            email: email.to_owned(),
            id: text(&payload["user"]["id"]),
            session: text(&payload["session"]["id"]),
            access: text(&payload["accessToken"]),
            refresh: text(&payload["refreshToken"]),
        }
    }
}

/// A bot's token.
pub async fn bot(app: &TestApp) -> String {
    let made = create_client(app.bulk.write(), "bot", Role::Bot, None, &Outside::system()).await;
    made.expect("a client").1.text()
}

const NEW_SESSION: &str = "{ accessToken refreshToken expiresAt session { id expiresAt current } \
     user { id email displayName role emailVerified } userErrors { code errorCode message path } }";

pub async fn register(app: &TestApp, email: &str, password: &str) -> Answered {
    let query = format!("mutation($input: RegisterInput!) {{ register(input: $input) {NEW_SESSION} }}");
    let input = json!({"email": email, "password": password, "displayName": "Ada"});
    app.ask_as(None, &query, json!({"input": input})).await
}

/// Makes an account.
pub async fn sign_up(app: &TestApp, email: &str) -> Person {
    Person::of(email, register(app, email, PASSWORD).await.field())
}

pub async fn login(app: &TestApp, email: &str, password: &str) -> Answered {
    login_from(app, &[], email, password).await
}

pub async fn login_from(app: &TestApp, headers: &[(&str, &str)], email: &str, password: &str) -> Answered {
    let query = format!("mutation($input: LoginInput!) {{ login(input: $input) {NEW_SESSION} }}");
    app.ask_with(None, headers, &query, json!({"input": {"email": email, "password": password}})).await
}

/// Lets servers come of an age at which their notes of what was taken back are believed: whoever signs in from now on is
/// not looked up in the database.
pub async fn come_of_age(apps: &[&TestApp]) {
    let early = sign_up(apps[0], "early@example.com").await;
    for app in apps {
        assert!(whoami(app, &early.access).await.is_ok(), "the notes begin");
    }
    for app in apps {
        app.clock.advance(chrono::TimeDelta::seconds(10));
    }
}

/// Signs in once more.
pub async fn sign_in(app: &TestApp, email: &str) -> Person {
    Person::of(email, login(app, email, PASSWORD).await.field())
}

pub async fn refresh(app: &TestApp, token: &str) -> Answered {
    let query =
        format!("mutation($input: RefreshSessionInput!) {{ refreshSession(input: $input) {NEW_SESSION} }}");
    app.ask_as(None, &query, json!({"input": {"refreshToken": token}})).await
}

/// Whom the server takes a token's bearer for: the address, nothing for nobody, or the code of the refusal.
pub async fn whoami(app: &TestApp, token: &str) -> Result<Option<String>, String> {
    let answer = app.ask_as(Some(token), "{ viewer { email } }", json!(null)).await;
    match answer.code() {
        Some(code) => Err(code.to_owned()),
        None => Ok(answer.body["data"]["viewer"]["email"].as_str().map(str::to_owned)),
    }
}

/// What one mutation without variables answers.
pub async fn mutate(app: &TestApp, person: &Person, mutation: &str) -> Answered {
    app.ask_as(Some(&person.access), &format!("mutation {{ {mutation} }}"), json!(null)).await
}

/// The token of the link in the newest mail to an address, once there is one.
pub async fn token_mailed_to(app: &TestApp, email: &str, path: &str) -> String {
    token_in_mail(&app.app.settings().data_dir, email, path).await
}

/// The same of a server whose data are in this folder.
pub async fn token_in_mail(data_dir: &std::path::Path, email: &str, path: &str) -> String {
    let folder = data_dir.join("mail");
    let started = std::time::Instant::now();
    loop {
        let mails = std::fs::read_dir(&folder).expect("a folder of mails");
        let mut texts: Vec<_> = mails
            .filter_map(|mail| {
                let path = mail.expect("a mail").path();
                let written = std::fs::metadata(&path).ok()?.modified().ok()?;
                Some((written, std::fs::read_to_string(path).ok()?))
            })
            .collect();
        texts.sort();
        // Mail breaks long lines with a sign at their end.
        let plain = |text: &str| text.replace("=\r\n", "").replace("=3D", "=");
        let found = texts.iter().rev().map(|(_, text)| plain(text)).find_map(|text| {
            let link = format!("/{path}?token=");
            let (_, token) = text.contains(email).then(|| text.split_once(&link)).flatten()?;
            Some(token.split_whitespace().next()?.to_owned())
        });
        if let Some(token) = found {
            return token;
        }
        assert!(started.elapsed().as_secs() < 20, "no mail to {email} came");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[test]
fn every_test_that_an_index_names_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (folder, index) in
        [("tests/security", include_str!("mod.rs")), ("tests/security/limits", include_str!("limits/mod.rs"))]
    {
        let index: Vec<_> = index.lines().filter(|line| line.starts_with("//!")).collect();
        let index = index.join("\n");
        let names: Vec<_> =
            index.split('`').skip(1).step_by(2).filter_map(|name| name.rsplit_once("::")).collect();
        assert!(names.len() > 15, "{folder} has an index");
        for (file, name) in names {
            let path = if file.contains('/') {
                root.join(file)
            } else {
                root.join(folder).join(file).with_extension("rs")
            };
            let source = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("there is no {file}"));
            assert!(source.contains(&format!("fn {name}(")), "{file} has no {name}");
        }
    }
}
