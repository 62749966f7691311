//! The facet values of a movie, packed into four bytes, and a branch-free test of them.

use std::ops::RangeInclusive;

use crate::domain::{Attributes, Bounds, Filter, Length, MovieFormat, Rating, ReleaseYear};

/// Format, rating, length and release year of a movie. An empty slot has the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Packed(u32);

/// The attributes with few values. The catalogue keeps a set of movies for each value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facet {
    MovieFormat,
    Rating,
    Length,
    ReleaseYear,
}

/// The number of values of each facet; value numbers start at 0.
const FORMATS: usize = MovieFormat::ALL.len();
const RATINGS: usize = values(Rating::MIN, Rating::MAX);
const LENGTHS: usize = values(Length::MIN, Length::MAX);
const YEARS: usize = values(ReleaseYear::MIN, ReleaseYear::MAX);

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
const fn values(min: i64, max: i64) -> usize {
    (max - min + 1) as usize
}

/// The bit fields, from the lowest bit. A guard bit, 0 in stored values, follows each field.
const FORMAT: BitField = BitField { shift: 0, bits: 3 };
const RATING: BitField = BitField { shift: 4, bits: 3 };
const LENGTH: BitField = BitField { shift: 8, bits: Facet::MAX_BITS };
const YEAR: BitField = BitField { shift: 18, bits: Facet::MAX_BITS };
const GUARDS: u32 = FORMAT.guard() | RATING.guard() | LENGTH.guard() | YEAR.guard();

#[derive(Clone, Copy)]
struct BitField {
    shift: u32,
    bits: u32,
}

impl BitField {
    const fn guard(self) -> u32 {
        1 << (self.shift + self.bits)
    }

    const fn max(self) -> u32 {
        (1 << self.bits) - 1
    }

    const fn of(self, number: u32) -> u32 {
        number >> self.shift & self.max()
    }
}

impl Facet {
    pub(super) const ALL: [Self; 4] = [Self::MovieFormat, Self::Rating, Self::Length, Self::ReleaseYear];
    /// Bits of the largest value number.
    pub(super) const MAX_BITS: u32 = 9;

    /// Returns the number of values.
    pub(super) const fn values(self) -> usize {
        match self {
            Self::MovieFormat => FORMATS,
            Self::Rating => RATINGS,
            Self::Length => LENGTHS,
            Self::ReleaseYear => YEARS,
        }
    }

    const fn field(self) -> BitField {
        match self {
            Self::MovieFormat => FORMAT,
            Self::Rating => RATING,
            Self::Length => LENGTH,
            Self::ReleaseYear => YEAR,
        }
    }

    /// Returns the lowest value as a domain number; for a format, its index.
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
        let rating = (attributes.rating.get() - Rating::MIN) as u32;
        let length = (attributes.length.get() - Length::MIN) as u32;
        let year = (attributes.release_year.get() - ReleaseYear::MIN) as u32;
        let format = 1 << attributes.movie_format as u32; // one bit per format
        Self(format | rating << RATING.shift | length << LENGTH.shift | year << YEAR.shift)
    }

    /// Returns the value number of a facet.
    pub(super) const fn value(self, facet: Facet) -> usize {
        (match facet {
            Facet::MovieFormat => self.0.trailing_zeros(),
            Facet::Rating => RATING.of(self.0),
            Facet::Length => LENGTH.of(self.0),
            Facet::ReleaseYear => YEAR.of(self.0),
        }) as usize
    }
}

/// The allowed values of each facet: a set of formats, and a range of each other facet.
///
/// One addition and one subtraction test all facets, and compilers vectorize them. The addition carries into
/// a field's guard bit if the value is at least the minimum. The subtraction keeps the guard bit if the value
/// is at most the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Test {
    /// The allowed formats, one bit each; all bits of the other fields.
    mask: u32,
    /// For each field: a value that carries from the minimum on.
    add: u32,
    /// For each field: the maximum, with the guard bit set.
    subtract_from: u32,
}

