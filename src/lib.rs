//! Dualcaster: a GraphQL server for the trading-card market. ARCHITECTURE.md is the map.

// A resolver's future holds those of all that it may await: to see that it may cross threads, the compiler looks deeper
// than it does by default.
#![recursion_limit = "256"]

pub mod app;
pub mod chart;
pub mod cli;
pub mod config;
pub mod db;
pub mod domain;
pub mod engine;
pub mod error;
pub mod explain;
pub mod gates;
pub mod generate;
pub mod graphql;
pub mod http;
pub mod identity;
pub mod ingest;
pub mod jobs;
pub mod links;
pub mod live;
pub mod outside;
pub mod pagination;
mod patience;
pub mod principal;
pub mod seal;
mod secret;
pub mod shared_queries;
pub mod storage;
pub mod tabular;
pub mod telemetry;
