//! The set of movies that match a filter, and the cheapest way to iterate over it.

use std::ops::ControlFlow::{self, Break, Continue};

use super::{
    Catalogue,
    column::{PAGE_VALUES, Slot},
    order::Entry,
    packed::{Facet, Packed, Test},
    set::Set,
};
use crate::domain::{Filter, SortKey};

/// Cost of one random access, in values of a sequential scan of the packed column.
const SCANNED_IN_A_LOOK: u64 = 16;

/// Cost of looking up a slot in a set that is no bitmap, in steps along an order.
const STEPS_OF_A_SEARCH: u64 = 8;

/// Slots tested together, one bit each.
pub(super) const SIDE_BY_SIDE: usize = u64::BITS as usize;

/// The movies that match a filter.
#[derive(Clone)]
pub(super) struct Matches<'a> {
    catalogue: &'a Catalogue,
    pub(super) test: Test,
    /// The result of the search, if the filter has one, and its size.
    found: Option<(&'a Set, u64)>,
    /// Further conditions: equal to the movie in this slot under a key that is no facet.
    like: Vec<(SortKey, Slot)>,
}

/// Receives matches.
pub(super) trait Collector {
    fn add(&mut self, slot: Slot);

    /// Returns false if no movie in the same page of the columns is of use; the page is skipped then.
    fn wants_page_of(&self, _: Slot) -> bool {
        true
    }
}

impl<F: FnMut(Slot)> Collector for F {
    fn add(&mut self, slot: Slot) {
        self(slot);
    }
}

/// A superset of the matches to iterate over.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    SearchResult(&'a Set),
    Facet(Facet),
    All,
}

impl<'a> Matches<'a> {
    /// Creates the set for a filter, given the result of its search.
    pub(super) fn of(catalogue: &'a Catalogue, filter: &Filter, found: Option<&'a Set>) -> Self {
        let found = found.map(|found| (found, found.len()));
        Self { catalogue, test: Test::of(filter), found, like: Vec::new() }
    }

    /// Drops the condition on one facet.
    pub(super) fn without(&self, facet: Facet) -> Self {
        Self { test: self.test.without(facet), ..self.clone() }
    }

    /// Returns a bit mask of the entries that match. Testing several at once overlaps the cache misses.
    pub(super) fn contained<E: Entry>(&self, entries: &[E]) -> u64 {
        let mut contained = u64::MAX >> (SIDE_BY_SIDE - entries.len());
        if self.test != Test::default() {
            contained &= bits(entries, |entry| self.test.passes(entry.packed(self.catalogue)));
        }
        contained &= match self.found {
            Some((Set::Dense(found), _)) => bits(entries, |entry| found.contains(entry.slot())),
            Some((found, _)) => bits(entries, |entry| found.contains(entry.slot())),
            None => u64::MAX,
        };
        if !self.like.is_empty() {
            contained &= bits(entries, |entry| self.is_like(entry.slot()));
        }
        contained
    }

    /// Returns whether a movie matches.
    pub(super) fn contains(&self, slot: Slot) -> bool {
        self.is_found(slot) && self.passes(slot) && self.is_like(slot)
    }

    fn is_found(&self, slot: Slot) -> bool {
        self.found.is_none_or(|(found, _)| found.contains(slot))
    }

    pub(super) fn passes(&self, slot: Slot) -> bool {
        self.test.passes(self.catalogue.packed[slot])
    }

    fn is_like(&self, slot: Slot) -> bool {
        self.like.iter().all(|(key, other)| self.catalogue.compare(*key, slot, *other).is_eq())
    }

    /// Returns the cost of testing a movie, in steps along an order.
    pub(super) fn steps_of_a_test(&self) -> u64 {
        match self.found {
            None | Some((Set::Dense(_), _)) => 1,
            Some(_) => STEPS_OF_A_SEARCH,
        }
    }

    /// Returns whether every movie matches.
    pub(super) fn is_all(&self) -> bool {
        self.test == Test::default() && self.found.is_none() && self.like.is_empty()
    }

    /// Estimates the number of matches, assuming that the conditions are independent.
    pub(super) fn estimate(&self) -> u64 {
        let all = self.catalogue.len.max(1) as u64;
        let found = self.found.map_or(all, |(_, len)| len);
        self.facets().fold(found, |matches, facet| matches * self.of_facet(facet) / all)
    }

    /// Iterates over the facets that the filter restricts.
    fn facets(&self) -> impl Iterator<Item = Facet> {
        Facet::ALL.into_iter().filter(|facet| !self.test.allows_all(*facet))
    }

    /// Counts the movies with an allowed value of a facet.
    fn of_facet(&self, facet: Facet) -> u64 {
        self.test.values(facet).map(|value| self.catalogue.len_of(facet, value)).sum()
    }

    /// Chooses the source that is cheapest to iterate over. Returns it with its size in movies.
    pub(super) fn source(&self) -> (Source<'a>, u64) {
        let len = self.catalogue.len as u64;
        let passing = self.facets().fold(len, |passing, facet| passing * self.of_facet(facet) / len.max(1));
        let all = (Source::All, len / SCANNED_IN_A_LOOK + passing);
        let found = self.found.map(|(found, len)| (Source::SearchResult(found), len));
        let facets = self.facets().map(|facet| (Source::Facet(facet), self.of_facet(facet)));
        facets.chain(found).fold(all, |least, source| if source.1 < least.1 { source } else { least })
    }

