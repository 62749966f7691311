//! The columns of movies, in the same order in all tables and queries.
//!
//! A new field of a movie needs SQL only here, in `checksum.rs` and in a migration.

use super::{DbError, Row, Value};
use crate::domain::{Attributes, Movie, MovieFormat, Time, Title};

/// The attribute columns, qualified by a table alias if one is given.
macro_rules! attributes {
    () => {
        "title, movie_format, length, release_year, rating"
    };
    ($table:literal) => {
        concat!(
            $table,
            ".title, ",
            $table,
            ".movie_format, ",
            $table,
            ".length, ",
            $table,
            ".release_year, ",
            $table,
            ".rating"
        )
    };
}

/// A NULL for each attribute column.
macro_rules! no_attributes {
    () => {
        "CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), CAST(NULL AS BIGINT)"
    };
}

/// The columns of a movie, for [`read`].
macro_rules! movie {
    () => {
        concat!("id, ", $crate::db::movie_columns::attributes!(), ", version, created_at, updated_at")
    };
}

/// The columns of a movie version, for [`read_version`].
macro_rules! version {
    () => {
        concat!(
            "movie_id, ",
            $crate::db::movie_columns::attributes!(),
            ", version, created_at, updated_at, change_id"
        )
    };
}

pub(super) use {attributes, movie, no_attributes, version};

/// The number of attribute columns.
pub(super) const ATTRIBUTES: usize = 5;
/// The number of columns of [`movie`].
pub(super) const MOVIE: usize = ATTRIBUTES + 4;

/// Iterates over the names of the attribute columns.
pub(super) fn attribute_names() -> impl Iterator<Item = &'static str> {
    attributes!().split(", ")
}

/// Returns the attributes as parameters.
pub(super) fn attribute_values(attributes: &Attributes) -> [Value<'_>; ATTRIBUTES] {
    let Attributes { title, movie_format, length, release_year, rating } = attributes;
    [
        title.as_str().into(),
        movie_format.as_str().into(),
        length.get().into(),
        release_year.get().into(),
        rating.get().into(),
    ]
}

/// Returns NULL for each attribute.
pub(super) fn no_attribute_values() -> [Value<'static>; ATTRIBUTES] {
    [Value::Text(None), Value::Text(None), Value::Number(None), Value::Number(None), Value::Number(None)]
}

/// Reads the attributes from the columns starting at `first`.
fn read_attributes(row: &Row<'_>, first: usize) -> Result<Attributes, DbError> {
    Ok(Attributes {
        title: row.parse(first, Title::parse_stored)?,
        movie_format: row.parse(first + 1, MovieFormat::parse)?,
        length: row.number(first + 2)?,
        release_year: row.number(first + 3)?,
        rating: row.number(first + 4)?,
    })
}

/// Reads a movie from the columns of [`movie`].
pub(super) fn read(row: &Row<'_>) -> Result<Movie, DbError> {
    read_from(row, 0)
}

/// Reads a movie from the columns of [`movie`], starting at `first`.
pub(super) fn read_from(row: &Row<'_>, first: usize) -> Result<Movie, DbError> {
    let behind = first + 1 + ATTRIBUTES;
    Ok(Movie {
        id: row.get(first)?,
        attributes: read_attributes(row, first + 1)?,
        version: row.get(behind)?,
        created_at: Time::from_millis(row.get(behind + 1)?),
        updated_at: Time::from_millis(row.get(behind + 2)?),
    })
}

/// Counts the NULLs among the attribute columns starting at `first`. A deletion has only NULLs.
pub(super) fn count_nulls(row: &Row<'_>, first: usize) -> Result<usize, DbError> {
    (first..first + ATTRIBUTES).try_fold(0, |nulls, column| Ok(nulls + usize::from(row.is_null(column)?)))
}
