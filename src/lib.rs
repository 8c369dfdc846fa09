//! Dualcaster: a GraphQL server for the trading-card market. ARCHITECTURE.md is the map.

pub mod app;
pub mod cli;
pub mod config;
pub mod db;
pub mod domain;
pub mod engine;
pub mod error;
pub mod explain;
pub mod generate;
pub mod graphql;
pub mod http;
pub mod ingest;
pub mod pagination;
pub mod principal;
mod secret;
pub mod telemetry;
