//! Queries for lists.

use super::{Cursor, Filter, Limit, Sort};

/// A query for a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    pub filter: Filter,
    /// `None` for the default: by title, or fuzzy matches by score.
    pub sort: Option<Sort>,
    pub default_sort: Sort,
    /// The page size, or `None` for the whole list.
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// Whether to count all matching movies.
    pub total: bool,
}

impl ListQuery {
    /// Returns the requested order, or the default.
    #[must_use]
    pub fn order(&self) -> Sort {
        self.sort.as_ref().unwrap_or(&self.default_sort).clone()
    }
}
