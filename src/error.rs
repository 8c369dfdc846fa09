//! The error catalogue, and the two kinds of failure: what a caller may know, and what only the log may.
//!
//! [`Error::Refused`] is the caller's to put right and goes out as it stands. [`Error::Failed`] is ours: the caller
//! gets one plain sentence for its class, and the cause is logged once, at the edge, under the request id.

use std::borrow::Cow;
use std::sync::Arc;

use sea_orm::DbErr;

use crate::db::Trouble;

/// What any part of the server returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! catalogue {
    ($($variant:ident = $number:literal, $category:literal, $when:literal;)*) => {
        /// A line of the error catalogue. Numbers and category names never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($variant,)* }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// `ERR-1001`
            pub fn number(self) -> &'static str {
                match self { $(Self::$variant => concat!("ERR-", $number),)* }
            }

            /// `FILE_NOT_CSV`: what clients switch on.
            pub fn category(self) -> &'static str {
                match self { $(Self::$variant => $category,)* }
            }

            /// When it is answered, in a sentence.
            pub fn when(self) -> &'static str {
                match self { $(Self::$variant => $when,)* }
            }
        }
    };
}

catalogue! {
    FileNotCsv = 1001, "FILE_NOT_CSV",
        "An extension other than .csv, .tsv or .txt, or content that is no text table.";
    FileTooLarge = 1002, "FILE_TOO_LARGE",
        "The file is larger than is taken, 50 MiB unless set otherwise.";
    FileEmpty = 1003, "FILE_EMPTY",
        "The file has no header, or no rows.";
    FileEncoding = 1004, "FILE_ENCODING",
        "The file is not UTF-8, UTF-16 with a byte order mark, or Windows-1252.";
    FileDangerous = 1005, "FILE_DANGEROUS",
        "The file begins as a program, an archive, a picture, a PDF or a script does.";
    FileTooWide = 1006, "FILE_TOO_WIDE",
        "The file has over 100 columns, or a cell over 64 KiB.";
    ColumnsMissing = 1007, "COLUMNS_MISSING",
        "A column that is needed was not found.";
    PlatformUnknown = 1008, "PLATFORM_UNKNOWN",
        "The header fits no known export, and no mapping was found.";
    RowCardNotFound = 1101, "ROW_CARD_NOT_FOUND",
        "There is no such card.";
    RowCardAmbiguous = 1102, "ROW_CARD_AMBIGUOUS",
        "Several printings fit, and the row does not say which.";
    RowInvalidValue = 1103, "ROW_INVALID_VALUE",
        "A quantity, price, condition, finish, language or date that can't be read.";
    RowMalformed = 1104, "ROW_MALFORMED",
        "More or fewer cells than the header has, or broken quoting.";
    Unauthenticated = 2001, "UNAUTHENTICATED",
        "A field for who is signed in was asked by nobody, or the token is none of ours.";
    TokenExpired = 2002, "TOKEN_EXPIRED",
        "The token's time is over.";
    TokenRevoked = 2003, "TOKEN_REVOKED",
        "The token was taken back: by logging out, by a new password, or because it came twice.";
    InvalidCredentials = 2004, "INVALID_CREDENTIALS",
        "The address or the password is wrong; which of them is not told.";
    Forbidden = 2005, "FORBIDDEN",
        "The caller is known, but may not do this.";
    WeakPassword = 2006, "WEAK_PASSWORD",
        "The password has under 10 or over 128 characters, or is easily guessed.";
    EmailUnavailable = 2007, "EMAIL_UNAVAILABLE",
        "The address can't be registered.";
    LinkCodeInvalid = 2008, "LINK_CODE_INVALID",
        "The Discord link code is unknown, was used, or is too old.";
    NotFound = 3001, "NOT_FOUND",
        "A mutation names what is not there, or is another's.";
    InvalidValue = 3002, "INVALID_VALUE",
        "A value out of its range or its form.";
    InvalidCursor = 3003, "INVALID_CURSOR",
        "A cursor that this server did not make for this list.";
    Conflict = 3004, "CONFLICT",
        "It was changed meanwhile, is there already, or an Idempotency-Key came with another request.";
    JobNotCancellable = 3005, "JOB_NOT_CANCELLABLE",
        "The job has ended.";
    InvalidSearch = 3006, "INVALID_SEARCH",
        "The search can't be read; the place and what was expected are told.";
    RateLimited = 4001, "RATE_LIMITED",
        "The caller's budget is used up for now.";
    EnumerationBlocked = 4002, "ENUMERATION_BLOCKED",
        "Ten requests within a minute named somebody's things that are not there or are another's; looking for a card in vain does not count. Five minutes of nothing.";
    QueryTooComplex = 4003, "QUERY_TOO_COMPLEX",
        "The document is over a limit; which, the limit and the figure are told.";
    OperationNotTrusted = 4004, "OPERATION_NOT_TRUSTED",
        "Only registered operations are answered, or the id is unknown.";
    TooManyUploads = 4005, "TOO_MANY_UPLOADS",
        "Over 10 uploads a minute.";
    BodyTooLarge = 4006, "BODY_TOO_LARGE",
        "A body over 1 MiB, or a batch over what is taken.";
    Internal = 5000, "INTERNAL",
        "Anything that nobody foresaw.";
    UpstreamUnavailable = 5001, "UPSTREAM_UNAVAILABLE",
        "A service that this server asks fails.";
    Timeout = 5002, "TIMEOUT",
        "A request or a statement took longer than it has.";
    Overloaded = 5003, "OVERLOADED",
        "The server has too much to do, or a store that it needs is away.";
}

