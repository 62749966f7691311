//! Sets of slots. The representation depends on the size and density.

use std::ops::{
    ControlFlow::{self, Continue},
    Deref,
};

use roaring::RoaringBitmap;

use super::column::{PAGE_SLOTS, PAGE_VALUES, Slot};

/// A set of slots.
#[derive(Clone)]
pub(super) enum Set {
    /// Sorted slots.
    Few(Vec<Slot>),
    Many(RoaringBitmap),
    Dense(Bits),
}

/// A bitmap: larger than a compressed set, but several times faster.
#[derive(Clone, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
    len: u32,
}

/// The maximum size of a set that is stored as a list. Results of operations may be longer lists.
const MAX_FEW: usize = 16;
/// A set becomes a bitmap when it has 1/64 of all slots, and a compressed set again below half of that.
const DENSE_SHARE: u64 = 64;
/// A set smaller than this is never a bitmap.
const MIN_DENSE: u64 = 4096;
/// The representation is reviewed once for this many slots.
const CHECKED_EACH: Slot = 16;
/// Up to this number of slots, a union is gathered in a list.
const MAX_GATHERED: usize = 1024;

impl Default for Set {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Set {
    pub(super) fn of(slot: Slot) -> Self {
        Self::Few(vec![slot])
    }

    pub(super) fn insert(&mut self, slot: Slot) {
        match self {
            Self::Few(slots) => {
                if let Err(index) = slots.binary_search(&slot) {
                    slots.insert(index, slot);
                }
                if slots.len() > MAX_FEW {
                    *self = Self::Many(slots.iter().collect());
                }
            }
            Self::Many(slots) => {
                if slots.try_push(slot).is_err() {
                    slots.insert(slot); // not in ascending order
                }
                if slot.is_multiple_of(CHECKED_EACH) && is_dense(slots.len(), slots.max()) {
                    *self = Self::Dense(self.bits());
                }
            }
            Self::Dense(bits) => {
                bits.insert(slot);
                bits_or_many(self, slot);
            }
        }
    }

    pub(super) fn remove(&mut self, slot: Slot) {
        match self {
            Self::Few(slots) => slots.retain(|other| *other != slot),
            Self::Many(slots) => drop(slots.remove(slot)),
            Self::Dense(bits) => {
                bits.remove(slot);
                bits_or_many(self, slot);
            }
        }
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Few(slots) => slots.len() as u64,
            Self::Many(slots) => slots.len(),
            Self::Dense(bits) => bits.len.into(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Few(slots) => slots.is_empty(),
            Self::Many(slots) => slots.is_empty(),
            Self::Dense(bits) => bits.len == 0,
        }
    }

    fn max(&self) -> Option<Slot> {
        match self {
            Self::Few(slots) => slots.last().copied(),
            Self::Many(slots) => slots.max(),
            Self::Dense(bits) => bits.max(),
        }
    }

    /// Returns the slots that are in at least one of the other sets.
    pub(super) fn in_any(&self, others: &[impl Deref<Target = Self>]) -> Self {
        self.filtered(|slot| others.iter().any(|set| set.contains(slot)))
    }

    fn filtered(&self, is: impl Fn(Slot) -> bool) -> Self {
        let mut slots = Vec::new();
        self.for_each(|slot| {
            if is(slot) {
                slots.push(slot);
            }
        });
        Self::Few(slots)
    }

    pub(super) fn contains(&self, slot: Slot) -> bool {
        match self {
            Self::Few(slots) => slots.binary_search(&slot).is_ok(),
            Self::Many(slots) => slots.contains(slot),
            Self::Dense(bits) => bits.contains(slot),
        }
    }

    /// Calls `see` for each slot in ascending order.
    pub(super) fn for_each(&self, mut see: impl FnMut(Slot)) {
        self.for_each_by_page(|slot| {
            see(slot);
            Continue(())
        });
    }

    /// Calls `see` for each slot in ascending order. When it returns `Break`, skips the other slots of the same
    /// page of the columns.
    pub(super) fn for_each_by_page(&self, mut see: impl FnMut(Slot) -> ControlFlow<()>) {
        match self {
            Self::Few(slots) => {
                for page in slots.chunk_by(|one, other| next_page(*one) == next_page(*other)) {
                    let _ = page.iter().try_for_each(|slot| see(*slot));
                }
            }
            Self::Many(slots) => {
                let (mut slots, mut some, mut next) = (slots.iter(), [0; 256], 0);
                loop {
                    let some = slots.next_many(&mut some);
                    let Some(last) = some.last() else { break };
                    for slot in &*some {
                        if *slot >= next && see(*slot).is_break() {
                            next = next_page(*slot);
                        }
                    }
                    if next > *last {
                        slots.advance_to(next);
                    }
                }
            }
            Self::Dense(bits) => bits.for_each_by_page(see),
        }
    }

