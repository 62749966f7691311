//! Ranges of numbers.

use crate::domain::{Code, Invalid, Length, Rating, ReleaseYear, quoted};

/// An inclusive range of whole numbers; `None` is unbounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    pub min: Option<i64>,
    pub max: Option<i64>,
}

impl Bounds {
    /// Returns whether a number is in the range.
    #[must_use]
    pub fn contain(self, number: i64) -> bool {
        self.min.is_none_or(|min| min <= number) && self.max.is_none_or(|max| number <= max)
    }

    /// Parses a length (`90`) or a range (`4..`, `..90`, `80..90`).
    pub fn of_length(text: &str) -> Result<Self, Invalid> {
        Self::parse(text, Length::MIN, Length::MAX)
    }

    /// Parses a release year or a range.
    pub fn of_release_year(text: &str) -> Result<Self, Invalid> {
        Self::parse(text, ReleaseYear::MIN, ReleaseYear::MAX)
    }

    /// Parses a rating or a range.
    pub fn of_rating(text: &str) -> Result<Self, Invalid> {
        Self::parse(text, Rating::MIN, Rating::MAX)
    }

    /// Parses a value or a range with bounds within the limits of the field.
    ///
    /// # Errors
    /// [`Code::Malformed`] if it is neither, a bound is outside the limits, or the range is reversed.
    fn parse(text: &str, least: i64, most: i64) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::new(Code::Malformed, format!("must be a whole number from {least} to {most}, or a range of them such as {least}.., ..{most} or {least}..{most}")).got(quoted(text))
        };
        let end = |end: &str| match end {
            "" => Ok(None),
            digits if !digits.bytes().all(|b| b.is_ascii_digit()) => Err(invalid()),
            digits => match digits.parse() {
                Ok(value) if (least..=most).contains(&value) => Ok(Some(value)),
                _ => Err(invalid()),
            },
        };
        let (min, max) = match text.split_once("..") {
            Some((min, max)) => (end(min)?, end(max)?),
            None => (end(text)?, end(text)?),
        };
        match (min, max) {
            (None, None) => Err(invalid()),
            (Some(min), Some(max)) if min > max => Err(invalid()),
            _ => Ok(Self { min, max }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_a_value_or_a_range_within_the_limits() {
        let bounds = |min, max| Ok(Bounds { min, max });
        assert_eq!(Bounds::of_rating("5"), bounds(Some(5), Some(5)));
        assert_eq!(Bounds::of_rating("4.."), bounds(Some(4), None));
        assert_eq!(Bounds::of_length("..90"), bounds(None, Some(90)));
        assert_eq!(Bounds::of_release_year("1990..1999"), bounds(Some(1990), Some(1999)));
        for bad in ["", "..", "0", "6", "4..6", "5..4", "-1", "+4", "4...", "4..5..", "x", "4,5", "4.0", "٤"]
        {
            assert!(Bounds::of_rating(bad).is_err(), "{bad}");
        }
    }
}
