//! What filters look at, of one movie in four bytes; and the test of it.

use std::ops::RangeInclusive;

use crate::domain::{Attributes, Bounds, Filter, Length, MovieFormat, Rating, ReleaseYear};

/// Format, rating, length and release year of a movie. The default is that of a slot without a movie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Packed(u32);

/// The attributes with so few values that there is a set of movies for each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facet {
    MovieFormat,
    Rating,
    Length,
    ReleaseYear,
}

/// How many values each has, numbered from 0.
const FORMATS: usize = MovieFormat::ALL.len();
const RATINGS: usize = values(Rating::MIN, Rating::MAX);
const LENGTHS: usize = values(Length::MIN, Length::MAX);
const YEARS: usize = values(ReleaseYear::MIN, ReleaseYear::MAX);

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
const fn values(min: i64, max: i64) -> usize {
    (max - min + 1) as usize
}

/// Where each stands in the number.
const RATING_SHIFT: u32 = 2;
const LENGTH_SHIFT: u32 = 5;
const YEAR_SHIFT: u32 = 14;
const USED: u32 = 1 << 23;

impl Facet {
    pub(super) const ALL: [Self; 4] = [Self::MovieFormat, Self::Rating, Self::Length, Self::ReleaseYear];

    /// How many values it has.
    pub(super) const fn values(self) -> usize {
        match self {
            Self::MovieFormat => FORMATS,
            Self::Rating => RATINGS,
            Self::Length => LENGTHS,
            Self::ReleaseYear => YEARS,
        }
    }

    /// The least value as a number of the domain; of a format its place among all.
    pub(super) const fn min(self) -> i64 {
        match self {
            Self::MovieFormat => 0,
            Self::Rating => Rating::MIN,
            Self::Length => Length::MIN,
            Self::ReleaseYear => ReleaseYear::MIN,
        }
    }
}

impl Packed {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the domain's types are bounded"
    )]
    pub(super) fn new(attributes: &Attributes) -> Self {
        let format = attributes.movie_format as u32;
        let rating = (attributes.rating.get() - Rating::MIN) as u32;
        let length = (attributes.length.get() - Length::MIN) as u32;
        let year = (attributes.release_year.get() - ReleaseYear::MIN) as u32;
        Self(USED | format | rating << RATING_SHIFT | length << LENGTH_SHIFT | year << YEAR_SHIFT)
    }

    pub(super) const fn is_used(self) -> bool {
        self.0 & USED != 0
    }

    /// The value under a facet, numbered from 0.
    pub(super) const fn value(self, facet: Facet) -> usize {
        (match facet {
            Facet::MovieFormat => self.0 & 0b11,
            Facet::Rating => self.0 >> RATING_SHIFT & 0b111,
            Facet::Length => self.0 >> LENGTH_SHIFT & 0x1ff,
            Facet::ReleaseYear => self.0 >> YEAR_SHIFT & 0x1ff,
        }) as usize
    }
}

/// The values that movies may have under each facet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Test {
    formats: [bool; FORMATS],
    rating: RangeInclusive<usize>,
    length: RangeInclusive<usize>,
    release_year: RangeInclusive<usize>,
}

impl Default for Test {
    fn default() -> Self {
        Self::of(&Filter::default())
    }
}

impl Test {
    /// That of a filter, its search aside.
    pub(super) fn of(filter: &Filter) -> Self {
        let formats = MovieFormat::ALL
            .map(|format| filter.movie_formats.is_empty() || filter.movie_formats.contains(&format));
        Self {
            formats,
            rating: range(filter.rating, Facet::Rating),
            length: range(filter.length, Facet::Length),
            release_year: range(filter.release_year, Facet::ReleaseYear),
        }
    }

    pub(super) fn passes(&self, packed: Packed) -> bool {
        packed.is_used()
            && self.formats.get(packed.value(Facet::MovieFormat)).is_some_and(|passes| *passes)
            && self.rating.contains(&packed.value(Facet::Rating))
            && self.length.contains(&packed.value(Facet::Length))
            && self.release_year.contains(&packed.value(Facet::ReleaseYear))
    }

    /// Whether a value passes under a facet.
    pub(super) fn allows(&self, facet: Facet, value: usize) -> bool {
        match facet {
            Facet::MovieFormat => self.formats[value],
            Facet::Rating => self.rating.contains(&value),
            Facet::Length => self.length.contains(&value),
            Facet::ReleaseYear => self.release_year.contains(&value),
        }
    }

    /// Whether every value passes under a facet.
    pub(super) fn allows_all(&self, facet: Facet) -> bool {
        (0..facet.values()).all(|value| self.allows(facet, value))
    }

    /// The same, with one value under a facet.
    pub(super) fn with(mut self, facet: Facet, value: usize) -> Self {
        match facet {
            Facet::MovieFormat => {
                self.formats = std::array::from_fn(|format| self.formats[format] && format == value);
            }
            Facet::Rating => self.rating = narrowed(&self.rating, value),
            Facet::Length => self.length = narrowed(&self.length, value),
            Facet::ReleaseYear => self.release_year = narrowed(&self.release_year, value),
        }
        self
    }

    /// The same, with every value under a facet.
    pub(super) fn without(mut self, facet: Facet) -> Self {
        let all = 0..=facet.values() - 1;
        match facet {
            Facet::MovieFormat => self.formats = [true; FORMATS],
            Facet::Rating => self.rating = all,
            Facet::Length => self.length = all,
            Facet::ReleaseYear => self.release_year = all,
        }
        self
    }
}

#[expect(clippy::reversed_empty_ranges, reason = "none is to pass")]
fn narrowed(range: &RangeInclusive<usize>, value: usize) -> RangeInclusive<usize> {
    if range.contains(&value) { value..=value } else { 1..=0 }
}

fn range(bounds: Bounds, facet: Facet) -> RangeInclusive<usize> {
    let last = facet.values() - 1;
    let number = |end: i64| usize::try_from(end - facet.min()).unwrap_or(0).min(last);
    bounds.min.map_or(0, number)..=bounds.max.map_or(last, number)
}
