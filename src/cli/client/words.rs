//! Formats values for messages.

use crate::{
    domain::{Attributes, Movie, reorders},
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
    let fields = [
        ("title", before.title.as_str().to_owned(), after.title.as_str().to_owned()),
        ("format", before.movie_format.as_str().to_owned(), after.movie_format.as_str().to_owned()),
        ("length", format::film_length(before.length.get()), format::film_length(after.length.get())),
        ("year", before.release_year.get().to_string(), after.release_year.get().to_string()),
        ("rating", before.rating.get().to_string(), after.rating.get().to_string()),
    ];
    let changed = fields.into_iter().filter(|(_, before, after)| before != after);
    changed.map(|(name, before, after)| format!("{name} {before} → {after}")).collect::<Vec<_>>().join(", ")
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
