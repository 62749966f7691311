//! Formats field names, numbers, lengths, ratings and times for pages and the terminal.

use crate::domain::{Field, Time};

/// Returns the name of a field for people, which is also that of its option on the command line.
#[must_use]
pub const fn field(field: Field) -> &'static str {
    match field {
        Field::Title => "title",
        Field::MovieFormat => "format",
        Field::Length => "length",
        Field::ReleaseYear => "year",
        Field::Rating => "rating",
    }
}

/// Returns the name of a field for people, given its name in the API. Other names are returned unchanged.
#[must_use]
pub fn field_of_api(name: &str) -> &str {
    match Field::parse(name) {
        Ok(known) => field(known),
        Err(_) => name,
    }
}

/// Formats a number with thousands separators. Anything outside of `u64` becomes 0.
#[must_use]
pub fn number(n: impl TryInto<u64>) -> String {
    let digits = n.try_into().unwrap_or_default().to_string();
    let mut text = String::new();
    for (n, digit) in digits.char_indices() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a number with its noun: `1 film`, `1,200 films`.
#[must_use]
pub fn count(n: impl TryInto<u64>, noun: &str) -> String {
    let n = n.try_into().unwrap_or_default();
    format!("{} {noun}{}", number(n), if n == 1 { "" } else { "s" })
}

/// Formats a number of films.
#[must_use]
pub fn films(n: impl TryInto<u64>) -> String {
    count(n, "film")
}

/// Formats minutes as hours and minutes.
#[must_use]
pub fn length(minutes: i64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes:02}"),
    }
}

/// The word for an unknown value.
pub const UNKNOWN: &str = "unknown";

/// Formats the length of a film; 0 is unknown.
#[must_use]
pub fn film_length(minutes: i64) -> String {
    if minutes == 0 { UNKNOWN.to_owned() } else { length(minutes) }
}

/// Formats many minutes in their two largest units: years of 365 days, days, hours, minutes.
#[must_use]
pub fn long_length(minutes: i64) -> String {
    let mut rest = minutes;
    let mut parts = Vec::new();
    for (unit, name) in [(525_600, "year"), (1440, "day"), (60, "hour"), (1, "minute")] {
        let units = rest / unit;
        rest %= unit;
        if units > 0 && parts.len() < 2 {
            parts.push(count(units, name));
        } else if !parts.is_empty() {
            break;
        }
    }
    if parts.is_empty() { "no time".to_owned() } else { parts.join(" and ") }
}

/// Formats a rating as five full or empty stars.
#[must_use]
pub fn stars(rating: i64) -> &'static str {
    const ALL: [&str; 6] = ["☆☆☆☆☆", "★☆☆☆☆", "★★☆☆☆", "★★★☆☆", "★★★★☆", "★★★★★"];
    usize::try_from(rating).ok().and_then(|rating| ALL.get(rating)).unwrap_or(&ALL[0])
}

/// Formats a rating in words: `1 star`, `5 stars`.
#[must_use]
pub fn stars_in_words(rating: i64) -> String {
    count(rating, "star")
}

/// Formats a time in UTC to the minute, for pages, which do not know the user's time zone.
#[must_use]
pub fn moment_utc(time: Time) -> String {
    let timestamp = jiff::Timestamp::from_millisecond(time.as_millis());
    timestamp.map_or_else(|_| time.to_string(), |time| time.strftime("%-d %b %Y, %H:%M UTC").to_string())
}

/// Formats a time in the local time zone to the minute, with the zone, for a terminal.
#[must_use]
pub fn moment_local(time: Time) -> String {
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
    fn a_moment_reads_well() {
        assert_eq!(moment_utc(Time::from_millis(1_795_464_900_123)), "23 Nov 2026, 20:15 UTC");
        let time = Time::parse("2026-11-03T20:05:59.123Z").unwrap();
        assert_eq!(moment_utc(time), "3 Nov 2026, 20:05 UTC");
    }

    #[test]
    fn numbers_and_counts_read_well() {
        let all = [0, 7, 999, 1000, 12_345, 1_000_000, 1_234_567].map(number);
        assert_eq!(all, ["0", "7", "999", "1,000", "12,345", "1,000,000", "1,234,567"]);
        assert_eq!([0, 1, 2, 1200].map(films), ["0 films", "1 film", "2 films", "1,200 films"]);
    }

    #[test]
    fn lengths_read_well() {
        let all = [0, 59, 60, 61, 65, 170, 500].map(length);
        assert_eq!(all, ["0 min", "59 min", "1 h", "1 h 01", "1 h 05", "2 h 50", "8 h 20"]);
        assert_eq!([0, 1, 60].map(film_length), ["unknown", "1 min", "1 h"]);
        let all = [0, 1, 60, 61, 1440, 1500, 1441, 9999, 525_600, 527_041, 5_000_000_000].map(long_length);
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
    }

    #[test]
    fn ratings_are_stars() {
        assert_eq!([1, 5].map(stars), ["★☆☆☆☆", "★★★★★"]);
        assert_eq!([1, 2].map(stars_in_words), ["1 star", "2 stars"]);
    }
}
