//! How movies match a search.

use crate::domain::Movie;

/// How movies match a search.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Match {
    /// As it says, or there is no search.
    #[default]
    Exact,
    /// With typing errors forgiven, since none matches otherwise.
    Fuzzy,
}

impl Match {
    /// How movies match of which these were found with errors forgiven.
    pub(super) const fn of_near(movies: &[Movie]) -> Self {
        if movies.is_empty() { Self::Exact } else { Self::Fuzzy }
    }
}
