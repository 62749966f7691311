//! The words of all titles, each with the movies in whose titles it stands: an inverted index.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

use levenshtein_automata::{DFA, SINK_STATE};
use roaring::RoaringBitmap;

use super::column::Slot;
use crate::domain::{Nearness, Typed};

/// Beginnings of at most this many characters have a set of their own: words that share them are many.
const SHORT_CHARS: usize = 2;
/// Movies of a word that are kept in a plain list, at most.
const MAX_FEW: usize = 16;

/// The movies of one word.
enum Postings {
    /// In ascending order.
    Few(Vec<Slot>),
    Many(RoaringBitmap),
}

/// The inverted index.
#[derive(Default)]
pub(super) struct Terms {
    words: BTreeMap<Box<[u8]>, Postings>,
    /// By the first letters of words.
    short: HashMap<Box<str>, RoaringBitmap>,
}

impl Postings {
    fn insert(&mut self, slot: Slot) {
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
                slots.insert(slot);
            }
        }
    }

    /// Takes a movie out; tells whether none is left.
    fn remove(&mut self, slot: Slot) -> bool {
        match self {
            Self::Few(slots) => {
                slots.retain(|other| *other != slot);
                slots.is_empty()
            }
            Self::Many(slots) => {
                slots.remove(slot);
                slots.is_empty()
            }
        }
    }

    fn add_to(&self, all: &mut RoaringBitmap) {
        match self {
            Self::Few(slots) => all.extend(slots),
            Self::Many(slots) => *all |= slots,
        }
    }
}

impl Terms {
    pub(super) fn insert(&mut self, words: &[String], slot: Slot) {
        for word in words {
            match self.words.get_mut(word.as_bytes()) {
                Some(postings) => postings.insert(slot),
                None => {
                    self.words.insert(word.as_bytes().into(), Postings::Few(vec![slot]));
                }
            }
            for beginning in short_beginnings(word) {
                match self.short.get_mut(beginning) {
                    Some(slots) => {
                        slots.insert(slot);
                    }
                    None => {
                        self.short.insert(beginning.into(), RoaringBitmap::from_iter([slot]));
                    }
                }
            }
        }
    }

    pub(super) fn remove(&mut self, words: &[String], slot: Slot) {
        for word in words {
            if self.words.get_mut(word.as_bytes()).is_some_and(|postings| postings.remove(slot)) {
                self.words.remove(word.as_bytes());
            }
            for beginning in short_beginnings(word) {
                if let Some(slots) = self.short.get_mut(beginning) {
                    slots.remove(slot);
                    if slots.is_empty() {
                        self.short.remove(beginning);
                    }
                }
            }
        }
    }

    /// The movies in whose titles a word begins so.
    pub(super) fn beginning_with(&self, beginning: &str) -> Cow<'_, RoaringBitmap> {
        if beginning.chars().nth(SHORT_CHARS).is_none() {
            return self.short.get(beginning).map_or_else(Cow::default, Cow::Borrowed);
        }
        let from = (Bound::Included(beginning.as_bytes()), Bound::Unbounded);
        let found = self.words.range::<[u8], _>(from);
        let mut found = found.take_while(|(word, _)| word.starts_with(beginning.as_bytes())).map(|(_, p)| p);
        match (found.next(), found.next()) {
            (None, _) => Cow::default(),
            (Some(Postings::Many(slots)), None) => Cow::Borrowed(slots),
            (Some(first), second) => {
                let mut all = RoaringBitmap::new();
                for postings in [Some(first), second].into_iter().flatten().chain(found) {
                    postings.add_to(&mut all);
                }
                Cow::Owned(all)
            }
        }
    }

    /// The movies in whose titles a word is near to a typed one, by how near it is. A movie with several such
    /// words stands under each.
    pub(super) fn near(&self, typed: &Typed) -> BTreeMap<Nearness, RoaringBitmap> {
        let mut near: BTreeMap<Nearness, RoaringBitmap> = BTreeMap::new();
        let Some(automaton) = typed.automaton() else {
            if let Some(postings) = self.words.get(typed.as_str().as_bytes()) {
                postings.add_to(near.entry(Nearness::default()).or_default());
            }
            let found = self.beginning_with(typed.as_str()).into_owned();
            near.insert(Nearness { errors: 0, beginnings: 1 }, found);
            return near;
        };
        let mut walk = Walk::new(automaton);
        let mut from: Bound<Vec<u8>> = Bound::Unbounded;
        // Words in their order; of those that begin with what is beyond any forgiving, none is looked at.
        'seek: loop {
            for (word, postings) in
                self.words.range::<[u8], _>((from.as_ref().map(Vec::as_slice), Bound::Unbounded))
            {
                match walk.nearness(word) {
                    Ok(Some(nearness)) => postings.add_to(near.entry(nearness).or_default()),
                    Ok(None) => {}
                    Err(dead) => match successor(&word[..dead]) {
                        Some(next) => {
                            from = Bound::Included(next);
                            continue 'seek;
                        }
                        None => return near,
                    },
                }
            }
            return near;
        }
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
