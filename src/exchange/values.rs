//! Ratings and years in the notations of services.

use super::layouts::{SPREADSHEET_RATINGS, Scale};
use crate::domain::{BYTE_ORDER_MARK, Code, Invalid, Rating, fold, quoted, whole};

/// Trims white space and byte order marks, which may also be inside a file that was concatenated.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || BYTE_ORDER_MARK.contains(c))
}

impl Scale {
    /// Converts a rating to 1 to 5, rounded half up. The second result tells whether it was rounded. A rating may
    /// name its own scale, such as `8/10` or `★★★½`.
    ///
    /// # Errors
    /// If the text is not a rating of the scale.
    #[expect(clippy::float_cmp, reason = "the best ratings of scales are whole numbers")]
    pub(super) fn rating(self, text: &str) -> Result<(Rating, bool), Invalid> {
        if self.most == 5.0
            && let Some(stars) = whole(text)
        {
            let rating = stars.try_into().map_err(|invalid| self.with_hint(text, invalid))?;
            return Ok((rating, false));
        }
        let (given, most) = match with_scale(text) {
            Some((given, most)) if 0.0 < given && given <= most => (given, most),
            _ => (self.number(text).map_err(|invalid| self.with_hint(text, invalid))?, self.most),
        };
        let ours = given * 5.0 / most;
        let rounded = (ours + 0.5).floor().max(1.0);
        #[expect(clippy::cast_possible_truncation, reason = "it is a whole number up to 5")]
        Ok(((rounded as i64).try_into()?, (rounded - ours).abs() > f64::EPSILON))
    }

    /// Adds the option that reads a rating above the scale.
    fn with_hint(self, text: &str, invalid: Invalid) -> Invalid {
        let fits = |most: &f64| *most > self.most && decimal(text).is_some_and(|given| given <= *most);
        let larger = [10.0, 100.0].into_iter().find(fits).filter(|_| decimal(text) > Some(self.most));
        match larger {
            Some(most) => invalid.with_hint(
                "; ",
                "ratingScale",
                most.to_string(),
                format!(" reads ratings up to {most}"),
            ),
            None => invalid,
        }
    }

    /// Parses a number of the scale, with a decimal point or comma.
    ///
    /// # Errors
    /// If the text is not such a number.
    pub(super) fn number(self, text: &str) -> Result<f64, Invalid> {
        let Self { least, most, .. } = self;
        let given = decimal(trimmed(text)).filter(|given| (least..=most).contains(given));
        given.ok_or_else(|| {
            Invalid::new(Code::OutOfRange, format!("must be a number from {least} to {most}"))
                .got(quoted(text))
        })
    }

    /// Returns whether a text means "no rating".
    pub(super) fn is_none(self, text: &str) -> bool {
        self.zero_is_none && decimal(text) == Some(0.0)
    }
}

/// The maximums that a rating may name.
const SCALES: [f64; 6] = [4.0, 5.0, 6.0, 10.0, 20.0, 100.0];

/// The words between a rating and its maximum.
const OUT_OF: [&str; 8] = ["/", " out of ", " of ", " von ", " sur ", " de ", " di ", " su "];

/// Beginnings of the words for a star, without accents.
const STAR: [&str; 7] = ["star", "stern", "etoile", "estrel", "stell", "★", "⭐"];

/// Parses a rating that names its scale: `8/10`, `7,5 out of 10`, `80 %`, `4 stars`, `★★★½`. Returns the number
/// and the maximum.
fn with_scale(text: &str) -> Option<(f64, f64)> {
    let number = |text: &str| decimal(text.trim());
    if let Some(percent) = text.strip_suffix('%') {
        return Some((number(percent)?, 100.0));
    }
    if let Some((given, most)) = OUT_OF.iter().find_map(|between| text.split_once(between)) {
        return Some((number(given)?, number(most).filter(|most| SCALES.contains(most))?));
    }
    let (given, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ','))?);
    if given.is_empty() {
        drawn_stars(text)
    } else {
        number(given).filter(|_| is_star(unit)).map(|n| (n, 5.0))
    }
}

fn is_star(unit: &str) -> bool {
    let unit = fold(unit);
    STAR.iter().any(|star| unit.trim().starts_with(star))
}

/// Counts drawn stars: `★★★`, `★★★☆☆`, `***½`. Ten with the hollow ones are a scale to 10, up to five one to 5.
fn drawn_stars(text: &str) -> Option<(f64, f64)> {
    let (mut halves, mut all) = (0_u8, 0_u8);
    for c in text.chars().filter(|c| !matches!(c, ' ' | '\u{fe0f}')).take(11) {
        all += 1;
        halves += match c {
            '★' | '⭐' | '🌟' | '*' => 2,
            '½' | '⯨' => 1,
            '☆' | '✩' => 0,
            _ => return None,
        };
    }
    let most = if all <= 5 { Some(5.0) } else { (all == 10).then_some(10.0) };
    most.map(|most| (f64::from(halves) / 2.0, most))
}

