//! What can go wrong with a database, as far as the program makes a difference of it.

use std::sync::Arc;

/// An error of the database. Its text is for the log and the administrator, never for a client.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// The database cannot be reached, or is too busy to answer in time.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// A row that is to be unique is there already.
    #[error("there already: {0}")]
    Duplicate(String),
    /// The database cannot be used as it is, and why.
    #[error("{0}")]
    Refused(String),
    /// Anything else: a fault of the program or of the machine.
    #[error("the database failed: {}", whole(.0))]
    Failed(Arc<dyn std::error::Error + Send + Sync>),
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
                Self::Refused("the file is no SQLite database; nothing was changed".to_owned())
            }
            (_, Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY)) => {
                Self::Duplicate(error.to_string())
            }
            _ => Self::Failed(Arc::new(error)),
        }
    }
}

/// An error with what caused it, since drivers tell only half of it in their own words.
fn whole(error: &dyn std::error::Error) -> String {
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
        // Classes of PostgreSQL's appendix A: 08 connection, 40 rolled back, 53 resources,
        // 57P operator intervention, 25006 a server that has become a standby.
        let code = db.code().code();
        if *db.code() == SqlState::UNIQUE_VIOLATION {
            Self::Duplicate(db.to_string())
        } else if ["08", "40", "53", "57P", "25006"].iter().any(|class| code.starts_with(class)) {
            Self::Unavailable(db.to_string())
        } else {
            Self::Failed(Arc::new(error))
        }
    }
}

impl From<deadpool_postgres::PoolError> for DbError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        Self::Unavailable(whole(&error))
    }
}
