//! Formats values for messages.

use crate::{
    domain::{Attributes, Field, Hint, Movie, PerField, Reason, reorders},
    format,
};

/// Removes terminal control characters, and what would turn the text around, from a foreign text.
#[must_use]
pub fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || reorders(c) { '\u{fffd}' } else { c }).collect()
}

/// Formats the reason of an error with options of the command line.
#[must_use]
pub fn with_options(reason: &Reason) -> String {
    shown(&reason.with_hints(option))
}

/// Formats an error of a server: its reason, or the detail if an older server gives no reason.
#[must_use]
pub fn reason_or(detail: &str, reason: &Reason) -> String {
    if reason.is_empty() { shown(detail) } else { with_options(reason) }
}

/// Formats an option, quoted for a shell.
fn option(Hint { option, value, .. }: &Hint) -> String {
    let name = match option.as_str() {
        "mapFormat" => "map-format",
        "ratingScale" => "rating-scale",
        other => other,
    };
    let value = match value.split_once(':') {
        Some((field, rest)) if name != "map-format" => format!("{}:{rest}", format::field_of_api(field)),
        _ => value.clone(),
    };
    let is_plain = value.chars().all(|c| c.is_alphanumeric() || matches!(c, ':' | '-' | '_' | '.'));
    let value = if is_plain { value } else { format!("'{}'", value.replace('\'', r"'\''")) };
    format!("--{name} {value}")
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
    use super::{option, shown};
    use crate::domain::Hint;

    #[test]
    fn what_would_command_the_terminal_is_not_written() {
        assert_eq!(shown("a\u{1b}[31mb\nc"), "a\u{fffd}[31mb\u{fffd}c");
        assert_eq!(shown("a\u{202e}b \u{200f}c"), "a\u{fffd}b \u{200f}c");
    }

    #[test]
    fn options_are_written_for_a_shell() {
        for (name, value, expected) in [
            ("mapFormat", "Blu-ray:DVD", "--map-format Blu-ray:DVD"),
            ("mapFormat", "4K UHD:DVD", "--map-format '4K UHD:DVD'"),
            ("default", "releaseYear:VALUE", "--default year:VALUE"),
            ("map", "FIELD:COLUMN", "--map FIELD:COLUMN"),
            ("map", "releaseYear:Year of it", "--map 'year:Year of it'"),
            ("map", "length:L'an", r"--map 'length:L'\''an'"),
            ("ratingScale", "10", "--rating-scale 10"),
        ] {
            let [name, value] = [name, value].map(str::to_owned);
            let hint = Hint { option: name, value, before: String::new(), after: String::new() };
            assert_eq!(option(&hint), expected);
        }
    }
}
