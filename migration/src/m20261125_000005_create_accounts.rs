//! Accounts, what they sign in with, and the clients that are no user's.

use sea_orm_migration::prelude::*;

use crate::dialect::run;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, ACCOUNTS).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [
            "idempotent_answers",
            "clients",
            "one_time_tokens",
            "api_tokens",
            "refresh_tokens",
            "sessions",
            "discord_link_codes",
            "users",
        ];
        for table in tables {
            run(manager, &[&format!("drop table {table}")]).await?;
        }
        Ok(())
    }
}

const ACCOUNTS: &[&str] = &[
    // `email_key` is the address as addresses are compared.
    "create table users (
        id {uuid} not null primary key,
        email text not null,
        email_key {key} not null unique,
        email_verified {bool} not null,
        display_name text not null,
        role {small} not null,
        password_hash text not null,
        epoch {big} not null,
        discord_id {key} unique,
        created_at {time} not null
    ) {table}",
    "create table discord_link_codes (
        hash {bytes} not null primary key,
        discord_id {key} not null,
        expires_at {time} not null
    ) {clustered}",
    "create table sessions (
        id {uuid} not null primary key,
        user_id {uuid} not null references users (id) on delete cascade,
        created_at {time} not null,
        last_used_at {time} not null,
        expires_at {time} not null,
        ended_at {time},
        in_cookie {bool} not null,
        user_agent text,
        ip_address text
    ) {table}",
    "create index sessions_of_user on sessions (user_id, created_at)",
    "create index sessions_by_end on sessions (expires_at)",
    "create table refresh_tokens (
        hash {bytes} not null primary key,
        session_id {uuid} not null references sessions (id) on delete cascade,
        used_at {time}
    ) {clustered}",
    "create index refresh_tokens_of_session on refresh_tokens (session_id)",
    "create table api_tokens (
        id {uuid} not null primary key,
        user_id {uuid} not null references users (id) on delete cascade,
        hash {bytes} not null unique,
        name text not null,
        read_only {bool} not null,
        created_at {time} not null,
        last_used_at {time},
        expires_at {time}
    ) {table}",
    "create index api_tokens_of_user on api_tokens (user_id, created_at)",
    // `email` is what a token of verification is for: another address asked for later is not verified by it.
    "create table one_time_tokens (
        hash {bytes} not null primary key,
        user_id {uuid} not null references users (id) on delete cascade,
        purpose {small} not null,
        email text,
        expires_at {time} not null
    ) {clustered}",
    "create index one_time_tokens_of_user on one_time_tokens (user_id, purpose)",
    "create table clients (
        id {uuid} not null primary key,
        name {key} not null unique,
        role {small} not null,
        hash {bytes} not null unique,
        points_per_second {big},
        created_at {time} not null,
        last_used_at {time},
        revoked_at {time}
    ) {table}",
    // The answer is sealed: it may hold a token.
    "create table idempotent_answers (
        caller {key} not null,
        idempotency_key {key} not null,
        request {bytes} not null,
        started_at {time} not null,
        answer {bytes},
        primary key (caller, idempotency_key)
    ) {clustered}",
    "create index idempotent_answers_by_age on idempotent_answers (started_at)",
];
