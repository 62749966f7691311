//! What could be filtered by next, and how many movies it would leave.

use std::{collections::BTreeMap, sync::Arc};

use super::{App, Error, Viewer, tally};
use crate::domain::{Filter, Kind, Movie, Passes};

/// Counts of movies under each attribute. Those of an attribute pass all filters but its own, so that
/// they tell what another choice of it would find.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// How many movies pass the whole filter.
    pub movies: i64,
    /// By the format's name; like the others, without those of which there is no movie.
    pub movie_format: BTreeMap<&'static str, i64>,
    pub rating: BTreeMap<i64, i64>,
    pub release_year: BTreeMap<i64, i64>,
    /// By minutes.
    pub length: BTreeMap<i64, i64>,
}

impl Facets {
    /// The counts of these movies.
    #[must_use]
    pub fn of(movies: &[Movie]) -> Self {
        Self::under(&Filter::default(), movies.iter().map(|movie| (Kind::of(movie), 1)))
    }

    fn under(filter: &Filter, kinds: impl IntoIterator<Item = (Kind, i64)>) -> Self {
        let mut facets = Self::default();
        for (kind, movies) in kinds {
            let passes = filter.passes(&kind);
            let Passes { movie_format, length, release_year, rating } = passes;
            if passes.all() {
                facets.movies += movies;
            }
            if length && release_year && rating {
                *facets.movie_format.entry(kind.movie_format.as_str()).or_default() += movies;
            }
            if movie_format && release_year && rating {
                *facets.length.entry(kind.length.get()).or_default() += movies;
            }
            if movie_format && length && rating {
                *facets.release_year.entry(kind.release_year.get()).or_default() += movies;
            }
            if movie_format && length && release_year {
                *facets.rating.entry(kind.rating.get()).or_default() += movies;
            }
        }
        facets
    }
}

/// The counts under the filter.
///
/// # Errors
/// Those of the database.
pub async fn facets(app: &Arc<App>, _: &Viewer, filter: &Filter) -> Result<Facets, Error> {
    let kinds = tally::kinds(app, filter).await?;
    Ok(Facets::under(filter, kinds.iter().map(|(kind, movies)| (*kind, *movies))))
}
