//! What a database error means, decided in one place.

use std::fmt;
use std::io;

use sea_orm::sqlx::Error as SqlxError;
use sea_orm::{DbErr, RuntimeErr};

/// Stands behind the error of a statement that nobody waits for any longer. A socket has an error of the same kind, for a
/// connection that is dead.
#[derive(Debug)]
struct Late;

impl fmt::Display for Late {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the statement took longer than it has")
    }
}

impl std::error::Error for Late {}

/// The error of a statement that has not ended by its deadline.
pub(super) fn late() -> SqlxError {
    SqlxError::Io(io::Error::new(io::ErrorKind::TimedOut, Late))
}

fn is_late(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|cause| cause.is::<Late>())
}

/// What to make of a database error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The connection broke; the statement may or may not have run.
    Lost,
    /// The database undid the statement for another's sake: it can be run again.
    Conflict,
    /// The database is starting or stopping: nothing ran.
    Busy,
    /// No connection was to be had, or no answer came, for as long as anybody waits.
    Away,
    /// The statement ran into its deadline.
    Deadline,
    /// A fault of the statement or of its values.
    Other,
}

impl Trouble {
    pub fn of(error: &DbErr) -> Self {
        match error {
            DbErr::ConnectionAcquire(_) => Self::Away,
            DbErr::Conn(RuntimeErr::SqlxError(error))
            | DbErr::Exec(RuntimeErr::SqlxError(error))
            | DbErr::Query(RuntimeErr::SqlxError(error)) => Self::of_sqlx(error),
            DbErr::Conn(RuntimeErr::Internal(_)) => Self::Busy,
            _ => Self::Other,
        }
    }

    fn of_sqlx(error: &SqlxError) -> Self {
        match error {
            SqlxError::Io(error) if is_late(error) => Self::Deadline,
            SqlxError::Io(_) | SqlxError::Tls(_) | SqlxError::Protocol(_) | SqlxError::WorkerCrashed => {
                Self::Lost
            }
            SqlxError::PoolTimedOut | SqlxError::PoolClosed => Self::Away,
            // Postgres' SQLSTATEs, then SQLite's extended result codes.
            SqlxError::Database(error) => match error.code().as_deref() {
                // Serialisation, a deadlock, a lock that was not to be had in time.
                Some("40001" | "40P01" | "55P03") => Self::Conflict,
                Some("57P01" | "57P02" | "57P03" | "53300") => Self::Busy,
                Some("57014") => Self::Deadline,
                Some("5" | "261" | "517" | "6") => Self::Conflict,
                Some("9") => Self::Deadline,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }

    /// Whether a statement can be sent again without running twice. A statement that only reads may always be.
    pub fn may_retry(self, only_reads: bool) -> bool {
        match self {
            Self::Conflict | Self::Busy => true,
            Self::Lost => only_reads,
            Self::Away | Self::Deadline | Self::Other => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::error::Error as StdError;
    use std::sync::Arc;

    use sea_orm::ConnAcquireErr;
    use sea_orm::sqlx::error::{DatabaseError, ErrorKind};

    use super::*;

    /// What a database says, of which the code alone counts.
    #[derive(Debug)]
    struct Said(&'static str);

    impl fmt::Display for Said {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(self.0)
        }
    }

    impl StdError for Said {}

    impl DatabaseError for Said {
        fn message(&self) -> &str {
            self.0
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(Cow::Borrowed(self.0))
        }

        fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    fn said(code: &'static str) -> SqlxError {
        SqlxError::Database(Box::new(Said(code)))
    }

    fn broke(kind: io::ErrorKind) -> SqlxError {
        SqlxError::Io(kind.into())
    }

    #[test]
    fn every_error_has_its_class_whatever_it_came_by() {
        let cases = [
            (broke(io::ErrorKind::ConnectionReset), Trouble::Lost),
            (broke(io::ErrorKind::UnexpectedEof), Trouble::Lost),
            // What the system says of a connection whose other end has not answered for minutes.
            (broke(io::ErrorKind::TimedOut), Trouble::Lost),
            (SqlxError::Io(io::Error::new(io::ErrorKind::TimedOut, "nonsense")), Trouble::Lost),
            (SqlxError::Protocol("nonsense".to_owned()), Trouble::Lost),
            (SqlxError::Tls("nonsense".into()), Trouble::Lost),
            (SqlxError::WorkerCrashed, Trouble::Lost),
            (said("40001"), Trouble::Conflict),
            (said("40P01"), Trouble::Conflict),
            (said("55P03"), Trouble::Conflict),
            (said("5"), Trouble::Conflict),
            (said("6"), Trouble::Conflict),
            (said("261"), Trouble::Conflict),
            (said("517"), Trouble::Conflict),
            (said("57P01"), Trouble::Busy),
            (said("57P02"), Trouble::Busy),
            (said("57P03"), Trouble::Busy),
            (said("53300"), Trouble::Busy),
            (SqlxError::PoolTimedOut, Trouble::Away),
            (SqlxError::PoolClosed, Trouble::Away),
            (late(), Trouble::Deadline),
            (said("57014"), Trouble::Deadline),
            (said("9"), Trouble::Deadline),
            // A unique index, a missing table, a full disk, in Postgres' words and in SQLite's.
            (said("23505"), Trouble::Other),
            (said("42P01"), Trouble::Other),
            (said("53100"), Trouble::Other),
            (said("1"), Trouble::Other),
            (said("13"), Trouble::Other),
            (said("2067"), Trouble::Other),
            (SqlxError::RowNotFound, Trouble::Other),
        ];
        for (error, class) in cases {
            let error = Arc::new(error);
            for error in [
                DbErr::Conn(RuntimeErr::SqlxError(Arc::clone(&error))),
                DbErr::Exec(RuntimeErr::SqlxError(Arc::clone(&error))),
                DbErr::Query(RuntimeErr::SqlxError(error)),
            ] {
                assert_eq!(Trouble::of(&error), class, "{error:?}");
            }
        }
        for (error, class) in [
            (DbErr::ConnectionAcquire(ConnAcquireErr::Timeout), Trouble::Away),
            (DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed), Trouble::Away),
            (DbErr::Conn(RuntimeErr::Internal("no answer in time".to_owned())), Trouble::Busy),
            (DbErr::Query(RuntimeErr::Internal("nonsense".to_owned())), Trouble::Other),
            (DbErr::Custom("nonsense".to_owned()), Trouble::Other),
        ] {
            assert_eq!(Trouble::of(&error), class, "{error:?}");
        }
    }

    #[test]
    fn what_may_have_run_is_sent_again_only_where_it_reads() {
        let again = |trouble: Trouble| (trouble.may_retry(true), trouble.may_retry(false));
        for trouble in [Trouble::Conflict, Trouble::Busy] {
            assert_eq!(again(trouble), (true, true), "{trouble:?}");
        }
        assert_eq!(again(Trouble::Lost), (true, false));
        for trouble in [Trouble::Away, Trouble::Deadline, Trouble::Other] {
            assert_eq!(again(trouble), (false, false), "{trouble:?}");
        }
    }
}
