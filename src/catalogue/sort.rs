//! Where movies are in an order of several keys, by themselves and by a cursor.

use std::{cmp::Ordering, ops::Range};

use super::{Catalogue, column::Slot, packed::Facet};
use crate::domain::{KeyValue, MovieFormat, SortKey};

pub(super) type Keys<'a> = &'a [(SortKey, bool)];

/// What a cursor says of one key.
pub(super) enum Bound<'a> {
    /// The numbers of the titles that are the same.
    Title(Range<u64>),
    Value(&'a KeyValue),
}

/// Where a page goes on, for the keys that are not settled yet.
pub(super) type After<'a> = Option<&'a [Bound<'a>]>;

/// The first of some movies in an order, of which not more are kept than needed.
pub(super) struct First<'a> {
    catalogue: &'a Catalogue,
    keys: Keys<'a>,
    limit: usize,
    movies: Vec<(u128, Slot)>,
    /// The rank of the last of the first ones, when these were last picked.
    last: u128,
}

impl<'a> First<'a> {
    pub(super) const fn new(catalogue: &'a Catalogue, keys: Keys<'a>, limit: usize) -> Self {
        Self { catalogue, keys, limit, movies: Vec::new(), last: u128::MAX }
    }

    pub(super) fn add(&mut self, slot: Slot) {
        /// Kept beyond those that are wanted, so that these are picked seldom.
        const SPARE: usize = 256;

        let rank = self.catalogue.rank(self.keys, slot);
        if rank > self.last {
            return;
        }
        self.movies.push((rank, slot));
        if self.movies.len() >= self.limit * 2 + SPARE {
            self.pick();
            self.last = self.movies.last().map_or(self.last, |(rank, _)| *rank);
        }
    }

    /// Leaves the first ones, of which the last is at the end.
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

    /// The first ones in their order.
    pub(super) fn finish(mut self) -> impl Iterator<Item = Slot> {
        self.pick();
        self.movies.sort_unstable_by(|one, other| self.catalogue.compare_ranked(self.keys, one, other));
        self.movies.into_iter().map(|(_, slot)| slot)
    }
}

impl Catalogue {
    pub(super) fn bound<'a>(&self, key: SortKey, value: &'a KeyValue) -> Bound<'a> {
        match (key, value) {
            (SortKey::Title, KeyValue::Text(text)) => {
                let titles = self.titles.order();
                let number = |place| titles.at(place).map_or(u64::MAX, |slot| self.titles.number(slot));
                let start = titles.partition(|slot| self.key(slot) < text.as_bytes());
                let end = titles.partition(|slot| self.key(slot) <= text.as_bytes());
                Bound::Title(number(start)..number(end))
            }
            _ => Bound::Value(value),
        }
    }

    /// A number that sorts as movies do under as many keys as fit into it.
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

    /// A number of so many bits that sorts as movies do under a key.
    fn rank_under(&self, key: SortKey, slot: Slot) -> (u64, u32) {
        let facet = |facet| (self.packed[slot].value(facet) as u64, Facet::MAX_BITS);
        let signed = |number: i64| (number.cast_unsigned() ^ (1 << 63), u64::BITS);
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

    /// The order of two movies with their ranks.
    fn compare_ranked(&self, keys: Keys<'_>, one: &(u128, Slot), other: &(u128, Slot)) -> Ordering {
        let by_keys = || {
            let mut orders = keys
                .iter()
                .map(|(key, descending)| directed(self.compare(*key, one.1, other.1), *descending));
            orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        };
        one.0.cmp(&other.0).then_with(by_keys)
    }

    /// How a movie compares to a position in the order.
    pub(super) fn compare_to(&self, keys: Keys<'_>, slot: Slot, place: &[Bound<'_>]) -> Ordering {
        let orders = keys.iter().zip(place);
        let mut orders = orders
            .map(|((key, descending), bound)| directed(self.compare_value(*key, slot, bound), *descending));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// How a movie compares to the value of a cursor under a key.
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
                None => Ordering::Equal, // a cursor has a value of each key's kind
            },
        }
    }
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

/// How a value of a facet compares to that of a cursor.
pub(super) fn compare_value(facet: Facet, value: usize, bound: &Bound<'_>) -> Ordering {
    match bound {
        Bound::Value(KeyValue::Text(text)) => MovieFormat::ALL[value].as_str().cmp(text),
        Bound::Value(KeyValue::Number(number)) => {
            (i64::try_from(value).unwrap_or(i64::MAX) + facet.min()).cmp(number)
        }
        Bound::Title(_) => Ordering::Equal, // no facet
    }
}
