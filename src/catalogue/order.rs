//! A sorted list of all slots under one sort key, updated as movies change.

use std::ops::Range;

use super::{Catalogue, column::Slot, packed::Packed};

/// Sorted entries in chunks of a bounded size. A lookup is a binary search; an update moves at most one chunk.
pub(super) struct Order<E = Slot> {
    chunks: Vec<Vec<E>>,
}

/// An entry of an order: the slot of a movie, and possibly a copy of what filters test.
pub(super) trait Entry: Copy {
    fn slot(self) -> Slot;

    /// Returns the facet values of the movie.
    fn packed(self, catalogue: &Catalogue) -> Packed;
}

impl Entry for Slot {
    fn slot(self) -> Slot {
        self
    }

    fn packed(self, catalogue: &Catalogue) -> Packed {
        catalogue.packed[self]
    }
}

/// A position in an order: before the slot at this index of this chunk. The end position has `chunk` equal to
/// the number of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OrderPosition {
    chunk: usize,
    index: usize,
}

impl OrderPosition {
    pub(super) const START: Self = Self { chunk: 0, index: 0 };
}

/// The maximum number of entries in a chunk; a full chunk is split in two.
const CHUNK_ENTRIES: usize = 1024;

impl<E> Default for Order<E> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<E: Entry> Order<E> {
    /// Creates an order from sorted entries.
    pub(super) fn of_sorted(entries: &[E]) -> Self {
        Self { chunks: entries.chunks(CHUNK_ENTRIES / 8 * 7).map(<[E]>::to_vec).collect() }
    }

    /// Returns the first position for which `is_before` is false, by binary search.
    pub(super) fn partition(&self, is_before: impl Fn(Slot) -> bool) -> OrderPosition {
        let is_before = |entry: &E| is_before(entry.slot());
        let chunk = self.chunks.partition_point(|chunk| chunk.last().is_some_and(is_before));
        let index = self.chunks.get(chunk).map_or(0, |chunk| chunk.partition_point(is_before));
        OrderPosition { chunk, index }
    }

    /// Does the same, starting at an estimate of the position (0.0 to 1.0 of the length).
    pub(super) fn partition_near(&self, share: f64, is_before: impl Fn(Slot) -> bool) -> OrderPosition {
        #[expect(clippy::cast_precision_loss, reason = "a guess")]
        let guess = share.clamp(0.0, 1.0) * self.chunks.len() as f64;
        let is_chunk_before =
            |chunk: usize| self.chunks[chunk].last().is_some_and(|last| is_before(last.slot()));
        let chunk = partition_near(self.chunks.len(), guess, is_chunk_before);
        let Some(entries) = self.chunks.get(chunk) else { return self.end() };
        #[expect(clippy::cast_precision_loss, reason = "a guess")]
        let guess = (guess - chunk as f64).clamp(0.0, 1.0) * entries.len() as f64;
        OrderPosition {
            chunk,
            index: partition_near(entries.len(), guess, |index| is_before(entries[index].slot())),
        }
    }

    pub(super) fn insert(&mut self, entry: E, is_before: impl Fn(Slot) -> bool) {
        self.insert_at(self.partition(is_before), entry);
    }

    pub(super) fn insert_at(&mut self, mut place: OrderPosition, entry: E) {
        if place.chunk == self.chunks.len() {
            // Behind the last slot: append to the last chunk.
            if self.chunks.is_empty() {
                self.chunks.push(Vec::new());
            }
            place = OrderPosition {
                chunk: self.chunks.len() - 1,
                index: self.chunks[self.chunks.len() - 1].len(),
            };
        }
        let chunk = &mut self.chunks[place.chunk];
        chunk.insert(place.index, entry);
        if chunk.len() > CHUNK_ENTRIES {
            // When slots are appended in order, as most are, start a new chunk instead of splitting the full
            // one in half.
            let at_the_end = place.index + 1 == chunk.len();
            let behind = chunk.split_off(if at_the_end { CHUNK_ENTRIES / 8 * 7 } else { CHUNK_ENTRIES / 2 });
            self.chunks.insert(place.chunk + 1, behind);
        }
    }

    pub(super) fn remove(&mut self, slot: Slot, is_before: impl Fn(Slot) -> bool) {
        let OrderPosition { chunk, index } = self.partition(is_before);
        debug_assert_eq!(self.at(OrderPosition { chunk, index }), Some(slot));
        if let Some(entries) = self.chunks.get_mut(chunk)
            && entries.get(index).is_some_and(|entry| entry.slot() == slot)
        {
            entries.remove(index);
            if entries.is_empty() {
                self.chunks.remove(chunk);
            }
        }
    }

