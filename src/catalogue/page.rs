//! Which movies pass a filter, and the first of them in an order behind a cursor.

use std::{borrow::Cow, cmp::Ordering};

use roaring::RoaringBitmap;

use super::{
    Catalogue,
    column::Slot,
    order::{Order, Place},
    packed::{Facet, Packed, Test},
    prefix,
};
use crate::domain::{Cursor, Filter, KeyValue, Movie, MovieFormat, Sort, SortKey};

/// So few matches are rather picked out and sorted than met on a way through an order.
const FEW: u64 = 4000;

/// Movies with one value under a key that is no facet, of which a page sorts the rest.
const SHORT_RUN: usize = 4096;

type Keys<'a> = &'a [(SortKey, bool)];

/// The movies that pass a filter.
#[derive(Clone)]
pub(super) struct Matches<'a> {
    catalogue: &'a Catalogue,
    pub(super) test: Test,
    /// Those that the search finds, where there is one.
    found: Option<Cow<'a, RoaringBitmap>>,
    /// Values that they have under keys that are no facets: like the movie in that slot.
    like: Vec<(SortKey, Slot)>,
}

impl<'a> Matches<'a> {
    pub(super) fn of(catalogue: &'a Catalogue, filter: &Filter) -> Self {
        let mut words: Vec<_> =
            filter.words.iter().map(|word| catalogue.terms.beginning_with(word)).collect();
        words.sort_by_key(|slots| slots.len());
        let found = words.into_iter().reduce(|one, other| Cow::Owned(&*one & &*other));
        Self { found, ..Self::without_search(catalogue, filter) }
    }

    /// Those that pass all of a filter but its search.
    pub(super) fn without_search(catalogue: &'a Catalogue, filter: &Filter) -> Self {
        Self { catalogue, test: Test::of(filter), found: None, like: Vec::new() }
    }

    /// Those that pass all but what is asked of one facet.
    pub(super) fn without(&self, facet: Facet) -> Self {
        Self { test: self.test.clone().without(facet), ..self.clone() }
    }

    pub(super) fn contains(&self, slot: Slot) -> bool {
        self.test.passes(self.catalogue.packed[slot])
            && self.found.as_ref().is_none_or(|found| found.contains(slot))
            && self.like.iter().all(|(key, other)| self.catalogue.compare(*key, slot, *other).is_eq())
    }

    /// Whether every movie passes.
    pub(super) fn is_all(&self) -> bool {
        self.test == Test::default() && self.found.is_none() && self.like.is_empty()
    }

