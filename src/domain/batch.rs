//! A batch: many operations on the collection that are done as one change, or not at all.

use super::{Attributes, MoviePatch};

/// One operation of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Adds a movie.
    Create(Attributes),
    /// Changes a movie, of which the version may be named that is to be changed.
    Update { id: i64, version: Option<i64>, changes: MoviePatch },
    /// Removes a movie, of which the version may be named that is to be removed.
    Delete { id: i64, version: Option<i64> },
}

impl Operation {
    /// The movie that is to be there.
    #[must_use]
    pub const fn target(&self) -> Option<i64> {
        match self {
            Self::Create(_) => None,
            Self::Update { id, .. } | Self::Delete { id, .. } => Some(*id),
        }
    }
}
