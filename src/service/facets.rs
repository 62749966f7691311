//! What could be filtered by next, and how many movies it would leave.

use std::{collections::BTreeMap, sync::Arc};

use super::{App, Error, Viewer};
use crate::{
    db::movies as db,
    domain::{Bounds, Filter, KeyValue, Movie, SortKey},
};

/// Counts of movies under each attribute. Those of an attribute pass all filters but its own, so that
/// they tell what another choice of it would find.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// How many movies pass the whole filter.
    pub movies: i64,
    /// By the format's name; like the others, without those of which there is no movie.
    pub movie_format: BTreeMap<String, i64>,
    pub rating: BTreeMap<i64, i64>,
    pub release_year: BTreeMap<i64, i64>,
    /// By minutes.
    pub length: BTreeMap<i64, i64>,
}

impl Facets {
    /// The counts of these movies.
    #[must_use]
    pub fn of(movies: &[Movie]) -> Self {
        let mut facets = Self::default();
        for movie in movies {
            let a = &movie.attributes;
            facets.movies += 1;
            *facets.movie_format.entry(a.movie_format.as_str().to_owned()).or_default() += 1;
            *facets.rating.entry(a.rating.get()).or_default() += 1;
            *facets.release_year.entry(a.release_year.get()).or_default() += 1;
            *facets.length.entry(a.length.get()).or_default() += 1;
        }
        facets
    }
}

/// The counts under the filter.
///
/// # Errors
/// Those of the database.
pub async fn facets(app: &Arc<App>, _: &Viewer, filter: Filter) -> Result<Facets, Error> {
    let shared = app.clone();
    app.db.long(async move { count(&shared, filter).await }).await
}

async fn count(app: &App, filter: Filter) -> Result<Facets, Error> {
    let conn = &mut app.db.read().await?;
    let mut facets = Facets { movies: db::count(conn, &filter).await?, ..Facets::default() };
    let any_format = Filter { movie_formats: Vec::new(), ..filter.clone() };
    for (value, movies) in db::counts_by(conn, SortKey::MovieFormat, &any_format).await? {
        if let KeyValue::Text(format) = value {
            facets.movie_format.insert(format, movies);
        }
    }
    let any = Bounds::default();
    for (key, counts, others) in [
        (SortKey::Rating, &mut facets.rating, Filter { rating: any, ..filter.clone() }),
        (SortKey::ReleaseYear, &mut facets.release_year, Filter { release_year: any, ..filter.clone() }),
        (SortKey::Length, &mut facets.length, Filter { length: any, ..filter.clone() }),
    ] {
        for (value, movies) in db::counts_by(conn, key, &others).await? {
            if let KeyValue::Number(number) = value {
                counts.insert(number, movies);
            }
        }
    }
    Ok(facets)
}
