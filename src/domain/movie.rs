//! Movies and their five attributes. Each attribute has a type that only holds valid values.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

use unicode_segmentation::UnicodeSegmentation;

use super::{
    Code, Invalid, MovieId, Time,
    short_text::{parse_short_text, parse_stored_text, read_as_text},
};

/// A title: 1 to 50 Unicode scalar values after NFC normalization and trimming, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Title(String);

impl Title {
    /// The minimum length in characters.
    pub const MIN_CHARS: usize = 1;
    /// The maximum length in characters.
    pub const MAX_CHARS: usize = 50;

    /// Normalizes a title to NFC, trims white space, and validates it.
    ///
    /// # Errors
    /// [`Code::Empty`], [`Code::TooLong`], or [`Code::Malformed`] for control characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        parse_short_text(text, Self::MAX_CHARS).map(Self)
    }

    /// Parses a title that was stored, also by version 0.1.0, which accepted titles without a visible character.
    ///
    /// # Errors
    /// As [`Title::parse`].
    pub fn parse_stored(text: &str) -> Result<Self, Invalid> {
        parse_stored_text(text, Self::MAX_CHARS).map(Self)
    }

    /// Returns by how many characters a text exceeds the maximum, or 0 if it does not or is invalid for
    /// another reason.
    #[must_use]
    pub fn excess(text: &str) -> usize {
        parse_short_text(text, usize::MAX)
            .map_or(0, |text| text.chars().count().saturating_sub(Self::MAX_CHARS))
    }

    /// Parses a title, but shortens one that is too long to at most 49 characters and an ellipsis. Never
    /// splits a grapheme cluster.
    ///
    /// # Errors
    /// As [`Title::parse`], except [`Code::TooLong`].
    pub fn parse_truncating(text: &str) -> Result<Self, Invalid> {
        let whole = parse_short_text(text, usize::MAX)?;
        if whole.chars().count() <= Self::MAX_CHARS {
            return Ok(Self(whole));
        }
        let limit = whole.char_indices().nth(Self::MAX_CHARS - 1).map_or(whole.len(), |(at, _)| at);
        let ends = whole.grapheme_indices(true).map(|(at, cluster)| at + cluster.len());
        let end = ends.take_while(|end| *end <= limit).last().unwrap_or(limit);
        Ok(Self(format!("{}…", whole[..end].trim_end())))
    }

    /// Creates a title that was valid when it was stored.
    pub(crate) fn from_stored(text: &str) -> Self {
        debug_assert!(Self::parse_stored(text).is_ok_and(|title| title.0 == text), "{text:?} is no title");
        Self(text.to_owned())
    }

    /// Puts an apostrophe before the title, which marks a text in spreadsheets. The result may be too long
    /// for a title and is only for output.
    pub(crate) fn for_spreadsheet(title: &str) -> Self {
        Self(format!("'{title}"))
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The medium of a movie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MovieFormat {
    Dvd,
    Streaming,
    Vhs,
}

read_as_text!(Title::parse_stored, MovieFormat::parse);

impl MovieFormat {
    /// All formats, in sort order.
    pub const ALL: [Self; 3] = [Self::Dvd, Self::Streaming, Self::Vhs];

    /// Parses exactly `VHS`, `DVD` or `Streaming`.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| Invalid::new(Code::NotAllowed, "must be VHS, DVD or Streaming").got(quoted(text)))
    }

    /// Parses a format, ignoring case.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] for any other text.
    pub fn parse_any_case(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|format| format.as_str().eq_ignore_ascii_case(text.trim()));
        known.map_or_else(|| Self::parse(text), Ok)
    }

    /// Returns the name as written in JSON and CSV.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dvd => "DVD",
            Self::Streaming => "Streaming",
            Self::Vhs => "VHS",
        }
    }
}

