//! CLZ Movies, with the columns that were chosen.

use super::{Layout, Scale, Source, Titles, Years};

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
    // `Release Date` is the disc's where there is a year of the movie.
    columns: [
        &["Title"],
        &["Format"],
        &["Running Time"],
        &["Movie Release Year", "Movie Release Date", "Release Date"],
        &["My Rating"],
    ],
    titles: Titles::Shelved,
    years: Years::Dates,
    ratings: Some(Scale { least: 1.0, most: 10.0, zero_is_none: true }),
    kinds: None,
};
