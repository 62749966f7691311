//! Filters of films: the query and options that list, pick, stats and export share.

use clap::{Args, builder::Resettable};
use clap_complete::engine::ArgValueCompleter;

use super::{titles, values};
use crate::{
    cli::wrong_usage,
    domain::{Bounds, Filter, Invalid, MovieFormat},
};

/// Filters of films.
#[derive(Args, Default)]
#[command(next_help_heading = "Filters")]
pub struct Filters {
    /// Words of the title or their beginnings, ignoring case and accents
    #[arg(value_name = "QUERY", value_parser = word, help_heading = Resettable::Reset, add = ArgValueCompleter::new(titles::complete))]
    query: Vec<String>,
    /// Only this format; may be repeated to allow several
    #[arg(long, alias = "movie-format", value_name = "FORMAT", value_parser = values::format_option(), ignore_case = true)]
    format: Vec<MovieFormat>,
    /// Only this rating, or a range: 5, 4.., ..2, 2..4
    #[arg(long, value_name = "RANGE", value_parser = Bounds::of_rating)]
    rating: Option<Bounds>,
    /// Only this length, or a range: ..90, 2h.., 1h30..2h
    #[arg(long, value_name = "RANGE", value_parser = values::lengths)]
    length: Option<Bounds>,
    /// Only this release year, or a range: 1990..1999
    #[arg(long, alias = "release-year", value_name = "RANGE", value_parser = Bounds::of_release_year)]
    year: Option<Bounds>,
}

/// Query parameters of a list.
pub type Query = Vec<(&'static str, String)>;

impl Filters {
    /// Returns the words to search for.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.query
    }

    /// Converts the filters to query parameters.
    ///
    /// # Errors
    /// If the search is too long.
    pub fn query(&self) -> anyhow::Result<Query> {
        let words = self.query.join(" ");
        let search = if words.is_empty() { None } else { Some(checked(&words)?) };
        let ranges = [("rating", self.rating), ("length", self.length), ("releaseYear", self.year)];
        let formats = self.format.iter().map(|format| ("movieFormat", format.as_str().to_owned()));
        let ranges = ranges.into_iter().filter_map(|(name, range)| Some((name, spelled(range?))));
        Ok(search.into_iter().map(|words| ("q", words)).chain(formats).chain(ranges).collect())
    }
}

/// Checks that a word can be searched for.
pub fn word(text: &str) -> Result<String, Invalid> {
    Filter::default().search(text).map(|()| text.to_owned())
}

/// Checks that the words can be searched for together.
fn checked(words: &str) -> anyhow::Result<String> {
    word(words).map_err(|invalid| wrong_usage(&format!("QUERY {invalid}")))
}

fn spelled(range: Bounds) -> String {
    let end = |end: Option<i64>| end.map(|end| end.to_string()).unwrap_or_default();
    format!("{}..{}", end(range.min), end(range.max))
}
