//! Comparison of movies by several sort keys, with each other and with a cursor.

use std::{cmp::Ordering, ops::Range};

use super::{Catalogue, column::Slot, matches::Collector, packed::Facet};
use crate::domain::{KeyValue, MovieFormat, SortKey};

pub(super) type Keys<'a> = &'a [(SortKey, bool)];

/// The value of a cursor under one key.
pub(super) enum Bound<'a> {
    /// The range of numbers of equal titles.
    Title(Range<u64>),
    Value(&'a KeyValue),
}

/// The cursor values of the remaining keys.
pub(super) type After<'a> = Option<&'a [Bound<'a>]>;

/// Selects the first `limit` movies of an order behind a cursor, and keeps few more than that in memory.
pub(super) struct First<'a> {
    catalogue: &'a Catalogue,
    keys: Keys<'a>,
    after: After<'a>,
    limit: usize,
    movies: Vec<(u128, Slot)>,
    /// The rank of the last selected movie; movies behind it are ignored.
    last: u128,
}

impl<'a> First<'a> {
    pub(super) const fn new(
        catalogue: &'a Catalogue,
        keys: Keys<'a>,
        after: After<'a>,
        limit: usize,
    ) -> Self {
        Self { catalogue, keys, after, limit, movies: Vec::new(), last: u128::MAX }
    }

    /// Keeps the first `limit` candidates; the last of them is at the end.
    fn pick(&mut self) {
        if self.limit == 0 {
            self.movies.clear();
        } else if self.movies.len() > self.limit {
            let (catalogue, keys) = (self.catalogue, self.keys);
            let compare = |one: &_, other: &_| catalogue.compare_ranked(keys, one, other);
            self.movies.select_nth_unstable_by(self.limit - 1, compare);
            self.movies.truncate(self.limit);
        }
    }

    /// Returns the selected movies in order.
    pub(super) fn finish(mut self) -> impl Iterator<Item = Slot> {
        self.pick();
        self.movies.sort_unstable_by(|one, other| self.catalogue.compare_ranked(self.keys, one, other));
        self.movies.into_iter().map(|(_, slot)| slot)
    }
}

impl Collector for First<'_> {
    fn add(&mut self, slot: Slot) {
        /// Candidates beyond the limit, so that the selection runs seldom.
        const SPARE: usize = 16;

        let rank = self.catalogue.rank(self.keys, slot);
        let is_before = |after| self.catalogue.compare_to(self.keys, slot, after).is_le();
        if rank > self.last || self.after.is_some_and(is_before) {
            return;
        }
        self.movies.push((rank, slot));
        if self.movies.len() >= self.limit * 2 + SPARE {
            self.pick();
            self.last = self.movies.last().map_or(self.last, |(rank, _)| *rank);
        }
    }

    fn wants_page_of(&self, slot: Slot) -> bool {
        self.catalogue.lower_bound_of_rank(self.keys, slot) <= self.last
    }
}

