//! The first movies in an order behind a cursor that pass a filter.

use std::cmp::Ordering;

use super::{
    Catalogue,
    column::Slot,
    matches::{Matches, SIDE_BY_SIDE},
    order::{Order, OrderPosition},
    packed::Facet,
    sort::{After, Bound, First, Keys, compare_value, directed, facet_of},
};
use crate::domain::{Cursor, Filter, KeyValue, Movie, Sort, SortKey};

/// So few movies are rather looked at one by one than met on a way through an order.
const FEW: u64 = 512;
/// A look at a movie somewhere costs about as much as so many steps along an order.
const STEPS_OF_A_LOOK: u64 = 4;
/// Movies with one value under a key that is no facet, of which a page sorts the rest.
const SHORT_RUN: usize = 4096;

/// A page that is being filled.
struct Filling {
    slots: Vec<Slot>,
    limit: usize,
    /// Steps that may still be taken through orders before the matches are picked out instead.
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

/// The way through an order was too long.
struct TooFar;

impl Catalogue {
    /// The first movies that pass the filter in an order, behind a cursor, at most `limit`.
    #[must_use]
    pub fn page(&self, filter: &Filter, sort: &Sort, after: Option<&Cursor>, limit: usize) -> Vec<Movie> {
        let found = self.found(filter);
        self.page_of(&Matches::of(self, filter, found.as_deref()), sort, after, limit)
    }

    /// The same, and how many movies pass the filter in all.
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

    /// The first matches in an order, behind a cursor, at most `limit`.
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

    /// Fills a page, as long as there is room.
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
        let (key, descending) = keys[0];
        if let Some(facet) = facet_of(key) {
            return self.fill_by_facet(page, matches, facet, keys, after);
        }
        let steps = page.room() as u64 * self.len as u64 / matches.estimate().max(1);
        if candidates * STEPS_OF_A_LOOK <= steps {
            self.pick(page, matches, keys, after);
            Ok(())
        } else if descending || !matches!(keys[1..], [] | [(SortKey::Id, false)]) {
            self.fill_by_runs(page, matches, keys, after)
        } else {
            self.fill_in_order(page, matches, key, after)
        }
    }

    /// Picks the matches out, and of these the first.
    fn pick(&self, page: &mut Filling, matches: &Matches<'_>, keys: Keys<'_>, after: After<'_>) {
        let mut first = First::new(self, keys, page.room());
        matches.for_each(|slot| {
            if after.is_none_or(|after| self.compare_to(keys, slot, after).is_gt()) {
                first.add(slot);
            }
        });
        page.slots.extend(first.finish());
    }

    /// One value of a facet after the other.
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

    /// Along an order which is the one that is wanted: ascending, and by id where it knows no difference.
    fn fill_in_order(
        &self,
        page: &mut Filling,
        matches: &Matches<'_>,
        key: SortKey,
        after: After<'_>,
    ) -> Result<(), TooFar> {
        let order = self.order(key);
        let keys = [(key, false), (SortKey::Id, false)];
        let keys = if key == SortKey::Id { &keys[1..] } else { &keys[..] };
        let start = after.map_or(Order::start(), |after| {
            order.partition(|slot| self.compare_to(keys, slot, after).is_le())
        });
        Self::walk(page, matches, order.from(start))
    }

    fn walk(
        page: &mut Filling,
        matches: &Matches<'_>,
        mut slots: impl Iterator<Item = Slot>,
    ) -> Result<(), TooFar> {
        let mut some = [0; SIDE_BY_SIDE];
        while !page.is_full() {
            let len = some.iter_mut().zip(&mut slots).map(|(place, slot)| *place = slot).count();
            if len == 0 {
                break;
            }
            page.step(len)?;
            let mut contained = matches.contained(&some[..len]);
            while contained != 0 && !page.is_full() {
                page.slots.push(some[contained.trailing_zeros() as usize]);
                contained &= contained - 1;
            }
        }
        Ok(())
    }

    /// Along an order, from one match to the next and to all that have the same value; of these the other keys tell
    /// the order.
    fn fill_by_runs(
        &self,
        page: &mut Filling,
        matches: &Matches<'_>,
        keys: Keys<'_>,
        after: After<'_>,
    ) -> Result<(), TooFar> {
        let (key, descending) = keys[0];
        let order = self.order(key);
        let is_before = |slot: Slot, after: &[Bound<'_>]| {
            let compared = self.compare_value(key, slot, &after[0]);
            if descending { compared.is_le() } else { compared.is_lt() }
        };
        let mut place = match after {
            Some(after) => order.partition(|slot| is_before(slot, after)),
            None if descending => order.end(),
            None => Order::start(),
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
                self.fill_from_run(page, matches, key, (from, to), &keys[1..], after)?;
            }
        }
        Ok(())
    }

    /// Where the movies with the same value as one begin and end; those that a walk has passed already aside.
    fn run(
        &self,
        order: &Order,
        key: SortKey,
        at: OrderPosition,
        descending: bool,
    ) -> (OrderPosition, OrderPosition) {
        let Some(first) = order.at(at) else { return (at, at) };
        // Nearly always the neighbour is another value already.
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

    fn fill_from_run(
        &self,
        page: &mut Filling,
        matches: &Matches<'_>,
        key: SortKey,
        (from, to): (OrderPosition, OrderPosition),
        keys: Keys<'_>,
        after: After<'_>,
    ) -> Result<(), TooFar> {
        let order = self.order(key);
        if keys == [(SortKey::Id, false)] {
            // As the order has them.
            let from = match (after, order.at(from)) {
                (Some([Bound::Value(KeyValue::Number(id))]), Some(like)) => order.partition(|slot| {
                    self.compare(key, slot, like).then_with(|| self.ids[slot].cmp(id)).is_le()
                }),
                _ => from,
            };
            return Self::walk(page, matches, order.between(from, to));
        }
        let run: Vec<Slot> = order.between(from, to).take(SHORT_RUN + 1).collect();
        if run.len() > SHORT_RUN {
            return self.fill(page, &matches.like(key, run[0]), keys, after);
        }
        page.step(run.len())?;
        let mut first = First::new(self, keys, page.room());
        let is_behind = |slot: &Slot| after.is_none_or(|after| self.compare_to(keys, *slot, after).is_gt());
        run.into_iter()
            .filter(|slot| matches.contains(*slot))
            .filter(is_behind)
            .for_each(|slot| first.add(slot));
        page.slots.extend(first.finish());
        Ok(())
    }

    const fn order(&self, key: SortKey) -> &Order {
        match key {
            SortKey::Title => self.titles.order(),
            SortKey::CreatedAt => &self.by_created_at,
            SortKey::UpdatedAt => &self.by_updated_at,
            _ => &self.by_id,
        }
    }
}
