//! Which movies pass a filter, and the first of them in an order behind a cursor.

use std::{cmp::Ordering, ops::Range};

use super::{
    Catalogue,
    column::{PAGE_VALUES, Slot},
    order::{Order, Place},
    packed::{Facet, Packed, Test},
    set::Set,
};
use crate::domain::{Cursor, Filter, KeyValue, Movie, MovieFormat, Sort, SortKey};

/// So few movies are rather looked at one by one than met on a way through an order.
const FEW: u64 = 512;
/// A look at a movie somewhere costs about as much as so many steps along an order, or as so many movies in the column
/// of what filters look at.
const STEPS_OF_A_LOOK: u64 = 4;
const SCANNED_IN_A_LOOK: u64 = 16;

/// Slots that are looked at together.
const SIDE_BY_SIDE: usize = u64::BITS as usize;

/// Movies with one value under a key that is no facet, of which a page sorts the rest.
const SHORT_RUN: usize = 4096;

pub(super) type Keys<'a> = &'a [(SortKey, bool)];

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
enum Source<'a> {
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
    fn contained(&self, slots: &[Slot]) -> u64 {
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

    fn passes(&self, slot: Slot) -> bool {
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
    fn estimate(&self) -> u64 {
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
    fn source(&self) -> (Source<'a>, u64) {
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
    fn with(&self, facet: Facet, value: usize) -> Self {
        Self { test: self.test.with(facet, value), ..self.clone() }
    }

    /// Those of them that are like another movie under a key.
    fn like(&self, key: SortKey, other: Slot) -> Self {
        let mut like = self.clone();
        like.like.push((key, other));
        like
    }
}

/// The first of some movies in an order, of which not more are kept than needed.
struct First<'a> {
    catalogue: &'a Catalogue,
    keys: Keys<'a>,
    limit: usize,
    movies: Vec<(u128, Slot)>,
    /// The rank of the last of the first ones, when these were last picked.
    last: u128,
}

impl<'a> First<'a> {
    const fn new(catalogue: &'a Catalogue, keys: Keys<'a>, limit: usize) -> Self {
        Self { catalogue, keys, limit, movies: Vec::new(), last: u128::MAX }
    }

    fn add(&mut self, slot: Slot) {
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

    /// Leaves the first ones, of which the last stands at the end.
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
    fn finish(mut self) -> impl Iterator<Item = Slot> {
        self.pick();
        self.movies.sort_unstable_by(|one, other| self.catalogue.compare_ranked(self.keys, one, other));
        self.movies.into_iter().map(|(_, slot)| slot)
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

/// What a cursor says of one key.
pub(super) enum Bound<'a> {
    /// The numbers of the titles that are the same.
    Title(Range<u64>),
    Value(&'a KeyValue),
}

/// Where a page goes on, for the keys that are not settled yet.
pub(super) type After<'a> = Option<&'a [Bound<'a>]>;

impl Catalogue {
    /// The first movies that pass the filter in an order, behind a cursor, at most `limit`.
    #[must_use]
    pub fn page(&self, filter: &Filter, sort: &Sort, after: Option<&Cursor>, limit: usize) -> Vec<Movie> {
        let found = self.found(filter);
        let matches = Matches::of(self, filter, found.as_deref());
        let after: Option<Vec<Bound<'_>>> = after.map(|after| {
            after.values().iter().zip(sort.keys()).map(|(value, (key, _))| self.bound(*key, value)).collect()
        });
        let slots = self.first(&matches, sort.keys(), after.as_deref(), limit);
        slots.into_iter().map(|slot| self.movie(slot)).collect()
    }

    fn bound<'a>(&self, key: SortKey, value: &'a KeyValue) -> Bound<'a> {
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
    fn run(&self, order: &Order, key: SortKey, at: Place, descending: bool) -> (Place, Place) {
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
        (from, to): (Place, Place),
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

    /// Where a movie stands to a place in the order.
    fn compare_to(&self, keys: Keys<'_>, slot: Slot, place: &[Bound<'_>]) -> Ordering {
        let orders = keys.iter().zip(place);
        let mut orders = orders
            .map(|((key, descending), bound)| directed(self.compare_value(*key, slot, bound), *descending));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// Where a movie stands to what a cursor says of a key.
    fn compare_value(&self, key: SortKey, slot: Slot, bound: &Bound<'_>) -> Ordering {
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

    /// How many movies have a value of a facet.
    pub(super) fn len_of(&self, facet: Facet, value: usize) -> u64 {
        self.facets[facet as usize].get(value).map_or(0, |value| value.len.into())
    }
}

/// For each of some slots, whether something is true of it, from the lowest bit on.
fn bits(slots: &[Slot], is: impl Fn(Slot) -> bool) -> u64 {
    slots.iter().rev().fold(0, |bits, slot| bits << 1 | u64::from(is(*slot)))
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

/// Where a value of a facet stands to what a cursor says of it.
fn compare_value(facet: Facet, value: usize, bound: &Bound<'_>) -> Ordering {
    match bound {
        Bound::Value(KeyValue::Text(text)) => MovieFormat::ALL[value].as_str().cmp(text),
        Bound::Value(KeyValue::Number(number)) => {
            (i64::try_from(value).unwrap_or(i64::MAX) + facet.min()).cmp(number)
        }
        Bound::Title(_) => Ordering::Equal, // no facet
    }
}
