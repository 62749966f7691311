//! What could be filtered by next, and how many movies it would leave.

use std::{collections::BTreeMap, sync::Arc};

use super::{App, Error, Viewer, catalogue};
use crate::{
    catalogue::{Counts, Facet},
    domain::{Filter, Movie, MovieFormat},
};

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
        Counts::of(movies.iter()).into()
    }
}

impl From<Counts> for Facets {
    fn from(counts: Counts) -> Self {
        let counted = |facet| counts.by_value(facet).filter(|(_, movies)| *movies > 0).collect();
        let formats = MovieFormat::ALL.into_iter().zip(counts.by_value(Facet::MovieFormat));
        Self {
            movies: counts.movies,
            movie_format: formats
                .filter(|(_, (_, movies))| *movies > 0)
                .map(|(format, (_, movies))| (format.as_str(), movies))
                .collect(),
            rating: counted(Facet::Rating),
            release_year: counted(Facet::ReleaseYear),
            length: counted(Facet::Length),
        }
    }
}

/// The counts under the filter.
pub async fn facets(app: &Arc<App>, viewer: &Viewer, filter: &Filter) -> Result<Facets, Error> {
    let filter = filter.clone();
    let counts = catalogue::read_long(app, viewer, move |catalogue| catalogue.facet_counts(&filter)).await?;
    Ok(counts.into())
}
