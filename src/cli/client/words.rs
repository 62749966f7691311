//! How values are told to people.

use crate::domain::{Attributes, Length, Movie, Rating, Time};

/// A text that others wrote, without what would command the terminal.
#[must_use]
pub fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A number with its thousands set apart.
#[must_use]
pub fn number(n: impl TryInto<u64>) -> String {
    let digits = n.try_into().unwrap_or_default().to_string();
    let first = digits.len() % 3;
    let (head, rest) = digits.split_at(if first == 0 { digits.len().min(3) } else { first });
    rest.as_bytes()
        .chunks(3)
        .fold(head.to_owned(), |text, group| text + "," + std::str::from_utf8(group).unwrap_or_default())
}

/// So many films, changes, rows.
#[must_use]
pub fn count(n: impl TryInto<u64>, noun: &str) -> String {
    let n = n.try_into().unwrap_or_default();
    format!("{} {noun}{}", number(n), if n == 1 { "" } else { "s" })
}

/// A length in hours and minutes.
#[must_use]
pub fn length(length: Length) -> String {
    match (length.get() / 60, length.get() % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes:02}"),
    }
}

/// A rating as stars of five.
#[must_use]
pub fn stars(rating: Rating) -> String {
    (Rating::MIN..=Rating::MAX).map(|star| if star <= rating.get() { '★' } else { '☆' }).collect()
}

/// A film as it is told of in a sentence.
#[must_use]
pub fn named(movie: &Movie) -> String {
    let Attributes { title, movie_format, release_year, .. } = &movie.attributes;
    format!("{} {} ({}, {})", movie.id, title.as_str(), release_year.get(), movie_format.as_str())
}

/// The fields of a film that change: `rating 4 → 5`.
#[must_use]
pub fn differences(before: &Attributes, after: &Attributes) -> String {
    let fields = [
        ("title", before.title.as_str().to_owned(), after.title.as_str().to_owned()),
        ("format", before.movie_format.as_str().to_owned(), after.movie_format.as_str().to_owned()),
        ("length", length(before.length), length(after.length)),
        ("year", before.release_year.get().to_string(), after.release_year.get().to_string()),
        ("rating", before.rating.get().to_string(), after.rating.get().to_string()),
    ];
    let changed = fields.into_iter().filter(|(_, before, after)| before != after);
    changed.map(|(name, before, after)| format!("{name} {before} → {after}")).collect::<Vec<_>>().join(", ")
}

/// A moment in the time zone of this machine, to the minute, with the zone.
#[must_use]
pub fn moment(time: Time) -> String {
    let zone = jiff::tz::TimeZone::system();
    jiff::Timestamp::from_millisecond(time.as_millis()).map_or_else(
        |_| time.to_string(),
        |at| at.to_zoned_datetime(zone).strftime("%Y-%m-%d %H:%M %Z").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_as_people_write_them() {
        for (minutes, text) in
            [(0, "0 min"), (59, "59 min"), (60, "1 h"), (65, "1 h 05"), (170, "2 h 50"), (500, "8 h 20")]
        {
            assert_eq!(length(minutes.try_into().unwrap()), text);
        }
        assert_eq!(stars(1.try_into().unwrap()), "★☆☆☆☆");
        assert_eq!(stars(5.try_into().unwrap()), "★★★★★");
        for (n, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (12_345, "12,345"), (1_234_567, "1,234,567")]
        {
            assert_eq!(number(n), text);
        }
        assert_eq!([count(0, "film"), count(1, "film"), count(2, "film")], ["0 films", "1 film", "2 films"]);
        assert_eq!(shown("a\u{1b}[31mb\nc"), "a\u{fffd}[31mb\u{fffd}c");
    }
}
