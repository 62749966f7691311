//! Pages of a sorted list: the first matches behind a cursor.

use std::cmp::Ordering;

use super::{
    Catalogue,
    column::Slot,
    matches::{Collector, Matches, SIDE_BY_SIDE},
    order::{Entry, Order, OrderPosition},
    packed::Facet,
    sort::{After, Bound, First, Keys, compare_value, directed, facet_of},
};
use crate::domain::{Cursor, Filter, KeyValue, Movie, Sort, SortKey};

/// Up to this number of matches, sort them all instead of walking along an order.
const FEW: u64 = 512;
/// Cost of one random access, in steps along an order.
const STEPS_OF_A_LOOK: u64 = 4;
/// Up to this number of expected steps, walk along the ids instead of selecting from the matches.
const FEW_STEPS: u64 = 2048;
/// The longest run of equal values under a key that a page sorts directly.
const SHORT_RUN: usize = 4096;

/// A page that is being filled.
struct Filling {
    slots: Vec<Slot>,
    limit: usize,
    /// Remaining steps along orders before the page falls back to selecting from all matches.
    steps: usize,
}

impl Filling {
    const fn room(&self) -> usize {
        self.limit.saturating_sub(self.slots.len())
    }

    const fn is_full(&self) -> bool {
        self.room() == 0
    }

    fn step(&mut self, steps: usize) -> Result<(), TooFar> {
        self.steps = self.steps.checked_sub(steps).ok_or(TooFar)?;
        Ok(())
    }
}

/// The walk along an order exceeded its steps.
struct TooFar;

impl Catalogue {
    /// Returns the first `limit` matches behind a cursor.
    #[must_use]
    pub fn page(&self, filter: &Filter, sort: &Sort, after: Option<&Cursor>, limit: usize) -> Vec<Movie> {
        let found = self.found(filter);
        self.page_of(&Matches::of(self, filter, found.as_deref()), sort, after, limit)
    }

    /// Does the same, and counts all matches.
    #[must_use]
    pub fn page_with_total(
        &self,
        filter: &Filter,
        sort: &Sort,
        after: Option<&Cursor>,
        limit: usize,
    ) -> (Vec<Movie>, u64) {
        let found = self.found(filter);
        let matches = Matches::of(self, filter, found.as_deref());
        (self.page_of(&matches, sort, after, limit), matches.count())
    }

