//! Which movies pass a filter, and how to get at them.

use super::{
    Catalogue,
    column::{PAGE_VALUES, Slot},
    packed::{Facet, Packed, Test},
    set::Set,
};
use crate::domain::{Filter, SortKey};

/// A look at a movie somewhere costs about as much as to scan so many in the column of what filters look at.
const SCANNED_IN_A_LOOK: u64 = 16;

/// Slots that are looked at together.
pub(super) const SIDE_BY_SIDE: usize = u64::BITS as usize;

/// The movies that pass a filter.
#[derive(Clone)]
pub(super) struct Matches<'a> {
    catalogue: &'a Catalogue,
    pub(super) test: Test,
    /// Those that the search finds, where there is one, and how many these are.
    found: Option<(&'a Set, u64)>,
    /// Values that they have under keys that are no facets: like the movie in that slot.
    like: Vec<(SortKey, Slot)>,
}

/// What has all matches.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Found(&'a Set),
    Facet(Facet),
    All,
}

impl<'a> Matches<'a> {
    /// Those that pass a filter, of what its search has found.
    pub(super) fn of(catalogue: &'a Catalogue, filter: &Filter, found: Option<&'a Set>) -> Self {
        let found = found.map(|found| (found, found.len()));
        Self { catalogue, test: Test::of(filter), found, like: Vec::new() }
    }

    /// Those that pass all but what is asked of one facet.
    pub(super) fn without(&self, facet: Facet) -> Self {
        Self { test: self.test.without(facet), ..self.clone() }
    }

    /// Which of some slots are those of matches, a bit for each. They are looked at side by side, as what is known of
    /// each is somewhere else in memory.
    pub(super) fn contained(&self, slots: &[Slot]) -> u64 {
        let mut contained = u64::MAX >> (SIDE_BY_SIDE - slots.len());
        if self.test != Test::default() {
            contained &= bits(slots, |slot| self.passes(slot));
        }
        if let Some((found, _)) = self.found {
            contained &= bits(slots, |slot| found.contains(slot));
        }
        if !self.like.is_empty() {
            contained &= bits(slots, |slot| self.is_like(slot));
        }
        contained
    }

    /// Whether a movie is one of them.
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

    /// Whether every movie passes.
    pub(super) fn is_all(&self) -> bool {
        self.test == Test::default() && self.found.is_none() && self.like.is_empty()
    }

    /// About how many there are, as if the parts of the filter knew nothing of each other.
    pub(super) fn estimate(&self) -> u64 {
        let all = self.catalogue.len.max(1) as u64;
        let found = self.found.map_or(all, |(_, len)| len);
        self.facets().fold(found, |matches, facet| matches * self.of_facet(facet) / all)
    }

    /// The facets of which not every value passes.
    fn facets(&self) -> impl Iterator<Item = Facet> {
        Facet::ALL.into_iter().filter(|facet| !self.test.allows_all(*facet))
    }

    /// How many movies have a value that passes under a facet.
    fn of_facet(&self, facet: Facet) -> u64 {
        self.test.values(facet).map(|value| self.catalogue.len_of(facet, value)).sum()
    }

    /// What has all of them and is looked at in the shortest time, and how many movies that would take.
    pub(super) fn source(&self) -> (Source<'a>, u64) {
        let len = self.catalogue.len as u64;
        let passing = self.facets().fold(len, |passing, facet| passing * self.of_facet(facet) / len.max(1));
        let all = (Source::All, len / SCANNED_IN_A_LOOK + passing);
        let found = self.found.map(|(found, len)| (Source::Found(found), len));
        let facets = self.facets().map(|facet| (Source::Facet(facet), self.of_facet(facet)));
        facets.chain(found).fold(all, |least, source| if source.1 < least.1 { source } else { least })
    }

    /// All of them.
    pub(super) fn slots(&self) -> Vec<Slot> {
        let mut slots = Vec::new();
        self.for_each(|slot| slots.push(slot));
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
                // A page has fewer values than overflow.
                let passing = |page: &[Packed; PAGE_VALUES]| {
                    page.iter().fold(0_u32, |count, packed| count.wrapping_add(test.passes(*packed).into()))
                };
                self.catalogue.packed.pages().map(|page| u64::from(passing(page))).sum()
            }
            _ => {
                let mut count = 0;
                self.for_each(|_| count += 1);
                count
            }
        }
    }

    pub(super) fn for_each_packed(&self, mut see: impl FnMut(Packed)) {
        self.for_each(|slot| see(self.catalogue.packed[slot]));
    }

    /// Looks at each.
    pub(super) fn for_each(&self, mut see: impl FnMut(Slot)) {
        let source = self.source().0;
        let is_found = matches!(source, Source::Found(_));
        let is_tested = matches!(source, Source::All) || self.test == Test::default();
        let see_match = |slot: Slot| {
            if (is_tested || self.passes(slot)) && (is_found || self.is_found(slot)) && self.is_like(slot) {
                see(slot);
            }
        };
        match source {
            Source::Found(found) => found.for_each(see_match),
            Source::Facet(facet) => self.for_each_of_facet(facet, see_match),
            Source::All => self.for_each_that_passes(see_match),
        }
    }

    fn for_each_of_facet(&self, facet: Facet, mut see: impl FnMut(Slot)) {
        for value in self.test.values(facet) {
            if let Some(value) = self.catalogue.facets[facet as usize].get(value) {
                value.slots.for_each(&mut see);
            }
        }
    }

    /// Looks at those that pass the test, of which many are tested at once.
    fn for_each_that_passes(&self, mut see: impl FnMut(Slot)) {
        let (test, mut passes) = (self.test, [0; PAGE_VALUES]);
        for (page, first) in self.catalogue.packed.pages().zip((0..).step_by(PAGE_VALUES)) {
            for (packed, passes) in page.iter().zip(&mut passes) {
                *passes = u8::from(test.passes(*packed));
            }
            for (eight, first) in passes.as_chunks().0.iter().zip((first..).step_by(8)) {
                let mut rest = u64::from_le_bytes(*eight);
                while rest != 0 {
                    see(first + rest.trailing_zeros() / u8::BITS);
                    rest &= rest - 1;
                }
            }
        }
    }

    /// Those of them with one value of a facet.
    pub(super) fn with(&self, facet: Facet, value: usize) -> Self {
        Self { test: self.test.with(facet, value), ..self.clone() }
    }

    /// Those of them that are like another movie under a key.
    pub(super) fn like(&self, key: SortKey, other: Slot) -> Self {
        let mut like = self.clone();
        like.like.push((key, other));
        like
    }
}

impl Catalogue {
    /// How many movies have a value of a facet.
    pub(super) fn len_of(&self, facet: Facet, value: usize) -> u64 {
        self.facets[facet as usize].get(value).map_or(0, |value| value.len.into())
    }
}

/// For each of some slots, whether something is true of it, from the lowest bit on.
fn bits(slots: &[Slot], is: impl Fn(Slot) -> bool) -> u64 {
    slots.iter().rev().fold(0, |bits, slot| bits << 1 | u64::from(is(*slot)))
}
