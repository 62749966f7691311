//! What could be filtered by next, and how many movies it would leave.

use std::{collections::BTreeMap, sync::Arc};

use super::{App, Error, Viewer, tally};
use crate::domain::{Filter, Kind, Movie, MovieFormat};

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
        let mut all = 0;
        let mut movie_format = [0; MovieFormat::ALL.len()];
        let [mut rating, mut release_year, mut length] = [const { ByNumber(Vec::new()) }; 3];
        for (kind, movies) in kinds {
            let passes = filter.passes(&kind);
            if passes.all() {
                all += movies;
            }
            if passes.length && passes.release_year && passes.rating {
                movie_format[kind.movie_format as usize] += movies;
            }
            if passes.movie_format && passes.release_year && passes.rating {
                length.add(kind.length.get(), movies);
            }
            if passes.movie_format && passes.length && passes.rating {
                release_year.add(kind.release_year.get(), movies);
            }
            if passes.movie_format && passes.length && passes.release_year {
                rating.add(kind.rating.get(), movies);
            }
        }
        let formats = MovieFormat::ALL.map(MovieFormat::as_str).into_iter().zip(movie_format);
        Self {
            movies: all,
            movie_format: formats.filter(|(_, movies)| *movies > 0).collect(),
            rating: rating.counted(),
            release_year: release_year.counted(),
            length: length.counted(),
        }
    }
}

/// Counts under whole numbers from 0 on: a collection has films of many thousand kinds, and to find the count of
/// each in a tree takes most of the time.
struct ByNumber(Vec<i64>);

impl ByNumber {
    fn add(&mut self, number: i64, movies: i64) {
        let place = usize::try_from(number).unwrap_or_default();
        if place >= self.0.len() {
            self.0.resize(place + 1, 0);
        }
        self.0[place] += movies;
    }

    fn counted(self) -> BTreeMap<i64, i64> {
        (0..).zip(self.0).filter(|(_, movies)| *movies > 0).collect()
    }
}

/// The counts under the filter.
///
/// # Errors
/// Those of the database.
pub async fn facets(app: &Arc<App>, viewer: &Viewer, filter: &Filter) -> Result<Facets, Error> {
    let _permit = app.searches.permit(viewer, filter).await?;
    let kinds = tally::kinds(app, filter).await?;
    Ok(Facets::under(filter, kinds.iter().map(|(kind, movies)| (*kind, *movies))))
}
