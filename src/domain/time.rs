//! A moment, to the millisecond.

use serde::{Deserialize, Serialize};

use super::Invalid;

/// A moment in UTC, in whole milliseconds; written as RFC 3339 with three decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// The present, from the system's clock.
    #[must_use]
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_millisecond())
    }

    /// From milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This moment and so many milliseconds more.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Reads RFC 3339.
    ///
    /// # Errors
    /// What is no RFC 3339 date and time, or lies outside the years -9999 to 9999.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        text.parse::<jiff::Timestamp>()
            .map(|t| Self(t.as_millisecond()))
            .map_err(|_| Invalid::new(format!("must be an RFC 3339 date and time, got {text:?}")))
    }
}

impl Time {
    /// Reads RFC 3339, or a date alone, which stands for its beginning in UTC.
    ///
    /// # Errors
    /// What is neither.
    pub fn parse_date(text: &str) -> Result<Self, Invalid> {
        Self::parse(text).or_else(|_| Self::parse(&format!("{text}T00:00:00Z"))).map_err(|_| {
            Invalid::new(format!(
                "must be a date such as 2027-01-31, or an RFC 3339 date and time, got {text:?}"
            ))
        })
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let timestamp = jiff::Timestamp::from_millisecond(self.0).map_err(|_| std::fmt::Error)?;
        write!(f, "{timestamp:.3}")
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_with_milliseconds() {
        let time = Time::parse("2026-11-23T21:15:00.1239+01:00").unwrap();
        assert_eq!(time.to_string(), "2026-11-23T20:15:00.123Z");
        assert_eq!(Time::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
    }
}