/// The catalogue as a page in Markdown, as `docs/errors.md` holds it.
pub fn reference() -> String {
    let mut page = "# Errors

Every failure that a caller can meet has one of these codes. A GraphQL error has the category as `extensions.code` and the
number as `extensions.errorCode`, a `UserError` as `code` and `errorCode`, and so has the JSON of a plain route. Beside them
is `requestId`, under which the server's log has what went wrong, and, where waiting helps, `retryAfter` in seconds.

| number | category | when |
|---|---|---|
"
    .to_owned();
    for code in Code::ALL {
        page.push_str(&format!("| {} | {} | {} |\n", code.number(), code.category(), code.when()));
    }
    page
}

/// A refusal that the caller may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    /// For people: plain words, no internals.
    pub message: Cow<'static, str>,
    /// Seconds after which trying again may help.
    pub retry_after: Option<u32>,
    /// Where in a mutation's input the cause is: `["items", "17", "quantity"]`; empty for the input as a whole.
    pub path: Vec<String>,
}

impl Refusal {
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), retry_after: None, path: Vec::new() }
    }

    /// ERR-3002: a value out of its range or its form.
    pub fn invalid_value(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::InvalidValue, message)
    }

    /// The same, with its place in a mutation's input.
    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        self.path = vec![field.to_owned()];
        self
    }

    /// The same, further down: below these.
    #[must_use]
    pub fn within(mut self, above: &[&str]) -> Self {
        self.path.splice(0..0, above.iter().map(|part| (*part).to_owned()));
        self
    }
}

/// What a part of the server answers when it can't do what was asked.
///
/// It has no `Display` on purpose: async-graphql turns whatever can be displayed into an answer, and this would tell
/// the caller what went wrong inside. [`Error::log_text`] is for the log.
#[derive(Debug, Clone)]
pub enum Error {
    Refused(Refusal),
    /// Several at once, so that a form can show each beside its field. Never empty.
    Problems(Vec<Refusal>),
    Failed(Failure),
}

/// What went wrong inside. Cloned to every waiter of a batch, hence the shared causes.
#[derive(Debug, Clone)]
pub enum Failure {
    Database(Arc<DbErr>),
    Other(Arc<str>),
}

impl Error {
    /// What the caller may read of it.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal.clone(),
            Self::Problems(problems) => problems.first().cloned().unwrap_or_else(internal_refusal),
            Self::Failed(failure) => failure.refusal(),
        }
    }

    /// The whole of it, for the log and for an operator at a terminal; never for a caller.
    pub fn log_text(&self) -> String {
        match self {
            Self::Refused(_) | Self::Problems(_) => {
                let refusal = self.refusal();
                format!("{}: {}", refusal.code.number(), refusal.message)
            }
            Self::Failed(failure) => failure.log_text(),
        }
    }

    /// What to make of it, where it is the database's.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Failed(Failure::Database(error)) => Some(Trouble::of(error)),
            _ => None,
        }
    }

    /// A failure with no cause of another's to keep.
    pub fn internal(what: impl Into<Arc<str>>) -> Self {
        Self::Failed(Failure::Other(what.into()))
    }
}

impl Failure {
    /// The whole of it, for the log.
    pub fn log_text(&self) -> String {
        match self {
            Self::Database(error) => error.to_string(),
            Self::Other(what) => what.to_string(),
        }
    }

    fn refusal(&self) -> Refusal {
        match self {
            Self::Database(error) => match Trouble::of(error) {
                Trouble::Deadline => timeout_refusal(),
                // A conflict, too: who meets others each time it is tried has come at a bad moment, and did nothing wrong.
                Trouble::Away | Trouble::Busy | Trouble::Conflict | Trouble::Lost => Refusal {
                    retry_after: Some(1),
                    ..Refusal::new(
                        Code::Overloaded,
                        "We can't answer just now. Please try again in a moment.",
                    )
                },
                Trouble::Other => internal_refusal(),
            },
            Self::Other(_) => internal_refusal(),
        }
    }
}

/// Every problem at once, or nothing.
///
/// # Errors
/// [`Error::Problems`], where there is one.
pub fn none_of(problems: impl IntoIterator<Item = Option<Refusal>>) -> Result<()> {
    let problems: Vec<_> = problems.into_iter().flatten().collect();
    if problems.is_empty() { Ok(()) } else { Err(Error::Problems(problems)) }
}

/// ERR-5000, the answer to all that nobody foresaw.
pub fn internal_refusal() -> Refusal {
    Refusal::new(Code::Internal, "Something went wrong on our side.")
}

/// ERR-5002, the answer to what ran out of time: a request or a statement.
pub fn timeout_refusal() -> Refusal {
    Refusal::new(Code::Timeout, "This took too long and was stopped. Ask for less at once.")
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        Self::Failed(Failure::Database(Arc::new(error)))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        DbErr::Query(sea_orm::RuntimeErr::SqlxError(error.into())).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_tells_the_caller_nothing_of_its_cause() {
        let secret = "select * from users at /srv/db.rs";
        for error in [Error::internal(secret), DbErr::Custom(secret.into()).into()] {
            let refusal = error.refusal();
            assert_eq!(refusal.code, Code::Internal);
            assert_eq!(refusal.message, "Something went wrong on our side.");
        }
    }

    #[test]
    fn numbers_and_categories_are_unique() {
        let numbers: std::collections::HashSet<_> = Code::ALL.iter().map(|code| code.number()).collect();
        let categories: std::collections::HashSet<_> = Code::ALL.iter().map(|code| code.category()).collect();
        assert_eq!((numbers.len(), categories.len()), (Code::ALL.len(), Code::ALL.len()));
    }
}
