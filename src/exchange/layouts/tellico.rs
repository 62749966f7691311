//! Tellico: a video collection, with the columns that the user has chosen. `Format` is NTSC, PAL or SECAM.

use super::{Layout, Scale, Titles, Years};
use crate::{documents::Source, domain::PerField};

pub(crate) const TELLICO: Layout = Layout {
    source: Source::Tellico,
    known_by: &[
        &["Title", "Medium", "Production Year"],
        &["Title", "Medium", "Running Time"],
        &["Title", "Medium", "Personal Rating"],
    ],
    list: None,
    columns: PerField {
        title: &["Title"],
        movie_format: &["Medium"],
        length: &["Running Time"],
        release_year: &["Production Year"],
        rating: &["Personal Rating"],
    },
    titles: Titles::Shelved,
    years: Years::Numbers,
    ratings: Some(Scale { least: 1.0, most: 5.0, zero_is_none: true }),
    kinds: None,
};