    /// About how many there are, as if the parts of the filter knew nothing of each other.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate"
    )]
    fn estimate(&self) -> u64 {
        let all = self.catalogue.len.max(1) as f64;
        let found = self.found.as_ref().map_or(all, |found| found.len() as f64);
        let share = Facet::ALL.into_iter().map(|facet| self.of_facet(facet) as f64 / all).product::<f64>();
        (found * share) as u64
    }

    /// How many movies have a value that passes under a facet.
    fn of_facet(&self, facet: Facet) -> u64 {
        let sets = self.catalogue.facets[facet as usize].iter().enumerate();
        sets.filter(|(value, _)| self.test.allows(facet, *value)).map(|(_, set)| set.len()).sum()
    }

    /// The movies that have a value that passes under a facet.
    fn set_of_facet(&self, facet: Facet) -> RoaringBitmap {
        let sets = self.catalogue.facets[facet as usize].iter().enumerate();
        let sets = sets.filter(|(value, _)| self.test.allows(facet, *value)).map(|(_, set)| set);
        roaring::MultiOps::union(sets)
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
        if let Some(found) = &self.found
            && self.test == Test::default()
            && self.like.is_empty()
        {
            return found.len();
        }
        let mut count = 0;
        self.for_each_packed(|_| count += 1);
        count
    }

    pub(super) fn for_each_packed(&self, mut see: impl FnMut(Packed)) {
        if self.found.is_none() && self.like.is_empty() && self.rarest_facet().is_none() {
            for page in self.catalogue.packed.pages() {
                page.iter().filter(|packed| self.test.passes(**packed)).for_each(|packed| see(*packed));
            }
            return;
        }
        self.for_each(|slot| see(self.catalogue.packed[slot]));
    }

    /// Looks at each, beginning with the smallest set that has all of them.
    fn for_each(&self, mut see: impl FnMut(Slot)) {
        let rarest = self.rarest_facet();
        let by_facet = rarest.map(|facet| self.of_facet(facet));
        match (&self.found, rarest) {
            (Some(found), rarest)
                if rarest.is_none() || by_facet.is_some_and(|facet| found.len() <= facet) =>
            {
                found.iter().filter(|slot| self.contains(*slot)).for_each(see);
            }
            (_, Some(facet)) => {
                self.set_of_facet(facet).iter().filter(|slot| self.contains(*slot)).for_each(see);
            }
            _ => {
                let slots = u32::try_from(self.catalogue.rows.len()).unwrap_or(u32::MAX);
                (0..slots).filter(|slot| self.contains(*slot)).for_each(&mut see);
            }
        }
    }

    /// The facet of whose values the fewest movies pass, where that is worth more than a look at all of them.
    fn rarest_facet(&self) -> Option<Facet> {
        /// A set is gone through and made more slowly than a column.
        const WORTH: u64 = 8;
        let asked = Facet::ALL.into_iter().filter(|facet| !self.test.allows_all(*facet));
        let rarest = asked.min_by_key(|facet| self.of_facet(*facet))?;
        (self.of_facet(rarest) * WORTH < self.catalogue.len as u64).then_some(rarest)
    }

    /// Those of them with one value of a facet.
    fn with(&self, facet: Facet, value: usize) -> Self {
        Self { test: self.test.clone().with(facet, value), ..self.clone() }
    }

    /// Those of them that are like another movie under a key.
    fn like(&self, key: SortKey, other: Slot) -> Self {
        let mut like = self.clone();
        like.like.push((key, other));
        like
    }
}

/// A page that is being filled.
struct Filling {
    slots: Vec<Slot>,
    limit: usize,
    /// Steps that may still be taken through orders before the matches are picked out instead.
    steps: usize,
}

impl Filling {
    const fn is_full(&self) -> bool {
        self.slots.len() >= self.limit
    }
}

/// The way through an order was too long.
struct TooFar;

impl Catalogue {
    /// The first movies that pass the filter in an order, behind a cursor, at most `limit`.
    #[must_use]
    pub fn page(&self, filter: &Filter, sort: &Sort, after: Option<&Cursor>, limit: usize) -> Vec<Movie> {
        let matches = Matches::of(self, filter);
        let slots = self.first(&matches, sort.keys(), after.map(Cursor::values), limit);
        slots.into_iter().map(|slot| self.movie(slot)).collect()
    }

    fn first(
        &self,
        matches: &Matches<'_>,
        keys: Keys<'_>,
        after: Option<&[KeyValue]>,
        limit: usize,
    ) -> Vec<Slot> {
        let mut page = Filling { slots: Vec::new(), limit, steps: (self.len / 8).max(SHORT_RUN) };
        if self.fill(&mut page, matches, keys, after).is_ok() {
            return page.slots;
        }
        let mut slots = Vec::new();
        self.pick(&mut slots, matches, keys, after, limit);
        slots
    }

    /// Fills a page, as long as there is room.
    fn fill(
        &self,
        page: &mut Filling,
        matches: &Matches<'_>,
        keys: Keys<'_>,
        after: Option<&[KeyValue]>,
    ) -> Result<(), TooFar> {
        if matches.estimate() <= FEW {
            let room = page.limit - page.slots.len();
            self.pick(&mut page.slots, matches, keys, after, room);
            return Ok(());
        }
        let (key, descending) = keys[0];
        match facet_of(key) {
            Some(facet) => self.fill_by_facet(page, matches, facet, keys, after),
            None if descending || keys.len() > 2 => self.fill_by_runs(page, matches, keys, after),
            None => self.fill_in_order(page, matches, key, after),
        }
    }

