//! Numbers and changes as people read them.

use crate::{
    documents::Change,
    domain::{Bounds, ChangeKind, Movie, Time},
};

/// With a comma between thousands.
pub fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.char_indices() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Minutes as hours and minutes.
pub fn duration(minutes: i64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes:02}"),
    }
}

/// A moment, to the minute.
pub fn moment(time: Time) -> String {
    let timestamp = jiff::Timestamp::from_millisecond(time.as_millis());
    timestamp.map_or_else(|_| time.to_string(), |time| time.strftime("%-d %b %Y, %H:%M UTC").to_string())
}

/// Minutes that are many, in the two largest units that they have: years of 365 days, days, hours, minutes.
pub fn long_duration(minutes: i64) -> String {
    let mut rest = minutes;
    let mut parts = Vec::new();
    for (unit, name) in [(525_600, "year"), (1440, "day"), (60, "hour"), (1, "minute")] {
        let count = rest / unit;
        rest %= unit;
        if count > 0 && parts.len() < 2 {
            parts.push(format!("{} {name}{}", grouped(count), if count == 1 { "" } else { "s" }));
        } else if !parts.is_empty() {
            break;
        }
    }
    if parts.is_empty() { "no time".to_owned() } else { parts.join(" and ") }
}

/// So many stars, in words.
pub fn stars(rating: i64) -> String {
    if rating == 1 { "1 star".to_owned() } else { format!("{rating} stars") }
}

/// A range, each end written by `one`; `up` is what an open end is called.
pub fn range(bounds: Bounds, up: &str, one: impl Fn(i64) -> String) -> String {
    match (bounds.min, bounds.max) {
        (Some(min), Some(max)) if min == max => one(min),
        (Some(min), Some(max)) => format!("{} to {}", one(min), one(max)),
        (Some(min), None) => format!("{} {up}", one(min)),
        (None, Some(max)) => format!("up to {}", one(max)),
        (None, None) => "any".to_owned(),
    }
}

/// So many films.
pub fn films(number: i64) -> String {
    if number == 1 { "1 film".to_owned() } else { format!("{} films", grouped(number)) }
}

/// A title within a sentence, whichever way it is written.
pub fn title(movie: &Movie) -> String {
    format!("“\u{2068}{}\u{2069}”", movie.attributes.title.as_str())
}

/// What a change did, without a full stop.
pub fn change(change: &Change) -> String {
    if let (1, [effect]) = (change.movies, change.effects.as_slice()) {
        return match (&effect.before, &effect.after, change.kind) {
            (None, Some(film), ChangeKind::Undo) => format!("Brought back {}", title(film)),
            (Some(film), None, ChangeKind::Undo) => format!("Took away {} again", title(film)),
            (_, Some(film), ChangeKind::Undo) => format!("{} is as it was", title(film)),
            (None, Some(film), _) => format!("Added {}", title(film)),
            (Some(film), None, _) => format!("Deleted {}", title(film)),
            (_, Some(film), _) => format!("Changed {}", title(film)),
            (None, None, _) => "Changed 1 film".to_owned(),
        };
    }
    let films = films(change.movies);
    match change.kind {
        ChangeKind::Create => format!("Added {films}"),
        ChangeKind::Update => format!("Changed {films}"),
        ChangeKind::Delete => format!("Deleted {films}"),
        ChangeKind::Import => format!("Imported {films}"),
        ChangeKind::Batch => format!("Changed {films} in one go"),
        ChangeKind::Undo => format!("Took back a change of {films}"),
        ChangeKind::Restore => format!("Restored {films}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_well() {
        assert_eq!(moment(Time::from_millis(1_795_464_900_123)), "23 Nov 2026, 20:15 UTC");
    }

    #[test]
    fn numbers_read_well() {
        let all = [0, 7, 999, 1000, 12_345, 1_000_000].map(grouped);
        assert_eq!(all, ["0", "7", "999", "1,000", "12,345", "1,000,000"]);
        let all = [0, 59, 60, 61, 170, 500].map(duration);
        assert_eq!(all, ["0 min", "59 min", "1 h", "1 h 01", "2 h 50", "8 h 20"]);
        let all = [0, 1, 60, 61, 1440, 1500, 1441, 9999, 525_600, 527_041, 5_000_000_000].map(long_duration);
        let expected = [
            "no time",
            "1 minute",
            "1 hour",
            "1 hour and 1 minute",
            "1 day",
            "1 day and 1 hour",
            "1 day",
            "6 days and 22 hours",
            "1 year",
            "1 year and 1 day",
            "9,512 years and 342 days",
        ];
        assert_eq!(all, expected);
        let time = Time::parse("2026-11-03T20:05:59.123Z").unwrap();
        assert_eq!(moment(time), "3 Nov 2026, 20:05 UTC");
        let bounds = |min, max| range(Bounds { min, max }, "and up", stars);
        assert_eq!(bounds(Some(4), None), "4 stars and up");
        assert_eq!(bounds(None, Some(1)), "up to 1 star");
        assert_eq!(bounds(Some(2), Some(3)), "2 stars to 3 stars");
        assert_eq!(bounds(Some(5), Some(5)), "5 stars");
    }
}
