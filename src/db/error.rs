//! Database errors, classified by what the caller can do about them.

use std::sync::Arc;

/// A database error. Its text is for logs and administrators, never for clients.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// The database cannot be reached or did not answer in time. A commit with this error may still have
    /// succeeded.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The database rolled the transaction back because of another one. A retry may succeed.
    #[error("rolled back because of another transaction: {0}")]
    RolledBack(String),
    /// A unique constraint was violated.
    #[error("there already: {0}")]
    Duplicate(String),
    /// The database or its address cannot be used, with the reason.
    #[error("{0}")]
    Refused(String),
    /// Any other error: a fault of the program or the machine.
    #[error("the database failed: {}", whole(.0))]
    Failed(Arc<dyn std::error::Error + Send + Sync>),
}

impl DbError {
    /// The error after [`super::Db::close`].
    pub(super) fn closed() -> Self {
        Self::Unavailable("the database was closed".to_owned())
    }
}

impl From<rusqlite::Error> for DbError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{ErrorCode, ffi};
        match (error.sqlite_error_code(), error.sqlite_error().map(|e| e.extended_code)) {
            (
                Some(
                    ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::CannotOpen
                    | ErrorCode::ReadOnly,
                ),
                _,
            ) => Self::Unavailable(error.to_string()),
            (Some(ErrorCode::NotADatabase), _) => {
                Self::Refused("the file is not an SQLite database; nothing was changed".to_owned())
            }
            (_, Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY)) => {
                Self::Duplicate(error.to_string())
            }
            _ => Self::Failed(Arc::new(error)),
        }
    }
}

/// Formats an error with its causes, since the drivers' own texts leave them out.
pub(super) fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

impl From<tokio_postgres::Error> for DbError {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;
        let Some(db) = error.as_db_error() else {
            return if error.is_closed()
                || std::error::Error::source(&error)
                    .is_some_and(<dyn std::error::Error + 'static>::is::<std::io::Error>)
            {
                Self::Unavailable(whole(&error))
            } else {
                Self::Failed(Arc::new(error))
            };
        };
        let code = db.code().code();
        let is_any_of = |classes: &[&str]| classes.iter().any(|class| code.starts_with(class));
        if *db.code() == SqlState::UNIQUE_VIOLATION {
            Self::Duplicate(db.to_string())
        } else if is_any_of(&ROLLED_BACK) {
            Self::RolledBack(db.to_string())
        } else if is_any_of(&UNAVAILABLE) {
            Self::Unavailable(db.to_string())
        } else {
            Self::Failed(Arc::new(error))
        }
    }
}

/// SQLSTATE codes after which a transaction can be retried: serialization failure and deadlock.
const ROLLED_BACK: [&str; 2] = ["40001", "40P01"];

/// SQLSTATE codes and class prefixes (PostgreSQL, appendix A) of temporary failures. All others mean a fault
/// of the program or the schema.
const UNAVAILABLE: [&str; 15] = [
    "08",    // the connection is lost
    "0A000", // a cached plan whose tables were migrated by another instance
    "25006", // read-only: the server has become a standby
    "25P03", // a transaction was idle for too long
    "25P04", // a transaction took too long
    "26000", // a prepared statement is missing: a pooler shares the session
    "40",    // rolled back, except for deadlocks and serialization failures
    "42P05", // a prepared statement exists: a pooler shares the session
    "53",    // insufficient disk space, memory or connections
    "55000", // the server is recovering
    "55006", // the object is in use
    "55P03", // a lock was not free in time
    "57",    // cancelled, out of time, shutting down, starting
    "58",    // an I/O error, or a file is gone
    "72",    // a snapshot became too old
];

#[cfg(test)]
mod tests {
    use super::{ROLLED_BACK, UNAVAILABLE};

    #[test]
    fn what_the_server_cannot_do_now_is_no_fault_of_the_program() {
        let is_unavailable =
            |code: &str| UNAVAILABLE.iter().chain(&ROLLED_BACK).any(|class| code.starts_with(class));
        for code in [
            "08006", "25006", "25P03", "25P04", "40001", "40P01", "53100", "53300", "55000", "55P03",
            "57014", "57P01", "57P03", "57P05", "58030", "58P01", "72000",
        ] {
            assert!(is_unavailable(code), "{code}");
        }
        for code in [
            "22001", "23502", "23503", "23514", "25001", "25P02", "28P01", "42501", "42601", "42P01",
            "54000", "P0001", "XX000", "XX001",
        ] {
            assert!(!is_unavailable(code), "{code}");
        }
    }
}
