//! Facet keys: the facet values that filters match, and statistics count.

use crate::domain::{Length, Movie, MovieFormat, Rating, ReleaseYear};

/// The facet values of a movie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FacetKey {
    pub movie_format: MovieFormat,
    pub length: Length,
    pub release_year: ReleaseYear,
    pub rating: Rating,
}

impl FacetKey {
    /// Returns the facet values of a movie.
    #[must_use]
    pub const fn of(movie: &Movie) -> Self {
        let a = &movie.attributes;
        Self {
            movie_format: a.movie_format,
            length: a.length,
            release_year: a.release_year,
            rating: a.rating,
        }
    }
}

/// The filters that a movie matches, except the search.
#[expect(clippy::struct_excessive_bools, reason = "each answers for a filter of its own")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterMatches {
    pub movie_format: bool,
    pub length: bool,
    pub release_year: bool,
    pub rating: bool,
}

impl FilterMatches {
    /// Returns whether all filters match.
    #[must_use]
    pub const fn all(self) -> bool {
        self.movie_format && self.length && self.release_year && self.rating
    }
}
