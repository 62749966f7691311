//! Queries of a movie list: filters, sort order, page size and cursor.

use std::cmp::Ordering;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{
    Code, Invalid, Length, Movie, MovieFormat, Rating, ReleaseYear, are_neighbours, movie::quoted, parts_of,
    query_words, sort_key, text::joined_spellings, title_words,
};
use crate::limits::MAX_SEARCH_CHARS;

/// A filter of movies. The default matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Folded search terms. Each must be a prefix of a word of the title, or of two words written as one.
    pub words: Vec<String>,
    /// Alternative spellings of the search; one of them is enough.
    pub spellings: Vec<Vec<String>>,
    /// The allowed formats; empty means all.
    pub movie_formats: Vec<MovieFormat>,
    pub length: Bounds,
    pub release_year: Bounds,
    pub rating: Bounds,
}

impl Filter {
    /// Sets the search terms from a text.
    ///
    /// # Errors
    /// [`Code::TooLong`] for more than [`MAX_SEARCH_CHARS`] characters.
    pub fn search(&mut self, text: &str) -> Result<(), Invalid> {
        if text.chars().count() > MAX_SEARCH_CHARS {
            return Err(Invalid::new(
                Code::TooLong,
                format!("must have at most {MAX_SEARCH_CHARS} characters"),
            ));
        }
        self.words = query_words(text);
        self.spellings = joined_spellings(text);
        Ok(())
    }

    /// Returns which filters, except the search, match these facet values.
    #[must_use]
    pub fn passes(&self, kind: &FacetKey) -> FilterMatches {
        FilterMatches {
            movie_format: self.movie_formats.is_empty() || self.movie_formats.contains(&kind.movie_format),
            length: self.length.contain(kind.length.get()),
            release_year: self.release_year.contain(kind.release_year.get()),
            rating: self.rating.contain(kind.rating.get()),
        }
    }

    /// Returns whether a movie matches the filter, including the search.
    #[must_use]
    pub fn finds(&self, movie: &Movie) -> bool {
        let title = movie.attributes.title.as_str();
        let words = title_words(title);
        let has = |typed: &String| words.iter().any(|word| word.starts_with(typed));
        let has_apart = |typed: &String| {
            has(typed) || parts_of(typed).any(|(one, other)| are_neighbours(title, one, other))
        };
        self.passes(&FacetKey::of(movie)).all()
            && (self.words.iter().all(has_apart) || self.spellings.iter().any(|words| words.iter().all(has)))
    }
}

/// The facet values of a movie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FacetKey {
    pub movie_format: MovieFormat,
    pub length: Length,
    pub release_year: ReleaseYear,
    pub rating: Rating,
}

impl FacetKey {
    /// Returns the facet values of a movie.
    #[must_use]
    pub const fn of(movie: &Movie) -> Self {
        let a = &movie.attributes;
        Self {
            movie_format: a.movie_format,
            length: a.length,
            release_year: a.release_year,
            rating: a.rating,
        }
    }
}

/// The filters that a movie matches, except the search.
#[expect(clippy::struct_excessive_bools, reason = "each answers for a filter of its own")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterMatches {
    pub movie_format: bool,
    pub length: bool,
    pub release_year: bool,
    pub rating: bool,
}

impl FilterMatches {
    /// Returns whether all filters match.
    #[must_use]
    pub const fn all(self) -> bool {
        self.movie_format && self.length && self.release_year && self.rating
    }
}

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
            Invalid::new(
                Code::Malformed,
                format!(
                    "must be a whole number from {least} to {most}, or a range of them such as {least}.., ..{most} or {least}..{most}, got {}",
                    quoted(text)
                ),
            )
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

/// Sort keys of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    Id,
    Title,
    MovieFormat,
    Length,
    ReleaseYear,
    Rating,
    CreatedAt,
    UpdatedAt,
}

impl SortKey {
    /// All keys.
    pub const ALL: [Self; 8] = [
        Self::Id,
        Self::Title,
        Self::MovieFormat,
        Self::Length,
        Self::ReleaseYear,
        Self::Rating,
        Self::CreatedAt,
        Self::UpdatedAt,
    ];