/// Parses a number with a decimal point or comma.
fn decimal(text: &str) -> Option<f64> {
    let number = text.replacen(',', ".", 1);
    number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.').then(|| number.parse().ok())?
}

/// Parses a whole number of stars. An error names the option that reads another notation.
///
/// # Errors
/// [`Code::WrongType`], [`Code::OutOfRange`]
pub(super) fn exact_rating(text: &str) -> Result<Rating, Invalid> {
    let stars = whole(text).ok_or_else(|| Invalid::new(Code::WrongType, "must be a whole number".to_owned()));
    stars.and_then(Rating::try_from).map_err(|invalid| match SPREADSHEET_RATINGS.rating(text) {
        Ok((rating, _)) => {
            invalid.with_hint("; ", "ratingScale", "5", format!(" reads it as {}", rating.get()))
        }
        Err(_) => SPREADSHEET_RATINGS.with_hint(text, invalid),
    })
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
        let four: Vec<_> =
            (1..=5).map(|stars| read(Scale { most: 4.0, ..STARS }, &stars.to_string())).collect();
        assert_eq!(
            four,
            [Some((1, true)), Some((3, true)), Some((4, true)), Some((5, false)), None],
            "a scale below 5"
        );
        let ten: Vec<_> = (1..=10).map(|points| read(TEN, &points.to_string()).unwrap().0).collect();
        assert_eq!(ten, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
        assert_eq!((read(TEN, "7"), read(TEN, "8")), (Some((4, true)), Some((4, false))));
        for bad in ["0.4", "5.1", "0", "-1", "+1", "1e0", "inf", "NaN", "x", "1.2.3", "1,2,3", "", "."] {
            assert_eq!(read(STARS, bad), None, "{bad:?}");
        }
        assert_eq!((read(TEN, "0.9"), read(TEN, "10.1")), (None, None));
        let said = |scale: Scale, text| scale.rating(text).unwrap_err().to_string();
        assert_eq!(said(STARS, "9"), "must be between 1 and 5, got 9; ratingScale=10 reads ratings up to 10");
        assert_eq!(
            said(STARS, "7.5"),
            "must be a number from 0.5 to 5, got \"7.5\"; ratingScale=10 reads ratings up to 10"
        );
        assert!(said(TEN, "85").ends_with("; ratingScale=100 reads ratings up to 100"));
        assert_eq!(said(STARS, "0"), "must be between 1 and 5, got 0");
        assert!(!said(STARS, "101").contains(';') && !said(STARS, "x").contains(';'));
        assert!(STARS.is_none("0") && STARS.is_none("0,0") && !STARS.is_none("0.5") && !TEN.is_none("0"));
    }

    #[test]
    fn an_exact_rating_is_a_whole_number() {
        let said = |text| exact_rating(text).map(Rating::get).map_err(|invalid| invalid.to_string());
        assert_eq!((said("4"), said("4.0")), (Ok(4), Ok(4)));
        for (text, rule) in [
            ("3.5", "must be a whole number; ratingScale=5 reads it as 4"),
            ("★★★", "must be a whole number; ratingScale=5 reads it as 3"),
            ("7.5", "must be a whole number; ratingScale=10 reads ratings up to 10"),
            ("9", "must be between 1 and 5, got 9; ratingScale=10 reads ratings up to 10"),
            ("good", "must be a whole number"),
        ] {
            assert_eq!(said(text), Err(rule.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_rating_may_name_its_scale() {
        for (text, rating, rounded) in [
            ("8/10", 4, false),
            ("7 / 10", 4, true),
            ("7,5/10", 4, true),
            ("4/5", 4, false),
            ("3/4", 4, true),
            ("0.5/10", 1, true),
            ("9 out of 10", 5, true),
            ("8 von 10", 4, false),
            ("8 sur 10", 4, false),
            ("80%", 4, false),
            ("70 %", 4, true),
            ("80/100", 4, false),
            ("4 stars", 4, false),
            ("1 star", 1, false),
            ("3,5 Sterne", 4, true),
            ("4 Étoiles", 4, false),
            ("4★", 4, false),
            ("★★★", 3, false),
            ("★★★½", 4, true),
            ("★★★☆☆", 3, false),
            ("★★★★★★★★☆☆", 4, false),
            ("⭐️⭐️⭐️", 3, false),
            ("***", 3, false),
            ("½", 1, true),
        ] {
            for scale in [STARS, TEN] {
                assert_eq!(read(scale, text), Some((rating, rounded)), "{text:?}");
            }
        }
        for bad in [
            "6/5",
            "0/10",
            "8/7",
            "12/1995",
            "8/",
            "/10",
            "101%",
            "6 stars",
            "☆☆☆☆☆",
            "★★★★★★★",
            "4 eggs",
            "1.33:1",
        ] {
            assert_eq!(read(STARS, bad), None, "{bad:?}");
        }
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
