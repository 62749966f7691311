//! Errors of operations.

use crate::{
    db::{DbError, WriteError},
    documents::Report,
    domain::{ChangeId, Invalid, Place, Violation},
    format::{count, number},
};

/// Why an operation failed. `http::problem` maps it to a status code.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The resource does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The request violates rules.
    #[error("{}", in_words(.0))]
    Invalid(Vec<Violation>),
    /// The movie has another version than the precondition requires.
    #[error("the movie has version {current} now")]
    PreconditionFailed { current: i64 },
    /// An operation of a batch failed (index from 0), so nothing was changed.
    #[error("operation {place} cannot be done: {cause}")]
    Operation { place: usize, cause: Box<Error> },
    /// The request conflicts with the current state.
    #[error("{0}")]
    Conflict(String),
    /// The change cannot be undone: it was undone already, or later changes conflict.
    #[error("{}", why_not_undone(*.undone, .changes))]
    UndoConflict { undone: bool, changes: Vec<ChangeId> },
    /// The idempotency key was used with another request.
    #[error("the Idempotency-Key was sent with another request within the last 24 hours; take a new one")]
    KeyReused,
    /// The credentials are missing or wrong.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The user lacks the permission.
    #[error("{0}")]
    Forbidden(String),
    /// Too many failed sign-ins; retry after this number of seconds.
    #[error("too many failed sign-ins; try again in {}", count(*retry_after, "second"))]
    TooManyAttempts { retry_after: u64 },
    /// Too many passwords are being verified or wait for it.
    #[error("too many sign-ins at this moment; try again in a few seconds")]
    Overloaded,
    /// The import was aborted because of invalid rows; nothing was stored.
    #[error("{} of {} rejected; nothing was stored", number(.0.failed), count(.0.read, "row"))]
    ImportAborted(Box<Report>),
    /// The file cannot be imported at all.
    #[error(transparent)]
    UnreadableFile(Invalid),
    /// The service is not ready.
    #[error("{0}")]
    NotReady(String),
    /// A database error.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A fault of the program or the machine.
    #[error("{0}")]
    Failed(String),
}

fn why_not_undone(undone: bool, changes: &[ChangeId]) -> String {
    let named = changes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if undone {
        format!("the change was undone by change {named}")
    } else {
        format!("later changes of the same movies conflict: {named}; undo them first")
    }
}

/// Formats violations for the console, each with the name of the field.
fn in_words(violations: &[Violation]) -> String {
    let words = violations.iter().map(|violation| {
        let (Place::Field(place) | Place::Option(place)) = &violation.place;
        format!("{} {}", place.trim_start_matches('/'), violation.detail)
    });
    words.collect::<Vec<_>>().join("; ")
}

impl WriteError for Error {
    fn is_rolled_back(&self) -> bool {
        matches!(self, Self::Db(error) if error.is_rolled_back())
    }
}

impl Error {
    /// Creates a violation in a field.
    #[must_use]
    pub fn invalid(field: &str, rule: Invalid) -> Self {
        Self::Invalid(vec![Violation::at(field, rule)])
    }
}
