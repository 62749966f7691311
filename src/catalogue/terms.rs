//! The words of all titles, each with the movies in whose titles it stands: an inverted index.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

use levenshtein_automata::{DFA, SINK_STATE};

use super::{column::Slot, set::Set};
use crate::domain::{Nearness, Typed};

/// Beginnings of at most this many characters have a set of their own: words that share them are many.
const SHORT_CHARS: usize = 2;

/// A movie is added to a union so many times faster than it is looked for in a set.
const LOOKS_OF_A_UNION: u64 = 8;
/// Words that are passed over one by one, at most.
const MAX_PASSED: usize = 8;

/// The inverted index.
#[derive(Default)]
pub(super) struct Terms {
    words: BTreeMap<Box<[u8]>, Set>,
    /// By the first letters of words.
    short: HashMap<Box<[u8]>, Set>,
}

/// The inverted index while it is filled: words are put in order at last.
#[derive(Default)]
pub(super) struct Unordered {
    words: HashMap<Box<[u8]>, Set>,
    short: HashMap<Box<[u8]>, Set>,
}

/// The movies of several words.
struct Found<'a> {
    sets: Vec<&'a Set>,
    /// Those of all words together, a movie with several of them counted for each.
    len: u64,
}

impl<'a> Found<'a> {
    fn union(&self) -> Cow<'a, Set> {
        match self.sets[..] {
            [only] => Cow::Borrowed(only),
            _ => Cow::Owned(Set::union(self.sets.iter().copied())),
        }
    }
}

impl Unordered {
    pub(super) fn insert(&mut self, words: &[String], slot: Slot) {
        for word in words {
            insert_into(&mut self.words, word, slot);
            short_beginnings(word).for_each(|beginning| insert_into(&mut self.short, beginning, slot));
        }
    }

    pub(super) fn in_order(self) -> Terms {
        Terms { words: self.words.into_iter().collect(), short: self.short }
    }
}

impl Terms {
    pub(super) fn insert(&mut self, words: &[String], slot: Slot) {
        for word in words {
            match self.words.get_mut(word.as_bytes()) {
                Some(slots) => slots.insert(slot),
                None => drop(self.words.insert(word.as_bytes().into(), Set::of(slot))),
            }
            short_beginnings(word).for_each(|beginning| insert_into(&mut self.short, beginning, slot));
        }
    }

    pub(super) fn remove(&mut self, words: &[String], slot: Slot) {
        for word in words {
            if let Some(slots) = self.words.get_mut(word.as_bytes()) {
                slots.remove(slot);
                if slots.is_empty() {
                    self.words.remove(word.as_bytes());
                }
            }
            for beginning in short_beginnings(word) {
                if let Some(slots) = self.short.get_mut(beginning.as_bytes()) {
                    slots.remove(slot);
                    if slots.is_empty() {
                        self.short.remove(beginning.as_bytes());
                    }
                }
            }
        }
    }