    /// Returns the slots of all matches.
    pub(super) fn slots(&self) -> Vec<Slot> {
        let mut slots = Vec::new();
        self.collect(&mut |slot| slots.push(slot));
        slots
    }

    pub(super) fn count(&self) -> u64 {
        if self.is_all() {
            return self.catalogue.len as u64;
        }
        match (self.found, self.source()) {
            (Some((_, len)), _) if self.test == Test::default() && self.like.is_empty() => len,
            (None, (Source::All, _)) if self.like.is_empty() => {
                let test = self.test;
                // The counters are per page, which has too few values for an overflow.
                let passing = |page: &[Packed; PAGE_VALUES]| {
                    page.iter().fold(0_u32, |count, packed| count.wrapping_add(test.passes(*packed).into()))
                };
                self.catalogue.packed.pages().map(|page| u64::from(passing(page))).sum()
            }
            _ => {
                let mut count = 0;
                self.collect(&mut |_| count += 1);
                count
            }
        }
    }

    pub(super) fn for_each_packed(&self, mut see: impl FnMut(Packed)) {
        self.collect(&mut |slot| see(self.catalogue.packed[slot]));
    }

    /// Gives the matches to a collector.
    pub(super) fn collect(&self, collector: &mut impl Collector) {
        let source = self.source().0;
        let is_search_result = matches!(source, Source::SearchResult(_));
        // The conditions that the source does not imply.
        let test = match source {
            Source::SearchResult(_) => self.test,
            Source::Facet(facet) => self.test.without(facet),
            Source::All => Test::default(),
        };
        let needs_no_test = test == Test::default();
        let passes = |slot: Slot| needs_no_test || test.passes(self.catalogue.packed[slot]);
        let see = |slot: Slot| {
            if !collector.wants_page_of(slot) {
                return Break(());
            }
            if passes(slot) && (is_search_result || self.is_found(slot)) && self.is_like(slot) {
                collector.add(slot);
            }
            Continue(())
        };
        match source {
            Source::SearchResult(found) => found.for_each_by_page(see),
            Source::Facet(facet) => self.for_each_of_facet(facet, see),
            Source::All => self.for_each_that_passes(see),
        }
    }

    fn for_each_of_facet(&self, facet: Facet, mut see: impl FnMut(Slot) -> ControlFlow<()>) {
        for value in self.test.values(facet) {
            if let Some(value) = self.catalogue.facets[facet as usize].get(value) {
                value.slots.for_each_by_page(&mut see);
            }
        }
    }

    /// Scans the packed column and calls `see` for each value that passes the test, until it returns `Break`
    /// for one of the page. The comparison is vectorized.
    fn for_each_that_passes(&self, mut see: impl FnMut(Slot) -> ControlFlow<()>) {
        let (test, mut passes) = (self.test, [0; PAGE_VALUES]);
        'pages: for (page, first) in self.catalogue.packed.pages().zip((0..).step_by(PAGE_VALUES)) {
            for (packed, passes) in page.iter().zip(&mut passes) {
                *passes = u8::from(test.passes(*packed));
            }
            for (eight, first) in passes.as_chunks().0.iter().zip((first..).step_by(8)) {
                let mut rest = u64::from_le_bytes(*eight);
                while rest != 0 {
                    if see(first + rest.trailing_zeros() / u8::BITS).is_break() {
                        continue 'pages;
                    }
                    rest &= rest - 1;
                }
            }
        }
    }

    /// Restricts the matches to one value of a facet.
    pub(super) fn with(&self, facet: Facet, value: usize) -> Self {
        Self { test: self.test.with(facet, value), ..self.clone() }
    }

    /// Restricts the matches to movies equal to another one under a key.
    pub(super) fn like(&self, key: SortKey, other: Slot) -> Self {
        let mut like = self.clone();
        like.like.push((key, other));
        like
    }
}

impl Catalogue {
    /// Counts the movies with a value of a facet.
    pub(super) fn len_of(&self, facet: Facet, value: usize) -> u64 {
        self.facets[facet as usize].get(value).map_or(0, |value| value.len.into())
    }
}

/// Returns a bit mask of the entries for which `is` returns true; the first entry is the lowest bit.
fn bits<E: Entry>(entries: &[E], is: impl Fn(E) -> bool) -> u64 {
    // A loop over bytes can be vectorized.
    let mut bytes = [0; SIDE_BY_SIDE];
    for (byte, entry) in bytes.iter_mut().zip(entries) {
        *byte = u8::from(is(*entry));
    }
    let (eights, _) = bytes.as_chunks();
    eights.iter().rev().fold(0, |bits, eight| bits << 8 | lowest_bits(*eight))
}

/// Gathers the lowest bits of eight bytes in one byte. The other bits of each are 0.
const fn lowest_bits(bytes: [u8; 8]) -> u64 {
    // The product has bit 0 of byte n in bit 56 + n.
    u64::from_le_bytes(bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56
}
