//! What the server's speed is held against: `yardstick` answers four queries as fast as one can by hand, `compare`
//! sends the server and it the same load in turn, and prints the ratio.
//!
//! This crate shares no code with the server. What both must know, the tables and the shape of an answer, stands here
//! a second time: a yardstick that bends with the thing it measures is none.

pub mod arguments;
pub mod client;
pub mod database;
pub mod difference;
pub mod holders;
pub mod json;
pub mod queries;

/// Errors end up as one sentence on standard error, or as a status 500: nobody tells them apart.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
pub type Result<T> = std::result::Result<T, Error>;

/// An error with its causes: the database's own words are in the second.
pub fn in_words(error: &Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}
