//! MovieLens: `movies.csv`, with a column `rating` where `ratings.csv` was put beside it.

use super::{Layout, Scale, Source, Titles, Years};

pub(crate) const MOVIELENS: Layout = Layout {
    source: Source::Movielens,
    known_by: &[&["movieId", "title", "genres"]],
    preamble: None,
    columns: [&["title"], &[], &[], &[], &["rating"]],
    titles: Titles::ShelvedTwice,
    years: Years::Numbers,
    ratings: Some(Scale { least: 0.5, most: 5.0, zero_is_none: false }),
    kinds: None,
};