impl Serialize for MovieFormat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Quotes an input for a message, shortened if necessary.
pub(crate) fn quoted(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Parses a whole number; a zero fraction is allowed, as in JSON Schema.
pub(crate) fn whole(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let zero = !fraction.is_empty() && fraction.bytes().all(|b| b == b'0');
    whole.parse().ok().filter(|_| zero && !whole.starts_with('+'))
}

/// Defines a type of whole numbers within inclusive limits.
macro_rules! whole_number {
    ($(#[$doc:meta])* $name:ident, $min:literal..=$max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "i64")]
        pub struct $name(i64);

        impl $name {
            /// The minimum.
            pub const MIN: i64 = $min;
            /// The maximum.
            pub const MAX: i64 = $max;

            /// Returns the number.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = Invalid;

            fn try_from(value: i64) -> Result<Self, Invalid> {
                if (Self::MIN..=Self::MAX).contains(&value) {
                    Ok(Self(value))
                } else {
                    Err(Invalid::new(Code::OutOfRange, format!("must be between {} and {}", Self::MIN, Self::MAX)).got(value))
                }
            }
        }
    };
}

whole_number!(
    /// A length in whole minutes: 0 to 500.
    Length, 0..=500
);
whole_number!(
    /// A release year: 1800 to 2100.
    ReleaseYear, 1800..=2100
);
whole_number!(
    /// A rating: 1 to 5.
    Rating, 1..=5
);

impl Rating {
    /// Parses the number of stars.
    ///
    /// # Errors
    /// [`Code::OutOfRange`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let rating = text.parse().ok().and_then(|stars: i64| Self::try_from(stars).ok());
        rating.ok_or_else(|| Invalid::new(Code::OutOfRange, "must be 1 to 5").got(quoted(text)))
    }
}

impl Length {
    /// Parses a length in common notations: minutes (`170`, `170.0`, `170 min`), hours and minutes (`2:50`,
    /// `2h50`, `2 hrs 50 min`), with seconds (`2:50:30`), or an ISO 8601 duration (`PT2H50M`). Seconds are
    /// rounded half up; the second result tells whether that changed the value.
    ///
    /// # Errors
    /// [`Code::Malformed`] for any other text; [`Code::OutOfRange`] beyond the limits.
    pub fn parse(text: &str) -> Result<(Self, bool), Invalid> {
        let text = text.trim();
        if let Some(minutes) = whole(text) {
            return Ok((minutes.try_into()?, false));
        }
        let mut written = with_english_units(text);
        if written.ends_with(|c: char| c.is_ascii_digit()) {
            match written.matches(':').count() {
                1 => written.push_str(":00"),
                0 if written.contains('h') => written.push('m'),
                _ => {}
            }
        }
        let duration: SignedDuration = written.parse().map_err(|_| {
            let examples = "170, 170 min, 2:50, 2h 50m or PT2H50M";
            Invalid::new(Code::Malformed, format!("must be a length such as {examples}")).got(quoted(text))
        })?;
        let minutes = duration.saturating_add(SignedDuration::from_secs(30)).as_secs().div_euclid(60);
        let length: Self = minutes.try_into()?;
        Ok((length, duration != SignedDuration::from_mins(minutes)))
    }
}

/// Replaces units by English ones: `2 Std. 5 Min.` becomes `2 h 5 m`, and `105'` becomes `105m`.
fn with_english_units(text: &str) -> String {
    const HOURS: [&str; 18] = [
        "hour", "hours", "std", "stunde", "stunden", "heure", "heures", "hora", "horas", "ora", "ore", "uur",
        "timme", "timmar", "time", "timer", "godz", "ч",
    ];
    const MINUTES: [&str; 9] =
        ["minuten", "minutos", "minuto", "minuti", "minutter", "minuter", "perc", "мин", "分"];
    let text = text.to_lowercase();
    let mut written = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let is_word = first.is_alphabetic();
        let end = if is_word {
            rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        match piece {
            "'" | "’" | "′" => written.push('m'),
            "\u{a0}" | "\u{2009}" | "\u{202f}" => written.push(' '), // before units
            hours if HOURS.contains(&hours) => written.push('h'),
            minutes if MINUTES.contains(&minutes) => written.push('m'),
            piece => written.push_str(piece),
        }
        // `min.` is an abbreviation, but `PT2.5H` has a fraction.
        if is_word && !behind.starts_with(|c: char| c.is_ascii_digit()) {
            rest = rest.strip_prefix('.').unwrap_or(rest);
        }
    }
    written
}

/// The names of the five attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    Title,
    MovieFormat,
    Length,
    ReleaseYear,
    Rating,
}