    /// Returns the intersection of two sets.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Dense(one), Self::Dense(other)) => Self::Dense(one.intersection(other)),
            (Self::Many(one), Self::Many(other)) => Self::Many(one & other),
            _ => {
                let (small, large) = if self.len() <= other.len() { (self, other) } else { (other, self) };
                match large {
                    Self::Dense(large) => small.filtered(|slot| large.contains(slot)),
                    large => small.filtered(|slot| large.contains(slot)),
                }
            }
        }
    }

    /// Returns the slots that are not in the other set.
    pub(super) fn difference(mut self, other: &Self) -> Self {
        match (&mut self, other) {
            (Self::Dense(one), Self::Dense(other)) => return Self::Dense(one.difference(other)),
            (Self::Few(slots), _) => slots.retain(|slot| !other.contains(*slot)),
            (Self::Many(slots), _) => other.for_each(|slot| {
                slots.remove(slot);
            }),
            (Self::Dense(slots), _) => other.for_each(|slot| slots.remove(slot)),
        }
        self
    }

    /// Returns the union of sets.
    pub(super) fn union<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sets: Vec<(u64, &Self)> = sets.into_iter().map(|set| (set.len(), set)).collect();
        if sets.iter().map(|(len, _)| len).sum::<u64>() <= MAX_GATHERED as u64 {
            let mut slots = Vec::new();
            for (_, set) in sets {
                set.for_each(|slot| slots.push(slot));
            }
            slots.sort_unstable();
            slots.dedup();
            return Self::Few(slots);
        }
        // Copy the largest set and add the others to it.
        let largest = sets.iter().enumerate().max_by_key(|(_, (len, _))| *len).map_or(0, |(at, _)| at);
        let mut all = match sets.swap_remove(largest).1 {
            Self::Dense(bits) => bits.clone(),
            other => other.bits(),
        };
        for (_, set) in sets {
            match set {
                Self::Dense(bits) => all.add(bits),
                _ => set.for_each(|slot| all.insert(slot)),
            }
        }
        Self::Dense(all)
    }

    fn bits(&self) -> Bits {
        let mut bits = Bits::default();
        bits.grow(self.max().map_or(0, |max| max as usize / 64 + 1));
        self.for_each(|slot| bits.insert(slot));
        bits
    }
}

/// Converts a bitmap that has become sparse. Checked only for every sixteenth slot.
fn bits_or_many(set: &mut Set, slot: Slot) {
    if let Set::Dense(bits) = set
        && slot.is_multiple_of(CHECKED_EACH)
        && !is_dense(u64::from(bits.len) * 2, bits.max())
    {
        let mut slots = RoaringBitmap::new();
        set.for_each(|slot| {
            slots.insert(slot);
        });
        *set = Set::Many(slots);
    }
}

/// Returns the first slot of the next page of the columns.
fn next_page(slot: Slot) -> Slot {
    slot.saturating_add(1).checked_next_multiple_of(PAGE_SLOTS).unwrap_or(Slot::MAX)
}

fn is_dense(len: u64, max: Option<Slot>) -> bool {
    len >= MIN_DENSE && len * DENSE_SHARE >= max.unwrap_or_default().into()
}

impl Bits {
    fn insert(&mut self, slot: Slot) {
        let word = slot as usize / 64;
        if word >= self.words.len() {
            self.grow(word + 1);
        }
        let bit = 1 << (slot % 64);
        self.len += u32::from(self.words[word] & bit == 0);
        self.words[word] |= bit;
    }

    /// Grows the bitmap to at least this number of words, with some reserve.
    fn grow(&mut self, words: usize) {
        if words > self.words.capacity() {
            self.words.reserve_exact(words + words / 8 - self.words.len());
        }
        self.words.resize(words.max(self.words.len()), 0);
    }

    fn remove(&mut self, slot: Slot) {
        let bit = 1 << (slot % 64);
        if let Some(word) = self.words.get_mut(slot as usize / 64) {
            self.len -= u32::from(*word & bit != 0);
            *word &= !bit;
        }
    }

    pub(super) fn contains(&self, slot: Slot) -> bool {
        self.words.get(slot as usize / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// The highest slot that fits.
    fn max(&self) -> Option<Slot> {
        Slot::try_from(self.words.len() * 64).ok()?.checked_sub(1)
    }

    fn for_each_by_page(&self, mut see: impl FnMut(Slot) -> ControlFlow<()>) {
        let pages = self.words.chunks(PAGE_VALUES / 64).zip((0..).step_by(PAGE_VALUES));
        'pages: for (page, first) in pages {
            for (word, first) in page.iter().zip((first..).step_by(64)) {
                let mut rest = *word;
                while rest != 0 {
                    if see(first + rest.trailing_zeros()).is_break() {
                        continue 'pages;
                    }
                    rest &= rest - 1;
                }
            }
        }
    }

    fn intersection(&self, other: &Self) -> Self {
        Self::of_words(self.words.iter().zip(&other.words).map(|(one, other)| one & other).collect())
    }

    fn difference(&self, other: &Self) -> Self {
        let others = other.words.iter().chain(std::iter::repeat(&0));
        Self::of_words(self.words.iter().zip(others).map(|(one, other)| one & !other).collect())
    }

    fn add(&mut self, other: &Self) {
        self.grow(other.words.len());
        self.len = 0;
        let others = other.words.iter().chain(std::iter::repeat(&0));
        for (word, other) in self.words.iter_mut().zip(others) {
            *word |= other;
            self.len += word.count_ones();
        }
    }

    fn of_words(words: Vec<u64>) -> Self {
        let len = words.iter().map(|word| word.count_ones()).sum();
        Self { words, len }
    }
}