    /// The movies in whose titles there is a word that begins with each of these; none where there are none of these.
    pub(super) fn search(&self, beginnings: &[String]) -> Option<Cow<'_, Set>> {
        let mut found: Vec<Found<'_>> = beginnings.iter().map(|word| self.beginning_with(word)).collect();
        found.sort_by_key(|found| found.len);
        let (rarest, others) = found.split_first()?;
        Some(others.iter().fold(rarest.union(), |movies, other| {
            // A union of many words costs more than to look for a few movies in each of these.
            Cow::Owned(if movies.len() * other.sets.len() as u64 * LOOKS_OF_A_UNION <= other.len {
                movies.into_owned().retain_any(&other.sets)
            } else {
                movies.intersection(&other.union())
            })
        }))
    }

    /// The movies in whose titles a word stands as it is.
    pub(super) fn whole(&self, word: &str) -> Option<&Set> {
        self.words.get(word.as_bytes())
    }

    /// The movies in whose titles a word begins so.
    fn beginning_with(&self, beginning: &str) -> Found<'_> {
        let sets: Vec<&Set> = if beginning.chars().nth(SHORT_CHARS).is_none() {
            self.short.get(beginning.as_bytes()).into_iter().collect()
        } else {
            let from = (Bound::Included(beginning.as_bytes()), Bound::Unbounded);
            let words = self.words.range::<[u8], _>(from);
            let words = words.take_while(|(word, _)| word.starts_with(beginning.as_bytes()));
            words.map(|(_, slots)| slots).collect()
        };
        Found { len: sets.iter().map(|set| set.len()).sum(), sets }
    }

    /// The movies in whose titles a word is near to a typed one, by how near it is: sets of which a movie may be in
    /// several.
    pub(super) fn near(&self, typed: &Typed) -> BTreeMap<Nearness, Vec<Cow<'_, Set>>> {
        let mut near: BTreeMap<Nearness, Vec<Cow<'_, Set>>> = BTreeMap::new();
        let Some(automaton) = typed.automaton() else {
            if let Some(slots) = self.words.get(typed.as_str().as_bytes()) {
                near.entry(Nearness::default()).or_default().push(Cow::Borrowed(slots));
            }
            let found = self.beginning_with(typed.as_str());
            let found = found.sets.into_iter().map(Cow::Borrowed).collect();
            near.insert(Nearness { errors: 0, beginnings: 1 }, found);
            return near;
        };
        let mut walk = Walk::new(automaton);
        let mut words = self.words.range::<[u8], _>(..);
        let mut dead: Option<&[u8]> = None;
        let mut passed = 0;
        // Words in their order; those that begin with what is beyond any forgiving are passed over, few of them one by
        // one, which is faster than to look for what is behind them.
        while let Some((word, slots)) = words.next() {
            if let Some(beginning) = dead.filter(|beginning| word.starts_with(beginning)) {
                passed += 1;
                if passed == MAX_PASSED {
                    let Some(next) = successor(beginning) else { break };
                    words = self.words.range::<[u8], _>((Bound::Included(next.as_slice()), Bound::Unbounded));
                }
                continue;
            }
            match walk.nearness(word) {
                Ok(Some(nearness)) => near.entry(nearness).or_default().push(Cow::Borrowed(slots)),
                Ok(None) => {}
                Err(at) => (dead, passed) = (Some(&word[..at]), 0),
            }
        }
        near
    }
}

fn insert_into(sets: &mut HashMap<Box<[u8]>, Set>, text: &str, slot: Slot) {
    match sets.get_mut(text.as_bytes()) {
        Some(slots) => slots.insert(slot),
        None => drop(sets.insert(text.as_bytes().into(), Set::of(slot))),
    }
}

/// The automaton's way along words that are asked for in their order: what two share is gone only once.
struct Walk<'a> {
    automaton: &'a DFA,
    word: Vec<u8>,
    /// The state behind each byte of the word, and the least errors of a beginning that ends there or before.
    states: Vec<(u32, Option<u8>)>,
}

impl<'a> Walk<'a> {
    const fn new(automaton: &'a DFA) -> Self {
        Self { automaton, word: Vec::new(), states: Vec::new() }
    }

    /// How near a word is, none where it is not near enough; an error is the length of a beginning after which no
    /// word can be near.
    fn nearness(&mut self, word: &[u8]) -> Result<Option<Nearness>, usize> {
        use levenshtein_automata::Distance;

        let shared = self.word.iter().zip(word).take_while(|(one, other)| one == other).count();
        let shared = shared.min(self.states.len());
        self.states.truncate(shared);
        self.word.clear();
        self.word.extend_from_slice(word);
        let (mut state, mut least) =
            self.states.last().copied().unwrap_or((self.automaton.initial_state(), None));
        for (index, byte) in word.iter().enumerate().skip(shared) {
            state = self.automaton.transition(state, *byte);
            if let Distance::Exact(errors) = self.automaton.distance(state) {
                least = Some(least.map_or(errors, |least| least.min(errors)));
            }
            self.states.push((state, least));
            if state == SINK_STATE && least.is_none() {
                return Err(index + 1);
            }
        }
        let of_all = match self.automaton.distance(state) {
            Distance::Exact(errors) => Some(errors),
            Distance::AtLeast(_) => None,
        };
        let beginnings = usize::from(of_all != least);
        Ok(least.map(|errors| Nearness { errors: errors.into(), beginnings }))
    }
}

/// The least text behind all that begin so.
fn successor(beginning: &[u8]) -> Option<Vec<u8>> {
    let last = beginning.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut next = beginning[..=last].to_vec();
    next[last] += 1;
    Some(next)
}

fn short_beginnings(word: &str) -> impl Iterator<Item = &str> {
    let ends = word.char_indices().map(|(at, c)| at + c.len_utf8());
    ends.take(SHORT_CHARS).map(|end| &word[..end])
}