    fn page_of(
        &self,
        matches: &Matches<'_>,
        sort: &Sort,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Vec<Movie> {
        let after: Option<Vec<Bound<'_>>> = after.map(|after| {
            after.values().iter().zip(sort.keys()).map(|(value, (key, _))| self.bound(*key, value)).collect()
        });
        let slots = self.first(matches, sort.keys(), after.as_deref(), limit);
        slots.into_iter().map(|slot| self.movie(slot)).collect()
    }

    /// Returns the slots of the first `limit` matches behind a cursor.
    pub(super) fn first(
        &self,
        matches: &Matches<'_>,
        keys: Keys<'_>,
        after: After<'_>,
        limit: usize,
    ) -> Vec<Slot> {
        let steps = usize::try_from(matches.source().1 * STEPS_OF_A_LOOK * 2).unwrap_or(usize::MAX);
        let mut page = Filling { slots: Vec::new(), limit, steps: steps.max(SHORT_RUN) };
        if self.fill(&mut page, matches, keys, after).is_err() {
            page.slots.clear();
            self.pick(&mut page, matches, keys, after);
        }
        page.slots
    }

    /// Adds matches to a page until it is full.
    fn fill(
        &self,
        page: &mut Filling,
        matches: &Matches<'_>,
        keys: Keys<'_>,
        after: After<'_>,
    ) -> Result<(), TooFar> {
        let candidates = matches.source().1;
        if candidates <= FEW {
            self.pick(page, matches, keys, after);
            return Ok(());
        }
        let (key, _) = keys[0];
        if let Some(facet) = facet_of(key) {
            return self.fill_by_facet(page, matches, facet, keys, after);
        }
        let steps = page.room() as u64 * self.len as u64 / matches.estimate().max(1);
        // The slots are nearly in the order of the ids, so a selection from the start skips most pages.
        let skips_pages = keys == [(SortKey::Id, false)]
            && after.is_none()
            && steps * matches.steps_of_a_test() > FEW_STEPS;
        if candidates * STEPS_OF_A_LOOK <= steps || skips_pages {
            self.pick(page, matches, keys, after);
            Ok(())
        } else {
            match key {
                SortKey::Title => self.fill_along(self.titles.order(), page, matches, keys, after),
                SortKey::CreatedAt => self.fill_along(&self.by_created_at, page, matches, keys, after),
                SortKey::UpdatedAt => self.fill_along(&self.by_updated_at, page, matches, keys, after),
                _ => self.fill_along(&self.by_id, page, matches, keys, after),
            }
        }
    }

    /// Fills a page along the order of the first sort key.
    fn fill_along<E: Entry>(
        &self,
        order: &Order<E>,
        page: &mut Filling,
        matches: &Matches<'_>,
        keys: Keys<'_>,
        after: After<'_>,
    ) -> Result<(), TooFar> {
        match keys {
            [(key, false)] | [(key, false), (SortKey::Id, false)] => {
                self.fill_in_order(order, page, matches, *key, after)
            }
            _ => self.fill_by_runs(order, page, matches, keys, after),
        }
    }

    /// Selects the first matches from all of them.
    fn pick(&self, page: &mut Filling, matches: &Matches<'_>, keys: Keys<'_>, after: After<'_>) {
        let mut first = First::new(self, keys, after, page.room());
        matches.collect(&mut first);
        page.slots.extend(first.finish());
    }

    /// Fills a page value by value of a facet that is the first sort key.
    fn fill_by_facet(
        &self,
        page: &mut Filling,
        matches: &Matches<'_>,
        facet: Facet,
        keys: Keys<'_>,
        after: After<'_>,
    ) -> Result<(), TooFar> {
        let descending = keys[0].1;
        let values = facet.values();
        for nth in 0..values {
            let value = if descending { values - 1 - nth } else { nth };
            if !matches.test.allows(facet, value) || self.len_of(facet, value) == 0 {
                continue;
            }
            let order = after.map(|after| directed(compare_value(facet, value, &after[0]), descending));
            let after = match order {
                Some(Ordering::Less) => continue,
                Some(Ordering::Equal) => after.map(|after| &after[1..]),
                _ => None,
            };
            self.fill(page, &matches.with(facet, value), &keys[1..], after)?;
            if page.is_full() {
                break;
            }
        }
        Ok(())
    }

    /// Fills a page along the order of the only sort key, ascending, with ties by id.
    fn fill_in_order<E: Entry>(
        &self,
        order: &Order<E>,
        page: &mut Filling,
        matches: &Matches<'_>,
        key: SortKey,
        after: After<'_>,
    ) -> Result<(), TooFar> {
        let keys = [(key, false), (SortKey::Id, false)];
        let keys = if key == SortKey::Id { &keys[1..] } else { &keys[..] };
        let start = after.map_or(OrderPosition::START, |after| {
            order.partition(|slot| self.compare_to(keys, slot, after).is_le())
        });
        Self::walk(page, matches, order.chunks(start, order.end()))
    }

    fn walk<'o, E: Entry + 'o>(
        page: &mut Filling,
        matches: &Matches<'_>,
        entries: impl Iterator<Item = &'o [E]>,
    ) -> Result<(), TooFar> {
        let cost = usize::try_from(matches.steps_of_a_test()).unwrap_or(1);
        for some in entries.flat_map(|chunk| chunk.chunks(SIDE_BY_SIDE)) {
            if page.is_full() {
                break;
            }
            page.step(some.len() * cost)?;
            let mut contained = matches.contained(some);
            while contained != 0 && !page.is_full() {
                page.slots.push(some[contained.trailing_zeros() as usize].slot());
                contained &= contained - 1;
            }
        }
        Ok(())
    }

    /// Fills a page along the order of the first sort key. Each run of equal values is sorted by the other
    /// keys.
    fn fill_by_runs<E: Entry>(
        &self,
        order: &Order<E>,
        page: &mut Filling,
        matches: &Matches<'_>,
        keys: Keys<'_>,
        after: After<'_>,
    ) -> Result<(), TooFar> {
        let (key, descending) = keys[0];
        let is_before = |slot: Slot, after: &[Bound<'_>]| {
            let compared = self.compare_value(key, slot, &after[0]);
            if descending { compared.is_le() } else { compared.is_lt() }
        };
        let mut place = match after {
            Some(after) => order.partition(|slot| is_before(slot, after)),
            None if descending => order.end(),
            None => OrderPosition::START,
        };
        while !page.is_full() {
            let next = if descending { order.step_back(place) } else { Some(place) };
            let Some((at, slot)) = next.and_then(|at| Some((at, order.at(at)?))) else { break };
            page.step(1)?;
            if !matches.contains(slot) {
                place = if descending { at } else { order.step(at) };
                continue;
            }
            let (from, to) = self.run(order, key, at, descending);
            place = if descending { from } else { to };
            let after = after.filter(|after| self.compare_value(key, slot, &after[0]).is_eq());
            let after = after.map(|after| &after[1..]);
            if after.is_none() && order.step(from) == to {
                page.slots.push(slot);
            } else {
                self.fill_from_run(order, page, matches, (from, to), keys, after)?;
            }
        }
        Ok(())
    }

    /// Returns the range of movies with the same value as the one `at` a position, without those that a walk has passed.
    fn run<E: Entry>(
        &self,
        order: &Order<E>,
        key: SortKey,
        at: OrderPosition,
        descending: bool,
    ) -> (OrderPosition, OrderPosition) {
        let Some(first) = order.at(at) else { return (at, at) };
        // The neighbour nearly always has another value, so check it before the binary search.
        let differs = |slot: Option<Slot>| slot.is_none_or(|slot| self.compare(key, slot, first).is_ne());
        let behind = order.step(at);
        if descending && differs(order.before(at)) {
            (at, behind)
        } else if descending {
            (order.partition(|slot| self.compare(key, slot, first).is_lt()), behind)
        } else if differs(order.at(behind)) {
            (at, behind)
        } else {
            (at, order.partition(|slot| self.compare(key, slot, first).is_le()))
        }
    }

    /// Fills a page from a range of movies with the same value under the first sort key. `after` has the cursor
    /// values of the other keys.
    fn fill_from_run<E: Entry>(
        &self,
        order: &Order<E>,
        page: &mut Filling,
        matches: &Matches<'_>,
        (from, to): (OrderPosition, OrderPosition),
        keys: Keys<'_>,
        after: After<'_>,
    ) -> Result<(), TooFar> {
        let ((key, _), keys) = (keys[0], &keys[1..]);
        if keys == [(SortKey::Id, false)] {
            // In ascending direction.
            let from = match (after, order.at(from)) {
                (Some([Bound::Value(KeyValue::Number(id))]), Some(like)) => order.partition(|slot| {
                    self.compare(key, slot, like).then_with(|| self.ids[slot].cmp(id)).is_le()
                }),
                _ => from,
            };
            return Self::walk(page, matches, order.chunks(from, to));
        }
        let run: Vec<Slot> = order.between(from, to).map(Entry::slot).take(SHORT_RUN + 1).collect();
        if run.len() > SHORT_RUN {
            return self.fill(page, &matches.like(key, run[0]), keys, after);
        }
        page.step(run.len())?;
        let mut first = First::new(self, keys, after, page.room());
        run.into_iter().filter(|slot| matches.contains(*slot)).for_each(|slot| first.add(slot));
        page.slots.extend(first.finish());
        Ok(())
    }
}
