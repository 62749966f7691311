//! Letterboxd: `watched.csv`, `ratings.csv`, `diary.csv`, `reviews.csv`, `watchlist.csv`, and lists, whose
//! header stands below a description of the list.

use super::{Layout, Scale, Source, Titles, Years};

pub(crate) const LETTERBOXD: Layout = Layout {
    source: Source::Letterboxd,
    known_by: &[&["Name", "Year", "Letterboxd URI"], &["Position", "Name", "Year", "URL"]],
    preamble: Some("Letterboxd list export"),
    columns: [&["Name"], &[], &[], &["Year"], &["Rating"]],
    titles: Titles::Loose,
    years: Years::Numbers,
    ratings: Some(Scale { least: 0.5, most: 5.0, zero_is_none: false }),
    kinds: None,
};
