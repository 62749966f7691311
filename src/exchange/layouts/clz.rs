//! CLZ Movies, with the columns that the user has chosen.

use super::{Layout, Scale, Titles, Years};
use crate::{documents::Source, domain::PerField};

pub(crate) const CLZ: Layout = Layout {
    source: Source::Clz,
    known_by: &[
        &["Title", "Movie Release Year"],
        &["Title", "My Rating"],
        &["Title", "Running Time", "Format"],
        &["Title", "Release Date", "Format"],
        &["Title", "Release Date", "Running Time"],
    ],
    list: None,
    // If there is a column for the movie's year, `Release Date` is that of the disc.
    columns: PerField {
        title: &["Title"],
        movie_format: &["Format"],
        length: &["Running Time"],
        release_year: &["Movie Release Year", "Movie Release Date", "Release Date"],
        rating: &["My Rating"],
    },
    titles: Titles::Shelved,
    years: Years::Dates,
    ratings: Some(Scale { least: 1.0, most: 10.0, zero_is_none: true }),
    kinds: None,
};
