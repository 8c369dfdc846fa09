//! One test binary: each behaviour in a file of its own, on both stores, over real HTTP, each test with a database of
//! its own.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it expects by panicking")]
#![expect(clippy::print_stderr, reason = "a test that did not run says so by name")]

mod harness;
#[path = "../conformance/stage/schema.rs"]
mod stage;

mod buckets;
mod catalogue;
mod catalogue_pages;
mod cli;
mod collection;
mod contract;
mod documents;
mod faults;
mod front_door;
mod frontend;
mod generated_client;
mod http;
mod ingest;
mod ingest_kills;
mod ingest_races;
mod ingest_replaces;
mod ingest_users;
mod jobs;
mod layers;
mod market;
mod migrations;
mod pages;
mod persisted;
mod real_data;
mod resilience;
mod search;
mod search_alike;
mod search_cases;
mod search_is;
mod search_suggestions;
mod security;
mod sockets;
mod statements;
mod uploads;