impl Default for Test {
    fn default() -> Self {
        let all = [FORMAT, RATING, LENGTH, YEAR].map(|field| field.max() << field.shift);
        let mask = all.into_iter().fold(0, |mask, field| mask | field);
        let none = Self { mask, add: FORMAT.max(), subtract_from: FORMAT.guard() | FORMAT.max() };
        Facet::ALL.into_iter().fold(none, Self::without)
    }
}

impl Test {
    /// Builds the test of a filter. The search is not part of it.
    pub(super) fn of(filter: &Filter) -> Self {
        let mut test = Self::default();
        if !filter.movie_formats.is_empty() {
            let formats = filter.movie_formats.iter().fold(0, |bits, format| bits | 1 << *format as u32);
            test.mask = test.mask & !FORMAT.max() | formats;
        }
        for (bounds, facet) in [
            (filter.rating, Facet::Rating),
            (filter.length, Facet::Length),
            (filter.release_year, Facet::ReleaseYear),
        ] {
            if bounds.min.is_some() || bounds.max.is_some() {
                let (min, max) = range(bounds, facet);
                test.set_range(facet, min, max);
            }
        }
        test
    }

    pub(super) const fn passes(self, packed: Packed) -> bool {
        let not_below = (packed.0 & self.mask).wrapping_add(self.add);
        let not_above = self.subtract_from.wrapping_sub(packed.0);
        not_below & not_above & GUARDS == GUARDS
    }

    /// Returns whether a facet value is allowed.
    pub(super) fn allows(self, facet: Facet, value: usize) -> bool {
        match facet {
            Facet::MovieFormat => self.mask >> value & 1 == 1,
            _ => self.range(facet).contains(&value),
        }
    }

    /// Iterates over the allowed values of a facet.
    pub(super) fn values(self, facet: Facet) -> impl Iterator<Item = usize> {
        let range = match facet {
            Facet::MovieFormat => 0..=FORMATS - 1,
            _ => self.range(facet),
        };
        range.filter(move |value| self.allows(facet, *value))
    }

    /// Returns whether all values of a facet are allowed.
    pub(super) fn allows_all(self, facet: Facet) -> bool {
        if facet == Facet::MovieFormat {
            return FORMAT.of(self.mask) == FORMAT.max();
        }
        let range = self.range(facet);
        *range.start() == 0 && *range.end() == facet.values() - 1
    }

    /// Restricts a facet to one value.
    pub(super) fn with(mut self, facet: Facet, value: usize) -> Self {
        let allows = self.allows(facet, value);
        match facet {
            Facet::MovieFormat => self.mask &= !FORMAT.max() | u32::from(allows) << value,
            _ if allows => self.set_range(facet, value, value),
            _ => self.set_range(facet, 1, 0),
        }
        self
    }

    /// Removes the restriction of a facet.
    pub(super) fn without(mut self, facet: Facet) -> Self {
        match facet {
            Facet::MovieFormat => self.mask |= FORMAT.max(),
            _ => self.set_range(facet, 0, facet.values() - 1),
        }
        self
    }

    fn range(self, facet: Facet) -> RangeInclusive<usize> {
        let field = facet.field();
        let min = (field.max() + 1) - (self.add >> field.shift & (field.max() * 2 + 1));
        min as usize..=field.of(self.subtract_from) as usize
    }

    #[expect(clippy::cast_possible_truncation, reason = "values are some hundreds")]
    const fn set_range(&mut self, facet: Facet, min: usize, max: usize) {
        let field = facet.field();
        let both = (field.max() * 2 + 1) << field.shift;
        self.add = (self.add & !both) | (field.guard() - ((min as u32) << field.shift));
        self.subtract_from = self.subtract_from & !both | field.guard() | (max as u32) << field.shift;
    }
}

fn range(bounds: Bounds, facet: Facet) -> (usize, usize) {
    let last = facet.values() - 1;
    let number = |end: i64| usize::try_from(end - facet.min()).unwrap_or(0).min(last);
    (bounds.min.map_or(0, number), bounds.max.map_or(last, number))
}
