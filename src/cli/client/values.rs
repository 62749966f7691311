//! Values as people give them on the command line and at the terminal.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::domain::{Bounds, Invalid, Length, MovieFormat, Rating, ReleaseYear, Sort};

/// Reads a format, whatever its case.
pub fn format(text: &str) -> Result<MovieFormat, Invalid> {
    let known = MovieFormat::ALL.into_iter().find(|format| format.as_str().eq_ignore_ascii_case(text.trim()));
    known.map_or_else(|| MovieFormat::parse(text.trim()), Ok)
}

/// Reads a format as an option, with the three of them in the help and on completion.
pub fn format_option() -> impl TypedValueParser<Value = MovieFormat> {
    PossibleValuesParser::new(MovieFormat::ALL.map(MovieFormat::as_str)).try_map(|text| format(&text))
}

/// Reads a release year.
pub fn year(text: &str) -> Result<ReleaseYear, Invalid> {
    whole(text)?.try_into()
}

/// Reads a rating.
pub fn rating(text: &str) -> Result<Rating, Invalid> {
    whole(text)?.try_into()
}

fn whole(text: &str) -> Result<i64, Invalid> {
    text.trim().parse().map_err(|_| Invalid(format!("must be a whole number, got {text:?}")))
}

/// Reads a range of lengths, whose ends are written as people write lengths: `..2h`.
pub fn lengths(text: &str) -> Result<Bounds, Invalid> {
    let minutes = |end: &str| match end {
        "" => Ok(String::new()),
        end => length(end).map(|length| length.get().to_string()),
    };
    match text.split_once("..") {
        None => Bounds::of_length(&minutes(text)?),
        Some((least, most)) => Bounds::of_length(&format!("{}..{}", minutes(least)?, minutes(most)?)),
    }
}

/// Reads what a list is sorted by; `year` and `format` stand for the fields, as in the options.
pub fn sort(text: &str) -> Result<String, Invalid> {
    let keys = text.split(',').map(|key| match key.strip_prefix('-').unwrap_or(key) {
        "year" => key.replace("year", "releaseYear"),
        "format" => key.replace("format", "movieFormat"),
        _ => key.to_owned(),
    });
    let sort = keys.collect::<Vec<_>>().join(",");
    Sort::parse(&sort).map(|_| sort)
}

/// Reads how many lines of a list are wanted.
pub fn limit(text: &str) -> Result<usize, Invalid> {
    match text.parse() {
        Ok(limit @ 1..) => Ok(limit),
        _ => Err(Invalid(format!("must be a whole number from 1, got {text:?}"))),
    }
}

/// Reads a length as people write it, to the minute.
pub fn length(text: &str) -> Result<Length, Invalid> {
    Length::parse(text).map(|(length, _)| length)
}