    /// Replaces the entry of a slot, which keeps its position.
    pub(super) fn replace(&mut self, entry: E, is_before: impl Fn(Slot) -> bool) {
        let place = self.partition(is_before);
        debug_assert_eq!(self.at(place), Some(entry.slot()));
        let old = self.chunks.get_mut(place.chunk).and_then(|entries| entries.get_mut(place.index));
        if let Some(old) = old.filter(|old| old.slot() == entry.slot()) {
            *old = entry;
        }
    }

    pub(super) fn end(&self) -> OrderPosition {
        OrderPosition { chunk: self.chunks.len(), index: 0 }
    }

    /// Returns a range of whole chunks: `chunks` on both sides of a position. Also returns whether it is the
    /// whole order.
    pub(super) fn around(&self, place: OrderPosition, chunks: usize) -> (Range<OrderPosition>, bool) {
        let start = place.chunk.saturating_sub(chunks);
        let end = (place.chunk + chunks + 1).min(self.chunks.len());
        let place = |chunk| OrderPosition { chunk, index: 0 };
        (place(start)..place(end), start == 0 && end == self.chunks.len())
    }

    /// Iterates over the entries from a position to the end.
    pub(super) fn from(&self, place: OrderPosition) -> impl Iterator<Item = E> {
        self.between(place, self.end())
    }

    /// Iterates over the entries between two positions.
    pub(super) fn between(&self, from: OrderPosition, to: OrderPosition) -> impl Iterator<Item = E> {
        self.chunks(from, to).flatten().copied()
    }

    /// Iterates over the entries between two positions, in slices.
    pub(super) fn chunks(&self, from: OrderPosition, to: OrderPosition) -> impl Iterator<Item = &[E]> {
        let chunks =
            self.chunks.iter().enumerate().skip(from.chunk).take_while(move |(chunk, _)| *chunk <= to.chunk);
        chunks.map(move |(chunk, entries)| {
            let end = if chunk == to.chunk { to.index } else { entries.len() };
            let start = if chunk == from.chunk { from.index } else { 0 };
            &entries[start.min(end)..end]
        })
    }

    /// Returns the slot before a position.
    pub(super) fn before(&self, place: OrderPosition) -> Option<Slot> {
        self.at(self.step_back(place)?)
    }

    /// Returns the slot at a position.
    pub(super) fn at(&self, place: OrderPosition) -> Option<Slot> {
        Some(self.chunks.get(place.chunk)?.get(place.index)?.slot())
    }

    /// Returns the position of the slot before a position, if there is one.
    pub(super) fn step_back(&self, place: OrderPosition) -> Option<OrderPosition> {
        if let Some(index) = place.index.checked_sub(1) {
            return Some(OrderPosition { index, ..place });
        }
        let chunk = place.chunk.checked_sub(1)?;
        Some(OrderPosition { chunk, index: self.chunks[chunk].len() - 1 })
    }

    /// Returns the next position.
    pub(super) fn step(&self, place: OrderPosition) -> OrderPosition {
        match self.chunks.get(place.chunk) {
            Some(chunk) if place.index + 1 < chunk.len() => OrderPosition { index: place.index + 1, ..place },
            Some(_) => OrderPosition { chunk: place.chunk + 1, index: 0 },
            None => place,
        }
    }
}

/// Partition point of `0..len` by exponential search from a guess.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a guess that is not negative")]
fn partition_near(len: usize, guess: f64, is_before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high, mut step) = (0, (guess as usize).min(len), 1);
    if high < len && is_before(high) {
        low = high + 1;
        while low + step < len && is_before(low + step) {
            low += step + 1;
            step *= 2;
        }
        high = len.min(low + step);
    } else {
        while high > 0 {
            let probe = high.saturating_sub(step);
            if is_before(probe) {
                low = probe + 1;
                break;
            }
            high = probe;
            step *= 2;
        }
    }
    while low < high {
        let middle = low.midpoint(high);
        if is_before(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_from_every_guess() {
        for len in [0, 1, 2, 17, 100] {
            for before in 0..=len {
                for guess in [0.0, 1.0, 40.0, 99.0, 1e9] {
                    assert_eq!(partition_near(len, guess, |number| number < before), before, "{len} {guess}");
                }
            }
        }
    }

    #[test]
    fn a_place_in_an_order_is_the_same_from_every_guess() {
        let slots: Vec<Slot> = (0..5000).map(|slot| slot * 2).collect();
        let order = Order::of_sorted(&slots);
        for wanted in [0, 1, 2, 895, 896, 897, 5000, 9997, 9998, 9999, 20_000] {
            for share in [-1.0, 0.0, 0.3, 0.999, 1.0, f64::NAN] {
                let is_before = |slot| slot < wanted;
                assert_eq!(
                    order.partition_near(share, is_before),
                    order.partition(is_before),
                    "{wanted} {share}"
                );
            }
        }
    }
}
