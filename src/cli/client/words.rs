//! Formats values for messages.

use crate::{
    domain::{Attributes, Field, Movie, PerField, reorders},
    format,
};

/// Removes terminal control characters, and what would turn the text around, from a foreign text.
#[must_use]
pub fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || reorders(c) { '\u{fffd}' } else { c }).collect()
}

/// Formats a film within a sentence.
#[must_use]
pub fn named(movie: &Movie) -> String {
    let Attributes { title, movie_format, release_year, .. } = &movie.attributes;
    format!("{} {} ({}, {})", movie.id, title.as_str(), release_year.get(), movie_format.as_str())
}

/// Formats the changed fields of a film: `rating 4 → 5`.
#[must_use]
pub fn differences(before: &Attributes, after: &Attributes) -> String {
    let (before, after) = (values(before), values(after));
    let changed = Field::ALL.into_iter().filter(|field| before[*field] != after[*field]);
    let change = |field: Field| format!("{} {} → {}", format::field(field), before[field], after[field]);
    changed.map(change).collect::<Vec<_>>().join(", ")
}

fn values(film: &Attributes) -> PerField<String> {
    PerField {
        title: film.title.as_str().to_owned(),
        movie_format: film.movie_format.as_str().to_owned(),
        length: format::film_length(film.length.get()),
        release_year: film.release_year.get().to_string(),
        rating: film.rating.get().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn what_would_command_the_terminal_is_not_written() {
        assert_eq!(shown("a\u{1b}[31mb\nc"), "a\u{fffd}[31mb\u{fffd}c");
        assert_eq!(shown("a\u{202e}b \u{200f}c"), "a\u{fffd}b \u{200f}c");
    }
}
