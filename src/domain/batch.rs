//! Batches: several operations that succeed or fail together, as one change.

use super::{Attributes, MovieId, MoviePatch};

/// One operation of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Creates a movie.
    Create(Attributes),
    /// Updates a movie, if it has the given version.
    Update { id: MovieId, version: Option<i64>, changes: MoviePatch },
    /// Deletes a movie, if it has the given version.
    Delete { id: MovieId, version: Option<i64> },
}

impl Operation {
    /// Returns the existing movie that the operation refers to.
    #[must_use]
    pub const fn target(&self) -> Option<MovieId> {
        match self {
            Self::Create(_) => None,
            Self::Update { id, .. } | Self::Delete { id, .. } => Some(*id),
        }
    }
}