impl Field {
    /// All attributes, in the order of output.
    pub const ALL: [Self; 5] =
        [Self::Title, Self::MovieFormat, Self::Length, Self::ReleaseYear, Self::Rating];

    /// Returns the name in JSON and CSV.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::MovieFormat => "movieFormat",
            Self::Length => "length",
            Self::ReleaseYear => "releaseYear",
            Self::Rating => "rating",
        }
    }

    /// Parses the name of an attribute.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|field| field.as_str() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Invalid::new(Code::NotAllowed, format!("must name one of {names}")).got(quoted(text))
        })
    }
}

/// The five attributes of a movie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attributes {
    pub title: Title,
    pub movie_format: MovieFormat,
    pub length: Length,
    pub release_year: ReleaseYear,
    pub rating: Rating,
}

/// An update of some of the five attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MoviePatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub movie_format: Option<MovieFormat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<Length>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_year: Option<ReleaseYear>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
}

impl Attributes {
    /// Returns the attributes with an update applied.
    #[must_use]
    pub fn with(&self, changes: &MoviePatch) -> Self {
        Self {
            title: changes.title.as_ref().unwrap_or(&self.title).clone(),
            movie_format: changes.movie_format.unwrap_or(self.movie_format),
            length: changes.length.unwrap_or(self.length),
            release_year: changes.release_year.unwrap_or(self.release_year),
            rating: changes.rating.unwrap_or(self.rating),
        }
    }
}

/// A stored movie.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Written")]
pub struct Movie {
    /// Positive and never reused.
    pub id: MovieId,
    pub attributes: Attributes,
    /// 1 for a new movie, plus 1 for each change.
    pub version: i64,
    pub created_at: Time,
    pub updated_at: Time,
}

impl Serialize for Movie {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let a = &self.attributes;
        let mut movie = serializer.serialize_struct("Movie", 9)?;
        movie.serialize_field("id", &self.id)?;
        movie.serialize_field("title", &a.title)?;
        movie.serialize_field("movieFormat", &a.movie_format)?;
        movie.serialize_field("length", &a.length)?;
        movie.serialize_field("releaseYear", &a.release_year)?;
        movie.serialize_field("rating", &a.rating)?;
        movie.serialize_field("version", &self.version)?;
        movie.serialize_field("createdAt", &self.created_at)?;
        movie.serialize_field("updatedAt", &self.updated_at)?;
        movie.end()
    }
}

/// A movie as it is serialized.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    id: MovieId,
    title: Title,
    movie_format: MovieFormat,
    length: Length,
    release_year: ReleaseYear,
    rating: Rating,
    version: i64,
    created_at: Time,
    updated_at: Time,
}

