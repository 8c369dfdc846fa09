//! What is wrong with a mutation's input, for its caller to put right.

use async_graphql::{Enum, Object};

use crate::error::{Code, Error, Refusal};

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])* $variant:ident,)*) => {
        /// A category of the error catalogue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
        #[graphql(remote = "Code")]
        pub enum ErrorCode { $($(#[doc = $doc])* $variant,)* }
    };
}

error_codes! {
    /// The file is no text table.
    FileNotCsv,
    /// The file is larger than is taken.
    FileTooLarge,
    /// The file has no header, or no rows.
    FileEmpty,
    /// The file is in no encoding that is read.
    FileEncoding,
    /// The file is a program, an archive, a picture or the like.
    FileDangerous,
    /// The file has too many columns, or a cell that is too large.
    FileTooWide,
    /// A column that is needed was not found.
    ColumnsMissing,
    /// The file is no known app's export.
    PlatformUnknown,
    /// A row names a card that is not there.
    RowCardNotFound,
    /// A row fits several printings.
    RowCardAmbiguous,
    /// A row has a value that can't be read.
    RowInvalidValue,
    /// A row has more or fewer cells than the header.
    RowMalformed,
    /// Only who is signed in may do this.
    Unauthenticated,
    /// The token has expired.
    TokenExpired,
    /// The token was taken back.
    TokenRevoked,
    /// The address or the password is wrong.
    InvalidCredentials,
    /// The caller's role does not allow it.
    Forbidden,
    /// The password is too short, too long or easily guessed.
    WeakPassword,
    /// The address can't be registered.
    EmailUnavailable,
    /// The Discord link code is unknown, used or too old.
    LinkCodeInvalid,
    /// There is no such object, or it is another's.
    NotFound,
    /// A value is out of its range or its form.
    InvalidValue,
    /// The cursor is of no list of this server, or of another one.
    InvalidCursor,
    /// It was changed meanwhile, or is there already.
    Conflict,
    /// The job has ended.
    JobNotCancellable,
    /// The search can't be read.
    InvalidSearch,
    /// The caller's budget is used up for now.
    RateLimited,
    /// The caller has asked for too many things that are not there.
    EnumerationBlocked,
    /// The query is over a limit.
    QueryTooComplex,
    /// Only registered operations are answered.
    OperationNotTrusted,
    /// Too many files in too short a time.
    TooManyUploads,
    /// The request's body is too large.
    BodyTooLarge,
    /// Something went wrong on the server's side.
    Internal,
    /// A service that the server asks does not answer.
    UpstreamUnavailable,
    /// It took too long.
    Timeout,
    /// The server has too much to do just now.
    Overloaded,
}

/// What is wrong with a mutation's input.
pub struct UserError(Refusal);

impl UserError {
    pub fn new(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

/// What is wrong with a mutation's input, for its caller to put right. Nothing was changed.
#[Object]
impl UserError {
    /// The category in the error catalogue: WEAK_PASSWORD.
    async fn code(&self) -> ErrorCode {
        self.0.code.into()
    }

    /// Its number there: ERR-2006.
    async fn error_code(&self) -> &str {
        self.0.code.number()
    }

    /// For people: plain words, no internals.
    async fn message(&self) -> &str {
        &self.0.message
    }

    /// The input field, from the input object down; absent where it is about the input as a whole.
    async fn path(&self) -> Option<&[String]> {
        (!self.0.path.is_empty()).then_some(self.0.path.as_slice())
    }
}

/// Whether the catalogue has it as the caller's to put right in a form, rather than as an error of the operation.
fn is_users(code: Code) -> bool {
    use Code::{
        ColumnsMissing, Conflict, EmailUnavailable, FileDangerous, FileEmpty, FileEncoding, FileNotCsv,
        FileTooLarge, FileTooWide, InvalidCredentials, InvalidValue, JobNotCancellable, LinkCodeInvalid,
        NotFound, PlatformUnknown, WeakPassword,
    };
    matches!(
        code,
        FileNotCsv
            | FileTooLarge
            | FileEmpty
            | FileEncoding
            | FileDangerous
            | FileTooWide
            | ColumnsMissing
            | PlatformUnknown
            | InvalidCredentials
            | WeakPassword
            | EmailUnavailable
            | LinkCodeInvalid
            | NotFound
            | InvalidValue
            | Conflict
            | JobNotCancellable
    )
}

/// What a mutation's payload shows: what it did, or what is wrong with its input. What the catalogue has as an error of
/// the operation stays one, but for `also`.
pub fn told<T>(
    outcome: crate::error::Result<T>,
    also: &[Code],
) -> async_graphql::Result<(Option<T>, Vec<UserError>)> {
    let fits = |refusal: &Refusal| is_users(refusal.code) || also.contains(&refusal.code);
    match outcome {
        Ok(done) => Ok((Some(done), Vec::new())),
        Err(Error::Refused(refusal)) if fits(&refusal) => Ok((None, vec![UserError(refusal)])),
        Err(Error::Problems(problems)) if problems.iter().all(fits) => {
            Ok((None, problems.into_iter().map(UserError).collect()))
        }
        Err(error) => Err(error.into()),
    }
}
