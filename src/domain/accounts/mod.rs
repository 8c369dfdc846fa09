//! Accounts: who has one, how they sign in, and what else may act for them.
//!
//! Every function that reads or changes what is a user's takes that user's id and has it in its statement, so that
//! whatever a caller names, only their own is found.

mod api_tokens;
mod chain;
mod clients;
mod discord;
mod email;
mod expiry;
mod export;
mod one_time;
mod password;
mod sessions;
mod token;
mod unheard;
mod users;

pub use api_tokens::{
    MOST_API_TOKENS, NewApiToken, create_api_token, is_api_token_active, is_use_noteworthy, list_api_tokens,
    load_api_tokens, note_api_token_use, revoke_api_token, revoke_api_tokens, use_api_token,
};
pub use clients::{
    create_client, is_client_active, list_clients, note_client_use, revoke_client, use_client_token,
};
pub use discord::{
    check_discord_id, create_link_code, find_user_by_discord_id, link_discord, unlink_discord,
};
pub use email::{Email, normalized};
pub use expiry::forget_expired;
pub use export::{FIRST_LISTED, export_account, export_listed};
pub use one_time::{forget_one_time, issue_one_time, look_at_one_time, take_one_time};
pub use password::{MOST_PASSWORD_CHARS, PasswordCheck, check_password};
pub use sessions::{
    Device, EndedAll, MOST_SESSIONS, Opened, Refreshed, SessionTerms, end_session, end_sessions,
    is_session_open, known_addresses, list_sessions, load_sessions, open_session, refresh_session,
};
pub use token::{Digest, OpaqueToken, TokenKind};
pub use unheard::{forget_unheard, note_unheard, unheard_until};
pub use users::{
    NewUser, Speaker, confirm_password_hash, confirm_speaker, create_user, delete_user, display_name,
    find_user, find_user_by_email, load_users, set_display_name, set_password_hash, set_verified_email,
};
