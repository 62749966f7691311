//! MovieLens: `movies.csv` of a data set, with a column `rating` if `ratings.csv` was joined; and the ratings
//! and lists of an account.

use super::{Layout, Scale, Titles, Years};
use crate::{documents::Source, domain::PerField};

pub(crate) const MOVIELENS: Layout = Layout {
    source: Source::Movielens,
    known_by: &[
        &["movieId", "title"],
        &["movie_id", "title", "imdb_id"],
        &["movie_id", "title", "tmdb_id"],
        &["movie_id", "title", "average_rating"],
    ],
    list: None,
    columns: PerField {
        title: &["title"],
        movie_format: &[],
        length: &[],
        release_year: &[],
        rating: &["rating"],
    },
    titles: Titles::ShelvedTwice,
    years: Years::Numbers,
    ratings: Some(Scale { least: 0.5, most: 5.0, zero_is_none: true }),
    kinds: None,
};
