//! How movies match a search.

use crate::domain::Movie;

/// How movies match a search.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Match {
    /// Exactly, or there is no search.
    #[default]
    Exact,
    /// By fuzzy search, since nothing matches exactly.
    Fuzzy,
}

impl Match {
    /// Returns the kind of match, given the result of a fuzzy search.
    pub(in crate::service) const fn of_fuzzy(movies: &[Movie]) -> Self {
        if movies.is_empty() { Self::Exact } else { Self::Fuzzy }
    }
}