    /// Returns the name of the key: the movie's field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Title => "title",
            Self::MovieFormat => "movieFormat",
            Self::Length => "length",
            Self::ReleaseYear => "releaseYear",
            Self::Rating => "rating",
            Self::CreatedAt => "createdAt",
            Self::UpdatedAt => "updatedAt",
        }
    }

    /// Returns the value of a movie under this key.
    #[must_use]
    pub fn value_of(self, movie: &Movie) -> KeyValue {
        let a = &movie.attributes;
        match self {
            Self::Id => KeyValue::Number(movie.id.get()),
            Self::Title => KeyValue::Text(sort_key(a.title.as_str())),
            Self::MovieFormat => KeyValue::Text(a.movie_format.as_str().to_owned()),
            Self::Length => KeyValue::Number(a.length.get()),
            Self::ReleaseYear => KeyValue::Number(a.release_year.get()),
            Self::Rating => KeyValue::Number(a.rating.get()),
            Self::CreatedAt => KeyValue::Number(movie.created_at.as_millis()),
            Self::UpdatedAt => KeyValue::Number(movie.updated_at.as_millis()),
        }
    }
}

/// A sort order: keys, each with whether it is descending. The last key is always `id`, so that no two movies
/// are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort(Vec<(SortKey, bool)>);

impl Default for Sort {
    fn default() -> Self {
        Self(vec![(SortKey::Id, false)])
    }
}

impl Sort {
    /// Sorts by one key, ascending.
    #[must_use]
    pub fn of(key: SortKey) -> Self {
        let id = (key != SortKey::Id).then_some((SortKey::Id, false));
        Self(std::iter::once((key, false)).chain(id).collect())
    }

    /// Parses a comma-separated list of keys; `-` before a key means descending.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] for an unknown or empty key; [`Code::Repeated`] for a repeated one.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let mut keys: Vec<(SortKey, bool)> = Vec::new();
        for part in text.split(',') {
            let (name, descending) = part.strip_prefix('-').map_or((part, false), |name| (name, true));
            let key = SortKey::ALL.into_iter().find(|key| key.as_str() == name).ok_or_else(|| {
                let names = SortKey::ALL.map(SortKey::as_str).join(", ");
                Invalid::new(
                    Code::NotAllowed,
                    format!("must name {names}, each with - before it or not, got {}", quoted(part)),
                )
            })?;
            if keys.iter().any(|(earlier, _)| *earlier == key) {
                return Err(Invalid::new(Code::Repeated, format!("must name {name} only once")));
            }
            keys.push((key, descending));
        }
        match keys.iter().position(|(key, _)| *key == SortKey::Id) {
            Some(id) => keys.truncate(id + 1), // ids are unique, so later keys have no effect
            None => keys.push((SortKey::Id, false)),
        }
        Ok(Self(keys))
    }

    /// Returns the keys, each with whether it is descending.
    #[must_use]
    pub fn keys(&self) -> &[(SortKey, bool)] {
        &self.0
    }

    /// Compares two movies.
    #[must_use]
    pub fn compare(&self, one: &Movie, other: &Movie) -> Ordering {
        let orders = self.0.iter().map(|(key, descending)| {
            let order = key.value_of(one).cmp(&key.value_of(other));
            if *descending { order.reverse() } else { order }
        });
        orders.fold(Ordering::Equal, Ordering::then)
    }

    /// Returns the reverse order.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self(self.0.iter().map(|(key, descending)| (*key, !descending)).collect())
    }

    fn spelled(&self) -> String {
        let keys: Vec<String> = self
            .0
            .iter()
            .map(|(key, descending)| format!("{}{}", if *descending { "-" } else { "" }, key.as_str()))
            .collect();
        keys.join(",")
    }
}

/// The value of a movie under one sort key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeyValue {
    Number(i64),
    Text(String),
}

/// A cursor: the sort values of the last movie of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(Vec<KeyValue>);

impl Cursor {
    /// Returns the cursor behind a movie.
    #[must_use]
    pub fn after(movie: &Movie, sort: &Sort) -> Self {
        Self(sort.0.iter().map(|(key, _)| key.value_of(movie)).collect())
    }

    /// Returns the cursor before the first movie with this value under the first key.
    #[must_use]
    pub fn before(value: KeyValue, sort: &Sort) -> Self {
        let least = |(key, descending): &(SortKey, bool)| match (key, descending) {
            (SortKey::Title | SortKey::MovieFormat, false) => KeyValue::Text(String::new()),
            (SortKey::Title | SortKey::MovieFormat, true) => KeyValue::Text(char::MAX.to_string()),
            (_, false) => KeyValue::Number(i64::MIN),
            (_, true) => KeyValue::Number(i64::MAX),
        };
        Self(std::iter::once(value).chain(sort.0.iter().skip(1).map(least)).collect())
    }

    /// Returns one value for each key.
    #[must_use]
    pub fn values(&self) -> &[KeyValue] {
        &self.0
    }

