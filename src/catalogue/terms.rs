//! The inverted index of title words.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use levenshtein_automata::{Distance, SINK_STATE};

use super::{
    column::Slot,
    set::Set,
    trie::{Letters, Trie},
};
use crate::domain::{FuzzyScore, FuzzyTerm};

/// Prefixes of at most this many characters have a set of their own, since many words share them.
const SHORT_CHARS: usize = 2;

/// The inverted index.
#[derive(Default)]
pub(super) struct Terms {
    words: Trie<Set>,
    /// Movies by short prefix.
    short: HashMap<Box<[u8]>, Set>,
}

/// The inverted index during a bulk load; its words are sorted at the end.
#[derive(Default)]
pub(super) struct Unordered {
    words: HashMap<Box<[u8]>, Set>,
    short: HashMap<Box<[u8]>, Set>,
}

impl Unordered {
    pub(super) fn insert(&mut self, words: &[String], slot: Slot) {
        for word in words {
            insert_into(&mut self.words, word, slot);
            short_beginnings(word).for_each(|beginning| insert_into(&mut self.short, beginning, slot));
        }
    }

    pub(super) fn in_order(self) -> Terms {
        // Inserting in sorted order places neighbouring words next to each other in memory.
        let mut words: Vec<_> = self.words.into_iter().collect();
        words.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let mut trie = Trie::default();
        for (word, slots) in words {
            trie.get_or_insert_with(&word, || slots);
        }
        Terms { words: trie, short: self.short }
    }
}

impl Terms {
    pub(super) fn insert(&mut self, words: &[String], slot: Slot) {
        for word in words {
            self.words.get_or_insert_with(word.as_bytes(), Set::default).insert(slot);
            short_beginnings(word).for_each(|beginning| insert_into(&mut self.short, beginning, slot));
        }
    }

    pub(super) fn remove(&mut self, words: &[String], slot: Slot) {
        for word in words {
            let slots = self.words.get_or_insert_with(word.as_bytes(), Set::default);
            slots.remove(slot);
            if slots.is_empty() {
                self.words.remove(word.as_bytes());
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

    /// Returns the movies with exactly this word.
    pub(super) fn whole(&self, word: &str) -> Option<&Set> {
        self.words.get(word.as_bytes())
    }

    /// Returns whether a word may start with this prefix.
    pub(super) fn has_beginning(&self, beginning: &str) -> bool {
        if beginning.chars().nth(SHORT_CHARS).is_none() {
            self.short.contains_key(beginning.as_bytes())
        } else {
            self.words.has_beginning(beginning.as_bytes())
        }
    }

    /// Returns the sets of the movies with a word that starts with this prefix.
    pub(super) fn beginning_with(&self, beginning: &str) -> Vec<&Set> {
        if beginning.chars().nth(SHORT_CHARS).is_none() {
            self.short.get(beginning.as_bytes()).into_iter().collect()
        } else {
            self.words.beginning_with(beginning.as_bytes())
        }
    }

    /// Returns the movies with a word close to a fuzzy term, by score. A movie may be in several sets.
    pub(super) fn fuzzy_matches(&self, typed: &FuzzyTerm) -> BTreeMap<FuzzyScore, Vec<Cow<'_, Set>>> {
        let mut by_score: BTreeMap<FuzzyScore, Vec<Cow<'_, Set>>> = BTreeMap::new();
        let Some(automaton) = typed.automaton() else {
            if let Some(slots) = self.words.get(typed.as_str().as_bytes()) {
                by_score.entry(FuzzyScore::default()).or_default().push(Cow::Borrowed(slots));
            }
            let found = self.beginning_with(typed.as_str());
            let found = found.into_iter().map(Cow::Borrowed).collect();
            by_score.insert(FuzzyScore { errors: 0, beginnings: 1 }, found);
            return by_score;
        };
        // The state of the automaton, and the lowest edit distance of any prefix seen on this path.
        let next = |(state, least): (u32, Option<u8>), byte| {
            let state = automaton.transition(state, byte);
            if state == SINK_STATE {
                return least.map(|least| (SINK_STATE, Some(least)));
            }
            let least = match automaton.distance(state) {
                Distance::Exact(errors) => Some(least.map_or(errors, |least| least.min(errors))),
                Distance::AtLeast(_) => least,
            };
            Some((state, least))
        };
        let letters = Letters::of(typed.as_str().as_bytes());
        let may = |of_words| letters.are_in(of_words, typed.errors());
        self.words.walk(&may, (automaton.initial_state(), None), &next, &mut |(state, least), slots| {
            let Some(least) = least else { return };
            let is_whole = matches!(automaton.distance(state), Distance::Exact(errors) if errors == least);
            let score = FuzzyScore { errors: least.into(), beginnings: usize::from(!is_whole) };
            by_score.entry(score).or_default().push(Cow::Borrowed(slots));
        });
        by_score
    }
}

fn insert_into(sets: &mut HashMap<Box<[u8]>, Set>, text: &str, slot: Slot) {
    match sets.get_mut(text.as_bytes()) {
        Some(slots) => slots.insert(slot),
        None => drop(sets.insert(text.as_bytes().into(), Set::of(slot))),
    }
}

fn short_beginnings(word: &str) -> impl Iterator<Item = &str> {
    let ends = word.char_indices().map(|(at, c)| at + c.len_utf8());
    ends.take(SHORT_CHARS).map(|end| &word[..end])
}
