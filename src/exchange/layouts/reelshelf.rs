//! Our own export layout, which is exact, and spreadsheets of people who name their columns.

use super::{Layout, Scale, Titles, Years};
use crate::{documents::Source, domain::PerField};

pub(crate) const REELSHELF: Layout = Layout {
    source: Source::Reelshelf,
    known_by: &[&["movieFormat"], &["releaseYear"]],
    list: None,
    columns: PerField {
        title: &["title"],
        movie_format: &["movieFormat"],
        length: &["length"],
        release_year: &["releaseYear"],
        rating: &["rating"],
    },
    titles: Titles::AsIs,
    years: Years::Numbers,
    ratings: None,
    kinds: None,
};

/// The ratings of spreadsheets, whose best is 5 unless an option names another.
pub(crate) const SPREADSHEET_RATINGS: Scale = Scale { least: 0.5, most: 5.0, zero_is_none: false };

pub(crate) const SPREADSHEET: Layout =
    Layout { known_by: &[], ratings: Some(SPREADSHEET_RATINGS), ..REELSHELF };
