//! Sets of slots, each in the form that suits its size.

use roaring::RoaringBitmap;

use super::column::Slot;

/// A set of slots.
#[derive(Clone)]
pub(super) enum Set {
    /// In ascending order.
    Few(Vec<Slot>),
    Many(RoaringBitmap),
    Dense(Bits),
}

/// One bit for each slot: more memory than a compressed set of so many, and several times faster.
#[derive(Clone, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
    len: u32,
}

/// Slots of a set that is kept as a list, at most. Results of operations may be longer lists.
const MAX_FEW: usize = 16;
/// A set gets one bit a slot where this share of all slots is in it, and loses it at half of that.
const DENSE_SHARE: u64 = 64;
/// A smaller set is fast in any form.
const MIN_DENSE: u64 = 4096;
/// Whether a set is to be kept otherwise is looked at with every so many slots.
const CHECKED_EACH: Slot = 16;
/// So many slots are gathered as a list rather than in bits.
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
                    slots.insert(slot); // not behind all others
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

    /// Leaves the slots that are in one of the others.
    pub(super) fn retain_any(mut self, others: &[&Self]) -> Self {
        let is_in_any = |slot: Slot| others.iter().any(|set| set.contains(slot));
        if let Self::Few(slots) = &mut self {
            slots.retain(|slot| is_in_any(*slot));
            return self;
        }
        let mut slots = Vec::new();
        self.for_each(|slot| {
            if is_in_any(slot) {
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

    /// Looks at each slot, in ascending order.
    pub(super) fn for_each(&self, mut see: impl FnMut(Slot)) {
        match self {
            Self::Few(slots) => slots.iter().copied().for_each(see),
            Self::Many(slots) => {
                let (mut slots, mut some) = (slots.iter(), [0; 256]);
                loop {
                    let some = slots.next_many(&mut some);
                    if some.is_empty() {
                        break;
                    }
                    some.iter().copied().for_each(&mut see);
                }
            }
            Self::Dense(bits) => bits.for_each(see),
        }
    }

    /// The slots that are in both.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Dense(one), Self::Dense(other)) => Self::Dense(one.intersection(other)),
            (Self::Many(one), Self::Many(other)) => Self::Many(one & other),
            _ => {
                let (small, large) = if self.len() <= other.len() { (self, other) } else { (other, self) };
                let mut both = Vec::new();
                small.for_each(|slot| {
                    if large.contains(slot) {
                        both.push(slot);
                    }
                });
                Self::Few(both)
            }
        }
    }

    /// Those of the slots that are not in the other set.
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

    /// The slots that are in one of the sets.
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
        // To the largest, which is copied, the others are added.
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

/// Keeps a set of bits in another form where too few are left; looked at with every so many slots.
fn bits_or_many(set: &mut Set, slot: Slot) {
    if let Set::Dense(bits) = set
        && slot.is_multiple_of(CHECKED_EACH)
        && !is_dense(u64::from(bits.len) * 2, bits.max())
    {
        let mut slots = RoaringBitmap::new();
        bits.for_each(|slot| {
            slots.insert(slot);
        });
        *set = Set::Many(slots);
    }
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

    /// Makes room for so many words, and some more.
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

    fn contains(&self, slot: Slot) -> bool {
        self.words.get(slot as usize / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// The last slot that there is room for.
    fn max(&self) -> Option<Slot> {
        Slot::try_from(self.words.len() * 64).ok()?.checked_sub(1)
    }

    fn for_each(&self, mut see: impl FnMut(Slot)) {
        for (first, word) in (0..).step_by(64).zip(&self.words) {
            let mut rest = *word;
            while rest != 0 {
                see(first + rest.trailing_zeros());
                rest &= rest - 1;
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