impl Catalogue {
    pub(super) fn bound<'a>(&self, key: SortKey, value: &'a KeyValue) -> Bound<'a> {
        match (key, value) {
            (SortKey::Title, KeyValue::Text(text)) => {
                let titles = self.titles.order();
                let number = |place| titles.at(place).map_or(u64::MAX, |slot| self.titles.number(slot));
                let start = titles.partition(|slot| self.key(slot) < text.as_str());
                let end = titles.partition(|slot| self.key(slot) <= text.as_str());
                Bound::Title(number(start)..number(end))
            }
            _ => Bound::Value(value),
        }
    }

    /// Encodes the leading sort keys of a movie as a number with the same sort order.
    fn rank(&self, keys: Keys<'_>, slot: Slot) -> u128 {
        let (mut rank, mut room) = (0, u128::BITS);
        for (key, descending) in keys {
            let (value, bits) = self.rank_under(*key, slot);
            if bits > room {
                break;
            }
            room -= bits;
            let value = if *descending { !value & (u64::MAX >> (u64::BITS - bits)) } else { value };
            rank = rank << bits | u128::from(value);
        }
        rank
    }

    /// Returns a number that is not above the rank of a movie, without reading the movie.
    fn lower_bound_of_rank(&self, keys: Keys<'_>, slot: Slot) -> u128 {
        match keys {
            [(SortKey::Id, false)] => in_order(self.ids.lower_bound(slot)).into(),
            _ => 0,
        }
    }

    /// Encodes one key of a movie. Returns the number and its width in bits.
    fn rank_under(&self, key: SortKey, slot: Slot) -> (u64, u32) {
        let facet = |facet| (self.packed[slot].value(facet) as u64, Facet::MAX_BITS);
        let signed = |number| (in_order(number), u64::BITS);
        match key {
            SortKey::Id => signed(self.ids[slot]),
            SortKey::Title => (self.titles.number(slot), u64::BITS),
            SortKey::CreatedAt => signed(self.rows[slot].created_at),
            SortKey::UpdatedAt => signed(self.rows[slot].updated_at),
            SortKey::MovieFormat => facet(Facet::MovieFormat),
            SortKey::Length => facet(Facet::Length),
            SortKey::ReleaseYear => facet(Facet::ReleaseYear),
            SortKey::Rating => facet(Facet::Rating),
        }
    }

    /// Compares two ranked movies.
    fn compare_ranked(&self, keys: Keys<'_>, one: &(u128, Slot), other: &(u128, Slot)) -> Ordering {
        let by_keys = || {
            let mut orders = keys
                .iter()
                .map(|(key, descending)| directed(self.compare(*key, one.1, other.1), *descending));
            orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        };
        one.0.cmp(&other.0).then_with(by_keys)
    }

    /// Compares a movie with a cursor.
    pub(super) fn compare_to(&self, keys: Keys<'_>, slot: Slot, place: &[Bound<'_>]) -> Ordering {
        let orders = keys.iter().zip(place);
        let mut orders = orders
            .map(|((key, descending), bound)| directed(self.compare_value(*key, slot, bound), *descending));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// Compares a movie with the cursor value of one key.
    pub(super) fn compare_value(&self, key: SortKey, slot: Slot, bound: &Bound<'_>) -> Ordering {
        match (key, bound) {
            (SortKey::Title, Bound::Title(same)) => {
                let number = self.titles.number(slot);
                if same.contains(&number) {
                    Ordering::Equal
                } else {
                    number.cmp(&same.start).then(Ordering::Greater)
                }
            }
            (SortKey::Id, Bound::Value(KeyValue::Number(number))) => self.ids[slot].cmp(number),
            (SortKey::CreatedAt, Bound::Value(KeyValue::Number(number))) => {
                self.rows[slot].created_at.cmp(number)
            }
            (SortKey::UpdatedAt, Bound::Value(KeyValue::Number(number))) => {
                self.rows[slot].updated_at.cmp(number)
            }
            _ => match facet_of(key) {
                Some(facet) => compare_value(facet, self.packed[slot].value(facet), bound),
                None => Ordering::Equal, // never: the cursor has a value of the key's type
            },
        }
    }
}

/// Encodes a number as an unsigned one with the same sort order.
const fn in_order(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}

pub(super) const fn directed(order: Ordering, descending: bool) -> Ordering {
    if descending { order.reverse() } else { order }
}

pub(super) const fn facet_of(key: SortKey) -> Option<Facet> {
    match key {
        SortKey::MovieFormat => Some(Facet::MovieFormat),
        SortKey::Rating => Some(Facet::Rating),
        SortKey::Length => Some(Facet::Length),
        SortKey::ReleaseYear => Some(Facet::ReleaseYear),
        SortKey::Id | SortKey::Title | SortKey::CreatedAt | SortKey::UpdatedAt => None,
    }
}

/// Compares a facet value with the cursor value.
pub(super) fn compare_value(facet: Facet, value: usize, bound: &Bound<'_>) -> Ordering {
    match bound {
        Bound::Value(KeyValue::Text(text)) => MovieFormat::ALL[value].as_str().cmp(text),
        Bound::Value(KeyValue::Number(number)) => {
            (i64::try_from(value).unwrap_or(i64::MAX) + facet.min()).cmp(number)
        }
        Bound::Title(_) => Ordering::Equal, // never: titles are no facet
    }
}
