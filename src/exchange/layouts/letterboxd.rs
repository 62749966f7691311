//! Letterboxd: `watched.csv`, `ratings.csv`, `diary.csv`, `reviews.csv`, `watchlist.csv`, lists (with a
//! description above the header), and files that other services write for Letterboxd's import.

use super::{Layout, List, Scale, Titles, Years};
use crate::{documents::Source, domain::PerField};

pub(crate) const LETTERBOXD: Layout = Layout {
    source: Source::Letterboxd,
    known_by: &[&["Name", "Year", "Letterboxd URI"], &["Position", "Name", "Year", "URL"]],
    list: Some(List {
        first_line: "Letterboxd list export", // older lists lack it
        described_by: &["Date", "Name", "Tags", "URL"],
        films: &["Position", "Name"],
    }),
    columns: PerField {
        title: &["Name"],
        movie_format: &[],
        length: &[],
        release_year: &["Year"],
        rating: &["Rating"],
    },
    titles: Titles::Loose,
    years: Years::Numbers,
    ratings: Some(Scale { least: 0.5, most: 5.0, zero_is_none: true }),
    kinds: None,
};

/// Letterboxd's import format, with ratings of five stars.
pub(crate) const FIVE_STARS: Layout = Layout {
    known_by: &[
        &["Title", "Year", "WatchedDate"],
        &["Title", "Year", "LetterboxdURI"],
        &["Title", "tmdbID"],
        &["Title", "imdbID"],
    ],
    list: None,
    columns: PerField {
        title: &["Title"],
        movie_format: &[],
        length: &[],
        release_year: &["Year"],
        rating: &["Rating"],
    },
    ..LETTERBOXD
};

/// Letterboxd's import format, with ratings of ten points.
pub(crate) const TEN_POINTS: Layout = Layout {
    known_by: &[&["Title", "Rating10"]],
    columns: PerField {
        title: &["Title"],
        movie_format: &[],
        length: &[],
        release_year: &["Year"],
        rating: &["Rating10"],
    },
    ratings: Some(Scale { least: 1.0, most: 10.0, zero_is_none: true }),
    ..FIVE_STARS
};
