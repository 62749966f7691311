//! Ratings and years in the notations of services.

use super::layouts::Scale;
use crate::domain::{BYTE_ORDER_MARK, Code, Invalid, Rating, quoted};

/// Trims white space and byte order marks, which may also be inside a file that was concatenated.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || BYTE_ORDER_MARK.contains(c))
}

impl Scale {
    /// Converts a rating to 1 to 5, rounded half up. The second result tells whether it was rounded.
    ///
    /// # Errors
    /// If the text is not a number of the scale.
    pub(super) fn rating(self, text: &str) -> Result<(Rating, bool), Invalid> {
        let Self { least, most, .. } = self;
        let given = decimal(text).filter(|given| (least..=most).contains(given));
        let given = given.ok_or_else(|| {
            Invalid::new(
                Code::OutOfRange,
                format!("must be a number from {least} to {most}, got {}", quoted(text)),
            )
        })?;
        let ours = given * 5.0 / most;
        let rounded = (ours + 0.5).floor().max(1.0);
        #[expect(clippy::cast_possible_truncation, reason = "it is a whole number up to 5")]
        Ok(((rounded as i64).try_into()?, (rounded - ours).abs() > f64::EPSILON))
    }

    /// Parses a number of the scale, with a decimal point or comma.
    ///
    /// # Errors
    /// If the text is not such a number.
    pub(super) fn number(self, text: &str) -> Result<f64, Invalid> {
        let Self { least, most, .. } = self;
        let given = decimal(trimmed(text)).filter(|given| (least..=most).contains(given));
        given.ok_or_else(|| {
            Invalid::new(
                Code::OutOfRange,
                format!("must be a number from {least} to {most}, got {}", quoted(text)),
            )
        })
    }

    /// Returns whether a text means "no rating".
    pub(super) fn is_none(self, text: &str) -> bool {
        self.zero_is_none && decimal(text) == Some(0.0)
    }
}

/// Parses a number with a decimal point or comma.
fn decimal(text: &str) -> Option<f64> {
    let number = text.replacen(',', ".", 1);
    number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.').then(|| number.parse().ok())?
}

/// Finds a four-digit year in a date of any format.
///
/// # Errors
/// If the text has no such year, or two.
pub(super) fn year(text: &str) -> Result<i64, Invalid> {
    let mut years = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() == 4);
    let year = years.next().and_then(|year| year.parse().ok());
    year.filter(|_| years.next().is_none()).ok_or_else(|| {
        Invalid::new(
            Code::Malformed,
            format!("must be a year, or a date with a year of four digits, got {}", quoted(text)),
        )
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STARS: Scale = Scale { least: 0.5, most: 5.0, zero_is_none: true };
    const TEN: Scale = Scale { least: 1.0, most: 10.0, zero_is_none: false };

    fn read(scale: Scale, text: &str) -> Option<(i64, bool)> {
        scale.rating(text).ok().map(|(rating, rounded)| (rating.get(), rounded))
    }

    #[test]
    fn ratings_become_one_to_five_halves_up() {
        for (text, rating, rounded) in [
            ("0.5", 1, true),
            ("1", 1, false),
            ("1.5", 2, true),
            ("2,5", 3, true),
            ("3.4999", 3, true),
            ("3.5", 4, true),
            ("4.0", 4, false),
            ("4,5", 5, true),
            ("5", 5, false),
            (".5", 1, true),
            ("5.", 5, false),
        ] {
            assert_eq!(read(STARS, text), Some((rating, rounded)), "{text:?}");
        }
        let ten: Vec<_> = (1..=10).map(|points| read(TEN, &points.to_string()).unwrap().0).collect();
        assert_eq!(ten, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
        assert_eq!((read(TEN, "7"), read(TEN, "8")), (Some((4, true)), Some((4, false))));
        for bad in ["0.4", "5.1", "0", "-1", "+1", "1e0", "inf", "NaN", "x", "1.2.3", "1,2,3", "", ".", "4/5"]
        {
            assert_eq!(read(STARS, bad), None, "{bad:?}");
        }
        assert_eq!((read(TEN, "0.9"), read(TEN, "10.1")), (None, None));
        assert!(STARS.is_none("0") && STARS.is_none("0,0") && !STARS.is_none("0.5") && !TEN.is_none("0"));
    }

    proptest! {
        #[test]
        fn a_better_rating_is_never_worse_here(a in 10u32..=100, b in 10u32..=100) {
            let of = |tenths: u32| read(TEN, &format!("{}.{}", tenths / 10, tenths % 10)).unwrap().0;
            prop_assert!(a > b || of(a) <= of(b));
        }
    }

    #[test]
    fn a_year_is_found_in_dates_of_every_form() {
        for date in [
            "1995",
            "1995-12-15",
            "15/12/1995",
            "12/15/1995",
            "15.12.1995",
            "Dec 15, 1995",
            "15 December 1995",
            "Dec 1995",
            "1995-12-15T00:00:00Z",
            "1995.0",
        ] {
            assert_eq!(year(date), Ok(1995), "{date:?}");
        }
        for bad in ["", "95", "15/12/95", "19951215", "1995-1996", "soon"] {
            assert!(year(bad).is_err(), "{bad:?}");
        }
    }
}
