//! Why an operation was not done.

use crate::{
    db::{DbError, WriteError},
    domain::{ChangeId, Invalid, Place, Violation},
    exchange::Report,
};

/// Why an operation was not done; one place in `http` makes status codes of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// What was sent breaks rules.
    #[error("{}", in_words(.0))]
    Invalid(Vec<Violation>),
    /// The movie has moved on since the version that was named.
    #[error("the movie has version {current} now")]
    PreconditionFailed { current: i64 },
    /// An operation of a batch, at a place from 0, cannot be done, and so none was.
    #[error("operation {place} cannot be done: {why}")]
    Operation { place: usize, why: Box<Error> },
    /// What was asked for goes against the present state.
    #[error("{0}")]
    Conflict(String),
    /// A change cannot be taken back: it was already, or other changes conflict.
    #[error("{}", why_not_undone(*.undone, .changes))]
    UndoConflict { undone: bool, changes: Vec<ChangeId> },
    /// The key of a write was sent with another one before.
    #[error("the Idempotency-Key was sent with another request within the last 24 hours; take a new one")]
    KeyReused,
    /// Nobody is signed in, or not with what was sent.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// Whoever is signed in may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// Too many wrong passwords; the seconds until the next may be tried.
    #[error("too many failed sign-ins; try again in {retry_after} seconds")]
    TooManyAttempts { retry_after: u64 },
    /// Too many sign-ins are being checked or wait for it.
    #[error("too many sign-ins at this moment; try again in a few seconds")]
    Overloaded,
    /// An import of which, for its errors, nothing was stored.
    #[error("{} of {} rows could not be taken; nothing was stored", .0.failed, .0.read)]
    ImportAborted(Box<Report>),
    /// The file cannot be imported at all.
    #[error("{0}")]
    UnreadableFile(String),
    /// The service cannot do its work at the moment.
    #[error("{0}")]
    NotReady(String),
    /// The database did not do its part.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A fault of the program or of the machine.
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

/// Violations in words for the console: each with the name of what breaks the rule.
fn in_words(violations: &[Violation]) -> String {
    let words = violations.iter().map(|violation| {
        let (Place::Pointer(place) | Place::Parameter(place)) = &violation.place;
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
    /// One violation in the body.
    #[must_use]
    pub fn invalid(pointer: &str, rule: Invalid) -> Self {
        Self::Invalid(vec![Violation::at(pointer, rule)])
    }
}
