//! Times with a precision of milliseconds.

use std::{
    ops::{Add, Sub},
    time::Duration,
};

use jiff::{Timestamp, fmt::temporal::Pieces, tz::Offset};
use serde::{Deserialize, Serialize, ser::Error};

use super::{Code, Invalid};

/// A UTC time in milliseconds, written as RFC 3339 with three decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// Returns the system's time.
    #[must_use]
    pub fn now() -> Self {
        Self(Timestamp::now().as_millisecond())
    }

    /// Creates a time from milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the time that has passed since an earlier or equal time; `None` if the other one is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Option<Duration> {
        u64::try_from(self.0.saturating_sub(earlier.0)).ok().map(Duration::from_millis)
    }

    /// Parses RFC 3339.
    ///
    /// # Errors
    /// [`Code::Malformed`] for any other text; [`Code::OutOfRange`] in the last hours of the year 9999, which
    /// the library cannot represent in all time zones.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let timestamp = text.parse::<Timestamp>().ok();
        // The library reads some times that it cannot write.
        let millis =
            timestamp.map(Timestamp::as_millisecond).filter(|n| Timestamp::from_millisecond(*n).is_ok());
        millis.map(Self).ok_or_else(|| {
            let has_offset = |pieces: &Pieces<'_>| pieces.time().is_some() && pieces.offset().is_some();
            if Pieces::parse(text).is_ok_and(|pieces| has_offset(&pieces)) {
                Invalid::new(Code::OutOfRange, "must not be later than 9999-12-30T22:00:00Z")
            } else {
                Invalid::new(Code::Malformed, "must be an RFC 3339 date and time")
                    .got(format_args!("{text:?}"))
            }
        })
    }

    /// Parses RFC 3339, or a date alone, which means its beginning in UTC.
    ///
    /// # Errors
    /// As [`Time::parse`].
    pub fn parse_date(text: &str) -> Result<Self, Invalid> {
        let parsed = match Self::parse(text) {
            Err(Invalid { code: Code::Malformed, .. }) => Self::parse(&format!("{text}T00:00:00Z")),
            parsed => parsed,
        };
        parsed.map_err(|invalid| match invalid.code {
            Code::Malformed => {
                let rule = "must be a date such as 2027-01-31, or an RFC 3339 date and time";
                Invalid::new(Code::Malformed, rule).got(format_args!("{text:?}"))
            }
            _ => invalid,
        })
    }

    /// Formats the time. Hand-written for speed, since lists contain many times. Returns `None` before the
    /// year 0.
    fn written(self) -> Option<[u8; WRITTEN.len()]> {
        let timestamp = Timestamp::from_millisecond(self.0).ok()?;
        let time = Offset::UTC.to_datetime(timestamp);
        let parts = [
            (0..4, time.year()),
            (5..7, time.month().into()),
            (8..10, time.day().into()),
            (11..13, time.hour().into()),
            (14..16, time.minute().into()),
            (17..19, time.second().into()),
            (20..23, time.millisecond()),
        ];
        let mut written = *WRITTEN;
        for (place, number) in parts {
            let mut rest = u16::try_from(number).ok()?;
            for digit in written[place].iter_mut().rev() {
                *digit += (rest % 10) as u8;
                rest /= 10;
            }
        }
        Some(written)
    }
}

/// Adds whole milliseconds.
impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(millis(wait)))
    }
}

/// Subtracts whole milliseconds.
impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, wait: Duration) -> Self {
        Self(self.0.saturating_sub(millis(wait)))
    }
}

fn millis(wait: Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}

/// Writes a sequence of times. It keeps the last one formatted, since all movies of an import have the same time.
#[derive(Debug, Default)]
pub(crate) struct TimeWriter {
    last: Option<(Time, [u8; WRITTEN.len()])>,
}

impl TimeWriter {
    /// Writes a time.
    pub(crate) fn write(&mut self, time: Time, bytes: &mut Vec<u8>) {
        let again = self.last.filter(|(last, _)| *last == time);
        self.last = again.or_else(|| Some((time, time.written()?)));
        match &self.last {
            Some((_, written)) => bytes.extend_from_slice(written),
            None => bytes.extend_from_slice(time.to_string().as_bytes()),
        }
    }
}

const WRITTEN: &[u8; 24] = b"0000-00-00T00:00:00.000Z";

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(written) = self.written() {
            return f.write_str(str::from_utf8(&written).map_err(|_| std::fmt::Error)?);
        }
        let timestamp = Timestamp::from_millisecond(self.0).map_err(|_| std::fmt::Error)?;
        write!(f, "{timestamp:.3}")
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(written) = self.written() else { return serializer.collect_str(self) };
        serializer.serialize_str(str::from_utf8(&written).map_err(Error::custom)?)
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
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_is_written_as_the_library_writes_it(
            millis in jiff::Timestamp::MIN.as_millisecond()..=jiff::Timestamp::MAX.as_second() * 1000
        ) {
            let time = Time::from_millis(millis);
            let expected = format!("{:.3}", jiff::Timestamp::from_millisecond(millis).unwrap());
            prop_assert_eq!(time.to_string(), &expected[..]);
            prop_assert_eq!(serde_json::to_string(&time).unwrap(), format!("{expected:?}"));
        }
    }

    #[test]
    fn the_last_hours_of_the_year_9999_are_out_of_range() {
        let out_of_range = Invalid::new(Code::OutOfRange, "must not be later than 9999-12-30T22:00:00Z");
        assert_eq!(
            Time::parse("9999-12-30T22:00:00Z").map(|t| t.to_string()).as_deref(),
            Ok("9999-12-30T22:00:00.000Z")
        );
        for text in ["9999-12-31T23:59:59Z", "9999-12-30T22:00:00.5Z", "9999-12-31T01:00:00+01:00"] {
            assert_eq!(Time::parse(text), Err(out_of_range.clone()), "{text}");
            assert_eq!(Time::parse_date(text), Err(out_of_range.clone()), "{text}");
        }
        assert_eq!(Time::parse_date("9999-12-31"), Err(out_of_range));
        for text in ["9999-12-31T23:59:59", "9999-12-32", "10000-01-01T00:00:00Z", "tomorrow", ""] {
            assert_eq!(Time::parse(text).unwrap_err().code, Code::Malformed, "{text}");
            assert_eq!(Time::parse_date(text).unwrap_err().code, Code::Malformed, "{text}");
        }
    }

    #[test]
    fn times_and_durations_are_added_within_the_limits() {
        let (time, second) = (Time::from_millis(5000), Duration::from_secs(1));
        assert_eq!((time + second, time - second), (Time::from_millis(6000), Time::from_millis(4000)));
        assert_eq!((time + second).since(time), Some(second));
        assert_eq!((time.since(time), time.since(time + second)), (Some(Duration::ZERO), None));
        assert_eq!(time + Duration::MAX, Time::from_millis(i64::MAX));
        assert_eq!(Time::from_millis(-2) - Duration::MAX, Time::from_millis(i64::MIN));
    }

    #[test]
    fn a_time_is_written_in_utc_with_milliseconds() {
        let time = Time::parse("2026-11-23T21:15:00.1239+01:00").unwrap();
        assert_eq!(time.to_string(), "2026-11-23T20:15:00.123Z");
        assert_eq!(Time::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
    }
}
