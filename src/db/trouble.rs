//! What a database error means, decided in one place.

use sea_orm::sqlx::Error as SqlxError;
use sea_orm::{DbErr, RuntimeErr};

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
            SqlxError::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => Self::Deadline,
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
