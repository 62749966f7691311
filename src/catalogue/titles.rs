//! All movies sorted by title and id. Each title has a number with the same sort order.
//!
//! Two titles are compared by their numbers. Numbers have gaps, so that a new title gets a number between its
//! neighbours. When a gap is used up, the numbers around it are spread out again.

use super::{
    Catalogue,
    column::{Column, Slot},
    order::{Entry, Order, OrderPosition},
    packed::Packed,
};

#[derive(Default)]
pub(super) struct Titles {
    order: Order<TitleEntry>,
    /// The number of each slot. Movies with equal sort keys share a number.
    numbers: Column<u64>,
}

/// A movie in the order by title. Neighbours by title are far apart in memory, so each entry has a copy of the
/// facet values: a filter reads them in sequence.
#[derive(Clone, Copy, Default)]
pub(super) struct TitleEntry {
    pub(super) slot: Slot,
    pub(super) packed: Packed,
}

impl Entry for TitleEntry {
    fn slot(self) -> Slot {
        self.slot
    }

    fn packed(self, _: &Catalogue) -> Packed {
        self.packed
    }
}

/// The smallest gap that spreading out leaves.
const MIN_GAP: u64 = 1 << 20;

impl Titles {
    /// Creates the order from sorted entries; `is_same` returns whether two slots have equal sort keys.
    pub(super) fn of_sorted(entries: &[TitleEntry], is_same: impl Fn(Slot, Slot) -> bool) -> Self {
        let mut numbers = Column::of_len(entries.len());
        let gap = u64::MAX / (entries.len() as u64 + 1);
        let (mut number, mut before) = (0, None);
        for TitleEntry { slot, .. } in entries {
            if before.is_none_or(|before| !is_same(before, *slot)) {
                number += gap;
            }
            numbers[*slot] = number;
            before = Some(*slot);
        }
        Self { order: Order::of_sorted(entries), numbers }
    }

    pub(super) const fn order(&self) -> &Order<TitleEntry> {
        &self.order
    }

    /// Returns the number of a movie's title.
    pub(super) fn number(&self, slot: Slot) -> u64 {
        self.numbers[slot]
    }

    /// Inserts a movie at a position; `is_same` returns whether a slot has an equal sort key.
    pub(super) fn insert(&mut self, entry: TitleEntry, place: OrderPosition, is_same: impl Fn(Slot) -> bool) {
        let neighbours = [self.order.before(place), self.order.at(place)];
        let number = match neighbours.into_iter().flatten().find(|other| is_same(*other)) {
            Some(same) => self.numbers[same],
            None => self.between(place).unwrap_or_else(|| {
                self.spread_out(place);
                self.between(place).unwrap_or(u64::MAX) // the numbers are never exhausted
            }),
        };
        self.numbers.set(entry.slot, number);
        self.order.insert_at(place, entry);
    }

    /// Removes a movie; `is_before` returns whether a movie with the same title sorts before it.
    pub(super) fn remove(&mut self, slot: Slot, is_before: impl Fn(Slot) -> bool) {
        let (numbers, number) = (&self.numbers, self.numbers[slot]);
        self.order
            .remove(slot, |other| numbers[other] < number || (numbers[other] == number && is_before(other)));
    }

    /// Replaces the copy of a movie's facet values; `is_before` is as in [`Titles::remove`].
    pub(super) fn replace(&mut self, entry: TitleEntry, is_before: impl Fn(Slot) -> bool) {
        let (numbers, number) = (&self.numbers, self.numbers[entry.slot]);
        self.order.replace(entry, |other| {
            numbers[other] < number || (numbers[other] == number && is_before(other))
        });
    }

    /// Returns a number between the neighbours of a position.
    fn between(&self, place: OrderPosition) -> Option<u64> {
        let low = self.order.before(place).map_or(0, |slot| self.numbers[slot]);
        let high = self.order.at(place).map_or(u64::MAX, |slot| self.numbers[slot]);
        let number = low + (high - low) / 2;
        (low < number && number < high).then_some(number)
    }

    /// Spreads out the numbers around a position, over as many chunks as necessary.
    fn spread_out(&mut self, place: OrderPosition) {
        let mut radius = 1;
        loop {
            let (around, is_all) = self.order.around(place, radius);
            let low = self.order.before(around.start).map_or(0, |slot| self.numbers[slot]);
            let high = self.order.at(around.end).map_or(u64::MAX, |slot| self.numbers[slot]);
            let slots: Vec<Slot> = self.order.between(around.start, around.end).map(Entry::slot).collect();
            let gap = (high - low) / (slots.len() as u64 + 1);
            if gap < MIN_GAP && !is_all {
                radius *= 2;
                continue;
            }
            let (mut before, mut number) = (low, low);
            for slot in slots {
                let old = std::mem::replace(&mut before, self.numbers[slot]);
                if before == high {
                    break; // they share the number of the next title
                }
                if before != old {
                    number += gap;
                }
                self.numbers[slot] = number;
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test uses numbers as titles; `of_slot` maps slots to them.
    fn check(titles: &Titles, of_slot: &[u32]) {
        let order: Vec<Slot> = titles.order.from(OrderPosition::START).map(Entry::slot).collect();
        assert_eq!(order.len(), of_slot.len());
        for pair in order.windows(2) {
            let (one, other) = (of_slot[pair[0] as usize], of_slot[pair[1] as usize]);
            assert_eq!(
                one.cmp(&other),
                titles.number(pair[0]).cmp(&titles.number(pair[1])),
                "{one} and {other}"
            );
        }
    }

    fn entry(slot: Slot) -> TitleEntry {
        TitleEntry { slot, ..TitleEntry::default() }
    }

    fn insert(titles: &mut Titles, of_slot: &mut Vec<u32>, title: u32) {
        let slot = Slot::try_from(of_slot.len()).unwrap();
        of_slot.push(title);
        let place = titles.order.partition(|other| of_slot[other as usize] <= title);
        titles.insert(entry(slot), place, |other| of_slot[other as usize] == title);
    }

    #[test]
    fn titles_that_come_one_behind_the_other_keep_their_order() {
        let (mut titles, mut of_slot) = (Titles::default(), Vec::new());
        for title in 0..10_000 {
            insert(&mut titles, &mut of_slot, title / 3);
        }
        check(&titles, &of_slot);
    }

    #[test]
    fn titles_that_come_between_the_same_two_keep_their_order() {
        let slots = [0, 1, 2, 3].map(entry);
        let mut of_slot = vec![0, 0, 1_000_000, 1_000_000];
        let mut titles =
            Titles::of_sorted(&slots, |one, other| of_slot[one as usize] == of_slot[other as usize]);
        check(&titles, &of_slot);
        for n in 0..10_000 {
            let title = if n % 2 == 0 { 400_000 + n } else { 600_000 - n };
            insert(&mut titles, &mut of_slot, title);
        }
        check(&titles, &of_slot);
    }

    #[test]
    fn titles_that_go_leave_the_order_of_the_others() {
        let (mut titles, mut of_slot) = (Titles::default(), Vec::new());
        for title in 0..3000 {
            insert(&mut titles, &mut of_slot, title * 7919 % 1000);
        }
        for slot in 1500..3000 {
            titles.remove(slot, |other| other < slot);
        }
        of_slot.truncate(1500);
        check(&titles, &of_slot);
    }
}
