//! A batch: many operations on the collection that are done as one change, or not at all.

use super::{Attributes, MovieId, MoviePatch};

/// One operation of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Adds a movie.
    Create(Attributes),
    /// Changes a movie, of which the version may be named that is to be changed.
    Update { id: MovieId, version: Option<i64>, changes: MoviePatch },
    /// Removes a movie, of which the version may be named that is to be removed.
    Delete { id: MovieId, version: Option<i64> },
}

impl Operation {
    /// The movie that is to be there.
    #[must_use]
    pub const fn target(&self) -> Option<MovieId> {
        match self {
            Self::Create(_) => None,
            Self::Update { id, .. } | Self::Delete { id, .. } => Some(*id),
        }
    }
}
