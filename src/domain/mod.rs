//! What the product knows and does, by area. Names no GraphQL, HTTP or Redis type.

pub mod accounts;
pub mod announcements;
pub mod catalogue;
pub mod collection;
pub mod csv;
pub mod idempotency;
pub mod import;
pub mod jobs;
pub mod market;
pub mod operations;
pub mod store;
pub mod uploads;
