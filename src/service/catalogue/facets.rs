//! Facet counts.

use std::{collections::BTreeMap, sync::Arc};

use super::reads::read_long;
use crate::{
    catalogue::{Counts, Facet},
    domain::{Filter, Movie, MovieFormat},
    service::{App, Error, Viewer},
};

/// Facet counts. Each facet ignores its own filter, so its counts show what another choice would find.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// The number of movies that match the whole filter.
    pub movies: i64,
    /// By name of the format; like the others, without zero counts.
    pub movie_format: BTreeMap<&'static str, i64>,
    pub rating: BTreeMap<i64, i64>,
    pub release_year: BTreeMap<i64, i64>,
    /// By minutes.
    pub length: BTreeMap<i64, i64>,
}

impl Facets {
    /// Counts the given movies.
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

/// Counts the movies that match a filter.
pub async fn facets(app: &Arc<App>, viewer: &Viewer, filter: &Filter) -> Result<Facets, Error> {
    let filter = filter.clone();
    let counts = read_long(app, viewer, move |catalogue| catalogue.facet_counts(&filter)).await?;
    Ok(counts.into())
}