    /// Picks the matches out, and of these the first.
    fn pick(
        &self,
        slots: &mut Vec<Slot>,
        matches: &Matches<'_>,
        keys: Keys<'_>,
        after: Option<&[KeyValue]>,
        limit: usize,
    ) {
        self.add_first(slots, matches.slots(), keys, after, limit);
    }

    /// Adds the first of some movies behind a place, in their order, at most `limit`.
    fn add_first(
        &self,
        slots: &mut Vec<Slot>,
        mut found: Vec<Slot>,
        keys: Keys<'_>,
        after: Option<&[KeyValue]>,
        limit: usize,
    ) {
        if let Some(after) = after {
            found.retain(|slot| self.compare_to(keys, *slot, after).is_gt());
        }
        sort_first(&mut found, limit, |one, other| self.compare_by(keys, one, other));
        slots.extend(found);
    }

    /// One value of a facet after the other.
    fn fill_by_facet(
        &self,
        page: &mut Filling,
        matches: &Matches<'_>,
        facet: Facet,
        keys: Keys<'_>,
        after: Option<&[KeyValue]>,
    ) -> Result<(), TooFar> {
        let descending = keys[0].1;
        let values = facet.values();
        for nth in 0..values {
            let value = if descending { values - 1 - nth } else { nth };
            if !matches.test.allows(facet, value)
                || self.facets[facet as usize].get(value).is_none_or(RoaringBitmap::is_empty)
            {
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
        after: Option<&[KeyValue]>,
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
        slots: impl Iterator<Item = Slot>,
    ) -> Result<(), TooFar> {
        for slot in slots {
            if page.is_full() {
                break;
            }
            page.steps = page.steps.checked_sub(1).ok_or(TooFar)?;
            if matches.contains(slot) {
                page.slots.push(slot);
            }
        }
        Ok(())
    }

    /// Along an order, from one run of movies with the same value to the next; within a run the other keys tell.
    fn fill_by_runs(
        &self,
        page: &mut Filling,
        matches: &Matches<'_>,
        keys: Keys<'_>,
        after: Option<&[KeyValue]>,
    ) -> Result<(), TooFar> {
        let (key, descending) = keys[0];
        let order = self.order(key);
        let mut place = match after {
            None if descending => order.end(),
            None => Order::start(),
            Some(after) if descending => {
                order.partition(|slot| self.compare_value(key, slot, &after[0]).is_le())
            }
            Some(after) => order.partition(|slot| self.compare_value(key, slot, &after[0]).is_lt()),
        };
        while !page.is_full() {
            let first = if descending { order.before(place) } else { order.at(place) };
            let Some(first) = first else { break };
            let (from, to) = self.run(order, key, place, first, descending);
            place = if descending { from } else { to };
            let after = after
                .filter(|after| self.compare_value(key, first, &after[0]).is_eq())
                .map(|after| &after[1..]);
            self.fill_from_run(page, matches, key, order, (from, to), &keys[1..], after)?;
        }
        Ok(())
    }

    /// The run of movies with the same value that begins, or when descending ends, at a place.
    fn run(
        &self,
        order: &Order,
        key: SortKey,
        place: Place,
        first: Slot,
        descending: bool,
    ) -> (Place, Place) {
        // Nearly always the neighbour is another value already.
        if descending {
            let only = order.step_back(place).unwrap_or(place);
            let is_only = order.before(only).is_none_or(|slot| self.compare(key, slot, first).is_ne());
            let from =
                if is_only { only } else { order.partition(|slot| self.compare(key, slot, first).is_lt()) };
            (from, place)
        } else {
            let only = order.step(place);
            let is_only = order.at(only).is_none_or(|slot| self.compare(key, slot, first).is_ne());
            let to =
                if is_only { only } else { order.partition(|slot| self.compare(key, slot, first).is_le()) };
            (place, to)
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a run, and what is wanted of it")]
    fn fill_from_run(
        &self,
        page: &mut Filling,
        matches: &Matches<'_>,
        key: SortKey,
        order: &Order,
        (from, to): (Place, Place),
        keys: Keys<'_>,
        after: Option<&[KeyValue]>,
    ) -> Result<(), TooFar> {
        if keys == [(SortKey::Id, false)] {
            // As the order has them.
            let from = match (after, order.at(from)) {
                (Some([KeyValue::Number(id)]), Some(like)) => order.partition(|slot| {
                    self.compare(key, slot, like).then_with(|| self.rows[slot].id.cmp(id)).is_le()
                }),
                _ => from,
            };
            return Self::walk(page, matches, order.between(from, to));
        }
        let run: Vec<Slot> = order.between(from, to).take(SHORT_RUN + 1).collect();
        if run.len() > SHORT_RUN {
            return self.fill(page, &matches.like(key, run[0]), keys, after);
        }
        page.steps = page.steps.checked_sub(run.len()).ok_or(TooFar)?;
        let found = run.into_iter().filter(|slot| matches.contains(*slot)).collect();
        let room = page.limit - page.slots.len();
        self.add_first(&mut page.slots, found, keys, after, room);
        Ok(())
    }

    const fn order(&self, key: SortKey) -> &Order {
        match key {
            SortKey::Title => &self.by_title,
            SortKey::CreatedAt => &self.by_created_at,
            SortKey::UpdatedAt => &self.by_updated_at,
            _ => &self.by_id,
        }
    }

    /// The order of two movies.
    fn compare_by(&self, keys: Keys<'_>, one: Slot, other: Slot) -> Ordering {
        let orders =
            keys.iter().map(|(key, descending)| directed(self.compare(*key, one, other), *descending));
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// Where a movie stands to a place in the order.
    fn compare_to(&self, keys: Keys<'_>, slot: Slot, place: &[KeyValue]) -> Ordering {
        let orders = keys.iter().zip(place);
        let mut orders = orders
            .map(|((key, descending), value)| directed(self.compare_value(*key, slot, value), *descending));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// Where a movie stands to a value under a key.
    fn compare_value(&self, key: SortKey, slot: Slot, value: &KeyValue) -> Ordering {
        let row = &self.rows[slot];
        match (key, value) {
            (SortKey::Title, KeyValue::Text(text)) => self.compare_title(slot, prefix(text), text),
            (SortKey::Id, KeyValue::Number(number)) => row.id.cmp(number),
            (SortKey::CreatedAt, KeyValue::Number(number)) => row.created_at.cmp(number),
            (SortKey::UpdatedAt, KeyValue::Number(number)) => row.updated_at.cmp(number),
            _ => match facet_of(key) {
                Some(facet) => compare_value(facet, self.packed[slot].value(facet), value),
                None => Ordering::Equal, // a cursor has a value of each key's kind
            },
        }
    }
}

/// Leaves the first of some movies, in their order.
pub(super) fn sort_first(slots: &mut Vec<Slot>, limit: usize, compare: impl Fn(Slot, Slot) -> Ordering) {
    if limit == 0 {
        slots.clear();
    } else if slots.len() > limit {
        slots.select_nth_unstable_by(limit - 1, |one, other| compare(*one, *other));
        slots.truncate(limit);
    }
    slots.sort_unstable_by(|one, other| compare(*one, *other));
}

const fn directed(order: Ordering, descending: bool) -> Ordering {
    if descending { order.reverse() } else { order }
}

const fn facet_of(key: SortKey) -> Option<Facet> {
    match key {
        SortKey::MovieFormat => Some(Facet::MovieFormat),
        SortKey::Rating => Some(Facet::Rating),
        SortKey::Length => Some(Facet::Length),
        SortKey::ReleaseYear => Some(Facet::ReleaseYear),
        SortKey::Id | SortKey::Title | SortKey::CreatedAt | SortKey::UpdatedAt => None,
    }
}

/// Where a value of a facet stands to one of a cursor.
fn compare_value(facet: Facet, value: usize, other: &KeyValue) -> Ordering {
    match other {
        KeyValue::Text(text) => MovieFormat::ALL[value].as_str().cmp(text),
        KeyValue::Number(number) => (i64::try_from(value).unwrap_or(i64::MAX) + facet.min()).cmp(number),
    }
}
