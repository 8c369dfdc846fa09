//! What commands say: results on standard output, the rest on standard error.

use std::io::{ErrorKind, Write};

use super::{Failure, Outcome};

/// A result, on standard output.
pub fn print(text: &str) -> Outcome {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        // Whoever reads has read enough, as `head` does.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(format!("standard output can't be written: {error}"))),
    }
}

/// A line for the operator, on standard error.
pub fn say(text: &str) {
    // When standard error is gone there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}

pub fn fail(message: &str, hint: Option<&str>) {
    say(&format!("error: {message}"));
    if let Some(hint) = hint {
        say(&format!("hint: {hint}"));
    }
}