impl From<Written> for Movie {
    fn from(written: Written) -> Self {
        let Written {
            id,
            title,
            movie_format,
            length,
            release_year,
            rating,
            version,
            created_at,
            updated_at,
        } = written;
        let attributes = Attributes { title, movie_format, length, release_year, rating };
        Self { id, attributes, version, created_at, updated_at }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_title_has_1_to_50_characters_after_normalising_and_trimming() {
        assert_eq!(Title::parse(" \t\n").unwrap_err().reason.rule, "must not be empty");
        assert_eq!(Title::parse("\u{2003}x\u{a0}").unwrap().as_str(), "x");
        for unseen in [
            "\u{200b}",
            "\u{200d} \u{2066}\u{2069}",
            "\u{ad}",
            "\u{feff}",
            "\u{3164}",
            "\u{2800}",
            "\u{2064}",
        ] {
            assert_eq!(
                Title::parse(unseen).unwrap_err(),
                Invalid::new(Code::Empty, "must have a visible character")
            );
            assert_eq!(Title::parse_stored(unseen).unwrap().as_str(), unseen);
            assert!(Title::parse_truncating(&unseen.repeat(60)).is_err(), "{unseen:?}");
            assert_eq!(Title::parse(&format!("{unseen}x")).unwrap().as_str(), format!("{unseen}x"));
        }
        assert!(Title::parse("™").is_ok() && Title::parse("\u{301}").is_ok() && Title::parse("…").is_ok());
        assert!(Title::parse(&"x".repeat(50)).is_ok());
        assert_eq!(
            Title::parse(&"x".repeat(51)).unwrap_err().to_string(),
            "must have at most 50 characters, got 51"
        );
        // 100 scalar values that NFC composes to 50.
        let decomposed = "e\u{301}".repeat(50);
        assert_eq!(Title::parse(&decomposed).unwrap().as_str(), "é".repeat(50));
        assert!(Title::parse(&format!("{decomposed}e")).is_err());
    }

    #[test]
    fn a_title_has_no_control_characters_inside() {
        for control in ['\0', '\u{1f}', '\n', '\u{7f}', '\u{85}', '\u{9f}'] {
            assert!(Title::parse(&format!("a{control}b")).is_err(), "{control:?}");
        }
        for reorders in ['\u{2028}', '\u{2029}', '\u{202d}', '\u{202e}'] {
            let title = format!("a{reorders}b");
            assert!(Title::parse(&title).is_err() && Title::parse_stored(&title).is_ok(), "{reorders:?}");
        }
        // Marks, embeddings, isolates and joiners of Hebrew, Arabic, Persian and emoji.
        for title in [
            "שלום\u{200f}!",
            "\u{200e}Heat",
            "\u{61c}فيلم",
            "\u{202b}שלום\u{202c}",
            "Heat \u{2067}שלום\u{2069}",
            "می\u{200c}خواهم",
            "👩\u{200d}👧",
            "a\u{a0}b",
        ] {
            assert_eq!(Title::parse(title).unwrap().as_str(), title);
        }
    }

    #[test]
    fn a_long_title_can_be_cut_at_50_characters_with_an_ellipsis() {
        let cut = Title::parse_truncating(&"é".repeat(51)).unwrap();
        assert_eq!(cut.as_str(), format!("{}…", "é".repeat(49)));
        assert_eq!(Title::parse_truncating(&"x".repeat(50)).unwrap().as_str(), "x".repeat(50));
        for (text, kept) in [
            (format!("{}👩\u{200d}👩\u{200d}👧!", "x".repeat(46)), "x".repeat(46)),
            (format!("{}🇫🇷🇫🇷", "x".repeat(48)), "x".repeat(48)),
            (format!("{}🇫🇷🇫🇷", "x".repeat(47)), format!("{}🇫🇷", "x".repeat(47))),
            (format!("{}q\u{323}\u{307}yy", "x".repeat(47)), "x".repeat(47)),
            (format!("q{}", "\u{323}".repeat(60)), format!("q{}", "\u{323}".repeat(48))),
        ] {
            assert_eq!(Title::parse_truncating(&text).unwrap().as_str(), format!("{kept}…"), "{text}");
        }
        let space_at_the_cut = format!("{} {}", "x".repeat(48), "y".repeat(9));
        assert_eq!(
            Title::parse_truncating(&space_at_the_cut).unwrap().as_str(),
            format!("{}…", "x".repeat(48))
        );
    }

    #[test]
    fn numbers_hold_within_their_limits_only() {
        for (value, ok) in [(-1, false), (0, true), (500, true), (501, false)] {
            assert_eq!(Length::try_from(value).is_ok(), ok, "length {value}");
        }
        for (value, ok) in [(1799, false), (1800, true), (2100, true), (2101, false)] {
            assert_eq!(ReleaseYear::try_from(value).is_ok(), ok, "year {value}");
        }
        for (value, ok) in [(0, false), (1, true), (5, true), (6, false), (i64::MIN, false)] {
            assert_eq!(Rating::try_from(value).is_ok(), ok, "rating {value}");
        }
        assert_eq!(Rating::try_from(9).unwrap_err().to_string(), "must be between 1 and 5, got 9");
    }

    #[test]
    fn a_length_is_read_as_people_write_it() {
        for written in [
            "170",
            " 170 ",
            "170.0",
            "170 min",
            "170min",
            "170 mins",
            "170 Minutes",
            "170m",
            "2:50",
            "02:50",
            "2:50:00",
            "2h50",
            "2h50m",
            "2h 50m",
            "2H 50M",
            "2 h 50 m",
            "2 h 50",
            "2\u{a0}h\u{202f}50",
            "2 hrs 50 min",
            "2 hours, 50 minutes",
            "PT2H50M",
            "pt2h50m",
            "PT170M",
            "170 min.",
            "170 Min.",
            "170'",
            "170’",
            "170′",
            "2h 50'",
            "2 Std. 50 Min.",
            "2 Stunden 50 Minuten",
            "2 heures 50 minutes",
            "2 h. 50 min.",
            "170 minutos",
            "170 мин.",
            "170分",
        ] {
            assert_eq!(Length::parse(written), Ok((Length(170), false)), "{written:?}");
        }
        for (written, minutes, rounded) in [
            ("0", 0, false),
            ("2h", 120, false),
            ("2:50:29", 170, true),
            ("2:50:30", 171, true),
            ("PT2H50M30S", 171, true),
            ("2h 49m 60s", 170, false),
            ("170.5 min", 171, true),
            ("1.5h", 90, false),
            ("29s", 0, true),
            ("500", 500, false),
            ("8:20", 500, false),
            ("8h20", 500, false),
            ("PT8H20M29S", 500, true),
        ] {
            assert_eq!(Length::parse(written), Ok((Length(minutes), rounded)), "{written:?}");
        }
        for beyond in [
            "501",
            "-1",
            "8:21",
            "8h21",
            "501 min",
            "PT8H20M30S",
            "-2h",
            "99999h",
            "2h 50m ago",
            "9223372036854775807s",
            "-9223372036854775808s",
        ] {
            assert_eq!(
                Length::parse(beyond).unwrap_err().reason.rule,
                "must be between 0 and 500",
                "{beyond:?}"
            );
        }
        for bad in [
            "", "x", "170.5", "+170", "1e2", "2:", ":50", "2:50:", "170 m 30", "2 days", "2h h", "170,0", "h",
        ] {
            assert!(
                Length::parse(bad).unwrap_err().reason.rule.starts_with("must be a length such as "),
                "{bad:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_length_reads_back_the_same_however_it_is_written(minutes in Length::MIN..=Length::MAX) {
            let (h, m) = (minutes / 60, minutes % 60);
            for written in [
                format!("{minutes}"), format!("{minutes} min"), format!("{h}:{m:02}"), format!("{h}h{m}"),
                format!("{h} h {m} m"), format!("{h} hrs {m} min"), format!("PT{h}H{m}M"), format!("{h}:{m:02}:29"),
            ] {
                prop_assert_eq!(Length::parse(&written).unwrap().0.get(), minutes, "{}", written);
            }
        }
    }

    #[test]
    fn formats_are_exactly_three() {
        for format in MovieFormat::ALL {
            assert_eq!(MovieFormat::parse(format.as_str()), Ok(format));
        }
        for other in ["dvd", "VHS ", "Blu-ray", ""] {
            assert!(MovieFormat::parse(other).is_err(), "{other:?}");
        }
        assert!(MovieFormat::ALL.is_sorted_by_key(|format| format.as_str()));
    }
}