    /// Encodes the cursor as an opaque text for URLs.
    ///
    /// # Panics
    /// Never: numbers and texts can be serialized.
    #[must_use]
    pub fn encode(&self, sort: &Sort) -> String {
        let json = serde_json::to_vec(&(sort.spelled(), &self.0)).expect("numbers and texts are JSON");
        URL_SAFE_NO_PAD.encode(json)
    }

    /// Decodes a cursor of the same sort order.
    ///
    /// # Errors
    /// [`Code::Malformed`] for any other text.
    pub fn decode(text: &str, sort: &Sort) -> Result<Self, Invalid> {
        let invalid =
            || Invalid::new(Code::Malformed, "must be a cursor that this service gave for the same sort");
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let (spelled, values): (String, Vec<KeyValue>) =
            serde_json::from_slice(&json).map_err(|_| invalid())?;
        let fits = |(value, (key, _)): (&KeyValue, &(SortKey, bool))| {
            let text = matches!(key, SortKey::Title | SortKey::MovieFormat);
            match value {
                KeyValue::Number(_) => !text,
                KeyValue::Text(value) => text && !value.contains('\0'),
            }
        };
        let ours =
            spelled == sort.spelled() && values.len() == sort.0.len() && values.iter().zip(&sort.0).all(fits);
        if ours { Ok(Self(values)) } else { Err(invalid()) }
    }
}

/// The size of a page: 1 to 1000 movies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(usize);

impl Limit {
    /// The minimum.
    pub const MIN: usize = 1;
    /// The maximum.
    pub const MAX: usize = 1000;
    /// The default of lists that have pages.
    pub const DEFAULT: Self = Self(100);
    /// The maximum, as a limit.
    pub const LARGEST: Self = Self(Self::MAX);

    /// Creates a constant limit.
    ///
    /// # Panics
    /// If it is not from 1 to 1000; for a constant, at compile time.
    #[must_use]
    pub const fn new(movies: usize) -> Self {
        assert!(movies >= Self::MIN && movies <= Self::MAX, "a page has 1 to 1000 movies");
        Self(movies)
    }

    /// Parses a whole number from 1 to 1000.
    ///
    /// # Errors
    /// [`Code::Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.parse() {
            Ok(limit) if (Self::MIN..=Self::MAX).contains(&limit) && !text.starts_with('+') => {
                Ok(Self(limit))
            }
            _ => Err(Invalid::new(
                Code::Malformed,
                format!("must be a whole number from {} to {}, got {}", Self::MIN, Self::MAX, quoted(text)),
            )),
        }
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }
}

/// A query for a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    pub filter: Filter,
    /// `None` for the default: by title, or fuzzy matches by score.
    pub sort: Option<Sort>,
    pub default_sort: Sort,
    /// The page size, or `None` for the whole list.
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// Whether to count all matching movies.
    pub total: bool,
}

impl ListQuery {
    /// Returns the requested order, or the default.
    #[must_use]
    pub fn order(&self) -> Sort {
        self.sort.as_ref().unwrap_or(&self.default_sort).clone()
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

    #[test]
    fn a_sort_always_ends_with_id() {
        let keys = |text| Sort::parse(text).unwrap().0;
        assert_eq!(
            keys("-rating,title"),
            [(SortKey::Rating, true), (SortKey::Title, false), (SortKey::Id, false)]
        );
        assert_eq!(keys("-id,title"), [(SortKey::Id, true)]);
        for bad in ["", "title,", "name", "--title", "title,-title", "title, rating", "Title"] {
            assert!(Sort::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cursor_is_good_for_its_own_sort_only() {
        let sort = Sort::parse("title,-rating").unwrap();
        let cursor = Cursor(vec![KeyValue::Text("heat".into()), KeyValue::Number(5), KeyValue::Number(7)]);
        let text = cursor.encode(&sort);
        assert_eq!(Cursor::decode(&text, &sort), Ok(cursor));
        assert!(Cursor::decode(&text, &Sort::parse("title,rating").unwrap()).is_err());
        for bad in ["", "x", "bm90IG91cnM", &text[1..], &format!("{text}=")] {
            assert!(Cursor::decode(bad, &sort).is_err(), "{bad}");
        }
        let wrong_types = Cursor(vec![KeyValue::Number(1), KeyValue::Number(5), KeyValue::Number(7)]);
        assert!(Cursor::decode(&wrong_types.encode(&sort), &sort).is_err());
    }

    #[test]
    fn a_limit_is_1_to_1000() {
        for (text, ok) in [
            ("0", false),
            ("1", true),
            ("1000", true),
            ("1001", false),
            ("+5", false),
            ("-1", false),
            ("1e3", false),
            ("", false),
        ] {
            assert_eq!(Limit::parse(text).is_ok(), ok, "{text}");
        }
    }
}
