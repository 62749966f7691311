//! Which films are meant: the options that list, pick, statistics and export have in common.

use clap::Args;

use super::values;
use crate::domain::{Bounds, MovieFormat};

/// The filters.
#[derive(Args, Default)]
#[command(next_help_heading = "Filters")]
pub struct Filters {
    /// Only this format; may be repeated for either of several
    #[arg(long, value_name = "FORMAT", value_parser = values::format_option(), ignore_case = true)]
    format: Vec<MovieFormat>,
    /// Only this rating, or a range: 5, 4.., ..2, 2..4
    #[arg(long, value_name = "RANGE", value_parser = Bounds::of_rating)]
    rating: Option<Bounds>,
    /// Only this length, or a range: ..90, 2h.., 1h30..2h
    #[arg(long, value_name = "RANGE", value_parser = values::lengths)]
    length: Option<Bounds>,
    /// Only this release year, or a range: 1990..1999
    #[arg(long, value_name = "RANGE", value_parser = Bounds::of_release_year)]
    year: Option<Bounds>,
}

/// The query of a list, name by name.
pub type Query = Vec<(&'static str, String)>;

impl Filters {
    /// The filters as a query.
    #[must_use]
    pub fn query(&self) -> Query {
        let ranges = [("rating", self.rating), ("length", self.length), ("releaseYear", self.year)];
        let formats = self.format.iter().map(|format| ("movieFormat", format.as_str().to_owned()));
        formats.chain(ranges.into_iter().filter_map(|(name, range)| Some((name, spelled(range?))))).collect()
    }
}

fn spelled(range: Bounds) -> String {
    let end = |end: Option<i64>| end.map(|end| end.to_string()).unwrap_or_default();
    format!("{}..{}", end(range.min), end(range.max))
}
