//! What the product knows and does, by area. Names no GraphQL, HTTP or Redis type.

pub mod accounts;
pub mod announcements;
pub mod catalogue;
pub mod collection;
pub mod csv;
pub mod idempotency;
pub mod market;
pub mod operations;
pub mod store;
